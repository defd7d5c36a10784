//! A salvo: the shots of one moment, written by two threads on two CPUs.
//!
//! A server on the same machine is often woken on the CPU of whoever writes to it, and answers before that thread
//! can write again. The other thread goes on meanwhile, so that all is sent before the first answer comes.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::volley::Ready;

/// How long one thread waits for the other to be there; then it goes alone.
const PATIENCE: Duration = Duration::from_millis(1);

/// How long it keeps its CPU meanwhile. On a busy machine the other may need that very CPU.
const EAGER: Duration = Duration::from_micros(50);

/// How long a write that does not return is waited for before the salvo counts as pulled apart.
const WATCH: Duration = Duration::from_millis(50);

/// What the two threads share.
struct Salvo {
    shots: Vec<Mutex<Aimed>>,
    /// Of each shot, to ask for news while another thread is still at it.
    sockets: Vec<OwnedFd>,
    /// The write returned.
    written: Vec<AtomicBool>,
    /// A write took only a part: the rest follows later.
    torn: AtomicBool,
    next: AtomicUsize,
    there: AtomicUsize,
    gone: AtomicUsize,
    alone: AtomicBool,
}

/// A shot, and when it was released.
struct Aimed {
    shot: Ready,
    released_at: Option<Instant>,
}

/// Releases all of them now. Says when each was, and whether all were sent before anything had come.
pub(super) async fn release(shots: Vec<Ready>) -> (Vec<(Ready, Instant)>, bool) {
    let salvo = Arc::new(Salvo::of(shots));
    let cpus = if salvo.shots.len() > 1 { two_cpus() } else { None };
    match cpus {
        None => salvo.fire(1),
        Some((home, cpus)) => {
            let fire = |cpu: CpuSet| {
                let salvo = Arc::clone(&salvo);
                tokio::task::spawn_blocking(move || {
                    // Without it the two may share a CPU: then it is as if there were one.
                    let moved = sched_setaffinity(None, &cpu);
                    salvo.fire(2);
                    if moved.is_ok() {
                        // The runtime uses this thread again; where it cannot go home it works from here.
                        let _ = sched_setaffinity(None, &home);
                    }
                })
            };
            for fired in cpus.map(fire) {
                // One that panicked has said so; what it did not write is written by whoever hears the answer.
                drop(fired.await);
            }
        }
    }
    let salvo = Arc::into_inner(salvo).expect("the threads have ended");
    let alone = salvo.alone.into_inner() && !salvo.torn.into_inner();
    let now = Instant::now();
    let aimed = salvo.shots.into_iter().map(|shot| shot.into_inner().unwrap_or_else(PoisonError::into_inner));
    (aimed.map(|aimed| (aimed.shot, aimed.released_at.unwrap_or(now))).collect(), alone)
}

/// Passes a moment of a wait since `began`.
fn pass(began: Instant) {
    if began.elapsed() < EAGER {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Where this thread may run, and two CPUs of it.
fn two_cpus() -> Option<(CpuSet, [CpuSet; 2])> {
    let home = sched_getaffinity(None).ok()?;
    let mut allowed = (0..CpuSet::MAX_CPU).filter(|cpu| home.is_set(*cpu));
    let only = |cpu: usize| {
        let mut set = CpuSet::new();
        set.set(cpu);
        set
    };
    let (first, second) = (allowed.next()?, allowed.next()?);
    Some((home, [only(first), only(second)]))
}

impl Salvo {
    fn of(shots: Vec<Ready>) -> Salvo {
        let socket = |shot: &Ready| shot.connection.cloned_socket();
        // A connection that is closed already makes the salvo one that is not complete.
        let sockets: Vec<OwnedFd> = shots.iter().filter_map(socket).collect();
        Salvo {
            written: shots.iter().map(|_| AtomicBool::new(false)).collect(),
            shots: shots.into_iter().map(|shot| Mutex::new(Aimed { shot, released_at: None })).collect(),
            sockets,
            torn: AtomicBool::new(false),
            next: AtomicUsize::new(0),
            there: AtomicUsize::new(0),
            gone: AtomicUsize::new(0),
            alone: AtomicBool::new(false),
        }
    }

    /// One thread's part. The first that finds nothing left to write looks for answers.
    fn fire(&self, threads: usize) {
        let came = Instant::now();
        self.there.fetch_add(1, Ordering::SeqCst);
        while self.there.load(Ordering::SeqCst) < threads && came.elapsed() < PATIENCE {
            pass(came);
        }
        loop {
            let index = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(shot) = self.shots.get(index) else { break };
            let mut aimed = shot.lock().unwrap_or_else(PoisonError::into_inner);
            let Aimed { shot, released_at } = &mut *aimed;
            *released_at = Some(shot.connection.release(&mut shot.held));
            self.torn.fetch_or(!shot.held.is_out(), Ordering::SeqCst);
            self.written[index].store(true, Ordering::SeqCst);
        }
        if self.gone.fetch_add(1, Ordering::SeqCst) == 0 {
            self.alone.store(self.watch(), Ordering::SeqCst);
        }
    }

    /// Whether every shot was with the server before anything came.
    ///
    /// A write may have delivered and not returned, because the server took its thread's place. It is known to have
    /// delivered where the first answer of all is the one to it.
    fn watch(&self) -> bool {
        if self.sockets.len() < self.shots.len() {
            return false;
        }
        let began = Instant::now();
        while began.elapsed() < WATCH {
            let written = self.written.iter().map(|written| written.load(Ordering::SeqCst));
            let out: Vec<usize> =
                written.enumerate().filter(|(_, done)| !done).map(|(index, _)| index).collect();
            match (self.news(), out.as_slice()) {
                (Some(news), []) if news.is_empty() => return true,
                (Some(news), _) if news.is_empty() => pass(began),
                (Some(news), [one]) => return news == [*one],
                (Some(_) | None, _) => return false,
            }
        }
        false
    }

    /// On which connections something has come: asked of the system in one call, as time is short.
    fn news(&self) -> Option<Vec<usize>> {
        let mut asked: Vec<PollFd<'_>> =
            self.sockets.iter().map(|socket| PollFd::new(socket, PollFlags::IN)).collect();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut asked, Some(&at_once)).ok()?;
        let told = asked.iter().enumerate().filter(|(_, socket)| !socket.revents().is_empty());
        Some(told.map(|(index, _)| index).collect())
    }
}
