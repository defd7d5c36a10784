//! Trouble beneath HTTP, in words: what a class of failure leaves out, and how it is mended.
//!
//! A failure is a word that can be counted. What was wrong with the certificate, or what the proxy said, is kept
//! here: the last of it, for whoever has to tell a person.

use std::sync::{Mutex, PoisonError};

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

/// The last trouble of a client, as a sentence without a full stop.
#[derive(Debug, Default)]
pub(super) struct Trouble(Mutex<Option<String>>);

impl Trouble {
    /// Keeps it in place of what was there.
    pub(super) fn note(&self, sentence: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sentence);
    }

    /// Keeps what an error of TLS means, if it is one.
    pub(super) fn note_io(&self, error: &std::io::Error) {
        let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        if let Some(sentence) = cause.and_then(sentence) {
            self.note(sentence);
        }
    }

    /// What was kept.
    pub(super) fn told(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What an error of TLS means and how it is mended.
pub(super) fn sentence(error: &Error) -> Option<String> {
    match error {
        Error::InvalidCertificate(certificate) => Some(of_certificate(certificate)),
        Error::NoCertificatesPresented => Some("the server shows no certificate".to_owned()),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::PeerIncompatible(why) => Some(of_incompatible(why)),
        Error::NoApplicationProtocol => Some(no_protocol()),
        Error::InvalidMessage(_) => {
            Some("what answers there is not TLS: is the address `http` and not `https`?".to_owned())
        }
        _ => None,
    }
}

/// Whether an error of TLS is about the protocol within.
pub(super) fn is_about_protocol(error: &std::io::Error) -> bool {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let no_protocol = Error::AlertReceived(AlertDescription::NoApplicationProtocol);
    cause.is_some_and(|cause| *cause == no_protocol || *cause == Error::NoApplicationProtocol)
}

/// Whether a handshake may have failed for want of a cipher suite, or of a version. Many old servers say so by hanging up.
pub(super) fn may_be_no_suite(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::AlertReceived(alert)) => matches!(
            alert,
            AlertDescription::HandshakeFailure
                | AlertDescription::InsufficientSecurity
                | AlertDescription::ProtocolVersion
        ),
        Some(Error::PeerIncompatible(_)) => true,
        Some(_) => false,
        None => matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset),
    }
}

/// The server speaks TLS, and not the version of HTTP.
pub(super) fn no_protocol() -> String {
    "the server does not agree to the version of HTTP that `http` names (ALPN)".to_owned()
}

fn of_certificate(error: &CertificateError) -> String {
    let day = |time: &rustls::pki_types::UnixTime| {
        let second = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(second)
            .map_or_else(|_| "?".to_owned(), |at| at.strftime("%F").to_string())
    };
    match error {
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the server's certificate expired on {}: renew it, or check this machine's clock",
            day(not_after)
        ),
        CertificateError::Expired => {
            "the server's certificate has expired: renew it, or check this machine's clock".to_owned()
        }
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the server's certificate is not valid before {}: check this machine's clock",
            day(not_before)
        ),
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "the server's certificate is for {}, not for {}: use a name of it, or say which with `tls: {{ name: … }}`",
            if presented.is_empty() { "no name at all".to_owned() } else { presented.join(", ") },
            expected.to_str()
        ),
        CertificateError::NotValidForName => {
            "the server's certificate is for another name: say which with `tls: { name: … }`".to_owned()
        }
        // An authority of the same name and with another key is another authority.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "nobody whom this machine trusts vouches for the server's certificate: where its issuer is your own, \
             name it with `tls: { ca: FILE }`; where it is public, the server must send its whole chain"
                .to_owned()
        }
        CertificateError::Revoked => "the server's certificate was revoked".to_owned(),
        CertificateError::Other(_) => "the server's certificate is not accepted by this machine".to_owned(),
        other => format!("the server's certificate is not accepted: {other}"),
    }
}

fn of_alert(alert: AlertDescription) -> Option<String> {
    Some(match alert {
        AlertDescription::CertificateRequired => {
            "the server asks for a client certificate: name it with `tls: { certificate: FILE, key: FILE }`"
                .to_owned()
        }
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied => {
            format!("the server does not accept the client's certificate (alert {alert:?})")
        }
        AlertDescription::UnrecognisedName => {
            "the server does not know the name that was asked for: say another with `tls: { name: … }`".to_owned()
        }
        AlertDescription::ProtocolVersion => {
            "the server speaks no version of TLS that is offered here (1.2 and 1.3, unless `tls` says otherwise)"
                .to_owned()
        }
        AlertDescription::NoApplicationProtocol => no_protocol(),
        _ => return None,
    })
}

fn of_incompatible(why: &PeerIncompatible) -> String {
    match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            "the server speaks no version of TLS that is offered here (1.2 and 1.3, unless `tls` says otherwise)"
                .to_owned()
        }
        other => format!("the server's TLS does not go together with ours ({other:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &Error, part: &str) {
        let text = sentence(error).unwrap_or_default();
        assert!(text.contains(part), "{error:?}: {text}");
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_with_its_cure() {
        check(&Error::InvalidCertificate(CertificateError::UnknownIssuer), "`tls: { ca: FILE }`");
        let time =
            |second| rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(second));
        let expired =
            CertificateError::ExpiredContext { time: time(1_800_000_000), not_after: time(1_700_000_000) };
        check(&Error::InvalidCertificate(expired), "expired on 2023-11-14");
        let other = CertificateError::NotValidForNameContext {
            expected: "a.example".try_into().unwrap(),
            presented: vec!["b.example".to_owned()],
        };
        check(&Error::InvalidCertificate(other), "is for b.example, not for a.example");
    }

    #[test]
    fn alerts_of_the_server_are_said_with_their_cure() {
        check(&Error::AlertReceived(AlertDescription::CertificateRequired), "asks for a client certificate");
        check(&Error::AlertReceived(AlertDescription::ProtocolVersion), "no version of TLS");
        assert_eq!(sentence(&Error::DecryptError), None);
    }
}
