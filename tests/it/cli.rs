//! The binary: stdout, stderr, files and exit codes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A folder of its own, and the binary in it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("NO_COLOR", "1").env_remove("COLUMNS");
        command
    }

    fn assay(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn run_file(&self, folder: &str) -> serde_json::Value {
        let text = std::fs::read_to_string(self.path(folder).join("run.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn exits_with(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "stdout:\n{}\nstderr:\n{}", stdout(output), stderr(output));
}

fn verdicts(run: &serde_json::Value) -> BTreeMap<String, String> {
    let checks = run["checks"].as_array().unwrap();
    let word = |verdict: &serde_json::Value| match verdict {
        serde_json::Value::String(word) => word.clone(),
        other => other.as_object().unwrap().keys().next().unwrap().clone(),
    };
    checks.iter().map(|check| (check["id"].as_str().unwrap().to_owned(), word(&check["verdict"]))).collect()
}

/// A suite for an endpoint at `url`, with the mock's dialect and made-up credentials.
fn suite_for(url: &str) -> String {
    format!(
        "assay: 1\nname: an endpoint\ndialect: pfms\nenvironments:\n  live:\n    url: {url}\n    timeout: 3s\n    \
         identities:\n      own: {{ tenant: \"07\", secret: $secret:T_AUTH, code: $secret:T_CODE }}\n    \
         guard: {{ hosts: [127.0.0.1], rate: 2000/s, requests: 100000 }}\nchecks: {{}}\n"
    )
}

fn run_against(url: &str) -> (Bench, Output) {
    let bench = Bench::new();
    let suite = bench.write("suite.yaml", &suite_for(url));
    let output = bench
        .command(&["run", suite.to_str().unwrap(), "--out", "out", "--quiet"])
        .env("T_AUTH", "an-auth-string-0001")
        .env("T_CODE", "an-auth-code-0001")
        .output()
        .unwrap();
    (bench, output)
}

/// An endpoint that answers every request with the same bytes, on a thread that ends with the test program.
fn always(status: &'static str, media: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer_always(stream, status, media, body));
        }
    });
    format!("http://{address}")
}

fn answer_always(mut stream: std::net::TcpStream, status: &str, media: &str, body: &str) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body_sent = vec![0; length];
        if reader.read_exact(&mut body_sent).is_err() {
            return;
        }
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len());
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

const PAGE_SAMPLE: &str = r#"{"AckCode":"sample string 1","Status":"sample string 2","Remarks":"sample string 3","DateOfData":"sample string 4","RefreshTokenResponse":{"accessToken":"sample string 1","refreshToken":"sample string 2","created":"sample string 3","expires":"sample string 4","responseData":"sample string 5","errorMessage":"sample string 6","isSuccess":"sample string 7","errorCode":"sample string 8"}}"#;

/// On an endpoint that answers everything alike no check may pass, and the first line says why.
#[track_caller]
fn nothing_passes(status: &'static str, media: &'static str, body: &'static str) {
    let (bench, output) = run_against(&always(status, media, body));
    exits_with(&output, 1);
    let passed: Vec<_> =
        verdicts(&bench.run_file("out")).into_iter().filter(|(_, verdict)| verdict == "pass").collect();
    assert!(passed.is_empty(), "{passed:?}");
    let text = stdout(&output);
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap();
    assert!(first.starts_with("FAIL[the good call]"), "{text}");
    assert!(text.lines().any(|line| line.trim_start().starts_with("Failed: ")), "{text}");
}

#[test]
fn an_endpoint_that_always_answers_an_empty_object_fails() {
    nothing_passes("200 OK", "application/json", "{}");
}

#[test]
fn an_endpoint_that_always_answers_500_fails() {
    nothing_passes(
        "500 Internal Server Error",
        "application/json",
        "{\"Message\":\"An error has occurred.\"}",
    );
}

#[test]
fn an_endpoint_that_always_answers_the_page_s_sample_fails() {
    nothing_passes("200 OK", "application/json; charset=utf-8", PAGE_SAMPLE);
}

#[test]
fn an_endpoint_that_is_a_static_page_fails() {
    nothing_passes("200 OK", "text/html", "<!doctype html><title>Welcome</title><p>It works");
}

#[test]
fn a_closed_port_could_not_be_run() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_bench, output) = run_against(&format!("http://127.0.0.1:{port}"));
    exits_with(&output, 3);
    assert!(stdout(&output).contains("Could not run"), "{}", stdout(&output));
}

/// What other tests beside this one cannot disturb: races, loads and clocks want a quiet machine.
const STEADY: &str = "FMT-*,SCH-*,SUC-*,ERR-*,LIF-*";

#[test]
fn the_checks_on_the_embedded_mock_are_good_and_write_every_report() {
    let bench = Bench::new();
    let output = bench.assay(&["check", "--only", STEADY, "--out", "out"]);
    exits_with(&output, 0);
    assert!(stdout(&output).contains("Good:"), "{}", stdout(&output));
    for name in ["run.json", "report.html", "junit.xml", "summary.md"] {
        assert!(bench.path("out").join(name).is_file(), "{name}");
    }
    let judged = verdicts(&bench.run_file("out"));
    assert!(judged.len() >= 65, "{}", judged.len());
    assert!(judged.values().all(|verdict| verdict == "pass" || verdict == "skipped"), "{judged:?}");
    assert!(
        stderr(&output).trim_end().lines().last().unwrap().starts_with("exit 0 · good"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_report_drawn_again_is_the_same() {
    let bench = Bench::new();
    exits_with(&bench.assay(&["check", "--only", "FMT-01,SUC-01", "--out", "out", "--quiet"]), 0);
    exits_with(&bench.assay(&["report", "out/run.json", "--out", "again"]), 0);
    for name in ["report.html", "junit.xml", "summary.md"] {
        let read = |folder: &str| std::fs::read_to_string(bench.path(folder).join(name)).unwrap();
        assert!(read("out") == read("again"), "{name} differs");
    }
}

/// A mock in a process of its own; ended by its own id.
struct OtherProcess {
    child: Child,
    endpoint: String,
    control: String,
}

impl OtherProcess {
    fn start(bench: &Bench, arguments: &[&str]) -> OtherProcess {
        let mut line = vec!["mock", "--port", "0"];
        line.extend(arguments);
        let mut child = bench.command(&line).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut reader = BufReader::new(child.stderr.take().unwrap());
        let mut address = |word: &str| loop {
            let mut text = String::new();
            assert!(reader.read_line(&mut text).unwrap() > 0, "the mock said nothing of `{word}`");
            if let Some(found) = text.trim().strip_prefix(word) {
                return found.trim().to_owned();
            }
        };
        let (endpoint, control) = (address("endpoint"), address("control"));
        std::thread::spawn(move || drop(std::io::copy(&mut reader, &mut std::io::sink())));
        OtherProcess { child, endpoint, control }
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_mock_in_another_process_gets_the_verdicts_of_the_embedded_one() {
    let bench = Bench::new();
    let mock = OtherProcess::start(&bench, &[]);
    let text = include_str!("../../suites/pfms.yaml")
        .replace("http://127.0.0.1:7070", &mock.endpoint)
        .replace("http://127.0.0.1:7071", &mock.control);
    let suite = bench.write("pfms.yaml", &text);
    let suite = suite.to_str().unwrap();
    exits_with(
        &bench.assay(&[
            "check",
            suite,
            "--env",
            "mock-server",
            "--only",
            STEADY,
            "--out",
            "other",
            "--quiet",
        ]),
        0,
    );
    exits_with(
        &bench.assay(&["check", suite, "--env", "mock", "--only", STEADY, "--out", "embedded", "--quiet"]),
        0,
    );
    assert_eq!(verdicts(&bench.run_file("other")), verdicts(&bench.run_file("embedded")));
}

#[test]
fn no_artifact_holds_a_secret_of_the_mock() {
    use base64::Engine;
    let bench = Bench::new();
    let output = bench.assay(&["check", "--only", STEADY, "--out", "out", "--quiet"]);
    exits_with(&output, 0);
    let run = bench.run_file("out");
    assert_eq!(run["trust"]["secrets"]["hits"].as_array().unwrap().len(), 0);
    let mock = OtherProcess::start(&bench, &[]);
    let identities = ureq_like(&mock.control, "/identities");
    let secrets: Vec<String> = secrets_in(&serde_json::from_str(&identities).unwrap());
    assert!(secrets.len() >= 4, "{identities}");
    for name in ["run.json", "report.html", "junit.xml", "summary.md"] {
        let text = std::fs::read_to_string(bench.path("out").join(name)).unwrap();
        for secret in &secrets {
            let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret);
            for form in [secret.as_str(), &percent, &base64[..base64.len() - 2]] {
                assert!(!text.contains(form), "{name} holds a secret");
            }
        }
    }
    let everything = stdout(&output) + &stderr(&output);
    assert!(secrets.iter().all(|secret| !everything.contains(secret.as_str())));
}

/// The secret slots of a mock's identities. The seed is the same, so they are those of the embedded mock.
fn secrets_in(identities: &serde_json::Value) -> Vec<String> {
    let slots = identities.as_array().unwrap().iter().map(|identity| identity["slots"].as_object().unwrap());
    slots
        .flat_map(|slots| ["secret", "code"].into_iter().filter_map(|slot| slots.get(slot)))
        .map(|value| value.as_str().unwrap().to_owned())
        .collect()
}

/// One GET, by hand.
fn ureq_like(base: &str, path: &str) -> String {
    let address = base.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_the_load_and_still_writes_the_reports() {
    let bench = Bench::new();
    let suite = bench.write(
        "slow.yaml",
        "assay: 1\nname: slow\ndialect: pfms\nenvironments:\n  mock: { mock: {} }\n\
         load:\n  long: { arrivals: 50/s, for: 60s }\n",
    );
    let mut child = bench
        .command(&["load", suite.to_str().unwrap(), "--out", "out", "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let asked = Instant::now();
    let status = child.wait().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(20));
    assert_eq!(status.code(), Some(130));
    assert!(bench.run_file("out")["ended"]["interrupted"].is_object());
}

#[test]
fn mistakes_end_with_exit_2_and_name_the_cure() {
    let bench = Bench::new();
    let check = |arguments: &[&str], expected: &str| {
        let output = bench.assay(arguments);
        exits_with(&output, 2);
        assert!(stderr(&output).contains(expected), "{arguments:?} says\n{}", stderr(&output));
    };
    check(&["run", "nowhere.yaml"], "cannot read `nowhere.yaml`");
    check(&["run", "--env", "mok"], "did you mean `mock`?");
    check(&["run", "--env", "live"], "the environment variable `PFMS_URL` is not set");
    check(&["check", "--only", "FMT-99"], "matches no check of this suite");
    check(&["mock", "--defect", "accept-ignord"], "did you mean `accept-ignored`?");
    check(&["explain", "FMT-80"], "no check of the catalogue is called `FMT-80`");
    check(&["run", "--sed", "7"], "--seed");
    check(&["report", "Cargo.toml"], "cannot read");
    bench.write("future.json", "{\"assay_run\": 99}");
    check(&["report", "future.json"], "99");
}

#[test]
fn an_endpoint_without_a_guard_is_never_called() {
    let bench = Bench::new();
    let text = suite_for("http://127.0.0.1:9")
        .lines()
        .filter(|line| !line.contains("guard:"))
        .fold(String::new(), |text, line| text + line + "\n");
    let suite = bench.write("unguarded.yaml", &text);
    let output = bench
        .command(&["run", suite.to_str().unwrap()])
        .env("T_AUTH", "an-auth-string-0001")
        .env("T_CODE", "an-auth-code-0001")
        .output()
        .unwrap();
    exits_with(&output, 2);
    assert!(stderr(&output).contains("suite::guard-missing"), "{}", stderr(&output));
}

#[test]
fn a_plan_sends_nothing_and_adds_up() {
    let bench = Bench::new();
    let output = bench.assay(&["plan"]);
    exits_with(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("nothing is sent"), "{text}");
    assert!(text.lines().any(|line| line.trim_start().starts_with("all ")), "{text}");
    exits_with(&bench.assay(&["plan", "--env", "live"]), 2);
}

#[test]
fn words_are_printed() {
    let bench = Bench::new();
    for arguments in [
        &["explain", "FMT-08"][..],
        &["schema", "suite"],
        &["schema", "run"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["--version"],
        &["init"],
        &["mock", "--defect", "list"],
    ] {
        let output = bench.assay(arguments);
        exits_with(&output, 0);
        assert!(!stdout(&output).trim().is_empty(), "{arguments:?}");
    }
    exits_with(&bench.assay(&["init"]), 2);
    let planned = bench.assay(&["plan", "suite.yaml"]);
    exits_with(&planned, 0);
}

#[test]
fn the_readme_lists_the_exit_codes() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for code in ["| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 4 |", "| 5 |", "| 6 |", "| 7 |", "| 130, 143 |"] {
        assert!(readme.contains(code), "the README does not list {code}");
    }
}

#[test]
fn the_sample_page_is_what_its_run_file_draws() {
    let bench = Bench::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample");
    let run = sample.join("run.json");
    exits_with(&bench.assay(&["report", run.to_str().unwrap(), "--out", "again"]), 0);
    for name in ["report.html", "junit.xml", "summary.md"] {
        let kept = std::fs::read_to_string(sample.join(name)).unwrap();
        let drawn = std::fs::read_to_string(bench.path("again").join(name)).unwrap();
        assert!(
            kept == drawn,
            "reports/sample/{name} is stale: `assay report reports/sample/run.json` draws it"
        );
    }
}

#[test]
fn a_token_of_the_run_that_reaches_a_report_ends_it_with_exit_7() {
    use assay::mock::{Controller, MockOptions, MockServer};
    use assay::suite::call::Slot;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let mock = MockServer::start(MockOptions {
        spec: assay::suite::environment::MockSpec::default(),
        dialect: assay::dialect::builtin("pfms").unwrap(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 1,
    })
    .unwrap();
    let owner = mock.identities().remove(0).0;
    let pair = mock.seeds(1).remove(0);
    let text = |wanted: Slot| pair.iter().find(|(slot, _)| *slot == wanted).unwrap().1.expose().to_owned();
    let (refresh, access) = (text(Slot::Refresh), text(Slot::Access));
    let bench = Bench::new();
    bench.write(
        "pairs.jsonl",
        &format!("{{\"identity\":\"{owner}\",\"refresh\":\"{refresh}\",\"access\":\"{access}\"}}\n"),
    );
    let suite = format!(
        "assay: 1\nname: x\ndialect: pfms\nenvironments:\n  live:\n    mock: {{ url: \"{}\", control: \"{}\" }}\n    \
         chains: {{ file: {} }}\nchecks: {{ use: [FMT-01] }}\n",
        mock.url(),
        mock.control_url(),
        bench.path("pairs.jsonl").display()
    );
    bench.write("suite.yaml", &suite);
    let percent = access.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let (one, two) = (STANDARD.encode(format!("x{access}")), URL_SAFE_NO_PAD.encode(&refresh));
    for planted in [refresh.as_str(), &access, &percent, &one, &two, "nothing of it"] {
        let label = format!("note={planted}");
        let output = bench.assay(&["check", "suite.yaml", "--label", &label, "--out", "out", "--quiet"]);
        let clean = planted == "nothing of it";
        assert_eq!(
            output.status.code() == Some(7),
            !clean,
            "{planted}: {}{}",
            stdout(&output),
            stderr(&output)
        );
        let hits = &bench.run_file("out")["trust"]["secrets"]["hits"];
        assert_eq!(hits.as_array().unwrap().is_empty(), clean, "{hits}");
    }
}

/// The page names its run file, and whoever changed either is found out.
#[test]
fn a_page_is_held_against_its_run_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/run-good.json");
    std::fs::copy(fixture, path("run.json")).unwrap();
    let verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.args(["report", "--verify"]).arg(path("run.json"));
        command.output().unwrap().status.code()
    };
    assert_eq!(verify(), Some(2), "there is no page");
    Command::new(env!("CARGO_BIN_EXE_assay")).arg("report").arg(path("run.json")).output().unwrap();
    assert_eq!(verify(), Some(0));
    let page = std::fs::read_to_string(path("report.html")).unwrap();
    std::fs::write(path("report.html"), page.replacen("Good: all", "Good, all", 1)).unwrap();
    assert_eq!(verify(), Some(1), "the page was changed");
    std::fs::write(path("report.html"), &page).unwrap();
    let run = std::fs::read_to_string(path("run.json")).unwrap();
    std::fs::write(path("run.json"), run.replacen("\"seed\": 7", "\"seed\": 8", 1)).unwrap();
    assert_eq!(verify(), Some(1), "the run file was changed");
}
