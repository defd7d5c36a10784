//! Whether some order of the calls, one after another, is a run of the policy: linearizability, searched exactly.

use std::collections::HashSet;

use crate::conformance::family::{Family, Heard};
use crate::suite::policy::{Grace, Policy, Rotation};

use super::history::{Came, Does, History, Past};

/// More calls than this are not searched.
const CALLS_MAX: usize = 128;

/// More states than this are not looked at: the search is exact, or says that it gave up.
const STATES_MAX: usize = 60_000;

/// What the search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Ordered {
    /// There is an order.
    Yes,
    /// There is none.
    No,
    /// It cannot be told; why, as a fragment.
    Untold(String),
}

/// Whether `history` has an order that `policy` allows.
pub(in super::super) fn order(policy: &Policy, history: &History) -> Ordered {
    if let Some(why) = history.blurred() {
        return Ordered::Untold(why.to_owned());
    }
    if let Some(word) = missing(policy) {
        return Ordered::Untold(format!("the policy says nothing of `{word}`"));
    }
    if history.calls().len() > CALLS_MAX {
        return Ordered::Untold(format!("{} calls have too many orders", history.calls().len()));
    }
    Search::new(policy, history).run(Family::opened(history.opened()))
}

/// The word without which nearly every history has some reading.
fn missing(policy: &Policy) -> Option<&'static str> {
    match (policy.rotation, &policy.grace) {
        (None, _) => Some("rotation"),
        (Some(Rotation::Never), _) => None,
        (Some(Rotation::Always | Rotation::Conditional), None) => Some("grace"),
        (Some(Rotation::Always | Rotation::Conditional), Some(Grace::None)) => {
            policy.replay_answer.is_none().then_some("replay.answer")
        }
        (Some(Rotation::Always | Rotation::Conditional), Some(Grace::Window { answer, .. })) => {
            answer.is_none().then_some("grace.answer")
        }
    }
}

/// The states that a call may leave, given what came back; none where that cannot have come.
fn after(policy: &Policy, family: &Family, past: &Past) -> Vec<Family> {
    let heard = match past.came {
        Came::Granted(token) => Heard::Granted(token),
        Came::Refused => Heard::Refused,
        Came::Unknown => Heard::Lost,
    };
    match past.does {
        Does::Use(token) => {
            family.heard(policy, &family.moves(policy, token, past.when()), heard, past.when())
        }
        Does::Revoke => {
            let mut over = family.clone();
            over.end("revoke");
            match heard {
                Heard::Granted(_) => vec![over],
                Heard::Refused => vec![family.clone()],
                Heard::Lost => vec![family.clone(), over],
            }
        }
    }
}

struct Search<'a> {
    policy: &'a Policy,
    calls: &'a [Past],
    /// Calls that were over before this one began, as bits.
    before: Vec<u128>,
    /// The first call that cannot be told from this one.
    twin: Vec<usize>,
    /// Calls that had their effect, if they had one, when the last answer came.
    due: u128,
    seen: HashSet<(u128, Family)>,
}

impl<'a> Search<'a> {
    fn new(policy: &'a Policy, history: &'a History) -> Search<'a> {
        let calls = history.calls();
        let bits = |holds: &dyn Fn(usize) -> bool| {
            (0..calls.len()).filter(|call| holds(*call)).fold(0_u128, |bits, call| bits | 1 << call)
        };
        let before: Vec<u128> = calls.iter().map(|call| bits(&|other| calls[other].precedes(call))).collect();
        let after: Vec<u128> = calls.iter().map(|call| bits(&|other| call.precedes(&calls[other]))).collect();
        let alike = |one: usize, other: usize| {
            is_alike(&calls[one], &calls[other]) && before[one] == before[other] && after[one] == after[other]
        };
        let first = |call: usize| (0..call).find(|other| alike(*other, call)).unwrap_or(call);
        let twin = (0..calls.len()).map(first).collect();
        let due = bits(&|call| calls[call].end.is_some());
        Search { policy, calls, before, twin, due, seen: HashSet::new() }
    }

    /// Depth first, each pair of done calls and state once.
    fn run(mut self, first: Family) -> Ordered {
        let mut open = vec![(0_u128, first)];
        while let Some((done, state)) = open.pop() {
            if done & self.due == self.due {
                return Ordered::Yes;
            }
            if self.seen.len() >= STATES_MAX {
                return Ordered::Untold(format!("{} calls have too many orders", self.before.len()));
            }
            if !self.seen.insert((done, state.sorted())) {
                continue;
            }
            for call in self.next(done) {
                let after = after(self.policy, &state, &self.calls[call]).into_iter();
                open.extend(after.map(|state| (done | 1 << call, state)));
            }
        }
        Ordered::No
    }

    /// Calls that may come next; of those that cannot be told from each other, one.
    fn next(&self, done: u128) -> Vec<usize> {
        let mut twins = HashSet::new();
        (0..self.before.len())
            .filter(|call| done & 1 << call == 0 && self.before[*call] & !done & self.due == 0)
            .filter(|call| twins.insert(self.twin[*call]))
            .collect()
    }
}

/// Whether two calls differ in nothing but their number. Whoever is granted differs by the answer.
fn is_alike(one: &Past, other: &Past) -> bool {
    let same_answer = match (one.came, other.came) {
        (Came::Refused, Came::Refused) | (Came::Unknown, Came::Unknown) => true,
        (Came::Granted(one), Came::Granted(other)) => one == other,
        (Came::Granted(_) | Came::Refused | Came::Unknown, _) => false,
    };
    let same_call = match (one.does, other.does) {
        (Does::Use(one), Does::Use(other)) => one == other,
        (Does::Revoke, Does::Revoke) => true,
        (Does::Use(_) | Does::Revoke, _) => false,
    };
    same_answer && same_call
}

#[cfg(test)]
mod tests;
