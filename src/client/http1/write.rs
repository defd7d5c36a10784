//! Writing: heads exactly as given, bodies in the pieces in which they travel.

use super::super::{Request, Travel};

/// What a head announces of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Announced {
    /// Nothing.
    Nothing,
    /// A Content-Length.
    Length(u64),
    /// Chunked transfer.
    Chunked,
}

impl Announced {
    /// What an honest or dishonest head says about the body of `request`.
    fn of(request: &Request) -> Announced {
        match &request.body {
            None => Announced::Nothing,
            Some(_) if request.travel.chunks.is_some() => Announced::Chunked,
            // Whoever writes a transfer coding frames the body too.
            Some(_) if has(request, "transfer-encoding") => Announced::Nothing,
            Some(body) => {
                let length = i64::try_from(body.len()).unwrap_or(i64::MAX);
                Announced::Length(length.saturating_add(request.travel.length_off).max(0).unsigned_abs())
            }
        }
    }
}

fn has(request: &Request, name: &str) -> bool {
    request.headers.iter().any(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
}

/// Writes the head of `request` behind what is in `out`. `prefix` stands before a target that begins with a
/// slash; `host` is the Host header where the request has none. Headers are written exactly as given.
pub fn write_head(request: &Request, prefix: &str, host: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(request.method.as_bytes());
    out.push(b' ');
    if request.target.starts_with('/') {
        out.extend_from_slice(prefix.as_bytes());
    }
    out.extend_from_slice(request.target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    if !has(request, "host") {
        write_header("Host", host.as_bytes(), out);
    }
    for (name, value) in &request.headers {
        write_header(name, value, out);
    }
    match Announced::of(request) {
        Announced::Length(length) if !has(request, "content-length") => {
            write_header("Content-Length", length.to_string().as_bytes(), out);
        }
        Announced::Chunked if !has(request, "transfer-encoding") => {
            write_header("Transfer-Encoding", b"chunked", out);
        }
        Announced::Nothing | Announced::Length(_) | Announced::Chunked => {}
    }
    if request.travel.await_continue && !has(request, "expect") {
        write_header("Expect", b"100-continue", out);
    }
    out.extend_from_slice(b"\r\n");
}

fn write_header(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// So many requests ride behind another, at most.
pub const BEHIND_MAX: u32 = 16;

/// A request to the same place that carries nothing: no body, no credentials, nothing that could be spent.
pub fn follower(request: &Request) -> Request {
    const HARMLESS: [&str; 3] = ["accept", "content-type", "host"];
    let keeps = |(name, _): &&(String, Vec<u8>)| HARMLESS.iter().any(|own| name.eq_ignore_ascii_case(own));
    Request {
        method: request.method.clone(),
        target: request.target.split('?').next().unwrap_or_default().to_owned(),
        headers: request.headers.iter().filter(keeps).cloned().collect(),
        body: Some(Vec::new()),
        travel: Travel::default(),
    }
}

/// Whether more than one answer may rightly come: to requests that ride behind, or to the rest of a body whose
/// length was understated, which the other side must take for a request.
pub fn leaves_more(request: &Request) -> bool {
    request.travel.pipelined > 0 || request.travel.length_off < 0
}

/// Whether the length of `request` can be read in two ways: whoever takes the one may find another request in
/// what is left, and answer that as well.
pub fn is_ambiguous(request: &Request) -> bool {
    let count = |name: &str| request.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).count();
    count("content-length") + count("transfer-encoding") > 1
}

/// Pieces of a body whose pace is set but not their size.
const PACED_PIECES: usize = 8;

/// The body of `request` in the pieces in which it travels, chunk framing included.
pub fn body_pieces(request: &Request) -> Vec<Vec<u8>> {
    let body = request.body.as_deref().unwrap_or_default();
    match (request.travel.chunks, request.travel.pace) {
        (Some(size), _) => {
            let mut pieces: Vec<Vec<u8>> = body.chunks(size.max(1) as usize).map(framed_chunk).collect();
            pieces.push(b"0\r\n\r\n".to_vec());
            pieces
        }
        (None, Some(_)) => {
            body.chunks(body.len().div_ceil(PACED_PIECES).max(1)).map(<[u8]>::to_vec).collect()
        }
        (None, None) => vec![body.to_vec()],
    }
}

fn framed_chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// Whether `request` leaves the connection in a state that both sides understand alike. What frames itself by
/// hand, or travels oddly, may not share a connection with what comes after it.
pub fn is_ordinary(request: &Request) -> bool {
    const FRAMING: [&str; 5] = ["content-length", "transfer-encoding", "connection", "expect", "upgrade"];
    let plain = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control() || byte == b' ');
    request.travel == Travel::default()
        && plain(&request.method)
        && !request.method.eq_ignore_ascii_case("connect")
        && plain(&request.target)
        && !FRAMING.iter().any(|name| has(request, name))
        && request.headers.iter().all(|(name, value)| {
            plain(name) && !name.contains(':') && !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], body: Option<&str>) -> Request {
        Request {
            method: "POST".to_owned(),
            target: "/token?x=1".to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.map(|text| text.as_bytes().to_vec()),
            travel: Travel::default(),
        }
    }

    #[track_caller]
    fn check(request: &Request, expected: &str) {
        let mut out = Vec::new();
        write_head(request, "/api", "host:80", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn heads_are_as_given_with_host_and_length_added() {
        check(
            &request(&[("a", "1"), ("A", "2")], Some("body")),
            "POST /api/token?x=1 HTTP/1.1\r\nHost: host:80\r\na: 1\r\nA: 2\r\nContent-Length: 4\r\n\r\n",
        );
        check(&request(&[("HOST", "")], None), "POST /api/token?x=1 HTTP/1.1\r\nHOST: \r\n\r\n");
        let elsewhere = Request { target: "http://x/".to_owned(), ..request(&[], None) };
        check(&elsewhere, "POST http://x/ HTTP/1.1\r\nHost: host:80\r\n\r\n");
    }

    #[test]
    fn whoever_frames_by_hand_is_left_alone() {
        check(
            &request(&[("content-LENGTH", "9")], Some("body")),
            "POST /api/token?x=1 HTTP/1.1\r\nHost: host:80\r\ncontent-LENGTH: 9\r\n\r\n",
        );
        check(
            &request(&[("Transfer-Encoding", "x")], Some("body")),
            "POST /api/token?x=1 HTTP/1.1\r\nHost: host:80\r\nTransfer-Encoding: x\r\n\r\n",
        );
    }

    #[test]
    fn only_ordinary_requests_leave_their_connection_to_others() {
        assert!(is_ordinary(&request(&[("Content-Type", "text/xml; charset=\"utf-8\"")], Some("body"))));
        assert!(!is_ordinary(&request(&[("Content-Length", "4")], Some("body"))));
        assert!(!is_ordinary(&request(&[("X", "a\r\nContent-Length: 9")], Some("body"))));
        assert!(!is_ordinary(&request(&[("Connection", "close")], None)));
        let injected = Request { target: "/ HTTP/1.1\r\n".to_owned(), ..request(&[], None) };
        assert!(!is_ordinary(&injected));
        let wrong = Travel { length_off: 1, ..Travel::default() };
        assert!(!is_ordinary(&Request { travel: wrong, ..request(&[], Some("")) }));
    }

    #[test]
    fn a_body_comes_in_pieces_that_say_their_size() {
        let chunked = Travel { chunks: Some(0), ..Travel::default() };
        let pieces = body_pieces(&Request { travel: chunked, ..request(&[], Some("ab")) });
        assert_eq!(pieces, [b"1\r\na\r\n".to_vec(), b"1\r\nb\r\n".to_vec(), b"0\r\n\r\n".to_vec()]);
        let paced = Travel { pace: Some(std::time::Duration::ZERO), ..Travel::default() };
        let pieces = body_pieces(&Request { travel: paced, ..request(&[], Some("abcdefghi")) });
        assert_eq!(pieces.concat(), b"abcdefghi");
        assert_eq!(pieces.len(), 5);
    }
}
