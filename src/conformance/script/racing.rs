//! Playing a race: its legs are made ready, leave together, and are judged one by one.

use std::sync::Arc;
use std::time::Duration;

use crate::chain::Called;
use crate::client::compose::Slots;
use crate::client::volley::Shot;
use crate::client::wire::Kept;
use crate::conformance::change::{Composed, Making, compose};
use crate::conformance::needs::{changes_of, gap_of, times_of};
use crate::conformance::promise::Allowed;
use crate::conformance::references::slots_of;
use crate::conformance::transcript::Taken;
use crate::suite::call::{Call, Operation};
use crate::suite::check::Step;
use crate::suite::race::{Leg, Race, Release};

use super::present::choose;
use super::{Going, Play, Scene};

/// One request of a race, before it is sent.
struct Racer<'r> {
    leg: &'r Leg,
    /// How much later than the first it leaves.
    after: Duration,
    good: Slots,
    composed: Composed,
}

/// Where a race stands in its check.
#[derive(Clone, Copy)]
struct Ring<'r> {
    step: &'r Step,
    race: &'r Race,
    /// Which of the chains of that name.
    chain: usize,
    number: u64,
}

impl Play<'_> {
    pub(super) async fn race(
        &mut self,
        scene: &mut Scene<'_>,
        step: &Step,
        race: &Race,
        index: u64,
    ) -> Going {
        let name = chain_of(race);
        let count = scene.cast.get(name).map_or(0, Vec::len);
        for chain in 0..count {
            self.go_on()?;
            self.on_chain(scene, Ring { step, race, chain, number: index << 32 }).await?;
        }
        Ok(())
    }

    async fn on_chain(&mut self, scene: &mut Scene<'_>, ring: Ring<'_>) -> Going {
        if scene.cast[chain_of(ring.race)][ring.chain].in_doubt {
            return self.untold(scene, ring.step, "the answer to an earlier call on this chain was lost");
        }
        let racers = match self.racers(scene, ring) {
            Ok(racers) => racers,
            Err(why) => return self.untold(scene, ring.step, &why),
        };
        let taken = self.run(scene, ring, racers).await;
        for (leg, taken) in taken {
            let taken = Arc::new(taken);
            self.court.observe(&taken);
            self.requests += 1;
            if let Some(name) = &leg.name {
                scene.steps.entry(name.clone()).or_default().push(Arc::clone(&taken));
                self.sets.entry(name.clone()).or_default().push(Arc::clone(&taken));
            }
            self.judge(scene, ring.step, taken)?;
        }
        Ok(())
    }

    /// The requests of all legs, composed.
    fn racers<'r>(&self, scene: &Scene<'_>, ring: Ring<'r>) -> Result<Vec<Racer<'r>>, String> {
        let ground = &self.court.ground;
        let chain = &scene.cast[chain_of(ring.race)][ring.chain];
        let gap = gap_of(ring.race, scene.cell);
        let mut racers = Vec::new();
        for (leg, place) in ring.race.legs.iter().zip(0_u32..) {
            let chosen = choose(chain, &leg.call, scene, &ground.dialect)?;
            for time in 0..times_of(leg, scene.cell, ground.full) {
                for chosen in &chosen {
                    let good = slots_of(&chain.identity.slots, &chosen.pair);
                    let number = ring.number | u64::from(place) << 16 | u64::from(time);
                    let composed = self.composed(scene, &leg.call, &good, number)?;
                    racers.push(Racer { leg, after: gap * place, good, composed });
                }
            }
        }
        Ok(racers)
    }

    fn composed(
        &self,
        scene: &Scene<'_>,
        call: &Call,
        good: &Slots,
        number: u64,
    ) -> Result<Composed, String> {
        let speech = self.court.ground.dialect.operation(call.operation);
        let making = Making {
            speech: speech.ok_or("the dialect does not have this operation")?,
            changes: &changes_of(call, scene.cell),
            good,
            scope: self.scope(scene),
            format: self.court.format(),
            client: &self.court.ground.client,
            callback: None,
        };
        compose(&making, &mut self.rng(scene, number)).map_err(|not_made| not_made.why)
    }

    async fn run<'r>(
        &self,
        scene: &mut Scene<'_>,
        ring: Ring<'r>,
        racers: Vec<Racer<'r>>,
    ) -> Vec<(&'r Leg, Taken)> {
        let ground = &self.court.ground;
        let shot = |racer: &Racer<'_>| {
            let request = racer.composed.request.clone();
            (racer.leg.call.operation, Shot { request, after: racer.after })
        };
        let shots: Vec<(Operation, Shot)> = racers.iter().map(shot).collect();
        let kept = match ring.race.release {
            Release::LastByte => Kept::LastByte,
            Release::Barrier => Kept::Everything,
        };
        let chains = scene.cast.get_mut(chain_of(ring.race)).expect("the caller found it there");
        let chain = &mut chains[ring.chain];
        let (called, _overlapped) = chain.burn_together(&ground.client, &ground.dialect, shots, kept).await;
        let chain = &chains[ring.chain];
        let taken = |(racer, Called { exchange, reply }): (Racer<'r>, Called)| {
            let taken = Taken {
                operation: racer.leg.call.operation,
                step: racer.leg.name.clone().or_else(|| ring.step.name.clone()),
                chain: racer.leg.call.chain.clone(),
                chain_number: chain.number,
                cell: scene.cell.values.clone(),
                round: scene.round,
                identity: Arc::clone(&chain.identity),
                origin: chain.pairs.first().and_then(|pair| pair.reply.clone()),
                good: racer.good,
                sent: racer.composed.sent,
                exchange,
                reply,
                allowed: Allowed::Unknown("racers are judged together".to_owned()),
                called_back: None,
                now: self.court.clock.now(),
                manner: format!("{}, in a race", racer.composed.manner),
            };
            (racer.leg, taken)
        };
        racers.into_iter().zip(called).map(taken).collect()
    }
}

/// The name of the chain that a race is run on.
fn chain_of(race: &Race) -> &str {
    race.legs.first().map_or("own", |leg| leg.call.chain.as_str())
}
