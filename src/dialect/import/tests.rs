//! What is made of help pages and descriptions.

use super::*;
use crate::dialect::{Dialect, builtin, parse};
use crate::suite::claim::{Field, FieldPlace};

const PAGE: &str = include_str!("../../../tests/it/fixtures/import/help-page.txt");

fn imported(name: &str, text: &str) -> Imported {
    import(&SourceFile::new(name, text)).unwrap()
}

fn read(imported: &Imported) -> Dialect {
    let file = SourceFile::new("imported.yaml", imported.dialect.as_str());
    parse(&file).unwrap_or_else(|mistakes| {
        panic!("{}\n{}", imported.dialect, crate::source::render(&mistakes, false))
    })
}

#[test]
fn the_help_page_becomes_what_the_built_in_dialect_says_of_refreshing() {
    let made = read(&imported("page.txt", PAGE));
    let (made, known) = (made.refresh().clone(), builtin("pfms").unwrap().refresh().clone());
    assert_eq!((&made.method, &made.path), (&known.method, &known.path));
    assert_eq!(made.accepts, known.accepts);
    assert_eq!(made.answers.types, known.answers.types);
    assert_eq!(made.answers.body, known.answers.body);
    assert_eq!(made.answers.xml, known.answers.xml);
    assert_eq!(made.answers.open, known.answers.open);
    assert_eq!(made.answers.granted.text, known.answers.granted.text);
    for (field, source) in &known.answers.fields {
        assert_eq!(made.answers.fields.get(field), Some(source), "{field:?}");
    }
    assert_eq!(made.answers.fields.len(), known.answers.fields.len());
}

#[test]
fn the_same_page_in_html_becomes_the_same() {
    let escaped = PAGE.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body: Vec<String> = escaped.lines().map(|line| format!("<p>{line}</p>")).collect();
    let body = body.join("\n");
    let html = format!("<!DOCTYPE html><html><head><style>h1 {{}}</style></head><body>{body}</body></html>");
    assert_eq!(imported("page", &html).dialect, imported("page", PAGE).dialect);
}

#[test]
fn what_the_page_does_not_say_is_a_question_and_the_suite_is_one() {
    let made = imported("page.txt", PAGE);
    assert!(made.questions >= 5, "{}", made.questions);
    assert!(made.dialect.contains("# ? login"));
    let suite = made.suite.replace("{dialect}", "pfms");
    crate::suite::parse(&SourceFile::new("suite.yaml", suite.as_str())).unwrap();
}

const OPENAPI: &str = r##"
openapi: 3.0.3
info: { title: Acme Accounts, version: "1" }
servers: [{ url: "https://api.example.com/v2" }]
paths:
  /users: { get: { responses: { "200": { description: x } } } }
  /session/refresh:
    post:
      operationId: refreshSession
      parameters: [{ name: X-Api-Key, in: header, schema: { type: string } }]
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [refreshToken]
              properties:
                refreshToken: { type: string }
                grant_type: { type: string, enum: [refresh_token] }
                flavour: { type: string }
      responses:
        "200":
          description: ok
          content: { application/json: { schema: { $ref: "#/components/schemas/Pair" } } }
        "401":
          description: no
          content: { application/json: { schema: { type: object, required: [code], properties: { code: { type: string }, message: { type: string } } } } }
components:
  schemas:
    Pair:
      type: object
      required: [data]
      properties:
        data:
          type: object
          required: [access_token]
          properties:
            access_token: { type: string }
            refresh_token: { type: string }
            expires_in_ms: { type: integer }
"##;

#[test]
fn an_openapi_description_becomes_a_dialect() {
    let made = imported("acme.yaml", OPENAPI);
    let dialect = read(&made);
    let refresh = dialect.refresh();
    assert_eq!((dialect.name.as_str(), refresh.path.as_str()), ("acme-accounts", "/v2/session/refresh"));
    assert!(refresh.carries(Slot::Refresh) && refresh.carries(Slot::Client));
    let at = |field: Field| refresh.answers.fields[&field].at[0].clone();
    assert_eq!(at(Field::Access), FieldPlace::Path("/data/access_token".to_owned()));
    assert!(refresh.answers.fields[&Field::Refresh].absent_keeps);
    assert_eq!(refresh.answers.fields[&Field::Expires].reading, crate::dialect::Reading::Milliseconds);
    assert_eq!(at(Field::Code), FieldPlace::Path("/code".to_owned()));
    assert!(made.dialect.contains("# ? flavour"), "{}", made.dialect);
    assert_eq!(dialect.error_documents.len(), 1);
}

#[test]
fn what_is_neither_is_refused_with_a_sentence() {
    for (text, expected) in [
        ("", "this is neither an OpenAPI description nor a help page"),
        ("a novel\nabout nothing", "this is neither"),
        ("{\"openapi\":\"3.0.0\",\"paths\":{\"/users\":{\"get\":{}}}}", "the description has no operation"),
        ("POST api/x/refresh\nnothing more", "the page shows no format of requests"),
    ] {
        let why = import(&SourceFile::new("x", text)).unwrap_err();
        assert!(why.starts_with(expected), "{text:?}: {why}");
    }
}
