//! What is wrong with an expression before any run: kinds that do not fit, lists and patterns that are none.

use std::ops::Range;

use super::parse::{Branch, Tree};
use super::{Comparison, Function, Mistake, Operator, Value, ValueKind};

type KindOfName<'a> = &'a dyn Fn(&str) -> Option<ValueKind>;

/// Every misfit in `tree`, in order of appearance.
pub(super) fn mistakes(tree: &Tree, text: &str, kind: KindOfName<'_>) -> Vec<Mistake> {
    let mut checker = Checker { text, kind, found: Vec::new() };
    checker.visit(tree);
    checker.found.sort_by_key(|mistake| mistake.start);
    checker.found
}

/// The kind of a part, if it can be told.
pub(super) fn kind_of(tree: &Tree, kind: KindOfName<'_>) -> Option<ValueKind> {
    match &tree.branch {
        Branch::Or(..)
        | Branch::And(..)
        | Branch::Not(_)
        | Branch::Compare(..)
        | Branch::Apply(Function::Filled | Function::Blank, _) => Some(ValueKind::Flag),
        Branch::Apply(Function::Lower, _) => Some(ValueKind::Text),
        Branch::Name(name) => kind(name),
        Branch::Literal(value) => Some(kind_of_value(value)),
        Branch::List(_) => Some(ValueKind::List),
        Branch::Arithmetic(a, how, b) => combined(kind_of(a, kind)?, *how, kind_of(b, kind)?),
    }
}

/// The names that stand for values: all but bare words on the right of a comparison and in lists.
pub(super) fn references(tree: &Tree) -> Vec<(Range<usize>, String)> {
    fn collect(tree: &Tree, found: &mut Vec<(Range<usize>, String)>) {
        match &tree.branch {
            Branch::Or(a, b) | Branch::And(a, b) | Branch::Arithmetic(a, _, b) => {
                collect(a, found);
                collect(b, found);
            }
            Branch::Compare(a, _, b) => {
                collect(a, found);
                if !matches!(&b.branch, Branch::Name(name) if is_bare_word(name)) {
                    collect(b, found);
                }
            }
            Branch::Not(a) | Branch::Apply(_, a) => collect(a, found),
            Branch::Name(name) => found.push((tree.start..tree.end, name.clone())),
            Branch::Literal(_) => {}
            Branch::List(items) => {
                for item in items.iter().filter(|item| !matches!(&item.branch, Branch::Name(_))) {
                    collect(item, found);
                }
            }
        }
    }
    let mut found = Vec::new();
    collect(tree, &mut found);
    found
}

/// Bare words that are compared with a name.
pub(super) fn words(tree: &Tree) -> Vec<(String, Range<usize>, String)> {
    fn collect(tree: &Tree, found: &mut Vec<(String, Range<usize>, String)>) {
        match &tree.branch {
            Branch::Or(a, b) | Branch::And(a, b) => {
                collect(a, found);
                collect(b, found);
            }
            Branch::Not(a) => collect(a, found),
            Branch::Compare(a, _, b) => {
                let Branch::Name(name) = &a.branch else { return };
                let right = match &b.branch {
                    Branch::List(items) => items.as_slice(),
                    _ => std::slice::from_ref(&**b),
                };
                for item in right {
                    if let Branch::Name(word) = &item.branch
                        && is_bare_word(word)
                    {
                        found.push((name.clone(), item.start..item.end, word.clone()));
                    }
                }
            }
            Branch::Arithmetic(..)
            | Branch::Apply(..)
            | Branch::Name(_)
            | Branch::Literal(_)
            | Branch::List(_) => {}
        }
    }
    let mut found = Vec::new();
    collect(tree, &mut found);
    found
}

/// Whether a name could be a word of a closed list, such as `none` or `same-pair`.
pub(super) fn is_bare_word(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

fn kind_of_value(value: &Value) -> ValueKind {
    match value {
        Value::Number(_) => ValueKind::Number,
        Value::Share(_) => ValueKind::Share,
        Value::Duration(_) => ValueKind::Duration,
        Value::Rate(_) => ValueKind::Rate,
        Value::Size(_) => ValueKind::Size,
        Value::Text(_) => ValueKind::Text,
        Value::Word(_) | Value::Nothing => ValueKind::Word,
        Value::Flag(_) => ValueKind::Flag,
        Value::List(_) => ValueKind::List,
    }
}

/// What `a` and `b` come to; `None` where they cannot be combined.
fn combined(a: ValueKind, how: Operator, b: ValueKind) -> Option<ValueKind> {
    use ValueKind::{Duration, Number, Rate, Share, Size};
    let quantity = |kind| matches!(kind, Number | Share | Duration | Rate | Size);
    match how {
        Operator::Add | Operator::Subtract => (a == b && quantity(a)).then_some(a),
        Operator::Multiply => match (a, b) {
            (Number | Share, other) | (other, Number | Share) if quantity(other) => Some(other),
            _ => None,
        },
        Operator::Divide if a == b && quantity(a) => Some(Number),
        Operator::Divide => (b == Number && quantity(a)).then_some(a),
    }
}

struct Checker<'a> {
    text: &'a str,
    kind: KindOfName<'a>,
    found: Vec<Mistake>,
}

impl Checker<'_> {
    fn wrong(&mut self, at: &Tree, message: impl Into<String>) {
        self.found.push(Mistake { start: at.start, end: at.end, message: message.into(), patch: None });
    }

    fn words(&self, tree: &Tree) -> &str {
        &self.text[tree.start..tree.end]
    }

    fn visit(&mut self, tree: &Tree) {
        match &tree.branch {
            Branch::Or(a, b) | Branch::And(a, b) => {
                self.condition(a);
                self.condition(b);
            }
            Branch::Not(a) => self.condition(a),
            Branch::Compare(a, how, b) => {
                self.visit(a);
                self.visit(b);
                self.comparison(a, *how, b);
            }
            Branch::Arithmetic(a, how, b) => {
                self.visit(a);
                self.visit(b);
                if let (Some(left), Some(right)) = (kind_of(a, self.kind), kind_of(b, self.kind))
                    && combined(left, *how, right).is_none()
                {
                    let message =
                        format!("{} and {} cannot be combined", left.described(), right.described());
                    self.wrong(tree, message);
                }
            }
            Branch::Apply(_, a) => self.visit(a),
            Branch::List(items) => items.iter().for_each(|item| self.visit(item)),
            Branch::Name(_) | Branch::Literal(_) => {}
        }
    }

    fn condition(&mut self, tree: &Tree) {
        self.visit(tree);
        if let Some(kind) = kind_of(tree, self.kind).filter(|kind| *kind != ValueKind::Flag) {
            let message = format!("`{}` is {} and no condition", self.words(tree), kind.described());
            self.wrong(tree, message);
        }
    }

    fn comparison(&mut self, a: &Tree, how: Comparison, b: &Tree) {
        match how {
            Comparison::In => self.membership(a, b),
            Comparison::Like => self.pattern(a, b),
            Comparison::Equal | Comparison::NotEqual => self.fit(a, b),
            Comparison::Less | Comparison::AtMost | Comparison::Greater | Comparison::AtLeast => {
                self.fit(a, b);
            }
        }
    }

    fn membership(&mut self, a: &Tree, b: &Tree) {
        if let Branch::List(items) = &b.branch {
            for item in items {
                self.fit(a, item);
            }
        } else {
            let message = format!("`in` wants a list: `[{}]`", self.words(b));
            self.wrong(b, message);
        }
    }

    fn pattern(&mut self, a: &Tree, b: &Tree) {
        if let Some(kind) = kind_of(a, self.kind).filter(|kind| *kind != ValueKind::Text) {
            let message = format!("`like` reads text, and this is {}", kind.described());
            self.wrong(a, message);
        }
        match &b.branch {
            Branch::Literal(Value::Text(pattern)) => {
                if regex::Regex::new(pattern).is_err() {
                    self.wrong(b, "this is no regular expression");
                }
            }
            _ => self.wrong(b, "`like` wants a regular expression in quotes"),
        }
    }

    /// Both sides of a comparison have one kind.
    fn fit(&mut self, a: &Tree, b: &Tree) {
        let (Some(left), Some(right)) = (kind_of(a, self.kind), kind_of(b, self.kind)) else { return };
        if left == right
            || (left == ValueKind::Word && is_word(b))
            || (right == ValueKind::Word && is_word(a))
        {
            return;
        }
        for (number, unit, other) in [(b, left, right), (a, right, left)] {
            if other == ValueKind::Number
                && let Some(example) = with_unit(self.words(number), unit)
            {
                let message = format!("{} of what? write {example}", self.words(number));
                return self.wrong(number, message);
            }
        }
        let message = format!(
            "`{}` is {}, `{}` is {}",
            self.words(a),
            left.described(),
            self.words(b),
            right.described()
        );
        self.wrong(b, message);
    }
}

fn is_word(tree: &Tree) -> bool {
    matches!(&tree.branch, Branch::Name(name) if is_bare_word(name))
}

/// How a bare number could be meant where `kind` is wanted.
fn with_unit(number: &str, kind: ValueKind) -> Option<String> {
    match kind {
        ValueKind::Duration => Some(format!("`{number}ms` or `{number}s`")),
        ValueKind::Share => Some(format!("`{number}%`")),
        ValueKind::Rate => Some(format!("`{number}/s`")),
        ValueKind::Size => Some(format!("`{number}kB` or `{number}MB`")),
        ValueKind::Number | ValueKind::Text | ValueKind::Word | ValueKind::Flag | ValueKind::List => None,
    }
}
