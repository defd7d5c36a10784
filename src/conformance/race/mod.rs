//! Races: what several uses of one chain at once came to, and whether the policy allows it.
//!
//! Pure. [`History`] holds what was called and what came back; [`order`] asks whether some order of the calls is
//! a run of the policy's [`machine`]; [`row`] has the policy's promises as counts; [`book`] adds up the rounds.

mod book;
mod chance;
mod history;
mod machine;
mod order;
mod round;
mod row;

pub(super) use self::book::{add_up, judge};
pub(super) use self::history::{Came, Does, History, Past};
pub(super) use self::order::{Ordered, order};
pub(super) use self::round::{Racer, Round, is_crash, is_silent, is_unsent};
