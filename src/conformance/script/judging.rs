//! Judging while a check is played: each exchange in its step, and many together at the end.

use std::sync::Arc;

use crate::conformance::cell::Cell;
use crate::conformance::change::NotMade;
use crate::conformance::court::Court;
use crate::conformance::evidence::evidence;
use crate::conformance::judge::{self, Bench, Judgement, Miss};
use crate::conformance::loads;
use crate::conformance::tally::{ClaimKey, Shown};
use crate::conformance::together::{self, Set};
use crate::conformance::transcript::{Taken, ending};
use crate::suite::check::{Step, Together};
use crate::suite::claim::{Claim, Expectation, OutcomeWord, Strength};

use super::{Cut, Going, Play, REPEATS_MAX, Scene};

impl Play<'_> {
    pub(super) fn judge(&mut self, scene: &mut Scene<'_>, step: &Step, taken: Arc<Taken>) -> Going {
        let mut unset = None;
        let redaction = self.court.redaction.of(&taken);
        let judged: Vec<(&Claim, Judgement)> = {
            let bench = Bench { scope: self.scope(scene), redaction, median: self.court.median() };
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
        for claim in &together.claims {
            let (judgement, witnesses) = together::claim(&claim.what, &set);
            let judgement = witnesses
                .iter()
                .fold(judgement, |judgement, taken| judgement.redacted(&court.redaction.of(taken)));
            let key = ClaimKey { at: claim.at, name: set_name(together, claim.what.word()) };
            self.note_set(key, claim.strength, judgement, |miss| shown(court, &witnesses, miss));
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
