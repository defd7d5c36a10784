//! The distribution: how many took how long, in bins equal on a logarithmic axis.

use super::scale::Scale;
use super::{About, Figure, GUTTER, Ink, Pen, Side, draw, width_of};
use crate::report::html::latency::Latency;
use crate::results::wording::{count, share, tick, time};

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 188.0;
const TOP: f64 = 26.0;
const BASE: f64 = 148.0;
const RIGHT: f64 = 430.0;
const HANG: f64 = 10.0;

/// Response as bars, service as an outline, refused answers below the line.
pub(in crate::report::html) fn bars(
    response: &Latency,
    service: Option<&Latency>,
    refused: &Latency,
) -> Figure {
    const NAME: &str = "Distribution";
    if response.min() > 0.0 && response.max() / response.min() < 1.05 {
        let sentence = format!(
            "Every answer took between {} and {}. A distribution of one bin is not drawn.",
            time(response.min()),
            time(response.max())
        );
        return Figure::sentence(NAME, format!("all {} answers alike", count(response.count())), sentence);
    }
    let bins = Bins::around(&[Some(response), service, Some(refused)]);
    let granted = bins.shares(response);
    let outline = service.map(|service| bins.shares(service));
    let failed = bins.shares(refused);
    let about = About {
        title: "Distribution of response times".to_owned(),
        figures: format!(
            "{} answers from {} to {}, median {}.",
            count(response.count()),
            time(response.min()),
            time(response.max()),
            time(response.at(0.5))
        ),
    };
    let svg = draw(WIDTH, HEIGHT, &about, |pen| {
        let frame = Frame::around(&bins, &granted, outline.as_deref());
        frame.axes(pen, &bins);
        frame.bars(pen, &granted);
        if let Some(outline) = &outline {
            frame.outline(pen, outline);
        }
        frame.hanging(pen, &failed);
        pen.line(&[(GUTTER, BASE), (RIGHT, BASE)], Ink::Base);
        frame.quantiles(pen, response);
    });
    let caption = match (service.is_some(), refused.count()) {
        (true, 0) => "share of answers; outline is service time".to_owned(),
        (true, _) => "share of answers; outline is service time, refused hang below".to_owned(),
        (false, 0) => "share of answers".to_owned(),
        (false, _) => "share of answers; refused hang below".to_owned(),
    };
    let (heads, rows) = table(&bins, &granted, outline.as_deref());
    Figure { name: NAME, caption, svg: Some(svg), instead: String::new(), heads, rows }
}

/// Bins equal in the logarithm: 26 a decade, fewer if there would be more than 56.
struct Bins {
    first: f64,
    per_decade: f64,
    count: usize,
}

impl Bins {
    fn around(clocks: &[Option<&Latency>]) -> Bins {
        let clocks: Vec<&Latency> = clocks.iter().flatten().copied().filter(|c| c.count() > 0).collect();
        let low = clocks.iter().map(|clock| clock.min()).fold(f64::INFINITY, f64::min).max(0.5);
        let high = clocks.iter().map(|clock| clock.max()).fold(low, f64::max);
        let decades = (high / low).log10();
        let per_decade = if decades * 26.0 > 54.0 { (54.0 / decades).floor().max(4.0) } else { 26.0 };
        let mut first = (low.log10() * per_decade).floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 60, at least 1")]
        let mut count = ((high.log10() * per_decade).floor() - first + 1.0).clamp(1.0, 60.0) as usize;
        if count < 20 {
            first -= ((20 - count) / 2) as f64;
            count = 20;
        }
        Bins { first, per_decade, count }
    }

    /// The lower edge of a bin, in microseconds.
    fn edge(&self, at: usize) -> f64 {
        10_f64.powf((self.first + at as f64) / self.per_decade)
    }

    /// The share of each bin in `latency`.
    fn shares(&self, latency: &Latency) -> Vec<f64> {
        let mut counts = vec![0u64; self.count];
        for (value, count) in latency.values() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the bins"
            )]
            let at = ((value.max(0.1).log10() * self.per_decade).floor() - self.first)
                .clamp(0.0, self.count as f64 - 1.0) as usize;
            counts[at] += count;
        }
        counts.iter().map(|count| *count as f64 / latency.count().max(1) as f64).collect()
    }
}

struct Frame {
    x: Scale,
    y: Scale,
    step: f64,
}

impl Frame {
    fn around(bins: &Bins, granted: &[f64], outline: Option<&[f64]>) -> Frame {
        let all = granted.iter().chain(outline.unwrap_or(&[]));
        let highest = all.copied().fold(0.0, f64::max);
        Frame {
            x: Scale::log((bins.edge(0), bins.edge(bins.count)), (GUTTER, RIGHT)),
            y: Scale::linear((0.0, highest * 1.05), (BASE, TOP)),
            step: (RIGHT - GUTTER) / bins.count as f64,
        }
    }

    fn axes(&self, pen: &mut Pen<'_>, bins: &Bins) {
        for figure in self.y.ticks(24.0, 4).into_iter().filter(|figure| *figure > 0.0) {
            let y = self.y.at(figure);
            pen.line(&[(GUTTER, y), (RIGHT, y)], Ink::Grid);
            pen.y_label(y, &format!("{}\u{a0}%", (figure * 1e4).round() / 100.0));
        }
        let ticks: Vec<(f64, String)> = Scale::log((bins.edge(0), bins.edge(bins.count)), (GUTTER, RIGHT))
            .ticks(58.0, 8)
            .into_iter()
            .map(|figure| (self.x.at(figure), tick(figure)))
            .collect();
        for (x, _) in &ticks {
            pen.line(&[(*x, BASE + HANG + 2.0), (*x, BASE + HANG + 6.0)], Ink::Base);
        }
        pen.x_labels(BASE + HANG + 17.0, &ticks, WIDTH - 2.0);
    }

    fn bars(&self, pen: &mut Pen<'_>, shares: &[f64]) {
        for (at, part) in shares.iter().enumerate().filter(|(_, part)| **part > 0.0) {
            let left = GUTTER + at as f64 * self.step;
            pen.bar((left + 0.5, BASE), (left + self.step - 0.5, self.y.at(*part)), Ink::RespFill);
        }
    }

    fn outline(&self, pen: &mut Pen<'_>, shares: &[f64]) {
        let mut points = vec![(GUTTER, BASE)];
        for (at, part) in shares.iter().enumerate() {
            let left = GUTTER + at as f64 * self.step;
            points.push((left, self.y.at(*part)));
            points.push((left + self.step, self.y.at(*part)));
        }
        points.push((RIGHT, BASE));
        pen.line(&points, Ink::ServOutline);
    }

    /// Refused answers on a scale of their own.
    fn hanging(&self, pen: &mut Pen<'_>, shares: &[f64]) {
        let most = shares.iter().copied().fold(0.0, f64::max);
        for (at, part) in shares.iter().enumerate().filter(|(_, part)| **part > 0.0) {
            let left = GUTTER + at as f64 * self.step;
            let depth = (part / most * HANG).max(2.0);
            pen.bar((left + 0.5, BASE + 1.0), (left + self.step - 0.5, BASE + 1.0 + depth), Ink::Bad);
        }
    }

    fn quantiles(&self, pen: &mut Pen<'_>, response: &Latency) {
        let mut free_from = f64::NEG_INFINITY;
        for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            if quantile > 0.5 && response.few_beyond(quantile) {
                continue;
            }
            let x = self.x.at(response.at(quantile));
            pen.line(&[(x, TOP - 4.0), (x, BASE)], Ink::Quantile);
            if x >= free_from {
                pen.word((x, TOP - 13.0), Side::Middle, name, Ink::Label);
                free_from = x + width_of(name).max(30.0);
            }
        }
    }
}

fn table(bins: &Bins, granted: &[f64], service: Option<&[f64]>) -> (Vec<String>, Vec<Vec<String>>) {
    let mut heads = vec!["from".to_owned(), "to".to_owned(), "response".to_owned()];
    if service.is_some() {
        heads.push("service".to_owned());
    }
    let rows = (0..bins.count)
        .filter(|at| granted[*at] > 0.0 || service.is_some_and(|service| service[*at] > 0.0))
        .map(|at| {
            let mut row = vec![time(bins.edge(at)), time(bins.edge(at + 1)), share(granted[at])];
            row.extend(service.map(|service| share(service[at])));
            row
        })
        .collect();
    (heads, rows)
}
