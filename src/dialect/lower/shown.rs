//! `showable` and `links` name what the dialect has: a name of nothing shows nothing, and ties nothing.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::yaml::Spanned;

use super::Lowering;
use crate::dialect::{Declared, DeclaredKind, ErrorDocument, Shape, Speech, written};

type Operations = IndexMap<Operation, Speech>;

impl Lowering<'_> {
    /// Every member that may be shown is a member of something. Where the answers of `refresh` are not declared,
    /// nobody can tell.
    pub(super) fn showable(
        &mut self,
        written: &[Spanned<String>],
        operations: &Operations,
        documents: &[ErrorDocument],
    ) -> Vec<String> {
        let declared =
            operations.get(&Operation::Refresh).is_some_and(|speech| speech.answers.body.is_some());
        let known = members(operations, documents);
        for name in written.iter().filter(|_| declared) {
            if !known.iter().any(|member| member.eq_ignore_ascii_case(&name.value)) {
                self.unknown(
                    name.span,
                    &name.value,
                    "member of this dialect",
                    known.iter().map(String::as_str),
                );
            }
        }
        written.iter().map(|name| name.value.clone()).collect()
    }

    /// Every link is read from a field that some operation maps.
    pub(super) fn linked(&mut self, written: &written::Keyed<String>, operations: &Operations) {
        let mapped: BTreeSet<Field> =
            operations.values().flat_map(|speech| speech.answers.fields.keys().copied()).collect();
        for place in written.values() {
            let Ok(FieldPlace::Field(field) | FieldPlace::Claim(field, _) | FieldPlace::Jose(field, _)) =
                super::places::parse(&place.value)
            else {
                continue;
            };
            if !mapped.contains(&field) {
                let message = format!("no operation of this dialect maps the field `{}`", field.word());
                let words: Vec<String> = mapped.iter().map(|field| format!("`{}`", field.word())).collect();
                let label = crate::source::nearest(field.word(), mapped.iter().map(|field| field.word()))
                    .map_or_else(|| "not mapped".to_owned(), |near| format!("did you mean `{near}`?"));
                self.wrong("dialect::link", place.span, message, label);
                if let Some(diagnostic) = self.found.last_mut() {
                    diagnostic.help = Some(format!("mapped are {}", words.join(", ")));
                }
            }
        }
    }
}

/// Every member that a document of this dialect may have: sent, answered, or refused with.
fn members(operations: &Operations, documents: &[ErrorDocument]) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for speech in operations.values() {
        answered(speech.answers.body.iter().flatten(), &mut known);
        for accepts in speech.accepts.values() {
            sent(&accepts.body, &mut known);
        }
        known.extend(speech.query.iter().map(|(name, _)| name.clone()));
        for place in speech.answers.fields.values().flat_map(|source| &source.at) {
            match place {
                FieldPlace::Path(path) => known.extend(path.rsplit('/').next().map(str::to_owned)),
                FieldPlace::Header(name)
                | FieldPlace::Cookie(name)
                | FieldPlace::Claim(_, name)
                | FieldPlace::Jose(_, name) => {
                    known.insert(name.clone());
                }
                FieldPlace::Field(_) => {}
            }
        }
    }
    for document in documents {
        answered(document.body.iter(), &mut known);
    }
    known
}

fn answered<'a>(body: impl Iterator<Item = &'a (String, Declared)>, known: &mut BTreeSet<String>) {
    for (name, member) in body {
        known.insert(name.clone());
        if let DeclaredKind::Object(members) = &member.kind {
            answered(members.iter(), known);
        }
    }
}

fn sent(body: &[(String, Shape)], known: &mut BTreeSet<String>) {
    for (name, shape) in body {
        known.insert(name.clone());
        if let Shape::Object(members) = shape {
            sent(members, known);
        }
    }
}
