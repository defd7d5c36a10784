//! `assay learn`: what is learned is what the endpoint does, and what cannot be learned is said.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use assay::dialect::builtin;
use assay::mock::{Controller, MockOptions, MockServer};
use assay::source::SourceFile;
use assay::suite::call::Slot;
use assay::suite::environment::{MockPolicy, MockSpec};
use assay::suite::policy::{
    Grace, GraceAnswer, GraceReach, OldAccess, Policy, ReplayRevokes, Rotation, Siblings,
};
use assay::suite::{self, Suite};

/// A folder of its own.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Bench {
        Bench(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `assay learn` on a suite of this text.
    fn learn(&self, suite: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        std::fs::write(self.path("suite.yaml"), suite).unwrap();
        Command::new(env!("CARGO_BIN_EXE_assay"))
            .args(["learn", "suite.yaml"])
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .env("NO_COLOR", "1")
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn exits_with(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}{}", text(&output.stdout), text(&output.stderr));
}

fn on_mock(dialect: &str, mock: &str) -> String {
    format!("assay: 1\nname: x\ndialect: {dialect}\nenvironments: {{ mock: {{ mock: {{ {mock} }} }} }}\n")
}

/// A suite for an endpoint at `url` whose secrets are two variables.
fn on_endpoint(url: &str, guard: &str) -> String {
    format!(
        "assay: 1\nname: x\ndialect: pfms\nenvironments:\n  live:\n    url: {url}\n    timeout: 3s\n    identities:\n      \
         own: {{ tenant: \"07\", secret: $secret:T_AUTH, code: $secret:T_CODE }}\n    guard: {{ hosts: [127.0.0.1]{guard} }}\n"
    )
}

const SECRETS: [(&str, &str); 2] = [("T_AUTH", "an-auth-string-0001"), ("T_CODE", "an-auth-code-0001")];

/// What a mock of this kind teaches; the fragment is put into the suite as it stands.
#[track_caller]
fn taught(dialect: &str, mock: &str) -> (Suite, String) {
    let head = on_mock(dialect, mock);
    let output = Bench::new().learn(&head, &["--yes"], &[]);
    exits_with(&output, 0);
    let fragment = text(&output.stdout);
    let source = SourceFile::new("suite.yaml", format!("{head}{fragment}"));
    let suite = suite::parse(&source)
        .unwrap_or_else(|mistakes| panic!("{}\n{fragment}", assay::source::render(&mistakes, false)));
    assert!(suite.policy.unconfirmed.is_some(), "nobody has confirmed it");
    (suite, fragment)
}

/// Whether a word that was learned is what the preset does, as far as one young chain can see it.
fn fits(preset: MockPolicy, learned: &Policy) -> bool {
    let promised = preset.promised();
    let rotation = match preset {
        // Young tokens are not replaced.
        MockPolicy::Conditional => learned.rotation == Some(Rotation::Never),
        _ => learned.rotation == promised.rotation,
    };
    let replay = learned.replay_answer.is_none() || learned.replay_answer == promised.replay_answer;
    // Where access tokens end with the next refresh, a family that ended looks like a successor that did.
    let revokes = learned.replay_revokes.is_none()
        || learned.replay_revokes == promised.replay_revokes
        || (preset == MockPolicy::ShortLived && learned.replay_revokes == Some(ReplayRevokes::Successor));
    let pair = learned.pair.is_none() || learned.pair == promised.pair;
    let lifetime = learned.access_lifetime == promised.access_lifetime;
    rotation && replay && revokes && pair && lifetime && grace_fits(preset, learned.grace.as_ref(), &promised)
}

fn grace_fits(preset: MockPolicy, learned: Option<&Grace>, promised: &Policy) -> bool {
    let at_most = |learned: bool, same: bool| !learned || same;
    match (learned, promised.grace.as_ref().unwrap()) {
        // What never ends looks like a window.
        (Some(Grace::Window { .. }), Grace::None) => preset == MockPolicy::Stateless,
        (None | Some(Grace::None), Grace::None) => true,
        (None | Some(Grace::None), Grace::Window { .. }) => false,
        (
            Some(Grace::Window { lasting, uses, answer, reach, siblings }),
            Grace::Window { uses: u, answer: a, reach: r, siblings: s, .. },
        ) => {
            let same_for_a_parent =
                *answer == Some(GraceAnswer::SamePair) && *a == Some(GraceAnswer::ActivePair);
            lasting.is_none()
                && uses == u
                && (answer == a || same_for_a_parent)
                && at_most(reach.is_some(), reach == r)
                && at_most(siblings.is_some(), siblings == s)
        }
    }
}

#[test]
fn every_policy_of_the_mock_is_learned_in_both_dialects() {
    for dialect in ["pfms", "oauth2"] {
        for (preset, word) in MockPolicy::ALL {
            let (suite, fragment) = taught(dialect, &format!("policy: {word}"));
            assert!(fits(preset, &suite.policy), "{dialect} {word}\n{fragment}");
            let learned = &suite.policy;
            let old = if preset == MockPolicy::ShortLived { OldAccess::Revoked } else { OldAccess::Valid };
            assert_eq!(learned.old_access, Some(old), "{dialect} {word}");
            assert_eq!(learned.pair.is_some(), dialect == "pfms", "{dialect} {word}");
            assert!(learned.idle.is_none() && learned.cap.is_none() && learned.race.is_none());
            let stays = matches!(preset, MockPolicy::None | MockPolicy::Conditional);
            assert_eq!(learned.grace.is_none(), stays, "{dialect} {word}\n{fragment}");
            let never_refused = matches!(
                preset,
                MockPolicy::Stateless | MockPolicy::GracePruned | MockPolicy::GraceAnyAncestor
            );
            assert_eq!(
                learned.replay_answer.is_none(),
                stays || never_refused,
                "{dialect} {word}\n{fragment}"
            );
        }
    }
}

#[test]
fn what_tells_presets_apart_is_found() {
    let learned = |word: &str| taught("pfms", &format!("policy: {word}")).0.policy;
    assert_eq!(learned("strict-family").replay_revokes, Some(ReplayRevokes::Family));
    assert_eq!(learned("strict-successor").replay_revokes, Some(ReplayRevokes::Successor));
    assert_eq!(learned("strict-reject").replay_revokes, Some(ReplayRevokes::Nothing));
    let answer = |word: &str| match learned(word).grace {
        Some(Grace::Window { answer, reach, siblings, .. }) => (answer, reach, siblings),
        _ => (None, None, None),
    };
    let (any, parent) = (Some(GraceReach::Any), Some(GraceReach::Parent));
    assert_eq!(answer("grace-any-ancestor"), (Some(GraceAnswer::ActivePair), any, None));
    assert_eq!(answer("grace-refused"), (Some(GraceAnswer::Refused), parent, None));
    assert_eq!(answer("grace-pruned"), (Some(GraceAnswer::NewPair), None, Some(Siblings::Pruned)));
    assert_eq!(answer("grace-new-pair"), (Some(GraceAnswer::NewPair), parent, Some(Siblings::Live)));
}

#[test]
fn unusual_and_right_servers_are_described_as_they_are() {
    let of = |variant: &str| taught("pfms", &format!("variants: [{variant}]")).1;
    assert!(of("microsoft-dates").contains("`dotnet`"));
    assert!(of("header-noise").contains("in XML nothing is written as nil"));
    assert!(of("empty-for-null").contains("in XML nothing is written as empty"));
    let by_status = of("failures-by-status");
    assert!(by_status.contains("not granted with status 400 and 401"), "{by_status}");
    assert!(of("forbidden-secret").contains("wrong secret: refused: bad-credentials (403)"));
    assert!(of("true-spelled-upper").contains("isSuccess` is `True` where granted"));
}

#[test]
fn what_is_learned_holds_when_it_is_checked_and_says_that_nobody_promised_it() {
    let bench = Bench::new();
    let head = on_mock("pfms", "policy: count");
    let learned = bench.learn(&head, &["--yes", "--out", "fragment.yaml"], &[]);
    exits_with(&learned, 0);
    let fragment = std::fs::read_to_string(bench.path("fragment.yaml")).unwrap();
    std::fs::write(
        bench.path("whole.yaml"),
        format!("{head}{fragment}checks: {{ use: [lifecycle, ERR-13] }}\n"),
    )
    .unwrap();
    let checked = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["check", "whole.yaml", "--only", "ERR-*,LIF-*", "--out", "out", "--quiet"])
        .current_dir(bench.0.path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    exits_with(&checked, 0);
    assert!(text(&checked.stdout).contains("observed, not promised"), "{}", text(&checked.stdout));
    let page = std::fs::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(page.contains("observed, not promised"));
    let again = bench.learn(&head, &["--yes", "--out", "fragment.yaml"], &[]);
    exits_with(&again, 2);
    assert!(text(&again.stderr).contains("is there already"), "never over a file");
}

#[test]
fn without_a_terminal_nobody_has_consented() {
    let output = Bench::new().learn(&on_mock("pfms", ""), &[], &[]);
    exits_with(&output, 2);
    let said = text(&output.stderr);
    assert!(said.contains("will spend at most 22 requests, 1 chain, 1 family lost"), "{said}");
    assert!(said.contains("`--yes`") && said.contains("nothing was sent"), "{said}");
    assert!(output.stdout.is_empty());
}

/// A mock that is addressed as any endpoint, and what its own identity needs.
fn as_endpoint(policy: MockPolicy) -> (MockServer, [(&'static str, String); 2], String) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mock = MockServer::start(MockOptions {
        spec: MockSpec { policy, ..MockSpec::default() },
        dialect: builtin("pfms").unwrap(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 1,
    })
    .unwrap();
    let (_, slots) = mock.identities().remove(0);
    let value = |wanted: Slot| slots.iter().find(|(slot, _)| *slot == wanted).unwrap().1.expose().to_owned();
    let variables = [("T_AUTH", value(Slot::Secret)), ("T_CODE", value(Slot::Code))];
    let tenant = value(Slot::Tenant);
    (mock, variables, tenant)
}

#[test]
fn a_guard_that_does_not_consent_to_harm_keeps_used_tokens_back() {
    let (mock, variables, tenant) = as_endpoint(MockPolicy::StrictFamily);
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let suite = |guard: &str| on_endpoint(&mock.url(), guard).replace("\"07\"", &format!("\"{tenant}\""));
    let careful = Bench::new().learn(&suite(", requests: 100"), &["--yes"], &variables);
    exits_with(&careful, 0);
    let fragment = text(&careful.stdout);
    assert!(fragment.contains("`replay` was not learned: the guard of `live`"), "{fragment}");
    assert!(fragment.contains("rotation: always"), "{fragment}");
    // The mock offers a probe, but this environment does not say so.
    assert!(!fragment.contains("old-access"), "{fragment}");
    assert_eq!(mock.ledger().granted, 4, "three formats, and one to see that the chain still lives");
    let bold = Bench::new().learn(&suite(", requests: 100, destructive: true"), &["--yes"], &variables);
    exits_with(&bold, 0);
    // Without a probe nobody can see that more than the successor died.
    assert!(text(&bold.stdout).contains("replay: { answer: refused, revokes: successor }"));
    let narrow = Bench::new().learn(&suite(", requests: 5"), &["--yes"], &variables);
    exits_with(&narrow, 2);
    assert!(text(&narrow.stderr).contains("the guard of `live` allows 5"), "{}", text(&narrow.stderr));
}

/// An endpoint that answers every request with the same bytes.
fn always(status: &'static str, media: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 8192];
            drop(stream.read(&mut request));
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())));
        }
    });
    url
}

#[test]
fn nonsense_teaches_nothing_and_is_called_by_its_name() {
    const SAMPLE: &str = r#"{"AckCode":"sample string 1","Status":"sample string 2","PFMSLogInResponse":{"accessToken":"sample string 4","refreshToken":"sample string 5","isSuccess":"true"},"RefreshTokenResponse":{"accessToken":"sample string 1","refreshToken":"sample string 2","isSuccess":"true"}}"#;
    let json = "application/json";
    for (status, media, body, expected) in [
        (
            "200 OK",
            "text/html",
            "<html><h1>Welcome</h1></html>",
            "the login was answered 200 and not granted (text/html",
        ),
        ("500 Oops", json, "{}", "the login was answered 500 and not granted"),
        (
            "200 OK",
            json,
            "{}",
            "`access` is absent, `ok` is absent), and success is `status == 200 and filled(access) and ok`",
        ),
        ("200 OK", json, "{", "the login was answered 200 and not granted"),
        ("204 No Content", json, "", "the login was answered 204 and not granted"),
        ("200 OK", json, SAMPLE, "a refresh token that was never issued was granted"),
    ] {
        let bench = Bench::new();
        let suite = on_endpoint(&always(status, media, body), ", requests: 100, destructive: true");
        let output = bench.learn(&suite, &["--yes", "--out", "fragment.yaml"], &SECRETS);
        exits_with(&output, 3);
        let said = text(&output.stdout);
        assert!(said.contains(expected), "{status} {body}: {said}");
        assert!(!bench.path("fragment.yaml").exists(), "nothing is written");
    }
}

#[test]
fn an_endpoint_that_is_not_there_is_exit_3() {
    let output = Bench::new().learn(&on_endpoint("http://127.0.0.1:9", ""), &["--yes"], &SECRETS);
    exits_with(&output, 3);
    assert!(text(&output.stdout).contains("the login failed: connect refused"), "{}", text(&output.stdout));
}
