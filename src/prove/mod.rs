//! The suites against every defect: the kill table.
//!
//! Owns the question whether green means something. The suites run against the clean mock several times, against
//! everything that is unusual and right, against a mock with each defect, against mocks whose copy of the dialect
//! table differs in one place, and through a proxy that spoils one thing in the answers. A defect is *caught*
//! where every check whose `proof:` names it fails at a claim that the proof names; other reds must be among
//! those that [`also`] expects. A claim that nothing ever failed may be one that cannot fail.
//!
//! Start at [`prove`]; what it finds is a [`Proof`].

mod also;
mod bench;
mod benign;
mod coverage;
mod mutants;
mod proxy;
mod trials;
mod weight;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::conformance::Outcome;
use crate::dialect::Dialect;
use crate::mock::can_have;
use crate::results::proof::{DefectProof, MutantProof, Proof, VariantProof};
use crate::results::{CheckResult, Depth, Verdict};
use crate::source::nearest;
use crate::suite::Suite;
use crate::suite::check::{Check, ProofClaim, Standing};
use crate::suite::defect::{Defect, Subtlety};
use crate::suite::environment::{Environment, MockPolicy};

use self::benign::Benign;
use self::coverage::Coverage;
use self::trials::{Aim, Planned};

/// Trials that run at the same time. Most wait for the wire or for the clock most of the time.
const SIDE_BY_SIDE: usize = 6;

/// The same in full depth, where nearly all of them race and wait for each other's answers.
const SIDE_BY_SIDE_FULL: usize = 18;

/// Trials whose endpoint hangs, beside the others: they cost nothing but time.
const WAITING: usize = 8;

/// The same for trials that measure time: their defects are coarse, and none may keep both cores busy.
const QUIETLY: usize = 3;

/// What to prove, and how far.
#[derive(Clone, Debug)]
pub struct Options {
    /// The suites.
    pub subjects: Vec<Subject>,
    /// Only these defects, by name; all where it is empty.
    pub only: Vec<String>,
    /// Every defect against every check of its dialect.
    pub full: bool,
    /// Runs against the clean mock, each with a seed of its own.
    pub clean_runs: u32,
    /// Whether to generate mutants of the dialect table and of the answers.
    pub mutants: bool,
}

/// A suite to prove.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The suite.
    pub suite: Arc<Suite>,
    /// The environment; its mock, or the default one, is what the defects are put into.
    pub environment: Arc<Environment>,
    /// The dialect.
    pub dialect: Arc<Dialect>,
}

impl Subject {
    fn name(&self) -> String {
        self.suite.file.name().to_owned()
    }
}

/// Why nothing can be proven, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannotProve(pub String);

/// Runs everything; `progress` hears how many trials of all are done, and the last's name.
pub async fn prove(
    options: &Options,
    progress: &(dyn Fn(usize, usize, &str) + Sync),
) -> Result<Proof, CannotProve> {
    let began = Instant::now();
    let defects = chosen_defects(options)?;
    let planned = trials::of(options, &defects);
    let mut table = Table::of(options, &defects);
    let all = planned.len();
    let (alone, free): (Vec<_>, Vec<_>) = planned.into_iter().partition(|planned| planned.alone);
    let places = if options.full { SIDE_BY_SIDE_FULL } else { SIDE_BY_SIDE };
    let (waiting, busy) = free.into_iter().partition(|planned| waits(&planned.aim));
    let mut done = 0;
    for pools in [vec![(waiting, WAITING), (busy, places)], vec![(alone, QUIETLY)]] {
        let mut running = start(pools);
        while let Some(finished) = running.join_next().await {
            let (planned, outcome, took) = finished.map_err(|error| CannotProve(error.to_string()))?;
            done += 1;
            progress(done, all, &planned.trial.what);
            table.note(&planned, &outcome?, took);
        }
    }
    Ok(table.conclude(began))
}

type Finished = (Planned, Result<Outcome, CannotProve>, Duration);

/// Starts pools of trials at once, each with so many places.
fn start(pools: Vec<(Vec<Planned>, usize)>) -> JoinSet<Finished> {
    let mut running = JoinSet::new();
    for (trials, places) in pools {
        let places = Arc::new(Semaphore::new(places));
        for planned in trials {
            let places = Arc::clone(&places);
            running.spawn(async move {
                let _place = places.acquire_owned().await.expect("nobody closes the semaphore");
                let began = Instant::now();
                let outcome = bench::run(&planned.trial).await;
                (planned, outcome, began.elapsed())
            });
        }
    }
    running
}

/// The defects to try: those that were asked for; of one suite those that it names; of several all that there are.
fn chosen_defects(options: &Options) -> Result<Vec<Defect>, CannotProve> {
    if !options.only.is_empty() {
        return options.only.iter().map(|word| defect(word)).collect();
    }
    let naming = |defect: Defect| {
        let able = options.subjects.iter().filter(move |subject| can_have(&subject.dialect, defect));
        able.flat_map(|subject| &subject.suite.checks).filter(move |check| check.proof.contains_key(&defect))
    };
    let all = options.subjects.len() > 1;
    let chosen = |defect: &Defect| {
        // What only a check names that these suites pass over is for other suites to prove.
        let skipped = |check: &Check| matches!(check.standing, Standing::Skip { .. });
        let passed_over = naming(*defect).next().is_some() && naming(*defect).all(skipped);
        (all || naming(*defect).next().is_some() || meant_for_gate(*defect)) && !passed_over
    };
    Ok(Defect::ALL.iter().copied().filter(chosen).collect())
}

fn defect(word: &str) -> Result<Defect, CannotProve> {
    Defect::from_word(word).ok_or_else(|| {
        let near = nearest(word, Defect::ALL.iter().map(|defect| defect.word()));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        CannotProve(format!("no defect is called `{word}`{hint}"))
    })
}

/// Whether a trial waits for seconds and costs nothing.
fn waits(aim: &Aim) -> bool {
    match aim {
        Aim::Named(defect) | Aim::Others(defect) => hangs(*defect) || pauses(*defect),
        Aim::Clean { .. } | Aim::Benign(_) | Aim::Table(_) | Aim::Proxy(_) => false,
    }
}

/// Defects under which an answer does not come.
fn hangs(defect: Defect) -> bool {
    matches!(
        defect,
        Defect::TruncatedHang
            | Defect::BigFieldSlow
            | Defect::ExpectHang
            | Defect::SlowBodyHang
            | Defect::DeepHang
            | Defect::ManyHeadersHang
            | Defect::PipelinedLost
    )
}

/// Defects under which an answer comes late, which is what there is to see.
fn pauses(defect: Defect) -> bool {
    matches!(
        defect,
        Defect::BrokenBodyStalls | Defect::AbortLeavesLock | Defect::SqlSleep | Defect::EntityBomb
    )
}

/// Defects under which nothing is ever granted: the gate is what catches them.
fn meant_for_gate(defect: Defect) -> bool {
    defect == Defect::AlwaysCrash
}

/// The kill table while it is filled.
struct Table<'a> {
    options: &'a Options,
    proof: Proof,
    coverage: Coverage,
    /// The clean runs that began, by suite and number.
    clean_runs: Vec<(usize, u32)>,
}

impl Table<'_> {
    fn of<'a>(options: &'a Options, defects: &[Defect]) -> Table<'a> {
        let proof = Proof {
            proven: false,
            proved_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            suites: options.subjects.iter().map(Subject::name).collect(),
            depth: if options.full { Depth::Full } else { Depth::Quick },
            took_us: 0,
            clean: crate::results::proof::CleanProof::default(),
            defects: defects.iter().map(|defect| blank(*defect)).collect(),
            variants: Vec::new(),
            mutants: Vec::new(),
            proxy: Vec::new(),
            claims: crate::results::proof::ClaimsProof::default(),
        };
        Table { options, proof, coverage: Coverage::default(), clean_runs: Vec::new() }
    }

    fn note(&mut self, planned: &Planned, outcome: &Outcome, took: Duration) {
        self.coverage.note(outcome);
        let suite = self.options.subjects[planned.subject].name();
        let what = planned.trial.what.clone();
        match &planned.aim {
            Aim::Clean { run } => self.clean(planned, *run, outcome),
            Aim::Benign(benign) => self.proof.variants.push(variant(benign, suite, outcome)),
            Aim::Named(defect) => {
                self.named(*defect, planned, outcome);
                self.row(*defect).took_us += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            }
            Aim::Others(defect) => self.others(*defect, planned, outcome),
            Aim::Table(equivalent) => {
                let red = red(outcome);
                let justified = equivalent.filter(|_| red.is_empty()).map(str::to_owned);
                self.proof.mutants.push(MutantProof { what, suite, red, justified });
            }
            Aim::Proxy(mutation) => {
                let red = red(outcome);
                let justified =
                    red.is_empty().then(|| proxy::justified(mutation)).flatten().map(str::to_owned);
                self.proof.proxy.push(MutantProof { what, suite, red, justified });
            }
        }
    }

    /// A run may be in parts: what measures time is by itself.
    fn clean(&mut self, planned: &Planned, run: u32, outcome: &Outcome) {
        let clean = &mut self.proof.clean;
        let whole = (planned.subject, run);
        let at = self.clean_runs.iter().position(|known| *known == whole).unwrap_or_else(|| {
            self.clean_runs.push(whole);
            clean.red.push(Vec::new());
            clean.runs += 1;
            clean.red.len() - 1
        });
        clean.red[at].extend(not_green(outcome));
        // The first run of a suite has every check.
        if run == 0 {
            let judged = outcome.checks.iter().filter(|check| was_judged(check));
            let passed = outcome.checks.iter().filter(|check| check.verdict == Verdict::Pass);
            clean.judged += u32::try_from(judged.count()).unwrap_or(u32::MAX);
            clean.passed += u32::try_from(passed.count()).unwrap_or(u32::MAX);
        }
    }

    fn row(&mut self, defect: Defect) -> &mut DefectProof {
        let row = self.proof.defects.iter_mut().find(|row| row.id == defect.word());
        row.expect("a trial is of a defect that was chosen")
    }

    /// The checks that name the defect: those that apply must fail at a claim that the proof names.
    fn named(&mut self, defect: Defect, planned: &Planned, outcome: &Outcome) {
        let suite = &planned.trial.suite;
        let name = suite.file.name().to_owned();
        let shut = outcome.gate.is_some();
        let row = self.row(defect);
        if meant_for_gate(defect) {
            row.meant_for = vec!["gate".to_owned()];
            row.suites.push(name);
            if !shut {
                row.missed_by.push("gate".to_owned());
            }
            return;
        }
        if !can_have(&planned.trial.mock_table, defect) {
            return;
        }
        let named = suite.checks.iter().filter_map(|check| Some((check, check.proof.get(&defect)?)));
        let mut applies = false;
        for (check, claims) in named {
            let Some(result) = outcome.checks.iter().find(|result| result.id == check.id) else { continue };
            if !was_judged(result) && !shut {
                continue;
            }
            applies = true;
            add(&mut row.meant_for, &check.id);
            if !caught_at(result, claims) {
                add(&mut row.missed_by, &check.id);
            }
        }
        if applies {
            add(&mut row.suites, &name);
        }
    }

    fn others(&mut self, defect: Defect, planned: &Planned, outcome: &Outcome) {
        let suite = &planned.trial.suite;
        let row = self.row(defect);
        for id in red(outcome) {
            let check = suite.checks.iter().find(|check| check.id == id);
            if !check.is_some_and(|check| also::expected(defect, check)) {
                add(&mut row.undeclared, &id);
            }
            add(&mut row.also_red, &id);
        }
    }

    fn conclude(mut self, began: Instant) -> Proof {
        // A few defects say nothing of all the claims that they are not for.
        if self.options.only.is_empty() {
            let suites = self.options.subjects.iter().map(|subject| &*subject.suite);
            self.proof.claims = self.coverage.of(suites);
        }
        if self.options.subjects.len() == 1 && self.options.only.is_empty() {
            // What no check of this suite can be asked about belongs to another.
            self.proof.defects.retain(|row| !row.meant_for.is_empty());
        }
        for row in &mut self.proof.defects {
            row.caught = !row.meant_for.is_empty() && row.missed_by.is_empty();
            row.by = row.caught.then(|| row.meant_for.first().cloned()).flatten();
        }
        let in_order = |one: &MutantProof, other: &MutantProof| {
            (&one.suite, &one.what).cmp(&(&other.suite, &other.what))
        };
        self.proof.mutants.sort_by(in_order);
        self.proof.proxy.sort_by(in_order);
        self.proof.variants.sort_by(|one, other| (&one.suite, &one.what).cmp(&(&other.suite, &other.what)));
        self.proof.took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.proof.proven = self.proof.holds();
        self.proof
    }
}

fn blank(defect: Defect) -> DefectProof {
    let word =
        |policy| MockPolicy::ALL.iter().find(|(own, _)| *own == policy).map(|(_, word)| (*word).to_owned());
    DefectProof {
        id: defect.word().to_owned(),
        what: defect.what().to_owned(),
        subtlety: match defect.subtlety() {
            Subtlety::Gross => "gross",
            Subtlety::Medium => "medium",
            Subtlety::Subtle => "subtle",
        }
        .to_owned(),
        policy: defect.lives_in().and_then(word),
        suites: Vec::new(),
        caught: false,
        by: None,
        meant_for: Vec::new(),
        missed_by: Vec::new(),
        also_red: Vec::new(),
        undeclared: Vec::new(),
        took_us: 0,
    }
}

fn add(ids: &mut Vec<String>, id: &str) {
    if !ids.iter().any(|known| known == id) {
        ids.push(id.to_owned());
    }
}

fn variant(benign: &Benign, suite: String, outcome: &Outcome) -> VariantProof {
    let mut proof = VariantProof {
        what: benign.what.clone(),
        suite,
        red: Vec::new(),
        declared: Vec::new(),
        open: Vec::new(),
    };
    if let Some(gate) = &outcome.gate {
        proof.red.push(format!("gate: {}", gate.reason));
    }
    for check in &outcome.checks {
        let id = check.id.clone();
        match &check.verdict {
            Verdict::Pass | Verdict::Skipped { .. } => {}
            Verdict::Warn => match benign.may_warn(&id) {
                Some(why) => proof.declared.push((id, why.to_owned())),
                None => proof.red.push(id),
            },
            Verdict::Inconclusive { reason } => match benign.may_be_open(&id) {
                Some(why) => proof.declared.push((id, why.to_owned())),
                None => proof.open.push(format!("{id}: {reason}")),
            },
            Verdict::Fail | Verdict::Known { .. } | Verdict::Stale { .. } => proof.red.push(id),
        }
    }
    proof
}

fn was_judged(check: &CheckResult) -> bool {
    !matches!(check.verdict, Verdict::Skipped { .. })
}

/// Red, or not decided: a clean mock leaves nothing open.
fn not_green(outcome: &Outcome) -> Vec<String> {
    let open = outcome.checks.iter().filter_map(|check| match &check.verdict {
        Verdict::Inconclusive { reason } => Some(format!("{} (inconclusive: {reason})", check.id)),
        _ => None,
    });
    let gate = outcome.gate.iter().map(|gate| format!("gate: {}", gate.reason));
    gate.chain(red(outcome)).chain(open).collect()
}

/// The red checks. A gate that shuts is no check: what it stands for must be red as well.
fn red(outcome: &Outcome) -> Vec<String> {
    outcome.checks.iter().filter(|check| is_red(check)).map(|check| check.id.clone()).collect()
}

fn is_red(check: &CheckResult) -> bool {
    matches!(check.verdict, Verdict::Fail | Verdict::Warn | Verdict::Stale { .. })
}

/// Whether a check has a finding at one of `claims`.
fn caught_at(check: &CheckResult, claims: &[ProofClaim]) -> bool {
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
