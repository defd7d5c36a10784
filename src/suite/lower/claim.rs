//! Claims on one exchange and on many.

use crate::source::Span;

use super::super::claim::{
    Aspect, Bound, Claim, Expectation, Field, FieldPlace, Kind, Lack, Link, OutcomeWord, Pattern,
    RacePromise, SetClaim, SetExpectation, SetPlace, StatusPattern, Strength, Test,
};
use super::super::written::{self, Word};
use super::super::yaml::{OneOrMany, Spanned};
use super::expect;
use super::notes::{Notes, shown};
use super::reference::{Scope, field_place, near, template};
use super::vocabulary;

/// The claims under one strength.
pub(super) fn claims(
    strength: Strength,
    written: &Spanned<written::Claims>,
    scope: &Scope,
    notes: &mut Notes<'_>,
) -> Vec<Claim> {
    let outcome = |words: &[Word], at: Span, notes: &mut Notes<'_>| {
        let outcomes = outcomes(words, at, notes);
        vec![Claim { strength, what: Expectation::Outcome(outcomes), at }]
    };
    match &written.value {
        written::Claims::Word(word) => outcome(std::slice::from_ref(word), word.span, notes),
        written::Claims::List(words) => outcome(words, written.span, notes),
        written::Claims::Map(map) => {
            let mut builder = Builder { strength, scope, notes, claims: Vec::new() };
            builder.map(map);
            let mut claims = builder.claims;
            if map.is_empty() {
                notes.error("suite::no-claim", written.key, "nothing is claimed", "write what must hold");
            }
            claims.sort_by_key(|claim| claim.at.start);
            claims
        }
    }
}

fn outcomes(words: &[Word], at: Span, notes: &mut Notes<'_>) -> Vec<OutcomeWord> {
    let known = OutcomeWord::ALL.map(|outcome| (outcome, outcome.word()));
    if words.is_empty() {
        notes.error("suite::no-claim", at, "nothing is claimed", "one outcome at least");
    }
    words.iter().filter_map(|word| notes.word("outcome", &word.value, word.span, &known)).collect()
}

struct Builder<'a, 's> {
    strength: Strength,
    scope: &'a Scope,
    notes: &'a mut Notes<'s>,
    claims: Vec<Claim>,
}

impl Builder<'_, '_> {
    fn push(&mut self, at: Span, what: Expectation) {
        self.claims.push(Claim { strength: self.strength, what, at });
    }

    fn map(&mut self, map: &written::ClaimMap) {
        if let Some(words) = &map.outcome {
            let outcomes = outcomes(&words.value.0, words.span, self.notes);
            self.push(words.entry(), Expectation::Outcome(outcomes));
        }
        if let Some(words) = &map.class {
            let classes = words.value.0.iter().map(|word| class(word, self.scope, self.notes)).collect();
            self.push(words.entry(), Expectation::Class(classes));
        }
        if let Some(words) = &map.status {
            let statuses = words.value.0.iter().filter_map(|word| status(word, self.notes)).collect();
            self.push(words.entry(), Expectation::Status(statuses));
        }
        if let Some(words) = &map.media {
            let types = words.value.0.iter().map(|word| template(word, self.scope, self.notes)).collect();
            self.push(words.entry(), Expectation::Type(types));
        }
        self.shape(map);
        for (place, test) in map.at.iter().flat_map(|at| &at.value) {
            let at = test.entry();
            if let Some(place) = field_place(place, test.key, self.notes) {
                let test = test_of(&test.value, test.span, self.scope, self.notes);
                self.push(at, Expectation::At(place, Box::new(test)));
            }
        }
        if let Some(words) = &map.belongs {
            let links = words
                .value
                .0
                .iter()
                .filter_map(|word| self.notes.word("link", &word.value, word.span, &Link::ALL));
            let links = links.collect();
            self.push(words.entry(), Expectation::Belongs(links));
        }
        if let Some(words) = &map.lacks {
            let lacks = words.value.0.iter().filter_map(|lack| lack_of(lack, self.notes)).collect();
            self.push(words.entry(), Expectation::Lacks(lacks));
        }
        if let Some(word) = &map.within
            && let Some(bound) = bound(word, self.notes)
        {
            self.push(word.entry(), Expectation::Within(bound));
        }
        if let Some(word) = &map.callback
            && self.notes.word("count of calls", &word.value, word.span, &[((), "never")]).is_some()
        {
            self.push(word.entry(), Expectation::NoCallback);
        }
        if let Some(word) = &map.certificate
            && self.notes.word("state of a certificate", &word.value, word.span, &[((), "valid")]).is_some()
        {
            self.push(word.entry(), Expectation::Certificate);
        }
    }

    fn shape(&mut self, map: &written::ClaimMap) {
        let part = map.part.as_ref();
        let Some(words) = &map.shape else {
            if let Some(part) = part {
                let message = "`part` says which part `shape` is about, and there is no `shape`";
                self.notes.error("suite::no-claim", part.key, message, "claims nothing");
            }
            return;
        };
        let mut aspects = Vec::new();
        for word in &words.value.0 {
            aspects.extend(self.notes.word("aspect of a shape", &word.value, word.span, &Aspect::ALL));
        }
        if let Some(part) = part.filter(|part| !part.value.starts_with('/')) {
            let message = format!("`{}` is no path", shown(&part.value));
            let label = "a path begins with `/`; `/` alone is the envelope";
            self.notes.error("suite::place", part.span, message, label);
        }
        let part = part.map(|part| part.value.clone());
        self.push(words.entry(), Expectation::Shape { aspects, part });
    }
}

fn class(word: &Word, scope: &Scope, notes: &mut Notes<'_>) -> super::super::call::Template {
    let read = template(word, scope, notes);
    if let Some(plain) = read.as_plain().filter(|plain| !vocabulary::CLASS.contains(&plain.as_str())) {
        let message = format!("`{}` is no class of refusals", shown(&plain));
        notes.unknown(word.span, message, &plain, vocabulary::CLASS);
    }
    read
}

fn status(word: &Word, notes: &mut Notes<'_>) -> Option<StatusPattern> {
    let text = word.value.as_str();
    let exact =
        text.parse::<u16>().ok().filter(|code| (100..=599).contains(code)).map(StatusPattern::Exactly);
    let family = text
        .strip_suffix("xx")
        .and_then(|hundreds| hundreds.parse::<u16>().ok())
        .filter(|hundreds| (1..=5).contains(hundreds))
        .map(StatusPattern::Family);
    let found = exact.or(family);
    if found.is_none() {
        let message = format!("`{}` is no HTTP status", shown(text));
        notes.error(
            "suite::wrong-value",
            word.span,
            message,
            "expected 100 to 599, or a family such as `4xx`",
        );
    }
    found
}

fn test_of(at: &written::At, span: Span, scope: &Scope, notes: &mut Notes<'_>) -> Test {
    let test = match at {
        written::At::Word(word) => {
            return Test { equals: Some(template(word, scope, notes)), ..Test::default() };
        }
        written::At::Map(test) => test,
    };
    let mut text = |word: &Option<Word>| word.as_ref().map(|word| template(word, scope, notes));
    let (equals, not, among) = (text(&test.equals), text(&test.not), text(&test.among));
    let one_of =
        test.one_of.as_ref().map(|words| words.iter().map(|word| template(word, scope, notes)).collect());
    let mut pattern = |word: &Option<Word>| word.as_ref().and_then(|word| checked_pattern(word, notes));
    let (like, unlike) = (pattern(&test.like), pattern(&test.unlike));
    let lowered = Test {
        equals,
        not,
        one_of,
        like,
        unlike,
        among,
        optional: test.optional,
        is: test.is.as_ref().and_then(|word| notes.word("kind of value", &word.value, word.span, &Kind::ALL)),
        near: test.near.as_ref().and_then(|word| near(word, notes)),
        after: test.after.as_ref().and_then(|word| field_place(word.value.trim(), word.span, notes)),
    };
    let written = [&test.equals, &test.not, &test.like, &test.unlike, &test.is, &test.near, &test.after];
    if test.one_of.is_none() && test.among.is_none() && written.iter().all(|word| word.is_none()) {
        notes.error("suite::no-claim", span, "nothing is asked of this value", "empty");
    }
    lowered
}

/// A regular expression; never a template.
fn checked_pattern(word: &Word, notes: &mut Notes<'_>) -> Option<Pattern> {
    match regex::Regex::new(&word.value) {
        Ok(pattern) => Some(Pattern(pattern)),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
            notes.error("suite::pattern", word.span, "this is no regular expression", reason);
            None
        }
    }
}

fn lack_of(lack: &Spanned<written::Lack>, notes: &mut Notes<'_>) -> Option<Lack> {
    match &lack.value {
        written::Lack::Word(word) => notes.word("kind of leak", word, lack.span, &vocabulary::LACK),
        written::Lack::Map(written::LackOf::Text(text)) => Some(Lack::Text(text.clone())),
        written::Lack::Map(written::LackOf::Pattern(word)) => checked_pattern(word, notes).map(Lack::Pattern),
    }
}

fn bound(word: &Word, notes: &mut Notes<'_>) -> Option<Bound> {
    match word.value.strip_suffix('x').map(str::parse::<f64>) {
        Some(Ok(times)) if times.is_finite() && times > 0.0 => Some(Bound::Times(times)),
        _ => notes.duration(word).map(Bound::Time),
    }
}

/// How places become a claim.
type Make = fn(Vec<SetPlace>) -> SetExpectation;

/// The claims of a set under one strength.
pub(super) fn set_claims(
    strength: Strength,
    written: &Spanned<written::SetClaims>,
    notes: &mut Notes<'_>,
) -> Vec<SetClaim> {
    let set = &written.value;
    let mut claims = Vec::new();
    let mut push = |at: Span, what: SetExpectation| claims.push(SetClaim { strength, what, at });
    for (words, form, make) in [
        (&set.same, false, SetExpectation::Same as Make),
        (&set.alike, true, SetExpectation::Alike),
        (&set.apart, false, SetExpectation::Apart),
        (&set.distinct, false, SetExpectation::Distinct),
    ] {
        if let Some(words) = words {
            let places = words.value.0.iter().filter_map(|word| set_place(word, form, notes)).collect();
            push(words.entry(), make(places));
        }
    }
    if let Some(words) = &set.plain_dates {
        push(words.entry(), SetExpectation::PlainDates(date_places(&words.value, notes)));
    }
    if let Some(word) = &set.measured
        && let Some(expression) = expect::measured(word, notes)
    {
        push(word.entry(), SetExpectation::Measured(expression));
    }
    if let Some(entropy) = &set.entropy
        && let Some(what) = entropy_of(&entropy.value, notes)
    {
        push(entropy.entry(), what);
    }
    if let Some(timing) = &set.timing
        && let Some(what) = timing_of(&timing.value, notes)
    {
        push(timing.entry(), what);
    }
    if let Some(words) = &set.promised {
        let promises =
            words.value.0.iter().filter_map(|word| {
                notes.word("promise of a race", &word.value, word.span, &RacePromise::ALL)
            });
        push(words.entry(), SetExpectation::Promised(promises.collect()));
    }
    if set.is_empty() {
        notes.error("suite::no-claim", written.key, "nothing is claimed", "write what must hold");
    }
    claims.sort_by_key(|claim| claim.at.start);
    claims
}

fn entropy_of(entropy: &written::Entropy, notes: &mut Notes<'_>) -> Option<SetExpectation> {
    let tokens: Vec<(Field, &str)> =
        Field::ALL.iter().filter(|(field, _)| field.is_token()).copied().collect();
    let of = notes.word("token", &entropy.of.value, entropy.of.span, &tokens)?;
    let bits = entropy.bits.value;
    if bits == 0 {
        let message = "`0` bits are there in every token";
        notes.error("suite::wrong-value", entropy.bits.span, message, "one bit at least");
    }
    Some(SetExpectation::Entropy { of, bits })
}

fn timing_of(timing: &written::Timing, notes: &mut Notes<'_>) -> Option<SetExpectation> {
    let word = &timing.effect;
    match word.value.parse::<f64>() {
        Ok(effect) if effect > 0.0 && effect < 1.0 => Some(SetExpectation::Timing { effect }),
        _ => {
            let message = format!("`{}` is no effect size", shown(&word.value));
            notes.error("suite::wrong-value", word.span, message, "between 0 and 1: `0.2` is small");
            None
        }
    }
}

fn date_places(words: &OneOrMany<Word>, notes: &mut Notes<'_>) -> Vec<FieldPlace> {
    words.0.iter().filter_map(|word| field_place(&word.value, word.span, notes)).collect()
}

/// A place that is compared over a set. `form`: forms are compared, and not values.
fn set_place(word: &Word, form: bool, notes: &mut Notes<'_>) -> Option<SetPlace> {
    let place = match word.value.as_str() {
        "status" => SetPlace::Status,
        "class" => SetPlace::Class,
        "type" => SetPlace::Type,
        "member-order" => SetPlace::MemberOrder,
        "body" | "size" if !form => {
            let message = format!("`{}` is compared by form", word.value);
            notes.error("suite::place", word.span, message, format!("write `alike: [{}]`", word.value));
            return None;
        }
        "body" => SetPlace::Body,
        "size" => SetPlace::Size,
        _ => return field_place(&word.value, word.span, notes).map(SetPlace::Place),
    };
    Some(place)
}
