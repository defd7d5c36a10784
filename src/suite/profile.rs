//! Load profiles and objectives: how much, for how long, and what is good enough.

use std::time::Duration;

use crate::source::{Place, Span};

use super::claim::Strength;
use super::expression::Expression;

/// One load profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its key in the suite; the step's name where it stands in a check.
    pub name: String,
    /// Where requests come from.
    pub model: Model,
    /// `refreshes`: stop after this many instead of after a time.
    pub refreshes: Option<u64>,
    /// `chains`: how many; absent lets the plan compute it.
    pub chains: Option<u32>,
    /// `formats`: shares by format or media type; empty is the dialect's first format alone.
    pub formats: Vec<(String, u32)>,
    /// `calls`: shares of calls; empty is the good call alone.
    pub calls: Vec<(LoadCall, u32)>,
    /// `beside`: profiles that run at the same time.
    pub beside: Vec<Profile>,
    /// `warm-up`: this long at the start is outside every figure.
    pub warm_up: Duration,
    /// `max-wait`: an arrival that waits longer for a chain is starved.
    pub max_wait: Duration,
    /// `spacing`: how arrivals lie around their rate.
    pub spacing: Spacing,
    /// `connections`: how long one is kept.
    pub connections: Connections,
    /// `sentinels`: light checks that run meanwhile, on chains of their own.
    pub sentinels: Vec<Sentinel>,
    /// `abort`: where this holds, the profile ends at once and has missed an objective.
    pub abort: Option<Abort>,
    /// `stop-on`: what ends it besides.
    pub stop_on: Option<StopOn>,
    /// The key.
    pub at: Span,
}

/// How arrivals lie around their rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spacing {
    /// Evenly: what one machine that counts does.
    #[default]
    Even,
    /// As chance has it, by the seed: what many callers do who know nothing of each other.
    Poisson,
}

impl Spacing {
    /// All spacings with their words.
    pub const ALL: [(Spacing, &'static str); 2] = [(Spacing::Even, "even"), (Spacing::Poisson, "poisson")];
}

/// How long a connection is kept. A chain goes on over the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Connections {
    /// For as long as the endpoint keeps it.
    #[default]
    Keep,
    /// For so many requests; one is a new connection each time.
    Requests(u32),
}

/// A light check that runs inside a load.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentinel {
    /// The check's id.
    pub check: String,
    /// Rounds per second.
    pub rate: f64,
    /// The id, where it was written.
    pub at: Span,
}

/// What ends a profile at once.
#[derive(Clone, Debug)]
pub struct Abort {
    /// The condition, over the last seconds.
    pub when: Expression,
    /// How many seconds it looks back on.
    pub over: Duration,
    /// The condition's words.
    pub at: Place,
}

/// What ends a profile besides its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopOn {
    /// The first sentinel that is violated, the first token that was issued twice or to another chain, or the first
    /// grant to a token that was never issued.
    Violation,
}

impl StopOn {
    /// All of them with their words.
    pub const ALL: [(StopOn, &'static str); 1] = [(StopOn::Violation, "violation")];
}

/// Where requests come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// `arrivals`: open; stages in order.
    Open(Vec<Stage>),
    /// `users`: closed; each starts its next refresh when the last is answered and `think` has passed.
    Closed {
        /// How many.
        users: u32,
        /// How long in all; `None` where only `refreshes` ends it.
        lasting: Option<Duration>,
        /// Pause between answer and next request.
        think: Duration,
    },
    /// `herd`: the tokens of all chains expire in one moment, and each chain renews once.
    Herd {
        /// How many.
        chains: u32,
        /// The renewals are spread evenly over this long.
        jitter: Duration,
    },
    /// `search`: the highest rate at which `until` does not hold.
    Search(Search),
}

/// Looks for the highest rate that an endpoint keeps up with.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The first rate, per second.
    pub from: f64,
    /// No rate above this one is tried.
    pub to: f64,
    /// How long each rate is held.
    pub hold: Duration,
    /// What ends it: a condition over the figures of one rate.
    pub until: Expression,
}

/// A kind of call under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoadCall {
    /// The good call with the current pair.
    Good,
    /// The good call with a refresh token that was never issued; a refusal is the right answer.
    Unknown,
}

impl LoadCall {
    /// All calls with their words.
    pub const ALL: [(LoadCall, &'static str); 2] = [(LoadCall::Good, "good"), (LoadCall::Unknown, "unknown")];

    /// The word in suites, and the name of the part that has its figures.
    pub fn word(self) -> &'static str {
        match self {
            LoadCall::Good => "good",
            LoadCall::Unknown => "unknown",
        }
    }
}

/// A profile at both depths.
#[derive(Clone, Debug)]
pub struct Depths {
    /// In a quick run.
    pub quick: Profile,
    /// In a full run.
    pub full: Profile,
}

impl Depths {
    /// The profile of this run.
    pub fn at(&self, full: bool) -> &Profile {
        if full { &self.full } else { &self.quick }
    }
}

/// One stage of an open profile: the rate goes in a straight line from `from` to `to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Per second, at the start.
    pub from: f64,
    /// Per second, at the end.
    pub to: f64,
    /// How long.
    pub lasting: Duration,
}

impl Profile {
    /// How long the profile takes by its own words; `None` where only `refreshes` ends it, or what is found.
    pub fn lasting(&self) -> Option<Duration> {
        match &self.model {
            Model::Open(stages) => Some(stages.iter().map(|stage| stage.lasting).sum()),
            Model::Closed { lasting, .. } => *lasting,
            Model::Herd { jitter, .. } => Some(*jitter),
            Model::Search(_) => None,
        }
    }

    /// The highest rate that it asks for, per second; `None` where users decide.
    pub fn peak(&self) -> Option<f64> {
        match &self.model {
            Model::Open(stages) => {
                Some(stages.iter().map(|stage| stage.from.max(stage.to)).fold(0.0, f64::max))
            }
            Model::Closed { .. } | Model::Herd { .. } => None,
            Model::Search(search) => Some(search.to),
        }
    }

    /// The profile and those beside it.
    pub fn all(&self) -> impl Iterator<Item = &Profile> {
        std::iter::once(self).chain(&self.beside)
    }
}

/// What is good enough, by name.
#[derive(Clone, Debug)]
pub struct Objective {
    /// Its key: the stable id in reports.
    pub name: String,
    /// `must` (a bare expression), `should` or `info`.
    pub strength: Strength,
    /// The condition.
    pub condition: Expression,
    /// `over`: it must hold in every window of this length, and not only over the whole profile.
    pub over: Option<Duration>,
    /// The expression's words.
    pub at: Place,
}
