//! How ASP.NET Web API reads requests and writes answers: formatters, negotiation, binding, errors.
//!
//! Owns the whole pipeline between bytes and controller for both generations, proven byte for byte against
//! `tests/it/fixtures/golden`. Knows nothing of tokens: a controller is a function from what was bound to what
//! is answered. No sockets and no clock. Start at [`Pipeline::receive`] and [`Pipeline::answer`]; between the
//! two the controller runs, and may take its time.

mod charset;
pub mod echo;
mod fault;
mod form;
mod frailty;
mod http_error;
mod json_binding;
mod json_path;
mod json_text;
mod json_writer;
mod layout;
mod media;
mod negotiation;
mod number;
mod pipeline;
pub mod quirks;
mod routing;
#[cfg(test)]
mod rules;
mod xml_binding;
mod xml_encoding;
mod xml_names;
mod xml_text;
pub mod xml_tree;
mod xml_writer;

pub use pipeline::Pipeline;

/// A class of the model: what a C# class with public properties is to the formatters.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its name, the root element in XML.
    pub name: String,
    /// The data-contract namespace of its members.
    pub namespace: String,
    /// In declared order, which is the order of JSON; the order of XML is derived.
    pub members: Vec<Member>,
}

impl Class {
    /// A class whose members are all text.
    pub fn of_text(name: &str, namespace: &str, members: &[&str]) -> Class {
        let members = members.iter().map(|member| Member::text(member)).collect();
        Class { name: name.to_owned(), namespace: namespace.to_owned(), members }
    }
}

/// A property of a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name as declared.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

impl Member {
    /// A member of type `string`.
    pub fn text(name: &str) -> Member {
        Member { name: name.to_owned(), kind: Kind::Text }
    }
}

/// The types that a member can have.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `string`
    Text,
    /// `bool?`: text that is given for it is parsed, and is false where it says nothing else.
    Flag,
    /// `long?`: text that is given for it is parsed, and is 0 where it is no number.
    Number,
    /// Another class.
    Object(Class),
}

/// A method of a controller, and where it is found.
#[derive(Clone, Debug)]
pub struct Action {
    /// `/api/PFMS/pfms_get_refresh_token`: the last segment is the action, the one before the controller.
    pub path: String,
    /// The methods that it supports, in upper case.
    pub methods: Vec<String>,
    /// The class of its parameter `model`; `None` where it reads no body.
    pub request: Option<Class>,
    /// The class of what it answers.
    pub response: Class,
    /// What the caller knows it by.
    pub key: usize,
    /// Whether it is what a suite is about. Defects of documents concern it alone, so that chains can be opened.
    pub under_test: bool,
}

/// A request as it came from the host.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// As sent; compared without case.
    pub method: String,
    /// Path and query as sent: `/api/PFMS/x?y=z`.
    pub target: String,
    /// As sent, one entry for each line; `Host` makes the absolute URI that error messages repeat.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// Whether the length was announced: false for a chunked body, which changes what an empty one means.
    pub has_length: bool,
}

impl HttpRequest {
    /// The values of a header, lines that are not UTF-8 read as Latin-1.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| {
            match std::str::from_utf8(value) {
                Ok(text) => text.to_owned(),
                Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
            }
        })
    }
}

/// An answer, ready for the host: it adds `Content-Length` and `Date`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// In the order in which they are written.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

/// The formats of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// application/json, text/json
    Json,
    /// application/xml, text/xml
    Xml,
    /// application/x-www-form-urlencoded: read, never written.
    Form,
}

/// What was read into the action's parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// By member of the request class, in declared order; `None` where the model is null.
    pub model: Option<Vec<Option<String>>>,
    /// Errors of reading, in order.
    pub errors: Vec<BindingError>,
}

impl Bound {
    /// `ModelState.IsValid`
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// The errors as `ModelState` has them: by key, keys in the order in which they came up.
    pub fn errors_by_key(&self) -> Vec<(&str, Vec<&BindingError>)> {
        let mut found: Vec<(&str, Vec<&BindingError>)> = Vec::new();
        for error in &self.errors {
            match found.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(&error.key)) {
                Some((_, errors)) => errors.push(error),
                None => found.push((&error.key, vec![error])),
            }
        }
        found
    }
}

/// The key of an error in the parameter `model`.
fn model_key(path: &str) -> String {
    match path.chars().next() {
        None => "model".to_owned(),
        Some('[') => format!("model{path}"),
        Some(_) => format!("model.{path}"),
    }
}

/// One error of the model state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingError {
    /// `model.RefreshToken`
    pub key: String,
    /// The name of the exception's type.
    pub exception: &'static str,
    /// Its message: shown only where details are on.
    pub message: String,
}

/// A request that an action must answer.
#[derive(Clone, Debug)]
pub struct Call {
    /// [`Action::key`]
    pub key: usize,
    /// What was read.
    pub bound: Bound,
    /// The format in which the body was read, if there was one to read.
    pub read_as: Option<Format>,
    /// The format that a success will be written in: JSON or XML. `None` where it will be 406.
    pub answered_as: Option<Format>,
    /// The query as sent, without its question mark.
    pub query: String,
    /// The headers, for actions that look at `Authorization`.
    pub headers: Vec<(String, Vec<u8>)>,
    pub(crate) action: usize,
    pub(crate) choice: negotiation::Choice,
    pub(crate) turn: u64,
}

impl Call {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }
}

/// What became of a request before any action saw it.
#[derive(Debug)]
pub enum Received {
    /// An action must answer it: [`Pipeline::answer`].
    Act(Box<Call>),
    /// It is answered already: 404, 405, 415.
    Done(HttpResponse),
}

/// A value that is answered. Objects have their values in declared order of their class.
#[derive(Clone, Debug, PartialEq)]
pub enum Graph {
    /// `null`
    Null,
    /// A string.
    Text(String),
    /// A boolean.
    Flag(bool),
    /// A number, as it is to be written.
    Number(String),
    /// An object of the class that stands in this place.
    Object(Vec<Graph>),
    /// A list of such values.
    List(Vec<Graph>),
    /// The member is left out.
    Missing,
}

impl Graph {
    /// Text, or null where there is none.
    pub fn text(value: Option<&str>) -> Graph {
        value.map_or(Graph::Null, |text| Graph::Text(text.to_owned()))
    }
}

/// What a controller returns.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionResult {
    /// 200 with the response class.
    Ok(Graph),
    /// Another status with the response class.
    Status(u16, Graph),
    /// 400 with the model state of this call: `CreateErrorResponse(BadRequest, ModelState)`.
    InvalidModel,
    /// An `HttpError` with this message.
    Error {
        /// The status.
        status: u16,
        /// The message.
        message: String,
    },
    /// 401 with `WWW-Authenticate` and an `HttpError`.
    Unauthorized {
        /// The challenge, such as `Bearer error="invalid_token"`.
        challenge: String,
        /// The message.
        message: String,
    },
    /// An unhandled exception: 500.
    Crash {
        /// `System.NullReferenceException`
        exception: String,
        /// Its message: shown only where details are on.
        message: String,
    },
    /// A page of HTML, past all negotiation.
    Html {
        /// The status.
        status: u16,
        /// The page.
        page: String,
    },
    /// A JSON document that no class describes, past all negotiation.
    RawJson {
        /// The status.
        status: u16,
        /// The document.
        document: String,
    },
    /// No content.
    Empty(u16),
}
