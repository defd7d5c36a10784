//! The policy's state machine for a family: which states a call may lead to, given what came back.
//!
//! Where the policy leaves a word out, every reading of it is allowed: a history is refused only if no reading
//! of the policy has it.

use std::time::Duration;

use crate::suite::policy::{
    Grace, GraceAnswer, GraceReach, Policy, RaceRule, ReplayAnswer, ReplayRevokes, Rotation, Siblings,
};

use super::history::{Came, Does, Past};

/// A family in the middle of a history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    ended: bool,
    tokens: Vec<Slot>,
}

/// One refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Slot {
    standing: Standing,
    parent: Option<usize>,
    /// Its use was granted in an answer that nobody saw.
    has_hidden_child: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Standing {
    /// Nobody has it yet.
    Unissued,
    Live,
    /// Used by that call, and answered again so often.
    Spent {
        by: usize,
        again: u32,
    },
    Void,
}

impl State {
    /// A family at its login: the first of so many tokens is live.
    pub fn first(tokens: usize) -> State {
        let slot = Slot { standing: Standing::Unissued, parent: None, has_hidden_child: false };
        let mut tokens = vec![slot; tokens.max(1)];
        tokens[0].standing = Standing::Live;
        State { ended: false, tokens }
    }

    fn over(&self) -> State {
        State { ended: true, ..self.clone() }
    }

    fn issue(&mut self, token: usize, parent: usize) {
        self.tokens[token].standing = Standing::Live;
        self.tokens[token].parent = Some(parent);
    }

    fn is_child(&self, token: usize, parent: usize) -> bool {
        self.tokens[token].parent == Some(parent) && self.tokens[token].standing != Standing::Unissued
    }

    fn children(&self, parent: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.tokens.len()).filter(move |token| self.is_child(*token, parent))
    }

    fn descends(&self, token: usize, from: usize) -> bool {
        let mut at = Some(token);
        for _ in 0..=self.tokens.len() {
            match at {
                None => return false,
                Some(token) if token == from => return true,
                Some(token) => at = self.tokens[token].parent,
            }
        }
        false
    }

    /// Without the tokens that descend from this one.
    fn pruned(&self, from: usize, but: Option<usize>) -> State {
        let mut pruned = self.clone();
        for token in 0..self.tokens.len() {
            if token != from && Some(token) != but && self.descends(token, from) {
                pruned.tokens[token].standing = Standing::Void;
            }
        }
        pruned
    }
}

/// The machine: a policy, and the calls of a history.
pub(super) struct Machine<'a> {
    /// What the server promises.
    pub policy: &'a Policy,
    /// The calls; a call's number is its place here.
    pub calls: &'a [Past],
}

impl Machine<'_> {
    /// The states after this call has had its effect in `state`; none where what came back cannot have come.
    pub fn after(&self, state: &State, call: usize) -> Vec<State> {
        let past = &self.calls[call];
        match (past.does, past.came) {
            (Does::Revoke, Came::Granted(_)) => vec![state.over()],
            (Does::Revoke, Came::Refused) => vec![state.clone()],
            (Does::Revoke, Came::Unknown) => vec![state.clone(), state.over()],
            (Does::Use(token), Came::Unknown) => {
                let mut states = vec![state.clone()];
                states.extend(self.granted(state, call, token, Answer::Unseen));
                states.extend(self.refused(state, call, token));
                states
            }
            (Does::Use(token), Came::Granted(answer)) => {
                self.granted(state, call, token, answer.map_or(Answer::Without, Answer::With))
            }
            (Does::Use(token), Came::Refused) => self.refused(state, call, token),
        }
    }

    fn granted(&self, state: &State, call: usize, token: usize, answer: Answer) -> Vec<State> {
        if state.ended {
            return Vec::new();
        }
        match state.tokens[token].standing {
            Standing::Unissued | Standing::Void => Vec::new(),
            Standing::Live => self.used(state, call, token, answer),
            Standing::Spent { by, again } => {
                let mut states = Vec::new();
                let grace = self.grace(state, call, token, by, again);
                if grace.may_answer {
                    states.extend(self.answered_again(state, token, answer));
                }
                if grace.may_be_over && self.policy.replay_answer != Some(ReplayAnswer::Refused) {
                    states.extend(forked(state, token, answer));
                }
                states
            }
        }
    }

    /// A live token is granted.
    fn used(&self, state: &State, call: usize, token: usize, answer: Answer) -> Vec<State> {
        let mut states = Vec::new();
        let rotation = self.policy.rotation;
        let keeps = matches!(answer, Answer::Without | Answer::Unseen) || answer == Answer::With(token);
        if rotation != Some(Rotation::Always) && keeps {
            states.push(state.clone());
        }
        if rotation != Some(Rotation::Never)
            && let Some(mut next) = issued(state, token, answer)
        {
            next.tokens[token].standing = Standing::Spent { by: call, again: 0 };
            states.push(next);
        }
        states
    }

    /// A used token is granted once more, within grace.
    fn answered_again(&self, state: &State, token: usize, answer: Answer) -> Vec<State> {
        let window = match &self.policy.grace {
            Some(Grace::Window { answer, siblings, .. }) => (*answer, *siblings),
            Some(Grace::None) | None => (None, None),
        };
        let may = |wanted: GraceAnswer| window.0.is_none_or(|promised| promised == wanted);
        let mut states = Vec::new();
        if may(GraceAnswer::SamePair) || may(GraceAnswer::ActivePair) {
            states.extend(repeated(state, token, answer));
        }
        if may(GraceAnswer::NewPair)
            && let Some(next) = issued(state, token, answer)
        {
            if window.1 != Some(Siblings::Pruned) {
                states.push(next.clone());
            }
            if window.1 != Some(Siblings::Live) {
                let newest = match answer {
                    Answer::With(newest) => Some(newest),
                    Answer::Without | Answer::Unseen => None,
                };
                states.push(next.pruned(token, newest));
            }
        }
        states.into_iter().map(|state| counted(state, token)).collect()
    }

    fn refused(&self, state: &State, call: usize, token: usize) -> Vec<State> {
        if state.ended {
            return vec![state.clone()];
        }
        match state.tokens[token].standing {
            Standing::Unissued | Standing::Void => vec![state.clone()],
            // Somebody wins every race; that the winner may lose what it got is the losers' doing.
            Standing::Live => Vec::new(),
            Standing::Spent { by, again } => {
                let mut states = Vec::new();
                let grace = self.grace(state, call, token, by, again);
                let overlaps = self.calls[call].overlaps(&self.calls[by]);
                if grace.may_answer && self.grace_may_refuse(overlaps) {
                    states.push(state.clone());
                }
                if grace.may_be_over && self.policy.replay_answer != Some(ReplayAnswer::Granted) {
                    states.extend(self.penalized(state, token, overlaps));
                }
                states
            }
        }
    }

    /// Whether a use within grace may be refused. Sibling pairs are made anew, and a server may give way there.
    fn grace_may_refuse(&self, overlaps: bool) -> bool {
        match &self.policy.grace {
            Some(Grace::Window { answer: Some(answer), .. }) => match answer {
                GraceAnswer::Refused => true,
                GraceAnswer::NewPair => overlaps,
                GraceAnswer::SamePair | GraceAnswer::ActivePair => false,
            },
            Some(Grace::Window { answer: None, .. } | Grace::None) | None => true,
        }
    }

    /// What a refused replay does. One that overlapped the use which it replays need not count as a replay.
    fn penalized(&self, state: &State, token: usize, overlaps: bool) -> Vec<State> {
        let mut states = match self.policy.replay_revokes {
            Some(ReplayRevokes::Nothing | ReplayRevokes::Presented) => return vec![state.clone()],
            Some(ReplayRevokes::Successor) => vec![state.pruned(token, None)],
            Some(ReplayRevokes::Family | ReplayRevokes::Session) => vec![state.over()],
            None => return vec![state.clone(), state.pruned(token, None), state.over()],
        };
        if overlaps {
            if self.policy.race == Some(RaceRule::OneWins) {
                states.clear();
            }
            states.push(state.clone());
        }
        states
    }

    /// Whether a use of a spent token now may be within grace, and whether it may be beyond.
    fn grace(&self, state: &State, call: usize, token: usize, by: usize, again: u32) -> Window {
        let (lasting, uses, reach) = match &self.policy.grace {
            None => return Window { may_answer: true, may_be_over: true },
            Some(Grace::None) => return Window { may_answer: false, may_be_over: true },
            Some(Grace::Window { lasting, uses, reach, .. }) => (*lasting, *uses, *reach),
        };
        let mut window = match (lasting, uses) {
            (None, None) => Window { may_answer: true, may_be_over: true },
            // A count without a window never closes.
            (None, Some(_)) => Window { may_answer: true, may_be_over: false },
            (Some(lasting), _) => self.within(lasting, call, by),
        };
        if uses.is_some_and(|uses| again >= uses) {
            window = Window { may_answer: false, may_be_over: true };
        }
        let gone = state.children(token).any(|child| state.tokens[child].standing != Standing::Live);
        if gone && reach != Some(GraceReach::Any) {
            // Whose successor is used itself is no longer the parent of what is active, in most readings.
            window.may_be_over = true;
        }
        window
    }

    fn within(&self, lasting: Duration, call: usize, by: usize) -> Window {
        let (call, by) = (&self.calls[call], &self.calls[by]);
        let soonest = by.end.map_or(Duration::ZERO, |end| call.start.saturating_sub(end));
        let latest = call.end.map(|end| end.saturating_sub(by.start));
        let slack = self.policy.slack;
        Window {
            may_answer: soonest <= lasting + slack,
            may_be_over: latest.is_none_or(|latest| latest + slack >= lasting),
        }
    }
}

/// The pair that the first use was answered with, or the one that is active now.
fn repeated(state: &State, token: usize, answer: Answer) -> Vec<State> {
    let with = match answer {
        Answer::Without => return Vec::new(),
        Answer::Unseen => return vec![state.clone()],
        Answer::With(with) => with,
    };
    let is_active = state.tokens[with].standing == Standing::Live && state.descends(with, token);
    if state.is_child(with, token) || is_active {
        return vec![state.clone()];
    }
    if state.tokens[token].has_hidden_child && state.tokens[with].standing == Standing::Unissued {
        let mut next = state.clone();
        next.issue(with, token);
        next.tokens[token].has_hidden_child = false;
        return vec![next];
    }
    Vec::new()
}

#[derive(Clone, Copy, Debug)]
struct Window {
    may_answer: bool,
    may_be_over: bool,
}

/// The refresh token of a granted answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    With(usize),
    Without,
    /// Nobody saw the answer.
    Unseen,
}

/// A new token for a use of `token`.
fn issued(state: &State, token: usize, answer: Answer) -> Option<State> {
    let mut next = state.clone();
    match answer {
        Answer::Without => return None,
        Answer::Unseen => next.tokens[token].has_hidden_child = true,
        Answer::With(new) if state.tokens[new].standing == Standing::Unissued => next.issue(new, token),
        Answer::With(_) => return None,
    }
    Some(next)
}

/// A replay that is granted outside of grace: a new pair, or one of before.
fn forked(state: &State, token: usize, answer: Answer) -> Vec<State> {
    match answer {
        Answer::With(with) if state.is_child(with, token) => vec![state.clone()],
        answer => issued(state, token, answer).into_iter().collect(),
    }
}

/// One more answer within grace.
fn counted(mut state: State, token: usize) -> State {
    if let Standing::Spent { again, .. } = &mut state.tokens[token].standing {
        *again += 1;
    }
    state
}
