//! The search for the highest rate that an endpoint keeps up with: which rate comes next. Pure data, no clock.
//!
//! The rate doubles until one is not kept, then the gap between the highest kept and the lowest lost is halved. One
//! bad moment of the machine must not decide: a rate is lost only when it was lost twice and oftener than kept. When
//! the gap is narrow both of its ends are held again until there is no doubt about either; an end that turns out to
//! be on the other side moves the gap. What is stated at the end is the gap, not a point.

use crate::results::Knee;

/// What was tried so far.
#[derive(Clone, Debug)]
pub struct Hunt {
    from: f64,
    to: f64,
    tried: Vec<Tried>,
    holds: u32,
}

/// One rate, and how it did.
#[derive(Clone, Copy, Debug)]
struct Tried {
    rate: f64,
    kept: f64,
    lost: f64,
}

/// No more rates than this are held.
pub const HOLDS_MAX: u32 = 32;
/// A rate is lost when it was lost so often.
const LOST: f64 = 2.0;
/// What a loss counts that the generator may have caused.
const DOUBTED: f64 = 0.5;
/// A gap of less than this share of the lower rate is not halved again.
const CLOSE: f64 = 0.04;
/// The lower end is sure when it was kept so much oftener than lost.
const SURE_KEPT: f64 = 2.0;
/// The upper end is sure when it was lost so much oftener than kept.
const SURE_LOST: f64 = 3.0;

/// How a rate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Kept,
    Lost,
    Open,
}

impl Tried {
    fn stands(self) -> Stands {
        if self.lost >= LOST && self.lost > self.kept {
            Stands::Lost
        } else if self.kept >= 1.0 && self.kept >= self.lost {
            Stands::Kept
        } else {
            Stands::Open
        }
    }

    fn is_sure(self) -> bool {
        self.kept - self.lost >= SURE_KEPT || self.lost - self.kept >= SURE_LOST
    }
}

impl Hunt {
    /// Looks from `from` up to `to`.
    pub fn new(from: f64, to: f64) -> Hunt {
        Hunt { from, to, tried: Vec::new(), holds: 0 }
    }

    /// Notes whether a rate was kept. Where the generator was short of time, a loss needs to be seen oftener.
    pub fn note(&mut self, rate: f64, kept: bool, trusted: bool) {
        self.holds += 1;
        let known = self.tried.iter().position(|tried| same(tried.rate, rate));
        let at = known.unwrap_or_else(|| {
            self.tried.push(Tried { rate, kept: 0.0, lost: 0.0 });
            self.tried.len() - 1
        });
        let tried = &mut self.tried[at];
        match (kept, trusted) {
            (true, _) => tried.kept += 1.0,
            (false, true) => tried.lost += 1.0,
            (false, false) => tried.lost += DOUBTED,
        }
    }

    /// The rate to hold next; `None` where enough is known.
    pub fn next(&self) -> Option<f64> {
        if self.holds >= HOLDS_MAX {
            return None;
        }
        if let Some(open) = self.tried.iter().find(|tried| tried.stands() == Stands::Open) {
            return Some(open.rate);
        }
        match (self.low(), self.high()) {
            (None, None) => Some(self.from),
            // Not even the first rate was kept.
            (None, Some(_)) => None,
            (Some(low), None) if low.rate >= self.to => (!low.is_sure()).then_some(low.rate),
            (Some(low), None) => Some((low.rate * 2.0).min(self.to)),
            (Some(low), Some(high)) if high.rate - low.rate > low.rate * CLOSE => {
                Some((low.rate * high.rate).sqrt())
            }
            (Some(low), Some(high)) => [low, high].into_iter().find(|end| !end.is_sure()).map(|end| end.rate),
        }
    }

    /// What is known by now.
    pub fn knee(&self) -> Knee {
        let (low, high) = (self.low(), self.high());
        let sure = [low, high].into_iter().flatten().all(Tried::is_sure);
        Knee {
            kept: low.map(|low| low.rate),
            lost: high.map(|high| high.rate),
            sure: sure && (low.is_some() || high.is_some()),
            holds: self.holds,
        }
    }

    /// The highest rate that was kept.
    fn low(&self) -> Option<Tried> {
        let kept = self.tried.iter().filter(|tried| tried.stands() == Stands::Kept).copied();
        kept.max_by(|a, b| a.rate.total_cmp(&b.rate))
    }

    /// The lowest rate above it that was lost.
    fn high(&self) -> Option<Tried> {
        let above = |tried: &Tried| self.low().is_none_or(|low| tried.rate > low.rate);
        let lost = self.tried.iter().filter(|tried| tried.stands() == Stands::Lost).copied();
        lost.filter(above).min_by(|a, b| a.rate.total_cmp(&b.rate))
    }
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= f64::EPSILON * a.abs() * 4.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    /// What an endpoint that keeps up with `limit` is asked, and what is found.
    fn hunt(from: f64, to: f64, limit: f64) -> (Vec<f64>, Knee) {
        let mut hunt = Hunt::new(from, to);
        let mut asked = Vec::new();
        while let Some(rate) = hunt.next() {
            asked.push(rate.round());
            hunt.note(rate, rate <= limit, true);
        }
        (asked, hunt.knee())
    }

    #[test]
    fn it_doubles_then_halves_the_gap_and_holds_both_ends_again() {
        let (asked, knee) = hunt(50.0, 1000.0, 330.0);
        let ends = [50.0, 100.0, 200.0, 400.0, 400.0, 283.0, 336.0, 336.0, 308.0, 322.0, 329.0];
        assert_eq!(asked[..8], ends[..8], "{asked:?}");
        assert!(knee.sure, "{knee:?}");
        let (kept, lost) = (knee.kept.unwrap(), knee.lost.unwrap());
        assert!(kept <= 330.0 && lost > 330.0 && lost <= kept * 1.04, "{knee:?}");
    }

    #[test]
    fn the_upper_end_is_tried_twice_and_never_passed() {
        let (asked, knee) = hunt(50.0, 120.0, 1e9);
        assert_eq!(asked, [50.0, 100.0, 120.0, 120.0]);
        assert_eq!((knee.kept, knee.lost, knee.sure), (Some(120.0), None, true));
    }

    #[test]
    fn an_endpoint_that_loses_the_first_rate_twice_has_none() {
        let (asked, knee) = hunt(50.0, 1000.0, 10.0);
        assert_eq!((asked, knee.kept), (vec![50.0, 50.0], None));
    }

    #[test]
    fn one_bad_moment_does_not_decide() {
        let mut hunt = Hunt::new(50.0, 100.0);
        hunt.note(50.0, false, true);
        assert_eq!(hunt.next(), Some(50.0));
        hunt.note(50.0, true, true);
        assert_eq!(hunt.next(), Some(100.0));
    }

    #[test]
    fn what_the_generator_may_have_lost_is_tried_oftener() {
        let mut hunt = Hunt::new(50.0, 100.0);
        for _ in 0..3 {
            hunt.note(50.0, false, false);
            assert_eq!(hunt.next(), Some(50.0));
        }
        hunt.note(50.0, false, false);
        assert_eq!(hunt.next(), None);
    }

    /// An endpoint of a known capacity on a machine that has its moments: near the capacity chance decides, and one
    /// hold in twenty is spoilt by something else.
    fn noisy(capacity: f64, seed: u64) -> Knee {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut hunt = Hunt::new(50.0, 20_000.0);
        while let Some(rate) = hunt.next() {
            let overload = 1.0 / (1.0 + (-(rate / capacity - 1.0) / 0.01).exp());
            let lost = random.random::<f64>() < overload || random.random::<f64>() < 0.05;
            hunt.note(rate, !lost, true);
        }
        hunt.knee()
    }

    #[test]
    fn in_nine_of_ten_noisy_searches_the_knee_is_within_five_percent() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let capacities = (0..400).map(|_| 80.0 * 200.0_f64.powf(random.random::<f64>()));
        let off: Vec<(f64, Knee)> = capacities
            .enumerate()
            .map(|(seed, capacity)| (capacity, noisy(capacity, seed as u64)))
            .filter(|(capacity, knee)| knee.kept.is_none_or(|kept| (kept / capacity - 1.0).abs() > 0.05))
            .collect();
        assert!(off.len() <= 40, "{} of 400: {:?}", off.len(), &off[..3]);
    }

    proptest! {
        #[test]
        fn what_is_found_is_right_and_close(
            from in 1.0..100.0_f64, span in 1.0..200.0_f64, limit in 0.5..30_000.0_f64
        ) {
            let to = from * span;
            let (held, knee) = hunt(from, to, limit);
            prop_assert!(held.len() <= HOLDS_MAX as usize);
            match knee.kept {
                None => prop_assert!(limit < from),
                Some(found) => {
                    prop_assert!(found <= limit && found <= to);
                    prop_assert!(
                        found * 1.05 >= limit.min(to) || held.len() == HOLDS_MAX as usize,
                        "{} of {}", found, limit
                    );
                }
            }
        }
    }
}
