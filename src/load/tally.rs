//! What one worker records: histograms, the book, error classes, and a row a second. Nothing is shared, nothing
//! is locked; the tallies of all workers are added when the profile is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::results::class;
use crate::results::latency::Recorder;
use crate::results::{Book, ErrorCount, Part};

use super::order::{Kind, Order, micros};
use super::phases::Phases;
use super::pool::{Arrival, Due};

/// One worker's record of a profile.
#[derive(Debug)]
pub struct Tally {
    order: Arc<Order>,
    /// Where every arrival went.
    pub book: Book,
    /// Response time of granted answers.
    pub response: Recorder,
    /// Service time of granted answers.
    pub service: Recorder,
    /// Response time of refused answers.
    pub refused_response: Recorder,
    /// Service time of refused answers.
    pub refused_service: Recorder,
    /// What the generator itself added.
    pub slip: Recorder,
    /// How long the phases took.
    pub phases: Phases,
    /// When the last answer was there.
    pub last_done: Duration,
    parts: Vec<PartTally>,
    errors: BTreeMap<String, ErrorTally>,
    errors_seen: u64,
    second: Interval,
    finished: Vec<Interval>,
}

/// One part: a format, a stage, an edge.
#[derive(Debug, Default)]
struct PartTally {
    response: Recorder,
    service: Recorder,
    errors: u64,
}

/// One class of errors.
#[derive(Debug)]
struct ErrorTally {
    count: u64,
    first: Duration,
    example: String,
}

/// One second of one worker.
#[derive(Clone, Debug, Default)]
pub struct Interval {
    /// Which, from 0.
    pub second: u32,
    /// Requests of users that were started; a schedule knows its own.
    pub asked: u64,
    /// Answered.
    pub answered: u64,
    /// Starved.
    pub starved: u64,
    /// Errors by class.
    pub errors: BTreeMap<String, u64>,
    /// Response time of what was granted.
    pub response: Recorder,
    /// Service time of what was granted.
    pub service: Recorder,
    /// Slip of what was answered or failed.
    pub slip: Recorder,
    /// Response time of what was granted, warm-up aside.
    pub granted: Recorder,
}

/// The moments of one request, from the start of the profile.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    /// When the generator had it ready: just before the first byte, or before a connection had to be opened.
    pub ready: Duration,
    /// Just before the first byte.
    pub sent: Duration,
    /// When the answer was complete, or it failed.
    pub done: Duration,
    /// When its first byte was there, where that was before the last.
    pub first: Option<Duration>,
}

/// What became of one request.
#[derive(Debug)]
pub enum Fate {
    /// Granted.
    Granted,
    /// Refused, as it should be: no error.
    RightlyRefused,
    /// Refused, or failed: the class, and a redacted example that is only made for the first.
    Error(String),
}

/// Totals for a look from outside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Answers so far.
    pub answered: u64,
    /// Errors so far.
    pub errors: u64,
    /// Starved so far.
    pub starved: u64,
}

impl Tally {
    /// An empty record of `order`.
    pub fn new(order: Arc<Order>) -> Tally {
        Tally {
            parts: order.parts().iter().map(|_| PartTally::default()).collect(),
            order,
            book: Book::default(),
            response: Recorder::default(),
            service: Recorder::default(),
            refused_response: Recorder::default(),
            refused_service: Recorder::default(),
            slip: Recorder::default(),
            phases: Phases::default(),
            last_done: Duration::ZERO,
            errors: BTreeMap::new(),
            errors_seen: 0,
            second: Interval::default(),
            finished: Vec::new(),
        }
    }

    /// A user has started a request.
    pub fn start(&mut self, now: Duration) {
        self.roll(now);
        self.book.scheduled += 1;
        self.second.asked += 1;
    }

    /// Records one request that is over. `example` is asked for only where its class is new.
    pub fn record(
        &mut self,
        due: &Due,
        kind: Kind,
        moments: Moments,
        fate: Fate,
        example: impl FnOnce() -> String,
    ) {
        self.roll(moments.done);
        self.last_done = self.last_done.max(moments.done);
        let measured = due.arrival.intended >= self.order.warm_up;
        let response = moments.done.saturating_sub(due.arrival.intended);
        let service = moments.done.saturating_sub(moments.sent);
        let slip = moments.ready.saturating_sub(due.at);
        self.book.warm_up += u64::from(!measured);
        self.second.slip.record(slip);
        if measured {
            self.slip.record(slip);
        }
        match fate {
            Fate::Granted => {
                self.book.granted += 1;
                self.second.answered += 1;
                self.second.response.record(response);
                self.second.service.record(service);
                if measured {
                    self.granted(due, kind, response, service);
                    if let Some(first) = moments.first {
                        self.phases.in_pieces(first.saturating_sub(moments.sent), service);
                    }
                }
            }
            Fate::RightlyRefused => {
                self.book.refused += 1;
                self.second.answered += 1;
                if measured {
                    self.refused(response, service);
                    if let Some(part) = self.order.part_of_call(kind) {
                        self.parts[part].response.record(response);
                        self.parts[part].service.record(service);
                    }
                }
            }
            Fate::Error(class) => {
                self.second.answered += u64::from(class::is_answered(&class));
                if class::is_refusal(&class) {
                    self.book.refused += 1;
                    if measured {
                        self.refused(response, service);
                    }
                } else {
                    self.book.failed += 1;
                    self.book.unanswered += u64::from(!class::is_answered(&class));
                }
                self.error(class, &due.arrival, kind, moments.done, example);
            }
        }
    }

    /// Records one arrival that was never sent for want of a chain.
    pub fn starve(&mut self, arrival: &Arrival, now: Duration) {
        self.roll(now);
        self.last_done = self.last_done.max(now);
        self.book.starved += 1;
        self.second.starved += 1;
        let kind = self.order.kind_of(arrival.number);
        self.error(class::STARVED.to_owned(), arrival, kind, now, || "no free chain in time".to_owned());
    }

    fn refused(&mut self, response: Duration, service: Duration) {
        self.refused_response.record(response);
        self.refused_service.record(service);
    }

    fn granted(&mut self, due: &Due, kind: Kind, response: Duration, service: Duration) {
        self.response.record(response);
        self.service.record(service);
        self.second.granted.record(response);
        for part in self.order.parts_of(kind, due.arrival.intended).into_iter().flatten() {
            self.parts[part].response.record(response);
            self.parts[part].service.record(service);
        }
    }

    fn error(
        &mut self,
        class: String,
        arrival: &Arrival,
        kind: Kind,
        now: Duration,
        example: impl FnOnce() -> String,
    ) {
        let measured = arrival.intended >= self.order.warm_up;
        self.errors_seen += 1;
        *self.second.errors.entry(class.clone()).or_default() += 1;
        if measured {
            for part in self.order.parts_of(kind, arrival.intended).into_iter().flatten() {
                self.parts[part].errors += 1;
            }
        }
        let tally = self.errors.entry(class).or_insert_with(|| ErrorTally {
            count: 0,
            first: now,
            example: example(),
        });
        tally.count += u64::from(measured);
    }

    /// Errors of a class outside the warm-up so far.
    pub fn count_of(&self, class: &str) -> u64 {
        self.errors.get(class).map_or(0, |error| error.count)
    }

    /// Closes the seconds that are over at `now`.
    pub fn roll(&mut self, now: Duration) {
        let second = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        if second > self.second.second {
            let next = Interval { second, ..Interval::default() };
            self.finished.push(std::mem::replace(&mut self.second, next));
        }
    }

    /// The seconds that were closed since this was last asked.
    pub fn finished(&mut self) -> Vec<Interval> {
        std::mem::take(&mut self.finished)
    }

    /// Closes the last second, whatever is left of it.
    pub fn end(&mut self) -> Vec<Interval> {
        let last = std::mem::take(&mut self.second);
        self.finished.push(last);
        self.finished()
    }

    /// Totals for a look from outside.
    pub fn totals(&self) -> Totals {
        let Book { granted, refused, failed, starved, .. } = self.book;
        Totals { answered: granted + refused + failed, errors: self.errors_seen, starved }
    }

    /// Adds the record of another worker.
    pub fn add(&mut self, other: Tally) {
        self.book = self.book.with(other.book);
        for (own, theirs) in [
            (&mut self.response, &other.response),
            (&mut self.service, &other.service),
            (&mut self.refused_response, &other.refused_response),
            (&mut self.refused_service, &other.refused_service),
            (&mut self.slip, &other.slip),
        ] {
            own.merge(theirs);
        }
        self.phases.add(other.phases);
        self.last_done = self.last_done.max(other.last_done);
        self.errors_seen += other.errors_seen;
        for (own, theirs) in self.parts.iter_mut().zip(other.parts) {
            own.response.merge(&theirs.response);
            own.service.merge(&theirs.service);
            own.errors += theirs.errors;
        }
        for (class, theirs) in other.errors {
            match self.errors.get_mut(&class) {
                Some(own) => own.add(theirs),
                None => drop(self.errors.insert(class, theirs)),
            }
        }
    }

    /// The parts of the run file.
    pub fn parts(&self) -> Vec<Part> {
        let clocks = |(name, part): (String, &PartTally)| Part {
            name,
            response: part.response.clock(),
            service: part.service.clock(),
            errors: part.errors,
        };
        self.order.parts().into_iter().zip(&self.parts).map(clocks).collect()
    }

    /// The error classes of the run file, most frequent first.
    pub fn errors(&self) -> Vec<ErrorCount> {
        let mut errors: Vec<ErrorCount> = self
            .errors
            .iter()
            .map(|(class, error)| ErrorCount {
                class: class.clone(),
                count: error.count,
                first_us: micros(error.first),
                example: error.example.clone(),
            })
            .collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        errors
    }
}

impl ErrorTally {
    fn add(&mut self, other: ErrorTally) {
        self.count += other.count;
        if other.first < self.first {
            self.first = other.first;
            self.example = other.example;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::profile::{Model, Stage};

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn tally() -> Tally {
        let stage = Stage { from: 10.0, to: 10.0, lasting: Duration::from_secs(10) };
        let profile = super::super::tests::profile(Model::Open(vec![stage]), &[("json", 1)], 1000);
        Tally::new(Arc::new(Order::new(&profile, 0)))
    }

    fn record(tally: &mut Tally, intended: u64, sent: u64, done: u64, fate: Fate) {
        let due = Due { arrival: Arrival { number: 0, intended: ms(intended) }, at: ms(intended) };
        let moments = Moments { ready: ms(sent), sent: ms(sent), done: ms(done), first: None };
        tally.record(&due, Kind { format: Some(0), call: None }, moments, fate, || format!("at {done}"));
    }

    #[test]
    fn response_runs_from_the_intended_moment_and_service_from_the_send() {
        let mut tally = tally();
        record(&mut tally, 2000, 2500, 2510, Fate::Granted);
        assert!((tally.response.max_us().unwrap() / 510_000.0 - 1.0).abs() < 0.001);
        assert!((tally.service.max_us().unwrap() / 10_000.0 - 1.0).abs() < 0.001);
        assert!((tally.slip.max_us().unwrap() / 500_000.0 - 1.0).abs() < 0.001);
    }

    #[test]
    fn the_warm_up_is_in_the_book_and_the_series_alone() {
        let mut tally = tally();
        record(&mut tally, 500, 500, 510, Fate::Granted);
        record(&mut tally, 600, 600, 610, Fate::Error("reset".to_owned()));
        record(&mut tally, 1500, 1500, 1510, Fate::Granted);
        assert_eq!((tally.book.granted, tally.book.failed, tally.book.warm_up), (2, 1, 2));
        assert_eq!((tally.response.count(), tally.slip.count()), (1, 1));
        assert_eq!(tally.errors()[0].count, 0);
        let seconds = tally.end();
        assert_eq!(seconds.iter().map(|second| second.answered).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(seconds[0].errors["reset"], 1);
    }

    #[test]
    fn tallies_add_up_and_the_first_example_stays() {
        let (mut one, mut two) = (tally(), tally());
        record(&mut one, 3000, 3000, 3020, Fate::Error("reset".to_owned()));
        record(&mut two, 2000, 2000, 2020, Fate::Error("reset".to_owned()));
        record(&mut two, 2000, 2000, 2020, Fate::Error(class::refused("expired")));
        two.starve(&Arrival { number: 3, intended: ms(2500) }, ms(4000));
        one.add(two);
        let errors = one.errors();
        assert_eq!((errors[0].class.as_str(), errors[0].count), ("reset", 2));
        assert_eq!((errors[0].first_us, errors[0].example.as_str()), (2_020_000, "at 2020"));
        assert_eq!((one.book.failed, one.book.refused, one.book.starved), (2, 1, 1));
        assert_eq!(one.refused_response.count(), 1);
        assert_eq!(one.parts()[0].errors, 4);
    }
}
