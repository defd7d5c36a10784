//! Objectives, whose names are checked against the profiles.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::source::Span;

use super::super::claim::Strength;
use super::super::expression::{Expression, ValueKind};
use super::super::profile::{Model, Objective, Profile};
use super::super::written::{self, Word};
use super::super::yaml::{self, Spanned};
use super::notes::{Notes, shown};
use super::{expect, load};

/// The objectives, whose names are checked against the profiles.
pub(super) fn objectives(
    written: &IndexMap<String, Spanned<written::Objective>>,
    profiles: &[Profile],
    notes: &mut Notes<'_>,
) -> Vec<Objective> {
    let mut objectives = Vec::new();
    for (name, objective) in written {
        let over = match &objective.value {
            written::Objective::Word(_) => None,
            written::Objective::Map(graded) => graded.over.as_ref().and_then(|it| load::window(it, notes)),
        };
        for (strength, word) in graded(objective, notes) {
            let all: Vec<&Profile> = profiles.iter().flat_map(Profile::all).collect();
            let names = Names { load: &all, over: over.is_some() };
            let mut known = |name: &str, span: Span, notes: &mut Notes<'_>| names.check(name, span, notes);
            let kind = |name: &str| names.kind(name);
            if let Some(condition) = expect::condition(word, notes, &mut known, &kind) {
                let at = notes.place(word.span);
                if over.is_some() {
                    names.are_of_one(&condition, word, notes);
                }
                objectives.push(Objective { name: name.clone(), strength, condition, over, at });
            }
        }
    }
    objectives
}

/// The condition of an objective under its strength; a bare one is a `must`.
fn graded<'w>(
    objective: &'w Spanned<written::Objective>,
    notes: &mut Notes<'_>,
) -> Vec<(Strength, &'w Word)> {
    let graded = match &objective.value {
        written::Objective::Word(word) => return vec![(Strength::Must, word)],
        written::Objective::Map(graded) => graded,
    };
    let all =
        [(Strength::Must, &graded.must), (Strength::Should, &graded.should), (Strength::Info, &graded.info)];
    let found: Vec<(Strength, &Word)> =
        all.into_iter().filter_map(|(strength, word)| word.as_ref().map(|word| (strength, word))).collect();
    if found.len() != 1 {
        let message = "an objective has one condition";
        notes.error("suite::wrong-kind", objective.key, message, "exactly one of `must`, `should`, `info`");
    }
    found
}

/// What objectives can name: `PROFILE.METRIC` and `PROFILE.PART.METRIC`.
struct Names<'l> {
    load: &'l [&'l Profile],
    /// Whether they stand for windows.
    over: bool,
}

impl Names<'_> {
    /// The profile, the part if there is one, and the metric of a name. With one profile its name may be left out.
    fn split<'n>(&self, name: &'n str) -> Option<(&Profile, Option<&'n str>, &'n str)> {
        let named = name.split_once('.').and_then(|(first, rest)| {
            self.load.iter().find(|candidate| candidate.name == first).map(|profile| (*profile, rest))
        });
        let (profile, rest) = match (named, self.load) {
            (Some(named), _) => named,
            (None, [only]) if expect::metric(name).is_some() => (*only, name),
            (None, _) => return None,
        };
        if expect::metric(rest).is_some() {
            return Some((profile, None, rest));
        }
        let part = rest.split_once('.').map(|(part, metric)| (profile, Some(part), metric));
        Some(part.unwrap_or((profile, None, rest)))
    }

    fn kind(&self, name: &str) -> Option<ValueKind> {
        self.split(name).and_then(|(_, _, metric)| expect::metric(metric))
    }

    fn check(&self, name: &str, span: Span, notes: &mut Notes<'_>) {
        let Some((profile, part, metric)) = self.split(name) else {
            return self.no_profile(name, span, notes);
        };
        let Some(part) = part else {
            if expect::metric(metric).is_none() {
                no_metric(&name[..name.len() - metric.len()], metric, span, notes);
            } else if self.over {
                expect::is_of_window(metric, span, notes);
            }
            return;
        };
        if self.over {
            let message = format!("windows have no parts, such as `{}`", shown(part));
            notes.error("suite::unknown-name", span, message, "a metric of the whole profile goes here");
            return;
        }
        let known = parts(profile);
        if !known.iter().any(|known| known == part) {
            if expect::metric(metric).is_none() {
                return no_metric(&format!("{}.", profile.name), &format!("{part}.{metric}"), span, notes);
            }
            let message = format!("`{}` has no part `{}`", profile.name, shown(part));
            let near = notes.unknown(span, message, part, known.iter().map(String::as_str));
            near.patch = near.patch.take().map(|near| format!("{}.{near}.{metric}", profile.name));
        } else if expect::metric_of_part(metric).is_none() {
            if expect::metric(metric).is_some() {
                let message = format!("`{metric}` is not measured for a part");
                notes.error(
                    "suite::unknown-name",
                    span,
                    message,
                    "parts have `errors`, `response.pNN`, `service.pNN`",
                );
            } else {
                no_metric(&name[..name.len() - metric.len()], metric, span, notes);
            }
        }
    }

    /// A window lies in one profile, so its condition names one.
    fn are_of_one(&self, condition: &Expression, word: &Word, notes: &mut Notes<'_>) {
        let profiles: BTreeSet<&str> = condition
            .names()
            .into_iter()
            .filter_map(|name| self.split(name))
            .map(|(profile, ..)| profile.name.as_str())
            .collect();
        if profiles.len() > 1 {
            let message = "a window lies in one profile, and this names several";
            notes.error("suite::contradiction", word.span, message, "one profile for each `over`");
        }
    }

    fn no_profile(&self, name: &str, span: Span, notes: &mut Notes<'_>) {
        let (profile, metric) = match name.split_once('.') {
            Some((profile, metric)) if expect::metric(name).is_none() => (profile, Some(metric)),
            _ => (name, None),
        };
        if metric.is_none() && self.load.iter().any(|known| known.name == name) {
            let message = format!("`{name}` is a profile; what of it?");
            notes.error("suite::unknown-name", span, message, "no metric").help =
                Some(format!("metrics are {}", yaml::some_of(&expect::metrics())));
            return;
        }
        if metric.is_none() {
            let message = format!("`{}` of which profile?", shown(name));
            let example = self.load.first().map_or("PROFILE", |profile| profile.name.as_str());
            notes.error("suite::unknown-name", span, message, format!("write `{example}.{name}`"));
            return;
        }
        let message = format!("there is no profile `{}`", shown(profile));
        let near =
            notes.unknown(span, message, profile, self.load.iter().map(|profile| profile.name.as_str()));
        near.patch = near.patch.take().zip(metric).map(|(near, metric)| format!("{near}.{metric}"));
    }
}

fn no_metric(prefix: &str, metric: &str, span: Span, notes: &mut Notes<'_>) {
    let message = format!("`{}` is no metric", shown(metric));
    let near = notes.unknown(span, message, metric, expect::metrics());
    near.patch = near.patch.take().map(|near| format!("{prefix}{near}"));
}

/// The parts of a profile that have figures of their own.
fn parts(profile: &Profile) -> Vec<String> {
    let stages = match &profile.model {
        // A single stage is the whole.
        Model::Open(stages) if stages.len() > 1 => stages.len(),
        Model::Open(_) | Model::Closed { .. } | Model::Herd { .. } | Model::Search(_) => 0,
    };
    let formats = profile.formats.iter().map(|(format, _)| format.clone());
    let stages = (1..=stages).map(|number| format!("stage{number}"));
    let calls = profile.calls.iter().map(|(call, _)| call.word().to_owned());
    formats.chain(calls).chain(stages).chain(["begin".to_owned(), "end".to_owned()]).collect()
}
