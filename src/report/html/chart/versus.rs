//! Two runs in one picture: intervals of differences, the curves of both, and how much slower one is.

use super::scale::Scale;
use super::{About, Figure, GUTTER, Ink, Pen, Side, draw};
use crate::compare::{Comparison, CurvePoint, FigureRow, Matters, ProfileComparison, Speed};
use crate::report::clean::{line, shorten};
use crate::report::html::compare::symmetrical;
use crate::report::html::markup::Html;
use crate::results::wording::{Unit, signed, tick, time};

const WIDTH: f64 = 230.0;
const HEIGHT: f64 = 16.0;
const MIDDLE: f64 = WIDTH / 2.0;
/// The ends of an interval stay this far from the edge.
const HALF: f64 = MIDDLE - 8.0;

/// An interval on the scale of its table: the ground is what does not matter, the dot is the difference.
pub(in crate::report::html) fn interval(row: &FigureRow, (low, high): (f64, f64), reach: (f64, f64)) -> Html {
    let title = format!("{}: {}, {}", row.name, signed(row.unit, row.difference), row.text());
    let about = About { title, figures: row.span() };
    let at = |figure: f64| MIDDLE + symmetrical(figure, reach, HALF);
    let (ink, line_ink) = match row.word {
        Speed::Worse | Speed::Better => (Ink::B, Ink::BLine),
        Speed::NoDifference | Speed::CannotTell | Speed::TooLittle | Speed::NotJudged | Speed::Expected => {
            (Ink::Label, Ink::Plain)
        }
    };
    draw(WIDTH, HEIGHT, &about, |pen| {
        pen.bar((at(-row.matters), 0.0), (at(row.matters), HEIGHT), Ink::Sunk);
        pen.line(&[(MIDDLE, 0.0), (MIDDLE, HEIGHT)], Ink::Base);
        pen.line(&[(at(low), 8.0), (at(high), 8.0)], line_ink);
        for end in [low, high] {
            pen.line(&[(at(end), 4.5), (at(end), 11.5)], line_ink);
        }
        if matches!(row.word, Speed::CannotTell | Speed::NotJudged | Speed::TooLittle) {
            pen.ring((at(row.difference), 8.0), 3.2, Ink::Plain);
        } else {
            pen.dot((at(row.difference), 8.0), 3.4, ink);
        }
    })
}

/// The scale of that table, for its head.
pub(in crate::report::html) fn interval_head(reach: (f64, f64)) -> Html {
    let about = About { title: "scale of the intervals".to_owned(), figures: String::new() };
    let at = |figure: f64| MIDDLE + symmetrical(figure, reach, HALF);
    let (most, matters) = reach;
    // One figure between nothing and the edge, where there is room for it.
    let far = 10_f64.powf(most.log10().floor());
    let far = if far <= matters * 1.5 { most } else { far };
    draw(WIDTH, HEIGHT, &about, |pen| {
        pen.word((MIDDLE, 8.0), Side::Middle, "0", Ink::Label);
        pen.word(
            (at(far).min(WIDTH - 26.0), 8.0),
            Side::Middle,
            &format!("+{}", tick(rounded(far))),
            Ink::Label,
        );
        pen.word(
            (at(-far).max(26.0), 8.0),
            Side::Middle,
            &format!("\u{2212}{}", tick(rounded(far))),
            Ink::Label,
        );
    })
}

/// Two digits at most.
fn rounded(figure: f64) -> f64 {
    let step = 10_f64.powf(figure.max(1.0).log10().floor() - 1.0);
    (figure / step).round() * step
}

const BOX: f64 = 440.0;
const TALL: f64 = 208.0;
const TOP: f64 = 12.0;
const BASE: f64 = 182.0;
const RIGHT: f64 = 340.0;
const WIDE_RIGHT: f64 = 424.0;

/// Both curves of a profile, and the difference by percentile with its band.
pub(in crate::report::html) fn curves(comparison: &Comparison, profile: &ProfileComparison) -> Vec<Figure> {
    let sure: Vec<CurvePoint> = profile.curve.iter().copied().filter(|point| point.low.is_some()).collect();
    if sure.len() < 3 {
        return Vec::new();
    }
    vec![both(comparison, profile), slower(comparison, profile, &sure)]
}

fn x_scale(points: &[CurvePoint], right: f64) -> Scale {
    let last = points.last().map_or(0.9, |point| point.quantile);
    Scale::log((2.0, 1.0 / (1.0 - last)), (GUTTER + 4.0, right))
}

fn inverse(point: &CurvePoint) -> f64 {
    1.0 / (1.0 - point.quantile)
}

fn axes(pen: &mut Pen<'_>, x: &Scale, y: &Scale, last: f64, right: f64, label: impl Fn(f64) -> String) {
    for figure in y.ticks(19.0, 5) {
        let place = y.at(figure);
        pen.line(&[(GUTTER, place), (right, place)], Ink::Grid);
        pen.y_label(place, &label(figure));
    }
    pen.line(&[(GUTTER, BASE), (right, BASE)], Ink::Base);
    let marks = [("p50", 2.0), ("p90", 10.0), ("p99", 100.0), ("p99.9", 1000.0)];
    let ticks: Vec<(f64, String)> = marks
        .iter()
        .filter(|(_, inverse)| *inverse <= last * 1.001)
        .map(|(name, inverse)| (x.at(*inverse), (*name).to_owned()))
        .collect();
    for (place, _) in &ticks {
        pen.line(&[(*place, BASE), (*place, BASE + 4.0)], Ink::Base);
    }
    pen.x_labels(BASE + 15.0, &ticks, BOX - 4.0);
}

/// Where the interval is not known any more, a curve is dotted.
fn both(comparison: &Comparison, profile: &ProfileComparison) -> Figure {
    let points = &profile.curve;
    let low = points.iter().map(|point| point.a.min(point.b)).fold(f64::MAX, f64::min);
    let high = points.iter().map(|point| point.a.max(point.b)).fold(0.0, f64::max);
    let (x, y) = (x_scale(points, RIGHT), Scale::for_times((low, high), (BASE, TOP)));
    let last = points.last().map_or(2.0, inverse);
    let about = About {
        title: format!("Response time of both runs by percentile, {}", profile.name),
        figures: words(points),
    };
    let svg = draw(BOX, TALL, &about, |pen| {
        axes(pen, &x, &y, last, RIGHT, tick);
        let sure = points.iter().take_while(|point| point.low.is_some()).count();
        let place = |pick: fn(&CurvePoint) -> f64| -> Vec<(f64, f64)> {
            points.iter().map(|point| (x.at(inverse(point)), y.at(pick(point)))).collect()
        };
        for (curve, ink, few) in [
            (place(|point| point.a), Ink::Resp, Ink::RespFew),
            (place(|point| point.b), Ink::BLine, Ink::BFew),
        ] {
            pen.line(&curve[..sure], ink);
            pen.line(&curve[sure.saturating_sub(1)..], few);
        }
        let Some(end) = points.last() else { return };
        names(pen, comparison, (y.at(end.a), y.at(end.b)), (end.a, end.b));
    });
    Figure {
        name: "Both runs",
        caption: format!("response time, {}", line(&profile.name)),
        svg: Some(svg),
        instead: String::new(),
        heads: ["percentile", "A", "B", "difference"].map(str::to_owned).to_vec(),
        rows: points.iter().map(row).collect(),
    }
}

fn percentile(quantile: f64) -> String {
    let percent = (quantile * 1e4).round() / 100.0;
    format!("p{percent}")
}

fn row(point: &CurvePoint) -> Vec<String> {
    vec![percentile(point.quantile), time(point.a), time(point.b), signed(Unit::Time, point.b - point.a)]
}

/// A and B at the right end, pushed apart.
fn names(pen: &mut Pen<'_>, comparison: &Comparison, (at_a, at_b): (f64, f64), (a, b): (f64, f64)) {
    let middle = f64::midpoint(at_a, at_b).clamp(TOP + 19.0, BASE - 34.0);
    let (at_a, at_b) = if (at_a - at_b).abs() >= 34.0 {
        (at_a.clamp(TOP + 2.0, BASE - 16.0), at_b.clamp(TOP + 2.0, BASE - 16.0))
    } else if at_a >= at_b {
        (middle + 17.0, middle - 17.0)
    } else {
        (middle - 17.0, middle + 17.0)
    };
    for (place, letter, side, last, ink) in
        [(at_a, "A", &comparison.a, a, Ink::Resp), (at_b, "B", &comparison.b, b, Ink::B)]
    {
        let name = if side.name == letter {
            letter.to_owned()
        } else {
            format!("{letter} {}", shorten(&line(&side.name), 8))
        };
        pen.word((RIGHT + 8.0, place), Side::Start, &name, ink);
        pen.word((RIGHT + 8.0, place + 14.0), Side::Start, &time(last), Ink::Label);
    }
}

fn slower(comparison: &Comparison, profile: &ProfileComparison, points: &[CurvePoint]) -> Figure {
    let ends = points.iter().flat_map(|point| [point.low.unwrap_or(0.0), point.high.unwrap_or(0.0)]);
    let matters = match comparison.tolerance.time {
        Matters::Us(us) => us,
        Matters::Share(share) => points.first().map_or(0.0, |point| point.a * share),
    };
    let (low, high) = ends.fold((-matters, matters), |(low, high), end| (low.min(end), high.max(end)));
    // The unit stands in the caption: with it, a label would not fit into the gutter.
    let (unit, unit_name) = if high.max(-low) < 10_000.0 { (1.0, "µs") } else { (1_000.0, "ms") };
    let room = (high - low).max(1.0) * 0.06;
    let (x, y) = (x_scale(points, WIDE_RIGHT), Scale::linear((low - room, high + room), (BASE, TOP)));
    let last = points.last().map_or(2.0, inverse);
    let about = About {
        title: format!("How much slower B is by percentile, {}", profile.name),
        figures: words(points),
    };
    let svg = draw(BOX, TALL, &about, |pen| {
        pen.bar((GUTTER, y.at(-matters)), (WIDE_RIGHT, y.at(matters)), Ink::Sunk);
        let upper = points.iter().map(|point| (x.at(inverse(point)), y.at(point.high.unwrap_or(0.0))));
        let lower = points.iter().rev().map(|point| (x.at(inverse(point)), y.at(point.low.unwrap_or(0.0))));
        pen.area(&upper.chain(lower).collect::<Vec<_>>(), Ink::BFill);
        axes(pen, &x, &y, last, WIDE_RIGHT, |figure| signed_number(figure / unit));
        pen.line(&[(GUTTER, y.at(0.0)), (WIDE_RIGHT, y.at(0.0))], Ink::Base);
        let curve: Vec<(f64, f64)> =
            points.iter().map(|point| (x.at(inverse(point)), y.at(point.b - point.a))).collect();
        pen.line(&curve, Ink::BLine);
    });
    Figure {
        name: "How much slower",
        caption: format!(
            "B minus A in {unit_name}, band is 95 % of each by itself; on the ground, below ±{}, nobody cares",
            tick(rounded(matters))
        ),
        svg: Some(svg),
        instead: String::new(),
        heads: ["percentile", "difference", "from", "to"].map(str::to_owned).to_vec(),
        rows: points
            .iter()
            .map(|point| {
                let word = |figure: Option<f64>| figure.map_or("–".to_owned(), |f| signed(Unit::Time, f));
                vec![
                    percentile(point.quantile),
                    signed(Unit::Time, point.b - point.a),
                    word(point.low),
                    word(point.high),
                ]
            })
            .collect(),
    }
}

fn signed_number(figure: f64) -> String {
    if figure.abs() < 1e-6 {
        "0".to_owned()
    } else {
        let size = (figure.abs() * 100.0).round() / 100.0;
        format!("{}{size}", if figure < 0.0 { '\u{2212}' } else { '+' })
    }
}

fn words(points: &[CurvePoint]) -> String {
    let wanted = points.iter().filter(|point| [0.5, 0.9, 0.99, 0.999].contains(&point.quantile));
    let parts: Vec<String> = wanted
        .map(|point| {
            format!(
                "{} A {}, B {}, {}",
                percentile(point.quantile),
                time(point.a),
                time(point.b),
                signed(Unit::Time, point.b - point.a)
            )
        })
        .collect();
    format!("{}.", parts.join("; "))
}
