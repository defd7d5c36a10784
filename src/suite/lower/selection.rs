//! Which checks a suite runs, how strictly, and what it says of them.

use std::collections::HashSet;

use super::super::check::{Basis, Check, Standard, Standing};
use super::super::claim::Strength;
use super::super::written::{self, Word};
use super::super::yaml::Spanned;
use super::check;
use super::notes::{Notes, shown};
use super::standard;

/// What `checks:` comes to.
pub(super) struct Selection {
    pub(super) standards: Vec<Standard>,
    pub(super) checks: Vec<Check>,
    /// Those that are not run, graded in the same way.
    pub(super) others: Vec<Check>,
}

const STRENGTHS: [(Strength, &str); 3] =
    [(Strength::Must, "must"), (Strength::Should, "should"), (Strength::Info, "info")];

const BASIS_WORDS: [&str; 8] = ["page", "policy", "practice", "aspnet", "rfc", "oidc", "fapi", "issue"];

/// The checks of a suite, in catalogue order, its own last.
pub(super) fn checks(
    written: Option<&written::Checks>,
    catalogue: &[Check],
    notes: &mut Notes<'_>,
) -> Selection {
    let Some(written) = written else {
        return Selection {
            standards: vec![Standard::Contract],
            checks: catalogue.to_vec(),
            others: Vec::new(),
        };
    };
    let own = check::checks("own", &written.own, notes);
    for own in &own {
        if let Some(taken) = catalogue.iter().find(|check| check.id == own.id) {
            let first = taken.place(taken.at);
            let message = format!("`{}` is a check of the catalogue", own.id);
            let diagnostic = notes.error("suite::duplicate-check", own.at, message, "used again here");
            diagnostic.also.push((first, "first used here".to_owned()));
            diagnostic.help = Some("ids name results in reports; give your own check another".to_owned());
        }
    }
    let all: Vec<Check> = catalogue.iter().cloned().chain(own).collect();
    let standards = standards(&written.standards, notes);
    let mut book = Book { all: &all, notes };
    let used = book.used(written.used.as_deref());
    book.mentioned(written, &used);
    let severities = book.severities(written);
    let standings = book.standings(written, &used);
    let (mut checks, mut others): (Vec<Check>, Vec<Check>) = (Vec::new(), Vec::new());
    for check in &all {
        let standing = standings.iter().find(|(id, _)| *id == check.id).map(|(_, standing)| standing);
        let skipped = matches!(standing, Some(Standing::Skip { .. }));
        let runs = used.contains(check.id.as_str()) || skipped;
        let mut check = check.clone();
        let passed_over = standard::read(&mut check, &standards);
        if let Some(strength) = severity(&check, &severities) {
            standard::grade(&mut check, |_| strength);
        }
        check.standing = standing.cloned().or(passed_over).unwrap_or(Standing::Run);
        if runs { checks.push(check) } else { others.push(check) }
    }
    Selection { standards, checks, others }
}

fn standards(words: &[Word], notes: &mut Notes<'_>) -> Vec<Standard> {
    if words.is_empty() {
        return vec![Standard::Contract];
    }
    words.iter().filter_map(|word| notes.word("standard", &word.value, word.span, &Standard::ALL)).collect()
}

/// Every check that can be named.
struct Book<'a, 's> {
    all: &'a [Check],
    notes: &'a mut Notes<'s>,
}

impl<'a> Book<'a, '_> {
    fn groups(&self) -> Vec<&'a str> {
        let mut groups: Vec<&str> = self.all.iter().map(|check| check.group.as_str()).collect();
        groups.dedup();
        groups
    }

    fn ids(&self) -> Vec<&'a str> {
        self.all.iter().map(|check| check.id.as_str()).collect()
    }

    /// The ids that `use` chooses; all, where it is left out. Own checks always run.
    fn used(&mut self, words: Option<&[Word]>) -> HashSet<&'a str> {
        let all = self.all;
        let Some(words) = words else { return all.iter().map(|check| check.id.as_str()).collect() };
        let mut used: HashSet<&str> = HashSet::new();
        for word in words {
            let chosen = all.iter().filter(|check| check.id == word.value || check.group == word.value);
            let chosen: Vec<&str> = chosen.map(|check| check.id.as_str()).collect();
            if chosen.is_empty() && !is_empty_group(&word.value) {
                let message = format!("no check and no group is called `{}`", shown(&word.value));
                let candidates = self.groups().into_iter().chain(self.ids()).collect::<Vec<_>>();
                self.notes.unknown(word.span, message, &word.value, candidates);
            }
            used.extend(chosen);
        }
        used.extend(all.iter().filter(|check| check.group == "own").map(|check| check.id.as_str()));
        used
    }

    /// Every id under `skip` and `expect-failures` exists; what is expected to fail is run.
    fn mentioned(&mut self, written: &written::Checks, used: &HashSet<&str>) {
        for (id, reason) in &written.skip {
            self.exists(id, reason.key);
            if reason.value.trim().is_empty() {
                let message = format!("`{id}` is skipped without a reason");
                self.notes.error("suite::wrong-value", reason.span, message, "why will it never apply?");
            }
        }
        for (id, known) in &written.expect_failures {
            if let Some(skip) = written.skip.get(id) {
                let first = self.notes.place(skip.key);
                let message = format!("`{id}` is skipped, so it cannot fail");
                let diagnostic =
                    self.notes.error("suite::contradiction", known.key, message, "or expected to fail");
                diagnostic.also.push((first, "either skipped".to_owned()));
            } else if self.exists(id, known.key) && !used.contains(id.as_str()) {
                let message = format!("`{id}` is not used, so it cannot fail");
                self.notes.error("suite::not-used", known.key, message, "not chosen by `use`");
            }
        }
    }

    fn exists(&mut self, id: &str, span: crate::source::Span) -> bool {
        let found = self.all.iter().any(|check| check.id == id);
        if !found {
            let message = format!("no check is called `{}`", shown(id));
            let candidates = self.ids();
            self.notes.unknown(span, message, id, candidates);
        }
        found
    }

    fn severities(&mut self, written: &written::Checks) -> Vec<(String, Strength)> {
        let mut severities = Vec::new();
        for (key, word) in &written.severity {
            let names_something = self.all.iter().any(|check| check.id == *key || check.group == *key)
                || BASIS_WORDS.contains(&key.as_str())
                || is_empty_group(key);
            if !names_something {
                let message = format!("`{}` is no check, no group and no basis", shown(key));
                let candidates = self.ids().into_iter().chain(self.groups()).chain(BASIS_WORDS);
                self.notes.unknown(word.key, message, key, candidates.collect::<Vec<_>>());
            }
            if let Some(strength) = self.notes.word("strength", &word.value, word.span, &STRENGTHS) {
                severities.push((key.clone(), strength));
            }
        }
        severities
    }

    fn standings(&mut self, written: &written::Checks, used: &HashSet<&str>) -> Vec<(String, Standing)> {
        let mut standings = Vec::new();
        for (id, reason) in &written.skip {
            let at = self.notes.place(reason.entry());
            standings.push((id.clone(), Standing::Skip { reason: reason.value.clone(), at }));
        }
        for (id, known) in &written.expect_failures {
            if let Some(standing) = self.known(known)
                && used.contains(id.as_str())
            {
                standings.push((id.clone(), standing));
            }
        }
        standings
    }

    fn known(&mut self, known: &Spanned<written::Known>) -> Option<Standing> {
        let at = self.notes.place(known.entry());
        let written = &known.value;
        let Ok(until) = written.until.value.parse::<jiff::civil::Date>() else {
            let message = format!("`{}` is no day", shown(&written.until.value));
            let label = "expected e.g. `2027-03-31`";
            self.notes.error("suite::wrong-value", written.until.span, message, label);
            return None;
        };
        Some(Standing::Known {
            until,
            owner: written.owner.clone(),
            why: written.why.clone(),
            intermittent: written.intermittent,
            at,
        })
    }
}

/// A group of the catalogue that has no checks yet.
fn is_empty_group(word: &str) -> bool {
    super::super::catalogue::groups().any(|(name, _)| name == word)
}

/// The strength that the suite asks for: by id before group before basis.
fn severity(check: &Check, severities: &[(String, Strength)]) -> Option<Strength> {
    let by = |matches: &dyn Fn(&str) -> bool| {
        severities.iter().find(|(key, _)| matches(key)).map(|(_, strength)| *strength)
    };
    by(&|key| key == check.id)
        .or_else(|| by(&|key| key == check.group))
        .or_else(|| by(&|key| check.basis.iter().any(|basis| basis_word(basis) == key)))
}

fn basis_word(basis: &Basis) -> &'static str {
    match basis {
        Basis::Page => "page",
        Basis::Policy => "policy",
        Basis::Practice => "practice",
        Basis::Aspnet(_) => "aspnet",
        Basis::Rfc(_) => "rfc",
        Basis::Oidc(_) => "oidc",
        Basis::Fapi(_) => "fapi",
        Basis::Issue(_) => "issue",
    }
}
