//! `assay mock`: the endpoint alone, for people who develop against it.

use std::net::{Ipv4Addr, SocketAddr};

use crate::dialect::{self, Dialect};
use crate::mock::{Controller as Served, MockOptions, MockServer};
use crate::results::event::Stop;
use crate::results::outcome::Exit;
use crate::source::{SourceFile, nearest, render};
use crate::suite;
use crate::suite::call::Slot;
use crate::suite::defect::Defect;
use crate::suite::environment::{Generation, MockLatency, MockPolicy, MockSpec, Target, Variant};

use super::args::{Controller, MockArgs};
use super::plan::Refused;
use super::signals;

/// Serves until a signal comes.
pub fn serve(args: &MockArgs) -> anyhow::Result<Result<Exit, Refused>> {
    if args.defect.iter().any(|word| word == "list") {
        list_defects();
        return Ok(Ok(Exit::Good));
    }
    let options = match options(args) {
        Ok(options) => options,
        Err(sentence) => return Ok(Err(Refused::CommandLine(sentence))),
    };
    let server = match MockServer::start(options) {
        Ok(server) => server,
        Err(error) => return Ok(Ok(super::could_not_run(&error.to_string(), false))),
    };
    greet(args, &server);
    for pair in server.seeds(args.seeds) {
        super::say(&pair_line(&pair));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let stop = Stop::default();
    let _signal = signals::listen(&runtime, stop.clone());
    while !stop.asked() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Ok(Ok(Exit::Good))
}

fn options(args: &MockArgs) -> Result<MockOptions, String> {
    let dialect = spoken(&args.dialect)?;
    let policies = MockPolicy::ALL.iter();
    let policy = policies
        .clone()
        .find(|(_, word)| *word == args.policy)
        .map(|(policy, _)| *policy)
        .ok_or_else(|| unknown("policy", &args.policy, policies.map(|(_, word)| *word)))?;
    let control_port =
        args.control_port.unwrap_or(if args.port == 0 { 0 } else { args.port.wrapping_add(1) });
    Ok(MockOptions {
        spec: MockSpec {
            policy,
            webapi: if args.webapi == 1 { Generation::One } else { Generation::Two },
            seed: args.seed,
            latency: latency(&args.latency)?,
            workers: args.workers,
            errors: args.errors,
            defects: args.defect.iter().map(|word| defect(word)).collect::<Result<_, _>>()?,
            variants: args.variant.iter().map(|word| variant(word)).collect::<Result<_, _>>()?,
            ..MockSpec::default()
        },
        dialect,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        control: SocketAddr::from((Ipv4Addr::LOCALHOST, control_port)),
        controller: match args.controller {
            Controller::Endpoint => Served::Endpoint,
            Controller::Echo => Served::Echo,
            Controller::EchoStrict => Served::EchoNotAcceptable,
            Controller::EchoDetail => Served::EchoDetailed,
        },
        threads: 2,
    })
}

/// A built-in dialect, or that of a file.
fn spoken(name: &str) -> Result<Dialect, String> {
    if let Some(dialect) = dialect::builtin(name) {
        return Ok(dialect);
    }
    let Ok(text) = std::fs::read_to_string(name) else {
        return Err(unknown("dialect", name, dialect::BUILTIN.iter().map(|(name, _)| *name)));
    };
    dialect::parse(&SourceFile::new(name, text)).map_err(|mistakes| render(&mistakes, false))
}

/// The model as the suite language reads it.
fn latency(text: &str) -> Result<MockLatency, String> {
    let environment = format!("environments: {{ mock: {{ mock: {{ latency: {text} }} }} }}");
    let whole = SourceFile::new("--latency", format!("assay: 1\nname: mock\ndialect: pfms\n{environment}\n"));
    let mistaken = |message: &str| format!("--latency {text}: {message}");
    let suite = suite::parse(&whole).map_err(|mistakes| {
        mistaken(mistakes.first().map_or("not a model of latency", |mistake| &mistake.message))
    })?;
    match suite.environments.values().next().map(|environment| &environment.target) {
        Some(Target::Mock(spec)) => Ok(spec.latency.clone()),
        Some(Target::RunningMock { .. } | Target::Url(_)) | None => Err(mistaken("not a model of latency")),
    }
}

fn defect(word: &str) -> Result<Defect, String> {
    Defect::from_word(word)
        .ok_or_else(|| unknown("defect", word, Defect::ALL.iter().map(|defect| defect.word())))
}

fn variant(word: &str) -> Result<Variant, String> {
    let all = Variant::ALL.iter();
    all.clone()
        .find(|(_, candidate)| *candidate == word)
        .map(|(variant, _)| *variant)
        .ok_or_else(|| unknown("variant", word, all.map(|(_, word)| *word)))
}

fn unknown<'a>(kind: &str, word: &str, words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match nearest(word, words.iter().copied()) {
        Some(near) => format!("no {kind} is called `{word}`; did you mean `{near}`?"),
        None if words.len() <= 12 => format!("no {kind} is called `{word}`; there are {}", words.join(", ")),
        None => format!("no {kind} is called `{word}`; `assay mock --defect list` prints them"),
    }
}

fn list_defects() {
    for defect in Defect::ALL {
        super::say(&format!("{:<28} {}", defect.word(), defect.what()));
    }
}

fn greet(args: &MockArgs, server: &MockServer) {
    super::note(&format!("  assay mock · {} · {} · seed {}", args.dialect, args.policy, args.seed));
    super::note(&format!("  endpoint  {}", server.url()));
    super::note(&format!("  control   {}", server.control_url()));
    for (name, slots) in server.identities() {
        let slots: Vec<String> =
            slots.iter().map(|(slot, value)| format!("{}={}", slot.word(), value.expose())).collect();
        super::note(&format!("  identity  {name}: {}", slots.join(" ")));
    }
    super::note("  These credentials open nothing but this mock. Ctrl-C stops it.");
}

/// One pair as a line that `chains: { file: … }` reads.
fn pair_line(pair: &[(Slot, crate::secret::Token)]) -> String {
    let object: serde_json::Map<String, serde_json::Value> =
        pair.iter().map(|(slot, value)| (slot.word().to_owned(), value.expose().into())).collect();
    serde_json::Value::Object(object).to_string()
}
