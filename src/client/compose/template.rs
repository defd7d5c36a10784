//! A request that was composed once and is filled in ever after: bytes with holes for the pair of tokens.
//!
//! A template proves itself: it is cut at markers that stand in for the tokens, and kept only if it fills in
//! awkward tokens exactly as they would have been composed. A call whose bytes hang on the tokens in another way
//! (a proof that is computed from them) has no template and is composed every time.

use crate::client::codec::{self, form};
use crate::dialect::Codec;

/// The tokens of a call.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// The access token, where the chain has one.
    pub access: Option<&'a str>,
    /// The refresh token, where it has one.
    pub refresh: Option<&'a str>,
}

impl std::fmt::Debug for Pair<'_> {
    /// Which tokens there are, never what they are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pair({}, {})", self.access.is_some(), self.refresh.is_some())
    }
}

/// Bytes of a request with holes.
#[derive(Clone)]
pub struct Template {
    head: Vec<Piece>,
    body: Vec<Piece>,
    /// Bytes of the body that are no holes.
    fixed: usize,
    codec: Option<Codec>,
    has: (bool, bool),
}

#[derive(Clone)]
enum Piece {
    Bytes(Vec<u8>),
    Hole(Hole),
    /// The digits of the Content-Length.
    Length,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    Access,
    Refresh,
}

/// Stand-ins: of characters that no codec escapes, and that occur nowhere else.
const MARKS: [(Hole, &str); 2] = [
    (Hole::Access, "zZ0access7assay5mark3zZ0access7assay5mark3"),
    (Hole::Refresh, "zZ0refresh7assay5mark3zZ0refresh7assay5mark"),
];

/// Tokens with everything that a codec may escape, and of lengths that change the number of digits of a length.
const AWKWARD: [(&str, &str); 3] =
    [("a\"b\\c<d>&e'f+g/h=i%j k~l", "é\u{1}\n\t]]>;#?@!$^*()_-."), ("", "r"), ("plain", "0123456789")];

impl std::fmt::Debug for Template {
    /// How many pieces, never what they are: credentials stand in them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template({} + {} pieces)", self.head.len(), self.body.len())
    }
}

impl Template {
    /// The template of what `compose` makes, for calls that have the tokens that `like` has. `compose` gives the
    /// whole request, and how long its body is. Nothing where the bytes hang on the tokens in another way.
    pub fn of<E>(
        codec: Option<Codec>,
        like: Pair<'_>,
        compose: impl Fn(Pair<'_>) -> Result<(Vec<u8>, usize), E>,
    ) -> Option<Template> {
        let has = (like.access.is_some(), like.refresh.is_some());
        let pair =
            |access, refresh| Pair { access: has.0.then_some(access), refresh: has.1.then_some(refresh) };
        let (marked, length) = compose(pair(MARKS[0].1, MARKS[1].1)).ok()?;
        let (head, body) = marked.split_at_checked(marked.len().checked_sub(length)?)?;
        let template =
            Template { head: cut_length(cut(head), length), body: cut(body), fixed: 0, codec, has };
        let fixed = template.body.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::Hole(_) | Piece::Length => 0,
        });
        let template = Template { fixed: fixed.sum(), ..template };
        let mut filled = Vec::new();
        let is_right = AWKWARD.iter().all(|(access, refresh)| {
            let pair = pair(access, refresh);
            filled.clear();
            template.fill(pair, &mut filled) && compose(pair).is_ok_and(|(bytes, _)| bytes == filled)
        });
        is_right.then_some(template)
    }

    /// Appends the request with these tokens; false, and nothing appended, where they are others than it was made
    /// for (a token more, or one less).
    pub fn fill(&self, pair: Pair<'_>, out: &mut Vec<u8>) -> bool {
        if (pair.access.is_some(), pair.refresh.is_some()) != self.has {
            return false;
        }
        let access = Written::of(self.codec, pair.access.unwrap_or_default());
        let refresh = Written::of(self.codec, pair.refresh.unwrap_or_default());
        let value = |hole: Hole| match hole {
            Hole::Access => &access,
            Hole::Refresh => &refresh,
        };
        let holes = self.body.iter().map(|piece| match piece {
            Piece::Hole(hole) => value(*hole).length(),
            Piece::Bytes(_) | Piece::Length => 0,
        });
        let length = self.fixed + holes.sum::<usize>();
        for piece in &self.head {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                // A header is not escaped.
                Piece::Hole(hole) => out.extend_from_slice(pair.token(*hole).as_bytes()),
                Piece::Length => write_number(length, out),
            }
        }
        for piece in &self.body {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Hole(hole) => value(*hole).append(out),
                Piece::Length => {}
            }
        }
        true
    }
}

impl<'a> Pair<'a> {
    fn token(&self, hole: Hole) -> &'a str {
        let token = match hole {
            Hole::Access => self.access,
            Hole::Refresh => self.refresh,
        };
        token.unwrap_or_default()
    }
}

/// A token as it stands in a body.
enum Written<'a> {
    AsItIs(&'a str),
    /// Percent-encoded on the way out: most refresh tokens have a sign in them that a form may not have.
    InForm(&'a str),
    Escaped(Vec<u8>),
}

impl<'a> Written<'a> {
    fn of(codec: Option<Codec>, token: &'a str) -> Written<'a> {
        match codec {
            None => Written::AsItIs(token),
            Some(Codec::Form) => Written::InForm(token),
            Some(Codec::Json | Codec::Xml) if is_plain(token) => Written::AsItIs(token),
            Some(codec @ (Codec::Json | Codec::Xml)) => Written::Escaped(codec::escape(codec, token)),
        }
    }

    fn length(&self) -> usize {
        match self {
            Written::AsItIs(token) => token.len(),
            Written::InForm(token) => form::encoded_length(token),
            Written::Escaped(bytes) => bytes.len(),
        }
    }

    fn append(&self, out: &mut Vec<u8>) {
        match self {
            Written::AsItIs(token) => out.extend_from_slice(token.as_bytes()),
            Written::InForm(token) => form::encode_into(token, out),
            Written::Escaped(bytes) => out.extend_from_slice(bytes),
        }
    }
}

/// Whether neither JSON nor XML escapes anything of it.
fn is_plain(token: &str) -> bool {
    let escaped = |byte| codec::is_any(byte, *b"\"\\&<>") | codec::is_control(byte);
    codec::run_length(token.as_bytes(), escaped) == token.len()
}

/// The bytes cut at every mark.
fn cut(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while let Some((at, hole, mark)) = first_mark(rest) {
        pieces.push(Piece::Bytes(rest[..at].to_vec()));
        pieces.push(Piece::Hole(hole));
        rest = &rest[at + mark.len()..];
    }
    pieces.push(Piece::Bytes(rest.to_vec()));
    pieces
}

fn first_mark(bytes: &[u8]) -> Option<(usize, Hole, &'static str)> {
    let find = |mark: &str| bytes.windows(mark.len()).position(|window| window == mark.as_bytes());
    MARKS.iter().filter_map(|(hole, mark)| Some((find(mark)?, *hole, *mark))).min_by_key(|(at, ..)| *at)
}

/// The head with a hole for the digits of its Content-Length.
fn cut_length(head: Vec<Piece>, length: usize) -> Vec<Piece> {
    let field = format!("\r\nContent-Length: {length}\r\n");
    let mut pieces = Vec::new();
    for piece in head {
        let Piece::Bytes(bytes) = piece else {
            pieces.push(piece);
            continue;
        };
        match bytes.windows(field.len()).position(|window| window == field.as_bytes()) {
            None => pieces.push(Piece::Bytes(bytes)),
            Some(at) => {
                let (from, to) = (at + "\r\nContent-Length: ".len(), at + field.len() - 2);
                pieces.push(Piece::Bytes(bytes[..from].to_vec()));
                pieces.push(Piece::Length);
                pieces.push(Piece::Bytes(bytes[to..].to_vec()));
            }
        }
    }
    pieces
}

fn write_number(number: usize, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).expect("a digit is below ten");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::codec::{Leaf, Outgoing};

    /// A call with the tokens in the body, and one more time in a header.
    fn composed(codec: Codec, pair: Pair<'_>) -> (Vec<u8>, usize) {
        let member = |name: &str, token: Option<&str>| {
            token.map(|token| (name.to_owned(), Leaf::Text(token.to_owned())))
        };
        let members = [member("access", pair.access), member("refresh", pair.refresh)];
        let body = codec::write(&Outgoing {
            codec,
            root: Some("R".to_owned()),
            namespaces: Vec::new(),
            members: members.into_iter().flatten().collect(),
        });
        let mut bytes = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(
            format!("Authorization: {}\r\n\r\n", pair.access.unwrap_or("none")).as_bytes(),
        );
        bytes.extend_from_slice(&body);
        (bytes, body.len())
    }

    #[test]
    fn a_template_fills_in_any_tokens_as_they_would_be_composed() {
        let pairs = [
            Pair { access: Some("a"), refresh: Some("<\"&'>\\ é%+=/") },
            Pair { access: Some("x.y.z"), refresh: Some("") },
        ];
        for codec in [Codec::Json, Codec::Xml, Codec::Form] {
            let template =
                Template::of(Some(codec), pairs[0], |pair| Ok::<_, ()>(composed(codec, pair))).unwrap();
            for pair in pairs {
                let mut filled = Vec::new();
                assert!(template.fill(pair, &mut filled));
                assert_eq!(filled, composed(codec, pair).0);
            }
        }
    }

    #[test]
    fn a_call_with_other_tokens_than_it_was_made_for_is_not_filled() {
        let both = Pair { access: Some("a"), refresh: Some("r") };
        let template = Template::of(Some(Codec::Json), both, |pair| Ok::<_, ()>(composed(Codec::Json, pair)));
        let mut filled = Vec::new();
        assert!(!template.unwrap().fill(Pair { access: None, refresh: Some("r") }, &mut filled));
        assert!(filled.is_empty());
    }

    #[test]
    fn a_call_that_is_computed_from_its_tokens_has_no_template() {
        let computed = |pair: Pair<'_>| {
            let (mut bytes, length) = composed(Codec::Json, pair);
            bytes.splice(0..0, format!("X: {}\r\n", pair.refresh.unwrap_or_default().len()).into_bytes());
            Ok::<_, ()>((bytes, length))
        };
        let both = Pair { access: Some("a"), refresh: Some("r") };
        assert!(Template::of(Some(Codec::Json), both, computed).is_none());
    }
}
