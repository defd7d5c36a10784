//! Checks against the mock.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use assay::chain::Identity;
use assay::chain::source::Source;
use assay::client::guard::Guard;
use assay::client::side::Control;
use assay::client::{Client, Target};
use assay::conformance::{self, Ground, Outcome};
use assay::dialect::{self, Dialect};
use assay::mock::{Controller, MockOptions, MockServer};
use assay::results::event::{Narrator, Stop};
use assay::results::{CheckResult, Verdict};
use assay::secret::FingerprintKey;
use assay::source::SourceFile;
use assay::suite::defect::Defect;
use assay::suite::environment::{MockPolicy, MockSpec};
use assay::suite::{self, Suite};

/// A mock and everything that checks need to run against it.
pub(crate) struct Bench {
    mock: MockServer,
    pub(crate) ground: Ground,
}

/// The groups that say what the page states. What races, fuzzes, guesses and loads has tests of its own.
const CONTRACT: [&str; 4] = ["FMT-*", "SCH-*", "SUC-*", "ERR-*"];

/// A suite that is shipped, by its name.
pub fn shipped(name: &str) -> Suite {
    let path = format!("suites/{name}.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    suite::parse(&SourceFile::new(path, text)).unwrap_or_else(|mistakes| {
        panic!("{}", assay::source::render(&mistakes, false));
    })
}

/// A mock with these defects, in the policy that the first of them lives in.
fn spec(defects: &[Defect]) -> MockSpec {
    let usual = MockSpec::default();
    let policy = defects.first().and_then(|defect| defect.lives_in()).unwrap_or(usual.policy);
    MockSpec { policy, defects: defects.to_vec(), ..usual }
}

fn start(dialect: &Dialect, spec: MockSpec) -> MockServer {
    let any = "127.0.0.1:0".parse().unwrap();
    MockServer::start(MockOptions {
        spec,
        dialect: dialect.clone(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 1,
    })
    .unwrap()
}

/// What checks need against an address.
pub fn ground_at(url: &str, suite: Suite, dialect: &Dialect, identities: Vec<Arc<Identity>>) -> Ground {
    let target = Target {
        url: url.parse().unwrap(),
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(5),
        body_max: 1_000_000,
    };
    let client = Arc::new(Client::new(target, Guard::exempt()).unwrap());
    let dialect = Arc::new(dialect.clone());
    Ground {
        environment: Arc::new(suite.environments["mock"].clone()),
        suite: Arc::new(suite),
        source: Arc::new(Source::login(Arc::clone(&client), Arc::clone(&dialect))),
        dialect,
        client,
        identities,
        control: None,
        public_key: None,
        variables: indexmap::IndexMap::new(),
        is_mock: true,
        key: FingerprintKey::new(1, 2),
        seed: 7,
        full: false,
        consent: false,
        again: "assay check --only ".to_owned(),
        today: jiff::civil::date(2026, 6, 1),
        sought: None,
    }
}

impl Bench {
    pub(crate) fn of(name: &str, spec: MockSpec) -> Bench {
        let mut suite = shipped(name);
        if spec.policy != MockSpec::default().policy {
            suite.policy = spec.promised();
        }
        let dialect = dialect::builtin(&suite.dialect.value).unwrap();
        let mock = start(&dialect, spec);
        let identities = mock
            .identities()
            .into_iter()
            .map(|(name, slots)| Arc::new(Identity { name, slots: slots.into_iter().collect() }))
            .collect();
        let mut ground = ground_at(&mock.url(), suite, &dialect, identities);
        ground.control = Some(Control::new(mock.control_url().parse().unwrap()));
        Bench { mock, ground }
    }

    fn pfms(defects: &[Defect]) -> Bench {
        Bench::of("pfms", spec(defects))
    }

    pub(crate) async fn run(&self, only: &[&str]) -> Outcome {
        let only: Vec<String> = only.iter().map(|id| (*id).to_owned()).collect();
        conformance::run(&self.ground, &only, &Narrator::silent(), &Stop::default()).await
    }
}

fn told(check: &CheckResult) -> String {
    let mut text = format!("{} {:?}\n", check.id, check.verdict);
    for finding in &check.findings {
        let _ = write!(
            text,
            "  {:?} {}: expected {}, found {} ({:?} of {:?})\n    {:?}\n",
            finding.strength,
            finding.claim,
            finding.expected,
            finding.found,
            finding.cell,
            finding.times,
            finding.notes
        );
        for evidence in &finding.evidence {
            let _ = write!(text, "    > {}\n    < {}\n", evidence.sent, evidence.received);
        }
        let _ = writeln!(text, "    {:?}", finding.again);
    }
    text
}

/// Checks that are not green: failed, warned, or in doubt. A check of what the policy does not promise is skipped.
fn not_green(outcome: &Outcome) -> Vec<&CheckResult> {
    let green = |check: &&CheckResult| matches!(check.verdict, Verdict::Pass | Verdict::Skipped { .. });
    outcome.checks.iter().filter(|check| !green(check)).collect()
}

#[track_caller]
fn assert_green(outcome: &Outcome) {
    assert!(outcome.gate.is_none(), "{:?}", outcome.gate);
    let text: String = not_green(outcome).into_iter().map(told).collect();
    assert!(text.is_empty(), "{text}\nnot applicable: {:?}", outcome.not_applicable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_check_of_the_contract_is_green_on_the_clean_mock() {
    let bench = Bench::pfms(&[]);
    let outcome = bench.run(&CONTRACT).await;
    assert_green(&outcome);
    assert!(outcome.checks.len() >= 65, "{}", outcome.checks.len());
    assert_eq!(outcome.formats.len(), 25);
    assert!(outcome.formats.iter().all(|cell| cell.good), "{:?}", outcome.formats);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oauth2_suite_is_green_on_its_mock_and_names_what_does_not_apply() {
    let light = ["FMT-*", "SCH-*", "SUC-*", "ERR-*", "LIF-*", "OAU-*"];
    let outcome = Bench::of("oauth2", MockSpec::default()).run(&light).await;
    assert_green(&outcome);
    assert!(outcome.checks.len() >= 10, "{}", outcome.checks.len());
    assert!(outcome.not_applicable.iter().all(|line| line.contains(": ")), "{:?}", outcome.not_applicable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_books_agree_exactly() {
    for defects in [&[][..], &[Defect::PutRefreshes], &[Defect::UnknownGranted, Defect::QueryBinds]] {
        let bench = Bench::pfms(defects);
        let outcome = bench.run(&CONTRACT).await;
        let ledger = bench.mock.ledger();
        assert_eq!(outcome.counted.granted, ledger.granted, "{defects:?}");
        assert_eq!(outcome.counted.refused, ledger.refused, "{defects:?}");
        assert_eq!(outcome.counted.unanswered, 0, "{defects:?}");
    }
}

/// An endpoint that says the same to everybody.
fn always(answer: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        while let Ok((mut connection, _)) = listener.accept() {
            let mut head = vec![0; 65_536];
            // One read is enough for a small request in one write; what follows is closed anyway.
            if connection.read(&mut head).is_ok() {
                drop(connection.write_all(answer.as_bytes()));
            }
        }
    });
    url
}

fn stranger(url: &str) -> Ground {
    let suite = shipped("pfms");
    let dialect = dialect::builtin("pfms").unwrap();
    let mock = start(&dialect, MockSpec::default());
    let identities = mock
        .identities()
        .into_iter()
        .map(|(name, slots)| Arc::new(Identity { name, slots: slots.into_iter().collect() }))
        .collect();
    ground_at(url, suite, &dialect, identities)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_always_says_the_same_fails_with_one_reason_and_passes_nothing() {
    let sample = concat!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 85\r\n\r\n",
        r#"{"AckCode":"sample string 1","Status":"sample string 2","RefreshTokenResponse":null}"#,
        "\n"
    );
    let cases = [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
            "200",
        ),
        ("HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "500"),
        (sample, "200"),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 9\r\n\r\n<p>Hi</p>",
            "200",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{", "closed within"),
        ("garbage\r\n\r\n", "not http"),
    ];
    for (answer, reason) in cases {
        let ground = stranger(&always(answer));
        let outcome = conformance::run(&ground, &[], &Narrator::silent(), &Stop::default()).await;
        let gate = outcome.gate.expect("the good call cannot work");
        assert!(gate.answered, "{answer}: {}", gate.reason);
        assert!(gate.reason.contains(reason), "{answer}: {}", gate.reason);
        assert!(!gate.evidence.is_empty());
        assert!(outcome.checks.iter().all(|check| matches!(check.verdict, Verdict::Skipped { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_call_that_is_answered_and_not_granted_is_red_in_the_checks_of_just_that_call() {
    let mut bench = Bench::pfms(&[]);
    let mut dialect = (*bench.ground.dialect).clone();
    let refresh = dialect.operations.get_mut(&suite::call::Operation::Refresh).unwrap();
    for accepts in refresh.accepts.values_mut() {
        for (name, _) in accepts.body.iter_mut().filter(|(name, _)| name == "RefreshToken") {
            name.push('X');
        }
    }
    bench.ground.dialect = Arc::new(dialect);
    let outcome = bench.run(&[]).await;
    assert!(outcome.gate.is_some_and(|gate| gate.answered));
    let of = |id: &str| outcome.checks.iter().find(|check| check.id == id).unwrap();
    assert_eq!(of("FMT-01").verdict, Verdict::Fail);
    assert!(!of("FMT-01").findings[0].evidence.is_empty());
    assert!(outcome.checks.iter().all(|check| check.verdict != Verdict::Pass));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_port_could_not_run() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let outcome = conformance::run(&stranger(&url), &[], &Narrator::silent(), &Stop::default()).await;
    let gate = outcome.gate.expect("nobody listens");
    assert!(!gate.answered);
    assert!(gate.reason.contains("connect refused"), "{}", gate.reason);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_told_holds_a_secret() {
    let mut bench =
        Bench::pfms(&[Defect::UnknownGranted, Defect::FormRefused, Defect::QueryBinds, Defect::FlagSpelling]);
    for is_mock in [true, false] {
        bench.ground.is_mock = is_mock;
        let outcome = bench.run(&[]).await;
        let text = serde_json::to_string(&(&outcome.checks, &outcome.gate, &outcome.formats)).unwrap();
        assert!(outcome.checks.iter().any(|check| !check.findings.is_empty()));
        assert!(!text.contains("eyJ"), "a JWT");
        for (name, slots) in bench.mock.identities() {
            for (slot, value) in slots.iter().filter(|(slot, _)| slot.is_secret()) {
                assert!(!text.contains(value.expose()), "{name}'s {}", slot.word());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finding_can_be_done_again_in_a_shell() {
    let outcome = Bench::pfms(&[Defect::FormRefused, Defect::AcceptIgnored]).run(&["FMT-05", "FMT-07"]).await;
    let again: Vec<&str> = outcome
        .checks
        .iter()
        .flat_map(|check| &check.findings)
        .filter_map(|finding| finding.again.as_deref())
        .collect();
    assert_eq!(again.len(), 2, "{}", outcome.checks.iter().map(told).collect::<String>());
    assert!(again[0].contains("--data-urlencode 'RefreshToken='\"$REFRESH\""), "{}", again[0]);
    assert!(again[1].contains("-H 'Accept: text/xml'"), "{}", again[1]);
    assert!(again[1].contains("\"$REFRESH\""), "{}", again[1]);
}

fn with_standing(id: &str, standing: suite::check::Standing, defects: &[Defect]) -> Bench {
    let mut bench = Bench::pfms(defects);
    let mut suite = Suite::clone(&bench.ground.suite);
    suite.checks.iter_mut().find(|check| check.id == id).unwrap().standing = standing;
    bench.ground.suite = Arc::new(suite);
    bench
}

fn known_until(day: jiff::civil::Date, intermittent: bool) -> suite::check::Standing {
    let file = SourceFile::new("suites/x.yaml", "x");
    suite::check::Standing::Known {
        intermittent,
        until: day,
        owner: "platform".to_owned(),
        why: "ships in 4.2".to_owned(),
        at: assay::source::Place { file, span: assay::source::Span::new(0, 1) },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expected_failure_is_known_until_its_day_and_stale_when_it_passes() {
    let june = jiff::civil::date(2026, 6, 20);
    let may = jiff::civil::date(2026, 5, 20);
    let verdict = async |day, defects: &[Defect]| {
        with_standing("FMT-06", known_until(day, false), defects)
            .run(&["FMT-06"])
            .await
            .checks
            .remove(0)
            .verdict
    };
    let broken = [Defect::TextJsonAnswerRelabelled];
    assert!(matches!(verdict(june, &broken).await, Verdict::Known { days_left: 19, .. }));
    assert!(matches!(verdict(may, &broken).await, Verdict::Stale { .. }));
    assert!(matches!(verdict(june, &[]).await, Verdict::Stale { .. }));
    let comes_and_goes = async |day, defects: &[Defect]| {
        with_standing("FMT-06", known_until(day, true), defects)
            .run(&["FMT-06"])
            .await
            .checks
            .remove(0)
            .verdict
    };
    assert_eq!(comes_and_goes(june, &[]).await, Verdict::Pass);
    assert!(matches!(comes_and_goes(june, &broken).await, Verdict::Known { .. }));
    assert!(matches!(comes_and_goes(may, &broken).await, Verdict::Stale { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_stopped_says_so_of_every_check_it_did_not_run() {
    let bench = Bench::pfms(&[]);
    let stop = Stop::default();
    stop.ask();
    let only = CONTRACT.map(str::to_owned);
    let outcome = conformance::run(&bench.ground, &only, &Narrator::silent(), &stop).await;
    assert!(outcome.gate.is_none());
    assert!(
        outcome
            .checks
            .iter()
            .all(|check| { check.verdict == Verdict::Skipped { reason: "the run was stopped".to_owned() } })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_a_clock_or_an_undocumented_operation_is_skipped_without_them() {
    let mut bench = Bench::pfms(&[]);
    bench.ground.control = None;
    let mut environment = bench.ground.environment.as_ref().clone();
    let live = bench.ground.suite.environments["live"].clone();
    environment.target = live.target;
    environment.patience = Duration::from_secs(1);
    bench.ground.environment = Arc::new(environment);
    let outcome = bench.run(&["SUC-07", "SUC-11", "SUC-12", "ERR-14", "SUC-01"]).await;
    let reason = |id: &str| match &outcome.checks.iter().find(|check| check.id == id).unwrap().verdict {
        Verdict::Skipped { reason } => reason.clone(),
        other => format!("{other:?}"),
    };
    assert!(reason("SUC-07").contains("patience"), "{}", reason("SUC-07"));
    assert!(reason("SUC-11").contains("does not offer `probe`"), "{}", reason("SUC-11"));
    assert!(reason("ERR-14").contains("clock"), "{}", reason("ERR-14"));
    assert_eq!(reason("SUC-01"), "Pass");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_never_exceeded() {
    let bench = Bench::pfms(&[]);
    let ground = &bench.ground;
    let planned = conformance::plan(&ground.suite, &ground.environment, &ground.dialect, false);
    let outcome = bench.run(&CONTRACT).await;
    for check in &outcome.checks {
        let row = planned.iter().find(|row| row.id == check.id).unwrap();
        assert_eq!(row.skipped, None, "{}", check.id);
        assert!(
            check.requests <= row.burn.requests,
            "{}: {} of {}",
            check.id,
            check.requests,
            row.burn.requests
        );
    }
}

/// Checks of a suite's own, in the words of the language.
fn own_checks(yaml: &str, spec: MockSpec) -> Bench {
    let mut bench = Bench::of("pfms", spec);
    let mut suite = Suite::clone(&bench.ground.suite);
    suite.checks = suite::parse_checks("own", &SourceFile::new("suites/own.yaml", yaml))
        .unwrap_or_else(|mistakes| panic!("{}", assay::source::render(&mistakes, false)));
    bench.ground.suite = Arc::new(suite);
    bench
}

const LIFECYCLE: &str = "
LIF-05:
  title: A replay ends the family, if promised
  basis: [policy]
  steps:
    - refresh:
    - refresh: { use: previous }
      must: promised
    - refresh:
      must: promised
LIF-02:
  title: Tokens never repeat
  basis: [practice]
  steps:
    - refresh:
      times: 20
      as: all
      given: granted
  together:
    - of: all
      must: { distinct: [refresh, access], measured: granted == 20 }
LIF-15:
  title: A revoked chain is refused
  basis: [practice]
  steps:
    - refresh:
    - revoke:
      given: granted
    - refresh:
      must: refused
RAC-10:
  title: A client that hangs up leaves no lock behind
  basis: [practice]
  steps:
    - refresh: { wire: { abort: sent } }
    - refresh:
      must: { outcome: [granted, refused], within: 2s }
SEC-02:
  title: Nobody is called
  basis: [practice]
  steps:
    - refresh: { headers: { Referer: $callback } }
      must: { outcome: granted, callback: never }
OWN-01:
  title: A given that is not given
  basis: [practice]
  steps:
    - refresh: { set: { secret: { flip: middle } } }
      given: granted
    - refresh:
      must: granted
OWN-02:
  title: A step that was granted nothing
  basis: [practice]
  steps:
    - refresh: { set: { secret: { flip: middle } } }
      as: none
      info: refused
    - refresh: { use: none }
      must: granted
";

fn strict() -> suite::policy::Policy {
    shipped("pfms").policy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_are_walked_replayed_revoked_and_given_up() {
    let bench = own_checks(LIFECYCLE, MockSpec::default());
    let outcome = bench.run(&[]).await;
    let verdict = |id: &str| &outcome.checks.iter().find(|check| check.id == id).unwrap().verdict;
    for id in ["LIF-05", "LIF-02", "LIF-15", "RAC-10", "SEC-02"] {
        assert_eq!(*verdict(id), Verdict::Pass, "{}", outcome.checks.iter().map(told).collect::<String>());
    }
    assert!(
        matches!(verdict("OWN-01"), Verdict::Inconclusive { reason } if reason.contains("not granted: refused")),
        "{:?}",
        verdict("OWN-01")
    );
    assert!(
        matches!(verdict("OWN-02"), Verdict::Inconclusive { reason } if reason.contains("`none` was granted nothing")),
        "{:?}",
        verdict("OWN-02")
    );
    assert!(outcome.burnt.families_lost >= 3, "{:?}", outcome.burnt);
    assert!(outcome.burnt.chains >= 7, "{:?}", outcome.burnt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promise_that_is_not_kept_points_at_its_line() {
    // The suite promises that a replay is refused, the mock answers it within grace.
    let spec = MockSpec { policy: MockPolicy::GraceSamePair, ..MockSpec::default() };
    let mut bench = own_checks(LIFECYCLE, spec);
    let mut suite = Suite::clone(&bench.ground.suite);
    suite.policy = strict();
    bench.ground.suite = Arc::new(suite);
    let outcome = bench.run(&["LIF-05"]).await;
    let check = &outcome.checks[0];
    assert_eq!(check.verdict, Verdict::Fail, "{}", told(check));
    let finding = &check.findings[0];
    assert_eq!(finding.expected, "`refused`, as `replay.answer` promises");
    let promise = finding.notes.iter().find(|(word, _)| word == "promise").map(|(_, text)| text.as_str());
    assert!(promise.is_some_and(|text| text.starts_with("suites/pfms.yaml:")), "{:?}", finding.notes);
    assert!(strict().replay_answer.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_promised_is_not_judged() {
    let mut bench = own_checks(LIFECYCLE, MockSpec::default());
    let mut suite = Suite::clone(&bench.ground.suite);
    suite.policy.replay_answer = None;
    bench.ground.suite = Arc::new(suite);
    let outcome = bench.run(&["LIF-05"]).await;
    assert!(
        matches!(&outcome.checks[0].verdict, Verdict::Skipped { reason } if reason.contains("`replay.answer`")),
        "{:?}",
        outcome.checks[0].verdict
    );
}
