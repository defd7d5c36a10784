//! What a summary begins with, of a run and of a comparison alike: the verdict, the reason, the page.

use std::fmt::Write as _;

use super::Screen;
use super::paint::{Tint, paint, wrap};
use crate::report::clean::line;
use crate::results::outcome::{Exit, Outcome};

pub(super) fn text(text: &mut String, outcome: &Outcome, page: Option<&str>, screen: Screen) {
    let tint = match outcome.exit {
        Exit::Good => Tint::Good,
        Exit::Failed | Exit::Missed | Exit::Worse | Exit::SecretLeaked | Exit::Misused => Tint::Fail,
        Exit::CouldNotRun | Exit::Untrusted | Exit::Interrupted(_) => Tint::Odd,
    };
    for part in wrap(&line(&outcome.headline), "  ", "  ", screen.columns()).lines() {
        let _ = writeln!(text, "{}", paint(screen, tint, part));
    }
    text.push_str(&wrap(&line(&outcome.reason), "  ", "  ", screen.columns()));
    if let Some(page) = page {
        let _ =
            writeln!(text, "  {}  {}", paint(screen, Tint::Bold, "page"), paint(screen, Tint::Name, page));
    }
    text.push('\n');
}
