//! The gate between hyper and the socket: it counts, sees whether the other side speaks HTTP/2 at all, and can keep
//! what is written until somebody lets it out.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::client::Failure;
use crate::client::stream::Stream;
use crate::client::wire::Moved;

/// Length, kind, flags and stream of a frame.
const FRAME_HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Shared by hyper's connection and whoever asks on it.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Mutex<Gated>>);

#[derive(Debug)]
struct Gated {
    stream: Stream,
    /// What is written is kept.
    closed: bool,
    kept: Vec<u8>,
    moved: Moved,
    /// The head of the first frame that came.
    greeting: Vec<u8>,
    /// The other side has ended it.
    ended: bool,
    /// Who waits for news of any of these.
    waiting: Option<Waker>,
}

impl Gate {
    pub(super) fn new(stream: Stream) -> Gate {
        Gate(Arc::new(Mutex::new(Gated {
            stream,
            closed: false,
            kept: Vec::new(),
            moved: Moved::default(),
            greeting: Vec::with_capacity(FRAME_HEAD),
            ended: false,
            waiting: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Gated> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the first frame: settings, from whoever speaks HTTP/2.
    pub(super) async fn greeted(&self) -> bool {
        poll_fn(|cx| {
            let mut gated = self.lock();
            if gated.greeting.len() == FRAME_HEAD {
                return Poll::Ready(gated.greeting[3] == SETTINGS);
            }
            if gated.ended {
                return Poll::Ready(false);
            }
            gated.waiting = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// Keeps what is written from now on.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    /// Waits until a whole request is kept.
    pub(super) async fn request_is_here(&self) -> Result<(), Failure> {
        poll_fn(|cx| {
            let mut gated = self.lock();
            if holds_request(&gated.kept) {
                return Poll::Ready(Ok(()));
            }
            if gated.ended {
                return Poll::Ready(Err(Failure::ReuseRace));
            }
            gated.waiting = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Lets out so many bytes of what is kept, and keeps the rest.
    pub(super) async fn let_out(&self, how_many: impl FnOnce(usize) -> usize) -> Result<(), Failure> {
        let mut left = {
            let gated = self.lock();
            how_many(gated.kept.len()).min(gated.kept.len())
        };
        poll_fn(|cx| self.lock().poll_let_out(cx, &mut left)).await.map_err(|error| Failure::from_io(&error))
    }

    /// Lets out all that is kept, and what comes from now on.
    pub(super) async fn open(&self) -> Result<(), Failure> {
        poll_fn(|cx| {
            let mut gated = self.lock();
            gated.closed = false;
            let mut left = gated.kept.len();
            gated.poll_let_out(cx, &mut left)
        })
        .await
        .map_err(|error| Failure::from_io(&error))
    }

    /// The same as far as it goes at once, on any thread. Whether that was all.
    pub(super) fn release(&self) -> bool {
        let mut gated = self.lock();
        let mut context = Context::from_waker(Waker::noop());
        let mut left = gated.kept.len();
        let out = matches!(gated.poll_let_out(&mut context, &mut left), Poll::Ready(Ok(())));
        gated.closed = !out;
        out
    }

    pub(super) fn take_moved(&self) -> Moved {
        std::mem::take(&mut self.lock().moved)
    }

    pub(super) fn cloned_socket(&self) -> Option<OwnedFd> {
        self.lock().stream.socket().as_fd().try_clone_to_owned().ok()
    }
}

impl Gated {
    fn poll_let_out(&mut self, cx: &mut Context<'_>, left: &mut usize) -> Poll<io::Result<()>> {
        while *left > 0 {
            let Gated { stream, kept, moved, .. } = self;
            let written = ready!(stream.poll_write(cx, &kept[..*left]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            kept.drain(..written);
            moved.sent += written as u64;
            *left -= written;
        }
        self.stream.poll_flush(cx)
    }

    fn note(&mut self, read: &[u8]) {
        self.moved.received += read.len() as u64;
        let missing = FRAME_HEAD - self.greeting.len();
        if missing > 0 {
            self.greeting.extend_from_slice(&read[..missing.min(read.len())]);
            self.wake();
        }
    }

    fn wake(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
    }
}

/// Whether these frames end a request.
fn holds_request(mut frames: &[u8]) -> bool {
    let mut ends = false;
    while let Some((head, rest)) = frames.split_at_checked(FRAME_HEAD) {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        if rest.len() < length {
            return false;
        }
        let (kind, flags) = (head[3], head[4]);
        ends |= matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        let whole = match kind {
            HEADERS | CONTINUATION => flags & END_HEADERS != 0,
            _ => kind == DATA,
        };
        if ends && whole {
            return true;
        }
        frames = &rest[length..];
    }
    false
}

impl AsyncRead for Gate {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut gated = self.lock();
        let before = into.filled().len();
        let read = ready!(gated.stream.poll_read(cx, into));
        let news = &into.filled()[before..];
        if news.is_empty() {
            gated.ended = true;
            gated.wake();
        } else {
            gated.note(news);
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Gate {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut gated = self.lock();
        if gated.closed {
            gated.kept.extend_from_slice(bytes);
            gated.wake();
            return Poll::Ready(Ok(bytes.len()));
        }
        let mut left = gated.kept.len();
        if left > 0 {
            ready!(gated.poll_let_out(cx, &mut left))?;
        }
        let written = ready!(gated.stream.poll_write(cx, bytes))?;
        gated.moved.sent += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut gated = self.lock();
        if gated.closed { Poll::Ready(Ok(())) } else { gated.stream.poll_flush(cx) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The socket is closed when the last who holds the gate lets go of it.
        self.lock().stream.poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.extend(std::iter::repeat_n(0xA5, usize::from(length)));
        frame
    }

    #[test]
    fn a_request_is_here_when_its_last_frame_is_whole() {
        let head = frame(HEADERS, END_HEADERS, 5);
        let whole = [frame(SETTINGS, 1, 0), head.clone(), frame(DATA, END_STREAM, 7)].concat();
        assert!(holds_request(&whole));
        assert!(!holds_request(&whole[..whole.len() - 1]));
        assert!(!holds_request(&head));
        assert!(holds_request(&frame(HEADERS, END_HEADERS | END_STREAM, 5)));
        let long = [frame(HEADERS, END_STREAM, 5), frame(CONTINUATION, END_HEADERS, 5)].concat();
        assert!(holds_request(&long));
        assert!(!holds_request(&frame(HEADERS, END_STREAM, 5)));
    }
}
