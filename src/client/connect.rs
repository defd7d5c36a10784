//! Dialing: names, addresses in order, TCP, TLS. Knows nothing of HTTP.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::guard::Guard;
use super::tls::{self, Roots};
use super::{ClientError, Failure, Target};

/// Where connections go.
#[derive(Debug)]
pub(super) struct Dialer {
    host: url::Host<String>,
    port: u16,
    connect_timeout: Duration,
    tls: Option<Secure>,
}

#[derive(Debug)]
struct Secure {
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl Dialer {
    pub(super) fn new(target: &Target, roots: Roots<'_>) -> Result<Dialer, ClientError> {
        let unusable = || ClientError::Address(target.url.to_string());
        let host = target.url.host().ok_or_else(unusable)?.to_owned();
        let port = target.url.port_or_known_default().ok_or_else(unusable)?;
        let tls = match target.url.scheme() {
            "http" => None,
            "https" => Some(Secure {
                name: server_name(&host).ok_or_else(unusable)?,
                config: tls::configure(roots)?,
            }),
            _ => return Err(unusable()),
        };
        Ok(Dialer { host, port, connect_timeout: target.connect_timeout, tls })
    }

    /// A new connection, if the guard lets it go there, and how long its first round trip took.
    pub(super) async fn dial(&self, guard: &Guard) -> Result<(Stream, Duration), Failure> {
        let deadline = Instant::now() + self.connect_timeout;
        let (tcp, round_trip) = self.dial_until(deadline, guard, self.port).await?;
        let stream = match &self.tls {
            None => Stream::Plain(tcp),
            Some(secure) => match timeout_at(deadline, secure.shake_hands(tcp)).await {
                Ok(stream) => stream?,
                Err(_) => return Err(Failure::ConnectTimeout),
            },
        };
        Ok((stream, round_trip))
    }

    /// A new connection to another port of the same host, without TLS, if the guard lets it go there.
    pub(super) async fn dial_clear(
        &self,
        guard: &Guard,
        port: u16,
    ) -> Result<(TcpStream, Duration), Failure> {
        self.dial_until(Instant::now() + self.connect_timeout, guard, port).await
    }

    async fn dial_until(
        &self,
        deadline: Instant,
        guard: &Guard,
        port: u16,
    ) -> Result<(TcpStream, Duration), Failure> {
        let addresses = match timeout_at(deadline, self.resolve()).await {
            Ok(resolved) => resolved?,
            Err(_) => return Err(Failure::Dns),
        };
        let host = self.host.to_string();
        let listed = |address: &SocketAddr| guard.allows(&host, address.ip(), port);
        let allowed: Vec<SocketAddr> =
            addresses.into_iter().map(|address| SocketAddr::new(address.ip(), port)).filter(listed).collect();
        let (tcp, round_trip) = connect_in_order(&allowed, deadline).await?;
        // Requests are small and written whole: waiting for more to say only adds to the measurement.
        tcp.set_nodelay(true).map_err(|error| Failure::from_io(&error))?;
        Ok((tcp, round_trip))
    }

    async fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        let name = match &self.host {
            url::Host::Ipv4(ip) => return Ok(vec![SocketAddr::new(IpAddr::V4(*ip), self.port)]),
            url::Host::Ipv6(ip) => return Ok(vec![SocketAddr::new(IpAddr::V6(*ip), self.port)]),
            url::Host::Domain(name) => name.as_str(),
        };
        let found =
            tokio::net::lookup_host((name, self.port)).await.map_err(|error| {
                match Failure::from_io(&error) {
                    Failure::LocalFiles => Failure::LocalFiles,
                    _ => Failure::Dns,
                }
            })?;
        let addresses: Vec<SocketAddr> = found.collect();
        if addresses.is_empty() { Err(Failure::Dns) } else { Ok(addresses) }
    }
}

fn server_name(host: &url::Host<String>) -> Option<ServerName<'static>> {
    match host {
        url::Host::Domain(name) => ServerName::try_from(name.clone()).ok(),
        url::Host::Ipv4(ip) => Some(ServerName::from(IpAddr::V4(*ip))),
        url::Host::Ipv6(ip) => Some(ServerName::from(IpAddr::V6(*ip))),
    }
}

/// The first address that answers. Each gets a fair share of the time that is left, so that a silent first
/// one does not hide a good second one.
async fn connect_in_order(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<(TcpStream, Duration), Failure> {
    let mut failure = Failure::Guarded;
    for (at, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let waiting = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(now) / waiting;
        failure = match timeout_at(now + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, now.elapsed())),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::TimedOut => Failure::ConnectTimeout,
            Ok(Err(error)) => Failure::from_io(&error),
            Err(_) => Failure::ConnectTimeout,
        };
    }
    Err(failure)
}

impl Secure {
    async fn shake_hands(&self, tcp: TcpStream) -> Result<Stream, Failure> {
        let connector = TlsConnector::from(self.config.clone());
        match connector.connect(self.name.clone(), tcp).await {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            // An end in the middle of a handshake is TLS's own matter.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(Failure::Tls),
            Err(error) => Err(Failure::from_io(&error)),
        }
    }
}

/// Bytes both ways.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
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
            Stream::Tls(stream) => stream.get_ref().0,
        }
    }

    /// What could be read now, of one byte, by what the runtime saw when it last looked: nobody is woken later.
    pub(super) fn look(&mut self) -> Poll<std::io::Result<usize>> {
        let mut space = [0; 1];
        match self {
            Stream::Plain(stream) => match stream.try_read(&mut space) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Poll::Pending,
                read => Poll::Ready(read),
            },
            Stream::Tls(stream) => {
                let mut space = ReadBuf::new(&mut space);
                let read = Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut space);
                read.map_ok(|()| space.filled().len())
            }
        }
    }

    /// Writes what goes at once, by what the runtime saw when it last looked: nobody is woken later. How much that
    /// was, and whether all of it is with the system.
    pub(super) fn write_now(&mut self, bytes: &[u8]) -> Poll<std::io::Result<(usize, bool)>> {
        match self {
            Stream::Plain(stream) => match stream.try_write(bytes) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Poll::Pending,
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
    ) -> Poll<std::io::Result<()>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, space),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, space),
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self {
            // TCP has nothing to flush.
            Stream::Plain(_) => Poll::Ready(Ok(())),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }
}
