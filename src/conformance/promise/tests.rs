//! The oracle as a check sees it: what is allowed at each point of a chain's life.

use super::*;
use crate::suite::policy::{
    Grace, GraceAnswer, GraceReach, PairRule, ReplayAnswer, ReplayRevokes, Rotation, Siblings,
};

const S: fn(u64) -> Duration = Duration::from_secs;

fn strict() -> Policy {
    Policy {
        rotation: Some(Rotation::Always),
        replay_answer: Some(ReplayAnswer::Refused),
        replay_revokes: Some(ReplayRevokes::Family),
        grace: Some(Grace::None),
        ..Policy::default()
    }
}

fn window(answer: GraceAnswer, reach: GraceReach, siblings: Siblings) -> Grace {
    Grace::Window {
        lasting: Some(S(10)),
        uses: None,
        answer: Some(answer),
        reach: Some(reach),
        siblings: Some(siblings),
    }
}

fn grace(answer: GraceAnswer) -> Policy {
    let grace = Some(window(answer, GraceReach::Parent, Siblings::Live));
    Policy { grace, slack: S(1), ..strict() }
}

/// A chain under a policy, with tokens named by numbers.
struct Walk {
    policy: Policy,
    chain: Promises,
}

fn token(name: u32) -> Token {
    Token::new(format!("token {name}"))
}

impl Walk {
    fn new(policy: Policy) -> Walk {
        let chain = Promises::new(Some(&token(0)), Some(&token(1000)), When::at(S(0)));
        Walk { policy, chain }
    }

    fn presented(&self, name: u32) -> Presented {
        self.chain.refresh(&token(name)).map_or(Presented::Else(None), Presented::Refresh)
    }

    /// What is allowed for the token at that second.
    fn allowed(&self, name: u32, second: u64) -> Allowed {
        self.chain.allowed(&self.policy, self.presented(name), Answer::Refused, When::at(S(second)))
    }

    /// The token was granted this successor; what was allowed.
    fn granted(&mut self, name: u32, successor: u32, second: u64) -> Allowed {
        let (refresh, access) = (token(successor), token(1000 + successor));
        self.settled(name, Answer::Granted(Some(&refresh), Some(&access)), second)
    }

    fn refused(&mut self, name: u32, second: u64) -> Allowed {
        self.settled(name, Answer::Refused, second)
    }

    fn lost(&mut self, name: u32, second: u64) {
        self.settled(name, Answer::Lost, second);
    }

    fn settled(&mut self, name: u32, answer: Answer<'_>, second: u64) -> Allowed {
        let (presented, when) = (self.presented(name), When::at(S(second)));
        let allowed = self.chain.allowed(&self.policy, presented, answer, when);
        self.chain.settle(&self.policy, presented, answer, when);
        allowed
    }
}

fn carries(allowed: &Allowed) -> Option<(SuccessorWord, bool)> {
    match allowed {
        Allowed::Granted(_, successor) => Some((successor.promised, successor.fits)),
        Allowed::Refused(_) | Allowed::Either(_) | Allowed::Unknown(_) => None,
    }
}

fn is_unknown(allowed: &Allowed, word: &str) -> bool {
    matches!(allowed, Allowed::Unknown(why) if why.contains(word))
}

#[test]
fn a_replay_is_refused_and_ends_the_family() {
    let mut walk = Walk::new(strict());
    assert_eq!(carries(&walk.granted(0, 1, 1)), Some((SuccessorWord::New, true)));
    assert_eq!(walk.refused(0, 2), Allowed::Refused("replay.answer"));
    assert_eq!(walk.allowed(1, 3), Allowed::Refused("replay.revokes"));
}

#[test]
fn a_token_that_stays_is_not_what_rotation_promises() {
    let mut walk = Walk::new(strict());
    assert_eq!(carries(&walk.granted(0, 0, 1)), Some((SuccessorWord::New, false)));
    let mut walk = Walk::new(Policy { rotation: Some(Rotation::Never), ..strict() });
    assert_eq!(carries(&walk.granted(0, 0, 1)), Some((SuccessorWord::Kept, true)));
    assert_eq!(carries(&walk.granted(0, 1, 2)), Some((SuccessorWord::Kept, false)));
    let mut walk = Walk::new(Policy { rotation: Some(Rotation::Conditional), ..strict() });
    assert_eq!(carries(&walk.granted(0, 0, 1)), Some((SuccessorWord::Any, true)));
    assert_eq!(carries(&walk.granted(0, 1, 2)), Some((SuccessorWord::Any, true)));
    assert_eq!(walk.allowed(0, 3), Allowed::Refused("replay.answer"), "it was replaced in the end");
}

#[test]
fn what_the_policy_leaves_out_is_named() {
    let mut walk = Walk::new(Policy { replay_revokes: None, ..strict() });
    walk.granted(0, 1, 1);
    assert_eq!(walk.refused(0, 2), Allowed::Refused("replay.answer"));
    assert!(is_unknown(&walk.allowed(1, 3), "`replay.revokes`"));
    let mut walk = Walk::new(Policy::default());
    assert_eq!(carries(&walk.granted(0, 1, 1)), Some((SuccessorWord::Any, true)));
    assert!(is_unknown(&walk.allowed(0, 2), "`grace`"));
    walk.policy.grace = Some(Grace::None);
    assert!(is_unknown(&walk.allowed(0, 2), "`replay.answer`"));
    let open = |lasting, answer, reach| Grace::Window { lasting, uses: None, answer, reach, siblings: None };
    walk.policy.grace = Some(open(None, Some(GraceAnswer::NewPair), None));
    assert!(is_unknown(&walk.allowed(0, 2), "`grace.for`"));
    walk.policy.grace = Some(open(Some(S(10)), None, None));
    assert!(is_unknown(&walk.allowed(0, 2), "`grace.answer`"));
    walk.granted(1, 2, 3);
    assert!(is_unknown(&walk.allowed(0, 4), "`grace.reach`"));
}

#[test]
fn what_a_replay_revokes_is_as_promised() {
    let after = |revokes| {
        let mut walk = Walk::new(Policy { replay_revokes: Some(revokes), ..strict() });
        walk.granted(0, 1, 1);
        walk.refused(0, 2);
        walk.allowed(1, 3)
    };
    assert!(carries(&after(ReplayRevokes::Nothing)).is_some());
    assert!(carries(&after(ReplayRevokes::Presented)).is_some());
    for ended in [ReplayRevokes::Successor, ReplayRevokes::Family, ReplayRevokes::Session] {
        assert_eq!(after(ended), Allowed::Refused("replay.revokes"));
    }
}

#[test]
fn grace_answers_within_its_window_and_not_after_it() {
    let mut walk = Walk::new(grace(GraceAnswer::SamePair));
    walk.granted(0, 1, 1);
    assert_eq!(carries(&walk.granted(0, 1, 6)), Some((SuccessorWord::Known, true)));
    assert_eq!(carries(&walk.granted(0, 1, 8)), Some((SuccessorWord::Known, true)));
    assert_eq!(walk.allowed(0, 11), Allowed::Either("grace.for"));
    assert_eq!(walk.allowed(0, 13), Allowed::Refused("replay.answer"), "use does not begin it anew");
    assert!(carries(&walk.allowed(1, 13)).is_some(), "a graced replay does no harm");
}

#[test]
fn a_moment_that_is_known_only_roughly_can_lie_on_both_sides_of_a_boundary() {
    let mut walk = Walk::new(Policy { slack: S(0), ..grace(GraceAnswer::NewPair) });
    walk.granted(0, 1, 1);
    let at = |from, to| {
        let when = When { from: Some(S(from)), to: S(to) };
        walk.chain.allowed(&walk.policy, Presented::Refresh(0), Answer::Refused, when)
    };
    assert_eq!(at(10, 12), Allowed::Either("grace.for"));
    assert!(carries(&at(9, 11)).is_some());
    assert_eq!(at(12, 14), Allowed::Refused("replay.answer"));
}

#[test]
fn grace_answers_what_it_promises() {
    let mut walk = Walk::new(grace(GraceAnswer::SamePair));
    walk.granted(0, 1, 1);
    assert_eq!(carries(&walk.granted(0, 2, 2)), Some((SuccessorWord::Known, false)));
    let mut walk = Walk::new(grace(GraceAnswer::NewPair));
    walk.granted(0, 1, 1);
    assert_eq!(carries(&walk.granted(0, 1, 2)), Some((SuccessorWord::New, false)));
    assert_eq!(carries(&walk.granted(0, 2, 2)), Some((SuccessorWord::New, true)));
    let mut walk = Walk::new(grace(GraceAnswer::Refused));
    walk.granted(0, 1, 1);
    assert_eq!(walk.refused(0, 2), Allowed::Refused("grace.answer"));
    assert!(carries(&walk.allowed(1, 3)).is_some(), "it is no penalty");
}

#[test]
fn grace_reaches_as_far_as_promised() {
    let mut walk = Walk::new(grace(GraceAnswer::NewPair));
    walk.granted(0, 1, 1);
    walk.granted(1, 2, 2);
    assert!(carries(&walk.allowed(1, 3)).is_some());
    assert_eq!(walk.allowed(0, 3), Allowed::Refused("replay.answer"));
    let any = |answer| {
        let grace = Some(window(answer, GraceReach::Any, Siblings::Live));
        let mut walk = Walk::new(Policy { grace, ..strict() });
        walk.granted(0, 1, 1);
        walk.granted(1, 2, 2);
        walk
    };
    let same = |walk: &mut Walk, token| carries(&walk.granted(0, token, 3));
    assert_eq!(same(&mut any(GraceAnswer::SamePair), 1), Some((SuccessorWord::Known, true)));
    assert_eq!(same(&mut any(GraceAnswer::SamePair), 2), Some((SuccessorWord::Known, false)));
    assert_eq!(same(&mut any(GraceAnswer::ActivePair), 2), Some((SuccessorWord::Known, true)));
    assert_eq!(same(&mut any(GraceAnswer::ActivePair), 1), Some((SuccessorWord::Known, false)));
}

#[test]
fn the_siblings_of_a_fork_live_or_not_as_promised() {
    let with = |siblings| {
        let lasting = Some(S(10));
        let answer = Some(GraceAnswer::NewPair);
        let reach = Some(GraceReach::Parent);
        let grace = Some(Grace::Window { lasting, uses: None, answer, reach, siblings });
        let mut walk = Walk::new(Policy { grace, ..strict() });
        walk.granted(0, 1, 1);
        walk.granted(0, 2, 2);
        walk
    };
    let walk = with(Some(Siblings::Live));
    assert!(carries(&walk.allowed(1, 3)).is_some() && carries(&walk.allowed(2, 3)).is_some());
    let walk = with(Some(Siblings::Pruned));
    assert_eq!(walk.allowed(1, 3), Allowed::Refused("grace.siblings"));
    assert!(carries(&walk.allowed(2, 3)).is_some());
    let walk = with(None);
    assert!(is_unknown(&walk.allowed(1, 3), "`grace.siblings`"));
    assert!(carries(&walk.allowed(2, 3)).is_some(), "what grace answers can be used");
}

#[test]
fn uses_in_grace_are_counted() {
    let grace = Grace::Window {
        lasting: None,
        uses: Some(2),
        answer: Some(GraceAnswer::NewPair),
        reach: Some(GraceReach::Any),
        siblings: Some(Siblings::Live),
    };
    let mut walk = Walk::new(Policy { grace: Some(grace), ..strict() });
    for successor in 1..=3 {
        assert!(carries(&walk.granted(0, successor, 1000)).is_some());
    }
    assert_eq!(walk.refused(0, 1001), Allowed::Refused("replay.answer"));
}

#[test]
fn an_answer_that_was_lost_leaves_both_open_until_one_is_seen() {
    let mut walk = Walk::new(strict());
    walk.lost(0, 1);
    assert!(matches!(walk.allowed(0, 2), Allowed::Either(_)));
    let mut spent = Walk { policy: strict(), chain: walk.chain.clone() };
    assert!(matches!(spent.refused(0, 2), Allowed::Either(_)));
    assert_eq!(
        spent.allowed(0, 3),
        Allowed::Refused("replay.revokes"),
        "it was spent, and that was a replay"
    );
    walk.granted(0, 1, 2);
    assert!(carries(&walk.allowed(1, 3)).is_some(), "it was not spent");
}

#[test]
fn within_grace_the_pair_of_a_lost_answer_is_given_again() {
    let mut walk = Walk::new(grace(GraceAnswer::SamePair));
    walk.lost(0, 1);
    assert!(carries(&walk.granted(0, 1, 2)).is_some());
    assert!(carries(&walk.allowed(1, 3)).is_some());
    assert_eq!(carries(&walk.granted(0, 1, 4)).map(|(_, fits)| fits), Some(true));
}

#[test]
fn a_chain_ends_when_it_rests_too_long_gets_too_old_or_its_token_does() {
    let at = |policy: Policy, second| {
        let mut walk = Walk::new(Policy { slack: S(2), ..policy });
        walk.granted(0, 1, 10);
        walk.allowed(1, second)
    };
    let idle = || Policy { idle: Some(S(60)), ..strict() };
    assert!(carries(&at(idle(), 60)).is_some());
    assert_eq!(at(idle(), 69), Allowed::Either("idle"));
    assert_eq!(at(idle(), 73), Allowed::Refused("idle"));
    let cap = || Policy { cap: Some(S(60)), ..strict() };
    assert_eq!(at(cap(), 60), Allowed::Either("cap"));
    assert_eq!(at(cap(), 63), Allowed::Refused("cap"));
    let lifetime = || Policy { refresh_lifetime: Some(S(60)), ..strict() };
    assert!(carries(&at(lifetime(), 67)).is_some());
    assert_eq!(at(lifetime(), 73), Allowed::Refused("refresh-lifetime"));
}

#[test]
fn after_a_promise_was_broken_nothing_is_promised() {
    let mut walk = Walk::new(strict());
    walk.granted(0, 1, 1);
    assert_eq!(walk.granted(0, 2, 2), Allowed::Refused("replay.answer"));
    assert!(is_unknown(&walk.allowed(1, 3), "not as promised"));
}

#[test]
fn a_mixed_pair_counts_as_the_policy_says() {
    let with = |pair| Walk::new(Policy { pair, ..strict() });
    let allowed = |pair| {
        let walk = with(pair);
        walk.chain.allowed(&walk.policy, Presented::Mixed(0), Answer::Refused, When::at(S(1)))
    };
    assert!(carries(&allowed(Some(PairRule::Ignored))).is_some());
    assert_eq!(allowed(Some(PairRule::Checked)), Allowed::Refused("pair"));
    assert!(is_unknown(&allowed(None), "`pair`"));
}

#[test]
fn access_tokens_are_good_as_long_and_as_often_as_promised() {
    let probe = |policy: &Policy, number, second| {
        let mut walk = Walk::new(policy.clone());
        walk.granted(0, 1, 10);
        let when = When::at(S(second));
        walk.chain.allowed(policy, Presented::Access(number), Answer::Refused, when)
    };
    let policy = Policy { access_lifetime: Some(S(300)), old_access: Some(OldAccess::Revoked), ..strict() };
    assert!(carries(&probe(&policy, 1, 300)).is_some());
    assert_eq!(probe(&policy, 1, 311), Allowed::Refused("access-lifetime"));
    assert_eq!(probe(&policy, 0, 20), Allowed::Refused("old-access"));
    let policy = Policy { old_access: Some(OldAccess::Valid), ..policy };
    assert!(carries(&probe(&policy, 0, 20)).is_some());
    let policy = Policy { access_lifetime: None, old_access: None, ..policy };
    assert!(carries(&probe(&policy, 1, 20)).is_some());
    assert!(is_unknown(&probe(&policy, 1, 200), "`access-lifetime`"));
    assert!(is_unknown(&probe(&policy, 0, 20), "`old-access`"));
}

#[test]
fn which_access_token_is_the_newest_is_not_known_after_a_fork_or_a_lost_answer() {
    let policy = Policy { old_access: Some(OldAccess::Revoked), ..grace(GraceAnswer::NewPair) };
    let probe = |walk: &Walk, number| {
        walk.chain.allowed(&policy, Presented::Access(number), Answer::Refused, When::at(S(4)))
    };
    let mut forked = Walk::new(policy.clone());
    forked.granted(0, 1, 1);
    assert_eq!(probe(&forked, 0), Allowed::Refused("old-access"));
    forked.granted(0, 2, 2);
    assert!(
        is_unknown(&probe(&forked, 1), "which of several pairs"),
        "siblings live, and so may their pairs"
    );
    let mut lost = Walk::new(policy.clone());
    lost.lost(0, 1);
    assert!(is_unknown(&probe(&lost, 0), "lost"), "it was refreshed, or it was not");
    lost.granted(0, 1, 2);
    assert!(carries(&probe(&lost, 1)).is_some());
}

#[test]
fn a_conditional_rotation_may_have_happened_in_an_answer_that_was_lost() {
    let mut walk = Walk::new(Policy { rotation: Some(Rotation::Conditional), ..strict() });
    walk.lost(0, 1);
    assert!(matches!(walk.allowed(0, 2), Allowed::Either(_)));
}

#[test]
fn a_revoked_chain_is_over() {
    let mut walk = Walk::new(strict());
    walk.chain.revoked();
    assert_eq!(walk.allowed(0, 1), Allowed::Refused("revoke"));
}

#[test]
fn of_a_chain_that_was_found_nobody_knows_how_old_it_is() {
    let policy =
        Policy { cap: Some(S(60)), refresh_lifetime: Some(S(60)), access_lifetime: Some(S(60)), ..strict() };
    let found = When { from: None, to: S(0) };
    let chain = Promises::new(Some(&token(0)), Some(&token(1000)), found);
    let now = |presented| chain.allowed(&policy, presented, Answer::Refused, When::at(S(1)));
    assert_eq!(now(Presented::Refresh(0)), Allowed::Either("cap"));
    assert_eq!(now(Presented::Access(0)), Allowed::Either("access-lifetime"));
    let late = chain.allowed(&policy, Presented::Refresh(0), Answer::Refused, When::at(S(61)));
    assert_eq!(late, Allowed::Refused("cap"));
}
