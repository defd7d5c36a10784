//! The HTTP/1.1 codec: bytes in, head and body out; a request in, bytes out. No I/O, no clock.
//!
//! [`Reader`] is stricter than a library's, because what a library forgives is what this program is there to
//! find: every doubt about where an answer ends is a failure of its own, and the connection is given up. The
//! writing side changes nothing it is given, because wrong requests are what this program is there to send.

mod glimpse;
mod read;
mod write;

pub use self::glimpse::glimpse;
pub use self::read::{HEAD_MAX, HEADERS_MAX, INFORMATIONAL_MAX, Reader};
pub use self::write::{
    BEHIND_MAX, body_pieces, follower, is_ambiguous, is_ordinary, leaves_more, write_head,
};
