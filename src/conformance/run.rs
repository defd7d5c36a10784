//! The run of the checks: what can run, side by side where it is independent, the rest last and alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::results::event::{Event, Narrator, Stop};
use crate::results::{Burn, CheckResult};
use crate::suite::check::Check;
use crate::suite::claim::Strength;

use super::cell::Cell;
use super::court::Court;
use super::gate::Shut;
use super::needs::{self, Means, Need};
use super::tally::{ClaimKey, ClaimTally, Tally};
use super::{ClaimCount, Ground, Outcome, gate, matches, matrix, script, steps, verdict};

/// So many checks run side by side.
const TOGETHER: usize = 8;

/// What is to become of each check of the suite that was asked for.
struct Sorted {
    /// Index and cells of those that run.
    running: Vec<(usize, Vec<Cell>)>,
    /// Index and reason of those that do not.
    skipped: Vec<(usize, String)>,
    /// Those of other dialects: id and why.
    not_applicable: Vec<String>,
}

/// A verdict, and what it is made of.
struct Judged {
    index: usize,
    result: CheckResult,
    claims: Vec<ClaimCount>,
}

/// What came of one check before the claims on everything are added.
struct Done {
    index: usize,
    tally: Option<Tally>,
    took: Duration,
    requests: u64,
}

pub(super) async fn run(ground: &Ground, only: &[String], narrator: &Narrator, stop: &Stop) -> Outcome {
    let sorted = sort(ground, only);
    let indexes: Vec<usize> = sorted.running.iter().map(|(index, _)| *index).collect();
    let court = Arc::new(Court::start(ground, &indexes).await);
    court.settle_cases(only);
    let opened = u64::from(ground.source.opened());
    let mut slots: Vec<Option<CheckResult>> = ground.suite.checks.iter().map(|_| None).collect();
    for (index, reason) in &sorted.skipped {
        let result = verdict::skipped(&ground.suite.checks[*index], reason.clone());
        finish(narrator, &mut slots, *index, result);
    }
    let mut formats = Vec::new();
    let mut claims = Vec::new();
    let shut = gate::open(&court, stop).await.err();
    if let Some(shut) = &shut {
        for (index, cells) in &sorted.running {
            let judged = hear(&court, *index, cells, shut, stop);
            claims.extend(judged.claims);
            finish(narrator, &mut slots, *index, judged.result);
        }
    } else {
        formats = matrix::measure(&court, stop).await;
        claims = play_all(&court, sorted.running, narrator, stop, &mut slots).await;
    }
    Outcome {
        gate: shut.map(|shut| shut.gate).filter(|_| !stop.asked()),
        checks: slots.into_iter().flatten().collect(),
        formats,
        not_applicable: sorted.not_applicable,
        burnt: Burn {
            requests: court.requests(),
            chains: u64::from(ground.source.opened()) - opened,
            families_lost: court.families_lost(),
        },
        entropy: court.entropy(),
        shapes: court.shapes(),
        counted: court.counted(),
        claims,
    }
}

/// Where the gate stayed shut nothing passes; but a check that claims something of the very call that was
/// answered, and is let down, says so.
fn hear(court: &Court, index: usize, cells: &[Cell], shut: &Shut, stop: &Stop) -> Judged {
    let ground = &court.ground;
    let check = &ground.suite.checks[index];
    let mut tally = script::judge_good(court, check, cells, &shut.calls);
    if let (Some(always), false) = (court.always_of(index), shut.calls.is_empty()) {
        tally.claims.extend(always.claims);
    }
    let claims = counts(check, &tally);
    let let_down = tally.claims.values().any(|claim| claim.failed > 0 && claim.strength > Strength::Info);
    let result = if let_down && !stop.asked() {
        verdict::of(check, &ground.suite.policy, &tally, ground.today)
    } else {
        let reason = if stop.asked() { "the run was stopped" } else { "the good call does not work" };
        verdict::skipped(check, reason)
    };
    Judged { index, result, claims }
}

/// How often each claim of a check held and failed.
fn counts(check: &Check, tally: &Tally) -> Vec<ClaimCount> {
    let count = |(key, claim): (&ClaimKey, &ClaimTally)| ClaimCount {
        check: check.id.clone(),
        at: key.at,
        claim: key.name.clone(),
        judged: claim.judged,
        failed: claim.failed,
    };
    tally.claims.iter().map(count).collect()
}

fn finish(narrator: &Narrator, slots: &mut [Option<CheckResult>], index: usize, result: CheckResult) {
    narrator.say(Event::CheckFinished(Box::new(result.clone())));
    slots[index] = Some(result);
}

fn sort(ground: &Ground, only: &[String]) -> Sorted {
    let means = Means {
        suite: &ground.suite,
        environment: &ground.environment,
        dialect: &ground.dialect,
        clock: ground.control.is_some(),
        identities: Some(&ground.identities),
        consent: Some(ground.consent),
        full: ground.full,
        url: Some(&ground.client.target().url),
    };
    let mut sorted = Sorted { running: Vec::new(), skipped: Vec::new(), not_applicable: Vec::new() };
    for (index, check) in ground.suite.checks.iter().enumerate() {
        if !matches(only, &check.id) {
            continue;
        }
        match needs::of(check, &means) {
            Need::Runs(cells) => sorted.running.push((index, cells)),
            Need::Skipped(reason) => sorted.skipped.push((index, reason)),
            Need::NotApplicable(reason) => sorted.not_applicable.push(format!("{}: {reason}", check.id)),
        }
    }
    sorted
}

/// Plays every check; those with claims on everything are judged when everything has happened.
async fn play_all(
    court: &Arc<Court>,
    running: Vec<(usize, Vec<Cell>)>,
    narrator: &Narrator,
    stop: &Stop,
    slots: &mut [Option<CheckResult>],
) -> Vec<ClaimCount> {
    let suite = Arc::clone(&court.ground.suite);
    let clock = court.ground.control.is_some();
    let indexes: Vec<usize> = running.iter().map(|(index, _)| *index).collect();
    let (alone, free): (Vec<_>, Vec<_>) =
        running.into_iter().partition(|(index, _)| steps::must_run_alone(&suite.checks[*index], clock));
    let mut waiting: Vec<Done> = Vec::new();
    let mut claims = Vec::new();
    let mut settle = |done: Done, slots: &mut [Option<CheckResult>]| {
        if suite.checks[done.index].always.is_empty() {
            let judged = judge(court, done);
            claims.extend(judged.claims);
            finish(narrator, slots, judged.index, judged.result);
        } else {
            waiting.push(done);
        }
    };
    let mut players = JoinSet::new();
    let mut queue = free.into_iter();
    loop {
        while players.len() < TOGETHER {
            let Some((index, cells)) = queue.next() else { break };
            players.spawn(one(Arc::clone(court), index, cells, narrator.clone(), stop.clone()));
        }
        match players.join_next().await {
            None => break,
            Some(Ok(done)) => settle(done, slots),
            Some(Err(_)) => {}
        }
    }
    for (index, cells) in alone {
        // A task of its own, so that a mistake of ours costs one check and not the run.
        let player = tokio::spawn(one(Arc::clone(court), index, cells, narrator.clone(), stop.clone()));
        if let Ok(done) = player.await {
            settle(done, slots);
        }
    }
    for done in waiting {
        let judged = judge(court, done);
        claims.extend(judged.claims);
        finish(narrator, slots, judged.index, judged.result);
    }
    for index in indexes {
        if slots[index].is_none() {
            finish(narrator, slots, index, verdict::broken(&suite.checks[index]));
        }
    }
    claims
}

async fn one(court: Arc<Court>, index: usize, cells: Vec<Cell>, narrator: Narrator, stop: Stop) -> Done {
    let suite = Arc::clone(&court.ground.suite);
    let check: &Check = &suite.checks[index];
    if stop.asked() {
        return Done { index, tally: None, took: Duration::ZERO, requests: 0 };
    }
    narrator.say(Event::CheckStarted { id: check.id.clone(), title: check.title.clone() });
    let began_at = Instant::now();
    let played = script::play(&court, check, &cells, &narrator, &stop).await;
    Done { index, tally: Some(played.tally), took: began_at.elapsed(), requests: played.requests }
}

fn judge(court: &Court, done: Done) -> Judged {
    let ground = &court.ground;
    let check = &ground.suite.checks[done.index];
    let Some(mut tally) = done.tally else {
        let result = verdict::skipped(check, "the run was stopped");
        return Judged { index: done.index, result, claims: Vec::new() };
    };
    if let Some(always) = court.always_of(done.index) {
        tally.claims.extend(always.claims);
    }
    let mut result = verdict::of(check, &ground.suite.policy, &tally, ground.today);
    result.took_us = u64::try_from(done.took.as_micros()).unwrap_or(u64::MAX);
    result.requests = done.requests;
    Judged { index: done.index, result, claims: counts(check, &tally) }
}
