//! Attributes with their namespaces, and references to characters.

use std::collections::HashSet;

use super::{Attribute, Read, XmlText};
use crate::mock::webapi::xml_names::{NONE, XMLNS};

impl XmlText {
    pub(super) fn read_attributes(&mut self) -> Read<()> {
        loop {
            let attribute = self.read_attribute()?;
            self.declare(&attribute)?;
            self.attributes.push(attribute);
            let before = self.at;
            self.byte()?;
            self.pass_space();
            if matches!(self.byte()?, b'>' | b'/' | b'?') {
                return self.resolve_attributes();
            }
            if self.at == before {
                return Err(self.error("There must be white space between attributes."));
            }
        }
    }

    pub(super) fn read_attribute(&mut self) -> Read<Attribute> {
        let (prefix, local) = self.read_name()?;
        self.byte()?;
        self.pass_space();
        if self.byte()? != b'=' {
            return Err(self.error("The token '=' was expected."));
        }
        self.at += 1;
        self.byte()?;
        self.pass_space();
        let quote = self.byte()?;
        if quote != b'"' && quote != b'\'' {
            return Err(self.error("The token '\"' was expected."));
        }
        self.at += 1;
        let value = self.read_attribute_value(quote)?;
        self.at += 1;
        Ok(Attribute { prefix, local, namespace: NONE, value })
    }

    pub(super) fn read_attribute_value(&mut self, quote: u8) -> Read<String> {
        let mut value = Vec::new();
        loop {
            match self.byte()? {
                byte if byte == quote => return Ok(String::from_utf8_lossy(&value).into_owned()),
                b'&' => {
                    let character = self.read_reference()?;
                    value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                b'\n' | b'\r' | b'\t' => {
                    value.push(b' ');
                    self.at += 1;
                }
                b'<' | 0..0x20 => return Err(self.error("The closing quotation mark was expected.")),
                _ => {
                    let start = self.at;
                    self.pass_character()?;
                    value.extend_from_slice(&self.bytes[start..self.at]);
                }
            }
        }
    }

    /// Takes a declaration of a namespace into the scope.
    pub(super) fn declare(&mut self, attribute: &Attribute) -> Read<()> {
        let prefix = match (attribute.prefix.as_str(), attribute.local.as_str()) {
            ("xmlns", prefix) => prefix,
            ("", "xmlns") => "",
            _ => return Ok(()),
        };
        if !prefix.is_empty() && attribute.value.is_empty() {
            return Err(
                self.error(&format!("The empty namespace requires a null or empty prefix: '{prefix}'."))
            );
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.prefixes.push(prefix.to_owned());
            self.namespaces.bind(prefix, &attribute.value);
        }
        Ok(())
    }

    /// Gives attributes their namespaces; none may be there twice.
    pub(super) fn resolve_attributes(&mut self) -> Read<()> {
        let mut seen = HashSet::new();
        for index in 0..self.attributes.len() {
            let attribute = &self.attributes[index];
            let namespace = match attribute.prefix.as_str() {
                "" if attribute.local == "xmlns" => XMLNS,
                "" => NONE,
                "xmlns" => XMLNS,
                prefix => self.resolve(prefix)?,
            };
            let local = attribute.local.clone();
            if !seen.insert((local, namespace)) {
                return Err(self.error("There is a duplicate attribute."));
            }
            self.attributes[index].namespace = namespace;
        }
        Ok(())
    }

    /// Reads a reference at `&`: the five standard entities and numbers, zero included.
    pub(super) fn read_reference(&mut self) -> Read<char> {
        let start = self.at + 1;
        let length = self.bytes[start..].iter().position(|byte| *byte == b';');
        let end = start + length.ok_or_else(|| self.ended())?;
        let character = match &self.bytes[start..end] {
            b"lt" => Some('<'),
            b"gt" => Some('>'),
            b"amp" => Some('&'),
            b"apos" => Some('\''),
            b"quot" => Some('"'),
            [b'#', b'x', digits @ ..] => numbered(digits, 16),
            [b'#', digits @ ..] => numbered(digits, 10),
            _ => None,
        };
        let character = character.ok_or_else(|| self.error("Unrecognized character or entity reference."))?;
        self.at = end + 1;
        Ok(character)
    }
}

fn numbered(digits: &[u8], radix: u32) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let value = if plain { u32::from_str_radix(digits, radix).ok()? } else { return None };
    // Half of a surrogate pair is taken and cannot be told from a replaced one later.
    if (0xD800..0xE000).contains(&value) { Some('\u{FFFD}') } else { char::from_u32(value) }
}
