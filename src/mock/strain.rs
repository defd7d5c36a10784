//! What goes wrong only under load: defects of time and number, each within bounds.
//!
//! A line is one connection, which under load is one chain. Nothing here is as slow as a real accident, so that
//! trying it costs seconds.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::suite::defect::Defect;

use super::defects::Switches;

/// How long the one lock is held for each refresh.
const HELD: Duration = Duration::from_millis(40);
/// More lines than this within [`RUSH_WITHIN`] are a rush.
const RUSH_LINES: usize = 24;
const RUSH_WITHIN: Duration = Duration::from_millis(250);
/// More refreshes than this on one line within [`HOT_WITHIN`] make its family a hot one.
const HOT_REFRESHES: usize = 30;
const HOT_WITHIN: Duration = Duration::from_millis(500);
/// Refreshes that are remembered, at most.
const RECENT_MAX: usize = 8192;
/// From this refresh on the pool has leaked dry, or answers drift.
const WORN_AFTER: u64 = 150;
/// How much longer each answer takes than the one before, once they drift, and how much at most.
const DRIFT: Duration = Duration::from_millis(4);
const DRIFT_MAX: Duration = Duration::from_millis(150);

/// What load does to the mock.
#[derive(Debug)]
pub(super) struct Strain {
    switches: Switches,
    any: bool,
    turn: tokio::sync::Mutex<()>,
    seen: Mutex<Seen>,
}

/// What was seen of the load so far.
#[derive(Debug, Default)]
struct Seen {
    refreshes: u64,
    recent: VecDeque<(Instant, u64)>,
    /// Refreshes that came in a rush.
    rushed: u64,
}

/// What one refresh has to bear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Toll {
    /// It takes so much longer.
    pub delay: Duration,
    /// It is worked on while nobody else is.
    pub alone: bool,
    /// It is answered 500, and nothing is spent.
    pub crashes: bool,
    /// Its connection is closed without an answer, and the token is spent.
    pub dropped: bool,
    /// It takes so much longer if it is refused.
    pub if_refused: Duration,
}

const ALL: [Defect; 13] = [
    Defect::SlowAnswers,
    Defect::SlowNowAndThen,
    Defect::GlobalLock,
    Defect::XmlSlow,
    Defect::SlowDrift,
    Defect::PoolLeak,
    Defect::RushCrash,
    Defect::SpikeNeverRecovers,
    Defect::SpikeLeavesErrors,
    Defect::StampedeSlow,
    Defect::StampedeDrops,
    Defect::HotFamilySlowsOthers,
    Defect::NegativePathSlow,
];

impl Strain {
    /// The strain of these switches.
    pub fn new(switches: Switches) -> Strain {
        let any = ALL.into_iter().any(|defect| switches.has(defect));
        Strain { switches, any, turn: tokio::sync::Mutex::default(), seen: Mutex::default() }
    }

    /// What a refresh on `line` has to bear.
    pub fn toll(&self, line: u64, xml: bool, now: Instant) -> Toll {
        if !self.any {
            return Toll::default();
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let rush = seen.note(line, now);
        let on = |defect: Defect| self.switches.has(defect);
        let worn = seen.refreshes.saturating_sub(WORN_AFTER);
        let drift = DRIFT.saturating_mul(u32::try_from(worn).unwrap_or(u32::MAX)).min(DRIFT_MAX);
        let nth = |every: u64| seen.refreshes.is_multiple_of(every);
        let delays = [
            (on(Defect::SlowAnswers), Duration::from_millis(300)),
            (on(Defect::SlowNowAndThen) && nth(10), Duration::from_millis(300)),
            (on(Defect::XmlSlow) && xml, Duration::from_millis(60)),
            (on(Defect::SlowDrift), drift),
            (on(Defect::SpikeNeverRecovers) && seen.rushed > 0, Duration::from_millis(200)),
            (on(Defect::StampedeSlow) && rush, Duration::from_secs(2)),
            (on(Defect::HotFamilySlowsOthers) && seen.hot_beside(line), Duration::from_millis(200)),
        ];
        Toll {
            delay: delays.into_iter().filter(|(on, _)| *on).map(|(_, delay)| delay).sum(),
            alone: on(Defect::GlobalLock),
            crashes: (on(Defect::PoolLeak) && worn > 0 && nth(3))
                || (on(Defect::RushCrash) && rush && nth(10))
                || (on(Defect::SpikeLeavesErrors) && seen.rushed > 0 && !rush && nth(4)),
            dropped: on(Defect::StampedeDrops) && rush && nth(4),
            if_refused: if on(Defect::NegativePathSlow) {
                Duration::from_millis(150)
            } else {
                Duration::ZERO
            },
        }
    }

    /// Takes the one lock for as long as a refresh holds it.
    pub async fn hold(&self) {
        let _turn = self.turn.lock().await;
        tokio::time::sleep(HELD).await;
    }
}

impl Seen {
    /// Notes a refresh on `line`; whether it comes in a rush.
    fn note(&mut self, line: u64, now: Instant) -> bool {
        self.refreshes += 1;
        self.recent.push_back((now, line));
        let old = |at: Instant| now.saturating_duration_since(at) > HOT_WITHIN;
        while self.recent.len() > RECENT_MAX || self.recent.front().is_some_and(|(at, _)| old(*at)) {
            self.recent.pop_front();
        }
        let rush = self.lines_within(RUSH_WITHIN, now) > RUSH_LINES;
        self.rushed += u64::from(rush);
        rush
    }

    fn lines_within(&self, span: Duration, now: Instant) -> usize {
        let recent = self.recent.iter().rev();
        let near = recent.take_while(|(at, _)| now.saturating_duration_since(*at) <= span);
        near.map(|(_, line)| line).collect::<HashSet<_>>().len()
    }

    /// Whether another line than this is hot, and this one is not.
    fn hot_beside(&self, line: u64) -> bool {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        for (_, other) in &self.recent {
            *counts.entry(*other).or_default() += 1;
        }
        let hot = |line: &u64| counts.get(line).is_some_and(|count| *count > HOT_REFRESHES);
        !hot(&line) && counts.keys().any(hot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::environment::MockSpec;

    fn strain(defect: Defect) -> Strain {
        Strain::new(Switches::of(&MockSpec { defects: vec![defect], ..MockSpec::default() }))
    }

    #[test]
    fn a_sound_mock_bears_nothing() {
        let strain = strain(Defect::AlwaysFixed);
        let now = Instant::now();
        assert!((0..500).all(|line| strain.toll(line, true, now) == Toll::default()));
    }

    #[test]
    fn a_rush_is_many_lines_at_once_and_not_many_refreshes_of_few() {
        let now = Instant::now();
        let few = strain(Defect::StampedeSlow);
        assert!((0..500).all(|turn| few.toll(turn % 8, false, now).delay.is_zero()));
        let many = strain(Defect::StampedeSlow);
        assert_eq!((0..40).filter(|line| !many.toll(*line, false, now).delay.is_zero()).count(), 16);
        let slowly = strain(Defect::StampedeSlow);
        let at = |line: u64| now + Duration::from_millis(line * 20);
        assert!((0..40).all(|line| slowly.toll(line, false, at(line)).delay.is_zero()));
    }

    #[test]
    fn a_hot_family_slows_the_others_and_not_itself() {
        let strain = strain(Defect::HotFamilySlowsOthers);
        let now = Instant::now();
        assert!((0..80).all(|_| strain.toll(1, false, now).delay.is_zero()));
        assert!(!strain.toll(2, false, now).delay.is_zero());
        assert!(strain.toll(2, false, now + Duration::from_secs(3)).delay.is_zero());
    }

    #[test]
    fn what_wears_out_does_so_late_and_within_bounds() {
        let strain = strain(Defect::SlowDrift);
        let now = Instant::now();
        let delays: Vec<Duration> = (0..1000).map(|_| strain.toll(1, false, now).delay).collect();
        assert!(delays.iter().zip(0..WORN_AFTER).all(|(delay, _)| delay.is_zero()));
        assert!(delays.is_sorted() && delays[999] == DRIFT_MAX);
    }
}
