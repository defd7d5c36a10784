//! A token endpoint of our own: the other party.
//!
//! Reads and writes as ASP.NET Web API does ([`webapi`]), decides as an authority with a policy ([`authority`]),
//! can be wrong in named ways, and answers a control port. Shares with the client the dialect's names and
//! paths and nothing else. Start at [`MockServer::start`].

pub mod authority;
pub mod webapi;

use std::net::SocketAddr;

use crate::dialect::Dialect;
use crate::secret::Token;
use crate::suite::call::Slot;
use crate::suite::environment::MockSpec;

/// A running mock; stops when dropped.
#[derive(Debug)]
pub struct MockServer {}

/// What is served.
#[derive(Clone, Debug)]
pub struct MockOptions {
    /// How it behaves.
    pub spec: MockSpec,
    /// How it speaks: the dialect's names and paths are its class declarations.
    pub dialect: Dialect,
    /// Where it listens; port 0 for any. Loopback only.
    pub listen: SocketAddr,
    /// Where its control port listens.
    pub control: SocketAddr,
    /// What stands behind the pipeline.
    pub controller: Controller,
    /// Worker threads.
    pub threads: usize,
}

/// What stands behind the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// The endpoint of the dialect.
    Endpoint,
    /// The echo controller of the golden vectors: it answers what was bound.
    Echo,
    /// The same, with a negotiator that refuses unmatched types (the vectors named `406 …`).
    EchoNotAcceptable,
}

/// What the mock counted, refreshes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct MockLedger {
    /// Requests to the refresh operation whose head was read.
    pub requests: u64,
    /// Granted.
    pub granted: u64,
    /// Everything else that was answered.
    pub refused: u64,
}

/// Why it cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The port cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The address is not on the loopback interface.
    #[error("{0} is not a loopback address: the mock listens on 127.0.0.1 only")]
    NotLoopback(SocketAddr),
    /// The mock cannot speak this dialect.
    #[error("the mock does not speak `{0}`")]
    Dialect(String),
}

impl MockServer {
    /// Starts it on threads of its own.
    pub fn start(options: MockOptions) -> Result<MockServer, MockError> {
        let _ = options;
        todo!()
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        todo!()
    }

    /// The control port's address.
    pub fn control_url(&self) -> String {
        todo!()
    }

    /// What it counted so far.
    pub fn ledger(&self) -> MockLedger {
        todo!()
    }

    /// Its identities: name and slots.
    pub fn identities(&self) -> Vec<(String, Vec<(Slot, Token)>)> {
        todo!()
    }

    /// Ready-to-use pairs: slots of one refresh call each.
    pub fn seeds(&self, count: usize) -> Vec<Vec<(Slot, Token)>> {
        let _ = count;
        todo!()
    }
}
