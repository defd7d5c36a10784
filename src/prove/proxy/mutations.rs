//! Everything that can be spoiled in the declared answers of a dialect, and which survivors are right.

use crate::dialect::{Declared, DeclaredKind, Dialect, Speech};
use crate::suite::claim::{Field, FieldPlace};

use super::edit::{BytesEdit, Edit, MemberEdit, Parts};
use super::spans;

/// One thing to spoil.
#[derive(Clone, Debug)]
pub(in crate::prove) struct Mutation {
    /// The difference, for people.
    pub(in crate::prove) what: String,
    /// In which answers.
    pub(in crate::prove) occasion: Occasion,
    /// How.
    pub(in crate::prove) edit: Edit,
    /// Where a grant has its access token.
    pub(in crate::prove) granted_at: Vec<String>,
    /// What must be red to tell it: the dialect's member, where it is one.
    member: Option<Spoilt>,
}

/// A member as the dialect has it.
#[derive(Clone, Debug)]
struct Spoilt {
    nullable: bool,
    optional: bool,
    is_text: bool,
    field: Option<Field>,
}

/// Which answers to a refresh are spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::prove) enum Occasion {
    /// Grants, in whatever format.
    Grant,
    /// Grants in JSON.
    JsonGrant,
    /// Grants in XML.
    XmlGrant,
    /// Refusals.
    Refusal,
}

impl Mutation {
    /// A proxy that changes nothing.
    pub(in crate::prove) fn nothing() -> Mutation {
        Mutation {
            what: "nothing".to_owned(),
            occasion: Occasion::Grant,
            edit: Edit::Nothing,
            granted_at: Vec::new(),
            member: None,
        }
    }
}

impl Occasion {
    /// Whether an answer is one of these: a grant has an access token.
    pub(super) fn is(self, parts: &Parts, granted_at: &[String]) -> bool {
        let is_xml = parts.is_xml();
        let token = spans::find(&parts.body, granted_at, is_xml)
            .map(|(members, index)| &parts.body[members[index].value.clone()])
            .unwrap_or_default();
        let granted = !matches!(token, b"" | b"null" | b"\"\"");
        match self {
            Occasion::Grant => granted,
            Occasion::JsonGrant => granted && !is_xml,
            Occasion::XmlGrant => granted && is_xml,
            Occasion::Refusal => !granted,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Occasion::Grant => "of a grant",
            Occasion::JsonGrant => "of a grant in JSON",
            Occasion::XmlGrant => "of a grant in XML",
            Occasion::Refusal => "of a refusal",
        }
    }
}

/// Why a mutant that nothing turns red is right: it is no worse than the answer it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// RFC 8259 section 4: the members of an object have no order.
    JsonHasNoOrder,
    /// The dialect declares that null may stand there, and nobody says when.
    NullIsDeclared,
    /// The dialect declares a text, and does not say which.
    AnyTextIsDeclared,
    /// The dialect declares that it may be left out, and nobody says when.
    AbsenceIsDeclared,
    /// Nobody promises the header.
    HeaderIsFree,
    /// Nobody says what the date is the date of.
    DateIsFree,
    /// A refusal may have any status that is none of the server's own failures.
    RefusalStatusIsFree,
    /// A refusal needs no document.
    RefusalMayBeEmpty,
}

impl Rule {
    fn why(self) -> &'static str {
        match self {
            Rule::JsonHasNoOrder => "the members of a JSON object have no order (RFC 8259 section 4)",
            Rule::NullIsDeclared => "the dialect declares that null may stand there, and nobody says when",
            Rule::AnyTextIsDeclared => "the dialect declares a text, and nobody says which",
            Rule::AbsenceIsDeclared => "the dialect declares that it may be left out, and nobody says when",
            Rule::HeaderIsFree => "nobody promises this header",
            Rule::DateIsFree => "nobody says what it is the date of",
            Rule::RefusalStatusIsFree => "a refusal may have any status but one of the server's failures",
            Rule::RefusalMayBeEmpty => "a refusal needs no document",
        }
    }
}

/// Every mutation of the refresh operation of `dialect`.
pub(in crate::prove) fn all(dialect: &Dialect) -> Vec<Mutation> {
    let speech = dialect.refresh();
    let granted_at = access_path(speech);
    let mut found = Vec::new();
    let mut add = |what: String, occasion: Occasion, edit: Edit, member: Option<Spoilt>| {
        let what = format!("{what} {}", occasion.words());
        found.push(Mutation { what, occasion, edit, granted_at: granted_at.clone(), member });
    };
    let speaks_xml = speech.answers.xml.is_some();
    let formats: &[Occasion] =
        if speaks_xml { &[Occasion::JsonGrant, Occasion::XmlGrant] } else { &[Occasion::JsonGrant] };
    for (path, declared) in members(speech.answers.body.as_deref().unwrap_or_default()) {
        let spoilt = Spoilt {
            nullable: declared.nullable,
            optional: declared.optional,
            is_text: declared.kind == DeclaredKind::Text,
            field: field_at(speech, &path),
        };
        for occasion in formats {
            for what in edits(&spoilt, *occasion, &declared) {
                let name = path.join("/");
                let words = format!("{name} {}", edit_words(what));
                add(words, *occasion, Edit::Member(path.clone(), what), Some(spoilt.clone()));
            }
        }
    }
    for (path, declared) in refusal_members(dialect) {
        let is_text = declared.kind == DeclaredKind::Text;
        let spoilt =
            Spoilt { nullable: declared.nullable, optional: declared.optional, is_text, field: None };
        for what in [MemberEdit::Missing, MemberEdit::Renamed] {
            let words = format!("{} {}", path.join("/"), edit_words(what));
            add(words, Occasion::Refusal, Edit::Member(path.clone(), what), Some(spoilt.clone()));
        }
    }
    heads(speech, &mut add);
    for occasion in formats.iter().copied().chain([Occasion::Refusal]) {
        for (what, words) in BYTES {
            add((*words).to_owned(), occasion, Edit::Bytes(*what), None);
        }
    }
    found
}

const BYTES: &[(BytesEdit, &str)] = &[
    (BytesEdit::CutOne, "the last byte is missing"),
    (BytesEdit::CutHalf, "the second half is missing"),
    (BytesEdit::Broken, "the connection ends in the middle"),
    (BytesEdit::Gone, "nothing is left"),
    (BytesEdit::Twice, "everything is there twice"),
    (BytesEdit::NotUtf8, "a byte is no UTF-8"),
];

fn heads(speech: &Speech, add: &mut dyn FnMut(String, Occasion, Edit, Option<Spoilt>)) {
    for status in [201, 204, 302, 400, 401, 403, 500, 503] {
        add(format!("the status is {status}"), Occasion::Grant, Edit::Status(status), None);
    }
    for status in [200, 302, 500, 503] {
        add(format!("the status is {status}"), Occasion::Refusal, Edit::Status(status), None);
    }
    let labels = ["text/html; charset=utf-8", "text/plain", "application/octet-stream", "nonsense"];
    for occasion in [Occasion::Grant, Occasion::Refusal] {
        for label in labels {
            add(format!("the label is {label}"), occasion, Edit::Label(Some(label)), None);
        }
        add("the label is missing".to_owned(), occasion, Edit::Label(None), None);
        let charset = "application/json; charset=utf-16";
        add(format!("the label is {charset}"), occasion, Edit::Label(Some(charset)), None);
    }
    if speech.answers.xml.is_some() {
        for (occasion, label) in [
            (Occasion::JsonGrant, "application/xml; charset=utf-8"),
            (Occasion::XmlGrant, "application/json; charset=utf-8"),
        ] {
            add(format!("the label is {label}"), occasion, Edit::Label(Some(label)), None);
        }
    }
    for header in ["Cache-Control", "Pragma", "Expires", "Server", "Date"] {
        add(format!("the header {header} is missing"), Occasion::Grant, Edit::WithoutHeader(header), None);
    }
}

/// What can be done to a member in a format.
fn edits(spoilt: &Spoilt, occasion: Occasion, declared: &Declared) -> Vec<MemberEdit> {
    let is_object = matches!(declared.kind, DeclaredKind::Object(_));
    let mut edits = vec![
        MemberEdit::Missing,
        MemberEdit::Renamed,
        MemberEdit::Reordered,
        MemberEdit::Repeated,
        MemberEdit::Nulled,
    ];
    if occasion == Occasion::JsonGrant {
        edits.push(MemberEdit::Listed);
        if spoilt.is_text {
            edits.extend([MemberEdit::Number, MemberEdit::Flag]);
        } else if !is_object {
            edits.push(MemberEdit::Flag);
        }
    }
    if !is_object {
        edits.push(MemberEdit::Emptied);
    }
    let moves = [Field::Access, Field::Refresh, Field::Issued, Field::Expires, Field::Served];
    if spoilt.field.is_some_and(|field| moves.contains(&field)) && spoilt.is_text {
        edits.push(MemberEdit::Stale);
    }
    if matches!(spoilt.field, Some(Field::Access | Field::Refresh)) {
        edits.push(MemberEdit::Spaced);
    }
    edits
}

fn edit_words(what: MemberEdit) -> &'static str {
    match what {
        MemberEdit::Missing => "is missing",
        MemberEdit::Renamed => "has another name",
        MemberEdit::Reordered => "stands behind the next",
        MemberEdit::Repeated => "is there twice",
        MemberEdit::Number => "is a number",
        MemberEdit::Flag => "is a flag",
        MemberEdit::Listed => "stands in a list",
        MemberEdit::Emptied => "is empty",
        MemberEdit::Nulled => "is null",
        MemberEdit::Stale => "is that of the first answer",
        MemberEdit::Spaced => "ends in a line break",
    }
}

/// Why it is right that nothing turns red, where it is.
pub(in crate::prove) fn justified(mutation: &Mutation) -> Option<&'static str> {
    rule(mutation).map(Rule::why)
}

fn rule(mutation: &Mutation) -> Option<Rule> {
    match &mutation.edit {
        Edit::Member(_, what) => member_rule(mutation.member.as_ref()?, *what, mutation.occasion),
        Edit::WithoutHeader(_) => Some(Rule::HeaderIsFree),
        Edit::Status(..500) if mutation.occasion == Occasion::Refusal => Some(Rule::RefusalStatusIsFree),
        Edit::Bytes(BytesEdit::Gone) if mutation.occasion == Occasion::Refusal => {
            Some(Rule::RefusalMayBeEmpty)
        }
        Edit::Nothing | Edit::Status(_) | Edit::Label(_) | Edit::Bytes(_) => None,
    }
}

fn member_rule(spoilt: &Spoilt, what: MemberEdit, occasion: Occasion) -> Option<Rule> {
    match what {
        MemberEdit::Reordered if occasion == Occasion::JsonGrant => Some(Rule::JsonHasNoOrder),
        MemberEdit::Nulled if spoilt.nullable => Some(Rule::NullIsDeclared),
        MemberEdit::Emptied if spoilt.is_text => Some(Rule::AnyTextIsDeclared),
        MemberEdit::Missing | MemberEdit::Renamed | MemberEdit::Nulled if spoilt.optional => {
            Some(Rule::AbsenceIsDeclared)
        }
        MemberEdit::Stale if spoilt.field == Some(Field::Served) => Some(Rule::DateIsFree),
        MemberEdit::Missing
        | MemberEdit::Renamed
        | MemberEdit::Reordered
        | MemberEdit::Repeated
        | MemberEdit::Number
        | MemberEdit::Flag
        | MemberEdit::Listed
        | MemberEdit::Emptied
        | MemberEdit::Nulled
        | MemberEdit::Spaced
        | MemberEdit::Stale => None,
    }
}

/// The members of a refusal: those of the operation's own document where its code stands there, else those of the
/// dialect's first error document.
fn refusal_members(dialect: &Dialect) -> Vec<(Vec<String>, Declared)> {
    let own = members(dialect.refresh().answers.body.as_deref().unwrap_or_default());
    let is_own = own.iter().any(|(path, _)| field_at(dialect.refresh(), path) == Some(Field::Code));
    match dialect.error_documents.first() {
        Some(document) if !is_own => members(&document.body),
        _ => own,
    }
}

fn members(declared: &[(String, Declared)]) -> Vec<(Vec<String>, Declared)> {
    fn walk(members: &[(String, Declared)], above: &[String], found: &mut Vec<(Vec<String>, Declared)>) {
        for (name, declared) in members {
            let path: Vec<String> = above.iter().cloned().chain([name.clone()]).collect();
            found.push((path.clone(), declared.clone()));
            if let DeclaredKind::Object(inner) = &declared.kind {
                walk(inner, &path, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(declared, &[], &mut found);
    found
}

fn field_at(speech: &Speech, path: &[String]) -> Option<Field> {
    let path = format!("/{}", path.join("/"));
    let here = |place: &FieldPlace| matches!(place, FieldPlace::Path(own) if *own == path);
    let found = speech.answers.fields.iter().find(|(_, source)| source.at.iter().any(here));
    found.map(|(field, _)| *field)
}

fn access_path(speech: &Speech) -> Vec<String> {
    let source = speech.answers.fields.iter().find(|(field, _)| **field == Field::Access);
    let path = source.and_then(|(_, source)| {
        source.at.iter().find_map(|place| match place {
            FieldPlace::Path(path) => Some(path.clone()),
            FieldPlace::Field(_)
            | FieldPlace::Header(_)
            | FieldPlace::Cookie(_)
            | FieldPlace::Claim(..)
            | FieldPlace::Jose(..) => None,
        })
    });
    path.unwrap_or_default().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
