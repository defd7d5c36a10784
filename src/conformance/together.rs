//! Claims on many exchanges: same, alike, apart, distinct, plain dates, measured, entropy, timing.
//!
//! Pure. Compares what was answered; exchanges without an answer say nothing here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::client::codec::Tree;
use crate::client::reply::{Document, Found, Outcome, dates};
use crate::dialect::{DateFormat, Dialect};
use crate::suite::claim::{FieldPlace, RacePromise, SetExpectation, SetPlace};
use crate::suite::expression::{Expression, Names, Truth, Value};

use super::guess;
use super::judge::Judgement;
use super::redact::Redaction;
use super::references::place as named;
use super::timing::{self, SAMPLES_MIN};
use super::transcript::Taken;

/// What came of a set claim, and the exchanges that show it.
pub(super) type SetJudgement = (Judgement, Vec<Arc<Taken>>);

/// The set, and how to look at it.
pub(super) struct Set<'a> {
    /// Everything that the steps yielded, in order.
    pub members: &'a [Arc<Taken>],
    /// What `by` groups by.
    pub by: Option<&'a str>,
    /// How the endpoint speaks.
    pub dialect: &'a Dialect,
    /// What may be shown of values.
    pub redaction: &'a Redaction,
}

/// Whether `what` holds of the set.
pub(super) fn claim(what: &SetExpectation, set: &Set<'_>) -> SetJudgement {
    match what {
        SetExpectation::Same(places) => {
            first(places.iter().map(|place| set.equal(place, &|taken| set.value(place, taken), "the same")))
        }
        SetExpectation::Alike(places) => first(places.iter().map(|place| match place {
            SetPlace::Size => set.size(),
            _ => set.equal(place, &|taken| set.form(place, taken), "alike"),
        })),
        SetExpectation::Apart(places) => set.apart(places),
        SetExpectation::Distinct(places) => first(places.iter().map(|place| set.distinct(place))),
        SetExpectation::PlainDates(places) => first(places.iter().map(|place| set.plain_dates(place))),
        SetExpectation::Measured(condition) => set.measured(condition),
        SetExpectation::Entropy { of, bits } => (guess::judge(&guess::look(set, *of), *bits), Vec::new()),
        SetExpectation::Timing { effect } => set.timing(*effect),
        SetExpectation::Promised(promises) => set.promised(promises),
    }
}

/// All must hold: the first failure counts, else the first that cannot be told.
fn first(judgements: impl IntoIterator<Item = SetJudgement>) -> SetJudgement {
    let mut untold = None;
    for (judgement, witnesses) in judgements {
        match judgement {
            Judgement::Holds => {}
            Judgement::Fails(_) => return (judgement, witnesses),
            Judgement::Untold(_) | Judgement::Moot(_) => {
                untold.get_or_insert((judgement, witnesses));
            }
        }
    }
    untold.unwrap_or((Judgement::Holds, Vec::new()))
}

fn untold(why: impl Into<String>) -> SetJudgement {
    (Judgement::Untold(why.into()), Vec::new())
}

/// A value, and the first exchange that has it.
type Seen = IndexMap<String, Arc<Taken>>;

impl Set<'_> {
    fn answered(&self) -> impl Iterator<Item = &Arc<Taken>> {
        self.members.iter().filter(|taken| taken.reply.is_some())
    }

    fn groups(&self) -> BTreeMap<String, Vec<&Arc<Taken>>> {
        let mut groups: BTreeMap<String, Vec<&Arc<Taken>>> = BTreeMap::new();
        for taken in self.answered() {
            let group = self.by.map(|by| taken.group(by)).unwrap_or_default();
            groups.entry(group).or_default().push(taken);
        }
        groups
    }

    /// Within each group there is one value.
    fn equal(&self, place: &SetPlace, value: &dyn Fn(&Taken) -> Option<String>, how: &str) -> SetJudgement {
        let mut compared = false;
        for (group, members) in self.groups() {
            let mut seen = Seen::new();
            let mut values = 0;
            for taken in members {
                if let Some(value) = value(taken) {
                    values += 1;
                    seen.entry(value).or_insert_with(|| Arc::clone(taken));
                }
            }
            compared |= values > 1;
            if seen.len() > 1 {
                return self.differ(place, how, &group, &seen);
            }
        }
        if compared {
            (Judgement::Holds, Vec::new())
        } else {
            let why = format!("there are no two answers to compare at {}", spoken(place));
            // One cell, because the dialect speaks one format: there never were two.
            if self.members.len() == 1 { (Judgement::Moot(why), Vec::new()) } else { untold(why) }
        }
    }

    fn differ(&self, place: &SetPlace, how: &str, group: &str, seen: &Seen) -> SetJudgement {
        let shown: Vec<String> = match place {
            SetPlace::Body => body_difference(seen),
            _ => seen.keys().take(3).map(|value| self.show(place, value)).collect(),
        };
        let more = if seen.len() > 3 { format!(" and {} more", seen.len() - 3) } else { String::new() };
        let within = match self.by {
            Some(by) => format!(" where {by} is `{group}`"),
            None => String::new(),
        };
        let judgement = Judgement::fails(
            format!("{} {how} in all answers{within}", spoken(place)),
            format!("{}{more}", shown.join(" and ")),
        );
        (judgement, seen.values().take(2).cloned().collect())
    }

    fn show(&self, place: &SetPlace, value: &str) -> String {
        match place {
            SetPlace::Place(place) if !value.starts_with('‹') => self.redaction.value(place, value),
            SetPlace::Place(_)
            | SetPlace::Status
            | SetPlace::Class
            | SetPlace::Type
            | SetPlace::MemberOrder
            | SetPlace::Body
            | SetPlace::Size => {
                let short: String = value.chars().take(120).collect();
                format!("`{short}`")
            }
        }
    }

    /// The exact value at a place.
    fn value(&self, place: &SetPlace, taken: &Taken) -> Option<String> {
        let reply = taken.reply.as_ref()?;
        Some(match place {
            SetPlace::Place(place) => match reply.at(self.dialect, taken.operation, place) {
                Found::Absent => "‹absent›".to_owned(),
                Found::Null => "‹null›".to_owned(),
                Found::Nested => "‹members›".to_owned(),
                found @ (Found::Text(_) | Found::Number(_) | Found::Flag(_)) => found.text()?,
            },
            SetPlace::Status => reply.answer().status.to_string(),
            SetPlace::Class => match (&reply.outcome, reply.class) {
                (_, Some(class)) => class.word().to_owned(),
                (Outcome::Granted, None) => "granted".to_owned(),
                (Outcome::Crash, None) => "crash".to_owned(),
                (Outcome::Refused | Outcome::Garbled(_), None) => "no class".to_owned(),
            },
            SetPlace::Type => reply.answer().media_type().unwrap_or_else(|| "none".to_owned()),
            SetPlace::MemberOrder => {
                let mut names = Vec::new();
                member_order(reply.document.as_ref()?.tree(), &mut names);
                names.join(" ")
            }
            SetPlace::Body => body_form(reply.document.as_ref()?),
            SetPlace::Size => reply.answer().body.len().to_string(),
        })
    }

    /// The form of the value: what stays when the data changes.
    fn form(&self, place: &SetPlace, taken: &Taken) -> Option<String> {
        let value = self.value(place, taken)?;
        Some(match place {
            SetPlace::Place(_) if !value.starts_with('‹') => form_of(&value, self.dialect),
            SetPlace::Place(_)
            | SetPlace::Status
            | SetPlace::Class
            | SetPlace::Type
            | SetPlace::MemberOrder
            | SetPlace::Body
            | SetPlace::Size => value,
        })
    }

    /// Of calls that did not race nothing is promised as a set.
    fn promised(&self, _promises: &[RacePromise]) -> SetJudgement {
        untold(format!("these {} calls did not race", self.members.len()))
    }

    /// Sizes within 5 % of their median.
    fn size(&self) -> SetJudgement {
        for (_, members) in self.groups() {
            let size = |taken: &Arc<Taken>| taken.reply.as_ref().map_or(0, |reply| reply.answer().body.len());
            let mut sizes: Vec<usize> = members.iter().map(|taken| size(taken)).collect();
            sizes.sort_unstable();
            let Some(median) = sizes.get(sizes.len() / 2).copied() else { continue };
            let far = |taken: &&&Arc<Taken>| size(taken).abs_diff(median) * 20 > median;
            if let Some(other) = members.iter().find(far) {
                let judgement = Judgement::fails(
                    format!("answers within 5 % of {median} bytes"),
                    format!("{} bytes", size(other)),
                );
                return (judgement, vec![Arc::clone(other)]);
            }
        }
        (Judgement::Holds, Vec::new())
    }

    /// No two groups have a value in common.
    fn apart(&self, places: &[SetPlace]) -> SetJudgement {
        let mut owner: BTreeMap<Vec<Option<String>>, (String, Arc<Taken>)> = BTreeMap::new();
        let groups = self.groups();
        if groups.len() < 2 {
            return untold("there are no two groups to compare");
        }
        for (group, members) in groups {
            for taken in members {
                let values: Vec<Option<String>> =
                    places.iter().map(|place| self.value(place, taken)).collect();
                match owner.get(&values) {
                    Some((other, before)) if *other != group => {
                        let judgement = Judgement::fails(
                            format!("`{other}` and `{group}` to be answered differently"),
                            "the same answer to both",
                        );
                        return (judgement, vec![Arc::clone(before), Arc::clone(taken)]);
                    }
                    Some(_) => {}
                    None => {
                        owner.insert(values, (group.clone(), Arc::clone(taken)));
                    }
                }
            }
        }
        (Judgement::Holds, Vec::new())
    }

    fn distinct(&self, place: &SetPlace) -> SetJudgement {
        let mut seen = Seen::new();
        for taken in self.answered() {
            let Some(value) = self.value(place, taken).filter(|value| !value.starts_with('‹')) else {
                continue;
            };
            if let Some(before) = seen.get(&value) {
                let judgement = Judgement::fails(
                    format!("no {} twice", spoken(place)),
                    format!("{} twice", self.show(place, &value)),
                );
                return (judgement, vec![Arc::clone(before), Arc::clone(taken)]);
            }
            seen.insert(value, Arc::clone(taken));
        }
        match seen.len() {
            // A token need not be one that can be read, nor say everything about itself.
            0 if is_within_a_token(place) => {
                (Judgement::Moot(format!("the tokens do not state {}", spoken(place))), Vec::new())
            }
            0 | 1 => untold(format!("there are no two values at {}", spoken(place))),
            _ => (Judgement::Holds, Vec::new()),
        }
    }

    /// One format of the dialect reads every date, and no other could.
    fn plain_dates(&self, place: &FieldPlace) -> SetJudgement {
        let texts: Vec<(String, &Arc<Taken>)> = self
            .answered()
            .filter_map(|taken| {
                let reply = taken.reply.as_ref()?;
                let text = reply.at(self.dialect, taken.operation, place).text()?;
                (!text.is_empty()).then_some((text, taken))
            })
            .collect();
        if texts.is_empty() {
            return untold(format!("nothing stands at {}", named(place)));
        }
        let all: Vec<&str> = texts.iter().map(|(text, _)| text.as_str()).collect();
        match plainness(&all, self.dialect) {
            Plainness::Plain => (Judgement::Holds, Vec::new()),
            Plainness::TooFewDays => {
                untold(format!("no day beyond the twelfth was seen at {}", named(place)))
            }
            Plainness::Mixed { by, but } => {
                let shown = |at: usize| self.redaction.value(place, all[at]);
                let judgement = Judgement::fails(
                    format!("{} in one date format", named(place)),
                    format!("{} among dates such as {}", shown(but), shown(by)),
                )
                .marking([all[but]]);
                (judgement, vec![Arc::clone(texts[but].1), Arc::clone(texts[by].1)])
            }
        }
    }

    /// No two groups differ in time.
    fn timing(&self, effect: f64) -> SetJudgement {
        let groups: Vec<(String, Vec<Duration>, Arc<Taken>)> = self
            .groups()
            .into_iter()
            .filter_map(|(group, members)| {
                let times = members.iter().map(|taken| taken.answered_in()).collect();
                Some((group, times, Arc::clone(members.first()?)))
            })
            .collect();
        if groups.len() < 2 {
            return untold("there are no two groups to compare");
        }
        if let Some((group, times, _)) = groups.iter().find(|(_, times, _)| times.len() < SAMPLES_MIN) {
            return untold(format!("`{group}` has {} answers, and it takes {SAMPLES_MIN}", times.len()));
        }
        let mut worst: Option<(f64, SetJudgement)> = None;
        for (at, (one, one_times, witness)) in groups.iter().enumerate() {
            for (two, two_times, other) in &groups[at + 1..] {
                let found = timing::compare(one_times, two_times);
                let size = found.effect.abs();
                if found.is_seen(effect) && worst.as_ref().is_none_or(|(known, _)| *known < size) {
                    let judgement = Judgement::fails(
                        format!("`{one}` and `{two}` answered in the same time"),
                        format!(
                            "medians of {} and {} µs: effect {size:.2}, {:.0} standard deviations",
                            found.medians.0.as_micros(),
                            found.medians.1.as_micros(),
                            found.sigma.abs()
                        ),
                    );
                    worst = Some((size, (judgement, vec![Arc::clone(witness), Arc::clone(other)])));
                }
            }
        }
        worst.map_or((Judgement::Holds, Vec::new()), |(_, judgement)| judgement)
    }

    fn measured(&self, condition: &Expression) -> SetJudgement {
        let counts = Counts { members: self.members };
        match condition.truth(&counts) {
            Truth::True => (Judgement::Holds, Vec::new()),
            Truth::Unknown(name) => untold(format!("`{name}` is not known of these exchanges")),
            Truth::False => {
                let found: Vec<String> = condition
                    .names()
                    .into_iter()
                    .filter_map(|name| match counts.value(name)? {
                        Value::Number(number) => Some(format!("{name} = {number}")),
                        _ => None,
                    })
                    .collect();
                (Judgement::fails(format!("`{}`", condition.text), found.join(", ")), Vec::new())
            }
        }
    }
}

fn is_within_a_token(place: &SetPlace) -> bool {
    matches!(place, SetPlace::Place(FieldPlace::Claim(..) | FieldPlace::Jose(..)))
}

fn spoken(place: &SetPlace) -> String {
    match place {
        SetPlace::Place(place) => named(place),
        SetPlace::Status => "the status".to_owned(),
        SetPlace::Class => "the error class".to_owned(),
        SetPlace::Type => "the media type".to_owned(),
        SetPlace::MemberOrder => "the order of members".to_owned(),
        SetPlace::Body => "the body".to_owned(),
        SetPlace::Size => "the size".to_owned(),
    }
}

fn member_order(tree: &Tree, names: &mut Vec<String>) {
    if let Tree::Object(members) = tree {
        for (name, value) in members {
            names.push(name.clone());
            member_order(value, names);
        }
    }
}

/// Names, kinds and what is null or empty, in an order of its own so that formats can be compared.
fn body_form(document: &Document) -> String {
    let mut lines = Vec::new();
    body_lines(document.tree(), "", &mut lines);
    lines.sort_unstable();
    lines.join("\n")
}

fn body_lines(tree: &Tree, path: &str, lines: &mut Vec<String>) {
    let state = match tree {
        Tree::Null => "null",
        Tree::Text(text) if text.is_empty() => "empty",
        // XML has no numbers and flags: whether JSON may have them is for `kinds` to say.
        Tree::Text(_) | Tree::Number(_) | Tree::Flag(_) => "filled",
        Tree::List(_) => "a list",
        Tree::Object(members) => {
            for (name, value) in members {
                body_lines(value, &format!("{path}/{name}"), lines);
            }
            "members"
        }
    };
    lines.push(format!("{path} {state}"));
}

/// The first line in which two bodies differ, for each of them.
fn body_difference(seen: &Seen) -> Vec<String> {
    let bodies: Vec<Vec<&str>> = seen.keys().take(2).map(|body| body.lines().collect()).collect();
    let [one, two] = &bodies[..] else { return Vec::new() };
    let path = |line: &str| line.split(' ').next().unwrap_or("").to_owned();
    let first = one.iter().find(|line| !two.contains(line)).or(two.iter().find(|line| !one.contains(line)));
    let Some(place) = first.map(|line| path(line)) else { return Vec::new() };
    let state = |body: &[&str]| {
        let line = body.iter().find(|line| path(line) == place);
        let state = line.and_then(|line| line.split_once(' ')).map_or("absent", |(_, state)| state);
        format!("`{place}` {state}")
    };
    vec![state(one), state(two)]
}

/// A date by what reads it and whether it says its zone; a short word by its case; else its kind.
fn form_of(text: &str, dialect: &Dialect) -> String {
    let readings = dates::readings(text, &dialect.dates);
    if !readings.is_empty() && text.parse::<f64>().is_err() {
        let names: Vec<String> = readings.iter().map(|moment| moment.format.word().to_owned()).collect();
        let zone =
            if readings.iter().any(|moment| moment.zoned) { "with its zone" } else { "without a zone" };
        return format!("{} {zone}", names.join(" or "));
    }
    if text.parse::<f64>().is_ok() {
        return "a number".to_owned();
    }
    if text.len() <= 12 && text.chars().all(char::is_alphabetic) {
        let first = text.chars().next().is_some_and(char::is_uppercase);
        let rest = text.chars().skip(1).any(char::is_uppercase);
        return match (first, rest) {
            (true, true) => "a word in capitals",
            (true, false) => "a word with a capital",
            (false, _) => "a word",
        }
        .to_owned();
    }
    "text".to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plainness {
    Plain,
    TooFewDays,
    /// Indexes: one that the best format reads, and one that it does not.
    Mixed {
        by: usize,
        but: usize,
    },
}

/// Whether exactly one format reads all of them.
fn plainness(texts: &[&str], dialect: &Dialect) -> Plainness {
    let reads = |format: &DateFormat, text: &str| dates::read(text, format, &dialect.dates.zone).is_some();
    let formats = &dialect.dates.formats;
    let of_all: Vec<&DateFormat> =
        formats.iter().filter(|format| texts.iter().all(|text| reads(format, text))).collect();
    match of_all.as_slice() {
        [] => {
            let count = |format: &&DateFormat| texts.iter().filter(|text| reads(format, text)).count();
            let best = formats.iter().max_by_key(count);
            let at = |wanted: bool| {
                texts.iter().position(|text| best.is_some_and(|best| reads(best, text)) == wanted)
            };
            Plainness::Mixed { by: at(true).unwrap_or(0), but: at(false).unwrap_or(0) }
        }
        [only] => match swapped(only) {
            Some(swapped) if texts.iter().all(|text| reads(&swapped, text)) => Plainness::TooFewDays,
            Some(_) | None => Plainness::Plain,
        },
        [_, _, ..] => Plainness::TooFewDays,
    }
}

/// The pattern with day and month exchanged.
fn swapped(format: &DateFormat) -> Option<DateFormat> {
    let DateFormat::Pattern(pattern) = format else { return None };
    let exchanged = pattern.replace("dd", "\0").replace("MM", "dd").replace('\0', "MM");
    (exchanged != *pattern && !pattern.contains("MMM")).then_some(DateFormat::Pattern(exchanged))
}

/// Counts over a set of exchanges, by name.
struct Counts<'a> {
    members: &'a [Arc<Taken>],
}

impl Names for Counts<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        // `answers.granted`: the step is what the set is made of.
        let word = name.rsplit('.').next().unwrap_or(name);
        let outcome = |wanted: fn(&Outcome) -> bool| {
            self.members
                .iter()
                .filter(move |taken| taken.reply.as_ref().is_some_and(|reply| wanted(&reply.outcome)))
        };
        let count = match word {
            "granted" => outcome(|outcome| *outcome == Outcome::Granted).count(),
            "refused" => outcome(|outcome| *outcome == Outcome::Refused).count(),
            "crashes" => outcome(|outcome| *outcome == Outcome::Crash).count(),
            "garbled" => outcome(|outcome| matches!(outcome, Outcome::Garbled(_))).count(),
            "unanswered" => self.members.iter().filter(|taken| taken.reply.is_none()).count(),
            "sent" => self.members.len(),
            class if crate::dialect::ErrorClass::ALL.iter().any(|(_, word)| *word == class) => self
                .members
                .iter()
                .filter(|taken| {
                    let found = taken.reply.as_ref().and_then(|reply| reply.class);
                    found.is_some_and(|found| found.word() == class)
                })
                .count(),
            _ => return None,
        };
        Some(Value::Number(count as f64))
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::{Dates, Zone};

    use super::*;

    fn dialect() -> Dialect {
        let mut dialect = crate::dialect::builtin("pfms").unwrap();
        dialect.dates = Dates {
            formats: vec![DateFormat::Iso, DateFormat::Pattern("dd-MM-yyyy HH:mm:ss".to_owned())],
            zone: Zone::Unknown,
        };
        dialect
    }

    #[test]
    fn dates_are_plain_once_a_day_beyond_the_twelfth_was_seen() {
        let dialect = dialect();
        let seen = |texts: &[&str]| plainness(texts, &dialect);
        assert_eq!(seen(&["05-06-2026 10:00:00"]), Plainness::TooFewDays);
        assert_eq!(seen(&["05-06-2026 10:00:00", "13-06-2026 10:00:00"]), Plainness::Plain);
        assert_eq!(seen(&["2026-06-05T10:00:00Z"]), Plainness::Plain);
        assert_eq!(seen(&["13-06-2026 10:00:00", "06-14-2026 10:00:00"]), Plainness::Mixed { by: 0, but: 1 });
    }

    #[test]
    fn the_form_of_a_date_is_its_format_and_whether_it_says_its_zone() {
        let dialect = dialect();
        assert_eq!(form_of("2026-06-05T10:00:00Z", &dialect), "iso with its zone");
        assert_eq!(form_of("2026-06-05T10:00:00", &dialect), "iso without a zone");
        assert_eq!(form_of("True", &dialect), "a word with a capital");
        assert_eq!(form_of("true", &dialect), "a word");
        assert_eq!(form_of("3600", &dialect), "a number");
    }

    #[test]
    fn bodies_are_compared_by_names_and_by_what_is_null_or_empty() {
        let body = |json: &str| body_form(&Document::Json(crate::client::codec::read_json(json).unwrap()));
        assert_eq!(body(r#"{"b":1,"a":"x"}"#), body(r#"{"a":"y","b":"2"}"#));
        assert_ne!(body(r#"{"a":null}"#), body(r#"{"a":""}"#));
        assert_ne!(body(r#"{"a":"x"}"#), body(r#"{"A":"x"}"#));
    }
}
