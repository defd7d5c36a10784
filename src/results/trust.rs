//! When the figures of a load cannot be believed: pure rules over what was measured, each a short sentence.

use std::time::Duration;

use crate::suite::expression::{Comparison, Node, Value};
use crate::suite::profile::Objective;

use super::LoadResult;

/// Slip p99 up to this is always good enough.
const SLIP_MIN: Duration = Duration::from_millis(5);
/// Slip p99 up to this share of the tightest latency objective is good enough.
const SLIP_SHARE: f64 = 0.1;
/// How far the rate may be off.
const RATE_SHARE: f64 = 0.01;
/// How much CPU may be stolen.
const STOLEN_SHARE: f64 = 0.05;
/// How far the wall clock may move against the monotonic one.
const CLOCK_STEP: Duration = Duration::from_millis(100);
/// How the reason for slip begins: it is judged again once the objectives are known.
const SLIP: &str = "requests left late: ";

/// What trust is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Slip p99 in microseconds; `None` where nothing was sent.
    pub slip_p99_us: Option<f64>,
    /// How far the rate was off, as a share of the rate asked for.
    pub rate_off: f64,
    /// Share of the machine's CPU that was stolen.
    pub stolen: Option<f64>,
    /// How far the wall clock moved against the monotonic one, in either direction.
    pub clock_step: Duration,
    /// Workers whose record was lost.
    pub workers_lost: usize,
}

/// Why figures like these cannot be believed; `tightest` is the tightest latency objective on them.
pub fn reasons(figures: &Figures, tightest: Option<Duration>) -> Vec<String> {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let lost = (figures.workers_lost > 0)
        .then(|| format!("{} of the generator's workers failed", figures.workers_lost));
    let rate = (figures.rate_off > RATE_SHARE)
        .then(|| format!("the rate was off by {}, above {}", percent(figures.rate_off), percent(RATE_SHARE)));
    let stolen = figures.stolen.filter(|share| *share > STOLEN_SHARE);
    let stolen = stolen
        .map(|share| format!("{} of the CPU was stolen, above {}", percent(share), percent(STOLEN_SHARE)));
    let step = (figures.clock_step > CLOCK_STEP)
        .then(|| format!("the clock stepped by {} ms during the load", figures.clock_step.as_millis()));
    [slip(figures.slip_p99_us, tightest), rate, stolen, step, lost].into_iter().flatten().collect()
}

/// Judges the slip of `result` again, by the latency objectives that are set on it.
pub fn weigh(result: &mut LoadResult, objectives: &[Objective]) {
    let tightest = tightest(&result.name, objectives);
    weigh_by(result, tightest);
}

/// Judges the slip of `result` again, by the tightest limit on a latency that anything hangs on.
pub fn weigh_by(result: &mut LoadResult, tightest: Option<Duration>) {
    result.untrusted.retain(|reason| !reason.starts_with(SLIP));
    let p99 = result.slip.quantiles_us.get("p99").copied();
    if let Some(reason) = slip(p99, tightest) {
        result.untrusted.insert(0, reason);
    }
}

fn slip(p99_us: Option<f64>, tightest: Option<Duration>) -> Option<String> {
    let limit = tightest.map_or(SLIP_MIN, |limit| limit.mul_f64(SLIP_SHARE).max(SLIP_MIN));
    let limit_ms = limit.as_secs_f64() * 1000.0;
    let p99_ms = p99_us? / 1000.0;
    (p99_ms > limit_ms).then(|| format!("{SLIP}slip p99 {p99_ms:.1} ms, above {limit_ms:.1} ms"))
}

/// The tightest limit that an objective sets on a latency of `profile`.
pub fn tightest(profile: &str, objectives: &[Objective]) -> Option<Duration> {
    objectives.iter().filter_map(|objective| tightest_in(profile, &objective.condition.root)).min()
}

fn tightest_in(profile: &str, node: &Node) -> Option<Duration> {
    match node {
        Node::Or(a, b) | Node::And(a, b) => {
            [tightest_in(profile, a), tightest_in(profile, b)].into_iter().flatten().min()
        }
        Node::Compare(a, how, b) => match (a.as_ref(), how, b.as_ref()) {
            (
                Node::Name(name),
                Comparison::Less | Comparison::AtMost,
                Node::Literal(Value::Duration(limit)),
            )
            | (
                Node::Literal(Value::Duration(limit)),
                Comparison::Greater | Comparison::AtLeast,
                Node::Name(name),
            ) if is_latency_of(profile, name) => Some(*limit),
            _ => None,
        },
        Node::Not(_)
        | Node::Arithmetic(..)
        | Node::Name(_)
        | Node::Apply(..)
        | Node::Literal(_)
        | Node::List(_) => None,
    }
}

fn is_latency_of(profile: &str, name: &str) -> bool {
    name.strip_prefix(profile).is_some_and(|rest| {
        rest.starts_with('.') && (rest.contains(".response.") || rest.contains(".service."))
    })
}

/// The share of CPU time that was stolen between two readings of `/proc/stat`.
pub fn stolen_share(before: &str, after: &str) -> Option<f64> {
    let ((stolen_before, all_before), (stolen_after, all_after)) = (cpu_time(before)?, cpu_time(after)?);
    let all = all_after.checked_sub(all_before).filter(|all| *all > 0)?;
    Some(stolen_after.checked_sub(stolen_before)? as f64 / all as f64)
}

/// Stolen and total ticks of the first line: user, nice, system, idle, iowait, irq, softirq, steal. What guests
/// used is in user already.
fn cpu_time(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|word| word.parse().ok()).collect();
    Some((*ticks.get(7)?, ticks.iter().sum()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::claim::Strength;
    use crate::suite::expression::Expression;

    fn objective(condition: &str) -> Objective {
        let file = crate::source::SourceFile::new("suite.yaml", condition);
        Objective {
            name: "x".to_owned(),
            strength: Strength::Must,
            condition: Expression::parse(condition).unwrap(),
            over: None,
            at: crate::source::Place { file, span: crate::source::Span::new(0, condition.len()) },
        }
    }

    #[test]
    fn good_figures_are_believed() {
        let good = Figures { slip_p99_us: Some(4_900.0), stolen: Some(0.01), ..Figures::default() };
        assert_eq!(reasons(&good, None), Vec::<String>::new());
        assert_eq!(reasons(&Figures::default(), None), Vec::<String>::new());
    }

    #[test]
    fn each_bad_figure_is_a_reason() {
        let bad = Figures {
            slip_p99_us: Some(12_340.0),
            rate_off: 0.025,
            stolen: Some(0.075),
            clock_step: Duration::from_millis(1500),
            workers_lost: 1,
        };
        let expected = [
            "requests left late: slip p99 12.3 ms, above 5.0 ms",
            "the rate was off by 2.5 %, above 1.0 %",
            "7.5 % of the CPU was stolen, above 5.0 %",
            "the clock stepped by 1500 ms during the load",
            "1 of the generator's workers failed",
        ];
        assert_eq!(reasons(&bad, None), expected);
    }

    #[test]
    fn slip_is_measured_against_the_tightest_latency_objective() {
        let late = Figures { slip_p99_us: Some(12_000.0), ..Figures::default() };
        assert_eq!(reasons(&late, Some(Duration::from_millis(250))), Vec::<String>::new());
        assert_eq!(reasons(&late, Some(Duration::from_millis(100))).len(), 1);
    }

    #[test]
    fn the_tightest_objective_of_a_profile_is_found() {
        let objectives = [
            objective("steady.response.p99 < 250ms"),
            objective("steady.errors == 0% and 80ms > steady.json.service.p50"),
            objective("spike.response.p99 < 1ms"),
            objective("steady.response.p50 > 2ms"),
            objective("steady.starved == 0"),
        ];
        assert_eq!(tightest("steady", &objectives), Some(Duration::from_millis(80)));
        assert_eq!(tightest("stead", &objectives), None);
    }

    #[test]
    fn stolen_time_is_a_share_of_all_time() {
        let before = "cpu  100 0 50 800 10 0 0 40 7 0\ncpu0 1 2 3\n";
        let after = "cpu  150 0 60 820 10 0 0 60 9 0\n";
        assert_eq!(stolen_share(before, after), Some(0.2));
        assert_eq!(stolen_share(after, after), None);
        assert_eq!(stolen_share("", after), None);
        assert_eq!(stolen_share("cpu  1 2 3\n", after), None);
    }
}
