//! From what was counted to a verdict with its findings.

use crate::results::wording::OBSERVED;
use crate::results::{self, CheckResult, Finding, Quote, Verdict};
use crate::suite::check::{Check, Standing};
use crate::suite::claim::Strength;
use crate::suite::policy::Policy;

use super::tally::{ClaimKey, ClaimTally, Failed, Tally};

/// The result of a check that was run.
pub(super) fn of(check: &Check, policy: &Policy, tally: &Tally, today: jiff::civil::Date) -> CheckResult {
    let mut result = blank(check);
    result.verdict = standing(check, plain(tally), today);
    result.findings = findings(check, policy, tally);
    result.observed = !check.observed.is_empty();
    result.races.clone_from(&tally.races);
    result.judged = tally
        .claims
        .values()
        .filter(|claim| claim.strength != Strength::Given)
        .map(|claim| claim.judged)
        .sum();
    result
}

/// The result of a check that was not run.
pub(super) fn skipped(check: &Check, reason: impl Into<String>) -> CheckResult {
    CheckResult { verdict: Verdict::Skipped { reason: reason.into() }, ..blank(check) }
}

/// The result of a check in which this program failed.
pub(super) fn broken(check: &Check) -> CheckResult {
    let reason = "assay itself failed in this check, which is a mistake of assay".to_owned();
    CheckResult { verdict: Verdict::Inconclusive { reason }, ..blank(check) }
}

fn blank(check: &Check) -> CheckResult {
    CheckResult {
        id: check.id.clone(),
        group: check.group.clone(),
        title: check.title.clone(),
        severity: strength(check.severity()),
        basis: check.basis.iter().map(ToString::to_string).collect(),
        because: check.because.clone(),
        fix: check.fix.clone(),
        verdict: Verdict::Pass,
        findings: Vec::new(),
        judged: 0,
        took_us: 0,
        requests: 0,
        races: Vec::new(),
        observed: false,
    }
}

fn strength(strength: Strength) -> results::Strength {
    match strength {
        Strength::Info => results::Strength::Info,
        Strength::Should => results::Strength::Should,
        Strength::Must | Strength::Given => results::Strength::Must,
    }
}

/// The verdict before the suite's expectations.
fn plain(tally: &Tally) -> Verdict {
    let of = |wanted: Strength| tally.claims.values().filter(move |claim| claim.strength == wanted);
    if of(Strength::Must).any(|claim| claim.failed > 0) {
        return Verdict::Fail;
    }
    if of(Strength::Should).any(|claim| claim.failed > 0) {
        return Verdict::Warn;
    }
    if tally.stopped {
        return Verdict::Skipped { reason: "the run was stopped".to_owned() };
    }
    let decided = of(Strength::Must).chain(of(Strength::Should)).any(|claim| claim.judged > 0);
    if let (Some(why), false, 0) = (&tally.why_moot, decided, tally.unset) {
        return Verdict::Skipped { reason: why.clone() };
    }
    match (reason_for_doubt(tally), nothing_to_judge(tally)) {
        (Some(reason), _) => Verdict::Inconclusive { reason },
        (None, Some(reason)) => Verdict::Skipped { reason },
        (None, None) => Verdict::Pass,
    }
}

fn reason_for_doubt(tally: &Tally) -> Option<String> {
    if tally.unset > 0 {
        let why = tally.why_unset.clone().unwrap_or_default();
        return Some(if tally.runs > 1 {
            format!("{why}; in {} of {} cells", tally.unset, tally.runs)
        } else {
            why
        });
    }
    let deciding = || {
        tally.claims.iter().filter(|(_, claim)| matches!(claim.strength, Strength::Must | Strength::Should))
    };
    let untold = |(key, claim): (&ClaimKey, &ClaimTally)| {
        let why = claim.why_untold.clone().unwrap_or_default();
        let times = if claim.untold + claim.judged > 1 {
            format!("; {} of {} times", claim.untold, claim.untold + claim.judged)
        } else {
            String::new()
        };
        format!("`{}` cannot be told: {why}{times}", key.name)
    };
    if let Some(claim) = deciding().find(|(_, claim)| claim.strength == Strength::Must && claim.untold > 0) {
        return Some(untold(claim));
    }
    if let Some(why) = &tally.emptied
        && deciding().all(|(_, claim)| claim.strength != Strength::Must || claim.judged == 0)
    {
        return Some(why.clone());
    }
    // A `should` that could never be told may not pass as one that holds.
    if let Some(claim) = deciding().find(|(_, claim)| claim.untold > 0 && claim.judged == 0) {
        return Some(untold(claim));
    }
    let judged: u32 = deciding().map(|(_, claim)| claim.judged).sum();
    let has_any = deciding().next().is_some();
    let moot = has_any && deciding().all(|(_, claim)| claim.why_moot.is_some());
    // A check of `info` alone decides nothing and cannot be in doubt.
    let only_info = !has_any && tally.claims.values().any(|claim| claim.strength == Strength::Info);
    (judged == 0 && !only_info && !moot).then(|| "nothing could be judged".to_owned())
}

/// Why the endpoint has nothing that this check could judge: one of its strongest claims was moot throughout. That the
/// others hold makes no pass of it.
fn nothing_to_judge(tally: &Tally) -> Option<String> {
    let strongest = tally.claims.values().map(|claim| claim.strength).max()?;
    let of_them = tally.claims.values().filter(|claim| claim.strength == strongest);
    of_them.filter(|claim| claim.judged == 0).find_map(|claim| claim.why_moot.clone())
}

/// What the suite expects of it.
fn standing(check: &Check, verdict: Verdict, today: jiff::civil::Date) -> Verdict {
    let Standing::Known { until, owner, why, intermittent, .. } = &check.standing else { return verdict };
    match verdict {
        Verdict::Fail | Verdict::Warn if today <= *until => Verdict::Known {
            until: until.to_string(),
            days_left: i64::from((*until - today).get_days()),
            owner: owner.clone(),
            why: why.clone(),
        },
        Verdict::Fail | Verdict::Warn => Verdict::Stale {
            reason: format!(
                "it was expected to fail until {until}, that day has gone by, and it still fails"
            ),
        },
        // What comes and goes need not come today.
        Verdict::Pass if *intermittent => Verdict::Pass,
        Verdict::Pass => Verdict::Stale {
            reason: format!("it was expected to fail until {until}, and it passes: remove the expectation"),
        },
        other @ (Verdict::Known { .. }
        | Verdict::Stale { .. }
        | Verdict::Inconclusive { .. }
        | Verdict::Skipped { .. }) => other,
    }
}

/// Claims that did not hold, the strongest first. A `given` is no finding: it is the reason of a doubt.
fn findings(check: &Check, policy: &Policy, tally: &Tally) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tally
        .claims
        .iter()
        .filter(|(_, claim)| claim.strength != Strength::Given)
        .flat_map(|(key, claim)| {
            claim.kinds.iter().enumerate().map(move |(index, failed)| {
                let further = if index == 0 { claim.further } else { 0 };
                finding(check, policy, key, claim, failed, further)
            })
        })
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.strength));
    findings
}

fn finding(
    check: &Check,
    policy: &Policy,
    key: &ClaimKey,
    claim: &ClaimTally,
    failed: &Failed,
    further: u32,
) -> Finding {
    let miss = &failed.miss;
    let label = format!("{} expected, {} found", miss.expected, miss.found);
    Finding {
        strength: strength(claim.strength),
        claim: key.name.clone(),
        expected: miss.expected.clone(),
        found: miss.found.clone(),
        cell: failed.cells.first().cloned(),
        times: (failed.times, claim.judged),
        quote: quote(check, key, label),
        notes: notes(check, policy, (key, claim), failed, further),
        evidence: failed.evidence.clone(),
        again: failed.again.clone(),
    }
}

fn notes(
    check: &Check,
    policy: &Policy,
    (key, claim): (&ClaimKey, &ClaimTally),
    failed: &Failed,
    further: u32,
) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    let mut note = |word: &str, text: String| notes.push((word.to_owned(), text));
    if let Some(place) = place_of(failed, claim) {
        note("where", place);
    }
    if further > 0 {
        note("also", format!("{further} failures of other kinds"));
    }
    // The promise that a verdict hangs on is a line of the suite as well.
    if let Some((word, place)) =
        policy.places.iter().find(|(word, _)| failed.miss.expected.contains(&format!("as `{word}` promises")))
    {
        let (line, column) = place.file.line_column(place.span.start);
        let text = place.file.slice(place.span);
        note("promise", format!("{}:{line}:{column}: `{word}`, written as `{text}`", place.file.name()));
    }
    if let Some(place) = policy.unconfirmed.as_ref().filter(|_| check.observed.contains(&key.at)) {
        let (line, column) = place.file.line_column(place.span.start);
        note(
            "policy",
            format!("{OBSERVED}: nobody has confirmed the policy ({}:{line}:{column})", place.file.name()),
        );
    }
    if let Some(means) = &failed.miss.means {
        note("means", means.clone());
    }
    notes
}

/// `type=form, accept=text/xml; 19 of 20 hold`
fn place_of(failed: &Failed, claim: &ClaimTally) -> Option<String> {
    let held = claim.judged - claim.failed;
    let mut cells = failed.cells.join(" · ");
    // Rounds fail in one cell again and again; only further cells are worth a word.
    let named = u32::try_from(failed.cells.len()).unwrap_or(u32::MAX);
    if !cells.is_empty() && failed.times > named && named >= super::tally::CELLS_MAX {
        cells.push_str(" and more");
    }
    match (cells.is_empty(), claim.judged) {
        (true, 0 | 1) => None,
        (false, 0 | 1) => Some(cells),
        (true, all) => Some(format!("{held} of {all} hold")),
        (false, all) => Some(format!("{cells}; {held} of {all} hold")),
    }
}

/// The claim's line with the one before it.
fn quote(check: &Check, key: &ClaimKey, label: String) -> Quote {
    let (line, column) = check.file.line_column(key.at.start);
    let first = line.saturating_sub(1).max(1);
    let lines: Vec<(u32, String)> = check
        .file
        .text()
        .lines()
        .zip(1..)
        .map(|(text, number)| (number, text.to_owned()))
        .filter(|(number, _)| (first..=line).contains(number))
        .collect();
    let words = check.file.slice(key.at).lines().next().unwrap_or("").trim_end().chars().count();
    Quote {
        path: check.file.name().to_owned(),
        line,
        column,
        lines,
        length: u32::try_from(words.max(1)).unwrap_or(1),
        label,
    }
}
