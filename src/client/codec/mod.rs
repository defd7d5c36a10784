//! The client's own codecs: documents are written exactly and read strictly.
//!
//! The mock has codecs of its own, so that client and mock cannot share a misreading. Messages of the readers
//! never quote the text they read, because it may hold tokens: they say what is wrong, and at which byte.

pub mod form;
mod json;
pub mod tape;
mod xml;

use crate::dialect::Codec;

/// Documents nested deeper than this are refused, so that no answer can exhaust the stack.
pub const DEPTH_MAX: usize = 512;

/// Documents of more values than this are refused: a value takes far more memory than the two bytes that can
/// ask for it.
pub const VALUES_MAX: usize = 200_000;

/// A document as it was read: order, duplicates and number text kept; nil, absent and empty apart.
#[derive(Clone, PartialEq)]
pub enum Tree {
    /// JSON `null`, XML `i:nil="true"`.
    Null,
    /// Text; an empty XML element is empty text.
    Text(String),
    /// A JSON number, as it was written.
    Number(String),
    /// A JSON boolean.
    Flag(bool),
    /// Members in order, duplicates kept. In XML, text beside elements is a member `#text`.
    Object(Vec<(String, Tree)>),
    /// A JSON array.
    List(Vec<Tree>),
}

impl std::fmt::Debug for Tree {
    /// Names and kinds, never values: they may be tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Tree::Null => f.write_str("null"),
            Tree::Text(text) => write!(f, "text({} bytes)", text.len()),
            Tree::Number(text) => write!(f, "number({} bytes)", text.len()),
            Tree::Flag(flag) => write!(f, "{flag}"),
            Tree::Object(members) => f.debug_map().entries(members.iter().map(|(k, v)| (k, v))).finish(),
            Tree::List(items) => f.debug_list().entries(items).finish(),
        }
    }
}

impl Tree {
    /// What stands at `path`: `/RefreshTokenResponse/isSuccess`, list items by index; `/` is the whole tree.
    /// Of members with one name the first is found.
    pub fn get(&self, path: &str) -> Option<&Tree> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(self, Tree::child)
    }

    /// The member or list item of that name.
    pub fn child(&self, name: &str) -> Option<&Tree> {
        match self {
            Tree::Object(members) => {
                members.iter().find(|(candidate, _)| candidate == name).map(|(_, tree)| tree)
            }
            Tree::List(items) => name.parse::<usize>().ok().and_then(|index| items.get(index)),
            Tree::Null | Tree::Text(_) | Tree::Number(_) | Tree::Flag(_) => None,
        }
    }
}

/// A document to be written, order and names meant as they stand.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// How the bytes are made.
    pub codec: Codec,
    /// XML: the root element, perhaps with a prefix.
    pub root: Option<String>,
    /// XML: prefix → namespace; `""` is the default namespace.
    pub namespaces: Vec<(String, String)>,
    /// The members in order; names may repeat.
    pub members: Vec<(String, Leaf)>,
}

/// A member of an [`Outgoing`] document.
#[derive(Clone)]
pub enum Leaf {
    /// Text, quoted and escaped by the codec.
    Text(String),
    /// The format's own null (JSON `null`, XML `i:nil`, an empty form value).
    Null,
    /// Bytes that stand in the document as they are.
    Raw(Vec<u8>),
    /// Nested members.
    Object(Vec<(String, Leaf)>),
}

impl std::fmt::Debug for Leaf {
    /// Never values: they may be tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Leaf::Text(_) => "Text(..)",
            Leaf::Null => "Null",
            Leaf::Raw(_) => "Raw(..)",
            Leaf::Object(_) => "Object(..)",
        })
    }
}

/// The bytes of `document` in UTF-8.
pub fn write(document: &Outgoing) -> Vec<u8> {
    match document.codec {
        Codec::Json => json::write(&document.members),
        Codec::Xml => xml::write(document),
        Codec::Form => form::write(&document.members),
    }
}

/// Text as it stands between the quotes, tags or delimiters of a document.
pub fn escape(codec: Codec, text: &str) -> Vec<u8> {
    match codec {
        Codec::Json => json::escape(text),
        Codec::Xml => xml::escape_text(text),
        Codec::Form => form::encode(text).into_bytes(),
    }
}

/// How many bytes stand before the first of which `ends` is true. Looked at in blocks, which a processor compares
/// all at once: most of a token is neither quote nor escape.
pub(super) fn run_length(bytes: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    const BLOCK: usize = 32;
    let plain = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | ends(*byte));
    let whole = bytes.chunks_exact(BLOCK).take_while(plain).count() * BLOCK;
    whole + bytes[whole..].iter().take_while(|byte| !ends(**byte)).count()
}

/// Whether it is one of `signs`. Like the three below without a branch, so that many bytes are compared at once.
pub(super) fn is_any<const N: usize>(byte: u8, signs: [u8; N]) -> bool {
    signs.iter().fold(0, |any, sign| any | u8::from(byte == *sign)) != 0
}

/// Whether it is none of `signs`.
pub(super) fn is_none<const N: usize>(byte: u8, signs: [u8; N]) -> bool {
    !is_any(byte, signs)
}

/// Whether it lies outside of a range.
pub(super) fn is_outside(byte: u8, first: u8, last: u8) -> bool {
    byte.wrapping_sub(first) > last - first
}

/// Whether it is a control character, delete aside.
pub(super) fn is_control(byte: u8) -> bool {
    byte < b' '
}

/// Reads JSON strictly by RFC 8259; what is wrong, with the byte offset, in words.
pub fn read_json(text: &str) -> Result<Tree, String> {
    json::read(text)
}

/// The same onto a tape, which is cleared first.
pub fn scan_json(text: &str, tape: &mut tape::Tape) -> Result<(), String> {
    json::scan(text, tape)
}

/// Plain XML onto a tape, which is cleared first: the raw start tag of the root, or nothing where the document has
/// what only [`read_xml`] can judge. What is scanned, [`read_xml`] reads as the same tree.
pub fn scan_xml<'a>(text: &'a str, tape: &mut tape::Tape) -> Option<&'a str> {
    xml::scan(text, tape)
}

/// How much of `bytes` is text that stands for itself in the plain XML of [`scan_xml`].
pub(super) fn plain_xml_length(bytes: &[u8]) -> usize {
    xml::plain_length(bytes)
}

/// An XML document as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct XmlDocument {
    /// Local name of the root.
    pub root: String,
    /// Namespace of the root; empty for none.
    pub namespace: String,
    /// Paths of elements whose namespace is not the root's (the first few of them).
    pub strays: Vec<String>,
    /// Their namespaces, in the same order.
    pub stray_namespaces: Vec<String>,
    /// What is below the root, attributes left out but for `i:nil`.
    pub tree: Tree,
}

/// Reads XML 1.0 with namespaces strictly; a DTD is refused. What is wrong, in words.
pub fn read_xml(text: &str) -> Result<XmlDocument, String> {
    xml::read(text)
}
