//! Any XML document as a tree, read by the same reader as the formatter's.

use super::charset::Charset;
use super::fault::Fault;
use super::xml_text::{Node, XmlText};

/// No document of ours is nested deeper.
const DEPTH_MAX: usize = 32;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its local name.
    pub local: String,
    /// Its namespace; empty for none.
    pub namespace: String,
    /// The elements in it, in order.
    pub children: Vec<Element>,
    /// The text in it, where there are no elements.
    pub text: String,
    /// Whether it is marked as nil.
    pub nil: bool,
}

/// Reads a document in UTF-8; `None` where it is none, or has something after its root.
pub fn read(body: &[u8]) -> Option<Element> {
    let mut text = XmlText::open(body, Charset::Utf8, true).ok()?;
    if text.move_to_content().ok()? != Node::Element {
        return None;
    }
    let root = element(&mut text, DEPTH_MAX).ok()??;
    (text.move_to_content().ok()? == Node::EndOfFile).then_some(root)
}

fn element(text: &mut XmlText, depth: usize) -> Result<Option<Element>, Fault> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(None) };
    let (local, namespace) = text.name();
    let mut found = Element { local, namespace, ..Element::default() };
    found.nil = text.attributes().any(|(_, attribute)| attribute.local == "nil" && attribute.value == "true");
    if text.is_empty_element() {
        text.read()?;
        return Ok(Some(found));
    }
    text.read()?;
    loop {
        match text.node() {
            Node::Element => match element(text, depth)? {
                Some(child) => found.children.push(child),
                None => return Ok(None),
            },
            Node::Text | Node::CData | Node::Whitespace => {
                text.append_value(&mut found.text)?;
                text.read()?;
            }
            Node::Comment | Node::Declaration | Node::Initial => text.read()?,
            Node::EndElement => {
                text.read()?;
                return Ok(Some(found));
            }
            Node::EndOfFile => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_tree_and_what_is_none_does_not() {
        let root = read(b"<s:a xmlns:s='urn:s' xmlns='urn:t'> <b>1&amp;2</b><c><s:d/></c></s:a>").unwrap();
        assert_eq!((root.local.as_str(), root.namespace.as_str()), ("a", "urn:s"));
        assert_eq!((root.children[0].text.as_str(), root.children[0].namespace.as_str()), ("1&2", "urn:t"));
        assert_eq!(root.children[1].children[0].namespace, "urn:s");
        for wrong in ["", "<a>", "<a/><b/>", "text", "<a></b>"] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(read(("<a>".repeat(100) + &"</a>".repeat(100)).as_bytes()), None);
    }
}
