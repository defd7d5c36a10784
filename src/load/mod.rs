//! The load engine: a profile and a source of chains in, a [`LoadResult`] out.
//!
//! Owns pacing, workers and recording. The schedule is pure data ([`schedule`]); workers have their own
//! runtime, connections and histograms and share nothing per request. Never prints; never judges an objective
//! (that is `results`).

pub mod mix;
pub mod schedule;

use std::sync::Arc;

use crate::chain::Identity;
use crate::chain::source::{NoChain, Source};
use crate::client::Client;
use crate::dialect::Dialect;
use crate::results::LoadResult;
use crate::results::event::Narrator;
use crate::secret::FingerprintKey;
use crate::suite::profile::Profile;

/// Everything a load needs.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The door.
    pub client: Arc<Client>,
    /// How the endpoint speaks.
    pub dialect: Arc<Dialect>,
    /// Where chains come from.
    pub source: Arc<Source>,
    /// Whose chains, in turn.
    pub identities: Vec<Arc<Identity>>,
    /// The run's fingerprint key.
    pub key: FingerprintKey,
    /// The run's seed.
    pub seed: u64,
}

/// Runs one profile to its end, or to `stop`. Chains are opened first and are not part of the measurement.
pub async fn run(
    ground: &Ground,
    profile: &Profile,
    narrator: &Narrator,
    stop: &crate::results::event::Stop,
) -> Result<LoadResult, NoChain> {
    let _ = (ground, profile, narrator, stop);
    todo!()
}

/// What a profile asks for, in words: `open, 200/s for 10 s`.
pub fn asks(profile: &Profile) -> String {
    let _ = profile;
    todo!()
}

/// How many chains a profile will open, by its own words or by rate × a guess of the longest answer.
pub fn chains_needed(profile: &Profile) -> u32 {
    let _ = profile;
    todo!()
}

/// How many requests a profile will send, at most.
pub fn requests_at_most(profile: &Profile) -> u64 {
    let _ = profile;
    todo!()
}
