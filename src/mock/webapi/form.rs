//! A form into a model, as `JQueryMvcFormUrlEncodedFormatter` does it: split, decode, normalize, bind.

use super::json_binding::{flag, number};
use super::quirks::Quirks;
use super::{BindingError, Bound, Class, Kind, model_key};
use crate::suite::defect::Defect;
use crate::suite::environment::Generation;

/// Reads a model of that class. Any form that is not empty makes one.
pub(super) fn read(body: &[u8], class: &Class, generation: Generation, quirks: &Quirks) -> Bound {
    let mut pairs = Vec::new();
    for (name, value) in split(body, quirks) {
        match normalize(&name) {
            Some(name) => pairs.push((name, value)),
            None => return unclosed_bracket(),
        }
    }
    if pairs.is_empty() {
        return Bound::default();
    }
    let mut bound = Bound { model: Some(Vec::new()), errors: Vec::new() };
    for member in &class.members {
        let value = text_of(&pairs, &member.name, generation);
        let converted = convert(value.clone(), &member.kind);
        if let (Some(value), None, false) = (value, &converted, matches!(member.kind, Kind::Object(_))) {
            bound.errors.push(not_valid(&value, &member.name));
        }
        bound.model.get_or_insert_default().push(converted);
    }
    bound
}

fn convert(value: Option<String>, kind: &Kind) -> Option<String> {
    match kind {
        Kind::Text => value,
        Kind::Flag => value.and_then(|value| flag(&value)),
        Kind::Number => value.and_then(|value| number(&value)),
        Kind::Object(_) => None,
    }
}

fn not_valid(value: &str, name: &str) -> BindingError {
    let message = format!("The value '{value}' is not valid for {name}.");
    BindingError { key: model_key(name), exception: "InvalidOperationException", message }
}

fn unclosed_bracket() -> Bound {
    let message =
        "The key is invalid JQuery syntax because it is missing a closing bracket\nParameter name: key";
    let error =
        BindingError { key: model_key(""), exception: "ArgumentException", message: message.to_owned() };
    Bound { model: None, errors: vec![error] }
}

/// The pairs as they stand, decoded; a name without `=` has an empty value.
fn split(body: &[u8], quirks: &Quirks) -> Vec<(String, String)> {
    if body.is_empty() {
        return Vec::new();
    }
    let percent = !quirks.has(Defect::FormPercentKept);
    let pair = |piece: &[u8]| {
        let (name, value) = match piece.iter().position(|byte| *byte == b'=') {
            Some(at) => (&piece[..at], &piece[at + 1..]),
            None => (piece, &[][..]),
        };
        (decode(name, percent), decode(value, percent))
    };
    body.split(|byte| *byte == b'&').map(pair).collect()
}

/// `+` and percent escapes; bad escapes are kept, bad UTF-8 is replaced.
pub(super) fn decode(bytes: &[u8], percent: bool) -> String {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped =
            bytes.get(at + 1..at + 3).and_then(hexadecimal).filter(|_| percent && bytes[at] == b'%');
        match (escaped, bytes[at]) {
            (Some(byte), _) => {
                decoded.push(byte);
                at += 3;
                continue;
            }
            (None, b'+') => decoded.push(b' '),
            (None, byte) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

pub(super) fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(value(digits[0])? << 4 | value(digits[1])?)
}

/// jQuery's brackets into dots: `x[]` is `x`, `x[y]` is `x.y`, `x[0]` stays. `None` where one is not closed.
fn normalize(key: &str) -> Option<String> {
    let mut normal = String::new();
    let mut rest = key;
    while let Some(open) = rest.find('[') {
        normal.push_str(&rest[..open]);
        let close = open + rest[open..].find(']')?;
        let inside = &rest[open + 1..close];
        if inside.starts_with(char::is_numeric) {
            normal.push_str(&rest[open..=close]);
        } else if !inside.is_empty() {
            normal.push('.');
            normal.push_str(inside);
        }
        rest = &rest[close + 1..];
    }
    normal.push_str(rest);
    Some(normal)
}

/// The value of a member: names whatever their case, blank as null, the first of several.
fn text_of(pairs: &[(String, String)], name: &str, generation: Generation) -> Option<String> {
    let mut values =
        pairs.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let first = values.next()?;
    if generation == Generation::One && values.next().is_some() {
        // What the converter of a collection makes of it when it is asked for a string.
        return Some("(Collection)".to_owned());
    }
    (!first.trim().is_empty()).then(|| first.clone())
}
