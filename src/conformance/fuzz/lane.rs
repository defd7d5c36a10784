//! A lane: one chain with one call in flight, replaced when its token may be spent.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::chain::Chain;
use crate::client::reply::Outcome;
use crate::conformance::gate::{Accept, good_call};
use crate::conformance::judge::{self, Bench, Judgement};
use crate::conformance::promise::Allowed;
use crate::conformance::references::{Cast, Scope, slots_of};
use crate::conformance::transcript::Taken;
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::Claim;

use super::case::{Case, Made};
use super::{Shared, chains_at_most};

/// Why a lane ends.
pub(super) enum Over {
    /// No chain could be opened; why.
    NoChain(String),
    /// As many chains were opened as were planned.
    Enough,
    /// The call could not be made; why.
    NoCall(String),
}

/// One chain at a time.
pub(super) struct Lane<'a> {
    shared: &'a Shared<'a>,
    cast: Cast,
    /// Cases that were refused since the last grant.
    refused: Vec<Case>,
}

impl<'a> Lane<'a> {
    /// A lane that has no chain yet.
    pub fn new(shared: &'a Shared<'a>) -> Lane<'a> {
        Lane { shared, cast: Cast::new(), refused: Vec::new() }
    }

    /// Cases that were refused since the last grant.
    pub fn refusals(&self) -> usize {
        self.refused.len()
    }

    /// Those cases; from here on they are counted anew.
    pub fn take_refused(&mut self) -> Vec<Case> {
        std::mem::take(&mut self.refused)
    }

    /// Gives the chain up.
    pub fn give_up(&mut self) {
        self.refused.clear();
        if self.cast.shift_remove("own").is_some() {
            self.shared.session.court.lose_family();
        }
    }

    /// The chain, opened where there is none.
    async fn chain(&mut self) -> Result<&mut Chain, Over> {
        let session = self.shared.session;
        if self.cast.is_empty() {
            let limit = chains_at_most(u64::from(session.fuzz.count.at(session.court.ground.full)));
            if self.shared.opened.fetch_add(1, Ordering::Relaxed) >= limit {
                return Err(Over::Enough);
            }
            let identity = session.court.ground.identities.first();
            let identity =
                identity.ok_or_else(|| Over::NoChain("the environment has no identity".to_owned()))?;
            let opened = session.court.open(identity).await;
            self.shared.harvest().requests += 1;
            let chain = opened.map_err(|none| Over::NoChain(none.to_string()))?;
            self.cast.insert("own".to_owned(), vec![chain]);
        }
        Ok(self.cast.get_mut("own").and_then(|chains| chains.first_mut()).expect("it was put there"))
    }

    /// The request of a case for the chain that is there now.
    pub async fn compose(&mut self, case: &Case) -> Result<Made, Over> {
        let shared = self.shared;
        let chain = self.chain().await?;
        let pair = chain.pairs.last().ok_or_else(|| Over::NoChain("the chain has no pair".to_owned()))?;
        let good = slots_of(&chain.identity.slots, pair);
        case.compose(shared.stuff.speech, &good).map_err(Over::NoCall)
    }

    /// Sends a case once. A grant moves the chain, a refusal leaves it, and anything else gives it up.
    pub async fn play(&mut self, case: &Case) -> Result<Arc<Taken>, Over> {
        let session = self.shared.session;
        let ground = &session.court.ground;
        let Made { request, sent, .. } = self.compose(case).await?;
        let chain = self.chain().await?;
        let good = chain.pairs.last().map(|pair| slots_of(&chain.identity.slots, pair)).unwrap_or_default();
        let origin = chain.pairs.first().and_then(|pair| pair.reply.clone());
        let called = chain.spend(&ground.client, &ground.dialect, request).await;
        // A lane needs the first pair, for what belongs to the chain, and the current one.
        if chain.pairs.len() > 2 {
            chain.pairs.drain(1..chain.pairs.len() - 1);
        }
        let taken = Taken {
            operation: Operation::Refresh,
            step: session.step.name.clone(),
            chain: "own".to_owned(),
            chain_number: chain.number,
            cell: session.cell.values.clone(),
            round: session.round,
            identity: Arc::clone(&chain.identity),
            origin,
            good,
            sent,
            exchange: called.exchange,
            reply: called.reply,
            allowed: Allowed::Unknown("a mutated call".to_owned()),
            called_back: None,
            look: None,
            now: session.court.clock.now(),
            manner: format!("case {} ({})", case.number, case.format),
        };
        session.court.observe_mutated(&taken);
        self.shared.harvest().requests += 1;
        let taken = Arc::new(taken);
        self.settle(case, &taken);
        Ok(taken)
    }

    fn settle(&mut self, case: &Case, taken: &Taken) {
        match taken.reply.as_ref().map(|reply| &reply.outcome) {
            // A grant without a successor leaves nothing to go on with.
            Some(Outcome::Granted) if !self.has_token() => self.give_up(),
            Some(Outcome::Granted) => self.refused.clear(),
            Some(Outcome::Refused) => self.refused.push(case.clone()),
            Some(Outcome::Crash | Outcome::Garbled(_)) | None => {
                // Those before it are not cleared of suspicion, but nobody can tell any more.
                self.give_up();
            }
        }
    }

    fn has_token(&self) -> bool {
        let pair =
            self.cast.get("own").and_then(|chains| chains.first()).and_then(|chain| chain.pairs.last());
        let rotates = self.shared.session.court.ground.dialect.slots.contains(&Slot::Refresh);
        pair.is_some_and(|pair| pair.refresh.is_some() || !rotates)
    }

    /// The good call on the same chain.
    pub async fn good_call(&mut self) -> Result<Taken, Over> {
        let session = self.shared.session;
        let format = session.court.format().unwrap_or_default().to_owned();
        let chain = self.chain().await?;
        let taken = good_call(session.court, chain, &format, Accept::Usual).await.map_err(Over::NoCall)?;
        self.shared.harvest().requests += 1;
        if taken.failure().is_some() {
            self.give_up();
        }
        Ok(taken)
    }

    /// Whether a claim holds of what a case was answered.
    pub fn judge(&self, claim: &Claim, taken: &Taken) -> Judgement {
        let session = self.shared.session;
        let court = session.court;
        let scope = Scope {
            dialect: &court.ground.dialect,
            variables: &court.ground.variables,
            cell: session.cell,
            chains: &self.cast,
            steps: session.yields,
            call: None,
            this: None,
            public_key: None,
        };
        let rotation = court.ground.suite.policy.rotation;
        let bench = Bench { scope, redaction: court.redaction.clone(), median: court.median(), rotation };
        match judge::claim(&claim.what, taken, &bench) {
            Judgement::Holds => Judgement::Holds,
            // What may be shown is looked up only where something is: it takes time.
            Judgement::Fails(_) | Judgement::Untold(_) | Judgement::Moot(_) => {
                let redaction = court.redaction.of(taken);
                let bench = Bench { redaction, ..bench };
                judge::claim(&claim.what, taken, &bench).redacted(&bench.redaction)
            }
        }
    }
}
