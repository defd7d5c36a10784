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
    /// The key.
    pub at: Span,
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
    /// The expression's words.
    pub at: Place,
}
