//! The verbs that only print: init, schema, completions, man.

use std::path::Path;

use clap::CommandFactory;

use crate::dialect::import::import;
use crate::results::file;
use crate::results::outcome::Exit;

use super::args::{SchemaOf, Typed};
use super::plan::{Refused, read_file};

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

/// Writes a dialect and a first suite, made of what documents an endpoint; never over a file.
pub fn init_from(path: &Path, from: &Path) -> anyhow::Result<Result<Exit, Refused>> {
    let wrong = |sentence: String| Ok(Err(Refused::CommandLine(sentence)));
    let file = match read_file(from) {
        Ok(file) => file,
        Err(refused) => return Ok(Err(refused)),
    };
    let imported = match import(&file) {
        Ok(imported) => imported,
        Err(why) => return wrong(format!("nothing can be made of `{}`: {why}", from.display())),
    };
    let beside = format!("{}.dialect.yaml", imported.name);
    let dialect = path.with_file_name(&beside);
    for path in [path, &dialect] {
        if path.exists() {
            return wrong(format!("`{}` is there already: nothing was written", path.display()));
        }
    }
    std::fs::write(&dialect, &imported.dialect)?;
    std::fs::write(path, imported.suite.replace("{dialect}", &beside))?;
    super::say(&format!(
        "  wrote {} and {}, with {} questions marked `# ?`: `assay dialect check {0}` reads what is there",
        dialect.display(),
        path.display(),
        imported.questions
    ));
    Ok(Ok(Exit::Good))
}

/// Prints a JSON Schema.
pub fn schema(of: SchemaOf) -> Exit {
    let schema = match of {
        SchemaOf::Suite => crate::suite::schema(),
        SchemaOf::Dialect => crate::dialect::schema(),
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
