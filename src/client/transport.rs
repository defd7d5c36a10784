//! How a target is reached: what a suite says of it, with the files read and the secrets filled in.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::Token;
use crate::suite::transport::{Address, Family, Http, Tls};

use super::ClientError;

/// How a target is reached. The default is HTTP/1.1, by the system's resolver and roots.
#[derive(Debug, Default)]
pub struct Transport {
    /// The version of HTTP.
    pub http: Http,
    /// Certificates that are trusted in place of the machine's own, as PEM.
    pub roots: Option<Vec<u8>>,
    /// What the client shows of itself.
    pub identity: Option<Identity>,
    /// The oldest version of TLS.
    pub min: Option<Tls>,
    /// The newest version of TLS.
    pub max: Option<Tls>,
    /// The name that is asked for and verified, in place of the host.
    pub name: Option<String>,
    /// Dialed in place of what the name resolves to.
    pub addresses: Vec<Address>,
    /// What connections go through.
    pub proxy: Option<Proxy>,
    /// The address of this machine that connections leave from.
    pub bind: Option<IpAddr>,
    /// Only addresses of this family.
    pub family: Option<Family>,
}

/// A client's certificate with its chain, and its key, as PEM.
pub struct Identity {
    /// The certificate, its chain behind it.
    pub certificate: Vec<u8>,
    /// The key.
    pub key: zeroize::Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Identity {
    /// Never the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

/// What connections go through.
pub struct Proxy {
    pub(super) kind: Kind,
    pub(super) host: url::Host<String>,
    pub(super) port: u16,
    pub(super) user: Option<Token>,
    pub(super) password: Option<Token>,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// HTTP CONNECT; the proxy resolves the name.
    Connect,
    /// SOCKS5; the name is resolved here.
    Socks,
    /// SOCKS5; the proxy resolves the name.
    SocksByName,
}

impl std::fmt::Debug for Proxy {
    /// Never who asks.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({:?} {}:{})", self.kind, self.host, self.port)
    }
}

impl Proxy {
    /// Reads `http://user:password@host:port`, `socks5://…`, `socks5h://…`.
    pub fn read(text: &str) -> Result<Proxy, ClientError> {
        let unusable = || ClientError::Proxy;
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(unusable)?;
        let (kind, port) = match scheme {
            "http" => (Kind::Connect, 3128),
            "socks5" => (Kind::Socks, 1080),
            "socks5h" => (Kind::SocksByName, 1080),
            _ => return Err(unusable()),
        };
        // Of a scheme that it does not know, a URL keeps the host unread.
        let url = url::Url::parse(&format!("http://{rest}")).map_err(|_| unusable())?;
        let written_80 = || rest.trim_end_matches('/').ends_with(":80");
        let port = url.port().or_else(|| written_80().then_some(80)).unwrap_or(port);
        let part = |text: &str| decoded(text).filter(|text| !text.is_empty()).map(Token::new);
        Ok(Proxy {
            kind,
            host: url.host().ok_or_else(unusable)?.to_owned(),
            port,
            user: part(url.username()),
            password: url.password().and_then(part),
        })
    }

    /// The value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<zeroize::Zeroizing<String>> {
        let user = self.user.as_ref()?;
        let password = self.password.as_ref().map_or("", Token::expose);
        let pair = zeroize::Zeroizing::new(format!("{}:{password}", user.expose()));
        Some(zeroize::Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))))
    }
}

/// Text without its percent signs.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        if let (b'%', Some(byte)) = (first, hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kind: Kind, host: &str, port: u16, user: Option<&str>) {
        let proxy = Proxy::read(text).unwrap();
        let read = (proxy.kind, proxy.host.to_string(), proxy.port);
        assert_eq!(read, (kind, host.to_owned(), port), "{text}");
        assert_eq!(proxy.user.as_ref().map(Token::expose), user, "{text}");
    }

    #[test]
    fn a_proxy_has_a_way_a_place_and_perhaps_credentials() {
        check("http://proxy.example.org:3129", Kind::Connect, "proxy.example.org", 3129, None);
        check("http://proxy", Kind::Connect, "proxy", 3128, None);
        check("http://proxy:80/", Kind::Connect, "proxy", 80, None);
        check("socks5://me:s%40cret@127.0.0.1", Kind::Socks, "127.0.0.1", 1080, Some("me"));
        check("socks5h://[::1]:9050", Kind::SocksByName, "[::1]", 9050, None);
        for wrong in ["proxy:3128", "https://proxy", "socks4://proxy", "http://"] {
            assert!(Proxy::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        let proxy = Proxy::read("http://me:s%40cret@proxy").unwrap();
        assert_eq!(proxy.authorization().unwrap().as_str(), "Basic bWU6c0BjcmV0");
        assert!(!format!("{proxy:?}").contains("me"));
    }
}
