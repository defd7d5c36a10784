//! Finding what stands at a place of an answer, and giving the dialect's rules their names.

use jiff::Timestamp;

use crate::client::Answer;
use crate::client::codec::Tree;
use crate::dialect::{Blank, DateFormat, Dialect, FieldSource, Reading, Speech};
use crate::secret::Token;
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::expression::{Names, Value};

use super::{Document, Found, Moment, dates, jwt};

/// An answer with the table to read it by.
pub(super) struct Places<'a> {
    pub(super) answer: &'a Answer,
    pub(super) document: Option<&'a Document>,
    pub(super) dialect: &'a Dialect,
    /// How the operation is spoken; `None` where the dialect does not have it.
    pub(super) speech: Option<&'a Speech>,
}

/// A field's place may name another field: `issued` at `access#iat` is a field, its claim, the token's field and
/// its path. No dialect goes deeper than this.
const DETOURS_MAX: u8 = 4;

impl Places<'_> {
    /// What stands at `place`.
    pub(super) fn at(&self, place: &FieldPlace) -> Found {
        self.find(place, DETOURS_MAX).0
    }

    /// What stands at `place`, and whether it came out of a JWT.
    fn find(&self, place: &FieldPlace, detours: u8) -> (Found, bool) {
        let Some(detours) = detours.checked_sub(1) else { return (Found::Absent, false) };
        match place {
            FieldPlace::Field(field) => self.field(*field, detours),
            FieldPlace::Path(path) => (self.path(path), false),
            FieldPlace::Header(name) => (self.header(name), false),
            FieldPlace::Cookie(name) => (self.cookie(name), false),
            FieldPlace::Claim(field, name) => (self.inside(*field, jwt::Part::Claims, name, detours), true),
            FieldPlace::Jose(field, name) => (self.inside(*field, jwt::Part::Header, name, detours), true),
        }
    }

    fn source(&self, field: Field) -> Option<&FieldSource> {
        self.speech.and_then(|speech| speech.answers.fields.get(&field))
    }

    /// The first of the field's places that has a value, else the first that has a null.
    fn field(&self, field: Field, detours: u8) -> (Found, bool) {
        let mut best = (Found::Absent, false);
        for place in self.source(field).map_or(&[][..], |source| &source.at) {
            match self.find(place, detours) {
                (Found::Null, inside) if best.0 == Found::Absent => best = (Found::Null, inside),
                (Found::Absent | Found::Null, _) => {}
                found => return found,
            }
        }
        best
    }

    /// In XML, prefixes of the path are for its reader: elements are found by their local names.
    fn path(&self, path: &str) -> Found {
        let tree = match self.document {
            None => None,
            Some(Document::Json(tree)) => tree.get(path),
            Some(Document::Xml(document)) => {
                let names = path.split('/').filter(|name| !name.is_empty());
                let mut locals = names.map(|name| name.split_once(':').map_or(name, |(_, local)| local));
                locals.try_fold(&document.tree, Tree::child)
            }
        };
        tree.map_or(Found::Absent, found)
    }

    /// Several fields of one name are one list (RFC 9110 section 5.3).
    fn header(&self, name: &str) -> Found {
        let values: Vec<_> = self
            .answer
            .headers
            .iter()
            .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value))
            .collect();
        if values.is_empty() { Found::Absent } else { Found::Text(Token::new(values.join(", "))) }
    }

    fn cookie(&self, name: &str) -> Found {
        let set = self.answer.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case("set-cookie"));
        for (_, line) in set {
            let line = String::from_utf8_lossy(line);
            let pair = line.split(';').next().unwrap_or_default();
            if let Some((found, value)) = pair.split_once('=')
                && found.trim() == name
            {
                return Found::Text(Token::new(value.trim().trim_matches('"')));
            }
        }
        Found::Absent
    }

    /// A member of a JWT's header or claims; nested ones by path.
    fn inside(&self, field: Field, part: jwt::Part, name: &str, detours: u8) -> Found {
        let (Found::Text(token), _) = self.find(&FieldPlace::Field(field), detours) else {
            return Found::Absent;
        };
        let Some(tree) = jwt::read(token.expose(), part) else { return Found::Absent };
        let tree = tree.child(name).or_else(|| tree.get(name));
        tree.map_or(Found::Absent, |tree| words(tree).unwrap_or_else(|| found(tree)))
    }

    /// The names of a JWT's own claims; none where the field holds no JWT.
    pub(super) fn claim_names(&self, field: Field) -> Vec<String> {
        let (Found::Text(token), _) = self.find(&FieldPlace::Field(field), DETOURS_MAX) else {
            return Vec::new();
        };
        match jwt::read(token.expose(), jwt::Part::Claims) {
            Some(Tree::Object(members)) => members.into_iter().map(|(name, _)| name).collect(),
            Some(_) | None => Vec::new(),
        }
    }

    /// The token in a field, if there is one and it is not blank.
    pub(super) fn token(&self, field: Field) -> Option<Token> {
        match self.at(&FieldPlace::Field(field)) {
            Found::Text(token) if !self.is_blank_text(token.expose()) => Some(token),
            _ => None,
        }
    }

    fn is_blank_text(&self, text: &str) -> bool {
        text.is_empty()
            || self.dialect.blank.iter().any(|blank| match blank {
                Blank::Null => false,
                Blank::Text(blank) => blank == text,
            })
    }

    /// The moment at a place.
    pub(super) fn moment(&self, place: &FieldPlace, now: Timestamp) -> Option<Moment> {
        let (found, in_token) = self.find(place, DETOURS_MAX);
        let text = found.text()?;
        let text = text.trim();
        let reading = match place {
            FieldPlace::Field(field) => self.source(*field).map_or(Reading::Date, |source| source.reading),
            _ => Reading::Date,
        };
        let exactly = |at| Some(Moment { at, zoned: true, format: DateFormat::Epoch });
        match reading {
            Reading::Seconds => exactly(self.served(now).checked_add(dates::seconds(text)?).ok()?),
            Reading::Milliseconds => exactly(self.served(now).checked_add(dates::milliseconds(text)?).ok()?),
            Reading::Epoch => exactly(dates::epoch(text)?),
            Reading::EpochMs => exactly(dates::epoch_ms(text)?),
            // Numeric dates of a JWT (RFC 7519 section 2) are seconds since 1970.
            Reading::Date | Reading::Text | Reading::Flag if in_token => exactly(dates::epoch(text)?),
            Reading::Date | Reading::Text | Reading::Flag => {
                let read = |format| dates::read(text, format, &self.dialect.dates.zone);
                let http = || dates::http_date(text).and_then(exactly);
                self.dialect.dates.formats.iter().find_map(read).or_else(http)
            }
        }
    }

    /// The server's time of the answer.
    fn served(&self, now: Timestamp) -> Timestamp {
        self.answer.header("date").and_then(|date| dates::http_date(date.trim())).unwrap_or(now)
    }

    /// A field as a rule sees it; `None` where it is not mapped or says nothing a flag could.
    fn field_value(&self, field: Field) -> Option<Value> {
        let source = self.source(field)?;
        let found = self.at(&FieldPlace::Field(field));
        match (source.reading, &found) {
            (Reading::Flag, Found::Text(text)) if !text.expose().trim().is_empty() => {
                flag(text.expose()).map(Value::Flag)
            }
            (Reading::Flag, Found::Text(_)) => Some(Value::Nothing),
            (Reading::Flag, Found::Number(text)) => flag(text).map(Value::Flag),
            (Reading::Flag, Found::Nested) => None,
            _ => Some(value(&found)),
        }
    }
}

impl Names for Places<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        if name == "status" {
            return Some(Value::Number(f64::from(self.answer.status)));
        }
        if name.starts_with('/') {
            return Some(value(&self.path(name)));
        }
        if let Some(header) = name.strip_prefix("header:") {
            return Some(value(&self.header(header)));
        }
        self.field_value(Field::from_word(name)?)
    }

    fn is_blank(&self, value: &Value) -> bool {
        match value {
            Value::Nothing => true,
            Value::Text(text) => self.is_blank_text(text),
            Value::Number(number) => self.is_blank_text(&number.to_string()),
            _ => false,
        }
    }
}

/// A list of texts in a token (audiences, scopes) as words: whoever wrote one text could have written a list.
fn words(tree: &Tree) -> Option<Found> {
    let Tree::List(items) = tree else { return None };
    let texts = items.iter().map(|item| match item {
        Tree::Text(text) => Some(text.as_str()),
        _ => None,
    });
    Some(Found::Text(Token::new(texts.collect::<Option<Vec<_>>>()?.join(" "))))
}

fn found(tree: &Tree) -> Found {
    match tree {
        Tree::Null => Found::Null,
        Tree::Text(text) => Found::Text(Token::new(text.clone())),
        Tree::Number(text) => Found::Number(text.clone()),
        Tree::Flag(flag) => Found::Flag(*flag),
        Tree::Object(_) | Tree::List(_) => Found::Nested,
    }
}

fn value(found: &Found) -> Value {
    match found {
        Found::Absent | Found::Null => Value::Nothing,
        Found::Text(text) => Value::Text(text.expose().to_owned()),
        Found::Number(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number),
            _ => Value::Text(text.clone()),
        },
        Found::Flag(flag) => Value::Flag(*flag),
        Found::Nested => Value::Word("nested".to_owned()),
    }
}

/// A flag in any of its usual spellings.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "y" | "yes" | "s" | "ok" | "success" | "successful" | "succeeded" => Some(true),
        "false" | "f" | "0" | "n" | "no" | "e" | "error" | "fail" | "failed" | "failure" => Some(false),
        _ => None,
    }
}
