//! Calls: what differs from the good one, and the values that are put in.

use indexmap::IndexMap;

use crate::source::Span;

use super::super::call::{
    Call, Changes, DocumentChanges, Forge, Made, Operation, Order, PairUse, Part, Reference, Slot, SlotRef,
    Template, WireChanges,
};
use super::super::written::{self, Value, Word};
use super::super::yaml::{OneOrMany, Spanned};
use super::notes::{Notes, shown};
use super::reference::{self, Scope, slot_ref, template};
use super::vocabulary;

/// A call of a step. `None` inside is the good call.
pub(super) fn call(
    operation: Operation,
    written: &Spanned<Option<written::Call>>,
    scope: &Scope,
    notes: &mut Notes<'_>,
) -> Call {
    let good = written::Call::default();
    let call = written.value.as_ref().unwrap_or(&good);
    let chain = call.chain.as_ref().and_then(|chain| chain_of(chain, scope, notes));
    let pair = call.pair.as_ref().and_then(|pair| pair_of(pair, scope, notes));
    let with = call.with.iter().flat_map(|with| &with.0).filter_map(|name| dimension_of(name, scope, notes));
    let with = with.collect();
    Call {
        operation,
        chain: chain.unwrap_or_else(|| "own".to_owned()),
        pair: pair.unwrap_or(PairUse::Current),
        with,
        changes: changes(&Parts::of_call(call), scope, notes),
        at: written.key,
    }
}

fn chain_of(word: &Word, scope: &Scope, notes: &mut Notes<'_>) -> Option<String> {
    let name = &word.value;
    if name == "own" || scope.chains.contains(name) {
        return Some(name.clone());
    }
    let message = format!("there is no chain `{}`", shown(name));
    let known: Vec<&str> = ["own"].into_iter().chain(scope.chains.iter().map(String::as_str)).collect();
    notes.unknown(word.span, message, name, known);
    None
}

fn pair_of(word: &Word, scope: &Scope, notes: &mut Notes<'_>) -> Option<PairUse> {
    match word.value.as_str() {
        "current" => Some(PairUse::Current),
        "previous" => Some(PairUse::Previous),
        "first" => Some(PairUse::First),
        name if scope.steps.iter().any(|step| step == name) => Some(PairUse::Step(name.to_owned())),
        name => {
            let message = format!("there is no earlier step `{}`", shown(name));
            let known = scope.steps.iter().rev().map(String::as_str).chain(["current", "previous", "first"]);
            notes.unknown(word.span, message, name, known.collect::<Vec<_>>());
            None
        }
    }
}

/// The dimension that `with` names, with or without its dollar sign.
fn dimension_of(word: &Word, scope: &Scope, notes: &mut Notes<'_>) -> Option<String> {
    let name = word.value.strip_prefix('$').unwrap_or(&word.value);
    if scope.changes.iter().any(|known| known == name) {
        return Some(name.to_owned());
    }
    let message = if scope.dimensions.iter().any(|known| known == name) {
        format!("the dimension `{name}` holds words and no changes")
    } else {
        format!("there is no dimension `{}`", shown(name))
    };
    let known: Vec<String> = scope.changes.iter().map(|name| format!("${name}")).collect();
    notes.unknown(word.span, message, &word.value, known.iter().map(String::as_str));
    None
}

/// The words that calls and named changes have in common.
pub(super) struct Parts<'w> {
    set: &'w IndexMap<String, Spanned<Value>>,
    without: Option<&'w OneOrMany<Word>>,
    auth: Option<&'w OneOrMany<Word>>,
    format: Option<&'w Word>,
    document: Option<&'w Spanned<written::Document>>,
    body: Option<&'w Spanned<Value>>,
    cut: Option<&'w Spanned<u32>>,
    encode: Option<&'w Word>,
    label: Option<&'w Spanned<Option<String>>>,
    accept: Option<&'w Spanned<Option<String>>>,
    method: Option<&'w Word>,
    path: Option<&'w Word>,
    query: Option<&'w Word>,
    headers: &'w IndexMap<String, Spanned<Value>>,
    wire: Option<&'w Spanned<written::Wire>>,
}

macro_rules! parts {
    ($name:ident of $kind:ty) => {
        pub(super) fn $name(written: &'w $kind) -> Parts<'w> {
            Parts {
                set: &written.set,
                without: written.without.as_ref(),
                auth: written.auth.as_ref(),
                format: written.format.as_ref(),
                document: written.document.as_ref(),
                body: written.body.as_ref(),
                cut: written.cut.as_ref(),
                encode: written.encode.as_ref(),
                label: written.label.as_ref(),
                accept: written.accept.as_ref(),
                method: written.method.as_ref(),
                path: written.path.as_ref(),
                query: written.query.as_ref(),
                headers: &written.headers,
                wire: written.wire.as_ref(),
            }
        }
    };
}

impl<'w> Parts<'w> {
    parts!(of_call of written::Call);
    parts!(of_changes of written::Changes);
}

/// What differs from the good call.
pub(super) fn changes(parts: &Parts<'_>, scope: &Scope, notes: &mut Notes<'_>) -> Changes {
    let mut text = |word: Option<&Word>| word.map(|word| template(word, scope, notes));
    let (format, method) = (text(parts.format), text(parts.method));
    let (path, query) = (text(parts.path), text(parts.query));
    let mut nullable = |word: Option<&Spanned<Option<String>>>| {
        word.map(|word| word.value.as_ref().map(|text| template(&word.with(text.clone()), scope, notes)))
    };
    let (label, accept) = (nullable(parts.label), nullable(parts.accept));
    let auth = parts.auth.map(|ways| ways.0.iter().map(|way| template(way, scope, notes)).collect());
    Changes {
        set: slot_values(parts.set, scope, notes),
        without: slots(parts.without, scope, notes),
        auth,
        format,
        document: parts
            .document
            .map(|document| document_changes(&document.value, scope, notes))
            .unwrap_or_default(),
        body: parts.body.and_then(|body| made(body, scope, notes)),
        cut: parts.cut.map(|cut| positive(cut, "at least one byte is cut", notes)),
        encode: parts
            .encode
            .and_then(|word| notes.word("encoding", &word.value, word.span, &vocabulary::ENCODING)),
        label,
        accept,
        method,
        path,
        query,
        headers: headers(parts.headers, scope, notes),
        wire: parts.wire.map(|wire| wire_changes(&wire.value, notes)).unwrap_or_default(),
    }
}

fn positive(number: &Spanned<u32>, label: &str, notes: &mut Notes<'_>) -> u32 {
    if number.value == 0 {
        notes.error("suite::wrong-value", number.span, "`0` changes nothing", label);
    }
    number.value
}

fn slot_values(
    set: &IndexMap<String, Spanned<Value>>,
    scope: &Scope,
    notes: &mut Notes<'_>,
) -> Vec<(SlotRef, Made)> {
    let mut values = Vec::with_capacity(set.len());
    for (slot, value) in set {
        let slot = slot_ref(slot, value.key, scope, notes);
        let value = made(value, scope, notes);
        values.extend(slot.zip(value));
    }
    values
}

fn slots(without: Option<&OneOrMany<Word>>, scope: &Scope, notes: &mut Notes<'_>) -> Vec<SlotRef> {
    let words = without.iter().flat_map(|words| &words.0);
    words.filter_map(|word| slot_ref(&word.value, word.span, scope, notes)).collect()
}

fn headers(
    headers: &IndexMap<String, Spanned<Value>>,
    scope: &Scope,
    notes: &mut Notes<'_>,
) -> Vec<(String, Vec<Made>)> {
    let mut read = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        for (taken, word) in [("accept", "accept"), ("content-type", "label")] {
            if name.eq_ignore_ascii_case(taken) {
                let message = format!("`{name}` has a word of its own");
                notes.error("suite::wrong-key", value.key, message, format!("write `{word}: …` instead"));
            }
        }
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) {
            let message = format!("`{}` cannot be the name of a header", shown(name));
            notes.error("suite::wrong-key", value.key, message, "not a name of a header");
        }
        let values = match &value.value {
            Value::Null => Vec::new(),
            Value::List(items) => items.iter().filter_map(|item| made(item, scope, notes)).collect(),
            Value::Word(_) | Value::Map(_) => made(value, scope, notes).into_iter().collect(),
        };
        read.push((name.clone(), values));
    }
    read
}

fn document_changes(document: &written::Document, scope: &Scope, notes: &mut Notes<'_>) -> DocumentChanges {
    let mut repeat = Vec::new();
    for (slot, value) in &document.repeat {
        let slot = slot_ref(slot, value.key, scope, notes);
        let values: Vec<Made> = match &value.value {
            Value::List(items) => items.iter().filter_map(|item| made(item, scope, notes)).collect(),
            Value::Null | Value::Word(_) | Value::Map(_) => made(value, scope, notes).into_iter().collect(),
        };
        repeat.extend(slot.map(|slot| (slot, values)));
    }
    let add = document.add.iter();
    let add = add.filter_map(|(name, value)| Some((name.clone(), made(value, scope, notes)?))).collect();
    let put = document.put.iter();
    let put = put.filter_map(|(name, value)| Some((name.clone(), made(value, scope, notes)?))).collect();
    let mut rename = Vec::new();
    for (slot, name) in &document.rename {
        let slot = slot_ref(slot, name.key, scope, notes);
        rename.extend(slot.map(|slot| (slot, name.value.clone())));
    }
    DocumentChanges {
        order: document.order.as_ref().map(|order| order_of(&order.value, notes)),
        repeat,
        add,
        put,
        rename,
        pad: document.pad,
        root: document.root.clone(),
        namespace: document.namespace.clone(),
        prefix: document.prefix.clone(),
    }
}

fn order_of(order: &written::Order, notes: &mut Notes<'_>) -> Order {
    match order {
        written::Order::List(words) => Order::Slots(
            words.iter().filter_map(|word| reference::slot(&word.value, word.span, notes)).collect(),
        ),
        written::Order::Map(swap) => Order::Swap(positive(&swap.swap, "members are counted from 1", notes)),
    }
}

fn wire_changes(wire: &written::Wire, notes: &mut Notes<'_>) -> WireChanges {
    WireChanges {
        chunks: wire.chunks.as_ref().map(|size| positive(size, "at least one byte a piece", notes)),
        pace: wire.pace.as_ref().and_then(|pace| notes.duration(pace)),
        length: wire.length,
        abort: wire
            .abort
            .as_ref()
            .and_then(|word| notes.word("moment to hang up", &word.value, word.span, &vocabulary::ABORT)),
        await_continue: wire.await_continue,
        pipelined: wire.pipelined,
    }
}

/// A value that is put somewhere.
pub(super) fn made(value: &Spanned<Value>, scope: &Scope, notes: &mut Notes<'_>) -> Option<Made> {
    match &value.value {
        Value::Null => Some(Made::Null),
        Value::Word(word) => {
            if word.plain && is_bare_value(&word.value) {
                two_readings(word, notes);
                return None;
            }
            Some(Made::Text(template(word, scope, notes)))
        }
        Value::List(items) => {
            Some(Made::Join(items.iter().filter_map(|item| made(item, scope, notes)).collect()))
        }
        Value::Map(written) => made_value(written, value.span, scope, notes),
    }
}

/// What YAML would read as a number or a flag.
fn is_bare_value(text: &str) -> bool {
    matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE")
        || (text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            && (text.parse::<f64>().is_ok_and(f64::is_finite) || text.starts_with("0x")))
}

fn two_readings(word: &Word, notes: &mut Notes<'_>) {
    let text = &word.value;
    let message = format!("`{text}` can be meant in two ways");
    notes.error("suite::two-readings", word.span, message, "text, or a bare value in the document?").help =
        Some(format!("write `\"{text}\"` for text, `{{ raw: {text} }}` for a bare value"));
}

fn made_value(made: &written::Made, span: Span, scope: &Scope, notes: &mut Notes<'_>) -> Option<Made> {
    let mut values: Vec<(Span, Option<Made>)> = Vec::new();
    let mut add = |key: Option<Span>, value: Option<Made>| {
        if let Some(key) = key {
            values.push((key, value));
        }
    };
    add(made.raw.as_ref().map(|raw| raw.key), made.raw.as_ref().map(|raw| raw_value(raw, scope, notes)));
    add(key_of(made.hex.as_ref()), made.hex.as_ref().and_then(|hex| hex_bytes(hex, notes)));
    let flip = made.flip.as_ref();
    add(
        key_of(flip),
        flip.and_then(|word| notes.word("place in a value", &word.value, word.span, &vocabulary::WHERE))
            .map(Made::Flip),
    );
    let mut only = |word: Option<&Word>, allowed: &'static str, made: Made| {
        word.and_then(|word| notes.word("word here", &word.value, word.span, &[(made, allowed)]))
    };
    let recase = only(made.recase.as_ref(), "any", Made::Recase);
    let spell = only(made.spell.as_ref(), "base64url", Made::Spell);
    add(key_of(made.recase.as_ref()), recase);
    add(key_of(made.spell.as_ref()), spell);
    add(key_of(made.trim.as_ref()), made.trim.as_ref().map(|trim| Made::Trim(trim.value.clone())));
    add(key_of(made.like.as_ref()), made.like.as_ref().and_then(|like| like_value(like, scope, notes)));
    add(
        made.words.as_ref().map(|words| words.key),
        made.words.as_ref().map(|words| Made::Words(words.value)),
    );
    add(
        key_of(made.filler.as_ref()),
        made.filler.as_ref().and_then(|size| notes.size(size)).map(Made::Filler),
    );
    add(made.nest.as_ref().map(|nest| nest.key), made.nest.as_ref().map(|nest| Made::Nest(nest.value)));
    add(
        made.forge.as_ref().map(|forge| forge.key),
        made.forge.as_ref().map(|forge| Made::Forge(forged(&forge.value, scope, notes))),
    );
    one_of(values, span, notes)
}

fn key_of(word: Option<&Word>) -> Option<Span> {
    word.map(|word| word.key)
}

fn one_of(mut values: Vec<(Span, Option<Made>)>, span: Span, notes: &mut Notes<'_>) -> Option<Made> {
    values.sort_by_key(|(key, _)| key.start);
    match values.as_slice() {
        [] => {
            let help = "made values are `raw`, `hex`, `flip`, `recase`, `trim`, `spell`, `like`, `words`, \
                        `filler`, `nest`, `forge`";
            notes.error("suite::made-value", span, "this value makes nothing", "empty").help =
                Some(help.to_owned());
            None
        }
        [(_, made)] => made.clone(),
        [(first, _), (second, _), ..] => {
            let first = notes.place(*first);
            let diagnostic =
                notes.error("suite::made-value", *second, "a made value is one word", "a second one");
            diagnostic.also.push((first, "the first".to_owned()));
            diagnostic.help = Some("a list joins several values: `[{ flip: start }, \"=\"]`".to_owned());
            None
        }
    }
}

fn raw_value(raw: &Spanned<Option<String>>, scope: &Scope, notes: &mut Notes<'_>) -> Made {
    match &raw.value {
        Some(text) => Made::Raw(template(&raw.with(text.clone()), scope, notes)),
        None => Made::Raw(Template::plain("null")),
    }
}

fn hex_bytes(word: &Word, notes: &mut Notes<'_>) -> Option<Made> {
    let digits: String = word.value.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes: Option<Vec<u8>> = (digits.is_ascii() && digits.len().is_multiple_of(2) && !digits.is_empty())
        .then(|| {
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
        })
        .flatten();
    if bytes.is_none() {
        let message = format!("`{}` is no row of bytes", shown(&word.value));
        notes.error("suite::wrong-value", word.span, message, "two hexadecimal digits a byte: `C0 AF`");
    }
    bytes.map(Made::Hex)
}

fn like_value(word: &Word, scope: &Scope, notes: &mut Notes<'_>) -> Option<Made> {
    if let [Part::Reference(reference)] = template(word, scope, notes).parts.as_slice() {
        return Some(Made::Like(reference.clone()));
    }
    let message = "`like` wants the value that it is like";
    let diagnostic = notes.error("suite::made-value", word.span, message, "expected a reference: `$refresh`");
    if Slot::from_word(&word.value).is_some() {
        diagnostic.patch = Some(format!("${}", word.value));
    }
    None
}

fn forged(forge: &written::Forge, scope: &Scope, notes: &mut Notes<'_>) -> Forge {
    let mut members = |members: &IndexMap<String, Word>| {
        members.iter().map(|(name, value)| (name.clone(), template(value, scope, notes))).collect()
    };
    let (claims, head) = (members(&forge.claims), members(&forge.head));
    let key = forge.key.as_ref();
    let signature = forge.signature.as_ref();
    Forge {
        alg: forge.alg.clone(),
        key: key.and_then(|word| notes.word("key", &word.value, word.span, &vocabulary::FORGE_KEY)),
        claims,
        head,
        signature: signature
            .and_then(|word| notes.word("signature", &word.value, word.span, &vocabulary::FORGE_SIGNATURE)),
    }
}

/// Whether a template is a lone reference to a secret.
pub(super) fn is_secret(template: &Template) -> bool {
    matches!(template.parts.as_slice(), [Part::Reference(Reference::Secret(_))])
}
