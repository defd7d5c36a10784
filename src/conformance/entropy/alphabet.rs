//! What tokens are written in: the common length, what is constant, the alphabet, and the bits behind it.

/// How characters carry bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    Digits,
    Hex,
    Base32,
    Base64,
    Base64Url,
    Alphanumeric,
    Printable,
}

impl Alphabet {
    /// The narrowest that has every character of `texts`.
    pub fn of(texts: &[&str]) -> Alphabet {
        let all = || texts.iter().flat_map(|text| text.bytes());
        let only = |wanted: fn(u8) -> bool| all().all(wanted);
        // Letters and digits alone are base64 only as long as too few were seen to tell.
        let many = all().take(PLENTY).count() == PLENTY;
        if only(|byte| byte.is_ascii_digit()) {
            Alphabet::Digits
        } else if only(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            || only(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
        {
            Alphabet::Hex
        } else if only(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7' | b'=')) {
            Alphabet::Base32
        } else if only(|byte| byte.is_ascii_alphanumeric()) {
            if many { Alphabet::Alphanumeric } else { Alphabet::Base64Url }
        } else if only(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)) {
            Alphabet::Base64
        } else if only(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte)) {
            Alphabet::Base64Url
        } else {
            Alphabet::Printable
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Alphabet::Digits => "digits",
            Alphabet::Hex => "hexadecimal",
            Alphabet::Base32 => "base32",
            Alphabet::Base64 => "base64",
            Alphabet::Base64Url => "base64url",
            Alphabet::Alphanumeric => "letters and digits",
            Alphabet::Printable => "printable characters",
        }
    }

    pub fn size(self) -> u32 {
        match self {
            Alphabet::Digits => 10,
            Alphabet::Hex => 16,
            Alphabet::Base32 => 32,
            Alphabet::Base64 | Alphabet::Base64Url => 64,
            Alphabet::Alphanumeric => 62,
            Alphabet::Printable => 95,
        }
    }

    /// Bits of one character, where characters stand for bits.
    fn width(self) -> Option<u32> {
        match self {
            Alphabet::Hex => Some(4),
            Alphabet::Base32 => Some(5),
            Alphabet::Base64 | Alphabet::Base64Url => Some(6),
            Alphabet::Digits | Alphabet::Alphanumeric | Alphabet::Printable => None,
        }
    }

    /// What a character stands for. Padding stands for nothing and is constant.
    fn value(self, byte: u8) -> u8 {
        match (self, byte) {
            (Alphabet::Hex, _) => {
                char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0)
            }
            (Alphabet::Base32, b'A'..=b'Z') => byte - b'A',
            (Alphabet::Base32, b'2'..=b'7') => byte - b'2' + 26,
            (_, b'A'..=b'Z') => byte - b'A',
            (_, b'a'..=b'z') => byte - b'a' + 26,
            (_, b'0'..=b'9') => byte - b'0' + 52,
            (_, b'+' | b'-') => 62,
            (_, b'/' | b'_') => 63,
            (_, _) => 0,
        }
    }
}

/// So many characters without a sign are no chance.
const PLENTY: usize = 2_000;

/// The tokens of the usual length, without separators, in the order in which they were issued.
pub(super) struct Written {
    /// Shortest and longest of all.
    pub length: (usize, usize),
    /// Characters that all have at the start and at the end.
    pub constant: (usize, usize),
    /// The alphabet of what is left.
    pub alphabet: Alphabet,
    /// The characters of the tokens of the usual length, by token.
    pub symbols: Vec<Vec<u8>>,
    /// The bits behind them, where characters stand for bits: whole bytes, by token.
    pub bytes: Option<Vec<Vec<u8>>>,
}

/// Reads how `texts` are written.
pub(super) fn read(texts: &[&str]) -> Written {
    let length = |by: fn(std::slice::Iter<'_, &str>) -> Option<usize>| by(texts.iter()).unwrap_or(0);
    let lengths =
        (length(|all| all.map(|text| text.len()).min()), length(|all| all.map(|text| text.len()).max()));
    let usual = of_usual_length(texts);
    let constant = constant(&usual);
    let plain = without_separators(&usual, constant);
    let views: Vec<&str> = plain.iter().map(String::as_str).collect();
    let alphabet = Alphabet::of(&views);
    let symbols: Vec<Vec<u8>> = plain.iter().map(|text| text.as_bytes().to_vec()).collect();
    let bytes = alphabet.width().map(|width| packed(&symbols, alphabet, width));
    Written { length: lengths, constant, alphabet, symbols, bytes }
}

/// Tokens of the most frequent length; others of a few characters more or less say nothing of positions.
fn of_usual_length<'t>(texts: &[&'t str]) -> Vec<&'t str> {
    let mut counts = std::collections::BTreeMap::new();
    for text in texts {
        *counts.entry(text.len()).or_insert(0_usize) += 1;
    }
    let usual = counts.into_iter().max_by_key(|(_, count)| *count).map_or(0, |(length, _)| length);
    texts.iter().copied().filter(|text| text.len() == usual && text.is_ascii()).collect()
}

/// Characters that all texts share at the start and at the end.
fn constant(texts: &[&str]) -> (usize, usize) {
    let Some(first) = texts.first() else { return (0, 0) };
    let shared = |count: usize, same: &dyn Fn(&str, usize) -> bool| {
        (0..count).take_while(|at| texts.iter().all(|text| same(text, *at))).count()
    };
    let (bytes, length) = (first.as_bytes(), first.len());
    let start = shared(length, &|text, at| text.as_bytes()[at] == bytes[at]);
    let end = shared(length - start, &|text, at| text.as_bytes()[length - 1 - at] == bytes[length - 1 - at]);
    (start, end)
}

/// Without a prefix such as `rt_` and without the dashes and dots that stand at one place in all of them.
fn without_separators(texts: &[&str], constant: (usize, usize)) -> Vec<String> {
    let Some(first) = texts.first() else { return Vec::new() };
    let prefix = &first[..constant.0];
    // What stands before the last separator of the constant part is a name.
    let cut = prefix.rfind(['_', '.', ':', '~', '|']).map_or(0, |at| at + 1);
    let is_separator = |at: usize| {
        let byte = first.as_bytes()[at];
        b"-.:~|{}".contains(&byte) && texts.iter().all(|text| text.as_bytes()[at] == byte)
    };
    let kept: Vec<usize> = (cut..first.len()).filter(|at| !is_separator(*at)).collect();
    texts.iter().map(|text| kept.iter().map(|at| char::from(text.as_bytes()[*at])).collect()).collect()
}

/// The bits of the characters in whole bytes. What is left over at the end is filled with zeros, and is left out
/// where it never is anything else.
fn packed(texts: &[Vec<u8>], alphabet: Alphabet, width: u32) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| packed_one(text, alphabet, width)).collect();
    let characters = texts.first().map_or(0, |text| text.iter().filter(|byte| **byte != b'=').count());
    let whole = characters * width as usize / 8;
    if all.iter().all(|bytes| bytes[whole.min(bytes.len())..].iter().all(|byte| *byte == 0)) {
        for bytes in &mut all {
            bytes.truncate(whole);
        }
    }
    all
}

fn packed_one(text: &[u8], alphabet: Alphabet, width: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut held, mut count) = (0_u32, 0_u32);
    for byte in text {
        held = held << width | u32::from(alphabet.value(*byte));
        count += width;
        while count >= 8 {
            count -= 8;
            bytes.push((held >> count & 0xFF) as u8);
        }
        held &= (1 << count) - 1;
    }
    if count > 0 {
        bytes.push((held << (8 - count) & 0xFF) as u8);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_alphabet_is_found() {
        for (text, alphabet) in [
            ("0123", Alphabet::Digits),
            ("0af3", Alphabet::Hex),
            ("ZB27", Alphabet::Base32),
            ("aB+/==", Alphabet::Base64),
            ("aB-_", Alphabet::Base64Url),
            ("a b!", Alphabet::Printable),
        ] {
            assert_eq!(Alphabet::of(&[text]), alphabet, "{text}");
        }
        let long = "aZ9".repeat(1000);
        assert_eq!(Alphabet::of(&[long.as_str()]), Alphabet::Alphanumeric);
    }

    #[test]
    fn base64_and_hexadecimal_are_packed_into_the_bytes_that_they_stand_for() {
        let read = |texts: &[&str]| read(texts).bytes.unwrap();
        assert_eq!(read(&["00ff", "a1b2"]), [vec![0, 255], vec![0xA1, 0xB2]]);
        assert_eq!(read(&["/+AB", "+/AB"])[0], [0xFF, 0xE0, 0x01]);
    }

    #[test]
    fn a_name_in_front_and_dashes_are_no_part_of_the_value() {
        let read = read(&["rt_00a0-ff01", "rt_11b1-ee02"]);
        assert_eq!(read.constant, (3, 0));
        assert_eq!(read.symbols[0], b"00a0ff01");
        assert_eq!(read.alphabet, Alphabet::Hex);
    }
}
