//! The shape of calls, their changes, and the values put into them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::yaml::{OneOrMany, Spanned};
use super::{Word, words};

/// The words of a change, once for calls and once for named changes of a dimension. (`flatten` would lose places.)
macro_rules! changes {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(in super::super) struct $name {
            $($own)*
            /// Slots and what they carry instead.
            #[serde(default)]
            #[schemars(schema_with = "words::slot_values")]
            pub(in super::super) set: IndexMap<String, Spanned<Value>>,
            /// Slots that are not sent at all.
            #[serde(default)]
            #[schemars(schema_with = "words::slot_list")]
            pub(in super::super) without: Option<OneOrMany<Word>>,
            /// Where client credentials go, as the dialect names it.
            #[serde(default)]
            pub(in super::super) auth: Option<OneOrMany<Word>>,
            /// A format of the dialect (`json`) or one of its media types: chooses codec and Content-Type.
            #[serde(default)]
            pub(in super::super) format: Option<Word>,
            /// How the document differs before it is written.
            #[serde(default)]
            pub(in super::super) document: Option<Spanned<Document>>,
            /// In place of the document; `$good` is the one that would have been sent.
            #[serde(default)]
            pub(in super::super) body: Option<Spanned<Value>>,
            /// Bytes dropped from the end of the body.
            #[serde(default)]
            pub(in super::super) cut: Option<Spanned<u32>>,
            /// The encoding of the body; the label does not follow.
            #[serde(default)]
            #[schemars(schema_with = "words::encodings")]
            pub(in super::super) encode: Option<Word>,
            /// The Content-Type as written, true or not; `null` for none.
            #[serde(default)]
            pub(in super::super) label: Option<Spanned<Option<String>>>,
            /// The Accept as written; `null` for none.
            #[serde(default)]
            pub(in super::super) accept: Option<Spanned<Option<String>>>,
            /// Another method.
            #[serde(default)]
            pub(in super::super) method: Option<Word>,
            /// Another path; `$path` is the good one.
            #[serde(default)]
            pub(in super::super) path: Option<Word>,
            /// A query, without the question mark.
            #[serde(default)]
            pub(in super::super) query: Option<Word>,
            /// Headers replaced; `null` removes one, a list repeats it.
            #[serde(default)]
            pub(in super::super) headers: IndexMap<String, Spanned<Value>>,
            /// How the bytes travel.
            #[serde(default)]
            pub(in super::super) wire: Option<Spanned<Wire>>,
        }
    };
}

changes! {
    /// One call: the good one of its operation, with changes.
    Call {
        /// Whose chain; `own` where left out.
        #[serde(default)]
        pub(in super::super) chain: Option<Word>,
        /// Which pair of the chain: `current`, `previous`, `first`, or what a step was granted.
        #[serde(rename = "use", default)]
        pub(in super::super) pair: Option<Word>,
        /// Named changes of a dimension, merged first.
        #[serde(default)]
        pub(in super::super) with: Option<OneOrMany<Word>>,
    }
}

changes! {
    /// A named change of a dimension.
    Changes {}
}

/// Changes to the document before it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Document {
    /// Slots in this order, or neighbours exchanged.
    #[serde(default)]
    pub(in super::super) order: Option<Spanned<Order>>,
    /// The member of a slot written again, once for each value.
    #[serde(default)]
    #[schemars(schema_with = "words::slot_values")]
    pub(in super::super) repeat: IndexMap<String, Spanned<Value>>,
    /// Unknown members.
    #[serde(default)]
    pub(in super::super) add: IndexMap<String, Spanned<Value>>,
    /// Members that carry no slot, with another value; `null` leaves one out.
    #[serde(default)]
    pub(in super::super) put: IndexMap<String, Spanned<Value>>,
    /// The member of a slot under another name.
    #[serde(default)]
    #[schemars(schema_with = "words::slot_names")]
    pub(in super::super) rename: IndexMap<String, Word>,
    /// This many unknown members.
    #[serde(default)]
    pub(in super::super) pad: Option<u32>,
    /// XML: another root element.
    #[serde(default)]
    pub(in super::super) root: Option<String>,
    /// XML: another namespace; `null` for none.
    #[serde(default)]
    #[expect(clippy::option_option, reason = "left out, or null")]
    pub(in super::super) namespace: Option<Option<String>>,
    /// XML: a prefix.
    #[serde(default)]
    pub(in super::super) prefix: Option<String>,
}

/// The order of members.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Order", untagged)]
pub(in super::super) enum Order {
    /// Slots in this order.
    List(Vec<Word>),
    /// Neighbours exchanged.
    Map(Swap),
}

/// Neighbours exchanged.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Swap {
    /// The number of the first of the two, from 1.
    pub(in super::super) swap: Spanned<u32>,
}

/// How the bytes travel.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in super::super) struct Wire {
    /// Chunked transfer in pieces of this many bytes.
    #[serde(default)]
    pub(in super::super) chunks: Option<Spanned<u32>>,
    /// A pause before each piece.
    #[serde(default)]
    pub(in super::super) pace: Option<Word>,
    /// This many bytes added to the true Content-Length.
    #[serde(default)]
    pub(in super::super) length: Option<i64>,
    /// When to hang up.
    #[serde(default)]
    #[schemars(schema_with = "words::aborts")]
    pub(in super::super) abort: Option<Word>,
    /// Whether to send `Expect: 100-continue` and wait for it.
    #[serde(default)]
    pub(in super::super) await_continue: bool,
    /// This many requests that carry nothing, behind this one in the same write.
    #[serde(default)]
    pub(in super::super) pipelined: Option<u32>,
}

/// A value that is put somewhere: text, `null`, several joined, or one made value.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Value", untagged)]
pub(in super::super) enum Value {
    /// Nothing.
    Null,
    /// Text, with references.
    Word(Word),
    /// Several values joined.
    List(Vec<Spanned<Value>>),
    /// One made value.
    Map(Box<Made>),
}

/// A made value: exactly one word.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(in super::super) struct Made {
    /// Bare text in the document, neither quoted nor escaped.
    #[serde(default)]
    #[schemars(schema_with = "words::bare")]
    pub(in super::super) raw: Option<Spanned<Option<String>>>,
    /// Bytes: `C0 AF`.
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(in super::super) hex: Option<Word>,
    /// The good value with one character changed: at the `start`, `middle` or `end`.
    #[serde(default)]
    #[schemars(schema_with = "words::ends")]
    pub(in super::super) flip: Option<Word>,
    /// One letter's case changed: `any`.
    #[serde(default)]
    #[schemars(schema_with = "words::recase")]
    pub(in super::super) recase: Option<Word>,
    /// The good value without these trailing characters.
    #[serde(default)]
    pub(in super::super) trim: Option<Word>,
    /// The good value in another alphabet: `base64url`.
    #[serde(default)]
    #[schemars(schema_with = "words::spell")]
    pub(in super::super) spell: Option<Word>,
    /// Never issued, with the length and alphabet of this reference.
    #[serde(default)]
    pub(in super::super) like: Option<Word>,
    /// The first words of the good value.
    #[serde(default)]
    pub(in super::super) words: Option<Spanned<u32>>,
    /// That much text: `5MB`.
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(in super::super) filler: Option<Word>,
    /// Nested that deep.
    #[serde(default)]
    pub(in super::super) nest: Option<Spanned<u32>>,
    /// The good JWT rewritten.
    #[serde(default)]
    pub(in super::super) forge: Option<Spanned<Forge>>,
}

/// How a JWT is rewritten. What is left out stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Forge {
    /// The algorithm, as written into the header.
    #[serde(default)]
    pub(in super::super) alg: Option<String>,
    /// What it is signed with.
    #[serde(default)]
    #[schemars(schema_with = "words::forge_keys")]
    pub(in super::super) key: Option<Word>,
    /// Claims replaced or added.
    #[serde(default)]
    #[schemars(schema_with = "words::members")]
    pub(in super::super) claims: IndexMap<String, Word>,
    /// Members of the header replaced or added.
    #[serde(default)]
    #[schemars(schema_with = "words::members")]
    pub(in super::super) head: IndexMap<String, Word>,
    /// The signature, where it is not computed.
    #[serde(default)]
    #[schemars(schema_with = "words::forge_signatures")]
    pub(in super::super) signature: Option<Word>,
}
