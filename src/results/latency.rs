//! Latency in histograms: nanoseconds, 1 µs to 1 h, three digits, saturating, clipped values counted.
//!
//! Owns the recording side ([`Recorder`]) and the form in the run file ([`Histogram`], V2 deflate in base64),
//! and the way from one to the other. Every figure of a [`Clock`] comes from its histogram alone, so that
//! clocks of several workers, or of several machines, add up exactly.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Clock;

/// The smallest value that is told apart: what is faster counts as this.
const LOWEST_NS: u64 = 1_000;
/// The largest value: what is slower counts as this, and as clipped.
const HIGHEST_NS: u64 = 3_600_000_000_000;
/// Digits that are kept.
const DIGITS: u8 = 3;
/// Digits that a compact histogram keeps: within 1 %, in a third of the room.
const COMPACT_DIGITS: u8 = 2;

/// The quantiles that every clock states, by name.
const QUANTILES: [(&str, f64); 6] =
    [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)];

/// A histogram in the run file: HdrHistogram V2, deflated, base64. Unit: nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Histogram {
    /// The bytes; empty for no values.
    pub hdr_v2_deflate_base64: String,
}

/// The recording side of a clock: about 2 ns a value, and a fixed size whatever is recorded.
#[derive(Clone, Debug)]
pub struct Recorder {
    histogram: hdrhistogram::Histogram<u64>,
    clipped: u64,
}

/// Why a histogram of a run file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("histogram: {0}")]
pub struct BadHistogram(String);

impl Default for Recorder {
    fn default() -> Self {
        let histogram = hdrhistogram::Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS)
            .expect("the bounds are constants that fit");
        Recorder { histogram, clipped: 0 }
    }
}

impl Recorder {
    /// Records one value.
    pub fn record(&mut self, value: Duration) {
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        self.clipped += u64::from(nanos > HIGHEST_NS);
        self.histogram.saturating_record(nanos.clamp(LOWEST_NS, HIGHEST_NS));
    }

    /// Values recorded.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// The value at a quantile between 0 and 1, in microseconds; `None` where nothing was recorded.
    pub fn quantile_us(&self, quantile: f64) -> Option<f64> {
        (!self.is_empty()).then(|| micros(self.histogram.value_at_quantile(quantile)))
    }

    /// The largest value in microseconds.
    pub fn max_us(&self) -> Option<f64> {
        (!self.is_empty()).then(|| micros(self.histogram.max()))
    }

    /// Adds what another one recorded.
    pub fn merge(&mut self, other: &Recorder) {
        self.histogram.add(&other.histogram).expect("recorders have the same bounds");
        self.clipped += other.clipped;
    }

    /// Takes away what was recorded here as well.
    pub fn take_away(&mut self, part: &Recorder) {
        self.histogram.subtract(&part.histogram).expect("what is taken away was recorded here");
        self.clipped -= part.clipped;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.histogram.reset();
        self.clipped = 0;
    }

    /// The clock of the run file.
    pub fn clock(&self) -> Clock {
        Clock {
            count: self.count(),
            clipped: self.clipped,
            quantiles_us: self.quantiles(),
            histogram: self.histogram(),
        }
    }

    fn quantiles(&self) -> IndexMap<String, f64> {
        if self.is_empty() {
            return IndexMap::new();
        }
        let ends = [
            ("min", micros(self.histogram.min())),
            ("mean", self.histogram.mean() / 1_000.0),
            ("max", micros(self.histogram.max())),
        ];
        QUANTILES
            .iter()
            .map(|(name, quantile)| (*name, micros(self.histogram.value_at_quantile(*quantile))))
            .chain(ends)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// The values in the form of the run file.
    pub fn histogram(&self) -> Histogram {
        written(&self.histogram)
    }

    /// The histogram with two digits instead of three: for a row of which there are thousands.
    pub fn compact(&self) -> Histogram {
        let mut compact = hdrhistogram::Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, COMPACT_DIGITS)
            .expect("the bounds are constants that fit");
        for step in self.histogram.iter_recorded() {
            // The foot of its bucket: what was rounded up once would be rounded up again.
            let value = self.histogram.lowest_equivalent(step.value_iterated_to());
            compact.saturating_record_n(value, step.count_at_value());
        }
        written(&compact)
    }
}

fn written(histogram: &hdrhistogram::Histogram<u64>) -> Histogram {
    if histogram.is_empty() {
        return Histogram::default();
    }
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("counts fit, and memory does not fail");
    Histogram { hdr_v2_deflate_base64: STANDARD.encode(bytes) }
}

impl Histogram {
    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.hdr_v2_deflate_base64.is_empty()
    }

    /// The recorded values in rising order, the middle of each bucket in microseconds with its count.
    pub fn values_us(&self) -> Result<Vec<(f64, u64)>, BadHistogram> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let histogram = read(self)?;
        let middle = |value: u64| micros(histogram.median_equivalent(value));
        Ok(histogram
            .iter_recorded()
            .map(|step| (middle(step.value_iterated_to()), step.count_at_value()))
            .collect())
    }
}

impl Clock {
    /// The recorder that this clock was made from.
    pub fn recorder(&self) -> Result<Recorder, BadHistogram> {
        let mut recorder = Recorder::default();
        if !self.histogram.hdr_v2_deflate_base64.is_empty() {
            for step in read(&self.histogram)?.iter_recorded() {
                let nanos = step.value_iterated_to().clamp(LOWEST_NS, HIGHEST_NS);
                recorder.histogram.saturating_record_n(nanos, step.count_at_value());
            }
        }
        recorder.clipped = self.clipped;
        Ok(recorder)
    }
}

/// The histogram as another program may have written it, with bounds of its own.
fn read(written: &Histogram) -> Result<hdrhistogram::Histogram<u64>, BadHistogram> {
    let bytes = STANDARD
        .decode(&written.hdr_v2_deflate_base64)
        .map_err(|mistake| BadHistogram(format!("not base64: {mistake}")))?;
    Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|mistake| BadHistogram(format!("not HdrHistogram V2: {mistake}")))
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= expected * 0.001, "{found} is not within 0.1 % of {expected}");
    }

    fn random(seed: u64, count: usize) -> Recorder {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut recorder = Recorder::default();
        for _ in 0..count {
            recorder.record(Duration::from_nanos(rng.random_range(500..2_000_000_000)));
        }
        recorder
    }

    #[test]
    fn quantiles_of_a_known_distribution_are_exact_to_a_thousandth() {
        let mut recorder = Recorder::default();
        for step in 1..=100_000_u64 {
            recorder.record(Duration::from_micros(step * 10));
        }
        let clock = recorder.clock();
        near(clock.quantiles_us["p50"], 500_000.0);
        near(clock.quantiles_us["p90"], 900_000.0);
        near(clock.quantiles_us["p99"], 990_000.0);
        near(clock.quantiles_us["p99.9"], 999_000.0);
        near(clock.quantiles_us["p99.99"], 999_900.0);
        near(clock.quantiles_us["max"], 1_000_000.0);
        near(clock.quantiles_us["mean"], 500_005.0);
        assert_eq!(clock.count, 100_000);
    }

    #[test]
    fn what_is_too_fast_counts_as_a_microsecond_and_what_is_too_slow_is_clipped() {
        let mut recorder = Recorder::default();
        recorder.record(Duration::ZERO);
        near(recorder.max_us().unwrap(), 1.023);
        recorder.record(Duration::from_hours(2));
        recorder.record(Duration::MAX);
        let clock = recorder.clock();
        assert_eq!((clock.count, clock.clipped), (3, 2));
        near(clock.quantiles_us["max"], 3_600e6);
    }

    #[test]
    fn a_clock_comes_back_as_it_was_written() {
        let written = random(1, 10_000).clock();
        assert!(written.histogram.hdr_v2_deflate_base64.starts_with("HISTFAAA"));
        let again = written.recorder().unwrap().clock();
        assert_eq!(again.histogram, written.histogram);
        assert_eq!(again.quantiles_us, written.quantiles_us);
    }

    #[test]
    fn two_halves_merged_are_one_whole() {
        let (one, two) = (random(1, 5_000), random(2, 7_000));
        let mut merged = one.clone();
        merged.merge(&two);
        let mut whole = Recorder::default();
        for half in [one, two] {
            for step in half.histogram.iter_recorded() {
                whole.histogram.saturating_record_n(step.value_iterated_to(), step.count_at_value());
            }
        }
        assert_eq!(merged.clock().histogram, whole.clock().histogram);
        assert_eq!(merged.count(), 12_000);
    }

    #[test]
    fn nothing_recorded_is_nothing_written() {
        let clock = Recorder::default().clock();
        assert_eq!(clock.histogram, Histogram::default());
        assert!(clock.quantiles_us.is_empty());
        assert!(clock.recorder().unwrap().is_empty());
    }

    #[test]
    fn a_compact_histogram_is_small_and_within_a_hundredth() {
        let recorder = random(3, 2_000);
        let compact = recorder.compact();
        let values = compact.values_us().unwrap();
        assert_eq!(values.iter().map(|(_, count)| count).sum::<u64>(), 2_000);
        let mut before = 0;
        let half = values.iter().find(|(_, count)| {
            before += count;
            before >= 1_000
        });
        let (found, expected) = (half.unwrap().0, recorder.quantile_us(0.5).unwrap());
        assert!((found - expected).abs() < expected * 0.01, "{found} {expected}");
        let exact = recorder.clock().histogram.hdr_v2_deflate_base64.len();
        assert!(compact.hdr_v2_deflate_base64.len() * 2 < exact, "{exact}");
        assert_eq!(Recorder::default().compact(), Histogram::default());
    }

    #[test]
    fn a_damaged_histogram_is_refused_and_never_panics() {
        for text in ["!", "SElTVA==", "HISTFAAA", "HISTFAAAAB542pNpmSzMwMDAzAABzFCaEUoz2X+AMAADZQKC"] {
            let clock =
                Clock { histogram: Histogram { hdr_v2_deflate_base64: text.to_owned() }, ..Clock::default() };
            drop(clock.recorder());
        }
        let bad =
            Clock { histogram: Histogram { hdr_v2_deflate_base64: "!".to_owned() }, ..Clock::default() };
        assert!(bad.recorder().is_err());
    }
}
