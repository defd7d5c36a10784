//! The only door to the network.
//!
//! Owns HTTP/1.1 as exact bytes at exact moments ([`wire`]), the strict codecs of documents ([`codec`]), the
//! reading of answers by a dialect ([`reply`]), the guard at the door ([`guard`]) and the side door for what
//! a library does better ([`side`]). Sends every request at most once: nothing is retried, no redirect is
//! followed. Says what came back; never whether it was right.

pub mod codec;
pub mod compose;
pub mod failure;
pub mod guard;
pub mod http1;
pub mod reply;
pub mod side;
pub mod wire;

use std::time::{Duration, Instant};

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
    /// Never headers or body: they carry tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({} {})", self.method, self.target)
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

/// One request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub request: std::sync::Arc<Request>,
    /// When.
    pub times: Times,
    /// What came back.
    pub result: Result<Answer, Failure>,
}

/// The moments of an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Just before the first byte was written.
    pub sent_at: Instant,
    /// When the first byte of the answer was there.
    pub first_byte_at: Option<Instant>,
    /// When the last was, or when it failed.
    pub done_at: Instant,
}

/// What is dialed, and the limits of every exchange.
#[derive(Clone, Debug)]
pub struct Target {
    /// `http://127.0.0.1:8080`, with a path prefix if there is one.
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
    target: Target,
    guard: guard::Guard,
}

impl Client {
    /// A client for `target` behind `guard`. Fails if TLS is asked for and no trusted root can be found.
    pub fn new(target: Target, guard: guard::Guard) -> Result<Client, ClientError> {
        Ok(Client { target, guard })
    }

    /// Sends `request` once, on an idle connection that shows no pending close, or on a new one.
    pub async fn send(&self, request: Request) -> Exchange {
        let _ = (request, &self.guard);
        todo!()
    }

    /// A connection of one's own, not shared with [`Client::send`].
    pub async fn connect(&self) -> Result<wire::Connection, Failure> {
        todo!()
    }

    /// What is dialed.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Requests that left so far, by either way.
    pub fn requests_sent(&self) -> u64 {
        todo!()
    }
}

/// Why there can be no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not usable.
    #[error("`{0}` is not an http or https address")]
    Address(String),
    /// No trusted roots on this machine.
    #[error("no trusted certificate was found on this machine: install ca-certificates")]
    NoRoots,
}
