//! What was agreed on with the server in TLS, and until when its certificate is good.
//!
//! Of a certificate only its dates are read here, by a few steps of DER; whether it is to be trusted is the verifier's
//! matter alone.

use rustls::ClientConnection;

/// What was agreed on, at the first handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The version: `TLS 1.3`.
    pub version: &'static str,
    /// The cipher suite by its name.
    pub suite: String,
    /// How many certificates the server showed.
    pub certificates: usize,
    /// The end of the first of them.
    pub not_after: Option<jiff::Timestamp>,
}

impl Agreed {
    /// What a connection agreed on.
    pub(super) fn of(connection: &ClientConnection) -> Agreed {
        let version = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            Some(_) | None => "TLS",
        };
        let suite = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
        let certificates = connection.peer_certificates().unwrap_or_default();
        Agreed {
            version,
            suite: suite.unwrap_or_default(),
            certificates: certificates.len(),
            not_after: certificates.first().and_then(|certificate| not_after(certificate)),
        }
    }
}

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xA0;

/// The end of a certificate (RFC 5280 section 4.1).
fn not_after(der: &[u8]) -> Option<jiff::Timestamp> {
    let (SEQUENCE, certificate, _) = element(der)? else { return None };
    let (SEQUENCE, mut fields, _) = element(certificate)? else { return None };
    if let (VERSION, _, rest) = element(fields)? {
        fields = rest;
    }
    // Serial number, algorithm, issuer; then the dates.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (SEQUENCE, dates, _) = element(fields)? else { return None };
    let (_, _, rest) = element(dates)?;
    let (kind, text, _) = element(rest)?;
    moment(kind, std::str::from_utf8(text).ok()?)
}

/// Kind and content of the first element, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) =
            rest.split_at_checked(usize::from(first & 0x7F)).filter(|(d, _)| d.len() <= 4)?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*kind, content, rest))
}

/// `491231235959Z`, or with all four digits of the year.
fn moment(kind: u8, text: &str) -> Option<jiff::Timestamp> {
    let whole = match kind {
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", &whole).ok()?;
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2031, 4, 5);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let read = not_after(certificate.der()).unwrap();
        assert_eq!(read.to_string(), "2031-04-05T00:00:00Z");
        for end in 0..certificate.der().len().min(200) {
            // A part of one has no date, and nothing worse happens.
            let _ = not_after(&certificate.der()[..end]);
        }
    }

    #[test]
    fn both_ways_to_write_a_date_are_read() {
        let read = |kind, text| moment(kind, text).map(|at| at.to_string());
        assert_eq!(read(UTC_TIME, "491231235959Z").as_deref(), Some("2049-12-31T23:59:59Z"));
        assert_eq!(read(UTC_TIME, "500101000000Z").as_deref(), Some("1950-01-01T00:00:00Z"));
        assert_eq!(read(GENERALIZED_TIME, "20500101000000Z").as_deref(), Some("2050-01-01T00:00:00Z"));
        assert_eq!(read(2, "500101000000Z"), None);
    }
}
