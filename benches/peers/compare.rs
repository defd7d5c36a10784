//! The comparison: rounds in which every tool has its turn, so that a neighbor who takes the machine for a minute
//! takes it from all of them, and the medians.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::measure::{self, Cost, Server};
use crate::table::{self, Row, SlipRow};
use crate::tools::{Format, Ground, Tool, Work};

/// What is compared, and how long.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The program.
    pub assay: PathBuf,
    /// Rounds; medians are over these.
    pub rounds: u32,
    /// Seconds of one run.
    pub seconds: u32,
    /// Closed: numbers of connections.
    pub connections: Vec<u32>,
    /// Open: rates per second.
    pub rates: Vec<u32>,
    /// Over TLS as well, against oha and h2load.
    pub tls: bool,
    /// The server's core and the client's.
    pub cores: (u32, u32),
    /// The server's port; the next one is taken as well.
    pub port: u16,
}

/// Runs it and returns the page.
pub fn compare(comparison: &Comparison) -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?.get();
    anyhow::ensure!(cores >= 2, "server and client need a core each, and there is {cores}");
    let folder = std::env::temp_dir().join(format!("assay-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let page = all(comparison, &folder);
    std::fs::remove_dir_all(&folder).context("the scratch folder")?;
    page
}

fn all(comparison: &Comparison, folder: &std::path::Path) -> anyhow::Result<String> {
    let ground = |origin: String, certificate: Option<PathBuf>| Ground {
        assay: comparison.assay.clone(),
        origin,
        folder: folder.to_owned(),
        certificate,
    };
    let plain = ground(format!("http://127.0.0.1:{}", comparison.port), None);
    plain.write_body()?;
    let (tools, absent): (Vec<Tool>, Vec<Tool>) =
        Tool::ALL.into_iter().partition(|tool| tool.version(&plain.assay).is_some());
    let mut page = table::head(comparison, &tools, &absent);
    let server = Server::start(comparison.cores.0, comparison.port, &[])?;
    for connections in &comparison.connections {
        let rows = closed(comparison, &plain, &server, &tools, *connections)?;
        page += &table::closed(&format!("{connections} connections"), &rows);
        page += &table::base(&base(comparison, &plain, &server, *connections)?);
    }
    let slips: Vec<SlipRow> = comparison
        .rates
        .iter()
        .map(|rate| open(comparison, &plain, &server, *rate))
        .collect::<Result<_, _>>()?;
    if !slips.is_empty() {
        page += &table::slip(&slips);
    }
    drop(server);
    if comparison.tls {
        let certificate = folder.join("server.pem");
        let arguments = ["--tls".to_owned(), certificate.display().to_string()];
        let server = Server::start(comparison.cores.0, comparison.port, &arguments)?;
        let ground = ground(format!("https://127.0.0.1:{}", comparison.port), Some(certificate));
        let tools: Vec<Tool> = tools
            .into_iter()
            .filter(|tool| matches!(tool, Tool::Assay(Format::Json) | Tool::Oha | Tool::Wrk | Tool::H2load))
            .collect();
        let rows = closed(comparison, &ground, &server, &tools, 32)?;
        page += &table::closed("32 connections over TLS 1.3", &rows);
    }
    Ok(page + &table::foot())
}

/// Every tool in every round, as fast as it can.
fn closed(
    comparison: &Comparison,
    ground: &Ground,
    server: &Server,
    tools: &[Tool],
    connections: u32,
) -> anyhow::Result<Vec<Row>> {
    let work = Work::Closed { connections, seconds: comparison.seconds };
    let mut rows: Vec<Row> = tools.iter().map(|tool| Row { tool: *tool, costs: Vec::new() }).collect();
    for round in 0..comparison.rounds as usize {
        // Nobody always follows the same neighbor.
        for turn in 0..rows.len() {
            let row = (round + turn) % tools.len();
            let cost = measure::run(tools[row], ground, work, server, comparison.cores.1)?;
            tell(tools[row], connections, &cost);
            rows[row].costs.push(cost);
        }
    }
    Ok(rows)
}

/// What the program costs before it has done anything: starting, its chains, and the reports.
fn base(
    comparison: &Comparison,
    ground: &Ground,
    server: &Server,
    connections: u32,
) -> anyhow::Result<Vec<Cost>> {
    let (tool, work) = (Tool::Assay(Format::Json), Work::Base { connections });
    (0..comparison.rounds).map(|_| measure::run(tool, ground, work, server, comparison.cores.1)).collect()
}

#[expect(clippy::print_stderr, reason = "whoever waits for minutes wants to see it move")]
fn tell(tool: Tool, connections: u32, cost: &Cost) {
    let (micros, rate) = (cost.per_request_us(), cost.requests as f64 / cost.elapsed_s);
    eprintln!("{connections:>6} {:<16} {micros:6.2} µs {rate:>9.0}/s {:6.1} MB", tool.name(), cost.rss_mb);
}

/// The program at one rate, each time right after the idle control loop on the same core.
fn open(comparison: &Comparison, ground: &Ground, server: &Server, rate: u32) -> anyhow::Result<SlipRow> {
    let tool = Tool::Assay(Format::Json);
    let work = Work::Open { rate, seconds: comparison.seconds };
    let mut row = SlipRow::new(rate);
    for _ in 0..comparison.rounds {
        row.idle.push(idle(comparison.cores.1, rate)?);
        let cost = measure::run(tool, ground, work, server, comparison.cores.1)?;
        let load = measure::profile(&ground.results().join("run.json"))?;
        let quantile = |name: &str| load["slip"]["quantiles_us"][name].as_f64().context("no slip");
        row.own.push([quantile("p50")?, quantile("p99")?, quantile("p99.9")?, quantile("max")?]);
        let took_s = load["took_us"].as_f64().context("no time")? / 1e6;
        row.rates.push(load["book"]["granted"].as_f64().context("no book")? / took_s);
        row.costs.push(cost);
    }
    Ok(row)
}

/// What the control loop says: p50, p99, p99.9 and maximum in microseconds.
fn idle(core: u32, rate: u32) -> anyhow::Result<[f64; 4]> {
    let own = std::env::current_exe()?;
    let told = Command::new("taskset")
        .args(["-c", &core.to_string()])
        .arg(own)
        .args(["idle", "--rate", &rate.to_string(), "--seconds", "2"])
        .output()?;
    let text = String::from_utf8(told.stdout)?;
    let figures: Vec<f64> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
    figures.try_into().map_err(|_| anyhow::anyhow!("the control loop said `{text}`"))
}
