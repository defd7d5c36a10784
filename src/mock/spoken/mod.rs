//! An endpoint that speaks any dialect: it reads what the table says is sent, asks the authority, and answers in the
//! table's words.
//!
//! Owns neither a framework's habits (`webapi`) nor an RFC's (`oauth`): requests are read by [`ask`], answers are
//! worked out from the dialect's own rules by [`solve`] and written by [`tell`]. So whoever has a dialect has a mock.

mod ask;
mod extract;
mod solve;
mod tell;
mod values;
mod xml;

use std::sync::Arc;

use crate::dialect::{Codec, Dialect, FieldSource, Reading};
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::defect::Defect;

use super::authority::{Authority, Beside, Kind, Pair, Presented, Refusal, Scope};
use super::clock::{Clock, Moment};
use super::defects::Switches;
use super::webapi::{HttpRequest, HttpResponse};
use ask::{Asked, Found};
use tell::{Said, Teller};

/// Why nothing is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// The authority refuses.
    Token(Refusal),
    /// The caller's own credentials are wrong.
    BadCredentials,
    /// The request cannot be read, or lacks something.
    Malformed,
    /// The media type is not one of the table's.
    UnsupportedMedia,
    /// There is no such path.
    NoSuchOperation,
    /// There is, and not for this method.
    NotAllowed,
    /// A defect gives up.
    Crashed,
}

/// The endpoint and what it needs.
#[derive(Debug)]
pub struct Spoken {
    dialect: Dialect,
    authority: Arc<Authority>,
    clock: Arc<Clock>,
    switches: Switches,
    teller: Teller,
    password: Slot,
    fixed: Option<Pair>,
}

/// What came of a request.
#[derive(Debug)]
pub struct Acted {
    /// The answer.
    pub response: HttpResponse,
    /// For a refresh, whether it was granted.
    pub refresh: Option<bool>,
}

impl Spoken {
    /// The endpoint of a dialect; `None` where nobody could tell how it grants.
    pub fn new(
        dialect: &Dialect,
        authority: Arc<Authority>,
        clock: Arc<Clock>,
        switches: Switches,
    ) -> Option<Spoken> {
        let teller = Teller::of(dialect, switches)?;
        let fixed = switches.has(Defect::AlwaysFixed);
        let fixed = fixed.then(|| authority.login(0, 0, usual_scope(), clock.now()));
        let password = password_slot(dialect);
        Some(Spoken { dialect: dialect.clone(), authority, clock, switches, teller, password, fixed })
    }

    /// Answers a request.
    pub fn answer(&self, request: &HttpRequest) -> Acted {
        let now = self.clock.now();
        let asked = match ask::read(&self.dialect, request, self.switches) {
            Found::Asked(asked) => asked,
            Found::Nothing => return self.refused(Operation::Refresh, request, Fault::NoSuchOperation, None),
            Found::Unread(operation, fault) => {
                let refresh = (operation == Operation::Refresh).then_some(false);
                if refresh.is_some() && self.switches.has(Defect::RefusalsSpend) {
                    self.spend_all_the_same(request);
                }
                return self.refused(operation, request, fault, refresh);
            }
        };
        match asked.operation {
            Operation::Refresh => self.refresh(&asked, request, now),
            Operation::Login => {
                let pair = self.fixed.clone().map_or_else(|| self.login(&asked, now), Ok);
                self.concluded(&asked, request, pair, now)
            }
            Operation::Probe => self.probe(&asked, request, now),
            Operation::Revoke => self.revoke(&asked, request, now),
        }
    }

    /// The token that a refresh or a revocation presents, and whether it revokes.
    pub fn asked(&self, request: &HttpRequest) -> Option<(String, bool)> {
        let Found::Asked(asked) = ask::read(&self.dialect, request, self.switches) else { return None };
        let revokes = match asked.operation {
            Operation::Refresh => false,
            Operation::Revoke => true,
            Operation::Login | Operation::Probe => return None,
        };
        Some((asked.value(Slot::Refresh)?.to_owned(), revokes))
    }

    fn refresh(&self, asked: &Asked, request: &HttpRequest, now: Moment) -> Acted {
        let traded = match &self.fixed {
            Some(pair) => Ok(pair.clone()),
            None => self.trade(asked, now),
        };
        if let (Err(_), true) = (&traded, self.switches.has(Defect::RefusalsSpend)) {
            self.spend_all_the_same(request);
        }
        let granted = traded.is_ok();
        Acted { refresh: Some(granted), ..self.concluded(asked, request, traded, now) }
    }

    /// Ends the chain of whatever token a request carries, and forgets that it did: that is the defect.
    fn spend_all_the_same(&self, request: &HttpRequest) {
        let token = ask::any_token(&self.dialect, request);
        if let Some(token) = token {
            self.authority.revoke(None, &token).unwrap_or_default();
        }
    }

    fn trade(&self, asked: &Asked, now: Moment) -> Result<Pair, Fault> {
        let speech = self.dialect.refresh();
        let refresh = match asked.value(Slot::Refresh) {
            Some(refresh) => refresh,
            None if self.switches.has(Defect::MissingTokenGranted) => {
                return Ok(self.authority.login(
                    0,
                    self.authority.roster.accounts[0].party,
                    usual_scope(),
                    now,
                ));
            }
            None => return Err(Fault::Malformed),
        };
        let party = self.party(asked)?;
        let access = if speech.carries(Slot::Access) {
            match asked.value(Slot::Access) {
                Some(access) => Beside::Access(access),
                None if self.switches.has(Defect::AccessOptional) => Beside::Nothing,
                None => return Err(Fault::Malformed),
            }
        } else {
            Beside::Nothing
        };
        let scope = match asked.value(Slot::Scope) {
            None => None,
            Some(text) => Some(Scope::parse(text).ok_or(Fault::Token(Refusal::Scope))?),
        };
        let presented = Presented { party, refresh, access, scope };
        self.authority.refresh(&presented, now).map_err(Fault::Token)
    }

    /// Who asks, by the credentials that calls of the operation carry; `None` where they carry none.
    fn party(&self, asked: &Asked) -> Result<Option<usize>, Fault> {
        let speech = self.dialect.operation(asked.operation);
        let carries = |slot: Slot| speech.is_some_and(|speech| speech.carries(slot));
        let roster = &self.authority.roster;
        let (name, secret) = match roster.kind {
            Kind::Tenants => (Slot::Tenant, Slot::Secret),
            Kind::Clients => (Slot::Client, Slot::ClientSecret),
        };
        if carries(secret) && self.password != secret {
            let wrong = self.switches.has(Defect::WrongSecretAccepted);
            return self.proven(asked, name, secret, carries(name)).or_else(|fault| {
                let known = asked.value(name).and_then(|name| roster.party(name));
                if wrong && fault == Fault::BadCredentials { Ok(known) } else { Err(fault) }
            });
        }
        if !carries(name) || self.switches.has(Defect::TenantIgnored) {
            return Ok(None);
        }
        let own = asked.value(name).ok_or(Fault::Malformed)?;
        roster.party(own).map(Some).ok_or(Fault::BadCredentials)
    }

    /// The party whose secret was given; where calls do not name it, whoever has that secret.
    fn proven(&self, asked: &Asked, name: Slot, secret: Slot, named: bool) -> Result<Option<usize>, Fault> {
        let roster = &self.authority.roster;
        let optional = self.switches.has(Defect::SecretOptional);
        let given = asked.value(secret);
        if !named {
            let Some(given) = given else { return if optional { Ok(None) } else { Err(Fault::Malformed) } };
            let known = (0..roster.parties.len()).find(|party| roster.knows(*party, given));
            return known.map(Some).ok_or(Fault::BadCredentials);
        }
        let own = asked.value(name).ok_or(Fault::Malformed)?;
        let party = roster.party(own).ok_or(Fault::BadCredentials)?;
        match given {
            // A public client has no secret to give.
            None if optional || roster.parties[party].secret.is_none() => Ok(Some(party)),
            None => Err(Fault::Malformed),
            Some(given) if roster.knows(party, given) => Ok(Some(party)),
            Some(_) => Err(Fault::BadCredentials),
        }
    }

    fn login(&self, asked: &Asked, now: Moment) -> Result<Pair, Fault> {
        let speech = self.dialect.operation(Operation::Login).ok_or(Fault::NoSuchOperation)?;
        let code = asked.value(self.password).ok_or(Fault::Malformed)?;
        let party = self.party(asked)?;
        let user = asked.value(Slot::User);
        if user.is_none() && speech.carries(Slot::User) {
            return Err(Fault::Malformed);
        }
        let roster = &self.authority.roster;
        // Users of one client may log in by another.
        let within = party.filter(|_| roster.kind == Kind::Tenants);
        let account = roster.account(within, user, code).ok_or(Fault::BadCredentials)?;
        let scope = asked.value(Slot::Scope).and_then(Scope::parse).unwrap_or_else(usual_scope);
        let party = party.unwrap_or(roster.accounts[account].party);
        Ok(self.authority.login(account, party, scope, now))
    }

    fn probe(&self, asked: &Asked, request: &HttpRequest, now: Moment) -> Acted {
        let now = self.fixed.as_ref().map_or(now, |pair| pair.issued);
        let access = asked.value(Slot::Access).unwrap_or_default();
        match self.authority.probe(access, now) {
            Ok(holder) => {
                let said = Said::Held(&holder);
                Acted { response: self.teller.write(asked.operation, request, &said, now), refresh: None }
            }
            Err(refusal) => self.refused(asked.operation, request, Fault::Token(refusal), None),
        }
    }

    fn revoke(&self, asked: &Asked, request: &HttpRequest, now: Moment) -> Acted {
        let token = asked.value(Slot::Refresh).or(asked.value(Slot::Access));
        let ended = token.ok_or(Fault::Malformed).and_then(|token| {
            let party = self.party(asked)?;
            match self.authority.revoke(party, token) {
                Err(Refusal::Unknown) if self.switches.has(Defect::RevokeUnknownError) => {
                    Err(Fault::Token(Refusal::Unknown))
                }
                // RFC 7009 section 2.2: a token that means nothing is as good as revoked.
                Ok(()) | Err(Refusal::Unknown) => Ok(()),
                Err(refusal) => Err(Fault::Token(refusal)),
            }
        });
        match ended {
            Ok(()) => Acted {
                response: self.teller.write(asked.operation, request, &Said::Done, now),
                refresh: None,
            },
            Err(fault) => self.refused(asked.operation, request, fault, None),
        }
    }

    fn concluded(
        &self,
        asked: &Asked,
        request: &HttpRequest,
        outcome: Result<Pair, Fault>,
        now: Moment,
    ) -> Acted {
        match outcome {
            Ok(pair) => {
                let kept = asked.value(Slot::Refresh) == Some(pair.refresh.expose());
                let said = Said::Granted { pair: &pair, authority: &self.authority, kept };
                Acted { response: self.teller.write(asked.operation, request, &said, now), refresh: None }
            }
            Err(fault) => self.refused(asked.operation, request, fault, None),
        }
    }

    fn refused(
        &self,
        operation: Operation,
        request: &HttpRequest,
        fault: Fault,
        refresh: Option<bool>,
    ) -> Acted {
        let now = self.clock.now();
        Acted { response: self.teller.write(operation, request, &Said::Refused(fault), now), refresh }
    }
}

/// The slot that a login puts the user's own secret into.
pub fn password_slot(dialect: &Dialect) -> Slot {
    let login = dialect.operation(Operation::Login);
    let carries = |slot: Slot| login.is_some_and(|speech| speech.carries(slot));
    if carries(Slot::Secret) && !carries(Slot::Code) { Slot::Secret } else { Slot::Code }
}

/// Whether the parties of a dialect are clients.
pub fn has_clients(dialect: &Dialect) -> bool {
    dialect.slots.contains(&Slot::Client)
}

/// What this endpoint can get wrong beside what every endpoint can.
pub const DEFECTS: [Defect; 21] = [
    Defect::AlwaysFixed,
    Defect::PutRefreshes,
    Defect::NoAllow,
    Defect::RefusalsSpend,
    Defect::MissingTokenGranted,
    Defect::NoStoreMissing,
    Defect::RefusalHtml,
    Defect::RevokeUnknownError,
    Defect::RefreshTokenMissing,
    Defect::TokenWithSpace,
    Defect::ExpiresInText,
    Defect::ExpiresInZero,
    Defect::ExpiresOffJwt,
    Defect::AccessOptional,
    Defect::SecretOptional,
    Defect::WrongSecretAccepted,
    Defect::TenantIgnored,
    Defect::TypeSniffed,
    Defect::TruncatedAccepted,
    Defect::EmptyBodyCrash,
    Defect::NullDocumentCrash,
];

/// Whether an endpoint of this dialect can be wrong in this way.
pub fn can_have(dialect: &Dialect, defect: Defect) -> bool {
    let speech = dialect.refresh();
    let field = |field: Field| speech.answers.fields.get(&field);
    let in_document = |source: &FieldSource| matches!(source.at.first(), Some(FieldPlace::Path(_)));
    let speaks = |codec: Codec| speech.accepts.values().any(|accepts| accepts.codec == codec);
    DEFECTS.contains(&defect)
        && match defect {
            Defect::PutRefreshes => speech.method != "PUT",
            Defect::RefreshTokenMissing => field(Field::Refresh).is_some(),
            Defect::TokenWithSpace => field(Field::Refresh).is_some_and(in_document),
            Defect::ExpiresInText | Defect::ExpiresInZero => field(Field::Expires).is_some_and(is_number),
            Defect::ExpiresOffJwt => field(Field::Expires).is_some_and(in_document),
            Defect::AccessOptional => speech.carries(Slot::Access),
            Defect::SecretOptional | Defect::WrongSecretAccepted => has_secret(dialect),
            Defect::TenantIgnored => speech.carries(Slot::Tenant),
            Defect::TypeSniffed | Defect::EmptyBodyCrash => !speech.accepts.is_empty(),
            Defect::TruncatedAccepted | Defect::NullDocumentCrash => speaks(Codec::Json),
            _ => true,
        }
}

fn is_number(source: &FieldSource) -> bool {
    matches!(source.reading, Reading::Seconds) && matches!(source.at.first(), Some(FieldPlace::Path(_)))
}

/// Whether calls carry a secret of their caller, which could be told to others.
pub fn has_secret(dialect: &Dialect) -> bool {
    let own = [Slot::Secret, Slot::ClientSecret].into_iter().filter(|slot| *slot != password_slot(dialect));
    own.into_iter().any(|slot| dialect.refresh().carries(slot))
}

/// Whether the dialect has what a defect of tenants, or of access tokens beside refresh tokens, needs.
pub fn has_beside(dialect: &Dialect, defect: Defect) -> bool {
    let of_tenants =
        [Defect::DefaultTenant, Defect::ForeignTenantAccepted, Defect::OtherTenantRefused].contains(&defect);
    dialect.refresh().carries(if of_tenants { Slot::Tenant } else { Slot::Access })
}

/// Whether a defect of the authority or of the host finds what it needs in a dialect.
pub fn has_room(dialect: &Dialect, defect: Defect) -> bool {
    let in_json = |source: &FieldSource| matches!(source.at.first(), Some(FieldPlace::Path(path)) if TOLD_AS.iter().any(|name| path.ends_with(name)));
    let revoked_by =
        |slot: Slot| dialect.operation(Operation::Revoke).is_some_and(|speech| speech.carries(slot));
    match defect {
        Defect::SecretEchoed
        | Defect::SecretEchoedInBase64
        | Defect::SecretInToken
        | Defect::EarlyExitCompare
        | Defect::RefusalSpendsSecret => has_secret(dialect),
        Defect::TokenInCookie | Defect::TokenInLocation => {
            dialect.refresh().answers.fields.get(&Field::Refresh).is_some_and(in_json)
        }
        // Nobody else is of the same tenant where there are none.
        Defect::ReuseRevokesTenant => {
            dialect.refresh().carries(Slot::Tenant) || dialect.refresh().carries(Slot::Client)
        }
        Defect::BrokenBodyPoisons
        | Defect::BrokenBodyStalls
        | Defect::SlowBodyHang
        | Defect::ExpectHang
        | Defect::ChunkedCrash
        | Defect::LengthAndChunksKept
        | Defect::BigFieldSlow => !dialect.refresh().accepts.is_empty(),
        // In XML a line break is a reference until it is read.
        Defect::CrlfHeader => dialect.refresh().accepts.values().any(|accepts| accepts.codec != Codec::Xml),
        // Requests meet where they present the same refresh token.
        Defect::RevokedRevived | Defect::RevocationLost => revoked_by(Slot::Refresh),
        Defect::RevokeUnknownEnds => revoked_by(Slot::Tenant) || revoked_by(Slot::Client),
        Defect::ScopeSticks | Defect::ScopeWidens => dialect.slots.contains(&Slot::Scope),
        Defect::ClientUnbound => dialect.refresh().carries(Slot::Client),
        _ => true,
    }
}

/// The names under which the host finds a refresh token in a document.
const TOLD_AS: [&str; 2] = ["/refreshToken", "/refresh_token"];

fn usual_scope() -> Scope {
    super::oauth::usual_scope()
}
