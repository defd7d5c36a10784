//! Json.NET 6's text reader, state by state: what it forgives, where it stands after an error, and the path
//! that it names.
//!
//! The states matter because Web API marks every error as handled and reads on: which members survive, and
//! how often an error is logged, follows from where the reader stands. Positions in messages are not exact.

mod scan;

use std::cell::Cell;

use super::charset::Decoded;
use super::fault::Fault;
use super::json_path::{Container, Position};

/// The token that was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    None,
    StartObject,
    StartArray,
    StartConstructor,
    PropertyName,
    Comment,
    Integer,
    Float,
    String,
    Boolean,
    Null,
    Undefined,
    EndObject,
    EndArray,
    EndConstructor,
}

impl Token {
    fn is_start(self) -> bool {
        matches!(self, Token::StartObject | Token::StartArray | Token::StartConstructor)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    Property,
    ObjectStart,
    Object,
    ArrayStart,
    Array,
    ConstructorStart,
    Constructor,
    PostValue,
    Finished,
}

/// The formatter's `MaxDepth`.
const MAX_DEPTH: usize = 256;

/// Deeper containers are remembered by kind alone, so that a body of brackets costs a byte for each.
const NAMED_DEPTH: usize = MAX_DEPTH + 8;

/// The end of the text, which the reader cannot tell from a NUL by looking.
const END: u16 = 0;

/// The reader.
pub(super) struct JsonText {
    text: Decoded,
    at: usize,
    state: State,
    token: Token,
    value: Option<String>,
    current: Position,
    outer: Vec<Position>,
    deeper: Vec<Container>,
    too_deep: bool,
    /// Up to where lines were counted, how many, and where the last begins: a body of errors stays cheap.
    lines: Cell<(usize, usize, usize)>,
}

type Read<T> = Result<T, Fault>;

impl JsonText {
    pub(super) fn new(text: Decoded) -> JsonText {
        JsonText {
            text,
            at: 0,
            state: State::Start,
            token: Token::None,
            value: None,
            current: Position::default(),
            outer: Vec::new(),
            deeper: Vec::new(),
            too_deep: false,
            lines: Cell::new((0, 1, 0)),
        }
    }

    pub(super) fn token(&self) -> Token {
        self.token
    }

    /// The token's value as text; `None` for brackets, null and undefined.
    pub(super) fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Reads a token, comments included.
    pub(super) fn read(&mut self) -> Read<bool> {
        let read = self.advance()?;
        if !read {
            self.set(Token::None, None)?;
        }
        Ok(read)
    }

    /// Reads past comments, false at the end.
    pub(super) fn read_content(&mut self) -> Read<bool> {
        while self.read()? {
            if self.token != Token::Comment {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a value as text: primitives are printed, everything else is an error.
    pub(super) fn read_as_text(&mut self) -> Read<()> {
        if !self.read_content()? {
            return Ok(());
        }
        match self.token {
            Token::String | Token::Null | Token::EndArray => Ok(()),
            Token::Integer | Token::Float | Token::Boolean => {
                self.token = Token::String;
                Ok(())
            }
            other => Err(self.error(&format!("Error reading string. Unexpected token: {other:?}."))),
        }
    }

    /// Moves past the children of the current token.
    pub(super) fn skip(&mut self) -> Read<()> {
        if self.token == Token::PropertyName {
            self.read()?;
        }
        if self.token.is_start() {
            let depth = self.depth();
            while self.read()? && depth < self.depth() {}
        }
        Ok(())
    }

    /// How deep the current token stands.
    pub(super) fn depth(&self) -> usize {
        let around = self.outer.len() + self.deeper.len();
        if self.token.is_start() || self.current.container == Container::None { around } else { around + 1 }
    }

    /// The path of the current token: `a.b[0]`.
    pub(super) fn path(&self) -> String {
        if self.current.container == Container::None {
            return String::new();
        }
        let entered = !matches!(self.state, State::ArrayStart | State::ConstructorStart | State::ObjectStart);
        let mut path = String::new();
        for position in self.outer.iter().chain(entered.then_some(&self.current)) {
            position.write_to(&mut path);
        }
        path
    }

    /// A `JsonReaderException` at this place.
    pub(super) fn error(&self, message: &str) -> Fault {
        self.fault("JsonReaderException", message)
    }

    /// A `JsonSerializationException` at this place.
    pub(super) fn serialization_error(&self, message: &str) -> Fault {
        self.fault("JsonSerializationException", message)
    }

    fn fault(&self, exception: &'static str, message: &str) -> Fault {
        let (line, position) = self.place();
        let message = format!("{message} Path '{}', line {line}, position {position}.", self.path());
        Fault { ended: self.at >= self.text.units.len(), ..Fault::new(exception, message) }
    }

    /// Line and position, counted on from where the last error was.
    fn place(&self) -> (usize, usize) {
        let (counted, mut line, mut start) = self.lines.get();
        let now = self.at.min(self.text.units.len()).max(counted);
        for (at, unit) in self.text.units[counted..now].iter().enumerate() {
            if *unit == u16::from(b'\n') {
                line += 1;
                start = counted + at + 1;
            }
        }
        self.lines.set((now, line, start));
        (if now == 0 { 0 } else { line }, now - start)
    }

    // Characters.

    /// The unit `ahead` of the position; [`END`] beyond the text.
    fn peek(&self, ahead: usize) -> u16 {
        self.text.units.get(self.at + ahead).copied().unwrap_or(END)
    }

    /// Whether there is a unit `ahead`; fails where the stream cannot be decoded further.
    fn has(&self, ahead: usize) -> Read<bool> {
        if self.at + ahead < self.text.units.len() {
            return Ok(true);
        }
        self.text.fault.clone().map_or(Ok(false), Err)
    }

    fn skip_space(&mut self) -> Read<()> {
        loop {
            let unit = self.peek(0);
            if unit == END {
                if !self.has(0)? {
                    return Ok(());
                }
            } else if !is_space(unit) {
                return Ok(());
            }
            self.at += 1;
        }
    }

    // States.

    fn advance(&mut self) -> Read<bool> {
        loop {
            match self.state {
                State::Start
                | State::Property
                | State::Array
                | State::ArrayStart
                | State::Constructor
                | State::ConstructorStart => return self.parse_value(),
                State::Object | State::ObjectStart => return self.parse_object(),
                State::PostValue => {
                    if self.parse_post_value()? {
                        return Ok(true);
                    }
                }
                State::Finished => return self.parse_after_end(),
            }
        }
    }

    fn parse_after_end(&mut self) -> Read<bool> {
        self.skip_space()?;
        if !self.has(0)? {
            return Ok(false);
        }
        if self.peek(0) == u16::from(b'/') {
            self.parse_comment()?;
            return Ok(true);
        }
        let found = shown(self.peek(0));
        Err(self.error(&format!("Additional text encountered after finished reading JSON content: {found}.")))
    }

    fn set(&mut self, token: Token, value: Option<String>) -> Read<()> {
        self.set_unindexed(token, value, true)
    }

    /// `index`: whether the index of the container still has to move.
    fn set_unindexed(&mut self, token: Token, value: Option<String>, index: bool) -> Read<()> {
        self.token = token;
        match token {
            Token::StartObject => return self.push(State::ObjectStart, Container::Object),
            Token::StartArray => return self.push(State::ArrayStart, Container::Array),
            Token::StartConstructor => {
                self.value = value;
                return self.push(State::ConstructorStart, Container::Constructor);
            }
            Token::EndObject => return self.close(Container::Object),
            Token::EndArray => return self.close(Container::Array),
            Token::EndConstructor => return self.close(Container::Constructor),
            Token::PropertyName => {
                self.state = State::Property;
                self.current.name.clone_from(&value);
            }
            Token::None | Token::Comment => {}
            Token::Integer
            | Token::Float
            | Token::String
            | Token::Boolean
            | Token::Null
            | Token::Undefined => self.finish_value(index),
        }
        self.value = value;
        Ok(())
    }

    fn finish_value(&mut self, index: bool) {
        self.after_value();
        if index {
            self.count_value();
        }
    }

    fn after_value(&mut self) {
        let inside = self.current.container != Container::None;
        self.state = if inside { State::PostValue } else { State::Finished };
    }

    fn count_value(&mut self) {
        if matches!(self.current.container, Container::Array | Container::Constructor) {
            self.current.index += 1;
        }
    }

    fn push(&mut self, state: State, container: Container) -> Read<()> {
        if container != Container::Constructor {
            self.value = None;
        }
        self.state = state;
        self.count_value();
        let around = std::mem::replace(&mut self.current, Position::new(container));
        if around.container == Container::None {
            return Ok(());
        }
        if self.outer.len() < NAMED_DEPTH {
            self.outer.push(around);
        } else {
            self.deeper.push(around.container);
        }
        if self.depth() + 1 > MAX_DEPTH && !self.too_deep {
            self.too_deep = true;
            return Err(self.error(&format!("The reader's MaxDepth of {MAX_DEPTH} has been exceeded.")));
        }
        Ok(())
    }

    fn close(&mut self, expected: Container) -> Read<()> {
        self.value = None;
        let around = self.deeper.pop().map(Position::new).or_else(|| self.outer.pop()).unwrap_or_default();
        let closed = std::mem::replace(&mut self.current, around);
        if self.depth() <= MAX_DEPTH {
            self.too_deep = false;
        }
        if closed.container != expected {
            let (token, closed) = (self.token, closed.container);
            return Err(
                self.error(&format!("JsonToken {token:?} is not valid for closing JsonType {closed:?}."))
            );
        }
        self.after_value();
        Ok(())
    }

    // The grammar.

    fn parse_value(&mut self) -> Read<bool> {
        loop {
            let unit = self.peek(0);
            match u8::try_from(unit).unwrap_or(0x80) {
                0 if !self.has(0)? => return Ok(false),
                b'"' | b'\'' => self.parse_string(unit)?,
                b't' => self.parse_word("true", Token::Boolean, Some("True"), "boolean")?,
                b'f' => self.parse_word("false", Token::Boolean, Some("False"), "boolean")?,
                b'n' => self.parse_null_or_constructor()?,
                b'N' => self.parse_word("NaN", Token::Float, Some("NaN"), "NaN")?,
                b'I' => self.parse_word("Infinity", Token::Float, Some("Infinity"), "positive infinity")?,
                b'-' if self.has(1)? && self.peek(1) == u16::from(b'I') => {
                    self.parse_word("-Infinity", Token::Float, Some("-Infinity"), "negative infinity")?;
                }
                b'u' => self.parse_word("undefined", Token::Undefined, None, "undefined")?,
                b'/' => self.parse_comment()?,
                b'{' => self.take(Token::StartObject)?,
                b'[' => self.take(Token::StartArray)?,
                b']' => self.take(Token::EndArray)?,
                b')' => self.take(Token::EndConstructor)?,
                // Not taken: the next read handles it, so that empty places between commas are values.
                b',' => self.set(Token::Undefined, None)?,
                b'-' | b'.' | b'0'..=b'9' => self.parse_number()?,
                _ if unit == END || is_space(unit) => {
                    self.at += 1;
                    continue;
                }
                _ => return Err(self.unexpected_value()),
            }
            return Ok(true);
        }
    }

    fn unexpected_value(&self) -> Fault {
        let found = shown(self.peek(0));
        self.error(&format!("Unexpected character encountered while parsing value: {found}."))
    }

    fn take(&mut self, token: Token) -> Read<()> {
        self.at += 1;
        self.set(token, None)
    }

    fn parse_object(&mut self) -> Read<bool> {
        loop {
            let unit = self.peek(0);
            match u8::try_from(unit).unwrap_or(0x80) {
                0 if !self.has(0)? => return Ok(false),
                b'}' => {
                    // The token is set before the bracket is passed, which shows in positions alone.
                    self.take(Token::EndObject)?;
                    return Ok(true);
                }
                b'/' => {
                    self.parse_comment()?;
                    return Ok(true);
                }
                _ if unit == END || is_space(unit) => self.at += 1,
                _ => return self.parse_property().map(|()| true),
            }
        }
    }

    /// True at a token, false after a comma.
    fn parse_post_value(&mut self) -> Read<bool> {
        loop {
            let unit = self.peek(0);
            match u8::try_from(unit).unwrap_or(0x80) {
                0 if !self.has(0)? => {
                    self.state = State::Finished;
                    return Ok(false);
                }
                b'}' => return self.take(Token::EndObject).map(|()| true),
                b']' => return self.take(Token::EndArray).map(|()| true),
                b')' => return self.take(Token::EndConstructor).map(|()| true),
                b'/' => return self.parse_comment().map(|()| true),
                b',' => {
                    self.at += 1;
                    self.state = self.state_of_container();
                    return Ok(false);
                }
                _ if unit == END || is_space(unit) => self.at += 1,
                _ => {
                    let found = shown(unit);
                    let message = "After parsing a value an unexpected character was encountered:";
                    return Err(self.error(&format!("{message} {found}.")));
                }
            }
        }
    }

    fn state_of_container(&self) -> State {
        match self.current.container {
            Container::None => State::Finished,
            Container::Object => State::Object,
            Container::Array => State::Array,
            Container::Constructor => State::Constructor,
        }
    }

    fn parse_property(&mut self) -> Read<()> {
        let first = self.peek(0);
        let name = if first == u16::from(b'"') || first == u16::from(b'\'') {
            self.at += 1;
            self.read_string(first)?
        } else if is_identifier(first) {
            self.read_identifier()?
        } else {
            return Err(self.error(&format!("Invalid property identifier character: {}.", shown(first))));
        };
        self.skip_space()?;
        if self.peek(0) != u16::from(b':') {
            let found = shown(self.peek(0));
            let message = "Invalid character after parsing property name. Expected ':' but got:";
            return Err(self.error(&format!("{message} {found}.")));
        }
        self.at += 1;
        self.set(Token::PropertyName, Some(name))
    }
}

fn is_space(unit: u16) -> bool {
    char::from_u32(u32::from(unit)).is_some_and(char::is_whitespace)
}

fn is_alphanumeric(unit: u16) -> bool {
    char::from_u32(u32::from(unit)).is_some_and(char::is_alphanumeric)
}

fn is_identifier(unit: u16) -> bool {
    is_alphanumeric(unit) || unit == u16::from(b'_') || unit == u16::from(b'$')
}

fn shown(unit: u16) -> char {
    char::from_u32(u32::from(unit)).unwrap_or('\u{FFFD}')
}
