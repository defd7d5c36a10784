//! Every example in the documents parses; generated documents are current.

use std::path::{Path, PathBuf};

use assay::source::{Diagnostic, SourceFile, render};
use assay::{dialect, suite};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every fenced block of a language, with the line it begins on.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match open.take() {
            None if line == fence => open = Some((number + 2, String::new())),
            None => {}
            Some(block) if line == "```" => blocks.push(block),
            Some((begin, block)) => open = Some((begin, block + line + "\n")),
        }
    }
    blocks
}

/// What a suite cannot be without, for blocks that show one part of it.
fn completed(block: &str) -> String {
    let mut whole = "assay: 1\nname: example\ndialect: pfms\n".to_owned();
    if !block.contains("environments:") {
        whole.push_str("environments: { mock: { mock: {} } }\n");
    }
    whole + block
}

fn parsed(name: &str, block: &str) -> Result<(), Vec<Diagnostic>> {
    let file = |text: String| SourceFile::new(name, text);
    let first = block.lines().find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or("");
    let key = first.split(':').next().unwrap_or("");
    match key {
        "assay" => suite::parse(&file(block.to_owned())).map(drop),
        "assay-dialect" => dialect::parse(&file(block.to_owned())).map(drop),
        "environments" | "policy" | "checks" | "load" | "objectives" | "compare" => {
            suite::parse(&file(completed(block))).map(drop)
        }
        _ => suite::parse_checks("own", &file(block.to_owned())).map(drop),
    }
}

#[test]
fn every_example_of_the_suite_language_is_read() {
    let text = std::fs::read_to_string(root().join("docs/suite-language.md")).unwrap();
    let blocks = blocks(&text, "yaml");
    assert!(blocks.len() >= 15, "{} blocks", blocks.len());
    for (line, block) in blocks {
        let name = format!("docs/suite-language.md, block of line {line}");
        if let Err(mistakes) = parsed(&name, &block) {
            panic!("{}", render(&mistakes, false));
        }
    }
}

#[test]
fn the_example_of_transport_is_read() {
    let text = std::fs::read_to_string(root().join("docs/transport.md")).unwrap();
    for (line, block) in blocks(&text, "yaml") {
        if let Err(mistakes) = parsed(&format!("docs/transport.md, block of line {line}"), &block) {
            panic!("{}", render(&mistakes, false));
        }
    }
}

/// The schema as it is committed; `BLESS=1` writes the current one.
fn committed(path: &Path, current: &str) -> String {
    if std::env::vars().any(|(name, value)| name == "BLESS" && value == "1") {
        let folder = path.parent().expect("it lies in a folder");
        std::fs::create_dir_all(folder).expect("the folder can be made");
        std::fs::write(path, current).expect("the schema can be written");
    }
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn the_schema_of_suites_is_current() {
    let current = serde_json::to_string_pretty(&suite::schema()).unwrap() + "\n";
    let path = root().join("suites/schema/suite.json");
    assert!(committed(&path, &current) == current, "`assay schema suite > suites/schema/suite.json`");
}

fn as_json(text: &str) -> serde_json::Value {
    serde_saphyr::from_str(text).expect("the example is YAML")
}

#[test]
fn the_schema_accepts_what_the_parser_accepts() {
    let validator = jsonschema::validator_for(&suite::schema()).unwrap();
    let errors = |value: &serde_json::Value| -> Vec<String> {
        validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()).chars().take(600).collect())
            .collect()
    };
    let suites = std::fs::read_dir(root().join("suites")).unwrap().map(|entry| entry.unwrap().path());
    for shipped in suites.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")) {
        let shipped = shipped.strip_prefix(root()).unwrap().display().to_string();
        let text = std::fs::read_to_string(root().join(&shipped)).unwrap();
        suite::parse(&SourceFile::new(&shipped, text.as_str())).unwrap();
        assert_eq!(errors(&as_json(&text)), Vec::<String>::new(), "{shipped}");
    }
    // The whole catalogue, as if it were a suite's own checks.
    for (group, file) in suite::catalogue::groups() {
        if suite::yaml::is_empty(&file) {
            continue;
        }
        let mut whole = as_json(&completed(""));
        whole["checks"] = serde_json::json!({ "own": as_json(file.text()) });
        assert_eq!(errors(&whole), Vec::<String>::new(), "{group}");
    }
    let text = std::fs::read_to_string(root().join("docs/suite-language.md")).unwrap();
    for (line, block) in blocks(&text, "yaml") {
        let first = block.lines().find(|line| !line.starts_with('#')).unwrap_or("");
        let whole = match first.split(':').next().unwrap_or("") {
            "assay-dialect" => continue,
            "assay" => as_json(&block),
            "environments" | "policy" | "checks" | "load" | "objectives" | "compare" => {
                as_json(&completed(&block))
            }
            _ => {
                let mut whole = as_json(&completed(""));
                whole["checks"] = serde_json::json!({ "own": as_json(&block) });
                whole
            }
        };
        assert_eq!(errors(&whole), Vec::<String>::new(), "block of line {line}");
    }
}

#[test]
fn the_schema_refuses_what_the_parser_refuses() {
    let validator = jsonschema::validator_for(&suite::schema()).unwrap();
    for broken in [
        "polizy: {}",
        "policy: { rotation: sometimes }",
        "load: { steady: { arrivals: 200/s, fur: 1s } }",
        "checks: { own: { X: { title: x, steps: [{ refesh: {} }] } } }",
        "checks: { own: { X: { title: x, steps: [{ refresh: { set: { tenant: 7 } } }] } } }",
        "checks: { own: { X: { title: x, steps: [{ refresh: { set: { tenent: x } }, must: granted }] } } }",
        "checks: { own: { X: { title: x, steps: [{ refresh: { cut: 1 }, must: refussed }] } } }",
        "objectives: { fast: { must: a < b, should: a < b } }",
    ] {
        assert!(!validator.is_valid(&as_json(&completed(&format!("{broken}\n")))), "{broken}");
    }
}

#[test]
fn the_page_of_checks_is_current() {
    let explained = std::process::Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["explain", "--all", "--markdown"])
        .output()
        .unwrap();
    assert!(explained.status.success());
    let current = String::from_utf8(explained.stdout).unwrap();
    let path = root().join("docs/checks.md");
    assert!(committed(&path, &current) == current, "`assay explain --all --markdown > docs/checks.md`");
}
