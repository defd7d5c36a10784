//! The work to be done: failed musts open, failed shoulds folded, then what is known and what is open.

use super::markup::Html;
use crate::report::clean::{line, shorten, slug};
use crate::report::state::{State, group, strength};
use crate::results::wording::{OBSERVED, clock, count, duration, many, sentence, time};
use crate::results::{CheckResult, Evidence, Finding, Quote, Run, Verdict};

/// More failed musts than this become rows.
const OPEN: usize = 50;
/// Findings of one check that are shown.
const FINDINGS: usize = 3;

pub(super) struct View {
    pub(super) gate: Option<Gate>,
    pub(super) musts: Vec<Diagnostic>,
    pub(super) more: Vec<Short>,
    pub(super) shoulds: Vec<Diagnostic>,
    pub(super) known: Vec<Known>,
    pub(super) open: Vec<Short>,
    pub(super) nothing: String,
}

pub(super) struct Gate {
    pub(super) title: Html,
    pub(super) text: &'static str,
    pub(super) evidence: Vec<Shown>,
}

pub(super) struct Diagnostic {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) symbol: &'static str,
    pub(super) word: &'static str,
    pub(super) title: String,
    pub(super) meta: String,
    pub(super) because: Option<Html>,
    pub(super) fix: Option<Html>,
    pub(super) found: Html,
    pub(super) findings: Vec<Claim>,
    pub(super) left_out: String,
}

/// One claim that does not hold.
pub(super) struct Claim {
    pub(super) place: String,
    pub(super) quote: Vec<QuoteLine>,
    pub(super) notes: Vec<(String, Html)>,
    pub(super) evidence: Vec<Shown>,
    pub(super) again: Option<String>,
}

pub(super) struct QuoteLine {
    pub(super) number: String,
    pub(super) text: Html,
    /// Blanks before the underline, the underline, and what stands after it.
    pub(super) under: Option<(String, String, Html)>,
}

pub(super) struct Shown {
    pub(super) title: String,
    pub(super) sent: Html,
    pub(super) received: Html,
    pub(super) took: String,
}

pub(super) struct Known {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) why: Html,
    pub(super) owner: String,
    pub(super) until: String,
    pub(super) left: String,
    pub(super) near: bool,
}

pub(super) struct Short {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) symbol: &'static str,
    pub(super) word: &'static str,
    pub(super) text: Html,
    pub(super) quiet: bool,
}

impl View {
    pub(super) fn of(run: &Run) -> View {
        let with = |wanted: State| run.checks.iter().filter(move |check| State::of(check) == wanted);
        View {
            gate: run.gate.as_ref().map(|gate| Gate {
                title: Html::prose(&sentence(&line(&gate.reason))),
                text: "Every check begins with one good call. It did not work, so nothing else was judged.",
                evidence: gate.evidence.iter().map(shown).collect(),
            }),
            musts: with(State::Fail).take(OPEN).map(diagnostic).collect(),
            more: with(State::Fail).skip(OPEN).map(|check| short(check, &check.title)).collect(),
            shoulds: with(State::Weak).map(diagnostic).collect(),
            known: run.checks.iter().filter_map(known).collect(),
            open: open(run),
            nothing: nothing(run),
        }
    }

    /// Whether there is anything to do at all.
    pub(super) fn none(&self) -> bool {
        self.gate.is_none() && self.musts.is_empty() && self.shoulds.is_empty()
    }
}

fn nothing(run: &Run) -> String {
    let passed = run.checks.iter().filter(|check| check.verdict == Verdict::Pass).count();
    match passed {
        0 => "No failures, because no check came to a verdict.".to_owned(),
        passed => format!("No failures. {} passed.", many(passed as u64, "check", "checks")),
    }
}

fn diagnostic(check: &CheckResult) -> Diagnostic {
    let state = State::of(check);
    let left = check.findings.len().saturating_sub(FINDINGS);
    let stale = match &check.verdict {
        Verdict::Stale { reason } => Some(line(reason)),
        Verdict::Pass
        | Verdict::Fail
        | Verdict::Warn
        | Verdict::Known { .. }
        | Verdict::Inconclusive { .. }
        | Verdict::Skipped { .. } => None,
    };
    let found = check.findings.first().map_or(String::new(), found);
    Diagnostic {
        id: slug(&check.id),
        name: shorten(&line(&check.id), 24),
        symbol: super::mark(state),
        word: state.word(),
        title: shorten(&line(&check.title), 200),
        meta: meta(check),
        because: check.because.as_deref().map(Html::prose),
        fix: check.fix.as_deref().map(Html::prose),
        found: Html::prose(&stale.unwrap_or(found)),
        findings: check.findings.iter().take(FINDINGS).map(claim).collect(),
        left_out: match left {
            0 => String::new(),
            left => format!("{} in the run file", many(left as u64, "more finding", "more findings")),
        },
    }
}

fn found(finding: &Finding) -> String {
    format!("found {}, expected {}", line(&finding.found), line(&finding.expected))
}

/// `must · format · basis: page · 12 requests, 0.18 s`.
fn meta(check: &CheckResult) -> String {
    let mut parts = vec![strength(check.severity).to_owned(), group(&check.group).to_lowercase()];
    if !check.basis.is_empty() {
        parts.push(format!("basis: {}", line(&check.basis.join(", "))));
    }
    if check.observed {
        parts.push(OBSERVED.to_owned());
    }
    parts.push(format!("{}, {}", many(check.requests, "request", "requests"), took(check.took_us)));
    parts.join(" · ")
}

/// `0.18 s`, `2 min 3 s`.
pub(super) fn took(micros: u64) -> String {
    if micros < 60_000_000 { format!("{:.2}\u{a0}s", micros as f64 / 1e6) } else { duration(micros) }
}

fn claim(finding: &Finding) -> Claim {
    let mut notes = Vec::new();
    let mut note = |name: &str, text: &str| notes.push((name.to_owned(), Html::prose(&line(text))));
    note("found", &found_with_count(finding));
    let says_where = finding.notes.iter().any(|(name, _)| name == "where");
    if let Some(cell) = finding.cell.as_ref().filter(|_| !says_where) {
        note("where", cell);
    }
    for (name, text) in finding.notes.iter().take(8) {
        note(&shorten(&line(name), 16), text);
    }
    Claim {
        place: format!("{}:{}:{}", line(&finding.quote.path), finding.quote.line, finding.quote.column),
        quote: quote(&finding.quote),
        notes,
        evidence: finding.evidence.iter().take(4).map(shown).collect(),
        again: finding.again.as_deref().map(|again| crate::report::clean::clean(again).into_owned()),
    }
}

fn found_with_count(finding: &Finding) -> String {
    let (times, of) = finding.times;
    let counted = match of {
        0 | 1 => String::new(),
        _ => format!(", {} of {}", count(times.into()), count(of.into())),
    };
    format!("{}; {} expected{counted}", finding.found, finding.expected)
}

fn quote(quote: &Quote) -> Vec<QuoteLine> {
    let wide = quote.lines.iter().map(|(number, _)| number.to_string().len()).max().unwrap_or(1);
    let from = quote.column.saturating_sub(1) as usize;
    let length = quote.length as usize;
    quote
        .lines
        .iter()
        .take(12)
        .map(|(number, text)| {
            let marked = *number == quote.line;
            let under = marked.then(|| {
                let blanks = " ".repeat(from.min(400));
                let label = Html::prose(&shorten(&line(&quote.label), 160));
                (blanks, "^".repeat(length.clamp(1, 120)), label)
            });
            let (from, length) = if marked { (from, length) } else { (0, 0) };
            QuoteLine { number: format!("{number:>wide$}"), text: Html::quoted(text, from, length), under }
        })
        .collect()
}

fn shown(evidence: &Evidence) -> Shown {
    Shown {
        title: shorten(&line(&evidence.title), 160),
        sent: Html::exchange(&evidence.sent, &[]),
        received: Html::exchange(&evidence.received, &evidence.marks),
        took: evidence.took_us.map_or(String::new(), |took| format!("in {}", time(took as f64))),
    }
}

fn known(check: &CheckResult) -> Option<Known> {
    let Verdict::Known { until, days_left, owner, why } = &check.verdict else { return None };
    let unit = if days_left.abs() == 1 { "day" } else { "days" };
    Some(Known {
        id: slug(&check.id),
        name: shorten(&line(&check.id), 24),
        why: Html::prose(&line(why)),
        owner: shorten(&line(owner), 40),
        until: line(until),
        left: format!("{days_left} {unit}"),
        near: *days_left <= 14,
    })
}

/// Inconclusive first, then skipped; a long row of the same reason is one line.
fn open(run: &Run) -> Vec<Short> {
    let mut rows: Vec<Short> = Vec::new();
    for check in &run.checks {
        if let Verdict::Inconclusive { reason } = &check.verdict {
            rows.push(short(check, reason));
        }
    }
    let mut skipped: indexmap::IndexMap<&str, Vec<&CheckResult>> = indexmap::IndexMap::new();
    for check in &run.checks {
        if let Verdict::Skipped { reason } = &check.verdict {
            skipped.entry(reason).or_default().push(check);
        }
    }
    for (reason, checks) in skipped {
        if checks.len() <= 6 {
            rows.extend(checks.into_iter().map(|check| short(check, reason)));
        } else if let (Some(first), Some(last)) = (checks.first(), checks.last()) {
            let mut row = short(first, reason);
            row.name = format!("{} to {}", row.name, line(&last.id));
            row.text =
                Html::prose(&format!("{} ({})", line(reason), many(checks.len() as u64, "check", "checks")));
            rows.push(row);
        }
    }
    rows
}

fn short(check: &CheckResult, text: &str) -> Short {
    let state = State::of(check);
    Short {
        id: slug(&check.id),
        name: shorten(&line(&check.id), 24),
        symbol: super::mark(state),
        word: state.word(),
        text: Html::prose(&shorten(&line(text), 300)),
        quiet: state == State::Skip,
    }
}

/// A moment of a profile: `16 s`, `2:05`.
pub(super) fn at(micros: u64) -> String {
    if micros < 60_000_000 { format!("{}\u{a0}s", micros / 1_000_000) } else { clock(micros) }
}
