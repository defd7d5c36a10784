//! Answers: declared members, fields, and the rules over them.

use indexmap::IndexMap;

use crate::source::Span;
use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::expression::{Expression, Mistake, ValueKind};
use crate::suite::yaml::{OneOrMany, Spanned};

use super::Lowering;
use super::speech::namespaces;
use crate::dialect::{
    Answers, Declared, DeclaredKind, FieldSource, Reading, XmlAnswer, XmlNull, XmlOrder, written,
};

const KINDS: [(&str, DeclaredKind); 4] = [
    ("text", DeclaredKind::Text),
    ("number", DeclaredKind::Number),
    ("flag", DeclaredKind::Flag),
    ("any", DeclaredKind::Any),
];

const READINGS: [(&str, Reading); 7] = [
    ("text", Reading::Text),
    ("date", Reading::Date),
    ("seconds", Reading::Seconds),
    ("milliseconds", Reading::Milliseconds),
    ("epoch", Reading::Epoch),
    ("epoch-ms", Reading::EpochMs),
    ("flag", Reading::Flag),
];

const ORDERS: [(&str, XmlOrder); 3] =
    [("ordinal", XmlOrder::Ordinal), ("declared", XmlOrder::Declared), ("any", XmlOrder::Any)];

const NULLS: [(&str, XmlNull); 2] = [("nil", XmlNull::Nil), ("absent", XmlNull::Absent)];

impl Lowering<'_> {
    pub(super) fn answers(
        &mut self,
        operation: Operation,
        written: &Spanned<written::Answers>,
        inherited: &[(String, String)],
    ) -> Option<Answers> {
        let typed = &written.value;
        for media in &typed.types {
            self.media_type(media);
        }
        let xml = typed.xml.as_ref().map(|xml| self.xml_answer(xml, inherited));
        let namespaces = xml.as_ref().map_or(inherited, |xml| xml.namespaces.as_slice()).to_vec();
        let speaks_xml = xml.is_some() || typed.types.iter().any(|media| media.value.contains("xml"));
        self.prefixes_matter = speaks_xml.then(|| namespaces.clone());
        let fields = self.fields(&typed.fields);
        self.prefixes_matter = None;
        self.fields_apart(&typed.fields, &fields);
        if let (Some(body), Some(_)) = (&typed.body, &xml) {
            self.prefixed_names(None, body, &namespaces);
        }
        self.check_fields(operation, written, &fields);
        let mapped: Vec<(Field, Reading)> =
            fields.iter().map(|(field, source)| (*field, source.reading)).collect();
        let optional = |lowering: &mut Self, rule: &Option<Spanned<String>>| {
            rule.as_ref().and_then(|rule| lowering.rule(rule, &mapped))
        };
        let (refused, crash) = (optional(self, &typed.refused), optional(self, &typed.crash));
        let layers = typed
            .layers
            .iter()
            .filter_map(|(name, rule)| Some((name.clone(), self.rule(rule, &mapped)?)))
            .collect();
        let granted = match &typed.granted {
            Some(rule) => self.rule(rule, &mapped),
            None => Expression::parse(usual(operation)).ok(),
        };
        Some(Answers {
            types: typed.types.iter().map(|media| media.value.clone()).collect(),
            body: typed.body.as_ref().map(|body| self.declared(body, &namespaces)),
            open: typed.open,
            xml,
            fields,
            granted: granted?,
            layers,
            refused,
            crash,
        })
    }

    fn xml_answer(&mut self, written: &written::XmlAnswer, inherited: &[(String, String)]) -> XmlAnswer {
        let own = namespaces(&written.namespaces);
        let inherited = inherited.iter().filter(|(prefix, _)| !own.iter().any(|(known, _)| known == prefix));
        let namespaces: Vec<(String, String)> = own.iter().chain(inherited).cloned().collect();
        self.prefixed_names(Some(&written.root), &written::Keyed::new(), &namespaces);
        let (prefix, local) = written.root.value.split_once(':').unwrap_or(("", &written.root.value));
        let declared = namespaces.iter().find(|(known, _)| known == prefix);
        let order = written.order.as_ref().and_then(|order| self.word(order, "order", &ORDERS));
        let null = written.null.as_ref().and_then(|null| self.word(null, "way to write null", &NULLS));
        XmlAnswer {
            root: local.to_owned(),
            namespace: written
                .namespace
                .as_ref()
                .map(|written| written.value.clone())
                .or_else(|| declared.map(|(_, namespace)| namespace.clone()))
                .unwrap_or_default(),
            namespaces: namespaces.clone(),
            order: order.unwrap_or(XmlOrder::Any),
            null: null.unwrap_or(XmlNull::Nil),
        }
    }

    /// `text`, `text?`, `text or null`; a member with members of its own has the signs in its name.
    pub(super) fn declared(
        &mut self,
        written: &written::Keyed<written::Branch>,
        namespaces: &[(String, String)],
    ) -> Vec<(String, Declared)> {
        let mut members = Vec::new();
        for (key, branch) in written {
            match &branch.value {
                written::Branch::Word(text) => {
                    let (word, optional, nullable) = signs(&text.value);
                    let Some((_, kind)) = KINDS.iter().find(|(candidate, _)| *candidate == word) else {
                        self.unknown(text.span, word, "kind of value", KINDS.iter().map(|(word, _)| *word));
                        continue;
                    };
                    let (name, namespace) = unprefixed(key, namespaces);
                    members.push((name, Declared { kind: kind.clone(), optional, nullable, namespace }));
                }
                written::Branch::Map(inner) => {
                    let (name, optional, nullable) = signs(key);
                    let (name, namespace) = unprefixed(name, namespaces);
                    let kind = DeclaredKind::Object(self.declared(inner, namespaces));
                    members.push((name, Declared { kind, optional, nullable, namespace }));
                }
            }
        }
        members
    }

    fn fields(&mut self, written: &written::Keyed<written::Field>) -> IndexMap<Field, FieldSource> {
        let mut fields = IndexMap::new();
        for (word, source) in written {
            let Some(field) = Field::from_word(word) else {
                self.unknown(source.key, word, "field", Field::ALL.iter().map(|(_, word)| *word));
                continue;
            };
            let source = match &source.value {
                written::Field::Word(place) => self.short_field(std::slice::from_ref(place), source.key),
                written::Field::List(places) => self.short_field(places, source.key),
                written::Field::Map(long) => self.long_field(long, source.key),
            };
            fields.extend(source.map(|source| (field, source)));
        }
        fields
    }

    fn short_field(&mut self, written: &[Spanned<String>], key: Span) -> Option<FieldSource> {
        if written.is_empty() {
            self.wrong("dialect::place", key, "this field has no place", "write e.g. `/a/b`");
            return None;
        }
        let at = written.iter().map(|place| self.source_place(place)).collect::<Option<Vec<_>>>()?;
        Some(FieldSource { at, reading: Reading::Text, of: None, absent_keeps: false })
    }

    fn long_field(&mut self, written: &written::LongField, key: Span) -> Option<FieldSource> {
        let written_places = [&written.at, &written.json, &written.xml].into_iter().flatten();
        let places: Vec<&Spanned<String>> = written_places.flat_map(|OneOrMany(places)| places).collect();
        if places.is_empty() {
            self.wrong("dialect::place", key, "this field has no place", "write `at: /a/b`");
            return None;
        }
        let at: Vec<FieldPlace> = places.into_iter().filter_map(|place| self.source_place(place)).collect();
        let reading = written
            .reading
            .as_ref()
            .map_or(Some(Reading::Text), |word| self.word(word, "way to read a value", &READINGS));
        let of = written.of.as_ref().and_then(|of| {
            let words = Field::ALL.map(|(field, word)| (word, field));
            self.word(of, "field", &words)
        });
        if let Some(absent) = &written.absent {
            self.word(absent, "meaning of an absent value", &[("keep", ())]);
        }
        Some(FieldSource { at, reading: reading?, of, absent_keeps: written.absent.is_some() })
    }

    fn source_place(&mut self, written: &Spanned<String>) -> Option<FieldPlace> {
        if let Some(namespaces) = self.prefixes_matter.clone() {
            self.prefixed_place(written, &namespaces);
        }
        match self.field_place(written)? {
            FieldPlace::Field(field) => {
                let message = format!("`{}` is a field and no place", field.word());
                self.wrong("dialect::place", written.span, message, "say where it is, e.g. `/a/b`");
                None
            }
            place => Some(place),
        }
    }

    /// Claims must be claims of a mapped field, and where tokens are asked for, it must be said where they are.
    fn check_fields(
        &mut self,
        operation: Operation,
        written: &Spanned<written::Answers>,
        fields: &IndexMap<Field, FieldSource>,
    ) {
        let typed = &written.value.fields;
        for (field, source) in fields {
            for place in &source.at {
                let (FieldPlace::Claim(of, _) | FieldPlace::Jose(of, _)) = place else { continue };
                let inside_itself = of == field;
                if (inside_itself || !fields.contains_key(of))
                    && let Some(written) = typed.get(field.word())
                {
                    let message = format!("`{}` has to be mapped to a place of its own", of.word());
                    self.wrong("dialect::place", written.key, message, "this looks into it");
                }
            }
        }
        let asks = matches!(operation, Operation::Refresh | Operation::Login);
        if asks && !typed.contains_key(Field::Access.word()) {
            let message = format!("`{}` needs to know where the access token is", operation.word());
            self.wrong(
                "dialect::no-access",
                written.key,
                message,
                "`fields: { access: /… }` is missing here",
            );
        }
    }

    /// A condition over the status, mapped fields and paths.
    pub(super) fn rule(
        &mut self,
        written: &Spanned<String>,
        mapped: &[(Field, Reading)],
    ) -> Option<Expression> {
        let expression = match Expression::parse(&written.value) {
            Ok(expression) => expression,
            Err(mistakes) => {
                self.mistakes(written, mistakes);
                return None;
            }
        };
        let kind = |name: &str| match name {
            "status" => Some(ValueKind::Number),
            "unknown" => Some(ValueKind::Flag),
            _ => {
                let reading =
                    mapped.iter().find(|(field, _)| field.word() == name).map(|(_, reading)| *reading);
                (reading == Some(Reading::Flag)).then_some(ValueKind::Flag)
            }
        };
        let before = self.found.len();
        self.mistakes(written, expression.mistakes(&kind));
        let fits = expression.kind(&kind).is_none_or(|kind| kind == ValueKind::Flag);
        if !(fits && expression.is_condition()) {
            self.wrong("dialect::rule", written.span, "this is no condition", "write e.g. `status == 200`");
        }
        for (range, name) in expression.references() {
            self.check_name(written, &range, &name, mapped);
        }
        (self.found.len() == before).then_some(expression)
    }

    fn check_name(
        &mut self,
        written: &Spanned<String>,
        range: &std::ops::Range<usize>,
        name: &str,
        mapped: &[(Field, Reading)],
    ) {
        let known =
            matches!(name, "status" | "unknown") || name.starts_with('/') || name.starts_with("header:");
        if known || mapped.iter().any(|(field, _)| field.word() == name) {
            return;
        }
        let span = self.within(written, range.start, range.end);
        if Field::from_word(name).is_some() {
            let message = format!("the field `{name}` is not mapped");
            return self.wrong("dialect::place", span, message, "put it into `fields`");
        }
        let words = mapped.iter().map(|(field, _)| field.word()).chain(["status"]);
        self.unknown(span, name, "name of an answer", words.collect::<Vec<_>>());
    }

    fn mistakes(&mut self, written: &Spanned<String>, mistakes: Vec<Mistake>) {
        for mistake in mistakes {
            let span = self.within(written, mistake.start, mistake.end);
            self.wrong("dialect::rule", span, mistake.message, "");
            if let Some(last) = self.found.last_mut() {
                last.patch = mistake.patch;
            }
        }
    }

    /// The place of a part of an expression; the whole of it where YAML has folded the text.
    fn within(&self, written: &Spanned<String>, start: usize, end: usize) -> Span {
        let Some(inside) = self.source.slice(written.span).find(&written.value) else { return written.span };
        let begin = written.span.start as usize + inside;
        Span::new(begin + start, begin + end)
    }
}

/// What `granted` means where nothing is written.
fn usual(operation: Operation) -> &'static str {
    match operation {
        Operation::Refresh | Operation::Login => "status == 200 and filled(access)",
        Operation::Probe | Operation::Revoke => "status >= 200 and status < 300",
    }
}

/// A name without a declared prefix, and the namespace that the prefix stands for.
fn unprefixed(name: &str, namespaces: &[(String, String)]) -> (String, Option<String>) {
    let split =
        name.split_once(':').filter(|(prefix, _)| namespaces.iter().any(|(known, _)| known == prefix));
    let Some((prefix, local)) = split else { return (name.to_owned(), None) };
    let namespace = namespaces.iter().find(|(known, _)| known == prefix).map(|(_, uri)| uri.clone());
    (local.to_owned(), namespace)
}

/// The text without its signs, and whether it had `?` or ` or null`.
fn signs(text: &str) -> (&str, bool, bool) {
    if let Some(word) = text.strip_suffix('?') {
        return (word, true, false);
    }
    match text.strip_suffix(" or null") {
        Some(word) => (word, false, true),
        None => (text, false, false),
    }
}
