//! Checks and objectives of two runs, matched and set against each other.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::{ObjectiveChange, Shown, VerdictChange, Word};
use crate::results::wording;
use crate::results::{CheckResult, ObjectiveResult, Run, Strength, Verdict};

/// Titles with this share of their words in common are alike.
const ALIKE: f64 = 0.6;

/// A check of A beside that of B, and by what they were matched if not by their id.
struct Pair<'a> {
    a: Option<&'a CheckResult>,
    b: Option<&'a CheckResult>,
    likeness: Option<String>,
}

/// What changed, worst first, and how many did not, by verdict.
pub fn changes(a: &Run, b: &Run) -> (Vec<VerdictChange>, IndexMap<String, u64>) {
    let mut changed = Vec::new();
    let mut unchanged = IndexMap::new();
    let none = IndexMap::new();
    let renamed = b.comparing.as_ref().map_or(&none, |comparing| &comparing.renamed);
    for pair in pairs(&a.checks, &b.checks, renamed) {
        if let Some(change) = change(&pair) {
            changed.push(change);
        } else {
            let check = pair.b.or(pair.a).expect("a pair holds at least one");
            *unchanged.entry(word_of(&check.verdict).to_owned()).or_default() += 1;
        }
    }
    // Within a word the musts come first; otherwise the order of the catalogue stays.
    changed.sort_by_key(|change| (change.word, std::cmp::Reverse(change.severity)));
    (changed, unchanged)
}

/// Every check of both, those of B in its order, then those that only A has.
fn pairs<'a>(
    a: &'a [CheckResult],
    b: &'a [CheckResult],
    renamed: &IndexMap<String, String>,
) -> Vec<Pair<'a>> {
    let with_id = |checks: &'a [CheckResult], id: &str| checks.iter().find(|check| check.id == id);
    let mut lost: Vec<&CheckResult> = a.iter().filter(|check| with_id(b, &check.id).is_none()).collect();
    let mut pairs = Vec::new();
    for check in b {
        if let Some(same) = with_id(a, &check.id) {
            pairs.push(Pair { a: Some(same), b: Some(check), likeness: None });
            continue;
        }
        // What the suite says of its own ids goes before what they look like.
        let told = lost.iter().position(|old| renamed.get(&old.id) == Some(&check.id));
        let told = told.map(|at| (at, "what the suite says".to_owned()));
        let found = told.or_else(|| most_alike(&lost, check));
        let likeness = found.as_ref().map(|(_, why)| why.clone());
        let former = found.map(|(at, _)| lost.remove(at));
        pairs.push(Pair { a: former, b: Some(check), likeness });
    }
    pairs.extend(lost.into_iter().map(|check| Pair { a: Some(check), b: None, likeness: None }));
    pairs
}

/// Which of `lost` is most like `check`, and why.
fn most_alike(lost: &[&CheckResult], check: &CheckResult) -> Option<(usize, String)> {
    let near = lost.iter().enumerate().filter(|(_, other)| other.group == check.group);
    let (at, share) = near
        .map(|(at, other)| (at, likeness(&other.title, &check.title)))
        .max_by(|x, y| x.1.total_cmp(&y.1))?;
    if share < ALIKE {
        return None;
    }
    let why = if share > 0.999 { "the same title".to_owned() } else { "a title like it".to_owned() };
    Some((at, why))
}

/// The share of words that two titles have in common.
fn likeness(one: &str, other: &str) -> f64 {
    let words = |title: &str| -> BTreeSet<String> {
        title.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
    };
    let (one, other) = (words(one), words(other));
    let all = one.union(&other).count();
    if all == 0 { 0.0 } else { one.intersection(&other).count() as f64 / all as f64 }
}

fn change(pair: &Pair<'_>) -> Option<VerdictChange> {
    let word = match (pair.a, pair.b) {
        (Some(a), Some(b)) => {
            let renamed = a.id != b.id;
            word(a, b).or(renamed.then_some(Word::Different))?
        }
        (None, Some(b)) if b.verdict == Verdict::Fail => Word::Worse,
        (None, Some(_)) | (Some(_), None) => Word::NotAsked,
        (None, None) => return None,
    };
    let check = pair.b.or(pair.a)?;
    let formerly = pair.a.filter(|a| a.id != check.id).map(|a| a.id.clone());
    Some(VerdictChange {
        id: check.id.clone(),
        formerly,
        likeness: pair.likeness.clone(),
        title: check.title.clone(),
        severity: check.severity.max(pair.a.map_or(Strength::Info, |a| a.severity)),
        a: pair.a.map(shown),
        b: pair.b.map(shown),
        word,
    })
}

/// What becomes of a check between two runs; nothing where it came out the same way.
fn word(a: &CheckResult, b: &CheckResult) -> Option<Word> {
    let is_known = |verdict: &Verdict| matches!(verdict, Verdict::Known { .. });
    if is_known(&b.verdict) && !is_known(&a.verdict) {
        return Some(Word::Expected);
    }
    match (rank(&a.verdict), rank(&b.verdict)) {
        (Some(before), Some(now)) if now > before => Some(Word::Worse),
        (Some(before), Some(now)) if now < before => Some(Word::Better),
        (Some(_), Some(_)) if word_of(&a.verdict) != word_of(&b.verdict) => Some(Word::Different),
        (Some(0), Some(0)) => None,
        (Some(_), Some(_)) => (claims(a) != claims(b)).then_some(Word::Different),
        // What fails where nobody could look before is no good news either.
        (None, Some(2)) => Some(Word::Worse),
        (before, now) if before == now && word_of(&a.verdict) == word_of(&b.verdict) => None,
        _ if is_skipped(&a.verdict) || is_skipped(&b.verdict) => Some(Word::NotAsked),
        _ => Some(Word::CannotTell),
    }
}

/// How bad a verdict is; nothing where it is none.
fn rank(verdict: &Verdict) -> Option<u8> {
    match verdict {
        Verdict::Pass => Some(0),
        Verdict::Known { .. } | Verdict::Warn => Some(1),
        Verdict::Fail | Verdict::Stale { .. } => Some(2),
        Verdict::Inconclusive { .. } | Verdict::Skipped { .. } => None,
    }
}

fn is_skipped(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Skipped { .. })
}

/// The word of a verdict.
fn word_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Warn => "fail (should)",
        Verdict::Known { .. } => "known",
        Verdict::Stale { .. } => "out of date",
        Verdict::Inconclusive { .. } => "inconclusive",
        Verdict::Skipped { .. } => "skipped",
    }
}

/// The claims that did not hold.
fn claims(check: &CheckResult) -> BTreeSet<&str> {
    check.findings.iter().filter(|f| f.strength > Strength::Info).map(|f| f.claim.as_str()).collect()
}

fn shown(check: &CheckResult) -> Shown {
    let reason = match &check.verdict {
        Verdict::Pass => String::new(),
        Verdict::Fail | Verdict::Warn => check.findings.first().map_or(String::new(), |finding| {
            let place = finding.cell.as_ref().map_or(String::new(), |cell| format!(" ({cell})"));
            format!("found {}, expected {}{place}", finding.found, finding.expected)
        }),
        Verdict::Known { why, owner, .. } => format!("{why} ({owner})"),
        Verdict::Stale { reason } | Verdict::Inconclusive { reason } | Verdict::Skipped { reason } => {
            reason.clone()
        }
    };
    Shown { verdict: check.verdict.clone(), reason }
}

/// Objectives that came out differently, worst first.
pub fn objectives(a: &Run, b: &Run) -> Vec<ObjectiveChange> {
    let mut changes: Vec<ObjectiveChange> = b
        .objectives
        .iter()
        .filter_map(|now| {
            let before = a.objectives.iter().find(|objective| objective.name == now.name)?;
            objective(before, now)
        })
        .collect();
    changes.sort_by_key(|change| change.word);
    changes
}

fn objective(a: &ObjectiveResult, b: &ObjectiveResult) -> Option<ObjectiveChange> {
    let word = match (a.met, b.met) {
        (Some(true) | None, Some(false)) => Word::Worse,
        (Some(false), Some(true)) => Word::Better,
        (Some(_), None) | (None, Some(true)) => Word::CannotTell,
        (Some(true), Some(true)) | (Some(false), Some(false)) | (None, None) => return None,
    };
    let figure = |objective: &ObjectiveResult| {
        let measured = objective.measured.map_or("–".to_owned(), wording::measured);
        (objective.met, measured)
    };
    Some(ObjectiveChange { name: b.name.clone(), severity: b.strength, a: figure(a), b: figure(b), word })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, title: &str, verdict: Verdict) -> CheckResult {
        CheckResult {
            id: id.to_owned(),
            group: "races".to_owned(),
            title: title.to_owned(),
            severity: Strength::Must,
            basis: Vec::new(),
            because: None,
            fix: None,
            verdict,
            findings: Vec::new(),
            judged: 1,
            took_us: 1,
            requests: 1,
            races: Vec::new(),
            observed: false,
        }
    }

    fn inconclusive() -> Verdict {
        Verdict::Inconclusive { reason: "no clock".to_owned() }
    }

    fn skipped() -> Verdict {
        Verdict::Skipped { reason: "needs a mock".to_owned() }
    }

    fn between(before: Verdict, now: Verdict) -> Option<Word> {
        word(&check("A-1", "t", before), &check("A-1", "t", now))
    }

    #[test]
    fn a_verdict_that_falls_is_worse_and_one_that_rises_is_better() {
        assert_eq!(between(Verdict::Pass, Verdict::Fail), Some(Word::Worse));
        assert_eq!(between(Verdict::Pass, Verdict::Warn), Some(Word::Worse));
        assert_eq!(between(Verdict::Fail, Verdict::Pass), Some(Word::Better));
        assert_eq!(between(Verdict::Pass, Verdict::Pass), None);
        assert_eq!(between(skipped(), Verdict::Fail), Some(Word::Worse));
        let known = Verdict::Known {
            until: "2027-03-31".to_owned(),
            days_left: 90,
            owner: "platform".to_owned(),
            why: "ships later".to_owned(),
        };
        assert_eq!(between(Verdict::Pass, known.clone()), Some(Word::Expected));
        assert_eq!(between(known.clone(), known.clone()), None);
        assert_eq!(between(known.clone(), Verdict::Pass), Some(Word::Better));
        assert_eq!(between(known, Verdict::Fail), Some(Word::Worse));
    }

    #[test]
    fn what_was_not_judged_is_neither() {
        assert_eq!(between(Verdict::Pass, inconclusive()), Some(Word::CannotTell));
        assert_eq!(between(Verdict::Fail, skipped()), Some(Word::NotAsked));
        assert_eq!(between(skipped(), Verdict::Pass), Some(Word::NotAsked));
        assert_eq!(between(skipped(), skipped()), None);
        assert_eq!(between(inconclusive(), inconclusive()), None);
        assert_eq!(between(inconclusive(), skipped()), Some(Word::NotAsked));
    }

    #[test]
    fn a_renamed_check_is_known_by_its_title_and_said_so() {
        let title = "One token used N times at once has one successor";
        let a = [check("RAC-01", title, Verdict::Pass), check("RAC-02", "Revoke and refresh", Verdict::Pass)];
        let b = [
            check("RAC-11", "One token used N times at once has exactly one successor", Verdict::Fail),
            check("RAC-12", "Something else entirely", Verdict::Pass),
        ];
        let changes: Vec<VerdictChange> = pairs(&a, &b, &IndexMap::new()).iter().filter_map(change).collect();
        let told: Vec<_> = changes
            .iter()
            .map(|c| (c.id.as_str(), c.formerly.as_deref(), c.likeness.as_deref(), c.word))
            .collect();
        assert_eq!(
            told,
            [
                ("RAC-11", Some("RAC-01"), Some("a title like it"), Word::Worse),
                ("RAC-12", None, None, Word::NotAsked),
                ("RAC-02", None, None, Word::NotAsked),
            ]
        );
    }
}
