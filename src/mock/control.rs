//! The control port: one JSON document in, one out. The other side of `client::side::Control`.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::shared::Shared;

/// A request to the control port, read.
#[derive(Debug)]
pub(super) struct Order<'a> {
    /// In upper case.
    pub method: &'a str,
    /// Without query.
    pub path: &'a str,
    /// The document.
    pub body: &'a [u8],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    for_ms: u64,
}

/// Carries out an order: status and document.
pub(super) fn obey(shared: &Shared, order: &Order<'_>) -> (u16, Value) {
    match (order.method, order.path) {
        ("GET", "/identities") => (200, identities(shared)),
        ("GET", "/ledger") => (200, json!(shared.ledger.read())),
        ("GET", "/chains") => (200, json!(shared.authority.advance())),
        ("GET", "/delays") => (200, json!(shared.delays.heard())),
        ("POST", "/delays") => {
            shared.delays.listen();
            (200, json!({ "listening": true }))
        }
        ("GET", "/clock") => (200, now(shared)),
        ("POST", "/clock") => match serde_json::from_slice::<Advance>(order.body) {
            Ok(Advance { advance_ms }) => {
                shared.clock.advance(advance_ms);
                (200, now(shared))
            }
            Err(error) => misread(&error),
        },
        ("POST", "/restart") => {
            shared.restart();
            (200, json!({ "restarted": true }))
        }
        ("POST", "/stall") => match serde_json::from_slice::<Pause>(order.body) {
            Ok(Pause { for_ms }) => {
                shared.pace.stall(Instant::now(), Duration::from_millis(for_ms));
                (200, json!({ "stalled_ms": for_ms }))
            }
            Err(error) => misread(&error),
        },
        ("GET", path) => match path.strip_prefix("/nonce/") {
            Some(nonce) => (200, greeting(shared, nonce)),
            None => unknown(),
        },
        _ => unknown(),
    }
}

fn greeting(shared: &Shared, nonce: &str) -> Value {
    json!({ "assay-mock": 1, "nonce": nonce, "dialect": shared.dialect, "policy": shared.policy })
}

fn identities(shared: &Shared) -> Value {
    let identity = |(name, slots): (String, Vec<(crate::suite::call::Slot, crate::secret::Token)>)| {
        // The mock's credentials are public: they follow from its seed.
        let slots: Map<String, Value> =
            slots.into_iter().map(|(slot, value)| (slot.word().to_owned(), value.expose().into())).collect();
        json!({ "name": name, "slots": slots })
    };
    shared.identities().into_iter().map(identity).collect()
}

fn now(shared: &Shared) -> Value {
    json!({ "now_ms": shared.clock.now().0 })
}

fn misread(error: &serde_json::Error) -> (u16, Value) {
    (400, json!({ "error": error.to_string() }))
}

fn unknown() -> (u16, Value) {
    (404, json!({ "error": "no such order" }))
}
