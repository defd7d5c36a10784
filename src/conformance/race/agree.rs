//! One machine, three ways to use it: the promises of a chain, the order of calls, and the counts of a race agree.

use std::time::Duration;

use proptest::prelude::*;

use super::row::Row;
use super::{Came, Does, History, Ordered, Past, order};
use crate::conformance::family::{Family, Heard, When};
use crate::conformance::promise::{Allowed, Answer, Presented, Promises};
use crate::secret::Token;
use crate::suite::policy::{
    Grace, GraceAnswer, GraceReach, Policy, RaceRule, ReplayAnswer, ReplayRevokes, Rotation, Siblings,
};

fn word<T: Clone + std::fmt::Debug + 'static>(words: &[T]) -> impl Strategy<Value = Option<T>> + use<T> {
    proptest::option::weighted(0.9, proptest::sample::select(words.to_vec()))
}

/// Any policy, mostly whole.
fn policies() -> impl Strategy<Value = Policy> {
    let rotation = word(&[Rotation::Always, Rotation::Always, Rotation::Never, Rotation::Conditional]);
    let answer = word(&[ReplayAnswer::Refused, ReplayAnswer::Refused, ReplayAnswer::Granted]);
    let revokes = word(&[
        ReplayRevokes::Nothing,
        ReplayRevokes::Presented,
        ReplayRevokes::Successor,
        ReplayRevokes::Family,
        ReplayRevokes::Session,
    ]);
    let race = proptest::option::of(proptest::sample::select(vec![RaceRule::OneWins, RaceRule::MayAllLose]));
    let limit = |seconds| proptest::option::weighted(0.2, Just(Duration::from_secs(seconds)));
    (rotation, answer, revokes, graces(), race, limit(60), limit(90)).prop_map(
        |(rotation, replay_answer, replay_revokes, grace, race, idle, refresh_lifetime)| Policy {
            rotation,
            replay_answer,
            replay_revokes,
            grace,
            race,
            idle,
            refresh_lifetime,
            ..Policy::default()
        },
    )
}

fn graces() -> impl Strategy<Value = Option<Grace>> {
    let answer =
        word(&[GraceAnswer::SamePair, GraceAnswer::ActivePair, GraceAnswer::NewPair, GraceAnswer::Refused]);
    let reach = word(&[GraceReach::Parent, GraceReach::Any]);
    let siblings = word(&[Siblings::Live, Siblings::Pruned]);
    let lasting = proptest::option::weighted(0.8, Just(Duration::from_secs(10)));
    let window = (lasting, proptest::option::weighted(0.3, 1_u32..3), answer, reach, siblings).prop_map(
        |(lasting, uses, answer, reach, siblings)| {
            Some(Grace::Window { lasting, uses, answer, reach, siblings })
        },
    );
    prop_oneof![1 => Just(None), 3 => Just(Some(Grace::None)), 6 => window]
}

fn named(token: usize) -> Token {
    Token::new(format!("token {token}"))
}

/// What an answer is called when it is judged; nothing where the policy leaves it open.
fn is_kept(allowed: &Allowed, came: Came) -> Option<bool> {
    match (allowed, came) {
        (Allowed::Unknown(_), _) | (Allowed::Either(_), Came::Granted(_)) => None,
        (Allowed::Either(_) | Allowed::Refused(_), _) => Some(came == Came::Refused),
        (Allowed::Granted(_, successor), Came::Granted(_)) => Some(successor.fits),
        (Allowed::Granted(..), _) => Some(false),
    }
}

/// A chain as both see it.
struct Both {
    policy: Policy,
    chain: Promises,
    history: History,
}

impl Both {
    fn new(policy: Policy) -> Both {
        let opened = When::at(Duration::ZERO);
        let chain = Promises::new(Some(&named(0)), None, opened);
        Both { policy, chain, history: History::new(Some(&named(0)), opened) }
    }

    fn allowed(&self, token: usize, came: Came, at: Duration) -> Allowed {
        let presented = Presented::Refresh(self.chain.refresh(&named(token)).expect("it was issued"));
        let carried = carried(came);
        self.chain.allowed(&self.policy, presented, answer(came, carried.as_ref()), When::at(at))
    }

    fn call(&mut self, token: usize, came: Came, at: Duration) {
        let presented = Presented::Refresh(self.chain.refresh(&named(token)).expect("it was issued"));
        let carried = carried(came);
        self.chain.settle(&self.policy, presented, answer(came, carried.as_ref()), When::at(at));
        let does = Does::Use(self.history.number(&named(token)));
        let came = match &carried {
            Some(token) => Came::Granted(Some(self.history.number(token))),
            None => came,
        };
        self.history.add(Past { does, start: at, end: Some(at), came });
    }
}

fn carried(came: Came) -> Option<Token> {
    match came {
        Came::Granted(token) => token.map(named),
        Came::Refused | Came::Unknown => None,
    }
}

fn answer(came: Came, carried: Option<&Token>) -> Answer<'_> {
    match came {
        Came::Granted(_) => Answer::Granted(carried, None),
        Came::Refused => Answer::Refused,
        Came::Unknown => Answer::Lost,
    }
}

/// All that a use of `token` at the same time as the others may come to, with how many were granted.
fn one_more(policy: &Policy, ends: &[(Family, u32)], new: usize, when: When) -> Vec<(Family, u32)> {
    let mut next: Vec<(Family, u32)> = Vec::new();
    for (family, granted) in ends {
        let moves = family.moves(policy, 0, when);
        let answers = (0..=new).map(|token| Heard::Granted(Some(token)));
        for heard in answers.chain([Heard::Refused]) {
            let granted = granted + u32::from(heard != Heard::Refused);
            for family in family.heard(policy, &moves, heard, when) {
                if !next.contains(&(family.clone(), granted)) {
                    next.push((family, granted));
                }
            }
        }
    }
    next
}

/// How many of the tokens up to `last` that a race has issued are granted afterwards, one after another.
fn live(policy: &Policy, family: &Family, issued: &[usize], after: Duration) -> Vec<u32> {
    let mut ends = vec![(family.clone(), 0)];
    for (nth, token) in (0_u64..).zip(issued) {
        let when = When::at(after + Duration::from_micros(nth));
        let step = |(family, live): (Family, u32)| {
            let moves = family.moves(policy, *token, when);
            let new = Heard::Granted(Some(100 + token));
            [new, Heard::Granted(Some(*token)), Heard::Refused]
                .into_iter()
                .flat_map(move |heard| {
                    let live = live + u32::from(heard != Heard::Refused);
                    family.heard(policy, &moves, heard, when).into_iter().map(move |next| (next, live))
                })
                .collect::<Vec<_>>()
        };
        ends = ends.into_iter().flat_map(step).collect();
    }
    ends.into_iter().map(|(_, live)| live).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn of_calls_one_after_another_the_promises_and_the_order_say_the_same(
        policy in policies(),
        calls in proptest::collection::vec((0_usize..4, 0_usize..4, 0_usize..4, 0_u8..8), 1..10),
    ) {
        let mut both = Both::new(policy.clone());
        let (mut at, mut issued) = (Duration::ZERO, 1);
        for (back, wait, kind, turned) in calls {
            at += Duration::from_secs([1, 4, 11, 45][wait]);
            let token = issued - 1 - back % issued;
            let answers = [Came::Refused, Came::Granted(Some(issued)), Came::Granted(Some(token)), Came::Granted(Some(issued - 1))];
            let keeps = |came: &&Came| is_kept(&both.allowed(token, **came, at), **came) != Some(false);
            // Mostly what a server that keeps its policy would say, so that histories grow long.
            let came = answers.iter().cycle().skip(kind).take(4).find(keeps).filter(|_| turned > 0);
            let came = came.copied().unwrap_or(answers[kind]);
            let kept = is_kept(&both.allowed(token, came, at), came);
            both.call(token, came, at);
            issued += usize::from(came == Came::Granted(Some(issued)));
            let Some(kept) = kept else { break };
            match order(&policy, &both.history) {
                Ordered::Untold(_) => break,
                ordered => prop_assert_eq!(ordered == Ordered::Yes, kept, "{:?}", both.history),
            }
            if !kept {
                break;
            }
        }
    }

    #[test]
    fn a_race_comes_to_what_the_counts_promise(policy in policies(), racers in 1_u32..5) {
        let took = Duration::from_millis(5);
        let when = When { from: Some(Duration::ZERO), to: took };
        let row = Row { policy: &policy, racers, took };
        let (Ok(successes), true) = (row.successes(), policy.idle.is_none()) else { return Ok(()) };
        let mut ends = vec![(Family::opened(When::at(Duration::ZERO)), 0)];
        for racer in 1..=racers as usize {
            ends = one_more(&policy, &ends, racer, when);
        }
        let granted = || ends.iter().map(|(_, granted)| *granted);
        prop_assert_eq!((granted().min(), granted().max()), (Some(successes.least), Some(successes.most)));
        for (family, granted) in &ends {
            let issued: Vec<usize> = (1..=racers as usize).filter(|token| family.knows(*token)).collect();
            let issued = if issued.is_empty() { vec![0] } else { issued };
            let count = u32::try_from(issued.len()).expect("few");
            let bounds = row.successors(*granted).expect("it knew of successes");
            prop_assert!((bounds.least..=bounds.most).contains(&count), "{count} successors, {bounds:?}");
            let bounds = row.live(*granted, count).expect("it knew of successes");
            for live in live(&policy, family, &issued, Duration::from_millis(10)) {
                prop_assert!((bounds.least..=bounds.most).contains(&live), "{live} live, {bounds:?}, {family:?}");
            }
        }
    }
}
