//! A request of HTTP/1.1 as HTTP/2 says it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::uri::{Authority, Parts, PathAndQuery, Scheme};
use hyper::http::{Method, Uri};

/// Headers of a request that say how HTTP/1.1 frames it or keeps a connection: HTTP/2 forbids them.
const FORBIDDEN: [&str; 6] =
    ["connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection", "expect"];

/// Headers of a request, at most.
const HEADERS_MAX: usize = 256;

/// Where requests go.
#[derive(Clone, Debug)]
pub(in super::super) struct Origin {
    scheme: Scheme,
}

impl Origin {
    /// Over TLS or in the clear.
    pub(in super::super) fn of(secure: bool) -> Origin {
        Origin { scheme: if secure { Scheme::HTTPS } else { Scheme::HTTP } }
    }

    /// The request whose bytes, head and body, these are; nothing where HTTP/2 has no such request.
    pub(super) fn request(&self, bytes: &[u8]) -> Option<Request<Full<Bytes>>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(end) = head.parse(bytes).ok()? else { return None };
        let mut authority = None;
        let mut request = Request::new(Full::new(Bytes::copy_from_slice(&bytes[end..])));
        *request.method_mut() = Method::from_bytes(head.method?.as_bytes()).ok()?;
        for header in head.headers.iter() {
            let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
            if FORBIDDEN.contains(&name.as_str()) {
                return None;
            }
            if name == "host" {
                let place = Authority::try_from(header.value).ok()?;
                // Two of them have no frame to stand in.
                authority.replace(place).is_none().then_some(())?;
            } else {
                request.headers_mut().append(name, HeaderValue::from_bytes(header.value).ok()?);
            }
        }
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(authority?);
        parts.path_and_query = Some(PathAndQuery::try_from(head.path?).ok()?);
        *request.uri_mut() = Uri::from_parts(parts).ok()?;
        Some(request)
    }
}

/// The body of a request of HTTP/1.1.
pub(super) fn body_of(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    &bytes[end..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> Option<Request<Full<Bytes>>> {
        Origin::of(true).request(bytes)
    }

    #[test]
    fn the_host_becomes_the_authority_and_names_are_lower_case() {
        let bytes = b"POST /token?a=b HTTP/1.1\r\nHost: h:8443\r\nX-Odd: \xff\r\nContent-Length: 2\r\n\r\nok";
        let request = said(bytes).unwrap();
        assert_eq!(request.uri(), "https://h:8443/token?a=b");
        assert_eq!(request.headers()["x-odd"].as_bytes(), b"\xff");
        assert_eq!(request.headers().len(), 2);
        assert_eq!(body_of(bytes), b"ok");
    }

    #[test]
    fn what_has_no_frame_is_not_said() {
        for line in
            ["Transfer-Encoding: chunked", "Connection: close", "Host: twice", "X: a\u{1}b", "B ad: x"]
        {
            let bytes = format!("POST / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n");
            assert!(said(bytes.as_bytes()).is_none(), "{line}");
        }
        assert!(said(b"POST / HTTP/1.1\r\n\r\n").is_none(), "no host");
    }
}
