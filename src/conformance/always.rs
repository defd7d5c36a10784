//! Claims on every exchange of the run, whoever caused it: judged as they happen, so that nothing is kept but
//! counts and the first failures.

use indexmap::IndexMap;

use crate::suite::Suite;
use crate::suite::check::Check;

use super::cell::Cell;
use super::evidence::evidence;
use super::judge::{self, Bench, Judgement};
use super::redact::Redaction;
use super::references::{Cast, Scope, Yields};
use super::tally::{ClaimKey, Tally};
use super::transcript::Taken;

/// The `always` claims of a run, by the index of their check.
#[derive(Debug, Default)]
pub(super) struct Always {
    tallies: IndexMap<usize, Tally>,
    shown: Shown,
}

/// So many failures are known as they are shown.
const SHOWN_MAX: usize = 16;

/// Failures, and how they are shown: what is wrong with one answer is often wrong with all, and is not searched for
/// secrets each time.
#[derive(Debug, Default)]
struct Shown(Vec<(Judgement, Judgement)>);

impl Shown {
    fn of(&mut self, failure: Judgement, taken: &Taken, redaction: &Redaction) -> Judgement {
        if let Some((_, shown)) = self.0.iter().find(|(known, _)| *known == failure) {
            return shown.clone();
        }
        let shown = failure.clone().redacted(&redaction.of(taken));
        if self.0.len() < SHOWN_MAX {
            self.0.push((failure, shown.clone()));
        }
        shown
    }
}

/// What judging needs that belongs to nobody: an exchange stands for itself here.
#[derive(Default)]
pub(super) struct Nothing {
    variables: IndexMap<String, crate::secret::Token>,
    cell: Cell,
    chains: Cast,
    steps: Yields,
}

impl Nothing {
    fn scope<'a>(&'a self, dialect: &'a crate::dialect::Dialect) -> Scope<'a> {
        Scope {
            dialect,
            variables: &self.variables,
            cell: &self.cell,
            chains: &self.chains,
            steps: &self.steps,
            call: None,
            this: None,
            public_key: None,
        }
    }
}

impl Always {
    /// The claims of these checks, which are those that run.
    pub fn of(suite: &Suite, running: &[usize]) -> Always {
        let with = running.iter().filter(|index| !suite.checks[**index].always.is_empty());
        Always { tallies: with.map(|index| (*index, Tally::default())).collect(), shown: Shown::default() }
    }

    /// Judges one exchange. One that was not answered says nothing here.
    pub fn observe(
        &mut self,
        suite: &Suite,
        dialect: &crate::dialect::Dialect,
        taken: &Taken,
        redaction: &Redaction,
        again: impl Fn(&Taken) -> Option<String>,
    ) {
        if taken.reply.is_none() || self.tallies.is_empty() {
            return;
        }
        let nothing = Nothing::default();
        let bench = Bench {
            scope: nothing.scope(dialect),
            redaction: redaction.clone(),
            median: None,
            rotation: None,
        };
        for (index, tally) in &mut self.tallies {
            judge_check(&suite.checks[*index], (tally, &mut self.shown), taken, &bench, &again);
        }
    }

    /// What came of the claims of a check.
    pub fn take(&mut self, suite: &Suite, index: usize) -> Option<Tally> {
        let mut tally = self.tallies.shift_remove(&index)?;
        for always in suite.checks[index].always.iter().filter(|always| !always.filter.is_empty()) {
            for claim in &always.claims {
                let key = ClaimKey { at: claim.at, name: claim.what.word().to_owned() };
                if !tally.claims.contains_key(&key) {
                    let moot = Judgement::Moot("no answer of the run was one that it speaks of".to_owned());
                    tally.note(key, claim.strength, None, moot, |_| (Vec::new(), None));
                }
            }
        }
        Some(tally)
    }
}

fn judge_check(
    check: &Check,
    (tally, shown): (&mut Tally, &mut Shown),
    taken: &Taken,
    bench: &Bench<'_>,
    again: &impl Fn(&Taken) -> Option<String>,
) {
    for always in &check.always {
        if always.filter.iter().any(|claim| judge::claim(&claim.what, taken, bench) != Judgement::Holds) {
            continue;
        }
        for claim in &always.claims {
            let key = ClaimKey { at: claim.at, name: claim.what.word().to_owned() };
            // Most exchanges have nothing to say to most claims; only those that do are counted.
            let judgement = judge::claim(&claim.what, taken, bench);
            if judgement == Judgement::Holds {
                tally.note(key, claim.strength, None, judgement, |_| (Vec::new(), None));
                continue;
            }
            if matches!(judgement, Judgement::Untold(_) | Judgement::Moot(_)) {
                continue;
            }
            let judgement = shown.of(judgement, taken, &bench.redaction);
            tally.note(key, claim.strength, None, judgement, |miss| {
                (vec![evidence(taken, &bench.redaction, &miss.marks)], again(taken))
            });
        }
    }
}
