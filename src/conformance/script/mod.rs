//! Plays a check: its steps in every cell and round on fresh chains, each exchange judged as it comes.

mod connecting;
mod fuzzing;
mod good;
mod interleave;
mod judging;
mod past;
mod present;
mod racing;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::chain::{Called, Chain, Pair, may_have_spent};
use crate::client::compose::Slots;
use crate::client::reply::{self, Outcome, Reply};
use crate::client::{Exchange, Failure};
use crate::load;
use crate::load::sentinels::Turns;
use crate::results::event::{Narrator, Stop};
use crate::results::{LoadResult, trust};
use crate::secret::{FingerprintKey, Token};
use crate::suite::call::{Call, Operation, PairUse, Slot};
use crate::suite::check::{AccessNeed, ChainNeed, Check, Step, Verb, Wait};
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::expression::{Expression, Value};
use crate::suite::profile::{Model, Profile};

pub(super) use self::good::judge as judge_good;

use self::judging::key;
use self::past::{Dial, Pasts};
use self::present::{Chosen, choose, identity, is_good, mentions_callback, presented, spends};
use super::Sought;
use super::callback::Callback;
use super::cell::Cell;
use super::change::{Composed, Making, compose};
use super::clock::NoTime;
use super::court::Court;
use super::loads;
use super::names::{Moments, Promised};
use super::promise::{Allowed, Answer, Presented, Promises, When};
use super::race::Round;
use super::references::{Cast, Scope, Yields, slots_of};
use super::sentinels;
use super::steps::{changes_of, compares_times, patience};
use super::tally::{ClaimKey, ClaimTally, Tally};
use super::transcript::Taken;

/// A step repeats no oftener than this, whatever `for` says.
const REPEATS_MAX: u32 = 20_000;

/// So long after a restart its hang-ups have arrived.
const AFTER_RESTART: Duration = Duration::from_millis(100);

/// What playing a check came to.
pub(super) struct Played {
    /// Its claims, counted.
    pub tally: Tally,
    /// Exchanges that its steps caused.
    pub requests: u64,
}

/// Checks compare times with margins of a tenth of this and more, so slip below that decides nothing.
const COARSEST: Duration = Duration::from_millis(500);

/// A check that has taken this long goes on no longer for rounds that count: a slow server needs some time for thirty.
const LONG_ENOUGH: Duration = Duration::from_secs(15);

/// Beyond its rounds, a check asks after so many whether they tell enough.
const JUDGED_EVERY: u32 = 4;

/// Why a cell is not played to its end.
enum Cut {
    /// The stage could not be set.
    Unset(String),
    /// There is no stage to set: the policy leaves out what it hangs on.
    Moot(String),
    /// Somebody asked to stop.
    Stopped,
    /// What is looked for was found.
    Found,
}

type Going = Result<(), Cut>;

/// Plays `check` in `cells`.
pub(super) async fn play(
    court: &Court,
    check: &Check,
    cells: &[Cell],
    narrator: &Narrator,
    stop: &Stop,
) -> Played {
    let mut play = Play::of(court, check, narrator, stop);
    if !check.steps.is_empty() {
        play.cells(cells).await;
        // What was cut short is no set to judge.
        if !play.is_found() {
            play.together();
            play.add_up_races();
        }
    }
    play.let_go();
    Played { tally: play.tally, requests: play.requests }
}

/// So many rounds of a sentinel are judged together, at most.
const ROUNDS_TOGETHER: u32 = 128;

/// Plays rounds of a check inside a load, one for each turn, and says after each what it came to.
pub(super) async fn watch(court: &Court, check: &Check, cells: &[Cell], turns: &Turns) -> Played {
    let narrator = Narrator::silent();
    let mut play = Play::of(court, check, &narrator, turns.over());
    let (mut round, mut kept) = (0, 0);
    while turns.next().await {
        let cell = &cells[round as usize % cells.len()];
        let before = play.tally.standing();
        play.tally.runs += 1;
        match play.scene(cell, round).await {
            // What was looked for and found is told as well.
            Ok(()) | Err(Cut::Found) => {}
            Err(Cut::Stopped) => {
                play.tally.runs -= 1;
                break;
            }
            Err(Cut::Unset(why)) => play.tally.unset(why),
            Err(Cut::Moot(why)) => play.moot(cell, &why),
        }
        (round, kept) = (round + 1, kept + 1);
        turns.tell(play.peek().since(before));
        if kept == ROUNDS_TOGETHER {
            play.fold();
            kept = 0;
        }
    }
    play.fold();
    play.let_go();
    Played { tally: play.tally, requests: play.requests }
}

/// A check that is being played.
struct Play<'a> {
    court: &'a Court,
    check: &'a Check,
    narrator: &'a Narrator,
    stop: &'a Stop,
    tally: Tally,
    /// What named steps yielded in all cells and rounds.
    sets: Yields,
    loads: IndexMap<String, LoadResult>,
    /// Chains that were only ever granted their current pair.
    spare: Cast,
    /// The policy's view of each chain, by its number.
    promises: HashMap<u32, Promises>,
    /// What was called on them, where the policy's view is not enough.
    pasts: Pasts,
    /// The rounds of each race, by the step's name.
    races: IndexMap<String, Vec<Round>>,
    requests: u64,
}

impl<'a> Play<'a> {
    /// Nothing is played yet.
    fn of(court: &'a Court, check: &'a Check, narrator: &'a Narrator, stop: &'a Stop) -> Play<'a> {
        Play {
            court,
            check,
            narrator,
            stop,
            tally: Tally::default(),
            sets: IndexMap::new(),
            loads: IndexMap::new(),
            spare: IndexMap::new(),
            promises: HashMap::new(),
            pasts: Pasts::of(check),
            races: IndexMap::new(),
            requests: 0,
        }
    }
}

/// One cell in one round.
struct Scene<'c> {
    cell: &'c Cell,
    round: u32,
    cast: Cast,
    steps: Yields,
    last: Option<Arc<Taken>>,
    /// Chains whose answer was given up on purpose: what follows is judged all the same.
    forsaken: BTreeSet<u32>,
}

impl<'c> Scene<'c> {
    fn of(cell: &'c Cell, round: u32) -> Scene<'c> {
        Scene { cell, round, cast: Cast::new(), steps: Yields::new(), last: None, forsaken: BTreeSet::new() }
    }
}

/// Where a call stands in its check: its number seeds what is made at random.
#[derive(Clone, Copy)]
struct At<'s> {
    step: &'s Step,
    call: &'s Call,
    number: u64,
}

impl Play<'_> {
    /// What the rounds so far come to, if no more were played.
    fn peek(&mut self) -> Tally {
        let before = self.tally.clone();
        self.together();
        std::mem::replace(&mut self.tally, before)
    }

    /// Judges what many rounds have yielded, and forgets it.
    fn fold(&mut self) {
        self.together();
        self.add_up_races();
        self.sets.clear();
    }
}

impl Play<'_> {
    async fn cells(&mut self, cells: &[Cell]) {
        let rounds = self.check.rounds.at(self.court.ground.full).max(1);
        let interleaved = compares_times(self.check);
        let began = Instant::now();
        for round in 0..rounds.saturating_mul(self.extra()) {
            if round >= rounds && self.is_over(round - rounds, began) {
                break;
            }
            if interleaved {
                match self.side_by_side(cells, round).await {
                    Err(Cut::Stopped) => {
                        self.tally.stopped = true;
                        return;
                    }
                    Err(Cut::Found) => return,
                    Ok(()) | Err(Cut::Unset(_) | Cut::Moot(_)) => {}
                }
                continue;
            }
            if self.races_are_found(round) {
                return;
            }
            for cell in cells {
                self.tally.runs += 1;
                let before: Vec<usize> = self.sets.values().map(Vec::len).collect();
                match self.scene(cell, round).await {
                    Ok(()) => {}
                    Err(Cut::Unset(why)) => {
                        self.tally.unset(why);
                        self.forget_since(&before);
                    }
                    Err(Cut::Moot(why)) => {
                        self.moot(cell, &why);
                        self.forget_since(&before);
                    }
                    Err(Cut::Stopped) => {
                        self.tally.runs -= 1;
                        self.tally.stopped = true;
                        return;
                    }
                    Err(Cut::Found) => return,
                }
            }
        }
    }

    /// How many times its rounds a check may be played until it tells enough.
    fn extra(&self) -> u32 {
        match self.court.ground.sought {
            Some(Sought::Reds) => 1,
            None | Some(Sought::Claims(_) | Sought::Failures) => patience(self.check),
        }
    }

    /// Whether a claim that is looked for has failed.
    fn is_found(&self) -> bool {
        let Some(sought) = &self.court.ground.sought else { return false };
        let failed = |(key, tally): (&ClaimKey, &ClaimTally)| {
            tally.failed > 0 && sought.is_for(&self.check.id, &key.name)
        };
        self.tally.claims.iter().any(failed)
    }

    /// The same for what is promised of the races so far, which is judged of all rounds.
    fn races_are_found(&self, round: u32) -> bool {
        let Some(sought) = &self.court.ground.sought else { return false };
        round > 0
            && round.is_multiple_of(JUDGED_EVERY)
            && self.races_fail(|name| sought.is_for(&self.check.id, name))
    }

    /// Whether a check that had its rounds need not go on, or did for long enough.
    fn is_over(&self, over: u32, began: Instant) -> bool {
        let too_long = began.elapsed() > LONG_ENOUGH;
        // All rounds are judged for it, so that is not asked after each.
        too_long || (over.is_multiple_of(JUDGED_EVERY) && !self.races_tell_too_little())
    }

    /// What was taken on a stage that turned out not to be set proves nothing.
    fn forget_since(&mut self, before: &[usize]) {
        for (number, set) in self.sets.values_mut().enumerate() {
            set.truncate(before.get(number).copied().unwrap_or(0));
        }
    }

    async fn scene(&mut self, cell: &Cell, round: u32) -> Going {
        let mut scene = Scene::of(cell, round);
        let going = self.enact(&mut scene).await;
        self.put_away(scene.cast);
        going
    }

    async fn enact(&mut self, scene: &mut Scene<'_>) -> Going {
        self.casting(scene).await?;
        for (index, step) in self.check.steps.iter().enumerate() {
            self.go_on()?;
            self.step(scene, step, index as u64).await?;
        }
        Ok(())
    }

    fn go_on(&self) -> Going {
        if self.stop.asked() {
            Err(Cut::Stopped)
        } else if self.is_found() {
            Err(Cut::Found)
        } else {
            Ok(())
        }
    }

    // ---------------------------------------------------------------------------------------------- chains

    /// `own` where a step asks for it, and the declared ones.
    async fn casting(&mut self, scene: &mut Scene<'_>) -> Going {
        let plain = ChainNeed::default();
        let declared = self.check.chains.iter().map(|(name, need)| (name.clone(), need.clone()));
        let mut needs: Vec<(String, ChainNeed)> = declared.collect();
        // Who only looks at connections spends nothing.
        let calls = self.check.steps.iter().any(|step| !matches!(step.verb, Verb::Connect(_)));
        if calls && !needs.iter().any(|(name, _)| name == "own") {
            needs.insert(0, ("own".to_owned(), plain));
        }
        for (name, need) in needs {
            let count = need.count.map_or(1, |count| count.at(self.court.ground.full)).max(1);
            let mut chains = self.spare.shift_remove(&name).unwrap_or_default();
            while chains.len() < count as usize {
                self.go_on()?;
                chains.push(self.open(&need).await?);
            }
            scene.cast.insert(name, chains);
        }
        Ok(())
    }

    async fn open(&mut self, need: &ChainNeed) -> Result<Chain, Cut> {
        let identity = identity(&self.court.ground.identities, need)
            .ok_or_else(|| Cut::Unset("no identity differs as the check asks".to_owned()))?;
        let asked = self.court.clock.elapsed();
        let chain = self
            .court
            .open(&identity)
            .await
            .map_err(|none| Cut::Unset(format!("no chain could be opened: {none}")))?;
        self.requests += 1;
        let origin = chain.pairs.last();
        let by_login = origin.is_some_and(|pair| pair.reply.is_some());
        let token = |of: fn(&Pair) -> Option<&Token>| origin.and_then(of);
        // How old a chain is that was not opened by a login is not known.
        let opened = When { from: by_login.then_some(asked), to: self.court.clock.elapsed() };
        let (refresh, access) = (token(|pair| pair.refresh.as_ref()), token(|pair| pair.access.as_ref()));
        self.promises.insert(chain.number, Promises::new(refresh, access, opened));
        self.pasts.open(chain.number, refresh, opened);
        match need.access {
            Some(AccessNeed::Expired) => self.expire(&chain).await?,
            Some(AccessNeed::Live) | None => {}
        }
        Ok(chain)
    }

    /// Lets the access token of a fresh chain expire.
    async fn expire(&self, chain: &Chain) -> Going {
        let unknown = || Cut::Unset("when the access token expires is not known".to_owned());
        let origin = chain.pairs.first().and_then(|pair| pair.reply.as_ref()).ok_or_else(unknown)?;
        let now = self.court.clock.now();
        let place = FieldPlace::Field(Field::Expires);
        let moment =
            origin.moment(&self.court.ground.dialect, Operation::Login, &place, now).ok_or_else(unknown)?;
        let left = u64::try_from(moment.at.as_second() - now.as_second()).unwrap_or(0);
        let slack = self.court.ground.suite.policy.slack;
        self.pass(Duration::from_secs(left + 2) + slack).await
    }

    /// Chains as good as new serve the next cell; the others are given up.
    fn put_away(&mut self, cast: Cast) {
        for (name, chains) in cast {
            let (clean, used): (Vec<_>, Vec<_>) =
                chains.into_iter().partition(|chain| chain.clean && !chain.in_doubt);
            for chain in used {
                self.promises.remove(&chain.number);
                self.pasts.close(chain.number);
                self.court.lose_family();
            }
            if !clean.is_empty() {
                self.spare.insert(name, clean);
            }
        }
    }

    fn let_go(&mut self) {
        self.spare.clear();
        self.promises.clear();
    }

    // ----------------------------------------------------------------------------------------------- calls

    async fn calls(&mut self, scene: &mut Scene<'_>, step: &Step, call: &Call, index: u64) -> Going {
        let every = match &step.every {
            Some((every, _)) => Some(self.value(scene, every)?),
            None => None,
        };
        let lasting = match &step.lasting {
            Some((lasting, _)) => Some(self.value(scene, lasting)?),
            None => None,
        };
        let times = match (step.times, lasting) {
            (Some(times), _) => times.at(self.court.ground.full),
            (None, Some(_)) => REPEATS_MAX,
            (None, None) => 1,
        };
        let began = self.court.clock.elapsed();
        for time in 0..times {
            if let (Some(every), true) = (every, time > 0) {
                self.pass(every).await?;
            }
            if lasting
                .is_some_and(|lasting| time > 0 && self.court.clock.elapsed() > began.saturating_add(lasting))
            {
                break;
            }
            let at = At { step, call, number: index << 32 | u64::from(time) };
            self.on_every_chain(scene, at).await?;
        }
        Ok(())
    }

    async fn on_every_chain(&mut self, scene: &mut Scene<'_>, at: At<'_>) -> Going {
        let name = at.call.chain.clone();
        let count = scene.cast.get(&name).map_or(0, Vec::len);
        for index in 0..count {
            self.go_on()?;
            let chosen = match choose(&scene.cast[&name][index], at.call, scene, &self.court.ground.dialect) {
                Ok(chosen) => chosen,
                Err(why) => {
                    self.untold(scene, at.step, &why)?;
                    continue;
                }
            };
            if chosen.is_empty() {
                let step = match &at.call.pair {
                    PairUse::Step(step) => step.as_str(),
                    PairUse::Current | PairUse::Previous | PairUse::First => "the chain",
                };
                self.tally
                    .emptied
                    .get_or_insert_with(|| format!("`{step}` was granted nothing that could be used"));
            }
            for chosen in chosen {
                self.call(scene, at, index, chosen).await?;
            }
        }
        Ok(())
    }

    /// One call and what is claimed of it.
    async fn call(&mut self, scene: &mut Scene<'_>, at: At<'_>, index: usize, chosen: Chosen) -> Going {
        let chain = &scene.cast[&at.call.chain][index];
        if chain.in_doubt && !scene.forsaken.contains(&chain.number) {
            return self.untold(scene, at.step, "the answer to an earlier call on this chain was lost");
        }
        let changes = changes_of(at.call, scene.cell);
        let callback = if mentions_callback(&changes) {
            Callback::open(self.court.ground.environment.callback).await
        } else {
            None
        };
        let good = slots_of(&chain.identity.slots, &chosen.pair);
        let composed = {
            let Some(speech) = self.court.ground.dialect.operation(at.call.operation) else {
                return self.untold(scene, at.step, "the dialect does not have this operation");
            };
            let making = Making {
                speech,
                changes: &changes,
                good: &good,
                scope: self.scope(scene),
                format: self.court.format(),
                client: &self.court.ground.client,
                callback: callback.as_ref().map(Callback::address),
            };
            compose(&making, &mut self.rng(scene, at.number))
        };
        let composed = match composed {
            Ok(composed) => composed,
            Err(not_made) => return self.unsent(scene, at.step, &not_made),
        };
        let presented = self.promises.get(&chain.number).map_or(Presented::Else(None), |promises| {
            presented(promises, chain, at.call, &changes, &good, &composed.sent)
        });
        let is_good = is_good(&changes, &good, &composed.sent);
        let by_past = self.allowed_by_past(chain, at.call, &composed.sent, is_good);
        let asked = self.court.clock.elapsed();
        let mut taken = self.send(scene, at, index, &chosen, composed, good).await;
        let when = When { from: Some(asked), to: self.court.clock.elapsed() };
        if let Some(callback) = callback {
            taken.called_back = Some(callback.was_called().await);
        }
        if changes.wire.abort.is_some() {
            scene.forsaken.insert(taken.chain_number);
            self.pasts.blur(taken.chain_number);
        }
        if taken.failure() == Some(Failure::Stopped) {
            return Err(Cut::Stopped);
        }
        self.settle(scene, at, index, presented, &mut taken, when);
        taken.allowed = by_past.unwrap_or(taken.allowed);
        let dial = Dial::read(&self.court.clock);
        self.pasts.note(&taken, is_good, &self.court.ground.dialect, dial);
        self.court.observe(&taken);
        self.requests += 1;
        self.judge(scene, at.step, Arc::new(taken))
    }

    fn scope<'s>(&'s self, scene: &'s Scene<'_>) -> Scope<'s> {
        Scope {
            dialect: &self.court.ground.dialect,
            variables: &self.court.ground.variables,
            cell: scene.cell,
            chains: &scene.cast,
            steps: &scene.steps,
            call: None,
            this: None,
            public_key: self.court.ground.public_key.as_deref(),
        }
    }

    /// Seeded by run, check, cell, round and call: the same run makes the same values, whatever runs beside it.
    fn rng(&self, scene: &Scene<'_>, number: u64) -> ChaCha8Rng {
        let key = FingerprintKey::new(self.court.ground.seed, number);
        let label = scene.cell.label().unwrap_or_default();
        let seed = key.of(&format!("{} {label} {}", self.check.id, scene.round)).0;
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// What the policy allows a good refresh, where the chain raced or an answer of it was given up.
    fn allowed_by_past(&self, chain: &Chain, call: &Call, sent: &Slots, is_good: bool) -> Option<Allowed> {
        if call.operation != Operation::Refresh || !is_good {
            return None;
        }
        let policy = &self.court.ground.suite.policy;
        self.pasts.allowed(chain.number, sent.get(&Slot::Refresh), policy, Dial::read(&self.court.clock))
    }

    /// The request leaves by the chain: the current pair by `spend`, everything else by `burn`.
    async fn send(
        &self,
        scene: &mut Scene<'_>,
        at: At<'_>,
        index: usize,
        chosen: &Chosen,
        composed: Composed,
        good: Slots,
    ) -> Taken {
        let ground = &self.court.ground;
        let chains = scene.cast.get_mut(&at.call.chain).expect("the caller found it there");
        let chain = &mut chains[index];
        let Composed { request, sent, manner } = composed;
        let called = match at.call.operation {
            Operation::Refresh if spends(chain, chosen, &sent) => {
                chain.spend(&ground.client, &ground.dialect, request).await
            }
            Operation::Refresh => chain.burn(&ground.client, &ground.dialect, request).await,
            Operation::Revoke => {
                let called = chain.burn(&ground.client, &ground.dialect, request).await;
                reread(self.court, Operation::Revoke, called.exchange)
            }
            Operation::Probe | Operation::Login => {
                let exchange = ground.client.send(request).await;
                reread(self.court, at.call.operation, exchange)
            }
        };
        Taken {
            operation: at.call.operation,
            step: at.step.name.clone(),
            chain: at.call.chain.clone(),
            chain_number: chain.number,
            cell: scene.cell.values.clone(),
            round: scene.round,
            identity: Arc::clone(&chain.identity),
            origin: chain.pairs.first().and_then(|pair| pair.reply.clone()),
            good,
            sent,
            exchange: called.exchange,
            reply: called.reply,
            allowed: Allowed::Unknown("the chain's past is not known".to_owned()),
            called_back: None,
            look: None,
            now: self.court.clock.now(),
            manner,
        }
    }

    /// What the policy allowed, and what the call did to its view of the chain.
    fn settle(
        &mut self,
        scene: &Scene<'_>,
        at: At<'_>,
        index: usize,
        presented: Presented,
        taken: &mut Taken,
        when: When,
    ) {
        let policy = &self.court.ground.suite.policy;
        let dialect = &self.court.ground.dialect;
        let chain = &scene.cast[&at.call.chain][index];
        let Some(promises) = self.promises.get_mut(&chain.number) else { return };
        let token =
            |field| taken.reply.as_ref().and_then(|reply| reply.token(dialect, taken.operation, field));
        let (refresh, access) = (token(Field::Refresh), token(Field::Access));
        let answer = match taken.failure() {
            None if taken.is_granted() => Answer::Granted(refresh.as_ref(), access.as_ref()),
            // Whether a server that failed has spent the token first is not to be seen.
            None if taken.reply.as_ref().is_some_and(|reply| reply.outcome != Outcome::Refused) => {
                Answer::Lost
            }
            None => Answer::Refused,
            Some(failure) if may_have_spent(failure) => Answer::Lost,
            Some(_) => return,
        };
        let allowed = promises.allowed(policy, presented, answer, when);
        match (at.call.operation, presented) {
            // What is answered to the revocation of a token that nobody knows ends nothing.
            (Operation::Revoke, Presented::Else(Some(_))) if taken.is_granted() => promises.revoked(),
            (Operation::Revoke, _) if answer == Answer::Lost => {
                promises.blur("a revocation was not answered");
            }
            (Operation::Revoke | Operation::Login, _) => {}
            (Operation::Probe | Operation::Refresh, _) => promises.settle(policy, presented, answer, when),
        }
        taken.allowed = allowed;
    }

    // ------------------------------------------------------------------------------- time, restart and load

    async fn pass(&self, time: Duration) -> Going {
        self.court.clock.pass(time, self.stop).await.map_err(|none| match none {
            NoTime::Stopped => Cut::Stopped,
            NoTime::Cannot(why) => Cut::Unset(why),
        })
    }

    /// What may be known before anything is sent.
    fn promised(&self) -> Promised<'_> {
        let ground = &self.court.ground;
        Promised { policy: &ground.suite.policy, dialect: &ground.dialect, environment: &ground.environment }
    }

    /// A length of time; a moment is the time since 1970.
    fn value(&self, scene: &Scene<'_>, expression: &Expression) -> Result<Duration, Cut> {
        let names = Moments { promised: self.promised(), steps: &scene.steps, last: scene.last.as_deref() };
        match expression.value(&names) {
            Ok(Value::Duration(time)) => Ok(time),
            Ok(_) => Err(Cut::Unset(format!("`{}` is no length of time", expression.text))),
            Err(name) => {
                let why = format!("`{name}` is not known, and `{}` hangs on it", expression.text);
                // What nobody promises, or an answer need not state, can be waited for by nobody.
                let open = name.starts_with("policy.") || names.is_unstated(&name);
                Err(if open { Cut::Moot(why) } else { Cut::Unset(why) })
            }
        }
    }

    async fn wait(&self, scene: &Scene<'_>, wait: &Wait) -> Going {
        let time = match wait {
            Wait::Exactly(time) => *time,
            Wait::For(expression) => self.value(scene, expression)?,
            Wait::Until(moment) => {
                let until = self.value(scene, moment)?;
                let now = Duration::from_secs(u64::try_from(self.court.clock.now().as_second()).unwrap_or(0));
                // The moment has to be past for certain: a second for rounding, and the policy's slack.
                let sure = Duration::from_secs(1) + self.court.ground.suite.policy.slack;
                until.saturating_sub(now).saturating_add(sure)
            }
        };
        self.pass(time).await
    }

    async fn restart(&self) -> Going {
        match &self.court.ground.control {
            None => Err(Cut::Unset("the endpoint cannot be restarted from here".to_owned())),
            Some(control) => {
                control.restart().await.map_err(|error| Cut::Unset(error.to_string()))?;
                // Connections that the restart has closed must be seen to be closed before they are used again.
                tokio::time::sleep(AFTER_RESTART).await;
                Ok(())
            }
        }
    }

    async fn load(&mut self, step: &Step, profile: &Profile) -> Going {
        let ground = &self.court.ground;
        let load_ground = load::Ground {
            client: Arc::clone(&ground.client),
            dialect: Arc::clone(&ground.dialect),
            source: Arc::clone(&ground.source),
            identities: ground.identities.clone(),
            key: ground.key,
            seed: ground.seed,
            // The other end of a mock's connections may be here: so many descriptors are there to spare.
            embedded: ground.is_mock,
            sentinels: None,
        };
        let profile = self.promised_profile(profile);
        let (found, watched) = sentinels::run(ground, load_ground, &profile, self.narrator, self.stop).await;
        self.court.count_sentinels(&watched);
        let mut results = found.map_err(|none| Cut::Unset(format!("no chain could be opened: {none}")))?;
        for result in &mut results {
            trust::weigh_by(result, Some(COARSEST));
            let book = &result.book;
            self.court.count_load(book.granted, result.answered_not_granted(), book.unanswered);
            self.requests += book.sent;
        }
        for claim in &step.claims {
            let judgement = loads::claim(&claim.what, &results[0]);
            self.note_set(key(step, claim), claim.strength, judgement, |_| (Vec::new(), None));
        }
        self.loads.extend(results.into_iter().map(|result| (result.name.clone(), result)));
        self.go_on()
    }

    /// The profile with the values of the policy in place of its names.
    fn promised_profile(&self, profile: &Profile) -> Profile {
        let mut profile = profile.clone();
        if let Model::Search(search) = &mut profile.model {
            search.until = search.until.bound(&self.promised());
        }
        profile
    }
}

/// The exchange, read as an answer to another operation than refresh.
fn reread(court: &Court, operation: Operation, exchange: Exchange) -> Called {
    let reply: Option<Arc<Reply>> = exchange
        .result
        .as_ref()
        .ok()
        .map(|answer| Arc::new(reply::read(&court.ground.dialect, operation, Arc::new(answer.clone()))));
    Called { exchange, reply, why: None }
}
