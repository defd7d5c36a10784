//! Checks and objectives counted by how they came out: every report counts in the same way.

use super::{CheckResult, Run, Strength, Verdict};

/// How the checks of a run came out, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub all: u64,
    /// Every claim holds.
    pub passed: u64,
    /// A `must` does not hold.
    pub failed: u64,
    /// A `should` does not hold.
    pub warned: u64,
    /// Known failures.
    pub known: u64,
    /// Known failures that are out of date.
    pub stale: u64,
    /// The stage could not be set.
    pub inconclusive: u64,
    /// Those of them that hold a `must`.
    pub inconclusive_musts: u64,
    /// Not run.
    pub skipped: u64,
    /// Checks with a `must` that were judged, known failures aside.
    pub musts: u64,
    /// Those of them whose musts hold.
    pub musts_held: u64,
    /// Verdicts that hang on a policy which nobody has confirmed.
    pub observed: u64,
}

impl Tally {
    /// Counts `checks`.
    pub fn of<'a>(checks: impl IntoIterator<Item = &'a CheckResult>) -> Tally {
        let mut tally = Tally::default();
        for check in checks {
            let must = u64::from(check.severity == Strength::Must);
            tally.all += 1;
            let skipped = matches!(check.verdict, Verdict::Skipped { .. });
            tally.observed += u64::from(check.observed && !skipped);
            match check.verdict {
                Verdict::Pass => {
                    tally.passed += 1;
                    tally.musts += must;
                    tally.musts_held += must;
                }
                Verdict::Warn => {
                    tally.warned += 1;
                    tally.musts += must;
                    tally.musts_held += must;
                }
                Verdict::Fail => {
                    tally.failed += 1;
                    tally.musts += 1;
                }
                Verdict::Known { .. } => tally.known += 1,
                Verdict::Stale { .. } => tally.stale += 1,
                Verdict::Inconclusive { .. } => {
                    tally.inconclusive += 1;
                    tally.inconclusive_musts += must;
                }
                Verdict::Skipped { .. } => tally.skipped += 1,
            }
        }
        tally
    }

    /// Checks that came to a verdict on the endpoint.
    pub fn judged(&self) -> u64 {
        self.passed + self.failed + self.warned + self.known + self.stale
    }
}

/// How the objectives of a run came out, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Objectives {
    /// All of them.
    pub all: u64,
    /// Met.
    pub met: u64,
    /// A `must` that was missed.
    pub missed: u64,
    /// A weaker one that was missed.
    pub missed_weaker: u64,
    /// Could not be judged.
    pub undecided: u64,
    /// Those of them that are a `must`.
    pub undecided_musts: u64,
}

impl Objectives {
    /// Counts the objectives of `run`.
    pub fn of(run: &Run) -> Objectives {
        let mut counts = Objectives::default();
        for objective in &run.objectives {
            let must = u64::from(objective.strength == Strength::Must);
            counts.all += 1;
            match objective.met {
                Some(true) => counts.met += 1,
                Some(false) => {
                    counts.missed += must;
                    counts.missed_weaker += 1 - must;
                }
                None => {
                    counts.undecided += 1;
                    counts.undecided_musts += must;
                }
            }
        }
        counts
    }

    /// Objectives that were met or missed.
    pub fn judged(&self) -> u64 {
        self.all - self.undecided
    }
}
