//! Whole suites, what their words mean, and the catalogue.

use std::time::Duration;

use crate::source::{SourceFile, render};

use super::call::{Made, Operation, PairUse, Part, Reference, Slot, SlotRef};
use super::check::{AccessNeed, Dimension, Standing, Verb, Wait};
use super::claim::{Expectation, Field, FieldPlace, OutcomeWord, StatusPattern, Strength};
use super::defect::Defect;
use super::environment::{ChainSource, MockLatency, Target};
use super::policy::Grace;
use super::profile::{Model, Stage};
use super::*;

const HEAD: &str =
    "assay: 1\nname: x\ndialect: pfms\nenvironments: { mock: { mock: { policy: strict-reject } } }\n";

fn suite(text: &str) -> Suite {
    let file = SourceFile::new("x.yaml", format!("{HEAD}{text}"));
    parse(&file).unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, false)))
}

fn check(text: &str) -> Check {
    let file = SourceFile::new("x.yaml", format!("X-1:\n  title: x\n{text}"));
    let checks = parse_checks("own", &file).unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, false)));
    checks.into_iter().next().unwrap()
}

fn call(check: &Check, step: usize) -> &call::Call {
    match &check.steps[step].verb {
        Verb::Call(call) => call,
        Verb::Race(_) | Verb::Load(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            panic!("no call")
        }
    }
}

#[test]
fn the_catalogue_and_the_shipped_suites_are_read() {
    let mut ids = std::collections::HashSet::new();
    for check in catalogue::checks() {
        assert!(ids.insert(check.id.as_str()), "{} occurs in two groups", check.id);
    }
    for shipped in [include_str!("../../suites/pfms.yaml"), include_str!("../../suites/oauth2.yaml")] {
        let file = SourceFile::new("suites/shipped.yaml", shipped);
        let suite = parse(&file).unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, false)));
        assert!(!suite.checks.is_empty());
    }
}

#[test]
fn every_check_of_the_catalogue_says_how_to_mend_the_server() {
    for check in catalogue::checks() {
        let fix = check.fix.as_deref().unwrap_or_else(|| panic!("{} has no `fix:`", check.id));
        assert!((20..=400).contains(&fix.chars().count()), "{}: `fix:` is one or two sentences", check.id);
        assert!(fix.ends_with('.'), "{}: `fix:` is a sentence", check.id);
    }
}

#[test]
fn a_suite_that_says_little_means_the_usual() {
    let suite = suite("");
    assert_eq!(suite.checks.len(), catalogue::checks().len());
    assert_eq!(suite.standards, [check::Standard::Contract]);
    assert_eq!(suite.digest.len(), 64);
    let mock = &suite.environments["mock"];
    assert_eq!(mock.chains, ChainSource::Login);
    assert_eq!(mock.timeout, Duration::from_secs(10));
    assert!(suite.policy.rotation.is_none() && suite.policy.slack.is_zero());
}

#[test]
fn a_policy_that_nobody_confirmed_fails_no_run() {
    let own = "checks:\n  use: []\n  own:\n    A-1:\n      title: a\n      basis: [practice]\n      steps:\n        - refresh:\n        - { refresh: { use: previous }, must: { outcome: promised, within: 2s } }\n    A-2:\n      title: b\n      basis: [practice]\n      when: policy.grace == none\n      steps: [{ refresh: {}, must: granted }]\n    A-3:\n      title: c\n      basis: [practice]\n      steps: [{ refresh: {}, must: granted }]\n";
    let of = |policy: &str| -> Vec<(Strength, usize)> {
        let suite = suite(&format!("policy: {{ {policy}grace: none }}\n{own}"));
        suite.checks.iter().map(|check| (check.severity(), check.observed.len())).collect()
    };
    let must = Strength::Must;
    assert_eq!(of(""), [(must, 0), (must, 0), (must, 0)]);
    assert_eq!(of("confirmed: true, "), [(must, 0), (must, 0), (must, 0)]);
    // The time limit of the first is nobody's promise, so it stays a must.
    assert_eq!(of("confirmed: false, "), [(must, 1), (Strength::Should, 1), (must, 0)]);
}

#[test]
fn a_refresh_without_a_word_sets_the_stage() {
    let read = check(
        "  chains: { B: {} }\n  steps:\n    - refresh:\n    - refresh: { chain: B }\n    - refresh: { use: previous }\n    - refresh: { cut: 1 }\n    - probe:\n",
    );
    for step in &read.steps[..2] {
        assert_eq!(step.claims.len(), 1);
        assert_eq!(step.claims[0].strength, Strength::Given);
        assert!(
            matches!(&step.claims[0].what, Expectation::Outcome(words) if *words == [OutcomeWord::Granted])
        );
        assert_eq!(read.file.slice(step.claims[0].at), "refresh");
    }
    assert!(read.steps[2..].iter().all(|step| step.claims.is_empty()));
    assert_eq!(call(&read, 4).operation, Operation::Probe);
}

#[test]
fn claims_know_their_own_words() {
    let read = check(
        "  steps:\n    - refresh: { cut: 1 }\n      must: refused\n      should: [refused, closed]\n      info: { status: [405, 4xx], shape: [names], part: /, at: { header:Allow: { like: POST }, code: '7' }, within: 2x }\n",
    );
    let claims = &read.steps[0].claims;
    let words: Vec<&str> = claims.iter().map(|claim| read.file.slice(claim.at)).collect();
    assert_eq!(
        words,
        [
            "refused",
            "[refused, closed]",
            "status: [405, 4xx]",
            "shape: [names]",
            "header:Allow: { like: POST }",
            "code: '7'",
            "within: 2x",
        ]
    );
    assert!(matches!(&claims[2].what, Expectation::Status(all)
        if *all == [StatusPattern::Exactly(405), StatusPattern::Family(4)]));
    assert!(matches!(&claims[4].what, Expectation::At(FieldPlace::Header(name), _) if name == "Allow"));
    assert!(
        matches!(&claims[6].what, Expectation::Within(claim::Bound::Times(times)) if (*times - 2.0).abs() < 1e-9)
    );
    assert_eq!(read.severity(), Strength::Must);
}

#[test]
fn references_find_what_they_mean() {
    let read = check(
        "  chains: { B: { tenant: other, access: expired, count: 2..4 } }\n  over: { type: [a, b], change: { one: { set: { $type: null } } } }\n  steps:\n    - { refresh: {}, as: first-try }\n    - refresh:\n        format: $type\n        with: $change\n        set: { refresh: \"${refresh}é$$\", tenant: $B.tenant, secret: $secret:S, access: $own.first.id#sub, code: $first-try.sent.code, user: $first-try.access }\n      must: { at: { access: { not: $sent.access } } }\n    - refresh: { use: first-try, path: $path/x, query: $good }\n",
    );
    let changes = &call(&read, 1).changes;
    let part = |at: usize| match &changes.set[at].1 {
        Made::Text(template) => template.parts[0].clone(),
        other => panic!("{other:?}"),
    };
    let Made::Text(joined) = &changes.set[0].1 else { panic!() };
    assert_eq!(joined.parts, [Part::Reference(Reference::Slot(Slot::Refresh)), Part::Text("é$".into())]);
    let chain_slot = Reference::ChainSlot { chain: "B".into(), slot: Slot::Tenant };
    assert_eq!(part(1), Part::Reference(chain_slot));
    assert_eq!(part(2), Part::Reference(Reference::Secret("S".into())));
    let field = FieldPlace::Claim(Field::Id, "sub".into());
    let generation = Reference::Generation { chain: "own".into(), pair: PairUse::First, field };
    assert_eq!(part(3), Part::Reference(generation));
    let sent = Reference::StepSent { step: "first-try".into(), slot: Slot::Code };
    assert_eq!(part(4), Part::Reference(sent));
    let field = FieldPlace::Field(Field::Access);
    assert_eq!(part(5), Part::Reference(Reference::Received { step: "first-try".into(), field }));
    assert_eq!(call(&read, 1).with, ["change"]);
    assert_eq!(call(&read, 2).pair, PairUse::Step("first-try".into()));
    let path = call(&read, 2).changes.path.as_ref().unwrap();
    assert_eq!(path.parts, [Part::Reference(Reference::Path), Part::Text("/x".into())]);
    let Dimension::Changes(named) = &read.over["change"] else { panic!() };
    assert_eq!(named["one"].set[0], (SlotRef::Dimension("type".into()), Made::Null));
    let need = &read.chains["B"];
    assert_eq!((need.other_tenant, need.access), (true, Some(AccessNeed::Expired)));
}

#[test]
fn made_values_are_made() {
    let read = check(
        "  steps:\n    - refresh:\n        set: { refresh: [{ flip: end }, \"=\"], tenant: { raw: 09 }, secret: { hex: C0 AF }, code: { filler: 5MB }, user: { raw: null }, access: { forge: { alg: none, claims: { sub: $tenant } } } }\n        headers: { X-One: null, X-Two: [a, b] }\n        label: null\n        body: { like: $refresh }\n      must: refused\n",
    );
    let changes = &call(&read, 0).changes;
    assert!(matches!(&changes.set[0].1, Made::Join(parts) if parts.len() == 2));
    assert_eq!(changes.set[1].1, Made::Raw(call::Template::plain("09")));
    assert_eq!(changes.set[2].1, Made::Hex(vec![0xC0, 0xAF]));
    assert_eq!(changes.set[3].1, Made::Filler(5_000_000));
    assert_eq!(changes.set[4].1, Made::Raw(call::Template::plain("null")));
    assert!(matches!(&changes.set[5].1, Made::Forge(forge) if forge.claims.len() == 1));
    assert_eq!(changes.headers[0], ("X-One".to_owned(), Vec::new()));
    assert_eq!(changes.headers[1].1.len(), 2);
    assert_eq!((&changes.label, &changes.accept), (&Some(None), &None));
    assert_eq!(changes.body, Some(Made::Like(Reference::Slot(Slot::Refresh))));
}

#[test]
fn waits_are_exact_or_computed() {
    let read = check(
        "  steps:\n    - { refresh: {}, as: one }\n    - wait: 30d\n    - wait: policy.grace.for + 1s\n    - wait: { until: one.expires }\n    - restart:\n    - { refresh: {}, every: 1h, for: policy.cap }\n",
    );
    assert!(matches!(&read.steps[1].verb, Verb::Wait(Wait::Exactly(time)) if time.as_secs() == 30 * 86_400));
    assert!(matches!(&read.steps[2].verb, Verb::Wait(Wait::For(_))));
    assert!(matches!(&read.steps[3].verb, Verb::Wait(Wait::Until(_))));
    assert!(matches!(&read.steps[4].verb, Verb::Restart));
    assert!(read.steps[5].every.is_some() && read.steps[5].lasting.is_some());
}

#[test]
fn standards_raise_and_severity_decides() {
    let own = "checks:\n  use: []\n  STANDARDS\n  own:\n    A-1:\n      title: a\n      basis: [aspnet: A.4]\n      steps: [{ refresh: { cut: 1 }, given: closed, should: refused, info: closed }]\n    R-1:\n      title: r\n      basis: [rfc: 6749 6]\n      steps: [{ refresh: { cut: 1 }, should: refused, info: closed }]\n";
    let strengths = |words: &str| -> Vec<String> {
        let suite = suite(&own.replace("STANDARDS", words));
        suite
            .checks
            .iter()
            .map(|check| {
                let words = check.steps[0].claims.iter().map(|claim| claim.strength.word());
                format!("{}: {}", check.id, words.collect::<Vec<_>>().join(" "))
            })
            .collect()
    };
    assert_eq!(strengths("standards: [contract]"), ["A-1: given should info", "R-1: should info"]);
    assert_eq!(strengths("standards: [aspnet]"), ["A-1: given must must", "R-1: should info"]);
    assert_eq!(strengths("standards: [secure]"), ["A-1: given should info", "R-1: must info"]);
    assert_eq!(strengths("standards: [oauth2]"), ["A-1: given should info", "R-1: should info"]);
    assert_eq!(
        strengths("standards: [oauth2]\n  severity: { rfc: info, own: should, A-1: must }"),
        ["A-1: given must must", "R-1: should should"]
    );
}

#[test]
fn what_no_chosen_standard_stands_for_is_no_must() {
    let read = |standard: &str| {
        suite(&format!("checks:\n  use: [OAU-06, OAU-17, FMT-01]\n  standards: [{standard}]\n"))
    };
    let severity = |suite: &Suite, id: &str| {
        let check = suite.checks.iter().find(|check| check.id == id).unwrap();
        (check.severity().word(), matches!(check.standing, Standing::Skip { .. }))
    };
    let (contract, oauth2, fapi2) = (read("contract"), read("oauth2"), read("fapi2"));
    assert_eq!(severity(&contract, "OAU-06"), ("should", false));
    assert_eq!(severity(&oauth2, "OAU-06"), ("must", false));
    assert_eq!(severity(&fapi2, "OAU-06"), ("must", false));
    assert!(severity(&contract, "OAU-17").1 && severity(&oauth2, "OAU-17").1);
    assert_eq!(severity(&fapi2, "OAU-17"), ("must", false));
    assert_eq!(severity(&oauth2, "FMT-01"), severity(&contract, "FMT-01"));
}

#[test]
fn checks_are_chosen_skipped_and_expected_to_fail() {
    let suite = suite(
        "checks:\n  use: [success, FMT-02]\n  skip: { FMT-01: the gateway strips it }\n  expect-failures: { SUC-03: { until: 2027-03-31, owner: platform, why: ships later } }\n",
    );
    let ids: Vec<&str> = suite.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(&ids[..3], ["FMT-01", "FMT-02", "SUC-01"]);
    assert!(ids[2..].iter().all(|id| id.starts_with("SUC-")));
    let Standing::Skip { reason, at } = &suite.checks[0].standing else { panic!() };
    assert_eq!(reason, "the gateway strips it");
    assert_eq!(at.file.slice(at.span), "FMT-01: the gateway strips it");
    let known = suite.checks.iter().find(|check| check.id == "SUC-03").unwrap();
    assert!(matches!(&known.standing, Standing::Known { until, .. } if until.to_string() == "2027-03-31"));
}

#[test]
fn the_policy_keeps_the_places_of_its_promises() {
    let suite = suite(
        "policy:\n  rotation: unknown\n  replay: { answer: refused }\n  grace: { for: 10s, reach: unknown }\n  slack: 2s\n",
    );
    let policy = &suite.policy;
    assert!(policy.rotation.is_none());
    assert!(
        matches!(&policy.grace, Some(Grace::Window { lasting: Some(time), reach: None, .. }) if time.as_secs() == 10)
    );
    let places: Vec<(&str, &str)> =
        policy.places.iter().map(|(path, place)| (path.as_str(), place.file.slice(place.span))).collect();
    assert_eq!(
        places,
        [
            ("replay.answer", "answer: refused"),
            ("grace", "grace: { for: 10s, reach: unknown }"),
            ("grace.for", "for: 10s"),
            ("slack", "slack: 2s"),
        ]
    );
}

#[test]
fn loads_have_stages_and_objectives_have_strengths() {
    let suite = suite(
        "load:\n  ramp: { arrivals: 50/s to 200/s, for: 4s, formats: { json: 7, xml: 2 }, warm-up: 1s }\n  spike: { arrivals: [50/s for 30s, 50/s to 500/s for 1m] }\n  users: { users: 16, refreshes: 100, think: 20ms }\nobjectives:\n  fast: ramp.xml.response.p99.9 < 250ms and spike.stage2.errors < 1%\n  clean: { should: users.crashes == 0 }\n",
    );
    let second = Duration::from_secs(1);
    assert_eq!(suite.load[0].model, Model::Open(vec![Stage { from: 50.0, to: 200.0, lasting: 4 * second }]));
    assert_eq!((suite.load[0].warm_up, suite.load[0].max_wait), (second, 60 * second));
    assert!(matches!(&suite.load[1].model, Model::Open(stages) if stages[1].lasting == 60 * second));
    assert!(matches!(&suite.load[2].model, Model::Closed { users: 16, .. }));
    assert_eq!(suite.load[2].lasting(), None);
    let strengths: Vec<Strength> = suite.objectives.iter().map(|objective| objective.strength).collect();
    assert_eq!(strengths, [Strength::Must, Strength::Should]);
}

#[test]
fn environments_say_what_stands_there() {
    let text = "assay: 1\nname: x\ndialect: pfms\nenvironments:\n  slow: { mock: { latency: { spikes: { base: 1ms, spike: 1s, one-in: 100 } }, stall: { after: 3s, for: 1s } } }\n  running: { mock: { url: \"http://127.0.0.1:1\", control: \"http://127.0.0.1:2\" } }\n  live:\n    url: $env:U\n    identities: { own: { tenant: \"07\", secret: $secret:S } }\n    chains: { file: pairs.jsonl }\n    guard: { hosts: [h], rate: 20/s, requests: 10 }\n    offers: [probe]\n    patience: 1m\n  usual: { mock: }\n";
    let suite =
        parse(&SourceFile::new("x.yaml", text)).unwrap_or_else(|all| panic!("{}", render(&all, false)));
    let Target::Mock(slow) = &suite.environments["slow"].target else { panic!() };
    assert!(matches!(slow.latency, MockLatency::Spikes { one_in: 100, .. }) && slow.stall.is_some());
    assert!(matches!(suite.environments["running"].target, Target::RunningMock { .. }));
    let live = &suite.environments["live"];
    assert_eq!((live.chains.clone(), live.patience.as_secs()), (ChainSource::File("pairs.jsonl".into()), 60));
    assert_eq!(live.offers, [Operation::Probe]);
    assert_eq!(live.identities["own"].slots[1].0, Slot::Secret);
    assert!(matches!(suite.environments["usual"].target, Target::Mock(_)));
}

#[test]
fn a_mock_can_live_for_other_times_than_its_preset() {
    let text = "assay: 1\nname: x\ndialect: pfms\nenvironments:\n  mock:\n    mock: { policy: short-lived, idle: 10m, access-lifetime: 1m, old-access: valid }\n";
    let suite = parse(&SourceFile::new("x.yaml", text)).unwrap();
    let Target::Mock(spec) = &suite.environments["mock"].target else { panic!("a mock") };
    let promised = spec.promised();
    assert_eq!(promised.idle, Some(Duration::from_mins(10)));
    assert_eq!(promised.access_lifetime, Some(Duration::from_mins(1)));
    assert_eq!(promised.cap, Some(Duration::from_hours(8)));
    assert_eq!(promised.old_access, Some(policy::OldAccess::Valid));
}

#[test]
fn a_proof_names_claims_of_the_check() {
    let read = check(
        "  steps:\n    - { refresh: { cut: 1 }, as: cut, must: { outcome: refused, status: 400 } }\n    - { refresh: {}, as: after, must: granted }\n  proof: { truncated-accepted: [cut.outcome, status], truncated-spends: after.outcome }\n",
    );
    let claims = &read.proof[&Defect::TruncatedAccepted];
    assert_eq!((claims[0].step.as_deref(), claims[0].word.as_str()), (Some("cut"), "outcome"));
    assert_eq!((claims[1].step.as_deref(), claims[1].word.as_str()), (None, "status"));
}
