//! Arrivals as chance has them: a Poisson process, given how many arrivals there are in all. Pure data, by a seed.
//!
//! Given its number, the arrivals of a Poisson process lie independently and evenly in the area under its rate. The
//! area is cut into cells; how many arrivals each has is drawn once, and where they lie in it is drawn when it is asked
//! for, always the same. So any arrival is known without those before it, and a long profile costs a few bytes a cell.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A cell has so many arrivals on average, or more where there would be too many cells.
const PER_CELL: u64 = 16;
/// No more cells than this.
const CELLS_MAX: u64 = 1 << 20;

/// Where in the area the arrivals lie.
#[derive(Clone, Debug)]
pub struct Chance {
    /// How many arrivals lie before each cell; the last is all of them.
    before: Vec<u64>,
    /// The area of one cell.
    cell: f64,
    seed: u64,
}

impl Chance {
    /// `total` arrivals in `area`.
    pub fn new(total: u64, area: f64, seed: u64) -> Chance {
        let cells = total.div_ceil(PER_CELL).clamp(1, CELLS_MAX);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut before = Vec::with_capacity(usize::try_from(cells + 1).unwrap_or_default());
        let mut left = total;
        for cell in 0..cells {
            before.push(total - left);
            let share = 1.0 / (cells - cell) as f64;
            left -= binomial(left, share, random.random::<f64>());
        }
        before.push(total);
        Chance { before, cell: area / cells as f64, seed }
    }

    /// The area up to arrival `k`, which is one of them.
    pub fn nth(&self, k: u64) -> f64 {
        let cell = self.before.partition_point(|before| *before <= k).saturating_sub(1);
        let count = self.before[cell + 1] - self.before[cell];
        // Every cell has a stream of its own.
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(cell as u64 + 1);
        let mut places: Vec<f64> = (0..count).map(|_| random.random::<f64>()).collect();
        places.sort_unstable_by(f64::total_cmp);
        let place = places[usize::try_from(k - self.before[cell]).unwrap_or_default()];
        (cell as f64 + place) * self.cell
    }
}

/// How many of `count` fall into a `share`, where `chance` is even between 0 and 1: the inverse of the distribution.
fn binomial(count: u64, share: f64, chance: f64) -> u64 {
    if share >= 1.0 {
        return count;
    }
    let odds = share / (1.0 - share);
    let mut probability = (count as f64 * (-share).ln_1p()).exp();
    let (mut found, mut left) = (0, chance);
    while left > probability && found < count {
        left -= probability;
        probability *= (count - found) as f64 / (found + 1) as f64 * odds;
        found += 1;
        if probability <= f64::MIN_POSITIVE {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binomial_has_its_mean_and_its_deviation() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<f64> =
            (0..20_000).map(|_| binomial(1000, 0.016, random.random::<f64>()) as f64).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let variance = drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / drawn.len() as f64;
        assert!((mean - 16.0).abs() < 0.15, "{mean}");
        assert!((variance - 15.744).abs() < 0.6, "{variance}");
        assert_eq!((binomial(5, 1.0, 0.3), binomial(0, 0.5, 0.3), binomial(3, 0.5, 1.0)), (5, 0, 3));
    }

    #[test]
    fn seconds_have_as_many_arrivals_as_a_poisson_process_gives_them() {
        // 100/s for 400 s: the counts of single seconds have a variance that is their mean.
        let chance = Chance::new(40_000, 40_000.0, 5);
        let ends: Vec<f64> = (0..=400).map(|second| f64::from(second) * 100.0).collect();
        let places: Vec<f64> = (0..40_000).map(|k| chance.nth(k)).collect();
        let before = |area: &f64| places.partition_point(|place| place < area) as f64;
        let counts = ends.windows(2).map(|ends| before(&ends[1]) - before(&ends[0]));
        let variance = counts.map(|count| (count - 100.0).powi(2)).sum::<f64>() / 400.0;
        assert!((75.0..128.0).contains(&variance), "{variance}");
    }

    #[test]
    fn many_cells_and_none_are_bounded() {
        assert!(Chance::new(1 << 26, 1e8, 1).before.len() as u64 <= CELLS_MAX + 1);
        assert_eq!(Chance::new(0, 0.0, 1).before, [0, 0]);
    }
}
