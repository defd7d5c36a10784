//! Chains: the line of token pairs that one virtual user walks.
//!
//! Owns custody: a refresh token leaves the program only through [`Chain::spend`] (which moves the chain if
//! the answer grants) or [`Chain::burn`] (which gives the chain up). One call in flight per chain. [`source`]
//! opens chains, [`ledger`] remembers what was issued.

pub mod ledger;
pub mod source;

use std::sync::Arc;

use crate::client::compose::Slots;
use crate::client::reply::Reply;
use crate::client::{Client, Exchange, Request};
use crate::dialect::Dialect;
use crate::secret::Token;

/// Who a chain belongs to: resolved credentials.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its name in the environment.
    pub name: String,
    /// Its slots.
    pub slots: Slots,
}

/// One pair of a chain, as it was granted.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The access token.
    pub access: Option<Token>,
    /// The refresh token; where an answer has none and the dialect says `absent: keep`, the old one.
    pub refresh: Option<Token>,
    /// The answer that granted it; `None` for a pair from a file.
    pub reply: Option<Arc<Reply>>,
}

/// One chain.
#[derive(Debug)]
pub struct Chain {
    /// Its number within the run.
    pub number: u32,
    /// Whose it is.
    pub identity: Arc<Identity>,
    /// Every pair, the login's first, the current last. A load chain keeps only the current.
    pub pairs: Vec<Pair>,
    /// Whether it may serve another check: false once it was replayed, raced, revoked or refused.
    pub clean: bool,
    /// Whether an answer that may have spent its token was lost.
    pub in_doubt: bool,
}

/// What came of a call: the exchange, and its answer as read (if it was answered).
#[derive(Clone, Debug)]
pub struct Called {
    /// The exchange.
    pub exchange: Exchange,
    /// The answer, read.
    pub reply: Option<Arc<Reply>>,
}

impl Chain {
    /// The slots of a good call with the pair at `generation` (an index into `pairs`).
    pub fn slots(&self, generation: usize) -> Slots {
        let _ = generation;
        todo!()
    }

    /// Sends `request`, which carries the current pair, once. A grant appends the new pair, a lost answer puts
    /// the chain in doubt, anything else leaves it.
    pub async fn spend(&mut self, client: &Client, dialect: &Dialect, request: Request) -> Called {
        let _ = (client, dialect, request);
        todo!()
    }

    /// Sends `request`, which carries a pair that is not the current one, or a token in the wrong place, once.
    /// The chain does not move and is no longer clean.
    pub async fn burn(&mut self, client: &Client, dialect: &Dialect, request: Request) -> Called {
        let _ = (client, dialect, request);
        todo!()
    }
}
