//! Where members stand in the bytes of a document: enough of JSON and XML to cut a good answer at its joints.
//!
//! Knows nothing of the client's codecs, and reads only what a sound server writes.

use std::ops::Range;

/// One member: `"name":value`, or an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// All of it.
    pub whole: Range<usize>,
    /// Its name; of an element both names, the second empty where there is no end tag.
    pub names: [Range<usize>; 2],
    /// The value with its quotation marks, or what stands between the tags.
    pub value: Range<usize>,
}

/// The member at `path` and the one after it.
pub(super) fn find(text: &[u8], path: &[String], is_xml: bool) -> Option<(Vec<Member>, usize)> {
    let root = if is_xml { element(text, prolog(text)?)?.value } else { skip_space(text, 0)..text.len() };
    let mut inside = root;
    let (last, above) = path.split_last()?;
    for name in above {
        let members = members(text, inside, is_xml)?;
        inside = members.into_iter().find(|member| named(text, member, name))?.value;
    }
    let members = members(text, inside, is_xml)?;
    let index = members.iter().position(|member| named(text, member, last))?;
    Some((members, index))
}

fn named(text: &[u8], member: &Member, name: &str) -> bool {
    let own = &text[member.names[0].clone()];
    let local = own.rsplit(|byte| *byte == b':').next().unwrap_or(own);
    local == name.as_bytes()
}

fn members(text: &[u8], inside: Range<usize>, is_xml: bool) -> Option<Vec<Member>> {
    if is_xml { elements(text, inside) } else { object(text, inside.start).map(|(members, _)| members) }
}

fn skip_space(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

// ------------------------------------------------------------------------------------------------ JSON

/// The members of the object that begins at `at`, and where it ends.
fn object(text: &[u8], at: usize) -> Option<(Vec<Member>, usize)> {
    let mut at = skip_space(text, at);
    if text.get(at) != Some(&b'{') {
        return None;
    }
    at = skip_space(text, at + 1);
    let mut members = Vec::new();
    while text.get(at) != Some(&b'}') {
        let start = at;
        let name_end = string(text, start)?;
        let colon = skip_space(text, name_end);
        (text.get(colon) == Some(&b':')).then_some(())?;
        let value = skip_space(text, colon + 1);
        let end = value_end(text, value)?;
        let name = start + 1..name_end - 1;
        members.push(Member { whole: start..end, names: [name, end..end], value: value..end });
        at = skip_space(text, end);
        if text.get(at) == Some(&b',') {
            at = skip_space(text, at + 1);
        }
    }
    Some((members, at + 1))
}

fn value_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => string(text, at),
        b'{' => object(text, at).map(|(_, end)| end),
        b'[' => list(text, at),
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
            Some(at + text[at..].iter().position(ends)?)
        }
    }
}

fn list(text: &[u8], at: usize) -> Option<usize> {
    let mut at = skip_space(text, at + 1);
    while text.get(at) != Some(&b']') {
        at = skip_space(text, value_end(text, at)?);
        if text.get(at) == Some(&b',') {
            at = skip_space(text, at + 1);
        }
    }
    Some(at + 1)
}

/// The end of the string that begins at `at`.
fn string(text: &[u8], at: usize) -> Option<usize> {
    (text.get(at) == Some(&b'"')).then_some(())?;
    let mut at = at + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

// ------------------------------------------------------------------------------------------------- XML

/// Where the root element begins.
fn prolog(text: &[u8]) -> Option<usize> {
    let mut at = skip_space(text, 0);
    while text.get(at..at + 2) == Some(b"<?") {
        at += find_bytes(&text[at..], b"?>")? + 2;
        at = skip_space(text, at);
    }
    Some(at)
}

fn elements(text: &[u8], inside: Range<usize>) -> Option<Vec<Member>> {
    let mut members = Vec::new();
    let mut at = skip_space(text, inside.start);
    while at < inside.end {
        let member = element(text, at)?;
        at = skip_space(text, member.whole.end);
        members.push(member);
    }
    Some(members)
}

/// The element that begins at `at`.
fn element(text: &[u8], at: usize) -> Option<Member> {
    (text.get(at) == Some(&b'<')).then_some(())?;
    let tag_end = at + text[at..].iter().position(|byte| *byte == b'>')?;
    let ends = |byte: &u8| matches!(byte, b'>' | b'/') || byte.is_ascii_whitespace();
    let name = at + 1..at + 1 + text[at + 1..].iter().position(ends)?;
    let after = tag_end + 1;
    if text[tag_end - 1] == b'/' {
        return Some(Member { whole: at..after, names: [name, after..after], value: after..after });
    }
    let mut inner = after;
    loop {
        let next = inner + text[inner..].iter().position(|byte| *byte == b'<')?;
        if text.get(next + 1) == Some(&b'/') {
            let end = next + text[next..].iter().position(|byte| *byte == b'>')? + 1;
            return Some(Member { whole: at..end, names: [name, next + 2..end - 1], value: after..next });
        }
        inner = element(text, next)?.whole.end;
    }
}

fn find_bytes(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &[&str]) -> Vec<String> {
        path.iter().map(|name| (*name).to_owned()).collect()
    }

    fn value<'a>(text: &'a str, at: &[&str], is_xml: bool) -> &'a str {
        let (members, index) = find(text.as_bytes(), &path(at), is_xml).expect("it is there");
        &text[members[index].value.clone()]
    }

    #[test]
    fn members_of_json_are_found_at_every_depth() {
        let text = r#" {"a" : "x\"}", "b":{"c":[1,{"d":2}],"e":null},"f":true}"#;
        assert_eq!(value(text, &["a"], false), r#""x\"}""#);
        assert_eq!(value(text, &["b", "c"], false), r#"[1,{"d":2}]"#);
        assert_eq!(value(text, &["b", "e"], false), "null");
        assert_eq!(find(text.as_bytes(), &path(&["b", "x"]), false), None);
        assert_eq!(find(b"{\"a\"", &path(&["a"]), false), None);
    }

    #[test]
    fn elements_are_found_at_every_depth() {
        let text =
            "<?xml version=\"1.0\"?>\n<r xmlns=\"u\"><a>1 &gt; 0</a>\n<b><c i:nil=\"true\" /><d></d></b></r>";
        assert_eq!(value(text, &["a"], true), "1 &gt; 0");
        assert_eq!(value(text, &["b", "d"], true), "");
        let (members, index) = find(text.as_bytes(), &path(&["b", "c"]), true).unwrap();
        assert_eq!(&text[members[index].whole.clone()], "<c i:nil=\"true\" />");
        assert_eq!(find(b"<r><a>", &path(&["a"]), true), None);
    }
}
