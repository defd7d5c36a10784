//! One run: a client on its core, its CPU time and memory by GNU time, and what the server counted.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use crate::tools::{Ground, Tool, Work};

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// User and system time of the client's whole process, in seconds: starting and connecting are inside.
    pub cpu_s: f64,
    /// The same by the clock.
    pub elapsed_s: f64,
    /// Its peak of resident memory.
    pub rss_mb: f64,
    /// Requests that the server answered.
    pub requests: u64,
}

impl Cost {
    /// CPU per request in microseconds.
    pub fn per_request_us(&self) -> f64 {
        self.cpu_s * 1e6 / self.requests as f64
    }
}

/// The fixed-response server in a process of its own, on a core of its own.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts it with these arguments.
    pub fn start(core: u32, port: u16, arguments: &[String]) -> anyhow::Result<Server> {
        let own = std::env::current_exe()?;
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(own)
            .args(["serve", "--port", &port.to_string()])
            .args(arguments)
            .spawn()
            .context("taskset (package util-linux)")?;
        let server = Server { child, port };
        let patience = Instant::now() + Duration::from_secs(5);
        while server.count().is_err() {
            anyhow::ensure!(Instant::now() < patience, "the server does not listen on port {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// How many answers it gave.
    fn count(&self) -> anyhow::Result<u64> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port + 1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /count HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, count) = answer.split_once("\r\n\r\n").context("an answer without a head")?;
        Ok(count.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whoever is gone already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `tool` on `core`.
pub fn run(tool: Tool, ground: &Ground, work: Work, server: &Server, core: u32) -> anyhow::Result<Cost> {
    let told = ground.folder.join("time");
    let before = server.count()?;
    let mut client = Command::new("taskset")
        .args(["-c", &core.to_string(), "time", "-f", "%U %S %M %e", "-o"])
        .arg(&told)
        .args(tool.command(ground, work)?)
        .envs(ground.variables())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut complaint = String::new();
    if let Some(stderr) = &mut client.stderr {
        stderr.read_to_string(&mut complaint)?;
    }
    let ended = client.wait()?;
    if matches!(tool, Tool::Assay(_)) {
        judge(&ground.results().join("run.json")).with_context(|| complaint.clone())?;
    } else {
        anyhow::ensure!(ended.success(), "{}: {ended}\n{complaint}", tool.name());
    }
    let requests = server.count()? - before;
    anyhow::ensure!(requests > 0, "{} sent nothing\n{complaint}", tool.name());
    cost(&told, requests)
}

fn cost(told: &PathBuf, requests: u64) -> anyhow::Result<Cost> {
    let text = std::fs::read_to_string(told).context("GNU time (package time)")?;
    // Where the client ended badly there is a line before the figures.
    let line = text.lines().last().unwrap_or_default();
    let figures: Vec<f64> = line.split(' ').map_while(|word| word.parse().ok()).collect();
    let [user, system, rss_kb, elapsed_s] = figures[..] else { anyhow::bail!("time said `{text}`") };
    Ok(Cost { cpu_s: user + system, elapsed_s, rss_mb: rss_kb / 1024.0, requests })
}

/// Every answer granted and every token new: whoever did not do the whole work is not compared.
fn judge(path: &PathBuf) -> anyhow::Result<()> {
    let load = profile(path)?;
    let book = &load["book"];
    let number = |value: &Value| value.as_u64().unwrap_or(u64::MAX);
    anyhow::ensure!(number(&book["granted"]) == number(&book["scheduled"]), "not all was granted: {book}");
    let ledger = &load["ledger"];
    anyhow::ensure!(number(&ledger["duplicates"]) == 0, "tokens came twice: {ledger}");
    Ok(())
}

/// The only profile of a run file.
pub fn profile(path: &PathBuf) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("no run file {}", path.display()))?;
    let run: Value = serde_json::from_str(&text)?;
    Ok(run["load"][0].clone())
}
