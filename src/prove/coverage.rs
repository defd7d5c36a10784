//! Claims coverage: a claim that was never seen to fail may be one that cannot.

use std::collections::HashSet;

use crate::conformance::{ClaimCount, Outcome};
use crate::results::Verdict;
use crate::results::proof::ClaimsProof;
use crate::source::Span;
use crate::suite::Suite;
use crate::suite::check::Check;
use crate::suite::claim::Strength;

/// A claim of a check: its id, and the claim's words in its file.
type Key = (String, Span);

/// What was seen so far, over all trials.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    failed: HashSet<Key>,
    judged: HashSet<String>,
}

impl Coverage {
    /// Notes what came of the claims of one trial.
    pub(super) fn note(&mut self, outcome: &Outcome) {
        let failed = outcome.claims.iter().filter(|count| count.failed > 0);
        self.failed.extend(failed.map(|ClaimCount { check, at, .. }| (check.clone(), *at)));
        let judged = outcome.checks.iter().filter(|check| !matches!(check.verdict, Verdict::Skipped { .. }));
        self.judged.extend(judged.map(|check| check.id.clone()));
    }

    /// The claims of these suites, each counted once.
    pub(super) fn of<'a>(&self, suites: impl Iterator<Item = &'a Suite>) -> ClaimsProof {
        let mut proof = ClaimsProof::default();
        let mut seen: HashSet<Key> = HashSet::new();
        let mut seen_checks: HashSet<&str> = HashSet::new();
        for check in suites.flat_map(|suite| &suite.checks) {
            let first = seen_checks.insert(&check.id);
            if !self.judged.contains(&check.id) {
                if first {
                    proof.unjudged.push(check.id.clone());
                }
                continue;
            }
            if first && check.severity() == Strength::Info {
                proof.exempt.push(check.id.clone());
            }
            for claim in claims(check) {
                let key = (check.id.clone(), claim.at);
                if !matches!(claim.strength, Strength::Must | Strength::Should) || !seen.insert(key.clone()) {
                    continue;
                }
                proof.all += 1;
                if self.failed.contains(&key) {
                    proof.failed += 1;
                } else {
                    proof.never.push(said(check, &claim));
                }
            }
        }
        proof
    }
}

/// A claim, wherever in a check it stands.
struct AnyClaim {
    strength: Strength,
    word: &'static str,
    at: Span,
}

fn claims(check: &Check) -> impl Iterator<Item = AnyClaim> {
    let of_steps = check.steps.iter().flat_map(|step| &step.claims);
    let of_all = check.always.iter().flat_map(|always| &always.claims);
    let of_sets = check.together.iter().flat_map(|set| &set.claims);
    of_steps
        .chain(of_all)
        .map(|claim| AnyClaim { strength: claim.strength, word: claim.what.word(), at: claim.at })
        .chain(of_sets.map(|claim| AnyClaim {
            strength: claim.strength,
            word: claim.what.word(),
            at: claim.at,
        }))
}

/// `FMT-08 must alike (suites/catalogue/format.yaml:88)`
fn said(check: &Check, claim: &AnyClaim) -> String {
    let (line, _) = check.file.line_column(claim.at.start);
    let place = format!("{}:{line}", check.file.name());
    format!("{} {} {} ({place})", check.id, claim.strength.word(), claim.word)
}
