//! Load profiles.

use std::time::Duration;

use indexmap::IndexMap;

use super::super::profile::{
    Abort, Connections, Depths, LoadCall, Model, Profile, Search, Sentinel, Spacing, Stage, StopOn,
};
use super::super::units;
use super::super::written::{self, Word};
use super::super::yaml::Spanned;
use super::expect;
use super::notes::{Notes, shown};

const MAX_WAIT: Duration = Duration::from_mins(1);

/// Whether `quick..full` may stand for a value, and which of the two is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// A profile of the suite: one value.
    One,
    Quick,
    Full,
}

/// A profile of the suite.
pub(super) fn profile(name: &str, written: &Spanned<written::Profile>, notes: &mut Notes<'_>) -> Profile {
    lower(name, written, Depth::One, notes)
}

/// The profile of a check, whose numbers may be `quick..full`.
pub(super) fn depths(name: &str, written: &Spanned<written::Profile>, notes: &mut Notes<'_>) -> Depths {
    let quick = lower(name, written, Depth::Quick, notes);
    // The same words: whatever is wrong with them has been said.
    let mut silent = Notes::new(notes.file);
    Depths { quick, full: lower(name, written, Depth::Full, &mut silent) }
}

fn lower(name: &str, written: &Spanned<written::Profile>, depth: Depth, notes: &mut Notes<'_>) -> Profile {
    let profile = &written.value;
    if name.contains('.') {
        let message = format!("`{}` cannot be the name of a profile", shown(name));
        notes.error("suite::wrong-name", written.key, message, "a `.` ends it in objectives");
    }
    Profile {
        name: name.to_owned(),
        model: model(written, depth, notes),
        refreshes: profile.refreshes.as_ref().and_then(|word| count(word, depth, notes)),
        chains: profile.chains.as_ref().map(|count| count.value),
        formats: shares(&profile.formats, notes),
        calls: calls(&profile.calls, notes),
        beside: beside(profile, depth, notes),
        warm_up: profile.warm_up.as_ref().and_then(|word| time(word, depth, notes)).unwrap_or_default(),
        max_wait: notes.duration_or(profile.max_wait.as_ref(), MAX_WAIT),
        spacing: spacing(profile, notes),
        connections: connections(profile, notes),
        sentinels: profile.sentinels.as_ref().map(|it| sentinels(&it.value, notes)).unwrap_or_default(),
        abort: profile.abort.as_ref().and_then(|it| abort(&it.value, notes)),
        stop_on: profile
            .stop_on
            .as_ref()
            .and_then(|word| notes.word("reason to stop", &word.value, word.span, &StopOn::ALL)),
        at: written.key,
    }
}

/// The part of `quick..full` that is meant.
fn of_depth(word: &Word, depth: Depth) -> &str {
    match (word.value.split_once(".."), depth) {
        (Some((quick, _)), Depth::Quick) => quick,
        (Some((_, full)), Depth::Full) => full,
        (Some(_) | None, _) => &word.value,
    }
}

fn time(word: &Word, depth: Depth, notes: &mut Notes<'_>) -> Option<Duration> {
    let text = of_depth(word, depth);
    part(word, text, "length of time", units::duration(text), notes)
}

fn count(word: &Word, depth: Depth, notes: &mut Notes<'_>) -> Option<u64> {
    let text = of_depth(word, depth);
    let read = text.parse::<u64>().ok().filter(|count| *count > 0);
    part(word, text, "number", read.ok_or_else(|| "expected a number such as `200`".to_owned()), notes)
}

fn few(word: &Word, depth: Depth, notes: &mut Notes<'_>) -> u32 {
    let count = count(word, depth, notes).unwrap_or(1);
    u32::try_from(count).unwrap_or_else(|_| {
        notes.error(
            "suite::wrong-value",
            word.span,
            format!("{count} are too many"),
            "some thousands at most",
        );
        1
    })
}

fn shares(written: &IndexMap<String, Spanned<u32>>, notes: &mut Notes<'_>) -> Vec<(String, u32)> {
    if let Some((_, share)) = written.iter().next()
        && written.values().all(|share| share.value == 0)
    {
        notes.error("suite::wrong-value", share.span, "all shares are zero", "one at least is more");
    }
    written.iter().map(|(format, share)| (format.clone(), share.value)).collect()
}

fn calls(written: &IndexMap<String, Spanned<u32>>, notes: &mut Notes<'_>) -> Vec<(LoadCall, u32)> {
    let shares = shares(written, notes);
    let named = written.iter().zip(shares).filter_map(|((word, share), (_, weight))| {
        notes.word("call under load", word, share.key, &LoadCall::ALL).map(|call| (call, weight))
    });
    named.collect()
}

fn beside(profile: &written::Profile, depth: Depth, notes: &mut Notes<'_>) -> Vec<Profile> {
    let mut beside = Vec::new();
    for (name, written) in &profile.beside {
        let nested = !written.value.beside.is_empty();
        if nested || written.value.search.is_some() || profile.search.is_some() {
            let message = "a search stands alone, and what runs beside has nothing beside itself";
            notes.error("suite::contradiction", written.key, message, "leave this out");
        } else {
            beside.push(lower(name, written, depth, notes));
        }
    }
    beside
}

fn model(written: &Spanned<written::Profile>, depth: Depth, notes: &mut Notes<'_>) -> Model {
    let profile = &written.value;
    let mut named = [
        ("arrivals", profile.arrivals.as_ref().map(|it| it.key)),
        ("users", profile.users.as_ref().map(|it| it.key)),
        ("herd", profile.herd.as_ref().map(|it| it.key)),
        ("search", profile.search.as_ref().map(|it| it.key)),
    ]
    .into_iter()
    .filter_map(|(word, key)| key.map(|key| (word, key)));
    if let (Some((first, at)), Some((second, key))) = (named.next(), named.next()) {
        let place = notes.place(at);
        let message = "a profile has one source of requests";
        let diagnostic = notes.error("suite::contradiction", key, message, format!("or `{second}`"));
        diagnostic.also.push((place, format!("either `{first}`")));
        return Model::Open(Vec::new());
    }
    if let Some(arrivals) = &profile.arrivals {
        open(arrivals, profile, depth, notes)
    } else if let Some(users) = &profile.users {
        closed(users, profile, depth, notes)
    } else if let Some(herd) = &profile.herd {
        together(&herd.value, profile, depth, notes)
    } else if let Some(search) = &profile.search {
        searching(&search.value, profile, depth, notes)
    } else {
        notes
            .error(
                "suite::missing-key",
                written.key,
                "this profile sends nothing",
                "neither `arrivals` nor `users`",
            )
            .help = Some("write e.g. `arrivals: 200/s` or `users: 16`, and `for: 10s`".to_owned());
        Model::Open(Vec::new())
    }
}

fn closed(users: &Word, profile: &written::Profile, depth: Depth, notes: &mut Notes<'_>) -> Model {
    if profile.lasting.is_none() && profile.refreshes.is_none() {
        let message = "this profile has no end";
        notes.error("suite::missing-key", users.key, message, "add `for: 10s` or `refreshes: 1000`");
    }
    Model::Closed {
        users: few(users, depth, notes),
        lasting: profile.lasting.as_ref().and_then(|lasting| time(lasting, depth, notes)),
        think: notes.duration_or(profile.think.as_ref(), Duration::ZERO),
    }
}

/// Words that have no meaning beside `with`.
fn out_of_place(profile: &written::Profile, with: &str, notes: &mut Notes<'_>) {
    let words = [
        ("for", profile.lasting.as_ref().map(|it| it.key)),
        ("think", profile.think.as_ref().map(|it| it.key)),
        ("refreshes", profile.refreshes.as_ref().map(|it| it.key)),
        ("chains", profile.chains.as_ref().map(|it| it.key)),
        ("warm-up", profile.warm_up.as_ref().map(|it| it.key)),
    ];
    for (word, key) in words {
        if let Some(key) = key {
            let message = format!("`{word}` has no meaning beside `{with}`");
            notes.error("suite::contradiction", key, message, "leave this out");
        }
    }
}

fn together(herd: &written::Herd, profile: &written::Profile, depth: Depth, notes: &mut Notes<'_>) -> Model {
    out_of_place(profile, "herd", notes);
    let jitter = herd.jitter.as_ref().and_then(|jitter| time(jitter, depth, notes));
    Model::Herd { chains: few(&herd.chains, depth, notes), jitter: jitter.unwrap_or_default() }
}

fn searching(
    search: &written::Search,
    profile: &written::Profile,
    depth: Depth,
    notes: &mut Notes<'_>,
) -> Model {
    out_of_place(profile, "search", notes);
    let from = notes.rate(&search.from);
    let text = of_depth(&search.to, depth);
    let to = part(&search.to, text, "rate", units::rate(text), notes);
    if let (Some(from), Some(to)) = (from, to)
        && (from <= 0.0 || to < from)
    {
        let message = "a search goes up, from a rate above zero";
        notes.error(
            "suite::wrong-value",
            search.to.span,
            message,
            "expected a rate that is not below `from`",
        );
    }
    let hold = time(&search.hold, depth, notes);
    let until = expect::measured(&search.until, notes);
    match (from, to, hold, until) {
        (Some(from), Some(to), Some(hold), Some(until)) => {
            Model::Search(Search { from, to: to.max(from), hold, until })
        }
        _ => Model::Open(Vec::new()),
    }
}

fn open(
    arrivals: &Spanned<written::Arrivals>,
    profile: &written::Profile,
    depth: Depth,
    notes: &mut Notes<'_>,
) -> Model {
    if let Some(think) = &profile.think {
        let message = "`think` is a pause of users, and arrivals have none";
        notes.error("suite::contradiction", think.key, message, "goes with `users`");
    }
    let stages = match &arrivals.value {
        written::Arrivals::Word(word) => single(word, profile, depth, notes),
        written::Arrivals::List(words) => {
            if let Some(lasting) = &profile.lasting {
                let message = "stages say themselves how long they take";
                notes.error("suite::contradiction", lasting.key, message, "leave this out");
            }
            if words.is_empty() {
                notes.error("suite::wrong-value", arrivals.span, "there is no stage", "empty");
            }
            words.iter().flat_map(|word| stage(word, notes)).collect()
        }
    };
    Model::Open(stages)
}

/// `arrivals: 200/s`, `50/s to 2000/s` or `50/s to 500/s in 10 steps`, with `for` beside it.
fn single(word: &Word, profile: &written::Profile, depth: Depth, notes: &mut Notes<'_>) -> Vec<Stage> {
    if word.value.contains(" for ") {
        return stage(word, notes);
    }
    let climb = climb(word, &word.value, notes);
    let lasting = match (&profile.lasting, &profile.refreshes) {
        (Some(lasting), _) => time(lasting, depth, notes),
        (None, Some(refreshes)) => {
            let count = count(refreshes, depth, notes);
            climb.zip(count).and_then(|(climb, count)| time_for(count, climb.from, climb.to))
        }
        (None, None) => {
            let message = "this profile has no end";
            notes.error("suite::missing-key", word.key, message, "add `for: 10s`");
            None
        }
    };
    climb.zip(lasting).map(|(climb, lasting)| climb.stages(lasting)).unwrap_or_default()
}

/// How long a stage takes to schedule that many arrivals.
fn time_for(refreshes: u64, from: f64, to: f64) -> Option<Duration> {
    let mean = f64::midpoint(from, to);
    // One more, so that rounding does not lose the last.
    Duration::try_from_secs_f64((refreshes as f64 + 1.0) / mean).ok()
}

/// `50/s for 30s`, `50/s to 500/s for 1m`, `50/s to 500/s in 10 steps for 1m`.
fn stage(word: &Word, notes: &mut Notes<'_>) -> Vec<Stage> {
    let Some((rate, lasting)) = word.value.split_once(" for ") else {
        let message = format!("`{}` says not how long", shown(&word.value));
        notes.error("suite::stage", word.span, message, "expected `RATE for DURATION`: `50/s for 30s`");
        return Vec::new();
    };
    let climb = climb(word, rate, notes);
    let lasting = part(word, lasting, "length of time", units::duration(lasting.trim()), notes);
    climb.zip(lasting).map(|(climb, lasting)| climb.stages(lasting)).unwrap_or_default()
}

/// From one rate to another, in a straight line or in steps.
#[derive(Clone, Copy, Debug)]
struct Climb {
    from: f64,
    to: f64,
    steps: Option<u32>,
}

impl Climb {
    /// One stage, or one for each step: the first at the one rate, the last at the other.
    fn stages(self, lasting: Duration) -> Vec<Stage> {
        let Some(steps) = self.steps else {
            return vec![Stage { from: self.from, to: self.to, lasting }];
        };
        let up = (self.to - self.from) / f64::from(steps - 1);
        let at = |step: u32| self.from + up * f64::from(step);
        (0..steps).map(|step| Stage { from: at(step), to: at(step), lasting: lasting / steps }).collect()
    }
}

/// No more steps than this; each has figures of its own.
const STEPS_MAX: u32 = 100;

/// `200/s`, `50/s to 500/s`, `50/s to 500/s in 10 steps`.
fn climb(word: &Word, text: &str, notes: &mut Notes<'_>) -> Option<Climb> {
    let (rate, steps) = match text.split_once(" in ") {
        Some((rate, steps)) => (rate, Some(steps)),
        None => (text, None),
    };
    let (from, to) = rates(word, rate, notes)?;
    let steps = match steps {
        Some(steps) => Some(steps_of(word, steps, rate.contains(" to "), notes)?),
        None => None,
    };
    Some(Climb { from, to, steps })
}

/// `10 steps`.
fn steps_of(word: &Word, text: &str, climbs: bool, notes: &mut Notes<'_>) -> Option<u32> {
    let number = text.trim().strip_suffix("steps").and_then(|number| number.trim().parse::<u32>().ok());
    let read = number.filter(|steps| climbs && (2..=STEPS_MAX).contains(steps));
    let expected = || format!("expected `RATE to RATE in N steps`, 2 to {STEPS_MAX} of them");
    part(word, text, "number of steps", read.ok_or_else(expected), notes)
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

fn spacing(profile: &written::Profile, notes: &mut Notes<'_>) -> Spacing {
    let Some(word) = &profile.spacing else { return Spacing::default() };
    if profile.users.is_some() {
        let message = "users ask when they have their answer, so nothing is spaced";
        notes.error("suite::contradiction", word.key, message, "goes with `arrivals`, `herd` and `search`");
    }
    notes.word("spacing", &word.value, word.span, &Spacing::ALL).unwrap_or_default()
}

/// `keep`, `new`, `10 requests`.
fn connections(profile: &written::Profile, notes: &mut Notes<'_>) -> Connections {
    let Some(word) = &profile.connections else { return Connections::default() };
    let requests = word.value.strip_suffix(" requests").or_else(|| word.value.strip_suffix(" request"));
    match (word.value.as_str(), requests.map(str::parse::<u32>)) {
        ("keep", _) => Connections::Keep,
        ("new", _) => Connections::Requests(1),
        (_, Some(Ok(requests))) if requests > 0 => Connections::Requests(requests),
        _ => {
            let message = format!("`{}` does not say how long a connection is kept", shown(&word.value));
            notes.error("suite::unknown-word", word.span, message, "expected `keep`, `new` or `10 requests`");
            Connections::default()
        }
    }
}

/// Rounds per second of a sentinel that does not say how many.
const ROUNDS: f64 = 1.0;
/// A sentinel looks in; what asks oftener is a load.
const ROUNDS_MAX: f64 = 20.0;

fn sentinels(written: &written::Sentinels, notes: &mut Notes<'_>) -> Vec<Sentinel> {
    match written {
        written::Sentinels::List(words) => words
            .iter()
            .map(|word| Sentinel { check: word.value.clone(), rate: ROUNDS, at: word.span })
            .collect(),
        written::Sentinels::Map(rates) => rates
            .iter()
            .filter_map(|(check, word)| {
                let rate = notes.rate(word)?;
                if rate <= 0.0 || rate > ROUNDS_MAX {
                    let message = format!("{rate} rounds a second are no sentinel");
                    let label = "expected a rate above zero, `20/s` at most";
                    notes.error("suite::wrong-value", word.span, message, label);
                }
                Some(Sentinel { check: check.clone(), rate, at: word.key })
            })
            .collect(),
    }
}

/// A window that says not how long it is.
const WINDOW: Duration = Duration::from_secs(10);

fn abort(written: &written::Abort, notes: &mut Notes<'_>) -> Option<Abort> {
    let (when, over) = match written {
        written::Abort::Word(word) => (word, Some(WINDOW)),
        written::Abort::Map(map) => {
            (&map.when, map.over.as_ref().map_or(Some(WINDOW), |word| window(word, notes)))
        }
    };
    let condition = expect::windowed(when, notes)?;
    Some(Abort { when: condition, over: over?, at: notes.place(when.span) })
}

/// The longest window.
const WINDOW_MAX: Duration = Duration::from_hours(1);

/// The length of a window: whole seconds, because figures are kept by the second.
pub(super) fn window(word: &Word, notes: &mut Notes<'_>) -> Option<Duration> {
    let length = notes.duration(word)?;
    if length.is_zero() || length.subsec_nanos() > 0 || length > WINDOW_MAX {
        let message = format!("`{}` is no window", shown(&word.value));
        notes.error("suite::wrong-value", word.span, message, "expected whole seconds, an hour at most");
        return None;
    }
    Some(length)
}
