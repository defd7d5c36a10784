//! Changes to request line, headers and framing.
//!
//! Every request stays complete: nothing announces more than is sent, because a server that waits for the rest
//! does right. Nothing here leads elsewhere: the address, the path's beginning and the tunnel stay untouched.

use crate::client::Request;

/// One change to how a request is framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Another method.
    Method(&'static str),
    /// Something behind the path.
    Behind(String),
    /// Another version of HTTP in the request line.
    Version(&'static str),
    /// One more header.
    Header(String, Vec<u8>),
    /// So many more headers.
    Headers(u32),
    /// The header of that number written again, with something behind its value.
    Again(u32, &'static str),
    /// The header of that number left out.
    Without(u32),
    /// Another Content-Type.
    Label(&'static str),
    /// Another Accept.
    Accept(String),
    /// A Content-Length so much too small.
    Short(u32),
    /// Chunks of so many bytes.
    Chunks(u32),
    /// Chunks framed wrongly.
    Misframed(Misframing),
    /// The length and the chunks both.
    Both,
    /// The head first, the body after word that it may come.
    Continue,
    /// So many requests behind it.
    Behinds(u32),
}

/// A mistake in the framing of chunks that leaves nothing to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misframing {
    /// A size that is no number.
    Size,
    /// A size with a sign.
    Sign,
    /// A size beyond 64 bits.
    Huge,
    /// Line feeds alone.
    Bare,
    /// An extension of some length.
    Extension,
    /// Trailers.
    Trailers,
    /// A trailer that is no header.
    BadTrailer,
    /// A coding that nobody knows.
    Coding,
}

impl Misframing {
    pub(super) const ALL: [Misframing; 8] = [
        Misframing::Size,
        Misframing::Sign,
        Misframing::Huge,
        Misframing::Bare,
        Misframing::Extension,
        Misframing::Trailers,
        Misframing::BadTrailer,
        Misframing::Coding,
    ];

    /// The body, framed like this, and the coding that is announced.
    fn of(self, body: &[u8]) -> (Vec<u8>, &'static str) {
        let size = format!("{:x}", body.len());
        let framed = |size: &str, end: &str, tail: &str| {
            // A chunk without a byte is the last one: nothing may follow but the tail.
            let more = if body.is_empty() && size.starts_with('0') {
                Vec::new()
            } else {
                [body, end.as_bytes(), b"0", end.as_bytes()].concat()
            };
            [size.as_bytes(), end.as_bytes(), &more, tail.as_bytes()].concat()
        };
        let end = "\r\n";
        match self {
            Misframing::Size => (framed("zz", end, "\r\n"), "chunked"),
            Misframing::Sign => (framed(&format!("+{size}"), end, "\r\n"), "chunked"),
            Misframing::Huge => (framed("fffffffffffffffff", end, "\r\n"), "chunked"),
            Misframing::Bare => (framed(&size, "\n", "\n"), "chunked"),
            Misframing::Extension => {
                (framed(&format!("{size};{}", "x=y;".repeat(200)), end, "\r\n"), "chunked")
            }
            Misframing::Trailers => (framed(&size, end, "X-Trailer: a\r\nX-Trailer: b\r\n\r\n"), "chunked"),
            Misframing::BadTrailer => (framed(&size, end, "no header\r\n\r\n"), "chunked"),
            Misframing::Coding => (framed(&size, end, "\r\n"), "x-unknown, chunked"),
        }
    }
}

fn is(name: &str) -> impl Fn(&(String, Vec<u8>)) -> bool + '_ {
    move |(other, _)| other.eq_ignore_ascii_case(name)
}

fn put(request: &mut Request, name: &str, value: &[u8]) {
    request.headers.retain(|header| !is(name)(header));
    request.headers.push((name.to_owned(), value.to_vec()));
}

/// So many headers at most.
const HEADERS_MAX: u32 = 200;

impl Frame {
    /// Does it to `request`.
    pub(super) fn to(&self, request: &mut Request) {
        match self {
            Frame::Method(method) => (*method).clone_into(&mut request.method),
            Frame::Behind(more) => request.target.push_str(more),
            // The version that the writer adds becomes a header's value.
            Frame::Version(version) => request.target.extend([" ", version, "\r\nX-Tail:"]),
            Frame::Header(name, value) => request.headers.push((name.clone(), value.clone())),
            Frame::Headers(count) => {
                let more =
                    (0..(*count).min(HEADERS_MAX)).map(|number| (format!("X-Pad-{number}"), b"x".to_vec()));
                request.headers.extend(more);
            }
            Frame::Again(number, more) => {
                let count = request.headers.len().max(1);
                if let Some((name, value)) = request.headers.get(*number as usize % count).cloned() {
                    request.headers.push((name, [value, more.as_bytes().to_vec()].concat()));
                }
            }
            Frame::Without(number) => {
                let count = request.headers.len();
                if count > 0 {
                    request.headers.remove(*number as usize % count);
                }
            }
            Frame::Label(label) => put(request, "Content-Type", label.as_bytes()),
            Frame::Accept(accept) => put(request, "Accept", accept.as_bytes()),
            Frame::Short(_)
            | Frame::Chunks(_)
            | Frame::Misframed(_)
            | Frame::Both
            | Frame::Continue
            | Frame::Behinds(_) => self.reframe(request),
        }
    }

    /// Framing is done once: what comes second finds it done.
    fn reframe(&self, request: &mut Request) {
        let Some(body) = &request.body else { return };
        if request.travel != crate::client::Travel::default()
            || request.headers.iter().any(is("transfer-encoding"))
        {
            return;
        }
        match self {
            Frame::Short(by) => {
                let length = i64::try_from(body.len()).unwrap_or(i64::MAX);
                request.travel.length_off = -i64::from(*by).min(length);
            }
            Frame::Chunks(size) => request.travel.chunks = Some(*size),
            Frame::Misframed(how) => {
                let (body, coding) = how.of(body);
                request.body = Some(body);
                put(request, "Transfer-Encoding", coding.as_bytes());
            }
            Frame::Both => {
                // The length is that of the framed body, so that either reading is complete.
                let body = Misframing::Trailers.of(body).0;
                put(request, "Content-Length", body.len().to_string().as_bytes());
                put(request, "Transfer-Encoding", b"chunked");
                request.body = Some(body);
            }
            Frame::Continue => request.travel.await_continue = true,
            Frame::Behinds(count) => request.travel.pipelined = *count,
            Frame::Method(_)
            | Frame::Behind(_)
            | Frame::Version(_)
            | Frame::Header(..)
            | Frame::Headers(_)
            | Frame::Again(..)
            | Frame::Without(_)
            | Frame::Label(_)
            | Frame::Accept(_) => {}
        }
    }
}
