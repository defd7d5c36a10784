//! Two runs side by side, through the binary: exit codes, files, and what a real difference is called.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const SUITE: &str = "\
assay: 1
name: two mocks
dialect: pfms
environments:
  clean: { mock: { policy: strict-family, webapi: 2, seed: 7 } }
  odd:
    mock: { policy: strict-family, webapi: 2, seed: 7, defects: [inner-member-missing, flag-spelling] }
policy: { rotation: always, replay: { answer: refused, revokes: family } }
checks: { standards: [contract] }
";

/// A folder with the suite in it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("suite.yaml"), SUITE).unwrap();
        Bench { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn assay(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("NO_COLOR", "1").env_remove("COLUMNS").output().unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures").join(name).display().to_string()
}

fn run_file(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn exits_with(output: &Output, code: i32) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "stdout:\n{}\nstderr:\n{stderr}", stdout(output));
}

#[test]
fn a_worse_run_ends_with_five_and_the_verdict_first() {
    let bench = Bench::new();
    let (good, failed) = (fixture("run-good.json"), fixture("run-failed.json"));
    let output = bench.assay(&["compare", &good, &failed, "--out", "out"]);
    exits_with(&output, 5);
    let text = stdout(&output);
    assert!(text.starts_with("  Worse: B fails two musts that A does not\n"), "{text}");
    let page = std::fs::read_to_string(bench.path("out/compare.html")).unwrap();
    assert!(page.contains("Worse: B fails two musts that A does not"));
    assert!(page.contains("default-src &#39;none&#39;") && !page.contains(" style="));
    let comparison = bench.json("out/compare.json");
    assert_eq!((comparison["exit"].as_u64(), comparison["seed"].as_u64()), (Some(5), Some(7)));
    let markdown = std::fs::read_to_string(bench.path("out/compare.md")).unwrap();
    assert!(markdown.starts_with("## Worse: "), "{markdown}");
}

#[test]
fn a_run_is_the_same_as_itself_and_the_other_way_round_is_better() {
    let bench = Bench::new();
    let (good, failed) = (fixture("run-good.json"), fixture("run-failed.json"));
    let same = bench.assay(&["compare", &good, &good, "--out", "same"]);
    exits_with(&same, 0);
    assert!(stdout(&same).starts_with("  Same: no difference was seen"), "{}", stdout(&same));
    let better = bench.assay(&["compare", &failed, &good, "--out", "better", "--json"]);
    exits_with(&better, 0);
    let comparison: Value = serde_json::from_str(&stdout(&better)).unwrap();
    assert!(comparison["headline"].as_str().unwrap().starts_with("Better: "), "{comparison:#}");
}

#[test]
fn a_comparison_is_the_same_every_time() {
    let bench = Bench::new();
    let (good, failed) = (fixture("run-good.json"), fixture("run-failed.json"));
    let once = bench.assay(&["compare", &good, &failed, "--out", "once", "--json"]);
    let again = bench.assay(&["compare", &good, &failed, "--out", "again", "--json"]);
    assert_eq!(stdout(&once), stdout(&again));
}

#[test]
fn what_is_no_run_file_is_said_so() {
    let bench = Bench::new();
    let output = bench.assay(&["compare", "suite.yaml", "suite.yaml"]);
    exits_with(&output, 2);
    let output =
        bench.assay(&["compare", &fixture("run-good.json"), &fixture("run-good.json"), "--difference", "5"]);
    exits_with(&output, 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("5ms"));
}

/// One clean run is the baseline; the same again is no worse, and a mock that leaves a member out is named.
#[test]
fn a_baseline_knows_a_mock_that_answers_otherwise() {
    let bench = Bench::new();
    let check = |more: &[&str]| {
        let fixed = ["check", "suite.yaml", "--only", "FMT-08,SUC-04", "--quiet"];
        bench.assay(&fixed.iter().chain(more).copied().collect::<Vec<_>>())
    };
    exits_with(&check(&["--env", "clean", "--out", "a"]), 0);
    exits_with(&bench.assay(&["baseline", "accept", "a/run.json", "--to", "base.json"]), 0);
    let same = check(&["--env", "clean", "--baseline", "base.json", "--out", "b"]);
    exits_with(&same, 0);
    assert!(stdout(&same).contains("  Same: no difference was seen"), "{}", stdout(&same));
    let other = check(&["--env", "odd", "--baseline", "base.json", "--out", "c"]);
    exits_with(&other, 5);
    let comparison = bench.json("c/compare.json");
    let shapes: Vec<String> = comparison["shapes"].as_array().unwrap().iter().map(told).collect();
    let told = shapes.join("\n");
    assert!(told.contains("member missing at $.RefreshTokenResponse.responseData: null, absent"), "{told}");
    assert!(told.contains("spelling at $.RefreshTokenResponse.isSuccess: \"true\", \"True\""), "{told}");
}

/// `spelling at $.R.isSuccess: "true", "True"`
fn told(shape: &Value) -> String {
    let text = |name: &str| shape[name].as_str().unwrap_or_default().to_owned();
    format!("{} at {}: {}, {}", text("kind"), text("place"), text("a"), text("b"))
}

#[test]
fn two_environments_are_run_and_compared() {
    let bench = Bench::new();
    let output = bench.assay(&[
        "check",
        "suite.yaml",
        "--only",
        "FMT-08",
        "--env",
        "clean",
        "--env",
        "odd",
        "--out",
        "both",
        "--quiet",
    ]);
    exits_with(&output, 5);
    let text = stdout(&output);
    assert!(text.starts_with("  Different: answers look otherwise in "), "{text}");
    for file in ["both/clean/run.json", "both/odd/report.html", "both/compare.html"] {
        assert!(bench.path(file).is_file(), "{file}");
    }
}

/// The odd mock again, with a suite that knows of its differences; one of them is past its day, one is not there.
#[test]
fn expected_differences_lose_their_weight_until_their_day() {
    let bench = Bench::new();
    let run = |suite: &str, env: &str, out: &str| {
        let fixed = ["check", suite, "--only", "FMT-08,SUC-04", "--quiet", "--env", env, "--out", out];
        bench.assay(&fixed);
    };
    let with = |until: &str| {
        let expected = format!(
            "compare:\n  expect-differences:\n    $.*: {{ until: {until}, owner: platform, why: the mock is old }}\n    SUC-04: {{ until: 2999-01-01, owner: gateway, why: the flag }}\n    header X-Gone: {{ until: 2999-01-01, owner: nobody, why: it was there }}\n"
        );
        std::fs::write(bench.path("known.yaml"), format!("{SUITE}{expected}")).unwrap();
    };
    run("suite.yaml", "clean", "a");
    with("2999-01-01");
    run("known.yaml", "odd", "b");
    let known = bench.assay(&["compare", "a/run.json", "b/run.json", "--out", "known"]);
    exits_with(&known, 0);
    let text = stdout(&known);
    assert!(text.contains("not seen: remove it from the suite") && text.contains("X-Gone"), "{text}");
    assert!(text.contains("platform: the mock is old"), "{text}");
    let page = std::fs::read_to_string(bench.path("known/compare.html")).unwrap();
    assert!(page.contains("id=\"expected\"") && page.contains("the mock is old"));
    with("2020-01-01");
    run("known.yaml", "odd", "c");
    let over = bench.assay(&["compare", "a/run.json", "c/run.json", "--out", "over"]);
    exits_with(&over, 5);
    assert!(stdout(&over).contains("its day has gone by"), "{}", stdout(&over));
}

#[test]
fn tolerances_and_former_ids_of_the_suite_are_gone_by() {
    let bench = Bench::new();
    let (good, mut run) = (fixture("run-good.json"), run_file("run-good.json"));
    run["checks"][0]["id"] = "FMT-99".into();
    run["checks"][0]["title"] = "Nothing alike at all".into();
    run["comparing"] = serde_json::json!({ "time_share": 0.25, "renamed": { "FMT-01": "FMT-99" } });
    std::fs::write(bench.path("b.json"), run.to_string()).unwrap();
    let output = bench.assay(&["compare", &good, "b.json", "--out", "out", "--json"]);
    let comparison = bench.json("out/compare.json");
    assert_eq!(comparison["tolerance"]["time"]["share"], 0.25, "{}", stdout(&output));
    let change = &comparison["verdicts"][0];
    assert_eq!((&change["id"], &change["formerly"]), (&"FMT-99".into(), &"FMT-01".into()), "{change:#}");
    assert_eq!(change["likeness"], "what the suite says");
    bench.assay(&["compare", &good, "b.json", "--difference", "1ms", "--out", "again"]);
    assert_eq!(bench.json("again/compare.json")["tolerance"]["time"]["us"], 1000.0);
}
