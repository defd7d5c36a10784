//! TLS beneath the wire: one configuration for a client, built only where the target asks for it.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use super::ClientError;

/// Whom a client trusts.
#[derive(Clone, Copy, Debug)]
pub enum Roots<'a> {
    /// The machine's own roots.
    Platform,
    /// These certificates, as PEM, and no others.
    Pem(&'a [u8]),
}

/// The configuration: HTTP/1.1 by ALPN, no client certificate.
pub(super) fn configure(roots: Roots<'_>) -> Result<Arc<ClientConfig>, ClientError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions");
    let builder = match roots {
        Roots::Platform => builder.with_platform_verifier().map_err(|_| ClientError::NoRoots)?,
        Roots::Pem(pem) => builder.with_root_certificates(read(pem)?),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read(pem: &[u8]) -> Result<RootCertStore, ClientError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| ClientError::NoRoots)?;
        store.add(certificate).map_err(|_| ClientError::NoRoots)?;
    }
    if store.is_empty() { Err(ClientError::NoRoots) } else { Ok(store) }
}
