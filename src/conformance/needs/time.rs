//! The time that a check needs: lengths that the policy has to promise, waits that the environment has to bear.

use std::time::Duration;

use crate::conformance::clock::impatient;
use crate::conformance::steps::loads;
use crate::load;
use crate::suite::check::{AccessNeed, Check, Verb, Wait};
use crate::suite::expression::{Expression, Value};

use super::{Means, Outcome, skipped};

impl Means<'_> {
    /// Times that hang on a promise which the policy does not make.
    pub(super) fn lengths(&self, check: &Check) -> Outcome {
        for step in &check.steps {
            let of_verb = match &step.verb {
                Verb::Wait(Wait::For(time)) => Some(time),
                _ => None,
            };
            let spans = [&step.every, &step.lasting].into_iter().flatten().map(|(time, _)| time);
            for time in of_verb.into_iter().chain(spans) {
                if let Err(name) = time.value(&self.names()) {
                    return Err(skipped(format!("`{name}` is not known, and `{}` hangs on it", time.text)));
                }
            }
        }
        Ok(())
    }

    pub(super) fn time(&self, check: &Check) -> Outcome {
        if self.clock {
            return Ok(());
        }
        if check.chains.values().any(|need| need.access == Some(AccessNeed::Expired)) {
            return Err(skipped("it needs an expired access token, and the clock cannot be moved"));
        }
        for step in &check.steps {
            match &step.verb {
                Verb::Restart => {
                    return Err(skipped("the endpoint cannot be restarted from here"));
                }
                Verb::Wait(Wait::Until(moment)) => self.until(moment)?,
                Verb::Wait(Wait::For(time)) => self.bearable(self.length(time), 1)?,
                Verb::Wait(Wait::Exactly(time)) => self.bearable(Some(*time), 1)?,
                Verb::Call(_) | Verb::Race(_) | Verb::Load(_) | Verb::Fuzz(_) | Verb::Connect(_) => {
                    let times = step.times.map_or(1, |times| times.at(self.full));
                    if let Some((every, _)) = &step.every {
                        self.bearable(self.length(every), times)?;
                    }
                    if let Some((lasting, _)) = &step.lasting {
                        self.bearable(self.length(lasting), 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn length(&self, time: &Expression) -> Option<Duration> {
        match time.value(&self.names()) {
            Ok(Value::Duration(time)) => Some(time),
            Ok(_) | Err(_) => None,
        }
    }

    fn bearable(&self, time: Option<Duration>, times: u32) -> Outcome {
        let patience = self.environment.patience;
        match time.map(|time| time.saturating_mul(times)) {
            Some(time) if time > patience => Err(skipped(impatient(time, patience))),
            Some(_) | None => Ok(()),
        }
    }

    fn until(&self, moment: &Expression) -> Outcome {
        match self.suite.policy.access_lifetime {
            Some(lifetime) if lifetime <= self.environment.patience => Ok(()),
            Some(lifetime) => Err(skipped(impatient(lifetime, self.environment.patience))),
            None => Err(skipped(format!("it waits until `{}`, and the clock cannot be moved", moment.text))),
        }
    }
}

/// How long its loads take at most, and its waits where the clock cannot be moved.
pub(in super::super) fn waits(check: &Check, means: &Means<'_>) -> Duration {
    let loaded = loads(check).map(|depths| load::at_most(depths.at(means.full)));
    let loaded = loaded.fold(Duration::ZERO, Duration::saturating_add);
    if means.clock {
        return loaded;
    }
    let waited: Duration = check
        .steps
        .iter()
        .map(|step| {
            let times = step.times.map_or(1, |times| times.at(means.full));
            let every = step.every.as_ref().and_then(|(every, _)| means.length(every)).unwrap_or_default();
            let wait = match &step.verb {
                Verb::Wait(Wait::Exactly(time)) => *time,
                Verb::Wait(Wait::For(time)) => means.length(time).unwrap_or_default(),
                Verb::Wait(Wait::Until(_))
                | Verb::Load(_)
                | Verb::Call(_)
                | Verb::Fuzz(_)
                | Verb::Race(_)
                | Verb::Restart
                | Verb::Connect(_) => Duration::ZERO,
            };
            wait.saturating_add(every.saturating_mul(times))
        })
        .fold(Duration::ZERO, Duration::saturating_add);
    waited.saturating_add(loaded)
}
