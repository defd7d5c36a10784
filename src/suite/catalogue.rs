//! The catalogue: `suites/catalogue/*.yaml`, compiled in.

use crate::source::SourceFile;

/// The groups in order: file name without ending, and text.
const GROUPS: [(&str, &str); 4] = [
    ("format", include_str!("../../suites/catalogue/format.yaml")),
    ("schema", include_str!("../../suites/catalogue/schema.yaml")),
    ("success", include_str!("../../suites/catalogue/success.yaml")),
    ("errors", include_str!("../../suites/catalogue/errors.yaml")),
];

/// Every group's name and file, in catalogue order.
pub fn groups() -> impl Iterator<Item = (&'static str, SourceFile)> {
    GROUPS
        .into_iter()
        .map(|(name, text)| (name, SourceFile::new(format!("suites/catalogue/{name}.yaml"), text)))
}
