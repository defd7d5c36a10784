//! HTTP/2 by hyper's connection, one exchange at a time on each.
//!
//! A request is composed as for HTTP/1.1 and said in frames ([`said`]); what has no frame is not sent. Between hyper
//! and the socket stands a gate ([`gate`]), which can keep the last byte back, so that races are released here as they
//! are over HTTP/1.1: a frame without its last byte is no frame yet.

mod gate;
mod said;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::http::response::Parts;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::timeout_at;

use crate::suite::call::Abort;

use super::http1::HEAD_MAX;
use super::stream::Stream;
use super::wire::{Kept, Moved};
use super::{Answer, Failure, Travel};

use self::gate::Gate;
pub(super) use self::said::Origin;

/// A server's time to look at a request that is whole, before the connection ends: many throw away at its end what
/// they have not looked at yet.
const BREATH: Duration = Duration::from_millis(5);

/// A connection, and what is under way on it.
pub(super) struct Two {
    sender: SendRequest<Full<Bytes>>,
    gate: Gate,
    origin: Origin,
    state: State,
}

enum State {
    Idle,
    Asked(Asked),
    Reading(Box<Reading>),
}

type Asked = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>>;

/// An answer of which the head is there.
struct Reading {
    head: Parts,
    body: Incoming,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Two {
    /// Never what goes by.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Two")
    }
}

/// Whether `request` travels in a way that HTTP/2 has at all.
pub(super) fn has(travel: &Travel) -> bool {
    let Travel { chunks, pace, length_off, abort: _, await_continue, pipelined } = travel;
    chunks.is_none() && pace.is_none() && *length_off == 0 && !await_continue && *pipelined == 0
}

impl Two {
    /// Speaks HTTP/2 on `stream`, and waits until the other side has shown that it does.
    pub(super) async fn open(
        stream: Stream,
        origin: Origin,
        deadline: tokio::time::Instant,
    ) -> Result<Two, Failure> {
        let gate = Gate::new(stream);
        let head_max = u32::try_from(HEAD_MAX).unwrap_or(u32::MAX);
        let mut builder = Builder::new(TokioExecutor::new());
        builder.max_header_list_size(head_max);
        let (sender, connection) =
            builder.handshake(TokioIo::new(gate.clone())).await.map_err(|error| failure(&error, false))?;
        // It ends with its sender or with the other side, and whoever asks hears of it.
        tokio::spawn(async move { drop(connection.await) });
        match timeout_at(deadline, gate.greeted()).await {
            Ok(true) => Ok(Two { sender, gate, origin, state: State::Idle }),
            Ok(false) => Err(Failure::NoHttp2),
            Err(_) => Err(Failure::ConnectTimeout),
        }
    }

    /// Whether another exchange may be started here.
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed() && !self.gate.has_ended()
    }

    /// Begins an exchange: `bytes` are a request as HTTP/1.1 has it, head and body.
    pub(super) fn ask(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let request = self.origin.request(bytes).ok_or(Failure::NotInHttp2)?;
        self.state = State::Asked(Box::pin(self.sender.send_request(request)));
        Ok(())
    }

    /// Begins an exchange and keeps the end of its request here.
    pub(super) async fn ask_and_keep(&mut self, bytes: &[u8], kept: Kept) -> Result<(), Failure> {
        self.gate.close();
        self.ask(bytes)?;
        self.gate.request_is_here().await?;
        match kept {
            Kept::Everything => Ok(()),
            Kept::LastByte => self.gate.let_out(|all| all.saturating_sub(1)).await,
        }
    }

    /// Sends so much of a request as `abort` says.
    pub(super) async fn break_off(&mut self, bytes: &[u8], abort: Abort) -> Result<(), Failure> {
        match abort {
            Abort::Connected => Ok(()),
            Abort::HalfSent => {
                self.ask_and_keep(bytes, Kept::Everything).await?;
                let body = said::body_of(bytes).len();
                self.gate.let_out(|all| all.saturating_sub(if body > 1 { body / 2 } else { all / 2 })).await
            }
            Abort::Sent => {
                self.ask_and_keep(bytes, Kept::Everything).await?;
                self.gate.let_out(|all| all).await?;
                tokio::time::sleep(BREATH).await;
                Ok(())
            }
        }
    }

    /// Lets out what was kept, as far as it goes at once. Whether that was all.
    pub(super) fn release(&mut self) -> bool {
        self.gate.release()
    }

    /// Lets out the rest of what was kept.
    pub(super) async fn let_all_out(&mut self) -> Result<(), Failure> {
        self.gate.open().await
    }

    /// The answer to what was asked. `first_byte_at` is noted when its head is there and its body is not.
    pub(super) fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        body_max: usize,
        first_byte_at: &mut Option<Instant>,
    ) -> Poll<Result<Answer, Failure>> {
        loop {
            match &mut self.state {
                State::Idle => return Poll::Ready(Err(Failure::ClosedBeforeAnswer)),
                State::Asked(asked) => match std::task::ready!(asked.as_mut().poll(cx)) {
                    Ok(response) => {
                        let (head, body) = response.into_parts();
                        self.state = State::Reading(Box::new(Reading { head, body, bytes: Vec::new() }));
                    }
                    Err(error) => {
                        self.state = State::Idle;
                        return Poll::Ready(Err(failure(&error, false)));
                    }
                },
                State::Reading(reading) => match reading.poll(cx, body_max) {
                    Poll::Pending => {
                        first_byte_at.get_or_insert_with(Instant::now);
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(failure)) => {
                        first_byte_at.get_or_insert_with(Instant::now);
                        self.state = State::Idle;
                        return Poll::Ready(Err(failure));
                    }
                    Poll::Ready(Ok(())) => {
                        let State::Reading(reading) = std::mem::replace(&mut self.state, State::Idle) else {
                            unreachable!("it was just looked at")
                        };
                        return Poll::Ready(Ok(reading.answer()));
                    }
                },
            }
        }
    }

    /// The bytes that went by since this was last asked, frames and all.
    pub(super) fn take_moved(&self) -> Moved {
        self.gate.take_moved()
    }

    /// The socket, for whoever asks the system about several at once.
    pub(super) fn cloned_socket(&self) -> Option<std::os::fd::OwnedFd> {
        self.gate.cloned_socket()
    }
}

impl Reading {
    fn poll(&mut self, cx: &mut Context<'_>, body_max: usize) -> Poll<Result<(), Failure>> {
        loop {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(failure(&error, true))),
                Some(Ok(frame)) => {
                    let Some(data) = frame.data_ref() else { continue };
                    if self.bytes.len() + data.len() > body_max {
                        return Poll::Ready(Err(Failure::OversizedBody));
                    }
                    self.bytes.extend_from_slice(data);
                }
            }
        }
    }

    fn answer(self) -> Answer {
        let headers = self.head.headers.iter();
        Answer {
            status: self.head.status.as_u16(),
            reason: String::new(),
            headers: headers
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: self.bytes,
        }
    }
}

/// The class of an error, found by walking its causes; `begun` is whether an answer had begun.
fn failure(error: &hyper::Error, begun: bool) -> Failure {
    let closed = if begun { Failure::ClosedWithinAnswer } else { Failure::ClosedBeforeAnswer };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if let Some(error) = one.downcast_ref::<h2::Error>() {
            return of_frames(error, closed);
        }
        if let Some(error) = one.downcast_ref::<std::io::Error>() {
            return of_stream(error, closed);
        }
        cause = one.source();
    }
    // Without a cause: the connection had ended when the request was handed in.
    closed
}

fn of_frames(error: &h2::Error, closed: Failure) -> Failure {
    match error.get_io() {
        Some(error) => of_stream(error, closed),
        // The other side's word, or its silence after a good bye.
        None if error.is_remote() || error.reason() == Some(h2::Reason::NO_ERROR) => Failure::StreamReset,
        None => Failure::NotHttp,
    }
}

fn of_stream(error: &std::io::Error, closed: Failure) -> Failure {
    use std::io::ErrorKind;
    match error.kind() {
        // How the end of a connection with a request under way is reported.
        ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof | ErrorKind::NotConnected => closed,
        _ => Failure::from_io(error),
    }
}
