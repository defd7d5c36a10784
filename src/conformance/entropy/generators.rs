//! Generators that anyone can run on: what a token shows of their state gives the rest of it away.

/// `java.util.Random`: 48 bits of state, of which each number shows 32.
const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
const MASK: u64 = (1 << 48) - 1;

/// So many tokens must all follow from their own beginning.
const TRIED: usize = 3;

/// Whether the tokens come from `java.util.Random`: the second number follows from the first and 16 hidden bits.
pub(super) fn is_java_random(tokens: &[Vec<u8>]) -> bool {
    let tried: Vec<&Vec<u8>> = tokens.iter().filter(|token| token.len() >= 8).take(TRIED).collect();
    tried.len() == TRIED
        && [true, false].iter().any(|little| tried.iter().all(|token| follows(token, *little)))
}

fn follows(token: &[u8], little: bool) -> bool {
    let word = |at: usize| {
        let bytes: [u8; 4] = token[at..at + 4].try_into().expect("four bytes");
        u64::from(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let words: Vec<u64> = (0..token.len() / 4).map(|at| word(at * 4)).collect();
    (0..1_u64 << 16).any(|hidden| {
        let mut state = words[0] << 16 | hidden;
        words[1..].iter().all(|word| {
            state = (state.wrapping_mul(MULTIPLIER) + INCREMENT) & MASK;
            state >> 16 == *word
        })
    })
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn java(seed: u64, length: usize) -> Vec<u8> {
        let mut state = (seed ^ MULTIPLIER) & MASK;
        let mut bytes = Vec::new();
        while bytes.len() < length {
            state = (state.wrapping_mul(MULTIPLIER) + INCREMENT) & MASK;
            bytes.extend_from_slice(&(state >> 16).to_le_bytes()[..4]);
        }
        bytes
    }

    #[test]
    fn the_first_number_of_the_reference_is_ours() {
        // new java.util.Random(42).nextInt() == -1170105035
        assert_eq!(i32::from_le_bytes(java(42, 4).try_into().unwrap()), -1_170_105_035);
    }

    #[test]
    fn its_tokens_are_known_and_random_ones_are_not() {
        let seeded: Vec<Vec<u8>> = (0..5).map(|number| java(1_700_000_000_000 + number, 16)).collect();
        assert!(is_java_random(&seeded));
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let random: Vec<Vec<u8>> = (0..5)
            .map(|_| {
                let mut token = vec![0; 16];
                rng.fill_bytes(&mut token);
                token
            })
            .collect();
        assert!(!is_java_random(&random));
    }
}
