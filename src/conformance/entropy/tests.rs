//! Sources good and bad, and what is said of them.

use base64::engine::general_purpose::STANDARD;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

const NOW: i64 = 1_790_000_000;

fn issued(count: u64, mut make: impl FnMut(u64, &mut ChaCha8Rng) -> String) -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    (0..count).map(|number| make(number, &mut rng)).collect()
}

fn estimate_of(tokens: &[String]) -> TokenEntropy {
    estimate(&tokens.iter().map(String::as_str).collect::<Vec<_>>(), NOW)
}

fn random<const N: usize>(rng: &mut ChaCha8Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(b"0123456789abcdef"[usize::from(half)]))
        .collect()
}

#[track_caller]
fn between(found: &TokenEntropy, least: f64, most: f64) {
    assert!((least..=most).contains(&found.bits), "{} bits: {} {:?}", found.bits, found.why, found.bounds);
}

/// The alphabet of a ULID.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A source of tokens.
type Maker = fn(&mut ChaCha8Rng) -> String;

#[test]
fn good_sources_have_all_the_bits_of_their_length() {
    let makers: [(f64, Maker); 6] = [
        (128.0, |rng| hex(&random::<16>(rng))),
        (128.0, |rng| URL_SAFE_NO_PAD.encode(random::<16>(rng))),
        (160.0, |rng| STANDARD.encode(random::<20>(rng))),
        (256.0, |rng| STANDARD.encode(random::<32>(rng))),
        (256.0, |rng| format!("rt_{}", hex(&random::<32>(rng)))),
        (2048.0, |rng| STANDARD.encode(random::<256>(rng))),
    ];
    for (bits, make) in makers {
        let found = estimate_of(&issued(1000, |_, rng| make(rng)));
        between(&found, bits - 0.1, bits + 0.1);
    }
}

#[test]
fn letters_and_digits_are_worth_a_little_less_than_six_bits_each() {
    const ALL: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let make = |_, rng: &mut ChaCha8Rng| {
        (0..27).map(|_| char::from(ALL[rng.random_range(0..62)])).collect::<String>()
    };
    let found = estimate_of(&issued(1000, make));
    between(&found, 27.0 * 62_f64.log2() - 0.5, 27.0 * 62_f64.log2() + 0.1);
    assert_eq!(found.structure, Vec::<String>::new());
}

fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = bytes[6] & 0x0F | version << 4;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let text = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

#[test]
fn a_guid_of_version_4_has_122_bits_and_says_so() {
    let found = estimate_of(&issued(1000, |_, rng| uuid(random::<16>(rng), 4)));
    between(&found, 121.9, 122.1);
    assert_eq!(found.form, "GUID version 4");
    assert!(found.why.contains("a GUID of version 4 has 122 random bits"), "{}", found.why);
}

#[test]
fn a_guid_of_version_1_is_worth_next_to_nothing_in_text_and_in_base64() {
    let make = |number: u64| {
        let time = 0x1EF_0123_4567_89AB_u64 + number * 5_003;
        let mut bytes = [7; 16];
        bytes[..4].copy_from_slice(&time.to_be_bytes()[4..]);
        bytes[4..6].copy_from_slice(&time.to_be_bytes()[2..4]);
        bytes[6..8].copy_from_slice(&((time >> 48) as u16).to_be_bytes());
        bytes
    };
    let found = estimate_of(&issued(1000, |number, _| uuid(make(number), 1)));
    assert_eq!(found.form, "GUID version 1");
    between(&found, 0.0, 16.0);
    let found = estimate_of(&issued(1000, |number, _| {
        let mut bytes = make(number);
        bytes[6] = bytes[6] & 0x0F | 0x10;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        STANDARD.encode(bytes)
    }));
    assert_eq!(found.form, "GUID version 1");
    between(&found, 0.0, 16.0);
}

#[test]
fn a_guid_of_version_7_and_a_ulid_keep_their_random_part() {
    let found = estimate_of(&issued(1000, |number, rng| {
        let mut bytes = random::<16>(rng);
        bytes[..6].copy_from_slice(&(1_790_000_000_000 + number / 3).to_be_bytes()[2..]);
        uuid(bytes, 7)
    }));
    between(&found, 73.5, 74.5);
    assert!(
        found.structure.iter().any(|line| line.contains("the time in milliseconds")),
        "{:?}",
        found.structure
    );
    let found = estimate_of(&issued(1000, |number, rng| {
        let time = 1_790_000_000_000_u64 + number / 3;
        let mut text: String =
            (0..10).rev().map(|at| char::from(CROCKFORD[(time >> (at * 5) & 31) as usize])).collect();
        text.extend((0..16).map(|_| char::from(CROCKFORD[rng.random_range(0..32)])));
        text
    }));
    between(&found, 79.0, 81.0);
}

#[test]
fn counters_and_clocks_are_worth_nothing_wherever_they_stand() {
    let sequential = estimate_of(&issued(1000, |number, _| format!("RT{:012}", 4_711_000 + number)));
    between(&sequential, 0.0, 1.0);
    assert!(sequential.why.contains("grow from token to token"), "{}", sequential.why);
    let hidden = estimate_of(&issued(1000, |number, _| {
        let mut bytes = [0x5A; 32];
        bytes[12..20].copy_from_slice(&(9_000_000 + number).to_le_bytes());
        STANDARD.encode(bytes)
    }));
    between(&hidden, 0.0, 1.0);
    let ticks = estimate_of(&issued(1000, |number, rng| {
        let time = 621_355_968_000_000_000_u64 + 17_900_000_000_000_000 + number * 31_337;
        URL_SAFE_NO_PAD.encode([&time.to_be_bytes()[..], &random::<6>(rng)].concat())
    }));
    between(&ticks, 47.0, 49.0);
}

#[test]
fn short_and_biased_tokens_lack_bits() {
    between(&estimate_of(&issued(1000, |_, rng| URL_SAFE_NO_PAD.encode(random::<8>(rng)))), 63.0, 65.0);
    let biased = estimate_of(&issued(1000, |_, rng| {
        let (one, two) = (random::<16>(rng), random::<16>(rng));
        hex(&std::array::from_fn::<u8, 16, _>(|at| one[at] & two[at]))
    }));
    between(&biased, 95.0, 112.0);
    assert!(biased.why.contains("128 bits lean to one side"), "{}", biased.why);
}

#[test]
fn a_copy_a_checksum_and_a_weak_generator_add_nothing() {
    let doubled = estimate_of(&issued(1000, |_, rng| hex(&random::<10>(rng)).repeat(2)));
    between(&doubled, 79.0, 81.0);
    let shifted = estimate_of(&issued(1000, |number, _| {
        let mut state = 1_790_000_000_000_u64 + number;
        let mut bytes = Vec::new();
        for _ in 0..4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_be_bytes());
        }
        STANDARD.encode(bytes)
    }));
    between(&shifted, 0.0, 20.0);
    let java = estimate_of(&issued(1000, |number, _| {
        let mut state = ((1_790_000_000_000 + number) ^ 0x5_DEEC_E66D) & ((1 << 48) - 1);
        let mut bytes = Vec::new();
        for _ in 0..8 {
            state = (state.wrapping_mul(0x5_DEEC_E66D) + 0xB) & ((1 << 48) - 1);
            bytes.extend_from_slice(&(state >> 16).to_le_bytes()[..4]);
        }
        STANDARD.encode(bytes)
    }));
    between(&java, 0.0, 0.1);
    assert!(java.why.contains("java.util.Random"), "{}", java.why);
}

#[test]
fn a_token_that_comes_again_is_counted_and_one_that_stays_is_not() {
    let again = estimate_of(&issued(1000, |number, _| {
        hex(&ChaCha8Rng::seed_from_u64(number % 300).next_u64().to_be_bytes().repeat(4))
    }));
    assert_eq!((again.tokens, again.distinct), (1000, 300));
    assert!(again.bounds.iter().any(|(name, _)| name == "repetitions"), "{:?}", again.bounds);
    let stays = estimate_of(&issued(1000, |number, _| format!("{:032x}", number / 500)));
    assert_eq!((stays.tokens, stays.distinct), (1000, 2));
    assert!(!stays.bounds.iter().any(|(name, _)| name == "repetitions"));
}

#[test]
fn a_signed_jwt_is_as_hard_to_guess_as_its_signature() {
    let jwt = |algorithm: &str, bytes: usize| {
        let head = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}"}}"#));
        issued(1000, move |number, rng| {
            let claims =
                URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"kerala","iat":{}}}"#, 1_790_000_000 + number));
            format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode(&random::<64>(rng)[..bytes]))
        })
    };
    let found = estimate_of(&jwt("HS256", 32));
    between(&found, 256.0, 256.0);
    assert_eq!(found.form, "JWT (HS256)");
    between(&estimate_of(&jwt("none", 0)), 0.0, 0.0);
}

#[test]
fn few_tokens_are_judged_by_their_length_alone() {
    let found = estimate_of(&issued(20, |number, _| format!("{number:032x}")));
    between(&found, 0.0, 128.0);
    assert_eq!(found.bounds.len(), 1);
}
