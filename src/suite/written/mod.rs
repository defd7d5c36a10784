//! What was typed: the shape of suites and checks, word by word, with places. Meaning is found in `lower`.
//!
//! Words of closed lists are kept as text here and become enums in `lower`: that gives the caret and the
//! suggestion, and lets `$dimension` stand where a word is meant. The doc comments are what editors show.

mod advice;
mod call;
mod check;
mod compare;
mod environment;
mod race;
mod words;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::yaml::Spanned;

pub(super) use self::advice::advise;
pub(super) use self::call::{Call, Changes, Document, Forge, Made, Order, Value, Wire};
pub(super) use self::check::{
    Always, At, Basis, BasisOf, Check, ClaimMap, Claims, Connect, Dimension, Entropy, Fuzz, Lack, LackOf,
    Proof, SetClaims, Step, Timing, Together, Wait,
};
pub(super) use self::compare::{Compare, ExpectedDifference};
pub(super) use self::environment::{Chains, Environment, Guard, Latency, LatencyOf, Mock, TlsTerms};
pub(super) use self::race::{Leg, Race};

/// A word and its place.
pub(super) type Word = Spanned<String>;

/// A suite: how an endpoint speaks, what it promises, what to check, what load to put on it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Suite {
    /// For editors; not read.
    #[serde(rename = "$schema", default)]
    #[expect(dead_code, reason = "editors read it")]
    pub(super) schema: Option<String>,
    /// The version of the language: 1.
    pub(super) assay: Spanned<u32>,
    /// The suite's name, as reports show it.
    pub(super) name: Word,
    /// How the endpoint speaks: a built-in dialect (`pfms`, `oauth2`) or the path of a dialect file.
    pub(super) dialect: Word,
    /// What the suite can be run against. The first is the default.
    #[schemars(extend("minProperties" = 1))]
    pub(super) environments: Spanned<IndexMap<String, Spanned<Environment>>>,
    /// What the server promises. Every word left out is unknown.
    #[serde(default)]
    pub(super) policy: Option<Policy>,
    /// Which checks are run, how strictly, and the suite's own.
    #[serde(default)]
    pub(super) checks: Option<Checks>,
    /// Load profiles by name.
    #[serde(default)]
    pub(super) load: IndexMap<String, Spanned<Profile>>,
    /// What is good enough, by name.
    #[serde(default)]
    pub(super) objectives: IndexMap<String, Spanned<Objective>>,
    /// What comparisons of runs of this suite go by.
    #[serde(default)]
    pub(super) compare: Option<Compare>,
}

/// What the server promises about rotation, replay, grace and lifetimes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Policy {
    /// `false`: learned from the endpoint, and vouched for by nobody. What hangs on it is observed, not promised,
    /// and fails no run. Left out, a person has written it.
    #[serde(default)]
    pub(super) confirmed: Option<Spanned<bool>>,
    /// Whether a refresh yields a new refresh token.
    #[serde(default)]
    #[schemars(schema_with = "words::rotation")]
    pub(super) rotation: Option<Word>,
    /// What a used token gets, and what its use revokes.
    #[serde(default)]
    pub(super) replay: Option<Replay>,
    /// A window in which the used token is still answered, or `none`.
    #[serde(default)]
    pub(super) grace: Option<Spanned<Grace>>,
    /// What becomes of the access token before.
    #[serde(default)]
    #[schemars(schema_with = "words::old_access")]
    pub(super) old_access: Option<Word>,
    /// What the server does with the access token beside the refresh token.
    #[serde(default)]
    #[schemars(schema_with = "words::pair")]
    pub(super) pair: Option<Word>,
    /// What several uses at once come to.
    #[serde(default)]
    #[schemars(schema_with = "words::race")]
    pub(super) race: Option<Word>,
    /// Unused this long, a chain ends.
    #[serde(default)]
    pub(super) idle: Option<Word>,
    /// This old, a chain ends whatever its use.
    #[serde(default)]
    pub(super) cap: Option<Word>,
    /// How long an access token lives.
    #[serde(default)]
    pub(super) access_lifetime: Option<Word>,
    /// How long a refresh token lives.
    #[serde(default)]
    pub(super) refresh_lifetime: Option<Word>,
    /// How good its answers are under load.
    #[serde(default)]
    pub(super) budget: Option<Budget>,
    /// How exact the server's clock is; `0s` where left out.
    #[serde(default)]
    pub(super) slack: Option<Word>,
}

/// What the server promises of its answers under load. What is left out is judged by nobody.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    /// Half of the answers take at most this long.
    #[serde(default)]
    pub(super) p50: Option<Word>,
    /// 95 of 100 answers take at most this long.
    #[serde(default)]
    pub(super) p95: Option<Word>,
    /// 99 of 100 answers take at most this long.
    #[serde(default)]
    pub(super) p99: Option<Word>,
    /// The share of good requests that may fail: `0.1%`.
    #[serde(default)]
    pub(super) errors: Option<Word>,
    /// Refreshes that it keeps up with: `200/s`.
    #[serde(default)]
    pub(super) rate: Option<Word>,
}

/// What a used refresh token gets.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    /// The answer to it.
    #[serde(default)]
    #[schemars(schema_with = "words::replay_answer")]
    pub(super) answer: Option<Word>,
    /// What its use revokes.
    #[serde(default)]
    #[schemars(schema_with = "words::replay_revokes")]
    pub(super) revokes: Option<Word>,
}

/// `none`, or a window.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Grace", untagged)]
pub(super) enum Grace {
    /// `none` or `unknown`.
    Word(#[schemars(schema_with = "words::no_grace")] String),
    /// A window in which the used token is still answered.
    Map(GraceWindow),
}

/// A window in which the used token is still answered.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GraceWindow {
    /// How long.
    #[serde(rename = "for", default)]
    pub(super) lasting: Option<Word>,
    /// How many uses.
    #[serde(default)]
    pub(super) uses: Option<u32>,
    /// With what.
    #[serde(default)]
    #[schemars(schema_with = "words::grace_answer")]
    pub(super) answer: Option<Word>,
    /// Which ancestors.
    #[serde(default)]
    #[schemars(schema_with = "words::grace_reach")]
    pub(super) reach: Option<Word>,
    /// Whether all children of a fork live.
    #[serde(default)]
    #[schemars(schema_with = "words::siblings")]
    pub(super) siblings: Option<Word>,
}

/// Which checks are run, how strictly, and the suite's own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Checks {
    /// How strictly the catalogue is read; `contract` is as written.
    #[serde(default)]
    #[schemars(schema_with = "words::standards")]
    pub(super) standards: Vec<Word>,
    /// Groups of the catalogue and ids of checks. Left out: all groups.
    #[serde(rename = "use", default)]
    pub(super) used: Option<Vec<Word>>,
    /// Checks that will never apply, each with the reason.
    #[serde(default)]
    pub(super) skip: IndexMap<String, Word>,
    /// Other strengths, by id, group or basis; the most exact wins.
    #[serde(default)]
    #[schemars(schema_with = "words::severities")]
    pub(super) severity: IndexMap<String, Word>,
    /// Failures that are known and do not fail the run until a day.
    #[serde(default)]
    pub(super) expect_failures: IndexMap<String, Spanned<Known>>,
    /// The suite's own checks, by id.
    #[serde(default)]
    pub(super) own: IndexMap<String, Spanned<Check>>,
}

/// A failure that is known.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    /// After this day the failure counts again: `2027-03-31`.
    pub(super) until: Word,
    /// Who mends it.
    pub(super) owner: String,
    /// Why it fails.
    pub(super) why: String,
    /// It comes and goes: that it does not happen is no finding.
    #[serde(default)]
    pub(super) intermittent: bool,
}

/// A load profile: where requests come from, how many, for how long.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Profile {
    /// Open: a rate (`200/s`), a ramp (`50/s to 2000/s`), steps (`50/s to 500/s in 10 steps`), or stages
    /// (`[50/s for 30s, 500/s for 30s, 500/s to 50/s for 1m]`).
    #[serde(default)]
    pub(super) arrivals: Option<Spanned<Arrivals>>,
    /// Closed: this many users, each with one request at a time; in a check also `4..16` (quick run, full run).
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(super) users: Option<Word>,
    /// The tokens of all chains expire in one moment, and each chain renews once.
    #[serde(default)]
    pub(super) herd: Option<Spanned<Herd>>,
    /// Looks for the highest rate that the endpoint keeps up with.
    #[serde(default)]
    pub(super) search: Option<Spanned<Search>>,
    /// How long; in a check also `2s..10m` (quick run, full run).
    #[serde(rename = "for", default)]
    pub(super) lasting: Option<Word>,
    /// Stop after this many refreshes, whatever `for` says; in a check also `200..5000` (quick run, full run).
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(super) refreshes: Option<Word>,
    /// A user's pause between an answer and the next request.
    #[serde(default)]
    pub(super) think: Option<Word>,
    /// How many chains; left out: as many as are needed.
    #[serde(default)]
    pub(super) chains: Option<Spanned<u32>>,
    /// Shares by format or media type.
    #[serde(default)]
    pub(super) formats: IndexMap<String, Spanned<u32>>,
    /// This long at the start is outside every figure.
    #[serde(default)]
    pub(super) warm_up: Option<Word>,
    /// An arrival that waits longer for a chain is starved; `60s` where left out.
    #[serde(default)]
    pub(super) max_wait: Option<Word>,
    /// Shares by call: `good` with the current pair, `unknown` with a refresh token that was never issued.
    #[serde(default)]
    pub(super) calls: IndexMap<String, Spanned<u32>>,
    /// Further profiles by name, which run at the same time.
    #[serde(default)]
    pub(super) beside: IndexMap<String, Spanned<Profile>>,
    /// How arrivals lie around their rate: `even` (where left out), or `poisson`, by the seed.
    #[serde(default)]
    #[schemars(schema_with = "words::spacing")]
    pub(super) spacing: Option<Word>,
    /// How long a connection is kept: `keep` (where left out), `new` for each request, or `10 requests`.
    #[serde(default)]
    pub(super) connections: Option<Word>,
    /// Light checks that run meanwhile on chains of their own: ids, or ids with a rate (`LIF-06: 2/s`).
    #[serde(default)]
    pub(super) sentinels: Option<Spanned<Sentinels>>,
    /// A condition over the last ten seconds that ends the profile at once; it counts as a missed objective.
    #[serde(default)]
    pub(super) abort: Option<Spanned<Abort>>,
    /// `violation`: the first one of a sentinel or of the ledger ends the profile.
    #[serde(default)]
    #[schemars(schema_with = "words::stop_on")]
    pub(super) stop_on: Option<Word>,
}

/// Checks that run inside a load.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Sentinels", untagged)]
pub(super) enum Sentinels {
    /// Ids; each has one round a second.
    List(#[schemars(schema_with = "words::texts")] Vec<Word>),
    /// Ids with the rounds per second of each.
    Map(IndexMap<String, Word>),
}

/// What ends a profile at once.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Abort", untagged)]
pub(super) enum Abort {
    /// A condition over the last ten seconds: `response.p99 > 2s or errors > 50%`.
    Word(Word),
    /// A condition, and how many seconds it looks back on.
    Map(AbortOver),
}

/// A condition, and how many seconds it looks back on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AbortOver {
    /// The condition.
    pub(super) when: Word,
    /// Whole seconds; `10s` where left out.
    #[serde(default)]
    pub(super) over: Option<Word>,
}

/// All chains renew together.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Herd {
    /// How many chains.
    #[schemars(schema_with = "words::text")]
    pub(super) chains: Word,
    /// The renewals are spread over this long; `0s` where left out.
    #[serde(default)]
    pub(super) jitter: Option<Word>,
}

/// The highest rate that an endpoint keeps up with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// The first rate.
    pub(super) from: Word,
    /// No rate above this one is tried.
    pub(super) to: Word,
    /// How long each rate is held.
    pub(super) hold: Word,
    /// What ends it, over the figures of one rate: `response.p99 > 250ms or errors > 0.5%`.
    pub(super) until: Word,
}

/// A rate, a ramp, or stages.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Arrivals", untagged)]
pub(super) enum Arrivals {
    /// `200/s`, `50/s to 2000/s`, or `50/s to 500/s in 10 steps`; `for` says how long.
    Word(Word),
    /// Stages, each `RATE for DURATION`, `RATE to RATE for DURATION`, or `RATE to RATE in N steps for DURATION`.
    List(Vec<Word>),
}

/// What is good enough.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Objective", untagged)]
pub(super) enum Objective {
    /// A condition that must hold: `steady.response.p99 < 250ms`.
    Word(Word),
    /// A condition under its strength.
    Map(Graded),
}

/// A condition under its strength.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = serde_json::json!([
    { "required": ["must"] }, { "required": ["should"] }, { "required": ["info"] }
])))]
pub(super) struct Graded {
    /// Missed: the run misses its objectives.
    #[serde(default)]
    pub(super) must: Option<Word>,
    /// Missed: a warning.
    #[serde(default)]
    pub(super) should: Option<Word>,
    /// Missed: noted.
    #[serde(default)]
    pub(super) info: Option<Word>,
    /// It must hold in every window of this length, in whole seconds, and not only over the whole profile.
    #[serde(default)]
    pub(super) over: Option<Word>,
}

/// Keys that may stand without a value, or with `null`. Elsewhere an `Option` means that the key may be left out.
const NULLABLE: [&str; 10] =
    ["refresh", "probe", "revoke", "login", "restart", "label", "accept", "namespace", "mock", "raw"];

/// The schema of suites, draft-07, for editors.
pub(super) fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<Suite>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "assay suite".into());
    }
    require_values(&mut schema);
    for definition in schema["definitions"].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut)
    {
        require_values(definition);
    }
    schema
}

/// Takes `null` out of the properties of one struct. That also makes the messages of editors exact.
fn require_values(definition: &mut serde_json::Value) {
    let properties = definition.get_mut("properties").and_then(serde_json::Value::as_object_mut);
    for (_, property) in
        properties.into_iter().flatten().filter(|(name, _)| !NULLABLE.contains(&name.as_str()))
    {
        let Some(property) = property.as_object_mut() else { continue };
        if let Some(serde_json::Value::Array(types)) = property.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                property.insert("type".to_owned(), only);
            }
        }
        if let Some(serde_json::Value::Array(choices)) = property.get_mut("anyOf") {
            choices.retain(|choice| choice != &serde_json::json!({ "type": "null" }));
            if let [only] = choices.as_slice() {
                // Beside `$ref` draft-07 reads nothing, so the description needs `allOf`.
                let only = only.clone();
                property.remove("anyOf");
                property.insert("allOf".to_owned(), serde_json::json!([only]));
            }
        }
    }
}
