//! Plain XML onto a tape: what a serializer of data writes, and nothing else.
//!
//! Declines whatever the strict reader would have to look at twice (attributes inside the root, references, CDATA,
//! comments, prefixes, anything beyond ASCII): the reader is then asked itself. What is accepted here reads there as
//! the same tree, which a test on generated documents holds it to.

use super::grammar::is_space;
use crate::client::codec::tape::{Kind, Tape};
use crate::client::codec::{DEPTH_MAX, VALUES_MAX, is_any, is_none, is_outside, run_length};

/// The nil attribute as serializers write it. Whether `i` is bound as it should be is a matter of the root's tag.
const NIL: &str = " i:nil=\"true\"";

/// Scans `text` onto `tape`, which is cleared first. The raw text of the root's start tag, which says by its
/// attributes what the names mean; `None` where the document is not plain.
pub fn scan<'a>(text: &'a str, tape: &mut Tape) -> Option<&'a str> {
    tape.clear();
    u32::try_from(text.len()).ok()?;
    let mut cursor = Cursor { text, at: 0, values: 0, tape };
    cursor.declaration()?;
    cursor.space();
    let root = cursor.root()?;
    cursor.space();
    (cursor.at == text.len()).then_some(root)
}

/// How much of `bytes` is text that stands for itself.
pub fn plain_length(bytes: &[u8]) -> usize {
    run_length(bytes, |byte| is_any(byte, *b"<&]") | (is_outside(byte, b' ', b'~') & is_none(byte, *b"\t\n")))
}

struct Cursor<'a, 't> {
    text: &'a str,
    at: usize,
    values: usize,
    tape: &'t mut Tape,
}

impl<'a> Cursor<'a, '_> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn eat(&mut self, expected: &str) -> Option<()> {
        self.rest().starts_with(expected.as_bytes()).then(|| self.at += expected.len())
    }

    fn space(&mut self) {
        self.at += self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n')).count();
    }

    /// The declaration in its usual writings, or none.
    fn declaration(&mut self) -> Option<()> {
        if !self.rest().starts_with(b"<?") {
            return Some(());
        }
        self.eat("<?xml version=\"1.0\"")?;
        if self.eat(" encoding=\"utf-8\"").is_none() {
            let _ = self.eat(" encoding=\"UTF-8\"");
        }
        let _ = self.eat(" ");
        self.eat("?>")
    }

    /// The root element: its attributes stand as they are, and are for whoever knows what they mean.
    fn root(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.eat("<")?;
        let name = self.name()?;
        let end = self.rest().iter().position(|byte| matches!(byte, b'>' | b'<'))?;
        let tag_end = self.at + end;
        if self.text.as_bytes()[tag_end] != b'>' || self.text.as_bytes()[tag_end - 1] == b'/' {
            return None;
        }
        // A quote that is not closed means that this `>` stands in a value.
        let tag = &self.text[start..tag_end];
        if tag.contains('\'') || tag.bytes().filter(|byte| *byte == b'"').count() % 2 != 0 {
            return None;
        }
        self.at = tag_end + 1;
        self.content(name, 1)?;
        Some(&self.text[start..=tag_end])
    }

    fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if !rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
            return None;
        }
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
            .count();
        let name = &self.text[self.at..self.at + length];
        self.at += length;
        Some(name)
    }

    /// What is between a start tag and its end tag, the end tag included.
    fn content(&mut self, name: &str, depth: usize) -> Option<()> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return None;
        }
        let start = self.at;
        let text = self.plain_text()?;
        if self.rest().starts_with(b"</") {
            self.tape.push(Kind::Text, start..start + text.len());
            return self.end_tag(name);
        }
        if !text.chars().all(is_space) {
            return None;
        }
        let open = self.tape.open(Kind::Object, start);
        while !self.rest().starts_with(b"</") {
            self.element(depth + 1)?;
            let between = self.plain_text()?;
            if !between.chars().all(is_space) {
                return None;
            }
        }
        self.tape.close(open, self.at);
        self.end_tag(name)
    }

    fn element(&mut self, depth: usize) -> Option<()> {
        self.eat("<")?;
        let start = self.at;
        let name = self.name()?;
        self.tape.push(Kind::Name, start..self.at);
        let nil = self.eat(NIL).is_some();
        let _ = self.eat(" ");
        if self.eat("/>").is_some() {
            self.values += 1;
            let kind = if nil { Kind::Null } else { Kind::Text };
            self.tape.push(kind, self.at..self.at);
            return (depth <= DEPTH_MAX && self.values <= VALUES_MAX).then_some(());
        }
        if nil {
            return None;
        }
        self.eat(">")?;
        self.content(name, depth)
    }

    fn end_tag(&mut self, name: &str) -> Option<()> {
        self.eat("</")?;
        self.eat(name)?;
        self.eat(">")
    }

    /// Text up to the next tag, as long as it is what it looks like.
    fn plain_text(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let length = plain_length(rest);
        if rest.get(length) != Some(&b'<') {
            return None;
        }
        let text = &self.text[self.at..self.at + length];
        self.at += length;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::read::read;
    use super::*;

    const NS: &str = "xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"urn:x\"";

    /// What is scanned is what the reader reads; whether it was scanned at all.
    #[track_caller]
    fn agrees(document: &str) -> bool {
        let mut tape = Tape::default();
        let Some(root) = scan(document, &mut tape) else { return false };
        // What the root's own attributes mean is for whoever uses the scan: it may be nothing.
        if read(&format!("{root}</R>")).is_err() {
            return false;
        }
        let read = read(document).unwrap_or_else(|why| panic!("{document}: {why}"));
        let scanned = tape.root(document).expect("there is a root").tree();
        assert!(scanned == read.tree, "{document}: {scanned:?} and {:?}", read.tree);
        assert!(document.contains(root) && root.starts_with('<') && root.ends_with('>'));
        true
    }

    #[test]
    fn what_a_serializer_writes_is_plain() {
        assert!(agrees(&format!("<R {NS}><a>x</a><b i:nil=\"true\"/><c /><d><e>1</e>\n <f></f></d></R>")));
        assert!(agrees(&format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<R {NS}>\n  <a>x y</a>\n</R>\n"
        )));
    }

    #[test]
    fn what_must_be_looked_at_twice_is_declined() {
        for document in [
            "<R>&amp;</R>",
            "<R><![CDATA[x]]></R>",
            "<R><!-- c --></R>",
            "<R><a b=\"c\"/></R>",
            "<R><p:a/></R>",
            "<R>é</R>",
            "<R a=\">\">x</R>",
            "<R a='\"'>x</R>",
            "<R>x<a/></R>",
            "<R><a></b></R>",
            "<R></R>x",
            "<R>",
            "",
            "<R>a]]>b</R>",
        ] {
            assert!(!agrees(document), "{document}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn whatever_is_accepted_reads_as_the_same_tree(
            inside in "(<[ab]( i:nil=\"true\")?( )?/?>|</[ab]>|[ xy\n>\"'\\]&;!-]|<!--|-->|<a>x</a>|<b i:nil=\"true\"/>){0,12}",
            attributes in "( [xy]=\"[>a ]{0,2}\"){0,2}",
        ) {
            agrees(&format!("<R {NS}{attributes}>{inside}</R>"));
        }
    }
}
