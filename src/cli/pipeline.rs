//! What a pipeline wants beside the reports: a file of metrics, annotations and a step summary on GitHub.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::report::github::{self, Annotation};
use crate::report::{markdown, metrics};
use crate::results::Run;
use crate::results::outcome::{self, Exit};
use crate::source::{Diagnostic, Severity};

use super::plan;

/// What GitHub takes of one step at most is one MiB.
const SUMMARY: usize = 1_000_000;

/// Writes the metrics of `run`, if they are asked for.
pub(super) fn write_metrics(run: &Run, at: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = at else { return Ok(()) };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, metrics::text(run))
        .map_err(|error| anyhow::anyhow!("cannot write the metrics to `{}`: {error}", path.display()))
}

/// Tells GitHub Actions of `run`, where it runs there: annotations on stderr, so that stdout stays the result, and
/// the step summary. Neither can fail a run.
pub(super) fn tell_github(run: &Run) {
    if !on_github() {
        return;
    }
    super::note(&github::annotations(run, &from_root));
    let leaked = outcome::of(run).exit == Exit::SecretLeaked;
    if let Some(path) = plan::variable("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty() && !leaked) {
        let summary = markdown::summary(run);
        if summary.len() <= SUMMARY && append(Path::new(&path), &summary).is_err() {
            super::note(&format!("the step summary could not be written to {path}"));
        }
    }
}

/// Tells GitHub Actions of mistakes in a suite, where it runs there.
pub(super) fn tell_github_of_mistakes(mistakes: &[Diagnostic]) {
    if !on_github() {
        return;
    }
    for mistake in mistakes.iter().take(10) {
        let (line, _) = mistake.at.file.line_column(mistake.at.span.start);
        let help = mistake.help.as_ref().map_or(String::new(), |help| format!("\n{help}"));
        let annotation = Annotation {
            is_error: mistake.severity == Severity::Error,
            file: from_root(mistake.at.file.name()),
            line,
            title: mistake.code.to_owned(),
            message: format!("{}: {}{help}", mistake.message, mistake.label),
        };
        super::note(&github::command(&annotation));
    }
}

/// Whether GitLab shows what is told.
pub(super) fn on_gitlab() -> bool {
    plan::variable("GITLAB_CI").is_some_and(|value| value == "true")
}

fn on_github() -> bool {
    plan::variable("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

/// A path as it stands in the repository; `None` for what lies outside, such as the built-in suite.
fn from_root(path: &str) -> Option<String> {
    let file = std::fs::canonicalize(path).ok()?;
    let root = plan::variable("GITHUB_WORKSPACE").filter(|root| !root.is_empty()).map(PathBuf::from);
    let root = match root {
        Some(root) => std::fs::canonicalize(root).ok()?,
        None => std::env::current_dir().ok()?,
    };
    Some(file.strip_prefix(root).ok()?.display().to_string())
}
