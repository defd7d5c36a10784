//! The endpoint's time: moved where it can be moved, else waited for as long as the environment is patient.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::client::side::Control;
use crate::results::event::Stop;

/// The clock of one environment.
#[derive(Debug)]
pub(super) struct Clock {
    control: Option<Control>,
    patience: Duration,
    began_at: Instant,
    moved_ms: AtomicU64,
    /// How far the endpoint's clock was ahead of ours when the run began.
    ahead: SignedDuration,
}

/// Why time did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoTime {
    /// The run was stopped.
    Stopped,
    /// Why, as a fragment.
    Cannot(String),
}

impl Clock {
    /// A clock that can be moved if there is a control port. An earlier run may have moved it already.
    pub async fn start(control: Option<Control>, patience: Duration) -> Clock {
        let theirs = match &control {
            Some(control) => control.now().await.ok(),
            None => None,
        };
        Clock {
            control,
            patience,
            began_at: Instant::now(),
            moved_ms: AtomicU64::new(0),
            ahead: theirs.map_or(SignedDuration::ZERO, |now| now.duration_since(Timestamp::now())),
        }
    }

    /// Time since the run began, as the endpoint sees it.
    pub fn elapsed(&self) -> Duration {
        self.began_at.elapsed() + Duration::from_millis(self.moved_ms.load(Ordering::Relaxed))
    }

    /// The endpoint's time; ours where it cannot be asked.
    pub fn now(&self) -> Timestamp {
        let moved = Duration::from_millis(self.moved_ms.load(Ordering::Relaxed));
        let now = Timestamp::now().checked_add(self.ahead).unwrap_or(Timestamp::MAX);
        now.checked_add(moved).unwrap_or(Timestamp::MAX)
    }

    /// Lets `time` pass.
    pub async fn pass(&self, time: Duration, stop: &Stop) -> Result<(), NoTime> {
        if time.is_zero() {
            return Ok(());
        }
        if let Some(control) = &self.control {
            control.advance(time).await.map_err(|error| NoTime::Cannot(error.to_string()))?;
            let moved = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            self.moved_ms.fetch_add(moved, Ordering::Relaxed);
            return Ok(());
        }
        if time > self.patience {
            return Err(NoTime::Cannot(impatient(time, self.patience)));
        }
        let end = Instant::now() + time;
        while Instant::now() < end {
            if stop.asked() {
                return Err(NoTime::Stopped);
            }
            let slice = end.saturating_duration_since(Instant::now()).min(Duration::from_millis(100));
            tokio::time::sleep(slice).await;
        }
        Ok(())
    }
}

/// `it waits 30 d, the clock cannot be moved, and the environment's patience is 10 s`
pub(super) fn impatient(time: Duration, patience: Duration) -> String {
    format!(
        "it waits {}, the clock cannot be moved, and the environment's `patience` is {}",
        spoken(time),
        spoken(patience)
    )
}

/// A time in its largest whole unit.
pub(super) fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    match units.into_iter().find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{} {unit}", seconds / size),
        None if seconds > 0 => format!("{:.1} s", time.as_secs_f64()),
        None => format!("{} ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_spoken_in_its_largest_whole_unit() {
        let shown = |millis| spoken(Duration::from_millis(millis));
        assert_eq!(shown(172_800_000), "2 d");
        assert_eq!(shown(46_800_000), "13 h");
        assert_eq!(shown(90_000), "90 s");
        assert_eq!(shown(250), "250 ms");
    }

    #[tokio::test]
    async fn a_clock_that_cannot_be_moved_waits_no_longer_than_its_patience() {
        let clock = Clock::start(None, Duration::from_millis(50)).await;
        assert_eq!(clock.pass(Duration::from_millis(5), &Stop::default()).await, Ok(()));
        let refused = clock.pass(Duration::from_mins(1), &Stop::default()).await;
        assert!(matches!(refused, Err(NoTime::Cannot(why)) if why.contains("patience")));
    }
}
