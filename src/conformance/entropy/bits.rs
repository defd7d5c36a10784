//! Tests on the bits behind tokens: bias, memory from token to token, and bits that follow from others.

/// Beyond so many standard deviations nothing is chance, however many bits are looked at.
const SIGNIFICANT: f64 = 5.0;

/// More bits than this are not solved for dependence.
const RANK_MAX: usize = 1024;

/// A token's bits as one row.
#[derive(Clone, Debug)]
struct Row(Vec<u64>);

/// The bits of all tokens.
pub(super) struct Table {
    rows: Vec<Row>,
    /// Bits in a row.
    pub width: usize,
}

/// What each bit is worth.
pub(super) struct Worth {
    /// Bits that cannot be guessed, by place: 0 for a constant one.
    pub bits: Vec<f64>,
    /// How far the count of ones is from even, in standard deviations, by place.
    pub sigma: Vec<f64>,
    /// Places that are not constant and lean to one side.
    pub biased: usize,
    /// Places that follow the token before.
    pub remembered: usize,
}

impl Table {
    /// The bits of `tokens`, all of one length.
    pub fn of(tokens: &[Vec<u8>]) -> Table {
        let width = tokens.first().map_or(0, |token| token.len() * 8);
        let row = |token: &Vec<u8>| {
            let mut words = vec![0_u64; width.div_ceil(64)];
            for (at, byte) in token.iter().enumerate() {
                words[at / 8] |= u64::from(*byte) << (56 - at % 8 * 8);
            }
            Row(words)
        };
        Table { rows: tokens.iter().map(row).collect(), width }
    }

    /// What each bit is worth by itself and after the token before.
    pub fn worth(&self) -> Worth {
        let mut worth = Worth {
            bits: Vec::with_capacity(self.width),
            sigma: Vec::with_capacity(self.width),
            biased: 0,
            remembered: 0,
        };
        let count = self.rows.len() as f64;
        for place in 0..self.width {
            let ones = self.rows.iter().filter(|row| row.bit(place)).count() as f64;
            let flips =
                self.rows.windows(2).filter(|pair| pair[0].bit(place) != pair[1].bit(place)).count() as f64;
            let sigma = (ones - count / 2.0) / (count / 4.0).sqrt();
            let own = if sigma.abs() > SIGNIFICANT { entropy(ones / count) } else { 1.0 };
            let pairs = (count - 1.0).max(1.0);
            let turn = (flips - pairs / 2.0) / (pairs / 4.0).sqrt();
            let after = if turn.abs() > SIGNIFICANT { entropy(flips / pairs) } else { 1.0 };
            let is_constant = ones < 0.5 || ones > count - 0.5;
            worth.sigma.push(if is_constant { 0.0 } else { sigma });
            worth.bits.push(own.min(after));
            worth.biased += usize::from(!is_constant && own < 0.995);
            worth.remembered += usize::from(!is_constant && after + 0.05 < own);
        }
        worth
    }

    /// How many bits are free when every bit that is a sum of others is taken away: what a checksum, a copy or a
    /// shift register adds is nothing. `None` where too few tokens were seen to tell.
    pub fn rank(&self) -> Option<usize> {
        if self.width > RANK_MAX || self.rows.len() < self.width + 64 {
            return None;
        }
        let first = self.rows[0].clone();
        let mut basis: Vec<Option<Row>> = vec![None; self.width];
        let mut rank = 0;
        for row in &self.rows[1..] {
            let mut row = row.plus(&first);
            while let Some(lead) = row.lead() {
                if let Some(known) = &basis[lead] {
                    row = row.plus(known);
                } else {
                    basis[lead] = Some(row);
                    rank += 1;
                    break;
                }
            }
        }
        Some(rank)
    }
}

impl Row {
    fn bit(&self, place: usize) -> bool {
        self.0[place / 64] >> (63 - place % 64) & 1 == 1
    }

    fn plus(&self, other: &Row) -> Row {
        Row(self.0.iter().zip(&other.0).map(|(one, two)| one ^ two).collect())
    }

    fn lead(&self) -> Option<usize> {
        let word = self.0.iter().position(|word| *word != 0)?;
        Some(word * 64 + self.0[word].leading_zeros() as usize)
    }
}

/// Shannon's, of a coin that falls on one side with this probability.
fn entropy(share: f64) -> f64 {
    let part = |share: f64| if share <= 0.0 { 0.0 } else { -share * share.log2() };
    part(share) + part(1.0 - share)
}

/// What each character is worth by itself: all it can where its counts are even, else its measured entropy.
pub(super) fn characters(tokens: &[Vec<u8>]) -> Vec<f64> {
    let length = tokens.first().map_or(0, Vec::len);
    (0..length)
        .map(|place| {
            let mut counts = [0_u32; 256];
            for token in tokens {
                counts[usize::from(token[place])] += 1;
            }
            of_counts(&counts, tokens.len() as f64)
        })
        .collect()
}

fn of_counts(counts: &[u32; 256], total: f64) -> f64 {
    let seen: Vec<f64> = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count)).collect();
    let kinds = seen.len() as f64;
    if kinds <= 1.0 {
        return 0.0;
    }
    let even = total / kinds;
    let chi: f64 = seen.iter().map(|count| (count - even).powi(2) / even).sum();
    let freedom = kinds - 1.0;
    // Wilson and Hilferty: the cube root of chi-square over its freedom is nearly normal.
    let spread = (2.0 / (9.0 * freedom)).sqrt();
    let sigma = ((chi / freedom).cbrt() - (1.0 - 2.0 / (9.0 * freedom))) / spread;
    if sigma < SIGNIFICANT {
        return kinds.log2();
    }
    let measured: f64 = seen.iter().map(|count| -(count / total) * (count / total).log2()).sum();
    // Miller and Madow: a sample always looks a little less random than its source.
    (measured + freedom / (2.0 * total * std::f64::consts::LN_2)).min(kinds.log2())
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn random(count: usize, length: usize) -> Vec<Vec<u8>> {
        let mut rng = ChaCha8Rng::seed_from_u64(length as u64);
        (0..count)
            .map(|_| {
                let mut token = vec![0; length];
                rng.fill_bytes(&mut token);
                token
            })
            .collect()
    }

    #[test]
    fn random_bits_are_worth_one_each_and_none_follows_from_others() {
        let table = Table::of(&random(1000, 16));
        let worth = table.worth();
        assert!((worth.bits.iter().sum::<f64>() - 128.0).abs() < f64::EPSILON);
        assert_eq!((worth.biased, worth.remembered), (0, 0));
        assert_eq!(table.rank(), Some(128));
    }

    #[test]
    fn a_copy_and_a_checksum_are_worth_nothing() {
        let mut tokens = random(1000, 8);
        for token in &mut tokens {
            let sum = token.iter().fold(0, |sum, byte| sum ^ byte);
            token.extend(token.clone());
            token.push(sum);
        }
        assert_eq!(Table::of(&tokens).rank(), Some(64));
    }

    #[test]
    fn a_bias_and_a_memory_are_seen() {
        let (mut tokens, other) = (random(1000, 4), random(1000, 5));
        for (token, other) in tokens.iter_mut().zip(&other) {
            token[0] &= other[0];
        }
        for at in 1..tokens.len() {
            if other[at][1] % 8 != 0 {
                tokens[at][3] = tokens[at - 1][3];
            }
        }
        let worth = Table::of(&tokens).worth();
        assert_eq!(worth.biased, 8);
        assert_eq!(worth.remembered, 8);
        assert!(worth.bits[..8].iter().all(|bit| (0.7..0.9).contains(bit)));
        assert!(worth.bits[24..].iter().all(|bit| *bit < 0.8));
    }

    #[test]
    fn even_characters_are_worth_their_whole_alphabet() {
        let letters = |token: Vec<u8>| token.iter().map(|byte| b'a' + byte % 16).collect::<Vec<u8>>();
        let tokens: Vec<Vec<u8>> = random(1000, 3).into_iter().map(letters).collect();
        assert_eq!(characters(&tokens), [4.0, 4.0, 4.0]);
        let skewed: Vec<Vec<u8>> = random(1000, 1).iter().map(|token| vec![token[0] % 10 / 8]).collect();
        assert!((0.6..0.8).contains(&characters(&skewed)[0]));
    }
}
