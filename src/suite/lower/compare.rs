//! What a suite says of comparisons, with its days, shares and ids looked at.

use indexmap::IndexMap;

use super::super::compare::{Comparing, Difference, Expected};
use super::super::units;
use super::super::written::{self, Word};
use super::super::{Spanned, yaml};
use super::notes::{Notes, shown};
use super::selection::Selection;

pub(super) fn comparing(
    written: Option<&written::Compare>,
    selection: &Selection,
    notes: &mut Notes<'_>,
) -> Comparing {
    let Some(written) = written else { return Comparing::default() };
    let tolerances = written.tolerances.as_ref();
    Comparing {
        time: tolerances.and_then(|it| it.time.as_ref()).and_then(|word| difference(word, notes)),
        errors: tolerances.and_then(|it| it.errors.as_ref()).and_then(|word| notes.share(word)),
        rate: tolerances.and_then(|it| it.rate.as_ref()).and_then(|word| notes.share(word)),
        expected: written
            .expect_differences
            .iter()
            .filter_map(|(what, expected)| known(what, expected, notes))
            .collect(),
        renamed: renamed(&written.renamed, selection, notes),
    }
}

/// `2ms` or `5%`.
fn difference(word: &Word, notes: &mut Notes<'_>) -> Option<Difference> {
    if word.value.trim_end().ends_with('%') {
        return notes.share(word).map(Difference::Share);
    }
    if let Ok(time) = units::duration(&word.value) {
        return Some(Difference::Us(time.as_secs_f64() * 1e6));
    }
    let message = format!("`{}` is no difference of response times", shown(&word.value));
    notes.error("suite::unit", word.span, message, "expected a time such as `2ms`, or a share such as `5%`");
    None
}

fn known(
    what: &str,
    expected: &yaml::Spanned<written::ExpectedDifference>,
    notes: &mut Notes<'_>,
) -> Option<Expected> {
    if what.trim_end_matches('*').trim().is_empty() {
        let message = "an expected difference without a name would be every difference";
        notes.error("suite::wrong-value", expected.key, message, "what differs?");
        return None;
    }
    let written = &expected.value;
    for (word, asked) in [(&written.owner, "who answers for it?"), (&written.why, "why is it there?")] {
        if word.value.trim().is_empty() {
            let message = format!("`{}` is expected without a word", shown(what));
            notes.error("suite::wrong-value", word.span, message, asked);
        }
    }
    let Ok(until) = written.until.value.parse::<jiff::civil::Date>() else {
        let message = format!("`{}` is no day", shown(&written.until.value));
        notes.error("suite::wrong-value", written.until.span, message, "expected e.g. `2027-03-31`");
        return None;
    };
    let (owner, why) = (written.owner.value.clone(), written.why.value.clone());
    Some(Expected { what: what.to_owned(), until, owner, why })
}

/// The new id is one of today, the old one is not.
fn renamed(
    written: &IndexMap<String, Word>,
    selection: &Selection,
    notes: &mut Notes<'_>,
) -> IndexMap<String, Spanned<String>> {
    let all = || selection.checks.iter().chain(&selection.others).map(|check| check.id.as_str());
    let mut renamed = IndexMap::new();
    for (old, new) in written {
        if !all().any(|id| id == new.value) {
            let message = format!("no check is called `{}`", shown(&new.value));
            notes.unknown(new.span, message, &new.value, all().collect::<Vec<_>>());
        } else if all().any(|id| id == old) {
            let message = format!("`{}` is the id of a check", shown(old));
            notes.error("suite::contradiction", new.key, message, "an id that it had before");
        }
        let at = notes.place(new.entry());
        renamed.insert(old.clone(), Spanned { value: new.value.clone(), at });
    }
    renamed
}
