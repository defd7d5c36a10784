//! Charts as SVG: plotters draws shapes, we place every tick and every word.
//!
//! plotters' mesh, captions and legends stay off: they guess the width of text. Its coordinates are whole
//! numbers, so it draws ten to the unit. Colors are sentinels that become classes, so that the page's
//! sheet decides color, width and dash, and one SVG serves light, dark, phone and print.

pub(super) mod bits;
pub(super) mod distribution;
pub(super) mod objective;
pub(super) mod percentile;
pub(super) mod race;
pub(super) mod scale;
pub(super) mod strip;
pub(super) mod time;
pub(super) mod trend;
pub(super) mod versus;

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TextStyle};

use super::markup::Html;
use crate::report::clean;

/// Units of the drawing to one of the box.
const FINE: f64 = 10.0;
/// The left gutter, for the labels of y.
pub(super) const GUTTER: f64 = 56.0;
/// Where the labels of y end.
const LABEL_END: f64 = 51.0;
/// The size of chart text on a phone, the larger of the two: what fits at it fits.
const TEXT: f64 = 13.5;

/// What something is drawn as; the class in the page's sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Grid,
    Base,
    Label,
    Name,
    Resp,
    RespHeavy,
    RespMiddle,
    RespThin,
    RespFew,
    RespFill,
    Serv,
    ServThin,
    ServOutline,
    ServFew,
    Gap,
    Asked,
    Starved,
    Bad,
    BadMid,
    BadLow,
    Slip,
    Sunk,
    Limit,
    Quantile,
    Stage,
    Solid,
    Plain,
    B,
    BLine,
    BFew,
    BFill,
    StepLine,
}

const INKS: [(Ink, &str); 32] = [
    (Ink::Grid, "grid"),
    (Ink::Base, "base"),
    (Ink::Label, "label"),
    (Ink::Name, "name"),
    (Ink::Resp, "resp"),
    (Ink::RespHeavy, "resp-heavy"),
    (Ink::RespMiddle, "resp-middle"),
    (Ink::RespThin, "resp-thin"),
    (Ink::RespFew, "resp-few"),
    (Ink::RespFill, "respfill"),
    (Ink::Serv, "serv"),
    (Ink::ServThin, "serv-thin"),
    (Ink::ServOutline, "serv-outline"),
    (Ink::ServFew, "serv-few"),
    (Ink::Gap, "gap"),
    (Ink::Asked, "asked"),
    (Ink::Starved, "starved"),
    (Ink::Bad, "bad"),
    (Ink::BadMid, "badmid"),
    (Ink::BadLow, "badlow"),
    (Ink::Slip, "slip"),
    (Ink::Sunk, "sunk"),
    (Ink::Limit, "limit"),
    (Ink::Quantile, "quantile"),
    (Ink::Stage, "stage"),
    (Ink::Solid, "solid"),
    (Ink::Plain, "plain"),
    (Ink::B, "b"),
    (Ink::BLine, "b-line"),
    (Ink::BFew, "b-few"),
    (Ink::BFill, "bfill"),
    (Ink::StepLine, "step"),
];

impl Ink {
    /// A color that nothing else has: it is replaced by the class.
    fn sentinel(self) -> RGBColor {
        let at = INKS.iter().position(|(ink, _)| *ink == self).unwrap_or(0);
        RGBColor(1, 2, u8::try_from(at).unwrap_or(0))
    }
}

/// On which side of its place a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It begins there.
    Start,
    /// It is centered there.
    Middle,
    /// It ends there.
    End,
}

/// What a chart says to who does not see it.
pub(super) struct About {
    /// Its name.
    pub(super) title: String,
    /// Its figures, as sentences.
    pub(super) figures: String,
}

/// A chart in the page: its caption, the drawing or a sentence in its place, and the same figures as a table.
pub(super) struct Figure {
    /// What it shows, in bold.
    pub(super) name: &'static str,
    /// How to read it.
    pub(super) caption: String,
    /// The drawing; without one, `instead` says why.
    pub(super) svg: Option<Html>,
    /// What stands in place of a drawing.
    pub(super) instead: String,
    /// The heads of the table.
    pub(super) heads: Vec<String>,
    /// Its rows.
    pub(super) rows: Vec<Vec<String>>,
}

impl Figure {
    /// A sentence where a drawing would say nothing.
    pub(super) fn sentence(name: &'static str, caption: String, sentence: String) -> Figure {
        Figure { name, caption, svg: None, instead: sentence, heads: Vec::new(), rows: Vec::new() }
    }
}

/// Draws into a box `width` by `height`.
pub(super) struct Pen<'a> {
    backend: SVGBackend<'a>,
}

/// A drawing of `width` by `height` units, with its name and its figures in words.
pub(super) fn draw(width: f64, height: f64, about: &About, with: impl FnOnce(&mut Pen<'_>)) -> Html {
    let mut text = String::new();
    {
        let mut pen = Pen { backend: SVGBackend::with_string(&mut text, (size(width), size(height))) };
        with(&mut pen);
        // Writing into a String cannot fail.
        drop(pen.backend.present());
    }
    Html::ours(finish(&text, width, height, about))
}

fn size(units: f64) -> u32 {
    u32::try_from(fine(units)).unwrap_or(0)
}

/// Whole tenths, kept within what a picture may hold.
fn fine(units: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    let whole = (units * FINE).round().clamp(-1e6, 1e6) as i32;
    whole
}

fn place((x, y): (f64, f64)) -> (i32, i32) {
    (fine(x), fine(y))
}

impl Pen<'_> {
    /// A line through `points`, as it is: never smoothed.
    pub(super) fn line(&mut self, points: &[(f64, f64)], ink: Ink) {
        if points.len() > 1 {
            let path = points.iter().copied().map(place);
            drop(self.backend.draw_path(path, &ink.sentinel().stroke_width(1)));
        }
    }

    /// A filled shape.
    pub(super) fn area(&mut self, points: &[(f64, f64)], ink: Ink) {
        if points.len() > 2 {
            let path = points.iter().copied().map(place);
            drop(self.backend.fill_polygon(path, &ink.sentinel().filled()));
        }
    }

    /// A filled rectangle from corner to corner.
    pub(super) fn bar(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        let upper = (from.0.min(to.0), from.1.min(to.1));
        let lower = (from.0.max(to.0), from.1.max(to.1));
        drop(self.backend.draw_rect(place(upper), place(lower), &ink.sentinel().filled(), true));
    }

    /// A filled dot.
    pub(super) fn dot(&mut self, center: (f64, f64), radius: f64, ink: Ink) {
        drop(self.backend.draw_circle(place(center), size(radius), &ink.sentinel().filled(), true));
    }

    /// An open ring.
    pub(super) fn ring(&mut self, center: (f64, f64), radius: f64, ink: Ink) {
        drop(self.backend.draw_circle(place(center), size(radius), &ink.sentinel().stroke_width(1), false));
    }

    /// A word whose middle line is at `at`.
    pub(super) fn word(&mut self, at: (f64, f64), side: Side, word: &str, ink: Ink) {
        let across = match side {
            Side::Start => HPos::Left,
            Side::Middle => HPos::Center,
            Side::End => HPos::Right,
        };
        let color = ink.sentinel();
        let style: TextStyle<'_> =
            ("sans-serif", 10).into_font().color(&color).pos(Pos::new(across, VPos::Center));
        drop(self.backend.draw_text(&clean::line(word), &style, place(at)));
    }

    /// The label of a y tick, in the gutter.
    pub(super) fn y_label(&mut self, y: f64, word: &str) {
        self.word((LABEL_END, y), Side::End, word, Ink::Label);
    }

    /// The labels of x ticks: centered, thinned where they would touch, the last kept inside `edge`.
    pub(super) fn x_labels(&mut self, y: f64, ticks: &[(f64, String)], edge: f64) {
        let mut free_from = f64::NEG_INFINITY;
        for (x, word) in ticks {
            let width = width_of(word);
            let (side, left) = if x + width / 2.0 > edge {
                (Side::End, edge - width)
            } else {
                (Side::Middle, x - width / 2.0)
            };
            if left < free_from {
                continue;
            }
            let at = if side == Side::End { edge } else { *x };
            self.word((at, y), side, word, Ink::Label);
            free_from = left + width + 8.0;
        }
    }
}

/// About how wide a word is: enough to decide whether to draw it.
pub(super) fn width_of(word: &str) -> f64 {
    0.62 * TEXT * word.chars().count() as f64
}

/// From what plotters wrote to what the page holds.
fn finish(svg: &str, width: f64, height: f64, about: &About) -> String {
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let body = body.rsplit_once("</svg>").map_or(body, |(body, _)| body);
    let mut text = body.replace('\n', "");
    for noise in [
        " opacity=\"1\"",
        " stroke-width=\"1\"",
        " fill=\"none\"",
        " stroke=\"none\"",
        " font-family=\"sans-serif\"",
        " dy=\"0.5ex\"",
        " text-anchor=\"start\"",
    ] {
        text = text.replace(noise, "");
    }
    text = text.replace(&format!(" font-size=\"{}\"", 10.0 / 1.24), "").replace(" \"/>", "\"/>");
    for (at, (_, name)) in INKS.iter().enumerate() {
        text = text
            .replace(&format!("stroke=\"#0102{at:02X}\""), &format!("class=\"s-{name}\""))
            .replace(&format!("fill=\"#0102{at:02X}\""), &format!("class=\"f-{name}\""));
    }
    let (title, figures) = (Html::prose(&about.title), Html::prose(&about.figures));
    let (plain_title, figures) = (strip_tags(&title.to_string()), strip_tags(&figures.to_string()));
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{plain_title}\">\
         <title>{plain_title}</title><desc>{figures}</desc>{text}</svg>",
        size(width),
        size(height)
    )
}

/// Escaped prose without its markup: for attributes and titles.
fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            other if !inside => text.push(other),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_classes_instead_of_colors_and_no_inline_style() {
        let about = About { title: "A <b>".to_owned(), figures: "p50 1 ms".to_owned() };
        let svg = draw(440.0, 100.0, &about, |pen| {
            pen.line(&[(0.0, 0.0), (10.25, 5.0)], Ink::Resp);
            pen.bar((20.0, 90.0), (30.0, 50.0), Ink::RespFill);
            pen.word((5.0, 5.0), Side::End, "µ<", Ink::Label);
        })
        .to_string();
        assert_eq!(
            svg,
            "<svg class=\"chart\" viewBox=\"0 0 4400 1000\" role=\"img\" aria-label=\"A &lt;b&gt;\"><title>A \
             &lt;b&gt;</title><desc>p50 1 ms</desc><polyline class=\"s-resp\" points=\"0,0 103,50\"/><rect \
             x=\"200\" y=\"500\" width=\"100\" height=\"400\" class=\"f-respfill\"/><text x=\"50\" y=\"50\" \
             text-anchor=\"end\" class=\"f-label\">µ&lt;</text></svg>"
        );
    }

    #[test]
    fn labels_that_would_touch_are_left_out_and_the_last_stays_inside() {
        let about = About { title: String::new(), figures: String::new() };
        let ticks: Vec<(f64, String)> =
            [60.0, 70.0, 200.0, 438.0].iter().map(|x| (*x, format!("{x} ms"))).collect();
        let svg = draw(440.0, 20.0, &about, |pen| pen.x_labels(10.0, &ticks, 440.0)).to_string();
        assert!(svg.contains(">60 ms<") && !svg.contains(">70 ms<") && svg.contains(">200 ms<"), "{svg}");
        assert!(svg.contains("x=\"4400\" y=\"100\" text-anchor=\"end\" class=\"f-label\">438 ms"), "{svg}");
    }
}
