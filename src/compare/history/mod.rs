//! Many runs of one suite and environment, oldest first: Night… → [`History`].
//!
//! Pure: a run is folded into a [`Night`] as soon as it was read, so that a year of runs needs little room. [`series`]
//! sorts nights into columns, [`rows`] says of each check how it went, [`trend`] finds the steps of a figure, [`told`]
//! makes the headline.

mod rows;
mod series;
mod told;
mod trend;

use indexmap::IndexMap;
use jiff::civil::Date;
use serde::Serialize;

use crate::results::outcome::{self, Exit};
use crate::results::tally::Tally;
use crate::results::wording::{self, Unit};
use crate::results::{LoadResult, ObjectiveResult, Run, Strength, TrustState, Verdict};

/// The version of the history as JSON.
pub const HISTORY_VERSION: u32 = 1;

/// One run, as much of it as a history needs.
#[derive(Clone, Debug, Serialize)]
pub struct Night {
    /// The run's id.
    pub run: String,
    /// When it began, RFC 3339.
    pub began_at: String,
    /// Its day, UTC.
    #[serde(skip)]
    pub day: Option<Date>,
    /// Where its page stands, as a link of the history's page.
    pub link: Option<String>,
    /// Name of the suite.
    pub suite: String,
    /// Digest of the suite.
    pub digest: String,
    /// The environment.
    pub environment: String,
    /// The version that made the run.
    pub assay_version: String,
    /// Whether its figures can be believed.
    pub trust: TrustState,
    /// Its headline.
    pub headline: String,
    /// Its exit code.
    pub exit: u8,
    /// How it is drawn.
    pub mark: Mark,
    /// Checks that passed, and that failed a must or a should.
    pub passed: u64,
    /// Those that failed a must or a should, known failures aside.
    pub failed: u64,
    /// How each check came out, by id.
    #[serde(skip)]
    checks: IndexMap<String, Seen>,
    /// Its figures, by name.
    pub figures: IndexMap<String, Figure>,
}

/// How one check came out in one run.
#[derive(Clone, Debug)]
struct Seen {
    title: String,
    mark: Mark,
    /// Of a known failure: until which day, and how many were left.
    known: Option<(String, i64)>,
}

/// One figure of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What it is measured in.
    pub unit: Unit,
    /// How much.
    pub value: f64,
    /// The limit of an objective on just this figure, and whether it was missed.
    pub limit: Option<(f64, bool)>,
}

/// How something is drawn, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It was not run.
    Skipped,
    /// Good.
    Good,
    /// A known failure.
    Known,
    /// Could not be judged, or not trusted.
    Odd,
    /// A should failed, or an objective was missed.
    Weak,
    /// A must failed.
    Fail,
}

impl Mark {
    fn of_exit(exit: Exit) -> Mark {
        match exit {
            Exit::Good => Mark::Good,
            Exit::Missed | Exit::Worse => Mark::Weak,
            Exit::Failed | Exit::SecretLeaked | Exit::Misused => Mark::Fail,
            Exit::CouldNotRun | Exit::Interrupted(_) | Exit::Untrusted => Mark::Odd,
        }
    }

    fn of_verdict(verdict: &Verdict) -> Mark {
        match verdict {
            Verdict::Pass => Mark::Good,
            Verdict::Warn => Mark::Weak,
            Verdict::Fail | Verdict::Stale { .. } => Mark::Fail,
            Verdict::Known { .. } => Mark::Known,
            Verdict::Inconclusive { .. } => Mark::Odd,
            Verdict::Skipped { .. } => Mark::Skipped,
        }
    }

    /// Whether something is wrong, and not expected to be.
    fn is_bad(self) -> bool {
        match self {
            Mark::Fail | Mark::Weak => true,
            Mark::Skipped | Mark::Good | Mark::Known | Mark::Odd => false,
        }
    }
}

impl Night {
    /// What a history needs of `run`, whose page stands at `link`.
    pub fn of(run: &Run, link: Option<String>) -> Night {
        let own = outcome::of(run);
        let tally = Tally::of(&run.checks);
        let seen = |verdict: &Verdict, title: &str| Seen {
            title: title.to_owned(),
            mark: Mark::of_verdict(verdict),
            known: match verdict {
                Verdict::Known { until, days_left, .. } => Some((until.clone(), *days_left)),
                Verdict::Pass
                | Verdict::Fail
                | Verdict::Warn
                | Verdict::Stale { .. }
                | Verdict::Inconclusive { .. }
                | Verdict::Skipped { .. } => None,
            },
        };
        Night {
            run: run.id.clone(),
            began_at: run.began_at.clone(),
            day: run.began_at.get(..10).and_then(|day| day.parse().ok()),
            link,
            suite: run.suite.name.clone(),
            digest: run.suite.digest.clone(),
            environment: run.target.environment.clone(),
            assay_version: run.assay_version.clone(),
            trust: run.trust.state,
            headline: own.headline,
            exit: own.exit.code(),
            mark: Mark::of_exit(own.exit),
            passed: tally.passed,
            failed: tally.failed + tally.stale + tally.warned,
            checks: run
                .checks
                .iter()
                .map(|check| (check.id.clone(), seen(&check.verdict, &check.title)))
                .collect(),
            figures: run.load.iter().flat_map(|load| figures(load, &run.objectives)).collect(),
        }
    }
}

/// The figures of a profile that are worth a trend: of a search its highest rate, else two percentiles and errors.
fn figures(load: &LoadResult, objectives: &[ObjectiveResult]) -> Vec<(String, Figure)> {
    let of = |name: &str, key: &str, unit: Unit, value: f64| {
        let limit = limit(objectives, &format!("{}.{key}", load.name));
        (format!("{} {name}", load.name), Figure { unit, value, limit })
    };
    if !load.rates.is_empty() {
        let kept = load.rates.iter().filter(|rate| rate.kept).map(|rate| rate.rate).fold(0.0, f64::max);
        return vec![of("highest rate", "knee", Unit::Rate, kept)];
    }
    let percentile = |name: &str| {
        let value = *load.response.quantiles_us.get(name)?;
        Some(of(name, &format!("response.{name}"), Unit::Time, value))
    };
    let errors: u64 = load.errors.iter().map(|error| error.count).sum();
    let all = load.response.count + errors;
    let share = (all > 0).then(|| of("errors", "errors", Unit::Share, errors as f64 / all as f64));
    [percentile("p50"), percentile("p99"), share].into_iter().flatten().collect()
}

/// The limit of the objective that is a bound on `metric` and nothing else.
fn limit(objectives: &[ObjectiveResult], metric: &str) -> Option<(f64, bool)> {
    let of = objectives.iter().filter(|objective| objective.strength == Strength::Must);
    let on_it = |objective: &&ObjectiveResult| objective.condition.split_whitespace().next() == Some(metric);
    let objective = of.clone().find(on_it)?;
    Some((wording::value(objective.limit?), objective.met == Some(false)))
}

/// Many runs of one suite and environment.
#[derive(Clone, Debug, Serialize)]
pub struct History {
    /// Version of this format.
    pub assay_history: u32,
    /// Version of the program that drew it.
    pub assay_version: String,
    /// The suite's name.
    pub suite: String,
    /// The environment.
    pub environment: String,
    /// Whether a column is a night, or a run.
    pub by: By,
    /// The headline.
    pub headline: String,
    /// The second line.
    pub reason: String,
    /// What to look at: where it is, a statement, an observation, how it is marked.
    pub reasons: Vec<(String, String, String, Mark)>,
    /// Facts beside it: name, text, small print.
    pub facts: Vec<(String, String, String)>,
    /// All runs, oldest first.
    pub nights: Vec<Night>,
    /// The columns that are drawn.
    pub columns: Vec<Column>,
    /// The checks that did not always pass, the worst first.
    pub rows: Vec<Row>,
    /// Checks that passed whenever they were asked.
    pub always_passed: u64,
    /// Checks that were never asked.
    pub never_asked: u64,
    /// The figures over time.
    pub trends: Vec<Trend>,
    /// Why no step is named, if so.
    pub no_steps: Option<String>,
    /// Runs of other suites and environments that were left out: what, how many.
    pub left_out: Vec<(String, u64)>,
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// A day; at most one run in each.
    Night,
    /// A run, where some days have several.
    Run,
}

impl By {
    /// `night`, `run`.
    pub fn one(self) -> &'static str {
        match self {
            By::Night => "night",
            By::Run => "run",
        }
    }

    /// `nights`, `runs`.
    pub fn more(self) -> &'static str {
        match self {
            By::Night => "nights",
            By::Run => "runs",
        }
    }
}

/// A column: a night, or where there are many, several of them.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// `14 Nov`
    pub label: String,
    /// The runs in it, by number; none on a night without a run.
    pub nights: Vec<usize>,
}

/// A check that did not always pass.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its mark in each run; `None` where it is not there.
    pub marks: Vec<Option<Mark>>,
    /// How it went.
    pub way: Way,
    /// The same in words: `new tonight`, `since 14 Nov`.
    pub words: String,
}

/// How a check went, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// It fails for the first time.
    New,
    /// It fails now and then, lately.
    ComesAndGoes,
    /// It has failed without a break for a while.
    Since,
    /// It failed once, or for a while, and passes now.
    Gone,
    /// A known failure.
    Known,
    /// It could not always be judged.
    Open,
}

/// A figure over time.
#[derive(Clone, Debug, Serialize)]
pub struct Trend {
    /// `steady p99`
    pub name: String,
    /// What it is measured in.
    pub unit: Unit,
    /// Of each run; `None` where there is none, or where it cannot be trusted.
    pub values: Vec<Option<f64>>,
    /// The limit of an objective on it, as it is today.
    pub limit: Option<f64>,
    /// The runs in which the limit was missed.
    pub missed: Vec<usize>,
    /// Stretches between steps.
    pub segments: Vec<Segment>,
    /// Steps that hold.
    pub steps: Vec<Step>,
}

/// A stretch without a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Segment {
    /// Its first run.
    pub from: usize,
    /// Its last run.
    pub to: usize,
    /// The median.
    pub median: f64,
    /// How far from it a run normally falls: 3 × 1.48 × the median deviation.
    pub spread: f64,
}

/// A figure that changed and stayed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The first run after it.
    pub at: usize,
    /// The median before.
    pub before: f64,
    /// The median after.
    pub after: f64,
    /// The difference, at 95 %.
    pub interval: (f64, f64),
    /// Whether it is for the worse.
    pub worse: bool,
    /// Whether the suite was the same on both sides.
    pub same_suite: bool,
}

/// The history of `nights`: those of the suite and environment of the newest, or of `environment`.
///
/// # Errors
///
/// A sentence, where no run is left.
pub fn history(nights: Vec<Night>, environment: Option<&str>) -> Result<History, String> {
    let (nights, left_out) = series::one_series(nights, environment)?;
    let (by, columns) = series::columns(&nights);
    let labels: Vec<String> = nights.iter().map(|night| series::label(night, &nights, by)).collect();
    let (rows, always_passed, never_asked) = rows::rows(&nights, &labels, by);
    let no_steps = trend::no_steps(&nights);
    let trends = trend::trends(&nights, no_steps.is_some());
    let newest = nights.last().ok_or("there is no run")?;
    let mut history = History {
        assay_history: HISTORY_VERSION,
        assay_version: env!("CARGO_PKG_VERSION").to_owned(),
        suite: newest.suite.clone(),
        environment: newest.environment.clone(),
        by,
        headline: String::new(),
        reason: String::new(),
        reasons: Vec::new(),
        facts: Vec::new(),
        columns,
        rows,
        always_passed,
        never_asked,
        trends,
        no_steps,
        left_out,
        nights,
    };
    told::tell(&mut history, &labels);
    Ok(history)
}

impl History {
    /// `14 Nov`, of a run.
    pub fn label(&self, night: usize) -> String {
        self.nights.get(night).map_or_else(String::new, |it| series::label(it, &self.nights, self.by))
    }

    /// Where a run stands along the time axis, 0 to 1.
    pub fn along(&self, night: usize) -> f64 {
        series::along(&self.nights, self.by, night)
    }

    /// How the checks of a run differ from those of the run before: "FMT-08 worse, RAC-01 better", "same".
    pub fn since_before(&self, night: usize) -> String {
        rows::since_before(&self.nights, night)
    }
}

#[cfg(test)]
mod tests;
