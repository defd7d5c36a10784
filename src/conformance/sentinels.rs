//! Checks as sentinels: rounds of them, played while a load runs, on chains of their own.
//!
//! The endpoint's clock is never moved for them: the load lives by it. Where a step waits, they wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;

use crate::chain::source::NoChain;
use crate::load;
use crate::load::sentinels::{Lane, Sentinels, Turns};
use crate::results::event::{Narrator, Stop};
use crate::results::{Burn, CheckResult, LoadResult};
use crate::suite::Suite;
use crate::suite::catalogue;
use crate::suite::check::Check;
use crate::suite::profile::Profile;

use super::cell::Cell;
use super::court::Court;
use super::needs::{self, Means, Need};
use super::tally::Tally;
use super::{Counted, Ground, script, verdict};

/// What sentinels did beside what they found.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Their verdicts, by profile and check: `LIF-06@spike`.
    pub checks: Vec<CheckResult>,
    /// Their book of refreshes.
    pub counted: Counted,
    /// Chains that they gave up.
    pub families_lost: u64,
}

/// Runs a profile with its sentinels, and those beside it with theirs.
pub async fn run(
    ground: &Ground,
    load_ground: load::Ground,
    profile: &Profile,
    narrator: &Narrator,
    stop: &Stop,
) -> (Result<Vec<LoadResult>, NoChain>, Watched) {
    if profile.all().all(|profile| profile.sentinels.is_empty()) {
        return (load::run(&load_ground, profile, narrator, stop).await, Watched::default());
    }
    let garrison = Arc::new(Garrison::muster(ground, profile).await);
    let sentinels: Arc<dyn Sentinels> = Arc::new(Roster(Arc::clone(&garrison)));
    let load_ground = load::Ground { sentinels: Some(sentinels), ..load_ground };
    let results = load::run(&load_ground, profile, narrator, stop).await;
    (results, garrison.report())
}

/// What a profile spends with its sentinels, at most.
pub fn burn_of(suite: &Suite, profile: &Profile) -> Burn {
    let mut burn = Burn {
        requests: load::requests_at_most(profile),
        chains: u64::from(load::chains_needed(profile)),
        families_lost: 0,
    };
    let lasting = load::at_most(profile);
    for sentinel in profile.all().flat_map(|profile| &profile.sentinels) {
        let Some(check) = find(suite, &sentinel.check) else { continue };
        let round = needs::of_round(&check);
        let rounds = rounds_within(sentinel.rate, lasting);
        burn.requests += rounds * round.requests;
        burn.chains += rounds * round.chains;
        burn.families_lost += rounds * round.families_lost;
    }
    burn
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is not negative")]
fn rounds_within(rate: f64, lasting: Duration) -> u64 {
    (rate * lasting.as_secs_f64()).ceil() as u64
}

/// A check by its id: as the suite grades it, or as it stands in the catalogue.
fn find(suite: &Suite, id: &str) -> Option<Check> {
    suite.check(id).or_else(|| catalogue::checks().iter().find(|check| check.id == id)).cloned()
}

/// The checks that may be called, and what they came to.
#[derive(Debug)]
struct Garrison {
    court: Court,
    posts: HashMap<String, Result<Post, String>>,
    tallies: Mutex<IndexMap<(String, String), Tally>>,
}

#[derive(Debug)]
struct Post {
    check: Check,
    cells: Vec<Cell>,
}

impl Garrison {
    async fn muster(ground: &Ground, profile: &Profile) -> Garrison {
        // Sentinels are light: quick, and by the endpoint's own time.
        let ground = Ground { control: None, full: false, ..ground.clone() };
        let mut posts = HashMap::new();
        let mut tallies = IndexMap::new();
        for profile in profile.all() {
            for sentinel in &profile.sentinels {
                let post = posts.entry(sentinel.check.clone());
                post.or_insert_with(|| post_of(&ground, &sentinel.check));
                tallies.insert((profile.name.clone(), sentinel.check.clone()), Tally::default());
            }
        }
        Garrison { court: Court::start(&ground, &[]).await, posts, tallies: Mutex::new(tallies) }
    }

    fn report(&self) -> Watched {
        let tallies = std::mem::take(&mut *self.tallies.lock().unwrap_or_else(PoisonError::into_inner));
        let checks = tallies.into_iter().filter_map(|((profile, check), mut tally)| {
            tally.forgive();
            self.judge(&profile, &check, &tally)
        });
        Watched {
            checks: checks.collect(),
            counted: self.court.counted(),
            families_lost: self.court.families_lost(),
        }
    }

    fn judge(&self, profile: &str, check: &str, tally: &Tally) -> Option<CheckResult> {
        let ground = &self.court.ground;
        let result = match self.posts.get(check)? {
            Ok(post) => verdict::of(&post.check, &ground.suite.policy, tally, ground.today),
            Err(why) => verdict::skipped(&find(&ground.suite, check)?, why.clone()),
        };
        Some(CheckResult {
            id: format!("{check}@{profile}"),
            title: format!("{}: under the load `{profile}`", result.title),
            ..result
        })
    }
}

/// A check and where it runs, or why it does not.
fn post_of(ground: &Ground, id: &str) -> Result<Post, String> {
    let check = find(&ground.suite, id).ok_or_else(|| format!("there is no check `{id}`"))?;
    if let Some(why) = check.no_sentinel() {
        return Err(format!("too much for a sentinel: {why}"));
    }
    let means = Means {
        suite: &ground.suite,
        environment: &ground.environment,
        dialect: &ground.dialect,
        clock: false,
        identities: Some(&ground.identities),
        consent: Some(ground.consent),
        full: false,
        url: Some(&ground.client.target().url),
    };
    match needs::of(&check, &means) {
        Need::Runs(cells) if cells.is_empty() => Err("it has nothing to do here".to_owned()),
        Need::Runs(cells) => Ok(Post { check, cells }),
        Need::Skipped(why) => Err(why),
        Need::NotApplicable(why) => Err(format!("not applicable: {why}")),
    }
}

/// The garrison as a load may call it.
#[derive(Debug)]
struct Roster(Arc<Garrison>);

impl Sentinels for Roster {
    fn title(&self, check: &str) -> Result<String, String> {
        match self.0.posts.get(check) {
            Some(Ok(post)) => Ok(post.check.title.clone()),
            Some(Err(why)) => Err(why.clone()),
            None => Err(format!("there is no check `{check}`")),
        }
    }

    fn play(&self, profile: &str, check: &str, turns: Turns) -> Lane {
        let garrison = Arc::clone(&self.0);
        let (profile, check) = (profile.to_owned(), check.to_owned());
        Box::pin(async move {
            let Some(Ok(post)) = garrison.posts.get(&check) else { return };
            let played = script::watch(&garrison.court, &post.check, &post.cells, &turns).await;
            let mut tallies = garrison.tallies.lock().unwrap_or_else(PoisonError::into_inner);
            tallies.entry((profile, check)).or_default().add(played.tally);
        })
    }
}
