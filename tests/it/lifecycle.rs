//! The lifecycle checks against the mock in each of its policies, and against endpoints that have less.

use std::fmt::Write as _;
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
use assay::suite::environment::{MockPolicy, MockSpec, Variant};
use assay::suite::policy::Policy;
use assay::suite::{self, Suite};

struct Bench {
    // Stops when dropped.
    _mock: MockServer,
    ground: Ground,
}

/// A shipped suite with the lifecycle checks alone.
fn lifecycle(name: &str, policy: Policy) -> Suite {
    let path = format!("suites/{name}.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = match text.find("  use: [") {
        Some(at) => {
            let end = text[at..].find('\n').unwrap();
            format!("{}  use: [lifecycle]{}", &text[..at], &text[at + end..])
        }
        None => text.replace("  standards: [contract]", "  standards: [contract]\n  use: [lifecycle]"),
    };
    let suite = suite::parse(&SourceFile::new(path, text))
        .unwrap_or_else(|mistakes| panic!("{}", assay::source::render(&mistakes, false)));
    Suite { policy, ..suite }
}

fn start(dialect: &Dialect, spec: MockSpec) -> MockServer {
    let any = "127.0.0.1:0".parse().unwrap();
    let options = MockOptions {
        spec,
        dialect: dialect.clone(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 1,
    };
    MockServer::start(options).unwrap()
}

impl Bench {
    fn of(name: &str, spec: MockSpec, policy: Policy) -> Bench {
        let suite = lifecycle(name, policy);
        let dialect = Arc::new(dialect::builtin(&suite.dialect.value).unwrap());
        let mock = start(&dialect, spec);
        let target = Target {
            url: mock.url().parse().unwrap(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            body_max: 1_000_000,
        };
        let client = Arc::new(Client::new(target, Guard::exempt()).unwrap());
        let identity =
            |(name, slots): (String, Vec<_>)| Arc::new(Identity { name, slots: slots.into_iter().collect() });
        let ground = Ground {
            environment: Arc::new(suite.environments["mock"].clone()),
            suite: Arc::new(suite),
            source: Arc::new(Source::login(Arc::clone(&client), Arc::clone(&dialect))),
            dialect,
            client,
            identities: mock.identities().into_iter().map(identity).collect(),
            control: Some(Control::new(mock.control_url().parse().unwrap())),
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
        };
        Bench { _mock: mock, ground }
    }

    /// The PFMS mock in a policy, and a suite that is told so.
    fn promised(policy: MockPolicy) -> Bench {
        let spec = MockSpec { policy, ..MockSpec::default() };
        let promised = spec.promised();
        Bench::of("pfms", spec, promised)
    }

    async fn run(&self) -> Outcome {
        self.only(&[]).await
    }

    async fn only(&self, ids: &[String]) -> Outcome {
        conformance::run(&self.ground, ids, &Narrator::silent(), &Stop::default()).await
    }
}

fn told(check: &CheckResult) -> String {
    let mut text = format!("{} {:?}\n", check.id, check.verdict);
    for finding in &check.findings {
        let _ = writeln!(
            text,
            "  {:?} {}: expected {}, found {} ({:?})",
            finding.strength, finding.claim, finding.expected, finding.found, finding.times
        );
    }
    text
}

fn of<'o>(outcome: &'o Outcome, id: &str) -> &'o CheckResult {
    outcome.checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("{id} was not looked at"))
}

fn skipped(check: &CheckResult) -> Option<&str> {
    match &check.verdict {
        Verdict::Skipped { reason } => Some(reason),
        _ => None,
    }
}

/// What neither passed nor was skipped with a reason.
fn not_green(outcome: &Outcome) -> String {
    let green = |check: &&CheckResult| check.verdict == Verdict::Pass || skipped(check).is_some();
    outcome.checks.iter().filter(|check| !green(check)).map(told).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_policy_keeps_what_it_promises() {
    let mut red = String::new();
    let mut judged = std::collections::BTreeSet::new();
    for (policy, word) in MockPolicy::ALL {
        let outcome = Bench::promised(policy).run().await;
        assert!(outcome.gate.is_none(), "{word}: {:?}", outcome.gate);
        let alarm = not_green(&outcome);
        if !alarm.is_empty() {
            let _ = writeln!(red, "{word}:\n{alarm}");
        }
        judged.extend(
            outcome
                .checks
                .iter()
                .filter(|check| check.verdict == Verdict::Pass)
                .map(|check| check.id.clone()),
        );
    }
    assert!(red.is_empty(), "{red}");
    let all = lifecycle("pfms", Policy::default()).checks;
    let never: Vec<&str> =
        all.iter().map(|check| check.id.as_str()).filter(|id| !judged.contains(*id)).collect();
    assert!(never.is_empty(), "no policy has anything to judge for {never:?}");
}

/// The defect in the policy that it lives in, and what the suite is told of that.
fn wrong(defect: Defect) -> Bench {
    let usual = MockSpec::default();
    let policy = defect.lives_in().unwrap_or(usual.policy);
    let spec = MockSpec { policy, defects: vec![defect], ..usual };
    let promised = spec.promised();
    Bench::of("pfms", spec, promised)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_claim_is_failed_by_a_defect_that_its_proof_names() {
    let checks = lifecycle("pfms", Policy::default()).checks;
    let mut defects: Vec<Defect> = checks.iter().flat_map(|check| check.proof.keys().copied()).collect();
    defects.sort_unstable();
    defects.dedup();
    let mut escaped = String::new();
    for defect in defects {
        let meant = || checks.iter().filter(|check| check.proof.contains_key(&defect));
        let ids: Vec<String> = meant().map(|check| check.id.clone()).collect();
        let outcome = wrong(defect).only(&ids).await;
        for check in meant() {
            let result = of(&outcome, &check.id);
            for claim in &check.proof[&defect] {
                let name = match &claim.step {
                    Some(step) => format!("{step}.{}", claim.word),
                    None => claim.word.clone(),
                };
                let hit = result.findings.iter().any(|finding| {
                    finding.claim == name
                        || claim.step.is_none() && finding.claim.ends_with(&format!(".{name}"))
                });
                if !hit {
                    let _ = writeln!(escaped, "{} at {name}: {}", defect.word(), told(result));
                }
            }
        }
    }
    assert!(escaped.is_empty(), "{escaped}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_policy_nothing_is_red_and_what_was_seen_is_said() {
    let outcome = Bench::of("pfms", MockSpec::default(), Policy::default()).run().await;
    assert!(not_green(&outcome).is_empty(), "{}", not_green(&outcome));
    let reason = |id: &str| skipped(of(&outcome, id)).unwrap_or_else(|| panic!("{id} was judged")).to_owned();
    assert!(reason("LIF-03").contains("`policy.rotation` is not known"), "{}", reason("LIF-03"));
    assert!(reason("LIF-04").contains("`policy.grace.for` is not known"), "{}", reason("LIF-04"));
    let replay = reason("LIF-06");
    assert!(replay.contains("says nothing of `grace`; observed: refused: reused"), "{replay}");
    let probe = reason("LIF-13");
    assert!(probe.contains("says nothing of `old-access`; observed: granted"), "{probe}");
    // What needs no promise is judged all the same.
    for id in ["LIF-01", "LIF-02", "LIF-10", "LIF-14", "LIF-16", "LIF-29", "LIF-30"] {
        assert_eq!(of(&outcome, id).verdict, Verdict::Pass, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_whose_clock_cannot_be_moved_is_asked_what_it_can_be_asked() {
    let mut bench = Bench::promised(MockPolicy::StrictFamily);
    bench.ground.control = None;
    let mut environment = (*bench.ground.environment).clone();
    environment.target = suite::environment::Target::Url(suite::call::Template::default());
    environment.patience = Duration::from_millis(10);
    bench.ground.environment = Arc::new(environment);
    let outcome = bench.run().await;
    assert!(not_green(&outcome).is_empty(), "{}", not_green(&outcome));
    let skip = |id: &str| skipped(of(&outcome, id)).unwrap_or_else(|| panic!("{id} was judged")).to_owned();
    assert!(skip("LIF-11").contains("the clock cannot be moved"), "{}", skip("LIF-11"));
    assert!(skip("LIF-12").contains("the clock cannot be moved"), "{}", skip("LIF-12"));
    assert!(skip("LIF-16").contains("restarted"), "{}", skip("LIF-16"));
    assert!(skip("LIF-13").contains("does not offer `probe`"), "{}", skip("LIF-13"));
    assert!(skip("LIF-15").contains("does not offer `revoke`"), "{}", skip("LIF-15"));
    for id in ["LIF-01", "LIF-02", "LIF-03", "LIF-06", "LIF-10", "LIF-28", "LIF-30"] {
        assert_eq!(of(&outcome, id).verdict, Verdict::Pass, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oauth2_endpoint_keeps_what_it_promises() {
    for policy in [MockPolicy::StrictFamily, MockPolicy::GraceNewPair, MockPolicy::None] {
        let spec = MockSpec { policy, ..MockSpec::default() };
        let promised = spec.promised();
        let outcome = Bench::of("oauth2", spec, promised).run().await;
        assert!(not_green(&outcome).is_empty(), "{policy:?}\n{}", not_green(&outcome));
        assert_eq!(of(&outcome, "LIF-01").verdict, Verdict::Pass);
        assert_eq!(of(&outcome, "LIF-15").verdict, Verdict::Pass);
    }
}

#[test]
fn the_shipped_suites_promise_what_their_mock_keeps() {
    let path = "suites/pfms.yaml";
    let text = std::fs::read_to_string(path).unwrap();
    let suite = suite::parse(&SourceFile::new(path.to_owned(), text)).unwrap();
    // What a server promises of its speed is no matter of the mock.
    let bare = |policy: &Policy| {
        let budget = Policy::default().budget;
        format!("{:?}", Policy { places: Vec::new(), unconfirmed: None, budget, ..policy.clone() })
    };
    assert_eq!(bare(&suite.policy), bare(&MockSpec::default().promised()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_endpoint_does_not_state_is_not_asked_of_it() {
    let variants = vec![Variant::OpaqueTokens, Variant::NoExpiry];
    let spec = MockSpec { variants, ..MockSpec::default() };
    let promised = spec.promised();
    let outcome = Bench::of("pfms", spec, promised).run().await;
    assert!(not_green(&outcome).is_empty(), "{}", not_green(&outcome));
    let skip = |id: &str| skipped(of(&outcome, id)).unwrap_or_else(|| panic!("{id} was judged")).to_owned();
    assert!(skip("LIF-14").contains("`fresh.expires` is not known"), "{}", skip("LIF-14"));
    assert!(skip("LIF-28").contains("do not state `access#jti`"), "{}", skip("LIF-28"));
    assert_eq!(of(&outcome, "LIF-05").verdict, Verdict::Pass);
}
