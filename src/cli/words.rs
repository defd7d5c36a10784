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

/// Prints the manual page of the whole or of one verb, or writes all of them into a folder.
pub fn man(verb: Option<&str>, out: Option<&Path>) -> anyhow::Result<Result<Exit, Refused>> {
    let mut command = Typed::command();
    command.build();
    if let Some(folder) = out {
        std::fs::create_dir_all(folder)?;
        clap_mangen::generate_to(command, folder)?;
        super::say(&format!("  wrote the manual pages to {}", folder.display()));
        return Ok(Ok(Exit::Good));
    }
    let page = match verb {
        None => Some(command),
        Some(verb) => command.find_subcommand(verb).cloned(),
    };
    let Some(page) = page else {
        let sentence = format!("there is no verb `{}`: `assay --help` lists them", verb.unwrap_or_default());
        return Ok(Err(Refused::CommandLine(sentence)));
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    super::say(&String::from_utf8_lossy(&text));
    Ok(Ok(Exit::Good))
}
