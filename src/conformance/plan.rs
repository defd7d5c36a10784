//! What the checks would do, without traffic.

use std::time::Duration;

use crate::dialect::Dialect;
use crate::results::Burn;
use crate::suite::Suite;
use crate::suite::check::Check;
use crate::suite::environment::Environment;

use super::Planned;
use super::needs::{self, Means, Need};

/// A request is reckoned at this.
const REQUEST: Duration = Duration::from_millis(5);

/// One row per check of the suite, in its order.
pub(super) fn plan(suite: &Suite, environment: &Environment, dialect: &Dialect, full: bool) -> Vec<Planned> {
    let means = Means {
        suite,
        environment,
        dialect,
        clock: needs::is_mock(environment),
        identities: None,
        consent: None,
        full,
        url: None,
    };
    suite.checks.iter().map(|check| planned(check, &means)).collect()
}

fn planned(check: &Check, means: &Means<'_>) -> Planned {
    let (skipped, burn) = match needs::of(check, means) {
        Need::Runs(cells) => (None, needs::burn(check, &cells, means.full)),
        Need::NotApplicable(reason) => (Some(format!("not applicable: {reason}")), Burn::default()),
        Need::Skipped(reason) => (Some(reason), Burn::default()),
    };
    let requests = u32::try_from(burn.requests).unwrap_or(u32::MAX);
    let about = if skipped.is_some() {
        Duration::ZERO
    } else {
        REQUEST.saturating_mul(requests).saturating_add(needs::waits(check, means))
    };
    Planned {
        id: check.id.clone(),
        group: check.group.clone(),
        harm: if skipped.is_some() { None } else { needs::harm(check) },
        skipped,
        burn,
        about,
    }
}

#[cfg(test)]
mod tests {
    use crate::source::{SourceFile, render};
    use crate::suite::parse;

    use super::*;

    const FOREVER: &str = "assay: 1\nname: x\ndialect: pfms\npolicy: { idle: 36000d }\nenvironments:\n  live:\n    \
        url: http://127.0.0.1:9\n    guard: { hosts: [127.0.0.1] }\n    identities: { own: { tenant: '07' } }\n    \
        chains: login\nchecks:\n  use: []\n  own:\n    A-1:\n      title: a\n      basis: [practice]\n      steps:\n        \
        - { refresh: {}, every: policy.idle * 4000000000, times: 1000000, must: granted }\n        \
        - wait: policy.idle * 4000000000\n        - wait: policy.idle * 4000000000\n";

    #[test]
    fn a_plan_of_times_beyond_all_bounds_is_a_plan() {
        let file = SourceFile::new("x.yaml", FOREVER);
        let suite = parse(&file).unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, false)));
        let dialect = crate::dialect::builtin("pfms").unwrap();
        let planned = plan(&suite, &suite.environments["live"], &dialect, true);
        let skipped = planned[0].skipped.as_deref().unwrap_or_default();
        assert!(skipped.contains("patience"), "{skipped}");
    }
}
