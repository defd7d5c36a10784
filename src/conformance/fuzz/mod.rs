//! Fuzzing: good calls, mutated at random, judged one by one, and shrunk where one fails.
//!
//! The run's seed and a number make a [`case::Case`], whatever else happens, so that each can be sent again. Some
//! chains are walked at once ([`lane`]). A case that is granted moves its chain; one that may have spent the token
//! gives it up. After some refusals the good call is made: a refusal that spent the token is found by sending each
//! of them again on a chain of its own. What fails is made smaller ([`shrink`]) until nothing can be left out.

mod atoms;
mod case;
mod frame;
mod growth;
mod lane;
mod minimize;
mod shrink;
mod words;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::client::Failure;
use crate::dialect::ErrorClass;
use crate::results::event::Stop;
use crate::suite::check::{Fuzz, Step};
use crate::suite::claim::{Claim, Expectation};

use super::cell::Cell;
use super::court::Court;
use super::judge::{Judgement, Miss};
use super::references::Yields;
use super::transcript::{Taken, ending};

use self::case::{Case, Stuff};
use self::lane::{Lane, Over};

/// So many chains are walked at once, each with one call in flight.
const LANES: u64 = 8;

/// After so many refusals in a row the good call is made, to see that none of them spent the token.
const REFUSALS_MAX: usize = 16;

/// So many different failures are shrunk, each with so many requests at most.
const SHRUNK_MAX: usize = 3;
const ATTEMPTS_MAX: u64 = 400;

/// Once something was found, so much longer.
const FOUND_TIME: Duration = Duration::from_secs(3);

/// So many exchanges are kept for claims on many.
const KEPT_MAX: usize = 20_000;

/// Requests and chains that a fuzzing spends, at most.
pub(super) fn spends_at_most(fuzz: &Fuzz, full: bool) -> (u64, u64) {
    let cases = u64::from(fuzz.count.at(full));
    let chains = chains_at_most(cases);
    let shrinking = SHRUNK_MAX as u64 * ATTEMPTS_MAX * 2;
    (cases + cases / REFUSALS_MAX as u64 + 2 * LANES + shrinking + chains, chains)
}

/// Chains that a fuzzing opens, at most: beyond that it stops, and says so.
fn chains_at_most(cases: u64) -> u64 {
    LANES + cases + SHRUNK_MAX as u64 * ATTEMPTS_MAX
}

/// One `fuzz` step in one cell and round.
pub(super) struct Session<'a> {
    /// What the run shares.
    pub court: &'a Court,
    /// The check's id.
    pub check: &'a str,
    /// The step.
    pub step: &'a Step,
    /// What it says.
    pub fuzz: &'a Fuzz,
    /// The cell.
    pub cell: &'a Cell,
    /// The round.
    pub round: u32,
    /// What earlier steps of the cell yielded.
    pub yields: &'a Yields,
    /// Seeds the cases of this step in this cell and round.
    pub seed: u64,
    /// Only this case, where the command line names one.
    pub only: Option<u64>,
    /// Whether exchanges are kept for claims on many.
    pub keep: bool,
    /// Claims of the step that are looked for, by their place: one that failed ends it, and is not made smaller.
    pub sought: Vec<usize>,
    /// The wish to stop.
    pub stop: &'a Stop,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Harvest {
    /// By claim of the step: how often it held.
    pub held: Vec<u32>,
    /// Failures of claims, in the order in which they were found.
    pub failures: Vec<Found>,
    /// By claim: how often it could not be told, and what came of it the first time.
    pub untold: Vec<(u32, Option<Judgement>)>,
    /// Why it ended before the last case, or cannot be trusted.
    pub doubt: Option<String>,
    /// Requests, logins and good calls included.
    pub requests: u64,
    /// Exchanges for claims on many.
    pub kept: Vec<Arc<Taken>>,
    /// Somebody asked to stop.
    pub stopped: bool,
}

/// One kind of failure.
pub(super) struct Found {
    /// The claim's place in the step.
    pub claim: usize,
    /// How often.
    pub times: u32,
    /// What was expected and found; what it means says which case it was.
    pub miss: Miss,
    /// The exchanges that show it, the smallest that fails.
    pub witnesses: Vec<Arc<Taken>>,
    /// What fails alike is one kind.
    kind: String,
    case: Case,
}

/// What all lanes write into.
struct Shared<'s> {
    session: &'s Session<'s>,
    stuff: Stuff<'s>,
    next: AtomicU64,
    opened: AtomicU64,
    harvest: Mutex<Harvest>,
    /// Cases that were refused before a good call that was not granted.
    suspects: Mutex<Vec<(Vec<Case>, Arc<Taken>)>>,
    /// When the first failure was found.
    found_at: Mutex<Option<Instant>>,
}

impl Shared<'_> {
    fn harvest(&self) -> MutexGuard<'_, Harvest> {
        self.harvest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next case, if there is one and nothing speaks against going on.
    fn next(&self) -> Option<Case> {
        if self.session.stop.asked() {
            self.harvest().stopped = true;
            return None;
        }
        let found_at = *self.found_at.lock().unwrap_or_else(PoisonError::into_inner);
        if found_at.is_some_and(|at| at.elapsed() > FOUND_TIME) || self.harvest().doubt.is_some() {
            return None;
        }
        if self.is_found() {
            return None;
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        if let Some(only) = self.session.only {
            return (turn == 0).then(|| Case::of(&self.stuff, only));
        }
        let count = u64::from(self.session.fuzz.count.at(self.session.court.ground.full));
        (turn < count).then(|| Case::of(&self.stuff, turn))
    }

    /// Whether a claim that is looked for has failed.
    fn is_found(&self) -> bool {
        let sought = &self.session.sought;
        !sought.is_empty() && self.harvest().failures.iter().any(|found| sought.contains(&found.claim))
    }

    fn note_found(&self) {
        self.found_at.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
    }

    fn doubt(&self, why: impl Into<String>) {
        self.harvest().doubt.get_or_insert_with(|| why.into());
    }

    /// Judges an answer to a case.
    fn judge(&self, lane: &Lane<'_>, case: &Case, taken: &Arc<Taken>) {
        for (index, claim) in self.session.step.claims.iter().enumerate() {
            match lane.judge(claim, taken) {
                Judgement::Holds => self.harvest().held[index] += 1,
                open @ (Judgement::Untold(_) | Judgement::Moot(_)) => {
                    let mut harvest = self.harvest();
                    let (times, first) = &mut harvest.untold[index];
                    *times += 1;
                    first.get_or_insert(open);
                }
                Judgement::Fails(miss) => self.fail(index, claim, miss, case, taken),
            }
        }
        if self.session.keep {
            let mut harvest = self.harvest();
            if harvest.kept.len() < KEPT_MAX {
                harvest.kept.push(Arc::clone(taken));
            }
        }
    }

    fn fail(&self, index: usize, claim: &Claim, miss: Miss, case: &Case, taken: &Arc<Taken>) {
        self.note_found();
        let kind = kind_of(claim, &miss);
        let mut harvest = self.harvest();
        if let Some(found) =
            harvest.failures.iter_mut().find(|found| found.claim == index && found.kind == kind)
        {
            found.times += 1;
            return;
        }
        harvest.failures.push(Found {
            claim: index,
            times: 1,
            miss,
            witnesses: vec![Arc::clone(taken)],
            kind,
            case: case.clone(),
        });
    }
}

/// What fails alike: a time is never the same twice.
fn kind_of(claim: &Claim, miss: &Miss) -> String {
    match claim.what {
        Expectation::Within(_) => String::new(),
        _ => miss.found.clone(),
    }
}

/// Plays the cases, and makes what fails small.
pub(super) async fn run(session: &Session<'_>) -> Harvest {
    let speech = session.court.ground.dialect.refresh();
    let formats = super::steps::formats_of(session.fuzz, speech);
    let claims = session.step.claims.len();
    let empty = Harvest { held: vec![0; claims], untold: vec![(0, None); claims], ..Harvest::default() };
    let stuff = Stuff { seed: session.seed, formats: &formats, stages: &session.fuzz.stages, speech };
    let shared = Shared {
        session,
        stuff,
        next: AtomicU64::new(0),
        opened: AtomicU64::new(0),
        harvest: Mutex::new(empty),
        suspects: Mutex::new(Vec::new()),
        found_at: Mutex::new(None),
    };
    let lanes = if session.only.is_some() { 1 } else { LANES };
    together((0..lanes).map(|_| walk(&shared)).collect()).await;
    if !shared.is_found() {
        shrink::suspects(&shared).await;
        shrink::failures(&shared).await;
    }
    shared.harvest.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// One lane: case after case on a chain.
async fn walk(shared: &Shared<'_>) {
    let mut lane = Lane::new(shared);
    while let Some(case) = shared.next() {
        match lane.play(&case).await {
            Ok(taken) => {
                if taken.failure() == Some(Failure::Stopped) {
                    break;
                }
                // An idle connection was closed as it was used again: this case was never heard.
                if taken.failure() == Some(Failure::ReuseRace) {
                    continue;
                }
                if is_limited(&taken) {
                    shared.doubt(format!(
                        "the endpoint limits the rate: case {} was {}",
                        case.number,
                        ending(&taken)
                    ));
                    break;
                }
                shared.judge(&lane, &case, &taken);
            }
            Err(over) => {
                give_over(shared, over);
                break;
            }
        }
        if lane.refusals() >= REFUSALS_MAX
            && let Err(over) = see_that_it_lives(shared, &mut lane).await
        {
            give_over(shared, over);
            break;
        }
    }
    if lane.refusals() > 0
        && let Err(over) = see_that_it_lives(shared, &mut lane).await
    {
        give_over(shared, over);
    }
    lane.give_up();
}

fn give_over(shared: &Shared<'_>, over: Over) {
    match over {
        Over::NoChain(why) => shared.doubt(format!("no chain could be opened: {why}")),
        Over::Enough => shared.doubt("so many chains were lost that it was ended"),
        Over::NoCall(why) => shared.doubt(why),
    }
}

fn is_limited(taken: &Taken) -> bool {
    taken.reply.as_ref().is_some_and(|reply| reply.class == Some(ErrorClass::RateLimited))
}

/// The good call after some refusals. Where it is not granted, they are under suspicion.
async fn see_that_it_lives(shared: &Shared<'_>, lane: &mut Lane<'_>) -> Result<(), Over> {
    let refused = lane.take_refused();
    let good = lane.good_call().await?;
    if good.is_granted()
        || good.failure() == Some(Failure::ReuseRace)
        || good.failure() == Some(Failure::Stopped)
    {
        return Ok(());
    }
    if is_limited(&good) {
        shared.doubt(format!("the endpoint limits the rate: a good call was {}", ending(&good)));
        return Ok(());
    }
    shared.note_found();
    let mut suspects = shared.suspects.lock().unwrap_or_else(PoisonError::into_inner);
    suspects.push((refused, Arc::new(good)));
    lane.give_up();
    Ok(())
}

/// Waits for all of them at once, on this task.
async fn together<F: Future<Output = ()>>(futures: Vec<F>) {
    let mut running: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        running.retain_mut(|future| future.as_mut().poll(cx).is_pending());
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// The place of the claim on the outcome: a refusal that spends is one that is no refusal.
fn outcome_claim(step: &Step) -> Option<usize> {
    step.claims.iter().position(|claim| matches!(claim.what, Expectation::Outcome(_)))
}

#[cfg(test)]
mod tests;
