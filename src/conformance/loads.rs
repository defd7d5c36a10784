//! Claims on a load inside a check: judged by its books and its ledger, not answer by answer.

use crate::results::LoadResult;
use crate::suite::claim::{Expectation, OutcomeWord, SetExpectation};
use crate::suite::expression::{Names, Truth, Value};

use super::judge::Judgement;

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

/// A claim on a load as a whole.
pub(super) fn set_claim(what: &SetExpectation, name: &str, load: &LoadResult) -> Judgement {
    match what {
        SetExpectation::Distinct(_) if load.ledger.duplicates == 0 => Judgement::Holds,
        SetExpectation::Distinct(_) => {
            Judgement::fails("no token issued twice", format!("{} were", load.ledger.duplicates))
        }
        SetExpectation::Measured(condition) => match condition.truth(&Figures { name, load }) {
            Truth::True => Judgement::Holds,
            Truth::False => Judgement::fails(format!("`{}`", condition.text), "otherwise"),
            Truth::Unknown(name) => Judgement::Untold(format!("`{name}` is not known of this load")),
        },
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

/// Figures of one load by name, with or without the step's name in front.
struct Figures<'a> {
    name: &'a str,
    load: &'a LoadResult,
}

impl Names for Figures<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        let bare = name.strip_prefix(self.name).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
        let book = &self.load.book;
        let count = |count: u64| Some(Value::Number(count as f64));
        match bare {
            "granted" => count(book.granted),
            "refused" => count(book.refused),
            "starved" => count(book.starved),
            "sent" => count(book.sent),
            "unanswered" => count(book.unanswered),
            "ledger.duplicates" => count(self.load.ledger.duplicates),
            "ledger.strangers" => count(self.load.ledger.strangers),
            "errors" if book.sent > 0 => {
                Some(Value::Share((book.sent - book.granted) as f64 / book.sent as f64))
            }
            _ => self.time(bare),
        }
    }
}

impl Figures<'_> {
    /// `response.p99`, `xml.service.p95`
    fn time(&self, name: &str) -> Option<Value> {
        let (clocks, rest) = match name.split_once('.')? {
            ("response" | "service", _) => ((&self.load.response, &self.load.service), name),
            (part, rest) => {
                let part = self.load.parts.iter().find(|candidate| candidate.name == part)?;
                ((&part.response, &part.service), rest)
            }
        };
        let (clock, quantile) = rest.split_once('.')?;
        let clock = match clock {
            "response" => clocks.0,
            "service" => clocks.1,
            _ => return None,
        };
        let micros = clock.quantiles_us.get(quantile)?;
        Some(Value::Duration(std::time::Duration::from_secs_f64(micros.max(0.0) / 1e6)))
    }
}
