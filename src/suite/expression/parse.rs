//! Text to tree: the lexer and the parser of the expression grammar, with a byte range for every part.

use super::super::units;
use super::{Comparison, Function, Mistake, Node, Operator, Value};

/// More than any condition needs; it bounds the depth of the tree as well.
const MOST_TOKENS: usize = 400;

/// Deeper than any condition needs; each level is a round of the whole grammar on the stack.
const DEEPEST: usize = 40;

/// A part of an expression with its byte range.
pub(super) struct Tree {
    pub(super) branch: Branch,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The structure of a [`Tree`]: that of [`Node`], with ranges.
pub(super) enum Branch {
    Or(Box<Tree>, Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Not(Box<Tree>),
    Compare(Box<Tree>, Comparison, Box<Tree>),
    Arithmetic(Box<Tree>, Operator, Box<Tree>),
    Name(String),
    Apply(Function, Box<Tree>),
    Literal(Value),
    List(Vec<Tree>),
}

impl Tree {
    pub(super) fn into_node(self) -> Node {
        let node = |tree: Box<Tree>| Box::new(tree.into_node());
        match self.branch {
            Branch::Or(a, b) => Node::Or(node(a), node(b)),
            Branch::And(a, b) => Node::And(node(a), node(b)),
            Branch::Not(a) => Node::Not(node(a)),
            Branch::Compare(a, how, b) => Node::Compare(node(a), how, node(b)),
            Branch::Arithmetic(a, how, b) => Node::Arithmetic(node(a), how, node(b)),
            Branch::Name(name) => Node::Name(name),
            Branch::Apply(function, a) => Node::Apply(function, node(a)),
            Branch::Literal(value) => Node::Literal(value),
            Branch::List(items) => Node::List(items.into_iter().map(Tree::into_node).collect()),
        }
    }
}

/// Reads the whole of `text`.
pub(super) fn tree(text: &str) -> Result<Tree, Vec<Mistake>> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), mistakes: Vec::new() };
    lexer.run();
    if lexer.tokens.len() > MOST_TOKENS {
        let message = format!("more than {MOST_TOKENS} words in one expression");
        return Err(vec![mistake(0, text.len(), message, None)]);
    }
    if let Some(spot) = too_deep(&lexer.tokens) {
        let message = format!("more than {DEEPEST} brackets inside each other");
        return Err(vec![mistake(spot.start, spot.end, message, None)]);
    }
    let mut parser = Parser { text, tokens: &lexer.tokens, next: 0 };
    let parsed = parser.whole();
    let mut mistakes = lexer.mistakes;
    match parsed {
        Ok(tree) if mistakes.is_empty() => Ok(tree),
        Ok(_) => Err(mistakes),
        Err(syntax) => {
            // What follows a broken word is broken because of it.
            if mistakes.is_empty() {
                mistakes.push(syntax);
            }
            Err(mistakes)
        }
    }
}

/// The first bracket beyond the bound.
fn too_deep(tokens: &[Spot]) -> Option<&Spot> {
    let mut depth = 0usize;
    tokens.iter().find(|spot| {
        match spot.token {
            Token::Open | Token::OpenList => depth += 1,
            Token::Close | Token::CloseList => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

fn mistake(start: usize, end: usize, message: impl Into<String>, patch: Option<&str>) -> Mistake {
    Mistake { start, end, message: message.into(), patch: patch.map(str::to_owned) }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Value(Value),
    Compare(Comparison),
    Operator(Operator),
    And,
    Or,
    Not,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    /// Something that is no word; its mistake is noted.
    Broken,
}

struct Spot {
    token: Token,
    start: usize,
    end: usize,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Spot>,
    mistakes: Vec<Mistake>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            if self.tokens.len() > MOST_TOKENS {
                return;
            }
            match c {
                c if c.is_whitespace() => self.at += c.len_utf8(),
                '0'..='9' => self.quantity(),
                '"' | '\'' => self.quoted(c),
                '/' if self.rest()[1..].starts_with(|c: char| c.is_alphanumeric() || "_@".contains(c)) => {
                    self.name();
                }
                c if c.is_alphabetic() || c == '_' => self.name(),
                _ => self.sign(c),
            }
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn push(&mut self, token: Token, length: usize) {
        self.tokens.push(Spot { token, start: self.at, end: self.at + length });
        self.at += length;
    }

    fn wrong(&mut self, token: Token, length: usize, message: impl Into<String>, patch: Option<&str>) {
        self.mistakes.push(mistake(self.at, self.at + length, message, patch));
        self.push(token, length);
    }

    fn quantity(&mut self) {
        let rest = self.rest();
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let tail = &rest[digits..];
        let unit = if tail.starts_with("/s") && !tail[2..].starts_with(char::is_alphanumeric) {
            2
        } else if tail.starts_with('%') {
            1
        } else {
            tail.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(tail.len())
        };
        let word = rest[..digits + unit].to_owned();
        match quantity(&word, digits) {
            Ok(value) => self.push(Token::Value(value), word.len()),
            Err(message) => self.wrong(Token::Broken, word.len(), message, None),
        }
    }

    fn quoted(&mut self, quote: char) {
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, c)) = characters.next() {
            if c == quote {
                return self.push(Token::Value(Value::Text(value)), at + 1);
            }
            // Only the quote itself is escaped, so that regular expressions stay as they are.
            if c == '\\' && self.rest()[at + 1..].starts_with(quote) {
                value.push(quote);
                characters.next();
            } else {
                value.push(c);
            }
        }
        let length = self.rest().len();
        self.wrong(Token::Broken, length, format!("the text has no closing `{quote}`"), None);
    }

    fn name(&mut self) {
        let rest = self.rest();
        let path = rest.starts_with('/');
        let within = |c: char| c.is_alphanumeric() || "_.-#@:".contains(c) || (path && c == '/');
        let mut length = rest.find(|c: char| !within(c)).unwrap_or(rest.len());
        // A name does not end in a sign: `a -` is a name and an operator.
        while rest[..length].ends_with(['-', '.', ':', '#', '@']) {
            length -= 1;
        }
        let token = match &rest[..length.max(1)] {
            "and" => Token::And,
            "or" => Token::Or,
            "not" => Token::Not,
            "in" => Token::Compare(Comparison::In),
            "like" => Token::Compare(Comparison::Like),
            "true" => Token::Value(Value::Flag(true)),
            "false" => Token::Value(Value::Flag(false)),
            name => Token::Name(name.to_owned()),
        };
        self.push(token, length.max(1));
    }

    fn sign(&mut self, c: char) {
        let rest = self.rest();
        let two = rest.get(..2).unwrap_or("");
        match two {
            "<=" => return self.push(Token::Compare(Comparison::AtMost), 2),
            ">=" => return self.push(Token::Compare(Comparison::AtLeast), 2),
            "==" => return self.push(Token::Compare(Comparison::Equal), 2),
            "!=" => return self.push(Token::Compare(Comparison::NotEqual), 2),
            "&&" => return self.wrong(Token::And, 2, "`&&` is written `and`", Some("and")),
            "||" => return self.wrong(Token::Or, 2, "`||` is written `or`", Some("or")),
            "=<" => return self.wrong(Token::Compare(Comparison::AtMost), 2, "write `<=`", Some("<=")),
            "=>" => return self.wrong(Token::Compare(Comparison::AtLeast), 2, "write `>=`", Some(">=")),
            "<>" => return self.wrong(Token::Compare(Comparison::NotEqual), 2, "write `!=`", Some("!=")),
            _ => {}
        }
        match c {
            '<' => self.push(Token::Compare(Comparison::Less), 1),
            '>' => self.push(Token::Compare(Comparison::Greater), 1),
            '(' => self.push(Token::Open, 1),
            ')' => self.push(Token::Close, 1),
            '[' => self.push(Token::OpenList, 1),
            ']' => self.push(Token::CloseList, 1),
            ',' => self.push(Token::Comma, 1),
            '+' => self.push(Token::Operator(Operator::Add), 1),
            '*' => self.push(Token::Operator(Operator::Multiply), 1),
            '-' => self.spaced(Operator::Subtract, '-'),
            '/' => self.spaced(Operator::Divide, '/'),
            '=' => self.wrong(Token::Compare(Comparison::Equal), 1, "`=` compares nothing", Some("==")),
            '!' => self.wrong(Token::Not, 1, "`!` is written `not`", Some("not ")),
            other => {
                let message = format!("`{other}` means nothing in an expression");
                self.wrong(Token::Broken, other.len_utf8(), message, None);
            }
        }
    }

    /// `-` and `/` have spaces round them, because names contain the one and paths begin with the other.
    fn spaced(&mut self, operator: Operator, sign: char) {
        let before = self.text[..self.at].ends_with(char::is_whitespace);
        let after = self.rest()[1..].starts_with(char::is_whitespace);
        if before && after {
            self.push(Token::Operator(operator), 1);
        } else {
            let spaced = format!(" {sign} ");
            let message = format!("`{sign}` needs a space on both sides");
            self.wrong(Token::Operator(operator), 1, message, Some(&spaced));
        }
    }
}

/// The value of a quantity such as `250ms`, whose number has `digits` bytes.
fn quantity(word: &str, digits: usize) -> Result<Value, String> {
    match &word[digits..] {
        "" => word
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(Value::Number)
            .ok_or_else(|| format!("`{word}` is no number")),
        "ms" | "s" | "m" | "h" | "d" => units::duration(word).map(Value::Duration),
        "%" => units::share(word).map(Value::Share),
        "/s" => units::rate(word).map(Value::Rate),
        "kB" | "MB" | "GB" | "B" => units::size(word).map(Value::Size),
        unit => {
            Err(format!("`{unit}` is no unit; units are `ms`, `s`, `m`, `h`, `d`, `%`, `/s`, `kB`, `MB`"))
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Spot],
    next: usize,
}

type Parsed = Result<Tree, Mistake>;

impl Parser<'_> {
    fn whole(&mut self) -> Parsed {
        if self.tokens.is_empty() {
            return Err(mistake(0, self.text.len(), "an expression is expected here", None));
        }
        let tree = self.disjunction()?;
        match self.peek() {
            None => Ok(tree),
            Some(Token::Close) => Err(self.here("this `)` closes nothing")),
            Some(_) => Err(self.here("an operator such as `and`, `==` or `+` is expected before this")),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|spot| &spot.token)
    }

    fn here(&self, message: impl Into<String>) -> Mistake {
        let end = self.text.len();
        let (start, end) = self.tokens.get(self.next).map_or((end, end), |spot| (spot.start, spot.end));
        mistake(start, end, message, None)
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.next += usize::from(found);
        found
    }

    fn disjunction(&mut self) -> Parsed {
        let mut left = self.conjunction()?;
        while self.take(&Token::Or) {
            left = join(left, self.conjunction()?, Branch::Or);
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Parsed {
        let mut left = self.negation()?;
        while self.take(&Token::And) {
            left = join(left, self.negation()?, Branch::And);
        }
        Ok(left)
    }

    fn negation(&mut self) -> Parsed {
        let start = self.tokens.get(self.next).map_or(0, |spot| spot.start);
        if self.take(&Token::Not) {
            let inner = self.negation()?;
            let end = inner.end;
            return Ok(Tree { branch: Branch::Not(Box::new(inner)), start, end });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        let Some(Token::Compare(how)) = self.peek().cloned() else { return Ok(left) };
        self.next += 1;
        let right = self.sum()?;
        if let Some(Token::Compare(_)) = self.peek() {
            return Err(self.here("comparisons do not chain: write `a < b and b < c`"));
        }
        Ok(join(left, right, |a, b| Branch::Compare(a, how, b)))
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        while let Some(Token::Operator(how @ (Operator::Add | Operator::Subtract))) = self.peek().cloned() {
            self.next += 1;
            left = join(left, self.product()?, |a, b| Branch::Arithmetic(a, how, b));
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.atom()?;
        while let Some(Token::Operator(how @ (Operator::Multiply | Operator::Divide))) = self.peek().cloned()
        {
            self.next += 1;
            left = join(left, self.atom()?, |a, b| Branch::Arithmetic(a, how, b));
        }
        Ok(left)
    }

    fn atom(&mut self) -> Parsed {
        let Some(spot) = self.tokens.get(self.next) else {
            return Err(self.here("something is missing at the end"));
        };
        let (start, end) = (spot.start, spot.end);
        match spot.token.clone() {
            Token::Value(value) => {
                self.next += 1;
                Ok(Tree { branch: Branch::Literal(value), start, end })
            }
            Token::Name(name) => {
                self.next += 1;
                if self.peek() == Some(&Token::Open) {
                    return self.application(&name, start, end);
                }
                Ok(Tree { branch: Branch::Name(name), start, end })
            }
            Token::Open => {
                self.next += 1;
                let inner = self.disjunction()?;
                self.expect(&Token::Close, "`(` is never closed", start)?;
                Ok(inner)
            }
            Token::OpenList => self.list(start),
            Token::Broken => Err(self.here("this is no word of an expression")),
            _ => Err(self.here("a name, a quantity or a text in quotes is expected here")),
        }
    }

    fn expect(&mut self, token: &Token, message: &str, opened: usize) -> Result<usize, Mistake> {
        match self.tokens.get(self.next) {
            Some(spot) if spot.token == *token => {
                self.next += 1;
                Ok(spot.end)
            }
            Some(_) => Err(self.here("an operator or a closing bracket is expected before this")),
            None => Err(mistake(opened, opened + 1, message, None)),
        }
    }

    fn application(&mut self, name: &str, start: usize, end: usize) -> Parsed {
        let function = match name {
            "filled" => Function::Filled,
            "blank" => Function::Blank,
            "lower" => Function::Lower,
            _ => {
                let message = format!("there is no function `{name}`; there are `filled`, `blank`, `lower`");
                return Err(mistake(start, end, message, None));
            }
        };
        let opened = self.tokens.get(self.next).map_or(end, |spot| spot.start);
        self.next += 1;
        let inner = self.disjunction()?;
        let end = self.expect(&Token::Close, "`(` is never closed", opened)?;
        Ok(Tree { branch: Branch::Apply(function, Box::new(inner)), start, end })
    }

    fn list(&mut self, start: usize) -> Parsed {
        self.next += 1;
        let mut items = vec![self.atom()?];
        while self.take(&Token::Comma) {
            items.push(self.atom()?);
        }
        let end = self.expect(&Token::CloseList, "`[` is never closed", start)?;
        Ok(Tree { branch: Branch::List(items), start, end })
    }
}

fn join(left: Tree, right: Tree, branch: impl FnOnce(Box<Tree>, Box<Tree>) -> Branch) -> Tree {
    let (start, end) = (left.start, right.end);
    Tree { branch: branch(Box::new(left), Box::new(right)), start, end }
}
