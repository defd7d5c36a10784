//! Scopes: a small closed list, as a set.

/// The scopes that the mock knows, in the order in which it writes them.
const WORDS: [&str; 5] = ["openid", "read", "write", "profile", "offline_access"];

/// A set of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope(u8);

impl Scope {
    /// All of them.
    pub const ALL: Scope = Scope(0b1_1111);

    /// Reads a list divided by spaces; `None` where a word is unknown or there is none.
    pub fn parse(text: &str) -> Option<Scope> {
        let mut set = 0;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            set |= 1 << WORDS.iter().position(|known| *known == word)?;
        }
        (set != 0).then_some(Scope(set))
    }

    /// Whether this scope is among them.
    pub fn has(self, word: &str) -> bool {
        WORDS.iter().position(|known| *known == word).is_some_and(|place| self.0 & (1 << place) != 0)
    }

    /// Whether all of it is in `other`.
    pub fn is_within(self, other: Scope) -> bool {
        self.0 & !other.0 == 0
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chosen = WORDS.iter().enumerate().filter(|(place, _)| self.0 & (1 << place) != 0);
        for (written, (_, word)) in chosen.enumerate() {
            write!(f, "{}{word}", if written == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written() {
        assert_eq!(Scope::parse("write read").unwrap().to_string(), "read write");
        assert_eq!(Scope::parse("read admin"), None);
        assert_eq!(Scope::parse(" "), None);
        assert!(Scope::parse("read").unwrap().is_within(Scope::ALL));
        assert!(!Scope::ALL.is_within(Scope::parse("read").unwrap()));
    }
}
