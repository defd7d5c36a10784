//! Colors, and what a screen cannot show: only the sixteen colors of the theme, never a background.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::Screen;

/// How a piece of text is colored. Every text reads the same without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tint {
    /// A failed must, the underline and what was found.
    Fail,
    /// A failed should, missed, worse.
    Weak,
    /// Known, starved, near its date, fingerprints.
    Warn,
    /// Inconclusive, untrusted.
    Odd,
    /// A good verdict and a pass, and nothing else.
    Good,
    /// Line numbers, margins, times, hints.
    Dim,
    /// Addresses and ids.
    Name,
    /// Labels.
    Bold,
}

impl Tint {
    fn style(self) -> Style {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        match self {
            Tint::Fail => color(AnsiColor::Red).bold(),
            Tint::Weak => color(AnsiColor::Red),
            Tint::Warn => color(AnsiColor::Yellow),
            Tint::Odd => color(AnsiColor::Magenta),
            Tint::Good => color(AnsiColor::Green),
            Tint::Dim => Style::new().dimmed(),
            Tint::Name => color(AnsiColor::Cyan),
            Tint::Bold => Style::new().bold(),
        }
    }
}

/// `text` in its color, if `screen` has colors.
pub(super) fn paint(screen: Screen, tint: Tint, text: &str) -> String {
    if !screen.color || text.is_empty() {
        return text.to_owned();
    }
    let style = tint.style();
    format!("{style}{text}{style:#}")
}

/// What `screen` can show of `text`: thousands and no-break spaces, and letters where there is no UTF-8.
pub(super) fn fit(screen: Screen, text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{202f}' if screen.is_terminal && screen.unicode => shown.push('\u{a0}'),
            '\u{202f}' => {}
            '\u{a0}' if !(screen.is_terminal && screen.unicode) => shown.push(' '),
            other if screen.unicode || other.is_ascii() => shown.push(other),
            other => shown.push_str(ascii(other)),
        }
    }
    shown
}

fn ascii(c: char) -> &'static str {
    match c {
        '·' | '–' | '╌' | '−' => "-",
        '…' => "...",
        '×' => "x",
        '‹' => "<",
        '›' => ">",
        '“' | '”' => "\"",
        '‘' | '’' => "'",
        'µ' => "u",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '→' => "->",
        '━' => "#",
        _ => "?",
    }
}

/// `text` in lines of at most `width`, the first after `first`, the others after `then`; words longer than a
/// line are broken.
pub(super) fn wrap(text: &str, first: &str, then: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut used = first.chars().count();
    let mut empty = true;
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        while !rest.is_empty() {
            let room = width.saturating_sub(used + usize::from(!empty)).max(1);
            if rest.len() > room && !empty {
                let _ = writeln!(lines, "{line}");
                (line, used, empty) = (then.to_owned(), then.chars().count(), true);
                continue;
            }
            let take = rest.len().min(room);
            if !empty {
                line.push(' ');
                used += 1;
            }
            line.extend(rest.drain(..take));
            used += take;
            empty = false;
        }
    }
    let _ = writeln!(lines, "{line}");
    lines
}

/// `text` cut with `…` if it is longer than `width`.
pub(super) fn cut(text: &str, width: usize) -> String {
    crate::report::clean::shorten(text, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPE: Screen = Screen { color: false, is_terminal: false, width: 80, unicode: true };

    #[test]
    fn color_is_only_where_it_may_be() {
        assert_eq!(paint(PIPE, Tint::Fail, "FAIL"), "FAIL");
        assert_eq!(
            paint(Screen { color: true, ..PIPE }, Tint::Fail, "FAIL"),
            "\u{1b}[1m\u{1b}[31mFAIL\u{1b}[0m"
        );
    }

    #[test]
    fn a_screen_without_utf8_gets_letters() {
        let screen = Screen { unicode: false, is_terminal: true, ..PIPE };
        assert_eq!(fit(screen, "1\u{202f}000 µs · ‹3c07› … ×"), "1000 us - <3c07> ... x");
        assert_eq!(fit(PIPE, "1\u{202f}000\u{a0}ms"), "1000 ms");
        assert_eq!(fit(Screen { is_terminal: true, ..PIPE }, "1\u{202f}000"), "1\u{a0}000");
    }

    #[test]
    fn long_text_wraps_and_long_words_break() {
        assert_eq!(wrap("one two three", "> ", "  ", 9), "> one two\n  three\n");
        assert_eq!(wrap("abcdefghij", "", "", 4), "abcd\nefgh\nij\n");
        assert_eq!(wrap("", "> ", "", 4), "> \n");
    }
}
