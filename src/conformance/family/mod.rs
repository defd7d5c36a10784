//! The state machine of the declared policy for one family of refresh tokens: what a use of a token may be answered
//! with now, and what each answer leaves behind.
//!
//! Pure, and the one place that knows what `policy:` means (RFC 9700 section 4.14.2 leaves it to the server).
//! [`Family::moves`] has the rules (`moves`); [`Family::heard`] is the family after an answer. `promise` follows a
//! chain with it, one call after another; `race` searches with it for an order of calls that were made at once.
//! Calls that overlap the use which they replay have rules of their own, which calls in sequence never meet.
//!
//! Where the policy leaves a word out, a use has the moves of every reading of it, and [`Moves::silent`] is that
//! word: whoever judges one answer says that it is unknown, whoever looks for an order tries all readings.

mod moves;

use std::time::Duration;

use crate::suite::policy::{Grace, Policy, Rotation, Siblings};

pub(super) use self::moves::{Carries, Move, Moves};
use self::moves::{Effect, Harm};

/// When something happened on the endpoint's clock: between these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct When {
    /// Not before this; `None` where it was before anybody looked.
    pub from: Option<Duration>,
    /// Not after this; `Duration::MAX` where nobody saw it end.
    pub to: Duration,
}

#[cfg(test)]
impl When {
    /// At this very moment.
    pub fn at(moment: Duration) -> When {
        When { from: Some(moment), to: moment }
    }
}

impl When {
    /// How much later than `since` it is, at least and at most.
    pub fn after(self, since: When) -> (Duration, Duration) {
        let least = self.from.map_or(Duration::ZERO, |from| from.saturating_sub(since.to));
        (least, since.from.map_or(Duration::MAX, |from| self.to.saturating_sub(from)))
    }

    /// Whether it was over before the other began.
    pub fn precedes(self, other: When) -> bool {
        other.from.is_some_and(|from| self.to < from)
    }

    /// Whether both lasted at one time.
    pub fn overlaps(self, other: When) -> bool {
        let begins_within = |one: When, other: When| one.from.is_none_or(|from| from < other.to);
        begins_within(self, other) && begins_within(other, self)
    }
}

/// Why no verdict can hang on something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Why {
    /// The policy leaves out this word.
    Unsaid(&'static str),
    /// Something else, as a fragment.
    Because(&'static str),
}

impl Why {
    /// As a fragment for people.
    pub fn spoken(self) -> String {
        match self {
            Why::Unsaid(word) => format!("the policy says nothing of `{word}`"),
            Why::Because(why) => why.to_owned(),
        }
    }
}

/// What came back, with tokens as their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Heard {
    /// A grant, with this refresh token if there was one in the answer. A token that was never seen has a number
    /// that the family does not know.
    Granted(Option<usize>),
    /// A refusal.
    Refused,
    /// Nothing: it may or may not have had its effect.
    Lost,
}

/// One refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Node {
    /// Its number; `None` for one that was issued in an answer nobody saw.
    token: Option<usize>,
    /// The number of the token that it was given for.
    parent: Option<usize>,
    /// Whether it is what its parent was traded for; else it was given when that was used again.
    is_first: bool,
    /// Kept only where a promise hangs on it, so that families which differ in nothing else are one.
    issued: Option<When>,
    /// When it was traded for another.
    traded: Option<When>,
    /// How often it was answered again.
    again: u32,
    standing: Standing,
}

impl Node {
    fn is_active(&self) -> bool {
        self.traded.is_none() && self.standing == Standing::Good
    }
}

/// Whether something is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Standing {
    Good,
    /// By this promise it is not.
    Ended(&'static str),
    /// It cannot be told.
    Open(Why),
}

/// A family in one state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Family {
    nodes: Vec<Node>,
    standing: Standing,
    /// A reading of the policy was taken for this state, so no verdict may hang on it.
    taken: Option<Why>,
    opened: When,
    /// When something was granted last: the time of rest (`idle`) is counted from it.
    used: When,
}

impl Family {
    /// A family at its login; its only token has the number 0.
    pub fn opened(when: When) -> Family {
        let root = Node {
            token: Some(0),
            parent: None,
            is_first: true,
            issued: Some(when),
            traded: None,
            again: 0,
            standing: Standing::Good,
        };
        Family { nodes: vec![root], standing: Standing::Good, taken: None, opened: when, used: when }
    }

    /// Whether nothing is known to have ended it.
    pub fn lives(&self) -> bool {
        self.standing == Standing::Good && self.taken.is_none()
    }

    /// Whether more than one pair was given for one of its tokens.
    pub fn is_forked(&self) -> bool {
        (0..self.nodes.len()).any(|at| self.children(at).nth(1).is_some())
    }

    /// A family of which nothing more can be told than its last token.
    pub fn in_doubt(&self, why: &'static str) -> Family {
        let last = *self.nodes.last().expect("a family is opened with a token");
        let mut family = Family { nodes: vec![Node { parent: None, ..last }], ..self.clone() };
        family.doubt(Why::Because(why));
        family
    }

    /// Everything is void from now on.
    pub fn end(&mut self, by: &'static str) {
        self.standing = Standing::Ended(by);
    }

    /// The same family, with its tokens in an order that does not tell in which one they were issued.
    pub fn sorted(&self) -> Family {
        let mut sorted = self.clone();
        sorted.nodes.sort_unstable();
        sorted
    }

    /// Whether an answer carries what the move says.
    pub fn fits(&self, one: &Move, got: Option<usize>) -> bool {
        match (one.carries, got) {
            (None, _) | (Some(Carries::New), None) => false,
            (Some(Carries::Any), _) | (Some(Carries::Kept(_) | Carries::One(_)), None) => true,
            (Some(Carries::New | Carries::One(None)), Some(got)) => self.node(got).is_none(),
            (Some(Carries::Kept(token) | Carries::One(Some(token))), Some(got)) => got == token,
        }
    }

    /// The states after a call that allowed `moves`; none where what was heard is not among them.
    pub fn heard(&self, policy: &Policy, moves: &Moves, heard: Heard, when: When) -> Vec<Family> {
        let fits = |one: &&Move| match heard {
            Heard::Granted(got) => self.fits(one, got),
            Heard::Refused => one.carries.is_none(),
            Heard::Lost => true,
        };
        let after = moves.legal.iter().filter(fits).map(|one| self.after(policy, one, heard, when));
        let untouched = (heard == Heard::Lost).then(|| self.clone());
        untouched.into_iter().chain(after).collect()
    }

    /// The states after an answer that grants what no move carries, so that what follows can be looked at.
    pub fn misheard(&self, policy: &Policy, moves: &Moves, heard: Heard, when: When) -> Vec<Family> {
        let granted = moves.legal.iter().filter(|one| one.carries.is_some());
        granted.map(|one| self.after(policy, one, heard, when)).collect()
    }

    /// Whether a token of this number was issued.
    #[cfg(test)]
    pub fn knows(&self, token: usize) -> bool {
        self.node(token).is_some()
    }

    fn node(&self, token: usize) -> Option<usize> {
        self.nodes.iter().rposition(|node| node.token == Some(token))
    }

    /// What was given for a token.
    fn children(&self, at: usize) -> impl Iterator<Item = &Node> {
        let token = self.nodes[at].token;
        self.nodes.iter().filter(move |child| is_child(child, token))
    }

    fn after(&self, policy: &Policy, one: &Move, heard: Heard, when: When) -> Family {
        let mut family = self.clone();
        family.taken = family.taken.or(one.taken);
        match one.effect {
            Effect::Nothing => {}
            Effect::Trade(at) => family.trade(policy, at, one.carries, heard, when),
            Effect::Again(at) => family.again(policy, at, granted(heard), when),
            Effect::Repeat(at) => family.repeat(policy, at, granted(heard), when),
            Effect::Penalty(at, harm) => family.harm(at, harm),
            Effect::Pruned(at) => family.nodes[at].standing = Standing::Ended("grace.siblings"),
            Effect::Doubt(why) => family.doubt(why),
        }
        family
    }

    /// Nothing more can be told.
    fn doubt(&mut self, why: Why) {
        if !matches!(self.standing, Standing::Open(_)) {
            self.standing = Standing::Open(why);
        }
    }

    fn trade(&mut self, policy: &Policy, at: usize, carries: Option<Carries>, heard: Heard, when: When) {
        if policy.idle.is_some() {
            self.used = when;
        }
        // Whoever is granted lives, if that was in question.
        self.nodes[at].standing = Standing::Good;
        let got = granted(heard);
        let is_kept = match got {
            Some(got) => self.nodes[at].token == Some(got),
            // Of an answer that has no token, or that was not seen, the move tells.
            None => match carries {
                Some(Carries::New) => false,
                Some(Carries::Kept(_) | Carries::One(_)) => true,
                Some(Carries::Any) | None => policy.rotation != Some(Rotation::Always),
            },
        };
        if !is_kept {
            self.nodes[at].traded.get_or_insert(when);
            self.issue(policy, at, got, true, when);
        }
    }

    /// A traded token is granted once more.
    fn count_again(&mut self, policy: &Policy, at: usize, when: When) {
        if policy.idle.is_some() {
            // Whether this ends the time of rest is left open.
            self.used.to = when.to;
        }
        self.nodes[at].again = self.nodes[at].again.saturating_add(1);
    }

    fn again(&mut self, policy: &Policy, at: usize, got: Option<usize>, when: When) {
        self.count_again(policy, at, when);
        if got.is_some_and(|got| self.node(got).is_some()) {
            return;
        }
        let elder = match &policy.grace {
            Some(Grace::Window { siblings: Some(Siblings::Live), .. }) => Standing::Good,
            Some(Grace::Window { siblings: Some(Siblings::Pruned), .. }) => Standing::Ended("grace.siblings"),
            Some(Grace::Window { siblings: None, .. }) => Standing::Open(Why::Unsaid("grace.siblings")),
            // Without grace every use stands for itself.
            Some(Grace::None) | None => Standing::Good,
        };
        let parent = self.nodes[at].token;
        let elders = self.nodes.iter_mut().filter(|node| is_child(node, parent) && node.is_active());
        elders.for_each(|node| node.standing = elder);
        self.issue(policy, at, got, false, when);
    }

    /// What was given before is given again; if nobody had seen it, it is seen now.
    fn repeat(&mut self, policy: &Policy, at: usize, got: Option<usize>, when: When) {
        let Some(got) = got.filter(|got| self.node(*got).is_none()) else {
            return self.count_again(policy, at, when);
        };
        let parent = self.nodes[at].token;
        match self.nodes.iter_mut().find(|node| is_child(node, parent) && node.token.is_none()) {
            Some(unseen) => {
                unseen.token = Some(got);
                self.count_again(policy, at, when);
            }
            None => self.again(policy, at, Some(got), when),
        }
    }

    fn issue(&mut self, policy: &Policy, at: usize, token: Option<usize>, is_first: bool, when: When) {
        let issued = policy.refresh_lifetime.is_some().then_some(when);
        let parent = self.nodes[at].token;
        let standing = Standing::Good;
        self.nodes.push(Node { token, parent, is_first, issued, traded: None, again: 0, standing });
    }

    fn harm(&mut self, at: usize, harm: Harm) {
        const BY: &str = "replay.revokes";
        match harm {
            Harm::Nothing => {}
            Harm::Presented => self.nodes[at].standing = Standing::Ended(BY),
            Harm::Children => self.void(at, false),
            Harm::Descendants => self.void(at, true),
            Harm::Family => self.end(BY),
        }
    }

    /// Ends what was given for a token, and what was given for that.
    fn void(&mut self, at: usize, deep: bool) {
        let mut parents: Vec<usize> = self.nodes[at].token.into_iter().collect();
        let mut known = 0;
        while let Some(parent) = parents.get(known).copied() {
            for node in self.nodes.iter_mut().filter(|node| node.parent == Some(parent)) {
                node.standing = Standing::Ended("replay.revokes");
                if let Some(token) = node.token
                    && deep
                    && !parents.contains(&token)
                {
                    parents.push(token);
                }
            }
            known += 1;
        }
    }
}

fn is_child(node: &Node, parent: Option<usize>) -> bool {
    parent.is_some() && node.parent == parent
}

/// The refresh token that was seen to be granted.
fn granted(heard: Heard) -> Option<usize> {
    match heard {
        Heard::Granted(got) => got,
        Heard::Refused | Heard::Lost => None,
    }
}
