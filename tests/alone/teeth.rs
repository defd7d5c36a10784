//! Every check has teeth, and barks at nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use assay::dialect::builtin;
use assay::prove::{self, Caught, Options, Table};
use assay::source::SourceFile;
use assay::suite::{self, catalogue, defect::Defect};

fn prove(only: &[&str]) -> Table {
    let _alone = super::alone();
    let text = include_str!("../../suites/pfms.yaml");
    let suite = Arc::new(suite::parse(&SourceFile::new("suites/pfms.yaml", text)).unwrap());
    let options = Options {
        environment: Arc::new(suite.environments["mock"].clone()),
        suite,
        dialect: Arc::new(builtin("pfms").unwrap()),
        only: only.iter().map(|word| (*word).to_owned()).collect(),
        full: false,
        clean_runs: 1,
        mutants: true,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(prove::prove(&options, &|_, _, _| {})).unwrap()
}

#[test]
fn every_defect_is_caught_where_its_proof_says_and_nothing_else_is_red() {
    let table = prove(&[]);
    assert!(table.clean.reds.iter().all(Vec::is_empty), "false alarms: {:?}", table.clean.reds);
    for variant in &table.variants {
        assert!(variant.red.is_empty(), "{} is benign, and red are {:?}", variant.what, variant.red);
    }
    assert!(table.defects.len() >= 85, "{}", table.defects.len());
    for row in &table.defects {
        assert_eq!(row.caught, Caught::ByItsCheck, "{row:?}");
        assert!(row.undeclared.is_empty(), "{row:?}");
    }
    assert!(table.mutants.len() >= 20, "{}", table.mutants.len());
    for mutant in &table.mutants {
        assert!(!mutant.red.is_empty(), "no check sees that {}", mutant.what);
    }
    assert!(table.proven());
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
    let suite = Arc::new(
        suite::parse(&SourceFile::new("suites/pfms.yaml", include_str!("../../suites/pfms.yaml"))).unwrap(),
    );
    let options = Options {
        environment: Arc::new(suite.environments["mock"].clone()),
        suite,
        dialect: Arc::new(builtin("pfms").unwrap()),
        only: vec!["accept-ignord".to_owned()],
        full: false,
        clean_runs: 0,
        mutants: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = runtime.block_on(prove::prove(&options, &|_, _, _| {})).unwrap_err();
    assert!(refused.0.contains("did you mean `accept-ignored`?"), "{}", refused.0);
}
