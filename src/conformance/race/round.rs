//! One round: who took part, what they got, and what could be done with it afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::chain::may_have_spent;
use crate::client::reply::Outcome;
use crate::conformance::transcript::Taken;
use crate::dialect::ErrorClass;
use crate::suite::call::Operation;

use super::history::History;

/// One request of a round.
#[derive(Clone, Debug)]
pub(in super::super) struct Racer {
    /// The exchange.
    pub taken: Arc<Taken>,
    /// The refresh token it got, as the history numbers it.
    pub successor: Option<usize>,
}

/// What came of one round.
#[derive(Clone, Debug)]
pub(in super::super) struct Round {
    /// Its cell.
    pub cell: Option<String>,
    /// The requests, in the order in which they were released.
    pub racers: Vec<Racer>,
    /// Whether all of them are good uses of one live token, which the policy's counts are about.
    pub alike: bool,
    /// Whether the requests overlapped.
    pub overlapped: bool,
    /// Whether they were meant to.
    pub together: bool,
    /// Successors that were tried afterwards, and whether they could be used.
    pub tried: Vec<(usize, bool)>,
    /// Whether the family can go on, if that was tried.
    pub family: Option<bool>,
    /// Everything that was called on the chain.
    pub history: History,
}

/// A round as counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Counts {
    /// Granted.
    pub successes: u32,
    /// Different refresh tokens among them.
    pub successors: u32,
    /// Of those, usable afterwards.
    pub live: Option<u32>,
    /// Whether the family can go on.
    pub family: Option<bool>,
    /// Server failures.
    pub crashes: u32,
    /// Answers that say nothing: none at all, or "come later".
    pub silent: u32,
}

impl Round {
    pub(super) fn counts(&self) -> Counts {
        let refreshes = || self.racers.iter().filter(|racer| racer.taken.operation == Operation::Refresh);
        let count =
            |holds: &dyn Fn(&Taken) -> bool| small(refreshes().filter(|racer| holds(&racer.taken)).count());
        let mut successors: Vec<usize> = refreshes().filter_map(|racer| racer.successor).collect();
        successors.sort_unstable();
        successors.dedup();
        Counts {
            successes: count(&Taken::is_granted),
            successors: small(successors.len()),
            live: self.family.map(|_| small(self.tried.iter().filter(|(_, live)| *live).count())),
            family: self.family,
            crashes: count(&is_crash),
            silent: count(&is_silent),
        }
    }

    /// Racers whose exchange is a refresh.
    pub(super) fn refreshes(&self) -> u32 {
        small(self.racers.iter().filter(|racer| racer.taken.operation == Operation::Refresh).count())
    }

    /// Whether the round counts: it overlapped as it was meant to, and everybody was answered.
    pub(super) fn is_telling(&self) -> bool {
        let heard = self.racers.iter().all(|racer| !is_silent(&racer.taken));
        heard && (self.overlapped || !self.together)
    }

    /// From the first release to the last.
    pub(super) fn spread(&self) -> Duration {
        let released = || self.racers.iter().filter_map(|racer| racer.taken.exchange.times.released_at);
        match (released().min(), released().max()) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        }
    }

    /// The first release.
    pub(super) fn began_at(&self) -> Option<Instant> {
        self.racers.iter().filter_map(|racer| racer.taken.exchange.times.released_at).min()
    }

    /// From the first release to the last answer.
    pub(super) fn took(&self) -> Duration {
        let done = self.racers.iter().map(|racer| racer.taken.exchange.times.done_at).max();
        match (self.began_at(), done) {
            (Some(first), Some(last)) => last.saturating_duration_since(first),
            _ => Duration::ZERO,
        }
    }

    /// Whether the losers ended what the winner got.
    pub(super) fn is_self_denial(&self) -> bool {
        let counts = self.counts();
        counts.successes > 0 && counts.live == Some(0)
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

pub(in super::super) fn is_crash(taken: &Taken) -> bool {
    taken.reply.as_ref().is_some_and(|reply| reply.outcome == Outcome::Crash)
}

/// Whether the answer says nothing of what became of the token. A crash says nothing either, but it was heard.
pub(in super::super) fn is_silent(taken: &Taken) -> bool {
    match &taken.reply {
        None => true,
        Some(reply) => match &reply.outcome {
            Outcome::Garbled(_) => true,
            Outcome::Refused => reply.class == Some(ErrorClass::RateLimited),
            Outcome::Granted | Outcome::Crash => false,
        },
    }
}

/// Whether the request never left, so that nothing can have come of it.
pub(in super::super) fn is_unsent(taken: &Taken) -> bool {
    taken.failure().is_some_and(|failure| !may_have_spent(failure))
}
