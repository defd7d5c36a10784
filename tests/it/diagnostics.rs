//! Broken suites beside what is said of them. `BLESS=1` writes what is said now.

use std::path::{Path, PathBuf};

use assay::source::{SourceFile, render};
use assay::suite;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/bad")
}

fn said(name: &str, text: &str) -> String {
    match suite::parse(&SourceFile::new(name, text)) {
        Ok(_) => panic!("{name}: nothing was said"),
        Err(mistakes) => render(&mistakes, false),
    }
}

fn broken_suites() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the fixtures are here")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_broken_suite_gets_the_diagnostics_it_deserves() {
    let bless = std::env::vars().any(|(name, value)| name == "BLESS" && value == "1");
    let mut wrong = Vec::new();
    for path in broken_suites() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found = said(&name, &std::fs::read_to_string(&path).unwrap());
        let expected = path.with_extension("stderr");
        if bless {
            std::fs::write(&expected, found).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{name}:\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 accepts these:\n{}", wrong.join("\n"));
}

#[test]
fn there_are_enough_of_them() {
    assert!(broken_suites().len() >= 25);
}

#[test]
fn a_huge_file_is_refused_without_quoting_it() {
    let text = said("huge.yaml", &"assay: 1 # again and again\n".repeat(400_000));
    assert!(text.contains("error[suite::too-large]: the file has 10800000 bytes"), "{text}");
    assert!(text.len() < 400, "{text}");
}

#[test]
fn a_binary_file_is_no_suite() {
    let bytes: Vec<u8> = (0..4096u32).map(|number| u8::try_from(number * 37 % 256).unwrap()).collect();
    let text = said("program.yaml", &String::from_utf8_lossy(&bytes));
    assert!(text.contains("error[suite::not-text]: this is no text"), "{text}");
}

#[test]
fn no_diagnostic_shows_a_secret_in_clear() {
    for suite in [
        "assay: 1\nname: x\ndialect: pfms\nenvironments:\n  a: { url: 'https://h', identities: { i: { secret: hunter2, tennant: x } } }\n",
        "assay: 1\nname: x\ndialect: pfms\nenvironments:\n  a: { url: 'https://h', identities: { i: { secret: hunter2 } }, bogus: 1 }\n",
        "assay: 1\nname: x\ndialect: pfms\nenvironments:\n  a:\n    url: $env:X\n    identities:\n      i: { tenant: '07', code: 'hunter2', secret: $env:S }\n",
        "assay: 1\nname: x\ndialect: pfms\nenvironments:\n  a:\n    identities:\n      i:\n        client-secret: hunter2\n        access: \"hunter2\"\n     x: y\n",
    ] {
        let text = said("secret.yaml", suite);
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn refusal_classes_are_those_of_dialects() {
    let words: Vec<&str> = assay::dialect::ErrorClass::ALL.iter().map(|(_, word)| *word).collect();
    for word in &words {
        let check =
            format!("X-1:\n  title: x\n  steps: [{{ refresh: {{ cut: 1 }}, must: {{ class: {word} }} }}]\n");
        suite::parse_checks("own", &SourceFile::new("x.yaml", check)).unwrap();
    }
    assert_eq!(words.len(), 13, "`suite::lower::vocabulary::CLASS` lists them as well");
}

/// A suite with one line replaced by anything.
fn mutated(line: usize, words: &str) -> String {
    let suite = include_str!("../../suites/pfms.yaml");
    let mut lines: Vec<&str> = suite.lines().collect();
    let at = line % lines.len();
    lines[at] = words;
    lines.join("\n")
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        if let Err(mistakes) = suite::parse(&SourceFile::new("x.yaml", text)) {
            assert!(!render(&mistakes, false).is_empty());
        }
    }

    #[test]
    fn no_line_makes_it_panic(line in 0usize..60, words in "[ ]{0,8}[a-z$&*{}\\[\\]:#, \"'0-9./-]{0,40}") {
        if let Err(mistakes) = suite::parse(&SourceFile::new("x.yaml", mutated(line, &words))) {
            assert!(!render(&mistakes, true).is_empty());
        }
    }

    #[test]
    fn no_cut_makes_it_panic(start in 0usize..4000, length in 0usize..60) {
        let whole = include_str!("../../suites/catalogue/errors.yaml");
        let start = whole.floor_char_boundary(start.min(whole.len()));
        let end = whole.floor_char_boundary((start + length).min(whole.len()));
        let text = [&whole[..start], &whole[end..]].concat();
        if let Err(mistakes) = suite::parse_checks("own", &SourceFile::new("x.yaml", text)) {
            assert!(!render(&mistakes, false).is_empty());
        }
    }
}
