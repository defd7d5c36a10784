//! Access tokens that are signed otherwise than the mint does it: with a pair of keys, which is unusual and right,
//! or in one of the ways in which JWTs go wrong.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::suite::defect::Defect;
use crate::suite::environment::Variant;

use super::defects::Switches;
use super::host;
use super::tokens::Claims;

/// The secret of a mock with a weak key.
const WEAK: &[u8] = b"secret";

/// A personal number that no person has, with its checksum: what must not stand in a token.
const PERSONAL: &str = "2345 6789 0124";

/// Nothing longer is looked at.
const LONGEST: usize = 8192;

/// The keys of such tokens.
pub struct Signing {
    switches: Switches,
    pair: Ed25519KeyPair,
    secret: [u8; 32],
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signing")
    }
}

impl Signing {
    /// The keys that follow from `secret`, where a switch asks for them.
    pub fn of(switches: Switches, secret: [u8; 32]) -> Option<Signing> {
        const ASKING: [Defect; 5] = [
            Defect::WeakSigningKey,
            Defect::KeyConfusion,
            Defect::ExpiryMissing,
            Defect::PersonalNumberInToken,
            Defect::SecretInToken,
        ];
        let asked = ASKING.iter().any(|defect| switches.has(*defect));
        let pair = Ed25519KeyPair::from_seed_unchecked(&secret).expect("32 bytes are a seed");
        (asked || switches.is(Variant::AsymmetricTokens)).then_some(Signing { switches, pair, secret })
    }

    fn is_asymmetric(&self) -> bool {
        self.switches.has(Defect::KeyConfusion) || self.switches.is(Variant::AsymmetricTokens)
    }

    /// The public key as PEM, where there is one.
    pub fn public_key(&self) -> Option<String> {
        // The head of an Ed25519 key (RFC 8410).
        const HEAD: [u8; 12] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];
        let bytes = [&HEAD[..], self.pair.public_key().as_ref()].concat();
        let text =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(bytes));
        self.is_asymmetric().then_some(text)
    }

    /// The token with these claims; `secret` is what its owner logs in with.
    pub fn token(&self, claims: &Claims, secret: Option<&str>) -> String {
        let mut content = match serde_json::to_value(claims) {
            Ok(Value::Object(content)) => content,
            Ok(_) | Err(_) => Map::new(),
        };
        if self.switches.has(Defect::ExpiryMissing) {
            content.remove("exp");
        }
        if self.switches.has(Defect::PersonalNumberInToken) {
            content.insert("uid".to_owned(), json!(PERSONAL));
        }
        if let Some(secret) = secret.filter(|_| self.switches.has(Defect::SecretInToken)) {
            content.insert("auth".to_owned(), json!(secret));
        }
        let alg = if self.is_asymmetric() { "EdDSA" } else { "HS256" };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed =
            format!("{}.{}", part(&json!({ "alg": alg, "typ": "JWT" })), part(&Value::Object(content)));
        let signature = if self.is_asymmetric() {
            URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes()))
        } else {
            URL_SAFE_NO_PAD.encode(hmac::sign(&key(self.shared()), signed.as_bytes()))
        };
        format!("{signed}.{signature}")
    }

    fn shared(&self) -> &[u8] {
        if self.switches.has(Defect::WeakSigningKey) { WEAK } else { &self.secret }
    }

    /// The claims of such a token, and of those that a tricked verifier takes for one.
    pub fn read(&self, token: &str) -> Option<Claims> {
        let read = Read::of(token)?;
        let is_good = match read.alg.as_str() {
            "EdDSA" if self.is_asymmetric() => {
                UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref())
                    .verify(read.signed.as_bytes(), &read.signature)
                    .is_ok()
            }
            "HS256" if self.is_asymmetric() => {
                let public = self.public_key().filter(|_| self.switches.has(Defect::KeyConfusion))?;
                verifies(public.as_bytes(), &read)
            }
            "HS256" => verifies(self.shared(), &read),
            _ => false,
        };
        if is_good { read.claims } else { None }
    }
}

/// The claims of a JWT whose header leads to its key, where the endpoint follows it.
pub fn follow_header(switches: Switches, token: &str) -> Option<Claims> {
    let follows_kid = switches.has(Defect::KidPathFollowed);
    let follows_jku = switches.has(Defect::JkuFollowed);
    if !follows_kid && !follows_jku {
        return None;
    }
    let read = Read::of(token)?;
    if let Some(address) = read.jku.as_deref().filter(|_| follows_jku) {
        host::call(address);
    }
    // What stands in `/dev/null` is the empty key.
    let empty = read.kid.as_deref().is_some_and(|kid| kid.ends_with("/dev/null"));
    if follows_kid && empty && verifies(&[], &read) { read.claims } else { None }
}

fn key(secret: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret)
}

fn verifies(secret: &[u8], read: &Read<'_>) -> bool {
    hmac::verify(&key(secret), read.signed.as_bytes(), &read.signature).is_ok()
}

/// A JWT, taken apart.
struct Read<'t> {
    alg: String,
    kid: Option<String>,
    jku: Option<String>,
    signed: &'t str,
    signature: Vec<u8>,
    claims: Option<Claims>,
}

impl Read<'_> {
    fn of(token: &str) -> Option<Read<'_>> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (head, content) = signed.split_once('.')?;
        let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
        let text = |name: &str| head.get(name)?.as_str().map(str::to_owned);
        Some(Read {
            alg: text("alg")?,
            kid: text("kid"),
            jku: text("jku"),
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            claims: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(content).ok()?).ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::suite::environment::MockSpec;

    use super::*;

    fn signing(defects: &[Defect], variants: &[Variant]) -> Signing {
        let spec = MockSpec { defects: defects.to_vec(), variants: variants.to_vec(), ..MockSpec::default() };
        Signing::of(Switches::of(&spec), [7; 32]).unwrap()
    }

    #[test]
    fn tokens_of_a_pair_of_keys_are_read_back_and_forged_ones_are_not() {
        let good = signing(&[], &[Variant::AsymmetricTokens]);
        let token = good.token(&Claims::of_a_test(), None);
        assert_eq!(good.read(&token), Some(Claims::of_a_test()));
        assert!(good.public_key().unwrap().starts_with("-----BEGIN PUBLIC KEY-----"));
        let (signed, _) = token.rsplit_once('.').unwrap();
        let forged = signed.replacen(
            &URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#),
            &URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#),
            1,
        );
        let tag = hmac::sign(&key(good.public_key().unwrap().as_bytes()), forged.as_bytes());
        let forged = format!("{forged}.{}", URL_SAFE_NO_PAD.encode(tag));
        assert_eq!(good.read(&forged), None);
        assert_eq!(signing(&[Defect::KeyConfusion], &[]).read(&forged), Some(Claims::of_a_test()));
    }

    #[test]
    fn what_a_careless_token_tells_can_be_read_by_anyone() {
        let told = signing(&[Defect::PersonalNumberInToken, Defect::SecretInToken], &[]);
        let token = told.token(&Claims::of_a_test(), Some("mock-auth-07"));
        let content = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let content = String::from_utf8(content).unwrap();
        assert!(content.contains(PERSONAL) && content.contains("mock-auth-07"), "{content}");
        assert_eq!(told.read(&token), Some(Claims::of_a_test()));
    }

    #[test]
    fn a_token_that_never_expires_is_read_all_the_same() {
        let endless = signing(&[Defect::ExpiryMissing], &[]);
        let read = endless.read(&endless.token(&Claims::of_a_test(), None)).unwrap();
        assert_eq!(read.exp, i64::MAX);
    }
}
