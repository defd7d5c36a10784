//! The page's own samples, byte for byte, and what is left out of a good call.

use super::*;
use crate::client::codec::{Tree, read_json, read_xml};
use crate::dialect::builtin;
use crate::suite::call::Operation;

/// The page's request samples. Between members the page has spaces and line ends, which are not written.
const PAGE_REQUEST_JSON: &str = r#"{
"stateCode": "sample string 1",
"AuthString": "sample string 2",
"expiredAccessToken": "sample string 3",
"RefreshToken": "sample string 4"
}"#;
const PAGE_REQUEST_XML: &str = r#"<RequestModelRefreshToken xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/BLL.PFMS"> <AuthString>sample string 2</AuthString> <RefreshToken>sample string 4</RefreshToken> <expiredAccessToken>sample string 3</expiredAccessToken> <stateCode>sample string 1</stateCode> </RequestModelRefreshToken>"#;

/// The page's answer samples.
const PAGE_ANSWER_JSON: &str = r#"{
"AckCode": "sample string 1",
"Status": "sample string 2",
"Remarks": "sample string 3",
"DateOfData": "sample string 4",
"RefreshTokenResponse": {
"accessToken": "sample string 1",
"refreshToken": "sample string 2",
"created": "sample string 3",
"expires": "sample string 4",
"responseData": "sample string 5",
"errorMessage": "sample string 6",
"isSuccess": "sample string 7",
"errorCode": "sample string 8"
}
}"#;
const PAGE_ANSWER_XML: &str = r#"<ResponseModelRefreshToken xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/BLL.PFMS">
<AckCode>sample string 1</AckCode>
<DateOfData>sample string 4</DateOfData>
<RefreshTokenResponse>
<accessToken>sample string 1</accessToken>
<created>sample string 3</created>
<errorCode>sample string 8</errorCode>
<errorMessage>sample string 6</errorMessage>
<expires>sample string 4</expires>
<isSuccess>sample string 7</isSuccess>
<refreshToken>sample string 2</refreshToken>
<responseData>sample string 5</responseData>
</RefreshTokenResponse>
<Remarks>sample string 3</Remarks>
<Status>sample string 2</Status>
</ResponseModelRefreshToken>"#;

fn slots(values: &[(Slot, &str)]) -> Slots {
    values.iter().map(|(slot, value)| (*slot, Token::new(*value))).collect()
}

fn sample_slots() -> Slots {
    slots(&[
        (Slot::Tenant, "sample string 1"),
        (Slot::Secret, "sample string 2"),
        (Slot::Access, "sample string 3"),
        (Slot::Refresh, "sample string 4"),
    ])
}

#[track_caller]
fn pfms(format: Option<&str>, slots: &Slots) -> Draft {
    good(builtin("pfms").unwrap().refresh(), format, None, slots).unwrap()
}

#[track_caller]
fn oauth2(auth: Option<&[ClientAuth]>, values: &[(Slot, &str)]) -> Draft {
    good(builtin("oauth2").unwrap().refresh(), None, auth, &slots(values)).unwrap()
}

fn body(draft: &Draft) -> String {
    String::from_utf8(draft.body().unwrap()).unwrap()
}

#[test]
fn requests_are_the_pages_samples_byte_for_byte() {
    let json = PAGE_REQUEST_JSON.replace('\n', "").replace("\": \"", "\":\"");
    assert_eq!(body(&pfms(Some("json"), &sample_slots())), json);
    let xml = PAGE_REQUEST_XML.replace("> <", "><");
    assert_eq!(body(&pfms(Some("text/xml"), &sample_slots())), xml);
}

#[test]
fn the_pages_answers_are_read_and_written_back_byte_for_byte() {
    fn leaves(tree: &Tree) -> Vec<(String, Leaf)> {
        let Tree::Object(members) = tree else { panic!() };
        let leaf = |tree: &Tree| match tree {
            Tree::Text(text) => Leaf::Text(text.clone()),
            inner => Leaf::Object(leaves(inner)),
        };
        members.iter().map(|(name, tree)| (name.clone(), leaf(tree))).collect()
    }
    let speech = builtin("pfms").unwrap().refresh().accepts["xml"].clone();
    let json = read_json(PAGE_ANSWER_JSON).unwrap();
    let written = crate::client::codec::write(&Outgoing {
        codec: crate::dialect::Codec::Json,
        root: None,
        namespaces: Vec::new(),
        members: leaves(&json),
    });
    let expected = PAGE_ANSWER_JSON.replace('\n', "").replace("\": ", "\":");
    assert_eq!(String::from_utf8(written).unwrap(), expected);
    let xml = read_xml(PAGE_ANSWER_XML).unwrap();
    assert_eq!(xml.strays, Vec::<String>::new());
    let written = crate::client::codec::write(&Outgoing {
        codec: crate::dialect::Codec::Xml,
        root: Some(xml.root.clone()),
        namespaces: vec![(String::new(), xml.namespace.clone())],
        members: leaves(&xml.tree),
    });
    assert_eq!(String::from_utf8(written).unwrap(), PAGE_ANSWER_XML.replace(">\n<", "><"));
    assert_eq!(speech.namespaces[0].1, xml.namespace);
}

#[test]
fn the_declared_answer_is_the_pages_answer() {
    use crate::dialect::{Declared, DeclaredKind};
    fn fits(declared: &[(String, Declared)], tree: &Tree) {
        let Tree::Object(members) = tree else { panic!() };
        let names: Vec<_> = members.iter().map(|(name, _)| name).collect();
        assert_eq!(declared.iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
        for ((_, declared), (_, tree)) in declared.iter().zip(members) {
            if let DeclaredKind::Object(declared) = &declared.kind {
                fits(declared, tree);
            }
        }
    }
    let dialect = builtin("pfms").unwrap();
    let answers = &dialect.refresh().answers;
    fits(answers.body.as_ref().unwrap(), &read_json(PAGE_ANSWER_JSON).unwrap());
    let xml = read_xml(PAGE_ANSWER_XML).unwrap();
    let declared = answers.xml.as_ref().unwrap();
    assert_eq!((&declared.root, &declared.namespace), (&xml.root, &xml.namespace));
}

#[test]
fn a_good_call_asks_for_the_type_it_sends() {
    let headers = |format| {
        let draft = pfms(format, &sample_slots());
        (draft.label.unwrap(), draft.accept.unwrap())
    };
    let pair = |label: &str, accept: &str| (label.to_owned(), accept.to_owned());
    assert_eq!(headers(None), pair("application/json", "application/json"));
    assert_eq!(headers(Some("xml")), pair("application/xml", "application/xml"));
    assert_eq!(headers(Some("text/json")), pair("text/json", "text/json"));
    assert_eq!(headers(Some("form")), pair("application/x-www-form-urlencoded", "application/json"));
    let refused = good(builtin("pfms").unwrap().refresh(), Some("yaml"), None, &sample_slots());
    assert_eq!(refused.unwrap_err().to_string(), "the dialect has no format or media type `yaml` here");
}

#[test]
fn a_member_whose_slot_has_no_value_is_left_out() {
    let mut slots = sample_slots();
    slots.remove(&Slot::Access);
    slots.insert(Slot::Secret, Token::new(""));
    assert_eq!(
        body(&pfms(None, &slots)),
        r#"{"stateCode":"sample string 1","AuthString":"","RefreshToken":"sample string 4"}"#
    );
    let dialect = builtin("pfms").unwrap();
    let probe = dialect.operation(Operation::Probe).unwrap();
    let headers = |slots: &Slots| good(probe, None, None, slots).unwrap().headers;
    assert_eq!(headers(&sample_slots()), [("Authorization".to_owned(), b"Bearer sample string 3".to_vec())]);
    assert_eq!(headers(&slots), []);
}

#[test]
fn a_call_without_a_body_sends_no_label() {
    let dialect = builtin("pfms").unwrap();
    let draft = good(dialect.operation(Operation::Probe).unwrap(), None, None, &sample_slots()).unwrap();
    let request = draft.request(draft.body());
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/api/PFMS/whoami"));
    assert_eq!(request.body, None);
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Accept", "Authorization"]);
}

#[test]
fn client_credentials_go_where_rfc_6749_puts_them() {
    let values = [(Slot::Refresh, "r+1"), (Slot::Client, "me:1"), (Slot::ClientSecret, "a b%")];
    let plain = "grant_type=refresh_token&refresh_token=r%2B1";
    let basic = oauth2(None, &values);
    assert_eq!(body(&basic), plain);
    // "me%3A1:a%20b%25"
    assert_eq!(basic.headers, [("Authorization".to_owned(), b"Basic bWUlM0ExOmElMjBiJTI1".to_vec())]);
    let post = oauth2(Some(&[ClientAuth::Post]), &values);
    assert_eq!(body(&post), format!("{plain}&client_id=me%3A1&client_secret=a%20b%25"));
    assert_eq!(post.headers, []);
    let none = oauth2(Some(&[ClientAuth::None]), &values);
    assert_eq!(body(&none), format!("{plain}&client_id=me%3A1"));
    let both = oauth2(Some(&[ClientAuth::Basic, ClientAuth::Post]), &values);
    assert!(both.headers.len() == 1 && body(&both).contains("client_secret"));
    let nobody = oauth2(None, &values[..1]);
    assert_eq!((nobody.headers.len(), body(&nobody).as_str()), (0, plain));
}

#[test]
fn a_draft_shows_no_secret() {
    let draft = pfms(None, &slots(&[(Slot::Refresh, "very-secret")]));
    assert!(!format!("{draft:?} {:?}", draft.document).contains("very-secret"));
}

#[test]
fn a_request_that_is_shown_shows_no_token() {
    let request = Request {
        method: "GET".to_owned(),
        target: "/token?refresh_token=t0ken".to_owned(),
        headers: vec![("Authorization".to_owned(), b"t0ken".to_vec())],
        body: Some(b"t0ken".to_vec()),
        travel: Travel::default(),
    };
    assert_eq!(format!("{request:?}"), "Request(GET /token)");
}
