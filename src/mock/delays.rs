//! What answers really took, request by request, for whoever compares it with what a client measured.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Answers that are remembered; the rest is only counted.
const REMEMBERED: usize = 200_000;

/// The times of refreshes, in the order in which they were answered; empty until somebody asks to listen.
#[derive(Debug, Default)]
pub(super) struct Delays {
    listening: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    nanos: Vec<u64>,
    missed: u64,
}

/// What was heard.
#[derive(Debug, serde::Serialize)]
pub(super) struct Heard {
    /// Nanoseconds, from the moment at which a request was there whole (and a worker took it) to its answer.
    pub nanoseconds: Vec<u64>,
    /// Answers beyond what is remembered.
    pub missed: u64,
}

impl Delays {
    /// Forgets what was, and listens from now on.
    pub fn listen(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
        self.listening.store(true, Ordering::Release);
    }

    /// Whether it is worth reading the clock.
    pub fn are_wanted(&self) -> bool {
        self.listening.load(Ordering::Acquire)
    }

    /// Notes one answer.
    pub fn note(&self, took: Duration) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.nanos.len() < REMEMBERED {
            kept.nanos.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        } else {
            kept.missed += 1;
        }
    }

    /// What was heard so far.
    pub fn heard(&self) -> Heard {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Heard { nanoseconds: kept.nanos.clone(), missed: kept.missed }
    }
}
