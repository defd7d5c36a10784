//! Working out answers from rules: which status and which values make an answer of a dialect granted, or a refusal of
//! a class.
//!
//! The rules compare names with what is written out in them, so what is written out is tried until a rule holds and
//! none before it does.

use crate::dialect::{Blank, Dialect, ErrorClass, Speech};
use crate::suite::expression::{Comparison, Expression, Function, Names, Node, Truth, Value};

/// No search looks at more answers than this.
const TRIES_MAX: usize = 20_000;

/// What makes an answer what it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recipe {
    /// Its status.
    pub(super) status: u16,
    /// Values by the name that a rule has for their place: a field, a path, a header.
    pub(super) values: Vec<(String, Value)>,
}

/// What an answer is tried as.
struct Tried<'a> {
    dialect: &'a Dialect,
    tokens: bool,
    status: f64,
    values: &'a [(String, Value)],
}

impl Names for Tried<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        if name == "status" {
            return Some(Value::Number(self.status));
        }
        if name == "unknown" {
            return None;
        }
        if let Some((_, value)) = self.values.iter().find(|(own, _)| own == name) {
            return Some(value.clone());
        }
        let is_token = matches!(name, "access" | "refresh" | "id");
        Some(if is_token && self.tokens { Value::Text("token".to_owned()) } else { Value::Nothing })
    }

    fn is_blank(&self, value: &Value) -> bool {
        match value {
            Value::Nothing => true,
            Value::Text(text) => text.is_empty() || self.dialect.blank.contains(&Blank::Text(text.clone())),
            _ => false,
        }
    }
}

/// What a grant is.
pub(super) fn granted(dialect: &Dialect, speech: &Speech) -> Option<Recipe> {
    let answers = &speech.answers;
    let rules: Vec<&Expression> = std::iter::once(&answers.granted).chain(answers.layers.values()).collect();
    let mut names = candidates(rules.iter().copied());
    // On a grant nothing is said that need not be.
    for (_, values) in &mut names {
        values.insert(0, Value::Nothing);
    }
    search(&names, &[200, 201, 204], |status, values| {
        let tried = Tried { dialect, tokens: true, status, values };
        rules.iter().all(|rule| rule.truth(&tried) == Truth::True) && !is_crash(speech, &tried)
    })
}

/// What a refusal of the first of these classes is that the dialect has a rule for; and what any refusal is, where
/// it has none.
pub(super) fn refused(
    dialect: &Dialect,
    speech: &Speech,
    classes: &[ErrorClass],
    statuses: &[u16],
) -> Option<Recipe> {
    let is_refusal =
        |tried: &Tried<'_>| speech.answers.granted.truth(tried) == Truth::False && !is_crash(speech, tried);
    for class in classes {
        for (rule, _) in dialect.errors.iter().filter(|(_, own)| own == class) {
            let mut names =
                candidates([rule, &speech.answers.granted].into_iter().chain(&speech.answers.refused));
            for (_, values) in &mut names {
                unsaid(values);
            }
            let found = search(&names, statuses, |status, values| {
                let tried = Tried { dialect, tokens: false, status, values };
                is_refusal(&tried) && class_of(dialect, &tried) == *class
            });
            if found.is_some() {
                return found;
            }
        }
    }
    let rules = [&speech.answers.granted].into_iter().chain(&speech.answers.refused);
    let mut names = candidates(rules);
    for (_, values) in &mut names {
        unsaid(values);
    }
    search(&names, statuses, |status, values| is_refusal(&Tried { dialect, tokens: false, status, values }))
}

/// Of a refusal no flag is up that need not be, and a value may be away.
fn unsaid(values: &mut Vec<Value>) {
    values.sort_by_key(|value| *value == Value::Flag(true));
    values.push(Value::Nothing);
}

fn class_of(dialect: &Dialect, tried: &Tried<'_>) -> ErrorClass {
    let rule = dialect.errors.iter().find(|(when, _)| when.truth(tried) == Truth::True);
    rule.map_or(ErrorClass::Unknown, |(_, class)| *class)
}

fn is_crash(speech: &Speech, tried: &Tried<'_>) -> bool {
    if !tried.tokens && speech.answers.refused.as_ref().is_some_and(|rule| rule.truth(tried) == Truth::True) {
        return false;
    }
    match &speech.answers.crash {
        Some(rule) => rule.truth(tried) == Truth::True,
        None => tried.status >= 500.0,
    }
}

/// The first answer that `fits`: every value of every name with every status.
fn search(
    names: &[(String, Vec<Value>)],
    statuses: &[u16],
    fits: impl Fn(f64, &[(String, Value)]) -> bool,
) -> Option<Recipe> {
    let written = names.iter().filter(|(name, _)| name == "status").flat_map(|(_, values)| values);
    let written = written.filter_map(|value| match value {
        Value::Number(number) => whole(*number),
        _ => None,
    });
    let mut tried: Vec<u16> = Vec::new();
    for status in statuses.iter().copied().chain(written) {
        if !tried.contains(&status) {
            tried.push(status);
        }
    }
    let names: Vec<&(String, Vec<Value>)> = names.iter().filter(|(name, _)| name != "status").collect();
    let mut wheel = vec![0; names.len()];
    for _ in 0..TRIES_MAX {
        let values: Vec<(String, Value)> = names
            .iter()
            .zip(&wheel)
            .map(|((name, values), at)| (name.clone(), values[*at].clone()))
            .collect();
        if let Some(status) = tried.iter().find(|status| fits(f64::from(**status), &values)) {
            return Some(Recipe { status: *status, values });
        }
        let turned = wheel.iter_mut().zip(&names).rev().find_map(|(at, (_, values))| {
            *at = (*at + 1) % values.len();
            (*at != 0).then_some(())
        });
        turned?;
    }
    None
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is within the statuses of HTTP"
)]
fn whole(number: f64) -> Option<u16> {
    ((200.0..600.0).contains(&number) && number.fract() == 0.0).then_some(number as u16)
}

/// Every name that the rules look at, with what they compare it with.
fn candidates<'a>(rules: impl Iterator<Item = &'a Expression>) -> Vec<(String, Vec<Value>)> {
    let mut found = Vec::new();
    rules.for_each(|rule| gather(&rule.root, &mut found));
    found.retain(|(name, _)| !matches!(name.as_str(), "unknown" | "access" | "refresh" | "id"));
    found
}

fn gather(node: &Node, found: &mut Vec<(String, Vec<Value>)>) {
    match node {
        Node::Or(a, b) | Node::And(a, b) => {
            gather(a, found);
            gather(b, found);
        }
        Node::Not(a) => gather(a, found),
        Node::Compare(a, how, b) => {
            if let Some(name) = name_of(a) {
                for value in compared(b, *how) {
                    note(found, name, value);
                }
            }
            if let Some(name) = name_of(b) {
                for value in compared(a, *how) {
                    note(found, name, value);
                }
            }
        }
        Node::Name(name) => [true, false].into_iter().for_each(|flag| note(found, name, Value::Flag(flag))),
        Node::Apply(Function::Filled | Function::Blank, a) => {
            if let Some(name) = name_of(a) {
                note(found, name, Value::Text("refused".to_owned()));
                note(found, name, Value::Nothing);
            }
        }
        Node::Apply(Function::Lower, _) | Node::Literal(_) | Node::Arithmetic(..) | Node::List(_) => {}
    }
}

fn note(found: &mut Vec<(String, Vec<Value>)>, name: &str, value: Value) {
    match found.iter_mut().find(|(own, _)| own == name) {
        Some((_, values)) if values.contains(&value) => {}
        Some((_, values)) => values.push(value),
        None => found.push((name.to_owned(), vec![value])),
    }
}

fn name_of(node: &Node) -> Option<&str> {
    match node {
        Node::Name(name) => Some(name),
        Node::Apply(Function::Lower, inner) => name_of(inner),
        _ => None,
    }
}

/// Values that a comparison with `node` may make true.
fn compared(node: &Node, how: Comparison) -> Vec<Value> {
    match (node, how) {
        (Node::List(items), _) => items.iter().flat_map(|item| compared(item, how)).collect(),
        // A pattern is met by the text that is left of it without its signs, mostly.
        (Node::Literal(Value::Text(pattern)), Comparison::Like) => vec![Value::Text(plain(pattern))],
        (Node::Literal(Value::Number(number)), _) => {
            [*number, number + 1.0, number - 1.0].into_iter().map(Value::Number).collect()
        }
        (Node::Literal(value), Comparison::NotEqual) => vec![Value::Text("other".to_owned()), value.clone()],
        (Node::Literal(value), _) => vec![value.clone()],
        _ => Vec::new(),
    }
}

fn plain(pattern: &str) -> String {
    let first = pattern.trim_start_matches("(?i)").split('|').next().unwrap_or_default();
    first.chars().filter(|sign| !"^$()?*+[]{}\\".contains(*sign)).collect::<String>().replace('.', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::written_out;

    fn dialect(granted: &str, errors: &str) -> Dialect {
        written_out(&format!(
            "assay-dialect: 1\nname: d\nslots: [refresh]\noperations:\n  refresh:\n    method: POST\n    path: /r\n    \
             accepts: {{ json: {{ types: [application/json], body: {{ t: $refresh }} }} }}\n    answers:\n      \
             types: [application/json]\n      fields: {{ access: /a, code: /c, ok: {{ at: /ok, as: flag }} }}\n      \
             granted: {granted}\nerrors: {errors}\n"
        ))
    }

    #[test]
    fn a_grant_is_what_the_rule_says() {
        let dialect = dialect("status == 201 and filled(access) and ok and /kind == \"pair\"", "[]");
        let recipe = granted(&dialect, dialect.refresh()).unwrap();
        assert_eq!(recipe.status, 201);
        assert!(recipe.values.contains(&("ok".to_owned(), Value::Flag(true))));
        assert!(recipe.values.contains(&("/kind".to_owned(), Value::Text("pair".to_owned()))));
        let never = self::dialect("filled(access) and blank(access)", "[]");
        assert_eq!(granted(&never, never.refresh()), None);
    }

    #[test]
    fn a_refusal_is_of_its_class_and_of_none_before_it() {
        let errors = r#"[{ when: 'status == 400', class: malformed }, { when: 'code in ["E1", "E2"]', class: expired }, { when: 'code like "(?i)gone"', class: revoked }]"#;
        let dialect = dialect("status == 200 and ok", errors);
        let of = |class| refused(&dialect, dialect.refresh(), &[class], &[400, 401]).unwrap();
        assert_eq!(of(ErrorClass::Malformed).status, 400);
        let expired = of(ErrorClass::Expired);
        assert_eq!(expired.status, 401);
        assert!(expired.values.contains(&("code".to_owned(), Value::Text("E1".to_owned()))));
        assert!(
            of(ErrorClass::Revoked).values.contains(&("code".to_owned(), Value::Text("gone".to_owned())))
        );
        // What no rule knows is refused all the same.
        assert!(matches!(of(ErrorClass::RateLimited).status, 400 | 401));
    }
}
