//! The rules of reading and writing that the recorded answers do not show, and every switch of the pipeline.

use super::quirks::Quirks;
use super::{ActionResult, Call, Graph, HttpRequest, HttpResponse, Pipeline, echo};
use crate::suite::defect::Defect;
use crate::suite::environment::{Generation, Variant};

const JSON: &str = r#"{"stateCode":"S","AuthString":"A","expiredAccessToken":"E","RefreshToken":"R"}"#;
const ROOT: &str = "RequestModelRefreshToken";
const NAMESPACE: &str = "http://schemas.datacontract.org/2004/07/BLL.PFMS";
const MEMBERS: &str = "<AuthString>A</AuthString><RefreshToken>R</RefreshToken>\
    <expiredAccessToken>E</expiredAccessToken><stateCode>S</stateCode>";
const FORM: &str = "application/x-www-form-urlencoded";

fn xml(members: &str) -> String {
    format!(
        "<{ROOT} xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"{NAMESPACE}\">{members}</{ROOT}>"
    )
}

fn post(headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> HttpRequest {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    HttpRequest {
        method: "POST".to_owned(),
        target: "/api/PFMS/pfms_get_refresh_token".to_owned(),
        headers: headers.collect(),
        body: body.as_ref().to_vec(),
        has_length: true,
    }
}

fn typed(media: &str, body: impl AsRef<[u8]>) -> HttpRequest {
    post(&[("Content-Type", media), ("Accept", "application/json")], body)
}

fn accepting(accept: &str) -> HttpRequest {
    post(&[("Content-Type", "application/json"), ("Accept", accept)], JSON)
}

fn host(generation: Generation, defects: &[Defect], variants: &[Variant]) -> Pipeline {
    let mut host = Pipeline::new(generation, echo::actions(), Quirks::new(defects, variants));
    host.host_layer = false;
    host
}

fn two() -> Pipeline {
    host(Generation::Two, &[], &[])
}

fn header<'a>(answer: &'a HttpResponse, name: &str) -> &'a str {
    let found = answer.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value.as_str())
}

fn body(answer: &HttpResponse) -> String {
    String::from_utf8(answer.body.clone()).expect("the answer is UTF-8")
}

/// What was bound, as `state,secret,access,refresh`, then the keys of the errors: `S,A,-,R | model.x`.
fn bound(request: &HttpRequest) -> String {
    bound_by(&two(), request)
}

fn bound_by(host: &Pipeline, request: &HttpRequest) -> String {
    let seen = std::cell::RefCell::new(String::new());
    let look = |call: &Call| {
        let model = call.bound.model.as_ref().map_or_else(
            || "null".to_owned(),
            |model| {
                let shown: Vec<&str> = model.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
                shown.join(",")
            },
        );
        let keys: Vec<&str> = call.bound.errors.iter().map(|error| error.key.as_str()).collect();
        let bar = if keys.is_empty() { "" } else { " | " };
        *seen.borrow_mut() = format!("{model}{bar}{}", keys.join(" "));
        ActionResult::Empty(200)
    };
    let answer = host.serve(request, &look);
    let seen = seen.into_inner();
    if seen.is_empty() { answer.status.to_string() } else { seen }
}

fn echoed(host: &Pipeline, request: &HttpRequest) -> HttpResponse {
    host.serve(request, &echo::answer)
}

#[test]
fn the_type_of_a_body_is_compared_without_case_and_parameters() {
    for (media, expected) in [
        ("TEXT/Json; a=b", "S,A,E,R"),
        ("*/*", "S,A,E,R"),
        ("application/*", "S,A,E,R"),
        ("application/vnd.x+json", "415"),
        ("application/octet-stream", "415"),
        ("application/json;", "415"),
        ("nonsense", "415"),
    ] {
        assert_eq!(bound(&typed(media, JSON)), expected, "{media}");
    }
    let two_types = post(&[("Content-Type", "application/json"), ("Content-Type", "application/json")], JSON);
    assert_eq!(bound(&two_types), "415");
}

#[test]
fn an_empty_body_whose_length_is_announced_is_no_body() {
    for media in ["application/json", "text/xml", FORM, "text/plain"] {
        let mut request = typed(media, "");
        assert_eq!(bound(&request), "null", "{media}");
        request.has_length = false;
        let chunked = match media {
            "text/xml" => "null | model",
            "text/plain" => "415",
            _ => "null",
        };
        assert_eq!(bound(&request), chunked, "{media}, chunked");
    }
}

#[test]
fn the_first_generation_knows_no_415() {
    let one = host(Generation::One, &[], &[]);
    assert_eq!(bound_by(&one, &typed("text/plain", JSON)), "500");
    assert_eq!(bound_by(&one, &post(&[], JSON)), "null");
    assert_eq!(bound_by(&one, &typed("text/plain", "")), "500");
    assert_eq!(bound_by(&one, &typed(FORM, "RefreshToken=1&refreshtoken=2")), "-,-,-,(Collection)");
}

#[test]
fn a_json_document_is_read_as_json_net_reads_it() {
    let number_of_brackets =
        |count: usize| format!("{{\"x\":{}{},\"RefreshToken\":\"R\"}}", "[".repeat(count), "]".repeat(count));
    let cases = [
        // Names and values.
        (r#"{"REFRESHTOKEN":"R","statecode":"S"}"#, "S,-,-,R"),
        (r#"{"RefreshToken":"2012-04-23T18:25:43.511Z"}"#, "-,-,-,2012-04-23T18:25:43.511Z"),
        (r#"{"RefreshToken":NaN,"stateCode":-Infinity}"#, "-Infinity,-,-,NaN"),
        (r#"{"RefreshToken":false,"stateCode":0x1F}"#, "31,-,-,False"),
        (r#"{"RefreshToken":null}"#, "-,-,-,-"),
        (r#"{"RefreshToken":"\ud83d\ude00\ude00"}"#, "-,-,-,\u{1F600}\u{FFFD}"),
        (r#"{"x":{"RefreshToken":"inner"},"y":[{}],"RefreshToken":"R"}"#, "-,-,-,R"),
        // References.
        (r#"{"$id":"1","RefreshToken":"R"}"#, "-,-,-,R"),
        (r#"{"$ref":"1"}"#, "null"),
        (r#"{"$ref":"1","RefreshToken":"R"}"#, "null | model.RefreshToken"),
        (r#"{"$type":null,"RefreshToken":"R"}"#, "null | model.$type"),
        // Roots.
        (r#""""#, "null"),
        (r#""text""#, "null | model"),
        ("undefined", "null"),
        ("/*c*/{}", "-,-,-,-"),
        ("{}garbage", "-,-,-,-"),
        ("new Date(1)", "null | model"),
        // Truncated.
        ("{", "null | model"),
        (r#"{"stateCode""#, "null | model"),
        (r#"{"stateCode":"S","RefreshToken""#, "null | model.stateCode"),
        (r#"{"stateCode":"S","RefreshToken":"#, "S,-,-,- | model.RefreshToken model.RefreshToken"),
        (r#"{"stateCode":"S","x":"#, "S,-,-,- | model.x"),
        (r#"{"stateCode":"S","#, "S,-,-,- | model.stateCode"),
        // Bad values.
        (r#"{"RefreshToken":09}"#, "-,-,-,- | model.RefreshToken model"),
        (r#"{"stateCode":09,"RefreshToken":"R"}"#, "null | model.stateCode model.RefreshToken"),
        (r#"{"RefreshToken":"\x"}"#, "null | model.RefreshToken model.RefreshToken"),
        (r#"{"RefreshToken":{"a":[1,{}]},"stateCode":"S"}"#, "S,-,-,- | model.RefreshToken"),
        (r#"{"RefreshToken":]}"#, "null | model model"),
        (r#"{"x":[1,2,tru]}"#, "null | model.x[1] model.x[1]"),
        (r#"{"a b":tru}"#, "null | model['a b'] model['a b']"),
        (r#"{"RefreshToken":,"stateCode":"S"}"#, "S,-,-,- | model.RefreshToken"),
    ];
    for (document, expected) in cases {
        assert_eq!(bound(&typed("application/json", document)), expected, "{document}");
    }
    assert_eq!(bound(&typed("application/json", number_of_brackets(255))), "-,-,-,R");
    assert!(bound(&typed("application/json", number_of_brackets(256))).starts_with("null | model.x[0][0]"));
}

#[test]
fn an_xml_document_is_read_forward_only() {
    let cases = [
        (
            "<AuthString>A</AuthString><expiredAccessToken>E</expiredAccessToken><RefreshToken>R</RefreshToken>",
            "-,A,E,-",
        ),
        ("<RefreshToken>1</RefreshToken><RefreshToken>2</RefreshToken><stateCode>S</stateCode>", "S,-,-,1"),
        ("<RefreshToken/><stateCode></stateCode>", ",-,-,"),
        ("<RefreshToken>R<!--c-->S</RefreshToken>", "-,-,-,RS"),
        ("<RefreshToken><![CDATA[a<b]]>&amp;&#x41;&#66;&quot;&apos;</RefreshToken>", "-,-,-,a<b&AB\"'"),
        ("<RefreshToken >R</RefreshToken >", "-,-,-,R"),
        ("<RefreshToken nil=\"true\" xml:space='preserve'>R</RefreshToken>", "-,-,-,R"),
        ("<RefreshToken i:nil=\" false \">R</RefreshToken>", "-,-,-,R"),
        (" \r\n<![CDATA[ ]]>&#32;<RefreshToken>R</RefreshToken>", "-,-,-,R"),
        ("<RefreshToken>a]b]]c</RefreshToken>", "-,-,-,a]b]]c"),
        ("<RefreshToken>a\rb</RefreshToken>", "-,-,-,a\nb"),
        // Refused.
        ("<RefreshToken i:nil=\"yes\">R</RefreshToken>", "null | model"),
        ("text<RefreshToken>R</RefreshToken>", "null | model"),
        ("<RefreshToken>R]]></RefreshToken>", "null | model"),
        ("<RefreshToken>R<b/></RefreshToken>", "null | model"),
        ("<RefreshToken a='1' a='2'>R</RefreshToken>", "null | model"),
        ("<RefreshToken a='1'b='2'>R</RefreshToken>", "null | model"),
        ("<RefreshToken a=1>R</RefreshToken>", "null | model"),
        ("<p:RefreshToken>R</p:RefreshToken>", "null | model"),
        ("<RefreshToken>R</refreshToken>", "null | model"),
        ("<RefreshToken>\u{1}</RefreshToken>", "null | model"),
        ("<RefreshToken>\u{FFFE}</RefreshToken>", "null | model"),
        ("<RefreshToken>&nbsp;</RefreshToken>", "null | model"),
        ("<!-- -- -->", "null | model"),
        ("<?xml version=\"1.0\"?>", "null | model"),
        ("<RefreshToken", "null | model"),
    ];
    for (members, expected) in cases {
        assert_eq!(bound(&typed("application/xml", xml(members))), expected, "{members}");
    }
}

#[test]
fn what_stands_around_the_root_matters() {
    let whole = xml(MEMBERS);
    let cases = [
        (format!("<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<!--c-->{whole}\n"), "S,A,E,R"),
        (format!("{whole}<!--c-->"), "S,A,E,R"),
        (format!(" <?xml version='1.0'?>{whole}"), "null | model"),
        (format!("<?xml version='1.0' encoding='iso-8859-1'?>{whole}"), "null | model"),
        (format!("<?xml encoding='utf-8'?>{whole}"), "null | model"),
        (format!("<?xml-stylesheet href='x'?>{whole}"), "null | model"),
        (format!("<!DOCTYPE x>{whole}"), "null | model"),
        (format!("{whole}garbage"), "null | model"),
        (format!("{whole}{whole}"), "null | model"),
        (whole.replace("PFMS\"", "Pfms\""), "null | model"),
        (format!("<{ROOT}>{MEMBERS}</{ROOT}>"), "null | model"),
        ("   ".to_owned(), "null | model"),
        ("     ".to_owned(), "null | model"),
    ];
    for (document, expected) in cases {
        assert_eq!(bound(&typed("text/xml", &document)), expected, "{document}");
    }
}

#[test]
fn the_depth_of_xml_is_limited() {
    let nested = |count: usize| xml(&format!("{}{}{MEMBERS}", "<a>".repeat(count), "</a>".repeat(count)));
    assert_eq!(bound(&typed("application/xml", nested(255))), "S,A,E,R");
    assert_eq!(bound(&typed("application/xml", nested(256))), "null | model");
}

#[test]
fn the_label_and_the_bytes_of_xml_must_agree() {
    let wide = |mark: &[u16], text: &str| {
        mark.iter().copied().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let whole = xml(MEMBERS);
    assert_eq!(bound(&typed("application/xml; charset=utf-16", wide(&[0xFEFF], &whole))), "S,A,E,R");
    assert_eq!(bound(&typed("application/xml; charset=utf-16", wide(&[], &whole))), "S,A,E,R");
    assert_eq!(bound(&typed("application/xml", wide(&[0xFEFF], &whole))), "null | model");
    assert_eq!(bound(&typed("application/xml; charset=utf-16", &whole)), "null | model");
    let mut bad = xml("<RefreshToken>~</RefreshToken>").into_bytes();
    let at = bad.iter().position(|byte| *byte == b'~').expect("it was written");
    bad[at] = 0xFF;
    assert_eq!(bound(&typed("application/xml", bad)), "null | model");
}

#[test]
fn a_form_is_bound_by_the_names_of_jquery() {
    for (form, expected) in [
        ("RefreshToken=a%2Bb%3D%3D&stateCode=07", "07,-,-,a+b=="),
        ("RefreshToken=1;stateCode=2", "-,-,-,1;stateCode=2"),
        ("RefreshToken=%FFx", "-,-,-,\u{FFFD}x"),
        ("RefreshToken=%20", "-,-,-,-"),
        ("RefreshToken", "-,-,-,-"),
        ("&", "-,-,-,-"),
        ("RefreshToken=1&REFRESHTOKEN=2", "-,-,-,1"),
        ("x[RefreshToken]=1&RefreshToken[0]=2&RefreshToken[a]=3", "-,-,-,-"),
        ("a[b=1&RefreshToken=R", "null | model"),
    ] {
        assert_eq!(bound(&typed(&format!("{FORM}; charset=iso-8859-1"), form)), expected, "{form}");
    }
    let many = (0..10_000).fold(String::new(), |many, key| many + "k" + &key.to_string() + "=v&");
    assert_eq!(bound(&typed(FORM, many + "RefreshToken=R")), "-,-,-,R");
}

#[test]
fn the_query_is_not_bound() {
    let mut request = typed("application/json", "");
    request.target += "?RefreshToken=R";
    assert_eq!(bound(&request), "null");
}

#[test]
fn the_answer_is_negotiated() {
    for (request_type, accept, expected) in [
        ("text/json", None, "text/json"),
        ("text/xml", None, "text/xml"),
        (FORM, None, "application/json"),
        ("application/json", Some("text/*"), "text/json"),
        ("text/xml", Some("text/html"), "text/xml"),
        ("application/json", Some("text/html;q=0.9, application/*;q=0.1, text/xml;q=0.2"), "text/xml"),
        ("application/json", Some("*/*, text/xml"), "text/xml"),
        ("application/json", Some("*/*, text/xml;q=0.9"), "application/json"),
        ("application/json", Some("application/xml, garbage"), "application/json"),
        ("application/json", Some("application/xml;q=0, application/json;q=0"), "application/json"),
    ] {
        let body = match request_type {
            "text/xml" => xml(MEMBERS),
            FORM => "RefreshToken=R".to_owned(),
            _ => JSON.to_owned(),
        };
        let mut headers = vec![("Content-Type", request_type)];
        headers.extend(accept.map(|accept| ("Accept", accept)));
        let answer = echoed(&two(), &post(&headers, body));
        assert_eq!(header(&answer, "content-type"), format!("{expected}; charset=utf-8"), "{accept:?}");
    }
}

#[test]
fn an_xml_http_request_without_wishes_is_answered_in_json() {
    let ask = |accept: &str| {
        let headers =
            [("Content-Type", "text/xml"), ("Accept", accept), ("X-Requested-With", "xmlhttprequest")];
        let answer = echoed(&two(), &post(&headers, xml(MEMBERS)));
        header(&answer, "content-type").to_owned()
    };
    assert_eq!(ask("*/*"), "application/json; charset=utf-8");
    assert_eq!(ask(""), "application/json; charset=utf-8");
    assert_eq!(ask("text/xml"), "text/xml; charset=utf-8");
}

#[test]
fn refusals_of_the_framework_are_negotiated_too() {
    let ask = |method: &str, target: &str| {
        let mut request = post(&[("Accept", "text/xml"), ("Host", "h.example")], "");
        (request.method, request.target) = (method.to_owned(), target.to_owned());
        let answer = echoed(&two(), &request);
        (answer.status, header(&answer, "allow").to_owned(), body(&answer))
    };
    let path = "/api/PFMS/pfms_get_refresh_token";
    for method in ["GET", "HEAD", "DELETE", "PATCH", "Invented"] {
        let message = format!("The requested resource does not support http method '{method}'.");
        let expected = format!("<Error><Message>{message}</Message></Error>");
        assert_eq!(ask(method, path), (405, "POST".to_owned(), expected));
    }
    assert_eq!(ask("post", path).0, 200);
    let (status, _, document) = ask("POST", "/api/PFMS/%3Cx%3E?a=%26");
    assert_eq!(status, 404);
    assert!(document.contains("'http://h.example/api/PFMS/&lt;x&gt;?a=&amp;'"), "{document}");
}

#[test]
fn errors_of_one_key_stand_together() {
    let mut request = accepting("application/xml");
    request.target = "/api/PFMS/strict".to_owned();
    request.body = br#"{"RefreshToken":"#.to_vec();
    let answer = echoed(&two(), &request);
    let told = "An error has occurred. An error has occurred.";
    assert!(body(&answer).contains(&format!("<model.RefreshToken>{told}</model.RefreshToken>")));
    request.headers[1].1 = b"application/json".to_vec();
    let answer = echoed(&two(), &request);
    let told = r#"{"model.RefreshToken":["An error has occurred.","An error has occurred."]}"#;
    assert!(body(&answer).contains(told), "{}", body(&answer));
}

#[test]
fn a_value_that_is_no_object_has_the_namespace_of_the_serializer() {
    let mut request = accepting("application/xml");
    request.target = "/api/PFMS/strict".to_owned();
    let answer = echoed(&two(), &request);
    let namespace = "http://schemas.microsoft.com/2003/10/Serialization/";
    assert_eq!(body(&answer), format!("<int xmlns=\"{namespace}\">1</int>"));
}

#[test]
fn a_control_character_in_xml_is_written_or_throws() {
    let mut request = accepting("application/xml");
    request.body = br#"{"RefreshToken":"a\u0001\r\n\ufffe"}"#.to_vec();
    assert!(body(&echoed(&two(), &request)).contains("<refreshToken>a&#x1;\n&#xFFFE;</refreshToken>"));
    let answer = echoed(&host(Generation::One, &[], &[]), &request);
    assert_eq!(
        (answer.status, body(&answer).as_str()),
        (500, "<Error><Message>An error has occurred.</Message></Error>")
    );
}

#[test]
fn the_web_host_adds_its_headers_to_every_answer() {
    let mut host = Pipeline::new(Generation::Two, echo::actions(), Quirks::default());
    let mut lost = accepting("application/json");
    lost.target = "/nowhere".to_owned();
    for request in [accepting("application/json"), lost] {
        let answer = echoed(&host, &request);
        assert_eq!((header(&answer, "cache-control"), header(&answer, "expires")), ("no-cache", "-1"));
        assert_eq!(header(&answer, "x-powered-by"), "ASP.NET");
    }
    host.quirks = Quirks::new(&[], &[Variant::NoBanners, Variant::HeaderNoise]);
    let answer = echoed(&host, &accepting("application/json"));
    assert_eq!((header(&answer, "x-powered-by"), header(&answer, "server")), ("", ""));
    assert_ne!(header(&answer, "x-request-id"), "");
}

#[test]
fn variants_are_unusual_and_right() {
    let empty = host(Generation::Two, &[], &[Variant::EmptyForNull]);
    let document = body(&echoed(&empty, &accepting("application/json")));
    assert!(document.contains(r#""DateOfData":"","#) && !document.contains("null"), "{document}");
    let document = body(&echoed(&empty, &accepting("application/xml")));
    assert!(document.contains("<DateOfData></DateOfData>") && !document.contains("nil"), "{document}");
    let tie = host(Generation::Two, &[], &[Variant::TieXml]);
    let of = |accept: &str| header(&echoed(&tie, &accepting(accept)), "content-type").to_owned();
    assert_eq!(of("application/json, application/xml"), "application/xml; charset=utf-8");
    assert_eq!(of("*/*"), "application/json; charset=utf-8");
    let refusing = host(Generation::Two, &[], &[Variant::NotAcceptable]);
    let form = post(&[("Content-Type", FORM), ("Accept", "text/html")], "RefreshToken=R");
    assert_eq!(echoed(&refusing, &form).status, 406);
    assert_eq!(echoed(&refusing, &accepting("text/html")).status, 200);
}

/// A full answer of the page's classes, for switches that change what is written.
fn full(call: &Call) -> ActionResult {
    let text = |text: &str| Graph::Text(text.to_owned());
    let inner = ["a", "r", "c", "e"].map(text).into_iter();
    let inner = inner.chain([Graph::Null, Graph::Null, text("True"), Graph::Null]).collect();
    if call.bound.model.is_none() {
        return ActionResult::InvalidModel;
    }
    ActionResult::Ok(Graph::Object(vec![
        text("00"),
        text("ok"),
        text("fine"),
        Graph::Null,
        Graph::Object(inner),
    ]))
}

/// What a switch must leave in the answer to a request: a status, or a piece of headers and body.
fn shows(defect: Defect, request: &HttpRequest, piece: &str) {
    let shown = |defects: &[Defect]| {
        let host = host(Generation::Two, defects, &[]);
        let answers = [host.serve(request, &full), host.serve(request, &full)];
        answers.map(|answer| {
            let headers: Vec<String> =
                answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            format!("{} {} {text}", answer.status, headers.join(", "))
        })
    };
    let (clean, wrong) = (shown(&[]), shown(&[defect]));
    assert!(
        clean.iter().all(|answer| !answer.contains(piece)),
        "{}: clean already shows {piece}",
        defect.word()
    );
    assert!(wrong.iter().any(|answer| answer.contains(piece)), "{}: {wrong:?} lacks {piece}", defect.word());
}

#[test]
fn every_switch_of_writing_does_what_it_says() {
    let (json, xml) = (accepting("application/json"), accepting("application/xml"));
    for (defect, request, piece) in [
        (Defect::JsonAsTextJson, &json, "text/json; charset"),
        (Defect::XmlLabelledJson, &xml, "application/json; charset=utf-8 <Resp"),
        (Defect::TextJsonAnswerRelabelled, &accepting("text/json"), "application/json; charset"),
        (Defect::TextXmlAnswerRelabelled, &accepting("text/xml"), "application/xml; charset"),
        (Defect::CharsetMislabelled, &json, "charset=iso-8859-1"),
        (Defect::EnvelopeCamel, &json, "\"ackCode\":\"00\",\"status\""),
        (Defect::EnvelopeExtra, &json, "\"ServerNode\":"),
        (Defect::EnvelopeExtra, &xml, "<ServerNode>NODE-01</ServerNode><Status>"),
        (Defect::InnerMemberMissing, &json, "\"expires\":\"e\",\"errorMessage\""),
        (Defect::InnerMemberMissing, &xml, "</refreshToken></RefreshTokenResponse>"),
        (Defect::FlagAsBoolean, &json, "\"isSuccess\":true"),
        (Defect::InnerAsText, &json, "\"RefreshTokenResponse\":\"{\\\"accessToken\\\":"),
        (Defect::InnerAsList, &json, "\"RefreshTokenResponse\":[{\"accessToken\":"),
        (Defect::XmlNamespaceCase, &xml, "07/BLL.Pfms\">"),
        (Defect::XmlNoNamespace, &xml, "XMLSchema\"><AckCode>00</AckCode><Status>"),
        (Defect::XmlDeclarationOrder, &xml, "</AckCode><Status>"),
        (Defect::XmlNullText, &xml, "<DateOfData>null</DateOfData>"),
        (Defect::XmlNullEmpty, &xml, "<DateOfData></DateOfData>"),
        (Defect::JsonOrderShuffled, &json, "{\"Status\""),
        (Defect::JsonDuplicateMember, &json, "},\"AckCode\":\"00\"}"),
        (Defect::JsonCaseTwin, &json, "},\"ackCode\":\"00\"}"),
        (Defect::XmlControlCharacter, &xml, "fine&#x1;</Remarks>"),
        (Defect::XmlControlCharacter, &json, "fine\\u0001\""),
    ] {
        shows(defect, request, piece);
    }
}

#[test]
fn every_switch_of_negotiation_does_what_it_says() {
    let untyped = |media: &'static str, body: String| post(&[("Content-Type", media)], body);
    let form = |accept: &'static str| post(&[("Content-Type", FORM), ("Accept", accept)], "RefreshToken=R");
    let mut refused = accepting("application/xml");
    refused.body.clear();
    let utf16 = post(&[("Content-Type", "application/json; charset=utf-16")], wide(JSON));
    for (defect, request, piece) in [
        (Defect::AcceptIgnored, &accepting("application/xml"), "application/json"),
        (Defect::FormAnswersJson, &form("text/xml"), "application/json"),
        (Defect::NoAcceptJson, &untyped("text/xml", xml(MEMBERS)), "application/json"),
        (Defect::NoAcceptFormXml, &untyped(FORM, "RefreshToken=R".to_owned()), "application/xml"),
        (Defect::WildcardRefused, &accepting("*/*"), "406 "),
        (
            Defect::QualityIgnored,
            &accepting("application/json;q=0.4, application/xml;q=0.5"),
            "application/json",
        ),
        (Defect::TieAlternates, &accepting("application/xml, application/json"), "application/xml"),
        (Defect::QualityZeroServed, &accepting("application/json;q=0, application/xml"), "application/json"),
        (Defect::UnacceptableHtml, &accepting("text/html"), "<html>"),
        (Defect::UnacceptableCrash, &accepting("text/html"), "500 "),
        (Defect::ErrorsAlwaysJson, &refused, "application/json"),
        (Defect::Utf16Mislabelled, &utf16, "charset=utf-8"),
        (Defect::Utf16Crash, &utf16, "500 "),
    ] {
        shows(defect, request, piece);
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn every_switch_of_reading_does_what_it_says() {
    let to = |method: &str, target: &str| {
        let mut request = accepting("application/json");
        (request.method, request.target) = (method.to_owned(), format!("/api/PFMS/{target}"));
        request
    };
    let mut preflight = to("OPTIONS", "pfms_get_refresh_token");
    preflight.headers.push(("Origin".to_owned(), b"https://elsewhere.example".to_vec()));
    let mut query = to("POST", "pfms_get_refresh_token?RefreshToken=R");
    query.body.clear();
    let mut put = to("PUT", "pfms_get_refresh_token");
    put.headers.truncate(1);
    let json = "application/json";
    for (defect, request, piece) in [
        (Defect::TextJsonRefused, &typed("text/json", JSON), "415 "),
        (Defect::TextXmlRefused, &typed("text/xml", xml(MEMBERS)), "415 "),
        (Defect::FormRefused, &typed(FORM, "RefreshToken=R"), "415 "),
        (Defect::TypeCaseSensitive, &typed("Application/JSON", JSON), "415 "),
        (Defect::TypeSniffed, &typed("text/plain", JSON), "200 "),
        (Defect::UntypedSniffed, &post(&[], JSON), "200 "),
        (Defect::BomBreaks, &typed(json, format!("\u{FEFF}{JSON}")), "400 "),
        (Defect::BomBreaks, &typed("text/xml", format!("\u{FEFF}{}", xml(MEMBERS))), "400 "),
        (Defect::Latin1Replaced, &typed(json, b"{\"RefreshToken\":\"R\xE9\"}"), "200 "),
        (Defect::EmptyBodyCrash, &typed(json, ""), "500 "),
        (Defect::NullDocumentCrash, &typed(json, "[]"), "500 "),
        (Defect::TwoRootsAccepted, &typed("text/xml", xml(MEMBERS).repeat(2)), "200 "),
        (Defect::MalformedXmlCrash, &typed("text/xml", &xml(MEMBERS)[..150]), "500 "),
        (Defect::PutRefreshes, &put, "200 "),
        (Defect::OptionsWildcard, &preflight, "Access-Control-Allow-Origin: https://elsewhere.example"),
        (Defect::UnknownActionTrace, &to("POST", "nope"), "\"StackTrace\":\""),
        (Defect::QueryBinds, &query, "200 "),
    ] {
        shows(defect, request, piece);
    }
    let answer = echoed(&host(Generation::Two, &[Defect::NoAllow], &[]), &put);
    assert_eq!((answer.status, header(&answer, "allow")), (405, ""));
}

#[test]
fn switches_of_what_is_bound_do_what_they_say() {
    let by = |defect, request: &HttpRequest| bound_by(&host(Generation::Two, &[defect], &[]), request);
    assert_eq!(by(Defect::XmlOrderOfInput, &typed("text/xml", xml(MEMBERS))), "S,-,-,-");
    let declared = "<stateCode>S</stateCode><AuthString>A</AuthString><x/><expiredAccessToken>E</expiredAccessToken>\
        <RefreshToken>R</RefreshToken>";
    assert_eq!(by(Defect::XmlOrderOfInput, &typed("text/xml", xml(declared))), "S,A,E,R");
    let kept = "RefreshToken=a%2Bb";
    assert_eq!(by(Defect::FormPercentKept, &typed(FORM, kept)), "-,-,-,a%2Bb");
    assert_eq!(by(Defect::Latin1Replaced, &typed("text/json", b"{\"RefreshToken\":\"R\xE9\"}")), "-,-,-,R");
}

#[test]
fn no_bytes_make_it_fail() {
    use rand::{RngExt as _, SeedableRng as _};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let seeds = [JSON.to_owned(), xml(MEMBERS), "RefreshToken=a%2Bb&stateCode[]=S&x[y]=1".to_owned()];
    let types = ["application/json", "text/xml", FORM, "application/json; charset=utf-16", "a/b;=\"\\"];
    let spice = b"{}[]()<>&;:=!?/\\\"'%#\x00\xFF\xC3\xEF\xBF0x9-+eE.,nutf*$ \r\n";
    for round in 0..20_000 {
        let mut body = seeds[random.random_range(0..seeds.len())].clone().into_bytes();
        for _ in 0..random.random_range(1..6) {
            let at = random.random_range(0..body.len());
            match random.random_range(0..3) {
                0 => body[at] = spice[random.random_range(0..spice.len())],
                1 => body.insert(at, spice[random.random_range(0..spice.len())]),
                _ => body.truncate(at.max(1)),
            }
        }
        let noise: Vec<u8> = (0..8).map(|_| spice[random.random_range(0..spice.len())]).collect();
        let mut request = typed(types[round % types.len()], body);
        request.headers.push(("Accept".to_owned(), noise.clone()));
        request.headers.push(("Accept-Charset".to_owned(), noise.clone()));
        if round % 7 == 0 {
            request.headers[0].1 = noise.clone();
            request.target = format!("/api/PFMS/{}", String::from_utf8_lossy(&noise));
        }
        let generation = if round % 2 == 0 { Generation::Two } else { Generation::One };
        let answer = echoed(&host(generation, &[], &[]), &request);
        assert!([200, 404, 405, 415, 500].contains(&answer.status), "{}", answer.status);
    }
}

#[test]
fn a_hostile_document_costs_no_more_than_its_size() {
    let long = "u".repeat(500_000);
    let declared = format!("<{ROOT} xmlns:p=\"{long}\" xmlns=\"{NAMESPACE}\">");
    let names = "<p:a p:b=''/>".repeat(40_000);
    let document = format!("{declared}{names}</{ROOT}>");
    let errors = format!("{{{}}}", "\"RefreshToken\":{},\n".repeat(50_000));
    let brackets = "[".repeat(1_000_000);
    let started = std::time::Instant::now();
    assert_eq!(bound(&typed("text/xml", document)), "-,-,-,-");
    assert!(bound(&typed("text/json", errors)).starts_with("-,-,-,-"));
    assert_eq!(bound(&typed("text/json", brackets)), "null | model");
    assert!(
        bound(&typed("text/json", format!("{{\"x\":{}", "[".repeat(1_000_000)))).starts_with("-,-,-,- | ")
    );
    assert!(started.elapsed().as_secs() < 60, "an order of magnitude beyond what it takes");
}
