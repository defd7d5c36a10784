//! The load engine: a profile and a source of chains in, a [`LoadResult`] out.
//!
//! Owns pacing, workers and recording. The schedule is pure data ([`schedule`]); workers have their own
//! runtime, connections and histograms and share nothing per request. Never prints; never judges an objective
//! (that is `results`).

mod driver;
mod mix;
mod order;
mod pacer;
mod pool;
pub mod schedule;
mod series;
mod tally;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use crate::chain::Identity;
use crate::chain::source::{NoChain, Source};
use crate::client::Client;
use crate::dialect::Dialect;
use crate::results::LoadResult;
use crate::results::event::{Event, Narrator, Stop};
use crate::secret::FingerprintKey;
use crate::suite::profile::{Model, Profile};

use self::order::Order;

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
///
/// The worker threads end when the future is dropped. Slip is judged as if no objective were set on latency:
/// whoever knows the objectives calls [`crate::results::trust::weigh`] on the result.
pub async fn run(
    ground: &Ground,
    profile: &Profile,
    narrator: &Narrator,
    stop: &Stop,
) -> Result<LoadResult, NoChain> {
    narrator.say(Event::ProfileStarted { name: profile.name.clone() });
    let result = driver::run(ground, Order::new(profile), chains_needed(profile), narrator, stop).await?;
    narrator.say(Event::ProfileFinished(Box::new(result.clone())));
    Ok(result)
}

/// What a profile asks for, in words: `open, 200/s for 10 s`.
pub fn asks(profile: &Profile) -> String {
    Order::new(profile).asks()
}

/// How many chains a profile will open, by its own words or by rate × a guess of the longest answer. Chains
/// that are refused under load are replaced, up to as many again (64 at least).
pub fn chains_needed(profile: &Profile) -> u32 {
    match (&profile.model, profile.chains) {
        (Model::Closed { users, .. }, _) => (*users).max(1),
        (Model::Open(_), Some(chains)) => chains.max(1),
        (Model::Open(stages), None) => {
            let peak = stages.iter().map(|stage| stage.from.max(stage.to)).fold(0.0, f64::max);
            chains_for(peak)
        }
    }
}

/// Enough chains for the highest rate if no answer takes longer than [`LONGEST_ANSWER`].
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn chains_for(peak: f64) -> u32 {
    (peak * LONGEST_ANSWER.as_secs_f64()).ceil().clamp(CHAINS_MIN, CHAINS_MAX) as u32
}

/// The guess of the longest answer. Where answers take longer, arrivals wait for a chain and are counted as
/// delayed, so a wrong guess costs no honesty.
const LONGEST_ANSWER: Duration = Duration::from_millis(250);
/// Chains of an open profile that does not say how many.
const CHAINS_MIN: f64 = 8.0;
/// Chains of an open profile that does not say how many, at most.
const CHAINS_MAX: f64 = 4096.0;

/// How many requests a profile will send, at most. Spare logins are not among them.
pub fn requests_at_most(profile: &Profile) -> u64 {
    Order::new(profile).requests_at_most()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Failure;
    use crate::results::class;
    use crate::suite::profile::Stage;

    #[expect(clippy::default_trait_access, reason = "spans belong to `source`, which load does not know")]
    pub(super) fn profile(model: Model, formats: &[(&str, u32)], warm_up_ms: u64) -> Profile {
        Profile {
            name: "steady".to_owned(),
            model,
            refreshes: None,
            chains: None,
            formats: formats.iter().map(|(word, share)| ((*word).to_owned(), *share)).collect(),
            warm_up: Duration::from_millis(warm_up_ms),
            max_wait: Duration::from_mins(1),
            at: Default::default(),
        }
    }

    fn open(rate: f64, seconds: u64) -> Profile {
        profile(
            Model::Open(vec![Stage { from: 0.0, to: rate, lasting: Duration::from_secs(seconds) }]),
            &[],
            0,
        )
    }

    #[test]
    fn chains_follow_the_highest_rate() {
        assert_eq!(chains_needed(&open(1000.0, 10)), 250);
        assert_eq!(chains_needed(&open(1.0, 10)), 8);
        assert_eq!(chains_needed(&Profile { chains: Some(3), ..open(1000.0, 10) }), 3);
        assert_eq!(chains_needed(&open(1e12, 1)), 4096);
        let closed = Model::Closed { users: 7, lasting: Duration::from_secs(1), think: Duration::ZERO };
        assert_eq!(chains_needed(&profile(closed, &[], 0)), 7);
    }

    #[test]
    fn requests_are_bounded() {
        assert_eq!(requests_at_most(&open(1000.0, 10)), 5000);
        assert_eq!(requests_at_most(&Profile { refreshes: Some(12), ..open(1000.0, 10) }), 12);
    }

    #[test]
    fn a_failure_is_lost_exactly_where_a_token_may_have_been_spent() {
        use crate::client::Failure::*;
        let all: [Failure; 25] = [
            Dns,
            ConnectRefused,
            ConnectTimeout,
            Unreachable,
            TlsCertificate,
            Tls,
            Reset,
            ClosedBeforeAnswer,
            ClosedWithinAnswer,
            ReuseRace,
            ResponseTimeout,
            OversizedBody,
            OversizedHead,
            NotHttp,
            AmbiguousLength,
            BrokenChunks,
            TrailingBytes,
            EarlyAnswer,
            EndlessInformational,
            LocalPorts,
            LocalFiles,
            Guarded,
            Aborted,
            Stopped,
            Other,
        ];
        for failure in all {
            assert_eq!(class::is_lost(failure.word()), crate::chain::may_have_spent(failure), "{failure:?}");
        }
    }
}
