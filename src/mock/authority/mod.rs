//! The authority: issue, rotate, revoke, detect reuse. No IO, and no clock of its own.
//!
//! Decides by a policy what a presented token is worth. State is one small record for each family, in shards
//! with a lock each, held for the decision alone: keys are used before and after. Start at
//! [`Authority::login`] and [`Authority::refresh`].

mod family;
mod minting;
mod reading;
mod roster;
mod rules;
mod scope;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::secret::Token;
use crate::suite::defect::Defect;
use crate::suite::environment::Variant;

use super::clock::Moment;
use super::defects::Switches;
use super::dress::Dress;
use super::signing::Signing;
use super::tokens::{FamilyId, Mint};
use super::weak::Weak;
use family::{Admission, Family};
use minting::{Lineage, seed_of};
use reading::{Evidence, Folded};

pub use roster::{Account, Kind, Party, Roster};
pub use rules::Rules;
pub use scope::Scope;

/// More shards than any machine of ours has threads.
const SHARDS: usize = 64;

/// Beyond this the shard's oldest family is forgotten: four million chains in all.
const FAMILIES_PER_SHARD: usize = 65_536;

/// One of so many good requests is refused under [`Defect::RandomRefusals`].
const UNLUCKY: u32 = 200;

/// Why nothing is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The token was never issued, or is damaged.
    Unknown,
    /// It is too old.
    Expired,
    /// It was used before.
    Reused,
    /// Its family was revoked.
    Revoked,
    /// The access token beside it is missing, forged, or of another family.
    Mismatch,
    /// It was issued to another party.
    Foreign,
    /// More scope is asked for than was granted.
    Scope,
}

/// A refresh token as it is presented, by a party whose own credentials were found good.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The party; `None` where nobody looked.
    pub party: Option<usize>,
    /// The refresh token.
    pub refresh: &'a str,
    /// The access token beside it.
    pub access: Beside<'a>,
    /// The scope asked for.
    pub scope: Option<Scope>,
}

/// What stands beside a refresh token.
#[derive(Clone, Copy, Debug)]
pub enum Beside<'a> {
    /// Nothing is asked for.
    Nothing,
    /// An access token of the same family, expired or not.
    Access(&'a str),
}

/// What a request saw of its token before it was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// The token's family.
    pub(super) family: FamilyId,
    /// Its place there.
    pub(super) serial: u32,
    /// Whether it would have been granted.
    pub(super) admissible: bool,
}

/// What the next decision on a token is to believe, against better knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sway {
    /// It was not used.
    Permit,
    /// It was used.
    Deny,
    /// The access token belongs to the refresh token of before.
    Mix,
    /// The access token of before serves again.
    KeepAccess,
    /// The next revocation comes to nothing.
    StayRevocation,
}

/// What was granted.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The access token.
    pub access: Token,
    /// The refresh token.
    pub refresh: Token,
    /// When the access token was made.
    pub issued: Moment,
    /// When it ends.
    pub expires: Moment,
    /// When the login was.
    pub born: Moment,
    /// The number of the access token in its family.
    pub number: u32,
    /// Its scope.
    pub scope: Scope,
    /// Whose it is: an index into the roster's accounts.
    pub account: usize,
    /// Who must present its tokens: an index into the roster's parties.
    pub party: usize,
    /// Its family.
    pub family: FamilyId,
}

/// Whom an access token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Tenant or client.
    pub party: String,
    /// The user.
    pub user: String,
    /// The family's name.
    pub family: String,
    /// The scope, where there are scopes.
    pub scope: Option<String>,
}

/// How far the families have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Advance {
    /// How many there are.
    pub families: u64,
    /// Refreshes of the one that was refreshed least.
    pub least: u32,
    /// Refreshes of the one that was refreshed most.
    pub most: u32,
    /// How many are void.
    pub revoked: u64,
}

/// Everything that was issued, and the keys.
#[derive(Debug)]
pub struct Authority {
    /// Who may ask.
    pub roster: Roster,
    rules: Rules,
    switches: Switches,
    mint: Mint,
    families: AtomicU32,
    shards: Vec<Mutex<BTreeMap<FamilyId, Family>>>,
    folded: Mutex<Folded>,
    /// Good requests so far; counted only under [`Defect::RandomRefusals`].
    asked: AtomicU32,
    /// Makes refresh tokens under the defects of its kind.
    weak: Option<Weak>,
    /// Signs access tokens where it is not done as the mint does it.
    signing: Option<Signing>,
}

impl Authority {
    /// An authority that has issued nothing.
    pub fn new(roster: Roster, rules: Rules, switches: Switches, seed: u64) -> Authority {
        let dress =
            Dress { opaque: switches.is(Variant::OpaqueTokens), long: switches.is(Variant::LongTokens) };
        Authority {
            roster,
            rules,
            switches,
            mint: Mint::new(seed).dressed(dress),
            families: AtomicU32::new(1),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            folded: Mutex::default(),
            asked: AtomicU32::new(0),
            weak: Weak::of(switches, seed),
            signing: Signing::of(switches, seed_of(seed)),
        }
    }

    /// The public key of access tokens as PEM, where they are signed with a pair of keys.
    pub fn public_key(&self) -> Option<String> {
        self.signing.as_ref().and_then(Signing::public_key)
    }

    /// How long an access token lives.
    pub fn access_lifetime(&self) -> Duration {
        self.rules.access_lifetime
    }

    /// How far the families have come, each by its rotations.
    pub fn advance(&self) -> Advance {
        let mut advance = Advance { families: 0, least: u32::MAX, most: 0, revoked: 0 };
        for shard in &self.shards {
            for family in shard.lock().unwrap_or_else(PoisonError::into_inner).values() {
                advance.families += 1;
                advance.least = advance.least.min(family.newest());
                advance.most = advance.most.max(family.newest());
                advance.revoked += u64::from(family.revoked);
            }
        }
        Advance { least: advance.least.min(advance.most), ..advance }
    }

    /// Opens a family for an account, through a party.
    pub fn login(&self, account: usize, party: usize, scope: Scope, now: Moment) -> Pair {
        let id = FamilyId(self.families.fetch_add(1, Ordering::Relaxed));
        let (family, issue) = Family::open(account, party, scope, now);
        let pair = self.pair(id, &family, &issue);
        let mut shard = self.shard(id);
        shard.insert(id, family);
        if shard.len() > FAMILIES_PER_SHARD {
            shard.pop_first();
        }
        pair
    }

    /// Trades a refresh token for a pair. A refusal never spends.
    pub fn refresh(&self, presented: &Presented<'_>, now: Moment) -> Result<Pair, Refusal> {
        let found = self.find(presented.refresh).ok_or(Refusal::Unknown);
        let evidence = self.evidence(presented.access, now);
        match found.and_then(|(id, serial)| self.spend(id, serial, presented, evidence, now)) {
            Err(Refusal::Unknown) if self.switches.has(Defect::UnknownGranted) => {
                let party = presented.party.unwrap_or(0);
                let account = self.roster.accounts.iter().position(|account| account.party == party);
                Ok(self.login(account.unwrap_or(0), party, Scope::ALL, now))
            }
            answer => answer,
        }
    }

    /// One good request in [`UNLUCKY`] is refused for no reason.
    fn bad_luck(&self) -> Result<(), Refusal> {
        let unlucky = self.switches.has(Defect::RandomRefusals)
            && self.asked.fetch_add(1, Ordering::Relaxed) % UNLUCKY == UNLUCKY - 1;
        if unlucky { Err(Refusal::Unknown) } else { Ok(()) }
    }

    /// The part of a refresh that holds the family's lock; the tokens are made after it is let go.
    fn spend(
        &self,
        id: FamilyId,
        serial: Option<u32>,
        presented: &Presented<'_>,
        evidence: Evidence,
        now: Moment,
    ) -> Result<Pair, Refusal> {
        let mut shard = self.shard(id);
        let family = shard.get_mut(&id).ok_or(Refusal::Unknown)?;
        if presented.party.is_some_and(|party| party != family.party) {
            family.revoked |= self.switches.has(Defect::ForeignTenantRevokes);
            let unbound = [Defect::ForeignTenantAccepted, Defect::ClientUnbound];
            if !unbound.into_iter().any(|defect| self.switches.has(defect)) {
                return Err(Refusal::Foreign);
            }
        }
        if family.party != 0 && self.switches.has(Defect::OtherTenantRefused) {
            return Err(Refusal::Foreign);
        }
        let serial = serial.unwrap_or_else(|| family.newest());
        self.chain_breaks(serial)?;
        self.bad_luck()?;
        let (permitted, denied) =
            (family.is_swayed(serial, Sway::Permit), family.is_swayed(serial, Sway::Deny));
        if denied {
            return Err(Refusal::Reused);
        }
        if permitted {
            // What was read before a revocation is written after it.
            family.revoked = false;
        }
        let read = if permitted { Ok(Admission::Rotate) } else { family.admit(serial, &self.rules, now) };
        let admission = match read {
            Ok(admission) => admission,
            Err(refusal) => {
                let (account, party) = (family.account, family.party);
                drop(shard);
                self.punish_others(refusal, account, party);
                return Err(refusal);
            }
        };
        if !self.goes_with(evidence, id) {
            if self.switches.has(Defect::RefusalSpendsAccess) {
                family.grant(serial, admission, family.scope, false, &self.rules, now);
            }
            return Err(Refusal::Mismatch);
        }
        let scope = presented.scope.unwrap_or(family.scope);
        if !scope.is_within(family.scope) && !self.switches.has(Defect::ScopeWidens) {
            return Err(Refusal::Scope);
        }
        if self.switches.has(Defect::ScopeSticks) {
            family.scope = scope;
        }
        let keeps_access =
            self.switches.has(Defect::AccessUnchanged) || family.is_swayed(serial, Sway::KeepAccess);
        let mixed = family.is_swayed(serial, Sway::Mix);
        let mut issue = family.grant(serial, admission, scope, keeps_access, &self.rules, now);
        if mixed {
            issue.access.beside = serial;
        }
        let snapshot = Lineage { account: family.account, party: family.party, born: family.born };
        drop(shard);
        Ok(self.mint_pair(id, snapshot, &issue))
    }

    /// Tokens deep in a chain that a defect does not know any more.
    fn chain_breaks(&self, serial: u32) -> Result<(), Refusal> {
        if serial >= 20 && self.switches.has(Defect::ChainDiesAfterTwenty) {
            return Err(Refusal::Expired);
        }
        if serial % 8 == 7 && self.switches.has(Defect::NodesDisagree) {
            return Err(Refusal::Unknown);
        }
        Ok(())
    }

    /// Whom a replay harms beside its own family: nobody, but for two defects.
    fn punish_others(&self, refusal: Refusal, account: usize, party: usize) {
        if refusal != Refusal::Reused {
            return;
        }
        if self.switches.has(Defect::ReuseRevokesTenant) {
            self.end_all(|family| family.party == party);
        }
        if self.switches.has(Defect::ReplayHarmsOtherFamily) {
            self.end_all(|family| family.account == account);
        }
    }

    fn end_all(&self, whose: impl Fn(&Family) -> bool) {
        self.every_family(|family| family.revoked |= whose(family));
    }

    fn every_family(&self, mut act: impl FnMut(&mut Family)) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values_mut().for_each(&mut act);
        }
    }

    /// The server starts again. What a real one keeps in its database is kept.
    pub fn restart(&self) {
        if self.switches.has(Defect::NodeMemory) {
            for shard in &self.shards {
                let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
                shard.retain(|_, family| !family.has_rotated());
            }
        }
        if self.switches.has(Defect::RestartForgetsUsed) {
            self.every_family(Family::forget_uses);
        }
    }

    /// Ends the family that a token belongs to; `false` where there is none, or it is another party's.
    pub fn revoke(&self, party: Option<usize>, token: &str) -> Result<(), Refusal> {
        let of_access = || self.mint.read_name(&self.read_access(token)?.sid);
        let Some(id) = self.find(token).map(|(id, _)| id).or_else(of_access) else {
            if self.switches.has(Defect::RevokeUnknownEnds) {
                self.end_all(|family| party == Some(family.party));
            }
            return Err(Refusal::Unknown);
        };
        let mut shard = self.shard(id);
        let family = shard.get_mut(&id).ok_or(Refusal::Unknown)?;
        if party.is_some_and(|party| party != family.party) {
            return Err(Refusal::Foreign);
        }
        let account = family.account;
        if family.is_stayed() {
            return Ok(());
        }
        if self.switches.has(Defect::RefreshAfterRevoke) {
            family.access_ended = true;
        } else {
            family.revoked = true;
            family.access_kept = self.switches.has(Defect::AccessAfterRevoke);
        }
        drop(shard);
        if self.switches.has(Defect::RevokeEndsAll) {
            self.end_all(|family| family.account == account);
        }
        Ok(())
    }

    /// Whom an access token speaks for, as a protected resource sees it.
    pub fn probe(&self, access: &str, now: Moment) -> Result<Holder, Refusal> {
        let claims = self.read_access(access).ok_or(Refusal::Unknown)?;
        let id = self.mint.read_name(&claims.sid).ok_or(Refusal::Unknown)?;
        if now.seconds() >= self.accepted_until(&claims) {
            return Err(Refusal::Expired);
        }
        let newest = match self.shard(id).get(&id) {
            Some(family) if family.access_ended || family.revoked && !family.access_kept => None,
            Some(family) => Some(family.newest_access()),
            None => None,
        };
        let newest = newest.ok_or(Refusal::Revoked)?;
        if !self.rules.old_access && claims.jti != self.jti(id, newest) {
            return Err(Refusal::Revoked);
        }
        if self.switches.has(Defect::AccessDead) && claims.jti != self.mint.access_name(id, 0) {
            return Err(Refusal::Unknown);
        }
        Ok(Holder {
            party: claims.state.or(claims.client_id).unwrap_or_default(),
            user: claims.sub,
            family: claims.sid,
            scope: claims.scope,
        })
    }

    /// The family of a refresh token, whatever it is worth.
    pub fn family_of(&self, refresh: &str) -> Option<FamilyId> {
        self.find(refresh).map(|(id, _)| id)
    }

    /// The family of an access token, whatever it is worth.
    pub fn family_of_access(&self, access: &str) -> Option<FamilyId> {
        self.mint.read_name(&self.read_access(access)?.sid)
    }

    /// What a refresh token is worth now. Nothing is changed by looking.
    pub fn glimpse(&self, text: &str, now: Moment) -> Option<Glimpse> {
        let (family, serial) = self.mint.read_refresh(text)?;
        self.glimpse_of((family, serial), now)
    }

    /// The same for a token that is known already.
    pub(super) fn glimpse_of(&self, token: (FamilyId, u32), now: Moment) -> Option<Glimpse> {
        let mut seen = self.shard(token.0).get(&token.0)?.clone();
        let admissible = seen.admit(token.1, &self.rules, now).is_ok();
        Some(Glimpse { family: token.0, serial: token.1, admissible })
    }

    /// Makes the next decision on a token believe something.
    pub(super) fn sway(&self, glimpse: &Glimpse, sway: Sway) {
        if let Some(family) = self.shard(glimpse.family).get_mut(&glimpse.family) {
            family.sway(glimpse.serial, sway);
        }
    }

    /// Ends every other family of the same party.
    pub(super) fn end_others(&self, glimpse: &Glimpse) {
        let own = self.shard(glimpse.family).get(&glimpse.family).map(|own| (own.party, own.revoked));
        let Some((party, revoked)) = own else { return };
        self.end_all(|family| family.party == party);
        if let Some(own) = self.shard(glimpse.family).get_mut(&glimpse.family) {
            own.revoked = revoked;
        }
    }

    fn shard(&self, id: FamilyId) -> MutexGuard<'_, BTreeMap<FamilyId, Family>> {
        // A family is changed by single assignments, so a panic elsewhere left none of them half-done.
        self.shards[id.0 as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
