//! The statistics of a comparison, pure and seeded: what a difference is worth.
//!
//! Answers of neighboring moments resemble each other, so whole blocks of time are drawn again and not single
//! answers. An interval is never narrower than what the runs differ from themselves ([`Estimate::floor`]), and
//! [`judge`] keeps the chance of one wrong word in a whole comparison below [`ALPHA`] (Holm).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The chance of one wrong "slower" or "faster" among all figures of a comparison.
pub const ALPHA: f64 = 0.05;
/// How often blocks are drawn again.
const TIMES: usize = 400;
/// Blocks at most: more say nothing new.
const BLOCKS_MOST: usize = 60;
/// Blocks at least.
pub const BLOCKS_LEAST: usize = 5;
/// Answers beyond a quantile at least.
pub const BEYOND_LEAST: f64 = 10.0;

/// The answers of one profile in blocks of time: each a list of values in rising order with their counts.
#[derive(Clone, Debug, Default)]
pub struct Blocks(Vec<Vec<(f64, u64)>>);

impl Blocks {
    /// Joins seconds into blocks of equal length.
    pub fn of(seconds: &[Vec<(f64, u64)>]) -> Blocks {
        let length = seconds.len().div_ceil(BLOCKS_MOST).max(1);
        Blocks(seconds.chunks(length).map(join).filter(|block| !block.is_empty()).collect())
    }

    /// How many blocks.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Answers in all of them.
    pub fn count(&self) -> u64 {
        self.0.iter().flatten().map(|(_, count)| count).sum()
    }

    /// Whether enough answers lie beyond `quantile`, over enough blocks, to say anything of it.
    pub fn carries(&self, quantile: f64) -> bool {
        self.len() >= BLOCKS_LEAST && self.count() as f64 * (1.0 - quantile) >= BEYOND_LEAST
    }

    /// The value at `quantile` over all blocks.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        quantile_of(&join(&self.0), quantile)
    }

    /// How far one part of a run lies from the other: its first half from its second, or where the load itself
    /// changes, every other block from the rest.
    fn apart(&self, quantile: f64, steady: bool) -> f64 {
        let first = |at: usize| if steady { at < self.len() / 2 } else { at.is_multiple_of(2) };
        let part = |wanted: bool| {
            let blocks = self.0.iter().enumerate().filter(|(at, _)| first(*at) == wanted);
            let blocks: Vec<_> = blocks.map(|(_, block)| block.clone()).collect();
            quantile_of(&join(&blocks), quantile)
        };
        match (part(true), part(false)) {
            (Some(one), Some(other)) => (one - other).abs(),
            _ => 0.0,
        }
    }
}

/// Several lists of values in one.
fn join(lists: &[Vec<(f64, u64)>]) -> Vec<(f64, u64)> {
    let mut all: Vec<(f64, u64)> = lists.iter().flatten().copied().collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.dedup_by(|next, kept| {
        let same = next.0.total_cmp(&kept.0).is_eq();
        if same {
            kept.1 += next.1;
        }
        same
    });
    all
}

/// The value at `quantile`, between neighbors where their buckets are narrow.
fn quantile_of(values: &[(f64, u64)], quantile: f64) -> Option<f64> {
    let total: u64 = values.iter().map(|(_, count)| count).sum();
    let rank = quantile * total as f64;
    let mut before = 0.0;
    for (value, count) in values {
        let count = *count as f64;
        if before + count >= rank && count > 0.0 {
            // Two digits make buckets of up to 1 %: inside, values lie evenly.
            let inside = ((rank - before) / count - 0.5).clamp(-0.5, 0.5);
            return Some(value * (1.0 + inside * 0.006));
        }
        before += count;
    }
    values.last().map(|(value, _)| *value)
}

/// A difference, B minus A, and how it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// B minus A.
    pub difference: f64,
    /// What is known of its error.
    pub error: Spread,
    /// How far a run lies from itself: the interval is never narrower.
    pub floor: f64,
    /// Up to here nobody cares.
    pub matters: f64,
}

/// What is known of the error of a difference.
#[derive(Clone, Debug, PartialEq)]
pub enum Spread {
    /// A standard error with its degrees of freedom.
    Student {
        /// The standard error.
        error: f64,
        /// Degrees of freedom.
        degrees: f64,
    },
    /// Two counts of how many: the interval of Newcombe, from those of Wilson.
    Shares {
        /// Of A: how many, of how many.
        a: (f64, f64),
        /// Of B.
        b: (f64, f64),
    },
}

impl Estimate {
    /// The interval that is wrong with a chance of `alpha`.
    pub fn interval(&self, alpha: f64) -> (f64, f64) {
        let (low, high) = match self.error {
            Spread::Student { error, degrees } => {
                let half = student_quantile(1.0 - alpha / 2.0, degrees) * error;
                (self.difference - half, self.difference + half)
            }
            Spread::Shares { a, b } => newcombe(a, b, student_quantile(1.0 - alpha / 2.0, 1e6)),
        };
        (low.min(self.difference - self.floor), high.max(self.difference + self.floor))
    }

    /// The smallest chance of error at which the interval still lies beyond what matters; 1 if none.
    fn chance(&self) -> f64 {
        let beyond = |alpha: f64| {
            let (low, high) = self.interval(alpha);
            low > self.matters || high < -self.matters
        };
        if !beyond(0.999) {
            return 1.0;
        }
        let (mut clear, mut least) = (0.999_f64, 1e-12_f64);
        if beyond(least) {
            return least;
        }
        for _ in 0..60 {
            let middle = (clear * least).sqrt();
            if beyond(middle) {
                clear = middle;
            } else {
                least = middle;
            }
        }
        clear
    }
}

/// What a difference comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The whole interval lies above what matters.
    More,
    /// The whole interval lies below.
    Less,
    /// The whole interval lies within what does not matter.
    Same,
    /// Anything else.
    Open,
}

/// The interval of a difference and what it comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// What it comes to.
    pub direction: Direction,
}

/// Judges all differences of one comparison together: Holm's steps set the width of each interval, so that
/// all words are right at once with a chance of 1 − [`ALPHA`].
pub fn judge(estimates: &[Estimate]) -> Vec<Judged> {
    let chances: Vec<f64> = estimates.iter().map(Estimate::chance).collect();
    let mut order: Vec<usize> = (0..estimates.len()).collect();
    order.sort_by(|a, b| chances[*a].total_cmp(&chances[*b]));
    let mut alphas = vec![ALPHA; estimates.len()];
    let mut stopped = None;
    for (step, at) in order.iter().enumerate() {
        let alpha = stopped.unwrap_or(ALPHA / (estimates.len() - step) as f64);
        if chances[*at] > alpha {
            stopped = Some(alpha);
        }
        alphas[*at] = alpha;
    }
    estimates.iter().zip(alphas).map(|(estimate, alpha)| judge_one(estimate, alpha)).collect()
}

fn judge_one(estimate: &Estimate, alpha: f64) -> Judged {
    let (low, high) = estimate.interval(alpha);
    let direction = if low > estimate.matters {
        Direction::More
    } else if high < -estimate.matters {
        Direction::Less
    } else if low >= -estimate.matters && high <= estimate.matters {
        Direction::Same
    } else {
        Direction::Open
    };
    Judged { low, high, direction }
}

/// How blocks are drawn again.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// The seed; each stream of it is a sequence of its own.
    pub seed: u64,
    /// Which stream: one for each profile.
    pub stream: u64,
    /// Both runs had the same load at the same second: a block of one is drawn with its block of the other.
    pub paired: bool,
    /// The load asked for does not change over time.
    pub steady: bool,
}

/// The differences at `quantiles`, by drawing blocks again; `matters` says from which difference on anybody
/// cares, given the value of A. A quantile that one of them does not carry has none.
pub fn quantile_differences(
    (a, b): (&Blocks, &Blocks),
    quantiles: &[f64],
    draw: Draw,
    matters: impl Fn(f64) -> f64,
) -> Vec<Option<Estimate>> {
    let mut random = ChaCha8Rng::seed_from_u64(draw.seed);
    random.set_stream(draw.stream);
    let paired = draw.paired && a.len() == b.len();
    let (dense_a, dense_b) = (Dense::of(a), Dense::of(b));
    let mut drawn: Vec<Vec<(f64, f64)>> = vec![Vec::with_capacity(TIMES); quantiles.len()];
    if a.len() >= BLOCKS_LEAST && b.len() >= BLOCKS_LEAST {
        for _ in 0..TIMES {
            let of_a = chosen(&mut random, a.len());
            let of_b = if paired { of_a.clone() } else { chosen(&mut random, b.len()) };
            let (of_a, of_b) = (dense_a.pooled(&of_a), dense_b.pooled(&of_b));
            for (at, quantile) in quantiles.iter().enumerate() {
                drawn[at].extend(quantile_of(&of_a, *quantile).zip(quantile_of(&of_b, *quantile)));
            }
        }
    }
    let estimate = |(quantile, drawn): (&f64, &Vec<(f64, f64)>)| {
        if !a.carries(*quantile) || !b.carries(*quantile) {
            return None;
        }
        let (at_a, at_b) = (a.quantile(*quantile)?, b.quantile(*quantile)?);
        Some(Estimate {
            difference: at_b - at_a,
            error: student(drawn, (a.len(), b.len()), paired),
            floor: a.apart(*quantile, draw.steady).max(b.apart(*quantile, draw.steady)),
            matters: matters(at_a),
        })
    };
    quantiles.iter().zip(&drawn).map(estimate).collect()
}

/// The difference of two means over blocks, such as answers per second.
pub fn mean_difference(a: &[f64], b: &[f64], matters: f64) -> Option<Estimate> {
    if a.len() < BLOCKS_LEAST || b.len() < BLOCKS_LEAST {
        return None;
    }
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (part_a, part_b) = (variance(a) / a.len() as f64, variance(b) / b.len() as f64);
    Some(Estimate {
        difference: mean_b - mean_a,
        error: Spread::Student {
            error: (part_a + part_b).sqrt(),
            degrees: welch((part_a, a.len()), (part_b, b.len())),
        },
        floor: halves(a).max(halves(b)),
        matters,
    })
}

/// How many of how many, and the same for each block of time.
#[derive(Clone, Debug)]
pub struct Counted {
    /// How many.
    pub some: u64,
    /// Of how many.
    pub all: u64,
    /// The same by block.
    pub blocks: Vec<(u64, u64)>,
}

impl Counted {
    /// The share.
    pub fn share(&self) -> f64 {
        if self.all == 0 { 0.0 } else { self.some as f64 / self.all as f64 }
    }

    /// The counts, less by as much as their blocks scatter.
    fn weighed(&self) -> (f64, f64) {
        let bursts = bursts(&self.blocks, self.share());
        (self.some as f64 / bursts, self.all as f64 / bursts)
    }
}

/// The difference of two shares. Errors come in bursts: where they scatter more than chance, they count for less.
pub fn share_difference(a: &Counted, b: &Counted, matters: f64) -> Option<Estimate> {
    (a.all > 0 && b.all > 0).then(|| Estimate {
        difference: b.share() - a.share(),
        error: Spread::Shares { a: a.weighed(), b: b.weighed() },
        floor: 0.0,
        matters,
    })
}

/// How much more than by chance the counts of blocks scatter; at least 1.
fn bursts(blocks: &[(u64, u64)], share: f64) -> f64 {
    let some: u64 = blocks.iter().map(|(some, _)| some).sum();
    if some < 5 || blocks.len() < BLOCKS_LEAST || share >= 1.0 {
        return 1.0;
    }
    let scatter = blocks.iter().filter(|(_, all)| *all > 0).map(|(some, all)| {
        let expected = *all as f64 * share;
        (*some as f64 - expected).powi(2) / (expected * (1.0 - share))
    });
    (scatter.sum::<f64>() / (blocks.len() - 1) as f64).max(1.0)
}

/// Blocks over the values that occur in them: adding them up is adding numbers.
struct Dense {
    values: Vec<f64>,
    blocks: Vec<Vec<(usize, u64)>>,
}

impl Dense {
    fn of(blocks: &Blocks) -> Dense {
        let values: Vec<f64> = join(&blocks.0).into_iter().map(|(value, _)| value).collect();
        let place = |value: f64| values.binary_search_by(|other| other.total_cmp(&value)).unwrap_or(0);
        let dense =
            |block: &Vec<(f64, u64)>| block.iter().map(|(value, count)| (place(*value), *count)).collect();
        let blocks = blocks.0.iter().map(dense).collect();
        Dense { values, blocks }
    }

    fn pooled(&self, chosen: &[usize]) -> Vec<(f64, u64)> {
        let mut pooled: Vec<(f64, u64)> = self.values.iter().map(|value| (*value, 0)).collect();
        for (place, count) in chosen.iter().flat_map(|block| &self.blocks[*block]) {
            pooled[*place].1 += count;
        }
        pooled
    }
}

fn chosen(random: &mut ChaCha8Rng, blocks: usize) -> Vec<usize> {
    (0..blocks).map(|_| random.random_range(0..blocks)).collect()
}

/// The error of a difference from its drawn values.
fn student(drawn: &[(f64, f64)], (blocks_a, blocks_b): (usize, usize), paired: bool) -> Spread {
    if paired {
        let differences: Vec<f64> = drawn.iter().map(|(a, b)| b - a).collect();
        return Spread::Student { error: variance(&differences).sqrt(), degrees: (blocks_a - 1) as f64 };
    }
    let part = |pick: fn(&(f64, f64)) -> f64| variance(&drawn.iter().map(pick).collect::<Vec<_>>());
    let (part_a, part_b) = (part(|pair| pair.0), part(|pair| pair.1));
    Spread::Student {
        error: (part_a + part_b).sqrt(),
        degrees: welch((part_a, blocks_a), (part_b, blocks_b)),
    }
}

/// Degrees of freedom of a sum of two variances of means (Welch and Satterthwaite).
fn welch((part_a, blocks_a): (f64, usize), (part_b, blocks_b): (f64, usize)) -> f64 {
    let below = part_a.powi(2) / (blocks_a - 1) as f64 + part_b.powi(2) / (blocks_b - 1) as f64;
    if below > 0.0 { (part_a + part_b).powi(2) / below } else { (blocks_a.min(blocks_b) - 1) as f64 }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
        / values.len().saturating_sub(1).max(1) as f64
}

fn halves(values: &[f64]) -> f64 {
    let (first, second) = values.split_at(values.len() / 2);
    (mean(first) - mean(second)).abs()
}

/// Newcombe's interval for the difference of two shares, B minus A, `z` standard errors wide.
fn newcombe(a: (f64, f64), b: (f64, f64), z: f64) -> (f64, f64) {
    let (share_a, share_b) = (a.0 / a.1, b.0 / b.1);
    let ((low_a, high_a), (low_b, high_b)) = (wilson(a, z), wilson(b, z));
    let difference = share_b - share_a;
    let below = ((share_b - low_b).powi(2) + (high_a - share_a).powi(2)).sqrt();
    let above = ((high_b - share_b).powi(2) + (share_a - low_a).powi(2)).sqrt();
    (difference - below, difference + above)
}

/// Wilson's interval for a share.
fn wilson((some, all): (f64, f64), z: f64) -> (f64, f64) {
    let share = some / all;
    let center = share + z * z / (2.0 * all);
    let half = z * (share * (1.0 - share) / all + z * z / (4.0 * all * all)).sqrt();
    let below = 1.0 + z * z / all;
    (((center - half) / below).max(0.0), ((center + half) / below).min(1.0))
}

/// The quantile of Student's distribution, above its middle.
fn student_quantile(chance: f64, degrees: f64) -> f64 {
    // Beyond this it is the normal distribution, and the fraction below would take long.
    let degrees = degrees.clamp(1.0, 2000.0);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..70 {
        let middle = f64::midpoint(low, high);
        if 0.5 * incomplete_beta(degrees / 2.0, 0.5, middle) < 1.0 - chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    (degrees * (1.0 - high) / high).sqrt()
}

/// The regularized incomplete beta function, by its continued fraction (Lentz).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln();
    if x < (a + 1.0) / (a + b + 2.0) {
        front.exp() * beta_fraction(a, b, x) / a
    } else {
        1.0 - front.exp() * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let safe = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut below = 1.0 / safe(1.0 - (a + b) * x / (a + 1.0));
    let (mut above, mut result) = (1.0, below);
    for step in 1..500 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        below = 1.0 / safe(1.0 + even * below);
        above = safe(1.0 + even / above);
        result *= below * above;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        below = 1.0 / safe(1.0 + odd * below);
        above = safe(1.0 + odd / above);
        result *= below * above;
        if (below * above - 1.0).abs() < 1e-14 {
            break;
        }
    }
    result
}

/// The logarithm of the gamma function (Lanczos).
fn ln_gamma(x: f64) -> f64 {
    const PARTS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.001_208_650_973_866_179,
        -0.000_005_395_239_384_953,
    ];
    let height = x + 5.5 - (x + 0.5) * (x + 5.5).ln();
    let mut at = x;
    let sum = PARTS.iter().fold(1.000_000_000_190_015, |sum, part| {
        at += 1.0;
        sum + part / at
    });
    (2.506_628_274_631_000_5 * sum / x).ln() - height
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds of answers: log-normal around `median` ms, a share of them `slow` times slower.
    fn seconds(
        seed: u64,
        seconds: usize,
        a_second: usize,
        shape: impl Fn(f64, f64) -> f64,
    ) -> Vec<Vec<(f64, u64)>> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = || (0..12).map(|_| random.random_range(0.0..1.0_f64)).sum::<f64>() - 6.0;
        (0..seconds)
            .map(|_| {
                let mut values: Vec<(f64, u64)> = (0..a_second)
                    .map(|_| {
                        let (value, rank) = (20_000.0 * (0.4 * normal()).exp(), normal());
                        // Buckets as a compact histogram has them.
                        let bucket = (shape(value, rank).ln() / 0.006).round();
                        ((bucket * 0.006).exp(), 1)
                    })
                    .collect();
                values.sort_by(|a, b| a.0.total_cmp(&b.0));
                join(&[values])
            })
            .collect()
    }

    const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

    fn compared(a: &[Vec<(f64, u64)>], b: &[Vec<(f64, u64)>], seed: u64, share: f64) -> Vec<Direction> {
        let draw = Draw { seed, stream: 0, paired: false, steady: true };
        let estimates =
            quantile_differences((&Blocks::of(a), &Blocks::of(b)), &QUANTILES, draw, |at| at * share);
        let estimates: Vec<Estimate> = estimates.into_iter().flatten().collect();
        judge(&estimates).into_iter().map(|judged| judged.direction).collect()
    }

    #[test]
    fn one_distribution_two_hundred_times_is_slower_no_oftener_than_stated() {
        let wrong = (0..200)
            .filter(|seed| {
                let (a, b) = (seconds(2 * seed, 20, 60, |v, _| v), seconds(2 * seed + 1, 20, 60, |v, _| v));
                // No tolerance at all: every difference that is called one is a mistake.
                compared(&a, &b, *seed, 0.0)
                    .iter()
                    .any(|word| matches!(word, Direction::More | Direction::Less))
            })
            .count();
        assert!(wrong <= 10, "{wrong} of 200 comparisons of the same saw a difference; 5 % are stated");
    }

    #[test]
    fn five_percent_at_the_median_are_named() {
        for seed in 0..5 {
            let a = seconds(100 + seed, 40, 500, |v, _| v);
            let b = seconds(200 + seed, 40, 500, |v, _| v * 1.05);
            assert_eq!(compared(&a, &b, seed, 0.02)[0], Direction::More, "seed {seed}");
            assert_eq!(compared(&b, &a, seed, 0.02)[0], Direction::Less, "seed {seed}");
        }
    }

    #[test]
    fn a_doubled_p99_is_named_and_the_median_is_not() {
        for seed in 0..5 {
            let a = seconds(300 + seed, 40, 500, |v, _| v);
            let b = seconds(400 + seed, 40, 500, |v, rank| if rank > 2.05 { v * 3.5 } else { v });
            let words = compared(&a, &b, seed, 0.05);
            assert_eq!((words[0], words[2]), (Direction::Same, Direction::More), "seed {seed}");
        }
    }

    fn counted(blocks: Vec<(u64, u64)>) -> Counted {
        let (some, all) = blocks.iter().fold((0, 0), |sum, block| (sum.0 + block.0, sum.1 + block.1));
        Counted { some, all, blocks }
    }

    #[test]
    fn half_a_percent_more_errors_are_named() {
        let named = |a: u64, b: u64| {
            let estimate =
                share_difference(&counted(vec![(a, 500); 40]), &counted(vec![(b, 500); 40]), 0.001);
            let estimate = estimate.unwrap();
            judge(&[estimate])[0].direction
        };
        assert_eq!(named(1, 4), Direction::More);
        assert_eq!(named(4, 1), Direction::Less);
        assert_eq!(named(0, 0), Direction::Same);
    }

    #[test]
    fn errors_in_bursts_count_for_less() {
        let even = vec![(4, 500); 40];
        let mut burst = vec![(0, 500); 40];
        burst[7] = (160, 500);
        let word = |blocks| {
            let clean = counted(vec![(0, 500); 40]);
            judge(&[share_difference(&clean, &counted(blocks), 0.003).unwrap()])[0].direction
        };
        assert_eq!(word(even), Direction::More);
        assert_eq!(word(burst), Direction::Open);
    }

    #[test]
    fn too_few_answers_or_blocks_say_nothing() {
        let few = Blocks::of(&seconds(1, 4, 100, |v, _| v));
        assert!(!few.carries(0.5));
        let thin = Blocks::of(&seconds(1, 20, 10, |v, _| v));
        assert!(thin.carries(0.5) && !thin.carries(0.99));
        assert_eq!(mean_difference(&[1.0; 3], &[2.0; 9], 0.0), None);
        assert_eq!(share_difference(&counted(Vec::new()), &counted(vec![(1, 2)]), 0.0), None);
    }

    #[test]
    fn a_run_that_drifts_is_not_called_slower() {
        let rise = |from: f64| -> Vec<Vec<(f64, u64)>> {
            (0..40).map(|at| vec![(from * (1.0 + f64::from(at) / 40.0), 500)]).collect()
        };
        let draw = Draw { seed: 1, stream: 0, paired: true, steady: true };
        let pair = (&Blocks::of(&rise(20_000.0)), &Blocks::of(&rise(21_000.0)));
        let estimate = quantile_differences(pair, &[0.5], draw, |_| 0.0).remove(0).unwrap();
        assert!(estimate.floor > 8_000.0, "{estimate:?}");
        assert_eq!(judge(&[estimate])[0].direction, Direction::Open);
        let ramp = Draw { steady: false, ..draw };
        let estimate = quantile_differences(pair, &[0.5], ramp, |_| 0.0).remove(0).unwrap();
        assert_eq!(judge(&[estimate])[0].direction, Direction::More);
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let (a, b) = (Blocks::of(&seconds(1, 20, 60, |v, _| v)), Blocks::of(&seconds(2, 20, 60, |v, _| v)));
        let draw = Draw { seed: 7, stream: 3, paired: false, steady: true };
        let estimate = |draw| quantile_differences((&a, &b), &QUANTILES, draw, |_| 0.0);
        assert_eq!(estimate(draw), estimate(draw));
        assert_ne!(estimate(draw), estimate(Draw { seed: 8, ..draw }));
    }

    #[test]
    fn quantiles_of_student_are_those_of_the_tables() {
        for (chance, degrees, expected) in
            [(0.975, 1.0, 12.706), (0.975, 9.0, 2.262), (0.995, 30.0, 2.750), (0.975, 1e6, 1.961)]
        {
            let found = student_quantile(chance, degrees);
            assert!((found - expected).abs() < 0.002, "{chance} {degrees}: {found}");
        }
    }

    #[test]
    fn holm_is_stricter_the_more_is_asked() {
        let estimate = |difference: f64| Estimate {
            difference,
            error: Spread::Student { error: 1.0, degrees: 50.0 },
            floor: 0.0,
            matters: 0.0,
        };
        assert_eq!(judge(&[estimate(2.3)])[0].direction, Direction::More);
        let many: Vec<Estimate> = [2.3].into_iter().chain([0.0; 19]).map(estimate).collect();
        assert_eq!(judge(&many)[0].direction, Direction::Open);
        let mut strong: Vec<Estimate> = [9.0; 19].into_iter().chain([2.3]).map(estimate).collect();
        assert_eq!(judge(&strong)[19].direction, Direction::More);
        strong.truncate(0);
        assert_eq!(judge(&strong), []);
    }
}
