//! `compare:` as it is written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::yaml::Spanned;
use super::Word;

/// What comparisons of runs of this suite go by.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in super::super) struct Compare {
    /// From which difference on anybody cares.
    #[serde(default)]
    pub(in super::super) tolerances: Option<Tolerances>,
    /// Differences that are known and make no run worse until a day. The key is what a comparison calls it: a check
    /// (`LIF-05`), an objective, a place (`$.Remarks`, `header Server`), a figure (`steady p99`); `*` at the end is a
    /// wildcard.
    #[serde(default)]
    pub(in super::super) expect_differences: IndexMap<String, Spanned<ExpectedDifference>>,
    /// Checks that had another id in older runs: the old id, then the new one.
    #[serde(default)]
    pub(in super::super) renamed: IndexMap<String, Word>,
}

/// From which difference on anybody cares.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Tolerances {
    /// Of a response time: `2ms` (where left out), or `5%` of it.
    #[serde(default)]
    pub(in super::super) time: Option<Word>,
    /// Of the share of requests that were not granted: `0.1%` where left out.
    #[serde(default)]
    pub(in super::super) errors: Option<Word>,
    /// Of a rate, as a share of it: `2%` where left out.
    #[serde(default)]
    pub(in super::super) rate: Option<Word>,
}

/// A difference that is known.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ExpectedDifference {
    /// After this day the difference counts again: `2027-03-31`.
    pub(in super::super) until: Word,
    /// Who answers for it.
    pub(in super::super) owner: Word,
    /// Why it is there.
    pub(in super::super) why: Word,
}
