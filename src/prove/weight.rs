//! What a check weighs, by its words: the heavy ones are not run against every defect.

use crate::suite::call::{Changes, Made};
use crate::suite::check::{Check, Dimension, Verb};
use crate::suite::claim::SetExpectation;

/// More repetitions than this are heavy.
const MANY: u32 = 500;

/// More bytes than this are heavy.
const LARGE: u64 = 64 << 10;

/// Whether a check is run on the clean mock and on the defects that name it only: it puts a load on the endpoint,
/// fuzzes, or needs so many samples that a statistic can be made of them.
pub(super) fn is_heavy(check: &Check) -> bool {
    check.group == "performance"
        || check.steps.iter().any(|step| {
            let many = step.times.is_some_and(|times| times.at(false) > MANY);
            many || matches!(step.verb, Verb::Load(_) | Verb::Fuzz(_))
        })
        || changes(check).any(is_large)
        || claims(check).any(is_statistic)
}

/// Every change of a call that a check can make.
fn changes(check: &Check) -> impl Iterator<Item = &Changes> {
    let of_cells = check.over.values().flat_map(|dimension| match dimension {
        Dimension::Words(_) => Vec::new(),
        Dimension::Changes(changes) => changes.values().collect(),
    });
    let of_steps = check.steps.iter().filter_map(|step| match &step.verb {
        Verb::Call(call) => Some(&call.changes),
        Verb::Race(_) | Verb::Load(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            None
        }
    });
    of_cells.chain(of_steps)
}

/// Whether a request becomes so large that reading it is what costs.
fn is_large(changes: &Changes) -> bool {
    let large = |made: &Made| match made {
        Made::Filler(bytes) => *bytes > LARGE,
        Made::Nest(depth) => u64::from(*depth) * 10 > LARGE,
        Made::Text(_)
        | Made::Null
        | Made::Join(_)
        | Made::Raw(_)
        | Made::Hex(_)
        | Made::Flip(_)
        | Made::Recase
        | Made::Trim(_)
        | Made::Spell
        | Made::Like(_)
        | Made::Words(_)
        | Made::Forge(_) => false,
    };
    changes.body.as_ref().is_some_and(large) || changes.set.iter().any(|(_, made)| large(made))
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
