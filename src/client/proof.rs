//! Proofs of possession (RFC 9449), the client's side: a JWT for one request, signed by the key of whoever asks.
//!
//! Owns how a proof is made, and what the endpoint last said that the next one needs: its nonce and its time.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::client::{Answer, reply};
use crate::secret::Token;

/// Keys that are kept; an environment has few identities.
const KEYS_MAX: usize = 64;

/// A key that proofs are signed with: ES256, which every profile allows.
#[derive(Debug)]
pub struct ProofKey {
    pair: EcdsaKeyPair,
}

impl ProofKey {
    /// The key that follows from a text: any text, so that it can be kept like a password.
    pub fn of(text: &Token) -> ProofKey {
        // Nearly every digest is a key; the number is there for the one in four thousand million that is none.
        let tries = (0_u32..).map(|number| {
            let scalar = digest(&SHA256, format!("{number} {}", text.expose()).as_bytes());
            let private = PrivateKey::from_private_key(&ECDH_P256, scalar.as_ref()).ok()?;
            let public = private.compute_public_key().ok()?;
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar.as_ref(), public.as_ref()).ok()
        });
        let pair = tries.take(64).flatten().next();
        ProofKey { pair: pair.expect("one digest in four thousand million is no key, and 64 were tried") }
    }

    /// The public key, as a proof carries it (RFC 7517).
    pub fn public(&self) -> Value {
        // An uncompressed point: 4, then 32 bytes of each coordinate.
        let point = self.pair.public_key().as_ref();
        let coordinate = |at: usize| URL_SAFE_NO_PAD.encode(&point[at..at + 32]);
        json!({ "kty": "EC", "crv": "P-256", "x": coordinate(1), "y": coordinate(33) })
    }

    /// The signature of a text, in base64url.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes());
        URL_SAFE_NO_PAD.encode(signature.expect("signing needs nothing but memory and random numbers"))
    }
}

/// A proof before it is signed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The JOSE header.
    pub head: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl Draft {
    /// What is signed.
    pub fn text(&self) -> String {
        let part =
            |members: &Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(members.clone()).to_string());
        format!("{}.{}", part(&self.head), part(&self.claims))
    }

    /// The proof.
    pub fn signed(&self, key: &ProofKey) -> Token {
        let text = self.text();
        let signature = key.sign(&text);
        Token::new(format!("{text}.{signature}"))
    }
}

/// What the endpoint said that the next proof needs.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    nonce: Option<String>,
    /// How far its clock is ahead of ours, in seconds.
    ahead: Option<i64>,
}

impl Heard {
    /// What an answer says.
    pub fn of(answer: &Answer) -> Heard {
        let date = answer.header("date").and_then(|date| reply::dates::http_date(date.trim()));
        Heard {
            nonce: answer.header("dpop-nonce").filter(|nonce| !nonce.is_empty()),
            ahead: date.map(|date| date.as_second() - Timestamp::now().as_second()),
        }
    }
}

/// What all proofs of one client share.
#[derive(Debug, Default)]
pub struct Proofs {
    heard: Mutex<Heard>,
    keys: Mutex<Vec<(Token, Arc<ProofKey>)>>,
}

impl Proofs {
    /// The key of a text; made once.
    pub fn key(&self, text: &Token) -> Arc<ProofKey> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = keys.iter().find(|(known, _)| known == text) {
            return Arc::clone(key);
        }
        let key = Arc::new(ProofKey::of(text));
        keys.truncate(KEYS_MAX - 1);
        keys.push((text.clone(), Arc::clone(&key)));
        key
    }

    /// Whether any proof was made yet.
    pub fn are_made(&self) -> bool {
        !self.keys.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Takes in what an answer said; what it does not say stays.
    pub fn hear(&self, heard: Heard) {
        let mut known = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        known.nonce = heard.nonce.or(known.nonce.take());
        known.ahead = heard.ahead.or(known.ahead);
    }

    /// The proof for a request to `address`, by `key`.
    pub fn draft(&self, key: &ProofKey, method: &str, address: &str) -> Draft {
        let Heard { nonce, ahead } = self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut name = [0; 16];
        SystemRandom::new().fill(&mut name).expect("the system has random numbers");
        let head = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.public() });
        let mut claims = json!({
            "jti": URL_SAFE_NO_PAD.encode(name),
            "htm": method,
            "htu": address,
            "iat": Timestamp::now().as_second().saturating_add(ahead.unwrap_or(0)),
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let members = |value: Value| match value {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        Draft { head: members(head), claims: members(claims) }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_key_follows_from_its_text_and_signs_what_its_public_half_verifies() {
        let key = ProofKey::of(&Token::new("a text"));
        assert_eq!(key.public(), ProofKey::of(&Token::new("a text")).public());
        assert_ne!(key.public(), ProofKey::of(&Token::new("another")).public());
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.pair.public_key().as_ref());
        let signature = URL_SAFE_NO_PAD.decode(key.sign("signed")).unwrap();
        assert!(public.verify(b"signed", &signature).is_ok());
        assert!(public.verify(b"signet", &signature).is_err());
    }

    #[test]
    fn a_proof_names_its_request_and_what_the_endpoint_last_said() {
        let (proofs, key) = (Proofs::default(), ProofKey::of(&Token::new("k")));
        let first = proofs.draft(&key, "POST", "https://as.example/token");
        assert_eq!(
            (&first.claims["htm"], &first.claims["htu"]),
            (&json!("POST"), &json!("https://as.example/token"))
        );
        assert!(!first.claims.contains_key("nonce"));
        let answer = Answer {
            headers: vec![
                ("DPoP-Nonce".to_owned(), b"n-1".to_vec()),
                ("Date".to_owned(), b"Mon, 06 May 2024 07:08:09 GMT".to_vec()),
            ],
            ..Answer::empty()
        };
        proofs.hear(Heard::of(&answer));
        proofs.hear(Heard::of(&Answer::empty()));
        let second = proofs.draft(&key, "POST", "https://as.example/token");
        assert_eq!(second.claims["nonce"], "n-1");
        assert!(second.claims["iat"].as_i64().unwrap() - 1_714_979_289 < 60);
        assert_ne!(first.claims["jti"], second.claims["jti"]);
    }
}
