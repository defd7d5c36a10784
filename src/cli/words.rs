//! The verbs that only print: explain, init, schema, completions, man.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory;

use crate::results::file;
use crate::results::outcome::Exit;
use crate::source::nearest;
use crate::suite::{catalogue, check::Check};

use super::args::{SchemaOf, Typed};
use super::plan::Refused;

/// The suite that `assay init` writes.
const FIRST: &str = include_str!("first.yaml");

/// Explains one check of the catalogue.
pub fn explain(id: &str) -> Result<Exit, Refused> {
    let checks = catalogue::checks();
    let Some(check) = checks.iter().find(|check| check.id.eq_ignore_ascii_case(id)) else {
        let near = nearest(id, checks.iter().map(|check| check.id.as_str()));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(Refused::CommandLine(format!("no check of the catalogue is called `{id}`{hint}")));
    };
    super::say(&explanation(check));
    Ok(Exit::Good)
}

fn explanation(check: &Check) -> String {
    let mut text = format!("{}  {}\n\n", check.id, check.title);
    let basis: Vec<String> = check.basis.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "  group     {}", check.group);
    let _ = writeln!(text, "  severity  {}", check.severity().word());
    let _ = writeln!(text, "  basis     {}", basis.join("; "));
    if let Some(because) = &check.because {
        let _ = writeln!(text, "  because   {because}");
    }
    if let Some(harm) = &check.destructive {
        let _ = writeln!(text, "  may harm  {harm}");
    }
    for defect in check.proof.keys() {
        let _ = writeln!(text, "  catches   {}: {}", defect.word(), defect.what());
    }
    let _ = writeln!(text, "\n  As it stands in {}:\n", check.file.name());
    for line in check.text().lines() {
        let _ = writeln!(text, "    {line}");
    }
    text
}

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
