//! What answers look like: the marks of success, error classes, nulls; `times` has the dates. Pure: answers in,
//! lines out.
//!
//! Lines are for the author of a dialect. Every value in them goes through the redaction and stands on one line:
//! the endpoint chooses its texts, and may not write into our files.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::client::codec::Tree;
use crate::client::reply::{Document, Found, Outcome, Reply};
use crate::dialect::{Declared, DeclaredKind, Dialect, ErrorClass, Reading};
use crate::results::wording::list;
use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace};

use super::{Mistake, times};
use crate::conformance::redact::Redaction;
use crate::conformance::transcript::ending_of;

/// So many members are named in one line.
const NAMES_MAX: usize = 6;

/// So many marks of success are listed.
const MARKS_MAX: usize = 12;

/// Members beyond these are not looked at.
const LEAVES_MAX: usize = 500;

/// What a call was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Login,
    Good,
    Bad(Mistake),
    ForeignAccess,
    Probe { old: bool },
    Replay,
    AfterReplay,
    Sibling,
}

impl Asked {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Asked::Login => "login",
            Asked::Good => "good refresh",
            Asked::Bad(mistake) => mistake.words(),
            Asked::ForeignAccess => "access token never issued",
            Asked::Probe { old: false } => "probe with the current access token",
            Asked::Probe { old: true } => "probe with the one before",
            Asked::Replay => "used token",
            Asked::AfterReplay => "current token after it",
            Asked::Sibling => "the pair that it brought",
        }
    }

    pub fn operation(self) -> Operation {
        match self {
            Asked::Login => Operation::Login,
            Asked::Probe { .. } => Operation::Probe,
            Asked::Good
            | Asked::Bad(_)
            | Asked::ForeignAccess
            | Asked::Replay
            | Asked::AfterReplay
            | Asked::Sibling => Operation::Refresh,
        }
    }

    /// The class that a refusal of it should have.
    fn class(self) -> Option<ErrorClass> {
        match self {
            Asked::Bad(mistake) => Some(mistake.class()),
            Asked::Replay => Some(ErrorClass::Reused),
            Asked::AfterReplay => Some(ErrorClass::Revoked),
            Asked::Login | Asked::Good | Asked::ForeignAccess | Asked::Sibling | Asked::Probe { .. } => None,
        }
    }
}

/// One answer, and what was asked.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub asked: Asked,
    pub reply: Arc<Reply>,
    /// The endpoint's own time, as well as it is known.
    pub now: Timestamp,
}

impl Sample {
    pub fn is_granted(&self) -> bool {
        self.reply.outcome == Outcome::Granted
    }

    /// `JSON` or `XML`; nothing where no document could be read.
    pub fn family(&self) -> Option<&'static str> {
        match self.reply.document.as_ref()? {
            Document::Json(_) => Some("JSON"),
            Document::Xml(_) => Some("XML"),
        }
    }
}

/// Everything that is said of answers, in lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    pub success: Vec<String>,
    pub refusals: Vec<String>,
    pub dates: Vec<String>,
    pub nulls: Vec<String>,
    /// Lines of a dialect that would fit better than those it has.
    pub hints: Vec<String>,
}

pub(super) fn of(samples: &[Sample], dialect: &Dialect, redaction: &Redaction) -> Answers {
    let view = View { samples, dialect, redaction };
    let seen = times::seen(samples, dialect, redaction);
    let mut hints = times::hints(&seen, dialect);
    hints.extend(view.class_hints());
    Answers {
        success: view.success(),
        refusals: view.refusals(),
        dates: seen.iter().map(times::Seen::line).collect(),
        nulls: view.nulls(),
        hints,
    }
}

/// `granted (200)`, `refused: reused (200)`.
pub(super) fn ending(reply: &Reply) -> String {
    ending_of(reply)
}

/// One line of at most eighty printable characters.
pub(super) fn tame(text: &str) -> String {
    let flat = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let mut tame: String = text.chars().map(flat).take(80).collect();
    if text.chars().nth(80).is_some() {
        tame.push('…');
    }
    tame
}

/// What stands at a place, as far as it may be shown.
pub(super) fn shown(
    reply: &Reply,
    dialect: &Dialect,
    operation: Operation,
    place: &FieldPlace,
    redaction: &Redaction,
) -> String {
    match reply.at(dialect, operation, place) {
        Found::Absent => "absent".to_owned(),
        Found::Null => "null".to_owned(),
        Found::Nested => "no plain value".to_owned(),
        found @ (Found::Text(_) | Found::Number(_) | Found::Flag(_)) => {
            tame(&redaction.value(place, &found.text().unwrap_or_default()))
        }
    }
}

/// The samples, with what is needed to read and to show them.
struct View<'a> {
    samples: &'a [Sample],
    dialect: &'a Dialect,
    redaction: &'a Redaction,
}

impl View<'_> {
    fn refreshes(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|sample| sample.asked.operation() == Operation::Refresh)
    }

    fn show(&self, sample: &Sample, place: &FieldPlace) -> String {
        shown(&sample.reply, self.dialect, sample.asked.operation(), place, self.redaction)
    }

    // ---------------------------------------------------------------------------------------------- success

    fn success(&self) -> Vec<String> {
        let rule = one_line(&self.dialect.refresh().answers.granted.text);
        let unclear: Vec<&Sample> =
            self.refreshes().filter(|sample| matches!(sample.reply.outcome, Outcome::Garbled(_))).collect();
        let mut lines = vec![match unclear.first() {
            None => format!("the dialect's rule fits every answer: `{rule}`"),
            Some(first) => format!(
                "the dialect's rule (`{rule}`) does not fit: {} was {}",
                first.asked.words(),
                tame(&self.redaction.text(&ending(&first.reply)))
            ),
        }];
        for (word, granted) in [("granted", true), ("not granted", false)] {
            let of: BTreeSet<String> = self
                .refreshes()
                .filter(|sample| sample.is_granted() == granted)
                .map(|sample| sample.reply.answer().status.to_string())
                .collect();
            if !of.is_empty() {
                lines.push(format!("{word} with status {}", list(&of.into_iter().collect::<Vec<_>>())));
            }
        }
        lines.extend(self.marks());
        lines
    }

    /// Members that are one thing in every grant and another in every refusal.
    fn marks(&self) -> Vec<String> {
        let mut granted: IndexMap<String, Vec<Leaf>> = IndexMap::new();
        let mut refused: IndexMap<String, Vec<Leaf>> = IndexMap::new();
        let (mut grants, mut refusals) = (0, 0);
        for sample in self.refreshes() {
            let Some(document) = &sample.reply.document else { continue };
            let (side, count) = match sample.reply.outcome {
                Outcome::Granted => (&mut granted, &mut grants),
                Outcome::Refused => (&mut refused, &mut refusals),
                Outcome::Crash | Outcome::Garbled(_) => continue,
            };
            *count += 1;
            let mut leaves = Vec::new();
            collect(document.tree(), "", &mut leaves);
            for (path, leaf) in leaves {
                side.entry(path).or_default().push(leaf);
            }
        }
        let mark = |(path, of_granted): (&String, &Vec<Leaf>)| {
            let of_refused = refused.get(path)?;
            // A document of another shape says nothing of this member.
            if of_granted.len() != grants || of_refused.iter().any(|leaf| of_granted.contains(leaf)) {
                return None;
            }
            let place = FieldPlace::Path(path.clone());
            let word = |leaves: &[Leaf]| self.alike(&place, leaves);
            let (yes, no) = (word(of_granted), word(of_refused));
            (yes != no).then(|| format!("`{}` is {yes} where granted, {no} where refused", tame(path)))
        };
        if refusals == 0 {
            return Vec::new();
        }
        // That a token or a date is there is what a grant is, and no mark of it.
        granted.iter().filter(|(path, _)| !self.is_data(path)).filter_map(mark).take(MARKS_MAX).collect()
    }

    /// Whether a token or a date stands at this path.
    fn is_data(&self, path: &str) -> bool {
        self.dialect.refresh().answers.fields.iter().any(|(field, source)| {
            let dated = !matches!(source.reading, Reading::Text | Reading::Flag);
            let is_there = |at: &FieldPlace| matches!(at, FieldPlace::Path(place) if place == path);
            (field.is_token() || dated) && source.at.iter().any(is_there)
        })
    }

    /// One word for several values: their text where all are the same, else what they have in common.
    fn alike(&self, place: &FieldPlace, leaves: &[Leaf]) -> String {
        let first = leaves.first().cloned().unwrap_or(Leaf::Null);
        if leaves.iter().all(|leaf| *leaf == first) {
            return match &first {
                Leaf::Null => "null".to_owned(),
                Leaf::Text(text) if text.is_empty() => "empty".to_owned(),
                Leaf::Text(text) => tame(&self.redaction.value(place, text)),
            };
        }
        let filled = |leaf: &Leaf| matches!(leaf, Leaf::Text(text) if !text.is_empty());
        if leaves.iter().all(filled) {
            "filled".to_owned()
        } else if leaves.iter().any(filled) {
            "now filled, now not".to_owned()
        } else {
            "null or empty".to_owned()
        }
    }

    // --------------------------------------------------------------------------------------------- refusals

    /// Status, class, code and text of everything that was not granted.
    fn refusals(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for sample in self.refreshes().filter(|sample| !sample.is_granted()) {
            let media = sample.reply.answer().media_type().unwrap_or_else(|| "no media type".to_owned());
            let line = format!(
                "{}: {} in {}, code {}, text {}",
                sample.asked.words(),
                tame(&self.redaction.text(&ending(&sample.reply))),
                tame(&self.redaction.text(&media)),
                self.show(sample, &FieldPlace::Field(Field::Code)),
                self.show(sample, &FieldPlace::Field(Field::Message)),
            );
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let granted = self.refreshes().filter(|sample| sample.is_granted());
        lines.extend(granted.filter_map(|sample| match sample.asked {
            Asked::Bad(mistake) => Some(format!("{}: granted, which it should not be", mistake.words())),
            _ => None,
        }));
        lines
    }

    /// Rules for refusals that the dialect does not know.
    fn class_hints(&self) -> Vec<String> {
        let mut rules: IndexMap<String, ErrorClass> = IndexMap::new();
        let place = FieldPlace::Field(Field::Code);
        for sample in self.refreshes().filter(|sample| sample.reply.class == Some(ErrorClass::Unknown)) {
            let Some(class) = sample.asked.class() else { continue };
            let code = sample.reply.at(self.dialect, Operation::Refresh, &place).text();
            let plain = |code: &String| {
                let is_word = code.chars().all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c));
                is_word && !code.is_empty() && code.len() <= 40 && self.redaction.is_harmless(code)
            };
            let when = match code.filter(plain) {
                Some(code) => format!("code == \"{code}\""),
                None if sample.reply.answer().status >= 400 => {
                    format!("status == {}", sample.reply.answer().status)
                }
                None => continue,
            };
            rules.entry(when).or_insert(class);
        }
        if rules.is_empty() {
            return Vec::new();
        }
        let rule = |(when, class): (&String, &ErrorClass)| {
            format!("  - {{ when: '{when}', class: {} }}", class.word())
        };
        std::iter::once("errors:".to_owned()).chain(rules.iter().map(rule)).collect()
    }

    // ------------------------------------------------------------------------------------------------ nulls

    /// How each family writes nothing, by the members that may be nothing.
    fn nulls(&self) -> Vec<String> {
        let mut families: IndexMap<&str, [BTreeSet<String>; 3]> = IndexMap::new();
        for sample in self.samples {
            let speech = self.dialect.operation(sample.asked.operation());
            let Some(declared) = speech.and_then(|speech| speech.answers.body.as_ref()) else { continue };
            let (Some(family), Some(document)) = (sample.family(), &sample.reply.document) else { continue };
            // A document of which no member is declared is another one.
            if declared.iter().all(|(name, _)| document.tree().child(name).is_none()) {
                continue;
            }
            let states = families.entry(family).or_default();
            nothings(document.tree(), declared, states);
        }
        families.into_iter().map(|(family, states)| nulls_line(family, &states)).collect()
    }
}

/// Why a leaf is nothing, in the order of the three sets: null, empty, absent.
fn nothings(tree: &Tree, declared: &[(String, Declared)], states: &mut [BTreeSet<String>; 3]) {
    for (name, member) in declared {
        let state = match (tree.child(name), &member.kind) {
            (None, _) => 2,
            (Some(Tree::Null), _) => 0,
            (Some(Tree::Text(text)), _) if text.is_empty() => 1,
            (Some(inner), DeclaredKind::Object(members)) => {
                nothings(inner, members, states);
                continue;
            }
            (Some(_), _) => continue,
        };
        states[state].insert(name.clone());
    }
}

fn nulls_line(family: &str, states: &[BTreeSet<String>; 3]) -> String {
    let null = if family == "XML" { "nil" } else { "null" };
    let named = |names: &BTreeSet<String>| {
        let mut shown: Vec<String> = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
        if names.len() > NAMES_MAX {
            shown.push(format!("{} more", names.len() - NAMES_MAX));
        }
        list(&shown)
    };
    let parts: Vec<String> = [null, "empty", "absent"]
        .iter()
        .zip(states)
        .filter(|(_, names)| !names.is_empty())
        .map(|(word, names)| format!("{word} ({})", named(names)))
        .collect();
    if parts.is_empty() {
        format!("in {family} every declared member was filled")
    } else {
        format!("in {family} nothing is written as {}", parts.join(", "))
    }
}

/// A plain value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Leaf {
    Null,
    Text(String),
}

fn collect(tree: &Tree, path: &str, leaves: &mut Vec<(String, Leaf)>) {
    if leaves.len() >= LEAVES_MAX {
        return;
    }
    match tree {
        Tree::Null => leaves.push((path.to_owned(), Leaf::Null)),
        Tree::Text(text) | Tree::Number(text) => leaves.push((path.to_owned(), Leaf::Text(text.clone()))),
        Tree::Flag(flag) => leaves.push((path.to_owned(), Leaf::Text(flag.to_string()))),
        Tree::Object(members) => {
            for (name, inner) in members {
                collect(inner, &format!("{path}/{name}"), leaves);
            }
        }
        Tree::List(_) => {}
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
