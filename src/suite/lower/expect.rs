//! Expressions by the place they stand in: which names they may use, and of what kind those are.

use std::ops::Range;

use super::super::claim::Field;
use super::super::expression::{Expression, ValueKind};
use super::super::written::Word;
use super::super::yaml;
use super::notes::{Notes, shown};
use super::vocabulary;

/// Every promise by its path, with its words if it has some. Durations have none.
fn promises() -> Vec<(&'static str, Option<Vec<&'static str>>)> {
    use vocabulary::with_unknown;
    vec![
        ("policy.rotation", Some(with_unknown(&vocabulary::ROTATION))),
        ("policy.replay.answer", Some(with_unknown(&vocabulary::REPLAY_ANSWER))),
        ("policy.replay.revokes", Some(with_unknown(&vocabulary::REPLAY_REVOKES))),
        ("policy.grace", Some(vec!["none", "window", "unknown"])),
        ("policy.grace.for", None),
        ("policy.grace.uses", None),
        ("policy.grace.answer", Some(with_unknown(&vocabulary::GRACE_ANSWER))),
        ("policy.grace.reach", Some(with_unknown(&vocabulary::GRACE_REACH))),
        ("policy.grace.siblings", Some(with_unknown(&vocabulary::SIBLINGS))),
        ("policy.old-access", Some(with_unknown(&vocabulary::OLD_ACCESS))),
        ("policy.pair", Some(with_unknown(&vocabulary::PAIR))),
        ("policy.race", Some(with_unknown(&vocabulary::RACE))),
        ("policy.idle", None),
        ("policy.cap", None),
        ("policy.access-lifetime", None),
        ("policy.refresh-lifetime", None),
        ("policy.slack", None),
        ("policy.budget.p50", None),
        ("policy.budget.p95", None),
        ("policy.budget.p99", None),
        ("policy.budget.errors", None),
        ("policy.budget.rate", None),
    ]
}

fn kind_of_promise(name: &str) -> Option<ValueKind> {
    let (name, words) = promises().into_iter().find(|(known, _)| *known == name)?;
    Some(match words {
        Some(_) => ValueKind::Word,
        None if name == "policy.grace.uses" => ValueKind::Number,
        None if name == "policy.budget.errors" => ValueKind::Share,
        None if name == "policy.budget.rate" => ValueKind::Rate,
        None => ValueKind::Duration,
    })
}

/// What is known of dialect and environment before a run.
const FACTS: [(&str, ValueKind); 9] = [
    ("dialect.name", ValueKind::Word),
    ("dialect.oauth2", ValueKind::Flag),
    ("dialect.login", ValueKind::Flag),
    ("dialect.probe", ValueKind::Flag),
    ("dialect.revoke", ValueKind::Flag),
    ("environment.name", ValueKind::Word),
    ("environment.mock", ValueKind::Flag),
    ("environment.patience", ValueKind::Duration),
    ("environment.timeout", ValueKind::Duration),
];

fn kind_of_fact(name: &str) -> Option<ValueKind> {
    FACTS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// `when`: a condition over what is known before the run.
pub(super) fn when(word: &Word, notes: &mut Notes<'_>) -> Option<Expression> {
    let expression = notes.expression(word)?;
    is_condition(&expression, word, notes);
    for (at, name) in expression.references() {
        match name.split('.').next().unwrap_or("") {
            "policy" => promise(&name, at, word, notes),
            "dialect" | "environment" if kind_of_fact(&name).is_some() => {}
            "dialect" | "environment" => {
                let span = notes.inside(word, at);
                let message = format!("`{}` is not known before a run", shown(&name));
                notes.unknown(span, message, &name, FACTS.iter().map(|(name, _)| *name));
            }
            _ => {
                let span = notes.inside(word, at);
                let message = format!("`{}` is not known before a run", shown(&name));
                notes.error("suite::unknown-name", span, message, "not known here").help =
                    Some("names begin with `policy.`, `dialect.` or `environment.`".to_owned());
            }
        }
    }
    promised_words(&expression, word, notes);
    let mistakes = expression.mistakes(&|name| kind_of_promise(name).or_else(|| kind_of_fact(name)));
    notes.mistakes(word, &mistakes);
    Some(expression)
}

/// `wait`, `every`, `for`: a length of time.
pub(super) fn length(word: &Word, notes: &mut Notes<'_>) -> Option<Expression> {
    let expression = notes.expression(word)?;
    for (at, name) in expression.references() {
        if name.starts_with("policy.") {
            promise(&name, at, word, notes);
        } else {
            let span = notes.inside(word, at);
            let message = format!("`{}` is no length of time", shown(&name));
            notes.error("suite::unknown-name", span, message, "not known here").help =
                Some("write a time (`10s`) or a promise (`policy.grace.for`)".to_owned());
            return None;
        }
    }
    let mistakes = expression.mistakes(&kind_of_promise);
    notes.mistakes(word, &mistakes);
    let kind = expression.kind(&kind_of_promise);
    if let Some(kind) = kind.filter(|kind| *kind != ValueKind::Duration) {
        let text = shown(&word.value);
        let message = match kind {
            ValueKind::Number => format!("{text} of what?"),
            _ => format!("`{text}` is {} and no length of time", kind.described()),
        };
        notes.error("suite::unit", word.span, message, "expected a length of time such as `10s` or `30d`");
    }
    Some(expression)
}

/// `wait: { until: … }`: a moment of an answer, of the last one or of a named step's.
pub(super) fn moment(word: &Word, steps: &[String], notes: &mut Notes<'_>) -> Option<Expression> {
    let expression = notes.expression(word)?;
    for (at, name) in expression.references().into_iter().filter(|(_, name)| !name.starts_with("policy.")) {
        let (step, field) = match name.split_once('.') {
            Some((step, field)) => (Some(step), field),
            None => (None, name.as_str()),
        };
        let span = notes.inside(word, at);
        if let Some(step) = step.filter(|step| !steps.iter().any(|known| known == step)) {
            let message = format!("there is no earlier step `{}`", shown(step));
            let near = notes.unknown(span, message, step, steps.iter().rev().map(String::as_str));
            near.patch = near.patch.take().map(|near| format!("{near}.{field}"));
        } else if !field.contains(['#', '/', ':'])
            && !matches!(Field::from_word(field), Some(Field::Issued | Field::Expires | Field::Served))
        {
            let message = format!("`{}` is no moment of an answer", shown(field));
            notes.unknown(span, message, field, ["expires", "issued", "served"]);
        }
    }
    Some(expression)
}

/// Counts that a set has.
const COUNTS: [&str; 6] = ["granted", "refused", "crashes", "garbled", "unanswered", "sent"];

/// `measured`: counts of outcomes and classes; for a load its metrics, perhaps of a part.
pub(super) fn measured(word: &Word, notes: &mut Notes<'_>) -> Option<Expression> {
    let expression = notes.expression(word)?;
    is_condition(&expression, word, notes);
    for (at, name) in expression.references() {
        let known = COUNTS.contains(&name.as_str())
            || vocabulary::CLASS.contains(&name.as_str())
            || name.starts_with("policy.")
            || name.rsplit('.').next().is_some_and(|last| COUNTS.contains(&last))
            || metric_at_the_end(&name).is_some();
        if !known {
            let span = notes.inside(word, at);
            let message = format!("`{}` is neither counted nor measured", shown(&name));
            let last = name.rsplit_once('.').map_or(name.as_str(), |(_, last)| last);
            let candidates = COUNTS.into_iter().chain(vocabulary::CLASS).chain(metrics());
            let near = notes.unknown(span, message, last, candidates);
            if last != name {
                near.patch = None;
            }
        }
    }
    let mistakes = expression.mistakes(&|name| {
        if COUNTS.contains(&name) || vocabulary::CLASS.contains(&name) {
            Some(ValueKind::Number)
        } else {
            kind_of_promise(name).or_else(|| metric_at_the_end(name))
        }
    });
    notes.mistakes(word, &mistakes);
    Some(expression)
}

/// The metrics of a load that are no latencies.
const FIGURES: [(&str, ValueKind); 16] = [
    ("errors", ValueKind::Share),
    ("rate", ValueKind::Rate),
    ("granted", ValueKind::Number),
    ("refusals", ValueKind::Share),
    ("refused", ValueKind::Number),
    ("crashes", ValueKind::Number),
    ("unavailable", ValueKind::Number),
    ("highest", ValueKind::Rate),
    ("chains", ValueKind::Number),
    ("starved", ValueKind::Number),
    ("lost", ValueKind::Number),
    ("delayed", ValueKind::Number),
    ("rate-limited", ValueKind::Number),
    ("ledger.duplicates", ValueKind::Number),
    ("ledger.strangers", ValueKind::Number),
    ("violations", ValueKind::Number),
];

/// Those of them that a window of some seconds has not.
const WHOLE: [&str; 6] =
    ["chains", "highest", "delayed", "ledger.duplicates", "ledger.strangers", "violations"];

/// Latencies, as examples of `response.pNN`.
const LATENCIES: [&str; 8] = [
    "response.p99.9",
    "response.p99",
    "response.p95",
    "response.p50",
    "response.max",
    "service.p99",
    "service.p50",
    "service.max",
];

/// The metrics of a load, with examples for the percentiles.
pub(super) fn metrics() -> Vec<&'static str> {
    LATENCIES.into_iter().chain(FIGURES.iter().map(|(name, _)| *name)).collect()
}

/// The kind of a metric by its full name: `response.p99.9`.
pub(super) fn metric(name: &str) -> Option<ValueKind> {
    if let Some((_, kind)) = FIGURES.iter().find(|(known, _)| *known == name) {
        return Some(*kind);
    }
    let clocks = ["response.", "service.", "slip."];
    let quantile = clocks.into_iter().find_map(|clock| name.strip_prefix(clock))?;
    let percentile = quantile.strip_prefix('p').and_then(|number| number.parse::<f64>().ok());
    let known = ["min", "mean", "max"].contains(&quantile)
        || percentile.is_some_and(|percent| (0.0..=100.0).contains(&percent));
    known.then_some(ValueKind::Duration)
}

/// The kind of a metric that a part of a profile has as well.
pub(super) fn metric_of_part(name: &str) -> Option<ValueKind> {
    let of_part = name == "errors" || name.starts_with("response.") || name.starts_with("service.");
    metric(name).filter(|_| of_part)
}

/// The kind of a metric after any prefix: `json.response.p95`.
fn metric_at_the_end(name: &str) -> Option<ValueKind> {
    let starts = std::iter::once(0).chain(name.match_indices('.').map(|(at, _)| at + 1));
    starts.map(|start| &name[start..]).find_map(metric)
}

fn promise(name: &str, at: Range<usize>, word: &Word, notes: &mut Notes<'_>) {
    if kind_of_promise(name).is_none() {
        let span = notes.inside(word, at);
        let message = format!("`{}` is no promise", shown(name));
        notes.unknown(span, message, name, promises().iter().map(|(name, _)| *name));
    }
}

/// Bare words beside a promise are of its list.
fn promised_words(expression: &Expression, word: &Word, notes: &mut Notes<'_>) {
    for (name, at, value) in expression.words() {
        let Some((_, Some(words))) = promises().into_iter().find(|(known, _)| *known == name) else {
            continue;
        };
        if !words.contains(&value.as_str()) {
            let span = notes.inside(word, at);
            let message = format!("`{name}` is never `{}`", shown(&value));
            notes.unknown(span, message, &value, words);
        }
    }
}

fn is_condition(expression: &Expression, word: &Word, notes: &mut Notes<'_>) {
    if !expression.is_condition() {
        let message = format!("`{}` is no condition", yaml::shortened(&word.value));
        notes.error("suite::expression", word.span, message, "expected a comparison such as `a < b`");
    }
}

/// `abort`: a condition over the figures of some seconds of its own profile.
pub(super) fn windowed(word: &Word, notes: &mut Notes<'_>) -> Option<Expression> {
    let mut known = |name: &str, span: crate::source::Span, notes: &mut Notes<'_>| {
        if metric(name).is_none() {
            let message = format!("`{}` is no metric", shown(name));
            notes.unknown(span, message, name, metrics());
        } else {
            is_of_window(name, span, notes);
        }
    };
    condition(word, notes, &mut known, &metric)
}

/// Says of a metric that it stands for a whole profile and not for some seconds of it.
pub(super) fn is_of_window(metric: &str, span: crate::source::Span, notes: &mut Notes<'_>) {
    if WHOLE.contains(&metric) || metric.starts_with("slip.") {
        let message = format!("`{metric}` is not known of a window");
        let label = "windows have `response.pNN`, `service.pNN`, `errors`, `rate` and counts of answers";
        notes.error("suite::unknown-name", span, message, label);
    }
}

/// A condition over metrics of profiles, whose names `known` judges.
pub(super) fn condition(
    word: &Word,
    notes: &mut Notes<'_>,
    known: &mut dyn FnMut(&str, crate::source::Span, &mut Notes<'_>),
    kind: &dyn Fn(&str) -> Option<ValueKind>,
) -> Option<Expression> {
    let expression = notes.expression(word)?;
    is_condition(&expression, word, notes);
    for (at, name) in expression.references() {
        let span = notes.inside(word, at);
        known(&name, span, notes);
    }
    let mistakes = expression.mistakes(kind);
    notes.mistakes(word, &mistakes);
    Some(expression)
}
