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
        /// How long in all.
        lasting: Duration,
        /// Pause between answer and next request.
        think: Duration,
    },
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
    /// How long the profile takes by its own words; `None` where only `refreshes` ends it.
    pub fn lasting(&self) -> Option<Duration> {
        match &self.model {
            Model::Open(stages) => Some(stages.iter().map(|stage| stage.lasting).sum()),
            Model::Closed { lasting, .. } if self.refreshes.is_none() => Some(*lasting),
            Model::Closed { .. } => None,
        }
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
