//! The figures of a run as OpenMetrics text, for dashboards and for GitLab's comparison of merge requests.
//!
//! Names and labels are stable: nothing that changes from run to run (time, path, seed) is a label, or every run
//! would be a new series.

use std::fmt::Write as _;

use super::state::State;
use crate::results::outcome;
use crate::results::tally::Tally;
use crate::results::{Clock, LoadResult, Measured, Run, Strength};

/// The quantiles of a clock that are written.
const QUANTILES: [&str; 5] = ["p50", "p90", "p95", "p99", "p99.9"];

/// The metrics of `run`.
pub fn text(run: &Run) -> String {
    let mut exposition = Exposition::default();
    whole(run, &mut exposition);
    checks(run, &mut exposition);
    objectives(run, &mut exposition);
    load(run, &mut exposition);
    exposition.0.push_str("# EOF\n");
    exposition.0
}

fn whole(run: &Run, out: &mut Exposition) {
    let outcome = outcome::of(run);
    out.family("assay_run", "info", "Which suite was run against which environment.");
    let labels = [("suite", run.suite.name.as_str()), ("environment", &run.target.environment)];
    out.sample("assay_run_info", &labels, 1.0);
    out.family("assay_exit_code", "gauge", "The exit code: 0 is good.");
    out.sample("assay_exit_code", &[], f64::from(outcome.exit.code()));
    out.family("assay_run_duration_seconds", "gauge", "How long the run took.");
    out.sample("assay_run_duration_seconds", &[], run.took_us.all as f64 / 1e6);
    out.family("assay_requests", "gauge", "Requests that the run sent.");
    out.sample("assay_requests", &[], run.burnt.requests as f64);
}

fn checks(run: &Run, out: &mut Exposition) {
    if run.checks.is_empty() {
        return;
    }
    let tally = Tally::of(&run.checks);
    out.family("assay_checks", "gauge", "Checks by how they came out.");
    for (verdict, count) in [
        ("passed", tally.passed),
        ("failed", tally.failed + tally.stale),
        ("warned", tally.warned),
        ("known", tally.known),
        ("inconclusive", tally.inconclusive),
        ("skipped", tally.skipped),
    ] {
        out.sample("assay_checks", &[("verdict", verdict)], count as f64);
    }
    out.family(
        "assay_check_passed",
        "gauge",
        "1 where a check holds, 0 where it does not; none where it was not judged.",
    );
    for check in &run.checks {
        let passed = match State::of(check) {
            State::Pass | State::Info => 1.0,
            State::Fail | State::Weak | State::Missed | State::Known => 0.0,
            State::Odd | State::Skip => continue,
        };
        let severity = match check.severity {
            Strength::Must => "must",
            Strength::Should => "should",
            Strength::Info => "info",
        };
        let labels = [("check", check.id.as_str()), ("group", &check.group), ("severity", severity)];
        out.sample("assay_check_passed", &labels, passed);
    }
}

fn objectives(run: &Run, out: &mut Exposition) {
    let judged = || run.objectives.iter().filter_map(|one| Some((one, one.met?)));
    if judged().next().is_some() {
        out.family("assay_objective_met", "gauge", "1 where an objective is met, 0 where it was missed.");
        for (one, met) in judged() {
            out.sample("assay_objective_met", &[("objective", &one.name)], f64::from(u8::from(met)));
        }
    }
    let measured = || run.objectives.iter().filter_map(|one| Some((one, one.measured?)));
    if measured().next().is_some() {
        out.family(
            "assay_objective_value",
            "gauge",
            "The measured side: seconds, a share, a rate or a number.",
        );
        for (one, figure) in measured() {
            out.sample("assay_objective_value", &[("objective", &one.name)], base(figure));
        }
    }
}

/// In base units: seconds, shares from 0 to 1.
fn base(figure: Measured) -> f64 {
    match figure {
        Measured::TimeUs(micros) => micros / 1e6,
        Measured::Share(plain) | Measured::Rate(plain) | Measured::Count(plain) => plain,
    }
}

fn load(run: &Run, out: &mut Exposition) {
    if run.load.is_empty() {
        return;
    }
    out.family("assay_load_requests", "gauge", "Requests of a profile by what became of them.");
    for load in &run.load {
        let book = &load.book;
        for (outcome, count) in [
            ("granted", book.granted),
            ("refused", book.refused),
            ("failed", book.failed),
            ("starved", book.starved),
        ] {
            let labels = [("profile", load.name.as_str()), ("outcome", outcome)];
            out.sample("assay_load_requests", &labels, count as f64);
        }
    }
    out.family("assay_load_errors_ratio", "gauge", "Refused, failed and starved of all that was scheduled.");
    for load in &run.load {
        let errors = load.book.refused + load.book.failed + load.book.starved;
        let share = errors as f64 / load.book.scheduled.max(1) as f64;
        out.sample("assay_load_errors_ratio", &[("profile", &load.name)], share);
    }
    out.family("assay_load_response_seconds", "summary", "Response time: from the moment a request was due.");
    clocks(&run.load, out, "assay_load_response_seconds", |load| &load.response);
    out.family("assay_load_service_seconds", "summary", "Service time: from the moment a request left.");
    clocks(&run.load, out, "assay_load_service_seconds", |load| &load.service);
    wire(&run.load, out);
}

/// Connections, bytes, and how long their phases took.
fn wire(loads: &[LoadResult], out: &mut Exposition) {
    out.family("assay_load_connections", "gauge", "Connections that a profile opened.");
    for load in loads {
        out.sample("assay_load_connections", &[("profile", &load.name)], load.traffic.opened as f64);
    }
    out.family(
        "assay_load_reused_requests",
        "gauge",
        "Requests of a profile on a connection that had carried one before.",
    );
    for load in loads {
        out.sample("assay_load_reused_requests", &[("profile", &load.name)], load.traffic.reused as f64);
    }
    out.family("assay_load_wire_bytes", "gauge", "Bytes of requests and answers, without TLS and TCP.");
    for load in loads {
        for (direction, count) in [("out", load.traffic.sent_bytes), ("in", load.traffic.received_bytes)] {
            let labels = [("profile", load.name.as_str()), ("direction", direction)];
            out.sample("assay_load_wire_bytes", &labels, count as f64);
        }
    }
    phases(loads, out);
}

fn phases(loads: &[LoadResult], out: &mut Exposition) {
    let seen = || loads.iter().flat_map(|load| load.phases.seen().map(move |phase| (load, phase)));
    if seen().next().is_none() {
        return;
    }
    out.family(
        "assay_load_phase_seconds",
        "summary",
        "How long a phase took: dns, connect, proxy, tls, first byte.",
    );
    for (load, (phase, clock)) in seen() {
        let labels = [("profile", load.name.as_str()), ("phase", phase)];
        for (quantile, share) in [("p50", "0.5"), ("p99", "0.99")] {
            let Some(micros) = clock.quantiles_us.get(quantile) else { continue };
            let labels = [labels[0], labels[1], ("quantile", share)];
            out.sample("assay_load_phase_seconds", &labels, micros / 1e6);
        }
        out.sample("assay_load_phase_seconds_count", &labels, clock.count as f64);
    }
}

fn clocks(loads: &[LoadResult], out: &mut Exposition, name: &str, clock: fn(&LoadResult) -> &Clock) {
    for load in loads {
        let clock = clock(load);
        for quantile in QUANTILES {
            let Some(micros) = clock.quantiles_us.get(quantile) else { continue };
            let share = match quantile {
                "p50" => "0.5",
                "p90" => "0.9",
                "p95" => "0.95",
                "p99" => "0.99",
                _ => "0.999",
            };
            out.sample(name, &[("profile", &load.name), ("quantile", share)], micros / 1e6);
        }
        out.sample(&format!("{name}_count"), &[("profile", &load.name)], clock.count as f64);
    }
}

/// The text as it grows.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    /// The head of a family. Only families with samples get one.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        if let Some(unit) =
            ["seconds", "ratio", "bytes"].into_iter().find(|unit| name.ends_with(&format!("_{unit}")))
        {
            let _ = writeln!(self.0, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.0, "# HELP {name} {help}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        if !labels.is_empty() {
            let labels: Vec<String> =
                labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
            let _ = write!(self.0, "{{{}}}", labels.join(","));
        }
        let value = if value.is_finite() { value } else { 0.0 };
        let _ = writeln!(self.0, " {value}");
    }
}

/// The value of a label.
fn escaped(text: &str) -> String {
    super::clean::line(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::file;

    fn failed() -> Run {
        file::read(include_str!("../../tests/it/fixtures/run-failed.json")).unwrap()
    }

    /// The grammar of a sample: name, labels, number.
    fn is_sample(line: &str) -> bool {
        let sample = regex::Regex::new(
            r#"^[a-z_]+(\{[a-z_]+="([^"\\\n]|\\["\\n])*"(,[a-z_]+="([^"\\\n]|\\["\\n])*")*\})? -?[0-9.e-]+$"#,
        );
        sample.unwrap().is_match(line)
    }

    #[test]
    fn every_line_is_a_head_or_a_sample_and_the_last_is_the_end() {
        let mut run = failed();
        run.load[0].name = "a \"quoted\\ name\n".to_owned();
        let text = text(&run);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.last(), Some(&"# EOF"));
        let mut family = String::new();
        let mut families = std::collections::HashSet::new();
        for line in &lines[..lines.len() - 1] {
            if let Some(head) = line.strip_prefix("# TYPE ") {
                family = head.split(' ').next().unwrap().to_owned();
                assert!(families.insert(family.clone()), "{family} begins twice");
            } else if let Some(head) = line.strip_prefix("# ") {
                assert_eq!(head.split(' ').nth(1), Some(family.as_str()), "{line}");
            } else {
                assert!(is_sample(line), "{line}");
                assert!(line.starts_with(&family), "{line} stands under {family}");
            }
        }
        assert!(families.len() >= 9, "{families:?}");
    }

    #[test]
    fn figures_are_those_of_the_run_in_base_units() {
        let run = failed();
        let text = text(&run);
        assert!(text.contains("\nassay_exit_code 1\n"), "{text}");
        assert!(text.contains("\nassay_checks{verdict=\"failed\"} 2\n"), "{text}");
        assert!(
            text.contains("\nassay_check_passed{check=\"FMT-08\",group=\"format\",severity=\"must\"} 0\n"),
            "{text}"
        );
        let load = &run.load[0];
        let p99 = load.response.quantiles_us["p99"] / 1e6;
        let line =
            format!("\nassay_load_response_seconds{{profile=\"{}\",quantile=\"0.99\"}} {p99}\n", load.name);
        assert!(text.contains(&line), "{line} in {text}");
    }

    #[test]
    fn no_sample_stands_twice() {
        let text = text(&failed());
        let mut seen = std::collections::HashSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.rsplit_once(' ').unwrap().0;
            assert!(seen.insert(name.to_owned()), "{name}");
        }
    }
}
