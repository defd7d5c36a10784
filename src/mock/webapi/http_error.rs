//! `HttpError`: the document that Web API answers with when an action did not, in both formats.

use super::json_writer::write_text as write_json_text;
use super::xml_names::{is_name_character, is_name_start};
use super::xml_writer::{Unwritable, write_text as write_xml_text};

/// What was wrong, as ordered entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HttpError(Vec<(String, Entry)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Text(String),
    Texts(Vec<String>),
    Nested(HttpError),
}

/// The text that stands for everything that is not to be told.
pub(super) const UNTOLD: &str = "An error has occurred.";

impl HttpError {
    pub(super) fn new(message: &str) -> HttpError {
        HttpError(vec![("Message".to_owned(), Entry::Text(message.to_owned()))])
    }

    /// What another layer would write, which nobody documented.
    pub(super) fn bare(status: u16) -> HttpError {
        HttpError(vec![("fault".to_owned(), Entry::Text(format!("F{status}")))])
    }

    pub(super) fn with(mut self, key: &str, text: &str) -> HttpError {
        self.0.push((key.to_owned(), Entry::Text(text.to_owned())));
        self
    }

    /// The entries of an exception.
    pub(super) fn with_exception(self, exception: &str, message: &str) -> HttpError {
        self.with("ExceptionMessage", message).with("ExceptionType", exception).with(
            "StackTrace",
            "   at System.Web.Http.Controllers.ApiControllerActionInvoker.InvokeActionAsync() in \
             D:\\Build\\System.Web.Http\\Controllers\\ApiControllerActionInvoker.cs:line 61",
        )
    }

    /// The model state: texts by key.
    pub(super) fn with_model_state(mut self, state: Vec<(String, Vec<String>)>) -> HttpError {
        let entries = state.into_iter().map(|(key, texts)| (key, Entry::Texts(texts))).collect();
        self.0.push(("ModelState".to_owned(), Entry::Nested(HttpError(entries))));
        self
    }

    pub(super) fn to_json(&self) -> String {
        let mut json = String::new();
        self.write_json(&mut json);
        json
    }

    fn write_json(&self, json: &mut String) {
        json.push('{');
        for (index, (key, entry)) in self.0.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            write_json_text(json, key);
            json.push(':');
            match entry {
                Entry::Text(text) => write_json_text(json, text),
                Entry::Nested(nested) => nested.write_json(json),
                Entry::Texts(texts) => {
                    json.push('[');
                    for (index, text) in texts.iter().enumerate() {
                        if index > 0 {
                            json.push(',');
                        }
                        write_json_text(json, text);
                    }
                    json.push(']');
                }
            }
        }
        json.push('}');
    }

    /// `control`: whether control characters can be written.
    pub(super) fn to_xml(&self, control: bool) -> Result<String, Unwritable> {
        let mut xml = "<Error>".to_owned();
        self.write_xml(&mut xml, control)?;
        xml.push_str("</Error>");
        Ok(xml)
    }

    fn write_xml(&self, xml: &mut String, control: bool) -> Result<(), Unwritable> {
        for (key, entry) in &self.0 {
            let name = encoded_name(key);
            xml.push('<');
            xml.push_str(&name);
            xml.push('>');
            match entry {
                Entry::Text(text) => write_xml_text(xml, text, control)?,
                // A list of texts has spaces between them.
                Entry::Texts(texts) => write_xml_text(xml, &texts.join(" "), control)?,
                Entry::Nested(nested) => nested.write_xml(xml, control)?,
            }
            xml.push_str("</");
            xml.push_str(&name);
            xml.push('>');
        }
        Ok(())
    }
}

/// `XmlConvert.EncodeLocalName`: what cannot stand in a name is `_xHHHH_`.
fn encoded_name(key: &str) -> String {
    let mut name = String::new();
    for (at, character) in key.char_indices() {
        let good = if at == 0 { is_name_start(character) } else { is_name_character(character) };
        if good && !(character == '_' && looks_encoded(&key[at..])) {
            name.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let encoded = format!("_x{unit:04X}_");
                name.push_str(&encoded);
            }
        }
    }
    name
}

fn looks_encoded(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7 && bytes[1] == b'x' && bytes[6] == b'_' && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_state_is_written_in_both_formats() {
        let state = vec![("model.x[0]".to_owned(), vec!["a".to_owned(), "b".to_owned()])];
        let error = HttpError::new("m").with_model_state(state);
        assert_eq!(error.to_json(), r#"{"Message":"m","ModelState":{"model.x[0]":["a","b"]}}"#);
        assert_eq!(
            error.to_xml(true).expect("it can be written"),
            "<Error><Message>m</Message><ModelState><model.x_x005B_0_x005D_>a b</model.x_x005B_0_x005D_>\
             </ModelState></Error>"
        );
    }

    #[test]
    fn names_are_encoded() {
        assert_eq!(encoded_name("a b_x0020_"), "a_x0020_b_x005F_x0020_");
        assert_eq!(encoded_name("1$"), "_x0031__x0024_");
    }
}
