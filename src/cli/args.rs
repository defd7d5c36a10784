//! What was typed, and nothing else: no defaults that depend on the machine, no look at files.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Proves a refresh-token endpoint before a release.
#[derive(Debug, Parser)]
#[command(name = "assay", version, about, long_about = None, max_term_width = 100)]
#[command(after_help = "Without a command, `assay` is `assay run`: suites/pfms.yaml on the embedded mock.\n\
Exit codes: 0 good · 1 a check failed · 2 suite or command line wrong · 3 could not run or judge ·\n\
4 an objective was missed · 5 worse than the baseline · 6 cannot be trusted · 7 a secret leaked ·\n\
130, 143 interrupted")]
pub struct Typed {
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// When to use color.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// When to use color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the checks, then the load profiles, and write the reports
    Run(RunArgs),
    /// Run the checks alone
    Check(RunArgs),
    /// Run the load profiles alone
    Load(RunArgs),
    /// Print what a run would send, spend and may harm; no traffic
    Plan(PlanArgs),
    /// Serve the mock endpoint alone, for people who develop against it
    Mock(MockArgs),
    /// Ask an endpoint what it does: a fragment of a suite, for a person to confirm
    Learn(LearnArgs),
    /// Run the suite against every defect of the mock: the kill table
    Prove(ProveArgs),
    /// Draw the reports of a run file again
    Report(ReportArgs),
    /// Compare two runs, in behavior and in speed: exit 5 if B is worse than A, or different
    Compare(CompareArgs),
    /// Set the runs of a folder in a row: what comes and goes, what changed and stayed
    History(HistoryArgs),
    /// Keep a run as what later runs are compared with
    #[command(subcommand)]
    Baseline(BaselineVerb),
    /// Explain a check, an exit code, an error class or a diagnostic
    Explain(ExplainArgs),
    /// Check a dialect file, or print one that is built in
    #[command(subcommand)]
    Dialect(DialectVerb),
    /// Write a first suite
    Init {
        /// Where to write it
        #[arg(default_value = "suite.yaml")]
        path: PathBuf,
        /// Make it, and a dialect beside it, of an ASP.NET help page (text or HTML) or an OpenAPI description
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// Print a JSON Schema, for editors and validators
    Schema {
        /// Of what
        #[arg(value_enum)]
        of: SchemaOf,
    },
    /// Print shell completions
    Completions {
        /// For which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of one verb
    Man {
        /// The verb, such as run
        verb: Option<String>,
        /// Write all of them into this folder: assay.1, assay-run.1, …
        #[arg(long, value_name = "DIR", conflicts_with = "verb")]
        out: Option<PathBuf>,
    },
}

/// What can be done with dialects.
#[derive(Debug, Subcommand)]
pub enum DialectVerb {
    /// Read a dialect file, and say what it means
    Check {
        /// The file, or the name of a built-in one
        file: PathBuf,
    },
    /// Print a built-in dialect, to be copied and changed
    Show {
        /// Its name
        name: String,
    },
    /// List the built-in dialects
    List,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The suite language.
    Suite,
    /// Dialect files.
    Dialect,
    /// The run file.
    Run,
}

/// Arguments of `run`, `check` and `load`.
#[derive(Args, Clone, Debug, Default)]
pub struct RunArgs {
    /// The suite [default: suites/pfms.yaml, or the built-in copy of it]
    pub suite: Option<PathBuf>,
    /// The environment of the suite to run against [default: its first]; two of them: both are run, the first
    /// as the baseline of the second, and compared
    #[arg(long, value_name = "NAME")]
    pub env: Vec<String>,
    /// A run file to compare with: exit 5 if this run is worse, or different
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// From which difference of response times on a comparison cares, such as 2ms or 5% [default: 2ms]
    #[arg(long, value_name = "TIME", value_parser = difference)]
    pub difference: Option<String>,
    /// Where to write the reports [default: reports/SUITE-TIME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The full depth of every check: more rounds, samples and cases
    #[arg(long)]
    pub full: bool,
    /// Only these checks, by id, with `*` at the end as wildcard
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave the load profiles out
    #[arg(long)]
    pub skip_load: bool,
    /// The seed of everything random [default: the mock's, or 7]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// A label for the reports, such as release=4.2; may be repeated
    #[arg(long, value_name = "K=V", value_parser = label)]
    pub label: Vec<(String, String)>,
    /// Consent to checks that may harm the target; the suite must consent as well
    #[arg(long)]
    pub allow_destructive: bool,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Run what failed in this run file again: its suite, environment, seed and depth, unless others are named
    #[arg(long, value_name = "RUN.json", conflicts_with_all = ["only", "skip_load"])]
    pub rerun: Option<PathBuf>,
    /// Write the figures as OpenMetrics text as well
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<PathBuf>,
    /// Which checks get a line when they end; failures are repeated at the end in any case
    #[arg(long, value_enum, default_value_t = StatusLevel::Fail)]
    pub status_level: StatusLevel,
    /// No progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// Which checks get a line while they run; each level has those of the levels before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StatusLevel {
    /// None.
    None,
    /// Those that did not pass.
    #[default]
    Fail,
    /// And those that were skipped.
    Skip,
    /// All.
    Pass,
}

/// What stands on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The summary.
    #[default]
    Human,
    /// The verdict, checks, objectives and figures as one JSON object.
    Json,
    /// One JSON object per event, the verdict last.
    Ndjson,
}

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// The suite [default: suites/pfms.yaml, or the built-in copy of it]
    pub suite: Option<PathBuf>,
    /// The environment of the suite [default: its first]
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// The full depth of every check
    #[arg(long)]
    pub full: bool,
}

/// Arguments of `learn`.
#[derive(Args, Debug)]
pub struct LearnArgs {
    /// The suite that holds the environment [default: suites/pfms.yaml, or the built-in copy of it]
    pub suite: Option<PathBuf>,
    /// The environment to ask [default: its first]
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Where to write the fragment [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Consent to what it will spend, without a question
    #[arg(long, short)]
    pub yes: bool,
    /// The seed of everything random [default: the mock's, or 7]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Arguments of `mock`.
#[derive(Args, Debug)]
pub struct MockArgs {
    /// Port of the endpoint on 127.0.0.1; 0 for any
    #[arg(long, default_value_t = 7070)]
    pub port: u16,
    /// Port of the control port [default: the next one; any where the port is 0]
    #[arg(long)]
    pub control_port: Option<u16>,
    /// The dialect it speaks: a name, or the path of a file
    #[arg(long, default_value = "pfms")]
    pub dialect: String,
    /// What it does with used tokens: strict-family, strict-reject, grace-same-pair, grace-active-pair,
    /// grace-new-pair, none, count
    #[arg(long, default_value = "strict-family")]
    pub policy: String,
    /// The generation of ASP.NET Web API: 1 or 2
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub webapi: u8,
    /// The seed of its tokens
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// A defect to switch on, by name; may be repeated. `--defect list` prints them
    #[arg(long, value_name = "ID")]
    pub defect: Vec<String>,
    /// An unusual and right behavior to switch on, by name; may be repeated
    #[arg(long, value_name = "ID")]
    pub variant: Vec<String>,
    /// How long answers take, as a suite has it: '{ lognormal: { median: 50ms, sigma: 0.5 } }'
    #[arg(long, value_name = "MODEL", default_value = "none")]
    pub latency: String,
    /// Work on so many requests at once, and let the others wait their turn
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub workers: Option<u32>,
    /// Answer this share of all refreshes with 500, such as 0.5%
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share)]
    pub errors: f64,
    /// Print this many ready-to-use pairs, as JSON lines on stdout
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seeds: usize,
    /// Serve another controller
    #[arg(long, value_enum, default_value_t = Controller::Endpoint)]
    pub controller: Controller,
}

/// What the mock serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Controller {
    /// The endpoint.
    Endpoint,
    /// A controller that answers what was bound, for replaying recorded requests.
    Echo,
    /// The same, with a negotiator that answers 406 where no type matches.
    EchoStrict,
    /// The same as echo, with details in error documents.
    EchoDetail,
}

/// Arguments of `prove`.
#[derive(Args, Debug)]
pub struct ProveArgs {
    /// The suite [default: those that are shipped: suites/pfms.yaml, suites/oauth2.yaml, and what only suites/fapi2.yaml asks]
    pub suite: Option<PathBuf>,
    /// Every defect against every check of its dialect, and answers spoiled by a proxy
    #[arg(long)]
    pub full: bool,
    /// Only these defects, by name
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How many runs of each suite against the clean mock, in the depth of the proof [default: 3; 1 if full]
    #[arg(long)]
    pub clean_runs: Option<u32>,
    /// Leave the generated mutants of the dialect table out
    #[arg(long)]
    pub skip_mutants: bool,
    /// Print the kill table as JSON
    #[arg(long)]
    pub json: bool,
    /// Where to write the kill table as well: text, JSON and a page
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A check (FMT-08), an exit code (exit 6), an error class (response timeout) or a diagnostic
    /// (suite::unit); `exit`, `class` and `diagnostic` alone list all of a kind
    #[arg(required_unless_present = "all")]
    pub what: Vec<String>,
    /// Every check of the catalogue
    #[arg(long, conflicts_with = "what")]
    pub all: bool,
    /// Checks as Markdown
    #[arg(long)]
    pub markdown: bool,
}

/// Arguments of `report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The run file
    pub run: PathBuf,
    /// Where to write [default: beside the run file]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A kill table (`proof.json` of `assay prove --out`) to show on the page
    #[arg(long, value_name = "FILE")]
    pub proof: Option<PathBuf>,
    /// Write nothing: say whether the page was drawn from just this run file; exit 1 if it was not
    #[arg(long)]
    pub verify: bool,
}

/// What can be done with a baseline.
#[derive(Debug, Subcommand)]
pub enum BaselineVerb {
    /// Store a run file as the baseline, if it is fit to be one
    Accept {
        /// The run file
        run: PathBuf,
        /// Where to store it
        #[arg(long, value_name = "FILE", default_value = "baseline.json")]
        to: PathBuf,
    },
}

/// Arguments of `compare`.
#[derive(Args, Clone, Debug)]
pub struct CompareArgs {
    /// The run file to compare with: the baseline
    pub a: PathBuf,
    /// The run file that is judged
    pub b: PathBuf,
    /// Where to write page, JSON and Markdown [default: reports/compare-A-B]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// From which difference of response times on anybody cares, such as 2ms or 5% [default: 2ms]
    #[arg(long, value_name = "TIME", value_parser = difference)]
    pub difference: Option<String>,
    /// The seed by which blocks of time are drawn
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// Print the comparison as JSON
    #[arg(long)]
    pub json: bool,
    /// Print the comparison as Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// Arguments of `history`.
#[derive(Args, Clone, Debug)]
pub struct HistoryArgs {
    /// Folders with run files, or run files [default: reports]
    pub from: Vec<PathBuf>,
    /// Only runs of this environment [default: that of the newest run]
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Where to write history.html and history.json [default: the first folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the history as JSON
    #[arg(long)]
    pub json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    crate::suite::units::share(text)
}

fn difference(text: &str) -> Result<String, String> {
    super::compare::difference(text).map(|_| text.to_owned())
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE, such as release=4.2".to_owned()),
    }
}
