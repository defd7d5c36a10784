//! The mock over real sockets.
