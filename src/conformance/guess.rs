//! Whether tokens are hard enough to guess: the estimate of many, and what is claimed of it.

use std::collections::HashMap;

use crate::results::TokenEntropy;
use crate::secret::{Fingerprint, FingerprintKey, Token};
use crate::suite::claim::Field;

use super::entropy::{self, TOKENS_MIN};
use super::judge::Judgement;
use super::together::Set;

/// What a figure may lie below what is asked: the last digit of an estimate is noise.
const TOLERANCE: f64 = 0.5;

/// No more tokens of a run are remembered.
const REMEMBERED: usize = 500_000;

/// Every refresh token that was seen in a run, by its fingerprint, and who got it.
#[derive(Debug, Default)]
pub(super) struct Issued {
    owners: HashMap<Fingerprint, String>,
    shared: u64,
}

impl Issued {
    /// Notes that `identity` was given `token`.
    pub fn note(&mut self, key: FingerprintKey, token: &Token, identity: &str) {
        if self.owners.len() >= REMEMBERED {
            return;
        }
        let owner = self.owners.entry(key.of(token.expose())).or_insert_with(|| identity.to_owned());
        self.shared += u64::from(owner != identity);
    }

    /// How many were seen, and how many were given to two callers.
    pub fn figures(&self) -> (u64, u64) {
        (self.owners.len() as u64, self.shared)
    }
}

/// The estimate for the tokens at `of` in a set.
pub(super) fn look(set: &Set<'_>, of: Field) -> TokenEntropy {
    let tokens: Vec<Token> = set
        .members
        .iter()
        .filter_map(|taken| taken.reply.as_ref()?.token(set.dialect, taken.operation, of))
        .collect();
    let texts: Vec<&str> = tokens.iter().map(Token::expose).collect();
    let now = set.members.last().map_or(0, |taken| taken.now.as_second());
    TokenEntropy { field: of.word().to_owned(), ..entropy::estimate(&texts, now) }
}

/// Whether an estimate has the bits that are asked for.
pub(super) fn judge(found: &TokenEntropy, bits: u32) -> Judgement {
    let wanted = f64::from(bits);
    if found.shared > 0 {
        return Judgement::fails(
            format!("no {} token issued to two callers", found.field),
            format!("{} of {} were", found.shared, found.seen),
        );
    }
    if found.distinct < 2 {
        return Judgement::Untold(format!("the endpoint gave no two {} tokens", found.field));
    }
    if found.bits < wanted - TOLERANCE {
        let expected = format!("{bits} bits that cannot be guessed in the {} token", found.field);
        let lacking = format!("about {:.0} bits: {}", found.bits, found.why);
        return match found.form.as_str() {
            "GUID version 4" => Judgement::fails(expected, lacking).meaning(
                "a random GUID is six bits short of what RFC 6749 section 10.10 asks of a token that stands \
                 for a login",
            ),
            _ => Judgement::fails(expected, lacking),
        };
    }
    if found.distinct < TOKENS_MIN as u64 && !found.form.starts_with("JWT") {
        return Judgement::Untold(format!(
            "only {} different {} tokens were seen, and it takes {TOKENS_MIN}",
            found.distinct, found.field
        ));
    }
    Judgement::Holds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bits: f64, distinct: u64) -> TokenEntropy {
        let why = "22 characters of base64url hold no more".to_owned();
        TokenEntropy {
            field: "refresh".to_owned(),
            bits,
            why,
            distinct,
            tokens: distinct,
            ..TokenEntropy::default()
        }
    }

    #[test]
    fn what_lacks_bits_fails_with_its_reason_however_few_were_seen() {
        assert_eq!(judge(&found(127.9, 1000), 128), Judgement::Holds);
        let Judgement::Fails(miss) = judge(&found(64.0, 3), 128) else { panic!("it lacks bits") };
        assert_eq!(miss.found, "about 64 bits: 22 characters of base64url hold no more");
    }

    #[test]
    fn few_tokens_prove_nothing_good_and_one_proves_nothing() {
        assert!(matches!(judge(&found(256.0, 30), 128), Judgement::Untold(_)));
        assert!(matches!(judge(&found(0.0, 1), 128), Judgement::Untold(_)));
    }

    #[test]
    fn a_token_that_two_callers_hold_is_seen() {
        let key = FingerprintKey::new(7, 1);
        let mut issued = Issued::default();
        for (token, identity) in [("a", "kerala"), ("a", "kerala"), ("b", "goa"), ("a", "goa")] {
            issued.note(key, &Token::new(token), identity);
        }
        assert_eq!(issued.figures(), (2, 1));
    }
}
