//! The record: one mark for every check, one row for every check, and the matrix of formats.

use super::failures::took;
use crate::report::clean::{line, shorten, slug};
use crate::report::state::{State, group, groups as by_group, strength};
use crate::results::tally::Tally;
use crate::results::wording::{OBSERVED, count, many, number, time};
use crate::results::{FormatCell, Run};

/// The marks of all checks.
pub(super) struct Marks {
    pub(super) sentences: Vec<String>,
    pub(super) rows: Vec<MarkRow>,
    pub(super) key: Vec<(&'static str, String)>,
    pub(super) not_applicable: String,
}

pub(super) struct MarkRow {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) marks: Vec<Mark>,
    pub(super) passed: String,
    pub(super) took: String,
}

pub(super) struct Mark {
    pub(super) symbol: &'static str,
    pub(super) title: String,
    /// Where it leads, for what is not a pass.
    pub(super) href: Option<String>,
}

impl Marks {
    pub(super) fn of(run: &Run) -> Marks {
        let tally = Tally::of(&run.checks);
        Marks {
            sentences: sentences(run, &tally),
            rows: by_group(&run.checks).into_iter().map(|(name, checks)| mark_row(name, &checks)).collect(),
            key: key(run, &tally),
            not_applicable: match run.not_applicable.len() as u64 {
                0 => String::new(),
                1 => "1 check does not apply to this dialect".to_owned(),
                n => format!("{} checks do not apply to this dialect", count(n)),
            },
        }
    }
}

fn sentences(run: &Run, tally: &Tally) -> Vec<String> {
    let groups = by_group(&run.checks).len() as u64;
    let musts = run.checks.iter().filter(|c| c.severity == crate::results::Strength::Must).count() as u64;
    vec![
        format!(
            "{} in {} {}. One mark is one check; a square is a failure and leads to it.",
            many(tally.all, "check", "checks"),
            number(groups),
            if groups == 1 { "group" } else { "groups" }
        ),
        format!(
            "{} of them {}. Only a failed must fails the run.",
            count(musts),
            if musts == 1 { "is a must" } else { "are musts" }
        ),
    ]
}

fn mark_row(name: &str, checks: &[&crate::results::CheckResult]) -> MarkRow {
    let tally = Tally::of(checks.iter().copied());
    let took_us: u64 = checks.iter().map(|check| check.took_us).sum();
    let rest = rest(&tally);
    let rest = if rest.is_empty() { String::new() } else { format!(", {rest}") };
    MarkRow {
        name: group(name),
        label: format!("{}: {} of {} passed{rest}", group(name), tally.passed, tally.all),
        marks: checks
            .iter()
            .map(|check| {
                let state = State::of(check);
                Mark {
                    symbol: super::mark(state),
                    title: shorten(
                        &format!("{} {}: {}", line(&check.id), line(&check.title), state.word()),
                        160,
                    ),
                    href: (state == State::Fail || state == State::Weak)
                        .then(|| format!("#{}", slug(&check.id))),
                }
            })
            .collect(),
        passed: format!("{} of {}", count(tally.passed), count(tally.all)),
        took: format!("{:.1}\u{a0}s", took_us as f64 / 1e6),
    }
}

/// `1 failed, 2 known`: what did not pass.
fn rest(tally: &Tally) -> String {
    let parts = [
        (tally.failed + tally.stale + tally.warned, "failed"),
        (tally.known, "known"),
        (tally.inconclusive, "inconclusive"),
        (tally.skipped, "skipped"),
    ];
    let words: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", count(*n))).collect();
    words.join(", ")
}

fn key(run: &Run, tally: &Tally) -> Vec<(&'static str, String)> {
    let info = run.checks.iter().filter(|check| State::of(check) == State::Info).count() as u64;
    let all = [
        ("pass", tally.passed - info, "passed".to_owned()),
        ("info", info, "passed, info only".to_owned()),
        ("fail", tally.failed, "failed, must".to_owned()),
        ("fail", tally.stale, "out of date".to_owned()),
        ("weak", tally.warned, "failed, should".to_owned()),
        ("known", tally.known, if tally.known == 1 { "known failure" } else { "known failures" }.to_owned()),
        ("odd", tally.inconclusive, "inconclusive".to_owned()),
        ("skip", tally.skipped, "skipped".to_owned()),
    ];
    all.into_iter()
        .filter(|(_, n, _)| *n > 0)
        .map(|(symbol, n, word)| (symbol, format!("{} {word}", count(n))))
        .collect()
}

/// A group of the table of all checks.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) open: bool,
    pub(super) bad: bool,
    pub(super) rest: String,
    pub(super) passed: String,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) severity: &'static str,
    pub(super) basis: String,
    pub(super) symbol: &'static str,
    pub(super) state: State,
    pub(super) word: &'static str,
    pub(super) took: String,
    pub(super) took_us: u64,
    pub(super) rank: u8,
    pub(super) href: Option<String>,
}

/// Every check by group.
pub(super) fn groups(run: &Run) -> Vec<Group> {
    by_group(&run.checks)
        .into_iter()
        .map(|(name, checks)| {
            let tally = Tally::of(checks.iter().copied());
            Group {
                name: group(name),
                id: slug(name),
                open: tally.failed + tally.stale > 0,
                bad: tally.failed + tally.stale + tally.warned > 0,
                rest: rest(&tally),
                passed: format!("{} of {}", count(tally.passed), count(tally.all)),
                rows: checks.into_iter().map(row).collect(),
            }
        })
        .collect()
}

fn row(check: &crate::results::CheckResult) -> Row {
    let state = State::of(check);
    let leads = !matches!(state, State::Pass | State::Info | State::Skip);
    Row {
        id: format!("row-{}", slug(&check.id)),
        name: shorten(&line(&check.id), 24),
        title: shorten(&line(&check.title), 200),
        severity: strength(check.severity),
        basis: basis(check),
        symbol: super::table_mark(state),
        state,
        word: state.word(),
        took: if state == State::Skip { "–".to_owned() } else { took(check.took_us) },
        took_us: check.took_us,
        rank: rank(state),
        href: leads.then(|| format!("#{}", slug(&check.id))),
    }
}

/// Where the rule comes from; and that the policy, where that decides, is nobody's word.
fn basis(check: &crate::results::CheckResult) -> String {
    let basis = shorten(&line(&check.basis.join(", ")), 80);
    if check.observed { format!("{basis} ({OBSERVED})") } else { basis }
}

/// The order of verdicts when sorted: what needs a person first.
fn rank(state: State) -> u8 {
    match state {
        State::Fail => 0,
        State::Weak | State::Missed => 1,
        State::Odd => 2,
        State::Known => 3,
        State::Skip => 4,
        State::Pass => 5,
        State::Info => 6,
    }
}

impl Row {
    /// The class of the verdict's word.
    pub(super) fn class(&self) -> &'static str {
        match self.state {
            State::Pass | State::Info => "ok",
            State::Fail => "bad strong",
            State::Weak | State::Missed => "bad",
            State::Known => "warn",
            State::Odd => "odd",
            State::Skip => "quiet",
        }
    }
}

/// The matrix of formats.
pub(super) struct Formats {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<(String, Vec<Cell>)>,
}

pub(super) struct Cell {
    pub(super) text: String,
    pub(super) bad: bool,
    pub(super) quiet: bool,
}

impl Formats {
    pub(super) fn of(run: &Run) -> Option<Formats> {
        let mut columns: Vec<Option<&str>> = Vec::new();
        let mut requests: Vec<&str> = Vec::new();
        for cell in &run.formats {
            if !columns.contains(&cell.response.as_deref()) {
                columns.push(cell.response.as_deref());
            }
            if !requests.contains(&cell.request.as_str()) {
                requests.push(&cell.request);
            }
        }
        // Without Accept stands last.
        columns.sort_by_key(Option::is_none);
        let rows = requests
            .into_iter()
            .map(|request| {
                let cells = columns.iter().map(|response| {
                    let wanted =
                        |cell: &&FormatCell| cell.request == request && cell.response.as_deref() == *response;
                    cell(run.formats.iter().find(wanted), response.is_none())
                });
                (media(request), cells.collect())
            })
            .collect();
        let heads = columns.into_iter().map(|column| column.map_or("no Accept".to_owned(), media)).collect();
        (!run.formats.is_empty()).then_some(Formats { columns: heads, rows })
    }
}

fn cell(cell: Option<&FormatCell>, without_accept: bool) -> Cell {
    let Some(cell) = cell else { return Cell { text: "–".to_owned(), bad: false, quiet: true } };
    let got = cell.got.as_deref().map(media);
    if !cell.good {
        let text = got.map_or("no answer".to_owned(), |got| format!("got {}", brief(&got)));
        return Cell { text, bad: true, quiet: false };
    }
    if without_accept {
        return Cell { text: got.unwrap_or_else(|| "–".to_owned()), bad: false, quiet: true };
    }
    Cell { text: cell.median_us.map_or("–".to_owned(), |us| time(us as f64)), bad: false, quiet: false }
}

/// A media type in a cell of a table: JSON and XML are told apart, their two labels only where they must be.
fn brief(media: &str) -> &str {
    match media {
        "application/json" => "JSON",
        "application/xml" => "XML",
        other => other,
    }
}

/// A media type as people say it.
fn media(name: &str) -> String {
    match name {
        "application/x-www-form-urlencoded" => "form".to_owned(),
        other => shorten(&line(other), 40),
    }
}
