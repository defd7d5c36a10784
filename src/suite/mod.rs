//! The suite: YAML in, a value that cannot be wrong out; and the vocabulary of everything a suite can name.
//!
//! Owns the words (checks, calls, claims, policies, profiles, expressions, defects) as closed types, so that
//! a new word breaks the build until somebody gives it a meaning. Does no IO: it is handed a [`SourceFile`].
//! Knows no dialect: formats, fields and paths are checked against one later, by the plan.
//!
//! Start at [`parse`]; the stages are `written` (shape, private), `lower` (meaning, private) and the types here.

pub mod call;
pub mod catalogue;
pub mod check;
pub mod claim;
pub mod compare;
pub mod defect;
pub mod environment;
pub mod expression;
mod lower;
pub mod policy;
mod preset;
pub mod profile;
pub mod race;
pub mod transport;
pub mod units;
mod written;
pub mod yaml;

use indexmap::IndexMap;

use crate::source::{Diagnostic, Place, SourceFile};

use self::check::Check;
use self::compare::Comparing;
use self::environment::Environment;
use self::policy::Policy;
use self::profile::{Objective, Profile};

/// A whole suite, resolved against the catalogue: what to test, against what, and what is good enough.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file it came from.
    pub file: SourceFile,
    /// SHA-256 of the file's text, lowercase hexadecimal.
    pub digest: String,
    /// `name`.
    pub name: String,
    /// `dialect`: the name of a built-in one, or the path of a file.
    pub dialect: Spanned<String>,
    /// `environments`, in the order of the file; the first is the default.
    pub environments: IndexMap<String, Environment>,
    /// `policy`: what the server promises.
    pub policy: Policy,
    /// `checks.standards`: how strictly the catalogue is read.
    pub standards: Vec<check::Standard>,
    /// Every check that this suite uses or skips, in catalogue order, own checks last. Strengths are already
    /// those that `standards` and `severity` ask for.
    pub checks: Vec<Check>,
    /// Every check that it does not use. A sentinel may name one all the same.
    pub others: Vec<Check>,
    /// `load`: the profiles in order.
    pub load: Vec<Profile>,
    /// `objectives`, in order.
    pub objectives: Vec<Objective>,
    /// `compare`: what comparisons of its runs go by.
    pub compare: Comparing,
}

impl Suite {
    /// The check of that id, used or not.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().chain(&self.others).find(|check| check.id == id)
    }
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub at: Place,
}

/// Reads a suite: shape, then meaning against the catalogue. Every mistake that can be found, in file order.
pub fn parse(source: &SourceFile) -> Result<Suite, Vec<Diagnostic>> {
    lower::parse(source, catalogue::checks())
}

/// Reads a file of checks (id → check), such as a group of the catalogue. Comments alone are an empty group.
pub fn parse_checks(group: &str, source: &SourceFile) -> Result<Vec<Check>, Vec<Diagnostic>> {
    lower::parse_checks(group, source)
}

/// The JSON Schema of suites, draft-07, made from the types that read them.
pub fn schema() -> serde_json::Value {
    written::schema()
}

#[cfg(test)]
mod tests;
