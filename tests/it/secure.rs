//! Connections looked at: a TLS front before the mock, certificates good and bad, old versions, HTTP in the clear.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use assay::chain::Identity;
use assay::chain::source::Source;
use assay::client::guard::Guard;
use assay::client::look::{Seen, Way};
use assay::client::tls::Roots;
use assay::client::{Client, Target};
use assay::conformance::{self, Ground};
use assay::dialect;
use assay::mock::{Controller, MockOptions, MockServer};
use assay::results::event::{Narrator, Stop};
use assay::results::{CheckResult, Verdict};
use assay::secret::FingerprintKey;
use assay::source::SourceFile;
use assay::suite;
use assay::suite::check::TlsVersion;
use assay::suite::environment::MockSpec;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a front does that it should not.
#[derive(Clone, Copy, Debug, Default)]
struct Careless {
    /// Says yes to TLS 1.0 and 1.1.
    old: bool,
    /// Serves HTTP in the clear on the same port.
    clear: bool,
}

/// A hello of TLS 1.0 by a server: the record, the message, the version that it chose.
const OLD_HELLO: [u8; 16] = [22, 3, 1, 0, 80, 2, 0, 0, 76, 3, 1, 7, 7, 7, 7, 7];

/// A TLS front before `mock`, and the root that it goes by.
async fn front(mock: SocketAddr, careless: Careless) -> (SocketAddr, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, acceptor.clone(), mock, careless));
        }
    });
    (address, certified.cert.pem())
}

async fn serve(
    mut stream: TcpStream,
    acceptor: tokio_rustls::TlsAcceptor,
    mock: SocketAddr,
    careless: Careless,
) {
    let mut start = [0; 11];
    while stream.peek(&mut start).await.is_ok_and(|read| read > 0 && read < start.len()) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let Ok(mut inner) = TcpStream::connect(mock).await else { return };
    if careless.clear && start[0] != 22 {
        drop(tokio::io::copy_bidirectional(&mut stream, &mut inner).await);
        return;
    }
    // The version that a hello of the old days asks for; those of today say 3.3 here.
    if careless.old && start[0] == 22 && start[10] < 3 {
        drop(stream.write_all(&OLD_HELLO).await);
        drop(stream.read(&mut [0; 1024]).await);
        return;
    }
    if let Ok(mut secure) = acceptor.accept(stream).await {
        drop(tokio::io::copy_bidirectional(&mut secure, &mut inner).await);
    }
}

fn mock() -> MockServer {
    let any = "127.0.0.1:0".parse().unwrap();
    MockServer::start(MockOptions {
        spec: MockSpec::default(),
        dialect: dialect::builtin("pfms").unwrap(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 1,
    })
    .unwrap()
}

fn client(address: SocketAddr, root: &str) -> Client {
    let target = Target {
        url: format!("https://localhost:{}", address.port()).parse().unwrap(),
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(5),
        body_max: 1_000_000,
    };
    Client::trusting(target, Guard::exempt(), Roots::Pem(root.as_bytes())).unwrap()
}

fn at(mock: &MockServer) -> SocketAddr {
    mock.url().trim_start_matches("http://").parse().unwrap()
}

#[tokio::test]
async fn a_good_certificate_is_good_and_another_root_does_not_vouch_for_it() {
    let mock = mock();
    let (address, root) = front(at(&mock), Careless::default()).await;
    let look = client(address, &root).look(Way::Usual, "/").await;
    assert_eq!((look.certificate, &look.seen), (Some(true), &Seen::Answered));
    let (_, other) = front(at(&mock), Careless::default()).await;
    let look = client(address, &other).look(Way::Usual, "/").await;
    assert_eq!(look.certificate, Some(false));
}

#[tokio::test]
async fn old_versions_are_refused_by_a_server_of_today_and_seen_where_they_are_not() {
    let mock = mock();
    let (address, root) = front(at(&mock), Careless::default()).await;
    for version in [TlsVersion::Tls10, TlsVersion::Tls11] {
        let look = client(address, &root).look(Way::Offering(version), "/").await;
        assert!(matches!(look.seen, Seen::Refused(_)), "{version:?}: {:?}", look.seen);
    }
    let (address, root) = front(at(&mock), Careless { old: true, ..Careless::default() }).await;
    let look = client(address, &root).look(Way::Offering(TlsVersion::Tls10), "/").await;
    assert_eq!(look.seen, Seen::Agreed("TLS 1.0"));
}

/// The checks on connections against a front.
async fn checked(careless: Careless) -> Vec<CheckResult> {
    let mock = mock();
    let (address, root) = front(at(&mock), careless).await;
    let text = format!(
        "assay: 1\nname: secure\ndialect: pfms\nenvironments:\n  live:\n    url: https://localhost:{}\n    guard: \
         {{ hosts: [localhost] }}\nchecks:\n  standards: [secure]\n  use: [SEC-12, SEC-25]\n",
        address.port()
    );
    let suite = suite::parse(&SourceFile::new("secure.yaml", text)).unwrap();
    let dialect = Arc::new(dialect::builtin("pfms").unwrap());
    let client = Arc::new(client(address, &root));
    let identities = mock
        .identities()
        .into_iter()
        .map(|(name, slots)| Arc::new(Identity { name, slots: slots.into_iter().collect() }))
        .collect();
    let ground = Ground {
        environment: Arc::new(suite.environments["live"].clone()),
        suite: Arc::new(suite),
        source: Arc::new(Source::login(Arc::clone(&client), Arc::clone(&dialect))),
        dialect,
        client,
        identities,
        control: None,
        public_key: None,
        variables: indexmap::IndexMap::new(),
        is_mock: false,
        key: FingerprintKey::new(1, 2),
        seed: 7,
        full: false,
        consent: false,
        again: "assay check --only ".to_owned(),
        today: jiff::civil::date(2026, 6, 1),
        sought: None,
    };
    conformance::run(&ground, &[], &Narrator::silent(), &Stop::default()).await.checks
}

fn verdict<'c>(checks: &'c [CheckResult], id: &str) -> &'c CheckResult {
    checks.iter().find(|check| check.id == id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_behind_tls_of_today_passes() {
    let checks = checked(Careless::default()).await;
    for check in &checks {
        assert_eq!(check.verdict, Verdict::Pass, "{}: {:?}", check.id, check.findings);
    }
    assert_eq!(checks.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_tls_and_http_in_the_clear_fail_with_what_was_seen() {
    let checks = checked(Careless { old: true, clear: true }).await;
    let old = verdict(&checks, "SEC-12");
    assert_eq!(old.verdict, Verdict::Fail);
    assert_eq!(old.findings[0].found, "TLS 1.0 agreed to");
    let clear = verdict(&checks, "SEC-25");
    assert_eq!(clear.verdict, Verdict::Fail, "{clear:?}");
    assert!(clear.findings[0].found.contains("in the clear"), "{:?}", clear.findings[0].found);
}
