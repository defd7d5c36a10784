//! The page of a comparison: two runs side by side, worst first.

use askama::Template;

use super::chart::versus;
use super::chart::{Figure, scale::Scale};
use super::markup::Html;
use super::verdict::{Reason, day};
use super::{SCRIPT, STYLE, Tone, icon, policy, tab_mark, table_mark};
use crate::compare::{
    Comparison, FigureRow, ProfileComparison, Shown, Side, Speed, VerdictChange, Word, outcome,
};
use crate::report::clean::{line, shorten, slug};
use crate::report::state::{State, strength};
use crate::results::Strength;
use crate::results::outcome::Outcome;
use crate::results::wording::{Unit, count, figure, signed, tick};

#[derive(Template)]
#[template(path = "compare_page.html")]
struct Page<'a> {
    comparison: &'a Comparison,
    policy: String,
    style: Html,
    script: Html,
    icon: String,
    title: String,
    what: String,
    symbol: &'static str,
    headline: String,
    reason: Html,
    reasons: Vec<Reason>,
    sides: Vec<SideRow>,
    exit: String,
    grounds: Vec<GroundLine>,
    verdicts: Vec<VerdictRow>,
    unchanged: String,
    objectives: Vec<ChangeRow>,
    shapes: Vec<ShapeRow>,
    shapes_alone: String,
    rotation: Vec<ChangeRow>,
    scale: Option<Html>,
    profiles: Vec<ProfileView>,
    errors: Vec<ErrorRow>,
    alone: Vec<String>,
    matters: String,
    again: String,
}

/// One fact of both runs.
struct SideRow {
    name: &'static str,
    a: String,
    b: String,
    bad: bool,
}

struct GroundLine {
    symbol: &'static str,
    word: &'static str,
    title: String,
    text: Html,
}

struct VerdictRow {
    id: String,
    name: String,
    formerly: String,
    title: String,
    severity: &'static str,
    a: Cell,
    b: Cell,
    reason: Html,
    word: &'static str,
    class: &'static str,
}

/// A verdict in a cell.
struct Cell {
    symbol: &'static str,
    word: &'static str,
    class: &'static str,
}

/// Something that changed, with what it was on both sides.
struct ChangeRow {
    id: String,
    name: String,
    what: String,
    a: String,
    b: String,
    word: &'static str,
    class: &'static str,
}

/// Something that looks otherwise.
struct ShapeRow {
    answer: String,
    place: String,
    a: String,
    b: String,
    kind: String,
    seen: String,
}

struct ProfileView {
    id: String,
    name: String,
    asks: String,
    rows: Vec<Row>,
    figures: Vec<Figure>,
}

struct Row {
    id: String,
    name: String,
    a: String,
    b: String,
    difference: String,
    span: String,
    bar: Option<Html>,
    word: &'static str,
    class: &'static str,
}

struct ErrorRow {
    id: String,
    profile: String,
    name: String,
    a: String,
    b: String,
    difference: String,
    span: String,
    word: &'static str,
    class: &'static str,
}

/// The page of `comparison`; `again` is the command that draws it again.
pub fn page(comparison: &Comparison, again: &str) -> String {
    let outcome = outcome::of(comparison);
    let (a, b) = (&comparison.a, &comparison.b);
    let reach = reach(comparison);
    let page = Page {
        comparison,
        policy: policy(),
        style: Html::ours(STYLE),
        script: Html::ours(SCRIPT),
        icon: icon(&outcome),
        title: format!("{} {}", tab_mark(&outcome), line(&outcome.headline)),
        what: shorten(
            &format!("{} · {} against {} · {}", line(&b.suite.0), called(a), called(b), day(&b.began_at)),
            120,
        ),
        symbol: Tone::of(&outcome).symbol(),
        headline: shorten(&line(&outcome.headline), 240),
        reason: Html::prose(&outcome.reason),
        reasons: reasons(comparison, &outcome),
        sides: sides(a, b, comparison),
        exit: format!("{} {}", outcome.exit.code(), line(&outcome.word)),
        grounds: comparison.grounds.iter().map(ground).collect(),
        verdicts: comparison.verdicts.iter().map(verdict).collect(),
        unchanged: unchanged(comparison),
        objectives: objectives(comparison),
        shapes: shapes(comparison),
        shapes_alone: shapes_alone(comparison),
        rotation: rotation(comparison),
        scale: reach.map(versus::interval_head),
        profiles: comparison
            .profiles
            .iter()
            .map(|profile| profile_view(comparison, profile, reach))
            .collect(),
        errors: errors(comparison),
        alone: alone(comparison),
        matters: matters(comparison),
        again: again.to_owned(),
    };
    page.render().expect("writing to a String does not fail")
}

fn called(side: &Side) -> String {
    shorten(&line(&side.environment), 40)
}

fn reasons(comparison: &Comparison, outcome: &Outcome) -> Vec<Reason> {
    let view = |(name, statement, observation): &(String, String, String)| {
        let must = comparison.verdicts.iter().any(|change| {
            change.id == *name
                && change
                    .b
                    .as_ref()
                    .is_some_and(|shown| State::of_verdict(&shown.verdict, change.severity) == State::Fail)
        });
        Reason {
            symbol: if must { "fail" } else { "weak" },
            word: "worse",
            href: if comparison.objectives.iter().any(|change| change.name == *name) {
                format!("#{}", objective_id(name))
            } else {
                format!("#{}", slug(name))
            },
            name: shorten(&line(name), 24),
            statement: Html::prose(&shorten(&line(statement), 200)),
            observation: Html::prose(&shorten(&line(observation), 240)),
        }
    };
    outcome.reasons.iter().map(view).collect()
}

fn sides(a: &Side, b: &Side, comparison: &Comparison) -> Vec<SideRow> {
    let row = |name, a: String, b: String, bad| SideRow { name, a, b, bad };
    let counted = |name, pick: fn(&Side) -> u64, bad| {
        row(name, count(pick(a)), count(pick(b)), bad && pick(b) > pick(a))
    };
    let mut rows = vec![
        row("started", moment(a, b), moment(b, a), false),
        counted("passed", |side| side.checks.0, false),
        counted("failed, must", |side| side.checks.1, true),
        counted("failed, should", |side| side.checks.2, false),
    ];
    if let Some((profile, p99)) = comparison
        .profiles
        .iter()
        .find_map(|profile| Some((profile, profile.response.iter().find(|row| row.name == "p99")?)))
    {
        let name = if line(&profile.name) == "steady" { "steady p99" } else { "first p99" };
        rows.push(row(name, figure(Unit::Time, p99.a), figure(Unit::Time, p99.b), false));
    }
    rows.push(row("exit alone", a.exit.to_string(), b.exit.to_string(), false));
    for key in b.labels.keys().take(4) {
        if let (Some(of_a), Some(of_b)) = (a.labels.get(key), b.labels.get(key))
            && of_a != of_b
            && key == "release"
        {
            rows.push(row("release", shorten(&line(of_a), 20), shorten(&line(of_b), 20), false));
        }
    }
    rows
}

/// The time of day where both began on one day, else the day.
fn moment(side: &Side, other: &Side) -> String {
    let (own, another) = (day(&side.began_at), day(&other.began_at));
    if own != another {
        return own;
    }
    side.began_at.split('T').nth(1).and_then(|time| time.get(..8)).map_or(own, line)
}

fn ground(ground: &crate::compare::Ground) -> GroundLine {
    let (symbol, word) = if ground.alike { ("tick", "alike") } else { ("odd", "not alike") };
    GroundLine { symbol, word, title: ground.title.clone(), text: Html::prose(&line(&ground.text)) }
}

fn class(word: Word) -> &'static str {
    match word {
        Word::Worse => "bad strong",
        Word::Different => "odd",
        Word::Expected => "warn",
        Word::Better => "good",
        Word::CannotTell | Word::NotAsked => "quiet",
    }
}

fn verdict(change: &VerdictChange) -> VerdictRow {
    let reason = change.b.as_ref().map_or("", |shown| shown.reason.as_str());
    let reason = if reason.is_empty() {
        change.a.as_ref().map_or(String::new(), |shown| match shown.reason.as_str() {
            "" => String::new(),
            before => format!("before: {before}"),
        })
    } else {
        reason.to_owned()
    };
    VerdictRow {
        id: slug(&change.id),
        name: shorten(&line(&change.id), 24),
        formerly: change.formerly.as_ref().map_or(String::new(), |id| {
            let likeness = change.likeness.as_deref().unwrap_or("its id");
            format!("formerly {}, known by {likeness}", line(id))
        }),
        title: shorten(&line(&change.title), 200),
        severity: strength(change.severity),
        a: cell(change.a.as_ref(), change.severity),
        b: cell(change.b.as_ref(), change.severity),
        reason: Html::prose(&shorten(&line(&reason), 300)),
        word: change.word.text(),
        class: class(change.word),
    }
}

fn cell(shown: Option<&Shown>, severity: Strength) -> Cell {
    let Some(shown) = shown else { return Cell { symbol: "skip", word: "not there", class: "quiet" } };
    let state = State::of_verdict(&shown.verdict, severity);
    let class = match state {
        State::Pass | State::Info => "ok",
        State::Fail => "bad strong",
        State::Weak | State::Missed => "bad",
        State::Known => "warn",
        State::Odd => "odd",
        State::Skip => "quiet",
    };
    Cell { symbol: table_mark(state), word: state.word(), class }
}

/// An objective may be named like a figure.
fn objective_id(name: &str) -> String {
    format!("objective-{}", slug(name))
}

/// "140 verdicts are the same: 133 pass, 3 known, 4 skipped."
fn unchanged(comparison: &Comparison) -> String {
    let all: u64 = comparison.unchanged.values().sum();
    if all == 0 {
        return String::new();
    }
    let words: Vec<String> =
        comparison.unchanged.iter().map(|(word, many)| format!("{} {word}", count(*many))).collect();
    let verb = if all == 1 { "verdict is" } else { "verdicts are" };
    format!("{} {verb} the same on both: {}.", count(all), words.join(", "))
}

fn objectives(comparison: &Comparison) -> Vec<ChangeRow> {
    let said = |(met, measured): &(Option<bool>, String)| {
        let word = match met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "not judged",
        };
        format!("{measured}, {word}")
    };
    let row = |change: &crate::compare::ObjectiveChange| ChangeRow {
        id: objective_id(&change.name),
        name: shorten(&line(&change.name), 60),
        what: strength(change.severity).to_owned(),
        a: said(&change.a),
        b: said(&change.b),
        word: change.word.text(),
        class: class(change.word),
    };
    comparison.objectives.iter().map(row).collect()
}

fn shapes(comparison: &Comparison) -> Vec<ShapeRow> {
    let mut before = "";
    let mut rows = Vec::new();
    for change in &comparison.shapes {
        let answer = if change.answer == before { String::new() } else { line(&change.answer) };
        before = &change.answer;
        rows.push(ShapeRow {
            answer,
            place: shorten(&line(&change.place), 120),
            a: shorten(&line(&change.a), 160),
            b: shorten(&line(&change.b), 160),
            kind: if change.word == Word::Expected {
                format!("{}, expected", change.kind)
            } else {
                change.kind.clone()
            },
            seen: format!("{} of {}", count(change.seen), count(change.of)),
        });
    }
    rows
}

/// Kinds of answers that one side never gave.
fn shapes_alone(comparison: &Comparison) -> String {
    let of = |wanted: char| {
        let names: Vec<String> = comparison
            .answers_in_one
            .iter()
            .filter(|(_, letter)| *letter == wanted)
            .map(|(name, _)| line(name))
            .collect();
        (!names.is_empty()).then(|| format!("Seen in {wanted} only: {}.", names.join("; ")))
    };
    [of('A'), of('B')].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn rotation(comparison: &Comparison) -> Vec<ChangeRow> {
    let row = |(at, change): (usize, &crate::compare::RotationChange)| ChangeRow {
        id: format!("rotation-{at}"),
        name: shorten(&line(&change.place), 80),
        what: change.what.clone(),
        a: line(&change.a),
        b: line(&change.b),
        word: change.word.text(),
        class: class(change.word),
    };
    comparison.rotation.iter().enumerate().map(row).collect()
}

/// The largest figure of all intervals of time, for one scale; and what does not matter.
fn reach(comparison: &Comparison) -> Option<(f64, f64)> {
    let rows = comparison.profiles.iter().flat_map(|profile| &profile.response);
    let ends = rows.clone().filter_map(|row| row.interval).flat_map(|(low, high)| [low.abs(), high.abs()]);
    let most = ends.reduce(f64::max)?;
    let matters = rows.map(|row| row.matters).reduce(f64::min)?.max(1.0);
    Some((most.max(matters * 2.0), matters))
}

fn profile_view(
    comparison: &Comparison,
    profile: &ProfileComparison,
    reach: Option<(f64, f64)>,
) -> ProfileView {
    let rows = profile.response.iter().chain(&profile.rate);
    ProfileView {
        id: slug(&profile.name),
        name: shorten(&line(&profile.name), 40),
        asks: if profile.asks_a == profile.asks_b {
            line(&profile.asks_a)
        } else {
            format!("A {}; B {}", line(&profile.asks_a), line(&profile.asks_b))
        },
        rows: rows.map(|row| view_of(profile, row, reach)).collect(),
        figures: versus::curves(comparison, profile),
    }
}

fn view_of(profile: &ProfileComparison, row: &FigureRow, reach: Option<(f64, f64)>) -> Row {
    let bar = match (row.unit, reach, row.interval) {
        (Unit::Time, Some(reach), Some(ends)) => Some(versus::interval(row, ends, reach)),
        _ => None,
    };
    Row {
        id: slug(&format!("{} {}", profile.name, row.name)),
        name: line(&row.name),
        a: figure(row.unit, row.a),
        b: figure(row.unit, row.b),
        difference: signed(row.unit, row.difference),
        span: row.span(),
        bar,
        word: row.text(),
        class: speed_class(row.word),
    }
}

fn speed_class(word: Speed) -> &'static str {
    match word {
        Speed::Worse => "b strong",
        Speed::Better => "good",
        Speed::Expected => "warn",
        Speed::CannotTell | Speed::TooLittle | Speed::NoDifference | Speed::NotJudged => "quiet",
    }
}

fn errors(comparison: &Comparison) -> Vec<ErrorRow> {
    let of = |(some, all): (u64, u64)| format!("{} of {}", count(some), count(all));
    let rows = comparison.profiles.iter().flat_map(|profile| {
        profile.errors.iter().enumerate().map(move |(at, row)| {
            let (a, b) = row.counts.unwrap_or_default();
            ErrorRow {
                id: slug(&format!("{} {}", profile.name, row.name)),
                profile: if at == 0 { shorten(&line(&profile.name), 40) } else { String::new() },
                name: if at == 0 { "all".to_owned() } else { shorten(&line(&row.name), 60) },
                a: of(a),
                b: of(b),
                difference: signed(row.unit, row.difference),
                span: row.span(),
                word: row.text(),
                class: speed_class(row.word),
            }
        })
    });
    rows.collect()
}

fn alone(comparison: &Comparison) -> Vec<String> {
    comparison
        .only_in_one
        .iter()
        .map(|(name, letter)| format!("{} is in {letter} only.", line(name)))
        .collect()
}

/// "±2 ms", "±5 %".
fn matters(comparison: &Comparison) -> String {
    match comparison.tolerance.time {
        crate::compare::Matters::Us(us) => format!("±{}", tick(us)),
        crate::compare::Matters::Share(share) => format!("±{}", crate::results::wording::share(share)),
    }
}

/// A symmetrical scale: linear up to what does not matter, logarithmic beyond.
pub(super) fn symmetrical(figure: f64, (most, matters): (f64, f64), half: f64) -> f64 {
    let inner = half * 0.25;
    let size = figure.abs();
    let along = if size <= matters {
        inner * size / matters
    } else {
        Scale::log((matters, most.max(matters * 1.01)), (inner, half)).at(size)
    };
    if figure < 0.0 { -along } else { along }
}
