//! What needs the machine to itself: exact moments, and hundreds of trials. One test at a time, after all others.

mod fuzz;
mod load;
mod parsers;
mod suspended;
mod teeth;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held for as long as a test runs.
fn alone() -> MutexGuard<'static, ()> {
    static PLACE: Mutex<()> = Mutex::new(());
    PLACE.lock().unwrap_or_else(PoisonError::into_inner)
}
