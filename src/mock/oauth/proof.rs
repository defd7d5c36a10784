//! DPoP: proofs of possession as RFC 9449 section 4.3 has them checked, and the keys that chains are bound to.
//!
//! The server's reading of a proof. It shares nothing with whoever makes one.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::suite::defect::Defect;
use crate::suite::environment::Variant;

use super::super::clock::Moment;
use super::super::defects::Switches;
use super::super::tokens::{FamilyId, hex};
use super::super::webapi::HttpRequest;
use super::fault::{Fault, fault};

/// Proofs and bindings that are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 65_536;

/// A proof may be this old, or this far ahead.
const TOLERANCE_SECONDS: i64 = 300;

/// A nonce is good in its window and the next.
const WINDOW_SECONDS: i64 = 300;

/// Nothing longer is looked at.
const LONGEST: usize = 8192;

/// The thumbprint of a key (RFC 7638).
pub(super) type Thumbprint = String;

/// What the endpoint remembers of proofs.
#[derive(Debug)]
pub(super) struct Proofs {
    switches: Switches,
    key: hmac::Key,
    used: Mutex<Recent<[u8; 16], ()>>,
    bound: Mutex<Recent<FamilyId, Thumbprint>>,
}

/// The latest entries of a map.
#[derive(Debug)]
struct Recent<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    fn new() -> Recent<K, V> {
        Recent { entries: HashMap::new(), order: VecDeque::new() }
    }

    /// Whether the key is new.
    fn insert(&mut self, key: K, value: V) -> bool {
        if self.entries.insert(key, value).is_some() {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        true
    }
}

/// A request as a proof must name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) request: &'a HttpRequest,
    pub(super) path: &'a str,
    /// The access token that is presented with it.
    pub(super) access: Option<&'a str>,
    pub(super) now: Moment,
}

#[derive(Deserialize)]
struct Head {
    typ: String,
    alg: String,
    jwk: Jwk,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    #[serde(default)]
    d: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    iat: f64,
    jti: String,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    ath: Option<String>,
}

impl Proofs {
    /// No proof seen, no chain bound.
    pub(super) fn new(switches: Switches, seed: u64) -> Proofs {
        Proofs {
            switches,
            key: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()),
            used: Mutex::new(Recent::new()),
            bound: Mutex::new(Recent::new()),
        }
    }

    /// The key that a request proves, if it has a proof; what is wrong with it otherwise.
    pub(super) fn check(&self, asked: &Asked<'_>) -> Result<Option<Thumbprint>, Fault> {
        let mut headers = asked.request.header("dpop");
        let Some(proof) = headers.next() else { return Ok(None) };
        if headers.next().is_some() {
            return Err(self.bad("two proofs"));
        }
        let (thumbprint, claims) =
            self.read(&proof).ok_or_else(|| self.bad("the proof cannot be verified"))?;
        self.right_request(&claims, asked)?;
        self.nonce(&claims, asked.now)?;
        let age = claims.iat - asked.now.seconds() as f64;
        if !(age.abs() <= TOLERANCE_SECONDS as f64 || self.switches.has(Defect::DpopStaleAccepted)) {
            return Err(self.bad("the proof is not of now"));
        }
        let name = digest::digest(&digest::SHA256, format!("{thumbprint} {}", claims.jti).as_bytes());
        let name: [u8; 16] = name.as_ref()[..16].try_into().expect("a digest is longer");
        let fresh = self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(name, ());
        if !(fresh || self.switches.has(Defect::DpopReplayed)) {
            return Err(self.bad("the proof was used before"));
        }
        Ok(Some(thumbprint))
    }

    /// Signature and form: the thumbprint of its key, and what it claims.
    fn read(&self, proof: &str) -> Option<(Thumbprint, Claims)> {
        if proof.len() > LONGEST {
            return None;
        }
        let (signed, signature) = proof.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let head: Head = serde_json::from_slice(&decode(head)?).ok()?;
        let claims: Claims = serde_json::from_slice(&decode(claims)?).ok()?;
        let Head { typ, alg, jwk } = head;
        if typ != "dpop+jwt" || jwk.kty != "EC" || jwk.crv != "P-256" || jwk.d.is_some() {
            return None;
        }
        let point = [vec![4], decode(&jwk.x)?, decode(&jwk.y)?].concat();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        let verified = alg == "ES256" && public.verify(signed.as_bytes(), &decode(signature)?).is_ok();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, jwk.x, jwk.y);
        let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()));
        (verified || self.switches.has(Defect::DpopUnsigned)).then_some((thumbprint, claims))
    }

    /// `htm`, `htu` and, where an access token is presented, `ath`.
    fn right_request(&self, claims: &Claims, asked: &Asked<'_>) -> Result<(), Fault> {
        if claims.htm != asked.request.method && !self.switches.has(Defect::DpopMethodIgnored) {
            return Err(self.bad("the proof is for another method"));
        }
        let own = |url: &url::Url| {
            let host = asked.request.header("host").next().unwrap_or_default();
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            url.path() == asked.path && format!("{}{port}", url.host_str().unwrap_or_default()) == host
        };
        let fits = url::Url::parse(&claims.htu).is_ok_and(|url| own(&url));
        if !(fits || self.switches.has(Defect::DpopAddressIgnored)) {
            return Err(self.bad("the proof is for another address"));
        }
        let hash = |token: &str| URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()));
        match asked.access {
            Some(token) if claims.ath.as_deref() != Some(hash(token).as_str()) => {
                Err(self.bad("the proof is for another access token"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn nonce(&self, claims: &Claims, now: Moment) -> Result<(), Fault> {
        if self.switches.is(Variant::NoDpopNonce) {
            return Ok(());
        }
        let before = Moment(now.0 - WINDOW_SECONDS * 1000);
        let known = claims
            .nonce
            .as_ref()
            .is_some_and(|nonce| [now, before].into_iter().any(|moment| *nonce == self.nonce_at(moment)));
        if known { Ok(()) } else { Err(fault("use_dpop_nonce", "a proof needs the nonce of this server")) }
    }

    fn nonce_at(&self, moment: Moment) -> String {
        let window = moment.seconds().div_euclid(WINDOW_SECONDS);
        hex(&hmac::sign(&self.key, &window.to_be_bytes()).as_ref()[..12])
    }

    /// The nonce that goes with every answer to a proof.
    pub(super) fn header(&self, now: Moment) -> Option<(String, String)> {
        let stated = !self.switches.is(Variant::NoDpopNonce);
        stated.then(|| ("DPoP-Nonce".to_owned(), self.nonce_at(now)))
    }

    /// Binds a chain to a key.
    pub(super) fn bind(&self, family: FamilyId, key: Thumbprint) {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner).insert(family, key);
    }

    /// Whether a chain is bound to a key.
    pub(super) fn is_bound(&self, family: FamilyId) -> bool {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner).entries.contains_key(&family)
    }

    /// Whether whoever proves `key` may use a chain.
    pub(super) fn admit(&self, family: FamilyId, key: Option<&Thumbprint>) -> Result<(), Fault> {
        let bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        match (bound.entries.get(&family), key) {
            (None, _) => Ok(()),
            (Some(_), None) if self.switches.has(Defect::DpopOptional) => Ok(()),
            (Some(_), None) => Err(self.bad("the refresh token is bound, and there is no proof")),
            (Some(own), Some(key)) if own == key || self.switches.has(Defect::DpopOtherKey) => Ok(()),
            (Some(_), Some(_)) => Err(self.bad("the refresh token is bound to another key")),
        }
    }

    fn bad(&self, description: &'static str) -> Fault {
        let misnamed = self.switches.has(Defect::DpopErrorMisnamed);
        fault(if misnamed { "invalid_client" } else { "invalid_dpop_proof" }, description)
    }
}
