//! Checks against the mock.
