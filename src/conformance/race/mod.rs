//! Races: what several uses of one chain at once came to, and whether the policy allows it.
//!
//! Pure. [`History`] holds what was called and what came back; [`order`] asks whether some order of the calls is
//! a run of the policy's machine (`family`); `row` has what the policy promises as counts, for any number of racers;
//! `book` adds up the rounds.

#[cfg(test)]
mod agree;
mod book;
mod chance;
mod history;
mod order;
mod round;
mod row;

pub(super) use self::book::{add_up, judge};
pub(super) use self::history::{Came, Does, History, Past};
pub(super) use self::order::{Ordered, order};
pub(super) use self::round::{Racer, Round, is_crash, is_silent, is_unsent};
