//! Cases are made from a seed and a number, and from nothing else.

use std::collections::HashSet;

use crate::client::compose::Slots;
use crate::dialect::{Dialect, builtin};
use crate::secret::Token;
use crate::suite::call::Slot;
use crate::suite::check::FuzzStage;

use super::case::{Case, Change, Stuff};

const STAGES: [FuzzStage; 4] = [FuzzStage::Slots, FuzzStage::Document, FuzzStage::Body, FuzzStage::Wire];

fn pfms() -> Dialect {
    builtin("pfms").expect("it is built in")
}

fn good(token: &str) -> Slots {
    let texts = [(Slot::Tenant, "07"), (Slot::Secret, "s3cr+t/="), (Slot::Access, "eyJh.e30.c2ln")];
    let slots = texts.into_iter().chain([(Slot::Refresh, token)]);
    slots.map(|(slot, text)| (slot, Token::new(text))).collect()
}

fn formats() -> Vec<String> {
    ["json", "xml", "form"].map(str::to_owned).to_vec()
}

/// The bytes of a case, head and body.
fn bytes(dialect: &Dialect, seed: u64, number: u64, token: &str) -> Vec<u8> {
    let formats = formats();
    let stuff = Stuff { seed, formats: &formats, stages: &STAGES, speech: dialect.refresh() };
    let made = Case::of(&stuff, number).compose(dialect.refresh(), &good(token)).expect("it can be made");
    let mut bytes = Vec::new();
    crate::client::http1::write_head(&made.request, "", "host:80", &mut bytes);
    bytes.extend(crate::client::http1::body_pieces(&made.request).concat());
    bytes
}

#[test]
fn the_same_seed_and_number_make_the_same_bytes() {
    let dialect = pfms();
    for number in 0..500 {
        let once = bytes(&dialect, 7, number, "refresh+1/=");
        assert_eq!(once, bytes(&dialect, 7, number, "refresh+1/="), "case {number}");
    }
    let differ =
        (0..200).filter(|number| bytes(&dialect, 7, *number, "r") != bytes(&dialect, 8, *number, "r"));
    assert!(differ.count() > 190);
}

#[test]
fn another_chain_changes_nothing_but_the_tokens() {
    let dialect = pfms();
    let formats = formats();
    let stuff = Stuff { seed: 7, formats: &formats, stages: &STAGES[1..], speech: dialect.refresh() };
    for number in 0..300 {
        let case = Case::of(&stuff, number);
        let [one, other] = ["first-token", "another-token-of-another-length"]
            .map(|token| case.compose(dialect.refresh(), &good(token)).expect("it can be made").atoms);
        assert_eq!(one, other, "case {number}");
    }
}

#[test]
fn a_case_with_its_own_body_written_out_is_the_same_request() {
    let dialect = pfms();
    let formats = formats();
    let stages = [FuzzStage::Document, FuzzStage::Body];
    let stuff = Stuff { seed: 3, formats: &formats, stages: &stages, speech: dialect.refresh() };
    for number in 0..300 {
        let case = Case::of(&stuff, number);
        let made = case.compose(dialect.refresh(), &good("r+/=")).expect("it can be made");
        let whole = case.with_body(made.atoms.clone());
        let again = whole.compose(dialect.refresh(), &good("r+/=")).expect("it can be made");
        assert_eq!(made.request.body, again.request.body, "case {number}: {case:?}");
        assert!(whole.changes.iter().all(|change| matches!(change, Change::Whole(_))));
    }
}

#[test]
fn cases_reach_every_stage_and_every_format() {
    let dialect = pfms();
    let formats = formats();
    let stuff = Stuff { seed: 1, formats: &formats, stages: &STAGES, speech: dialect.refresh() };
    let cases: Vec<Case> = (0..500).map(|number| Case::of(&stuff, number)).collect();
    let reached: HashSet<&str> = cases.iter().map(|case| case.format.as_str()).collect();
    assert_eq!(reached.len(), 3);
    let has = |wanted: fn(&Change) -> bool| cases.iter().flat_map(|case| &case.changes).any(wanted);
    assert!(has(|change| matches!(change, Change::Slot(..))));
    assert!(has(|change| matches!(change, Change::Document(_))));
    assert!(has(|change| matches!(change, Change::Body(_))));
    assert!(has(|change| matches!(change, Change::Wire(_))));
}

#[test]
fn nothing_announces_more_than_it_sends() {
    let dialect = pfms();
    for number in 0..2_000 {
        let bytes = bytes(&dialect, 11, number, "refresh-token");
        let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        for line in head.lines() {
            let Some(length) = line.strip_prefix("Content-Length: ") else { continue };
            let Ok(length) = length.parse::<usize>() else { continue };
            let sent = bytes.len() - end - 4;
            assert!(length <= sent, "case {number}: {length} of {sent}");
        }
    }
}
