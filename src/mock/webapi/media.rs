//! Header values as `System.Net.Http` reads them: media types, qualities, charsets.
//!
//! A value that cannot be read makes its whole line disappear, as if it had not been sent.

/// A media type, perhaps a range, perhaps with a quality.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MediaType {
    pub(super) kind: String,
    pub(super) subtype: String,
    parameters: Vec<(String, Option<String>)>,
}

/// How a supported type is covered by a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Range {
    Literal,
    Subtype,
    All,
}

impl MediaType {
    /// Reads a value that must stand alone, such as `Content-Type`.
    pub(super) fn parse(text: &str) -> Option<MediaType> {
        let mut scanner = Scanner::new(text);
        let media = scanner.media_type()?;
        scanner.at_end().then_some(media)
    }

    /// `type/subtype` as it was sent.
    pub(super) fn essence(&self) -> String {
        format!("{}/{}", self.kind, self.subtype)
    }

    /// The raw `charset`, quotation marks included.
    pub(super) fn charset(&self) -> Option<&str> {
        self.parameter("charset")
    }

    /// The quality; a missing or unreadable one is 1.
    pub(super) fn quality(&self) -> f64 {
        let Some(text) = self.parameter("q") else { return 1.0 };
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if plain { text.parse().unwrap_or(1.0) } else { 1.0 }
    }

    pub(super) fn is_all(&self) -> bool {
        self.kind == "*" && self.subtype == "*"
    }

    fn is_subtype_range(&self) -> bool {
        self.kind != "*" && self.subtype == "*"
    }

    /// Whether this type or range covers a supported type, and how.
    pub(super) fn covers(&self, supported: &str) -> Option<Range> {
        let (kind, subtype) = supported.split_once('/')?;
        if self.is_all() {
            return Some(Range::All);
        }
        if !self.kind.eq_ignore_ascii_case(kind) {
            return None;
        }
        if self.subtype == "*" {
            return Some(Range::Subtype);
        }
        self.subtype.eq_ignore_ascii_case(subtype).then_some(Range::Literal)
    }

    /// Where this value stands among those of the same quality: ranges come after what they contain.
    fn width(&self) -> u8 {
        match (self.is_all(), self.is_subtype_range()) {
            (true, _) => 2,
            (_, true) => 1,
            _ => 0,
        }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        found.1.as_deref()
    }
}

/// The media types of `Accept`, line by line, in the order sent.
pub(super) fn accepted(lines: impl Iterator<Item = String>) -> Vec<MediaType> {
    lines.flat_map(|line| list(&line, Scanner::media_type).unwrap_or_default()).collect()
}

/// Sorted by quality, then from the literal to the range; otherwise in the order sent.
pub(super) fn by_quality(mut types: Vec<MediaType>) -> Vec<MediaType> {
    types.sort_by(|a, b| b.quality().total_cmp(&a.quality()).then(a.width().cmp(&b.width())));
    types
}

/// The names of `Accept-Charset` that are not refused, best first.
pub(super) fn accepted_charsets(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut charsets: Vec<(String, f64)> =
        lines.flat_map(|line| list(&line, Scanner::charset).unwrap_or_default()).collect();
    charsets.sort_by(|a, b| b.1.total_cmp(&a.1).then((a.0 == "*").cmp(&(b.0 == "*"))));
    charsets.into_iter().filter(|(_, quality)| *quality > 0.0).map(|(name, _)| name).collect()
}

/// A comma-separated list in which elements may be empty; one bad element spoils all.
fn list<'a, T>(line: &'a str, element: fn(&mut Scanner<'a>) -> Option<T>) -> Option<Vec<T>> {
    let mut scanner = Scanner::new(line);
    let mut found = Vec::new();
    loop {
        scanner.skip_separators();
        if scanner.at_end() {
            return Some(found);
        }
        found.push(element(&mut scanner)?);
        if !scanner.at_end() && scanner.peek() != Some(b',') {
            return None;
        }
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn skip_separators(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n' | b',')) {
            self.at += 1;
        }
    }

    fn at_end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    fn token(&mut self) -> Option<&'a str> {
        let start = self.at;
        while self.peek().is_some_and(is_token) {
            self.at += 1;
        }
        (self.at > start).then(|| &self.text[start..self.at])
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn media_type(&mut self) -> Option<MediaType> {
        self.space();
        let kind = self.token()?.to_owned();
        self.space();
        if !self.eat(b'/') {
            return None;
        }
        self.space();
        let subtype = self.token()?.to_owned();
        self.space();
        let mut parameters = Vec::new();
        while self.eat(b';') {
            parameters.push(self.parameter()?);
            self.space();
        }
        Some(MediaType { kind, subtype, parameters })
    }

    fn parameter(&mut self) -> Option<(String, Option<String>)> {
        self.space();
        let name = self.token()?.to_owned();
        self.space();
        if !self.eat(b'=') {
            return Some((name, None));
        }
        self.space();
        let value = if self.peek() == Some(b'"') { self.quoted()? } else { self.token()?.to_owned() };
        Some((name, Some(value)))
    }

    /// A quoted string with its quotation marks.
    fn quoted(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(start..self.at).map(str::to_owned)
    }

    fn charset(&mut self) -> Option<(String, f64)> {
        self.space();
        let name = self.token()?.to_owned();
        self.space();
        if !self.eat(b';') {
            return Some((name, 1.0));
        }
        let (parameter, value) = self.parameter()?;
        self.space();
        let quality: f64 = value?.parse().ok()?;
        let good = parameter.eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&quality);
        good.then_some((name, quality))
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(line: &str) -> Vec<String> {
        by_quality(accepted(std::iter::once(line.to_owned()))).iter().map(MediaType::essence).collect()
    }

    #[test]
    fn a_trailing_semicolon_or_a_second_value_makes_a_content_type_absent() {
        assert_eq!(MediaType::parse("application/json;"), None);
        assert_eq!(MediaType::parse("application/json;;;="), None);
        assert_eq!(MediaType::parse("application/json, application/json"), None);
        assert!(MediaType::parse(" application / json ; charset = utf-8 ").is_some());
    }

    #[test]
    fn qualities_sort_and_ranges_come_after_what_they_contain() {
        assert_eq!(
            accept("*/*, text/*, text/xml;q=0.9, text/json"),
            ["text/json", "text/*", "*/*", "text/xml"]
        );
    }

    #[test]
    fn one_bad_element_spoils_its_line_only() {
        assert!(accept("application/json, garbage").is_empty());
        let lines = ["garbage".to_owned(), ", application/xml,".to_owned()];
        assert_eq!(accepted(lines.into_iter()).len(), 1);
    }

    #[test]
    fn a_quality_that_is_no_number_is_one() {
        assert!((MediaType::parse("a/b; q=-1").expect("it parses").quality() - 1.0).abs() < f64::EPSILON);
        assert!((MediaType::parse("a/b; q=0.25").expect("it parses").quality() - 0.25).abs() < f64::EPSILON);
    }

    #[test]
    fn charsets_are_sorted_and_refused_ones_left_out() {
        let line = "utf-8;q=0.1, utf-16;q=0.5, klingon;q=0".to_owned();
        assert_eq!(accepted_charsets(std::iter::once(line)), ["utf-16", "utf-8"]);
    }
}
