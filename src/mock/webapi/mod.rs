//! How ASP.NET Web API reads requests and writes answers: formatters, negotiation, binding, errors.
//!
//! Owns the whole pipeline between bytes and controller for both generations, proven byte for byte against
//! `tests/it/fixtures/golden`. Knows nothing of tokens: a controller is a function from what was bound to what
//! is answered.
