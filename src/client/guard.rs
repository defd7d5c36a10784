//! The guard: what may leave, checked at the door.
//!
//! Owns the allow-list (checked again on the resolved address), the rate and the total ceiling. Exempt is only
//! a mock that this process started or that answered the run's nonce; whoever builds the guard knows which.

use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Failure;

/// How far a caller that woke late may catch up. Timers are a millisecond coarse; without this, a ceiling of
/// 2000/s would let 1000/s through.
const CATCH_UP: Duration = Duration::from_millis(10);

/// What may leave.
#[derive(Debug)]
pub struct Guard {
    /// `None`: everything may leave.
    rules: Option<Rules>,
    sent: AtomicU64,
}

#[derive(Debug)]
struct Rules {
    hosts: Vec<Listed>,
    requests: Option<u64>,
    pace: Option<Pace>,
}

/// One entry of the allow-list: a name or an address, perhaps with a port.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    host: String,
    port: Option<u16>,
}

/// The rate ceiling: whoever comes takes the next free moment, so that turns are fair.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Guard {
    /// For our own mock: everything may leave, and it is counted.
    pub fn exempt() -> Guard {
        Guard { rules: None, sent: AtomicU64::new(0) }
    }

    /// By the suite's rules.
    pub fn by(rules: &crate::suite::environment::Guard) -> Guard {
        let rules = Rules {
            hosts: rules.hosts.iter().map(|text| Listed::read(text)).collect(),
            requests: rules.requests,
            pace: rules.rate.map(Pace::at),
        };
        Guard { rules: Some(rules), sent: AtomicU64::new(0) }
    }

    /// Requests that left so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether a connection to `host`, which resolved to `address`, may be opened: the name is listed, or the
    /// address is.
    pub(super) fn allows(&self, host: &str, address: IpAddr, port: u16) -> bool {
        self.rules.as_ref().is_none_or(|rules| {
            let address = address.to_canonical().to_string();
            rules.hosts.iter().any(|listed| listed.is(host, port) || listed.is(&address, port))
        })
    }

    /// Whether a connection to `host` may be opened by somebody else, who resolves the name: it has to be listed.
    pub(super) fn allows_name(&self, host: &str, port: u16) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.hosts.iter().any(|listed| listed.is(host, port)))
    }

    /// Waits until the rate lets another request out.
    pub(super) async fn turn(&self) -> Result<(), Failure> {
        let Some(rules) = &self.rules else { return Ok(()) };
        if rules.requests.is_some_and(|ceiling| self.sent() >= ceiling) {
            return Err(Failure::Guarded);
        }
        if let Some(pace) = &rules.pace {
            let now = Instant::now();
            let turn = pace.take(now);
            // A timer costs more than most of what a request does.
            if turn > now {
                tokio::time::sleep_until(turn).await;
            }
        }
        Ok(())
    }

    /// Counts a request that is about to leave, or stops it.
    pub(super) fn count(&self) -> Result<(), Failure> {
        let Some(ceiling) = self.rules.as_ref().and_then(|rules| rules.requests) else {
            self.sent.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        };
        self.sent
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |sent| (sent < ceiling).then_some(sent + 1))
            .map_err(|_| Failure::Guarded)?;
        Ok(())
    }
}

impl Listed {
    fn read(text: &str) -> Listed {
        let text = text.trim().to_ascii_lowercase();
        // A bare IPv6 address has more than one colon and no port; with a port it stands in brackets.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()),
            _ => (text.as_str(), None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_owned();
        Listed { host, port }
    }

    fn is(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        self.host.eq_ignore_ascii_case(host) && self.port.is_none_or(|listed| listed == port)
    }
}

impl Pace {
    fn at(rate: f64) -> Pace {
        // A rate of nothing, or next to it, still is a rate: one request a day.
        let seconds = if rate > 0.0 { (1.0 / rate).min(86_400.0) } else { 86_400.0 };
        Pace { interval: Duration::from_secs_f64(seconds), next: Mutex::new(None) }
    }

    fn take(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().expect("nobody panics while holding it");
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        let turn = next.map_or(now, |next| next.max(earliest));
        *next = Some(turn + self.interval);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(hosts: &[&str], rate: Option<f64>, requests: Option<u64>) -> Guard {
        let rules = Rules {
            hosts: hosts.iter().map(|text| Listed::read(text)).collect(),
            requests,
            pace: rate.map(Pace::at),
        };
        Guard { rules: Some(rules), sent: AtomicU64::new(0) }
    }

    #[track_caller]
    fn check(hosts: &[&str], host: &str, address: &str, expected: bool) {
        let allowed = rules(hosts, None, None).allows(host, address.parse().unwrap(), 443);
        assert_eq!(allowed, expected, "{hosts:?} {host} {address}");
    }

    #[test]
    fn a_listed_name_passes_wherever_it_resolves() {
        check(&["uat.example.org"], "UAT.example.org", "10.1.2.3", true);
        check(&["uat.example.org."], "uat.example.org", "::1", true);
    }

    #[test]
    fn a_listed_address_passes_whatever_it_is_called() {
        check(&["10.1.2.3"], "uat.example.org", "10.1.2.3", true);
        check(&["::1"], "[::1]", "::1", true);
        check(&["[::1]:443"], "[::1]", "::1", true);
    }

    #[test]
    fn nothing_else_passes_and_loopback_is_not_exempt() {
        check(&["uat.example.org"], "example.org", "10.1.2.3", false);
        check(&["uat.example.org"], "127.0.0.1", "127.0.0.1", false);
        check(&[], "localhost", "127.0.0.1", false);
    }

    #[test]
    fn a_listed_port_is_the_only_one() {
        check(&["uat.example.org:443"], "uat.example.org", "10.1.2.3", true);
        check(&["uat.example.org:8443"], "uat.example.org", "10.1.2.3", false);
    }

    #[test]
    fn the_total_ceiling_stops_and_does_not_count_what_it_stops() {
        let guard = rules(&[], None, Some(2));
        assert_eq!([guard.count(), guard.count(), guard.count()], [Ok(()), Ok(()), Err(Failure::Guarded)]);
        assert_eq!(guard.sent(), 2);
    }

    #[test]
    fn turns_are_an_interval_apart_and_late_callers_catch_up_a_little() {
        let pace = Pace::at(1000.0);
        let now = Instant::now();
        let ms = Duration::from_millis(1);
        assert_eq!([pace.take(now), pace.take(now), pace.take(now)], [now, now + ms, now + 2 * ms]);
        let later = now + Duration::from_secs(1);
        assert_eq!(pace.take(later), later.checked_sub(CATCH_UP).unwrap());
    }

    #[test]
    fn a_rate_of_zero_is_still_a_rate() {
        assert_eq!(Pace::at(0.0).interval, Duration::from_hours(24));
        assert_eq!(Pace::at(f64::NAN).interval, Duration::from_hours(24));
    }
}
