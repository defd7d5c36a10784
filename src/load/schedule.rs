//! When each request of an open profile should leave: pure data, no clock.
//!
//! The rate goes in a straight line within a stage, so the number of arrivals due by a moment is the area
//! under the rate. Arrival `k` (from 0) is due at the last moment at which the area is still `k`: at the start
//! for the first, and after a silent stage rather than before it. Moments are computed from the start, never
//! by adding up pauses, so no error accumulates.

use std::time::Duration;

use crate::suite::profile::Stage;

use super::chance::Chance;

/// The intended moments of an open profile.
#[derive(Clone, Debug)]
pub struct Schedule {
    pieces: Vec<Piece>,
    total: u64,
    lasting: Duration,
    /// Where arrivals are not evenly spaced.
    chance: Option<Chance>,
}

/// One stage and what came before it.
#[derive(Clone, Copy, Debug)]
struct Piece {
    stage: Stage,
    starts_s: f64,
    before: f64,
}

/// A share of an arrival that rounding may eat: 0.1/s for 10 s is one arrival, not 0.999….
const ROUNDING: f64 = 1e-9;

impl Schedule {
    /// The schedule of `stages` in order, of at most `limit` arrivals.
    pub fn new(stages: &[Stage], limit: Option<u64>) -> Schedule {
        let mut pieces = Vec::with_capacity(stages.len());
        let (mut starts, mut before) = (Duration::ZERO, 0.0);
        for stage in stages {
            pieces.push(Piece { stage: *stage, starts_s: starts.as_secs_f64(), before });
            before += area(stage);
            starts += stage.lasting;
        }
        let total = whole(before).min(limit.unwrap_or(u64::MAX));
        Schedule { pieces, total, lasting: starts, chance: None }
    }

    /// As many arrivals over the same rates, as a Poisson process has them.
    pub fn poisson(stages: &[Stage], limit: Option<u64>, seed: u64) -> Schedule {
        let all = Schedule::new(stages, None);
        let chance = Chance::new(all.total, stages.iter().map(area).sum(), seed);
        Schedule { total: all.total.min(limit.unwrap_or(u64::MAX)), chance: Some(chance), ..all }
    }

    /// Arrivals in all: the floor of the area.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How long all stages take.
    pub fn lasting(&self) -> Duration {
        self.lasting
    }

    /// The intended moment of arrival `k`, from the start; `None` past the last.
    pub fn nth(&self, k: u64) -> Option<Duration> {
        if k >= self.total {
            return None;
        }
        let due = self.chance.as_ref().map_or(k as f64, |chance| chance.nth(k));
        let after = self.pieces.partition_point(|piece| piece.before <= due);
        let piece = &self.pieces[after.checked_sub(1)?];
        let within = root(&piece.stage, due - piece.before);
        Some(Duration::from_secs_f64(piece.starts_s + within).min(self.lasting))
    }

    /// How many arrivals are due before `moment`.
    pub fn count_before(&self, moment: Duration) -> u64 {
        let (mut low, mut high) = (0, self.total);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.nth(middle).is_some_and(|at| at < moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The stage at `moment`, by index; the last one after the end.
    pub fn stage_at(&self, moment: Duration) -> usize {
        let moment = moment.as_secs_f64();
        self.pieces.partition_point(|piece| piece.starts_s <= moment).saturating_sub(1)
    }

    /// The rate at `moment`, per second; zero after the end.
    pub fn rate_at(&self, moment: Duration) -> f64 {
        if moment >= self.lasting {
            return 0.0;
        }
        self.pieces.get(self.stage_at(moment)).map_or(0.0, |piece| {
            let stage = &piece.stage;
            let gone = (moment.as_secs_f64() - piece.starts_s) / stage.lasting.as_secs_f64();
            stage.from + (stage.to - stage.from) * gone.clamp(0.0, 1.0)
        })
    }

    /// The highest rate of all stages.
    pub fn peak(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.stage.from.max(piece.stage.to)).fold(0.0, f64::max)
    }
}

/// Arrivals of one stage: the area under its rate.
fn area(stage: &Stage) -> f64 {
    f64::midpoint(stage.from.max(0.0), stage.to.max(0.0)) * stage.lasting.as_secs_f64()
}

/// The whole arrivals in an area.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the area is not negative")]
fn whole(area: f64) -> u64 {
    (area + ROUNDING + area * 1e-12).floor() as u64
}

/// When, in seconds from the start of `stage`, `due` arrivals have been due. The quadratic is solved in the
/// form that does not subtract nearly equal numbers.
fn root(stage: &Stage, due: f64) -> f64 {
    let lasting = stage.lasting.as_secs_f64();
    if due <= 0.0 || lasting <= 0.0 {
        return 0.0;
    }
    let slope = (stage.to - stage.from) / lasting;
    let speed = (stage.from * stage.from + 2.0 * slope * due).max(0.0).sqrt();
    let divisor = stage.from + speed;
    if divisor <= 0.0 { lasting } else { (2.0 * due / divisor).min(lasting) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stage(from: f64, to: f64, seconds: f64) -> Stage {
        Stage { from, to, lasting: Duration::from_secs_f64(seconds) }
    }

    fn all(schedule: &Schedule) -> Vec<Duration> {
        (0..schedule.total()).map(|k| schedule.nth(k).unwrap()).collect()
    }

    #[track_caller]
    fn check(stages: &[Stage], expected_ms: &[u64]) {
        let found: Vec<Duration> = all(&Schedule::new(stages, None));
        let found: Vec<u64> =
            found.iter().map(|at| super::super::order::micros(*at).div_ceil(1000)).collect();
        assert_eq!(found, expected_ms);
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        check(&[stage(4.0, 4.0, 1.0)], &[0, 250, 500, 750]);
    }

    #[test]
    fn a_ramp_from_zero_is_due_at_the_roots_of_its_area() {
        // The area is t², so arrival k is due at √k.
        check(&[stage(0.0, 6.0, 3.0)], &[0, 1000, 1415, 1733, 2000, 2237, 2450, 2646, 2829]);
    }

    #[test]
    fn a_ramp_to_zero_is_the_ramp_from_zero_backwards() {
        // The area is 6t − t², so arrival k is due at 3 − √(9 − k).
        check(&[stage(6.0, 0.0, 3.0)], &[0, 172, 355, 551, 764, 1000, 1268, 1586, 2000]);
    }

    #[test]
    fn stages_join_without_a_gap() {
        check(&[stage(2.0, 2.0, 1.0), stage(4.0, 4.0, 1.0)], &[0, 500, 1000, 1250, 1500, 1750]);
    }

    #[test]
    fn a_silent_stage_is_silent() {
        let quiet = [stage(0.0, 0.0, 2.0), stage(2.0, 2.0, 1.0), stage(0.0, 0.0, 1.0), stage(2.0, 2.0, 1.0)];
        check(&quiet, &[2000, 2500, 4000, 4500]);
        check(&[stage(0.0, 0.0, 5.0)], &[]);
        assert_eq!(Schedule::new(&quiet, None).lasting(), Duration::from_secs(5));
    }

    #[test]
    fn an_arrival_may_fall_between_two_stages() {
        // Half an arrival is left over from the first stage; the other half comes from the second.
        check(&[stage(1.0, 1.0, 1.5), stage(2.0, 2.0, 1.25)], &[0, 1000, 1750, 2250]);
    }

    #[test]
    fn a_limit_ends_it_early_and_nothing_at_all_is_nothing() {
        let limited = Schedule::new(&[stage(100.0, 100.0, 1.0)], Some(7));
        assert_eq!((limited.total(), limited.nth(7)), (7, None));
        assert_eq!(Schedule::new(&[], None).total(), 0);
        assert_eq!(Schedule::new(&[stage(5.0, 5.0, 0.0)], None).total(), 0);
    }

    #[test]
    fn the_millionth_arrival_has_no_accumulated_error() {
        let schedule = Schedule::new(&[stage(3.0, 3.0, 1e6)], None);
        assert_eq!(schedule.total(), 3_000_000);
        let late = schedule.nth(2_999_999).unwrap().as_secs_f64();
        assert!((late - 2_999_999.0 / 3.0).abs() < 1e-8, "{late}");
    }

    #[test]
    fn rates_and_stages_are_known_at_every_moment() {
        let schedule = Schedule::new(&[stage(0.0, 100.0, 10.0), stage(50.0, 50.0, 10.0)], None);
        let at = |seconds| Duration::from_secs(seconds);
        assert!((schedule.rate_at(at(5)) - 50.0).abs() < 1e-9);
        assert!((schedule.rate_at(at(15)) - 50.0).abs() < 1e-9);
        assert!(schedule.rate_at(at(20)).abs() < 1e-9);
        assert_eq!([0, 9, 10, 25].map(|s| schedule.stage_at(at(s))), [0, 0, 1, 1]);
        assert!((schedule.peak() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_poisson_process_has_its_arrivals_where_the_rate_is_and_gaps_of_all_lengths() {
        let stages = [stage(100.0, 100.0, 50.0), stage(300.0, 300.0, 50.0)];
        let schedule = Schedule::poisson(&stages, None, 7);
        let moments = all(&schedule);
        assert_eq!(moments.len(), 20_000);
        assert!(moments.is_sorted());
        let early = schedule.count_before(Duration::from_secs(50));
        // 5,000 expected; four standard deviations of a binomial are 245.
        assert!(early.abs_diff(5_000) < 245, "{early}");
        // Gaps are exponential: their deviation is their mean, and one in e is longer than the mean.
        let gaps: Vec<f64> =
            moments[10_000..].windows(2).map(|pair| pair[1].as_secs_f64() - pair[0].as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.05, "{}", variance.sqrt() / mean);
        let long = gaps.iter().filter(|gap| **gap > mean).count() as f64 / gaps.len() as f64;
        assert!((long - (-1.0_f64).exp()).abs() < 0.02, "{long}");
    }

    #[test]
    fn a_poisson_process_is_the_same_for_the_same_seed_alone() {
        let stages = [stage(10.0, 50.0, 20.0)];
        let moments = |seed| all(&Schedule::poisson(&stages, None, seed));
        assert_eq!(moments(1), moments(1));
        assert_ne!(moments(1), moments(2));
        let limited = Schedule::poisson(&stages, Some(5), 1);
        assert_eq!(all(&limited), moments(1)[..5]);
    }

    fn stages() -> impl Strategy<Value = Vec<Stage>> {
        let rate = prop_oneof![Just(0.0), 0.0..500.0_f64, 1.0..5.0_f64];
        let one = (rate.clone(), rate, 0.0..3.0_f64).prop_map(|(from, to, lasting)| stage(from, to, lasting));
        proptest::collection::vec(one, 0..5)
    }

    proptest! {
        #[test]
        fn moments_are_sorted_and_none_is_after_the_end(stages in stages()) {
            let schedule = Schedule::new(&stages, None);
            let moments = all(&schedule);
            prop_assert!(moments.is_sorted());
            prop_assert!(moments.iter().all(|at| *at <= schedule.lasting()));
        }

        #[test]
        fn the_count_is_the_area(stages in stages()) {
            let area: f64 = stages.iter().map(area).sum();
            let total = Schedule::new(&stages, None).total() as f64;
            prop_assert!(total <= area + 1e-6 && total > area - 1.0 - 1e-6, "{} of {}", total, area);
        }

        #[test]
        fn the_area_up_to_an_arrival_is_its_number(stages in stages(), pick in 0..=1000_u64) {
            let schedule = Schedule::new(&stages, None);
            prop_assume!(schedule.total() > 0);
            let k = (schedule.total() - 1) * pick / 1000;
            let mut left = schedule.nth(k).unwrap().as_secs_f64();
            let mut sum = 0.0;
            for stage in &stages {
                let lasting = stage.lasting.as_secs_f64();
                let part = left.min(lasting);
                if lasting > 0.0 {
                    sum += stage.from * part + (stage.to - stage.from) / lasting * part * part / 2.0;
                }
                left -= part;
            }
            prop_assert!((sum - k as f64).abs() < 1e-4, "{} arrivals due at number {}", sum, k);
        }

        #[test]
        fn chance_keeps_the_number_and_the_silence(stages in stages(), seed in 0..50_u64) {
            let (even, random) = (Schedule::new(&stages, None), Schedule::poisson(&stages, None, seed));
            prop_assert_eq!(even.total(), random.total());
            let moments = all(&random);
            prop_assert!(moments.is_sorted());
            for at in moments {
                prop_assert!(at <= random.lasting());
                let near = Duration::from_micros(2);
                let rates = [at.saturating_sub(near), at, at + near].map(|moment| random.rate_at(moment));
                prop_assert!(rates.iter().any(|rate| *rate > 0.0), "{:?}: {:?}", at, rates);
            }
        }

        #[test]
        fn counting_and_numbering_agree(stages in stages(), moment in 0.0..12.0_f64, random in proptest::bool::ANY) {
            let schedule =
                if random { Schedule::poisson(&stages, None, 3) } else { Schedule::new(&stages, None) };
            let moment = Duration::from_secs_f64(moment);
            let slow = all(&schedule).iter().filter(|at| **at < moment).count() as u64;
            prop_assert_eq!(schedule.count_before(moment), slow);
        }
    }
}
