//! The verbs that only print: init, schema, completions, man.

use std::path::Path;

use clap::CommandFactory;

use crate::results::file;
use crate::results::outcome::Exit;

use super::args::{SchemaOf, Typed};
use super::plan::Refused;

/// The suite that `assay init` writes.
const FIRST: &str = include_str!("first.yaml");

/// Writes a first suite; never over a file.
pub fn init(path: &Path) -> anyhow::Result<Result<Exit, Refused>> {
    if path.exists() {
        let sentence = format!("`{}` is there already: nothing was written", path.display());
        return Ok(Err(Refused::CommandLine(sentence)));
    }
    std::fs::write(path, FIRST)?;
    super::say(&format!("  wrote {0}: `assay plan {0}` says what it would do", path.display()));
    Ok(Ok(Exit::Good))
}

/// Prints a JSON Schema.
pub fn schema(of: SchemaOf) -> Exit {
    let schema = match of {
        SchemaOf::Suite => crate::suite::schema(),
        SchemaOf::Run => file::schema(),
    };
    super::say(&format!("{schema:#}"));
    Exit::Good
}

/// Prints shell completions.
pub fn completions(shell: clap_complete::Shell) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Typed::command(), "assay", &mut text);
    super::say(&String::from_utf8_lossy(&text));
    Exit::Good
}

/// Prints the manual page.
pub fn man() -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Typed::command()).render(&mut text)?;
    super::say(&String::from_utf8_lossy(&text));
    Ok(Exit::Good)
}
