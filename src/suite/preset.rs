//! What each preset of the mock promises, in the words of a policy. The mock does not read this: it has rules of
//! its own, and the two have to agree.

use std::time::Duration;

use super::environment::{MockPolicy, MockSpec, Variant};
use super::policy::{
    Grace, GraceAnswer, GraceReach, OldAccess, PairRule, Policy, RaceRule, ReplayAnswer, ReplayRevokes,
    Rotation, Siblings,
};

/// How long the presets with grace answer.
const GRACE: Duration = Duration::from_secs(10);

/// Tokens state whole seconds, and the clocks of two parties are read at two moments.
const SLACK: Duration = Duration::from_secs(2);

impl MockPolicy {
    /// The policy that fits the preset.
    pub fn promised(self) -> Policy {
        let (replay_answer, replay_revokes) = self.replay();
        let short = self == MockPolicy::ShortLived;
        Policy {
            rotation: Some(self.rotation()),
            replay_answer: Some(replay_answer),
            replay_revokes: Some(replay_revokes),
            grace: Some(self.grace()),
            old_access: Some(if short { OldAccess::Revoked } else { OldAccess::Valid }),
            pair: Some(PairRule::Checked),
            race: Some(self.race()),
            idle: short.then_some(Duration::from_mins(30)),
            cap: Some(if short { Duration::from_hours(8) } else { Duration::from_hours(24 * 30) }),
            access_lifetime: Some(Duration::from_mins(5)),
            refresh_lifetime: Some(if short { Duration::from_mins(50) } else { Duration::from_hours(24) }),
            slack: SLACK,
            ..Policy::default()
        }
    }

    fn rotation(self) -> Rotation {
        match self {
            MockPolicy::None => Rotation::Never,
            MockPolicy::Conditional => Rotation::Conditional,
            MockPolicy::StrictFamily
            | MockPolicy::StrictReject
            | MockPolicy::StrictSuccessor
            | MockPolicy::GraceSamePair
            | MockPolicy::GraceActivePair
            | MockPolicy::GraceNewPair
            | MockPolicy::GracePruned
            | MockPolicy::GraceRefused
            | MockPolicy::GraceAnyAncestor
            | MockPolicy::GraceOnce
            | MockPolicy::Count
            | MockPolicy::Stateless
            | MockPolicy::ShortLived => Rotation::Always,
        }
    }

    fn replay(self) -> (ReplayAnswer, ReplayRevokes) {
        match self {
            MockPolicy::StrictReject | MockPolicy::None | MockPolicy::Count => {
                (ReplayAnswer::Refused, ReplayRevokes::Nothing)
            }
            MockPolicy::StrictSuccessor => (ReplayAnswer::Refused, ReplayRevokes::Successor),
            MockPolicy::Stateless => (ReplayAnswer::Granted, ReplayRevokes::Nothing),
            MockPolicy::StrictFamily
            | MockPolicy::GraceSamePair
            | MockPolicy::GraceActivePair
            | MockPolicy::GraceNewPair
            | MockPolicy::GracePruned
            | MockPolicy::GraceRefused
            | MockPolicy::GraceAnyAncestor
            | MockPolicy::GraceOnce
            | MockPolicy::Conditional
            | MockPolicy::ShortLived => (ReplayAnswer::Refused, ReplayRevokes::Family),
        }
    }

    fn grace(self) -> Grace {
        let window = |answer, reach| Grace::Window {
            lasting: Some(GRACE),
            uses: None,
            answer: Some(answer),
            reach: Some(reach),
            siblings: Some(Siblings::Live),
        };
        match self {
            MockPolicy::GraceSamePair => window(GraceAnswer::SamePair, GraceReach::Parent),
            MockPolicy::GraceActivePair => window(GraceAnswer::ActivePair, GraceReach::Parent),
            MockPolicy::GraceNewPair => window(GraceAnswer::NewPair, GraceReach::Parent),
            MockPolicy::GraceRefused => window(GraceAnswer::Refused, GraceReach::Parent),
            MockPolicy::GraceAnyAncestor => window(GraceAnswer::ActivePair, GraceReach::Any),
            MockPolicy::GracePruned => Grace::Window {
                lasting: Some(GRACE),
                uses: None,
                answer: Some(GraceAnswer::NewPair),
                reach: Some(GraceReach::Parent),
                siblings: Some(Siblings::Pruned),
            },
            MockPolicy::GraceOnce => Grace::Window {
                lasting: Some(GRACE),
                uses: Some(1),
                answer: Some(GraceAnswer::SamePair),
                reach: Some(GraceReach::Parent),
                siblings: Some(Siblings::Live),
            },
            MockPolicy::Count => Grace::Window {
                lasting: None,
                uses: Some(2),
                answer: Some(GraceAnswer::NewPair),
                reach: Some(GraceReach::Any),
                siblings: Some(Siblings::Live),
            },
            MockPolicy::StrictFamily
            | MockPolicy::StrictReject
            | MockPolicy::StrictSuccessor
            | MockPolicy::None
            | MockPolicy::Conditional
            | MockPolicy::Stateless
            | MockPolicy::ShortLived => Grace::None,
        }
    }

    /// Where a late racer counts as a replay that ends the family, the winner may lose as well.
    fn race(self) -> RaceRule {
        match (self.replay().1, self.grace()) {
            (
                ReplayRevokes::Family | ReplayRevokes::Successor | ReplayRevokes::Session,
                Grace::None | Grace::Window { uses: Some(_), .. },
            ) => RaceRule::MayAllLose,
            (
                ReplayRevokes::Family | ReplayRevokes::Successor | ReplayRevokes::Session,
                Grace::Window { uses: None, .. },
            )
            | (ReplayRevokes::Nothing | ReplayRevokes::Presented, Grace::None | Grace::Window { .. }) => {
                RaceRule::OneWins
            }
        }
    }
}

impl MockSpec {
    /// The policy that fits the mock: that of its preset, with the lifetimes that it was given.
    pub fn promised(&self) -> Policy {
        let preset = self.policy.promised();
        let given = &self.lifetimes;
        let short = self.variants.contains(&Variant::ShortLifetimes).then_some(Duration::from_mins(1));
        Policy {
            access_lifetime: given.access.or(short).or(preset.access_lifetime),
            refresh_lifetime: given.refresh.or(preset.refresh_lifetime),
            idle: given.idle.or(preset.idle),
            cap: given.cap.or(preset.cap),
            old_access: given.old_access.or(preset.old_access),
            ..preset
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_promises_all_that_a_verdict_can_hang_on() {
        for (preset, word) in MockPolicy::ALL {
            let policy = preset.promised();
            let all = policy.rotation.is_some()
                && policy.replay_answer.is_some()
                && policy.replay_revokes.is_some()
                && policy.grace.is_some()
                && policy.old_access.is_some()
                && policy.race.is_some()
                && policy.refresh_lifetime.is_some();
            assert!(all, "{word}");
        }
    }

    #[test]
    fn lifetimes_that_a_mock_is_given_are_what_it_promises() {
        let mut spec = MockSpec::default();
        spec.lifetimes.idle = Some(Duration::from_mins(7));
        assert_eq!(spec.promised().idle, Some(Duration::from_mins(7)));
        assert_eq!(spec.promised().cap, MockPolicy::StrictFamily.promised().cap);
    }
}
