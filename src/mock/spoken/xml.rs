//! Documents in XML, by what the table says of root, namespaces, order and null.

use serde_json::{Map, Value};

use crate::dialect::{Codec, Declared, DeclaredKind, Speech, XmlNull, XmlOrder};

/// The namespace of `i:nil`.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// How documents of one operation are written.
struct Writing<'a> {
    namespaces: &'a [(String, String)],
    order: XmlOrder,
    null: XmlNull,
}

/// The document. `error_root` is the root of an error document that has one of its own.
pub(super) fn write(speech: &Speech, error_root: Option<&str>, members: &Map<String, Value>) -> Vec<u8> {
    let xml = speech.answers.xml.as_ref();
    let sent = speech.accepts.values().find(|accepts| accepts.codec == Codec::Xml);
    let namespaces = xml.map_or_else(
        || sent.map(|sent| sent.namespaces.as_slice()).unwrap_or_default(),
        |xml| xml.namespaces.as_slice(),
    );
    let writing = Writing {
        namespaces,
        order: xml.map_or(XmlOrder::Declared, |xml| xml.order),
        null: xml.map_or(XmlNull::Absent, |xml| xml.null),
    };
    let own = || match xml {
        Some(xml) => named(&xml.root, Some(&xml.namespace), &writing),
        None => sent.and_then(|sent| sent.root.clone()).unwrap_or_else(|| "response".to_owned()),
    };
    let root = error_root.map_or_else(own, str::to_owned);
    let default = match xml {
        // A namespace that has no prefix is the root's default one.
        Some(xml) if error_root.is_none() && !root.contains(':') && !xml.namespace.is_empty() => {
            format!(" xmlns=\"{}\"", escaped(&xml.namespace))
        }
        _ => String::new(),
    };
    let declared = namespaces.iter().filter(|(prefix, _)| !prefix.is_empty() && prefix != "i");
    let declared: Vec<String> =
        declared.map(|(prefix, uri)| format!(" xmlns:{prefix}=\"{}\"", escaped(uri))).collect();
    let declared = declared.concat();
    let mut out = format!("<{root} xmlns:i=\"{XSI}\"{default}{declared}>");
    writing.members(speech.answers.body.as_deref().unwrap_or_default(), members, &mut out);
    out.extend([format!("</{root}>")]);
    out.into_bytes()
}

impl Writing<'_> {
    fn members(&self, declared: &[(String, Declared)], members: &Map<String, Value>, out: &mut String) {
        let mut members: Vec<(&String, &Value)> = members.iter().collect();
        match self.order {
            XmlOrder::Ordinal => members.sort_by_key(|(name, _)| (*name).clone()),
            XmlOrder::Declared | XmlOrder::Any => {}
        }
        for (name, value) in members {
            let known = declared.iter().find(|(own, _)| own == name).map(|(_, known)| known);
            let name = named(name, known.and_then(|known| known.namespace.as_deref()), self);
            let below = match known.map(|known| &known.kind) {
                Some(DeclaredKind::Object(inner)) => inner.as_slice(),
                Some(DeclaredKind::Text | DeclaredKind::Number | DeclaredKind::Flag | DeclaredKind::Any)
                | None => &[],
            };
            self.element(&name, value, below, out);
        }
    }

    fn element(&self, name: &str, value: &Value, below: &[(String, Declared)], out: &mut String) {
        match (value, self.null) {
            (Value::Null, XmlNull::Absent) => {}
            (Value::Null, XmlNull::Nil) => out.extend([format!("<{name} i:nil=\"true\" />")]),
            (Value::Object(members), _) => {
                out.extend([format!("<{name}>")]);
                self.members(below, members, out);
                out.extend([format!("</{name}>")]);
            }
            (Value::String(text), _) => out.extend([format!("<{name}>{}</{name}>", escaped(text))]),
            (other, _) => out.extend([format!("<{name}>{other}</{name}>")]),
        }
    }
}

/// A name with the prefix of its namespace.
fn named(name: &str, namespace: Option<&str>, writing: &Writing<'_>) -> String {
    let prefix =
        writing.namespaces.iter().find(|(prefix, uri)| !prefix.is_empty() && Some(uri.as_str()) == namespace);
    match prefix {
        Some((prefix, _)) if !name.contains(':') => format!("{prefix}:{name}"),
        _ => name.to_owned(),
    }
}

/// In JSON a name has no prefix.
pub(super) fn without_prefixes(speech: &Speech, members: Map<String, Value>) -> Map<String, Value> {
    let Some(xml) = &speech.answers.xml else { return members };
    let bare = |name: String| match name.split_once(':') {
        Some((prefix, local)) if xml.namespaces.iter().any(|(own, _)| own == prefix) => local.to_owned(),
        _ => name,
    };
    let inner = |value: Value| match value {
        Value::Object(members) => Value::Object(without_prefixes(speech, members)),
        other => other,
    };
    members.into_iter().map(|(name, value)| (bare(name), inner(value))).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\r', "&#xD;")
}
