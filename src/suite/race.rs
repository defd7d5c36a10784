//! Races: several calls on one chain that leave together.

use std::time::Duration;

use super::call::Call;
use super::units::Depth;
use crate::source::Span;

/// More requests than this do not leave together: beyond it a race measures the kernel's queues.
pub const RACERS_MAX: u32 = 128;

/// `race`
#[derive(Clone, Debug)]
pub struct Race {
    /// What leaves together, in order.
    pub legs: Vec<Leg>,
    /// How much later each next leg leaves; nothing: at once.
    pub gap: Option<Gap>,
    /// How they are made to leave together.
    pub release: Release,
}

impl Race {
    /// The calls of its legs.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.legs.iter().map(|leg| &leg.call)
    }
}

/// One leg: a call, so many times.
#[derive(Clone, Debug)]
pub struct Leg {
    /// What is called.
    pub call: Call,
    /// How often.
    pub times: Times,
    /// `as`: names the exchanges of this leg alone.
    pub name: Option<String>,
    /// The leg's verb.
    pub at: Span,
}

/// How often a leg is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Times {
    /// So often.
    Depth(Depth),
    /// As often as this dimension says.
    Dimension(String),
}

/// The time between two legs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// So long.
    Time(Duration),
    /// As long as this dimension says.
    Dimension(String),
}

/// How racers are made to leave together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Everything but the last byte is sent beforehand, and then all last bytes.
    LastByte,
    /// Connections are open beforehand, and then everything is sent.
    Barrier,
}
