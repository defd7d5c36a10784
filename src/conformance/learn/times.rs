//! How answers write moments and lengths of time: which format, which zone, how long an access token lives.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::client::reply::{Moment, dates};
use crate::conformance::redact::Redaction;
use crate::dialect::{DateFormat, Dialect, Reading, Zone};
use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace};

use super::answers::{Asked, Sample, tame};

/// How long an access token lives, where every good answer says the same.
pub(super) fn access_lifetime(samples: &[Sample], dialect: &Dialect) -> Option<Duration> {
    let good: Vec<&Sample> =
        samples.iter().filter(|sample| sample.asked == Asked::Good && sample.is_granted()).collect();
    let mut lifetimes = good.iter().map(|sample| lifetime(sample, dialect));
    let first = lifetimes.next()??;
    let alike =
        |other: Option<Duration>| other.is_some_and(|other| other.abs_diff(first) <= Duration::from_secs(2));
    lifetimes.all(alike).then_some(first)
}

fn lifetime(sample: &Sample, dialect: &Dialect) -> Option<Duration> {
    let place = FieldPlace::Field(Field::Expires);
    let source = dialect.refresh().answers.fields.get(&Field::Expires)?;
    if source.of.is_some_and(|of| of != Field::Access) {
        return None;
    }
    let moment = |field: Field| -> Option<Moment> {
        sample.reply.moment(dialect, Operation::Refresh, &FieldPlace::Field(field), sample.now)
    };
    let seconds = match source.reading {
        Reading::Seconds => {
            sample.reply.at(dialect, Operation::Refresh, &place).text()?.trim().parse::<i64>().ok()?
        }
        Reading::Milliseconds => {
            let text = sample.reply.at(dialect, Operation::Refresh, &place).text()?;
            text.trim().parse::<i64>().ok()? / 1000
        }
        Reading::Date | Reading::Epoch | Reading::EpochMs => {
            let (issued, expires) = (moment(Field::Issued)?, moment(Field::Expires)?);
            if issued.zoned != expires.zoned || issued.format != expires.format {
                return None;
            }
            let lasting = expires.at.duration_since(issued.at);
            // Both are cut to the same precision, so a fraction is noise.
            lasting.as_secs() + i64::from(lasting.subsec_millis() >= 500)
        }
        Reading::Text | Reading::Flag => return None,
    };
    u64::try_from(seconds).ok().filter(|seconds| (1..=315_360_000).contains(seconds)).map(Duration::from_secs)
}

/// Each date field of each family of documents, as it first came.
pub(super) fn seen(samples: &[Sample], dialect: &Dialect, redaction: &Redaction) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    for sample in samples.iter().filter(|sample| sample.is_granted()) {
        let operation = sample.asked.operation();
        let (Some(family), Some(speech)) = (sample.family(), dialect.operation(operation)) else {
            continue;
        };
        for (field, source) in &speech.answers.fields {
            let place = FieldPlace::Field(*field);
            let known = seen.iter().any(|one| one.field == *field && one.family == family);
            if source.reading != Reading::Date || known {
                continue;
            }
            let Some(text) = sample.reply.at(dialect, operation, &place).text() else { continue };
            if text.trim().is_empty() {
                continue;
            }
            let moment = sample.reply.moment(dialect, operation, &place, sample.now);
            let reading = read_date(text.trim(), moment, dialect, sample.now);
            let near_now = matches!(field, Field::Issued | Field::Served);
            let offset =
                reading.as_ref().filter(|_| near_now).and_then(|reading| offset(reading, sample.now));
            seen.push(Seen {
                field: *field,
                family,
                shown: tame(&redaction.value(&place, &text)),
                reading,
                offset,
            });
        }
    }
    seen
}

/// A date field of one family of documents.
#[derive(Debug)]
pub(super) struct Seen {
    field: Field,
    family: &'static str,
    shown: String,
    /// How it can be read, if it can.
    reading: Option<Read>,
    /// Of a moment that was now: how far it is from UTC, where it does not say so, in seconds.
    offset: Option<i32>,
}

#[derive(Debug)]
struct Read {
    moment: Moment,
    /// Whether the dialect has this format.
    known: bool,
    /// Whether another format of the dialect would read it as another moment.
    ambiguous: bool,
}

impl Seen {
    /// For people.
    pub fn line(&self) -> String {
        let head = format!("`{}` in {} came as {}", self.field.word(), self.family, self.shown);
        let Some(read) = &self.reading else { return format!("{head}, which no known format reads") };
        let known = if read.known { "" } else { ", which the dialect does not have" };
        let ambiguous =
            if read.ambiguous { "; another format of the dialect reads it as another moment" } else { "" };
        let zone = match (read.moment.zoned, self.offset) {
            (true, _) => ", with its zone".to_owned(),
            (false, Some(offset)) => format!(", without a zone; by the clock it is {}", zone_word(offset)),
            (false, None) => ", without a zone".to_owned(),
        };
        format!("{head}: `{}`{known}{zone}{ambiguous}", read.moment.format.word())
    }
}

/// Formats that servers write and that a dialect may not have.
const USUAL: [&str; 12] = [
    "dd-MM-yyyy HH:mm:ss",
    "dd/MM/yyyy HH:mm:ss",
    "MM/dd/yyyy HH:mm:ss",
    "M/d/yyyy h:mm:ss tt",
    "d/M/yyyy h:mm:ss tt",
    "dd-MMM-yyyy HH:mm:ss",
    "dd MMM yyyy HH:mm:ss",
    "yyyy/MM/dd HH:mm:ss",
    "yyyyMMddHHmmss",
    "dd.MM.yyyy HH:mm:ss",
    "dd-MM-yyyy",
    "dd/MM/yyyy",
];

fn read_date(text: &str, moment: Option<Moment>, dialect: &Dialect, now: Timestamp) -> Option<Read> {
    let readings = dates::readings(text, &dialect.dates);
    let far = |one: &Moment| one.at.duration_since(now).abs();
    if let Some(moment) = moment.or_else(|| readings.iter().min_by_key(|one| far(one)).cloned()) {
        let ambiguous = readings.iter().any(|other| other.at != moment.at);
        return Some(Read { moment, known: true, ambiguous });
    }
    let plain = [DateFormat::Iso, DateFormat::Dotnet, DateFormat::Epoch];
    let usual = USUAL.iter().map(|pattern| DateFormat::Pattern((*pattern).to_owned()));
    let readings =
        plain.into_iter().chain(usual).filter_map(|format| dates::read(text, &format, &Zone::Unknown));
    // Of two readings the one nearer to now is meant.
    let moment = readings.min_by_key(far)?;
    Some(Read { moment, known: false, ambiguous: false })
}

/// How far a moment without a zone, which was now, is from UTC: to the quarter of an hour.
fn offset(read: &Read, now: Timestamp) -> Option<i32> {
    if read.moment.zoned {
        return None;
    }
    let ahead = read.moment.at.duration_since(now).as_secs();
    let quarters = (ahead + 450).div_euclid(900);
    let rest = (ahead - quarters * 900).abs();
    let fits = rest <= 120 && (-48..=56).contains(&quarters);
    fits.then(|| i32::try_from(quarters * 900).expect("it is within a day"))
}

/// `utc`, `+05:30`
fn zone_word(offset: i32) -> String {
    if offset == 0 {
        return "utc".to_owned();
    }
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", offset.abs() / 3600, offset.abs() % 3600 / 60)
}

/// The `dates:` line of a dialect that reads what was seen, where the dialect's own does not.
pub(super) fn hints(seen: &[Seen], dialect: &Dialect) -> Vec<String> {
    let mut formats: Vec<&str> = dialect.dates.formats.iter().map(DateFormat::word).collect();
    let new: Vec<&Read> =
        seen.iter().filter_map(|one| one.reading.as_ref()).filter(|read| !read.known).collect();
    for read in &new {
        if !formats.contains(&read.moment.format.word()) {
            formats.push(read.moment.format.word());
        }
    }
    let offsets: BTreeSet<i32> = seen.iter().filter_map(|one| one.offset).collect();
    let zone = match (&dialect.dates.zone, offsets.first()) {
        (Zone::Unknown, Some(offset)) if offsets.len() == 1 => Some(zone_word(*offset)),
        _ => None,
    };
    if new.is_empty() && zone.is_none() {
        return Vec::new();
    }
    let formats: Vec<String> = formats.iter().map(|format| format!("\"{format}\"")).collect();
    let zone = zone.unwrap_or_else(|| "unknown".to_owned());
    vec![format!("dates: {{ formats: [{}], zone: \"{zone}\" }}", formats.join(", "))]
}
