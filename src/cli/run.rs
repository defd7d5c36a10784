//! `assay run`, `check` and `load`: the straight line from a plan to reports and an exit code.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::{Timestamp, Zoned};
use rand::TryRng as _;
use rand::rngs::SysRng;

use crate::client::certificate::Agreed;
use crate::conformance;
use crate::conformance::Counted;
use crate::conformance::sentinels::{self, Watched};
use crate::load;
use crate::report::{json, terminal};
use crate::results::comparing::{Comparing, ExpectedDifference};
use crate::results::event::{Event, Narrator, Stop};
use crate::results::outcome::{self, Exit};
use crate::results::{
    Books, Burn, CheckResult, Depth, Ended, Gate, LoadResult, ObjectiveResult, RUN_FILE_VERSION, Run,
    SuiteStamp, TargetKind, TargetStamp, TlsStamp, Took, Trust, TrustState, objectives, trust,
};
use crate::secret::{FingerprintKey, Token};
use crate::suite::compare::Difference;
use crate::suite::profile::Profile;
use crate::suite::{self, Suite};

use super::args::Format;
use super::plan::RunPlan;
use super::target::{self, CannotRun, Ready};
use super::{artifacts, narrate, pipeline, signals};

/// What the engines found out, before it is a [`Run`].
#[derive(Debug, Default)]
struct Found {
    conformance: Option<conformance::Outcome>,
    load: Vec<LoadResult>,
    watched: Vec<Watched>,
    checks_took: Duration,
    load_took: Duration,
    abandoned: Option<String>,
}

/// A run that was made and written.
pub(super) struct Done {
    /// The record.
    pub run: Run,
    /// The path of its page.
    pub page: PathBuf,
}

/// Does `plan`, tells what came of it, and compares it with its baseline.
pub fn run(plan: &RunPlan) -> anyhow::Result<Exit> {
    let done = match make(plan)? {
        Ok(done) => done,
        Err(exit) => return Ok(exit),
    };
    tell(plan, &done);
    let own = outcome::of(&done.run).exit;
    if let Some(baseline) = &plan.baseline {
        return super::compare::with_baseline(plan, baseline, &done).map(|compared| own.first(compared));
    }
    super::note(&terminal::exit_line(&done.run));
    Ok(own)
}

/// Makes the run and writes its reports; an exit code where there was nothing to run against.
pub(super) fn make(plan: &RunPlan) -> anyhow::Result<Result<Done, Exit>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let stop = Stop::default();
    let signal = signals::listen(&runtime, stop.clone());
    let began = (Timestamp::now(), Instant::now());
    let ready = match runtime.block_on(target::prepare(plan)) {
        Ok(ready) => ready,
        Err(CannotRun(reason)) => return Ok(Err(super::could_not_run(&reason, plan.screen.color))),
    };
    let (narrator, ear) = Narrator::new();
    let watching = narrate::watch(ear, plan);
    announce(plan, &narrator);
    let found = runtime.block_on(work(plan, &ready, &narrator, &stop));
    drop(narrator);
    watching.join().map_err(|_| anyhow::anyhow!("the progress display failed"))?;
    let mut run = runtime.block_on(testify(plan, &ready, found, began, signal.code()));
    artifacts::scan(&mut run, &secrets(plan, &ready), ready.source.held());
    let page = keep(plan, &run)?;
    pipeline::write_metrics(&run, plan.metrics_file.as_deref())?;
    Ok(Ok(Done { run, page }))
}

fn announce(plan: &RunPlan, narrator: &Narrator) {
    let chosen = &plan.chosen;
    let planned = conformance::plan(&chosen.suite, &chosen.environment, &chosen.dialect, plan.full);
    let wanted = |id: &str| conformance::matches(&plan.only, id);
    let running: Vec<_> =
        planned.iter().filter(|check| plan.checks && check.skipped.is_none() && wanted(&check.id)).collect();
    let profiles = if plan.load { chosen.suite.load.as_slice() } else { &[] };
    let of_profiles: Vec<Burn> =
        profiles.iter().map(|profile| sentinels::burn_of(&chosen.suite, profile)).collect();
    let burns = || running.iter().map(|check| &check.burn).chain(&of_profiles);
    let requests: u64 = burns().map(|burn| burn.requests).sum();
    let chains: u64 = burns().map(|burn| burn.chains).sum();
    let lost: u64 = burns().map(|burn| burn.families_lost).sum();
    narrator.say(Event::RunStarted {
        title: format!("{} · env {} · seed {}", chosen.suite.file.name(), chosen.environment.name, plan.seed),
        burn: format!("will burn about {requests} requests, {chains} chains, {lost} families"),
        checks: running.len(),
        profiles: profiles.iter().map(|p| (p.name.clone(), load::asks(p), p.lasting())).collect(),
    });
}

async fn work(plan: &RunPlan, ready: &Ready, narrator: &Narrator, stop: &Stop) -> Found {
    let key = fingerprint_key();
    let mut found = Found::default();
    if plan.checks {
        let began = Instant::now();
        found.conformance =
            Some(conformance::run(&ground(plan, ready, key), &plan.only, narrator, stop).await);
        found.checks_took = began.elapsed();
    }
    let gated = found.conformance.as_ref().is_some_and(|outcome| outcome.gate.is_some());
    if plan.load && !gated && !stop.asked() {
        let began = Instant::now();
        put_load(plan, ready, key, narrator, stop, &mut found).await;
        found.load_took = began.elapsed();
    }
    found
}

async fn put_load(
    plan: &RunPlan,
    ready: &Ready,
    key: FingerprintKey,
    narrator: &Narrator,
    stop: &Stop,
    found: &mut Found,
) {
    let ground = load::Ground {
        client: ready.client.clone(),
        dialect: plan.chosen.dialect.clone(),
        source: ready.source.clone(),
        identities: ready.identities.clone(),
        key,
        seed: plan.seed,
        embedded: ready.kind == TargetKind::EmbeddedMock,
        sentinels: None,
    };
    let court = self::ground(plan, ready, key);
    for profile in &plan.chosen.suite.load {
        if stop.asked() {
            break;
        }
        let (results, watched) = sentinels::run(&court, ground.clone(), profile, narrator, stop).await;
        found.watched.push(watched);
        match results {
            Ok(mut results) => {
                for result in &mut results {
                    trust::weigh(result, &plan.chosen.suite.objectives);
                }
                found.load.append(&mut results);
            }
            Err(no_chain) => {
                found.abandoned = Some(format!("profile `{}`: {}", profile.name, no_chain));
                break;
            }
        }
    }
}

/// What the conformance engine stands on.
pub(super) fn ground(plan: &RunPlan, ready: &Ready, key: FingerprintKey) -> conformance::Ground {
    conformance::Ground {
        suite: plan.chosen.suite.clone(),
        environment: plan.chosen.environment.clone(),
        dialect: plan.chosen.dialect.clone(),
        client: ready.client.clone(),
        source: ready.source.clone(),
        identities: ready.identities.clone(),
        control: ready.control.clone(),
        public_key: ready.public_key.clone(),
        variables: plan.variables.clone(),
        is_mock: ready.kind != TargetKind::Endpoint,
        key,
        seed: plan.seed,
        full: plan.full,
        consent: plan.consent,
        again: format!(
            "{} --seed {} --only ",
            plan.command.replacen("assay run", "assay check", 1),
            plan.seed
        ),
        today: Zoned::now().date(),
        sought: None,
    }
}

/// A key of its own for each run: fingerprints of two runs do not match.
pub(super) fn fingerprint_key() -> FingerprintKey {
    // Straight from the system: what TLS uses gathers noise for 20 ms first.
    let word = || SysRng.try_next_u64().expect("the system's source of randomness works");
    FingerprintKey::new(word(), word())
}

/// Everything that must not stand in a report.
pub(super) fn secrets(plan: &RunPlan, ready: &Ready) -> Vec<Token> {
    let of_identities = ready.identities.iter().flat_map(|identity| {
        identity.slots.iter().filter(|(slot, _)| slot.is_secret()).map(|(_, value)| value.clone())
    });
    let of_variables = plan.variables.iter().filter(|(name, _)| is_secret_variable(plan, name));
    of_identities.chain(of_variables.map(|(_, value)| value.clone())).collect()
}

fn is_secret_variable(plan: &RunPlan, name: &str) -> bool {
    plan.chosen.suite.file.text().contains(&format!("$secret:{name}"))
}

async fn testify(
    plan: &RunPlan,
    ready: &Ready,
    found: Found,
    began: (Timestamp, Instant),
    signal: Option<u8>,
) -> Run {
    let suite = &plan.chosen.suite;
    let took = began.1.elapsed();
    let books = books(ready, &found).await;
    let objectives = if plan.load { judged(suite, &found.load) } else { Vec::new() };
    let lost_to_sentinels: u64 = found.watched.iter().map(|watched| watched.families_lost).sum();
    let of_sentinels = found.watched.iter().flat_map(|watched| watched.checks.iter().cloned());
    let of_sentinels: Vec<CheckResult> = of_sentinels.collect();
    let entropy = found.conformance.as_ref().and_then(|outcome| outcome.entropy.clone());
    let shapes = found.conformance.as_ref().map(|outcome| outcome.shapes.clone()).unwrap_or_default();
    let (gate, checks, formats, not_applicable, checks_burnt) = match found.conformance {
        Some(outcome) => {
            (outcome.gate, outcome.checks, outcome.formats, outcome.not_applicable, outcome.burnt)
        }
        None => (None, Vec::new(), Vec::new(), Vec::new(), Burn::default()),
    };
    let checks = checks.into_iter().chain(of_sentinels).collect();
    Run {
        assay_run: RUN_FILE_VERSION,
        assay_version: env!("CARGO_PKG_VERSION").to_owned(),
        id: run_id(suite.file.name(), began.0),
        began_at: began.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        zone: Zoned::now().time_zone().iana_name().unwrap_or("UTC").to_owned(),
        took_us: Took { all: micros(took), checks: micros(found.checks_took), load: micros(found.load_took) },
        ended: ended(found.abandoned, gate.as_ref(), signal, took),
        suite: SuiteStamp {
            name: suite.name.clone(),
            path: suite.file.name().to_owned(),
            digest: suite.digest.clone(),
            dialect: plan.chosen.dialect.name.clone(),
            standards: suite.standards.iter().map(|standard| standard.word().to_owned()).collect(),
        },
        target: TargetStamp {
            environment: plan.chosen.environment.name.clone(),
            kind: ready.kind,
            url: ready.url.clone(),
            mock: ready.mock_line.clone(),
            server: None,
            tls: ready.client.agreed().map(|agreed| tls_stamp(agreed, began.0)),
        },
        seed: plan.seed,
        depth: if plan.full { Depth::Full } else { Depth::Quick },
        labels: plan.labels.clone(),
        command: plan.command.clone(),
        trust: trusted(ready, &found.load, books),
        burnt: Burn {
            requests: ready.client.requests_sent(),
            chains: u64::from(ready.source.opened()),
            families_lost: checks_burnt.families_lost + lost_to_sentinels,
        },
        gate,
        checks,
        not_applicable,
        load: found.load,
        objectives,
        formats,
        proof: None,
        comparing: comparing(&suite.compare),
        entropy,
        shapes,
    }
}

/// What was agreed on in TLS, as the run file has it.
fn tls_stamp(agreed: &Agreed, began: Timestamp) -> TlsStamp {
    let left = |end: Timestamp| (end.as_second() - began.as_second()).div_euclid(86_400);
    TlsStamp {
        version: agreed.version.to_owned(),
        suite: agreed.suite.clone(),
        certificates: u32::try_from(agreed.certificates).unwrap_or(u32::MAX),
        expires: agreed.not_after.map(|end| end.strftime("%F").to_string()),
        days_left: agreed.not_after.map(left),
    }
}

fn ended(abandoned: Option<String>, gate: Option<&Gate>, signal: Option<u8>, took: Duration) -> Ended {
    match (signal, abandoned) {
        (Some(code), _) => Ended::Interrupted { code, after_us: micros(took) },
        (None, Some(reason)) if gate.is_none() => Ended::Abandoned { reason },
        (None, _) => Ended::Complete,
    }
}

/// The objectives of the suite, and those that its profiles bring themselves.
fn judged(suite: &Suite, load: &[LoadResult]) -> Vec<ObjectiveResult> {
    let mut judged = objectives::judge(&suite.objectives, load);
    judged.extend(objectives::aborts(suite.load.iter().flat_map(Profile::all), load));
    judged
}

/// Two books of the same refreshes, where the endpoint keeps one that can be read.
async fn books(ready: &Ready, found: &Found) -> Option<Books> {
    let server = ready.control.as_ref()?.ledger().await.ok()?;
    let checks = found.conformance.as_ref().map(|outcome| outcome.counted).unwrap_or_default();
    let watched = |pick: fn(&Counted) -> u64| found.watched.iter().map(|one| pick(&one.counted)).sum::<u64>();
    let book = |pick: fn(&LoadResult) -> u64| found.load.iter().map(pick).sum::<u64>();
    Some(Books {
        client_granted: checks.granted + watched(|it| it.granted) + book(|load| load.book.granted),
        server_granted: server.granted,
        client_refused: checks.refused + watched(|it| it.refused) + book(LoadResult::answered_not_granted),
        server_refused: server.refused,
        client_unanswered: checks.unanswered
            + watched(|it| it.unanswered)
            + book(|load| load.book.unanswered),
    })
}

fn trusted(ready: &Ready, load: &[LoadResult], books: Option<Books>) -> Trust {
    let reasons: Vec<String> = load
        .iter()
        .flat_map(|result| result.untrusted.iter().map(|reason| format!("{}: {reason}", result.name)))
        .collect();
    let state = match ready.kind {
        TargetKind::EmbeddedMock => TrustState::Demonstration,
        TargetKind::RunningMock | TargetKind::Endpoint if reasons.is_empty() => TrustState::Trusted,
        TargetKind::RunningMock | TargetKind::Endpoint => TrustState::Untrusted,
    };
    Trust { state, reasons, books, secrets: None }
}

/// What the suite says of comparisons; nothing where it says nothing.
fn comparing(written: &suite::compare::Comparing) -> Option<Box<Comparing>> {
    let (time_us, time_share) = match written.time {
        Some(Difference::Us(us)) => (Some(us), None),
        Some(Difference::Share(share)) => (None, Some(share)),
        None => (None, None),
    };
    let expected = written.expected.iter().map(|expected| ExpectedDifference {
        what: expected.what.clone(),
        until: expected.until.to_string(),
        owner: expected.owner.clone(),
        why: expected.why.clone(),
    });
    let renamed = written.renamed.iter().map(|(old, new)| (old.clone(), new.value.clone()));
    let comparing = Comparing {
        time_us,
        time_share,
        errors: written.errors,
        rate: written.rate,
        expected: expected.collect(),
        renamed: renamed.collect(),
    };
    (comparing != Comparing::default()).then(|| Box::new(comparing))
}

/// `pfms-2026-11-23-020004`
fn run_id(suite: &str, began: Timestamp) -> String {
    let stem = std::path::Path::new(suite).file_stem().map_or("suite".into(), |stem| stem.to_string_lossy());
    format!("{stem}-{}", began.strftime("%Y-%m-%d-%H%M%S"))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Writes the reports; the page's path.
fn keep(plan: &RunPlan, run: &Run) -> anyhow::Result<PathBuf> {
    let folder = plan.out.clone().unwrap_or_else(|| artifacts::folder(&run.id));
    let page = artifacts::write(run, &folder)
        .map_err(|error| anyhow::anyhow!("cannot write the reports to `{}`: {error}", folder.display()))?;
    if plan.out.is_none() {
        artifacts::point_latest(&folder)?;
    }
    Ok(page)
}

fn tell(plan: &RunPlan, Done { run, page }: &Done) {
    let page = page.display().to_string();
    match plan.format {
        Format::Human => super::say(&terminal::summary(run, Some(&page), super::stdout_screen(plan.screen))),
        Format::Json => super::say(&format!("{:#}", json::summary(run, &page, &run_file_beside(&page)))),
        Format::Ndjson => super::say(&narrate::last_line(run)),
    }
    pipeline::tell_github(run);
}

fn run_file_beside(page: &str) -> String {
    std::path::Path::new(page).with_file_name("run.json").display().to_string()
}
