//! The series: one row a second, from the seconds of all workers. A second's histograms are given back as
//! soon as every worker is past it, so a long profile costs no more memory than a short one.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::results::window::{Moment, SecondClocks};
use crate::results::{ErrorCount, LoadResult, Second, window};

use super::schedule::Schedule;
use super::tally::Interval;

/// The rows so far.
#[derive(Debug)]
pub struct Series {
    /// The last second that each worker has closed.
    closed: Vec<Option<u32>>,
    open: BTreeMap<u32, Interval>,
    rows: Vec<Row>,
}

/// One second, complete.
#[derive(Debug)]
struct Row {
    second: Second,
    classes: BTreeMap<String, u64>,
    /// `None` where nothing was granted.
    clocks: Option<SecondClocks>,
}

impl Row {
    fn moment(&self) -> Moment<'_> {
        let errors = self.classes.iter().map(|(class, count)| (class.as_str(), *count)).collect();
        Moment { row: &self.second, clocks: self.clocks.as_ref(), errors }
    }
}

impl Series {
    /// Nothing yet, from this many workers.
    pub fn new(workers: usize) -> Series {
        Series { closed: vec![None; workers], open: BTreeMap::new(), rows: Vec::new() }
    }

    /// Adds a second that `worker` has closed.
    pub fn add(&mut self, worker: usize, interval: Interval) {
        self.closed[worker] = Some(interval.second);
        match self.open.get_mut(&interval.second) {
            Some(own) => merge(own, &interval),
            None => drop(self.open.insert(interval.second, interval)),
        }
        let all_past = self.closed.iter().copied().min().flatten();
        while let Some(entry) = self.open.first_entry()
            && all_past.is_some_and(|past| *entry.key() <= past)
        {
            self.rows.push(row(entry.remove()));
        }
    }

    /// The last row that is complete.
    pub fn latest(&self) -> Option<&Second> {
        self.rows.last().map(|row| &row.second)
    }

    /// How many rows are complete.
    pub fn complete(&self) -> usize {
        self.rows.len()
    }

    /// The figures of the last seconds, once there are so many that are past the warm-up.
    pub fn last(&self, name: &str, length: Duration, warm_up: Duration) -> Option<LoadResult> {
        let length = usize::try_from(length.as_secs()).ok()?;
        let rows = &self.rows[self.rows.len().checked_sub(length)?..];
        let first = rows.first()?.second.at_s;
        let past = Duration::from_secs(u64::from(first)) >= warm_up;
        past.then(|| window::figures(name, &rows.iter().map(Row::moment).collect::<Vec<_>>()))
    }

    /// All rows without gaps; `schedule` says what was asked for where users do not, and errors are numbered
    /// by `errors`.
    pub fn rows(
        mut self,
        schedule: Option<&Schedule>,
        errors: &[ErrorCount],
    ) -> (Vec<Second>, Vec<SecondClocks>) {
        for interval in std::mem::take(&mut self.open).into_values() {
            self.rows.push(row(interval));
        }
        let last = self.rows.last().map_or(0, |row| row.second.at_s + 1);
        let mut rows: Vec<Second> = (0..last).map(|at_s| Second { at_s, ..Second::default() }).collect();
        let mut all_clocks = Vec::with_capacity(self.rows.len());
        for Row { mut second, classes, clocks } in self.rows {
            second.errors = numbered(&classes, errors);
            let at = second.at_s as usize;
            rows[at] = second;
            all_clocks.extend(clocks);
        }
        if let Some(schedule) = schedule {
            for row in &mut rows {
                let start = Duration::from_secs(u64::from(row.at_s));
                let next = schedule.count_before(start + Duration::from_secs(1));
                row.asked = next - schedule.count_before(start);
            }
        }
        (rows, all_clocks)
    }
}

fn merge(own: &mut Interval, other: &Interval) {
    own.asked += other.asked;
    own.answered += other.answered;
    own.starved += other.starved;
    own.response.merge(&other.response);
    own.service.merge(&other.service);
    own.slip.merge(&other.slip);
    own.granted.merge(&other.granted);
    for (class, count) in &other.errors {
        *own.errors.entry(class.clone()).or_default() += count;
    }
}

/// The figures of one second.
fn row(interval: Interval) -> Row {
    let response = [0.5, 0.9, 0.99, 1.0].map(|quantile| whole_us(&interval.response, quantile));
    let service = [0.5, 0.99].map(|quantile| whole_us(&interval.service, quantile));
    let second = Second {
        at_s: interval.second,
        asked: interval.asked,
        answered: interval.answered,
        errors: Vec::new(),
        starved: interval.starved,
        response_us: (!interval.response.is_empty()).then_some(response),
        service_us: (!interval.service.is_empty()).then_some(service),
        slip_us_p99: (!interval.slip.is_empty()).then(|| whole_us(&interval.slip, 0.99)),
        granted: interval.granted.compact(),
    };
    let clocks = (!interval.response.is_empty()).then(|| SecondClocks {
        at_s: interval.second,
        response: interval.response.histogram(),
        service: interval.service.histogram(),
    });
    Row { second, classes: interval.errors, clocks }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most an hour, not negative")]
fn whole_us(recorder: &crate::results::latency::Recorder, quantile: f64) -> u64 {
    recorder.quantile_us(quantile).unwrap_or(0.0).round() as u64
}

fn numbered(classes: &BTreeMap<String, u64>, errors: &[ErrorCount]) -> Vec<(u32, u64)> {
    let number = |class: &str| errors.iter().position(|error| error.class == class);
    let mut found: Vec<(u32, u64)> = classes
        .iter()
        .filter_map(|(class, count)| Some((u32::try_from(number(class)?).ok()?, *count)))
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::profile::Stage;

    fn interval(second: u32, answered: u64) -> Interval {
        let mut interval = Interval { second, answered, ..Interval::default() };
        for _ in 0..answered {
            interval.response.record(Duration::from_millis(u64::from(second) + 1));
        }
        interval
    }

    #[test]
    fn a_second_is_complete_when_every_worker_is_past_it() {
        let mut series = Series::new(2);
        series.add(0, interval(0, 3));
        assert!(series.latest().is_none());
        series.add(1, interval(0, 4));
        assert_eq!(series.latest().unwrap().answered, 7);
    }

    #[test]
    fn rows_have_no_gaps_and_know_what_was_asked() {
        let mut series = Series::new(2);
        series.add(0, Interval { errors: BTreeMap::from([("reset".to_owned(), 2)]), ..interval(0, 1) });
        series.add(0, interval(2, 5));
        let stage = Stage { from: 10.0, to: 10.0, lasting: Duration::from_millis(1500) };
        let errors = ["http 5xx", "reset"].map(|class| ErrorCount {
            class: class.to_owned(),
            count: 0,
            first_us: 0,
            example: String::new(),
        });
        let (rows, clocks) = series.rows(Some(&Schedule::new(&[stage], None)), &errors);
        assert_eq!(rows.iter().map(|row| row.asked).collect::<Vec<_>>(), [10, 5, 0]);
        assert_eq!(rows.iter().map(|row| row.answered).collect::<Vec<_>>(), [1, 0, 5]);
        assert_eq!(rows[0].errors, [(1, 2)]);
        assert_eq!(clocks.iter().map(|second| second.at_s).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(rows[1].response_us, None);
        assert!(rows[2].response_us.unwrap()[0].abs_diff(3000) <= 3);
    }
}
