//! Answers that are always the same: those of IIS and HTTP.sys, which stand before the application, and of an
//! application that gives up.

use super::webapi::HttpResponse;

pub(super) fn turned_away() -> HttpResponse {
    let label = ("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned());
    HttpResponse { status: 403, headers: vec![label], body: br#"{"Message":"Try again later."}"#.to_vec() }
}

pub(super) fn crashed() -> HttpResponse {
    let label = ("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned());
    HttpResponse {
        status: 500,
        headers: vec![label],
        body: br#"{"Message":"An error has occurred."}"#.to_vec(),
    }
}

/// A path with an encoded control character does not reach the application.
pub(super) fn is_bad_url(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default().as_bytes();
    path.windows(3).any(|escape| matches!(escape, [b'%', b'0' | b'1', digit] if digit.is_ascii_hexdigit()))
}

/// What HTTP.sys answers to it.
pub(super) fn bad_url() -> HttpResponse {
    HttpResponse {
        status: 400,
        headers: vec![("Content-Type".to_owned(), "text/html; charset=us-ascii".to_owned())],
        body: b"<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n\
            <HTML><HEAD><TITLE>Bad Request</TITLE></HEAD>\r\n<BODY><h2>Bad Request - Invalid URL</h2>\r\n<hr>\
            <p>HTTP Error 400. The request URL is invalid.</p>\r\n</BODY></HTML>\r\n"
            .to_vec(),
    }
}

/// What IIS answers beyond its limit; the connection is not read further.
pub(super) fn too_large() -> HttpResponse {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    HttpResponse {
        status: 404,
        headers: vec![header("Content-Type", "text/html"), header("Connection", "close")],
        body: b"<!DOCTYPE html>\r\n<html><head><title>404.13 - Not Found</title></head><body>\
            <h2>HTTP Error 404.13 - Not Found</h2><p>The request filtering module is configured to deny a \
            request that exceeds the request content length.</p></body></html>\r\n"
            .to_vec(),
    }
}
