//! The catalogue: `suites/catalogue/*.yaml`, compiled in.

use std::sync::OnceLock;

use crate::source::{SourceFile, render};

use super::check::Check;
use super::parse_checks;

/// The groups in order: file name without ending, and text.
const GROUPS: [(&str, &str); 10] = [
    ("format", include_str!("../../suites/catalogue/format.yaml")),
    ("schema", include_str!("../../suites/catalogue/schema.yaml")),
    ("success", include_str!("../../suites/catalogue/success.yaml")),
    ("errors", include_str!("../../suites/catalogue/errors.yaml")),
    ("lifecycle", include_str!("../../suites/catalogue/lifecycle.yaml")),
    ("races", include_str!("../../suites/catalogue/races.yaml")),
    ("security", include_str!("../../suites/catalogue/security.yaml")),
    ("robustness", include_str!("../../suites/catalogue/robustness.yaml")),
    ("oauth2", include_str!("../../suites/catalogue/oauth2.yaml")),
    ("performance", include_str!("../../suites/catalogue/performance.yaml")),
];

/// Every group's name and file, in catalogue order.
pub fn groups() -> impl Iterator<Item = (&'static str, SourceFile)> {
    GROUPS
        .into_iter()
        .map(|(name, text)| (name, SourceFile::new(format!("suites/catalogue/{name}.yaml"), text)))
}

/// Every check of the catalogue, in catalogue order. Read once; a test reads it as well, so that a catalogue
/// that cannot be read does not leave the house.
pub fn checks() -> &'static [Check] {
    static CHECKS: OnceLock<Vec<Check>> = OnceLock::new();
    CHECKS.get_or_init(|| {
        groups()
            .flat_map(|(group, file)| match parse_checks(group, &file) {
                Ok(checks) => checks,
                Err(mistakes) => panic!("the catalogue cannot be read:\n{}", render(&mistakes, false)),
            })
            .collect()
    })
}
