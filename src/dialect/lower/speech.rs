//! Operations: the frame, text with slots, formats.

use indexmap::IndexMap;

use crate::source::Span;
use crate::suite::call::{Operation, Slot};
use crate::suite::yaml::Spanned;

use super::Lowering;
use super::sense::sent_namespaces;
use crate::dialect::{Accepts, ClientAuth, Codec, Shape, Speech, Text, TextPart, written};

const AUTH: [(&str, ClientAuth); 3] =
    [("basic", ClientAuth::Basic), ("post", ClientAuth::Post), ("none", ClientAuth::None)];

const CODECS: [(&str, Codec); 3] = [("json", Codec::Json), ("xml", Codec::Xml), ("form", Codec::Form)];

impl Lowering<'_> {
    pub(super) fn speech(
        &mut self,
        operation: Operation,
        written: &Spanned<written::Speech>,
    ) -> Option<Speech> {
        let typed = &written.value;
        self.method(&typed.method);
        self.path(&typed.path);
        let auth: Vec<ClientAuth> = typed
            .auth
            .iter()
            .filter_map(|way| self.word(way, "way to send client credentials", &AUTH))
            .collect();
        if let (Some(first), false) = (typed.auth.first(), self.slots.contains(&Slot::Client)) {
            let message = "`auth` needs the slot `client`";
            self.wrong("dialect::slot", first.span, message, "put `client` into `slots`");
        }
        let accepts = self.all_accepts(&typed.accepts);
        let inherited = sent_namespaces(accepts.values());
        Some(Speech {
            documented: typed.documented.unwrap_or(true),
            method: typed.method.value.clone(),
            path: typed.path.value.clone(),
            query: self.texts(&typed.query),
            headers: self.texts(&typed.headers),
            cookies: self.texts(&typed.cookies),
            auth,
            accepts,
            answers: self.answers(operation, &typed.answers, &inherited)?,
        })
    }

    fn method(&mut self, written: &Spanned<String>) {
        let method = &written.value;
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            let message = format!("`{method}` is no HTTP method");
            self.wrong("dialect::method", written.span, message, "write e.g. `POST`");
        }
    }

    fn path(&mut self, written: &Spanned<String>) {
        let path = &written.value;
        let fits = path.starts_with('/')
            && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
        if !fits {
            let message = format!("`{path}` is no path");
            self.wrong("dialect::path", written.span, message, "it begins with `/` and has no query");
        }
    }

    fn texts(&mut self, written: &written::Keyed<String>) -> Vec<(String, Text)> {
        written.iter().filter_map(|(name, text)| Some((name.clone(), self.text(text)?))).collect()
    }

    /// `Bearer $access`, `${access}x`, `$$`
    pub(super) fn text(&mut self, written: &Spanned<String>) -> Option<Text> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = written.value.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            plain.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                plain.push('$');
                rest = after;
                continue;
            }
            let (word, after) = split_slot(after);
            let part = match self.functions.get(word) {
                Some(function) => TextPart::Made(Box::new(function.clone())),
                None => TextPart::Slot(self.slot(written.span, word)?),
            };
            if !plain.is_empty() {
                parts.push(TextPart::Plain(std::mem::take(&mut plain)));
            }
            parts.push(part);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() || parts.is_empty() {
            parts.push(TextPart::Plain(plain));
        }
        Some(Text(parts))
    }

    fn slot(&mut self, span: Span, word: &str) -> Option<Slot> {
        let Some(slot) = Slot::from_word(word) else {
            let made: Vec<String> = self.functions.keys().cloned().collect();
            let words = Slot::ALL.map(Slot::word).into_iter().chain(made.iter().map(String::as_str));
            self.unknown(span, word, "slot", words);
            return None;
        };
        if !self.slots.contains(&slot) {
            let message = format!("the slot `{word}` is not declared");
            self.wrong("dialect::slot", span, message, format!("put `{word}` into `slots`"));
            return None;
        }
        Some(slot)
    }

    fn all_accepts(&mut self, written: &written::Keyed<written::Accepts>) -> IndexMap<String, Accepts> {
        written
            .iter()
            .filter_map(|(name, accepts)| Some((name.clone(), self.accepts(name, &accepts.value)?)))
            .collect()
    }

    fn accepts(&mut self, name: &str, written: &written::Accepts) -> Option<Accepts> {
        let types: Vec<String> = written.types.value.iter().map(|media| media.value.clone()).collect();
        for media in &written.types.value {
            self.media_type(media);
        }
        if types.is_empty() {
            let message = format!("the format `{name}` has no media type");
            self.wrong("dialect::media-type", written.types.span, message, "write e.g. `[application/json]`");
        }
        let codec = match &written.codec {
            Some(word) => self.word(word, "codec", &CODECS),
            None => self.codec_of(&written.types),
        };
        let body = self.shapes(&written.body);
        let namespaces: Vec<(String, String)> = namespaces(&written.namespaces);
        if codec == Some(Codec::Xml) {
            self.prefixed_names(written.root.as_ref(), &written.body, &namespaces);
        }
        if codec == Some(Codec::Xml) && written.root.is_none() {
            let message = format!("the format `{name}` needs a `root`");
            self.wrong("dialect::root", written.types.key, message, "XML has a root element");
        }
        for root in written.root.iter().filter(|_| matches!(codec, Some(Codec::Json | Codec::Form))) {
            self.wrong("dialect::root", root.key, "only XML has a `root`", "leave it out");
        }
        Some(Accepts {
            types,
            codec: codec?,
            root: written.root.as_ref().map(|root| root.value.clone()),
            namespaces,
            body,
            listed: written.listed.unwrap_or(true),
        })
    }

    pub(super) fn media_type(&mut self, written: &Spanned<String>) {
        let fits = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
        };
        if !written.value.split_once('/').is_some_and(|(kind, subtype)| fits(kind) && fits(subtype)) {
            let message = format!("`{}` is no media type", written.value);
            self.wrong("dialect::media-type", written.span, message, "write e.g. `application/json`");
        }
    }

    /// The codec that the first media type stands for.
    fn codec_of(&mut self, types: &Spanned<Vec<Spanned<String>>>) -> Option<Codec> {
        let first = types.value.first()?;
        match first.value.as_str() {
            "application/json" | "text/json" => Some(Codec::Json),
            "application/xml" | "text/xml" => Some(Codec::Xml),
            "application/x-www-form-urlencoded" => Some(Codec::Form),
            media if media.ends_with("+json") => Some(Codec::Json),
            media if media.ends_with("+xml") => Some(Codec::Xml),
            media => {
                let message = format!("`{media}` does not tell how documents are written");
                self.wrong(
                    "dialect::codec",
                    first.span,
                    message,
                    "write `codec: json`, `xml` or `form` beside it",
                );
                None
            }
        }
    }

    fn shapes(&mut self, written: &written::Keyed<written::Branch>) -> Vec<(String, Shape)> {
        let mut shapes = Vec::new();
        for (name, branch) in written {
            let shape = match &branch.value {
                written::Branch::Word(text) => self.text(text).map(Shape::Text),
                written::Branch::Map(members) => Some(Shape::Object(self.shapes(members))),
            };
            shapes.extend(shape.map(|shape| (name.clone(), shape)));
        }
        shapes
    }
}

/// Prefix → namespace, as written.
pub(super) fn namespaces(written: &written::Keyed<String>) -> Vec<(String, String)> {
    written.iter().map(|(prefix, namespace)| (prefix.clone(), namespace.value.clone())).collect()
}

/// The slot's word behind a `$`, and what follows.
fn split_slot(text: &str) -> (&str, &str) {
    if let Some((word, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
        return (word, rest);
    }
    let end = text.find(|c: char| !(c.is_ascii_lowercase() || c == '-')).unwrap_or(text.len());
    text.split_at(end)
}
