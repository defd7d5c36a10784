//! What the policy promises at this point, for one caller after another on one chain.
//!
//! Pure. [`Promises`] follows a chain: which tokens it was issued, and in which states of the policy's machine
//! (`family`) its family may be. There is more than one where an answer was lost, or came so near to a boundary
//! that both sides of it are legal. Where the verdict hangs on a word that the suite leaves out, the answer is
//! that word.

use std::time::Duration;

use crate::secret::Token;
use crate::suite::policy::{OldAccess, Policy};

pub(super) use super::family::When;
use super::family::{Carries, Family, Heard, Move, Moves, Why};

/// More states than this are not told apart.
const WORLDS_MAX: usize = 32;

/// What an access token is good for is known so long where no lifetime is promised.
const FRESH: Duration = Duration::from_mins(1);

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
    /// The answer to the last refresh was lost: an access token that nobody saw may be the newest.
    unseen: bool,
    /// The states that the family may be in; never none.
    worlds: Vec<Family>,
}

impl Promises {
    /// A chain that was opened with this pair.
    pub fn new(refresh: Option<&Token>, access: Option<&Token>, when: When) -> Promises {
        Promises {
            tokens: refresh.into_iter().cloned().collect(),
            access: access.map(|token| (token.clone(), when)).into_iter().collect(),
            unseen: false,
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
            Presented::Access(number) => self.resource(policy, number, when),
            Presented::Else(_) => Allowed::Unknown("the policy does not speak of a changed call".to_owned()),
            Presented::Refresh(_) | Presented::Stale(_) | Presented::Mixed(_) => {
                self.merged(policy, presented, answer, when)
            }
        }
    }

    /// What every state allows.
    fn moves(&self, policy: &Policy, presented: Presented, when: When) -> Vec<Moves> {
        let moves = |world: &Family| match presented {
            Presented::Refresh(token) => world.moves(policy, token, when),
            Presented::Stale(token) => world.stale(policy, token, when),
            Presented::Mixed(token) => world.mixed(policy, token, when),
            Presented::Else(token) => world.changed(policy, token),
            Presented::Access(_) => Moves::default(),
        };
        self.worlds.iter().map(moves).collect()
    }

    /// What all states together allow.
    fn merged(&self, policy: &Policy, presented: Presented, answer: Answer<'_>, when: When) -> Allowed {
        let all = self.moves(policy, presented, when);
        if let Some(why) = all.iter().find_map(|moves| moves.silent) {
            return Allowed::Unknown(why.spoken());
        }
        let near = all.iter().find_map(|moves| moves.near);
        let of = |(world, moves)| {
            let Moves { legal, .. }: &Moves = moves;
            legal.iter().map(move |one| (one, self.fits(world, one, answer)))
        };
        let moves: Vec<(&Move, bool)> = self.worlds.iter().zip(&all).flat_map(of).collect();
        let Some((first, _)) = moves.first() else {
            return Allowed::Unknown("the chain's past is not known".to_owned());
        };
        let granted: Vec<&(&Move, bool)> = moves.iter().filter(|(one, _)| one.carries.is_some()).collect();
        if granted.is_empty() {
            return Allowed::Refused(first.by);
        }
        if granted.len() < moves.len() {
            return Allowed::Either(near.unwrap_or(first.by));
        }
        let fits = granted.iter().any(|(_, fits)| *fits);
        let word = |one: &Move| match one.carries {
            Some(Carries::Kept(_)) => SuccessorWord::Kept,
            Some(Carries::One(_)) => SuccessorWord::Known,
            Some(Carries::New) => SuccessorWord::New,
            Some(Carries::Any) | None => SuccessorWord::Any,
        };
        let same = granted.iter().all(|(one, _)| word(one) == word(first));
        let promised = if same { word(first) } else { SuccessorWord::Any };
        Allowed::Granted(first.by, Successor { promised, fits })
    }

    /// Whether a grant carries what the move says; true where there is none to look at.
    fn fits(&self, world: &Family, one: &Move, answer: Answer<'_>) -> bool {
        match answer {
            Answer::Granted(refresh, _) => world.fits(one, refresh.map(|token| self.number(token))),
            Answer::Refused | Answer::Lost => true,
        }
    }

    /// The number of a refresh token; that which it will get, if it is new.
    fn number(&self, token: &Token) -> usize {
        self.refresh(token).unwrap_or(self.tokens.len())
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
        // Where nobody says what becomes of old ones, none is known to be the newest after a lost answer.
        let lost = self.unseen && policy.old_access.is_none();
        let newest = number + 1 == self.access.len() && !lost;
        let forked = self.worlds.iter().any(Family::is_forked);
        match (newest, policy.old_access) {
            (false, None) => unknown("old-access"),
            (true, Some(OldAccess::Revoked)) if self.unseen => {
                Allowed::Unknown("an answer was lost, and with it perhaps a newer access token".to_owned())
            }
            (false, Some(OldAccess::Revoked)) if forked => {
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
        if matches!(presented, Presented::Access(_)) {
            return;
        }
        self.unseen = match answer {
            Answer::Granted(..) => false,
            Answer::Refused => self.unseen,
            Answer::Lost => true,
        };
        let moves = self.moves(policy, presented, when);
        let heard = match answer {
            Answer::Granted(..) => Heard::Granted(self.note(answer, when)),
            Answer::Refused => Heard::Refused,
            Answer::Lost => Heard::Lost,
        };
        let after = |next: &dyn Fn(&Family, &Moves) -> Vec<Family>| {
            let mut worlds = Vec::new();
            for (world, moves) in self.worlds.iter().zip(&moves) {
                for next in next(world, moves) {
                    push(&mut worlds, next);
                }
            }
            worlds
        };
        let mut next = after(&|world, moves| world.heard(policy, moves, heard, when));
        if next.is_empty() && matches!(heard, Heard::Granted(_)) {
            next = after(&|world, moves| world.misheard(policy, moves, heard, when));
        }
        self.worlds = match next.len() {
            0 => vec![self.worlds[0].in_doubt("what came before was not as promised")],
            1..=WORLDS_MAX => next,
            _ => vec![self.worlds[0].in_doubt("too much of what came before is open")],
        };
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
    pub fn blur(&mut self, why: &'static str) {
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

fn unknown(word: &'static str) -> Allowed {
    Allowed::Unknown(Why::Unsaid(word).spoken())
}

#[cfg(test)]
mod brute;
#[cfg(test)]
mod tests;
