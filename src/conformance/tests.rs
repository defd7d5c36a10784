//! Judges, changes and evidence on literal calls and answers of the first target.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use indexmap::IndexMap;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::chain::Identity;
use crate::client::compose::Slots;
use crate::client::reply;
use crate::client::{Answer, Exchange, Failure, Request, Times, Travel};
use crate::dialect::{self, Dialect};
use crate::secret::{FingerprintKey, Token};
use crate::source::{SourceFile, render};
use crate::suite::call::{Operation, Slot};
use crate::suite::check::{Check, Verb};
use crate::suite::parse_checks;

use super::cell::{Cell, product};
use super::change::{Composed, Making, compose};
use super::evidence::evidence;
use super::judge::{self, Bench, Judgement};
use super::promise::{Allowed, Successor, SuccessorWord};
use super::redact::{Redaction, writings};
use super::references::{Cast, Scope, Yields};
use super::steps::changes_of;
use super::transcript::Taken;

const GRANTED: &str = r#"{"AckCode":"00","Status":"Success","Remarks":"","DateOfData":"2026-06-01T10:00:00Z","RefreshTokenResponse":{"accessToken":"new-access-token-1","refreshToken":"new-refresh-token-1","created":"2026-06-01T10:00:00Z","expires":"2026-06-01T10:05:00Z","responseData":null,"errorMessage":null,"isSuccess":"true","errorCode":null}}"#;
const REFUSED: &str = r#"{"AckCode":"01","Status":"Failure","Remarks":"no","DateOfData":"2026-06-01T10:00:00Z","RefreshTokenResponse":{"accessToken":null,"refreshToken":null,"created":null,"expires":null,"responseData":null,"errorMessage":"no","isSuccess":"false","errorCode":"E101"}}"#;
const GRANTED_XML: &str = r#"<ResponseModelRefreshToken xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/BLL.PFMS"><AckCode>00</AckCode><DateOfData>2026-06-01T10:00:00Z</DateOfData><RefreshTokenResponse><accessToken>new-access-token-1</accessToken><created>2026-06-01T10:00:00Z</created><errorCode i:nil="true"/><errorMessage i:nil="true"/><expires>2026-06-01T10:05:00Z</expires><isSuccess>true</isSuccess><refreshToken>new-refresh-token-1</refreshToken><responseData i:nil="true"/></RefreshTokenResponse><Remarks></Remarks><Status>Success</Status></ResponseModelRefreshToken>"#;

fn pfms() -> Dialect {
    dialect::builtin("pfms").expect("it is built in")
}

fn slots(pairs: &[(Slot, &str)]) -> Slots {
    pairs.iter().map(|(slot, value)| (*slot, Token::new(*value))).collect()
}

fn good() -> Slots {
    slots(&[
        (Slot::Tenant, "07"),
        (Slot::Secret, "s3cr3t+/=value"),
        (Slot::Code, "c0de-c0de"),
        (Slot::Access, "old-access-token-0"),
        (Slot::Refresh, "old-refresh-token-0"),
    ])
}

fn identity() -> Arc<Identity> {
    let mut own = good();
    own.remove(&Slot::Access);
    own.remove(&Slot::Refresh);
    Arc::new(Identity { name: "own".to_owned(), slots: own })
}

fn json(status: u16, body: &str) -> Answer {
    answer(status, &[("Content-Type", "application/json; charset=utf-8")], body.as_bytes())
}

fn xml(status: u16, body: &str) -> Answer {
    answer(status, &[("Content-Type", "application/xml; charset=utf-8")], body.as_bytes())
}

fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    Answer {
        status,
        reason: "OK".to_owned(),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: body.to_vec(),
    }
}

fn taken_by(request: Request, sent: Slots, result: Result<Answer, Failure>) -> Taken {
    let now = Instant::now();
    let reply = result
        .as_ref()
        .ok()
        .map(|answer| Arc::new(reply::read(&pfms(), Operation::Refresh, Arc::new(answer.clone()))));
    Taken {
        operation: Operation::Refresh,
        step: Some("this".to_owned()),
        chain: "own".to_owned(),
        chain_number: 0,
        cell: Vec::new(),
        round: 0,
        identity: identity(),
        origin: None,
        good: good(),
        sent,
        exchange: Exchange {
            request: Arc::new(request),
            times: Times {
                sent_at: now,
                held_at: None,
                released_at: None,
                first_byte_at: None,
                done_at: now + Duration::from_millis(20),
            },
            result,
            behind: Vec::new(),
        },
        reply,
        allowed: Allowed::Unknown("nothing".to_owned()),
        called_back: None,
        look: None,
        now: "2026-06-01T10:00:00Z".parse().expect("a moment"),
        manner: "application/json in, application/json out".to_owned(),
    }
}

fn taken(result: Result<Answer, Failure>) -> Taken {
    let request = Request {
        method: "POST".to_owned(),
        target: "/api/PFMS/pfms_get_refresh_token".to_owned(),
        headers: Vec::new(),
        body: None,
        travel: Travel::default(),
    };
    taken_by(request, good(), result)
}

fn check(yaml: &str) -> Check {
    let file = SourceFile::new("suites/own.yaml", yaml);
    let mut checks =
        parse_checks("own", &file).unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, false)));
    checks.remove(0)
}

fn redaction(is_mock: bool) -> Redaction {
    Redaction::new(FingerprintKey::new(1, 2), is_mock, Arc::new(pfms()), &[identity()])
}

/// What came of `claim` on an exchange.
fn judged_on(claim: &str, taken: &Taken) -> Judgement {
    let check = check(&format!(
        "X-01:\n  title: a claim\n  basis: [practice]\n  steps:\n    - refresh:\n      as: this\n      must: {claim}\n"
    ));
    let (dialect, cell) = (pfms(), Cell::default());
    let (variables, chains, steps) = (IndexMap::new(), Cast::new(), Yields::new());
    let scope = Scope {
        dialect: &dialect,
        variables: &variables,
        cell: &cell,
        chains: &chains,
        steps: &steps,
        call: None,
        this: None,
        public_key: None,
    };
    let bench = Bench {
        scope,
        redaction: redaction(true).of(taken),
        median: Some(Duration::from_millis(5)),
        rotation: None,
    };
    let judgements = check.steps[0].claims.iter().map(|claim| judge::claim(&claim.what, taken, &bench));
    let mut all: Vec<Judgement> = judgements.collect();
    let at = all.iter().position(|judgement| *judgement != Judgement::Holds).unwrap_or(0);
    all.remove(at)
}

fn judged(claim: &str, answer: Answer) -> Judgement {
    judged_on(claim, &taken(Ok(answer)))
}

#[track_caller]
fn holds(claim: &str, answer: Answer) {
    assert_eq!(judged(claim, answer), Judgement::Holds, "{claim}");
}

#[track_caller]
fn fails(claim: &str, answer: Answer, found: &str) {
    match judged(claim, answer) {
        Judgement::Fails(miss) => assert_eq!(miss.found, found, "{claim}"),
        other => panic!("{claim}: {other:?}"),
    }
}

#[track_caller]
fn untold(claim: &str, answer: Answer, why: &str) {
    match judged(claim, answer) {
        Judgement::Untold(reason) => assert!(reason.contains(why), "{claim}: {reason}"),
        other => panic!("{claim}: {other:?}"),
    }
}

#[test]
fn what_the_endpoint_has_nothing_of_is_moot_and_what_it_lost_is_not() {
    let opened_by = |access: &str| {
        let body = format!(r#"{{"PFMSLogInResponse":{{"accessToken":"{access}","isSuccess":"true"}}}}"#);
        Some(Arc::new(reply::read(&pfms(), Operation::Login, Arc::new(json(200, &body)))))
    };
    let refreshed = |access: &str, origin: &str| {
        let body = format!(r#"{{"RefreshTokenResponse":{{"accessToken":"{access}","isSuccess":"true"}}}}"#);
        Taken { origin: opened_by(origin), ..taken(Ok(json(200, &body))) }
    };
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.x";
    let moot = |claim, taken: &Taken| matches!(judged_on(claim, taken), Judgement::Moot(_));
    assert!(moot("{ at: { access#exp: { is: filled } } }", &refreshed("opaque", "opaque")));
    assert!(moot("{ belongs: [tenant] }", &refreshed("opaque", "opaque")));
    assert!(moot("{ belongs: [tenant] }", &refreshed(jwt, jwt)));
    // A JWT without `exp` is one that lacks it, and a token that was a JWT at the login has changed its kind.
    assert!(!moot("{ at: { access#exp: { is: filled } } }", &refreshed(jwt, jwt)));
    assert!(!moot("{ at: { access#exp: { is: filled } } }", &refreshed("opaque", jwt)));
}

#[test]
fn a_claim_that_holds_the_chains_own_tenant_is_held_to_it_whatever_its_name() {
    let token = |state: &str| {
        let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"province":"{state}"}}"#));
        format!("eyJhbGciOiJub25lIn0.{claims}.x")
    };
    let own = identity().slots[&Slot::Tenant].expose().to_owned();
    let refreshed = |state: &str| {
        let login = format!(r#"{{"PFMSLogInResponse":{{"accessToken":"{}"}}}}"#, token(&own));
        let body = format!(r#"{{"RefreshTokenResponse":{{"accessToken":"{}"}}}}"#, token(state));
        let origin = reply::read(&pfms(), Operation::Login, Arc::new(json(200, &login)));
        Taken { origin: Some(Arc::new(origin)), ..taken(Ok(json(200, &body))) }
    };
    assert_eq!(judged_on("{ belongs: [tenant] }", &refreshed(&own)), Judgement::Holds);
    assert!(matches!(judged_on("{ belongs: [tenant] }", &refreshed("elsewhere")), Judgement::Fails(_)));
}

#[test]
fn outcomes_are_told_apart() {
    holds("granted", json(200, GRANTED));
    holds("refused", json(200, REFUSED));
    holds("clean", json(200, REFUSED));
    holds("crash", json(500, "{}"));
    holds("[refused, crash]", json(500, "{}"));
    fails("granted", json(200, REFUSED), "refused: invalid-token (200)");
    fails("refused", json(200, GRANTED), "granted (200)");
    fails("refused", json(500, "{}"), "crash (500)");
    fails(
        "clean",
        answer(404, &[("Content-Type", "text/html")], b"<p>no</p>"),
        "refused: no-such-operation (404), in `text/html`, which is not listed",
    );
    holds("clean", answer(406, &[], b""));
}

#[test]
fn a_transport_failure_is_what_was_found() {
    let of = |claim, failure| judged_on(claim, &taken(Err(failure)));
    let found = |claim, failure| match of(claim, failure) {
        Judgement::Fails(miss) => miss.found,
        other => panic!("{other:?}"),
    };
    assert_eq!(found("granted", Failure::ResponseTimeout), "response timeout");
    assert_eq!(found("refused", Failure::Reset), "reset");
    assert_eq!(found("{ type: application/json }", Failure::Reset), "reset");
    assert_eq!(of("[refused, closed]", Failure::ClosedBeforeAnswer), Judgement::Holds);
    assert!(matches!(of("closed", Failure::ReuseRace), Judgement::Untold(_)));
    assert!(matches!(of("refused", Failure::LocalPorts), Judgement::Untold(_)));
}

#[test]
fn promised_is_what_the_state_machine_allows() {
    let with = |allowed, answer| judged_on("promised", &Taken { allowed, ..taken(Ok(answer)) });
    assert_eq!(with(Allowed::Refused("replay.answer"), json(200, REFUSED)), Judgement::Holds);
    let granted = |fits| Allowed::Granted("rotation", Successor { promised: SuccessorWord::New, fits });
    assert_eq!(with(granted(true), json(200, GRANTED)), Judgement::Holds);
    assert!(matches!(with(granted(false), json(200, GRANTED)), Judgement::Fails(_)));
    assert_eq!(with(Allowed::Either("grace.for"), json(200, REFUSED)), Judgement::Holds);
    match with(Allowed::Refused("replay.answer"), json(200, GRANTED)) {
        Judgement::Fails(miss) => {
            assert_eq!(miss.expected, "`refused`, as `replay.answer` promises");
            assert_eq!(miss.found, "granted (200)");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        with(Allowed::Unknown("the policy says nothing of `grace`".to_owned()), json(200, GRANTED)),
        Judgement::Moot(why) if why.contains("grace") && why.contains("observed: granted")
    ));
}

#[test]
fn statuses_classes_and_times_are_compared() {
    holds("{ status: 2xx }", json(200, GRANTED));
    holds("{ status: [405, 200] }", json(200, GRANTED));
    fails("{ status: 405 }", json(200, GRANTED), "`200`");
    holds("{ class: invalid-token }", json(200, REFUSED));
    fails("{ class: expired }", json(200, REFUSED), "refused: invalid-token (200)");
    untold("{ class: expired }", json(200, &REFUSED.replace("E101", "Z9")), "`errors`");
    holds("{ within: 50ms }", json(200, GRANTED));
    fails("{ within: 10ms }", json(200, GRANTED), "20 ms");
    holds("{ within: 5x }", json(200, GRANTED));
    // A quiet machine is fast beyond telling: a factor of its median never means less than a second more.
    holds("{ within: 2x }", json(200, GRANTED));
}

#[test]
fn a_type_is_the_label_and_the_bytes() {
    holds("{ type: application/json }", json(200, GRANTED));
    fails("{ type: text/xml }", json(200, GRANTED), "`application/json`");
    fails(
        "{ type: application/xml }",
        xml(200, GRANTED),
        "labelled `application/xml`, but the bytes are JSON",
    );
    fails("{ type: application/json }", answer(415, &[], b""), "no Content-Type (415)");
}

#[test]
fn values_at_places_are_compared() {
    holds("{ at: { access: { is: filled } } }", json(200, GRANTED));
    fails("{ at: { access: { is: filled } } }", json(200, REFUSED), "null");
    holds("{ at: { code: { is: empty }, message: { is: empty } } }", json(200, GRANTED));
    fails("{ at: { code: { is: empty } } }", json(200, REFUSED), "`E101`");
    holds("{ at: { /AckCode: \"00\" } }", json(200, GRANTED));
    fails("{ at: { /AckCode: \"01\" } }", json(200, GRANTED), "`00`");
    fails("{ at: { header:Allow: POST } }", json(405, "{}"), "absent");
    holds("{ at: { header:Cache-Control: { unlike: public } } }", json(200, GRANTED));
    holds("{ at: { access: { not: $sent.access } } }", json(200, GRANTED));
    fails(
        "{ at: { access: { not: $sent.access } } }",
        json(200, &GRANTED.replace("new-access-token-1", "old-access-token-0")),
        &redaction(true).value(
            &crate::suite::claim::FieldPlace::Field(crate::suite::claim::Field::Access),
            "old-access-token-0",
        ),
    );
    fails(
        "{ at: { /RefreshTokenResponse: { is: object } } }",
        json(200, r#"{"RefreshTokenResponse":[]}"#),
        "members",
    );
    untold("{ at: { access: $sent.scope } }", json(200, GRANTED), "was not sent");
}

#[test]
fn moments_are_compared_and_an_open_zone_is_said() {
    let dated = |created: &str| {
        let body = GRANTED.replacen(
            "\"created\":\"2026-06-01T10:00:00Z\"",
            &format!("\"created\":\"{created}\""),
            1,
        );
        answer(
            200,
            &[("Content-Type", "application/json"), ("Date", "Mon, 01 Jun 2026 10:00:00 GMT")],
            body.as_bytes(),
        )
    };
    let near = "{ at: { issued: { near: header:Date ± 120s } } }";
    holds(near, dated("2026-06-01T10:01:00Z"));
    fails(near, dated("2026-06-01T11:00:00Z"), "3600 s later");
    fails(near, dated("2026-06-01T15:30:20"), "naive IST (+05:30 without its zone)");
    untold(near, dated("2026-06-01T12:00:00"), "zone");
    untold(near, dated("yesterday"), "date format");
    let after = "{ at: { expires: { after: issued } } }";
    holds(after, json(200, GRANTED));
    fails(after, dated("2026-06-01T10:06:00Z"), "60 s earlier");
}

#[test]
fn shapes_are_judged_in_both_formats() {
    for aspect in [
        "syntax",
        "charset",
        "names",
        "only",
        "kinds",
        "order",
        "root",
        "nulls",
        "unique-names",
        "known",
        "layers",
    ] {
        let claim = format!("{{ shape: [{aspect}] }}");
        holds(&claim, json(200, GRANTED));
        holds(&claim, xml(200, GRANTED_XML));
        holds(&claim, json(200, REFUSED));
    }
}

#[test]
fn every_aspect_sees_its_own_harm() {
    let camel = GRANTED.replace("\"AckCode\"", "\"ackCode\"");
    fails("{ shape: [names], part: / }", json(200, &camel), "`/ackCode`");
    let more = GRANTED.replacen('{', "{\"Extra\":1,", 1);
    fails("{ shape: [only] }", json(200, &more), "`/Extra`");
    fails("{ shape: [kinds] }", json(200, &GRANTED.replace("\"true\"", "true")), "a flag");
    let swapped = GRANTED
        .replace("\"AckCode\":\"00\",\"Status\":\"Success\"", "\"Status\":\"Success\",\"AckCode\":\"00\"");
    fails("{ shape: [order] }", json(200, &swapped), "the other way round");
    fails(
        "{ shape: [root] }",
        xml(200, &GRANTED_XML.replace("BLL.PFMS", "bll.pfms")),
        "`http://schemas.datacontract.org/2004/07/bll.pfms`",
    );
    let word = GRANTED_XML.replace("<responseData i:nil=\"true\"/>", "<responseData>null</responseData>");
    fails("{ shape: [nulls] }", xml(200, &word), "the text `null`");
    let twin = GRANTED.replacen('{', "{\"ackcode\":\"00\",", 1);
    fails("{ shape: [unique-names] }", json(200, &twin), "`/AckCode` twice");
    fails(
        "{ shape: [syntax] }",
        json(200, "{\"a\":1,}"),
        &match judged("{ shape: [syntax] }", json(200, "{\"a\":1,}")) {
            Judgement::Fails(miss) => miss.found,
            other => panic!("{other:?}"),
        },
    );
    let inside =
        GRANTED.replace("\"Success\"", "\"Failure\"").replace("\"AckCode\":\"00\"", "\"AckCode\":\"01\"");
    fails("{ shape: [layers] }", json(200, &inside), "inner says success, envelope says failure");
    holds("{ shape: [known] }", json(415, r#"{"Message":"no"}"#));
    match judged("{ shape: [known] }", json(401, r#"{"error":"no"}"#)) {
        Judgement::Fails(miss) => assert!(miss.found.starts_with("another shape"), "{}", miss.found),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_charset_is_that_of_the_bytes() {
    let labelled = |charset: &str, body: &[u8]| {
        answer(200, &[("Content-Type", &format!("application/json; charset={charset}"))], body)
    };
    let charset = "{ shape: [charset] }";
    holds(charset, labelled("utf-8", "{\"a\":\"é\"}".as_bytes()));
    holds(charset, labelled("iso-8859-1", b"{\"a\":\"\xe9\"}"));
    fails(charset, labelled("iso-8859-1", "{\"a\":\"é\"}".as_bytes()), "bytes in UTF-8");
    let wide: Vec<u8> = "{\"a\":\"b\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fails(charset, labelled("utf-8", &wide), "bytes in UTF-16");
    holds(charset, labelled("utf-16", &wide));
    assert!(matches!(judged(charset, labelled("utf-8", b"{\"a\":\"\xe9\"}")), Judgement::Fails(_)));
}

#[test]
fn what_was_changed_comes_back_whole_or_not_at_all() {
    let with = |remarks: &str| {
        let mut sent = good();
        sent.insert(Slot::Tenant, Token::new("zqx7ñé"));
        let body = REFUSED.replace("\"Remarks\":\"no\"", &format!("\"Remarks\":\"{remarks}\""));
        let taken = Taken { sent, ..taken(Ok(json(200, &body))) };
        judged_on("{ shape: [echo] }", &taken)
    };
    assert_eq!(with("state zqx7ñé is not known"), Judgement::Holds);
    assert_eq!(with("not known"), Judgement::Holds);
    assert!(matches!(with("state zqx7?? is not known"), Judgement::Fails(_)));
    assert!(matches!(with("state zqx7Ã±Ã© is not known"), Judgement::Fails(_)));
}

#[test]
fn a_secret_that_comes_back_is_found_in_any_writing() {
    let back = |text: &str| judged("{ lacks: [secrets] }", json(400, &format!("{{\"Message\":\"{text}\"}}")));
    assert_eq!(back("no"), Judgement::Holds);
    for writing in ["old-refresh-token-0", "s3cr3t%2B%2F%3Dvalue", "b2xkLXJlZnJlc2gtdG9rZW4tMA=="] {
        assert!(matches!(back(writing), Judgement::Fails(_)), "{writing}");
    }
    fails(
        "{ lacks: [stack-trace] }",
        json(500, r#"{"StackTrace":"   at BLL.PFMS.Token.Refresh(String s)"}"#),
        "`\"StackTrace\"`",
    );
    holds("{ lacks: [secrets] }", json(200, GRANTED));
}

// ---------------------------------------------------------------------------------------------- calls

/// The request of the first call of a check in a cell.
fn composed(call: &str, over: &str, cell: usize) -> Result<Composed, String> {
    let check = check(&format!(
        "X-01:\n  title: a call\n  basis: [practice]\n{over}  steps:\n    - refresh: {call}\n      must: refused\n"
    ));
    let Verb::Call(call) = &check.steps[0].verb else { panic!("a call was written") };
    let cell = product(&check.over).remove(cell);
    let (dialect, good) = (pfms(), good());
    let (variables, chains, steps) = (IndexMap::new(), Cast::new(), Yields::new());
    let changes = changes_of(call, &cell);
    let scope = Scope {
        dialect: &dialect,
        variables: &variables,
        cell: &cell,
        chains: &chains,
        steps: &steps,
        call: None,
        this: None,
        public_key: None,
    };
    let making = Making {
        speech: dialect.refresh(),
        changes: &changes,
        good: &good,
        scope,
        format: None,
        client: &nobody(),
        callback: None,
    };
    compose(&making, &mut ChaCha8Rng::seed_from_u64(3)).map_err(|not_made| not_made.why)
}

/// A client that is asked for nothing.
fn nobody() -> crate::client::Client {
    let target = crate::client::Target {
        url: url::Url::parse("http://127.0.0.1:9").unwrap(),
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        body_max: 1024,
    };
    crate::client::Client::new(target, crate::client::guard::Guard::exempt()).unwrap()
}

fn sent_body(call: &str) -> String {
    let request = composed(call, "", 0).unwrap_or_else(|why| panic!("{why}")).request;
    String::from_utf8(request.body.expect("a body")).expect("UTF-8")
}

fn header(composed: &Composed, name: &str) -> Option<String> {
    let found = composed.request.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
}

#[test]
fn slots_are_changed_one_at_a_time() {
    assert_eq!(
        sent_body("{}"),
        r#"{"stateCode":"07","AuthString":"s3cr3t+/=value","expiredAccessToken":"old-access-token-0","RefreshToken":"old-refresh-token-0"}"#
    );
    assert!(sent_body("{ set: { tenant: \"99\" } }").contains(r#""stateCode":"99""#));
    assert!(!sent_body("{ without: [tenant] }").contains("stateCode"));
    assert!(sent_body("{ set: { tenant: null } }").contains(r#""stateCode":null"#));
    assert!(sent_body("{ set: { tenant: { raw: 09 } } }").contains(r#""stateCode":09,"#));
    assert!(sent_body("{ set: { refresh: \"${refresh}A\" } }").contains("old-refresh-token-0A"));
    assert!(sent_body("{ set: { refresh: $access } }").contains(r#""RefreshToken":"old-access-token-0""#));
    assert!(sent_body("{ format: xml, set: { tenant: null } }").contains("stateCode i:nil=\"true\""));
}

#[test]
fn documents_are_changed_before_they_are_written() {
    let swapped = sent_body("{ document: { order: { swap: 1 } } }");
    assert!(swapped.starts_with(r#"{"AuthString":"#), "{swapped}");
    let ordered = sent_body("{ document: { order: [refresh, tenant] } }");
    assert!(
        ordered.starts_with(r#"{"RefreshToken":"old-refresh-token-0","stateCode":"07","AuthString""#),
        "{ordered}"
    );
    let repeated = sent_body("{ document: { repeat: { tenant: \"30\" } } }");
    assert!(repeated.contains(r#""stateCode":"07","stateCode":"30""#), "{repeated}");
    assert!(sent_body("{ document: { add: { more: \"1\" } } }").ends_with(r#","more":"1"}"#));
    assert!(sent_body("{ document: { rename: { tenant: StateCode } } }").contains("\"StateCode\":\"07\""));
    assert_eq!(sent_body("{ document: { pad: 3 } }").matches("\"pad").count(), 3);
    let prefixed = sent_body("{ format: xml, document: { prefix: p } }");
    assert!(
        prefixed.contains("<p:RequestModelRefreshToken") && prefixed.contains("<p:stateCode>"),
        "{prefixed}"
    );
    assert!(!sent_body("{ format: xml, document: { namespace: null } }").contains("xmlns=\"http://schemas"));
}

#[test]
fn bytes_are_changed_after_the_document_is_written() {
    let good = sent_body("{}");
    assert_eq!(sent_body("{ cut: 1 }"), good[..good.len() - 1]);
    assert_eq!(sent_body("{ body: \"${good}${good}\" }"), format!("{good}{good}"));
    assert_eq!(sent_body("{ body: \"\" }"), "");
    assert_eq!(sent_body("{ body: \"\\uFEFF${good}\" }"), format!("\u{feff}{good}"));
    let wide = composed("{ encode: utf-16le }", "", 0).ok().and_then(|made| made.request.body);
    assert_eq!(wide.map(|body| body.len()), Some(good.len() * 2));
}

#[test]
fn the_frame_is_changed_alone() {
    let made = composed("{ label: null, accept: \"*/*\", method: PUT, path: \"${path}x\" }", "", 0);
    let made = made.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(header(&made, "content-type"), None);
    assert_eq!(header(&made, "accept").as_deref(), Some("*/*"));
    assert_eq!(made.request.method, "PUT");
    assert_eq!(made.request.target, "/api/PFMS/pfms_get_refresh_tokenx");
    let query = composed("{ format: form, query: $good, body: \"\" }", "", 0);
    let query = query.unwrap_or_else(|why| panic!("{why}"));
    assert!(
        query.request.target.contains("?stateCode=07&AuthString=s3cr3t%2B%2F%3Dvalue&"),
        "{}",
        query.request.target
    );
    assert_eq!(query.request.body.as_deref(), Some(&b""[..]));
}

#[test]
fn named_changes_of_the_cell_are_merged() {
    let over = "  over:\n    how:\n      short: { cut: 1 }\n      wrong: { label: text/plain }\n    accept: [application/xml, text/xml]\n";
    let made = composed("{ with: $how, accept: $accept }", over, 3).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(header(&made, "content-type").as_deref(), Some("text/plain"));
    assert_eq!(header(&made, "accept").as_deref(), Some("text/xml"));
}

#[test]
fn what_cannot_be_made_says_what_is_missing() {
    let why = |call: &str| composed(call, "", 0).err().unwrap_or_default();
    assert!(why("{ set: { access: { forge: { key: other } } } }").contains("no JWT"));
    assert!(why("{ set: { refresh: { trim: \"=\" } } }").contains("does not end with"));
    assert!(why("{ set: { scope: { words: 1 } } }").contains("no good value"));
}

// ------------------------------------------------------------------------------------------- evidence

/// No writing of the secret, and no long part of it.
#[track_caller]
fn nowhere(text: &str, secret: &str) {
    for writing in writings(secret) {
        assert!(!text.contains(&writing), "{writing} in {text}");
    }
    let chars: Vec<char> = secret.chars().collect();
    for part in chars.windows(16) {
        let part: String = part.iter().collect();
        assert!(!text.contains(&part), "{part} in {text}");
    }
}

#[test]
fn a_generated_secret_never_appears_in_evidence() {
    use rand::RngExt as _;
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for round in 0..10 {
        let alphabet: Vec<char> =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-_.\"&<' %".chars().collect();
        let secret: String =
            (0..24 + 6 * round).map(|_| alphabet[rng.random_range(0..alphabet.len())]).collect();
        let mut carried = good();
        carried.insert(Slot::Refresh, Token::new(secret.clone()));
        for call in [
            "{}",
            "{ format: xml }",
            "{ format: form }",
            "{ cut: 9 }",
            "{ set: { refresh: { flip: middle } } }",
            "{ encode: utf-16le }",
            "{ format: form, query: $good, body: \"\" }",
            "{ headers: { X-Token: \"Bearer $refresh\" } }",
        ] {
            let check = check(&format!(
                "X-01:\n  title: a call\n  basis: [practice]\n  steps:\n    - refresh: {call}\n      must: refused\n"
            ));
            let Verb::Call(call) = &check.steps[0].verb else { panic!("a call was written") };
            let (dialect, cell) = (pfms(), Cell::default());
            let (variables, chains, steps) = (IndexMap::new(), Cast::new(), Yields::new());
            let changes = changes_of(call, &cell);
            let scope = Scope {
                dialect: &dialect,
                variables: &variables,
                cell: &cell,
                chains: &chains,
                steps: &steps,
                call: None,
                this: None,
                public_key: None,
            };
            let making = Making {
                speech: dialect.refresh(),
                changes: &changes,
                good: &carried,
                scope,
                format: None,
                client: &nobody(),
                callback: None,
            };
            let made = compose(&making, &mut rng).unwrap_or_else(|not_made| panic!("{}", not_made.why));
            let mut echoed: Vec<u8> = b"you sent ".to_vec();
            echoed.extend(made.request.body.clone().unwrap_or_default());
            echoed.extend(made.request.target.as_bytes());
            for (is_mock, label) in [(true, "text/plain"), (false, "text/plain"), (false, "application/json")]
            {
                let sent = made.sent.clone();
                let exchange = answer(400, &[("Content-Type", label), ("X-Echo", &secret)], &echoed);
                let taken =
                    Taken { good: carried.clone(), ..taken_by(made.request.clone(), sent, Ok(exchange)) };
                let shown = evidence(&taken, &redaction(is_mock), &[]);
                nowhere(&shown.sent, &secret);
                nowhere(&shown.received, &secret);
            }
        }
    }
}

#[test]
fn tokens_go_by_slot_and_credentials_by_member() {
    let made = composed("{}", "", 0).unwrap_or_else(|why| panic!("{why}"));
    let taken = taken_by(made.request, made.sent, Ok(json(200, GRANTED)));
    let shown = evidence(&taken, &redaction(true), &["\"isSuccess\"".to_owned(), "not there".to_owned()]);
    assert!(shown.sent.contains("\"AuthString\":\"‹AuthString›\""), "{}", shown.sent);
    assert!(shown.sent.contains("\"RefreshToken\":\"‹refresh "), "{}", shown.sent);
    assert!(shown.received.contains("\"accessToken\":\"‹access "), "{}", shown.received);
    assert_eq!(shown.marks, ["\"isSuccess\""]);
    assert_eq!(shown.took_us, Some(20_000));
}

#[test]
fn outside_the_mock_only_showable_members_show_their_text() {
    let body = REFUSED.replace("\"responseData\":null", "\"responseData\":\"Asha Rao, Pune\"");
    let shown = evidence(&taken(Ok(json(200, &body))), &redaction(false), &[]);
    assert!(shown.received.contains("\"errorCode\":\"E101\""), "{}", shown.received);
    assert!(shown.received.contains("‹text of 14 characters "), "{}", shown.received);
    assert!(!shown.received.contains("Asha"), "{}", shown.received);
    let page = answer(500, &[("Content-Type", "text/html"), ("X-User", "asha")], b"<p>Asha Rao</p>");
    let shown = evidence(&taken(Ok(page)), &redaction(false), &[]);
    assert!(shown.received.contains("‹text/html, 15 bytes›"), "{}", shown.received);
    assert!(!shown.received.contains("asha"), "{}", shown.received);
}

#[test]
fn long_bodies_are_cut_and_say_so() {
    let shown = evidence(
        &taken(Ok(json(200, &format!("{{\"Remarks\":\"{}\"}}", "x y ".repeat(5000))))),
        &redaction(true),
        &[],
    );
    assert!(shown.received.len() < 2_500, "{}", shown.received.len());
    assert!(shown.received.ends_with("… 20014 bytes"), "{}", &shown.received[shown.received.len() - 40..]);
}
