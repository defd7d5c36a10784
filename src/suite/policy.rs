//! The policy: what the server promises about rotation, replay, grace and lifetimes (RFC 9700 section 4.14.2).
//!
//! There is no universal right, so checks derive what is right from this. Every word may be unknown.

use std::time::Duration;

use crate::source::Place;

/// What the server promises. `None` is unknown: verdicts that hang on it are skipped, with the word named.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// `rotation`
    pub rotation: Option<Rotation>,
    /// `replay.answer`
    pub replay_answer: Option<ReplayAnswer>,
    /// `replay.revokes`
    pub replay_revokes: Option<ReplayRevokes>,
    /// `grace`
    pub grace: Option<Grace>,
    /// `old-access`
    pub old_access: Option<OldAccess>,
    /// `pair`
    pub pair: Option<PairRule>,
    /// `race`
    pub race: Option<RaceRule>,
    /// `idle`: unused this long, a chain ends.
    pub idle: Option<Duration>,
    /// `cap`: this old, a chain ends whatever its use.
    pub cap: Option<Duration>,
    /// `access-lifetime`
    pub access_lifetime: Option<Duration>,
    /// `refresh-lifetime`
    pub refresh_lifetime: Option<Duration>,
    /// `budget`: how good answers are.
    pub budget: Budget,
    /// `slack`: how exact the server's clock is; zero where left out.
    pub slack: Duration,
    /// `confirmed: false`, and where it says so: nobody vouches for these words, so what hangs on them is observed
    /// and not promised.
    pub unconfirmed: Option<Place>,
    /// Where each promise is written, by its path (`replay.answer`).
    pub places: Vec<(String, Place)>,
}

/// `budget`: what the server promises of its answers under load. Thresholds are never derived: what is left out is
/// judged by nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// `budget.p50`: response time of half of the answers.
    pub p50: Option<Duration>,
    /// `budget.p95`
    pub p95: Option<Duration>,
    /// `budget.p99`
    pub p99: Option<Duration>,
    /// `budget.errors`: the share of good requests that may fail.
    pub errors: Option<f64>,
    /// `budget.rate`: refreshes per second that it keeps up with.
    pub rate: Option<f64>,
}

/// `rotation`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum Rotation {
    Always,
    Never,
    Conditional,
}

/// `replay.answer`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum ReplayAnswer {
    Refused,
    Granted,
}

/// `replay.revokes`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum ReplayRevokes {
    Nothing,
    Presented,
    Successor,
    Family,
    Session,
}

/// `grace`
#[derive(Clone, Debug, PartialEq)]
pub enum Grace {
    /// `none`
    None,
    /// A window in which the old token is answered.
    Window {
        /// How long.
        lasting: Option<Duration>,
        /// How many uses.
        uses: Option<u32>,
        /// With what.
        answer: Option<GraceAnswer>,
        /// Which ancestors.
        reach: Option<GraceReach>,
        /// Whether all children of a fork live.
        siblings: Option<Siblings>,
    },
}

/// `grace.answer`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum GraceAnswer {
    SamePair,
    ActivePair,
    NewPair,
    Refused,
}

/// `grace.reach`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum GraceReach {
    Parent,
    Any,
}

/// `grace.siblings`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum Siblings {
    Live,
    Pruned,
}

/// `old-access`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum OldAccess {
    Valid,
    Revoked,
}

/// `pair`: what the server does with the access token beside the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum PairRule {
    Ignored,
    Checked,
    MustBeExpired,
}

/// `race`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum RaceRule {
    OneWins,
    MayAllLose,
}
