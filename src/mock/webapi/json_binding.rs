//! A JSON document into a model, as Json.NET's deserializer does it under Web API's error handler.
//!
//! Every error is logged with the path at which it happened and marked as handled, so reading goes on where
//! that is possible: an error inside a member leaves the others, an error while recovering ends in no model.

use super::charset::Decoded;
use super::fault::Fault;
use super::json_text::{JsonText, Token};
use super::{BindingError, Bound, Class, Kind, model_key};

/// What reading a document came to.
pub(super) struct ReadJson {
    pub(super) bound: Bound,
    /// The root is a value, and that is no object.
    pub(super) other_root: bool,
}

/// Reads a model of that class.
pub(super) fn read(text: Decoded, class: &Class) -> ReadJson {
    let mut reader = Reader { text: JsonText::new(text), class, errors: Vec::new(), other_root: false };
    let model = match reader.root() {
        Ok(model) => model,
        Err(fault) => {
            reader.log(fault);
            None
        }
    };
    ReadJson { bound: Bound { model, errors: reader.errors }, other_root: reader.other_root }
}

type Members = Vec<Option<String>>;

struct Reader<'a> {
    text: JsonText,
    class: &'a Class,
    errors: Vec<BindingError>,
    other_root: bool,
}

impl Reader<'_> {
    fn log(&mut self, fault: Fault) {
        let key = model_key(&self.text.path());
        self.errors.push(BindingError { key, exception: fault.exception, message: fault.message });
    }

    fn root(&mut self) -> Result<Option<Members>, Fault> {
        if !self.text.read_content()? {
            return Ok(None);
        }
        self.other_root = self.text.token() != Token::StartObject;
        match self.text.token() {
            Token::StartObject => self.object(),
            Token::Null | Token::Undefined => Ok(None),
            Token::String if self.text.value() == Some("") => Ok(None),
            Token::StartArray => Err(self.text.serialization_error(&self.array_for_object())),
            Token::Integer | Token::Float | Token::Boolean | Token::String | Token::StartConstructor => {
                let value = self.text.value().unwrap_or_default();
                let message = format!("Error converting value {value} to type '{}'.", self.class_name());
                Err(self.text.serialization_error(&message))
            }
            token @ (Token::None
            | Token::PropertyName
            | Token::Comment
            | Token::EndObject
            | Token::EndArray
            | Token::EndConstructor) => Err(self
                .text
                .serialization_error(&format!("Unexpected token while deserializing object: {token:?}."))),
        }
    }

    fn class_name(&self) -> String {
        full_name(self.class)
    }

    fn array_for_object(&self) -> String {
        format!(
            "Cannot deserialize the current JSON array (e.g. [1,2,3]) into type '{}' because the type requires a \
             JSON object (e.g. {{\"name\":\"value\"}}) to deserialize correctly.",
            self.class_name()
        )
    }

    fn checked_read(&mut self) -> Result<(), Fault> {
        if self.text.read()? {
            return Ok(());
        }
        Err(self.text.serialization_error("Unexpected end when deserializing object."))
    }

    fn object(&mut self) -> Result<Option<Members>, Fault> {
        self.checked_read()?;
        if self.is_reference()? {
            return Ok(None);
        }
        self.populate().map(Some)
    }

    /// Reads `$ref`, `$type`, `$id` and `$values` at the start of an object; true where nothing else is left.
    fn is_reference(&mut self) -> Result<bool, Fault> {
        while self.text.token() == Token::PropertyName {
            match self.text.value().unwrap_or_default() {
                "$ref" => {
                    self.checked_read()?;
                    if !matches!(self.text.token(), Token::String | Token::Null) {
                        let message = "JSON reference $ref property must have a string or null value.";
                        return Err(self.text.serialization_error(message));
                    }
                    let refers = self.text.token() == Token::String;
                    self.checked_read()?;
                    if refers && self.text.token() == Token::PropertyName {
                        let message = "Additional content found in JSON reference object.";
                        return Err(self.text.serialization_error(message));
                    }
                    if refers {
                        return Ok(true);
                    }
                }
                // No type is looked up: `TypeNameHandling` is `None`.
                "$type" => {
                    self.checked_read()?;
                    if self.text.value().is_none() {
                        return Err(null_reference());
                    }
                    self.checked_read()?;
                }
                "$id" => {
                    self.checked_read()?;
                    self.checked_read()?;
                }
                "$values" => {
                    self.checked_read()?;
                    return Err(self.text.serialization_error(&self.array_for_object()));
                }
                _ => break,
            }
        }
        Ok(false)
    }

    fn populate(&mut self) -> Result<Members, Fault> {
        let mut members = vec![None; self.class.members.len()];
        let depth = self.text.depth();
        loop {
            match self.text.token() {
                Token::PropertyName => {
                    if let Err(fault) = self.member(&mut members) {
                        self.log(fault);
                        self.recover(depth)?;
                    }
                }
                Token::EndObject => return Ok(members),
                Token::Comment => {}
                token => {
                    let message = format!("Unexpected token when deserializing object: {token:?}.");
                    return Err(self.text.serialization_error(&message));
                }
            }
            if !self.text.read()? {
                let fault = self.text.serialization_error("Unexpected end when deserializing object.");
                self.log(fault);
                return Ok(members);
            }
        }
    }

    /// Reads past what could not be read. What fails here fails for the whole document.
    fn recover(&mut self, depth: usize) -> Result<(), Fault> {
        self.text.skip()?;
        while self.text.depth() > depth + 1 && self.text.read()? {}
        Ok(())
    }

    fn member(&mut self, members: &mut Members) -> Result<(), Fault> {
        let name = self.text.value().unwrap_or_default().to_owned();
        let Some(index) = closest(self.class, &name) else {
            if self.text.read()? {
                self.text.skip()?;
            }
            return Ok(());
        };
        let kind = &self.class.members[index].kind;
        match kind {
            Kind::Text => self.text.read_as_text()?,
            Kind::Flag | Kind::Number | Kind::Object(_) => {
                self.text.read_content()?;
            }
        }
        if self.text.token() == Token::None {
            return Err(self
                .text
                .serialization_error(&format!("Unexpected end when setting {name}'s value.")));
        }
        members[index] = self.converted(kind)?;
        Ok(())
    }

    fn converted(&mut self, kind: &Kind) -> Result<Option<String>, Fault> {
        if matches!(self.text.token(), Token::Null | Token::Undefined | Token::EndArray) {
            return Ok(None);
        }
        let value = self.text.value().unwrap_or_default();
        let converted = match kind {
            Kind::Text => return Ok(Some(value.to_owned())),
            Kind::Object(_) if self.text.token() == Token::StartObject => {
                self.text.skip()?;
                return Ok(None);
            }
            _ if value.is_empty() && self.text.token() == Token::String => return Ok(None),
            Kind::Object(_) => None,
            Kind::Flag => flag(value),
            Kind::Number => number(value),
        };
        if converted.is_none() {
            let message = format!("Error converting value {value} to the type of the member.");
            return Err(self.text.serialization_error(&message));
        }
        Ok(converted)
    }
}

/// The member of that name: exactly, else whatever its case.
fn closest(class: &Class, name: &str) -> Option<usize> {
    let exact = class.members.iter().position(|member| member.name == name);
    exact.or_else(|| class.members.iter().position(|member| member.name.eq_ignore_ascii_case(name)))
}

pub(super) fn flag(value: &str) -> Option<String> {
    let number = value.parse::<f64>().ok();
    match value.trim().to_ascii_lowercase().as_str() {
        "true" => Some("True".to_owned()),
        "false" => Some("False".to_owned()),
        _ => number.map(|number| if number == 0.0 { "False" } else { "True" }.to_owned()),
    }
}

pub(super) fn number(value: &str) -> Option<String> {
    value.trim().parse::<i64>().ok().map(|number| number.to_string())
}

/// The class with its C# namespace, which the data-contract namespace ends in.
pub(super) fn full_name(class: &Class) -> String {
    match class.namespace.rsplit_once('/') {
        Some((_, namespace)) => format!("{namespace}.{}", class.name),
        None => class.name.clone(),
    }
}

fn null_reference() -> Fault {
    Fault::new("NullReferenceException", "Object reference not set to an instance of an object")
}
