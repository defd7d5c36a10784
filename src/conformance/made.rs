//! Made values: the good value flipped, recased, trimmed, spelt otherwise; fillers and nests.
//!
//! Pure and seeded: the same seed makes the same value.

use rand::{Rng as _, RngExt as _};
use rand_chacha::ChaCha8Rng;

use crate::dialect::Codec;
use crate::suite::call::Where;

/// A piece of a value, by how it enters a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Quoted and escaped by the codec.
    Text(String),
    /// Bytes within the quotes.
    Bytes(Vec<u8>),
    /// As it stands, without quotes.
    Raw(String),
}

/// A value for a place in a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// The format's own null.
    Null,
    /// Pieces, joined.
    Pieces(Vec<Piece>),
}

impl Content {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Content {
        Content::Pieces(vec![Piece::Text(text.into())])
    }

    /// The value as text, where it is nothing but text.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Content::Null => None,
            Content::Pieces(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => Some(text.as_str()),
                    Piece::Bytes(_) | Piece::Raw(_) => None,
                })
                .collect::<Option<Vec<_>>>()
                .map(|texts| texts.concat()),
        }
    }

    /// The value as bytes outside a document: in a header, or as the whole body.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Content::Null => Vec::new(),
            Content::Pieces(pieces) => pieces
                .iter()
                .flat_map(|piece| match piece {
                    Piece::Text(text) | Piece::Raw(text) => text.as_bytes().to_vec(),
                    Piece::Bytes(bytes) => bytes.clone(),
                })
                .collect(),
        }
    }
}

/// One character changed to its neighbor in the same class, so that length and alphabet stay.
pub(super) fn flip(good: &str, place: Where) -> String {
    let mut chars: Vec<char> = good.chars().collect();
    let Some(last) = chars.len().checked_sub(1) else { return "x".to_owned() };
    let at = match place {
        Where::Start => 0,
        Where::Middle => last / 2,
        // Padding at the end says nothing about the value, and the last sign before it holds unused bits.
        Where::End => chars.iter().rposition(|c| *c != '=').unwrap_or(last).saturating_sub(1),
    };
    let at = nearest_changeable(&chars, at);
    chars[at] = neighbor(chars[at]);
    chars.into_iter().collect()
}

/// Letters and digits can be changed without leaving the alphabet; dots of a JWT cannot.
fn nearest_changeable(chars: &[char], at: usize) -> usize {
    (0..chars.len())
        .filter(|index| chars[*index].is_ascii_alphanumeric())
        .min_by_key(|index| index.abs_diff(at))
        .unwrap_or(at)
}

fn neighbor(c: char) -> char {
    match c {
        'z' => 'a',
        '9' => '0',
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(c as u32 + 1).expect("ASCII has a successor"),
        // The last letter, and whatever is neither letter nor digit.
        _ => 'A',
    }
}

/// The case of one letter changed; `None` where there is no letter.
pub(super) fn recase(good: &str, rng: &mut ChaCha8Rng) -> Option<String> {
    let mut chars: Vec<char> = good.chars().collect();
    let letters: Vec<usize> = (0..chars.len()).filter(|at| chars[*at].is_ascii_alphabetic()).collect();
    if letters.is_empty() {
        return None;
    }
    let at = letters[rng.random_range(0..letters.len())];
    chars[at] = if chars[at].is_ascii_lowercase() {
        chars[at].to_ascii_uppercase()
    } else {
        chars[at].to_ascii_lowercase()
    };
    Some(chars.into_iter().collect())
}

/// These trailing characters gone; `None` where there are none.
pub(super) fn trim(good: &str, signs: &str) -> Option<String> {
    let trimmed = good.trim_end_matches(|c| signs.contains(c));
    (trimmed.len() < good.len()).then(|| trimmed.to_owned())
}

/// The other base64 alphabet; `None` where both spell it alike.
pub(super) fn spell(good: &str) -> Option<String> {
    let standard = good.contains(['+', '/']);
    let spelt: String = good
        .chars()
        .map(|c| match (standard, c) {
            (true, '+') => '-',
            (true, '/') => '_',
            (false, '-') => '+',
            (false, '_') => '/',
            (true | false, other) => other,
        })
        .collect();
    (spelt != good).then_some(spelt)
}

/// Never issued, same length and alphabet: letters stay letters of their case, digits digits, signs signs.
pub(super) fn like(good: &str, rng: &mut ChaCha8Rng) -> String {
    let made: String = good
        .chars()
        .map(|c| match c {
            'a'..='z' => char::from(b'a' + (rng.next_u32() % 26) as u8),
            'A'..='Z' => char::from(b'A' + (rng.next_u32() % 26) as u8),
            '0'..='9' => char::from(b'0' + (rng.next_u32() % 10) as u8),
            other => other,
        })
        .collect();
    if made == good { flip(good, Where::Middle) } else { made }
}

/// The first words of the good value; `None` where these are all.
pub(super) fn words(good: &str, count: u32) -> Option<String> {
    let all: Vec<&str> = good.split_whitespace().collect();
    (all.len() > count as usize).then(|| all[..count as usize].join(" "))
}

/// That many bytes of text, and never more than 64 MB.
pub(super) fn filler(size: u64) -> String {
    "a".repeat(usize::try_from(size.min(64_000_000)).expect("64 MB fit"))
}

/// A document that deep, in the manner of the codec.
pub(super) fn nest(depth: u32, codec: Codec) -> String {
    let depth = depth.min(1_000_000) as usize;
    match codec {
        Codec::Json => format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
        Codec::Xml => format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth)),
        Codec::Form => format!("a{}=1", "[a]".repeat(depth)),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(7)
    }

    #[test]
    fn a_flip_changes_one_character_and_keeps_the_length() {
        for place in [Where::Start, Where::Middle, Where::End] {
            let good = "eyJh.bGci-OiJ_IUzI1NiJ9==";
            let flipped = flip(good, place);
            assert_eq!(flipped.len(), good.len());
            let changed = good.chars().zip(flipped.chars()).filter(|(a, b)| a != b).count();
            assert_eq!(changed, 1, "{flipped}");
        }
        assert_eq!(flip("", Where::Start), "x");
    }

    #[test]
    fn a_recased_value_differs_in_the_case_of_one_letter() {
        let good = "12ab-CD";
        let made = recase(good, &mut rng()).unwrap();
        assert_ne!(made, good);
        assert!(made.eq_ignore_ascii_case(good));
        assert_eq!(recase("1234", &mut rng()), None);
    }

    #[test]
    fn a_value_like_another_has_its_length_and_alphabet_and_is_seeded() {
        let good = "Zx81-aB+/9==";
        let made = like(good, &mut rng());
        assert_ne!(made, good);
        assert_eq!(made.len(), good.len());
        for (a, b) in good.chars().zip(made.chars()) {
            assert_eq!(a.is_ascii_lowercase(), b.is_ascii_lowercase());
            assert_eq!(a.is_ascii_digit(), b.is_ascii_digit());
        }
        assert_eq!(made, like(good, &mut rng()));
    }

    #[test]
    fn spelling_and_trimming_say_when_there_is_nothing_to_change() {
        assert_eq!(spell("a+b/c"), Some("a-b_c".to_owned()));
        assert_eq!(spell("a-b_c"), Some("a+b/c".to_owned()));
        assert_eq!(spell("abc"), None);
        assert_eq!(trim("ab==", "="), Some("ab".to_owned()));
        assert_eq!(trim("ab", "="), None);
    }

    #[test]
    fn words_nests_and_fillers_are_as_large_as_asked() {
        assert_eq!(words("read write admin", 2).as_deref(), Some("read write"));
        assert_eq!(words("read write", 2), None);
        assert_eq!(nest(3, Codec::Json), "[[[]]]");
        assert_eq!(nest(2, Codec::Xml), "<a><a></a></a>");
        assert_eq!(nest(2, Codec::Form), "a[a][a]=1");
        assert_eq!(filler(5).len(), 5);
    }
}
