//! Latency as the charts need it: decoded histograms, their quantiles, and the limits that objectives set.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

use crate::results::{Clock, Measured, ObjectiveResult, Run};

/// A decoded clock, in microseconds.
pub(super) struct Latency {
    histogram: Histogram<u64>,
    /// Values beyond the top.
    pub(super) clipped: u64,
}

impl Latency {
    /// Decodes; a broken histogram is an empty one, and the figures beside it still stand.
    pub(super) fn of(clock: &Clock) -> Latency {
        let empty = || Histogram::new(3).expect("three digits are in range");
        let decoded = STANDARD
            .decode(&clock.histogram.hdr_v2_deflate_base64)
            .ok()
            .filter(|bytes| !bytes.is_empty())
            .and_then(|bytes| Deserializer::new().deserialize(&mut bytes.as_slice()).ok());
        Latency { histogram: decoded.unwrap_or_else(empty), clipped: clock.clipped }
    }

    pub(super) fn count(&self) -> u64 {
        self.histogram.len()
    }

    pub(super) fn at(&self, quantile: f64) -> f64 {
        self.histogram.value_at_quantile(quantile) as f64 / 1e3
    }

    pub(super) fn min(&self) -> f64 {
        self.histogram.min() as f64 / 1e3
    }

    pub(super) fn max(&self) -> f64 {
        self.histogram.max() as f64 / 1e3
    }

    /// Every value that was recorded, with its count.
    pub(super) fn values(&self) -> impl Iterator<Item = (f64, u64)> {
        self.histogram
            .iter_recorded()
            .map(|step| (step.value_iterated_to() as f64 / 1e3, step.count_since_last_iteration()))
    }

    /// Whether fewer than ten answers lie beyond `quantile`: then it is a guess.
    pub(super) fn few_beyond(&self, quantile: f64) -> bool {
        few_beyond(self.count(), quantile)
    }
}

/// Whether fewer than ten of `count` lie beyond `quantile`.
pub(super) fn few_beyond(count: u64, quantile: f64) -> bool {
    count as f64 * (1.0 - quantile) < 9.999
}

/// A limit on one percentile of one profile.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limit {
    /// `p99`
    pub(super) name: String,
    /// 0.99
    pub(super) quantile: f64,
    /// In microseconds.
    pub(super) micros: f64,
    /// Whether it was kept.
    pub(super) met: Option<bool>,
}

/// The limits that the objectives set to the response time of `profile`.
pub(super) fn limits(run: &Run, profile: &str) -> Vec<Limit> {
    let mut limits: Vec<Limit> =
        run.objectives.iter().filter_map(|objective| limit(objective, profile)).collect();
    limits.sort_by(|a, b| a.quantile.total_cmp(&b.quantile));
    limits
}

/// `steady.response.p99 < 250ms`, where it is a comparison.
fn limit(objective: &ObjectiveResult, profile: &str) -> Option<Limit> {
    let Some(Measured::TimeUs(micros)) = objective.limit else { return None };
    let name = path(objective)?.strip_prefix(profile)?.strip_prefix(".response.")?;
    Some(Limit { name: name.to_owned(), quantile: quantile(name)?, micros, met: objective.met })
}

/// The left side of a comparison: `steady.response.p99`.
pub(super) fn path(objective: &ObjectiveResult) -> Option<&str> {
    let left = objective.condition.split(['<', '>', '=', '!']).next()?.trim();
    (!left.is_empty() && !left.contains(char::is_whitespace)).then_some(left)
}

fn quantile(name: &str) -> Option<f64> {
    if name == "max" {
        return Some(1.0);
    }
    let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::file;

    #[test]
    fn a_histogram_gives_back_the_quantiles_beside_it() {
        let run = file::read(include_str!("../../../tests/it/fixtures/run-good.json")).unwrap();
        let clock = &run.load[0].response;
        let latency = Latency::of(clock);
        assert_eq!(latency.count(), clock.count);
        assert!((latency.at(0.99) - clock.quantiles_us["p99"]).abs() < 1.0);
        assert!((latency.max() - clock.quantiles_us["max"]).abs() < 1.0);
    }

    #[test]
    fn a_broken_histogram_is_an_empty_one() {
        let mut clock = Clock::default();
        clock.histogram.hdr_v2_deflate_base64 = "SElTVA==".to_owned();
        assert_eq!(Latency::of(&clock).count(), 0);
    }

    #[test]
    fn limits_come_from_the_objectives() {
        let run = file::read(include_str!("../../../tests/it/fixtures/run-good.json")).unwrap();
        let names: Vec<String> = limits(&run, "steady").into_iter().map(|limit| limit.name).collect();
        assert_eq!(names, ["p99", "p99.9"]);
        assert_eq!(limits(&run, "stead"), []);
    }
}
