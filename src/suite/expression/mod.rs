//! The one expression grammar: typed, without truthiness, without conditionals inside text.
//!
//! Used by `when`, `wait`, `every`, `for`, `measured`, `objectives`, and by dialects in `granted`, `refused`,
//! `crash`, `layers` and `errors.when`. Grammar and types: `docs/suite-language.md`. A name whose value is not
//! known makes the comparison around it [`Truth::Unknown`], never false and never true.

mod check;
mod evaluate;
mod parse;

use std::time::Duration;

/// A parsed expression. Offsets are bytes within the expression's own text.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// The text as it was written.
    pub text: String,
    /// Its structure.
    pub root: Node,
}

/// One node of an [`Expression`].
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `a or b`
    Or(Box<Node>, Box<Node>),
    /// `a and b`
    And(Box<Node>, Box<Node>),
    /// `not a`
    Not(Box<Node>),
    /// `a < b` and its like; comparisons do not chain.
    Compare(Box<Node>, Comparison, Box<Node>),
    /// `a + b`, `a - b`, `a * b`, `a / b`
    Arithmetic(Box<Node>, Operator, Box<Node>),
    /// A name: `status`, `policy.grace.for`, `steady.response.p99`, a field (`access`), a path (`/AckCode`).
    Name(String),
    /// `filled(access)`, `blank(code)`, `lower(x)`
    Apply(Function, Box<Node>),
    /// A quantity or a text written out.
    Literal(Value),
    /// `["00", "200"]`
    List(Vec<Node>),
}

/// The comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `in`: the right side is a list.
    In,
    /// `like`: the right side is a regular expression, found anywhere.
    Like,
}

/// The arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`, with spaces round it
    Subtract,
    /// `*`
    Multiply,
    /// `/`, with spaces round it
    Divide,
}

/// The functions, which only dialects use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Neither absent nor one of the dialect's `blank` values.
    Filled,
    /// The opposite of `filled`.
    Blank,
    /// The text in lower case.
    Lower,
}

/// A value of the expression language.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A plain number: a status, a count.
    Number(f64),
    /// `0.1%`, as 0.001.
    Share(f64),
    /// `250ms`
    Duration(Duration),
    /// `200/s`, per second.
    Rate(f64),
    /// `5MB`, in bytes.
    Size(u64),
    /// Text in quotes.
    Text(String),
    /// A bare word of a closed list, such as `none`.
    Word(String),
    /// A flag.
    Flag(bool),
    /// A list.
    List(Vec<Value>),
    /// Known to be absent or null.
    Nothing,
}

/// A part with values in place of the names that are known.
fn bound(node: &Node, names: &dyn Names) -> Node {
    let again = |node: &Node| Box::new(bound(node, names));
    match node {
        Node::Or(a, b) => Node::Or(again(a), again(b)),
        Node::And(a, b) => Node::And(again(a), again(b)),
        Node::Not(a) => Node::Not(again(a)),
        Node::Compare(a, how, b) => Node::Compare(again(a), *how, again(b)),
        Node::Arithmetic(a, how, b) => Node::Arithmetic(again(a), *how, again(b)),
        Node::Apply(function, a) => Node::Apply(*function, again(a)),
        Node::Name(name) => names.value(name).map_or_else(|| node.clone(), Node::Literal),
        Node::Literal(_) => node.clone(),
        Node::List(items) => Node::List(items.iter().map(|item| bound(item, names)).collect()),
    }
}

/// What a condition came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It cannot be told; the name that was not known.
    Unknown(String),
}

/// Where an expression's names get their values.
pub trait Names {
    /// The value of `name`; `None` where it is not known.
    fn value(&self, name: &str) -> Option<Value>;
    /// Whether `value` counts as empty (`blank`, `filled`). The default: nothing and empty text.
    fn is_blank(&self, value: &Value) -> bool {
        match value {
            Value::Nothing => true,
            Value::Text(text) => text.is_empty(),
            _ => false,
        }
    }
}

/// A mistake in an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// Byte range within the expression's text.
    pub start: usize,
    /// End of the range.
    pub end: usize,
    /// What is wrong, a lowercase fragment: "`=` compares nothing".
    pub message: String,
    /// What to write instead, if that is clear.
    pub patch: Option<String>,
}

/// What kind of value a part of an expression has, where that can be told before a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the kinds are those of [`Value`]")]
pub enum ValueKind {
    Number,
    Share,
    Duration,
    Rate,
    Size,
    Text,
    Word,
    Flag,
    List,
}

impl ValueKind {
    /// The kind for a sentence: "a length of time".
    pub fn described(self) -> &'static str {
        match self {
            ValueKind::Number => "a plain number",
            ValueKind::Share => "a share",
            ValueKind::Duration => "a length of time",
            ValueKind::Rate => "a rate",
            ValueKind::Size => "a size",
            ValueKind::Text => "text",
            ValueKind::Word => "a word",
            ValueKind::Flag => "a flag",
            ValueKind::List => "a list",
        }
    }
}

impl Expression {
    /// The expression with the values of the names that `names` knows in their place.
    #[must_use]
    pub fn bound(&self, names: &dyn Names) -> Expression {
        Expression { text: self.text.clone(), root: bound(&self.root, names) }
    }

    /// Reads `text`; all mistakes that can be found at once.
    pub fn parse(text: &str) -> Result<Expression, Vec<Mistake>> {
        let tree = parse::tree(text)?;
        let mistakes = check::mistakes(&tree, text, &|_| None);
        if mistakes.is_empty() {
            Ok(Expression { text: text.to_owned(), root: tree.into_node() })
        } else {
            Err(mistakes)
        }
    }

    /// The mistakes that show once the kinds of names are known: `p99 < 250` is "250 of what?".
    pub fn mistakes(&self, kind: &dyn Fn(&str) -> Option<ValueKind>) -> Vec<Mistake> {
        match parse::tree(&self.text) {
            Ok(tree) => check::mistakes(&tree, &self.text, kind),
            Err(mistakes) => mistakes,
        }
    }

    /// The kind of the whole, as far as the kinds of its names tell it.
    pub fn kind(&self, kind: &dyn Fn(&str) -> Option<ValueKind>) -> Option<ValueKind> {
        parse::tree(&self.text).ok().and_then(|tree| check::kind_of(&tree, kind))
    }

    /// Whether it can be a condition: a comparison, a combination of conditions, or a name that may be a flag.
    pub fn is_condition(&self) -> bool {
        match &self.root {
            Node::Or(..) | Node::And(..) | Node::Not(_) | Node::Compare(..) | Node::Name(_) => true,
            Node::Apply(function, _) => *function != Function::Lower,
            Node::Literal(value) => matches!(value, Value::Flag(_)),
            Node::Arithmetic(..) | Node::List(_) => false,
        }
    }

    /// Whether the condition holds. Types that do not fit make it [`Truth::Unknown`].
    pub fn truth(&self, names: &dyn Names) -> Truth {
        evaluate::truth(&self.root, names)
    }

    /// The value of an arithmetic expression, such as `policy.grace.for + 1s`; the unknown name if there is one.
    pub fn value(&self, names: &dyn Names) -> Result<Value, String> {
        evaluate::value(&self.root, names)
    }

    /// Every name in it, in order of appearance. Bare words of closed lists are among them.
    pub fn names(&self) -> Vec<&str> {
        fn collect<'a>(node: &'a Node, found: &mut Vec<&'a str>) {
            match node {
                Node::Or(a, b) | Node::And(a, b) | Node::Compare(a, _, b) | Node::Arithmetic(a, _, b) => {
                    collect(a, found);
                    collect(b, found);
                }
                Node::Not(a) | Node::Apply(_, a) => collect(a, found),
                Node::Name(name) => found.push(name),
                Node::Literal(_) => {}
                Node::List(items) => items.iter().for_each(|item| collect(item, found)),
            }
        }
        let mut found = Vec::new();
        collect(&self.root, &mut found);
        found
    }

    /// The names that stand for values, with their byte range in the text: not the bare words on the right of
    /// a comparison or in a list.
    pub fn references(&self) -> Vec<(std::ops::Range<usize>, String)> {
        parse::tree(&self.text).map(|tree| check::references(&tree)).unwrap_or_default()
    }

    /// Bare words that are compared with a name: the name, the word's byte range, the word.
    pub fn words(&self) -> Vec<(String, std::ops::Range<usize>, String)> {
        parse::tree(&self.text).map(|tree| check::words(&tree)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
