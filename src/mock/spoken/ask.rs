//! Reading requests by the table: which operation it is, and what stands in its slots.

use serde_json::Value;

use crate::dialect::{Accepts, ClientAuth, Codec, Dialect, Shape, Speech, Text, TextPart};
use crate::suite::call::{Operation, Slot};
use crate::suite::defect::Defect;

use super::super::defects::Switches;
use super::super::webapi::HttpRequest;
use super::super::webapi::xml_tree::{self, Element};
use super::Fault;
use super::extract::extract;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) operation: Operation,
    values: Vec<(Slot, String)>,
}

impl Asked {
    /// What stands in a slot; one without a value counts as left out.
    pub(super) fn value(&self, slot: Slot) -> Option<&str> {
        let (_, value) = self.values.iter().find(|(own, _)| *own == slot)?;
        (!value.trim().is_empty()).then_some(value)
    }
}

/// What was found in a request.
#[derive(Debug)]
pub(super) enum Found {
    /// A call.
    Asked(Asked),
    /// No operation is at this path.
    Nothing,
    /// One is, and the request cannot be read.
    Unread(Operation, Fault),
}

/// Reads a request.
pub(super) fn read(dialect: &Dialect, request: &HttpRequest, switches: Switches) -> Found {
    let path = request.target.split('?').next().unwrap_or_default();
    let here: Vec<(&Operation, &Speech)> =
        dialect.operations.iter().filter(|(_, speech)| speech.path == path).collect();
    let Some((first, _)) = here.first() else { return Found::Nothing };
    let is = |speech: &Speech| {
        request.method.eq_ignore_ascii_case(&speech.method)
            || request.method.eq_ignore_ascii_case("PUT") && switches.has(Defect::PutRefreshes)
    };
    if !here.iter().any(|(_, speech)| is(speech)) {
        return Found::Unread(**first, Fault::NotAllowed);
    }
    // Operations that share a path are told apart by what never changes in them.
    let mut unread = None;
    for (operation, speech) in here.iter().filter(|(_, speech)| is(speech)) {
        match call(speech, request, switches) {
            Ok(values) => return Found::Asked(Asked { operation: **operation, values }),
            Err(fault) => {
                unread.get_or_insert((**operation, fault));
            }
        }
    }
    let (operation, fault) = unread.unwrap_or((**first, Fault::Malformed));
    Found::Unread(operation, fault)
}

/// The refresh token in a request, wherever it stands.
pub(super) fn any_token(dialect: &Dialect, request: &HttpRequest) -> Option<String> {
    let speech = dialect.refresh();
    let values = call(speech, request, Switches::default()).ok()?;
    values.into_iter().find(|(slot, _)| *slot == Slot::Refresh).map(|(_, token)| token)
}

/// The slots of one call, if it reads as one of this operation.
fn call(speech: &Speech, request: &HttpRequest, switches: Switches) -> Result<Vec<(Slot, String)>, Fault> {
    let mut found = Vec::new();
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let in_query = |name: &str| query.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    each(&speech.query, in_query, &mut found)?;
    each(&speech.headers, |name| request.header(name).next(), &mut found)?;
    let cookies = cookies(request);
    let in_cookies = |name: &str| cookies.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    each(&speech.cookies, in_cookies, &mut found)?;
    let document = document(speech, request, switches)?;
    if let Some((accepts, document)) = &document {
        for (name, shape) in &accepts.body {
            member(document, &[], name, shape, accepts, &mut found)?;
        }
    }
    if !speech.auth.is_empty() {
        authenticate(speech, request, document.as_ref().map(|(_, document)| document), &mut found)?;
    }
    Ok(found)
}

/// What stands around the document.
fn each(
    texts: &[(String, Text)],
    value: impl Fn(&str) -> Option<String>,
    found: &mut Vec<(Slot, String)>,
) -> Result<(), Fault> {
    for (name, text) in texts {
        match value(name) {
            Some(value) if extract(text, &value, found) => {}
            None if carries_slots(text) => {}
            // A credential in the wrong form is no credential.
            Some(_) if carries_slots(text) => return Err(Fault::BadCredentials),
            Some(_) | None => return Err(Fault::Malformed),
        }
    }
    Ok(())
}

fn carries_slots(text: &Text) -> bool {
    text.0.iter().any(|part| !matches!(part, TextPart::Plain(_)))
}

fn cookies(request: &HttpRequest) -> Vec<(String, String)> {
    let lines: Vec<String> = request.header("cookie").collect();
    let pairs = lines.iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

/// A document that was read.
enum Document {
    Json(Value),
    Xml(Element),
    Form(Vec<(String, String)>),
}

/// The document, and how the table describes its format; nothing for an operation without one.
fn document<'a>(
    speech: &'a Speech,
    request: &HttpRequest,
    switches: Switches,
) -> Result<Option<(&'a Accepts, Document)>, Fault> {
    if speech.accepts.is_empty() {
        return Ok(None);
    }
    let label = request.header("content-type").next().unwrap_or_default();
    let media = label.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let named = |accepts: &&Accepts| accepts.types.iter().any(|own| own.eq_ignore_ascii_case(&media));
    let listed = speech.accepts.values().filter(|accepts| accepts.listed);
    let accepts = match listed.clone().find(named) {
        Some(accepts) => accepts,
        None if switches.has(Defect::TypeSniffed) => listed.clone().next().ok_or(Fault::UnsupportedMedia)?,
        None if media.is_empty() && request.body.is_empty() => return Err(Fault::Malformed),
        None => return Err(Fault::UnsupportedMedia),
    };
    let document = match accepts.codec {
        Codec::Json if request.body == b"null" && switches.has(Defect::NullDocumentCrash) => {
            return Err(Fault::Crashed);
        }
        Codec::Json => Document::Json(json(&request.body, switches)?),
        Codec::Xml => Document::Xml(xml(&request.body, accepts)?),
        Codec::Form => {
            let text = std::str::from_utf8(&request.body).map_err(|_| Fault::Malformed)?;
            Document::Form(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
        }
    };
    Ok(Some((accepts, document)))
}

fn json(body: &[u8], switches: Switches) -> Result<Value, Fault> {
    let text = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if let Ok(value @ Value::Object(_)) = serde_json::from_slice(text) {
        return Ok(value);
    }
    let half = switches.has(Defect::TruncatedAccepted).then(|| [text, b"\"}"].concat());
    let whole = half.and_then(|half| serde_json::from_slice(&half).ok());
    let closed = || {
        let half = switches.has(Defect::TruncatedAccepted).then(|| [text, b"}"].concat())?;
        serde_json::from_slice(&half).ok()
    };
    whole.or_else(closed).filter(Value::is_object).ok_or(Fault::Malformed)
}

fn xml(body: &[u8], accepts: &Accepts) -> Result<Element, Fault> {
    let root = xml_tree::read(body).ok_or(Fault::Malformed)?;
    let (prefix, local) = split(accepts.root.as_deref().unwrap_or_default());
    let fits = root.local == local && root.namespace == namespace(accepts, prefix);
    if fits { Ok(root) } else { Err(Fault::Malformed) }
}

fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

fn namespace<'a>(accepts: &'a Accepts, prefix: &str) -> &'a str {
    accepts.namespaces.iter().find(|(own, _)| own == prefix).map_or("", |(_, uri)| uri)
}

/// What the document has at `above/name`.
fn member(
    document: &Document,
    above: &[&str],
    name: &str,
    shape: &Shape,
    accepts: &Accepts,
    found: &mut Vec<(Slot, String)>,
) -> Result<(), Fault> {
    let path: Vec<&str> = above.iter().copied().chain([name]).collect();
    match shape {
        Shape::Object(members) => {
            members.iter().try_for_each(|(name, shape)| member(document, &path, name, shape, accepts, found))
        }
        Shape::Text(text) => match leaf(document, &path, accepts)? {
            Some(value) if extract(text, &value, found) => Ok(()),
            None if carries_slots(text) => Ok(()),
            Some(_) | None => Err(Fault::Malformed),
        },
    }
}

/// The text at a path; a value of another kind cannot be read.
fn leaf(document: &Document, path: &[&str], accepts: &Accepts) -> Result<Option<String>, Fault> {
    match document {
        Document::Json(root) => match path.iter().try_fold(root, |value, name| value.get(name)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Fault::Malformed),
        },
        Document::Form(pairs) => {
            let name: String = path
                .iter()
                .enumerate()
                .map(|(at, name)| if at == 0 { (*name).to_owned() } else { format!("[{name}]") })
                .collect();
            let mut values = pairs.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.clone());
            Ok(values.next())
        }
        Document::Xml(root) => {
            Ok(element(root, path, accepts).filter(|found| !found.nil).map(|found| found.text.clone()))
        }
    }
}

/// An element by its path. Siblings that stand before one that the table names first are not seen any more, as a
/// DataContractSerializer reads.
fn element<'a>(root: &'a Element, path: &[&str], accepts: &Accepts) -> Option<&'a Element> {
    let mut here = root;
    let mut members = accepts.body.as_slice();
    for name in path {
        let own = |other: &str| {
            let (prefix, local) = split(other);
            let (local, space) = (local.to_owned(), namespace(accepts, prefix).to_owned());
            move |element: &Element| element.local == local && element.namespace == space
        };
        let mut from = 0;
        for (before, _) in members.iter().take_while(|(before, _)| before != name) {
            let fits = own(before);
            if let Some(at) = here.children[from..].iter().position(&fits) {
                from += at + 1;
            }
        }
        let fits = own(name);
        here = here.children[from..].iter().find(|element| fits(element))?;
        members = members.iter().find(|(own, _)| own == name).map_or(&[][..], |(_, shape)| match shape {
            Shape::Object(inner) => inner.as_slice(),
            Shape::Text(_) => &[],
        });
    }
    Some(here)
}

/// Client credentials as RFC 6749 section 2.3.1 has them, in the ways that the table names.
fn authenticate(
    speech: &Speech,
    request: &HttpRequest,
    document: Option<&Document>,
    found: &mut Vec<(Slot, String)>,
) -> Result<(), Fault> {
    if speech.auth.contains(&ClientAuth::Basic)
        && let Some(header) = request.header("authorization").next()
    {
        let pair = Text(vec![
            TextPart::Slot(Slot::Client),
            TextPart::Plain(":".to_owned()),
            TextPart::Slot(Slot::ClientSecret),
        ]);
        let basic = Text(vec![TextPart::Made(Box::new(crate::dialect::Function::Basic(pair)))]);
        let mut own = Vec::new();
        if !extract(&basic, &header, &mut own) {
            return Err(Fault::BadCredentials);
        }
        let plain = |text: &str| percent_decoded(text);
        found.extend(own.into_iter().map(|(slot, text)| (slot, plain(&text))));
        return Ok(());
    }
    let text = |name: &str| match document? {
        Document::Json(root) => root.get(name)?.as_str().map(str::to_owned),
        Document::Form(pairs) => pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()),
        Document::Xml(_) => None,
    };
    found.extend(text("client_id").map(|client| (Slot::Client, client)));
    found.extend(text("client_secret").map(|secret| (Slot::ClientSecret, secret)));
    Ok(())
}

fn percent_decoded(text: &str) -> String {
    let text = text.replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(text.as_bytes()).next().map_or(String::new(), |(name, _)| name.into_owned())
}
