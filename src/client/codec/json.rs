//! JSON by RFC 8259: written without added whitespace, read without leniency.

use super::tape::{Kind, Open, Tape};
use super::{DEPTH_MAX, Leaf, Tree, VALUES_MAX, is_any, is_control, run_length};

/// The members as one object.
pub(super) fn write(members: &[(String, Leaf)]) -> Vec<u8> {
    let mut out = Vec::new();
    write_object(&mut out, members);
    out
}

fn write_object(out: &mut Vec<u8>, members: &[(String, Leaf)]) {
    out.push(b'{');
    for (index, (name, leaf)) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(out, name);
        out.push(b':');
        match leaf {
            Leaf::Text(text) => write_text(out, text),
            Leaf::Null => out.extend_from_slice(b"null"),
            Leaf::Raw(bytes) => out.extend_from_slice(bytes),
            Leaf::Object(members) => write_object(out, members),
        }
    }
    out.push(b'}');
}

/// The text between the quotes.
pub(super) fn escape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    escape_into(&mut out, text);
    out
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape_into(out, text);
    out.push(b'"');
}

/// Only what RFC 8259 section 7 requires is escaped.
fn escape_into(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
}

/// Reads one JSON text.
pub(super) fn read(text: &str) -> Result<Tree, String> {
    let mut tape = Tape::default();
    scan(text, &mut tape)?;
    Ok(tape.root(text).expect("a text that was read has a value").tree())
}

/// Reads one JSON text onto `tape`, which is cleared first.
pub(super) fn scan(text: &str, tape: &mut Tape) -> Result<(), String> {
    tape.clear();
    if u32::try_from(text.len()).is_err() {
        return Err("a document of more than four gigabytes".to_owned());
    }
    let mut cursor = Cursor { text, at: 0, values: 0, tape };
    cursor.skip_space();
    cursor.value(0)?;
    cursor.skip_space();
    if cursor.at < text.len() {
        return cursor.wrong("text after the end of the document");
    }
    Ok(())
}

/// The text between the quotes of a string that was scanned before, its escapes resolved.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut escapes = Escapes { text: raw, at: 0 };
    while let Some(found) = raw[escapes.at..].find('\\') {
        text.push_str(&raw[escapes.at..escapes.at + found]);
        escapes.at += found;
        text.push(escapes.next().expect("the string was scanned before"));
    }
    text.push_str(&raw[escapes.at..]);
    text
}

/// Walks the text. `at` is always on a character boundary, because only ASCII is stepped over byte by byte.
struct Cursor<'a, 't> {
    text: &'a str,
    at: usize,
    values: usize,
    tape: &'t mut Tape,
}

impl Cursor<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn wrong<T>(&self, what: &str) -> Result<T, String> {
        wrong(self.text, self.at, what)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.peek() != Some(byte) {
            return self.wrong(&format!("no `{}`", byte as char));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), String> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return self.wrong("too many values");
        }
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH_MAX => self.wrong(&format!("more than {DEPTH_MAX} levels")),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => self.string(Kind::Text, Kind::Escaped),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<(), String> {
        let rest = &self.text[self.at..];
        for (word, kind) in [("null", Kind::Null), ("true", Kind::Flag(true)), ("false", Kind::Flag(false))] {
            if rest.starts_with(word) {
                self.tape.push(kind, self.at..self.at + word.len());
                self.at += word.len();
                return Ok(());
            }
        }
        self.wrong("no value")
    }

    fn object(&mut self, depth: usize) -> Result<(), String> {
        let open = self.tape.open(Kind::Object, self.at);
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.end(open);
            return Ok(());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return self.wrong("no member name in quotes");
            }
            self.string(Kind::Name, Kind::EscapedName)?;
            self.skip_space();
            self.expect(b':')?;
            self.skip_space();
            self.value(depth)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.wrong("no `,` or `}`"),
            }
        }
        self.end(open);
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<(), String> {
        let open = self.tape.open(Kind::List, self.at);
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.end(open);
            return Ok(());
        }
        loop {
            self.skip_space();
            self.value(depth)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.wrong("no `,` or `]`"),
            }
        }
        self.end(open);
        Ok(())
    }

    fn end(&mut self, open: Open) {
        self.at += 1;
        self.tape.close(open, self.at);
    }

    fn digits(&mut self) -> Result<(), String> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.wrong("no digit");
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return self.wrong("a number with a leading zero");
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        self.tape.push(Kind::Number, start..self.at);
        Ok(())
    }

    /// A string: `plain` without an escape in it, `escaped` with one.
    fn string(&mut self, plain: Kind, escaped: Kind) -> Result<(), String> {
        self.at += 1;
        let start = self.at;
        let mut kind = plain;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            self.at += run_length(rest, |byte| is_any(byte, *b"\"\\") | is_control(byte));
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    kind = escaped;
                    let mut escapes = Escapes { text: self.text, at: self.at };
                    escapes.next()?;
                    self.at = escapes.at;
                }
                _ => return self.wrong("a bare control character in text"),
            }
        }
        self.tape.push(kind, start..self.at);
        self.at += 1;
        Ok(())
    }
}

fn wrong<T>(text: &str, at: usize, what: &str) -> Result<T, String> {
    if at >= text.len() {
        return Err(format!("the document ends at byte {at} where it is not complete"));
    }
    Err(format!("{what} at byte {at}"))
}

/// Reads one escape: `at` is on its backslash, and behind it afterwards.
struct Escapes<'a> {
    text: &'a str,
    at: usize,
}

impl Escapes<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn wrong<T>(&self, what: &str) -> Result<T, String> {
        wrong(self.text, self.at, what)
    }

    fn next(&mut self) -> Result<char, String> {
        self.at += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unit(),
            _ => return self.wrong("an unknown escape"),
        };
        self.at += 1;
        Ok(character)
    }

    /// `uXXXX`, and the second half of a surrogate pair with it. A lone half is no character: refused.
    fn unit(&mut self) -> Result<char, String> {
        let first = self.four_digits()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).map_or_else(|| self.wrong("no character"), Ok);
        }
        if first < 0xDC00 && self.text[self.at..].starts_with("\\u") {
            self.at += 1;
            let second = self.four_digits()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return char::from_u32(code).map_or_else(|| self.wrong("no character"), Ok);
            }
        }
        Err(format!("half of a surrogate pair before byte {}", self.at))
    }

    fn four_digits(&mut self) -> Result<u32, String> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| (byte as char).to_digit(16)) else {
                return self.wrong("no hexadecimal digit");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Leaf {
        Leaf::Text(text.to_owned())
    }

    #[track_caller]
    fn refused(document: &str, why: &str) {
        assert_eq!(read(document).unwrap_err(), why, "{document}");
    }

    #[test]
    fn writing_adds_nothing_and_escapes_only_what_it_must() {
        let members = [
            ("a".to_owned(), text("\"\\/<é>\u{1}\n\u{7f}")),
            ("a".to_owned(), Leaf::Null),
            ("b".to_owned(), Leaf::Raw(b"09".to_vec())),
            ("c".to_owned(), Leaf::Object(vec![("d".to_owned(), text(""))])),
        ];
        assert_eq!(
            String::from_utf8(write(&members)).unwrap(),
            "{\"a\":\"\\\"\\\\/<é>\\u0001\\n\u{7f}\",\"a\":null,\"b\":09,\"c\":{\"d\":\"\"}}"
        );
    }

    #[test]
    fn order_duplicates_and_number_text_are_kept() {
        let tree = read(" { \"b\" : 1.50, \"a\": [true, null, -0e+1] , \"b\": \"\\u00e9\\ud83d\\ude00\" } ");
        let expected = Tree::Object(vec![
            ("b".to_owned(), Tree::Number("1.50".to_owned())),
            (
                "a".to_owned(),
                Tree::List(vec![Tree::Flag(true), Tree::Null, Tree::Number("-0e+1".to_owned())]),
            ),
            ("b".to_owned(), Tree::Text("é😀".to_owned())),
        ]);
        assert!(tree.as_ref() == Ok(&expected), "{tree:?}");
        assert_eq!(expected.get("/a/2"), Some(&Tree::Number("-0e+1".to_owned())));
        assert_eq!(expected.get("/"), Some(&expected));
        assert_eq!(expected.get("/b/c"), None);
    }

    #[test]
    fn what_json_net_forgives_is_refused() {
        refused("", "the document ends at byte 0 where it is not complete");
        refused("{\"a\":1", "the document ends at byte 6 where it is not complete");
        refused("{\"a\":1,}", "no member name in quotes at byte 7");
        refused("{'a':1}", "no member name in quotes at byte 1");
        refused("{a:1}", "no member name in quotes at byte 1");
        refused("[1,]", "no value at byte 3");
        refused("{} {}", "text after the end of the document at byte 3");
        refused("/* c */{}", "no value at byte 0");
        refused("\u{feff}{}", "no value at byte 0");
        refused("[01]", "a number with a leading zero at byte 2");
        refused("[+1]", "no value at byte 1");
        refused("[.5]", "no value at byte 1");
        refused("[1.]", "no digit at byte 3");
        refused("[NaN]", "no value at byte 1");
        refused("[True]", "no value at byte 1");
        refused("\"a\tb\"", "a bare control character in text at byte 2");
        refused("\"\\x\"", "an unknown escape at byte 2");
        refused("\"\\ud83d\"", "half of a surrogate pair before byte 7");
        refused("\"\\udc00\"", "half of a surrogate pair before byte 7");
        refused("\"\\u12é4\"", "no hexadecimal digit at byte 5");
    }

    #[test]
    fn depth_and_the_number_of_values_are_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        refused(&nested(DEPTH_MAX + 1), "more than 512 levels at byte 512");
        refused(&"[".repeat(1_000_000), "more than 512 levels at byte 512");
        refused(&format!("[{}0]", "0,".repeat(1_000_000)), "too many values at byte 399999");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(members in proptest::collection::vec((".*", ".*"), 0..8)) {
            let leaves: Vec<_> = members.iter().map(|(name, value)| (name.clone(), text(value))).collect();
            let tree = read(std::str::from_utf8(&write(&leaves)).unwrap()).unwrap();
            let expected =
                Tree::Object(members.into_iter().map(|(name, value)| (name, Tree::Text(value))).collect());
            prop_assert!(tree == expected);
        }

        #[test]
        fn the_verdict_is_that_of_an_independent_reader(
            document in r#"[\[\]{}:,"\\ut0-9a.eE+\- dD8cnulfrs]{0,24}|[\[{]("[a-z\\"/]{0,4}"|[0-9.eE-]{1,5}|,|:|\]|\}| ){0,10}"#
        ) {
            let theirs = serde_json::from_str::<serde_json::Value>(&document);
            // serde_json also refuses numbers beyond f64, which RFC 8259 does not.
            prop_assume!(!theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range")));
            prop_assert_eq!(read(&document).is_ok(), theirs.is_ok(), "{}", document);
        }

        #[test]
        fn no_text_makes_it_panic(document in ".*") {
            drop(read(&document));
        }
    }
}
