//! Taking texts of the table apart: which slots a header, a member or a cookie carries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::dialect::{Function, Text, TextPart};
use crate::suite::call::Slot;

/// The slots that `value` carries, if it reads as `text` does. What cannot be undone (a MAC, a number, the time) is
/// passed over.
pub(super) fn extract(text: &Text, value: &str, found: &mut Vec<(Slot, String)>) -> bool {
    let mut rest = value;
    for (at, part) in text.0.iter().enumerate() {
        match part {
            TextPart::Plain(plain) => match strip(rest, plain) {
                Some(after) => rest = after,
                None => return false,
            },
            TextPart::Slot(_) | TextPart::Made(_) => {
                let end = match text.0.get(at + 1) {
                    Some(TextPart::Plain(next)) => match rest.find(next.as_str()) {
                        Some(end) => end,
                        None => return false,
                    },
                    _ => rest.len(),
                };
                let (own, after) = rest.split_at(end);
                rest = after;
                if !inside(part, own, found) {
                    return false;
                }
            }
        }
    }
    rest.is_empty()
}

fn inside(part: &TextPart, own: &str, found: &mut Vec<(Slot, String)>) -> bool {
    match part {
        TextPart::Plain(_) => true,
        TextPart::Slot(slot) => {
            found.push((*slot, own.to_owned()));
            true
        }
        TextPart::Made(function) => match &**function {
            Function::Base64(text) => decoded(own).is_some_and(|plain| extract(text, &plain, found)),
            Function::Basic(text) => {
                let plain = strip(own, "Basic ").and_then(decoded);
                plain.is_some_and(|plain| extract(text, &plain, found))
            }
            Function::HmacSha256 { .. } | Function::Uuid | Function::Now(_) => !own.is_empty(),
        },
    }
}

/// Schemes of authentication are compared without case.
fn strip<'a>(text: &'a str, plain: &str) -> Option<&'a str> {
    let (head, after) = text.split_at_checked(plain.len())?;
    head.eq_ignore_ascii_case(plain).then_some(after)
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(slot: Slot) -> TextPart {
        TextPart::Slot(slot)
    }

    fn plain(text: &str) -> TextPart {
        TextPart::Plain(text.to_owned())
    }

    #[test]
    fn what_was_put_in_is_taken_out() {
        let mut found = Vec::new();
        assert!(extract(&Text(vec![plain("Bearer "), slot(Slot::Access)]), "bearer abc", &mut found));
        let pair = Text(vec![slot(Slot::Client), plain(":"), slot(Slot::ClientSecret)]);
        let basic = Text(vec![TextPart::Made(Box::new(Function::Basic(pair)))]);
        assert!(extract(&basic, "Basic YTpiOmM=", &mut found));
        let expected = [(Slot::Access, "abc"), (Slot::Client, "a"), (Slot::ClientSecret, "b:c")];
        assert_eq!(found, expected.map(|(slot, text)| (slot, text.to_owned())));
        for wrong in ["Basic", "Basic !", "Bearer YTpi", "Basic YWI="] {
            assert!(!extract(&basic, wrong, &mut found), "{wrong}");
        }
    }
}
