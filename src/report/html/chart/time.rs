//! Over time: answers, response time, errors and slip in four panels over one axis.

use super::scale::{Scale, seconds};
use super::{About, Figure, GUTTER, Ink, Pen, Side, draw, width_of};
use crate::report::html::latency::Limit;
use crate::results::wording::{clock, count, duration, many, tick, time};
use crate::results::{LoadModel, LoadResult, Second};

const WIDTH: f64 = 440.0;
const RIGHT: f64 = 402.0;
/// More points than this on x are drawn as bands.
const MOST: usize = 600;

/// The panels of `profile`.
pub(in crate::report::html) fn panels(profile: &LoadResult, limits: &[Limit]) -> Figure {
    const NAME: &str = "Over time";
    if profile.series.len() < 2 {
        let answered: u64 = profile.series.iter().map(|second| second.answered).sum();
        let sentence = format!(
            "One second of load with {}: there is no course to draw.",
            many(answered, "answer", "answers")
        );
        return Figure::sentence(NAME, "one axis".to_owned(), sentence);
    }
    let frame = Frame::of(profile, limits);
    let svg = draw(WIDTH, frame.height(), &frame.about(), |pen| frame.draw(pen));
    let (heads, rows) = table(profile);
    Figure { name: NAME, caption: frame.caption(), svg: Some(svg), instead: String::new(), heads, rows }
}

/// A panel's top and bottom.
#[derive(Clone, Copy)]
struct Panel {
    top: f64,
    base: f64,
}

const ANSWERS: Panel = Panel { top: 38.0, base: 124.0 };
const RESPONSE: Panel = Panel { top: 154.0, base: 266.0 };
const ERRORS: Panel = Panel { top: 296.0, base: 338.0 };
const SLIP: Panel = Panel { top: 368.0, base: 394.0 };

struct Frame<'a> {
    profile: &'a LoadResult,
    limit: Option<&'a Limit>,
    x: Scale,
    until: f64,
    /// Pieces of the series without a gap, thinned by bands if there are many.
    columns: Vec<Vec<Column>>,
    banded: bool,
}

/// One place on x: a second, or a stretch of them as lowest, median and highest.
struct Column {
    at: f64,
    asked: f64,
    answered: Spread,
    starved: f64,
    errors: Vec<f64>,
    response: Option<[Spread; 3]>,
    service: Option<f64>,
    slip: Option<f64>,
}

#[derive(Clone, Copy)]
struct Spread {
    low: f64,
    middle: f64,
    high: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        Some(Spread { low, middle: values[values.len() / 2], high })
    }
}

impl Column {
    fn of(seconds: &[&Second], classes: usize) -> Column {
        let figures = |figure: &dyn Fn(&Second) -> Option<f64>| -> Vec<f64> {
            seconds.iter().filter_map(|second| figure(second)).collect()
        };
        let highest = |figure: &dyn Fn(&Second) -> Option<f64>| figures(figure).into_iter().reduce(f64::max);
        let response = |at: usize| Spread::of(figures(&|s| s.response_us.map(|r| r[at] as f64)));
        let mut errors = vec![0.0; classes];
        for (class, count) in seconds.iter().flat_map(|second| &second.errors) {
            if let Some(sum) = errors.get_mut(*class as usize) {
                *sum += *count as f64 / seconds.len() as f64;
            }
        }
        Column {
            at: f64::from(seconds[0].at_s) + seconds.len() as f64 / 2.0,
            asked: Spread::of(figures(&|s| Some(s.asked as f64))).map_or(0.0, |spread| spread.middle),
            answered: Spread::of(figures(&|s| Some(s.answered as f64))).unwrap_or(Spread {
                low: 0.0,
                middle: 0.0,
                high: 0.0,
            }),
            starved: highest(&|s| Some(s.starved as f64)).unwrap_or(0.0),
            errors,
            response: response(0).zip(response(1)).zip(response(2)).map(|((a, b), c)| [a, b, c]),
            service: Spread::of(figures(&|s| s.service_us.map(|r| r[1] as f64))).map(|spread| spread.middle),
            slip: highest(&|s| s.slip_us_p99.map(|slip| slip as f64)),
        }
    }
}

impl<'a> Frame<'a> {
    fn of(profile: &'a LoadResult, limits: &'a [Limit]) -> Frame<'a> {
        let last = profile.series.iter().map(|second| second.at_s).max().unwrap_or(0);
        let until = f64::from(last) + 1.0;
        let group = profile.series.len().div_ceil(if profile.series.len() > MOST { 176 } else { MOST });
        let mut pieces: Vec<Vec<&Second>> = Vec::new();
        for second in &profile.series {
            match pieces.last_mut() {
                Some(piece)
                    if piece.last().is_some_and(|last| last.at_s.saturating_add(1) == second.at_s) =>
                {
                    piece.push(second);
                }
                _ => pieces.push(vec![second]),
            }
        }
        let classes = profile.errors.len();
        let columns: Vec<Vec<Column>> = pieces
            .iter()
            .map(|piece| piece.chunks(group).map(|seconds| Column::of(seconds, classes)).collect())
            .collect();
        Frame {
            profile,
            limit: limits.iter().find(|limit| limit.name == "p99"),
            x: Scale::linear((0.0, until), (GUTTER, RIGHT)),
            until,
            columns,
            banded: group > 1,
        }
    }

    fn open(&self) -> bool {
        self.profile.model == LoadModel::Open
    }

    fn height(&self) -> f64 {
        if self.has_slip() { 424.0 } else { 368.0 }
    }

    fn has_slip(&self) -> bool {
        self.open() && self.profile.series.iter().any(|second| second.slip_us_p99.is_some())
    }

    fn base(&self) -> f64 {
        if self.has_slip() { SLIP.base } else { ERRORS.base }
    }

    fn all(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().flatten()
    }

    fn caption(&self) -> String {
        let mut parts = vec!["one axis".to_owned()];
        if self.profile.warm_up_us > 0 {
            parts.push("shaded is warm-up, not counted".to_owned());
        }
        if self.banded {
            let each = self.until / self.all().count().max(1) as f64;
            parts.push(format!("band is lowest to highest second of each {each:.0}\u{a0}s, line the median"));
        }
        let high = self.all().filter_map(|column| column.response).map(|r| r[2].high).fold(0.0, f64::max);
        if let Some(limit) = self.limit.filter(|limit| high > 0.0 && limit.micros > high * 2.0) {
            parts.push(format!("p99 limit {}, far above", tick(limit.micros)));
        }
        if self.columns.len() > 1 {
            parts.push("the line breaks where there is no data".to_owned());
        }
        parts.join("; ")
    }

    fn about(&self) -> About {
        let worst = self.worst().map_or_else(String::new, |(at, micros)| {
            format!(" The worst second began at {} with p99 {}.", clock(at), time(micros))
        });
        let answered: u64 = self.profile.series.iter().map(|second| second.answered).sum();
        About {
            title: "The profile over time".to_owned(),
            figures: format!("{} answered in {}.{worst}", count(answered), duration(self.profile.took_us)),
        }
    }

    /// The second with the highest p99: when, in microseconds, and how high.
    fn worst(&self) -> Option<(u64, f64)> {
        self.profile
            .series
            .iter()
            .filter_map(|second| Some((u64::from(second.at_s) * 1_000_000, second.response_us?[2] as f64)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        self.grounds(pen);
        self.stages(pen);
        self.answers(pen);
        self.response(pen);
        self.errors(pen);
        if self.has_slip() {
            self.slip(pen);
        }
        let (ticks, label) = seconds(self.until, 5);
        let ticks: Vec<(f64, String)> = ticks.into_iter().map(|at| (self.x.at(at), label(at))).collect();
        for (x, _) in &ticks {
            pen.line(&[(*x, self.base()), (*x, self.base() + 4.0)], Ink::Base);
        }
        pen.x_labels(self.base() + 16.0, &ticks, WIDTH - 2.0);
    }

    /// Warm-up, and stretches without data.
    fn grounds(&self, pen: &mut Pen<'_>) {
        let mut ground = |from: f64, to: f64| {
            pen.bar((self.x.at(from), ANSWERS.top - 12.0), (self.x.at(to), self.base()), Ink::Sunk);
        };
        if self.profile.warm_up_us > 0 {
            ground(0.0, self.profile.warm_up_us as f64 / 1e6);
        }
        let edges: Vec<(f64, f64)> = self.gaps();
        for (from, to) in &edges {
            ground(*from, *to);
        }
        for (from, to) in edges {
            let middle = f64::midpoint(self.x.at(from), self.x.at(to));
            if self.x.at(to) - self.x.at(from) > width_of("no data") {
                pen.word((middle, ANSWERS.top + 34.0), Side::Middle, "no data", Ink::Label);
            }
        }
    }

    fn gaps(&self) -> Vec<(f64, f64)> {
        let seconds = &self.profile.series;
        seconds
            .windows(2)
            .filter(|pair| pair[1].at_s > pair[0].at_s.saturating_add(1))
            .map(|pair| (f64::from(pair[0].at_s) + 1.0, f64::from(pair[1].at_s)))
            .collect()
    }

    fn stages(&self, pen: &mut Pen<'_>) {
        let mut free_from = GUTTER - 10.0;
        for stage in &self.profile.stages {
            let x = self.x.at(stage.at_us as f64 / 1e6);
            if stage.at_us > 0 {
                pen.line(&[(x, 4.0), (x, self.base())], Ink::Quantile);
            }
            let width = width_of(&stage.name);
            if stage.name != "warm-up" && x >= free_from && x + 4.0 + width < WIDTH {
                pen.word((x + 4.0, 9.0), Side::Start, &stage.name, Ink::Stage);
                free_from = x + width + 12.0;
            }
        }
    }

    fn panel(pen: &mut Pen<'_>, panel: Panel, name: &str) {
        pen.word((GUTTER, panel.top - 10.0), Side::Start, name, Ink::Name);
        pen.line(&[(GUTTER, panel.base), (RIGHT, panel.base)], Ink::Base);
    }

    fn rules(pen: &mut Pen<'_>, y: &Scale, ticks: &[f64], label: impl Fn(f64) -> String) {
        for figure in ticks {
            let at = y.at(*figure);
            pen.line(&[(GUTTER, at), (RIGHT, at)], Ink::Grid);
            pen.y_label(at, &label(*figure));
        }
    }

    fn answers(&self, pen: &mut Pen<'_>) {
        let highest = self.all().map(|column| column.asked.max(column.answered.high)).fold(1.0, f64::max);
        let y = Scale::linear((0.0, highest * 1.1), (ANSWERS.base, ANSWERS.top));
        let ticks: Vec<f64> = y.ticks(24.0, 3).into_iter().filter(|tick| *tick > 0.0).collect();
        let label = |figure: f64| {
            if figure >= 1.0 { crate::results::wording::rate(figure) } else { format!("{figure}/s") }
        };
        Self::rules(pen, &y, &ticks, label);
        Self::panel(pen, ANSWERS, "answers per second");
        for piece in &self.columns {
            self.starved(pen, piece, &y);
            self.band(pen, piece, &y, |column| Some(column.answered));
            if self.open() {
                pen.line(&self.points(piece, &y, |column| Some(column.asked)), Ink::Asked);
            }
            pen.line(&self.points(piece, &y, |column| Some(column.answered.middle)), Ink::RespMiddle);
        }
    }

    /// What was asked for and starved, between the two lines.
    fn starved(&self, pen: &mut Pen<'_>, piece: &[Column], y: &Scale) {
        for run in piece.chunk_by(|a, b| (a.starved > 0.0) == (b.starved > 0.0)) {
            if run.len() > 1 && run[0].starved > 0.0 {
                let mut outline = self.points(run, y, |column| Some(column.asked));
                let lower = self.points(run, y, |column| Some((column.asked - column.starved).max(0.0)));
                outline.extend(lower.into_iter().rev());
                pen.area(&outline, Ink::Starved);
            }
        }
    }

    fn points(
        &self,
        piece: &[Column],
        y: &Scale,
        figure: impl Fn(&Column) -> Option<f64>,
    ) -> Vec<(f64, f64)> {
        piece.iter().filter_map(|c| figure(c).map(|value| (self.x.at(c.at), y.at(value)))).collect()
    }

    /// Lowest to highest second, where a column stands for several.
    fn band(
        &self,
        pen: &mut Pen<'_>,
        piece: &[Column],
        y: &Scale,
        spread: impl Fn(&Column) -> Option<Spread>,
    ) {
        if !self.banded {
            return;
        }
        let mut outline = self.points(piece, y, |column| spread(column).map(|spread| spread.high));
        let lower = self.points(piece, y, |column| spread(column).map(|spread| spread.low));
        outline.extend(lower.into_iter().rev());
        pen.area(&outline, Ink::RespFill);
    }

    fn response(&self, pen: &mut Pen<'_>) {
        Self::panel(pen, RESPONSE, if self.open() { "response time" } else { "response time (is service)" });
        let values = || self.all().filter_map(|column| column.response);
        let low = values().map(|r| r[0].low).fold(f64::INFINITY, f64::min);
        let high = values().map(|r| r[2].high).fold(0.0, f64::max);
        if high <= 0.0 {
            let middle = f64::midpoint(GUTTER, RIGHT);
            pen.word((middle, RESPONSE.top + 50.0), Side::Middle, "nothing was granted", Ink::Label);
            return;
        }
        let limit = self.limit.filter(|limit| limit.micros <= high * 2.0);
        let high_or_limit = limit.map_or(high, |limit| limit.micros.max(high));
        let y = Scale::for_times((low, high_or_limit), (RESPONSE.base, RESPONSE.top));
        Self::rules(pen, &y, &y.ticks(19.0, 5), tick);
        for piece in &self.columns {
            self.response_lines(pen, piece, &y);
        }
        if let Some(limit) = limit {
            let at = y.at(limit.micros);
            pen.line(&[(GUTTER, at), (RIGHT, at)], Ink::Limit);
            let word = format!("p99 limit {}", tick(limit.micros));
            let above = if at - RESPONSE.top > 16.0 { -9.0 } else { 9.0 };
            pen.word((f64::midpoint(GUTTER, RIGHT), at + above), Side::Middle, &word, Ink::Limit);
        }
        if self.banded {
            self.worst_second(pen, &y);
        }
        self.quantile_names(pen, &y);
    }

    fn response_lines(&self, pen: &mut Pen<'_>, piece: &[Column], y: &Scale) {
        // A second in which nothing was granted breaks the line; it is never bridged.
        for run in piece.chunk_by(|a, b| a.response.is_some() == b.response.is_some()) {
            self.band(pen, run, y, |column| column.response.map(|r| r[2]));
            if self.open() {
                pen.line(&self.points(run, y, |column| column.service), Ink::ServThin);
            }
            for (at, ink) in [(2, Ink::RespThin), (1, Ink::RespMiddle), (0, Ink::RespHeavy)] {
                pen.line(&self.points(run, y, |column| column.response.map(|r| r[at].middle)), ink);
            }
        }
    }

    fn worst_second(&self, pen: &mut Pen<'_>, y: &Scale) {
        let Some((at, micros)) = self.worst() else { return };
        let word = format!("{}: {}, worst second", clock(at), time(micros));
        let x = self.x.at(at as f64 / 1e6);
        let (side, x) =
            if x + width_of(&word) > RIGHT { (Side::End, x - 5.0) } else { (Side::Start, x + 5.0) };
        pen.word((x, (y.at(micros) + 4.0).max(RESPONSE.top + 4.0)), side, &word, Ink::Stage);
    }

    /// `p99`, `p90`, `p50` at the right, pushed apart.
    fn quantile_names(&self, pen: &mut Pen<'_>, y: &Scale) {
        let Some(last) = self.all().filter_map(|column| column.response).last() else { return };
        let mut free_below = RESPONSE.top - 6.0;
        for (at, name) in [(2usize, "p99"), (1, "p90"), (0, "p50")] {
            let still_to_come = at as f64 * 13.0;
            let place = y.at(last[at].middle).max(free_below).min(RESPONSE.base - still_to_come - 3.0);
            pen.word((RIGHT + 5.0, place), Side::Start, name, Ink::Resp);
            free_below = place + 13.0;
        }
    }

    fn errors(&self, pen: &mut Pen<'_>) {
        Self::panel(pen, ERRORS, "errors per second");
        let highest = self.all().map(|column| column.errors.iter().sum()).fold(0.0, f64::max);
        if highest <= 0.0 {
            pen.word((GUTTER + 8.0, ERRORS.base - 14.0), Side::Start, "none", Ink::Label);
            return;
        }
        let y = Scale::linear((0.0, highest), (ERRORS.base, ERRORS.top));
        let top = if highest < 1.0 { format!("{highest:.1}") } else { format!("{highest:.0}") };
        pen.line(&[(GUTTER, ERRORS.top), (RIGHT, ERRORS.top)], Ink::Grid);
        pen.y_label(ERRORS.top, &top);
        let mut order: Vec<usize> = (0..self.profile.errors.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(self.profile.errors[*at].count));
        for piece in &self.columns {
            let step = (self.x.at(self.until) - self.x.at(0.0)) / self.until;
            let wide = if self.banded { 2.0 } else { (step - 0.6).clamp(0.8, 12.0) };
            for column in piece {
                self.stack(pen, column, &order, &y, wide);
            }
        }
    }

    /// The commonest class lowest, the third and all others in one tint.
    fn stack(&self, pen: &mut Pen<'_>, column: &Column, order: &[usize], y: &Scale, wide: f64) {
        let mut sum = 0.0;
        let x = self.x.at(column.at);
        for (rank, class) in order.iter().enumerate() {
            let part = column.errors[*class];
            if part > 0.0 {
                let ink = [Ink::Bad, Ink::BadMid, Ink::BadLow][rank.min(2)];
                let (low, high) = (y.at(sum), y.at(sum + part).min(y.at(sum) - 1.0));
                pen.bar((x - wide / 2.0, low), (x + wide / 2.0, high), ink);
                sum += part;
            }
        }
    }

    fn slip(&self, pen: &mut Pen<'_>) {
        let highest = self.all().filter_map(|column| column.slip).fold(0.0, f64::max);
        let top = round_up(highest.max(1000.0));
        let y = Scale::linear((0.0, top), (SLIP.base, SLIP.top));
        pen.line(&[(GUTTER, SLIP.top), (RIGHT, SLIP.top)], Ink::Grid);
        pen.y_label(SLIP.top, &tick(top));
        for piece in &self.columns {
            let mut outline = self.points(piece, &y, |column| column.slip);
            if let (Some(first), Some(last)) = (outline.first().copied(), outline.last().copied()) {
                outline.push((last.0, SLIP.base));
                outline.push((first.0, SLIP.base));
                pen.area(&outline, Ink::Slip);
            }
        }
        Self::panel(pen, SLIP, "generator slip, p99");
    }
}

fn table(profile: &LoadResult) -> (Vec<String>, Vec<Vec<String>>) {
    let heads = ["from", "asked", "answered", "errors", "starved", "p50", "p99", "service p99", "slip p99"];
    let group = profile.series.len().div_ceil(60).max(1);
    let rows = profile
        .series
        .chunks(group)
        .map(|seconds| {
            let sum = |figure: &dyn Fn(&Second) -> u64| count(seconds.iter().map(figure).sum());
            let highest = |figure: &dyn Fn(&Second) -> Option<u64>| {
                seconds.iter().filter_map(figure).max().map_or("–".to_owned(), |us| time(us as f64))
            };
            vec![
                clock(u64::from(seconds[0].at_s) * 1_000_000),
                sum(&|s| s.asked),
                sum(&|s| s.answered),
                sum(&|s| s.errors.iter().map(|(_, count)| count).sum()),
                sum(&|s| s.starved),
                highest(&|s| s.response_us.map(|r| r[0])),
                highest(&|s| s.response_us.map(|r| r[2])),
                highest(&|s| s.service_us.map(|r| r[1])),
                highest(&|s| s.slip_us_p99),
            ]
        })
        .collect();
    let mut heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    if group > 1 {
        heads[0] = format!("from, {group}\u{a0}s each");
        for head in &mut heads[5..] {
            head.push_str(", worst");
        }
    }
    (heads, rows)
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| *step >= value).unwrap_or(value)
}
