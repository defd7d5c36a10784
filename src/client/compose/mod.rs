//! Composing a request stage by stage: slots, document, bytes, frame.
//!
//! [`good`] makes the good call of an operation; whoever wants it otherwise changes one stage of the [`Draft`]
//! and leaves the later ones honest.

mod functions;
pub mod template;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::dialect::{Accepts, ClientAuth, Shape, Speech, Text, TextPart};
use crate::secret::Token;
use crate::suite::call::Slot;

use crate::client::codec::form::encode;
use crate::client::codec::{Leaf, Outgoing};
use crate::client::{Request, Travel};

/// The values of slots for one call. Everything is held as a secret; the dialect knows what is one.
pub type Slots = BTreeMap<Slot, Token>;

/// A request in the making.
#[derive(Clone)]
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
///
/// `auth` is where client credentials go (`None`: the first way that the dialect names). An operation without
/// a body takes as `format` the media type of an answer.
pub fn good(
    speech: &Speech,
    format: Option<&str>,
    auth: Option<&[ClientAuth]>,
    slots: &Slots,
) -> Result<Draft, ComposeError> {
    let chosen = choose_format(speech, format)?;
    let label = chosen.as_ref().map(|(_, media)| media.clone());
    let wanted = label.as_deref().or(format);
    let listed = |media: &&str| speech.answers.types.iter().any(|listed| listed == media);
    let accept =
        wanted.filter(listed).or(speech.answers.types.first().map(String::as_str)).map(str::to_owned);
    let mut draft = Draft {
        method: speech.method.clone(),
        path: speech.path.clone(),
        query: compose_query(&speech.query, slots),
        headers: filled(&speech.headers, slots).map(|(name, text)| (name, in_header(&text))).collect(),
        label,
        accept,
        document: chosen.map(|(accepts, _)| compose_document(accepts, slots)),
    };
    let cookies: Vec<String> =
        filled(&speech.cookies, slots).map(|(name, value)| format!("{name}={value}")).collect();
    if !cookies.is_empty() {
        draft.headers.push(("Cookie".to_owned(), in_header(&cookies.join("; "))));
    }
    for way in auth.unwrap_or_else(|| usual_auth(speech, slots)) {
        authenticate(&mut draft, *way, slots);
    }
    Ok(draft)
}

/// The first way that the dialect names; a client without a secret has nothing to authenticate with.
fn usual_auth<'a>(speech: &'a Speech, slots: &Slots) -> &'a [ClientAuth] {
    let public = slots.contains_key(&Slot::Client) && !slots.contains_key(&Slot::ClientSecret);
    let none = speech.auth.iter().position(|way| *way == ClientAuth::None).filter(|_| public);
    let chosen = none.unwrap_or(0);
    speech.auth.get(chosen..=chosen).unwrap_or_default()
}

/// The description of the chosen format and its media type; nothing for an operation without a body.
fn choose_format<'a>(
    speech: &'a Speech,
    format: Option<&str>,
) -> Result<Option<(&'a Accepts, String)>, ComposeError> {
    let Some(word) = format else {
        let first = speech.accepts.values().find(|accepts| accepts.listed).or(speech.accepts.values().next());
        return Ok(first.map(|accepts| (accepts, accepts.types.first().cloned().unwrap_or_default())));
    };
    match speech.format(word) {
        Some((_, accepts, media)) => Ok(Some((accepts, media))),
        None if speech.accepts.is_empty() && (word.is_empty() || listed(speech, word)) => Ok(None),
        None => Err(ComposeError::NoFormat(word.to_owned())),
    }
}

fn listed(speech: &Speech, word: &str) -> bool {
    speech.answers.types.iter().any(|media| media == word)
}

/// A value as a header carries it: what would end the header is left out, because it cannot arrive as it stands.
fn in_header(text: &str) -> Vec<u8> {
    text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)).collect()
}

/// The text with its slots filled in; `None` where it refers to slots and none of them has a value.
pub(super) fn fill(text: &Text, slots: &Slots) -> Option<String> {
    let mut filled = String::new();
    let (mut referred, mut found) = (false, false);
    for part in &text.0 {
        match part {
            TextPart::Plain(plain) => filled.push_str(plain),
            TextPart::Slot(slot) => {
                referred = true;
                // A proof that was not made yet is still the secret of its key.
                let ready = |value: &&Token| *slot != Slot::Proof || value.expose().contains('.');
                if let Some(value) = slots.get(slot).filter(ready) {
                    found = true;
                    filled.push_str(value.expose());
                }
            }
            TextPart::Made(function) => {
                let made = functions::make(function, slots);
                referred |= made.is_none();
                found |= made.is_some();
                filled.push_str(&made.unwrap_or_default());
            }
        }
    }
    (found || !referred).then_some(filled)
}

fn filled<'a>(
    members: &'a [(String, Text)],
    slots: &'a Slots,
) -> impl Iterator<Item = (String, String)> + use<'a> {
    members.iter().filter_map(|(name, text)| Some((name.clone(), fill(text, slots)?)))
}

fn compose_query(query: &[(String, Text)], slots: &Slots) -> Option<String> {
    if query.is_empty() {
        return None;
    }
    let pairs: Vec<String> =
        filled(query, slots).map(|(name, value)| format!("{}={}", encode(&name), encode(&value))).collect();
    Some(pairs.join("&"))
}

fn compose_document(accepts: &Accepts, slots: &Slots) -> Outgoing {
    Outgoing {
        codec: accepts.codec,
        root: accepts.root.clone(),
        namespaces: accepts.namespaces.clone(),
        members: compose_members(&accepts.body, slots),
    }
}

fn compose_members(body: &[(String, Shape)], slots: &Slots) -> Vec<(String, Leaf)> {
    let leaf = |shape: &Shape| match shape {
        Shape::Text(text) => fill(text, slots).map(Leaf::Text),
        Shape::Object(members) => Some(Leaf::Object(compose_members(members, slots))),
    };
    body.iter().filter_map(|(name, shape)| Some((name.clone(), leaf(shape)?))).collect()
}

/// Client credentials as RFC 6749 section 2.3.1 has them. Slots without a value are not sent.
fn authenticate(draft: &mut Draft, way: ClientAuth, slots: &Slots) {
    let value = |slot: Slot| slots.get(&slot).map(Token::expose);
    let Some(client) = value(Slot::Client) else { return };
    match way {
        ClientAuth::Basic => {
            let secret = value(Slot::ClientSecret).unwrap_or_default();
            let credentials = STANDARD.encode(format!("{}:{}", encode(client), encode(secret)));
            draft.headers.push(("Authorization".to_owned(), format!("Basic {credentials}").into_bytes()));
        }
        ClientAuth::Post => {
            put_member(draft, "client_id", client);
            if let Some(secret) = value(Slot::ClientSecret) {
                put_member(draft, "client_secret", secret);
            }
        }
        ClientAuth::None => put_member(draft, "client_id", client),
    }
}

fn put_member(draft: &mut Draft, name: &str, value: &str) {
    let Some(document) = &mut draft.document else { return };
    if !document.members.iter().any(|(member, _)| member == name) {
        document.members.push((name.to_owned(), Leaf::Text(value.to_owned())));
    }
}

impl std::fmt::Debug for Draft {
    /// Never query, headers or document: they carry tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({} {})", self.method, self.path)
    }
}

impl Draft {
    /// The bytes of the document.
    pub fn body(&self) -> Option<Vec<u8>> {
        self.document.as_ref().map(crate::client::codec::write)
    }

    /// The request with this body.
    pub fn request(&self, body: Option<Vec<u8>>) -> Request {
        let target = match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        };
        let own = [("Content-Type", &self.label), ("Accept", &self.accept)];
        let own = own.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let own = own.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        Request {
            method: self.method.clone(),
            target,
            headers: own.chain(self.headers.iter().cloned()).collect(),
            body,
            travel: Travel::default(),
        }
    }
}

/// Why a call cannot be composed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The operation has no such format.
    #[error("the dialect has no format or media type `{0}` here")]
    NoFormat(String),
}

#[cfg(test)]
mod tests;
