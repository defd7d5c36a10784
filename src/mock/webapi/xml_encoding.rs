//! The bytes of an XML document before they are read: mark, transport label and declaration must agree.

use super::charset::Charset;
use super::fault::Fault;

type Read<T> = Result<T, Fault>;

fn xml_exception(message: &str) -> Fault {
    Fault::new("XmlException", message)
}

/// Finds the charset in the first bytes, checks it against the label and the declaration, and makes UTF-8 of it.
pub(super) fn to_utf8(body: &[u8], charset: Charset, marks: bool) -> Read<Vec<u8>> {
    let bytes = transcode(body, charset, marks)?;
    check_declared_encoding(&bytes, charset)?;
    Ok(bytes)
}

fn transcode(body: &[u8], charset: Charset, marks: bool) -> Read<Vec<u8>> {
    if body.len() < 4 {
        return Err(Fault { ended: true, ..xml_exception("Unexpected end of file.") });
    }
    let mismatch =
        || xml_exception("The expected encoding does not match the actual encoding of the document.");
    let found = match body {
        [0xFE, 0xFF, ..] | [0, b'<', ..] => return Err(mismatch()),
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => Charset::Utf16,
        _ => Charset::Utf8,
    };
    if found != charset {
        return Err(mismatch());
    }
    if found == Charset::Utf8 {
        let marked = marks && body.starts_with(&[0xEF, 0xBB]);
        return Ok(body[if marked { 3 } else { 0 }..].to_vec());
    }
    let body = body.strip_prefix(&[0xFF, 0xFE]).unwrap_or(body);
    let units: Vec<u16> = body.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map(String::into_bytes).map_err(|_| xml_exception("Invalid byte encoding."))
}

/// How far into a document its declaration is looked for.
const DECLARATION: usize = 128;

/// Checks `encoding` in the declaration, which must name what the transport named.
fn check_declared_encoding(bytes: &[u8], charset: Charset) -> Read<()> {
    if !bytes.starts_with(b"<?") {
        return Ok(());
    }
    let head = &bytes[..bytes.len().min(DECLARATION)];
    let Some(equals) = second_equals(head) else { return Ok(()) };
    let malformed = || xml_exception("Malformed XML declaration.");
    if equals < 28 {
        return Err(malformed());
    }
    if !head[..equals].trim_ascii_end().ends_with(b"encoding") {
        return Ok(());
    }
    let quoted = head[equals + 1..].trim_ascii_start();
    let quote = quoted.first().copied().filter(|byte| matches!(byte, b'"' | b'\'')).ok_or_else(malformed)?;
    let length = quoted[1..].iter().position(|byte| *byte == quote).ok_or_else(malformed)?;
    let declared = quoted[1..=length].to_ascii_lowercase();
    let right = match charset {
        Charset::Utf8 => declared == b"utf-8",
        Charset::Utf16 => declared == b"utf-16" || declared == b"utf-16le",
    };
    if right {
        return Ok(());
    }
    let declared = String::from_utf8_lossy(&declared).into_owned();
    Err(xml_exception(&format!(
        "The encoding in the declaration '{declared}' does not match the encoding of the document '{}'.",
        charset.label()
    )))
}

/// The second `=` outside quotation marks, before any `?`.
fn second_equals(head: &[u8]) -> Option<usize> {
    let mut quote = None;
    let mut equals = 0;
    for (at, byte) in head.iter().enumerate().skip(2) {
        match (quote, byte) {
            (Some(open), byte) if open == *byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'=') if equals == 1 => return Some(at),
            (None, b'=') => equals += 1,
            (None, b'?') => return None,
            (Some(_) | None, _) => {}
        }
    }
    None
}
