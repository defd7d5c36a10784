//! How long answers take: seeded samples of a model, stalls during which nothing is answered, and workers of which
//! there are only so many.
//!
//! A stall stops time for the requests that arrive or wait in it: what was left of their latency is served
//! after its end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::suite::environment::{MockLatency, Stall};

/// Stalls that were asked for; the oldest is forgotten.
const WINDOWS: usize = 16;

/// No answer is held back longer.
const LONGEST: Duration = Duration::from_hours(1);

/// When a request may be answered.
#[derive(Debug)]
pub struct Pace {
    model: MockLatency,
    random: ChaCha8Rng,
    drawn: AtomicU64,
    planned: Option<Stall>,
    stalls: Mutex<Stalls>,
    /// How many windows there are, so that most requests need no lock.
    windows: AtomicU64,
    workers: Option<Semaphore>,
    /// The share of requests that fail, and how many were asked.
    errors: f64,
    asked: AtomicU64,
}

#[derive(Debug, Default)]
struct Stalls {
    armed: bool,
    windows: Vec<(Instant, Instant)>,
}

impl Pace {
    /// The pace of a mock.
    pub fn new(model: MockLatency, planned: Option<Stall>, seed: u64) -> Pace {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // A stream of its own: the keys come from the same seed.
        random.set_stream(1);
        Pace {
            model,
            random,
            drawn: AtomicU64::new(0),
            planned,
            stalls: Mutex::default(),
            windows: AtomicU64::new(0),
            workers: None,
            errors: 0.0,
            asked: AtomicU64::new(0),
        }
    }

    /// The same, failing on this share of requests.
    pub fn with_errors(mut self, share: f64) -> Pace {
        self.errors = share;
        self
    }

    /// Whether the next request is one that fails.
    pub fn fails(&self) -> bool {
        if self.errors <= 0.0 {
            return false;
        }
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let mut random = self.random.clone();
        // A stream of its own: what is drawn for latencies stays the same.
        random.set_stream(2);
        random.set_word_pos(u128::from(number) * 16);
        ((random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64) < self.errors
    }

    /// The same with so many workers.
    pub fn with_workers(mut self, workers: Option<u32>) -> Pace {
        self.workers = workers.map(|number| Semaphore::new(number as usize));
        self
    }

    /// Waits for a free worker, first come, first served. It is free again when what is returned is dropped.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes it, so an error cannot be.
        self.workers.as_ref()?.acquire().await.ok()
    }

    /// Arms the planned stall, at the first refresh request and never again.
    pub fn arm(&self, now: Instant) {
        let Some(planned) = self.planned else { return };
        let mut stalls = self.stalls.lock().unwrap_or_else(PoisonError::into_inner);
        if !stalls.armed {
            stalls.armed = true;
            let begin = now + planned.after.min(LONGEST);
            self.add(&mut stalls, begin, planned.lasting);
        }
    }

    /// Stalls from `now` on.
    pub fn stall(&self, now: Instant, lasting: Duration) {
        let mut stalls = self.stalls.lock().unwrap_or_else(PoisonError::into_inner);
        self.add(&mut stalls, now, lasting);
    }

    fn add(&self, stalls: &mut Stalls, begin: Instant, lasting: Duration) {
        if stalls.windows.len() == WINDOWS {
            stalls.windows.remove(0);
        }
        stalls.windows.push((begin, begin + lasting.min(LONGEST)));
        stalls.windows.sort_unstable();
        self.windows.store(stalls.windows.len() as u64, Ordering::Release);
    }

    /// How long the next answer takes by itself.
    pub fn draw(&self) -> Duration {
        let mut uniform = {
            let number = self.drawn.fetch_add(1, Ordering::Relaxed);
            let mut random = self.random.clone();
            // A block of ChaCha has 16 words; each draw has one of its own, whoever draws.
            random.set_word_pos(u128::from(number) * 16);
            move || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
        };
        let taken = match self.model {
            MockLatency::None => Duration::ZERO,
            MockLatency::Constant(span) => span,
            MockLatency::Lognormal { median, sigma } => {
                let normal =
                    (-2.0 * (1.0 - uniform()).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
                let seconds = median.as_secs_f64() * (sigma * normal).exp();
                Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST)
            }
            MockLatency::Bimodal { fast, slow, share } => {
                if uniform() < share {
                    slow
                } else {
                    fast
                }
            }
            MockLatency::Spikes { base, spike, one_in } => {
                if uniform() * f64::from(one_in.max(1)) < 1.0 {
                    spike
                } else {
                    base
                }
            }
        };
        taken.min(LONGEST)
    }

    /// Whether answers ever have to wait.
    pub fn is_immediate(&self) -> bool {
        self.model == MockLatency::None && self.workers.is_none() && self.windows.load(Ordering::Acquire) == 0
    }

    /// When a request that arrived at `arrived` and takes `own` may be answered, as far as is known now.
    pub fn due(&self, arrived: Instant, own: Duration) -> Instant {
        let mut due = arrived + own;
        if self.windows.load(Ordering::Acquire) > 0 {
            for (begin, end) in &self.stalls.lock().unwrap_or_else(PoisonError::into_inner).windows {
                if arrived < *end && due >= *begin {
                    due += *end - arrived.max(*begin);
                }
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn sample(model: MockLatency) -> Vec<f64> {
        let pace = Pace::new(model, None, 7);
        let mut drawn: Vec<f64> = (0..20_000).map(|_| pace.draw().as_secs_f64() * 1000.0).collect();
        drawn.sort_by(f64::total_cmp);
        drawn
    }

    #[test]
    fn the_models_have_their_quantiles() {
        let normal = sample(MockLatency::Lognormal { median: 10 * MS, sigma: 0.5 });
        assert!((normal[10_000] - 10.0).abs() < 0.3, "median {}", normal[10_000]);
        // exp(0.5 · 2.326) · 10
        assert!((normal[19_800] - 32.0).abs() < 1.5, "p99 {}", normal[19_800]);
        let peaks = sample(MockLatency::Bimodal { fast: MS, slow: 50 * MS, share: 0.1 });
        let slow = peaks.iter().filter(|ms| **ms > 10.0).count();
        assert!((1800..2200).contains(&slow), "{slow}");
        let spikes = sample(MockLatency::Spikes { base: MS, spike: 90 * MS, one_in: 100 });
        let high = spikes.iter().filter(|ms| **ms > 10.0).count();
        assert!((140..260).contains(&high), "{high}");
    }

    #[test]
    fn as_many_fail_as_were_asked_for() {
        let failed = |share: f64| {
            let pace = Pace::new(MockLatency::None, None, 7).with_errors(share);
            (0..20_000).filter(|_| pace.fails()).count()
        };
        assert_eq!(failed(0.0), 0);
        assert!((60..140).contains(&failed(0.005)), "{}", failed(0.005));
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let model = MockLatency::Lognormal { median: MS, sigma: 1.0 };
        assert_eq!(sample(model.clone()), sample(model));
    }

    #[test]
    fn a_stall_stops_time_for_who_arrives_or_waits_in_it() {
        let pace = Pace::new(MockLatency::None, Some(Stall { after: 100 * MS, lasting: 50 * MS }), 7);
        let start = Instant::now();
        let due = |at: u32, own: u32| pace.due(start + at * MS, own * MS) - start;
        assert!(pace.is_immediate());
        assert_eq!(due(120, 3), 123 * MS, "not armed yet");
        pace.arm(start);
        pace.arm(start + 40 * MS);
        assert!(!pace.is_immediate());
        assert_eq!(due(20, 3), 23 * MS, "answered before it");
        assert_eq!(due(98, 3), 151 * MS, "waits when it begins, and two of its three are left");
        assert_eq!(due(120, 3), 153 * MS, "arrives in it");
        assert_eq!(due(150, 3), 153 * MS, "arrives at its end");
    }

    #[test]
    fn stalls_are_bounded_in_number_and_length() {
        let pace = Pace::new(MockLatency::None, None, 7);
        let start = Instant::now();
        for _ in 0..100 {
            pace.stall(start, Duration::MAX);
        }
        assert!(pace.due(start, Duration::ZERO) - start <= LONGEST * 16);
    }
}
