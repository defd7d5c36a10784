//! The page: Markdown tables of medians.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::compare::Comparison;
use crate::measure::Cost;
use crate::tools::{Format, Tool};

/// One tool at one setting.
#[derive(Debug)]
pub struct Row {
    /// Which.
    pub tool: Tool,
    /// Its runs.
    pub costs: Vec<Cost>,
}

/// The program at one rate.
#[derive(Debug)]
pub struct SlipRow {
    /// Per second.
    rate: u32,
    /// The control loop: p50, p99, p99.9, maximum, in microseconds, per round.
    pub idle: Vec<[f64; 4]>,
    /// The same of the program's slip.
    pub own: Vec<[f64; 4]>,
    /// The rate that came of it.
    pub rates: Vec<f64>,
    /// What it cost.
    pub costs: Vec<Cost>,
}

impl SlipRow {
    /// Nothing yet.
    pub fn new(rate: u32) -> SlipRow {
        SlipRow { rate, idle: Vec::new(), own: Vec::new(), rates: Vec::new(), costs: Vec::new() }
    }
}

/// The middle of some figures; the mean of the middle two.
fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}

fn per_request(row: &Row) -> impl Iterator<Item = f64> {
    row.costs.iter().map(Cost::per_request_us)
}

/// What was measured, with what, on what.
pub fn head(comparison: &Comparison, tools: &[Tool], absent: &[Tool]) -> String {
    let (rounds, seconds) = (comparison.rounds, comparison.seconds);
    let versions: BTreeSet<String> =
        tools.iter().filter_map(|tool| tool.version(&comparison.assay)).collect();
    let versions: Vec<String> = versions.into_iter().collect();
    let mut page = format!(
        "{} · {} · load {} at the start · server on core {}, client on core {} · {rounds} interleaved rounds of \
         {seconds} s\n\n{}\n",
        today(),
        machine(),
        load_average(),
        comparison.cores.0,
        comparison.cores.1,
        versions.join(" · ")
    );
    if !absent.is_empty() {
        let names: Vec<&str> = absent.iter().map(|tool| tool.name()).collect();
        let _ = writeln!(page, "\nNot found on this machine, so not compared: {}.", names.join("; "));
    }
    page
}

/// CPU per request of all tools at one setting.
pub fn closed(title: &str, rows: &[Row]) -> String {
    let of = |tool: Tool| rows.iter().find(|row| row.tool == tool).map(|row| median(per_request(row)));
    let bases = [Tool::Wrk, Tool::WrkChain, Tool::Oha, Tool::K6Chain, Tool::Assay(Format::Json)];
    let mut page = format!(
        "\n### {title}\n\n| client | CPU µs a request: median (min–max) | × wrk | × wrk + Lua | × oha | × k6 | × assay \
         | requests/s | core busy | peak RSS MB |\n|---|---|---|---|---|---|---|---|---|---|\n"
    );
    let mut order: Vec<&Row> = rows.iter().collect();
    order.sort_by(|a, b| median(per_request(a)).total_cmp(&median(per_request(b))));
    for row in order {
        let middle = median(per_request(row));
        let least = per_request(row).fold(f64::INFINITY, f64::min);
        let most = per_request(row).fold(0.0, f64::max);
        let ratios: Vec<String> = bases
            .iter()
            .map(|base| of(*base).map_or("–".to_owned(), |base| format!("{:.2}", middle / base)))
            .collect();
        let rate = median(row.costs.iter().map(|cost| cost.requests as f64 / cost.elapsed_s));
        let busy = median(row.costs.iter().map(|cost| cost.cpu_s / cost.elapsed_s * 100.0));
        let memory = median(row.costs.iter().map(|cost| cost.rss_mb));
        let _ = writeln!(
            page,
            "| {} | {middle:.2} ({least:.2}–{most:.2}) | {} | {rate:.0} | {busy:.0} % | {memory:.1} |",
            row.tool.name(),
            ratios.join(" | ")
        );
    }
    page
}

/// What a run of the program costs that sends next to nothing.
pub fn base(costs: &[Cost]) -> String {
    let cpu = median(costs.iter().map(|cost| cost.cpu_s * 1000.0));
    let requests = median(costs.iter().map(|cost| cost.requests as f64));
    format!(
        "\nOf that a run of assay takes {cpu:.0} ms for starting, {requests:.0} logins and requests, and reports, however \
         long it is.\n"
    )
}

/// Slip beside the control loop.
pub fn slip(rows: &[SlipRow]) -> String {
    let mut page = "\n### Slip at a rate, in microseconds, medians of the rounds\n\n\
        | rate | idle control loop: p50 / p99 / p99.9 / max | assay: p50 / p99 / p99.9 / max | rate reached \
        | CPU µs a request |\n|---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let four = |rounds: &[[f64; 4]]| {
            let figure = |at: usize| format!("{:.0}", median(rounds.iter().map(|round| round[at])));
            [0, 1, 2, 3].map(figure).join(" / ")
        };
        let reached = median(row.rates.iter().copied());
        let off = (reached / f64::from(row.rate) - 1.0) * 100.0;
        let cost = median(row.costs.iter().map(Cost::per_request_us));
        let _ = writeln!(
            page,
            "| {}/s | {} | {} | {reached:.1}/s ({off:+.3} %) | {cost:.1} |",
            row.rate,
            four(&row.idle),
            four(&row.own)
        );
    }
    page
}

/// What each client does with an answer, and the load at the end.
pub fn foot() -> String {
    let mut page = format!("\nLoad {} at the end. What each does with an answer:\n\n", load_average());
    for tool in Tool::ALL {
        let _ = writeln!(page, "- {}: {}", tool.name(), tool.does());
    }
    page
}

fn today() -> String {
    let told = std::process::Command::new("date").arg("+%Y-%m-%d").output();
    told.map_or_else(|_| "no date".to_owned(), |told| String::from_utf8_lossy(&told.stdout).trim().to_owned())
}

fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    let cores = text.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} × {model}, Linux {}", kernel.trim())
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
