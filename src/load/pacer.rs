//! Waiting for a moment: an absolute timer of the kernel within the worker's own loop.
//!
//! The runtime's timers come in whole milliseconds, and late; `timerfd` comes within some tens of
//! microseconds. Where there is none, the runtime's timer stands in, and the slip that is reported says so.

use std::time::Instant;

/// Waits for moments, for one worker.
#[derive(Debug)]
pub struct Pacer(Timer);

impl Pacer {
    /// A pacer for the runtime that it is made on.
    pub fn new() -> Pacer {
        Pacer(Timer::new())
    }

    /// Returns at `moment`, or at once if it is past.
    pub async fn until(&mut self, moment: Instant) {
        if moment > Instant::now() {
            self.0.until(moment).await;
        }
    }
}

#[cfg(target_os = "linux")]
use self::linux::Timer;
#[cfg(not(target_os = "linux"))]
use self::portable::Timer;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;
    use std::time::{Duration, Instant};

    use rustix::time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
        timerfd_create, timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A `timerfd` in the runtime's own poll; `None` where this process has no file left.
    #[derive(Debug)]
    pub struct Timer {
        fd: Option<AsyncFd<OwnedFd>>,
        // One moment on both clocks: `Instant` is the monotonic clock but does not tell its reading.
        anchor: (Instant, Duration),
    }

    impl Timer {
        pub fn new() -> Timer {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags).ok().and_then(watched);
            let now = clock_gettime(ClockId::Monotonic);
            Timer { fd, anchor: (Instant::now(), reading(now)) }
        }

        pub async fn until(&mut self, moment: Instant) {
            let absolute = self.anchor.1 + moment.saturating_duration_since(self.anchor.0);
            if let Some(fd) = &self.fd
                && arm(fd, absolute)
                && let Ok(mut guard) = fd.readable().await
            {
                let mut expirations = [0_u8; 8];
                // Reading takes the expiry away; a spurious wake reads nothing and the caller looks again.
                let _ = rustix::io::read(fd.get_ref(), &mut expirations);
                guard.clear_ready();
            }
            if moment > Instant::now() {
                tokio::time::sleep_until(moment.into()).await;
            }
        }
    }

    /// The timer in the runtime's poll.
    #[expect(
        deprecated,
        reason = "the successor is unsafe for types that may change their descriptor, which an OwnedFd cannot"
    )]
    fn watched(fd: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
        AsyncFd::with_interest(fd, Interest::READABLE).ok()
    }

    /// Sets the timer to an absolute reading of the monotonic clock.
    fn arm(fd: &AsyncFd<OwnedFd>, absolute: Duration) -> bool {
        let value = Timespec {
            tv_sec: i64::try_from(absolute.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(absolute.subsec_nanos()),
        };
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let spec = Itimerspec { it_interval: zero, it_value: value };
        timerfd_settime(fd.get_ref(), TimerfdTimerFlags::ABSTIME, &spec).is_ok()
    }

    fn reading(now: Timespec) -> Duration {
        Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::time::Instant;

    /// The runtime's own timer.
    #[derive(Debug)]
    pub struct Timer;

    impl Timer {
        pub fn new() -> Timer {
            Timer
        }

        pub async fn until(&mut self, moment: Instant) {
            tokio::time::sleep_until(moment.into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_never_returns_early_and_not_much_too_late() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut pacer = Pacer::new();
            let start = Instant::now();
            for step in 1..=20_u32 {
                let moment = start + Duration::from_micros(700) * step;
                pacer.until(moment).await;
                assert!(Instant::now() >= moment);
            }
            pacer.until(start).await;
            assert!(start.elapsed() < Duration::from_secs(2));
        });
    }
}
