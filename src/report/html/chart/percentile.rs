//! The percentile curve: how slow the slow ones were, both clocks, the tail at its true width.

use std::fmt::Write as _;

use super::scale::Scale;
use super::{About, Figure, GUTTER, Ink, Pen, Side, draw, width_of};
use crate::report::html::latency::{Latency, Limit};
use crate::results::wording::{count, tick, time};

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 208.0;
const TOP: f64 = 12.0;
const BASE: f64 = 182.0;
const RIGHT: f64 = 330.0;
const SAMPLES: [(&str, f64); 7] = [
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// The curve of `response`, and of `service` for an open load.
pub(in crate::report::html) fn curve(
    response: &Latency,
    service: Option<&Latency>,
    limits: &[Limit],
) -> Figure {
    let about =
        About { title: "Response time by percentile".to_owned(), figures: figures(response, service) };
    let frame = Frame::around(response, service, limits);
    let svg = draw(WIDTH, HEIGHT, &about, |pen| {
        frame.axes(pen);
        if let Some(service) = service {
            frame.gap(pen, response, service);
            frame.clock(pen, service, Ink::Serv, Ink::ServFew);
        }
        frame.clock(pen, response, Ink::Resp, Ink::RespFew);
        frame.limits(pen, limits);
        frame.names(pen, response, service);
    });
    let mut caption = match service {
        Some(_) => "how slow the slow ones were".to_owned(),
        None => "closed load: response is service".to_owned(),
    };
    for limit in limits.iter().filter(|limit| limit.micros > frame.top_figure) {
        let _ = write!(caption, "; {} limit {}, far above", limit.name, tick(limit.micros));
    }
    let (heads, rows) = table(response, service);
    Figure { name: "By percentile", caption, svg: Some(svg), instead: String::new(), heads, rows }
}

struct Frame {
    x: Scale,
    y: Scale,
    last: f64,
    top_figure: f64,
}

impl Frame {
    fn around(response: &Latency, service: Option<&Latency>, limits: &[Limit]) -> Frame {
        let low = service.map_or(response.min(), |service| service.min().min(response.min()));
        let high = service.map_or(response.max(), |service| service.max().max(response.max()));
        // A limit far above would press the curve to the ground; the caption names it instead.
        let top_figure = high * 2.0;
        let near = limits.iter().map(|limit| limit.micros).filter(|micros| *micros <= top_figure);
        let high = near.fold(high, f64::max);
        let last = (response.count().max(20) as f64).min(1e6);
        Frame {
            x: Scale::log((1.0, last), (GUTTER + 4.0, RIGHT)),
            y: Scale::for_times((low, high), (BASE, TOP)),
            last,
            top_figure,
        }
    }

    fn axes(&self, pen: &mut Pen<'_>) {
        for figure in self.y.ticks(19.0, 5) {
            let y = self.y.at(figure);
            pen.line(&[(GUTTER, y), (RIGHT, y)], Ink::Grid);
            pen.y_label(y, &tick(figure));
        }
        pen.line(&[(GUTTER, BASE), (RIGHT, BASE)], Ink::Base);
        let marks =
            [("p50", 2.0), ("p90", 10.0), ("p99", 1e2), ("p99.9", 1e3), ("p99.99", 1e4), ("p99.999", 1e5)];
        let ticks: Vec<(f64, String)> = marks
            .iter()
            .filter(|(_, inverse)| *inverse <= self.last)
            .map(|(name, inverse)| (self.x.at(*inverse), (*name).to_owned()))
            .collect();
        for (x, _) in &ticks {
            pen.line(&[(*x, BASE), (*x, BASE + 4.0)], Ink::Base);
        }
        pen.x_labels(BASE + 15.0, &ticks, WIDTH - 4.0);
    }

    /// The points of a clock up to where one answer is left.
    fn points(&self, latency: &Latency) -> Vec<(f64, (f64, f64))> {
        let steps = 140;
        let last = (latency.count().max(2) as f64).min(self.last);
        (0..=steps)
            .map(|step| {
                let inverse = last.powf(f64::from(step) / f64::from(steps));
                let quantile = 1.0 - 1.0 / inverse;
                (quantile, (self.x.at(inverse), self.y.at(latency.at(quantile))))
            })
            .collect()
    }

    /// Solid while ten answers lie beyond, dotted after.
    fn clock(&self, pen: &mut Pen<'_>, latency: &Latency, ink: Ink, few: Ink) {
        let points = self.points(latency);
        let sure = points.iter().take_while(|(quantile, _)| !latency.few_beyond(*quantile)).count();
        let places: Vec<(f64, f64)> = points.iter().map(|(_, place)| *place).collect();
        pen.line(&places[..sure], ink);
        pen.line(&places[sure.saturating_sub(1)..], few);
    }

    fn gap(&self, pen: &mut Pen<'_>, response: &Latency, service: &Latency) {
        let mut outline: Vec<(f64, f64)> = self.points(response).into_iter().map(|(_, at)| at).collect();
        outline.extend(self.points(service).into_iter().rev().map(|(_, at)| at));
        pen.area(&outline, Ink::Gap);
    }

    fn limits(&self, pen: &mut Pen<'_>, limits: &[Limit]) {
        for limit in limits.iter().filter(|limit| limit.micros <= self.top_figure && limit.quantile < 1.0) {
            let (x, y) = (self.x.at(1.0 / (1.0 - limit.quantile)), self.y.at(limit.micros));
            pen.line(&[(x - 22.0, y), (x + 22.0, y)], Ink::Solid);
            let word = format!("limit {}", tick(limit.micros));
            if x - 28.0 - width_of(&word) > GUTTER {
                pen.word((x - 28.0, y), Side::End, &word, Ink::Limit);
            }
        }
    }

    /// The names at the right end, pushed apart.
    fn names(&self, pen: &mut Pen<'_>, response: &Latency, service: Option<&Latency>) {
        let mut upper = self.y.at(response.max()).clamp(TOP + 2.0, BASE - 20.0);
        if let Some(service) = service {
            let mut lower = self.y.at(service.max()).clamp(TOP + 2.0, BASE - 20.0);
            if lower < upper + 34.0 {
                lower = upper + 34.0;
            }
            if lower > BASE - 20.0 {
                lower = BASE - 20.0;
                upper = upper.min(lower - 34.0);
            }
            name(pen, lower, "service", service.max(), Ink::Serv);
        }
        name(pen, upper, "response", response.max(), Ink::Resp);
    }
}

fn name(pen: &mut Pen<'_>, y: f64, word: &str, max: f64, ink: Ink) {
    pen.word((RIGHT + 8.0, y), Side::Start, word, ink);
    pen.word((RIGHT + 8.0, y + 14.0), Side::Start, &format!("max {}", time(max)), Ink::Label);
}

fn figures(response: &Latency, service: Option<&Latency>) -> String {
    let of = |name: &str, latency: &Latency| {
        let parts: Vec<String> = SAMPLES
            .iter()
            .filter(|(_, quantile)| !latency.few_beyond(*quantile))
            .map(|(name, quantile)| format!("{name} {}", time(latency.at(*quantile))))
            .collect();
        format!(
            "{name}, {} answers: {}, highest {}.",
            count(latency.count()),
            parts.join(", "),
            time(latency.max())
        )
    };
    let mut text = of("Response", response);
    if let Some(service) = service {
        text.push(' ');
        text.push_str(&of("Service", service));
    }
    text
}

fn table(response: &Latency, service: Option<&Latency>) -> (Vec<String>, Vec<Vec<String>>) {
    let mut heads = vec!["percentile".to_owned(), "response".to_owned()];
    if service.is_some() {
        heads.push("service".to_owned());
    }
    heads.push("answers beyond".to_owned());
    let rows = SAMPLES
        .iter()
        .map(|(name, quantile)| {
            let mut row = vec![(*name).to_owned(), time(response.at(*quantile))];
            row.extend(service.map(|service| time(service.at(*quantile))));
            row.push(count(beyond(response, *quantile)));
            row
        })
        .collect();
    (heads, rows)
}

fn beyond(latency: &Latency, quantile: f64) -> u64 {
    let at = latency.at(quantile);
    latency.values().filter(|(value, _)| *value > at).map(|(_, count)| count).sum()
}
