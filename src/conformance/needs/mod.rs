//! What a check needs and what it spends, derived from its words: nobody writes that down.
//!
//! Pure. [`of`] says why a check cannot run (`speech`: a format, slot, field or operation that the dialect does not
//! have; here: a second tenant, an operation, consent that the environment does not have; `time`: a clock, patience)
//! and in which cells it can. [`burn`] says what it spends at most, [`waits`] how long it waits.

mod burn;
mod speech;
mod time;

use std::sync::Arc;

use crate::chain::Identity;
use crate::dialect::Dialect;
use crate::suite::Suite;
use crate::suite::call::Slot;
use crate::suite::check::{ChainNeed, Check, FuzzStage, Standing, Verb};
use crate::suite::claim::{Field, SetExpectation};
use crate::suite::environment::{Environment, Target};
use crate::suite::expression::Truth;
use crate::suite::policy::Rotation;
use crate::suite::transport::Http;

pub(super) use self::burn::{burn, harm, of_round};
pub(super) use self::time::waits;

use super::cell::{Cell, product};
use super::names::Promised;
use super::steps::{calls, fuzzes, loads};

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

/// Why what is about the framing of HTTP/1.1 is not asked over HTTP/2.
const NOT_IN_HTTP2: &str = "it is about the framing of HTTP/1.1, which HTTP/2 does not have (`http: 2`): run it with `http: 1.1` as well";

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
        self.mutants(check)?;
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
        let clear = match self.url {
            // A mock that is still to be started.
            None => is_mock(self.environment),
            Some(url) => {
                url.scheme() == "http" && (is_mock(self.environment) || self.is_local() == Some(true))
            }
        };
        if connects && clear {
            return Err(skipped(
                "the endpoint speaks in the clear on the loopback interface of this machine",
            ));
        }
        Ok(())
    }

    /// Mutants of request line and framing are those of HTTP/1.1.
    fn mutants(&self, check: &Check) -> Outcome {
        let of_wire = fuzzes(check).any(|fuzz| fuzz.stages.contains(&FuzzStage::Wire));
        if of_wire && self.environment.transport.http == Http::Two {
            return Err(skipped(NOT_IN_HTTP2));
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
