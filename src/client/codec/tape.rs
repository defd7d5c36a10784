//! A document laid out flat: one row per name and value, spans of the text instead of copies.
//!
//! The strict readers write a tape; a [`Tree`] is made of one where somebody wants to keep it. A tape
//! is used again for the next document, so that reading under load allocates nothing.

use std::borrow::Cow;
use std::ops::Range;

use super::Tree;

/// Rows of a document, in the order of its text.
#[derive(Default)]
pub struct Tape {
    rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    kind: Kind,
    /// Where its text begins.
    start: u32,
    /// Where its text ends.
    end: u32,
    /// The row behind everything that is inside this one.
    next: u32,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A number, as it was written.
    Number,
    /// Text without an escape.
    Text,
    /// Text with escapes in it.
    Escaped,
    /// Members follow: a name row, a value row.
    Object,
    /// Items follow.
    List,
    /// A member's name.
    Name,
    /// A member's name with escapes in it.
    EscapedName,
}

/// A place on a tape whose object or list is not closed yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open(usize);

impl std::fmt::Debug for Tape {
    /// Kinds, never values: they may be tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rows.iter().map(|row| row.kind)).finish()
    }
}

impl Tape {
    /// Nothing is on it any more; its memory stays.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// A value or name without members.
    pub(super) fn push(&mut self, kind: Kind, span: Range<usize>) {
        let next = index(self.rows.len() + 1);
        self.rows.push(Row { kind, start: index(span.start), end: index(span.end), next });
    }

    /// The beginning of an object or list.
    pub(super) fn open(&mut self, kind: Kind, at: usize) -> Open {
        self.push(kind, at..at);
        Open(self.rows.len() - 1)
    }

    /// Its end.
    pub(super) fn close(&mut self, open: Open, at: usize) {
        let next = index(self.rows.len());
        let row = &mut self.rows[open.0];
        row.next = next;
        row.end = index(at);
    }

    /// The whole document, read from `text`.
    pub fn root<'a>(&'a self, text: &'a str) -> Option<Place<'a>> {
        (!self.rows.is_empty()).then_some(Place { tape: self, text, at: 0 })
    }
}

/// Offsets are below four gigabytes, because bodies are.
fn index(at: usize) -> u32 {
    u32::try_from(at).expect("the reader refuses longer texts")
}

/// A value on a tape.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    tape: &'a Tape,
    text: &'a str,
    at: usize,
}

impl std::fmt::Debug for Place<'_> {
    /// The kind, never the value: it may be a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind().fmt(f)
    }
}

impl<'a> Place<'a> {
    fn row(self) -> Row {
        self.tape.rows[self.at]
    }

    fn slice(self) -> &'a str {
        let row = self.row();
        &self.text[row.start as usize..row.end as usize]
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.row().kind
    }

    /// Which row of the tape it is: two documents of one structure have the same value in the same row.
    pub fn row_number(self) -> usize {
        self.at
    }

    /// Where it stands in the text: of texts and names what is between the quotes or tags.
    pub fn span(self) -> Range<usize> {
        let row = self.row();
        row.start as usize..row.end as usize
    }

    /// Its text: of texts and names without escapes, of numbers as written. Nothing of what has members.
    pub fn value(self) -> Option<Cow<'a, str>> {
        match self.kind() {
            Kind::Text | Kind::Name | Kind::Number => Some(Cow::Borrowed(self.slice())),
            Kind::Escaped | Kind::EscapedName => Some(Cow::Owned(super::json::unescape(self.slice()))),
            Kind::Flag(flag) => Some(Cow::Borrowed(if flag { "true" } else { "false" })),
            Kind::Null | Kind::Object | Kind::List => None,
        }
    }

    /// The rows directly inside, names and values alike.
    fn inside(self) -> impl Iterator<Item = Place<'a>> + use<'a> {
        let end = self.row().next as usize;
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let place = (at < end).then_some(Place { at, ..self })?;
            at = place.row().next as usize;
            Some(place)
        })
    }

    /// The members of an object: names and values.
    pub fn members(self) -> impl Iterator<Item = (Place<'a>, Place<'a>)> {
        let mut inside = self.inside();
        std::iter::from_fn(move || Some((inside.next()?, inside.next()?)))
    }

    /// The member or list item of that name; of several the first.
    pub fn child(self, name: &str) -> Option<Place<'a>> {
        match self.kind() {
            Kind::Object => self
                .members()
                .find(|(candidate, _)| match candidate.kind() {
                    Kind::EscapedName => candidate.value().as_deref() == Some(name),
                    _ => candidate.slice() == name,
                })
                .map(|(_, value)| value),
            Kind::List => self.inside().nth(name.parse().ok()?),
            Kind::Null
            | Kind::Flag(_)
            | Kind::Number
            | Kind::Text
            | Kind::Escaped
            | Kind::Name
            | Kind::EscapedName => None,
        }
    }

    /// What stands at `path`, as in [`Tree::get`].
    pub fn get(self, path: &str) -> Option<Place<'a>> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(self, Place::child)
    }

    /// Everything inside and the value itself, in the order of the text, names among it.
    pub fn rows(self) -> impl Iterator<Item = Place<'a>> {
        (self.at..self.row().next as usize).map(move |at| Place { at, ..self })
    }

    /// The items of a list.
    pub fn items(self) -> impl Iterator<Item = Place<'a>> {
        self.inside()
    }

    /// The same as a tree of its own.
    pub fn tree(self) -> Tree {
        let own = |place: Place<'_>| place.value().unwrap_or_default().into_owned();
        match self.kind() {
            Kind::Null => Tree::Null,
            Kind::Flag(flag) => Tree::Flag(flag),
            Kind::Number => Tree::Number(own(self)),
            Kind::Text | Kind::Escaped | Kind::Name | Kind::EscapedName => Tree::Text(own(self)),
            Kind::Object => {
                Tree::Object(self.members().map(|(name, value)| (own(name), value.tree())).collect())
            }
            Kind::List => Tree::List(self.inside().map(Place::tree).collect()),
        }
    }
}
