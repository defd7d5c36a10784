//! A check in sentences, made from its own words: what is sent, what must hold, what it needs and spends.

use crate::load;
use crate::results::Burn;
use crate::source::Span;
use crate::suite::call::{Call, Changes, PairUse, Part, Reference, SlotRef, Template};
use crate::suite::check::{AccessNeed, ChainNeed, Check, Dimension, Step, Verb, Wait};
use crate::suite::claim::{Claim, Expectation, OutcomeWord, SetClaim, SetExpectation, Strength};
use crate::suite::units::Depth;

use super::cell::product;
use super::needs;

/// A check in sentences.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What is sent, in order.
    pub sent: Vec<String>,
    /// What must hold, and how much hangs on it.
    pub expected: Vec<(Strength, String)>,
    /// What it needs beyond a good call.
    pub needs: Vec<String>,
    /// What it spends at most in a quick run.
    pub quick: Burn,
    /// What it spends at most in a full run.
    pub full: Burn,
}

/// Explains `check`.
pub fn explain(check: &Check) -> Explained {
    let cells = product(&check.over);
    Explained {
        sent: sent(check),
        expected: expected(check),
        needs: needed(check),
        quick: needs::burn(check, &cells, false),
        full: needs::burn(check, &cells, true),
    }
}

fn sent(check: &Check) -> Vec<String> {
    let mut sentences: Vec<String> = check.over.iter().map(|(name, over)| dimension(name, over)).collect();
    if check.rounds.full > 1 {
        sentences.push(format!("All of it {}, on fresh chains.", times(check.rounds)));
    }
    sentences.extend(check.steps.iter().map(|step| self::step(check, step)));
    if check.steps.is_empty() {
        sentences.push("Nothing of its own: every exchange of the run is looked at.".to_owned());
    }
    sentences
}

fn dimension(name: &str, over: &Dimension) -> String {
    let words: Vec<String> = match over {
        Dimension::Words(words) => words.iter().map(|word| format!("`{word}`")).collect(),
        Dimension::Changes(changes) => changes.keys().cloned().collect(),
    };
    format!("For each {name} of {}:", words.join(", "))
}

fn times(depth: Depth) -> String {
    match (depth.quick, depth.full) {
        (1, 1) => "once".to_owned(),
        (quick, full) if quick == full => format!("{quick} times"),
        (quick, full) => format!("{quick} times ({full} in a full run)"),
    }
}

fn step(check: &Check, step: &Step) -> String {
    let what = match &step.verb {
        Verb::Call(call) => called(call),
        Verb::Race(race) => {
            let legs: Vec<String> = race.calls().map(called).collect();
            format!("calls that leave together: {}", legs.join("; "))
        }
        Verb::Load(depths) => loaded(&load::asks(&depths.quick), &load::asks(&depths.full)),
        Verb::Fuzz(fuzz) => format!("{} mutated calls", fuzz.count.quick),
        Verb::Wait(Wait::For(time) | Wait::Until(time)) => format!("a wait: `{}`", time.text),
        Verb::Wait(Wait::Exactly(time)) => format!("a wait of {} s", time.as_secs_f64()),
        Verb::Restart => "a restart of the endpoint".to_owned(),
        Verb::Connect(_) => "a connection, and nothing but headers".to_owned(),
    };
    let often = step.times.map_or(String::new(), |depth| format!(", {}", times(depth)));
    let every =
        step.every.as_ref().map_or(String::new(), |(_, at)| format!(", every {}", check.file.slice(*at)));
    let name = step.name.as_ref().map_or(String::new(), |name| format!("`{name}`: "));
    format!("{name}{what}{often}{every}.")
}

fn loaded(quick: &str, full: &str) -> String {
    if quick == full { format!("a load: {quick}") } else { format!("a load: {quick} (full run: {full})") }
}

fn called(call: &Call) -> String {
    let mut parts = vec![format!("`{}`", call.operation.word())];
    if call.chain != "own" {
        parts.push(format!("on the chain `{}`", call.chain));
    }
    match &call.pair {
        PairUse::Current => {}
        PairUse::Previous => parts.push("with the pair before the current one".to_owned()),
        PairUse::First => parts.push("with the first pair of its chain".to_owned()),
        PairUse::Step(step) => parts.push(format!("with each pair that `{step}` was granted")),
    }
    parts.extend(call.with.iter().map(|name| format!("changed by `{name}`")));
    parts.extend(changed(&call.changes));
    if parts.len() == 1 {
        parts.push("as it should be".to_owned());
    }
    parts.join(", ")
}

/// What differs from the good call, in words.
fn changed(changes: &Changes) -> Vec<String> {
    let slots = |slots: &mut dyn Iterator<Item = &SlotRef>| slots.map(slot).collect::<Vec<_>>().join(", ");
    let worded = |template: &Template| match template.parts.as_slice() {
        [Part::Reference(Reference::Dimension(name))] => format!("`${name}`"),
        _ => template.as_plain().unwrap_or_else(|| "something made".to_owned()),
    };
    let mut parts = Vec::new();
    if let Some(format) = &changes.format {
        parts.push(format!("as {}", worded(format)));
    }
    match &changes.accept {
        None => {}
        Some(None) => parts.push("without Accept".to_owned()),
        Some(Some(accept)) => parts.push(format!("Accept: {}", worded(accept))),
    }
    if !changes.set.is_empty() {
        parts
            .push(format!("with another value for {}", slots(&mut changes.set.iter().map(|(slot, _)| slot))));
    }
    if !changes.without.is_empty() {
        parts.push(format!("without {}", slots(&mut changes.without.iter())));
    }
    if let Some(cut) = changes.cut {
        parts.push(format!("the last {cut} bytes cut off"));
    }
    let others = [
        ("another body", changes.body.is_some()),
        ("another document", !changes.document.is_none()),
        ("another encoding", changes.encode.is_some()),
        ("another Content-Type", changes.label.is_some()),
        ("another method", changes.method.is_some()),
        ("another path", changes.path.is_some()),
        ("a query", changes.query.is_some()),
        ("other headers", !changes.headers.is_empty()),
        ("other client credentials", changes.auth.is_some()),
        ("sent in another way", !changes.wire.is_none()),
    ];
    parts.extend(others.into_iter().filter(|(_, there)| *there).map(|(words, _)| words.to_owned()));
    parts
}

fn slot(slot: &SlotRef) -> String {
    match slot {
        SlotRef::Slot(slot) => format!("`{}`", slot.word()),
        SlotRef::Dimension(name) => format!("`${name}`"),
    }
}

fn expected(check: &Check) -> Vec<(Strength, String)> {
    let steps = check.steps.iter().flat_map(|step| {
        let whose = step.name.as_ref().map_or(String::new(), |name| format!("`{name}`: "));
        step.claims.iter().map(move |claim| (claim.strength, format!("{whose}{}", one(check, claim))))
    });
    let sets = check.together.iter().flat_map(|set| {
        let whose = set.of.join(", ");
        set.claims.iter().map(move |claim| (claim.strength, format!("{whose}: {}", many(check, claim))))
    });
    let always = check.always.iter().flat_map(|always| {
        let filters: Vec<String> = always.filter.iter().map(|claim| one(check, claim)).collect();
        let which =
            if filters.is_empty() { String::new() } else { format!(", where {}", filters.join(" and ")) };
        always
            .claims
            .iter()
            .map(move |claim| (claim.strength, format!("in every exchange{which}: {}", one(check, claim))))
    });
    steps.chain(sets).chain(always).collect()
}

/// The claim's own words, on one line.
fn written(check: &Check, at: Span) -> String {
    check.file.slice(at).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn one(check: &Check, claim: &Claim) -> String {
    let words = written(check, claim.at);
    match &claim.what {
        Expectation::Outcome(outcomes) => {
            let outcomes: Vec<&str> = outcomes.iter().map(|word| outcome(*word)).collect();
            format!("the answer {}", outcomes.join(", or "))
        }
        Expectation::Class(_) => format!("the kind of refusal is right (`{words}`)"),
        Expectation::Status(_) => format!("the HTTP status is right (`{words}`)"),
        Expectation::Type(_) => format!("label and bytes are of the right media type (`{words}`)"),
        Expectation::Shape { .. } => format!("the document has its declared shape (`{words}`)"),
        Expectation::At(..) => format!("a value is as it should be (`{words}`)"),
        Expectation::Belongs(_) => format!("the tokens are the chain's own (`{words}`)"),
        Expectation::Lacks(_) => format!("nothing of this is anywhere in the answer (`{words}`)"),
        Expectation::Within(_) => format!("the answer comes in time (`{words}`)"),
        Expectation::NoCallback => "the endpoint did not call the address that it was sent".to_owned(),
        Expectation::Certificate => "the certificate is valid for the host".to_owned(),
    }
}

fn outcome(word: OutcomeWord) -> &'static str {
    match word {
        OutcomeWord::Granted => "grants a new pair",
        OutcomeWord::Refused => "refuses, with no token anywhere in it",
        OutcomeWord::Clean => "is a grant or a refusal and no crash",
        OutcomeWord::Crash => "is a failure of the server",
        OutcomeWord::Closed => "is the end of the connection",
        OutcomeWord::Promised => "is what the policy promises at this point",
    }
}

fn many(check: &Check, claim: &SetClaim) -> String {
    let words = written(check, claim.at);
    match &claim.what {
        SetExpectation::Same(_) => format!("all have the same value (`{words}`)"),
        SetExpectation::Alike(_) => format!("all have the same form (`{words}`)"),
        SetExpectation::Apart(_) => format!("the groups differ (`{words}`)"),
        SetExpectation::Distinct(_) => format!("no value comes twice (`{words}`)"),
        SetExpectation::PlainDates(_) => format!("one date format reads all of them (`{words}`)"),
        SetExpectation::Measured(condition) => format!("`{}`", condition.text),
        SetExpectation::Entropy { of, bits } => {
            format!("the {} token holds at least {bits} bits that cannot be guessed", of.word())
        }
        SetExpectation::Timing { .. } => format!("the groups do not differ in time (`{words}`)"),
        SetExpectation::Promised(_) => format!("what survives is what the policy promises (`{words}`)"),
    }
}

fn needed(check: &Check) -> Vec<String> {
    let mut needs = Vec::new();
    if let Some((condition, _)) = &check.when {
        needs.push(format!("`{}`", condition.text));
    }
    let other = |pick: fn(&ChainNeed) -> bool| check.chains.values().any(pick);
    let moves_time =
        check.steps.iter().any(|step| matches!(step.verb, Verb::Wait(_)) || step.every.is_some())
            || other(|need| need.access == Some(AccessNeed::Expired));
    let derived = [
        (other(|need| need.other_tenant), "an identity of another tenant"),
        (other(|need| need.other_user), "an identity of another user"),
        (other(|need| need.other_client), "an identity of another client"),
        (moves_time, "a clock that can be moved, or the patience to wait"),
        (
            check.steps.iter().any(|step| matches!(step.verb, Verb::Restart)),
            "an endpoint that can be restarted",
        ),
    ];
    needs.extend(derived.into_iter().filter(|(needed, _)| *needed).map(|(_, words)| words.to_owned()));
    if let Some(harm) = needs::harm(check) {
        needs.push(format!("consent to what may be harmed: {harm}"));
    }
    needs
}
