//! Client authentication: by Basic or by the body, never by both (RFC 6749 section 2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::suite::defect::Defect;

use super::super::authority::Roster;
use super::super::defects::Switches;
use super::super::webapi::HttpRequest;
use super::fault::{Fault, fault};
use super::form::Form;

/// The client that asks, if it is who it says.
pub(super) fn authenticate(
    roster: &Roster,
    request: &HttpRequest,
    form: &Form,
    switches: Switches,
) -> Result<usize, Fault> {
    let unknown = || {
        let misnamed = switches.has(Defect::ClientErrorMisnamed);
        fault(if misnamed { "invalid_grant" } else { "invalid_client" }, "client authentication failed")
    };
    let basic = match request.header("authorization").next() {
        None => None,
        Some(header) => Some(read_basic(&header).ok_or_else(unknown)?),
    };
    let (id, secret) = match (&basic, form.value("client_id"), form.value("client_secret")) {
        (Some(_), _, Some(_)) if !switches.has(Defect::TwoAuthMethodsAccepted) => {
            return Err(fault("invalid_request", "two ways of client authentication"));
        }
        (Some((basic, _)), Some(id), _) if basic != id => {
            return Err(fault("invalid_request", "two different clients"));
        }
        (Some((id, secret)), _, _) => (id.as_str(), Some(secret.as_str())),
        (None, id, secret) => (id.ok_or_else(unknown)?, secret),
    };
    let client = roster.party(id).ok_or_else(unknown)?;
    let known = match secret {
        None | Some("") => {
            roster.parties[client].secret.is_none() || switches.has(Defect::ClientAuthOptional)
        }
        Some(secret) => roster.knows(client, secret) || switches.has(Defect::WrongClientSecretAccepted),
    };
    if known { Ok(client) } else { Err(unknown()) }
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
