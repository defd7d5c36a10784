//! XML 1.0: written as a DataContractSerializer writes it, read without leniency.

mod grammar;
mod read;
mod scan;

pub(super) use read::read;
pub(super) use scan::{plain_length, scan};

use super::{Leaf, Outgoing};

/// The namespace of `i:nil`.
pub(super) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The document without declaration and indentation.
pub(super) fn write(document: &Outgoing) -> Vec<u8> {
    let root = document.root.as_deref().unwrap_or("root");
    let declared = |prefix: &str| document.namespaces.iter().any(|(candidate, _)| candidate == prefix);
    let mut out = format!("<{root}").into_bytes();
    if !declared("i") {
        write_namespace(&mut out, "i", XSI);
    }
    for (prefix, namespace) in &document.namespaces {
        write_namespace(&mut out, prefix, namespace);
    }
    out.push(b'>');
    let nil = document.namespaces.iter().find(|(prefix, namespace)| namespace == XSI && !prefix.is_empty());
    let nil = nil.map_or("i", |(prefix, _)| prefix);
    write_members(&mut out, nil, &document.members);
    out.extend_from_slice(format!("</{root}>").as_bytes());
    out
}

fn write_namespace(out: &mut Vec<u8>, prefix: &str, namespace: &str) {
    out.extend_from_slice(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(b"=\"");
    escape(out, namespace, true);
    out.push(b'"');
}

fn write_members(out: &mut Vec<u8>, nil: &str, members: &[(String, Leaf)]) {
    for (name, leaf) in members {
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        if let Leaf::Null = leaf {
            out.extend_from_slice(format!(" {nil}:nil=\"true\" />").as_bytes());
            continue;
        }
        out.push(b'>');
        match leaf {
            Leaf::Text(text) => escape(out, text, false),
            Leaf::Null => {}
            Leaf::Raw(bytes) => out.extend_from_slice(bytes),
            Leaf::Object(members) => write_members(out, nil, members),
        }
        out.extend_from_slice(format!("</{name}>").as_bytes());
    }
}

/// Characters that a reader would change or refuse become references. Control characters too: they are as
/// illegal by reference as they are bare, but this is how .NET writes them, and whoever sends one means it.
/// The text between tags.
pub(super) fn escape_text(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    escape(&mut out, text, false);
    out
}

fn escape(out: &mut Vec<u8>, text: &str, attribute: bool) {
    for byte in text.bytes() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' if attribute => out.extend_from_slice(b"&quot;"),
            b'\t' | b'\n' if !attribute => out.push(byte),
            0..0x20 => out.extend_from_slice(format!("&#x{byte:X};").as_bytes()),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Codec;

    fn text(text: &str) -> Leaf {
        Leaf::Text(text.to_owned())
    }

    #[test]
    fn namespaces_nulls_and_escapes_are_those_of_a_data_contract() {
        let document = Outgoing {
            codec: Codec::Xml,
            root: Some("M".to_owned()),
            namespaces: vec![(String::new(), "urn:a&\"b\"".to_owned())],
            members: vec![
                ("a".to_owned(), text("<&>\"\r\n\u{1}é")),
                ("b".to_owned(), Leaf::Null),
                ("c".to_owned(), Leaf::Object(vec![("d".to_owned(), Leaf::Raw(b"&x;".to_vec()))])),
                ("e".to_owned(), text("")),
            ],
        };
        assert_eq!(
            String::from_utf8(write(&document)).unwrap(),
            "<M xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"urn:a&amp;&quot;b&quot;\">\
             <a>&lt;&amp;&gt;\"&#xD;\n&#x1;é</a><b i:nil=\"true\" /><c><d>&x;</d></c><e></e></M>"
        );
    }
}
