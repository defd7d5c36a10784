//! Chains that somebody else began: pairs of tokens out of a file, a variable, or what a command prints.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::chain::Identity;
use crate::chain::csv;
use crate::chain::source::Source;
use crate::conformance;
use crate::suite::environment::ChainSource;

use super::plan::{RunPlan, variable};

/// A command that has not ended by then is ended.
const COMMAND_MAX: Duration = Duration::from_mins(2);

/// Bytes of pairs, at most.
const TEXT_MAX: u64 = 256 << 20;

/// Reads the pairs; why they cannot be read, as a sentence without a value.
pub fn read(from: &ChainSource, identities: &[Arc<Identity>]) -> Result<Source, String> {
    match from {
        ChainSource::Login => Err("a login is no list of pairs".to_owned()),
        ChainSource::File(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read the chains in `{path}`: {error}"))?;
            let is_csv = Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
            let text = if is_csv {
                csv::to_json_lines(&text).map_err(|why| format!("`{path}`: {why}"))?
            } else {
                text
            };
            Source::file(&text, identities).map_err(|why| format!("`{path}`: {why}"))
        }
        ChainSource::Variable(name) => {
            let text = variable(name)
                .ok_or_else(|| format!("the variable `{name}` is to hold pairs, and is not set to text"))?;
            Source::pairs(&text, identities, "the variable of chains")
                .map_err(|why| format!("`${name}`: {why}"))
        }
        ChainSource::Exec(command) => {
            let text = printed(command).map_err(|why| format!("the command for chains {why}"))?;
            Source::pairs(&text, identities, "the command for chains")
                .map_err(|why| format!("the command for chains, {why}"))
        }
    }
}

/// What the command prints, if it ends well and in time. What it says on stderr is for the person who runs it.
fn printed(command: &str) -> Result<String, String> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let out = child.stdout.take().expect("it was asked to be piped");
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        out.take(TEXT_MAX).read_to_string(&mut text).map(|_| text)
    });
    let began = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if began.elapsed() < COMMAND_MAX => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                // It may have ended meanwhile, which is what is wanted.
                drop(child.kill());
                drop(child.wait());
                return Err(format!("did not end within {} s", COMMAND_MAX.as_secs()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    };
    if !status.success() {
        return Err(format!("failed ({status})"));
    }
    let text = reading.join().map_err(|_| "could not be read".to_owned())?;
    text.map_err(|error| format!("printed no text: {error}"))
}

/// Says before the first request how many pairs there are, and how many the run may need.
pub fn tell(plan: &RunPlan, source: &Source) {
    let Some(found) = source.found() else { return };
    let chosen = &plan.chosen;
    let checks = conformance::plan(&chosen.suite, &chosen.environment, &chosen.dialect, plan.full);
    let wanted = |id: &String| conformance::matches(&plan.only, id);
    let needed: u64 = if plan.checks {
        checks.iter().filter(|check| wanted(&check.id)).map(|check| check.burn.chains).sum()
    } else {
        0
    };
    if needed > found {
        super::note(&format!(
            "  chains    {found} found, up to {needed} needed by the checks alone: what finds none cannot be judged"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(from: &ChainSource) -> Result<u64, String> {
        read(from, &[]).map(|source| source.found().unwrap())
    }

    #[test]
    fn a_command_prints_pairs_and_its_failures_are_sentences() {
        let exec = |command: &str| ChainSource::Exec(command.to_owned());
        let two = exec(r#"printf '{"refresh":"r1"}\n{"refresh":"r2","access":"a2"}\n'"#);
        assert_eq!(count(&two), Ok(2));
        assert_eq!(count(&exec("true")), Ok(0));
        assert_eq!(count(&exec("exit 7")), Err("the command for chains failed (exit status: 7)".to_owned()));
        let wrong = count(&exec("echo no pair")).unwrap_err();
        assert_eq!(wrong, "the command for chains, line 1: not JSON, at column 2");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let file = count(&ChainSource::File("nowhere.jsonl".to_owned())).unwrap_err();
        assert!(file.starts_with("cannot read the chains in `nowhere.jsonl`"), "{file}");
        let variable = count(&ChainSource::Variable("ASSAY_NO_SUCH_PAIRS".to_owned())).unwrap_err();
        assert_eq!(variable, "the variable `ASSAY_NO_SUCH_PAIRS` is to hold pairs, and is not set to text");
    }
}
