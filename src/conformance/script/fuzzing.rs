//! Playing a `fuzz` step: what the fuzzer brings home becomes judged claims.

use crate::conformance::fuzz::{self, Found, Harvest, Session};
use crate::conformance::judge::Judgement;
use crate::secret::FingerprintKey;
use crate::suite::check::{Fuzz, Step};
use crate::suite::claim::Strength;

use super::judging::{key, shown};
use super::{Cut, Going, Play, Scene};

impl Play<'_> {
    pub(super) async fn fuzz(&mut self, scene: &Scene<'_>, step: &Step, fuzz: &Fuzz, number: u64) -> Going {
        let court = self.court;
        let label = scene.cell.label().unwrap_or_default();
        let name = format!("{} {label} {} {number}", self.check.id, scene.round);
        let session = Session {
            court,
            check: &self.check.id,
            step,
            fuzz,
            cell: scene.cell,
            round: scene.round,
            yields: &scene.steps,
            seed: FingerprintKey::new(court.ground.seed, 0).of(&name).0,
            only: court.only_case(&self.check.id),
            keep: self
                .check
                .together
                .iter()
                .any(|set| set.of.iter().any(|of| Some(of) == step.name.as_ref())),
            sought: self.sought_of(step),
            stop: self.stop,
        };
        let harvest = fuzz::run(&session).await;
        self.requests += harvest.requests;
        self.reap(scene, step, harvest)
    }

    /// The claims of the step that are looked for, by their place.
    fn sought_of(&self, step: &Step) -> Vec<usize> {
        let Some(sought) = &self.court.ground.sought else { return Vec::new() };
        let claims = step.claims.iter().enumerate();
        let named = claims.filter(|(_, claim)| sought.is_for(&self.check.id, &key(step, claim).name));
        named.map(|(place, _)| place).collect()
    }

    fn reap(&mut self, scene: &Scene<'_>, step: &Step, harvest: Harvest) -> Going {
        let label = scene.cell.label();
        let label = label.as_deref();
        let nothing = |_: &_| (Vec::new(), None);
        for (index, claim) in step.claims.iter().enumerate() {
            for _ in 0..harvest.held[index] {
                self.tally.note(key(step, claim), claim.strength, label, Judgement::Holds, nothing);
            }
            let (times, first) = &harvest.untold[index];
            for open in std::iter::repeat_n(first, *times as usize).flatten() {
                self.tally.note(key(step, claim), claim.strength, label, open.clone(), nothing);
            }
        }
        for found in &harvest.failures {
            self.fail(label, step, found)?;
        }
        if let Some(name) = &step.name {
            self.sets.entry(name.clone()).or_default().extend(harvest.kept);
        }
        if harvest.stopped {
            return Err(Cut::Stopped);
        }
        // What was found counts, whatever else could not be told.
        match harvest.doubt {
            Some(why) if harvest.failures.is_empty() => Err(Cut::Unset(why)),
            Some(_) | None => Ok(()),
        }
    }

    fn fail(&mut self, label: Option<&str>, step: &Step, found: &Found) -> Going {
        let court = self.court;
        let claim = &step.claims[found.claim];
        if claim.strength == Strength::Given {
            return Err(Cut::Unset(format!("{} was not given: {}", found.miss.expected, found.miss.found)));
        }
        for _ in 0..found.times {
            let judgement = Judgement::Fails(found.miss.clone());
            let show = |miss: &_| shown(court, &found.witnesses, miss);
            self.tally.note(key(step, claim), claim.strength, label, judgement, show);
        }
        Ok(())
    }
}
