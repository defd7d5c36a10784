//! `assay learn`: says what it will spend, asks, asks the endpoint, and writes a fragment for a person to confirm.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use jiff::Zoned;

use crate::conformance::learn::{self, Heading, Price, Unlearned};
use crate::results::event::Stop;
use crate::results::outcome::Exit;
use crate::results::wording::{many, plain};

use super::args::{Color, LearnArgs, RunArgs};
use super::plan::{self, Refused, RunPlan};
use super::target::{self, CannotRun, Ready};
use super::{artifacts, run, signals};

/// Learns what the environment's endpoint does.
pub fn learn(args: &LearnArgs, color: Color) -> anyhow::Result<Result<Exit, Refused>> {
    let plan = match decide(args, color) {
        Ok(plan) => plan,
        Err(refused) => return Ok(Err(refused)),
    };
    let price = learn::price(&plan.chosen.environment, &plan.chosen.dialect);
    if let Some(refused) = beyond_guard(&plan, &price) {
        return Ok(Err(refused));
    }
    super::note(&announcement(&plan, &price));
    if !args.yes {
        match consent() {
            Consent::Given => {}
            Consent::Withheld => {
                super::note("\nexit 3 · not consented to · nothing was sent");
                return Ok(Ok(Exit::CouldNotRun));
            }
            Consent::NobodyToAsk => {
                let sentence = "there is no terminal to ask on: `--yes` consents to what is said above";
                return Ok(Err(Refused::CommandLine(sentence.to_owned())));
            }
        }
    }
    ask(&plan, &price, args.out.as_deref()).map(Ok)
}

fn decide(args: &LearnArgs, color: Color) -> Result<RunPlan, Refused> {
    if let Some(path) = args.out.as_deref().filter(|path| path.exists()) {
        let sentence = format!("`{}` is there already: nothing was sent or written", path.display());
        return Err(Refused::CommandLine(sentence));
    }
    let run = RunArgs {
        suite: args.suite.clone(),
        env: args.env.iter().cloned().collect(),
        seed: args.seed,
        ..RunArgs::default()
    };
    plan::run(&run, color, false, false)
}

/// A guard that allows fewer requests would cut the lesson off in its middle, and a chain is lost for nothing.
fn beyond_guard(plan: &RunPlan, price: &Price) -> Option<Refused> {
    let allowed = plan.chosen.environment.guard.as_ref()?.requests?;
    (price.requests > allowed).then(|| {
        Refused::CommandLine(format!(
            "learning takes up to {} requests, and the guard of `{}` allows {allowed}",
            price.requests, plan.chosen.environment.name
        ))
    })
}

fn announcement(plan: &RunPlan, price: &Price) -> String {
    let mut text = format!(
        "  Learning from `{}` of {}\n  will spend at most {}, {}, {} lost{}",
        plan.chosen.environment.name,
        plan.chosen.suite.file.name(),
        many(price.requests, "request", "requests"),
        many(price.chains, "chain", "chains"),
        many(price.families, "family", "families"),
        if price.no_replay.is_some() { "" } else { " (a used token is sent again, which may revoke it)" },
    );
    if let Some(why) = &price.no_replay {
        text.push_str("\n  ");
        text.push_str(why);
    }
    plain(&text)
}

enum Consent {
    Given,
    Withheld,
    NobodyToAsk,
}

/// Asks on the terminal. Anything but yes is no.
fn consent() -> Consent {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Consent::NobodyToAsk;
    }
    let mut out = std::io::stderr().lock();
    drop(write!(out, "  Go on? [y/N] ").and_then(|()| out.flush()));
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(_) if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") => Consent::Given,
        Ok(_) | Err(_) => Consent::Withheld,
    }
}

fn ask(plan: &RunPlan, price: &Price, out: Option<&Path>) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let stop = Stop::default();
    let signal = signals::listen(&runtime, stop.clone());
    let ready = match runtime.block_on(target::prepare(plan)) {
        Ok(ready) => ready,
        Err(CannotRun(reason)) => return Ok(super::could_not_run(&reason, plan.screen.color)),
    };
    let ground = run::ground(plan, &ready, run::fingerprint_key());
    let say = |line: &str| super::note(&format!("    {line}"));
    let lesson = match runtime.block_on(learn::learn(&ground, price, &stop, &say)) {
        Ok(lesson) => lesson,
        Err(Unlearned::Stopped) => {
            super::note("\ninterrupted · nothing was written");
            return Ok(Exit::Interrupted(signal.code().unwrap_or(130)));
        }
        Err(Unlearned::Because(reason)) => return Ok(super::could_not_run(&reason, plan.screen.color)),
    };
    let day = Zoned::now().date().to_string();
    let heading =
        Heading { environment: &plan.chosen.environment.name, dialect: &plan.chosen.dialect.name, day: &day };
    keep(&lesson.fragment(&heading), plan, &ready, out)
}

/// The fragment goes to stdout, or into a file; nowhere if a secret stands in it.
fn keep(fragment: &str, plan: &RunPlan, ready: &Ready, out: Option<&Path>) -> anyhow::Result<Exit> {
    if artifacts::holds_secret(fragment, &run::secrets(plan, ready), ready.source.held()) {
        super::note("\nexit 7 · a secret stood in the fragment · nothing was written");
        return Ok(Exit::SecretLeaked);
    }
    match out {
        None => super::say(fragment),
        Some(path) => {
            std::fs::write(path, fragment)
                .map_err(|error| anyhow::anyhow!("cannot write `{}`: {error}", path.display()))?;
            super::say(&format!(
                "  wrote {}: confirm its lines, and put them into the suite",
                path.display()
            ));
        }
    }
    super::note("\nexit 0 · learned · nobody has confirmed it yet");
    Ok(Exit::Good)
}
