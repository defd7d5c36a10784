//! Text from elsewhere made fit to be shown: no control characters, no reversed direction, no endless lines.

use std::borrow::Cow;

/// What is shown of one text at most, in bytes; the rest is in the run file.
pub(super) const LONGEST: usize = 2048;

/// `text` with control characters as pictures (`␛`), and without marks that turn the direction of writing.
/// Line ends and tabs stay.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| shown(c) == Some(c)) {
        return Cow::Borrowed(text);
    }
    text.replace("\r\n", "\n").chars().filter_map(shown).collect::<String>().into()
}

/// The same on one line.
pub(super) fn line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(c: char) -> Option<char> {
    match c {
        '\n' | '\t' => Some(c),
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => Some('\u{fffd}'),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => None,
        _ => Some(c),
    }
}

/// The start of `text` that fits into `bytes`, and how many bytes are left out.
pub(super) fn cut(text: &str, bytes: usize) -> (&str, usize) {
    if text.len() <= bytes {
        return (text, 0);
    }
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    (&text[..end], text.len() - end)
}

/// `text` cut to `characters` with `…` at the end if it is longer.
pub(super) fn shorten(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    text.chars().take(characters.saturating_sub(1)).chain(['…']).collect()
}

/// `1.4 kB more in the run file`.
pub(super) fn more(bytes: usize) -> String {
    if bytes < 1000 {
        format!("{bytes} bytes more in the run file")
    } else {
        format!("{:.1} kB more in the run file", bytes as f64 / 1000.0)
    }
}

/// Letters, digits, `-`, `_` and `.` of `text`: fit for an id or a file name.
pub(super) fn slug(text: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let slug: String = text.chars().take(64).map(letter).collect();
    if slug.is_empty() { "-".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_directions_are_dropped() {
        assert_eq!(clean("a\u{1b}[31m\r\nb\u{202e}c\0"), "a␛[31m\nbc␀");
        assert!(matches!(clean("plain\ntext"), Cow::Borrowed(_)));
        assert_eq!(line(" a\n\tb  c "), "a b c");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(cut("aé", 2), ("a", 2));
        assert_eq!(cut("ab", 2), ("ab", 0));
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(more(1400), "1.4 kB more in the run file");
        assert_eq!(slug("a<b> c"), "a-b--c");
    }
}
