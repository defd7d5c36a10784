//! What a profile orders, worked out before anything is sent: moments or users, parts, and words for people.

use std::time::Duration;

use crate::results::{LoadModel, StageMark};
use crate::suite::profile::{Abort, Connections, LoadCall, Model, Profile, Sentinel, Spacing, Stage, StopOn};

use super::mix::Mix;
use super::schedule::Schedule;

/// A profile, worked out.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its name.
    pub name: String,
    /// Where requests come from.
    pub arrivals: Arrivals,
    /// Which format each request has.
    pub mix: Mix,
    /// Which call each request is.
    calls: Mix,
    asks: String,
    /// This long at the start is outside every figure.
    pub warm_up: Duration,
    /// An arrival that waits longer for a chain is starved.
    pub max_wait: Duration,
    /// How long requests are started; `None` where a count ends it.
    pub lasting: Option<Duration>,
    /// How long a connection is kept.
    pub connections: Connections,
    /// The checks that run meanwhile.
    pub sentinels: Vec<Sentinel>,
    /// What ends it at once.
    pub abort: Option<Abort>,
    /// What ends it besides.
    pub stop_on: Option<StopOn>,
    stages: Vec<Stage>,
}

/// What kind of request one is, as indexes into the words of the mixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// Its format; `None` for the dialect's first.
    pub format: Option<usize>,
    /// Its call; `None` where all are good calls.
    pub call: Option<usize>,
}

/// Where requests come from.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// From a schedule.
    Open(Schedule),
    /// From users.
    Closed {
        /// How many.
        users: u32,
        /// Pause between answer and next request.
        think: Duration,
        /// Requests of all users together, at most.
        quota: u64,
    },
}

/// A request of a user takes at least this long: what bounds a closed profile that only time ends.
const QUICKEST: Duration = Duration::from_micros(50);

impl Order {
    /// Works out `profile`; what is random is so by `seed`.
    pub fn new(profile: &Profile, seed: u64) -> Order {
        let schedule = |stages: &[Stage], limit: Option<u64>| {
            Arrivals::Open(match profile.spacing {
                Spacing::Even => Schedule::new(stages, limit),
                Spacing::Poisson => Schedule::poisson(stages, limit, seed),
            })
        };
        let (arrivals, stages) = match &profile.model {
            Model::Open(stages) => (schedule(stages, profile.refreshes), stages.clone()),
            Model::Closed { users, lasting, think } => {
                let bound = lasting.map(|lasting| closed_at_most(*users, lasting, *think));
                let quota = profile.refreshes.into_iter().chain(bound).min().unwrap_or_default();
                (Arrivals::Closed { users: (*users).max(1), think: *think, quota }, Vec::new())
            }
            Model::Herd { chains, jitter } => {
                (schedule(&[herd(*chains, *jitter)], Some(u64::from(*chains))), Vec::new())
            }
            // What a search holds is an order of its own; this is what it asks for before it knows.
            Model::Search(search) => {
                let stage = Stage { from: search.from, to: search.from, lasting: search.hold };
                (schedule(&[stage], None), Vec::new())
            }
        };
        let words = |(call, share): &(LoadCall, u32)| (call.word().to_owned(), *share);
        Order {
            name: profile.name.clone(),
            arrivals,
            mix: Mix::new(&profile.formats),
            calls: Mix::new(&profile.calls.iter().map(words).collect::<Vec<_>>()),
            asks: asks(profile),
            warm_up: profile.warm_up,
            max_wait: profile.max_wait,
            lasting: profile.lasting(),
            connections: profile.connections,
            sentinels: profile.sentinels.clone(),
            abort: profile.abort.clone(),
            stop_on: profile.stop_on,
            stages,
        }
    }

    /// Requests at most.
    pub fn requests_at_most(&self) -> u64 {
        match &self.arrivals {
            Arrivals::Open(schedule) => schedule.total(),
            Arrivals::Closed { quota, .. } => *quota,
        }
    }

    /// Open or closed.
    pub fn model(&self) -> LoadModel {
        match self.arrivals {
            Arrivals::Open(_) => LoadModel::Open,
            Arrivals::Closed { .. } => LoadModel::Closed,
        }
    }

    /// The rate that is asked for at `moment`, per second; zero where users decide.
    pub fn rate_at(&self, moment: Duration) -> f64 {
        match &self.arrivals {
            Arrivals::Open(schedule) => schedule.rate_at(moment),
            Arrivals::Closed { .. } => 0.0,
        }
    }

    /// What kind of request number `k` is. The format changes with each cycle of calls, so that every call has
    /// every format.
    pub fn kind_of(&self, k: u64) -> Kind {
        Kind { format: self.mix.nth(k / self.calls.length()), call: self.calls.nth(k) }
    }

    /// The call of a kind.
    pub fn call_of(&self, kind: Kind) -> LoadCall {
        let word = kind.call.map_or("", |index| self.calls.words()[index].as_str());
        LoadCall::ALL.iter().find(|(_, own)| *own == word).map_or(LoadCall::Good, |(call, _)| *call)
    }

    /// The part of a kind's call, as an index into [`Order::parts`].
    pub fn part_of_call(&self, kind: Kind) -> Option<usize> {
        kind.call.map(|call| self.mix.words().len() + call)
    }

    /// The names of the parts that answers are recorded by: formats, calls, stages, `begin` and `end`.
    pub fn parts(&self) -> Vec<String> {
        let mut names = self.mix.words().to_vec();
        names.extend_from_slice(self.calls.words());
        if self.stages.len() > 1 {
            names.extend((1..=self.stages.len()).map(|number| format!("stage{number}")));
        }
        if self.fifth().is_some() {
            names.extend(["begin".to_owned(), "end".to_owned()]);
        }
        names
    }

    /// The parts, as indexes into [`Order::parts`], of a request of this kind that was due at `moment`.
    pub fn parts_of(&self, kind: Kind, moment: Duration) -> [Option<usize>; 4] {
        let kinds = self.mix.words().len() + self.calls.words().len();
        let stages = if self.stages.len() > 1 { self.stages.len() } else { 0 };
        let stage = match &self.arrivals {
            Arrivals::Open(schedule) if stages > 0 => Some(kinds + schedule.stage_at(moment)),
            Arrivals::Open(_) | Arrivals::Closed { .. } => None,
        };
        let edge = self.fifth().and_then(|(first, last)| {
            if moment < first {
                Some(kinds + stages)
            } else if moment >= last {
                Some(kinds + stages + 1)
            } else {
                None
            }
        });
        [kind.format, self.part_of_call(kind), stage, edge]
    }

    /// The end of the first fifth of what is measured, and the start of the last.
    fn fifth(&self) -> Option<(Duration, Duration)> {
        let lasting = self.lasting?;
        let fifth = lasting.checked_sub(self.warm_up)? / 5;
        (!fifth.is_zero()).then(|| (self.warm_up + fifth, lasting.saturating_sub(fifth)))
    }

    /// What it asks for, in words: "open, 200/s for 30 s".
    pub fn asks(&self) -> &str {
        &self.asks
    }

    /// The stages with their start, the warm-up first.
    pub fn marks(&self) -> Vec<StageMark> {
        let mut marks = Vec::new();
        if !self.warm_up.is_zero() {
            marks.push(StageMark { at_us: 0, name: "warm-up".to_owned() });
        }
        let mut starts = Duration::ZERO;
        for stage in &self.stages {
            let ends = starts + stage.lasting;
            if ends > self.warm_up {
                marks.push(StageMark { at_us: micros(starts.max(self.warm_up)), name: stage_name(stage) });
            }
            starts = ends;
        }
        if let Arrivals::Closed { users, .. } = &self.arrivals {
            marks.push(StageMark { at_us: micros(self.warm_up), name: format!("{users} users") });
        }
        marks
    }

    /// The name of the stage at `moment`.
    pub fn stage_name_at(&self, moment: Duration) -> String {
        let at_us = micros(moment);
        self.marks()
            .into_iter()
            .rev()
            .find(|mark| mark.at_us <= at_us)
            .map_or_else(String::new, |mark| mark.name)
    }
}

/// All chains of a herd, one after another within `jitter`. A moment has no rate, so it lasts a millisecond.
fn herd(chains: u32, jitter: Duration) -> Stage {
    let lasting = jitter.max(Duration::from_millis(1));
    let rate = f64::from(chains) / lasting.as_secs_f64();
    Stage { from: rate, to: rate, lasting }
}

/// What a profile asks for, in words: "open, 200/s for 30 s".
fn asks(profile: &Profile) -> String {
    let words = match &profile.model {
        Model::Open(stages) if stages.is_empty() => "open, nothing".to_owned(),
        Model::Open(stages) => {
            let stages: Vec<String> = stages.iter().map(stage_words).collect();
            format!("open, {}", stages.join(", then "))
        }
        Model::Closed { users, lasting, think } => {
            let noun = if *users == 1 { "user" } else { "users" };
            let end = match (lasting, profile.refreshes) {
                (Some(lasting), Some(most)) => format!("for {}, at most {most} refreshes", seconds(*lasting)),
                (Some(lasting), None) => format!("for {}", seconds(*lasting)),
                (None, most) => format!("until {} refreshes", most.unwrap_or_default()),
            };
            let pause =
                if think.is_zero() { String::new() } else { format!(", thinking {}", seconds(*think)) };
            format!("closed, {users} {noun} {end}{pause}")
        }
        Model::Herd { chains, jitter } => format!("herd, {chains} chains within {}", seconds(*jitter)),
        Model::Search(search) => format!(
            "search, {}/s to {}/s held for {}, until {}",
            search.from,
            search.to,
            seconds(search.hold),
            search.until.text
        ),
    };
    let words = words + &manner(profile);
    let beside: Vec<String> =
        profile.beside.iter().map(|other| format!(", beside `{}` ({})", other.name, asks(other))).collect();
    words + &beside.concat()
}

/// What is not as usual about it, in words: ", as a Poisson process, a new connection each time, with LIF-06".
fn manner(profile: &Profile) -> String {
    let spacing = match profile.spacing {
        Spacing::Even => String::new(),
        Spacing::Poisson => ", as a Poisson process".to_owned(),
    };
    let connections = match profile.connections {
        Connections::Keep => String::new(),
        Connections::Requests(1) => ", a new connection each time".to_owned(),
        Connections::Requests(requests) => format!(", {requests} requests a connection"),
    };
    let sentinels: Vec<&str> = profile.sentinels.iter().map(|sentinel| sentinel.check.as_str()).collect();
    let sentinels =
        if sentinels.is_empty() { String::new() } else { format!(", with {}", sentinels.join(" and ")) };
    format!("{spacing}{connections}{sentinels}")
}

/// Requests that a closed profile cannot exceed in its time; the engine holds it to that.
fn closed_at_most(users: u32, lasting: Duration, think: Duration) -> u64 {
    let rounds = lasting.as_nanos() / (think + QUICKEST).as_nanos() + 1;
    u64::try_from(rounds).unwrap_or(u64::MAX).saturating_mul(u64::from(users.max(1)))
}

#[expect(clippy::float_cmp, reason = "a stage holds its rate exactly when it was written so")]
fn is_level(stage: &Stage) -> bool {
    stage.from == stage.to
}

/// "200/s for 30 s", "50/s to 2000/s for 60 s"
fn stage_words(stage: &Stage) -> String {
    let lasting = seconds(stage.lasting);
    if is_level(stage) {
        format!("{}/s for {lasting}", stage.from)
    } else {
        format!("{}/s to {}/s for {lasting}", stage.from, stage.to)
    }
}

/// "hold, 200/s", "ramp to 500/s", "silence"
fn stage_name(stage: &Stage) -> String {
    match (is_level(stage), stage.to == 0.0) {
        (true, true) => "silence".to_owned(),
        (true, false) => format!("hold, {}/s", stage.to),
        (false, _) => format!("ramp to {}/s", stage.to),
    }
}

/// "30 s", "250 ms"
fn seconds(span: Duration) -> String {
    if span.as_millis().is_multiple_of(1000) {
        format!("{} s", span.as_secs())
    } else if span < Duration::from_secs(1) {
        format!("{} ms", span.as_secs_f64() * 1000.0)
    } else {
        format!("{} s", span.as_secs_f64())
    }
}

/// A moment in whole microseconds.
pub fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(model: Model, formats: &[(&str, u32)], warm_up_ms: u64) -> Order {
        Order::new(&super::super::tests::profile(model, formats, warm_up_ms), 0)
    }

    fn stage(from: f64, to: f64, seconds: u64) -> Stage {
        Stage { from, to, lasting: Duration::from_secs(seconds) }
    }

    #[test]
    fn it_says_what_it_asks_for() {
        let asks = |model| order(model, &[], 0).asks().to_owned();
        assert_eq!(asks(Model::Open(vec![stage(200.0, 200.0, 30)])), "open, 200/s for 30 s");
        assert_eq!(
            asks(Model::Open(vec![stage(0.5, 0.5, 2), stage(50.0, 2000.0, 60)])),
            "open, 0.5/s for 2 s, then 50/s to 2000/s for 60 s"
        );
        let think = Duration::from_millis(20);
        assert_eq!(
            asks(Model::Closed { users: 64, lasting: Some(Duration::from_millis(1500)), think }),
            "closed, 64 users for 1.5 s, thinking 20 ms"
        );
    }

    #[test]
    fn parts_are_formats_stages_and_the_edges() {
        let stages = Model::Open(vec![stage(10.0, 10.0, 5), stage(20.0, 20.0, 6)]);
        let order = order(stages, &[("json", 1), ("xml", 1)], 1000);
        assert_eq!(order.parts(), ["json", "xml", "stage1", "stage2", "begin", "end"]);
        let at = |seconds| Duration::from_secs(seconds);
        let format = |index| Kind { format: Some(index), call: None };
        assert_eq!(order.parts_of(format(1), at(2)), [Some(1), None, Some(2), Some(4)]);
        assert_eq!(order.parts_of(format(0), at(4)), [Some(0), None, Some(2), None]);
        assert_eq!(order.parts_of(Kind::default(), at(10)), [None, None, Some(3), Some(5)]);
    }

    #[test]
    fn marks_begin_with_the_warm_up() {
        let stages = Model::Open(vec![stage(10.0, 10.0, 1), stage(10.0, 50.0, 6), stage(0.0, 0.0, 1)]);
        let order = order(stages, &[], 2000);
        let marks: Vec<(u64, String)> =
            order.marks().into_iter().map(|mark| (mark.at_us / 1000, mark.name)).collect();
        let expected = [(0, "warm-up"), (2000, "ramp to 50/s"), (7000, "silence")];
        assert_eq!(marks, expected.map(|(at, name)| (at, name.to_owned())));
        assert_eq!(order.stage_name_at(Duration::from_secs(3)), "ramp to 50/s");
    }

    #[test]
    fn a_closed_profile_is_bounded_by_its_time() {
        let closed = Model::Closed {
            users: 10,
            lasting: Some(Duration::from_secs(10)),
            think: Duration::from_micros(99_950),
        };
        assert_eq!(order(closed, &[], 0).requests_at_most(), 1010);
    }
}
