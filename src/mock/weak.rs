//! Refresh tokens that can be guessed: counters, clocks, weak generators. Kept in a table, because nothing of
//! what they mean stands in them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::suite::defect::Defect;

use super::clock::Moment;
use super::defects::Switches;
use super::tokens::{FamilyId, hex};

/// So many tokens are known; older ones are forgotten.
const KNOWN: usize = 100_000;

/// Makes tokens of one weak kind.
#[derive(Debug)]
pub struct Weak {
    kind: Defect,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    issued: u64,
    random: ChaCha8Rng,
    tokens: HashMap<(FamilyId, u32), String>,
    owners: HashMap<String, (FamilyId, u32)>,
    order: VecDeque<(FamilyId, u32)>,
}

impl Weak {
    /// The first weak kind that is switched on.
    pub fn of(switches: Switches, seed: u64) -> Option<Weak> {
        const KINDS: [Defect; 7] = [
            Defect::SequentialTokens,
            Defect::TimeSeededTokens,
            Defect::GuidV1Tokens,
            Defect::GuidV4Tokens,
            Defect::CounterInBase64,
            Defect::ShortTokens,
            Defect::BiasedTokens,
        ];
        let kind = KINDS.into_iter().find(|kind| switches.has(*kind))?;
        let table = Table {
            issued: 0,
            random: ChaCha8Rng::seed_from_u64(seed),
            tokens: HashMap::new(),
            owners: HashMap::new(),
            order: VecDeque::new(),
        };
        Some(Weak { kind, table: Mutex::new(table) })
    }

    /// The token of that serial in that family: made when it is first asked for.
    pub fn token(&self, family: FamilyId, serial: u32, now: Moment) -> String {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = table.tokens.get(&(family, serial)) {
            return known.clone();
        }
        let token = table.make(self.kind, now);
        table.owners.insert(token.clone(), (family, serial));
        table.tokens.insert((family, serial), token.clone());
        table.order.push_back((family, serial));
        if table.order.len() > KNOWN
            && let Some(oldest) = table.order.pop_front()
            && let Some(text) = table.tokens.remove(&oldest)
        {
            table.owners.remove(&text);
        }
        token
    }

    /// Whose token that is.
    pub fn read(&self, text: &str) -> Option<(FamilyId, u32)> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).owners.get(text).copied()
    }
}

impl Table {
    fn make(&mut self, kind: Defect, now: Moment) -> String {
        self.issued += 1;
        let number = self.issued;
        let mut random = [0; 16];
        self.random.fill_bytes(&mut random);
        match kind {
            Defect::TimeSeededTokens => {
                STANDARD.encode(seeded(u64::try_from(now.0).unwrap_or(0) * 16 + number))
            }
            Defect::GuidV1Tokens => guid(clocked(number, now), 1),
            Defect::GuidV4Tokens => guid(random, 4),
            Defect::CounterInBase64 => {
                let mut bytes = [0x5A; 32];
                bytes[12..20].copy_from_slice(&(4_711_000 + number).to_le_bytes());
                STANDARD.encode(bytes)
            }
            Defect::ShortTokens => URL_SAFE_NO_PAD.encode(&random[..8]),
            Defect::BiasedTokens => {
                let mut other = [0; 16];
                self.random.fill_bytes(&mut other);
                STANDARD.encode(std::array::from_fn::<u8, 16, _>(|at| random[at] & other[at]))
            }
            _ => format!("RT{:012}", 4_711_000 + number),
        }
    }
}

/// What `new java.util.Random(seed).nextBytes` gives.
fn seeded(seed: u64) -> Vec<u8> {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed ^ MULTIPLIER) & MASK;
    let mut bytes = Vec::with_capacity(32);
    while bytes.len() < 32 {
        state = (state.wrapping_mul(MULTIPLIER) + 0xB) & MASK;
        bytes.extend(u32::try_from(state >> 16).unwrap_or(0).to_le_bytes());
    }
    bytes
}

/// The bytes of a GUID that is a clock in steps of 100 ns and a machine's address.
fn clocked(number: u64, now: Moment) -> [u8; 16] {
    let time = 0x01B2_1DD2_1381_4000 + u64::try_from(now.0).unwrap_or(0) * 10_000 + number;
    let [.., h1, h0, m1, m0, l3, l2, l1, l0] = time.to_be_bytes();
    [l3, l2, l1, l0, m1, m0, h1, h0, 0x80, 0x17, 0x02, 0x42, 0xAC, 0x11, 0x00, 0x02]
}

fn guid(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = bytes[6] & 0x0F | version << 4;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let text = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

#[cfg(test)]
mod tests {
    use crate::suite::environment::MockSpec;

    use super::*;

    #[test]
    fn a_weak_token_is_known_stays_the_same_and_differs_from_every_other() {
        for kind in
            [Defect::SequentialTokens, Defect::TimeSeededTokens, Defect::GuidV1Tokens, Defect::ShortTokens]
        {
            let spec = MockSpec { defects: vec![kind], ..MockSpec::default() };
            let weak = Weak::of(Switches::of(&spec), 7).unwrap();
            let make = |serial| weak.token(FamilyId(1), serial, Moment(1_790_000_000_000));
            let tokens: Vec<String> = (0..500).map(make).collect();
            assert_eq!(tokens.iter().collect::<std::collections::HashSet<_>>().len(), 500, "{kind:?}");
            assert_eq!(make(41), tokens[41]);
            assert_eq!(weak.read(&tokens[41]), Some((FamilyId(1), 41)));
            assert_eq!(weak.read("RT"), None);
        }
    }
}
