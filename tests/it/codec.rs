//! The HTTP/1.1 codec against hyper's: the same verdict on every stream of bytes, or a difference with a name.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeMap;

use assay::client::http1::{HEAD_MAX, HEADERS_MAX, INFORMATIONAL_MAX, Reader};
use assay::client::{Answer, Failure};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use proptest::prelude::{ProptestConfig, any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const STREAMS: u64 = 100_000;

/// Streams are numbered from here; a stream's number is its seed.
const FIRST_SEED: u64 = 1_000_000;

const BODY_MAX: usize = 100_000;

/// What a client is asked to read: the answer to a GET or a HEAD, then the end of the connection.
#[derive(Debug)]
struct Stream {
    head: bool,
    bytes: Vec<u8>,
}

type Verdict = Result<(u16, Vec<u8>), Failure>;

// Differences

/// A difference that is meant: ours is stricter, never more forgiving.
struct Difference {
    reason: &'static str,
    explains: fn(&Stream, Failure) -> bool,
}

/// Every reason for which ours refuses what hyper takes.
const DIFFERENCES: &[Difference] = &[
    Difference {
        reason: "bytes are left after the answer: hyper leaves that to the next request",
        explains: |_, failure| failure == Failure::TrailingBytes,
    },
    Difference {
        reason: "a length and chunked both: hyper prefers chunked",
        explains: |stream, failure| {
            failure == Failure::AmbiguousLength
                && stream.has("content-length")
                && stream.has("transfer-encoding")
        },
    },
    Difference {
        reason: "a transfer coding other than chunked, or several: hyper reads the coded bytes",
        explains: |stream, failure| failure == Failure::NotHttp && stream.has("transfer-encoding"),
    },
    Difference {
        reason: "101 without having asked to upgrade: hyper hands the connection over",
        explains: |stream, failure| failure == Failure::NotHttp && stream.has(" 101"),
    },
    Difference {
        reason: "line ends before the status line: hyper skips them",
        explains: |stream, failure| failure == Failure::NotHttp && stream.has_blank_line_before_a_head(),
    },
    Difference {
        reason: "more than 16 informational answers: hyper skips any number",
        explains: |_, failure| failure == Failure::EndlessInformational,
    },
    Difference {
        reason: "a head beyond 64 KiB: hyper's limit is higher",
        explains: |stream, failure| failure == Failure::OversizedHead && stream.bytes.len() >= HEAD_MAX,
    },
    Difference {
        reason: "a bare line feed among the trailers: hyper counts lines and chunks differently",
        explains: |stream, failure| {
            failure == Failure::BrokenChunks && stream.has_bare_line_feed_in_trailers()
        },
    },
    Difference {
        reason: "a body beyond the limit: hyper has none",
        explains: |stream, failure| failure == Failure::OversizedBody && stream.bytes.len() > BODY_MAX,
    },
];

impl Stream {
    fn has(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.bytes).to_ascii_lowercase().contains(text)
    }

    fn has_bare_line_feed_in_trailers(&self) -> bool {
        let is_empty_chunk = |pair: &[u8]| pair[0] == b'0' && matches!(pair[1], b'\r' | b';' | b' ' | b'\t');
        let mut pairs = self.bytes.windows(2).enumerate();
        pairs.any(|(at, pair)| is_empty_chunk(pair) && has_bare_line_feed(&self.bytes[at..]))
    }

    fn has_blank_line_before_a_head(&self) -> bool {
        let text = String::from_utf8_lossy(&self.bytes).replace('\r', "");
        self.bytes.starts_with(b"\r") || text.starts_with('\n') || text.contains("\n\n\nHTTP")
    }
}

/// Where an empty chunk may stand, a line feed without carriage return before the next empty line.
fn has_bare_line_feed(trailers: &[u8]) -> bool {
    let end = trailers.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(trailers.len());
    trailers[..end].windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r')
}

// The two parties

/// Our verdict when the stream comes in pieces that end at `cuts`.
fn ours(stream: &Stream, cuts: &[usize]) -> Verdict {
    let mut reader = Reader::new(BODY_MAX);
    reader.start(stream.head);
    let mut answer = Answer::empty();
    let (mut used, mut seen) = (0, 0);
    for &cut in cuts.iter().chain([&stream.bytes.len()]) {
        seen = cut.clamp(seen, stream.bytes.len());
        let given = &stream.bytes[used..seen];
        let taken = reader.feed(given, &mut answer)?;
        assert!(taken <= given.len(), "it takes more than it is given");
        used += taken;
    }
    reader.close()?;
    Ok((answer.status, answer.body))
}

/// hyper's verdict; why it refuses does not matter.
async fn theirs(stream: &Stream) -> Option<(u16, Vec<u8>)> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await.unwrap();
    let connection = tokio::spawn(connection);
    let server = tokio::spawn(play(far, stream.bytes.clone()));
    let method = if stream.head { "HEAD" } else { "GET" };
    let request = hyper::Request::builder().method(method).uri("/").body(Empty::<&[u8]>::new()).unwrap();
    let verdict = match sender.send_request(request).await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            answer.into_body().collect().await.ok().map(|body| (status, body.to_bytes().to_vec()))
        }
        Err(_) => None,
    };
    connection.abort();
    server.abort();
    verdict
}

async fn play(mut far: tokio::io::DuplexStream, bytes: Vec<u8>) {
    let mut request = [0; 1024];
    let asked = far.read(&mut request).await.unwrap();
    assert!(asked > 0);
    drop(far.write_all(&bytes).await);
}

#[test]
fn the_verdict_is_hypers_or_the_difference_is_listed() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut counts, mut unexplained) = (BTreeMap::new(), Vec::new());
    let (mut taken, mut refused) = (0, 0);
    for seed in FIRST_SEED..FIRST_SEED + STREAMS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let stream = stream(&mut rng);
        let whole = ours(&stream, &[]);
        let cuts = cuts(&mut rng, stream.bytes.len());
        assert_eq!(whole, ours(&stream, &cuts), "seed {seed}: cut at {cuts:?} it reads otherwise");
        let theirs = runtime.block_on(theirs(&stream));
        match (&theirs, &whole) {
            (Some(theirs), Ok(ours)) if theirs == ours => taken += 1,
            (None, Err(_)) => refused += 1,
            _ => match reason(&stream, &whole, theirs.is_some()) {
                Some(reason) => *counts.entry(reason).or_insert(0) += 1,
                None => unexplained
                    .push(format!("seed {seed}: hyper {theirs:?}, ours {whole:?}\n{}", shown(&stream))),
            },
        }
    }
    println!("{STREAMS} streams from seed {FIRST_SEED}: {taken} taken by both, {refused} refused by both");
    for (reason, count) in &counts {
        println!("{count:6} {reason}");
    }
    let first = unexplained.iter().take(8).map(String::as_str).collect::<Vec<_>>();
    assert!(
        unexplained.is_empty(),
        "{} differences without a reason:\n{}",
        unexplained.len(),
        first.join("\n")
    );
    // A generator that makes only good or only bad streams would prove nothing.
    assert!(taken > STREAMS / 5 && refused > STREAMS / 5);
    assert_eq!(counts.len(), DIFFERENCES.len(), "every listed difference is seen");
}

fn reason(stream: &Stream, ours: &Verdict, taken_by_hyper: bool) -> Option<&'static str> {
    let failure = (*ours).as_ref().err().filter(|_| taken_by_hyper)?;
    DIFFERENCES.iter().find(|listed| (listed.explains)(stream, *failure)).map(|listed| listed.reason)
}

fn shown(stream: &Stream) -> String {
    format!("HEAD {}: {}", stream.head, stream.bytes[..stream.bytes.len().min(600)].escape_ascii())
}

fn cuts(rng: &mut impl Rng, length: usize) -> Vec<usize> {
    let mut cuts: Vec<usize> = (0..rng.random_range(1..4)).map(|_| rng.random_range(0..=length)).collect();
    cuts.sort_unstable();
    cuts
}

// The generator

/// An answer by the grammar, then up to three mutations of its bytes.
fn stream(rng: &mut ChaCha8Rng) -> Stream {
    let mut bytes = Vec::new();
    for _ in 0..informational_count(rng) {
        bytes.extend_from_slice(
            pick(rng, &["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 X\r\nA: b\r\n\r\n"]).as_bytes(),
        );
    }
    let head = rng.random_ratio(1, 12);
    let bodiless = status_line(rng, &mut bytes) || head;
    noise(rng, &mut bytes);
    let body = framed_body(rng, &mut bytes);
    if !bodiless || rng.random_ratio(1, 4) {
        bytes.extend_from_slice(&body);
    }
    if rng.random_ratio(2, 5) {
        for _ in 0..rng.random_range(1..=3) {
            mutate(rng, &mut bytes);
        }
    }
    Stream { head, bytes }
}

fn pick<'a>(rng: &mut impl Rng, words: &[&'a str]) -> &'a str {
    words[rng.random_range(0..words.len())]
}

fn informational_count(rng: &mut impl Rng) -> u32 {
    match rng.random_range(0..400) {
        0 => rng.random_range(INFORMATIONAL_MAX - 1..=INFORMATIONAL_MAX + 2),
        1..40 => rng.random_range(1..3),
        _ => 0,
    }
}

/// Whether the status has no body.
fn status_line(rng: &mut impl Rng, bytes: &mut Vec<u8>) -> bool {
    let good = rng.random_ratio(9, 10);
    let version = match rng.random_range(0..20) {
        0..17 => "HTTP/1.1",
        17 | 18 => "HTTP/1.0",
        _ => pick(rng, &["HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1.1", "HTTP/11", "ICY", "HTTP/0.9"]),
    };
    let status = if good {
        pick(
            rng,
            &["200", "200", "200", "201", "204", "304", "400", "401", "415", "500", "503", "600", "999"],
        )
    } else {
        pick(rng, &["101", "099", "000", "20", "2000", "2OO", "-20", "1000", "", " 200", "100"])
    };
    let reason = match rng.random_range(0..30) {
        0 => pick(rng, &[" a\u{7f}", "\tOK", " \0", "OK", " a\rb"]),
        _ => pick(rng, &[" OK", " OK", " ", "", " Not \t So", " \u{e9}", "  "]),
    };
    bytes.extend_from_slice(format!("{version} {status}{reason}\r\n").as_bytes());
    matches!(status, "204" | "304")
}

/// Headers that have nothing to do with framing, or little.
fn noise(rng: &mut impl Rng, bytes: &mut Vec<u8>) {
    const LINES: &[&str] = &[
        "Server: x\r\n",
        "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n",
        "Connection: close\r\n",
        "Connection: keep-alive, foo\r\n",
        "X:y\r\n",
        "X:\r\n",
        "X: \t \r\n",
        "Set-Cookie: a=b; c\r\n",
        "Upgrade: h2c\r\n",
        "X: \u{e9}\u{fffd}\r\n",
    ];
    const ODD: &[&str] = &[
        "X : y\r\n",
        " X: y\r\n",
        "X: a\r\n b\r\n",
        "no colon\r\n",
        ": no name\r\n",
        "X(: y\r\n",
        "X: a\0b\r\n",
        "X: a\rb\r\n",
        "X: y\n",
        "\u{e9}: y\r\n",
        "Trailer: X\r\n",
    ];
    for _ in 0..rng.random_range(0..4) {
        bytes.extend_from_slice(pick(rng, LINES).as_bytes());
    }
    match rng.random_range(0..600) {
        0..40 => bytes.extend_from_slice(pick(rng, ODD).as_bytes()),
        40 => bytes.extend_from_slice(format!("X: {}\r\n", "x".repeat(HEAD_MAX)).as_bytes()),
        41 | 42 => {
            let count = rng.random_range(HEADERS_MAX - 4..HEADERS_MAX + 2);
            bytes.extend_from_slice("X: y\r\n".repeat(count).as_bytes());
        }
        _ => {}
    }
}

/// Ends the head with a framing and makes the body that it announces, or another one.
fn framed_body(rng: &mut impl Rng, bytes: &mut Vec<u8>) -> Vec<u8> {
    const LENGTHS: &[&str] = &[
        "+5",
        "-1",
        "",
        " ",
        "5,5",
        "5, 5",
        "5, 6",
        "5,",
        "0005",
        "0x5",
        "5.0",
        "5 5",
        "1e3",
        "\t5\t",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999",
        "2147483648",
    ];
    const CODINGS: &[&str] = &[
        "gzip",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "Chunked",
        "CHUNKED ",
        "identity",
        "chunked;q=1",
        "xchunked",
        "chunked,",
        ", chunked",
        "",
    ];
    let data = data(rng);
    let length = data.len();
    let mut say = |line: String| bytes.extend_from_slice(line.as_bytes());
    let body = match rng.random_range(0..20) {
        0..6 => {
            say(format!(
                "{}: {length}\r\n",
                pick(rng, &["Content-Length", "content-length", "CONTENT-LENGTH"])
            ));
            data
        }
        6..12 => {
            say("Transfer-Encoding: chunked\r\n".to_owned());
            chunked(rng, &data)
        }
        12 | 13 => data,
        14 => {
            say(format!("Content-Length: {}\r\n", (length + 3).saturating_sub(rng.random_range(0..7))));
            data
        }
        15 => {
            let other = length + rng.random_range(0..2);
            say(format!("Content-Length: {length}\r\nX: y\r\nContent-Length: {other}\r\n"));
            data
        }
        16 => {
            say(format!("Content-Length: {}\r\n", pick(rng, LENGTHS)));
            b"hello".to_vec()
        }
        17 => {
            say(format!("Transfer-Encoding: {}\r\n", pick(rng, CODINGS)));
            chunked(rng, &data)
        }
        18 => {
            say(format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"));
            chunked(rng, &data)
        }
        _ => {
            say("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".to_owned());
            chunked(rng, &data)
        }
    };
    bytes.extend_from_slice(b"\r\n");
    body
}

fn data(rng: &mut impl Rng) -> Vec<u8> {
    let length = match rng.random_range(0..300) {
        0 => rng.random_range(BODY_MAX - 2..BODY_MAX + 3),
        1..10 => rng.random_range(0..9000),
        _ => rng.random_range(0..60),
    };
    let letters = b"abc {}\":\r\n0\xff";
    (0..length).map(|at| letters[(at * 7 + at / 5) % letters.len()]).collect()
}

fn chunked(rng: &mut impl Rng, data: &[u8]) -> Vec<u8> {
    const EXTENSIONS: &[&str] =
        &[";a", ";a=b", "; a=\"b;c\"", " ", "\t ;x", " ;", ";\n", ";a\rb", " x", "\0"];
    const LAST: &[&str] = &[
        "0\r\n\r\n",
        "0\r\n\r\n",
        "0\r\n\r\n",
        "000\r\n\r\n",
        "0;x=y\r\n\r\n",
        "0\r\nX: y\r\n\r\n",
        "0\r\nA: b\r\nC:d\r\n\r\n",
        "0\r\nno colon\r\n\r\n",
        "0\r\n",
        "",
        "0\n\n",
        "0\r\n\n",
        "0\r\nX: y\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\n\r\r\n",
        "0\r\nContent-Length: 5\r\n\r\n",
        "0\r\nX: y\r\n",
        "0\r\n\rX",
        "0\r\n X: y\r\n\r\n",
        "0\r\nX: y\r\n z\r\n\r\n",
    ];
    let mut bytes = Vec::new();
    let size = rng.random_range(1..40) + data.len() / 8;
    for piece in data.chunks(size) {
        let length = piece.len();
        bytes.extend_from_slice(
            match rng.random_range(0..60) {
                0 => format!("{length:X}"),
                1 => format!("000{length:x}"),
                2 => format!("{:x}", length + 1),
                3 => format!("fffffffffffffff{length:x}"),
                4 => format!("0x{length:x}"),
                5 => format!(" {length:x}"),
                _ => format!("{length:x}"),
            }
            .as_bytes(),
        );
        if rng.random_ratio(1, 15) {
            bytes.extend_from_slice(pick(rng, EXTENSIONS).as_bytes());
        }
        bytes.extend_from_slice(if rng.random_ratio(1, 80) { b"\n" } else { b"\r\n" });
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(if rng.random_ratio(1, 80) { b"\n" } else { b"\r\n" });
    }
    if rng.random_ratio(1, 400) {
        let long = rng.random_range(16_000..17_000);
        bytes.extend_from_slice(format!("1;{}\r\nx\r\n", "e".repeat(long)).as_bytes());
    }
    let last = if rng.random_ratio(3, 4) { "0\r\n\r\n" } else { pick(rng, LAST) };
    bytes.extend_from_slice(last.as_bytes());
    bytes
}

fn mutate(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>) {
    const INSERTED: &[&str] =
        &["\r", "\n", "\r\n", "\0", " ", ":", "\t", "\u{7f}", "0", "9", ",", ";", "H", "\r\n\r\n"];
    if bytes.is_empty() {
        return;
    }
    // Most of what matters stands near the beginning.
    let near = bytes.len().min(if rng.random_bool(0.7) { 120 } else { usize::MAX });
    let at = rng.random_range(0..near);
    let end = (at + rng.random_range(1..8)).min(bytes.len());
    match rng.random_range(0..9) {
        0 => bytes[at] ^= 1 << rng.random_range(0..8),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let again = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, again));
        }
        3 => drop(bytes.splice(at..at, pick(rng, INSERTED).bytes())),
        4 => bytes.truncate(rng.random_range(0..=bytes.len())),
        5 => bare_line_ends(rng, bytes),
        6 => bytes.extend_from_slice(
            pick(rng, &["\r\n", "x", "HTTP/1.1 200 OK\r\n\r\n", "\0", "0\r\n\r\n"]).as_bytes(),
        ),
        7 => drop(bytes.splice(0..0, pick(rng, &["\r\n", "\n", " ", "\r", "\u{feff}"]).bytes())),
        _ => bytes[at] = rng.random(),
    }
}

/// Every line end, or one in three, loses its carriage return.
fn bare_line_ends(rng: &mut impl Rng, bytes: &mut Vec<u8>) {
    let every = rng.random_bool(0.5);
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(2).position(|pair| pair == b"\r\n") {
        at += found + 1;
        if every || rng.random_ratio(1, 3) {
            bytes.remove(at - 1);
        }
    }
}

// Properties

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_panic_and_alike_in_any_pieces(
        head in any::<bool>(),
        beginning in 0..4_usize,
        rest in prop::collection::vec(any::<u8>(), 0..300),
        cuts in prop::collection::vec(0..400_usize, 0..5),
    ) {
        const BEGINNINGS: [&[u8]; 4] = [
            b"",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        ];
        let stream = Stream { head, bytes: [BEGINNINGS[beginning], &rest].concat() };
        prop_assert_eq!(ours(&stream, &[]), ours(&stream, &cuts));
    }

    #[test]
    fn an_answer_by_the_grammar_reads_alike_wherever_it_is_cut(seed in any::<u64>()) {
        let stream = stream(&mut ChaCha8Rng::seed_from_u64(seed));
        let whole = ours(&stream, &[]);
        let step = (stream.bytes.len() / 60).max(1);
        for cut in (0..=stream.bytes.len()).step_by(step) {
            prop_assert!(whole == ours(&stream, &[cut]), "cut at {}", cut);
        }
        let short = stream.bytes.len() < 400;
        let every: Vec<usize> = (0..if short { stream.bytes.len() } else { 0 }).collect();
        prop_assert_eq!(whole, ours(&stream, &every));
    }
}
