//! What a policy promises of several uses of one token at once, as counts.
//!
//! Weaker than an order of the calls, but it holds for any number of racers and reads like a sentence. It is what
//! the policy's machine (`family`) comes to, written down in closed form; `agree` holds one against the other.

use std::time::Duration;

use crate::suite::policy::{
    Grace, GraceAnswer, Policy, RaceRule, ReplayAnswer, ReplayRevokes, Rotation, Siblings,
};

/// So many are promised, and the promise that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// At least.
    pub least: u32,
    /// At most.
    pub most: u32,
    /// The word of the policy.
    pub word: &'static str,
}

impl Bounds {
    fn exactly(count: u32, word: &'static str) -> Bounds {
        Bounds { least: count, most: count, word }
    }

    /// `exactly 1`, `1 to 8`
    pub fn spoken(&self) -> String {
        match (self.least, self.most) {
            (least, most) if least == most => format!("exactly {least}"),
            (0, most) => format!("at most {most}"),
            (least, most) => format!("{least} to {most}"),
        }
    }
}

/// The row of a policy for a race: so many uses of one live token, all within this time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The uses.
    pub racers: u32,
    /// From the first use to the end of what is counted.
    pub took: Duration,
}

/// How a use after the first is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The token stays: every use is like the first.
    Kept,
    /// As any replay: refused.
    Refused,
    /// As any replay: granted.
    Granted,
    /// Within grace, so often, with this answer.
    Graced(GraceAnswer, u32, Option<Siblings>),
}

impl Row<'_> {
    /// The rule, or the word that the policy leaves out.
    fn rule(&self) -> Result<Rule, String> {
        let left_out = |word: &str| Err(format!("the policy says nothing of `{word}`"));
        match self.policy.rotation {
            None => return left_out("rotation"),
            Some(Rotation::Conditional) => return Err("rotation is conditional".to_owned()),
            Some(Rotation::Never) => return Ok(Rule::Kept),
            Some(Rotation::Always) => {}
        }
        match &self.policy.grace {
            None => left_out("grace"),
            Some(Grace::None | Grace::Window { uses: Some(0), .. }) => match self.policy.replay_answer {
                None => left_out("replay.answer"),
                Some(ReplayAnswer::Refused) => Ok(Rule::Refused),
                Some(ReplayAnswer::Granted) => Ok(Rule::Granted),
            },
            Some(Grace::Window { lasting: None, uses: None, .. }) => left_out("grace.for"),
            Some(Grace::Window { answer: None, .. }) => left_out("grace.answer"),
            Some(Grace::Window { lasting, uses, answer: Some(answer), siblings, .. }) => {
                if lasting.is_some_and(|lasting| self.took + self.policy.slack >= lasting) {
                    return Err("the race lasted as long as `grace.for`".to_owned());
                }
                let uses = uses.unwrap_or(u32::MAX);
                let is_used_up = *answer != GraceAnswer::Refused && self.racers > uses.saturating_add(1);
                match self.policy.replay_answer {
                    None if is_used_up => left_out("replay.answer"),
                    Some(ReplayAnswer::Granted) if is_used_up => {
                        Err("what is beyond `grace.uses` may be granted as well".to_owned())
                    }
                    Some(_) | None => Ok(Rule::Graced(*answer, uses, *siblings)),
                }
            }
        }
    }

    fn may_all_lose(&self) -> bool {
        self.policy.race == Some(RaceRule::MayAllLose)
    }

    /// How many are granted.
    pub fn successes(&self) -> Result<Bounds, String> {
        let all = self.racers;
        Ok(match self.rule()? {
            Rule::Kept => Bounds::exactly(all, "rotation"),
            Rule::Refused => Bounds::exactly(all.min(1), "replay.answer"),
            Rule::Granted => Bounds::exactly(all, "replay.answer"),
            Rule::Graced(GraceAnswer::Refused, ..) => Bounds::exactly(all.min(1), "grace.answer"),
            Rule::Graced(GraceAnswer::SamePair | GraceAnswer::ActivePair, uses, _) => {
                Bounds::exactly(all.min(uses.saturating_add(1)), counted(uses, all))
            }
            Rule::Graced(GraceAnswer::NewPair, uses, _) => {
                Bounds { least: 1, most: all.min(uses.saturating_add(1)), word: counted(uses, all) }
            }
        })
    }

    /// How many different refresh tokens so many successes get.
    pub fn successors(&self, successes: u32) -> Result<Bounds, String> {
        let rule = self.rule()?;
        if successes == 0 {
            return Ok(Bounds::exactly(0, "rotation"));
        }
        Ok(match rule {
            Rule::Kept => Bounds::exactly(1, "rotation"),
            Rule::Refused => Bounds::exactly(successes, "rotation"),
            Rule::Granted => Bounds { least: 1, most: successes, word: "replay.answer" },
            Rule::Graced(GraceAnswer::Refused | GraceAnswer::NewPair, ..) => {
                Bounds::exactly(successes, "grace.answer")
            }
            Rule::Graced(GraceAnswer::SamePair | GraceAnswer::ActivePair, ..) => {
                Bounds::exactly(1, "grace.answer")
            }
        })
    }

    /// How many of so many different refresh tokens can be used afterwards.
    pub fn live(&self, successes: u32, successors: u32) -> Result<Bounds, String> {
        let rule = self.rule()?;
        if successors == 0 {
            return Ok(Bounds::exactly(0, "rotation"));
        }
        let bounds = match rule {
            Rule::Kept => Bounds::exactly(1, "rotation"),
            Rule::Refused => Bounds::exactly(1, "replay.revokes"),
            Rule::Granted => Bounds { least: 1, most: successors, word: "replay.answer" },
            Rule::Graced(GraceAnswer::NewPair, _, Some(Siblings::Live)) => {
                Bounds::exactly(successors, "grace.siblings")
            }
            Rule::Graced(GraceAnswer::NewPair, _, Some(Siblings::Pruned)) => {
                Bounds::exactly(1, "grace.siblings")
            }
            Rule::Graced(GraceAnswer::NewPair, _, None) => {
                Bounds { least: 1, most: successors, word: "grace.siblings" }
            }
            Rule::Graced(GraceAnswer::SamePair | GraceAnswer::ActivePair | GraceAnswer::Refused, ..) => {
                Bounds::exactly(1, "grace.answer")
            }
        };
        let denied = self.may_all_lose() || self.losers_may_end_it(rule, successes);
        Ok(if denied { Bounds { least: 0, ..bounds } } else { bounds })
    }

    /// Whether those who lost may count as replays, which end what the winner got. That is legal; it is reported.
    fn losers_may_end_it(&self, rule: Rule, successes: u32) -> bool {
        let replays = match rule {
            Rule::Refused => self.racers > successes,
            Rule::Graced(GraceAnswer::Refused, ..) | Rule::Kept | Rule::Granted => false,
            Rule::Graced(_, uses, _) => self.racers > uses.saturating_add(1),
        };
        let fatal = match self.policy.replay_revokes {
            Some(ReplayRevokes::Nothing | ReplayRevokes::Presented) => false,
            Some(ReplayRevokes::Successor | ReplayRevokes::Family | ReplayRevokes::Session) | None => true,
        };
        replays && fatal && self.policy.race != Some(RaceRule::OneWins)
    }

    /// Whether the family can go on; `None` where it may or may not.
    pub fn family(&self, successes: u32, successors: u32) -> Result<Option<(bool, &'static str)>, String> {
        let live = self.live(successes, successors)?;
        let pruned = matches!(self.rule()?, Rule::Graced(_, _, Some(Siblings::Pruned)));
        Ok((live.least > 0 && !pruned).then_some((true, live.word)))
    }
}

fn counted(uses: u32, racers: u32) -> &'static str {
    if uses.saturating_add(1) < racers { "grace.uses" } else { "grace.answer" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(grace: Grace) -> Policy {
        Policy {
            rotation: Some(Rotation::Always),
            replay_answer: Some(ReplayAnswer::Refused),
            replay_revokes: Some(ReplayRevokes::Family),
            grace: Some(grace),
            ..Policy::default()
        }
    }

    fn window(answer: GraceAnswer, uses: Option<u32>, siblings: Option<Siblings>) -> Policy {
        let lasting = Some(Duration::from_secs(10));
        policy(Grace::Window { lasting, uses, answer: Some(answer), reach: None, siblings })
    }

    fn row(policy: &Policy) -> Row<'_> {
        Row { policy, racers: 8, took: Duration::from_millis(5) }
    }

    fn spoken(policy: &Policy, successes: u32, successors: u32) -> [String; 3] {
        let row = row(policy);
        [row.successes(), row.successors(successes), row.live(successes, successors)]
            .map(|bounds| bounds.unwrap().spoken())
    }

    #[test]
    fn single_use_lets_one_win_whose_chain_the_losers_may_end() {
        assert_eq!(spoken(&policy(Grace::None), 1, 1), ["exactly 1", "exactly 1", "at most 1"]);
        let reject = Policy { replay_revokes: Some(ReplayRevokes::Nothing), ..policy(Grace::None) };
        assert_eq!(spoken(&reject, 1, 1), ["exactly 1", "exactly 1", "exactly 1"]);
        let one_wins = Policy { race: Some(RaceRule::OneWins), ..policy(Grace::None) };
        assert_eq!(spoken(&one_wins, 1, 1), ["exactly 1", "exactly 1", "exactly 1"]);
        let may_all_lose = Policy { race: Some(RaceRule::MayAllLose), ..policy(Grace::None) };
        assert_eq!(spoken(&may_all_lose, 1, 1), ["exactly 1", "exactly 1", "at most 1"]);
    }

    #[test]
    fn grace_answers_everybody_with_one_pair_or_with_siblings() {
        let same = window(GraceAnswer::SamePair, None, None);
        assert_eq!(spoken(&same, 8, 1), ["exactly 8", "exactly 1", "exactly 1"]);
        let siblings = window(GraceAnswer::NewPair, None, Some(Siblings::Live));
        assert_eq!(spoken(&siblings, 8, 8), ["1 to 8", "exactly 8", "exactly 8"]);
        let pruned = window(GraceAnswer::NewPair, None, Some(Siblings::Pruned));
        assert_eq!(spoken(&pruned, 8, 8), ["1 to 8", "exactly 8", "exactly 1"]);
        let count = window(GraceAnswer::NewPair, Some(2), Some(Siblings::Live));
        assert_eq!(spoken(&count, 3, 3), ["1 to 3", "exactly 3", "at most 3"]);
    }

    #[test]
    fn without_rotation_everybody_keeps_the_token() {
        let none = Policy { rotation: Some(Rotation::Never), ..Policy::default() };
        assert_eq!(spoken(&none, 8, 1), ["exactly 8", "exactly 1", "exactly 1"]);
    }

    #[test]
    fn what_the_policy_leaves_out_is_named() {
        assert!(row(&Policy::default()).successes().unwrap_err().contains("`rotation`"));
        let no_grace = Policy { grace: None, ..policy(Grace::None) };
        assert!(row(&no_grace).live(1, 1).unwrap_err().contains("`grace`"));
        let slow = Row { took: Duration::from_secs(11), ..row(&no_grace) };
        assert!(slow.successes().is_err());
    }
}
