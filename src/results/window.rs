//! Windows: some seconds of a profile, with the figures of a whole one.
//!
//! Every second keeps its histograms, so the quantiles of a window are exact and no mean of quantiles.

use std::time::Duration;

use super::latency::{Histogram, Recorder};
use super::{Clock, ErrorCount, LoadResult, Second};

/// The histograms of one second, of granted answers by when they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SecondClocks {
    /// Which, from 0.
    pub at_s: u32,
    /// Response time.
    pub response: Histogram,
    /// Service time.
    pub service: Histogram,
}

/// One second of a window: its row, its histograms, and its errors by class.
#[derive(Clone, Debug)]
pub struct Moment<'a> {
    /// The row.
    pub row: &'a Second,
    /// The histograms; `None` where nothing was granted.
    pub clocks: Option<&'a SecondClocks>,
    /// Class and count.
    pub errors: Vec<(&'a str, u64)>,
}

/// The figures of some seconds that follow each other, as a profile of their own.
pub fn figures(name: &str, seconds: &[Moment<'_>]) -> LoadResult {
    let mut result = LoadResult { name: name.to_owned(), ..LoadResult::default() };
    let (mut response, mut service) = (Recorder::default(), Recorder::default());
    for second in seconds {
        result.book.starved += second.row.starved;
        if let Some(clocks) = second.clocks {
            merge(&mut response, &clocks.response);
            merge(&mut service, &clocks.service);
        }
        for (class, count) in &second.errors {
            match result.errors.iter_mut().find(|error| error.class == *class) {
                Some(error) => error.count += count,
                None => result.errors.push(ErrorCount {
                    class: (*class).to_owned(),
                    count: *count,
                    first_us: 0,
                    example: String::new(),
                }),
            }
        }
    }
    result.took_us = seconds.len() as u64 * 1_000_000;
    (result.response, result.service) = (response.clock(), service.clock());
    result
}

fn merge(recorder: &mut Recorder, written: &Histogram) {
    let clock = Clock { histogram: written.clone(), ..Clock::default() };
    // What this program has just written can be read.
    if let Ok(own) = clock.recorder() {
        recorder.merge(&own);
    }
}

/// A window of a profile, and when it begins.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its first second.
    pub from_s: u32,
    /// Its figures.
    pub figures: LoadResult,
}

/// Every window of this length that lies in the measured part of a profile, by its first second. A second that has only
/// begun when the profile ended belongs to none.
pub fn all(result: &LoadResult, length: Duration) -> Vec<Window> {
    let length = usize::try_from(length.as_secs()).unwrap_or(usize::MAX).max(1);
    let from = result.warm_up_us.div_ceil(1_000_000);
    let whole = result.took_us / 1_000_000;
    let moments: Vec<Moment<'_>> = result
        .series
        .iter()
        .filter(|row| (from..whole).contains(&u64::from(row.at_s)))
        .map(|row| moment(result, row))
        .collect();
    moments
        .windows(length.min(moments.len() + 1))
        .map(|seconds| Window { from_s: seconds[0].row.at_s, figures: figures(&result.name, seconds) })
        .collect()
}

fn moment<'a>(result: &'a LoadResult, row: &'a Second) -> Moment<'a> {
    let class = |index: u32| result.errors.get(index as usize).map(|error| error.class.as_str());
    Moment {
        row,
        clocks: result.per_second.iter().find(|clocks| clocks.at_s == row.at_s),
        errors: row.errors.iter().filter_map(|(index, count)| Some((class(*index)?, *count))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Ten answers a second; those of the sixth second take half a second and those of others 10 ms.
    fn stalled() -> LoadResult {
        let clocks = |at_s: u32| {
            let mut recorder = Recorder::default();
            let millis = if at_s == 6 { 500 } else { 10 };
            (0..10).for_each(|_| recorder.record(Duration::from_millis(millis)));
            let histogram = recorder.histogram();
            SecondClocks { at_s, response: histogram.clone(), service: histogram }
        };
        let row = |at_s: u32| Second {
            at_s,
            answered: 10,
            errors: if at_s == 3 { vec![(0, 10)] } else { Vec::new() },
            ..Second::default()
        };
        LoadResult {
            name: "steady".to_owned(),
            took_us: 12_300_000,
            warm_up_us: 1_500_000,
            errors: vec![ErrorCount {
                class: "http 5xx".to_owned(),
                count: 10,
                first_us: 0,
                example: String::new(),
            }],
            series: (0..=12).map(row).collect(),
            per_second: Arc::new((0..=12).map(clocks).collect()),
            ..LoadResult::default()
        }
    }

    #[test]
    fn windows_lie_between_the_warm_up_and_the_last_whole_second() {
        let starts = |length| {
            let all = all(&stalled(), Duration::from_secs(length));
            all.iter().map(|window| window.from_s).collect::<Vec<_>>()
        };
        assert_eq!(starts(8), [2, 3, 4]);
        assert_eq!(starts(10), [2]);
        assert_eq!(starts(11), [0_u32; 0]);
    }

    #[test]
    fn the_quantiles_of_a_window_are_those_of_its_answers() {
        let windows = all(&stalled(), Duration::from_secs(2));
        let p99 = |from: u32| {
            let window = windows.iter().find(|window| window.from_s == from).unwrap();
            window.figures.response.quantiles_us["p99"]
        };
        assert!(p99(4) < 11_000.0, "{}", p99(4));
        assert!(p99(5) > 499_000.0 && p99(6) > 499_000.0);
        assert!(p99(7) < 11_000.0);
        let third = &windows.iter().find(|window| window.from_s == 3).unwrap().figures;
        assert_eq!((third.response.count, third.errors[0].count), (20, 10));
        assert!((super::super::objectives::error_share(third) - 1.0 / 3.0).abs() < 1e-9);
    }
}
