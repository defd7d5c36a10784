//! What a text says once percent signs, escapes or entities are taken off: a secret that is spelled is a secret.

/// A way of writing characters with other characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `%41`, as in addresses and forms.
    Percent,
    /// `\u0041` and `\/`, as in JSON.
    Escapes,
    /// `&#65;`, `&#x41;` and `&amp;`, as in HTML and XML.
    Entities,
}

impl Spelling {
    /// All of them.
    pub const ALL: [Spelling; 3] = [Spelling::Percent, Spelling::Escapes, Spelling::Entities];

    /// The sign with which every spelled character begins.
    pub fn mark(self) -> char {
        match self {
            Spelling::Percent => '%',
            Spelling::Escapes => '\\',
            Spelling::Entities => '&',
        }
    }

    /// The characters of `text`, spelled ones as what they stand for, each with the byte at which it begins.
    pub fn characters(self, text: &str) -> impl Iterator<Item = (usize, char)> + use<'_> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let rest = &text[at..];
            let first = rest.chars().next()?;
            let spelled = if first == self.mark() { self.first_of(rest) } else { None };
            let (character, length) = spelled.unwrap_or((first, first.len_utf8()));
            let begin = at;
            at += length;
            Some((begin, character))
        })
    }

    /// `text` as it reads.
    pub fn read(self, text: &str) -> String {
        self.characters(text).map(|(_, character)| character).collect()
    }

    /// The spelled character at the front, and how many bytes it takes.
    fn first_of(self, rest: &str) -> Option<(char, usize)> {
        match self {
            Spelling::Percent => Some((number(rest.get(1..3)?, 16)?, 3)),
            Spelling::Escapes => match rest.as_bytes().get(1)? {
                b'u' => Some((number(rest.get(2..6)?, 16)?, 6)),
                b'/' => Some(('/', 2)),
                b'"' => Some(('"', 2)),
                b'\\' => Some(('\\', 2)),
                _ => None,
            },
            Spelling::Entities => entity(rest),
        }
    }
}

fn entity(rest: &str) -> Option<(char, usize)> {
    const NAMED: [(&str, char); 5] =
        [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&apos;", '\'')];
    if let Some((name, character)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((*character, name.len()));
    }
    let end = rest.bytes().take(10).position(|byte| byte == b';')?;
    let digits = rest[..end].strip_prefix("&#")?;
    let character = match digits.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => number(hexadecimal, 16),
        None => number(digits, 10),
    };
    Some((character?, end + 1))
}

fn number(digits: &str, radix: u32) -> Option<char> {
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spelled_characters_are_read_and_everything_else_stays() {
        assert_eq!(Spelling::Percent.read("a%2Fb%zz%4"), "a/b%zz%4");
        assert_eq!(Spelling::Escapes.read("\\u0041\\/\\n\\u00"), "A/\\n\\u00");
        assert_eq!(Spelling::Entities.read("&#65;&#x42;&amp;&nbsp;&#;&"), "AB&&nbsp;&#;&");
        let places: Vec<(usize, char)> = Spelling::Percent.characters("é%41b").collect();
        assert_eq!(places, [(0, 'é'), (2, 'A'), (5, 'b')]);
    }

    proptest! {
        #[test]
        fn every_place_is_the_beginning_of_a_character(text in ".*|[%\\\\u&#;0-9a-fA-Fx]{0,60}") {
            for spelling in Spelling::ALL {
                for (at, _) in spelling.characters(&text) {
                    prop_assert!(text.is_char_boundary(at));
                }
            }
        }
    }
}
