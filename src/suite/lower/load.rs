//! Load profiles and objectives.

use std::time::Duration;

use indexmap::IndexMap;

use crate::source::Span;

use super::super::claim::Strength;
use super::super::expression::ValueKind;
use super::super::profile::{Model, Objective, Profile, Stage};
use super::super::units;
use super::super::written::{self, Word};
use super::super::yaml::{self, Spanned};
use super::expect;
use super::notes::{Notes, shown};

const MAX_WAIT: Duration = Duration::from_mins(1);

/// One profile.
pub(super) fn profile(name: &str, written: &Spanned<written::Profile>, notes: &mut Notes<'_>) -> Profile {
    let profile = &written.value;
    for (word, later) in [
        ("herd", &profile.herd),
        ("search", &profile.search),
        ("calls", &profile.calls),
        ("sentinels", &profile.sentinels),
        ("beside", &profile.beside),
    ] {
        if let Some(later) = later {
            notes.later(word, later.key);
        }
    }
    if name.contains('.') {
        let message = format!("`{}` cannot be the name of a profile", shown(name));
        notes.error("suite::wrong-name", written.key, message, "a `.` ends it in objectives");
    }
    Profile {
        name: name.to_owned(),
        model: model(written, notes),
        refreshes: profile.refreshes.as_ref().map(|count| count.value),
        chains: profile.chains.as_ref().map(|count| count.value),
        formats: formats(&profile.formats, notes),
        warm_up: notes.duration_or(profile.warm_up.as_ref(), Duration::ZERO),
        max_wait: notes.duration_or(profile.max_wait.as_ref(), MAX_WAIT),
        at: written.key,
    }
}

fn formats(written: &IndexMap<String, Spanned<u32>>, notes: &mut Notes<'_>) -> Vec<(String, u32)> {
    if let Some((_, share)) = written.iter().next()
        && written.values().all(|share| share.value == 0)
    {
        notes.error("suite::wrong-value", share.span, "all shares are zero", "one at least is more");
    }
    written.iter().map(|(format, share)| (format.clone(), share.value)).collect()
}

fn model(written: &Spanned<written::Profile>, notes: &mut Notes<'_>) -> Model {
    let profile = &written.value;
    let nothing = Model::Open(Vec::new());
    match (&profile.arrivals, &profile.users) {
        (Some(arrivals), Some(users)) => {
            let first = notes.place(arrivals.key);
            let message = "a profile is open or closed, not both";
            let diagnostic = notes.error("suite::contradiction", users.key, message, "or `users`");
            diagnostic.also.push((first, "either `arrivals`".to_owned()));
            nothing
        }
        (Some(arrivals), None) => open(arrivals, profile, notes),
        (None, Some(users)) => closed(users, profile, notes),
        (None, None) if profile.herd.is_some() || profile.search.is_some() => nothing,
        (None, None) => {
            notes
                .error(
                    "suite::missing-key",
                    written.key,
                    "this profile sends nothing",
                    "neither `arrivals` nor `users`",
                )
                .help = Some("write e.g. `arrivals: 200/s` or `users: 16`, and `for: 10s`".to_owned());
            nothing
        }
    }
}

fn closed(users: &Spanned<u32>, profile: &written::Profile, notes: &mut Notes<'_>) -> Model {
    if users.value == 0 {
        notes.error("suite::wrong-value", users.span, "no users send nothing", "at least 1");
    }
    let lasting = match (&profile.lasting, &profile.refreshes) {
        (Some(lasting), _) => notes.duration(lasting).unwrap_or_default(),
        // Only the count ends it.
        (None, Some(_)) => Duration::from_hours(1),
        (None, None) => {
            let message = "this profile has no end";
            notes.error("suite::missing-key", users.key, message, "add `for: 10s` or `refreshes: 1000`");
            Duration::ZERO
        }
    };
    Model::Closed {
        users: users.value,
        lasting,
        think: notes.duration_or(profile.think.as_ref(), Duration::ZERO),
    }
}

fn open(arrivals: &Spanned<written::Arrivals>, profile: &written::Profile, notes: &mut Notes<'_>) -> Model {
    if let Some(think) = &profile.think {
        let message = "`think` is a pause of users, and arrivals have none";
        notes.error("suite::contradiction", think.key, message, "goes with `users`");
    }
    let stages = match &arrivals.value {
        written::Arrivals::Word(word) => single(word, profile, notes).into_iter().collect(),
        written::Arrivals::List(words) => {
            if let Some(lasting) = &profile.lasting {
                let message = "stages say themselves how long they take";
                notes.error("suite::contradiction", lasting.key, message, "leave this out");
            }
            if words.is_empty() {
                notes.error("suite::wrong-value", arrivals.span, "there is no stage", "empty");
            }
            words.iter().filter_map(|word| stage(word, notes)).collect()
        }
    };
    Model::Open(stages)
}

/// `arrivals: 200/s` or `50/s to 2000/s`, with `for` beside it.
fn single(word: &Word, profile: &written::Profile, notes: &mut Notes<'_>) -> Option<Stage> {
    if word.value.contains(" for ") {
        return stage(word, notes);
    }
    let rates = rates(word, &word.value, notes);
    let lasting = match (&profile.lasting, &profile.refreshes) {
        (Some(lasting), _) => notes.duration(lasting),
        (None, Some(refreshes)) => rates.and_then(|(from, to)| time_for(refreshes.value, from, to)),
        (None, None) => {
            let message = "this profile has no end";
            notes.error("suite::missing-key", word.key, message, "add `for: 10s`");
            None
        }
    };
    let (from, to) = rates?;
    Some(Stage { from, to, lasting: lasting? })
}

/// How long a stage takes to schedule that many arrivals.
fn time_for(refreshes: u64, from: f64, to: f64) -> Option<Duration> {
    let mean = f64::midpoint(from, to);
    // One more, so that rounding does not lose the last.
    Duration::try_from_secs_f64((refreshes as f64 + 1.0) / mean).ok()
}

/// `50/s for 30s`, `50/s to 500/s for 1m`.
fn stage(word: &Word, notes: &mut Notes<'_>) -> Option<Stage> {
    let Some((rate, lasting)) = word.value.split_once(" for ") else {
        let message = format!("`{}` says not how long", shown(&word.value));
        notes.error("suite::stage", word.span, message, "expected `RATE for DURATION`: `50/s for 30s`");
        return None;
    };
    let rates = rates(word, rate, notes);
    let lasting = part(word, lasting, "length of time", units::duration(lasting.trim()), notes);
    let (from, to) = rates?;
    Some(Stage { from, to, lasting: lasting? })
}

fn rates(word: &Word, text: &str, notes: &mut Notes<'_>) -> Option<(f64, f64)> {
    let (from, to) = text.split_once(" to ").unwrap_or((text, text));
    let first = part(word, from, "rate", units::rate(from.trim()), notes)?;
    let last = if std::ptr::eq(from, to) {
        Some(first)
    } else {
        part(word, to, "rate", units::rate(to.trim()), notes)
    };
    if first == 0.0 && last == Some(0.0) {
        notes.error("suite::wrong-value", word.span, "no arrivals at all", "a rate above zero");
        return None;
    }
    Some((first, last?))
}

/// A part of a word, with its own caret.
fn part<T>(word: &Word, text: &str, what: &str, read: Result<T, String>, notes: &mut Notes<'_>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(expected) => {
            let trimmed = text.trim();
            let start = trimmed.as_ptr().addr().saturating_sub(word.value.as_ptr().addr());
            let span = notes.inside(word, start..start + trimmed.len());
            let message = format!("`{}` is no {what}", shown(trimmed));
            notes.error("suite::unit", span, message, expected);
            None
        }
    }
}

/// The objectives, whose names are checked against the profiles.
pub(super) fn objectives(
    written: &IndexMap<String, Spanned<written::Objective>>,
    load: &[Profile],
    notes: &mut Notes<'_>,
) -> Vec<Objective> {
    let mut objectives = Vec::new();
    for (name, objective) in written {
        for (strength, word) in graded(objective, notes) {
            let names = Names { load };
            let mut known = |name: &str, span: Span, notes: &mut Notes<'_>| names.check(name, span, notes);
            let kind = |name: &str| names.kind(name);
            if let Some(condition) = expect::condition(word, notes, &mut known, &kind) {
                let at = notes.place(word.span);
                objectives.push(Objective { name: name.clone(), strength, condition, at });
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
    load: &'l [Profile],
}

impl Names<'_> {
    /// The profile, the part if there is one, and the metric of a name. With one profile its name may be left out.
    fn split<'n>(&self, name: &'n str) -> Option<(&Profile, Option<&'n str>, &'n str)> {
        let named = name.split_once('.').and_then(|(first, rest)| {
            self.load.iter().find(|candidate| candidate.name == first).map(|profile| (profile, rest))
        });
        let (profile, rest) = match (named, self.load) {
            (Some(named), _) => named,
            (None, [only]) if expect::metric(name).is_some() => (only, name),
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
            }
            return;
        };
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
        Model::Open(_) | Model::Closed { .. } => 0,
    };
    let formats = profile.formats.iter().map(|(format, _)| format.clone());
    let stages = (1..=stages).map(|number| format!("stage{number}"));
    formats.chain(stages).chain(["begin".to_owned(), "end".to_owned()]).collect()
}
