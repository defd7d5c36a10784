//! The policy: promises with their places, and the unknown ones.

use std::time::Duration;

use super::super::policy::{Budget, Grace, Policy};
use super::super::written::{self, Word};
use super::notes::{Notes, shown};
use super::vocabulary::{self, UNKNOWN};

/// What the server promises.
pub(super) fn policy(written: &written::Policy, notes: &mut Notes<'_>) -> Policy {
    let mut promises = Promises { notes, policy: Policy::default() };
    let rotation = promises.word("rotation", written.rotation.as_ref(), &vocabulary::ROTATION);
    let replay = written.replay.as_ref();
    let answer = replay.and_then(|replay| replay.answer.as_ref());
    let replay_answer = promises.word("replay.answer", answer, &vocabulary::REPLAY_ANSWER);
    let revokes = replay.and_then(|replay| replay.revokes.as_ref());
    let replay_revokes = promises.word("replay.revokes", revokes, &vocabulary::REPLAY_REVOKES);
    let grace = promises.grace(written);
    let old_access = promises.word("old-access", written.old_access.as_ref(), &vocabulary::OLD_ACCESS);
    let pair = promises.word("pair", written.pair.as_ref(), &vocabulary::PAIR);
    let race = promises.word("race", written.race.as_ref(), &vocabulary::RACE);
    let idle = promises.time("idle", written.idle.as_ref());
    let cap = promises.time("cap", written.cap.as_ref());
    let access_lifetime = promises.time("access-lifetime", written.access_lifetime.as_ref());
    let refresh_lifetime = promises.time("refresh-lifetime", written.refresh_lifetime.as_ref());
    let budget = written.budget.as_ref().map(|budget| promises.budget(budget)).unwrap_or_default();
    let slack = promises.time("slack", written.slack.as_ref()).unwrap_or_default();
    let doubted = written.confirmed.as_ref().filter(|confirmed| !confirmed.value);
    let unconfirmed = doubted.map(|confirmed| promises.notes.place(confirmed.entry()));
    Policy {
        rotation,
        replay_answer,
        replay_revokes,
        grace,
        old_access,
        pair,
        race,
        idle,
        cap,
        access_lifetime,
        refresh_lifetime,
        budget,
        slack,
        unconfirmed,
        places: promises.policy.places,
    }
}

struct Promises<'a, 's> {
    notes: &'a mut Notes<'s>,
    policy: Policy,
}

impl Promises<'_, '_> {
    fn keep(&mut self, path: &str, word: &Word) {
        let place = self.notes.place(word.entry());
        self.policy.places.push((path.to_owned(), place));
    }

    /// A promise that is made: neither left out nor said to be unknown.
    fn made<'w>(&mut self, path: &str, word: Option<&'w Word>) -> Option<&'w Word> {
        let word = word.filter(|word| word.value != UNKNOWN)?;
        self.keep(path, word);
        Some(word)
    }

    fn word<T: Clone>(&mut self, path: &str, word: Option<&Word>, words: &[(T, &'static str)]) -> Option<T> {
        let word = self.made(path, word)?;
        let found = words.iter().find(|(_, known)| *known == word.value).map(|(value, _)| value.clone());
        if found.is_none() {
            let message = format!("`{path}` is never `{}`", shown(&word.value));
            let known = vocabulary::with_unknown(words);
            self.notes.unknown(word.span, message, &word.value, known);
        }
        found
    }

    fn time(&mut self, path: &str, word: Option<&Word>) -> Option<Duration> {
        self.made(path, word).and_then(|word| self.notes.duration(word))
    }

    fn budget(&mut self, written: &written::Budget) -> Budget {
        let share = self.made("budget.errors", written.errors.as_ref());
        let errors = share.and_then(|word| self.notes.share(word));
        let rate = self.made("budget.rate", written.rate.as_ref()).and_then(|word| self.notes.rate(word));
        Budget {
            p50: self.time("budget.p50", written.p50.as_ref()),
            p95: self.time("budget.p95", written.p95.as_ref()),
            p99: self.time("budget.p99", written.p99.as_ref()),
            errors,
            rate,
        }
    }

    fn grace(&mut self, written: &written::Policy) -> Option<Grace> {
        let grace = written.grace.as_ref()?;
        let window = match &grace.value {
            written::Grace::Word(word) => {
                let word = grace.with(word.clone());
                return self.word("grace", Some(&word), &[(Grace::None, "none")]);
            }
            written::Grace::Map(window) => window,
        };
        let place = self.notes.place(grace.entry());
        self.policy.places.push(("grace".to_owned(), place));
        Some(Grace::Window {
            lasting: self.time("grace.for", window.lasting.as_ref()),
            uses: window.uses,
            answer: self.word("grace.answer", window.answer.as_ref(), &vocabulary::GRACE_ANSWER),
            reach: self.word("grace.reach", window.reach.as_ref(), &vocabulary::GRACE_REACH),
            siblings: self.word("grace.siblings", window.siblings.as_ref(), &vocabulary::SIBLINGS),
        })
    }
}
