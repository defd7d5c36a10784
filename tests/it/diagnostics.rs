//! Broken suites beside the diagnostics they deserve.
