//! The binary: stdout, stderr and exit codes.
