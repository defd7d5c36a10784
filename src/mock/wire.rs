//! How answers travel: whole or in pieces, with the interim answers or without them.
//!
//! Stands between hyper and the socket, and between the answer and hyper.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes of a segment where answers are split.
const SEGMENT: usize = 23;

/// What hyper writes where a client waits to be told to go on.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Answered {
    left: Bytes,
    /// Length of the pieces; whole where it is nothing.
    chunk: Option<usize>,
}

impl Answered {
    /// A body whose length is told.
    pub fn whole(bytes: Vec<u8>) -> Answered {
        Answered { left: Bytes::from(bytes), chunk: None }
    }

    /// The same in three chunks; its length is not told.
    pub fn in_chunks(self) -> Answered {
        let chunk = self.left.len().div_ceil(3).max(1);
        Answered { chunk: Some(chunk), ..self }
    }
}

impl Body for Answered {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.chunk.unwrap_or(usize::MAX).min(self.left.len());
        let piece = self.left.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.chunk.is_none() && self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.chunk {
            None => SizeHint::with_exact(self.left.len() as u64),
            Some(_) => SizeHint::default(),
        }
    }
}

/// A socket, and what is done to what is written to it.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    /// Every write is a segment of its own, and short.
    pub splits: bool,
    /// A client that waits for `100 Continue` waits in vain.
    pub swallows_continue: bool,
    /// Whether a length beside chunks is overlooked.
    pub hides_length: bool,
}

impl Wire {
    /// Whatever is written goes out as it is.
    pub fn of(stream: TcpStream) -> Wire {
        Wire { stream, splits: false, swallows_continue: false, hides_length: false }
    }
}

/// Renames the length of a request that has chunks as well, so that nobody sees the two of them.
fn hide_length(bytes: &mut [u8]) {
    const LENGTH: &[u8] = b"\r\nContent-Length:";
    let find = |piece: &[u8]| bytes.windows(piece.len()).position(|window| window == piece);
    if let (Some(at), Some(_)) = (find(LENGTH), find(b"\r\nTransfer-Encoding:")) {
        bytes[at + 2] = b'X';
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, into));
        if self.hides_length {
            hide_length(&mut into.filled_mut()[before..]);
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.swallows_continue && bytes.starts_with(CONTINUE) {
            return Poll::Ready(Ok(CONTINUE.len()));
        }
        let length = if self.splits { bytes.len().min(SEGMENT) } else { bytes.len() };
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, &bytes[..length]));
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
