//! Annotations for GitHub Actions: workflow commands that put what failed on the lines of the suite.
//!
//! A pure function of a [`Run`]. A claim of the catalogue stands in no file of the user's, so it is put on the first
//! line of the suite, and names its own place in the text.

use std::fmt::Write as _;

use super::clean;
use super::state::State;
use crate::results::outcome::{self, Exit};
use crate::results::wording::{limit, measured, plain};
use crate::results::{CheckResult, ObjectiveResult, Quote, Run, Strength, Verdict};

/// What GitHub shows of one kind in one step; more is dropped there, and counted here.
const SHOWN: usize = 10;

/// One annotation.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// `true`: an error, otherwise a warning.
    pub is_error: bool,
    /// The file, from the root of the repository.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: u32,
    /// The head.
    pub title: String,
    /// The text; may have several lines.
    pub message: String,
}

/// The annotations of `run`, as workflow commands, one a line; `named` turns a path of the run file into one from the
/// root of the repository.
pub fn annotations(run: &Run, named: &dyn Fn(&str) -> Option<String>) -> String {
    let all = found(run, named);
    let mut text = String::new();
    for is_error in [true, false] {
        let kind: Vec<&Annotation> = all.iter().filter(|one| one.is_error == is_error).collect();
        for (number, one) in kind.iter().take(SHOWN).enumerate() {
            let mut one = (*one).clone();
            if number + 1 == SHOWN && kind.len() > SHOWN {
                let _ = write!(one.message, "\n\nand {} more in the summary", kind.len() - SHOWN);
            }
            text.push_str(&command(&one));
        }
    }
    text
}

/// One workflow command, as GitHub documents them, with its line end.
pub fn command(one: &Annotation) -> String {
    let word = if one.is_error { "error" } else { "warning" };
    let mut properties = Vec::new();
    if let Some(file) = &one.file {
        properties.push(format!("file={}", property(file)));
        properties.push(format!("line={}", one.line.max(1)));
    }
    properties.push(format!("title={}", property(&clean::line(&one.title))));
    let message = plain(&clean::clean(&one.message));
    let (message, _) = clean::cut(&message, 4000);
    format!("::{word} {}::{}\n", properties.join(","), data(message))
}

fn found(run: &Run, named: &dyn Fn(&str) -> Option<String>) -> Vec<Annotation> {
    let outcome = outcome::of(run);
    let suite = named(&run.suite.path);
    let whole = Annotation {
        is_error: true,
        file: suite.clone(),
        line: 1,
        title: plain(&outcome.headline),
        message: plain(&outcome.reason),
    };
    match outcome.exit {
        // Nothing of such a run may be printed.
        Exit::SecretLeaked => return vec![whole],
        Exit::CouldNotRun | Exit::Untrusted | Exit::Interrupted(_) | Exit::Misused | Exit::Worse => {}
        Exit::Failed if run.gate.is_some() => {}
        Exit::Failed | Exit::Missed | Exit::Good => {
            return parts(run, suite.as_deref(), named);
        }
    }
    let mut all = vec![whole];
    all.extend(parts(run, suite.as_deref(), named));
    all
}

fn parts(run: &Run, suite: Option<&str>, named: &dyn Fn(&str) -> Option<String>) -> Vec<Annotation> {
    let place = |quote: Option<&Quote>| match quote {
        Some(quote) if quote.path == run.suite.path => (named(&quote.path), quote.line),
        Some(_) | None => (suite.map(ToOwned::to_owned), 1),
    };
    let checks = run.checks.iter().filter_map(|check| {
        let (file, line) = place(check.findings.first().map(|finding| &finding.quote));
        let (is_error, message) = said(check)?;
        Some(Annotation { is_error, file, line, title: format!("{} {}", check.id, check.title), message })
    });
    let objectives = run.objectives.iter().filter(|one| one.met == Some(false)).map(|one| {
        let (file, line) = place(Some(&one.quote));
        let title = format!("objective {} was missed", one.name);
        Annotation { is_error: one.strength == Strength::Must, file, line, title, message: figures(one) }
    });
    checks.chain(objectives).collect()
}

/// Whether it is an error, and the text; `None` for what needs nobody.
fn said(check: &CheckResult) -> Option<(bool, String)> {
    let is_error = match State::of(check) {
        State::Fail => true,
        State::Weak => false,
        State::Odd if check.severity == Strength::Must => true,
        State::Odd | State::Pass | State::Info | State::Missed | State::Known | State::Skip => return None,
    };
    let mut lines = Vec::new();
    if let Verdict::Stale { reason } | Verdict::Inconclusive { reason } = &check.verdict {
        lines.push(reason.clone());
    }
    if let Some(finding) = check.findings.first() {
        lines.push(format!("found {}, expected {}", finding.found, finding.expected));
        lines.extend(finding.cell.iter().map(|cell| format!("where: {cell}")));
        lines.push(format!("claim: {}:{}", finding.quote.path, finding.quote.line));
    }
    lines.extend(check.fix.iter().map(|fix| format!("fix: {fix}")));
    lines.push(format!("assay explain {}", check.id));
    Some((is_error, lines.join("\n")))
}

fn figures(objective: &ObjectiveResult) -> String {
    match (objective.measured, objective.limit) {
        (Some(figure), Some(bound)) => {
            format!("{}, limit {}: {}", measured(figure), limit(bound), objective.condition)
        }
        _ => objective.condition.clone(),
    }
}

/// The text behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::file;

    fn failed() -> Run {
        file::read(include_str!("../../tests/it/fixtures/run-failed.json")).unwrap()
    }

    #[test]
    fn what_failed_is_an_error_on_the_suite_and_what_is_weak_a_warning() {
        let text = annotations(&failed(), &|path| Some(format!("sub/{path}")));
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("::error file=sub/suites/pfms.yaml,line=1,title=FMT-08 Every request"),
            "{text}"
        );
        assert!(lines[0].contains("::found `application/json`, expected `text/xml`%0Awhere: "), "{text}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("::warning ")).count(), 2, "{text}");
        assert!(lines.iter().any(|line| line.contains("title=objective ")), "{text}");
        assert!(lines.iter().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")));
    }

    #[test]
    fn nothing_of_a_message_ends_a_command_early() {
        let one = Annotation {
            is_error: true,
            file: Some("a,b:c".to_owned()),
            line: 0,
            title: "50% of, this: that".to_owned(),
            message: "one\r\ntwo 100%::error".to_owned(),
        };
        assert_eq!(
            command(&one),
            "::error file=a%2Cb%3Ac,line=1,title=50%25 of%2C this%3A that::one%0Atwo 100%25::error\n"
        );
    }

    #[test]
    fn at_most_ten_of_a_kind_and_the_tenth_counts_the_rest() {
        let mut run = failed();
        let failed = run.checks.iter().find(|check| check.verdict == Verdict::Fail).unwrap().clone();
        run.checks.extend((0..30).map(|_| failed.clone()));
        let text = annotations(&run, &|_| None);
        let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("::error ")).collect();
        assert_eq!(errors.len(), 10);
        assert!(errors[9].contains("more in the summary"), "{}", errors[9]);
        assert!(!text.contains("file="), "a path that is not known is left out");
    }

    #[test]
    fn of_a_run_with_a_secret_only_the_headline_is_printed() {
        let mut run = failed();
        run.trust.secrets = Some(crate::results::SecretScan {
            values: 1,
            beyond: 0,
            files: 4,
            hits: vec!["junit.xml".to_owned()],
        });
        assert_eq!(annotations(&run, &|_| None).lines().count(), 1);
    }
}
