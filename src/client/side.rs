//! The side door: calls that a library does better than the wire. Today the control port of a mock.

use std::time::Duration;

use indexmap::IndexMap;

use crate::secret::Token;
use crate::suite::call::Slot;

/// A mock's control port: one JSON document in, one out, over HTTP on the loopback interface.
///
/// `GET /nonce/N` → `{"assay-mock":1,"nonce":"N","dialect":…,"policy":…}` · `GET /identities` →
/// `[{"name":…,"slots":{"tenant":"07","secret":…}}]` · `GET /ledger` → [`Ledger`] · `GET /clock` →
/// `{"now_ms":N}` · `POST /clock` `{"advance_ms":N}` · `POST /restart` · `POST /stall` `{"for_ms":N}`.
#[derive(Clone, Debug)]
pub struct Control {
    url: url::Url,
    http: reqwest::Client,
}

/// What the mock counted, refreshes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Ledger {
    /// Requests to the refresh operation whose head was read.
    pub requests: u64,
    /// Granted.
    pub granted: u64,
    /// Everything else that was answered.
    pub refused: u64,
}

/// Why the control port did not do it, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("control port: {0}")]
pub struct ControlError(pub String);

/// For connecting, and for a whole call.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a document, at most.
const DOCUMENT_MAX: usize = 4 * 1024 * 1024;

/// An identity as the control port writes it.
#[derive(serde::Deserialize)]
struct WrittenIdentity {
    name: String,
    slots: IndexMap<String, String>,
}

impl Control {
    /// The control port at `url`.
    pub fn new(url: url::Url) -> Control {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // Nothing here speaks TLS; without this a machine without CA certificates has no client at all.
            .tls_certs_only(std::iter::empty())
            .connect_timeout(TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .expect("nothing of this depends on the machine");
        Control { url, http }
    }

    /// Whether an assay mock answers there with the nonce.
    pub async fn answers(&self, nonce: &str) -> Result<bool, ControlError> {
        let mut url = self.at("nonce")?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(nonce);
        }
        let (status, bytes) = exchange(self.http.get(url)).await?;
        let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(status.is_success() && document["assay-mock"] == 1 && document["nonce"] == nonce)
    }

    /// The mock's own identities: name and slots.
    pub async fn identities(&self) -> Result<Vec<(String, Vec<(Slot, Token)>)>, ControlError> {
        let written: Vec<WrittenIdentity> = self.read("identities").await?;
        written.into_iter().map(|identity| Ok((identity.name, read_slots(identity.slots)?))).collect()
    }

    /// What it counted so far.
    pub async fn ledger(&self) -> Result<Ledger, ControlError> {
        self.read("ledger").await
    }

    /// Its clock.
    pub async fn now(&self) -> Result<jiff::Timestamp, ControlError> {
        #[derive(serde::Deserialize)]
        struct Clock {
            now_ms: i64,
        }
        let clock: Clock = self.read("clock").await?;
        jiff::Timestamp::from_millisecond(clock.now_ms)
            .map_err(|_| ControlError(format!("`{}` is no moment", clock.now_ms)))
    }

    /// Moves its clock forward.
    pub async fn advance(&self, by: Duration) -> Result<(), ControlError> {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.tell("clock", &serde_json::json!({ "advance_ms": by })).await
    }

    /// Restarts it: connections closed, memory that a real server would lose is lost.
    pub async fn restart(&self) -> Result<(), ControlError> {
        self.tell("restart", &serde_json::json!({})).await
    }

    /// Makes it answer nothing for a while.
    pub async fn stall(&self, lasting: Duration) -> Result<(), ControlError> {
        let lasting = u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX);
        self.tell("stall", &serde_json::json!({ "for_ms": lasting })).await
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, ControlError> {
        let bytes = successful(self.http.get(self.at(path)?), path).await?;
        // The reason is left out: it could quote a secret of the document.
        serde_json::from_slice(&bytes)
            .map_err(|_| ControlError(format!("/{path} is not the document it should be")))
    }

    async fn tell(&self, path: &str, document: &serde_json::Value) -> Result<(), ControlError> {
        successful(self.http.post(self.at(path)?).json(document), path).await?;
        Ok(())
    }

    /// The address of `path`. A control port can restart its host, so it is looked for on this machine only.
    fn at(&self, path: &str) -> Result<url::Url, ControlError> {
        let local = match self.url.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if !local || self.url.scheme() != "http" {
            return Err(ControlError(format!("`{}` is not http on the loopback interface", self.url)));
        }
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(path);
        }
        Ok(url)
    }
}

fn read_slots(written: IndexMap<String, String>) -> Result<Vec<(Slot, Token)>, ControlError> {
    written
        .into_iter()
        .map(|(word, value)| match Slot::from_word(&word) {
            Some(slot) => Ok((slot, Token::new(value))),
            None => Err(ControlError(format!("`{word}` is not a slot"))),
        })
        .collect()
}

async fn successful(request: reqwest::RequestBuilder, path: &str) -> Result<Vec<u8>, ControlError> {
    let (status, bytes) = exchange(request).await?;
    if status.is_success() { Ok(bytes) } else { Err(ControlError(format!("/{path} answers {status}"))) }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<(reqwest::StatusCode, Vec<u8>), ControlError> {
    let mut answer = request.send().await.map_err(|error| unreachable_sentence(&error))?;
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| unreachable_sentence(&error))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > DOCUMENT_MAX {
            return Err(ControlError("the answer is too large".to_owned()));
        }
    }
    Ok((answer.status(), bytes))
}

fn unreachable_sentence(error: &reqwest::Error) -> ControlError {
    let what = match error {
        _ if error.is_timeout() => "no answer in time",
        _ if error.is_connect() => "nothing can be connected to there",
        _ => "no HTTP answer",
    };
    let place = error.url().map(|url| format!(" at {url}")).unwrap_or_default();
    ControlError(format!("{what}{place}"))
}
