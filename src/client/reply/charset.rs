//! From bytes to text: the label's charset, a byte order mark, an XML declaration, else UTF-8.

use crate::client::Answer;

/// The text of a body.
#[derive(Clone)]
pub(super) enum Decoded {
    /// The bytes from this one on are UTF-8 as they stand.
    AsIs(usize),
    /// They had to be rewritten.
    Rewritten(String),
}

impl Decoded {
    /// The text; `answer` is the one that was decoded.
    pub(super) fn text<'a>(&'a self, answer: &'a Answer) -> Option<&'a str> {
        match self {
            Decoded::AsIs(skipped) => std::str::from_utf8(answer.body.get(*skipped..)?).ok(),
            Decoded::Rewritten(text) => Some(text),
        }
    }
}

impl std::fmt::Debug for Decoded {
    /// Never the text: it may hold tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decoded(..)")
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    /// The byte order is told by the mark or, without one, by where the zero bytes are.
    Utf16,
    Utf16Le,
    Utf16Be,
    Latin1,
    Ascii,
}

/// Decodes the body of `answer`; why it cannot be, as a fragment.
pub(super) fn decode(answer: &Answer) -> Result<Decoded, String> {
    let body = answer.body.as_slice();
    let labelled = answer.header("content-type").and_then(|label| parameter(&label, "charset"));
    let charset = match labelled {
        Some(label) => {
            by_name(&label).ok_or_else(|| format!("the charset `{}` is not known", shown(&label)))?
        }
        None => marked(body).map_or_else(|| declared(body).map_or(Ok(Charset::Utf8), known), Ok)?,
    };
    match charset {
        Charset::Utf8 => utf8(body),
        Charset::Utf16 => utf16(body, marked(body).unwrap_or_else(|| guessed(body))),
        Charset::Utf16Le | Charset::Utf16Be => utf16(body, charset),
        Charset::Latin1 => Ok(Decoded::Rewritten(body.iter().map(|byte| char::from(*byte)).collect())),
        Charset::Ascii => match body.iter().position(|byte| !byte.is_ascii()) {
            Some(at) => Err(format!("byte {at} is not us-ascii")),
            None => Ok(Decoded::AsIs(0)),
        },
    }
}

/// A parameter of a Content-Type, quotes removed.
pub(super) fn parameter(label: &str, wanted: &str) -> Option<String> {
    label.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.to_owned())
    })
}

fn by_name(name: &str) -> Option<Charset> {
    match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Some(Charset::Utf8),
        "utf-16" => Some(Charset::Utf16),
        "utf-16le" => Some(Charset::Utf16Le),
        "utf-16be" => Some(Charset::Utf16Be),
        "iso-8859-1" | "latin1" | "latin-1" => Some(Charset::Latin1),
        "us-ascii" | "ascii" => Some(Charset::Ascii),
        _ => None,
    }
}

fn known(name: &str) -> Result<Charset, String> {
    // A declaration that could be read byte by byte is not in UTF-16, whatever it says.
    by_name(name).ok_or_else(|| format!("the declared encoding `{}` is not known", shown(name)))
}

fn shown(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(24).collect()
}

fn marked(body: &[u8]) -> Option<Charset> {
    match body {
        [0xEF, 0xBB, 0xBF, ..] => Some(Charset::Utf8),
        [0xFF, 0xFE, ..] => Some(Charset::Utf16Le),
        [0xFE, 0xFF, ..] => Some(Charset::Utf16Be),
        _ => None,
    }
}

/// Documents begin with an ASCII character, so one byte of the first pair is zero.
fn guessed(body: &[u8]) -> Charset {
    if let [_, 0, ..] = body { Charset::Utf16Le } else { Charset::Utf16Be }
}

/// The encoding that an XML declaration names (RFC 7303 section 3: it counts where there is no label).
fn declared(body: &[u8]) -> Option<&str> {
    let head = body.strip_prefix(b"<?xml")?;
    let end = head.iter().take(200).position(|byte| *byte == b'>')?;
    let head = std::str::from_utf8(&head[..end]).ok()?;
    let value = head.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split_once(quote).map(|(name, _)| name)
}

fn utf8(body: &[u8]) -> Result<Decoded, String> {
    let skipped = if body.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
    match std::str::from_utf8(&body[skipped..]) {
        Ok(_) => Ok(Decoded::AsIs(skipped)),
        Err(error) => Err(format!("byte {} is not utf-8", skipped + error.valid_up_to())),
    }
}

fn utf16(body: &[u8], order: Charset) -> Result<Decoded, String> {
    let pairs = body.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err("an odd number of bytes is not utf-16".to_owned());
    }
    let units = pairs.map(|pair| match order {
        Charset::Utf16Be => u16::from_be_bytes([pair[0], pair[1]]),
        _ => u16::from_le_bytes([pair[0], pair[1]]),
    });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    let text = text.map_err(|_| "half of a surrogate pair is not utf-16".to_owned())?;
    Ok(Decoded::Rewritten(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(label: Option<&str>, body: &[u8]) -> Answer {
        let headers = label.map(|label| ("Content-Type".to_owned(), label.as_bytes().to_vec()));
        Answer {
            status: 200,
            reason: String::new(),
            headers: headers.into_iter().collect(),
            body: body.to_vec(),
        }
    }

    #[track_caller]
    fn reads(label: Option<&str>, body: &[u8], text: &str) {
        let answer = answer(label, body);
        let decoded = match decode(&answer) {
            Ok(Decoded::AsIs(skipped)) => String::from_utf8(body[skipped..].to_vec()).unwrap(),
            Ok(Decoded::Rewritten(text)) => text,
            Err(why) => why,
        };
        assert_eq!(decoded, text);
    }

    #[test]
    fn the_label_counts_first_and_a_mark_is_no_text() {
        reads(None, b"{}", "{}");
        reads(None, b"\xEF\xBB\xBF{}", "{}");
        reads(None, b"\xFF\xFE{\0}\0", "{}");
        reads(Some("a/b; Charset=\"UTF-8\""), b"\xEF\xBB\xBF{}", "{}");
        reads(Some("a/b;charset=utf-16"), b"\xFE\xFF\0{\0}", "{}");
        reads(Some("a/b;charset=utf-16"), b"{\0}\0", "{}");
        reads(Some("a/b;charset=utf-16be"), b"\0{\0}", "{}");
        reads(Some("a/b;charset=iso-8859-1"), b"\xE9", "é");
        reads(
            None,
            b"<?xml version='1.0' encoding=\"ISO-8859-1\"?>\xE9",
            "<?xml version='1.0' encoding=\"ISO-8859-1\"?>é",
        );
    }

    #[test]
    fn bytes_that_do_not_fit_are_told() {
        reads(Some("a/b;charset=utf-8"), b"ab\xE9", "byte 2 is not utf-8");
        reads(Some("a/b;charset=utf-8"), b"\xFF\xFE{\0", "byte 0 is not utf-8");
        reads(Some("a/b;charset=us-ascii"), b"\xE9", "byte 0 is not us-ascii");
        reads(Some("a/b;charset=utf-16"), b"abc", "an odd number of bytes is not utf-16");
        reads(Some("a/b;charset=utf-16le"), b"\0\xD8", "half of a surrogate pair is not utf-16");
        reads(Some("a/b;charset=klingon"), b"", "the charset `klingon` is not known");
    }
}
