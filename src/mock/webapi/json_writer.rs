//! Writes values as Json.NET does: members in declared order, nulls written, nothing escaped without need.

use super::{Class, Graph, Kind};

/// A value of a class as JSON.
pub(super) fn write(class: &Class, value: &Graph) -> String {
    let mut json = String::with_capacity(1024);
    write_object(&mut json, class, value);
    json
}

fn write_object(json: &mut String, class: &Class, value: &Graph) {
    let Graph::Object(values) = value else { return write_plain(json, value) };
    json.push('{');
    let mut first = true;
    for (member, value) in class.members.iter().zip(values) {
        if *value == Graph::Missing {
            continue;
        }
        if !std::mem::take(&mut first) {
            json.push(',');
        }
        write_text(json, &member.name);
        json.push(':');
        write_member(json, &member.kind, value);
    }
    json.push('}');
}

fn write_member(json: &mut String, kind: &Kind, value: &Graph) {
    match (kind, value) {
        (_, Graph::List(items)) => {
            json.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                write_member(json, kind, item);
            }
            json.push(']');
        }
        (Kind::Object(class), value) => write_object(json, class, value),
        (Kind::Flag, Graph::Text(text)) => json.push_str(if is_true(text) { "true" } else { "false" }),
        (Kind::Number, Graph::Text(text)) => json.push_str(number(text)),
        (Kind::Text | Kind::Flag | Kind::Number, value) => write_plain(json, value),
    }
}

fn write_plain(json: &mut String, value: &Graph) {
    match value {
        Graph::Null | Graph::Missing => json.push_str("null"),
        Graph::Text(text) => write_text(json, text),
        Graph::Flag(flag) => json.push_str(if *flag { "true" } else { "false" }),
        Graph::Number(number) => json.push_str(number),
        // A bare list or object has no class here; it is written without names.
        Graph::Object(values) | Graph::List(values) => {
            json.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                write_plain(json, value);
            }
            json.push(']');
        }
    }
}

/// What a `bool` holds when it was given this text.
pub(super) fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// What a `long` holds when it was given this text.
pub(super) fn number(text: &str) -> &str {
    if text.parse::<i64>().is_ok() { text } else { "0" }
}

/// A string with its quotation marks: control characters and the three line separators are escaped.
pub(super) fn write_text(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\t' => json.push_str("\\t"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\u{C}' => json.push_str("\\f"),
            '\u{8}' => json.push_str("\\b"),
            '\u{0}'..' ' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                let escape = format!("\\u{:04x}", u32::from(character));
                json.push_str(&escape);
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_is_escaped() {
        let mut json = String::new();
        write_text(&mut json, "</é'\"\\\u{1}\u{85}\u{2028}\u{7f}\u{1F600}");
        assert_eq!(json, "\"</é'\\\"\\\\\\u0001\\u0085\\u2028\u{7f}\u{1F600}\"");
    }
}
