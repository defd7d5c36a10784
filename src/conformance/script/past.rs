//! What was called on the chains of a check that races or hangs up, so that what follows can be judged by it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::conformance::clock::Clock;
use crate::conformance::promise::{Allowed, Successor, SuccessorWord, When};
use crate::conformance::race::{Came, Does, History, Ordered, Past, is_crash, is_silent, is_unsent, order};
use crate::conformance::steps::races;
use crate::conformance::transcript::Taken;
use crate::dialect::Dialect;
use crate::secret::Token;
use crate::suite::call::{Operation, Slot};
use crate::suite::check::{Check, Verb};
use crate::suite::claim::Field;
use crate::suite::policy::{Grace, Policy};

/// The pasts of a check's chains, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Pasts {
    kept: bool,
    chains: HashMap<u32, History>,
    /// Chains of which the policy's own view tells no more: they raced, or an answer was given up.
    murky: Vec<u32>,
}

/// Moments as the endpoint's clock has them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dial {
    now: Instant,
    elapsed: Duration,
}

impl Dial {
    /// As things stand now.
    pub fn read(clock: &Clock) -> Dial {
        Dial { now: Instant::now(), elapsed: clock.elapsed() }
    }

    fn at(&self, moment: Instant) -> Duration {
        self.elapsed.saturating_sub(self.now.saturating_duration_since(moment))
    }
}

impl Pasts {
    /// Pasts are kept only where something comes that needs them.
    pub fn of(check: &Check) -> Pasts {
        let hangs_up = check.steps.iter().any(|step| match &step.verb {
            Verb::Call(call) => call.changes.wire.abort.is_some(),
            Verb::Race(_)
            | Verb::Load(_)
            | Verb::Fuzz(_)
            | Verb::Wait(_)
            | Verb::Restart
            | Verb::Connect(_) => false,
        });
        Pasts { kept: hangs_up || races(check).next().is_some(), ..Pasts::default() }
    }

    /// A chain was opened.
    pub fn open(&mut self, chain: u32, first: Option<&Token>, when: When) {
        if self.kept {
            self.chains.insert(chain, History::new(first, when));
        }
    }

    /// The chain is given up.
    pub fn close(&mut self, chain: u32) {
        self.chains.remove(&chain);
    }

    /// From here on the chain is judged by its past.
    pub fn blur(&mut self, chain: u32) {
        if !self.murky.contains(&chain) {
            self.murky.push(chain);
        }
    }

    /// The chain's past, up to now.
    pub fn get(&self, chain: u32) -> History {
        let unknown = || History::new(None, When { from: None, to: Duration::ZERO });
        self.chains.get(&chain).cloned().unwrap_or_else(unknown)
    }

    /// Notes a call. `good`: nothing of it was changed that changes its meaning. The refresh token that was
    /// granted, as the past numbers it; the presented one where the answer has none.
    pub fn note(&mut self, taken: &Taken, good: bool, dialect: &Dialect, dial: Dial) -> Option<usize> {
        let history = self.chains.get_mut(&taken.chain_number)?;
        if is_unsent(taken) || matches!(taken.operation, Operation::Probe | Operation::Login) {
            return None;
        }
        let times = &taken.exchange.times;
        let came = came(taken, history, dialect);
        if !good {
            if came != Came::Refused {
                history.blur("a changed call was granted, or its answer was lost");
            }
            return None;
        }
        let does = match taken.operation {
            Operation::Revoke => Does::Revoke,
            Operation::Refresh | Operation::Probe | Operation::Login => {
                Does::Use(history.number(taken.sent.get(&Slot::Refresh)?))
            }
        };
        let end = taken.reply.is_some().then(|| dial.at(times.done_at));
        let start = dial.at(times.released_at.unwrap_or(times.sent_at));
        history.add(Past { does, start, end, came });
        match (came, does) {
            (Came::Granted(None), Does::Use(token)) => Some(token),
            (Came::Granted(token), _) => token,
            (Came::Refused | Came::Unknown, _) => None,
        }
    }

    /// What the policy allows for a good use of this token now, where the chain's past decides.
    pub fn allowed(&self, chain: u32, token: Option<&Token>, policy: &Policy, dial: Dial) -> Option<Allowed> {
        if !self.murky.contains(&chain) {
            return None;
        }
        let mut history = self.chains.get(&chain)?.clone();
        let ended = |past: &Past| {
            past.does == Does::Revoke && matches!(past.came, Came::Granted(_)) && past.end.is_some()
        };
        if history.calls().iter().any(ended) {
            // Whatever else was promised: a revocation that was granted and is over ends the chain.
            return Some(Allowed::Refused("revoke"));
        }
        let does = Does::Use(history.number(token?));
        let known = history.tokens();
        let fresh = history.number(&Token::new("a token that nobody has seen"));
        let try_it = |came: Came| {
            let mut next = history.clone();
            next.add(Past { does, start: dial.elapsed, end: Some(dial.elapsed), came });
            order(policy, &next)
        };
        let refused = try_it(Came::Refused);
        if let Ordered::Untold(why) = refused {
            return Some(Allowed::Unknown(why));
        }
        let answers = [None, Some(fresh)].into_iter().chain((0..known).map(Some));
        let granted = answers.into_iter().any(|answer| try_it(Came::Granted(answer)) == Ordered::Yes);
        Some(match (granted, refused == Ordered::Yes) {
            (true, true) => Allowed::Either(granting(policy)),
            (true, false) => {
                Allowed::Granted(granting(policy), Successor { promised: SuccessorWord::Any, fits: true })
            }
            (false, true) => Allowed::Refused("replay.answer"),
            (false, false) => {
                Allowed::Unknown("what came before has no order that the policy allows".to_owned())
            }
        })
    }
}

/// The promise by which a used token is granted again, if there is one.
fn granting(policy: &Policy) -> &'static str {
    match &policy.grace {
        Some(Grace::Window { .. }) => "grace.answer",
        Some(Grace::None) | None => "rotation",
    }
}

fn came(taken: &Taken, history: &mut History, dialect: &Dialect) -> Came {
    let Some(reply) = &taken.reply else { return Came::Unknown };
    if taken.is_granted() {
        let token = reply.token(dialect, taken.operation, Field::Refresh);
        return Came::Granted(token.map(|token| history.number(&token)));
    }
    if is_crash(taken) || is_silent(taken) { Came::Unknown } else { Came::Refused }
}
