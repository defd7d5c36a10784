//! Dialing: names, addresses in order, a proxy, TCP, TLS. Knows nothing of HTTP but which version is agreed to.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::suite::transport::{Address, Family, Http};

use super::certificate::Agreed;
use super::guard::Guard;
use super::stream::{Secured, Stream};
use super::transport::{Kind, Proxy, Transport};
use super::trouble::{self, Trouble};
use super::tunnel::{self, End};
use super::{ClientError, Failure, Target, hello, tls};

/// Where connections go, and on what way.
#[derive(Debug)]
pub(super) struct Dialer {
    host: url::Host<String>,
    port: u16,
    connect_timeout: Duration,
    tls: Option<Secure>,
    http: Http,
    addresses: Vec<Address>,
    proxy: Option<Proxy>,
    bind: Option<IpAddr>,
    family: Option<Family>,
    trouble: Arc<Trouble>,
    /// Whether the server was asked already what it would choose of what is not spoken here.
    asked_for_suites: AtomicBool,
    /// What the first handshake came to.
    agreed: OnceLock<Agreed>,
}

#[derive(Debug)]
struct Secure {
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

/// How long each phase of opening a connection took; `None` where there was no such phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Until the name was resolved.
    pub dns: Option<Duration>,
    /// Until TCP was there.
    pub connect: Duration,
    /// Until the proxy had opened the way.
    pub proxy: Option<Duration>,
    /// Until TLS was agreed to.
    pub tls: Option<Duration>,
}

/// A connection without HTTP.
#[derive(Debug)]
pub(super) struct Dialed {
    pub(super) stream: Stream,
    pub(super) opening: Opening,
}

impl Opening {
    /// How long a round trip to the other end takes, from what opening took.
    pub(super) fn round_trip(&self) -> Duration {
        self.connect + self.proxy.unwrap_or_default()
    }
}

impl Dialer {
    pub(super) fn new(target: &Target, transport: Transport) -> Result<Dialer, ClientError> {
        let unusable = || ClientError::Address(target.url.to_string());
        let host = target.url.host().ok_or_else(unusable)?.to_owned();
        let port = target.url.port_or_known_default().ok_or_else(unusable)?;
        let named = |name: &String| ServerName::try_from(name.clone()).ok();
        let tls = match target.url.scheme() {
            "http" => None,
            "https" => Some(Secure {
                name: transport
                    .name
                    .as_ref()
                    .map_or_else(|| server_name(&host), named)
                    .ok_or_else(unusable)?,
                config: tls::configure(&transport)?,
            }),
            _ => return Err(unusable()),
        };
        let Transport { http, addresses, proxy, bind, family, .. } = transport;
        let (connect_timeout, trouble) = (target.connect_timeout, Arc::default());
        let asked_for_suites = AtomicBool::new(false);
        Ok(Dialer {
            host,
            port,
            connect_timeout,
            tls,
            http,
            addresses,
            proxy,
            bind,
            family,
            trouble,
            asked_for_suites,
            agreed: OnceLock::new(),
        })
    }

    /// The version of HTTP that connections speak.
    pub(super) fn http(&self) -> Http {
        self.http
    }

    /// The last trouble beneath HTTP, in words.
    pub(super) fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// What was agreed on in TLS, once a connection was made.
    pub(super) fn agreed(&self) -> Option<&Agreed> {
        self.agreed.get()
    }

    /// A new connection, if the guard lets it go there.
    pub(super) async fn dial(&self, guard: &Guard) -> Result<Dialed, Failure> {
        let deadline = Instant::now() + self.connect_timeout;
        let (tcp, mut opening) = self.reach(deadline, guard, self.port).await?;
        let stream = match &self.tls {
            None => Stream::Plain(tcp),
            Some(secure) => {
                let began = Instant::now();
                let shaken = timeout_at(deadline, self.shake_hands(secure, tcp)).await;
                let stream = match shaken.unwrap_or(Err(Unshaken::by(Failure::ConnectTimeout))) {
                    Ok(stream) => stream,
                    Err(Unshaken { failure, may_be_no_suite }) => {
                        if may_be_no_suite && !self.asked_for_suites.swap(true, Ordering::Relaxed) {
                            self.ask_for_suites(secure, deadline, guard).await;
                        }
                        return Err(failure);
                    }
                };
                opening.tls = Some(began.elapsed());
                stream
            }
        };
        Ok(Dialed { stream, opening })
    }

    /// A new connection to another port of the same host, without TLS, if the guard lets it go there.
    pub(super) async fn dial_clear(&self, guard: &Guard, port: u16) -> Result<(TcpStream, Opening), Failure> {
        self.reach(Instant::now() + self.connect_timeout, guard, port).await
    }

    /// TCP to the target, perhaps through a proxy.
    async fn reach(
        &self,
        deadline: Instant,
        guard: &Guard,
        port: u16,
    ) -> Result<(TcpStream, Opening), Failure> {
        let (tcp, opening) = match &self.proxy {
            None => {
                let began = Instant::now();
                let allowed = self.allowed(deadline, guard, port).await?;
                let dns = self.asks_a_name().then(|| began.elapsed());
                let (tcp, connect) = self.connect_in_order(&allowed, deadline).await?;
                (tcp, Opening { dns, connect, ..Opening::default() })
            }
            Some(proxy) => self.reach_through(proxy, deadline, guard, port).await?,
        };
        // Requests are small and written whole: waiting for more to say only adds to the measurement.
        tcp.set_nodelay(true).map_err(|error| Failure::from_io(&error))?;
        Ok((tcp, opening))
    }

    /// A tunnel to the target. The guard is asked for the target; the proxy is the suite's own word.
    async fn reach_through(
        &self,
        proxy: &Proxy,
        deadline: Instant,
        guard: &Guard,
        port: u16,
    ) -> Result<(TcpStream, Opening), Failure> {
        let began = Instant::now();
        let resolves_here = proxy.kind == Kind::Socks || !self.addresses.is_empty();
        let end = match &self.host {
            url::Host::Domain(name) if !resolves_here => {
                if !guard.allows_name(name, port) {
                    return Err(Failure::Guarded);
                }
                End::Named(name.clone(), port)
            }
            _ => match self.allowed(deadline, guard, port).await?.first() {
                Some(address) => End::At(*address),
                None => return Err(Failure::Guarded),
            },
        };
        let at_proxy = timeout_at(deadline, resolve(&proxy.host, proxy.port));
        let at_proxy = at_proxy.await.unwrap_or(Err(Failure::Dns))?;
        let dns = began.elapsed();
        let (mut tcp, connect) = self.connect_in_order(&at_proxy, deadline).await.map_err(|failure| {
            self.trouble.note(format!("the proxy cannot be reached: {}", failure.word()));
            if failure == Failure::LocalFiles || failure == Failure::LocalPorts {
                failure
            } else {
                Failure::Proxy
            }
        })?;
        let asked = Instant::now();
        let opened = timeout_at(deadline, tunnel::open(proxy, &mut tcp, &end, &self.trouble)).await;
        opened.unwrap_or_else(|_| {
            self.trouble.note("the proxy opened no way in time".to_owned());
            Err(Failure::Proxy)
        })?;
        let opening = Opening { dns: Some(dns), connect, proxy: Some(asked.elapsed()), tls: None };
        Ok((tcp, opening))
    }

    /// Whether a name is asked for at all.
    fn asks_a_name(&self) -> bool {
        self.addresses.is_empty() && matches!(self.host, url::Host::Domain(_))
    }

    /// Where the target is, as far as the guard lets anything go there.
    async fn allowed(&self, deadline: Instant, guard: &Guard, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let found = match self.pinned(port) {
            Some(pinned) => pinned,
            None => match timeout_at(deadline, resolve(&self.host, port)).await {
                Ok(resolved) => resolved?,
                Err(_) => return Err(Failure::Dns),
            },
        };
        let fits = |address: &&SocketAddr| self.family.is_none_or(|family| family.has(address.ip()));
        let of_family: Vec<&SocketAddr> = found.iter().filter(fits).collect();
        if of_family.is_empty() && !found.is_empty() {
            self.trouble.note("the host has no address of the family that `ip` names".to_owned());
            return Err(Failure::Unreachable);
        }
        let host = self.host.to_string();
        let listed = |address: &&SocketAddr| guard.allows(&host, address.ip(), address.port());
        Ok(of_family.into_iter().filter(listed).copied().collect())
    }

    /// The addresses that the suite names. A port of their own stands for the target's, and for no other.
    fn pinned(&self, port: u16) -> Option<Vec<SocketAddr>> {
        let own = |address: &Address| address.port.filter(|_| port == self.port).unwrap_or(port);
        let pinned = self.addresses.iter().map(|address| SocketAddr::new(address.ip, own(address)));
        (!self.addresses.is_empty()).then(|| pinned.collect())
    }

    /// The first address that answers. Each gets a fair share of the time that is left, so that a silent first
    /// one does not hide a good second one.
    async fn connect_in_order(
        &self,
        addresses: &[SocketAddr],
        deadline: Instant,
    ) -> Result<(TcpStream, Duration), Failure> {
        let mut failure = Failure::Guarded;
        for (at, address) in addresses.iter().enumerate() {
            let now = Instant::now();
            let waiting = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
            let share = deadline.saturating_duration_since(now) / waiting;
            failure = match timeout_at(now + share, self.connect_to(*address)).await {
                Ok(Ok(stream)) => return Ok((stream, now.elapsed())),
                Ok(Err(error)) if error.kind() == std::io::ErrorKind::TimedOut => Failure::ConnectTimeout,
                Ok(Err(error)) => Failure::from_io(&error),
                Err(_) => Failure::ConnectTimeout,
            };
        }
        Err(failure)
    }

    async fn connect_to(&self, address: SocketAddr) -> std::io::Result<TcpStream> {
        let Some(own) = self.bind else { return TcpStream::connect(address).await };
        let socket = if own.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Err(error) = socket.bind(SocketAddr::new(own, 0)) {
            self.trouble.note(format!("this machine cannot send from {own}, which `bind` names"));
            return Err(error);
        }
        socket.connect(address).await
    }

    /// Asks once, on a connection of its own, which suite the server would choose of those that are not spoken here.
    async fn ask_for_suites(&self, secure: &Secure, deadline: Instant, guard: &Guard) {
        let Ok((mut tcp, _)) = self.reach(deadline, guard, self.port).await else { return };
        let name = match &secure.name {
            ServerName::DnsName(name) => Some(name.as_ref()),
            _ => None,
        };
        if let Some(choice) = hello::ask(&mut tcp, name).await {
            self.trouble.note(choice.sentence());
        }
    }

    async fn shake_hands(&self, secure: &Secure, tcp: TcpStream) -> Result<Stream, Unshaken> {
        let connector = TlsConnector::from(secure.config.clone());
        match connector.connect(secure.name.clone(), tcp).await {
            Ok(stream) => {
                let connection = stream.get_ref().1;
                self.agreed.get_or_init(|| Agreed::of(connection));
                let agreed = connection.alpn_protocol() == Some(b"h2");
                if self.http == Http::Two && !agreed {
                    self.trouble.note(trouble::no_protocol());
                    return Err(Unshaken::by(Failure::NoHttp2));
                }
                let trouble = Arc::clone(&self.trouble);
                Ok(Stream::Tls(Box::new(Secured::new(stream, trouble))))
            }
            Err(error) => {
                self.trouble.note_io(&error);
                let failure = match Failure::from_io(&error) {
                    // An end in the middle of a handshake is TLS's own matter.
                    _ if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                        self.trouble.note("the server hung up in the middle of the TLS handshake".to_owned());
                        Failure::Tls
                    }
                    Failure::Tls if self.http == Http::Two && trouble::is_about_protocol(&error) => {
                        Failure::NoHttp2
                    }
                    failure => failure,
                };
                Err(Unshaken { failure, may_be_no_suite: trouble::may_be_no_suite(&error) })
            }
        }
    }
}

/// A handshake that came to nothing.
struct Unshaken {
    failure: Failure,
    may_be_no_suite: bool,
}

impl Unshaken {
    fn by(failure: Failure) -> Unshaken {
        Unshaken { failure, may_be_no_suite: false }
    }
}

async fn resolve(host: &url::Host<String>, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let name = match host {
        url::Host::Ipv4(ip) => return Ok(vec![SocketAddr::new(IpAddr::V4(*ip), port)]),
        url::Host::Ipv6(ip) => return Ok(vec![SocketAddr::new(IpAddr::V6(*ip), port)]),
        url::Host::Domain(name) => name.as_str(),
    };
    let found =
        tokio::net::lookup_host((name, port)).await.map_err(|error| match Failure::from_io(&error) {
            Failure::LocalFiles => Failure::LocalFiles,
            _ => Failure::Dns,
        })?;
    let addresses: Vec<SocketAddr> = found.collect();
    if addresses.is_empty() { Err(Failure::Dns) } else { Ok(addresses) }
}

fn server_name(host: &url::Host<String>) -> Option<ServerName<'static>> {
    match host {
        url::Host::Domain(name) => ServerName::try_from(name.clone()).ok(),
        url::Host::Ipv4(ip) => Some(ServerName::from(IpAddr::V4(*ip))),
        url::Host::Ipv6(ip) => Some(ServerName::from(IpAddr::V6(*ip))),
    }
}
