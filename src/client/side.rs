//! The side door: calls that a library does better than the wire. Today the control port of a mock.

use std::time::Duration;

use crate::secret::Token;
use crate::suite::call::Slot;

/// A mock's control port: one JSON document in, one out, over HTTP on the loopback interface.
///
/// `GET /nonce/N` → `{"assay-mock":1,"nonce":"N","dialect":…,"policy":…}` · `GET /identities` →
/// `[{"name":…,"slots":{"tenant":"07","secret":…}}]` · `GET /ledger` → [`Ledger`] · `GET /clock` →
/// `{"now_ms":N}` · `POST /clock` `{"advance_ms":N}` · `POST /restart` · `POST /stall` `{"for_ms":N}`.
#[derive(Clone, Debug)]
pub struct Control {}

/// What the mock counted, refreshes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Ledger {
    /// Requests to the refresh operation whose head was read.
    pub requests: u64,
    /// Granted.
    pub granted: u64,
    /// Everything else that was answered.
    pub refused: u64,
}

/// Why the control port did not do it, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("control port: {0}")]
pub struct ControlError(pub String);

impl Control {
    /// The control port at `url`.
    pub fn new(url: url::Url) -> Control {
        let _ = url;
        todo!()
    }

    /// Whether an assay mock answers there with the nonce.
    pub async fn answers(&self, nonce: &str) -> Result<bool, ControlError> {
        let _ = nonce;
        todo!()
    }

    /// The mock's own identities: name and slots.
    pub async fn identities(&self) -> Result<Vec<(String, Vec<(Slot, Token)>)>, ControlError> {
        todo!()
    }

    /// What it counted so far.
    pub async fn ledger(&self) -> Result<Ledger, ControlError> {
        todo!()
    }

    /// Its clock.
    pub async fn now(&self) -> Result<jiff::Timestamp, ControlError> {
        todo!()
    }

    /// Moves its clock forward.
    pub async fn advance(&self, by: Duration) -> Result<(), ControlError> {
        let _ = by;
        todo!()
    }

    /// Restarts it: connections closed, memory that a real server would lose is lost.
    pub async fn restart(&self) -> Result<(), ControlError> {
        todo!()
    }
}
