//! The driver: opens chains, starts the workers together, hears them, and puts their records into one result.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Barrier, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::chain::ledger::{self, BUDGET_BYTES, Ledger};
use crate::chain::source::{NoChain, Source};
use crate::chain::walk::Walk;
use crate::chain::{Chain, Identity};
use crate::results::event::{Event, LoadTick, Narrator, Stop};
use crate::results::objectives::OfLoad;
use crate::results::trust::{self, Figures};
use crate::results::{Book, Clock, EarlyEnd, LedgerResult, LoadResult, SentinelResult, Traffic};
use crate::suite::expression::Truth;
use crate::suite::profile::StopOn;

use super::Ground;
use super::order::{Arrivals, Order, micros};
use super::sentinels::{Guardhouse, Pace};
use super::series::Series;
use super::tally::Tally;
use super::worker::{self, Finished, Halt, Kit, Pulse, Report};

/// Logins at once before the load.
const OPENING: usize = 16;
/// Spare logins at once during the load.
const SPARING: usize = 4;
/// Spare chains that a profile may open, if it has fewer chains than that.
const SPARES_MIN: usize = 64;
/// The pauses after a spare login that failed; as many as there are tries.
const SPARE_PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
];
/// So late every machine may be with its last arrival, however short the load.
const LATE: Duration = Duration::from_millis(5);
/// From "everybody is ready" to the start.
const COUNTDOWN: Duration = Duration::from_millis(20);
/// Over how long the load of this moment is measured, at least.
const PACE: Duration = Duration::from_millis(200);
/// How often the driver narrates.
const TICK: Duration = Duration::from_millis(300);

/// Runs `order` on `chains` chains.
pub async fn run(
    ground: &Ground,
    order: Order,
    chains: u32,
    narrator: &Narrator,
    stop: &Stop,
    together: &Barrier,
) -> Result<LoadResult, NoChain> {
    let order = Arc::new(order);
    let walks = open_chains(ground, chains, stop).await?;
    compose_each_format(&walks, ground, &order)?;
    let abandoned = Abandoned(Arc::new(AtomicBool::new(false)));
    let halt = Halt { stop: stop.clone(), abandoned: Arc::clone(&abandoned.0), early: Arc::default() };
    let spares = walks.len().max(SPARES_MIN);
    let mut crew = Crew::hire(ground, &order, walks, &halt);
    // Whoever runs beside it has its chains now as well.
    together.wait().await;
    let before = Readings::take();
    crew.start().await;
    let (started_at, sentinels) = (crew.started_at, ground.sentinels.as_ref());
    let mut hearing = Hearing::new(ground, &order, crew.threads.len(), spares, started_at, halt);
    let guards = Guardhouse::post(sentinels, &order.name, &order.sentinels, started_at, &hearing.pace);
    hearing.listen(&mut crew.reports, started_at, narrator).await;
    let elapsed = started_at.elapsed();
    let told = guards.dismiss().await;
    let lost = crew.dismiss(hearing.finished.len());
    Ok(hearing.result(&order, chains, elapsed, &before, lost, told))
}

/// Set when nobody waits for the result any more, so that the workers end.
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A connection is a file: takes as many as this process may have. What cannot be had shows as
/// `local files exhausted`.
pub fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// Opens the chains, identities in turn. Stops early, with what there is, if somebody asks to stop.
async fn open_chains(ground: &Ground, count: u32, stop: &Stop) -> Result<Vec<Walk>, NoChain> {
    let turns = Arc::new(Semaphore::new(OPENING));
    let mut opening = JoinSet::new();
    for (_, identity) in (0..count).zip(ground.identities.iter().cycle()) {
        let (source, identity) = (Arc::clone(&ground.source), Arc::clone(identity));
        let (turns, stop) = (Arc::clone(&turns), stop.clone());
        opening.spawn(async move {
            let _turn = turns.acquire().await;
            if stop.asked() { Ok(None) } else { source.open(&identity).await.map(Some) }
        });
    }
    let mut walks = Vec::new();
    while let Some(opened) = opening.join_next().await {
        if let Some(chain) = opened.expect("opening a chain neither panics nor is called off")? {
            walks.push(Walk::new(chain, &ground.dialect));
        }
    }
    walks.sort_by_key(|walk| walk.number);
    Ok(walks)
}

/// Makes sure of every format before the first request: a suite's mistake is found here and not under load.
fn compose_each_format(walks: &[Walk], ground: &Ground, order: &Order) -> Result<(), NoChain> {
    let Some(walk) = walks.first() else { return Ok(()) };
    let words = order.mix.words().iter().map(|word| Some(word.as_str()));
    let words: Vec<Option<&str>> = if order.mix.words().is_empty() { vec![None] } else { words.collect() };
    words
        .into_iter()
        .try_for_each(|word| walk.can_be_composed(&ground.dialect, word))
        .map_err(|mistake| NoChain::NoLogin(format!("load `{}`: {mistake}", order.name)))
}

/// Opens one spare chain. An endpoint that stalls takes logins down as well, so a login that fails is tried a
/// few times more: unlike a refresh it spends nothing.
async fn open_spare(source: &Source, identity: &Arc<Identity>, halt: &Halt) -> Option<Chain> {
    for pause in SPARE_PAUSES {
        match source.open(identity).await {
            Ok(chain) => return Some(chain),
            Err(NoChain::Login(_)) if !halt.asked() => tokio::time::sleep(pause).await,
            Err(NoChain::Login(_) | NoChain::NoLogin(_) | NoChain::Exhausted { .. }) => return None,
        }
    }
    None
}

/// The workers.
struct Crew {
    threads: Vec<JoinHandle<()>>,
    starts: Vec<oneshot::Sender<Instant>>,
    reports: mpsc::UnboundedReceiver<Report>,
    started_at: Instant,
}

impl Crew {
    /// Starts a thread for each core but one, each with its share of the chains.
    fn hire(ground: &Ground, order: &Arc<Order>, walks: Vec<Walk>, halt: &Halt) -> Crew {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = (cores.saturating_sub(1)).clamp(1, walks.len().max(1));
        let (send, reports) = mpsc::unbounded_channel();
        let mut shares: Vec<Vec<Walk>> = (0..workers).map(|_| Vec::new()).collect();
        for (index, walk) in walks.into_iter().enumerate() {
            shares[index % workers].push(walk);
        }
        let mut crew = Crew { threads: Vec::new(), starts: Vec::new(), reports, started_at: Instant::now() };
        for (index, walks) in shares.into_iter().enumerate() {
            let (start, go) = oneshot::channel();
            let kit = Kit {
                index,
                workers,
                order: Arc::clone(order),
                client: Arc::clone(&ground.client),
                dialect: Arc::clone(&ground.dialect),
                walks,
                ledger: Ledger::new(ground.key, BUDGET_BYTES / workers as u64),
                quota: worker::share(order.requests_at_most(), index, workers),
                reports: send.clone(),
                go,
                halt: halt.clone(),
            };
            let name = format!("load-{index}");
            let thread = std::thread::Builder::new().name(name).spawn(move || worker::run(kit));
            crew.threads.extend(thread.ok());
            crew.starts.push(start);
        }
        crew
    }

    /// Waits until all are ready, and gives one start to all.
    async fn start(&mut self) {
        let mut ready = 0;
        while ready < self.threads.len() {
            match self.reports.recv().await {
                Some(Report::Ready) => ready += 1,
                Some(_) => {}
                None => break,
            }
        }
        self.started_at = Instant::now() + COUNTDOWN;
        for start in self.starts.drain(..) {
            // A worker that is gone does not hear it, and is counted as lost at the end.
            let _ = start.send(self.started_at);
        }
    }

    /// Waits for the threads, whose reports have ended; how many of them left no record.
    fn dismiss(&mut self, finished: usize) -> usize {
        let workers = self.threads.len();
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
        workers - finished
    }
}

/// What the driver has heard so far.
struct Hearing<'a> {
    ground: &'a Ground,
    order: Arc<Order>,
    halt: Halt,
    series: Series,
    pulses: Vec<Pulse>,
    finished: Vec<Finished>,
    spares_left: usize,
    spares_opened: Arc<std::sync::atomic::AtomicU32>,
    sparing: Arc<Semaphore>,
    spares: JoinSet<()>,
    started_at: Instant,
    pace: Arc<Pace>,
    /// When users were last counted, and how many answers they had.
    counted: (Duration, u64),
    /// Seconds that `abort` has looked at.
    looked_at: usize,
    ended_early: Option<EarlyEnd>,
}

impl<'a> Hearing<'a> {
    fn new(
        ground: &'a Ground,
        order: &Arc<Order>,
        workers: usize,
        spares_left: usize,
        started_at: Instant,
        halt: Halt,
    ) -> Hearing<'a> {
        Hearing {
            ground,
            order: Arc::clone(order),
            halt,
            series: Series::new(workers),
            pulses: vec![Pulse::default(); workers],
            finished: Vec::new(),
            spares_left,
            spares_opened: Arc::default(),
            sparing: Arc::new(Semaphore::new(SPARING)),
            spares: JoinSet::new(),
            started_at,
            pace: Arc::default(),
            counted: (Duration::ZERO, 0),
            looked_at: 0,
            ended_early: None,
        }
    }

    /// Hears reports until the last worker has gone.
    async fn listen(
        &mut self,
        reports: &mut mpsc::UnboundedReceiver<Report>,
        started_at: Instant,
        narrator: &Narrator,
    ) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                report = reports.recv() => match report {
                    Some(report) => self.hear(report),
                    None => break,
                },
                _ = ticks.tick() => {
                    while self.spares.try_join_next().is_some() {}
                    let elapsed = Instant::now().saturating_duration_since(started_at);
                    self.end_early(elapsed);
                    narrator.say(Event::LoadTick(self.tick(elapsed)));
                }
            }
        }
    }

    fn hear(&mut self, report: Report) {
        match report {
            Report::Ready => {}
            Report::Second(worker, interval) => self.series.add(worker, *interval),
            Report::Pulse(worker, pulse) => {
                self.pulses[worker] = pulse;
                self.measure_pace();
            }
            Report::Spare(identity, answer) => self.spare(identity, answer),
            Report::Finished(finished) => self.finished.push(*finished),
        }
    }

    /// What the load is now: what is asked for, or what users make of it.
    fn measure_pace(&mut self) {
        let elapsed = self.started_at.elapsed();
        let (before, had) = self.counted;
        let since = elapsed.saturating_sub(before);
        if since < PACE {
            return;
        }
        let answered: u64 = self.pulses.iter().map(|pulse| pulse.totals.answered).sum();
        self.counted = (elapsed, answered);
        self.pace.set(match &self.order.arrivals {
            Arrivals::Open(_) => self.order.rate_at(elapsed),
            Arrivals::Closed { .. } => answered.saturating_sub(had) as f64 / since.as_secs_f64(),
        });
    }

    /// Ends the profile where its own words say so.
    fn end_early(&mut self, elapsed: Duration) {
        if self.ended_early.is_some() {
            return;
        }
        let (reason, aborted) = match (self.aborted(), self.violated()) {
            (Some(reason), _) => (reason, true),
            (None, Some(reason)) => (reason, false),
            (None, None) => return,
        };
        self.ended_early = Some(EarlyEnd { at_us: micros(elapsed), reason, aborted });
        self.halt.early.store(true, Ordering::Release);
    }

    /// Whether what aborts the profile holds of its last seconds.
    fn aborted(&mut self) -> Option<String> {
        let abort = self.order.abort.as_ref()?;
        // Once for each second, when it is complete.
        if std::mem::replace(&mut self.looked_at, self.series.complete()) == self.looked_at {
            return None;
        }
        let last = self.series.last(&self.order.name, abort.over, self.order.warm_up)?;
        let over = abort.over.as_secs();
        (abort.when.truth(&OfLoad(&last)) == Truth::True)
            .then(|| format!("`{}` over the last {over} s", abort.when.text))
    }

    fn violated(&self) -> Option<String> {
        match self.order.stop_on? {
            StopOn::Violation => {
                let found: u64 = self.pulses.iter().map(|pulse| pulse.violations).sum();
                let of_sentinels = (self.pace.violations() > 0).then_some("a sentinel was violated");
                of_sentinels
                    .or_else(|| (found > 0).then_some("a token was issued where it may not be"))
                    .map(str::to_owned)
            }
        }
    }

    /// Opens a spare chain aside, while there are any left; without one the asker's chain is gone.
    fn spare(&mut self, identity: Arc<Identity>, answer: oneshot::Sender<Option<Chain>>) {
        if self.spares_left == 0 || self.halt.asked() {
            return;
        }
        self.spares_left -= 1;
        let (source, turns) = (Arc::clone(&self.ground.source), Arc::clone(&self.sparing));
        let (opened, halt) = (Arc::clone(&self.spares_opened), self.halt.clone());
        self.spares.spawn(async move {
            let _turn = turns.acquire().await;
            let chain = open_spare(&source, &identity, &halt).await;
            opened.fetch_add(u32::from(chain.is_some()), Ordering::Relaxed);
            // The worker may have ended meanwhile.
            drop(answer.send(chain));
        });
    }

    #[expect(clippy::cast_possible_truncation, reason = "chains are counted in u32")]
    fn tick(&self, elapsed: Duration) -> LoadTick {
        let sum = |part: fn(&Pulse) -> u64| self.pulses.iter().map(part).sum::<u64>();
        let latest = self.series.latest();
        let response = latest.and_then(|second| second.response_us).unwrap_or_default();
        LoadTick {
            name: self.order.name.clone(),
            elapsed,
            stage: self.order.stage_name_at(elapsed),
            asked_rate: self.order.rate_at(elapsed),
            answered_rate: latest.map_or(0.0, |second| second.answered as f64),
            p50_us: response[0],
            p99_us: response[2],
            errors: sum(|pulse| pulse.totals.errors),
            answered: sum(|pulse| pulse.totals.answered),
            starved: sum(|pulse| pulse.totals.starved),
            slip_p99_us: latest.and_then(|second| second.slip_us_p99).unwrap_or(0),
            busy: (sum(|pulse| pulse.busy as u64) as u32, sum(|pulse| pulse.alive as u64) as u32),
        }
    }

    /// One result of all records.
    fn result(
        self,
        order: &Arc<Order>,
        chains: u32,
        elapsed: Duration,
        before: &Readings,
        workers_lost: usize,
        sentinels: Vec<SentinelResult>,
    ) -> LoadResult {
        let lag = self.finished.iter().map(|finished| finished.lag).max().unwrap_or_default();
        let mut tally = Tally::new(Arc::clone(order));
        let mut ledgers = Vec::new();
        let mut traffic = Traffic::default();
        for finished in self.finished {
            traffic = traffic.with(finished.traffic);
            tally.add(finished.tally);
            ledgers.push(finished.ledger);
        }
        close_book(&mut tally.book, order);
        let stopped = self.halt.asked() || tally.last_done.is_zero();
        let after = Readings::take();
        let stolen = after.stolen_since(before);
        let schedule = match &order.arrivals {
            Arrivals::Open(schedule) => Some(schedule),
            Arrivals::Closed { .. } => None,
        };
        let errors = tally.errors();
        let slip = tally.slip.clock();
        let service = tally.service.clock();
        let least_chains = least_chains(order, &service);
        let (series, per_second) = self.series.rows(schedule, &errors);
        let figures = Figures {
            slip_p99_us: slip.quantiles_us.get("p99").copied(),
            rate_off: rate_off(order, lag),
            stolen,
            clock_step: after.step_since(before),
            workers_lost,
        };
        LoadResult {
            name: order.name.clone(),
            asks: order.asks().to_owned(),
            model: order.model(),
            began_ms: before.began_ms(),
            took_us: micros(if stopped { elapsed } else { tally.last_done }),
            warm_up_us: micros(order.warm_up),
            chains: chains + self.spares_opened.load(Ordering::Relaxed),
            book: tally.book,
            response: tally.response.clock(),
            service,
            refused_response: tally.refused_response.clock(),
            refused_service: tally.refused_service.clock(),
            slip,
            parts: tally.parts(),
            series,
            errors,
            stages: order.marks(),
            ledger: closed_ledger(&mut ledgers),
            stolen,
            untrusted: trust::reasons(&figures, None),
            rates: Vec::new(),
            knee: None,
            sentinels,
            traffic,
            phases: tally.phases.result(&tally.service),
            least_chains,
            ended_early: self.ended_early,
            per_second: Arc::new(per_second),
        }
    }
}

/// The fewest chains that could have served the highest rate: each is busy for as long as an answer takes, and but for
/// one answer in a thousand none takes longer.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "neither is negative")]
fn least_chains(order: &Order, service: &Clock) -> Option<u64> {
    let Arrivals::Open(schedule) = &order.arrivals else { return None };
    let busy_s = service.quantiles_us.get("p99.9")? / 1e6;
    Some((schedule.peak() * busy_s).ceil() as u64)
}

/// Arrivals of a worker that left no record were cut off.
fn close_book(book: &mut Book, order: &Order) {
    if let Arrivals::Open(schedule) = &order.arrivals {
        book.scheduled = schedule.total();
        book.cut_off = book.scheduled - book.granted - book.refused - book.failed - book.starved;
    }
}

fn closed_ledger(ledgers: &mut [Ledger]) -> LedgerResult {
    ledger::close(ledgers, BUDGET_BYTES)
}

/// How much longer than asked the generator took to hand out its arrivals.
fn rate_off(order: &Order, lag: Duration) -> f64 {
    match &order.arrivals {
        Arrivals::Open(schedule) if !schedule.lasting().is_zero() => {
            lag.saturating_sub(LATE).as_secs_f64() / schedule.lasting().as_secs_f64()
        }
        Arrivals::Open(_) | Arrivals::Closed { .. } => 0.0,
    }
}

/// What the machine says of itself, before and after.
struct Readings {
    monotonic: Instant,
    wall: jiff::Timestamp,
    stat: Option<String>,
}

impl Readings {
    fn take() -> Readings {
        let stat = std::fs::read_to_string("/proc/stat").ok();
        Readings { monotonic: Instant::now(), wall: jiff::Timestamp::now(), stat }
    }

    /// The start that was given right after, in milliseconds since 1970.
    fn began_ms(&self) -> u64 {
        let start = jiff::SignedDuration::try_from(COUNTDOWN).map(|countdown| self.wall + countdown);
        start.ok().and_then(|start| u64::try_from(start.as_millisecond()).ok()).unwrap_or(0)
    }

    fn stolen_since(&self, before: &Readings) -> Option<f64> {
        trust::stolen_share(before.stat.as_deref()?, self.stat.as_deref()?)
    }

    /// How far the wall clock moved against the monotonic one.
    fn step_since(&self, before: &Readings) -> Duration {
        let monotonic = self.monotonic.duration_since(before.monotonic).as_millis();
        let wall = i128::from(self.wall.as_millisecond() - before.wall.as_millisecond());
        let step = i128::try_from(monotonic).map_or(0, |monotonic| (wall - monotonic).unsigned_abs());
        Duration::from_millis(u64::try_from(step).unwrap_or(u64::MAX))
    }
}
