//! Which checks a defect turns red beside those it is meant for. Declared here, so that an alarm that nobody
//! expected fails the proof instead of being taken for thoroughness.

use crate::suite::defect::Defect;

/// Whether `check` may be red under `defect` as well.
pub(super) fn declared(defect: Defect, check: &str) -> bool {
    let declared = also_red(defect);
    declared.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => check.starts_with(start),
        None => *pattern == check,
    })
}

fn also_red(defect: Defect) -> &'static [&'static str] {
    match defect {
        Defect::AlwaysFixed => &["*"],
        _ => &[],
    }
}
