//! Strict reading. quick-xml splits the text into events and matches tags; everything else that makes a
//! document well-formed is checked here, and namespaces are resolved here.

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::{BytesStart, Event};

use super::XSI;
use super::grammar::{attributes, is_char, is_plain_name, is_space, resolve, split_name};
use crate::client::codec::{DEPTH_MAX, Tree, VALUES_MAX, XmlDocument};

/// So many stray elements are named at most.
const STRAYS_MAX: usize = 16;

/// Every name looks through the bindings in force, so their number is bounded.
const BINDINGS_MAX: usize = 256;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Reads one XML document.
pub fn read(text: &str) -> Result<XmlDocument, String> {
    if let Some((at, _)) = text.char_indices().find(|(_, c)| !is_char(*c)) {
        return Err(format!("a character that XML does not allow at byte {at}"));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut building = Building::default();
    loop {
        let begin = reader.buffer_position();
        let event = match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => event,
            Err(error) => return Err(format!("{} at byte {}", reason(&error), reader.error_position())),
        };
        building.take(&event, begin == 0).map_err(|what| format!("{what} at byte {begin}"))?;
    }
    building.finish(text.len())
}

/// The library's errors, without the names that it quotes.
fn reason(error: &Error) -> &'static str {
    match error {
        Error::IllFormed(IllFormedError::MismatchedEndTag { .. }) => "an end tag that closes another element",
        Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => "an end tag without a beginning",
        Error::IllFormed(IllFormedError::UnclosedReference) => "a bare `&`",
        Error::IllFormed(IllFormedError::MissingEndTag(_)) => "an element without end",
        Error::Syntax(_) => "markup without end",
        _ => "broken markup",
    }
}

/// An element that is not closed yet.
#[derive(Default)]
struct Open {
    local: String,
    namespace: String,
    members: Vec<(String, Tree)>,
    text: String,
    nil: bool,
    /// How many bindings were in force outside it.
    bindings_outside: usize,
}

/// The document in the making.
#[derive(Default)]
struct Building {
    open: Vec<Open>,
    /// Prefix → namespace, innermost last.
    bindings: Vec<(String, String)>,
    done: Option<Open>,
    strays: Vec<String>,
    stray_namespaces: Vec<String>,
    elements: usize,
}

impl Building {
    fn take(&mut self, event: &Event<'_>, first: bool) -> Result<(), &'static str> {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::Empty(tag) => self.start(tag).map(|()| self.end()),
            Event::End(_) => {
                self.end();
                Ok(())
            }
            Event::Text(text) if text.contains("]]>") => Err("`]]>` in text"),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(_) | Event::GeneralRef(_) if self.open.is_empty() => {
                Err("text outside the root element")
            }
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = resolve(reference)?;
                self.open.last_mut().map_or(Ok(()), |element| {
                    element.text.push(character);
                    Ok(())
                })
            }
            Event::Comment(text) if text.contains("--") || text.ends_with('-') => Err("`--` in a comment"),
            Event::Comment(_) | Event::Eof => Ok(()),
            Event::Decl(declaration) if first => declared(declaration.strip_prefix("xml").unwrap_or("")),
            Event::Decl(_) => Err("an XML declaration that is not the beginning"),
            Event::PI(instruction) => {
                let target = instruction.target();
                let legal = is_plain_name(target) && !target.eq_ignore_ascii_case("xml");
                if legal { Ok(()) } else { Err("an illegal processing instruction") }
            }
            Event::DocType(_) => Err("a document type declaration"),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), &'static str> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.chars().all(is_space) => {}
            None => return Err("text outside the root element"),
        }
        Ok(())
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), &'static str> {
        if self.done.is_some() {
            return Err("a second root element");
        }
        if self.open.len() == DEPTH_MAX {
            return Err("too many levels");
        }
        self.elements += 1;
        if self.elements > VALUES_MAX {
            return Err("too many elements");
        }
        let name = tag.name();
        let (prefix, local) = split_name(name.as_ref())?;
        let attributes = attributes(tag.attributes_raw())?;
        let bindings_outside = self.bindings.len();
        for (name, value) in &attributes {
            self.bind(name, value)?;
        }
        let nil = self.check_attributes(&attributes)?;
        let namespace = self.namespace(prefix)?.to_owned();
        let local = local.to_owned();
        self.open.push(Open { local, namespace, nil, bindings_outside, ..Open::default() });
        self.note_stray();
        Ok(())
    }

    /// Puts a namespace declaration into force; other attributes are none.
    fn bind(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let prefix = match name.split_once(':') {
            Some(("xmlns", prefix)) => prefix,
            None if name == "xmlns" => "",
            _ => return Ok(()),
        };
        let reserved = prefix == "xmlns" || value == XMLNS || (prefix == "xml") != (value == XML);
        if reserved || (value.is_empty() && !prefix.is_empty()) {
            return Err("an illegal namespace declaration");
        }
        if self.bindings.len() == BINDINGS_MAX {
            return Err("too many namespace declarations");
        }
        self.bindings.push((prefix.to_owned(), value.to_owned()));
        Ok(())
    }

    /// The namespace of a prefix; the empty prefix may have none.
    fn namespace(&self, prefix: &str) -> Result<&str, &'static str> {
        let bound = self.bindings.iter().rev().find(|(candidate, _)| candidate == prefix);
        match bound {
            Some((_, namespace)) => Ok(namespace),
            None if prefix.is_empty() => Ok(""),
            None if prefix == "xml" => Ok(XML),
            None => Err("a prefix without namespace"),
        }
    }

    /// Whether `nil` is said. Two attributes may not have one expanded name.
    fn check_attributes(&self, attributes: &[(&str, String)]) -> Result<bool, &'static str> {
        let mut nil = false;
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for (name, value) in attributes {
            let (prefix, local) = split_name(name)?;
            if prefix.is_empty() || prefix == "xmlns" {
                continue;
            }
            let namespace = self.namespace(prefix)?;
            if seen.contains(&(namespace, local)) {
                return Err("an attribute twice");
            }
            seen.push((namespace, local));
            nil |= namespace == XSI && local == "nil" && matches!(value.trim_matches(is_space), "true" | "1");
        }
        Ok(nil)
    }

    fn note_stray(&mut self) {
        let [root, inner @ ..] = self.open.as_slice() else { return };
        let stray = inner.last().filter(|element| element.namespace != root.namespace);
        if let Some(stray) = stray.filter(|_| self.strays.len() < STRAYS_MAX) {
            self.stray_namespaces.push(String::clone(&stray.namespace));
            self.strays.push(inner.iter().flat_map(|element| ["/", &element.local]).collect());
        }
    }

    fn end(&mut self) {
        let Some(element) = self.open.pop() else { return };
        self.bindings.truncate(element.bindings_outside);
        match self.open.last_mut() {
            Some(outer) => outer.members.push((element.local.clone(), element.into_tree())),
            None => self.done = Some(element),
        }
    }

    fn finish(self, length: usize) -> Result<XmlDocument, String> {
        if !self.open.is_empty() {
            return Err(format!("the document ends at byte {length} where it is not complete"));
        }
        let root = self.done.ok_or("no root element")?;
        Ok(XmlDocument {
            root: root.local.clone(),
            namespace: root.namespace.clone(),
            strays: self.strays,
            stray_namespaces: self.stray_namespaces,
            tree: root.into_tree(),
        })
    }
}

impl Open {
    /// A nil element that has content nevertheless is what its content says, so that nothing can hide in it.
    fn into_tree(mut self) -> Tree {
        let blank = self.text.chars().all(is_space);
        if self.members.is_empty() {
            return if self.nil && blank { Tree::Null } else { Tree::Text(self.text) };
        }
        if !blank {
            self.members.push(("#text".to_owned(), Tree::Text(self.text)));
        }
        Tree::Object(self.members)
    }
}

/// What stands in `<?xml … ?>` behind the name. Only version 1.0 is read.
fn declared(raw: &str) -> Result<(), &'static str> {
    const WRONG: &str = "a malformed XML declaration";
    let found = attributes(raw).map_err(|_| WRONG)?;
    let mut rest = found.as_slice();
    rest = match rest {
        [("version", version), rest @ ..] if version == "1.0" => rest,
        [("version", _), ..] => return Err("an XML version other than 1.0"),
        _ => return Err(WRONG),
    };
    if let [("encoding", encoding), after @ ..] = rest {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !encoding.starts_with(|c: char| c.is_ascii_alphabetic()) || !encoding.chars().all(legal) {
            return Err(WRONG);
        }
        rest = after;
    }
    if let [("standalone", standalone), after @ ..] = rest
        && matches!(standalone.as_str(), "yes" | "no")
    {
        rest = after;
    }
    if rest.is_empty() { Ok(()) } else { Err(WRONG) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::codec::{Leaf, Outgoing, write};
    use crate::dialect::Codec;

    fn text(text: &str) -> Tree {
        Tree::Text(text.to_owned())
    }

    #[track_caller]
    fn tree(document: &str) -> Tree {
        read(document).unwrap().tree
    }

    #[track_caller]
    fn refused(document: &str, why: &str) {
        let error = read(document).unwrap_err();
        assert!(error.starts_with(why), "{document}: {error}");
    }

    #[test]
    fn elements_become_members_and_nil_empty_and_absent_stay_apart() {
        let read = read(
            "<?xml version='1.0' encoding=\"utf-8\"?>\n<p:R xmlns:p='urn:r' xmlns:n='http://www.w3.org/2001/XMLSchema-instance'>\
             <p:a n:nil='1'/><p:a></p:a> <p:b>1&amp;2&#x20;<![CDATA[<x>]]><!-- c -->\r\n</p:b><c><p:d n:nil='true'>x</p:d></c></p:R>",
        )
        .unwrap();
        assert_eq!((read.root.as_str(), read.namespace.as_str()), ("R", "urn:r"));
        assert_eq!(read.strays, ["/c"]);
        let expected = Tree::Object(vec![
            ("a".to_owned(), Tree::Null),
            ("a".to_owned(), text("")),
            ("b".to_owned(), text("1&2 <x>\n")),
            ("c".to_owned(), Tree::Object(vec![("d".to_owned(), text("x"))])),
        ]);
        assert!(read.tree == expected, "{:?}", read.tree);
        assert_eq!(read.tree.get("/c/d"), Some(&text("x")));
    }

    #[test]
    fn text_beside_elements_is_not_lost() {
        assert_eq!(tree("<a>x<b/></a>").get("/#text"), Some(&text("x")));
        assert_eq!(tree("<a/>"), text(""));
    }

    #[test]
    fn an_inner_binding_ends_with_its_element() {
        refused("<a><b xmlns:p='urn:p'/><p:c/></a>", "a prefix without namespace");
        let strays = read("<a xmlns='urn:a'><b xmlns=''><c/></b><d/></a>").unwrap().strays;
        assert_eq!(strays, ["/b", "/b/c"]);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        refused("", "no root element");
        refused(" \n", "no root element");
        refused("x<a/>", "text outside the root element");
        refused("<a/>x", "text outside the root element");
        refused("<a/>&amp;", "text outside the root element");
        refused("<a/><![CDATA[]]>", "text outside the root element");
        refused("<a/><b/>", "a second root element");
        refused("<a><b></a></b>", "an end tag that closes another element at byte 6");
        refused("<a>", "the document ends at byte 3");
        refused("</a>", "an end tag without a beginning");
        refused("<a b='1' b='2'/>", "an attribute twice");
        refused("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "an attribute twice");
        refused("<a b='1'c='2'/>", "no space before an attribute");
        refused("<a b=1/>", "an attribute without quotes");
        refused("<a b='<'/>", "");
        refused("<p:a/>", "a prefix without namespace");
        refused("<a p:b='1'/>", "a prefix without namespace");
        refused("<a xmlns:p=''/>", "an illegal namespace declaration");
        refused("<a xmlns:xmlns='urn:a'/>", "an illegal namespace declaration");
        refused("<a>&nbsp;</a>", "an undefined entity");
        refused("<a>&</a>", "a bare `&`");
        refused("<a>&#0;</a>", "a reference to an illegal character");
        refused("<a>&#x1;</a>", "a reference to an illegal character");
        refused("<a>\u{1}</a>", "a character that XML does not allow at byte 3");
        refused("<a>\u{fffe}</a>", "a character that XML does not allow at byte 3");
        refused("<a>]]></a>", "`]]>` in text");
        refused("<a><!-- a -- b --></a>", "`--` in a comment");
        refused("<!DOCTYPE a><a/>", "a document type declaration");
        refused("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "a document type declaration");
        refused(" <?xml version='1.0'?><a/>", "an XML declaration that is not the beginning");
        refused("<?xml version='1.1'?><a/>", "an XML version other than 1.0");
        refused("<?xml encoding='utf-8'?><a/>", "a malformed XML declaration");
        refused("<?XML x?><a/>", "an illegal processing instruction");
        refused("<1a/>", "an illegal name");
        refused("<a", "markup without end");
        refused("{}", "text outside the root element");
    }

    #[test]
    fn depth_size_and_the_list_of_strays_are_bounded() {
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        refused(&nested(DEPTH_MAX + 1), "too many levels at byte 1536");
        refused(&format!("<a>{}</a>", "<b/>".repeat(VALUES_MAX)), "too many elements");
        refused(&"<a xmlns='urn:a'>".repeat(BINDINGS_MAX + 1), "too many namespace declarations");
        let strays = format!("<a>{}</a>", "<b xmlns='urn:b'/>".repeat(100));
        assert_eq!(read(&strays).unwrap().strays.len(), STRAYS_MAX);
    }

    /// Pieces that are likely to meet a rule.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = proptest::sample::select(vec![
            "<a>",
            "</a>",
            "<b/>",
            "<a b='1'>",
            "<p:a xmlns:p='u'>",
            "</p:a>",
            "<a xmlns='v' >",
            "&amp;",
            "&lt",
            "&#65;",
            "&#x0;",
            "<!--",
            "-->",
            "-",
            "<![CDATA[",
            "]]>",
            "<?pi x?>",
            "<?xml version='1.0'?>",
            " ",
            "\r\n",
            "x",
            "é",
            "\"",
            "'",
            "<",
            ">",
            "/",
            "=",
            "b='2'",
            "<!DOCTYPE a>",
            "\u{b}",
            ":",
        ]);
        proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
    }

    /// The tree that another reader sees, by the rules of this one.
    fn seen_by_another(element: roxmltree::Node<'_, '_>) -> Tree {
        let members: Vec<_> = element
            .children()
            .filter(roxmltree::Node::is_element)
            .map(|child| (child.tag_name().name().to_owned(), seen_by_another(child)))
            .collect();
        let inside =
            element.children().filter(roxmltree::Node::is_text).filter_map(|text| text.text()).collect();
        let nil = matches!(element.attribute((XSI, "nil")), Some("true" | "1"));
        Open { members, text: inside, nil, ..Open::default() }.into_tree()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn an_independent_reader_sees_the_same(document in pieces(), wrapped: bool) {
            let document = if wrapped { format!("<a>{document}</a>") } else { document };
            let ours = read(&document);
            match roxmltree::Document::parse(&document) {
                Err(error) => prop_assert!(ours.is_err(), "{document}: {error}"),
                Ok(theirs) => {
                    let root = theirs.root_element();
                    let ours = ours.map_err(|error| TestCaseError::fail(format!("{document}: {error}")))?;
                    prop_assert_eq!(ours.root, root.tag_name().name());
                    prop_assert_eq!(ours.namespace, root.tag_name().namespace().unwrap_or_default());
                    prop_assert!(ours.tree == seen_by_another(root), "{}", document);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            members in proptest::collection::vec(
                ("[A-Za-z_é][A-Za-z0-9_.-]{0,6}", "[\\PC\t\r\n \u{10ffff}<>&\"']{0,12}"), 1..8)
        ) {
            let document = Outgoing {
                codec: Codec::Xml,
                root: Some("R".to_owned()),
                namespaces: vec![(String::new(), "urn:r".to_owned())],
                members: members.iter().map(|(name, value)| (name.clone(), Leaf::Text(value.clone()))).collect(),
            };
            let bytes = write(&document);
            let written = std::str::from_utf8(&bytes).unwrap();
            prop_assert!(roxmltree::Document::parse(written).is_ok());
            let expected =
                Tree::Object(members.into_iter().map(|(name, value)| (name, Tree::Text(value))).collect());
            prop_assert!(read(written).unwrap().tree == expected);
        }

        #[test]
        fn no_text_makes_it_panic(document in "[<>/!?&;#'\"=a:\\-\\[\\]x ]{0,40}|.*") {
            drop(read(&document));
        }
    }
}
