//! Small values with units, as they are written: `250ms`, `200/s`, `0.1%`, `5MB`, `30..300`.
//!
//! Owns their reading and writing. Each reader returns what it expected as a sentence for the diagnostic.

use std::time::Duration;

/// `30..300`: how often in a quick run and in a full one; `20` is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// In a quick run.
    pub quick: u32,
    /// In a full run.
    pub full: u32,
}

impl Depth {
    /// The number for this run.
    pub fn at(self, full: bool) -> u32 {
        if full { self.full } else { self.quick }
    }
}

/// The longest time that a suite can name: a hundred years.
const LONGEST_SECONDS: f64 = 100.0 * 366.0 * 86_400.0;

/// Reads `250ms`, `10s`, `2m`, `1h`, `30d`, `1.5s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a length of time such as `250ms`, `10s`, `2m`, `1h`, `30d`".to_owned();
    let (number, unit) = split(text).ok_or_else(expected)?;
    let seconds = match unit {
        "ms" => number / 1_000.0,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3_600.0,
        "d" => number * 86_400.0,
        "" => return Err(format!("{text} of what? write e.g. `{text}ms` or `{text}s`")),
        _ => return Err(expected()),
    };
    if seconds > LONGEST_SECONDS {
        return Err("expected a length of time below a hundred years".to_owned());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| expected())
}

/// Reads `200/s`, `0.5/s`.
pub fn rate(text: &str) -> Result<f64, String> {
    let expected = || "expected a rate such as `200/s` or `0.5/s`".to_owned();
    let (number, unit) = split(text).ok_or_else(expected)?;
    match unit {
        "/s" => Ok(number),
        "" => Err(format!("{text} per what? write `{text}/s`")),
        _ => Err(expected()),
    }
}

/// Reads `5MB`, `64kB`, `100` (bytes); decimal multiples.
pub fn size(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as `100` (bytes), `64kB`, `5MB`".to_owned();
    let (number, unit) = split(text).ok_or_else(expected)?;
    let bytes = match unit {
        "" | "B" => number,
        "kB" => number * 1e3,
        "MB" => number * 1e6,
        "GB" => number * 1e9,
        _ => return Err(expected()),
    };
    if bytes > 1e12 || bytes.fract() != 0.0 {
        return Err("expected a whole number of bytes, at most `1000GB`".to_owned());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and 0 to 1e12")]
    Ok(bytes as u64)
}

/// Reads `5%` and `0.1%` as 0.05 and 0.001.
pub fn share(text: &str) -> Result<f64, String> {
    let expected = || "expected a share such as `5%` or `0.1%`".to_owned();
    match split(text).ok_or_else(expected)? {
        (number, "%") if number <= 100.0 => Ok(number / 100.0),
        _ => Err(expected()),
    }
}

/// Reads `20` and `30..300`.
pub fn depth(text: &str) -> Result<Depth, String> {
    let count = |text: &str| text.parse::<u32>().ok().filter(|count| (1..=1_000_000).contains(count));
    let (quick, full) = match text.split_once("..") {
        Some((quick, full)) => (count(quick), count(full)),
        None => (count(text), count(text)),
    };
    match (quick, full) {
        (Some(quick), Some(full)) if quick <= full => Ok(Depth { quick, full }),
        (Some(quick), Some(full)) => Err(format!("the quick number comes first: `{full}..{quick}`")),
        _ => Err("expected a number such as `20`, or `30..300` (quick run .. full run)".to_owned()),
    }
}

/// Number and unit of a quantity; the number is finite and not negative.
fn split(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || number.ends_with('.') {
        return None;
    }
    number.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| (number, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_units() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("30d"), Ok(Duration::from_hours(30 * 24)));
        assert_eq!(rate("0.5/s"), Ok(0.5));
        assert_eq!(size("5MB"), Ok(5_000_000));
        assert_eq!(share("0.1%"), Ok(0.001));
        assert_eq!(depth("30..300"), Ok(Depth { quick: 30, full: 300 }));
        assert_eq!(depth("20"), Ok(Depth { quick: 20, full: 20 }));
    }

    #[test]
    fn what_is_no_quantity_says_what_would_be() {
        for wrong in ["", "s", "-1s", "1 s", "1.s", "1..2s", "10 seconds", "1e9s", "99999999d", "ms"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("250"), Err("250 of what? write e.g. `250ms` or `250s`".to_owned()));
        assert_eq!(rate("200"), Err("200 per what? write `200/s`".to_owned()));
        assert!(size("1.5").is_err() && size("2.5kB").is_ok());
        assert_eq!(depth("300..30"), Err("the quick number comes first: `30..300`".to_owned()));
        assert!(depth("0").is_err() && depth("..").is_err() && share("101%").is_err());
    }
}
