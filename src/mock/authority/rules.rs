//! What happens to tokens: the rules of each policy, and what defects make of them.
//!
//! The mock's own reading of the presets. It does not know what a suite is told they promise.

use std::time::Duration;

use crate::suite::defect::Defect;
use crate::suite::environment::{MockLifetimes, MockPolicy, MockSpec, Variant};
use crate::suite::policy::OldAccess;

use super::super::defects::Switches;

/// How long a parent is answered under the grace presets.
const GRACE: Duration = Duration::from_secs(10);

/// Longer than any clock of ours is moved.
const FOREVER: Duration = Duration::from_hours(24 * 366 * 1000);

/// When a presented token is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rotates {
    /// By every use.
    Always,
    /// Never.
    Never,
    /// Once it has lived through so many hundredths of its time.
    After(u32),
}

/// What a replay beyond grace ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Penalty {
    /// Nothing, and it is granted: nobody remembers what was used.
    Granted,
    /// Nothing.
    None,
    /// What the token was traded for.
    Successor,
    /// Everything from the same login.
    Family,
}

/// What a used token is answered within grace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Graced {
    /// The pair it was answered with.
    SamePair,
    /// The newest pair.
    ActivePair,
    /// A sibling.
    NewPair,
    /// A sibling, and the elder ones end.
    Replacing,
    /// A refusal without a penalty.
    Refused,
}

/// Grace for used tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grace {
    /// How long after the first use.
    pub lasting: Duration,
    /// How many further uses.
    pub uses: u32,
    /// With what.
    pub answer: Graced,
    /// Whether every ancestor is answered, and not the parent alone.
    pub any_ancestor: bool,
    /// Whether every use begins the time anew; only a defect does that.
    pub restarts: bool,
    /// Whether the answer's token is kept; a defect forgets it.
    pub stored: bool,
}

/// What happens to tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub(super) rotates: Rotates,
    pub(super) penalty: Penalty,
    pub(super) grace: Option<Grace>,
    /// How long an access token lives, as it says itself.
    pub access_lifetime: Duration,
    /// How long the resource accepts it.
    pub(super) access_accepted: Duration,
    /// Whether an access token outlives the next refresh.
    pub(super) old_access: bool,
    /// How long an unused refresh token lives.
    pub refresh_lifetime: Duration,
    /// How long a chain may rest.
    pub idle: Option<Duration>,
    /// How long a chain may last.
    pub cap: Option<Duration>,
    /// Whether use begins the time of rest anew; a defect forgets to.
    pub(super) idle_resets: bool,
    /// Whether rotation begins the time of the whole chain anew; only a defect does that.
    pub(super) cap_resets: bool,
    /// Whether a replay of an older ancestor than the parent is punished; a defect overlooks it.
    pub(super) sees_ancestors: bool,
}

impl Rules {
    /// The rules of a mock, defects and all.
    pub fn of(spec: &MockSpec) -> Rules {
        let switches = Switches::of(spec);
        let short = switches.is(Variant::ShortLifetimes).then_some(Duration::from_mins(1));
        let given = MockLifetimes { access: spec.lifetimes.access.or(short), ..spec.lifetimes };
        Rules::preset(spec.policy).living(&given).bent(switches)
    }

    /// A preset: five minutes, a day, no idle limit, thirty days, unless its name says otherwise.
    pub(super) fn preset(policy: MockPolicy) -> Rules {
        const DAY: Duration = Duration::from_hours(24);
        let plain = Rules {
            rotates: Rotates::Always,
            penalty: Penalty::Family,
            grace: None,
            access_lifetime: Duration::from_mins(5),
            access_accepted: Duration::from_mins(5),
            old_access: true,
            refresh_lifetime: DAY,
            idle: None,
            cap: Some(DAY.saturating_mul(30)),
            idle_resets: true,
            cap_resets: false,
            sees_ancestors: true,
        };
        let grace = |answer| Grace {
            lasting: GRACE,
            uses: u32::MAX,
            answer,
            any_ancestor: false,
            restarts: false,
            stored: true,
        };
        let graced = |grace| Rules { grace: Some(grace), ..plain };
        match policy {
            MockPolicy::StrictFamily => plain,
            MockPolicy::StrictReject => Rules { penalty: Penalty::None, ..plain },
            MockPolicy::StrictSuccessor => Rules { penalty: Penalty::Successor, ..plain },
            MockPolicy::GraceSamePair => graced(grace(Graced::SamePair)),
            MockPolicy::GraceActivePair => graced(grace(Graced::ActivePair)),
            MockPolicy::GraceNewPair => graced(grace(Graced::NewPair)),
            MockPolicy::GracePruned => graced(grace(Graced::Replacing)),
            MockPolicy::GraceRefused => graced(grace(Graced::Refused)),
            MockPolicy::GraceAnyAncestor => graced(Grace { any_ancestor: true, ..grace(Graced::ActivePair) }),
            MockPolicy::GraceOnce => graced(Grace { uses: 1, ..grace(Graced::SamePair) }),
            MockPolicy::None => Rules { rotates: Rotates::Never, penalty: Penalty::None, ..plain },
            MockPolicy::Conditional => Rules { rotates: Rotates::After(70), ..plain },
            MockPolicy::Count => {
                let count = Grace { uses: 2, lasting: FOREVER, any_ancestor: true, ..grace(Graced::NewPair) };
                Rules { penalty: Penalty::None, ..graced(count) }
            }
            MockPolicy::Stateless => Rules { penalty: Penalty::Granted, ..plain },
            MockPolicy::ShortLived => Rules {
                old_access: false,
                refresh_lifetime: Duration::from_mins(50),
                idle: Some(Duration::from_mins(30)),
                cap: Some(Duration::from_hours(8)),
                ..plain
            },
        }
    }

    fn living(self, given: &MockLifetimes) -> Rules {
        let access = given.access.unwrap_or(self.access_lifetime);
        Rules {
            access_lifetime: access,
            access_accepted: access,
            refresh_lifetime: given.refresh.unwrap_or(self.refresh_lifetime),
            idle: given.idle.or(self.idle),
            cap: given.cap.or(self.cap),
            old_access: match given.old_access {
                None => self.old_access,
                Some(OldAccess::Valid) => true,
                Some(OldAccess::Revoked) => false,
            },
            ..self
        }
    }

    /// What the defects make of them.
    pub(super) fn bent(mut self, switches: Switches) -> Rules {
        let has = |defect| switches.has(defect);
        if has(Defect::RefreshUnchanged) {
            self.rotates = Rotates::Never;
        }
        if has(Defect::RefreshRotates) {
            self.rotates = Rotates::Always;
        }
        if has(Defect::OldRefreshValid) {
            self.penalty = Penalty::Granted;
        }
        if has(Defect::ReuseNotPunished) {
            self.penalty = Penalty::None;
        }
        if has(Defect::ReuseEndsFamily) {
            self.penalty = Penalty::Family;
        }
        self.sees_ancestors &= !has(Defect::GrandparentUnpunished);
        if has(Defect::GraceIgnored) {
            self.grace = None;
        }
        if let Some(grace) = &mut self.grace {
            grace.bend(switches);
        }
        self.lifetimes_bent(switches)
    }

    fn lifetimes_bent(mut self, switches: Switches) -> Rules {
        let has = |defect| switches.has(defect);
        if has(Defect::RefreshNeverExpires) {
            (self.refresh_lifetime, self.idle, self.cap) = (FOREVER, None, None);
        }
        if has(Defect::IdleIgnored) {
            self.idle = None;
        }
        self.idle_resets &= !has(Defect::IdleNotReset);
        self.cap_resets |= has(Defect::CapReset);
        if has(Defect::CapEarly) {
            self.cap = self.cap.map(|cap| cap / 2);
        }
        if has(Defect::OldAccessAccepted) {
            self.old_access = true;
        }
        if has(Defect::OldAccessDies) {
            self.old_access = false;
        }
        if has(Defect::AccessOutlivesExpiry) {
            self.access_accepted = FOREVER;
        }
        if has(Defect::AccessDiesEarly) {
            self.access_accepted /= 4;
        }
        self
    }
}

impl Grace {
    fn bend(&mut self, switches: Switches) {
        if switches.has(Defect::GraceTooLong) {
            self.lasting = self.lasting.saturating_mul(10);
        }
        if switches.has(Defect::GraceOtherPair) {
            self.answer = Graced::NewPair;
        }
        if switches.has(Defect::GraceUsesIgnored) {
            self.uses = u32::MAX;
        }
        if switches.has(Defect::SiblingPruned) {
            self.answer = Graced::Replacing;
        }
        if switches.has(Defect::SiblingKept) {
            self.answer = Graced::NewPair;
        }
        self.restarts |= switches.has(Defect::GraceRestarts);
        self.any_ancestor |= switches.has(Defect::GraceAnyGeneration);
        self.stored &= !switches.has(Defect::GraceUnknownToken);
    }
}
