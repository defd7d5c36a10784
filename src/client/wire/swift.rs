//! The exchange under load: the same rules as every exchange, and nothing that a plain one does not need.
//!
//! A request goes out in one write, and the answer is read where it lies, in a space that all connections of a
//! worker share. Only what is not plain, or not whole, is kept and handed to the full reader. There is no timer:
//! a [`Watch`] says when an exchange began, and whoever looks at the watches now and then calls it off.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use zeroize::Zeroizing;

use crate::client::{Answer, Failure, Glimpse, http1};

use super::{Connection, read_from};

/// How far a request got in its first write.
#[derive(Debug)]
pub enum Launched {
    /// All of it is with the system.
    Whole,
    /// This is left, or has to be flushed.
    Partly(Rest),
    /// The write failed; an answer may still be there.
    Broken(Failure),
}

/// What is left of a request.
pub struct Rest(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Rest {
    /// How long, never what: it may carry tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rest({} bytes)", self.0.len())
    }
}

/// What came of the first look at an answer.
#[derive(Debug)]
pub enum Heard<T> {
    /// What was made of it, and when it was there.
    Read(T, Instant),
    /// It is for the full reader: [`Connection::hear_rest`].
    Unread,
}

impl Connection {
    /// Waits until the guard lets another request out.
    pub async fn turn(&self) -> Result<(), Failure> {
        self.door.guard.turn().await
    }

    /// Begins an exchange `now`: writes as much of `bytes` (a whole request, head and body) as goes at once. What fails
    /// here failed before its first byte.
    pub fn launch(&mut self, bytes: &[u8], now: Instant) -> Result<Launched, Failure> {
        self.begin(bytes.starts_with(b"HEAD "), now)?;
        self.last = false;
        let Some(stream) = &mut self.stream else { return self.launch_two(bytes) };
        Ok(match stream.write_now(bytes) {
            Poll::Ready(Ok((count, true))) if count == bytes.len() => {
                self.moved.sent += count as u64;
                Launched::Whole
            }
            Poll::Ready(Ok((0, _))) => Launched::Broken(Failure::Reset),
            Poll::Ready(Ok((count, _))) => {
                self.moved.sent += count as u64;
                Launched::Partly(Rest(Zeroizing::new(bytes[count..].to_vec())))
            }
            Poll::Pending => Launched::Partly(Rest(Zeroizing::new(bytes.to_vec()))),
            Poll::Ready(Err(error)) => Launched::Broken(Failure::from_io(&error)),
        })
    }

    /// Waits for the answer to a request that was launched whole, and lets `read` look at it in `space` if it is plain
    /// and all there. Once.
    pub fn poll_glimpse<T>(
        &mut self,
        cx: &mut Context<'_>,
        space: &mut [u8],
        read: impl FnOnce(Glimpse<'_>) -> Option<T>,
    ) -> Poll<Heard<T>> {
        let Some(stream) = &mut self.stream else { return self.poll_glimpse_two(cx, read) };
        let count = match std::task::ready!(read_from(stream, cx, space, &self.reader)) {
            Ok(count) if count > 0 => count,
            fallen => {
                self.fallen = fallen.and_then(|_| self.reader.close()).err();
                return Poll::Ready(Heard::Unread);
            }
        };
        let done_at = Instant::now();
        self.moved.received += count as u64;
        let bytes = &space[..count];
        let glimpse = if self.reader.is_bodiless() { None } else { http1::glimpse(bytes, self.body_max()) };
        if let Some(made) = glimpse.and_then(read) {
            self.busy = false;
            self.idle_since = done_at;
            self.served += 1;
            return Poll::Ready(Heard::Read(made, done_at));
        }
        self.first_byte_at.get_or_insert(done_at);
        self.keep(bytes);
        Poll::Ready(Heard::Unread)
    }

    fn launch_two(&mut self, bytes: &[u8]) -> Result<Launched, Failure> {
        let asked = self.two.as_mut().map_or(Err(Failure::Reset), |two| two.ask(bytes));
        self.busy &= asked.is_ok();
        asked.map(|()| Launched::Whole)
    }

    /// An answer of HTTP/2 is always whole, and its framing plain.
    fn poll_glimpse_two<T>(
        &mut self,
        cx: &mut Context<'_>,
        read: impl FnOnce(Glimpse<'_>) -> Option<T>,
    ) -> Poll<Heard<T>> {
        let body_max = self.body_max();
        let Connection { two, first_byte_at, .. } = self;
        let Some(two) = two else { return Poll::Ready(Heard::Unread) };
        let answer = match std::task::ready!(two.poll_answer(cx, body_max, first_byte_at)) {
            Ok(answer) => answer,
            Err(failure) => {
                self.fallen = Some(failure);
                return Poll::Ready(Heard::Unread);
            }
        };
        let done_at = Instant::now();
        if let Some(made) = read(answer.glimpse()) {
            self.busy = false;
            self.served += 1;
            return Poll::Ready(Heard::Read(made, done_at));
        }
        self.unread = Some(Box::new(answer));
        Poll::Ready(Heard::Unread)
    }

    /// Reads the answer of a launched exchange with the full reader, from what was kept on.
    pub async fn hear_rest(&mut self, launched: Launched, answer: &mut Answer) -> Result<(), Failure> {
        let sent = match launched {
            Launched::Whole => Ok(true),
            Launched::Partly(rest) => self.transmit(&rest.0, answer).await,
            Launched::Broken(failure) => Err(failure),
        };
        if let Some(failure) = self.fallen.take() {
            return Err(failure);
        }
        if let Some(unread) = self.unread.take() {
            *answer = *unread;
            return Ok(());
        }
        self.digest(answer)?;
        self.hear(sent, answer).await
    }

    fn body_max(&self) -> usize {
        self.door.target.body_max
    }

    /// Keeps what was read for the full reader.
    fn keep(&mut self, bytes: &[u8]) {
        if self.buffer.len() < self.end + bytes.len() {
            self.buffer.resize(self.end + bytes.len(), 0);
        }
        self.buffer[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }
}

/// One exchange at a time, as whoever looks after time-outs sees it.
#[derive(Debug, Default)]
pub struct Watch {
    began: Cell<Option<Instant>>,
    overdue: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Watch {
    /// An exchange has begun.
    pub fn begin(&self, at: Instant) {
        self.began.set(Some(at));
        self.overdue.set(false);
    }

    /// It has ended.
    pub fn end(&self) {
        self.began.set(None);
    }

    /// Calls off an exchange that began before `moment`.
    pub fn call_off(&self, moment: Instant) {
        if self.began.get().is_some_and(|began| began < moment) && !self.overdue.replace(true) {
            self.waker.borrow().iter().for_each(Waker::wake_by_ref);
        }
    }

    /// Ready once the exchange was called off.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.overdue.get() {
            return Poll::Ready(());
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|own| own.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// What comes of `exchange`, unless it is called off before.
    pub async fn over<T>(&self, exchange: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let mut exchange = pin!(exchange);
        std::future::poll_fn(|cx| match exchange.as_mut().poll(cx) {
            Poll::Pending => self.poll(cx).map(|()| Err(Failure::ResponseTimeout)),
            ready @ Poll::Ready(_) => ready,
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn is_called_off(watch: &Watch) -> bool {
        watch.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn only_what_began_before_the_moment_is_called_off() {
        let watch = Watch::default();
        let (began, later) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        watch.call_off(later);
        assert!(!is_called_off(&watch), "nothing has begun");
        watch.begin(began);
        watch.call_off(began);
        assert!(!is_called_off(&watch));
        watch.call_off(later);
        assert!(is_called_off(&watch));
        watch.end();
        watch.begin(later);
        assert!(!is_called_off(&watch), "the next one has all its time");
    }
}
