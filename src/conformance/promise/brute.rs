//! The oracle against a server that works everything out anew from all that ever happened: slow, without a state
//! of its own, and written from the table of policies.

use proptest::prelude::{Just, ProptestConfig, Strategy, any as any_of, prop_assert, prop_oneof, proptest};

use super::*;
use crate::suite::policy::{Grace, GraceAnswer, GraceReach, ReplayAnswer, ReplayRevokes, Rotation, Siblings};

/// One call that was answered.
#[derive(Clone, Copy, Debug)]
struct Event {
    at: u64,
    presented: usize,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Granted(usize),
    /// A replay that counts as one.
    Replay,
    /// Any other refusal.
    No,
}

/// A server that has only its log.
struct Server {
    policy: Policy,
    log: Vec<Event>,
}

impl Server {
    fn grants(&self) -> impl DoubleEndedIterator<Item = (u64, usize, usize)> + '_ {
        self.log.iter().filter_map(|event| match event.outcome {
            Outcome::Granted(token) => Some((event.at, event.presented, token)),
            Outcome::Replay | Outcome::No => None,
        })
    }

    fn tokens(&self) -> usize {
        1 + self.grants().map(|(_, _, token)| token).max().unwrap_or(0)
    }

    fn issued(&self, token: usize) -> u64 {
        self.grants().find(|(_, by, issued)| *issued == token && *by != token).map_or(0, |(at, ..)| at)
    }

    /// What a token was traded for, in order, each once.
    fn children(&self, token: usize) -> Vec<usize> {
        let mut children = Vec::new();
        for (_, presented, child) in self.grants() {
            // A pair that is given again may be that of a descendant, which is no child.
            let is_first = self.grants().find(|(_, _, issued)| *issued == child).map(|(_, by, _)| by);
            if presented == token && child != token && is_first == Some(token) && !children.contains(&child) {
                children.push(child);
            }
        }
        children
    }

    fn traded(&self, token: usize) -> Option<u64> {
        self.grants().find(|(_, presented, child)| *presented == token && *child != token).map(|(at, ..)| at)
    }

    fn uses(&self, token: usize) -> usize {
        self.grants().filter(|(_, presented, child)| *presented == token && *child != token).count()
    }

    fn ended(&self, token: usize) -> bool {
        let replays = || self.log.iter().filter(|event| event.outcome == Outcome::Replay);
        let by_replay = match self.policy.replay_revokes {
            Some(ReplayRevokes::Family | ReplayRevokes::Session) => replays().next().is_some(),
            Some(ReplayRevokes::Presented) => replays().any(|event| event.presented == token),
            // Whoever was a child when the replay came.
            Some(ReplayRevokes::Successor) => self.log.iter().enumerate().any(|(number, event)| {
                let before = Server { policy: self.policy.clone(), log: self.log[..number].to_vec() };
                event.outcome == Outcome::Replay && before.children(event.presented).contains(&token)
            }),
            Some(ReplayRevokes::Nothing) | None => false,
        };
        by_replay || self.pruned(token)
    }

    /// Whether a younger sibling was made before the token was used.
    fn pruned(&self, token: usize) -> bool {
        let Some(Grace::Window { siblings: Some(Siblings::Pruned), .. }) = self.policy.grace else {
            return false;
        };
        let Some(parent) = self.grants().find(|(_, _, issued)| *issued == token).map(|(_, by, _)| by) else {
            return false;
        };
        let siblings = self.children(parent);
        let younger =
            siblings.iter().position(|sibling| *sibling == token).and_then(|at| siblings.get(at + 1));
        let born = |token: usize| self.log.iter().position(|event| event.outcome == Outcome::Granted(token));
        let used = self.log.iter().position(|event| {
            event.presented == token && matches!(event.outcome, Outcome::Granted(child) if child != token)
        });
        younger.is_some_and(|younger| used.is_none_or(|used| born(*younger).is_some_and(|born| born < used)))
    }

    fn is_over(&self, token: usize, at: u64) -> bool {
        let past =
            |limit: Option<Duration>, since: u64| limit.is_some_and(|limit| at - since > limit.as_secs());
        let rested = self.grants().next_back().map_or(0, |(at, ..)| at);
        past(self.policy.cap, 0)
            || past(self.policy.idle, rested)
            || past(self.policy.refresh_lifetime, self.issued(token))
    }

    fn next(&self) -> Outcome {
        Outcome::Granted(self.tokens())
    }

    fn answer(&self, token: usize, at: u64, rotates: bool) -> Outcome {
        if self.ended(token) || self.is_over(token, at) {
            return Outcome::No;
        }
        let kept = match self.policy.rotation {
            Some(Rotation::Never) => true,
            Some(Rotation::Conditional) => !rotates,
            Some(Rotation::Always) | None => false,
        };
        match self.traded(token) {
            None if kept => Outcome::Granted(token),
            None => self.next(),
            Some(traded) => self.again(token, at, traded),
        }
    }

    fn again(&self, token: usize, at: u64, traded: u64) -> Outcome {
        if let Some(Grace::Window { lasting, uses, answer, reach, .. }) = &self.policy.grace {
            let children = self.children(token);
            let in_time = lasting.is_none_or(|lasting| at - traded <= lasting.as_secs());
            let in_count = uses.is_none_or(|uses| self.uses(token) - 1 < uses as usize);
            let in_reach =
                *reach == Some(GraceReach::Any) || children.iter().all(|child| self.traded(*child).is_none());
            if in_time && in_count && in_reach {
                return match answer {
                    Some(GraceAnswer::SamePair) => Outcome::Granted(children[0]),
                    Some(GraceAnswer::ActivePair) => {
                        let active = |token: &usize| self.traded(*token).is_none() && !self.ended(*token);
                        (0..self.tokens()).rev().find(active).map_or(Outcome::No, Outcome::Granted)
                    }
                    Some(GraceAnswer::NewPair) => self.next(),
                    Some(GraceAnswer::Refused) | None => Outcome::No,
                };
            }
        }
        match self.policy.replay_answer {
            Some(ReplayAnswer::Granted) => self.next(),
            Some(ReplayAnswer::Refused) | None => Outcome::Replay,
        }
    }
}

fn policies() -> impl Strategy<Value = Policy> {
    let rotation = prop_oneof![
        4 => Just(Rotation::Always),
        1 => Just(Rotation::Never),
        1 => Just(Rotation::Conditional)
    ];
    let answer = prop_oneof![
        3 => Just(ReplayAnswer::Refused),
        1 => Just(ReplayAnswer::Granted)
    ];
    let revokes = proptest::sample::select(vec![
        ReplayRevokes::Nothing,
        ReplayRevokes::Presented,
        ReplayRevokes::Successor,
        ReplayRevokes::Family,
        ReplayRevokes::Session,
    ]);
    let limit = |seconds: u64| proptest::option::weighted(0.2, Just(Duration::from_secs(seconds)));
    (rotation, answer, revokes, graces(), limit(60), limit(200), limit(90)).prop_map(
        |(rotation, answer, revokes, grace, idle, cap, lifetime)| Policy {
            rotation: Some(rotation),
            replay_answer: Some(answer),
            replay_revokes: Some(revokes),
            grace: Some(grace),
            idle,
            cap,
            refresh_lifetime: lifetime,
            ..Policy::default()
        },
    )
}

fn graces() -> impl Strategy<Value = Grace> {
    let answer = proptest::sample::select(vec![
        GraceAnswer::SamePair,
        GraceAnswer::ActivePair,
        GraceAnswer::NewPair,
        GraceAnswer::Refused,
    ]);
    let reach = proptest::sample::select(vec![GraceReach::Parent, GraceReach::Any]);
    let siblings = proptest::sample::select(vec![Siblings::Live, Siblings::Pruned]);
    let window = (answer, reach, siblings, proptest::option::of(1_u32..3), any_of::<bool>()).prop_map(
        |(answer, reach, siblings, uses, timed)| Grace::Window {
            lasting: (timed || uses.is_none()).then(|| Duration::from_secs(10)),
            uses,
            answer: Some(answer),
            reach: Some(reach),
            siblings: Some(siblings),
        },
    );
    prop_oneof![1 => Just(Grace::None), 4 => window]
}

fn named(token: usize) -> Token {
    Token::new(format!("token {token}"))
}

fn answered(token: Option<&Token>) -> Answer<'_> {
    token.map_or(Answer::Refused, |token| Answer::Granted(Some(token), None))
}

/// Whether an answer is among what is allowed.
fn admits(allowed: &Allowed, outcome: Outcome) -> bool {
    match (allowed, outcome) {
        (Allowed::Granted(_, successor), Outcome::Granted(_)) => successor.fits,
        (Allowed::Refused(_), Outcome::Replay | Outcome::No)
        | (Allowed::Either(_) | Allowed::Unknown(_), _) => true,
        (Allowed::Granted(..), Outcome::Replay | Outcome::No)
        | (Allowed::Refused(_), Outcome::Granted(_)) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever a server does that keeps its policy is allowed, and where the policy is whole the oracle mostly
    /// knows the one answer.
    #[test]
    fn a_server_that_keeps_its_policy_is_never_accused(
        policy in policies(),
        calls in proptest::collection::vec((0_usize..6, 0_usize..5, any_of::<bool>()), 1..14),
    ) {
        let mut server = Server { policy: policy.clone(), log: Vec::new() };
        let mut chain = Promises::new(Some(&named(0)), None, When::at(Duration::ZERO));
        let mut at = 0;
        for (back, wait, rotates) in calls {
            at += [1, 4, 9, 11, 45][wait];
            let token = server.tokens().saturating_sub(1 + back);
            let outcome = server.answer(token, at, rotates);
            let carried = match outcome {
                Outcome::Granted(token) => Some(named(token)),
                Outcome::Replay | Outcome::No => None,
            };
            let answer = answered(carried.as_ref());
            let when = When::at(Duration::from_secs(at));
            let presented = Presented::Refresh(chain.refresh(&named(token)).expect("it was issued"));
            let allowed = chain.allowed(&policy, presented, answer, when);
            prop_assert!(admits(&allowed, outcome), "{token} at {at}: {outcome:?}, but {allowed:?}\n{:?}", server.log);
            chain.settle(&policy, presented, answer, when);
            server.log.push(Event { at, presented: token, outcome });
        }
    }

    /// The other side: an answer that is turned round is noticed wherever the policy has one answer.
    #[test]
    fn a_server_that_breaks_its_policy_once_is_noticed(
        policy in policies(),
        calls in proptest::collection::vec((0_usize..3, 0_usize..5), 1..10),
    ) {
        let mut server = Server { policy: policy.clone(), log: Vec::new() };
        let mut chain = Promises::new(Some(&named(0)), None, When::at(Duration::ZERO));
        let mut at = 0;
        for (back, wait) in calls {
            at += [1, 4, 8, 12, 45][wait];
            let token = server.tokens().saturating_sub(1 + back);
            let outcome = server.answer(token, at, true);
            let turned = match outcome {
                Outcome::Granted(_) => Outcome::No,
                Outcome::Replay | Outcome::No => Outcome::Granted(server.tokens() + 7),
            };
            let presented = Presented::Refresh(chain.refresh(&named(token)).expect("it was issued"));
            let when = When::at(Duration::from_secs(at));
            let of = |outcome| match outcome {
                Outcome::Granted(token) => Some(named(token)),
                Outcome::Replay | Outcome::No => None,
            };
            let (told, lied) = (of(outcome), of(turned));
            let allowed = chain.allowed(&policy, presented, answered(lied.as_ref()), when);
            let is_open = matches!(allowed, Allowed::Either(_) | Allowed::Unknown(_));
            prop_assert!(is_open || !admits(&allowed, turned), "{turned:?} passes: {allowed:?}");
            // It is open only where a fork makes it so, or a replay of an older token than the parent.
            let forked = server.log.iter().any(|event| server.children(event.presented).len() > 1);
            let deep = back > 1 || server.log.iter().any(|event| event.outcome == Outcome::Replay);
            let rested = policy.idle.is_some() || policy.refresh_lifetime.is_some() || policy.cap.is_some();
            prop_assert!(!is_open || forked || deep || rested, "{allowed:?} at {at}\n{:?}", server.log);
            chain.settle(&policy, presented, answered(told.as_ref()), when);
            server.log.push(Event { at, presented: token, outcome });
        }
    }
}
