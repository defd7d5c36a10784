//! Whether answers to one kind of call take longer than to another: a rank test, an effect size, a floor of noise.
//!
//! Pure. The samples are interleaved by whoever takes them, so that what troubles the machine troubles all alike.

use std::time::Duration;

/// Fewer samples of a group tell nothing.
pub(super) const SAMPLES_MIN: usize = 20;

/// Beyond so many standard deviations a difference is no chance, also when several pairs are compared.
const SIGNIFICANT: f64 = 4.5;

/// No difference of medians below this, or below this share of them, is told from noise.
const FLOOR: Duration = Duration::from_micros(20);
const FLOOR_SHARE: f64 = 0.02;

/// How two groups differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    /// Cliff's delta: how much likelier the second takes longer than the first, -1 to 1.
    pub effect: f64,
    /// Standard deviations of the Mann-Whitney test, ties corrected.
    pub sigma: f64,
    /// The medians.
    pub medians: (Duration, Duration),
}

impl Difference {
    /// Whether it is larger than `effect`, no chance, and above the floor.
    pub fn is_seen(&self, effect: f64) -> bool {
        let (one, two) = self.medians;
        let floor = FLOOR.max(one.min(two).mul_f64(FLOOR_SHARE));
        self.effect.abs() > effect && self.sigma.abs() > SIGNIFICANT && one.abs_diff(two) > floor
    }
}

/// Compares two groups. Neither may be empty.
pub(super) fn compare(one: &[Duration], two: &[Duration]) -> Difference {
    let mut all: Vec<(Duration, bool)> = Vec::with_capacity(one.len() + two.len());
    all.extend(one.iter().map(|time| (*time, false)));
    all.extend(two.iter().map(|time| (*time, true)));
    all.sort_unstable_by_key(|(time, _)| *time);
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    while at < all.len() {
        let same = all[at..].iter().take_while(|(time, _)| *time == all[at].0).count();
        // Equal times share the mean of their ranks.
        let rank = at as f64 + f64::midpoint(same as f64, 1.0);
        ranks += rank * all[at..at + same].iter().filter(|(_, second)| *second).count() as f64;
        ties += (same as f64).powi(3) - same as f64;
        at += same;
    }
    let (m, n, total) = (one.len() as f64, two.len() as f64, all.len() as f64);
    let larger = ranks - n * (n + 1.0) / 2.0;
    let variance = m * n / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)).max(1.0));
    let sigma = if variance > 0.0 { (larger - m * n / 2.0) / variance.sqrt() } else { 0.0 };
    Difference { effect: 2.0 * larger / (m * n) - 1.0, sigma, medians: (median(one), median(two)) }
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Skewed noise around 300 µs, with outliers, as a network has it.
    fn noise(rng: &mut ChaCha8Rng, more: u64) -> Duration {
        let base = 250 + rng.random_range(0..60) + rng.random_range(0..60);
        let spike = if rng.random_range(0..50) == 0 { 5_000 } else { 0 };
        Duration::from_micros(base + spike + more)
    }

    fn groups(count: usize, more: u64, seed: u64) -> Difference {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let one: Vec<Duration> = (0..count).map(|_| noise(&mut rng, 0)).collect();
        let two: Vec<Duration> = (0..count).map(|_| noise(&mut rng, more)).collect();
        compare(&one, &two)
    }

    #[test]
    fn noise_alone_is_never_seen() {
        for seed in 0..300 {
            let found = groups(60, 0, seed);
            assert!(!found.is_seen(0.2), "{seed}: {found:?}");
        }
        assert!(!groups(2000, 0, 7).is_seen(0.05));
    }

    #[test]
    fn a_shift_of_a_standard_deviation_is_seen_in_few_samples_and_a_small_one_in_many() {
        assert!(groups(60, 60, 1).is_seen(0.2));
        assert!(groups(2000, 25, 2).is_seen(0.2));
        assert!(groups(60, 60, 3).effect > 0.5);
    }

    #[test]
    fn what_lies_below_the_floor_is_noise_however_certain_it_is() {
        let times = |micros: u64| -> Vec<Duration> {
            (0..500).map(|turn| Duration::from_micros(micros + turn % 3)).collect()
        };
        let found = compare(&times(300), &times(306));
        assert!(found.effect > 0.99 && found.sigma > 20.0, "{found:?}");
        assert!(!found.is_seen(0.2));
    }

    #[test]
    fn ties_are_corrected_and_equal_groups_do_not_differ() {
        let same = vec![Duration::from_millis(1); 50];
        let found = compare(&same, &same);
        assert_eq!((found.effect, found.sigma), (0.0, 0.0));
        // By hand: 1 1 2 | 1 2 2 has U = 6 of 9, and ties of three and three.
        let times = |all: [u64; 3]| all.map(Duration::from_millis).to_vec();
        let found = compare(&times([1, 1, 2]), &times([1, 2, 2]));
        assert!((found.effect - (2.0 * 6.0 / 9.0 - 1.0)).abs() < 1e-9);
        let variance: f64 = 9.0 / 12.0 * (7.0 - 48.0 / 30.0);
        assert!((found.sigma - 1.5 / variance.sqrt()).abs() < 1e-9);
    }
}
