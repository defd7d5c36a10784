//! An OAuth 2.0 token endpoint: RFC 6749 sections 4.3 and 6, revocation (RFC 7009), ID tokens, proofs of possession
//! (RFC 9449), and a resource to try access tokens on.
//!
//! Names of parameters and members are the RFC's; only the paths come from the dialect.

mod client;
mod fault;
mod form;
mod identity;
mod proof;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::dialect::{Codec, Dialect, Shape, Text, TextPart};
use crate::suite::call::{Operation, Slot};
use crate::suite::defect::Defect;
use crate::suite::environment::{MockPolicy, Variant};

use super::authority::{Authority, Beside, Pair, Presented, Refusal, Scope};
use super::clock::{Clock, Moment};
use super::defects::Switches;
use super::webapi::{HttpRequest, HttpResponse};
use fault::{Fault, conclude, fault, plain, refused};
use form::Form;
use proof::{Asked, Proofs};

/// The scope of a login that asks for none, and of seeds.
pub const USUAL_SCOPE: &str = "openid read write";

/// The endpoint and what it needs.
#[derive(Debug)]
pub struct OAuth {
    authority: Arc<Authority>,
    clock: Arc<Clock>,
    switches: Switches,
    /// Operation → path; refresh and login may share one.
    paths: Vec<(Operation, String)>,
    proofs: Proofs,
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

impl OAuth {
    /// The endpoint of a dialect; `None` where its refresh is not a form.
    pub fn new(
        dialect: &Dialect,
        authority: Arc<Authority>,
        clock: Arc<Clock>,
        switches: Switches,
        seed: u64,
    ) -> Option<OAuth> {
        dialect
            .operation(Operation::Refresh)?
            .accepts
            .values()
            .find(|accepts| accepts.codec == Codec::Form)?;
        let paths = dialect.operations.iter().map(|(operation, speech)| (*operation, speech.path.clone()));
        let fixed = switches.has(Defect::AlwaysFixed);
        let fixed = fixed.then(|| authority.login(0, 0, usual_scope(), clock.now()));
        let proofs = Proofs::new(switches, seed);
        Some(OAuth { authority, clock, switches, paths: paths.collect(), proofs, fixed })
    }

    /// Answers a request.
    pub fn answer(&self, request: &HttpRequest) -> Acted {
        let path = request.target.split('?').next().unwrap_or_default();
        let operation = self.paths.iter().find(|(_, own)| own == path).map(|(operation, _)| *operation);
        let other = |response| Acted { response, refresh: None };
        match operation {
            None => other(plain(404, &json!({ "error": "not_found" }))),
            Some(Operation::Probe) => other(self.userinfo(request, path)),
            Some(operation) if !self.takes(operation, request) => {
                self.spent_by_refusal(request);
                let refresh = (operation != Operation::Revoke).then_some(false);
                Acted { response: self.not_allowed(), refresh }
            }
            Some(Operation::Revoke) => other(conclude(request, self.revoke(request), self.switches)),
            Some(Operation::Refresh | Operation::Login) => self.token(request, path),
        }
    }

    /// The token that a refresh or a revocation presents, and whether it revokes.
    pub fn asked(&self, request: &HttpRequest) -> Option<(String, bool)> {
        let form = Form::read(request, self.switches).ok()?;
        let revocation = form.value("token").map(|token| (token.to_owned(), true));
        revocation.or_else(|| form.value("refresh_token").map(|token| (token.to_owned(), false)))
    }

    fn takes(&self, operation: Operation, request: &HttpRequest) -> bool {
        let is = |method: &str| request.method.eq_ignore_ascii_case(method);
        let refreshes = operation != Operation::Revoke;
        is("POST")
            || (is("PUT") && refreshes && self.switches.has(Defect::PutRefreshes))
            || (is("GET") && refreshes && self.switches.has(Defect::GetRefreshes))
    }

    fn not_allowed(&self) -> HttpResponse {
        let mut response =
            plain(405, &json!({ "error": "invalid_request", "error_description": "POST only" }));
        if !self.switches.has(Defect::NoAllow) {
            response.headers.push(("Allow".to_owned(), "POST".to_owned()));
        }
        response
    }

    fn token(&self, request: &HttpRequest, path: &str) -> Acted {
        let form = Form::read(request, self.switches);
        let is_login = form.as_ref().is_ok_and(|form| form.value("grant_type") == Some("password"));
        let now = self.clock.now();
        let document = match &self.fixed {
            Some(pair) => Ok(self.document(pair, false, false, now)),
            None => form.and_then(|form| self.grant(request, path, &form, now)),
        };
        let granted = document.is_ok();
        if !granted {
            self.spent_by_refusal(request);
        }
        let mut response = conclude(request, document, self.switches);
        let unstated = !granted && !is_login && self.switches.has(Defect::DpopNonceUnstated);
        if request.header("dpop").next().is_some() && !unstated {
            response.headers.extend(self.proofs.header(now));
        }
        Acted { response, refresh: (!is_login).then_some(granted) }
    }

    fn spent_by_refusal(&self, request: &HttpRequest) {
        if self.switches.has(Defect::RefusalsSpend)
            && let Some(token) = Form::any_token(request)
        {
            // A token that means nothing has no chain to end.
            self.authority.revoke(None, &token).unwrap_or_default();
        }
    }

    fn grant(&self, request: &HttpRequest, path: &str, form: &Form, now: Moment) -> Result<Value, Fault> {
        let client = client::authenticate(&self.authority.roster, request, form, self.switches)?;
        let key = self.proofs.check(&Asked { request, path, access: None, now })?;
        let scope = self.scope(form)?;
        let public = self.authority.roster.parties[client].secret.is_none();
        match self.grant_type(form)? {
            Grant::Password => {
                let pair = self.login(client, form, scope.unwrap_or_else(usual_scope), now)?;
                let bound = key.is_some();
                // Tokens of a confidential client are bound by its authentication (RFC 9449 section 5).
                if let Some(key) = key.filter(|_| public) {
                    self.proofs.bind(pair.family, key);
                }
                Ok(self.document(&pair, true, bound, now))
            }
            Grant::Refresh => {
                let pair = self.refresh(client, form, scope, key.as_ref(), now)?;
                let mut document = self.document(&pair, false, key.is_some(), now);
                let kept = form.value("refresh_token") == Some(pair.refresh.expose());
                if kept && self.switches.is(Variant::KeptTokenUnstated) {
                    document.as_object_mut().expect("it is made as one").shift_remove("refresh_token");
                }
                Ok(document)
            }
        }
    }

    fn scope(&self, form: &Form) -> Result<Option<Scope>, Fault> {
        let Some(text) = form.value("scope") else { return Ok(None) };
        match Scope::parse(text) {
            Some(scope) => Ok(Some(scope)),
            None if self.switches.has(Defect::UnknownScopeIgnored) => Ok(None),
            None => Err(refused(Refusal::Scope, self.switches)),
        }
    }

    /// The scope of a refresh, as the defects have it.
    fn asked_scope(&self, scope: Option<Scope>) -> Result<Option<Scope>, Fault> {
        let narrow = scope.is_some_and(|scope| scope != usual_scope() && scope.is_within(usual_scope()));
        let refused = (scope.is_none() && self.switches.has(Defect::ScopeRequired))
            || (narrow && self.switches.has(Defect::NarrowScopeRefused));
        if refused { Err(fault("invalid_scope", "another scope is wanted")) } else { Ok(scope) }
    }

    fn grant_type(&self, form: &Form) -> Result<Grant, Fault> {
        let folded = self.switches.has(Defect::GrantTypeCaseFolded);
        match form.value("grant_type") {
            Some("password") if form.value("refresh_token").is_none() => Ok(Grant::Password),
            _ if self.switches.has(Defect::GrantTypeIgnored) => Ok(Grant::Refresh),
            None => Err(fault("invalid_request", "grant_type is missing")),
            Some("refresh_token") => Ok(Grant::Refresh),
            Some(other) if folded && other.eq_ignore_ascii_case("refresh_token") => Ok(Grant::Refresh),
            Some("password") => Ok(Grant::Password),
            Some(_) if self.switches.has(Defect::GrantTypeMisnamed) => {
                Err(fault("invalid_grant", "refresh_token and password are supported"))
            }
            Some(_) => Err(fault("unsupported_grant_type", "refresh_token and password are supported")),
        }
    }

    fn refresh(
        &self,
        client: usize,
        form: &Form,
        scope: Option<Scope>,
        key: Option<&proof::Thumbprint>,
        now: Moment,
    ) -> Result<Pair, Fault> {
        let Some(refresh) = form.value("refresh_token").filter(|token| !token.is_empty()) else {
            return self.without_token(client, now);
        };
        let asked = self.asked_scope(scope)?;
        if let Some(family) = self.authority.family_of(refresh) {
            self.proofs.admit(family, key)?;
        }
        let presented = Presented { party: Some(client), refresh, access: Beside::Nothing, scope: asked };
        let pair =
            self.authority.refresh(&presented, now).map_err(|refusal| refused(refusal, self.switches))?;
        let widens = self.switches.has(Defect::NarrowScopeWidens);
        let narrow = pair.scope != usual_scope() && pair.scope.is_within(usual_scope());
        Ok(Pair { scope: if widens && narrow { Scope::ALL } else { pair.scope }, ..pair })
    }

    fn without_token(&self, client: usize, now: Moment) -> Result<Pair, Fault> {
        let account = self.authority.roster.accounts.iter().position(|account| account.party == client);
        match account.filter(|_| self.switches.has(Defect::MissingTokenGranted)) {
            Some(account) => Ok(self.authority.login(account, client, usual_scope(), now)),
            None => Err(fault("invalid_request", "refresh_token is missing")),
        }
    }

    fn login(&self, client: usize, form: &Form, scope: Scope, now: Moment) -> Result<Pair, Fault> {
        let (Some(user), Some(password)) = (form.value("username"), form.value("password")) else {
            return Err(fault("invalid_request", "username or password is missing"));
        };
        let account = self.authority.roster.account(None, Some(user), password);
        let account = account.ok_or(fault("invalid_grant", "unknown user or wrong password"))?;
        Ok(self.authority.login(account, client, scope, now))
    }

    fn revoke(&self, request: &HttpRequest) -> Result<Value, Fault> {
        let form = Form::read(request, self.switches)?;
        let client = match client::authenticate(&self.authority.roster, request, &form, self.switches) {
            Ok(client) => Some(client),
            Err(_) if self.switches.has(Defect::RevokeOpen) => None,
            Err(fault) => return Err(fault),
        };
        let client = client.filter(|_| !self.switches.has(Defect::RevokeForeign));
        let token = form.value("token").ok_or(fault("invalid_request", "token is missing"))?;
        if self.switches.has(Defect::RevokeIgnored) {
            return Ok(Value::Null);
        }
        match self.authority.revoke(client, token) {
            // RFC 7009 section 2.2: a token that means nothing is as good as revoked.
            Err(Refusal::Unknown) if !self.switches.has(Defect::RevokeUnknownRefused) => Ok(Value::Null),
            Ok(()) if self.switches.has(Defect::RevokeRefused) => Err(fault("invalid_request", "never mind")),
            Ok(()) => Ok(Value::Null),
            Err(refusal) => Err(refused(refusal, self.switches)),
        }
    }

    fn document(&self, pair: &Pair, first: bool, bound: bool, now: Moment) -> Value {
        let kind = match (bound, self.switches.has(Defect::TokenTypeOdd)) {
            (_, true) => "access_token",
            (true, false) if !self.switches.has(Defect::DpopTypeBearer) => "DPoP",
            (true | false, false) => "Bearer",
        };
        let end = if self.switches.has(Defect::AccessWithSpace) { "\n" } else { "" };
        let mut document = json!({ "access_token": format!("{}{end}", self.access(pair)) });
        if !self.switches.has(Defect::TokenTypeMissing) {
            document["token_type"] = kind.into();
        }
        if !self.switches.is(Variant::NoExpiry) {
            document["expires_in"] = self.expires_in(pair, now);
        }
        if first || !self.switches.has(Defect::RefreshTokenMissing) {
            let end = if self.switches.has(Defect::TokenWithSpace) { "\n" } else { "" };
            document["refresh_token"] = format!("{}{end}", pair.refresh.expose()).into();
        }
        if !self.switches.is(Variant::ScopeUnstated) {
            document["scope"] = pair.scope.to_string().into();
        }
        if pair.scope.has("openid") {
            let claims = identity::claims(&self.authority, pair, first, now, self.switches);
            document["id_token"] = self.authority.sign(&claims).expose().into();
        }
        document
    }

    /// The access token, as the defects have it.
    fn access(&self, pair: &Pair) -> String {
        let token = pair.access.expose();
        let payload = token.split('.').nth(1).unwrap_or_default();
        let part = |document: &Value| URL_SAFE_NO_PAD.encode(document.to_string());
        if self.switches.has(Defect::AccessUnsigned) {
            format!("{}.{payload}.", part(&json!({ "alg": "none", "typ": "at+jwt" })))
        } else if self.switches.has(Defect::AccessClaimsMissing) {
            let head = part(&json!({ "alg": "HS256", "typ": "at+jwt" }));
            format!("{head}.{}.c2lnbmVk", part(&json!({ "number": pair.number })))
        } else {
            token.to_owned()
        }
    }

    fn expires_in(&self, pair: &Pair, now: Moment) -> Value {
        // An answer that is given again finds less of the time left.
        let seconds = u64::try_from(pair.expires.seconds() - now.seconds()).unwrap_or(0);
        if self.switches.has(Defect::ExpiresInText) {
            seconds.to_string().into()
        } else if self.switches.has(Defect::ExpiresInZero) {
            0.into()
        } else {
            seconds.into()
        }
    }

    fn userinfo(&self, request: &HttpRequest, path: &str) -> HttpResponse {
        let now = self.fixed.as_ref().map_or_else(|| self.clock.now(), |pair| pair.issued);
        let header = request.header("authorization").next();
        let challenge = match header.as_ref().and_then(|header| header.split_once(' ')) {
            Some((scheme, token)) => match self.holder(request, path, scheme, token.trim(), now) {
                Some(document) => return plain(200, &document),
                None => "Bearer realm=\"assay-mock\", error=\"invalid_token\"",
            },
            None => "Bearer realm=\"assay-mock\"",
        };
        let mut response = plain(401, &json!({ "error": "invalid_token" }));
        response.headers.push(("WWW-Authenticate".to_owned(), challenge.to_owned()));
        response
    }

    /// Whom an access token speaks for. One that is bound comes with a proof, the others as Bearer.
    fn holder(
        &self,
        request: &HttpRequest,
        path: &str,
        scheme: &str,
        token: &str,
        now: Moment,
    ) -> Option<Value> {
        let family = self.authority.family_of_access(token)?;
        if self.proofs.is_bound(family) {
            let key = self.proofs.check(&Asked { request, path, access: Some(token), now }).ok()??;
            self.proofs.admit(family, Some(&key)).ok()?;
        } else if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let holder = self.authority.probe(token, now).ok()?;
        let scope = holder.scope.unwrap_or_default();
        Some(json!({ "sub": holder.user, "client_id": holder.party, "sid": holder.family, "scope": scope }))
    }
}

/// What is asked for.
enum Grant {
    Refresh,
    Password,
}

/// The ID token beside a pair; `first` at a login.
pub fn id_token(
    authority: &Authority,
    pair: &Pair,
    first: bool,
    now: Moment,
    switches: Switches,
) -> crate::secret::Token {
    authority.sign(&identity::claims(authority, pair, first, now, switches))
}

/// The policy that is kept.
pub fn kept_policy(policy: MockPolicy, switches: Switches) -> MockPolicy {
    if policy == MockPolicy::None && switches.has(Defect::FapiRotates) {
        MockPolicy::StrictReject
    } else {
        policy
    }
}

/// The slot that the dialect's login puts a password into.
pub fn password_slot(dialect: &Dialect) -> Slot {
    let login = dialect.operation(Operation::Login);
    let bodies =
        login.into_iter().flat_map(|speech| speech.accepts.values()).flat_map(|accepts| &accepts.body);
    bodies.filter(|(name, _)| name == "password").find_map(|(_, shape)| slot_of(shape)).unwrap_or(Slot::Code)
}

fn slot_of(shape: &Shape) -> Option<Slot> {
    match shape {
        Shape::Text(Text(parts)) => match parts.first()? {
            TextPart::Slot(slot) => Some(*slot),
            TextPart::Plain(_) | TextPart::Made(_) => None,
        },
        Shape::Object(_) => None,
    }
}

/// The scope that [`USUAL_SCOPE`] names.
pub fn usual_scope() -> Scope {
    Scope::parse(USUAL_SCOPE).expect("two scopes of the list")
}
