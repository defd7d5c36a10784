//! The host around the application: what it adds to answers, and what a careless one lets happen.
//!
//! Nothing here harms anybody: files are made up, bombs and sleeping databases are waits within bounds, and calls
//! go to the loopback interface only.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::Token;
use crate::suite::defect::Defect;

use super::authority::Roster;
use super::canned::crashed;
use super::defects::Switches;
use super::webapi::{HttpRequest, HttpResponse};

/// What stands in a file that nobody should see.
const FILE: &str = "root:x:0:0:root:/root:/bin/bash";

/// How long an entity bomb keeps a parser busy.
const BOMB: Duration = Duration::from_millis(2500);

/// How long a reader waits for a file, or looks for a type.
const SEARCH: Duration = Duration::from_millis(1500);

/// No database sleeps longer than this.
const SLEEP_MAX: Duration = Duration::from_secs(5);

/// What a comparison of one byte takes where it ends at the first difference.
const BYTE: Duration = Duration::from_micros(60);

/// No body is searched beyond this.
const SEARCH_MAX: usize = 256 * 1024;

/// Defects of readers that do more than read.
const READERS: [Defect; 7] = [
    Defect::XxeFileRead,
    Defect::XxeFetches,
    Defect::XincludeResolved,
    Defect::TypeGadgetNamed,
    Defect::DtdCrash,
    Defect::InclusionCrash,
    Defect::TypeNameCrash,
];

/// Defects that take their time.
const SLOW: [Defect; 5] = [
    Defect::EntityBomb,
    Defect::SqlSleep,
    Defect::EarlyExitCompare,
    Defect::FileEntitySlow,
    Defect::TypeSearchSlow,
];

/// How an XML document points to another without a document type.
const POINTERS: [&str; 3] = ["XInclude", "schemaLocation", "<?xml-stylesheet"];

/// What the host knows.
#[derive(Debug)]
pub struct Host {
    switches: Switches,
    secrets: Vec<Token>,
}

impl Host {
    /// The host of an application with these parties.
    pub fn new(switches: Switches, roster: &Roster) -> Host {
        let secrets = roster.parties.iter().filter_map(|party| party.secret.clone()).collect();
        Host { switches, secrets }
    }

    /// Takes as much longer as this request does.
    pub async fn linger(&self, request: &HttpRequest) {
        let delay = self.delay(request);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    fn delay(&self, request: &HttpRequest) -> Duration {
        let has = |defect| self.switches.has(defect);
        if !SLOW.iter().any(|defect| has(*defect)) {
            return Duration::ZERO;
        }
        let body = searched(request);
        if has(Defect::FileEntitySlow) && names_a_file(&body)
            || has(Defect::TypeSearchSlow) && names_a_type(&body)
        {
            return SEARCH;
        }
        if has(Defect::EntityBomb) && body.matches("<!ENTITY").count() > 1 {
            return BOMB;
        }
        if has(Defect::SqlSleep)
            && let Some(seconds) = asleep(&plain(&body))
        {
            return Duration::from_secs(seconds).min(SLEEP_MAX);
        }
        if has(Defect::EarlyExitCompare) {
            return BYTE * self.matching(&body);
        }
        Duration::ZERO
    }

    /// How many bytes of a secret are right, from its start.
    fn matching(&self, body: &str) -> u32 {
        let of = |secret: &Token| {
            let text = secret.expose();
            (1..=text.len()).rev().find(|end| body.contains(&text[..*end])).unwrap_or(0)
        };
        u32::try_from(self.secrets.iter().map(of).max().unwrap_or(0)).unwrap_or(0)
    }

    /// What the host makes of an answer. `granted`: it carries tokens.
    pub fn finish(&self, request: &HttpRequest, granted: bool, mut response: HttpResponse) -> HttpResponse {
        self.cache(granted, &mut response);
        if response.status == 429 && !response.headers.iter().any(|(name, _)| name == "Retry-After") {
            response.headers.push(("Retry-After".to_owned(), "60".to_owned()));
        }
        if request.body.is_empty() && request.target.len() < 2 {
            return response;
        }
        self.parse(request, &mut response);
        self.inject(request, &mut response);
        self.tell(request, granted, &mut response);
        response
    }

    /// Tokens are not for caches.
    fn cache(&self, granted: bool, response: &mut HttpResponse) {
        if !granted {
            return;
        }
        let policy =
            match (self.switches.has(Defect::CacheableGrant), self.switches.has(Defect::NoStoreForgotten)) {
                (true, _) => "private, max-age=60",
                (_, true) => "no-cache",
                _ => "no-store",
            };
        for (name, value) in &mut response.headers {
            if name.eq_ignore_ascii_case("Cache-Control") {
                policy.clone_into(value);
            }
        }
    }

    /// Readers of XML and JSON that do more than read.
    fn parse(&self, request: &HttpRequest, response: &mut HttpResponse) {
        let has = |defect| self.switches.has(defect);
        if !READERS.iter().any(|defect| has(*defect)) {
            return;
        }
        let body = searched(request);
        if has(Defect::DtdCrash) && body.contains("<!DOCTYPE")
            || has(Defect::InclusionCrash) && POINTERS.iter().any(|pointer| body.contains(pointer))
            || has(Defect::TypeNameCrash) && names_a_type(&body)
        {
            *response = crashed();
            return;
        }
        if has(Defect::XxeFileRead) && names_a_file(&body) {
            *response = told(400, &format!("State '{FILE}' is not registered"));
        }
        if has(Defect::XxeFetches) && body.contains("SYSTEM") {
            addresses(&body).for_each(call);
        }
        let included = body.contains("XInclude");
        if has(Defect::XincludeResolved) && (included || body.contains("schemaLocation")) {
            addresses(&body).for_each(call);
            if included && body.contains("file:") {
                *response = told(400, &format!("State '{FILE}' is not registered"));
            }
        }
        if has(Defect::TypeGadgetNamed) && (body.contains("\"$type\"") || body.contains("\"__type\"")) {
            let message =
                "Type specified in JSON could not be loaded: System.Windows.Data.ObjectDataProvider";
            *response = told(400, message);
        }
    }

    /// Text of a caller that becomes something else.
    fn inject(&self, request: &HttpRequest, response: &mut HttpResponse) {
        let has = |defect| self.switches.has(defect);
        if has(Defect::CrlfHeader) {
            let text = format!("{} {}", plain(&request.target), plain(&searched(request)));
            if text.contains("\r\nX-Injected: yes") || text.contains("\\r\\nX-Injected: yes") {
                response.headers.push(("X-Injected".to_owned(), "yes".to_owned()));
            }
        }
        if has(Defect::SqlErrorShown) && plain(&searched(request)).contains("' OR '") {
            let message =
                "System.Data.SqlClient.SqlException: Unclosed quotation mark after the character string";
            *response = told(500, message);
        }
        if has(Defect::TemplateEvaluated) && plain(&searched(request)).contains("{{7*191}}") {
            *response = told(400, "State '1337' is not registered");
        }
        if has(Defect::HtmlReflected) {
            let target = plain(&request.target);
            let body = plain(&searched(request));
            for text in [&target, &body] {
                if let Some(at) = text.find("<script>") {
                    let shown: String = text[at..].chars().take(40).collect();
                    *response = HttpResponse {
                        status: 404,
                        headers: vec![("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned())],
                        body: format!("<html><body>Cannot find {shown}</body></html>").into_bytes(),
                    };
                    return;
                }
            }
        }
    }

    /// What an answer gives back that it should keep.
    fn tell(&self, request: &HttpRequest, granted: bool, response: &mut HttpResponse) {
        let has = |defect| self.switches.has(defect);
        let mut header = |name: &str, value: String| response.headers.push((name.to_owned(), value));
        if has(Defect::CorsReflected)
            && let Some(origin) = request.header("origin").next()
        {
            header("Access-Control-Allow-Origin", origin);
            header("Access-Control-Allow-Credentials", "true".to_owned());
        }
        if !granted && (has(Defect::SecretEchoed) || has(Defect::SecretEchoedInBase64)) {
            let told = plain(&searched(request)) + &basic(request);
            if let Some(secret) = self.secrets.iter().find(|secret| told.contains(secret.expose())) {
                if has(Defect::SecretEchoed) {
                    header("X-Debug", format!("auth={}", secret.expose()));
                } else {
                    header("X-Debug", STANDARD.encode(format!("auth={}", secret.expose())));
                }
            }
        }
        if granted && (has(Defect::TokenInCookie) || has(Defect::TokenInLocation)) {
            let body = String::from_utf8_lossy(&response.body).into_owned();
            if let Some(token) = refresh_of(&body) {
                let mut header = |name: &str, value: String| response.headers.push((name.to_owned(), value));
                if has(Defect::TokenInCookie) {
                    header("Set-Cookie", format!("last={token}; Path=/"));
                } else {
                    header("Location", format!("/api/PFMS/session?token={token}"));
                }
            }
        }
    }
}

/// The refresh token of an answer in JSON or XML, as it is written there.
fn refresh_of(body: &str) -> Option<&str> {
    for (start, end) in [("\"refreshToken\":\"", '"'), ("\"refresh_token\":\"", '"'), ("<refreshToken>", '<')]
    {
        if let Some(at) = body.find(start) {
            let rest = &body[at + start.len()..];
            return rest.find(end).map(|length| &rest[..length]);
        }
    }
    None
}

/// An error document with this message.
fn told(status: u16, message: &str) -> HttpResponse {
    HttpResponse {
        status,
        headers: vec![("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())],
        body: serde_json::json!({ "Message": message }).to_string().into_bytes(),
    }
}

/// What stands in `Authorization: Basic`, name and secret.
fn basic(request: &HttpRequest) -> String {
    let values = request.header("authorization");
    let credentials = values.filter_map(|value| STANDARD.decode(value.strip_prefix("Basic ")?.trim()).ok());
    credentials.map(|bytes| plain(&String::from_utf8_lossy(&bytes))).collect()
}

/// Whether an entity of an XML document is a file.
fn names_a_file(body: &str) -> bool {
    body.contains("<!ENTITY") && body.contains("SYSTEM") && body.contains("file:")
}

/// Whether a member of a JSON document names a type, as one of four readers wants it.
fn names_a_type(body: &str) -> bool {
    ["\"$type\"", "\"__type\"", "\"@type\"", "\"@class\""].iter().any(|member| body.contains(member))
}

fn searched(request: &HttpRequest) -> String {
    String::from_utf8_lossy(&request.body[..request.body.len().min(SEARCH_MAX)]).into_owned()
}

/// With percent escapes, the plus of forms and the escapes of JSON and XML undone: whatever it was.
fn plain(text: &str) -> String {
    let text = text.replace("&apos;", "'").replace("&lt;", "<").replace("&gt;", ">");
    let mut plain = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(escaped.unwrap_or(if bytes[at] == b'+' { b' ' } else { bytes[at] }));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// For how many seconds a text would put a database to sleep.
fn asleep(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let digits = |rest: &str| {
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        number.parse().ok()
    };
    ["waitfor delay '0:0:", "pg_sleep(", "sleep("]
        .iter()
        .find_map(|call| text.find(call).and_then(|at| digits(&text[at + call.len()..])))
}

/// The addresses of the loopback interface in a text: `http://127.0.0.1:4711/`.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    text.split(['"', '\'', ' ', '<', '>']).filter(|word| word.starts_with("http://127.0.0.1:"))
}

/// Calls an address of the loopback interface, and says nothing.
pub(super) fn call(address: &str) {
    let host = address.trim_start_matches("http://").split('/').next().unwrap_or("");
    if let Ok(address) = host.parse::<SocketAddr>()
        && address.ip().is_loopback()
    {
        drop(TcpStream::connect_timeout(&address, Duration::from_millis(200)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::environment::MockSpec;

    #[test]
    fn a_secret_is_told_back_whether_it_came_in_the_body_or_in_a_header() {
        let roster = Roster::clients(7);
        let secret = roster.parties[0].secret.clone().expect("it is confidential");
        let host = Host::new(
            Switches::of(&MockSpec { defects: vec![Defect::SecretEchoed], ..MockSpec::default() }),
            &roster,
        );
        let ask = |header: &str, body: &str| {
            let request = HttpRequest {
                method: "POST".to_owned(),
                target: "/token".to_owned(),
                headers: vec![("Authorization".to_owned(), header.as_bytes().to_vec())],
                body: body.as_bytes().to_vec(),
                has_length: true,
            };
            host.finish(&request, false, told(400, "no")).headers
        };
        let tells = |headers: &[(String, String)]| headers.iter().any(|(name, _)| name == "X-Debug");
        let basic = STANDARD.encode(format!("assay-web:{}", secret.expose()));
        assert!(tells(&ask(&format!("Basic {basic}"), "grant_type=refresh_token")));
        assert!(tells(&ask("", &format!("client_secret={}", secret.expose()))));
        assert!(!tells(&ask("Basic c29tZWJvZHk6ZWxzZQ==", "grant_type=refresh_token")));
    }

    #[test]
    fn escapes_are_undone_whatever_they_are() {
        assert_eq!(plain("a%0d%0aX-Injected:+yes"), "a\r\nX-Injected: yes");
        assert_eq!(plain("%zz&lt;script&gt;"), "%zz<script>");
    }

    #[test]
    fn a_database_sleeps_as_long_as_it_is_told() {
        assert_eq!(asleep("1'; WAITFOR DELAY '0:0:3'--"), Some(3));
        assert_eq!(asleep("1' AND SLEEP(4)-- "), Some(4));
        assert_eq!(asleep("'||pg_sleep(2)--"), Some(2));
        assert_eq!(asleep("sleepless"), None);
    }

    #[test]
    fn only_the_loopback_interface_is_found_in_a_document() {
        let text = r#"<!ENTITY x SYSTEM "http://127.0.0.1:4711/"><!ENTITY y SYSTEM "http://example.org/">"#;
        assert_eq!(addresses(text).collect::<Vec<_>>(), ["http://127.0.0.1:4711/"]);
    }

    #[test]
    fn the_refresh_token_of_an_answer_is_found_in_both_formats() {
        assert_eq!(refresh_of(r#"{"refreshToken":"a+b=="}"#), Some("a+b=="));
        assert_eq!(refresh_of("<refreshToken>a</refreshToken>"), Some("a"));
        assert_eq!(refresh_of("{}"), None);
    }
}
