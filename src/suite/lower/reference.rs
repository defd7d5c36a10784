//! `$name`: text to templates, names to what they stand for, and places in answers.

use std::time::Duration;

use crate::source::Span;

use super::super::call::{PairUse, Part, Reference, Slot, SlotRef, Template};
use super::super::claim::{Field, FieldPlace};
use super::super::units;
use super::super::written::Word;
use super::notes::{Notes, shown};

/// The names that a check knows at some point.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) dimensions: Vec<String>,
    /// Dimensions of named changes, for `with`.
    pub(super) changes: Vec<String>,
    pub(super) chains: Vec<String>,
    /// Steps that are named so far, in order.
    pub(super) steps: Vec<String>,
    /// Whether this is a claim, which knows what its own call sends.
    pub(super) in_claim: bool,
}

/// Names that a dimension, a chain or a step cannot have.
const RESERVED: [&str; 7] = ["good", "path", "callback", "sent", "env", "secret", "own"];

impl Scope {
    /// Notes a name that hides another.
    pub(super) fn declare(&self, what: &str, name: &str, span: Span, notes: &mut Notes<'_>) {
        let hidden = if Slot::from_word(name).is_some() && what == "dimension" {
            Some("a slot")
        } else if RESERVED.contains(&name) {
            Some("a word of the language")
        } else if self.chains.iter().any(|chain| chain == name) {
            Some("a chain")
        } else if self.dimensions.iter().any(|dimension| dimension == name) {
            Some("a dimension")
        } else if self.steps.iter().any(|step| step == name) {
            Some("a step")
        } else {
            None
        };
        if let Some(hidden) = hidden {
            let message = if hidden == "a slot" {
                format!("the {what} `{}` hides {hidden} of that name", shown(name))
            } else {
                format!("the {what} `{}` has the name of {hidden}", shown(name))
            };
            notes.error("suite::taken-name", span, message, "choose another name");
        } else if !is_name(name) {
            let message = format!("`{}` cannot be a name", shown(name));
            notes.error("suite::wrong-name", span, message, "not a name").help =
                Some("names are made of letters, digits, `-` and `_`".to_owned());
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(char::is_alphabetic) && text.chars().all(is_name_character)
}

fn is_name_character(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// Reads text with references.
pub(super) fn template(word: &Word, scope: &Scope, notes: &mut Notes<'_>) -> Template {
    let text = &word.value;
    let mut parts: Vec<Part> = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(dollar) = text[at..].find('$').map(|found| at + found) {
        plain.push_str(&text[at..dollar]);
        let rest = &text[dollar + 1..];
        if rest.starts_with('$') {
            plain.push('$');
            at = dollar + 2;
            continue;
        }
        let (name, end) = name_after(rest);
        let end = dollar + 1 + end;
        let span = notes.inside(word, dollar..end);
        if name.is_empty() {
            notes.error("suite::reference", span, "a `$` without a name", "what does it refer to?").help =
                Some("a dollar sign alone is written `$$`".to_owned());
            plain.push('$');
            at = (dollar + 1).max(end);
            continue;
        }
        if let Some(reference) = reference(name, span, scope, notes) {
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Reference(reference));
        }
        at = end;
    }
    plain.push_str(&text[at..]);
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    Template { parts }
}

/// The name after a dollar sign, and the number of bytes that it takes with its braces.
fn name_after(rest: &str) -> (&str, usize) {
    if let Some(braced) = rest.strip_prefix('{') {
        return braced.find('}').map_or((braced, rest.len()), |end| (&braced[..end], end + 2));
    }
    let mut end = 0;
    for (at, c) in rest.char_indices() {
        let next = rest[at + c.len_utf8()..].chars().next();
        let joins = matches!(c, '.' | '#' | '@' | ':')
            && at > 0
            && next.is_some_and(|next| next.is_alphanumeric() || next == '_')
            && (c != ':' || prefixes_with_colon(&rest[..at]));
        if !is_name_character(c) && !joins {
            break;
        }
        end = at + c.len_utf8();
    }
    (&rest[..end], end)
}

fn prefixes_with_colon(name: &str) -> bool {
    ["env", "secret", "header", "cookie"].contains(&name.rsplit('.').next().unwrap_or(name))
}

/// What a name refers to.
fn reference(name: &str, span: Span, scope: &Scope, notes: &mut Notes<'_>) -> Option<Reference> {
    if let Some((kind @ ("env" | "secret"), variable)) = name.split_once(':') {
        return variable_of(kind, variable, span, notes);
    }
    let (first, rest) = match name.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    match rest {
        None => simple(first, span, scope, notes),
        Some(rest) => dotted(first, rest, span, scope, notes),
    }
}

fn variable_of(kind: &str, variable: &str, span: Span, notes: &mut Notes<'_>) -> Option<Reference> {
    let named = !variable.is_empty()
        && !variable.starts_with(|c: char| c.is_ascii_digit())
        && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !named {
        let message = format!("`{}` cannot be the name of an environment variable", shown(variable));
        notes.error("suite::reference", span, message, "letters, digits and `_`");
        return None;
    }
    Some(match kind {
        "env" => Reference::Env(variable.to_owned()),
        _ => Reference::Secret(variable.to_owned()),
    })
}

fn simple(name: &str, span: Span, scope: &Scope, notes: &mut Notes<'_>) -> Option<Reference> {
    match name {
        "good" => return Some(Reference::Good),
        "path" => return Some(Reference::Path),
        "callback" => return Some(Reference::Callback),
        _ => {}
    }
    if scope.dimensions.iter().any(|dimension| dimension == name) {
        return Some(Reference::Dimension(name.to_owned()));
    }
    if let Some(slot) = Slot::from_word(name) {
        return Some(Reference::Slot(slot));
    }
    let message = format!("`${}` refers to nothing", shown(name));
    if scope.steps.iter().chain(&scope.chains).any(|known| known == name) || name == "own" {
        let help = format!("say what of it: `${name}.access`, `${name}.refresh`, `${name}.tenant`, …");
        notes.error("suite::reference", span, message, "a step or a chain").help = Some(help);
        return None;
    }
    let known: Vec<String> = scope
        .dimensions
        .iter()
        .map(String::as_str)
        .chain(Slot::ALL.map(Slot::word))
        .chain(["good", "path", "callback"])
        .map(|known| format!("${known}"))
        .collect();
    notes.unknown(span, message, &format!("${name}"), known.iter().map(String::as_str));
    None
}

fn dotted(first: &str, rest: &str, span: Span, scope: &Scope, notes: &mut Notes<'_>) -> Option<Reference> {
    if first == "sent" {
        if !scope.in_claim {
            let message = "`$sent` is what a call sends, and only its claims can look at it";
            notes.error("suite::reference", span, message, "not in a claim");
            return None;
        }
        return slot(rest, span, notes).map(Reference::Sent);
    }
    if first == "own" || scope.chains.iter().any(|chain| chain == first) {
        return of_chain(first, rest, span, notes);
    }
    if scope.steps.iter().any(|step| step == first) {
        let step = first.to_owned();
        return match rest.strip_prefix("sent.") {
            Some(sent) => slot(sent, span, notes).map(|slot| Reference::StepSent { step, slot }),
            None => field_place(rest, span, notes).map(|field| Reference::Received { step, field }),
        };
    }
    let message = format!("there is no step and no chain `{}` before this", shown(first));
    let known = scope.steps.iter().chain(&scope.chains).map(String::as_str).chain(["own", "sent"]);
    let near = notes.unknown(span, message, first, known.collect::<Vec<_>>());
    near.patch = near.patch.take().map(|near| format!("${near}.{rest}"));
    None
}

fn of_chain(chain: &str, rest: &str, span: Span, notes: &mut Notes<'_>) -> Option<Reference> {
    let chain = chain.to_owned();
    if let Some(slot) = Slot::from_word(rest) {
        return Some(Reference::ChainSlot { chain, slot });
    }
    let (pair, rest) = match rest.split_once('.') {
        Some(("first", rest)) => (PairUse::First, rest),
        Some(("previous", rest)) => (PairUse::Previous, rest),
        Some(("current", rest)) => (PairUse::Current, rest),
        _ => (PairUse::Current, rest),
    };
    field_place(rest, span, notes).map(|field| Reference::Generation { chain, pair, field })
}

/// The slot of that word.
pub(super) fn slot(word: &str, span: Span, notes: &mut Notes<'_>) -> Option<Slot> {
    notes.word("slot", word, span, &Slot::ALL.map(|slot| (slot, slot.word())))
}

/// A slot, or a dimension that names slots.
pub(super) fn slot_ref(word: &str, span: Span, scope: &Scope, notes: &mut Notes<'_>) -> Option<SlotRef> {
    let Some(name) = word.strip_prefix('$') else {
        return slot(word, span, notes).map(SlotRef::Slot);
    };
    if scope.dimensions.iter().any(|dimension| dimension == name) {
        return Some(SlotRef::Dimension(name.to_owned()));
    }
    let message = format!("there is no dimension `{}`", shown(name));
    let known: Vec<String> = scope.dimensions.iter().map(|name| format!("${name}")).collect();
    notes.unknown(span, message, word, known.iter().map(String::as_str));
    None
}

/// A place in an answer.
pub(super) fn field_place(word: &str, span: Span, notes: &mut Notes<'_>) -> Option<FieldPlace> {
    if word.starts_with('/') {
        return Some(FieldPlace::Path(word.to_owned()));
    }
    for (prefix, place) in
        [("header:", FieldPlace::Header as fn(String) -> FieldPlace), ("cookie:", FieldPlace::Cookie)]
    {
        if let Some(name) = word.strip_prefix(prefix) {
            let token = !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && c != ':');
            if !token {
                let message = format!("`{}` names no header or cookie", shown(word));
                notes.error("suite::place", span, message, format!("expected `{prefix}Name`"));
                return None;
            }
            return Some(place(name.to_owned()));
        }
    }
    for (sign, place) in
        [('#', FieldPlace::Claim as fn(Field, String) -> FieldPlace), ('@', FieldPlace::Jose)]
    {
        if let Some((token, member)) = word.split_once(sign) {
            let field = field(token, span, notes)?;
            if !field.is_token() || member.is_empty() {
                let message = format!("`{}` looks into a token that is none", shown(word));
                let label = "tokens are `access`, `refresh` and `id`";
                notes.error("suite::place", span, message, label);
                return None;
            }
            return Some(place(field, member.to_owned()));
        }
    }
    field(word, span, notes).map(FieldPlace::Field)
}

fn field(word: &str, span: Span, notes: &mut Notes<'_>) -> Option<Field> {
    let found = Field::from_word(word);
    if found.is_none() {
        let message = format!("`{}` is no place in an answer", shown(word));
        let fields = Field::ALL.iter().map(|(_, word)| *word);
        let diagnostic = notes.unknown(span, message, word, fields);
        if diagnostic.patch.is_none() {
            diagnostic.help = Some(
                "a place is a field such as `access` or `code`, a path such as `/AckCode`, `header:Name`, \
                 `cookie:Name`, a claim `access#exp` or a member `access@alg`"
                    .to_owned(),
            );
        }
    }
    found
}

/// `header:Date ± 2s`.
pub(super) fn near(word: &Word, notes: &mut Notes<'_>) -> Option<(FieldPlace, Duration)> {
    let Some((place, tolerance)) = word.value.split_once('±').or_else(|| word.value.split_once("+-")) else {
        let message = format!("`{}` says not how near", shown(&word.value));
        notes.error("suite::place", word.span, message, "expected a place and a time: `header:Date ± 2s`");
        return None;
    };
    let tolerance = match units::duration(tolerance.trim()) {
        Ok(tolerance) => tolerance,
        Err(expected) => {
            let message = format!("`{}` is no tolerance", shown(tolerance.trim()));
            notes.error("suite::unit", word.span, message, expected);
            return None;
        }
    };
    field_place(place.trim(), word.span, notes).map(|place| (place, tolerance))
}
