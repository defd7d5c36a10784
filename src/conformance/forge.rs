//! Forged JWTs: the good one rewritten and signed with a key that is not the server's.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};

use super::change::NotMade;
use crate::client::proof::{Draft, ProofKey};
use crate::secret::Token;
use crate::suite::call::{ForgeKey, ForgeSignature};

/// A forgery whose templates are already text.
#[derive(Clone, Debug, Default)]
pub(super) struct Forgery {
    /// `alg` of the header.
    pub alg: Option<String>,
    /// What it is signed with.
    pub key: Option<ForgeKey>,
    /// Claims replaced or added.
    pub claims: Vec<(String, String)>,
    /// Header members replaced or added.
    pub head: Vec<(String, String)>,
    /// The signature where it is not computed.
    pub signature: Option<ForgeSignature>,
}

/// The good JWT rewritten. What is missing for it, as a fragment.
///
/// `public` is the key that the endpoint signs with, as PEM: a server that is tricked takes its text for a secret.
pub(super) fn rewrite(
    good: &str,
    forgery: &Forgery,
    public: Option<&str>,
    rng: &mut ChaCha8Rng,
) -> Result<String, NotMade> {
    let parts: Vec<&str> = good.split('.').collect();
    let [head, claims, signature] = parts[..] else { return Err(no_jwt()) };
    let mut header = object(head).ok_or_else(no_jwt)?;
    let mut content = object(claims).ok_or_else(no_jwt)?;
    put(&mut header, &forgery.head);
    if let Some(alg) = &forgery.alg {
        header.insert("alg".to_owned(), Value::String(alg.clone()));
    }
    put(&mut content, &forgery.claims);
    let signed = format!("{}.{}", part(head, &header), part(claims, &content));
    let alg = header.get("alg").and_then(Value::as_str).unwrap_or("HS256").to_owned();
    let signature = match (forgery.signature, forgery.key) {
        (Some(ForgeSignature::Empty), _) => String::new(),
        (None, _) if alg.eq_ignore_ascii_case("none") => String::new(),
        (Some(ForgeSignature::Kept), _) | (None, None) => signature.to_owned(),
        (None, Some(ForgeKey::Public)) => {
            let good = object(head).and_then(|head| head.get("alg")?.as_str().map(str::to_owned));
            if good.is_some_and(|alg| alg.starts_with("HS")) {
                let why = "the token is signed with a shared secret, so there is no public key";
                return Err(NotMade::moot(why));
            }
            let public = public
                .ok_or_else(|| NotMade::moot("the public key that the endpoint signs with is not known"))?;
            with_secret(&signed, &alg, public.as_bytes())
                .ok_or_else(|| NotMade::from("only an HMAC can take a public key"))?
        }
        (None, Some(key)) => sign(&signed, &alg, key, rng),
    };
    Ok(format!("{signed}.{signature}"))
}

fn no_jwt() -> NotMade {
    NotMade::moot("the token is no JWT")
}

/// A proof of possession rewritten and signed again: by its own key, or by another that it then names.
pub(super) fn prove(mut draft: Draft, own: &ProofKey, forgery: &Forgery) -> String {
    let kept = draft.text();
    let other = (forgery.key.is_some()).then(|| ProofKey::of(&Token::new("a key of nobody")));
    let key = other.as_ref().unwrap_or(own);
    draft.head.insert("jwk".to_owned(), key.public());
    put(&mut draft.head, &forgery.head);
    if let Some(alg) = &forgery.alg {
        draft.head.insert("alg".to_owned(), Value::String(alg.clone()));
    }
    put(&mut draft.claims, &forgery.claims);
    let text = draft.text();
    let none = forgery.alg.as_ref().is_some_and(|alg| alg.eq_ignore_ascii_case("none"));
    let signature = match forgery.signature {
        Some(ForgeSignature::Kept) => own.sign(&kept),
        Some(ForgeSignature::Empty) => String::new(),
        None if none => String::new(),
        None => key.sign(&text),
    };
    format!("{text}.{signature}")
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Numbers and flags stay what they are; everything else is text.
fn put(members: &mut Map<String, Value>, changes: &[(String, String)]) {
    for (name, text) in changes {
        let value = match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => value,
            _ => Value::String(text.clone()),
        };
        members.insert(name.clone(), value);
    }
}

/// The part written again only if it changed, so that an untouched one keeps its exact bytes.
fn part(old: &str, members: &Map<String, Value>) -> String {
    if object(old).as_ref() == Some(members) {
        return old.to_owned();
    }
    URL_SAFE_NO_PAD.encode(Value::Object(members.clone()).to_string())
}

/// An HMAC for HS algorithms; for the others noise of a plausible length, which no key has made either.
fn sign(text: &str, alg: &str, key: ForgeKey, rng: &mut ChaCha8Rng) -> String {
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    let secret: &[u8] = match key {
        ForgeKey::Other | ForgeKey::Public => &secret,
        ForgeKey::Empty => &[],
    };
    with_secret(text, alg, secret).unwrap_or_else(|| {
        let mut noise = [0; 256];
        rng.fill_bytes(&mut noise);
        URL_SAFE_NO_PAD.encode(noise)
    })
}

/// The HMAC of an HS algorithm.
fn with_secret(text: &str, alg: &str, secret: &[u8]) -> Option<String> {
    let algorithm = match alg {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => return None,
    };
    Some(URL_SAFE_NO_PAD.encode(hmac::sign(&hmac::Key::new(algorithm, secret), text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn good() -> String {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"kerala","exp":1700000000}"#);
        let signed = format!("{head}.{claims}");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"the server's"), signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    fn forged(forgery: &Forgery) -> String {
        rewrite(&good(), forgery, None, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    }

    fn parts(token: &str) -> (String, String, String) {
        let parts: Vec<&str> = token.split('.').collect();
        let text = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        (text(parts[0]), text(parts[1]), parts[2].to_owned())
    }

    #[test]
    fn another_key_changes_the_signature_alone() {
        let made = forged(&Forgery { key: Some(ForgeKey::Other), ..Forgery::default() });
        let (good, made) = (parts(&good()), parts(&made));
        assert_eq!((&good.0, &good.1), (&made.0, &made.1));
        assert_ne!(good.2, made.2);
        assert_eq!(good.2.len(), made.2.len());
    }

    #[test]
    fn every_spelling_of_none_leaves_the_signature_out() {
        for alg in ["none", "None", "nOnE"] {
            let made = forged(&Forgery { alg: Some(alg.to_owned()), ..Forgery::default() });
            let (head, _, signature) = parts(&made);
            assert!(head.contains(alg), "{head}");
            assert_eq!(signature, "");
        }
    }

    #[test]
    fn an_edited_claim_may_keep_the_old_signature() {
        let made = forged(&Forgery {
            claims: vec![("sub".to_owned(), "goa".to_owned()), ("exp".to_owned(), "5".to_owned())],
            signature: Some(ForgeSignature::Kept),
            ..Forgery::default()
        });
        let (_, claims, signature) = parts(&made);
        assert_eq!(claims, r#"{"sub":"goa","exp":5}"#);
        assert_eq!(signature, parts(&good()).2);
    }

    #[test]
    fn the_empty_key_signs_too() {
        let made = forged(&Forgery { key: Some(ForgeKey::Empty), ..Forgery::default() });
        assert_ne!(parts(&made).2, parts(&good()).2);
    }

    #[test]
    fn a_public_key_is_a_secret_only_for_a_token_that_it_signs() {
        let forgery =
            Forgery { alg: Some("HS256".to_owned()), key: Some(ForgeKey::Public), ..Forgery::default() };
        let why = |good: &str, public: Option<&str>| {
            rewrite(good, &forgery, public, &mut ChaCha8Rng::seed_from_u64(1)).unwrap_err().why
        };
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#);
        let asymmetric = format!("{head}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"sub":"kerala"}"#));
        assert!(why(&good(), Some("PEM")).contains("shared secret"));
        assert!(why(&asymmetric, None).contains("not known"));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let made = rewrite(&asymmetric, &forgery, Some("PEM"), &mut rng).unwrap();
        let (signed, signature) = made.rsplit_once('.').unwrap();
        assert_eq!(with_secret(signed, "HS256", b"PEM").unwrap(), signature);
    }

    #[test]
    fn an_opaque_token_cannot_be_forged() {
        let none = rewrite("opaque", &Forgery::default(), None, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(none, Err(no_jwt()));
    }
}
