//! What the policy promises at this point: its state machine for one caller after another.
//!
//! Pure. Knows one chain: which generation is current, when each was superseded, whether the family lives.
//! Where the verdict hangs on a word that the suite leaves out, the answer is that word.

use std::time::Duration;

use crate::suite::policy::{
    Grace, GraceAnswer, GraceReach, OldAccess, PairRule, Policy, ReplayAnswer, ReplayRevokes, Rotation,
    Siblings,
};

/// What is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// It must be granted; the promise that says so, and what the answer must carry.
    Granted(&'static str, Successor),
    /// It must be refused; the promise that says so.
    Refused(&'static str),
    /// Both: it happens within the slack of a boundary.
    Either(&'static str),
    /// The policy's word that is not known, or why no policy can tell.
    Unknown(String),
}

/// Which refresh token a grant must carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Successor {
    /// Any.
    Any,
    /// The one that the chain has now.
    Current,
    /// One that the chain does not have yet.
    New,
}

/// What a call presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// The chain's current refresh token, with its own access token.
    Current,
    /// The current refresh token with another access token.
    Mixed,
    /// The refresh token this many generations before the current one, at least 1.
    Old(usize),
    /// The current access token at a protected resource.
    Access,
    /// An older access token at a protected resource.
    OldAccess,
    /// Anything else: the policy does not speak of it.
    Else,
}

/// Whether the family lives.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Family {
    Lives,
    Ended(&'static str),
    Unknown(String),
}

/// The policy's view of one chain.
#[derive(Clone, Debug)]
pub(super) struct Promises {
    family: Family,
    /// When each generation before the current one was superseded, oldest first.
    superseded: Vec<Duration>,
    /// How often each of them was answered again.
    again: Vec<u32>,
    born: Duration,
    used: Duration,
}

impl Promises {
    /// A chain that was opened now.
    pub fn new(now: Duration) -> Promises {
        Promises { family: Family::Lives, superseded: Vec::new(), again: Vec::new(), born: now, used: now }
    }

    /// What the policy allows for a call now.
    pub fn allowed(&self, policy: &Policy, presented: Presented, now: Duration) -> Allowed {
        match &self.family {
            Family::Unknown(word) => return Allowed::Unknown(word.clone()),
            Family::Ended(by) => return Allowed::Refused(by),
            Family::Lives => {}
        }
        if let Some(allowed) = self.lifetime(policy, now) {
            return allowed;
        }
        match presented {
            Presented::Current => Allowed::Granted("rotation", Successor::Any),
            Presented::Mixed => match policy.pair {
                None => unknown("pair"),
                Some(PairRule::Ignored) => Allowed::Granted("pair", Successor::Any),
                Some(PairRule::Checked | PairRule::MustBeExpired) => Allowed::Refused("pair"),
            },
            Presented::Old(age) => self.replay(policy, age, now),
            Presented::Access => Allowed::Granted("old-access", Successor::Any),
            Presented::OldAccess => match policy.old_access {
                None => unknown("old-access"),
                Some(OldAccess::Valid) => Allowed::Granted("old-access", Successor::Any),
                Some(OldAccess::Revoked) => Allowed::Refused("old-access"),
            },
            Presented::Else => Allowed::Unknown("the policy does not speak of a changed call".to_owned()),
        }
    }

    /// `idle` and `cap`, where they are near or past.
    fn lifetime(&self, policy: &Policy, now: Duration) -> Option<Allowed> {
        let limits = [
            ("idle", policy.idle, now.saturating_sub(self.used)),
            ("refresh-lifetime", policy.refresh_lifetime, now.saturating_sub(self.used)),
            ("cap", policy.cap, now.saturating_sub(self.born)),
        ];
        limits.into_iter().find_map(|(word, limit, age)| {
            let limit = limit?;
            if age > limit + policy.slack {
                Some(Allowed::Refused(word))
            } else if age + policy.slack > limit {
                Some(Allowed::Either(word))
            } else {
                None
            }
        })
    }

    fn replay(&self, policy: &Policy, age: usize, now: Duration) -> Allowed {
        match policy.rotation {
            None | Some(Rotation::Conditional) => return unknown("rotation"),
            Some(Rotation::Never) => return Allowed::Granted("rotation", Successor::Any),
            Some(Rotation::Always) => {}
        }
        match &policy.grace {
            None => unknown("grace"),
            Some(Grace::None) => plain_replay(policy),
            Some(Grace::Window { lasting, uses, answer, reach, .. }) => {
                match reach {
                    None if age > 1 => return unknown("grace.reach"),
                    Some(GraceReach::Parent) if age > 1 => return plain_replay(policy),
                    None | Some(GraceReach::Parent | GraceReach::Any) => {}
                }
                if uses.is_some_and(|uses| self.answered_again(age) >= uses) {
                    return plain_replay(policy);
                }
                match (lasting, uses) {
                    (None, None) => unknown("grace.for"),
                    // A count without a window never closes.
                    (None, Some(_)) => graced(*answer),
                    (Some(lasting), _) => self.within(policy, age, *lasting, *answer, now),
                }
            }
        }
    }

    fn within(
        &self,
        policy: &Policy,
        age: usize,
        lasting: Duration,
        answer: Option<GraceAnswer>,
        now: Duration,
    ) -> Allowed {
        let since = now.saturating_sub(self.superseded_at(age).unwrap_or(now));
        if since > lasting + policy.slack {
            plain_replay(policy)
        } else if since + policy.slack > lasting {
            Allowed::Either("grace.for")
        } else {
            graced(answer)
        }
    }

    fn superseded_at(&self, age: usize) -> Option<Duration> {
        self.superseded.len().checked_sub(age).map(|at| self.superseded[at])
    }

    fn answered_again(&self, age: usize) -> u32 {
        self.again.len().checked_sub(age).map_or(0, |at| self.again[at])
    }

    /// Whether a replay now is answered within grace, as far as can be told.
    fn is_graced(&self, policy: &Policy, age: usize, now: Duration) -> Option<bool> {
        match self.replay(policy, age, now) {
            Allowed::Granted("grace.answer", _) | Allowed::Refused("grace.answer") => Some(true),
            Allowed::Granted(..) | Allowed::Refused(_) => Some(false),
            Allowed::Either(_) | Allowed::Unknown(_) => None,
        }
    }

    /// What a call did to the chain: `granted` is `None` where no answer was seen.
    pub fn settle(&mut self, policy: &Policy, presented: Presented, granted: Option<bool>, now: Duration) {
        match (presented, granted) {
            (Presented::Access | Presented::OldAccess, _)
            | (Presented::Current | Presented::Mixed | Presented::Else, Some(false)) => {}
            (_, None) => self.doubt("an answer was lost"),
            (Presented::Current | Presented::Mixed, Some(true)) => {
                self.superseded.push(now);
                self.again.push(0);
                self.used = now;
            }
            (Presented::Old(age), Some(granted)) => self.replayed(policy, age, granted, now),
            (Presented::Else, Some(true)) => self.doubt("a changed call was granted"),
        }
    }

    fn replayed(&mut self, policy: &Policy, age: usize, granted: bool, now: Duration) {
        let graced = self.is_graced(policy, age, now);
        if let Some(at) = self.again.len().checked_sub(age) {
            self.again[at] += 1;
        }
        match (graced, &policy.grace, policy.rotation) {
            (_, _, Some(Rotation::Never)) => {}
            (Some(true), Some(Grace::Window { answer, siblings, .. }), _) => match (answer, siblings) {
                (Some(GraceAnswer::NewPair), None) if granted => self.doubt("grace.siblings"),
                (Some(GraceAnswer::NewPair), Some(Siblings::Pruned)) if granted => {
                    self.family = Family::Ended("grace.siblings");
                }
                _ => {}
            },
            (None, ..) => self.doubt("grace"),
            (Some(_), ..) => self.penalize(policy, age),
        }
    }

    fn penalize(&mut self, policy: &Policy, age: usize) {
        match policy.replay_revokes {
            None => self.doubt("replay.revokes"),
            Some(ReplayRevokes::Nothing | ReplayRevokes::Presented) => {}
            Some(ReplayRevokes::Successor) if age > 1 => self.doubt("replay.revokes"),
            Some(ReplayRevokes::Successor | ReplayRevokes::Family | ReplayRevokes::Session) => {
                self.family = Family::Ended("replay.revokes");
            }
        }
    }

    /// The chain was revoked, and the answer says so.
    pub fn revoked(&mut self) {
        self.family = Family::Ended("revoke");
    }

    fn doubt(&mut self, word: &str) {
        if self.family == Family::Lives {
            self.family = Family::Unknown(word.to_owned());
        }
    }
}

fn unknown(word: &str) -> Allowed {
    Allowed::Unknown(format!("the policy says nothing of `{word}`"))
}

fn plain_replay(policy: &Policy) -> Allowed {
    match policy.replay_answer {
        None => unknown("replay.answer"),
        Some(ReplayAnswer::Refused) => Allowed::Refused("replay.answer"),
        Some(ReplayAnswer::Granted) => Allowed::Granted("replay.answer", Successor::Any),
    }
}

fn graced(answer: Option<GraceAnswer>) -> Allowed {
    match answer {
        None => unknown("grace.answer"),
        Some(GraceAnswer::Refused) => Allowed::Refused("grace.answer"),
        Some(GraceAnswer::SamePair | GraceAnswer::ActivePair) => {
            Allowed::Granted("grace.answer", Successor::Current)
        }
        Some(GraceAnswer::NewPair) => Allowed::Granted("grace.answer", Successor::New),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn strict() -> Policy {
        Policy {
            rotation: Some(Rotation::Always),
            replay_answer: Some(ReplayAnswer::Refused),
            replay_revokes: Some(ReplayRevokes::Family),
            grace: Some(Grace::None),
            ..Policy::default()
        }
    }

    fn grace(answer: GraceAnswer) -> Policy {
        Policy {
            grace: Some(Grace::Window {
                lasting: Some(S(10)),
                uses: None,
                answer: Some(answer),
                reach: Some(GraceReach::Parent),
                siblings: Some(Siblings::Live),
            }),
            slack: S(1),
            ..strict()
        }
    }

    fn refreshed(policy: &Policy, times: u64) -> Promises {
        let mut chain = Promises::new(S(0));
        for at in 1..=times {
            chain.settle(policy, Presented::Current, Some(true), S(at));
        }
        chain
    }

    #[test]
    fn a_replay_is_refused_and_ends_the_family() {
        let policy = strict();
        let mut chain = refreshed(&policy, 1);
        assert_eq!(chain.allowed(&policy, Presented::Old(1), S(2)), Allowed::Refused("replay.answer"));
        chain.settle(&policy, Presented::Old(1), Some(false), S(2));
        assert_eq!(chain.allowed(&policy, Presented::Current, S(3)), Allowed::Refused("replay.revokes"));
    }

    #[test]
    fn what_a_replay_does_is_unknown_where_the_policy_leaves_it_out() {
        let policy = Policy { replay_revokes: None, ..strict() };
        let mut chain = refreshed(&policy, 1);
        chain.settle(&policy, Presented::Old(1), Some(false), S(2));
        assert_eq!(
            chain.allowed(&policy, Presented::Current, S(3)),
            Allowed::Unknown("replay.revokes".to_owned())
        );
        assert!(matches!(
            chain_of_nothing().allowed(&Policy::default(), Presented::Old(1), S(3)),
            Allowed::Unknown(word) if word.contains("`rotation`")
        ));
    }

    fn chain_of_nothing() -> Promises {
        refreshed(&Policy::default(), 1)
    }

    #[test]
    fn grace_answers_within_its_window_and_not_after_it() {
        let policy = grace(GraceAnswer::SamePair);
        let chain = refreshed(&policy, 1);
        let at = |seconds: u64| chain.allowed(&policy, Presented::Old(1), S(1 + seconds));
        assert_eq!(at(5), Allowed::Granted("grace.answer", Successor::Current));
        assert_eq!(at(10), Allowed::Either("grace.for"));
        assert_eq!(at(12), Allowed::Refused("replay.answer"));
    }

    #[test]
    fn grace_reaches_the_parent_alone() {
        let policy = grace(GraceAnswer::NewPair);
        let chain = refreshed(&policy, 2);
        assert_eq!(
            chain.allowed(&policy, Presented::Old(1), S(3)),
            Allowed::Granted("grace.answer", Successor::New)
        );
        assert_eq!(chain.allowed(&policy, Presented::Old(2), S(3)), Allowed::Refused("replay.answer"));
    }

    #[test]
    fn a_graced_replay_does_the_family_no_harm() {
        let policy = grace(GraceAnswer::SamePair);
        let mut chain = refreshed(&policy, 1);
        chain.settle(&policy, Presented::Old(1), Some(true), S(3));
        assert_eq!(
            chain.allowed(&policy, Presented::Current, S(4)),
            Allowed::Granted("rotation", Successor::Any)
        );
    }

    #[test]
    fn a_lost_answer_leaves_everything_open() {
        let policy = strict();
        let mut chain = refreshed(&policy, 1);
        chain.settle(&policy, Presented::Current, None, S(2));
        assert!(matches!(chain.allowed(&policy, Presented::Current, S(3)), Allowed::Unknown(_)));
    }

    #[test]
    fn an_idle_chain_ends() {
        let policy = Policy { idle: Some(S(60)), ..strict() };
        let chain = refreshed(&policy, 1);
        assert_eq!(chain.allowed(&policy, Presented::Current, S(62)), Allowed::Refused("idle"));
        assert!(matches!(chain.allowed(&policy, Presented::Current, S(30)), Allowed::Granted(..)));
    }

    #[test]
    fn a_mixed_pair_counts_as_the_policy_says() {
        let chain = Promises::new(S(0));
        let with = |pair| Policy { pair, ..strict() };
        let allowed = |pair| chain.allowed(&with(pair), Presented::Mixed, S(1));
        assert_eq!(allowed(Some(PairRule::Ignored)), Allowed::Granted("pair", Successor::Any));
        assert_eq!(allowed(Some(PairRule::Checked)), Allowed::Refused("pair"));
        assert!(matches!(allowed(None), Allowed::Unknown(_)));
    }
}
