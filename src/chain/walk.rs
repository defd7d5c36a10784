//! A chain under load: only its current pair, on a connection of its own.
//!
//! The custody rule is that of `Chain`: a token leaves by [`Walk::spend`], at most once, and a
//! walk whose token may have been spent without a successor is over. What is over is replaced by a fresh
//! chain, never sent again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use zeroize::Zeroizing;

use crate::client::compose::{self, ComposeError, Slots};
use crate::client::reply::{self, Outcome, Reply};
use crate::client::wire::Connection;
use crate::client::{Answer, Client, Failure};
use crate::dialect::{Dialect, ErrorClass};
use crate::secret::Token;
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace, Link};

use super::held::Held;
use super::ledger::Issued;
use super::{Chain, Identity};

/// One chain under load.
pub struct Walk {
    /// Its number within the run.
    pub number: u32,
    /// Whose it is.
    pub identity: Arc<Identity>,
    access: Option<Token>,
    refresh: Option<Token>,
    ties: Vec<Tie>,
    usable: bool,
    outgoing: Vec<u8>,
    /// The last answer, where the next request may need something of it.
    last: Option<Arc<Reply>>,
    held: Arc<Held>,
}

impl std::fmt::Debug for Walk {
    /// Never what is about to be sent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Walk({}, {})", self.number, self.identity.name)
    }
}

/// A claim that stays the same along a chain.
#[derive(Debug)]
struct Tie {
    place: FieldPlace,
    /// As the first pair had it; `None` until an answer with that claim was seen.
    value: Option<String>,
}

/// One step of a walk: what became of one request.
#[derive(Debug)]
pub struct Step {
    /// Just before the first byte was written.
    pub sent_at: Instant,
    /// When the answer was complete, or it failed.
    pub done_at: Instant,
    /// How it ended.
    pub ended: Ended,
    /// The answer, read.
    pub reply: Option<Arc<Reply>>,
}

/// How one step ended.
#[derive(Debug)]
pub enum Ended {
    /// Granted; what was issued.
    Granted(Issued),
    /// Refused.
    Refused(ErrorClass),
    /// The server failed, with this status.
    Crash(u16),
    /// Answered with this status, and none of these.
    Garbled(u16),
    /// No answer.
    Failed(Failure),
}

impl Walk {
    /// The chain, from its current pair on.
    pub fn new(chain: Chain, dialect: &Dialect) -> Walk {
        let mut pairs = chain.pairs;
        let pair = pairs.pop().expect("a chain has the pair that opened it");
        let ties = dialect
            .links
            .iter()
            .filter(|(link, _)| **link != Link::Pair)
            .map(|(_, place)| Tie {
                place: place.clone(),
                value: pair.reply.as_ref().and_then(|reply| claim(reply, dialect, Operation::Login, place)),
            })
            .collect();
        Walk {
            number: chain.number,
            identity: chain.identity,
            access: pair.access,
            refresh: pair.refresh,
            ties,
            usable: chain.clean && !chain.in_doubt,
            outgoing: Vec::new(),
            last: None,
            held: chain.held,
        }
    }

    /// What the chain was opened with, for the ledger.
    pub fn opened_with(&self) -> Issued {
        Issued { access: self.access.clone(), refresh: self.refresh.clone(), stranger: false }
    }

    /// Whether the current token may be presented again: not after a refusal, and not where an answer that may
    /// have spent it was lost or could not be read.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Whether the good call can be made in this format at all.
    pub fn can_be_composed(&self, dialect: &Dialect, format: Option<&str>) -> Result<(), ComposeError> {
        compose::good(dialect.refresh(), format, None, &self.slots()).map(drop)
    }

    fn slots(&self) -> Slots {
        super::slots_of(&self.identity, self.access.as_ref(), self.refresh.as_ref())
    }

    /// Makes the bytes of the good call with the current pair, for the next [`Walk::spend`].
    pub fn prepare(
        &mut self,
        client: &Client,
        dialect: &Dialect,
        format: Option<&str>,
    ) -> Result<(), ComposeError> {
        if let Some(reply) = self.last.take() {
            client.hear(reply.answer());
        }
        let mut slots = self.slots();
        client.complete(dialect, dialect.refresh(), &mut slots);
        let draft = compose::good(dialect.refresh(), format, None, &slots)?;
        let request = draft.request(draft.body());
        self.outgoing.clear();
        client.write_request(&request, &mut self.outgoing);
        Ok(())
    }

    /// Sends what was prepared, once. A grant moves the walk; nothing is sent a second time.
    pub async fn spend(&mut self, connection: &mut Connection, dialect: &Dialect, timeout: Duration) -> Step {
        let bytes = Zeroizing::new(std::mem::take(&mut self.outgoing));
        let mut answer = Answer::empty();
        let (sent_at, done_at, result) = connection.exchange(&bytes, timeout, &mut answer).await;
        match result {
            Ok(()) => {
                let reply = Arc::new(reply::read(dialect, Operation::Refresh, Arc::new(answer)));
                let ended = self.settle(dialect, &reply);
                self.last = (!dialect.computed.is_empty()).then(|| Arc::clone(&reply));
                Step { sent_at, done_at, ended, reply: Some(reply) }
            }
            Err(failure) => {
                self.usable &= !super::may_have_spent(failure);
                Step { sent_at, done_at, ended: Ended::Failed(failure), reply: None }
            }
        }
    }

    /// The bytes of the good call with a refresh token that was never issued: as long as the current one, of the
    /// same kinds of characters. The walk's own token stays where it is.
    pub fn stranger(
        &self,
        client: &Client,
        dialect: &Dialect,
        format: Option<&str>,
        number: u64,
    ) -> Result<Zeroizing<Vec<u8>>, ComposeError> {
        let made = self.refresh.as_ref().map(|token| never_issued(token, number));
        let slots = super::slots_of(&self.identity, self.access.as_ref(), made.as_ref());
        let draft = compose::good(dialect.refresh(), format, None, &slots)?;
        let mut bytes = Zeroizing::new(Vec::new());
        client.write_request(&draft.request(draft.body()), &mut bytes);
        Ok(bytes)
    }

    /// Sends what carries no token of any chain, once; no walk moves.
    pub async fn ask(
        bytes: &[u8],
        connection: &mut Connection,
        dialect: &Dialect,
        timeout: Duration,
    ) -> Step {
        let mut answer = Answer::empty();
        let (sent_at, done_at, result) = connection.exchange(bytes, timeout, &mut answer).await;
        let failure = match result {
            Ok(()) => {
                let reply = Arc::new(reply::read(dialect, Operation::Refresh, Arc::new(answer)));
                let ended = ended_without_moving(&reply);
                return Step { sent_at, done_at, ended, reply: Some(reply) };
            }
            Err(failure) => failure,
        };
        Step { sent_at, done_at, ended: Ended::Failed(failure), reply: None }
    }

    /// What an answer means for the walk.
    fn settle(&mut self, dialect: &Dialect, reply: &Arc<Reply>) -> Ended {
        let status = reply.answer().status;
        match &reply.outcome {
            Outcome::Granted => Ended::Granted(self.go_on(dialect, reply)),
            Outcome::Refused => {
                let class = reply.class.unwrap_or(ErrorClass::Unknown);
                // Whoever is told to come later has not been heard: the token is as good as before.
                self.usable &= class == ErrorClass::RateLimited;
                Ended::Refused(class)
            }
            // The server says that it failed, so the pair stands until it says otherwise.
            Outcome::Crash => Ended::Crash(status),
            Outcome::Garbled(_) => {
                self.usable = false;
                Ended::Garbled(status)
            }
        }
    }

    /// Takes the granted pair in place of the old one.
    fn go_on(&mut self, dialect: &Dialect, reply: &Arc<Reply>) -> Issued {
        let presented = self.refresh.take();
        let pair = super::granted_pair(dialect, Operation::Refresh, reply, presented.clone());
        for token in [&pair.access, &pair.refresh].into_iter().flatten() {
            self.held.note(token);
        }
        let stranger = self.is_strange(dialect, reply);
        self.usable &= pair.refresh.is_some() || !dialect.slots.contains(&Slot::Refresh);
        let handed_back = pair.refresh == presented;
        self.refresh = pair.refresh;
        self.access = pair.access;
        let refresh = if handed_back { None } else { self.refresh.clone() };
        Issued { access: self.access.clone(), refresh, stranger }
    }

    /// Whether a claim differs from what it was along this chain; a first sight is remembered.
    fn is_strange(&mut self, dialect: &Dialect, reply: &Reply) -> bool {
        let mut strange = false;
        for tie in &mut self.ties {
            let Some(found) = claim(reply, dialect, Operation::Refresh, &tie.place) else { continue };
            match &tie.value {
                Some(own) => strange |= *own != found,
                None => tie.value = Some(found),
            }
        }
        strange
    }
}

/// How a call ended that carried no token of any chain.
fn ended_without_moving(reply: &Reply) -> Ended {
    let status = reply.answer().status;
    match &reply.outcome {
        Outcome::Granted => Ended::Granted(Issued { access: None, refresh: None, stranger: false }),
        Outcome::Refused => Ended::Refused(reply.class.unwrap_or(ErrorClass::Unknown)),
        Outcome::Crash => Ended::Crash(status),
        Outcome::Garbled(_) => Ended::Garbled(status),
    }
}

/// A token that nobody has issued, with the look of `token`: letters for letters, digits for digits.
fn never_issued(token: &Token, number: u64) -> Token {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let mut other = |first: u8, count: u8| char::from(first + random.random_range(0..count));
    let made: String = token
        .expose()
        .chars()
        .map(|c| match c {
            'a'..='z' => other(b'a', 26),
            'A'..='Z' => other(b'A', 26),
            '0'..='9' => other(b'0', 10),
            _ => c,
        })
        .collect();
    Token::new(made)
}

/// The text of a claim, where the token can be decoded.
fn claim(reply: &Reply, dialect: &Dialect, operation: Operation, place: &FieldPlace) -> Option<String> {
    reply.at(dialect, operation, place).text()
}

impl Step {
    /// The step in one line that shows no secret: status, type, size, and the code if it is a plain word.
    pub fn redacted(&self, dialect: &Dialect) -> String {
        let Some(reply) = &self.reply else {
            return match &self.ended {
                Ended::Failed(failure) => failure.word().to_owned(),
                Ended::Granted(_) | Ended::Refused(_) | Ended::Crash(_) | Ended::Garbled(_) => String::new(),
            };
        };
        let answer = reply.answer();
        let media = answer.media_type().filter(|media| is_plain(media));
        let media = media.unwrap_or_else(|| "no media type".to_owned());
        let code = reply.at(dialect, Operation::Refresh, &FieldPlace::Field(Field::Code)).text();
        let code = code.filter(|code| is_plain(code)).map(|code| format!(", code {code}"));
        format!("{}, {media}, {} bytes{}", answer.status, answer.body.len(), code.unwrap_or_default())
    }
}

/// Short enough, and of characters that no report has to escape, so that it is a word and not a token.
fn is_plain(text: &str) -> bool {
    (1..=24).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+'))
}
