//! Judging while a check is played: each exchange in its step, and many together at the end.

use std::sync::Arc;

use crate::conformance::cell::Cell;
use crate::conformance::change::NotMade;
use crate::conformance::court::Court;
use crate::conformance::evidence::evidence;
use crate::conformance::guess;
use crate::conformance::judge::{self, Bench, Judgement, Miss};
use crate::conformance::loads;
use crate::conformance::race::{self, Round};
use crate::conformance::steps::promises;
use crate::conformance::tally::{ClaimKey, Shown};
use crate::conformance::together::{self, Set, SetJudgement};
use crate::conformance::transcript::{Taken, ending};
use crate::suite::check::{Step, Together};
use crate::suite::claim::{Claim, Expectation, OutcomeWord, RacePromise, SetClaim, SetExpectation, Strength};

use super::{Cut, Going, Play, REPEATS_MAX, Scene};

impl Play<'_> {
    pub(super) fn judge(&mut self, scene: &mut Scene<'_>, step: &Step, taken: Arc<Taken>) -> Going {
        let mut unset = None;
        let redaction = self.court.redaction.of(&taken);
        let judged: Vec<(&Claim, Judgement)> = {
            let rotation = self.court.ground.suite.policy.rotation;
            let bench = Bench { scope: self.scope(scene), redaction, median: self.court.median(), rotation };
            let judge = |claim: &Claim| judge::claim(&claim.what, &taken, &bench).redacted(&bench.redaction);
            step.claims.iter().map(|claim| (claim, judge(claim))).collect()
        };
        let label = scene.cell.label();
        for (claim, judgement) in judged {
            if claim.strength == Strength::Given {
                if let Some(cut) = not_given(claim, &judgement, &taken) {
                    unset.get_or_insert(cut);
                }
                continue;
            }
            let court = self.court;
            self.tally.note(key(step, claim), claim.strength, label.as_deref(), judgement, |miss| {
                shown(court, &[Arc::clone(&taken)], miss)
            });
        }
        if let Some(name) = &step.name {
            scene.steps.entry(name.clone()).or_default().push(Arc::clone(&taken));
            let set = self.sets.entry(name.clone()).or_default();
            if set.len() < REPEATS_MAX as usize {
                set.push(Arc::clone(&taken));
            }
        }
        scene.last = Some(taken);
        unset.map_or(Ok(()), Err)
    }

    /// Nothing was sent: every claim of the step cannot be told, and a `given` is not given.
    pub(super) fn untold(&mut self, scene: &Scene<'_>, step: &Step, why: &str) -> Going {
        self.unsent(scene, step, &NotMade::from(why))
    }

    /// The same where the change may mean nothing to this endpoint.
    pub(super) fn unsent(&mut self, scene: &Scene<'_>, step: &Step, not_made: &NotMade) -> Going {
        let why = self.court.redaction.text(&not_made.why);
        let label = scene.cell.label();
        for claim in &step.claims {
            if claim.strength == Strength::Given {
                return Err(Cut::Unset(why));
            }
            let judgement =
                if not_made.moot { Judgement::Moot(why.clone()) } else { Judgement::Untold(why.clone()) };
            self.tally
                .note(key(step, claim), claim.strength, label.as_deref(), judgement, |_| (Vec::new(), None));
        }
        Ok(())
    }

    /// A cell whose stage hangs on what the policy leaves out: there is nothing to judge in it.
    pub(super) fn moot(&mut self, cell: &Cell, why: &str) {
        let why = self.court.redaction.text(why);
        let label = cell.label();
        for step in &self.check.steps {
            for claim in step.claims.iter().filter(|claim| claim.strength != Strength::Given) {
                let judgement = Judgement::Moot(why.clone());
                self.tally.note(key(step, claim), claim.strength, label.as_deref(), judgement, |_| {
                    (Vec::new(), None)
                });
            }
        }
        self.tally.why_moot.get_or_insert(why);
    }

    pub(super) fn together(&mut self) {
        for together in &self.check.together {
            if together.of.iter().all(|name| self.loads.contains_key(name)) {
                self.together_on_loads(together);
            } else {
                self.together_on_steps(together);
            }
        }
        for together in &self.check.together {
            let [name] = together.of.as_slice() else { continue };
            for claim in &together.claims {
                if let (Some(promises), true) = (promises(&claim.what), self.races.contains_key(name)) {
                    self.together_on_race(together, claim, promises, name);
                }
            }
        }
    }

    fn together_on_steps(&mut self, together: &Together) {
        let named = together.of.iter().filter_map(|name| self.sets.get(name));
        let members: Vec<Arc<Taken>> = named.flatten().cloned().collect();
        let court = self.court;
        let set = Set {
            members: &members,
            by: together.by.as_deref(),
            dialect: &court.ground.dialect,
            redaction: &court.redaction,
        };
        let raced = together.of.len() == 1 && self.races.contains_key(&together.of[0]);
        for claim in &together.claims {
            if raced && promises(&claim.what).is_some() {
                continue;
            }
            let (judgement, witnesses) = self.judge_set(&claim.what, &set);
            let judgement = witnesses
                .iter()
                .fold(judgement, |judgement, taken| judgement.redacted(&court.redaction.of(taken)));
            let key = ClaimKey { at: claim.at, name: set_name(together, claim.what.word()) };
            self.note_set(key, claim.strength, judgement, |miss| shown(court, &witnesses, miss));
        }
    }

    fn judge_set(&self, what: &SetExpectation, set: &Set<'_>) -> SetJudgement {
        let SetExpectation::Entropy { of, bits } = what else { return together::claim(what, set) };
        let found = self.court.complete(guess::look(set, *of), &self.check.id);
        let judgement = guess::judge(&found, *bits);
        self.court.settle_entropy(found);
        (judgement, Vec::new())
    }

    /// Each round is judged by itself, and all of them by how many there are.
    fn together_on_race(
        &mut self,
        together: &Together,
        claim: &SetClaim,
        promises: &[RacePromise],
        name: &str,
    ) {
        let court = self.court;
        let rounds = self.races.get(name).cloned().unwrap_or_default();
        let judged = race::judge(promises, &rounds, &court.ground.suite.policy);
        let key = ClaimKey { at: claim.at, name: set_name(together, claim.what.word()) };
        for (round, judgement) in rounds.iter().zip(judged.rounds) {
            let Some(judgement) = judgement else { continue };
            let witnesses = witnesses(round);
            let cell = round.cell.as_deref();
            self.tally
                .note(key.clone(), claim.strength, cell, judgement, |miss| shown(court, &witnesses, miss));
        }
        if let Some(why) = judged.doubt {
            self.tally.note(key, claim.strength, None, Judgement::Untold(why), |_| (Vec::new(), None));
        }
    }

    /// Whether a promise of a race still hangs on rounds that did not tell.
    pub(super) fn races_tell_too_little(&self) -> bool {
        let policy = &self.court.ground.suite.policy;
        self.check.together.iter().any(|together| {
            let rounds = together.of.first().and_then(|name| self.races.get(name));
            let promised = together.claims.iter().filter_map(|claim| promises(&claim.what));
            rounds.is_some_and(|rounds| {
                promised.into_iter().any(|promises| race::judge(promises, rounds, policy).doubt.is_some())
            })
        })
    }

    /// Whether a round so far was not as one of the claims that `is_sought` names promises.
    pub(super) fn races_fail(&self, is_sought: impl Fn(&str) -> bool) -> bool {
        let policy = &self.court.ground.suite.policy;
        self.check.together.iter().any(|together| {
            let rounds = together.of.first().and_then(|name| self.races.get(name));
            let named = |claim: &&SetClaim| is_sought(&set_name(together, claim.what.word()));
            let promised = together.claims.iter().filter(named).filter_map(|claim| promises(&claim.what));
            rounds.is_some_and(|rounds| {
                promised.into_iter().any(|promises| {
                    let judged = race::judge(promises, rounds, policy).rounds;
                    judged.iter().any(|judgement| matches!(judgement, Some(Judgement::Fails(_))))
                })
            })
        })
    }

    /// Every race, added up for the record.
    pub(super) fn add_up_races(&mut self) {
        let policy = &self.court.ground.suite.policy;
        let races = std::mem::take(&mut self.races);
        for (name, rounds) in &races {
            let sets = self.check.together.iter().filter(|set| set.of.contains(name));
            let promises: Vec<RacePromise> = sets
                .flat_map(|set| &set.claims)
                .filter_map(|claim| promises(&claim.what))
                .flatten()
                .copied()
                .collect();
            self.tally.races.extend(race::add_up(name, rounds, &promises, policy));
        }
    }

    fn together_on_loads(&mut self, together: &Together) {
        for claim in &together.claims {
            let loads = loads::Loads { of: &together.of, all: &self.loads, promised: self.promised() };
            let judgement = loads::set_claim(&claim.what, &loads);
            let key = ClaimKey { at: claim.at, name: set_name(together, claim.what.word()) };
            self.note_set(key, claim.strength, judgement, |_| (Vec::new(), None));
        }
    }

    pub(super) fn note_set(
        &mut self,
        key: ClaimKey,
        strength: Strength,
        judgement: Judgement,
        show: impl FnOnce(&Miss) -> Shown,
    ) {
        match (strength, judgement) {
            (Strength::Given, Judgement::Holds) => {}
            (Strength::Given, Judgement::Fails(miss)) => {
                self.tally.unset(format!("{} was not given: {}", miss.expected, miss.found));
            }
            (Strength::Given, Judgement::Untold(why) | Judgement::Moot(why)) => self.tally.unset(why),
            (strength, judgement) => self.tally.note(key, strength, None, judgement, show),
        }
    }
}

pub(super) fn key(step: &Step, claim: &Claim) -> ClaimKey {
    let word = claim.what.word();
    let name = match &step.name {
        Some(name) => format!("{name}.{word}"),
        None => word.to_owned(),
    };
    ClaimKey { at: claim.at, name }
}

/// The exchanges that show a round: those that were granted first, as they are what there may be too many of.
fn witnesses(round: &Round) -> Vec<Arc<Taken>> {
    let mut taken: Vec<Arc<Taken>> = round.racers.iter().map(|racer| Arc::clone(&racer.taken)).collect();
    taken.sort_by_key(|taken| (!taken.is_granted(), taken.exchange.times.first_byte_at));
    taken
}

fn set_name(together: &Together, word: &str) -> String {
    match together.of.as_slice() {
        [one] => format!("{one}.{word}"),
        _ => word.to_owned(),
    }
}

/// What follows where a `given` does not hold.
fn not_given(claim: &Claim, judgement: &Judgement, taken: &Taken) -> Option<Cut> {
    match judgement {
        Judgement::Holds => None,
        Judgement::Moot(why) => Some(Cut::Moot(why.clone())),
        Judgement::Untold(why) => Some(Cut::Unset(why.clone())),
        Judgement::Fails(miss) => Some(Cut::Unset(match &claim.what {
            Expectation::Outcome(words) if words.as_slice() == [OutcomeWord::Granted] => {
                format!("the {} was not granted: {}", taken.operation.word(), ending(taken))
            }
            _ => format!("{} was not given: {}", miss.expected, miss.found),
        })),
    }
}

pub(super) fn shown(court: &Court, witnesses: &[Arc<Taken>], miss: &Miss) -> Shown {
    let evidences = witnesses.iter().take(2).map(|taken| evidence(taken, &court.redaction, &miss.marks));
    let again = witnesses.first().and_then(|taken| court.again(taken));
    (evidences.collect(), again)
}
