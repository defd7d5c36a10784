//! What no report may hold: every token that the chains of a run held, as a fingerprint of its end.
//!
//! A token is known by its last sixteen bytes, which are random where its first ones may be a header that all
//! share. Texts are searched as they stand and with percent signs, escapes and base64 taken off, so one number a
//! token is enough for all its writings. Memory is bounded; what came beyond the bound is counted.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::dialect::Dialect;
use crate::secret::Token;
use crate::secret::spelling::Spelling;
use crate::suite::call::Operation;
use crate::suite::claim::Field;

use super::Called;

/// So much of a token's end is known. Shorter tokens cannot be told from chance.
const WINDOW: usize = 16;

/// Fewer different signs than this at its end are no secret: `sample-text-0000`.
const SIGNS_MIN: u32 = 6;

/// So many tokens are kept, in 8 MB.
const KEPT_MAX: usize = 1 << 20;

/// So many are noted under load before they are handed in.
const NOTED_AT_ONCE: usize = 1024;

/// Bits of the sieve that most windows fall through.
const SIEVE_BITS: usize = 1 << 20;

/// Runs of base64 shorter than this hold no whole token.
const RUN_MIN: usize = 24;

/// Every token of a run.
#[derive(Debug, Default)]
pub struct Held {
    kept: Mutex<Kept>,
}

/// The ends of tokens, hashed.
#[derive(Default)]
struct Kept {
    ends: Vec<u64>,
    /// So many of them are in order, each once, and in the sieve. Noting is frequent, and searching is rare.
    ordered: usize,
    sieve: Vec<u64>,
    full: bool,
    beyond: u64,
}

/// What one worker has noted and not handed in yet.
pub struct Notes {
    held: Arc<Held>,
    ends: Vec<u64>,
}

impl std::fmt::Debug for Notes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Notes({} tokens)", self.ends.len())
    }
}

impl Notes {
    /// Nothing noted, for `held`.
    pub fn new(held: Arc<Held>) -> Notes {
        Notes { held, ends: Vec::with_capacity(NOTED_AT_ONCE) }
    }

    /// Notes a token that a chain holds from now on; of its beginning so much is `known` to be signs.
    pub fn note(&mut self, token: &str, known: usize) {
        let Some(end) = end_of(token, known) else { return };
        self.ends.push(end);
        if self.ends.len() >= NOTED_AT_ONCE {
            self.hand_in();
        }
    }

    /// Hands in what was noted.
    pub fn hand_in(&mut self) {
        if !self.ends.is_empty() {
            let mut kept = self.held.lock();
            self.ends.drain(..).for_each(|end| kept.add(end));
        }
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        self.hand_in();
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({} tokens)", self.ends.len())
    }
}

impl Held {
    /// Notes a token that a chain holds from now on.
    pub fn note(&self, token: &Token) {
        let Some(end) = end_of(token.expose(), 0) else { return };
        self.lock().add(end);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes every token that an answer brings.
    pub(super) fn hear(&self, dialect: &Dialect, operation: Operation, called: &Called) {
        let Some(reply) = &called.reply else { return };
        for field in Field::ALL.iter().map(|(field, _)| *field).filter(|field| field.is_token()) {
            if let Some(token) = reply.token(dialect, operation, field) {
                self.note(&token);
            }
        }
    }

    /// How many tokens are known.
    pub fn count(&self) -> u64 {
        let mut kept = self.lock();
        kept.put_in_order();
        kept.ends.len() as u64
    }

    /// How many came when there was no room left.
    pub fn beyond(&self) -> u64 {
        self.lock().beyond
    }

    /// Where tokens stand in `text` as they are, each from its first sign to its last.
    pub fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut kept = self.lock();
        kept.put_in_order();
        let bytes = text.as_bytes();
        let mut spans: Vec<Range<usize>> = Vec::new();
        for at in kept.found(bytes) {
            let end = at + WINDOW;
            let before = bytes[..at].iter().rposition(|byte| !is_sign(*byte)).map_or(0, |other| other + 1);
            // A sign of a token is one byte, so both ends are characters.
            match spans.last_mut() {
                Some(last) if last.end >= before => last.end = end,
                _ => spans.push(before..end),
            }
        }
        spans
    }

    /// Whether a token stands in `text` in any usual writing.
    pub fn stands_in(&self, text: &str) -> bool {
        let mut kept = self.lock();
        kept.put_in_order();
        !kept.ends.is_empty() && writings(text).iter().any(|writing| kept.stands_in(writing.as_bytes()))
    }
}

impl Kept {
    fn add(&mut self, end: u64) {
        if self.full {
            self.beyond += u64::from(self.ends.binary_search(&end).is_err());
            return;
        }
        self.ends.push(end);
        if self.ends.len() == KEPT_MAX {
            self.put_in_order();
            // What was noted more than once made room, perhaps too little to go on with.
            self.full = self.ends.len() > KEPT_MAX / 16 * 15;
        }
    }

    fn put_in_order(&mut self) {
        if self.ordered == self.ends.len() {
            return;
        }
        if self.sieve.is_empty() {
            self.sieve = vec![0; SIEVE_BITS / 64];
        }
        for end in &self.ends[self.ordered..] {
            let (word, bit) = place_in_sieve(*end);
            self.sieve[word] |= bit;
        }
        self.ends.sort_unstable();
        self.ends.dedup();
        self.ordered = self.ends.len();
    }

    /// Where the ends of tokens begin.
    fn found<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = usize> + use<'a> {
        let windows = if self.ends.is_empty() { &[][..] } else { bytes }.windows(WINDOW);
        windows.enumerate().filter(|(_, window)| self.knows(window)).map(|(at, _)| at)
    }

    fn knows(&self, window: &[u8]) -> bool {
        let end = hash(window);
        let (word, bit) = place_in_sieve(end);
        self.sieve[word] & bit != 0 && self.ends.binary_search(&end).is_ok()
    }

    fn stands_in(&self, bytes: &[u8]) -> bool {
        self.found(bytes).next().is_some() || base64_runs(bytes).any(|run| self.stands_in_base64(run))
    }

    /// A run may begin in the middle of a quartet.
    fn stands_in_base64(&self, run: &[u8]) -> bool {
        (0..4).any(|skip| self.found(&from_base64(&run[skip..])).next().is_some())
    }
}

/// The fingerprint of a token's end; nothing for a text that is no secret by its looks. It is `known` already that it
/// begins with so many signs.
fn end_of(token: &str, known: usize) -> Option<u64> {
    let bytes = token.as_bytes();
    let end = bytes.get(bytes.len().checked_sub(WINDOW)?..)?;
    let signs = end.iter().fold(0_u128, |signs, byte| signs | 1 << (byte & 127));
    (signs.count_ones() >= SIGNS_MIN && is_of_signs(&bytes[known..])).then(|| hash(end))
}

/// What tokens are made of (RFC 6750 section 2.1, and what servers take besides).
fn is_sign(byte: u8) -> bool {
    // Without a branch, so that many bytes are looked at together.
    let within = |first: u8, last: u8| byte.wrapping_sub(first) <= last - first;
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let other = b"=_!$|~".iter().fold(0, |any, sign| any | u8::from(byte == *sign)) != 0;
    // `-./0123456789:` and `*+`
    letter | within(b'-', b':') | within(b'*', b'+') | other
}

/// Whether all of it is what tokens are made of.
pub(super) fn is_of_signs(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_sign(*byte))
}

/// Mixes sixteen bytes into one number.
fn hash(window: &[u8]) -> u64 {
    let half = |part: &[u8]| u64::from_le_bytes(part.try_into().expect("it is half a window"));
    let (a, b) = window.split_at(WINDOW / 2);
    let mixed = (half(a) ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ mixed >> 32 ^ half(b)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ mixed >> 29
}

fn place_in_sieve(end: u64) -> (usize, u64) {
    let place = usize::try_from(end % SIEVE_BITS as u64).expect("the sieve is small");
    (place / 64, 1 << (place % 64))
}

// -------------------------------------------------------------------------------------------------- writings

/// The text, and what it says without percent signs, without escapes, without entities, and without all three.
fn writings(text: &str) -> Vec<Cow<'_, str>> {
    let mut writings = vec![Cow::Borrowed(text)];
    let mut whole = Cow::Borrowed(text);
    for spelling in Spelling::ALL {
        if text.contains(spelling.mark()) {
            writings.push(Cow::Owned(spelling.read(text)));
        }
        if whole.contains(spelling.mark()) {
            whole = Cow::Owned(spelling.read(&whole));
        }
    }
    writings.push(whole);
    writings
}

fn base64_runs(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    bytes.split(move |byte| !is_base64(byte)).filter(|run| run.len() >= RUN_MIN)
}

/// The bytes of whole quartets, in either alphabet.
fn from_base64(run: &[u8]) -> Vec<u8> {
    let value = |byte: u8| {
        u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        })
    };
    let mut bytes = Vec::with_capacity(run.len() / 4 * 3);
    for part in run.chunks(4).filter(|part| part.len() > 1) {
        let bits = part.iter().fold(0, |bits, byte| bits << 6 | value(*byte)) << (6 * (4 - part.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..part.len()]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "rt.7Qx/vB2+9mZk4TzL0pWc8sYd==";

    fn held() -> Held {
        let held = Held::default();
        held.note(&Token::new(TOKEN));
        held
    }

    #[test]
    fn a_token_is_found_in_every_usual_writing() {
        let held = held();
        let percent = TOKEN.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        let escaped = TOKEN.chars().map(|c| format!("\\u{:04X}", c as u32)).collect::<Vec<_>>().concat();
        let entities = TOKEN.chars().map(|c| format!("&#{};", c as u32)).collect::<Vec<_>>().concat();
        let form: String = url::form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect();
        for writing in [TOKEN, &percent, &escaped, &entities, &form, &TOKEN.replace('/', "\\/")] {
            assert!(held.stands_in(&format!("before {writing} after")), "{writing}");
        }
        for before in ["", "x", "xy", "xyz", "{\"refresh\":\""] {
            let text = format!("{before}{TOKEN}\"}}");
            for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                assert!(held.stands_in(&format!("({encoded})")), "base64 behind `{before}`");
                assert!(held.stands_in(&format!("path/{encoded}")), "base64 behind signs of base64");
            }
        }
        assert!(!held.stands_in(&TOKEN.to_lowercase()));
        assert!(!held.stands_in("nothing of the kind"));
    }

    #[test]
    fn what_is_no_secret_by_its_looks_is_not_searched_for() {
        let held = Held::default();
        for text in ["sample string 4 of the page", "short", "aaaaaaaaaaaaaaaaaaaaaaaa", ""] {
            held.note(&Token::new(text));
        }
        assert_eq!(held.count(), 0);
        assert!(!held.stands_in("sample string 4 of the page"));
    }

    #[test]
    fn signs_are_those_of_tokens() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~+/=:|!$*".contains(&byte);
            assert_eq!(is_sign(byte), expected, "{byte:#x}");
        }
    }

    #[test]
    fn what_a_worker_noted_is_handed_in_at_the_latest_when_it_goes() {
        let held = Arc::new(Held::default());
        let mut notes = Notes::new(Arc::clone(&held));
        notes.note(TOKEN, 3);
        assert!(!held.stands_in(TOKEN));
        notes.hand_in();
        notes.note(TOKEN, 0);
        notes.note("another.token-of+the/same_kind=", 0);
        drop(notes);
        assert!(held.stands_in(TOKEN));
        assert_eq!((held.count(), held.beyond()), (2, 0));
    }

    #[test]
    fn what_comes_beyond_the_room_is_counted_and_what_comes_twice_is_not() {
        let mut kept = Kept::default();
        for end in 0..KEPT_MAX as u64 + 5 {
            kept.add(end);
            kept.add(7);
        }
        kept.put_in_order();
        assert!(kept.ends.len() <= KEPT_MAX && kept.ends.len() > KEPT_MAX / 16 * 15);
        assert_eq!(kept.ends.len() as u64 + kept.beyond, KEPT_MAX as u64 + 5);
    }

    #[test]
    fn a_span_is_the_whole_token_and_nothing_beside_it() {
        let held = held();
        let text = format!("a\"{TOKEN}\" and {TOKEN}x");
        let found: Vec<&str> = held.spans(&text).into_iter().map(|span| &text[span]).collect();
        assert_eq!(found, [TOKEN, TOKEN]);
    }

    proptest! {
        #[test]
        fn nothing_makes_the_search_panic(text in ".*|[%\\\\u&#;0-9a-fA-F]{0,80}") {
            let held = held();
            let _ = held.stands_in(&text);
            for span in held.spans(&text) {
                prop_assert!(text.get(span).is_some());
            }
        }
    }
}
