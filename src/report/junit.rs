//! JUnit XML: one suite per group, one case per check and per objective.
//!
//! A check that found the endpoint wrong is a `failure`; one that could not be judged is an `error`; one that
//! was not run, or whose failure is known, is `skipped`. The name of the whole is the headline; cases have names
//! without figures, so that a pipeline knows them again.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::clean;
use super::state::{groups, strength};
use crate::results::outcome;
use crate::results::wording::{OBSERVED, limit, measured, plain};
use crate::results::{CheckResult, Finding, ObjectiveResult, Run, Strength, Verdict};

/// Text of one case at most, in bytes.
const LONGEST: usize = 16 * 1024;

/// The JUnit document of `run`.
pub fn document(run: &Run) -> String {
    let outcome = outcome::of(run);
    let suites = suites(run);
    let mut document = Document(Writer::new_with_indent(Vec::new(), b' ', 2));
    document.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let counts = Counts::of(suites.iter().flat_map(|suite| &suite.cases));
    let name = plain(&outcome.headline);
    let seconds = seconds(run.took_us.all);
    document.open("testsuites", &[("name", &name), ("time", &seconds)], Some(counts));
    for suite in &suites {
        document.suite(run, suite);
    }
    document.close("testsuites");
    let mut text = String::from_utf8(document.0.into_inner()).expect("only text was written");
    text.push('\n');
    text
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    class: String,
    name: String,
    micros: u64,
    file: Option<(String, u32)>,
    end: End,
    properties: Vec<(&'static str, String)>,
}

enum End {
    Passed,
    /// Type, message, text.
    Failure(&'static str, String, String),
    Error(String),
    Skipped(String),
    /// Passed in JUnit's eyes; the text goes to `system-out`.
    Weak(String),
}

#[derive(Clone, Copy, Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Counts {
        let mut counts = Counts::default();
        for case in cases {
            counts.tests += 1;
            match case.end {
                End::Passed | End::Weak(_) => {}
                End::Failure(..) => counts.failures += 1,
                End::Error(_) => counts.errors += 1,
                End::Skipped(_) => counts.skipped += 1,
            }
        }
        counts
    }
}

fn suites(run: &Run) -> Vec<Suite> {
    let mut suites = Vec::new();
    if let Some(case) = whole(run) {
        suites.push(Suite { name: "run".to_owned(), cases: vec![case] });
    }
    for (group, checks) in groups(&run.checks) {
        suites.push(Suite { name: group.to_owned(), cases: checks.into_iter().map(check).collect() });
    }
    if !run.objectives.is_empty() {
        let cases = run.objectives.iter().map(|one| objective(one, !run.load.is_empty())).collect();
        suites.push(Suite { name: "objectives".to_owned(), cases });
    }
    suites
}

/// What belongs to no check: the good call, trust, a leaked secret, an early end.
fn whole(run: &Run) -> Option<Case> {
    let outcome = outcome::of(run);
    let headline = plain(&outcome.headline);
    let end = match outcome.exit {
        outcome::Exit::SecretLeaked => End::Failure("secret", headline, plain(&outcome.reason)),
        outcome::Exit::Failed if run.gate.is_some() => End::Failure("gate", headline, plain(&outcome.reason)),
        outcome::Exit::CouldNotRun
        | outcome::Exit::Misused
        | outcome::Exit::Interrupted(_)
        | outcome::Exit::Untrusted => End::Error(headline),
        outcome::Exit::Failed | outcome::Exit::Missed | outcome::Exit::Worse | outcome::Exit::Good => {
            return None;
        }
    };
    Some(Case {
        class: "assay.run".to_owned(),
        name: "the run as a whole".to_owned(),
        micros: run.took_us.all,
        file: None,
        end,
        properties: Vec::new(),
    })
}

fn check(check: &CheckResult) -> Case {
    let end = match &check.verdict {
        Verdict::Pass => End::Passed,
        Verdict::Fail => End::Failure("must", message(check), details(check)),
        Verdict::Warn => End::Weak(details(check)),
        Verdict::Known { until, owner, why, .. } => {
            End::Skipped(format!("known failure until {until} ({owner}): {why}"))
        }
        Verdict::Stale { reason } => End::Failure("stale", reason.clone(), details(check)),
        Verdict::Inconclusive { reason } if check.severity == Strength::Must => End::Error(reason.clone()),
        Verdict::Inconclusive { reason } => End::Skipped(format!("inconclusive: {reason}")),
        Verdict::Skipped { reason } => End::Skipped(reason.clone()),
    };
    let quote = check.findings.first().map(|finding| (finding.quote.path.clone(), finding.quote.line));
    let mut properties = vec![
        ("severity", strength(check.severity).to_owned()),
        ("basis", check.basis.join(", ")),
        ("requests", check.requests.to_string()),
    ];
    if check.observed {
        properties.push(("policy", OBSERVED.to_owned()));
    }
    if matches!(check.verdict, Verdict::Warn) {
        properties.push(("verdict", "failed (should)".to_owned()));
    }
    Case {
        class: format!("assay.{}", check.group),
        name: format!("{} {}", check.id, check.title),
        micros: check.took_us,
        file: quote,
        end,
        properties,
    }
}

fn message(check: &CheckResult) -> String {
    check.findings.first().map_or_else(
        || check.title.clone(),
        |finding| format!("found {}, expected {}", finding.found, finding.expected),
    )
}

fn details(check: &CheckResult) -> String {
    let findings = check.findings.iter().take(5).map(finding);
    findings.chain(check.fix.iter().map(|fix| format!("fix: {fix}"))).collect::<Vec<_>>().join("\n\n")
}

fn finding(finding: &Finding) -> String {
    let quote = &finding.quote;
    let mut lines = vec![
        format!("{}:{}:{}: {}", quote.path, quote.line, quote.column, quote.label),
        format!("found {}, expected {} ({})", finding.found, finding.expected, strength(finding.strength)),
    ];
    lines.extend(finding.cell.iter().map(|cell| format!("where: {cell}")));
    lines.extend(finding.notes.iter().map(|(name, text)| format!("{name}: {text}")));
    for evidence in finding.evidence.iter().take(2) {
        lines.push(format!("--- {}", evidence.title));
        lines.push(evidence.sent.clone());
        lines.push("--- received".to_owned());
        lines.push(evidence.received.clone());
    }
    lines.extend(finding.again.iter().map(|again| format!("again: {again}")));
    lines.join("\n")
}

fn objective(objective: &ObjectiveResult, load_was_run: bool) -> Case {
    let figure = objective.measured.map_or(String::new(), |figure| plain(&measured(figure)));
    let limit = objective.limit.map_or(String::new(), |figure| plain(&limit(figure)));
    let said = format!("{figure}, limit {limit}: {}", objective.condition);
    let must = objective.strength == Strength::Must;
    let reason = objective.reason.clone().unwrap_or_else(|| "could not be judged".to_owned());
    let end = match objective.met {
        Some(true) => End::Passed,
        Some(false) if must => End::Failure("objective", said.clone(), said),
        Some(false) => End::Weak(said),
        None if must && load_was_run => End::Error(reason),
        None => End::Skipped(reason),
    };
    let properties = vec![
        ("severity", strength(objective.strength).to_owned()),
        ("condition", objective.condition.clone()),
        ("measured", figure),
    ];
    Case {
        class: "assay.objectives".to_owned(),
        name: objective.name.clone(),
        micros: 0,
        file: Some((objective.quote.path.clone(), objective.quote.line)),
        end,
        properties,
    }
}

fn seconds(micros: u64) -> String {
    format!("{:.3}", micros as f64 / 1e6)
}

/// The writer; into memory, so it cannot fail.
struct Document(Writer<Vec<u8>>);

impl Document {
    fn event(&mut self, event: Event<'_>) {
        self.0.write_event(event).expect("writing to memory does not fail");
    }

    fn start<'a>(name: &'a str, attributes: &[(&str, &str)], counts: Option<Counts>) -> BytesStart<'a> {
        let mut start = BytesStart::new(name);
        for (key, value) in attributes {
            start.push_attribute((*key, clean::line(value).as_str()));
        }
        if let Some(counts) = counts {
            for (key, number) in [
                ("tests", counts.tests),
                ("failures", counts.failures),
                ("errors", counts.errors),
                ("skipped", counts.skipped),
            ] {
                start.push_attribute((key, number.to_string().as_str()));
            }
        }
        start
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)], counts: Option<Counts>) {
        self.event(Event::Start(Self::start(name, attributes, counts)));
    }

    fn close(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(Self::start(name, attributes, None)));
    }

    fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes, None);
        let text = plain(&clean::clean(text));
        let (text, left) = clean::cut(&text, LONGEST);
        self.event(Event::Text(BytesText::new(text)));
        if left > 0 {
            self.event(Event::Text(BytesText::new(&format!("\n… {}", clean::more(left)))));
        }
        self.close(name);
    }

    fn suite(&mut self, run: &Run, suite: &Suite) {
        let micros: u64 = suite.cases.iter().map(|case| case.micros).sum();
        let (time, seed) = (seconds(micros), run.seed.to_string());
        let attributes =
            [("name", suite.name.as_str()), ("time", &time), ("timestamp", run.began_at.as_str())];
        self.open("testsuite", &attributes, Some(Counts::of(suite.cases.iter())));
        self.open("properties", &[], None);
        for (name, value) in [
            ("suite", run.suite.path.as_str()),
            ("suite digest", &run.suite.digest),
            ("environment", &run.target.environment),
            ("endpoint", &run.target.url),
            ("seed", &seed),
            ("assay", &run.assay_version),
        ] {
            self.empty("property", &[("name", name), ("value", value)]);
        }
        self.close("properties");
        for case in &suite.cases {
            self.case(case);
        }
        self.close("testsuite");
    }

    fn case(&mut self, case: &Case) {
        let time = seconds(case.micros);
        let line = case.file.as_ref().map(|(_, line)| line.to_string());
        let mut attributes =
            vec![("classname", case.class.as_str()), ("name", case.name.as_str()), ("time", time.as_str())];
        if let (Some((file, _)), Some(line)) = (&case.file, &line) {
            attributes.extend([("file", file.as_str()), ("line", line.as_str())]);
        }
        self.open("testcase", &attributes, None);
        self.open("properties", &[], None);
        for (name, value) in &case.properties {
            self.empty("property", &[("name", name), ("value", value)]);
        }
        self.close("properties");
        match &case.end {
            End::Passed => {}
            End::Failure(kind, message, text) => {
                self.text("failure", &[("type", kind), ("message", message)], text);
            }
            End::Error(message) => {
                self.text("error", &[("type", "not judged"), ("message", message)], message);
            }
            End::Skipped(message) => self.empty("skipped", &[("message", message)]),
            End::Weak(text) => self.text("system-out", &[], text),
        }
        self.close("testcase");
    }
}
