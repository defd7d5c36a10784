//! Figures as words: one way to write a time, a share, a count, for every report.
//!
//! Thousands are parted by U+202F and a no-break space stands before `%`; a report for plain text replaces
//! both (`plain`).

use super::{Measured, ObjectiveResult, Traffic};

/// What is said of a verdict that hangs on a policy which nobody has confirmed.
pub const OBSERVED: &str = "observed, not promised";

const THOUSANDS: char = '\u{202f}';
const NO_BREAK: char = '\u{a0}';

/// `154 297`, parted by U+202F.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() <= 3 {
        return digits;
    }
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(THOUSANDS);
        }
        text.push(digit);
    }
    text
}

/// `two`, `twelve`, `13`.
pub fn number(number: u64) -> String {
    const WORDS: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    usize::try_from(number)
        .ok()
        .and_then(|at| WORDS.get(at))
        .map_or_else(|| count(number), |w| (*w).to_owned())
}

/// `1 check`, `3 checks`.
pub fn many(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

/// A sentence with its first letter large.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A time of three significant digits: `850 µs`, `1.76 ms`, `119 ms`, `12.3 s`.
pub fn time(micros: f64) -> String {
    let micros = if micros.is_finite() { micros.max(0.0) } else { 0.0 };
    let (value, unit) = if micros < 999.5 {
        (micros, "µs")
    } else if micros < 999_500.0 {
        (micros / 1e3, "ms")
    } else {
        (micros / 1e6, "s")
    };
    format!("{}{NO_BREAK}{unit}", significant(value))
}

/// Three significant digits; more before the point than that are parted by thousands.
fn significant(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        count(whole(value))
    }
}

/// The nearest whole number.
fn whole(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded, and clamped by `as`"
    )]
    let whole = value.round() as u64;
    whole
}

/// A tick on an axis, without decimals where there are none: `20 ms`, `2.5 ms`, `1 s`.
pub fn tick(micros: f64) -> String {
    if micros <= 0.0 {
        return "0".to_owned();
    }
    let (value, unit) = if micros < 1e3 {
        (micros, "µs")
    } else if micros < 1e6 {
        (micros / 1e3, "ms")
    } else {
        (micros / 1e6, "s")
    };
    let value = (value * 100.0).round() / 100.0;
    if value >= 1000.0 {
        return format!("{}{NO_BREAK}{unit}", count(whole(value)));
    }
    format!("{value}{NO_BREAK}{unit}")
}

/// How long something took, for people: `0.4 s`, `52 s`, `6 min 41 s`, `2 h 5 min`.
pub fn duration(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    match seconds {
        0..=9 => format!("{:.1}{NO_BREAK}s", micros as f64 / 1e6),
        10..=59 => format!("{seconds}{NO_BREAK}s"),
        60..=3599 if seconds.is_multiple_of(60) => format!("{}{NO_BREAK}min", seconds / 60),
        60..=3599 => format!("{}{NO_BREAK}min {}{NO_BREAK}s", seconds / 60, seconds % 60),
        _ => format!("{}{NO_BREAK}h {}{NO_BREAK}min", count(seconds / 3600), seconds % 3600 / 60),
    }
}

/// `2:38`, `1:05:12`.
pub fn clock(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    if seconds >= 3600 {
        format!("{}:{:02}:{:02}", seconds / 3600, seconds % 3600 / 60, seconds % 60)
    } else {
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }
}

/// A number of bytes: `640 B`, `3.1 MB`.
pub fn bytes(number: u64) -> String {
    const STEPS: [(&str, f64); 3] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let exact = number as f64;
    let step = STEPS.iter().find(|(_, size)| exact >= *size);
    step.map_or_else(
        || format!("{number}{NO_BREAK}B"),
        |(unit, size)| format!("{:.1}{NO_BREAK}{unit}", exact / size),
    )
}

/// What went by the connections of a profile: `64 connections opened, 936 requests on one that was open, 7.1 MB out, 12.0 MB in`.
pub fn traffic(traffic: Traffic) -> String {
    let Traffic { opened, reused, sent_bytes, received_bytes } = traffic;
    format!(
        "{} opened, {} on one that was open, {} out, {} in",
        many(opened, "connection", "connections"),
        many(reused, "request", "requests"),
        bytes(sent_bytes),
        bytes(received_bytes)
    )
}

/// A share as `0.02 %`, `12.5 %`, `100 %`.
pub fn share(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || !percent.is_finite() {
        format!("0{NO_BREAK}%")
    } else if percent > 0.0 && percent < 0.005 {
        format!("<{NO_BREAK}0.01{NO_BREAK}%")
    } else if percent < 9.995 {
        format!("{percent:.2}{NO_BREAK}%")
    } else if percent < 99.95 {
        format!("{percent:.1}{NO_BREAK}%")
    } else {
        format!("{percent:.0}{NO_BREAK}%")
    }
}

/// `200/s`, `1 200/s`, `2.5/s`.
pub fn rate(per_second: f64) -> String {
    if per_second < 9.95 && (per_second - per_second.round()).abs() > 0.05 {
        format!("{per_second:.1}/s")
    } else {
        format!("{}/s", count(whole(per_second.max(0.0))))
    }
}

/// A figure with its unit.
pub fn measured(figure: Measured) -> String {
    match figure {
        Measured::TimeUs(micros) => time(micros),
        Measured::Share(part) => share(part),
        Measured::Rate(per_second) => rate(per_second),
        Measured::Count(number) => plain_number(number),
    }
}

/// A limit as one would write it: `250 ms`, `0.1 %`, without digits that say nothing.
pub fn limit(figure: Measured) -> String {
    match figure {
        Measured::TimeUs(micros) => tick(micros),
        Measured::Share(part) => format!("{}{NO_BREAK}%", (part * 1e8).round() / 1e6),
        Measured::Rate(per_second) => rate(per_second),
        Measured::Count(number) => plain_number(number),
    }
}

fn plain_number(number: f64) -> String {
    if number >= 0.0 && number.fract() == 0.0 { count(whole(number)) } else { format!("{number:.2}") }
}

/// What a figure of a comparison is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Microseconds.
    Time,
    /// A share, 0 to 1.
    Share,
    /// Per second.
    Rate,
}

/// A figure in its unit.
pub fn figure(unit: Unit, figure: f64) -> String {
    match unit {
        Unit::Time => time(figure),
        Unit::Share => share(figure),
        Unit::Rate => rate(figure),
    }
}

/// A difference with its sign: `+4.90 ms`, `−0.02 %`; nothing is `0`.
pub fn signed(unit: Unit, difference: f64) -> String {
    let size = figure(unit, difference.abs());
    if difference == 0.0 || size.starts_with("0\u{a0}") || size == "0/s" {
        return size;
    }
    format!("{}{size}", if difference < 0.0 { '\u{2212}' } else { '+' })
}

/// Both ends of an interval, in one unit where that reads well: `−22.1 to +96.0 ms`.
pub fn interval(unit: Unit, (low, high): (f64, f64)) -> String {
    let (low, high) = (signed(unit, low), signed(unit, high));
    match (low.rsplit_once(NO_BREAK), high.rsplit_once(NO_BREAK)) {
        (Some((number, one)), Some((_, other))) if one == other => format!("{number} to {high}"),
        _ => format!("{low} to {high}"),
    }
}

/// The number of a figure without its unit.
pub fn value(figure: Measured) -> f64 {
    match figure {
        Measured::TimeUs(number)
        | Measured::Share(number)
        | Measured::Rate(number)
        | Measured::Count(number) => number,
    }
}

/// How far an objective is from its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margin {
    /// Measured over limit.
    pub used: f64,
    /// Whether more is better.
    pub floor: bool,
}

impl Margin {
    /// The margin of `objective`, where its condition is a comparison with a limit that is not zero.
    pub fn of(objective: &ObjectiveResult) -> Option<Margin> {
        let measured = value(objective.measured?);
        let limit = value(objective.limit?);
        let floor = match objective.comparison.as_deref()? {
            "<" | "<=" => false,
            ">" | ">=" => true,
            _ => return None,
        };
        (limit > 0.0 && measured.is_finite()).then(|| Margin { used: measured / limit, floor })
    }

    /// What is left before the limit, as a share of it; negative beyond it.
    pub fn left(self) -> f64 {
        if self.floor { self.used - 1.0 } else { 1.0 - self.used }
    }

    /// `85 % left`, `1.9× the limit`, `20 % above`, `40 % below`.
    pub fn words(self) -> String {
        let percent = |part: f64| format!("{:.0}{NO_BREAK}%", part.abs() * 100.0);
        match (self.floor, self.left() >= 0.0) {
            (false, true) => format!("{} left", percent(self.left())),
            (false, false) if self.used >= 1.5 => format!("{:.1}× the limit", self.used),
            (false, false) => format!("{} over", percent(self.left())),
            (true, true) if self.used >= 2.0 => format!("{:.1}× the floor", self.used),
            (true, true) => format!("{} above", percent(self.left())),
            (true, false) => format!("{} below", percent(self.left())),
        }
    }
}

/// The comparison as a sign: `<`, `≤`, `=`.
pub fn sign(comparison: &str) -> &str {
    match comparison {
        "<=" => "≤",
        ">=" => "≥",
        "==" => "=",
        "!=" => "≠",
        other => other,
    }
}

/// The same for plain text: thousands not parted, ordinary spaces.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| *c != THOUSANDS).map(|c| if c == NO_BREAK { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_three_significant_digits_and_its_own_unit() {
        let times = [850.0, 999.6, 1760.0, 17_600.0, 119_000.0, 999_700.0, 1_830_000.0, 12_300_000.0, 0.0];
        let words: Vec<String> = times.iter().map(|t| plain(&time(*t))).collect();
        assert_eq!(
            words,
            ["850 µs", "1.00 ms", "1.76 ms", "17.6 ms", "119 ms", "1.00 s", "1.83 s", "12.3 s", "0 µs"]
        );
    }

    #[test]
    fn counts_shares_rates_and_durations_read_as_on_the_page() {
        assert_eq!(count(154_297), "154\u{202f}297");
        assert_eq!(count(999), "999");
        assert_eq!([number(2), number(12), number(13)], ["two", "twelve", "13"]);
        assert_eq!(
            [0.0, 0.0002, 0.005, 0.125, 1.0, 0.000_000_1].map(|s| plain(&share(s))),
            ["0 %", "0.02 %", "0.50 %", "12.5 %", "100 %", "< 0.01 %"]
        );
        assert_eq!([rate(1200.0), rate(2.5)].map(|r| plain(&r)), ["1200/s", "2.5/s"]);
        assert_eq!(
            [400_000, 52_000_000, 401_000_000, 7_500_000_000].map(|d| plain(&duration(d))),
            ["0.4 s", "52 s", "6 min 41 s", "2 h 5 min"]
        );
        assert_eq!([clock(158_000_000), clock(3_912_000_000)], ["2:38", "1:05:12"]);
    }

    #[test]
    fn bytes_have_a_unit_and_traffic_is_a_sentence() {
        assert_eq!(
            [0, 640, 3_100_000, 12_040_000_000].map(|n| plain(&bytes(n))),
            ["0 B", "640 B", "3.1 MB", "12.0 GB"]
        );
        let one = Traffic { opened: 1, reused: 2, sent_bytes: 900, received_bytes: 1_500 };
        let expected = "1 connection opened, 2 requests on one that was open, 900 B out, 1.5 kB in";
        assert_eq!(plain(&traffic(one)), expected);
    }

    #[test]
    fn limits_are_written_without_digits_that_say_nothing() {
        let limits = [Measured::TimeUs(250_000.0), Measured::Share(0.001), Measured::Rate(1000.0)];
        assert_eq!(limits.map(|l| plain(&limit(l))), ["250 ms", "0.1 %", "1000/s"]);
    }

    #[test]
    fn a_difference_has_its_sign_and_an_interval_one_unit() {
        assert_eq!(plain(&signed(Unit::Time, 4_900.0)), "+4.90 ms");
        assert_eq!(plain(&signed(Unit::Share, -0.0002)), "\u{2212}0.02 %");
        assert_eq!(plain(&signed(Unit::Rate, 0.0)), "0/s");
        assert_eq!(plain(&interval(Unit::Time, (-22_100.0, 96_000.0))), "\u{2212}22.1 to +96.0 ms");
        assert_eq!(plain(&interval(Unit::Time, (-850.0, 1_100.0))), "\u{2212}850 µs to +1.10 ms");
    }

    #[test]
    fn a_margin_says_how_far_the_edge_is() {
        let words = |used, floor| plain(&Margin { used, floor }.words());
        assert_eq!(words(0.15, false), "85 % left");
        assert_eq!(words(1.86, false), "1.9× the limit");
        assert_eq!(words(1.2, false), "20 % over");
        assert_eq!(words(1.2, true), "20 % above");
        assert_eq!(words(0.6, true), "40 % below");
    }
}
