//! A search, held rate by rate: each on fresh chains, and one result of all.

use crate::chain::source::NoChain;
use crate::results::event::{Event, Narrator, Stop};
use crate::results::objectives::OfLoad;
use crate::results::{Book, EarlyEnd, HeldRate, Knee, LoadResult, SentinelResult, Traffic};
use crate::suite::expression::Truth;
use crate::suite::profile::{Model, Profile, Search, Stage};

use tokio::sync::Barrier;

use super::Ground;
use super::driver;
use super::order::Order;
use super::search::{HOLDS_MAX, Hunt};

/// Runs the search. Its figures are those of the highest rate that was kept, its book is that of all rates.
pub async fn run(
    ground: &Ground,
    profile: &Profile,
    search: &Search,
    narrator: &Narrator,
    stop: &Stop,
) -> Result<LoadResult, NoChain> {
    narrator.say(Event::ProfileStarted { name: profile.name.clone() });
    let mut hunt = Hunt::new(search.from, search.to);
    let mut found = Found::default();
    while let Some(rate) = hunt.next() {
        let held = hold(profile, search, rate);
        let order = Order::new(&held, ground.seed);
        let result =
            driver::run(ground, order, super::chains_of(&held), narrator, stop, &Barrier::new(1)).await?;
        // What cannot be told, for nothing was granted, was not kept.
        let kept = search.until.truth(&OfLoad(&result)) == Truth::False;
        hunt.note(rate, kept, result.untrusted.is_empty());
        found.add(rate, kept, result);
        if stop.asked() || found.ended_early.is_some() {
            break;
        }
    }
    let result = found.result(profile, hunt.knee());
    narrator.say(Event::ProfileFinished(Box::new(result.clone())));
    Ok(result)
}

/// One rate of the search as a profile.
fn hold(profile: &Profile, search: &Search, rate: f64) -> Profile {
    let stage = Stage { from: rate, to: rate, lasting: search.hold };
    Profile { model: Model::Open(vec![stage]), ..profile.clone() }
}

/// The rates that a search can come to at most: each doubling, and the rest at the upper end.
pub fn rates_at_most(search: &Search) -> impl Iterator<Item = f64> {
    let (from, to) = (search.from, search.to);
    (0..HOLDS_MAX).map(move |step| (from * 2.0_f64.powf(f64::from(step))).min(to))
}

/// Requests of all its rates, at most.
pub fn requests_at_most(profile: &Profile, search: &Search) -> u64 {
    rates_at_most(search).map(|rate| Order::new(&hold(profile, search, rate), 0).requests_at_most()).sum()
}

/// What a search has found so far.
#[derive(Debug, Default)]
struct Found {
    results: Vec<(bool, f64, LoadResult)>,
    rates: Vec<HeldRate>,
    book: Book,
    chains: u32,
    duplicates: u64,
    strangers: u64,
    /// Why a rate that was lost may have been lost by the generator.
    untrusted: Vec<String>,
    sentinels: Vec<SentinelResult>,
    traffic: Traffic,
    ended_early: Option<EarlyEnd>,
}

impl Found {
    fn add(&mut self, rate: f64, kept: bool, result: LoadResult) {
        self.book = self.book.with(result.book);
        self.chains += result.chains;
        self.traffic = self.traffic.with(result.traffic);
        self.duplicates += result.ledger.duplicates;
        self.strangers += result.ledger.strangers;
        self.ended_early.clone_from(&result.ended_early);
        for sentinel in result.sentinels.clone() {
            match self.sentinels.iter_mut().find(|own| own.id == sentinel.id) {
                Some(own) => own.add(sentinel),
                None => self.sentinels.push(sentinel),
            }
        }
        self.rates.push(HeldRate {
            rate,
            kept,
            p99_us: result.response.quantiles_us.get("p99").copied(),
            errors: crate::results::objectives::error_share(&result),
        });
        if !kept {
            self.untrusted.clone_from(&result.untrusted);
        } else if self.rates.iter().all(|held| held.kept || held.rate <= rate) {
            self.untrusted.clear();
        }
        self.results.push((kept, rate, result));
    }

    /// The figures of the rate that the search came to: where it was kept, else where it was held first.
    fn best(&mut self, knee: &Knee) -> LoadResult {
        let is_best = |(kept, rate, _): &(bool, f64, LoadResult)| {
            *kept && knee.kept.is_some_and(|best| (rate - best).abs() < f64::EPSILON * best)
        };
        let at = self.results.iter().position(is_best).unwrap_or(0);
        self.results.swap_remove(at).2
    }

    fn result(mut self, profile: &Profile, knee: Knee) -> LoadResult {
        let mut result = self.best(&knee);
        result.knee = Some(knee);
        result.asks = super::asks(profile);
        result.rates = self.rates;
        result.sentinels = self.sentinels;
        result.traffic = self.traffic;
        result.ended_early = self.ended_early;
        result.book = self.book;
        result.chains = self.chains;
        result.ledger.duplicates = self.duplicates;
        result.ledger.strangers = self.strangers;
        // A rate that was kept was kept, however late the generator was.
        result.untrusted = self.untrusted;
        result
    }
}
