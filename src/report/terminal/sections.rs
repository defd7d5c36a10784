//! A head, labelled sections, and, where there is one, a source with its line numbers.

use std::fmt::Write as _;

use super::Screen;
use super::paint::{Tint, fit, paint, wrap};
use crate::report::clean::line;

/// The widest label and two blanks.
const LABELS: usize = 11;

pub(super) fn text(
    (id, title): (&str, &str),
    sections: &[(&str, Vec<String>)],
    source: Option<(&str, &str)>,
    screen: Screen,
) -> String {
    let head = format!("  {}  {}", paint(screen, Tint::Name, id), paint(screen, Tint::Bold, &line(title)));
    let mut text = format!("{}\n\n", head.trim_end());
    let margin = " ".repeat(2 + LABELS);
    for (label, paragraphs) in sections.iter().filter(|(_, paragraphs)| !paragraphs.is_empty()) {
        for (number, paragraph) in paragraphs.iter().enumerate() {
            let label = if number == 0 { *label } else { "" };
            let head = format!("  {}{}", paint(screen, Tint::Bold, label), " ".repeat(LABELS - label.len()));
            let lines = wrap(&line(paragraph), &margin, &margin, screen.columns());
            text.push_str(&lines.replacen(&margin, &head, 1));
        }
    }
    if let Some((path, source)) = source {
        let _ = writeln!(text, "\n  {}", paint(screen, Tint::Dim, path));
        for (number, part) in source.lines().enumerate() {
            let _ = writeln!(text, "  {} {part}", paint(screen, Tint::Dim, &format!("{:>3} |", number + 1)));
        }
    }
    fit(screen, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_in_a_column_and_empty_sections_are_left_out() {
        let screen = Screen { color: false, is_terminal: false, width: 80, unicode: true };
        let sections = [("sent", vec!["one".to_owned(), "two".to_owned()]), ("needs", Vec::new())];
        let text = text(("FMT-08", "A title"), &sections, Some(("a.yaml", "x:\n  y")), screen);
        let expected =
            "  FMT-08  A title\n\n  sent       one\n             two\n\n  a.yaml\n    1 | x:\n    2 |   y\n";
        assert_eq!(text, expected);
    }
}
