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
        REQUEST.saturating_mul(requests) + needs::waits(check, means)
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
