//! Every reader of foreign bytes against mutated ones: no panic, no growth without bound.
//!
//! What an endpoint sends is read by the first rows, what a user writes by the last. A short turn in every run of
//! the tests, a long one where `--ignored` asks for it; `ASSAY_PARSER_SECONDS` says how long.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use assay::client::http1::{HEADERS_MAX, Reader};
use assay::client::reply::{self, dates, jwt};
use assay::client::{Answer, codec};
use assay::dialect::{self, DateFormat, Zone, builtin};
use assay::results::file;
use assay::source::SourceFile;
use assay::suite;
use assay::suite::call::Operation;
use assay::suite::claim::{Field, FieldPlace};
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Seeds every input; printed with the counts.
const SEED: u64 = 7;

/// No input is larger.
const INPUT_MAX: usize = 64 * 1024;

/// No reader keeps more than this of all that it was given.
const GROWTH_MAX_KB: u64 = 400 * 1024;

/// A body's limit in these tests.
const BODY_MAX: usize = 100_000;

/// A reader, and what is right for it.
struct Parser {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    read: Box<Reading>,
}

/// Reads bytes; what else it needs it makes with the dice.
type Reading = dyn Fn(&[u8], &mut ChaCha8Rng);

fn parser(name: &'static str, seeds: &[&str], read: impl Fn(&[u8], &mut ChaCha8Rng) + 'static) -> Parser {
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    Parser { name, seeds, read: Box::new(read) }
}

fn of_text(name: &'static str, seeds: &[&str], read: impl Fn(&str) + 'static) -> Parser {
    parser(name, seeds, move |bytes, _| read(&String::from_utf8_lossy(bytes)))
}

const JSON: &str = r#"{"AckCode":"00","RefreshTokenResponse":{"accessToken":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln","refreshToken":"r+/=","created":"2026-06-01T10:00:00Z","expires":"/Date(1714979289123+0530)/","isSuccess":"true","errorCode":null},"DateOfData":"01-06-2026 10:00:00","n":[1,-2.5e3,true,{"é":"😀"}]}"#;
const XML: &str = r#"<?xml version="1.0" encoding="utf-8"?><ResponseModelRefreshToken xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/BLL.PFMS"><AckCode>00</AckCode><DateOfData i:nil="true" /><RefreshTokenResponse><accessToken>a&amp;b</accessToken><isSuccess>true</isSuccess><refreshToken><![CDATA[r]]></refreshToken></RefreshTokenResponse><!--c--><Remarks>&#x41;</Remarks></ResponseModelRefreshToken>"#;
const OAUTH: &str = r#"{"access_token":"eyJhbGciOiJub25lIn0.eyJleHAiOjE3fQ.","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"a b"}"#;
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nSet-Cookie: a=b; Path=/; HttpOnly\r\nRetry-After: 3\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5;x=y\r\nhello\r\n3\r\nabc\r\n0\r\nX-Trailer: a\r\n\r\n";
const DATES: [&str; 6] = [
    "2026-06-01T10:00:00.1234567+05:30",
    "/Date(1714979289123-0530)/",
    "1714979289",
    "31-12-2026 23:59:59",
    "12/31/2026 11:59:59 PM",
    "Mon, 23 Nov 2026 12:00:00 GMT",
];

/// Bytes that mean something somewhere.
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\x1b",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"<",
    b">",
    b"</",
    b"/>",
    b"<!--",
    b"<![CDATA[",
    b"&#0;",
    b"&#x110000;",
    b"&x;",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b":",
    b",",
    b"; ",
    b"=",
    b".",
    b"-",
    b"9",
    b"99999999999999999999",
    b"1e400",
    b"-0",
    b"Content-Length: 18446744073709551616\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"ffffffffffffffff\r\n",
    b"0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"+14:00",
    b"Z",
    b"/Date(",
    b")/",
    b"$",
    b"${",
    b"&a",
    b"*a",
    b"!!x",
    b"- ",
    b"  ",
    b"\t",
    b"|",
    b"%",
    b"\xc3\xa9",
];

fn answer(bytes: &[u8], dice: &mut ChaCha8Rng) -> Answer {
    const LABELS: [&[u8]; 8] = [
        b"application/json; charset=utf-8",
        b"text/xml",
        b"application/xml; charset=utf-16",
        b"text/html; charset=iso-8859-1",
        b"application/problem+json",
        b"application/json; charset=\"x",
        b";;;=",
        b"",
    ];
    let label = LABELS[dice.random_range(0..LABELS.len())].to_vec();
    let cookie = bytes.get(..bytes.len().min(200)).unwrap_or_default().to_vec();
    let date = DATES[5].as_bytes().to_vec();
    Answer {
        status: [200, 400, 401, 500][dice.random_range(0..4)],
        reason: String::new(),
        headers: vec![
            ("Content-Type".to_owned(), label),
            ("Set-Cookie".to_owned(), cookie),
            ("Date".to_owned(), date),
        ],
        body: bytes.to_vec(),
    }
}

/// Everything that a judge asks of an answer.
fn read_answer(dialect: &dialect::Dialect, bytes: &[u8], dice: &mut ChaCha8Rng) {
    let answer = Arc::new(answer(bytes, dice));
    let now = "2026-06-01T10:00:00Z".parse().unwrap();
    for operation in [Operation::Refresh, Operation::Login, Operation::Probe] {
        let reply = reply::read(dialect, operation, Arc::clone(&answer));
        let _ = reply.text();
        for (field, _) in Field::ALL {
            let place = FieldPlace::Field(field);
            drop(reply.at(dialect, operation, &place));
            drop(reply.token(dialect, operation, field));
            drop(reply.moment(dialect, operation, &place, now));
            drop(reply.at(dialect, operation, &FieldPlace::Claim(field, "exp".to_owned())));
            drop(reply.at(dialect, operation, &FieldPlace::Jose(field, "alg".to_owned())));
        }
        drop(reply.at(dialect, operation, &FieldPlace::Cookie("a".to_owned())));
        drop(reply.at(dialect, operation, &FieldPlace::Header("Set-Cookie".to_owned())));
        drop(reply.at(dialect, operation, &FieldPlace::Path("/RefreshTokenResponse/created".to_owned())));
    }
}

/// In pieces of any size, as a network brings them.
fn read_http(bytes: &[u8], dice: &mut ChaCha8Rng) {
    let mut reader = Reader::new(BODY_MAX);
    reader.start(dice.random_range(0..8) == 0);
    reader.expect_more(dice.random_range(0..4) == 0);
    let mut answer = Answer::empty();
    let mut waiting: Vec<u8> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let size = dice.random_range(1..=rest.len());
        waiting.extend_from_slice(&rest[..size]);
        rest = &rest[size..];
        match reader.feed(&waiting, &mut answer) {
            Ok(used) => drop(waiting.drain(..used)),
            Err(_) => break,
        }
        assert!(answer.body.len() <= BODY_MAX && answer.headers.len() <= HEADERS_MAX);
    }
    let _ = reader.close();
}

fn read_date(text: &str) {
    let patterns = ["dd-MM-yyyy HH:mm:ss", "MM/dd/yyyy hh:mm:ss tt", "yyyyMMddHHmmssfff"];
    let patterns = patterns.map(|pattern| DateFormat::Pattern(pattern.to_owned()));
    for format in [DateFormat::Iso, DateFormat::Dotnet, DateFormat::Epoch].iter().chain(&patterns) {
        drop(dates::read(text, format, &Zone::Unknown));
        drop(dates::read(text, format, &Zone::Fixed(19_800)));
    }
    let _ = dates::http_date(text);
}

fn parsers() -> Vec<Parser> {
    let (pfms, oauth) = (builtin("pfms").unwrap(), builtin("oauth2").unwrap());
    let file = |path: &str| std::fs::read_to_string(path).unwrap();
    let (suite_text, checks) = (file("suites/pfms.yaml"), file("suites/catalogue/errors.yaml"));
    let (dialect_text, run) = (file("suites/dialects/oauth2.yaml"), file("tests/it/fixtures/run-good.json"));
    vec![
        parser("HTTP/1.1 heads, bodies and chunks", &[HEAD, CHUNKED], read_http),
        of_text("JSON", &[JSON, OAUTH], |text| drop(codec::read_json(text))),
        of_text("XML", &[XML], |text| drop(codec::read_xml(text))),
        parser("answers of pfms", &[JSON, XML], move |bytes, dice| read_answer(&pfms, bytes, dice)),
        parser("answers of oauth2", &[OAUTH], move |bytes, dice| read_answer(&oauth, bytes, dice)),
        of_text("JWT", &["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "e30.e30."], |text| {
            drop(jwt::read(text, jwt::Part::Header));
            drop(jwt::read(text, jwt::Part::Claims));
        }),
        of_text("dates", &DATES, read_date),
        of_text("suites", &[&suite_text], |text| drop(suite::parse(&SourceFile::new("s", text)))),
        of_text("checks", &[&checks], |text| drop(suite::parse_checks("own", &SourceFile::new("c", text)))),
        of_text("dialects", &[&dialect_text], |text| drop(dialect::parse(&SourceFile::new("d", text)))),
        of_text("run files", &[&run], |text| drop(file::read(text))),
    ]
}

/// One to four damages.
fn mutated(seeds: &[Vec<u8>], dice: &mut ChaCha8Rng) -> Vec<u8> {
    let mut input = seeds[dice.random_range(0..seeds.len())].clone();
    for _ in 0..=dice.random_range(0..4) {
        let length = input.len();
        let at = dice.random_range(0..=length);
        let end = (at + dice.random_range(0..64)).min(length);
        match dice.random_range(0..8) {
            0 if at < length => input[at] ^= 1 << dice.random_range(0..8),
            1 if at < length => input[at] = dice.next_u32().to_le_bytes()[0],
            2 => drop(input.drain(at..end)),
            3 => input.truncate(at),
            4 => {
                let row = input[at..end].repeat(dice.random_range(1..200));
                input.splice(at..at, row);
            }
            5 => {
                let other = &seeds[dice.random_range(0..seeds.len())];
                let from = dice.random_range(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                let piece = PIECES[dice.random_range(0..PIECES.len())];
                let times = [1, 1, 1, 1, 2, 600][dice.random_range(0..6)];
                input.splice(at..at, piece.repeat(times));
            }
        }
        input.truncate(INPUT_MAX);
    }
    input
}

/// The most memory that this process ever had, in kilobytes.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Inputs that were read; each parser reads the same ones in every run, as far as the time goes.
#[expect(clippy::print_stdout, reason = "seed and counts are what the test is run for")]
fn torment(time: Duration) -> u64 {
    let _alone = super::alone();
    let mut all = 0;
    for parser in parsers() {
        let mut dice = ChaCha8Rng::seed_from_u64(SEED);
        let (began, before) = (Instant::now(), peak_kb());
        for seed in &parser.seeds {
            (parser.read)(seed, &mut dice);
        }
        let mut count = 0;
        while began.elapsed() < time {
            let input = mutated(&parser.seeds, &mut dice);
            (parser.read)(&input, &mut dice);
            count += 1;
        }
        let grown = peak_kb().saturating_sub(before);
        println!("{count:>10} inputs, seed {SEED}, {grown:>7} kB more at the peak: {}", parser.name);
        assert!(grown < GROWTH_MAX_KB, "{} took {grown} kB", parser.name);
        all += count;
    }
    println!("{all:>10} inputs in all");
    all
}

#[test]
fn no_reader_falls_over_a_mutated_input() {
    assert!(torment(Duration::from_millis(400)) > 0);
}

#[test]
#[ignore = "20 s for each reader"]
fn no_reader_falls_over_a_million_mutated_inputs() {
    let seconds = std::env::vars().find(|(name, _)| name == "ASSAY_PARSER_SECONDS");
    let seconds = seconds.and_then(|(_, value)| value.parse().ok()).unwrap_or(20);
    torment(Duration::from_secs(seconds));
}
