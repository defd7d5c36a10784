//! A family: everything that descends from one login, and what may still be done with it.
//!
//! The state machine of the policies. Pure: what is presented, when, and under which rules decides everything.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::clock::Moment;
use super::rules::{Graced, Penalty, Rotates};
use super::scope::Scope;
use super::{Refusal, Rules, Sway};

/// How many refresh tokens of a family are remembered one by one. Older ones count as used: where chains do
/// not fork they are; where they fork, a family of this many live siblings forgets the eldest.
const REMEMBERED: usize = 128;

/// The same where nothing is ever done with a used token but to refuse it.
const REMEMBERED_STRICTLY: usize = 4;

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
    last_used: Option<Moment>,
    uses: u32,
    /// Ended by a penalty or by a younger sibling.
    ended: bool,
}

impl Generation {
    fn new(issue: Issue, parent: Option<u32>) -> Generation {
        Generation { issue, parent, first_used: None, last_used: None, uses: 0, ended: false }
    }
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
    /// A new pair in place of the elder siblings.
    Replace,
    /// A pair whose refresh token nobody keeps; only a defect does that.
    Forget,
}

/// So many tokens are remembered of a family that a defect lets fork.
const FORKED: usize = 128;

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
    /// Whether its access tokens alone are void; only a defect does that.
    pub access_ended: bool,
    /// Whether its access tokens are good although it is void; only a defect does that.
    pub access_kept: bool,
    active_at: Moment,
    /// What the cap is counted from: the login.
    rotated_at: Moment,
    serials: u32,
    numbers: u32,
    newest_access: u32,
    recent: VecDeque<Generation>,
    /// What the next decision on a serial is to believe; only defects of rivals fill it.
    swayed: Vec<(u32, Sway)>,
    /// A defect let it fork, so that more of its tokens live than the policy knows.
    forks: bool,
}

impl Family {
    /// A family at its login, and the login's answer.
    pub fn open(account: usize, party: usize, scope: Scope, now: Moment) -> (Family, Issue) {
        let stamp = Stamp { number: 0, at: now, beside: 0, scope };
        let issue = Issue { serial: 0, at: now, access: stamp };
        let root = Generation::new(issue, None);
        let family = Family {
            account,
            party,
            born: now,
            scope,
            revoked: false,
            access_ended: false,
            access_kept: false,
            active_at: now,
            rotated_at: now,
            serials: 1,
            numbers: 1,
            newest_access: 0,
            recent: VecDeque::from([root]),
            swayed: Vec::new(),
            forks: false,
        };
        (family, issue)
    }

    /// Makes the next decision on a serial believe something.
    pub fn sway(&mut self, serial: u32, sway: Sway) {
        self.forks |= sway == Sway::Permit;
        self.swayed.push((serial, sway));
    }

    /// Whether the decision on a serial is to believe this; only once.
    pub fn is_swayed(&mut self, serial: u32, sway: Sway) -> bool {
        let at = self.swayed.iter().position(|known| *known == (serial, sway));
        at.map(|at| self.swayed.swap_remove(at)).is_some()
    }

    /// Whether this revocation comes to nothing; only once.
    pub fn is_stayed(&mut self) -> bool {
        let at = self.swayed.iter().position(|(_, sway)| *sway == Sway::StayRevocation);
        at.map(|at| self.swayed.swap_remove(at)).is_some()
    }

    /// What the refresh token `serial` is good for now. A refusal changes nothing, but for a replay that the
    /// policy answers with a penalty.
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
            return match rules.penalty {
                Penalty::Granted => Ok(Admission::Rotate),
                Penalty::None | Penalty::Successor | Penalty::Family => Err(self.replayed(serial, rules)),
            };
        };
        if generation.ended {
            return Err(Refusal::Revoked);
        }
        let born = generation.issue.at;
        let expired = now > born.plus(rules.refresh_lifetime);
        match generation.first_used {
            _ if expired => Err(Refusal::Expired),
            None if is_replaced(born, rules, now) => Ok(Admission::Rotate),
            None => Ok(Admission::Keep),
            Some(_) => self.again(serial, rules, now),
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
        if rules.idle_resets {
            self.active_at = now;
        }
        if rules.cap_resets {
            self.rotated_at = now;
        }
        let kept = self.generation(serial).map(|generation| generation.issue);
        let beside = match admission {
            Admission::Again(issue) => {
                self.used(serial, now);
                return issue;
            }
            Admission::Keep => serial,
            Admission::Rotate | Admission::Replace | Admission::Forget => self.serials,
        };
        let access = match kept {
            Some(issue) if keeps_access => issue.access,
            _ => self.stamp(beside, scope, now),
        };
        if admission == Admission::Keep {
            let at = kept.map_or(now, |issue| issue.at);
            self.newest_access = access.number;
            return Issue { serial, at, access };
        }
        if admission == Admission::Forget {
            // No family has so many tokens: what carries this serial is not known when it comes back.
            return Issue { serial: u32::MAX, at: now, access };
        }
        self.newest_access = access.number;
        let issue = Issue { serial: self.serials, at: now, access };
        self.rotate(serial, issue, admission == Admission::Replace, now);
        let most = if self.forks { FORKED } else { remembered(rules) };
        while self.recent.len() > most {
            self.recent.pop_front();
        }
        issue
    }

    /// The number of the access token that was handed out last.
    pub fn newest_access(&self) -> u32 {
        self.newest_access
    }

    /// Whether a refresh token was ever replaced.
    pub fn has_rotated(&self) -> bool {
        self.serials > 1
    }

    /// Forgets which tokens were used, as a defect does at a restart.
    pub fn forget_uses(&mut self) {
        for generation in &mut self.recent {
            (generation.first_used, generation.last_used, generation.uses) = (None, None, 0);
        }
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

    fn used(&mut self, serial: u32, now: Moment) {
        if let Some(used) = self.recent.iter_mut().find(|generation| generation.issue.serial == serial) {
            used.first_used.get_or_insert(now);
            used.last_used = Some(now);
            used.uses = used.uses.saturating_add(1);
        }
    }

    fn rotate(&mut self, serial: u32, issue: Issue, replaces: bool, now: Moment) {
        self.used(serial, now);
        if replaces {
            let elder = |other: &&mut Generation| other.parent == Some(serial) && other.first_used.is_none();
            self.recent.iter_mut().filter(elder).for_each(|elder| elder.ended = true);
        }
        self.serials = self.serials.saturating_add(1);
        self.recent.push_back(Generation::new(issue, Some(serial)));
    }

    /// A token that was used before is presented.
    fn again(&mut self, serial: u32, rules: &Rules, now: Moment) -> Result<Admission, Refusal> {
        let answered = rules.grace.and_then(|grace| {
            let used = self.generation(serial)?;
            let since = if grace.restarts { used.last_used? } else { used.first_used? };
            let graced = now <= since.plus(grace.lasting)
                && used.uses <= grace.uses
                && (grace.any_ancestor || self.is_parent_of_active(serial));
            graced.then_some(grace)
        });
        match answered {
            None if rules.penalty == Penalty::Granted => Ok(Admission::Rotate),
            None => Err(self.replayed(serial, rules)),
            Some(grace) if !grace.stored && grace.answer != Graced::Refused => Ok(Admission::Forget),
            Some(grace) => match (grace.answer, self.first_child(serial), self.active()) {
                (Graced::SamePair, Some(issue), _) | (Graced::ActivePair, _, Some(issue)) => {
                    Ok(Admission::Again(issue))
                }
                (Graced::NewPair, ..) => Ok(Admission::Rotate),
                (Graced::Replacing, ..) => Ok(Admission::Replace),
                (Graced::Refused, ..) => Err(Refusal::Reused),
                (Graced::SamePair | Graced::ActivePair, ..) => Err(self.replayed(serial, rules)),
            },
        }
    }

    fn children(&self, serial: u32) -> impl Iterator<Item = &Generation> {
        self.recent.iter().filter(move |child| child.parent == Some(serial))
    }

    /// What a token was first traded for.
    fn first_child(&self, serial: u32) -> Option<Issue> {
        self.children(serial).next().map(|child| child.issue)
    }

    /// Whether it has children of which none was used.
    fn is_parent_of_active(&self, serial: u32) -> bool {
        self.first_child(serial).is_some() && self.children(serial).all(|child| child.first_used.is_none())
    }

    /// The newest pair that was not used.
    fn active(&self) -> Option<Issue> {
        let live = |generation: &&Generation| generation.first_used.is_none() && !generation.ended;
        self.recent.iter().rev().find(live).map(|generation| generation.issue)
    }

    fn replayed(&mut self, serial: u32, rules: &Rules) -> Refusal {
        let overlooked = !rules.sees_ancestors && !self.is_parent_of_active(serial);
        match rules.penalty {
            Penalty::Family if !overlooked => self.revoked = true,
            Penalty::Successor => {
                let children = self.recent.iter_mut().filter(|child| child.parent == Some(serial));
                children.for_each(|child| child.ended = true);
            }
            Penalty::Family | Penalty::None | Penalty::Granted => {}
        }
        Refusal::Reused
    }

    fn is_over(&self, rules: &Rules, now: Moment) -> bool {
        let past = |since: Moment, span: Option<Duration>| span.is_some_and(|span| now > since.plus(span));
        past(self.rotated_at, rules.cap) || past(self.active_at, rules.idle)
    }

    fn generation(&self, serial: u32) -> Option<&Generation> {
        self.recent.iter().rev().find(|generation| generation.issue.serial == serial)
    }
}

fn remembered(rules: &Rules) -> usize {
    match (rules.grace, rules.penalty) {
        (None, Penalty::None | Penalty::Family) => REMEMBERED_STRICTLY,
        (Some(_), _) | (None, Penalty::Granted | Penalty::Successor) => REMEMBERED,
    }
}

/// Whether the first use of a token that was made at `born` replaces it.
fn is_replaced(born: Moment, rules: &Rules, now: Moment) -> bool {
    match rules.rotates {
        Rotates::Always => true,
        Rotates::Never => false,
        Rotates::After(hundredths) => now >= born.plus(rules.refresh_lifetime / 100 * hundredths),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::suite::environment::MockPolicy;

    const START: Moment = Moment(1_700_000_000_000);

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
            Walk { family: Family::open(0, 0, Scope::ALL, START).0, rules: Rules::preset(policy) }
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
        for policy in [
            MockPolicy::GraceSamePair,
            MockPolicy::GraceActivePair,
            MockPolicy::GraceNewPair,
            MockPolicy::GracePruned,
        ] {
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
        for serial in 0..200 {
            walk.at(1, serial).unwrap();
        }
        assert_eq!(walk.serial_at(2, 0), Err(Refusal::Reused));
        assert_eq!(walk.serial_at(2, 200), Err(Refusal::Revoked));
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
