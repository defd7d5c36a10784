//! The fuzzer over real sockets: quiet on what is right, and a needle found and shown as small as it is.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use assay::chain::Identity;
use assay::chain::source::Source;
use assay::client::guard::Guard;
use assay::client::{Client, Target};
use assay::conformance::{self, Ground};
use assay::dialect::builtin;
use assay::mock::{Controller, MockOptions, MockServer};
use assay::results::event::{Narrator, Stop};
use assay::results::{CheckResult, Verdict};
use assay::secret::FingerprintKey;
use assay::source::SourceFile;
use assay::suite;
use assay::suite::defect::Defect;
use assay::suite::environment::MockSpec;

/// A suite with one check of its own.
fn suite_of(fuzz: &str) -> suite::Suite {
    let text = format!(
        "assay: 1\nname: fuzzing\ndialect: pfms\nenvironments:\n  mock: {{ mock: {{ policy: strict-family }} }}\n\
         checks:\n  use: []\n  own:\n    OWN-1:\n      title: Nothing falls over\n      destructive: fuzzing\n      \
         steps:\n        - fuzz: {fuzz}\n          as: mutants\n          must: [granted, refused]\n        \
         - refresh:\n          must: granted\n"
    );
    suite::parse(&SourceFile::new("own.yaml", text)).unwrap_or_else(|mistakes| {
        panic!("{}", assay::source::render(&mistakes, false));
    })
}

/// Runs the check against a mock with these defects; `only` names it, and perhaps a case.
fn fuzzed(fuzz: &str, defects: &[Defect], seed: u64, only: &str) -> CheckResult {
    let _alone = super::alone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (dialect, suite) = (builtin("pfms").unwrap(), suite_of(fuzz));
        let any = "127.0.0.1:0".parse().unwrap();
        let mock = MockServer::start(MockOptions {
            spec: MockSpec { defects: defects.to_vec(), ..MockSpec::default() },
            dialect: dialect.clone(),
            listen: any,
            control: any,
            controller: Controller::Endpoint,
            threads: 1,
        })
        .unwrap();
        let target = Target {
            url: mock.url().parse().unwrap(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(10),
            body_max: 1 << 20,
        };
        let identities = mock.identities().into_iter();
        let identities = identities
            .map(|(name, slots)| Arc::new(Identity { name, slots: slots.into_iter().collect() }))
            .collect();
        let client = Arc::new(Client::new(target, Guard::exempt()).unwrap());
        let dialect = Arc::new(dialect);
        let ground = Ground {
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
            seed,
            full: false,
            consent: true,
            again: "assay check --only ".to_owned(),
            today: jiff::civil::date(2026, 6, 1),
            sought: None,
        };
        let only = [only.to_owned()];
        let outcome = conformance::run(&ground, &only, &Narrator::silent(), &Stop::default()).await;
        assert!(outcome.gate.is_none(), "{:?}", outcome.gate);
        outcome.checks.into_iter().next().unwrap()
    })
}

fn means(check: &CheckResult) -> &str {
    let notes = &check.findings[0].notes;
    &notes.iter().find(|(word, _)| word == "means").unwrap().1
}

#[test]
fn a_crash_on_two_bytes_is_found_and_shrunk_to_these_two() {
    let fuzz = "{ formats: [json], change: [slots, document, body], count: 1000 }";
    for seed in [7, 8] {
        let found = fuzzed(fuzz, &[Defect::RareBytesCrash], seed, "OWN-1");
        assert_eq!(found.verdict, Verdict::Fail, "seed {seed}");
        let finding = &found.findings[0];
        assert_eq!((finding.claim.as_str(), finding.found.as_str()), ("mutants.outcome", "crash (500)"));
        let (_, body) = finding.evidence[0].sent.split_once("\n\n").unwrap();
        assert_eq!(body, "\\\u{1b}", "{}", means(&found));
        assert!(means(&found).contains("to 2 bytes"), "{}", means(&found));
    }
}

#[test]
fn a_case_is_sent_again_by_its_number() {
    let fuzz = "{ formats: [json], count: 1000 }";
    let found = fuzzed(fuzz, &[Defect::RareBytesCrash], 7, "OWN-1");
    let again = means(&found).split('\'').nth(1).unwrap().to_owned();
    assert!(again.starts_with("OWN-1#"), "{again}");
    let once = fuzzed(fuzz, &[Defect::RareBytesCrash], 7, &again);
    assert_eq!((once.verdict.clone(), once.findings[0].times), (Verdict::Fail, (1, 1)), "{again}");
    let clean = fuzzed(fuzz, &[], 7, &again);
    assert_eq!(clean.verdict, Verdict::Pass);
}

#[test]
fn a_refusal_that_spends_is_found_among_many() {
    let found = fuzzed("{ count: 600 }", &[Defect::ControlSpends], 7, "OWN-1");
    assert_eq!(found.verdict, Verdict::Fail);
    let finding = found.findings.iter().find(|finding| finding.expected == "a refusal that spends nothing");
    let finding = finding.unwrap_or_else(|| panic!("{:?}", found.findings));
    assert_eq!(finding.claim, "mutants.outcome");
    assert_eq!(finding.evidence.len(), 2, "the case, and the good call after it");
}

#[test]
#[ignore = "a hundred thousand requests"]
fn a_hundred_thousand_cases_on_the_clean_mock_raise_no_alarm() {
    let began = Instant::now();
    let quiet = fuzzed("{ count: 100000 }", &[], 20_261, "OWN-1");
    let took = began.elapsed();
    println!("100000 cases, seed 20261, {:.0} a second", 100_000.0 / took.as_secs_f64());
    assert_eq!(quiet.verdict, Verdict::Pass, "{:?}", quiet.findings);
    assert_eq!(quiet.judged, 100_001);
}
