//! What happened: the record that engines make and that everything a person sees is drawn from.
//!
//! Owns [`Run`] and its parts, which are also the run file (`docs/run-file.md`): they are plain data without
//! behavior, so one set of types serves both. Holds fingerprints, never tokens; computes nothing from the
//! clock. Times are microseconds in integers with the unit in the name, shares are 0 to 1.
//!
//! [`event`] is the narration while it happens, [`latency`] the histograms, [`mod@file`] reading and writing,
//! [`shapes`] what answers look like, [`outcome`] the verdict on the whole: headline, reason and exit code come from there and nowhere else;
//! [`tally`] counts, [`mod@proof`] is the kill table, [`wording`] is how figures are written.

mod check;
pub mod class;
pub mod comparing;
pub mod event;
pub mod file;
pub mod latency;
pub mod objectives;
pub mod outcome;
pub mod proof;
mod races;
mod sentinels;
pub mod shapes;
pub mod tally;
pub mod trust;
pub mod window;
pub mod wording;

pub use self::check::{
    CheckResult, Evidence, Finding, FormatCell, Gate, Quote, Strength, TokenEntropy, Verdict,
};
pub use self::races::{RaceOutcome, RaceResult, RacerMoments, ShownRound};
pub use self::sentinels::{EarlyEnd, FirstViolation, SentinelResult};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::latency::Histogram;

/// The version of the run file that this program writes. Readers refuse what is newer.
pub const RUN_FILE_VERSION: u32 = 1;

/// One run: what was tested against what, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Version of this format.
    pub assay_run: u32,
    /// Version of the program that wrote it.
    pub assay_version: String,
    /// Name of the run: suite and time, as in its folder.
    pub id: String,
    /// When it began, RFC 3339, UTC.
    pub began_at: String,
    /// The zone of the machine that ran it, for people: `Asia/Kolkata`.
    pub zone: String,
    /// How long it took, in microseconds: all, checks, load.
    pub took_us: Took,
    /// How it ended.
    pub ended: Ended,
    /// The suite.
    pub suite: SuiteStamp,
    /// The environment.
    pub target: TargetStamp,
    /// The seed of everything random.
    pub seed: u64,
    /// `quick` or `full`.
    pub depth: Depth,
    /// Free labels: release, ticket, tester.
    pub labels: IndexMap<String, String>,
    /// The command line, for "to see it again".
    pub command: String,
    /// The good call that everything rests on; present where it did not work, and then nothing else was judged.
    pub gate: Option<Gate>,
    /// The checks in catalogue order.
    pub checks: Vec<CheckResult>,
    /// How many checks belong to other dialects or groups and were not counted.
    pub not_applicable: Vec<String>,
    /// The profiles in order.
    pub load: Vec<LoadResult>,
    /// The objectives in order.
    pub objectives: Vec<ObjectiveResult>,
    /// The format matrix: request type × response type.
    pub formats: Vec<FormatCell>,
    /// How hard refresh tokens are to guess, where a check looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy: Option<TokenEntropy>,
    /// What the answers to ordinary calls look like, by operation, outcome and format.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shapes: Vec<shapes::Shape>,
    /// Whether the figures can be believed.
    pub trust: Trust,
    /// What the run spent.
    pub burnt: Burn,
    /// The kill table that was put beside the run: whether its checks can fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Box<proof::Proof>>,
    /// What the suite says of comparisons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparing: Option<Box<comparing::Comparing>>,
}

/// Durations in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Took {
    /// All of it.
    pub all: u64,
    /// The checks.
    pub checks: u64,
    /// The load.
    pub load: u64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// To its end.
    Complete,
    /// By a signal (130 or 143), after this long in microseconds.
    Interrupted {
        /// The exit code of the signal.
        code: u8,
        /// When.
        after_us: u64,
    },
    /// It could not go on.
    Abandoned {
        /// Why, as a sentence.
        reason: String,
    },
}

/// Quick or full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Depth {
    Quick,
    Full,
}

/// Which suite.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteStamp {
    /// Its name.
    pub name: String,
    /// Its path as given.
    pub path: String,
    /// SHA-256 of its text.
    pub digest: String,
    /// Its dialect.
    pub dialect: String,
    /// The standards it asks for.
    pub standards: Vec<String>,
}

/// Which endpoint.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetStamp {
    /// The environment's name.
    pub environment: String,
    /// What stands there.
    pub kind: TargetKind,
    /// The address of the refresh operation.
    pub url: String,
    /// For a mock: policy, generation, defects, variants, as one line.
    pub mock: Option<String>,
    /// The `Server` header of its first answer.
    pub server: Option<String>,
    /// What was agreed on in TLS, where it is spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsStamp>,
}

/// What was agreed on in TLS with an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsStamp {
    /// The version: `TLS 1.3`.
    pub version: String,
    /// The cipher suite by its name.
    pub suite: String,
    /// How many certificates the server showed: its own and those above it.
    pub certificates: u32,
    /// The last day of its own, where it could be read: `2027-01-31`.
    pub expires: Option<String>,
    /// Whole days from the start of the run until then; negative where it is over.
    pub days_left: Option<i64>,
}

/// What kind of endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// Started for this run: the figures describe this machine and the mock.
    EmbeddedMock,
    /// A mock that answered the nonce.
    RunningMock,
    /// Anything else.
    Endpoint,
}

/// What came of one load profile.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadResult {
    /// Its name.
    pub name: String,
    /// What it asks for, in words: "open, 200/s for 30 s".
    pub asks: String,
    /// `open` or `closed`.
    pub model: LoadModel,
    /// When its first request was due, in milliseconds since 1970.
    #[serde(default)]
    pub began_ms: u64,
    /// How long it took, warm-up included, in microseconds.
    pub took_us: u64,
    /// Warm-up at the start, in microseconds, outside every figure below but the series.
    pub warm_up_us: u64,
    /// Chains it used.
    pub chains: u32,
    /// The book: scheduled = granted + refused + failed + starved + cut off.
    pub book: Book,
    /// From the intended moment to the end of the answer; granted.
    pub response: Clock,
    /// From the send to the end of the answer; granted.
    pub service: Clock,
    /// The same for refused answers.
    pub refused_response: Clock,
    /// The same for refused answers.
    pub refused_service: Clock,
    /// From the intended moment to the send: what the generator itself added. Without waiting for a chain.
    pub slip: Clock,
    /// Response and service of granted answers by part: a format, `stage1`.
    pub parts: Vec<Part>,
    /// Everything that was neither granted nor cut off: class → count and example.
    pub errors: Vec<ErrorCount>,
    /// One row per second, from the start.
    pub series: Vec<Second>,
    /// Stages with their start, for the time axis.
    pub stages: Vec<StageMark>,
    /// The ledger.
    pub ledger: LedgerResult,
    /// Share of the machine's CPU that was stolen, 0 to 1, where the system tells.
    pub stolen: Option<f64>,
    /// Why its figures cannot be believed, if so.
    pub untrusted: Vec<String>,
    /// The rates that a search tried, in order. Figures above are those of the highest that it kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<HeldRate>,
    /// Where the endpoint's highest rate lies, by a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knee: Option<Knee>,
    /// The checks that ran inside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sentinels: Vec<SentinelResult>,
    /// Connections that its requests left on, and bytes.
    #[serde(default)]
    pub traffic: Traffic,
    /// How long each phase took.
    #[serde(default)]
    pub phases: Phases,
    /// The fewest chains that could have served its highest rate: rate × service p99.9; an open profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_chains: Option<u64>,
    /// What ended it before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_early: Option<EarlyEnd>,
    /// The histograms of each second, which stand beside the run file in `.hlog` files.
    #[serde(skip)]
    #[schemars(skip)]
    pub per_second: std::sync::Arc<Vec<window::SecondClocks>>,
}

/// What a search found: the highest rate lies between the one that was kept and the one that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Knee {
    /// The highest rate that was kept, per second; `None` where not even the first was.
    pub kept: Option<f64>,
    /// The lowest rate above it that was lost; `None` where none was tried that was.
    pub lost: Option<f64>,
    /// Whether both were held again until there was no doubt.
    pub sure: bool,
    /// How often a rate was held.
    pub holds: u32,
}

/// Connections and bytes of a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Opened, those before the start included.
    pub opened: u64,
    /// Requests that left on a connection that had carried one before.
    pub reused: u64,
    /// Bytes that were written: requests as HTTP has them, without TLS and TCP.
    #[serde(default)]
    pub sent_bytes: u64,
    /// Bytes that were read: answers, counted likewise.
    #[serde(default)]
    pub received_bytes: u64,
}

impl Traffic {
    /// Both together.
    #[must_use]
    pub fn with(self, other: Traffic) -> Traffic {
        Traffic {
            opened: self.opened + other.opened,
            reused: self.reused + other.reused,
            sent_bytes: self.sent_bytes + other.sent_bytes,
            received_bytes: self.received_bytes + other.received_bytes,
        }
    }
}

/// How long each phase took. Those of a connection are of all that were opened, before the start and in the warm-up
/// included, and are empty where there was no such phase.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// Until the name was resolved.
    pub dns: Clock,
    /// Until TCP was there.
    pub connect: Clock,
    /// Until the proxy had opened the way.
    pub proxy: Clock,
    /// Until TLS was agreed to.
    pub tls: Clock,
    /// From the send to the first byte of the answer; granted. To the last is the service time.
    pub first_byte: Clock,
}

impl Phases {
    /// The phases that there were, with their names, in their order.
    pub fn seen(&self) -> impl Iterator<Item = (&'static str, &Clock)> {
        let all = [
            ("dns", &self.dns),
            ("connect", &self.connect),
            ("proxy", &self.proxy),
            ("tls", &self.tls),
            ("first byte", &self.first_byte),
        ];
        all.into_iter().filter(|(_, clock)| clock.count > 0)
    }
}

/// One rate of a search.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldRate {
    /// Per second.
    pub rate: f64,
    /// Whether the endpoint kept up with it: the search's condition did not hold.
    pub kept: bool,
    /// Response time of 99 of 100 granted answers, in microseconds.
    pub p99_us: Option<f64>,
    /// Share of requests that were not granted.
    pub errors: f64,
}

impl LoadResult {
    /// Rounds of its sentinels in which a `must` did not hold.
    pub fn violations(&self) -> u64 {
        self.sentinels.iter().map(|sentinel| sentinel.violated).sum()
    }

    /// Answered, and not granted: refusals and answers that were no good.
    pub fn answered_not_granted(&self) -> u64 {
        self.book.refused + self.book.failed - self.book.unanswered
    }
}

/// Open or closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoadModel {
    /// Arrivals do not wait for answers.
    #[default]
    Open,
    /// Users do: response is service.
    Closed,
}

/// Where every arrival went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// Arrivals by the schedule, warm-up included.
    pub scheduled: u64,
    /// Sent.
    pub sent: u64,
    /// Granted.
    pub granted: u64,
    /// Refused.
    pub refused: u64,
    /// Sent, and neither granted nor refused.
    pub failed: u64,
    /// The part of `failed` to which no answer was seen.
    #[serde(default)]
    pub unanswered: u64,
    /// Waited longer than `max-wait` for a chain and were never sent.
    pub starved: u64,
    /// Not sent or not answered because the run was stopped.
    pub cut_off: u64,
    /// Had to wait for a chain.
    pub delayed: u64,
    /// The part of granted, refused and failed that fell into the warm-up.
    pub warm_up: u64,
}

impl Book {
    /// Both books in one.
    #[must_use]
    pub fn with(self, other: Book) -> Book {
        Book {
            scheduled: self.scheduled + other.scheduled,
            sent: self.sent + other.sent,
            granted: self.granted + other.granted,
            refused: self.refused + other.refused,
            failed: self.failed + other.failed,
            unanswered: self.unanswered + other.unanswered,
            starved: self.starved + other.starved,
            cut_off: self.cut_off + other.cut_off,
            delayed: self.delayed + other.delayed,
            warm_up: self.warm_up + other.warm_up,
        }
    }
}

/// One clock's histogram and its usual quantiles.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Values in it.
    pub count: u64,
    /// Values that were beyond the top (1 h) and count as the top.
    pub clipped: u64,
    /// Quantiles by name (`p50`, `p90`, `p95`, `p99`, `p99.9`, `p99.99`), `min`, `mean`, `max`; microseconds.
    pub quantiles_us: IndexMap<String, f64>,
    /// The histogram, exact.
    pub histogram: Histogram,
}

/// Granted answers of one part.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// A format, a call, or `stage1` and so on.
    pub name: String,
    /// Response time.
    pub response: Clock,
    /// Service time.
    pub service: Clock,
    /// Everything in this part that was not granted.
    pub errors: u64,
}

/// A class of errors.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorCount {
    /// `refused: invalid-token`, `http 5xx`, `reset`, `response timeout`, …
    pub class: String,
    /// How many.
    pub count: u64,
    /// When the first was, in microseconds from the start of the profile.
    pub first_us: u64,
    /// An example, redacted: status and the start of the body, or the failure.
    pub example: String,
}

/// One second of a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Second {
    /// Which, from 0.
    pub at_s: u32,
    /// Arrivals by the schedule.
    pub asked: u64,
    /// Answered in it.
    pub answered: u64,
    /// Errors in it, by the index into `errors`.
    pub errors: Vec<(u32, u64)>,
    /// Starved in it.
    pub starved: u64,
    /// Response time of what was granted in it: p50, p90, p99, max, in microseconds.
    pub response_us: Option<[u64; 4]>,
    /// Service time p50, p99, in microseconds.
    pub service_us: Option<[u64; 2]>,
    /// Slip p99 in microseconds.
    pub slip_us_p99: Option<u64>,
    /// Response time of what was granted in it, warm-up aside, with two digits: what windows and comparisons
    /// are made of.
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub granted: Histogram,
}

/// The start of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageMark {
    /// In microseconds from the start of the profile.
    pub at_us: u64,
    /// "warm-up", "hold, 200/s", "ramp to 500/s".
    pub name: String,
}

/// What the ledger found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerResult {
    /// Tokens that were looked at, access and refresh.
    pub tokens: u64,
    /// Issued more than once where they may not be.
    pub duplicates: u64,
    /// Issued to a chain other than their own.
    pub strangers: u64,
    /// Share of tokens that it keeps, 1 while the memory budget holds.
    pub kept: f64,
    /// Memory it may use, in bytes.
    pub budget_bytes: u64,
    /// Examples: the fingerprints.
    pub examples: Vec<String>,
}

/// What came of one objective.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveResult {
    /// Its name in the suite.
    pub name: String,
    /// How strong it is.
    pub strength: Strength,
    /// The condition as written.
    pub condition: String,
    /// `None`: it could not be judged, and `reason` says why.
    pub met: Option<bool>,
    /// Why it could not be judged.
    pub reason: Option<String>,
    /// The measured left side, where the condition is one comparison.
    pub measured: Option<Measured>,
    /// Its limit.
    pub limit: Option<Measured>,
    /// `<`, `<=`, `>`, `>=`, `==`, `!=`
    pub comparison: Option<String>,
    /// The line of the suite.
    pub quote: Quote,
}

/// A figure with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// A time in microseconds.
    TimeUs(f64),
    /// A share, 0 to 1.
    Share(f64),
    /// Per second.
    Rate(f64),
    /// A count.
    Count(f64),
}

/// Whether the figures can be believed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// The state.
    pub state: TrustState,
    /// Why it is untrusted, as sentences.
    pub reasons: Vec<String>,
    /// Two books: what the client counted and what the mock counted, where it can be asked.
    pub books: Option<Books>,
    /// The search for secrets in what was written; `None` before anything was written.
    pub secrets: Option<SecretScan>,
}

/// Trusted, a demonstration, or untrusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrustState {
    /// The figures describe the endpoint.
    Trusted,
    /// The embedded mock shares the machine: they describe this machine and the mock.
    Demonstration,
    /// The generator could not keep its schedule, or something else is wrong.
    Untrusted,
}

/// Double entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Books {
    /// Refreshes that the client saw granted.
    pub client_granted: u64,
    /// Refreshes that the endpoint says it granted.
    pub server_granted: u64,
    /// Refreshes that the client saw refused.
    pub client_refused: u64,
    /// Refreshes that the endpoint says it refused.
    pub server_refused: u64,
    /// Refreshes whose answer the client did not see.
    pub client_unanswered: u64,
}

/// The search for secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretScan {
    /// Values searched for.
    pub values: u64,
    /// Tokens that were not searched for, because the memory for them was full.
    #[serde(default, skip_serializing_if = "is_none")]
    pub beyond: u64,
    /// Files searched.
    pub files: u32,
    /// Files in which one was found. Never which.
    pub hits: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What a run spent, or would spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Burn {
    /// Requests of every kind.
    pub requests: u64,
    /// Chains opened.
    pub chains: u64,
    /// Chains given up: replayed, raced, revoked.
    pub families_lost: u64,
}
