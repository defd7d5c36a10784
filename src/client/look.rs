//! A look at the connection itself: old versions of TLS offered by bytes of our own, the certificate, HTTP in the
//! clear. No secret leaves by here: at most the headers of a path are asked for.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::suite::check::TlsVersion;

use super::hello::HANDSHAKE;
use super::stream::Stream;
use super::{Client, Exchange, Failure, Request, Travel, hello, wire};

/// How long a server may think about a hello.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a connection is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As for every other call.
    Usual,
    /// With this version of TLS and no other.
    Offering(TlsVersion),
    /// HTTP in the clear.
    Clear,
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Look {
    /// How the connection was made.
    pub way: Way,
    /// What came of it.
    pub seen: Seen,
    /// Whether the certificate is good; `None` where none was seen.
    pub certificate: Option<bool>,
    /// The request for headers and its answer, where one was made.
    pub exchange: Exchange,
}

/// What came of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// HTTP answered.
    Answered,
    /// The version of TLS was agreed to: this is what the server chose.
    Agreed(&'static str),
    /// The server would have nothing of it; how it said so, a fragment.
    Refused(String),
    /// It could not be tried; why.
    Untried(String),
}

impl Client {
    /// Makes a connection of its own and asks for the headers of `path`.
    pub async fn look(&self, way: Way, path: &str) -> Look {
        let request = Request {
            method: "HEAD".to_owned(),
            target: path.to_owned(),
            headers: Vec::new(),
            body: None,
            travel: Travel::default(),
        };
        match way {
            Way::Usual => self.look_as_usual(request).await,
            Way::Clear => self.look_in_the_clear(request).await,
            Way::Offering(version) => {
                let began = Instant::now();
                let seen = self.offer(version).await;
                let failure = match &seen {
                    Seen::Refused(_) => Failure::ClosedBeforeAnswer,
                    Seen::Answered | Seen::Agreed(_) | Seen::Untried(_) => Failure::Tls,
                };
                let mut exchange = Exchange::unsent(request.into(), failure);
                exchange.times.sent_at = began;
                Look { way, seen, certificate: None, exchange }
            }
        }
    }

    async fn look_as_usual(&self, request: Request) -> Look {
        let secure = self.target().url.scheme() == "https";
        let exchange = match self.connect().await {
            Ok(mut connection) => connection.send(request).await,
            Err(failure) => Exchange::unsent(request.into(), failure),
        };
        let (seen, certificate) = match exchange.result.as_ref().err() {
            None => (Seen::Answered, secure.then_some(true)),
            Some(Failure::TlsCertificate) => (Seen::Refused("a bad certificate".to_owned()), Some(false)),
            // A server may close on HEAD; the handshake was good all the same.
            Some(Failure::ClosedBeforeAnswer | Failure::Reset | Failure::ResponseTimeout) => {
                (Seen::Refused("closed without an answer".to_owned()), secure.then_some(true))
            }
            Some(failure) => (Seen::Untried(failure.word().to_owned()), None),
        };
        Look { way: Way::Usual, seen, certificate, exchange }
    }

    async fn look_in_the_clear(&self, request: Request) -> Look {
        let look = |seen, exchange| Look { way: Way::Clear, seen, certificate: None, exchange };
        // The port of HTTP stands beside that of HTTPS; any other port is tried as it is.
        let port = match self.target().url.port_or_known_default() {
            Some(443) | None => 80,
            Some(port) => port,
        };
        let (tcp, opening) = match self.door.dialer.dial_clear(&self.door.guard, port).await {
            Ok(dialed) => dialed,
            Err(failure) => {
                let exchange = Exchange::unsent(request.into(), failure);
                return look(nothing_there(failure), exchange);
            }
        };
        let mut connection =
            wire::Connection::new(self.door.clone(), Stream::Plain(tcp), opening.round_trip());
        let exchange = connection.send(request).await;
        let seen = match exchange.result.as_ref().err() {
            None => Seen::Answered,
            Some(Failure::Guarded) => Seen::Untried(Failure::Guarded.word().to_owned()),
            Some(failure) => Seen::Refused(failure.word().to_owned()),
        };
        look(seen, exchange)
    }

    /// Offers one old version by bytes of our own, because no library of today speaks it.
    async fn offer(&self, version: TlsVersion) -> Seen {
        let door = &self.door;
        if self.target().url.scheme() != "https" {
            return Seen::Untried("the address is http".to_owned());
        }
        if let Err(failure) = door.guard.turn().await.and_then(|()| door.guard.count()) {
            return Seen::Untried(failure.word().to_owned());
        }
        let port = self.target().url.port_or_known_default().unwrap_or(443);
        let mut tcp = match door.dialer.dial_clear(&door.guard, port).await {
            Ok((tcp, _)) => tcp,
            Err(failure) => return Seen::Untried(failure.word().to_owned()),
        };
        let hello = hello::old(version, self.target().url.domain());
        let mut answer = [0; 16];
        let talk = async {
            tcp.write_all(&hello).await?;
            let mut held = 0;
            while held < answer.len() {
                match tcp.read(&mut answer[held..]).await? {
                    0 => break,
                    read => held += read,
                }
                if held >= 7 && answer[0] != HANDSHAKE {
                    break;
                }
            }
            std::io::Result::Ok(held)
        };
        match timeout(PATIENCE, talk).await {
            Ok(Ok(held)) => read_hello(&answer[..held]),
            Ok(Err(_)) => Seen::Refused("closed".to_owned()),
            Err(_) => Seen::Untried("no answer to the hello in time".to_owned()),
        }
    }
}

/// A port on which nothing can be reached serves nothing.
fn nothing_there(failure: Failure) -> Seen {
    match failure {
        Failure::Guarded | Failure::Dns | Failure::LocalPorts | Failure::LocalFiles => {
            Seen::Untried(failure.word().to_owned())
        }
        _ => Seen::Refused(failure.word().to_owned()),
    }
}

/// The content type of a record that is an alert.
const ALERT: u8 = 21;

/// What a server says to a hello of an old version.
fn read_hello(answer: &[u8]) -> Seen {
    match answer {
        [] => Seen::Refused("closed".to_owned()),
        [ALERT, _, _, _, _, _, code, ..] => Seen::Refused(format!("alert {code}")),
        // A record's head, the kind and length of the message, then the version that the server chose.
        [HANDSHAKE, _, _, _, _, 2, _, _, _, 3, minor, ..] => match minor {
            0 => Seen::Agreed("SSL 3"),
            1 => Seen::Agreed("TLS 1.0"),
            2 => Seen::Agreed("TLS 1.1"),
            _ => Seen::Refused("a newer version in its place".to_owned()),
        },
        _ => Seen::Refused("no TLS".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_agrees_by_a_hello_with_an_old_version_alone() {
        let server = |minor: u8| [22, 3, 1, 0, 80, 2, 0, 0, 76, 3, minor, 9, 9, 9, 9, 9];
        assert_eq!(read_hello(&server(1)), Seen::Agreed("TLS 1.0"));
        assert_eq!(read_hello(&server(2)), Seen::Agreed("TLS 1.1"));
        assert!(matches!(read_hello(&server(3)), Seen::Refused(_)));
        assert_eq!(read_hello(&[21, 3, 1, 0, 2, 2, 70]), Seen::Refused("alert 70".to_owned()));
        assert_eq!(read_hello(&[]), Seen::Refused("closed".to_owned()));
        assert_eq!(read_hello(b"HTTP/1.1 400 Bad"), Seen::Refused("no TLS".to_owned()));
    }
}
