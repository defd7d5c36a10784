//! The search for the highest rate that an endpoint keeps up with: which rate comes next. Pure data, no clock.
//!
//! The rate doubles until one is not kept, then the gap between the highest kept and the lowest lost is halved. A
//! rate is lost only when it was lost twice: one bad moment of the machine must not decide.

/// What was tried so far.
#[derive(Clone, Debug)]
pub struct Hunt {
    from: f64,
    to: f64,
    held: Vec<(f64, bool)>,
    /// So often the rate at hand has to be lost.
    patience: usize,
}

/// No more rates than this are held.
pub const HOLDS_MAX: u32 = 16;
/// A rate is lost when it was lost so often.
const LOST: usize = 2;
/// The same where the generator may have lost it.
const DOUBTED: usize = 4;
/// A gap of less than this share of the lower rate is not worth another try.
const CLOSE: f64 = 0.1;

impl Hunt {
    /// Looks from `from` up to `to`.
    pub fn new(from: f64, to: f64) -> Hunt {
        Hunt { from, to, held: Vec::new(), patience: LOST }
    }

    /// Notes whether a rate was kept. Where the generator was short of time, a loss needs to be seen oftener.
    pub fn note(&mut self, rate: f64, kept: bool, trusted: bool) {
        self.patience = if trusted || kept { self.patience } else { DOUBTED };
        if kept {
            self.patience = LOST;
        }
        self.held.push((rate, kept));
    }

    /// The rate to hold next; `None` where enough is known.
    pub fn next(&self) -> Option<f64> {
        if self.held.len() >= HOLDS_MAX as usize {
            return None;
        }
        let Some((last, kept)) = self.held.last().copied() else { return Some(self.from) };
        if !kept && self.lost(last) < self.patience {
            return Some(last);
        }
        let best = self.highest();
        match (best, self.lowest_lost()) {
            (None, _) => None,
            (Some(best), None) if best >= self.to => None,
            (Some(best), None) => Some((best * 2.0).min(self.to)),
            (Some(best), Some(lost)) if lost - best <= best * CLOSE => None,
            (Some(best), Some(lost)) => Some(f64::midpoint(best, lost)),
        }
    }

    /// The highest rate that was kept.
    pub fn highest(&self) -> Option<f64> {
        self.held.iter().filter(|(_, kept)| *kept).map(|(rate, _)| *rate).max_by(f64::total_cmp)
    }

    /// The lowest rate above it that was lost twice.
    fn lowest_lost(&self) -> Option<f64> {
        let above = |rate: &f64| self.highest().is_none_or(|best| *rate > best);
        let lost = self.held.iter().filter(|(_, kept)| !kept).map(|(rate, _)| *rate);
        lost.filter(above).filter(|rate| self.lost(*rate) >= LOST).min_by(f64::total_cmp)
    }

    /// How often this rate was lost.
    fn lost(&self, rate: f64) -> usize {
        self.held.iter().filter(|(held, kept)| !kept && (held - rate).abs() < f64::EPSILON * rate).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What an endpoint that keeps up with `limit` is asked, and what is found.
    fn hunt(from: f64, to: f64, limit: f64) -> (Vec<f64>, Option<f64>) {
        let mut hunt = Hunt::new(from, to);
        while let Some(rate) = hunt.next() {
            hunt.note(rate, rate <= limit, true);
        }
        (hunt.held.iter().map(|(rate, _)| *rate).collect(), hunt.highest())
    }

    #[test]
    fn it_doubles_then_halves_the_gap_and_asks_twice_where_one_is_lost() {
        let (held, found) = hunt(50.0, 1000.0, 330.0);
        assert_eq!(held, [50.0, 100.0, 200.0, 400.0, 400.0, 300.0, 350.0, 350.0, 325.0]);
        assert_eq!(found, Some(325.0));
    }

    #[test]
    fn the_upper_end_is_tried_and_never_passed() {
        assert_eq!(hunt(50.0, 120.0, 1e9), (vec![50.0, 100.0, 120.0], Some(120.0)));
    }

    #[test]
    fn an_endpoint_that_loses_the_first_rate_twice_has_none() {
        assert_eq!(hunt(50.0, 1000.0, 10.0), (vec![50.0, 50.0], None));
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

    proptest! {
        #[test]
        fn what_is_found_is_right_and_close(from in 1.0..100.0_f64, span in 1.0..200.0_f64, limit in 0.5..30_000.0_f64) {
            let to = from * span;
            let (held, found) = hunt(from, to, limit);
            prop_assert!(held.len() <= HOLDS_MAX as usize);
            match found {
                None => prop_assert!(limit < from),
                Some(found) => {
                    prop_assert!(found <= limit && found <= to);
                    prop_assert!(found * 1.12 >= limit.min(to) || held.len() == HOLDS_MAX as usize, "{} of {}", found, limit);
                }
            }
        }
    }
}
