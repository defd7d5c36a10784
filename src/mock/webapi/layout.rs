//! How documents are laid out where that is a matter of taste: indentation, the XML declaration, the charset's name.

use super::Format;
use super::negotiation::Written;
use super::quirks::Quirks;
use crate::suite::environment::Variant;

/// The document as the variants lay it out; `None` where none does.
pub(super) fn lay_out(text: &str, written: Written, quirks: &Quirks) -> Option<String> {
    let mut laid_out = quirks.is(Variant::PrettyPrinted).then(|| match written.format {
        Format::Json | Format::Form => indented_json(text),
        Format::Xml => indented_xml(text),
    });
    if quirks.is(Variant::XmlDeclaration) && written.format == Format::Xml {
        let charset = written.charset.label();
        let text = laid_out.as_deref().unwrap_or(text);
        laid_out = Some(format!("<?xml version=\"1.0\" encoding=\"{charset}\"?>{text}"));
    }
    laid_out
}

/// The value of `Content-Type`. A UTF-16 document keeps its label: without it nobody could read it.
pub(super) fn content_type(media: &str, charset: &str, quirks: &Quirks) -> String {
    let is_usual = charset.eq_ignore_ascii_case("utf-8");
    if quirks.is(Variant::CharsetUnsaid) && is_usual {
        media.to_owned()
    } else if quirks.is(Variant::CharsetUpper) {
        format!("{media};charset={}", charset.to_ascii_uppercase())
    } else {
        format!("{media}; charset={charset}")
    }
}

/// JSON with a line for every member. Text stays as it is.
fn indented_json(json: &str) -> String {
    let mut pretty = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let (mut in_text, mut escaped) = (false, false);
    for character in json.chars() {
        if in_text {
            pretty.push(character);
            in_text = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                depth += 1;
                pretty.push(character);
                line(&mut pretty, depth);
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut pretty, depth);
                pretty.push(character);
            }
            ',' => {
                pretty.push(character);
                line(&mut pretty, depth);
            }
            ':' => pretty.push_str(" : "),
            _ => {
                in_text = character == '"';
                pretty.push(character);
            }
        }
    }
    pretty.push_str("\r\n");
    pretty
}

fn line(pretty: &mut String, depth: usize) {
    pretty.push_str("\r\n");
    pretty.extend(std::iter::repeat_n("  ", depth));
}

/// XML with a line for every element; white space between elements only, never beside text.
fn indented_xml(xml: &str) -> String {
    let mut pretty = String::with_capacity(xml.len() * 2);
    let mut depth: usize = 0;
    let mut rest = xml;
    let mut opened = false;
    while let Some(end) = rest.find('>') {
        let (tag, after) = rest.split_at(end + 1);
        let start = tag.find('<').unwrap_or(0);
        let closes = tag[start..].starts_with("</");
        depth -= usize::from(closes);
        // A closing tag right after its text, or right after its opening tag, stays where it is.
        if start == 0 && !pretty.is_empty() && !(closes && opened) {
            line(&mut pretty, depth);
        }
        pretty.push_str(tag);
        opened = !closes && !tag.ends_with("/>");
        depth += usize::from(opened);
        rest = after;
    }
    pretty.push_str(rest);
    pretty.push_str("\r\n");
    pretty
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_changes_no_value() {
        let json = r#"{"a":"x,\\\"{y}","b":{"c":null,"d":[]}}"#;
        let pretty = indented_json(json);
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&pretty), read(json));
        assert!(pretty.contains("\r\n    \"c\" : null"), "{pretty}");
        let xml = "<r><a>x > y</a><b></b><c i:nil=\"true\" /><d><e>1</e></d></r>";
        assert_eq!(
            indented_xml(&xml.replace(" > ", " &gt; ")),
            "<r>\r\n  <a>x &gt; y</a>\r\n  <b></b>\r\n  <c i:nil=\"true\" />\r\n  <d>\r\n    <e>1</e>\r\n  \
             </d>\r\n</r>\r\n"
        );
    }
}
