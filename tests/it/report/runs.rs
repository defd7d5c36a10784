//! Runs as engines make them, as literals: a good one, and one for each way in which a run is not good.

#![expect(
    clippy::assigning_clones,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "fixtures are read more often than run, and their figures are small"
)]

use std::time::Duration;

use assay::results::latency::Histogram;
use assay::results::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};
use indexmap::IndexMap;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use Strength::{Must, Should};

/// Group, id, severity, title, basis.
type Row = (&'static str, &'static str, Strength, &'static str, &'static str);

#[rustfmt::skip]
const CATALOGUE: &[Row] = &[
    ("format", "FMT-01", Must, "A JSON request is answered in strict JSON", "page"),
    ("format", "FMT-02", Must, "A text/json request is read", "page"),
    ("format", "FMT-03", Must, "An application/xml request in the documented order is read and answered in XML", "page"),
    ("format", "FMT-04", Must, "A text/xml request is read", "page"),
    ("format", "FMT-05", Must, "A form request is read, percent escapes included", "page"),
    ("format", "FMT-06", Must, "Accept text/json is answered as text/json", "page"),
    ("format", "FMT-07", Must, "Accept text/xml is answered as text/xml", "page"),
    ("format", "FMT-08", Must, "Every request type works with every response type", "page"),
    ("format", "FMT-09", Should, "Without Accept the answer mirrors the type of the request", "aspnet: A.4"),
    ("format", "FMT-10", Should, "A form request without Accept is answered in JSON", "aspnet: A.4"),
    ("format", "FMT-11", Should, "Accept */* is answered in a listed type", "aspnet: A.4, rfc: 9110 12.5.1"),
    ("format", "FMT-12", Should, "Quality values are honored", "aspnet: A.4, rfc: 9110 12.5.1"),
    ("format", "FMT-13", Should, "A tie between two types is always decided the same way", "aspnet: A.4"),
    ("format", "FMT-14", Should, "A type with q=0 is not served while another is accepted", "aspnet: A.4, rfc: 9110 12.5.1"),
    ("format", "FMT-15", Must, "An Accept that cannot be met is met with a listed type, or refused cleanly", "aspnet: A.4, page"),
    ("format", "FMT-16", Should, "A wrong charset label is never half-read", "aspnet: A.3"),
    ("format", "FMT-17", Should, "The Content-Type is compared without case", "aspnet: A.2, rfc: 9110 8.3.1"),
    ("format", "FMT-18", Should, "An unsupported Content-Type is refused", "aspnet: A.2"),
    ("format", "FMT-19", Should, "A body without Content-Type is refused", "aspnet: A.2"),
    ("format", "FMT-20", Should, "Error documents obey Accept as well", "aspnet: A.2"),
    ("format", "FMT-21", Must, "The declared charset is the one the bytes are in", "page, practice"),
    ("format", "FMT-22", Should, "A UTF-16 request is read or refused, and a UTF-16 answer says so", "aspnet: A.3"),
    ("format", "FMT-23", Should, "A byte order mark before the document does no harm", "aspnet: A.3"),
    ("schema", "SCH-01", Must, "The envelope has exactly the documented members", "page"),
    ("schema", "SCH-02", Must, "Every documented member is there, at every depth", "page"),
    ("schema", "SCH-03", Must, "Values are of their documented kinds", "page"),
    ("schema", "SCH-04", Must, "The inner object is one object", "page"),
    ("schema", "SCH-05", Must, "The XML root and its namespace are the documented ones", "page"),
    ("schema", "SCH-06", Must, "XML elements stand in the documented order", "page"),
    ("schema", "SCH-07", Should, "Null in XML is nil, never text", "aspnet: A.7"),
    ("schema", "SCH-08", Should, "JSON and XML carry the same data in the same form", "page, aspnet: A.6"),
    ("schema", "SCH-09", Must, "A refusal keeps a known shape", "page, practice"),
    ("schema", "SCH-10", Should, "JSON members keep their order", "aspnet: A.6"),
    ("schema", "SCH-11", Must, "No member name occurs twice, whatever its case", "page, rfc: 8259 4"),
    ("schema", "SCH-12", Must, "Answers and tokens survive every transport", "practice, aspnet: A.7"),
    ("success", "SUC-01", Must, "A grant carries its tokens", "page"),
    ("success", "SUC-02", Must, "The status layers agree, on success and on failure", "practice"),
    ("success", "SUC-03", Should, "A grant carries no error", "practice"),
    ("success", "SUC-04", Should, "The success flag has one spelling", "practice, aspnet: A.10"),
    ("success", "SUC-05", Should, "The moment of issue is now", "practice"),
    ("success", "SUC-06", Must, "A token expires after it was issued", "practice"),
    ("success", "SUC-07", Should, "Dates keep one format, readable in one way", "practice"),
    ("success", "SUC-08", Should, "The stated expiry is the token's own", "rfc: 7519 4.1.4, practice"),
    ("success", "SUC-09", Must, "A refresh yields a new access token", "page, practice"),
    ("success", "SUC-10", Must, "Every tenant gets its own token", "practice"),
    ("success", "SUC-11", Must, "The new access token opens the resource", "practice, rfc: 6750 2.1"),
    ("success", "SUC-12", Should, "Every refresh states a moment of issue of its own", "practice"),
    ("errors", "ERR-01", Must, "An empty body is refused and spends nothing", "aspnet: A.5, practice"),
    ("errors", "ERR-02", Must, "A JSON document that is no object is refused", "aspnet: A.5, practice"),
    ("errors", "ERR-03", Must, "A truncated document is refused and spends nothing", "aspnet: A.5, practice"),
    ("errors", "ERR-04", Must, "A malformed XML document is refused and spends nothing", "aspnet: A.7"),
    ("errors", "ERR-05", Should, "Nothing is optional", "practice"),
    ("errors", "ERR-06", Should, "Null and empty are refused alike in every format", "aspnet: A.6"),
    ("errors", "ERR-07", Must, "A wrong shared secret is refused and spends nothing", "practice"),
    ("errors", "ERR-08", Should, "An unknown tenant is refused", "practice"),
    ("errors", "ERR-09", Must, "Another tenant's name does not open this tenant's chain, and does it no harm", "practice, rfc: 6749 6"),
    ("errors", "ERR-10", Must, "A refresh token that was never issued is refused", "rfc: 6749 5.2"),
    ("errors", "ERR-11", Must, "A refresh token with one character changed is refused", "rfc: 6749 10.4"),
    ("errors", "ERR-12", Must, "An access token is no refresh token, nor the other way round", "rfc: 8725 3.11"),
    ("errors", "ERR-13", Should, "The access token of one chain does not go with the refresh token of another", "policy"),
    ("errors", "ERR-14", Must, "An access token refreshes before and after it has expired", "page"),
    ("errors", "ERR-15", Must, "A forged access token is refused", "rfc: 8725 3.1"),
    ("errors", "ERR-16", Must, "Only POST refreshes", "page, aspnet: A.9"),
    ("errors", "ERR-17", Should, "A preflight from a foreign origin gets no credentials", "practice"),
    ("errors", "ERR-18", Must, "An unknown action is not found and tells nothing", "aspnet: A.9"),
    ("errors", "ERR-19", Must, "Credentials in the query string are not read", "practice, rfc: 6750 2.3"),
    ("errors", "ERR-20", Must, "One kind of error has one code, in every format", "practice"),
    ("errors", "ERR-21", Should, "Another spelling of a refresh token is not the token", "practice"),
];

/// Every must holds, every objective is met.
pub(crate) fn good() -> Run {
    let steady = profile("steady", "open, 200/s for 30 s", &Shape { seconds: 35, warm_up: 5, ..CALM });
    let ramp = profile(
        "ramp",
        "open, 50/s to 500/s in 40 s",
        &Shape { seconds: 40, warm_up: 4, from: 50.0, to: 500.0, ..CALM },
    );
    let users = profile(
        "users",
        "closed, 16 users for 10 s",
        &Shape { seconds: 10, from: 610.0, to: 610.0, closed: true, base_ms: 5.0, ..CALM },
    );
    let mut run = Run {
        assay_run: RUN_FILE_VERSION,
        assay_version: "0.1.0".to_owned(),
        id: "pfms-2026-11-23-020004".to_owned(),
        began_at: "2026-11-23T02:00:04Z".to_owned(),
        zone: "Asia/Kolkata".to_owned(),
        took_us: Took { all: 96_400_000, checks: 11_100_000, load: 85_000_000 },
        ended: Ended::Complete,
        suite: SuiteStamp {
            name: "PFMS refresh token".to_owned(),
            path: "suites/pfms.yaml".to_owned(),
            digest: "5c1e09a7b2d8f3340916e4cc81aa2f5b7a19e2c05d4473b1c8e6f90a1b2c3d4e".to_owned(),
            dialect: "pfms".to_owned(),
            standards: vec!["contract".to_owned()],
        },
        target: TargetStamp {
            environment: "uat".to_owned(),
            kind: TargetKind::Endpoint,
            url: "https://uat.example.gov.in/api/PFMS/pfms_get_refresh_token".to_owned(),
            mock: None,
            server: Some("Microsoft-IIS/10.0".to_owned()),
            tls: None,
        },
        seed: 7,
        depth: Depth::Quick,
        labels: IndexMap::from([("release".to_owned(), "4.1".to_owned())]),
        command: "assay run suites/pfms.yaml --env uat --seed 7".to_owned(),
        gate: None,
        checks: CATALOGUE.iter().map(passed).collect(),
        not_applicable: (1..=18).map(|n| format!("OAU-{n:02}")).collect(),
        load: vec![steady, ramp, users],
        objectives: Vec::new(),
        formats: formats(),
        entropy: None,
        shapes: Vec::new(),
        trust: Trust {
            state: TrustState::Trusted,
            reasons: Vec::new(),
            books: Some(Books {
                client_granted: 26_420,
                server_granted: 26_420,
                client_refused: 412,
                server_refused: 412,
                client_unanswered: 0,
            }),
            secrets: Some(SecretScan { values: 412, beyond: 0, files: 4, hits: Vec::new() }),
        },
        burnt: Burn { requests: 27_156, chains: 192, families_lost: 3 },
        proof: None,
        comparing: None,
    };
    run.objectives = objectives(&run);
    run
}

/// Two musts and an objective fail, two shoulds do, three failures are known, four were skipped.
pub(crate) fn failed() -> Run {
    let mut run = good();
    run.load[1] = profile(
        "ramp",
        "open, 50/s to 2000/s in 60 s",
        &Shape { seconds: 60, warm_up: 4, from: 50.0, to: 2000.0, knee: Some(1500.0), ..CALM },
    );
    run.took_us = Took { all: 401_000_000, checks: 158_000_000, load: 243_000_000 };
    fail_formats(&mut run);
    fail_truncated(&mut run);
    warn_spelling(&mut run);
    warn_cached(&mut run);
    for (id, until, days_left, owner, why) in [
        ("FMT-16", "2026-12-02", 9, "gateway", "the gateway rewrites the charset label"),
        ("SCH-07", "2027-03-31", 128, "platform", "nil ships in release 4.2"),
        ("ERR-17", "2027-01-15", 53, "gateway", "preflights are answered by the gateway"),
    ] {
        let (until, owner, why) = (until.to_owned(), owner.to_owned(), why.to_owned());
        check(&mut run, id).verdict = Verdict::Known { until, days_left, owner, why };
    }
    for (id, reason) in [
        ("SUC-08", "needs a clock that can be moved; this endpoint has none"),
        ("ERR-08", "the gateway blocks unknown tenants (suites/pfms.yaml:44)"),
        ("ERR-09", "needs a second tenant; the environment has one"),
        ("SUC-10", "needs a second tenant; the environment has one"),
    ] {
        check(&mut run, id).verdict = Verdict::Skipped { reason: reason.to_owned() };
        check(&mut run, id).took_us = 0;
    }
    check(&mut run, "FMT-13").verdict =
        Verdict::Inconclusive { reason: "18 of 20 tries were answered; 20 are needed".to_owned() };
    run.objectives = objectives(&run);
    run
}

/// Stopped by Ctrl-C while the checks ran.
pub(crate) fn interrupted() -> Run {
    let mut run = good();
    run.ended = Ended::Interrupted { code: 130, after_us: 6_200_000 };
    run.took_us = Took { all: 6_200_000, checks: 6_200_000, load: 0 };
    for result in run.checks.iter_mut().skip(40) {
        result.verdict = Verdict::Skipped { reason: "the run was interrupted before it".to_owned() };
        result.took_us = 0;
    }
    run.load.clear();
    run.objectives.clear();
    run.trust.books = None;
    run
}

/// The endpoint answers everything with 200 and `{}`.
pub(crate) fn gate_failed() -> Run {
    let mut run = nearly_empty();
    run.gate = Some(Gate {
        reason: "the refresh was answered 200 without an access token".to_owned(),
        answered: true,
        evidence: vec![exchange("200 OK\nContent-Type: application/json\n\n{}", &["{}"])],
    });
    run.checks = CATALOGUE.iter().map(passed).collect();
    for result in &mut run.checks {
        result.verdict = Verdict::Skipped { reason: "the good call does not work".to_owned() };
        result.judged = 0;
        result.took_us = 0;
    }
    run
}

/// Nothing listens there.
pub(crate) fn unreachable() -> Run {
    let mut run = gate_failed();
    run.gate = Some(Gate {
        reason: "connection refused by 127.0.0.1:9".to_owned(),
        answered: false,
        evidence: Vec::new(),
    });
    run
}

/// The generator fell behind, on the embedded mock.
pub(crate) fn untrusted() -> Run {
    let mut run = good();
    run.target.kind = TargetKind::EmbeddedMock;
    run.target.environment = "mock".to_owned();
    run.target.url = "http://127.0.0.1:40123/api/PFMS/pfms_get_refresh_token".to_owned();
    run.target.mock = Some("strict-family, Web API 2, no defects".to_owned());
    let reason = "the generator was the bottleneck from 22 s on (slip p99 41 ms, limit 25 ms)".to_owned();
    run.load[0].untrusted = vec![reason.clone()];
    run.trust.state = TrustState::Untrusted;
    run.trust.reasons = vec![reason];
    run
}

/// The good run on the embedded mock: a demonstration.
pub(crate) fn demonstration() -> Run {
    let mut run = untrusted();
    run.load[0].untrusted.clear();
    run.trust.reasons.clear();
    run.trust.state = TrustState::Demonstration;
    run
}

/// One check, no load: `assay check --only FMT-01`.
pub(crate) fn nearly_empty() -> Run {
    let mut run = good();
    run.checks.truncate(1);
    run.load.clear();
    run.objectives.clear();
    run.formats.clear();
    run.not_applicable.clear();
    run.labels.clear();
    run.target.server = None;
    run.trust.books = None;
    run.trust.secrets = None;
    run.took_us = Took { all: 400_000, checks: 400_000, load: 0 };
    run.burnt = Burn { requests: 2, chains: 1, families_lost: 0 };
    run
}

/// A must whose stage could not be set, beside a failed one.
pub(crate) fn undecided() -> Run {
    let mut run = good();
    check(&mut run, "SUC-11").verdict =
        Verdict::Inconclusive { reason: "the resource was never reached (3 tries)".to_owned() };
    fail_truncated(&mut run);
    run
}

/// Few answers, answers all alike, one second, nothing answered, and eight hours.
pub(crate) fn little_and_much() -> Run {
    let mut run = good();
    let few = Shape { seconds: 4, from: 2.0, to: 2.0, ..CALM };
    let alike = Shape { seconds: 20, spread: 0.001, base_ms: 1.0, tail: false, ..CALM };
    let second = Shape { seconds: 1, from: 300.0, to: 300.0, ..CALM };
    let mut silent = profile("silent", "open, 20/s for 3 s", &Shape { seconds: 3, from: 20.0, ..CALM });
    silence(&mut silent);
    let mut long = profile("night", "open, 2/s for 8 h", &Shape { seconds: 900, from: 2.0, to: 2.0, ..CALM });
    stretch(&mut long, 28_800);
    run.load = vec![
        profile("few", "open, 2/s for 4 s", &few),
        profile("alike", "open, 200/s for 20 s", &alike),
        profile("second", "open, 300/s for 1 s", &second),
        silent,
        long,
    ];
    run.objectives.clear();
    run
}

/// An hour of two profiles, the second with a ramp: as much as a page has to hold.
pub(crate) fn hour() -> Run {
    let mut run = failed();
    let mut steady = profile("steady", "open, 200/s for 1 h", &Shape { seconds: 60, ..CALM });
    let mut ramp = run.load[1].clone();
    for load in [&mut steady, &mut ramp] {
        let pattern = load.series.clone();
        load.series =
            (0..3600).map(|at_s| Second { at_s, ..pattern[at_s as usize % pattern.len()].clone() }).collect();
        load.took_us = 3_600_000_000;
    }
    run.load = vec![steady, ramp];
    run.took_us = Took { all: 7_400_000_000, checks: 200_000_000, load: 7_200_000_000 };
    run
}

/// The steady profile of the good run with a doubled tail.
pub(crate) fn slower_steady() -> LoadResult {
    let shape = Shape { seconds: 35, warm_up: 5, base_ms: 19.5, spread: 0.36, ..CALM };
    profile("steady", "open, 200/s for 30 s", &shape)
}

/// Text from the endpoint that tries to be markup, to break lines and to be endless.
pub(crate) fn hostile() -> Run {
    let mut run = failed();
    let evil = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\u{202e}\u{7}\u{1b}[31m";
    let long = "A".repeat(6000);
    let result = check(&mut run, "FMT-08");
    result.title = format!("{evil} {}", "x".repeat(300));
    result.findings[0].found = evil.to_owned();
    result.findings[0].quote.label = evil.to_owned();
    result.findings[0].quote.lines.push((999_999, long.clone()));
    result.findings[0].evidence[0].received = format!("200 OK\nX: {evil}\n\n{long}{evil}");
    result.findings[0].evidence[0].marks = vec![evil.to_owned(), String::new()];
    run.suite.name = evil.to_owned();
    run.target.url = format!("http://{long}");
    run.load[0].name = evil.to_owned();
    run.load[0].errors.push(ErrorCount { class: evil.to_owned(), count: 3, first_us: 1, example: long });
    run
}

/// The check called `id`.
pub(crate) fn check<'a>(run: &'a mut Run, id: &str) -> &'a mut CheckResult {
    run.checks.iter_mut().find(|check| check.id == id).unwrap()
}

fn passed(row: &Row) -> CheckResult {
    let (group, id, severity, title, basis) = *row;
    let number: u64 = id[4..].parse().unwrap();
    CheckResult {
        observed: false,
        id: id.to_owned(),
        group: group.to_owned(),
        title: title.to_owned(),
        severity,
        basis: basis.split(", ").map(|basis| basis.replace("rfc: ", "RFC ")).collect(),
        because: None,
        fix: None,
        verdict: Verdict::Pass,
        findings: Vec::new(),
        judged: 3,
        took_us: 50_000 + number * 37_000 % 390_000,
        requests: 4 + number,
        races: Vec::new(),
    }
}

fn formats() -> Vec<FormatCell> {
    let requests = ["application/json", "text/json", "application/xml", "text/xml"];
    let form = "application/x-www-form-urlencoded";
    let mut cells = Vec::new();
    for (row, request) in requests.iter().copied().chain([form]).enumerate() {
        for (column, response) in requests.iter().copied().map(Some).chain([None]).enumerate() {
            let mirrored = if request == form { "application/json" } else { request };
            cells.push(FormatCell {
                request: request.to_owned(),
                response: response.map(ToOwned::to_owned),
                got: Some(response.unwrap_or(mirrored).to_owned()),
                good: true,
                median_us: Some(15_900 + (row as u64 * 700 + column as u64 * 430) % 4800),
            });
        }
    }
    cells
}

fn exchange(received: &str, marks: &[&str]) -> Evidence {
    Evidence {
        title: "refresh, chain own, form in, text/xml out".to_owned(),
        sent: "POST /api/PFMS/pfms_get_refresh_token HTTP/1.1\nContent-Type: \
               application/x-www-form-urlencoded\nAccept: text/xml\n\nstateCode=07&AuthString=‹AuthString›&\
               expiredAccessToken=‹access 5b3e›&RefreshToken=‹refresh c810›"
            .to_owned(),
        received: received.to_owned(),
        marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
        took_us: Some(18_200),
    }
}

fn fail_formats(run: &mut Run) {
    let cell = run
        .formats
        .iter_mut()
        .find(|cell| cell.request.ends_with("urlencoded") && cell.response.as_deref() == Some("text/xml"))
        .unwrap();
    cell.good = false;
    cell.got = Some("application/json".to_owned());
    let evidence = exchange(
        "HTTP/1.1 200 OK\nContent-Type: application/json; charset=utf-8\nContent-Length: \
         412\n\n{\"AckCode\":\"0\",\"Status\":\"Success\",\"RefreshTokenResponse\":{\"accessToken\":\"‹access \
         f02c›\",\"refreshToken\":\"‹refresh 11d9›\"}}",
        &["application/json; charset=utf-8"],
    );
    let result = check(run, "FMT-08");
    result.verdict = Verdict::Fail;
    result.fix = Some(
        "Let content negotiation choose the formatter; do not return a formatted body from the action."
            .to_owned(),
    );
    result.findings = vec![Finding {
        strength: Must,
        claim: "type".to_owned(),
        expected: "`text/xml`".to_owned(),
        found: "`application/json`".to_owned(),
        cell: Some("type=form, accept=text/xml".to_owned()),
        times: (1, 20),
        quote: Quote {
            path: "suites/catalogue/format.yaml".to_owned(),
            line: 71,
            column: 33,
            lines: vec![
                (69, "  steps:".to_owned()),
                (70, "    - refresh: { format: $type, accept: $accept }".to_owned()),
                (71, "      must: { outcome: granted, type: $accept }".to_owned()),
            ],
            length: 13,
            label: "`text/xml` expected, `application/json` found".to_owned(),
        },
        notes: vec![
            ("where".to_owned(), "form in, text/xml out; the other 19 pairs hold".to_owned()),
            ("because".to_owned(), "the page lists text/xml under “Response body formats”".to_owned()),
        ],
        evidence: vec![evidence],
        again: Some(
            "curl -sS \"$PFMS_URL\" -H 'Accept: text/xml' -d stateCode=07 \\\n  --data-urlencode \
             \"AuthString=$PFMS_AUTH\" \\\n  --data-urlencode \"expiredAccessToken=$ACCESS\" \\\n  \
             --data-urlencode \"RefreshToken=$REFRESH\""
                .to_owned(),
        ),
    }];
}

fn fail_truncated(run: &mut Run) {
    let result = check(run, "ERR-03");
    result.verdict = Verdict::Fail;
    result.because = Some(
        "A server that reads half a document and acts on it spends the token of a caller who never \
              finished asking."
            .to_owned(),
    );
    result.fix = Some("Read the whole document before its token is touched.".to_owned());
    result.findings = vec![Finding {
        strength: Must,
        claim: "again.outcome".to_owned(),
        expected: "`granted`".to_owned(),
        found: "`refused` as reused".to_owned(),
        cell: None,
        times: (1, 1),
        quote: Quote {
            path: "suites/catalogue/errors.yaml".to_owned(),
            line: 34,
            column: 14,
            lines: vec![
                (32, "    - refresh: { cut: 1 }".to_owned()),
                (33, "      must: refused".to_owned()),
                (34, "    - again: granted".to_owned()),
            ],
            length: 7,
            label: "the token was spent by the half request".to_owned(),
        },
        notes: vec![("means".to_owned(), "the document was acted on before it was whole".to_owned())],
        evidence: vec![exchange(
            "HTTP/1.1 200 OK\nContent-Type: application/json; charset=utf-8\n\n{\"AckCode\":\"1\",\"Status\":\
             \"Failure\",\"Remarks\":\"E401 refresh token already used\"}",
            &["E401 refresh token already used"],
        )],
        again: Some("assay check suites/pfms.yaml --env uat --only ERR-03 --seed 7".to_owned()),
    }];
}

fn warn(run: &mut Run, id: &str, claim: &str, expected: &str, found: &str) {
    let result = check(run, id);
    result.verdict = Verdict::Warn;
    result.findings = vec![Finding {
        strength: Should,
        claim: claim.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
        cell: None,
        times: (100, 100),
        quote: Quote {
            path: "suites/catalogue/success.yaml".to_owned(),
            line: 41,
            column: 15,
            lines: vec![(40, "  together:".to_owned()), (41, format!("      should: {claim}"))],
            length: u32::try_from(claim.len()).unwrap(),
            label: format!("found {found}"),
        },
        notes: Vec::new(),
        evidence: vec![exchange("HTTP/1.1 200 OK\n\n{\"isSuccess\":\"True\"}", &["True"])],
        again: None,
    }];
}

fn warn_spelling(run: &mut Run) {
    warn(run, "SUC-04", "same: [ok]", "one spelling", "`True` in JSON, `true` in XML");
}

fn warn_cached(run: &mut Run) {
    warn(run, "FMT-20", "type: application/xml", "`application/xml`", "`application/json` for 415");
}

/// What a load looks like.
struct Shape {
    seconds: u32,
    warm_up: u32,
    from: f64,
    to: f64,
    /// From this rate on, the server falls behind.
    knee: Option<f64>,
    closed: bool,
    base_ms: f64,
    spread: f64,
    tail: bool,
}

const CALM: Shape = Shape {
    seconds: 30,
    warm_up: 0,
    from: 200.0,
    to: 200.0,
    knee: None,
    closed: false,
    base_ms: 17.0,
    spread: 0.28,
    tail: true,
};

struct Recording(hdrhistogram::Histogram<u64>);

impl Recording {
    fn new() -> Recording {
        Recording(hdrhistogram::Histogram::new_with_bounds(1000, 3_600_000_000_000, 3).unwrap())
    }

    fn add(&mut self, ms: f64) {
        self.0.saturating_record(Duration::from_secs_f64(ms / 1e3).as_nanos().try_into().unwrap());
    }

    fn us(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1e3
    }

    fn clock(&self) -> Clock {
        if self.0.is_empty() {
            return Clock::default();
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.0, &mut bytes).unwrap();
        let mut quantiles_us = IndexMap::new();
        quantiles_us.insert("min".to_owned(), self.0.min() as f64 / 1e3);
        quantiles_us.insert("mean".to_owned(), (self.0.mean() / 10.0).round() / 100.0);
        for (name, q) in
            [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)]
        {
            quantiles_us.insert(name.to_owned(), self.us(q));
        }
        quantiles_us.insert("max".to_owned(), self.0.max() as f64 / 1e3);
        Clock {
            count: self.0.len(),
            clipped: 0,
            quantiles_us,
            histogram: Histogram { hdr_v2_deflate_base64: STANDARD.encode(bytes) },
        }
    }
}

/// A profile that looks like a measured one; seeded, so always the same.
fn profile(name: &str, asks: &str, shape: &Shape) -> LoadResult {
    let mut random = ChaCha8Rng::seed_from_u64(name.len() as u64 * 31 + u64::from(shape.seconds));
    let (mut response, mut service) = (Recording::new(), Recording::new());
    let (mut refused, mut slip) = (Recording::new(), Recording::new());
    let mut book = Book::default();
    let mut errors = [0u64; 3];
    let mut first_error = [0u64; 3];
    let mut series = Vec::new();
    for at_s in 0..shape.seconds {
        let along = f64::from(at_s) / f64::from(shape.seconds.max(2) - 1);
        let rate = shape.from + (shape.to - shape.from) * along;
        let over = shape.knee.map_or(0.0, |knee| (rate / knee - 0.75).max(0.0));
        let behind_ms = over * over * 4000.0;
        let mut second = (Recording::new(), Recording::new());
        let asked = rate as u64;
        let mut failed = Vec::new();
        let starved = if over > 0.45 { (over * 9.0) as u64 } else { 0 };
        for _ in 0..asked - starved {
            let mut ms = shape.base_ms * (normal(&mut random) * shape.spread).exp();
            if shape.tail && random.random_bool(0.004) {
                ms += random.random_range(30.0..190.0);
            }
            let served = ms * (1.0 + over);
            let waited = if shape.closed { 0.0 } else { 0.11 + behind_ms * random.random_range(0.3..1.0) };
            let class = error_class(&mut random, over);
            if let Some(class) = class {
                failed.push(class);
                errors[class] += 1;
                if first_error[class] == 0 {
                    first_error[class] = u64::from(at_s) * 1_000_000 + 250_000;
                }
                if class == 2 && at_s >= shape.warm_up {
                    refused.add(served);
                }
                continue;
            }
            second.0.add(served + waited);
            second.1.add(served);
            if at_s >= shape.warm_up {
                response.add(served + waited);
                service.add(served);
                slip.add(random.random_range(0.02..0.31) * (1.0 + over));
            } else {
                book.warm_up += 1;
            }
        }
        book.scheduled += asked;
        book.sent += asked - starved;
        book.starved += starved;
        book.delayed += starved * 3;
        let mut by_class: Vec<(u32, u64)> = Vec::new();
        for class in 0..3u32 {
            let count = failed.iter().filter(|c| **c == class as usize).count() as u64;
            if count > 0 {
                by_class.push((class, count));
            }
        }
        book.refused += by_class.iter().filter(|(class, _)| *class == 2).map(|(_, n)| n).sum::<u64>();
        book.failed += by_class.iter().filter(|(class, _)| *class != 2).map(|(_, n)| n).sum::<u64>();
        book.granted += second.0.0.len();
        series.push(Second {
            at_s,
            asked,
            answered: second.0.0.len(),
            errors: by_class,
            starved,
            response_us: (!second.0.0.is_empty())
                .then(|| [0.5, 0.9, 0.99, 1.0].map(|q| second.0.us(q) as u64)),
            service_us: (!second.1.0.is_empty()).then(|| [0.5, 0.99].map(|q| second.1.us(q) as u64)),
            slip_us_p99: (!shape.closed).then(|| (180.0 + 130.0 * random.random_range(0.0..1.0_f64)) as u64),
            granted: if at_s < shape.warm_up {
                Histogram::default()
            } else {
                second.0.clock().recorder().unwrap().compact()
            },
        });
    }
    let classes = ["http 429", "response timeout", "refused: invalid-token"];
    let examples = ["429 Too Many Requests", "no answer within 5 s", "200 OK {\"AckCode\":\"1\", E401}"];
    LoadResult {
        name: name.to_owned(),
        asks: asks.to_owned(),
        model: if shape.closed { LoadModel::Closed } else { LoadModel::Open },
        took_us: u64::from(shape.seconds) * 1_000_000,
        warm_up_us: u64::from(shape.warm_up) * 1_000_000,
        chains: 64,
        book,
        response: response.clock(),
        service: service.clock(),
        refused_response: refused.clock(),
        refused_service: refused.clock(),
        slip: slip.clock(),
        parts: Vec::new(),
        errors: (0..3)
            .map(|class| ErrorCount {
                class: classes[class].to_owned(),
                count: errors[class],
                first_us: first_error[class],
                example: examples[class].to_owned(),
            })
            .collect(),
        stages: stages(shape),
        series,
        ledger: LedgerResult {
            tokens: response.0.len() * 2,
            kept: 1.0,
            budget_bytes: 64 << 20,
            ..LedgerResult::default()
        },
        stolen: Some(0.001),
        ..LoadResult::default()
    }
}

fn stages(shape: &Shape) -> Vec<StageMark> {
    let mut stages = Vec::new();
    if shape.warm_up > 0 {
        stages.push(StageMark { at_us: 0, name: "warm-up".to_owned() });
    }
    let name = if shape.closed {
        "16 users".to_owned()
    } else if (shape.from - shape.to).abs() < 1.0 {
        format!("hold, {}/s", shape.from)
    } else {
        format!("ramp to {}/s", shape.to)
    };
    stages.push(StageMark { at_us: u64::from(shape.warm_up) * 1_000_000, name });
    stages
}

fn error_class(random: &mut ChaCha8Rng, over: f64) -> Option<usize> {
    if over > 0.2 && random.random_bool((over * 0.01).min(0.2)) {
        return Some(usize::from(random.random_bool(0.2)));
    }
    random.random_bool(0.0002).then_some(2)
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| random.random_range(0.0..1.0_f64)).sum::<f64>() - 6.0
}

/// Nothing was answered.
fn silence(profile: &mut LoadResult) {
    profile.book = Book { scheduled: 60, sent: 60, failed: 60, ..Book::default() };
    profile.response = Clock::default();
    profile.service = Clock::default();
    profile.slip = Clock::default();
    profile.errors = vec![ErrorCount {
        class: "response timeout".to_owned(),
        count: 60,
        first_us: 5_000_000,
        example: "no answer within 5 s".to_owned(),
    }];
    for second in &mut profile.series {
        second.answered = 0;
        second.response_us = None;
        second.service_us = None;
        second.errors = vec![(0, 20)];
    }
}

/// As if it had run for `seconds`, with a gap, a stall and the same figures again and again.
fn stretch(profile: &mut LoadResult, seconds: u32) {
    let pattern = profile.series.clone();
    profile.series = (0..seconds)
        .filter(|at_s| !(9000..10_800).contains(at_s))
        .map(|at_s| Second { at_s, ..pattern[at_s as usize % pattern.len()].clone() })
        .collect();
    let stall = &mut profile.series[7321];
    stall.response_us = Some([900_000, 1_700_000, 2_100_000, 2_100_000]);
    profile.took_us = u64::from(seconds) * 1_000_000;
}

fn objectives(run: &Run) -> Vec<ObjectiveResult> {
    let errors = |at: usize| {
        let book = run.load[at].book;
        (book.refused + book.failed + book.starved) as f64 / book.scheduled as f64
    };
    let p = |at: usize, name: &str| Measured::TimeUs(run.load[at].response.quantiles_us[name]);
    let time = |ms: f64| Measured::TimeUs(ms * 1e3);
    let rows = [
        ("steady-p99", "steady.response.p99 < 250ms", p(0, "p99"), "<", time(250.0)),
        ("steady-p99.9", "steady.response.p99.9 < 600ms", p(0, "p99.9"), "<", time(600.0)),
        ("steady-errors", "steady.errors < 0.1%", Measured::Share(errors(0)), "<", Measured::Share(0.001)),
        ("ramp-p99", "ramp.response.p99 < 400ms", p(1, "p99"), "<", time(400.0)),
        ("ramp-errors", "ramp.errors < 2%", Measured::Share(errors(1)), "<", Measured::Share(0.02)),
        ("users-p99", "users.response.p99 < 250ms", p(2, "p99"), "<", time(250.0)),
        ("users-rate", "users.rate >= 500/s", Measured::Rate(610.0), ">=", Measured::Rate(500.0)),
        ("unique-tokens", "steady.ledger.duplicates == 0", Measured::Count(0.0), "==", Measured::Count(0.0)),
    ];
    let judged = |measured: f64, comparison: &str, limit: f64| match comparison {
        "<" => measured < limit,
        ">=" => measured >= limit,
        _ => (measured - limit).abs() < f64::EPSILON,
    };
    rows.iter()
        .enumerate()
        .map(|(at, (name, condition, measured, comparison, limit))| ObjectiveResult {
            name: (*name).to_owned(),
            strength: Must,
            condition: (*condition).to_owned(),
            met: Some(judged(wording::value(*measured), comparison, wording::value(*limit))),
            reason: None,
            measured: Some(*measured),
            limit: Some(*limit),
            comparison: Some((*comparison).to_owned()),
            quote: Quote {
                path: "suites/pfms.yaml".to_owned(),
                line: 52 + u32::try_from(at).unwrap(),
                column: u32::try_from(name.len()).unwrap() + 5,
                lines: vec![(52 + u32::try_from(at).unwrap(), format!("  {name}: {condition}"))],
                length: u32::try_from(condition.len()).unwrap(),
                label: String::new(),
            },
        })
        .collect()
}
