//! `assay prove`: the kill table.

use std::fmt::Write as _;
use std::io::IsTerminal;

use crate::prove::{self, Caught, Options, Row, Table};
use crate::results::outcome::Exit;
use crate::suite::defect::Subtlety;

use super::args::{Color, ProveArgs};
use super::plan::{self, Refused};

/// Proves a suite and prints what escaped.
pub fn prove(args: &ProveArgs, color: Color) -> anyhow::Result<Result<Exit, Refused>> {
    let chosen = match plan::read_suite(args.suite.as_deref()).and_then(|suite| plan::choose(suite, None)) {
        Ok(chosen) => chosen,
        Err(refused) => return Ok(Err(refused)),
    };
    let options = Options {
        suite: chosen.suite.clone(),
        environment: chosen.environment.clone(),
        dialect: chosen.dialect.clone(),
        only: args.only.clone(),
        full: args.full,
        clean_runs: args.clean_runs,
        mutants: !args.skip_mutants,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let live = std::io::stderr().is_terminal() && !args.json;
    let progress = |done: usize, all: usize, name: &str| {
        if live {
            eprint_live(&format!("\r\u{1b}[K  {done}/{all} {name}"));
        }
    };
    let table = match runtime.block_on(prove::prove(&options, &progress)) {
        Ok(table) => table,
        Err(prove::CannotProve(sentence)) => return Ok(Err(Refused::CommandLine(sentence))),
    };
    if live {
        eprint_live("\r\u{1b}[K");
    }
    if args.json {
        super::say(&format!("{:#}", table.json()));
    } else {
        super::say(&summary(&table, chosen.suite.file.name(), plan::screen(color, false).color));
    }
    Ok(Ok(conclude(&table)))
}

fn eprint_live(text: &str) {
    use std::io::Write;
    let mut out = std::io::stderr().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

fn conclude(table: &Table) -> Exit {
    if table.proven() {
        super::note("\nexit 0 · every check has teeth");
        return Exit::Good;
    }
    super::note("\nexit 1 · a check has no teeth, or barks at nothing");
    Exit::Failed
}

fn summary(table: &Table, suite: &str, color: bool) -> String {
    let (red, green, off) = if color { ("\u{1b}[1;31m", "\u{1b}[32m", "\u{1b}[0m") } else { ("", "", "") };
    let mut text = format!("  proving {suite} against {} defects\n\n", table.defects.len());
    for (subtlety, name) in
        [(Subtlety::Gross, "gross"), (Subtlety::Medium, "medium"), (Subtlety::Subtle, "subtle")]
    {
        let rows: Vec<&Row> = table.defects.iter().filter(|row| row.subtlety == subtlety).collect();
        let caught = rows.iter().filter(|row| row.caught == Caught::ByItsCheck).count();
        let marks: String = rows.iter().map(|row| mark(row.caught)).collect();
        let _ = writeln!(text, "  {name:<8} {caught:>3} of {:<3}  {marks}", rows.len());
    }
    text.push_str("           . caught   ~ by another check only   x escaped\n\n");
    for row in table.defects.iter().filter(|row| row.caught != Caught::ByItsCheck) {
        let (word, by) = match row.caught {
            Caught::Escaped => ("ESCAPED", String::new()),
            Caught::ByAnother | Caught::ByItsCheck => ("other", format!(" · {}", row.also_red.join(", "))),
        };
        let _ = writeln!(text, "{red}{word:>9}{off} {}  {}", row.id, row.what);
        let _ = writeln!(text, "            meant for {}{by}", row.meant_for.join(", "));
    }
    for row in table.defects.iter().filter(|row| !row.undeclared.is_empty()) {
        let _ = writeln!(text, "{red}undeclared{off} {}  also red: {}", row.id, row.undeclared.join(", "));
    }
    for mutant in table.mutants.iter().filter(|mutant| mutant.red.is_empty()) {
        let _ = writeln!(text, "{red}{:>9}{off} mutant {}", "ESCAPED", mutant.what);
    }
    text.push_str(&alarms(table));
    let killed = table.mutants.iter().filter(|mutant| !mutant.red.is_empty()).count();
    if !table.mutants.is_empty() {
        let _ = writeln!(
            text,
            "  Mutants of the dialect table, one side only: {killed} of {} turn a check red",
            table.mutants.len()
        );
    }
    let caught = table.defects.iter().filter(|row| row.caught == Caught::ByItsCheck).count();
    let headline = if table.proven() { format!("{green}Proven") } else { format!("{red}Not proven") };
    let _ = writeln!(
        text,
        "  {headline}: {caught} of {} defects are caught by the check they are for{off}",
        table.defects.len()
    );
    text
}

fn alarms(table: &Table) -> String {
    let mut text = String::new();
    let alarms: usize = table.clean.reds.iter().map(Vec::len).sum();
    let _ = writeln!(text, "  False alarms: {alarms} in {} clean runs", table.clean.runs);
    for ids in table.clean.reds.iter().filter(|ids| !ids.is_empty()) {
        let _ = writeln!(text, "            {}", ids.join(", "));
    }
    let benign: Vec<_> = table.variants.iter().filter(|variant| !variant.red.is_empty()).collect();
    let _ = writeln!(text, "  False alarms: {} in {} benign variants", benign.len(), table.variants.len());
    for variant in benign {
        let _ = writeln!(text, "            {}: {}", variant.what, variant.red.join(", "));
    }
    text
}

fn mark(caught: Caught) -> char {
    match caught {
        Caught::ByItsCheck => '.',
        Caught::ByAnother => '~',
        Caught::Escaped => 'x',
    }
}
