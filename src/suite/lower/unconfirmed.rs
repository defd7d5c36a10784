//! A policy that nobody has confirmed: what hangs on it is observed, not promised.
//!
//! A verdict on a promise that nobody made would be a verdict on our own guess. Such claims are still judged, so
//! that a change of behavior is seen; a `must` of them counts as a `should`, and the reports say why.

use super::super::check::{Basis, Check, Verb, Wait};
use super::super::claim::Strength;
use super::super::expression::Expression;

/// Marks every claim that hangs on the policy, and lets none of them fail a run.
pub(super) fn observe(checks: &mut [Check]) {
    for check in checks {
        let whole = rests_on_policy(check);
        let mut observed = Vec::new();
        let of_steps = check.steps.iter_mut().flat_map(|step| &mut step.claims);
        let of_all = check.always.iter_mut().flat_map(|always| &mut always.claims);
        for claim in of_steps.chain(of_all).filter(|claim| whole || claim.what.is_promise()) {
            claim.strength = weaker(claim.strength);
            observed.push(claim.at);
        }
        for claim in check.together.iter_mut().flat_map(|set| &mut set.claims) {
            if whole || claim.what.is_promise() {
                claim.strength = weaker(claim.strength);
                observed.push(claim.at);
            }
        }
        check.observed = observed;
    }
}

/// Whether the policy decides about the check as a whole: by its basis, its condition, or how long it waits.
fn rests_on_policy(check: &Check) -> bool {
    let when = check.when.iter().map(|(when, _)| when);
    let spacing = check.steps.iter().flat_map(|step| step.every.iter().chain(&step.lasting)).map(|(e, _)| e);
    let waits = check.steps.iter().filter_map(|step| match &step.verb {
        Verb::Wait(Wait::For(time) | Wait::Until(time)) => Some(time),
        _ => None,
    });
    check.basis.contains(&Basis::Policy) || when.chain(spacing).chain(waits).any(names_policy)
}

fn names_policy(expression: &Expression) -> bool {
    expression.names().iter().any(|name| name.starts_with("policy."))
}

fn weaker(strength: Strength) -> Strength {
    match strength {
        Strength::Must => Strength::Should,
        Strength::Should | Strength::Info | Strength::Given => strength,
    }
}
