//! Exchanges for people: request and answer as text, redacted, bodies cut.

use std::fmt::Write as _;

use crate::client::codec::Tree;
use crate::client::reply::{Document, Reply};
use crate::client::{Answer, Failure, Request};
use crate::results::Evidence;

use super::redact::{Redaction, is_harmless_header};
use super::transcript::Taken;

/// No body is shown beyond this.
const BODY_MAX: usize = 2_000;

/// No body is looked at beyond this.
const LOOK_MAX: usize = 32_000;

/// One exchange, redacted; `marks` are the parts that decide.
pub(super) fn evidence(taken: &Taken, redaction: &Redaction, marks: &[String]) -> Evidence {
    let redaction = redaction.of(taken);
    let title = format!("{}, chain {}, {}", taken.operation.word(), taken.chain, taken.manner);
    let title = redaction.text(&title);
    let received = match (&taken.exchange.result, &taken.reply) {
        (Err(failure), _) => failed(*failure),
        (Ok(answer), reply) => received(answer, reply.as_deref(), &redaction),
    };
    let marks = marks.iter().filter(|mark| !mark.is_empty() && received.contains(mark.as_str())).cloned();
    Evidence {
        title,
        sent: sent(&taken.exchange.request, &redaction),
        marks: marks.collect(),
        received,
        took_us: taken
            .failure()
            .is_none()
            .then(|| u64::try_from(taken.took().as_micros()).unwrap_or(u64::MAX)),
    }
}

/// The answer of a login that opened no chain.
pub(super) fn login_evidence(
    request: &Request,
    result: &Result<Answer, Failure>,
    reply: Option<&Reply>,
    redaction: &Redaction,
) -> Evidence {
    Evidence {
        title: "login".to_owned(),
        sent: sent(request, redaction),
        received: match result {
            Err(failure) => failed(*failure),
            Ok(answer) => received(answer, reply, redaction),
        },
        marks: Vec::new(),
        took_us: None,
    }
}

fn failed(failure: Failure) -> String {
    format!("no answer: {}", failure.word())
}

fn sent(request: &Request, redaction: &Redaction) -> String {
    let mut text = format!("{} {} HTTP/1.1\n", request.method, redaction.text(&request.target));
    headers(&request.headers, redaction, &mut text);
    if let Some(body) = &request.body {
        text.push('\n');
        text.push_str(&cut(&redaction.text(&readable(body)), body.len()));
    }
    text
}

fn received(answer: &Answer, reply: Option<&Reply>, redaction: &Redaction) -> String {
    let mut text = format!("HTTP/1.1 {} {}\n", answer.status, redaction.text(&answer.reason));
    headers(&answer.headers, redaction, &mut text);
    if answer.body.is_empty() {
        return text;
    }
    text.push('\n');
    let document = reply.and_then(|reply| reply.document.as_ref());
    let body = match (redaction.is_mock(), document) {
        (true, _) => redaction.text(&readable(&answer.body)),
        (false, Some(document)) => outline(document, redaction),
        (false, None) => {
            let media = redaction.text(&answer.media_type().unwrap_or_default());
            format!("‹{media}, {} bytes›", answer.body.len())
        }
    };
    text.push_str(&cut(&body, answer.body.len()));
    text
}

fn headers(headers: &[(String, Vec<u8>)], redaction: &Redaction, text: &mut String) {
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value);
        let shown = if name.eq_ignore_ascii_case("authorization") {
            let scheme = value.split(' ').next().unwrap_or("");
            format!("{} ‹credentials›", redaction.text(scheme))
        } else if redaction.is_mock() || is_harmless_header(name) {
            redaction.text(&value)
        } else {
            redaction.described(&value)
        };
        let shown: String = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // Names are the endpoint's to choose as well.
        text.push_str(&redaction.text(name));
        text.push_str(": ");
        text.push_str(&shown);
        text.push('\n');
    }
}

/// Bytes as text: UTF-16 is seen by its zeros, gzip is not opened.
fn readable(body: &[u8]) -> String {
    let body = &body[..body.len().min(LOOK_MAX)];
    if body.starts_with(&[0x1f, 0x8b]) {
        return format!("‹gzip, {} bytes›", body.len());
    }
    let zeros = |odd: usize| body.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count() * 4;
    let wide = |from: fn([u8; 2]) -> u16| {
        let units = body.chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    if zeros(1) > body.len() {
        return wide(u16::from_le_bytes);
    }
    if zeros(0) > body.len() {
        return wide(u16::from_be_bytes);
    }
    String::from_utf8_lossy(body).into_owned()
}

fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= BODY_MAX {
        return text.to_owned();
    }
    let mut end = BODY_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // A placeholder is not cut in two.
    if let Some(open) = text[..end].rfind('‹')
        && !text[open..end].contains('›')
    {
        end = open;
    }
    format!("{}… {bytes} bytes", &text[..end])
}

/// The document with only showable members shown, in the manner of its format.
fn outline(document: &Document, redaction: &Redaction) -> String {
    let mut text = String::new();
    match document {
        Document::Json(tree) => json(tree, "", redaction, &mut text),
        Document::Xml(found) => xml(&found.tree, &found.root, redaction, &mut text),
    }
    text
}

fn json(tree: &Tree, name: &str, redaction: &Redaction, out: &mut String) {
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Tree::Number(number) => out.push_str(&leaf(number, name, redaction)),
        Tree::Text(text) => {
            let shown = leaf(text, name, redaction);
            if shown.starts_with('‹') {
                out.push_str(&shown);
            } else {
                write!(out, "{}", serde_json::Value::from(shown)).expect("a String takes everything");
            }
        }
        Tree::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                write!(out, "{comma}{}:", serde_json::Value::from(redaction.text(name)))
                    .expect("a String takes everything");
                json(value, name, redaction, out);
            }
            out.push('}');
        }
        Tree::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json(item, name, redaction, out);
            }
            out.push(']');
        }
    }
}

fn xml(tree: &Tree, name: &str, redaction: &Redaction, out: &mut String) {
    let tag = redaction.text(name);
    let inner = match tree {
        Tree::Null => {
            write!(out, "<{tag} i:nil=\"true\"/>").expect("a String takes everything");
            return;
        }
        Tree::Text(text) | Tree::Number(text) => leaf(text, name, redaction),
        Tree::Flag(flag) => flag.to_string(),
        Tree::Object(members) => {
            let mut inner = String::new();
            for (name, value) in members {
                xml(value, name, redaction, &mut inner);
            }
            inner
        }
        Tree::List(items) => {
            for item in items {
                xml(item, name, redaction, out);
            }
            return;
        }
    };
    write!(out, "<{tag}>{inner}</{tag}>").expect("a String takes everything");
}

/// The text of a showable member, the name of a secret, or kind, length and fingerprint.
fn leaf(text: &str, name: &str, redaction: &Redaction) -> String {
    let shown = redaction.text(text);
    let is_named = shown.starts_with('‹') && shown.ends_with('›') && shown != text;
    if is_named || redaction.may_show(name) || text.is_empty() {
        shown
    } else {
        format!("‹{}›", redaction.described(text).replace(['‹', '›'], ""))
    }
}
