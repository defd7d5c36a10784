//! The wire against endpoints that answer nonsense.
