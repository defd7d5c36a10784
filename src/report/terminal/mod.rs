//! The terminal: progress on stderr while it runs, the summary on stdout at its end.

mod compare;
mod diagnostic;
mod head;
mod history;
mod live;
mod narration;
mod paint;
mod sections;
mod summary;

use std::sync::mpsc::Receiver;

use super::state::State;
use crate::compare::Comparison;
use crate::compare::history::History;
use crate::results::Run;
use crate::results::event::Event;
use crate::results::outcome;
use crate::results::wording::{duration, plain};

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

/// Which checks get a line when they end; each has those of the ones before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lines {
    /// None.
    None,
    /// Those that did not pass.
    #[default]
    Failed,
    /// And those that were skipped.
    Skipped,
    /// All.
    All,
}

impl Lines {
    /// Whether a check in `state` gets one.
    fn shows(self, state: State) -> bool {
        let from = match state {
            State::Pass | State::Info => Lines::All,
            State::Skip => Lines::Skipped,
            State::Fail | State::Weak | State::Missed | State::Known | State::Odd => Lines::Failed,
        };
        self >= from
    }
}

impl Screen {
    /// The columns that are used: at least 60, at most 120; 100 where nobody looks.
    fn columns(self) -> usize {
        let columns = if self.is_terminal { usize::from(self.width).clamp(60, 120) } else { 100 };
        // What stands for a letter without UTF-8 may be wider than the letter.
        if self.unicode { columns } else { columns - 8 }
    }
}

/// Narrates `events` on stderr until the narrator is gone. To be run on a thread of its own.
///
/// With `sections` it is told as GitLab folds it: each profile in a section of its own.
pub fn watch(events: &Receiver<Event>, screen: Screen, lines: Lines, quiet: bool, sections: bool) {
    if quiet {
        // Somebody has to listen, or the queue fills up; nothing depends on it.
        while events.recv().is_ok() {}
    } else if screen.is_terminal && !sections {
        live::watch(events, screen, lines);
    } else {
        narration::watch(events, lines, sections);
    }
}

/// The end of a run: diagnostics first, summary last; `page` is the path of the page, if one was written.
pub fn summary(run: &Run, page: Option<&str>, screen: Screen) -> String {
    summary::text(run, page, screen)
}

/// Sections under a head: each a label and its paragraphs; behind them a text as it stands, if there is one.
pub fn sections(
    (id, title): (&str, &str),
    sections: &[(&str, Vec<String>)],
    source: Option<(&str, &str)>,
    screen: Screen,
) -> String {
    sections::text((id, title), sections, source, screen)
}

/// Two runs side by side; `page` is the path of the page, if one was written.
pub fn comparison(comparison: &Comparison, page: Option<&str>, screen: Screen) -> String {
    compare::text(comparison, page, screen)
}

/// Many runs in a row; `page` is the path of the page, if one was written.
pub fn history(history: &History, page: Option<&str>, screen: Screen) -> String {
    history::text(history, page, screen)
}

/// The last line on stderr: `exit 0 · good · 6 min 41 s`.
pub fn exit_line(run: &Run) -> String {
    let outcome = outcome::of(run);
    plain(&format!(
        "exit {} · {} · {}",
        outcome.exit.code(),
        super::clean::line(&outcome.word),
        duration(run.took_us.all)
    ))
}
