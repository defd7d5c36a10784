//! Tree to truth: three-valued, types never coerced.

use std::cmp::Ordering;
use std::time::Duration;

use super::check::is_bare_word;
use super::{Comparison, Function, Names, Node, Operator, Truth, Value};

/// Whether a condition holds.
pub(super) fn truth(node: &Node, names: &dyn Names) -> Truth {
    match node {
        Node::Or(a, b) => match (truth(a, names), truth(b, names)) {
            (Truth::True, _) | (_, Truth::True) => Truth::True,
            (Truth::Unknown(name), _) | (_, Truth::Unknown(name)) => Truth::Unknown(name),
            (Truth::False, Truth::False) => Truth::False,
        },
        Node::And(a, b) => match (truth(a, names), truth(b, names)) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::Unknown(name), _) | (_, Truth::Unknown(name)) => Truth::Unknown(name),
            (Truth::True, Truth::True) => Truth::True,
        },
        Node::Not(a) => match truth(a, names) {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown(name) => Truth::Unknown(name),
        },
        Node::Compare(a, how, b) => compare(a, *how, b, names),
        Node::Name(_) | Node::Apply(..) | Node::Literal(_) | Node::Arithmetic(..) | Node::List(_) => {
            match value(node, names) {
                Ok(Value::Flag(flag)) => of(flag),
                // A flag that is known to be absent is not set.
                Ok(Value::Nothing) => Truth::False,
                Ok(_) => Truth::Unknown(described(node)),
                Err(name) => Truth::Unknown(name),
            }
        }
    }
}

/// The value of a part; the unknown name if there is one.
pub(super) fn value(node: &Node, names: &dyn Names) -> Result<Value, String> {
    match node {
        Node::Name(name) => names.value(name).ok_or_else(|| name.clone()),
        Node::Literal(value) => Ok(value.clone()),
        Node::List(items) => {
            items.iter().map(|item| word_or_value(item, names)).collect::<Result<_, _>>().map(Value::List)
        }
        Node::Arithmetic(a, how, b) => {
            let (left, right) = (value(a, names)?, value(b, names)?);
            arithmetic(&left, *how, &right).ok_or_else(|| described(node))
        }
        Node::Apply(function, a) => apply(*function, &value(a, names)?, names).ok_or_else(|| described(a)),
        Node::Or(..) | Node::And(..) | Node::Not(_) | Node::Compare(..) => match truth(node, names) {
            Truth::True => Ok(Value::Flag(true)),
            Truth::False => Ok(Value::Flag(false)),
            Truth::Unknown(name) => Err(name),
        },
    }
}

fn of(flag: bool) -> Truth {
    if flag { Truth::True } else { Truth::False }
}

/// The first name in a part: what to blame where its type does not fit.
fn described(node: &Node) -> String {
    match node {
        Node::Or(a, b) | Node::And(a, b) | Node::Compare(a, _, b) | Node::Arithmetic(a, _, b) => {
            let left = described(a);
            if left.is_empty() { described(b) } else { left }
        }
        Node::Not(a) | Node::Apply(_, a) => described(a),
        Node::Name(name) => name.clone(),
        Node::List(items) => items.iter().map(described).find(|name| !name.is_empty()).unwrap_or_default(),
        Node::Literal(_) => String::new(),
    }
}

/// A name of a list that has no value is a bare word.
fn word_or_value(node: &Node, names: &dyn Names) -> Result<Value, String> {
    match node {
        Node::Name(name) if is_bare_word(name) => {
            Ok(names.value(name).unwrap_or_else(|| Value::Word(name.clone())))
        }
        _ => value(node, names),
    }
}

fn compare(a: &Node, how: Comparison, b: &Node, names: &dyn Names) -> Truth {
    let left = match value(a, names) {
        Ok(left) => left,
        Err(name) => return Truth::Unknown(name),
    };
    // `policy.grace != none`: beside a word, a bare name is one.
    let right = match (b, &left) {
        (Node::Name(word), Value::Word(_)) if is_bare_word(word) => Value::Word(word.clone()),
        _ => match value(b, names) {
            Ok(right) => right,
            Err(name) => return Truth::Unknown(name),
        },
    };
    holds(&left, how, &right).map_or_else(|| Truth::Unknown(described2(a, b)), of)
}

fn described2(a: &Node, b: &Node) -> String {
    let left = described(a);
    if left.is_empty() { described(b) } else { left }
}

/// Whether the comparison holds; `None` where the types do not fit.
fn holds(left: &Value, how: Comparison, right: &Value) -> Option<bool> {
    match how {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => equal(left, right).map(|equal| !equal),
        Comparison::Less => order(left, right).map(Ordering::is_lt),
        Comparison::AtMost => order(left, right).map(Ordering::is_le),
        Comparison::Greater => order(left, right).map(Ordering::is_gt),
        Comparison::AtLeast => order(left, right).map(Ordering::is_ge),
        Comparison::In => member(left, right),
        Comparison::Like => match (left, right) {
            (Value::Text(text), Value::Text(pattern)) => {
                regex::Regex::new(pattern).ok().map(|pattern| pattern.is_match(text))
            }
            (Value::Nothing, Value::Text(_)) => Some(false),
            _ => None,
        },
    }
}

fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        // What is known to be absent equals nothing that is there.
        (Value::Nothing, Value::Nothing) => Some(true),
        (Value::Nothing, _) | (_, Value::Nothing) => Some(false),
        (Value::Text(a), Value::Text(b)) | (Value::Word(a), Value::Word(b)) => Some(a == b),
        (Value::Flag(a), Value::Flag(b)) => Some(a == b),
        (Value::List(a), Value::List(b)) => Some(a == b),
        _ => order(left, right).map(Ordering::is_eq),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b))
        | (Value::Share(a), Value::Share(b))
        | (Value::Rate(a), Value::Rate(b)) => a.partial_cmp(b),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (Value::Size(a), Value::Size(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// In the list if any entry is equal; not in it only if every entry could be compared.
fn member(left: &Value, right: &Value) -> Option<bool> {
    let Value::List(items) = right else { return None };
    let mut told = true;
    for item in items {
        match equal(left, item) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => told = false,
        }
    }
    told.then_some(false)
}

fn apply(function: Function, value: &Value, names: &dyn Names) -> Option<Value> {
    match function {
        Function::Filled => Some(Value::Flag(!names.is_blank(value))),
        Function::Blank => Some(Value::Flag(names.is_blank(value))),
        Function::Lower => match value {
            Value::Text(text) => Some(Value::Text(text.to_lowercase())),
            Value::Nothing => Some(Value::Nothing),
            _ => None,
        },
    }
}

fn arithmetic(left: &Value, how: Operator, right: &Value) -> Option<Value> {
    use Value::{Duration as Time, Number, Rate, Share, Size};
    let plain = |a: f64, b: f64| match how {
        Operator::Add => Some(a + b),
        Operator::Subtract => Some(a - b),
        Operator::Multiply => Some(a * b),
        Operator::Divide => (b != 0.0).then_some(a / b),
    };
    let additive = matches!(how, Operator::Add | Operator::Subtract);
    let scaling = matches!(how, Operator::Multiply | Operator::Divide);
    match (left, right) {
        (Number(a), Number(b)) => plain(*a, *b).map(Number),
        (Share(a), Share(b)) if how != Operator::Divide => plain(*a, *b).map(Share),
        (Rate(a), Rate(b)) if additive => plain(*a, *b).map(Rate),
        (Time(a), Time(b)) => match how {
            Operator::Add => a.checked_add(*b).map(Time),
            Operator::Subtract => Some(Time(a.saturating_sub(*b))),
            Operator::Divide => plain(a.as_secs_f64(), b.as_secs_f64()).map(Number),
            Operator::Multiply => None,
        },
        (Size(a), Size(b)) => match how {
            Operator::Add => a.checked_add(*b).map(Size),
            Operator::Subtract => Some(Size(a.saturating_sub(*b))),
            Operator::Divide => plain(*a as f64, *b as f64).map(Number),
            Operator::Multiply => None,
        },
        (Share(a), Share(b)) | (Rate(a), Rate(b)) if how == Operator::Divide => plain(*a, *b).map(Number),
        (Share(a), Number(b)) if scaling => plain(*a, *b).map(Share),
        (Rate(a), Number(b)) if scaling => plain(*a, *b).map(Rate),
        (Time(a), Number(b)) if scaling => plain(a.as_secs_f64(), *b).and_then(time),
        (Size(a), Number(b)) if scaling => plain(*a as f64, *b).and_then(size),
        (Number(_) | Share(_), _) if how == Operator::Multiply => match (left, right) {
            (Number(a), Share(b)) => Some(Share(a * b)),
            (Number(a) | Share(a), Rate(b)) => Some(Rate(a * b)),
            (Number(a) | Share(a), Time(b)) => time(a * b.as_secs_f64()),
            (Number(a) | Share(a), Size(b)) => size(a * *b as f64),
            _ => None,
        },
        (_, Share(b)) if how == Operator::Multiply => arithmetic(left, how, &Number(*b)),
        _ => None,
    }
}

fn time(seconds: f64) -> Option<Value> {
    Duration::try_from_secs_f64(seconds).ok().map(Value::Duration)
}

fn size(bytes: f64) -> Option<Value> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, which is meant"
    )]
    bytes.is_finite().then_some(Value::Size(bytes.round() as u64))
}
