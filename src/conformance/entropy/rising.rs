//! Counters and clocks within tokens: numbers that only grow, and numbers that are the time.

use std::ops::Range;

/// So many pairs of neighbors must tell something.
const PAIRS_MIN: usize = 20;

/// A number that grows from token to token, as bytes (or characters) of each.
pub(super) fn rising(tokens: &[Vec<u8>]) -> Vec<Range<usize>> {
    let length = tokens.first().map_or(0, Vec::len);
    let forward: Vec<usize> = (0..length).collect();
    let mut found = along(tokens, &forward);
    let backward: Vec<usize> = (0..length).rev().collect();
    for range in along(tokens, &backward) {
        let turned = length - range.end..length - range.start;
        if !found.iter().any(|known| known.start < turned.end && turned.start < known.end) {
            found.push(turned);
        }
    }
    found
}

/// Growing numbers whose weightiest place comes first in `order`; ranges are of `order`.
fn along(tokens: &[Vec<u8>], order: &[usize]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    while start < order.len() {
        let end = reach(tokens, order, start);
        if end > start {
            match found.last_mut() {
                Some(Range { end: last, .. }) if *last == start => *last = end,
                _ => found.push(start..end),
            }
            start = end;
        } else {
            start += 1;
        }
    }
    found
}

/// How far a growing number reaches that begins at `start`: among neighbors that are equal so far, the next place
/// must grow or stay as well.
fn reach(tokens: &[Vec<u8>], order: &[usize], start: usize) -> usize {
    let mut tied: Vec<usize> = (1..tokens.len()).collect();
    let (mut end, mut looked) = (start, start);
    for place in &order[start..] {
        let grows = tied.iter().filter(|at| tokens[**at][*place] > tokens[**at - 1][*place]).count();
        let falls = tied.iter().filter(|at| tokens[**at][*place] < tokens[**at - 1][*place]).count();
        // A constant place begins nothing; one that falls more than now and then is no number that grows.
        if tied.len() < PAIRS_MIN
            || falls * 50 > tied.len()
            || (grows == 0 && end == start)
            || falls >= grows.max(1)
        {
            break;
        }
        tied.retain(|at| tokens[*at][*place] == tokens[*at - 1][*place]);
        looked += 1;
        // Constant places behind the number are no part of it.
        end = if grows > 0 { looked } else { end };
    }
    end
}

/// Where the time stands in the bytes, and in which writing.
pub(super) fn clock(tokens: &[Vec<u8>], now: i64) -> Option<(Range<usize>, &'static str)> {
    const DAY: u64 = 86_400;
    /// From year 1 to 1970 in steps of 100 ns.
    const TICKS: u64 = 621_355_968_000_000_000;
    let now = u64::try_from(now).ok().filter(|now| *now > DAY)?;
    let length = tokens.first().map_or(0, Vec::len);
    let near = |value: u64, unit: u64, zero: u64| {
        value.checked_sub(zero).is_some_and(|value| (value / unit).abs_diff(now) < DAY)
    };
    let writings: [(usize, u64, u64, &str); 4] = [
        (8, 10_000_000, TICKS, "the time in ticks"),
        (8, 1_000, 0, "the time in milliseconds"),
        (6, 1_000, 0, "the time in milliseconds"),
        (4, 1, 0, "the time in seconds"),
    ];
    for (width, unit, zero, name) in writings {
        for start in 0..(length + 1).saturating_sub(width) {
            let number = |token: &[u8], little: bool| {
                let part = &token[start..start + width];
                let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
                if little { part.iter().rev().fold(0, join) } else { part.iter().fold(0, join) }
            };
            for little in [false, true] {
                if tokens.iter().all(|token| near(number(token, little), unit, zero)) {
                    return Some((start..start + width, name));
                }
            }
        }
    }
    None
}

/// The time in decimal digits among the characters.
pub(super) fn written_clock(tokens: &[Vec<u8>], now: i64) -> Option<(Range<usize>, &'static str)> {
    let length = tokens.first().map_or(0, Vec::len);
    for (width, unit, name) in
        [(13, 1000, "the time in milliseconds, written out"), (10, 1, "the time in seconds, written out")]
    {
        for start in 0..(length + 1).saturating_sub(width) {
            let number =
                |token: &[u8]| std::str::from_utf8(&token[start..start + width]).ok()?.parse::<i64>().ok();
            let near =
                |token: &Vec<u8>| number(token).is_some_and(|value| (value / unit).abs_diff(now) < 86_400);
            if now > 86_400 && tokens.iter().all(near) {
                return Some((start..start + width, name));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Random tokens with `part` of the number at some place.
    fn with(part: impl Fn(u64) -> Vec<u8>) -> Vec<Vec<u8>> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        (0..1000)
            .map(|number| {
                let mut token = vec![0; 4];
                rng.fill_bytes(&mut token);
                token.extend(part(number));
                token.extend(rng.next_u32().to_be_bytes());
                token
            })
            .collect()
    }

    #[test]
    fn a_counter_is_found_in_either_order_of_bytes() {
        assert_eq!(rising(&with(|number| (70_000 + number).to_be_bytes().to_vec())), vec![10..12]);
        assert_eq!(rising(&with(|number| (70_000 + 3 * number).to_le_bytes().to_vec())), vec![4..6]);
    }

    #[test]
    fn random_bytes_never_rise() {
        assert_eq!(rising(&with(|_| Vec::new())), Vec::<Range<usize>>::new());
    }

    #[test]
    fn the_random_part_behind_a_clock_is_left_alone() {
        // Two tokens a millisecond, as a ULID has it: six bytes of time, then chance.
        let tokens = with(|number| (1_700_000_000_000 + number / 2).to_be_bytes()[2..].to_vec());
        assert_eq!(rising(&tokens), vec![8..10]);
        assert_eq!(clock(&tokens, 1_700_000_000), Some((4..10, "the time in milliseconds")));
    }

    #[test]
    fn clocks_are_read_in_seconds_ticks_and_digits() {
        let now = 1_700_000_000_i64;
        let seconds = with(|number| (1_700_000_000 + number / 500).to_le_bytes()[..4].to_vec());
        assert_eq!(clock(&seconds, now), Some((4..8, "the time in seconds")));
        let ticks =
            with(|number| (621_355_968_000_000_000 + 17_000_000_000_000_000 + number).to_be_bytes().to_vec());
        assert_eq!(clock(&ticks, now), Some((4..12, "the time in ticks")));
        let digits: Vec<Vec<u8>> =
            (0..100).map(|number| format!("x{}y", 1_700_000_000 + number).into()).collect();
        assert_eq!(written_clock(&digits, now), Some((1..11, "the time in seconds, written out")));
        assert_eq!(clock(&with(|_| vec![1, 2, 3, 4, 5, 6, 7, 8]), now), None);
    }
}
