//! Which format the k-th request has: by shares, evenly mixed, the same in every run.

/// A cycle of formats in which each has its share, spread as evenly as it goes.
#[derive(Clone, Debug)]
pub struct Mix {
    words: Vec<String>,
    cycle: Vec<u16>,
}

/// The longest cycle; larger shares are scaled down to it.
const CYCLE_MAX: u64 = 10_000;

impl Mix {
    /// The mix of these shares; empty for the dialect's first format alone.
    pub fn new(formats: &[(String, u32)]) -> Mix {
        let formats: Vec<&(String, u32)> = formats.iter().filter(|(_, share)| *share > 0).collect();
        let shares = reduced(&formats.iter().map(|(_, share)| u64::from(*share)).collect::<Vec<_>>());
        Mix { words: formats.iter().map(|(word, _)| word.clone()).collect(), cycle: spread(&shares) }
    }

    /// The formats in it.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// After so many requests it begins again; at least one.
    pub fn length(&self) -> u64 {
        self.cycle.len().max(1) as u64
    }

    /// The format of request `k`, as an index into [`Mix::words`]; `None` for the dialect's first.
    pub fn nth(&self, k: u64) -> Option<usize> {
        let length = self.cycle.len() as u64;
        let at = usize::try_from(k.checked_rem(length)?).ok()?;
        self.cycle.get(at).map(|index| usize::from(*index))
    }
}

/// Shares divided by their greatest common divisor, and scaled down where the cycle would be too long.
fn reduced(shares: &[u64]) -> Vec<u64> {
    let divisor = shares.iter().copied().fold(0, gcd).max(1);
    let shares: Vec<u64> = shares.iter().map(|share| share / divisor).collect();
    let sum: u64 = shares.iter().sum();
    if sum <= CYCLE_MAX {
        return shares;
    }
    shares.iter().map(|share| (share * CYCLE_MAX / sum).max(1)).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Smooth weighted round robin: in each step everyone gains its share, and the richest pays the whole.
fn spread(shares: &[u64]) -> Vec<u16> {
    let whole: u64 = shares.iter().sum();
    let mut credit: Vec<i64> = vec![0; shares.len()];
    (0..whole)
        .map(|_| {
            for (credit, share) in credit.iter_mut().zip(shares) {
                *credit += i64::try_from(*share).expect("shares are at most CYCLE_MAX");
            }
            let richest = (0..credit.len()).rev().max_by_key(|index| credit[*index]).unwrap_or(0);
            credit[richest] -= i64::try_from(whole).expect("a cycle is at most twice CYCLE_MAX");
            u16::try_from(richest).expect("a cycle has fewer formats than steps")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shares: &[u32], expected: &str) {
        let formats: Vec<(String, u32)> =
            ["a", "b", "c"].iter().zip(shares).map(|(word, share)| ((*word).to_owned(), *share)).collect();
        let mix = Mix::new(&formats);
        let found: String =
            (0..mix.cycle.len() as u64).map(|k| mix.words()[mix.nth(k).unwrap()].as_str()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn shares_are_kept_and_spread() {
        check(&[1], "a");
        check(&[5, 5], "ab");
        check(&[7, 2, 1], "aabaacaaba");
        check(&[0, 3], "b");
    }

    #[test]
    fn no_shares_are_the_first_format_alone() {
        assert_eq!(Mix::new(&[]).nth(5), None);
        assert_eq!(Mix::new(&[("a".to_owned(), 0)]).nth(5), None);
    }

    #[test]
    fn huge_shares_stay_bounded() {
        let mix =
            Mix::new(&[("a".to_owned(), u32::MAX), ("b".to_owned(), u32::MAX - 1), ("c".to_owned(), 1)]);
        assert!(mix.cycle.len() as u64 <= CYCLE_MAX);
        assert!((0..mix.cycle.len() as u64).any(|k| mix.nth(k) == Some(2)));
    }
}
