//! Sentinels: light checks that run inside a load, on chains of their own, at a rate of their own.
//!
//! What a check is, a load does not know: it is handed something to call ([`Sentinels`]). It gives each of them its
//! turns, counts what is told, and remembers at how many requests a second the first violation was seen.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use crate::results::event::Stop;
use crate::results::{FirstViolation, SentinelResult};
use crate::suite::profile::Sentinel;

/// A check is played by so many at once, where its rounds take longer than the pause between two of them.
const LANES_MAX: usize = 16;
/// How long rounds on their way are waited for when the load is over.
const GRACE: Duration = Duration::from_secs(5);

/// Light checks by name: something to call.
pub trait Sentinels: Debug + Send + Sync {
    /// The title of a check, or why it cannot be run.
    fn title(&self, check: &str) -> Result<String, String>;

    /// Plays rounds of a check for `profile`, one for each turn, until there is none. Rounds that `turns` calls off
    /// are not told.
    fn play(&self, profile: &str, check: &str, turns: Turns) -> Lane;
}

/// Somebody who plays rounds.
pub type Lane = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a round came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Every `must` held.
    Held,
    /// A `must` did not hold: what was found.
    Violated(String),
    /// Nothing was judged, and why.
    Nothing(String),
}

/// The turns of one who plays rounds.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Post>);

/// One sentinel at work.
#[derive(Debug)]
struct Post {
    turns: tokio::sync::Mutex<mpsc::UnboundedReceiver<()>>,
    idle: AtomicU32,
    over: Stop,
    started_at: Instant,
    pace: Arc<Pace>,
    kept: Mutex<SentinelResult>,
}

/// The load at this moment, in requests per second; and how often a sentinel was violated.
#[derive(Debug, Default)]
pub struct Pace {
    rate: AtomicU64,
    violations: AtomicU64,
}

impl Pace {
    /// From now on the load is this.
    pub fn set(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    /// Violations so far.
    pub fn violations(&self) -> u64 {
        self.violations.load(Ordering::Relaxed)
    }

    fn rate(&self) -> f64 {
        f64::from_bits(self.rate.load(Ordering::Relaxed))
    }
}

impl Turns {
    /// Waits for the next turn; false when the load is over.
    pub async fn next(&self) -> bool {
        self.0.idle.fetch_add(1, Ordering::AcqRel);
        let turn = self.0.turns.lock().await.recv().await;
        self.0.idle.fetch_sub(1, Ordering::AcqRel);
        turn.is_some() && !self.0.over.asked()
    }

    /// Asked when the load is over: whoever is on his way comes home.
    pub fn over(&self) -> &Stop {
        &self.0.over
    }

    /// Says what a round came to that ended while the load ran.
    pub fn tell(&self, told: Told) {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.rounds += 1;
        match told {
            Told::Held => {}
            Told::Nothing(why) => {
                kept.untold += 1;
                kept.why_untold.get_or_insert(why);
            }
            Told::Violated(found) => {
                kept.violated += 1;
                self.0.pace.violations.fetch_add(1, Ordering::Relaxed);
                let since = Instant::now().saturating_duration_since(self.0.started_at);
                kept.first.get_or_insert_with(|| FirstViolation {
                    at_us: super::order::micros(since),
                    rate: self.0.pace.rate(),
                    found,
                });
            }
        }
    }
}

/// The sentinels of a profile while it runs.
#[derive(Debug)]
pub struct Guardhouse {
    posts: Vec<(Arc<Post>, JoinHandle<()>)>,
    /// Those that could not be run.
    absent: Vec<SentinelResult>,
}

impl Guardhouse {
    /// Posts the sentinels of `profile`, whose load starts at `started_at`.
    pub fn post(
        sentinels: Option<&Arc<dyn Sentinels>>,
        profile: &str,
        wanted: &[Sentinel],
        started_at: Instant,
        pace: &Arc<Pace>,
    ) -> Guardhouse {
        let mut house = Guardhouse { posts: Vec::new(), absent: Vec::new() };
        for sentinel in wanted {
            let known = sentinels.ok_or_else(|| "nobody is there to play it".to_owned());
            let titled = known.and_then(|all| Ok((all, all.title(&sentinel.check)?)));
            match titled {
                Ok((all, title)) => house.posts.push(one(all, profile, sentinel, title, started_at, pace)),
                Err(why) => house.absent.push(SentinelResult {
                    id: sentinel.check.clone(),
                    why_untold: Some(why),
                    ..SentinelResult::default()
                }),
            }
        }
        house
    }

    /// Calls everybody home; what they have told.
    pub async fn dismiss(self) -> Vec<SentinelResult> {
        for (post, _) in &self.posts {
            post.over.ask();
        }
        let until = tokio::time::Instant::now() + GRACE;
        let mut results = self.absent;
        for (post, pacing) in self.posts {
            let stop = pacing.abort_handle();
            // Whoever does not come home in time is left behind: what he would tell is no longer of the load.
            if tokio::time::timeout_at(until, pacing).await.is_err() {
                stop.abort();
            }
            let mut kept = post.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(first) = kept.first.as_mut().filter(|first| first.rate <= 0.0) {
                // It was seen before the load had been measured for the first time.
                first.rate = post.pace.rate();
            }
            if kept.rounds == 0 {
                kept.why_untold.get_or_insert_with(|| "no round came to its end within the load".to_owned());
            }
            results.push(kept);
        }
        results
    }
}

/// One sentinel: gives turns at its rate, and lets another one play where all are busy.
fn one(
    all: &Arc<dyn Sentinels>,
    profile: &str,
    sentinel: &Sentinel,
    title: String,
    started_at: Instant,
    pace: &Arc<Pace>,
) -> (Arc<Post>, JoinHandle<()>) {
    let (give, turns) = mpsc::unbounded_channel();
    let post = Arc::new(Post {
        turns: tokio::sync::Mutex::new(turns),
        idle: AtomicU32::new(0),
        over: Stop::default(),
        started_at,
        pace: Arc::clone(pace),
        kept: Mutex::new(SentinelResult { id: sentinel.check.clone(), title, ..SentinelResult::default() }),
    });
    let (all, profile, check) = (Arc::clone(all), profile.to_owned(), sentinel.check.clone());
    let lane = {
        let post = Arc::clone(&post);
        move || all.play(&profile, &check, Turns(Arc::clone(&post)))
    };
    let pacing = tokio::spawn(pace_out(Arc::clone(&post), sentinel.rate, give, lane));
    (post, pacing)
}

async fn pace_out(
    post: Arc<Post>,
    rate: f64,
    give: mpsc::UnboundedSender<()>,
    lane: impl Fn() -> Lane + Send + 'static,
) {
    let mut lanes = JoinSet::new();
    let pause = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::from_secs(1));
    // The first is in the middle of its pause, so that a short load has one as well.
    let mut due = tokio::time::Instant::from_std(post.started_at) + pause / 2;
    while !post.over.asked() {
        let look = tokio::time::Instant::now() + Duration::from_millis(20);
        tokio::time::sleep_until(due.min(look)).await;
        if tokio::time::Instant::now() < due {
            continue;
        }
        due += pause;
        let busy = post.idle.load(Ordering::Acquire) == 0;
        if busy && lanes.len() >= LANES_MAX {
            // All of them are at it: the turn is left out, so that rounds do not pile up.
            continue;
        }
        if busy {
            lanes.spawn(lane());
        }
        // Whoever plays has the other end; where nobody does, nothing is lost.
        let _ = give.send(());
    }
    drop(give);
    while lanes.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::profile::Sentinel;

    /// Holds until the load is above a rate.
    #[derive(Debug)]
    struct Breaks {
        above: f64,
        pace: Arc<Pace>,
    }

    impl Sentinels for Breaks {
        fn title(&self, check: &str) -> Result<String, String> {
            if check == "X-1" { Ok("It holds".to_owned()) } else { Err("it is skipped".to_owned()) }
        }

        fn play(&self, _: &str, _: &str, turns: Turns) -> Lane {
            let (above, pace) = (self.above, Arc::clone(&self.pace));
            Box::pin(async move {
                while turns.next().await {
                    let breaks = pace.rate() > above;
                    turns.tell(if breaks { Told::Violated("it breaks".to_owned()) } else { Told::Held });
                }
            })
        }
    }

    #[expect(clippy::default_trait_access, reason = "spans belong to `source`, which load does not know")]
    fn sentinel(check: &str) -> Sentinel {
        Sentinel { check: check.to_owned(), rate: 100.0, at: Default::default() }
    }

    #[tokio::test]
    async fn rounds_are_paced_and_the_first_violation_knows_its_rate() {
        let pace = Arc::new(Pace::default());
        let all: Arc<dyn Sentinels> = Arc::new(Breaks { above: 250.0, pace: Arc::clone(&pace) });
        let wanted = [sentinel("X-1"), sentinel("X-2")];
        let house = Guardhouse::post(Some(&all), "steady", &wanted, Instant::now(), &pace);
        for step in 1..=5_u32 {
            pace.set(f64::from(step) * 100.0);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let found = house.dismiss().await;
        assert_eq!(found[0].why_untold.as_deref(), Some("it is skipped"));
        assert!((10..=60).contains(&found[1].rounds), "{found:?}");
        assert!((5..=40).contains(&found[1].violated), "{found:?}");
        assert_eq!(pace.violations(), found[1].violated);
        let first = found[1].first.clone().unwrap();
        assert!((first.rate - 300.0).abs() < 101.0 && first.found == "it breaks", "{first:?}");
    }
}
