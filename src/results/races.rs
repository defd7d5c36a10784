//! What races came to, as the run file keeps it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What came of one race of a check in one cell, over its rounds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RaceResult {
    /// The step's name.
    pub name: String,
    /// The cell of `over`, if any: "racers=8".
    pub cell: Option<String>,
    /// What leaves together: "8 × refresh".
    pub legs: String,
    /// Rounds that were run.
    pub rounds: u32,
    /// Rounds in which every request was sent whole before the first answer came.
    pub overlapping: u32,
    /// Rounds that count: they overlapped, or were not meant to, and everybody was answered.
    pub telling: u32,
    /// Rounds of those in which a promise was broken.
    pub broken: u32,
    /// What that says, as a sentence: "0 of 300: below 1 % at 95 %".
    pub confidence: String,
    /// The largest share of broken rounds that this leaves possible at 95 %, 0 to 1.
    pub upper: f64,
    /// From the first release of a round to its last, in microseconds: the median, and the longest.
    pub spread_us: (u64, u64),
    /// How the rounds ended, the most frequent first.
    pub outcomes: Vec<RaceOutcome>,
    /// One round, moment by moment: the first in which a promise was broken, else the first that counts.
    pub shown: Option<ShownRound>,
}

/// One way in which rounds ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RaceOutcome {
    /// Requests that were granted.
    pub successes: u32,
    /// Different refresh tokens among them.
    pub successors: u32,
    /// Of those, usable afterwards; nothing where that was not tried.
    pub live: Option<u32>,
    /// Whether the family could go on; nothing where that was not tried.
    pub family: Option<bool>,
    /// Requests that the server failed on.
    pub crashes: u32,
    /// Requests without an answer that says anything.
    pub silent: u32,
    /// In so many rounds.
    pub rounds: u32,
    /// Of those, in so many a promise was broken.
    pub broken: u32,
    /// What it means, where that needs saying.
    pub note: Option<String>,
}

/// One round, moment by moment. Moments are microseconds from the first release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownRound {
    /// Which, from 1.
    pub round: u32,
    /// Whether its requests overlapped.
    pub overlapped: bool,
    /// Why it is shown, where a promise was broken.
    pub broken: Option<String>,
    /// From the first release to the last.
    pub spread_us: u64,
    /// Who took part, in the order of release.
    pub racers: Vec<RacerMoments>,
    /// What was tried afterwards, in order: "successor 1: granted", "the family: refused".
    pub afterwards: Vec<String>,
}

/// One request of a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RacerMoments {
    /// Its leg: `refresh`, or the leg's name.
    pub leg: String,
    /// When everything but what was kept back had been sent; before the release, so at most 0.
    pub held_us: Option<i64>,
    /// When its end was sent.
    pub released_us: i64,
    /// When the first byte of its answer was there.
    pub first_byte_us: Option<i64>,
    /// When its answer was complete.
    pub done_us: i64,
    /// How it ended: `granted (200)`, `refused: reused (200)`, `reset`.
    pub ended: String,
    /// Which successor it got, numbered from 1 in the round.
    pub successor: Option<u32>,
    /// Whether that could be used afterwards.
    pub live: Option<bool>,
}
