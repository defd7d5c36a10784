//! Both built-in dialects, and mistakes with the words that answer them.

use crate::dialect::{
    Blank, Codec, DateFormat, DeclaredKind, Dialect, ErrorClass, Reading, Shape, Text, TextPart, XmlOrder,
    Zone, builtin, parse,
};
use crate::source::{Diagnostic, SourceFile};
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace, Link};

#[track_caller]
fn good(text: &str) -> Dialect {
    let file = SourceFile::new("d.yaml", text);
    parse(&file).unwrap_or_else(|found| panic!("{}", crate::source::render(&found, false)))
}

fn wrong(text: &str) -> Vec<Diagnostic> {
    parse(&SourceFile::new("d.yaml", text)).expect_err(text)
}

/// A small dialect that is right.
const SMALL: &str = r"assay-dialect: 1
name: small
slots: [refresh]
operations:
  refresh:
    method: POST
    path: /token
    accepts: { json: { types: [application/json], body: { refresh: $refresh } } }
    answers:
      types: [application/json]
      fields: { access: /access, expires: { at: access#exp, as: epoch, of: access } }
";

/// SMALL with one thing changed: the words under the caret, the message, the label.
#[track_caller]
fn mistake(from: &str, to: &str, expected: &[(&str, &str, &str)]) {
    assert!(SMALL.contains(from), "{from}");
    let text = SMALL.replacen(from, to, 1);
    let file = SourceFile::new("d.yaml", text.clone());
    let found = wrong(&text);
    let found: Vec<_> = found
        .iter()
        .map(|found| (file.slice(found.at.span), found.message.as_str(), found.label.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn what_may_be_shown_and_what_ties_a_token_is_there() {
    let answers = "      fields: {";
    let declared = |more: &str| format!("      body: {{ access: text, note: text? }}\n{answers}{more}");
    let with = |last: &str| SMALL.replacen(answers, &declared(""), 1) + last;
    good(&with("showable: [note, NOTE, refresh, exp]\nlinks: { family: access#sid }\n"));
    // Nothing is declared, so nobody can tell.
    good(&format!("{SMALL}showable: [anything]\n"));
    let told = |last: &str| {
        let found = wrong(&with(last));
        assert_eq!(found.len(), 1);
        (found[0].message.clone(), found[0].label.clone())
    };
    assert_eq!(
        told("showable: [nota]\n"),
        ("`nota` is no member of this dialect".to_owned(), "did you mean `note`?".to_owned())
    );
    let (message, _) = told("links: { family: id#sid }\n");
    assert_eq!(message, "no operation of this dialect maps the field `id`");
}

#[test]
fn pfms_is_what_the_page_says() {
    let pfms = builtin("pfms").unwrap();
    assert_eq!(pfms.links[&Link::Tenant], FieldPlace::Claim(Field::Access, "state".to_owned()));
    assert_eq!(pfms.blank, [Blank::Null, Blank::Text(String::new()), Blank::Text("0".to_owned())]);
    assert_eq!(pfms.dates.formats[2], DateFormat::Pattern("dd-MM-yyyy HH:mm:ss".to_owned()));
    let refresh = pfms.refresh();
    assert!(refresh.documented && !pfms.operation(Operation::Probe).unwrap().documented);
    let names = |format: &str| -> Vec<&str> {
        refresh.accepts[format].body.iter().map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(names("json"), ["stateCode", "AuthString", "expiredAccessToken", "RefreshToken"]);
    assert_eq!(names("xml"), ["AuthString", "RefreshToken", "expiredAccessToken", "stateCode"]);
    assert_eq!(refresh.format("text/xml").unwrap().2, "text/xml");
    assert_eq!(refresh.accepts["form"].codec, Codec::Form);
    let xml = refresh.answers.xml.as_ref().unwrap();
    assert_eq!((xml.root.as_str(), xml.order), ("ResponseModelRefreshToken", XmlOrder::Ordinal));
    assert_eq!(refresh.answers.fields[&Field::Ok].reading, Reading::Flag);
}

#[test]
fn the_two_formats_of_a_pfms_request_hold_the_same_members() {
    for speech in builtin("pfms").unwrap().operations.values() {
        let mut bodies = speech.accepts.values().map(|accepts| {
            let mut body: Vec<_> =
                accepts.body.iter().map(|(name, shape)| (name.clone(), format!("{shape:?}"))).collect();
            body.sort();
            body
        });
        let first = bodies.next();
        assert!(bodies.all(|body| Some(&body) == first.as_ref()));
    }
}

#[test]
fn xml_requests_of_pfms_are_in_ordinal_order() {
    for speech in builtin("pfms").unwrap().operations.values() {
        for accepts in speech.accepts.values().filter(|accepts| accepts.codec == Codec::Xml) {
            assert!(accepts.body.is_sorted_by_key(|(name, _)| name.clone()), "{}", speech.path);
        }
    }
}

#[test]
fn oauth2_is_what_its_rfc_says() {
    let oauth2 = builtin("oauth2").unwrap();
    let refresh = oauth2.refresh();
    assert_eq!(refresh.auth.len(), 3);
    assert_eq!(
        refresh.accepts["form"].body[0].1,
        Shape::Text(Text(vec![TextPart::Plain("refresh_token".to_owned())]))
    );
    assert_eq!(refresh.accepts["form"].body[1].1, Shape::Text(Text(vec![TextPart::Slot(Slot::Refresh)])));
    assert!(refresh.answers.fields[&Field::Refresh].absent_keeps);
    let Some(body) = &refresh.answers.body else { panic!() };
    assert!(body[2].1.optional && body[2].1.kind == DeclaredKind::Number);
    assert!(oauth2.errors.iter().any(|(_, class)| *class == ErrorClass::InvalidScope));
    assert!(builtin("nothing").is_none());
}

#[test]
fn what_is_left_out_has_a_meaning() {
    let small = good(SMALL);
    assert_eq!(small.refresh().answers.granted.text, "status == 200 and filled(access)");
    assert_eq!(small.blank, [Blank::Null, Blank::Text(String::new())]);
    assert_eq!(small.dates.formats, [DateFormat::Iso]);
    assert_eq!(small.dates.zone, Zone::Unknown);
    let zoned = good(&format!("{SMALL}dates: {{ formats: [iso], zone: \"+05:30\" }}\n"));
    assert_eq!(zoned.dates.zone, Zone::Fixed(19_800));
}

#[test]
fn a_nested_dialect_with_prefixes_is_read() {
    let soap = good(
        r#"assay-dialect: 1
name: soap
slots: [refresh, access, tenant]
operations:
  refresh:
    method: POST
    path: /TokenService.svc
    headers: { SOAPAction: '"urn:tokens/Refresh"' }
    accepts:
      xml:
        types: [text/xml]
        root: s:Envelope
        namespaces: { s: http://schemas.xmlsoap.org/soap/envelope/, t: urn:tokens }
        body: { s:Header: { t:Tenant: $tenant }, s:Body: { t:Refresh: { t:access: $access, t:refresh: $refresh } } }
    answers:
      types: [text/xml]
      fields: { access: /s:Body/t:RefreshResponse/t:access, refresh: /s:Body/t:RefreshResponse/t:refresh, code: /s:Body/s:Fault/faultcode }
      granted: status == 200 and filled(access)
      refused: filled(code)
      crash: status >= 500 and blank(code)
"#,
    );
    assert!(matches!(&soap.refresh().accepts["xml"].body[1].1, Shape::Object(_)));
    assert!(soap.refresh().answers.refused.is_some());
}

#[test]
fn mistakes_of_meaning_are_found_at_their_words() {
    mistake(
        "assay-dialect: 1",
        "assay-dialect: 2",
        &[("2", "`assay-dialect: 2` is not known", "this is version 1")],
    );
    mistake(
        "[refresh]",
        "[refesh]",
        &[
            ("refesh", "`refesh` is no slot", "did you mean `refresh`?"),
            ("$refresh", "the slot `refresh` is not declared", "put `refresh` into `slots`"),
        ],
    );
    mistake("$refresh", "$refrsh", &[("$refrsh", "`refrsh` is no slot", "did you mean `refresh`?")]);
    mistake(
        "$refresh",
        "$tenant",
        &[("$tenant", "the slot `tenant` is not declared", "put `tenant` into `slots`")],
    );
    mistake("POST", "post", &[("post", "`post` is no HTTP method", "write e.g. `POST`")]);
    mistake("/token", "token", &[("token", "`token` is no path", "it begins with `/` and has no query")]);
    mistake(
        "types: [application/json], body",
        "types: [application/x-thing], body",
        &[(
            "application/x-thing",
            "`application/x-thing` does not tell how documents are written",
            "write `codec: json`, `xml` or `form` beside it",
        )],
    );
    mistake(
        "types: [application/json], body",
        "types: [text/xml], body",
        &[("types", "the format `json` needs a `root`", "XML has a root element")],
    );
    mistake(
        "access: /access,",
        "acces: /access,",
        &[
            (
                "answers",
                "`refresh` needs to know where the access token is",
                "`fields: { access: /… }` is missing here",
            ),
            ("acces", "`acces` is no field", "did you mean `access`?"),
            ("expires", "`access` has to be mapped to a place of its own", "this looks into it"),
        ],
    );
    mistake(
        "as: epoch",
        "as: epoc",
        &[("epoc", "`epoc` is no way to read a value", "did you mean `epoch`?")],
    );
    mistake("access#exp", "acess#exp", &[("acess#exp", "`acess` is no field", "did you mean `access`?")]);
    mistake(
        "  refresh:\n",
        "  refresh2:\n",
        &[
            ("operations", "a dialect needs the operation `refresh`", "`refresh` is missing here"),
            ("refresh2", "`refresh2` is no operation", "did you mean `refresh`?"),
        ],
    );
}

#[test]
fn rules_are_checked_word_by_word() {
    let with = |line: &str| format!("      types: [application/json]\n      {line}\n      fields");
    let rule = |line: &str, expected: &[(&str, &str, &str)]| {
        mistake("      types: [application/json]\n      fields", &with(line), expected);
    };
    rule(
        "granted: status == 200 and filled(acess)",
        &[("acess", "`acess` is no name of an answer", "did you mean `access`?")],
    );
    rule("granted: status = 200", &[("=", "`=` compares nothing", "")]);
    rule("crash: 'filled(code)'", &[("code", "the field `code` is not mapped", "put it into `fields`")]);
    rule("refused: status", &[("status", "this is no condition", "write e.g. `status == 200`")]);
}

#[test]
fn mistakes_elsewhere_are_found_too() {
    let found = wrong(&format!(
        "{SMALL}links: {{ tennant: access#x }}\ndates: {{ formats: [HH:mm], zone: ist }}\nerrors: [{{ when: status == 400, class: malformd }}]\nshowabel: []\n"
    ));
    let messages: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(messages, ["`showabel` is no key here"]);
    let found = wrong(&format!(
        "{SMALL}links: {{ tennant: access#x }}\ndates: {{ formats: [HH:mm], zone: ist }}\nerrors: [{{ when: status == 400, class: malformd }}]\n"
    ));
    let messages: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`tennant` is no link",
            "`HH:mm` is neither `iso`, `dotnet`, `epoch`, `epoch-ms` nor a pattern",
            "`ist` is no zone",
            "`malformd` is no class"
        ]
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(at in 0..SMALL.len(), length in 0..20_usize, junk in "[a-z$#/{}\\[\\]: \"'\n]{0,6}") {
        let end = (at + length).min(SMALL.len());
        let text = format!("{}{junk}{}", &SMALL[..at], &SMALL[end..]);
        drop(parse(&SourceFile::new("d.yaml", text)));
    }
}

#[test]
fn a_member_may_be_lacking_where_it_or_what_it_stands_in_is_declared_so() {
    let oauth2 = builtin("oauth2").unwrap();
    let answers = &oauth2.refresh().answers;
    assert!(answers.may_lack("/expires_in"), "RFC 6749 section 5.1: RECOMMENDED");
    assert!(!answers.may_lack("/access_token"));
    assert!(!answers.may_lack("/unheard_of"));
    assert!(!builtin("pfms").unwrap().refresh().answers.may_lack("/RefreshTokenResponse/expires"));
}
