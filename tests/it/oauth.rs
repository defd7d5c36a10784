//! The checks of OAuth 2.0: against the mock with its defects, and against a server that is legal in every way that
//! the mock is not.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use assay::chain::Identity;
use assay::conformance;
use assay::prove::{self, Options, Subject};
use assay::results::Verdict;
use assay::results::event::{Narrator, Stop};
use assay::secret::Token;
use assay::suite::call::Slot;
use assay::suite::policy::Policy;
use assay::{dialect, suite};

use super::conformance::{ground_at, shipped};

async fn proven(name: &str, only: &[&str]) {
    let suite = Arc::new(shipped(name));
    let subject = Subject {
        environment: Arc::new(suite.environments["mock"].clone()),
        dialect: Arc::new(dialect::builtin(&suite.dialect.value).unwrap()),
        suite,
    };
    let options = Options {
        subjects: vec![subject],
        only: only.iter().map(|word| (*word).to_owned()).collect(),
        full: false,
        clean_runs: 0,
        mutants: false,
    };
    let proof = prove::prove(&options, &|_, _, _| {}).await.unwrap();
    assert!(proof.proven, "{:?} {:?}", proof.clean, proof.defects);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fapi_endpoint_that_rotates_without_a_way_back_is_found_where_that_is_asked_for() {
    proven("fapi2", &["fapi-rotates-without-retry"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flaws_of_scopes_clients_proofs_and_id_tokens_are_found() {
    proven("oauth2", &["scope-sticks", "client-unbound", "dpop-other-key", "id-token-sub-changes"]).await;
}

/// A token endpoint that keeps to RFC 6749 and to nothing more: opaque tokens, no rotation, no expiry, no scope, no
/// ID token, errors without a description, client credentials in the header alone, text for other methods.
struct Minimal {
    issued: Mutex<HashSet<String>>,
}

impl Minimal {
    fn start() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::new(Minimal { issued: Mutex::default() });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.serve(&stream));
            }
        });
        url
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some((line, headers, body)) = read(&mut reader) {
            let (status, kind, text) = if line.starts_with("POST /token ") {
                let (status, text) = self.answer(&headers, &body);
                (status, "application/json;charset=UTF-8", text)
            } else {
                ("404 Not Found", "text/plain", "Not Found".to_owned())
            };
            let challenge =
                if status.starts_with("401") { "WWW-Authenticate: Basic realm=\"x\"\r\n" } else { "" };
            let length = if line.starts_with("HEAD ") { 0 } else { text.len() };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nCache-Control: no-cache, no-store\r\n{challenge}Content-Length: {length}\r\n\r\n"
            );
            let mut out = stream;
            if out.write_all(format!("{head}{}", &text[..length]).as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, headers: &str, body: &[u8]) -> (&'static str, String) {
        let error = |word: &str| ("400 Bad Request", format!(r#"{{"error":"{word}"}}"#));
        if !headers.to_ascii_lowercase().contains("content-type: application/x-www-form-urlencoded") {
            return error("invalid_request");
        }
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(body).into_owned().filter(|(_, value)| !value.is_empty()).collect();
        let names: HashSet<&String> = pairs.iter().map(|(name, _)| name).collect();
        if names.len() < pairs.len() {
            return error("invalid_request");
        }
        let value =
            |name: &str| pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        match headers.lines().find_map(|line| line.strip_prefix("Authorization: Basic ")) {
            None => return error("invalid_request"),
            Some(_) if value("client_secret").is_some() => return error("invalid_request"),
            // web:secret
            Some("d2ViOnNlY3JldA==") => {}
            Some(_) => return ("401 Unauthorized", r#"{"error":"invalid_client"}"#.to_owned()),
        }
        let mut issued = self.issued.lock().unwrap();
        let number = issued.len();
        match (value("grant_type"), value("refresh_token")) {
            (Some("password"), _) => {
                let refresh = format!("Rt{number:030}");
                issued.insert(refresh.clone());
                (
                    "200 OK",
                    format!(
                        r#"{{"access_token":"At{number:030}","token_type":"bearer","refresh_token":"{refresh}"}}"#
                    ),
                )
            }
            (Some("refresh_token"), Some(refresh)) if issued.contains(refresh) => {
                issued.insert(format!("access {number}"));
                ("200 OK", format!(r#"{{"access_token":"At{number:030}","token_type":"bearer"}}"#))
            }
            (Some("refresh_token"), Some(_)) => error("invalid_grant"),
            (Some("refresh_token") | None, _) => error("invalid_request"),
            (Some(_), _) => error("unsupported_grant_type"),
        }
    }
}

/// Request line, headers and body of the next request.
fn read(reader: &mut BufReader<&TcpStream>) -> Option<(String, String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let (mut headers, mut length) = (String::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|read| *read > 0)?;
        if header == "\r\n" {
            break;
        }
        if let Some(text) = header.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = text.trim().parse().ok()?;
        }
        headers.push_str(&header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((line, headers, body))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legal_server_that_states_as_little_as_it_may_raises_no_alarm() {
    let mut suite = shipped("oauth2");
    suite.policy = Policy::default();
    suite.checks.retain(|check| check.group == "oauth2");
    let dialect = dialect::builtin("oauth2").unwrap();
    let slots = [
        (Slot::Client, "web"),
        (Slot::ClientSecret, "secret"),
        (Slot::User, "someone"),
        (Slot::Secret, "a password of theirs"),
    ];
    let slots = slots.into_iter().map(|(slot, value)| (slot, Token::new(value))).collect();
    let identity = Arc::new(Identity { name: "own".to_owned(), slots });
    let mut ground = ground_at(&Minimal::start(), suite, &dialect, vec![identity]);
    ground.is_mock = false;
    let mut environment = suite::environment::Environment::clone(&ground.environment);
    environment.target = suite::environment::Target::Url(suite::call::Template::plain("http://127.0.0.1"));
    ground.environment = Arc::new(environment);
    let outcome = conformance::run(&ground, &[], &Narrator::silent(), &Stop::default()).await;
    assert!(outcome.gate.is_none(), "{:?}", outcome.gate);
    let mut passed = 0;
    for check in &outcome.checks {
        match &check.verdict {
            Verdict::Pass => passed += 1,
            Verdict::Skipped { reason } => assert!(!reason.is_empty()),
            other => panic!("{}: {other:?} {:?}", check.id, check.findings),
        }
    }
    assert!(passed >= 12, "{passed} passed");
}
