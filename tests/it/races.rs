//! Races against the mock: what is found, and what alarms nobody.

use assay::conformance::Outcome;
use assay::results::Verdict;
use assay::suite::defect::Defect;
use assay::suite::environment::{MockPolicy, MockSpec};

use crate::conformance::Bench;

fn bench(policy: MockPolicy, defects: &[Defect]) -> Bench {
    Bench::of("pfms", MockSpec { policy, defects: defects.to_vec(), ..MockSpec::default() })
}

/// Every check with what is wrong about it, if anything is.
fn alarms(outcome: &Outcome) -> Vec<String> {
    let alarmed =
        outcome.checks.iter().filter(|check| matches!(check.verdict, Verdict::Fail | Verdict::Warn));
    alarmed.map(|check| format!("{}: {:?}", check.id, check.findings.first())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_two_milliseconds_is_found_by_eight_racers_in_one_quick_run() {
    let outcome = bench(MockPolicy::StrictFamily, &[Defect::RaceDoubleSpend]).run(&["RAC-04"]).await;
    assert_eq!(outcome.checks[0].verdict, Verdict::Fail);
    let race = &outcome.checks[0].races[0];
    assert!(race.broken > 0 && race.shown.as_ref().is_some_and(|shown| shown.broken.is_some()), "{race:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn races_alarm_nobody_whose_policy_they_are_told() {
    for policy in [
        MockPolicy::StrictReject,
        MockPolicy::GraceSamePair,
        MockPolicy::GraceNewPair,
        MockPolicy::GraceRefused,
        MockPolicy::None,
        MockPolicy::Count,
    ] {
        let outcome = bench(policy, &[]).run(&["RAC-04", "RAC-08"]).await;
        assert_eq!(alarms(&outcome), Vec::<String>::new(), "{policy:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute: the full depth, for the night"]
async fn three_hundred_overlapping_rounds_alarm_nobody() {
    for (policy, _) in MockPolicy::ALL {
        let mut bench = bench(policy, &[]);
        bench.ground.full = true;
        let outcome = bench.run(&["RAC-01", "RAC-06"]).await;
        assert_eq!(alarms(&outcome), Vec::<String>::new(), "{policy:?}");
        let races = outcome.checks.iter().flat_map(|check| &check.races);
        let (overlapping, broken) =
            races.fold((0, 0), |sum, race| (sum.0 + race.overlapping, sum.1 + race.broken));
        assert!(overlapping >= 300, "{policy:?}: {overlapping} rounds overlapped");
        assert_eq!(broken, 0, "{policy:?}");
    }
}
