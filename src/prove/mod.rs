//! The suite against every defect: the kill table.
//!
//! Owns the question whether green means something. The suite runs against the clean mock several times, against
//! every benign variant, against a mock with each defect, and against mocks whose copy of the dialect table
//! differs in one place. A defect is *caught* where every check whose `proof:` names it fails at a claim that
//! the proof names; other reds must be among those that [`also`] declares.

mod also;
mod bench;
mod mutants;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::conformance::Outcome;
use crate::dialect::Dialect;
use crate::results::{CheckResult, Verdict};
use crate::source::nearest;
use crate::suite::Suite;
use crate::suite::check::ProofClaim;
use crate::suite::defect::{Defect, Subtlety};
use crate::suite::environment::{Environment, MockPolicy, MockSpec, Target, Variant};

use self::bench::Trial;

/// What to prove, and how far.
#[derive(Clone, Debug)]
pub struct Options {
    /// The suite.
    pub suite: Arc<Suite>,
    /// The environment; its mock, or the default one, is what the defects are put into.
    pub environment: Arc<Environment>,
    /// The dialect.
    pub dialect: Arc<Dialect>,
    /// Only these defects, by name; all where it is empty.
    pub only: Vec<String>,
    /// Full depth.
    pub full: bool,
    /// Runs against the clean mock, each with a seed of its own.
    pub clean_runs: u32,
    /// Whether to generate mutants of the dialect table.
    pub mutants: bool,
}

/// Why nothing can be proven, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannotProve(pub String);

/// The kill table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The clean runs.
    pub clean: Clean,
    /// Benign variants.
    pub variants: Vec<Mutant>,
    /// The defects.
    pub defects: Vec<Row>,
    /// Mutants of the dialect table.
    pub mutants: Vec<Mutant>,
}

/// What the clean mock came to.
#[derive(Clone, Debug, Default)]
pub struct Clean {
    /// How many runs.
    pub runs: u32,
    /// Checks judged in the first run, and how many passed.
    pub judged: (usize, usize),
    /// For every run, the checks that did not pass.
    pub reds: Vec<Vec<String>>,
}

/// One defect.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// What is wrong.
    pub what: String,
    /// How hard it is to see.
    pub subtlety: Subtlety,
    /// The checks whose proof names it; `gate` for what breaks the good call itself.
    pub meant_for: Vec<String>,
    /// Whether it was caught.
    pub caught: Caught,
    /// Checks that are red beside those it is meant for.
    pub also_red: Vec<String>,
    /// Those of `also_red` that nobody declared.
    pub undeclared: Vec<String>,
}

/// Whether a defect was caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// By every check that names it, at a claim that it names.
    ByItsCheck,
    /// Something is red, and not what should be.
    ByAnother,
    /// Nothing is red.
    Escaped,
}

/// A mock that differs in one place, and what turned red.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The difference.
    pub what: String,
    /// The red checks; `gate` for the good call.
    pub red: Vec<String>,
}

impl Table {
    /// Whether green means something: all caught, nothing undeclared, no false alarm.
    pub fn proven(&self) -> bool {
        self.clean.reds.iter().all(Vec::is_empty)
            && self.variants.iter().all(|variant| variant.red.is_empty())
            && self.defects.iter().all(|row| row.caught == Caught::ByItsCheck && row.undeclared.is_empty())
            && self.mutants.iter().all(|mutant| !mutant.red.is_empty())
    }

    /// The table for programs.
    pub fn json(&self) -> Value {
        let mutant = |mutant: &Mutant| json!({ "what": mutant.what, "red": mutant.red });
        json!({
            "proven": self.proven(),
            "clean": {
                "runs": self.clean.runs,
                "judged": self.clean.judged.0,
                "passed": self.clean.judged.1,
                "red": self.clean.reds,
            },
            "defects": self.defects.iter().map(Row::json).collect::<Vec<_>>(),
            "variants": self.variants.iter().map(mutant).collect::<Vec<_>>(),
            "mutants": self.mutants.iter().map(mutant).collect::<Vec<_>>(),
        })
    }
}

impl Row {
    fn json(&self) -> Value {
        let by = (self.caught == Caught::ByItsCheck).then(|| self.meant_for.first()).flatten();
        json!({
            "id": self.id,
            "caught": self.caught == Caught::ByItsCheck,
            "by": by,
            "meant_for": self.meant_for,
            "also_red": self.also_red,
            "undeclared": self.undeclared,
        })
    }
}

/// Runs everything, two mocks at a time; `progress` hears how many trials of all are done, and the last's name.
pub async fn prove(
    options: &Options,
    progress: &(dyn Fn(usize, usize, &str) + Sync),
) -> Result<Table, CannotProve> {
    let spec = mock_of(&options.environment);
    let defects = chosen_defects(&options.only, &options.suite)?;
    let trials = trials(options, &spec, &defects);
    let outcomes = run_all(options, trials, progress).await?;
    Ok(tabulate(options, &defects, outcomes))
}

fn mock_of(environment: &Environment) -> MockSpec {
    match &environment.target {
        Target::Mock(spec) => (**spec).clone(),
        Target::RunningMock { .. } | Target::Url(_) => MockSpec::default(),
    }
}

fn chosen_defects(only: &[String], suite: &Suite) -> Result<Vec<Defect>, CannotProve> {
    if only.is_empty() {
        let named = |defect: &Defect| suite.checks.iter().any(|check| check.proof.contains_key(defect));
        return Ok(Defect::ALL.iter().copied().filter(|d| named(d) || meant_for_gate(*d)).collect());
    }
    only.iter()
        .map(|word| {
            Defect::from_word(word).ok_or_else(|| {
                let near = nearest(word, Defect::ALL.iter().map(|defect| defect.word()));
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                CannotProve(format!("no defect is called `{word}`{hint}"))
            })
        })
        .collect()
}

/// What is under trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Clean,
    Variant,
    Defect(Defect),
    Mutant,
}

fn trials(options: &Options, spec: &MockSpec, defects: &[Defect]) -> Vec<(Subject, Trial)> {
    let trial = |what: String, spec: MockSpec| Trial {
        what,
        spec,
        promised: None,
        mock_table: (*options.dialect).clone(),
        client_table: (*options.dialect).clone(),
    };
    let mut trials = Vec::new();
    for run in 0..options.clean_runs {
        let spec = MockSpec { seed: spec.seed + u64::from(run), ..spec.clone() };
        trials.push((Subject::Clean, trial(format!("clean, seed {}", spec.seed), spec)));
    }
    if options.only.is_empty() {
        for (what, variant) in benign(spec) {
            let short = variant.variants.contains(&Variant::ShortLifetimes);
            let promised = (variant.policy != spec.policy || short).then(|| variant.promised());
            trials.push((Subject::Variant, Trial { promised, ..trial(what, variant) }));
        }
    }
    for defect in defects {
        let home = defect.lives_in();
        let policy = home.unwrap_or(spec.policy);
        let spec = MockSpec { policy, defects: vec![*defect], ..spec.clone() };
        let promised = home.map(|_| spec.promised());
        trials.push((Subject::Defect(*defect), Trial { promised, ..trial(defect.word().to_owned(), spec) }));
    }
    if options.mutants && options.only.is_empty() {
        for mutant in mutants::of(&options.dialect) {
            let mut trial = trial(mutant.what, spec.clone());
            trial.mock_table = mutant.mock_table;
            trial.client_table = mutant.client_table;
            trials.push((Subject::Mutant, trial));
        }
    }
    trials
}

/// Unusual and right: a suite must stay green on each.
fn benign(spec: &MockSpec) -> Vec<(String, MockSpec)> {
    let mut specs = vec![(
        "Web API 1".to_owned(),
        MockSpec { webapi: crate::suite::environment::Generation::One, ..spec.clone() },
    )];
    for (policy, word) in MockPolicy::ALL {
        if policy != spec.policy {
            specs.push((format!("policy {word}"), MockSpec { policy, ..spec.clone() }));
        }
    }
    for &(variant, word) in Variant::ALL {
        specs.push((word.to_owned(), MockSpec { variants: vec![variant], ..spec.clone() }));
    }
    specs
}

async fn run_all(
    options: &Options,
    trials: Vec<(Subject, Trial)>,
    progress: &(dyn Fn(usize, usize, &str) + Sync),
) -> Result<Vec<(Subject, String, Outcome)>, CannotProve> {
    let all = trials.len();
    let places = Arc::new(Semaphore::new(2));
    let mut running = JoinSet::new();
    for (number, (subject, trial)) in trials.into_iter().enumerate() {
        let (options, places) = (options.clone(), places.clone());
        running.spawn(async move {
            let _place = places.acquire_owned().await.expect("nobody closes the semaphore");
            let outcome = bench::run(&options, &trial).await;
            (number, subject, trial.what, outcome)
        });
    }
    let mut outcomes = Vec::with_capacity(all);
    while let Some(done) = running.join_next().await {
        let (number, subject, what, outcome) = done.map_err(|error| CannotProve(error.to_string()))?;
        progress(outcomes.len() + 1, all, &what);
        outcomes.push((number, subject, what, outcome?));
    }
    outcomes.sort_by_key(|(number, ..)| *number);
    Ok(outcomes.into_iter().map(|(_, subject, what, outcome)| (subject, what, outcome)).collect())
}

fn tabulate(options: &Options, defects: &[Defect], outcomes: Vec<(Subject, String, Outcome)>) -> Table {
    let mut table = Table {
        clean: Clean { runs: options.clean_runs, ..Clean::default() },
        variants: Vec::new(),
        defects: Vec::with_capacity(defects.len()),
        mutants: Vec::new(),
    };
    for (subject, what, outcome) in outcomes {
        match subject {
            Subject::Clean => {
                if table.clean.reds.is_empty() {
                    table.clean.judged = judged(&outcome);
                }
                table.clean.reds.push(not_green(&outcome));
            }
            Subject::Variant => table.variants.push(Mutant { what, red: red(&outcome) }),
            Subject::Defect(defect) => table.defects.push(row(&options.suite, defect, &outcome)),
            Subject::Mutant => table.mutants.push(Mutant { what, red: red(&outcome) }),
        }
    }
    table
}

fn judged(outcome: &Outcome) -> (usize, usize) {
    let judged = outcome.checks.iter().filter(|check| !matches!(check.verdict, Verdict::Skipped { .. }));
    let passed = outcome.checks.iter().filter(|check| check.verdict == Verdict::Pass);
    (judged.count(), passed.count())
}

/// Red, or not decided: a clean mock leaves nothing open.
fn not_green(outcome: &Outcome) -> Vec<String> {
    let open = outcome.checks.iter().filter(|check| matches!(check.verdict, Verdict::Inconclusive { .. }));
    red(outcome).into_iter().chain(open.map(|check| format!("{} (inconclusive)", check.id))).collect()
}

fn red(outcome: &Outcome) -> Vec<String> {
    let gate = outcome.gate.iter().map(|_| "gate".to_owned());
    gate.chain(outcome.checks.iter().filter(|check| is_red(check)).map(|check| check.id.clone())).collect()
}

fn is_red(check: &CheckResult) -> bool {
    matches!(check.verdict, Verdict::Fail | Verdict::Warn | Verdict::Stale { .. })
}

/// Defects under which nothing is ever granted: the gate is what catches them.
fn meant_for_gate(defect: Defect) -> bool {
    defect == Defect::AlwaysCrash
}

fn row(suite: &Suite, defect: Defect, outcome: &Outcome) -> Row {
    let red = red(outcome);
    let (meant_for, caught) = if meant_for_gate(defect) {
        (vec!["gate".to_owned()], outcome.gate.is_some())
    } else {
        let proofs: Vec<_> =
            suite.checks.iter().filter_map(|check| Some((check, check.proof.get(&defect)?))).collect();
        let caught =
            !proofs.is_empty() && proofs.iter().all(|(check, claims)| caught_at(outcome, &check.id, claims));
        (proofs.iter().map(|(check, _)| check.id.clone()).collect(), caught)
    };
    let also_red: Vec<String> = red.iter().filter(|id| !meant_for.contains(id)).cloned().collect();
    let undeclared = also_red.iter().filter(|id| !also::declared(defect, id)).cloned().collect();
    Row {
        id: defect.word().to_owned(),
        what: defect.what().to_owned(),
        subtlety: defect.subtlety(),
        caught: match (caught, red.is_empty()) {
            (true, _) => Caught::ByItsCheck,
            (false, false) => Caught::ByAnother,
            (false, true) => Caught::Escaped,
        },
        meant_for,
        also_red,
        undeclared,
    }
}

/// Whether the check `id` has a finding at one of `claims`.
fn caught_at(outcome: &Outcome, id: &str, claims: &[ProofClaim]) -> bool {
    let Some(check) = outcome.checks.iter().find(|check| check.id == id) else { return false };
    check.findings.iter().any(|finding| {
        let (step, word) = match finding.claim.rsplit_once('.') {
            Some((step, word)) => (Some(step), word),
            None => (None, finding.claim.as_str()),
        };
        claims
            .iter()
            .any(|claim| claim.word == word && (claim.step.is_none() || claim.step.as_deref() == step))
    })
}
