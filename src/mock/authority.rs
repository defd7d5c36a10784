//! The authority: issue, rotate, revoke, detect reuse. No IO, and no clock of its own.
