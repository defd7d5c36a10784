//! Every outcome of both built-in dialects, and what stands where.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;
use crate::dialect::{DateFormat, FieldSource, Reading, builtin, places, written_out};

const JSON: &str = "application/json; charset=utf-8";
const XML: &str = "application/xml; charset=utf-8";

fn answer(status: u16, label: Option<&str>, body: impl Into<Vec<u8>>) -> Answer {
    let label = label.map(|label| ("Content-Type".to_owned(), label.as_bytes().to_vec()));
    Answer { status, reason: String::new(), headers: label.into_iter().collect(), body: body.into() }
}

/// A JWT without signature.
fn jwt(claims: &str) -> String {
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(claims))
}

/// A PFMS answer in JSON: envelope status, access token (quoted, or `null`), flag and code.
fn pfms(status: &str, access: &str, ok: &str, code: &str) -> String {
    format!(
        r#"{{"AckCode":"x","Status":{status},"Remarks":null,"DateOfData":"06-05-2024 12:38:10","RefreshTokenResponse":{{"accessToken":{access},"refreshToken":"r+/=","created":"2024-05-06T07:08:09Z","expires":"/Date(1714982889000)/","responseData":null,"errorMessage":null,"isSuccess":{ok},"errorCode":{code}}}}}"#
    )
}

fn refusal(code: &str) -> String {
    format!(
        r#"{{"AckCode":"1","Status":"Failure","RefreshTokenResponse":{{"accessToken":null,"refreshToken":"","isSuccess":"False","errorCode":"{code}"}}}}"#
    )
}

#[track_caller]
fn ends(
    name: &str,
    operation: Operation,
    (status, label, body): (u16, Option<&str>, &str),
    outcome: Outcome,
    class: Option<ErrorClass>,
) {
    let dialect = builtin(name).unwrap();
    let reply = read(&dialect, operation, Arc::new(answer(status, label, body)));
    assert_eq!((reply.outcome, reply.class), (outcome, class), "{status} {label:?} {body}");
}

fn garbled(what: &str) -> Outcome {
    Outcome::Garbled(what.to_owned())
}

#[test]
fn every_end_of_a_pfms_refresh() {
    let refresh = |status, label, body: &str, outcome, class| {
        ends("pfms", Operation::Refresh, (status, label, body), outcome, class);
    };
    let granted = pfms("\"Success\"", "\"a\"", "\"True\"", "null");
    let (json, refused) = (Some(JSON), |class| (Outcome::Refused, Some(class)));
    refresh(200, json, &granted, Outcome::Granted, None);
    refresh(200, Some("text/json"), &granted, Outcome::Granted, None);
    refresh(500, json, &granted, Outcome::Crash, None);
    refresh(503, Some("text/html"), "<h1>", Outcome::Crash, None);
    for (status, label, body, class) in [
        (200, json, refusal("E101"), ErrorClass::InvalidToken),
        (401, json, refusal("E102"), ErrorClass::Expired),
        (200, json, refusal("E103"), ErrorClass::Reused),
        (200, json, refusal("E104"), ErrorClass::Revoked),
        (200, json, refusal("E105"), ErrorClass::InvalidToken),
        (200, json, refusal("E201"), ErrorClass::BadCredentials),
        (200, json, refusal("E202"), ErrorClass::BadCredentials),
        (200, json, refusal("E203"), ErrorClass::WrongClient),
        (400, json, refusal("E302"), ErrorClass::Malformed),
        (200, json, refusal("Z9"), ErrorClass::Unknown),
        (400, json, r#"{"Message":"The request is invalid."}"#.to_owned(), ErrorClass::Malformed),
        (415, Some(XML), "<Error><Message>m</Message></Error>".to_owned(), ErrorClass::UnsupportedMedia),
        (405, json, "{}".to_owned(), ErrorClass::NoSuchOperation),
        (429, None, String::new(), ErrorClass::RateLimited),
        (403, Some("text/html"), "<h1>Forbidden</h1>".to_owned(), ErrorClass::BadCredentials),
        (404, Some("text/plain"), "no".to_owned(), ErrorClass::NoSuchOperation),
        (200, json, "{}".to_owned(), ErrorClass::Unknown),
        (204, None, String::new(), ErrorClass::Unknown),
        (200, json, pfms("\"Success\"", "\"0\"", "true", "null").replace("r+/=", ""), ErrorClass::Unknown),
    ] {
        let (outcome, class) = refused(class);
        refresh(status, label, &body, outcome, class);
    }
    for (status, label, body, what) in [
        (200, Some("text/html"), "<h1>".to_owned(), "200 text/html"),
        (302, Some("text/html; x"), "moved".to_owned(), "302 text/html"),
        (200, None, granted.clone(), "200 without a media type"),
        (400, Some("application/octet-stream"), "x".to_owned(), "400 application/octet-stream"),
        (200, json, "{".to_owned(), "200 application/json, not well-formed"),
        (200, Some(XML), granted.clone(), "200 application/xml, not well-formed"),
        (
            200,
            Some("application/json;charset=x"),
            granted.clone(),
            "200 application/json, not in its charset",
        ),
        (
            200,
            json,
            pfms("\"Failure\"", "\"a\"", "\"no\"", "\"E101\""),
            "200 application/json, a token in what is not granted",
        ),
        (200, json, pfms("null", "\"a\"", "\"maybe\"", "null"), "200 application/json, `ok` cannot be told"),
        (201, json, granted, "201 application/json, a token in what is not granted"),
    ] {
        refresh(status, label, &body, garbled(what), None);
    }
}

#[test]
fn every_end_of_the_other_pfms_operations() {
    let login = r#"{"PFMSLogInResponse":{"accessToken":"a","refreshToken":"r","isSuccess":"true"}}"#;
    ends("pfms", Operation::Login, (200, Some(JSON), login), Outcome::Granted, None);
    let probe = r#"{"tenant":"07","subject":"s","family":"f"}"#;
    ends("pfms", Operation::Probe, (200, Some(JSON), probe), Outcome::Granted, None);
    let refused = |class| (Outcome::Refused, Some(class));
    let (outcome, class) = refused(ErrorClass::BadCredentials);
    ends("pfms", Operation::Probe, (401, None, ""), outcome, class);
    let revoke = "<ResponseModelLogout><AckCode>0</AckCode><Status>Success</Status></ResponseModelLogout>";
    ends("pfms", Operation::Revoke, (200, Some(XML), revoke), Outcome::Granted, None);
    let (outcome, class) = refused(ErrorClass::Unknown);
    ends("pfms", Operation::Revoke, (200, Some(XML), &revoke.replace("Success", "FAILED")), outcome, class);
}

#[test]
fn every_end_of_an_oauth2_refresh() {
    let refresh = |status, label, body: &str, outcome, class| {
        ends("oauth2", Operation::Refresh, (status, label, body), outcome, class);
    };
    let granted = r#"{"access_token":"a","token_type":"Bearer","expires_in":3600}"#;
    refresh(200, Some("application/json"), granted, Outcome::Granted, None);
    refresh(500, Some("application/json"), "{}", Outcome::Crash, None);
    for (error, class) in [
        ("invalid_grant", ErrorClass::InvalidToken),
        ("invalid_client", ErrorClass::BadCredentials),
        ("invalid_request", ErrorClass::Malformed),
        ("invalid_scope", ErrorClass::InvalidScope),
        ("unsupported_grant_type", ErrorClass::Malformed),
    ] {
        let body = format!(r#"{{"error":"{error}"}}"#);
        refresh(400, Some("application/json"), &body, Outcome::Refused, Some(class));
    }
    refresh(
        400,
        Some("application/json"),
        granted,
        garbled("400 application/json, a token in what is not granted"),
        None,
    );
    refresh(200, Some("text/html"), "", Outcome::Refused, Some(ErrorClass::Unknown));
}

#[test]
fn a_fault_with_status_500_can_be_a_refusal() {
    let soap = written_out(
        r"assay-dialect: 1
name: soap
slots: [refresh]
operations:
  refresh:
    method: POST
    path: /x
    accepts:
      xml:
        types: [text/xml]
        root: s:Envelope
        namespaces: { s: 'urn:s', t: 'urn:x' }
        body: { s:Body: { t:Refresh: { t:token: $refresh } } }
    answers:
      types: [text/xml]
      fields: { access: /s:Body/t:Response/t:access, code: /s:Body/s:Fault/faultcode }
      refused: filled(code)
      crash: status >= 500 and blank(code)
",
    );
    let body = |inner: &str| {
        format!("<s:Envelope xmlns:s='urn:s' xmlns:x='urn:x'><s:Body>{inner}</s:Body></s:Envelope>")
    };
    let outcome = |status, inner: &str| {
        read(&soap, Operation::Refresh, Arc::new(answer(status, Some("text/xml"), body(inner)))).outcome
    };
    assert_eq!(outcome(500, "<s:Fault><faultcode>s:Client</faultcode></s:Fault>"), Outcome::Refused);
    assert_eq!(outcome(500, ""), Outcome::Crash);
    assert_eq!(outcome(200, "<x:Response><x:access>a</x:access></x:Response>"), Outcome::Granted);
}

/// The layers of a PFMS answer, as the page's rules read them.
#[track_caller]
fn layers(status: &str, ack: &str, ok: &str) -> [Truth; 2] {
    let dialect = builtin("pfms").unwrap();
    let body = pfms(status, "\"a\"", ok, "null").replace("\"x\"", ack);
    let reply = read(&dialect, Operation::Refresh, Arc::new(answer(200, Some(JSON), body)));
    ["envelope", "inner"]
        .map(|layer| reply.truth(&dialect, Operation::Refresh, &dialect.refresh().answers.layers[layer]))
}

#[test]
fn an_unknown_vocabulary_is_unclear_and_never_wrong() {
    let unknown = |name: &str| Truth::Unknown(name.to_owned());
    assert_eq!(layers("\"Success\"", "\"00\"", "\"True\""), [Truth::True, Truth::True]);
    assert_eq!(layers("\"SUCCESS\"", "\"77\"", "\"Y\""), [Truth::True, Truth::True]);
    assert_eq!(layers("\"Accepted\"", "\"000\"", "\"1\""), [Truth::True, Truth::True]);
    assert_eq!(layers("null", "\"200\"", "true"), [Truth::True, Truth::True]);
    assert_eq!(layers("\"Failure\"", "\"00\"", "\"failure\""), [Truth::False, Truth::False]);
    assert_eq!(layers("\"Error\"", "\"1\"", "\"0\""), [Truth::False, Truth::False]);
    assert_eq!(layers("\"Accepted\"", "\"77\"", "\"maybe\""), [unknown("unknown"), unknown("ok")]);
    assert_eq!(layers("null", "null", "null"), [unknown("unknown"), Truth::False]);
    assert_eq!(
        layers("\"sample string 2\"", "\"sample string 1\"", "\"sample string 7\""),
        [unknown("unknown"), unknown("ok")]
    );
}

#[track_caller]
fn stands(reply: &Reply, dialect: &Dialect, place: &str, expected: &Found) {
    let place = places::parse(place).unwrap();
    assert!(reply.at(dialect, Operation::Refresh, &place) == *expected, "{place:?}");
}

#[test]
fn values_stand_at_their_places_in_json_and_xml_alike() {
    let dialect = builtin("pfms").unwrap();
    let token = jwt(r#"{"exp":1714982889,"state":"07","realm":{"roles":["a"]},"iss":null}"#);
    let json = pfms("\"Success\"", &format!("\"{token}\""), "\"True\"", "null");
    let xml = format!(
        "<R xmlns='urn:r' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><Status>Success</Status><RefreshTokenResponse>\
         <accessToken>{token}</accessToken><errorCode i:nil='true' /><isSuccess>True</isSuccess></RefreshTokenResponse></R>"
    );
    let text = |text: &str| Found::Text(Token::new(text));
    for (label, body) in [(JSON, json), (XML, xml)] {
        let mut answer = answer(200, Some(label), body);
        for (name, value) in [("Allow", "GET"), ("allow", "POST"), ("Set-Cookie", "sid=\"a b\"; Path=/")] {
            answer.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
        let reply = read(&dialect, Operation::Refresh, Arc::new(answer));
        let stands = |place: &str, expected: &Found| stands(&reply, &dialect, place, expected);
        stands("/RefreshTokenResponse/isSuccess", &text("True"));
        stands("ok", &text("True"));
        stands("/RefreshTokenResponse", &Found::Nested);
        stands("code", &Found::Null);
        stands("/nothing", &Found::Absent);
        stands("scope", &Found::Absent);
        stands("header:ALLOW", &text("GET, POST"));
        stands("header:x", &Found::Absent);
        stands("cookie:sid", &text("a b"));
        stands("cookie:x", &Found::Absent);
        stands("access#exp", &Found::Number("1714982889".to_owned()));
        stands("access#state", &text("07"));
        stands("access#iss", &Found::Null);
        stands("access#/realm/roles/0", &text("a"));
        stands("access#none", &Found::Absent);
        stands("access@alg", &text("HS256"));
        stands("refresh#exp", &Found::Absent);
        assert_eq!(
            reply.token(&dialect, Operation::Refresh, Field::Access),
            Some(Token::new(token.as_str()))
        );
        assert_eq!(reply.token(&dialect, Operation::Refresh, Field::Code), None);
    }
}

#[test]
fn moments_are_read_wherever_they_stand() {
    let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let dialect = builtin("pfms").unwrap();
    let token = jwt(r#"{"exp":1714982889.5}"#);
    let body = pfms("\"Success\"", &format!("\"{token}\""), "\"True\"", "null");
    let mut answer = answer(200, Some(JSON), body);
    answer.headers.push(("Date".to_owned(), b"Mon, 06 May 2024 07:08:10 GMT".to_vec()));
    let reply = read(&dialect, Operation::Refresh, Arc::new(answer));
    let moment = |place: &str| {
        let place = places::parse(place).unwrap();
        let moment = reply.moment(&dialect, Operation::Refresh, &place, now)?;
        Some((moment.at.to_string(), moment.zoned, moment.format))
    };
    let at = |at: &str, zoned, format| Some((at.to_owned(), zoned, format));
    assert_eq!(moment("issued"), at("2024-05-06T07:08:09Z", true, DateFormat::Iso));
    assert_eq!(moment("expires"), at("2024-05-06T08:08:09Z", true, DateFormat::Dotnet));
    let pattern = DateFormat::Pattern("dd-MM-yyyy HH:mm:ss".to_owned());
    assert_eq!(moment("served"), at("2024-05-06T12:38:10Z", false, pattern.clone()));
    assert_eq!(moment("/DateOfData"), at("2024-05-06T12:38:10Z", false, pattern));
    assert_eq!(moment("access#exp"), at("2024-05-06T08:08:09.5Z", true, DateFormat::Epoch));
    assert_eq!(moment("header:Date"), at("2024-05-06T07:08:10Z", true, DateFormat::Epoch));
    assert_eq!(moment("ok"), None);
    assert_eq!(moment("/nothing"), None);
}

#[test]
fn seconds_count_from_the_answer_on() {
    let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let dialect = builtin("oauth2").unwrap();
    let expires = |date: Option<&str>, seconds: &str| {
        let mut answer = answer(200, Some(JSON), format!(r#"{{"access_token":"a","expires_in":{seconds}}}"#));
        answer.headers.extend(date.map(|date| ("Date".to_owned(), date.as_bytes().to_vec())));
        let reply = read(&dialect, Operation::Refresh, Arc::new(answer));
        let moment = reply.moment(&dialect, Operation::Refresh, &FieldPlace::Field(Field::Expires), now)?;
        Some(moment.at.to_string())
    };
    assert_eq!(expires(None, "3600").as_deref(), Some("2030-01-01T01:00:00Z"));
    let date = Some("Mon, 06 May 2024 07:08:10 GMT");
    assert_eq!(expires(date, "\"60\"").as_deref(), Some("2024-05-06T07:09:10Z"));
    assert_eq!(expires(date, "1e300"), None);
    assert_eq!(expires(date, "9223372036854775807"), None);
}

#[test]
fn a_field_may_be_a_claim_of_another_field() {
    let mut oauth2 = builtin("oauth2").unwrap();
    let source = FieldSource {
        at: vec![places::parse("access#iat").unwrap()],
        reading: Reading::Epoch,
        of: Some(Field::Access),
        absent_keeps: false,
    };
    oauth2.operations[&Operation::Refresh].answers.fields.insert(Field::Issued, source);
    let body = format!(r#"{{"access_token":"{}","token_type":"Bearer"}}"#, jwt(r#"{"iat":1714982489}"#));
    let reply = read(&oauth2, Operation::Refresh, Arc::new(answer(200, Some("application/json"), body)));
    stands(&reply, &oauth2, "issued", &Found::Number("1714982489".to_owned()));
}

#[test]
fn the_text_of_a_body_is_there_whatever_its_type() {
    let dialect = builtin("pfms").unwrap();
    let text = |label, body: &[u8]| {
        let reply = read(&dialect, Operation::Refresh, Arc::new(answer(404, label, body)));
        reply.text().map(str::to_owned)
    };
    assert_eq!(text(Some("text/html"), b"\xEF\xBB\xBF<h1>").as_deref(), Some("<h1>"));
    assert_eq!(text(Some("text/html;charset=utf-16le"), b"h\0").as_deref(), Some("h"));
    assert_eq!(text(None, b"\xE9"), None);
}

#[test]
fn nothing_secret_is_shown() {
    let dialect = builtin("pfms").unwrap();
    let body = pfms("\"Success\"", "\"very-secret\"", "\"True\"", "null");
    for label in [JSON, "application/json; charset=utf-16"] {
        let reply = read(&dialect, Operation::Refresh, Arc::new(answer(200, Some(label), body.clone())));
        assert!(!format!("{reply:?}").contains("very-secret"));
    }
}

/// Documents near to real ones, and bytes of any kind.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let near = (any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 0..4)).prop_map(
        |(at, junk)| {
            let mut body =
                pfms("\"Success\"", &format!("\"{}\"", jwt("{\"exp\":1}")), "\"True\"", "null").into_bytes();
            let at = at.index(body.len());
            body.splice(at.., junk);
            body
        },
    );
    prop_oneof![
        near,
        proptest::collection::vec(any::<u8>(), 0..64),
        "<a>.{0,20}</a>".prop_map(String::into_bytes)
    ]
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(
        status: u16,
        label in proptest::option::of(prop_oneof![
            Just("application/json".to_owned()), Just("text/xml; charset=utf-16".to_owned()),
            Just("application/problem+json;charset=iso-8859-1".to_owned()), ".{0,30}"]),
        body in bodies(),
        date in ".{0,30}",
    ) {
        let mut answer = answer(status, label.as_deref(), body);
        answer.headers.push(("Date".to_owned(), date.into_bytes()));
        let answer = Arc::new(answer);
        for name in ["pfms", "oauth2"] {
            let dialect = builtin(name).unwrap();
            for operation in [Operation::Refresh, Operation::Probe, Operation::Revoke] {
                let reply = read(&dialect, operation, answer.clone());
                for place in ["access", "expires", "issued", "access#exp", "/a", "header:Date", "cookie:a", "access@alg"] {
                    let place = places::parse(place).unwrap();
                    drop(reply.at(&dialect, operation, &place));
                    drop(reply.moment(&dialect, operation, &place, Timestamp::UNIX_EPOCH));
                }
                let _ = reply.text();
            }
        }
    }
}
