//! The search against brute force over every order, and what policies allow by name.

use std::time::Duration;

use proptest::prelude::*;

use crate::suite::policy::{
    Grace, GraceAnswer, GraceReach, RaceRule, ReplayAnswer, ReplayRevokes, Rotation, Siblings,
};

use super::*;

const US: fn(u64) -> Duration = Duration::from_micros;

fn strict(revokes: ReplayRevokes) -> Policy {
    Policy {
        rotation: Some(Rotation::Always),
        replay_answer: Some(ReplayAnswer::Refused),
        replay_revokes: Some(revokes),
        grace: Some(Grace::None),
        ..Policy::default()
    }
}

fn graced(answer: GraceAnswer, uses: Option<u32>) -> Policy {
    let grace = Grace::Window {
        lasting: Some(Duration::from_secs(10)),
        uses,
        answer: Some(answer),
        reach: Some(GraceReach::Parent),
        siblings: Some(Siblings::Live),
    };
    Policy { grace: Some(grace), ..strict(ReplayRevokes::Family) }
}

fn used(token: usize, from: u64, to: u64, came: Came) -> Past {
    Past { does: Does::Use(token), start: US(from), end: Some(US(to)), came }
}

const WON: fn(usize) -> Came = |token| Came::Granted(Some(token));

/// Uses of token 0 at once, then of the tokens named, one after another.
fn race(racers: &[Came], after: &[(usize, Came)]) -> History {
    let mut calls: Vec<Past> = racers.iter().map(|came| used(0, 0, 10, *came)).collect();
    for (at, (token, came)) in (1_u64..).zip(after) {
        calls.push(used(*token, 20 * at, 20 * at + 10, *came));
    }
    History::of(12, calls)
}

#[test]
fn one_winner_is_single_use_and_two_are_not() {
    let policy = strict(ReplayRevokes::Family);
    let refused = Came::Refused;
    assert_eq!(order(&policy, &race(&[WON(1), refused, refused], &[])), Ordered::Yes);
    assert_eq!(order(&policy, &race(&[WON(1), WON(2), refused], &[])), Ordered::No);
    assert_eq!(order(&policy, &race(&[refused, refused], &[])), Ordered::No);
    let may_all_lose = Policy { race: Some(RaceRule::MayAllLose), ..policy };
    assert_eq!(order(&may_all_lose, &race(&[refused, refused], &[])), Ordered::No, "somebody wins");
}

#[test]
fn losers_may_end_the_family_or_leave_it_but_a_later_replay_must_end_it() {
    let policy = strict(ReplayRevokes::Family);
    let lost = [WON(1), Came::Refused];
    assert_eq!(order(&policy, &race(&lost, &[(1, Came::Refused)])), Ordered::Yes);
    assert_eq!(order(&policy, &race(&lost, &[(1, WON(2))])), Ordered::Yes);
    let replayed = |next| race(&lost, &[(1, WON(2)), (0, Came::Refused), (2, next)]);
    assert_eq!(order(&policy, &replayed(Came::Refused)), Ordered::Yes);
    assert_eq!(order(&policy, &replayed(WON(3))), Ordered::No);
    let one_wins = Policy { race: Some(RaceRule::OneWins), ..policy };
    assert_eq!(order(&one_wins, &race(&lost, &[(1, Came::Refused)])), Ordered::No);
}

#[test]
fn grace_gives_everybody_the_same_pair_or_each_its_own() {
    let same = graced(GraceAnswer::SamePair, None);
    assert_eq!(order(&same, &race(&[WON(1), WON(1), WON(1)], &[(1, WON(2))])), Ordered::Yes);
    assert_eq!(order(&same, &race(&[WON(1), WON(2), WON(1)], &[])), Ordered::No);
    assert_eq!(order(&same, &race(&[WON(1), Came::Refused], &[])), Ordered::No);
    let own = graced(GraceAnswer::NewPair, None);
    assert_eq!(order(&own, &race(&[WON(1), WON(2), WON(3)], &[(2, WON(4)), (3, WON(5))])), Ordered::Yes);
    assert_eq!(order(&own, &race(&[WON(1), WON(1)], &[])), Ordered::No);
    let twice = graced(GraceAnswer::NewPair, Some(1));
    assert_eq!(order(&twice, &race(&[WON(1), WON(2), Came::Refused], &[])), Ordered::Yes);
    assert_eq!(order(&twice, &race(&[WON(1), WON(2), WON(3)], &[])), Ordered::No);
}

#[test]
fn an_answer_that_was_lost_may_be_the_winner_s() {
    let policy = strict(ReplayRevokes::Nothing);
    let lost = Past { end: None, ..used(0, 0, 10, Came::Unknown) };
    let history = |next| History::of(4, vec![lost, used(0, 20, 30, next)]);
    assert_eq!(order(&policy, &history(Came::Refused)), Ordered::Yes);
    assert_eq!(order(&policy, &history(WON(1))), Ordered::Yes);
    let same = graced(GraceAnswer::SamePair, None);
    assert_eq!(order(&same, &history(WON(1))), Ordered::Yes, "the pair that nobody saw is seen now");
    assert_eq!(order(&same, &history(Came::Refused)), Ordered::No);
}

#[test]
fn a_revocation_that_was_granted_ends_what_comes_after() {
    let policy = strict(ReplayRevokes::Family);
    let revoked = Past { does: Does::Revoke, ..used(0, 0, 10, Came::Granted(None)) };
    let history = |after| History::of(4, vec![revoked, used(0, 0, 10, WON(1)), used(1, 20, 30, after)]);
    assert_eq!(order(&policy, &history(Came::Refused)), Ordered::Yes);
    assert_eq!(order(&policy, &history(WON(2))), Ordered::No);
}

#[test]
fn what_the_policy_leaves_out_is_named_and_not_judged() {
    let history = race(&[WON(1), WON(2)], &[]);
    assert!(
        matches!(order(&Policy::default(), &history), Ordered::Untold(why) if why.contains("`rotation`"))
    );
    let no_grace = Policy { grace: None, ..strict(ReplayRevokes::Family) };
    assert!(matches!(order(&no_grace, &history), Ordered::Untold(why) if why.contains("`grace`")));
}

#[test]
fn thirty_two_losers_are_searched_at_once() {
    let mut racers = vec![Came::Refused; 31];
    racers.push(WON(1));
    assert_eq!(order(&strict(ReplayRevokes::Family), &race(&racers, &[(1, Came::Refused)])), Ordered::Yes);
}

/// Every order that respects what was over before what, by trying all of them. No memory, no twins.
fn brute(policy: &Policy, calls: &[Past], done: &mut Vec<usize>, state: &Family) -> bool {
    if (0..calls.len()).all(|call| calls[call].end.is_none() || done.contains(&call)) {
        return true;
    }
    for call in (0..calls.len()).filter(|call| !done.contains(call)).collect::<Vec<_>>() {
        let ready =
            (0..calls.len()).all(|other| !calls[other].precedes(&calls[call]) || done.contains(&other));
        if !ready {
            continue;
        }
        done.push(call);
        let found = after(policy, state, &calls[call]).iter().any(|next| brute(policy, calls, done, next));
        done.pop();
        if found {
            return true;
        }
    }
    false
}

fn policies() -> impl Strategy<Value = Policy> {
    let revokes = prop_oneof![
        Just(None),
        Just(Some(ReplayRevokes::Nothing)),
        Just(Some(ReplayRevokes::Successor)),
        Just(Some(ReplayRevokes::Family)),
    ];
    let rotation = prop_oneof![
        Just(Rotation::Always),
        Just(Rotation::Always),
        Just(Rotation::Never),
        Just(Rotation::Conditional)
    ];
    let answer = prop_oneof![
        Just(GraceAnswer::SamePair),
        Just(GraceAnswer::ActivePair),
        Just(GraceAnswer::NewPair),
        Just(GraceAnswer::Refused),
    ];
    let window = (answer, proptest::option::of(0_u32..3), proptest::option::of(any::<bool>())).prop_map(
        |(answer, uses, live)| Grace::Window {
            lasting: Some(US(60)),
            uses,
            answer: Some(answer),
            reach: Some(GraceReach::Parent),
            siblings: live.map(|live| if live { Siblings::Live } else { Siblings::Pruned }),
        },
    );
    let grace = prop_oneof![Just(Grace::None), window];
    let race = prop_oneof![Just(None), Just(Some(RaceRule::OneWins)), Just(Some(RaceRule::MayAllLose))];
    (rotation, revokes, grace, race).prop_map(|(rotation, replay_revokes, grace, race)| Policy {
        rotation: Some(rotation),
        replay_answer: Some(ReplayAnswer::Refused),
        replay_revokes,
        grace: Some(grace),
        race,
        ..Policy::default()
    })
}

fn calls() -> impl Strategy<Value = Past> {
    let came = prop_oneof![
        3 => (1_usize..4).prop_map(|token| Came::Granted(Some(token))),
        1 => Just(Came::Granted(None)),
        3 => Just(Came::Refused),
        1 => Just(Came::Unknown),
    ];
    let does = prop_oneof![6 => (0_usize..3).prop_map(Does::Use), 1 => Just(Does::Revoke)];
    (does, came, 0_u64..80, 0_u64..40, any::<bool>()).prop_map(|(does, came, start, lasting, heard)| {
        let end = (came != Came::Unknown || heard).then(|| US(start + lasting));
        Past { does, came, start: US(start), end }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_search_finds_what_brute_force_finds(
        policy in policies(),
        calls in proptest::collection::vec(calls(), 1..6),
    ) {
        let history = History::of(4, calls);
        let first = Family::opened(history.opened());
        let found = brute(&policy, history.calls(), &mut Vec::new(), &first);
        let searched = Search::new(&policy, &history).run(first);
        prop_assert_eq!(searched == Ordered::Yes, found);
    }
}
