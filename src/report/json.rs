//! The summary as JSON, for scripts: the verdict and what decided it, without evidence and histograms.
//!
//! Everything else stands in the run file, whose path is the last member.

use serde_json::{Value, json};

use super::state::{State, strength};
use crate::results::outcome;
use crate::results::tally::Tally;
use crate::results::wording::plain;
use crate::results::{CheckResult, LoadResult, ObjectiveResult, Run, Verdict};

/// The version of this document.
const VERSION: u32 = 1;

/// The summary of `run`, whose page and run file lie at `page` and `file`.
pub fn summary(run: &Run, page: &str, file: &str) -> Value {
    let outcome = outcome::of(run);
    let tally = Tally::of(&run.checks);
    json!({
        "assay_summary": VERSION,
        "headline": plain(&outcome.headline),
        "reason": plain(&outcome.reason),
        "exit": outcome.exit.code(),
        "suite": run.suite.path,
        "environment": run.target.environment,
        "began_at": run.began_at,
        "took_us": run.took_us.all,
        "seed": run.seed,
        "labels": run.labels,
        "tally": {
            "all": tally.all,
            "passed": tally.passed,
            "failed": tally.failed + tally.stale,
            "warned": tally.warned,
            "known": tally.known,
            "inconclusive": tally.inconclusive,
            "skipped": tally.skipped,
        },
        "checks": run.checks.iter().map(check).collect::<Vec<_>>(),
        "objectives": run.objectives.iter().map(objective).collect::<Vec<_>>(),
        "load": run.load.iter().map(load).collect::<Vec<_>>(),
        "page": page,
        "run": file,
    })
}

fn check(check: &CheckResult) -> Value {
    let mut told = json!({
        "id": check.id,
        "severity": strength(check.severity),
        "verdict": State::of(check).word(),
        "took_us": check.took_us,
    });
    if let Verdict::Stale { reason } | Verdict::Inconclusive { reason } | Verdict::Skipped { reason } =
        &check.verdict
    {
        told["reason"] = json!(plain(reason));
    }
    if let (State::Fail | State::Weak | State::Known, Some(finding)) =
        (State::of(check), check.findings.first())
    {
        told["found"] = json!(plain(&finding.found));
        told["expected"] = json!(plain(&finding.expected));
    }
    told
}

fn objective(objective: &ObjectiveResult) -> Value {
    json!({
        "name": objective.name,
        "severity": strength(objective.strength),
        "condition": objective.condition,
        "met": objective.met,
        "measured": objective.measured,
        "limit": objective.limit,
    })
}

fn load(load: &LoadResult) -> Value {
    json!({
        "name": load.name,
        "asks": plain(&load.asks),
        "book": load.book,
        "response_us": load.response.quantiles_us,
        "service_us": load.service.quantiles_us,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::file;

    #[test]
    fn the_summary_has_the_verdict_and_no_evidence() {
        let run = file::read(include_str!("../../tests/it/fixtures/run-failed.json")).unwrap();
        let told = summary(&run, "out/report.html", "out/run.json");
        assert_eq!((told["exit"].as_u64(), told["tally"]["failed"].as_u64()), (Some(1), Some(2)));
        let failed = told["checks"].as_array().unwrap().iter().find(|check| check["id"] == "FMT-08").unwrap();
        assert_eq!(failed["verdict"], "fail");
        assert_eq!(failed["found"], "`application/json`");
        let text = told.to_string();
        assert!(text.len() < 40_000 && !text.contains("histogram") && !text.contains("HTTP/1.1"), "{text}");
    }
}
