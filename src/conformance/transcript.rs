//! What was asked and answered, with everything a judge needs to know of the moment.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::chain::Identity;
use crate::client::compose::Slots;
use crate::client::look::Look;
use crate::client::reply::{Outcome, Reply};
use crate::client::{Exchange, Failure};
use crate::suite::call::Operation;

use super::promise::Allowed;

/// One exchange that a step, the gate or the format matrix caused.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// What was called.
    pub operation: Operation,
    /// The step's name.
    pub step: Option<String>,
    /// The chain's name in the check.
    pub chain: String,
    /// The chain's number in the run.
    pub chain_number: u32,
    /// Dimension → value.
    pub cell: Vec<(String, String)>,
    /// Which round, from 0.
    pub round: u32,
    /// The owner of the chain.
    pub identity: Arc<Identity>,
    /// The answer that opened the chain, where it was opened by a login.
    pub origin: Option<Arc<Reply>>,
    /// The good slots of the call.
    pub good: Slots,
    /// The slots as they were sent.
    pub sent: Slots,
    /// The exchange.
    pub exchange: Exchange,
    /// The answer, read.
    pub reply: Option<Arc<Reply>>,
    /// What the policy allows here.
    pub allowed: Allowed,
    /// Whether the listener of `$callback` was called, where one was open.
    pub called_back: Option<bool>,
    /// What `connect` saw of its connection.
    pub look: Option<Look>,
    /// The endpoint's own time, as well as it is known.
    pub now: Timestamp,
    /// What the call was, for people: `form in, text/xml out`.
    pub manner: String,
}

impl Taken {
    /// From the send to the end of the answer.
    pub fn took(&self) -> Duration {
        self.exchange.times.done_at.saturating_duration_since(self.exchange.times.sent_at)
    }

    /// From the send to the first byte of the answer, where that was heard.
    pub fn answered_in(&self) -> Duration {
        let times = &self.exchange.times;
        times.first_byte_at.unwrap_or(times.done_at).saturating_duration_since(times.sent_at)
    }

    /// Whether it was answered and granted.
    pub fn is_granted(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.outcome == Outcome::Granted)
    }

    /// Why there is no answer.
    pub fn failure(&self) -> Option<Failure> {
        self.exchange.result.as_ref().err().copied()
    }

    /// The value of the cell's dimension, the round or the chain: what `by` groups by.
    pub fn group(&self, by: &str) -> String {
        match by {
            "round" => self.round.to_string(),
            "chain" => self.chain_number.to_string(),
            dimension => self
                .cell
                .iter()
                .find(|(name, _)| name == dimension)
                .map_or_else(String::new, |(_, word)| word.clone()),
        }
    }
}

/// How an exchange ended, in the words of findings: `granted`, `refused: unknown (200)`, `reset`.
pub(super) fn ending(taken: &Taken) -> String {
    let reply = match (&taken.exchange.result, &taken.reply) {
        (Err(failure), _) => return failure.word().to_owned(),
        (Ok(answer), None) => return format!("answered {}", answer.status),
        (Ok(_), Some(reply)) => reply,
    };
    ending_of(reply)
}

/// How an answer is called: `granted (200)`, `refused: unknown (200)`.
pub(super) fn ending_of(reply: &Reply) -> String {
    let status = reply.answer().status;
    match &reply.outcome {
        Outcome::Granted => format!("granted ({status})"),
        Outcome::Refused => match reply.class {
            Some(class) => format!("refused: {} ({status})", class.word()),
            None => format!("refused ({status})"),
        },
        Outcome::Crash => format!("crash ({status})"),
        Outcome::Garbled(what) => format!("garbled: {what}"),
    }
}
