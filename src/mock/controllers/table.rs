//! Classes made from the dialect's table: what an action reads and writes, and what its members mean.

use crate::dialect::{Accepts, Codec, Declared, DeclaredKind, Shape, Speech, Text, TextPart};
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace};

use super::super::authority::Holder;
use super::super::webapi::{Action, Class, Graph, Kind, Member};

/// What a member of an answer means to a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Ack,
    Status,
    Remarks,
    Served,
    Inner,
    Access,
    Refresh,
    Issued,
    Expires,
    Data,
    Message,
    Ok,
    Code,
    Source,
    User,
    Nothing,
}

/// The members of the envelope as the endpoint's page has them.
const ENVELOPE: &[(&str, Meaning)] = &[
    ("AckCode", Meaning::Ack),
    ("Status", Meaning::Status),
    ("Remarks", Meaning::Remarks),
    ("DateOfData", Meaning::Served),
];

/// The members of the inner object of a refresh.
const REFRESH: &[(&str, Meaning)] = &[
    ("accessToken", Meaning::Access),
    ("refreshToken", Meaning::Refresh),
    ("created", Meaning::Issued),
    ("expires", Meaning::Expires),
    ("responseData", Meaning::Data),
    ("errorMessage", Meaning::Message),
    ("isSuccess", Meaning::Ok),
    ("errorCode", Meaning::Code),
];

/// The members of the inner object of a login.
const LOGIN: &[(&str, Meaning)] = &[
    ("externalSourceName", Meaning::Source),
    ("userName", Meaning::User),
    ("requestSource", Meaning::Source),
    ("accessToken", Meaning::Access),
    ("refreshToken", Meaning::Refresh),
    ("tokenCreated", Meaning::Issued),
    ("tokenExpires", Meaning::Expires),
    ("responseData", Meaning::Data),
    ("errorMessage", Meaning::Message),
    ("isSuccess", Meaning::Ok),
    ("errorCode", Meaning::Code),
];

/// A member of an answer: what it means, and the members below it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub meaning: Meaning,
    pub members: Vec<Part>,
}

/// One operation, as classes.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub operation: Operation,
    /// The class that is read, where there is one.
    pub request: Option<Class>,
    /// The parts of what is written, in the order of the class.
    pub parts: Vec<Part>,
    path: String,
    method: String,
    response: Class,
    /// For each member that is read, the slot it stands for.
    slots: Vec<Option<Slot>>,
}

impl Table {
    /// The classes of an operation.
    pub fn of(operation: Operation, speech: &Speech) -> Table {
        let json = speech.accepts.values().find(|accepts| accepts.codec == Codec::Json);
        let xml = speech.accepts.values().find(|accepts| accepts.codec == Codec::Xml);
        let request = json.map(|json| request_class(json, xml));
        let slots = json.map(|json| json.body.iter().map(|(_, shape)| slot_of(shape)).collect());
        let (response, parts) = response_class(operation, speech);
        Table {
            operation,
            request,
            parts,
            path: speech.path.clone(),
            method: speech.method.to_ascii_uppercase(),
            response,
            slots: slots.unwrap_or_default(),
        }
    }

    /// What the pipeline must know of it.
    pub fn action(&self, key: usize) -> Action {
        Action {
            path: self.path.clone(),
            methods: vec![self.method.clone()],
            request: self.request.clone(),
            response: self.response.clone(),
            key,
            under_test: self.operation == Operation::Refresh,
        }
    }

    /// Whether a member stands for the slot.
    pub fn asks_for(&self, slot: Slot) -> bool {
        self.place(slot).is_some()
    }

    /// The place of the slot's member.
    pub fn place(&self, slot: Slot) -> Option<usize> {
        self.slots.iter().position(|own| *own == Some(slot))
    }

    /// The name of the slot's member, or the slot's own word.
    pub fn member(&self, slot: Slot) -> String {
        let member = self.place(slot).and_then(|place| self.request.as_ref()?.members.get(place));
        member.map_or_else(|| slot.word().to_owned(), |member| member.name.clone())
    }

    /// The values of the probe's class, whose members are looked up by name.
    pub fn whoami(&self, holder: &Holder) -> Vec<Graph> {
        let value = |member: &Member| match member.name.to_ascii_lowercase().as_str() {
            "tenant" | "state" | "statecode" | "client" | "client_id" => Graph::Text(holder.party.clone()),
            "subject" | "sub" | "user" => Graph::Text(holder.user.clone()),
            "family" | "sid" => Graph::Text(holder.family.clone()),
            _ => Graph::Null,
        };
        self.response.members.iter().map(value).collect()
    }
}

/// The request class: names in the order of the JSON sample, root and namespace from the XML sample.
fn request_class(json: &Accepts, xml: Option<&Accepts>) -> Class {
    let root = xml.and_then(|xml| xml.root.as_deref()).unwrap_or("Request");
    let (prefix, name) = root.split_once(':').unwrap_or(("", root));
    let spaces = xml.map(|xml| xml.namespaces.as_slice()).unwrap_or_default();
    let namespace = spaces.iter().find(|(own, _)| own == prefix).map_or("", |(_, uri)| uri);
    let members: Vec<&str> = json.body.iter().map(|(name, _)| name.as_str()).collect();
    Class::of_text(name, namespace, &members)
}

/// The slot that a member stands for: the first that its text refers to.
fn slot_of(shape: &Shape) -> Option<Slot> {
    let Shape::Text(Text(parts)) = shape else { return None };
    parts.iter().find_map(|part| match part {
        TextPart::Slot(slot) => Some(*slot),
        TextPart::Plain(_) | TextPart::Made(_) => None,
    })
}

fn response_class(operation: Operation, speech: &Speech) -> (Class, Vec<Part>) {
    let xml = speech.answers.xml.as_ref();
    let root = xml.map_or("Response", |xml| xml.root.as_str());
    let namespace = xml.map_or("", |xml| xml.namespace.as_str());
    if operation == Operation::Probe && speech.answers.body.is_none() {
        return (Class::of_text("Whoami", namespace, &["tenant", "subject", "family"]), Vec::new());
    }
    let declared = speech.answers.body.as_deref().unwrap_or_default();
    let class = class(root, namespace, declared);
    let parts = parts("", declared, speech, ENVELOPE, operation);
    (class, parts)
}

fn class(name: &str, namespace: &str, declared: &[(String, Declared)]) -> Class {
    let members = declared.iter().map(|(name, declared)| {
        let kind = match &declared.kind {
            DeclaredKind::Text | DeclaredKind::Any => Kind::Text,
            DeclaredKind::Number => Kind::Number,
            DeclaredKind::Flag => Kind::Flag,
            DeclaredKind::Object(members) => Kind::Object(class(name, namespace, members)),
        };
        Member { name: name.clone(), kind }
    });
    Class { name: name.to_owned(), namespace: namespace.to_owned(), members: members.collect() }
}

/// What the members mean: by the page's names, then by the table's own fields, then by the place that a name of
/// the page has left free, so that a renamed member keeps its value.
fn parts(
    path: &str,
    declared: &[(String, Declared)],
    speech: &Speech,
    known: &[(&str, Meaning)],
    operation: Operation,
) -> Vec<Part> {
    let is_declared = |name: &str| declared.iter().any(|(other, _)| other == name);
    let part = |(place, (name, member)): (usize, &(String, Declared))| {
        let path = format!("{path}/{name}");
        if let DeclaredKind::Object(members) = &member.kind {
            let inner = if operation == Operation::Login { LOGIN } else { REFRESH };
            return Part {
                meaning: Meaning::Inner,
                members: parts(&path, members, speech, inner, operation),
            };
        }
        let by_name = known.iter().find(|(own, _)| own == name);
        let by_place = known.get(place).filter(|(own, _)| !is_declared(own));
        let meaning = by_name
            .map(|(_, meaning)| *meaning)
            .or_else(|| by_field(&path, speech))
            .or_else(|| by_place.map(|(_, meaning)| *meaning))
            .unwrap_or(Meaning::Nothing);
        Part { meaning, members: Vec::new() }
    };
    declared.iter().enumerate().map(part).collect()
}

fn by_field(path: &str, speech: &Speech) -> Option<Meaning> {
    let here = |place: &FieldPlace| matches!(place, FieldPlace::Path(own) if own == path);
    let (field, _) = speech.answers.fields.iter().find(|(_, source)| source.at.iter().any(here))?;
    match field {
        Field::Access => Some(Meaning::Access),
        Field::Refresh => Some(Meaning::Refresh),
        Field::Issued => Some(Meaning::Issued),
        Field::Expires => Some(Meaning::Expires),
        Field::Served => Some(Meaning::Served),
        Field::Ok => Some(Meaning::Ok),
        Field::Code => Some(Meaning::Code),
        Field::Message => Some(Meaning::Message),
        // Neither is a notion of this dialect.
        Field::Id | Field::Scope => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{self, Dialect};

    fn table(dialect: &Dialect, operation: Operation) -> Table {
        Table::of(operation, dialect.operation(operation).unwrap())
    }

    fn inner(dialect: &mut Dialect) -> &mut Vec<(String, Declared)> {
        let speech = dialect.operations.get_mut(&Operation::Refresh).unwrap();
        let body = speech.answers.body.as_mut().unwrap();
        let member = body.iter_mut().find_map(|(_, declared)| match &mut declared.kind {
            DeclaredKind::Object(members) => Some(members),
            _ => None,
        });
        member.unwrap()
    }

    fn meanings(table: &Table) -> Vec<Meaning> {
        table
            .parts
            .iter()
            .find(|part| !part.members.is_empty())
            .unwrap()
            .members
            .iter()
            .map(|part| part.meaning)
            .collect()
    }

    #[test]
    fn every_member_of_the_page_has_a_meaning() {
        let pfms = dialect::builtin("pfms").unwrap();
        for operation in [Operation::Refresh, Operation::Login, Operation::Revoke] {
            for part in table(&pfms, operation).parts {
                assert_ne!(part.meaning, Meaning::Nothing);
                assert!(part.members.iter().all(|member| member.meaning != Meaning::Nothing));
            }
        }
    }

    #[test]
    fn the_request_is_read_by_the_table_s_own_names() {
        let mut pfms = dialect::builtin("pfms").unwrap();
        let speech = pfms.operations.get_mut(&Operation::Refresh).unwrap();
        speech.accepts.get_mut("json").unwrap().body.reverse();
        speech.accepts.get_mut("json").unwrap().body[0].0 = "Renamed".to_owned();
        speech.accepts.get_mut("xml").unwrap().namespaces[0].1 = "urn:other".to_owned();
        let table = table(&pfms, Operation::Refresh);
        assert_eq!(table.place(Slot::Refresh), Some(0));
        assert_eq!(table.member(Slot::Refresh), "Renamed");
        assert_eq!(table.request.unwrap().namespace, "urn:other");
    }

    #[test]
    fn a_renamed_member_keeps_its_value_and_a_moved_one_takes_it_along() {
        let clean = dialect::builtin("pfms").unwrap();
        let before = meanings(&table(&clean, Operation::Refresh));
        let mut renamed = clean.clone();
        inner(&mut renamed)[2].0 = "createdAt".to_owned();
        assert_eq!(meanings(&table(&renamed, Operation::Refresh)), before);
        let mut moved = clean.clone();
        inner(&mut moved).swap(0, 1);
        assert_eq!(meanings(&table(&moved, Operation::Refresh))[..2], [before[1], before[0]]);
    }

    #[test]
    fn kinds_come_from_the_table() {
        let mut pfms = dialect::builtin("pfms").unwrap();
        inner(&mut pfms)[6].1.kind = DeclaredKind::Flag;
        let action = table(&pfms, Operation::Refresh).action(0);
        let Kind::Object(class) = &action.response.members[4].kind else { panic!("an object") };
        assert_eq!(class.members[6].kind, Kind::Flag);
    }
}
