//! From a failing case to the smallest that still fails: changes left out first, then bytes.
//!
//! Every attempt is a call of its own, on a chain that nothing has happened to since the last failure. Bounded in
//! number and in time.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::conformance::judge::{Judgement, Miss};
use crate::conformance::transcript::{Taken, ending};

use super::atoms::Atom;
use super::case::{Case, Change};
use super::lane::Lane;
use super::minimize::Minimizer;
use super::{ATTEMPTS_MAX, Found, SHRUNK_MAX, Shared, kind_of, outcome_claim};

/// How long one failure is made smaller.
const SHRINK_TIME: Duration = Duration::from_secs(4);

/// So many cases under suspicion are tried on their own.
const SUSPECTS_MAX: usize = 64;

/// What is looked for.
#[derive(Clone)]
enum Wanted {
    /// This claim of the step fails in this way.
    Claim(usize, String),
    /// It is refused, and the good call after it is not granted.
    Spends,
}

/// One failure that is being made smaller.
struct Shrinking<'a> {
    shared: &'a Shared<'a>,
    wanted: Wanted,
    attempts: u64,
    until: Instant,
    /// Bytes of the body that failed first.
    first: usize,
    /// The exchanges of the smallest case that failed, and what was found.
    best: Option<(Vec<Arc<Taken>>, Miss)>,
}

/// Makes the failures that were found small, the first few.
pub(super) async fn failures(shared: &Shared<'_>) {
    let found: Vec<(usize, String, Case)> = shared
        .harvest()
        .failures
        .iter()
        .filter(|found| found.miss.means.is_none())
        .take(SHRUNK_MAX)
        .map(|found| (found.claim, found.kind.clone(), found.case.clone()))
        .collect();
    for (claim, kind, case) in found {
        if shared.session.stop.asked() {
            return;
        }
        let mut shrinking = Shrinking::new(shared, Wanted::Claim(claim, kind.clone()));
        shrinking.shrink(&case).await;
        let means = shrinking.means(&case);
        let mut harvest = shared.harvest();
        let place = harvest.failures.iter_mut().find(|found| found.claim == claim && found.kind == kind);
        let Some(found) = place else { continue };
        if let Some((witnesses, miss)) = shrinking.best {
            (found.witnesses, found.miss) = (witnesses, miss);
        }
        found.miss.means = Some(means);
    }
}

/// Finds the refusal that spent a token among those under suspicion.
pub(super) async fn suspects(shared: &Shared<'_>) {
    let suspects = std::mem::take(&mut *shared.suspects.lock().unwrap_or_else(PoisonError::into_inner));
    let Some((_, good)) = suspects.first() else { return };
    let after = ending(good);
    let cases: Vec<Case> = suspects.iter().flat_map(|(cases, _)| cases.iter().rev().cloned()).collect();
    let tried = cases.len().min(SUSPECTS_MAX);
    for case in &cases[..tried] {
        if shared.session.stop.asked() {
            return;
        }
        let mut shrinking = Shrinking::new(shared, Wanted::Spends);
        if !shrinking.fails(case).await {
            continue;
        }
        let smallest = shrinking.shrink(case).await;
        if smallest.may_look_like_theft() {
            shared.doubt(format!(
                "after case {} the good call was {after}: a server may take foreign credentials for theft",
                case.number
            ));
            continue;
        }
        spent(shared, case, shrinking);
        return;
    }
    shared.doubt(format!(
        "after {} refusals the good call was {after}, and none of them does that alone: a lockout or a limit?",
        cases.len()
    ));
}

fn spent(shared: &Shared<'_>, case: &Case, shrinking: Shrinking<'_>) {
    let Some(claim) = outcome_claim(shared.session.step) else {
        shared.doubt("a refusal spent the token, and the step claims nothing of the outcome");
        return;
    };
    let means = shrinking.means(case);
    let Some((witnesses, miss)) = shrinking.best else { return };
    shared.harvest().failures.push(Found {
        claim,
        times: 1,
        miss: Miss { means: Some(means), ..miss },
        witnesses,
        kind: "spends".to_owned(),
        case: case.clone(),
    });
}

impl<'a> Shrinking<'a> {
    fn new(shared: &'a Shared<'a>, wanted: Wanted) -> Shrinking<'a> {
        Shrinking { shared, wanted, attempts: 0, until: Instant::now() + SHRINK_TIME, first: 0, best: None }
    }

    fn may_go_on(&self) -> bool {
        self.attempts < ATTEMPTS_MAX && Instant::now() < self.until && !self.shared.session.stop.asked()
    }

    /// The smallest case that still fails.
    async fn shrink(&mut self, case: &Case) -> Case {
        let mut lane = Lane::new(self.shared);
        if let Ok(made) = lane.compose(case).await {
            self.first = made.request.body.as_ref().map_or(0, Vec::len);
        }
        let mut smallest = case.clone();
        let mut changes = Minimizer::new(case.changes.clone());
        while let Some(candidate) = changes.candidate().filter(|_| self.may_go_on()) {
            let fails = self.fails_on(&mut lane, &Case { changes: candidate, ..case.clone() }).await;
            changes.tell(fails);
        }
        smallest.changes = changes.kept().to_vec();
        let smaller = self.shrink_body(&mut lane, &smallest).await;
        lane.give_up();
        smaller
    }

    /// The body byte by byte, tokens as one piece each.
    async fn shrink_body(&mut self, lane: &mut Lane<'_>, case: &Case) -> Case {
        let Ok(made) = lane.compose(case).await else { return case.clone() };
        let mut atoms: Minimizer<Atom> = Minimizer::new(made.atoms);
        while let Some(candidate) = atoms.candidate().filter(|_| self.may_go_on()) {
            let fails = self.fails_on(lane, &case.with_body(candidate)).await;
            atoms.tell(fails);
        }
        let whole = case.with_body(atoms.kept().to_vec());
        // A slot whose odd value has become bytes of the body need not be odd elsewhere.
        let plain = Case {
            changes: whole
                .changes
                .iter()
                .filter(|change| !matches!(change, Change::Slot(..)))
                .cloned()
                .collect(),
            ..whole.clone()
        };
        if plain != whole && self.may_go_on() && self.fails_on(lane, &plain).await { plain } else { whole }
    }

    /// Whether a case fails as wanted on a chain of its own.
    async fn fails(&mut self, case: &Case) -> bool {
        let mut lane = Lane::new(self.shared);
        let fails = self.fails_on(&mut lane, case).await;
        lane.give_up();
        fails
    }

    async fn fails_on(&mut self, lane: &mut Lane<'_>, case: &Case) -> bool {
        self.attempts += 1;
        let Ok(taken) = lane.play(case).await else { return false };
        let found = match &self.wanted {
            Wanted::Claim(index, kind) => {
                let claim = &self.shared.session.step.claims[*index];
                match lane.judge(claim, &taken) {
                    Judgement::Fails(miss) if kind_of(claim, &miss) == *kind => Some((vec![taken], miss)),
                    Judgement::Fails(_) | Judgement::Holds | Judgement::Untold(_) | Judgement::Moot(_) => {
                        None
                    }
                }
            }
            Wanted::Spends => self.spends(lane, taken).await,
        };
        let fails = found.is_some();
        if fails {
            // Whatever failed may have spent the token.
            lane.give_up();
            self.best = found;
        }
        fails
    }

    async fn spends(&self, lane: &mut Lane<'_>, taken: Arc<Taken>) -> Option<(Vec<Arc<Taken>>, Miss)> {
        if lane.refusals() == 0 {
            return None;
        }
        lane.take_refused();
        let good = lane.good_call().await.ok()?;
        if good.is_granted() || good.reply.is_none() {
            return None;
        }
        let miss = Miss {
            expected: "a refusal that spends nothing".to_owned(),
            found: format!("{}, and then the good call was {}", ending(&taken), ending(&good)),
            ..Miss::default()
        };
        Some((vec![taken, Arc::new(good)], miss))
    }

    /// Which case it was, how small it has become, and how it is sent again.
    fn means(&self, case: &Case) -> String {
        let session = self.shared.session;
        let size = |witnesses: &[Arc<Taken>]| {
            witnesses.first().and_then(|taken| taken.exchange.request.body.as_ref()).map_or(0, Vec::len)
        };
        let (before, after) = (self.first, self.best.as_ref().map_or(self.first, |(taken, _)| size(taken)));
        let seed = session.court.ground.seed;
        let (number, check, attempts) = (case.number, session.check, self.attempts);
        let whole =
            if self.may_go_on() { "nothing more can be left out" } else { "there was no time for more" };
        format!(
            "case {number} of seed {seed}; its body went from {before} to {after} bytes in {attempts} attempts, and \
             {whole}; `--seed {seed} --only '{check}#{number}'` sends the case again"
        )
    }
}
