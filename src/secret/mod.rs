//! What must never be printed, as types that cannot be printed.
//!
//! Owns [`Token`] (every token and every credential) and [`Fingerprint`] (what stands in its place).
//! Neither `Display` nor `Serialize` exists for a token; `Debug` shows its length. Reading it takes
//! [`Token::expose`], which only the client, the chain and the mock call, and which is easy to search for.

pub mod spelling;

use std::hash::Hasher;
use std::sync::Arc;

use zeroize::Zeroizing;

/// A refresh token, an access token, a client secret, a shared secret: text that no output may contain.
///
/// Cheap to clone; the bytes are wiped when the last clone goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<Zeroizing<String>>);

impl Token {
    /// Takes custody of `text`.
    pub fn new(text: impl Into<String>) -> Token {
        Token(Arc::new(Zeroizing::new(text.into())))
    }

    /// The text itself. Call it only where the text is about to be sent, compared or hashed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Takes custody of `text` in place of what it held, in the same memory where nobody else holds it.
    pub fn replace(&mut self, text: &str) {
        match Arc::get_mut(&mut self.0) {
            Some(own) => {
                own.clear();
                own.push_str(text);
            }
            None => *self = Token::new(text),
        }
    }

    /// Length in bytes, which may be shown.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({} bytes)", self.len())
    }
}

/// The key of a run's fingerprints: two runs show different fingerprints for one token.
#[derive(Clone, Copy)]
pub struct FingerprintKey(u64, u64);

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FingerprintKey(..)")
    }
}

impl FingerprintKey {
    /// A key from two random words.
    pub fn new(a: u64, b: u64) -> FingerprintKey {
        FingerprintKey(a, b)
    }

    /// The fingerprint of `text` under this key (SipHash-2-4, 64 bits).
    pub fn of(&self, text: &str) -> Fingerprint {
        let mut hasher = siphasher::sip::SipHasher24::new_with_keys(self.0, self.1);
        hasher.write(text.as_bytes());
        Fingerprint(hasher.finish())
    }
}

/// Stands for a token: equal tokens have equal fingerprints within one run, and nothing leads back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl std::fmt::Display for Fingerprint {
    /// Four hexadecimal digits between single guillemets, as the reports show it: `‹3c07›`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "‹{:04x}›", self.0 >> 48)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_be_printed() {
        let token = Token::new("very-secret");
        assert_eq!(format!("{token:?}"), "Token(11 bytes)");
    }

    #[test]
    fn a_token_is_replaced_for_its_holder_alone() {
        let mut token = Token::new("first");
        let other = token.clone();
        token.replace("second");
        assert_eq!((token.expose(), other.expose()), ("second", "first"));
        drop(other);
        token.replace("third");
        assert_eq!(token.expose(), "third");
    }

    #[test]
    fn fingerprints_depend_on_token_and_key() {
        let (one, two) = (FingerprintKey::new(1, 2), FingerprintKey::new(3, 4));
        assert_eq!(one.of("a"), one.of("a"));
        assert_ne!(one.of("a"), one.of("b"));
        assert_ne!(one.of("a"), two.of("a"));
        assert_eq!(one.of("a").to_string().chars().count(), 6);
    }
}
