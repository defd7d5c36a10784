//! The words of JSON as Json.NET forgives them: strings, identifiers, numbers, literals, comments.

use super::{END, JsonText, Read, State, Token, is_alphanumeric, is_identifier, is_space, shown};
use crate::mock::webapi::fault::Fault;
use crate::mock::webapi::number;

impl JsonText {
    pub(super) fn read_identifier(&mut self) -> Read<String> {
        let start = self.at;
        loop {
            let unit = self.peek(0);
            if unit == END {
                if !self.has(0)? {
                    return Err(self.error("Unexpected end while parsing unquoted property name."));
                }
                return Ok(self.text_from(start));
            }
            if is_identifier(unit) {
                self.at += 1;
            } else if is_space(unit) || unit == u16::from(b':') {
                return Ok(self.text_from(start));
            } else {
                let found = shown(unit);
                let message = "Invalid JavaScript property identifier character:";
                return Err(self.error(&format!("{message} {found}.")));
            }
        }
    }

    pub(super) fn text_from(&self, start: usize) -> String {
        String::from_utf16_lossy(&self.text.units[start..self.at])
    }

    pub(super) fn parse_string(&mut self, quote: u16) -> Read<()> {
        self.at += 1;
        let text = self.read_string(quote)?;
        self.finish_value(true);
        self.set_unindexed(Token::String, Some(text), false)
    }

    /// Reads up to the quotation mark; whatever stands before it is taken, control characters included.
    pub(super) fn read_string(&mut self, quote: u16) -> Read<String> {
        let mut units = Vec::new();
        loop {
            let unit = self.peek(0);
            if unit == END && !self.has(0)? {
                return Err(self.unterminated(quote));
            }
            self.at += 1;
            if unit == quote {
                return Ok(String::from_utf16_lossy(&units));
            }
            if unit == u16::from(b'\\') {
                self.read_escape(quote, &mut units)?;
            } else {
                units.push(unit);
            }
        }
    }

    pub(super) fn unterminated(&self, quote: u16) -> Fault {
        self.error(&format!("Unterminated string. Expected delimiter: {}.", shown(quote)))
    }

    pub(super) fn read_escape(&mut self, quote: u16, units: &mut Vec<u16>) -> Read<()> {
        if !self.has(0)? {
            return Err(self.unterminated(quote));
        }
        let unit = self.peek(0);
        self.at += 1;
        units.push(match u8::try_from(unit).unwrap_or(0x80) {
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'f' => 12,
            b'r' => 13,
            b'\\' | b'"' | b'\'' | b'/' => unit,
            // Lone surrogates are replaced when the units become text.
            b'u' => self.read_unicode()?,
            _ => return Err(self.error(&format!("Bad JSON escape sequence: \\{}.", shown(unit)))),
        });
        Ok(())
    }

    pub(super) fn read_unicode(&mut self) -> Read<u16> {
        if !self.has(3)? {
            return Err(self.error("Unexpected end while parsing unicode character."));
        }
        let digits = String::from_utf16_lossy(&self.text.units[self.at..self.at + 4]);
        // `int.Parse` allows white space around a hexadecimal number.
        let value = u16::from_str_radix(digits.trim_matches([' ', '\t', '\n', '\r', '\x0B', '\x0C']), 16);
        let value = value.ok().filter(|_| !digits.contains('+'));
        let value = value
            .ok_or_else(|| Fault::new("FormatException", "Input string was not in a correct format."))?;
        self.at += 4;
        Ok(value)
    }

    pub(super) fn parse_number(&mut self) -> Read<()> {
        let start = self.at;
        self.pass_number()?;
        // From here on the reader stands behind the number, so that it can go on after an error.
        self.finish_value(true);
        let token = self.text_from(start);
        match number::read(&token) {
            Ok(number::Number::Integer(text)) => self.set_unindexed(Token::Integer, Some(text), false),
            Ok(number::Number::Float(value)) => {
                self.set_unindexed(Token::Float, Some(number::print(value)), false)
            }
            Err(message) => Err(self.error(&message)),
        }
    }

    pub(super) fn pass_number(&mut self) -> Read<()> {
        loop {
            let unit = self.peek(0);
            match u8::try_from(unit).unwrap_or(0x80) {
                0 => {
                    self.has(0)?;
                    return Ok(());
                }
                b'-' | b'+' | b'.' | b'x' | b'X' | b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' => self.at += 1,
                b',' | b'}' | b']' | b')' | b'/' => return Ok(()),
                _ if is_space(unit) => return Ok(()),
                _ => {
                    let found = shown(unit);
                    let message = "Unexpected character encountered while parsing number:";
                    return Err(self.error(&format!("{message} {found}.")));
                }
            }
        }
    }

    pub(super) fn parse_word(
        &mut self,
        word: &str,
        token: Token,
        value: Option<&str>,
        what: &str,
    ) -> Read<()> {
        if self.match_word(word)? {
            return self.set(token, value.map(str::to_owned));
        }
        Err(self.error(&format!("Error parsing {what} value.")))
    }

    /// Matches a word that a separator must follow; a word that nothing separates is passed all the same.
    pub(super) fn match_word(&mut self, word: &str) -> Read<bool> {
        let matches = self.has(word.len() - 1)?
            && word.bytes().enumerate().all(|(ahead, byte)| self.peek(ahead) == u16::from(byte));
        if !matches {
            return Ok(false);
        }
        self.at += word.len();
        Ok(!self.has(0)? || self.at_separator()?)
    }

    pub(super) fn at_separator(&self) -> Read<bool> {
        let unit = self.peek(0);
        Ok(match u8::try_from(unit).unwrap_or(0x80) {
            0 | b'}' | b']' | b',' => true,
            b'/' => self.has(1)? && (self.peek(1) == u16::from(b'*') || self.peek(1) == u16::from(b'/')),
            b')' => matches!(self.state, State::Constructor | State::ConstructorStart),
            _ => is_space(unit),
        })
    }

    pub(super) fn parse_null_or_constructor(&mut self) -> Read<()> {
        if !self.has(1)? {
            return Err(self.error("Unexpected end."));
        }
        match u8::try_from(self.peek(1)).unwrap_or(0x80) {
            b'u' => self.parse_word("null", Token::Null, None, "null"),
            b'e' => self.parse_constructor(),
            _ => Err(self.unexpected_value()),
        }
    }

    pub(super) fn parse_constructor(&mut self) -> Read<()> {
        if !self.match_word("new")? {
            return Err(self.error("Unexpected content while parsing JSON."));
        }
        self.skip_space()?;
        let start = self.at;
        while is_alphanumeric(self.peek(0)) {
            self.at += 1;
        }
        if !self.has(0)? {
            return Err(self.error("Unexpected end while parsing constructor."));
        }
        let name = self.text_from(start);
        self.skip_space()?;
        if self.peek(0) != u16::from(b'(') {
            let found = shown(self.peek(0));
            return Err(self.error(&format!("Unexpected character while parsing constructor: {found}.")));
        }
        self.at += 1;
        self.set(Token::StartConstructor, Some(name))
    }

    pub(super) fn parse_comment(&mut self) -> Read<()> {
        self.at += 1;
        if !self.has(1)? {
            return Err(self.error("Unexpected end while parsing comment."));
        }
        let one_line = match u8::try_from(self.peek(0)).unwrap_or(0x80) {
            b'*' => false,
            b'/' => true,
            _ => {
                let found = shown(self.peek(0));
                return Err(self.error(&format!("Error parsing comment. Expected: *, got {found}.")));
            }
        };
        self.at += 1;
        let start = self.at;
        if one_line {
            self.pass_line()?;
        } else {
            self.pass_block()?;
        }
        let comment = self.text_from(start);
        self.set(Token::Comment, Some(comment))
    }

    pub(super) fn pass_line(&mut self) -> Read<()> {
        while self.has(0)? {
            let unit = self.peek(0);
            self.at += 1;
            if unit == u16::from(b'\n') || unit == u16::from(b'\r') {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn pass_block(&mut self) -> Read<()> {
        loop {
            if !self.has(0)? {
                return Err(self.error("Unexpected end while parsing comment."));
            }
            let unit = self.peek(0);
            self.at += 1;
            if unit == u16::from(b'*') && self.peek(0) == u16::from(b'/') {
                self.at += 1;
                return Ok(());
            }
        }
    }
}
