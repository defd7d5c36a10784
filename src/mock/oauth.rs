//! An OAuth 2.0 token endpoint: RFC 6749 sections 4.3 and 6, revocation (RFC 7009), and a resource to try
//! access tokens on.
//!
//! Names of parameters and members are the RFC's; only the paths come from the dialect.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::dialect::{Codec, Dialect, Shape, Text, TextPart};
use crate::suite::call::{Operation, Slot};
use crate::suite::defect::Defect;

use super::authority::{Authority, Beside, Pair, Presented, Refusal, Scope};
use super::clock::{Clock, Moment};
use super::defects::Switches;
use super::webapi::{HttpRequest, HttpResponse};

/// The scope of a login that asks for none, and of seeds.
pub const USUAL_SCOPE: &str = "read write";

/// The endpoint and what it needs.
#[derive(Debug)]
pub struct OAuth {
    authority: Arc<Authority>,
    clock: Arc<Clock>,
    switches: Switches,
    /// Operation → path; refresh and login may share one.
    paths: Vec<(Operation, String)>,
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

/// An error of RFC 6749 section 5.2.
#[derive(Debug)]
struct Fault {
    error: &'static str,
    description: &'static str,
}

const fn fault(error: &'static str, description: &'static str) -> Fault {
    Fault { error, description }
}

impl OAuth {
    /// The endpoint of a dialect; `None` where its refresh is not a form.
    pub fn new(
        dialect: &Dialect,
        authority: Arc<Authority>,
        clock: Arc<Clock>,
        switches: Switches,
    ) -> Option<OAuth> {
        dialect
            .operation(Operation::Refresh)?
            .accepts
            .values()
            .find(|accepts| accepts.codec == Codec::Form)?;
        let paths = dialect.operations.iter().map(|(operation, speech)| (*operation, speech.path.clone()));
        let fixed = switches.has(Defect::AlwaysFixed);
        let fixed = fixed.then(|| authority.login(0, 0, usual_scope(), clock.now()));
        Some(OAuth { authority, clock, switches, paths: paths.collect(), fixed })
    }

    /// Answers a request.
    pub fn answer(&self, request: &HttpRequest) -> Acted {
        let path = request.target.split('?').next().unwrap_or_default();
        let operation = self.paths.iter().find(|(_, own)| own == path).map(|(operation, _)| *operation);
        let other = |response| Acted { response, refresh: None };
        match operation {
            None => other(plain(404, &json!({ "error": "not_found" }))),
            Some(Operation::Probe) => other(self.userinfo(request)),
            Some(_) if !request.method.eq_ignore_ascii_case("POST") => {
                let mut response =
                    plain(405, &json!({ "error": "invalid_request", "error_description": "POST only" }));
                response.headers.push(("Allow".to_owned(), "POST".to_owned()));
                Acted { response, refresh: (operation != Some(Operation::Revoke)).then_some(false) }
            }
            Some(Operation::Revoke) => other(OAuth::conclude(request, self.revoke(request))),
            Some(Operation::Refresh | Operation::Login) => self.token(request),
        }
    }

    fn token(&self, request: &HttpRequest) -> Acted {
        let form = Form::read(request);
        let is_login = form.as_ref().is_ok_and(|form| form.value("grant_type") == Some("password"));
        let pair = match &self.fixed {
            Some(pair) => Ok(pair.clone()),
            None => form.and_then(|form| self.grant(request, &form, self.clock.now())),
        };
        let granted = pair.is_ok();
        let response = OAuth::conclude(request, pair.map(|pair| self.document(&pair)));
        Acted { response, refresh: (!is_login).then_some(granted) }
    }

    fn grant(&self, request: &HttpRequest, form: &Form, now: Moment) -> Result<Pair, Fault> {
        let client = self.authenticate(request, form)?;
        let scope = match form.value("scope") {
            None => None,
            Some(text) => Some(Scope::parse(text).ok_or(fault("invalid_scope", "unknown scope"))?),
        };
        match form.value("grant_type") {
            None => Err(fault("invalid_request", "grant_type is missing")),
            Some("refresh_token") => {
                let refresh = form
                    .value("refresh_token")
                    .ok_or(fault("invalid_request", "refresh_token is missing"))?;
                let access = Beside::Nothing;
                self.authority
                    .refresh(&Presented { party: Some(client), refresh, access, scope }, now)
                    .map_err(refused)
            }
            Some("password") => self.login(client, form, scope.unwrap_or_else(usual_scope), now),
            Some(_) => Err(fault("unsupported_grant_type", "refresh_token and password are supported")),
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
        let form = Form::read(request)?;
        let client = self.authenticate(request, &form)?;
        let token = form.value("token").ok_or(fault("invalid_request", "token is missing"))?;
        match self.authority.revoke(Some(client), token) {
            // RFC 7009 section 2.2: a token that means nothing is as good as revoked.
            Ok(()) | Err(Refusal::Unknown) => Ok(Value::Null),
            Err(refusal) => Err(refused(refusal)),
        }
    }

    /// The client, by Basic or by the body, never by both (RFC 6749 section 2.3).
    fn authenticate(&self, request: &HttpRequest, form: &Form) -> Result<usize, Fault> {
        const UNKNOWN: Fault = fault("invalid_client", "client authentication failed");
        let basic = match request.header("authorization").next() {
            None => None,
            Some(header) => Some(read_basic(&header).ok_or(UNKNOWN)?),
        };
        let (id, secret) = match (&basic, form.value("client_id"), form.value("client_secret")) {
            (Some(_), _, Some(_)) => {
                return Err(fault("invalid_request", "two ways of client authentication"));
            }
            (Some((basic, _)), Some(id), None) if basic != id => {
                return Err(fault("invalid_request", "two different clients"));
            }
            (Some((id, secret)), _, None) => (id.as_str(), Some(secret.as_str())),
            (None, id, secret) => (id.ok_or(UNKNOWN)?, secret),
        };
        let client = self.authority.roster.party(id).ok_or(UNKNOWN)?;
        let public = self.authority.roster.parties[client].secret.is_none();
        let known = match secret {
            None | Some("") => public || self.switches.has(Defect::SecretOptional),
            Some(secret) => {
                self.authority.roster.knows(client, secret) || self.switches.has(Defect::WrongSecretAccepted)
            }
        };
        if known { Ok(client) } else { Err(UNKNOWN) }
    }

    fn document(&self, pair: &Pair) -> Value {
        let mut document = json!({
            "access_token": pair.access.expose(),
            "token_type": "Bearer",
            "expires_in": self.authority.access_lifetime().as_secs(),
        });
        if !self.switches.has(Defect::RefreshTokenMissing) {
            let end = if self.switches.has(Defect::TokenWithSpace) { "\n" } else { "" };
            document["refresh_token"] = format!("{}{end}", pair.refresh.expose()).into();
        }
        document["scope"] = pair.scope.to_string().into();
        document
    }

    fn userinfo(&self, request: &HttpRequest) -> HttpResponse {
        let header = request.header("authorization").next();
        let token = header.as_ref().and_then(|header| super::bearer_token(header.as_bytes()));
        let now = self.fixed.as_ref().map_or_else(|| self.clock.now(), |pair| pair.issued);
        let challenge = match token.as_ref().map(|token| self.authority.probe(token, now)) {
            Some(Ok(holder)) => {
                let scope = holder.scope.unwrap_or_default();
                return plain(
                    200,
                    &json!({ "sub": holder.user, "client_id": holder.party, "sid": holder.family, "scope": scope }),
                );
            }
            Some(Err(_)) => "Bearer realm=\"assay-mock\", error=\"invalid_token\"",
            None => "Bearer realm=\"assay-mock\"",
        };
        let mut response = plain(401, &json!({ "error": "invalid_token" }));
        response.headers.push(("WWW-Authenticate".to_owned(), challenge.to_owned()));
        response
    }

    fn conclude(request: &HttpRequest, outcome: Result<Value, Fault>) -> HttpResponse {
        let fault = match outcome {
            Ok(Value::Null) => return HttpResponse { body: Vec::new(), ..plain(200, &Value::Null) },
            Ok(document) => return plain(200, &document),
            Err(fault) => fault,
        };
        let document = json!({ "error": fault.error, "error_description": fault.description });
        if fault.error != "invalid_client" {
            return plain(400, &document);
        }
        let mut response = plain(401, &document);
        if request.header("authorization").next().is_some() {
            response.headers.push(("WWW-Authenticate".to_owned(), "Basic realm=\"assay-mock\"".to_owned()));
        }
        response
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
            TextPart::Plain(_) => None,
        },
        Shape::Object(_) => None,
    }
}

/// The scope that [`USUAL_SCOPE`] names.
pub fn usual_scope() -> Scope {
    Scope::parse(USUAL_SCOPE).expect("two scopes of the list")
}

fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Unknown => fault("invalid_grant", "unknown refresh token"),
        Refusal::Expired => fault("invalid_grant", "the refresh token has expired"),
        Refusal::Reused => fault("invalid_grant", "the refresh token was used before"),
        Refusal::Revoked => fault("invalid_grant", "the refresh token was revoked"),
        Refusal::Mismatch => fault("invalid_grant", "the access token does not belong to it"),
        Refusal::Foreign => fault("invalid_grant", "issued to another client"),
        Refusal::Scope => fault("invalid_scope", "the scope exceeds the grant"),
    }
}

/// A JSON answer that no cache may keep.
fn plain(status: u16, document: &Value) -> HttpResponse {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    HttpResponse {
        status,
        headers: vec![
            header("Content-Type", "application/json"),
            header("Cache-Control", "no-store"),
            header("Pragma", "no-cache"),
        ],
        body: document.to_string().into_bytes(),
    }
}

/// Client id and secret of `Authorization: Basic …`, each form-encoded within (RFC 6749 section 2.3.1).
fn read_basic(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        // The decoder reads pairs, so the text is given to it as a name without a value.
        let text = text.replace('&', "%26").replace('=', "%3D");
        url::form_urlencoded::parse(text.as_bytes())
            .next()
            .map_or(String::new(), |(name, _)| name.into_owned())
    };
    Some((plain(id), plain(secret)))
}

/// The parameters of a body. Those without a value count as left out (RFC 6749 section 3.2).
struct Form(Vec<(String, String)>);

impl Form {
    fn read(request: &HttpRequest) -> Result<Form, Fault> {
        let label = request.header("content-type").next().unwrap_or_default();
        let essence = label.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(fault("invalid_request", "the body must be application/x-www-form-urlencoded"));
        }
        if std::str::from_utf8(&request.body).is_err() {
            return Err(fault("invalid_request", "the body is not UTF-8"));
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(&request.body) {
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(fault("invalid_request", "a parameter is repeated"));
            }
            // Unknown names are ignored, and not kept: a body of a million names costs a million steps, no more.
            if PARAMETERS.contains(&name.as_ref()) {
                parameters.push((name.into_owned(), value.into_owned()));
            }
        }
        Ok(Form(parameters))
    }

    fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(other, _)| other == name)?;
        (!value.is_empty()).then_some(value)
    }
}

/// The parameters that mean something here.
const PARAMETERS: [&str; 8] =
    ["grant_type", "refresh_token", "scope", "username", "password", "client_id", "client_secret", "token"];
