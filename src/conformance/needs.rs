//! What a check needs and what it spends, derived from its words: nobody writes that down.
//!
//! Pure. Says why a check cannot run (a format, slot, field or operation that the dialect does not have; a
//! second tenant, a clock, consent that the environment does not have) and in which cells it can.

use std::sync::Arc;
use std::time::Duration;

use crate::chain::Identity;
use crate::dialect::{Dialect, Speech};
use crate::load;
use crate::results::Burn;
use crate::suite::Suite;
use crate::suite::call::{Call, Changes, Operation, PairUse, Part, Reference, Slot, SlotRef, Template};
use crate::suite::check::{AccessNeed, ChainNeed, Check, Fuzz, Standing, Step, Together, Verb, Wait};
use crate::suite::claim::{
    Aspect, Claim, Expectation, Field, FieldPlace, OutcomeWord, SetClaim, SetExpectation, SetPlace,
};
use crate::suite::environment::{Environment, Target};
use crate::suite::expression::{Expression, Truth, Value};
use crate::suite::policy::Rotation;
use crate::suite::profile::Depths;
use crate::suite::race::{Gap, Leg, Race, Times};
use crate::suite::units;

use super::cell::{Cell, merge, product};
use super::clock::impatient;
use super::fuzz;
use super::names::Promised;

/// What there is to run a check with.
pub(super) struct Means<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// The environment.
    pub environment: &'a Environment,
    /// The dialect.
    pub dialect: &'a Dialect,
    /// Whether the clock can be moved.
    pub clock: bool,
    /// The identities, once they are resolved.
    pub identities: Option<&'a [Arc<Identity>]>,
    /// Consent of the command line, once it is known.
    pub consent: Option<bool>,
    /// Quick or full.
    pub full: bool,
    /// What is dialed, as far as it is known.
    pub url: Option<&'a url::Url>,
}

/// Whether a check can run.
#[derive(Clone, Debug)]
pub(super) enum Need {
    /// It can, in these cells.
    Runs(Vec<Cell>),
    /// It is for other dialects; why.
    NotApplicable(String),
    /// It cannot here; why.
    Skipped(String),
}

type Outcome = Result<(), Need>;

fn not_applicable(why: impl Into<String>) -> Need {
    Need::NotApplicable(why.into())
}

fn skipped(why: impl Into<String>) -> Need {
    Need::Skipped(why.into())
}

/// Whether `check` can run with `means`.
pub(super) fn of(check: &Check, means: &Means<'_>) -> Need {
    match means.find(check) {
        Ok(cells) => Need::Runs(cells),
        Err(need) => need,
    }
}

/// Whether the environment is a mock of ours, which brings everything.
pub(super) fn is_mock(environment: &Environment) -> bool {
    match environment.target {
        Target::Mock(_) | Target::RunningMock { .. } => true,
        Target::Url(_) => false,
    }
}

/// The calls among the steps.
pub(super) fn calls(check: &Check) -> impl Iterator<Item = (&Step, &Call)> {
    check.steps.iter().flat_map(|step| {
        let calls: Vec<&Call> = match &step.verb {
            Verb::Call(call) => vec![call.as_ref()],
            Verb::Race(race) => race.calls().collect(),
            Verb::Load(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => Vec::new(),
        };
        calls.into_iter().map(move |call| (step, call))
    })
}

/// The races among the steps.
pub(super) fn races(check: &Check) -> impl Iterator<Item = (&Step, &Race)> {
    check.steps.iter().filter_map(|step| match &step.verb {
        Verb::Race(race) => Some((step, race.as_ref())),
        Verb::Call(_) | Verb::Load(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            None
        }
    })
}

/// How often a leg is sent in a cell.
pub(super) fn times_of(leg: &Leg, cell: &Cell, full: bool) -> u32 {
    match &leg.times {
        Times::Depth(depth) => depth.at(full),
        Times::Dimension(name) => cell.word(name).and_then(|word| word.parse().ok()).unwrap_or(1),
    }
}

/// How much later each next leg of a race leaves in a cell.
pub(super) fn gap_of(race: &Race, cell: &Cell) -> Duration {
    match &race.gap {
        None => Duration::ZERO,
        Some(Gap::Time(time)) => *time,
        Some(Gap::Dimension(name)) => {
            cell.word(name).and_then(|word| units::duration(word).ok()).unwrap_or_default()
        }
    }
}

/// Whether a claim on this race asks for what comes after it, so that its successors are tried.
pub(super) fn has_aftermath(check: &Check, step: &Step) -> bool {
    let of_race = |set: &&Together| step.name.as_ref().is_some_and(|name| set.of.contains(name));
    check.together.iter().filter(of_race).flat_map(|set| &set.claims).any(|claim| match &claim.what {
        SetExpectation::Promised(promises) => promises.iter().any(|promise| promise.asks_for_aftermath()),
        SetExpectation::Same(_)
        | SetExpectation::Alike(_)
        | SetExpectation::Apart(_)
        | SetExpectation::Distinct(_)
        | SetExpectation::PlainDates(_)
        | SetExpectation::Measured(_)
        | SetExpectation::Entropy { .. }
        | SetExpectation::Timing { .. } => false,
    })
}

/// The fuzzing among the steps.
fn fuzzes(check: &Check) -> impl Iterator<Item = &Fuzz> {
    check.steps.iter().filter_map(|step| match &step.verb {
        Verb::Fuzz(fuzz) => Some(fuzz.as_ref()),
        Verb::Call(_) | Verb::Race(_) | Verb::Load(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            None
        }
    })
}

/// The formats of a fuzzing that the dialect has; every listed one where none is named.
pub(super) fn formats_of(fuzz: &Fuzz, speech: &Speech) -> Vec<String> {
    if fuzz.formats.is_empty() {
        let listed = speech.accepts.iter().filter(|(_, accepts)| accepts.listed);
        return listed.map(|(name, _)| name.clone()).collect();
    }
    fuzz.formats.iter().filter(|word| speech.format(word).is_some()).cloned().collect()
}

/// The loads among the steps.
pub(super) fn loads(check: &Check) -> impl Iterator<Item = &Depths> {
    check.steps.iter().filter_map(|step| match &step.verb {
        Verb::Load(depths) => Some(depths.as_ref()),
        Verb::Call(_) | Verb::Race(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            None
        }
    })
}

/// Whether it moves time or restarts the endpoint: then it runs last and alone.
pub(super) fn must_run_alone(check: &Check, clock: bool) -> bool {
    let expired = |need: &ChainNeed| need.access == Some(AccessNeed::Expired);
    check.steps.iter().any(|step| match &step.verb {
        // What is fuzzed may be slowed by it, and everybody who is measured meanwhile; what runs beside a race
        // pulls its requests apart.
        Verb::Restart | Verb::Load(_) | Verb::Fuzz(_) | Verb::Race(_) => true,
        Verb::Wait(_) => clock,
        Verb::Connect(_) => false,
        Verb::Call(_) => clock && (step.every.is_some() || step.lasting.is_some()),
    }) || (clock && check.chains.values().any(expired))
        || looks_at_many(check)
        // What may harm others is done when nobody else is there.
        || check.destructive.is_some()
}

/// Times want the machine for themselves; tokens are compared with all that the run has seen.
fn looks_at_many(check: &Check) -> bool {
    let mut claims = check.together.iter().flat_map(|set| &set.claims);
    claims.any(|claim| matches!(claim.what, SetExpectation::Timing { .. } | SetExpectation::Entropy { .. }))
}

/// Whether the times of a check's cells are compared: then they are played side by side.
pub(super) fn compares_times(check: &Check) -> bool {
    let mut claims = check.together.iter().flat_map(|set| &set.claims);
    claims.any(|claim| matches!(claim.what, SetExpectation::Timing { .. }))
}

/// The changes of a call in a cell.
pub(super) fn changes_of(call: &Call, cell: &Cell) -> Changes {
    let base = call.with.iter().fold(Changes::default(), |base, name| {
        cell.changes.get(name.trim_start_matches('$')).map_or(base.clone(), |change| merge(&base, change))
    });
    merge(&base, &call.changes)
}

impl Means<'_> {
    fn find(&self, check: &Check) -> Result<Vec<Cell>, Need> {
        if let Standing::Skip { reason, .. } = &check.standing {
            return Err(skipped(reason.clone()));
        }
        self.spoken(check)?;
        self.sets(check)?;
        let mut cells = Vec::new();
        let mut first = None;
        for cell in product(&check.over) {
            match self.cell(check, &cell) {
                Ok(()) => cells.push(cell),
                Err(need) => {
                    first.get_or_insert(need);
                }
            }
        }
        if let (true, Some(need)) = (cells.is_empty(), first) {
            return Err(need);
        }
        // What is for other dialects is not counted, so that is settled before anything is skipped.
        self.when(check)?;
        self.offered(check)?;
        for need in check.chains.values() {
            self.chain(need)?;
        }
        self.lengths(check)?;
        self.connections(check)?;
        self.tokens(check)?;
        self.time(check)?;
        self.pace(check)?;
        self.consent(check)?;
        Ok(cells)
    }

    fn names(&self) -> Promised<'_> {
        Promised { policy: &self.suite.policy, dialect: self.dialect, environment: self.environment }
    }

    fn when(&self, check: &Check) -> Outcome {
        let Some((condition, _)) = &check.when else { return Ok(()) };
        let of_dialect = condition.names().iter().all(|name| name.starts_with("dialect."));
        match condition.truth(&self.names()) {
            Truth::True => Ok(()),
            Truth::False if of_dialect => Err(not_applicable(format!("`{}` does not hold", condition.text))),
            Truth::False => Err(skipped(format!("`{}` does not hold", condition.text))),
            Truth::Unknown(word) => {
                Err(skipped(format!("`{word}` is not known, and `{}` hangs on it", condition.text)))
            }
        }
    }

    fn spoken(&self, check: &Check) -> Outcome {
        let unknown = calls(check).find(|(_, call)| self.dialect.operation(call.operation).is_none());
        if let Some((_, call)) = unknown {
            return Err(not_applicable(format!("the dialect has no `{}`", call.operation.word())));
        }
        let refresh = self.dialect.refresh();
        let profiles = loads(check).flat_map(|depths| depths.at(self.full).all());
        let mut mixed = profiles.flat_map(|profile| &profile.formats);
        if let Some((word, _)) = mixed.find(|(word, _)| refresh.format(word).is_none()) {
            return Err(not_applicable(format!("the dialect has no format `{word}`")));
        }
        match fuzzes(check).find(|fuzz| formats_of(fuzz, refresh).is_empty()) {
            None => Ok(()),
            Some(fuzz) => {
                Err(not_applicable(format!("the dialect has no format `{}`", fuzz.formats.join("`, `"))))
            }
        }
    }

    fn offered(&self, check: &Check) -> Outcome {
        let missing = calls(check).find(|(_, call)| {
            let documented = self.dialect.operation(call.operation).is_some_and(|speech| speech.documented);
            let offered = is_mock(self.environment) || self.environment.offers.contains(&call.operation);
            !documented && !offered
        });
        missing.map_or(Ok(()), |(_, call)| {
            Err(skipped(format!("the environment does not offer `{}`", call.operation.word())))
        })
    }

    /// Places that set claims compare.
    fn sets(&self, check: &Check) -> Outcome {
        let refresh = self.dialect.refresh();
        for claim in check.together.iter().flat_map(|set| &set.claims) {
            match &claim.what {
                SetExpectation::Same(places)
                | SetExpectation::Alike(places)
                | SetExpectation::Apart(places)
                | SetExpectation::Distinct(places) => {
                    for place in places {
                        if let SetPlace::Place(place) = place {
                            has_field(refresh, place)?;
                        }
                    }
                }
                SetExpectation::PlainDates(places) => {
                    for place in places {
                        has_field(refresh, place)?;
                    }
                }
                SetExpectation::Entropy { of, .. } => has_field(refresh, &FieldPlace::Field(*of))?,
                SetExpectation::Measured(_) | SetExpectation::Promised(_) | SetExpectation::Timing { .. } => {
                }
            }
        }
        for claim in check.always.iter().flat_map(|always| &always.claims) {
            has_what_is_claimed(refresh, claim, &Cell::default())?;
        }
        Ok(())
    }

    fn cell(&self, check: &Check, cell: &Cell) -> Outcome {
        for (step, call) in calls(check) {
            let speech = self
                .dialect
                .operation(call.operation)
                .ok_or_else(|| not_applicable("the dialect does not have this operation"))?;
            let changes = changes_of(call, cell);
            self.changes(&changes, speech, cell)?;
            for claim in &step.claims {
                has_what_is_claimed(speech, claim, cell)?;
                if matches!(claim.what, Expectation::NoCallback) && !self.can_call_back() {
                    return Err(skipped(
                        "it is not known where the endpoint can reach this machine (`callback` of the environment)",
                    ));
                }
            }
        }
        Ok(())
    }

    fn can_call_back(&self) -> bool {
        is_mock(self.environment) || self.environment.callback.is_some() || self.is_local() == Some(true)
    }

    /// Whether the endpoint is reached by the loopback interface.
    fn is_local(&self) -> Option<bool> {
        Some(match self.url?.host()? {
            url::Host::Domain(name) => name == "localhost",
            url::Host::Ipv4(address) => address.is_loopback(),
            url::Host::Ipv6(address) => address.is_loopback(),
        })
    }

    /// What is said of connections needs some that matter.
    fn connections(&self, check: &Check) -> Outcome {
        let connects = check.steps.iter().any(|step| matches!(step.verb, Verb::Connect(_)));
        let clear = self.url.is_some_and(|url| url.scheme() == "http");
        if connects && (is_mock(self.environment) || clear && self.is_local() == Some(true)) {
            return Err(skipped(
                "the endpoint speaks in the clear on the loopback interface of this machine",
            ));
        }
        Ok(())
    }

    /// Many tokens are only there where they change.
    fn tokens(&self, check: &Check) -> Outcome {
        let mut claims = check.together.iter().flat_map(|set| &set.claims);
        let estimates =
            claims.any(|claim| matches!(claim.what, SetExpectation::Entropy { of: Field::Refresh, .. }));
        if estimates && self.suite.policy.rotation == Some(Rotation::Never) {
            return Err(skipped(
                "refresh tokens stay by `policy.rotation`, so there are not many to look at",
            ));
        }
        Ok(())
    }

    fn changes(&self, changes: &Changes, speech: &Speech, cell: &Cell) -> Outcome {
        if let Some(word) = changes.format.as_ref().and_then(|format| word_of(format, cell))
            && speech.format(&word).is_none()
            && !(speech.accepts.is_empty() && speech.answers.types.contains(&word))
        {
            return Err(not_applicable(format!("the dialect has no format `{word}`")));
        }
        if let Some(Some(accept)) = &changes.accept
            && let Some(word) = word_of(accept, cell)
            && is_known_type(&word)
            && !speech.answers.types.contains(&word)
        {
            return Err(not_applicable(format!("answers of the dialect are never `{word}`")));
        }
        let set = changes.set.iter().map(|(slot, _)| slot);
        for slot in set.chain(&changes.without) {
            let Some(slot) = slot_of(slot, cell) else { continue };
            if !self.dialect.slots.contains(&slot) {
                return Err(not_applicable(format!("the dialect has no slot `{}`", slot.word())));
            }
            if !speech.carries(slot) {
                return Err(not_applicable(format!("this call carries no `{}`", slot.word())));
            }
        }
        if changes.auth.is_some() && speech.auth.is_empty() {
            return Err(not_applicable("the dialect has no client authentication"));
        }
        let ways = changes.auth.iter().flatten().filter_map(|way| word_of(way, cell));
        for way in ways {
            if !speech.auth.iter().any(|known| known.word() == way) {
                return Err(not_applicable(format!(
                    "the dialect has no way `{way}` to authenticate clients"
                )));
            }
        }
        Ok(())
    }

    fn chain(&self, need: &ChainNeed) -> Outcome {
        self.carrying(need)?;
        let wants = [(need.other_tenant, Slot::Tenant), (need.other_client, Slot::Client)];
        for (wanted, slot) in wants {
            if !wanted {
                continue;
            }
            if !self.dialect.slots.contains(&slot) {
                return Err(not_applicable(format!("the dialect has no slot `{}`", slot.word())));
            }
            if self.has_other(slot) == Some(false) {
                return Err(skipped(format!("no identity has another `{}`", slot.word())));
            }
        }
        Ok(())
    }

    /// Identities have the slots that a chain asks for, as far as that is known yet.
    fn carrying(&self, need: &ChainNeed) -> Outcome {
        for slot in &need.carries {
            if !self.dialect.slots.contains(slot) {
                return Err(not_applicable(format!("the dialect has no slot `{}`", slot.word())));
            }
        }
        let Some([own, others @ ..]) = self.identities else { return Ok(()) };
        let fits = |identity: &Identity| need.fits(|slot| identity.slots.contains_key(&slot));
        let other = |identity: &Identity| {
            let differs = |slot: Slot| identity.slots.get(&slot) != own.slots.get(&slot);
            (!need.other_tenant || differs(Slot::Tenant)) && (!need.other_client || differs(Slot::Client))
        };
        if [own].into_iter().chain(others).any(|identity| fits(identity) && other(identity)) {
            return Ok(());
        }
        if need.carries.is_empty() && need.without.is_empty() {
            return Ok(());
        }
        let word = |slots: &[Slot]| slots.iter().map(|slot| format!("`{}`", slot.word())).collect::<Vec<_>>();
        let (with, without) = (word(&need.carries).join(" and "), word(&need.without).join(" and "));
        Err(skipped(match (with.is_empty(), without.is_empty()) {
            (_, true) => format!("no identity has {with}"),
            (true, false) => format!("every identity has {without}"),
            (false, false) => format!("no identity has {with} and lacks {without}"),
        }))
    }

    /// Whether an identity differs from the first in this slot, as far as that is known yet.
    fn has_other(&self, slot: Slot) -> Option<bool> {
        if let Some(identities) = self.identities {
            let own = identities.first()?.slots.get(&slot);
            return Some(identities.iter().any(|identity| identity.slots.get(&slot) != own));
        }
        if is_mock(self.environment) {
            return None;
        }
        let value = |identity: &crate::suite::environment::Identity| {
            identity.slots.iter().find(|(name, _)| *name == slot).map(|(_, value)| value.clone())
        };
        let mut values = self.environment.identities.values().map(value);
        let own = values.next()?;
        Some(values.any(|other| other != own))
    }

    /// Times that hang on a promise which the policy does not make.
    fn lengths(&self, check: &Check) -> Outcome {
        for step in &check.steps {
            let of_verb = match &step.verb {
                Verb::Wait(Wait::For(time)) => Some(time),
                _ => None,
            };
            let spans = [&step.every, &step.lasting].into_iter().flatten().map(|(time, _)| time);
            for time in of_verb.into_iter().chain(spans) {
                if let Err(name) = time.value(&self.names()) {
                    return Err(skipped(format!("`{name}` is not known, and `{}` hangs on it", time.text)));
                }
            }
        }
        Ok(())
    }

    fn time(&self, check: &Check) -> Outcome {
        if self.clock {
            return Ok(());
        }
        if check.chains.values().any(|need| need.access == Some(AccessNeed::Expired)) {
            return Err(skipped("it needs an expired access token, and the clock cannot be moved"));
        }
        for step in &check.steps {
            match &step.verb {
                Verb::Restart => {
                    return Err(skipped("the endpoint cannot be restarted from here"));
                }
                Verb::Wait(Wait::Until(moment)) => self.until(moment)?,
                Verb::Wait(Wait::For(time)) => self.bearable(self.length(time), 1)?,
                Verb::Wait(Wait::Exactly(time)) => self.bearable(Some(*time), 1)?,
                Verb::Call(_) | Verb::Race(_) | Verb::Load(_) | Verb::Fuzz(_) | Verb::Connect(_) => {
                    let times = step.times.map_or(1, |times| times.at(self.full));
                    if let Some((every, _)) = &step.every {
                        self.bearable(self.length(every), times)?;
                    }
                    if let Some((lasting, _)) = &step.lasting {
                        self.bearable(self.length(lasting), 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn length(&self, time: &Expression) -> Option<Duration> {
        match time.value(&self.names()) {
            Ok(Value::Duration(time)) => Some(time),
            Ok(_) | Err(_) => None,
        }
    }

    fn bearable(&self, time: Option<Duration>, times: u32) -> Outcome {
        let patience = self.environment.patience;
        match time.map(|time| time * times) {
            Some(time) if time > patience => Err(skipped(impatient(time, patience))),
            Some(_) | None => Ok(()),
        }
    }

    fn until(&self, moment: &Expression) -> Outcome {
        match self.suite.policy.access_lifetime {
            Some(lifetime) if lifetime <= self.environment.patience => Ok(()),
            Some(lifetime) => Err(skipped(impatient(lifetime, self.environment.patience))),
            None => Err(skipped(format!("it waits until `{}`, and the clock cannot be moved", moment.text))),
        }
    }

    /// A rate that the guard does not let out says nothing of the endpoint.
    fn pace(&self, check: &Check) -> Outcome {
        let Some(rate) = self.environment.guard.as_ref().and_then(|guard| guard.rate) else { return Ok(()) };
        let asked = loads(check).filter_map(|depths| depths.at(self.full).peak()).fold(0.0, f64::max);
        if asked > rate {
            return Err(skipped(format!("it asks for {asked}/s, and the guard lets {rate}/s out")));
        }
        Ok(())
    }

    fn consent(&self, check: &Check) -> Outcome {
        let Some(harm) = &check.destructive else { return Ok(()) };
        if is_mock(self.environment) {
            return Ok(());
        }
        let suite = self.environment.guard.as_ref().is_some_and(|guard| guard.destructive);
        if suite && self.consent != Some(false) {
            return Ok(());
        }
        Err(skipped(format!(
            "it may harm the endpoint ({harm}): the suite (`guard: {{ destructive: true }}`) and the command \
             line have to consent"
        )))
    }
}

/// The word of a template that is one, or names a dimension whose word is.
fn word_of(template: &Template, cell: &Cell) -> Option<String> {
    match template.parts.as_slice() {
        [Part::Reference(Reference::Dimension(name))] => cell.word(name).map(str::to_owned),
        _ => template.as_plain(),
    }
}

fn slot_of(slot: &SlotRef, cell: &Cell) -> Option<Slot> {
    match slot {
        SlotRef::Slot(slot) => Some(*slot),
        SlotRef::Dimension(name) => cell.word(name).and_then(Slot::from_word),
    }
}

/// Media types that dialects list or do not; others are asked for to be refused.
fn is_known_type(word: &str) -> bool {
    matches!(word, "application/json" | "text/json" | "application/xml" | "text/xml")
}

fn has_field(speech: &Speech, place: &FieldPlace) -> Outcome {
    let field = match place {
        FieldPlace::Field(field) | FieldPlace::Claim(field, _) | FieldPlace::Jose(field, _) => field,
        FieldPlace::Path(_) | FieldPlace::Header(_) | FieldPlace::Cookie(_) => return Ok(()),
    };
    if speech.answers.fields.contains_key(field) {
        Ok(())
    } else {
        Err(not_applicable(format!("the dialect has no field `{}`", field.word())))
    }
}

fn has_what_is_claimed(speech: &Speech, claim: &Claim, cell: &Cell) -> Outcome {
    match &claim.what {
        Expectation::Type(types) => {
            let words: Vec<String> = types.iter().filter_map(|word| word_of(word, cell)).collect();
            let never = !words.is_empty()
                && words.iter().all(|word| is_known_type(word) && !speech.answers.types.contains(word));
            if never {
                Err(not_applicable(format!("answers of the dialect are never `{}`", words[0])))
            } else {
                Ok(())
            }
        }
        Expectation::At(place, test) => {
            has_field(speech, place)?;
            if let Some((other, _)) = &test.near {
                has_field(speech, other)?;
            }
            test.after.as_ref().map_or(Ok(()), |other| has_field(speech, other))
        }
        Expectation::Shape { aspects, part } => {
            aspects.iter().try_for_each(|aspect| has_aspect(speech, *aspect, part.as_deref()))
        }
        Expectation::Outcome(_)
        | Expectation::Class(_)
        | Expectation::Status(_)
        | Expectation::Belongs(_)
        | Expectation::Lacks(_)
        | Expectation::Within(_)
        | Expectation::NoCallback
        | Expectation::Certificate => Ok(()),
    }
}

fn has_aspect(speech: &Speech, aspect: Aspect, part: Option<&str>) -> Outcome {
    let answers = &speech.answers;
    match aspect {
        Aspect::Names | Aspect::Only | Aspect::Kinds | Aspect::Order if answers.body.is_none() => {
            Err(not_applicable("the dialect declares no body for this answer"))
        }
        Aspect::Names | Aspect::Only | Aspect::Kinds | Aspect::Order => {
            let first = part.and_then(|part| part.split('/').find(|name| !name.is_empty()));
            let has = |name: &str| {
                answers.body.as_ref().is_some_and(|body| body.iter().any(|(other, _)| other == name))
            };
            match first {
                Some(name) if !has(name) => {
                    Err(not_applicable(format!("the dialect declares no member `{name}`")))
                }
                Some(_) | None => Ok(()),
            }
        }
        Aspect::Layers if answers.layers.len() < 2 => {
            Err(not_applicable("the dialect has no two status layers"))
        }
        Aspect::Syntax
        | Aspect::Charset
        | Aspect::Root
        | Aspect::Nulls
        | Aspect::UniqueNames
        | Aspect::Known
        | Aspect::Layers
        | Aspect::Echo => Ok(()),
    }
}

/// Whether every chain stays as good as new: only good calls with the current pair.
fn keeps_chains(check: &Check) -> bool {
    fuzzes(check).next().is_none()
        && races(check).next().is_none()
        && calls(check).all(|(step, call)| {
            let expects_grant = step.claims.iter().all(|claim| match &claim.what {
                Expectation::Outcome(words) => words.as_slice() == [OutcomeWord::Granted],
                _ => true,
            });
            call.pair == PairUse::Current
                && call.operation != Operation::Revoke
                && call.with.is_empty()
                && call.changes.set.is_empty()
                && call.changes.without.is_empty()
                && call.changes.body.is_none()
                && call.changes.cut.is_none()
                && call.changes.method.is_none()
                && call.changes.path.is_none()
                && expects_grant
        })
}

/// A server that answers in some microseconds lets few rounds overlap, so many times as many are tried.
const ROUNDS_OVER: u32 = 10;

/// How many times its rounds a check may go on, where what it promises of races needs rounds that overlap.
pub(super) fn patience(check: &Check) -> u32 {
    let promises = |claim: &SetClaim| matches!(&claim.what, SetExpectation::Promised(_));
    let waits = check.together.iter().flat_map(|set| &set.claims).any(promises);
    if waits && races(check).next().is_some() { ROUNDS_OVER } else { 1 }
}

/// What a race sends in a cell, at most: its legs, and where it is asked for what comes after, each successor,
/// the family and what it was run with.
fn sent_by_race(check: &Check, step: &Step, race: &Race, cell: &Cell, full: bool) -> u64 {
    let racers: u64 = race.legs.iter().map(|leg| u64::from(times_of(leg, cell, full))).sum();
    if has_aftermath(check, step) { 2 * racers + 2 } else { racers }
}

/// What a check spends, at most.
pub(super) fn burn(check: &Check, cells: &[Cell], full: bool) -> Burn {
    let rounds = u64::from(check.rounds.at(full).max(1)) * u64::from(patience(check));
    let runs = cells.len() as u64 * rounds;
    let times = |step: &Step| u64::from(step.times.map_or(1, |times| times.at(full)));
    let single = check.steps.iter().filter(|step| matches!(step.verb, Verb::Call(_)));
    let calls_once: u64 = single.map(times).sum();
    let raced = |cell: &Cell| -> u64 {
        races(check).map(|(step, race)| times(step) * sent_by_race(check, step, race, cell, full)).sum()
    };
    let raced: u64 = rounds * cells.iter().map(raced).sum::<u64>();
    let connects = check.steps.iter().filter(|step| matches!(step.verb, Verb::Connect(_)));
    let connects: u64 = connects.map(times).sum();
    let loaded: u64 = loads(check).map(|depths| load::requests_at_most(depths.at(full))).sum();
    let load_chains: u64 = loads(check).map(|depths| u64::from(load::chains_needed(depths.at(full)))).sum();
    let (fuzzed, fuzz_chains) = fuzzes(check)
        .map(|fuzz| fuzz::spends_at_most(fuzz, full))
        .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let named: u64 = check
        .chains
        .values()
        .map(|need| u64::from(need.count.map_or(1, |count| count.at(full)).max(1)))
        .sum();
    let own = u64::from(calls(check).next().is_some());
    let sets = if keeps_chains(check) { runs.min(1) } else { runs };
    let chains = (own + named) * sets;
    Burn {
        requests: runs * (calls_once + connects + loaded + load_chains + fuzzed) + raced + chains,
        chains: chains + runs * (fuzz_chains + load_chains),
        families_lost: if keeps_chains(check) { 0 } else { runs * (own + fuzz_chains) },
    }
}

/// How long its loads take at most, and its waits where the clock cannot be moved.
pub(super) fn waits(check: &Check, means: &Means<'_>) -> Duration {
    let loaded = loads(check).map(|depths| load::at_most(depths.at(means.full))).sum();
    if means.clock {
        return loaded;
    }
    let waited: Duration = check
        .steps
        .iter()
        .map(|step| {
            let times = step.times.map_or(1, |times| times.at(means.full));
            let every = step.every.as_ref().and_then(|(every, _)| means.length(every)).unwrap_or_default();
            let wait = match &step.verb {
                Verb::Wait(Wait::Exactly(time)) => *time,
                Verb::Wait(Wait::For(time)) => means.length(time).unwrap_or_default(),
                Verb::Wait(Wait::Until(_))
                | Verb::Load(_)
                | Verb::Call(_)
                | Verb::Fuzz(_)
                | Verb::Race(_)
                | Verb::Restart
                | Verb::Connect(_) => Duration::ZERO,
            };
            wait + every * times
        })
        .sum();
    waited + loaded
}

/// The sentence of `destructive`, else what its words may do.
pub(super) fn harm(check: &Check) -> Option<String> {
    if let Some(sentence) = &check.destructive {
        return Some(sentence.clone());
    }
    if fuzzes(check).next().is_some() {
        return Some("sends mutated calls, which may end chains of its own".to_owned());
    }
    let any = |wanted: fn(&Call) -> bool| calls(check).any(|(_, call)| wanted(call));
    if any(|call| call.operation == Operation::Revoke) {
        return Some("revokes chains of its own".to_owned());
    }
    if races(check).next().is_some() {
        return Some("uses tokens several times at once, which may end chains of its own".to_owned());
    }
    if any(|call| matches!(call.pair, PairUse::Previous | PairUse::First)) {
        return Some("replays used tokens, which may end chains of its own".to_owned());
    }
    None
}
