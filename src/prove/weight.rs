//! What a check weighs, by its words: the heavy ones are not run against every defect.

use crate::suite::check::{Check, Verb};
use crate::suite::claim::SetExpectation;

/// More repetitions than this are heavy.
const MANY: u32 = 500;

/// Whether a check is run on the clean mock and on the defects that name it only: it puts a load on the endpoint,
/// fuzzes, or needs so many samples that a statistic can be made of them.
pub(super) fn is_heavy(check: &Check) -> bool {
    check.group == "performance"
        || check.steps.iter().any(|step| {
            let many = step.times.is_some_and(|times| times.at(false) > MANY);
            many || matches!(step.verb, Verb::Load(_) | Verb::Fuzz(_))
        })
        || claims(check).any(is_statistic)
}

/// Whether a check measures time, and is run while nothing else is.
pub(super) fn wants_quiet(check: &Check) -> bool {
    check.group == "performance"
        || check.steps.iter().any(|step| matches!(step.verb, Verb::Load(_)))
        || claims(check).any(|claim| matches!(claim, SetExpectation::Timing { .. }))
}

fn claims(check: &Check) -> impl Iterator<Item = &SetExpectation> {
    check.together.iter().flat_map(|set| &set.claims).map(|claim| &claim.what)
}

fn is_statistic(claim: &SetExpectation) -> bool {
    match claim {
        SetExpectation::Entropy { .. } | SetExpectation::Timing { .. } => true,
        SetExpectation::Same(_)
        | SetExpectation::Alike(_)
        | SetExpectation::Apart(_)
        | SetExpectation::Distinct(_)
        | SetExpectation::PlainDates(_)
        | SetExpectation::Promised(_)
        | SetExpectation::Measured(_) => false,
    }
}
