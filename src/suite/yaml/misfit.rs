//! What can be wrong with a document before it means anything, and the diagnostics for it.

use std::fmt::Display;

use crate::source::{Diagnostic, SourceFile, Span, nearest};

use super::tree::place;

/// More candidates than this are no help.
const MOST_CANDIDATES: usize = 7;

/// A mistake of shape, as serde found it.
#[derive(Debug)]
pub struct Misfit {
    /// What is wrong.
    pub wrong: Wrong,
    /// Where.
    pub span: Option<Span>,
    /// The part to leave out before reading on.
    pub(super) cause: Option<usize>,
    /// It is only there because another mistake was left out.
    pub(super) follows: bool,
}

/// What is wrong.
#[derive(Debug)]
pub enum Wrong {
    /// A word that is none of those expected.
    Unknown {
        /// The word.
        word: String,
        /// What could stand there.
        expected: &'static [&'static str],
        /// The struct or enum that expected it.
        within: &'static str,
        /// A key, and not a value.
        is_key: bool,
    },
    /// A required key is not there.
    Missing(&'static str),
    /// A word where a list should be, and the like.
    Kind {
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// A sentence of the type that was read.
    Said(String),
}

impl Misfit {
    pub(super) fn at(wrong: Wrong, span: Span) -> Misfit {
        Misfit { wrong, span: Some(span), cause: None, follows: false }
    }

    fn new(wrong: Wrong) -> Misfit {
        Misfit { wrong, span: None, cause: None, follows: false }
    }

    /// With the place, if it has none yet.
    pub(super) fn or_at(mut self, span: Span) -> Misfit {
        self.span.get_or_insert(span);
        self
    }

    /// With the part to leave out, if it has none yet.
    pub(super) fn caused_by(mut self, node: usize) -> Misfit {
        self.cause.get_or_insert(node);
        self
    }

    /// With the name of the struct or enum whose word is unknown.
    pub(super) fn inside(mut self, name: &'static str) -> Misfit {
        if let Wrong::Unknown { within, .. } = &mut self.wrong {
            *within = name;
        }
        self
    }

    /// Marked, if it misses a key that was left out.
    pub(super) fn or_following(mut self, left_out: impl Fn(&str) -> bool) -> Misfit {
        if let (Wrong::Missing(name), None) = (&self.wrong, self.span) {
            self.follows = left_out(name);
        }
        self
    }

    /// As the user sees it.
    pub(super) fn diagnostic(&self, source: &SourceFile) -> Diagnostic {
        let at = place(source, self.span.unwrap_or_default());
        match &self.wrong {
            Wrong::Unknown { word, expected, is_key, .. } => {
                unknown(source, at.span, word, expected, *is_key)
            }
            Wrong::Missing(name) => {
                let message = format!("`{name}` is missing");
                Diagnostic::error("suite::missing-key", at, message, format!("`{name}` is required here"))
            }
            Wrong::Kind { found, expected } => {
                let message = format!("expected {expected}, found {found}");
                let label = if found == "nothing" {
                    "it has no value".to_owned()
                } else {
                    format!("expected {expected}")
                };
                Diagnostic::error("suite::wrong-kind", at, message, label)
            }
            Wrong::Said(message) => Diagnostic::error("suite::wrong-value", at, message, ""),
        }
    }
}

fn unknown(source: &SourceFile, span: Span, word: &str, expected: &[&str], is_key: bool) -> Diagnostic {
    let (code, message) = if is_key {
        ("suite::unknown-key", format!("`{}` is no key here", shortened(word)))
    } else {
        ("suite::unknown-word", format!("`{}` is not known here", shortened(word)))
    };
    let mut diagnostic = Diagnostic::error(code, place(source, span), message, "");
    suggest(&mut diagnostic, word, expected.iter().copied());
    diagnostic
}

/// Adds the nearest word as a patch, or else the words that could stand there.
pub(in super::super) fn suggest<'a>(
    diagnostic: &mut Diagnostic,
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        diagnostic.label = format!("did you mean `{near}`?");
        diagnostic.patch = Some(near.to_owned());
        diagnostic.help = None;
    } else {
        "not known".clone_into(&mut diagnostic.label);
        if !candidates.is_empty() {
            diagnostic.help = Some(format!("it could be {}", some_of(&candidates)));
        }
    }
}

/// At most seven of the words: `a`, `b` or `c`.
pub(in super::super) fn some_of<W: AsRef<str>>(words: &[W]) -> String {
    let shown: Vec<String> =
        words.iter().take(MOST_CANDIDATES).map(|word| format!("`{}`", word.as_ref())).collect();
    match (words.len() > MOST_CANDIDATES, shown.split_last()) {
        (true, _) => format!("{} and {} more", shown.join(", "), words.len() - MOST_CANDIDATES),
        (false, Some((last, []))) => last.clone(),
        (false, Some((last, others))) => format!("{} or {last}", others.join(", ")),
        (false, None) => "nothing".to_owned(),
    }
}

/// A word short enough for a message.
pub(in super::super) fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() > 40 || line.len() < text.len() {
        let start: String = line.chars().take(39).collect();
        format!("{start}…")
    } else {
        line.to_owned()
    }
}

impl Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.wrong {
            Wrong::Unknown { word, .. } => write!(f, "`{word}` is not known here"),
            Wrong::Missing(name) => write!(f, "`{name}` is missing"),
            Wrong::Kind { found, expected } => write!(f, "expected {expected}, found {found}"),
            Wrong::Said(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: Display>(message: T) -> Misfit {
        Misfit::new(Wrong::Said(message.to_string()))
    }

    fn invalid_type(found: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Misfit {
        let found = match found {
            serde::de::Unexpected::Unit | serde::de::Unexpected::Option => "nothing".to_owned(),
            serde::de::Unexpected::Str(text) => format!("`{}`", shortened(text)),
            serde::de::Unexpected::Seq => "a list".to_owned(),
            serde::de::Unexpected::Map => "a mapping".to_owned(),
            other => other.to_string(),
        };
        Misfit::new(Wrong::Kind { found, expected: expected.to_string() })
    }

    fn invalid_value(found: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Misfit {
        Misfit::invalid_type(found, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Misfit {
        Misfit::new(Wrong::Unknown { word: field.to_owned(), expected, within: "", is_key: true })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Misfit {
        Misfit::new(Wrong::Unknown { word: variant.to_owned(), expected, within: "", is_key: false })
    }

    fn missing_field(field: &'static str) -> Misfit {
        Misfit::new(Wrong::Missing(field))
    }
}

/// Too large, or no text at all.
pub(super) fn not_a_document(source: &SourceFile, largest: usize) -> Option<Diagnostic> {
    let text = source.text();
    // Nothing of such a file is worth quoting.
    let whole = || place(&SourceFile::new(source.name(), ""), Span::default());
    if text.len() > largest {
        let message = format!("the file has {} bytes", text.len());
        let label = format!("at most {largest} are read");
        return Some(Diagnostic::error("suite::too-large", whole(), message, label));
    }
    let odd = |c: char| (c.is_control() && !"\t\n\r\u{85}".contains(c)) || c == '\u{FFFD}';
    let at = text.find(odd)?;
    let (line, column) = source.line_column(u32::try_from(at).unwrap_or(u32::MAX));
    let message = format!("this is no text: byte {at} (line {line}, column {column}) is no character");
    Some(
        Diagnostic::error("suite::not-text", whole(), message, "binary data")
            .help("a suite is a YAML file in UTF-8"),
    )
}

/// Nothing but comments.
pub(super) fn empty(source: &SourceFile) -> Diagnostic {
    let at = place(source, Span::default());
    Diagnostic::error("suite::empty", at, "the file is empty", "nothing is written here")
        .help("`assay init` writes a suite to start from")
}

/// A key stands twice.
pub(super) fn twice(source: &SourceFile, key: &str, first: Span, second: Span) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        "suite::duplicate-key",
        place(source, second),
        format!("`{}` stands here twice", shortened(key)),
        "used again here",
    );
    diagnostic.also.push((place(source, first), "first used here".to_owned()));
    diagnostic
}

/// A bomb, or something as large as one.
pub(super) fn too_complex(source: &SourceFile, offset: usize) -> Diagnostic {
    Diagnostic::error(
        "suite::too-complex",
        place(source, word_at(source, offset)),
        "the document is nested too deep or repeats too much",
        "the limit is reached here",
    )
    .help("aliases may repeat 20000 parts in all, and 48 levels may nest")
}

/// Something follows the first document.
pub(super) fn second_document(source: &SourceFile, offset: usize) -> Diagnostic {
    let at = place(source, word_at(source, offset));
    Diagnostic::error("suite::syntax", at, "a file holds one document", "a second one begins here")
}

/// The document is no YAML. The library says where it noticed; the usual causes get a word of their own.
pub(super) fn syntax(source: &SourceFile, offset: usize, said: &str) -> Diagnostic {
    let text = source.text();
    let offset = floor(text, offset);
    let line = line_around(text, offset);
    tab(source, &line)
        .or_else(|| double_braces(source, &line))
        .or_else(|| dollar_brace(source, &line))
        .or_else(|| two_words(source, offset, said))
        .or_else(|| indentation(source, offset, said))
        .unwrap_or_else(|| {
            let at = place(source, word_at(source, offset));
            let message = format!("this is no YAML: {said}");
            let mut diagnostic = Diagnostic::error("suite::syntax", at, message, "the reading stops here");
            if let Some(open) = open_bracket(&text[..offset]) {
                diagnostic.also.push((place(source, Span::new(open, open + 1)), "still open".to_owned()));
            }
            diagnostic
        })
}

fn tab(source: &SourceFile, line: &std::ops::Range<usize>) -> Option<Diagnostic> {
    let text = source.text();
    // The library may notice a line late.
    let from = text[..line.start].trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
    let mut start = from;
    for row in text[from..line.end].split_inclusive('\n') {
        let indent = row.len() - row.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = row[..indent].find('\t') {
            let at = place(source, Span::new(start + tab, start + indent));
            let message = "a tab cannot indent";
            return Some(
                Diagnostic::error("suite::tab", at, message, "a tab").help("indent with two spaces"),
            );
        }
        start += row.len();
    }
    None
}

fn double_braces(source: &SourceFile, line: &std::ops::Range<usize>) -> Option<Diagnostic> {
    let words = &source.text()[line.clone()];
    let start = words.find("{{")?;
    let end = words[start..].find("}}").map_or(start + 2, |end| start + end + 2);
    let name = words[start..end].trim_matches(['{', '}', ' ']).trim_start_matches('$');
    let at = place(source, Span::new(line.start + start, line.start + end));
    let mut diagnostic =
        Diagnostic::error("suite::braces", at, "braces are not used here", "not a reference");
    if is_name(name) {
        diagnostic.help = Some(format!("a reference is written `${name}`"));
        diagnostic.patch = Some(format!("${name}"));
    } else {
        diagnostic.help = Some("a reference is written `$name`".to_owned());
    }
    Some(diagnostic)
}

fn dollar_brace(source: &SourceFile, line: &std::ops::Range<usize>) -> Option<Diagnostic> {
    let words = &source.text()[line.clone()];
    let start = words.find("${")?;
    if !words[..start].contains(['{', '[']) || words[..start].ends_with(['"', '\'']) {
        return None;
    }
    let end = words[start..].find('}').map_or(words.len(), |end| start + end + 1);
    let name = words[start..end].trim_matches(['$', '{', '}']);
    let at = place(source, Span::new(line.start + start, line.start + end));
    let message = "`${` inside `{ }` or `[ ]` is no YAML";
    let mut diagnostic = Diagnostic::error("suite::braces", at, message, "this brace opens a mapping");
    if is_name(name) && !words[end..].starts_with(|c: char| c.is_alphanumeric()) {
        diagnostic.help = Some(format!("write `${name}`, or put it in quotes"));
        diagnostic.patch = Some(format!("${name}"));
    } else {
        diagnostic.help = Some("put it in quotes".to_owned());
    }
    Some(diagnostic)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.:#@".contains(c))
}

/// The innermost bracket that is still open at the end of `text`. Quotes and comments are told apart roughly.
fn open_bracket(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut before = '\n';
    let mut comment = false;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('\n', None) => comment = false,
            (c, Some(opened)) if c == opened && before != '\\' => quote = None,
            _ if comment || quote.is_some() => {}
            ('"' | '\'', None) if " [{,:\n".contains(before) => quote = Some(c),
            ('#', None) if before.is_whitespace() => comment = true,
            ('{' | '[', None) => open.push(at),
            ('}' | ']', None) => {
                open.pop();
            }
            _ => {}
        }
        before = c;
    }
    open.pop()
}

/// `{ flip: start, trim: "=" }` where the second word is not expected, or a comma is missing.
fn two_words(source: &SourceFile, offset: usize, said: &str) -> Option<Diagnostic> {
    if !said.contains("',' or") {
        return None;
    }
    let at = place(source, word_at(source, offset));
    let message = "this mapping or list is not closed, or a comma is missing";
    Some(
        Diagnostic::error("suite::syntax", at, message, "expected `,` or the closing bracket before this")
            .help("text with `{`, `}`, `[`, `]`, `,`, `#` or `: ` in it needs quotes"),
    )
}

fn indentation(source: &SourceFile, offset: usize, said: &str) -> Option<Diagnostic> {
    let misplaced = ["expected '-' indicator", "expected <block end>", "indent", "did not find expected key"];
    if !misplaced.iter().any(|phrase| said.contains(phrase)) {
        return None;
    }
    let at = place(source, word_at(source, offset));
    let message = "this line belongs neither to the entry above nor to a new one";
    Some(
        Diagnostic::error("suite::indentation", at, message, "its indentation fits nothing above")
            .help("words of one mapping begin in one column"),
    )
}

/// The largest character boundary that is not after `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn line_around(text: &str, offset: usize) -> std::ops::Range<usize> {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    start..end
}

/// The word that begins at `offset`, or the character there.
fn word_at(source: &SourceFile, offset: usize) -> Span {
    let text = source.text();
    let offset = floor(text, offset);
    let rest = &text[offset..];
    let length = rest.find(|c: char| c.is_whitespace() || ",:{}[]".contains(c)).unwrap_or(rest.len());
    let first = rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    Span::new(offset, offset + length.max(first))
}
