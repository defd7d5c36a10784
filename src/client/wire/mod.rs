//! Connections over TCP and TLS, and one exchange at a time on each: HTTP/1.1 here, HTTP/2 by [`super::http2`].
//!
//! Writes first and waits only where the kernel says so. A request is sent at most once: whatever goes wrong
//! after its first byte ends the exchange and the connection.

mod swift;

use std::future::poll_fn;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::io::ReadBuf;
use tokio::time::timeout_at;

use crate::suite::call::Abort;

use super::http1::{self, HEAD_MAX, Reader};
use super::http2::{self, Two};
use super::stream::Stream;
use super::{Answer, Door, Exchange, Failure, Request, Times};

pub use self::swift::{Heard, Launched, Watch};

/// Where a connection's reading buffer starts; it doubles for answers that need it, up to a head's limit.
const BUFFER_START: usize = 4 * 1024;

/// How long `100 Continue` is waited for before the body goes anyway.
const CONTINUE_PATIENCE: Duration = Duration::from_secs(1);

/// How long the answers to requests that rode behind are waited for once the first is there: they carry nothing.
const BEHIND_PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer too many is waited for.
const SURPLUS_PATIENCE: Duration = Duration::from_millis(200);

/// How long the end of a connection that was used before is looked into, at least and at most: two of its round
/// trips lie between.
const DOUBT: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// A connection that rested for so long may have been closed for that, however late its end is noticed here.
const RESTED: Duration = Duration::from_millis(100);

/// One connection; closed by the first failure or by either side's wish.
#[derive(Debug)]
pub struct Connection {
    door: Arc<Door>,
    /// `None` once closed, and over HTTP/2.
    stream: Option<Stream>,
    /// What speaks HTTP/2, where that is spoken; `None` once closed.
    two: Option<Box<Two>>,
    /// An answer of HTTP/2 that is for the full reader.
    unread: Option<Box<Answer>>,
    reader: Reader,
    buffer: Vec<u8>,
    /// The unread part of `buffer`.
    start: usize,
    end: usize,
    /// Exchanges that went well here.
    served: u64,
    /// How long the end of this connection may be in doubt, while it is used again and again.
    doubt: Duration,
    /// Since when it rests.
    idle_since: Instant,
    /// Whether it had rested when the exchange began.
    had_rested: bool,
    /// An exchange began and did not end: its future was dropped.
    busy: bool,
    /// The request was not sent whole, or not in a way that both sides understand alike.
    last: bool,
    /// How the first look at an answer failed.
    fallen: Option<Failure>,
    /// When the first byte of this exchange's answer was there.
    first_byte_at: Option<Instant>,
    /// Bytes that nobody has asked for yet.
    moved: Moved,
}

/// Bytes that went by a connection, as HTTP has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Written.
    pub sent: u64,
    /// Read.
    pub received: u64,
}

/// What a volley keeps back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The last byte of each request.
    LastByte,
    /// All of it: only the connections are open beforehand.
    Everything,
}

/// A request of which the end is kept back.
pub(super) struct Held {
    request: Arc<Request>,
    bytes: Vec<u8>,
    written: usize,
    answer: Answer,
    sent_at: Instant,
    since: Option<Instant>,
    out: bool,
}

impl Held {
    /// Whether its end went out whole when it was released.
    pub(super) fn is_out(&self) -> bool {
        self.out
    }
}

/// What came of one turn at writing.
enum Turn {
    Wrote(usize),
    Read(usize),
}

impl Connection {
    pub(super) fn new(door: Arc<Door>, stream: Stream, round_trip: Duration) -> Connection {
        Connection::idle(door, Some(stream), round_trip)
    }

    fn idle(door: Arc<Door>, stream: Option<Stream>, round_trip: Duration) -> Connection {
        Connection {
            reader: Reader::new(door.target.body_max),
            door,
            stream,
            two: None,
            unread: None,
            // Most answers under load are read where they lie and need none.
            buffer: Vec::new(),
            start: 0,
            end: 0,
            served: 0,
            doubt: (2 * round_trip).clamp(DOUBT.0, DOUBT.1),
            idle_since: Instant::now(),
            had_rested: false,
            busy: false,
            last: false,
            fallen: None,
            first_byte_at: None,
            moved: Moved::default(),
        }
    }

    /// A connection that speaks HTTP/2.
    pub(super) fn over_http2(door: Arc<Door>, two: Two, round_trip: Duration) -> Connection {
        Connection { two: Some(Box::new(two)), ..Connection::idle(door, None, round_trip) }
    }

    /// Sends `request` once and reads its answer.
    ///
    /// An answer that comes while the request is still on its way is an answer, and the rest is not sent.
    pub async fn send(&mut self, request: Request) -> Exchange {
        let request = Arc::new(request);
        if let Err(failure) = self.door.guard.turn().await {
            return Exchange::unsent(request, failure);
        }
        // Lets the runtime look at its sockets, so that a close that is pending is known.
        tokio::task::yield_now().await;
        self.send_now(request).await
    }

    /// [`Connection::send`] for whoever has had its turn at the guard.
    pub(super) async fn send_now(&mut self, request: Arc<Request>) -> Exchange {
        if self.two.is_some() && !http2::has(&request.travel) {
            return Exchange::unsent(request, Failure::NotInHttp2);
        }
        let counted =
            (0..request.travel.pipelined.min(http1::BEHIND_MAX)).try_for_each(|_| self.door.guard.count());
        if let Err(failure) = counted.and_then(|()| self.begin(request.method == "HEAD", Instant::now())) {
            return Exchange::unsent(request, failure);
        }
        self.last = !http1::is_ordinary(&request);
        self.reader.expect_more(http1::leaves_more(&request));
        let mut answer = Answer::empty();
        let sent_at = Instant::now();
        let deadline = sent_at + self.door.target.timeout;
        let result = timeout_at(deadline.into(), self.travel(&request, &mut answer)).await;
        let done_at = Instant::now();
        let result = result.unwrap_or(Err(Failure::ResponseTimeout));
        let result = match result {
            Ok(()) if self.two.is_none() && http1::is_ambiguous(&request) => self.listen_on().await,
            result => result,
        };
        let behind = match result {
            Ok(()) if request.travel.pipelined > 0 => self.hear_behind(&request, deadline).await,
            _ => Vec::new(),
        };
        let result = self.finish(result, done_at - sent_at).await.map(|()| answer);
        let first_byte_at = self.first_byte_at;
        let times = Times { sent_at, held_at: None, released_at: None, first_byte_at, done_at };
        Exchange { request, times, result, behind }
    }

    /// When the first byte of the last exchange's answer was there, where it was not looked at in one piece.
    pub fn first_byte_at(&self) -> Option<Instant> {
        self.first_byte_at
    }

    /// The bytes that went by since this was last asked.
    pub fn take_moved(&mut self) -> Moved {
        match &self.two {
            None => std::mem::take(&mut self.moved),
            Some(two) => two.take_moved(),
        }
    }

    /// First half of a volley: sends all of `request` but its last `kept` bytes. An answer to half a request ends
    /// the exchange.
    pub(super) async fn hold(&mut self, request: Arc<Request>, kept: Kept) -> Result<Held, Exchange> {
        if self.two.is_some() && !http2::has(&request.travel) {
            return Err(Exchange::unsent(request, Failure::NotInHttp2));
        }
        if let Err(failure) = self.begin(request.method == "HEAD", Instant::now()) {
            return Err(Exchange::unsent(request, failure));
        }
        self.last = !http1::is_ordinary(&request);
        let mut bytes = Vec::with_capacity(1024);
        self.door.write_head(&request, &mut bytes);
        for piece in http1::body_pieces(&request) {
            bytes.extend_from_slice(&piece);
        }
        let written = match kept {
            Kept::LastByte => bytes.len() - 1,
            Kept::Everything => 0,
        };
        let (answer, sent_at) = (Answer::empty(), Instant::now());
        let mut held = Held { request, bytes, written, answer, sent_at, since: None, out: false };
        let deadline = sent_at + self.door.target.timeout;
        let sent = async {
            match &mut self.two {
                None => self.transmit(&held.bytes[..written], &mut held.answer).await,
                // From here on the gate holds what is kept.
                Some(two) => {
                    two.ask_and_keep(&std::mem::take(&mut held.bytes), kept).await?;
                    held.written = 0;
                    Ok(true)
                }
            }
        };
        match timeout_at(deadline.into(), sent).await.unwrap_or(Err(Failure::ResponseTimeout)) {
            Ok(true) => {
                held.since = Some(Instant::now());
                Ok(held)
            }
            other => Err(self.conclude(held, None, other).await),
        }
    }

    /// The middle of a volley: writes what was kept as far as it goes at once. Says when it began to.
    pub(super) fn release(&mut self, held: &mut Held) -> Instant {
        let released_at = Instant::now();
        let mut context = Context::from_waker(Waker::noop());
        if let Some(stream) = &mut self.stream {
            if let Poll::Ready(Ok(count)) = stream.poll_write(&mut context, &held.bytes[held.written..]) {
                held.written += count;
                self.moved.sent += count as u64;
            }
            // What is left, or fails, is seen to by whoever reads the answer.
            let flushed = matches!(stream.poll_flush(&mut context), Poll::Ready(Ok(())));
            held.out = flushed && held.written == held.bytes.len();
        }
        if let Some(two) = &mut self.two {
            held.out = two.release();
        }
        released_at
    }

    /// The socket once more, while there is one: for whoever asks the system about several at once.
    pub(super) fn cloned_socket(&self) -> Option<std::os::fd::OwnedFd> {
        match &self.two {
            None => self.stream.as_ref()?.socket().as_fd().try_clone_to_owned().ok(),
            Some(two) => two.cloned_socket(),
        }
    }

    /// Last half of a volley: the rest of the request, if any, and the answer.
    pub(super) async fn hear_out(&mut self, mut held: Held, released_at: Instant) -> Exchange {
        let deadline = released_at + self.door.target.timeout;
        let rest = held.bytes.split_off(held.written);
        let sent = async {
            match &mut self.two {
                None => self.transmit(&rest, &mut held.answer).await,
                Some(two) => two.let_all_out().await.map(|()| true),
            }
        };
        let sent = timeout_at(deadline.into(), sent).await;
        self.conclude(held, Some(released_at), sent.unwrap_or(Err(Failure::ResponseTimeout))).await
    }

    async fn conclude(
        &mut self,
        held: Held,
        released_at: Option<Instant>,
        sent: Result<bool, Failure>,
    ) -> Exchange {
        let Held { request, mut answer, sent_at, since: held_at, .. } = held;
        let from = released_at.unwrap_or(sent_at);
        let deadline = from + self.door.target.timeout;
        let result = if request.travel.abort.is_some() {
            Ok(sent.and(Err(Failure::Aborted)))
        } else {
            timeout_at(deadline.into(), self.hear(sent, &mut answer)).await
        };
        let done_at = Instant::now();
        let result = result.unwrap_or(Err(Failure::ResponseTimeout));
        let result = self.finish(result, done_at - from).await.map(|()| answer);
        let times = Times { sent_at, held_at, released_at, first_byte_at: self.first_byte_at, done_at };
        Exchange { request, times, result, behind: Vec::new() }
    }

    /// Whether another answer follows that nobody asked for: it comes soon or never.
    async fn listen_on(&mut self) -> Result<(), Failure> {
        if self.start < self.end {
            return Err(Failure::TrailingBytes);
        }
        match tokio::time::timeout(SURPLUS_PATIENCE, poll_fn(|cx| self.poll_fill(cx))).await {
            Ok(Ok(count)) if count > 0 => Err(Failure::TrailingBytes),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The answers to the requests that rode behind, until one fails: an end of the connection is one.
    async fn hear_behind(&mut self, request: &Request, deadline: Instant) -> Vec<Result<Answer, Failure>> {
        let deadline = deadline.min(Instant::now() + BEHIND_PATIENCE);
        let mut heard = Vec::new();
        for left in (0..request.travel.pipelined.min(http1::BEHIND_MAX)).rev() {
            // A server that announced the end of the connection after its answer owes nothing more.
            if !self.reader.is_persistent() {
                heard.push(Err(Failure::ClosedBeforeAnswer));
                break;
            }
            self.reader.start(request.method == "HEAD");
            self.reader.expect_more(left > 0);
            let mut answer = Answer::empty();
            let read = async {
                self.digest(&mut answer)?;
                self.read_answer(&mut answer).await
            };
            let result = timeout_at(deadline.into(), read).await.unwrap_or(Err(Failure::ResponseTimeout));
            let is_last = result.is_err();
            heard.push(result.map(|()| answer));
            if is_last {
                break;
            }
        }
        heard
    }

    /// Writes `bytes` (a whole request, head and body) once and reads the answer into `answer`, whose buffers are
    /// used again. Moments: just before the write, and after the last byte.
    pub async fn exchange(
        &mut self,
        bytes: &[u8],
        timeout: Duration,
        answer: &mut Answer,
    ) -> (Instant, Instant, Result<(), Failure>) {
        let turn = self.turn().await;
        let sent_at = Instant::now();
        let result = match turn.and_then(|()| self.launch(bytes, sent_at)) {
            Ok(launched) => {
                let heard = self.hear_rest(launched, answer);
                timeout_at((sent_at + timeout).into(), heard).await.unwrap_or(Err(Failure::ResponseTimeout))
            }
            Err(failure) => return (sent_at, sent_at, Err(failure)),
        };
        let done_at = Instant::now();
        (sent_at, done_at, self.finish(result, done_at - sent_at).await)
    }

    /// Whether another exchange may be started here: open, nothing left over, no close announced or pending.
    ///
    /// Costs no system call: it asks what the runtime saw when it last looked at its sockets.
    pub fn is_open(&mut self) -> bool {
        self.look().is_ok()
    }

    /// What speaks against another exchange.
    fn look(&mut self) -> Result<(), Failure> {
        if self.busy {
            self.hang_up();
        }
        let Some(stream) = &mut self.stream else { return self.look_at_two() };
        let failure = match (stream.look(), self.served) {
            (Poll::Pending, _) => return Ok(()),
            (Poll::Ready(Ok(1..)), 0) => Failure::EarlyAnswer,
            (Poll::Ready(Ok(1..)), _) => Failure::TrailingBytes,
            (Poll::Ready(Ok(0)), 0) => Failure::ClosedBeforeAnswer,
            (Poll::Ready(Err(error)), 0) => Failure::from_io(&error),
            (Poll::Ready(_), _) => Failure::ReuseRace,
        };
        self.hang_up();
        Err(failure)
    }

    fn look_at_two(&mut self) -> Result<(), Failure> {
        if self.two.as_ref().is_some_and(|two| two.is_open()) {
            return Ok(());
        }
        let was_used = self.two.is_none() || self.served > 0;
        self.hang_up();
        Err(if was_used { Failure::ReuseRace } else { Failure::ClosedBeforeAnswer })
    }

    fn begin(&mut self, bodiless: bool, now: Instant) -> Result<(), Failure> {
        self.look()?;
        self.door.guard.count()?;
        self.reader.start(bodiless);
        self.busy = true;
        self.first_byte_at = None;
        self.had_rested = now.saturating_duration_since(self.idle_since) >= RESTED;
        Ok(())
    }

    /// Ends an exchange that took so long `after` its first byte: keeps the connection only if nothing speaks against
    /// it.
    pub async fn finish(&mut self, result: Result<(), Failure>, after: Duration) -> Result<(), Failure> {
        self.busy = false;
        self.idle_since = Instant::now();
        let result = match result {
            Ok(()) => {
                self.served += 1;
                Ok(())
            }
            Err(failure) => Err(self.explain(failure, after).await),
        };
        if result.is_err() || self.two.is_none() && (self.last || !self.reader.is_persistent()) {
            self.hang_up();
        }
        result
    }

    /// Tells the race of an idle connection from a server that took the request and closed without a word. In a
    /// race the server's end was closed already when the request came, and its system refuses what comes then.
    async fn explain(&mut self, failure: Failure, after: Duration) -> Failure {
        if self.served == 0 || self.first_byte_at.is_some() || self.two.is_some() {
            return failure;
        }
        match failure {
            Failure::Reset if after <= self.doubt() => Failure::ReuseRace,
            Failure::ClosedBeforeAnswer if self.is_refused_soon().await => Failure::ReuseRace,
            other => other,
        }
    }

    fn doubt(&self) -> Duration {
        if self.had_rested { DOUBT.1 } else { self.doubt }
    }

    async fn is_refused_soon(&mut self) -> bool {
        let patience = tokio::time::Instant::now() + self.doubt();
        while let Some(stream) = &self.stream {
            if stream.has_error() {
                return true;
            }
            if tokio::time::Instant::now() >= patience {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        false
    }

    fn hang_up(&mut self) {
        self.stream = None;
        self.two = None;
        self.start = 0;
        self.end = 0;
    }

    /// Sends `request` the way it is to travel, and reads the answer.
    async fn travel(&mut self, request: &Request, answer: &mut Answer) -> Result<(), Failure> {
        let travel = &request.travel;
        if travel.abort == Some(Abort::Connected) {
            return Err(Failure::Aborted);
        }
        let mut head = Vec::with_capacity(512);
        self.door.write_head(request, &mut head);
        if let Some(two) = &mut self.two {
            head.extend_from_slice(request.body.as_deref().unwrap_or_default());
            if let Some(abort) = travel.abort {
                return two.break_off(&head, abort).await.and(Err(Failure::Aborted));
            }
            two.ask(&head)?;
            return self.hear_two(answer).await;
        }
        let pieces = http1::body_pieces(request);
        let half = half(&head, &pieces);
        if travel.chunks.is_none() && travel.pace.is_none() && !travel.await_continue {
            let mut whole = [head, pieces.concat()].concat();
            self.door.write_behind(request, &mut whole);
            return match travel.abort {
                Some(Abort::HalfSent) => self.break_off(&whole[..half], answer).await,
                Some(Abort::Sent | Abort::Connected) => self.break_off(&whole, answer).await,
                None => self.converse(&whole, answer).await,
            };
        }
        self.send_in_pieces(request, &head, &pieces, answer).await
    }

    async fn send_in_pieces(
        &mut self,
        request: &Request,
        head: &[u8],
        pieces: &[Vec<u8>],
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let travel = &request.travel;
        let total = head.len() + pieces.iter().map(Vec::len).sum::<usize>();
        let mut left = if travel.abort == Some(Abort::HalfSent) { half(head, pieces) } else { total };
        let mut going = self.transmit(&head[..head.len().min(left)], answer).await;
        left -= head.len().min(left);
        if travel.await_continue && going.is_ok_and(|going| going) {
            going = self.await_continue(answer).await;
        }
        for piece in pieces {
            if left == 0 || !going? {
                break;
            }
            if let Some(pace) = travel.pace {
                tokio::time::sleep(pace).await;
            }
            going = self.transmit(&piece[..piece.len().min(left)], answer).await;
            left -= piece.len().min(left);
        }
        if travel.pipelined > 0 && travel.abort.is_none() && going.is_ok_and(|going| going) {
            let mut behind = Vec::new();
            self.door.write_behind(request, &mut behind);
            going = self.transmit(&behind, answer).await;
        }
        if travel.abort.is_some() {
            return going.and(Err(Failure::Aborted));
        }
        self.hear(going, answer).await
    }

    async fn break_off(&mut self, bytes: &[u8], answer: &mut Answer) -> Result<(), Failure> {
        self.transmit(bytes, answer).await.and(Err(Failure::Aborted))
    }

    async fn converse(&mut self, bytes: &[u8], answer: &mut Answer) -> Result<(), Failure> {
        let sent = self.transmit(bytes, answer).await;
        self.hear(sent, answer).await
    }

    /// Reads the answer, also after a write that failed: a server may refuse early, say so, and hang up.
    async fn hear(&mut self, sent: Result<bool, Failure>, answer: &mut Answer) -> Result<(), Failure> {
        if self.two.is_some() {
            sent?;
            return self.hear_two(answer).await;
        }
        match sent {
            Ok(true) => self.read_answer(answer).await,
            Ok(false) => {
                self.last = true;
                self.read_answer(answer).await
            }
            Err(Failure::Reset) => {
                self.last = true;
                match self.read_answer(answer).await {
                    Err(Failure::ClosedBeforeAnswer) => Err(Failure::Reset),
                    other => other,
                }
            }
            Err(failure) => Err(failure),
        }
    }

    /// Writes `bytes`; false if an answer came first and writing stopped.
    async fn transmit(&mut self, bytes: &[u8], answer: &mut Answer) -> Result<bool, Failure> {
        let mut written = 0;
        while written < bytes.len() {
            match poll_fn(|cx| self.poll_turn(cx, &bytes[written..])).await? {
                Turn::Wrote(count) => written += count,
                Turn::Read(0) => return Ok(false),
                Turn::Read(_) => {
                    self.digest(answer)?;
                    if self.reader.has_begun() {
                        return Ok(false);
                    }
                }
            }
        }
        let Some(stream) = &mut self.stream else { return Err(Failure::Reset) };
        poll_fn(|cx| stream.poll_flush(cx)).await.map_err(|error| Failure::from_io(&error))?;
        Ok(true)
    }

    /// Writes, and while that must wait, reads: a peer that answers instead of reading must be heard.
    fn poll_turn(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<Turn, Failure>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(Failure::Reset)) };
        match stream.poll_write(cx, bytes) {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(Failure::Reset)),
            Poll::Ready(Ok(count)) => {
                self.moved.sent += count as u64;
                Poll::Ready(Ok(Turn::Wrote(count)))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(Failure::from_io(&error))),
            Poll::Pending => self.poll_fill(cx).map_ok(Turn::Read),
        }
    }

    /// Waits for an interim answer before the body; false if the answer itself came.
    async fn await_continue(&mut self, answer: &mut Answer) -> Result<bool, Failure> {
        let patience = tokio::time::Instant::now() + CONTINUE_PATIENCE;
        while self.reader.informational() == 0 && !self.reader.has_begun() {
            match timeout_at(patience, poll_fn(|cx| self.poll_fill(cx))).await {
                Err(_) => return Ok(true),
                Ok(Ok(0)) => return Ok(false),
                Ok(Ok(_)) => self.digest(answer)?,
                Ok(Err(failure)) => return Err(failure),
            }
        }
        Ok(!self.reader.has_begun())
    }

    async fn read_answer(&mut self, answer: &mut Answer) -> Result<(), Failure> {
        while !self.reader.is_done() {
            match poll_fn(|cx| self.poll_fill(cx)).await? {
                0 => return self.reader.close(),
                _ => self.digest(answer)?,
            }
        }
        Ok(())
    }

    /// The answer of HTTP/2 to what was asked.
    async fn hear_two(&mut self, answer: &mut Answer) -> Result<(), Failure> {
        let body_max = self.door.target.body_max;
        let Connection { two, first_byte_at, .. } = self;
        let Some(two) = two else { return Err(Failure::Reset) };
        *answer = poll_fn(|cx| two.poll_answer(cx, body_max, first_byte_at)).await?;
        first_byte_at.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Hands the reader what was read.
    fn digest(&mut self, answer: &mut Answer) -> Result<(), Failure> {
        let used = self.reader.feed(&self.buffer[self.start..self.end], answer)?;
        self.start += used;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        Ok(())
    }

    /// Reads once into the buffer; 0 is the end of the connection.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Failure>> {
        self.make_space();
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(Failure::Reset)) };
        let count = std::task::ready!(read_from(stream, cx, &mut self.buffer[self.end..], &self.reader))?;
        self.end += count;
        if count > 0 {
            self.moved.received += count as u64;
            self.first_byte_at.get_or_insert_with(Instant::now);
        }
        Poll::Ready(Ok(count))
    }

    /// Space to read into: first what was used up, then twice as much. The reader fails an answer before it
    /// needs more than [`HEAD_MAX`] at once.
    fn make_space(&mut self) {
        if self.end < self.buffer.len() {
            return;
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < HEAD_MAX {
            self.buffer.resize((self.buffer.len() * 2).clamp(BUFFER_START, HEAD_MAX), 0);
        }
    }
}

/// Reads once into `space`; 0 is the end of the connection.
fn read_from(
    stream: &mut Stream,
    cx: &mut Context<'_>,
    space: &mut [u8],
    reader: &Reader,
) -> Poll<Result<usize, Failure>> {
    let mut space = ReadBuf::new(space);
    Poll::Ready(match std::task::ready!(stream.poll_read(cx, &mut space)) {
        Ok(()) => Ok(space.filled().len()),
        // TLS without close_notify: someone in between may have cut the answer off.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            if reader.has_begun() {
                Err(Failure::Tls)
            } else {
                Ok(0)
            }
        }
        Err(error) => Err(Failure::from_io(&error)),
    })
}

/// Where half of a request has been sent: within its body, so that its reader has begun.
fn half(head: &[u8], pieces: &[Vec<u8>]) -> usize {
    match pieces.iter().map(Vec::len).sum::<usize>() {
        0 => head.len() / 2,
        body => head.len() + body / 2,
    }
}
