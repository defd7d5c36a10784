//! The ledger: every issued token's fingerprint, so that a token issued twice, or to another chain, is found.
//!
//! A *duplicate* is a token that was issued in two grants, access or refresh, whoever got it; a refresh token
//! handed back to the chain that presented it is none, because servers that do not rotate do just that. A
//! *stranger* is a token whose claims name another owner than the chain's, or that another chain was given
//! before. Memory is a fixed budget: beyond it the ledger keeps a sample by a threshold on the fingerprint, so
//! that all workers keep the same tokens and a token issued twice is either found or not in the sample.

use crate::results::LedgerResult;
use crate::secret::{Fingerprint, FingerprintKey};

/// Bytes that all ledgers of a load may use together.
pub const BUDGET_BYTES: u64 = 128 * 1024 * 1024;

/// Shards of one ledger: growing one of them pauses its worker for a fraction of a millisecond.
const SHARDS: usize = 64;
/// Bytes of one entry: fingerprint and owner.
const ENTRY_BYTES: u64 = 12;
/// Slots of a fresh shard.
const SLOTS_MIN: usize = 64;
/// The strongest sampling: one token in 65,536.
const LEVEL_MAX: u8 = 16;
/// Tokens that are entered together: the memory that each of them needs is asked for before the first is entered, so
/// that they wait for it together.
const TOGETHER: usize = 128;
/// Examples that are kept.
const EXAMPLES: usize = 5;

/// What one grant issued.
#[derive(Clone, Copy, Default)]
pub struct Issued<'a> {
    /// The access token.
    pub access: Option<&'a str>,
    /// The refresh token, unless it is the one that was presented.
    pub refresh: Option<&'a str>,
    /// Whether the claims of the access token name another owner.
    pub stranger: bool,
}

impl std::fmt::Debug for Issued<'_> {
    /// Which tokens there are, never what they are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued({}, {}, {})", self.access.is_some(), self.refresh.is_some(), self.stranger)
    }
}

/// The tokens that one worker was issued.
#[derive(Debug)]
pub struct Ledger {
    key: FingerprintKey,
    shards: Vec<Shard>,
    /// Fingerprints and owners that are not entered yet.
    pending: Vec<(u64, u32)>,
    slots_max: usize,
    level: u8,
    tokens: u64,
    duplicates: u64,
    strangers: u64,
    examples: Vec<Fingerprint>,
}

/// An open-addressing table.
#[derive(Debug)]
struct Shard {
    slots: Vec<Slot>,
    used: usize,
    level: u8,
}

/// A fingerprint in two halves, and the owner beside it. A fingerprint of zero is a free slot; a fresh table of plain
/// zeros takes no memory before it is used.
type Slot = [u32; 3];

fn slot_of(key: u64, owner: u32) -> Slot {
    [low_half(key), low_half(key >> 32), owner]
}

fn key_in(slot: Slot) -> u64 {
    u64::from(slot[1]) << 32 | u64::from(slot[0])
}

#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
fn low_half(word: u64) -> u32 {
    word as u32
}

impl Ledger {
    /// An empty ledger that may use `budget_bytes`.
    pub fn new(key: FingerprintKey, budget_bytes: u64) -> Ledger {
        let slots = budget_bytes / (SHARDS as u64 * ENTRY_BYTES);
        // The largest power of two within the budget.
        let slots_max = 1_usize << slots.max(1).ilog2();
        Ledger {
            key,
            shards: (0..SHARDS).map(|_| Shard::new(SLOTS_MIN.min(slots_max), 0)).collect(),
            pending: Vec::with_capacity(TOGETHER),
            slots_max,
            level: 0,
            tokens: 0,
            duplicates: 0,
            strangers: 0,
            examples: Vec::new(),
        }
    }

    /// Enters what a grant issued to the chain `owner`.
    pub fn enter(&mut self, owner: u32, issued: Issued<'_>) {
        if issued.stranger {
            self.strangers += 1;
            let shown = issued.access.map(|token| self.key.of(token));
            self.show(shown);
        }
        for token in [issued.access, issued.refresh].into_iter().flatten() {
            self.tokens += 1;
            self.pending.push((self.key.of(token).0.max(1), owner));
        }
        if self.pending.len() + 2 > TOGETHER {
            self.settle();
        }
    }

    /// Enters what is pending, and looks whether it was there already.
    pub fn settle(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        let slots = pending.iter().map(|(key, _)| self.shards[shard_of(*key)].first_slot(*key));
        std::hint::black_box(slots.fold(0, |all, slot| all ^ slot[0]));
        for (key, owner) in pending.drain(..) {
            self.enter_fingerprint(owner, key);
        }
        self.pending = pending;
    }

    fn enter_fingerprint(&mut self, owner: u32, key: u64) {
        if !is_kept(key, self.level) {
            return;
        }
        if let Some(first) = self.make_room(key).insert(key, owner) {
            self.duplicates += 1;
            self.strangers += u64::from(first != owner);
            self.show(Some(Fingerprint(key)));
        }
    }

    /// The shard of `key`, with room for one more: grown, or thinned where the budget ends.
    fn make_room(&mut self, key: u64) -> &mut Shard {
        let shard = &mut self.shards[shard_of(key)];
        if shard.level < self.level {
            *shard = shard.rebuilt(shard.slots.len(), self.level);
        }
        if shard.is_full() {
            if shard.slots.len() < self.slots_max {
                *shard = shard.rebuilt((shard.slots.len() * 4).min(self.slots_max), self.level);
            } else {
                while self.level < LEVEL_MAX && shard.is_full() {
                    self.level += 1;
                    *shard = shard.rebuilt(shard.slots.len(), self.level);
                }
            }
        }
        shard
    }

    /// Duplicates and strangers so far.
    pub fn found(&self) -> u64 {
        self.duplicates + self.strangers
    }

    fn show(&mut self, fingerprint: Option<Fingerprint>) {
        if let Some(fingerprint) = fingerprint
            && self.examples.len() < EXAMPLES
            && !self.examples.contains(&fingerprint)
        {
            self.examples.push(fingerprint);
        }
    }
}

/// What the ledgers of all workers found, together; `budget_bytes` is what they were given in all.
pub fn close(ledgers: &mut [Ledger], budget_bytes: u64) -> LedgerResult {
    ledgers.iter_mut().for_each(Ledger::settle);
    let level = ledgers.iter().map(|ledger| ledger.level).max().unwrap_or(0);
    let mut examples: Vec<Fingerprint> =
        ledgers.iter().flat_map(|ledger| ledger.examples.iter().copied()).collect();
    let mut found = LedgerResult {
        tokens: ledgers.iter().map(|ledger| ledger.tokens).sum(),
        duplicates: ledgers.iter().map(|ledger| ledger.duplicates).sum(),
        strangers: ledgers.iter().map(|ledger| ledger.strangers).sum(),
        kept: 0.5_f64.powi(i32::from(level)),
        budget_bytes,
        examples: Vec::new(),
    };
    if ledgers.len() > 1 {
        for shard in 0..SHARDS {
            let shared = shared_keys(ledgers, shard, level);
            // Chains never change their worker, so what two workers hold was issued to two chains.
            found.duplicates += shared.len() as u64;
            found.strangers += shared.len() as u64;
            examples.extend(shared.into_iter().map(Fingerprint).take(EXAMPLES));
        }
    }
    examples.dedup();
    found.examples = examples.iter().take(EXAMPLES).map(ToString::to_string).collect();
    found
}

/// The fingerprints that several workers hold in this shard, once for each further worker.
fn shared_keys(ledgers: &[Ledger], shard: usize, level: u8) -> Vec<u64> {
    let mut keys: Vec<u64> = ledgers
        .iter()
        .flat_map(|ledger| ledger.shards[shard].slots.iter().map(|slot| key_in(*slot)))
        .filter(|key| *key != 0 && is_kept(*key, level))
        .collect();
    keys.sort_unstable();
    keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect()
}

/// Whether the sample at `level` keeps this fingerprint: one in 2^level, the same ones everywhere.
fn is_kept(key: u64, level: u8) -> bool {
    key.trailing_zeros() >= u32::from(level)
}

/// The shard of a fingerprint.
fn shard_of(key: u64) -> usize {
    (key >> 58) as usize
}

impl Shard {
    fn new(slots: usize, level: u8) -> Shard {
        Shard { slots: vec![[0; 3]; slots], used: 0, level }
    }

    fn is_full(&self) -> bool {
        (self.used + 1) * 4 > self.slots.len() * 3
    }

    /// Where the search for a fingerprint begins.
    fn first_slot(&self, key: u64) -> Slot {
        self.slots[(key >> 20) as usize & (self.slots.len() - 1)]
    }

    /// Puts `key` in; the first owner if it was there already. In a full table, which only the strongest
    /// sampling leaves, nothing more is kept.
    fn insert(&mut self, key: u64, owner: u32) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = (key >> 20) as usize & mask;
        while key_in(self.slots[at]) != 0 {
            if key_in(self.slots[at]) == key {
                return Some(self.slots[at][2]);
            }
            at = (at + 1) & mask;
        }
        if !self.is_full() {
            self.slots[at] = slot_of(key, owner);
            self.used += 1;
        }
        None
    }

    /// The same entries in a table of `slots`, without those that the sample at `level` leaves out.
    fn rebuilt(&self, slots: usize, level: u8) -> Shard {
        let mut shard = Shard::new(slots, level);
        for slot in &self.slots {
            let key = key_in(*slot);
            if key != 0 && is_kept(key, level) {
                shard.insert(key, slot[2]);
            }
        }
        shard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: (u64, u64) = (11, 23);

    fn ledger(budget_bytes: u64) -> Ledger {
        Ledger::new(FingerprintKey::new(KEY.0, KEY.1), budget_bytes)
    }

    fn issued<'a>(access: &'a str, refresh: Option<&'a str>) -> Issued<'a> {
        Issued { access: Some(access), refresh, stranger: false }
    }

    #[test]
    fn fresh_tokens_are_no_duplicates() {
        let mut book = ledger(1 << 20);
        for n in 0..10_000 {
            book.enter(n % 7, issued(&format!("a{n}"), Some(&format!("r{n}"))));
        }
        let found = close(&mut [book], 1 << 20);
        assert_eq!((found.tokens, found.duplicates, found.strangers), (20_000, 0, 0));
        assert!((found.kept - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_token_issued_twice_is_found_and_shown() {
        let mut book = ledger(1 << 20);
        book.enter(1, issued("a1", Some("r1")));
        book.enter(1, issued("a2", Some("r1")));
        book.enter(2, issued("a1", Some("r2")));
        let found = close(&mut [book], 1 << 20);
        assert_eq!((found.tokens, found.duplicates, found.strangers), (6, 2, 1));
        assert_eq!(found.examples.len(), 2);
    }

    #[test]
    fn claims_of_another_owner_make_a_stranger() {
        let mut book = ledger(1 << 20);
        book.enter(1, Issued { stranger: true, ..issued("a1", None) });
        let found = close(&mut [book], 1 << 20);
        assert_eq!((found.duplicates, found.strangers, found.examples.len()), (0, 1, 1));
    }

    #[test]
    fn a_token_issued_by_way_of_two_workers_is_found_at_the_end() {
        let (mut one, mut two) = (ledger(1 << 20), ledger(1 << 20));
        one.enter(1, issued("a1", Some("r1")));
        two.enter(2, issued("a2", Some("r1")));
        let found = close(&mut [one, two], 2 << 20);
        assert_eq!((found.tokens, found.duplicates, found.strangers), (4, 1, 1));
    }

    #[test]
    fn beyond_its_budget_it_keeps_the_same_sample_everywhere() {
        let budget = SHARDS as u64 * ENTRY_BYTES * 64;
        let (mut one, mut two) = (ledger(budget), ledger(budget));
        for n in 0..20_000 {
            one.enter(1, issued(&format!("a{n}"), None));
            two.enter(2, issued(&format!("a{n}"), None));
        }
        let slots: usize = one.shards.iter().map(|shard| shard.slots.len()).sum();
        assert!(slots as u64 * ENTRY_BYTES <= budget);
        let found = close(&mut [one, two], budget * 2);
        assert!(found.kept < 0.5, "{}", found.kept);
        let expected = 20_000.0 * found.kept;
        let duplicates = found.duplicates as f64;
        assert!((duplicates - expected).abs() < expected * 0.5, "{duplicates} of about {expected}");
    }

    #[test]
    fn a_tiny_budget_neither_hangs_nor_grows() {
        let mut book = ledger(1);
        for n in 0..1_000 {
            book.enter(1, issued(&format!("a{n}"), None));
        }
        assert_eq!(close(&mut [book], 1).tokens, 1_000);
    }
}
