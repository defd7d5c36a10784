//! The shape of races.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::yaml::Spanned;
use super::call::Call;
use super::{Word, words};

/// Calls on one chain that leave together.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Race {
    /// What leaves together.
    #[schemars(extend("minItems" = 1))]
    pub(in super::super) legs: Spanned<Vec<Spanned<Leg>>>,
    /// Each next leg leaves this much later: `5ms`, or a dimension.
    #[serde(default)]
    pub(in super::super) gap: Option<Word>,
    /// `last-byte` (the default): everything but the last byte is sent beforehand. `barrier`: nothing is.
    #[serde(default)]
    #[schemars(schema_with = "words::release")]
    pub(in super::super) release: Option<Word>,
}

/// One leg of a race: a call, so many times.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Leg {
    /// A refresh. Nothing inside: the good call.
    #[serde(default)]
    pub(in super::super) refresh: Option<Spanned<Option<Call>>>,
    /// Tries an access token on the protected resource.
    #[serde(default)]
    pub(in super::super) probe: Option<Spanned<Option<Call>>>,
    /// Ends the chain.
    #[serde(default)]
    pub(in super::super) revoke: Option<Spanned<Option<Call>>>,
    /// How often it is sent: `8`, `4..16` (quick run, full run), or a dimension.
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(in super::super) times: Option<Word>,
    /// Names the exchanges of this leg.
    #[serde(rename = "as", default)]
    pub(in super::super) name: Option<Word>,
}
