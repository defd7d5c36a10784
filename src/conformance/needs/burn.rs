//! What a check spends at most, and what it may do to the endpoint, derived from its words.

use crate::conformance::cell::Cell;
use crate::conformance::fuzz;
use crate::conformance::steps::{calls, fuzzes, has_aftermath, loads, patience, races, times_of};
use crate::load;
use crate::results::Burn;
use crate::suite::call::{Call, Operation, PairUse};
use crate::suite::check::{Check, Step, Verb};
use crate::suite::claim::{Expectation, OutcomeWord};
use crate::suite::race::Race;

/// Whether every chain stays as good as new: only good calls with the current pair.
fn keeps_chains(check: &Check) -> bool {
    fuzzes(check).next().is_none()
        && races(check).next().is_none()
        && calls(check).all(|(step, call)| {
            let expects_grant = step.claims.iter().all(|claim| match &claim.what {
                Expectation::Outcome(words) => words.as_slice() == [OutcomeWord::Granted],
                _ => true,
            });
            call.pair == PairUse::Current
                && call.operation != Operation::Revoke
                && call.with.is_empty()
                && call.changes.set.is_empty()
                && call.changes.without.is_empty()
                && call.changes.body.is_none()
                && call.changes.cut.is_none()
                && call.changes.method.is_none()
                && call.changes.path.is_none()
                && expects_grant
        })
}

/// What a race sends in a cell, at most: its legs, and where it is asked for what comes after, each successor,
/// the family and what it was run with.
fn sent_by_race(check: &Check, step: &Step, race: &Race, cell: &Cell, full: bool) -> u64 {
    let racers: u64 = race.legs.iter().map(|leg| u64::from(times_of(leg, cell, full))).sum();
    if has_aftermath(check, step) { 2 * racers + 2 } else { racers }
}

/// What one round of a sentinel spends, at most, in its costliest cell.
pub(in super::super) fn of_round(check: &Check) -> Burn {
    let times = |step: &Step| u64::from(step.times.map_or(1, |times| times.at(false)));
    let calls: u64 = check
        .steps
        .iter()
        .map(|step| match &step.verb {
            Verb::Call(_) | Verb::Connect(_) => times(step),
            // Legs may name a dimension for their number; nobody races more than some dozens.
            Verb::Race(race) => times(step) * 2 * (32 * race.legs.len() as u64 + 1),
            Verb::Wait(_) | Verb::Load(_) | Verb::Fuzz(_) | Verb::Restart => 0,
        })
        .sum();
    let chains = 1 + check.chains.len() as u64;
    Burn { requests: calls + chains, chains, families_lost: chains }
}

/// What a check spends, at most.
pub(in super::super) fn burn(check: &Check, cells: &[Cell], full: bool) -> Burn {
    let rounds = u64::from(check.rounds.at(full).max(1)) * u64::from(patience(check));
    let runs = cells.len() as u64 * rounds;
    let times = |step: &Step| u64::from(step.times.map_or(1, |times| times.at(full)));
    let single = check.steps.iter().filter(|step| matches!(step.verb, Verb::Call(_)));
    let calls_once: u64 = single.map(times).sum();
    let raced = |cell: &Cell| -> u64 {
        races(check).map(|(step, race)| times(step) * sent_by_race(check, step, race, cell, full)).sum()
    };
    let raced: u64 = rounds * cells.iter().map(raced).sum::<u64>();
    let connects = check.steps.iter().filter(|step| matches!(step.verb, Verb::Connect(_)));
    let connects: u64 = connects.map(times).sum();
    let loaded: u64 = loads(check).map(|depths| load::requests_at_most(depths.at(full))).sum();
    let load_chains: u64 = loads(check).map(|depths| u64::from(load::chains_needed(depths.at(full)))).sum();
    let (fuzzed, fuzz_chains) = fuzzes(check)
        .map(|fuzz| fuzz::spends_at_most(fuzz, full))
        .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let named: u64 = check
        .chains
        .values()
        .map(|need| u64::from(need.count.map_or(1, |count| count.at(full)).max(1)))
        .sum();
    let own = u64::from(calls(check).next().is_some());
    let sets = if keeps_chains(check) { runs.min(1) } else { runs };
    let chains = (own + named) * sets;
    Burn {
        requests: runs * (calls_once + connects + loaded + load_chains + fuzzed) + raced + chains,
        chains: chains + runs * (fuzz_chains + load_chains),
        families_lost: if keeps_chains(check) { 0 } else { runs * (own + fuzz_chains) },
    }
}

/// The sentence of `destructive`, else what its words may do.
pub(in super::super) fn harm(check: &Check) -> Option<String> {
    if let Some(sentence) = &check.destructive {
        return Some(sentence.clone());
    }
    if fuzzes(check).next().is_some() {
        return Some("sends mutated calls, which may end chains of its own".to_owned());
    }
    let any = |wanted: fn(&Call) -> bool| calls(check).any(|(_, call)| wanted(call));
    if any(|call| call.operation == Operation::Revoke) {
        return Some("revokes chains of its own".to_owned());
    }
    if races(check).next().is_some() {
        return Some("uses tokens several times at once, which may end chains of its own".to_owned());
    }
    if any(|call| matches!(call.pair, PairUse::Previous | PairUse::First)) {
        return Some("replays used tokens, which may end chains of its own".to_owned());
    }
    None
}
