//! The chains of one worker: who is free, who waits for one, who waited too long. No clock and no sockets.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// One request that should leave. Moments are counted from the start of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number in the profile.
    pub number: u64,
    /// When it should leave.
    pub intended: Duration,
}

/// An arrival in the hands of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub arrival: Arrival,
    /// From when on nothing but the generator kept it: its moment, or that of the chain that it waited for.
    pub at: Duration,
}

/// What became of an offered arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// A chain has it.
    Taken,
    /// It waits for one.
    Waits,
    /// There is no chain, and none will come.
    Hopeless,
}

/// The chains of one worker by number, and the arrivals that wait for one.
#[derive(Debug, Default)]
pub struct Pool {
    hands: Vec<Hand>,
    idle: VecDeque<usize>,
    waiting: VecDeque<Arrival>,
    alive: usize,
    held: usize,
    closed: bool,
}

/// What a chain holds out its hand for.
#[derive(Debug, Default)]
struct Hand {
    due: Option<Due>,
    waker: Option<Waker>,
}

impl Pool {
    /// A pool of `chains`, none of them free yet.
    pub fn new(chains: usize) -> Pool {
        Pool { hands: (0..chains).map(|_| Hand::default()).collect(), alive: chains, ..Pool::default() }
    }

    /// Hands `arrival` to the chain that has been free longest, or lets it wait in order.
    pub fn offer(&mut self, arrival: Arrival) -> Offered {
        if let Some(chain) = self.idle.pop_front() {
            self.hand_over(chain, Due { arrival, at: arrival.intended });
            return Offered::Taken;
        }
        if self.alive == 0 {
            return Offered::Hopeless;
        }
        self.waiting.push_back(arrival);
        Offered::Waits
    }

    /// The chain is free from `now` on: it takes what waits longest, or rests until an arrival is offered.
    pub fn release(&mut self, chain: usize, now: Duration) {
        match self.waiting.pop_front() {
            Some(arrival) => self.hand_over(chain, Due { arrival, at: arrival.intended.max(now) }),
            None => self.idle.push_back(chain),
        }
    }

    /// The arrival in the chain's hand, when there is one; `None` when the pool is closed.
    pub fn poll_due(&mut self, chain: usize, context: &Context<'_>) -> Poll<Option<Due>> {
        let hand = &mut self.hands[chain];
        if let Some(due) = hand.due.take() {
            return Poll::Ready(Some(due));
        }
        if self.closed {
            return Poll::Ready(None);
        }
        if !hand.waker.as_ref().is_some_and(|own| own.will_wake(context.waker())) {
            hand.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// A chain has taken up a request of its own accord.
    pub fn hold(&mut self) {
        self.held += 1;
    }

    /// The chain has settled what it held.
    pub fn settle(&mut self) {
        self.held -= 1;
    }

    /// The chain is gone for good. Without any chain nothing that waits has hope: it is given back.
    pub fn leave(&mut self) -> Vec<Arrival> {
        self.alive -= 1;
        if self.alive == 0 { self.waiting.drain(..).collect() } else { Vec::new() }
    }

    /// Takes out the arrivals that have waited longer than `max_wait`.
    pub fn expire(&mut self, now: Duration, max_wait: Duration) -> Vec<Arrival> {
        let overdue = |arrival: &Arrival| now.saturating_sub(arrival.intended) > max_wait;
        let count = self.waiting.iter().take_while(|arrival| overdue(arrival)).count();
        self.waiting.drain(..count).collect()
    }

    /// No more arrivals: what waits is dropped, and free chains go home. Those at work settle first.
    pub fn close(&mut self) {
        self.closed = true;
        self.waiting.clear();
        for waker in self.hands.iter().filter_map(|hand| hand.waker.as_ref()) {
            waker.wake_by_ref();
        }
    }

    /// Whether nothing waits and nothing is held.
    pub fn is_quiet(&self) -> bool {
        self.waiting.is_empty() && self.held == 0
    }

    /// Arrivals in the hands of chains.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Chains that are not gone.
    pub fn alive(&self) -> usize {
        self.alive
    }

    fn hand_over(&mut self, chain: usize, due: Due) {
        self.held += 1;
        let hand = &mut self.hands[chain];
        hand.due = Some(due);
        if let Some(waker) = &hand.waker {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn arrival(number: u64, at_ms: u64) -> Arrival {
        Arrival { number, intended: ms(at_ms) }
    }

    fn taken(pool: &mut Pool, chain: usize) -> Option<Due> {
        match pool.poll_due(chain, &Context::from_waker(Waker::noop())) {
            Poll::Ready(due) => due,
            Poll::Pending => None,
        }
    }

    #[test]
    fn the_chain_that_is_free_longest_comes_first() {
        let mut pool = Pool::new(2);
        pool.release(1, ms(0));
        pool.release(0, ms(0));
        assert_eq!(pool.offer(arrival(0, 5)), Offered::Taken);
        assert_eq!(taken(&mut pool, 1), Some(Due { arrival: arrival(0, 5), at: ms(5) }));
        assert_eq!(taken(&mut pool, 0), None);
    }

    #[test]
    fn an_arrival_waits_in_order_and_is_due_when_a_chain_is_free() {
        let mut pool = Pool::new(1);
        assert_eq!(pool.offer(arrival(0, 10)), Offered::Waits);
        assert_eq!(pool.offer(arrival(1, 20)), Offered::Waits);
        assert!(!pool.is_quiet());
        pool.release(0, ms(35));
        assert_eq!(taken(&mut pool, 0), Some(Due { arrival: arrival(0, 10), at: ms(35) }));
        pool.settle();
        pool.release(0, ms(50));
        assert_eq!(taken(&mut pool, 0).unwrap().arrival.number, 1);
        pool.settle();
        assert!(pool.is_quiet());
    }

    #[test]
    fn who_waits_too_long_starves_in_order() {
        let mut pool = Pool::new(1);
        for number in 0..3 {
            pool.offer(arrival(number, number * 10));
        }
        assert_eq!(pool.expire(ms(115), ms(100)), [arrival(0, 0), arrival(1, 10)]);
        assert_eq!(pool.expire(ms(115), ms(100)), []);
    }

    #[test]
    fn without_chains_there_is_no_hope() {
        let mut pool = Pool::new(1);
        pool.offer(arrival(0, 0));
        assert_eq!(pool.leave(), [arrival(0, 0)]);
        assert_eq!(pool.offer(arrival(1, 1)), Offered::Hopeless);
    }

    #[test]
    fn a_closed_pool_lets_the_working_finish_and_sends_the_free_home() {
        let mut pool = Pool::new(2);
        pool.release(0, ms(0));
        pool.offer(arrival(0, 0));
        pool.offer(arrival(1, 0));
        pool.close();
        assert!(taken(&mut pool, 0).is_some());
        assert_eq!(pool.poll_due(1, &Context::from_waker(Waker::noop())), Poll::Ready(None));
        assert_eq!(pool.held(), 1);
    }
}
