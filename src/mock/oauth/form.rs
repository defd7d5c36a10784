//! Parameters of a request, as RFC 6749 section 3.2 has them read.

use serde_json::Value;

use crate::suite::defect::Defect;

use super::super::defects::Switches;
use super::super::webapi::HttpRequest;
use super::fault::{Fault, fault};

/// The parameters that mean something here.
const PARAMETERS: [&str; 9] = [
    "grant_type",
    "refresh_token",
    "scope",
    "username",
    "password",
    "client_id",
    "client_secret",
    "token",
    "token_type_hint",
];

/// The parameters of a request.
pub(super) struct Form {
    parameters: Vec<(String, String)>,
    keeps_empty: bool,
}

impl Form {
    /// Those of the body, which must be a form in UTF-8.
    pub(super) fn read(request: &HttpRequest, switches: Switches) -> Result<Form, Fault> {
        if let Some(query) = query_in_place_of_the_body(request, switches) {
            return Form::of(url::form_urlencoded::parse(query.as_bytes()), switches);
        }
        let label = request.header("content-type").next().unwrap_or_default();
        let (essence, parameters) = label.split_once(';').unwrap_or((&label, ""));
        let essence = essence.trim();
        if essence.eq_ignore_ascii_case("application/json") && switches.has(Defect::JsonBodyAccepted) {
            return Form::of_json(&request.body, switches);
        }
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(fault("invalid_request", "the body must be application/x-www-form-urlencoded"));
        }
        if !parameters.is_empty() && switches.has(Defect::CharsetLabelRefused) {
            return Err(fault("invalid_request", "the media type has a parameter"));
        }
        if std::str::from_utf8(&request.body).is_err() {
            return Err(fault("invalid_request", "the body is not UTF-8"));
        }
        Form::of(url::form_urlencoded::parse(&request.body), switches)
    }

    fn of<N: AsRef<str>, V: Into<String>>(
        pairs: impl Iterator<Item = (N, V)>,
        switches: Switches,
    ) -> Result<Form, Fault> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            let name = name.as_ref();
            if !PARAMETERS.contains(&name) {
                if switches.has(Defect::UnknownParameterRefused) {
                    return Err(fault("invalid_request", "an unknown parameter"));
                }
                // Unknown names are ignored, and not kept: a body of a million names costs a million steps, no more.
                continue;
            }
            if parameters.iter().any(|(other, _)| other == name) {
                if switches.has(Defect::RepeatedParameterAccepted) {
                    continue;
                }
                return Err(fault("invalid_request", "a parameter is repeated"));
            }
            parameters.push((name.to_owned(), value.into()));
        }
        Ok(Form { parameters, keeps_empty: switches.has(Defect::EmptyParameterRead) })
    }

    fn of_json(body: &[u8], switches: Switches) -> Result<Form, Fault> {
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
            return Err(fault("invalid_request", "the body cannot be read"));
        };
        let texts = members.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        Form::of(texts, switches)
    }

    /// The token that a request carries, wherever it stands and however it is written: for a defect that spends it.
    pub(super) fn any_token(request: &HttpRequest) -> Option<String> {
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let in_form = |text: &[u8]| {
            let mut pairs = url::form_urlencoded::parse(text);
            pairs.find(|(name, _)| name == "refresh_token").map(|(_, value)| value.into_owned())
        };
        let in_json = || {
            let document: Value = serde_json::from_slice(&request.body).ok()?;
            document["refresh_token"].as_str().map(str::to_owned)
        };
        in_form(&request.body).or_else(|| in_form(query.as_bytes())).or_else(in_json)
    }

    /// The value of a parameter. One without a value counts as left out.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.parameters.iter().find(|(other, _)| other == name)?;
        (self.keeps_empty || !value.is_empty()).then_some(value)
    }
}

/// The query, where a defect reads it.
fn query_in_place_of_the_body(request: &HttpRequest, switches: Switches) -> Option<&str> {
    let by_get = request.method.eq_ignore_ascii_case("GET") && switches.has(Defect::GetRefreshes);
    let by_query = request.body.is_empty() && switches.has(Defect::QueryBinds);
    let (_, query) = request.target.split_once('?').filter(|_| by_get || by_query)?;
    Some(query)
}
