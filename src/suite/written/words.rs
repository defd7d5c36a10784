//! The words of closed lists as JSON Schema, so that editors complete them.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::call::Slot;
use super::super::check::{FuzzStage, Standard};
use super::super::claim::{Aspect, Kind, Link, OutcomeWord, RacePromise};
use super::super::defect::Defect;
use super::super::environment::{MockPolicy, Variant};
use super::super::lower::vocabulary as list;
use super::super::profile::{Spacing, StopOn};
use super::super::transport::{Family, Http, Tls};
use super::Value;

fn one_of(words: &[&str]) -> Schema {
    json_schema!({ "type": "string", "enum": words })
}

/// Words that are numbers to YAML unless they are quoted.
fn scalar(words: &[&str]) -> Schema {
    let numbers: Vec<serde_json::Number> = words.iter().filter_map(|word| word.parse().ok()).collect();
    json_schema!({ "oneOf": [one_of(words), { "type": "number", "enum": numbers }] })
}

fn one_or_many(words: &[&str]) -> Schema {
    json_schema!({ "oneOf": [one_of(words), { "type": "array", "items": one_of(words) }] })
}

fn first<T>(pairs: &[(T, &'static str)]) -> Vec<&'static str> {
    pairs.iter().map(|(_, word)| *word).collect()
}

macro_rules! word_schemas {
    ($($name:ident = $make:ident($words:expr);)*) => {
        $(pub(super) fn $name(_: &mut SchemaGenerator) -> Schema { $make(&$words) })*
    };
}

word_schemas! {
    rotation = one_of(list::with_unknown(&list::ROTATION));
    replay_answer = one_of(list::with_unknown(&list::REPLAY_ANSWER));
    replay_revokes = one_of(list::with_unknown(&list::REPLAY_REVOKES));
    no_grace = one_of(["none", "unknown"]);
    grace_answer = one_of(list::with_unknown(&list::GRACE_ANSWER));
    grace_reach = one_of(list::with_unknown(&list::GRACE_REACH));
    siblings = one_of(list::with_unknown(&list::SIBLINGS));
    old_access = one_of(list::with_unknown(&list::OLD_ACCESS));
    pair = one_of(list::with_unknown(&list::PAIR));
    race = one_of(list::with_unknown(&list::RACE));
    release = one_of(first(&list::RELEASE));
    race_promises = one_or_many(first(&RacePromise::ALL));
    chains = one_of(["login"]);
    tls = scalar(first(&Tls::ALL));
    http = scalar(first(&Http::ALL));
    ip = scalar(first(&Family::ALL));
    spacing = one_of(first(&Spacing::ALL));
    stop_on = one_of(first(&StopOn::ALL));
    no_latency = one_of(["none"]);
    mock_policies = one_of(first(&MockPolicy::ALL));
    encodings = one_of(first(&list::ENCODING));
    aborts = one_of(first(&list::ABORT));
    ends = one_of(first(&list::WHERE));
    recase = one_of(["any"]);
    spell = one_of(["base64url"]);
    forge_keys = one_of(first(&list::FORGE_KEY));
    forge_signatures = one_of(first(&list::FORGE_SIGNATURE));
    basis = one_of(["page", "policy", "practice"]);
    slots = one_or_many(Slot::ALL.map(Slot::word));
    sameness = one_of(["same", "other"]);
    access = one_of(["live", "expired"]);
    outcome = one_of(OutcomeWord::ALL.map(OutcomeWord::word));
    outcomes = one_or_many(OutcomeWord::ALL.map(OutcomeWord::word));
    aspects = one_or_many(first(&Aspect::ALL));
    links = one_or_many(first(&Link::ALL));
    kinds = one_of(first(&Kind::ALL));
    never = one_of(["never"]);
    valid = one_of(["valid"]);
    tokens = one_of(["access", "refresh", "id"]);
    lacks = one_of(first(&list::LACK));
    fuzz_stages = one_or_many(first(&FuzzStage::ALL));
    standards = many(first(&Standard::ALL));
    offers = many(["probe", "revoke"]);
    defects = many(Defect::ALL.iter().map(|defect| defect.word()).collect::<Vec<_>>());
    variants = many(first(Variant::ALL));
    outcome_list = many(OutcomeWord::ALL.map(OutcomeWord::word));
}

fn many(words: &[&str]) -> Schema {
    json_schema!({ "type": "array", "items": one_of(words) })
}

/// A word as it is written: `20` and `yes` are words as well.
pub(super) fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number", "boolean"] })
}

pub(super) fn texts(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": text(generator) })
}

/// Bare text, `null` included.
pub(super) fn bare(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number", "boolean", "null"] })
}

/// Members and their text.
pub(super) fn members(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": text(generator) })
}

/// A class, or a dimension that names one.
pub(super) fn classes(_: &mut SchemaGenerator) -> Schema {
    let word = json_schema!({ "anyOf": [one_of(&list::CLASS), { "type": "string", "pattern": "^\\$" }] });
    json_schema!({ "oneOf": [word, { "type": "array", "items": word }] })
}

/// `405` or `4xx`.
pub(super) fn statuses(_: &mut SchemaGenerator) -> Schema {
    let word = json_schema!({ "oneOf": [
        { "type": "integer", "minimum": 100, "maximum": 599 },
        { "type": "string", "pattern": "^[1-5]([0-9][0-9]|xx)$" },
    ] });
    json_schema!({ "oneOf": [word, { "type": "array", "items": word }] })
}

/// `must`, `should` or `info` by id, group or basis.
pub(super) fn severities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": one_of(&["must", "should", "info"]) })
}

/// Names of slots; a dimension may name one.
fn slot_keys(values: &Schema) -> Schema {
    json_schema!({
        "type": "object",
        "propertyNames": { "anyOf": [one_of(&Slot::ALL.map(Slot::word)), { "type": "string", "pattern": "^\\$" }] },
        "additionalProperties": values,
    })
}

pub(super) fn slot_values(generator: &mut SchemaGenerator) -> Schema {
    let value = generator.subschema_for::<Value>();
    slot_keys(&value)
}

pub(super) fn slot_names(_: &mut SchemaGenerator) -> Schema {
    slot_keys(&json_schema!({ "type": "string" }))
}

pub(super) fn slot_list(_: &mut SchemaGenerator) -> Schema {
    let word = json_schema!({ "anyOf": [one_of(&Slot::ALL.map(Slot::word)), { "type": "string", "pattern": "^\\$" }] });
    json_schema!({ "oneOf": [word, { "type": "array", "items": word }] })
}

/// Identities: name → slot → value.
pub(super) fn identities(_: &mut SchemaGenerator) -> Schema {
    let slots = json_schema!({
        "type": "object",
        "propertyNames": one_of(&Slot::ALL.map(Slot::word)),
        "additionalProperties": { "type": "string" },
    });
    json_schema!({ "type": "object", "additionalProperties": slots })
}

/// Defect → claim or claims, each perhaps after a step's name.
pub(super) fn proof(_: &mut SchemaGenerator) -> Schema {
    let defects: Vec<&str> = Defect::ALL.iter().map(|defect| defect.word()).collect();
    json_schema!({
        "type": "object",
        "propertyNames": one_of(&defects),
        "additionalProperties": { "oneOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" } },
        ] },
    })
}
