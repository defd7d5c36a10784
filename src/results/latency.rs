//! Latency in histograms: nanoseconds, 1 µs to 1 h, three digits, saturating, clipped values counted.
//!
//! Owns the recording side ([`Recorder`]) and the form in the run file ([`Histogram`], V2 deflate in base64).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A histogram in the run file: HdrHistogram V2, deflated, base64. Unit: nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Histogram {
    /// The bytes; empty for no values.
    pub hdr_v2_deflate_base64: String,
}
