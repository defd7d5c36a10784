//! How an environment is reached: the version of HTTP, TLS, addresses, a proxy.

use std::net::IpAddr;

use super::call::Template;

/// How the endpoint of an environment is reached. The default is HTTP/1.1, by the system's resolver and roots.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// `http`: the version.
    pub http: Http,
    /// `tls`: on what terms.
    pub tls: TlsTerms,
    /// `addresses`: in place of what the name resolves to, in this order.
    pub addresses: Vec<Address>,
    /// `proxy`: `http://…` by CONNECT, `socks5://…`, `socks5h://…`.
    pub proxy: Option<Template>,
    /// `bind`: the address of this machine that connections leave from.
    pub bind: Option<IpAddr>,
    /// `ip`: only addresses of this family.
    pub family: Option<Family>,
}

/// The version of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Http {
    /// 1.1
    #[default]
    One,
    /// 2: by ALPN over TLS, by prior knowledge in the clear.
    Two,
}

impl Http {
    /// All versions with their words.
    pub const ALL: [(Http, &'static str); 2] = [(Http::One, "1.1"), (Http::Two, "2")];

    /// The word in suites.
    pub fn word(self) -> &'static str {
        Http::ALL.iter().find(|(version, _)| *version == self).map_or("", |(_, word)| word)
    }
}

/// On what terms TLS is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsTerms {
    /// `ca`: a file of certificates that are trusted in place of the machine's own.
    pub ca: Option<String>,
    /// `certificate`: a file with the client's own, its chain behind it.
    pub certificate: Option<String>,
    /// `key`: a file with the key of it.
    pub key: Option<String>,
    /// `min`: the oldest version.
    pub min: Option<Tls>,
    /// `max`: the newest version.
    pub max: Option<Tls>,
    /// `name`: asked for (SNI) and verified, in place of the host of the address.
    pub name: Option<String>,
}

/// A version of TLS that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tls {
    /// 1.2
    V12,
    /// 1.3
    V13,
}

impl Tls {
    /// All versions with their words.
    pub const ALL: [(Tls, &'static str); 2] = [(Tls::V12, "1.2"), (Tls::V13, "1.3")];
}

/// An address, and a port where it is not that of the environment's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: Option<u16>,
}

impl Address {
    /// Reads `10.1.2.3`, `10.1.2.3:8443`, `::1`, `[::1]:8443`.
    pub fn read(text: &str) -> Option<Address> {
        let text = text.trim();
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            Some(Address { ip, port: None })
        } else {
            let address: std::net::SocketAddr = text.parse().ok()?;
            (address.port() > 0).then(|| Address { ip: address.ip(), port: Some(address.port()) })
        }
    }
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4
    Four,
    /// IPv6
    Six,
}

impl Family {
    /// Both with their words.
    pub const ALL: [(Family, &'static str); 2] = [(Family::Four, "4"), (Family::Six, "6")];

    /// Whether the address is of this family.
    pub fn has(self, ip: IpAddr) -> bool {
        match self {
            Family::Four => ip.is_ipv4(),
            Family::Six => ip.is_ipv6(),
        }
    }
}

/// The schemes of a proxy that are spoken.
pub const PROXY_SCHEMES: [&str; 3] = ["http", "socks5", "socks5h"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port_of_its_own() {
        let read = |text: &str| Address::read(text).map(|address| (address.ip.to_string(), address.port));
        assert_eq!(read("10.1.2.3"), Some(("10.1.2.3".to_owned(), None)));
        assert_eq!(read("10.1.2.3:8443"), Some(("10.1.2.3".to_owned(), Some(8443))));
        assert_eq!(read("::1"), Some(("::1".to_owned(), None)));
        assert_eq!(read("[::1]"), Some(("::1".to_owned(), None)));
        assert_eq!(read("[::1]:8443"), Some(("::1".to_owned(), Some(8443))));
        for wrong in ["uat.example.org", "10.1.2.3:0", "10.1.2", "10.1.2.3:port", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
