//! The verdict on a whole run: one function makes headline, reason and exit code for every report.

use super::tally::{Objectives, Tally};
use super::wording::{self, Margin, OBSERVED, count, duration, list, many, number, sentence};
use super::{Books, CheckResult, Ended, ObjectiveResult, Run, Strength, TrustState, Verdict};

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
    /// The one of two that wins: the first in the order of the list.
    #[must_use]
    pub fn first(self, other: Exit) -> Exit {
        if self.rank() <= other.rank() { self } else { other }
    }

    fn rank(self) -> u8 {
        match self {
            Exit::SecretLeaked => 0,
            Exit::Misused => 1,
            Exit::CouldNotRun => 2,
            Exit::Interrupted(_) => 3,
            Exit::Failed => 4,
            Exit::Untrusted => 5,
            Exit::Missed => 6,
            Exit::Worse => 7,
            Exit::Good => 8,
        }
    }

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

/// Whether the two books agree: what the endpoint counted beyond the client is explained by lost answers.
pub fn books_balance(books: &Books) -> bool {
    let beyond = |server: u64, client: u64| server.checked_sub(client);
    match (
        beyond(books.server_granted, books.client_granted),
        beyond(books.server_refused, books.client_refused),
    ) {
        (Some(granted), Some(refused)) => granted + refused <= books.client_unanswered,
        _ => false,
    }
}

/// Why the figures of `run` cannot be believed, as sentences; empty if they can.
pub fn doubts(run: &Run) -> Vec<String> {
    let mut doubts = match run.trust.state {
        // No verdict on speed is drawn from a demonstration, so what spoils its speed decides nothing.
        TrustState::Demonstration => Vec::new(),
        TrustState::Trusted | TrustState::Untrusted => run.trust.reasons.clone(),
    };
    if let Some(books) = &run.trust.books
        && !books_balance(books)
    {
        doubts.push(format!(
            "the books differ: {} grants counted here, {} by the endpoint",
            count(books.client_granted),
            count(books.server_granted)
        ));
    }
    if doubts.is_empty() && run.trust.state == TrustState::Untrusted {
        doubts.push("the generator could not keep its schedule".to_owned());
    }
    doubts
}

/// The verdict on `run`.
pub fn of(run: &Run) -> Outcome {
    let facts = Facts::of(run);
    let exit = facts.exit();
    Outcome {
        headline: facts.headline(exit),
        reason: facts.reason(exit),
        reasons: facts.reasons(exit),
        exit,
        word: facts.word(exit),
    }
}

/// What the verdict is made of.
struct Facts<'a> {
    run: &'a Run,
    checks: Tally,
    objectives: Objectives,
    leaks: &'a [String],
    doubts: Vec<String>,
}

impl Facts<'_> {
    fn of(run: &Run) -> Facts<'_> {
        Facts {
            run,
            checks: Tally::of(&run.checks),
            objectives: Objectives::of(run),
            leaks: run.trust.secrets.as_ref().map_or(&[], |scan| &scan.hits),
            doubts: doubts(run),
        }
    }

    /// The first that applies, in the order of [`Exit`].
    fn exit(&self) -> Exit {
        if !self.leaks.is_empty() {
            Exit::SecretLeaked
        } else if self.could_not_run().is_some() || self.could_not_judge() {
            Exit::CouldNotRun
        } else if let Ended::Interrupted { code, .. } = self.run.ended {
            Exit::Interrupted(code)
        } else if self.checks.failed > 0 || self.checks.stale > 0 || self.run.gate.is_some() {
            Exit::Failed
        } else if !self.doubts.is_empty() {
            Exit::Untrusted
        } else if self.objectives.missed > 0 {
            Exit::Missed
        } else {
            Exit::Good
        }
    }

    /// Why there is nothing to judge by.
    fn could_not_run(&self) -> Option<&str> {
        if let Ended::Abandoned { reason } = &self.run.ended {
            return Some(reason);
        }
        self.run.gate.as_ref().filter(|gate| !gate.answered).map(|gate| gate.reason.as_str())
    }

    /// Whether a `must` stayed open, or everything did. Who interrupts a run knows that something is open.
    fn could_not_judge(&self) -> bool {
        if self.run.gate.as_ref().is_some_and(|gate| gate.answered) {
            return false;
        }
        let interrupted = matches!(self.run.ended, Ended::Interrupted { .. });
        self.checks.inconclusive_musts > 0
            || (!interrupted && (self.open_objectives() > 0 || self.nothing_was_judged()))
    }

    /// Objectives that must hold and could not be judged although their load was run.
    fn open_objectives(&self) -> u64 {
        if self.run.load.is_empty() { 0 } else { self.objectives.undecided_musts }
    }

    fn nothing_was_judged(&self) -> bool {
        let claims: u64 = self.run.checks.iter().map(|check| u64::from(check.judged)).sum();
        (self.checks.judged() == 0 || claims == 0) && self.objectives.judged() == 0
    }

    fn headline(&self, exit: Exit) -> String {
        let checks = &self.checks;
        match exit {
            Exit::SecretLeaked => {
                let files = number(self.leaks.len() as u64);
                let noun = if self.leaks.len() == 1 { "file" } else { "files" };
                format!("Not to be trusted: a secret was found in {files} {noun}")
            }
            Exit::CouldNotRun => self.headline_without_judgement(),
            Exit::Interrupted(_) => format!(
                "Interrupted after {}: {} of {} checks were judged",
                duration(self.interrupted_after()),
                number(checks.judged()),
                number(checks.all)
            ),
            Exit::Failed => self.headline_of_failure(),
            Exit::Untrusted => {
                format!("Not to be trusted: {}", self.doubts.first().map_or("", |reason| end_open(reason)))
            }
            Exit::Missed => format!(
                "Missed: {} of {} objectives",
                number(self.objectives.missed),
                number(self.objectives.all)
            ),
            Exit::Good => self.headline_of_good(),
            Exit::Misused => "Could not run: the suite or the command line is wrong".to_owned(),
            Exit::Worse => "Worse: than what it is compared with".to_owned(),
        }
    }

    fn headline_without_judgement(&self) -> String {
        if let Some(reason) = self.could_not_run() {
            return format!("Could not run: {}", end_open(reason));
        }
        if self.nothing_was_judged() {
            return "Could not judge: no check and no objective came to a verdict".to_owned();
        }
        let mut open = Vec::new();
        if self.checks.inconclusive_musts > 0 {
            open.push(spelled(self.checks.inconclusive_musts, "must", "musts"));
        }
        if self.open_objectives() > 0 {
            open.push(spelled(self.open_objectives(), "objective", "objectives"));
        }
        format!("Could not judge: {}", list(&open))
    }

    fn headline_of_failure(&self) -> String {
        if let Some(gate) = &self.run.gate {
            return format!("Failed: {}", end_open(&gate.reason));
        }
        match (self.checks.failed, self.checks.stale) {
            (0, 1) => "Failed: one known failure is out of date".to_owned(),
            (0, stale) => format!("Failed: {} known failures are out of date", number(stale)),
            (1, _) => "Failed: one must does not hold".to_owned(),
            (failed, _) => format!("Failed: {} musts do not hold", number(failed)),
        }
    }

    /// Never says good over zero checks: a load alone is met, not good.
    fn headline_of_good(&self) -> String {
        if self.checks.judged() == 0 {
            return format!(
                "Met: {}, and no check was run",
                all_of(self.objectives.met, "the one objective", "objectives")
            );
        }
        match self.checks.musts_held {
            0 => format!(
                "Good: {} of {} checks passed, none of them a must",
                number(self.checks.passed),
                number(self.checks.judged())
            ),
            1 => "Good: the one must holds".to_owned(),
            held => format!("Good: all {} musts hold", number(held)),
        }
    }

    fn interrupted_after(&self) -> u64 {
        match self.run.ended {
            Ended::Interrupted { after_us, .. } => after_us,
            Ended::Complete | Ended::Abandoned { .. } => self.run.took_us.all,
        }
    }

    /// The second line: what decided in numbers, then what else holds.
    fn reason(&self, exit: Exit) -> String {
        let mut sentences = Vec::new();
        if self.could_not_run().is_none() && self.run.gate.is_none() {
            sentences.extend(self.about_musts(exit));
            sentences.extend(self.about_objectives(exit));
            sentences.extend(self.about_weaker());
            sentences.extend(self.about_observed());
        } else {
            sentences.push(self.about_gate());
        }
        if exit != Exit::Untrusted
            && let Some(doubt) = self.doubts.first()
        {
            sentences.push(format!("Speed cannot be trusted: {}.", end_open(doubt)));
        }
        if self.run.trust.state == TrustState::Demonstration && !self.run.load.is_empty() {
            sentences.push(
                "A demonstration: the figures describe this machine and the mock, not a server.".to_owned(),
            );
        }
        sentences.join(" ")
    }

    fn about_gate(&self) -> String {
        let judged = self.checks.judged();
        if self.run.gate.is_some() {
            let answered = self.run.gate.as_ref().is_some_and(|gate| gate.answered);
            let what = if answered { "answered, but not with a good call" } else { "was not reached" };
            return format!(
                "The endpoint {what}; everything rests on that, so nothing else was judged ({} not run).",
                many(self.checks.all, "check", "checks")
            );
        }
        format!("{} of {} came to a verdict.", count(judged), many(self.checks.all, "check", "checks"))
    }

    fn about_musts(&self, exit: Exit) -> Vec<String> {
        let checks = &self.checks;
        let mut sentences = Vec::new();
        if checks.failed > 0 {
            let verb = if checks.failed == 1 { "does" } else { "do" };
            sentences.push(format!(
                "{} of {} {verb} not hold.",
                count(checks.failed),
                many(checks.musts, "must", "musts")
            ));
        }
        if checks.stale > 0 && checks.failed > 0 {
            let verb = if checks.stale == 1 { "is" } else { "are" };
            sentences.push(format!(
                "{} {verb} out of date.",
                many(checks.stale, "known failure", "known failures")
            ));
        }
        if checks.all > 0 && (checks.failed == 0 || exit == Exit::CouldNotRun) {
            sentences.push(format!(
                "{} of {} passed.",
                count(checks.passed),
                many(checks.all, "check", "checks")
            ));
        }
        if checks.inconclusive > 0 {
            sentences.push(format!("{} could not be judged.", count(checks.inconclusive)));
        }
        sentences
    }

    fn about_objectives(&self, exit: Exit) -> Option<String> {
        let objectives = &self.objectives;
        if objectives.all == 0 {
            return None;
        }
        let all = many(objectives.all, "objective", "objectives");
        let missed = objectives.missed + objectives.missed_weaker;
        if missed > 0 {
            let verb = if missed == 1 { "was" } else { "were" };
            return Some(format!("{} of {all} {verb} missed.", count(missed)));
        }
        if objectives.undecided > 0 {
            return Some(format!(
                "{} of {all} {} met, {} could not be judged.",
                count(objectives.met),
                if objectives.met == 1 { "was" } else { "were" },
                count(objectives.undecided)
            ));
        }
        let whole = if objectives.all == 1 {
            "The one objective is met".to_owned()
        } else {
            format!("All {} are met", many(objectives.all, "objective", "objectives"))
        };
        match self.tightest().filter(|_| matches!(exit, Exit::Good | Exit::Untrusted)) {
            Some((_, margin)) if !margin.floor => {
                Some(format!("{whole}; the tightest has {}.", margin.words()))
            }
            Some((_, margin)) => Some(format!("{whole}; the tightest is {} its floor.", margin.words())),
            None => Some(format!("{whole}.")),
        }
    }

    /// The objective that was met by the least, and by how much.
    fn tightest(&self) -> Option<(&ObjectiveResult, Margin)> {
        let met = self.run.objectives.iter().filter(|objective| objective.met == Some(true));
        met.filter_map(|objective| Some((objective, Margin::of(objective)?)))
            .min_by(|(_, a), (_, b)| a.left().total_cmp(&b.left()))
    }

    fn about_weaker(&self) -> Option<String> {
        match self.checks.warned {
            0 => None,
            1 => Some("One weaker check failed; it does not decide.".to_owned()),
            warned => {
                Some(format!("{} weaker checks failed; they do not decide.", sentence(&number(warned))))
            }
        }
    }

    /// A policy that nobody has confirmed promises nothing.
    fn about_observed(&self) -> Option<String> {
        match self.checks.observed {
            0 => None,
            1 => Some(format!("One verdict hangs on an unconfirmed policy: {OBSERVED}.")),
            observed => Some(format!(
                "{} verdicts hang on an unconfirmed policy: {OBSERVED}.",
                sentence(&number(observed))
            )),
        }
    }

    /// At most three, what decides first.
    fn reasons(&self, exit: Exit) -> Vec<(String, String, String)> {
        let mut reasons = Vec::new();
        reasons.extend(self.leaks.iter().map(|file| {
            ("trust".to_owned(), "A secret reached a file".to_owned(), format!("{file}: delete it"))
        }));
        if let Some(gate) = &self.run.gate {
            let shown = gate.evidence.first().map_or_else(String::new, |evidence| evidence.title.clone());
            reasons.push(("failures".to_owned(), sentence(&gate.reason), shown));
        }
        if exit == Exit::Untrusted {
            reasons.extend(self.doubts.iter().map(|doubt| {
                ("trust".to_owned(), sentence(doubt), "figures of speed say nothing".to_owned())
            }));
        }
        reasons.extend(self.failed_checks());
        reasons.extend(self.open_checks());
        reasons.extend(self.missed_objectives());
        if reasons.is_empty() {
            reasons.extend(self.good_reasons());
        }
        reasons.truncate(3);
        reasons
    }

    fn failed_checks(&self) -> impl Iterator<Item = (String, String, String)> {
        self.run.checks.iter().filter_map(|check| match &check.verdict {
            Verdict::Fail => Some((check.id.clone(), statement(check), observation(check))),
            Verdict::Stale { reason } => Some((check.id.clone(), sentence(reason), check.title.clone())),
            Verdict::Pass
            | Verdict::Warn
            | Verdict::Known { .. }
            | Verdict::Inconclusive { .. }
            | Verdict::Skipped { .. } => None,
        })
    }

    fn open_checks(&self) -> impl Iterator<Item = (String, String, String)> {
        self.run.checks.iter().filter(|check| check.severity == Strength::Must).filter_map(|check| {
            let Verdict::Inconclusive { reason } = &check.verdict else { return None };
            Some((
                check.id.clone(),
                format!("Could not be judged: {}", end_open(reason)),
                check.title.clone(),
            ))
        })
    }

    fn missed_objectives(&self) -> impl Iterator<Item = (String, String, String)> {
        let must = |objective: &&ObjectiveResult| objective.strength == Strength::Must;
        self.run.objectives.iter().filter(must).filter_map(|objective| match objective.met {
            Some(false) => Some((objective.name.clone(), "Objective missed".to_owned(), figures(objective))),
            None if !self.run.load.is_empty() => Some((
                objective.name.clone(),
                "Objective could not be judged".to_owned(),
                objective.reason.clone().unwrap_or_else(|| objective.condition.clone()),
            )),
            Some(true) | None => None,
        })
    }

    fn good_reasons(&self) -> Vec<(String, String, String)> {
        let checks = &self.checks;
        let mut reasons = Vec::new();
        if checks.all > 0 {
            let passed = format!("{} of {} passed", count(checks.passed), count(checks.all));
            reasons.push(("checks".to_owned(), passed, rest_of(checks)));
        }
        if let Some((objective, margin)) = self.tightest() {
            reasons.push((objective.name.clone(), figures(objective), margin.words()));
        }
        reasons
    }

    fn word(&self, exit: Exit) -> String {
        match exit {
            Exit::SecretLeaked => "a secret reached an artifact".to_owned(),
            Exit::Misused => "the suite or the command line is wrong".to_owned(),
            Exit::CouldNotRun => self.could_not_run().map_or_else(
                || "could not judge".to_owned(),
                |reason| format!("could not run: {}", end_open(reason)),
            ),
            Exit::Interrupted(_) => {
                format!("interrupted after {} · reports written", duration(self.interrupted_after()))
            }
            Exit::Failed if self.run.gate.is_some() => "the good call failed".to_owned(),
            Exit::Failed => "a check failed".to_owned(),
            Exit::Untrusted => {
                format!("cannot be trusted: {}", self.doubts.first().map_or("", |reason| end_open(reason)))
            }
            Exit::Missed => format!("an objective was missed: {}", self.first_missed()),
            Exit::Worse => "worse than the baseline".to_owned(),
            Exit::Good => "good".to_owned(),
        }
    }

    fn first_missed(&self) -> &str {
        let missed = |objective: &&ObjectiveResult| {
            objective.met == Some(false) && objective.strength == Strength::Must
        };
        self.run.objectives.iter().find(missed).map_or("", |objective| objective.name.as_str())
    }
}

/// What is wrong with a failed check, as a statement.
fn statement(check: &CheckResult) -> String {
    check.findings.first().map_or_else(
        || format!("Does not hold: {}", check.title),
        |finding| format!("Found {}, expected {}", finding.found, finding.expected),
    )
}

/// Which check, and where it did not hold.
fn observation(check: &CheckResult) -> String {
    let mut parts = vec![check.title.clone()];
    if let Some(finding) = check.findings.first() {
        parts.extend(finding.cell.clone());
        if finding.times.1 > 1 {
            parts.push(format!("{} of {}", finding.times.0, finding.times.1));
        }
    }
    parts.join(" · ")
}

/// `response p99 744 ms, limit 400 ms`.
fn figures(objective: &ObjectiveResult) -> String {
    match (objective.measured, objective.limit) {
        (Some(measured), Some(limit)) => {
            format!("{}, limit {}", wording::measured(measured), wording::limit(limit))
        }
        _ => objective.condition.clone(),
    }
}

/// What did not pass, in a few words.
fn rest_of(checks: &Tally) -> String {
    let parts = [
        (checks.warned, "failed (should)"),
        (checks.known, if checks.known == 1 { "known failure" } else { "known failures" }),
        (checks.inconclusive, "inconclusive"),
        (checks.skipped, "skipped"),
    ];
    let words: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", count(*n))).collect();
    if words.is_empty() { "none failed, none skipped".to_owned() } else { words.join(", ") }
}

/// A sentence without its full stop, to go on.
fn end_open(text: &str) -> &str {
    text.trim_end().trim_end_matches('.')
}

fn spelled(n: u64, one: &str, more: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { more })
}

fn all_of(n: u64, one: &str, more: &str) -> String {
    if n == 1 { one.to_owned() } else { format!("all {} {more}", number(n)) }
}
