//! What becomes of callers who guess: after so many wrong secrets beside one refresh token they are told to wait.
//!
//! The right secret is never told to wait, so that nobody can lock others out.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use crate::suite::defect::Defect;

use super::clock::Moment;
use super::defects::Switches;

/// So many wrong secrets are borne within [`WINDOW_MS`].
const BORNE: u32 = 30;

/// How long wrong secrets are remembered.
const WINDOW_MS: i64 = 60_000;

/// Tokens that are remembered; a flood of others makes it forget.
const REMEMBERED: usize = 4_096;

/// For how many further calls a careless lock stays shut, whoever calls.
const SHUT: u32 = 3;

/// The memory of wrong secrets.
#[derive(Debug)]
pub struct Throttle {
    switches: Switches,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    wrong: HashMap<u64, (u32, i64)>,
    /// Calls that a careless lock still turns away.
    shut: u32,
}

impl Throttle {
    /// One that remembers nothing.
    pub fn new(switches: Switches) -> Throttle {
        Throttle { switches, memory: Mutex::default() }
    }

    /// Whether everybody is turned away, because somebody guessed.
    pub fn is_shut(&self) -> bool {
        if !self.switches.has(Defect::LockoutByIp) {
            return false;
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.shut = memory.shut.saturating_sub(1);
        memory.shut > 0
    }

    /// Notes a wrong secret beside `token`; whether its caller must wait.
    pub fn guessed(&self, token: &str, now: Moment) -> bool {
        if self.switches.has(Defect::NoThrottle) {
            return false;
        }
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.wrong.len() > REMEMBERED {
            memory.wrong.clear();
        }
        let (count, since) = memory.wrong.entry(hasher.finish()).or_insert((0, now.0));
        if now.0 - *since > WINDOW_MS {
            (*count, *since) = (0, now.0);
        }
        *count += 1;
        let waits = *count > BORNE;
        if waits {
            memory.shut = SHUT;
        }
        waits
    }
}

#[cfg(test)]
mod tests {
    use crate::suite::environment::MockSpec;

    use super::*;

    #[test]
    fn the_thirty_first_guess_waits_and_other_tokens_do_not() {
        let throttle = Throttle::new(Switches::of(&MockSpec::default()));
        let now = Moment(1_000_000);
        assert!((0..30).all(|_| !throttle.guessed("a", now)));
        assert!(throttle.guessed("a", now));
        assert!(!throttle.guessed("b", now));
        assert!(!throttle.guessed("a", Moment(1_100_000)), "after a minute it is forgotten");
        assert!(!throttle.is_shut());
    }
}
