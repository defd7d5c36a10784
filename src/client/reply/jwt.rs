//! Looking into a JWT without judging it: broken ones are read as far as they can be.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::client::codec::tape::{Kind, Place, Tape};
use crate::client::codec::{Tree, scan_json};

/// Padding or none, and left-over bits, whoever wrote them.
const TOLERANT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, TOLERANT);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, TOLERANT);

/// The part of a token that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The JOSE header.
    Header,
    /// The claims.
    Claims,
}

/// That part of `token`, if `token` is a JWT at all.
pub fn read(token: &str, part: Part) -> Option<Tree> {
    Reader::default().open(token, part).map(Place::tree)
}

/// Opens one token after another, in the same memory.
#[derive(Default)]
pub struct Reader {
    bytes: Zeroizing<Vec<u8>>,
    tape: Tape,
}

impl std::fmt::Debug for Reader {
    /// Never what was read last.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader(..)")
    }
}

impl Reader {
    /// That part of `token`, an object, if `token` is a JWT at all.
    pub fn open(&mut self, token: &str, part: Part) -> Option<Place<'_>> {
        let mut parts = token.split('.');
        let header = parts.next()?;
        let claims = parts.next()?;
        let text = match part {
            Part::Header => header,
            Part::Claims => claims,
        };
        self.bytes.clear();
        if URL_SAFE.decode_vec(text, &mut self.bytes).is_err() {
            self.bytes.clear();
            STANDARD.decode_vec(text, &mut self.bytes).ok()?;
        }
        let text = std::str::from_utf8(&self.bytes).ok()?;
        scan_json(text, &mut self.tape).ok()?;
        self.tape.root(text).filter(|root| root.kind() == Kind::Object)
    }
}

/// What stands at a member of an opened part, nested ones by path.
pub fn member<'a>(opened: Place<'a>, name: &str) -> Option<Place<'a>> {
    opened.child(name).or_else(|| opened.get(name))
}

/// A member as text, where it is text, a number, a flag, or a list of texts: whoever wrote one text could have written
/// a list.
pub fn text(member: Place<'_>) -> Option<Cow<'_, str>> {
    if member.kind() != Kind::List {
        return member.value();
    }
    let texts = member.items().map(|item| match item.kind() {
        Kind::Text | Kind::Escaped => item.value(),
        Kind::Null
        | Kind::Flag(_)
        | Kind::Number
        | Kind::Object
        | Kind::List
        | Kind::Name
        | Kind::EscapedName => None,
    });
    Some(Cow::Owned(texts.collect::<Option<Vec<_>>>()?.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_in_either_alphabet_with_or_without_padding() {
        for claims in ["eyJzdWIiOiI-Pj8_In0", "eyJzdWIiOiI+Pj8/In0", "eyJzdWIiOiI-Pj8_In0="] {
            let tree = read(&format!("eyJhbGciOiJub25lIn0.{claims}."), Part::Claims).unwrap();
            assert_eq!(tree.get("/sub"), Some(&Tree::Text(">>??".to_owned())), "{claims}");
        }
        let header = read("eyJhbGciOiJub25lIn0.e30.", Part::Header).unwrap();
        assert_eq!(header.get("/alg"), Some(&Tree::Text("none".to_owned())));
    }

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        for token in ["", ".", "opaque", "a.b.c", "e30.W10.", "e30.bnVsbA.", "é.é"] {
            assert_eq!(read(token, Part::Claims), None, "{token}");
        }
    }

    #[test]
    fn one_reader_opens_many_tokens() {
        let mut reader = Reader::default();
        for (claims, name, expected) in [
            (r#"{"sub":"a"}"#, "sub", Some("a")),
            (r#"{"sub":"\u0061"}"#, "sub", Some("a")),
            (r#"{"aud":["x","y"]}"#, "aud", Some("x y")),
            (r#"{"aud":["x",1]}"#, "aud", None),
            (r#"{"n":1.50,"m":true}"#, "n", Some("1.50")),
            (r#"{"n":1.50,"m":true}"#, "m", Some("true")),
            (r#"{"realm":{"tenant":"07"}}"#, "realm/tenant", Some("07")),
            (r#"{"realm":{"tenant":"07"}}"#, "realm", None),
            (r#"{"sub":null}"#, "sub", None),
            ("{", "sub", None),
        ] {
            let token = format!("e30.{}.x", URL_SAFE.encode(claims));
            let found = reader.open(&token, Part::Claims).and_then(|opened| member(opened, name));
            assert_eq!(found.and_then(text).as_deref(), expected, "{claims}");
        }
    }
}
