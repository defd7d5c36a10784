//! What a presented token says: which family and serial a refresh token has, what an access token beside it proves.

use std::collections::{HashMap, VecDeque};
use std::sync::{MutexGuard, PoisonError};

use crate::suite::defect::Defect;

use super::super::clock::Moment;
use super::super::signing::follow_header;
use super::super::tokens::{Claims, FamilyId, read_unsigned};
use super::{Authority, Beside};

/// How many tokens [`Defect::RefreshCaseFolded`] remembers.
const FOLDED: usize = 65_536;

/// What an access token proves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Evidence {
    /// Nobody asked.
    NotAsked,
    /// Nothing.
    Worthless,
    /// That its bearer was granted something in this family.
    Of(FamilyId),
}

/// Refresh tokens by their text without case; filled only under [`Defect::RefreshCaseFolded`].
#[derive(Debug, Default)]
pub(super) struct Folded {
    tokens: HashMap<String, (FamilyId, u32)>,
    order: VecDeque<String>,
}

impl Folded {
    pub fn remember(&mut self, folded: String, token: (FamilyId, u32)) {
        self.order.push_back(folded.clone());
        self.tokens.insert(folded, token);
        while self.order.len() > FOLDED {
            if let Some(oldest) = self.order.pop_front() {
                self.tokens.remove(&oldest);
            }
        }
    }
}

impl Authority {
    /// The family and serial of a refresh token; no serial where an access token passes for one.
    pub(super) fn find(&self, text: &str) -> Option<(FamilyId, Option<u32>)> {
        let text = if self.switches.has(Defect::TokenWithSpace) { text.trim_end() } else { text };
        let read = |text: &str| match &self.weak {
            Some(weak) => weak.read(text),
            None => self.mint.read_refresh(text),
        };
        let exact = |text: &str| read(text).map(|(id, serial)| (id, Some(serial)));
        exact(text)
            .or_else(|| {
                let bare = text.trim().trim_end_matches('=');
                self.switches.has(Defect::RefreshTrimmed).then(|| exact(&format!("{bare}=")))?
            })
            .or_else(|| {
                let folded = self.switches.has(Defect::RefreshCaseFolded).then(|| self.folded())?;
                let (id, serial) = folded.tokens.get(&text.to_ascii_lowercase())?;
                Some((*id, Some(*serial)))
            })
            .or_else(|| {
                let passes = self.switches.has(Defect::AccessAsRefresh);
                let claims = passes.then(|| self.read_access(text))??;
                Some((self.mint.read_name(&claims.sid)?, None))
            })
    }

    /// Reads the access token beside a refresh token, before any lock is held.
    pub(super) fn evidence(&self, beside: Beside<'_>, now: Moment) -> Evidence {
        let text = match beside {
            Beside::Nothing => return Evidence::NotAsked,
            Beside::Access(_) if self.switches.has(Defect::AccessUnverified) => return Evidence::NotAsked,
            Beside::Access(text) if self.switches.has(Defect::AccessWithSpace) => text.trim_end(),
            Beside::Access(text) => text,
        };
        let unsigned = || self.switches.has(Defect::AlgNoneAccepted).then(|| read_unsigned(text))?;
        let followed = || follow_header(self.switches, text);
        let Some(claims) = self.read_access(text).or_else(unsigned).or_else(followed) else {
            return Evidence::Worthless;
        };
        if self.switches.has(Defect::ExpiredAccessRefused) && now.seconds() >= claims.exp {
            return Evidence::Worthless;
        }
        self.mint.read_name(&claims.sid).map_or(Evidence::Worthless, Evidence::Of)
    }

    pub(super) fn goes_with(&self, evidence: Evidence, id: FamilyId) -> bool {
        match evidence {
            Evidence::NotAsked => true,
            Evidence::Worthless => false,
            Evidence::Of(family) => family == id || self.switches.has(Defect::PairMixed),
        }
    }

    pub(super) fn read_access(&self, text: &str) -> Option<Claims> {
        match &self.signing {
            Some(signing) => signing.read(text),
            None => self.mint.read_access(text),
        }
    }

    pub(super) fn folded(&self) -> MutexGuard<'_, Folded> {
        self.folded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the resource stops to accept an access token: when it says itself.
    pub(super) fn accepted_until(&self, claims: &Claims) -> i64 {
        let accepted = self.rules.access_accepted;
        if accepted > self.rules.access_lifetime {
            return i64::MAX;
        }
        claims.exp.min(claims.iat.saturating_add_unsigned(accepted.as_secs()))
    }
}
