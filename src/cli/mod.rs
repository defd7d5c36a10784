//! The command line: typed ([`args`]), decided ([`plan`]), done (a file per verb), exit code.
//!
//! Owns the two streams: stdout is the result, stderr the progress. Holds no logic worth a test of its own but
//! what `plan` decides.

pub mod args;
mod artifacts;
mod compare;
mod dialect;
mod explain;
mod glossary;
mod history;
mod learn;
mod mock;
mod narrate;
mod overview;
mod pairs;
mod pipeline;
mod plan;
mod prove;
mod report;
mod rerun;
mod run;
mod signals;
mod target;
mod variables;
mod words;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::report::terminal::Screen;
use crate::results::outcome::Exit;
use crate::source;

use self::args::{BaselineVerb, Color, RunArgs, Typed, Verb};
use self::plan::Refused;

/// Reads the command line, does what it says, answers the exit code.
pub fn main() -> ExitCode {
    ExitCode::from(dispatch(std::env::args_os()).code())
}

fn dispatch(line: impl IntoIterator<Item = OsString>) -> Exit {
    let typed = match Typed::try_parse_from(line) {
        Ok(typed) => typed,
        Err(error) => return misread(&error),
    };
    let color = typed.color;
    match obey(typed) {
        Ok(Ok(exit)) => exit,
        Ok(Err(refused)) => misused(&refused, color),
        Err(error) => could_not_run(&format!("{error:#}"), false),
    }
}

fn obey(typed: Typed) -> anyhow::Result<Result<Exit, Refused>> {
    let color = typed.color;
    let planned = |args: &RunArgs, checks, load| {
        if args.env.len() > 1 {
            return compare::both(args, color, checks, load);
        }
        match plan::run(args, color, checks, load) {
            Ok(plan) => run::run(&plan).map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    };
    match typed.verb.unwrap_or_else(|| Verb::Run(RunArgs::default())) {
        Verb::Run(args) => planned(&args, true, true),
        Verb::Check(args) => planned(&args, true, false),
        Verb::Load(args) => planned(&args, false, true),
        Verb::Plan(args) => Ok(overview::plan(&args, color)),
        Verb::Mock(args) => mock::serve(&args),
        Verb::Learn(args) => learn::learn(&args, color),
        Verb::Prove(args) => prove::prove(&args, color),
        Verb::Report(args) => report::redraw(&args, color),
        Verb::Baseline(BaselineVerb::Accept { run, to }) => compare::accept(&run, &to),
        Verb::History(args) => history::history(&args, color),
        Verb::Compare(args) => compare::compare(&args, color),
        Verb::Explain(args) => Ok(explain::explain(&args, color)),
        Verb::Dialect(verb) => Ok(dialect::dialect(&verb)),
        Verb::Init { path, from: None } => words::init(&path),
        Verb::Init { path, from: Some(from) } => words::init_from(&path, &from),
        Verb::Schema { of } => Ok(Ok(words::schema(of))),
        Verb::Completions { shell } => Ok(Ok(words::completions(shell))),
        Verb::Man { verb, out } => words::man(verb.as_deref(), out.as_deref()),
    }
}

/// clap's own answers: help and version are results, everything else is a mistake.
fn misread(error: &clap::Error) -> Exit {
    let shown = error.print();
    if error.use_stderr() {
        note("\nexit 2 · wrong command line");
        return Exit::Misused;
    }
    drop(shown);
    Exit::Good
}

fn misused(refused: &Refused, color: Color) -> Exit {
    let color = plan::screen(color, std::io::stderr().is_terminal()).color;
    match refused {
        Refused::Mistakes(mistakes) => {
            note(source::render(mistakes, color).trim_end());
            pipeline::tell_github_of_mistakes(mistakes);
            let errors = mistakes.iter().filter(|m| m.severity == source::Severity::Error).count();
            let plural = if errors == 1 { "error" } else { "errors" };
            note(&format!("\nexit 2 · suite has {errors} {plural} · nothing was sent"));
        }
        Refused::CommandLine(sentence) => {
            note(&format!("error: {sentence}"));
            note("\nexit 2 · wrong command line · nothing was sent");
        }
    }
    Exit::Misused
}

/// Says why nothing could be run.
fn could_not_run(reason: &str, color: bool) -> Exit {
    let (red, off) = if color { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
    say(&format!("  {red}Could not run: {reason}{off}"));
    note(&format!("\nexit 3 · could not run: {reason}"));
    Exit::CouldNotRun
}

/// Writes a result to stdout. A reader that has gone away is no mistake.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush()));
}

/// Writes progress, or a last word, to stderr.
fn note(text: &str) {
    let mut out = std::io::stderr().lock();
    drop(writeln!(out, "{}", text.trim_end_matches('\n')));
}

/// The same screen for stdout: colours only where stdout is a terminal as well, or where they are forced.
fn stdout_screen(screen: Screen) -> Screen {
    let is_terminal = std::io::stdout().is_terminal();
    let forced = screen.color && !screen.is_terminal;
    Screen { color: screen.color && (is_terminal || forced), is_terminal, ..screen }
}
