//! The mint: how tokens are made and recognized.
//!
//! An access token is a JWT under HS256. A refresh token is 32 bytes in standard base64: the family and the
//! serial, encrypted under a synthetic initialization vector of 160 bits that also authenticates them. So a
//! token looks random, is the same for the same seed whatever the concurrency, cannot be made by anyone else,
//! and the authority needs no table of the tokens it issued.

use aws_lc_rs::{constant_time, digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use super::dress::Dress;

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// `{"alg":"HS256","typ":"at+jwt"}`, the header of RFC 9068.
const HEADER_OAUTH: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9";

/// Nothing longer is looked at: the mint makes no token as long.
const LONGEST: usize = 8192;

/// How much of a refresh token authenticates it: 160 bits, as RFC 6749 section 10.10 asks.
const REFRESH_TAG: usize = 20;

/// How much of a family's name authenticates it.
const NAME_TAG: usize = 8;

/// The number of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FamilyId(pub u32);

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// The tenant, where there are tenants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The client, where there are clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What it is for, where there are clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// The family.
    pub sid: String,
    /// Ties it to the refresh token of its pair: the beginning of that token's SHA-256.
    pub rt: String,
    /// The scope, where there are scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Issued at.
    pub iat: i64,
    /// Expires at; never, where a defect leaves it out.
    #[serde(default = "never")]
    pub exp: i64,
    /// Its own name.
    pub jti: String,
}

fn never() -> i64 {
    i64::MAX
}

/// The keys of one mock, all from its seed.
#[derive(Debug)]
pub struct Mint {
    signing: hmac::Key,
    sealing: hmac::Key,
    naming: hmac::Key,
    dress: Dress,
}

impl Mint {
    /// The keys that follow from `seed`.
    pub fn new(seed: u64) -> Mint {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut key = || {
            let mut bytes = [0; 32];
            random.fill_bytes(&mut bytes);
            hmac::Key::new(hmac::HMAC_SHA256, &bytes)
        };
        Mint { signing: key(), sealing: key(), naming: key(), dress: Dress::default() }
    }

    /// The same keys; the tokens look so.
    pub fn dressed(self, dress: Dress) -> Mint {
        Mint { dress, ..self }
    }

    /// The refresh token of that serial in that family.
    pub fn refresh(&self, family: FamilyId, serial: u32) -> String {
        let mut plain = [0; 12];
        plain[2..6].copy_from_slice(&family.0.to_be_bytes());
        plain[8..12].copy_from_slice(&serial.to_be_bytes());
        self.dress.refresh(STANDARD.encode(seal(&self.sealing, REFRESH_TAG, &plain)), &self.naming)
    }

    /// Whose refresh token that is; only the exact text of a token that this mint could make.
    pub fn read_refresh(&self, text: &str) -> Option<(FamilyId, u32)> {
        let text = self.dress.bare_refresh(text, &self.naming)?;
        if text.len() != 44 {
            return None;
        }
        let plain = unseal(&self.sealing, REFRESH_TAG, &STANDARD.decode(text).ok()?)?;
        let word = |at: usize| plain.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
        Some((FamilyId(word(2)?), word(8)?))
    }

    /// The family's name, as tokens show it.
    pub fn name(&self, family: FamilyId) -> String {
        hex(&seal(&self.naming, NAME_TAG, &family.0.to_be_bytes()))
    }

    /// The family of that name.
    pub fn read_name(&self, name: &str) -> Option<FamilyId> {
        let plain = unseal(&self.naming, NAME_TAG, &unhex(name)?)?;
        Some(FamilyId(u32::from_be_bytes(plain.try_into().ok()?)))
    }

    /// The name of the access token of that number.
    pub fn access_name(&self, family: FamilyId, number: u32) -> String {
        let mut text = [0; 9];
        text[0] = b'a';
        text[1..5].copy_from_slice(&family.0.to_be_bytes());
        text[5..9].copy_from_slice(&number.to_be_bytes());
        hex(&hmac::sign(&self.naming, &text).as_ref()[..16])
    }

    /// The access token with these claims; that of a client says what it is (RFC 9068).
    pub fn access(&self, claims: &Claims) -> String {
        let header = if claims.client_id.is_some() { HEADER_OAUTH } else { HEADER };
        let claims = serde_json::to_vec(claims).expect("a struct of texts and numbers has a JSON form");
        self.dress.access(self.signed(header, &claims), &self.naming)
    }

    /// A token of another kind with these claims.
    pub fn sign(&self, claims: &serde_json::Value) -> String {
        self.signed(HEADER, claims.to_string().as_bytes())
    }

    fn signed(&self, header: &str, claims: &[u8]) -> String {
        let mut token = String::with_capacity(512);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = hmac::sign(&self.signing, token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    /// The claims of an access token of this mint; its lifetime is not looked at.
    pub fn read_access(&self, token: &str) -> Option<Claims> {
        if token.len() > LONGEST {
            return None;
        }
        let token = self.dress.bare_access(token, &self.naming)?;
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        if header != HEADER && header != HEADER_OAUTH {
            return None;
        }
        hmac::verify(&self.signing, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

/// The claims of a JWT that says of itself that it is not signed. Only a defect reads them.
pub fn read_unsigned(token: &str) -> Option<Claims> {
    #[derive(Deserialize)]
    struct Head {
        alg: String,
    }
    if token.len() > LONGEST {
        return None;
    }
    let mut parts = token.split('.');
    let head: Head = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()?;
    let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()?;
    head.alg.eq_ignore_ascii_case("none").then_some(claims)
}

/// The beginning of a token's SHA-256 in hexadecimal: what ties an access token to it.
pub fn tie(token: &str) -> String {
    hex(&digest::digest(&digest::SHA256, token.as_bytes()).as_ref()[..8])
}

/// `tag ‖ plain ⊕ pad(tag)`, the tag being a MAC of the plain text.
fn seal(key: &hmac::Key, tag: usize, plain: &[u8]) -> Vec<u8> {
    let mut sealed = hmac::sign(key, plain).as_ref()[..tag].to_vec();
    let pad = hmac::sign(key, &sealed);
    sealed.extend(plain.iter().zip(pad.as_ref()).map(|(byte, pad)| byte ^ pad));
    sealed
}

fn unseal(key: &hmac::Key, tag: usize, sealed: &[u8]) -> Option<Vec<u8>> {
    let (tag_given, hidden) = sealed.split_at_checked(tag)?;
    let pad = hmac::sign(key, tag_given);
    let plain: Vec<u8> = hidden.iter().zip(pad.as_ref()).map(|(byte, pad)| byte ^ pad).collect();
    let tag_true = hmac::sign(key, &plain);
    constant_time::verify_slices_are_equal(tag_given, &tag_true.as_ref()[..tag]).ok()?;
    Some(plain)
}

/// In hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 64 {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(&pair[0])? << 4 | digit(&pair[1])?)).collect()
}

#[cfg(test)]
impl Claims {
    /// Claims of nobody, for tests of what is done with claims.
    pub fn of_a_test() -> Claims {
        Claims {
            iss: "mock".into(),
            sub: "user".into(),
            state: Some("07".into()),
            client_id: None,
            aud: None,
            sid: "s".into(),
            rt: "r".into(),
            scope: None,
            iat: 1,
            exp: 2,
            jti: "j".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_header_is_what_it_says() {
        assert_eq!(URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#), HEADER);
        assert_eq!(URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"at+jwt"}"#), HEADER_OAUTH);
    }

    #[test]
    fn a_refresh_token_is_recognized_and_any_change_is_not() {
        let mint = Mint::new(7);
        let token = mint.refresh(FamilyId(3), 41);
        assert_eq!(token.len(), 44);
        assert_eq!(mint.read_refresh(&token), Some((FamilyId(3), 41)));
        for at in 0..token.len() {
            let mut changed: Vec<u8> = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(mint.read_refresh(std::str::from_utf8(&changed).unwrap()), None, "character {at}");
        }
        assert_eq!(mint.read_refresh(token.trim_end_matches('=')), None);
        assert_eq!(Mint::new(8).read_refresh(&token), None);
    }

    #[test]
    fn refresh_tokens_have_every_character_of_base64_and_no_pattern_of_their_number() {
        let mint = Mint::new(7);
        let tokens: Vec<String> = (0..2000).map(|serial| mint.refresh(FamilyId(1), serial)).collect();
        assert_eq!(tokens.iter().collect::<HashSet<_>>().len(), 2000);
        for wanted in ['+', '/', '='] {
            assert!(tokens.iter().any(|token| token.contains(wanted)));
        }
        for place in 0..43 {
            let seen: HashSet<char> = tokens.iter().filter_map(|token| token.chars().nth(place)).collect();
            assert!(seen.len() >= 16, "place {place} has {} characters", seen.len());
        }
    }

    #[test]
    fn an_access_token_is_read_back_and_a_forged_one_is_not() {
        let mint = Mint::new(7);
        let token = mint.access(&Claims::of_a_test());
        assert_eq!(mint.read_access(&token), Some(Claims::of_a_test()));
        assert_eq!(Mint::new(8).read_access(&token), None);
        assert_eq!(mint.read_access(&token[..token.len() - 1]), None);
        assert_eq!(mint.read_access("a.b"), None);
        assert_eq!(mint.read_access(&"x".repeat(100_000)), None);
    }

    #[test]
    fn only_a_token_that_says_none_is_read_unsigned() {
        let mint = Mint::new(7);
        let token = mint.access(&Claims::of_a_test());
        assert_eq!(read_unsigned(&token), None);
        let payload = token.split('.').nth(1).unwrap();
        let forged = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"nOnE"}"#));
        assert_eq!(read_unsigned(&forged), Some(Claims::of_a_test()));
        assert_eq!(mint.read_access(&forged), None);
    }

    #[test]
    fn the_name_of_a_family_leads_back_to_it() {
        let mint = Mint::new(7);
        assert_eq!(mint.read_name(&mint.name(FamilyId(9))), Some(FamilyId(9)));
        assert_eq!(mint.read_name("00"), None);
        assert_eq!(mint.read_name("zz"), None);
    }
}
