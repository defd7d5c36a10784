//! The page: one self-contained file, readable without scripts.

use crate::results::Run;

/// The page of `run`.
pub fn page(run: &Run) -> String {
    let _ = run;
    todo!()
}
