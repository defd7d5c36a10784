//! What each part of a request costs by itself: composing, writing, reading, recording, the ledger, the schedule.
//!
//! `cargo bench -p assay-benches`. The inputs are one refresh of the built-in mock, whole: a JWT of three hundred
//! bytes and an opaque token of forty-four. The figures of a whole request are `benches/peers`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use assay::chain::ledger::{BUDGET_BYTES, Issued, Ledger};
use assay::client::compose::{self, Slots};
use assay::client::guard::Guard;
use assay::client::http1::Reader;
use assay::client::{Answer, Client, Target, codec, reply};
use assay::dialect::{Dialect, builtin};
use assay::load::schedule::Schedule;
use assay::results::latency::Recorder;
use assay::secret::{FingerprintKey, Token};
use assay::suite::call::{Operation, Slot};
use assay::suite::profile::Stage;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const JSON: &str = include_str!("../answers/refresh.json");
const XML: &str = include_str!("../answers/refresh.xml");

fn pfms() -> Dialect {
    builtin("pfms").expect("it is built in")
}

/// What one refresh carries.
fn slots() -> Slots {
    let document = codec::read_json(JSON).expect("the sample is JSON");
    let text = |path: &str| match document.get(path) {
        Some(codec::Tree::Text(text)) => Token::new(text.as_str()),
        _ => panic!("the sample has no text at {path}"),
    };
    [
        (Slot::Tenant, Token::new("07")),
        (Slot::Secret, Token::new("mock-auth-07-56085377f8cbdbb8557a")),
        (Slot::Access, text("/RefreshTokenResponse/accessToken")),
        (Slot::Refresh, text("/RefreshTokenResponse/refreshToken")),
    ]
    .into_iter()
    .collect()
}

/// An answer as it stands on the wire.
fn wire(media: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nPragma: no-cache\r\nContent-Type: {media}; charset=utf-8\r\n\
         Expires: -1\r\nServer: Microsoft-IIS/10.0\r\nX-Aspnet-Version: 4.0.30319\r\nX-Powered-By: ASP.NET\r\n\
         Date: Mon, 23 Nov 2026 15:16:33 GMT\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The answer that those bytes are.
fn answer(bytes: &[u8]) -> Answer {
    let mut answer = Answer::empty();
    let mut reader = Reader::new(1 << 20);
    reader.start(false);
    reader.feed(bytes, &mut answer).expect("the sample is HTTP");
    answer
}

const SAMPLES: [(&str, &str, &str); 2] =
    [("json", "application/json", JSON), ("xml", "application/xml", XML)];

fn composing(criterion: &mut Criterion) {
    let (dialect, slots) = (pfms(), slots());
    let target = Target {
        url: "http://127.0.0.1:9".parse().expect("an address"),
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        body_max: 1 << 20,
    };
    let client = Client::new(target, Guard::exempt()).expect("no roots are needed");
    let mut group = criterion.benchmark_group("compose");
    for format in ["json", "xml", "form"] {
        let mut bytes = Vec::with_capacity(2048);
        group.bench_function(format, |bencher| {
            bencher.iter(|| {
                let draft = compose::good(dialect.refresh(), Some(format), None, black_box(&slots));
                let draft = draft.expect("the dialect has this format");
                bytes.clear();
                client.write_request(&draft.request(draft.body()), &mut bytes);
                black_box(bytes.len())
            });
        });
    }
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("http head and body");
    for (name, media, body) in SAMPLES {
        let bytes = wire(media, body);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let (mut reader, mut answer) = (Reader::new(1 << 20), Answer::empty());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                reader.start(false);
                reader.feed(black_box(&bytes), &mut answer)
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("document");
    group.throughput(Throughput::Bytes(JSON.len() as u64));
    group.bench_function("json", |bencher| bencher.iter(|| codec::read_json(black_box(JSON))));
    group.throughput(Throughput::Bytes(XML.len() as u64));
    group.bench_function("xml", |bencher| bencher.iter(|| codec::read_xml(black_box(XML))));
    group.finish();

    let dialect = pfms();
    let mut group = criterion.benchmark_group("reply with its tokens");
    for (name, media, body) in SAMPLES {
        let answer = Arc::new(answer(&wire(media, body)));
        group.bench_function(name, |bencher| {
            bencher.iter(|| reply::read(&dialect, Operation::Refresh, black_box(Arc::clone(&answer))));
        });
    }
    group.finish();
}

fn recording(criterion: &mut Criterion) {
    // Latencies as they come: no two alike, all in one part of the histogram.
    let latencies: Vec<Duration> =
        (0..4096_u64).map(|k| Duration::from_nanos(80_000 + k * 7919 % 40_000)).collect();
    criterion.bench_function("record into two histograms", |bencher| {
        let (mut response, mut service) = (Recorder::default(), Recorder::default());
        let mut next = latencies.iter().cycle();
        bencher.iter(|| {
            let latency = *next.next().expect("a cycle does not end");
            response.record(latency);
            service.record(latency);
        });
    });

    let mut group = criterion.benchmark_group("ledger");
    group.bench_function("a pair that is new", |bencher| {
        let mut number = 0_u64;
        let pair = |number: u64| (format!("{number:0>312}"), format!("{number:0>44}"));
        let mut ledger = Ledger::new(FingerprintKey::new(3, 5), BUDGET_BYTES);
        let next = || {
            number += 1;
            pair(number)
        };
        let mut enter = |(access, refresh): (String, String)| {
            ledger.enter(7, Issued { access: Some(&access), refresh: Some(&refresh), stranger: false });
        };
        bencher.iter_batched(next, &mut enter, BatchSize::SmallInput);
    });
    group.finish();
}

fn schedule(criterion: &mut Criterion) {
    let stage = |from, to| Stage { from, to, lasting: Duration::from_mins(1) };
    let ramp = Schedule::new(&[stage(50.0, 5000.0), stage(5000.0, 5000.0), stage(5000.0, 50.0)], None);
    criterion.bench_function("schedule: the moment of one arrival", |bencher| {
        let mut numbers = (0..ramp.total()).cycle();
        bencher.iter(|| ramp.nth(numbers.next().expect("a cycle does not end")));
    });
}

criterion_group!(micro, composing, reading, recording, schedule);
criterion_main!(micro);
