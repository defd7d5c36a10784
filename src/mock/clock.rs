//! The mock's clock: real time plus an offset that the control port moves forward.
//!
//! Owns [`Moment`] and how moments are written for people and headers. Everything else is handed the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// East of UTC by five and a half hours: Indian Standard Time, in seconds.
const INDIA_SECONDS: i32 = 19_800;

/// The clock cannot be moved further ahead than this, so that no date overflows.
const MOST_AHEAD_MS: i64 = 100 * 366 * 86_400_000;

/// A moment of the mock's clock: milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// This much later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Moment {
        Moment(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The wall clock of India at this moment, to the second.
    pub fn in_india(self) -> DateTime {
        let offset = Offset::from_seconds(INDIA_SECONDS).expect("half a day is within the limits of offsets");
        offset.to_datetime(self.timestamp())
    }

    /// The same in UTC.
    pub fn in_utc(self) -> DateTime {
        Offset::UTC.to_datetime(self.timestamp())
    }

    fn timestamp(self) -> Timestamp {
        let whole =
            self.seconds().clamp(Timestamp::MIN.as_second() + 86_400, Timestamp::MAX.as_second() - 86_400);
        Timestamp::from_second(whole).expect("clamped to what a timestamp holds")
    }

    /// As HTTP writes it: `Mon, 06 May 2024 07:08:09 GMT`.
    pub fn http_date(self) -> String {
        self.timestamp().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

/// Real time plus an offset. Monotonic: steps of the machine's clock do not reach it.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    began: i64,
    ahead: AtomicI64,
}

impl Clock {
    /// A clock that shows real time.
    pub fn start() -> Clock {
        Clock { started: Instant::now(), began: Timestamp::now().as_millisecond(), ahead: AtomicI64::new(0) }
    }

    /// What it shows.
    pub fn now(&self) -> Moment {
        let gone = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        Moment(self.began.saturating_add(gone).saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Moves it forward; never further than a hundred years in all.
    pub fn advance(&self, ms: u64) {
        let step = i64::try_from(ms).unwrap_or(MOST_AHEAD_MS).min(MOST_AHEAD_MS);
        let add = |ahead: i64| Some(ahead.saturating_add(step).min(MOST_AHEAD_MS));
        // The closure never declines, so there is nothing to learn from the answer.
        let _ = self.ahead.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_for_headers_and_for_india() {
        let moment = Moment(1_714_979_289_123);
        assert_eq!(moment.http_date(), "Mon, 06 May 2024 07:08:09 GMT");
        assert_eq!(moment.in_india().to_string(), "2024-05-06T12:38:09");
    }

    #[test]
    fn the_clock_moves_forward_within_bounds() {
        let clock = Clock::start();
        let before = clock.now();
        clock.advance(86_400_000);
        assert!(clock.now() >= before.plus(Duration::from_hours(24)));
        for _ in 0..4 {
            clock.advance(u64::MAX);
        }
        assert!(clock.now().http_date().ends_with("GMT"));
    }
}
