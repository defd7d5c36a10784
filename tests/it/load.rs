//! Load against the mock.
