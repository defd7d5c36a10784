//! The page of many runs: what comes and goes, what changed and stayed.

use std::fmt::Write as _;

use askama::Template;

use super::chart::trend::{is_far, trend};
use super::markup::Html;
use super::verdict::Reason;
use super::{SCRIPT, STYLE, policy};
use crate::compare::history::{By, History, Mark, Night, Step, Trend, Way};
use crate::report::clean::{line, shorten, slug};
use crate::results::TrustState;
use crate::results::wording::{Unit, count, figure, interval, sentence};

/// Runs that stand open in the table.
const OPEN: usize = 8;
/// Rows of checks that are drawn.
const ROWS: usize = 100;
/// Figures that are drawn.
const TRENDS: usize = 24;
/// Columns of figures in the table of runs.
const FIGURES: usize = 4;

#[derive(Template)]
#[template(path = "history_page.html")]
struct Page<'a> {
    history: &'a History,
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
    facts: Vec<(String, String, String)>,
    one: &'static str,
    more: String,
    heads: Vec<(usize, String)>,
    runs: Vec<Option<Cell>>,
    runs_words: String,
    rows: Vec<RowView>,
    rows_left: usize,
    quiet: String,
    trends: Vec<TrendView>,
    trends_left: usize,
    figures: Vec<String>,
    newest: Vec<RunRow>,
    others: Vec<RunRow>,
    left_out: Vec<String>,
    again: String,
}

/// A mark with what it stands for.
struct Cell {
    symbol: &'static str,
    words: String,
    link: String,
}

struct RowView {
    id: String,
    name: String,
    title: String,
    marks: Vec<Option<Cell>>,
    words: String,
    class: &'static str,
}

struct TrendView {
    id: String,
    name: String,
    /// None where a drawing would be a line on the ground.
    svg: Option<Html>,
    words: Vec<(String, &'static str)>,
}

struct RunRow {
    label: String,
    link: String,
    symbol: &'static str,
    word: &'static str,
    headline: String,
    passed: String,
    failed: String,
    figures: Vec<String>,
    since: String,
}

/// The page of `history`; `again` is the command that draws it again.
pub fn page(history: &History, again: &str) -> String {
    let newest = history.nights.last().map_or(Mark::Skipped, |night| night.mark);
    let names: Vec<String> = history.trends.iter().map(|trend| trend.name.clone()).take(FIGURES).collect();
    let all: Vec<RunRow> = (0..history.nights.len()).rev().map(|at| run_row(history, at, &names)).collect();
    let mut newest_rows = all;
    let others = newest_rows.split_off(newest_rows.len().min(OPEN));
    let good = history.nights.iter().filter(|night| night.mark == Mark::Good).count();
    let runs_words = format!("{good} of {} good", history.nights.len());
    let page = Page {
        history,
        policy: policy(),
        style: Html::ours(STYLE),
        script: Html::ours(SCRIPT),
        icon: super::icon_of(tone(newest)),
        title: format!("{} {}", super::tone_mark(tone(newest)), line(&history.headline)),
        what: shorten(&what(history), 120),
        symbol: tone(newest).symbol(),
        headline: line(&history.headline),
        reason: Html::prose(&history.reason),
        reasons: history.reasons.iter().map(|it| reason(history, it)).collect(),
        facts: history.facts.clone(),
        one: history.by.one(),
        more: sentence(history.by.more()),
        heads: heads(history),
        runs: run_marks(history),
        runs_words,
        rows: history.rows.iter().take(ROWS).map(|row| row_view(history, row)).collect(),
        rows_left: history.rows.len().saturating_sub(ROWS),
        quiet: quiet(history),
        trends: history.trends.iter().take(TRENDS).map(|one| trend_view(history, one)).collect(),
        trends_left: history.trends.len().saturating_sub(TRENDS),
        figures: names,
        newest: newest_rows,
        others,
        left_out: history
            .left_out
            .iter()
            .map(|(what, n)| format!("{} ({})", line(what), count(*n)))
            .collect(),
        again: again.to_owned(),
    };
    page.render().expect("writing to a String does not fail")
}

fn what(history: &History) -> String {
    let (suite, environment) = (line(&history.suite), line(&history.environment));
    let all = history.nights.len();
    let noun = if all == 1 { history.by.one() } else { history.by.more() };
    format!("{suite} · {environment} · {all} {noun}")
}

fn tone(mark: Mark) -> super::Tone {
    match mark {
        Mark::Good | Mark::Known | Mark::Skipped => super::Tone::Good,
        Mark::Weak | Mark::Fail => super::Tone::Bad,
        Mark::Odd => super::Tone::Odd,
    }
}

fn symbol(mark: Mark) -> &'static str {
    match mark {
        Mark::Skipped => "skip",
        Mark::Good => "pass",
        Mark::Known => "known",
        Mark::Odd => "odd",
        Mark::Weak => "weak",
        Mark::Fail => "fail",
    }
}

fn word(mark: Mark) -> &'static str {
    match mark {
        Mark::Skipped => "skipped",
        Mark::Good => "passed",
        Mark::Known => "known failure",
        Mark::Odd => "inconclusive",
        Mark::Weak => "failed, should",
        Mark::Fail => "failed, must",
    }
}

/// Of a whole run.
fn run_word(night: &Night) -> &'static str {
    match night.mark {
        Mark::Good | Mark::Known | Mark::Skipped => "good",
        Mark::Weak => "missed",
        Mark::Fail => "failed",
        Mark::Odd if night.trust == TrustState::Untrusted => "not trusted",
        Mark::Odd => "not judged",
    }
}

fn reason(
    history: &History,
    (place, statement, observation, mark): &(String, String, String, Mark),
) -> Reason {
    let figure = history.trends.iter().position(|trend| trend.name == *place);
    Reason {
        symbol: if *mark == Mark::Good { "tick" } else { symbol(*mark) },
        word: word(*mark),
        href: match figure {
            Some(at) if at < TRENDS => format!("#{}", figure_id(place)),
            Some(_) => "#speed".to_owned(),
            None => format!("#{}", slug(place)),
        },
        name: shorten(&line(place), 24),
        statement: Html::prose(&line(statement)),
        observation: Html::prose(&shorten(&line(observation), 240)),
    }
}

/// Dates over groups of columns: how many columns, and the date of the first.
fn heads(history: &History) -> Vec<(usize, String)> {
    let each = match history.columns.len() {
        0..=7 if history.by == By::Night => 1,
        all => all.div_ceil(if history.by == By::Night { 6 } else { 4 }).max(7),
    };
    let labels: Vec<&str> = history.columns.iter().map(|column| column.label.as_str()).collect();
    labels.chunks(each).map(|some| (some.len(), some[0].to_owned())).collect()
}

/// The worst mark of each column, with its date.
fn cells(history: &History, marks: &[Option<Mark>], what: &str) -> Vec<Option<Cell>> {
    history
        .columns
        .iter()
        .map(|column| {
            let worst = column.nights.iter().filter_map(|at| marks.get(*at).copied().flatten()).max()?;
            let words = format!("{what}{}: {}", column.label, word(worst));
            Some(Cell { symbol: symbol(worst), words, link: String::new() })
        })
        .collect()
}

fn run_marks(history: &History) -> Vec<Option<Cell>> {
    history
        .columns
        .iter()
        .map(|column| {
            let worst = column.nights.iter().max_by_key(|at| history.nights[**at].mark)?;
            let night = &history.nights[*worst];
            let words = format!("{}: {}", history.label(*worst), run_word(night));
            Some(Cell { symbol: symbol(night.mark), words, link: night.link.clone().unwrap_or_default() })
        })
        .collect()
}

fn row_view(history: &History, row: &crate::compare::history::Row) -> RowView {
    let name = shorten(&line(&row.id), 24);
    RowView {
        id: slug(&row.id),
        marks: cells(history, &row.marks, &format!("{name}, ")),
        name,
        title: shorten(&line(&row.title), 120),
        words: row.words.clone(),
        class: match row.way {
            Way::New | Way::ComesAndGoes => "bad",
            Way::Since => "ok",
            Way::Known if row.words.contains("left") => "near",
            Way::Gone | Way::Known | Way::Open => "quiet",
        },
    }
}

/// What is not drawn.
fn quiet(history: &History) -> String {
    let noun = |n: u64| if n == 1 { "check" } else { "checks" };
    let mut text = match history.always_passed {
        0 => String::new(),
        n => format!("{} {} passed every time and {} not drawn.", count(n), noun(n), be(n)),
    };
    if history.never_asked > 0 {
        let n = history.never_asked;
        let _ = write!(text, " {} {} never asked.", count(n), if n == 1 { "was" } else { "were" });
    }
    text.trim().to_owned()
}

fn be(n: u64) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

fn trend_view(history: &History, one: &Trend) -> TrendView {
    let mut words: Vec<(String, &'static str)> =
        one.steps.iter().rev().take(3).flat_map(|step| step_words(history, one, step)).collect();
    if let Some(limit) = one.limit {
        let far = if is_far(one, limit) { ", far above" } else { "" };
        words.push((format!("limit {}{far}", figure(one.unit, limit)), "quiet"));
    }
    if let Some(at) = one.missed.last() {
        let times = match one.missed.len() {
            1 => "missed once".to_owned(),
            n => format!("missed {n} times, last"),
        };
        words.push((format!("{times} on {}", history.label(*at)), "bad"));
    }
    if words.is_empty() {
        let known = one.values.iter().flatten().count();
        let newest = one.values.iter().flatten().last().map_or("–".to_owned(), |v| figure(one.unit, *v));
        let plural = if known == 1 { history.by.one() } else { history.by.more() };
        words.push((format!("{newest} at the end; no step in {known} {plural}"), "quiet"));
    }
    let flat = one.values.iter().flatten().all(|value| *value == 0.0);
    if flat {
        let known = one.values.iter().flatten().count();
        let plural = if known == 1 { history.by.one() } else { history.by.more() };
        let none = if known == 0 {
            "no figure that can be trusted".to_owned()
        } else {
            format!("none in {known} {plural}")
        };
        words.insert(0, (none, "ok"));
        words.retain(|(text, _)| !text.contains("no step in"));
    }
    let svg = (!flat).then(|| trend(history, one));
    // The axis has no room for the sign.
    let unit = if one.unit == Unit::Share && !flat { " (%)" } else { "" };
    TrendView { id: figure_id(&one.name), name: format!("{}{unit}", line(&one.name)), svg, words }
}

/// A figure may be named like a check.
fn figure_id(name: &str) -> String {
    format!("figure-{}", slug(name))
}

fn step_words(history: &History, one: &Trend, step: &Step) -> [(String, &'static str); 3] {
    let way = if step.after > step.before { "stepped up" } else { "stepped down" };
    let (before, after) = (figure(one.unit, step.before), figure(one.unit, step.after));
    [
        (
            format!("{way} on {}", history.label(step.at)),
            if step.worse { "bad strong" } else { "good strong" },
        ),
        (format!("{before} to {after}"), "ok"),
        (format!("{} at 95 %", interval(one.unit, step.interval)), "quiet"),
    ]
}

fn run_row(history: &History, at: usize, names: &[String]) -> RunRow {
    let night = &history.nights[at];
    let value = |name: &String| night.figures.get(name).map_or("–".to_owned(), |f| figure(f.unit, f.value));
    RunRow {
        label: history.label(at),
        link: night.link.clone().unwrap_or_default(),
        symbol: match night.mark {
            Mark::Good => "tick",
            other => symbol(other),
        },
        word: run_word(night),
        headline: shorten(&line(&night.headline), 160),
        passed: count(night.passed),
        failed: count(night.failed),
        figures: names.iter().map(value).collect(),
        since: history.since_before(at),
    }
}
