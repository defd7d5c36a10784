//! The rules: what presenting a token allows, word by word of the policy.
//!
//! A move is an answer and what it leaves behind. There is one where the policy decides, and several near a boundary,
//! where calls overlap, and where the policy is silent.

use std::time::Duration;

use crate::suite::policy::{
    Grace, GraceAnswer, GraceReach, PairRule, Policy, RaceRule, ReplayAnswer, ReplayRevokes, Rotation,
};

use super::{Family, Node, Standing, When, Why};

/// An answer that is legal, and what it leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Move {
    /// The promise that says so.
    pub by: &'static str,
    /// What a grant carries; `None` is a refusal.
    pub carries: Option<Carries>,
    pub(super) effect: Effect,
    /// What no verdict may hang on any more, once this has happened: a reading of the policy was taken for it.
    pub(super) taken: Option<Why>,
}

/// The refresh token of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Carries {
    /// Any.
    Any,
    /// The presented one, or none.
    Kept(usize),
    /// This one; `None` where it was issued in an answer nobody saw.
    One(Option<usize>),
    /// One that was not seen yet.
    New,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    /// The node is traded for what the answer carries.
    Trade(usize),
    /// The node is traded once more.
    Again(usize),
    /// The node is answered with what was given before.
    Repeat(usize),
    /// The penalty for a replay of the node.
    Penalty(usize, Harm),
    /// The node turns out to have been ended by a younger sibling.
    Pruned(usize),
    /// Nothing more can be told.
    Doubt(Why),
}

/// What a replay ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    Nothing,
    Presented,
    /// What was given for the token.
    Children,
    /// That, and all that was given for it in turn.
    Descendants,
    Family,
}

/// What a token allows now.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Moves {
    /// All of them; never none.
    pub legal: Vec<Move>,
    /// The boundary that makes it more than one.
    pub near: Option<&'static str>,
    /// Why it cannot be told which: what the policy would have to say.
    pub silent: Option<Why>,
}

impl Moves {
    fn one(by: &'static str, carries: Option<Carries>, effect: Effect) -> Moves {
        Moves { legal: vec![Move { by, carries, effect, taken: None }], ..Moves::default() }
    }

    fn granted(by: &'static str, carries: Carries, effect: Effect) -> Moves {
        Moves::one(by, Some(carries), effect)
    }

    fn refused(by: &'static str, effect: Effect) -> Moves {
        Moves::one(by, None, effect)
    }

    /// Any answer; nobody can tell which.
    fn silent(why: Why, granted: Effect, refused: Effect) -> Moves {
        let both = Moves::granted("", Carries::Any, granted).and(Moves::refused("", refused));
        Moves { silent: Some(why), ..both }
    }

    /// These and those.
    fn and(mut self, other: Moves) -> Moves {
        self.legal.extend(other.legal);
        Moves { legal: self.legal, near: self.near.or(other.near), silent: self.silent.or(other.silent) }
    }

    /// Both, because of this boundary.
    fn or(self, other: Moves, near: &'static str) -> Moves {
        Moves { near: Some(near), ..self.and(other) }
    }

    /// Both, because the policy leaves out a word. A refusal does not tell which of the readings it was.
    fn read_as(self, other: Moves, why: Why) -> Moves {
        let mut both = self.and(other);
        for one in both.legal.iter_mut().filter(|one| one.carries.is_none()) {
            one.taken = one.taken.or(Some(why));
        }
        Moves { silent: Some(why), ..both }
    }
}

/// Where a moment lies, seen from the end of a span.
enum Side {
    Within,
    Near,
    Past,
}

fn side(span: Duration, slack: Duration, (least, most): (Duration, Duration)) -> Side {
    if least > span.saturating_add(slack) {
        Side::Past
    } else if most.saturating_add(slack) > span {
        Side::Near
    } else {
        Side::Within
    }
}

/// How far a traded token is from what is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Nothing that was given for it was traded.
    Parent,
    /// All of it was.
    Ancestor,
    /// Some of it was.
    Branched,
}

impl Family {
    /// What presenting a refresh token with its own access token allows.
    pub fn moves(&self, policy: &Policy, token: usize, when: When) -> Moves {
        let moves = self.of_token(policy, token, when);
        Moves { silent: self.taken.or(moves.silent), ..moves }
    }

    fn of_token(&self, policy: &Policy, token: usize, when: When) -> Moves {
        let at = match (self.standing, self.node(token)) {
            (Standing::Open(why), None) => return Moves::silent(why, Effect::Doubt(why), Effect::Nothing),
            (Standing::Open(why), Some(at)) => return Moves::silent(why, Effect::Trade(at), Effect::Nothing),
            (Standing::Ended(by), _) => return Moves::refused(by, Effect::Nothing),
            // Nobody was given it yet.
            (Standing::Good, None) => return Moves::refused("rotation", Effect::Nothing),
            (Standing::Good, Some(at)) => at,
        };
        match self.nodes[at].standing {
            Standing::Good => self.aged(policy, at, when),
            Standing::Ended(by) => Moves::refused(by, Effect::Nothing),
            Standing::Open(why) => {
                let pruned = Moves::refused("grace.siblings", Effect::Pruned(at));
                Moves { silent: Some(why), ..self.aged(policy, at, when).and(pruned) }
            }
        }
    }

    /// `idle`, `refresh-lifetime` and `cap`, and within them the rest.
    fn aged(&self, policy: &Policy, at: usize, when: When) -> Moves {
        let node = &self.nodes[at];
        let limits = [
            ("cap", policy.cap, Some(self.opened)),
            ("idle", policy.idle, Some(self.used)),
            ("refresh-lifetime", policy.refresh_lifetime, node.issued),
        ];
        // What is over and was used before may count as either.
        let over = |word| {
            let over = Moves::refused(word, Effect::Nothing);
            match node.traded {
                None => over,
                Some(traded) => over.or(self.penalties(policy, at, word, when.overlaps(traded)), word),
            }
        };
        let mut near = None;
        for (word, limit, since) in limits {
            let side = limit.zip(since).map(|(limit, since)| side(limit, policy.slack, when.after(since)));
            match side {
                None | Some(Side::Within) => {}
                Some(Side::Near) => near = near.or(Some(word)),
                Some(Side::Past) => return over(word),
            }
        }
        let rest = match node.traded {
            None => current(policy, at, node),
            Some(traded) => self.replayed(policy, at, traded, when),
        };
        match near {
            None => rest,
            Some(word) => over(word).or(rest, word),
        }
    }

    /// A token that was traded before: within `grace`, or a plain replay.
    fn replayed(&self, policy: &Policy, at: usize, traded: When, when: When) -> Moves {
        let at_once = when.overlaps(traded);
        let plain = || self.plain_replay(policy, at, at_once);
        let (lasting, uses, answer, reach) = match &policy.grace {
            None => {
                let why = Why::Unsaid("grace");
                return Moves::silent(why, Effect::Again(at), Effect::Doubt(why));
            }
            Some(Grace::None) => return plain(),
            Some(Grace::Window { lasting, uses, answer, reach, .. }) => (*lasting, *uses, *answer, *reach),
        };
        if uses.is_some_and(|uses| self.nodes[at].again >= uses) {
            return plain();
        }
        let graced = self.graced(at, answer, at_once);
        let graced = match (reach, self.reach(at)) {
            (Some(GraceReach::Any), _) | (_, Reach::Parent) => graced,
            (Some(GraceReach::Parent), Reach::Ancestor) => return plain(),
            (Some(GraceReach::Parent), Reach::Branched) => graced.or(plain(), "grace.reach"),
            (None, Reach::Ancestor | Reach::Branched) => graced.read_as(plain(), Why::Unsaid("grace.reach")),
        };
        match (lasting, uses) {
            (None, None) => graced.read_as(plain(), Why::Unsaid("grace.for")),
            // A count without a window never closes.
            (None, Some(_)) => graced,
            (Some(lasting), _) => match side(lasting, policy.slack, when.after(traded)) {
                Side::Within => graced,
                Side::Near => graced.or(plain(), "grace.for"),
                Side::Past => plain(),
            },
        }
    }

    /// `grace.answer`
    fn graced(&self, at: usize, answer: Option<GraceAnswer>, at_once: bool) -> Moves {
        const BY: &str = "grace.answer";
        let repeated = |carries| Moves::granted(BY, carries, Effect::Repeat(at));
        let anew = || Moves::granted(BY, Carries::New, Effect::Again(at));
        let refused = || Moves::refused(BY, Effect::Nothing);
        match answer {
            None => Moves::silent(Why::Unsaid(BY), Effect::Again(at), Effect::Nothing),
            Some(GraceAnswer::Refused) => refused(),
            // A server may give way while somebody else is being given a pair.
            Some(GraceAnswer::NewPair) if at_once => anew().and(refused()),
            Some(GraceAnswer::NewPair) => anew(),
            Some(GraceAnswer::SamePair) => match self.children(at).find(|child| child.is_first) {
                Some(child) => repeated(Carries::One(child.token)),
                None => repeated(Carries::Any),
            },
            Some(GraceAnswer::ActivePair) => {
                let mut active = self.nodes.iter().filter(|node| node.is_active());
                match (active.next(), active.next()) {
                    (Some(node), None) => repeated(Carries::One(node.token)),
                    (Some(_), Some(_)) => repeated(Carries::Any),
                    (None, _) => repeated(Carries::Any).or(refused(), BY),
                }
            }
        }
    }

    fn reach(&self, at: usize) -> Reach {
        let used = self.children(at).filter(|child| child.traded.is_some()).count();
        match (used, self.children(at).count()) {
            (0, _) => Reach::Parent,
            (used, all) if used == all => Reach::Ancestor,
            _ => Reach::Branched,
        }
    }

    /// `replay.answer`: a replay outside of grace.
    fn plain_replay(&self, policy: &Policy, at: usize, at_once: bool) -> Moves {
        const BY: &str = "replay.answer";
        let refused = || self.penalties(policy, at, BY, at_once);
        let granted = |carries| Moves::granted(BY, carries, Effect::Again(at));
        match policy.replay_answer {
            None => {
                let both = granted(Carries::Any).and(refused());
                Moves { silent: Some(Why::Unsaid(BY)), ..both }
            }
            Some(ReplayAnswer::Refused) => refused(),
            Some(ReplayAnswer::Granted) => match policy.rotation {
                // Whoever asks at once may get what the other gets.
                Some(Rotation::Always) if at_once => {
                    let theirs =
                        |child: &Node| Moves::granted(BY, Carries::One(child.token), Effect::Repeat(at));
                    self.children(at).map(theirs).fold(granted(Carries::New), Moves::and)
                }
                Some(Rotation::Always) => granted(Carries::New),
                Some(Rotation::Never | Rotation::Conditional) | None => granted(Carries::Any),
            },
        }
    }

    /// `replay.revokes`, and `race` where the replay overlapped the use which it repeats: that need not count as a
    /// replay, and must not where one wins.
    fn penalties(&self, policy: &Policy, at: usize, by: &'static str, at_once: bool) -> Moves {
        let refused = |harm, taken| {
            let effect = Effect::Penalty(at, harm);
            Moves { legal: vec![Move { by, carries: None, effect, taken }], ..Moves::default() }
        };
        let spared = refused(Harm::Nothing, None);
        if at_once && policy.race == Some(RaceRule::OneWins) {
            return spared;
        }
        let unsaid = Some(Why::Unsaid("replay.revokes"));
        let penalty = match policy.replay_revokes {
            Some(ReplayRevokes::Nothing) => return spared,
            Some(ReplayRevokes::Presented) => refused(Harm::Presented, None),
            Some(ReplayRevokes::Family | ReplayRevokes::Session) => refused(Harm::Family, None),
            Some(ReplayRevokes::Successor) if self.reach(at) == Reach::Parent => {
                refused(Harm::Children, None)
            }
            // Whether it means what was given for this token, or all that came of it, is not said.
            Some(ReplayRevokes::Successor) => {
                let why = Some(Why::Because("how far `replay.revokes: successor` reaches"));
                refused(Harm::Children, why).and(refused(Harm::Descendants, why))
            }
            None => [Harm::Nothing, Harm::Presented, Harm::Children, Harm::Descendants, Harm::Family]
                .map(|harm| refused(harm, unsaid))
                .into_iter()
                .fold(Moves::default(), Moves::and),
        };
        if at_once { penalty.and(spared) } else { penalty }
    }

    /// What presenting a refresh token with another access token of the family allows: whether that belongs to it
    /// is a matter of taste.
    pub fn stale(&self, policy: &Policy, token: usize, when: When) -> Moves {
        match policy.pair {
            Some(PairRule::Ignored) => self.moves(policy, token, when),
            Some(PairRule::Checked | PairRule::MustBeExpired) => {
                self.moves(policy, token, when).or(Moves::refused("pair", Effect::Nothing), "pair")
            }
            None => self.mixed(policy, token, when),
        }
    }

    /// What presenting a refresh token with an access token from elsewhere allows.
    pub fn mixed(&self, policy: &Policy, token: usize, when: When) -> Moves {
        let Some(at) = self.node(token).filter(|at| self.nodes[*at].is_active() && self.lives()) else {
            return self.changed(policy, Some(token));
        };
        match policy.pair {
            None => self.open(policy, at, Why::Unsaid("pair")),
            Some(PairRule::Ignored) => self.moves(policy, token, when),
            Some(PairRule::Checked | PairRule::MustBeExpired) => Moves::refused("pair", Effect::Nothing),
        }
    }

    /// What a call may do of which the policy does not speak.
    pub fn changed(&self, policy: &Policy, token: Option<usize>) -> Moves {
        let granted = Why::Because("a changed call that was granted");
        match token.and_then(|token| self.node(token)) {
            Some(at) if self.nodes[at].is_active() => self.open(policy, at, granted),
            Some(_) => {
                let why = Why::Because("a changed call presented a used token");
                Moves::silent(why, Effect::Doubt(why), Effect::Doubt(why))
            }
            None => Moves::silent(granted, Effect::Doubt(granted), Effect::Nothing),
        }
    }

    /// A use of a live token of which nobody can say whether it is granted.
    fn open(&self, policy: &Policy, at: usize, why: Why) -> Moves {
        let moves = rotated(policy, at, &self.nodes[at]).and(Moves::refused("", Effect::Nothing));
        Moves { silent: Some(why), ..moves }
    }
}

/// A token that was not traded yet. Somebody wins every race, so it is never refused for the losers' sake.
fn current(policy: &Policy, at: usize, node: &Node) -> Moves {
    let granted = rotated(policy, at, node);
    match policy.pair {
        // Whether the access token has expired is not followed here.
        Some(PairRule::MustBeExpired) => granted.or(Moves::refused("pair", Effect::Nothing), "pair"),
        Some(PairRule::Ignored | PairRule::Checked) | None => granted,
    }
}

/// `rotation`
fn rotated(policy: &Policy, at: usize, node: &Node) -> Moves {
    let granted = |carries| Moves::granted("rotation", carries, Effect::Trade(at));
    let kept = || granted(node.token.map_or(Carries::Any, Carries::Kept));
    match policy.rotation {
        Some(Rotation::Always) => granted(Carries::New),
        Some(Rotation::Never) => kept(),
        Some(Rotation::Conditional) | None => kept().and(granted(Carries::New)),
    }
}
