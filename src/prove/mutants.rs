//! Mutants of the dialect table: one copy, the client's or the mock's, differs in one place from the other.
//!
//! They prove that client and mock cannot share a misreading: each must turn a check red.

use crate::dialect::{Answers, Declared, DeclaredKind, Dialect, XmlOrder};
use crate::suite::call::Operation;
use crate::suite::claim::FieldPlace;

/// Two copies of one table that differ in one place.
#[derive(Clone, Debug)]
pub(super) struct TableMutant {
    /// The difference.
    pub(super) what: String,
    /// The mock's copy.
    pub(super) mock_table: Dialect,
    /// The client's copy.
    pub(super) client_table: Dialect,
    /// Why nobody can tell them apart, where that may be.
    pub(super) equivalent: Option<&'static str>,
}

/// RFC 6749 section 5.1: what is not declared is passed over, and an optional member may be missing. A table that
/// calls one otherwise speaks of a legal server that does not have it.
const OPTIONAL_IN_OPEN: &str =
    "an optional member of an open answer may be missing, and what is not declared is ignored";

type Members = Vec<(String, Declared)>;

/// Every mutant of the refresh operation of `dialect`.
pub(super) fn of(dialect: &Dialect) -> Vec<TableMutant> {
    let mut mutants = Vec::new();
    renamed_requests(dialect, &mut mutants);
    renamed_answers(dialect, &mut mutants);
    retyped_answers(dialect, &mut mutants);
    if dialect.refresh().accepts.contains_key("xml") {
        reordered_requests(dialect, &mut mutants);
        reordered_answers(dialect, &mut mutants);
        other_namespaces(dialect, &mut mutants);
    }
    mutants
}

/// The side that a name is changed on. A mock of OAuth 2.0 takes its names from the RFC, and only its paths from
/// the table.
fn named_otherwise(dialect: &Dialect, what: &str, name: &str, change: impl Fn(&mut Dialect)) -> TableMutant {
    let words = |side: &str| format!("the {side} calls the {what}'s {name} {name}X");
    if dialect.is_oauth2() {
        client_side(dialect, words("client"), change)
    } else {
        mock_side(dialect, words("mock"), change)
    }
}

/// The mock's copy changed by `change`.
fn mock_side(dialect: &Dialect, what: String, change: impl Fn(&mut Dialect)) -> TableMutant {
    let mut mock_table = dialect.clone();
    change(&mut mock_table);
    TableMutant { what, mock_table, client_table: dialect.clone(), equivalent: None }
}

/// The client's copy changed by `change`.
fn client_side(dialect: &Dialect, what: String, change: impl Fn(&mut Dialect)) -> TableMutant {
    let mut client_table = dialect.clone();
    change(&mut client_table);
    TableMutant { what, mock_table: dialect.clone(), client_table, equivalent: None }
}

fn refresh(dialect: &mut Dialect) -> &mut crate::dialect::Speech {
    dialect.operations.get_mut(&Operation::Refresh).expect("every dialect has a refresh operation")
}

fn renamed_requests(dialect: &Dialect, mutants: &mut Vec<TableMutant>) {
    let Some(first) = dialect.refresh().accepts.values().next() else { return };
    for (name, _) in &first.body {
        mutants.push(named_otherwise(dialect, "request", name, |table| {
            for accepts in refresh(table).accepts.values_mut() {
                for (member, _) in &mut accepts.body {
                    if member == name {
                        member.push('X');
                    }
                }
            }
        }));
    }
}

fn renamed_answers(dialect: &Dialect, mutants: &mut Vec<TableMutant>) {
    for path in paths(dialect) {
        let name = path.last().expect("a path has a name").clone();
        let mut mutant = named_otherwise(dialect, "answer", &name, |table| {
            let answers = &mut refresh(table).answers;
            if let Some(member) = member(answers.body.as_mut(), &path) {
                member.0.push('X');
            }
            if dialect.is_oauth2() {
                read_otherwise(answers, &path);
            }
        });
        let is_open = dialect.refresh().answers.open;
        let is_optional = member(refresh(&mut dialect.clone()).answers.body.as_mut(), &path)
            .is_some_and(|(_, declared)| declared.optional);
        mutant.equivalent = (is_open && is_optional).then_some(OPTIONAL_IN_OPEN);
        mutants.push(mutant);
    }
}

/// Whoever calls a member otherwise also looks for it under that name.
fn read_otherwise(answers: &mut Answers, path: &[String]) {
    let own = format!("/{}", path.join("/"));
    for place in answers.fields.values_mut().flat_map(|source| &mut source.at) {
        match place {
            FieldPlace::Path(path) if *path == own => path.push('X'),
            _ => {}
        }
    }
}

fn retyped_answers(dialect: &Dialect, mutants: &mut Vec<TableMutant>) {
    let leaves = paths(dialect).into_iter().filter(|path| {
        let mut table = dialect.clone();
        member(refresh(&mut table).answers.body.as_mut(), path)
            .is_some_and(|(_, declared)| declared.kind == DeclaredKind::Text)
    });
    for path in leaves {
        let name = path.last().expect("a path has a name").clone();
        mutants.push(client_side(dialect, format!("the client takes {name} for a flag"), |table| {
            if let Some((_, declared)) = member(refresh(table).answers.body.as_mut(), &path) {
                declared.kind = DeclaredKind::Flag;
                declared.optional = false;
                declared.nullable = false;
            }
        }));
    }
}

fn reordered_requests(dialect: &Dialect, mutants: &mut Vec<TableMutant>) {
    let body = &dialect.refresh().accepts["xml"].body;
    for at in 1..body.len() {
        let what = format!("the client writes {} before {} in XML", body[at].0, body[at - 1].0);
        mutants.push(client_side(dialect, what, |table| {
            refresh(table).accepts["xml"].body.swap(at - 1, at);
        }));
    }
}

fn reordered_answers(dialect: &Dialect, mutants: &mut Vec<TableMutant>) {
    let what = "the client expects XML elements in declared order".to_owned();
    let ordinal = dialect.refresh().answers.xml.as_ref().is_some_and(|xml| xml.order == XmlOrder::Ordinal);
    if !ordinal {
        return;
    }
    mutants.push(client_side(dialect, what, |table| {
        if let Some(xml) = &mut refresh(table).answers.xml {
            xml.order = XmlOrder::Declared;
        }
    }));
}

fn other_namespaces(dialect: &Dialect, mutants: &mut Vec<TableMutant>) {
    mutants.push(mock_side(dialect, "the mock answers in another namespace".to_owned(), |table| {
        if let Some(xml) = &mut refresh(table).answers.xml {
            xml.namespace.push_str(".V2");
        }
    }));
    mutants.push(client_side(dialect, "the client asks in another namespace".to_owned(), |table| {
        for (_, namespace) in &mut refresh(table).accepts["xml"].namespaces {
            namespace.push_str(".V2");
        }
    }));
    mutants.push(mock_side(dialect, "the mock calls the answer's root otherwise".to_owned(), |table| {
        if let Some(xml) = &mut refresh(table).answers.xml {
            xml.root.push('X');
        }
    }));
    mutants.push(client_side(dialect, "the client calls the request's root otherwise".to_owned(), |table| {
        if let Some(root) = &mut refresh(table).accepts["xml"].root {
            root.push('X');
        }
    }));
}

/// The path of every declared member of an answer.
fn paths(dialect: &Dialect) -> Vec<Vec<String>> {
    fn walk(members: &Members, above: &[String], found: &mut Vec<Vec<String>>) {
        for (name, declared) in members {
            let path: Vec<String> = above.iter().cloned().chain([name.clone()]).collect();
            if let DeclaredKind::Object(inner) = &declared.kind {
                walk(inner, &path, found);
            }
            found.push(path);
        }
    }
    let mut found = Vec::new();
    if let Some(body) = &dialect.refresh().answers.body {
        walk(body, &[], &mut found);
    }
    found
}

/// The member at `path`.
fn member<'a>(members: Option<&'a mut Members>, path: &[String]) -> Option<&'a mut (String, Declared)> {
    let (name, below) = path.split_first()?;
    let found = members?.iter_mut().find(|(member, _)| member == name)?;
    if below.is_empty() {
        return Some(found);
    }
    match &mut found.1.kind {
        DeclaredKind::Object(inner) => member(Some(inner), below),
        DeclaredKind::Text | DeclaredKind::Number | DeclaredKind::Flag | DeclaredKind::Any => None,
    }
}
