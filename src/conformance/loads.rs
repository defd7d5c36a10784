//! Claims on a load inside a check: judged by its books and its ledger, not answer by answer.

use indexmap::IndexMap;

use crate::results::LoadResult;
use crate::results::objectives::{self, OfLoad};
use crate::suite::claim::{Expectation, OutcomeWord, SetExpectation};
use crate::suite::expression::{Expression, Names, Truth, Value};

use super::judge::Judgement;
use super::names::Promised;

/// A figure that rests on fewer answers is no figure.
const FEW: u64 = 5;

/// A claim that holds for each exchange of a load.
pub(super) fn claim(what: &Expectation, load: &LoadResult) -> Judgement {
    match what {
        Expectation::Outcome(words) => outcome(words, load),
        Expectation::Belongs(_) if load.ledger.tokens == 0 => {
            Judgement::Untold("the ledger saw no token".to_owned())
        }
        Expectation::Belongs(_) if load.ledger.strangers == 0 => Judgement::Holds,
        Expectation::Belongs(_) => Judgement::fails(
            "every token issued to its own chain",
            format!("{} issued to another", load.ledger.strangers),
        ),
        Expectation::Class(_)
        | Expectation::Status(_)
        | Expectation::Type(_)
        | Expectation::Shape { .. }
        | Expectation::At(..)
        | Expectation::Lacks(_)
        | Expectation::Within(_)
        | Expectation::NoCallback
        | Expectation::Certificate => {
            Judgement::Untold(format!("`{}` is not judged of each answer of a load", what.word()))
        }
    }
}

fn outcome(words: &[OutcomeWord], load: &LoadResult) -> Judgement {
    let book = &load.book;
    let allowed: u64 = words
        .iter()
        .map(|word| match word {
            OutcomeWord::Granted => book.granted,
            OutcomeWord::Refused => book.refused,
            OutcomeWord::Clean => book.granted + book.refused,
            OutcomeWord::Crash | OutcomeWord::Closed | OutcomeWord::Promised => 0,
        })
        .sum();
    if allowed >= book.sent {
        return Judgement::Holds;
    }
    let names: Vec<&str> = words.iter().map(|word| word.word()).collect();
    let example = load.errors.first().map(|error| format!(", such as {}", error.class)).unwrap_or_default();
    Judgement::fails(
        format!("`{}` for each of {} calls", names.join("` or `"), book.sent),
        format!("{} others{example}", book.sent - allowed),
    )
}

/// The loads of a check by name, those that a claim is about, and what was promised.
pub(super) struct Loads<'a> {
    /// Whose figures need no name in front.
    pub of: &'a [String],
    /// All of them, those beside included.
    pub all: &'a IndexMap<String, LoadResult>,
    /// What the policy promises.
    pub promised: Promised<'a>,
}

/// A claim on loads as a whole.
pub(super) fn set_claim(what: &SetExpectation, loads: &Loads<'_>) -> Judgement {
    match what {
        SetExpectation::Distinct(_) => {
            let duplicates: u64 = loads.members().map(|load| load.ledger.duplicates).sum();
            if duplicates == 0 {
                Judgement::Holds
            } else {
                Judgement::fails("no token issued twice", format!("{duplicates} were"))
            }
        }
        SetExpectation::Measured(condition) => measured(condition, loads),
        SetExpectation::Promised(_)
        | SetExpectation::Same(_)
        | SetExpectation::Alike(_)
        | SetExpectation::Apart(_)
        | SetExpectation::PlainDates(_)
        | SetExpectation::Entropy { .. }
        | SetExpectation::Timing { .. } => {
            Judgement::Untold(format!("`{}` is not judged of a load", what.word()))
        }
    }
}

fn measured(condition: &Expression, loads: &Loads<'_>) -> Judgement {
    if let Some(why) = condition.names().iter().find_map(|name| loads.thin(name)) {
        return Judgement::Untold(why);
    }
    let distrust = || condition.names().iter().find_map(|name| loads.distrust(name));
    match condition.truth(loads) {
        Truth::True => Judgement::Holds,
        // A generator that is short of time makes an endpoint look slow, never fast.
        Truth::False => match distrust() {
            Some(why) => Judgement::Untold(why),
            None => Judgement::fails(format!("`{}`", condition.text), loads.figures(condition)),
        },
        Truth::Unknown(name) => Judgement::Untold(format!("`{name}` is not known of this load")),
    }
}

impl Names for Loads<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        match self.find(name) {
            Some((load, rest)) => of_book(load, rest).or_else(|| OfLoad(load).value(rest)),
            None => self.promised.value(name),
        }
    }
}

/// What only the book knows.
fn of_book(load: &LoadResult, name: &str) -> Option<Value> {
    let book = &load.book;
    match name {
        "sent" => Some(Value::Number(book.sent as f64)),
        "unanswered" => Some(Value::Number(book.unanswered as f64)),
        _ => None,
    }
}

impl<'a> Loads<'a> {
    fn members(&self) -> impl Iterator<Item = &LoadResult> {
        self.of.iter().filter_map(|name| self.all.get(name))
    }

    /// The load that a name is about, and the rest of the name.
    fn find<'n>(&self, name: &'n str) -> Option<(&'a LoadResult, &'n str)> {
        let named = name.split_once('.').and_then(|(first, rest)| Some((self.all.get(first)?, rest)));
        match self.of {
            [only] if named.is_none() && !name.starts_with("policy.") => {
                self.all.get(only).map(|load| (load, name))
            }
            _ => named,
        }
    }

    /// Why a time decides nothing: it rests on too few answers.
    fn thin(&self, name: &str) -> Option<String> {
        let (load, rest) = self.find(name)?;
        let (beyond, of) = objectives::beyond(load, rest)?;
        (beyond < 0.999 || of < FEW).then(|| format!("`{name}` rests on {of} answers, which is too few"))
    }

    /// Why a time or a rate cannot be held against the endpoint.
    fn distrust(&self, name: &str) -> Option<String> {
        let (load, rest) = self.find(name)?;
        let timed = objectives::beyond(load, rest).is_some() || matches!(rest, "rate" | "highest");
        let reason = load.untrusted.first().filter(|_| timed)?;
        Some(format!("the measurement cannot be trusted: {reason}"))
    }

    /// The figures of a condition: `end.response.p95 = 12.1 ms`.
    fn figures(&self, condition: &Expression) -> String {
        let shown = |name: &&str| Some(format!("{name} = {}", objectives::worded(&self.value(name)?)?));
        let figures: Vec<String> = condition.names().iter().filter_map(shown).collect();
        figures.join(", ")
    }
}
