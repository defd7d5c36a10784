//! What a pipeline reads: formats on stdout, annotations, the step summary, metrics, and runs of what failed.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder with a suite in it, on a mock with one defect: one must fails.
struct Bench {
    folder: tempfile::TempDir,
}

const SUITE: &str = "assay: 1
name: a pipeline
dialect: pfms
environments:
  mock: { mock: { policy: strict-family, defects: [no-store-missing] } }
  mended: { mock: { policy: strict-family } }
checks:
  use: [FMT-01, FMT-02]
  own:
    OWN-1:
      title: A grant is kept by no cache
      steps:
        - refresh:
          given: granted
          must: { at: { header:Cache-Control: { like: '(?i)no-store' } } }
";

impl Bench {
    fn new() -> Bench {
        let bench = Bench { folder: tempfile::tempdir().unwrap() };
        std::fs::write(bench.path("suite.yaml"), SUITE).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.args(line.split(' ')).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("NO_COLOR", "1").env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
        command.env_remove("GITHUB_WORKSPACE");
        command
    }

    #[track_caller]
    fn assay(&self, line: &str, code: i32) -> Output {
        let output = self.command(line).output().unwrap();
        exits_with(&output, code);
        output
    }
}

#[track_caller]
fn exits_with(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn json_is_one_object_with_the_verdict_and_ndjson_one_event_a_line() {
    let bench = Bench::new();
    let output = bench.assay("check suite.yaml --out out --format json", 1);
    let summary: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(summary["exit"], 1);
    assert_eq!(summary["run"], "out/run.json");
    assert!(bench.path(summary["page"].as_str().unwrap()).is_file());
    let output = bench.assay("check suite.yaml --out out --format ndjson", 1);
    let events: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let words: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((words[0], *words.last().unwrap()), ("run-started", "run-finished"), "{words:?}");
    assert!(words.iter().filter(|word| **word == "check-finished").count() >= 3, "{words:?}");
    assert_eq!(events.last().unwrap()["exit"], 1);
}

#[test]
fn on_github_what_failed_stands_on_the_line_of_the_suite_and_in_the_step_summary() {
    let bench = Bench::new();
    std::fs::write(bench.path("steps.md"), "before\n").unwrap();
    let output = bench
        .command("check suite.yaml --out out --quiet --format json")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", bench.path("steps.md"))
        .env("GITHUB_WORKSPACE", bench.folder.path())
        .output()
        .unwrap();
    exits_with(&output, 1);
    let line = SUITE.lines().position(|line| line.contains("must:")).unwrap() + 1;
    let own = format!("::error file=suite.yaml,line={line},title=OWN-1 A grant is kept by no cache::");
    assert!(stderr(&output).lines().any(|line| line.starts_with(&own)), "{own}: {}", stderr(&output));
    assert!(stderr(&output).trim_end().lines().last().unwrap().starts_with("exit 1"), "{}", stderr(&output));
    serde_json::from_str::<serde_json::Value>(&stdout(&output)).unwrap();
    let steps = bench.text("steps.md");
    assert!(steps.starts_with("before\n## Failed: "), "{steps}");
    assert!(steps.contains("OWN-1"), "{steps}");
}

#[test]
fn elsewhere_nothing_is_annotated() {
    let bench = Bench::new();
    let output = bench.assay("check suite.yaml --out out", 1);
    assert!(!stderr(&output).contains("::error"), "{}", stderr(&output));
}

#[test]
fn on_github_a_mistake_in_the_suite_stands_on_its_line() {
    let bench = Bench::new();
    std::fs::write(bench.path("suite.yaml"), SUITE.replace("checks:", "polizy: {}\nchecks:")).unwrap();
    let output = bench.command("plan suite.yaml").env("GITHUB_ACTIONS", "true").output().unwrap();
    exits_with(&output, 2);
    assert!(
        stderr(&output).contains("::error file=suite.yaml,line=7,title=suite%3A%3Aunknown-key::"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn metrics_are_written_where_they_are_asked_for() {
    let bench = Bench::new();
    bench.assay("check suite.yaml --out out --quiet --metrics-file metrics/assay.txt", 1);
    let text = bench.text("metrics/assay.txt");
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(
        text.contains("assay_check_passed{check=\"OWN-1\",group=\"own\",severity=\"must\"} 0\n"),
        "{text}"
    );
    assert!(text.contains("assay_exit_code 1\n"), "{text}");
}

#[test]
fn a_rerun_runs_what_failed_and_nothing_else() {
    let bench = Bench::new();
    bench.assay("check suite.yaml --env mock --out first --quiet", 1);
    let ids = |folder: &str| -> Vec<String> {
        let run: serde_json::Value =
            serde_json::from_str(&bench.text(&format!("{folder}/run.json"))).unwrap();
        let ran = |check: &&serde_json::Value| check["verdict"].get("skipped").is_none();
        let checks = run["checks"].as_array().unwrap().iter().filter(ran);
        checks.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
    };
    let failed: Vec<String> = {
        let run: serde_json::Value = serde_json::from_str(&bench.text("first/run.json")).unwrap();
        let failed = |check: &&serde_json::Value| check["verdict"] != "pass";
        let checks = run["checks"].as_array().unwrap().iter().filter(failed);
        checks.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
    };
    assert!(failed.contains(&"OWN-1".to_owned()) && failed.len() < ids("first").len(), "{failed:?}");
    bench.assay("check --rerun first/run.json --out again --quiet", 1);
    assert_eq!(ids("again"), failed);
    bench.assay("check --rerun first/run.json --env mended --out mended --quiet", 0);
    let output = bench.assay("check --rerun mended/run.json --out third --quiet", 2);
    assert!(stderr(&output).contains("nothing failed in `mended/run.json`"), "{}", stderr(&output));
}

#[test]
fn every_check_gets_a_line_where_that_is_wanted() {
    let bench = Bench::new();
    let line = |output: &Output, start: &str| stderr(output).lines().any(|line| line.starts_with(start));
    let usual = bench.assay("check suite.yaml --out out", 1);
    assert!(line(&usual, "FAIL OWN-1") && !line(&usual, "PASS FMT-01"), "{}", stderr(&usual));
    let all = bench.assay("check suite.yaml --out out --status-level pass", 1);
    assert!(line(&all, "FAIL OWN-1") && line(&all, "PASS FMT-01"), "{}", stderr(&all));
    let none = bench.assay("check suite.yaml --out out --status-level none", 1);
    assert!(!line(&none, "FAIL OWN-1"), "{}", stderr(&none));
}

#[test]
fn manual_pages_and_completions_know_every_verb() {
    let bench = Bench::new();
    bench.assay("man --out man", 0);
    for verb in ["run", "check", "load", "plan", "prove", "explain", "report", "learn"] {
        let page = bench.text(&format!("man/assay-{verb}.1"));
        assert!(page.contains(".SH OPTIONS"), "{verb}");
    }
    assert!(stdout(&bench.assay("man explain", 0)).contains("response timeout"));
    bench.assay("man nothing", 2);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = stdout(&bench.assay(&format!("completions {shell}"), 0));
        assert!(text.contains("status-level") && text.contains("explain"), "{shell}");
    }
}
