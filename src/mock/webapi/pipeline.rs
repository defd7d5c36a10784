//! The straight line from request to action, and from result to answer.

use std::sync::atomic::{AtomicU64, Ordering};

use super::charset::{self, Charset};
use super::http_error::{HttpError, UNTOLD};
use super::layout;
use super::media::MediaType;
use super::negotiation::{self, Choice, FORM_TYPE, WRITERS, Wishes, Written};
use super::quirks::{self, Quirks};
use super::routing::{self, Route};
use super::xml_writer::{Style, Unwritable};
use super::{
    Action, ActionResult, Bound, Call, Class, Format, Graph, HttpRequest, HttpResponse, Received, form,
    frailty, json_binding, json_writer, xml_binding, xml_writer,
};
use crate::suite::defect::Defect;
use crate::suite::environment::{Generation, Variant};

/// A configured host: actions, generation and switches. Stateless but for a counter of requests.
#[derive(Debug)]
pub struct Pipeline {
    /// Which generation is imitated.
    pub generation: Generation,
    /// What can be called.
    pub actions: Vec<Action>,
    /// Defects and variants.
    pub quirks: Quirks,
    /// Whether error documents carry details (`IncludeErrorDetailPolicy.Always`).
    pub details: bool,
    /// Whether the layer of the web host is there: cache headers and banners on every answer.
    pub host_layer: bool,
    turn: AtomicU64,
}

/// An answer before the host has added its own.
struct Draft {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Draft {
    fn empty(status: u16) -> Draft {
        Draft { status, headers: Vec::new(), body: Vec::new() }
    }

    fn with(mut self, name: &str, value: &str) -> Draft {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// How the body of a request is read.
enum Reading {
    As(Format),
    /// No type is named, and none is asked for: the model is null.
    Nothing,
    Unsupported,
    /// 415 whatever the generation: a defect.
    Refused,
}

impl Pipeline {
    /// A pipeline of that generation, without details, with the host layer.
    pub fn new(generation: Generation, actions: Vec<Action>, quirks: Quirks) -> Pipeline {
        Pipeline { generation, actions, quirks, details: false, host_layer: true, turn: AtomicU64::new(0) }
    }

    /// Routes and reads a request.
    pub fn receive(&self, request: &HttpRequest) -> Received {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let choice = negotiation::negotiate(&Wishes::of(request), &self.quirks, turn);
        if let Some(exception) = frailty::by_head(request, &self.quirks) {
            return Received::Done(self.host(self.crash(choice, exception, exception)));
        }
        let index = match self.find(request, choice) {
            Ok(index) => index,
            Err(draft) => return Received::Done(self.host(draft)),
        };
        let action = &self.actions[index];
        let (bound, read_as) = match self.bind(request, action, choice) {
            Ok(read) => read,
            Err(draft) => return Received::Done(self.host(draft)),
        };
        Received::Act(Box::new(Call {
            key: action.key,
            bound,
            read_as,
            answered_as: written(choice).map(|written| written.format),
            query: routing::path_and_query(&request.target).1.to_owned(),
            headers: request.headers.clone(),
            action: index,
            choice,
            turn,
        }))
    }

    /// Writes what an action returned for this call.
    pub fn answer(&self, call: &Call, result: &ActionResult) -> HttpResponse {
        let draft = match result {
            ActionResult::Ok(value) => self.write(200, call, value),
            ActionResult::Status(status, value) => self.write(*status, call, value),
            ActionResult::InvalidModel => {
                let error = HttpError::new("The request is invalid.");
                self.error(400, call.choice, &error.with_model_state(self.model_state(&call.bound)))
            }
            ActionResult::Error { status, message } => {
                self.error(*status, call.choice, &HttpError::new(message))
            }
            ActionResult::Unauthorized { challenge, message } => {
                let draft = self.error(401, call.choice, &HttpError::new(message));
                draft.with("WWW-Authenticate", challenge)
            }
            ActionResult::Crash { exception, message } => self.crash(call.choice, exception, message),
            ActionResult::Html { status, page } => raw(*status, "text/html; charset=utf-8", page),
            ActionResult::RawJson { status, document } => {
                raw(*status, "application/json; charset=utf-8", document)
            }
            ActionResult::Empty(status) => Draft::empty(*status),
        };
        self.host(draft)
    }

    /// Both, for controllers that need no time.
    pub fn serve(&self, request: &HttpRequest, controller: &dyn Fn(&Call) -> ActionResult) -> HttpResponse {
        match self.receive(request) {
            Received::Done(response) => response,
            Received::Act(call) => self.answer(&call, &controller(&call)),
        }
    }

    // Finding the action.

    /// The index of the action that a request names and that supports its method.
    fn find(&self, request: &HttpRequest, choice: Choice) -> Result<usize, Draft> {
        let prefixed = self.quirks.has(Defect::ActionPrefixRouted).then(|| self.by_prefix(&request.target));
        if let Some(path) = prefixed.flatten() {
            return self.by_method(request, &path, choice);
        }
        let detail = match routing::route(&request.target, &self.actions) {
            Route::Action(index) => return self.by_method(request, &self.actions[index].path, choice),
            Route::NoAction { controller, action } => {
                format!(
                    "No action was found on the controller '{controller}' that matches the name '{action}'."
                )
            }
            Route::NoController { controller } => {
                format!("No type was found that matches the controller named '{controller}'.")
            }
            Route::None => "No route data was found for this request.".to_owned(),
        };
        let uri = routing::shown(request);
        let message = format!("No HTTP resource was found that matches the request URI '{uri}'.");
        let mut error = HttpError::new(&message);
        if self.details || self.quirks.has(Defect::DetailsOnError) {
            error = error.with("MessageDetail", &detail);
        }
        if self.quirks.has(Defect::UnknownActionTrace) {
            error = error.with_exception("System.Web.Http.HttpResponseException", &detail);
        }
        Err(self.error(404, choice, &error))
    }

    /// The path of the action that the target begins with.
    fn by_prefix(&self, target: &str) -> Option<String> {
        let target = target.to_ascii_lowercase();
        let mut paths = self.actions.iter().map(|action| &action.path);
        paths.find(|path| target.starts_with(&path.to_ascii_lowercase())).cloned()
    }

    fn by_method(&self, request: &HttpRequest, path: &str, choice: Choice) -> Result<usize, Draft> {
        let numbered = || self.actions.iter().enumerate();
        let here = || numbered().filter(|(_, action)| action.path.eq_ignore_ascii_case(path));
        if let Some((index, _)) = here().find(|(_, action)| self.supports(action, &request.method)) {
            return Ok(index);
        }
        if self.quirks.has(Defect::OptionsWildcard) && request.method.eq_ignore_ascii_case("OPTIONS") {
            return Err(preflight(request));
        }
        if self.quirks.has(Defect::PreflightCrash) && request.method.eq_ignore_ascii_case("OPTIONS") {
            return Err(self.null_reference(choice));
        }
        let method = &request.method;
        let message = format!("The requested resource does not support http method '{method}'.");
        let draft = self.error(405, choice, &HttpError::new(&message));
        if self.generation == Generation::One || self.quirks.has(Defect::NoAllow) {
            return Err(draft);
        }
        let allowed: Vec<&str> = here().flat_map(|(_, action)| &action.methods).map(String::as_str).collect();
        Err(draft.with("Allow", &allowed.join(", ")))
    }

    fn supports(&self, action: &Action, method: &str) -> bool {
        let named = |wanted: &str| action.methods.iter().any(|other| other.eq_ignore_ascii_case(wanted));
        named(method)
            || (self.quirks.has(Defect::PutRefreshes) && method.eq_ignore_ascii_case("PUT") && named("POST"))
    }

    // Reading the body.

    fn bind(
        &self,
        request: &HttpRequest,
        action: &Action,
        choice: Choice,
    ) -> Result<(Bound, Option<Format>), Draft> {
        let Some(class) = &action.request else { return Ok((Bound::default(), None)) };
        let content_type = negotiation::content_type(request);
        if request.body.is_empty() {
            if self.quirks.has(Defect::EmptyBodyCrash) {
                return Err(self.null_reference(choice));
            }
            let query = routing::path_and_query(&request.target).1;
            if self.quirks.has(Defect::QueryBinds) && !query.is_empty() {
                return Ok((form::read(query.as_bytes(), class, self.generation, &self.quirks), None));
            }
        }
        match self.reading(request, content_type.as_ref()) {
            Reading::As(format) => {
                let bound = if action.under_test {
                    self.read_frail(request, format, content_type.as_ref(), action, choice)?
                } else {
                    self.read(request, format, content_type.as_ref(), class, choice)?
                };
                Ok((bound, Some(format)))
            }
            Reading::Nothing => Ok((Bound::default(), None)),
            Reading::Unsupported => Err(self.unsupported(class, content_type.as_ref(), choice)),
            Reading::Refused => Err(self.refused(class, content_type.as_ref(), choice)),
        }
    }

    /// The same by a reader that defects have made fragile.
    fn read_frail(
        &self,
        request: &HttpRequest,
        format: Format,
        content_type: Option<&MediaType>,
        action: &Action,
        choice: Choice,
    ) -> Result<Bound, Draft> {
        let Some(class) = &action.request else { return Ok(Bound::default()) };
        let crash = |exception: Option<&'static str>| {
            exception.map_or(Ok(()), |exception| Err(self.crash(choice, exception, exception)))
        };
        crash(frailty::by_body(&request.body, format, &self.quirks))?;
        if format == Format::Xml
            && self.quirks.has(Defect::XmlPrefixRefused)
            && frailty::has_prefix(&request.body)
        {
            return Err(self.error(400, choice, &HttpError::new("The request is invalid.")));
        }
        let changed = frailty::rewritten(&request.body, format, action, &self.quirks)
            .map(|body| HttpRequest { body, ..request.clone() });
        let bound = self.read(changed.as_ref().unwrap_or(request), format, content_type, class, choice)?;
        crash(frailty::by_model(&bound, &request.body, format, action, &self.quirks))?;
        Ok(bound)
    }

    /// An answer as a defect of the writer changes it for what was asked.
    pub fn as_asked(&self, request: &HttpRequest, response: HttpResponse) -> HttpResponse {
        HttpResponse { body: frailty::with_surrogates(request, response.body, &self.quirks), ..response }
    }

    fn reading(&self, request: &HttpRequest, content_type: Option<&MediaType>) -> Reading {
        let sniffed = if content_type.is_some() { Defect::TypeSniffed } else { Defect::UntypedSniffed };
        match content_type.and_then(|media| self.reader(media)) {
            Some(format) if self.is_refused(content_type) => {
                if self.generation == Generation::Two && is_empty(request) {
                    return Reading::As(format);
                }
                Reading::Refused
            }
            Some(format) => Reading::As(format),
            None if self.quirks.has(sniffed) => Reading::As(quirks::sniff(&request.body)),
            None => match self.generation {
                Generation::One if content_type.is_none() => Reading::Nothing,
                Generation::Two if is_empty(request) => Reading::Nothing,
                Generation::One | Generation::Two => Reading::Unsupported,
            },
        }
    }

    /// The formatter that reads a type: the first with a type that is covered, whatever the parameters.
    fn reader(&self, media: &MediaType) -> Option<Format> {
        if self.quirks.has(Defect::TypeCaseSensitive) && media.essence() != media.essence().to_lowercase() {
            return None;
        }
        let covers = |supported: &&str| media.covers(supported).is_some();
        let writer = WRITERS.iter().find(|formatter| formatter.types.iter().any(covers));
        writer.map(|formatter| formatter.format).or_else(|| covers(&FORM_TYPE).then_some(Format::Form))
    }

    fn is_refused(&self, content_type: Option<&MediaType>) -> bool {
        let is =
            |essence: &str| content_type.is_some_and(|sent| sent.essence().eq_ignore_ascii_case(essence));
        (self.quirks.has(Defect::TextJsonRefused) && is("text/json"))
            || (self.quirks.has(Defect::TextXmlRefused) && is("text/xml"))
            || (self.quirks.has(Defect::FormRefused) && is(FORM_TYPE))
    }

    fn read(
        &self,
        request: &HttpRequest,
        format: Format,
        content_type: Option<&MediaType>,
        class: &Class,
        choice: Choice,
    ) -> Result<Bound, Draft> {
        if is_empty(request) {
            return Ok(Bound::default());
        }
        let charset = Charset::of_body(content_type);
        if charset == Charset::Utf16 && self.quirks.has(Defect::Utf16Crash) {
            return Err(self.crash(choice, "System.NotSupportedException", "utf-16 is not supported."));
        }
        match format {
            Format::Json => self.read_json(&request.body, charset, class, choice),
            Format::Xml => {
                let read = xml_binding::read(&request.body, charset, class, &self.quirks);
                if read.ended && self.quirks.has(Defect::MalformedXmlCrash) {
                    return Err(self.crash(choice, "System.Xml.XmlException", "Unexpected end of file."));
                }
                Ok(read.bound)
            }
            Format::Form => Ok(form::read(&request.body, class, self.generation, &self.quirks)),
        }
    }

    fn read_json(
        &self,
        body: &[u8],
        charset: Charset,
        class: &Class,
        choice: Choice,
    ) -> Result<Bound, Draft> {
        let text = if charset == Charset::Utf8 && self.quirks.has(Defect::Latin1Replaced) {
            charset::decode_dropping(body)
        } else {
            charset::decode(body, charset, !self.quirks.has(Defect::BomBreaks))
        };
        let read = json_binding::read(text, class);
        if read.other_root && self.quirks.has(Defect::NullDocumentCrash) {
            return Err(self.null_reference(choice));
        }
        Ok(read.bound)
    }

    /// No formatter reads the type of the body.
    fn unsupported(&self, class: &Class, content_type: Option<&MediaType>, choice: Choice) -> Draft {
        match self.generation {
            Generation::One => {
                let message = no_reader(class, content_type);
                self.crash(choice, "System.InvalidOperationException", &message)
            }
            Generation::Two => self.refused(class, content_type, choice),
        }
    }

    fn refused(&self, class: &Class, content_type: Option<&MediaType>, choice: Choice) -> Draft {
        let message = match content_type {
            Some(media) => {
                let essence = media.essence();
                format!("The request entity's media type '{essence}' is not supported for this resource.")
            }
            None => {
                "The request contains an entity body but no Content-Type header. The inferred media type \
                     'application/octet-stream' is not supported for this resource."
                    .to_owned()
            }
        };
        let mut error = HttpError::new(&message);
        if self.tells() {
            let exception = "System.Net.Http.UnsupportedMediaTypeException";
            error = error.with_exception(exception, &no_reader(class, content_type));
        }
        self.error(415, choice, &error)
    }

    // Writing the answer.

    fn write(&self, status: u16, call: &Call, value: &Graph) -> Draft {
        let Some(written) = written(call.choice) else { return self.unwritten(call.choice) };
        let action = &self.actions[call.action];
        let class = &action.response;
        let changed = action
            .under_test
            .then(|| quirks::distort(class, value, written.format, &self.quirks, call.turn))
            .flatten();
        let (class, value) = changed.as_ref().map_or((class, value), |(class, value)| (class, value));
        let text = match written.format {
            Format::Json | Format::Form => {
                Ok(self.as_closed(action.under_test, json_writer::write(class, value)))
            }
            Format::Xml => xml_writer::write(class, value, self.quirks.xml_style(self.writes_control())),
        };
        match text {
            Ok(text) => self.document(status, written, &text),
            Err(Unwritable) => self.crash(
                call.choice,
                "System.InvalidOperationException",
                "The 'ObjectContent`1' type failed to serialize the response body.",
            ),
        }
    }

    /// A JSON document as its writer closes it.
    fn as_closed(&self, under_test: bool, mut json: String) -> String {
        if under_test && self.quirks.has(Defect::JsonIllFormed) && json.ends_with('}') {
            json.insert(json.len() - 1, ',');
        }
        json
    }

    /// The second generation switched the writer's check of characters off.
    fn writes_control(&self) -> bool {
        self.generation == Generation::Two || self.quirks.has(Defect::XmlControlCharacter)
    }

    fn error(&self, status: u16, choice: Choice, error: &HttpError) -> Draft {
        let Some(mut written) = written(choice) else { return self.unwritten(choice) };
        if self.quirks.has(Defect::ErrorsAlwaysJson) {
            written = Written { format: Format::Json, media: WRITERS[0].types[0], ..written };
        }
        let other = self.quirks.has(Defect::ErrorsBare).then(|| HttpError::bare(status));
        let error = other.as_ref().unwrap_or(error);
        match written.format {
            Format::Json | Format::Form => self.document(status, written, &error.to_json()),
            Format::Xml => match error.to_xml(Style::right(self.writes_control()).control) {
                Ok(xml) => self.document(status, written, &xml),
                Err(Unwritable) => Draft::empty(500),
            },
        }
    }

    fn crash(&self, choice: Choice, exception: &str, message: &str) -> Draft {
        let mut error = HttpError::new(UNTOLD);
        if self.tells() {
            error = error.with_exception(exception, message);
        }
        self.error(500, choice, &error)
    }

    fn null_reference(&self, choice: Choice) -> Draft {
        let message = "Object reference not set to an instance of an object";
        self.crash(choice, "System.NullReferenceException", message)
    }

    /// What is answered where nothing can be written.
    fn unwritten(&self, choice: Choice) -> Draft {
        match choice {
            Choice::Written(_) | Choice::NotAcceptable => Draft::empty(406),
            Choice::Page => raw(406, "text/html", quirks::PAGE),
            Choice::Crash => {
                let json =
                    Written { format: Format::Json, media: WRITERS[0].types[0], charset: Charset::Utf8 };
                self.crash(Choice::Written(json), "System.NotSupportedException", "No formatter was found.")
            }
        }
    }

    fn document(&self, status: u16, written: Written, text: &str) -> Draft {
        let media = quirks::media_label(written.media, written.format, &self.quirks);
        let label = quirks::charset_label(written.charset, &self.quirks);
        let laid_out = layout::lay_out(text, written, &self.quirks);
        let text = laid_out.as_deref().unwrap_or(text);
        let draft = Draft { body: written.charset.encode(text), ..Draft::empty(status) };
        draft.with("Content-Type", &layout::content_type(media, label, &self.quirks))
    }

    /// Whether errors say what happened.
    fn tells(&self) -> bool {
        self.details || self.quirks.has(Defect::StackTraceOnError)
    }

    /// The model state by key: texts of exceptions are told only where details are on.
    fn model_state(&self, bound: &Bound) -> Vec<(String, Vec<String>)> {
        let told = |message: &str| if self.tells() { message.to_owned() } else { UNTOLD.to_owned() };
        let by_key = bound.errors_by_key().into_iter();
        by_key
            .map(|(key, errors)| (key.to_owned(), errors.iter().map(|error| told(&error.message)).collect()))
            .collect()
    }

    /// What the web host adds to every answer.
    fn host(&self, mut draft: Draft) -> HttpResponse {
        if self.host_layer {
            let before = [("Cache-Control", "no-cache"), ("Pragma", "no-cache")];
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            draft.headers.splice(0..0, before.iter().map(own).collect::<Vec<_>>());
            draft = draft.with("Expires", "-1");
            if !self.quirks.is(Variant::NoBanners) {
                draft = draft
                    .with("Server", "Microsoft-IIS/10.0")
                    .with("X-AspNet-Version", "4.0.30319")
                    .with("X-Powered-By", "ASP.NET");
            }
        }
        if self.quirks.is(Variant::HeaderNoise) {
            draft.headers.extend(quirks::noise());
        }
        HttpResponse { status: draft.status, headers: draft.headers, body: draft.body }
    }
}

/// A body whose length is announced as zero. A chunked one is only empty once it has been read.
fn is_empty(request: &HttpRequest) -> bool {
    request.has_length && request.body.is_empty()
}

fn written(choice: Choice) -> Option<Written> {
    match choice {
        Choice::Written(written) => Some(written),
        Choice::NotAcceptable | Choice::Page | Choice::Crash => None,
    }
}

fn no_reader(class: &Class, content_type: Option<&MediaType>) -> String {
    let media = content_type.map_or_else(|| "application/octet-stream".to_owned(), MediaType::essence);
    let name = &class.name;
    format!(
        "No MediaTypeFormatter is available to read an object of type '{name}' from content with media type \
         '{media}'."
    )
}

fn raw(status: u16, content_type: &str, text: &str) -> Draft {
    let draft = Draft { body: text.as_bytes().to_vec(), ..Draft::empty(status) };
    draft.with("Content-Type", content_type)
}

fn preflight(request: &HttpRequest) -> Draft {
    let origin = request.header("Origin").next().unwrap_or_else(|| "*".to_owned());
    Draft::empty(200)
        .with("Access-Control-Allow-Origin", &origin)
        .with("Access-Control-Allow-Credentials", "true")
        .with("Access-Control-Allow-Methods", "POST, OPTIONS")
        .with("Access-Control-Allow-Headers", "*")
}
