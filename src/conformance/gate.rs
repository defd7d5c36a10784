//! The gate: one chain opened and one good refresh granted, before anything else is judged.
//!
//! Against an endpoint that always answers the same nothing may pass vacuously: if the good call does not work,
//! no check is played. What was answered to it is kept, for checks that claim something of just that call.

use std::sync::Arc;

use crate::chain::source::NoChain;
use crate::chain::{Called, Chain};
use crate::client::Failure;
use crate::client::compose;
use crate::client::reply::Reply;
use crate::dialect::ErrorClass;
use crate::results::event::Stop;
use crate::results::{Evidence, Gate};
use crate::suite::call::Operation;

use super::court::Court;
use super::evidence::{evidence, login_evidence};
use super::fit;
use super::promise::Allowed;
use super::references::slots_of;
use super::transcript::{Taken, ending};

/// A gate that stayed shut.
pub(super) struct Shut {
    /// Why.
    pub gate: Gate,
    /// The good refreshes that were answered, and not as a grant.
    pub calls: Vec<Arc<Taken>>,
}

/// Opens the gate, or says why it stays shut. The first format that is granted is that of good calls.
pub(super) async fn open(court: &Court, stop: &Stop) -> Result<(), Shut> {
    let speech = court.ground.dialect.refresh();
    let formats = speech.formats();
    let mut shut: Option<Gate> = None;
    let mut calls = Vec::new();
    for format in formats {
        if stop.asked() {
            break;
        }
        match attempt(court, &format).await {
            Ok(()) => {
                court.settle_format(format.clone());
                return Ok(());
            }
            Err(Failed { gate, call, is_final }) => {
                calls.extend(call);
                let answered = gate.answered;
                // The first format's failure is the one to report, unless only a later one was answered.
                if shut.as_ref().is_none_or(|before| !before.answered && answered) {
                    shut = Some(gate);
                }
                if is_final {
                    break;
                }
            }
        }
    }
    let stopped = || closed("the run was stopped before the first call", false, Vec::new());
    Err(Shut { gate: shut.unwrap_or_else(stopped), calls })
}

/// An attempt that did not open the gate.
struct Failed {
    gate: Gate,
    /// The refresh, where it was answered.
    call: Option<Arc<Taken>>,
    /// Another format cannot help.
    is_final: bool,
}

/// Nothing of a refresh was seen.
fn without_call(gate: Gate, is_final: bool) -> Failed {
    Failed { gate, call: None, is_final }
}

/// One login and one refresh in this format.
async fn attempt(court: &Court, format: &str) -> Result<(), Failed> {
    let Some(identity) = court.ground.identities.first() else {
        return Err(without_call(closed("the environment has no identity", false, Vec::new()), true));
    };
    let mut chain = match court.open(identity).await {
        Ok(chain) => chain,
        Err(none) => return Err(without_call(no_chain(court, &none), true)),
    };
    match good_call(court, &mut chain, format, Accept::Usual).await {
        Err(why) => Err(without_call(closed(&why, false, Vec::new()), false)),
        Ok(taken)
            if taken.is_granted() && misfit(court, Operation::Refresh, taken.reply.as_deref()).is_none() =>
        {
            Ok(())
        }
        Ok(taken) => {
            let answered = taken.failure().is_none_or(has_answered);
            let misfit = misfit(court, Operation::Refresh, taken.reply.as_deref());
            let reason = match taken.failure() {
                None if misfit.is_some() => {
                    format!("the dialect does not fit: {}", misfit.unwrap_or_default())
                }
                None => format!("the good refresh ({}) was answered: {}", taken.manner, ending(&taken)),
                Some(failure) => {
                    format!("the good refresh got no answer: {}", court.ground.client.explained(failure))
                }
            };
            let shown = vec![evidence(&taken, &court.redaction, &[])];
            let gate = closed(&court.redaction.of(&taken).text(&reason), answered, shown);
            Err(Failed { gate, call: speaks(&taken).then(|| Arc::new(taken)), is_final: false })
        }
    }
}

/// Whether an answer that is no grant says something of the endpoint. Refused credentials and too many requests
/// say more of the environment.
fn speaks(taken: &Taken) -> bool {
    let environment = [ErrorClass::BadCredentials, ErrorClass::RateLimited];
    match &taken.reply {
        Some(reply) => reply.class.is_none_or(|class| !environment.contains(&class)),
        None => taken.failure().is_some_and(has_answered),
    }
}

fn closed(reason: &str, answered: bool, evidence: Vec<Evidence>) -> Gate {
    Gate { reason: reason.to_owned(), answered, evidence }
}

fn no_chain(court: &Court, none: &NoChain) -> Gate {
    match none {
        NoChain::Login(called) => {
            let Called { exchange, reply, .. } = called.as_ref();
            let answered = exchange.result.as_ref().err().is_none_or(|failure| has_answered(*failure));
            let shown =
                login_evidence(&exchange.request, &exchange.result, reply.as_deref(), &court.redaction);
            let reason = match misfit(court, Operation::Login, reply.as_deref()) {
                Some(misfit) => format!("the dialect does not fit the login: {misfit}"),
                None => none.to_string(),
            };
            closed(&reason, answered, vec![shown])
        }
        NoChain::NoLogin(_) | NoChain::Exhausted { .. } => closed(&none.to_string(), false, Vec::new()),
    }
}

/// Where a good answer has its tokens elsewhere: one sentence in place of all the failures that would follow from it.
fn misfit(court: &Court, operation: Operation, reply: Option<&Reply>) -> Option<String> {
    let dialect = &court.ground.dialect;
    let found = fit::misfit(dialect, operation, reply?)?;
    Some(court.redaction.text(&found))
}

/// Whether something answered, however badly.
fn has_answered(failure: Failure) -> bool {
    match failure {
        Failure::ClosedWithinAnswer
        | Failure::OversizedBody
        | Failure::OversizedHead
        | Failure::NotHttp
        | Failure::AmbiguousLength
        | Failure::BrokenChunks
        | Failure::TrailingBytes
        | Failure::EarlyAnswer
        | Failure::EndlessInformational => true,
        Failure::Dns
        | Failure::ConnectRefused
        | Failure::ConnectTimeout
        | Failure::Unreachable
        | Failure::TlsCertificate
        | Failure::Tls
        | Failure::Proxy
        | Failure::NoHttp2
        | Failure::NotInHttp2
        | Failure::Reset
        | Failure::StreamReset
        | Failure::ClosedBeforeAnswer
        | Failure::ReuseRace
        | Failure::ResponseTimeout
        | Failure::LocalPorts
        | Failure::LocalFiles
        | Failure::Guarded
        | Failure::Aborted
        | Failure::Stopped
        | Failure::Other => false,
    }
}

/// The Accept of a good call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Accept<'a> {
    /// What goes with the format.
    Usual,
    /// This one, or none.
    As(Option<&'a str>),
}

/// One good refresh of `chain` in a format or media type.
pub(super) async fn good_call(
    court: &Court,
    chain: &mut Chain,
    format: &str,
    accept: Accept<'_>,
) -> Result<Taken, String> {
    let ground = &court.ground;
    let pair = chain.pairs.last().ok_or("the chain has no pair")?;
    let good = slots_of(&chain.identity.slots, pair);
    let mut sent = good.clone();
    ground.client.complete(&ground.dialect, ground.dialect.refresh(), &mut sent);
    let mut draft = compose::good(ground.dialect.refresh(), Some(format), None, &sent)
        .map_err(|mistake| mistake.to_string())?;
    if let Accept::As(accept) = accept {
        draft.accept = accept.map(str::to_owned);
    }
    let manner = match (&draft.label, &draft.accept) {
        (label, Some(accept)) => format!("{} in, {accept} out", label.as_deref().unwrap_or("nothing")),
        (label, None) => format!("{} in, no Accept", label.as_deref().unwrap_or("nothing")),
    };
    let origin = chain.pairs.first().and_then(|pair| pair.reply.clone());
    let called = chain.spend(&ground.client, &ground.dialect, draft.request(draft.body())).await;
    let taken = Taken {
        operation: Operation::Refresh,
        step: None,
        chain: "own".to_owned(),
        chain_number: chain.number,
        cell: Vec::new(),
        round: 0,
        identity: Arc::clone(&chain.identity),
        origin,
        sent,
        good,
        exchange: called.exchange,
        reply: called.reply,
        allowed: Allowed::Unknown("the good call".to_owned()),
        called_back: None,
        look: None,
        now: court.clock.now(),
        manner,
    };
    court.observe(&taken);
    Ok(taken)
}
