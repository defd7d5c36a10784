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
    /// The connection was reset.
    Reset,
    /// The connection was closed before the first byte of an answer.
    ClosedBeforeAnswer,
    /// The connection was closed within the answer.
    ClosedWithinAnswer,
    /// An idle connection turned out to be closed at the moment of its next use.
    ReuseRace,
    /// No complete answer in time.
    ResponseTimeout,
    /// The body is larger than the limit.
    OversizedBody,
    /// The head is larger than the limit, or has too many headers.
    OversizedHead,
    /// The bytes are no HTTP/1.1 answer.
    NotHttp,
    /// Two lengths that differ, or a length and chunked both.
    AmbiguousLength,
    /// Chunked framing is broken.
    BrokenChunks,
    /// Bytes were left after the answer.
    TrailingBytes,
    /// An answer came before the request was sent.
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
            Failure::Reset => "reset",
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
