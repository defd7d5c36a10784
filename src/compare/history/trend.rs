//! A figure over many nights: where it normally falls, and where it changed and stayed.

use indexmap::IndexMap;

use super::{Night, Segment, Step, Trend};
use crate::results::TrustState;
use crate::results::wording::Unit;

/// A step holds for so many nights on both sides.
const HOLDS: usize = 5;
/// The interval rests on so many nights of each side, those next to the step.
const NEAREST: usize = 60;
/// A step is at least so many times as large as what nights differ anyway.
const STANDS_OUT: f64 = 2.0;
/// No figure is steadier than this share of itself.
const STEADIEST: f64 = 0.005;
/// From the median deviation to the standard deviation.
const SIGMA: f64 = 1.48;
/// 95 % on both sides.
const Z: f64 = 1.96;

/// Why no step is named.
pub(super) fn no_steps(nights: &[Night]) -> Option<String> {
    let with: Vec<&Night> = nights.iter().filter(|night| !night.figures.is_empty()).collect();
    let demonstration = |night: &&Night| night.trust == TrustState::Demonstration;
    (!with.is_empty() && with.iter().all(demonstration))
        .then(|| "all of them are demonstrations on the embedded mock".to_owned())
}

/// The figures of all runs; steps only where they are named.
pub(super) fn trends(nights: &[Night], silent: bool) -> Vec<Trend> {
    let mut names: IndexMap<&String, Unit> = IndexMap::new();
    for night in nights {
        for (name, figure) in &night.figures {
            names.insert(name, figure.unit);
        }
    }
    // A demonstration among trusted runs was made on another machine, and by another mock.
    let counts = |night: &Night| match night.trust {
        TrustState::Trusted => true,
        TrustState::Demonstration => silent,
        TrustState::Untrusted => false,
    };
    names
        .into_iter()
        .map(|(name, unit)| {
            let figure = |night: &Night| night.figures.get(name).filter(|_| counts(night)).cloned();
            let figures: Vec<_> = nights.iter().map(figure).collect();
            let values: Vec<Option<f64>> = figures.iter().map(|f| f.as_ref().map(|f| f.value)).collect();
            let mut limits = figures.iter().flatten().filter_map(|figure| figure.limit);
            let missed = |figure: &Option<super::Figure>| {
                figure.as_ref().and_then(|figure| figure.limit).is_some_and(|(_, missed)| missed)
            };
            let known: Vec<(usize, f64)> =
                values.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)?))).collect();
            let steps = if silent { Vec::new() } else { steps(&known, unit, nights) };
            Trend {
                name: name.clone(),
                unit,
                segments: segments(&known, &steps),
                limit: limits.next_back().map(|(limit, _)| limit),
                missed: (0..figures.len()).filter(|at| missed(&figures[*at])).collect(),
                values,
                steps,
            }
        })
        .collect()
}

fn steps(known: &[(usize, f64)], unit: Unit, nights: &[Night]) -> Vec<Step> {
    let mut found = Vec::new();
    let mut open = vec![(0, known.len())];
    while let Some((from, to)) = open.pop() {
        let values: Vec<f64> = known[from..to].iter().map(|(_, value)| *value).collect();
        let Some(split) = split(&values) else { continue };
        let (before, after) = values.split_at(split);
        let Some(interval) = shift(before, after) else { continue };
        let (at, last) = (known[from + split].0, known[from + split - 1].0);
        let (was, is) = (median(before), median(after));
        let more_is_bad = match unit {
            Unit::Time | Unit::Share => true,
            Unit::Rate => false,
        };
        found.push(Step {
            at,
            before: was,
            after: is,
            interval,
            worse: (is > was) == more_is_bad,
            same_suite: nights[at].digest == nights[last].digest,
        });
        open.push((from, from + split));
        open.push((from + split, to));
    }
    found.sort_by_key(|step| step.at);
    found
}

/// Where the ranks of both sides differ most, if the difference stands out from what nights differ anyway.
fn split(values: &[f64]) -> Option<usize> {
    let ranks = ranks(values);
    let all = values.len() as f64;
    let mut sum = 0.0;
    let mut best = (0.0, 0);
    for (at, rank) in ranks.iter().enumerate() {
        if at >= HOLDS && at + HOLDS <= values.len() {
            let n = at as f64;
            let expected = n * (all + 1.0) / 2.0;
            let deviation = (n * (all - n) * (all + 1.0) / 12.0).sqrt();
            let z = ((sum - expected) / deviation).abs();
            if z > best.0 {
                best = (z, at);
            }
        }
        sum += rank;
    }
    let split = nearest(values, best.1);
    let (before, after) = values.split_at(split);
    if before.is_empty() || after.is_empty() {
        return None;
    }
    let (was, is) = (median(before), median(after));
    let off = before.iter().map(|v| (v - was).abs()).chain(after.iter().map(|v| (v - is).abs()));
    let noise = (SIGMA * median(&off.collect::<Vec<_>>())).max(STEADIEST * was.abs().max(is.abs()));
    ((is - was).abs() > STANDS_OUT * noise).then_some(split)
}

/// Ranks say that there is a step; the night is the one around there at which both sides scatter least.
fn nearest(values: &[f64], split: usize) -> usize {
    let scatter = |split: usize| -> f64 {
        let (before, after) = values.split_at(split);
        let off = |side: &[f64]| {
            let middle = median(side);
            side.iter().map(|value| (value - middle).abs()).sum::<f64>()
        };
        off(before) + off(after)
    };
    let around =
        split.saturating_sub(HOLDS).max(HOLDS)..=(split + HOLDS).min(values.len().saturating_sub(HOLDS));
    around.min_by(|a, b| scatter(*a).total_cmp(&scatter(*b))).unwrap_or(split)
}

/// The interval of the shift between two sides (Hodges and Lehmann), if it leaves zero out.
fn shift(before: &[f64], after: &[f64]) -> Option<(f64, f64)> {
    let before = &before[before.len().saturating_sub(NEAREST)..];
    let after = &after[..after.len().min(NEAREST)];
    let mut differences: Vec<f64> =
        after.iter().flat_map(|is| before.iter().map(move |was| is - was)).collect();
    differences.sort_by(f64::total_cmp);
    let (m, n) = (before.len() as f64, after.len() as f64);
    let cut = (m * n / 2.0 - Z * (m * n * (m + n + 1.0) / 12.0).sqrt()).floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count, not below 0")]
    let cut = cut.max(0.0) as usize;
    let (low, high) = (*differences.get(cut)?, *differences.get(differences.len().checked_sub(cut + 1)?)?);
    (low > 0.0 || high < 0.0).then_some((low, high))
}

/// Ranks from 1, the mean of them where values are equal.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    while at < order.len() {
        let alike = order[at..]
            .iter()
            .take_while(|other| values[**other].total_cmp(&values[order[at]]).is_eq())
            .count();
        let rank = (2 * at + alike + 1) as f64 / 2.0;
        for number in &order[at..at + alike] {
            ranks[*number] = rank;
        }
        at += alike;
    }
    ranks
}

fn segments(known: &[(usize, f64)], steps: &[Step]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = known;
    for end in steps.iter().map(|step| step.at).chain([usize::MAX]) {
        let (own, after) = rest.split_at(rest.iter().take_while(|(at, _)| *at < end).count());
        rest = after;
        let (Some((from, _)), Some((to, _))) = (own.first(), own.last()) else { continue };
        let values: Vec<f64> = own.iter().map(|(_, value)| *value).collect();
        let middle = median(&values);
        let off: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        segments.push(Segment { from: *from, to: *to, median: middle, spread: 3.0 * SIGMA * median(&off) });
    }
    segments
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match (values.get(values.len().wrapping_sub(1) / 2), values.get(values.len() / 2)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => 0.0,
    }
}
