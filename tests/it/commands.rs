//! Every command in the documents is one, the tutorial runs as it stands, and every YAML block can be read.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assay::cli::args::Typed;
use clap::Parser as _;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document that is written by hand, and its text.
fn documents() -> Vec<(String, String)> {
    let in_docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| root().join(name));
    let mut paths: Vec<PathBuf> = in_docs
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .filter(|path| !path.ends_with("checks.md"))
        .chain(top)
        .collect();
    paths.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        (name, std::fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(named).collect()
}

/// Fenced blocks in order: language and text.
fn fences(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(_), true) => open = false,
            (Some(language), false) => {
                open = true;
                found.push((language.to_owned(), String::new()));
            }
            (None, true) => {
                let block = &mut found.last_mut().unwrap().1;
                block.push_str(line);
                block.push('\n');
            }
            (None, false) => {}
        }
    }
    found
}

/// The words of a line of shell up to a comment; enough for what the documents write.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => word.push(c),
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '#' && word.is_empty() => break,
            None if c.is_whitespace() => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            None => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// Every command of ours in fences and in inline code.
fn commands(text: &str) -> Vec<String> {
    let fenced = fences(text).into_iter().flat_map(|(_, block)| {
        let joined = block.replace("\\\n", " ");
        let lines: Vec<String> = joined
            .lines()
            .map(|line| line.trim().trim_start_matches("- ").trim_start_matches("run: ").to_owned())
            .filter(|line| line.starts_with("assay "))
            .collect();
        lines
    });
    let plain: String = text.split("```").step_by(2).collect();
    let flat = plain.replace('\n', " ");
    let inline = flat.split('`').skip(1).step_by(2).filter(|code| code.starts_with("assay "));
    fenced.chain(inline.filter(|code| !code.contains('…')).map(ToOwned::to_owned)).collect()
}

#[test]
fn every_command_in_the_documents_is_one() {
    let mut seen = 0;
    for (name, text) in documents() {
        for command in commands(&text) {
            seen += 1;
            if let Err(error) = Typed::try_parse_from(words(&command)) {
                // A verb alone is its name; help and version are answers.
                let is_name = error.kind() == clap::error::ErrorKind::MissingRequiredArgument
                    && command.split(' ').count() == 2;
                assert!(is_name || !error.use_stderr(), "{name}: `{command}`: {error}");
            }
        }
    }
    assert!(seen >= 40, "{seen} commands were found");
}

#[test]
fn every_yaml_block_in_the_documents_can_be_read() {
    let mut seen = 0;
    for (name, text) in documents() {
        for (_, block) in fences(&text).into_iter().filter(|(language, _)| language == "yaml") {
            seen += 1;
            let read: Result<serde_json::Value, _> = serde_saphyr::from_str(&block);
            assert!(read.is_ok(), "{name}: {}\n{block}", read.unwrap_err());
        }
    }
    assert!(seen >= 20, "{seen} blocks were found");
}

#[test]
fn the_pipelines_are_shaped_as_their_services_want_them() {
    let text = std::fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let blocks: Vec<serde_json::Value> = fences(&text)
        .into_iter()
        .filter(|(language, _)| language == "yaml")
        .map(|(_, block)| serde_saphyr::from_str(&block).unwrap())
        .collect();
    let [github, gitlab] = blocks.as_slice() else { panic!("two pipelines") };
    let steps = github["jobs"]["assay"]["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["uses"].is_string() != step["run"].is_string()), "{steps:?}");
    assert_eq!(github["on"]["schedule"][0]["cron"], "0 2 * * *");
    let uploads = steps.iter().find(|step| step["with"]["name"] == "tokens").unwrap();
    assert_eq!((&uploads["if"], &uploads["with"]["path"]), (&"always()".into(), &"reports/tokens".into()));
    let job = &gitlab["tokens"];
    assert!(job["script"].as_array().unwrap().iter().all(serde_json::Value::is_string));
    assert_eq!(job["artifacts"]["reports"]["junit"], "reports/tokens/junit.xml");
    assert_eq!(job["artifacts"]["when"], "always");
    assert_eq!(job["allow_failure"]["exit_codes"], serde_json::json!([4, 5, 6]));
}

/// The exit code that a comment on the line names.
fn expected(line: &str) -> i32 {
    line.split_once("# exit ").map_or(0, |(_, code)| code.trim().parse().unwrap())
}

#[test]
fn the_tutorial_does_what_it_says() {
    let text = std::fs::read_to_string(root().join("docs/tutorial.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut ran = 0;
    for (language, block) in fences(&text) {
        if block.starts_with("# suite.yaml\n") {
            std::fs::write(folder.path().join("suite.yaml"), block).unwrap();
            continue;
        }
        let lines = block.lines().filter(|line| language == "sh" && line.starts_with("assay "));
        for line in lines {
            ran += 1;
            let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
            command.args(&words(line)[1..]).current_dir(folder.path()).stdin(Stdio::null());
            let output = command.env("NO_COLOR", "1").output().unwrap();
            assert_eq!(
                output.status.code(),
                Some(expected(line)),
                "{line}\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    assert!(ran >= 10, "{ran} commands ran");
    for file in [
        "reports/first/report.html",
        "reports/broken/junit.xml",
        "reports/nightly/metrics.txt",
        "learned.yaml",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}

/// A suite whose `live` is a mock of ours, for the scripts of pipelines.
const PIPELINE: &str = "\
assay: 1
name: pipeline
dialect: pfms
environments: { live: { mock: { policy: strict-family } } }
policy: { rotation: always }
checks: { use: [SUC-01, ERR-01] }
load: { steady: { arrivals: 50/s, for: 1s } }
";

/// The scripts of both pipelines, line by line in a shell: the first night without a baseline, the second with one.
#[cfg(unix)]
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "what stands in for a tool goes before the tools of the machine"
)]
fn the_scripts_of_the_pipelines_run_as_they_stand() {
    use std::os::unix::fs::PermissionsExt as _;

    let text = std::fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let blocks: Vec<serde_json::Value> = fences(&text)
        .into_iter()
        .filter(|(language, _)| language == "yaml")
        .map(|(_, block)| serde_saphyr::from_str(&block).unwrap())
        .collect();
    let said = |value: &serde_json::Value| value.as_str().map(ToOwned::to_owned);
    let steps = blocks[0]["jobs"]["assay"]["steps"].as_array().unwrap();
    let github: Vec<String> = steps.iter().filter_map(|step| said(&step["run"])).collect();
    let gitlab: Vec<String> =
        blocks[1]["tokens"]["script"].as_array().unwrap().iter().filter_map(said).collect();
    for (lines, last) in [(github, "baseline.json"), (gitlab, "last.json")] {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_assay"), bin.join("assay")).unwrap();
        // What is fetched is there or not; nothing goes to a network.
        let fetch = format!("#!/bin/sh\n[ -f kept.json ] && cp kept.json {last}\n");
        for tool in ["gh", "curl"] {
            std::fs::write(bin.join(tool), &fetch).unwrap();
            std::fs::set_permissions(bin.join(tool), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::fs::write(folder.path().join("suite.yaml"), PIPELINE).unwrap();
        for night in ["first", "second"] {
            let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
            let output = Command::new("bash")
                .args(["-e", "-c", &lines.join("\n")])
                .current_dir(folder.path())
                .env("PATH", path)
                .env("GITLAB_CI", "true")
                .env_remove("GITHUB_ACTIONS")
                .env("CARGO_INSTALL_ROOT", folder.path())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{night}: {told}{}", String::from_utf8_lossy(&output.stdout));
            assert!(
                told.contains("section_start:") && told.contains(":steady[collapsed=true]\r"),
                "{told:?}"
            );
            let compared = folder.path().join("reports/tokens/compare/compare.html").is_file();
            assert_eq!(compared, night == "second", "{night}");
            std::fs::rename(folder.path().join("baseline.json"), folder.path().join("kept.json")).unwrap();
        }
    }
}
