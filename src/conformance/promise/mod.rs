//! What the policy promises at this point, for one caller after another on one chain.
//!
//! Pure. [`Promises`] follows a chain: which tokens it was issued, and in which states of the policy's machine
//! ([`family`]) its family may be. There is more than one where an answer was lost, or came so near to a boundary
//! that both sides of it are legal. Where the verdict hangs on a word that the suite leaves out, the answer is
//! that word.

mod family;

use std::time::Duration;

use crate::secret::Token;
use crate::suite::policy::{OldAccess, Policy};

use self::family::{Carries, Family, Move, Moves};

/// More states than this are not told apart.
const WORLDS_MAX: usize = 32;

/// What an access token is good for is known so long where no lifetime is promised.
const FRESH: Duration = Duration::from_mins(1);

/// When something happened on the endpoint's clock: between these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    /// Not before this; `None` where it was before anybody looked.
    pub from: Option<Duration>,
    /// Not after this.
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
    fn after(self, since: When) -> (Duration, Duration) {
        let least = self.from.map_or(Duration::ZERO, |from| from.saturating_sub(since.to));
        (least, since.from.map_or(Duration::MAX, |from| self.to.saturating_sub(from)))
    }
}

/// What is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// It must be granted; the promise that says so, and what the answer must carry.
    Granted(&'static str, Successor),
    /// It must be refused; the promise that says so.
    Refused(&'static str),
    /// Both: it happens near a boundary, or an answer was lost.
    Either(&'static str),
    /// The policy's word that is not known, or why no policy can tell.
    Unknown(String),
}

/// Which refresh token a grant must carry, and whether this one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Successor {
    /// What is promised.
    pub promised: SuccessorWord,
    /// Whether the answer carries such a one; true where there was no answer to look at.
    pub fits: bool,
}

/// Which refresh token a grant must carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SuccessorWord {
    /// Any.
    Any,
    /// The one that was presented, or none.
    Kept,
    /// The one that was given for it before, or that is active now.
    Known,
    /// One that the chain does not have yet.
    New,
}

/// What a call presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// A refresh token of the chain, by its number, with the access token of its pair.
    Refresh(usize),
    /// A refresh token of the chain with another access token of the chain than that of its pair.
    Stale(usize),
    /// A refresh token of the chain with an access token from elsewhere.
    Mixed(usize),
    /// An access token of the chain, by its number, at a protected resource.
    Access(usize),
    /// Anything else, with the refresh token of the chain that is in it: the policy does not speak of it.
    Else(Option<usize>),
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer<'t> {
    /// A grant, with its refresh and access token.
    Granted(Option<&'t Token>, Option<&'t Token>),
    /// A refusal, or anything else that grants nothing.
    Refused,
    /// Nothing: it may or may not have had its effect.
    Lost,
}

/// The policy's view of one chain.
#[derive(Clone, Debug)]
pub(super) struct Promises {
    /// Refresh tokens by their numbers.
    tokens: Vec<Token>,
    /// Access tokens by their numbers, and when they were issued.
    access: Vec<(Token, When)>,
    /// A token was answered again with another pair: more than one access token may be the newest.
    forked: bool,
    /// The states that the family may be in; never none.
    worlds: Vec<Family>,
}

impl Promises {
    /// A chain that was opened with this pair.
    pub fn new(refresh: Option<&Token>, access: Option<&Token>, when: When) -> Promises {
        Promises {
            tokens: refresh.into_iter().cloned().collect(),
            access: access.map(|token| (token.clone(), when)).into_iter().collect(),
            forked: false,
            worlds: vec![Family::opened(when)],
        }
    }

    /// The number of a refresh token that the chain was issued.
    pub fn refresh(&self, token: &Token) -> Option<usize> {
        self.tokens.iter().rposition(|known| known == token)
    }

    /// The number of an access token that the chain was issued.
    pub fn access(&self, token: &Token) -> Option<usize> {
        self.access.iter().rposition(|(known, _)| known == token)
    }

    /// What the policy allows for a call, and whether the answer carries what it must.
    pub fn allowed(&self, policy: &Policy, presented: Presented, answer: Answer<'_>, when: When) -> Allowed {
        match presented {
            Presented::Refresh(token) => {
                self.merged(self.worlds.iter().map(|world| world.moves(policy, token, when)), answer)
            }
            Presented::Stale(token) => {
                self.merged(self.worlds.iter().map(|world| world.stale(policy, token, when)), answer)
            }
            Presented::Mixed(token) => {
                self.merged(self.worlds.iter().map(|world| world.mixed(policy, token, when)), answer)
            }
            Presented::Access(number) => self.resource(policy, number, when),
            Presented::Else(_) => Allowed::Unknown("the policy does not speak of a changed call".to_owned()),
        }
    }

    /// What all states together allow.
    fn merged(&self, all: impl Iterator<Item = Moves>, answer: Answer<'_>) -> Allowed {
        let mut moves: Vec<Move> = Vec::new();
        let mut near = None;
        for world in all {
            if let Some(word) = world.silent {
                return Allowed::Unknown(word);
            }
            near = near.or(world.near);
            moves.extend(world.legal);
        }
        let granted: Vec<&Move> = moves.iter().filter(|one| one.carries.is_some()).collect();
        let Some(first) = moves.first() else {
            return Allowed::Unknown("the chain's past is not known".to_owned());
        };
        if granted.is_empty() {
            return Allowed::Refused(first.by);
        }
        if granted.len() < moves.len() {
            return Allowed::Either(near.unwrap_or(first.by));
        }
        let fits = granted.iter().any(|one| self.fits(one, answer));
        let word = |one: &Move| match one.carries {
            Some(Carries::Kept(_)) => SuccessorWord::Kept,
            Some(Carries::One(_)) => SuccessorWord::Known,
            Some(Carries::New) => SuccessorWord::New,
            Some(Carries::Any) | None => SuccessorWord::Any,
        };
        let same = granted.iter().all(|one| word(one) == word(first));
        let promised = if same { word(first) } else { SuccessorWord::Any };
        Allowed::Granted(first.by, Successor { promised, fits })
    }

    /// Whether a grant carries what the move says.
    fn fits(&self, one: &Move, answer: Answer<'_>) -> bool {
        let Answer::Granted(got, _) = answer else { return true };
        let number = got.map(|token| self.refresh(token));
        match (one.carries, number) {
            (None, _) | (Some(Carries::New), None | Some(Some(_))) => false,
            (Some(Carries::Any), _)
            | (Some(Carries::Kept(_) | Carries::One(_)), None)
            | (Some(Carries::New | Carries::One(None)), Some(None)) => true,
            (Some(Carries::Kept(token)), Some(number)) => number == Some(token),
            (Some(Carries::One(Some(token))), Some(number)) => number == Some(token),
            (Some(Carries::One(None)), Some(Some(_))) => false,
        }
    }

    /// An access token at a protected resource.
    fn resource(&self, policy: &Policy, number: usize, when: When) -> Allowed {
        let Some((_, issued)) = self.access.get(number) else {
            return Allowed::Unknown("the access token is not known".to_owned());
        };
        if !self.worlds.iter().all(Family::lives) {
            return Allowed::Unknown(
                "the policy has no word for the access tokens of a chain that has ended".to_owned(),
            );
        }
        let (least, most) = when.after(*issued);
        let near = match policy.access_lifetime {
            Some(lifetime) if least > lifetime + policy.slack => return Allowed::Refused("access-lifetime"),
            Some(lifetime) => most.saturating_add(policy.slack) > lifetime,
            None if most > FRESH => return unknown("access-lifetime"),
            None => false,
        };
        let newest = number + 1 == self.access.len();
        match (newest, policy.old_access) {
            (false, None) => unknown("old-access"),
            (false, Some(OldAccess::Revoked)) if self.forked => {
                Allowed::Unknown("which of several pairs is the newest is not known".to_owned())
            }
            (false, Some(OldAccess::Revoked)) => Allowed::Refused("old-access"),
            (true, _) | (false, Some(OldAccess::Valid)) if near => Allowed::Either("access-lifetime"),
            (true, _) => any("access-lifetime"),
            (false, Some(OldAccess::Valid)) => any("old-access"),
        }
    }

    /// What a call did to the chain.
    pub fn settle(&mut self, policy: &Policy, presented: Presented, answer: Answer<'_>, when: When) {
        let moves: Vec<Moves> = match presented {
            Presented::Access(_) => return,
            Presented::Refresh(token) => self.each(|world| world.moves(policy, token, when)),
            Presented::Stale(token) => self.each(|world| world.stale(policy, token, when)),
            Presented::Mixed(token) => self.each(|world| world.mixed(policy, token, when)),
            Presented::Else(token) => self.each(|world| world.changed(token)),
        };
        let got = self.note(answer, when);
        let doubt = |why: &str| vec![self.worlds[0].in_doubt(why)];
        let (broken, overfull) =
            (doubt("what came before was not as promised"), doubt("too much of what came before is open"));
        let mut next = Vec::new();
        for (world, moves) in std::mem::take(&mut self.worlds).into_iter().zip(&moves) {
            let seen = |one: &&Move| match answer {
                Answer::Granted(..) => one.carries.is_some(),
                Answer::Refused => one.carries.is_none(),
                Answer::Lost => true,
            };
            let mut seen = moves.legal.iter().filter(seen).peekable();
            if answer == Answer::Lost {
                push(&mut next, world.clone());
            }
            while let Some(one) = seen.next() {
                if seen.peek().is_none() {
                    push(&mut next, world.after(policy, one, got, when));
                    break;
                }
                push(&mut next, world.clone().after(policy, one, got, when));
            }
        }
        self.worlds = match next.len() {
            0 => broken,
            1..=WORLDS_MAX => next,
            _ => overfull,
        };
    }

    fn each(&self, moves: impl Fn(&Family) -> Moves) -> Vec<Moves> {
        self.worlds.iter().map(moves).collect()
    }

    /// Keeps the tokens of an answer; the number of its refresh token.
    fn note(&mut self, answer: Answer<'_>, when: When) -> Option<usize> {
        let Answer::Granted(refresh, access) = answer else { return None };
        if let Some(access) = access
            && self.access(access).is_none()
        {
            self.access.push((access.clone(), when));
        }
        let refresh = refresh?;
        Some(self.refresh(refresh).unwrap_or_else(|| {
            self.tokens.push(refresh.clone());
            self.tokens.len() - 1
        }))
    }

    /// A token of the chain was revoked, and the answer says so.
    pub fn revoked(&mut self) {
        for world in &mut self.worlds {
            world.end("revoke");
        }
    }

    /// Something happened that cannot be followed: several calls at once.
    pub fn blur(&mut self, why: &str) {
        self.worlds = vec![self.worlds[0].in_doubt(why)];
    }
}

/// Two states that are equal are one.
fn push(worlds: &mut Vec<Family>, world: Family) {
    if worlds.len() <= WORLDS_MAX && !worlds.contains(&world) {
        worlds.push(world);
    }
}

fn any(by: &'static str) -> Allowed {
    Allowed::Granted(by, Successor { promised: SuccessorWord::Any, fits: true })
}

/// A word that the policy leaves out.
fn silent_of(word: &str) -> String {
    format!("the policy says nothing of `{word}`")
}

fn unknown(word: &str) -> Allowed {
    Allowed::Unknown(silent_of(word))
}

#[cfg(test)]
mod brute;
#[cfg(test)]
mod tests;
