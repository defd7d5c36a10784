//! Names in `when`, `wait`, `every` and `for`: the policy, the dialect, the environment, fields of steps.

use std::time::Duration;

use crate::dialect::Dialect;
use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::environment::{Environment, Target};
use crate::suite::expression::{Names, Value};
use crate::suite::policy::{
    Grace, GraceAnswer, GraceReach, OldAccess, PairRule, Policy, RaceRule, ReplayAnswer, ReplayRevokes,
    Rotation, Siblings,
};

use super::transcript::Taken;

/// What a check may hang on before anything is sent.
pub(super) struct Promised<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The dialect.
    pub dialect: &'a Dialect,
    /// The environment.
    pub environment: &'a Environment,
}

impl Names for Promised<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        if let Some(name) = name.strip_prefix("policy.") {
            return of_policy(self.policy, name);
        }
        if let Some(name) = name.strip_prefix("dialect.") {
            return of_dialect(self.dialect, name);
        }
        of_environment(self.environment, name.strip_prefix("environment.")?)
    }
}

fn word(word: &str) -> Value {
    Value::Word(word.to_owned())
}

/// `replay.answer`, `grace.for`; `None` where the suite leaves it out.
fn of_policy(policy: &Policy, name: &str) -> Option<Value> {
    match name {
        "rotation" => policy.rotation.map(|rotation| {
            word(match rotation {
                Rotation::Always => "always",
                Rotation::Never => "never",
                Rotation::Conditional => "conditional",
            })
        }),
        "replay.answer" => policy.replay_answer.map(|answer| {
            word(match answer {
                ReplayAnswer::Refused => "refused",
                ReplayAnswer::Granted => "granted",
            })
        }),
        "replay.revokes" => policy.replay_revokes.map(|revokes| {
            word(match revokes {
                ReplayRevokes::Nothing => "nothing",
                ReplayRevokes::Presented => "presented",
                ReplayRevokes::Successor => "successor",
                ReplayRevokes::Family => "family",
                ReplayRevokes::Session => "session",
            })
        }),
        "old-access" => policy.old_access.map(|old| {
            word(match old {
                OldAccess::Valid => "valid",
                OldAccess::Revoked => "revoked",
            })
        }),
        "pair" => policy.pair.map(|pair| {
            word(match pair {
                PairRule::Ignored => "ignored",
                PairRule::Checked => "checked",
                PairRule::MustBeExpired => "must-be-expired",
            })
        }),
        "race" => policy.race.map(|race| {
            word(match race {
                RaceRule::OneWins => "one-wins",
                RaceRule::MayAllLose => "may-all-lose",
            })
        }),
        "idle" => policy.idle.map(Value::Duration),
        "cap" => policy.cap.map(Value::Duration),
        "access-lifetime" => policy.access_lifetime.map(Value::Duration),
        "refresh-lifetime" => policy.refresh_lifetime.map(Value::Duration),
        "budget.p50" => policy.budget.p50.map(Value::Duration),
        "budget.p95" => policy.budget.p95.map(Value::Duration),
        "budget.p99" => policy.budget.p99.map(Value::Duration),
        "budget.errors" => policy.budget.errors.map(Value::Share),
        "budget.rate" => policy.budget.rate.map(Value::Rate),
        "slack" => Some(Value::Duration(policy.slack)),
        _ => of_grace(policy.grace.as_ref()?, name),
    }
}

/// What is declared `none` lasts no time.
fn of_grace(grace: &Grace, name: &str) -> Option<Value> {
    match (grace, name) {
        (Grace::None, "grace") => Some(word("none")),
        (Grace::None, "grace.for") => Some(Value::Duration(Duration::ZERO)),
        (Grace::None, "grace.uses") => Some(Value::Number(0.0)),
        (Grace::Window { .. }, "grace") => Some(word("window")),
        (Grace::Window { lasting, .. }, "grace.for") => lasting.map(Value::Duration),
        (Grace::Window { uses, .. }, "grace.uses") => uses.map(|uses| Value::Number(f64::from(uses))),
        (Grace::Window { answer, .. }, "grace.answer") => answer.map(|answer| {
            word(match answer {
                GraceAnswer::SamePair => "same-pair",
                GraceAnswer::ActivePair => "active-pair",
                GraceAnswer::NewPair => "new-pair",
                GraceAnswer::Refused => "refused",
            })
        }),
        (Grace::Window { reach, .. }, "grace.reach") => reach.map(|reach| {
            word(match reach {
                GraceReach::Parent => "parent",
                GraceReach::Any => "any",
            })
        }),
        (Grace::Window { siblings, .. }, "grace.siblings") => siblings.map(|siblings| {
            word(match siblings {
                Siblings::Live => "live",
                Siblings::Pruned => "pruned",
            })
        }),
        (Grace::None | Grace::Window { .. }, _) => None,
    }
}

fn of_dialect(dialect: &Dialect, name: &str) -> Option<Value> {
    let has = |operation| Some(Value::Flag(dialect.operation(operation).is_some()));
    match name {
        "name" => Some(word(&dialect.name)),
        "oauth2" => Some(Value::Flag(dialect.is_oauth2())),
        "login" => has(Operation::Login),
        "probe" => has(Operation::Probe),
        "revoke" => has(Operation::Revoke),
        _ => None,
    }
}

fn of_environment(environment: &Environment, name: &str) -> Option<Value> {
    match name {
        "name" => Some(word(&environment.name)),
        "mock" => Some(Value::Flag(match environment.target {
            Target::Mock(_) | Target::RunningMock { .. } => true,
            Target::Url(_) => false,
        })),
        "patience" => Some(Value::Duration(environment.patience)),
        "timeout" => Some(Value::Duration(environment.timeout)),
        _ => None,
    }
}

/// The same with the moments of what steps received, as time since 1970: `live.expires`, `expires`.
pub(super) struct Moments<'a> {
    /// The rest.
    pub promised: Promised<'a>,
    /// Earlier steps by name.
    pub steps: &'a super::references::Yields,
    /// The last exchange.
    pub last: Option<&'a Taken>,
}

impl Moments<'_> {
    /// The exchange that a name speaks of, and the field in it.
    fn of<'n>(&self, name: &'n str) -> Option<(&Taken, &'n str)> {
        Some(match name.split_once('.') {
            Some((step, field)) => (self.steps.get(step)?.last()?.as_ref(), field),
            None => (self.last?, name),
        })
    }

    /// Whether the name is of a moment that a grant leaves out.
    pub fn is_unstated(&self, name: &str) -> bool {
        let Some((taken, field)) = self.of(name).filter(|(taken, _)| taken.is_granted()) else {
            return false;
        };
        let (Some(field), Some(reply)) = (Field::from_word(field), taken.reply.as_ref()) else {
            return false;
        };
        let found = reply.at(self.promised.dialect, taken.operation, &FieldPlace::Field(field));
        found.text().is_none_or(|text| text.trim().is_empty())
    }
}

impl Names for Moments<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.promised.value(name) {
            return Some(value);
        }
        let (taken, field) = self.of(name)?;
        let place = match field.split_once('#') {
            Some((token, claim)) => FieldPlace::Claim(Field::from_word(token)?, claim.to_owned()),
            None if field.starts_with('/') => FieldPlace::Path(field.to_owned()),
            None => FieldPlace::Field(Field::from_word(field)?),
        };
        let reply = taken.reply.as_ref()?;
        let moment = reply.moment(self.promised.dialect, taken.operation, &place, taken.now)?;
        // Without its zone a moment may lie this much later than it reads.
        let late = if moment.zoned { 0 } else { 12 * 3600 };
        let seconds = u64::try_from(moment.at.as_second() + late).ok()?;
        Some(Value::Duration(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_left_out_is_not_known() {
        let policy = Policy { grace: Some(Grace::None), ..Policy::default() };
        assert_eq!(of_policy(&policy, "rotation"), None);
        assert_eq!(of_policy(&policy, "grace"), Some(word("none")));
        assert_eq!(of_policy(&policy, "grace.for"), Some(Value::Duration(Duration::ZERO)));
        assert_eq!(of_policy(&policy, "slack"), Some(Value::Duration(Duration::ZERO)));
    }
}
