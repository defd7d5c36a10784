//! Reading under load: an answer that is like one that was read in full before ends as that one ended.
//!
//! What ends an answer is its status, its label, and what the dialect's rules look at. A [`Skim`] remembers those of
//! every grant that [`read`](super::read) has seen, looks at nothing else but the tokens, and declines whatever is
//! different: that is read in full. So there is one judge, and most answers need not be brought before it. Most lie
//! on the [stencil](super::stencil) of one before them; others are scanned as strictly as `read` does, without a copy.

use std::borrow::Cow;

use crate::client::Glimpse;
use crate::client::codec::tape::{Kind, Place, Tape};
use crate::client::codec::{scan_json, scan_xml};
use crate::dialect::{Blank, Dialect};
use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::expression::{Expression, Function, Node};

use super::stencil::{Stencil, Tokens, Wanted};
use super::{Document, Outcome, Reply};

/// So many kinds of grants are remembered: a dialect has two or four, and what varies without end is not worth it.
const KNOWN_MAX: usize = 16;

/// Remembers grants, and reads further ones by them.
#[derive(Debug)]
pub struct Skim {
    rules: Rules,
    known: Vec<Known>,
    tape: Tape,
}

/// What the dialect's rules look at.
#[derive(Debug)]
struct Rules {
    access: Vec<Path>,
    refresh: Vec<Path>,
    deciding: Vec<Path>,
    /// Token fields of which the rules only ask whether they are filled.
    filled: Vec<Vec<Path>>,
    blanks: Vec<String>,
}

/// A path into a document: names as they stand in JSON; in XML their local parts count.
type Path = Vec<String>;

/// What a granting answer looked like.
struct Known {
    label: Vec<u8>,
    status: u16,
    codec: Codec,
    /// The start tag of an XML root: by it the names mean the same.
    tag: String,
    deciding: Vec<Seen>,
    filled: Vec<bool>,
    stencil: Option<Stencil>,
}

/// The root of a document.
#[derive(Clone, Copy)]
struct Root<'a> {
    place: Place<'a>,
    /// Its start tag in XML.
    tag: &'a str,
}

/// In what a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Json,
    Xml,
}

/// What stood at a place that decides.
#[derive(PartialEq, Eq)]
enum Seen {
    Absent,
    Value(Kind, String),
}

impl std::fmt::Debug for Known {
    /// The status, never values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({})", self.status)
    }
}

/// A grant, skimmed.
#[derive(Clone)]
pub struct Skimmed<'a> {
    /// The new access token.
    pub access: Cow<'a, str>,
    /// The new refresh token, where the answer has one.
    pub refresh: Option<Cow<'a, str>>,
}

impl std::fmt::Debug for Skimmed<'_> {
    /// Never tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Skimmed(..)")
    }
}

impl Skim {
    /// For refreshes in this dialect; nothing where its tokens or rules hang on more than members of a document.
    pub fn of(dialect: &Dialect) -> Option<Skim> {
        Some(Skim { rules: Rules::of(dialect)?, known: Vec::new(), tape: Tape::default() })
    }

    /// Remembers what a grant that was read in full looked like.
    pub fn learn(&mut self, reply: &Reply) {
        let (codec, tree) = match &reply.document {
            Some(Document::Json(tree)) => (Codec::Json, tree),
            Some(Document::Xml(document)) => (Codec::Xml, &document.tree),
            None => return,
        };
        if reply.outcome != Outcome::Granted {
            return;
        }
        let glimpse = reply.answer().glimpse();
        let Some((root, text)) = scan(glimpse.body, codec, &mut self.tape) else { return };
        // What the scan makes of it must be what the full reader made of it.
        if root.place.tree() == *tree && self.known.len() < KNOWN_MAX {
            self.known.extend(Known::of(&self.rules, glimpse, codec, root, text));
        }
    }

    /// The tokens of a grant; nothing where the answer is not like one that was read before.
    pub fn read<'a>(&'a mut self, glimpse: Glimpse<'a>) -> Option<Skimmed<'a>> {
        let label = glimpse.label?;
        let rules = &self.rules;
        let labelled = |known: &&Known| known.status == glimpse.status && known.label == label;
        for stencil in self.known.iter().filter(labelled).filter_map(|known| known.stencil.as_ref()) {
            if let Some(Tokens { access: Some(access), refresh }) = rules.laid(stencil, glimpse.body) {
                let (access, refresh) = (Cow::Borrowed(access), refresh.map(Cow::Borrowed));
                return Some(Skimmed { access, refresh });
            }
        }
        self.scanned(glimpse, label)
    }

    /// The same for a grant that has another form than those before it, which it is one of from now on.
    fn scanned<'a>(&'a mut self, glimpse: Glimpse<'a>, label: &[u8]) -> Option<Skimmed<'a>> {
        let Skim { rules, known, tape } = self;
        let labelled = |known: &&Known| known.status == glimpse.status && known.label == label;
        let codec = known.iter().find(labelled)?.codec;
        let (root, text) = scan(glimpse.body, codec, tape)?;
        let mut labelled = known.iter().filter(labelled);
        labelled.find(|known| {
            known.codec == codec && known.tag == root.tag && rules.is_like(known, root.place)
        })?;
        let access = rules.token(&rules.access, root.place)?;
        let refresh = rules.token(&rules.refresh, root.place);
        if known.len() < KNOWN_MAX {
            known.extend(Known::of(rules, glimpse, codec, root, text));
        }
        Some(Skimmed { access, refresh })
    }
}

impl Known {
    fn of(rules: &Rules, glimpse: Glimpse<'_>, codec: Codec, root: Root<'_>, text: &str) -> Option<Known> {
        let label = glimpse.label.filter(|label| is_plain(label))?;
        let place = root.place;
        let deciding: Vec<_> = rules.deciding.iter().map(|path| find(place, path)).collect();
        let stencil = Stencil::cut(text, place, codec, |value| rules.wanted(value, place, &deciding));
        // A stencil that does not even read its own document is none: a token with an escape in it, say.
        let token = |paths| rules.token(paths, place);
        let (access, refresh) = (token(&rules.access), token(&rules.refresh));
        let own = Tokens { access: access.as_deref(), refresh: refresh.as_deref() };
        Some(Known {
            label: label.to_vec(),
            status: glimpse.status,
            codec,
            tag: root.tag.to_owned(),
            deciding: deciding.iter().map(|found| Seen::at(*found)).collect(),
            filled: rules.filled.iter().map(|paths| token(paths).is_some()).collect(),
            stencil: Some(stencil).filter(|stencil| rules.laid(stencil, glimpse.body) == Some(own)),
        })
    }
}

impl Rules {
    fn of(dialect: &Dialect) -> Option<Rules> {
        let answers = &dialect.operation(Operation::Refresh)?.answers;
        let paths = |field: Field| {
            let places = answers.fields.get(&field).map_or(&[][..], |source| &source.at);
            places.iter().map(path).collect::<Option<Vec<Path>>>()
        };
        let blank_texts = dialect.blank.iter().filter_map(|blank| match blank {
            Blank::Null => None,
            Blank::Text(text) => Some(text.clone()),
        });
        let mut rules = Rules {
            access: paths(Field::Access)?,
            refresh: paths(Field::Refresh)?,
            deciding: Vec::new(),
            filled: Vec::new(),
            blanks: blank_texts.collect(),
        };
        for rule in [Some(&answers.granted), answers.crash.as_ref()].into_iter().flatten() {
            rules.add(rule, &paths)?;
        }
        (!rules.access.is_empty()).then_some(rules)
    }

    fn add(&mut self, rule: &Expression, paths: &dyn Fn(Field) -> Option<Vec<Path>>) -> Option<()> {
        let mut nodes = vec![&rule.root];
        while let Some(node) = nodes.pop() {
            match node {
                Node::Or(a, b) | Node::And(a, b) | Node::Compare(a, _, b) | Node::Arithmetic(a, _, b) => {
                    nodes.extend([a.as_ref(), b.as_ref()]);
                }
                Node::Apply(Function::Filled | Function::Blank, a) if token_of(a).is_some() => {
                    self.filled.push(paths(token_of(a)?)?);
                }
                Node::Not(a) | Node::Apply(_, a) => nodes.push(a),
                Node::List(items) => nodes.extend(items),
                Node::Name(name) => self.add_name(name, paths)?,
                Node::Literal(_) => {}
            }
        }
        Some(())
    }

    fn add_name(&mut self, name: &str, paths: &dyn Fn(Field) -> Option<Vec<Path>>) -> Option<()> {
        if name == "status" {
            return Some(());
        }
        if name.starts_with('/') {
            self.deciding.push(split(name)?);
            return Some(());
        }
        // A token is never the same again, so a rule that looks into one is for the full reader.
        let field = Field::from_word(name).filter(|field| !field.is_token())?;
        self.deciding.extend(paths(field)?);
        Some(())
    }

    fn is_like(&self, known: &Known, place: Place<'_>) -> bool {
        self.deciding.iter().zip(&known.deciding).all(|(path, seen)| seen.is_at(find(place, path)))
            && self
                .filled
                .iter()
                .zip(&known.filled)
                .all(|(paths, filled)| self.token(paths, place).is_some() == *filled)
    }

    /// The first of the places that has a value, if that is a token: text, and not blank.
    fn token<'p>(&self, paths: &[Path], place: Place<'p>) -> Option<Cow<'p, str>> {
        let found = chosen(paths, place)?;
        if !matches!(found.kind(), Kind::Text | Kind::Escaped) {
            return None;
        }
        found.value().filter(|text| !self.is_blank(text))
    }

    fn is_blank(&self, text: &str) -> bool {
        text.is_empty() || self.blanks.iter().any(|blank| blank == text)
    }

    /// What a value of the document at `root` is looked at for; nothing for what decides, which must stay the same.
    fn wanted(&self, value: Place<'_>, root: Place<'_>, deciding: &[Option<Place<'_>>]) -> Option<Wanted> {
        let is =
            |found: Option<Place<'_>>| found.is_some_and(|found| found.row_number() == value.row_number());
        if deciding.iter().any(|found| is(*found)) {
            return None;
        }
        if value.kind() != Kind::Text {
            return Some(Wanted::default());
        }
        let asked = self.filled.iter().find(|paths| is(chosen(paths, root)));
        Some(Wanted {
            access: is(chosen(&self.access, root)),
            refresh: is(chosen(&self.refresh, root)),
            filled: asked.map(|paths| self.token(paths, root).is_some()),
        })
    }

    /// The tokens of a body that lies on the stencil.
    fn laid<'a>(&self, stencil: &Stencil, body: &'a [u8]) -> Option<Tokens<'a>> {
        stencil.read(body, |text| self.is_blank(text))
    }
}

/// The first of the places that has a value.
fn chosen<'p>(paths: &[Path], place: Place<'p>) -> Option<Place<'p>> {
    paths.iter().filter_map(|path| find(place, path)).find(|found| found.kind() != Kind::Null)
}

impl Seen {
    fn at(found: Option<Place<'_>>) -> Seen {
        match found {
            None => Seen::Absent,
            Some(place) => Seen::Value(place.kind(), place.value().unwrap_or_default().into_owned()),
        }
    }

    fn is_at(&self, found: Option<Place<'_>>) -> bool {
        match (self, found) {
            (Seen::Absent, None) => true,
            (Seen::Value(kind, value), Some(place)) => {
                place.kind() == *kind && place.value().unwrap_or_default() == *value
            }
            (Seen::Absent, Some(_)) | (Seen::Value(..), None) => false,
        }
    }
}

/// A token that a function is applied to.
fn token_of(node: &Node) -> Option<Field> {
    match node {
        Node::Name(name) => Field::from_word(name).filter(|field| field.is_token()),
        Node::Or(..)
        | Node::And(..)
        | Node::Not(_)
        | Node::Compare(..)
        | Node::Arithmetic(..)
        | Node::Apply(..)
        | Node::Literal(_)
        | Node::List(_) => None,
    }
}

fn path(place: &FieldPlace) -> Option<Path> {
    match place {
        FieldPlace::Path(path) => split(path),
        FieldPlace::Field(_)
        | FieldPlace::Header(_)
        | FieldPlace::Cookie(_)
        | FieldPlace::Claim(..)
        | FieldPlace::Jose(..) => None,
    }
}

/// The names of a path. With a colon they mean one thing in JSON and another in XML: that is for the full reader.
fn split(path: &str) -> Option<Path> {
    let names = path.split('/').filter(|name| !name.is_empty());
    (!path.contains(':')).then(|| names.map(str::to_owned).collect())
}

/// Whether a Content-Type names no other charset than UTF-8.
fn is_plain(label: &[u8]) -> bool {
    let parameters = label.iter().position(|byte| *byte == b';').map_or(&[][..], |at| &label[at + 1..]);
    [&b""[..], b"charset=utf-8"].iter().any(|usual| parameters.trim_ascii().eq_ignore_ascii_case(usual))
}

/// Scans the body as UTF-8, which the label that was known decoded it as. Its root and its text.
fn scan<'t>(body: &'t [u8], codec: Codec, tape: &'t mut Tape) -> Option<(Root<'t>, &'t str)> {
    let text = plain_text(body)?;
    let tag = match codec {
        Codec::Json => {
            scan_json(text, tape).ok()?;
            ""
        }
        Codec::Xml => scan_xml(text, tape)?,
    };
    Some((Root { place: tape.root(text)?, tag }, text))
}

/// A body that is UTF-8 as it stands; what has a mark or another charset is for the full reader.
fn plain_text(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body).ok().filter(|text| !text.starts_with('\u{feff}'))
}

fn find<'p>(place: Place<'p>, path: &Path) -> Option<Place<'p>> {
    path.iter().try_fold(place, |place, name| place.child(name))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::read;
    use super::*;
    use crate::client::Answer;
    use crate::dialect::builtin;

    fn answer(status: u16, label: &str, body: &str) -> Answer {
        Answer {
            status,
            reason: String::new(),
            headers: vec![("content-type".to_owned(), label.as_bytes().to_vec())],
            body: body.as_bytes().to_vec(),
        }
    }

    fn granted(access: &str, refresh: &str, ok: &str) -> String {
        format!(
            r#"{{"AckCode":"00","Status":"Success","RefreshTokenResponse":{{"accessToken":{access},"refreshToken":{refresh},"isSuccess":{ok}}}}}"#
        )
    }

    fn in_xml(access: &str, ok: &str) -> String {
        format!(
            r#"<ResponseModelRefreshToken xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/BLL.PFMS"><AckCode>00</AckCode><RefreshTokenResponse>{access}<isSuccess>{ok}</isSuccess><refreshToken>r</refreshToken></RefreshTokenResponse></ResponseModelRefreshToken>"#
        )
    }

    const JSON: &str = "application/json; charset=utf-8";
    const XML: &str = "text/xml; charset=utf-8";

    fn learned() -> Skim {
        let dialect = builtin("pfms").unwrap();
        let mut skim = Skim::of(&dialect).unwrap();
        for (label, body) in [
            (JSON, granted(r#""a""#, r#""r""#, r#""true""#)),
            (XML, in_xml("<accessToken>a</accessToken>", "true")),
        ] {
            let reply = read(&dialect, Operation::Refresh, Arc::new(answer(200, label, &body)));
            assert_eq!(reply.outcome, Outcome::Granted);
            skim.learn(&reply);
        }
        skim
    }

    /// What is skimmed, the full reader grants, with the same tokens. Whether it was skimmed.
    #[track_caller]
    fn agrees(skim: &mut Skim, answer: &Answer) -> bool {
        let dialect = builtin("pfms").unwrap();
        let full = read(&dialect, Operation::Refresh, Arc::new(answer.clone()));
        let Some(skimmed) = skim.read(answer.glimpse()) else { return false };
        let token =
            |field| full.token(&dialect, Operation::Refresh, field).map(|token| token.expose().to_owned());
        assert_eq!(full.outcome, Outcome::Granted);
        assert_eq!(token(Field::Access), Some(skimmed.access.into_owned()));
        assert_eq!(token(Field::Refresh), skimmed.refresh.map(Cow::into_owned));
        true
    }

    #[test]
    fn a_grant_like_one_before_is_skimmed_in_both_formats() {
        let mut skim = learned();
        assert!(agrees(&mut skim, &answer(200, JSON, &granted(r#""b""#, r#""s\u0031""#, r#""true""#))));
        assert!(agrees(&mut skim, &answer(200, XML, &in_xml("<accessToken>b</accessToken>", "true"))));
    }

    #[test]
    fn a_grant_of_another_form_is_skimmed_and_remembered() {
        let mut skim = learned();
        let known = skim.known.len();
        let other = granted(r#""b""#, "null", r#""true""#).replace("\"00\"", "[0]");
        for _ in 0..3 {
            assert!(agrees(&mut skim, &answer(200, JSON, &other)));
        }
        let other = granted(r#""b""#, r#""s""#, r#""true""#).replace("\"00\"", "17");
        for number in ["17", "8", "0", "-1", "01", "1.5"] {
            agrees(&mut skim, &answer(200, JSON, &other.replace("17", number)));
        }
        assert!(skim.known.len() > known);
    }

    #[test]
    fn a_token_with_an_escape_is_read_whenever_it_comes_again() {
        let dialect = builtin("pfms").unwrap();
        let mut skim = Skim::of(&dialect).unwrap();
        let first = answer(200, JSON, &granted(r#""a""#, r#""r\/1""#, r#""true""#));
        skim.learn(&read(&dialect, Operation::Refresh, Arc::new(first.clone())));
        for refresh in [r#""r\/1""#, r#""r\/2""#, r#""r3""#] {
            assert!(agrees(&mut skim, &answer(200, JSON, &granted(r#""b""#, refresh, r#""true""#))));
        }
        assert!(agrees(&mut skim, &first));
    }

    #[test]
    fn whatever_differs_where_it_counts_is_read_in_full() {
        let mut skim = learned();
        let json = |access: &str, ok: &str| granted(access, "null", ok);
        for answer in [
            answer(200, JSON, &json(r#""b""#, r#""True""#)),
            answer(200, JSON, &json(r#""b""#, r#""false""#)),
            answer(200, JSON, &json("null", r#""true""#)),
            answer(200, JSON, &json(r#""0""#, r#""true""#)),
            answer(200, JSON, &json("7", r#""true""#)),
            answer(201, JSON, &json(r#""b""#, r#""true""#)),
            answer(200, "application/json", &json(r#""b""#, r#""true""#)),
            answer(200, JSON, &format!("{} ", json(r#""b""#, r#""true""#)).replace('}', "")),
            answer(200, XML, &in_xml("<accessToken i:nil=\"true\"/>", "true")),
            answer(200, XML, &in_xml("<accessToken>b</accessToken>", "true").replace("PFMS", "Pfms")),
        ] {
            assert!(skim.read(answer.glimpse()).is_none());
        }
    }

    proptest! {
        #[test]
        fn whatever_is_skimmed_is_granted_with_the_same_tokens(
            access in r#""[a-zé"\\]{0,3}"|null|"0"|7|\{\}"#,
            refresh in r#""[a-z\x01]{0,2}"|"a\\/b"|null|[0-9]"#,
            ok in r#""(true|True|false|)"|true|null"#,
            cut in 0usize..40,
            twice in any::<bool>(),
        ) {
            let mut skim = learned();
            let mut body = granted(&access, &refresh, &ok);
            if twice {
                body = body.replace("\"isSuccess\"", "\"isSuccess\":\"true\",\"isSuccess\"");
            }
            if cut < 4 {
                body.truncate(body.len() - cut);
            }
            agrees(&mut skim, &answer(200, JSON, &body));
        }

        #[test]
        fn whatever_is_skimmed_of_xml_is_granted_with_the_same_tokens(
            access in "<accessToken>[a-z<>&;\\]é]{0,3}</accessToken>|<accessToken ?/>|<accessToken>a&amp;b</accessToken>|",
            ok in "true|True|false||t<!-- -->rue",
            refresh in "[a-z \n]{0,3}|<x/>|]]>",
            cut in 0usize..40,
        ) {
            let mut skim = learned();
            let mut body = in_xml(&access, &ok).replace(">r<", &format!(">{refresh}<"));
            if cut < 4 {
                body.truncate(body.char_indices().rev().nth(cut).map_or(0, |(at, _)| at));
            }
            agrees(&mut skim, &answer(200, XML, &body));
        }
    }
}
