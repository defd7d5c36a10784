//! TLS beneath the wire: one configuration for a client, built only where the target asks for it.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::suite::transport::{Http, Tls};

use super::ClientError;
use super::transport::{Identity, Transport};

/// Whom a client trusts.
#[derive(Clone, Copy, Debug)]
pub enum Roots<'a> {
    /// The machine's own roots.
    Platform,
    /// These certificates, as PEM, and no others.
    Pem(&'a [u8]),
}

/// The configuration: one version of HTTP by ALPN, and what the transport says.
pub(super) fn configure(transport: &Transport) -> Result<Arc<ClientConfig>, ClientError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(transport))
        .expect("the provider has both versions");
    let builder = match &transport.roots {
        None => builder.with_platform_verifier().map_err(|_| ClientError::NoRoots)?,
        Some(pem) => builder.with_root_certificates(read(pem)?),
    };
    let mut config = match &transport.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = own(identity)?;
            builder.with_client_auth_cert(chain, key).map_err(|_| ClientError::Identity)?
        }
    };
    config.alpn_protocols = vec![match transport.http {
        Http::One => b"http/1.1".to_vec(),
        Http::Two => b"h2".to_vec(),
    }];
    Ok(Arc::new(config))
}

fn versions(transport: &Transport) -> Vec<&'static SupportedProtocolVersion> {
    let known = [(Tls::V13, &rustls::version::TLS13), (Tls::V12, &rustls::version::TLS12)];
    let spoken = |version: Tls| {
        transport.min.is_none_or(|oldest| oldest <= version)
            && transport.max.is_none_or(|newest| version <= newest)
    };
    known.into_iter().filter(|(version, _)| spoken(*version)).map(|(_, supported)| supported).collect()
}

fn read(pem: &[u8]) -> Result<RootCertStore, ClientError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| ClientError::BadRoots)?;
        store.add(certificate).map_err(|_| ClientError::BadRoots)?;
    }
    if store.is_empty() { Err(ClientError::BadRoots) } else { Ok(store) }
}

fn own(identity: &Identity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ClientError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&identity.certificate).collect();
    let chain = chain.map_err(|_| ClientError::Identity)?;
    let key = PrivateKeyDer::from_pem_slice(&identity.key).map_err(|_| ClientError::Identity)?;
    if chain.is_empty() { Err(ClientError::Identity) } else { Ok((chain, key)) }
}
