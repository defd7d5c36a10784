//! What people see: the page, the terminal's summary and progress, JUnit and Markdown.
//!
//! Pure functions of a [`Run`](crate::results::Run), and listeners of its events. Names no engine and no client;
//! cannot fail a run. Nothing reads what is written here.

mod clean;
pub mod github;
pub mod hlog;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod metrics;
mod state;
pub mod terminal;
