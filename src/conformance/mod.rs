//! The conformance engine: checks in, verdicts with evidence out.
//!
//! Runs the steps of every cell on fresh chains, keeps what was sent and received as a transcript, and has it
//! judged by pure functions. Never prints. Start at [`run`]; [`plan`] says beforehand what it will need,
//! spend and skip.

mod again;
mod always;
mod callback;
mod cell;
mod change;
mod clock;
mod court;
mod encode;
mod entropy;
mod evidence;
pub mod explain;
mod family;
mod fit;
mod forge;
mod fuzz;
mod gate;
mod guess;
mod judge;
pub mod learn;
mod loads;
mod made;
mod matrix;
mod names;
mod needs;
mod plan;
mod promise;
mod race;
mod redact;
mod references;
mod run;
mod script;
pub mod sentinels;
mod shapes;
mod steps;
mod tally;
#[cfg(test)]
mod tests;
mod timing;
mod together;
mod transcript;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::chain::Identity;
use crate::chain::source::Source;
use crate::client::Client;
use crate::client::side::Control;
use crate::dialect::Dialect;
use crate::results::event::{Narrator, Stop};
use crate::results::{Burn, CheckResult, FormatCell, Gate};
use crate::secret::FingerprintKey;
use crate::source::Span;
use crate::suite::Suite;
use crate::suite::check::ProofClaim;
use crate::suite::environment::Environment;

/// Everything the checks need.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The suite.
    pub suite: Arc<Suite>,
    /// The environment that was chosen.
    pub environment: Arc<Environment>,
    /// How the endpoint speaks.
    pub dialect: Arc<Dialect>,
    /// The door.
    pub client: Arc<Client>,
    /// Where chains come from.
    pub source: Arc<Source>,
    /// The identities, resolved, in order; the first is everyone's `own`.
    pub identities: Vec<Arc<Identity>>,
    /// The control port, where there is one.
    pub control: Option<Control>,
    /// The public key that the endpoint signs its tokens with, as PEM, where it is known.
    pub public_key: Option<String>,
    /// Values of `$env:` and `$secret:` names.
    pub variables: IndexMap<String, crate::secret::Token>,
    /// Whether the target is a mock of ours: evidence may then show more.
    pub is_mock: bool,
    /// The run's fingerprint key.
    pub key: FingerprintKey,
    /// The run's seed.
    pub seed: u64,
    /// Quick or full.
    pub full: bool,
    /// Consent of the command line to destructive checks.
    pub consent: bool,
    /// How a failure can be seen again: `assay check suites/pfms.yaml --env mock --seed 7 --only `
    pub again: String,
    /// Today, for expected failures.
    pub today: jiff::civil::Date,
    /// What alone is looked for, if so; a run of its own judges everything.
    pub sought: Option<Sought>,
}

/// What alone is wanted of a run, where it is not for itself: failures are then not made smaller.
#[derive(Clone, Debug)]
pub enum Sought {
    /// Claims that somebody waits to see failed, by the id of their check: a check that did fail at one of its own
    /// is played no further.
    Claims(IndexMap<String, Vec<ProofClaim>>),
    /// Every claim that fails.
    Failures,
    /// Every check that is red after its planned rounds. Races that overlapped too seldom are not raced again.
    Reds,
}

impl Sought {
    /// Whether a failure of `claim` (`again.outcome`) of `check` is one of them.
    pub fn is_for(&self, check: &str, claim: &str) -> bool {
        let Sought::Claims(sought) = self else { return false };
        let (step, word) = match claim.rsplit_once('.') {
            Some((step, word)) => (Some(step), word),
            None => (None, claim),
        };
        sought.get(check).is_some_and(|claims| {
            claims.iter().any(|sought| {
                sought.word == word && (sought.step.is_none() || sought.step.as_deref() == step)
            })
        })
    }
}

/// What came of the checks.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The good call that did not work, if so; then no check passes: each is skipped, or red for that very call.
    pub gate: Option<Gate>,
    /// The checks in catalogue order.
    pub checks: Vec<CheckResult>,
    /// The format matrix.
    pub formats: Vec<FormatCell>,
    /// Checks of other dialects: id and why.
    pub not_applicable: Vec<String>,
    /// What was spent.
    pub burnt: Burn,
    /// How hard tokens are to guess, where a check looked.
    pub entropy: Option<crate::results::TokenEntropy>,
    /// What the answers to ordinary calls look like.
    pub shapes: Vec<crate::results::shapes::Shape>,
    /// Refreshes seen granted and refused, and those whose answer was not seen.
    pub counted: Counted,
    /// What came of every claim that was judged.
    pub claims: Vec<ClaimCount>,
}

/// What came of one claim of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimCount {
    /// The check's id.
    pub check: String,
    /// The claim's words in the check's file.
    pub at: Span,
    /// Its name, as `proof:` says it: `again.outcome`.
    pub claim: String,
    /// How often it held or failed.
    pub judged: u32,
    /// How often it failed.
    pub failed: u32,
}

/// The client's own book of refreshes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Granted.
    pub granted: u64,
    /// Answered and not granted.
    pub refused: u64,
    /// No answer was seen.
    pub unanswered: u64,
}

/// What the checks would do, without traffic: one row per check.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// Its group.
    pub group: String,
    /// Why it will not run, if so.
    pub skipped: Option<String>,
    /// Requests, chains, families lost, at most.
    pub burn: Burn,
    /// About how long, at 5 ms a request.
    pub about: Duration,
    /// The sentence of `destructive`, or the derived harm.
    pub harm: Option<String>,
}

/// Whether `patterns` (ids, `*` at the end as wildcard, `#713` at the end for one case of a fuzzing) name `id`; all
/// ids where there is no pattern.
pub fn matches(patterns: &[String], id: &str) -> bool {
    patterns.is_empty()
        || patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => id.starts_with(start),
            None => pattern.split_once('#').map_or(pattern.as_str(), |(check, _)| check) == id,
        })
}

/// What `suite` would do on `environment`.
pub fn plan(suite: &Suite, environment: &Environment, dialect: &Dialect, full: bool) -> Vec<Planned> {
    plan::plan(suite, environment, dialect, full)
}

/// Runs the checks of the suite whose ids `only` matches (all where it is empty; `*` at the end is a wildcard).
pub async fn run(ground: &Ground, only: &[String], narrator: &Narrator, stop: &Stop) -> Outcome {
    run::run(ground, only, narrator, stop).await
}
