//! The verdict on a whole run: one function makes headline, reason and exit code for every report.

use super::Run;

/// The verdict on a run in words and as an exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The sentence: `Good: all 89 musts hold`, `Failed: two musts do not hold`, …
    pub headline: String,
    /// The second line, in numbers.
    pub reason: String,
    /// At most three reasons: anchor, what is wrong as a statement, the observation.
    pub reasons: Vec<(String, String, String)>,
    /// The exit code.
    pub exit: Exit,
    /// The words beside the exit code: `a check failed`.
    pub word: String,
}

/// Exit codes, documented in the README; where several apply, the first of this list wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 7: a secret reached an artifact.
    SecretLeaked,
    /// 2: the suite or the command line is wrong.
    Misused,
    /// 3: it could not run, or could not judge.
    CouldNotRun,
    /// 130 or 143: interrupted; reports are still written.
    Interrupted(u8),
    /// 1: a check failed.
    Failed,
    /// 6: the measurement cannot be trusted.
    Untrusted,
    /// 4: an objective was missed.
    Missed,
    /// 5: worse than, or different from, what it is compared with.
    Worse,
    /// 0: good.
    Good,
}

impl Exit {
    /// The code.
    pub fn code(self) -> u8 {
        match self {
            Exit::SecretLeaked => 7,
            Exit::Misused => 2,
            Exit::CouldNotRun => 3,
            Exit::Interrupted(code) => code,
            Exit::Failed => 1,
            Exit::Untrusted => 6,
            Exit::Missed => 4,
            Exit::Worse => 5,
            Exit::Good => 0,
        }
    }
}

/// The verdict on `run`.
pub fn of(run: &Run) -> Outcome {
    let _ = run;
    todo!()
}
