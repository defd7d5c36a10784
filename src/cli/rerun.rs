//! `--rerun RUN.json`: what failed there, to be run again.

use std::path::{Path, PathBuf};

use crate::results::{Depth, Run, Strength, Verdict, file};
use crate::suite::Suite;

use super::plan::{self, Refused};

/// What a run before this one left to do.
#[derive(Debug)]
pub(super) struct Again {
    path: PathBuf,
    /// Its suite; `None` where that was the built-in one.
    pub(super) suite: Option<PathBuf>,
    /// Its environment.
    pub(super) environment: String,
    /// Its seed.
    pub(super) seed: u64,
    /// Its depth.
    pub(super) full: bool,
    /// The good call failed, or the run was cut short: then nothing is known of the rest.
    everything: bool,
    checks: Vec<String>,
    load: bool,
}

/// Reads the run file at `path`.
pub(super) fn read(path: &Path) -> Result<Again, Refused> {
    let source = plan::read_file(path)?;
    let run = file::read(source.text())
        .map_err(|error| Refused::CommandLine(format!("`{}`: {error}", path.display())))?;
    Ok(Again {
        path: path.to_owned(),
        suite: Some(PathBuf::from(&run.suite.path)).filter(|_| !run.suite.path.ends_with("(built in)")),
        environment: run.target.environment.clone(),
        seed: run.seed,
        full: run.depth == Depth::Full,
        everything: run.gate.is_some(),
        checks: run
            .checks
            .iter()
            .filter(|check| is_open(&check.verdict))
            .map(|check| check.id.clone())
            .collect(),
        load: load_is_open(&run),
    })
}

/// Whether a check has to be run again: it failed, or could not be judged.
fn is_open(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Fail | Verdict::Warn | Verdict::Stale { .. } | Verdict::Inconclusive { .. } => true,
        Verdict::Pass | Verdict::Known { .. } | Verdict::Skipped { .. } => false,
    }
}

/// Whether the load has to be run again: an objective was missed, or one that must hold could not be judged.
fn load_is_open(run: &Run) -> bool {
    !run.load.is_empty()
        && run.objectives.iter().any(|one| match one.met {
            Some(met) => !met,
            None => one.strength == Strength::Must,
        })
}

impl Again {
    /// Whether checks and load are to be run, and which checks of `suite`; a check that the suite has lost meanwhile
    /// is left out.
    pub(super) fn wanted(
        &self,
        suite: &Suite,
        checks: bool,
        load: bool,
    ) -> Result<(bool, bool, Vec<String>), Refused> {
        if self.everything {
            return Ok((checks, load, Vec::new()));
        }
        let there = |id: &&String| suite.checks.iter().any(|check| check.id == **id);
        let only: Vec<String> = self.checks.iter().filter(there).cloned().collect();
        let (checks, load) = (checks && !only.is_empty(), load && self.load);
        if checks || load {
            return Ok((checks, load, only));
        }
        Err(Refused::CommandLine(format!(
            "nothing failed in `{}` that this command would run again",
            self.path.display()
        )))
    }
}
