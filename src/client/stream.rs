//! Bytes both ways, in the clear or in TLS.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::trouble::Trouble;

/// TLS, and where its troubles go.
#[derive(Debug)]
pub(super) struct Secured {
    stream: TlsStream<TcpStream>,
    trouble: Arc<Trouble>,
}

impl Secured {
    pub(super) fn new(stream: TlsStream<TcpStream>, trouble: Arc<Trouble>) -> Secured {
        Secured { stream, trouble }
    }

    /// A server may say only after the handshake that it wants no more of it.
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| self.trouble.note_io(error))
    }
}

/// Bytes both ways.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<Secured>),
}

impl Stream {
    /// Whether the system reports an error that nobody has seen yet, such as a reset after the end.
    pub(super) fn has_error(&self) -> bool {
        !matches!(self.socket().take_error(), Ok(None))
    }

    /// The socket, for whoever asks the system about several at once.
    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(secured) => secured.stream.get_ref().0,
        }
    }

    /// What could be read now, of one byte, by what the runtime saw when it last looked: nobody is woken later.
    pub(super) fn look(&mut self) -> Poll<io::Result<usize>> {
        let mut space = [0; 1];
        match self {
            Stream::Plain(stream) => match stream.try_read(&mut space) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                read => Poll::Ready(read),
            },
            Stream::Tls(secured) => {
                let mut space = ReadBuf::new(&mut space);
                let mut context = Context::from_waker(Waker::noop());
                let read = Pin::new(&mut secured.stream).poll_read(&mut context, &mut space);
                read.map_ok(|()| space.filled().len())
            }
        }
    }

    /// Writes what goes at once, by what the runtime saw when it last looked: nobody is woken later. How much that
    /// was, and whether all of it is with the system.
    pub(super) fn write_now(&mut self, bytes: &[u8]) -> Poll<io::Result<(usize, bool)>> {
        match self {
            Stream::Plain(stream) => match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                written => Poll::Ready(written.map(|count| (count, true))),
            },
            Stream::Tls(_) => {
                let mut context = Context::from_waker(Waker::noop());
                let written = std::task::ready!(self.poll_write(&mut context, bytes))?;
                Poll::Ready(Ok((written, self.poll_flush(&mut context)?.is_ready())))
            }
        }
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, space),
            Stream::Tls(secured) => {
                let read = std::task::ready!(Pin::new(&mut secured.stream).poll_read(cx, space));
                Poll::Ready(secured.noted(read))
            }
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(secured) => Pin::new(&mut secured.stream).poll_write(cx, bytes),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // TCP has nothing to flush.
            Stream::Plain(_) => Poll::Ready(Ok(())),
            Stream::Tls(secured) => Pin::new(&mut secured.stream).poll_flush(cx),
        }
    }
}
