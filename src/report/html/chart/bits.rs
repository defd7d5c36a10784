//! What each character of a token is worth, and how far each bit leans.

use super::{About, Figure, GUTTER, Ink, Side, draw};
use crate::results::TokenEntropy;

const WIDTH: f64 = 904.0;
const HEIGHT: f64 = 196.0;
const TOP: f64 = 16.0;
const BASE: f64 = 128.0;
const RIGHT: f64 = 764.0;

/// The strip of bits, beneath the characters.
const STRIP: (f64, f64) = (150.0, 174.0);

/// More places than this are drawn as groups of neighbors, each by its lowest.
const BARS_MAX: usize = 160;

/// A bit that leans further is no chance.
const LEANS: f64 = 5.0;

/// Bits by character, and the bias of each bit.
pub(in crate::report::html) fn picture(entropy: &TokenEntropy) -> Figure {
    let whole = f64::from(entropy.alphabet_size.max(2)).log2();
    let about = About {
        title: "Bits by character".to_owned(),
        figures: format!("{} characters; a whole one is worth {whole:.2} bits.", entropy.position_bits.len()),
    };
    let svg = draw(WIDTH, HEIGHT, &about, |pen| {
        let y = |bits: f64| BASE - (BASE - TOP) * (bits / whole).clamp(0.0, 1.05);
        pen.line(&[(GUTTER, y(whole)), (RIGHT, y(whole))], Ink::Grid);
        pen.y_label(y(whole), &format!("{whole:.1}"));
        pen.y_label(y(0.0), "0");
        for (from, to, bits) in grouped(&entropy.position_bits, f64::min) {
            let short = bits < whole * 0.9;
            let ink = if short { Ink::Slip } else { Ink::RespFill };
            // A constant one is still seen: a bar of its own height.
            pen.bar((from, y(bits).min(BASE - 1.5)), (to, BASE), ink);
        }
        pen.line(&[(GUTTER, BASE), (RIGHT, BASE)], Ink::Base);
        pen.word((RIGHT + 8.0, y(whole) + 4.0), Side::Start, "a whole character", Ink::Label);
        for (from, to, sigma) in
            grouped(&entropy.bit_sigma, |one, two| if one.abs() > two.abs() { one } else { two })
        {
            let ink = if sigma.abs() > LEANS { Ink::Slip } else { Ink::RespFill };
            let middle = f64::midpoint(STRIP.0, STRIP.1);
            let length = (sigma.abs() / LEANS).min(1.0) * (STRIP.1 - STRIP.0) / 2.0;
            let end = if sigma < 0.0 { middle + length } else { middle - length };
            pen.bar((from, end.min(middle) - 0.5), (to, end.max(middle) + 0.5), ink);
        }
        if !entropy.bit_sigma.is_empty() {
            pen.word((RIGHT + 8.0, 166.0), Side::Start, "bias by bit, 5 σ", Ink::Label);
        }
    });
    let rows = entropy
        .position_bits
        .iter()
        .enumerate()
        .map(|(at, bits)| vec![format!("{}", at + 1), format!("{bits:.2}")])
        .collect();
    Figure {
        name: "By character",
        caption: "what each is worth, in bits; beneath, how far each bit leans to one side".to_owned(),
        svg: Some(svg),
        instead: String::new(),
        heads: vec!["character".to_owned(), "bits".to_owned()],
        rows,
    }
}

/// Places as bars from left to right: from, to, value. Neighbors are drawn together where there are too many.
fn grouped(values: &[f64], joined: fn(f64, f64) -> f64) -> Vec<(f64, f64, f64)> {
    let size = values.len().div_ceil(BARS_MAX).max(1);
    let groups: Vec<f64> =
        values.chunks(size).filter_map(|group| group.iter().copied().reduce(joined)).collect();
    let pitch = (RIGHT - GUTTER) / groups.len().max(1) as f64;
    let gap = if pitch > 4.0 { 1.0 } else { 0.0 };
    groups
        .into_iter()
        .enumerate()
        .map(|(at, value)| {
            let from = GUTTER + pitch * at as f64;
            (from, from + pitch - gap, value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_places_become_as_many_bars_as_fit_and_none_is_lost() {
        let values: Vec<f64> = (0..1000).map(|at| if at == 777 { 0.0 } else { 6.0 }).collect();
        let bars = grouped(&values, f64::min);
        assert!(bars.len() <= BARS_MAX);
        assert_eq!(bars.iter().filter(|(_, _, value)| *value == 0.0).count(), 1);
        assert!(bars.iter().all(|(from, to, _)| *from >= GUTTER && *to <= RIGHT + 0.1));
    }

    #[test]
    fn the_picture_has_a_table_with_the_same_figures() {
        let entropy = TokenEntropy {
            alphabet_size: 64,
            position_bits: vec![6.0, 0.0, 5.5],
            bit_sigma: vec![0.4, -7.0],
            ..TokenEntropy::default()
        };
        let figure = picture(&entropy);
        assert_eq!(figure.rows.len(), 3);
        assert!(figure.svg.is_some());
    }
}
