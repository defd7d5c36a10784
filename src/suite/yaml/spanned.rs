//! Values with their places, and one-or-many: types that the deserializer of this module knows by name.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::source::Span;

pub(super) const SPANNED: &str = "$spanned";
pub(super) const SHAPE: &str = "$shape";
pub(super) const SPANNED_FIELDS: &[&str] = &["start", "end", "key-start", "key-end", "plain", "value"];

/// A value, where it stands, and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its own bytes, quotes included.
    pub span: Span,
    /// The bytes of its key; its own where it stands in a list.
    pub key: Span,
    /// Whether it was written without quotes.
    pub plain: bool,
}

impl<T> Spanned<T> {
    /// Another value at the same place.
    pub fn with<U>(&self, value: U) -> Spanned<U> {
        Spanned { value, span: self.span, key: self.key, plain: self.plain }
    }

    /// From the first byte of the key to the last of the value.
    pub fn entry(&self) -> Span {
        Span { start: self.key.start.min(self.span.start), end: self.span.end.max(self.key.end) }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<T>, D::Error> {
        struct SpannedVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
            type Value = Spanned<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spanned<T>, A::Error> {
                let mut number = || -> Result<u32, A::Error> {
                    map.next_entry::<String, u32>()?
                        .map(|(_, number)| number)
                        .ok_or_else(|| A::Error::missing_field("start"))
                };
                let span = Span { start: number()?, end: number()? };
                let key = Span { start: number()?, end: number()? };
                let plain = number()? == 1;
                let (_, value) =
                    map.next_entry::<String, T>()?.ok_or_else(|| A::Error::missing_field("value"))?;
                Ok(Spanned { value, span, key, plain })
            }
        }
        deserializer.deserialize_struct(SPANNED, SPANNED_FIELDS, SpannedVisitor(std::marker::PhantomData))
    }
}

/// In a schema the place does not show.
impl<T: schemars::JsonSchema> schemars::JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

#[derive(serde::Deserialize)]
#[serde(rename = "$shape", rename_all = "lowercase")]
enum Written<T> {
    List(Vec<T>),
    Word(T),
    Map(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany<T>, D::Error> {
        Ok(OneOrMany(match Written::<T>::deserialize(deserializer)? {
            Written::List(items) => items,
            Written::Word(item) | Written::Map(item) => vec![item],
        }))
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("OneOrMany{}", T::schema_name()))
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = generator.subschema_for::<T>();
        schemars::json_schema!({ "oneOf": [one, { "type": "array", "items": one }] })
    }
}
