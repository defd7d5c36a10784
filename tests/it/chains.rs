//! Chains against the mock.
