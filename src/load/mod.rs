//! The load engine: a profile and a source of chains in, a [`LoadResult`] out.
//!
//! Owns pacing, workers and recording. The schedule is pure data ([`schedule`]); workers have their own
//! runtime, connections and histograms and share nothing per request. Never prints; never judges an objective
//! (that is `results`).

mod chance;
mod driver;
mod means;
mod mix;
mod order;
mod pacer;
mod phases;
mod pool;
pub mod schedule;
mod search;
mod searching;
pub mod sentinels;
mod series;
mod tally;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;

use crate::chain::Identity;
use crate::chain::source::{NoChain, Source};
use crate::client::Client;
use crate::dialect::Dialect;
use crate::results::LoadResult;
use crate::results::event::{Event, Narrator, Stop};
use crate::secret::FingerprintKey;
use crate::suite::profile::{Model, Profile};

use self::means::Means;
use self::order::Order;
use self::search::HOLDS_MAX;
use self::sentinels::Sentinels;

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
    /// The endpoint runs in this process, and shares its descriptors.
    pub embedded: bool,
    /// What plays the sentinels of its profiles, where they have some.
    pub sentinels: Option<Arc<dyn Sentinels>>,
}

/// Runs one profile and those beside it to their end, or to `stop`: its result first, then theirs. Chains are opened
/// first and are not part of the measurement.
///
/// The worker threads end when the future is dropped. Slip is judged as if no objective were set on latency:
/// whoever knows the objectives calls [`crate::results::trust::weigh`] on the results.
pub async fn run(
    ground: &Ground,
    profile: &Profile,
    narrator: &Narrator,
    stop: &Stop,
) -> Result<Vec<LoadResult>, NoChain> {
    let needed = Means::needed(profile.all(), ground.embedded);
    driver::allow_many_files();
    if let Some(missing) = Means::of_this_machine().shortage(needed) {
        return Err(NoChain::NoLogin(missing));
    }
    if let Model::Search(search) = &profile.model {
        return Ok(vec![searching::run(ground, profile, search, narrator, stop).await?]);
    }
    let profiles: Vec<&Profile> = profile.all().collect();
    let together = Barrier::new(profiles.len());
    at_once(ground, &profiles, narrator, stop, &together).await
}

/// Runs profiles at once. Where one gets no chains, the others are called off.
async fn at_once(
    ground: &Ground,
    profiles: &[&Profile],
    narrator: &Narrator,
    stop: &Stop,
    together: &Barrier,
) -> Result<Vec<LoadResult>, NoChain> {
    let Some((first, others)) = profiles.split_first() else { return Ok(Vec::new()) };
    let others = Box::pin(at_once(ground, others, narrator, stop, together));
    let (own, theirs) = tokio::try_join!(one(ground, first, narrator, stop, together), others)?;
    Ok(std::iter::once(own).chain(theirs).collect())
}

/// Runs one profile, which starts when all have their chains.
async fn one(
    ground: &Ground,
    profile: &Profile,
    narrator: &Narrator,
    stop: &Stop,
    together: &Barrier,
) -> Result<LoadResult, NoChain> {
    narrator.say(Event::ProfileStarted { name: profile.name.clone() });
    let chains = chains_of(profile);
    let result =
        driver::run(ground, Order::new(profile, ground.seed), chains, narrator, stop, together).await?;
    narrator.say(Event::ProfileFinished(Box::new(result.clone())));
    Ok(result)
}

/// What a profile asks for, in words: `open, 200/s for 10 s`.
pub fn asks(profile: &Profile) -> String {
    Order::new(profile, 0).asks().to_owned()
}

/// How many chains a profile and those beside it will open, by their own words or by rate × a guess of the longest
/// answer. Chains that are refused under load are replaced, up to as many again (64 at least).
pub fn chains_needed(profile: &Profile) -> u32 {
    profile.all().map(chains_of).fold(0, u32::saturating_add)
}

/// How many chains of one profile are open at the same time.
fn chains_at_once(profile: &Profile) -> u32 {
    match &profile.model {
        Model::Search(search) => chains_for(search.to),
        Model::Open(_) | Model::Closed { .. } | Model::Herd { .. } => chains_of(profile),
    }
}

/// How many chains one profile will open.
fn chains_of(profile: &Profile) -> u32 {
    match (&profile.model, profile.chains) {
        (Model::Closed { users, .. }, _) => (*users).max(1),
        (Model::Herd { chains, .. }, _) => (*chains).max(1),
        (Model::Open(_), Some(chains)) => chains.max(1),
        (Model::Open(_), None) => chains_for(profile.peak().unwrap_or_default()),
        (Model::Search(search), _) => searching::rates_at_most(search).map(chains_for).sum(),
    }
}

/// How long a profile and those beside it take at most, chains aside; nothing where only a count ends it.
pub fn at_most(profile: &Profile) -> Duration {
    let of_one = |profile: &Profile| match &profile.model {
        Model::Search(search) => search.hold * HOLDS_MAX,
        Model::Open(_) | Model::Closed { .. } | Model::Herd { .. } => profile.lasting().unwrap_or_default(),
    };
    profile.all().map(of_one).max().unwrap_or_default()
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

/// How many requests a profile and those beside it will send, at most. Spare logins are not among them.
pub fn requests_at_most(profile: &Profile) -> u64 {
    profile.all().map(requests_of_one).fold(0, u64::saturating_add)
}

fn requests_of_one(profile: &Profile) -> u64 {
    match &profile.model {
        Model::Search(search) => searching::requests_at_most(profile, search),
        Model::Open(_) | Model::Closed { .. } | Model::Herd { .. } => {
            Order::new(profile, 0).requests_at_most()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Failure;
    use crate::results::class;
    use crate::suite::profile::{Connections, Spacing, Stage};

    #[expect(clippy::default_trait_access, reason = "spans belong to `source`, which load does not know")]
    pub(super) fn profile(model: Model, formats: &[(&str, u32)], warm_up_ms: u64) -> Profile {
        Profile {
            name: "steady".to_owned(),
            model,
            refreshes: None,
            chains: None,
            formats: formats.iter().map(|(word, share)| ((*word).to_owned(), *share)).collect(),
            calls: Vec::new(),
            beside: Vec::new(),
            warm_up: Duration::from_millis(warm_up_ms),
            max_wait: Duration::from_mins(1),
            spacing: Spacing::Even,
            connections: Connections::Keep,
            sentinels: Vec::new(),
            abort: None,
            stop_on: None,
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
        let closed = Model::Closed { users: 7, lasting: Some(Duration::from_secs(1)), think: Duration::ZERO };
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
