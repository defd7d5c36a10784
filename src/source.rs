//! Everything a user wrote can be pointed at.
//!
//! Owns files as text, spans in them, diagnostics and the one renderer of carets. Knows nothing of suites:
//! parse errors, meaning errors and failed claims all come here to be drawn.

use std::sync::Arc;

/// A file as it was read, cheap to clone.
#[derive(Clone)]
pub struct SourceFile(Arc<FileText>);

struct FileText {
    name: String,
    text: String,
}

impl std::fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceFile({})", self.0.name)
    }
}

impl SourceFile {
    /// A file called `name` (as the user would write its path) that holds `text`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> SourceFile {
        SourceFile(Arc::new(FileText { name: name.into(), text: text.into() }))
    }

    /// The name under which the user knows the file.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The words at `span`.
    pub fn slice(&self, span: Span) -> &str {
        self.0.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column of a byte offset, both from 1; the column counts characters.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let offset = (offset as usize).min(self.0.text.len());
        let before = &self.0.text.as_bytes()[..offset];
        let line = self.0.text[..self.0.text.floor_char_boundary(offset)].matches('\n').count() + 1;
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }
}

/// A range of bytes in a [`SourceFile`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` to `end`, in bytes.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }
}

/// A span together with its file.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file.
    pub file: SourceFile,
    /// The words in it.
    pub span: Span,
}

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The suite cannot be used.
    Error,
    /// It can, but a person should look.
    Warning,
}

/// One mistake, at its place, with its cure.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Stable code, such as `suite::unknown-key`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a lowercase fragment, with backticks around what the user typed.
    pub message: String,
    /// Where.
    pub at: Place,
    /// What stands under the caret.
    pub label: String,
    /// Other places that matter, each with its own label.
    pub also: Vec<(Place, String)>,
    /// How to mend it, in words.
    pub help: Option<String>,
    /// How to mend it, as text that replaces the words at `at`.
    pub patch: Option<String>,
}

impl Diagnostic {
    /// An error at `at` without help.
    pub fn error(
        code: &'static str,
        at: Place,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            at,
            label: label.into(),
            also: Vec::new(),
            help: None,
            patch: None,
        }
    }

    /// The same with a sentence that says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The word of `candidates` nearest to `word`, if one is near enough to be what was meant: within a third of its
/// length, or the only one that begins with it.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What was typed comes from anywhere; no word of ours is longer than this.
    if word.chars().nth(64).is_some() {
        return None;
    }
    let length = word.chars().count();
    let limit = (length / 3).max(1).min(length.saturating_sub(1));
    let mut best: Option<(usize, &str)> = None;
    let mut begun = Vec::new();
    for candidate in candidates {
        if length >= 3 && candidate.starts_with(word) {
            begun.push(candidate);
        }
        let distance = edit_distance(word, candidate);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    // A word that was only begun is meant if one candidate alone begins so.
    best.map(|(_, candidate)| candidate).or(if let [only] = begun.as_slice() { Some(only) } else { None })
}

/// Optimal string alignment distance: insert, delete, replace, swap of neighbours.
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// The diagnostics as text in the manner of a compiler, in the order given, ANSI colours if `color`.
pub fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let range = |span: Span, file: &SourceFile| {
            let length = file.text().len();
            (span.start as usize).min(length)
                ..(span.end as usize).min(length).max((span.start as usize).min(length))
        };
        let main = &diagnostic.at;
        let mut snippet = Snippet::source(main.file.text())
            .path(main.file.name())
            .annotation(AnnotationKind::Primary.span(range(main.span, &main.file)).label(&diagnostic.label));
        let mut others = Vec::new();
        for (place, label) in &diagnostic.also {
            let annotation = AnnotationKind::Context.span(range(place.span, &place.file)).label(label);
            if place.file.name() == main.file.name() {
                snippet = snippet.annotation(annotation);
            } else {
                others
                    .push(Snippet::source(place.file.text()).path(place.file.name()).annotation(annotation));
            }
        }
        let mut group = level.clone().primary_title(&diagnostic.message).id(diagnostic.code).element(snippet);
        for other in others {
            group = group.element(other);
        }
        let mut groups: Vec<Group<'_>> = Vec::new();
        match (&diagnostic.help, &diagnostic.patch) {
            (Some(help), None) => groups.push(group.element(Level::HELP.message(help))),
            (help, Some(patch)) => {
                groups.push(group);
                groups.push(
                    Level::HELP.secondary_title(help.as_deref().unwrap_or("write")).element(
                        Snippet::source(main.file.text())
                            .path(main.file.name())
                            .patch(Patch::new(range(main.span, &main.file), patch)),
                    ),
                );
            }
            (None, None) => groups.push(group),
        }
        text.push_str(&renderer.render(&groups));
        text.push_str("\n\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_within_a_third_of_its_length() {
        assert_eq!(nearest("refussed", ["granted", "refused"]), Some("refused"));
        assert_eq!(nearest("refesh", ["refresh", "revoke"]), Some("refresh"));
        assert_eq!(nearest("banana", ["refresh", "revoke"]), None);
        assert_eq!(nearest("C", ["B", "own"]), None);
    }

    #[test]
    fn a_word_that_was_begun_is_found_if_it_is_the_only_one() {
        assert_eq!(nearest("check", ["ignored", "checked"]), Some("checked"));
        assert_eq!(nearest("strict", ["strict-family", "strict-reject"]), None);
        assert_eq!(nearest(&"x".repeat(100_000), ["x"]), None);
    }

    #[test]
    fn a_diagnostic_shows_its_line_with_a_caret_under_every_byte() {
        let file = SourceFile::new("suites/x.yaml", "name: é\nfor: 5 parsecs\n");
        let start = file.text().find("5 parsecs").unwrap();
        let at = Place { file: file.clone(), span: Span::new(start, start + 9) };
        let text = render(
            &[Diagnostic::error(
                "suite::unit",
                at,
                "`5 parsecs` is not a length of time",
                "expected e.g. `30s`",
            )
            .help("units are `ms`, `s`, `m`, `h`, `d`")],
            false,
        );
        assert!(text.contains("error[suite::unit]: `5 parsecs` is not a length of time"), "{text}");
        assert!(text.contains("suites/x.yaml:2:6"), "{text}");
        assert!(text.contains("^^^^^^^^^ expected e.g. `30s`"), "{text}");
    }
}
