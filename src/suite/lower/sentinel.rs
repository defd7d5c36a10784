//! Sentinels: the checks that profiles name, and whether each is light enough to run inside a load.

use super::super::check::{Check, Verb};
use super::super::profile::{Profile, Sentinel};
use super::notes::{Notes, shown};
use super::selection::Selection;

/// Says of every sentinel that names no check, or one that is no sentinel.
pub(super) fn known(load: &[Profile], selection: &Selection, notes: &mut Notes<'_>) {
    let own = selection.checks.iter().filter(|check| check.group == "own").flat_map(profiles);
    for sentinel in load.iter().flat_map(Profile::all).chain(own).flat_map(|profile| &profile.sentinels) {
        one(sentinel, selection, notes);
    }
}

/// The profiles of a check's own steps.
fn profiles(check: &Check) -> impl Iterator<Item = &Profile> {
    check.steps.iter().filter_map(|step| match &step.verb {
        Verb::Load(depths) => Some(&depths.full),
        Verb::Call(_) | Verb::Race(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            None
        }
    })
}

fn one(sentinel: &Sentinel, selection: &Selection, notes: &mut Notes<'_>) {
    let all = || selection.checks.iter().chain(&selection.others);
    let Some(check) = all().find(|check| check.id == sentinel.check) else {
        let message = format!("there is no check `{}`", shown(&sentinel.check));
        notes.unknown(sentinel.at, message, &sentinel.check, all().map(|check| check.id.as_str()));
        return;
    };
    if let Some(why) = check.no_sentinel() {
        let message = format!("`{}` is too much for a sentinel: {why}", check.id);
        notes.error("suite::contradiction", sentinel.at, message, "a light check goes here").help =
            Some("sentinels make some calls on chains of their own, such as LIF-06 or RAC-04".to_owned());
    }
}
