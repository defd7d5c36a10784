//! What stays the same in grants of one kind: their bytes, with gaps for the texts and numbers that change.
//!
//! A stencil is cut from a document that was read in full. What lies on it with nothing but plain text in the gaps is
//! as well-formed as that document, and has the same values in the same places.

use crate::client::codec::tape::{Kind, Place};
use crate::client::codec::{is_any, is_outside, plain_xml_length, run_length};

use super::skim::Codec;

/// Bytes with gaps.
#[derive(Clone)]
pub(super) struct Stencil {
    bytes: Vec<u8>,
    gaps: Vec<Gap>,
}

/// One gap.
#[derive(Clone, Copy)]
struct Gap {
    /// The bytes that stand before it end here.
    at: usize,
    fill: Fill,
    wanted: Wanted,
}

/// What may stand in a gap.
#[derive(Clone, Copy)]
enum Fill {
    JsonText,
    XmlText,
    Digits,
}

/// What a gap is looked at for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// It is the access token.
    pub(super) access: bool,
    /// It is the refresh token.
    pub(super) refresh: bool,
    /// A rule asks whether it is filled, and this was the answer.
    pub(super) filled: Option<bool>,
}

impl std::fmt::Debug for Stencil {
    /// How large, never what is in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stencil({} bytes, {} gaps)", self.bytes.len(), self.gaps.len())
    }
}

impl Stencil {
    /// Cut from `text`, whose document `root` is. `wanted` says of a value what it is looked at for; nothing where it
    /// must stay as it is.
    pub(super) fn cut(
        text: &str,
        root: Place<'_>,
        codec: Codec,
        wanted: impl Fn(Place<'_>) -> Option<Wanted>,
    ) -> Stencil {
        let (mut bytes, mut gaps) = (Vec::new(), Vec::new());
        let mut from = 0;
        for place in root.rows() {
            let span = place.span();
            let Some(fill) = Fill::of(place.kind(), codec, span.is_empty()) else { continue };
            if let Some(wanted) = wanted(place) {
                bytes.extend_from_slice(&text.as_bytes()[from..span.start]);
                gaps.push(Gap { at: bytes.len(), fill, wanted });
                from = span.end;
            }
        }
        bytes.extend_from_slice(&text.as_bytes()[from..]);
        Stencil { bytes, gaps }
    }

    /// The tokens of `body`, if it lies on the stencil. `is_blank` says of a text whether it counts as none.
    pub(super) fn read<'a>(&self, body: &'a [u8], is_blank: impl Fn(&str) -> bool) -> Option<Tokens<'a>> {
        let (mut tokens, mut rest, mut from) = (Tokens::default(), body, 0);
        for gap in &self.gaps {
            rest = rest.strip_prefix(&self.bytes[from..gap.at])?;
            from = gap.at;
            let (value, after) = rest.split_at(gap.fill.length(rest)?);
            rest = after;
            if gap.wanted != Wanted::default() {
                let text = std::str::from_utf8(value).ok()?;
                let filled = !is_blank(text);
                if gap.wanted.filled.is_some_and(|before| before != filled) {
                    return None;
                }
                tokens.access = tokens.access.or(Some(text).filter(|_| gap.wanted.access && filled));
                tokens.refresh = tokens.refresh.or(Some(text).filter(|_| gap.wanted.refresh && filled));
            }
        }
        (rest == &self.bytes[from..]).then_some(tokens)
    }
}

/// What was read through the gaps.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tokens<'a> {
    pub(super) access: Option<&'a str>,
    pub(super) refresh: Option<&'a str>,
}

impl Fill {
    /// What may vary in this place. An empty text of XML may be a tag that closes itself, which has no room for one.
    fn of(kind: Kind, codec: Codec, empty: bool) -> Option<Fill> {
        match (kind, codec) {
            (Kind::Text, Codec::Json) => Some(Fill::JsonText),
            (Kind::Text, Codec::Xml) if !empty => Some(Fill::XmlText),
            (Kind::Number, _) => Some(Fill::Digits),
            (
                Kind::Text
                | Kind::Null
                | Kind::Flag(_)
                | Kind::Escaped
                | Kind::Object
                | Kind::List
                | Kind::Name
                | Kind::EscapedName,
                _,
            ) => None,
        }
    }

    /// How much of `rest` is such a value; nothing where it is one that has to be looked at twice.
    fn length(self, rest: &[u8]) -> Option<usize> {
        match self {
            Fill::JsonText => {
                let ends = |byte| is_any(byte, *b"\"\\") | is_outside(byte, b' ', b'~');
                let length = run_length(rest, ends);
                (rest.get(length) == Some(&b'"')).then_some(length)
            }
            Fill::XmlText => {
                let length = plain_xml_length(rest);
                (length > 0 && rest.get(length) == Some(&b'<')).then_some(length)
            }
            Fill::Digits => {
                let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                (length == 1 || (length > 1 && rest[0] != b'0')).then_some(length)
            }
        }
    }
}
