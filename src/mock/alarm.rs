//! A timer that is exact to some microseconds, one for each worker.
//!
//! tokio's own counts in milliseconds and rounds up, which would bend every latency model of a few milliseconds.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

/// The timer of one runtime.
#[derive(Debug)]
pub(super) struct Alarm {
    timer: AsyncFd<OwnedFd>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    sleepers: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
    number: u64,
}

impl Alarm {
    /// The timer of the runtime that is entered. It needs [`Alarm::ring`] to run there.
    pub fn new() -> std::io::Result<Alarm> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "an OwnedFd has no other descriptor than its own, and its successor is unsafe"
        )]
        let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
        Ok(Alarm { timer, waiting: Mutex::default() })
    }

    /// Sleeps until `due`; not at all where that has passed.
    pub async fn sleep_until(&self, due: Instant) {
        let (wake, woken) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            waiting.number += 1;
            let key = (due, waiting.number);
            let first = waiting.sleepers.first_key_value().is_none_or(|(earliest, _)| key < *earliest);
            waiting.sleepers.insert(key, wake);
            if first {
                self.set(due);
            }
        }
        // An error says that the alarm is gone, and the runtime with it.
        drop(woken.await);
    }

    /// Wakes sleepers, for as long as the runtime lives.
    pub async fn ring(&self) {
        while let Ok(mut ready) = self.timer.readable().await {
            // How often it rang does not matter, only that it can ring again.
            let _ = rustix::io::read(&self.timer, &mut [0; 8]);
            ready.clear_ready();
            self.wake();
        }
    }

    fn wake(&self) {
        let mut waiting = self.waiting();
        let later = waiting.sleepers.split_off(&(Instant::now(), u64::MAX));
        for (_, wake) in std::mem::replace(&mut waiting.sleepers, later) {
            // Nobody listens any more where the connection was closed.
            let _ = wake.send(());
        }
        if let Some(((due, _), _)) = waiting.sleepers.first_key_value() {
            self.set(*due);
        }
    }

    /// Lets the timer ring at `due`. Zero would switch it off.
    fn set(&self, due: Instant) {
        let left = due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let value = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec::try_from(left).expect("no answer is held back for more than an hour"),
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &value)
            .expect("the timer is open and the time is valid");
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn sleepers_wake_in_order_and_not_early() {
        let alarm = Arc::new(Alarm::new().unwrap());
        let rings = Arc::clone(&alarm);
        let ringing = tokio::spawn(async move { rings.ring().await });
        let start = Instant::now();
        let sleep = |ms: u64| {
            let alarm = Arc::clone(&alarm);
            tokio::spawn(async move {
                let due = start + Duration::from_millis(ms);
                alarm.sleep_until(due).await;
                assert!(Instant::now() >= due);
                ms
            })
        };
        let (late, early, past) = (sleep(60), sleep(20), sleep(0));
        assert_eq!(past.await.unwrap(), 0);
        assert_eq!(early.await.unwrap(), 20);
        assert_eq!(late.await.unwrap(), 60);
        assert!(start.elapsed() < Duration::from_secs(5));
        ringing.abort();
    }
}
