//! Differences that the suite of B expects: they keep their figures and lose their weight, until their day.

use super::{Comparison, Expectation, Seen, Speed, Word};
use crate::results::Run;
use crate::results::comparing::ExpectedDifference;

/// Takes the weight off every difference that B's suite expects, and lists what it expects with what came of it.
pub(super) fn apply(comparison: &mut Comparison, b: &Run) {
    let Some(comparing) = &b.comparing else { return };
    let today = b.began_at.get(..10).unwrap_or_default();
    for expected in &comparing.expected {
        // Days are written so that their order is that of their text.
        let is_over = expected.until.as_str() < today;
        let seen = take(comparison, expected, !is_over);
        let state = match (seen, is_over) {
            (0, _) => Seen::Not,
            (_, true) => Seen::Over,
            (_, false) => Seen::Yes,
        };
        comparison.expected.push(Expectation {
            what: expected.what.clone(),
            owner: expected.owner.clone(),
            why: expected.why.clone(),
            until: expected.until.clone(),
            seen,
            state,
        });
    }
}

/// How many differences are those that were expected; with `light` they are no worse for it.
fn take(comparison: &mut Comparison, expected: &ExpectedDifference, light: bool) -> u64 {
    let mut seen = 0;
    let mut take = |word: &mut Word, name: &str| {
        let counts = matches!(word, Word::Worse | Word::Different | Word::NotAsked | Word::CannotTell);
        if counts && names(&expected.what, name) {
            seen += 1;
            if light {
                *word = Word::Expected;
            }
        }
    };
    for change in &mut comparison.verdicts {
        take(&mut change.word, &change.id);
    }
    for change in &mut comparison.objectives {
        take(&mut change.word, &change.name);
    }
    for change in &mut comparison.shapes {
        take(&mut change.word, &change.place);
    }
    for change in &mut comparison.rotation {
        take(&mut change.word, &change.place);
    }
    for profile in &mut comparison.profiles {
        let rows = profile.response.iter_mut().chain(&mut profile.rate).chain(&mut profile.errors);
        for row in rows.filter(|row| row.word == Speed::Worse) {
            if names(&expected.what, &format!("{} {}", profile.name, row.name)) {
                seen += 1;
                if light {
                    row.word = Speed::Expected;
                }
            }
        }
    }
    seen
}

/// Whether `what` is the name, or with `*` at its end the beginning of it.
fn names(what: &str, name: &str) -> bool {
    match what.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => what == name,
    }
}
