//! Events narrate; the run testifies. No result depends on anyone having listened.

use std::sync::mpsc;
use std::time::Duration;

use super::{CheckResult, LoadResult};

/// What an engine says while it works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// Suite path, environment, seed.
        title: String,
        /// What it will burn, as a sentence.
        burn: String,
        /// How many checks will be run.
        checks: usize,
        /// The profiles: name, what they ask for, and how long they take if that is known.
        profiles: Vec<(String, String, Option<Duration>)>,
    },
    /// A check begins.
    CheckStarted {
        /// Its id.
        id: String,
        /// Its title.
        title: String,
    },
    /// A check has ended.
    CheckFinished(Box<CheckResult>),
    /// A profile begins.
    ProfileStarted {
        /// Its name.
        name: String,
    },
    /// Once a second or oftener while a profile runs. Totals, so that a lost tick loses nothing.
    LoadTick(LoadTick),
    /// A profile has ended.
    ProfileFinished(Box<LoadResult>),
    /// The engine was asked to stop.
    Stopping,
    /// A line for people, such as a warning.
    Note(String),
}

/// Where a profile stands.
#[derive(Clone, Debug, Default)]
pub struct LoadTick {
    /// Which profile.
    pub name: String,
    /// Time since its start.
    pub elapsed: Duration,
    /// The stage's name.
    pub stage: String,
    /// Asked for per second, now.
    pub asked_rate: f64,
    /// Answered in the last second.
    pub answered_rate: f64,
    /// Response time p50 of the last second, in microseconds.
    pub p50_us: u64,
    /// Response time p99 of the last second, in microseconds.
    pub p99_us: u64,
    /// Errors so far.
    pub errors: u64,
    /// Answers so far.
    pub answered: u64,
    /// Starved so far.
    pub starved: u64,
    /// Slip p99 of the last second, in microseconds.
    pub slip_p99_us: u64,
    /// Chains in use, and all.
    pub busy: (u32, u32),
}

/// How engines speak: never waits, may lose words when nobody listens fast enough.
#[derive(Clone, Debug)]
pub struct Narrator(Option<mpsc::SyncSender<Event>>);

impl Narrator {
    /// A narrator and the ear that hears it. The queue holds 4096 events.
    pub fn new() -> (Narrator, mpsc::Receiver<Event>) {
        let (send, receive) = mpsc::sync_channel(4096);
        (Narrator(Some(send)), receive)
    }

    /// A narrator whom nobody hears.
    pub fn silent() -> Narrator {
        Narrator(None)
    }

    /// Says `event` without waiting.
    pub fn say(&self, event: Event) {
        if let Some(sender) = &self.0 {
            // A full queue or a gone listener loses the word, never time.
            drop(sender.try_send(event));
        }
    }
}

/// The wish to stop, handed to every engine.
#[derive(Clone, Debug, Default)]
pub struct Stop(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Stop {
    /// Asks everyone to stop.
    pub fn ask(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Release);
    }

    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Acquire)
    }
}
