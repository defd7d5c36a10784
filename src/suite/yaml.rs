//! The one door to the YAML library: limits, spans, and its errors as our diagnostics.

use serde::de::DeserializeOwned;

use crate::source::{Diagnostic, SourceFile};

/// Reads one YAML document into `T`; the first mistake of shape with its place and its cure.
pub fn read<T: DeserializeOwned>(source: &SourceFile) -> Result<T, Diagnostic> {
    let _ = source;
    todo!()
}
