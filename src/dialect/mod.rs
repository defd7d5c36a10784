//! A dialect: how an endpoint speaks, as data.
//!
//! Owns the table of names, paths, media types, document shapes, field mappings, rules for success, layers and
//! error classes. Client and mock read the same table and share nothing else: neither codec is here. Knows no
//! time and no sockets. Written in YAML (`suites/dialects/*.yaml`, `docs/suite-language.md`); start at
//! [`parse`] and [`builtin`].

pub mod import;
mod lower;
pub mod pattern;
pub mod places;
mod written;

use indexmap::IndexMap;

use crate::source::{Diagnostic, SourceFile};
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace, Link};
use crate::suite::expression::Expression;
use crate::suite::yaml;

/// How one endpoint speaks.
#[derive(Clone, Debug)]
pub struct Dialect {
    /// `name`
    pub name: String,
    /// `slots`: what its calls carry.
    pub slots: Vec<Slot>,
    /// `computed`: slots whose values are made for each call, from what an identity has in the slot.
    pub computed: IndexMap<Slot, Computed>,
    /// `links`: which claim of the access token ties it to what.
    pub links: IndexMap<Link, FieldPlace>,
    /// `blank`: what counts as empty.
    pub blank: Vec<Blank>,
    /// `dates`
    pub dates: Dates,
    /// `operations`; `refresh` is always there.
    pub operations: IndexMap<Operation, Speech>,
    /// `errors`: first match wins, no match is [`ErrorClass::Unknown`].
    pub errors: Vec<(Expression, ErrorClass)>,
    /// `error-documents`: shapes that refusals may have beside the operation's own.
    pub error_documents: Vec<ErrorDocument>,
    /// `showable`: members whose text may stand in evidence outside the mock.
    pub showable: Vec<String>,
}

impl Dialect {
    /// The refresh operation.
    pub fn refresh(&self) -> &Speech {
        &self.operations[&Operation::Refresh]
    }

    /// Whether it refreshes as OAuth 2.0 does: a form with the grant type of RFC 6749 section 6, and the errors of
    /// section 5.2.
    pub fn is_oauth2(&self) -> bool {
        let error = FieldPlace::Path("/error".to_owned());
        let code = self.refresh().answers.fields.get(&Field::Code);
        if !code.is_some_and(|source| source.at.contains(&error)) {
            return false;
        }
        let asks = |(name, shape): &(String, Shape)| {
            let plain = |part: &TextPart| *part == TextPart::Plain("refresh_token".to_owned());
            matches!(shape, Shape::Text(Text(parts)) if name == "grant_type" && parts.iter().any(plain))
        };
        let mut forms = self.refresh().accepts.values().filter(|accepts| accepts.codec == Codec::Form);
        forms.any(|accepts| accepts.body.iter().any(asks))
    }

    /// The operation, if this dialect has it.
    pub fn operation(&self, operation: Operation) -> Option<&Speech> {
        self.operations.get(&operation)
    }
}

/// How the value of a slot is made for each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computed {
    /// `dpop`: a proof of possession for this very request (RFC 9449), by the key that follows from the identity's
    /// value.
    Dpop,
}

/// One entry of `blank`.
#[derive(Clone, Debug, PartialEq)]
pub enum Blank {
    /// `null`
    Null,
    /// This text.
    Text(String),
}

/// `dates`
#[derive(Clone, Debug, PartialEq)]
pub struct Dates {
    /// The formats that are read, tried in order.
    pub formats: Vec<DateFormat>,
    /// What a date without an offset means.
    pub zone: Zone,
}

/// A date format.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DateFormat {
    /// ISO 8601, offset optional, up to 9 fraction digits.
    Iso,
    /// `/Date(1714979289123+0530)/`
    Dotnet,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMs,
    /// A pattern such as `dd-MM-yyyy HH:mm:ss` (d, M, y, H, h, m, s, f, t; the rest literal).
    Pattern(String),
}

impl DateFormat {
    /// As a dialect writes it.
    pub fn word(&self) -> &str {
        match self {
            DateFormat::Iso => "iso",
            DateFormat::Dotnet => "dotnet",
            DateFormat::Epoch => "epoch",
            DateFormat::EpochMs => "epoch-ms",
            DateFormat::Pattern(pattern) => pattern,
        }
    }
}

/// The assumed zone of dates without an offset.
#[derive(Clone, Debug, PartialEq)]
pub enum Zone {
    /// Not known: every zone is possible, so only differences between such dates are judged.
    Unknown,
    /// A fixed offset in seconds east of UTC.
    Fixed(i32),
}

/// How one operation is spoken.
#[derive(Clone, Debug)]
pub struct Speech {
    /// `documented: false`: used only where the environment offers it.
    pub documented: bool,
    /// `method`
    pub method: String,
    /// `path`
    pub path: String,
    /// `query`: names and values; a member whose only reference has no value is left out.
    pub query: Vec<(String, Text)>,
    /// `headers`
    pub headers: Vec<(String, Text)>,
    /// `cookies`: sent as one `Cookie` header.
    pub cookies: Vec<(String, Text)>,
    /// `auth`: the ways to send client credentials, the first is the default; empty where there are none.
    pub auth: Vec<ClientAuth>,
    /// `accepts`: format → how a document of it is written. Empty for an operation without a body.
    pub accepts: IndexMap<String, Accepts>,
    /// `answers`
    pub answers: Answers,
}

impl Speech {
    /// Whether a call of the operation carries the slot anywhere.
    pub fn carries(&self, slot: Slot) -> bool {
        fn member(shape: &Shape, slot: Slot) -> bool {
            match shape {
                Shape::Text(text) => text.names(slot),
                Shape::Object(members) => members.iter().any(|(_, inner)| member(inner, slot)),
            }
        }
        let framed = self.framed().any(|text| text.names(slot));
        let mut bodies = self.accepts.values().flat_map(|accepts| &accepts.body);
        let authenticates = !self.auth.is_empty() && matches!(slot, Slot::Client | Slot::ClientSecret);
        framed || authenticates || bodies.any(|(_, shape)| member(shape, slot))
    }

    /// Whether the slot stands in a header or a cookie.
    pub fn is_framed(&self, slot: Slot) -> bool {
        self.headers.iter().chain(&self.cookies).any(|(_, text)| text.names(slot))
    }

    /// What stands around the document: query, headers, cookies.
    fn framed(&self) -> impl Iterator<Item = &Text> {
        self.query.iter().chain(&self.headers).chain(&self.cookies).map(|(_, text)| text)
    }

    /// Whether no two calls of the operation are alike, whatever their tokens: the time, or a number of its own.
    pub fn varies(&self) -> bool {
        fn member(shape: &Shape) -> bool {
            match shape {
                Shape::Text(text) => text.varies(),
                Shape::Object(members) => members.iter().any(|(_, inner)| member(inner)),
            }
        }
        let mut bodies = self.accepts.values().flat_map(|accepts| &accepts.body);
        self.framed().any(Text::varies) || bodies.any(|(_, shape)| member(shape))
    }

    /// The formats that calls can be made in: those of documents; of an operation without one, what it is answered
    /// in; and nothing where no answer has a body either.
    pub fn formats(&self) -> Vec<String> {
        let listed = self.accepts.iter().filter(|(_, accepts)| accepts.listed);
        let listed: Vec<String> = listed.map(|(name, _)| name.clone()).collect();
        if !self.accepts.is_empty() {
            return listed;
        }
        vec![self.answers.types.first().cloned().unwrap_or_default()]
    }

    /// The format that a word names: a format's own name, or one of its media types (then that type).
    /// Answers the format's name, its description and the media type to send.
    pub fn format(&self, word: &str) -> Option<(&str, &Accepts, String)> {
        if let Some((name, accepts)) = self.accepts.get_key_value(word) {
            return Some((name, accepts, accepts.types.first().cloned().unwrap_or_default()));
        }
        self.accepts
            .iter()
            .find(|(_, accepts)| accepts.types.iter().any(|media| media == word))
            .map(|(name, accepts)| (name.as_str(), accepts, word.to_owned()))
    }
}

/// Text with slots in it: `Bearer $access`.
#[derive(Clone, Debug, PartialEq)]
pub struct Text(pub Vec<TextPart>);

impl Text {
    /// Whether the slot stands in it.
    pub fn names(&self, slot: Slot) -> bool {
        self.0.iter().any(|part| match part {
            TextPart::Plain(_) => false,
            TextPart::Slot(own) => *own == slot,
            TextPart::Made(function) => function.texts().any(|text| text.names(slot)),
        })
    }

    fn varies(&self) -> bool {
        self.0.iter().any(|part| match part {
            TextPart::Plain(_) | TextPart::Slot(_) => false,
            TextPart::Made(function) => {
                matches!(**function, Function::Uuid | Function::Now(_)) || function.texts().any(Text::varies)
            }
        })
    }
}

/// A piece of a [`Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// As it stands.
    Plain(String),
    /// The value of a slot.
    Slot(Slot),
    /// What a function makes.
    Made(Box<Function>),
}

/// A small function of `computed`: how a value is made for each call.
#[derive(Clone, Debug, PartialEq)]
pub enum Function {
    /// `{ base64: TEXT }`: standard base64.
    Base64(Text),
    /// `{ basic: "USER:PASSWORD" }`: the value of an Authorization header (RFC 7617).
    Basic(Text),
    /// `{ hmac-sha256: TEXT, key: TEXT }`: a MAC in base64, or in hexadecimal.
    HmacSha256 {
        /// What is authenticated.
        of: Text,
        /// By which key.
        key: Text,
        /// `as: hex`
        hex: bool,
    },
    /// `uuid`: a random UUID of version 4.
    Uuid,
    /// `now`, `now-ms`, `now-iso`
    Now(NowAs),
}

impl Function {
    /// What it is made of.
    fn texts(&self) -> impl Iterator<Item = &Text> {
        let (one, other) = match self {
            Function::Base64(text) | Function::Basic(text) => (Some(text), None),
            Function::HmacSha256 { of, key, .. } => (Some(of), Some(key)),
            Function::Uuid | Function::Now(_) => (None, None),
        };
        one.into_iter().chain(other)
    }
}

/// How the time of a call is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NowAs {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// ISO 8601, in UTC, to the second.
    Iso,
}

/// Where client credentials go (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuth {
    /// `basic`: client_secret_basic.
    Basic,
    /// `post`: client_secret_post, members `client_id` and `client_secret`.
    Post,
    /// `none`: a public client, `client_id` alone.
    None,
}

impl ClientAuth {
    /// The word in suites and dialects.
    pub fn word(self) -> &'static str {
        match self {
            ClientAuth::Basic => "basic",
            ClientAuth::Post => "post",
            ClientAuth::None => "none",
        }
    }
}

/// How a document of one format is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepts {
    /// The media types that name it; the first is the default.
    pub types: Vec<String>,
    /// How the bytes are made.
    pub codec: Codec,
    /// XML: the root element, perhaps with a prefix.
    pub root: Option<String>,
    /// XML: prefix → namespace; `""` is the default namespace.
    pub namespaces: Vec<(String, String)>,
    /// The members in order. Order is meant as written in XML.
    pub body: Vec<(String, Shape)>,
    /// `listed: false`: described, but the endpoint must refuse it.
    pub listed: bool,
}

/// How bytes are made of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 8259.
    Json,
    /// XML 1.0 with namespaces.
    Xml,
    /// application/x-www-form-urlencoded, UTF-8.
    Form,
}

/// A member of a document that is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Text with slots; left out where its only slot has no value.
    Text(Text),
    /// Nested members.
    Object(Vec<(String, Shape)>),
}

/// What comes back.
#[derive(Clone, Debug)]
pub struct Answers {
    /// `types`: the listed media types of answers.
    pub types: Vec<String>,
    /// `body`: the declared tree, members in declared order. `None` where nothing is declared.
    pub body: Option<Vec<(String, Declared)>>,
    /// `open`: members beyond the declared ones are legal, as in RFC 6749 section 5.1.
    pub open: bool,
    /// `xml`: how the same tree is written in XML.
    pub xml: Option<XmlAnswer>,
    /// `fields`: abstract field → where it is.
    pub fields: IndexMap<Field, FieldSource>,
    /// `granted`: the operation's own rule for success.
    pub granted: Expression,
    /// `layers`: status layers that must agree, by name.
    pub layers: IndexMap<String, Expression>,
    /// `refused`: what makes an answer a refusal where the default is not right.
    pub refused: Option<Expression>,
    /// `crash`: what makes it a failure of the server; the default is a 5xx.
    pub crash: Option<Expression>,
}

impl Answers {
    /// Whether a grant has a document: one is declared, or a token is read from one.
    pub fn has_document(&self) -> bool {
        let in_document = |field: &Field| {
            let source = self.fields.get(field);
            source.is_some_and(|source| source.at.iter().any(|place| matches!(place, FieldPlace::Path(_))))
        };
        // Where a grant has no tokens, nobody can tell.
        let tokens = [Field::Access, Field::Refresh];
        self.body.is_some()
            || tokens.iter().any(in_document)
            || !tokens.iter().any(|field| self.fields.contains_key(field))
    }

    /// Whether the declared tree lets the member at `path` (`/data/expires`) be absent: it, or one that it is in.
    pub fn may_lack(&self, path: &str) -> bool {
        let mut members = self.body.as_ref();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let Some((_, declared)) =
                members.and_then(|members| members.iter().find(|(other, _)| other == name))
            else {
                return false;
            };
            if declared.optional {
                return true;
            }
            members = match &declared.kind {
                DeclaredKind::Object(inner) => Some(inner),
                DeclaredKind::Text | DeclaredKind::Number | DeclaredKind::Flag | DeclaredKind::Any => None,
            };
        }
        false
    }
}

/// A declared member of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// What kind of value it is.
    pub kind: DeclaredKind,
    /// `?`: it may be null or absent.
    pub optional: bool,
    /// ` or null`: it may be null and must be there (`text or null`).
    pub nullable: bool,
    /// The namespace of its element, where its name has a prefix.
    pub namespace: Option<String>,
}

/// The kinds that a dialect can declare.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum DeclaredKind {
    Text,
    Number,
    Flag,
    Any,
    Object(Vec<(String, Declared)>),
}

/// How an answer is written in XML.
#[derive(Clone, Debug, PartialEq)]
pub struct XmlAnswer {
    /// The root element, without its prefix.
    pub root: String,
    /// The namespace of the root, and of members whose names have no prefix.
    pub namespace: String,
    /// Prefix → namespace: what prefixes in names and places of answers mean.
    pub namespaces: Vec<(String, String)>,
    /// The order of elements.
    pub order: XmlOrder,
    /// How null is written.
    pub null: XmlNull,
}

/// The order of XML elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlOrder {
    /// By ordinal comparison of names, upper case first (DataContractSerializer without `Order`).
    Ordinal,
    /// As declared.
    Declared,
    /// Any.
    Any,
}

/// How null is written in XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlNull {
    /// `i:nil="true"`
    Nil,
    /// The element is left out.
    Absent,
}

/// Where an abstract field is, and how it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSource {
    /// The places, tried in order.
    pub at: Vec<FieldPlace>,
    /// How the value is read.
    pub reading: Reading,
    /// `of: access`: which token an expiry belongs to.
    pub of: Option<Field>,
    /// `absent: keep`: an absent value means the old one stays.
    pub absent_keeps: bool,
}

/// How a field's value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As text.
    Text,
    /// A moment, in one of the dialect's date formats.
    Date,
    /// A number of seconds from the answer on.
    Seconds,
    /// A number of milliseconds from the answer on.
    Milliseconds,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMs,
    /// A flag: `true`, `True`, `1`, `Y`, `yes`, `success` and their opposites.
    Flag,
}

/// A shape that refusals may have beside the operation's own: `HttpError` of ASP.NET, `error` of OAuth 2.0.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorDocument {
    /// XML root without namespace, where it has one.
    pub root: Option<String>,
    /// Members in declared order; all but the first are optional.
    pub body: Vec<(String, Declared)>,
}

/// Abstract classes of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorClass {
    /// The token was never issued, or is damaged.
    InvalidToken,
    /// It is too old.
    Expired,
    /// It was used before.
    Reused,
    /// It was revoked.
    Revoked,
    /// It belongs to another client or tenant.
    WrongClient,
    /// The caller's own credentials are wrong.
    BadCredentials,
    /// The request cannot be read.
    Malformed,
    /// The media type is not supported.
    UnsupportedMedia,
    /// The method or path does not exist.
    NoSuchOperation,
    /// Too many requests.
    RateLimited,
    /// Scope beyond the grant.
    InvalidScope,
    /// The proof of possession is missing or wrong.
    InvalidProof,
    /// A refusal that no rule knows.
    Unknown,
}

impl ErrorClass {
    /// All classes with their words.
    pub const ALL: [(ErrorClass, &'static str); 13] = [
        (ErrorClass::InvalidToken, "invalid-token"),
        (ErrorClass::Expired, "expired"),
        (ErrorClass::Reused, "reused"),
        (ErrorClass::Revoked, "revoked"),
        (ErrorClass::WrongClient, "wrong-client"),
        (ErrorClass::BadCredentials, "bad-credentials"),
        (ErrorClass::Malformed, "malformed"),
        (ErrorClass::UnsupportedMedia, "unsupported-media"),
        (ErrorClass::NoSuchOperation, "no-such-operation"),
        (ErrorClass::RateLimited, "rate-limited"),
        (ErrorClass::InvalidScope, "invalid-scope"),
        (ErrorClass::InvalidProof, "invalid-proof"),
        (ErrorClass::Unknown, "unknown"),
    ];

    /// The word in suites, dialects and reports.
    pub fn word(self) -> &'static str {
        ErrorClass::ALL.iter().find(|(class, _)| *class == self).map_or("unknown", |(_, word)| word)
    }
}

/// Reads a dialect: every mistake that can be found, in file order.
pub fn parse(source: &SourceFile) -> Result<Dialect, Vec<Diagnostic>> {
    let written = yaml::read_all(source, &|_, _| {})?;
    lower::lower(source, &written)
}

/// The JSON Schema of dialect files.
pub fn schema() -> serde_json::Value {
    written::schema()
}

/// The built-in dialects: name and text.
pub const BUILTIN: [(&str, &str); 12] = [
    ("pfms", include_str!("../../suites/dialects/pfms.yaml")),
    ("oauth2", include_str!("../../suites/dialects/oauth2.yaml")),
    ("oidc", include_str!("../../suites/dialects/oidc.yaml")),
    ("simplejwt", include_str!("../../suites/dialects/simplejwt.yaml")),
    ("aspnet-identity", include_str!("../../suites/dialects/aspnet-identity.yaml")),
    ("supabase", include_str!("../../suites/dialects/supabase.yaml")),
    ("matrix", include_str!("../../suites/dialects/matrix.yaml")),
    ("bearer", include_str!("../../suites/dialects/bearer.yaml")),
    ("cookie", include_str!("../../suites/dialects/cookie.yaml")),
    ("soap", include_str!("../../suites/dialects/soap.yaml")),
    ("firebase", include_str!("../../suites/dialects/firebase.yaml")),
    ("cognito", include_str!("../../suites/dialects/cognito.yaml")),
];

/// The built-in dialect of that name: `pfms`, `oauth2`, `simplejwt`, …
pub fn builtin(name: &str) -> Option<Dialect> {
    let (name, text) = BUILTIN.iter().find(|(candidate, _)| *candidate == name)?;
    let source = SourceFile::new(format!("suites/dialects/{name}.yaml"), *text);
    Some(parse(&source).expect("a test reads every built-in dialect"))
}

/// A dialect written out in a test of a module that knows no files.
#[cfg(test)]
pub(crate) fn written_out(text: &str) -> Dialect {
    parse(&SourceFile::new("dialect.yaml", text)).expect("the dialect of a test is right")
}
