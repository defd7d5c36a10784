//! application/x-www-form-urlencoded in UTF-8: writing only, because no endpoint answers in it.

use super::Leaf;

/// The members as `name=value` joined by `&`; nested ones are called `outer[inner]`, as jQuery does.
pub(super) fn write(members: &[(String, Leaf)]) -> Vec<u8> {
    let mut out = Vec::new();
    write_members(&mut out, None, members);
    out
}

fn write_members(out: &mut Vec<u8>, outer: Option<&str>, members: &[(String, Leaf)]) {
    for (name, leaf) in members {
        let name = match outer {
            Some(outer) => format!("{outer}[{name}]"),
            None => name.clone(),
        };
        let value = match leaf {
            Leaf::Object(inner) => {
                write_members(out, Some(&name), inner);
                continue;
            }
            Leaf::Text(text) => encode(text).into_bytes(),
            Leaf::Null => Vec::new(),
            Leaf::Raw(bytes) => bytes.clone(),
        };
        if !out.is_empty() {
            out.push(b'&');
        }
        out.extend_from_slice(encode(&name).as_bytes());
        out.push(b'=');
        out.extend_from_slice(&value);
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986. A space becomes `%20`, which form
/// and URL decoders alike turn back into a space; `+` is read as one only by the former.
pub fn encode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    encode_into(text, &mut out);
    String::from_utf8(out).expect("what is encoded is ASCII")
}

/// The same, appended to `out`.
pub fn encode_into(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = text.as_bytes();
    loop {
        let plain = rest.iter().take_while(|byte| is_unreserved(**byte)).count();
        out.extend_from_slice(&rest[..plain]);
        let Some((byte, after)) = rest[plain..].split_first() else { return };
        out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        rest = after;
    }
}

/// How many bytes [`encode`] makes of `text`.
pub fn encoded_length(text: &str) -> usize {
    text.len() + 2 * text.bytes().filter(|byte| !is_unreserved(*byte)).count()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Leaf {
        Leaf::Text(text.to_owned())
    }

    #[test]
    fn what_base64_needs_is_always_escaped() {
        let members = [("RefreshToken".to_owned(), text("a+b/c== é&")), ("stateCode".to_owned(), text("07"))];
        assert_eq!(
            String::from_utf8(write(&members)).unwrap(),
            "RefreshToken=a%2Bb%2Fc%3D%3D%20%C3%A9%26&stateCode=07"
        );
    }

    #[test]
    fn null_is_an_empty_value_and_raw_stands_as_it_is() {
        let members = [
            ("a".to_owned(), Leaf::Null),
            ("b".to_owned(), Leaf::Raw(b"x+%".to_vec())),
            ("c".to_owned(), Leaf::Object(vec![("d".to_owned(), text("1"))])),
        ];
        assert_eq!(String::from_utf8(write(&members)).unwrap(), "a=&b=x+%&c%5Bd%5D=1");
    }
}
