//! Composing a request stage by stage: slots, document, bytes, frame.
//!
//! [`good`] makes the good call of an operation; whoever wants it otherwise changes one stage of the [`Draft`]
//! and leaves the later ones honest.

use std::collections::BTreeMap;

use crate::dialect::{ClientAuth, Speech};
use crate::secret::Token;
use crate::suite::call::Slot;

use super::Request;
use super::codec::Outgoing;

/// The values of slots for one call. Everything is held as a secret; the dialect knows what is one.
pub type Slots = BTreeMap<Slot, Token>;

/// A request in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The method.
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// The query, without question mark.
    pub query: Option<String>,
    /// Headers of the dialect and of client authentication, without Content-Type and Accept.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The Content-Type; `None` for none.
    pub label: Option<String>,
    /// The Accept; `None` for none.
    pub accept: Option<String>,
    /// The document; `None` for an operation without a body.
    pub document: Option<Outgoing>,
}

/// The good call: `format` is a format or a media type (`None`: the first), Accept is the request's type (or,
/// where that is not listed for answers, the first listed type).
pub fn good(
    speech: &Speech,
    format: Option<&str>,
    auth: Option<&[ClientAuth]>,
    slots: &Slots,
) -> Result<Draft, ComposeError> {
    let _ = (speech, format, auth, slots);
    todo!()
}

impl Draft {
    /// The bytes of the document.
    pub fn body(&self) -> Option<Vec<u8>> {
        self.document.as_ref().map(super::codec::write)
    }

    /// The request with this body.
    pub fn request(&self, body: Option<Vec<u8>>) -> Request {
        let _ = body;
        todo!()
    }
}

/// Why a call cannot be composed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The operation has no such format.
    #[error("the dialect has no format or media type `{0}` here")]
    NoFormat(String),
}
