//! `assay history`: the runs of a folder in a row.

use std::path::{Path, PathBuf};
use std::process::Command;

use assay::results::{Run, TrustState, Verdict, file};

const GOOD: &str = include_str!("fixtures/run-good.json");

/// A folder with `nights` runs, the last of which fails a check; one on an environment of its own.
fn stored(name: &str, nights: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{name}"));
    drop(std::fs::remove_dir_all(&folder));
    for night in 0..nights {
        let mut run: Run = file::read(GOOD).unwrap();
        run.began_at = format!("2026-11-{:02}T02:00:04Z", night + 1);
        run.id = format!("pfms-{night}");
        run.trust.state = TrustState::Trusted;
        if night + 1 == nights {
            run.checks[3].verdict = Verdict::Fail;
        }
        keep(&run, &folder.join(format!("night-{night}")));
    }
    let mut other: Run = file::read(GOOD).unwrap();
    "elsewhere".clone_into(&mut other.target.environment);
    "2025-01-01T00:00:00Z".clone_into(&mut other.began_at);
    keep(&other, &folder.join("other"));
    std::fs::write(folder.join("notes.json"), "{}").unwrap();
    std::fs::write(folder.join("broken.json"), "{ \"assay_run\": 1, ").unwrap();
    folder
}

fn keep(run: &Run, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("run.json"), file::write(run)).unwrap();
    std::fs::write(folder.join("report.html"), "a page").unwrap();
}

fn assay(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_runs_of_a_folder_are_drawn_with_links_to_their_pages() {
    let folder = stored("folder", 12);
    let (code, out, err) = assay(&["history", folder.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("  Tonight failed\n"), "{out}");
    assert!(out.contains("new tonight") && out.contains("...........X"), "{out}");
    assert!(out.contains("left out: ") && out.contains("elsewhere"), "{out}");
    assert!(
        err.contains("passed over") && err.contains("broken.json") && !err.contains("notes.json"),
        "{err}"
    );
    let page = std::fs::read_to_string(folder.join("history.html")).unwrap();
    assert!(page.contains("href=\"./night-11/report.html\""), "no link");
    for forbidden in [" style=", "=\"http", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    // Drawn again it is the same: the page and its JSON are no run files.
    let (code, again, _) = assay(&["history", folder.to_str().unwrap()]);
    assert_eq!((code, again), (0, out));
    let (_, json, _) = assay(&["history", folder.to_str().unwrap(), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["by"].as_str(), json["nights"].as_array().unwrap().len()), (Some("night"), 12));
}

#[test]
fn another_environment_can_be_asked_for_and_none_is_a_mistake() {
    let folder = stored("environment", 2);
    let folder = folder.to_str().unwrap();
    let (code, out, _) = assay(&["history", folder, "--env", "elsewhere"]);
    assert!(code == 0 && out.contains("1 of 1"), "{out}");
    let (code, _, err) = assay(&["history", folder, "--env", "moon"]);
    assert!(code == 2 && err.contains("`moon`"), "{err}");
    let (code, _, err) = assay(&["history", "no-such-folder"]);
    assert!(code == 2 && err.contains("no-such-folder"), "{err}");
}
