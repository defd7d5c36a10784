//! Reading an answer by a dialect: outcome, class, fields, document. Says what it is, never whether it is right.

mod charset;
pub mod dates;
mod fields;
pub mod jwt;
pub mod skim;
mod stencil;

use jiff::Timestamp;

use crate::dialect::{Dialect, ErrorClass};
use crate::secret::Token;
use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::expression::{Expression, Truth};

use self::charset::Decoded;
use self::fields::Places;
use super::codec::{Tree, XmlDocument, read_json, read_xml};
use super::{Answer, Failure};

/// An answer, read.
#[derive(Clone, Debug)]
pub struct Reply {
    /// How it ended.
    pub outcome: Outcome,
    /// The class of a refusal.
    pub class: Option<ErrorClass>,
    /// The document, where there is one and it could be read.
    pub document: Option<Document>,
    /// Why the document could not be read, where that is so.
    pub unreadable: Option<Unreadable>,
    answer: std::sync::Arc<Answer>,
    decoded: Option<Decoded>,
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The operation's own rule says so; for `refresh` and `login` with tokens.
    Granted,
    /// Answered, well-formed or empty, no token anywhere in it, not a crash.
    Refused,
    /// The server failed by the dialect's rule.
    Crash,
    /// Answered, and none of these; what it is, as a fragment: "200 text/html".
    Garbled(String),
}

/// A document that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// JSON.
    Json(Tree),
    /// XML.
    Xml(XmlDocument),
}

impl Document {
    /// The members below the root.
    pub fn tree(&self) -> &Tree {
        match self {
            Document::Json(tree) => tree,
            Document::Xml(document) => &document.tree,
        }
    }
}

/// Why a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The declared charset does not decode the bytes, or is not known.
    Charset(String),
    /// The text is not well-formed in its media type.
    Syntax(String),
    /// No or another media type.
    Type(String),
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Nothing.
    Absent,
    /// A null.
    Null,
    /// Text. Held as a secret, because it may be one.
    Text(Token),
    /// A number, as written.
    Number(String),
    /// A flag.
    Flag(bool),
    /// Members, or a list.
    Nested,
}

impl Found {
    /// The value as text, where it is text, a number or a flag.
    pub fn text(&self) -> Option<String> {
        match self {
            Found::Text(text) => Some(text.expose().to_owned()),
            Found::Number(text) => Some(text.clone()),
            Found::Flag(flag) => Some(flag.to_string()),
            Found::Absent | Found::Null | Found::Nested => None,
        }
    }
}

/// A moment that was read, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The moment; with an unknown zone, read as if it were UTC.
    pub at: Timestamp,
    /// Whether the offset was written.
    pub zoned: bool,
    /// The format that read it.
    pub format: crate::dialect::DateFormat,
}

/// Reads `answer` as an answer to `operation`.
pub fn read(dialect: &Dialect, operation: Operation, answer: std::sync::Arc<Answer>) -> Reply {
    let decoded = charset::decode(&answer);
    let (document, unreadable) = match read_document(&answer, &decoded) {
        Ok(document) => (document, None),
        Err(why) => (None, Some(why)),
    };
    let places = Places {
        answer: &answer,
        document: document.as_ref(),
        dialect,
        speech: dialect.operation(operation),
    };
    let outcome = outcome(&places, operation, unreadable.as_ref());
    let class = (outcome == Outcome::Refused).then(|| class(&places));
    Reply { outcome, class, document, unreadable, answer, decoded: decoded.ok() }
}

/// The document in the media type of the label; an empty body has none, and that is no mistake.
fn read_document(answer: &Answer, decoded: &Result<Decoded, String>) -> Result<Option<Document>, Unreadable> {
    if answer.body.is_empty() {
        return Ok(None);
    }
    let media = answer.media_type().unwrap_or_default();
    let json = matches!(media.as_str(), "application/json" | "text/json") || media.ends_with("+json");
    let xml = matches!(media.as_str(), "application/xml" | "text/xml") || media.ends_with("+xml");
    if !json && !xml {
        return Err(Unreadable::Type(media));
    }
    let text = match decoded {
        Ok(decoded) => decoded.text(answer).unwrap_or_default(),
        Err(why) => return Err(Unreadable::Charset(why.clone())),
    };
    let document = if json { read_json(text).map(Document::Json) } else { read_xml(text).map(Document::Xml) };
    document.map(Some).map_err(Unreadable::Syntax)
}

/// How it ended. A rule for refusals counts before a crash, because a SOAP fault comes with status 500.
fn outcome(places: &Places<'_>, operation: Operation, unreadable: Option<&Unreadable>) -> Outcome {
    let status = places.answer.status;
    let answers = places.speech.map(|speech| &speech.answers);
    let holds = |rule: Option<&Expression>| rule.map(|rule| rule.truth(places));
    let token = Field::ALL.iter().any(|(field, _)| field.is_token() && places.token(*field).is_some());
    if !token && holds(answers.and_then(|answers| answers.refused.as_ref())) == Some(Truth::True) {
        return Outcome::Refused;
    }
    let crash = holds(answers.and_then(|answers| answers.crash.as_ref()));
    if crash.map_or(is_failure(status), |crash| crash == Truth::True) {
        return Outcome::Crash;
    }
    let needs_token = matches!(operation, Operation::Refresh | Operation::Login);
    match holds(answers.map(|answers| &answers.granted)) {
        Some(Truth::True) if !needs_token || places.token(Field::Access).is_some() => {
            return Outcome::Granted;
        }
        Some(Truth::Unknown(name)) => {
            return Outcome::Garbled(format!("{}, `{name}` cannot be told", described(places.answer)));
        }
        Some(Truth::True | Truth::False) | None => {}
    }
    not_granted(places.answer, token, unreadable)
}

/// Whether a status says that the server failed. That it knows no such method, coding or version of HTTP is no
/// failure: it read the request and says so.
fn is_failure(status: u16) -> bool {
    status >= 500 && !matches!(status, 501 | 505)
}

/// A refusal, if nothing speaks against it.
fn not_granted(answer: &Answer, token: bool, unreadable: Option<&Unreadable>) -> Outcome {
    let flaw = match unreadable {
        _ if token => ", a token in what is not granted",
        None => return Outcome::Refused,
        // A gateway refuses in its own words.
        Some(Unreadable::Type(media)) => {
            if answer.status >= 400 && matches!(media.as_str(), "text/html" | "text/plain") {
                return Outcome::Refused;
            }
            ""
        }
        Some(Unreadable::Charset(_)) => ", not in its charset",
        Some(Unreadable::Syntax(_)) => ", not well-formed",
    };
    Outcome::Garbled(format!("{}{flaw}", described(answer)))
}

/// `200 text/html`
fn described(answer: &Answer) -> String {
    match answer.media_type() {
        Some(media) => {
            let media: String = media.chars().filter(char::is_ascii_graphic).take(64).collect();
            format!("{} {media}", answer.status)
        }
        None if answer.body.is_empty() => format!("{} without a body", answer.status),
        None => format!("{} without a media type", answer.status),
    }
}

/// The class of the first rule that holds.
fn class(places: &Places<'_>) -> ErrorClass {
    let rules = &places.dialect.errors;
    let rule = rules.iter().find(|(when, _)| when.truth(places) == Truth::True);
    rule.map_or(ErrorClass::Unknown, |(_, class)| *class)
}

impl Reply {
    /// The answer itself.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The body as text, a byte order mark removed; `None` where its charset does not decode it.
    pub fn text(&self) -> Option<&str> {
        self.decoded.as_ref().and_then(|decoded| decoded.text(&self.answer))
    }

    fn places<'a>(&'a self, dialect: &'a Dialect, operation: Operation) -> Places<'a> {
        Places {
            answer: &self.answer,
            document: self.document.as_ref(),
            dialect,
            speech: dialect.operation(operation),
        }
    }

    /// Whether a rule of the dialect holds for this answer: a status layer, say.
    pub fn truth(&self, dialect: &Dialect, operation: Operation, rule: &Expression) -> Truth {
        rule.truth(&self.places(dialect, operation))
    }

    /// What stands at `place`, by the mapping of `operation`.
    pub fn at(&self, dialect: &Dialect, operation: Operation, place: &FieldPlace) -> Found {
        self.places(dialect, operation).at(place)
    }

    /// The names of the claims of the JWT in `field`; none where there is no JWT.
    pub fn claim_names(&self, dialect: &Dialect, operation: Operation, field: Field) -> Vec<String> {
        self.places(dialect, operation).claim_names(field)
    }

    /// The token in a field, if there is one and it is not blank.
    pub fn token(&self, dialect: &Dialect, operation: Operation, field: Field) -> Option<Token> {
        self.places(dialect, operation).token(field)
    }

    /// The moment at a place: dates, seconds from the answer on (its `Date` header, or `now`), epochs.
    pub fn moment(
        &self,
        dialect: &Dialect,
        operation: Operation,
        place: &FieldPlace,
        now: Timestamp,
    ) -> Option<Moment> {
        self.places(dialect, operation).moment(place, now)
    }
}

/// How an exchange ended, answered or not.
pub type Ending = Result<Reply, Failure>;

#[cfg(test)]
mod tests;
