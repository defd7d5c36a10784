//! What breaks a fragile reader: requests that a server should refuse and, with a defect, fails on instead.
//!
//! Nothing here harms the host: a crash is an answer, a stack that overflows is a count that is compared.

use super::{Action, Bound, Format, HttpRequest};
use crate::suite::defect::Defect;

use super::quirks::Quirks;

/// Deeper than this the fragile readers fall over.
const DEPTH: usize = 200;

/// More keys than this, a body larger than that, a path longer, headers more or longer.
const KEYS: usize = 1_000;
const BODY: usize = 4 * 1024 * 1024;
const PATH: usize = 2_000;
const HEADERS: usize = 60;
const HEADER: usize = 8_000;

/// The exception that a request causes before its body is read, if a defect makes it do so.
pub(super) fn by_head(request: &HttpRequest, quirks: &Quirks) -> Option<&'static str> {
    let labels = || request.header("Content-Type").count();
    let longest = || request.headers.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
    let zipped = || request.header("Content-Encoding").any(|coding| coding.eq_ignore_ascii_case("gzip"));
    first(
        quirks,
        &[
            (Defect::DoubleSlashCrash, &|| request.target.starts_with("//"), "System.UriFormatException"),
            (Defect::LongPathCrash, &|| request.target.len() > PATH, "System.IO.PathTooLongException"),
            (
                Defect::ManyHeadersCrash,
                &|| request.headers.len() > HEADERS,
                "System.InvalidOperationException",
            ),
            (Defect::LongHeaderCrash, &|| longest() > HEADER, "System.OutOfMemoryException"),
            (Defect::TwoLabelsCrash, &|| labels() > 1, "System.FormatException"),
            (Defect::GzipCrash, &zipped, "System.IO.InvalidDataException"),
            (Defect::ChunkedCrash, &|| !request.has_length, "System.ArgumentNullException"),
            (Defect::LargeBodyCrash, &|| request.body.len() > BODY, "System.Web.HttpException"),
        ],
    )
}

/// The exception that a body causes while it is read.
pub(super) fn by_body(body: &[u8], format: Format, quirks: &Quirks) -> Option<&'static str> {
    let has = |piece: &[u8]| contains(body, piece);
    match format {
        Format::Json => first(
            quirks,
            &[
                (Defect::DeepJsonCrash, &|| depth_of_json(body) > DEPTH, "System.StackOverflowException"),
                (Defect::NumberCrash, &|| has_bare_number(body), "System.InvalidCastException"),
                (Defect::CommentCrash, &|| has(b"/*"), "System.NotSupportedException"),
                (Defect::RareBytesCrash, &|| has(b"\\\x1b"), "System.IndexOutOfRangeException"),
            ],
        ),
        Format::Xml => first(
            quirks,
            &[(Defect::DeepXmlCrash, &|| depth_of_xml(body) > DEPTH, "System.StackOverflowException")],
        ),
        Format::Form => {
            let keys = || body.split(|byte| *byte == b'&').count();
            first(quirks, &[(Defect::ManyKeysCrash, &|| keys() > KEYS, "System.InvalidOperationException")])
        }
    }
}

/// The exception that what was read causes.
pub(super) fn by_model(
    bound: &Bound,
    body: &[u8],
    format: Format,
    action: &Action,
    quirks: &Quirks,
) -> Option<&'static str> {
    let values = || bound.model.iter().flatten();
    let nul = || values().flatten().any(|value| value.contains('\0'));
    let lost = || format == Format::Xml && is_anything_lost(bound, body, action);
    first(
        quirks,
        &[
            (Defect::NulCrash, &nul, "System.ArgumentException"),
            (Defect::DuplicateCrash, &|| is_anything_twice(body, format, action), "System.ArgumentException"),
            (Defect::XmlOrderCrash, &lost, "System.NullReferenceException"),
        ],
    )
}

/// Whether a member stands in the document twice.
fn is_anything_twice(body: &[u8], format: Format, action: &Action) -> bool {
    let members = action.request.iter().flat_map(|class| &class.members);
    members.into_iter().any(|member| {
        let name = match format {
            Format::Json => format!("\"{}\":", member.name),
            Format::Xml => format!("<{}>", member.name),
            Format::Form => format!("{}=", member.name),
        };
        body.windows(name.len()).filter(|window| *window == name.as_bytes()).count() > 1
    })
}

/// Whether an element stands in the document and was passed over.
fn is_anything_lost(bound: &Bound, body: &[u8], action: &Action) -> bool {
    let (Some(values), Some(class)) = (&bound.model, &action.request) else { return false };
    let members = class.members.iter().zip(values);
    members
        .into_iter()
        .any(|(member, value)| value.is_none() && contains(body, format!("<{}>", member.name).as_bytes()))
}

/// A defect, what sets it off, and the exception then.
type Frailty<'a> = (Defect, &'a dyn Fn() -> bool, &'static str);

fn first(quirks: &Quirks, all: &[Frailty<'_>]) -> Option<&'static str> {
    all.iter().find(|(defect, breaks, _)| quirks.has(*defect) && breaks()).map(|(.., exception)| *exception)
}

pub(super) fn contains(body: &[u8], piece: &[u8]) -> bool {
    body.windows(piece.len()).any(|window| window == piece)
}

fn depth_of_json(body: &[u8]) -> usize {
    deepest(body.iter().map(|byte| match byte {
        b'[' | b'{' => 1,
        b']' | b'}' => -1,
        _ => 0,
    }))
}

fn depth_of_xml(body: &[u8]) -> usize {
    deepest(body.windows(2).map(|pair| match pair {
        b"</" | b"/>" => -1,
        [b'<', next] if next.is_ascii_alphabetic() => 1,
        _ => 0,
    }))
}

fn deepest(steps: impl Iterator<Item = i64>) -> usize {
    let depths = steps.scan(0_i64, |depth, step| {
        *depth = (*depth + step).max(0);
        Some(*depth)
    });
    usize::try_from(depths.max().unwrap_or(0)).unwrap_or(0)
}

/// A number in the place of a value.
fn has_bare_number(body: &[u8]) -> bool {
    let mut values = body.split(|byte| *byte == b':').skip(1);
    values.any(|value| {
        value.trim_ascii_start().first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-')
    })
}

/// The body as a reader takes it that has an opinion of its own on values and names.
pub(super) fn rewritten(body: &[u8], format: Format, action: &Action, quirks: &Quirks) -> Option<Vec<u8>> {
    let text = || std::str::from_utf8(body).ok();
    match format {
        // As a language does whose values become text by themselves.
        Format::Json if quirks.has(Defect::ObjectCoerced) => {
            let text = text()?.replace(":{}", ":\"[object Object]\"");
            Some(text.replace(":[\"", ":\"").replace("\"]", "\"").into_bytes())
        }
        Format::Xml if quirks.has(Defect::XmlNamespaceIgnored) => {
            let class = action.request.as_ref()?;
            let (before, after) = text()?.split_once(&format!("<{}", class.name))?;
            let (head, rest) = after.split_once('>')?;
            let own = head.split(" xmlns=\"").next().unwrap_or_default();
            let (name, namespace) = (&class.name, &class.namespace);
            Some(format!("{before}<{name}{own} xmlns=\"{namespace}\">{rest}").into_bytes())
        }
        Format::Json | Format::Xml | Format::Form => None,
    }
}

/// Whether the root has a prefix, which a reader that compares text does not know.
pub(super) fn has_prefix(body: &[u8]) -> bool {
    let name = body.splitn(2, |byte| *byte == b'<').nth(1).unwrap_or_default();
    name.iter().take_while(|byte| !matches!(byte, b' ' | b'>' | b'/')).any(|byte| *byte == b':')
}

/// The answer as it looks where half of a pair is sent back as it came.
pub(super) fn with_surrogates(request: &HttpRequest, body: Vec<u8>, quirks: &Quirks) -> Vec<u8> {
    let is_asked = quirks.has(Defect::LoneSurrogateIllFormed)
        && [&b"\\ud8"[..], b"\\uD8", b"\\udc", b"\\uDC"].iter().any(|escape| contains(&request.body, escape));
    if !is_asked {
        return body;
    }
    let replacement = "\u{fffd}".as_bytes();
    let mut changed = Vec::with_capacity(body.len());
    let mut rest = body.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if rest.starts_with(replacement) {
            changed.extend_from_slice(&[0xed, 0xa0, 0x80]);
            rest = &rest[replacement.len()..];
        } else {
            changed.push(*first);
            rest = after;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_the_deepest_place() {
        assert_eq!(depth_of_json(b"{\"a\":[[1],[2]]}"), 3);
        assert_eq!(depth_of_json(b"]]]{"), 1);
        assert_eq!(depth_of_xml(b"<a><b/><b><c></c></b></a>"), 3);
    }

    #[test]
    fn bare_numbers_and_prefixes_are_seen() {
        assert!(has_bare_number(b"{\"a\": -1}"));
        assert!(!has_bare_number(b"{\"a\":\"1\"}"));
        assert!(has_prefix(b"<p:a xmlns:p=\"x\">"));
        assert!(!has_prefix(b"<a xmlns:p=\"x\">"));
    }
}
