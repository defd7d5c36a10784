//! How tokens look: as the mint makes them, opaque, or very long. What they mean does not change.

use std::borrow::Cow;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// Bytes that a long token begins with: 4000 characters.
const FILLER: usize = 3000;

/// Bytes at the beginning of an opaque token, from which the rest is read.
const NONCE: usize = 16;

/// The look of a mint's tokens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dress {
    /// Access tokens are no JWT that anybody could read.
    pub opaque: bool,
    /// Refresh tokens are four thousand characters long.
    pub long: bool,
}

impl Dress {
    /// A refresh token as it is shown.
    pub fn refresh(self, token: String, key: &hmac::Key) -> String {
        if self.long { filler(&token, key) + &token } else { token }
    }

    /// The refresh token behind a shown one; all of it must be right.
    pub fn bare_refresh<'a>(self, shown: &'a str, key: &hmac::Key) -> Option<&'a str> {
        if !self.long {
            return Some(shown);
        }
        let (before, token) = shown.split_at_checked(FILLER / 3 * 4)?;
        (before == filler(token, key)).then_some(token)
    }

    /// An access token as it is shown: its bytes under a pad that begins with a nonce.
    pub fn access(self, token: String, key: &hmac::Key) -> String {
        if !self.opaque {
            return token;
        }
        let nonce = hmac::sign(key, token.as_bytes()).as_ref()[..NONCE].to_vec();
        let pad = pad(&nonce, key, token.len());
        let hidden = token.bytes().zip(pad).map(|(byte, pad)| byte ^ pad);
        URL_SAFE_NO_PAD.encode(nonce.iter().copied().chain(hidden).collect::<Vec<u8>>())
    }

    /// The access token behind a shown one.
    pub fn bare_access<'a>(self, shown: &'a str, key: &hmac::Key) -> Option<Cow<'a, str>> {
        if !self.opaque {
            return Some(Cow::Borrowed(shown));
        }
        let bytes = URL_SAFE_NO_PAD.decode(shown).ok()?;
        let (nonce, hidden) = bytes.split_at_checked(NONCE)?;
        let pad = pad(nonce, key, hidden.len());
        let token = String::from_utf8(hidden.iter().zip(pad).map(|(byte, pad)| byte ^ pad).collect()).ok()?;
        if hmac::sign(key, token.as_bytes()).as_ref()[..NONCE] != *nonce {
            return None;
        }
        Some(Cow::Owned(token))
    }
}

/// What makes a token long: random to look at, and the same for the same token.
fn filler(token: &str, key: &hmac::Key) -> String {
    STANDARD.encode(pad(token.as_bytes(), key, FILLER))
}

fn pad(of: &[u8], key: &hmac::Key, length: usize) -> Vec<u8> {
    let seed = hmac::sign(key, &[b"pad", of].concat());
    let seed = seed.as_ref()[..32].try_into().expect("SHA-256 has 32 bytes");
    let mut bytes = vec![0; length];
    ChaCha8Rng::from_seed(seed).fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dressed_token_is_read_back_and_one_changed_character_spoils_it() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"k");
        for (opaque, long) in [(true, false), (false, true), (true, true)] {
            let dress = Dress { opaque, long };
            let access = dress.access("a.b.c".to_owned(), &key);
            assert_eq!(dress.bare_access(&access, &key).as_deref(), Some("a.b.c"));
            let refresh = dress.refresh("token=".to_owned(), &key);
            assert_eq!(dress.bare_refresh(&refresh, &key), Some("token="));
            if opaque {
                assert!(!access.contains('.'));
                assert_eq!(dress.bare_access(&access[..access.len() - 2], &key), None);
            }
            if long {
                assert!(refresh.len() > 4000);
                let spoilt =
                    refresh.replacen(&refresh[..1], if refresh.starts_with('A') { "B" } else { "A" }, 1);
                assert_eq!(dress.bare_refresh(&spoilt, &key), None);
            }
        }
    }
}
