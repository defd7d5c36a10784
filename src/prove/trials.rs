//! What is tried: the clean mock, what is unusual and right, every defect and every mutant, each with the checks
//! that are to be seen at it.

use std::sync::Arc;
use std::time::Duration;

use crate::conformance::{self, Sought};
use crate::mock;
use crate::suite::Suite;
use crate::suite::check::{Check, Standing, Verb};
use crate::suite::defect::Defect;
use crate::suite::environment::{Environment, MockSpec, Target, Variant};

use super::bench::Trial;
use super::benign::{self, Benign};
use super::proxy::{self, Mutation};
use super::{Options, Subject, mutants, weight};

/// A check of so many requests is tried on every variant, however quick the proof is to be.
const FEW: u64 = 40;

/// An endpoint that hangs is not waited for longer than this in a quick proof.
const HANGS: Duration = Duration::from_secs(2);

/// What a trial is for.
#[derive(Clone, Debug)]
pub(super) enum Aim {
    /// Nothing may be red, in any part of this run.
    Clean {
        /// Its number, from 0.
        run: u32,
    },
    /// Nothing may be red, and what may be open is declared.
    Benign(Box<Benign>),
    /// The checks that name the defect must be red.
    Named(Defect),
    /// Every other check: what is red must be declared.
    Others(Defect),
    /// Some check must be red, or nobody can tell the mutant, for this reason.
    Table(Option<&'static str>),
    /// Some check must be red, or the mutation is no worse than what it was made from.
    Proxy(Box<Mutation>),
}

/// A trial, and what for.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// Which of the suites.
    pub(super) subject: usize,
    /// What for.
    pub(super) aim: Aim,
    /// What is run.
    pub(super) trial: Trial,
    /// Whether nothing else may run meanwhile, because it measures time.
    pub(super) alone: bool,
}

/// One suite's trials in the making.
struct Plan<'a> {
    index: usize,
    subject: &'a Subject,
    options: &'a Options,
    spec: MockSpec,
    planned: Vec<Planned>,
}

/// Every trial of every suite.
pub(super) fn of(options: &Options, defects: &[Defect]) -> Vec<Planned> {
    let mut planned = Vec::new();
    for (index, subject) in options.subjects.iter().enumerate() {
        let spec = mock_of(&subject.environment);
        let mut plan = Plan { index, subject, options, spec, planned: Vec::new() };
        plan.clean();
        if options.clean_runs > 0 {
            plan.clean_connections();
        }
        // Of two suites of one dialect the first has met everything; the second is for what the first passes over.
        let before = &options.subjects[..index];
        let elders: Vec<&Subject> =
            before.iter().filter(|elder| elder.dialect.name == subject.dialect.name).collect();
        let met = before.iter().any(|elder| {
            Defect::ALL.iter().any(|defect| mock::share(&elder.dialect, &subject.dialect, *defect))
        });
        // What is unusual and right is so for all that the same code speaks.
        if options.only.is_empty() && elders.is_empty() && (options.full || !met) {
            plan.benign();
        }
        let proven = |defect: Defect| {
            let again = elders.iter().any(|elder| judges(elder, defect));
            again || before.iter().any(|elder| stands_for(elder, subject, defect))
        };
        for defect in defects.iter().filter(|defect| !proven(**defect)) {
            plan.defect(*defect);
        }
        if options.mutants && options.only.is_empty() && elders.is_empty() {
            plan.mutants();
        }
        planned.append(&mut plan.planned);
    }
    planned
}

/// Whether a check of the suite that is not passed over names the defect, or the gate is what it is for.
fn judges(subject: &Subject, defect: Defect) -> bool {
    let named =
        |check: &Check| check.proof.contains_key(&defect) && !matches!(check.standing, Standing::Skip { .. });
    super::meant_for_gate(defect) || subject.suite.checks.iter().any(named)
}

/// Whether a suite before this one has met the defect in the very code that would have it here.
fn stands_for(elder: &Subject, subject: &Subject, defect: Defect) -> bool {
    mock::share(&elder.dialect, &subject.dialect, defect)
        && mock::can_have(&elder.dialect, defect)
        && judges(elder, defect)
}

impl Plan<'_> {
    /// Whether a check of the trial measures time.
    fn wants_quiet(trial: &Trial) -> bool {
        let runs = |check: &&Check| trial.only.is_empty() || trial.only.contains(&check.id);
        trial.suite.checks.iter().filter(runs).any(weight::wants_quiet)
    }

    fn add(&mut self, aim: Aim, trial: Trial) {
        let alone = Self::wants_quiet(&trial);
        self.planned.push(Planned { subject: self.index, aim, trial, alone });
    }

    /// A trial of these checks on that mock, whose policy the suite promises.
    fn trial(&self, what: impl Into<String>, spec: MockSpec, only: Vec<String>) -> Trial {
        let suite = promising(&self.subject.suite, &spec, &self.spec);
        Trial {
            what: what.into(),
            suite,
            environment: Arc::clone(&self.subject.environment),
            spec,
            mock_table: Arc::clone(&self.subject.dialect),
            client_table: Arc::clone(&self.subject.dialect),
            secure: false,
            mutation: None,
            only,
            or_else: Vec::new(),
            full: false,
            sought: None,
        }
    }

    fn ids(&self, wanted: impl Fn(&Check) -> bool) -> Vec<String> {
        let checks = self.subject.suite.checks.iter();
        checks.filter(|check| wanted(check)).map(|check| check.id.clone()).collect()
    }

    fn light(&self) -> Vec<String> {
        self.ids(|check| !weight::is_heavy(check))
    }

    /// What a variant is tried with: in a quick proof only checks of few requests, in a full one all that are light.
    fn brisk(&self) -> Vec<String> {
        let light = self.light();
        if self.options.full {
            return light;
        }
        let Subject { suite, environment, dialect } = self.subject;
        let planned = conformance::plan(suite, environment, dialect, false);
        let few = planned.into_iter().filter(|check| check.burn.requests <= FEW).map(|check| check.id);
        few.filter(|id| light.contains(id)).collect()
    }

    fn clean(&mut self) {
        for run in 0..self.options.clean_runs {
            let spec = MockSpec { seed: self.spec.seed + u64::from(run), ..self.spec.clone() };
            // The first run has everything, and what measures time by itself; the others of a quick proof see
            // whether chance can make something red.
            let parts = if run == 0 || self.options.full {
                vec![self.ids(|check| !weight::wants_quiet(check)), self.ids(weight::wants_quiet)]
            } else {
                vec![self.light()]
            };
            for only in parts.into_iter().filter(|only| !only.is_empty()) {
                let mut trial = self.trial(format!("clean, seed {}", spec.seed), spec.clone(), only);
                // What measures time takes half an hour at full depth, and nobody proves anything with it.
                let is_quiet = Self::wants_quiet(&trial);
                trial.full = self.options.full && !is_quiet;
                self.add(Aim::Clean { run }, trial);
            }
        }
    }

    /// What is said of connections is judged where there is TLS.
    fn clean_connections(&mut self) {
        let only = self.ids(connects);
        if !only.is_empty() {
            let mut trial = self.trial("clean, behind TLS", self.spec.clone(), only);
            trial.secure = true;
            self.add(Aim::Clean { run: 0 }, trial);
        }
    }

    fn benign(&mut self) {
        for benign in benign::all(&self.spec, &self.subject.dialect) {
            let mut trial = self.trial(benign.what.clone(), benign.spec.clone(), self.brisk());
            if let Some(dialect) = benign.tweaked(&self.subject.dialect) {
                trial.client_table = Arc::new(dialect);
            }
            self.add(Aim::Benign(Box::new(benign)), trial);
        }
        let nothing = Mutation::nothing();
        let mut trial = self.trial("a proxy that changes nothing", self.spec.clone(), self.brisk());
        trial.mutation = Some(nothing);
        let benign = Benign::plain(trial.what.clone(), trial.spec.clone());
        self.add(Aim::Benign(Box::new(benign)), trial);
    }

    fn defect(&mut self, defect: Defect) {
        let named = self.ids(|check| check.proof.contains_key(&defect));
        let is_ours = !named.is_empty() || super::meant_for_gate(defect);
        if !is_ours {
            return;
        }
        let policy = defect.lives_in().unwrap_or(self.spec.policy);
        let spec = MockSpec { defects: vec![defect], policy, ..self.spec.clone() };
        let full = self.options.full;
        // A gate that shuts needs one check to be asked for, whichever.
        let mut only = if named.is_empty() { self.ids(|_| true) } else { named.clone() };
        // A check that only listens needs others to be listened to: those that are refused.
        let listens = |check: &Check| check.steps.is_empty() && check.proof.contains_key(&defect);
        if !self.ids(listens).is_empty() {
            only.extend(self.ids(|check| check.group == "errors"));
        }
        let secure = !self.ids(|check| check.proof.contains_key(&defect) && connects(check)).is_empty();
        // Where a check's refusal costs somebody else's grant, each check has a mock to itself.
        let parts = if strays(defect) { only.into_iter().map(|id| vec![id]).collect() } else { vec![only] };
        for only in parts {
            let mut trial = self.trial(defect.word(), spec.clone(), only);
            trial.secure = secure;
            // A full proof also wants to know which of the other claims fail.
            trial.sought = Some(if full { Sought::Failures } else { self.sought(defect) });
            if !full && super::hangs(defect) {
                let environment = Environment { timeout: HANGS, ..(*self.subject.environment).clone() };
                trial.environment = Arc::new(environment);
            }
            self.add(Aim::Named(defect), trial);
        }
        let others: Vec<String> = self.light().into_iter().filter(|id| !named.contains(id)).collect();
        // Without TLS there is nothing wrong with it.
        if full && !others.is_empty() && !secure {
            let mut trial = self.trial(format!("{}, other checks", defect.word()), spec, others);
            trial.sought = Some(Sought::Reds);
            self.add(Aim::Others(defect), trial);
        }
    }

    /// The claims that are to catch a defect.
    fn sought(&self, defect: Defect) -> Sought {
        let checks = self.subject.suite.checks.iter();
        let claims = checks.filter_map(|check| Some((check.id.clone(), check.proof.get(&defect)?.clone())));
        Sought::Claims(claims.collect())
    }

    fn mutants(&mut self) {
        let only = self.ids(tells_a_mutant);
        // Where the plain checks see nothing, a full proof asks all the others.
        let or_else = if self.options.full {
            self.light().into_iter().filter(|id| !only.contains(id)).collect()
        } else {
            Vec::new()
        };
        let trial = |what: String| {
            let mut trial = self.trial(what, self.spec.clone(), only.clone());
            trial.or_else.clone_from(&or_else);
            trial.sought = Some(Sought::Reds);
            trial
        };
        let mut made = Vec::new();
        for mutant in mutants::of(&self.subject.dialect) {
            let mut trial = trial(mutant.what);
            trial.mock_table = Arc::new(mutant.mock_table);
            trial.client_table = Arc::new(mutant.client_table);
            made.push((Aim::Table(mutant.equivalent), trial));
        }
        if self.options.full {
            for mutation in proxy::all(&self.subject.dialect) {
                let mut trial = trial(mutation.what.clone());
                trial.mutation = Some(mutation.clone());
                made.push((Aim::Proxy(Box::new(mutation)), trial));
            }
        }
        for (aim, trial) in made {
            self.add(aim, trial);
        }
    }
}

/// Whether a check looks at connections.
fn connects(check: &Check) -> bool {
    check.steps.iter().any(|step| matches!(step.verb, Verb::Connect(_)))
}

/// Defects that hit whoever comes next, and so perhaps another check than the one that provoked them.
fn strays(defect: Defect) -> bool {
    matches!(defect, Defect::RefusalPoisons | Defect::UnknownPathPoisons | Defect::ManyHeadersPoison)
}

/// What a mutant of a table or of an answer shows itself in: groups that look at single answers, and whoever sees
/// that the token of the last answer was not found.
fn tells_a_mutant(check: &Check) -> bool {
    let is_plain = ["format", "schema", "success", "oauth2"].contains(&check.group.as_str());
    (is_plain || check.proof.contains_key(&Defect::RefreshUnchanged)) && !weight::is_heavy(check)
}

/// The suite, promising what the mock keeps. A mock as the suite's own needs no other promise.
fn promising(suite: &Arc<Suite>, spec: &MockSpec, own: &MockSpec) -> Arc<Suite> {
    let short = spec.variants.contains(&Variant::ShortLifetimes);
    if spec.policy == own.policy && !short {
        return Arc::clone(suite);
    }
    let mut suite = (**suite).clone();
    suite.policy = spec.promised();
    Arc::new(suite)
}

fn mock_of(environment: &Environment) -> MockSpec {
    match &environment.target {
        Target::Mock(spec) => (**spec).clone(),
        Target::RunningMock { .. } | Target::Url(_) => MockSpec::default(),
    }
}
