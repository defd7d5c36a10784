//! What the steps of a check are: its calls, races, loads and fuzzings, and how they are to be played.
//!
//! Pure looks at a check and a cell; nothing here knows the endpoint.

use std::time::Duration;

use crate::dialect::Speech;
use crate::suite::call::{Call, Changes};
use crate::suite::check::{AccessNeed, ChainNeed, Check, Fuzz, Step, Together, Verb};
use crate::suite::claim::{RacePromise, SetClaim, SetExpectation};
use crate::suite::profile::Depths;
use crate::suite::race::{Gap, Leg, Race, Times};
use crate::suite::units;

use super::cell::{Cell, merge};

/// The calls among the steps.
pub(super) fn calls(check: &Check) -> impl Iterator<Item = (&Step, &Call)> {
    check.steps.iter().flat_map(|step| {
        let calls: Vec<&Call> = match &step.verb {
            Verb::Call(call) => vec![call.as_ref()],
            Verb::Race(race) => race.calls().collect(),
            Verb::Load(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => Vec::new(),
        };
        calls.into_iter().map(move |call| (step, call))
    })
}

/// The races among the steps.
pub(super) fn races(check: &Check) -> impl Iterator<Item = (&Step, &Race)> {
    check.steps.iter().filter_map(|step| match &step.verb {
        Verb::Race(race) => Some((step, race.as_ref())),
        Verb::Call(_) | Verb::Load(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            None
        }
    })
}

/// The fuzzing among the steps.
pub(super) fn fuzzes(check: &Check) -> impl Iterator<Item = &Fuzz> {
    check.steps.iter().filter_map(|step| match &step.verb {
        Verb::Fuzz(fuzz) => Some(fuzz.as_ref()),
        Verb::Call(_) | Verb::Race(_) | Verb::Load(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            None
        }
    })
}

/// The loads among the steps.
pub(super) fn loads(check: &Check) -> impl Iterator<Item = &Depths> {
    check.steps.iter().filter_map(|step| match &step.verb {
        Verb::Load(depths) => Some(depths.as_ref()),
        Verb::Call(_) | Verb::Race(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            None
        }
    })
}

/// How often a leg is sent in a cell.
pub(super) fn times_of(leg: &Leg, cell: &Cell, full: bool) -> u32 {
    match &leg.times {
        Times::Depth(depth) => depth.at(full),
        Times::Dimension(name) => cell.word(name).and_then(|word| word.parse().ok()).unwrap_or(1),
    }
}

/// How much later each next leg of a race leaves in a cell.
pub(super) fn gap_of(race: &Race, cell: &Cell) -> Duration {
    match &race.gap {
        None => Duration::ZERO,
        Some(Gap::Time(time)) => *time,
        Some(Gap::Dimension(name)) => {
            cell.word(name).and_then(|word| units::duration(word).ok()).unwrap_or_default()
        }
    }
}

/// The formats of a fuzzing that the dialect has; every listed one where none is named.
pub(super) fn formats_of(fuzz: &Fuzz, speech: &Speech) -> Vec<String> {
    if fuzz.formats.is_empty() {
        let listed = speech.accepts.iter().filter(|(_, accepts)| accepts.listed);
        return listed.map(|(name, _)| name.clone()).collect();
    }
    fuzz.formats.iter().filter(|word| speech.format(word).is_some()).cloned().collect()
}

/// The changes of a call in a cell.
pub(super) fn changes_of(call: &Call, cell: &Cell) -> Changes {
    let base = call.with.iter().fold(Changes::default(), |base, name| {
        cell.changes.get(name.trim_start_matches('$')).map_or(base.clone(), |change| merge(&base, change))
    });
    merge(&base, &call.changes)
}

/// Whether a claim on this race asks for what comes after it, so that its successors are tried.
pub(super) fn has_aftermath(check: &Check, step: &Step) -> bool {
    let of_race = |set: &&Together| step.name.as_ref().is_some_and(|name| set.of.contains(name));
    let claims = check.together.iter().filter(of_race).flat_map(|set| &set.claims);
    claims.filter_map(|claim| promises(&claim.what)).flatten().any(|promise| promise.asks_for_aftermath())
}

/// What a claim promises of a race.
pub(super) fn promises(what: &SetExpectation) -> Option<&[RacePromise]> {
    match what {
        SetExpectation::Promised(promises) => Some(promises),
        SetExpectation::Same(_)
        | SetExpectation::Alike(_)
        | SetExpectation::Apart(_)
        | SetExpectation::Distinct(_)
        | SetExpectation::PlainDates(_)
        | SetExpectation::Measured(_)
        | SetExpectation::Entropy { .. }
        | SetExpectation::Timing { .. } => None,
    }
}

/// Whether the times of a check's cells are compared: then they are played side by side.
pub(super) fn compares_times(check: &Check) -> bool {
    let mut claims = check.together.iter().flat_map(|set| &set.claims);
    claims.any(|claim| matches!(claim.what, SetExpectation::Timing { .. }))
}

/// Times want the machine for themselves; tokens are compared with all that the run has seen.
fn looks_at_many(check: &Check) -> bool {
    let mut claims = check.together.iter().flat_map(|set| &set.claims);
    claims.any(|claim| matches!(claim.what, SetExpectation::Timing { .. } | SetExpectation::Entropy { .. }))
}

/// Whether it moves time or restarts the endpoint: then it runs last and alone.
pub(super) fn must_run_alone(check: &Check, clock: bool) -> bool {
    let expired = |need: &ChainNeed| need.access == Some(AccessNeed::Expired);
    check.steps.iter().any(|step| match &step.verb {
        // What is fuzzed may be slowed by it, and everybody who is measured meanwhile; what runs beside a race
        // pulls its requests apart.
        Verb::Restart | Verb::Load(_) | Verb::Fuzz(_) | Verb::Race(_) => true,
        Verb::Wait(_) => clock,
        Verb::Connect(_) => false,
        Verb::Call(_) => clock && (step.every.is_some() || step.lasting.is_some()),
    }) || (clock && check.chains.values().any(expired))
        || looks_at_many(check)
        // What may harm others is done when nobody else is there.
        || check.destructive.is_some()
}

/// A server that answers in some microseconds lets few rounds overlap, so many times as many are tried.
const ROUNDS_OVER: u32 = 10;

/// How many times its rounds a check may go on, where what it promises of races needs rounds that overlap.
pub(super) fn patience(check: &Check) -> u32 {
    let promises = |claim: &SetClaim| matches!(&claim.what, SetExpectation::Promised(_));
    let waits = check.together.iter().flat_map(|set| &set.claims).any(promises);
    if waits && races(check).next().is_some() { ROUNDS_OVER } else { 1 }
}
