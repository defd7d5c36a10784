//! Names in XML: which characters make one, and which namespace a prefix stands for.

use std::collections::HashMap;

/// Namespaces are numbers, so that a long one that many names use costs its length once.
#[derive(Debug)]
pub(super) struct Namespaces {
    pub(super) uris: Vec<String>,
    numbers: HashMap<String, usize>,
    /// Prefix → what it stood for, the innermost last.
    bound: HashMap<String, Vec<usize>>,
}

/// No namespace.
pub(super) const NONE: usize = 0;
/// `xml:`
const XML: usize = 1;
/// `xmlns:`
pub(super) const XMLNS: usize = 2;

impl Namespaces {
    pub(super) fn new() -> Namespaces {
        let known = ["", "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"];
        let uris: Vec<String> = known.iter().map(|uri| (*uri).to_owned()).collect();
        let numbers = uris.iter().cloned().enumerate().map(|(number, uri)| (uri, number)).collect();
        Namespaces { uris, numbers, bound: HashMap::new() }
    }

    pub(super) fn bind(&mut self, prefix: &str, uri: &str) {
        let number = self.numbers.get(uri).copied().unwrap_or_else(|| {
            self.uris.push(uri.to_owned());
            self.numbers.insert(uri.to_owned(), self.uris.len() - 1);
            self.uris.len() - 1
        });
        self.bound.entry(prefix.to_owned()).or_default().push(number);
    }

    pub(super) fn unbind(&mut self, prefix: &str) {
        self.bound.get_mut(prefix).and_then(Vec::pop);
    }

    pub(super) fn of(&self, prefix: &str) -> Option<usize> {
        match self.bound.get(prefix).and_then(|bound| bound.last()) {
            Some(number) => Some(*number),
            None if prefix.is_empty() => Some(NONE),
            None => (prefix == "xml").then_some(XML),
        }
    }
}

/// Whether a text is a name without a colon.
pub(super) fn is_nc_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_character)
}

/// `NCNameStartChar` of "Namespaces in XML".
pub(super) fn is_name_start(character: char) -> bool {
    matches!(character, 'A'..='Z' | 'a'..='z' | '_')
        || (character >= '\u{C0}' && character.is_alphabetic() && !matches!(character, '\u{D7}' | '\u{F7}'))
}

/// `NCNameChar`.
pub(super) fn is_name_character(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}')
        || (character > '\u{FF}' && character.is_numeric())
}
