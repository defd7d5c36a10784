//! Two runs side by side: Run × Run → [`Comparison`].
//!
//! Pure: [`compare`] reads two run files and a few settings, and computes nothing from the clock. [`verdicts`]
//! matches checks, [`shapes`] what answers look like, [`speed`] the figures of the load, [`rotation`] what tokens became, [`statistics`] says what
//! a difference is worth, [`outcome`] makes headline, reason and exit code; [`history`] sets many runs in a row.

mod expected;
pub mod history;
pub mod outcome;
mod rotation;
mod shapes;
mod speed;
mod statistics;
mod verdicts;

use indexmap::IndexMap;
use serde::Serialize;

use crate::results::tally::{Objectives, Tally};
use crate::results::wording::{self, Unit};
use crate::results::{Gate, Run, Strength, TargetKind, TrustState, Verdict};

pub use self::statistics::ALPHA;

/// The version of the comparison as JSON.
pub const COMPARISON_VERSION: u32 = 1;

/// Two runs side by side. Times are microseconds, shares 0 to 1, differences B minus A.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Version of this format.
    pub assay_comparison: u32,
    /// Version of the program that compared.
    pub assay_version: String,
    /// The seed by which blocks of time were drawn.
    pub seed: u64,
    /// What the comparison measures by.
    pub tolerance: Tolerance,
    /// The first run: the baseline.
    pub a: Side,
    /// The second run: what is judged.
    pub b: Side,
    /// Whether they can be compared, line by line.
    pub grounds: Vec<Ground>,
    /// Why they cannot be compared at all, if so.
    pub apart: Option<String>,
    /// Checks that came out differently, worst first.
    pub verdicts: Vec<VerdictChange>,
    /// All the others: word → how many.
    pub unchanged: IndexMap<String, u64>,
    /// Objectives that came out differently.
    pub objectives: Vec<ObjectiveChange>,
    /// What answers look like, where that differs.
    pub shapes: Vec<ShapeChange>,
    /// Kinds of answers that only one of them saw: the kind, and `A` or `B`.
    pub answers_in_one: Vec<(String, char)>,
    /// Whether both runs kept what their answers look like.
    pub shapes_kept: bool,
    /// What became of tokens, where that differs.
    pub rotation: Vec<RotationChange>,
    /// The profiles that both have.
    pub profiles: Vec<ProfileComparison>,
    /// Profiles that only one of them has: name, and `A` or `B`.
    pub only_in_one: Vec<(String, char)>,
    /// Why no verdict on speed is drawn, if so.
    pub no_speed: Option<String>,
    /// Differences that the suite of B expects, and what came of them.
    pub expected: Vec<Expectation>,
}

/// A difference that is known, and whether it was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expectation {
    /// What differs.
    pub what: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is there.
    pub why: String,
    /// After this day it counts again.
    pub until: String,
    /// How many differences it is.
    pub seen: u64,
    /// What came of it.
    pub state: Seen,
}

/// What came of an expected difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// It is there, and counts for nothing.
    Yes,
    /// It is not there: it can be taken out of the suite.
    Not,
    /// It is there, and its day has gone by: it counts.
    Over,
}

impl Seen {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Seen::Yes => "expected",
            Seen::Not => "not seen: remove it from the suite",
            Seen::Over => "its day has gone by: it counts",
        }
    }
}

/// From which difference on anybody cares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tolerance {
    /// Of a response time.
    pub time: Matters,
    /// Of the share of errors, in parts of one.
    pub errors: f64,
    /// Of a rate, as a share of that of A.
    pub rate: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Tolerance { time: Matters::Us(2_000.0), errors: 0.001, rate: 0.02 }
    }
}

/// A difference of response times that matters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matters {
    /// From so many microseconds on.
    Us(f64),
    /// From this share of A's figure on.
    Share(f64),
}

impl Matters {
    /// In microseconds, where A has `us`.
    pub fn us(self, us: f64) -> f64 {
        match self {
            Matters::Us(limit) => limit,
            Matters::Share(share) => us * share,
        }
    }
}

/// One of the two runs.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// What it is called in sentences: its environment, or where both have the same, `A` or `B`.
    pub name: String,
    /// The run's id.
    pub run: String,
    /// Its environment.
    pub environment: String,
    /// When it began.
    pub began_at: String,
    /// The suite's name, path and digest.
    pub suite: (String, String, String),
    /// Its seed.
    pub seed: u64,
    /// The version that wrote it.
    pub assay_version: String,
    /// Whether its figures can be believed.
    pub trust: TrustState,
    /// Its own headline.
    pub headline: String,
    /// Its own exit code.
    pub exit: u8,
    /// Checks: passed, failed musts, failed shoulds, could not be judged.
    pub checks: (u64, u64, u64, u64),
    /// Objectives: met, missed.
    pub objectives: (u64, u64),
    /// Its labels.
    pub labels: IndexMap<String, String>,
}

/// One line of whether two runs can be compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ground {
    /// Whether they are alike in this.
    pub alike: bool,
    /// "Same suite".
    pub title: String,
    /// What that rests on.
    pub text: String,
}

/// What a change comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// It was better before.
    Worse,
    /// It is not the same, and neither is better by itself.
    Different,
    /// It could not be judged on one side.
    CannotTell,
    /// It fails, and the suite of B expects it to: a known failure.
    Expected,
    /// It was not run on one side.
    NotAsked,
    /// It is better now.
    Better,
}

impl Word {
    /// The word.
    pub fn text(self) -> &'static str {
        match self {
            Word::Worse => "worse",
            Word::Different => "different",
            Word::CannotTell => "cannot tell",
            Word::Expected => "expected",
            Word::NotAsked => "not asked",
            Word::Better => "better",
        }
    }
}

/// A check that came out differently, or stands in one run alone.
#[derive(Clone, Debug, Serialize)]
pub struct VerdictChange {
    /// Its id in B, or in A where B does not have it.
    pub id: String,
    /// Its id in A, where that is another one.
    pub formerly: Option<String>,
    /// By what it was known under another id: "the same title".
    pub likeness: Option<String>,
    /// Its title.
    pub title: String,
    /// Its strongest claim.
    pub severity: Strength,
    /// How it came out in A; nothing where it is not there.
    pub a: Option<Shown>,
    /// How it came out in B.
    pub b: Option<Shown>,
    /// What that comes to.
    pub word: Word,
}

/// A verdict with its reason.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, as a fragment; empty for a pass.
    pub reason: String,
}

/// An objective that came out differently.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectiveChange {
    /// Its name.
    pub name: String,
    /// How strong it is.
    pub severity: Strength,
    /// Met, missed, or not judged; and what was measured.
    pub a: (Option<bool>, String),
    /// The same of B.
    pub b: (Option<bool>, String),
    /// What that comes to.
    pub word: Word,
}

/// Something that looks otherwise in the answers of one run than in those of the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShapeChange {
    /// The kind of answer: `refresh granted, json`, or `all answers`.
    pub answer: String,
    /// Where: `$.RefreshTokenResponse.isSuccess`, `header Cache-Control`, `status`.
    pub place: String,
    /// What kind of difference: `spelling`, `member missing`, `date format`, `order`, …
    pub kind: String,
    /// In A.
    pub a: String,
    /// In B.
    pub b: String,
    /// In so many answers of B.
    pub seen: u64,
    /// Of so many.
    pub of: u64,
    /// What that comes to.
    pub word: Word,
}

/// Something that became of tokens in one run and not in the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RotationChange {
    /// Where it was seen: a check with its race, or a profile.
    pub place: String,
    /// What.
    pub what: String,
    /// In A.
    pub a: String,
    /// In B.
    pub b: String,
    /// What that comes to.
    pub word: Word,
}

/// A profile that both runs have.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileComparison {
    /// Its name.
    pub name: String,
    /// What A asked for.
    pub asks_a: String,
    /// What B asked for.
    pub asks_b: String,
    /// Percentiles of the response time.
    pub response: Vec<FigureRow>,
    /// Answers per second.
    pub rate: Option<FigureRow>,
    /// Everything that was not granted, then class by class.
    pub errors: Vec<FigureRow>,
    /// Response times at many percentiles for a curve: quantile, A, B, and the interval of the difference at
    /// 95 % for each alone.
    pub curve: Vec<CurvePoint>,
}

/// One point of the curves of both runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// 0 to 1.
    pub quantile: f64,
    /// Of A, in microseconds.
    pub a: f64,
    /// Of B.
    pub b: f64,
    /// Lower end of the interval of B minus A, where there is one.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

/// One figure of both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FigureRow {
    /// `p99`, `errors`, `refused: invalid-token`, `answers`.
    pub name: String,
    /// What it is measured in.
    pub unit: Unit,
    /// Of A.
    pub a: f64,
    /// Of B.
    pub b: f64,
    /// How many of how many, where it is a share: of A, of B.
    pub counts: Option<((u64, u64), (u64, u64))>,
    /// B minus A.
    pub difference: f64,
    /// The interval, such that all intervals of the comparison hold at once at 95 %.
    pub interval: Option<(f64, f64)>,
    /// What a run differs from itself.
    pub floor: f64,
    /// Up to here nobody cares.
    pub matters: f64,
    /// What it comes to.
    pub word: Speed,
}

impl FigureRow {
    /// The word of the difference.
    pub fn text(&self) -> &'static str {
        match (self.word, self.unit) {
            (Speed::Worse, Unit::Time) => "slower",
            (Speed::Worse, Unit::Share) => "more errors",
            (Speed::Worse, Unit::Rate) => "fewer answers",
            (Speed::Better, Unit::Time) => "faster",
            (Speed::Better, Unit::Share) => "fewer errors",
            (Speed::Better, Unit::Rate) => "more answers",
            (Speed::NoDifference, _) => "no difference",
            (Speed::CannotTell, _) => "cannot tell",
            (Speed::TooLittle, _) => "too little data",
            (Speed::NotJudged, _) => "not judged",
            (Speed::Expected, _) => "expected",
        }
    }

    /// The interval in words, a dash where there is none.
    pub fn span(&self) -> String {
        self.interval.map_or_else(|| "–".to_owned(), |ends| wording::interval(self.unit, ends))
    }
}

/// What a difference of figures comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speed {
    /// The whole interval lies beyond what matters, to the bad.
    Worse,
    /// The whole interval lies beyond what matters, to the good.
    Better,
    /// The whole interval lies within what does not matter.
    NoDifference,
    /// The interval reaches across.
    CannotTell,
    /// Too few answers, or too short.
    TooLittle,
    /// No verdict on speed is drawn.
    NotJudged,
    /// It is worse, and the suite of B expects it.
    Expected,
}

/// What the comparison measures by, beside the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// From which difference of response times on anybody cares; left out, the suite of B says it.
    pub time: Option<Matters>,
    /// The seed of everything that is drawn.
    pub seed: u64,
}

/// Compares two runs: `a` is the baseline, `b` is judged.
pub fn compare(a: &Run, b: &Run, options: Options) -> Comparison {
    let (verdicts, unchanged) = verdicts::changes(a, b);
    let no_speed = no_speed(a, b);
    let tolerance = tolerance(b, options.time);
    let mut comparison = Comparison {
        assay_comparison: COMPARISON_VERSION,
        assay_version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: options.seed,
        tolerance,
        a: side(a, b, "A"),
        b: side(b, a, "B"),
        grounds: vec![suite_ground(a, b), generator_ground(a, b), load_ground(a, b), path_ground(a, b)],
        apart: apart(a, b),
        verdicts,
        unchanged,
        objectives: verdicts::objectives(a, b),
        shapes: shapes::changes(a, b),
        answers_in_one: shapes::only_in_one(a, b),
        shapes_kept: !a.shapes.is_empty() && !b.shapes.is_empty(),
        rotation: rotation::changes(a, b),
        profiles: speed::profiles(a, b, (tolerance, options.seed), no_speed.is_some()),
        only_in_one: speed::only_in_one(a, b),
        no_speed,
        expected: Vec::new(),
    };
    expected::apply(&mut comparison, b);
    comparison
}

/// What the command line says goes before what the suite of B says.
fn tolerance(b: &Run, time: Option<Matters>) -> Tolerance {
    let usual = Tolerance::default();
    let Some(suite) = &b.comparing else { return Tolerance { time: time.unwrap_or(usual.time), ..usual } };
    let of_suite = suite.time_us.map(Matters::Us).or(suite.time_share.map(Matters::Share));
    Tolerance {
        time: time.or(of_suite).unwrap_or(usual.time),
        errors: suite.errors.unwrap_or(usual.errors),
        rate: suite.rate.unwrap_or(usual.rate),
    }
}

fn side(run: &Run, other: &Run, letter: &str) -> Side {
    let own = crate::results::outcome::of(run);
    let tally = Tally::of(&run.checks);
    let objectives = Objectives::of(run);
    let distinct = run.target.environment != other.target.environment;
    Side {
        name: if distinct { run.target.environment.clone() } else { letter.to_owned() },
        run: run.id.clone(),
        environment: run.target.environment.clone(),
        began_at: run.began_at.clone(),
        suite: (run.suite.name.clone(), run.suite.path.clone(), run.suite.digest.clone()),
        seed: run.seed,
        assay_version: run.assay_version.clone(),
        trust: run.trust.state,
        headline: own.headline,
        exit: own.exit.code(),
        checks: (tally.passed, tally.failed + tally.stale, tally.warned, tally.inconclusive),
        objectives: (objectives.met, objectives.missed + objectives.missed_weaker),
        labels: run.labels.clone(),
    }
}

/// Why nothing can be compared.
fn apart(a: &Run, b: &Run) -> Option<String> {
    if a.suite.dialect != b.suite.dialect {
        let (a, b) = (&a.suite.dialect, &b.suite.dialect);
        return Some(format!("A speaks the dialect `{a}`, B the dialect `{b}`"));
    }
    let gated = |gate: &Option<Gate>| gate.as_ref().map(|gate| gate.reason.clone());
    if let Some(reason) = gated(&a.gate) {
        return Some(format!("the good call did not work in A: {reason}"));
    }
    let checks = b.checks.iter().any(|check| a.checks.iter().any(|other| other.id == check.id));
    let load = b.load.iter().any(|load| a.load.iter().any(|other| other.name == load.name));
    (!checks && !load && b.gate.is_none()).then(|| "they have no check and no profile in common".to_owned())
}

/// Why no verdict on speed is drawn.
fn no_speed(a: &Run, b: &Run) -> Option<String> {
    if a.load.is_empty() || b.load.is_empty() {
        return None;
    }
    let of = |state: TrustState| {
        let which: Vec<&str> = [(a, "A"), (b, "B")]
            .iter()
            .filter(|(run, _)| run.trust.state == state)
            .map(|(_, letter)| *letter)
            .collect();
        match which.as_slice() {
            [] => None,
            [one] => Some(format!("{one} is")),
            _ => Some("both are".to_owned()),
        }
    };
    of(TrustState::Untrusted).map(|who| format!("{who} not to be trusted")).or_else(|| {
        of(TrustState::Demonstration).map(|who| {
            let what = if who == "both are" { "demonstrations" } else { "a demonstration" };
            format!("{who} {what} on the embedded mock")
        })
    })
}

fn suite_ground(a: &Run, b: &Run) -> Ground {
    let short = |run: &Run| run.suite.digest.chars().take(7).collect::<String>();
    let seeds = if a.seed == b.seed {
        format!("seed {} in both", a.seed)
    } else {
        format!("seeds {} and {}", a.seed, b.seed)
    };
    if a.suite.digest == b.suite.digest {
        let depth = if a.depth == b.depth { "" } else { "; one of them at full depth" };
        let text = format!("`{}` {} in both, {seeds}{depth}.", a.suite.path, short(a));
        return Ground { alike: a.depth == b.depth, title: "Same suite".to_owned(), text };
    }
    let text = format!("`{}` {} and `{}` {}; {seeds}.", a.suite.path, short(a), b.suite.path, short(b));
    Ground { alike: false, title: "Not the same suite".to_owned(), text }
}

fn generator_ground(a: &Run, b: &Run) -> Ground {
    if a.assay_version == b.assay_version {
        let text = format!("assay {} in both.", a.assay_version);
        return Ground { alike: true, title: "Same generator".to_owned(), text };
    }
    let text = format!("assay {} and {}.", a.assay_version, b.assay_version);
    Ground { alike: false, title: "Another generator".to_owned(), text }
}

fn load_ground(a: &Run, b: &Run) -> Ground {
    if a.load.is_empty() && b.load.is_empty() {
        let text = "Neither run has a load.".to_owned();
        return Ground { alike: true, title: "No load".to_owned(), text };
    }
    let other = |run: &Run, name: &str, asks: &str| {
        run.load.iter().any(|load| load.name == name && load.asks == asks)
    };
    let same = a.load.iter().filter(|load| other(b, &load.name, &load.asks)).count();
    let all = a.load.len().max(b.load.len());
    let slip = |run: &Run| {
        let all = run.load.iter().filter_map(|load| load.slip.quantiles_us.get("p99").copied());
        wording::time(all.reduce(f64::max).unwrap_or(0.0))
    };
    let title = if same == all { "Same load" } else { "Not the same load" };
    let text = format!("{same} of {all} profiles ask for the same. Slip p99 {} and {}.", slip(a), slip(b));
    Ground { alike: same == all, title: title.to_owned(), text }
}

fn path_ground(a: &Run, b: &Run) -> Ground {
    let place = |run: &Run| match run.target.kind {
        TargetKind::EmbeddedMock => "the embedded mock".to_owned(),
        TargetKind::RunningMock => format!("a mock at `{}`", host(&run.target.url)),
        TargetKind::Endpoint => format!("`{}`", host(&run.target.url)),
    };
    let (of_a, of_b) = (place(a), place(b));
    if of_a == of_b {
        return Ground { alike: true, title: "Same path".to_owned(), text: format!("Both to {of_a}.") };
    }
    let text = format!("A to {of_a}, B to {of_b}. Differences include the way there.");
    Ground { alike: false, title: "Not the same path".to_owned(), text }
}

/// The host and port of an address.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}
