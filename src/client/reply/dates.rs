//! Reading moments: ISO 8601, `/Date(…)/`, seconds since 1970, and patterns such as `dd-MM-yyyy HH:mm:ss`.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::Moment;
use crate::dialect::pattern::{Piece, pieces};
use crate::dialect::{DateFormat, Dates, Zone};

/// Every reading of `text` that the dialect's formats allow, in their order. More than one: it is ambiguous.
pub fn readings(text: &str, dates: &Dates) -> Vec<Moment> {
    dates.formats.iter().filter_map(|format| read(text, format, &dates.zone)).collect()
}

/// The moment that `text` is in `format`. Without a written offset `zone` decides, and an unknown zone is UTC.
pub fn read(text: &str, format: &DateFormat, zone: &Zone) -> Option<Moment> {
    let (at, zoned) = match format {
        DateFormat::Iso => iso(text, zone)?,
        DateFormat::Dotnet => (dotnet(text)?, true),
        DateFormat::Epoch => (epoch(text)?, true),
        DateFormat::EpochMs => (epoch_ms(text)?, true),
        DateFormat::Pattern(pattern) => (in_zone(by_pattern(text, pattern)?, zone)?, false),
    };
    Some(Moment { at, zoned, format: format.clone() })
}

/// Seconds since 1970, perhaps with a fraction.
pub(super) fn epoch(text: &str) -> Option<Timestamp> {
    Timestamp::UNIX_EPOCH.checked_add(seconds(text)?).ok()
}

/// Milliseconds since 1970.
pub(super) fn epoch_ms(text: &str) -> Option<Timestamp> {
    Timestamp::UNIX_EPOCH.checked_add(milliseconds(text)?).ok()
}

/// A plain number of milliseconds as length of time.
pub(super) fn milliseconds(text: &str) -> Option<SignedDuration> {
    Some(seconds(text)? / 1000)
}

/// A plain number of seconds, perhaps with a fraction, as length of time.
pub(super) fn seconds(text: &str) -> Option<SignedDuration> {
    if text.is_empty()
        || !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'))
    {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(SignedDuration::from_secs(whole));
    }
    let number = text.parse::<f64>().ok().filter(|number| number.abs() < 1e15)?;
    SignedDuration::try_from_secs_f64(number).ok()
}

/// The `Date` header of an answer (RFC 9110 section 5.6.7), whatever weekday it claims.
pub fn http_date(text: &str) -> Option<Timestamp> {
    let (_, rest) = text.split_once(", ")?;
    let civil = by_pattern(rest, "dd MMM yyyy HH:mm:ss 'GMT'")?;
    in_zone(civil, &Zone::Fixed(0))
}

fn in_zone(civil: DateTime, zone: &Zone) -> Option<Timestamp> {
    let seconds = match zone {
        Zone::Unknown => 0,
        Zone::Fixed(seconds) => *seconds,
    };
    Offset::from_seconds(seconds).ok()?.to_timestamp(civil).ok()
}

/// Extended format only: `2024-05-06T07:08:09.1234567+05:30`, the offset optional.
fn iso(text: &str, zone: &Zone) -> Option<(Timestamp, bool)> {
    let shape = text.as_bytes().get(..10)?;
    let extended = shape.iter().enumerate().all(|(at, byte)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if !extended || text.contains('[') {
        return None;
    }
    match text.parse::<Timestamp>() {
        Ok(at) => Some((at, true)),
        Err(_) => Some((in_zone(text.parse::<DateTime>().ok()?, zone)?, false)),
    }
}

/// `/Date(1714959489123+0530)/`: milliseconds since 1970 in UTC; the offset is for display only.
fn dotnet(text: &str) -> Option<Timestamp> {
    let inside = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let sign = inside.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map(|(at, _)| at);
    let (milliseconds, offset) = inside.split_at(sign.unwrap_or(inside.len()));
    let offset_fits =
        offset.is_empty() || (offset.len() == 5 && offset[1..].bytes().all(|b| b.is_ascii_digit()));
    if !offset_fits {
        return None;
    }
    Timestamp::from_millisecond(milliseconds.parse().ok()?).ok()
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What a pattern has read so far.
#[derive(Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    afternoon: Option<bool>,
}

fn by_pattern(text: &str, pattern: &str) -> Option<DateTime> {
    let mut parts = Parts::default();
    let mut rest = text;
    for piece in pieces(pattern) {
        rest = match piece {
            Piece::Literal(literal) => rest.strip_prefix(literal)?,
            Piece::Run(letter, count) => parts.read(letter, count, rest)?,
        };
    }
    if rest.is_empty() { parts.into_civil() } else { None }
}

impl Parts {
    /// Takes one field from the front of `text`; what is left.
    fn read<'t>(&mut self, letter: char, count: usize, text: &'t str) -> Option<&'t str> {
        match (letter, count) {
            ('M', 3) => {
                let name = text.get(..3)?;
                let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
                self.month = i8::try_from(month + 1).ok();
                return text.get(3..);
            }
            ('t', _) => {
                let word = text.get(..count)?;
                self.afternoon = Some(match word.to_ascii_uppercase().as_str() {
                    "AM" | "A" => false,
                    "PM" | "P" => true,
                    _ => return None,
                });
                return text.get(count..);
            }
            _ => {}
        }
        let (number, rest) = digits(text, count, if count == 1 && letter != 'f' { 2 } else { count })?;
        let small = || i8::try_from(number).ok();
        match letter {
            'd' => self.day = Some(small()?),
            'M' => self.month = Some(small()?),
            'y' if count == 2 => self.year = i16::try_from(2000 + number).ok(),
            'y' => self.year = i16::try_from(number).ok(),
            'H' => self.hour = small()?,
            // Twelve is the hour before one.
            'h' => self.hour = small().filter(|hour| (1..=12).contains(hour))? % 12,
            'm' => self.minute = small()?,
            's' => self.second = small()?,
            _ => {
                let missing = 9_u32.checked_sub(u32::try_from(count).ok()?)?;
                self.nanosecond = number.checked_mul(10_i32.pow(missing))?;
            }
        }
        Some(rest)
    }

    fn into_civil(self) -> Option<DateTime> {
        let hour = if self.afternoon == Some(true) && self.hour < 12 { self.hour + 12 } else { self.hour };
        let date = Date::new(self.year?, self.month?, self.day?).ok()?;
        let time = jiff::civil::Time::new(hour, self.minute, self.second, self.nanosecond).ok()?;
        Some(date.to_datetime(time))
    }
}

/// Between `least` and `most` digits from the front of `text`; the number and what is left.
fn digits(text: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    let (digits, rest) = text.split_at(count);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, format: &DateFormat, zone: &Zone, expected: Option<(&str, bool)>) {
        let read = read(text, format, zone).map(|moment| (moment.at.to_string(), moment.zoned));
        assert_eq!(read, expected.map(|(at, zoned)| (at.to_owned(), zoned)), "{text}");
    }

    #[test]
    fn iso_dates_may_leave_out_the_offset() {
        let iso = |text, expected| check(text, &DateFormat::Iso, &Zone::Unknown, expected);
        iso("2024-05-06T07:08:09.1234567Z", Some(("2024-05-06T07:08:09.1234567Z", true)));
        iso("2024-05-06T12:38:09+05:30", Some(("2024-05-06T07:08:09Z", true)));
        iso("2024-05-06T07:08:09", Some(("2024-05-06T07:08:09Z", false)));
        iso("2024-05-06 07:08:09", Some(("2024-05-06T07:08:09Z", false)));
        for wrong in [
            "",
            "06-05-2024 07:08:09",
            "20240506T070809Z",
            "2024-13-06T07:08:09",
            "2024-05-06T07:08:09[UTC]",
            "x",
        ] {
            iso(wrong, None);
        }
        check(
            "2024-05-06T07:08:09",
            &DateFormat::Iso,
            &Zone::Fixed(19_800),
            Some(("2024-05-06T01:38:09Z", false)),
        );
    }

    #[test]
    fn dotnet_dates_are_utc_whatever_offset_they_show() {
        let dotnet = |text, expected| check(text, &DateFormat::Dotnet, &Zone::Unknown, expected);
        dotnet("/Date(1714979289123)/", Some(("2024-05-06T07:08:09.123Z", true)));
        dotnet("/Date(1714979289123+0530)/", Some(("2024-05-06T07:08:09.123Z", true)));
        dotnet("/Date(-1000)/", Some(("1969-12-31T23:59:59Z", true)));
        for wrong in [
            "/Date()/",
            "/Date(1+05)/",
            "/Date(99999999999999999999)/",
            "Date(1)",
            "/Date(9223372036854775807)/",
        ] {
            dotnet(wrong, None);
        }
    }

    #[test]
    fn patterns_read_what_they_say_and_nothing_else() {
        let pattern = |text, pattern: &str, expected: Option<&str>| {
            let format = DateFormat::Pattern(pattern.to_owned());
            check(text, &format, &Zone::Unknown, expected.map(|at| (at, false)));
        };
        pattern("06-05-2024 17:08:09", "dd-MM-yyyy HH:mm:ss", Some("2024-05-06T17:08:09Z"));
        pattern("5/6/2024 5:08:09 PM", "M/d/yyyy h:mm:ss tt", Some("2024-05-06T17:08:09Z"));
        pattern("5/6/2024 12:08:09 AM", "M/d/yyyy h:mm:ss tt", Some("2024-05-06T00:08:09Z"));
        pattern("06 May 24 at 17.08.09.5", "dd MMM yy 'at' HH.mm.ss.f", Some("2024-05-06T17:08:09.5Z"));
        pattern("06/05/2024 17:08:09", "dd-MM-yyyy HH:mm:ss", None);
        pattern("31-02-2024 17:08:09", "dd-MM-yyyy HH:mm:ss", None);
        pattern("06-05-2024 25:08:09", "dd-MM-yyyy HH:mm:ss", None);
        pattern("06-05-2024 17:08:09 ", "dd-MM-yyyy HH:mm:ss", None);
        pattern("6-05-2024 17:08:09", "dd-MM-yyyy HH:mm:ss", None);
    }

    #[test]
    fn a_date_is_ambiguous_only_where_two_formats_read_it() {
        let of = |pattern: &str| DateFormat::Pattern(pattern.to_owned());
        let dates = Dates { formats: vec![of("dd/MM/yyyy"), of("MM/dd/yyyy")], zone: Zone::Unknown };
        assert_eq!(readings("06/05/2024", &dates).len(), 2);
        assert_eq!(readings("16/05/2024", &dates).len(), 1);
        assert_eq!(readings("16/15/2024", &dates).len(), 0);
    }

    #[test]
    fn seconds_and_http_dates() {
        assert_eq!(epoch("1714979289").unwrap().to_string(), "2024-05-06T07:08:09Z");
        assert_eq!(epoch("1.5").unwrap().to_string(), "1970-01-01T00:00:01.5Z");
        assert_eq!(http_date("Mon, 06 May 2024 07:08:09 GMT").unwrap().to_string(), "2024-05-06T07:08:09Z");
        for wrong in ["", "x", "1e300", "9223372036854775807", "--1", "NaN", "inf"] {
            assert_eq!(epoch(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_a_reader_panic(
            text in "[0-9/:+.DateZT é()-]{0,30}|.*", pattern in "[dMyHhmsft':/ é.-]{0,20}", offset: i32
        ) {
            let zone = Zone::Fixed(offset);
            let formats = vec![DateFormat::Iso, DateFormat::Dotnet, DateFormat::Epoch, DateFormat::Pattern(pattern.clone())];
            drop(readings(&text, &Dates { formats, zone }));
            let _ = crate::dialect::pattern::mistake(&pattern);
            let _ = http_date(&text);
        }
    }
}
