//! A generator that was suspended, as a laptop is or a container: what came due meanwhile is sent late, all of it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Sends a signal to a child of ours.
fn signal(child: &Child, name: &str) {
    let done = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status()
        .expect("`kill` is everywhere");
    assert!(done.success(), "kill -{name}");
}

/// Waits for its end; a child that hangs is killed and is a failure.
fn end_of(mut child: Child, within: Duration) -> std::process::ExitStatus {
    let until = Instant::now() + within;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().expect("it is a child of ours") {
            return status;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().expect("it is a child of ours");
    child.wait().expect("it is a child of ours");
    panic!("the child did not end");
}

const SUITE: &str = "\
assay: 1
name: a suspension
dialect: pfms
environments: { mock: { mock: { policy: strict-family } } }
checks: { use: [LIF-01] }
load: { steady: { arrivals: 100/s, for: 6s, chains: 8 } }
objectives: { granted: steady.errors == 0% }
";

#[test]
fn after_a_suspension_every_arrival_is_sent_late_and_none_is_dropped() {
    let _alone = crate::alone();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("suite.yaml"), SUITE).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["load", "suite.yaml", "--out", "out", "--quiet"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(3));
    signal(&child, "STOP");
    std::thread::sleep(Duration::from_secs(1));
    signal(&child, "CONT");
    let status = end_of(child, Duration::from_mins(1));
    assert_eq!(status.code(), Some(0));
    let text = std::fs::read_to_string(folder.path().join("out/run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_str(&text).unwrap();
    let load = &run["load"][0];
    assert_eq!(load["book"]["scheduled"], 600, "{}", load["book"]);
    assert_eq!(load["book"]["granted"], 600, "{}", load["book"]);
    // What came due while it was stopped waited for up to a second, and says so.
    let max_ms = |clock: &str| load[clock]["quantiles_us"]["max"].as_f64().unwrap() / 1000.0;
    assert!(max_ms("response") > 700.0, "{} ms", max_ms("response"));
    assert!(max_ms("slip") > 700.0, "{} ms", max_ms("slip"));
}
