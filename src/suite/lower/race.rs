//! Races: their legs, and the dimensions that say how many and how far apart.

use indexmap::IndexMap;

use super::super::call::{Call, Operation};
use super::super::check::{Check, Dimension, Verb};
use super::super::race::{Gap, Leg, RACERS_MAX, Race, Times};
use super::super::units::{self, Depth};
use super::super::written;
use super::super::yaml::Spanned;
use super::call::call;
use super::notes::{Notes, shown};
use super::reference::Scope;
use super::vocabulary;

/// A race; `None` where it has no leg that could be sent.
pub(super) fn race(
    written: &Spanned<written::Race>,
    scope: &mut Scope,
    notes: &mut Notes<'_>,
) -> Option<Race> {
    let race = &written.value;
    let legs: Vec<Leg> = race.legs.value.iter().filter_map(|leg| self::leg(leg, scope, notes)).collect();
    if race.legs.value.is_empty() {
        notes.error("suite::no-claim", race.legs.key, "a race has legs", "nothing would be sent");
    }
    for name in race.legs.value.iter().filter_map(|leg| leg.value.name.as_ref()) {
        scope.declare("step", &name.value, name.span, notes);
        scope.steps.push(name.value.clone());
    }
    one_chain(&legs, notes);
    let release = race
        .release
        .as_ref()
        .and_then(|word| notes.word("way to leave together", &word.value, word.span, &vocabulary::RELEASE));
    Some(Race {
        gap: race.gap.as_ref().and_then(|gap| self::gap(gap, scope, notes)),
        release: release.unwrap_or(vocabulary::RELEASE[0].0),
        legs: if legs.is_empty() { return None } else { legs },
    })
}

fn leg(written: &Spanned<written::Leg>, scope: &Scope, notes: &mut Notes<'_>) -> Option<Leg> {
    let leg = &written.value;
    let verbs = [
        (Operation::Refresh, &leg.refresh),
        (Operation::Probe, &leg.probe),
        (Operation::Revoke, &leg.revoke),
    ];
    let mut calls: Vec<Call> = Vec::new();
    for (operation, it) in verbs {
        calls.extend(it.as_ref().map(|it| call(operation, it, scope, notes)));
    }
    if calls.len() > 1 {
        let message = "a leg is one call";
        notes.error("suite::two-verbs", calls[1].at, message, "put it into a leg of its own");
    }
    let Some(call) = calls.into_iter().next() else {
        let message = "this leg sends nothing";
        notes.error("suite::no-verb", written.span, message, "`refresh`, `probe` or `revoke`");
        return None;
    };
    let times = match &leg.times {
        None => Times::Depth(Depth { quick: 1, full: 1 }),
        Some(word) => match dimension(word, scope) {
            Some(name) => Times::Dimension(name),
            None => Times::Depth(notes.depth(word)?),
        },
    };
    if let (Times::Depth(depth), Some(word)) = (&times, &leg.times)
        && depth.quick.max(depth.full) > RACERS_MAX
    {
        let message = format!("no more than {RACERS_MAX} requests leave together");
        notes.error("suite::wrong-value", word.span, message, "too many");
    }
    let name = leg.name.as_ref().map(|name| name.value.clone());
    Some(Leg { at: call.at, call, times, name })
}

fn gap(word: &written::Word, scope: &Scope, notes: &mut Notes<'_>) -> Option<Gap> {
    match dimension(word, scope) {
        Some(name) => Some(Gap::Dimension(name)),
        None => notes.duration(word).map(Gap::Time),
    }
}

/// The dimension that a word such as `$racers` names.
fn dimension(word: &written::Word, scope: &Scope) -> Option<String> {
    let name = word.value.strip_prefix('$')?;
    scope.dimensions.iter().find(|known| *known == name).cloned()
}

/// All legs are calls on one chain: who owns two chains has two races.
fn one_chain(legs: &[Leg], notes: &mut Notes<'_>) {
    let Some(first) = legs.first() else { return };
    if let Some(other) = legs.iter().find(|leg| leg.call.chain != first.call.chain) {
        let message = format!(
            "a race is run on one chain, and this one on `{}` and `{}`",
            shown(&first.call.chain),
            shown(&other.call.chain)
        );
        notes.error("suite::contradiction", other.at, message, "another chain");
    }
}

/// The dimensions that `times` and `gap` name hold numbers and times.
pub(super) fn dimensions(check: &Check, over: &IndexMap<String, Dimension>, notes: &mut Notes<'_>) {
    let mut wrong = |at, word: &str, expected: &str| {
        let message = format!("`{}` cannot stand here", shown(word));
        notes.error("suite::wrong-value", at, message, expected);
    };
    for step in &check.steps {
        let Verb::Race(race) = &step.verb else { continue };
        for leg in &race.legs {
            let Times::Dimension(name) = &leg.times else { continue };
            for word in words(over, name) {
                if !word.parse::<u32>().is_ok_and(|times| (1..=RACERS_MAX).contains(&times)) {
                    wrong(leg.at, word, "the dimension should hold numbers up to 128");
                }
            }
        }
        if let Some(Gap::Dimension(name)) = &race.gap {
            for word in words(over, name).iter().filter(|word| units::duration(word).is_err()) {
                wrong(step.at, word, "the dimension should hold times such as `5ms`");
            }
        }
    }
}

fn words<'o>(over: &'o IndexMap<String, Dimension>, name: &str) -> &'o [String] {
    match over.get(name) {
        Some(Dimension::Words(words)) => words,
        Some(Dimension::Changes(_)) | None => &[],
    }
}
