//! What a load needs of this machine, and what the machine has: descriptors and local ports. A shortage is found
//! before anything is sent, because under load it would look like a failure of the endpoint.

use std::time::Duration;

use crate::suite::profile::{Connections, Model, Profile};

/// Descriptors beside those of connections: timers and polls of the workers, sentinels, spare logins, reports.
const BESIDE: u64 = 128;
/// A local port is not used again for so long after its connection was closed from here.
const TIME_WAIT: Duration = Duration::from_mins(1);

/// What is needed, or there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// Descriptors.
    pub files: u64,
    /// Local ports to one address of the endpoint.
    pub ports: u64,
}

impl Means {
    /// What profiles need that run at once; an `embedded` endpoint has the other end of each connection in this process.
    pub fn needed<'p>(profiles: impl Iterator<Item = &'p Profile>, embedded: bool) -> Means {
        let mut needed = Means { files: BESIDE, ports: 0 };
        for profile in profiles {
            let chains = u64::from(super::chains_at_once(profile));
            needed.files += if embedded { 2 * chains } else { chains };
            needed.ports += chains + closed_within(profile, TIME_WAIT);
        }
        needed
    }

    /// What this process may still have; what the machine does not tell is taken to be there.
    pub fn of_this_machine() -> Means {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let open = std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64);
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
        Means {
            files: limit.map_or(u64::MAX, |limit| limit.saturating_sub(open)),
            ports: range.as_deref().and_then(ports_in).unwrap_or(u64::MAX),
        }
    }

    /// What is missing for `needed`, as a sentence with its cure.
    pub fn shortage(self, needed: Means) -> Option<String> {
        if needed.files > self.files {
            let missing = needed.files - self.files;
            return Some(format!(
                "{missing} descriptors are missing: {} are needed and {} may be had; raise the limit (`ulimit -Hn`), or \
                 ask for fewer `chains`",
                needed.files, self.files
            ));
        }
        if needed.ports > self.ports {
            let missing = needed.ports - self.ports;
            return Some(format!(
                "{missing} local ports are missing: {} are needed and the system has {}; widen \
                 `net.ipv4.ip_local_port_range`, keep connections for more requests, or ask for fewer `chains`",
                needed.ports, self.ports
            ));
        }
        None
    }
}

/// How many connections of a profile are closed from here within `span`, at most; users decide that themselves.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is not negative")]
fn closed_within(profile: &Profile, span: Duration) -> u64 {
    let Connections::Requests(requests) = profile.connections else { return 0 };
    let lasting = match &profile.model {
        Model::Search(search) => search.hold,
        Model::Open(_) | Model::Closed { .. } | Model::Herd { .. } => profile.lasting().unwrap_or(span),
    };
    let seconds = lasting.min(span).as_secs_f64();
    let most = super::requests_of_one(profile);
    let by_rate = profile.peak().map_or(u64::MAX, |peak| (peak * seconds).ceil() as u64);
    match profile.model {
        // What users will do in a minute is not known beforehand, but for a count.
        Model::Closed { .. } if profile.refreshes.is_none() => 0,
        Model::Open(_) | Model::Closed { .. } | Model::Herd { .. } | Model::Search(_) => {
            most.min(by_rate).div_ceil(u64::from(requests))
        }
    }
}

/// `32768 60999`
fn ports_in(range: &str) -> Option<u64> {
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some((last + 1).saturating_sub(first))
}

#[cfg(test)]
mod tests {
    use super::super::tests::profile;
    use super::*;
    use crate::suite::profile::Stage;

    fn open(rate: f64, seconds: u64, connections: Connections) -> Profile {
        let stage = Stage { from: rate, to: rate, lasting: Duration::from_secs(seconds) };
        Profile { chains: Some(100), connections, ..profile(Model::Open(vec![stage]), &[], 0) }
    }

    fn needed(profile: &Profile, embedded: bool) -> (u64, u64) {
        let needed = Means::needed(std::iter::once(profile), embedded);
        (needed.files, needed.ports)
    }

    #[test]
    fn a_kept_connection_is_a_descriptor_and_a_port_and_two_descriptors_where_the_mock_is_here() {
        assert_eq!(needed(&open(500.0, 600, Connections::Keep), false), (228, 100));
        assert_eq!(needed(&open(500.0, 600, Connections::Keep), true), (328, 100));
    }

    #[test]
    fn a_closed_connection_holds_its_port_for_a_minute() {
        assert_eq!(needed(&open(500.0, 600, Connections::Requests(1)), false), (228, 30_100));
        assert_eq!(needed(&open(500.0, 10, Connections::Requests(1)), false), (228, 5_100));
        assert_eq!(needed(&open(500.0, 600, Connections::Requests(10)), false), (228, 3_100));
    }

    #[test]
    fn a_shortage_says_how_much_is_missing_and_the_cure() {
        let has = Means { files: 900, ports: 28_232 };
        let sentence = |files, ports| has.shortage(Means { files, ports });
        assert_eq!(sentence(900, 28_232), None);
        let files = sentence(1_128, 100).unwrap();
        assert!(files.starts_with("228 descriptors are missing") && files.contains("ulimit"), "{files}");
        let ports = sentence(100, 30_000).unwrap();
        assert!(ports.starts_with("1768 local ports are missing") && ports.contains("port_range"), "{ports}");
    }

    #[test]
    fn a_range_of_ports_is_read() {
        assert_eq!(ports_in("32768\t60999\n"), Some(28_232));
        assert_eq!([ports_in(""), ports_in("x y")], [None, None]);
    }
}
