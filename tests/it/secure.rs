//! Connections looked at: a mock behind TLS, certificates good and bad, old versions, HTTP in the clear.

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
use assay::suite::defect::Defect;
use assay::suite::environment::MockSpec;

fn mock(defects: &[Defect]) -> MockServer {
    let any = "127.0.0.1:0".parse().unwrap();
    MockServer::start_secure(MockOptions {
        spec: MockSpec { defects: defects.to_vec(), ..MockSpec::default() },
        dialect: dialect::builtin("pfms").unwrap(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 1,
    })
    .unwrap()
}

/// A client that goes by the certificate of `root`.
fn client(mock: &MockServer, root: &MockServer) -> Client {
    let target = Target {
        url: mock.url().parse().unwrap(),
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(5),
        body_max: 1_000_000,
    };
    Client::trusting(target, Guard::exempt(), Roots::Pem(root.root().unwrap().as_bytes())).unwrap()
}

#[tokio::test]
async fn a_good_certificate_is_good_and_another_root_does_not_vouch_for_it() {
    let (mock, other) = (mock(&[]), mock(&[]));
    let look = client(&mock, &mock).look(Way::Usual, "/").await;
    assert_eq!((look.certificate, &look.seen), (Some(true), &Seen::Answered));
    let look = client(&mock, &other).look(Way::Usual, "/").await;
    assert_eq!(look.certificate, Some(false));
}

#[tokio::test]
async fn one_of_two_machines_with_an_expired_certificate_is_met_by_every_second_connection() {
    let mock = mock(&[Defect::CertificateExpired]);
    let client = client(&mock, &mock);
    for good in [true, false, true, false] {
        assert_eq!(client.look(Way::Usual, "/").await.certificate, Some(good));
    }
}

#[tokio::test]
async fn old_versions_are_refused_by_a_server_of_today_and_seen_where_they_are_not() {
    let old = [(TlsVersion::Tls10, "TLS 1.0"), (TlsVersion::Tls11, "TLS 1.1")];
    let (today, careless) = (mock(&[]), mock(&[Defect::OldTlsAccepted]));
    for (version, name) in old {
        let look = client(&today, &today).look(Way::Offering(version), "/").await;
        assert!(matches!(look.seen, Seen::Refused(_)), "{version:?}: {:?}", look.seen);
        let look = client(&careless, &careless).look(Way::Offering(version), "/").await;
        assert_eq!(look.seen, Seen::Agreed(name));
    }
}

/// The checks on connections against an endpoint that is ours only by its address.
async fn checked(defects: &[Defect]) -> Vec<CheckResult> {
    let mock = mock(defects);
    let text = format!(
        "assay: 1\nname: secure\ndialect: pfms\nenvironments:\n  live:\n    url: {}\n    guard: {{ hosts: \
         [127.0.0.1] }}\nchecks:\n  standards: [secure]\n  use: [SEC-12, SEC-25]\n",
        mock.url()
    );
    let suite = suite::parse(&SourceFile::new("secure.yaml", text)).unwrap();
    let dialect = Arc::new(dialect::builtin("pfms").unwrap());
    let client = Arc::new(client(&mock, &mock));
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
    let checks = checked(&[]).await;
    for check in &checks {
        assert_eq!(check.verdict, Verdict::Pass, "{}: {:?}", check.id, check.findings);
    }
    assert_eq!(checks.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_tls_and_http_in_the_clear_fail_with_what_was_seen() {
    let checks = checked(&[Defect::OldTlsAccepted, Defect::ServedInTheClear]).await;
    let old = verdict(&checks, "SEC-12");
    assert_eq!(old.verdict, Verdict::Fail);
    assert_eq!(old.findings[0].found, "TLS 1.0 agreed to");
    let clear = verdict(&checks, "SEC-25");
    assert_eq!(clear.verdict, Verdict::Fail, "{clear:?}");
    assert!(clear.findings[0].found.contains("in the clear"), "{:?}", clear.findings[0].found);
}

#[tokio::test]
async fn a_connection_over_tls_is_used_again() {
    let mock = mock(&[Defect::CertificateExpired]);
    let client = client(&mock, &mock);
    for _ in 0..3 {
        let request = assay::client::Request {
            method: "HEAD".to_owned(),
            target: "/".to_owned(),
            headers: Vec::new(),
            body: None,
            travel: assay::client::Travel::default(),
        };
        let exchange = client.send(request).await;
        assert!(exchange.result.is_ok(), "{:?}", exchange.result);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_certificate_has_expired_fails_though_another_is_good() {
    let checks = checked(&[Defect::CertificateExpired]).await;
    let expired = verdict(&checks, "SEC-12");
    assert_eq!(expired.verdict, Verdict::Fail, "{expired:?}");
    assert_eq!(expired.findings[0].found, "one that does not verify");
}
