//! Chains: the line of token pairs that one virtual user walks.
//!
//! Owns custody: a refresh token leaves the program only through [`Chain::spend`] (which moves the chain if
//! the answer grants) or [`Chain::burn`] (which gives the chain up). One call in flight per chain. [`source`]
//! opens chains, [`walk`] is a chain under load with its worker's [`gear`], [`ledger`] remembers what was issued.

pub mod csv;
pub mod gear;
pub mod held;
pub mod ledger;
pub mod source;
pub mod walk;

use std::sync::Arc;

use crate::client::compose::Slots;
use crate::client::reply::{self, Outcome, Reply};
use crate::client::volley::{Shot, Volley};
use crate::client::wire::Kept;
use crate::client::{Client, Exchange, Failure, Request};
use crate::dialect::Dialect;
use crate::secret::Token;
use crate::suite::call::{Abort, Operation, Slot};
use crate::suite::claim::Field;

use self::held::Held;

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
    /// Where every token is noted that its answers bring.
    held: Arc<Held>,
}

/// What came of a call: the exchange, and its answer as read (if it was answered).
#[derive(Clone, Debug)]
pub struct Called {
    /// The exchange.
    pub exchange: Exchange,
    /// The answer, read.
    pub reply: Option<Arc<Reply>>,
    /// Why there was none, in words.
    pub why: Option<String>,
}

impl Chain {
    /// The slots of a good call with the pair at `generation` (an index into `pairs`).
    pub fn slots(&self, generation: usize) -> Slots {
        let pair = self.pairs.get(generation).expect("whoever names a generation has seen it granted");
        slots_of(&self.identity, pair.access.as_ref(), pair.refresh.as_ref())
    }

    /// Sends `request`, which carries the current pair, once. A grant appends the new pair, a lost answer puts
    /// the chain in doubt, anything else leaves it.
    pub async fn spend(&mut self, client: &Client, dialect: &Dialect, request: Request) -> Called {
        let called = call(client, dialect, Operation::Refresh, request).await;
        self.held.hear(dialect, Operation::Refresh, &called);
        self.settle(dialect, &called);
        called
    }

    /// Sends `request`, which carries a pair that is not the current one, or a token in the wrong place, once.
    /// The chain does not move and is no longer clean.
    pub async fn burn(&mut self, client: &Client, dialect: &Dialect, request: Request) -> Called {
        self.clean = false;
        let called = call(client, dialect, Operation::Refresh, request).await;
        self.held.hear(dialect, Operation::Refresh, &called);
        self.in_doubt |= is_lost(&called);
        called
    }

    /// Sends several requests together, each once: a race. The chain does not move and is no longer clean.
    ///
    /// Says beside the answers whether the requests overlapped.
    pub async fn burn_together(
        &mut self,
        client: &Client,
        dialect: &Dialect,
        shots: Vec<(Operation, Shot)>,
        kept: Kept,
    ) -> (Vec<Called>, bool) {
        self.clean = false;
        let (operations, shots): (Vec<_>, Vec<_>) = shots.into_iter().unzip();
        let Volley { exchanges, overlapped } = client.volley(shots, kept).await;
        let exchanges = operations.into_iter().zip(exchanges);
        let hear = |(operation, exchange)| {
            let called = heard(dialect, operation, exchange);
            self.held.hear(dialect, operation, &called);
            called
        };
        let called = exchanges.map(hear).collect();
        (called, overlapped)
    }

    /// After a race: the pair of a granting answer becomes the current one. `before` was presented for it.
    pub fn adopt(&mut self, dialect: &Dialect, reply: &Arc<Reply>, before: Option<Token>) {
        self.pairs.push(granted_pair(dialect, Operation::Refresh, reply, before));
    }

    /// What an answer to the current pair means for the chain.
    fn settle(&mut self, dialect: &Dialect, called: &Called) {
        match &called.reply {
            Some(reply) if reply.outcome == Outcome::Granted => {
                let before = self.pairs.last().and_then(|pair| pair.refresh.clone());
                self.pairs.push(granted_pair(dialect, Operation::Refresh, reply, before));
            }
            Some(_) => self.clean = false,
            None => {
                self.clean = false;
                self.in_doubt |= is_lost(called);
            }
        }
    }
}

/// The slots of a good call: the owner's, and this pair's.
fn slots_of(identity: &Identity, access: Option<&Token>, refresh: Option<&Token>) -> Slots {
    let mut slots = identity.slots.clone();
    for (slot, token) in [(Slot::Access, access), (Slot::Refresh, refresh)] {
        match token {
            Some(token) => slots.insert(slot, token.clone()),
            None => slots.remove(&slot),
        };
    }
    slots
}

/// The pair of a granting answer; `before` is the refresh token that was presented.
fn granted_pair(dialect: &Dialect, operation: Operation, reply: &Arc<Reply>, before: Option<Token>) -> Pair {
    let kept = if keeps_absent_refresh(dialect, operation) { before } else { None };
    Pair {
        access: reply.token(dialect, operation, Field::Access),
        refresh: reply.token(dialect, operation, Field::Refresh).or(kept),
        reply: Some(Arc::clone(reply)),
    }
}

/// `absent: keep`: an answer without a refresh token leaves the old one.
fn keeps_absent_refresh(dialect: &Dialect, operation: Operation) -> bool {
    dialect
        .operation(operation)
        .and_then(|speech| speech.answers.fields.get(&Field::Refresh))
        .is_some_and(|source| source.absent_keeps)
}

/// One call by way of the client, and its answer as read.
async fn call(client: &Client, dialect: &Dialect, operation: Operation, request: Request) -> Called {
    let mut called = heard(dialect, operation, client.send(request).await);
    called.why = called.exchange.result.as_ref().err().map(|failure| client.explained(*failure));
    called
}

/// An exchange, its answer read.
fn heard(dialect: &Dialect, operation: Operation, exchange: Exchange) -> Called {
    let reply = exchange
        .result
        .as_ref()
        .ok()
        .map(|answer| Arc::new(reply::read(dialect, operation, Arc::new(answer.clone()))));
    Called { exchange, reply, why: None }
}

/// Whether the token may have been spent although no answer came.
fn is_lost(called: &Called) -> bool {
    match &called.exchange.result {
        Ok(_) => false,
        Err(Failure::Aborted) => called.exchange.request.travel.abort != Some(Abort::Connected),
        Err(failure) => may_have_spent(*failure),
    }
}

/// Whether a request that failed like this may have reached the endpoint.
pub fn may_have_spent(failure: Failure) -> bool {
    match failure {
        Failure::Dns
        | Failure::ConnectRefused
        | Failure::ConnectTimeout
        | Failure::Unreachable
        | Failure::TlsCertificate
        | Failure::LocalPorts
        | Failure::LocalFiles
        | Failure::Proxy
        | Failure::NoHttp2
        | Failure::NotInHttp2
        | Failure::Guarded => false,
        // `Tls` is the handshake or the record layer: only the second has spent, and nobody can tell.
        Failure::Tls
        | Failure::Reset
        | Failure::StreamReset
        | Failure::ClosedBeforeAnswer
        | Failure::ClosedWithinAnswer
        | Failure::ReuseRace
        | Failure::ResponseTimeout
        | Failure::OversizedBody
        | Failure::OversizedHead
        | Failure::NotHttp
        | Failure::AmbiguousLength
        | Failure::BrokenChunks
        | Failure::TrailingBytes
        | Failure::EarlyAnswer
        | Failure::EndlessInformational
        | Failure::Aborted
        | Failure::Stopped
        | Failure::Other => true,
    }
}
