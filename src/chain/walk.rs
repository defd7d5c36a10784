//! A chain under load: only its current pair, on a connection of its own.
//!
//! The custody rule is that of `Chain`: a token leaves by [`Walk::spend`], at most once, and a
//! walk whose token may have been spent without a successor is over. What is over is replaced by a fresh
//! chain, never sent again.

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use zeroize::Zeroizing;

use crate::client::compose::{self, ComposeError, Slots};
use crate::client::reply::skim::Skimmed;
use crate::client::reply::{self, Outcome, Reply, jwt};
use crate::client::wire::{Connection, Heard, Launched, Watch};
use crate::client::{Answer, Client, Failure, Glimpse};
use crate::dialect::{Dialect, ErrorClass};
use crate::secret::Token;
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace, Link};

use super::gear::{Eye, Gear};
use super::held::{Held, Notes, is_of_signs};
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
    /// An access token that begins as the current one does, up to here, has the same ties. These are signs of a token.
    proven: usize,
    usable: bool,
    /// The number of its owner in its worker's gear.
    owner: Option<usize>,
    /// The last answer, where the next request may need something of it.
    last: Option<Arc<Reply>>,
    held: Arc<Held>,
}

impl std::fmt::Debug for Walk {
    /// Never what it would send.
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
    /// When its first byte was there, where that was not noted as the last.
    pub first_byte_at: Option<Instant>,
    /// How it ended.
    pub ended: Ended,
    /// The answer, where it had to be read in full.
    pub reply: Option<Arc<Reply>>,
    /// Whether others had their turn meanwhile.
    pub waited: bool,
}

/// How one step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Granted; what was issued.
    Granted(News),
    /// Refused.
    Refused(ErrorClass),
    /// The server failed, with this status.
    Crash(u16),
    /// Answered with this status, and none of these.
    Garbled(u16),
    /// No answer.
    Failed(Failure),
}

/// What is new of a pair that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// The refresh token: it is not the one that was presented.
    pub refresh: bool,
    /// The owner, as the claims of the access token name it.
    pub stranger: bool,
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
            proven: 0,
            usable: chain.clean && !chain.in_doubt,
            owner: None,
            last: None,
            held: chain.held,
        }
    }

    /// Where its tokens are noted.
    pub fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// What the chain was opened with, for the ledger.
    pub fn opened_with(&self) -> Issued<'_> {
        self.issued(News { refresh: true, stranger: false })
    }

    /// What a grant issued, for the ledger: its tokens are the current ones.
    pub fn issued(&self, news: News) -> Issued<'_> {
        let refresh = self.refresh.as_ref().filter(|_| news.refresh);
        let access = self.access.as_ref().map(Token::expose);
        Issued { access, refresh: refresh.map(Token::expose), stranger: news.stranger }
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

    /// Sends the good call with the current pair, once: a format by its number in the gear, or the dialect's first. A
    /// grant moves the walk; nothing is sent a second time.
    pub async fn spend(
        &mut self,
        connection: &mut Connection,
        gear: &RefCell<Gear>,
        format: Option<usize>,
        watch: &Watch,
    ) -> Result<Step, ComposeError> {
        let turn = connection.turn().await;
        let (sent_at, launched) = {
            let gear = &mut *gear.borrow_mut();
            self.prepare(gear, format)?;
            let sent_at = Instant::now();
            (sent_at, turn.and_then(|()| connection.launch(&gear.outgoing, sent_at)))
        };
        let launched = match launched {
            Ok(launched) => launched,
            Err(failure) => return Ok(self.fail(sent_at, sent_at, failure, false)),
        };
        watch.begin(sent_at);
        let step = self.hear(connection, gear, launched, sent_at, watch).await;
        watch.end();
        Ok(step)
    }

    /// Makes the bytes of the good call with the current pair.
    fn prepare(&mut self, gear: &mut Gear, format: Option<usize>) -> Result<(), ComposeError> {
        if let Some(reply) = self.last.take() {
            gear.client.hear(reply.answer());
        }
        let owner = *self.owner.get_or_insert_with(|| gear.owner(&self.identity));
        gear.prepare(owner, format, self.access.as_ref(), self.refresh.as_ref())
    }

    /// The answer to what was launched: at a glance if it is like those before it, else in full.
    async fn hear(
        &mut self,
        connection: &mut Connection,
        gear: &RefCell<Gear>,
        launched: Launched,
        sent_at: Instant,
        watch: &Watch,
    ) -> Step {
        let mut waited = false;
        if matches!(launched, Launched::Whole) {
            let heard = poll_fn(|cx| match self.poll_glimpse(cx, connection, &mut gear.borrow_mut()) {
                Poll::Pending => {
                    waited = true;
                    watch.poll(cx).map(|()| None)
                }
                Poll::Ready(heard) => Poll::Ready(Some(heard)),
            });
            match heard.await {
                Some(Heard::Read(news, done_at)) => {
                    return Step {
                        sent_at,
                        done_at,
                        first_byte_at: connection.first_byte_at(),
                        ended: Ended::Granted(news),
                        reply: None,
                        waited,
                    };
                }
                Some(Heard::Unread) => {}
                None => {
                    let done_at = Instant::now();
                    let late = Err(Failure::ResponseTimeout);
                    let result = connection.finish(late, done_at - sent_at).await;
                    return self.fail(
                        sent_at,
                        done_at,
                        result.err().unwrap_or(Failure::ResponseTimeout),
                        true,
                    );
                }
            }
        }
        let mut answer = gear.borrow_mut().answer();
        let result = watch.over(connection.hear_rest(launched, &mut answer)).await;
        let done_at = Instant::now();
        match connection.finish(result, done_at - sent_at).await {
            Ok(()) => {
                let first_byte_at = connection.first_byte_at();
                let (ended, reply) = self.settle(&mut gear.borrow_mut(), answer);
                Step { sent_at, done_at, first_byte_at, ended, reply, waited }
            }
            Err(failure) => self.fail(sent_at, done_at, failure, waited),
        }
    }

    /// A look at a plain answer where it lies.
    fn poll_glimpse(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        gear: &mut Gear,
    ) -> Poll<Heard<News>> {
        let Gear { space, eye, .. } = gear;
        connection.poll_glimpse(cx, space, |glimpse| self.skim(eye, glimpse))
    }

    /// Goes on by a grant that is like those before it.
    fn skim(&mut self, eye: &mut Eye, glimpse: Glimpse<'_>) -> Option<News> {
        let Eye { skim, keeps_refresh, claims, notes } = eye;
        let granted = skim.as_mut()?.read(glimpse)?;
        let has_refresh = granted.refresh.is_some() || *keeps_refresh;
        has_refresh.then(|| self.go_on_skimmed(&granted, claims, notes))
    }

    fn fail(&mut self, sent_at: Instant, done_at: Instant, failure: Failure, waited: bool) -> Step {
        self.usable &= !super::may_have_spent(failure);
        Step { sent_at, done_at, first_byte_at: None, ended: Ended::Failed(failure), reply: None, waited }
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
                let first_byte_at = connection.first_byte_at();
                return Step { sent_at, done_at, first_byte_at, ended, reply: Some(reply), waited: true };
            }
            Err(failure) => failure,
        };
        Step {
            sent_at,
            done_at,
            first_byte_at: None,
            ended: Ended::Failed(failure),
            reply: None,
            waited: false,
        }
    }

    /// What a whole answer means for the walk; its reading, where that was needed.
    fn settle(&mut self, gear: &mut Gear, answer: Answer) -> (Ended, Option<Arc<Reply>>) {
        if let Some(news) = self.skim(&mut gear.eye, answer.glimpse()) {
            gear.put_back(answer);
            return (Ended::Granted(news), None);
        }
        let dialect = Arc::clone(&gear.dialect);
        let reply = Arc::new(reply::read(&dialect, Operation::Refresh, Arc::new(answer)));
        gear.learn(&reply);
        let ended = self.judge(&dialect, &reply, &mut gear.eye.notes);
        self.last = (!dialect.computed.is_empty()).then(|| Arc::clone(&reply));
        (ended, Some(reply))
    }

    fn judge(&mut self, dialect: &Dialect, reply: &Arc<Reply>, notes: &mut Notes) -> Ended {
        let status = reply.answer().status;
        match &reply.outcome {
            Outcome::Granted => Ended::Granted(self.go_on(dialect, reply, notes)),
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
    fn go_on(&mut self, dialect: &Dialect, reply: &Arc<Reply>, notes: &mut Notes) -> News {
        let presented = self.refresh.take();
        let pair = super::granted_pair(dialect, Operation::Refresh, reply, presented.clone());
        for token in [&pair.access, &pair.refresh].into_iter().flatten() {
            notes.note(token.expose(), 0);
        }
        let stranger = self.is_strange(dialect, reply);
        self.usable &= pair.refresh.is_some() || !dialect.slots.contains(&Slot::Refresh);
        let news = News { refresh: pair.refresh != presented, stranger };
        self.refresh = pair.refresh;
        self.access = pair.access;
        self.proven = 0;
        news
    }

    /// Whether a claim differs from what it was along this chain; a first sight is remembered.
    fn is_strange(&mut self, dialect: &Dialect, reply: &Reply) -> bool {
        let found = |tie: &mut Tie| claim(reply, dialect, Operation::Refresh, &tie.place);
        self.ties.iter_mut().fold(false, |strange, tie| {
            let found = found(tie);
            strange | found.is_some_and(|found| tie.is_broken_by(Cow::Owned(found)))
        })
    }

    /// Takes the pair of a skimmed grant in place of the old one.
    fn go_on_skimmed(&mut self, granted: &Skimmed<'_>, claims: &mut jwt::Reader, notes: &mut Notes) -> News {
        let access = granted.access.as_ref();
        let stranger = self.is_strange_token(access, claims);
        notes.note(access, self.proven);
        let refresh = match granted.refresh.as_deref() {
            Some(refresh) => {
                notes.note(refresh, 0);
                let handed_back = self.refresh.as_ref().is_some_and(|own| own.expose() == refresh);
                if !handed_back {
                    put(&mut self.refresh, refresh);
                }
                !handed_back
            }
            None => false,
        };
        put(&mut self.access, access);
        News { refresh, stranger }
    }

    /// The same as [`Walk::is_strange`], where all ties stand in the access token.
    fn is_strange_token(&mut self, access: &str, claims: &mut jwt::Reader) -> bool {
        let before = self.access.as_ref().map(Token::expose).and_then(|own| own.get(..self.proven));
        if self.proven > 0 && before.is_some_and(|before| access.starts_with(before)) {
            return false;
        }
        self.proven = 0;
        let Some(opened) = claims.open(access, jwt::Part::Claims) else { return false };
        let (mut strange, mut end, mut all) = (false, 0, true);
        for tie in &mut self.ties {
            let FieldPlace::Claim(_, name) = &tie.place else { continue };
            let found = jwt::member(opened, name);
            let value = found.and_then(jwt::text);
            end = end.max(found.map_or(0, |found| found.span().end));
            all &= value.is_some() && !name.contains('/');
            strange |= value.is_some_and(|value| tie.is_broken_by(value));
        }
        if all && !strange {
            self.proven = encoded_through(access, end);
        }
        strange
    }
}

impl Tie {
    /// Whether the claim is another than it was; a first sight is remembered.
    fn is_broken_by(&mut self, found: Cow<'_, str>) -> bool {
        if let Some(own) = &self.value {
            return *own != found;
        }
        self.value = Some(found.into_owned());
        false
    }
}

/// How much of a JWT says what the bytes of its claims are up to `end` and the one behind; nothing where that is not
/// within its whole quartets.
fn encoded_through(token: &str, end: usize) -> usize {
    let Some((header, rest)) = token.split_once('.') else { return 0 };
    let claims = rest.split('.').next().unwrap_or_default();
    let quartets = (end + 1).div_ceil(3) * 4;
    let through = header.len() + 1 + quartets;
    if quartets <= claims.len() && is_of_signs(&token.as_bytes()[..through]) { through } else { 0 }
}

/// The new token in place of the old one.
fn put(place: &mut Option<Token>, text: &str) {
    match place {
        Some(own) => own.replace(text),
        None => *place = Some(Token::new(text)),
    }
}

/// How a call ended that carried no token of any chain.
fn ended_without_moving(reply: &Reply) -> Ended {
    let status = reply.answer().status;
    match &reply.outcome {
        Outcome::Granted => Ended::Granted(News { refresh: false, stranger: false }),
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
