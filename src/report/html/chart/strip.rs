//! The strip: fewer than twenty answers are shown one by one, not summed up.

use super::scale::Scale;
use super::{About, Figure, GUTTER, Ink, Side, draw};
use crate::report::html::latency::Latency;
use crate::results::wording::{many, tick, time};

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 104.0;
const BASE: f64 = 80.0;
const RIGHT: f64 = 418.0;

/// Every answer a dot; both clocks in two rows, or one row for a closed load.
pub(in crate::report::html) fn dots(response: &Latency, service: Option<&Latency>) -> Figure {
    let median = response.at(0.5);
    let about = About {
        title: "Every answer".to_owned(),
        figures: format!(
            "{}: lowest {}, median {}, highest {}.",
            many(response.count(), "answer", "answers"),
            time(response.min()),
            time(median),
            time(response.max())
        ),
    };
    let low = service.map_or(response.min(), |service| service.min().min(response.min()));
    let high = service.map_or(response.max(), |service| service.max().max(response.max()));
    let x = Scale::log((low.max(0.5) * 0.7, high.max(1.0) * 1.5), (GUTTER, RIGHT));
    let svg = draw(WIDTH, HEIGHT, &about, |pen| {
        let ticks: Vec<(f64, String)> =
            x.ticks(44.0, 7).into_iter().map(|figure| (x.at(figure), tick(figure))).collect();
        for (at, _) in &ticks {
            pen.line(&[(*at, 22.0), (*at, BASE)], Ink::Grid);
        }
        pen.line(&[(GUTTER, BASE), (RIGHT, BASE)], Ink::Base);
        pen.x_labels(BASE + 14.0, &ticks, WIDTH - 2.0);
        pen.line(&[(x.at(median), 18.0), (x.at(median), BASE)], Ink::Quantile);
        pen.word(
            (x.at(median).clamp(120.0, 340.0), 10.0),
            Side::Middle,
            &format!("median {}", time(median)),
            Ink::Label,
        );
        pen.word((51.0, 42.0), Side::End, "resp.", Ink::Resp);
        for value in each(response) {
            pen.dot((x.at(value), 42.0), 3.5, Ink::Resp);
        }
        if let Some(service) = service {
            pen.word((51.0, 62.0), Side::End, "serv.", Ink::Serv);
            for value in each(service) {
                pen.ring((x.at(value), 62.0), 3.0, Ink::ServOutline);
            }
        }
    });
    let mut heads = vec!["answer".to_owned(), "response".to_owned()];
    let services: Vec<f64> = service.map(|service| each(service).collect()).unwrap_or_default();
    if service.is_some() {
        heads.push("service".to_owned());
    }
    let rows = each(response)
        .enumerate()
        .map(|(at, value)| {
            let mut row = vec![format!("{}", at + 1), time(value)];
            row.extend(services.get(at).map(|value| time(*value)));
            row
        })
        .collect();
    Figure {
        name: "By percentile",
        caption: format!("{}, too few for percentiles", many(response.count(), "answer", "answers")),
        svg: Some(svg),
        instead: String::new(),
        heads,
        rows,
    }
}

fn each(latency: &Latency) -> impl Iterator<Item = f64> {
    latency.values().flat_map(|(value, count)| (0..count).map(move |_| value)).take(19)
}
