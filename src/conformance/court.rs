//! What the checks of one run share: the ground, the clock, the books, and the claims on everything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::chain::source::NoChain;
use crate::chain::{Chain, Identity, may_have_spent};
use crate::client::http1;
use crate::client::reply::{Outcome, Reply};
use crate::client::{Exchange, Request, Times, Travel};
use crate::results::TokenEntropy;
use crate::suite::call::Operation;
use crate::suite::claim::Field;

use super::again::{curl, raw};
use super::always::Always;
use super::clock::Clock;
use super::guess::Issued;
use super::promise::Allowed;
use super::redact::Redaction;
use super::sentinels::Watched;
use super::shapes::Shapes;
use super::transcript::Taken;
use super::{Counted, Ground};

/// Shared by all checks of a run.
#[derive(Debug)]
pub(super) struct Court {
    /// What was handed in.
    pub ground: Ground,
    /// The endpoint's time.
    pub clock: Clock,
    /// What may be shown.
    pub redaction: Redaction,
    format: OnceLock<String>,
    median: OnceLock<Duration>,
    /// Fuzzing checks of which the command line asks for a single case.
    cases: OnceLock<Vec<(String, u64)>>,
    always: Mutex<Always>,
    counted: Mutex<Counted>,
    requests: AtomicU64,
    lost: AtomicU64,
    issued: Mutex<Issued>,
    entropy: OnceLock<TokenEntropy>,
    shapes: Mutex<Shapes>,
}

impl Court {
    /// Opens the session; `running` are the checks that will run.
    pub async fn start(ground: &Ground, running: &[usize]) -> Court {
        let redaction =
            Redaction::new(ground.key, ground.is_mock, Arc::clone(&ground.dialect), &ground.identities)
                .watching(ground.source.held());
        Court {
            clock: Clock::start(ground.control.clone(), ground.environment.patience).await,
            always: Mutex::new(Always::of(&ground.suite, running)),
            ground: ground.clone(),
            redaction,
            format: OnceLock::new(),
            median: OnceLock::new(),
            cases: OnceLock::new(),
            counted: Mutex::new(Counted::default()),
            requests: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            issued: Mutex::new(Issued::default()),
            entropy: OnceLock::new(),
            shapes: Mutex::new(Shapes::default()),
        }
    }

    /// The format of good calls: the first that opened the gate.
    pub fn format(&self) -> Option<&str> {
        self.format.get().map(String::as_str)
    }

    /// Good calls are made in this format from now on.
    pub fn settle_format(&self, format: String) {
        self.format.get_or_init(|| format);
    }

    /// The median of good calls.
    pub fn median(&self) -> Option<Duration> {
        self.median.get().copied()
    }

    /// Good calls take this long.
    pub fn settle_median(&self, median: Duration) {
        self.median.get_or_init(|| median);
    }

    /// `FUZ-10#713` among the checks that are asked for means that case alone.
    pub fn settle_cases(&self, only: &[String]) {
        let named = only.iter().filter_map(|pattern| {
            let (id, number) = pattern.split_once('#')?;
            Some((id.to_owned(), number.parse().ok()?))
        });
        self.cases.get_or_init(|| named.collect());
    }

    /// The only case of a fuzzing check that is asked for, if so.
    pub fn only_case(&self, check: &str) -> Option<u64> {
        self.cases.get()?.iter().find(|(id, _)| id == check).map(|(_, number)| *number)
    }

    /// A fresh chain; its login is an exchange like every other.
    pub async fn open(&self, identity: &Arc<Identity>) -> Result<Chain, NoChain> {
        let sent_at = Instant::now();
        let opened = self.ground.source.open(identity).await;
        match &opened {
            Ok(chain) => {
                if let Some(taken) = self.login_taken(chain, sent_at) {
                    self.requests.fetch_add(1, Ordering::Relaxed);
                    self.remember(&taken);
                    self.note_shape(&taken);
                    self.judge_always(&taken);
                }
            }
            Err(NoChain::Login(_)) => {
                self.requests.fetch_add(1, Ordering::Relaxed);
            }
            Err(NoChain::NoLogin(_) | NoChain::Exhausted { .. }) => {}
        }
        opened
    }

    /// The login behind a chain, as far as it is known: what was sent is not kept.
    fn login_taken(&self, chain: &Chain, sent_at: Instant) -> Option<Taken> {
        let reply = chain.pairs.first()?.reply.clone()?;
        let speech = self.ground.dialect.operation(Operation::Login)?;
        let request = Request {
            method: speech.method.clone(),
            target: speech.path.clone(),
            headers: Vec::new(),
            body: None,
            travel: Travel::default(),
        };
        let exchange = Exchange {
            request: Arc::new(request),
            times: Times {
                sent_at,
                held_at: None,
                released_at: None,
                first_byte_at: None,
                done_at: Instant::now(),
            },
            result: Ok(reply.answer().clone()),
            behind: Vec::new(),
        };
        Some(Taken {
            operation: Operation::Login,
            step: None,
            chain: "own".to_owned(),
            chain_number: chain.number,
            cell: Vec::new(),
            round: 0,
            identity: Arc::clone(&chain.identity),
            origin: None,
            good: chain.identity.slots.clone(),
            sent: chain.identity.slots.clone(),
            exchange,
            reply: Some(reply),
            allowed: Allowed::Unknown("a login".to_owned()),
            called_back: None,
            look: None,
            now: self.clock.now(),
            manner: "opening the chain".to_owned(),
        })
    }

    /// Every exchange comes by here: it is counted, and judged by the claims on everything.
    pub fn observe(&self, taken: &Taken) {
        self.note_shape(taken);
        self.observe_mutated(taken);
    }

    /// The same for an exchange of the fuzzer: what the answer to a mangled request looks like is chance.
    pub fn observe_mutated(&self, taken: &Taken) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.count(taken);
        self.remember(taken);
        self.judge_always(taken);
    }

    fn note_shape(&self, taken: &Taken) {
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        shapes.note(taken, &self.ground.dialect, &self.redaction);
    }

    /// What the answers so far look like.
    pub fn shapes(&self) -> Vec<crate::results::shapes::Shape> {
        self.shapes.lock().unwrap_or_else(PoisonError::into_inner).done()
    }

    /// Remembers the refresh token of a grant and who was given it. A call with changed slots may be answered
    /// with somebody else's, and means it.
    fn remember(&self, taken: &Taken) {
        if !taken.is_granted() || taken.sent != taken.good {
            return;
        }
        let token = |reply: &Arc<Reply>| reply.token(&self.ground.dialect, taken.operation, Field::Refresh);
        if let Some(token) = taken.reply.as_ref().and_then(token) {
            let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
            issued.note(self.ground.key, &token, &taken.identity.name);
        }
    }

    /// An estimate with what the whole run knows.
    pub fn complete(&self, found: TokenEntropy, check: &str) -> TokenEntropy {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, shared) = issued.figures();
        TokenEntropy { check: check.to_owned(), seen, shared, ..found }
    }

    /// The estimate that the report shows: the first.
    pub fn settle_entropy(&self, found: TokenEntropy) {
        self.entropy.get_or_init(|| found);
    }

    /// The estimate, where a check made one.
    pub fn entropy(&self) -> Option<TokenEntropy> {
        self.entropy.get().cloned()
    }

    fn judge_always(&self, taken: &Taken) {
        let mut always = self.always.lock().unwrap_or_else(PoisonError::into_inner);
        let ground = &self.ground;
        always.observe(&ground.suite, &ground.dialect, taken, &self.redaction, |taken| self.again(taken));
    }

    /// A shell line that does an exchange again.
    pub fn again(&self, taken: &Taken) -> Option<String> {
        if taken.operation == Operation::Login {
            return None;
        }
        let (client, environment) = (&self.ground.client, &self.ground.environment);
        let url = &client.target().url;
        curl(taken, url, environment, &self.redaction).or_else(|| {
            let mut bytes = Vec::new();
            client.write_travelling(&taken.exchange.request, &mut bytes);
            raw(taken, &bytes, url, environment, &self.redaction)
        })
    }

    /// The book of refreshes, by the endpoint's own rule: whatever is sent to that path, by any method.
    fn count(&self, taken: &Taken) {
        let request = &taken.exchange.request;
        // A grant is one by whatever path it was reached.
        let granted = taken.operation == Operation::Refresh && taken.is_granted();
        if !granted && !is_refresh_path(&request.target, &self.ground.dialect.refresh().path) {
            return;
        }
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        match (&taken.exchange.result, &taken.reply) {
            (Ok(_), Some(reply)) if reply.outcome == Outcome::Granted => counted.granted += 1,
            // Whoever stands before the application may have refused it, and then nobody counted it there.
            (Ok(_), _) if !is_well_framed(request) => counted.unanswered += 1,
            (Ok(_), _) => counted.refused += 1,
            (Err(failure), _) if may_have_spent(*failure) => counted.unanswered += 1,
            (Err(_), _) => {}
        }
        counted.unanswered += taken.exchange.behind.len() as u64;
    }

    /// Refreshes of a load that a check ran.
    pub fn count_load(&self, granted: u64, refused: u64, unanswered: u64) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.granted += granted;
        counted.refused += refused;
        counted.unanswered += unanswered;
        self.requests.fetch_add(granted + refused + unanswered, Ordering::Relaxed);
    }

    /// What the sentinels of a load did, in whose course a check of their own played.
    pub fn count_sentinels(&self, watched: &Watched) {
        let Counted { granted, refused, unanswered } = watched.counted;
        self.count_load(granted, refused, unanswered);
        self.lost.fetch_add(watched.families_lost, Ordering::Relaxed);
    }

    /// A chain was given up.
    pub fn lose_family(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// The claims on everything that belong to a check; asked once, at the end.
    pub fn always_of(&self, index: usize) -> Option<super::tally::Tally> {
        self.always.lock().unwrap_or_else(PoisonError::into_inner).take(&self.ground.suite, index)
    }

    /// The client's book.
    pub fn counted(&self) -> Counted {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests so far, logins included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Chains given up so far.
    pub fn families_lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Whether a target is the refresh operation's: case and a slash at the end do not count.
pub(super) fn is_refresh_path(target: &str, path: &str) -> bool {
    // A space ends the target, whatever stands behind it in its line.
    let bare = |text: &str| text.split(['?', ' ']).next().unwrap_or("").trim_end_matches('/').to_owned();
    bare(target).eq_ignore_ascii_case(&bare(path))
}

/// Whether nothing in how a request is framed lets a server refuse it before it asks what it is.
fn is_well_framed(request: &Request) -> bool {
    let is_token = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let is_value = |value: &[u8]| value.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\t');
    let (few, small) =
        (request.headers.len() < 90, request.headers.iter().all(|(_, value)| value.len() < 8_192));
    http1::is_ordinary(request)
        && few
        && small
        && is_token(&request.method)
        && request.headers.iter().all(|(name, value)| is_token(name) && is_value(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refresh_path_is_known_in_every_case_and_with_a_slash() {
        let path = "/api/PFMS/pfms_get_refresh_token";
        assert!(is_refresh_path("/api/pfms/PFMS_get_refresh_token/?a=b", path));
        assert!(!is_refresh_path("/api/PFMS/pfms_get_refresh_tokenx", path));
    }
}
