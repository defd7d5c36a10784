//! What the answers of an endpoint look like: names, kinds and formats, never a value that could be a secret.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answers of one kind: one operation, one outcome, one format.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// `refresh granted, json`, `refresh refused: unknown, xml`.
    pub answer: String,
    /// How many were seen.
    pub seen: u64,
    /// Status → how many.
    pub statuses: IndexMap<String, u64>,
    /// `Content-Type` as written → how many.
    pub media_types: IndexMap<String, u64>,
    /// Headers by their name as written.
    pub headers: IndexMap<String, Place>,
    /// Members by their path: `/RefreshTokenResponse/isSuccess`; items of a list are `*`.
    pub members: IndexMap<String, Place>,
    /// The members of an object in their order → how many; by the path of the object.
    pub orders: IndexMap<String, IndexMap<String, u64>>,
}

/// What was seen at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In how many answers it was there.
    pub seen: u64,
    /// What stood there → how often: `null`, `text`, `empty text`, `number`, `date yyyy-MM-ddTHH:mm:ss`, and where
    /// the dialect lets a value be shown and it is one of a few, the value: `= E401`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub kinds: IndexMap<String, u64>,
}
