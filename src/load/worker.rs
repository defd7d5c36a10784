//! One worker: a thread with its own runtime, connections, chains, histograms and ledger. It shares nothing
//! per request; what it tells the driver is a row a second, a pulse, and the wish for a spare chain.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::LocalOptions;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::chain::gear::Gear;
use crate::chain::ledger::Ledger;
use crate::chain::walk::{Ended, Step, Walk};
use crate::chain::{Chain, Identity, may_have_spent};
use crate::client::wire::{Connection, Watch};
use crate::client::{Client, Failure, Opening};
use crate::dialect::Dialect;
use crate::results::Traffic;
use crate::results::class;
use crate::results::event::Stop;
use crate::suite::profile::{Connections, LoadCall};

use super::order::{Arrivals, Kind, Order};
use super::pacer::Pacer;
use super::pool::{Arrival, Due, Offered, Pool};
use super::schedule::Schedule;
use super::tally::{Fate, Interval, Moments, Tally, Totals};

/// How often a worker looks up: for who waits too long, for the second's end, for the wish to stop.
const SWEEP: Duration = Duration::from_millis(20);
/// How often it tells how far it is.
const PULSE: Duration = Duration::from_millis(250);
/// How long answers in flight are waited for after the wish to stop.
const GRACE: Duration = Duration::from_secs(2);
/// How long a user waits after it could not connect.
const BREATH: Duration = Duration::from_millis(100);
/// Connections that are opened at once.
const CONNECTING: usize = 32;

/// What a worker is given.
#[derive(Debug)]
pub struct Kit {
    /// Which worker, from 0.
    pub index: usize,
    /// Of how many.
    pub workers: usize,
    /// What the profile orders.
    pub order: Arc<Order>,
    /// The door.
    pub client: Arc<Client>,
    /// How the endpoint speaks.
    pub dialect: Arc<Dialect>,
    /// Its share of the chains.
    pub walks: Vec<Walk>,
    /// Its part of the ledger.
    pub ledger: Ledger,
    /// Requests of its users, at most.
    pub quota: u64,
    /// Where it reports.
    pub reports: mpsc::UnboundedSender<Report>,
    /// When everybody is ready: the start.
    pub go: oneshot::Receiver<Instant>,
    /// The wish to stop.
    pub halt: Halt,
}

/// The wish to stop: by the user, by the profile itself, or because nobody waits for the result any more.
#[derive(Clone, Debug)]
pub struct Halt {
    /// By the user.
    pub stop: Stop,
    /// The driver is gone.
    pub abandoned: Arc<AtomicBool>,
    /// By the profile's own word.
    pub early: Arc<AtomicBool>,
}

impl Halt {
    /// Whether to stop.
    pub fn asked(&self) -> bool {
        self.stop.asked() || self.abandoned.load(Ordering::Acquire) || self.early.load(Ordering::Acquire)
    }
}

/// What a worker says.
#[derive(Debug)]
pub enum Report {
    /// Its connections are open.
    Ready,
    /// A second is over.
    Second(usize, Box<Interval>),
    /// How far it is.
    Pulse(usize, Pulse),
    /// A chain is over; one of the same owner is wanted in its place.
    Spare(Arc<Identity>, oneshot::Sender<Option<Chain>>),
    /// It is done.
    Finished(Box<Finished>),
}

/// How far a worker is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    /// Totals.
    pub totals: Totals,
    /// Chains in use.
    pub busy: usize,
    /// Chains in all.
    pub alive: usize,
    /// Tokens that the ledger found where they may not be, and grants to tokens that were never issued.
    pub violations: u64,
}

/// What a worker leaves.
#[derive(Debug)]
pub struct Finished {
    /// Its record.
    pub tally: Tally,
    /// Its ledger.
    pub ledger: Ledger,
    /// How late the last arrival was handed out.
    pub lag: Duration,
    /// Its connections.
    pub traffic: Traffic,
}

/// Does the work of `kit` on this thread.
pub fn run(kit: Kit) {
    // Without a runtime there is no report, and the driver counts the worker as lost.
    let mut builder = tokio::runtime::Builder::new_current_thread();
    if let Ok(runtime) = builder.enable_all().build_local(LocalOptions::default()) {
        runtime.block_on(work(kit));
    }
}

async fn work(mut kit: Kit) {
    let gear = kit.gear();
    // Where each request opens its own connection, that is part of what it waits for.
    let ahead = kit.order.connections != Connections::Requests(1);
    let (riders, openings) = connect_all(std::mem::take(&mut kit.walks), &kit.client, ahead).await;
    // A driver that is gone hears nothing, here and below; `halt` then ends the work.
    drop(kit.reports.send(Report::Ready));
    let Ok(start) = (&mut kit.go).await else { return };
    let desk = Rc::new(Desk::new(kit, gear, &riders, &openings, start));
    match &desk.order.arrivals {
        Arrivals::Open(schedule) => {
            for (chain, rider) in riders.into_iter().enumerate() {
                tokio::task::spawn_local(ride(Rc::clone(&desk), chain, rider));
            }
            pace(&desk, schedule).await;
        }
        Arrivals::Closed { think, .. } => {
            for rider in riders {
                tokio::task::spawn_local(live(Rc::clone(&desk), rider, *think));
            }
            attend(&desk).await;
        }
    }
    desk.finish().await;
}

impl Kit {
    /// What the walks of this worker share.
    fn gear(&self) -> Gear {
        let held = self.walks.first().map_or_else(Arc::default, |walk| Arc::clone(walk.held()));
        let formats = self.order.mix.words().to_vec();
        let (client, dialect) = (Arc::clone(&self.client), Arc::clone(&self.dialect));
        Gear::new(client, dialect, formats, held)
    }
}

/// A chain and its connection.
#[derive(Debug)]
struct Rider {
    walk: Walk,
    connection: Option<Connection>,
    watch: Rc<Watch>,
    /// Requests that the connection has carried; stays when it was closed for having carried enough.
    carried: u32,
}

impl Rider {
    fn is_connected(&mut self) -> bool {
        self.connection.as_mut().is_some_and(Connection::is_open)
    }
}

/// Opens a connection for each chain; where that fails, the first arrival will try again.
async fn connect_all(walks: Vec<Walk>, client: &Arc<Client>, ahead: bool) -> (Vec<Rider>, Vec<Opening>) {
    let turns = Arc::new(Semaphore::new(CONNECTING));
    let mut opening = JoinSet::new();
    for walk in walks {
        let (client, turns) = (Arc::clone(client), Arc::clone(&turns));
        opening.spawn_local(async move {
            let _turn = turns.acquire().await;
            let connected = if ahead { client.connect_timed().await.ok() } else { None };
            let (connection, opening) = connected.unzip();
            (Rider { walk, connection, watch: Rc::default(), carried: 0 }, opening)
        });
    }
    let (riders, openings): (_, Vec<_>) = opening.join_all().await.into_iter().unzip();
    (riders, openings.into_iter().flatten().collect())
}

/// What the chains of one worker share.
struct Desk {
    index: usize,
    workers: usize,
    order: Arc<Order>,
    client: Arc<Client>,
    dialect: Arc<Dialect>,
    start: Instant,
    pool: RefCell<Pool>,
    tally: RefCell<Tally>,
    ledger: RefCell<Option<Ledger>>,
    gear: RefCell<Gear>,
    /// Of all riders: where an exchange that takes too long is called off.
    watches: Vec<Rc<Watch>>,
    reports: mpsc::UnboundedSender<Report>,
    halt: Halt,
    /// Requests that users may still start.
    quota: Cell<u64>,
    /// Requests that users have started.
    started: Cell<u64>,
    lag: Cell<Duration>,
    /// The time when it was read last. It is good enough for what a reading of its own would cost too much.
    seen: Cell<Duration>,
    swept: Cell<Duration>,
    pulsed: Cell<Duration>,
    traffic: Cell<Traffic>,
}

impl Desk {
    fn new(kit: Kit, gear: Gear, riders: &[Rider], openings: &[Opening], start: Instant) -> Desk {
        let mut tally = Tally::new(Arc::clone(&kit.order));
        for opening in openings {
            tally.phases.opened(*opening);
        }
        let mut ledger = kit.ledger;
        for rider in riders {
            ledger.enter(rider.walk.number, rider.walk.opened_with());
        }
        Desk {
            index: kit.index,
            workers: kit.workers,
            tally: RefCell::new(tally),
            order: kit.order,
            client: kit.client,
            dialect: kit.dialect,
            start,
            pool: RefCell::new(Pool::new(riders.len())),
            ledger: RefCell::new(Some(ledger)),
            gear: RefCell::new(gear),
            watches: riders.iter().map(|rider| Rc::clone(&rider.watch)).collect(),
            reports: kit.reports,
            halt: kit.halt,
            quota: Cell::new(kit.quota),
            started: Cell::new(0),
            lag: Cell::new(Duration::ZERO),
            seen: Cell::new(Duration::ZERO),
            swept: Cell::new(Duration::ZERO),
            pulsed: Cell::new(Duration::ZERO),
            traffic: Cell::new(Traffic { opened: openings.len() as u64, ..Traffic::default() }),
        }
    }

    /// The time since the start; zero before it.
    fn now(&self) -> Duration {
        self.since(Instant::now())
    }

    fn since(&self, moment: Instant) -> Duration {
        let since = moment.saturating_duration_since(self.start);
        self.seen.set(self.seen.get().max(since));
        since
    }

    /// Sends one request of `rider` and records what came of it. Whether others had their turn meanwhile.
    async fn serve(&self, rider: &mut Rider, mut due: Due) -> bool {
        let kind = self.order.kind_of(due.arrival.number);
        let mut ready = None;
        if !rider.is_connected() {
            let now = *ready.insert(self.now());
            if let Err(failure) = self.connect(rider).await {
                self.fail_unsent(&due, kind, now, failure);
                return true;
            }
        }
        let step = self.call(rider, kind, due.arrival.number).await;
        let sent = self.since(step.sent_at);
        let first = step.first_byte_at.map(|first| self.since(first));
        let moments = Moments { ready: ready.unwrap_or(sent), sent, done: self.since(step.done_at), first };
        if matches!(self.order.arrivals, Arrivals::Closed { .. }) {
            // A user has one clock: nobody but itself said when it should ask. What it does each time, such as
            // connecting, is part of it.
            let connects = self.order.connections != Connections::Keep;
            due.arrival.intended = if connects { moments.ready } else { sent };
        }
        self.record(rider, &due, kind, moments, &step);
        self.close_where_used_up(rider);
        step.waited
    }

    /// Counts what the connection has carried, and closes it where that is enough.
    fn close_where_used_up(&self, rider: &mut Rider) {
        let reused = u64::from(rider.carried > 0);
        let moved = rider.connection.as_mut().map(Connection::take_moved).unwrap_or_default();
        self.count(Traffic { opened: 0, reused, sent_bytes: moved.sent, received_bytes: moved.received });
        rider.carried = rider.carried.saturating_add(1);
        match self.order.connections {
            Connections::Requests(most) if rider.carried >= most => rider.connection = None,
            Connections::Requests(_) | Connections::Keep => {}
        }
    }

    fn count(&self, more: Traffic) {
        self.traffic.set(self.traffic.get().with(more));
    }

    /// Sends the call of this kind on the open connection.
    async fn call(&self, rider: &mut Rider, kind: Kind, number: u64) -> Step {
        let composed = "the driver has composed every format of the mix";
        let connection = rider.connection.as_mut().expect("it is connected, or was just now");
        match self.order.call_of(kind) {
            LoadCall::Good => {
                let spent = rider.walk.spend(connection, &self.gear, kind.format, &rider.watch);
                spent.await.expect(composed)
            }
            LoadCall::Unknown => {
                let format = kind.format.map(|index| self.order.mix.words()[index].as_str());
                let timeout = self.client.target().timeout;
                let stranger = rider.walk.stranger(&self.client, &self.dialect, format, number);
                Walk::ask(&stranger.expect(composed), connection, &self.dialect, timeout).await
            }
        }
    }

    async fn connect(&self, rider: &mut Rider) -> Result<(), Failure> {
        rider.carried = 0;
        let (connection, opening) = self.client.connect_timed().await?;
        rider.connection = Some(connection);
        self.tally.borrow_mut().phases.opened(opening);
        self.count(Traffic { opened: 1, ..Traffic::default() });
        Ok(())
    }

    fn fail_unsent(&self, due: &Due, kind: Kind, ready: Duration, failure: Failure) {
        let moments = Moments { ready, sent: ready, done: self.now(), first: None };
        let fate = Fate::Error(failure.word().to_owned());
        self.tally.borrow_mut().record(due, kind, moments, fate, || self.client.explained(failure));
    }

    fn record(&self, rider: &Rider, due: &Due, kind: Kind, moments: Moments, step: &Step) {
        let mut tally = self.tally.borrow_mut();
        let unknown = self.order.call_of(kind) == LoadCall::Unknown;
        let fate = match &step.ended {
            Ended::Granted(_) if unknown => Fate::Error(class::UNKNOWN_GRANTED.to_owned()),
            Ended::Refused(_) if unknown => Fate::RightlyRefused,
            Ended::Granted(news) => {
                if let Some(ledger) = self.ledger.borrow_mut().as_mut() {
                    ledger.enter(rider.walk.number, rider.walk.issued(*news));
                }
                Fate::Granted
            }
            Ended::Refused(refusal) => Fate::Error(class::refused(refusal.word())),
            Ended::Crash(status) => Fate::Error(class::crash(*status)),
            Ended::Garbled(status) => Fate::Error(class::garbled(*status)),
            Ended::Failed(failure) => Fate::Error(failure.word().to_owned()),
        };
        let left = !matches!(step.ended, Ended::Failed(failure) if !may_have_spent(failure));
        tally.book.sent += u64::from(left);
        tally.record(due, kind, moments, fate, || step.redacted(&self.dialect));
    }

    /// Makes `rider` ready for its next request: a spare in place of a chain that is over, an open connection
    /// in place of a closed one. Off the clock. Answers whether there is a chain at all.
    async fn mend(&self, rider: &mut Rider) -> bool {
        if rider.walk.is_usable() && rider.is_connected() {
            return true;
        }
        if !rider.walk.is_usable() {
            let Some(chain) = self.spare(&rider.walk.identity).await else { return false };
            rider.walk = Walk::new(chain, &self.dialect);
            if let Some(ledger) = self.ledger.borrow_mut().as_mut() {
                ledger.enter(rider.walk.number, rider.walk.opened_with());
            }
        }
        let closed_by_us = rider.connection.is_none() && rider.carried > 0;
        if !closed_by_us && !rider.is_connected() && !self.halt.asked() {
            // Where this fails, the next request will try again and have the failure for an answer.
            rider.connection = None;
            let _ = self.connect(rider).await;
        }
        let _ = self.now();
        true
    }

    async fn spare(&self, identity: &Arc<Identity>) -> Option<Chain> {
        let (answer, asked) = oneshot::channel();
        self.reports.send(Report::Spare(Arc::clone(identity), answer)).ok()?;
        asked.await.ok().flatten()
    }

    /// Looks up: at who waits too long, at the second, at who listens.
    fn sweep(&self) {
        let now = self.now();
        if now.saturating_sub(self.swept.get()) < SWEEP {
            return;
        }
        self.swept.set(now);
        self.starve_overdue(now);
        self.call_off_overdue(now);
        self.gear.borrow_mut().hand_in();
        self.ledger.borrow_mut().iter_mut().for_each(Ledger::settle);
        let finished = {
            let mut tally = self.tally.borrow_mut();
            tally.roll(now);
            tally.finished()
        };
        self.hand_in(finished);
        if now.saturating_sub(self.pulsed.get()) >= PULSE {
            self.pulsed.set(now);
            let pool = self.pool.borrow();
            let totals = self.tally.borrow().totals();
            let found = self.ledger.borrow().as_ref().map_or(0, Ledger::found);
            let violations = found + self.tally.borrow().count_of(class::UNKNOWN_GRANTED);
            let pulse = Pulse { totals, busy: pool.held(), alive: pool.alive(), violations };
            drop(self.reports.send(Report::Pulse(self.index, pulse)));
        }
    }

    fn hand_in(&self, seconds: Vec<Interval>) {
        for second in seconds {
            drop(self.reports.send(Report::Second(self.index, Box::new(second))));
        }
    }

    /// Calls off the exchanges that take longer than an answer may.
    fn call_off_overdue(&self, now: Duration) {
        if let Some(latest) = (self.start + now).checked_sub(self.client.target().timeout) {
            self.watches.iter().for_each(|watch| watch.call_off(latest));
        }
    }

    fn starve_overdue(&self, now: Duration) {
        let overdue = self.pool.borrow_mut().expire(now, self.order.max_wait);
        self.starve(&overdue, now);
    }

    fn starve(&self, arrivals: &[Arrival], now: Duration) {
        for arrival in arrivals {
            self.tally.borrow_mut().starve(arrival, now);
        }
    }

    /// Waits for what is in flight, closes the book, and hands everything in.
    async fn finish(&self) {
        let timeout = self.client.target().timeout;
        if self.halt.asked() {
            self.pool.borrow_mut().close();
            self.quiet(self.now() + timeout.min(GRACE), false).await;
        } else {
            // Nothing waits longer than that, so the bound is only met where something is wrong here.
            let connect = self.client.target().connect_timeout;
            let bound = self.now() + self.order.max_wait + timeout + connect + GRACE;
            self.quiet(bound, true).await;
            if self.halt.asked() {
                self.pool.borrow_mut().close();
                self.quiet(self.now() + timeout.min(GRACE), false).await;
            }
        }
        let mut tally = self.tally.replace(Tally::new(Arc::clone(&self.order)));
        if let Arrivals::Open(schedule) = &self.order.arrivals {
            tally.book.scheduled = share(schedule.total(), self.index, self.workers);
        }
        let book = &mut tally.book;
        let settled = book.granted + book.refused + book.failed + book.starved;
        debug_assert!(book.scheduled >= settled, "no arrival is settled twice");
        book.cut_off = book.scheduled.saturating_sub(settled);
        book.sent += self.pool.borrow().held() as u64;
        self.hand_in(tally.end());
        let ledger = self.ledger.borrow_mut().take().expect("only this takes it");
        let finished = Finished { tally, ledger, lag: self.lag.get(), traffic: self.traffic.get() };
        drop(self.reports.send(Report::Finished(Box::new(finished))));
    }

    /// Returns when nothing is in flight, at the latest at `bound`, or as soon as somebody asks to stop.
    async fn quiet(&self, bound: Duration, heed: bool) {
        while !self.pool.borrow().is_quiet() && self.now() < bound && !(heed && self.halt.asked()) {
            tokio::time::sleep(Duration::from_millis(2)).await;
            self.sweep();
        }
    }
}

/// Arrivals of worker `index` of `workers` among `total`.
pub fn share(total: u64, index: usize, workers: usize) -> u64 {
    let (index, workers) = (index as u64, workers as u64);
    if index >= total { 0 } else { (total - index).div_ceil(workers) }
}

/// One chain of an open profile: takes what is due, until the pool is closed or the chain cannot be mended.
async fn ride(desk: Rc<Desk>, chain: usize, mut rider: Rider) {
    desk.pool.borrow_mut().release(chain, desk.now());
    while let Some(due) = poll_fn(|context| desk.pool.borrow_mut().poll_due(chain, context)).await {
        desk.serve(&mut rider, due).await;
        desk.pool.borrow_mut().settle();
        let mended = desk.mend(&mut rider).await;
        let now = desk.seen.get();
        desk.starve_overdue(now);
        if !mended {
            let hopeless = desk.pool.borrow_mut().leave();
            desk.starve(&hopeless, now);
            return;
        }
        desk.pool.borrow_mut().release(chain, now);
    }
}

/// Hands out the arrivals of this worker, each at its moment.
async fn pace(desk: &Rc<Desk>, schedule: &Schedule) {
    let mut pacer = Pacer::new();
    let mut number = desk.index as u64;
    while let Some(intended) = schedule.nth(number) {
        if !wait_until(desk, &mut pacer, intended).await {
            return;
        }
        let now = desk.now();
        desk.lag.set(now.saturating_sub(intended));
        let arrival = Arrival { number, intended };
        let offered = desk.pool.borrow_mut().offer(arrival);
        match offered {
            Offered::Taken => {}
            Offered::Waits => desk.tally.borrow_mut().book.delayed += 1,
            Offered::Hopeless => desk.starve(&[arrival], now),
        }
        number += desk.workers as u64;
    }
}

/// Returns at `moment`; false if somebody asks to stop before.
async fn wait_until(desk: &Desk, pacer: &mut Pacer, moment: Duration) -> bool {
    let moment = desk.start + moment;
    let mut waited = false;
    while !desk.halt.asked() {
        desk.sweep();
        let now = Instant::now();
        if now >= moment {
            if !waited {
                // Behind its schedule, the pacer still leaves the chains their turn.
                tokio::task::yield_now().await;
            }
            return true;
        }
        waited = true;
        pacer.until(moment.min(now + SWEEP)).await;
    }
    false
}

/// One user of a closed profile.
async fn live(desk: Rc<Desk>, mut rider: Rider, think: Duration) {
    tokio::time::sleep_until(desk.start.into()).await;
    let _ = desk.now();
    let mut at = Duration::ZERO;
    while let Some(arrival) = next_of_user(&desk) {
        desk.pool.borrow_mut().hold();
        let waited = desk.serve(&mut rider, Due { arrival, at }).await;
        desk.pool.borrow_mut().settle();
        if !desk.mend(&mut rider).await {
            break;
        }
        let could_connect = rider.connection.is_some() || rider.carried > 0;
        let pause = if could_connect { think } else { think.max(BREATH) };
        at = desk.seen.get() + pause;
        if !pause.is_zero() {
            tokio::time::sleep_until((desk.start + at).into()).await;
            let _ = desk.now();
        } else if !waited {
            // An answer that is there at once must not keep the others from their turn.
            tokio::task::yield_now().await;
        }
    }
    drop(desk.pool.borrow_mut().leave());
}

/// The next request of a user, if there is one more to start.
fn next_of_user(desk: &Desk) -> Option<Arrival> {
    let now = desk.seen.get();
    let over = desk.order.lasting.is_some_and(|lasting| now >= lasting);
    if over || desk.quota.get() == 0 || desk.halt.asked() {
        return None;
    }
    desk.quota.set(desk.quota.get() - 1);
    let started = desk.started.replace(desk.started.get() + 1);
    desk.tally.borrow_mut().start(now);
    Some(Arrival { number: desk.index as u64 + started * desk.workers as u64, intended: now })
}

/// Looks up while users live.
async fn attend(desk: &Desk) {
    while desk.pool.borrow().alive() > 0 && !desk.halt.asked() {
        tokio::time::sleep(SWEEP / 2).await;
        desk.sweep();
    }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn shares_of_workers_add_up() {
        for total in 0..20 {
            for workers in 1..5 {
                let sum: u64 = (0..workers).map(|index| share(total, index, workers)).sum();
                assert_eq!(sum, total);
            }
        }
    }
}
