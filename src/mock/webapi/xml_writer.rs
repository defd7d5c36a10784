//! Writes values as `DataContractSerializer` does: members in ordinal order, null as `i:nil`, no declaration.

use super::json_writer::{is_true, number};
use super::xml_binding::ordinal;
use super::{Class, Graph, Kind};

/// The serializer refused a character: an exception in the middle of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unwritable;

/// How null is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Null {
    /// `i:nil="true"`
    Nil,
    /// An element without content.
    Empty,
    /// The word.
    Word,
}

/// What is done otherwise than the serializer does it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Control characters are written as references, which XML 1.0 does not allow; otherwise they throw.
    pub(super) control: bool,
    pub(super) null: Null,
    /// Members in declared order.
    pub(super) declared_order: bool,
    /// As `XmlSerializer` has it: no namespace, members in declared order, nulls left out.
    pub(super) plain: bool,
}

impl Style {
    /// As the serializer does it.
    pub(super) fn right(control: bool) -> Style {
        Style { control, null: Null::Nil, declared_order: false, plain: false }
    }
}

const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";

/// A value of a class as XML.
pub(super) fn write(class: &Class, value: &Graph, style: Style) -> Result<String, Unwritable> {
    let mut writer = Writer { xml: String::with_capacity(1024), style, depth: 0 };
    writer.root(class, value)?;
    Ok(writer.xml)
}

struct Writer {
    xml: String,
    style: Style,
    /// Of namespaces that were declared with a prefix.
    depth: u8,
}

impl Writer {
    fn root(&mut self, class: &Class, value: &Graph) -> Result<(), Unwritable> {
        if let Graph::Text(_) | Graph::Flag(_) | Graph::Number(_) = value {
            return self.primitive(class, value);
        }
        let declared = if self.style.plain {
            format!(" xmlns:xsi=\"{INSTANCE}\" xmlns:xsd=\"{SCHEMA}\"")
        } else if class.namespace.is_empty() {
            format!(" xmlns:i=\"{INSTANCE}\"")
        } else {
            format!(" xmlns:i=\"{INSTANCE}\" xmlns=\"{}\"", attribute(&class.namespace))
        };
        if let Graph::Object(values) = value {
            self.start(&class.name, &declared);
            self.members(class, values, "")?;
            self.end(&class.name);
        } else {
            self.xml.push('<');
            self.xml.push_str(&class.name);
            self.xml.push_str(" i:nil=\"true\"");
            self.xml.push_str(&declared);
            self.xml.push_str(" />");
        }
        Ok(())
    }

    /// A value that is no object has a namespace of its own and no use for `i`.
    fn primitive(&mut self, class: &Class, value: &Graph) -> Result<(), Unwritable> {
        self.start(&class.name, &format!(" xmlns=\"{}\"", attribute(&class.namespace)));
        write_text(&mut self.xml, &text_of(&Kind::Text, value), self.style.control)?;
        self.end(&class.name);
        Ok(())
    }

    fn start(&mut self, name: &str, attributes: &str) {
        self.xml.push('<');
        self.xml.push_str(name);
        self.xml.push_str(attributes);
        self.xml.push('>');
    }

    fn end(&mut self, name: &str) {
        self.xml.push_str("</");
        self.xml.push_str(name);
        self.xml.push('>');
    }

    fn members(&mut self, class: &Class, values: &[Graph], prefix: &str) -> Result<(), Unwritable> {
        let declared = self.style.declared_order || self.style.plain;
        let order = if declared { (0..class.members.len()).collect() } else { ordinal(class) };
        for index in order {
            let Some(value) = values.get(index) else { continue };
            let member = &class.members[index];
            self.member(&format!("{prefix}{}", member.name), &member.kind, value, &class.namespace)?;
        }
        Ok(())
    }

    fn member(&mut self, name: &str, kind: &Kind, value: &Graph, around: &str) -> Result<(), Unwritable> {
        match (kind, value) {
            (_, Graph::Missing) => Ok(()),
            (_, Graph::Null) => {
                self.null(name);
                Ok(())
            }
            (Kind::Object(class), Graph::Object(values)) => self.object(name, class, values, around),
            (kind, Graph::List(items)) => {
                self.start(name, "");
                for item in items {
                    let inner = if let Kind::Object(class) = kind { class.name.as_str() } else { "string" };
                    self.member(inner, kind, item, around)?;
                }
                self.end(name);
                Ok(())
            }
            (kind, value) => {
                self.start(name, "");
                let text = text_of(kind, value);
                write_text(&mut self.xml, &text, self.style.control)?;
                self.end(name);
                Ok(())
            }
        }
    }

    fn object(
        &mut self,
        name: &str,
        class: &Class,
        values: &[Graph],
        around: &str,
    ) -> Result<(), Unwritable> {
        let foreign = !self.style.plain && class.namespace != around;
        if foreign {
            let letter = char::from(b'a' + self.depth.min(25));
            self.depth += 1;
            self.start(name, &format!(" xmlns:{letter}=\"{}\"", attribute(&class.namespace)));
            self.members(class, values, &format!("{letter}:"))?;
            self.depth -= 1;
        } else {
            self.start(name, "");
            self.members(class, values, "")?;
        }
        self.end(name);
        Ok(())
    }

    fn null(&mut self, name: &str) {
        match self.style.null {
            _ if self.style.plain => {}
            Null::Nil => self.start(name, " i:nil=\"true\" /"),
            Null::Empty => {
                self.start(name, "");
                self.end(name);
            }
            Null::Word => {
                self.start(name, "");
                self.xml.push_str("null");
                self.end(name);
            }
        }
    }
}

fn text_of(kind: &Kind, value: &Graph) -> String {
    match (kind, value) {
        (Kind::Flag, Graph::Text(text)) => is_true(text).to_string(),
        (Kind::Number, Graph::Text(text)) => number(text).to_owned(),
        (_, Graph::Text(text) | Graph::Number(text)) => text.clone(),
        (_, Graph::Flag(flag)) => flag.to_string(),
        (_, Graph::Null | Graph::Missing | Graph::Object(_) | Graph::List(_)) => String::new(),
    }
}

/// Text of an element. Line ends become the writer's own; without `control` a control character throws.
pub(super) fn write_text(xml: &mut String, text: &str, control: bool) -> Result<(), Unwritable> {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\r' => {
                characters.next_if_eq(&'\n');
                xml.push('\n');
            }
            '\t' | '\n' => xml.push(character),
            '\u{0}'..' ' | '\u{FFFE}' | '\u{FFFF}' if control => {
                let reference = format!("&#x{:X};", u32::from(character));
                xml.push_str(&reference);
            }
            '\u{0}'..' ' | '\u{FFFE}' | '\u{FFFF}' => return Err(Unwritable),
            _ => xml.push(character),
        }
    }
    Ok(())
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::Member;
    use super::*;

    #[test]
    fn order_is_ordinal_and_null_is_nil() {
        let class = Class::of_text("R", "urn:x", &["b", "Z", "a"]);
        let value =
            Graph::Object(vec![Graph::Null, Graph::Text(String::new()), Graph::Text("<\u{1}".into())]);
        assert_eq!(
            write(&class, &value, Style::right(true)).expect("it can be written"),
            "<R xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"urn:x\"><Z></Z>\
             <a>&lt;&#x1;</a><b i:nil=\"true\" /></R>"
        );
        assert_eq!(write(&class, &value, Style::right(false)), Err(Unwritable));
    }

    #[test]
    fn a_class_of_another_namespace_gets_a_prefix() {
        let inner = Class::of_text("I", "urn:y", &["a"]);
        let members = vec![Member { name: "m".to_owned(), kind: Kind::Object(inner) }];
        let class = Class { name: "R".to_owned(), namespace: "urn:x".to_owned(), members };
        let value = Graph::Object(vec![Graph::Object(vec![Graph::Text("1".to_owned())])]);
        let xml = write(&class, &value, Style::right(true)).expect("it can be written");
        assert!(xml.ends_with("<m xmlns:a=\"urn:y\"><a:a>1</a:a></m></R>"), "{xml}");
    }

    #[test]
    fn kinds_other_than_text_are_written_as_what_they_are() {
        let members = vec![
            Member { name: "f".to_owned(), kind: Kind::Flag },
            Member { name: "n".to_owned(), kind: Kind::Number },
        ];
        let class = Class { name: "R".to_owned(), namespace: String::new(), members };
        let value = Graph::Object(vec![Graph::Text("True".to_owned()), Graph::Text("x".to_owned())]);
        let xml = write(&class, &value, Style::right(true)).expect("it can be written");
        assert!(xml.ends_with("<f>true</f><n>0</n></R>"), "{xml}");
        assert_eq!(super::super::json_writer::write(&class, &value), r#"{"f":true,"n":0}"#);
    }
}
