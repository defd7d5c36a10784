//! Reading an answer by a dialect: outcome, class, fields, document. Says what it is, never whether it is right.

use jiff::Timestamp;

use crate::dialect::{Dialect, ErrorClass};
use crate::secret::Token;
use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace};

use super::codec::{Tree, XmlDocument};
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
    let _ = (dialect, operation, answer);
    todo!()
}

impl Reply {
    /// The answer itself.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// What stands at `place`, by the mapping of `operation`.
    pub fn at(&self, dialect: &Dialect, operation: Operation, place: &FieldPlace) -> Found {
        let _ = (dialect, operation, place);
        todo!()
    }

    /// The token in a field, if there is one and it is not blank.
    pub fn token(&self, dialect: &Dialect, operation: Operation, field: Field) -> Option<Token> {
        let _ = (dialect, operation, field);
        todo!()
    }

    /// The moment at a place: dates, seconds from the answer on (its `Date` header, or `now`), epochs.
    pub fn moment(
        &self,
        dialect: &Dialect,
        operation: Operation,
        place: &FieldPlace,
        now: Timestamp,
    ) -> Option<Moment> {
        let _ = (dialect, operation, place, now);
        todo!()
    }
}

/// How an exchange ended, answered or not.
pub type Ending = Result<Reply, Failure>;
