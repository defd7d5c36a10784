//! Progress where nobody looks: plain lines, no redraw, `key=value`, one about every ten seconds.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Lines;
use crate::report::clean::{line, slug};
use crate::report::state::State;
use crate::results::event::{Event, LoadTick};
use crate::results::wording::{plain, share, time};
use crate::results::{CheckResult, LoadResult};

/// The time between two lines that only say that it goes on.
const PAUSE: Duration = Duration::from_secs(10);

/// Writes lines on stderr until the narrator is gone.
pub(super) fn watch(events: &Receiver<Event>, shown: Lines, sections: bool) {
    let began = Instant::now();
    let mut narration = Narration { shown, sections, ..Narration::default() };
    loop {
        let lines = match events.recv_timeout(Duration::from_millis(500)) {
            Ok(event) => narration.hear(began.elapsed(), &event),
            Err(RecvTimeoutError::Timeout) => narration.wait(began.elapsed()),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for line in lines {
            say(&line);
        }
    }
}

/// A line on stderr; a closed stderr loses words, never the run.
pub(super) fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// What was heard so far, and when something was last said.
#[derive(Default)]
pub(super) struct Narration {
    shown: Lines,
    /// Each profile is a section that GitLab folds.
    sections: bool,
    checks: usize,
    pub(super) counts: Counts,
    tick: Option<LoadTick>,
    said: Duration,
}

/// Checks so far, by how they came out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) done: usize,
    pub(super) passed: usize,
    pub(super) must: usize,
    pub(super) should: usize,
    pub(super) known: usize,
    pub(super) odd: usize,
    pub(super) skipped: usize,
}

impl Counts {
    pub(super) fn add(&mut self, state: State) {
        self.done += 1;
        match state {
            State::Pass | State::Info => self.passed += 1,
            State::Fail | State::Missed => self.must += 1,
            State::Weak => self.should += 1,
            State::Known => self.known += 1,
            State::Odd => self.odd += 1,
            State::Skip => self.skipped += 1,
        }
    }
}

fn stamp(at: Duration) -> String {
    let seconds = at.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

impl Narration {
    /// The lines that `event` is worth.
    pub(super) fn hear(&mut self, at: Duration, event: &Event) -> Vec<String> {
        let lines = match event {
            Event::RunStarted { title, burn, checks, .. } => {
                self.checks = *checks;
                let mut lines = vec![format!("assay {} {}", env!("CARGO_PKG_VERSION"), line(title))];
                if !burn.is_empty() {
                    lines.push(format!("{} {}", stamp(at), line(burn)));
                }
                lines
            }
            Event::CheckFinished(check) => self.checked(at, check),
            Event::ProfileStarted { name } => {
                let said = format!("{} {} started", stamp(at), line(name));
                vec![if self.sections { format!("{}{said}", section("start", name)) } else { said }]
            }
            Event::LoadTick(tick) => {
                self.tick = Some(tick.clone());
                Vec::new()
            }
            Event::ProfileFinished(load) => {
                self.tick = None;
                let said = format!("{} {}", stamp(at), finished(load));
                vec![if self.sections { format!("{}{said}", section("end", &load.name)) } else { said }]
            }
            Event::Stopping => vec![format!("{} stopping; the reports are still written", stamp(at))],
            Event::Note(note) => vec![format!("{} {}", stamp(at), line(note))],
            Event::CheckStarted { .. } => Vec::new(),
        };
        if lines.is_empty() { self.wait(at) } else { self.speak(at, &lines) }
    }

    /// The line that says that it goes on, if it is time for one.
    pub(super) fn wait(&mut self, at: Duration) -> Vec<String> {
        if at.saturating_sub(self.said) < PAUSE {
            return Vec::new();
        }
        let line = match &self.tick {
            Some(tick) => ticked(at, tick),
            None if self.counts.done < self.checks => {
                let failed = self.counts.must + self.counts.should;
                format!("{} checks done={}/{} failed={failed}", stamp(at), self.counts.done, self.checks)
            }
            None => return Vec::new(),
        };
        self.speak(at, &[line])
    }

    fn speak(&mut self, at: Duration, lines: &[String]) -> Vec<String> {
        self.said = at;
        lines.iter().map(|line| plain(line)).collect()
    }

    fn checked(&mut self, at: Duration, check: &CheckResult) -> Vec<String> {
        let state = State::of(check);
        self.counts.add(state);
        let mut lines = Vec::new();
        if self.shown.shows(state) {
            let took = check.took_us as f64 / 1e6;
            lines.push(format!("{} {} {took:.2}s {}", state.short(), line(&check.id), line(&check.title)));
        }
        if self.counts.done == self.checks {
            let counts = &self.counts;
            lines.push(format!(
                "{} checks done={}/{} passed={} failed={} must={} known={} odd={} skipped={}",
                stamp(at),
                counts.done,
                self.checks,
                counts.passed,
                counts.must + counts.should,
                counts.must,
                counts.known,
                counts.odd,
                counts.skipped
            ));
        }
        lines
    }
}

/// The beginning or the end of a section, as GitLab documents it: what follows on the line is its head, or stands
/// behind it.
fn section(word: &str, name: &str) -> String {
    let since = jiff::Timestamp::now().as_second();
    let folded = if word == "start" { "[collapsed=true]" } else { "" };
    format!("\u{1b}[0Ksection_{word}:{}:{}{folded}\r\u{1b}[0K", since, slug(name))
}

fn ticked(at: Duration, tick: &LoadTick) -> String {
    let errors = tick.errors as f64 / (tick.errors + tick.answered).max(1) as f64;
    format!(
        "{} {} t={}s asked={:.0} ok={:.0} p50={} p99={} err={} starved={} slip={}",
        stamp(at),
        line(&tick.name),
        tick.elapsed.as_secs(),
        tick.asked_rate,
        tick.answered_rate,
        joined(&time(tick.p50_us as f64)),
        joined(&time(tick.p99_us as f64)),
        joined(&share(errors)),
        tick.starved,
        joined(&time(tick.slip_p99_us as f64))
    )
}

/// A figure and its unit in one word.
fn joined(figure: &str) -> String {
    plain(figure).replace(' ', "")
}

fn finished(load: &LoadResult) -> String {
    let at =
        |name: &str| load.response.quantiles_us.get(name).map_or("-".to_owned(), |us| joined(&time(*us)));
    format!(
        "{} done scheduled={} granted={} refused={} failed={} starved={} p50={} p99={}",
        line(&load.name),
        load.book.scheduled,
        load.book.granted,
        load.book.refused,
        load.book.failed,
        load.book.starved,
        at("p50"),
        at("p99")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Run, file};

    fn failed() -> Run {
        file::read(include_str!("../../../tests/it/fixtures/run-failed.json")).unwrap()
    }

    #[test]
    fn failures_are_said_at_once_and_passes_only_counted() {
        let run = failed();
        let mut narration = Narration::default();
        let started = Event::RunStarted {
            title: "suite=suites/pfms.yaml env=uat seed=7".to_owned(),
            burn: String::new(),
            checks: run.checks.len(),
            profiles: Vec::new(),
        };
        let mut lines = narration.hear(Duration::ZERO, &started);
        for (at, check) in run.checks.iter().enumerate() {
            let event = Event::CheckFinished(Box::new(check.clone()));
            lines.extend(narration.hear(Duration::from_millis(at as u64 * 10), &event));
        }
        assert_eq!(
            lines[0],
            format!("assay {} suite=suites/pfms.yaml env=uat seed=7", env!("CARGO_PKG_VERSION"))
        );
        assert_eq!(lines[1], "FAIL FMT-08 0.35s Every request type works with every response type");
        assert_eq!(
            lines.last().unwrap(),
            "00:00 checks done=68/68 passed=56 failed=4 must=2 known=3 odd=1 skipped=4"
        );
        assert_eq!(lines.len(), 1 + 8 + 1);
    }

    #[test]
    fn a_line_every_ten_seconds_says_that_it_goes_on() {
        let mut narration = Narration::default();
        narration.hear(Duration::ZERO, &Event::Note("begins".to_owned()));
        let tick = |seconds| {
            Event::LoadTick(LoadTick {
                name: "steady".to_owned(),
                elapsed: Duration::from_secs(seconds),
                asked_rate: 1200.0,
                answered_rate: 1199.0,
                p50_us: 17_600,
                p99_us: 36_100,
                answered: 1990,
                slip_p99_us: 200,
                ..LoadTick::default()
            })
        };
        let mut lines = Vec::new();
        for second in 1..=21 {
            lines.extend(narration.hear(Duration::from_secs(second), &tick(second)));
        }
        assert_eq!(
            lines,
            [
                "00:10 steady t=10s asked=1200 ok=1199 p50=17.6ms p99=36.1ms err=0% starved=0 slip=200µs",
                "00:20 steady t=20s asked=1200 ok=1199 p50=17.6ms p99=36.1ms err=0% starved=0 slip=200µs"
            ]
        );
    }
}
