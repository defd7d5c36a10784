//! The load: one row per profile, then each profile with a sentence, its curves and its errors.

use super::chart::{Figure, distribution, percentile, strip, time as over_time};
use super::failures::at;
use super::latency::{Latency, Limit, few_beyond, limits, path};
use super::markup::Html;
use crate::report::clean::{line, shorten, slug};
use crate::report::state::State;
use crate::results::wording::{count, many, rate, sentence, share, tick, time, traffic};
use crate::results::{Clock, FirstViolation, LoadModel, LoadResult, Run, SentinelResult};

/// Fewer granted answers than this are shown one by one.
const FEW: u64 = 20;

pub(super) struct View {
    pub(super) rows: Vec<Row>,
    pub(super) profiles: Vec<Profile>,
    pub(super) any_open: bool,
    pub(super) any_starved: bool,
}

pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) asks: String,
    pub(super) answers: String,
    pub(super) quantiles: [Quantile; 3],
    pub(super) service: Quantile,
    pub(super) errors: String,
    pub(super) erred: bool,
    pub(super) starved: String,
    pub(super) any_starved: bool,
    pub(super) symbol: &'static str,
    pub(super) word: String,
    pub(super) missed: bool,
}

/// A percentile; in brackets where fewer than ten answers lie beyond it.
pub(super) struct Quantile {
    pub(super) text: String,
    pub(super) few: bool,
}

pub(super) struct Profile {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) asks: String,
    pub(super) untrusted: Vec<Html>,
    pub(super) sentence: Html,
    pub(super) figures: Vec<Figure>,
    pub(super) time: Figure,
    pub(super) clocks: Vec<ClockRow>,
    pub(super) any_few: bool,
    pub(super) errors: Vec<ErrorRow>,
    pub(super) parts: Vec<PartRow>,
    /// Connections and bytes, in a sentence.
    pub(super) traffic: Html,
    pub(super) phases: Vec<ClockRow>,
    pub(super) sentinels: Vec<SentinelRow>,
}

/// A check that ran inside the load.
pub(super) struct SentinelRow {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) rounds: String,
    pub(super) violated: String,
    pub(super) bad: bool,
    pub(super) untold: String,
    pub(super) first: Html,
}

pub(super) struct ClockRow {
    pub(super) name: &'static str,
    pub(super) answers: String,
    pub(super) quantiles: Vec<Quantile>,
}

pub(super) struct ErrorRow {
    pub(super) class: String,
    pub(super) count: String,
    pub(super) share: String,
    pub(super) first: String,
    pub(super) example: Html,
}

pub(super) struct PartRow {
    pub(super) name: String,
    pub(super) answers: String,
    pub(super) p50: Quantile,
    pub(super) p99: Quantile,
    pub(super) errors: String,
}

impl View {
    pub(super) fn of(run: &Run) -> View {
        View {
            rows: run.load.iter().map(|profile| row(run, profile)).collect(),
            profiles: run.load.iter().map(|load| profile(run, load)).collect(),
            any_open: run.load.iter().any(|load| load.model == LoadModel::Open),
            any_starved: run.load.iter().any(|load| load.book.starved > 0),
        }
    }
}

fn quantile(clock: &Clock, name: &str, at: f64) -> Quantile {
    match clock.quantiles_us.get(name) {
        Some(micros) if clock.count > 0 => {
            let few = few_beyond(clock.count, at) && name != "max";
            let text = if few { format!("({})", time(*micros)) } else { time(*micros) };
            Quantile { text, few }
        }
        Some(_) | None => Quantile { text: "–".to_owned(), few: false },
    }
}

/// Errors and starved arrivals over everything that was scheduled.
fn errors(load: &LoadResult) -> u64 {
    load.book.refused + load.book.failed + load.book.starved
}

fn row(run: &Run, load: &LoadResult) -> Row {
    let (symbol, word, missed) = verdict(run, load);
    Row {
        id: slug(&load.name),
        name: shorten(&line(&load.name), 24),
        asks: shorten(&line(&load.asks), 80),
        answers: count(load.book.granted + load.book.refused),
        quantiles: [
            quantile(&load.response, "p50", 0.5),
            quantile(&load.response, "p90", 0.9),
            quantile(&load.response, "p99", 0.99),
        ],
        service: quantile(&load.service, "p99", 0.99),
        errors: share(errors(load) as f64 / load.book.scheduled.max(1) as f64),
        erred: errors(load) > 0,
        starved: count(load.book.starved),
        any_starved: load.book.starved > 0,
        symbol,
        word,
        missed,
    }
}

/// The worst of the objectives that name this profile.
fn verdict(run: &Run, load: &LoadResult) -> (&'static str, String, bool) {
    if !load.untrusted.is_empty() {
        return ("odd", "untrusted".to_owned(), false);
    }
    let prefix = format!("{}.", load.name);
    let of_this = run.objectives.iter().filter(|objective| {
        path(objective).is_some_and(|path| path.starts_with(&prefix)) || objective.condition.contains(&prefix)
    });
    let states: Vec<State> = of_this.map(State::of_objective).collect();
    let worst = [State::Missed, State::Odd, State::Pass].into_iter().find(|state| states.contains(state));
    worst.map_or(("skip", "none".to_owned(), false), |state| {
        (super::table_mark(state), state.word().to_owned(), state == State::Missed)
    })
}

fn profile(run: &Run, load: &LoadResult) -> Profile {
    let limits = limits(run, &load.name);
    let response = Latency::of(&load.response);
    let open = load.model == LoadModel::Open;
    let service = open.then(|| Latency::of(&load.service)).filter(|service| service.count() > 0);
    let clocks = clocks(load);
    Profile {
        id: slug(&load.name),
        name: shorten(&line(&load.name), 40),
        asks: format!("{}, {}", shorten(&line(&load.asks), 120), many(load.chains.into(), "chain", "chains")),
        untrusted: load.untrusted.iter().map(|reason| Html::prose(&sentence(&line(reason)))).collect(),
        sentence: Html::prose(&said(load, &limits)),
        figures: figures(load, &response, service.as_ref(), &limits),
        time: over_time::panels(load, &limits),
        any_few: clocks.iter().flat_map(|row| &row.quantiles).any(|quantile| quantile.few),
        clocks,
        errors: error_rows(load),
        parts: parts(load),
        traffic: Html::prose(&sentence(&traffic(load.traffic))),
        phases: phases(load),
        sentinels: load.sentinels.iter().take(20).map(sentinel_row).collect(),
    }
}

fn sentinel_row(sentinel: &SentinelResult) -> SentinelRow {
    let first = sentinel.first.as_ref().map(first_violation);
    let why = sentinel.why_untold.as_deref().map(|why| sentence(&line(why)));
    SentinelRow {
        id: shorten(&line(&sentinel.id), 24),
        title: shorten(&line(&sentinel.title), 90),
        rounds: count(sentinel.rounds),
        violated: count(sentinel.violated),
        bad: sentinel.violated > 0,
        untold: count(sentinel.untold),
        first: Html::prose(&first.or(why).unwrap_or_else(|| "none".to_owned())),
    }
}

/// `at 400/s (t = 0:41): granted, expected refused`
fn first_violation(first: &FirstViolation) -> String {
    format!("at {} (t = {}): {}", rate(first.rate), at(first.at_us), shorten(&line(&first.found), 160))
}

fn figures(
    load: &LoadResult,
    response: &Latency,
    service: Option<&Latency>,
    limits: &[Limit],
) -> Vec<Figure> {
    match response.count() {
        0 => {
            let why = if load.book.granted > 0 {
                "Every grant fell into the warm-up, so there is nothing to measure."
            } else {
                "Nothing was granted, so there is no response time to draw."
            };
            vec![Figure::sentence("By percentile", "no answers".to_owned(), why.to_owned())]
        }
        1..FEW => vec![strip::dots(response, service)],
        _ => {
            let refused = Latency::of(&load.refused_response);
            let mut figures = vec![
                percentile::curve(response, service, limits),
                distribution::bars(response, service, &refused),
            ];
            if response.clipped > 0 {
                let beyond = count(response.clipped);
                let caption = &figures[1].caption;
                figures[1].caption =
                    format!("{caption}; {beyond} beyond the top of the scale, drawn at its edge");
            }
            figures
        }
    }
}

/// A sentence that could be said aloud.
fn said(load: &LoadResult, limits: &[Limit]) -> String {
    let book = &load.book;
    let mut parts = Vec::new();
    if book.granted == 0 {
        let why = load.errors.iter().max_by_key(|error| error.count);
        let why = why.map_or(String::new(), |error| format!(": {}", line(&error.class)));
        parts.push(format!("None of {} was granted{why}.", many(book.scheduled, "arrival", "arrivals")));
        return parts.join(" ");
    }
    parts.push(pace(load));
    parts.extend(crossing(load, limits));
    if book.starved > 0 {
        parts.push(format!(
            "{} found no idle chain in time and starved.",
            many(book.starved, "arrival", "arrivals")
        ));
    } else if book.delayed > 0 {
        parts.push(format!("{} had to wait for a chain.", many(book.delayed, "arrival", "arrivals")));
    }
    if let Some(least) = load.least_chains.filter(|_| book.starved + book.delayed > 0) {
        parts.push(format!(
            "The highest rate and service p99.9 ask for {} at least; there were {}.",
            many(least, "chain", "chains"),
            count(load.chains.into())
        ));
    }
    parts.extend(knee(load));
    if book.cut_off > 0 {
        parts.push(format!("{} cut off by the stop.", many(book.cut_off, "arrival was", "arrivals were")));
    }
    parts.extend(agreement(load));
    parts.extend(
        load.ended_early
            .as_ref()
            .map(|early| format!("It ended after {}: {}.", at(early.at_us), line(&early.reason))),
    );
    parts.join(" ")
}

/// Where the highest rate lies, by a search.
fn knee(load: &LoadResult) -> Option<String> {
    let knee = load.knee.as_ref()?;
    let sure = if knee.sure { "both held again" } else { "not held again often enough to be sure" };
    Some(match (knee.kept, knee.lost) {
        (Some(kept), Some(lost)) => {
            format!("The highest rate lies between {} and {}, {sure}.", rate(kept), rate(lost))
        }
        (Some(kept), None) => format!("It kept up with {}, the highest rate that was tried.", rate(kept)),
        (None, _) => "Not even the first rate was kept.".to_owned(),
    })
}

/// Whether the rate held, as far as the sums tell.
fn pace(load: &LoadResult) -> String {
    let book = &load.book;
    let seconds = load.took_us as f64 / 1e6;
    let answered = (book.granted + book.refused) as f64 / seconds.max(1e-3);
    match load.model {
        LoadModel::Closed => format!(
            "{} answers a second over {}.",
            rate(answered).trim_end_matches("/s"),
            many(load.chains.into(), "chain", "chains")
        ),
        LoadModel::Open => {
            let unanswered = book.scheduled - (book.granted + book.refused).min(book.scheduled);
            match unanswered {
                0 => format!("All {} were answered.", many(book.scheduled, "arrival", "arrivals")),
                open => format!(
                    "{} of {} were not answered.",
                    count(open),
                    many(book.scheduled, "arrival", "arrivals")
                ),
            }
        }
    }
}

/// When p99 first crossed its limit for good, and what was asked for then.
fn crossing(load: &LoadResult, limits: &[Limit]) -> Option<String> {
    let limit = limits.iter().find(|limit| limit.name == "p99" && limit.met == Some(false))?;
    let over = |second: &&crate::results::Second| {
        second.response_us.is_some_and(|response| response[2] as f64 > limit.micros)
    };
    let above = load.series.iter().rev().take_while(over).last()?;
    Some(format!(
        "p99 stays above its limit of {} from {} on, when {} are asked for.",
        tick(limit.micros),
        at(u64::from(above.at_s) * 1_000_000),
        rate(above.asked as f64)
    ))
}

/// What the two clocks say about waiting.
fn agreement(load: &LoadResult) -> Option<String> {
    if load.model == LoadModel::Closed {
        return Some("Closed load: each user waits for its answer, so response is service.".to_owned());
    }
    if load.response.count < FEW {
        return None;
    }
    let p99 = |clock: &Clock| clock.quantiles_us.get("p99").copied().filter(|us| *us > 0.0);
    let (response, service) = p99(&load.response).zip(p99(&load.service))?;
    let times = response / service;
    Some(if times < 1.1 || response - service < 1000.0 {
        "Response and service agree up to p99: nothing queued on our side.".to_owned()
    } else {
        format!("At p99 response is {times:.1} times service: requests waited before they were sent.")
    })
}

const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

fn clocks(load: &LoadResult) -> Vec<ClockRow> {
    let row = |name, clock: &Clock| ClockRow {
        name,
        answers: many(clock.count, "answer", "answers"),
        quantiles: QUANTILES.iter().map(|(name, at)| quantile(clock, name, *at)).collect(),
    };
    let mut rows = vec![row("response", &load.response)];
    if load.model == LoadModel::Open {
        rows.push(row("service", &load.service));
    }
    // A handful of refusals has no percentiles; the table of errors counts them.
    if load.refused_response.count >= FEW {
        rows.push(row("refused resp.", &load.refused_response));
        if load.model == LoadModel::Open {
            rows.push(row("refused serv.", &load.refused_service));
        }
    }
    rows
}

fn error_rows(load: &LoadResult) -> Vec<ErrorRow> {
    let mut errors: Vec<&crate::results::ErrorCount> =
        load.errors.iter().filter(|error| error.count > 0).collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors
        .into_iter()
        .take(20)
        .map(|error| ErrorRow {
            class: shorten(&line(&error.class), 60),
            count: count(error.count),
            share: share(error.count as f64 / load.book.scheduled.max(1) as f64),
            first: at(error.first_us),
            example: Html::prose(&shorten(&line(&error.example), 200)),
        })
        .collect()
}

/// The phases that there were. Connections are counted, answers for the first byte.
fn phases(load: &LoadResult) -> Vec<ClockRow> {
    let row = |(name, clock): (&'static str, &Clock)| ClockRow {
        name,
        answers: count(clock.count),
        quantiles: QUANTILES.iter().map(|(name, at)| quantile(clock, name, *at)).collect(),
    };
    load.phases.seen().map(row).collect()
}

/// By format and stage, where there is more than one.
fn parts(load: &LoadResult) -> Vec<PartRow> {
    if load.parts.len() < 2 {
        return Vec::new();
    }
    load.parts
        .iter()
        .take(40)
        .map(|part| PartRow {
            name: shorten(&line(&part.name), 60),
            answers: count(part.response.count),
            p50: quantile(&part.response, "p50", 0.5),
            p99: quantile(&part.response, "p99", 0.99),
            errors: count(part.errors),
        })
        .collect()
}
