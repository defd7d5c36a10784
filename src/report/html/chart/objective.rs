//! The bar of an objective: how much of its limit was used. The limit always stands at the same place.

use super::{About, Ink, draw};
use crate::report::html::markup::Html;
use crate::results::wording::Margin;

const WIDTH: f64 = 190.0;
const HEIGHT: f64 = 14.0;
const LIMIT: f64 = 130.0;

/// The bar of `margin`; red if it was missed.
pub(in crate::report::html) fn bar(margin: Margin, missed: bool) -> Html {
    let about = About { title: margin.words(), figures: String::new() };
    let ink = if missed { Ink::Bad } else { Ink::RespFill };
    let end = (margin.used * LIMIT).clamp(0.0, WIDTH);
    let beyond = margin.used * LIMIT > WIDTH;
    draw(WIDTH, HEIGHT, &about, |pen| {
        pen.bar((0.0, 4.0), (WIDTH, 10.0), Ink::Sunk);
        pen.bar((0.0, 4.0), (if beyond { WIDTH - 6.0 } else { end.max(1.0) }, 10.0), ink);
        if beyond {
            pen.area(&[(WIDTH - 7.0, 1.0), (WIDTH, 7.0), (WIDTH - 7.0, 13.0)], ink);
        }
        pen.line(&[(LIMIT, 1.0), (LIMIT, 13.0)], Ink::Solid);
    })
}
