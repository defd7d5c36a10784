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
        clean_runs: 1,
        mutants: true,
    }
}

fn prove(only: &[&str]) -> Proof {
    let _alone = super::alone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(prove::prove(&options(only), &|_, _, _| {})).unwrap()
}

#[test]
fn every_defect_is_caught_where_its_proof_says_and_what_is_right_is_green() {
    let proof = prove(&[]);
    assert!(proof.clean.red.iter().all(Vec::is_empty), "false alarms: {:?}", proof.clean.red);
    assert!(proof.variants.len() >= 40, "{}", proof.variants.len());
    for variant in &proof.variants {
        assert!(variant.is_quiet(), "{} is benign: {variant:?}", variant.what);
    }
    assert!(proof.defects.len() >= 120, "{}", proof.defects.len());
    for row in &proof.defects {
        assert!(row.caught && row.undeclared.is_empty(), "{row:?}");
    }
    assert!(proof.mutants.len() >= 20, "{}", proof.mutants.len());
    for mutant in &proof.mutants {
        assert!(mutant.is_settled(), "no check sees that {}", mutant.what);
    }
    assert!(proof.proven);
}

#[test]
fn every_check_names_a_defect_that_it_catches() {
    for check in catalogue::checks() {
        assert!(!check.proof.is_empty(), "{} has no proof", check.id);
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
    let options = Options { clean_runs: 0, mutants: false, ..options(&["accept-ignord"]) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = runtime.block_on(prove::prove(&options, &|_, _, _| {})).unwrap_err();
    assert!(refused.0.contains("did you mean `accept-ignored`?"), "{}", refused.0);
}
