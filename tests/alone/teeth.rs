//! Every check has teeth, and barks at nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use assay::dialect::builtin;
use assay::prove::{self, Options, Subject};
use assay::results::proof::Proof;
use assay::source::SourceFile;
use assay::suite::{self, catalogue, defect::Defect};

fn subject(name: &str) -> Subject {
    let path = format!("suites/{name}.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let suite = Arc::new(suite::parse(&SourceFile::new(path, text)).unwrap());
    Subject {
        environment: Arc::new(suite.environments["mock"].clone()),
        dialect: Arc::new(builtin(&suite.dialect.value).unwrap()),
        suite,
    }
}

fn options(only: &[&str]) -> Options {
    Options {
        subjects: vec![subject("pfms"), subject("oauth2")],
        only: only.iter().map(|word| (*word).to_owned()).collect(),
        full: false,
        clean_runs: 0,
        mutants: false,
    }
}

fn prove(only: &[&str]) -> Proof {
    let _alone = super::alone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(prove::prove(&options(only), &|_, _, _| {})).unwrap()
}

/// The first defect of every check that sends little: all of them are proven by `assay prove`.
fn sample() -> Vec<&'static str> {
    let light = ["format", "schema", "success", "errors", "lifecycle", "oauth2"];
    let checks = catalogue::checks().iter().filter(|check| light.contains(&check.group.as_str()));
    let mut words: Vec<&str> =
        checks.filter_map(|check| check.proof.keys().next()).map(|defect| defect.word()).collect();
    // Only a suite that forbids rotation judges this one.
    words.retain(|word| *word != "fapi-rotates-without-retry");
    words.sort_unstable();
    words.dedup();
    words
}

#[test]
fn the_first_defect_of_every_light_check_is_caught_where_its_proof_says() {
    let sample = sample();
    let proof = prove(&sample);
    assert_eq!(proof.defects.len(), sample.len());
    for row in &proof.defects {
        assert!(row.caught && row.undeclared.is_empty(), "{row:?}");
    }
}

/// What is noted and not judged.
const WITHOUT_PROOF: [&str; 2] = ["SEC-10", "SEC-11"];

#[test]
fn every_check_names_a_defect_that_it_catches() {
    for check in catalogue::checks() {
        let exempt = WITHOUT_PROOF.contains(&check.id.as_str());
        assert_eq!(check.proof.is_empty(), exempt, "{}", check.id);
    }
}

#[test]
fn every_defect_is_named_by_a_check_or_caught_by_the_gate() {
    let named = |defect: &Defect| catalogue::checks().iter().any(|check| check.proof.contains_key(defect));
    for defect in Defect::ALL.iter().filter(|defect| **defect != Defect::AlwaysCrash) {
        assert!(named(defect), "no check is proven by `{}`", defect.word());
    }
}

#[test]
fn a_defect_that_does_not_exist_is_named_with_the_nearest() {
    let options = options(&["accept-ignord"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = runtime.block_on(prove::prove(&options, &|_, _, _| {})).unwrap_err();
    assert!(refused.0.contains("did you mean `accept-ignored`?"), "{}", refused.0);
}
