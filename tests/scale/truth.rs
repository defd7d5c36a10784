//! Comparisons against the truth: the same mock twice, and mocks that differ in one known way, again and again.
//!
//! Baselines and variants are runs of at least 20,000 requests on a mock of its own process, with a lognormal latency
//! of 20 ms at the median. They are kept in `TRUTH` (target/truth), so the parts can be run one after the other and
//! share the baselines; a run that is there is not made again. `TRUTH_RUNS` (20), `TRUTH_SECONDS` (21) and
//! `TRUTH_RATE` (1000) make it smaller.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::{Mock, pinned};

/// A figure that was slow for a reason of the machine is no figure of the mock: as often is a run made again.
const AGAIN: usize = 3;
/// The latency that all share but where it is what differs.
const LATENCY: &str = "{ lognormal: { median: 20ms, sigma: 0.4 } }";
const SUITE: &str = "\
assay: 1
name: truth
dialect: pfms
environments:
  mock: { mock: { url: $env:TRUTH_URL, control: $env:TRUTH_CONTROL } }
policy: { rotation: always, replay: { answer: refused, revokes: family }, grace: none }
checks: { use: [SCH-01, SCH-02, SCH-03, SCH-08, SUC-01, SUC-04, LIF-04, LIF-05] }
load:
  steady: { arrivals: RATE, for: SECONDS, warm-up: 1s, chains: 400 }
";

#[expect(clippy::disallowed_methods, reason = "what a person sets for this experiment")]
fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

fn runs() -> usize {
    setting("TRUTH_RUNS", 20)
}

fn folder() -> PathBuf {
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/truth");
    let folder = std::env::var_os("TRUTH").map_or_else(usual, PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A run on a mock with these arguments, made unless it is there; a run that cannot be trusted is made again.
fn run(name: &str, number: usize, arguments: &[&str]) -> PathBuf {
    let out = folder().join(format!("{name}-{number}"));
    let file = out.join("run.json");
    for attempt in 0..AGAIN {
        if is_trusted(&file) {
            break;
        }
        println!("{name} {number}{}", if attempt > 0 { ", again" } else { "" });
        // Each draws its own latencies and tokens.
        let seed = (name.bytes().map(usize::from).sum::<usize>() * 1000 + number).to_string();
        let mut all = vec!["--seed", seed.as_str()];
        all.extend(arguments);
        if !arguments.contains(&"--latency") {
            all.extend(["--latency", LATENCY]);
        }
        make(&Mock::start(&all), &out);
    }
    assert!(is_trusted(&file), "{name} {number} could not be measured on this machine");
    file
}

fn is_trusted(file: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return false };
    let run = assay::results::file::read(&text).unwrap();
    run.trust.state == assay::results::TrustState::Trusted
}

fn make(mock: &Mock, out: &Path) {
    let suite = folder().join("suite.yaml");
    let text = SUITE
        .replace("RATE", &format!("{}/s", setting("TRUTH_RATE", 1000)))
        .replace("SECONDS", &format!("{}s", setting("TRUTH_SECONDS", 21)));
    std::fs::write(&suite, text).unwrap();
    let ended = pinned(1)
        .args(["run", "--quiet", "--out"])
        .arg(out)
        .arg(&suite)
        .env("TRUTH_URL", &mock.url)
        .env("TRUTH_CONTROL", &mock.control)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(out.join("run.json").is_file(), "{ended}");
}

fn baseline(number: usize) -> PathBuf {
    run("baseline", number, &[])
}

/// The comparison of a baseline with a variant. What matters is 2 % of a response time.
fn compared(a: &Path, b: &Path, number: usize) -> Value {
    let out = b.parent().unwrap().join("compared");
    let seed = number.to_string();
    let output = pinned(1)
        .args(["compare", "--json", "--difference", "2%", "--seed", &seed, "--out"])
        .arg(out)
        .args([a, b])
        .stderr(Stdio::null())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Twenty variants against their baselines: what is `missed` of one comparison, if anything.
fn twenty(name: &str, arguments: &[&str], least: usize, missed: impl Fn(&Value) -> Option<String>) {
    let all = runs();
    let mut right = 0;
    for number in 0..all {
        let comparison = compared(&baseline(number), &run(name, number, arguments), number);
        let headline = comparison["headline"].as_str().unwrap_or_default();
        match missed(&comparison) {
            None => right += 1,
            Some(why) => println!("{name} {number}: {why} ({headline})"),
        }
    }
    println!("{name}: {right} of {all}");
    assert!(right >= least.min(all), "{name}: {right} of {all}");
}

/// Nineteen of twenty, and as many of fewer.
fn nearly_all() -> usize {
    runs() - runs() / 20
}

/// The word of a figure of the profile.
fn word(comparison: &Value, part: &str, figure: &str) -> String {
    let rows = comparison["profiles"][0][part].as_array();
    let row = rows.into_iter().flatten().find(|row| row["name"] == figure);
    row.map_or_else(|| "not there".to_owned(), |row| row["word"].as_str().unwrap().to_owned())
}

fn expect(found: &str, expected: &str, what: &str) -> Option<String> {
    (found != expected).then(|| format!("{what} is {found}, not {expected}"))
}

fn shape(comparison: &Value, kind: &str) -> Option<String> {
    let shapes = comparison["shapes"].as_array().unwrap();
    let found = shapes.iter().any(|change| change["kind"].as_str().is_some_and(|it| it.contains(kind)));
    let kinds: Vec<&str> = shapes.iter().filter_map(|change| change["kind"].as_str()).collect();
    (!found).then(|| format!("no difference of the kind `{kind}` in {kinds:?}"))
}

#[test]
#[ignore = "two runs of 25 s, twenty times; tests/scale/run.sh truth"]
fn the_same_mock_twice_is_never_worse() {
    twenty("same", &[], runs(), |comparison| expect(&comparison["exit"].to_string(), "0", "the exit code"));
}

#[test]
#[ignore = "a run of 25 s, twenty times; tests/scale/run.sh truth"]
fn five_percent_at_the_median_are_named() {
    let slower = ["--latency", "{ lognormal: { median: 21ms, sigma: 0.4 } }"];
    twenty("median", &slower, nearly_all(), |comparison| {
        expect(&word(comparison, "response", "p50"), "worse", "p50")
    });
}

#[test]
#[ignore = "a run of 25 s, twenty times; tests/scale/run.sh truth"]
fn a_doubled_tail_is_named_and_the_median_is_not() {
    // 20 ms · exp(2.326 · σ) is 50.7 ms with σ = 0.4, and twice that with σ = 0.698.
    let tail = ["--latency", "{ lognormal: { median: 20ms, sigma: 0.698 } }"];
    twenty("tail", &tail, nearly_all(), |comparison| {
        let median = word(comparison, "response", "p50");
        let slower = (median == "worse").then(|| "p50 is worse as well".to_owned());
        expect(&word(comparison, "response", "p99"), "worse", "p99").or(slower)
    });
}

#[test]
#[ignore = "a run of 25 s, twenty times; tests/scale/run.sh truth"]
fn half_a_percent_more_errors_are_named() {
    twenty("errors", &["--errors", "0.5%"], nearly_all(), |comparison| {
        expect(&word(comparison, "errors", "errors"), "worse", "errors")
    });
}

#[test]
#[ignore = "a run of 25 s, twenty times; tests/scale/run.sh truth"]
fn a_renamed_member_is_named() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/dialects/pfms.yaml");
    let text = std::fs::read_to_string(table).unwrap();
    let renamed = text.replace("DateOfData", "DataDate");
    assert_ne!(text, renamed, "the dialect has the member");
    let path = folder().join("renamed.yaml");
    std::fs::write(&path, renamed).unwrap();
    twenty("renamed", &["--dialect", path.to_str().unwrap()], nearly_all(), |comparison| {
        let places: Vec<&str> =
            comparison["shapes"].as_array().unwrap().iter().filter_map(|it| it["place"].as_str()).collect();
        let named = |name: &str| places.iter().any(|place| place.ends_with(name));
        (!named("DateOfData") || !named("DataDate")).then(|| format!("differences at {places:?}"))
    });
}

#[test]
#[ignore = "a run of 25 s, twenty times; tests/scale/run.sh truth"]
fn null_for_empty_is_named() {
    twenty("null", &["--defect", "xml-null-empty"], nearly_all(), |comparison| shape(comparison, "empty"));
}

#[test]
#[ignore = "a run of 25 s, twenty times; tests/scale/run.sh truth"]
fn another_date_format_is_named() {
    twenty("dates", &["--defect", "dates-per-format"], nearly_all(), |comparison| {
        shape(comparison, "date format")
    });
}

#[test]
#[ignore = "a run of 25 s, twenty times; tests/scale/run.sh truth"]
fn an_accepted_replay_is_named() {
    twenty("replay", &["--defect", "old-refresh-valid"], nearly_all(), |comparison| {
        let verdicts = comparison["verdicts"].as_array().unwrap();
        let worse = verdicts.iter().any(|it| it["id"] == "LIF-04" && it["word"] == "worse");
        (!worse).then(|| "LIF-04 is not worse".to_owned())
    });
}
