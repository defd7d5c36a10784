//! From what was typed to what it means: every word resolved, every mistake collected.

mod call;
mod catalogue;
mod check;
mod claim;
mod compare;
mod environment;
mod expect;
mod load;
mod notes;
mod objective;
mod policy;
mod race;
mod reference;
mod selection;
mod sentinel;
mod standard;
mod transport;
mod unconfirmed;
pub(super) mod vocabulary;

use std::fmt::Write as _;

use indexmap::IndexMap;

use crate::source::{Diagnostic, Place, SourceFile, Span};

use super::check::Check;
use super::{Spanned, Suite, written, yaml};

use self::notes::Notes;

pub(super) use self::catalogue::parse_checks;

/// The version of the language that is read.
const VERSION: u32 = 1;

/// Reads a suite against the checks of the catalogue.
pub(super) fn parse(source: &SourceFile, catalogue: &[Check]) -> Result<Suite, Vec<Diagnostic>> {
    let written: written::Suite = yaml::read_all(source, &written::advise)
        .map_err(|mistakes| notes::redacted(mistakes, &notes::likely_secrets(source)))?;
    let mut notes = Notes::new(source);
    let suite = lower(&written, source, catalogue, &mut notes);
    notes.finish(suite)
}

fn lower(written: &written::Suite, source: &SourceFile, catalogue: &[Check], notes: &mut Notes<'_>) -> Suite {
    version(written, notes);
    let name = written.name.value.clone();
    if name.trim().is_empty() {
        notes.error("suite::wrong-value", written.name.span, "the name is empty", "give the suite a name");
    }
    let environments = environment::environments(&written.environments, notes);
    let policy = written.policy.as_ref().map(|policy| policy::policy(policy, notes)).unwrap_or_default();
    let mut selection = selection::checks(written.checks.as_ref(), catalogue, notes);
    if policy.unconfirmed.is_some() {
        unconfirmed::observe(&mut selection.checks);
        unconfirmed::observe(&mut selection.others);
    }
    let load: Vec<_> =
        written.load.iter().map(|(name, profile)| load::profile(name, profile, notes)).collect();
    sentinel::known(&load, &selection, notes);
    let objectives = objective::objectives(&written.objectives, &load, notes);
    let compare = compare::comparing(written.compare.as_ref(), &selection, notes);
    Suite {
        file: source.clone(),
        digest: digest(source.text()),
        name,
        dialect: Spanned { value: written.dialect.value.clone(), at: place(source, written.dialect.span) },
        environments,
        policy,
        standards: selection.standards,
        checks: selection.checks,
        others: selection.others,
        load,
        objectives,
        compare,
    }
}

fn version(written: &written::Suite, notes: &mut Notes<'_>) {
    if written.assay.value != VERSION {
        let message = format!("version {} of the language is not known here", written.assay.value);
        notes.error("suite::version", written.assay.span, message, "write `1`");
    }
}

fn digest(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn place(source: &SourceFile, span: Span) -> Place {
    Place { file: source.clone(), span }
}

/// Checks by id, as a file writes them.
type WrittenChecks = IndexMap<String, yaml::Spanned<written::Check>>;
