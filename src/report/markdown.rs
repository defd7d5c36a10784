//! Markdown for a pipeline's summary.

use crate::results::Run;

/// The summary of `run`.
pub fn summary(run: &Run) -> String {
    let _ = run;
    todo!()
}
