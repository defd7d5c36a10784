//! An XML document into a model, as `DataContractSerializer` does it.
//!
//! Members are looked for in their order, forward only: an element that stands before the last one that was
//! taken is passed like an unknown one, without an error. Every error ends in no model.

use super::charset::Charset;
use super::fault::Fault;
use super::json_binding::{flag, full_name, number};
use super::quirks::Quirks;
use super::xml_text::{Node, XmlText};
use super::{BindingError, Bound, Class, Kind, model_key};
use crate::suite::defect::Defect;

const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const SERIALIZATION: &str = "http://schemas.microsoft.com/2003/10/Serialization/";

/// What reading a document came to.
pub(super) struct ReadXml {
    pub(super) bound: Bound,
    /// The document ended too early.
    pub(super) ended: bool,
}

/// Reads a model of that class.
pub(super) fn read(body: &[u8], charset: Charset, class: &Class, quirks: &Quirks) -> ReadXml {
    let marks = !quirks.has(Defect::BomBreaks);
    let model = XmlText::open(body, charset, marks).and_then(|text| Reader { text, class, quirks }.root());
    match model {
        Ok(model) => ReadXml { bound: Bound { model, errors: Vec::new() }, ended: false },
        Err(fault) => {
            let error =
                BindingError { key: model_key(""), exception: fault.exception, message: fault.message };
            ReadXml { bound: Bound { model: None, errors: vec![error] }, ended: fault.ended }
        }
    }
}

/// The members of a class in the order of XML: by UTF-16 code unit.
pub(super) fn ordinal(class: &Class) -> Vec<usize> {
    let mut order: Vec<usize> = (0..class.members.len()).collect();
    order.sort_by(|a, b| class.members[*a].name.encode_utf16().cmp(class.members[*b].name.encode_utf16()));
    order
}

struct Reader<'a> {
    text: XmlText,
    class: &'a Class,
    quirks: &'a Quirks,
}

/// What the attributes of the serializer say about an element.
#[derive(Default)]
struct Marks {
    nil: bool,
    reference: Option<String>,
    instance_type: Option<String>,
}

type Members = Vec<Option<String>>;

impl Reader<'_> {
    fn root(mut self) -> Result<Option<Members>, Fault> {
        self.text.move_to_content()?;
        let Class { name, namespace, .. } = self.class;
        if !self.text.is_element(name, namespace) {
            let found = self.text.encountered();
            let expected = format!("Expecting element '{name}' from namespace '{namespace}'.");
            return Err(self.text.error(&format!("{expected} Encountered {found}.")));
        }
        let marks = self.marks()?;
        if let Some(reference) = marks.reference {
            return Err(missing_reference(&reference));
        }
        if marks.nil {
            self.text.skip()?;
            return Ok(None);
        }
        self.check_type(marks.instance_type.as_deref())?;
        self.members().map(Some)
    }

    /// `i:type` on the root must name the class itself.
    fn check_type(&self, instance_type: Option<&str>) -> Result<(), Fault> {
        let Some(named) = instance_type.filter(|named| !named.is_empty()) else { return Ok(()) };
        let local = named.rsplit_once(':').map_or(named, |(_, local)| local);
        if local == self.class.name {
            return Ok(());
        }
        let message =
            format!("The deserializer has no knowledge of any type that maps to the name '{named}'.");
        Err(self.text.error(&message))
    }

    fn members(&mut self) -> Result<Members, Fault> {
        let mut members = vec![None; self.class.members.len()];
        let order = self.order();
        let mut next = 0;
        let empty = self.text.is_empty_element();
        if !empty {
            self.text.read()?;
            while self.text.move_to_content()? != Node::EndElement {
                let reach = if self.quirks.has(Defect::XmlOrderOfInput) { next + 1 } else { order.len() };
                let found = (next..reach.min(order.len())).find(|place| self.is_member(order[*place]));
                match found {
                    Some(place) => {
                        members[order[place]] = self.member(order[place])?;
                        next = place + 1;
                    }
                    None => self.pass_unknown()?,
                }
            }
        }
        // Reading the end of the root reads one node more, and that is all that is seen of what follows.
        if !self.quirks.has(Defect::TwoRootsAccepted) {
            self.text.read()?;
        }
        Ok(members)
    }

    fn order(&self) -> Vec<usize> {
        if self.quirks.has(Defect::XmlOrderOfInput) {
            return (0..self.class.members.len()).collect();
        }
        ordinal(self.class)
    }

    fn is_member(&self, index: usize) -> bool {
        self.text.is_element(&self.class.members[index].name, &self.class.namespace)
    }

    fn pass_unknown(&mut self) -> Result<(), Fault> {
        if self.text.move_to_content()? != Node::Element {
            let found = self.text.encountered();
            return Err(self.text.error(&format!("Expecting state 'Element'. Encountered {found}.")));
        }
        self.marks()?;
        self.text.skip()
    }

    fn member(&mut self, index: usize) -> Result<Option<String>, Fault> {
        let marks = self.marks()?;
        if let Some(reference) = marks.reference {
            return Err(missing_reference(&reference));
        }
        if marks.nil {
            self.text.skip()?;
            return Ok(None);
        }
        let kind = &self.class.members[index].kind;
        if matches!(kind, Kind::Object(_)) {
            self.text.skip()?;
            return Ok(None);
        }
        let value = self.text.read_element_text()?;
        let converted = match kind {
            Kind::Text | Kind::Object(_) => Some(value.clone()),
            Kind::Flag => flag(&value),
            Kind::Number => number(&value),
        };
        let name = full_name(self.class);
        converted.map(Some).ok_or_else(|| {
            self.text.error(&format!("The value '{value}' of a member of {name} cannot be parsed."))
        })
    }

    /// Reads the attributes that mean something, wherever they stand.
    fn marks(&self) -> Result<Marks, Fault> {
        let mut marks = Marks::default();
        for (namespace, attribute) in self.text.attributes() {
            let value = attribute.value.as_str();
            match (namespace, attribute.local.as_str()) {
                (INSTANCE, "nil") => marks.nil = self.boolean(value)?,
                (INSTANCE, "type") => marks.instance_type = Some(value.to_owned()),
                (SERIALIZATION, "Ref" | "Id") if value.is_empty() => {
                    return Err(self.text.error("An Id or Ref must not be empty."));
                }
                (SERIALIZATION, "Ref") => marks.reference = Some(value.to_owned()),
                (SERIALIZATION, "Size") if value.trim().parse::<u32>().is_err() => {
                    return Err(self.text.error("The size of an array is a number."));
                }
                _ => {}
            }
        }
        Ok(marks)
    }

    fn boolean(&self, value: &str) -> Result<bool, Fault> {
        match value.trim_matches([' ', '\t', '\r', '\n']) {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.text.error(&format!("The value '{value}' cannot be parsed as a Boolean."))),
        }
    }
}

fn missing_reference(reference: &str) -> Fault {
    let message = format!("Deserialized object with reference id '{reference}' not found in stream.");
    Fault::new("SerializationException", message)
}
