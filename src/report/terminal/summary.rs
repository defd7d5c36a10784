//! The summary at the end: what one sees without scrolling is the verdict.

use std::fmt::Write as _;

use super::paint::{Tint, cut, fit, paint, wrap};
use super::{Screen, diagnostic, head};
use crate::report::clean::{clean, line};
use crate::report::state::State;
use crate::results::outcome::{self, Exit, Outcome, books_balance};
use crate::results::tally::Tally;
use crate::results::wording::{self, Margin, OBSERVED, count, many, rate, share, time};
use crate::results::{CheckResult, Clock, LoadModel, Run, TargetKind, TrustState, Verdict};

/// Diagnostics that are printed in full; the others are counted.
const DIAGNOSTICS: usize = 10;

pub(super) fn text(run: &Run, page: Option<&str>, screen: Screen) -> String {
    let outcome = outcome::of(run);
    let mut text = String::new();
    diagnostics(&mut text, run, screen);
    head::text(&mut text, &outcome, page, screen);
    states(&mut text, run, screen);
    table(&mut text, run, &outcome, screen);
    fit(screen, &text)
}

fn of(run: &Run, wanted: State) -> impl Iterator<Item = &CheckResult> {
    run.checks.iter().filter(move |check| State::of(check) == wanted)
}

fn diagnostics(text: &mut String, run: &Run, screen: Screen) {
    if let Some(gate) = &run.gate {
        let head = paint(screen, Tint::Fail, "FAIL[the good call]");
        text.push_str(&wrap(&line(&gate.reason), &format!("{head}: "), "  ", screen.columns()));
        for evidence in gate.evidence.iter().take(1) {
            for (sign, message) in [('>', &evidence.sent), ('<', &evidence.received)] {
                for part in clean(message).lines().filter(|part| !part.trim().is_empty()).take(12) {
                    let _ = writeln!(text, "   {sign} {}", cut(part, screen.columns() - 5));
                }
            }
        }
        text.push('\n');
    }
    let failed: Vec<&CheckResult> = of(run, State::Fail).collect();
    for check in failed.iter().take(DIAGNOSTICS) {
        text.push_str(&diagnostic::full(check, screen));
    }
    let weak: Vec<&CheckResult> = of(run, State::Weak).collect();
    let room = DIAGNOSTICS.saturating_sub(failed.len());
    for check in weak.iter().take(room) {
        text.push_str(&diagnostic::short(check, screen));
    }
    let more = failed.len().saturating_sub(DIAGNOSTICS) + weak.len().saturating_sub(room);
    if more > 0 {
        let _ = writeln!(text, "and {more} more on the page");
    }
    if !failed.is_empty() || !weak.is_empty() {
        text.push('\n');
    }
}

/// The word of a state, right-aligned in six columns.
fn word(screen: Screen, tint: Tint, word: &str) -> String {
    format!("  {}", paint(screen, tint, &format!("{word:>6}")))
}

/// One line for each failed must, then the others in a row each.
fn states(text: &mut String, run: &Run, screen: Screen) {
    let before = text.len();
    let room = screen.columns() - 9;
    for check in of(run, State::Fail).take(DIAGNOSTICS * 2) {
        let said = match (&check.verdict, check.findings.first()) {
            (Verdict::Stale { reason }, _) => line(reason),
            (_, Some(finding)) => line(&format!("found {}, expected {}", finding.found, finding.expected)),
            (_, None) => line(&check.title),
        };
        let said = if check.observed { format!("{said} ({OBSERVED})") } else { said };
        let said = cut(&format!("{}  {said}", line(&check.id)), room);
        let _ = writeln!(text, "{} {said}", word(screen, Tint::Fail, "FAIL"));
    }
    for objective in run.objectives.iter().filter(|objective| objective.met == Some(false)) {
        let said = format!("{}  {}", line(&objective.name), figures(objective));
        let _ = writeln!(text, "{} {}", word(screen, Tint::Weak, "missed"), cut(&said, room));
    }
    let ids = |state: State| of(run, state).map(|check| line(&check.id)).collect::<Vec<_>>();
    row(text, screen, Tint::Weak, State::Weak, &ids(State::Weak));
    let known: Vec<String> = of(run, State::Known).map(known).collect();
    row(text, screen, Tint::Warn, State::Known, &known);
    for check in of(run, State::Odd).take(DIAGNOSTICS) {
        if let Verdict::Inconclusive { reason } = &check.verdict {
            let said = cut(&format!("{}  {}", line(&check.id), line(reason)), room);
            let _ = writeln!(text, "{} {said}", word(screen, Tint::Odd, "odd"));
        }
    }
    row(text, screen, Tint::Dim, State::Skip, &ids(State::Skip));
    if text.len() > before {
        text.push('\n');
    }
}

fn known(check: &CheckResult) -> String {
    match &check.verdict {
        Verdict::Known { days_left, .. } if *days_left <= 14 => {
            format!("{} ({days_left} days left)", line(&check.id))
        }
        _ => line(&check.id),
    }
}

/// Ids in one row, as many as there is room for.
fn row(text: &mut String, screen: Screen, tint: Tint, state: State, ids: &[String]) {
    if ids.is_empty() {
        return;
    }
    let room = screen.columns() - 9;
    let mut shown = String::new();
    for (at, id) in ids.iter().enumerate() {
        let more = format!("  and {} more", ids.len() - at);
        let next = if shown.is_empty() { id.clone() } else { format!("{shown}  {id}") };
        let reserve = if at + 1 < ids.len() { more.chars().count() } else { 0 };
        if next.chars().count() + reserve > room && at > 0 {
            shown.push_str(&more);
            break;
        }
        shown = next;
    }
    let _ = writeln!(text, "{} {}", word(screen, tint, state.short()), cut(&shown, room));
}

fn figures(objective: &crate::results::ObjectiveResult) -> String {
    let measured = objective.measured.map_or("–".to_owned(), wording::measured);
    let sign = objective.comparison.as_deref().map(wording::sign).unwrap_or_default();
    let limit = objective.limit.map_or_else(|| line(&objective.condition), wording::limit);
    let margin = Margin::of(objective).map_or(String::new(), Margin::words);
    format!("{measured:>9}   {:<11}  {margin}", format!("{sign} {limit}")).trim_end().to_owned()
}

/// Labels at the left, what they say at the right.
fn table(text: &mut String, run: &Run, outcome: &Outcome, screen: Screen) {
    let mut entry = |label: &str, lines: &[String]| {
        for (at, said) in lines.iter().enumerate() {
            let label = paint(screen, Tint::Bold, &format!("{:<11}", if at == 0 { label } else { "" }));
            let _ = writeln!(text, "  {label} {}", cut(said, screen.columns() - 14));
        }
    };
    if !run.checks.is_empty() {
        entry("checks", &counts(run));
    }
    entry("objectives", &objectives(run));
    entry("load", &load(run, screen));
    entry("wire", &wire(run));
    entry("sentinels", &sentinels(run));
    entry("trust", &[trust(run)]);
    entry("chains", &[chains(run)]);
    entry("soon", &soon(run));
    entry("next", &next(run, outcome));
}

fn counts(run: &Run) -> Vec<String> {
    let tally = Tally::of(&run.checks);
    let mut lines = vec![format!(
        "{} passed · {} failed · {} known · {} inconclusive · {} skipped",
        tally.passed,
        tally.failed + tally.stale + tally.warned,
        tally.known,
        tally.inconclusive,
        tally.skipped
    )];
    if tally.observed > 0 {
        lines.push(format!("{} of them {OBSERVED}: the policy is not confirmed", count(tally.observed)));
    }
    lines
}

/// The three nearest to their limit, then how many more were met.
fn objectives(run: &Run) -> Vec<String> {
    let mut met: Vec<_> = run.objectives.iter().filter(|objective| objective.met == Some(true)).collect();
    let left =
        |objective: &crate::results::ObjectiveResult| Margin::of(objective).map_or(f64::MAX, Margin::left);
    met.sort_by(|a, b| left(a).total_cmp(&left(b)));
    let wide = met.iter().take(3).map(|one| line(&one.name).chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> =
        met.iter().take(3).map(|one| format!("{:<wide$} {}", line(&one.name), figures(one))).collect();
    if met.len() > 3 {
        lines.push(format!("and {} more met", met.len() - 3));
    }
    for open in run.objectives.iter().filter(|objective| objective.met.is_none()).take(5) {
        let reason = open.reason.as_deref().unwrap_or("could not be judged");
        lines.push(format!("{}  {}", line(&open.name), line(reason)));
    }
    lines
}

fn load(run: &Run, screen: Screen) -> Vec<String> {
    let wide = run.load.iter().map(|load| line(&load.name).chars().count()).max().unwrap_or(0).min(24);
    run.load
        .iter()
        .take(12)
        .map(|load| {
            let at = |clock: &Clock, name: &str| {
                clock.quantiles_us.get(name).map_or("–".to_owned(), |us| time(*us))
            };
            let answers = load.book.granted + load.book.refused;
            let errors = load.book.refused + load.book.failed + load.book.starved;
            let mut said = format!(
                "{:<wide$} {:>9}   p50 {:>8}   p99 {:>8}   errors {}",
                cut(&line(&load.name), wide),
                rate(answers as f64 / (load.took_us as f64 / 1e6).max(1e-3)),
                at(&load.response, "p50"),
                at(&load.response, "p99"),
                share(errors as f64 / load.book.scheduled.max(1) as f64)
            );
            if screen.columns() >= 100 && load.model == LoadModel::Open {
                let _ = write!(said, "   service p99 {}", at(&load.service, "p99"));
            }
            said
        })
        .collect()
}

/// Connections, bytes and phases. Of a mock on this machine they say nothing that somebody waits for.
fn wire(run: &Run) -> Vec<String> {
    let told = run.load.iter().filter(|_| run.target.kind == TargetKind::Endpoint);
    told.take(12)
        .map(|load| {
            let p99 = |(name, clock): (&str, &Clock)| {
                let figure = clock.quantiles_us.get("p99").map_or("–".to_owned(), |us| time(*us));
                format!(", {name} p99 {figure}")
            };
            let phases: String = load.phases.seen().map(p99).collect();
            format!("{}  {}{phases}", line(&load.name), wording::traffic(load.traffic))
        })
        .collect()
}

/// What ran inside the load, and from which rate on it was violated.
fn sentinels(run: &Run) -> Vec<String> {
    let of_all = run.load.iter().flat_map(|load| load.sentinels.iter().map(move |one| (load, one)));
    of_all
        .take(8)
        .map(|(load, sentinel)| {
            let name = format!("{}@{}", line(&sentinel.id), line(&load.name));
            let rounds = many(sentinel.rounds, "round", "rounds");
            match (&sentinel.first, &sentinel.why_untold) {
                (Some(first), _) => format!(
                    "{name}  {} of {rounds} violated, first at {} (t = {})",
                    count(sentinel.violated),
                    rate(first.rate),
                    wording::clock(first.at_us)
                ),
                (None, Some(why)) if sentinel.untold >= sentinel.rounds => format!("{name}  {}", line(why)),
                (None, _) => format!("{name}  {rounds}, none violated"),
            }
        })
        .collect()
}

fn trust(run: &Run) -> String {
    let slip = run.load.iter().filter(|load| load.model == LoadModel::Open);
    let slip = slip.filter_map(|load| load.slip.quantiles_us.get("p99").copied()).reduce(f64::max);
    let mut parts = Vec::new();
    match run.trust.state {
        TrustState::Trusted => {}
        TrustState::Demonstration => parts.push("a demonstration on the embedded mock".to_owned()),
        TrustState::Untrusted => parts.push("not to be trusted".to_owned()),
    }
    parts.extend(slip.map(|micros| format!("slip p99 {}", time(micros))));
    parts.push(match &run.trust.books {
        Some(books) if books_balance(books) => "books balance".to_owned(),
        Some(_) => "books differ".to_owned(),
        None => "one book only".to_owned(),
    });
    if let Some(scan) = &run.trust.secrets {
        parts.push(if scan.hits.is_empty() {
            format!("no secret in {}", many(scan.files.into(), "file", "files"))
        } else {
            format!("a secret in {}", many(scan.hits.len() as u64, "file", "files"))
        });
    }
    parts.join(" · ")
}

fn chains(run: &Run) -> String {
    let burnt = &run.burnt;
    format!(
        "{} opened · {} given up · {}",
        count(burnt.chains),
        count(burnt.families_lost),
        many(burnt.requests, "request", "requests")
    )
}

/// Days before its end at which a certificate is told of: most are renewed a month before.
const EXPIRES_SOON: i64 = 21;

/// A certificate and known failures that are near their date.
fn soon(run: &Run) -> Vec<String> {
    let certificate = run.target.tls.as_ref().and_then(|tls| {
        let left = tls.days_left.filter(|left| *left <= EXPIRES_SOON)?;
        Some(format!("the server's certificate ends in {left} days ({})", tls.expires.as_deref()?))
    });
    let failures = run
        .checks
        .iter()
        .filter_map(|check| match &check.verdict {
            Verdict::Known { days_left, owner, .. } if *days_left <= 14 => Some(format!(
                "{} is a known failure for {days_left} more days ({})",
                line(&check.id),
                line(owner)
            )),
            _ => None,
        })
        .take(5);
    certificate.into_iter().chain(failures).collect()
}

fn next(run: &Run, outcome: &Outcome) -> Vec<String> {
    let first = of(run, State::Fail).next().filter(|_| outcome.exit == Exit::Failed);
    match (outcome.exit, first) {
        (Exit::Good, _) => Vec::new(),
        // An own check of the suite is explained by the suite.
        (_, Some(check)) if check.group == "own" => Vec::new(),
        (_, Some(check)) => vec![format!("assay explain {}", line(&check.id))],
        (exit, None) => vec![format!("assay explain exit {}", exit.code())],
    }
}
