//! Writing answers by the table: status, document, headers and cookies.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::dialect::{Declared, DeclaredKind, Dialect, ErrorClass, Speech};
use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::defect::Defect;
use crate::suite::expression::Value as Known;

use super::super::authority::{Authority, Holder, Pair, Refusal};
use super::super::clock::Moment;
use super::super::defects::Switches;
use super::super::webapi::{HttpRequest, HttpResponse};
use super::Fault;
use super::solve::{self, Recipe};
use super::values::{Spelling, as_declared, field_value};
use super::xml;

/// What an answer says.
pub(super) enum Said<'a> {
    /// A pair of tokens.
    Granted {
        pair: &'a Pair,
        authority: &'a Authority,
        /// The refresh token is the one that was presented.
        kept: bool,
    },
    /// Whom an access token speaks for.
    Held(&'a Holder),
    /// It is done.
    Done,
    /// No.
    Refused(Fault),
}

/// Every reason to refuse.
const FAULTS: [Fault; 12] = [
    Fault::Token(Refusal::Unknown),
    Fault::Token(Refusal::Expired),
    Fault::Token(Refusal::Reused),
    Fault::Token(Refusal::Revoked),
    Fault::Token(Refusal::Mismatch),
    Fault::Token(Refusal::Foreign),
    Fault::Token(Refusal::Scope),
    Fault::BadCredentials,
    Fault::Malformed,
    Fault::UnsupportedMedia,
    Fault::NoSuchOperation,
    Fault::NotAllowed,
];

/// Writes answers.
#[derive(Debug)]
pub(super) struct Teller {
    dialect: Dialect,
    switches: Switches,
    granted: HashMap<Operation, Recipe>,
    refused: HashMap<(Operation, Fault), Recipe>,
}

impl Teller {
    /// For a dialect, if its own rules tell what a grant is.
    pub(super) fn of(dialect: &Dialect, switches: Switches) -> Option<Teller> {
        let mut granted = HashMap::new();
        let mut refused = HashMap::new();
        for (operation, speech) in &dialect.operations {
            match solve::granted(dialect, speech) {
                Some(recipe) => granted.insert(*operation, recipe),
                None if *operation == Operation::Refresh => return None,
                None => None,
            };
            for fault in FAULTS {
                let (classes, statuses) = meant(fault, *operation);
                refused.extend(
                    solve::refused(dialect, speech, classes, statuses)
                        .map(|recipe| ((*operation, fault), recipe)),
                );
            }
        }
        Some(Teller { dialect: dialect.clone(), switches, granted, refused })
    }

    /// The answer.
    pub(super) fn write(
        &self,
        operation: Operation,
        request: &HttpRequest,
        said: &Said<'_>,
        now: Moment,
    ) -> HttpResponse {
        let speech = self.dialect.operation(operation).unwrap_or(self.dialect.refresh());
        if let Some(response) = self.in_other_words(operation, request, said) {
            return response;
        }
        let recipe = match said {
            Said::Refused(fault) => self.refused.get(&(operation, *fault)),
            Said::Granted { .. } | Said::Held(_) | Said::Done => self.granted.get(&operation),
        };
        let plain =
            Recipe { status: if matches!(said, Said::Refused(_)) { 400 } else { 200 }, values: Vec::new() };
        let recipe = recipe.unwrap_or(&plain);
        let mut draft = Draft { status: recipe.status, ..Draft::default() };
        for (name, value) in &recipe.values {
            draft.place_rule(speech, name, value);
        }
        match said {
            Said::Granted { pair, authority, kept } => {
                self.tokens(&mut draft, operation, speech, pair, authority, *kept, now);
            }
            Said::Refused(fault) => self.challenge(&mut draft, speech, *fault),
            Said::Held(holder) => draft.holder(holder),
            Said::Done => {}
        }
        let document = match said {
            Said::Refused(_) => self.refusal(speech, &draft),
            Said::Granted { .. } | Said::Held(_) | Said::Done => declared(speech, &draft),
        };
        self.finish(speech, request, draft, document)
    }

    /// What a defect answers in place of the table's words.
    fn in_other_words(
        &self,
        operation: Operation,
        request: &HttpRequest,
        said: &Said<'_>,
    ) -> Option<HttpResponse> {
        let Said::Refused(fault) = said else { return None };
        let refreshes = operation == Operation::Refresh;
        if *fault == Fault::Crashed {
            return Some(super::super::canned::crashed());
        }
        if refreshes && request.body.is_empty() && self.switches.has(Defect::EmptyBodyCrash) {
            return Some(super::super::canned::crashed());
        }
        let html = matches!(fault, Fault::Token(_)) && refreshes && self.switches.has(Defect::RefusalHtml);
        html.then(|| HttpResponse {
            status: 200,
            headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
            body: b"<!DOCTYPE html><html><head><title>Runtime Error</title></head><body></body></html>"
                .to_vec(),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "what is said, of what, and when")]
    fn tokens(
        &self,
        draft: &mut Draft,
        operation: Operation,
        speech: &Speech,
        pair: &Pair,
        authority: &Authority,
        kept: bool,
        now: Moment,
    ) {
        for (field, source) in &speech.answers.fields {
            let refreshes = operation == Operation::Refresh;
            let unsaid = *field == Field::Refresh
                && refreshes
                && (kept && source.absent_keeps || self.switches.has(Defect::RefreshTokenMissing));
            if unsaid {
                draft.left_out.extend(source.at.iter().filter_map(|place| match place {
                    FieldPlace::Path(path) => Some(local_path(path)),
                    _ => None,
                }));
                continue;
            }
            let spelling = Spelling { dialect: &self.dialect, switches: self.switches, refreshes, now };
            if let Some(value) = field_value(*field, source, pair, authority, &spelling) {
                draft.place(speech, &source.at, value);
            }
        }
    }

    /// What HTTP asks of a refusal, and the words for a person where there is a place for them.
    fn challenge(&self, draft: &mut Draft, speech: &Speech, fault: Fault) {
        if draft.status == 401 {
            draft.headers.push(("WWW-Authenticate".to_owned(), "Bearer".to_owned()));
        }
        if fault == Fault::NotAllowed && !self.switches.has(Defect::NoAllow) {
            draft.headers.push(("Allow".to_owned(), speech.method.clone()));
        }
        let decides = self.dialect.errors.iter().any(|(rule, _)| rule.names().contains(&"message"));
        if let (Some(source), false) = (speech.answers.fields.get(&Field::Message), decides) {
            draft.place(speech, &source.at, described(fault).into());
        }
    }

    /// A refusal's document: an error document of the dialect that has its members; the operation's own, where
    /// everything in it may be null; else the members alone.
    fn refusal(&self, speech: &Speech, draft: &Draft) -> Option<Shown> {
        let first = |path: &String| path.split('/').nth(1).unwrap_or_default().to_owned();
        let needed: Vec<String> = draft.members.iter().map(|(path, _)| first(path)).collect();
        let fitting = self
            .dialect
            .error_documents
            .iter()
            .find(|error| needed.iter().all(|name| error.body.iter().any(|(own, _)| own == name)));
        if let Some(error) = fitting {
            let mut members = tree(&error.body, draft, "");
            for (at, (name, declared)) in error.body.iter().enumerate() {
                let required = at == 0 || !declared.optional;
                if required && members.get(name).is_none_or(Value::is_null) {
                    members.insert(name.clone(), default(declared));
                }
            }
            members.retain(|_, value| !value.is_null());
            return Some(Shown { members, root: error.root.clone() });
        }
        let may_be_null =
            |body: &[(String, Declared)]| body.iter().all(|(_, own)| own.optional || own.nullable);
        match &speech.answers.body {
            Some(body) if may_be_null(body) && !needed.is_empty() => declared(speech, draft),
            _ if draft.members.is_empty() => None,
            _ => Some(Shown { members: loose(draft), root: None }),
        }
    }

    fn finish(
        &self,
        speech: &Speech,
        request: &HttpRequest,
        draft: Draft,
        document: Option<Shown>,
    ) -> HttpResponse {
        let mut headers = Vec::new();
        let media = chosen(&speech.answers.types, request);
        let body = match (document, media) {
            (Some(shown), Some(media)) => {
                headers.push(("Content-Type".to_owned(), format!("{media}; charset=utf-8")));
                if media.contains("xml") {
                    xml::write(speech, shown.root.as_deref(), &shown.members)
                } else {
                    Value::Object(xml::without_prefixes(speech, shown.members)).to_string().into_bytes()
                }
            }
            _ => Vec::new(),
        };
        if !self.switches.has(Defect::NoStoreMissing) {
            headers.push(("Cache-Control".to_owned(), "no-store".to_owned()));
        }
        headers.extend(draft.headers);
        let set = |(name, value): (String, String)| {
            ("Set-Cookie".to_owned(), format!("{name}={value}; Path=/; HttpOnly; Secure; SameSite=Strict"))
        };
        headers.extend(draft.cookies.into_iter().map(set));
        HttpResponse { status: draft.status, headers, body }
    }
}

/// Which classes a fault is, the best first, and the statuses to try.
fn meant(fault: Fault, operation: Operation) -> (&'static [ErrorClass], &'static [u16]) {
    use ErrorClass::{
        BadCredentials, Expired, InvalidScope, InvalidToken, Malformed, NoSuchOperation, Reused, Revoked,
        UnsupportedMedia, WrongClient,
    };
    let statuses: &[u16] = match (fault, operation) {
        (Fault::Malformed | Fault::Token(Refusal::Scope), _) => &[400, 422, 200],
        (Fault::UnsupportedMedia, _) => &[415, 400, 200],
        (Fault::NoSuchOperation, _) => &[404, 400],
        (Fault::NotAllowed, _) => &[405, 404, 400],
        (_, Operation::Probe) | (Fault::BadCredentials, _) => &[401, 403, 400, 200],
        (Fault::Token(_) | Fault::Crashed, _) => &[400, 401, 403, 200],
    };
    let classes: &[ErrorClass] = match fault {
        Fault::Token(Refusal::Unknown | Refusal::Mismatch) => &[InvalidToken],
        Fault::Token(Refusal::Expired) => &[Expired, InvalidToken],
        Fault::Token(Refusal::Reused) => &[Reused, InvalidToken],
        Fault::Token(Refusal::Revoked) => &[Revoked, InvalidToken],
        Fault::Token(Refusal::Foreign) => &[WrongClient, InvalidToken],
        Fault::Token(Refusal::Scope) => &[InvalidScope, Malformed],
        Fault::BadCredentials => &[BadCredentials, InvalidToken],
        Fault::Malformed | Fault::Crashed => &[Malformed],
        Fault::UnsupportedMedia => &[UnsupportedMedia, Malformed],
        Fault::NoSuchOperation | Fault::NotAllowed => &[NoSuchOperation],
    };
    (classes, statuses)
}

fn described(fault: Fault) -> &'static str {
    match fault {
        Fault::Token(Refusal::Unknown) => "the token is not known",
        Fault::Token(Refusal::Expired) => "the token has expired",
        Fault::Token(Refusal::Reused) => "the token was used before",
        Fault::Token(Refusal::Revoked) => "the token was revoked",
        Fault::Token(Refusal::Mismatch) => "the tokens do not belong together",
        Fault::Token(Refusal::Foreign) => "the token belongs to another",
        Fault::Token(Refusal::Scope) => "the scope exceeds the grant",
        Fault::BadCredentials => "the credentials are wrong",
        Fault::Malformed | Fault::Crashed => "the request cannot be read",
        Fault::UnsupportedMedia => "the media type is not supported",
        Fault::NoSuchOperation => "nothing is here",
        Fault::NotAllowed => "the method is not allowed",
    }
}

/// An answer in the making.
#[derive(Debug, Default)]
struct Draft {
    status: u16,
    /// Path → value.
    members: Vec<(String, Value)>,
    headers: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    /// Paths of members that are not there, whatever is declared.
    left_out: Vec<String>,
}

impl Draft {
    /// Puts what a rule wants where the rule looks for it.
    fn place_rule(&mut self, speech: &Speech, name: &str, value: &Known) {
        let value = match value {
            Known::Text(text) => Value::from(text.clone()),
            Known::Flag(flag) => Value::from(*flag),
            Known::Number(number) if number.fract() == 0.0 =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "a number of a dialect is small")]
                Value::from(*number as i64)
            }
            Known::Number(number) => Value::from(*number),
            _ => return,
        };
        if name.starts_with('/') {
            let path = FieldPlace::Path(name.to_owned());
            return self.place(speech, &[path], value);
        }
        if let Some(header) = name.strip_prefix("header:") {
            return self.place(speech, &[FieldPlace::Header(header.to_owned())], value);
        }
        let source = Field::from_word(name).and_then(|field| speech.answers.fields.get(&field));
        if let Some(source) = source {
            self.place(speech, &source.at, value);
        }
    }

    /// Puts a value at the first of these places that an answer has.
    fn place(&mut self, speech: &Speech, places: &[FieldPlace], value: Value) {
        let body = speech.answers.body.as_deref();
        let is_declared = |place: &&FieldPlace| match place {
            FieldPlace::Path(path) => body.is_none_or(|body| find(body, path).is_some()),
            FieldPlace::Header(_) | FieldPlace::Cookie(_) => true,
            FieldPlace::Claim(..) | FieldPlace::Jose(..) | FieldPlace::Field(_) => false,
        };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match places.iter().find(is_declared).or(places.first()) {
            Some(FieldPlace::Path(path)) => {
                let known = body.and_then(|body| find(body, path));
                let value = as_declared(known, value);
                match self.members.iter_mut().find(|(own, _)| own == path) {
                    Some((_, own)) => *own = value,
                    None => self.members.push((path.clone(), value)),
                }
            }
            Some(FieldPlace::Header(name)) => self.headers.push((name.clone(), text(&value))),
            Some(FieldPlace::Cookie(name)) => self.cookies.push((name.clone(), text(&value))),
            Some(FieldPlace::Claim(..) | FieldPlace::Jose(..) | FieldPlace::Field(_)) | None => {}
        }
    }

    /// Whom a token speaks for, in the members that resources have for it.
    fn holder(&mut self, holder: &Holder) {
        let known = [
            (["/sub", "/subject", "/user", "/user_id", "/username"].as_slice(), &holder.user),
            (["/tenant", "/client_id", "/client"].as_slice(), &holder.party),
            (["/family", "/sid"].as_slice(), &holder.family),
        ];
        for (paths, text) in known {
            self.members.extend(paths.iter().map(|path| ((*path).to_owned(), Value::from(text.clone()))));
        }
    }
}

/// A document: its members, and the root of an error document in XML.
struct Shown {
    members: Map<String, Value>,
    root: Option<String>,
}

/// The operation's own document.
fn declared(speech: &Speech, draft: &Draft) -> Option<Shown> {
    match &speech.answers.body {
        Some(body) => Some(Shown { members: tree(body, draft, ""), root: None }),
        None if draft.members.is_empty() => None,
        None => Some(Shown { members: loose(draft), root: None }),
    }
}

/// The declared tree, with what the draft has.
fn tree(body: &[(String, Declared)], draft: &Draft, above: &str) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, declared) in body {
        let path = format!("{above}/{name}");
        let value = match &declared.kind {
            DeclaredKind::Object(inner) => {
                let inner = tree(inner, draft, &path);
                let nothing = inner.values().all(Value::is_null);
                match (nothing, declared.optional, declared.nullable) {
                    (true, true, _) => continue,
                    (true, false, true) => Value::Null,
                    (false, _, _) | (true, false, false) => Value::Object(inner),
                }
            }
            DeclaredKind::Text | DeclaredKind::Number | DeclaredKind::Flag | DeclaredKind::Any => {
                match draft.members.iter().find(|(own, _)| local_path(own) == path) {
                    Some((_, value)) => value.clone(),
                    None if declared.optional || draft.left_out.contains(&path) => continue,
                    None if declared.nullable => Value::Null,
                    None => default(declared),
                }
            }
        };
        members.insert(name.clone(), value);
    }
    members
}

/// Members that nobody declared, made of their paths.
fn loose(draft: &Draft) -> Map<String, Value> {
    let mut root = Map::new();
    for (path, value) in &draft.members {
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let Some((last, above)) = names.split_last() else { continue };
        let mut here = &mut root;
        for name in above {
            let below = here.entry((*name).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if !below.is_object() {
                *below = Value::Object(Map::new());
            }
            here = below.as_object_mut().expect("it was made one");
        }
        here.insert((*last).to_owned(), value.clone());
    }
    root
}

/// What stands where nobody says what should.
fn default(declared: &Declared) -> Value {
    match &declared.kind {
        DeclaredKind::Text | DeclaredKind::Any => Value::from("assay-mock"),
        DeclaredKind::Number => Value::from(1),
        DeclaredKind::Flag => Value::from(true),
        DeclaredKind::Object(_) => Value::Object(Map::new()),
    }
}

/// A path without prefixes.
fn local_path(path: &str) -> String {
    let local = |name: &str| name.split_once(':').map_or(name, |(_, local)| local).to_owned();
    path.split('/').map(local).collect::<Vec<_>>().join("/")
}

/// The declared member at a path.
fn find<'a>(body: &'a [(String, Declared)], path: &str) -> Option<&'a Declared> {
    let path = local_path(path);
    let mut members = body;
    let mut found = None;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let (_, declared) = members.iter().find(|(own, _)| own == name)?;
        found = Some(declared);
        members = match &declared.kind {
            DeclaredKind::Object(inner) => inner,
            DeclaredKind::Text | DeclaredKind::Number | DeclaredKind::Flag | DeclaredKind::Any => &[],
        };
    }
    found
}

/// The media type of an answer: the first listed one that is accepted by name, else the first.
fn chosen<'a>(types: &'a [String], request: &HttpRequest) -> Option<&'a str> {
    let accept: Vec<String> = request.header("accept").collect();
    let accept = accept.join(",").to_ascii_lowercase();
    let named = |media: &&String| {
        let mut parts = accept.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
        parts.any(|part| part == media.as_str())
    };
    types.iter().find(named).or(types.first()).map(String::as_str)
}
