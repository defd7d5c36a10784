//! What the fields of a grant say, in the kind and the format that the table has for them.

use serde_json::Value;

use crate::dialect::pattern::{Piece, pieces};
use crate::dialect::{DateFormat, Declared, DeclaredKind, Dialect, FieldSource, Reading, Zone};
use crate::suite::claim::Field;
use crate::suite::defect::Defect;

use super::super::authority::{Authority, Pair};
use super::super::clock::Moment;
use super::super::defects::Switches;

/// How values are written.
pub(super) struct Spelling<'a> {
    pub(super) dialect: &'a Dialect,
    pub(super) switches: Switches,
    /// Whether it is the answer to a refresh: defects concern that alone, so that chains can be opened.
    pub(super) refreshes: bool,
    pub(super) now: Moment,
}

impl Spelling<'_> {
    fn has(&self, defect: Defect) -> bool {
        self.refreshes && self.switches.has(defect)
    }
}

/// The value of a field on a grant; nothing where the dialect's rules say what stands there.
pub(super) fn field_value(
    field: Field,
    source: &FieldSource,
    pair: &Pair,
    authority: &Authority,
    spelling: &Spelling<'_>,
) -> Option<Value> {
    let at = |moment: Moment| moment_value(moment, source.reading, spelling);
    Some(match field {
        Field::Access => pair.access.expose().into(),
        Field::Refresh => {
            let end = if spelling.has(Defect::TokenWithSpace) { "\n" } else { "" };
            format!("{}{end}", pair.refresh.expose()).into()
        }
        Field::Id => super::super::oauth::id_token(
            authority,
            pair,
            !spelling.refreshes,
            spelling.now,
            spelling.switches,
        )
        .expose()
        .into(),
        Field::Scope => pair.scope.to_string().into(),
        Field::Issued => at(pair.issued),
        // When a refresh token ends, nobody is told.
        Field::Expires if source.of.is_some_and(|of| of != Field::Access) => return None,
        Field::Expires => {
            let off = if spelling.has(Defect::ExpiresOffJwt) { 3_600_000 } else { 0 };
            at(Moment(pair.expires.0 + off))
        }
        Field::Served => at(spelling.now),
        Field::Ok | Field::Code | Field::Message => return None,
    })
}

fn moment_value(moment: Moment, reading: Reading, spelling: &Spelling<'_>) -> Value {
    let lasting = moment.seconds() - spelling.now.seconds();
    let lasting = if spelling.has(Defect::ExpiresInZero) { 0 } else { lasting };
    let number = match reading {
        Reading::Seconds => lasting,
        Reading::Milliseconds => lasting * 1000,
        Reading::Epoch => moment.seconds(),
        Reading::EpochMs => moment.0,
        Reading::Date | Reading::Text | Reading::Flag => return date(moment, spelling.dialect).into(),
    };
    if spelling.has(Defect::ExpiresInText) { number.to_string().into() } else { number.into() }
}

/// A date in the first of the dialect's formats.
fn date(moment: Moment, dialect: &Dialect) -> String {
    let format = dialect.dates.formats.first().unwrap_or(&DateFormat::Iso);
    let offset = match dialect.dates.zone {
        Zone::Unknown => 0,
        Zone::Fixed(seconds) => i64::from(seconds),
    };
    match format {
        DateFormat::Iso => moment.in_utc().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        DateFormat::Dotnet => format!("/Date({})/", moment.0),
        DateFormat::Epoch => moment.seconds().to_string(),
        DateFormat::EpochMs => moment.0.to_string(),
        DateFormat::Pattern(pattern) => by_pattern(pattern, Moment(moment.0 + offset * 1000)),
    }
}

fn by_pattern(pattern: &str, moment: Moment) -> String {
    let civil = moment.in_utc();
    let mut text = String::new();
    for piece in pieces(pattern) {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Run('f', count) => {
                text.push_str(&format!("{:09}", moment.0.rem_euclid(1000) * 1_000_000)[..count]);
            }
            Piece::Run(letter, count) => {
                let directive = match (letter, count) {
                    ('d', 1) => "%-d",
                    ('d', _) => "%d",
                    ('M', 1) => "%-m",
                    ('M', 2) => "%m",
                    ('M', _) => "%b",
                    ('y', 2) => "%y",
                    ('y', _) => "%Y",
                    ('H', 1) => "%-H",
                    ('H', _) => "%H",
                    ('h', 1) => "%-I",
                    ('h', _) => "%I",
                    ('m', 1) => "%-M",
                    ('m', _) => "%M",
                    ('s', 1) => "%-S",
                    ('s', _) => "%S",
                    _ => "%p",
                };
                text.push_str(&civil.strftime(directive).to_string());
            }
        }
    }
    text
}

/// A value as the kind that is declared for it.
pub(super) fn as_declared(declared: Option<&Declared>, value: Value) -> Value {
    let Some(declared) = declared else { return value };
    match (&declared.kind, value) {
        (DeclaredKind::Text, Value::Bool(flag)) => Value::from(if flag { "true" } else { "false" }),
        (DeclaredKind::Number, Value::Bool(flag)) => Value::from(i32::from(flag)),
        (DeclaredKind::Number, Value::String(text)) => {
            text.parse::<i64>().map_or_else(|_| Value::from(text.clone()), Value::from)
        }
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_by_its_pattern() {
        let moment = Moment(1_714_979_289_123);
        assert_eq!(by_pattern("dd-MM-yyyy HH:mm:ss.fff", moment), "06-05-2024 07:08:09.123");
        assert_eq!(by_pattern("d MMM yy h:mm tt", moment), "6 May 24 7:08 AM");
    }
}
