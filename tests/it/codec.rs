//! The wire's codec against hyper.
