//! Text to a tree of words with their places: the only file that knows the YAML library.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::granit_parser::{Parser, ScanError};

use crate::source::{Diagnostic, Place, SourceFile, Span};

use super::misfit;

/// A value of a document with its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// What a [`Node`] is.
#[derive(Debug)]
pub(super) enum Kind {
    /// Nothing, or a `null` that is not in quotes.
    Null,
    /// A word, as it is written. `plain`: without quotes.
    Word {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) span: Span,
}

impl Node {
    /// Reads the whole document; mistakes of syntax, limits, and every key that stands twice.
    pub(super) fn read(source: &SourceFile) -> Result<Node, Vec<Diagnostic>> {
        let raw: Raw = serde_saphyr::from_str_with_options(source.text(), options())
            .map_err(|error| vec![broken(source, &error)])?;
        let mut builder = Builder { source, twice: Vec::new() };
        let root = builder.node(raw);
        if builder.twice.is_empty() { Ok(root) } else { Err(builder.twice) }
    }

    /// Tells nodes of one tree apart.
    pub(super) fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// What it is, for a sentence.
    pub(super) fn described(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Word { text, .. } => format!("`{}`", misfit::shortened(text)),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// Numbers and booleans keep their writing, duplicate keys are ours to report, and no alias can grow a bomb.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        reject_tagged_field_names: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
        with_snippet: false,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 16,
            max_alias_expansions_per_anchor: 1_000,
        },
        budget: serde_saphyr::budget! {
            max_events: 400_000,
            max_nodes: 200_000,
            max_depth: 48,
            flow_nesting_limit: 48,
            max_documents: 2,
            max_aliases: 5_000,
            max_anchors: 1_000,
            max_merge_keys: 1_000,
        },
    }
}

/// What the library hands over: values with its own positions.
struct Raw {
    shape: Shape,
    at: serde_saphyr::Location,
}

enum Shape {
    Null,
    Text(String),
    /// A number or a flag; the words are taken from the source.
    Bare(String),
    List(Vec<Raw>),
    Map(Vec<(serde_saphyr::Spanned<String>, Raw)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        let spanned = serde_saphyr::Spanned::<Shape>::deserialize(deserializer)?;
        Ok(Raw { shape: spanned.value, at: spanned.defined })
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Shape, E> {
        Ok(Shape::Bare(flag.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Shape, E> {
        Ok(Shape::Bare(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Shape, E> {
        Ok(Shape::Bare(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Shape, E> {
        Ok(Shape::Bare(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Shape, E> {
        Ok(Shape::Bare(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Shape, E> {
        Ok(Shape::Bare(number.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Shape::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Shape::Map(entries))
    }
}

struct Builder<'a> {
    source: &'a SourceFile,
    twice: Vec<Diagnostic>,
}

impl Builder<'_> {
    fn node(&mut self, raw: Raw) -> Node {
        let span = span_of(&raw.at, self.source);
        match raw.shape {
            Shape::Null => Node { kind: Kind::Null, span },
            Shape::Text(text) => {
                let plain = !self.source.slice(span).starts_with(['"', '\'', '|', '>']);
                let span = if plain { trimmed(span, self.source) } else { span };
                Node { kind: Kind::Word { text, plain }, span }
            }
            Shape::Bare(read) => {
                let span = trimmed(span, self.source);
                let written = self.source.slice(span);
                let text = if written.is_empty() { read } else { written.to_owned() };
                Node { kind: Kind::Word { text, plain: true }, span }
            }
            Shape::List(items) => {
                let items: Vec<Node> = items.into_iter().map(|item| self.node(item)).collect();
                let span = self.enclosing(span, items.last().map(|item| item.span));
                Node { kind: Kind::List(items), span }
            }
            Shape::Map(entries) => self.map(entries, span),
        }
    }

    fn map(&mut self, entries: Vec<(serde_saphyr::Spanned<String>, Raw)>, span: Span) -> Node {
        let mut read: Vec<(Key, Node)> = Vec::with_capacity(entries.len());
        let mut seen: std::collections::HashMap<String, Span> = std::collections::HashMap::new();
        for (key, value) in entries {
            let at = trimmed(span_of(&key.defined, self.source), self.source);
            if let Some(first) = seen.get(&key.value) {
                self.twice.push(misfit::twice(self.source, &key.value, *first, at));
            }
            seen.entry(key.value.clone()).or_insert(at);
            let mut value = self.node(value);
            if value.is_null() && value.span.start < at.end {
                value.span = at;
            }
            read.push((Key { text: key.value, span: at }, value));
        }
        let last = read.last().map(|(key, value)| if value.is_null() { key.span } else { value.span });
        let span = self.enclosing(span, last);
        Node { kind: Kind::Map(read), span }
    }

    /// The library tells where a list or mapping begins; it ends with its last part and a bracket.
    fn enclosing(&self, start: Span, last: Option<Span>) -> Span {
        let text = self.source.text();
        let start = start.start as usize;
        let end = last.map_or(start + 1, |last| (last.end as usize).max(start + 1)).min(text.len());
        let open = text.as_bytes().get(start).copied();
        let close = match open {
            Some(b'[') => ']',
            Some(b'{') => '}',
            _ => return Span::new(start, end),
        };
        let rest = text.get(end..).unwrap_or("");
        let gap = rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',').len();
        let closed = rest[gap..].starts_with(close);
        Span::new(start, if closed { end + gap + 1 } else { end })
    }
}

/// The library's position as our span.
fn span_of(location: &serde_saphyr::Location, source: &SourceFile) -> Span {
    let span = location.span();
    match (span.byte_offset(), span.byte_len()) {
        (Some(start), length) => {
            let start = usize::try_from(start).unwrap_or(usize::MAX).min(source.text().len());
            let length = usize::try_from(length.unwrap_or(0)).unwrap_or(0);
            Span::new(start, (start + length).min(source.text().len()))
        }
        (None, _) => Span::default(),
    }
}

/// The span without the white space that the library counts to a plain word.
fn trimmed(span: Span, source: &SourceFile) -> Span {
    let words = source.slice(span);
    let start = span.start as usize + (words.len() - words.trim_start().len());
    Span::new(start, start + words.trim().len())
}

/// A mistake of syntax, or a limit.
fn broken(source: &SourceFile, error: &serde_saphyr::Error) -> Diagnostic {
    use serde_saphyr::Error;
    // A mapping as a key, a tag or a limit stops the reading before the place that is really broken.
    let limit = matches!(
        error,
        Error::Budget { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
            | Error::AliasReplayCounterOverflow { .. }
            | Error::RecursiveReferencesRequireWeakTypes { .. }
    );
    let nested = matches!(error, Error::AliasError { error, .. } if matches!(**error,
        Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }));
    let offset = error
        .location()
        .and_then(|location| location.span().byte_offset())
        .and_then(|offset| usize::try_from(offset).ok())
        .map_or_else(|| scan_error(source).unwrap_or(0), |offset| offset.min(source.text().len()));
    if matches!(error, Error::MultipleDocuments { .. }) {
        return misfit::second_document(source, offset);
    }
    if limit || nested {
        return misfit::too_complex(source, offset);
    }
    misfit::syntax(source, offset, &said(error))
}

/// Where a plain scan of the document stops.
fn scan_error(source: &SourceFile) -> Option<usize> {
    let stopped: Option<ScanError> = Parser::new_from_str(source.text()).take(400_000).find_map(Result::err);
    stopped.and_then(|error| error.marker().byte_offset())
}

/// The library's message without its position and its advice.
fn said(error: &serde_saphyr::Error) -> String {
    let whole = error.to_string();
    let line = whole.lines().next().unwrap_or("");
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let message = match line.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((_, message)) => message,
        None => line,
    };
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    message.split(" (").next().unwrap_or(message).to_owned()
}

/// A place in a file.
pub(super) fn place(source: &SourceFile, span: Span) -> Place {
    Place { file: source.clone(), span }
}
