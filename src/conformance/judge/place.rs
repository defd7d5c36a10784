//! The value at a place: equal, one of, like, of a kind, near or after another moment.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::client::reply::{Document, Found, Moment, Reply};
use crate::dialect::{Blank, Dialect, Zone};
use crate::suite::call::{Operation, Slot, Template};
use crate::suite::claim::{Field, FieldPlace, Kind, Pattern, Test};
use crate::suite::policy::Rotation;

use crate::conformance::references::{Scope, place as named};
use crate::conformance::transcript::Taken;

use super::shape::{is_object, walk};
use super::{Bench, Judgement, all, either, is_opaque, never_had, reply, speech};

/// Indian Standard Time, in which a server of the first target forgets its zone.
const IST: i64 = 19_800;

/// Zones are multiples of this.
const QUARTER: i64 = 900;

/// All parts of the test must hold.
pub(super) fn at(place: &FieldPlace, test: &Test, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let answer = match reply(taken, &format!("a value at {}", named(place))) {
        Ok(answer) => answer,
        // What must not stand there does not where nothing came.
        Err(_) if asks_for_nothing(test) => return Judgement::Holds,
        Err(judgement) => return judgement,
    };
    let probe = Probe { place, answer, taken, bench };
    let found = answer.at(bench.scope.dialect, taken.operation, place);
    if found == Found::Absent && test.optional {
        return Judgement::Holds;
    }
    if let FieldPlace::Claim(Field::Id, _) = place
        && answer.token(bench.scope.dialect, taken.operation, Field::Id).is_none()
    {
        return Judgement::Moot("the answer has no ID token, which it need not have".to_owned());
    }
    let found = match kept_scope(place, &found, taken, bench) {
        Ok(kept) => kept.unwrap_or(found),
        Err(judgement) => return judgement,
    };
    let found = kept_refresh(place, &found, taken, bench).unwrap_or(found);
    if found == Found::Absent && is_opaque(place, taken, bench) {
        return Judgement::Moot(format!("nothing stands at {}: the token is no JWT", named(place)));
    }
    let mut parts = Vec::new();
    if let Some(wanted) = &test.equals {
        parts.push(probe.equals(wanted, &found, test.optional));
    }
    if let Some(unwanted) = &test.not {
        parts.push(probe.not(unwanted, &found));
    }
    if let Some(wanted) = &test.one_of {
        parts.push(probe.one_of(wanted, &found));
    }
    if let Some(words) = &test.among {
        parts.push(probe.among(words, &found));
    }
    if let Some(pattern) = &test.like {
        parts.push(probe.like(pattern, true, &found));
    }
    if let Some(pattern) = &test.unlike {
        parts.push(probe.like(pattern, false, &found));
    }
    if let Some(kind) = test.is {
        parts.push(probe.is(kind, &found));
    }
    if let Some((other, tolerance)) = &test.near {
        parts.push(probe.near(other, *tolerance));
    }
    if let Some(other) = &test.after {
        parts.push(probe.after(other));
    }
    all(parts)
}

/// The scope of an answer that states none, which is the one that was asked for (RFC 6749 section 5.1). Of an endpoint
/// that never states any nothing can be said.
fn kept_scope(
    place: &FieldPlace,
    found: &Found,
    taken: &Taken,
    bench: &Bench<'_>,
) -> Result<Option<Found>, Judgement> {
    let dialect = bench.scope.dialect;
    let source = speech(taken, bench).and_then(|speech| speech.answers.fields.get(&Field::Scope));
    let keeps = source.is_some_and(|source| source.absent_keeps);
    if *place != FieldPlace::Field(Field::Scope) || *found != Found::Absent || !keeps || !taken.is_granted() {
        return Ok(None);
    }
    let stated = |reply: &Arc<Reply>| reply.at(dialect, Operation::Login, place);
    match taken.origin.as_ref().map(stated) {
        None | Some(Found::Absent) => Err(Judgement::Moot("the endpoint states no scope".to_owned())),
        Some(first) => Ok(Some(taken.sent.get(&Slot::Scope).cloned().map_or(first, Found::Text))),
    }
}

/// The refresh token of a grant that brings none: the one that was sent goes on (RFC 6749 section 6), unless a new
/// one is promised each time.
fn kept_refresh(place: &FieldPlace, found: &Found, taken: &Taken, bench: &Bench<'_>) -> Option<Found> {
    let source = speech(taken, bench).and_then(|speech| speech.answers.fields.get(&Field::Refresh));
    let keeps = source.is_some_and(|source| source.absent_keeps) && bench.rotation != Some(Rotation::Always);
    let asked = *place == FieldPlace::Field(Field::Refresh) && *found == Found::Absent;
    (asked && keeps && taken.is_granted())
        .then(|| taken.sent.get(&Slot::Refresh).cloned().map(Found::Text))?
}

fn asks_for_nothing(test: &Test) -> bool {
    test.equals.is_none()
        && test.one_of.is_none()
        && test.like.is_none()
        && matches!(test.is, None | Some(Kind::Absent | Kind::Empty))
        && test.near.is_none()
        && test.after.is_none()
}

struct Probe<'a> {
    place: &'a FieldPlace,
    answer: &'a Reply,
    taken: &'a Taken,
    bench: &'a Bench<'a>,
}

impl Probe<'_> {
    fn dialect(&self) -> &Dialect {
        self.bench.scope.dialect
    }

    fn text(&self, template: &Template) -> Result<String, Judgement> {
        let scope = Scope { this: Some(self.taken), ..self.bench.scope };
        scope.text(template).map_err(Judgement::Untold)
    }

    /// The text of a suite that is compared with a token is shown as one.
    fn show(&self, text: &str) -> String {
        self.bench.redaction.value(self.place, text)
    }

    fn describe(&self, found: &Found) -> String {
        match found {
            Found::Absent => "absent".to_owned(),
            Found::Null => "null".to_owned(),
            Found::Nested => "members".to_owned(),
            Found::Text(_) | Found::Number(_) | Found::Flag(_) => {
                self.show(&found.text().unwrap_or_default())
            }
        }
    }

    fn fails(&self, expected: &str, found: &Found) -> Judgement {
        let mark = found.text().filter(|text| !text.is_empty()).unwrap_or_default();
        Judgement::fails(format!("{} {expected}", named(self.place)), self.describe(found)).marking([mark])
    }

    fn equals(&self, wanted: &Template, found: &Found, optional: bool) -> Judgement {
        match self.text(wanted) {
            // What was never stated cannot differ.
            Err(_) if optional => Judgement::Holds,
            Err(judgement) => judgement,
            Ok(wanted) if self.is_equal(found, &wanted) => Judgement::Holds,
            Ok(wanted) => self.fails(&self.show(&wanted), found),
        }
    }

    /// The order of scopes says nothing (RFC 6749 section 3.3).
    fn is_equal(&self, found: &Found, wanted: &str) -> bool {
        let Some(text) = found.text() else { return false };
        text == wanted || (self.is_scope() && words(&text) == words(wanted))
    }

    fn is_scope(&self) -> bool {
        match self.place {
            FieldPlace::Field(field) => *field == Field::Scope,
            FieldPlace::Claim(_, claim) => claim == "scope",
            FieldPlace::Path(_) | FieldPlace::Header(_) | FieldPlace::Cookie(_) | FieldPlace::Jose(..) => {
                false
            }
        }
    }

    /// Nothing stated is nothing beyond.
    fn among(&self, allowed: &Template, found: &Found) -> Judgement {
        let allowed = match self.text(allowed) {
            Ok(allowed) => allowed,
            Err(judgement) => return judgement,
        };
        match found.text() {
            Some(text) if !words(&text).is_subset(&words(&allowed)) => {
                self.fails(&format!("none but {}", self.show(&allowed)), found)
            }
            Some(_) | None => Judgement::Holds,
        }
    }

    fn not(&self, unwanted: &Template, found: &Found) -> Judgement {
        match self.text(unwanted) {
            Err(judgement) => judgement,
            Ok(unwanted) if self.is_equal(found, &unwanted) => {
                self.fails(&format!("other than {}", self.show(&unwanted)), found)
            }
            Ok(_) => Judgement::Holds,
        }
    }

    fn one_of(&self, wanted: &[Template], found: &Found) -> Judgement {
        let mut words = Vec::new();
        for template in wanted {
            match self.text(template) {
                Ok(word) => words.push(word),
                Err(judgement) => return judgement,
            }
        }
        match found.text() {
            Some(_) if words.iter().any(|word| self.is_equal(found, word)) => Judgement::Holds,
            Some(_) | None => self.fails(&format!("one of {}", either(&words)), found),
        }
    }

    fn like(&self, Pattern(pattern): &Pattern, wanted: bool, found: &Found) -> Judgement {
        let matches = found.text().is_some_and(|text| pattern.is_match(&text));
        match (matches, wanted) {
            (true, true) | (false, false) => Judgement::Holds,
            (false, true) => self.fails(&format!("like `{}`", pattern.as_str()), found),
            (true, false) => self.fails(&format!("unlike `{}`", pattern.as_str()), found),
        }
    }

    fn is(&self, kind: Kind, found: &Found) -> Judgement {
        let holds = match kind {
            Kind::Filled => !self.is_blank(found),
            Kind::Empty => self.is_blank(found),
            Kind::Absent => *found == Found::Absent,
            Kind::Null => *found == Found::Null,
            Kind::Text => matches!(found, Found::Text(_)),
            Kind::Number => match found {
                Found::Number(_) => true,
                Found::Text(text) => self.is_xml() && text.expose().trim().parse::<f64>().is_ok(),
                Found::Absent | Found::Null | Found::Flag(_) | Found::Nested => false,
            },
            Kind::Flag => match found {
                Found::Flag(_) => true,
                Found::Text(text) => self.is_xml() && matches!(text.expose(), "true" | "false"),
                Found::Absent | Found::Null | Found::Number(_) | Found::Nested => false,
            },
            Kind::Object => *found == Found::Nested && self.is_object(),
        };
        if holds {
            return Judgement::Holds;
        }
        let word = Kind::ALL.iter().find(|(candidate, _)| *candidate == kind).map_or("", |(_, word)| word);
        self.fails(word, found)
    }

    fn is_xml(&self) -> bool {
        matches!(self.answer.document, Some(Document::Xml(_)))
    }

    fn is_object(&self) -> bool {
        let FieldPlace::Path(path) = self.place else { return true };
        self.answer
            .document
            .as_ref()
            .is_some_and(|document| walk(document.tree(), path).is_some_and(is_object))
    }

    fn is_blank(&self, found: &Found) -> bool {
        let blank = |text: &str| {
            text.is_empty()
                || self.dialect().blank.iter().any(|blank| match blank {
                    Blank::Null => false,
                    Blank::Text(word) => word == text,
                })
        };
        match found {
            Found::Absent | Found::Null => true,
            Found::Text(text) => blank(text.expose()),
            Found::Number(text) => blank(text),
            Found::Flag(_) | Found::Nested => false,
        }
    }

    fn moment(&self, place: &FieldPlace) -> Result<Moment, Judgement> {
        let (dialect, operation) = (self.dialect(), self.taken.operation);
        self.answer.moment(dialect, operation, place, self.taken.now).ok_or_else(|| {
            match self.answer.at(dialect, operation, place) {
                Found::Absent | Found::Null => {
                    let why = format!("nothing stands at {}", named(place));
                    let moot = never_had(place, self.taken, self.bench);
                    if moot { Judgement::Moot(why) } else { Judgement::Untold(why) }
                }
                Found::Text(_) | Found::Number(_) | Found::Flag(_) | Found::Nested => Judgement::Untold(
                    format!("what stands at {} is in no date format of the dialect", named(place)),
                ),
            }
        })
    }

    fn pair(&self, other: &FieldPlace) -> Result<(Moment, Moment), Judgement> {
        Ok((self.moment(self.place)?, self.moment(other)?))
    }

    fn near(&self, other: &FieldPlace, tolerance: Duration) -> Judgement {
        let (one, two) = match self.pair(other) {
            Ok(pair) => pair,
            Err(judgement) => return judgement,
        };
        let off = one.at.duration_since(two.at).as_secs_f64();
        let expected = format!("{} within {} s of {}", named(self.place), tolerance.as_secs(), named(other));
        let zone = &self.dialect().dates.zone;
        match nearness(off, tolerance.as_secs_f64(), zone_is_open(&one, &two, zone), one.zoned) {
            Nearness::Near => Judgement::Holds,
            Nearness::Far => Judgement::fails(expected, apart(off)).marking(self.mark()),
            Nearness::NaiveIst => Judgement::fails(expected, "naive IST (+05:30 without its zone)")
                .marking(self.mark())
                .meaning("a reader elsewhere takes it for another moment"),
            Nearness::Open => Judgement::Untold(format!("the zone of {} is not known", named(self.place))),
        }
    }

    fn after(&self, other: &FieldPlace) -> Judgement {
        let (one, two) = match self.pair(other) {
            Ok(pair) => pair,
            Err(judgement) => return judgement,
        };
        let off = one.at.duration_since(two.at).as_secs_f64();
        let zone = &self.dialect().dates.zone;
        match is_after(off, zone_is_open(&one, &two, zone)) {
            Some(true) => Judgement::Holds,
            Some(false) => {
                Judgement::fails(format!("{} after {}", named(self.place), named(other)), apart(off))
                    .marking(self.mark())
            }
            None => Judgement::Untold("the zone of one of the dates is not known".to_owned()),
        }
    }

    fn mark(&self) -> Option<String> {
        self.answer.at(self.dialect(), self.taken.operation, self.place).text()
    }
}

/// The words of a list that is divided by spaces.
fn words(text: &str) -> BTreeSet<&str> {
    text.split_ascii_whitespace().collect()
}

/// Whether the zone decides: one date says its zone, the other does not, and nobody knows it.
fn zone_is_open(one: &Moment, two: &Moment, zone: &Zone) -> bool {
    one.zoned != two.zoned && *zone == Zone::Unknown
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nearness {
    Near,
    Far,
    NaiveIst,
    Open,
}

fn nearness(off: f64, tolerance: f64, zone_is_open: bool, first_is_zoned: bool) -> Nearness {
    if off.abs() <= tolerance {
        return Nearness::Near;
    }
    let late = if first_is_zoned { -off } else { off };
    if ((late - IST as f64).abs() <= tolerance) && !(zone_is_open && first_is_zoned) {
        return Nearness::NaiveIst;
    }
    let quarter = (late / QUARTER as f64).round() * QUARTER as f64;
    let could_be = (-12.0 * 3600.0..=14.0 * 3600.0).contains(&quarter) && (late - quarter).abs() <= tolerance;
    if zone_is_open && could_be { Nearness::Open } else { Nearness::Far }
}

/// Whether a difference means "after"; with an open zone only if it does in every zone.
fn is_after(off: f64, zone_is_open: bool) -> Option<bool> {
    let slack = if zone_is_open { 14.0 * 3600.0 } else { 0.0 };
    if off > slack {
        Some(true)
    } else if off <= -slack {
        Some(false)
    } else {
        None
    }
}

/// `3600 s later`
fn apart(off: f64) -> String {
    let word = if off < 0.0 { "earlier" } else { "later" };
    let off = off.abs();
    if off >= 10.0 { format!("{off:.0} s {word}") } else { format!("{off:.3} s {word}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearness_tells_a_forgotten_zone_from_a_wrong_clock() {
        assert_eq!(nearness(60.0, 120.0, false, true), Nearness::Near);
        assert_eq!(nearness(3600.0, 120.0, false, true), Nearness::Far);
        assert_eq!(nearness(19_830.0, 120.0, true, false), Nearness::NaiveIst);
        assert_eq!(nearness(19_830.0, 120.0, false, false), Nearness::NaiveIst);
        assert_eq!(nearness(3600.0, 120.0, true, false), Nearness::Open);
        assert_eq!(nearness(400.0, 120.0, true, false), Nearness::Far);
        assert_eq!(nearness(20.0 * 3600.0, 120.0, true, false), Nearness::Far);
    }

    #[test]
    fn after_is_told_in_an_open_zone_only_beyond_every_zone() {
        assert_eq!(is_after(1.0, false), Some(true));
        assert_eq!(is_after(0.0, false), Some(false));
        assert_eq!(is_after(3600.0, true), None);
        assert_eq!(is_after(15.0 * 3600.0, true), Some(true));
        assert_eq!(is_after(-15.0 * 3600.0, true), Some(false));
    }
}
