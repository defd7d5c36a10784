//! What will be done: every default and every look at the machine, decided before anything is sent.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::compare::Matters;
use crate::dialect::{self, Dialect};
use crate::report::terminal::{self, Screen};
use crate::results::Run;
use crate::secret::Token;
use crate::source::{Diagnostic, SourceFile, nearest};
use crate::suite::environment::{Environment, Target};
use crate::suite::{self, Suite};

use super::args::{Color, Format, RunArgs, StatusLevel};
use super::rerun::Again;
use super::{rerun, variables};

/// The suite that is run when none is named and `suites/pfms.yaml` is not there.
const BUILT_IN: &str = include_str!("../../suites/pfms.yaml");

/// The name of that suite.
const DEFAULT: &str = "suites/pfms.yaml";

/// Why a command cannot be done as it was typed.
#[derive(Debug)]
pub enum Refused {
    /// Mistakes in a file that the user wrote.
    Mistakes(Vec<Diagnostic>),
    /// A mistake on the command line, as a sentence with its cure.
    CommandLine(String),
}

impl From<Vec<Diagnostic>> for Refused {
    fn from(mistakes: Vec<Diagnostic>) -> Refused {
        Refused::Mistakes(mistakes)
    }
}

/// A suite, one of its environments, and how that speaks.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The suite.
    pub suite: Arc<Suite>,
    /// The environment.
    pub environment: Arc<Environment>,
    /// The dialect.
    pub dialect: Arc<Dialect>,
}

/// A run, decided.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// What is run against what.
    pub chosen: Chosen,
    /// Values of environment variables.
    pub variables: IndexMap<String, Token>,
    /// Run the checks.
    pub checks: bool,
    /// Run the load.
    pub load: bool,
    /// Which checks.
    pub only: Vec<String>,
    /// Full depth.
    pub full: bool,
    /// Consent to harm.
    pub consent: bool,
    /// The seed.
    pub seed: u64,
    /// Labels.
    pub labels: IndexMap<String, String>,
    /// Where reports go; `None`: a folder named by suite and time.
    pub out: Option<PathBuf>,
    /// What stands on stdout.
    pub format: Format,
    /// Where the metrics go.
    pub metrics_file: Option<PathBuf>,
    /// Which checks get a line when they end.
    pub lines: terminal::Lines,
    /// No progress.
    pub quiet: bool,
    /// How the terminal is.
    pub screen: Screen,
    /// The command line, to see it again.
    pub command: String,
    /// The run to compare with.
    pub baseline: Option<Baseline>,
}

/// A stored run to compare with.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// Its path.
    pub path: PathBuf,
    /// The run.
    pub run: Arc<Run>,
    /// From which difference on anybody cares.
    pub time: Option<Matters>,
}

/// Reads the suite at `path`, or the default one.
pub fn read_suite(path: Option<&Path>) -> Result<Suite, Refused> {
    let source = match path {
        Some(path) => read_file(path)?,
        None if Path::new(DEFAULT).exists() => read_file(Path::new(DEFAULT))?,
        None => SourceFile::new(format!("{DEFAULT} (built in)"), BUILT_IN),
    };
    Ok(suite::parse(&source)?)
}

/// Reads a file that the user named; bytes that are no text are kept out with a sentence.
pub fn read_file(path: &Path) -> Result<SourceFile, Refused> {
    let bytes = std::fs::read(path)
        .map_err(|error| Refused::CommandLine(format!("cannot read `{}`: {error}", path.display())))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile::new(path.display().to_string(), text)),
        Err(error) => Err(Refused::CommandLine(format!(
            "`{}` is not UTF-8 text (byte {}): is it a suite?",
            path.display(),
            error.utf8_error().valid_up_to()
        ))),
    }
}

/// The environment called `name`, or the first; and the dialect.
pub fn choose(suite: Suite, name: Option<&str>) -> Result<Chosen, Refused> {
    let dialect = read_dialect(&suite)?;
    let environment = match name {
        None => suite.environments.values().next(),
        Some(name) => suite.environments.get(name),
    };
    let Some(environment) = environment.cloned() else {
        let wanted = name.unwrap_or_default();
        let names: Vec<&str> = suite.environments.keys().map(String::as_str).collect();
        let hint = nearest(wanted, names.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
        return Err(Refused::CommandLine(format!(
            "`{}` has no environment `{wanted}`{} It has {}",
            suite.file.name(),
            hint.unwrap_or_else(|| ".".to_owned()),
            names.join(", ")
        )));
    };
    Ok(Chosen { suite: Arc::new(suite), environment: Arc::new(environment), dialect: Arc::new(dialect) })
}

fn read_dialect(suite: &Suite) -> Result<Dialect, Refused> {
    let wanted = &suite.dialect;
    if let Some(dialect) = dialect::builtin(&wanted.value) {
        return Ok(dialect);
    }
    let beside = Path::new(suite.file.name()).parent().map(|folder| folder.join(&wanted.value));
    if let Some(path) = beside.filter(|path| path.is_file()) {
        return Ok(dialect::parse(&read_file(&path)?)?);
    }
    let names: Vec<&str> = dialect::BUILTIN.iter().map(|(name, _)| *name).collect();
    let mut mistake = Diagnostic::error(
        "suite::unknown-dialect",
        wanted.at.clone(),
        format!("no dialect is called `{}`", wanted.value),
        "neither built in nor a file beside the suite",
    )
    .help(format!("built in are {}", names.join(", ")));
    mistake.patch = nearest(&wanted.value, names.iter().copied()).map(str::to_owned);
    Err(Refused::Mistakes(vec![mistake]))
}

/// Decides a run.
pub fn run(args: &RunArgs, color: Color, checks: bool, load: bool) -> Result<RunPlan, Refused> {
    let again = args.rerun.as_deref().map(rerun::read).transpose()?;
    let of_before = |pick: fn(&Again) -> &str| again.as_ref().map(pick);
    let suite = args.suite.as_deref().or_else(|| again.as_ref().and_then(|again| again.suite.as_deref()));
    let suite = read_suite(suite)?;
    let chosen = choose(
        suite,
        args.env.first().map(String::as_str).or_else(|| of_before(|again| &again.environment)),
    )?;
    let (checks, load, only) = match &again {
        Some(again) => again.wanted(&chosen.suite, checks, load)?,
        None => (checks, load && !args.skip_load && args.only.is_empty(), args.only.clone()),
    };
    check_only(&chosen.suite, &only)?;
    require_guard(&chosen.environment)?;
    let variables = variables::resolve(&chosen.suite, &chosen.environment, variable)?;
    let baseline = args.baseline.as_deref().map(|path| baseline(path, args)).transpose()?;
    let mock_seed = match &chosen.environment.target {
        Target::Mock(spec) => Some(spec.seed),
        Target::RunningMock { .. } | Target::Url(_) => None,
    };
    Ok(RunPlan {
        variables,
        checks,
        load,
        only,
        full: args.full || again.as_ref().is_some_and(|again| again.full),
        consent: args.allow_destructive,
        seed: args.seed.or(again.as_ref().map(|again| again.seed)).or(mock_seed).unwrap_or(7),
        labels: args.label.iter().cloned().collect(),
        out: args.out.clone(),
        format: args.format,
        metrics_file: args.metrics_file.clone(),
        lines: lines(args.status_level),
        quiet: args.quiet,
        screen: screen(color, std::io::stderr().is_terminal()),
        command: command_line(&chosen, args),
        chosen,
        baseline,
    })
}

fn lines(level: StatusLevel) -> terminal::Lines {
    match level {
        StatusLevel::None => terminal::Lines::None,
        StatusLevel::Fail => terminal::Lines::Failed,
        StatusLevel::Skip => terminal::Lines::Skipped,
        StatusLevel::Pass => terminal::Lines::All,
    }
}

/// Read before anything is sent: a baseline that cannot be read must not cost a run.
fn baseline(path: &Path, args: &RunArgs) -> Result<Baseline, Refused> {
    let run = super::compare::read(path)?;
    let time = super::compare::time(args.difference.as_deref());
    Ok(Baseline { path: path.to_owned(), run: Arc::new(run), time })
}

/// A pattern that matches no check is a typing error, not an empty run.
fn check_only(suite: &Suite, only: &[String]) -> Result<(), Refused> {
    for pattern in only {
        let matches = suite.checks.iter().any(|check| match pattern.strip_suffix('*') {
            Some(start) => check.id.starts_with(start),
            None => &check.id == pattern,
        });
        if !matches {
            let near = nearest(pattern, suite.checks.iter().map(|check| check.id.as_str()));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(Refused::CommandLine(format!(
                "`--only {pattern}` matches no check of this suite{hint}"
            )));
        }
    }
    Ok(())
}

/// Whatever is not our own mock needs a guard; loopback is no exception (port forwarding).
fn require_guard(environment: &Environment) -> Result<(), Refused> {
    if !matches!(environment.target, Target::Url(_)) || environment.guard.is_some() {
        return Ok(());
    }
    Err(Refused::Mistakes(vec![
        Diagnostic::error(
            "suite::guard-missing",
            environment.at.clone(),
            format!("the environment `{}` has an address and no guard", environment.name),
            "nothing is sent to it without one",
        )
        .help("write `guard: { hosts: [HOST], rate: 20/s, requests: 5000 }` beside `url`"),
    ]))
}

fn command_line(chosen: &Chosen, args: &RunArgs) -> String {
    let suite = args.suite.as_ref().map_or(DEFAULT.to_owned(), |path| path.display().to_string());
    let full = if args.full { " --full" } else { "" };
    format!("assay run {suite} --env {}{full}", chosen.environment.name)
}

/// The value of an environment variable.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How the terminal is: `color` as asked for, else by NO_COLOR, CLICOLOR_FORCE and what stderr is.
pub fn screen(color: Color, is_terminal: bool) -> Screen {
    let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty() && value != "0");
    let dumb = variable("TERM").is_some_and(|term| term == "dumb");
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto => set("CLICOLOR_FORCE") || (is_terminal && !dumb),
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name)).unwrap_or_default();
    let unicode =
        !is_terminal || locale.is_empty() || locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    let columns = variable("COLUMNS").and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| is_terminal.then(terminal_width).flatten()).unwrap_or(100);
    Screen { color, is_terminal: is_terminal && !dumb, width: width.clamp(40, 120), unicode }
}

fn terminal_width() -> Option<u16> {
    rustix::termios::tcgetwinsize(std::io::stderr()).ok().map(|size| size.ws_col).filter(|width| *width > 0)
}
