//! The way to an endpoint, over real sockets: whom to trust, what to show of oneself, which address, through what.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use assay::client::guard::Guard;
use assay::client::transport::{Identity, Proxy, Transport};
use assay::client::{Client, ClientError, Failure, Request, Target, Travel};
use assay::suite::transport::{Address, Family, Tls};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// An authority of this test, and what it vouches for.
struct Authority {
    issuer: rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        Authority::called("an authority of a test")
    }

    fn called(name: &str) -> Authority {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().unwrap();
        Authority { issuer: rcgen::CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    fn pem(&self) -> Vec<u8> {
        self.issuer.pem().into_bytes()
    }

    /// A certificate for these names, valid from so many days ago until in so many days.
    fn vouches(&self, names: &[&str], days: (i64, i64)) -> (rcgen::Certificate, rcgen::KeyPair) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        let now: std::time::SystemTime = jiff::Timestamp::now().into();
        let day = |days: i64| {
            let span = Duration::from_secs(days.unsigned_abs() * 86_400);
            if days < 0 { now - span } else { now + span }
        };
        params.not_before = day(days.0).into();
        params.not_after = day(days.1).into();
        let key = rcgen::KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn server(&self, names: &[&str], days: (i64, i64)) -> Arc<rustls::ServerConfig> {
        let (certificate, key) = self.vouches(names, days);
        let builder = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], private(&key)).unwrap())
    }

    /// A server that lets nobody in without a certificate of this authority.
    fn strict_server(&self) -> Arc<rustls::ServerConfig> {
        let (certificate, key) = self.vouches(&["127.0.0.1"], (-1, 90));
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let verifier =
            rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
                .build()
                .unwrap();
        let builder = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier);
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], private(&key)).unwrap())
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn private(key: &rcgen::KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

/// A server of one test, with who came and which name was asked for.
struct Server {
    address: SocketAddr,
    peers: Arc<Mutex<Vec<IpAddr>>>,
    names: Arc<Mutex<Vec<Option<String>>>>,
}

async fn serve(tls: Option<Arc<rustls::ServerConfig>>, listen: &str) -> Server {
    let listener = TcpListener::bind(listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (peers, names) = (Arc::<Mutex<Vec<IpAddr>>>::default(), Arc::<Mutex<Vec<Option<String>>>>::default());
    let server = Server { address, peers: Arc::clone(&peers), names: Arc::clone(&names) };
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            peers.lock().unwrap().push(peer.ip());
            let (tls, names) = (tls.clone(), Arc::clone(&names));
            tokio::spawn(async move {
                match tls {
                    None => answer(stream).await,
                    Some(config) => {
                        let acceptor = tokio_rustls::TlsAcceptor::from(config);
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        let name = stream.get_ref().1.server_name().map(str::to_owned);
                        names.lock().unwrap().push(name);
                        answer(stream).await;
                    }
                }
            });
        }
    });
    server
}

/// Answers requests without a body until the end of the connection.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut held = Vec::new();
    let mut space = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut space).await {
        held.extend_from_slice(&space[..count]);
        if held.ends_with(b"\r\n\r\n") {
            held.clear();
            if stream.write_all(OK).await.is_err() {
                return;
            }
        }
    }
}

fn client(url: &str, transport: Transport) -> Client {
    client_behind(url, transport, Guard::exempt()).unwrap()
}

fn client_behind(url: &str, transport: Transport, guard: Guard) -> Result<Client, ClientError> {
    let second = Duration::from_secs(3);
    let target =
        Target { url: url.parse().unwrap(), connect_timeout: second, timeout: second, body_max: 4096 };
    Client::by(target, guard, transport)
}

fn get() -> Request {
    Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        body: None,
        travel: Travel::default(),
    }
}

async fn status(client: &Client) -> Result<u16, Failure> {
    client.send(get()).await.result.map(|answer| answer.status)
}

fn trusting(authority: &Authority) -> Transport {
    Transport { roots: Some(authority.pem()), ..Transport::default() }
}

#[tokio::test]
async fn a_server_of_an_authority_of_ones_own_is_trusted_where_the_suite_names_it() {
    let authority = Authority::new();
    let server = serve(Some(authority.server(&["127.0.0.1"], (-1, 90))), "127.0.0.1:0").await;
    let url = format!("https://{}", server.address);
    assert_eq!(status(&client(&url, trusting(&authority))).await, Ok(200));

    for other in [Authority::new(), Authority::called("somebody else")] {
        let stranger = client(&url, trusting(&other));
        assert_eq!(status(&stranger).await, Err(Failure::TlsCertificate));
        let said = stranger.explained(Failure::TlsCertificate);
        assert!(said.contains("name it with `tls: { ca: FILE }`"), "{said}");
    }
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_is_shown_one() {
    let authority = Authority::new();
    let server = serve(Some(authority.strict_server()), "127.0.0.1:0").await;
    let url = format!("https://{}", server.address);
    let (certificate, key) = authority.vouches(&["a client"], (-1, 90));
    let identity = || Identity {
        certificate: certificate.pem().into_bytes(),
        key: key.serialize_pem().into_bytes().into(),
    };
    let shown = Transport { identity: Some(identity()), ..trusting(&authority) };
    assert_eq!(status(&client(&url, shown)).await, Ok(200));

    for version in [Tls::V12, Tls::V13] {
        let hidden = Transport { min: Some(version), max: Some(version), ..trusting(&authority) };
        let nobody = client(&url, hidden);
        assert_eq!(status(&nobody).await, Err(Failure::Tls), "{version:?}");
        let said = nobody.explained(Failure::Tls);
        assert!(said.contains("asks for a client certificate"), "{version:?}: {said}");
    }
}

#[tokio::test]
async fn an_old_a_young_and_a_foreign_certificate_are_told_apart() {
    let authority = Authority::new();
    for (names, days, part) in [
        (["127.0.0.1"], (-90, -10), "expired on 20"),
        (["127.0.0.1"], (10, 90), "is not valid before 20"),
        (["uat.example.org"], (-1, 90), "not for 127.0.0.1"),
    ] {
        let server = serve(Some(authority.server(&names, days)), "127.0.0.1:0").await;
        let client = client(&format!("https://{}", server.address), trusting(&authority));
        assert_eq!(status(&client).await, Err(Failure::TlsCertificate));
        let said = client.explained(Failure::TlsCertificate);
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn what_was_agreed_on_and_until_when_is_known() {
    let authority = Authority::new();
    let server = serve(Some(authority.server(&["127.0.0.1"], (-1, 12))), "127.0.0.1:0").await;
    let client = client(&format!("https://{}", server.address), trusting(&authority));
    assert_eq!(client.agreed(), None);
    assert_eq!(status(&client).await, Ok(200));
    let agreed = client.agreed().unwrap();
    assert_eq!((agreed.version, agreed.certificates), ("TLS 1.3", 1));
    assert!(agreed.suite.starts_with("TLS13_"), "{}", agreed.suite);
    let left = agreed.not_after.unwrap().as_second() - seconds_now();
    assert!((11 * 86_400..=12 * 86_400).contains(&left), "{left} s");
}

fn seconds_now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[tokio::test]
async fn no_version_in_common_is_said() {
    let authority = Authority::new();
    let (certificate, key) = authority.vouches(&["127.0.0.1"], (-1, 90));
    let only_old = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private(&key))
        .unwrap();
    let server = serve(Some(Arc::new(only_old)), "127.0.0.1:0").await;
    let url = format!("https://{}", server.address);
    assert_eq!(status(&client(&url, trusting(&authority))).await, Ok(200));

    let modern = client(&url, Transport { min: Some(Tls::V13), ..trusting(&authority) });
    assert_eq!(status(&modern).await, Err(Failure::Tls));
    let said = modern.explained(Failure::Tls);
    assert!(said.contains("no version of TLS"), "{said}");
}

#[tokio::test]
async fn another_name_is_asked_for_and_verified() {
    let authority = Authority::new();
    let server = serve(Some(authority.server(&["uat.example.org"], (-1, 90))), "127.0.0.1:0").await;
    let named = Transport { name: Some("uat.example.org".to_owned()), ..trusting(&authority) };
    let client = client(&format!("https://{}", server.address), named);
    assert_eq!(status(&client).await, Ok(200));
    assert_eq!(*server.names.lock().unwrap(), [Some("uat.example.org".to_owned())]);
}

#[tokio::test]
async fn a_pinned_address_is_dialed_and_the_name_stays() {
    let authority = Authority::new();
    let config = authority.server(&["uat.example.invalid"], (-1, 90));
    let (one, two) =
        (serve(Some(config.clone()), "127.0.0.1:0").await, serve(Some(config), "127.0.0.1:0").await);
    for server in [&one, &two] {
        let address = Address { ip: server.address.ip(), port: Some(server.address.port()) };
        let pinned = Transport { addresses: vec![address], ..trusting(&authority) };
        assert_eq!(status(&client("https://uat.example.invalid", pinned)).await, Ok(200));
        assert_eq!(*server.names.lock().unwrap(), [Some("uat.example.invalid".to_owned())]);
    }
    assert_eq!(status(&client("https://uat.example.invalid", trusting(&authority))).await, Err(Failure::Dns));
}

#[tokio::test]
async fn connections_leave_from_the_address_that_is_bound() {
    let server = serve(None, "127.0.0.1:0").await;
    let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
    let bound = Transport { bind: Some(from), ..Transport::default() };
    assert_eq!(status(&client(&format!("http://{}", server.address), bound)).await, Ok(200));
    assert_eq!(*server.peers.lock().unwrap(), [from]);

    let elsewhere = Transport { bind: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))), ..Transport::default() };
    let client = client(&format!("http://{}", server.address), elsewhere);
    assert_eq!(status(&client).await, Err(Failure::LocalPorts));
    let said = client.explained(Failure::LocalPorts);
    assert!(said.contains("cannot send from 192.0.2.1"), "{said}");
}

#[tokio::test]
async fn a_family_of_addresses_can_be_asked_for() {
    // A machine without IPv6 cannot show this.
    if TcpListener::bind("[::1]:0").await.is_err() {
        return;
    }
    let server = serve(None, "[::1]:0").await;
    let url = format!("http://{}", server.address);
    assert_eq!(status(&client(&url, Transport::default())).await, Ok(200));
    let four = client(&url, Transport { family: Some(Family::Four), ..Transport::default() });
    assert_eq!(status(&four).await, Err(Failure::Unreachable));
    let both = [
        Address { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), port: Some(1) },
        Address { ip: server.address.ip(), port: Some(server.address.port()) },
    ];
    let six = Transport { family: Some(Family::Six), addresses: both.to_vec(), ..Transport::default() };
    assert_eq!(status(&client("http://uat.example.invalid", six)).await, Ok(200));
}

/// A proxy of one test: what it was asked for, in its own words.
struct Relay {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// Relays to `onward` whatever is asked for, after the handshake of `greet`.
    async fn start<F, W>(onward: SocketAddr, greet: F) -> Relay
    where
        F: Fn(TcpStream) -> W + Send + Sync + 'static,
        W: Future<Output = (TcpStream, Option<String>)> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let relay = Relay { address, asked: Arc::clone(&asked) };
        let greet = Arc::new(greet);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (greet, asked) = (Arc::clone(&greet), Arc::clone(&asked));
                tokio::spawn(async move {
                    let (mut stream, place) = greet(stream).await;
                    let Some(place) = place else { return };
                    asked.lock().unwrap().push(place);
                    let mut inner = TcpStream::connect(onward).await.unwrap();
                    drop(tokio::io::copy_bidirectional(&mut stream, &mut inner).await);
                });
            }
        });
        relay
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// HTTP CONNECT, with a user if one is wanted.
async fn connects(mut stream: TcpStream, wanted: Option<&str>) -> (TcpStream, Option<String>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    if wanted.is_some_and(|wanted| !head.contains(&format!("Proxy-Authorization: Basic {wanted}\r\n"))) {
        stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
        return (stream, None);
    }
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    (stream, Some(head.lines().next().unwrap().to_owned()))
}

/// SOCKS5, with a user if one is wanted.
async fn socks(mut stream: TcpStream, wanted: Option<(&str, &str)>) -> (TcpStream, Option<String>) {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).await.unwrap();
    let mut methods = vec![0; usize::from(greeting[1])];
    stream.read_exact(&mut methods).await.unwrap();
    let method = if wanted.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        stream.write_all(&[5, 255]).await.unwrap();
        return (stream, None);
    }
    stream.write_all(&[5, method]).await.unwrap();
    if let Some((user, password)) = wanted {
        let length = |text: &str| u8::try_from(text.len()).unwrap();
        let expected =
            [&[1, length(user)], user.as_bytes(), &[length(password)], password.as_bytes()].concat();
        let mut said = vec![0; expected.len()];
        stream.read_exact(&mut said).await.unwrap();
        stream.write_all(&[1, u8::from(said != expected)]).await.unwrap();
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.unwrap();
    let place = match head[3] {
        1 => {
            let mut ip = [0; 4];
            stream.read_exact(&mut ip).await.unwrap();
            Ipv4Addr::from(ip).to_string()
        }
        3 => {
            let mut name = vec![0; usize::from(stream.read_u8().await.unwrap())];
            stream.read_exact(&mut name).await.unwrap();
            String::from_utf8(name).unwrap()
        }
        kind => panic!("an address of kind {kind}"),
    };
    let port = stream.read_u16().await.unwrap();
    if place == "192.0.2.1" {
        stream.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        return (stream, None);
    }
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await.unwrap();
    (stream, Some(format!("{place}:{port}")))
}

fn through(proxy: &str) -> Transport {
    Transport { proxy: Some(Proxy::read(proxy).unwrap()), ..Transport::default() }
}

#[tokio::test]
async fn connect_opens_a_way_and_the_proxy_resolves_the_name() {
    let server = serve(None, "127.0.0.1:0").await;
    let relay = Relay::start(server.address, |stream| connects(stream, None)).await;
    let client = client("http://uat.example.invalid:8080", through(&format!("http://{}", relay.address)));
    assert_eq!(status(&client).await, Ok(200));
    assert_eq!(status(&client).await, Ok(200));
    assert_eq!(relay.asked(), ["CONNECT uat.example.invalid:8080 HTTP/1.1"], "one tunnel is used again");
}

#[tokio::test]
async fn tls_goes_through_a_proxy_to_the_name() {
    let authority = Authority::new();
    let server = serve(Some(authority.server(&["uat.example.invalid"], (-1, 90))), "127.0.0.1:0").await;
    let relay = Relay::start(server.address, |stream| connects(stream, None)).await;
    let proxied = Transport { roots: Some(authority.pem()), ..through(&format!("http://{}", relay.address)) };
    let client = client("https://uat.example.invalid", proxied);
    let (_, opening) = client.connect_timed().await.unwrap();
    assert!(opening.proxy.is_some() && opening.tls.is_some(), "{opening:?}");
    assert_eq!(relay.asked(), ["CONNECT uat.example.invalid:443 HTTP/1.1"]);
}

#[tokio::test]
async fn a_proxy_that_wants_a_user_is_told_and_says_so_where_it_is_not() {
    let server = serve(None, "127.0.0.1:0").await;
    let relay = Relay::start(server.address, |stream| connects(stream, Some("bWU6c0BjcmV0"))).await;
    let url = "http://uat.example.invalid";
    let known = client(url, through(&format!("http://me:s%40cret@{}", relay.address)));
    assert_eq!(status(&known).await, Ok(200));
    let unknown = client(url, through(&format!("http://{}", relay.address)));
    assert_eq!(status(&unknown).await, Err(Failure::Proxy));
    let said = unknown.explained(Failure::Proxy);
    assert!(said.contains("wants to know who asks (407)"), "{said}");
}

#[tokio::test]
async fn socks_opens_a_way_by_name_by_address_and_with_a_user() {
    let server = serve(None, "127.0.0.1:0").await;
    let open = Relay::start(server.address, |stream| socks(stream, None)).await;
    let closed = Relay::start(server.address, |stream| socks(stream, Some(("me", "secret")))).await;

    let by_name = client("http://uat.example.invalid:81", through(&format!("socks5h://{}", open.address)));
    assert_eq!(status(&by_name).await, Ok(200));
    let by_address = client("http://127.0.0.1:82", through(&format!("socks5://{}", open.address)));
    assert_eq!(status(&by_address).await, Ok(200));
    assert_eq!(open.asked(), ["uat.example.invalid:81", "127.0.0.1:82"]);

    let named = client("http://127.0.0.1:83", through(&format!("socks5://me:secret@{}", closed.address)));
    assert_eq!(status(&named).await, Ok(200));
    let wrong = client("http://127.0.0.1:83", through(&format!("socks5://me:public@{}", closed.address)));
    assert_eq!(status(&wrong).await, Err(Failure::Proxy));
    let said = wrong.explained(Failure::Proxy);
    assert!(said.contains("does not know this user"), "{said}");
    let nobody = client("http://127.0.0.1:83", through(&format!("socks5://{}", closed.address)));
    assert_eq!(status(&nobody).await, Err(Failure::Proxy));
}

#[tokio::test]
async fn what_a_proxy_denies_is_said_in_its_words() {
    let server = serve(None, "127.0.0.1:0").await;
    let relay = Relay::start(server.address, |stream| socks(stream, None)).await;
    let denied = client("http://192.0.2.1:80", through(&format!("socks5://{}", relay.address)));
    assert_eq!(status(&denied).await, Err(Failure::Proxy));
    let said = denied.explained(Failure::Proxy);
    assert!(said.contains("does not let us there (SOCKS 2)"), "{said}");

    let no_proxy = client("http://192.0.2.1:80", through(&format!("http://{}", server.address)));
    // A server may answer CONNECT with 200 as well; what it says behind that is not for the tunnel.
    assert_eq!(status(&no_proxy).await, Err(Failure::EarlyAnswer));
    let nobody = client("http://192.0.2.1:80", through("http://127.0.0.1:1"));
    assert_eq!(status(&nobody).await, Err(Failure::Proxy));
    let said = nobody.explained(Failure::Proxy);
    assert!(said.contains("the proxy cannot be reached: connect refused"), "{said}");
}

#[tokio::test]
async fn the_guard_is_asked_for_the_target_behind_a_proxy() {
    let server = serve(None, "127.0.0.1:0").await;
    let relay = Relay::start(server.address, |stream| connects(stream, None)).await;
    let rules = |host: &str| {
        let text = format!(
            "assay: 1\nname: x\ndialect: pfms\nenvironments: {{ a: {{ url: 'http://h', guard: {{ hosts: [{host}] }} }} }}\n"
        );
        let suite = assay::suite::parse(&assay::source::SourceFile::new("a.yaml", &text)).unwrap();
        Guard::by(suite.environments["a"].guard.as_ref().unwrap())
    };
    let url = "http://uat.example.invalid";
    let proxy = format!("http://{}", relay.address);
    let listed = client_behind(url, through(&proxy), rules("uat.example.invalid")).unwrap();
    assert_eq!(status(&listed).await, Ok(200));
    let unlisted = client_behind(url, through(&proxy), rules("127.0.0.1")).unwrap();
    assert_eq!(status(&unlisted).await, Err(Failure::Guarded));
    assert_eq!(relay.asked().len(), 1);
}

#[test]
fn files_that_hold_no_certificate_are_said_to() {
    let failing = |transport| client_behind("https://127.0.0.1", transport, Guard::exempt()).unwrap_err();
    let roots = Transport { roots: Some(b"nothing".to_vec()), ..Transport::default() };
    assert!(failing(roots).to_string().contains("`tls: { ca }`"));
    let identity = Identity { certificate: b"nothing".to_vec(), key: Vec::new().into() };
    let roots = Some(Authority::new().pem());
    let own = Transport { identity: Some(identity), roots, ..Transport::default() };
    assert!(failing(own).to_string().contains("`tls: { certificate, key }`"));
}

#[tokio::test]
async fn a_machine_without_roots_still_speaks_in_the_clear() {
    let server = serve(None, "127.0.0.1:0").await;
    // Roots are read only where TLS is spoken; these would not do.
    let nothing = Transport { roots: Some(Vec::new()), ..Transport::default() };
    assert_eq!(status(&client(&format!("http://{}", server.address), nothing)).await, Ok(200));
}

/// A server that chooses this suite where it is offered, and refuses everything else by an alert or by hanging up.
async fn old_server(suite: [u8; 2], alert: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 5];
            if stream.read_exact(&mut head).await.is_err() {
                continue;
            }
            let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            stream.read_exact(&mut hello).await.unwrap();
            let session = usize::from(hello[38]);
            let (length, rest) = hello[39 + session..].split_at(2);
            let offered = &rest[..usize::from(u16::from_be_bytes([length[0], length[1]]))];
            if offered.chunks(2).any(|one| one == suite) {
                let body = [&[3, 3][..], &[7; 32], &[0], &suite, &[0]].concat();
                let message = [&[2, 0, 0, u8::try_from(body.len()).unwrap()][..], &body].concat();
                let record = [&[22, 3, 3, 0, u8::try_from(message.len()).unwrap()][..], &message].concat();
                stream.write_all(&record).await.unwrap();
                // It waits for a key that never comes.
                drop(stream.read(&mut head).await);
            } else if alert {
                stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).await.unwrap();
            }
        }
    });
    address
}

#[tokio::test]
async fn a_server_with_old_suites_alone_is_asked_which_it_would_choose() {
    for (suite, alert, name) in [
        ([0x00, 0x35], true, "TLS_RSA_WITH_AES_256_CBC_SHA in TLS 1.2"),
        ([0xC0, 0x27], false, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 in TLS 1.2"),
    ] {
        let address = old_server(suite, alert).await;
        let client = client(&format!("https://{address}"), trusting(&Authority::new()));
        let failure = status(&client).await.unwrap_err();
        assert_eq!(failure, Failure::Tls);
        let said = client.explained(failure);
        assert!(
            said.contains(&format!("would choose {name}")) && said.contains("docs/transport.md"),
            "{said}"
        );
    }
}
