//! The load engine at its real size, as two processes that a user would start: `assay mock` and `assay load`.
//!
//! All of it is asked for by name (`tests/scale/run.sh`), with the binary to measure in `ASSAY`: figures of a build
//! without optimization say nothing. Where a neighbor can spoil a figure, three tries in a row are no neighbor.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![expect(clippy::print_stdout, reason = "the figures are what these are run for")]

mod accuracy;
mod knee;
mod size;
mod truth;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assay::results::{Clock, LoadResult, file};
use serde_json::Value;

/// The binary that is measured.
fn program() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_BIN_EXE_assay"));
    std::env::var_os("ASSAY").map_or(own, PathBuf::from)
}

/// A command on a core of its own, where there are two and a way to say so: the mock on the first, the load on the
/// second.
fn pinned(core: usize) -> Command {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let can = cores >= 2 && Command::new("taskset").arg("--version").output().is_ok();
    if !can {
        return Command::new(program());
    }
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program());
    command
}

/// A running mock; ends with the test.
struct Mock {
    child: Child,
    url: String,
    control: String,
}

impl Drop for Mock {
    fn drop(&mut self) {
        // One that is gone already needs no end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Mock {
    fn start(arguments: &[&str]) -> Mock {
        let mut child = pinned(0)
            .args(["mock", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut greeting = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = |word: &str| {
            let line =
                greeting.by_ref().map_while(Result::ok).find(|line| line.trim_start().starts_with(word));
            let line = line.unwrap_or_else(|| panic!("the mock does not tell its {word}"));
            line.split_whitespace().last().unwrap().to_owned()
        };
        let (url, control) = (told("endpoint"), told("control"));
        // What it says further is not read, and is little.
        Mock { child, url, control }
    }

    /// One order to the control port.
    fn order(&self, method: &str, path: &str, body: &str) -> Value {
        let address = self.control.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, document) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(document).unwrap()
    }

    /// What its answers took since it was told to listen, in nanoseconds.
    fn delays(&self) -> Vec<u64> {
        let heard = self.order("GET", "/delays", "");
        assert_eq!(heard["missed"], 0);
        heard["nanoseconds"].as_array().unwrap().iter().filter_map(Value::as_u64).collect()
    }

    /// The number at a path of the control port.
    fn number(&self, path: &str, name: &str) -> u64 {
        self.order("GET", path, "")[name].as_u64().unwrap()
    }

    /// A load of this mock that has begun.
    fn load(&self, profile: &str) -> Load {
        let folder = tempfile::tempdir().unwrap();
        let suite = folder.path().join("suite.yaml");
        let (url, control) = (&self.url, &self.control);
        let text = format!(
            "assay: 1\nname: scale\ndialect: pfms\nenvironments:\n  mock:\n    mock: {{ url: \"{url}\", control: \"{control}\" }}\nload:\n  scale: {{ {profile} }}\n"
        );
        std::fs::write(&suite, text).unwrap();
        let child = pinned(1)
            .args(["load", "--quiet", "--out"])
            .arg(folder.path().join("out"))
            .arg(&suite)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Load { child, folder }
    }
}

/// What a process holds, in megabytes.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    /// What it took for itself.
    own_mb: f64,
    /// The same and what it reads of its own file, which the system holds once for everybody who runs it.
    resident_mb: f64,
}

/// A load that runs, in a process of its own.
struct Load {
    child: Child,
    folder: tempfile::TempDir,
}

impl Load {
    /// Its memory now; nothing once it is over. The lines are `VmRSS:  12345 kB`.
    fn memory(&self) -> Option<Memory> {
        let status = std::fs::read_to_string(Path::new("/proc").join(self.process()).join("status")).ok()?;
        let megabytes = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok().map(|kb: f64| kb / 1024.0)
        };
        Some(Memory { own_mb: megabytes("RssAnon:")?, resident_mb: megabytes("VmRSS:")? })
    }

    fn process(&self) -> String {
        self.child.id().to_string()
    }

    fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Its result, when it is over.
    fn result(mut self) -> LoadResult {
        let ended = self.child.wait().unwrap();
        let path = self.folder.path().join("out/run.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{ended}: {error}"));
        file::read(&text).unwrap().load.remove(0)
    }
}

/// A quantile of a clock in milliseconds.
fn at_ms(clock: &Clock, name: &str) -> f64 {
    clock.quantiles_us[name] / 1000.0
}

/// Runs `attempt` up to three times, until one differs in nothing.
fn three_tries(attempt: impl Fn() -> Vec<String>) {
    let mut differences = Vec::new();
    for _ in 0..3 {
        let found = attempt();
        if found.is_empty() {
            return;
        }
        println!("differs: {found:?}");
        differences.push(found);
    }
    panic!("{differences:#?}");
}

/// What `found` differs from `expected` by more than `share`, in words.
fn differs(name: &str, found: f64, expected: f64, share: f64) -> Option<String> {
    let off = found / expected - 1.0;
    println!("{name}: {found:.3} of {expected:.3} ({:+.2} %)", off * 100.0);
    (off.abs() > share).then(|| format!("{name}: {found:.3} instead of {expected:.3}"))
}
