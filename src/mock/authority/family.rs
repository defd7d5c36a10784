//! A family: everything that descends from one login, and what may still be done with it.
//!
//! The state machine of the policies. Pure: what is presented, when, and under which rules decides everything.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::clock::Moment;
use super::scope::Scope;
use super::{Refusal, Rules};
use crate::suite::environment::MockPolicy;

/// How long a parent is answered under the grace presets.
const GRACE: Duration = Duration::from_secs(10);

/// How often a token may be used under [`MockPolicy::Count`]: once, and twice more.
const COUNT: u32 = 3;

/// One answer of the authority, from which its two tokens follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Issue {
    /// The refresh token's number in its family.
    pub serial: u32,
    /// When that token was made.
    pub at: Moment,
    /// The access token beside it.
    pub access: Stamp,
}

/// What makes one access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Its number in its family.
    pub number: u32,
    /// When it was made.
    pub at: Moment,
    /// The serial of the refresh token it was made with.
    pub beside: u32,
    /// Its scope.
    pub scope: Scope,
}

/// A refresh token that is remembered.
#[derive(Clone, Debug)]
struct Generation {
    issue: Issue,
    parent: Option<u32>,
    first_used: Option<Moment>,
    uses: u32,
}

/// What a presented token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// A new pair.
    Rotate,
    /// A new access token beside the same refresh token.
    Keep,
    /// This answer once more.
    Again(Issue),
}

/// Everything that descends from one login.
#[derive(Clone, Debug)]
pub(super) struct Family {
    /// Whose it is: an index into the roster's accounts.
    pub account: usize,
    /// Who must present its tokens: an index into the roster's parties.
    pub party: usize,
    /// When the login was.
    pub born: Moment,
    /// The scope of the grant.
    pub scope: Scope,
    /// Whether all of it is void.
    pub revoked: bool,
    active_at: Moment,
    serials: u32,
    numbers: u32,
    recent: VecDeque<Generation>,
}

impl Family {
    /// A family at its login, and the login's answer.
    pub fn open(account: usize, party: usize, scope: Scope, now: Moment) -> (Family, Issue) {
        let stamp = Stamp { number: 0, at: now, beside: 0, scope };
        let issue = Issue { serial: 0, at: now, access: stamp };
        let root = Generation { issue, parent: None, first_used: None, uses: 0 };
        let family = Family {
            account,
            party,
            born: now,
            scope,
            revoked: false,
            active_at: now,
            serials: 1,
            numbers: 1,
            recent: VecDeque::from([root]),
        };
        (family, issue)
    }

    /// What the refresh token `serial` is good for now. A refusal changes nothing, but for a replay that the
    /// policy answers with revocation.
    pub fn admit(&mut self, serial: u32, rules: &Rules, now: Moment) -> Result<Admission, Refusal> {
        if serial >= self.serials {
            return Err(Refusal::Unknown);
        }
        if self.revoked {
            return Err(Refusal::Revoked);
        }
        if self.is_over(rules, now) {
            return Err(Refusal::Expired);
        }
        let Some(generation) = self.generation(serial) else {
            return Err(self.replayed(rules));
        };
        let expired = now > generation.issue.at.plus(rules.refresh_lifetime);
        match generation.first_used {
            None if expired => Err(Refusal::Expired),
            None => Ok(if rules.policy == MockPolicy::None { Admission::Keep } else { Admission::Rotate }),
            Some(used) => self.again(serial, used, expired, rules, now),
        }
    }

    /// Makes the answer of an admitted token. `keeps_access` repeats the access token of the presented pair.
    pub fn grant(
        &mut self,
        serial: u32,
        admission: Admission,
        scope: Scope,
        keeps_access: bool,
        rules: &Rules,
        now: Moment,
    ) -> Issue {
        self.active_at = now;
        let kept = self.generation(serial).map(|generation| generation.issue);
        let beside = match admission {
            Admission::Again(issue) => return issue,
            Admission::Keep => serial,
            Admission::Rotate => self.serials,
        };
        let access = match kept {
            Some(issue) if keeps_access => issue.access,
            _ => self.stamp(beside, scope, now),
        };
        if admission == Admission::Keep {
            let at = kept.map_or(now, |issue| issue.at);
            return Issue { serial, at, access };
        }
        let issue = Issue { serial: self.serials, at: now, access };
        self.rotate(serial, issue, rules, now);
        issue
    }

    /// The serial of the refresh token that was made last.
    pub fn newest(&self) -> u32 {
        self.serials.saturating_sub(1)
    }

    fn stamp(&mut self, beside: u32, scope: Scope, now: Moment) -> Stamp {
        let number = self.numbers;
        self.numbers = self.numbers.saturating_add(1);
        Stamp { number, at: now, beside, scope }
    }

    fn rotate(&mut self, serial: u32, issue: Issue, rules: &Rules, now: Moment) {
        if let Some(parent) = self.recent.iter_mut().find(|generation| generation.issue.serial == serial) {
            parent.first_used.get_or_insert(now);
            parent.uses = parent.uses.saturating_add(1);
        }
        self.serials = self.serials.saturating_add(1);
        self.recent.push_back(Generation { issue, parent: Some(serial), first_used: None, uses: 0 });
        while self.recent.len() > remembered(rules.policy) {
            self.recent.pop_front();
        }
    }

    /// A token that was used before is presented.
    fn again(
        &mut self,
        serial: u32,
        used: Moment,
        expired: bool,
        rules: &Rules,
        now: Moment,
    ) -> Result<Admission, Refusal> {
        match rules.policy {
            MockPolicy::StrictFamily | MockPolicy::StrictReject | MockPolicy::None => {
                Err(self.replayed(rules))
            }
            MockPolicy::GraceSamePair | MockPolicy::GraceActivePair | MockPolicy::GraceNewPair => {
                let child = self.youngest_child(serial).filter(|_| now <= used.plus(GRACE) && !expired);
                match child {
                    None => Err(self.replayed(rules)),
                    Some(_) if rules.policy == MockPolicy::GraceNewPair => Ok(Admission::Rotate),
                    // Only the parent of the active pair is in reach, so its answer and the active pair are one.
                    Some(issue) => Ok(Admission::Again(issue)),
                }
            }
            MockPolicy::Count => {
                let uses = self.generation(serial).map_or(COUNT, |generation| generation.uses);
                if uses >= COUNT {
                    Err(self.replayed(rules))
                } else if expired {
                    Err(Refusal::Expired)
                } else {
                    Ok(Admission::Rotate)
                }
            }
        }
    }

    /// The last pair that `serial` was answered with, unless a pair of its answers was used: then it is no
    /// longer the parent of what is active.
    fn youngest_child(&self, serial: u32) -> Option<Issue> {
        let mut children = self.recent.iter().filter(|child| child.parent == Some(serial)).peekable();
        children.peek()?;
        children.try_fold(None, |_, child| child.first_used.is_none().then_some(Some(child.issue)))?
    }

    fn replayed(&mut self, rules: &Rules) -> Refusal {
        match rules.policy {
            MockPolicy::StrictFamily
            | MockPolicy::GraceSamePair
            | MockPolicy::GraceActivePair
            | MockPolicy::GraceNewPair => self.revoked = true,
            MockPolicy::StrictReject | MockPolicy::None | MockPolicy::Count => {}
        }
        Refusal::Reused
    }

    fn is_over(&self, rules: &Rules, now: Moment) -> bool {
        let past = |since: Moment, span: Option<Duration>| span.is_some_and(|span| now > since.plus(span));
        past(self.born, rules.cap) || past(self.active_at, rules.idle)
    }

    fn generation(&self, serial: u32) -> Option<&Generation> {
        self.recent.iter().rev().find(|generation| generation.issue.serial == serial)
    }
}

/// How many refresh tokens of a family are remembered one by one. Older ones count as used: where chains do
/// not fork they are; where they fork, a family of this many live siblings forgets the eldest.
fn remembered(policy: MockPolicy) -> usize {
    match policy {
        MockPolicy::StrictFamily
        | MockPolicy::StrictReject
        | MockPolicy::GraceSamePair
        | MockPolicy::GraceActivePair
        | MockPolicy::None => 4,
        MockPolicy::GraceNewPair | MockPolicy::Count => 128,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Moment = Moment(1_700_000_000_000);

    fn rules(policy: MockPolicy) -> Rules {
        Rules::of(policy)
    }

    fn later(seconds: u64) -> Moment {
        START.plus(Duration::from_secs(seconds))
    }

    /// One family under one policy, used as a client would.
    struct Walk {
        family: Family,
        rules: Rules,
    }

    impl Walk {
        fn new(policy: MockPolicy) -> Walk {
            Walk { family: Family::open(0, 0, Scope::ALL, START).0, rules: rules(policy) }
        }

        fn at(&mut self, seconds: u64, serial: u32) -> Result<Issue, Refusal> {
            let now = later(seconds);
            let admission = self.family.admit(serial, &self.rules, now)?;
            Ok(self.family.grant(serial, admission, Scope::ALL, false, &self.rules, now))
        }

        fn serial_at(&mut self, seconds: u64, serial: u32) -> Result<u32, Refusal> {
            self.at(seconds, serial).map(|issue| issue.serial)
        }

        fn live(&self, now: Moment) -> Vec<u32> {
            (0..self.family.serials)
                .filter(|serial| self.family.clone().admit(*serial, &self.rules, now).is_ok())
                .collect()
        }
    }

    #[test]
    fn strict_family_revokes_everything_on_a_replay() {
        let mut walk = Walk::new(MockPolicy::StrictFamily);
        assert_eq!(walk.serial_at(1, 0), Ok(1));
        assert_eq!(walk.serial_at(2, 0), Err(Refusal::Reused));
        assert_eq!(walk.serial_at(3, 1), Err(Refusal::Revoked));
        assert_eq!(walk.serial_at(3, 0), Err(Refusal::Revoked));
    }

    #[test]
    fn strict_reject_leaves_the_successor_alive() {
        let mut walk = Walk::new(MockPolicy::StrictReject);
        assert_eq!(walk.serial_at(1, 0), Ok(1));
        assert_eq!(walk.serial_at(2, 0), Err(Refusal::Reused));
        assert_eq!(walk.serial_at(3, 1), Ok(2));
    }

    #[test]
    fn grace_answers_the_parent_with_one_and_the_same_pair_for_ten_seconds() {
        for policy in [MockPolicy::GraceSamePair, MockPolicy::GraceActivePair] {
            let mut walk = Walk::new(policy);
            let first = walk.at(1, 0).unwrap();
            assert_eq!(walk.at(5, 0), Ok(first));
            assert_eq!(walk.at(11, 0), Ok(first), "the window is not moved by its use");
            assert_eq!(walk.serial_at(12, 0), Err(Refusal::Reused));
            assert_eq!(walk.serial_at(12, 1), Err(Refusal::Revoked));
        }
    }

    #[test]
    fn grace_reaches_the_parent_only() {
        for policy in [MockPolicy::GraceSamePair, MockPolicy::GraceActivePair, MockPolicy::GraceNewPair] {
            let mut walk = Walk::new(policy);
            assert_eq!(walk.serial_at(1, 0), Ok(1));
            assert_eq!(walk.serial_at(2, 1), Ok(2));
            assert_eq!(walk.serial_at(3, 0), Err(Refusal::Reused), "{policy:?}");
            assert_eq!(walk.serial_at(3, 2), Err(Refusal::Revoked), "{policy:?}");
        }
    }

    #[test]
    fn grace_with_new_pairs_makes_siblings_that_live() {
        let mut walk = Walk::new(MockPolicy::GraceNewPair);
        assert_eq!(walk.serial_at(1, 0), Ok(1));
        assert_eq!(walk.serial_at(2, 0), Ok(2));
        assert_eq!(walk.serial_at(3, 1), Ok(3));
        assert_eq!(walk.serial_at(3, 2), Ok(4));
    }

    #[test]
    fn without_rotation_the_token_stays_and_the_access_token_is_new() {
        let mut walk = Walk::new(MockPolicy::None);
        let (one, two) = (walk.at(1, 0).unwrap(), walk.at(2, 0).unwrap());
        assert_eq!((one.serial, two.serial), (0, 0));
        assert_ne!(one.access.number, two.access.number);
        assert_eq!(walk.serial_at(86_401, 0), Err(Refusal::Expired), "use does not prolong it");
    }

    #[test]
    fn count_allows_two_further_uses() {
        let mut walk = Walk::new(MockPolicy::Count);
        for successor in 1..=3 {
            assert_eq!(walk.serial_at(1, 0), Ok(successor));
        }
        assert_eq!(walk.serial_at(1, 0), Err(Refusal::Reused));
        assert_eq!(walk.serial_at(2, 3), Ok(4), "nothing is revoked");
    }

    #[test]
    fn a_token_that_was_never_issued_is_unknown() {
        assert_eq!(Walk::new(MockPolicy::StrictFamily).serial_at(1, 1), Err(Refusal::Unknown));
    }

    #[test]
    fn a_refresh_token_lives_a_day() {
        let mut walk = Walk::new(MockPolicy::StrictFamily);
        assert_eq!(walk.serial_at(86_400, 0), Ok(1));
        assert_eq!(walk.serial_at(2 * 86_400 + 1, 1), Err(Refusal::Expired));
    }

    #[test]
    fn a_chain_ends_after_thirty_days_whatever_its_use() {
        let mut walk = Walk::new(MockPolicy::StrictFamily);
        for day in 1..=30 {
            assert!(walk.at(day * 86_400, u32::try_from(day).unwrap() - 1).is_ok(), "day {day}");
        }
        assert_eq!(walk.serial_at(30 * 86_400 + 1, 30), Err(Refusal::Expired));
    }

    #[test]
    fn an_idle_limit_ends_a_chain_that_rests() {
        let mut walk = Walk::new(MockPolicy::StrictFamily);
        walk.rules.idle = Some(Duration::from_mins(1));
        assert_eq!(walk.serial_at(60, 0), Ok(1));
        assert_eq!(walk.serial_at(120, 1), Ok(2), "use starts it anew");
        assert_eq!(walk.serial_at(181, 2), Err(Refusal::Expired));
    }

    #[test]
    fn a_token_older_than_memory_still_counts_as_used() {
        let mut walk = Walk::new(MockPolicy::StrictFamily);
        for serial in 0..50 {
            walk.at(1, serial).unwrap();
        }
        assert_eq!(walk.serial_at(2, 0), Err(Refusal::Reused));
        assert_eq!(walk.serial_at(2, 50), Err(Refusal::Revoked));
    }

    proptest! {
        #[test]
        fn a_strict_family_never_has_two_live_tokens(
            strict_family: bool,
            steps in proptest::collection::vec((0_u32..12, 0_u64..90_000), 1..40),
        ) {
            let policy = if strict_family { MockPolicy::StrictFamily } else { MockPolicy::StrictReject };
            let mut walk = Walk::new(policy);
            let mut now = 0;
            for (back, wait) in steps {
                now += wait;
                let serial = walk.family.serials.saturating_sub(back);
                let before = walk.live(later(now));
                let answer = walk.at(now, serial);
                prop_assert!(walk.live(later(now)).len() <= 1);
                prop_assert_eq!(answer.is_ok(), before.contains(&serial));
            }
        }

        #[test]
        fn no_policy_remembers_more_than_its_share(
            choice in 0..MockPolicy::ALL.len(),
            steps in proptest::collection::vec(0_u32..4, 1..300),
        ) {
            let mut walk = Walk::new(MockPolicy::ALL[choice].0);
            for back in steps {
                let serial = walk.family.serials.saturating_sub(back);
                let _ = walk.at(1, serial);
                prop_assert!(walk.family.recent.len() <= 128);
            }
        }
    }
}
