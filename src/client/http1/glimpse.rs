//! Reading an answer that is all there at once, in the plainest of framings, where it lies.
//!
//! Whatever is not plain, or not whole, or not alone is for the [`Reader`](super::Reader), which a test on random
//! bytes holds this to.

use std::mem::MaybeUninit;

use crate::client::Glimpse;

use super::read::HEADERS_MAX;

/// The answer that `bytes` are: of HTTP/1.1, with one Content-Length, on a connection that stays, nothing after it.
pub fn glimpse(bytes: &[u8], body_max: usize) -> Option<Glimpse<'_>> {
    if !bytes.starts_with(b"HTTP/1.1 ") {
        return None;
    }
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let parsed = config.parse_response_with_uninit_headers(&mut response, bytes, &mut headers).ok()?;
    let httparse::Status::Complete(head) = parsed else { return None };
    let status = response.code?;
    let body = &bytes[head..];
    let has_body = !matches!(status, 0..200 | 204 | 304);
    let (length, label) = plain_headers(response.headers)?;
    (has_body && length == body.len() && length <= body_max).then_some(Glimpse { status, label, body })
}

/// The length and the label, where nothing else is said of the framing or of the connection's end.
fn plain_headers<'a>(headers: &[httparse::Header<'a>]) -> Option<(usize, Option<&'a [u8]>)> {
    let (mut length, mut label, mut labels) = (None, None, 0);
    for header in headers {
        let named = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            14 if named("content-length") => {
                if length.is_some() {
                    return None;
                }
                length = Some(plain_number(header.value)?);
            }
            12 if named("content-type") => {
                label = Some(header.value);
                labels += 1;
            }
            17 if named("transfer-encoding") => return None,
            10 if named("connection") && !header.value.eq_ignore_ascii_case(b"keep-alive") => return None,
            _ => {}
        }
    }
    Some((length?, label.filter(|_| labels == 1)))
}

fn plain_number(digits: &[u8]) -> Option<usize> {
    let few = (1..=9).contains(&digits.len());
    let value =
        |number: usize, digit: &u8| digit.is_ascii_digit().then(|| number * 10 + usize::from(digit - b'0'));
    if few { digits.iter().try_fold(0, value) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Reader;
    use super::*;
    use crate::client::Answer;

    /// What is glimpsed, the reader reads as the same, whole and to the last byte. Whether it was glimpsed.
    #[track_caller]
    fn agrees(bytes: &[u8], body_max: usize) -> bool {
        let Some(seen) = glimpse(bytes, body_max) else { return false };
        let (mut reader, mut answer) = (Reader::new(body_max), Answer::empty());
        reader.start(false);
        assert_eq!(reader.feed(bytes, &mut answer), Ok(bytes.len()));
        assert!(reader.is_done() && reader.is_persistent());
        let read = answer.glimpse();
        assert_eq!((seen.status, seen.label, seen.body), (read.status, read.label, read.body));
        true
    }

    #[test]
    fn a_plain_answer_is_glimpsed_where_it_lies() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\n{}";
        assert!(agrees(answer, 2));
        assert!(!agrees(answer, 1));
        assert!(agrees(b"HTTP/1.1 404 \r\nContent-Length:0\r\nConnection: Keep-Alive\r\n\r\n", 9));
    }

    #[test]
    fn what_is_not_plain_is_for_the_reader() {
        for answer in [
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 304 No\r\nContent-Length: 0\r\n\r\n",
            "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
            "",
        ] {
            assert!(!agrees(answer.as_bytes(), 99), "{answer:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn whatever_is_glimpsed_is_read_as_the_same(
            version in "1\\.[01]",
            status in "[0-9]{3}|20[04]",
            headers in "((Content-Length|Content-Type|Connection|Transfer-Encoding|X): ?([0-9]|keep-alive|close|chunked|a/b)?,?\r?\n){0,4}",
            body in "[a0\r\n]{0,3}",
        ) {
            agrees(format!("HTTP/{version} {status} x\r\n{headers}\r\n{body}").as_bytes(), 2);
        }
    }
}
