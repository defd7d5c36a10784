//! The ledger: every issued token's fingerprint, so that a token issued twice, or to another chain, is found.
