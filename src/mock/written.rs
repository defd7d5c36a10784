//! Answers as hyper writes them, with what the variants of the server do to all of them alike.

use hyper::header::{CONNECTION, DATE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode, Version};

use crate::suite::environment::Variant;

use super::clock::Moment;
use super::defects::Switches;
use super::webapi::HttpResponse;
use super::wire::Answered;

/// The answer as the variants of the server have it.
pub(super) fn varied(mut response: Response<Answered>, switches: Switches) -> Response<Answered> {
    let old = switches.is(Variant::OldHttp);
    if switches.is(Variant::NoDate) {
        response.headers_mut().remove(DATE);
    }
    if switches.is(Variant::HeadersReordered) {
        let headers = std::mem::take(response.headers_mut());
        *response.headers_mut() = reordered(&headers);
    }
    if old || switches.is(Variant::ClosesConnections) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if old {
        *response.version_mut() = Version::HTTP_10;
    } else if switches.is(Variant::Chunked) {
        response = response.map(Answered::in_chunks);
    }
    response
}

/// The last header first; values of one name keep their order.
fn reordered(headers: &HeaderMap) -> HeaderMap {
    let names: Vec<HeaderName> = headers.keys().cloned().collect();
    let mut reordered = HeaderMap::new();
    for name in names.into_iter().rev() {
        for value in headers.get_all(&name) {
            reordered.append(name.clone(), value.clone());
        }
    }
    reordered
}

pub(super) fn written(response: HttpResponse, now: Moment) -> Response<Answered> {
    let mut written = Response::new(Answered::whole(response.body));
    *written.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = written.headers_mut();
    for (name, value) in response.headers {
        // What cannot stand in a header was put there by a defect, and is left out.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    headers.insert(DATE, date(now));
    written
}

/// The `Date` header, made once a second on each worker.
fn date(now: Moment) -> HeaderValue {
    thread_local! {
        static LAST: std::cell::RefCell<Option<(i64, HeaderValue)>> = const { std::cell::RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some((second, value)) if *second == now.seconds() => value.clone(),
        last => {
            let value = HeaderValue::try_from(now.http_date()).expect("a date is plain ASCII");
            *last = Some((now.seconds(), value.clone()));
            value
        }
    })
}
