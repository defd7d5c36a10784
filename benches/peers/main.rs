//! Load generators side by side.

fn main() {}
