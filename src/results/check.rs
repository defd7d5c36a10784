//! What came of the checks: verdicts, findings, and the evidence for them. Evidence is redacted where it is made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::races::RaceResult;

/// The good call that did not work.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// What is wrong, as a sentence: "the login was answered 200 without an access token".
    pub reason: String,
    /// Whether the endpoint answered at all: then the run failed, otherwise it could not run.
    pub answered: bool,
    /// The exchanges.
    pub evidence: Vec<Evidence>,
}

/// What came of one check.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// `FMT-08`
    pub id: String,
    /// `format`, or `own`.
    pub group: String,
    /// The sentence.
    pub title: String,
    /// Its strongest claim: `must`, `should`, `info`.
    pub severity: Strength,
    /// Where the rule comes from, in words.
    pub basis: Vec<String>,
    /// Why it matters.
    pub because: Option<String>,
    /// How to mend the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Findings: claims that did not hold, strongest first. Also those of an `info`, which decide nothing.
    pub findings: Vec<Finding>,
    /// Claims judged, and how many of them held.
    pub judged: u32,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Requests it sent.
    pub requests: u64,
    /// Its races, a row for each step and cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub races: Vec<RaceResult>,
    /// The verdict hangs on a policy that nobody has confirmed: observed, not promised.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub observed: bool,
}

/// How strong a claim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the words are those of the suite language")]
pub enum Strength {
    Info,
    Should,
    Must,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every claim holds (those of `info` aside).
    Pass,
    /// A `must` does not hold.
    Fail,
    /// A `should` does not hold, and every `must` does.
    Warn,
    /// It fails, and the suite expects it to.
    Known {
        /// Until this day.
        until: String,
        /// Days left at the time of the run.
        days_left: i64,
        /// Who mends it.
        owner: String,
        /// Why it fails.
        why: String,
    },
    /// The suite expects it to fail and it passes, or its day has gone by: counts as failed.
    Stale {
        /// Which, as a sentence.
        reason: String,
    },
    /// The stage could not be set.
    Inconclusive {
        /// Why.
        reason: String,
    },
    /// It was not run.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// One claim that did not hold.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// How strong the claim is.
    pub strength: Strength,
    /// The claim's word and step as `proof:` names it: `again.outcome`, `type`.
    pub claim: String,
    /// What was expected, a fragment: "`text/xml`".
    pub expected: String,
    /// What was found, a fragment: "`application/json`".
    pub found: String,
    /// In which cell of `over`, if any: "type=form, accept=text/xml".
    pub cell: Option<String>,
    /// In how many cells or rounds it did not hold, of how many.
    pub times: (u32, u32),
    /// The line of the suite that claims it.
    pub quote: Quote,
    /// Further notes: `because`, `where`, `means`.
    pub notes: Vec<(String, String)>,
    /// The exchanges that show it.
    pub evidence: Vec<Evidence>,
    /// A shell line that does it again, secrets as variables.
    pub again: Option<String>,
}

/// Lines of a file with one part marked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The file.
    pub path: String,
    /// Line of the marked part, from 1.
    pub line: u32,
    /// Column of the marked part, from 1, in characters.
    pub column: u32,
    /// The lines: number and text, the marked one among them.
    pub lines: Vec<(u32, String)>,
    /// Length of the marked part, in characters.
    pub length: u32,
    /// What stands under it.
    pub label: String,
}

/// One exchange, redacted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it was: "refresh, chain own, form in, text/xml out".
    pub title: String,
    /// Request line, headers, blank line, body; secrets as `‹refresh 3c07›` and `‹AuthString›`.
    pub sent: String,
    /// Status line, headers, blank line, body; or the failure as one line.
    pub received: String,
    /// Parts of `received` that decide, to be marked.
    pub marks: Vec<String>,
    /// From send to the end of the answer, in microseconds.
    pub took_us: Option<u64>,
}

/// How hard the endpoint's tokens are to guess, as far as many of them tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenEntropy {
    /// Which token: `refresh`.
    pub field: String,
    /// The check that looked.
    pub check: String,
    /// How many were looked at.
    pub tokens: u64,
    /// How many of them differ.
    pub distinct: u64,
    /// `opaque`, `JWT (HS256)`, `GUID version 4`.
    pub form: String,
    /// Characters of the shortest and the longest.
    pub length: (u32, u32),
    /// The narrowest usual alphabet that has them all.
    pub alphabet: String,
    /// Its characters.
    pub alphabet_size: u32,
    /// Characters that never change, at the start and at the end.
    pub constant: (u32, u32),
    /// The lowest bound on the bits that cannot be guessed.
    pub bits: f64,
    /// What it comes from, a fragment.
    pub why: String,
    /// Every bound: its name and its bits.
    pub bounds: Vec<(String, f64)>,
    /// Structure that was found: no defect by itself.
    pub structure: Vec<String>,
    /// What each varying character is worth by itself, in bits.
    pub position_bits: Vec<f64>,
    /// How far each bit leans to one side, in standard deviations.
    pub bit_sigma: Vec<f64>,
    /// Refresh tokens of the whole run that were compared with each other.
    pub seen: u64,
    /// Of these, how many were issued to two callers.
    pub shared: u64,
}

/// A cell of the format matrix.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormatCell {
    /// The media type of the request.
    pub request: String,
    /// The media type asked for; `None` without Accept.
    pub response: Option<String>,
    /// The media type that came.
    pub got: Option<String>,
    /// Whether it was granted in the type asked for.
    pub good: bool,
    /// Median service time in microseconds.
    pub median_us: Option<u64>,
}
