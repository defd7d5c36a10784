//! serde over the tree: every word has its place, and a mistake in one entry does not hide those in others.

use std::cell::RefCell;
use std::collections::HashSet;

use serde::de::value::{StrDeserializer, U32Deserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use crate::source::Span;

use super::misfit::{Misfit, Wrong};
use super::spanned::{SHAPE, SPANNED, SPANNED_FIELDS};
use super::tree::{Key, Kind, Node};

/// More mistakes than a person wants to read at once.
const MOST_MISFITS: usize = 40;

/// What earlier readings found unreadable.
#[derive(Default)]
struct State {
    left_out: RefCell<HashSet<usize>>,
}

impl State {
    fn reads(&self, node: &Node) -> bool {
        !self.left_out.borrow().contains(&node.id())
    }
}

/// Reads `T` from the tree, or every misfit in file order.
///
/// serde stops at the first mistake. So what caused it is left out, and the tree is read again.
pub(super) fn read<T: DeserializeOwned>(root: &Node) -> Result<T, Vec<Misfit>> {
    let state = State::default();
    let mut misfits: Vec<Misfit> = Vec::new();
    for _ in 0..2 * MOST_MISFITS {
        match T::deserialize(Reader { node: root, key: None, of_struct: false, state: &state }) {
            Ok(value) if misfits.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(misfit) => {
                let cause = misfit.cause;
                if !misfit.follows {
                    misfits.push(misfit.or_at(root.span));
                }
                let fresh = cause.is_some_and(|cause| state.left_out.borrow_mut().insert(cause));
                if !fresh || misfits.len() == MOST_MISFITS {
                    break;
                }
            }
        }
    }
    misfits.sort_by_key(|misfit| misfit.span.map(|span| (span.start, span.end)));
    Err(misfits)
}

#[derive(Clone, Copy)]
struct Reader<'n> {
    node: &'n Node,
    key: Option<Span>,
    /// Directly a field's value, where `Option` means that the key may be left out.
    of_struct: bool,
    state: &'n State,
}

impl<'n> Reader<'n> {
    /// Where to point if nothing more exact is known: a word itself, else the key of what is inside it.
    fn span(&self) -> Span {
        match &self.node.kind {
            Kind::Word { .. } => self.node.span,
            Kind::Null | Kind::List(_) => self.key.unwrap_or(self.node.span),
            Kind::Map(entries) => {
                self.key.or(entries.first().map(|(key, _)| key.span)).unwrap_or(self.node.span)
            }
        }
    }

    fn placed<T>(&self, result: Result<T, Misfit>) -> Result<T, Misfit> {
        result.map_err(|misfit| misfit.or_at(self.span()))
    }

    fn unfit<T>(&self, expected: &dyn serde::de::Expected) -> Result<T, Misfit> {
        let wrong = Wrong::Kind { found: self.node.described(), expected: expected.to_string() };
        Err(Misfit::at(wrong, self.misplaced()))
    }

    /// A value of the wrong kind is pointed at itself, unless there is nothing to see.
    fn misplaced(&self) -> Span {
        match (&self.node.kind, self.key) {
            (Kind::Null, Some(key)) => key,
            _ => self.node.span,
        }
    }

    fn number<T: std::str::FromStr>(&self, expected: &'static str) -> Result<T, Misfit> {
        match &self.node.kind {
            Kind::Word { text, plain: true } => text.parse().or_else(|_| self.unfit(&expected)),
            Kind::Word { text, plain: false } if text.parse::<T>().is_ok() => {
                let found = format!("`{text}` in quotes");
                Err(Misfit::at(Wrong::Kind { found, expected: expected.to_owned() }, self.node.span))
            }
            _ => self.unfit(&expected),
        }
    }

    fn list<V: Visitor<'n>>(self, items: &'n [Node], visitor: V) -> Result<V::Value, Misfit> {
        self.placed(visitor.visit_seq(List { items: items.iter(), state: self.state }))
    }

    fn map<V: Visitor<'n>>(
        self,
        entries: &'n [(Key, Node)],
        of_struct: Option<&'static str>,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let map = Map { entries: entries.iter(), value: None, of_struct, state: self.state };
        let left_out =
            |name: &str| entries.iter().any(|(key, node)| key.text == name && !self.state.reads(node));
        self.placed(visitor.visit_map(map).map_err(|misfit| misfit.or_following(left_out)))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $kind:ty, $expected:literal;)*) => {
        $(fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
            let number = self.number::<$kind>($expected)?;
            self.placed(visitor.$visit(number))
        })*
    };
}

impl<'n> Deserializer<'n> for Reader<'n> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Null => self.placed(visitor.visit_unit()),
            Kind::Word { text, .. } => self.placed(visitor.visit_str(text)),
            Kind::List(items) => self.list(items, visitor),
            Kind::Map(entries) => self.map(entries, None, visitor),
        }
    }

    numbers! {
        deserialize_i8 visit_i8 i8, "a whole number from -128 to 127";
        deserialize_i16 visit_i16 i16, "a whole number";
        deserialize_i32 visit_i32 i32, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number from 0 to 255";
        deserialize_u16 visit_u16 u16, "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a whole number";
        deserialize_u64 visit_u64 u64, "a whole number";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_bool<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Word { text, plain: true } if text == "true" => self.placed(visitor.visit_bool(true)),
            Kind::Word { text, plain: true } if text == "false" => self.placed(visitor.visit_bool(false)),
            _ => self.unfit(&"`true` or `false`"),
        }
    }

    fn deserialize_char<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Word { text, .. } => self.placed(visitor.visit_str(text)),
            Kind::Null | Kind::List(_) | Kind::Map(_) => self.unfit(&"a word"),
        }
    }

    fn deserialize_string<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.node.is_null() && !self.of_struct {
            return self.placed(visitor.visit_none());
        }
        let inner = Reader { of_struct: false, ..self };
        self.placed(visitor.visit_some(inner))
    }

    fn deserialize_unit<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Null => self.placed(visitor.visit_unit()),
            Kind::Word { .. } | Kind::List(_) | Kind::Map(_) => self.unfit(&"nothing"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.placed(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::List(items) => self.list(items, visitor),
            Kind::Null | Kind::Word { .. } | Kind::Map(_) => self.unfit(&"a list"),
        }
    }

    fn deserialize_tuple<V: Visitor<'n>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Map(entries) => self.map(entries, None, visitor),
            Kind::Null | Kind::Word { .. } | Kind::List(_) => self.unfit(&"a mapping"),
        }
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if name == SPANNED {
            return visitor.visit_map(Places { reader: self, next: 0 });
        }
        match &self.node.kind {
            Kind::Map(entries) => self.map(entries, Some(name), visitor),
            Kind::Null | Kind::Word { .. } | Kind::List(_) => {
                self.unfit(&format!("a mapping with {}", super::misfit::some_of(fields)).as_str())
            }
        }
    }

    fn deserialize_enum<V: Visitor<'n>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if name == SHAPE {
            return self.shape(variants, visitor);
        }
        match &self.node.kind {
            Kind::Word { text, .. } => {
                let variant = Variant { name: text, content: None, span: self.node.span, within: name };
                self.placed(visitor.visit_enum(variant))
            }
            Kind::Map(entries) if entries.len() == 1 => {
                let (key, node) = &entries[0];
                let content = Reader { node, key: Some(key.span), of_struct: false, state: self.state };
                let variant =
                    Variant { name: &key.text, content: Some(content), span: key.span, within: name };
                self.placed(visitor.visit_enum(variant))
            }
            Kind::Map(entries) if entries.len() > 1 => {
                let others = entries.iter().map(|(key, _)| format!("`{}`", key.text)).collect::<Vec<_>>();
                let wrong = Wrong::Kind {
                    found: others.join(" and "),
                    expected: format!("one of {}", super::misfit::some_of(variants)),
                };
                Err(Misfit::at(wrong, entries[1].0.span))
            }
            Kind::Null | Kind::List(_) | Kind::Map(_) => {
                self.unfit(&format!("one of {}", super::misfit::some_of(variants)).as_str())
            }
        }
    }

    fn deserialize_identifier<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }
}

impl<'n> Reader<'n> {
    /// An enum whose variants are the shapes `null`, `word`, `list` and `map`.
    fn shape<V: Visitor<'n>>(
        self,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let name = match &self.node.kind {
            Kind::Null => "null",
            Kind::Word { .. } => "word",
            Kind::List(_) => "list",
            Kind::Map(_) => "map",
        };
        if !variants.contains(&name) {
            let wanted: Vec<&str> = variants
                .iter()
                .filter(|variant| **variant != "null")
                .map(|variant| match *variant {
                    "word" => "a word",
                    "list" => "a list",
                    _ => "a mapping",
                })
                .collect();
            return self.unfit(&wanted.join(" or ").as_str());
        }
        let content = (name != "null").then_some(Reader { of_struct: false, ..self });
        let variant = Variant { name, content, span: self.node.span, within: SHAPE };
        self.placed(visitor.visit_enum(variant))
    }
}

/// The entries of a list.
struct List<'n> {
    items: std::slice::Iter<'n, Node>,
    state: &'n State,
}

impl<'n> SeqAccess<'n> for List<'n> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let state = self.state;
        let Some(node) = self.items.by_ref().find(|node| state.reads(node)) else { return Ok(None) };
        let reader = Reader { node, key: None, of_struct: false, state };
        seed.deserialize(reader).map(Some).map_err(|misfit| misfit.or_at(reader.span()).caused_by(node.id()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a mapping.
struct Map<'n> {
    entries: std::slice::Iter<'n, (Key, Node)>,
    value: Option<(&'n Key, &'n Node)>,
    of_struct: Option<&'static str>,
    state: &'n State,
}

impl<'n> MapAccess<'n> for Map<'n> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'n>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let state = self.state;
        let Some((key, node)) = self.entries.by_ref().find(|(_, node)| state.reads(node)) else {
            return Ok(None);
        };
        self.value = Some((key, node));
        let word: StrDeserializer<'_, Misfit> = key.text.as_str().into_deserializer();
        seed.deserialize(word).map(Some).map_err(|misfit| {
            misfit.inside(self.of_struct.unwrap_or("")).or_at(key.span).caused_by(node.id())
        })
    }

    fn next_value_seed<V: DeserializeSeed<'n>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (key, node) = self.value.take().expect("serde asks for the key first");
        let of_struct = self.of_struct.is_some();
        let reader = Reader { node, key: Some(key.span), of_struct, state: self.state };
        seed.deserialize(reader).map_err(|misfit| misfit.or_at(reader.span()).caused_by(node.id()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant of an enum: a word, or the only key of a mapping.
struct Variant<'n> {
    name: &'n str,
    content: Option<Reader<'n>>,
    span: Span,
    within: &'static str,
}

impl<'n> EnumAccess<'n> for Variant<'n> {
    type Error = Misfit;
    type Variant = Variant<'n>;

    fn variant_seed<V: DeserializeSeed<'n>>(self, seed: V) -> Result<(V::Value, Variant<'n>), Misfit> {
        let word: StrDeserializer<'_, Misfit> = self.name.into_deserializer();
        let value = seed.deserialize(word).map_err(|misfit| misfit.inside(self.within).or_at(self.span))?;
        Ok((value, self))
    }
}

impl<'n> Variant<'n> {
    fn content(&self, expected: &str) -> Result<Reader<'n>, Misfit> {
        self.content.ok_or_else(|| {
            let found = format!("`{}` alone", self.name);
            let expected = format!("`{}: …` with {expected}", self.name);
            Misfit::at(Wrong::Kind { found, expected }, self.span)
        })
    }
}

impl<'n> VariantAccess<'n> for Variant<'n> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.content {
            Some(content) if self.within != SHAPE && !content.node.is_null() => {
                let found = format!("`{}` with a value", self.name);
                let expected = format!("`{}` alone", self.name);
                Err(Misfit::at(Wrong::Kind { found, expected }, self.span))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'n>>(self, seed: T) -> Result<T::Value, Misfit> {
        let content = self.content("a value")?;
        seed.deserialize(content).map_err(|misfit| misfit.or_at(content.span()))
    }

    fn tuple_variant<V: Visitor<'n>>(self, length: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.content("a list")?.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'n>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.content("a mapping")?.deserialize_struct(self.within, fields, visitor)
    }
}

/// The fields of a [`super::Spanned`]: four positions, the writing, and the value itself.
struct Places<'n> {
    reader: Reader<'n>,
    next: usize,
}

impl<'n> MapAccess<'n> for Places<'n> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'n>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some(name) = SPANNED_FIELDS.get(self.next) else { return Ok(None) };
        let word: StrDeserializer<'_, Misfit> = (*name).into_deserializer();
        seed.deserialize(word).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'n>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let node = self.reader.node;
        let key = self.reader.key.unwrap_or(node.span);
        let plain = !matches!(node.kind, Kind::Word { plain: false, .. });
        self.next += 1;
        let number = match self.next {
            1 => node.span.start,
            2 => node.span.end,
            3 => key.start,
            4 => key.end,
            5 => u32::from(plain),
            _ => return seed.deserialize(self.reader),
        };
        let number: U32Deserializer<Misfit> = number.into_deserializer();
        seed.deserialize(number)
    }
}
