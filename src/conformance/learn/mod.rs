//! Asking an endpoint what it does, as a fragment of a suite for a person to confirm.
//!
//! [`calls`] asks, on one chain and with the destructive question last; [`policy`], [`answers`] and [`times`] infer, and
//! are pure; [`fragment`] writes. Nothing here judges: what an endpoint does is not what it promises.

mod answers;
mod calls;
mod fragment;
mod policy;
mod times;

use crate::dialect::Dialect;
use crate::results::event::Stop;
use crate::suite::call::{Operation, Slot};
use crate::suite::environment::{ChainSource, Environment, Target};

use super::Ground;

pub use self::fragment::Heading;

/// How often one used token is presented again, at most: where a server counts uses, it counts to less.
const REPLAYS: u64 = 4;

/// What learning will spend, at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Requests of every kind.
    pub requests: u64,
    /// Chains opened.
    pub chains: u64,
    /// Families that may be lost.
    pub families: u64,
    /// Why no used token will be presented again, where that is so.
    pub no_replay: Option<String>,
}

/// What was learned.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The words of `policy:`, each with what was observed.
    policy: Vec<policy::Word>,
    /// What was seen of answers, for the author of a dialect.
    answers: answers::Answers,
    /// Requests that were sent, login included.
    pub requests: u64,
}

/// Why nothing was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlearned {
    /// Somebody asked to stop.
    Stopped,
    /// Why, as a sentence.
    Because(String),
}

/// What learning on this environment will spend, at most.
pub fn price(environment: &Environment, dialect: &Dialect) -> Price {
    let speech = dialect.refresh();
    let formats = speech.accepts.values().filter(|accepts| accepts.listed).count().max(1) as u64;
    let login = u64::from(environment.chains == ChainSource::Login);
    let no_replay = no_replay(environment);
    let access = u64::from(speech.carries(Slot::Access));
    let probes = if may_probe(environment, dialect) { 2 } else { 0 };
    // The used token again and again, an older one, and after each the current one.
    let replays = if no_replay.is_some() { 0 } else { REPLAYS + 3 + probes / 2 };
    Price {
        // One good call and one with an unknown token in every format, the other mistakes in the first.
        requests: login + 2 * formats + (Mistake::ALL.len() as u64 - 1) + access + probes + 1 + replays,
        chains: 1,
        families: 1,
        no_replay,
    }
}

/// A replay may end a family, so whoever guards the target must consent to it.
fn no_replay(environment: &Environment) -> Option<String> {
    let consents = match environment.target {
        Target::Mock(_) | Target::RunningMock { .. } => true,
        Target::Url(_) => environment.guard.as_ref().is_some_and(|guard| guard.destructive),
    };
    (!consents).then(|| {
        format!(
            "the guard of `{}` does not say `destructive: true`, so no used token is sent",
            environment.name
        )
    })
}

/// Whether access tokens can be tried on a protected resource.
fn may_probe(environment: &Environment, dialect: &Dialect) -> bool {
    let offered = super::needs::is_mock(environment) || environment.offers.contains(&Operation::Probe);
    dialect.operation(Operation::Probe).is_some_and(|speech| speech.documented || offered)
}

/// Asks the endpoint; `say` hears what came of each call.
pub async fn learn(
    ground: &Ground,
    price: &Price,
    stop: &Stop,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Lesson, Unlearned> {
    calls::learn(ground, price, stop, say).await
}

impl Lesson {
    /// The fragment, in the language of suites.
    pub fn fragment(&self, heading: &Heading<'_>) -> String {
        fragment::write(self, heading)
    }
}

/// A bad call that spends nothing: one for each class of refusals that can be had without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    /// A refresh token that was never issued.
    UnknownToken,
    /// Credentials with one character changed.
    WrongSecret,
    /// No refresh token at all.
    MissingMember,
    /// A document that breaks off.
    Malformed,
}

impl Mistake {
    const ALL: [Mistake; 4] =
        [Mistake::UnknownToken, Mistake::WrongSecret, Mistake::MissingMember, Mistake::Malformed];

    /// For people.
    fn words(self) -> &'static str {
        match self {
            Mistake::UnknownToken => "unknown token",
            Mistake::WrongSecret => "wrong secret",
            Mistake::MissingMember => "missing member",
            Mistake::Malformed => "malformed document",
        }
    }

    /// The abstract class that its refusal should have in the dialect.
    fn class(self) -> crate::dialect::ErrorClass {
        use crate::dialect::ErrorClass;
        match self {
            Mistake::UnknownToken => ErrorClass::InvalidToken,
            Mistake::WrongSecret => ErrorClass::BadCredentials,
            Mistake::MissingMember | Mistake::Malformed => ErrorClass::Malformed,
        }
    }
}

/// How a call came out, as far as a policy is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tried {
    /// Granted.
    Granted,
    /// Refused.
    Refused,
    /// Neither; what, as a fragment.
    Else(String),
}
