//! What was typed: the shape of a dialect file, every word with its place.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::suite::yaml::{OneOrMany, Spanned};

/// Words by key; the key's place is in the value.
pub(super) type Keyed<T> = IndexMap<String, Spanned<T>>;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dialect {
    #[serde(rename = "assay-dialect")]
    pub version: Spanned<u32>,
    pub name: Spanned<String>,
    pub slots: Vec<Spanned<String>>,
    #[serde(default)]
    pub computed: Keyed<Computed>,
    #[serde(default)]
    pub links: Keyed<String>,
    #[serde(default)]
    pub blank: Option<Vec<Option<String>>>,
    #[serde(default)]
    pub dates: Option<Dates>,
    pub operations: Spanned<Keyed<Speech>>,
    #[serde(default)]
    pub errors: Vec<Rule>,
    #[serde(default)]
    pub error_documents: Vec<ErrorDocument>,
    #[serde(default)]
    pub showable: Vec<Spanned<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dates {
    pub formats: Vec<Spanned<String>>,
    #[serde(default)]
    pub zone: Option<Spanned<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub when: Spanned<String>,
    pub class: Spanned<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorDocument {
    #[serde(default)]
    pub root: Option<Spanned<String>>,
    pub body: Keyed<Branch>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Speech {
    #[serde(default)]
    pub documented: Option<bool>,
    pub method: Spanned<String>,
    pub path: Spanned<String>,
    #[serde(default)]
    pub query: Keyed<String>,
    #[serde(default)]
    pub headers: Keyed<String>,
    #[serde(default)]
    pub cookies: Keyed<String>,
    #[serde(default)]
    pub auth: Vec<Spanned<String>>,
    #[serde(default)]
    pub accepts: Keyed<Accepts>,
    pub answers: Spanned<Answers>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Accepts {
    pub types: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub codec: Option<Spanned<String>>,
    #[serde(default)]
    pub root: Option<Spanned<String>>,
    #[serde(default)]
    pub namespaces: Keyed<String>,
    pub body: Keyed<Branch>,
    #[serde(default)]
    pub listed: Option<bool>,
}

/// `dpop`, or a function of text: `{ base64: … }`.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Computed", untagged)]
pub(super) enum Computed {
    Word(Spanned<String>),
    Map(Keyed<String>),
}

/// A word, or members of their own.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Branch", untagged)]
pub(super) enum Branch {
    Word(Spanned<String>),
    Map(Keyed<Branch>),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answers {
    #[serde(default)]
    pub types: Vec<Spanned<String>>,
    #[serde(default)]
    pub body: Option<Keyed<Branch>>,
    #[serde(default)]
    pub open: bool,
    #[serde(default)]
    pub xml: Option<XmlAnswer>,
    #[serde(default)]
    pub fields: Keyed<Field>,
    #[serde(default)]
    pub granted: Option<Spanned<String>>,
    #[serde(default)]
    pub layers: Keyed<String>,
    #[serde(default)]
    pub refused: Option<Spanned<String>>,
    #[serde(default)]
    pub crash: Option<Spanned<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct XmlAnswer {
    pub root: Spanned<String>,
    #[serde(default)]
    pub namespace: Option<Spanned<String>>,
    #[serde(default)]
    pub namespaces: Keyed<String>,
    #[serde(default)]
    pub order: Option<Spanned<String>>,
    #[serde(default)]
    pub null: Option<Spanned<String>>,
}

/// A place, several to be tried in order, or the long form.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Field", untagged)]
pub(super) enum Field {
    Word(Spanned<String>),
    List(Vec<Spanned<String>>),
    Map(LongField),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LongField {
    #[serde(default)]
    pub at: Option<OneOrMany<Spanned<String>>>,
    #[serde(default)]
    pub json: Option<OneOrMany<Spanned<String>>>,
    #[serde(default)]
    pub xml: Option<OneOrMany<Spanned<String>>>,
    #[serde(default, rename = "as")]
    pub reading: Option<Spanned<String>>,
    #[serde(default)]
    pub of: Option<Spanned<String>>,
    #[serde(default)]
    pub absent: Option<Spanned<String>>,
}

/// The schema of dialect files, as editors and validators read it.
pub(super) fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<Dialect>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "assay dialect".into());
    }
    schema
}
