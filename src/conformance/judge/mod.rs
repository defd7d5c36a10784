//! Judges: whether one exchange is as claimed. Pure functions over what was asked and answered.
//!
//! A claim holds, fails (with what was expected, what was found and the parts that decide), or cannot be told.
//! Start at [`claim`]; claims on many exchanges are in `together`.

mod belongs;
mod connection;
mod lacks;
mod outcome;
mod place;
pub(super) mod shape;

use std::time::Duration;

use crate::client::codec::Tree;
use crate::client::reply::{Found, Reply, jwt};
use crate::dialect::{ErrorClass, Speech};
use crate::suite::call::{Operation, Slot, Template};
use crate::suite::claim::{Bound, Expectation, Field, FieldPlace, StatusPattern};
use crate::suite::policy::Rotation;

use super::redact::Redaction;
use super::references::Scope;
use super::transcript::{Taken, ending};

/// What a judge knows beside the exchange.
pub(super) struct Bench<'a> {
    /// Where names are looked up, the dialect among it.
    pub scope: Scope<'a>,
    /// What may be shown of values.
    pub redaction: Redaction,
    /// The median of good calls.
    pub median: Option<Duration>,
    /// What the policy says of rotation.
    pub rotation: Option<Rotation>,
}

/// What came of one claim.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Judgement {
    /// It holds.
    Holds,
    /// It does not.
    Fails(Miss),
    /// It cannot be told; why, as a fragment.
    Untold(String),
    /// The endpoint has nothing of the kind that is claimed (opaque tokens have no `exp`); why, as a fragment.
    Moot(String),
}

/// Why a claim does not hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Miss {
    /// What was expected, a fragment.
    pub expected: String,
    /// What was found, a fragment.
    pub found: String,
    /// The parts of the answer that decide.
    pub marks: Vec<String>,
    /// What it means, where that needs saying.
    pub means: Option<String>,
}

impl Judgement {
    /// Fails without marks.
    pub fn fails(expected: impl Into<String>, found: impl Into<String>) -> Judgement {
        Judgement::Fails(Miss { expected: expected.into(), found: found.into(), ..Miss::default() })
    }

    /// The same with the parts that decide.
    #[must_use]
    pub fn marking<T: Into<String>>(self, marks: impl IntoIterator<Item = T>) -> Judgement {
        match self {
            Judgement::Fails(mut miss) => {
                miss.marks.extend(marks.into_iter().map(Into::into));
                Judgement::Fails(miss)
            }
            Judgement::Holds | Judgement::Untold(_) | Judgement::Moot(_) => self,
        }
    }

    /// The same with nothing in its words that may not be shown: names of members are the endpoint's to choose.
    #[must_use]
    pub fn redacted(self, redaction: &Redaction) -> Judgement {
        match self {
            Judgement::Holds => Judgement::Holds,
            Judgement::Untold(why) => Judgement::Untold(redaction.text(&why)),
            Judgement::Moot(why) => Judgement::Moot(redaction.text(&why)),
            Judgement::Fails(miss) => Judgement::Fails(Miss {
                expected: redaction.text(&miss.expected),
                found: redaction.text(&miss.found),
                ..miss
            }),
        }
    }

    /// The same with what it means.
    #[must_use]
    pub fn meaning(self, means: &str) -> Judgement {
        match self {
            Judgement::Fails(mut miss) => {
                miss.means = Some(means.to_owned());
                Judgement::Fails(miss)
            }
            Judgement::Holds | Judgement::Untold(_) | Judgement::Moot(_) => self,
        }
    }
}

/// All must hold: the first failure counts, else the first that cannot be told; moot if every part is.
fn all(judgements: impl IntoIterator<Item = Judgement>) -> Judgement {
    let (mut untold, mut moot, mut held) = (None, None, false);
    for judgement in judgements {
        match judgement {
            Judgement::Holds => held = true,
            Judgement::Fails(_) => return judgement,
            Judgement::Untold(_) => {
                untold.get_or_insert(judgement);
            }
            Judgement::Moot(_) => {
                moot.get_or_insert(judgement);
            }
        }
    }
    untold.or(moot.filter(|_| !held)).unwrap_or(Judgement::Holds)
}

/// Whether `what` holds of `taken`.
pub(super) fn claim(what: &Expectation, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    if let Some(failure) = taken.failure()
        && outcome::is_ours(failure)
    {
        return Judgement::Untold(format!("the call could not be made: {}", failure.word()));
    }
    if is_not_offered(taken) {
        return Judgement::Moot(format!("the endpoint does not offer `{}`", taken.operation.word()));
    }
    match what {
        Expectation::Outcome(words) => match &taken.look {
            Some(look) => connection::outcome(words, look),
            None => outcome::outcome(words, taken, bench),
        },
        Expectation::Class(classes) => class(classes, taken, bench),
        Expectation::Status(patterns) => status(patterns, taken),
        Expectation::Type(types) => media(types, taken, bench),
        Expectation::Shape { aspects, part } => shape::shape(aspects, part.as_deref(), taken, bench),
        Expectation::At(place, test) => place::at(place, test, taken, bench),
        Expectation::Belongs(links) => all(links.iter().map(|link| belongs::belongs(*link, taken, bench))),
        Expectation::Lacks(lacks) => all(lacks.iter().map(|lack| lacks::lacks(lack, taken, bench))),
        Expectation::Within(bound) => within(*bound, taken, bench),
        Expectation::NoCallback => match taken.called_back {
            Some(false) => Judgement::Holds,
            Some(true) => Judgement::fails("no call to `$callback`", "the endpoint called it"),
            None => Judgement::Untold("no listener was open".to_owned()),
        },
        Expectation::Certificate => match &taken.look {
            Some(look) => connection::certificate(look),
            None => Judgement::Untold("only `connect` sees a certificate".to_owned()),
        },
    }
}

/// Whether the endpoint answers that it has no such operation, of those that an endpoint need not have.
fn is_not_offered(taken: &Taken) -> bool {
    let class = taken.reply.as_ref().and_then(|reply| reply.class);
    match taken.operation {
        Operation::Probe | Operation::Revoke => class == Some(ErrorClass::NoSuchOperation),
        Operation::Refresh | Operation::Login => false,
    }
}

/// How the operation is spoken.
fn speech<'a>(taken: &Taken, bench: &Bench<'a>) -> Option<&'a Speech> {
    bench.scope.dialect.operation(taken.operation)
}

/// The answer, or what counts in its place: a call that was not answered fails what is claimed of its answer.
fn reply<'a>(taken: &'a Taken, expected: &str) -> Result<&'a Reply, Judgement> {
    taken.reply.as_deref().ok_or_else(|| Judgement::fails(expected, ending(taken)))
}

/// Whether this endpoint has nothing of the kind at all: the answer that opened the chain had none either. Of
/// members this is said only where the dialect declares that they may be absent, as `expires_in` may.
fn never_had(place: &FieldPlace, taken: &Taken, bench: &Bench<'_>) -> bool {
    match place {
        FieldPlace::Claim(..) | FieldPlace::Jose(..) | FieldPlace::Header(_) => match &taken.origin {
            Some(origin) => origin.at(bench.scope.dialect, Operation::Login, place) == Found::Absent,
            // Nobody saw how a chain out of a file began, but for its tokens.
            None => presented(place, taken) == Some(None),
        },
        FieldPlace::Field(field) => {
            let places = sources_of(*field, taken, bench);
            !places.is_empty() && places.iter().all(|place| never_had(place, taken, bench))
        }
        FieldPlace::Path(path) => speech(taken, bench).is_some_and(|speech| speech.answers.may_lack(path)),
        FieldPlace::Cookie(_) => false,
    }
}

/// What stood at this place of the access token that the chain had before: nothing where it had none, or where the
/// place is elsewhere; and nothing in something where the token was without it.
fn presented(place: &FieldPlace, taken: &Taken) -> Option<Option<String>> {
    let (part, name) = match place {
        FieldPlace::Claim(Field::Access, name) => (jwt::Part::Claims, name),
        FieldPlace::Jose(Field::Access, name) => (jwt::Part::Header, name),
        _ => return None,
    };
    let token = taken.good.get(&Slot::Access)?;
    let tree = jwt::read(token.expose(), part);
    let value = tree.as_ref().and_then(|tree| tree.child(name).or_else(|| tree.get(name)));
    Some(value.map(|value| match value {
        Tree::Text(text) | Tree::Number(text) => text.clone(),
        Tree::Flag(flag) => flag.to_string(),
        Tree::Null | Tree::Object(_) | Tree::List(_) => String::new(),
    }))
}

/// Where a field is read.
fn sources_of<'a>(field: Field, taken: &Taken, bench: &Bench<'a>) -> &'a [FieldPlace] {
    let source = speech(taken, bench).and_then(|speech| speech.answers.fields.get(&field));
    source.map_or(&[][..], |source| &source.at)
}

/// Where a field is read that stands in tokens alone.
fn claims_of<'a>(field: Field, taken: &Taken, bench: &Bench<'a>) -> &'a [FieldPlace] {
    let places = sources_of(field, taken, bench);
    let inside = |place: &FieldPlace| matches!(place, FieldPlace::Claim(..) | FieldPlace::Jose(..));
    if places.iter().all(inside) { places } else { &[] }
}

/// Whether the token that the place is a claim of is no JWT, and never was one.
fn is_opaque(place: &FieldPlace, taken: &Taken, bench: &Bench<'_>) -> bool {
    let field = match place {
        FieldPlace::Claim(field, _) | FieldPlace::Jose(field, _) => field,
        FieldPlace::Field(field) => {
            let places = claims_of(*field, taken, bench);
            return !places.is_empty() && places.iter().all(|place| is_opaque(place, taken, bench));
        }
        FieldPlace::Path(_) | FieldPlace::Header(_) | FieldPlace::Cookie(_) => return false,
    };
    let alg = FieldPlace::Jose(*field, "alg".to_owned());
    let now = taken.reply.as_ref().map(|reply| reply.at(bench.scope.dialect, taken.operation, &alg));
    now == Some(Found::Absent) && never_had(&alg, taken, bench)
}

/// The line by which an answer is known: `HTTP/1.1 200`.
fn status_line(status: u16) -> String {
    format!("HTTP/1.1 {status}")
}

/// `` `a` or `b` ``
fn either(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} or {last}", before.join(", ")),
    }
}

fn texts(templates: &[Template], bench: &Bench<'_>, taken: &Taken) -> Result<Vec<String>, Judgement> {
    let scope = Scope { this: Some(taken), ..bench.scope };
    templates
        .iter()
        .map(|template| scope.text(template))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Judgement::Untold)
}

fn class(classes: &[Template], taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let wanted = match texts(classes, bench, taken) {
        Ok(wanted) => wanted,
        Err(judgement) => return judgement,
    };
    let expected = either(&wanted);
    let reply = match reply(taken, &expected) {
        Ok(reply) => reply,
        Err(judgement) => return judgement,
    };
    match reply.class {
        Some(class) if wanted.iter().any(|word| word == class.word()) => Judgement::Holds,
        Some(ErrorClass::Unknown) => {
            Judgement::Untold("no rule under `errors` of the dialect knows this refusal".to_owned())
        }
        Some(_) | None => {
            Judgement::fails(expected, ending(taken)).marking([status_line(reply.answer().status)])
        }
    }
}

fn status(patterns: &[StatusPattern], taken: &Taken) -> Judgement {
    let words: Vec<String> = patterns
        .iter()
        .map(|pattern| match pattern {
            StatusPattern::Exactly(status) => status.to_string(),
            StatusPattern::Family(hundreds) => format!("{hundreds}xx"),
        })
        .collect();
    let expected = format!("status {}", either(&words));
    let status = match reply(taken, &expected) {
        Ok(reply) => reply.answer().status,
        Err(judgement) => return judgement,
    };
    let fits = patterns.iter().any(|pattern| match pattern {
        StatusPattern::Exactly(wanted) => *wanted == status,
        StatusPattern::Family(hundreds) => status / 100 == *hundreds,
    });
    if fits {
        Judgement::Holds
    } else {
        Judgement::fails(expected, format!("`{status}`")).marking([status_line(status)])
    }
}

/// The label, and bytes that are what it says.
fn media(types: &[Template], taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let wanted = match texts(types, bench, taken) {
        Ok(wanted) => wanted,
        Err(judgement) => return judgement,
    };
    let expected = either(&wanted);
    let reply = match reply(taken, &expected) {
        Ok(reply) => reply,
        Err(judgement) => return judgement,
    };
    let answer = reply.answer();
    let Some(label) = answer.media_type().filter(|label| !label.is_empty()) else {
        return Judgement::fails(expected, format!("no Content-Type ({})", answer.status))
            .marking([status_line(answer.status)]);
    };
    if !wanted.iter().any(|word| word.eq_ignore_ascii_case(&label)) {
        let shown: String = label.chars().filter(|c| !c.is_control()).take(80).collect();
        return Judgement::fails(expected, format!("`{shown}`")).marking([label]);
    }
    match (family_of_label(&label), family_of_bytes(&answer.body)) {
        (Some(said), Some(is)) if said != is => {
            Judgement::fails(expected, format!("labelled `{label}`, but the bytes are {is}")).marking([label])
        }
        _ => Judgement::Holds,
    }
}

fn family_of_label(label: &str) -> Option<&'static str> {
    if label.ends_with("json") {
        Some("JSON")
    } else if label.ends_with("xml") {
        Some("XML")
    } else {
        None
    }
}

fn family_of_bytes(body: &[u8]) -> Option<&'static str> {
    // Byte order marks and the zeros of UTF-16 stand before the first sign.
    let first = body
        .iter()
        .find(|byte| !matches!(byte, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF | b' ' | b'\t' | b'\r' | b'\n'))?;
    match first {
        b'<' => Some("XML"),
        b'{' | b'[' | b'"' => Some("JSON"),
        _ => None,
    }
}

fn within(bound: Bound, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let limit = match bound {
        Bound::Time(limit) => limit,
        Bound::Times(factor) => match bench.median {
            // A multiple of next to nothing is noise: a second above the median is always borne.
            Some(median) => median.mul_f64(factor.clamp(0.0, 1e6)).max(median + Duration::from_secs(1)),
            None => return Judgement::Untold("the median of good calls is not known".to_owned()),
        },
    };
    let expected = format!("an answer within {} ms", limit.as_millis());
    if taken.failure().is_some_and(|failure| !outcome::is_closed(failure)) {
        return Judgement::fails(expected, ending(taken));
    }
    if taken.took() <= limit {
        Judgement::Holds
    } else {
        Judgement::fails(expected, format!("{} ms", taken.took().as_millis()))
    }
}
