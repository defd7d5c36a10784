//! Taking markup off: the text of an HTML page as a reader sees it, and the elements of an XML sample.

/// The text of a page; text without markup stays as it is.
pub(super) fn plain(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if !["<html", "<body", "<!doctype html", "<h1", "<div"].iter().any(|mark| lower.contains(mark)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&unescaped(&rest[..at]));
        let Some(end) = rest[at..].find('>') else { return out };
        let tag = rest[at + 1..at + end].to_ascii_lowercase();
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        rest = &rest[at + end + 1..];
        if matches!(name.as_str(), "script" | "style") && !tag.starts_with('/') {
            let close = format!("</{name}");
            rest = rest.to_ascii_lowercase().find(&close).map_or("", |end| &rest[end..]);
        }
        let breaks = ["br", "p", "div", "li", "tr", "pre", "dt", "dd", "table", "section", "header"];
        if breaks.contains(&name.as_str()) || (name.len() == 2 && name.starts_with('h')) {
            out.push('\n');
        } else if matches!(name.as_str(), "td" | "th") {
            out.push(' ');
        }
    }
    out.push_str(&unescaped(rest));
    out
}

/// The five entities of XML, and the space that pages are full of.
pub(super) fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    plain.replace("&apos;", "'").replace("&nbsp;", " ").replace("&#160;", " ").replace("&amp;", "&")
}

/// An element of a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
}

/// The root of a sample: enough of XML for what help pages show, and nothing more.
pub(super) fn sample(text: &str) -> Option<Element> {
    let mut open: Vec<Element> = Vec::new();
    let mut rest = &text[text.find('<')?..];
    while let Some(at) = rest.find('<') {
        if let Some(parent) = open.last_mut() {
            parent.text.push_str(rest[..at].trim());
        }
        let end = at + rest[at..].find('>')?;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if tag.starts_with('/') {
            let done = open.pop()?;
            match open.last_mut() {
                Some(parent) => parent.children.push(done),
                None => return Some(done),
            }
            continue;
        }
        let empty = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let name = tag.split_whitespace().next()?.to_owned();
        let namespace = tag.split_once("xmlns=\"").and_then(|(_, rest)| rest.split_once('"'));
        let element =
            Element { name, namespace: namespace.map(|(uri, _)| unescaped(uri)), ..Element::default() };
        let depth = open.len();
        match (empty, open.last_mut()) {
            (true, Some(parent)) => parent.children.push(element),
            (true, None) => return Some(element),
            (false, _) if depth < 32 => open.push(element),
            (false, _) => return None,
        }
    }
    None
}
