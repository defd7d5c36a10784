//! A dialect made of what documents an endpoint: a help page of ASP.NET, or an OpenAPI description.
//!
//! Both become a [`Sketch`], whose names are [guessed at](names), and the sketch becomes [YAML](written). What a
//! document does not say is a question in the file, marked with `# ?`. Start at [`import`].

mod help_page;
mod markup;
mod names;
mod openapi;
mod written;

use crate::source::SourceFile;
use crate::suite::call::Slot;
use crate::suite::yaml;

/// What was made of a document.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The name of the dialect.
    pub name: String,
    /// The dialect file.
    pub dialect: String,
    /// A starter suite; `{dialect}` stands where the path of the dialect file belongs.
    pub suite: String,
    /// So many questions are in both.
    pub questions: usize,
}

/// What a document says of the refresh operation.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sketch {
    name: String,
    /// What it was made of, for the comment at the top.
    from: String,
    method: String,
    path: String,
    query: Vec<Sent>,
    headers: Vec<Sent>,
    formats: Vec<Format>,
    types: Vec<String>,
    body: Vec<Member>,
    xml: Option<XmlSketch>,
    errors: Vec<Vec<Member>>,
}

/// A format of requests.
#[derive(Clone, Debug, Default, PartialEq)]
struct Format {
    name: String,
    types: Vec<String>,
    root: Option<String>,
    namespace: Option<String>,
    members: Vec<Sent>,
}

/// A member that is sent.
#[derive(Clone, Debug, PartialEq)]
struct Sent {
    name: String,
    value: Value,
}

/// What is sent in a member.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    /// A slot, perhaps behind a word: `Bearer `.
    Slot(&'static str, Slot),
    /// The same in every call.
    Constant(String),
    /// Nobody knows.
    Question,
    /// Members of its own.
    Members(Vec<Sent>),
}

/// A member of an answer.
#[derive(Clone, Debug, PartialEq)]
struct Member {
    name: String,
    kind: Kind,
    presence: Presence,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Text,
    Number,
    Flag,
    Any,
    Members(Vec<Member>),
}

/// Whether a member may be away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Required,
    /// `?`
    Optional,
    /// ` or null`
    Nullable,
}

/// How answers are written in XML.
#[derive(Clone, Debug, PartialEq)]
struct XmlSketch {
    root: String,
    namespace: String,
    ordinal: bool,
}

/// Reads a document; why nothing can be made of it, as a sentence.
pub fn import(file: &SourceFile) -> Result<Imported, String> {
    let text = file.text();
    let sketch = match described(file) {
        Some(description) => openapi::read(&description)?,
        None => help_page::read(&markup::plain(text))?,
    };
    let sketch = Sketch { from: short_name(file.name()), ..sketch };
    Ok(written::write(&sketch))
}

/// The document as an OpenAPI description, if it is one: in JSON, or in YAML.
fn described(file: &SourceFile) -> Option<serde_json::Value> {
    let description: serde_json::Value =
        serde_json::from_str(file.text()).ok().or_else(|| yaml::read(file).ok())?;
    ["openapi", "swagger", "paths"].iter().any(|key| description.get(key).is_some()).then_some(description)
}

fn short_name(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests;
