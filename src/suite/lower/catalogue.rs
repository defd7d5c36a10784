//! Files of checks: the catalogue's groups.

use crate::source::{Diagnostic, SourceFile};

use super::super::check::Check;
use super::super::{written, yaml};
use super::notes::Notes;
use super::{WrittenChecks, check};

/// Reads a file that maps ids to checks. A file of comments alone is an empty group.
pub(in super::super) fn parse_checks(
    group: &str,
    source: &SourceFile,
) -> Result<Vec<Check>, Vec<Diagnostic>> {
    if yaml::is_empty(source) {
        return Ok(Vec::new());
    }
    let written: WrittenChecks = yaml::read_all(source, &written::advise)?;
    let mut notes = Notes::new(source);
    let checks = check::checks(group, &written, &mut notes);
    notes.finish(checks)
}
