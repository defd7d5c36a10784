//! Fuzzing: good calls, mutated at random, judged one by one, and shrunk where one fails.

use crate::suite::check::Fuzz;

/// So many chains are walked at once, each on a connection of its own.
const LANES: u64 = 8;

/// After so many refusals in a row the good call is made, to see that none of them spent the token.
const REFUSALS_MAX: u64 = 16;

/// So many different failures of a claim are shrunk, each with so many requests at most.
const SHRUNK_MAX: u64 = 3;
const ATTEMPTS_MAX: u64 = 400;

/// Requests and chains that a fuzzing spends, at most.
pub(super) fn spends_at_most(fuzz: &Fuzz, full: bool) -> (u64, u64) {
    let cases = u64::from(fuzz.count.at(full));
    let chains = chains_at_most(cases);
    (cases + cases / REFUSALS_MAX + LANES + SHRUNK_MAX * ATTEMPTS_MAX * 2 + chains, chains)
}

/// Chains that a fuzzing opens, at most: beyond that it stops, and says so.
fn chains_at_most(cases: u64) -> u64 {
    LANES + cases / 2 + SHRUNK_MAX * ATTEMPTS_MAX
}
