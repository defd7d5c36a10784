//! `assay compare`: two run files side by side, and an exit code.

use std::path::{Path, PathBuf};

use crate::compare::{self, Comparison, Matters, Options, Tolerance};
use crate::report::{html, markdown, terminal};
use crate::results::outcome::Exit;
use crate::results::{Run, file};
use crate::suite::units;

use super::args::{Color, CompareArgs};
use super::plan::{self, Refused};

/// Compares two run files, writes the reports and prints one of them.
pub fn compare(args: &CompareArgs, color: Color) -> anyhow::Result<Result<Exit, Refused>> {
    let (a, b) = match (read(&args.a), read(&args.b)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(refused), _) | (_, Err(refused)) => return Ok(Err(refused)),
    };
    let options = Options { tolerance: tolerance(args.difference.as_deref()), seed: args.seed };
    let comparison = compare::compare(&a, &b, options);
    let folder = args.out.clone().unwrap_or_else(|| folder(&comparison));
    let again = format!("assay compare {} {}", args.a.display(), args.b.display());
    let page = keep(&comparison, &folder, &again)?;
    if args.json {
        super::say(&json(&comparison));
    } else if args.markdown {
        super::say(&markdown::comparison(&comparison));
    } else {
        let screen = super::stdout_screen(plan::screen(color, false));
        super::say(&terminal::comparison(&comparison, Some(&page.display().to_string()), screen));
    }
    let outcome = compare::outcome::of(&comparison);
    super::note(&format!("\nexit {} · {}", outcome.exit.code(), outcome.word));
    Ok(Ok(outcome.exit))
}

/// A run file, or the sentence why it is none.
pub(super) fn read(path: &Path) -> Result<Run, Refused> {
    let source = plan::read_file(path)?;
    file::read(source.text()).map_err(|error| Refused::CommandLine(format!("`{}`: {error}", path.display())))
}

/// `2ms` or `5%`; clap has read it before.
fn tolerance(written: Option<&str>) -> Tolerance {
    let time = written.and_then(|text| difference(text).ok());
    Tolerance { time: time.unwrap_or(Tolerance::default().time), ..Tolerance::default() }
}

/// Reads a difference of response times: `2ms`, `5%`.
pub fn difference(text: &str) -> Result<Matters, String> {
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| "expected a share such as `5%`".to_owned())?;
        return if (0.0..=1000.0).contains(&percent) {
            Ok(Matters::Share(percent / 100.0))
        } else {
            Err("expected a share between 0% and 1000%".to_owned())
        };
    }
    units::duration(text).map(|time| Matters::Us(time.as_secs_f64() * 1e6))
}

fn folder(comparison: &Comparison) -> PathBuf {
    let word = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
    };
    let (a, b) = (&comparison.a, &comparison.b);
    let names = if a.environment == b.environment {
        (word(&a.run), word(&b.run))
    } else {
        (word(&a.environment), word(&b.environment))
    };
    Path::new("reports").join(format!("compare-{}-{}", names.0, names.1))
}

/// The page, the comparison as JSON and as Markdown; the page's path.
pub(super) fn keep(comparison: &Comparison, folder: &Path, again: &str) -> anyhow::Result<PathBuf> {
    let page = folder.join("compare.html");
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text);
    std::fs::create_dir_all(folder)
        .and_then(|()| write("compare.html", html::comparison_page(comparison, again)))
        .and_then(|()| write("compare.json", json(comparison)))
        .and_then(|()| write("compare.md", markdown::comparison(comparison)))
        .map_err(|error| anyhow::anyhow!("cannot write the comparison to `{}`: {error}", folder.display()))?;
    Ok(page)
}

fn json(comparison: &Comparison) -> String {
    /// The verdict stands before what it is made of.
    #[derive(serde::Serialize)]
    struct Whole<'a> {
        headline: String,
        reason: String,
        exit: u8,
        word: String,
        #[serde(flatten)]
        comparison: &'a Comparison,
    }
    let outcome = compare::outcome::of(comparison);
    let whole = Whole {
        headline: outcome.headline,
        reason: outcome.reason,
        exit: outcome.exit.code(),
        word: outcome.word,
        comparison,
    };
    let mut text = serde_json::to_string_pretty(&whole).expect("plain data with text keys is always JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_time_or_a_share() {
        assert_eq!(difference("2ms"), Ok(Matters::Us(2_000.0)));
        assert_eq!(difference("5%"), Ok(Matters::Share(0.05)));
        assert!(difference("5").unwrap_err().contains("5ms"));
        assert!(difference("x%").is_err() && difference("-1%").is_err());
    }
}
