//! The only door to the network.
//!
//! Owns HTTP/1.1 as exact bytes at exact moments ([`wire`]), the strict codecs of documents ([`codec`]), the
//! reading of answers by a dialect ([`reply`]), the guard at the door ([`guard`]) and the side door for what
//! a library does better ([`side`]). Sends every request at most once: nothing is retried, no redirect is
//! followed. Says what came back; never whether it was right.

pub mod certificate;
pub mod codec;
pub mod compose;
mod connect;
pub mod failure;
pub mod guard;
mod hello;
pub mod http1;
mod http2;
pub mod look;
pub mod proof;
pub mod reply;
mod salvo;
pub mod side;
mod stream;
pub mod tls;
pub mod transport;
mod trouble;
mod tunnel;
pub mod volley;
pub mod wire;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::dialect::{Computed, Dialect, Speech};
use crate::secret::Token;
use crate::suite::transport::Http;

use self::compose::Slots;
pub use self::connect::Opening;
pub use self::failure::Failure;

/// Exact bytes to send, and how.
#[derive(Clone)]
pub struct Request {
    /// The method as written.
    pub method: String,
    /// Path and query as written in the request line.
    pub target: String,
    /// Headers as written, in order. `Host` and `Content-Length` are added unless they are here.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; `None` sends neither body nor length.
    pub body: Option<Vec<u8>>,
    /// How the bytes travel.
    pub travel: Travel,
}

impl std::fmt::Debug for Request {
    /// Never query, headers or body: they carry tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({} {})", self.method, self.target.split('?').next().unwrap_or_default())
    }
}

/// How the bytes of a request travel; the default is one write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Travel {
    /// Chunked transfer in pieces of this many bytes.
    pub chunks: Option<u32>,
    /// A pause before each piece.
    pub pace: Option<Duration>,
    /// Added to the true Content-Length.
    pub length_off: i64,
    /// Hang up at this point.
    pub abort: Option<crate::suite::call::Abort>,
    /// Send `Expect: 100-continue` and wait for it before the body.
    pub await_continue: bool,
    /// This many requests that carry nothing go out behind this one in the same write.
    pub pipelined: u32,
}

/// An answer as it came.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// Headers in order, names as they came.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, framing removed.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    /// Never headers or body: they may carry tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// An answer to read into, without anything in it.
    pub fn empty() -> Answer {
        Answer { status: 0, reason: String::new(), headers: Vec::new(), body: Vec::new() }
    }

    /// What most readers look at.
    pub fn glimpse(&self) -> Glimpse<'_> {
        let mut labels = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let label = labels.next().map(|(_, value)| value.as_slice());
        Glimpse { status: self.status, label: label.filter(|_| labels.next().is_none()), body: &self.body }
    }

    /// The first header of that name, whatever its case, as text (bytes that are not UTF-8 replaced).
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// The media type of the Content-Type, lowercase, without parameters.
    pub fn media_type(&self) -> Option<String> {
        let label = self.header("content-type")?;
        Some(label.split(';').next().unwrap_or("").trim().to_ascii_lowercase())
    }
}

/// What most readers look at of an answer, where it was read: nothing of it is kept.
#[derive(Clone, Copy)]
pub struct Glimpse<'a> {
    /// The status.
    pub status: u16,
    /// The Content-Type as it came, where there is one and no more.
    pub label: Option<&'a [u8]>,
    /// The body, framing removed.
    pub body: &'a [u8],
}

impl std::fmt::Debug for Glimpse<'_> {
    /// Never the body: it may carry tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Glimpse({}, {} bytes)", self.status, self.body.len())
    }
}

/// One request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub request: Arc<Request>,
    /// When.
    pub times: Times,
    /// What came back.
    pub result: Result<Answer, Failure>,
    /// What came back to the requests that rode behind it in the same write, in order; after a failure nothing
    /// more is read.
    pub behind: Vec<Result<Answer, Failure>>,
}

impl Exchange {
    /// An exchange that ended before its first byte was written.
    fn unsent(request: Arc<Request>, failure: Failure) -> Exchange {
        let now = Instant::now();
        Exchange {
            request,
            times: Times {
                sent_at: now,
                held_at: None,
                released_at: None,
                first_byte_at: None,
                done_at: now,
            },
            result: Err(failure),
            behind: Vec::new(),
        }
    }
}

/// The moments of an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Just before the first byte was written.
    pub sent_at: Instant,
    /// In a volley: when everything but what was kept back had been written.
    pub held_at: Option<Instant>,
    /// In a volley: just before what was kept back was written.
    pub released_at: Option<Instant>,
    /// When the first byte of the answer was there.
    pub first_byte_at: Option<Instant>,
    /// When the last was, or when it failed.
    pub done_at: Instant,
}

/// What is dialed, and the limits of every exchange.
#[derive(Clone, Debug)]
pub struct Target {
    /// `http://127.0.0.1:8080`, with a path prefix if there is one: the door puts it before every target that
    /// begins with a slash.
    pub url: url::Url,
    /// For connecting, TLS included.
    pub connect_timeout: Duration,
    /// From the send to the end of the answer.
    pub timeout: Duration,
    /// Bytes of an answer's body, at most. Larger ones are [`Failure::OversizedBody`].
    pub body_max: usize,
}

/// The door: dials the target, keeps idle connections, asks the guard before anything leaves.
///
/// `Send` and `Sync`; share it by `Arc`. Connections belong to the runtime on which they were opened, so each
/// load worker opens its own with [`Client::connect`], while [`Client::send`] keeps a small pool for one runtime.
#[derive(Debug)]
pub struct Client {
    door: Arc<Door>,
    idle: Mutex<Vec<Idle>>,
    proofs: proof::Proofs,
}

/// A connection of the pool, and since when it is idle.
#[derive(Debug)]
struct Idle {
    connection: wire::Connection,
    since: Instant,
}

/// Idle connections, at most.
const IDLE_MAX: usize = 64;

/// How long a connection may be idle and still be used. Node closes after five seconds: shorter than that, and
/// the race between its close and our request is not run.
const IDLE_TIME: Duration = Duration::from_secs(4);

/// What all connections of a client share.
#[derive(Debug)]
struct Door {
    target: Target,
    guard: guard::Guard,
    dialer: connect::Dialer,
    /// The target's path without its last slash.
    prefix: String,
    /// The Host header.
    host: String,
}

impl Door {
    fn write_head(&self, request: &Request, out: &mut Vec<u8>) {
        http1::write_head(request, &self.prefix, &self.host, out);
    }

    /// The requests that ride behind in the same write.
    fn write_behind(&self, request: &Request, out: &mut Vec<u8>) {
        let follower = http1::follower(request);
        for _ in 0..request.travel.pipelined.min(http1::BEHIND_MAX) {
            self.write_head(&follower, out);
        }
    }
}

impl Client {
    /// A client for `target` behind `guard`. Fails if TLS is asked for and no trusted root can be found.
    pub fn new(target: Target, guard: guard::Guard) -> Result<Client, ClientError> {
        Client::by(target, guard, transport::Transport::default())
    }

    /// [`Client::new`] with its own choice of whom to trust.
    pub fn trusting(
        target: Target,
        guard: guard::Guard,
        roots: tls::Roots<'_>,
    ) -> Result<Client, ClientError> {
        let roots = match roots {
            tls::Roots::Platform => None,
            tls::Roots::Pem(pem) => Some(pem.to_vec()),
        };
        Client::by(target, guard, transport::Transport { roots, ..transport::Transport::default() })
    }

    /// [`Client::new`] with its own way to the target.
    pub fn by(
        target: Target,
        guard: guard::Guard,
        transport: transport::Transport,
    ) -> Result<Client, ClientError> {
        let dialer = connect::Dialer::new(&target, transport)?;
        let prefix = target.url.path().trim_end_matches('/').to_owned();
        let host = target.url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let door = Arc::new(Door { target, guard, dialer, prefix, host });
        Ok(Client { door, idle: Mutex::new(Vec::new()), proofs: proof::Proofs::default() })
    }

    /// Sends `request` once, on an idle connection that shows no pending close, or on a new one.
    pub async fn send(&self, request: Request) -> Exchange {
        let request = Arc::new(request);
        if let Err(failure) = self.door.guard.turn().await {
            return Exchange::unsent(request, failure);
        }
        let mut connection = match self.connection().await {
            Ok(connection) => connection,
            Err(failure) => return Exchange::unsent(request, failure),
        };
        let exchange = connection.send_now(request).await;
        self.keep(connection);
        if let Ok(answer) = &exchange.result {
            self.hear(answer);
        }
        exchange
    }

    /// Makes the values that are computed for this very call, in place of what an identity has in their slots.
    pub fn complete(&self, dialect: &Dialect, speech: &Speech, slots: &mut Slots) {
        for (slot, how) in &dialect.computed {
            let Some(value) = slots.get(slot).filter(|_| speech.carries(*slot)) else { continue };
            let made = match how {
                Computed::Dpop => {
                    let (draft, key) = self.proof(value, speech);
                    draft.signed(&key)
                }
            };
            slots.insert(*slot, made);
        }
    }

    /// A proof of possession for a call, and the key that signs it.
    pub fn proof(&self, key: &Token, speech: &Speech) -> (proof::Draft, Arc<proof::ProofKey>) {
        let key = self.proofs.key(key);
        let origin = &self.door.target.url[..url::Position::BeforePath];
        let address = format!("{origin}{}{}", self.door.prefix, speech.path);
        (self.proofs.draft(&key, &speech.method, &address), key)
    }

    /// Takes in what an answer says that the next proof needs, if proofs are made here at all. [`Client::send`] does
    /// so by itself.
    pub fn hear(&self, answer: &Answer) {
        if self.proofs.are_made() {
            self.proofs.hear(proof::Heard::of(answer));
        }
    }

    /// A connection of one's own, not shared with [`Client::send`].
    pub async fn connect(&self) -> Result<wire::Connection, Failure> {
        self.connect_timed().await.map(|(connection, _)| connection)
    }

    /// The same, and how long each phase of it took.
    pub async fn connect_timed(&self) -> Result<(wire::Connection, Opening), Failure> {
        let connect::Dialed { stream, opening } = self.door.dialer.dial(&self.door.guard).await?;
        let (door, round_trip) = (self.door.clone(), opening.round_trip());
        let connection = match self.door.dialer.http() {
            Http::One => wire::Connection::new(door, stream, round_trip),
            Http::Two => wire::Connection::over_http2(door, self.speak_two(stream).await?, round_trip),
        };
        Ok((connection, opening))
    }

    async fn speak_two(&self, stream: stream::Stream) -> Result<http2::Two, Failure> {
        let target = &self.door.target;
        let deadline = tokio::time::Instant::now() + target.connect_timeout;
        let origin = http2::Origin::of(target.url.scheme() == "https");
        let spoken = http2::Two::open(stream, origin, deadline).await;
        if let Err(Failure::NoHttp2) = &spoken {
            self.door.dialer.trouble().note(trouble::no_protocol());
        }
        spoken
    }

    /// What a class of failure beneath HTTP leaves out: the last trouble with a certificate or a proxy, and its cure.
    pub fn trouble(&self) -> Option<String> {
        self.door.dialer.trouble().told()
    }

    /// What was agreed on in TLS, once a connection was made.
    pub fn agreed(&self) -> Option<&certificate::Agreed> {
        self.door.dialer.agreed()
    }

    /// A failure in words; one beneath HTTP with what is known of it.
    pub fn explained(&self, failure: Failure) -> String {
        match failure {
            Failure::TlsCertificate
            | Failure::Tls
            | Failure::Proxy
            | Failure::NoHttp2
            | Failure::Unreachable
            | Failure::Reset
            | Failure::LocalPorts => match self.trouble() {
                Some(trouble) => format!("{}: {trouble}", failure.word()),
                None => failure.word().to_owned(),
            },
            other => other.word().to_owned(),
        }
    }

    /// The bytes of `request` as [`wire::Connection::exchange`] wants them: prefix, Host and Content-Length
    /// are as [`Client::send`] would send them, and the body follows in one piece.
    pub fn write_request(&self, request: &Request, out: &mut Vec<u8>) {
        self.door.write_head(request, out);
        out.extend_from_slice(request.body.as_deref().unwrap_or_default());
    }

    /// The same, body framed as it travels and with the requests that ride behind: all that is sent.
    pub fn write_travelling(&self, request: &Request, out: &mut Vec<u8>) {
        self.door.write_head(request, out);
        out.extend(http1::body_pieces(request).concat());
        self.door.write_behind(request, out);
    }

    /// What is dialed.
    pub fn target(&self) -> &Target {
        &self.door.target
    }

    /// Requests that left so far, by either way.
    pub fn requests_sent(&self) -> u64 {
        self.door.guard.sent()
    }

    async fn connection(&self) -> Result<wire::Connection, Failure> {
        // Lets the runtime look at its sockets, so that a close that is pending is known.
        tokio::task::yield_now().await;
        match self.idle_connection() {
            Some(connection) => Ok(connection),
            None => self.connect().await,
        }
    }

    /// The connection that was used last, if it is still good: what is idle for long is dropped.
    fn idle_connection(&self) -> Option<wire::Connection> {
        let mut idle = self.idle.lock().expect("nobody panics while holding it");
        idle.retain(|one| one.since.elapsed() < IDLE_TIME);
        while let Some(Idle { mut connection, .. }) = idle.pop() {
            if connection.is_open() {
                return Some(connection);
            }
        }
        None
    }

    fn keep(&self, mut connection: wire::Connection) {
        if connection.is_open() {
            let mut idle = self.idle.lock().expect("nobody panics while holding it");
            if idle.len() < IDLE_MAX {
                idle.push(Idle { connection, since: Instant::now() });
            }
        }
    }
}

/// Why there can be no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not usable.
    #[error("`{0}` is not an http or https address")]
    Address(String),
    /// No trusted roots on this machine.
    #[error(
        "no trusted certificate was found on this machine: install ca-certificates, or name a file of them with \
         `tls: {{ ca: FILE }}`"
    )]
    NoRoots,
    /// The file of trusted roots has none.
    #[error("the file that `tls: {{ ca }}` names holds no certificate as PEM")]
    BadRoots,
    /// The client's own certificate or key cannot be used.
    #[error("the files that `tls: {{ certificate, key }}` name are no certificate as PEM and the key of it")]
    Identity,
    /// The proxy's address cannot be used; it may hold a password, so it is not repeated.
    #[error("the proxy is no `http://host:port`, `socks5://host:port` or `socks5h://host:port`")]
    Proxy,
}
