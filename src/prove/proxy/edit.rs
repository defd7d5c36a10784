//! What the proxy does to an answer: one edit of its head, its document or its bytes.

use std::ops::Range;

use super::spans::{self, Member};

/// One edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::prove) enum Edit {
    /// Nothing: what comes out is what came in.
    Nothing,
    /// Another status.
    Status(u16),
    /// Another Content-Type, or none.
    Label(Option<&'static str>),
    /// A header is not passed on.
    WithoutHeader(&'static str),
    /// Of the member at a path.
    Member(Vec<String>, MemberEdit),
    /// Of the bytes of the body.
    Bytes(BytesEdit),
}

/// An edit of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::prove) enum MemberEdit {
    /// It is not there.
    Missing,
    /// It has another name.
    Renamed,
    /// It stands behind the next.
    Reordered,
    /// It is there twice.
    Repeated,
    /// A number stands there.
    Number,
    /// A flag stands there.
    Flag,
    /// Its value stands in a list.
    Listed,
    /// It is the empty text.
    Emptied,
    /// It is null.
    Nulled,
    /// It is what the first answer had there.
    Stale,
    /// A line break stands behind it.
    Spaced,
}

/// An edit of the body as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::prove) enum BytesEdit {
    /// The last byte is missing, and the length is true to that.
    CutOne,
    /// Half of it is missing, and the length is true to that.
    CutHalf,
    /// Half of it is missing, and the length is that of the whole.
    Broken,
    /// Nothing is there.
    Gone,
    /// It is there twice.
    Twice,
    /// A byte that is no UTF-8 stands in the middle of a text.
    NotUtf8,
}

/// The answer in its parts.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// The status line and the header lines, without line ends.
    pub lines: Vec<Vec<u8>>,
    /// The body.
    pub body: Vec<u8>,
    /// The length that is told, where it is not the true one.
    pub told: Option<usize>,
}

impl Parts {
    /// The value of a header, in lower case.
    pub fn header(&self, name: &str) -> String {
        let line = self.lines.iter().skip(1).find(|line| is_header(line, name));
        let value = line.and_then(|line| line.splitn(2, |byte| *byte == b':').nth(1)).unwrap_or_default();
        String::from_utf8_lossy(value).trim().to_ascii_lowercase()
    }

    /// Whether the body is XML, by its first byte.
    pub fn is_xml(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    /// What goes out.
    pub fn written(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.body.len() + 512);
        let length = self.told.unwrap_or(self.body.len());
        for line in &self.lines {
            if is_header(line, "content-length") {
                bytes.extend_from_slice(format!("Content-Length: {length}").as_bytes());
            } else {
                bytes.extend_from_slice(line);
            }
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    fn set_header(&mut self, name: &str, value: Option<&str>) {
        let Some(index) = self.lines.iter().skip(1).position(|line| is_header(line, name)) else { return };
        match value {
            Some(value) => self.lines[index + 1] = format!("{name}: {value}").into_bytes(),
            None => drop(self.lines.remove(index + 1)),
        }
    }
}

fn is_header(line: &[u8], name: &str) -> bool {
    line.len() > name.len()
        && line[name.len()] == b':'
        && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
}

/// The text of the value at `path`, as it stands there.
pub(super) fn value_at(parts: &Parts, path: &[String]) -> Option<Vec<u8>> {
    let (members, index) = spans::find(&parts.body, path, parts.is_xml())?;
    Some(parts.body[members[index].value.clone()].to_vec())
}

/// Applies an edit; `earlier` is what the first answer had at the path.
pub(super) fn apply(parts: &mut Parts, edit: &Edit, earlier: Option<&[u8]>) {
    match edit {
        Edit::Nothing => {}
        Edit::Status(status) => {
            if let Some(line) = parts.lines.first_mut() {
                *line = format!("HTTP/1.1 {status} Otherwise").into_bytes();
            }
        }
        Edit::Label(label) => parts.set_header("Content-Type", *label),
        Edit::WithoutHeader(name) => parts.set_header(name, None),
        Edit::Member(path, what) => {
            let is_xml = parts.is_xml();
            if let Some((members, index)) = spans::find(&parts.body, path, is_xml) {
                member(&mut parts.body, &members, index, *what, is_xml, earlier);
            }
        }
        Edit::Bytes(what) => bytes(parts, *what),
    }
}

fn bytes(parts: &mut Parts, what: BytesEdit) {
    let length = parts.body.len();
    match what {
        BytesEdit::CutOne => parts.body.truncate(length.saturating_sub(1)),
        BytesEdit::CutHalf => parts.body.truncate(length / 2),
        BytesEdit::Broken => {
            parts.told = Some(length);
            parts.body.truncate(length / 2);
        }
        BytesEdit::Gone => parts.body.clear(),
        BytesEdit::Twice => parts.body.extend_from_within(..),
        BytesEdit::NotUtf8 => {
            let opening = if parts.is_xml() { &b">"[..] } else { &b":\""[..] };
            // The first letter of the first text that has one.
            let begins =
                |window: &[u8]| window.starts_with(opening) && window[opening.len()].is_ascii_alphanumeric();
            if let Some(at) = parts.body.windows(opening.len() + 1).position(begins) {
                parts.body[at + opening.len()] = 0xFF;
            }
        }
    }
}

fn member(
    body: &mut Vec<u8>,
    members: &[Member],
    index: usize,
    what: MemberEdit,
    is_xml: bool,
    earlier: Option<&[u8]>,
) {
    let own = &members[index];
    match what {
        MemberEdit::Missing => drop(body.drain(with_comma(members, index, is_xml))),
        MemberEdit::Renamed => {
            for name in [&own.names[1], &own.names[0]] {
                if !name.is_empty() {
                    body.insert(name.end, b'X');
                }
            }
        }
        MemberEdit::Reordered => {
            // The last changes places with the one before it.
            let first = index.min(members.len().saturating_sub(2));
            let (own, Some(next)) = (&members[first], members.get(first + 1)) else { return };
            let moved =
                [&body[next.whole.clone()], &body[own.whole.end..next.whole.start], &body[own.whole.clone()]];
            let moved = moved.concat();
            body.splice(own.whole.start..next.whole.end, moved);
        }
        MemberEdit::Repeated => {
            let comma: &[u8] = if is_xml { b"" } else { b"," };
            let twin = [comma, &body[own.whole.clone()]].concat();
            body.splice(own.whole.end..own.whole.end, twin);
        }
        MemberEdit::Number => replace(body, own, is_xml, b"7"),
        MemberEdit::Flag => replace(body, own, is_xml, b"true"),
        MemberEdit::Listed => {
            let listed = [b"[", &body[own.value.clone()], b"]"].concat();
            replace(body, own, is_xml, &listed);
        }
        MemberEdit::Emptied => replace(body, own, is_xml, if is_xml { b"" } else { b"\"\"" }),
        MemberEdit::Nulled if is_xml => {
            let name = String::from_utf8_lossy(&body[own.names[0].clone()]).into_owned();
            body.splice(own.whole.clone(), format!("<{name} i:nil=\"true\" />").into_bytes());
        }
        MemberEdit::Nulled => replace(body, own, is_xml, b"null"),
        MemberEdit::Spaced => {
            let end = if is_xml { own.value.end } else { own.value.end - 1 };
            let space: &[u8] = if is_xml { b"\n" } else { b"\\n" };
            body.splice(end..end, space.iter().copied());
        }
        MemberEdit::Stale => {
            if let Some(earlier) = earlier {
                replace(body, own, is_xml, earlier);
            }
        }
    }
}

/// Another value. An element without an end tag gets one.
fn replace(body: &mut Vec<u8>, own: &Member, is_xml: bool, value: &[u8]) {
    if is_xml && own.names[1].is_empty() {
        let name = body[own.names[0].clone()].to_vec();
        let element = [b"<", name.as_slice(), b">", value, b"</", name.as_slice(), b">"].concat();
        body.splice(own.whole.clone(), element);
    } else {
        body.splice(own.value.clone(), value.iter().copied());
    }
}

fn with_comma(members: &[Member], index: usize, is_xml: bool) -> Range<usize> {
    let own = &members[index].whole;
    if is_xml {
        return own.clone();
    }
    match (members.get(index + 1), index.checked_sub(1)) {
        (Some(next), _) => own.start..next.whole.start,
        (None, Some(before)) => members[before].whole.end..own.end,
        (None, None) => own.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(body: &str, path: &[&str], what: MemberEdit) -> String {
        let mut parts = Parts { lines: Vec::new(), body: body.as_bytes().to_vec(), told: None };
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        apply(&mut parts, &Edit::Member(path, what), Some(b"old"));
        String::from_utf8(parts.body).unwrap()
    }

    #[test]
    fn members_of_json_are_edited_in_place() {
        let json = r#"{"a":"1","b":{"c":null,"d":"2"},"e":"3"}"#;
        for (path, what, expected) in [
            (&["e"][..], MemberEdit::Missing, r#"{"a":"1","b":{"c":null,"d":"2"}}"#),
            (&["b", "c"], MemberEdit::Missing, r#"{"a":"1","b":{"d":"2"},"e":"3"}"#),
            (&["b", "d"], MemberEdit::Renamed, r#"{"a":"1","b":{"c":null,"dX":"2"},"e":"3"}"#),
            (&["b", "c"], MemberEdit::Reordered, r#"{"a":"1","b":{"d":"2","c":null},"e":"3"}"#),
            (&["a"], MemberEdit::Repeated, r#"{"a":"1","a":"1","b":{"c":null,"d":"2"},"e":"3"}"#),
            (&["a"], MemberEdit::Number, r#"{"a":7,"b":{"c":null,"d":"2"},"e":"3"}"#),
            (&["a"], MemberEdit::Listed, r#"{"a":["1"],"b":{"c":null,"d":"2"},"e":"3"}"#),
            (&["b"], MemberEdit::Nulled, r#"{"a":"1","b":null,"e":"3"}"#),
            (&["e"], MemberEdit::Emptied, r#"{"a":"1","b":{"c":null,"d":"2"},"e":""}"#),
        ] {
            assert_eq!(edited(json, path, what), expected);
        }
    }

    #[test]
    fn elements_are_edited_in_place() {
        let xml = "<r><a>1</a><b><c i:nil=\"true\" /><d>2</d></b></r>";
        for (path, what, expected) in [
            (&["a"][..], MemberEdit::Missing, "<r><b><c i:nil=\"true\" /><d>2</d></b></r>"),
            (&["b", "d"], MemberEdit::Renamed, "<r><a>1</a><b><c i:nil=\"true\" /><dX>2</dX></b></r>"),
            (&["b", "c"], MemberEdit::Reordered, "<r><a>1</a><b><d>2</d><c i:nil=\"true\" /></b></r>"),
            (&["a"], MemberEdit::Nulled, "<r><a i:nil=\"true\" /><b><c i:nil=\"true\" /><d>2</d></b></r>"),
            (&["b", "c"], MemberEdit::Stale, "<r><a>1</a><b><c>old</c><d>2</d></b></r>"),
        ] {
            assert_eq!(edited(xml, path, what), expected);
        }
    }

    #[test]
    fn the_length_follows_the_body_unless_it_is_to_lie() {
        let lines = ["HTTP/1.1 200 OK", "content-length: 4", "Content-Type: text/plain"];
        let lines = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        let mut parts = Parts { lines, body: b"body".to_vec(), told: None };
        apply(&mut parts, &Edit::Bytes(BytesEdit::CutOne), None);
        apply(&mut parts, &Edit::Label(None), None);
        apply(&mut parts, &Edit::Status(500), None);
        assert_eq!(parts.written(), b"HTTP/1.1 500 Otherwise\r\nContent-Length: 3\r\n\r\nbod");
        apply(&mut parts, &Edit::Bytes(BytesEdit::Broken), None);
        assert_eq!(parts.written(), b"HTTP/1.1 500 Otherwise\r\nContent-Length: 3\r\n\r\nb");
    }
}
