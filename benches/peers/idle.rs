//! The control loop: a timer of the kernel at a rate, and nothing else. How late it wakes is what the machine
//! itself adds to any pacing, so slip is read beside it.

use std::time::Duration;

use hdrhistogram::Histogram;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

/// Lateness in nanoseconds of `rate × lasting` moments that are computed from the start.
pub fn lateness(rate: u32, lasting: Duration) -> anyhow::Result<Histogram<u64>> {
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    let mut late = Histogram::new_with_bounds(100, 3_600_000_000_000, 3)?;
    let start = now() + Duration::from_millis(20);
    let total = u64::from(rate) * lasting.as_secs();
    for number in 0..total {
        let moment = start + Duration::from_secs(1) * u32::try_from(number)? / rate;
        if now() < moment {
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            let at = Timespec {
                tv_sec: i64::try_from(moment.as_secs())?,
                tv_nsec: i64::from(moment.subsec_nanos()),
            };
            let spec = Itimerspec { it_interval: zero, it_value: at };
            timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME, &spec)?;
            rustix::io::read(&timer, &mut [0_u8; 8])?;
        }
        let nanos = now().saturating_sub(moment).as_nanos();
        late.saturating_record(u64::try_from(nanos)?);
    }
    Ok(late)
}

fn now() -> Duration {
    let reading = clock_gettime(ClockId::Monotonic);
    Duration::new(reading.tv_sec.unsigned_abs(), u32::try_from(reading.tv_nsec).unwrap_or(0))
}
