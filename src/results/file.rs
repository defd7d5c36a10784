//! The run file: reading and writing [`Run`] as JSON, with versions.

use serde::Deserialize;

use super::{RUN_FILE_VERSION, Run};

/// Why a run file cannot be read, as a sentence with the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// The text of the run file.
pub fn write(run: &Run) -> String {
    let mut text = serde_json::to_string_pretty(run).expect("plain data with text keys is always JSON");
    text.push('\n');
    text
}

/// SHA-256 of a run file's text, lowercase hexadecimal: what ties a page to its run.
pub fn digest(text: &str) -> String {
    let bytes = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    bytes.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Reads a run file; refuses what is newer than [`RUN_FILE_VERSION`].
pub fn read(text: &str) -> Result<Run, Unreadable> {
    check_version(text)?;
    serde_json::from_str(text).map_err(|error| {
        let cure = match error.classify() {
            serde_json::error::Category::Data => {
                "it does not fit the schema (`assay schema run` prints it); was it edited by hand?"
            }
            serde_json::error::Category::Eof | serde_json::error::Category::Io => {
                "it ends too early; was its writing cut off? Run again, or use a whole copy"
            }
            serde_json::error::Category::Syntax => "it is not JSON; is this the run.json of a run?",
        };
        Unreadable(format!("this run file cannot be read: {error}: {cure}"))
    })
}

/// The version is looked at first, so that a newer file is not taken for a broken one.
fn check_version(text: &str) -> Result<(), Unreadable> {
    #[derive(Deserialize)]
    struct Head {
        assay_run: Option<u32>,
    }
    // What cannot even be read this far gets its sentence from the full reading.
    let Ok(head) = serde_json::from_str::<Head>(text) else { return Ok(()) };
    match head.assay_run {
        None => Err(Unreadable(
            "this is not a run file: it has no `assay_run`; give the run.json that a run wrote".to_owned(),
        )),
        Some(version) if version > RUN_FILE_VERSION => Err(Unreadable(format!(
            "this run file is version {version}, this assay reads up to {RUN_FILE_VERSION}: use a newer assay"
        ))),
        Some(_) => Ok(()),
    }
}

/// The JSON Schema of the run file, draft 2020-12.
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    generator.into_root_schema_for::<Run>().to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_version_asks_for_a_newer_assay() {
        let sentence = read(r#"{"assay_run": 3, "whatever": true}"#).unwrap_err().to_string();
        assert_eq!(sentence, "this run file is version 3, this assay reads up to 1: use a newer assay");
    }

    #[test]
    fn a_broken_file_is_pointed_at_with_its_line_and_a_cure() {
        let broken = read("{\n  \"assay_run\": 1,\n  \"assay_version\": 7\n}").unwrap_err().to_string();
        assert!(broken.contains("line 3 column 20"), "{broken}");
        assert!(broken.contains("assay schema run"), "{broken}");
        let cut = read("{\"assay_run\": 1,").unwrap_err().to_string();
        assert!(cut.contains("ends too early"), "{cut}");
        let text = read("not json").unwrap_err().to_string();
        assert!(text.contains("is not JSON"), "{text}");
        let other = read("{}").unwrap_err().to_string();
        assert!(other.contains("no `assay_run`"), "{other}");
    }
}
