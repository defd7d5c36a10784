//! What a suite says of comparisons: which difference matters, which ones are expected, which checks were renamed.

use indexmap::IndexMap;

use super::Spanned;

/// `compare`
#[derive(Clone, Debug, Default)]
pub struct Comparing {
    /// `tolerances.time`: from which difference of response times on anybody cares.
    pub time: Option<Difference>,
    /// `tolerances.errors`: of the share of errors, 0 to 1.
    pub errors: Option<f64>,
    /// `tolerances.rate`: of a rate, as a share of it.
    pub rate: Option<f64>,
    /// `expect-differences`, in order.
    pub expected: Vec<Expected>,
    /// `renamed`: the id that a check had → the id that it has.
    pub renamed: IndexMap<String, Spanned<String>>,
}

/// A difference of response times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Difference {
    /// `2ms`, in microseconds.
    Us(f64),
    /// `5%`, 0 to 1.
    Share(f64),
}

/// A difference that is known and accepted until a day.
#[derive(Clone, Debug)]
pub struct Expected {
    /// What differs, as a comparison names it: a check, an objective, a place in an answer, a figure. With `*` at the
    /// end, everything that begins so.
    pub what: String,
    /// After this day it counts again.
    pub until: jiff::civil::Date,
    /// Who answers for it.
    pub owner: String,
    /// Why it is there.
    pub why: String,
}
