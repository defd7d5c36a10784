//! The figures of the load of two runs, set against each other profile by profile.

use std::collections::BTreeSet;

use super::statistics::{self, Blocks, Counted, Direction, Draw, Estimate, Judged};
use super::{CurvePoint, FigureRow, ProfileComparison, Speed, Tolerance};
use crate::results::wording::Unit;
use crate::results::{LoadModel, LoadResult, Run, Second};

/// The percentiles that are judged.
const JUDGED: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
/// Error classes that are judged by themselves, the most frequent first.
const CLASSES_MOST: usize = 8;
/// The percentiles of the curves.
const CURVE: [f64; 17] = [
    0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.965, 0.975, 0.9825, 0.9875, 0.99, 0.995, 0.9975,
    0.999,
];

/// Which way is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bad {
    More,
    Less,
}

/// A row that waits for its verdict: all rows of a comparison are judged together.
struct Waiting {
    row: FigureRow,
    bad: Bad,
    estimate: Option<Estimate>,
}

/// The profiles that both runs have; without a verdict where `silent`.
pub fn profiles(a: &Run, b: &Run, measure: (Tolerance, u64), silent: bool) -> Vec<ProfileComparison> {
    let pairs: Vec<(&LoadResult, &LoadResult)> = b
        .load
        .iter()
        .filter_map(|load| Some((a.load.iter().find(|other| other.name == load.name)?, load)))
        .collect();
    let mut waiting: Vec<Profile> =
        pairs.iter().enumerate().map(|(at, (a, b))| Profile::of(a, b, measure, at as u64)).collect();
    judge(&mut waiting, silent);
    waiting.into_iter().map(Profile::done).collect()
}

/// Profiles that only one of them has.
pub fn only_in_one(a: &Run, b: &Run) -> Vec<(String, char)> {
    let only = |one: &Run, other: &Run, letter: char| {
        let alone = one.load.iter().filter(|load| !other.load.iter().any(|o| o.name == load.name));
        alone.map(|load| (load.name.clone(), letter)).collect::<Vec<_>>()
    };
    if a.load.is_empty() || b.load.is_empty() {
        return Vec::new();
    }
    [only(a, b, 'A'), only(b, a, 'B')].concat()
}

fn judge(profiles: &mut [Profile], silent: bool) {
    let mut rows: Vec<&mut Waiting> = profiles.iter_mut().flat_map(Profile::rows).collect();
    let estimates: Vec<Estimate> = rows.iter().filter_map(|waiting| waiting.estimate.clone()).collect();
    let mut judged = statistics::judge(&estimates).into_iter();
    for waiting in &mut rows {
        let verdict = waiting.estimate.as_ref().and_then(|_| judged.next());
        waiting.row.interval = verdict.map(|judged| (judged.low, judged.high));
        waiting.row.word = if silent { Speed::NotJudged } else { word(verdict, waiting.bad) };
    }
}

fn word(judged: Option<Judged>, bad: Bad) -> Speed {
    match (judged.map(|judged| judged.direction), bad) {
        (None, _) => Speed::TooLittle,
        (Some(Direction::Same), _) => Speed::NoDifference,
        (Some(Direction::Open), _) => Speed::CannotTell,
        (Some(Direction::More), Bad::More) | (Some(Direction::Less), Bad::Less) => Speed::Worse,
        (Some(Direction::More), Bad::Less) | (Some(Direction::Less), Bad::More) => Speed::Better,
    }
}

/// A profile whose rows wait for their verdict.
struct Profile {
    name: String,
    asks: (String, String),
    response: Vec<Waiting>,
    rate: Option<Waiting>,
    errors: Vec<Waiting>,
    curve: Vec<CurvePoint>,
}

impl Profile {
    fn of(a: &LoadResult, b: &LoadResult, (tolerance, seed): (Tolerance, u64), stream: u64) -> Profile {
        let search = !a.rates.is_empty() || !b.rates.is_empty();
        let draw = Draw { seed, stream, paired: a.asks == b.asks, steady: is_steady(a) && is_steady(b) };
        let (seconds_a, seconds_b) = seconds(a, b, draw.paired);
        let blocks = (&Blocks::of(&seconds_a), &Blocks::of(&seconds_b));
        let matters = |us: f64| tolerance.time.us(us);
        Profile {
            name: b.name.clone(),
            asks: (a.asks.clone(), b.asks.clone()),
            // A search has calm and overload in one: its percentiles are no figure of the endpoint.
            response: if search { Vec::new() } else { response(a, b, blocks, draw, matters) },
            rate: rate(a, b, tolerance.rate, search),
            errors: if search { Vec::new() } else { errors(a, b, tolerance.errors) },
            curve: if search { Vec::new() } else { curve(blocks, draw) },
        }
    }

    fn rows(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.response.iter_mut().chain(&mut self.rate).chain(&mut self.errors)
    }

    fn done(self) -> ProfileComparison {
        let rows = |waiting: Vec<Waiting>| waiting.into_iter().map(|waiting| waiting.row).collect();
        ProfileComparison {
            name: self.name,
            asks_a: self.asks.0,
            asks_b: self.asks.1,
            response: rows(self.response),
            rate: self.rate.map(|waiting| waiting.row),
            errors: rows(self.errors),
            curve: self.curve,
        }
    }
}

/// Whether what is asked for stays the same once the warm-up is over.
fn is_steady(load: &LoadResult) -> bool {
    let stages: Vec<&str> =
        load.stages.iter().map(|stage| stage.name.as_str()).filter(|name| *name != "warm-up").collect();
    stages.len() <= 1 && !stages.iter().any(|name| name.starts_with("ramp"))
}

/// What was granted in each second after the warm-up; of equal length where the loads are the same.
fn seconds(a: &LoadResult, b: &LoadResult, paired: bool) -> (Seconds, Seconds) {
    let of = |load: &LoadResult| -> Seconds {
        measured(load).map(|second| second.granted.values_us().unwrap_or_default()).collect()
    };
    let (mut of_a, mut of_b) = (of(a), of(b));
    if paired {
        let shorter = of_a.len().min(of_b.len());
        of_a.truncate(shorter);
        of_b.truncate(shorter);
    }
    (of_a, of_b)
}

type Seconds = Vec<Vec<(f64, u64)>>;

fn measured(load: &LoadResult) -> impl Iterator<Item = &Second> {
    let warm_up = load.warm_up_us.div_ceil(1_000_000);
    load.series.iter().filter(move |second| u64::from(second.at_s) >= warm_up)
}

fn response(
    a: &LoadResult,
    b: &LoadResult,
    blocks: (&Blocks, &Blocks),
    draw: Draw,
    matters: impl Fn(f64) -> f64,
) -> Vec<Waiting> {
    let quantiles = JUDGED.map(|(_, quantile)| quantile);
    let estimates = statistics::quantile_differences(blocks, &quantiles, draw, &matters);
    JUDGED
        .iter()
        .zip(estimates)
        .filter_map(|((name, _), estimate)| {
            let at = |load: &LoadResult| load.response.quantiles_us.get(*name).copied();
            let (at_a, at_b) = (at(a)?, at(b)?);
            // The tail of a short run is left out rather than listed as unknown.
            if estimate.is_none() && *name == "p99.9" {
                return None;
            }
            let matters = matters(at_a);
            // The figures are those of every other report; the blocks, of two digits, say how sure they are.
            let estimate = estimate.map(|estimate| Estimate { difference: at_b - at_a, matters, ..estimate });
            Some(waiting((name, Unit::Time), (at_a, at_b), matters, estimate))
        })
        .collect()
}

fn waiting(
    (name, unit): (&str, Unit),
    (a, b): (f64, f64),
    matters: f64,
    estimate: Option<Estimate>,
) -> Waiting {
    let bad = match unit {
        Unit::Time | Unit::Share => Bad::More,
        Unit::Rate => Bad::Less,
    };
    let row = FigureRow {
        name: name.to_owned(),
        unit,
        a,
        b,
        counts: None,
        difference: b - a,
        interval: None,
        floor: estimate.as_ref().map_or(0.0, |estimate| estimate.floor),
        matters,
        word: Speed::TooLittle,
    };
    Waiting { row, bad, estimate }
}

/// Answers per second, where the load leaves them to the endpoint; of a search the highest that it kept.
fn rate(a: &LoadResult, b: &LoadResult, share: f64, search: bool) -> Option<Waiting> {
    if search {
        let highest = |load: &LoadResult| {
            load.rates.iter().filter(|rate| rate.kept).map(|rate| rate.rate).fold(0.0, f64::max)
        };
        let (of_a, of_b) = (highest(a), highest(b));
        // One search is one figure: there is nothing to make an interval of.
        return Some(waiting(("highest rate", Unit::Rate), (of_a, of_b), of_a * share, None));
    }
    if a.model != LoadModel::Closed || b.model != LoadModel::Closed {
        return None;
    }
    let answers = |load: &LoadResult| -> Vec<f64> {
        let whole = load.took_us / 1_000_000;
        measured(load)
            .filter(|second| u64::from(second.at_s) < whole)
            .map(|second| second.answered as f64)
            .collect()
    };
    let (of_a, of_b) = (answers(a), answers(b));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let matters = mean(&of_a) * share;
    let estimate = statistics::mean_difference(&of_a, &of_b, matters);
    Some(waiting(("answers", Unit::Rate), (mean(&of_a), mean(&of_b)), matters, estimate))
}

/// Everything that was not granted, then the classes by themselves.
fn errors(a: &LoadResult, b: &LoadResult, matters: f64) -> Vec<Waiting> {
    let row = |name: &str, wanted: &dyn Fn(&str) -> bool| {
        let (of_a, of_b) = (counted(a, wanted), counted(b, wanted));
        let estimate = statistics::share_difference(&of_a, &of_b, matters);
        let mut waiting = waiting((name, Unit::Share), (of_a.share(), of_b.share()), matters, estimate);
        waiting.row.counts = Some(((of_a.some, of_a.all), (of_b.some, of_b.all)));
        waiting
    };
    let mut classes: Vec<(&str, u64)> = Vec::new();
    for error in a.errors.iter().chain(&b.errors).filter(|error| error.count > 0) {
        match classes.iter_mut().find(|(class, _)| *class == error.class) {
            Some((_, count)) => *count += error.count,
            None => classes.push((&error.class, error.count)),
        }
    }
    classes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    classes.truncate(CLASSES_MOST);
    let mut rows = vec![row("errors", &|_| true)];
    // A single class would only say the same again.
    if classes.len() > 1 {
        rows.extend(classes.iter().map(|(class, _)| row(class, &|other| other == *class)));
    }
    rows
}

fn counted(load: &LoadResult, wanted: &dyn Fn(&str) -> bool) -> Counted {
    let numbers: BTreeSet<usize> =
        load.errors.iter().enumerate().filter(|(_, error)| wanted(&error.class)).map(|(at, _)| at).collect();
    let some = load.errors.iter().filter(|error| wanted(&error.class)).map(|error| error.count).sum();
    let every: u64 = load.errors.iter().map(|error| error.count).sum();
    let blocks = measured(load).map(|second| {
        let of = |mine: bool| {
            let wanted = |number: &u32| !mine || numbers.contains(&(*number as usize));
            second.errors.iter().filter(|(number, _)| wanted(number)).map(|(_, count)| count).sum::<u64>()
        };
        let granted: u64 =
            second.granted.values_us().unwrap_or_default().iter().map(|(_, count)| count).sum();
        (of(true), granted + of(false))
    });
    Counted { some, all: load.response.count + every, blocks: blocks.collect() }
}

/// Both runs at many percentiles, with the interval of each difference by itself.
fn curve(blocks: (&Blocks, &Blocks), draw: Draw) -> Vec<CurvePoint> {
    let estimates = statistics::quantile_differences(blocks, &CURVE, draw, |_| 0.0);
    CURVE
        .iter()
        .zip(estimates)
        .filter_map(|(quantile, estimate)| {
            let interval = estimate.map(|estimate| estimate.interval(statistics::ALPHA));
            Some(CurvePoint {
                quantile: *quantile,
                a: blocks.0.quantile(*quantile)?,
                b: blocks.1.quantile(*quantile)?,
                low: interval.map(|(low, _)| low),
                high: interval.map(|(_, high)| high),
            })
        })
        .collect()
}
