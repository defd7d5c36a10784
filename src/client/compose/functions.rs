//! The small functions of `computed`: what they make of the slots of one call.

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::dialect::{Function, NowAs};

use super::{Slots, fill};

/// What the function makes; `None` where it refers to slots and none of them has a value.
pub(super) fn make(function: &Function, slots: &Slots) -> Option<String> {
    Some(match function {
        Function::Base64(text) => STANDARD.encode(fill(text, slots)?),
        Function::Basic(text) => format!("Basic {}", STANDARD.encode(fill(text, slots)?)),
        Function::HmacSha256 { of, key, hex } => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, fill(key, slots)?.as_bytes());
            let tag = hmac::sign(&key, fill(of, slots)?.as_bytes());
            if *hex { in_hex(tag.as_ref()) } else { STANDARD.encode(tag) }
        }
        Function::Uuid => uuid(),
        Function::Now(how) => now(*how),
    })
}

fn now(how: NowAs) -> String {
    let now = Timestamp::now();
    match how {
        NowAs::Seconds => now.as_second().to_string(),
        NowAs::Milliseconds => now.as_millisecond().to_string(),
        NowAs::Iso => now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// RFC 9562 section 5.4. Numbers of requests may not repeat between runs, so they do not follow from the seed.
fn uuid() -> String {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes).expect("the machine has random numbers, or TLS would not have started");
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex = in_hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn in_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Text, TextPart};
    use crate::secret::Token;
    use crate::suite::call::Slot;

    fn of(slot: Slot) -> Text {
        Text(vec![TextPart::Slot(slot)])
    }

    #[test]
    fn a_secret_hash_is_that_of_cognito() {
        let slots = Slots::from([
            (Slot::User, Token::new("user")),
            (Slot::Client, Token::new("client")),
            (Slot::ClientSecret, Token::new("key")),
        ]);
        let both = Text(vec![TextPart::Slot(Slot::User), TextPart::Slot(Slot::Client)]);
        let hash = Function::HmacSha256 { of: both, key: of(Slot::ClientSecret), hex: false };
        // printf userclient | openssl dgst -sha256 -hmac key -binary | base64
        assert_eq!(make(&hash, &slots).unwrap(), "YwFvZ4loYJ8AoBhNXIih/Y38DF2IP6/Lq768LwhOvJ0=");
        let basic = Function::Basic(Text(vec![
            TextPart::Slot(Slot::User),
            TextPart::Plain(":".to_owned()),
            TextPart::Slot(Slot::Client),
        ]));
        assert_eq!(make(&basic, &slots).unwrap(), "Basic dXNlcjpjbGllbnQ=");
        assert_eq!(make(&Function::Base64(of(Slot::Device)), &slots), None);
    }

    #[test]
    fn no_two_numbers_are_alike_and_they_look_as_they_should() {
        let (one, other) = (uuid(), uuid());
        assert_ne!(one, other);
        let shape: String = one.chars().map(|c| if c.is_ascii_hexdigit() { 'h' } else { c }).collect();
        assert_eq!(shape, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh");
        assert_eq!(&one[14..15], "4");
    }
}
