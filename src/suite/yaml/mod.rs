//! The one door to the YAML library: limits, spans, and every mistake of shape as our diagnostic.
//!
//! A document is read in two passes. The library turns text into a tree of words with their places; nothing of
//! it is seen beyond `tree`. Then serde reads types from the tree through a deserializer of our own, because
//! that one knows the whole span of every key and word, and goes on after a mistake: an unknown key, a broken
//! entry of a list or a map is noted and left out, so that one reading finds what is wrong everywhere.
//!
//! How types behave here:
//! - `Option<T>` in a struct means "may be left out". A key without a value is a mistake unless `T` is itself an
//!   `Option`. Elsewhere `Option<T>` takes `null`.
//! - `String` takes any word as it is written: `09`, `1.10`, `no`. Numbers and flags are never in quotes.
//! - [`Spanned`] adds the place.
//! - An enum with `#[serde(rename = "$shape")]` and variants `word`, `list`, `map` takes what is written in
//!   that shape: word-or-mapping and one-or-list without losing places.

mod deserialize;
mod misfit;
mod spanned;
mod tree;

use serde::de::DeserializeOwned;

use crate::source::{Diagnostic, SourceFile};

pub use self::misfit::{Misfit, Wrong};
pub(super) use self::misfit::{shortened, some_of, suggest};
pub use self::spanned::{OneOrMany, Spanned};

/// A megabyte is more than any suite needs.
const LARGEST: usize = 1024 * 1024;

/// Reads one YAML document into `T`; the first mistake of shape with its place and its cure.
#[expect(clippy::result_large_err, reason = "a mistake ends the reading, so its size costs nothing")]
pub fn read<T: DeserializeOwned>(source: &SourceFile) -> Result<T, Diagnostic> {
    read_all(source, &|_, _| {}).map_err(|mut diagnostics| diagnostics.swap_remove(0))
}

/// Reads one YAML document into `T`, or finds every mistake of shape, in file order. `advise` may say more of
/// a misfit than its words and the expected ones tell.
pub fn read_all<T: DeserializeOwned>(
    source: &SourceFile,
    advise: &dyn Fn(&Misfit, &mut Diagnostic),
) -> Result<T, Vec<Diagnostic>> {
    if let Some(diagnostic) = misfit::not_a_document(source, LARGEST) {
        return Err(vec![diagnostic]);
    }
    let root = tree::Node::read(source)?;
    if root.is_null() {
        return Err(vec![misfit::empty(source)]);
    }
    deserialize::read(&root).map_err(|misfits| {
        misfits
            .iter()
            .map(|misfit| {
                let mut diagnostic = misfit.diagnostic(source);
                advise(misfit, &mut diagnostic);
                diagnostic
            })
            .collect()
    })
}

/// Whether a document holds nothing but comments.
pub fn is_empty(source: &SourceFile) -> bool {
    source.text().lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}

#[cfg(test)]
mod tests;
