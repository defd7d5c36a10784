//! The search against a capacity that can be computed: workers divided by what one of them takes.

use std::time::Duration;

use super::{Mock, differs};

const WORKERS: usize = 8;
const LATENCY: &str = "{ lognormal: { median: 10ms, sigma: 0.3 } }";

/// What the workers can do, from what each answer took one of them while all were busy.
fn capacity(mock: &Mock) -> f64 {
    mock.order("POST", "/delays", "");
    let result = mock.load("users: 32, for: 5s").result();
    let delays = mock.delays();
    let worked: Duration = delays.iter().map(|nanos| Duration::from_nanos(*nanos)).sum();
    let capacity = (WORKERS * delays.len()) as f64 / worked.as_secs_f64();
    println!("capacity {capacity:.1}/s by service times, {} answers in 5 s", result.book.granted);
    capacity
}

#[test]
#[ignore = "six minutes; tests/scale/run.sh long"]
fn the_search_finds_the_capacity_in_nine_of_ten_runs() {
    let workers = WORKERS.to_string();
    let mock = Mock::start(&["--workers", &workers, "--latency", LATENCY]);
    let capacity = capacity(&mock);
    let search = "search: { from: 200/s, to: 3000/s, hold: 3s, until: response.p99 > 150ms or errors > 1% }";
    let missed: Vec<String> = (0..10)
        .filter_map(|run| {
            let result = mock.load(search).result();
            let kept = result.rates.iter().filter(|held| held.kept).map(|held| held.rate);
            let found = kept.fold(0.0, f64::max);
            differs(&format!("run {run}, {} rates", result.rates.len()), found, capacity, 0.05)
        })
        .collect();
    assert!(missed.len() <= 1, "{missed:#?}");
}
