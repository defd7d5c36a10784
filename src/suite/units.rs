//! Small values with units, as they are written: `250ms`, `200/s`, `0.1%`, `5MB`, `30..300`.
//!
//! Owns their reading and writing. Each reader returns what it expected as a sentence for the diagnostic.

use std::time::Duration;

/// `30..300`: how often in a quick run and in a full one; `20` is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// In a quick run.
    pub quick: u32,
    /// In a full run.
    pub full: u32,
}

impl Depth {
    /// The number for this run.
    pub fn at(self, full: bool) -> u32 {
        if full { self.full } else { self.quick }
    }
}

/// Reads `250ms`, `10s`, `2m`, `1h`, `30d`, `1.5s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let _ = text;
    todo!()
}

/// Reads `200/s`, `0.5/s`.
pub fn rate(text: &str) -> Result<f64, String> {
    let _ = text;
    todo!()
}

/// Reads `5MB`, `64kB`, `100` (bytes); decimal multiples.
pub fn size(text: &str) -> Result<u64, String> {
    let _ = text;
    todo!()
}

/// Reads `20` and `30..300`.
pub fn depth(text: &str) -> Result<Depth, String> {
    let _ = text;
    todo!()
}
