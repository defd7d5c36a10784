//! Reading: a state machine over `httparse`.

use std::mem::MaybeUninit;

use super::super::{Answer, Failure};

/// Bytes of a head, status line and headers together, at most.
pub const HEAD_MAX: usize = 64 * 1024;

/// Headers of one head, at most.
pub const HEADERS_MAX: usize = 100;

/// Informational answers (1xx) before the answer, at most.
pub const INFORMATIONAL_MAX: u32 = 16;

/// Bytes of a body's chunk extensions together, and of the trailers, at most.
const EXTRAS_MAX: usize = 16 * 1024;

/// Bytes of the line before a chunk, at most: its extensions, and a size with some zeros before it.
const CHUNK_LINE_MAX: usize = EXTRAS_MAX + 64;

/// What the reader waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A head, informational ones included.
    Head,
    /// This many bytes of a body of announced length.
    Counted(u64),
    /// Whatever comes until the connection ends.
    UntilClose,
    /// The line before a chunk.
    ChunkSize,
    /// This many bytes of a chunk.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// Trailers and the empty line after them.
    Trailers,
    /// Nothing more.
    Done,
}

/// Reads one answer. [`Reader::start`] makes it ready for the next.
#[derive(Debug)]
pub struct Reader {
    state: State,
    bodiless: bool,
    body_max: usize,
    /// Bytes of an unfinished head that were looked at already.
    scanned: usize,
    /// Whether a byte of the answer itself was there.
    begun: bool,
    informational: u32,
    extensions: usize,
    persistent: bool,
    /// Bytes after the answer are another one, and are left alone.
    more: bool,
}

impl Reader {
    /// A reader whose bodies may have `body_max` bytes.
    pub fn new(body_max: usize) -> Reader {
        Reader {
            state: State::Head,
            bodiless: false,
            body_max,
            scanned: 0,
            begun: false,
            informational: 0,
            extensions: 0,
            persistent: false,
            more: false,
        }
    }

    /// Whether bytes after this answer are another answer that was asked for: they are not taken.
    pub fn expect_more(&mut self, more: bool) {
        self.more = more;
    }

    /// Makes ready for the answer to one request. `bodiless`: it was a HEAD.
    pub fn start(&mut self, bodiless: bool) {
        *self = Reader { bodiless, ..Reader::new(self.body_max) };
    }

    /// Takes what it can from the front of `bytes` and says how much that was. What is left must stand at the
    /// front of the next call. Bytes beyond the answer are [`Failure::TrailingBytes`].
    pub fn feed(&mut self, bytes: &[u8], answer: &mut Answer) -> Result<usize, Failure> {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let taken = match self.state {
                State::Head => self.head(rest, answer)?,
                State::Counted(left) => self.counted(rest, left, answer),
                State::UntilClose => self.until_close(rest, answer)?,
                State::ChunkSize => self.chunk_size(rest, answer)?,
                State::Chunk(left) => self.chunk(rest, left, answer),
                State::ChunkEnd => self.chunk_end(rest)?,
                State::Trailers => self.trailers(rest)?,
                State::Done if rest.is_empty() || self.more => None,
                State::Done => return Err(Failure::TrailingBytes),
            };
            match taken {
                Some(count) => used += count,
                None => return Ok(used),
            }
        }
    }

    /// The peer ended the connection: either that ends the answer, or it says what is missing.
    pub fn close(&mut self) -> Result<(), Failure> {
        match self.state {
            State::UntilClose | State::Done => {
                self.state = State::Done;
                Ok(())
            }
            State::Head if !self.begun => Err(Failure::ClosedBeforeAnswer),
            State::Head
            | State::Counted(_)
            | State::ChunkSize
            | State::Chunk(_)
            | State::ChunkEnd
            | State::Trailers => Err(Failure::ClosedWithinAnswer),
        }
    }

    /// Whether the answer is complete.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the answer has no body, whatever its head says.
    pub fn is_bodiless(&self) -> bool {
        self.bodiless
    }

    /// Whether the end of the connection would be the end of the answer.
    pub fn ends_by_close(&self) -> bool {
        self.state == State::UntilClose
    }

    /// Whether the answer itself has begun: informational ones do not count.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Informational answers so far.
    pub fn informational(&self) -> u32 {
        self.informational
    }

    /// Whether both sides mean to go on with the connection. Known once the head is.
    pub fn is_persistent(&self) -> bool {
        self.persistent
    }

    fn head(&mut self, rest: &[u8], answer: &mut Answer) -> Result<Option<usize>, Failure> {
        if !may_begin_a_head(rest) {
            return Err(Failure::NotHttp);
        }
        self.begun |= !rest.is_empty();
        let window = &rest[..rest.len().min(HEAD_MAX)];
        let from = self.scanned.min(window.len());
        // Parsing again only at a new line end keeps a trickling head linear in its lines.
        let Some(line_end) = window[from..].iter().rposition(|&byte| byte == b'\n') else {
            return self.head_goes_on(window.len());
        };
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            &window[..=from + line_end],
            &mut headers,
        );
        match parsed {
            Ok(httparse::Status::Complete(length)) => {
                self.take_head(&response, answer)?;
                self.scanned = 0;
                Ok(Some(length))
            }
            Ok(httparse::Status::Partial) => self.head_goes_on(window.len()),
            Err(httparse::Error::TooManyHeaders) => Err(Failure::OversizedHead),
            Err(_) => Err(Failure::NotHttp),
        }
    }

    fn head_goes_on(&mut self, seen: usize) -> Result<Option<usize>, Failure> {
        if seen >= HEAD_MAX {
            return Err(Failure::OversizedHead);
        }
        self.scanned = seen;
        Ok(None)
    }

    fn take_head(&mut self, head: &httparse::Response<'_, '_>, answer: &mut Answer) -> Result<(), Failure> {
        let status = head.code.expect("a complete head has a status");
        match status {
            0..100 | 101 => return Err(Failure::NotHttp),
            100..200 => return self.skip_informational(),
            200.. => {}
        }
        let framing = Framing::of(head)?;
        self.persistent = framing.persistent(head.version == Some(1));
        self.state = if self.bodiless || status == 204 || status == 304 {
            State::Done
        } else {
            self.body_state(&framing)?
        };
        fill(answer, status, head);
        Ok(())
    }

    fn skip_informational(&mut self) -> Result<(), Failure> {
        self.informational += 1;
        self.begun = false;
        if self.informational > INFORMATIONAL_MAX { Err(Failure::EndlessInformational) } else { Ok(()) }
    }

    fn body_state(&mut self, framing: &Framing) -> Result<State, Failure> {
        match framing.body(self.body_max)? {
            Body::Chunked => Ok(State::ChunkSize),
            Body::Counted(0) => Ok(State::Done),
            Body::Counted(length) => Ok(State::Counted(length)),
            Body::UntilClose => {
                self.persistent = false;
                Ok(State::UntilClose)
            }
        }
    }

    fn counted(&mut self, rest: &[u8], left: u64, answer: &mut Answer) -> Option<usize> {
        let (taken, left) = append(rest, left, answer)?;
        self.state = if left == 0 { State::Done } else { State::Counted(left) };
        Some(taken)
    }

    fn until_close(&mut self, rest: &[u8], answer: &mut Answer) -> Result<Option<usize>, Failure> {
        if rest.is_empty() {
            return Ok(None);
        }
        if rest.len() > self.body_max.saturating_sub(answer.body.len()) {
            return Err(Failure::OversizedBody);
        }
        answer.body.extend_from_slice(rest);
        Ok(Some(rest.len()))
    }

    fn chunk_size(&mut self, rest: &[u8], answer: &Answer) -> Result<Option<usize>, Failure> {
        if rest.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
            return Err(Failure::BrokenChunks);
        }
        let window = &rest[..rest.len().min(CHUNK_LINE_MAX)];
        let Some(line_end) = window.iter().position(|&byte| byte == b'\n') else {
            return if window.len() == CHUNK_LINE_MAX { Err(Failure::BrokenChunks) } else { Ok(None) };
        };
        let line = window[..line_end].strip_suffix(b"\r").ok_or(Failure::BrokenChunks)?;
        let (size, extension) = read_chunk_size(line)?;
        self.extensions += extension;
        if self.extensions >= EXTRAS_MAX {
            return Err(Failure::BrokenChunks);
        }
        if size > (self.body_max.saturating_sub(answer.body.len())) as u64 {
            return Err(Failure::OversizedBody);
        }
        self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
        Ok(Some(line_end + 1))
    }

    fn chunk(&mut self, rest: &[u8], left: u64, answer: &mut Answer) -> Option<usize> {
        let (taken, left) = append(rest, left, answer)?;
        self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
        Some(taken)
    }

    fn chunk_end(&mut self, rest: &[u8]) -> Result<Option<usize>, Failure> {
        if !b"\r\n".starts_with(&rest[..rest.len().min(2)]) {
            return Err(Failure::BrokenChunks);
        }
        if rest.len() < 2 {
            return Ok(None);
        }
        self.state = State::ChunkSize;
        Ok(Some(2))
    }

    /// Trailers must be well-formed and are dropped: nothing that is asked for stands in them.
    fn trailers(&mut self, rest: &[u8]) -> Result<Option<usize>, Failure> {
        let window = &rest[..rest.len().min(EXTRAS_MAX)];
        let lines = window.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        match httparse::parse_headers(&window[..lines], &mut headers) {
            Ok(httparse::Status::Complete((length, _))) if has_full_line_ends(&window[..length]) => {
                self.state = State::Done;
                Ok(Some(length))
            }
            Ok(httparse::Status::Partial) if window.len() < EXTRAS_MAX => Ok(None),
            Ok(_) | Err(_) => Err(Failure::BrokenChunks),
        }
    }
}

/// Whether these bytes may be the beginning of an answer; tells a page from a protocol without waiting.
fn may_begin_a_head(bytes: &[u8]) -> bool {
    const BEGINNING: &[u8] = b"HTTP/1.";
    let seen = bytes.len().min(BEGINNING.len());
    bytes[..seen] == BEGINNING[..seen]
}

fn has_full_line_ends(lines: &[u8]) -> bool {
    lines.iter().enumerate().all(|(at, &byte)| byte != b'\n' || (at > 0 && lines[at - 1] == b'\r'))
}

/// Appends up to `left` bytes; how many, and how many are left then. `None`: there was nothing to take.
fn append(rest: &[u8], left: u64, answer: &mut Answer) -> Option<(usize, u64)> {
    let taken = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    answer.body.extend_from_slice(&rest[..taken]);
    (taken > 0).then_some((taken, left - taken as u64))
}

/// The size, and how many bytes of the line are extensions.
fn read_chunk_size(line: &[u8]) -> Result<(u64, usize), Failure> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let text = std::str::from_utf8(&line[..digits]).expect("hexadecimal digits are ASCII");
    let size = u64::from_str_radix(text, 16).map_err(|_| Failure::BrokenChunks)?;
    let rest = &line[digits..];
    let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match rest[spaces..].split_first() {
        None => Ok((size, 0)),
        Some((b';', extension)) if !extension.contains(&b'\r') => Ok((size, extension.len())),
        Some(_) => Err(Failure::BrokenChunks),
    }
}

/// What a head says about where the body ends.
#[derive(Debug, Default)]
struct Framing {
    length: Option<Length>,
    coded: bool,
    chunked: bool,
    old: bool,
    wants_close: bool,
    wants_more: bool,
}

/// What the Content-Length headers say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bytes(u64),
    /// A number beyond 64 bits: a length, and too large for everyone.
    Beyond,
    Nonsense,
    Different,
}

/// How a body ends.
enum Body {
    Chunked,
    Counted(u64),
    UntilClose,
}

impl Framing {
    fn of(head: &httparse::Response<'_, '_>) -> Result<Framing, Failure> {
        let mut framing = Framing { old: head.version == Some(0), ..Framing::default() };
        for header in &*head.headers {
            if header.name.eq_ignore_ascii_case("content-length") {
                framing.add_lengths(header.value);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                framing.add_coding(header.value)?;
            } else if header.name.eq_ignore_ascii_case("connection") {
                framing.add_wishes(header.value);
            }
        }
        Ok(framing)
    }

    fn add_lengths(&mut self, value: &[u8]) {
        for member in value.split(|&byte| byte == b',') {
            let one = read_length(member.trim_ascii());
            self.length = match self.length {
                None => Some(one),
                Some(same) if same == one => Some(one),
                Some(Length::Nonsense) => Some(Length::Nonsense),
                Some(_) if one == Length::Nonsense => Some(Length::Nonsense),
                Some(_) => Some(Length::Different),
            };
        }
    }

    /// The only coding that can be read is `chunked`, once: compression was not asked for.
    fn add_coding(&mut self, value: &[u8]) -> Result<(), Failure> {
        if self.coded || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
            return Err(Failure::NotHttp);
        }
        self.coded = true;
        self.chunked = true;
        Ok(())
    }

    fn add_wishes(&mut self, value: &[u8]) {
        for wish in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            self.wants_close |= wish.eq_ignore_ascii_case(b"close");
            self.wants_more |= wish.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn persistent(&self, current: bool) -> bool {
        !self.wants_close && (current || self.wants_more)
    }

    fn body(&self, body_max: usize) -> Result<Body, Failure> {
        if self.chunked {
            // A 1.0 reader would take such a body to the close, a 1.1 reader by its chunks.
            let doubtful = self.length.is_some() || self.old;
            return if doubtful { Err(Failure::AmbiguousLength) } else { Ok(Body::Chunked) };
        }
        match self.length {
            None => Ok(Body::UntilClose),
            Some(Length::Bytes(length)) if length <= body_max as u64 => Ok(Body::Counted(length)),
            Some(Length::Bytes(_) | Length::Beyond) => Err(Failure::OversizedBody),
            Some(Length::Nonsense) => Err(Failure::NotHttp),
            Some(Length::Different) => Err(Failure::AmbiguousLength),
        }
    }
}

fn read_length(text: &[u8]) -> Length {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Length::Nonsense;
    }
    let digits = std::str::from_utf8(text).expect("digits are ASCII");
    digits.parse().map_or(Length::Beyond, Length::Bytes)
}

/// Puts a head into `answer`, using its buffers again.
fn fill(answer: &mut Answer, status: u16, head: &httparse::Response<'_, '_>) {
    answer.status = status;
    answer.reason.clear();
    answer.reason.push_str(head.reason.unwrap_or_default());
    answer.body.clear();
    answer.headers.truncate(head.headers.len());
    for (at, header) in head.headers.iter().enumerate() {
        if let Some((name, value)) = answer.headers.get_mut(at) {
            name.clear();
            name.push_str(header.name);
            value.clear();
            value.extend_from_slice(header.value);
        } else {
            answer.headers.push((header.name.to_owned(), header.value.to_vec()));
        }
    }
}
