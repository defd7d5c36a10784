//! Whole suites, and the catalogue.

use crate::source::{SourceFile, render};

use super::*;

fn suite(text: &str) -> Suite {
    parse(&SourceFile::new("x.yaml", text)).unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, false)))
}

#[test]
fn the_catalogue_and_the_shipped_suites_are_read() {
    let mut ids = std::collections::HashSet::new();
    for check in catalogue::checks() {
        assert!(ids.insert(check.id.as_str()), "{} occurs in two groups", check.id);
    }
    suite(include_str!("../../suites/pfms.yaml"));
    suite(include_str!("../../suites/oauth2.yaml"));
}
