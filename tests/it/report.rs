//! Reports of a literal run.
