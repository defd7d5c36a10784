//! The kill table: what became of every defect, mutant and benign variant that a suite was tried on.
//!
//! Plain data, which is also what `assay prove --json` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Depth;

/// A kill table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Whether green means something: everything was caught, and nothing else was red.
    pub proven: bool,
    /// When it was made, RFC 3339, UTC.
    pub proved_at: String,
    /// The suites.
    pub suites: Vec<String>,
    /// `quick`: each defect meets the checks that name it; `full`: every check of its dialect.
    pub depth: Depth,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// The mock without a defect.
    pub clean: CleanProof,
    /// The defects.
    pub defects: Vec<DefectProof>,
    /// What is unusual and right.
    pub variants: Vec<VariantProof>,
    /// Mutants of the dialect table, on one side only.
    pub mutants: Vec<MutantProof>,
    /// Answers that a proxy spoiled.
    pub proxy: Vec<MutantProof>,
    /// Which claims were seen to fail.
    pub claims: ClaimsProof,
}

/// What the clean mock came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CleanProof {
    /// How many runs, of all suites.
    pub runs: u32,
    /// Checks judged in the first run of every suite.
    pub judged: u32,
    /// Those of them that passed.
    pub passed: u32,
    /// For every run, the checks that were red or could not be judged.
    pub red: Vec<Vec<String>>,
}

/// What became of one defect.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefectProof {
    /// Its name.
    pub id: String,
    /// What is wrong.
    pub what: String,
    /// `gross`, `medium` or `subtle`.
    pub subtlety: String,
    /// The mock policy it was tried in, where it needs one of its own.
    pub policy: Option<String>,
    /// The suites with a check that names it.
    pub suites: Vec<String>,
    /// Whether every check that names it failed, at a claim that its proof names.
    pub caught: bool,
    /// The first check that names it, where it was caught.
    pub by: Option<String>,
    /// The checks that name it; `gate` for what breaks the good call itself.
    pub meant_for: Vec<String>,
    /// Those of them that stayed green, or failed elsewhere.
    pub missed_by: Vec<String>,
    /// Checks that were red beside them.
    pub also_red: Vec<String>,
    /// Those of `also_red` that nobody declared.
    pub undeclared: Vec<String>,
    /// How long the checks that name it took with it, in microseconds.
    pub took_us: u64,
}

impl DefectProof {
    /// Whether nothing was red at all.
    pub fn escaped(&self) -> bool {
        !self.caught && self.also_red.is_empty() && self.missed_by.len() == self.meant_for.len()
    }
}

/// What became of one benign variant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantProof {
    /// What is unusual.
    pub what: String,
    /// The suite.
    pub suite: String,
    /// Checks that were red: false alarms.
    pub red: Vec<String>,
    /// Checks that warned or could not be judged, each with the declared reason.
    pub declared: Vec<(String, String)>,
    /// Checks that could not be judged, without a declared reason.
    pub open: Vec<String>,
}

impl VariantProof {
    /// Whether nothing was red, and nothing open without a reason.
    pub fn is_quiet(&self) -> bool {
        self.red.is_empty() && self.open.is_empty()
    }
}

/// What became of one mutant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MutantProof {
    /// The difference.
    pub what: String,
    /// The suite.
    pub suite: String,
    /// Checks that were red.
    pub red: Vec<String>,
    /// Why it is right that nothing is red, by a named rule, where nothing is.
    pub justified: Option<String>,
}

impl MutantProof {
    /// Whether a check was red, or nothing has to be.
    pub fn is_settled(&self) -> bool {
        !self.red.is_empty() || self.justified.is_some()
    }
}

/// Which claims were seen to fail, over everything that was tried.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimsProof {
    /// Claims with `must` or `should` of checks that were judged.
    pub all: u32,
    /// Those that failed at least once.
    pub failed: u32,
    /// Those that never did: `FMT-08 must alike (suites/catalogue/format.yaml:88)`.
    pub never: Vec<String>,
    /// Checks of `info` alone, which never decide: exempt.
    pub exempt: Vec<String>,
    /// Checks that were judged in no run at all.
    pub unjudged: Vec<String>,
}

/// So many checks may be of `info` alone.
const EXEMPT_MAX: usize = 10;

impl ClaimsProof {
    fn are_seen(&self) -> bool {
        self.never.is_empty() && self.exempt.len() <= EXEMPT_MAX
    }
}

impl Proof {
    /// Whether everything that was tried came out as it must. Claims count where everything was tried, in depth or in
    /// all suites together: each must have failed at least once, and few checks may claim nothing that counts.
    pub fn holds(&self) -> bool {
        self.clean.red.iter().all(Vec::is_empty)
            && self.variants.iter().all(VariantProof::is_quiet)
            && self.defects.iter().all(|row| row.caught && row.undeclared.is_empty())
            && self.mutants.iter().chain(&self.proxy).all(MutantProof::is_settled)
            && (self.depth == Depth::Quick && self.suites.len() == 1 || self.claims.are_seen())
    }

    /// The table as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has a JSON form")
    }
}
