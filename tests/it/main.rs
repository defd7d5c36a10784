//! One test binary: real sockets, files and the binary itself. Everything purer is tested beside its code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chains;
mod cli;
mod codec;
mod commands;
mod compare;
mod conformance;
mod diagnostics;
mod dialects;
mod docs;
mod explain;
mod golden;
mod history;
mod http2;
mod learn;
mod lifecycle;
mod load;
mod mock;
mod oauth;
mod pipeline;
mod races;
mod report;
mod secure;
mod tidy;
mod transport;
mod wire;
