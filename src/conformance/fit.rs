//! Whether a dialect fits an answer: a token that is not where the table says, though something like it is elsewhere.
//!
//! Pure. Names and kinds of an answer are told, never values.

use crate::client::codec::Tree;
use crate::client::reply::{Document, Reply};
use crate::dialect::Dialect;
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace};

/// So many members of an object are named.
const NAMES_MAX: usize = 12;

/// So deep a shape is told.
const DEPTH_MAX: usize = 4;

/// No token of anybody is shorter.
const TOKEN_MIN: usize = 16;

/// What is wrong with the fit: "the answer has no `refresh` at `/data/refresh`; its shape is …". An answer that grants
/// and simply has no refresh token is a finding of its own, and none of this.
pub(super) fn misfit(dialect: &Dialect, operation: Operation, reply: &Reply) -> Option<String> {
    let answer = reply.answer();
    let document = reply.document.as_ref()?;
    let speech = dialect.operation(operation)?;
    if !(200..300).contains(&answer.status) {
        return None;
    }
    let token = |field: Field| reply.token(dialect, operation, field);
    let source = |field: Field| speech.answers.fields.get(&field);
    let slots = [(Field::Access, true), (Field::Refresh, dialect.slots.contains(&Slot::Refresh))];
    let missing = slots.into_iter().find_map(|(field, wanted)| {
        let own = source(field).filter(|own| wanted && !own.absent_keeps && token(field).is_none())?;
        Some((field, own))
    });
    let (field, own) = missing?;
    let known: Vec<String> = [Field::Access, Field::Refresh, Field::Id]
        .into_iter()
        .filter_map(token)
        .map(|token| token.expose().to_owned())
        .collect();
    let mut paths = Vec::new();
    strangers(document.tree(), "", &known, &mut paths);
    let mapped: Vec<&FieldPlace> = speech.answers.fields.values().flat_map(|source| &source.at).collect();
    paths.retain(|path| !mapped.iter().any(|place| matches!(place, FieldPlace::Path(own) if own == path)));
    let near = nearest(field, &paths)?;
    let places: Vec<String> = own.at.iter().map(|place| format!("`{}`", spelled(place))).collect();
    Some(format!(
        "the answer has no `{}` at {}, and `{near}` looks like one; its shape is {}",
        field.word(),
        places.join(" or "),
        shape(document, DEPTH_MAX)
    ))
}

/// Texts as long as tokens that are none of the known ones.
fn strangers(tree: &Tree, path: &str, known: &[String], found: &mut Vec<String>) {
    match tree {
        Tree::Object(members) => {
            for (name, value) in members.iter().take(100) {
                strangers(value, &format!("{path}/{}", short(name)), known, found);
            }
        }
        Tree::Text(text) if text.len() >= TOKEN_MIN && !known.contains(text) && !text.contains(' ') => {
            found.push(path.to_owned());
        }
        Tree::Text(_) | Tree::Null | Tree::Number(_) | Tree::Flag(_) | Tree::List(_) => {}
    }
}

/// The path that is named like the field; a name of a token is enough for an access token.
fn nearest(field: Field, paths: &[String]) -> Option<&String> {
    let has = |path: &&String, word: &str| path.to_ascii_lowercase().contains(word);
    let named = paths.iter().find(|path| has(path, field.word()));
    named.or_else(|| paths.iter().find(|path| field == Field::Access && has(path, "token")))
}

fn spelled(place: &FieldPlace) -> String {
    match place {
        FieldPlace::Field(field) => field.word().to_owned(),
        FieldPlace::Path(path) => path.clone(),
        FieldPlace::Header(name) => format!("header:{name}"),
        FieldPlace::Cookie(name) => format!("cookie:{name}"),
        FieldPlace::Claim(field, name) => format!("{}#{name}", field.word()),
        FieldPlace::Jose(field, name) => format!("{}@{name}", field.word()),
    }
}

/// Names and kinds: `{ data: { token: text, ttl: number } }`.
fn shape(document: &Document, depth: usize) -> String {
    of_tree(document.tree(), depth)
}

fn of_tree(tree: &Tree, depth: usize) -> String {
    match tree {
        Tree::Null => "null".to_owned(),
        Tree::Text(_) => "text".to_owned(),
        Tree::Number(_) => "number".to_owned(),
        Tree::Flag(_) => "flag".to_owned(),
        Tree::List(_) => "list".to_owned(),
        Tree::Object(_) if depth == 0 => "{ … }".to_owned(),
        Tree::Object(members) => {
            let named = members.iter().take(NAMES_MAX);
            let mut told: Vec<String> = named
                .map(|(name, value)| format!("{}: {}", short(name), of_tree(value, depth - 1)))
                .collect();
            if members.len() > NAMES_MAX {
                told.push("…".to_owned());
            }
            format!("{{ {} }}", told.join(", "))
        }
    }
}

/// A name that is no name is not repeated.
fn short(name: &str) -> String {
    let plain: String = name.chars().filter(|sign| !sign.is_control()).take(40).collect();
    if name.chars().count() > 40 { format!("{plain}…") } else { plain }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::client::Answer;
    use crate::client::reply;
    use crate::dialect::written_out;

    const DIALECT: &str = "assay-dialect: 1\nname: d\nslots: [refresh]\noperations:\n  refresh:\n    method: POST\n    path: /r\n    accepts: { json: { types: [application/json], body: { t: $refresh } } }\n    answers:\n      types: [application/json]\n      fields: { access: /data/access, refresh: /data/refresh_token }\n";

    fn told(body: &str) -> Option<String> {
        let dialect = written_out(DIALECT);
        let mut answer = Answer::empty();
        answer.status = 200;
        answer.headers = vec![("Content-Type".to_owned(), b"application/json".to_vec())];
        answer.body = body.as_bytes().to_vec();
        misfit(&dialect, Operation::Refresh, &reply::read(&dialect, Operation::Refresh, Arc::new(answer)))
    }

    #[test]
    fn a_token_that_is_elsewhere_is_told_with_the_shape_and_no_value() {
        let told =
            told(r#"{"data":{"access":"0123456789abcdef","refresh":"fedcba9876543210","ttl":7}}"#).unwrap();
        assert_eq!(
            told,
            "the answer has no `refresh` at `/data/refresh_token`, and `/data/refresh` looks like one; its shape is \
             { data: { access: text, refresh: text, ttl: number } }"
        );
    }

    #[test]
    fn an_answer_that_has_what_it_should_fits_and_one_that_lacks_it_is_for_checks_to_judge() {
        assert_eq!(
            told(r#"{"data":{"access":"0123456789abcdef","refresh_token":"fedcba9876543210"}}"#),
            None
        );
        assert_eq!(told(r#"{"data":{"access":"0123456789abcdef"}}"#), None);
        assert_eq!(told(r#"{"error":"no such token as this one"}"#), None);
    }
}
