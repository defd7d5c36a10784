//! Progress where somebody looks: facts scroll, below them at most six lines are redrawn five times a second.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::narration::Counts;
use super::paint::{Tint, cut, fit, paint};
use super::{Lines, Screen};
use crate::report::clean::line;
use crate::report::state::State;
use crate::results::event::{Event, LoadTick};
use crate::results::wording::{clock, many, rate, share, time};
use crate::results::{CheckResult, LoadResult};

/// Lines that are redrawn.
const LINES: usize = 6;
/// Seconds that a spark remembers.
const SPARK: usize = 24;

/// Draws on stderr until the narrator is gone, then wipes the live lines.
pub(super) fn watch(events: &Receiver<Event>, screen: Screen, shown: Lines) {
    let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5));
    if multi.is_hidden() {
        // A hidden bar swallows what is printed through it.
        return super::narration::watch(events, shown, false);
    }
    let style = ProgressStyle::with_template("{msg}").expect("a template without keys that can be wrong");
    let bars: Vec<ProgressBar> =
        (0..LINES).map(|_| multi.add(ProgressBar::no_length().with_style(style.clone()))).collect();
    let began = Instant::now();
    let mut state = Live::new(screen, shown);
    let mut drawn = Duration::ZERO;
    loop {
        match events.recv_timeout(Duration::from_millis(200)) {
            Ok(event) => {
                for line in state.hear(began.elapsed(), &event) {
                    drop(multi.println(line));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if began.elapsed().saturating_sub(drawn) >= Duration::from_millis(200) {
            drawn = began.elapsed();
            let lines = state.lines(drawn);
            for (at, bar) in bars.iter().enumerate() {
                bar.set_message(lines.get(at).cloned().unwrap_or_default());
                bar.tick();
            }
        }
    }
    drop(multi.clear());
}

/// What is known while it runs.
struct Live {
    screen: Screen,
    shown: Lines,
    checks: usize,
    counts: Counts,
    groups: indexmap::IndexMap<String, usize>,
    running: Vec<(String, String, Duration)>,
    checks_took: Option<Duration>,
    profiles: Vec<(String, String, Option<Duration>)>,
    now: Option<LoadTick>,
    answered: VecDeque<f64>,
    p99: VecDeque<f64>,
    heard_second: u64,
    stopping: bool,
}

impl Live {
    fn new(screen: Screen, shown: Lines) -> Live {
        Live {
            screen,
            shown,
            checks: 0,
            counts: Counts::default(),
            groups: indexmap::IndexMap::new(),
            running: Vec::new(),
            checks_took: None,
            profiles: Vec::new(),
            now: None,
            answered: VecDeque::new(),
            p99: VecDeque::new(),
            heard_second: u64::MAX,
            stopping: false,
        }
    }

    fn paint(&self, tint: Tint, text: &str) -> String {
        paint(self.screen, tint, text)
    }

    /// The lines of fact that `event` is worth: they stay.
    fn hear(&mut self, at: Duration, event: &Event) -> Vec<String> {
        let lines = match event {
            Event::RunStarted { title, burn, checks, profiles } => {
                self.checks = *checks;
                self.profiles.clone_from(profiles);
                let title = format!("  assay {} · {}", env!("CARGO_PKG_VERSION"), line(title));
                vec![self.fitted(&title), self.fitted(&format!("  {}", line(burn))), String::new()]
            }
            Event::CheckStarted { id, title } => {
                self.running.push((line(id), line(title), at));
                Vec::new()
            }
            Event::CheckFinished(check) => self.checked(at, check),
            Event::ProfileStarted { name } => {
                self.now = Some(LoadTick { name: name.clone(), ..LoadTick::default() });
                self.answered.clear();
                self.p99.clear();
                Vec::new()
            }
            Event::LoadTick(tick) => {
                self.ticked(tick);
                Vec::new()
            }
            Event::ProfileFinished(load) => {
                self.now = None;
                self.profiles.retain(|(name, ..)| *name != load.name);
                vec![self.fitted(&finished(load))]
            }
            Event::Stopping => {
                self.stopping = true;
                vec![self.fitted("  stopping; the reports are still written")]
            }
            Event::Note(note) => vec![self.fitted(&format!("  {}", line(note)))],
        };
        lines.iter().map(|line| fit(self.screen, line)).collect()
    }

    fn fitted(&self, text: &str) -> String {
        cut(text, self.screen.columns())
    }

    fn ticked(&mut self, tick: &LoadTick) {
        if tick.elapsed.as_secs() != self.heard_second {
            self.heard_second = tick.elapsed.as_secs();
            for (queue, value) in
                [(&mut self.answered, tick.answered_rate), (&mut self.p99, tick.p99_us as f64)]
            {
                queue.push_back(value);
                if queue.len() > SPARK {
                    queue.pop_front();
                }
            }
        }
        self.now = Some(tick.clone());
    }

    /// A line for what is shown: as a rule, what is not a pass.
    fn checked(&mut self, at: Duration, check: &CheckResult) -> Vec<String> {
        let state = State::of(check);
        self.counts.add(state);
        self.running.retain(|(id, ..)| *id != check.id);
        *self.groups.entry(line(&check.group)).or_default() += 1;
        if self.counts.done >= self.checks {
            self.checks_took.get_or_insert(at);
        }
        if !self.shown.shows(state) {
            return Vec::new();
        }
        let tint = match state {
            State::Pass | State::Info => Tint::Good,
            State::Skip => Tint::Dim,
            State::Fail => Tint::Fail,
            State::Weak | State::Missed => Tint::Weak,
            State::Known => Tint::Warn,
            State::Odd => Tint::Odd,
        };
        let word = self.paint(tint, &format!("{:>8}", state.short()));
        let rest =
            format!(" [{:>6.2}s] {}  {}", check.took_us as f64 / 1e6, line(&check.id), line(&check.title));
        vec![format!("{word}{}", cut(&rest, self.screen.columns() - 8))]
    }

    /// The live lines, at most six.
    fn lines(&self, at: Duration) -> Vec<String> {
        let mut lines = if let Some(tick) = &self.now { self.load_lines(tick) } else { self.check_lines(at) };
        lines.truncate(LINES - 1);
        let hint = if self.stopping {
            "  stopping; Ctrl-C again stops at once and writes nothing"
        } else {
            "  Ctrl-C stops and still writes the reports; twice stops at once"
        };
        lines.push(self.paint(Tint::Dim, &self.fitted(hint)));
        lines.iter().map(|line| fit(self.screen, line)).collect()
    }

    fn check_lines(&self, at: Duration) -> Vec<String> {
        if self.checks == 0 {
            return Vec::new();
        }
        let mut lines = vec![self.bar(at), self.group_line()];
        for (id, title, since) in self.running.iter().take(2) {
            let took = at.saturating_sub(*since).as_secs_f64();
            let slow = if took > 3.0 { self.paint(Tint::Warn, "    slow") } else { " ".repeat(8) };
            let rest = format!(" [{took:>5.1}s…] {id}  {title}");
            lines.push(format!("{slow}{}", cut(&rest, self.screen.columns() - 8)));
        }
        let counts = &self.counts;
        lines.push(self.fitted(&format!(
            "  failed  {} must, {} should · known {} · inconclusive {} · skipped {}",
            counts.must, counts.should, counts.known, counts.odd, counts.skipped
        )));
        lines
    }

    fn bar(&self, at: Duration) -> String {
        let done = self.counts.done.min(self.checks);
        let words = format!("  {done} of {} · {}{}", self.checks, clock(micros(at)), self.left(at));
        let room = self.screen.columns().saturating_sub(10 + words.chars().count()).clamp(8, 40);
        let full = room * done / self.checks.max(1);
        format!("  checks  {}{}{words}", "━".repeat(full), "╌".repeat(room - full))
    }

    fn left(&self, at: Duration) -> String {
        let done = self.counts.done.min(self.checks);
        if done < 3 || done == self.checks {
            return String::new();
        }
        let left = at.mul_f64((self.checks - done) as f64 / done as f64);
        format!(" · {} left", clock(micros(left)))
    }

    fn group_line(&self) -> String {
        let words: Vec<String> = self.groups.iter().map(|(group, done)| format!("{group} {done}")).collect();
        self.fitted(&format!("          {}", words.join("  ")))
    }

    fn load_lines(&self, tick: &LoadTick) -> Vec<String> {
        let wide = self.screen.columns() >= 100;
        let mut head = format!(
            "  {:<10}{:>12}{:>11}{:>11}{:>10}{:>10}{:>9}",
            "profile", "time", "asked", "answered", "p50", "p99", "errors"
        );
        let errors = tick.errors as f64 / (tick.errors + tick.answered).max(1) as f64;
        let mut row = format!(
            "  {:<10}{:>12}{:>11}{:>11}{:>10}{:>10}{:>9}",
            cut(&line(&tick.name), 10),
            self.moment(tick),
            rate(tick.asked_rate),
            rate(tick.answered_rate),
            time(tick.p50_us as f64),
            time(tick.p99_us as f64),
            share(errors)
        );
        if wide {
            let _ = write!(head, "{:>9}{:>12}", "starved", "slip p99");
            let _ = write!(row, "{:>9}{:>12}", tick.starved, time(tick.slip_p99_us as f64));
        }
        let mut lines = vec![self.paint(Tint::Dim, &head), row];
        if self.screen.unicode {
            lines.push(self.fitted(&format!(
                "            answers {}    p99 {}    chains busy {} of {}",
                spark(&self.answered),
                spark(&self.p99),
                tick.busy.0,
                tick.busy.1
            )));
        }
        lines.extend(self.waiting(tick));
        lines
    }

    /// `0:38/1:05`, or the time alone.
    fn moment(&self, tick: &LoadTick) -> String {
        let whole =
            self.profiles.iter().find(|(name, ..)| *name == tick.name).and_then(|(_, _, whole)| *whole);
        let now = clock(micros(tick.elapsed));
        whole.map_or(now.clone(), |whole| format!("{now}/{}", clock(micros(whole))))
    }

    fn waiting(&self, tick: &LoadTick) -> Option<String> {
        let after: Vec<_> =
            self.profiles.iter().skip_while(|(name, ..)| *name != tick.name).skip(1).collect();
        if after.is_empty() {
            return None;
        }
        let names: Vec<String> = after.iter().map(|(name, ..)| line(name)).collect();
        let time: Option<Duration> = after.iter().map(|(.., time)| *time).sum();
        let time = time.map_or(String::new(), |time| format!(" · about {}", clock(micros(time))));
        Some(self.fitted(&format!(
            "  {} waiting: {}{time}",
            many(after.len() as u64, "profile", "profiles"),
            names.join(", ")
        )))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Bars of an eighth each, from zero to the highest.
fn spark(values: &VecDeque<f64>) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = values.iter().copied().fold(0.0, f64::max).max(1e-9);
    values
        .iter()
        .map(|value| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
            let at = (value / highest * 7.0).clamp(0.0, 7.0).round() as usize;
            BARS[at]
        })
        .collect()
}

fn finished(load: &LoadResult) -> String {
    let at = |name: &str| load.response.quantiles_us.get(name).map_or("–".to_owned(), |us| time(*us));
    let answers = load.book.granted + load.book.refused;
    let errors = load.book.refused + load.book.failed + load.book.starved;
    format!(
        "  {:<10} {} done   {} answers   p50 {}   p99 {}   errors {}",
        line(&load.name),
        // A profile of ten seconds that ended a moment early took ten.
        clock(load.took_us.saturating_add(500_000)),
        crate::results::wording::count(answers),
        at("p50"),
        at("p99"),
        share(errors as f64 / load.book.scheduled.max(1) as f64)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::file;

    const SCREEN: Screen = Screen { color: false, is_terminal: true, width: 80, unicode: true };

    fn started() -> Event {
        Event::RunStarted {
            title: "suites/pfms.yaml · env uat · seed 7".to_owned(),
            burn: "will burn about 157 000 requests, 512 chains, 41 families".to_owned(),
            checks: 68,
            profiles: vec![
                ("steady".to_owned(), "open, 200/s".to_owned(), Some(Duration::from_secs(35))),
                ("ramp".to_owned(), "to 500/s".to_owned(), Some(Duration::from_secs(40))),
            ],
        }
    }

    #[test]
    fn at_most_six_lines_live_and_none_is_wider_than_the_screen() {
        let run = file::read(include_str!("../../../tests/it/fixtures/run-failed.json")).unwrap();
        for screen in
            [SCREEN, Screen { width: 100, ..SCREEN }, Screen { width: 300, unicode: false, ..SCREEN }]
        {
            let mut live = Live::new(screen, Lines::Failed);
            let mut lines = live.hear(Duration::ZERO, &started());
            for check in &run.checks {
                let id = check.id.clone();
                live.hear(Duration::from_secs(1), &Event::CheckStarted { id, title: "x".repeat(200) });
                lines.extend(live.lines(Duration::from_secs(9)));
                lines.extend(
                    live.hear(Duration::from_secs(9), &Event::CheckFinished(Box::new(check.clone()))),
                );
                assert!(live.lines(Duration::from_secs(10)).len() <= LINES);
            }
            live.hear(Duration::from_secs(10), &Event::ProfileStarted { name: "steady".to_owned() });
            for second in 0..40 {
                let elapsed = Duration::from_secs(second);
                let tick = LoadTick {
                    name: "steady".to_owned(),
                    elapsed,
                    answered_rate: 200.0,
                    ..LoadTick::default()
                };
                live.hear(elapsed, &Event::LoadTick(tick));
                assert!(live.lines(elapsed).len() <= LINES);
                lines.extend(live.lines(elapsed));
            }
            lines.extend(
                live.hear(Duration::from_secs(50), &Event::ProfileFinished(Box::new(run.load[0].clone()))),
            );
            for line in lines {
                assert!(line.chars().count() <= usize::from(screen.width), "{line}");
                assert!(screen.unicode || line.is_ascii(), "{line}");
            }
        }
    }

    #[test]
    fn the_bar_says_how_far_it_is() {
        let mut live = Live::new(SCREEN, Lines::Failed);
        live.hear(Duration::ZERO, &started());
        live.counts.done = 34;
        let lines = live.lines(Duration::from_secs(20));
        assert_eq!(
            lines[0],
            "  checks  ━━━━━━━━━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  34 of 68 · 0:20 · 0:20 left"
        );
    }
}
