//! Looking into a JWT without judging it: broken ones are read as far as they can be.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::client::codec::{Tree, read_json};

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
    let mut parts = token.split('.');
    let header = parts.next()?;
    let claims = parts.next()?;
    let text = match part {
        Part::Header => header,
        Part::Claims => claims,
    };
    let bytes = URL_SAFE.decode(text).or_else(|_| STANDARD.decode(text)).ok()?;
    let tree = read_json(std::str::from_utf8(&bytes).ok()?).ok()?;
    matches!(tree, Tree::Object(_)).then_some(tree)
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
}
