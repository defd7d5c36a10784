//! What a load found beside its own figures: its sentinels, and what ended it before its time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A check that ran again and again inside a load, on chains of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SentinelResult {
    /// `LIF-06`
    pub id: String,
    /// The check's sentence.
    pub title: String,
    /// Rounds that came to their end while the load ran.
    pub rounds: u64,
    /// Those of them in which a `must` did not hold.
    pub violated: u64,
    /// Those of them that judged nothing.
    pub untold: u64,
    /// Why the first of these did not; or why there was no round at all.
    pub why_untold: Option<String>,
    /// The first violation.
    pub first: Option<FirstViolation>,
}

/// The first time that a sentinel was violated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstViolation {
    /// When, in microseconds from the start of the profile.
    pub at_us: u64,
    /// The load at that moment, requests per second: what was asked for, or what users made of it.
    pub rate: f64,
    /// What was found, a fragment.
    pub found: String,
}

impl SentinelResult {
    /// This and the rounds of the same sentinel under another rate, which ran after it.
    pub fn add(&mut self, later: SentinelResult) {
        self.rounds += later.rounds;
        self.violated += later.violated;
        self.untold += later.untold;
        self.why_untold = self.why_untold.take().or(later.why_untold);
        self.first = self.first.take().or(later.first);
    }
}

/// What ended a profile before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyEnd {
    /// When, in microseconds from the start of the profile.
    pub at_us: u64,
    /// Why, a fragment: "`response.p99 > 2s` over the last 10 s".
    pub reason: String,
    /// Whether it was its `abort`, which is an objective; otherwise its `stop-on`.
    pub aborted: bool,
}
