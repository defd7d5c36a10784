//! The mistakes found while lowering, and the reading of single words with their diagnostics.

use std::time::Duration;

use crate::source::{Diagnostic, Place, SourceFile, Span};

use super::super::expression::{Expression, Mistake};
use super::super::units::{self, Depth};
use super::super::written::Word;
use super::super::yaml;
use super::place;

/// Collects mistakes. Whatever has one is lowered to some harmless value, so that the rest is looked at as well.
pub(super) struct Notes<'s> {
    pub(super) file: &'s SourceFile,
    found: Vec<Diagnostic>,
    /// Secrets that stand in clear: never quoted, by no diagnostic.
    pub(super) secrets: Vec<Span>,
}

impl<'s> Notes<'s> {
    pub(super) fn new(file: &'s SourceFile) -> Notes<'s> {
        Notes { file, found: Vec::new(), secrets: Vec::new() }
    }

    /// The value, if nothing was wrong; else every mistake in file order.
    pub(super) fn finish<T>(mut self, value: T) -> Result<T, Vec<Diagnostic>> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort_by_key(|diagnostic| diagnostic.at.span.start);
        Err(redacted(self.found, &self.secrets))
    }

    pub(super) fn place(&self, span: Span) -> Place {
        place(self.file, span)
    }

    /// Notes a mistake and hands it out for a help or a patch.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        self.found.push(Diagnostic::error(code, place(self.file, span), message, label));
        self.found.last_mut().expect("one was pushed")
    }

    /// Notes a word that is none of `candidates`.
    pub(super) fn unknown<'w>(
        &mut self,
        span: Span,
        message: impl Into<String>,
        word: &str,
        candidates: impl IntoIterator<Item = &'w str>,
    ) -> &mut Diagnostic {
        let diagnostic = self.error("suite::unknown-word", span, message, "");
        yaml::suggest(diagnostic, word, candidates);
        diagnostic
    }

    /// The meaning of a word of a closed list. `what` names the list: "outcome".
    pub(super) fn word<T: Clone>(
        &mut self,
        what: &str,
        word: &str,
        span: Span,
        words: &[(T, &'static str)],
    ) -> Option<T> {
        let found = words.iter().find(|(_, candidate)| *candidate == word).map(|(value, _)| value.clone());
        if found.is_none() {
            let candidates: Vec<&str> = words.iter().map(|(_, candidate)| *candidate).collect();
            let message = format!("`{}` is no {what}", shown(word));
            self.unknown(span, message, word, candidates);
        }
        found
    }

    /// A word that the language has and this version does not run.
    pub(super) fn later(&mut self, word: &str, span: Span) {
        let message = format!("`{word}` is a word of the language that this version does not run yet");
        self.error("suite::not-yet", span, message, "not yet");
    }

    fn unit<T>(&mut self, what: &str, read: Result<T, String>, word: &Word) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(expected) => {
                let message = format!("`{}` is no {what}", shown(&word.value));
                self.error("suite::unit", word.span, message, expected);
                None
            }
        }
    }

    pub(super) fn duration(&mut self, word: &Word) -> Option<Duration> {
        let read = units::duration(&word.value);
        self.unit("length of time", read, word)
    }

    /// A duration that may be left out.
    pub(super) fn duration_or(&mut self, word: Option<&Word>, default: Duration) -> Duration {
        word.map_or(Some(default), |word| self.duration(word)).unwrap_or(default)
    }

    pub(super) fn rate(&mut self, word: &Word) -> Option<f64> {
        let read = units::rate(&word.value);
        self.unit("rate", read, word)
    }

    pub(super) fn size(&mut self, word: &Word) -> Option<u64> {
        let read = units::size(&word.value);
        self.unit("size", read, word)
    }

    pub(super) fn share(&mut self, word: &Word) -> Option<f64> {
        let read = units::share(&word.value);
        self.unit("share", read, word)
    }

    pub(super) fn depth(&mut self, word: &Word) -> Option<Depth> {
        let read = units::depth(&word.value);
        self.unit("number of times", read, word)
    }

    pub(super) fn expression(&mut self, word: &Word) -> Option<Expression> {
        match Expression::parse(&word.value) {
            Ok(expression) => Some(expression),
            Err(mistakes) => {
                self.mistakes(word, &mistakes);
                None
            }
        }
    }

    /// Mistakes inside an expression, at their words.
    pub(super) fn mistakes(&mut self, word: &Word, mistakes: &[Mistake]) {
        for mistake in mistakes {
            let span = self.inside(word, mistake.start..mistake.end);
            let exact = self.file.slice(span) == &word.value[mistake.start..mistake.end];
            let diagnostic = self.error("suite::expression", span, &mistake.message, "");
            if let (Some(patch), true) = (&mistake.patch, exact) {
                diagnostic.label = format!("write `{}`", patch.trim());
                diagnostic.patch = Some(patch.clone());
            }
        }
    }

    /// Bytes of a word's value as bytes of the file; the whole word where escapes or folds stand between.
    pub(super) fn inside(&self, word: &Word, part: std::ops::Range<usize>) -> Span {
        let written = self.file.slice(word.span);
        let skip = match word.plain {
            true if written == word.value => 0,
            false if written.get(1..written.len() - 1) == Some(word.value.as_str()) => 1,
            true | false => return word.span,
        };
        let start = word.span.start as usize + skip + part.start;
        // A place after the last byte still shows where something is missing.
        Span::new(start, (start + part.len()).max(start))
    }
}

/// A word as a message can show it.
pub(super) fn shown(word: &str) -> String {
    yaml::shortened(word)
}

/// The same diagnostics over a copy of the file in which the secrets are stars.
pub(super) fn redacted(mut diagnostics: Vec<Diagnostic>, secrets: &[Span]) -> Vec<Diagnostic> {
    let Some(file) = diagnostics.first().map(|diagnostic| diagnostic.at.file.clone()) else {
        return diagnostics;
    };
    if secrets.is_empty() {
        return diagnostics;
    }
    let copy = SourceFile::new(file.name(), starred(file.text(), secrets));
    for diagnostic in &mut diagnostics {
        let others = diagnostic.also.iter_mut().map(|(place, _)| place);
        for place in std::iter::once(&mut diagnostic.at).chain(others) {
            if place.file.name() == file.name() && place.file.text() == file.text() {
                place.file = copy.clone();
            }
        }
    }
    diagnostics
}

/// The text with stars for the secrets, byte for byte, so that every place stays where it is.
fn starred(text: &str, secrets: &[Span]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for secret in secrets {
        let range = secret.start as usize..(secret.end as usize).min(text.len());
        for byte in bytes.get_mut(range).into_iter().flatten().filter(|byte| **byte != b'\n') {
            *byte = b'*';
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Values in a file of broken shape that look like secrets in clear: nobody has said yet where slots stand.
pub(super) fn likely_secrets(source: &SourceFile) -> Vec<Span> {
    let pattern = r#"(?:^|[\s{,"'])(?:secret|client-secret|code|refresh|access|proof)["']?\s*:[ \t]+([^\s${\[][^,}\n]*)"#;
    let Ok(pattern) = regex::Regex::new(pattern) else { return Vec::new() };
    let from = source.text().find("identities").unwrap_or(source.text().len());
    pattern
        .captures_iter(&source.text()[from..])
        .filter_map(|captures| captures.get(1))
        .map(|value| Span::new(from + value.start(), from + value.end()))
        .collect()
}
