//! What the suite of a run says of comparisons, as the run file keeps it: a comparison needs no suite.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tolerances, expected differences and former ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparing {
    /// From which difference of response times on anybody cares, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_us: Option<f64>,
    /// The same as a share of the response time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_share: Option<f64>,
    /// Of the share of errors, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<f64>,
    /// Of a rate, as a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Differences that are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<ExpectedDifference>,
    /// The id that a check had → the id that it has.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub renamed: IndexMap<String, String>,
}

/// A difference that is known and accepted until a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedDifference {
    /// What differs, as a comparison names it; `*` at the end is a wildcard.
    pub what: String,
    /// After this day it counts again: `2027-03-31`.
    pub until: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is there.
    pub why: String,
}
