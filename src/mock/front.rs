//! A front that ends TLS before the mock, as a load balancer does, and what a careless one lets through.
//!
//! It knows nothing of HTTP: bytes go on as they come. Its certificate is made at the start and vouches for itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::suite::defect::Defect;

use super::defects::Switches;

/// Who is vouched for.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// The type of a record that shakes hands.
const HANDSHAKE: u8 = 22;

/// The beginning of a hello, up to the version that it asks for: 3.1 in the days of TLS 1.0, 3.3 in ours.
const START: usize = 11;

/// How long the beginning of a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What ends TLS.
#[derive(Clone)]
pub(super) struct Front {
    switches: Switches,
    good: TlsAcceptor,
    expired: TlsAcceptor,
    handshakes: Arc<AtomicU64>,
}

impl Front {
    /// A front with a new certificate, and that certificate as PEM.
    pub fn new(switches: Switches) -> (Front, String) {
        let (good, pem) = acceptor(false);
        let (expired, _) = acceptor(true);
        (Front { switches, good, expired, handshakes: Arc::default() }, pem)
    }

    /// Takes connections and passes on what they say to `inner`.
    pub async fn accept(self, listener: TcpListener, inner: SocketAddr) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, most likely: others will close.
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            let front = self.clone();
            tokio::spawn(async move { front.serve(stream, inner).await });
        }
    }

    /// Whatever goes wrong is the peer's doing, and the peer knows.
    async fn serve(self, mut stream: TcpStream, inner: SocketAddr) {
        let Ok(Some((kind, version))) = timeout(PATIENCE, beginning(&stream)).await else { return };
        let Ok(mut inner) = TcpStream::connect(inner).await else { return };
        if kind != HANDSHAKE {
            if self.switches.has(Defect::ServedInTheClear) {
                drop(copy_bidirectional(&mut stream, &mut inner).await);
            }
            return;
        }
        let old = version < 3;
        if old && self.switches.has(Defect::OldTlsAccepted) {
            agree(&mut stream, version).await;
            return;
        }
        // A hello that is refused anyhow takes nobody's turn.
        let machine = if old { &self.good } else { self.machine() };
        if let Ok(mut secure) = machine.accept(stream).await {
            drop(copy_bidirectional(&mut secure, &mut inner).await);
        }
    }

    /// Who shakes hands: one machine, or under a defect two in turn.
    fn machine(&self) -> &TlsAcceptor {
        let second = self.handshakes.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        if second && self.switches.has(Defect::CertificateExpired) { &self.expired } else { &self.good }
    }
}

/// The first byte and the version of the hello, if it is one; nothing where the peer is gone.
async fn beginning(stream: &TcpStream) -> Option<(u8, u8)> {
    let mut start = [0; START];
    loop {
        let read = stream.peek(&mut start).await.ok().filter(|read| *read > 0)?;
        if start[0] != HANDSHAKE || read == START {
            return Some((start[0], start[START - 1]));
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// Says yes to an old version: the record, the message, the version. Nobody here could say more.
async fn agree(stream: &mut TcpStream, version: u8) {
    let hello = [HANDSHAKE, 3, version, 0, 80, 2, 0, 0, 76, 3, version, 7, 7, 7, 7, 7];
    if stream.write_all(&hello).await.is_ok() {
        drop(timeout(PATIENCE, stream.read(&mut [0; 1024])).await);
    }
}

/// TLS of today with a certificate of its own, good until far away or not since years.
fn acceptor(expired: bool) -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new(NAMES.map(str::to_owned)).expect("the names are names");
    if expired {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().expect("the provider makes keys");
    let certificate = params.self_signed(&key).expect("the key signs");
    let secret = PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret.into())
        .expect("certificate and key belong together");
    (TlsAcceptor::from(Arc::new(config)), certificate.pem())
}
