//! Markdown for a pipeline's summary.

mod compare;

pub use self::compare::summary as comparison;

use std::fmt::Write as _;

use super::clean;
use super::state::{State, strength};
use crate::results::outcome;
use crate::results::tally::Tally;
use crate::results::wording::{self, Margin, OBSERVED, count, duration, plain, rate, share, time};
use crate::results::{CheckResult, Run, Verdict};

/// Rows of one kind at most: a pipeline's summary has a limit, the page has none.
const ROWS: usize = 50;

/// The summary of `run`.
pub fn summary(run: &Run) -> String {
    let mut text = String::new();
    draw(run, &mut text).expect("writing to a String does not fail");
    plain(&text)
}

fn draw(run: &Run, text: &mut String) -> std::fmt::Result {
    let outcome = outcome::of(run);
    writeln!(text, "## {}\n", cell(&outcome.headline))?;
    writeln!(text, "{}\n", cell(&outcome.reason))?;
    writeln!(
        text,
        "`{}` · environment `{}` · seed {} · {} · exit {} {}\n",
        code(&run.suite.path),
        code(&run.target.environment),
        run.seed,
        duration(run.took_us.all),
        outcome.exit.code(),
        cell(&outcome.word)
    )?;
    counts(run, text)?;
    checks(run, text, "Failed", |state| matches!(state, State::Fail | State::Weak))?;
    checks(run, text, "Could not be judged", |state| state == State::Odd)?;
    checks(run, text, "Known failures", |state| state == State::Known)?;
    objectives(run, text)?;
    load(run, text)?;
    Ok(())
}

fn counts(run: &Run, text: &mut String) -> std::fmt::Result {
    let tally = Tally::of(&run.checks);
    if tally.all == 0 {
        return Ok(());
    }
    writeln!(text, "| checks | passed | failed (must) | failed (should) | known | inconclusive | skipped |")?;
    writeln!(text, "|---:|---:|---:|---:|---:|---:|---:|")?;
    writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        tally.all,
        tally.passed,
        tally.failed + tally.stale,
        tally.warned,
        tally.known,
        tally.inconclusive,
        tally.skipped
    )
}

fn checks(run: &Run, text: &mut String, title: &str, wanted: impl Fn(State) -> bool) -> std::fmt::Result {
    let rows: Vec<&CheckResult> = run.checks.iter().filter(|check| wanted(State::of(check))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(text, "### {title}\n\n| check | | what | |\n|---|---|---|---|")?;
    for check in rows.iter().take(ROWS) {
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            cell(&check.id),
            strength(check.severity),
            cell(&check.title),
            cell(&said(check))
        )?;
    }
    if rows.len() > ROWS {
        writeln!(text, "\nand {} more on the page", rows.len() - ROWS)?;
    }
    writeln!(text)
}

fn said(check: &CheckResult) -> String {
    let said = found(check);
    if check.observed { format!("{said} ({OBSERVED})") } else { said }
}

fn found(check: &CheckResult) -> String {
    match &check.verdict {
        Verdict::Known { until, owner, why, .. } => format!("{why} ({owner}, until {until})"),
        Verdict::Stale { reason } | Verdict::Inconclusive { reason } | Verdict::Skipped { reason } => {
            reason.clone()
        }
        Verdict::Pass | Verdict::Fail | Verdict::Warn => check
            .findings
            .first()
            .map_or(String::new(), |f| format!("found {}, expected {}", f.found, f.expected)),
    }
}

fn objectives(run: &Run, text: &mut String) -> std::fmt::Result {
    if run.objectives.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "### Objectives\n\n| objective | measured | limit | margin | |\n|---|---:|---:|---:|---|"
    )?;
    for objective in run.objectives.iter().take(ROWS) {
        writeln!(
            text,
            "| {} | {} | {} {} | {} | {} |",
            cell(&objective.name),
            objective.measured.map_or("–".to_owned(), wording::measured),
            objective.comparison.as_deref().map(wording::sign).map_or(String::new(), cell),
            objective.limit.map_or("–".to_owned(), wording::limit),
            Margin::of(objective).map_or("–".to_owned(), Margin::words),
            State::of_objective(objective).word()
        )?;
    }
    writeln!(text)
}

fn load(run: &Run, text: &mut String) -> std::fmt::Result {
    if run.load.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "### Load\n\n| profile | asks | answers | rate | p50 | p99 | service p99 | errors | starved |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|"
    )?;
    for load in run.load.iter().take(ROWS) {
        let quantile = |clock: &crate::results::Clock, name: &str| {
            clock.quantiles_us.get(name).map_or("–".to_owned(), |us| time(*us))
        };
        let answers = load.book.granted + load.book.refused;
        let errors = load.book.refused + load.book.failed + load.book.starved;
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(&load.name),
            cell(&load.asks),
            count(answers),
            rate(answers as f64 / (load.took_us as f64 / 1e6).max(1e-3)),
            quantile(&load.response, "p50"),
            quantile(&load.response, "p99"),
            quantile(&load.service, "p99"),
            share(errors as f64 / load.book.scheduled.max(1) as f64),
            count(load.book.starved)
        )?;
    }
    sentinels(run, text)
}

/// What ran inside the load.
fn sentinels(run: &Run, text: &mut String) -> std::fmt::Result {
    let all: Vec<_> =
        run.load.iter().flat_map(|load| load.sentinels.iter().map(move |it| (load, it))).collect();
    if all.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n| sentinel | rounds | violated | first violation |\n|---|---:|---:|---|")?;
    for (load, sentinel) in all.into_iter().take(ROWS) {
        let first = sentinel.first.as_ref().map_or_else(String::new, |first| {
            format!("at {} ({} s in)", rate(first.rate), first.at_us / 1_000_000)
        });
        let name = cell(&format!("{}@{}", sentinel.id, load.name));
        let (rounds, violated) = (count(sentinel.rounds), count(sentinel.violated));
        writeln!(text, "| {name} | {rounds} | {violated} | {first} |")?;
    }
    Ok(())
}

/// Text in a cell: on one line, nothing in it is markup, `backticks` stay code.
fn cell(text: &str) -> String {
    let text = clean::shorten(&clean::line(text), 300);
    let mut escaped = String::new();
    let balanced = text.matches('`').count().is_multiple_of(2);
    let mut inside = false;
    for c in text.chars() {
        match c {
            '`' if balanced => {
                inside = !inside;
                escaped.push('`');
            }
            '|' => escaped.push_str("\\|"),
            '<' if !inside => escaped.push_str("&lt;"),
            '>' if !inside => escaped.push_str("&gt;"),
            '*' | '_' | '[' | ']' | '#' | '`' | '\\' | '~' | '!' | '@' if !inside => {
                escaped.push('\\');
                escaped.push(c);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

fn code(text: &str) -> String {
    clean::shorten(&clean::line(text), 200).replace('`', "'")
}
