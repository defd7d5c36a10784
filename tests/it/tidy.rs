//! Who may know whom, and other orders of the house.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Module → the modules it may name. In file order: each may name only modules of earlier rows.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("secret", &[]),
    ("suite", &["source", "secret"]),
    ("dialect", &["source", "secret", "suite"]),
    ("results", &["source", "secret", "suite"]),
    ("client", &["secret", "suite", "dialect"]),
    ("chain", &["secret", "suite", "dialect", "results", "client"]),
    ("load", &["secret", "suite", "dialect", "results", "client", "chain"]),
    ("conformance", &["source", "secret", "suite", "dialect", "results", "client", "chain", "load"]),
    ("mock", &["secret", "suite", "dialect"]),
    (
        "prove",
        &[
            "source",
            "secret",
            "suite",
            "dialect",
            "results",
            "client",
            "chain",
            "load",
            "conformance",
            "mock",
        ],
    ),
    ("compare", &["results"]),
    ("report", &["source", "results", "compare"]),
    (
        "cli",
        &[
            "source",
            "secret",
            "suite",
            "dialect",
            "results",
            "client",
            "chain",
            "load",
            "conformance",
            "mock",
            "prove",
            "compare",
            "report",
        ],
    ),
];

/// Names that say nothing.
const FORBIDDEN_FILES: &[&str] =
    &["imp.rs", "util.rs", "utils.rs", "helpers.rs", "common.rs", "types.rs", "errors.rs", "misc.rs"];

fn source_files() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string()
}

fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Every `crate::module` that a text names.
fn names(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            found.push((number + 1, name));
        }
    }
    found
}

#[test]
fn modules_name_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = MAY_NAME.iter().copied().collect();
    let mut broken = Vec::new();
    for path in source_files() {
        let module = module_of(&path);
        if module == "lib" || module == "main" {
            continue;
        }
        let allowed =
            table.get(module.as_str()).unwrap_or_else(|| panic!("`{module}` has no row in the table"));
        let text = std::fs::read_to_string(&path).unwrap();
        for (line, name) in names(&text) {
            if name.is_empty() {
                broken
                    .push(format!("{}:{line}: write one `use crate::module::…` per module", relative(&path)));
            } else if name != module && !allowed.contains(&name.as_str()) {
                broken.push(format!("{}:{line}: `{module}` may not name `{name}`", relative(&path)));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_table_runs_one_way() {
    for (row, (module, allowed)) in MAY_NAME.iter().enumerate() {
        for name in *allowed {
            assert!(
                MAY_NAME[..row].iter().any(|(earlier, _)| earlier == name),
                "`{module}` names `{name}`, which does not stand above it"
            );
        }
    }
}

#[test]
fn the_scan_sees_a_broken_rule() {
    assert_eq!(names("use crate::client::Client; // crate::mock"), [(1, "client".to_owned())]);
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for path in source_files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!FORBIDDEN_FILES.contains(&name.as_str()), "{}: name it by its content", relative(&path));
    }
}

#[test]
fn every_file_says_what_it_owns() {
    for path in source_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{}: the first line says what it owns", relative(&path));
    }
}

#[test]
fn the_longest_files_are_shown() {
    let mut lengths: Vec<(usize, String)> = source_files()
        .iter()
        .map(|path| (std::fs::read_to_string(path).unwrap().lines().count(), relative(path)))
        .collect();
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    for (lines, path) in lengths.iter().take(10) {
        println!("{lines:5} {path}");
    }
}
