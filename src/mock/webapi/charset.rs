//! Characters and bytes: which charset is read and written, and how a stream becomes text.

use super::fault::Fault;
use super::media::MediaType;

/// The charsets that both formatters support, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Utf16,
}

impl Charset {
    /// The name in `charset=`.
    pub(super) fn label(self) -> &'static str {
        match self {
            Charset::Utf8 => "utf-8",
            Charset::Utf16 => "utf-16",
        }
    }

    /// The charset of that name; the names of .NET's own registry that are aliases are not known here.
    pub(super) fn named(name: &str) -> Option<Charset> {
        [Charset::Utf8, Charset::Utf16].into_iter().find(|charset| name.eq_ignore_ascii_case(charset.label()))
    }

    /// What a body is read in: a label that is not supported counts as none, and none is UTF-8.
    pub(super) fn of_body(content_type: Option<&MediaType>) -> Charset {
        content_type.and_then(MediaType::charset).and_then(Charset::named).unwrap_or(Charset::Utf8)
    }

    /// Text as bytes, with the mark that UTF-16 has.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Charset::Utf8 => text.as_bytes().to_vec(),
            Charset::Utf16 => {
                std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
            }
        }
    }
}

/// Text that a stream reader hands out: UTF-16 units, then perhaps a failure in place of the end.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) units: Vec<u16>,
    pub(super) fault: Option<Fault>,
}

/// A stream is decoded in pieces of this size, so what stands in pieces before a bad byte is read first.
const PIECE: usize = 1024;

/// Reads a stream as `StreamReader` does: a byte order mark wins over the label, and the reader that it
/// brings replaces what it cannot decode where the labelled one throws.
pub(super) fn decode(body: &[u8], charset: Charset, marks: bool) -> Decoded {
    match (charset, body) {
        (Charset::Utf16, [0xFF, 0xFE, rest @ ..]) => strict_utf16(rest),
        _ if !marks => strict(body, charset),
        (_, [0xFF, 0xFE, 0, 0, rest @ ..]) => replaced_utf32(rest, u32::from_le_bytes),
        (_, [0, 0, 0xFE, 0xFF, rest @ ..]) => replaced_utf32(rest, u32::from_be_bytes),
        (_, [0xFF, 0xFE, rest @ ..]) => replaced_utf16(rest, u16::from_le_bytes),
        (_, [0xFE, 0xFF, rest @ ..]) => replaced_utf16(rest, u16::from_be_bytes),
        (_, [0xEF, 0xBB, 0xBF, rest @ ..]) => whole(&String::from_utf8_lossy(rest)),
        _ => strict(body, charset),
    }
}

/// UTF-8 without what is no UTF-8.
pub(super) fn decode_dropping(body: &[u8]) -> Decoded {
    let text: String = body.utf8_chunks().map(|chunk| chunk.valid()).collect();
    whole(text.trim_start_matches('\u{FEFF}'))
}

fn strict(body: &[u8], charset: Charset) -> Decoded {
    match charset {
        Charset::Utf8 => strict_utf8(body),
        Charset::Utf16 => strict_utf16(body),
    }
}

fn whole(text: &str) -> Decoded {
    Decoded { units: text.encode_utf16().collect(), fault: None }
}

fn strict_utf8(body: &[u8]) -> Decoded {
    let bad = match std::str::from_utf8(body) {
        Ok(text) => return whole(text),
        Err(bad) => bad,
    };
    let valid = String::from_utf8_lossy(&body[..bad.valid_up_to()]);
    // A character that the stream ends in is dropped without a word.
    if bad.error_len().is_none() {
        return whole(&valid);
    }
    let (piece, index) = (bad.valid_up_to() / PIECE * PIECE, bad.valid_up_to() % PIECE);
    let before = String::from_utf8_lossy(&body[..piece]);
    let message = format!(
        "Unable to translate bytes [{:02X}] at index {index} from specified code page to Unicode.",
        body[bad.valid_up_to()]
    );
    Decoded { fault: Some(Fault::decoder(message)), ..whole(before.trim_end_matches('\u{FFFD}')) }
}

fn strict_utf16(body: &[u8]) -> Decoded {
    let units: Vec<u16> = body.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let mut at = 0;
    for decoded in char::decode_utf16(units.iter().copied()) {
        let Ok(character) = decoded else {
            let kept = at / (PIECE / 2) * (PIECE / 2);
            let message = format!("Unable to translate bytes at index {} to Unicode.", at * 2);
            return Decoded { units: units[..kept].to_vec(), fault: Some(Fault::decoder(message)) };
        };
        at += character.len_utf16();
    }
    Decoded { units, fault: None }
}

fn replaced_utf16(body: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded {
    let units = body.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).map(|read| read.unwrap_or('\u{FFFD}')).collect();
    whole(&text)
}

fn replaced_utf32(body: &[u8], scalar: fn([u8; 4]) -> u32) -> Decoded {
    let scalars = body.chunks_exact(4).map(|four| scalar([four[0], four[1], four[2], four[3]]));
    let text: String = scalars.map(|value| char::from_u32(value).unwrap_or('\u{FFFD}')).collect();
    whole(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(decoded: &Decoded) -> String {
        String::from_utf16_lossy(&decoded.units)
    }

    #[test]
    fn a_mark_wins_over_the_label_and_replaces_instead_of_throwing() {
        let utf16 = decode(&[0xFF, 0xFE, b'a', 0], Charset::Utf8, true);
        assert_eq!((text(&utf16).as_str(), utf16.fault), ("a", None));
        let marked = decode(b"\xEF\xBB\xBFa\xFF", Charset::Utf8, true);
        assert_eq!((text(&marked).as_str(), marked.fault), ("a\u{FFFD}", None));
    }

    #[test]
    fn a_bad_byte_hides_its_own_piece_and_not_those_before() {
        let mut body = vec![b'a'; 1500];
        body[1200] = 0xFF;
        let decoded = decode(&body, Charset::Utf8, true);
        assert_eq!(decoded.units.len(), 1024);
        assert!(decoded.fault.expect("0xFF is no UTF-8").message.contains("[FF] at index 176"));
    }

    #[test]
    fn a_cut_character_at_the_end_is_dropped() {
        let decoded = decode(b"ab\xC3", Charset::Utf8, true);
        assert_eq!((text(&decoded).as_str(), decoded.fault), ("ab", None));
    }

    #[test]
    fn utf16_is_written_with_its_mark() {
        assert_eq!(Charset::Utf16.encode("a"), [0xFF, 0xFE, b'a', 0]);
        assert_eq!(Charset::Utf8.encode("é"), "é".as_bytes());
    }

    #[test]
    fn unknown_labels_and_quoted_ones_are_utf8() {
        for label in ["klingon", "iso-8859-1", "\"utf-16\""] {
            let media = MediaType::parse(&format!("a/b; charset={label}")).expect("it parses");
            assert_eq!(Charset::of_body(Some(&media)), Charset::Utf8, "{label}");
        }
        let media = MediaType::parse("a/b; charset=UTF-16").expect("it parses");
        assert_eq!(Charset::of_body(Some(&media)), Charset::Utf16);
    }
}
