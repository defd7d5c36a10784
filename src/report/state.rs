//! The states in which a check or an objective can be shown: each has a word and a shape of its own.

use crate::results::{CheckResult, ObjectiveResult, Strength, Verdict};

/// How something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Holds.
    Pass,
    /// Holds, and decides nothing.
    Info,
    /// A must that does not hold.
    Fail,
    /// A should that does not hold.
    Weak,
    /// An objective that was missed.
    Missed,
    /// A known failure.
    Known,
    /// Could not be judged.
    Odd,
    /// Was not run.
    Skip,
}

impl State {
    /// Of a check.
    pub(super) fn of(check: &CheckResult) -> State {
        State::of_verdict(&check.verdict, check.severity)
    }

    /// Of a verdict on a check of this severity.
    pub(super) fn of_verdict(verdict: &Verdict, severity: Strength) -> State {
        match verdict {
            Verdict::Pass if severity == Strength::Info => State::Info,
            Verdict::Pass => State::Pass,
            Verdict::Fail | Verdict::Stale { .. } => State::Fail,
            Verdict::Warn => State::Weak,
            Verdict::Known { .. } => State::Known,
            Verdict::Inconclusive { .. } => State::Odd,
            Verdict::Skipped { .. } => State::Skip,
        }
    }

    /// Of an objective.
    pub(super) fn of_objective(objective: &ObjectiveResult) -> State {
        match objective.met {
            Some(true) => State::Pass,
            Some(false) => State::Missed,
            None => State::Odd,
        }
    }

    /// The word that carries it everywhere.
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Pass | State::Info => "pass",
            State::Fail | State::Weak => "fail",
            State::Missed => "missed",
            State::Known => "known",
            State::Odd => "inconclusive",
            State::Skip => "skipped",
        }
    }

    /// The word in the terminal's column of six.
    pub(super) fn short(self) -> &'static str {
        match self {
            State::Pass | State::Info => "PASS",
            State::Fail => "FAIL",
            State::Weak => "fail",
            State::Missed => "missed",
            State::Known => "known",
            State::Odd => "odd",
            State::Skip => "skip",
        }
    }
}

/// `must`, `should`, `info`.
pub(super) fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::Must => "must",
        Strength::Should => "should",
        Strength::Info => "info",
    }
}

/// The group as a heading: `Format`, `This suite`.
pub(super) fn group(group: &str) -> String {
    match group {
        "own" => "This suite".to_owned(),
        "oauth2" => "OAuth 2".to_owned(),
        other => crate::results::wording::sentence(&super::clean::line(other)),
    }
}

/// The groups of `checks` in the order in which they first come.
pub(super) fn groups(checks: &[CheckResult]) -> Vec<(&str, Vec<&CheckResult>)> {
    let mut groups: indexmap::IndexMap<&str, Vec<&CheckResult>> = indexmap::IndexMap::new();
    for check in checks {
        groups.entry(&check.group).or_default().push(check);
    }
    groups.into_iter().collect()
}
