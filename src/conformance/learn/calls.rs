//! The calls of a lesson, in order: what spends nothing first, the replay that may end the family last.
//!
//! Every refresh token leaves by its chain: the current pair by `spend`, a used one and a made-up one by `burn`.
//! A lost answer ends the lesson, because nobody knows then what the chain's token is worth.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::chain::source::NoChain;
use crate::chain::{Called, Chain, Pair};
use crate::client::compose::{self, Draft, Slots};
use crate::client::reply::{self, Outcome, Reply};
use crate::client::{Exchange, Failure, Request};
use crate::dialect::{Codec, Dialect};
use crate::results::event::Stop;
use crate::secret::Token;
use crate::suite::call::{Operation, Slot, Where};
use crate::suite::claim::Field;

use super::answers::{self, Asked, Sample};
use super::policy::{self, Gave, Replay, Trials};
use super::times;
use super::{Ground, Lesson, Mistake, Price, REPLAYS, Tried, Unlearned};
use crate::conformance::clock::Clock;
use crate::conformance::made;
use crate::conformance::redact::Redaction;
use crate::conformance::references::slots_of;

type Step<T = ()> = Result<T, Unlearned>;

pub(super) async fn learn(
    ground: &Ground,
    price: &Price,
    stop: &Stop,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Lesson, Unlearned> {
    let identity = ground.identities.first().ok_or_else(|| because("the environment has no identity"))?;
    let redaction =
        Redaction::new(ground.key, ground.is_mock, Arc::clone(&ground.dialect), &ground.identities)
            .watching(ground.source.held());
    let clock = Clock::start(ground.control.clone(), Duration::ZERO).await;
    let before = ground.client.requests_sent();
    let chain = match ground.source.open(identity).await {
        Ok(chain) => chain,
        Err(none) => return Err(Unlearned::Because(no_chain(&none, &ground.dialect, &redaction))),
    };
    say("login: granted");
    let mut pupil = Pupil {
        ground,
        stop,
        say,
        clock,
        redaction,
        chain,
        samples: Vec::new(),
        trials: Trials { no_replay: price.no_replay.clone(), ..Trials::default() },
        good_access: None,
        sibling: None,
        rng: ChaCha8Rng::seed_from_u64(ground.seed),
    };
    pupil.keep_login();
    pupil.lesson().await?;
    pupil.trials.access_lifetime = times::access_lifetime(&pupil.samples, &ground.dialect);
    Ok(Lesson {
        policy: policy::words(&pupil.trials),
        answers: answers::of(&pupil.samples, &ground.dialect, &pupil.redaction),
        requests: ground.client.requests_sent() - before,
    })
}

fn because(why: impl Into<String>) -> Unlearned {
    Unlearned::Because(why.into())
}

/// Why no chain could be opened, and for an answer what it lacks.
fn no_chain(none: &NoChain, dialect: &Dialect, redaction: &Redaction) -> String {
    match none {
        NoChain::Login(called) => match &called.reply {
            Some(reply) => {
                format!("{none}{}", lacking(reply, dialect, Operation::Login, redaction))
            }
            None => none.to_string(),
        },
        NoChain::NoLogin(_) | NoChain::Exhausted { .. } => none.to_string(),
    }
}

/// What the dialect's rule for success finds in an answer: `` : `status` is 200, `access` is absent ``.
fn lacking(reply: &Reply, dialect: &Dialect, operation: Operation, redaction: &Redaction) -> String {
    let Some(speech) = dialect.operation(operation) else { return String::new() };
    let rule = &speech.answers.granted;
    let mut names = rule.names();
    names.dedup();
    let media = reply.answer().media_type().filter(|media| !media.is_empty());
    let media =
        media.map_or_else(|| "no media type".to_owned(), |media| redaction.text(&answers::tame(&media)));
    let found: Vec<String> = names
        .iter()
        .take(6)
        .filter_map(|name| {
            if *name == "status" {
                return None;
            }
            let place = crate::dialect::places::parse(name).ok()?;
            Some(format!("`{name}` is {}", answers::shown(reply, dialect, operation, &place, redaction)))
        })
        .collect();
    let found = if found.is_empty() { String::new() } else { format!(", {}", found.join(", ")) };
    format!(" ({media}{found}), and success is `{}`", rule.text.trim())
}

/// One lesson under way.
struct Pupil<'a> {
    ground: &'a Ground,
    stop: &'a Stop,
    say: &'a (dyn Fn(&str) + Sync),
    clock: Clock,
    redaction: Redaction,
    chain: Chain,
    samples: Vec<Sample>,
    trials: Trials,
    /// An older access token that is known to be granted.
    good_access: Option<Token>,
    /// The last pair that a replay was granted and that is not the chain's.
    sibling: Option<Pair>,
    rng: ChaCha8Rng,
}

impl Pupil<'_> {
    fn dialect(&self) -> &Dialect {
        &self.ground.dialect
    }

    async fn lesson(&mut self) -> Step {
        let formats = self.formats();
        self.good_calls(&formats).await?;
        let format = formats.first().cloned();
        self.mistakes(format.as_deref()).await?;
        for further in formats.iter().skip(1) {
            self.mistake(Mistake::UnknownToken, Some(further)).await?;
        }
        self.foreign_access(format.as_deref()).await?;
        self.probes().await?;
        self.used_tokens(format.as_deref()).await
    }

    /// The listed formats; one nameless for an operation without a body.
    fn formats(&self) -> Vec<String> {
        let accepts = &self.dialect().refresh().accepts;
        accepts.iter().filter(|(_, accepts)| accepts.listed).map(|(name, _)| name.clone()).collect()
    }

    // ------------------------------------------------------------------------------------------ good calls

    /// One good refresh in each format; the first must be granted, or there is nothing to learn from.
    async fn good_calls(&mut self, formats: &[String]) -> Step {
        let first = formats.first().map(String::as_str);
        let reply = self.good(first).await?;
        if reply.outcome != Outcome::Granted {
            let lacking = lacking(&reply, self.dialect(), Operation::Refresh, &self.redaction);
            let status = reply.answer().status;
            return Err(because(format!("the good refresh was answered {status} and not granted{lacking}")));
        }
        for format in formats.iter().skip(1) {
            self.good(Some(format)).await?;
        }
        Ok(())
    }

    /// The current pair, sent as it should be.
    async fn good(&mut self, format: Option<&str>) -> Step<Arc<Reply>> {
        let slots = self.current_slots();
        let draft = self.draft(Operation::Refresh, format, &slots)?;
        let request = draft.request(draft.body());
        let before = self.current();
        let reply = self.spend(request, Asked::Good, format).await?;
        if reply.outcome == Outcome::Granted {
            self.trials.rotated.push(self.current() != before);
        }
        Ok(reply)
    }

    fn current(&self) -> Option<Token> {
        self.chain.pairs.last().and_then(|pair| pair.refresh.clone())
    }

    fn current_slots(&self) -> Slots {
        self.chain.slots(self.chain.pairs.len() - 1)
    }

    // -------------------------------------------------------------------------------------------- bad calls

    async fn mistakes(&mut self, format: Option<&str>) -> Step {
        for mistake in Mistake::ALL {
            self.mistake(mistake, format).await?;
        }
        Ok(())
    }

    async fn mistake(&mut self, mistake: Mistake, format: Option<&str>) -> Step {
        let Some((request, is_current)) = self.mistaken(mistake, format)? else { return Ok(()) };
        let asked = Asked::Bad(mistake);
        let reply = if is_current {
            self.spend(request, asked, format).await?
        } else {
            self.burn(request, asked, format).await?
        };
        if mistake == Mistake::UnknownToken && reply.outcome == Outcome::Granted {
            return Err(because(
                "a refresh token that was never issued was granted: \
                 what answers everything alike teaches nothing",
            ));
        }
        Ok(())
    }

    /// The request, and whether it carries the current refresh token; nothing where the call cannot be made.
    fn mistaken(&mut self, mistake: Mistake, format: Option<&str>) -> Step<Option<(Request, bool)>> {
        let mut slots = self.current_slots();
        let made_up = slots.get(&Slot::Refresh).map(|token| made::like(token.expose(), &mut self.rng));
        let Some(made_up) = made_up.map(Token::new) else { return Ok(None) };
        let mut is_current = false;
        match mistake {
            Mistake::UnknownToken | Mistake::Malformed => {
                slots.insert(Slot::Refresh, made_up);
            }
            Mistake::WrongSecret => {
                let carried =
                    |slot: &Slot| self.dialect().refresh().carries(*slot) && slots.contains_key(slot);
                let Some(slot) = [Slot::ClientSecret, Slot::Secret].into_iter().find(carried) else {
                    return Ok(None);
                };
                let wrong = made::flip(slots[&slot].expose(), Where::Middle);
                slots.insert(slot, Token::new(wrong));
                is_current = true;
            }
            Mistake::MissingMember => {
                slots.remove(&Slot::Refresh);
            }
        }
        let draft = self.draft(Operation::Refresh, format, &slots)?;
        let mut body = draft.body();
        if mistake == Mistake::Malformed {
            // A form has no end that could be missing.
            if draft.document.as_ref().is_none_or(|document| document.codec == Codec::Form) {
                return Ok(None);
            }
            body.as_mut().map(Vec::pop);
        }
        Ok(Some((draft.request(body), is_current)))
    }

    /// The current refresh token beside an access token that was never issued.
    async fn foreign_access(&mut self, format: Option<&str>) -> Step {
        let mut slots = self.current_slots();
        let access = slots.get(&Slot::Access).filter(|_| self.dialect().refresh().carries(Slot::Access));
        let Some(access) = access.cloned() else { return Ok(()) };
        let made_up = made::like(access.expose(), &mut self.rng);
        slots.insert(Slot::Access, Token::new(made_up));
        let draft = self.draft(Operation::Refresh, format, &slots)?;
        let reply = self.spend(draft.request(draft.body()), Asked::ForeignAccess, format).await?;
        self.trials.foreign_access = Some(tried(&reply));
        Ok(())
    }

    // ---------------------------------------------------------------------------------------- access tokens

    /// The current access token and the one before it, where a protected resource is offered.
    async fn probes(&mut self) -> Step {
        if !super::may_probe(&self.ground.environment, self.dialect()) {
            return Ok(());
        }
        let mut tokens: Vec<Token> =
            self.chain.pairs.iter().rev().filter_map(|pair| pair.access.clone()).collect();
        tokens.dedup();
        let [current, old, ..] = tokens.as_slice() else { return Ok(()) };
        let (current, old) = (current.clone(), old.clone());
        let came = self.probe(current, Asked::Probe { old: false }).await?;
        let old_came = self.probe(old.clone(), Asked::Probe { old: true }).await?;
        self.good_access = (old_came == Tried::Granted).then_some(old);
        self.trials.probes = Some((came, old_came));
        Ok(())
    }

    async fn probe(&mut self, access: Token, asked: Asked) -> Step<Tried> {
        self.go_on()?;
        let mut slots = self.chain.identity.slots.clone();
        slots.insert(Slot::Access, access);
        let draft = self.draft(Operation::Probe, None, &slots)?;
        let exchange = self.ground.client.send(draft.request(draft.body())).await;
        let answer = match &exchange.result {
            Ok(answer) => answer.clone(),
            Err(failure) => {
                self.tell(asked, None, failure.word());
                return Ok(Tried::Else(failure.word().to_owned()));
            }
        };
        let reply = Arc::new(reply::read(self.dialect(), Operation::Probe, Arc::new(answer)));
        self.keep(asked, None, &reply);
        Ok(tried(&reply))
    }

    // ------------------------------------------------------------------------------------------ used tokens

    /// A fresh grant, then at once its parent again, then what is left of the family. May end it.
    async fn used_tokens(&mut self, format: Option<&str>) -> Step {
        let fresh = self.good(format).await?;
        if self.trials.no_replay.is_some() {
            return Ok(());
        }
        if fresh.outcome != Outcome::Granted {
            self.trials.no_replay = Some("the chain was no longer granted after the bad calls".to_owned());
            return Ok(());
        }
        let granted_at = Instant::now();
        let current = self.chain.pairs.len() - 1;
        let token = |pupil: &Self, at: usize| pupil.chain.pairs[at].refresh.clone();
        if current == 0 || token(self, current - 1) == token(self, current) {
            self.trials.no_replay = Some("the refresh token stays the same, so none is used up".to_owned());
            return Ok(());
        }
        self.trials.after = granted_at.elapsed();
        for _ in 0..REPLAYS {
            let replay = self.replay(current - 1, format).await?;
            let granted = replay.came == Tried::Granted;
            self.trials.parent.push(replay);
            if !granted {
                break;
            }
        }
        if matches!(self.trials.parent.last(), Some(Replay { came: Tried::Else(_), .. })) {
            return Ok(());
        }
        self.aftermath(current, format).await
    }

    /// What the chain's own token is worth now; then an older one, and again.
    async fn aftermath(&mut self, current: usize, format: Option<&str>) -> Step {
        let alive = self.current_again(format).await?;
        self.trials.current = Some(alive.clone());
        if alive == Tried::Refused {
            self.what_is_left(format).await?;
        }
        let elder = current
            .checked_sub(2)
            .filter(|at| self.chain.pairs[*at].refresh != self.chain.pairs[current - 1].refresh);
        let Some(elder) = elder.filter(|_| alive == Tried::Granted) else { return Ok(()) };
        let replay = self.replay(elder, format).await?;
        let refused = replay.came == Tried::Refused;
        self.trials.elder = Some(replay);
        if refused {
            self.trials.current_again = Some(self.current_again(format).await?);
        }
        Ok(())
    }

    /// Whether a pair that a replay was granted lives on, and whether access tokens do.
    async fn what_is_left(&mut self, format: Option<&str>) -> Step {
        if let Some(sibling) = self.sibling.take() {
            let slots = slots_of(&self.chain.identity.slots, &sibling);
            let draft = self.draft(Operation::Refresh, format, &slots)?;
            let reply = self.burn(draft.request(draft.body()), Asked::Sibling, format).await?;
            self.trials.sibling = Some(tried(&reply));
        }
        if let Some(access) = self.good_access.take() {
            self.trials.access_after = Some(self.probe(access, Asked::Probe { old: true }).await?);
        }
        Ok(())
    }

    async fn current_again(&mut self, format: Option<&str>) -> Step<Tried> {
        let slots = self.current_slots();
        let draft = self.draft(Operation::Refresh, format, &slots)?;
        let reply = self.spend(draft.request(draft.body()), Asked::AfterReplay, format).await?;
        Ok(tried(&reply))
    }

    async fn replay(&mut self, generation: usize, format: Option<&str>) -> Step<Replay> {
        let pair = self.chain.pairs[generation].clone();
        let slots = slots_of(&self.chain.identity.slots, &pair);
        let draft = self.draft(Operation::Refresh, format, &slots)?;
        let reply = self.burn(draft.request(draft.body()), Asked::Replay, format).await?;
        let got = reply.token(self.dialect(), Operation::Refresh, Field::Refresh);
        let gave = got.filter(|_| reply.outcome == Outcome::Granted).map(|got| {
            let former = self.chain.pairs.get(generation + 1).and_then(|pair| pair.refresh.as_ref());
            if self.current().as_ref() == Some(&got) {
                Gave::Current
            } else if former == Some(&got) {
                Gave::Former
            } else {
                Gave::New
            }
        });
        if gave == Some(Gave::New) {
            let token = |field| reply.token(self.dialect(), Operation::Refresh, field);
            let (access, refresh) = (token(Field::Access), token(Field::Refresh));
            self.sibling = Some(Pair { access, refresh, reply: None });
        }
        Ok(Replay { came: tried(&reply), gave })
    }

    // ----------------------------------------------------------------------------------------------- sending

    fn draft(&self, operation: Operation, format: Option<&str>, slots: &Slots) -> Step<Draft> {
        let speech = self
            .dialect()
            .operation(operation)
            .ok_or_else(|| because(format!("the dialect has no `{}`", operation.word())))?;
        let mut slots = slots.clone();
        self.ground.client.complete(self.dialect(), speech, &mut slots);
        compose::good(speech, format, None, &slots).map_err(|mistake| because(mistake.to_string()))
    }

    fn go_on(&self) -> Step {
        if self.stop.asked() { Err(Unlearned::Stopped) } else { Ok(()) }
    }

    async fn spend(&mut self, request: Request, asked: Asked, format: Option<&str>) -> Step<Arc<Reply>> {
        self.go_on()?;
        let called = self.chain.spend(&self.ground.client, &self.ground.dialect, request).await;
        self.came(called, asked, format)
    }

    async fn burn(&mut self, request: Request, asked: Asked, format: Option<&str>) -> Step<Arc<Reply>> {
        self.go_on()?;
        let called = self.chain.burn(&self.ground.client, &self.ground.dialect, request).await;
        self.came(called, asked, format)
    }

    /// An answer; without one there is no going on.
    fn came(&mut self, called: Called, asked: Asked, format: Option<&str>) -> Step<Arc<Reply>> {
        let Called { exchange: Exchange { result, .. }, reply, .. } = called;
        if let (Ok(_), Some(reply)) = (&result, reply) {
            self.keep(asked, format, &reply);
            return Ok(reply);
        }
        let failure = result.err().unwrap_or(Failure::Other);
        self.tell(asked, format, failure.word());
        Err(if failure == Failure::Stopped {
            Unlearned::Stopped
        } else {
            because(format!("{} got no answer: {}", asked.words(), failure.word()))
        })
    }

    fn keep_login(&mut self) {
        let Some(reply) = self.chain.pairs.first().and_then(|pair| pair.reply.clone()) else { return };
        self.keep_sample(Asked::Login, &reply);
    }

    fn keep(&mut self, asked: Asked, format: Option<&str>, reply: &Arc<Reply>) {
        self.tell(asked, format, &answers::ending(reply));
        self.keep_sample(asked, reply);
    }

    /// What the answer carries is a secret from now on.
    fn keep_sample(&mut self, asked: Asked, reply: &Arc<Reply>) {
        for field in Field::ALL.iter().map(|(field, _)| *field).filter(|field| field.is_token()) {
            let operation = asked.operation();
            if let Some(token) = reply.token(&self.ground.dialect, operation, field) {
                self.redaction.know(field.word(), token);
            }
        }
        let now: Timestamp = self.clock.now();
        self.samples.push(Sample { asked, reply: Arc::clone(reply), now });
    }

    fn tell(&self, asked: Asked, format: Option<&str>, ending: &str) {
        let format = format.map_or(String::new(), |format| format!(", {format}"));
        (self.say)(&self.redaction.text(&format!("{}{format}: {ending}", asked.words())));
    }
}

fn tried(reply: &Reply) -> Tried {
    match &reply.outcome {
        Outcome::Granted => Tried::Granted,
        Outcome::Refused => Tried::Refused,
        Outcome::Crash | Outcome::Garbled(_) => Tried::Else(answers::ending(reply)),
    }
}
