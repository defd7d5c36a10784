//! How an exchange can fail, by cause. Found by walking error values, never by parsing text.

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// The name does not resolve.
    Dns,
    /// Nobody listens.
    ConnectRefused,
    /// No connection in time.
    ConnectTimeout,
    /// The host or network cannot be reached.
    Unreachable,
    /// TLS: the peer's certificate is not accepted.
    TlsCertificate,
    /// TLS: anything else in the handshake or the record layer, an end without close_notify included.
    Tls,
    /// The proxy cannot be reached, or opens no way to the endpoint.
    Proxy,
    /// The endpoint does not agree to HTTP/2.
    NoHttp2,
    /// HTTP/2 has no such thing as this request: it was not sent.
    NotInHttp2,
    /// The connection was reset.
    Reset,
    /// HTTP/2: the endpoint reset the stream, or ended the connection by a GOAWAY.
    StreamReset,
    /// The connection was closed before the first byte of an answer.
    ClosedBeforeAnswer,
    /// The connection was closed within the answer.
    ClosedWithinAnswer,
    /// An idle connection turned out to be closed at the moment of its next use: the endpoint did not take the
    /// request. A server that takes it and closes is [`Failure::ClosedBeforeAnswer`].
    ReuseRace,
    /// No complete answer in time.
    ResponseTimeout,
    /// The body is larger than the limit.
    OversizedBody,
    /// The head is larger than the limit, or has too many headers.
    OversizedHead,
    /// The bytes are no HTTP/1.1 answer, or one whose framing nobody asked for: 101, an unknown transfer coding,
    /// a length that is no number.
    NotHttp,
    /// Two lengths that differ, or a length and chunked both.
    AmbiguousLength,
    /// Chunked framing is broken.
    BrokenChunks,
    /// Bytes were left after the answer.
    TrailingBytes,
    /// An answer came before the request was sent; it was not sent then.
    EarlyAnswer,
    /// 1xx answers without end.
    EndlessInformational,
    /// This machine has no port left.
    LocalPorts,
    /// This process has no file left.
    LocalFiles,
    /// The guard did not let it out.
    Guarded,
    /// We hung up on purpose.
    Aborted,
    /// The run was stopped.
    Stopped,
    /// Anything else of the operating system.
    Other,
}

impl Failure {
    /// The class as reports and suites name it.
    pub fn word(self) -> &'static str {
        match self {
            Failure::Dns => "dns",
            Failure::ConnectRefused => "connect refused",
            Failure::ConnectTimeout => "connect timeout",
            Failure::Unreachable => "unreachable",
            Failure::TlsCertificate => "tls certificate",
            Failure::Tls => "tls",
            Failure::Proxy => "proxy",
            Failure::NoHttp2 => "no http/2",
            Failure::NotInHttp2 => "not in http/2",
            Failure::Reset => "reset",
            Failure::StreamReset => "stream reset",
            Failure::ClosedBeforeAnswer => "closed before the answer",
            Failure::ClosedWithinAnswer => "closed within the answer",
            Failure::ReuseRace => "reuse race",
            Failure::ResponseTimeout => "response timeout",
            Failure::OversizedBody => "oversized body",
            Failure::OversizedHead => "oversized head",
            Failure::NotHttp => "not http",
            Failure::AmbiguousLength => "ambiguous length",
            Failure::BrokenChunks => "broken chunks",
            Failure::TrailingBytes => "trailing bytes",
            Failure::EarlyAnswer => "early answer",
            Failure::EndlessInformational => "endless 1xx",
            Failure::LocalPorts => "local ports exhausted",
            Failure::LocalFiles => "local files exhausted",
            Failure::Guarded => "stopped by the guard",
            Failure::Aborted => "aborted on purpose",
            Failure::Stopped => "stopped",
            Failure::Other => "other",
        }
    }
}

impl Failure {
    /// The class of an error of the operating system or of TLS, found by walking its causes.
    pub fn from_io(error: &std::io::Error) -> Failure {
        by_number(error.raw_os_error())
            .or_else(|| error.get_ref().and_then(by_cause))
            .or_else(|| by_kind(error.kind()))
            .unwrap_or(Failure::Other)
    }

    /// The class of a TLS error.
    pub fn from_tls(error: &rustls::Error) -> Failure {
        match error {
            rustls::Error::InvalidCertificate(_)
            | rustls::Error::InvalidCertRevocationList(_)
            | rustls::Error::NoCertificatesPresented => Failure::TlsCertificate,
            _ => Failure::Tls,
        }
    }
}

/// What only the number tells: the kinds of these are not stable.
fn by_number(number: Option<i32>) -> Option<Failure> {
    use rustix::io::Errno;
    match Errno::from_raw_os_error(number?) {
        Errno::MFILE | Errno::NFILE => Some(Failure::LocalFiles),
        Errno::ADDRNOTAVAIL | Errno::ADDRINUSE => Some(Failure::LocalPorts),
        _ => None,
    }
}

fn by_cause(inner: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<Failure> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(inner);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(Failure::from_tls(error));
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return Some(Failure::from_io(error));
        }
        cause = error.source();
    }
    None
}

fn by_kind(kind: std::io::ErrorKind) -> Option<Failure> {
    use std::io::ErrorKind;
    match kind {
        ErrorKind::ConnectionRefused => Some(Failure::ConnectRefused),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected => Some(Failure::Reset),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            Some(Failure::Unreachable)
        }
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => Some(Failure::LocalPorts),
        ErrorKind::TimedOut => Some(Failure::ResponseTimeout),
        ErrorKind::UnexpectedEof => Some(Failure::ClosedWithinAnswer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[track_caller]
    fn check(error: &Error, expected: Failure) {
        assert_eq!(Failure::from_io(error), expected, "{error:?}");
    }

    #[test]
    fn numbers_tell_what_kinds_do_not() {
        check(&Error::from_raw_os_error(24), Failure::LocalFiles);
        check(&Error::from_raw_os_error(23), Failure::LocalFiles);
        check(&Error::from_raw_os_error(99), Failure::LocalPorts);
        check(&Error::from_raw_os_error(111), Failure::ConnectRefused);
        check(&Error::from_raw_os_error(104), Failure::Reset);
        check(&Error::from_raw_os_error(113), Failure::Unreachable);
    }

    #[test]
    fn causes_are_walked_and_texts_are_not_read() {
        let refused = Error::from_raw_os_error(111);
        check(&Error::other(refused), Failure::ConnectRefused);
        check(&Error::other(rustls::Error::NoCertificatesPresented), Failure::TlsCertificate);
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        check(&Error::new(ErrorKind::InvalidData, unknown), Failure::TlsCertificate);
        check(&Error::new(ErrorKind::InvalidData, rustls::Error::DecryptError), Failure::Tls);
        check(&Error::other("connection refused"), Failure::Other);
    }
}
