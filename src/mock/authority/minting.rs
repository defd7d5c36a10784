//! What is granted as tokens: refresh tokens by family and serial, access tokens by their claims.

use crate::secret::Token;
use crate::suite::defect::Defect;

use super::super::clock::Moment;
use super::super::tokens::{Claims, FamilyId, tie};
use super::family::{Family, Issue};
use super::{Authority, Kind, Pair};

/// The account whose tokens everybody gets under [`Defect::DefaultTenant`].
const DEFAULT: usize = 2;

/// Who the tokens say they are from.
const ISSUER: &str = "assay-mock";

/// What access tokens of OAuth 2.0 are for.
const AUDIENCE: &str = "assay-mock-resource";

/// What all tokens of a family have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lineage {
    pub account: usize,
    pub party: usize,
    pub born: Moment,
}

impl Authority {
    pub(super) fn pair(&self, id: FamilyId, family: &Family, issue: &Issue) -> Pair {
        let lineage = Lineage { account: family.account, party: family.party, born: family.born };
        self.mint_pair(id, lineage, issue)
    }

    pub(super) fn mint_pair(&self, id: FamilyId, lineage: Lineage, issue: &Issue) -> Pair {
        let refresh = self.refresh_text(id, issue.serial, issue.access.at);
        if self.switches.has(Defect::RefreshCaseFolded) {
            self.folded().remember(refresh.to_ascii_lowercase(), (id, issue.serial));
        }
        let beside = issue.access.beside;
        let tied = if beside == issue.serial {
            tie(&refresh)
        } else {
            tie(&self.refresh_text(id, beside, issue.access.at))
        };
        let claims = self.claims(id, lineage, issue, tied);
        Pair {
            expires: Moment(claims.exp.saturating_mul(1000)),
            access: Token::new(self.access_text(&claims, lineage.party)),
            refresh: Token::new(refresh),
            issued: issue.access.at,
            born: lineage.born,
            number: issue.access.number,
            scope: issue.access.scope,
            account: lineage.account,
            party: lineage.party,
            family: id,
        }
    }

    fn refresh_text(&self, id: FamilyId, serial: u32, now: Moment) -> String {
        match &self.weak {
            Some(weak) => weak.token(id, serial, now),
            None => self.mint.refresh(id, serial),
        }
    }

    fn access_text(&self, claims: &Claims, party: usize) -> String {
        match &self.signing {
            Some(signing) => {
                signing.token(claims, self.roster.parties[party].secret.as_ref().map(Token::expose))
            }
            None => self.mint.access(claims),
        }
    }

    fn claims(&self, id: FamilyId, lineage: Lineage, issue: &Issue, tied: String) -> Claims {
        let wrong = self.switches.has(Defect::DefaultTenant);
        let drifted = issue.serial >= 6 && self.switches.has(Defect::TenantDrifts);
        let account = match (wrong, drifted) {
            (true, _) => DEFAULT,
            (false, true) => (lineage.account + 1) % self.roster.accounts.len(),
            (false, false) => lineage.account,
        };
        let account = &self.roster.accounts[account];
        let party = match (wrong, drifted) {
            (true, _) => account.party,
            (false, true) => account.party,
            (false, false) => lineage.party,
        };
        let party = self.roster.parties[party].name.clone();
        let tenants = self.roster.kind == Kind::Tenants;
        let iat = issue.access.at.seconds();
        let frozen = self.switches.has(Defect::ExpiresFrozen);
        let counted_from = if frozen { lineage.born.seconds() } else { iat };
        Claims {
            iss: ISSUER.to_owned(),
            sub: account.user.clone(),
            state: tenants.then(|| party.clone()),
            client_id: (!tenants).then_some(party),
            aud: (!tenants).then(|| AUDIENCE.to_owned()),
            sid: self.mint.name(id),
            rt: tied,
            scope: (!tenants).then(|| issue.access.scope.to_string()),
            iat,
            exp: counted_from.saturating_add_unsigned(self.rules.access_lifetime.as_secs()),
            jti: self.jti(id, issue.access.number),
        }
    }

    /// The name of an access token.
    pub(super) fn jti(&self, id: FamilyId, number: u32) -> String {
        let repeated = self.switches.has(Defect::JtiRepeated);
        self.mint.access_name(id, if repeated { number / 4 } else { number })
    }

    /// Claims of another kind, signed as access tokens are.
    pub fn sign(&self, claims: &serde_json::Value) -> Token {
        Token::new(self.mint.sign(claims))
    }
}

/// The key of what is signed otherwise.
pub(super) fn seed_of(seed: u64) -> [u8; 32] {
    let mut key = [0x5C; 32];
    key[..8].copy_from_slice(&seed.to_be_bytes());
    key
}
