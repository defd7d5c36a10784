//! Loads by the binary: what they say in the run file and on the terminal, and how they end.

use std::process::{Command, Output, Stdio};

/// A folder of its own, a suite on the embedded mock, and the binary.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// A suite of this load, on a mock with these defects.
    fn new(defects: &str, load: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let suite = format!(
            "assay: 1\nname: a load\ndialect: pfms\nenvironments:\n  mock: {{ mock: {{ policy: strict-family, \
             defects: [{defects}] }} }}\npolicy:\n  rotation: always\n  replay: {{ answer: refused, revokes: family \
             }}\n  grace: none\n  pair: checked\nchecks: {{ use: [LIF-01] }}\n{load}"
        );
        std::fs::write(folder.path().join("suite.yaml"), suite).unwrap();
        Bench { folder }
    }

    fn load(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.args(["load", "suite.yaml", "--out", "out", "--quiet"]).current_dir(self.folder.path());
        command.stdin(Stdio::null()).env("NO_COLOR", "1").env_remove("COLUMNS").output().unwrap()
    }

    fn run(&self) -> serde_json::Value {
        serde_json::from_str(&self.read("run.json")).unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("out").join(name)).unwrap()
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn exits_with(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", text(output));
}

const CROWD: &str = "load:\n  crowd: { users: 48, for: 2s, sentinels: { LIF-06: 10/s } }\nobjectives:\n  \
                     granted: crowd.errors < 50%\n";

#[test]
fn a_sentinel_sees_what_only_a_crowd_brings_out_and_says_at_which_rate() {
    let bench = Bench::new("load-replay-granted", CROWD);
    let output = bench.load();
    exits_with(&output, 1);
    let run = bench.run();
    let sentinel = &run["load"][0]["sentinels"][0];
    assert!(sentinel["violated"].as_u64().unwrap() > 0, "{sentinel}");
    assert!(sentinel["first"]["rate"].as_f64().unwrap() > 1.0, "{sentinel}");
    let check = &run["checks"][0];
    assert_eq!((check["id"].as_str(), check["verdict"].as_str()), (Some("LIF-06@crowd"), Some("fail")));
    assert!(!check["findings"][0]["evidence"].as_array().unwrap().is_empty(), "{check}");
    let said = text(&output);
    assert!(said.contains("LIF-06@crowd") && said.contains("violated, first at"), "{said}");
    assert!(bench.read("report.html").contains("first violation"));
    assert!(bench.read("summary.md").contains("| sentinel |"));
}

#[test]
fn a_sentinel_on_a_sound_mock_holds_and_the_two_books_agree() {
    let bench = Bench::new("", CROWD);
    let output = bench.load();
    exits_with(&output, 0);
    let run = bench.run();
    let sentinel = &run["load"][0]["sentinels"][0];
    assert!(sentinel["rounds"].as_u64().unwrap() >= 3, "{sentinel}");
    assert_eq!(
        (sentinel["violated"].as_u64(), sentinel["untold"].as_u64()),
        (Some(0), Some(0)),
        "{sentinel}"
    );
    let books = &run["trust"]["books"];
    assert_eq!(books["client_granted"], books["server_granted"], "{books}");
    assert_eq!(books["client_refused"], books["server_refused"], "{books}");
    // Each replay ends a chain of its own.
    assert!(run["burnt"]["families_lost"].as_u64().unwrap() >= 3);
}

#[test]
fn a_profile_can_stop_at_the_first_violation() {
    let load = "load:\n  crowd: { users: 48, for: 20s, sentinels: { LIF-06: 10/s }, stop-on: violation }\n";
    let bench = Bench::new("load-replay-granted", load);
    exits_with(&bench.load(), 1);
    let early = &bench.run()["load"][0]["ended_early"];
    assert!(early["at_us"].as_u64().unwrap() < 15_000_000, "{early}");
    assert_eq!(early["aborted"], false);
}

#[test]
fn a_profile_that_aborts_has_missed_an_objective() {
    let load = "load:\n  slow: { arrivals: 20/s, for: 20s, abort: { when: response.p50 > 100ms, over: 1s } }\n\
                objectives:\n  granted: slow.errors < 50%\n";
    let bench = Bench::new("slow-answers", load);
    let output = bench.load();
    exits_with(&output, 4);
    let run = bench.run();
    assert!(run["load"][0]["ended_early"]["at_us"].as_u64().unwrap() < 15_000_000, "{}", run["load"][0]);
    assert!(run["load"][0]["book"]["cut_off"].as_u64().unwrap() > 0);
    let abort = run["objectives"].as_array().unwrap().iter().find(|one| one["name"] == "slow.abort").unwrap();
    assert_eq!(abort["met"], false);
}

#[test]
fn an_objective_over_windows_finds_the_second_that_the_whole_hides() {
    let load = "load:\n  steady: { arrivals: 100/s, for: 6s }\nobjectives:\n  whole: steady.response.p75 < 100ms\n  \
                windows: { must: steady.response.p75 < 100ms, over: 1s }\n";
    let bench = Bench::new("", load);
    let suite = bench.folder.path().join("suite.yaml");
    let stalling = std::fs::read_to_string(&suite).unwrap();
    let stalling = stalling.replace("defects: []", "stall: { after: 3s, for: 1s }");
    std::fs::write(&suite, stalling).unwrap();
    let output = bench.load();
    exits_with(&output, 4);
    let run = bench.run();
    let met = |at: usize| run["objectives"][at]["met"].as_bool();
    assert_eq!((met(0), met(1)), (Some(true), Some(false)), "{}", run["objectives"]);
    let reason = run["objectives"][1]["reason"].as_str().unwrap();
    assert!(reason.starts_with("missed in ") && reason.contains("windows of 1 s, worst from"), "{reason}");
}

#[test]
fn a_new_connection_each_time_is_one_connection_a_request_and_chains_go_on() {
    let load = "load:\n  fresh: { arrivals: 50/s, for: 2s, chains: 4, connections: new, spacing: poisson }\n  kept: { \
                users: 2, refreshes: 60, for: 10s, connections: 10 requests }\nobjectives:\n  granted: fresh.errors == \
                0% and kept.errors == 0%\n";
    let bench = Bench::new("", load);
    exits_with(&bench.load(), 0);
    let run = bench.run();
    let traffic = |at: usize| {
        let load = &run["load"][at];
        (load["traffic"]["opened"].as_u64().unwrap(), load["traffic"]["reused"].as_u64().unwrap())
    };
    assert_eq!(traffic(0), (100, 0));
    // One of the two users may be quicker, and begin one connection more.
    let (opened, reused) = traffic(1);
    assert!((6..=8).contains(&opened) && opened + reused == 60, "{opened} {reused}");
    assert_eq!(run["load"][0]["chains"], 4);
    assert!(run["load"][0]["asks"].as_str().unwrap().contains("Poisson"));
}
