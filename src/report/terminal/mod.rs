//! The terminal: progress on stderr while it runs, the summary on stdout at its end.

use std::sync::mpsc::Receiver;

use crate::results::Run;
use crate::results::event::Event;

/// How the terminal is.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Colours may be used.
    pub color: bool,
    /// It is a terminal and not a pipe.
    pub is_terminal: bool,
    /// Columns.
    pub width: u16,
    /// It shows UTF-8.
    pub unicode: bool,
}

/// Narrates `events` on stderr until the narrator is gone. To be run on a thread of its own.
pub fn watch(events: &Receiver<Event>, screen: Screen, quiet: bool) {
    let _ = (events, screen, quiet);
    todo!()
}

/// The end of a run: diagnostics first, summary last; `page` is the path of the page, if one was written.
pub fn summary(run: &Run, page: Option<&str>, screen: Screen) -> String {
    let _ = (run, page, screen);
    todo!()
}

/// The last line on stderr: `exit 0 · good · 6 min 41 s`.
pub fn exit_line(run: &Run) -> String {
    let _ = run;
    todo!()
}
