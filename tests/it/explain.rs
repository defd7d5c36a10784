//! `assay explain`: every word that the program shows can be asked for.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn explain(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.arg("explain").args(words).env("NO_COLOR", "1").output().unwrap()
}

#[track_caller]
fn explained(words: &[&str]) -> String {
    let output = explain(words);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The heads of a list: lines with a margin of two that have no label.
fn heads(text: &str) -> Vec<String> {
    let labels = ["means ", "do "];
    text.lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' ') && !line.is_empty())
        .filter(|line| !labels.iter().any(|label| line.starts_with(label)))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn every_exit_code_is_explained_and_says_what_to_do() {
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "130", "143"] {
        let text = explained(&["exit", code]);
        assert!(text.starts_with(&format!("  exit {code}\n")), "{text}");
        assert!(text.contains("  means  ") && text.contains("  do  "), "{text}");
    }
    assert_eq!(heads(&explained(&["exit"])).len(), 10);
    assert_eq!(explain(&["exit", "9"]).status.code(), Some(2));
}

#[test]
fn error_classes_are_explained_with_and_without_the_word() {
    for words in [&["class", "response timeout"][..], &["response", "timeout"], &["response timeout"]] {
        assert!(explained(words).starts_with("  response timeout\n"), "{words:?}");
    }
    assert!(explained(&["starved"]).contains("max-wait"));
    assert!(explained(&["refused: expired"]).contains("too old"));
}

fn sources() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// Every text of the form `"suite::word"` or `"dialect::word"` in a source.
fn codes(text: &str) -> Vec<String> {
    let after = |family: &'static str| {
        text.match_indices(&format!("\"{family}::"))
            .filter_map(|(at, _)| text[at + 1..].split_once('"').map(|(code, _)| code.to_owned()))
            .filter(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == ':'))
            .collect::<Vec<_>>()
    };
    [after("suite"), after("dialect")].concat()
}

#[test]
fn every_diagnostic_of_the_program_is_explained() {
    let listed = heads(&explained(&["diagnostic"]));
    let mut used: Vec<String> = sources()
        .into_iter()
        .filter(|path| !path.ends_with("cli/glossary.rs"))
        .flat_map(|path| codes(&std::fs::read_to_string(path).unwrap()))
        .collect();
    used.sort();
    used.dedup();
    assert!(used.len() > 40, "{}", used.len());
    let missing: Vec<&String> = used.iter().filter(|code| !listed.contains(code)).collect();
    assert!(missing.is_empty(), "not explained: {missing:?}");
    let gone: Vec<&String> = listed.iter().filter(|code| !used.contains(code)).collect();
    assert!(gone.is_empty(), "explained and never shown: {gone:?}");
}

#[test]
fn a_word_that_nobody_knows_gets_the_nearest() {
    let output = explain(&["suite::unot"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("did you mean `suite::unit`?"), "{text}");
}

#[test]
fn a_check_is_explained_with_its_cure() {
    let text = explained(&["rac-01"]);
    for label in ["because", "sent", "expected", "fix", "spends", "proven by"] {
        assert!(text.lines().any(|line| line.starts_with(&format!("  {label} "))), "{label}: {text}");
    }
}
