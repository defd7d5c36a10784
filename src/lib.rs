//! `assay` proves a refresh-token endpoint before a release.
//!
//! A **suite** is parsed into a value that cannot be wrong; an **engine** turns that value into a **run**,
//! which is a record of what happened; everything a person sees is a pure function of the run. While the
//! engine works it narrates events, but no result depends on anyone having listened. The client and the
//! mock share a **dialect** table and nothing else.
//!
//! The modules stand in the order of who may know whom: each may name only those above it (the table is a
//! test, `tests/it/tidy.rs`). `ARCHITECTURE.md` is the map. The Rust API is not a public interface: the
//! suite language and the run file are.

pub mod source;

pub mod secret;

pub mod suite;

pub mod dialect;

pub mod results;

pub mod client;

pub mod chain;

pub mod load;

pub mod conformance;

pub mod mock;

pub mod prove;

pub mod compare;

pub mod report;

pub mod cli;
