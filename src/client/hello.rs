//! ClientHellos by bytes of our own: versions and cipher suites that no library of today offers. Nothing is ever agreed
//! on with them, and no secret leaves by here; what the server would choose is all that is asked.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::suite::check::TlsVersion;

/// The content type of a record that is part of a handshake.
pub(super) const HANDSHAKE: u8 = 22;

/// How long a server may think about it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The usual suites of the time of TLS 1.0 and 1.1.
const OLD: [u16; 11] =
    [0xC009, 0xC00A, 0xC013, 0xC014, 0x0033, 0x0039, 0x002F, 0x0035, 0x000A, 0x0005, 0x00FF];

/// Suites of TLS 1.2 and before that are not spoken here, by their names.
const DECLINED: [(u16, &str); 22] = [
    (0xC028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xC027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xC014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xC013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xC024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xC00A, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xC009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0x009F, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009E, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x006B, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x003C, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
];

/// Kinds of signatures, for servers that choose by them.
const SIGNATURES: [u16; 9] = [0x0401, 0x0501, 0x0601, 0x0403, 0x0503, 0x0804, 0x0805, 0x0201, 0x0203];

/// What a server chose of what nobody should offer any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    version: &'static str,
    suite: &'static str,
}

impl Choice {
    /// What it means, and what to do, as a sentence without a full stop.
    pub(super) fn sentence(&self) -> String {
        format!(
            "no cipher suite in common: of what is not spoken here, the server would choose {} in {}; allow \
             TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 there, or put a relay between (docs/transport.md)",
            self.suite, self.version
        )
    }
}

/// Asks a server that refused what is offered what it would choose of the rest.
pub(super) async fn ask(tcp: &mut TcpStream, name: Option<&str>) -> Option<Choice> {
    let suites: Vec<u16> = DECLINED.iter().map(|(suite, _)| *suite).chain([0x00FF]).collect();
    let hello = hello(3, &suites, name);
    let mut answer = Vec::with_capacity(128);
    let talk = async {
        tcp.write_all(&hello).await.ok()?;
        while answer.len() < 128 && chosen(&answer).is_none() {
            if tcp.read_buf(&mut answer).await.ok()? == 0 {
                break;
            }
        }
        chosen(&answer)
    };
    timeout(PATIENCE, talk).await.ok().flatten()
}

/// The version and suite of a ServerHello.
fn chosen(answer: &[u8]) -> Option<Choice> {
    let hello = answer.strip_prefix(&[HANDSHAKE])?.get(4..)?;
    let version = match *hello.first_chunk::<6>()? {
        [2, _, _, _, 3, 3] => "TLS 1.2",
        [2, _, _, _, 3, 2] => "TLS 1.1",
        [2, _, _, _, 3, 1] => "TLS 1.0",
        _ => return None,
    };
    let session = usize::from(*hello.get(38)?);
    let suite = hello.get(39 + session..)?.first_chunk::<2>()?;
    let suite = u16::from_be_bytes(*suite);
    let (_, suite) = DECLINED.iter().find(|(number, _)| *number == suite)?;
    Some(Choice { version, suite })
}

/// A ClientHello with one old version and every usual cipher suite of its time.
pub(super) fn old(version: TlsVersion, name: Option<&str>) -> Vec<u8> {
    let minor = match version {
        TlsVersion::Tls10 => 1,
        TlsVersion::Tls11 => 2,
    };
    hello(minor, &OLD, name)
}

fn hello(minor: u8, suites: &[u16], name: Option<&str>) -> Vec<u8> {
    let numbers = |of: &[u16]| of.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let mut body = vec![3, minor];
    // Nothing is ever agreed on with these: they need not be random.
    body.extend([0xA5; 32]);
    body.push(0);
    body.extend(sized16(&numbers(suites)));
    body.extend([1, 0]);
    let mut extensions = Vec::new();
    if let Some(name) = name {
        let host = [&[0][..], &sized16(name.as_bytes())].concat();
        extensions.extend(extension(0, &sized16(&host)));
    }
    extensions.extend(extension(10, &sized16(&[0, 29, 0, 23, 0, 24, 0, 25])));
    extensions.extend(extension(11, &[1, 0]));
    if minor == 3 {
        extensions.extend(extension(13, &sized16(&numbers(&SIGNATURES))));
    }
    body.extend(sized16(&extensions));
    let length = u32::try_from(body.len()).expect("a hello is short").to_be_bytes();
    let message = [&[1, length[1], length[2], length[3]][..], &body].concat();
    [&[HANDSHAKE, 3, 1][..], &sized16(&message)].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized16(content)].concat()
}

/// The bytes with their length in two bytes before them.
fn sized16(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("no part of a hello is that long");
    [&length.to_be_bytes()[..], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_says_its_lengths_its_version_and_the_host() {
        let bytes = old(TlsVersion::Tls11, Some("uat.example.org"));
        let word = |at: usize| usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1]);
        assert_eq!(bytes[..3], [22, 3, 1]);
        assert_eq!(word(3), bytes.len() - 5);
        assert_eq!((bytes[5], word(7)), (1, bytes.len() - 9));
        assert_eq!(bytes[9..11], [3, 2]);
        assert!(bytes.windows(15).any(|part| part == b"uat.example.org"));
    }

    #[test]
    fn what_the_server_chose_is_named() {
        let mut answer = vec![22, 3, 3, 0, 74, 2, 0, 0, 70, 3, 3];
        answer.extend([7; 32]);
        answer.push(32);
        answer.extend([8; 32]);
        assert_eq!(chosen(&answer), None, "the suite is not there yet");
        answer.extend([0x00, 0x35, 0]);
        let choice = chosen(&answer).unwrap();
        assert_eq!((choice.version, choice.suite), ("TLS 1.2", "TLS_RSA_WITH_AES_256_CBC_SHA"));
        assert_eq!(chosen(&[21, 3, 3, 0, 2, 2, 40]), None);
        assert_eq!(
            chosen(b"HTTP/1.1 400 Bad Request\r\n\r\n and more than eighty bytes of it, which is enough"),
            None
        );
    }
}
