//! The policy's state machine for one family: which tokens it has, and which moves each of them allows now.
//!
//! A move is an answer and what it leaves behind. One where the policy decides; several near a boundary; and
//! where the policy is silent all that can happen, with the word that is missing.

use std::time::Duration;

use crate::suite::policy::{
    Grace, GraceAnswer, GraceReach, PairRule, Policy, ReplayAnswer, ReplayRevokes, Rotation, Siblings,
};

use super::{When, silent_of};

/// One refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    /// Its number; `None` for one that was issued in an answer nobody saw.
    token: Option<usize>,
    parent: Option<usize>,
    issued: When,
    /// When it was traded for another.
    traded: Option<When>,
    /// How often it was answered again.
    again: u32,
    standing: Standing,
}

/// Whether something is still good.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Good,
    /// By this promise it is not.
    Ended(&'static str),
    /// It cannot be told; why.
    Open(String),
}

/// A family in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Family {
    nodes: Vec<Node>,
    standing: Standing,
    opened: When,
    /// When something was granted last: the time of rest is counted from it.
    used: When,
}

/// An answer that is legal, and what it leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// The promise that says so.
    pub by: &'static str,
    /// What a grant carries; `None` is a refusal.
    pub carries: Option<Carries>,
    effect: Effect,
}

/// The refresh token of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// Any.
    Any,
    /// The presented one, or none.
    Kept(usize),
    /// This one; `None` where it was issued in an answer nobody saw.
    One(Option<usize>),
    /// One that was not seen yet.
    New,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    Nothing,
    /// The node is traded for what the answer carries.
    Trade(usize),
    /// The node is answered again.
    Again(usize),
    /// The penalty for a replay of the node.
    Penalty(usize),
    /// Nothing more can be told.
    Open(String),
}

/// What a token allows now.
#[derive(Clone, Debug, Default)]
pub(super) struct Moves {
    /// All of them.
    pub legal: Vec<Move>,
    /// The boundary that makes it more than one.
    pub near: Option<&'static str>,
    /// What the policy would have to say.
    pub silent: Option<String>,
}

impl Moves {
    fn one(by: &'static str, carries: Option<Carries>, effect: Effect) -> Moves {
        Moves { legal: vec![Move { by, carries, effect }], ..Moves::default() }
    }

    fn granted(by: &'static str, carries: Carries, effect: Effect) -> Moves {
        Moves::one(by, Some(carries), effect)
    }

    fn refused(by: &'static str, effect: Effect) -> Moves {
        Moves::one(by, None, effect)
    }

    /// The policy does not say which.
    fn silent(why: String, granted: Effect, refused: Effect) -> Moves {
        let one = |carries, effect| Move { by: "", carries, effect };
        Moves {
            legal: vec![one(Some(Carries::Any), granted), one(None, refused)],
            near: None,
            silent: Some(why),
        }
    }

    /// Both, because of this boundary.
    fn or(mut self, other: Moves, near: &'static str) -> Moves {
        self.legal.extend(other.legal);
        Moves { legal: self.legal, near: Some(near), silent: self.silent.or(other.silent) }
    }
}

/// Where a moment lies, seen from the end of a span.
enum Side {
    Within,
    Near,
    Past,
}

fn side(span: Duration, slack: Duration, (least, most): (Duration, Duration)) -> Side {
    if least > span + slack {
        Side::Past
    } else if most.saturating_add(slack) > span {
        Side::Near
    } else {
        Side::Within
    }
}

impl Family {
    /// A family at its login; its only token has the number 0.
    pub fn opened(when: When) -> Family {
        let root = Node::new(Some(0), None, when);
        Family { nodes: vec![root], standing: Standing::Good, opened: when, used: when }
    }

    /// Whether nothing is known to have ended it.
    pub fn lives(&self) -> bool {
        self.standing == Standing::Good
    }

    /// A family of which nothing more can be told than its last token.
    pub fn in_doubt(&self, why: &str) -> Family {
        let last = self.nodes.last().expect("a family is opened with a token").clone();
        let mut family =
            Family { nodes: vec![Node { parent: None, ..last }], standing: self.standing.clone(), ..*self };
        family.doubt(why);
        family
    }

    /// Nothing more can be told.
    fn doubt(&mut self, why: &str) {
        if !matches!(self.standing, Standing::Open(_)) {
            self.standing = Standing::Open(why.to_owned());
        }
    }

    /// Everything is void from now on.
    pub fn end(&mut self, by: &'static str) {
        self.standing = Standing::Ended(by);
    }

    fn node(&self, token: usize) -> Option<usize> {
        self.nodes.iter().rposition(|node| node.token == Some(token))
    }

    fn children(&self, node: usize) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(move |(_, child)| child.parent == Some(node))
    }

    // ----------------------------------------------------------------------------------------------- moves

    /// What presenting a refresh token with its own access token allows.
    pub fn moves(&self, policy: &Policy, token: usize, when: When) -> Moves {
        let Some(at) = self.node(token) else {
            let why = match &self.standing {
                Standing::Open(why) => why.clone(),
                Standing::Good | Standing::Ended(_) => "an answer that was not promised".to_owned(),
            };
            return Moves::silent(why.clone(), Effect::Open(why), Effect::Nothing);
        };
        let node = &self.nodes[at];
        for standing in [&self.standing, &node.standing] {
            match standing {
                Standing::Good => {}
                Standing::Ended(by) => return Moves::refused(by, Effect::Nothing),
                Standing::Open(why) => {
                    return Moves::silent(why.clone(), Effect::Trade(at), Effect::Nothing);
                }
            }
        }
        self.aged(policy, at, when)
    }

    /// `idle`, `refresh-lifetime` and `cap`, and within them the rest.
    fn aged(&self, policy: &Policy, at: usize, when: When) -> Moves {
        let node = &self.nodes[at];
        let limits = [
            ("cap", policy.cap, self.opened),
            ("idle", policy.idle, self.used),
            ("refresh-lifetime", policy.refresh_lifetime, node.issued),
        ];
        // What is over and was used before may count as either.
        let over = |word| {
            let over = Moves::refused(word, Effect::Nothing);
            if node.traded.is_some() {
                over.or(Moves::refused(word, Effect::Penalty(at)), word)
            } else {
                over
            }
        };
        let mut near = None;
        for (word, limit, since) in limits {
            match limit.map(|limit| side(limit, policy.slack, when.after(since))) {
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

    /// A token that was traded before.
    fn replayed(&self, policy: &Policy, at: usize, traded: When, when: When) -> Moves {
        let silent =
            |word: &str| Moves::silent(silent_of(word), Effect::Again(at), Effect::Open(silent_of(word)));
        let plain = || plain_replay(policy, at);
        let (lasting, uses, answer, reach) = match &policy.grace {
            None => return silent("grace"),
            Some(Grace::None) => return plain(),
            Some(Grace::Window { lasting, uses, answer, reach, .. }) => (*lasting, *uses, *answer, *reach),
        };
        let mut branched = false;
        match (reach, self.generation(at)) {
            (Some(GraceReach::Any), _) | (_, Reach::Parent) => {}
            (Some(GraceReach::Parent), Reach::Ancestor) => return plain(),
            (Some(GraceReach::Parent), Reach::Branched) => branched = true,
            (None, Reach::Ancestor | Reach::Branched) => return silent("grace.reach"),
        }
        if uses.is_some_and(|uses| self.nodes[at].again >= uses) {
            return plain();
        }
        let graced = self.graced(at, answer);
        let graced = if branched { graced.or(plain(), "grace.reach") } else { graced };
        match (lasting, uses) {
            (None, None) => silent("grace.for"),
            // A count without a window never closes.
            (None, Some(_)) => graced,
            (Some(lasting), _) => match side(lasting, policy.slack, when.after(traded)) {
                Side::Within => graced,
                Side::Near => graced.or(plain(), "grace.for"),
                Side::Past => plain(),
            },
        }
    }

    fn graced(&self, at: usize, answer: Option<GraceAnswer>) -> Moves {
        const BY: &str = "grace.answer";
        let granted = |carries| Moves::granted(BY, carries, Effect::Again(at));
        match answer {
            None => {
                let why = silent_of(BY);
                Moves::silent(why, Effect::Again(at), Effect::Nothing)
            }
            Some(GraceAnswer::Refused) => Moves::refused(BY, Effect::Nothing),
            Some(GraceAnswer::NewPair) => granted(Carries::New),
            Some(GraceAnswer::SamePair) => match self.children(at).next() {
                Some((_, child)) => granted(Carries::One(child.token)),
                None => granted(Carries::Any),
            },
            Some(GraceAnswer::ActivePair) => {
                let mut active = self.nodes.iter().filter(|node| node.is_active());
                match (active.next(), active.next()) {
                    (Some(node), None) => granted(Carries::One(node.token)),
                    (Some(_), Some(_)) => granted(Carries::Any),
                    (None, _) => granted(Carries::Any).or(Moves::refused(BY, Effect::Nothing), BY),
                }
            }
        }
    }

    /// How far a traded token is from what is active.
    fn generation(&self, at: usize) -> Reach {
        let used = self.children(at).filter(|(_, child)| child.traded.is_some()).count();
        match (used, self.children(at).count()) {
            (0, _) => Reach::Parent,
            (used, all) if used == all => Reach::Ancestor,
            _ => Reach::Branched,
        }
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
            return self.changed(Some(token));
        };
        match policy.pair {
            None => Moves::silent(silent_of("pair"), Effect::Trade(at), Effect::Nothing),
            Some(PairRule::Ignored) => self.moves(policy, token, when),
            Some(PairRule::Checked | PairRule::MustBeExpired) => Moves::refused("pair", Effect::Nothing),
        }
    }

    /// What a call may do of which the policy does not speak.
    pub fn changed(&self, token: Option<usize>) -> Moves {
        let why = || "a changed call that was granted".to_owned();
        match token.and_then(|token| self.node(token)) {
            Some(at) if self.nodes[at].is_active() => {
                Moves::silent(why(), Effect::Trade(at), Effect::Nothing)
            }
            Some(_) => {
                let why = "a changed call presented a used token".to_owned();
                Moves::silent(why.clone(), Effect::Open(why.clone()), Effect::Open(why))
            }
            None => Moves::silent(why(), Effect::Open(why()), Effect::Nothing),
        }
    }

    // --------------------------------------------------------------------------------------------- effects

    /// The family after a move whose answer carried the token of the number `got`.
    pub fn after(mut self, policy: &Policy, one: &Move, got: Option<usize>, when: When) -> Family {
        match &one.effect {
            Effect::Nothing => {}
            Effect::Trade(at) => self.trade(policy, *at, got, one.carries, when),
            Effect::Again(at) => self.again(policy, *at, got, when),
            Effect::Penalty(at) => self.penalize(policy, *at),
            Effect::Open(why) => self.doubt(why),
        }
        self
    }

    fn trade(
        &mut self,
        policy: &Policy,
        at: usize,
        got: Option<usize>,
        carries: Option<Carries>,
        when: When,
    ) {
        self.used = when;
        let kept = match (got, carries) {
            (Some(got), _) => self.nodes[at].token == Some(got),
            // An answer that was not seen has traded the token where the policy always does so.
            (None, Some(Carries::New)) => false,
            (None, _) => policy.rotation != Some(Rotation::Always),
        };
        if !kept {
            self.nodes[at].traded.get_or_insert(when);
            self.issue(at, got, when);
        }
    }

    fn again(&mut self, policy: &Policy, at: usize, got: Option<usize>, when: When) {
        // Whether this ends the time of rest is left open.
        self.used.to = when.to;
        self.nodes[at].again = self.nodes[at].again.saturating_add(1);
        if got.is_some_and(|got| self.node(got).is_some()) {
            return;
        }
        let unseen = self.children(at).find(|(_, child)| child.token.is_none()).map(|(child, _)| child);
        if let (Some(child), Some(_), Some(Grace::Window { answer: Some(answer), .. })) =
            (unseen, got, &policy.grace)
            && matches!(answer, GraceAnswer::SamePair | GraceAnswer::ActivePair)
        {
            self.nodes[child].token = got;
            return;
        }
        let elder = match &policy.grace {
            Some(Grace::Window { siblings: Some(Siblings::Live), .. }) => Standing::Good,
            Some(Grace::Window { siblings: Some(Siblings::Pruned), .. }) => Standing::Ended("grace.siblings"),
            Some(Grace::Window { siblings: None, .. }) => Standing::Open(silent_of("grace.siblings")),
            // Without grace every use stands for itself.
            Some(Grace::None) | None => Standing::Good,
        };
        let elders = self.nodes.iter_mut().filter(|child| child.parent == Some(at) && child.is_active());
        elders.for_each(|child| child.standing = elder.clone());
        self.issue(at, got, when);
    }

    fn issue(&mut self, parent: usize, token: Option<usize>, when: When) {
        self.nodes.push(Node::new(token, Some(parent), when));
    }

    fn penalize(&mut self, policy: &Policy, at: usize) {
        const BY: &str = "replay.revokes";
        match policy.replay_revokes {
            None => self.standing = Standing::Open(silent_of(BY)),
            Some(ReplayRevokes::Nothing) => {}
            Some(ReplayRevokes::Presented) => self.nodes[at].standing = Standing::Ended(BY),
            // Whether it means what was given for this token, or all that came of it, is not said.
            Some(ReplayRevokes::Successor) if self.generation(at) != Reach::Parent => {
                self.standing = Standing::Open(format!("how far `{BY}: successor` reaches"));
            }
            Some(ReplayRevokes::Successor) => {
                let children = self.nodes.iter_mut().filter(|child| child.parent == Some(at));
                children.for_each(|child| child.standing = Standing::Ended(BY));
            }
            Some(ReplayRevokes::Family | ReplayRevokes::Session) => self.end(BY),
        }
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

impl Node {
    fn new(token: Option<usize>, parent: Option<usize>, issued: When) -> Node {
        Node { token, parent, issued, traded: None, again: 0, standing: Standing::Good }
    }

    fn is_active(&self) -> bool {
        self.traded.is_none() && self.standing == Standing::Good
    }
}

/// A token that was not traded yet.
fn current(policy: &Policy, at: usize, node: &Node) -> Moves {
    let carries = match (policy.rotation, node.token) {
        (Some(Rotation::Always), _) => Carries::New,
        (Some(Rotation::Never), Some(token)) => Carries::Kept(token),
        (Some(Rotation::Never | Rotation::Conditional) | None, _) => Carries::Any,
    };
    let granted = Moves::granted("rotation", carries, Effect::Trade(at));
    match policy.pair {
        // Whether the access token has expired is not followed here.
        Some(PairRule::MustBeExpired) => granted.or(Moves::refused("pair", Effect::Nothing), "pair"),
        Some(PairRule::Ignored | PairRule::Checked) | None => granted,
    }
}

/// A replay outside of grace.
fn plain_replay(policy: &Policy, at: usize) -> Moves {
    const BY: &str = "replay.answer";
    let carries = match policy.rotation {
        Some(Rotation::Always) => Carries::New,
        Some(Rotation::Never | Rotation::Conditional) | None => Carries::Any,
    };
    match policy.replay_answer {
        None => Moves::silent(silent_of(BY), Effect::Again(at), Effect::Penalty(at)),
        Some(ReplayAnswer::Refused) => Moves::refused(BY, Effect::Penalty(at)),
        Some(ReplayAnswer::Granted) => Moves::granted(BY, carries, Effect::Again(at)),
    }
}
