//! The HTTP/1.1 codec: bytes in, head and body out. No I/O.
