//! How long the phases of an exchange took: name, TCP, proxy, TLS, first byte.
//!
//! Most answers are short and come whole: their first byte is their last, and nothing is recorded for them here. What
//! is kept is where the two differ, so that a request of the usual kind costs nothing. A histogram is made only when
//! it is needed.

use std::time::Duration;

use crate::client::Opening;
use crate::results::latency::Recorder;
use crate::results::{Clock, Phases as Result};

/// One worker's record.
#[derive(Debug, Default)]
pub struct Phases {
    dns: Lazy,
    connect: Lazy,
    proxy: Lazy,
    tls: Lazy,
    /// Of answers that came in pieces: until the first.
    first: Lazy,
    /// Of the same answers: until the last.
    last: Lazy,
}

/// A histogram that is there once something was recorded.
#[derive(Debug, Default)]
struct Lazy(Option<Box<Recorder>>);

impl Lazy {
    fn record(&mut self, value: Duration) {
        self.0.get_or_insert_default().record(value);
    }

    fn add(&mut self, other: Lazy) {
        match (&mut self.0, other.0) {
            (Some(own), Some(theirs)) => own.merge(&theirs),
            (own @ None, theirs) => *own = theirs,
            (Some(_), None) => {}
        }
    }

    fn clock(&self) -> Clock {
        self.0.as_ref().map(|recorder| recorder.clock()).unwrap_or_default()
    }
}

impl Phases {
    /// A connection was opened.
    pub fn opened(&mut self, opening: Opening) {
        self.connect.record(opening.connect);
        for (phase, took) in
            [(&mut self.dns, opening.dns), (&mut self.proxy, opening.proxy), (&mut self.tls, opening.tls)]
        {
            if let Some(took) = took {
                phase.record(took);
            }
        }
    }

    /// An answer came in pieces: its first byte and its last, from the send.
    pub fn in_pieces(&mut self, first: Duration, last: Duration) {
        self.first.record(first);
        self.last.record(last);
    }

    /// Adds the record of another worker.
    pub fn add(&mut self, other: Phases) {
        self.dns.add(other.dns);
        self.connect.add(other.connect);
        self.proxy.add(other.proxy);
        self.tls.add(other.tls);
        self.first.add(other.first);
        self.last.add(other.last);
    }

    /// The phases of the run file; `service` has the last byte of every answer.
    pub fn result(&self, service: &Recorder) -> Result {
        let mut first_byte = service.clone();
        if let (Some(first), Some(last)) = (&self.first.0, &self.last.0) {
            first_byte.take_away(last);
            first_byte.merge(first);
        }
        Result {
            dns: self.dns.clock(),
            connect: self.connect.clock(),
            proxy: self.proxy.clock(),
            tls: self.tls.clock(),
            first_byte: first_byte.clock(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_first_byte_of_a_whole_answer_is_its_last() {
        let (mut one, mut two) = (Phases::default(), Phases::default());
        let mut service = Recorder::default();
        for millis in [10, 20, 30] {
            service.record(ms(millis));
        }
        two.in_pieces(ms(5), ms(30));
        one.add(two);
        let found = one.result(&service).first_byte;
        assert_eq!(found.count, 3);
        assert!((found.quantiles_us["min"] / 5_000.0 - 1.0).abs() < 0.01, "{found:?}");
        assert!((found.quantiles_us["max"] / 20_000.0 - 1.0).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn a_phase_that_there_was_not_is_empty() {
        let mut phases = Phases::default();
        phases.opened(Opening { connect: ms(1), tls: Some(ms(7)), ..Opening::default() });
        phases.opened(Opening { connect: ms(3), tls: Some(ms(9)), ..Opening::default() });
        let found = phases.result(&Recorder::default());
        let seen: Vec<(&str, u64)> = found.seen().map(|(name, clock)| (name, clock.count)).collect();
        assert_eq!(seen, [("connect", 2), ("tls", 2)]);
    }
}
