//! One figure over many runs: dots, where a run normally falls, and the steps.

use super::scale::Scale;
use super::{About, GUTTER, Ink, draw, width_of};
use crate::compare::history::{History, Segment, Trend};
use crate::report::html::markup::Html;
use crate::results::wording::{Unit, figure, tick};

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 132.0;
const TOP: f64 = 12.0;
const BASE: f64 = 106.0;
const RIGHT: f64 = 428.0;
/// A limit more than so many times the highest figure is said in words: it would flatten the rest.
const FAR: f64 = 2.0;

/// Whether the limit is far above all that was measured.
pub(in crate::report::html) fn is_far(trend: &Trend, limit: f64) -> bool {
    limit > FAR * highest(trend)
}

fn highest(trend: &Trend) -> f64 {
    trend.values.iter().flatten().fold(0.0, |high: f64, value| high.max(*value))
}

pub(in crate::report::html) fn trend(history: &History, trend: &Trend) -> Html {
    let known = || trend.values.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)?)));
    let about = About { title: format!("{} over time", trend.name), figures: words(history, trend) };
    let limit = trend.limit.filter(|limit| *limit > 0.0 && !is_far(trend, *limit));
    let top = highest(trend).max(limit.unwrap_or(0.0)).max(f64::MIN_POSITIVE) * 1.15;
    let y = Scale::linear((0.0, top), (BASE, TOP));
    let x = |night: usize| GUTTER + 8.0 + history.along(night) * (RIGHT - GUTTER - 16.0);
    draw(WIDTH, HEIGHT, &about, |pen| {
        for segment in &trend.segments {
            let (low, high) = (segment.median - segment.spread, segment.median + segment.spread);
            pen.bar((x(segment.from) - 4.0, y.at(low)), (x(segment.to) + 4.0, y.at(high)), Ink::Gap);
        }
        for value in y.ticks(19.0, 4) {
            pen.line(&[(GUTTER, y.at(value)), (RIGHT, y.at(value))], Ink::Grid);
            pen.y_label(y.at(value), &label(trend.unit, value));
        }
        pen.line(&[(GUTTER, BASE), (RIGHT, BASE)], Ink::Base);
        for segment in &trend.segments {
            median(pen, segment, &x, &y);
        }
        if let Some(limit) = limit {
            pen.line(&[(GUTTER, y.at(limit)), (RIGHT, y.at(limit))], Ink::Limit);
        }
        for step in &trend.steps {
            let between = f64::midpoint(x(step.at.saturating_sub(1)), x(step.at));
            pen.line(&[(between, TOP - 6.0), (between, BASE)], Ink::StepLine);
        }
        // A line says that nothing is missing in between: it breaks where something is.
        for run in stretches(history, trend) {
            let points: Vec<(f64, f64)> = run.iter().map(|(at, value)| (x(*at), y.at(*value))).collect();
            pen.line(&points, Ink::RespThin);
        }
        for (at, value) in known() {
            let ink = if trend.missed.contains(&at) { Ink::Bad } else { Ink::Resp };
            pen.dot((x(at), y.at(value)), 2.4, ink);
        }
        dates(pen, history, &x);
    })
}

fn median(pen: &mut super::Pen<'_>, segment: &Segment, x: &impl Fn(usize) -> f64, y: &Scale) {
    let place = y.at(segment.median);
    pen.line(&[(x(segment.from) - 4.0, place), (x(segment.to) + 4.0, place)], Ink::Quantile);
}

/// Runs of neighboring columns that have a figure.
fn stretches(history: &History, trend: &Trend) -> Vec<Vec<(usize, f64)>> {
    let mut all: Vec<Vec<(usize, f64)>> = vec![Vec::new()];
    for column in &history.columns {
        let figures: Vec<(usize, f64)> = column
            .nights
            .iter()
            .filter_map(|at| Some((*at, trend.values.get(*at).copied().flatten()?)))
            .collect();
        match all.last_mut() {
            Some(last) if !figures.is_empty() => last.extend(figures),
            _ => all.push(Vec::new()),
        }
    }
    all
}

/// The dates of a few columns, the first among them.
fn dates(pen: &mut super::Pen<'_>, history: &History, x: &impl Fn(usize) -> f64) {
    let filled: Vec<_> = history.columns.iter().filter(|column| !column.nights.is_empty()).collect();
    let widest = filled.iter().map(|column| width_of(&column.label)).fold(40.0, f64::max);
    let room = ((RIGHT - GUTTER) / (widest + 14.0)).floor().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of labels")]
    let each = filled.len().div_ceil(room as usize).max(1);
    let ticks: Vec<(f64, String)> =
        filled.iter().step_by(each).map(|column| (x(column.nights[0]), column.label.clone())).collect();
    for (place, _) in &ticks {
        pen.line(&[(*place, BASE), (*place, BASE + 4.0)], Ink::Base);
    }
    pen.x_labels(BASE + 15.0, &ticks, WIDTH - 2.0);
}

fn label(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Time => tick(value),
        Unit::Share | Unit::Rate if value == 0.0 => "0".to_owned(),
        Unit::Share => {
            // As few digits as the steps of the axis need.
            let percent = (value * 1e6).round() / 1e4;
            format!("{percent}")
        }
        Unit::Rate => figure(unit, value),
    }
}

fn words(history: &History, trend: &Trend) -> String {
    let last = trend.values.iter().rposition(Option::is_some);
    let newest = last.and_then(|at| Some((at, trend.values[at]?)));
    let newest = newest.map_or_else(String::new, |(at, value)| {
        format!("newest {}, {}", figure(trend.unit, value), history.label(at))
    });
    let steps = trend.steps.iter().map(|step| {
        let (before, after) = (figure(trend.unit, step.before), figure(trend.unit, step.after));
        format!("; {before} to {after} on {}", history.label(step.at))
    });
    format!("{newest}{}.", steps.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_as_many_digits_as_its_axis_needs() {
        assert_eq!(label(Unit::Share, 0.0005), "0.05");
        assert_eq!(label(Unit::Share, 0.02), "2");
        assert_eq!(label(Unit::Share, 0.0), "0");
    }
}
