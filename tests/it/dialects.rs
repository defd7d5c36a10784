//! Dialect files: those that are shipped, three shapes that nobody has, and what is said of broken ones.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assay::dialect::{self, BUILTIN};
use assay::source::{SourceFile, render};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn assay(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .output()
        .expect("the binary runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A folder of its own for a test, emptied.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("dialects").join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn every_shipped_dialect_is_right_and_fits_its_schema() {
    let validator = jsonschema::validator_for(&dialect::schema()).unwrap();
    for (name, text) in BUILTIN {
        let read = dialect::parse(&SourceFile::new(name, text))
            .unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, false)));
        assert_eq!(read.name, name);
        let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_schema_of_dialects_is_current() {
    let current = serde_json::to_string_pretty(&dialect::schema()).unwrap() + "\n";
    let path = root().join("suites/schema/dialect.json");
    if std::env::vars().any(|(name, value)| name == "BLESS" && value == "1") {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "`assay schema dialect > suites/schema/dialect.json`");
}

#[test]
fn every_shipped_dialect_is_explained_and_stands_in_the_guide() {
    let guide = std::fs::read_to_string(root().join("docs/dialects.md")).unwrap();
    for (name, _) in BUILTIN {
        let output = assay(&["dialect", "check", name], &root());
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains("refresh "), "{}", said(&output));
        assert!(guide.contains(&format!("## {name}\n")), "docs/dialects.md has no section `{name}`");
    }
    let unknown = assay(&["dialect", "show", "oauth3"], &root());
    assert_eq!(unknown.status.code(), Some(2));
    assert!(said(&unknown).contains("did you mean `oauth2`?"), "{}", said(&unknown));
}

#[test]
fn the_dialect_of_the_guide_is_right() {
    let guide = std::fs::read_to_string(root().join("docs/dialects.md")).unwrap();
    let block = guide.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let read = dialect::parse(&SourceFile::new("docs/dialects.md", block));
    let read = read.unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, false)));
    let validator = jsonschema::validator_for(&dialect::schema()).unwrap();
    assert!(validator.is_valid(&serde_saphyr::from_str::<serde_json::Value>(block).unwrap()));
    mock(read);
}

/// Shapes that nobody has: each is described by its file alone.
#[test]
fn three_invented_shapes_run_end_to_end() {
    for name in ["nested-milliseconds", "soap-envelope", "two-cookies"] {
        let file = root().join(format!("tests/it/fixtures/dialects/{name}.yaml"));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.lines().count() < 60, "{name} is longer than a page");
        let folder = folder(name);
        std::fs::write(folder.join("shape.yaml"), &text).unwrap();
        std::fs::write(folder.join("suite.yaml"), SUITE).unwrap();
        let output = assay(&["check", "suite.yaml", "--quiet", "--out", "out"], &folder);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(0), "{name}: {text}");
        let run: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("out/run.json")).unwrap()).unwrap();
        let passed =
            run["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] == "pass").count();
        assert!(passed >= 12, "{name}: {passed} passed\n{text}");
        // With a defect the same suite is red: the shape is really read.
        for defect in ["refresh-unchanged", "unknown-granted"] {
            let suite = SUITE.replace("seed: 7", &format!("seed: 7, defects: [{defect}]"));
            std::fs::write(folder.join("suite.yaml"), suite).unwrap();
            let output = assay(&["check", "suite.yaml", "--quiet", "--out", "out"], &folder);
            assert_eq!(output.status.code(), Some(1), "{name} with {defect}: {}", said(&output));
        }
    }
}

const SUITE: &str = "assay: 1
name: an invented shape
dialect: shape.yaml
environments:
  mock: { mock: { policy: strict-family, seed: 7 } }
policy:
  rotation: always
  replay: { answer: refused, revokes: family }
  grace: none
  race: may-all-lose
checks:
  use: [success, errors, LIF-01, LIF-02, LIF-03, LIF-04, LIF-05, SCH-01, SCH-09, SEC-09]
";

#[test]
fn a_dialect_that_does_not_fit_is_one_finding() {
    let folder = folder("misfit");
    let shape =
        std::fs::read_to_string(root().join("tests/it/fixtures/dialects/nested-milliseconds.yaml")).unwrap();
    std::fs::write(folder.join("right.yaml"), &shape).unwrap();
    std::fs::write(
        folder.join("shape.yaml"),
        shape.replace("/session/refresh/value", "/session/refreshToken"),
    )
    .unwrap();
    std::fs::write(folder.join("suite.yaml"), SUITE.replace("mock: { policy: strict-family, seed: 7 }", "url: $env:TOKEN_URL, guard: { hosts: [127.0.0.1] }, identities: { own: { user: $env:TOKEN_USER, secret: $secret:TOKEN_PASSWORD } }")).unwrap();
    let right = dialect::parse(&SourceFile::new("right.yaml", shape)).unwrap();
    let mock = mock(right);
    let identity = &mock.identities()[0].1;
    let value = |wanted| identity.iter().find(|(slot, _)| *slot == wanted).unwrap().1.expose().to_owned();
    let output = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["check", "suite.yaml", "--quiet", "--out", "out"])
        .current_dir(&folder)
        .env("TOKEN_URL", mock.url())
        .env("TOKEN_USER", value(assay::suite::call::Slot::User))
        .env("TOKEN_PASSWORD", value(assay::suite::call::Slot::Secret))
        .output()
        .unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("the answer has no `refresh` at `/session/refreshToken`"), "{text}");
    assert!(flat.contains("its shape is { outcome: { ok: flag }, session: {"), "{text}");
    let failed: std::collections::BTreeSet<&str> =
        text.split("FAIL[").skip(1).filter_map(|rest| rest.split(']').next()).collect();
    assert_eq!(failed.len(), 1, "one finding: {text}");
}

fn mock(dialect: dialect::Dialect) -> assay::mock::MockServer {
    let any = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    assay::mock::MockServer::start(assay::mock::MockOptions {
        spec: assay::suite::environment::MockSpec::default(),
        dialect,
        listen: any,
        control: any,
        controller: assay::mock::Controller::Endpoint,
        threads: 1,
    })
    .unwrap()
}

#[test]
fn chains_come_from_a_table_a_variable_or_a_command() {
    let folder = folder("chains");
    let dialect = dialect::builtin("bearer").unwrap();
    let mock = mock(dialect);
    let seeds = mock.seeds(60);
    let tokens: Vec<(String, String)> = seeds
        .iter()
        .map(|seed| {
            let value = |wanted| seed.iter().find(|(slot, _)| *slot == wanted).unwrap().1.expose().to_owned();
            (value(assay::suite::call::Slot::Refresh), value(assay::suite::call::Slot::Access))
        })
        .collect();
    let json = |range: std::ops::Range<usize>| -> String {
        let lines = tokens[range]
            .iter()
            .map(|(refresh, access)| format!("{{\"refresh\":\"{refresh}\",\"access\":\"{access}\"}}\n"));
        lines.collect::<Vec<_>>().concat()
    };
    let lines = tokens[..20].iter().map(|(refresh, access)| format!("{refresh},{access}\n"));
    let csv = lines.collect::<Vec<_>>().concat();
    std::fs::write(folder.join("pairs.csv"), format!("refresh,access\n{csv}")).unwrap();
    std::fs::write(folder.join("pairs.jsonl"), json(40..60)).unwrap();
    for (chains, pairs) in [
        ("{ file: pairs.csv }", String::new()),
        ("{ env: TOKEN_PAIRS }", json(20..40)),
        ("{ exec: cat pairs.jsonl }", String::new()),
    ] {
        let suite = SUITE.replace("shape.yaml", "bearer").replace(
            "mock: { policy: strict-family, seed: 7 }",
            &format!("url: $env:TOKEN_URL, guard: {{ hosts: [127.0.0.1] }}, chains: {chains}, identities: {{ own: {{ user: alice }} }}"),
        );
        std::fs::write(folder.join("suite.yaml"), suite).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_assay"))
            .args(["check", "suite.yaml", "--only", "LIF-01,LIF-02", "--quiet", "--out", "out"])
            .current_dir(&folder)
            .env("TOKEN_URL", mock.url())
            .env("TOKEN_PAIRS", pairs)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{chains}: {}", said(&output));
    }
}

#[test]
fn a_help_page_becomes_a_dialect_and_a_suite_that_runs() {
    let folder = folder("import");
    let page = root().join("tests/it/fixtures/import/help-page.txt");
    let output = assay(&["init", "suite.yaml", "--from", page.to_str().unwrap()], &folder);
    assert!(output.status.success(), "{}", said(&output));
    let checked = assay(&["dialect", "check", "pfms.dialect.yaml"], &folder);
    assert!(checked.status.success(), "{}", said(&checked));
    let ran =
        assay(&["check", "suite.yaml", "--only", "FMT-*,SCH-01,LIF-01", "--quiet", "--out", "out"], &folder);
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
    let again = assay(&["init", "suite.yaml", "--from", page.to_str().unwrap()], &folder);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
}

/// Broken dialects, and what must be said of each.
#[test]
fn broken_dialects_get_a_place_and_a_cure() {
    let right = "assay-dialect: 1\nname: d\nslots: [refresh, access]\noperations:\n  refresh:\n    method: POST\n    path: /r\n    accepts: { json: { types: [application/json], body: { t: $refresh } } }\n    answers: { types: [application/json], fields: { access: /a, refresh: /r } }\n";
    assert!(dialect::parse(&SourceFile::new("d.yaml", right)).is_ok());
    for (from, to, code, words) in [
        ("t: $refresh", "t: x", "dialect::no-token", "a call of `refresh` carries no token"),
        (
            "refresh: /r }",
            "refresh: /a }",
            "dialect::same-place",
            "`access` and `refresh` are read from the same place",
        ),
        ("t: $refresh", "t: $refesh", "dialect::unknown-word", "did you mean `refresh`?"),
        (
            "types: [application/json], fields",
            "types: [text/xml], xml: { root: 's:E', namespaces: { s: 'urn:s' } }, fields",
            "",
            "",
        ),
        (
            "types: [application/json], fields: { access: /a",
            "types: [text/xml], xml: { root: 's:E', namespaces: { s: 'urn:s' } }, fields: { access: /x:a",
            "dialect::prefix",
            "the prefix `x` is not declared",
        ),
        (
            "operations:",
            "dates: { formats: [dd-MM-yyyy, MM-dd-yyyy] }\noperations:",
            "dialect::ambiguous-date",
            "`dd-MM-yyyy` and `MM-dd-yyyy` read the same text differently",
        ),
        (
            "operations:",
            "computed: { mac: { hmac-sha256: $refresh } }\noperations:",
            "dialect::computed",
            "a MAC needs a key",
        ),
        (
            "operations:",
            "computed: { mac: { hmac-sha257: $refresh } }\noperations:",
            "dialect::unknown-word",
            "did you mean `hmac-sha256`?",
        ),
    ] {
        let text = right.replace(from, to);
        assert_ne!(text, right, "{from}");
        match dialect::parse(&SourceFile::new("d.yaml", text.as_str())) {
            Ok(_) => assert_eq!(code, "", "{text}"),
            Err(mistakes) => {
                let told = render(&mistakes, false);
                assert!(!code.is_empty() && told.contains(code) && told.contains(words), "{told}");
                assert!(told.contains("d.yaml:"), "{told}");
            }
        }
    }
}
