//! Tunnels: what is said to a proxy before a connection is one to the target. CONNECT and SOCKS5 (RFC 1928, 1929).

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::secret::Token;

use super::Failure;
use super::transport::{Kind, Proxy};
use super::trouble::Trouble;

/// Where a tunnel ends.
#[derive(Debug)]
pub(super) enum End {
    /// At an address.
    At(SocketAddr),
    /// At a name that the proxy resolves.
    Named(String, u16),
}

/// Bytes of a proxy's answer to CONNECT, at most.
const HEAD_MAX: usize = 16 * 1024;

/// Asks the proxy for a way through. Why there is none goes to `trouble`.
pub(super) async fn open(
    proxy: &Proxy,
    stream: &mut TcpStream,
    end: &End,
    trouble: &Trouble,
) -> Result<(), Failure> {
    let opened = match proxy.kind {
        Kind::Connect => connect(proxy, stream, end).await,
        Kind::Socks | Kind::SocksByName => socks(proxy, stream, end).await,
    };
    opened.map_err(|refusal| {
        let (failure, why) = match refusal {
            Refusal::Io(error) => (Failure::Proxy, format!("the proxy hung up: {}", error.kind())),
            Refusal::Said(why) => (Failure::Proxy, format!("the proxy {why}")),
        };
        trouble.note(why);
        failure
    })
}

/// Why there is no way through.
enum Refusal {
    Io(std::io::Error),
    /// What the proxy did, as the rest of a sentence.
    Said(String),
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Refusal {
        Refusal::Io(error)
    }
}

fn said<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Said(why.into()))
}

async fn connect(proxy: &Proxy, stream: &mut TcpStream, end: &End) -> Result<(), Refusal> {
    let place = match end {
        End::At(address) => address.to_string(),
        End::Named(name, port) => format!("{name}:{port}"),
    };
    let mut head = zeroize::Zeroizing::new(format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n"));
    if let Some(value) = proxy.authorization() {
        head.push_str("Proxy-Authorization: ");
        head.push_str(&value);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    match status(&read_head(stream).await?) {
        Some(200..=299) => Ok(()),
        Some(407) => said("wants to know who asks (407): write `user:password@` before its host"),
        Some(403) => said("does not let us there (403)"),
        Some(status) => said(format!("answered CONNECT with {status}")),
        None => said("did not answer CONNECT as HTTP"),
    }
}

/// The head of an answer, byte by byte: what follows it belongs to the tunnel.
async fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>, Refusal> {
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_MAX {
            return said("answered CONNECT with a head that does not end");
        }
        head.push(stream.read_u8().await?);
        if head.len() == 5 && head != *b"HTTP/" {
            return said("did not answer CONNECT as HTTP");
        }
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(head).ok()?;
    response.code
}

const VERSION: u8 = 5;
const OPEN: u8 = 0;
const BY_PASSWORD: u8 = 2;

async fn socks(proxy: &Proxy, stream: &mut TcpStream, end: &End) -> Result<(), Refusal> {
    let methods: &[u8] = if proxy.user.is_some() { &[OPEN, BY_PASSWORD] } else { &[OPEN] };
    let count = u8::try_from(methods.len()).expect("there are two");
    stream.write_all(&[&[VERSION, count], methods].concat()).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match chosen {
        [VERSION, OPEN] => {}
        [VERSION, BY_PASSWORD] if proxy.user.is_some() => introduce(proxy, stream).await?,
        [VERSION, _] => return said("wants to know who asks: write `user:password@` before its host"),
        _ => return said("does not speak SOCKS5"),
    }
    stream.write_all(&asked(end)?).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    if answer[1] != 0 {
        return said(denied(answer[1]));
    }
    skip_bound(stream, answer[3]).await
}

async fn introduce(proxy: &Proxy, stream: &mut TcpStream) -> Result<(), Refusal> {
    let mut words = zeroize::Zeroizing::new(vec![1]);
    for part in [&proxy.user, &proxy.password] {
        let part = part.as_ref().map_or("", Token::expose);
        let Ok(length) = u8::try_from(part.len()) else {
            return said("takes no user or password of more than 255 bytes");
        };
        words.push(length);
        words.extend_from_slice(part.as_bytes());
    }
    stream.write_all(&words).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    if answer[1] == 0 { Ok(()) } else { said("does not know this user and password") }
}

/// The request: a command to connect, and where.
fn asked(end: &End) -> Result<Vec<u8>, Refusal> {
    let mut bytes = vec![VERSION, 1, 0];
    let port = match end {
        End::At(address) => {
            match address.ip() {
                IpAddr::V4(ip) => {
                    bytes.push(1);
                    bytes.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(4);
                    bytes.extend(ip.octets());
                }
            }
            address.port()
        }
        End::Named(name, port) => {
            let Ok(length) = u8::try_from(name.len()) else {
                return said("takes no name of more than 255 bytes");
            };
            bytes.extend([3, length]);
            bytes.extend_from_slice(name.as_bytes());
            *port
        }
    };
    bytes.extend(port.to_be_bytes());
    Ok(bytes)
}

fn denied(code: u8) -> String {
    let why = match code {
        2 => "does not let us there",
        3 | 4 => "cannot reach the host",
        5 => "was refused by the host",
        6 => "had no answer from the host in time",
        7 => "does not know the command to connect",
        8 => "does not know this kind of address",
        _ => "failed",
    };
    format!("{why} (SOCKS {code})")
}

/// The address that the proxy bound, which nobody needs.
async fn skip_bound(stream: &mut TcpStream, kind: u8) -> Result<(), Refusal> {
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await?),
        _ => return said("does not speak SOCKS5"),
    };
    let mut rest = vec![0; length + 2];
    stream.read_exact(&mut rest).await?;
    Ok(())
}
