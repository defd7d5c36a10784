//! The pipeline against what real ASP.NET Web API answered, vector by vector, for both generations.
//!
//! `fixtures/golden/README.md` says how the vectors came about. Status, content headers and body are compared
//! byte for byte; texts of exceptions are the runtime's own and are not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use assay::dialect::builtin;
use assay::mock::webapi::quirks::Quirks;
use assay::mock::webapi::{HttpRequest, HttpResponse, Pipeline, echo};
use assay::mock::{Controller, MockOptions, MockServer};
use assay::suite::defect::Defect;
use assay::suite::environment::{Generation, MockSpec, Variant};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    case: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body_base64: Option<String>,
    status: u16,
    response_headers: Vec<(String, String)>,
    response_body_base64: Option<String>,
}

impl Vector {
    fn request(&self) -> HttpRequest {
        let mut headers: Vec<(String, Vec<u8>)> =
            self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        headers.push(("Host".to_owned(), b"h.example".to_vec()));
        let chunked = |(name, _): &(String, String)| name.eq_ignore_ascii_case("transfer-encoding");
        HttpRequest {
            method: self.method.clone(),
            target: self.target.clone(),
            headers,
            body: self.body_base64.as_deref().map(bytes).unwrap_or_default(),
            has_length: !self.headers.iter().any(chunked),
        }
    }
}

fn bytes(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).expect("the vectors are base64")
}

fn vectors(file: &str) -> Vec<Vector> {
    let path = format!("{}/tests/it/fixtures/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    text.lines().map(|line| serde_json::from_str(line).expect("each line is a vector")).collect()
}

/// The host that a vector was recorded on: the name of the case says what was configured.
fn host(generation: Generation, case: &str, defects: &[Defect]) -> Pipeline {
    let variants: &[Variant] = if case.starts_with("406 ") { &[Variant::NotAcceptable] } else { &[] };
    let mut pipeline = Pipeline::new(generation, echo::actions(), Quirks::new(defects, variants));
    pipeline.details = case.ends_with(" detail");
    pipeline.host_layer = false;
    pipeline
}

/// A body with the runtime's own texts taken out.
fn comparable(body: &[u8]) -> String {
    let text = readable(body);
    let text = hide_remarks(&text);
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(mut document)
            if document.get("ExceptionMessage").is_some() || document.get("ModelState").is_some() =>
        {
            hide_exception(&mut document);
            document.to_string()
        }
        _ => text,
    }
}

/// UTF-16 shown as text, everything else as bytes that no text can be mistaken for.
fn readable(body: &[u8]) -> String {
    match body {
        [0xFF, 0xFE, rest @ ..] => {
            let units: Vec<u16> = rest
                .chunks(2)
                .map(|pair| u16::from_le_bytes([pair[0], *pair.get(1).unwrap_or(&0)]))
                .collect();
            format!("UTF-16:{}", String::from_utf16_lossy(&units))
        }
        _ => body.utf8_chunks().fold(String::new(), |mut text, chunk| {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
            text
        }),
    }
}

/// Keeps the keys of the errors in `Remarks`.
fn hide_remarks(text: &str) -> String {
    for (open, close) in [("\"Remarks\":\"", "\",\"DateOfData\""), ("<Remarks>", "</Remarks>")] {
        let Some(start) = text.find(open).map(|at| at + open.len()) else { continue };
        let Some(end) = text[start..].find(close).map(|at| at + start) else { continue };
        let keys: Vec<&str> =
            text[start..end].split(" || ").map(|error| error.split('=').next().unwrap_or_default()).collect();
        return format!("{}{}{}", &text[..start], keys.join(" || "), &text[end..]);
    }
    text.to_owned()
}

fn hide_exception(document: &mut serde_json::Value) {
    for key in ["ExceptionMessage", "StackTrace"] {
        if let Some(text) = document.get_mut(key) {
            *text = "(hidden)".into();
        }
    }
    if let Some(state) = document.get_mut("ModelState").and_then(|state| state.as_object_mut()) {
        for text in state.values_mut().filter_map(|texts| texts.as_array_mut()).flatten() {
            *text = "(hidden)".into();
        }
    }
}

fn content_headers(headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> =
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    kept.sort();
    kept
}

fn differences(vector: &Vector, answer: &HttpResponse) -> Vec<String> {
    let mut found = Vec::new();
    if vector.status != answer.status {
        found.push(format!("status: {} is expected, got {}", vector.status, answer.status));
    }
    let (expected, got) = (content_headers(&vector.response_headers), content_headers(&answer.headers));
    if expected != got {
        found.push(format!("headers: expected {expected:?}\n              got {got:?}"));
    }
    let expected = comparable(&vector.response_body_base64.as_deref().map(bytes).unwrap_or_default());
    let got = comparable(&answer.body);
    if expected != got {
        found.push(format!("body: expected {expected}\n               got {got}"));
    }
    found
}

/// Every vector that is answered otherwise, with what differs.
fn replay(vectors: &[Vector], generation: Generation, defects: &[Defect]) -> Vec<String> {
    let mut report = Vec::new();
    for vector in vectors {
        let answer = host(generation, &vector.case, defects).serve(&vector.request(), &echo::answer);
        let found = differences(vector, &answer);
        if !found.is_empty() {
            report.push(format!("{}\n    {}", vector.case, found.join("\n    ")));
        }
    }
    report
}

fn must_agree(file: &str, generation: Generation, count: usize) {
    let vectors = vectors(file);
    assert_eq!(vectors.len(), count, "{file} is whole");
    let report = replay(&vectors, generation, &[]);
    assert!(report.is_empty(), "{} of {count} differ\n{}", report.len(), report.join("\n"));
}

#[test]
fn the_first_generation_answers_as_recorded() {
    must_agree("webapi1.jsonl", Generation::One, 135);
}

#[test]
fn the_second_generation_answers_as_recorded() {
    must_agree("webapi2.jsonl", Generation::Two, 165);
}

#[test]
fn the_generations_are_told_apart() {
    assert_eq!(replay(&vectors("webapi1.jsonl"), Generation::Two, &[]).len(), 12);
}

/// The controller that a vector was recorded on, by the name of its case.
fn controller(case: &str) -> Controller {
    if case.starts_with("406 ") {
        Controller::EchoNotAcceptable
    } else if case.ends_with(" detail") {
        Controller::EchoDetailed
    } else {
        Controller::Echo
    }
}

/// Sends a vector's request by a socket and reads the whole answer; headers of the web host are left out.
fn over_a_socket(address: &str, vector: &Vector) -> HttpResponse {
    let request = vector.request();
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    for (name, value) in &request.headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(format!("Content-Length: {}\r\nConnection: close\r\n\r\n", request.body.len()).bytes());
    bytes.extend(&request.body);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("the head has an end");
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    // The length is the server's framing; the vectors were recorded without one.
    let named = |name: &str| vector.response_headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let own = |name: &str| {
        let name = name.to_ascii_lowercase();
        named(&name) || name == "allow" || name.starts_with("content-") && name != "content-length"
    };
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    HttpResponse {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: headers.filter(|(n, _)| own(n)).map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        body: answer[end + 4..].to_vec(),
    }
}

#[test]
fn every_vector_is_answered_over_a_socket_as_recorded() {
    let controllers = [Controller::Echo, Controller::EchoNotAcceptable, Controller::EchoDetailed];
    for (file, webapi) in [("webapi1.jsonl", Generation::One), ("webapi2.jsonl", Generation::Two)] {
        let mut report = Vec::new();
        for served in controllers {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let server = MockServer::start(MockOptions {
                spec: MockSpec { webapi, ..MockSpec::default() },
                dialect: builtin("pfms").unwrap(),
                listen: any,
                control: any,
                controller: served,
                threads: 1,
            })
            .unwrap();
            let address = server.url().replace("http://", "");
            for vector in vectors(file).iter().filter(|vector| controller(&vector.case) == served) {
                let found = differences(vector, &over_a_socket(&address, vector));
                report.extend(found.iter().map(|found| format!("{}: {found}", vector.case)));
            }
        }
        assert!(report.is_empty(), "{file}\n{}", report.join("\n"));
    }
}

#[test]
fn one_wrong_byte_is_seen() {
    let vectors = vectors("webapi2.jsonl");
    for (defect, part) in [
        (Defect::XmlDeclarationOrder, "body:"),
        (Defect::CharsetMislabelled, "headers:"),
        (Defect::NoAllow, "headers:"),
        (Defect::PutRefreshes, "status:"),
        (Defect::BomBreaks, "model"),
    ] {
        let report = replay(&vectors, Generation::Two, &[defect]);
        assert!(report.iter().any(|found| found.contains(part)), "{}: {report:?}", defect.word());
    }
}
