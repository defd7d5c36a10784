//! The XML reader beneath `DataContractSerializer`: what it takes, what it refuses, and when it notices.
//!
//! A forward reader over UTF-8 that knows elements, text, CDATA, comments and one declaration. DTDs and
//! processing instructions are refused before anything in them is looked at. Nodes are read one by one,
//! because what stands behind the last node that was asked for is never seen.

mod attributes;

use std::ops::Range;

use super::charset::Charset;
use super::fault::Fault;
use super::xml_encoding;
use super::xml_names::{NONE, Namespaces, is_nc_name};

/// The kind of node that the reader stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Initial,
    Declaration,
    Element,
    EndElement,
    Text,
    CData,
    Whitespace,
    Comment,
    EndOfFile,
}

/// An attribute of the current element; declarations of namespaces are among them.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    prefix: String,
    pub(super) local: String,
    namespace: usize,
    pub(super) value: String,
}

/// The formatter's `MaxDepth`.
const MAX_DEPTH: usize = 256;

/// The value of a text node.
#[derive(Clone, Debug)]
enum Value {
    None,
    Bytes(Range<usize>),
    Character(char),
}

/// An open element.
#[derive(Debug)]
struct Scope {
    name: Range<usize>,
    prefixes: Vec<String>,
}

/// The reader.
pub(super) struct XmlText {
    bytes: Vec<u8>,
    at: usize,
    node: Node,
    value: Value,
    scopes: Vec<Scope>,
    namespaces: Namespaces,
    attributes: Vec<Attribute>,
    local: String,
    namespace: usize,
    empty: bool,
    leaving: bool,
    had_root: bool,
}

type Read<T> = Result<T, Fault>;

impl XmlText {
    /// Opens a document: the charset that the transport named must be the one that the bytes show.
    pub(super) fn open(body: &[u8], charset: Charset, marks: bool) -> Read<XmlText> {
        let bytes = xml_encoding::to_utf8(body, charset, marks)?;
        Ok(XmlText {
            bytes,
            at: 0,
            node: Node::Initial,
            value: Value::None,
            scopes: Vec::new(),
            namespaces: Namespaces::new(),
            attributes: Vec::new(),
            local: String::new(),
            namespace: NONE,
            empty: false,
            leaving: false,
            had_root: false,
        })
    }

    pub(super) fn is_element(&self, local: &str, namespace: &str) -> bool {
        self.node == Node::Element && self.local == local && self.uri(self.namespace) == namespace
    }

    fn uri(&self, number: usize) -> &str {
        &self.namespaces.uris[number]
    }

    /// The local name and the namespace of the current element.
    pub(super) fn name(&self) -> (String, String) {
        (self.local.clone(), self.uri(self.namespace).to_owned())
    }

    /// What stands here.
    pub(super) fn node(&self) -> Node {
        self.node
    }

    pub(super) fn is_empty_element(&self) -> bool {
        self.node == Node::Element && self.empty
    }

    /// The attributes of the current element with their namespaces.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &Attribute)> {
        self.attributes.iter().map(|attribute| (self.uri(attribute.namespace), attribute))
    }

    /// The node and the name that stands there, for messages.
    pub(super) fn encountered(&self) -> String {
        format!("'{:?}' with name '{}', namespace '{}'", self.node, self.local, self.uri(self.namespace))
    }

    /// Moves to the next node that is content, or stays: space, comments and the declaration are passed.
    pub(super) fn move_to_content(&mut self) -> Read<Node> {
        loop {
            let content = match self.node {
                Node::Element | Node::EndElement => true,
                Node::Text | Node::CData => !self.is_blank(),
                Node::EndOfFile => return Ok(Node::EndOfFile),
                Node::Initial | Node::Declaration | Node::Whitespace | Node::Comment => false,
            };
            if content {
                return Ok(self.node);
            }
            self.read()?;
        }
    }

    fn is_blank(&self) -> bool {
        match &self.value {
            Value::None => true,
            Value::Bytes(range) => self.bytes[range.clone()].iter().all(|byte| is_space(*byte)),
            Value::Character(character) => matches!(character, ' ' | '\t' | '\r' | '\n'),
        }
    }

    /// Reads the text of the current element and moves behind it.
    pub(super) fn read_element_text(&mut self) -> Read<String> {
        if self.empty {
            self.read()?;
            return Ok(String::new());
        }
        let mut text = String::new();
        loop {
            self.read()?;
            match self.node {
                Node::Text | Node::CData | Node::Whitespace => self.append_value(&mut text)?,
                Node::Comment => {}
                Node::Initial | Node::Declaration | Node::Element | Node::EndElement | Node::EndOfFile => {
                    break;
                }
            }
        }
        self.read_end_element()?;
        Ok(text)
    }

    pub(super) fn append_value(&self, text: &mut String) -> Read<()> {
        match &self.value {
            Value::None => {}
            Value::Character(character) => text.push(*character),
            Value::Bytes(range) => text.push_str(
                std::str::from_utf8(&self.bytes[range.clone()])
                    .map_err(|_| self.error("The input source does not contain valid UTF-8."))?,
            ),
        }
        Ok(())
    }

    /// Moves behind an end tag, which must come next.
    pub(super) fn read_end_element(&mut self) -> Read<()> {
        if self.node != Node::EndElement && self.move_to_content()? != Node::EndElement {
            let found = self.encountered();
            return Err(self.error(&format!("End element expected. Found {found}.")));
        }
        self.read()
    }

    /// Moves behind the current element.
    pub(super) fn skip(&mut self) -> Read<()> {
        if self.node == Node::Element && !self.empty {
            let depth = self.scopes.len();
            while !(self.node == Node::EndElement && self.scopes.len() == depth) {
                self.read()?;
                if self.node == Node::EndOfFile {
                    return Ok(());
                }
            }
        }
        self.read()
    }

    /// Reads one node.
    pub(super) fn read(&mut self) -> Read<()> {
        if std::mem::take(&mut self.leaving) {
            self.leave();
        }
        self.attributes.clear();
        self.value = Value::None;
        if self.at >= self.bytes.len() {
            if !self.scopes.is_empty() {
                return Err(self.ended());
            }
            self.node = Node::EndOfFile;
            return Ok(());
        }
        match self.bytes[self.at] {
            b'<' => self.read_markup(),
            b' ' | b'\t' | b'\n' => {
                self.read_space();
                Ok(())
            }
            byte if self.scopes.is_empty() && byte != b'\r' => {
                Err(self.error("The data at the root level is invalid."))
            }
            byte => self.read_characters(byte),
        }
    }

    fn read_markup(&mut self) -> Read<()> {
        self.at += 1;
        match self.byte()? {
            b'/' => self.read_end_tag(),
            b'?' => self.read_declaration(),
            b'!' => {
                self.at += 1;
                if self.byte()? == b'-' {
                    return self.read_comment();
                }
                if self.scopes.is_empty() {
                    return Err(self.error("CData elements not valid at top level of an XML document."));
                }
                self.read_cdata()
            }
            _ => self.read_start_tag(),
        }
    }

    fn read_characters(&mut self, byte: u8) -> Read<()> {
        match byte {
            b'&' => self.read_entity(),
            b'\r' => {
                self.at += 1;
                if self.bytes.get(self.at) == Some(&b'\n') {
                    self.read_space();
                } else {
                    self.set(Node::Text, Value::Character('\n'));
                }
                Ok(())
            }
            b']' => {
                if self.ahead(3)? == b"]]>" {
                    return Err(self.error("']]>' is not valid in element content."));
                }
                self.at += 1;
                self.set(Node::Text, Value::Character(']'));
                Ok(())
            }
            _ if is_text(byte) => self.read_text(),
            _ => Err(self.error(&format!("The byte 0x{byte:02X} is not valid at this location."))),
        }
    }

    fn set(&mut self, node: Node, value: Value) {
        self.node = node;
        self.value = value;
    }

    fn read_space(&mut self) {
        let start = self.at;
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n')) {
            self.at += 1;
        }
        self.set(Node::Whitespace, Value::Bytes(start..self.at));
    }

    fn read_text(&mut self) -> Read<()> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| is_text(*byte)) {
            self.pass_character()?;
        }
        self.set(Node::Text, Value::Bytes(start..self.at));
        Ok(())
    }

    /// Passes a byte, or a character that may be U+FFFE or U+FFFF.
    fn pass_character(&mut self) -> Read<()> {
        if self.bytes[self.at] != 0xEF {
            self.at += 1;
            return Ok(());
        }
        if let [0xEF, 0xBF, 0xBE | 0xBF] = self.ahead(3)? {
            return Err(self.error("Characters with hexadecimal values 0xFFFE and 0xFFFF are not valid."));
        }
        self.at += 3;
        Ok(())
    }

    fn read_entity(&mut self) -> Read<()> {
        let character = self.read_reference()?;
        let space = matches!(character, ' ' | '\t' | '\r' | '\n');
        self.set(if space { Node::Whitespace } else { Node::Text }, Value::Character(character));
        Ok(())
    }

    fn read_comment(&mut self) -> Read<()> {
        self.at += 1;
        if self.byte()? != b'-' {
            return Err(self.error("The token '--' was expected."));
        }
        self.at += 1;
        loop {
            let byte = self.byte()?;
            if byte != b'-' {
                if !is_comment(byte) {
                    return Err(self.error(&format!("The byte 0x{byte:02X} is not valid at this location.")));
                }
                self.pass_character()?;
                continue;
            }
            match self.ahead(3)? {
                b"-->" => break,
                [b'-', b'-', _] => return Err(self.error("Invalid characters in a comment.")),
                _ => self.at += 1,
            }
        }
        self.at += 3;
        self.set(Node::Comment, Value::None);
        Ok(())
    }

    fn read_cdata(&mut self) -> Read<()> {
        if self.ahead(7)? != b"[CDATA[" {
            return Err(self.error("The token '[CDATA[' was expected."));
        }
        self.at += 7;
        let start = self.at;
        loop {
            if self.byte()? != b']' {
                self.pass_character()?;
            } else if self.ahead(3)? == b"]]>" {
                break;
            } else {
                self.at += 1;
            }
        }
        self.set(Node::CData, Value::Bytes(start..self.at));
        self.at += 3;
        Ok(())
    }

    fn read_declaration(&mut self) -> Read<()> {
        let start = self.ahead(5)?;
        if !start.starts_with(b"?xml") || !is_space(start[4]) {
            let message =
                "Processing instructions (other than the XML declaration) and DTDs are not supported.";
            return Err(self.error(message));
        }
        if self.node != Node::Initial {
            return Err(self.error("No characters can appear before the XML declaration."));
        }
        self.at += 5;
        self.pass_space();
        self.read_attributes()?;
        if self.ahead(2)? != b"?>" {
            return Err(self.error("The token '?>' was expected."));
        }
        self.at += 2;
        self.check_declaration()?;
        self.set(Node::Declaration, Value::None);
        Ok(())
    }

    fn check_declaration(&self) -> Read<()> {
        let named = |index: usize, name: &str| {
            self.attributes.get(index).is_some_and(|found| found.prefix.is_empty() && found.local == name)
        };
        if !named(0, "version") {
            return Err(self.error("Version not found in XML declaration."));
        }
        if self.attributes[0].value != "1.0" {
            return Err(self.error("XML version must be '1.0'."));
        }
        let last = 1 + usize::from(named(1, "encoding"));
        let standalone = named(last, "standalone")
            && ["yes", "no"].iter().any(|word| self.attributes[last].value.eq_ignore_ascii_case(word));
        if self.attributes.len() != last + usize::from(standalone) {
            return Err(self.error("Malformed XML declaration."));
        }
        Ok(())
    }

    fn read_start_tag(&mut self) -> Read<()> {
        self.enter()?;
        let start = self.at;
        let (prefix, local) = self.read_name()?;
        self.scopes.last_mut().expect("the element was entered").name = start..self.at;
        self.byte()?;
        self.pass_space();
        if !matches!(self.byte()?, b'>' | b'/') {
            self.read_attributes()?;
        }
        self.namespace = self.resolve(&prefix)?;
        self.local = local;
        self.empty = self.byte()? == b'/';
        self.at += usize::from(self.empty);
        if self.byte()? != b'>' {
            return Err(self.error("The token '>' was expected."));
        }
        self.at += 1;
        self.leaving = self.empty;
        self.set(Node::Element, Value::None);
        Ok(())
    }

    fn read_end_tag(&mut self) -> Read<()> {
        self.at += 1;
        let expected = self.scopes.last().map(|scope| scope.name.clone());
        let expected = expected.ok_or_else(|| self.error("There is no element to end."))?;
        if self.ahead(expected.len())? != &self.bytes[expected.clone()] {
            return Err(self.error("Start and end tags do not match."));
        }
        self.at += expected.len();
        self.byte()?;
        self.pass_space();
        if self.byte()? != b'>' {
            return Err(self.error("The token '>' was expected."));
        }
        self.at += 1;
        self.leaving = true;
        self.set(Node::EndElement, Value::None);
        Ok(())
    }

    fn enter(&mut self) -> Read<()> {
        if self.scopes.is_empty() && std::mem::replace(&mut self.had_root, true) {
            return Err(self.error("There are multiple root elements."));
        }
        self.scopes.push(Scope { name: 0..0, prefixes: Vec::new() });
        if self.scopes.len() > MAX_DEPTH {
            return Err(self.error(&format!("XML max depth exceeded. It must be less than {MAX_DEPTH}.")));
        }
        Ok(())
    }

    fn leave(&mut self) {
        for prefix in self.scopes.pop().map(|scope| scope.prefixes).unwrap_or_default() {
            self.namespaces.unbind(&prefix);
        }
    }

    /// A name with its prefix, in which nothing but a colon is looked at here.
    fn read_name(&mut self) -> Read<(String, String)> {
        let first = self.read_part()?;
        if self.bytes.get(self.at) != Some(&b':') {
            return Ok((String::new(), first));
        }
        self.at += 1;
        let local = self.read_part()?;
        Ok((first, local))
    }

    fn read_part(&mut self) -> Read<String> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| is_name(*byte)) {
            self.at += 1;
        }
        let part = std::str::from_utf8(&self.bytes[start..self.at]).ok().filter(|part| is_nc_name(part));
        match part {
            Some(part) => Ok(part.to_owned()),
            None if self.at >= self.bytes.len() => Err(self.ended()),
            None => Err(self.error("A name contains a character that cannot be part of one.")),
        }
    }

    fn resolve(&self, prefix: &str) -> Read<usize> {
        let unbound = || self.error(&format!("Unbound prefix used in a qualified name: '{prefix}'."));
        self.namespaces.of(prefix).ok_or_else(unbound)
    }

    /// The byte at the position; the document must not end here.
    fn byte(&self) -> Read<u8> {
        self.bytes.get(self.at).copied().ok_or_else(|| self.ended())
    }

    fn ahead(&self, count: usize) -> Read<&[u8]> {
        self.bytes.get(self.at..self.at + count).ok_or_else(|| self.ended())
    }

    fn pass_space(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| is_space(*byte)) {
            self.at += 1;
        }
    }

    fn ended(&self) -> Fault {
        Fault { ended: true, ..self.error("Unexpected end of file. Following elements are not closed.") }
    }

    /// A refusal at this place.
    pub(super) fn error(&self, message: &str) -> Fault {
        let before = &self.bytes[..self.at.min(self.bytes.len())];
        let line = before.split(|byte| *byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        Fault::new("SerializationException", format!("{message} Line {line}, position {column}."))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n') || (byte >= 0x20 && !matches!(byte, b'&' | b'<' | b']'))
}

fn is_comment(byte: u8) -> bool {
    is_space(byte) || byte >= 0x20
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') || byte >= 0x80
}
