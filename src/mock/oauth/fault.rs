//! Errors of RFC 6749 section 5.2, and how answers are written.

use serde_json::{Value, json};

use crate::suite::defect::Defect;

use super::super::authority::Refusal;
use super::super::defects::Switches;
use super::super::webapi::{HttpRequest, HttpResponse};

/// An error of RFC 6749 section 5.2.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) error: &'static str,
    pub(super) description: &'static str,
}

/// The error of that name.
pub(super) const fn fault(error: &'static str, description: &'static str) -> Fault {
    Fault { error, description }
}

/// What a refusal of the authority is called.
pub(super) fn refused(refusal: Refusal, switches: Switches) -> Fault {
    let description = match refusal {
        Refusal::Unknown => "unknown refresh token",
        Refusal::Expired => "the refresh token has expired",
        Refusal::Reused => "the refresh token was used before",
        Refusal::Revoked => "the refresh token was revoked",
        Refusal::Mismatch => "the access token does not belong to it",
        Refusal::Foreign => "issued to another client",
        Refusal::Scope if switches.has(Defect::ScopeErrorMisnamed) => {
            return fault("invalid_request", "the scope exceeds the grant");
        }
        Refusal::Scope => return fault("invalid_scope", "the scope exceeds the grant"),
    };
    let misnamed = switches.has(Defect::InvalidGrantMisnamed);
    fault(if misnamed { "invalid_token" } else { "invalid_grant" }, description)
}

/// The answer to a request that came to this.
pub(super) fn conclude(
    request: &HttpRequest,
    outcome: Result<Value, Fault>,
    switches: Switches,
) -> HttpResponse {
    match outcome {
        Ok(Value::Null) => HttpResponse { body: Vec::new(), ..plain(200, &Value::Null) },
        Ok(document) => granted(&document, switches),
        Err(fault) => failed(request, &fault, switches),
    }
}

fn granted(document: &Value, switches: Switches) -> HttpResponse {
    let mut response = plain(200, document);
    if switches.has(Defect::GrantMislabelled) {
        "application/vnd.assay+json".clone_into(&mut response.headers[0].1);
    }
    if switches.has(Defect::NoStoreMissing) {
        response.headers.retain(|(name, _)| name != "Cache-Control");
    }
    response
}

fn failed(request: &HttpRequest, fault: &Fault, switches: Switches) -> HttpResponse {
    let misnamed = fault.error == "invalid_request" && switches.has(Defect::RequestMisnamed);
    let error = if misnamed { "invalid_client" } else { fault.error };
    let mut document = json!({ "error": error, "error_description": fault.description });
    if switches.has(Defect::ErrorWithQuotes) {
        document["error_description"] = format!("\"{}\"", fault.description).into();
    }
    if switches.has(Defect::ErrorCodeBroken) {
        document["error"] = format!("{error}\n").into();
    }
    if switches.has(Defect::ErrorUriSpaced) {
        document["error_uri"] = "https://mock.assay.example/what went wrong".into();
    }
    if switches.has(Defect::ErrorUnnamed) {
        document = json!({ "message": fault.description });
    }
    let by_header = request.header("authorization").next().is_some();
    let mut response = plain(status(fault, switches), &document);
    if switches.has(Defect::ErrorMislabelled) {
        "text/html".clone_into(&mut response.headers[0].1);
    }
    if response.status == 401 && by_header && !switches.has(Defect::WwwAuthenticateMissing) {
        response.headers.push(("WWW-Authenticate".to_owned(), "Basic realm=\"assay-mock\"".to_owned()));
    }
    response
}

fn status(fault: &Fault, switches: Switches) -> u16 {
    match fault.error {
        _ if switches.has(Defect::ErrorsForbidden) => 403,
        "invalid_scope" if switches.has(Defect::ScopeCrash) => 500,
        "invalid_client" => 401,
        "invalid_grant" if switches.has(Defect::InvalidGrantUnauthorized) => 401,
        "invalid_grant" if switches.has(Defect::InvalidGrantCrash) => 500,
        _ => 400,
    }
}

/// A JSON answer that no cache may keep.
pub(super) fn plain(status: u16, document: &Value) -> HttpResponse {
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
