//! Playing a race: its legs are made ready, leave together, and are judged one by one.

use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom as _;

use crate::chain::{Called, Chain, Pair};
use crate::client::compose::Slots;
use crate::client::volley::Shot;
use crate::client::wire::Kept;
use crate::conformance::change::{Composed, Making, compose};
use crate::conformance::promise::Allowed;
use crate::conformance::race::{Racer, Round};
use crate::conformance::references::slots_of;
use crate::conformance::steps::{changes_of, gap_of, has_aftermath, times_of};
use crate::conformance::transcript::Taken;
use crate::source::Span;
use crate::suite::call::{Call, Changes, Operation, PairUse, Slot};
use crate::suite::check::Step;
use crate::suite::claim::{Claim, Expectation};
use crate::suite::race::{Leg, Race, Release};

use super::past::Dial;
use super::present::{choose, granted_pair, is_good, is_plain};
use super::{Going, Play, Scene};

/// One request of a race, before it is sent.
struct Racing<'r> {
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
        let chain = &scene.cast[chain_of(ring.race)][ring.chain];
        if chain.in_doubt {
            return self.untold(scene, ring.step, "the answer to an earlier call on this chain was lost");
        }
        let number = chain.number;
        let alike = is_one_live_token(chain, ring.race, scene);
        let racers = match self.racers(scene, ring) {
            Ok(racers) => racers,
            Err(why) => return self.untold(scene, ring.step, &why),
        };
        let (taken, overlapped) = self.run(scene, ring, racers).await;
        let mut round = Round {
            cell: scene.cell.label(),
            racers: self.note_racers(&taken),
            alike,
            overlapped,
            together: gap_of(ring.race, scene.cell).is_zero(),
            tried: Vec::new(),
            family: None,
            history: self.pasts.get(number),
        };
        let judged = self.judge_racers(scene, ring.step, taken);
        self.adopt(scene, ring, &round);
        if has_aftermath(self.check, ring.step) {
            self.aftermath(scene, ring, &mut round).await?;
        }
        round.history = self.pasts.get(number);
        self.pasts.blur(number);
        if let Some(promises) = self.promises.get_mut(&number) {
            promises.blur("the chain raced");
        }
        let name = ring.step.name.clone().unwrap_or_default();
        self.races.entry(name).or_default().push(round);
        judged
    }

    fn note_racers(&mut self, taken: &[(&Leg, bool, Arc<Taken>)]) -> Vec<Racer> {
        let dial = Dial::read(&self.court.clock);
        let dialect = &self.court.ground.dialect;
        let noted = taken.iter().map(|(_, is_good, taken)| Racer {
            successor: self.pasts.note(taken, *is_good, dialect, dial),
            taken: Arc::clone(taken),
        });
        noted.collect()
    }

    fn judge_racers(
        &mut self,
        scene: &mut Scene<'_>,
        step: &Step,
        taken: Vec<(&Leg, bool, Arc<Taken>)>,
    ) -> Going {
        let mut going = Ok(());
        for (leg, _, taken) in taken {
            self.court.observe(&taken);
            self.requests += 1;
            if let Some(name) = &leg.name {
                scene.steps.entry(name.clone()).or_default().push(Arc::clone(&taken));
                self.sets.entry(name.clone()).or_default().push(Arc::clone(&taken));
            }
            let spared = spared(step, &taken);
            going = going.and(self.judge(scene, spared.as_ref().unwrap_or(step), taken));
        }
        going
    }

    /// The chain goes on with the first pair that was granted.
    fn adopt(&mut self, scene: &mut Scene<'_>, ring: Ring<'_>, round: &Round) {
        let refreshes = round.racers.iter().map(|racer| &racer.taken);
        let granted = refreshes.filter(|taken| taken.operation == Operation::Refresh && taken.is_granted());
        let Some(first) = granted.min_by_key(|taken| taken.exchange.times.first_byte_at) else { return };
        let chains = scene.cast.get_mut(chain_of(ring.race)).expect("the caller found it there");
        if let Some(reply) = &first.reply {
            chains[ring.chain].adopt(
                &self.court.ground.dialect,
                reply,
                first.sent.get(&Slot::Refresh).cloned(),
            );
        }
    }

    /// Tries each different successor, and then the family with the last pair that was granted.
    async fn aftermath(&mut self, scene: &mut Scene<'_>, ring: Ring<'_>, round: &mut Round) -> Going {
        let presented = scene.cast[chain_of(ring.race)][ring.chain].pairs.last().cloned();
        let mut last = None;
        for (token, pair) in self.successors(scene, round) {
            self.go_on()?;
            let granted = self.try_pair(scene, ring, &pair).await;
            round.tried.push((token, granted.is_some()));
            last = granted.or(last);
        }
        let none_granted = round.tried.is_empty();
        let left = if none_granted { presented } else { last };
        round.family = Some(match left {
            Some(pair) => {
                let granted = self.try_pair(scene, ring, &pair).await;
                let chains = scene.cast.get_mut(chain_of(ring.race)).expect("the caller found it there");
                chains[ring.chain].pairs.extend(granted.clone());
                granted.is_some()
            }
            None => false,
        });
        Ok(())
    }

    /// Each different refresh token that was granted, with the first pair that has it.
    fn successors(&self, scene: &Scene<'_>, round: &Round) -> Vec<(usize, Pair)> {
        let mut successors: Vec<(usize, Pair)> = Vec::new();
        for racer in &round.racers {
            if let Some(token) = racer.successor
                && !successors.iter().any(|(known, _)| *known == token)
                && let Some(pair) = granted_pair(&racer.taken, scene, &self.court.ground.dialect)
            {
                successors.push((token, pair));
            }
        }
        successors
    }

    /// A good refresh with this pair; the pair that it grants.
    async fn try_pair(&mut self, scene: &mut Scene<'_>, ring: Ring<'_>, pair: &Pair) -> Option<Pair> {
        let call = good_refresh(ring.step.at, chain_of(ring.race));
        let good = slots_of(&scene.cast[&call.chain][ring.chain].identity.slots, pair);
        let composed = self.composed(scene, &call, &good, ring.number).ok()?;
        let ground = &self.court.ground;
        let chain = &mut scene.cast.get_mut(&call.chain).expect("the caller found it there")[ring.chain];
        let called = chain.burn(&ground.client, &ground.dialect, composed.request.clone()).await;
        let told = Told { step: None, after: true, good, composed };
        let taken = self.taken(scene, ring, &call, told, called);
        let dial = Dial::read(&self.court.clock);
        self.pasts.note(&taken, true, &self.court.ground.dialect, dial);
        self.court.observe(&taken);
        self.requests += 1;
        granted_pair(&taken, scene, &self.court.ground.dialect)
    }

    /// The requests of all legs, composed.
    fn racers<'r>(&self, scene: &Scene<'_>, ring: Ring<'r>) -> Result<Vec<Racing<'r>>, String> {
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
                    racers.push(Racing { leg, after: gap * place, good, composed });
                }
            }
        }
        // Whose last byte leaves first wins more often, so the order of one moment is drawn.
        racers.shuffle(&mut self.rng(scene, ring.number));
        racers.sort_by_key(|racer| racer.after);
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
        racers: Vec<Racing<'r>>,
    ) -> (Vec<(&'r Leg, bool, Arc<Taken>)>, bool) {
        let ground = &self.court.ground;
        let shot = |racer: &Racing<'_>| {
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
        let (called, overlapped) = chain.burn_together(&ground.client, &ground.dialect, shots, kept).await;
        let taken = racers.into_iter().zip(called).map(|(racer, called)| {
            let changes = changes_of(&racer.leg.call, scene.cell);
            let is_good = is_good(&changes, &racer.good, &racer.composed.sent);
            let step = racer.leg.name.clone().or_else(|| ring.step.name.clone());
            let told = Told { step, after: false, good: racer.good, composed: racer.composed };
            (racer.leg, is_good, Arc::new(self.taken(scene, ring, &racer.leg.call, told, called)))
        });
        (taken.collect(), overlapped)
    }

    fn taken(&self, scene: &Scene<'_>, ring: Ring<'_>, call: &Call, told: Told, called: Called) -> Taken {
        let chain = &scene.cast[chain_of(ring.race)][ring.chain];
        let how = if told.after { "after a race" } else { "in a race" };
        Taken {
            operation: call.operation,
            step: told.step,
            chain: call.chain.clone(),
            chain_number: chain.number,
            cell: scene.cell.values.clone(),
            round: scene.round,
            identity: Arc::clone(&chain.identity),
            origin: chain.pairs.first().and_then(|pair| pair.reply.clone()),
            good: told.good,
            sent: told.composed.sent,
            exchange: called.exchange,
            reply: called.reply,
            allowed: Allowed::Unknown("racers are judged together".to_owned()),
            called_back: None,
            look: None,
            now: self.court.clock.now(),
            manner: format!("{}, {how}", told.composed.manner),
        }
    }
}

/// Whether every leg is a good use of the chain's current token, which was not used before.
fn is_one_live_token(chain: &Chain, race: &Race, scene: &Scene<'_>) -> bool {
    let good = |call: &Call| {
        call.operation == Operation::Refresh
            && call.pair == PairUse::Current
            && is_plain(&changes_of(call, scene.cell))
    };
    chain.clean && race.calls().all(good)
}

/// What is known of a call before its answer.
struct Told {
    step: Option<String>,
    /// Whether it came after the race.
    after: bool,
    good: Slots,
    composed: Composed,
}

fn good_refresh(at: Span, chain: &str) -> Call {
    Call {
        operation: Operation::Refresh,
        chain: chain.to_owned(),
        pair: PairUse::Current,
        with: Vec::new(),
        changes: Changes::default(),
        at,
    }
}

/// What is claimed of the tokens of an answer says nothing of those who lost: the step without it.
fn spared(step: &Step, taken: &Taken) -> Option<Step> {
    let of_tokens = |claim: &Claim| matches!(claim.what, Expectation::Belongs(_));
    if taken.is_granted() || !step.claims.iter().any(of_tokens) {
        return None;
    }
    let mut spared = step.clone();
    spared.claims.retain(|claim| !of_tokens(claim));
    Some(spared)
}

/// The name of the chain that a race is run on.
fn chain_of(race: &Race) -> &str {
    race.legs.first().map_or("own", |leg| leg.call.chain.as_str())
}
