//! `assay compare`, `run --baseline`, `run --env A --env B`, `baseline accept`: two runs side by side.

use std::path::{Path, PathBuf};

use crate::compare::{self, Comparison, Matters, Options};
use crate::report::{html, markdown, terminal};
use crate::results::outcome::{self, Exit};
use crate::results::{Run, file, wording};
use crate::suite::units;

use super::args::{Color, CompareArgs, Format, RunArgs};
use super::plan::{self, Baseline, Refused, RunPlan};
use super::run::{self, Done};

/// Compares two run files, writes the reports and prints one of them.
pub fn compare(args: &CompareArgs, color: Color) -> anyhow::Result<Result<Exit, Refused>> {
    let (a, b) = match (read(&args.a), read(&args.b)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(refused), _) | (_, Err(refused)) => return Ok(Err(refused)),
    };
    let options = Options { time: time(args.difference.as_deref()), seed: args.seed };
    let comparison = compare::compare(&a, &b, options);
    let folder = args.out.clone().unwrap_or_else(|| folder(&comparison));
    let again = format!("assay compare {} {}", args.a.display(), args.b.display());
    let page = keep(&comparison, &folder, &again)?;
    if args.json {
        super::say(&json(&comparison));
    } else if args.markdown {
        super::say(&markdown::comparison(&comparison));
    } else {
        let screen = super::stdout_screen(plan::screen(color, false));
        super::say(&terminal::comparison(&comparison, Some(&page.display().to_string()), screen));
    }
    let outcome = compare::outcome::of(&comparison);
    super::note(&format!("\nexit {} · {}", outcome.exit.code(), outcome.word));
    Ok(Ok(outcome.exit))
}

/// A run file, or the sentence why it is none.
pub(super) fn read(path: &Path) -> Result<Run, Refused> {
    let source = plan::read_file(path)?;
    file::read(source.text()).map_err(|error| Refused::CommandLine(format!("`{}`: {error}", path.display())))
}

/// Compares a run with its baseline, beside the run's own reports, and says the last line.
pub(super) fn with_baseline(plan: &RunPlan, baseline: &Baseline, done: &Done) -> anyhow::Result<Exit> {
    let options = Options { time: baseline.time, seed: plan.seed };
    let comparison = compare::compare(&baseline.run, &done.run, options);
    let folder = done.page.parent().unwrap_or(Path::new("."));
    let again = format!("assay compare {} {}", baseline.path.display(), folder.join("run.json").display());
    let page = keep(&comparison, folder, &again)?;
    let compared = compare::outcome::of(&comparison);
    if plan.format == Format::Human {
        let screen = super::stdout_screen(plan.screen);
        super::say(&format!(
            "\n{}",
            terminal::comparison(&comparison, Some(&page.display().to_string()), screen)
        ));
    } else {
        super::note(&format!("{}: {}", compared.headline, page.display()));
    }
    let own = outcome::of(&done.run);
    if own.exit.first(compared.exit) == own.exit && own.exit != Exit::Good {
        super::note(&terminal::exit_line(&done.run));
    } else {
        let took = wording::plain(&wording::duration(done.run.took_us.all));
        super::note(&format!("exit {} · {} · {took}", compared.exit.code(), compared.word));
    }
    Ok(compared.exit)
}

/// Runs two environments one after the other, the first as the baseline of the second, and compares them.
pub fn both(args: &RunArgs, color: Color, checks: bool, load: bool) -> anyhow::Result<Result<Exit, Refused>> {
    let [first, second] = args.env.as_slice() else {
        let sentence = "two environments can be compared, not more: write `--env A --env B`";
        return Ok(Err(Refused::CommandLine(sentence.to_owned())));
    };
    if args.baseline.is_some() {
        let sentence = "`--baseline` goes with one environment: with two, the first is the baseline";
        return Ok(Err(Refused::CommandLine(sentence.to_owned())));
    }
    // Both are decided before anything is sent.
    let alone = |name: &String| {
        let out = args.out.as_ref().map(|folder| folder.join(name));
        plan::run(&RunArgs { env: vec![name.clone()], out, ..args.clone() }, color, checks, load)
    };
    let (plan_a, plan_b) = match (alone(first), alone(second)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(refused), _) | (_, Err(refused)) => return Ok(Err(refused)),
    };
    let mut done = Vec::new();
    for plan in [&plan_a, &plan_b] {
        match run::make(plan)? {
            Ok(made) => done.push(made),
            Err(exit) => return Ok(Ok(exit)),
        }
    }
    tell_both(&done[0], &done[1], args, &plan_b).map(Ok)
}

fn tell_both(a: &Done, b: &Done, args: &RunArgs, plan: &RunPlan) -> anyhow::Result<Exit> {
    let options = Options { time: time(args.difference.as_deref()), seed: plan.seed };
    let comparison = compare::compare(&a.run, &b.run, options);
    let file = |done: &Done| done.page.with_file_name("run.json").display().to_string();
    let again = format!("assay compare {} {}", file(a), file(b));
    let page = keep(&comparison, &args.out.clone().unwrap_or_else(|| folder(&comparison)), &again)?;
    let compared = compare::outcome::of(&comparison);
    let (own_a, own_b) = (outcome::of(&a.run), outcome::of(&b.run));
    if args.format == Format::Human {
        let screen = super::stdout_screen(plan.screen);
        let text = terminal::comparison(&comparison, Some(&page.display().to_string()), screen);
        let line = |letter: &str, done: &Done, own: &outcome::Outcome| {
            format!("  {letter}  {}\n     page  {}", own.headline, done.page.display())
        };
        super::say(&format!("{text}\n{}\n{}", line("A", a, &own_a), line("B", b, &own_b)));
        super::say("  B ran after A, not beside it: what changed on the way in between is in the difference");
    } else {
        super::say(&json(&comparison));
    }
    let exit = own_b.exit.first(own_a.exit.first(compared.exit));
    let word = [(compared.exit, &compared.word), (own_b.exit, &own_b.word), (own_a.exit, &own_a.word)]
        .into_iter()
        .find(|(code, _)| *code == exit)
        .map_or("", |(_, word)| word.as_str());
    super::note(&format!("\nexit {} · {word}", exit.code()));
    Ok(exit)
}

/// Stores a run file as the baseline, if it is fit to be one.
pub fn accept(path: &Path, to: &Path) -> anyhow::Result<Result<Exit, Refused>> {
    let run = match read(path) {
        Ok(run) => run,
        Err(refused) => return Ok(Err(refused)),
    };
    let own = outcome::of(&run);
    match own.exit {
        Exit::SecretLeaked | Exit::Misused | Exit::CouldNotRun | Exit::Interrupted(_) | Exit::Untrusted => {
            let sentence = format!("`{}` is not fit to be a baseline: {}", path.display(), own.headline);
            return Ok(Err(Refused::CommandLine(sentence)));
        }
        Exit::Failed | Exit::Missed | Exit::Worse | Exit::Good => {}
    }
    std::fs::write(to, file::write(&run))
        .map_err(|error| anyhow::anyhow!("cannot write `{}`: {error}", to.display()))?;
    super::say(&format!("  {} is the baseline now: {}", to.display(), own.headline));
    if own.exit != Exit::Good {
        super::say("  What fails in it is no worse when it fails again.");
    }
    super::note("\nexit 0 · accepted");
    Ok(Ok(Exit::Good))
}

/// `2ms` or `5%`; clap has read it before.
pub(super) fn time(written: Option<&str>) -> Option<Matters> {
    written.and_then(|text| difference(text).ok())
}

/// Reads a difference of response times: `2ms`, `5%`.
pub fn difference(text: &str) -> Result<Matters, String> {
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| "expected a share such as `5%`".to_owned())?;
        return if (0.0..=1000.0).contains(&percent) {
            Ok(Matters::Share(percent / 100.0))
        } else {
            Err("expected a share between 0% and 1000%".to_owned())
        };
    }
    units::duration(text).map(|time| Matters::Us(time.as_secs_f64() * 1e6))
}

fn folder(comparison: &Comparison) -> PathBuf {
    let word = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
    };
    let (a, b) = (&comparison.a, &comparison.b);
    let names = if a.environment == b.environment {
        (word(&a.run), word(&b.run))
    } else {
        (word(&a.environment), word(&b.environment))
    };
    Path::new("reports").join(format!("compare-{}-{}", names.0, names.1))
}

/// The page, the comparison as JSON and as Markdown; the page's path.
pub(super) fn keep(comparison: &Comparison, folder: &Path, again: &str) -> anyhow::Result<PathBuf> {
    let page = folder.join("compare.html");
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text);
    std::fs::create_dir_all(folder)
        .and_then(|()| write("compare.html", html::comparison_page(comparison, again)))
        .and_then(|()| write("compare.json", json(comparison)))
        .and_then(|()| write("compare.md", markdown::comparison(comparison)))
        .map_err(|error| anyhow::anyhow!("cannot write the comparison to `{}`: {error}", folder.display()))?;
    Ok(page)
}

fn json(comparison: &Comparison) -> String {
    /// The verdict stands before what it is made of.
    #[derive(serde::Serialize)]
    struct Whole<'a> {
        headline: String,
        reason: String,
        exit: u8,
        word: String,
        #[serde(flatten)]
        comparison: &'a Comparison,
    }
    let outcome = compare::outcome::of(comparison);
    let whole = Whole {
        headline: outcome.headline,
        reason: outcome.reason,
        exit: outcome.exit.code(),
        word: outcome.word,
        comparison,
    };
    let mut text = serde_json::to_string_pretty(&whole).expect("plain data with text keys is always JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_time_or_a_share() {
        assert_eq!(difference("2ms"), Ok(Matters::Us(2_000.0)));
        assert_eq!(difference("5%"), Ok(Matters::Share(0.05)));
        assert!(difference("5").unwrap_err().contains("5ms"));
        assert!(difference("x%").is_err() && difference("-1%").is_err());
    }
}
