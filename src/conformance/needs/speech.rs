//! What the dialect has to have for a check: operations, formats, slots, fields. What it lacks makes the check one
//! for other dialects.

use crate::conformance::cell::Cell;
use crate::conformance::steps::{calls, changes_of, formats_of, fuzzes, loads};
use crate::dialect::Speech;
use crate::suite::call::{Changes, Made, Part, Reference, Slot, SlotRef, Template, WireChanges};
use crate::suite::check::Check;
use crate::suite::claim::{Aspect, Claim, Expectation, FieldPlace, SetExpectation, SetPlace};
use crate::suite::transport::Http;

use super::{Means, NOT_IN_HTTP2, Outcome, not_applicable, skipped};

impl Means<'_> {
    pub(super) fn spoken(&self, check: &Check) -> Outcome {
        let unknown = calls(check).find(|(_, call)| self.dialect.operation(call.operation).is_none());
        if let Some((_, call)) = unknown {
            return Err(not_applicable(format!("the dialect has no `{}`", call.operation.word())));
        }
        let refresh = self.dialect.refresh();
        let profiles = loads(check).flat_map(|depths| depths.at(self.full).all());
        let mut mixed = profiles.flat_map(|profile| &profile.formats);
        if let Some((word, _)) = mixed.find(|(word, _)| refresh.format(word).is_none()) {
            return Err(not_applicable(format!("the dialect has no format `{word}`")));
        }
        match fuzzes(check).find(|fuzz| formats_of(fuzz, refresh).is_empty()) {
            None => Ok(()),
            Some(fuzz) => {
                Err(not_applicable(format!("the dialect has no format `{}`", fuzz.formats.join("`, `"))))
            }
        }
    }

    /// Places that set claims compare.
    pub(super) fn sets(&self, check: &Check) -> Outcome {
        let refresh = self.dialect.refresh();
        for claim in check.together.iter().flat_map(|set| &set.claims) {
            match &claim.what {
                SetExpectation::Same(places)
                | SetExpectation::Alike(places)
                | SetExpectation::Apart(places)
                | SetExpectation::Distinct(places) => {
                    for place in places {
                        if let SetPlace::Place(place) = place {
                            has_field(refresh, place)?;
                        }
                    }
                }
                SetExpectation::PlainDates(places) => {
                    for place in places {
                        has_field(refresh, place)?;
                    }
                }
                SetExpectation::Entropy { of, .. } => has_field(refresh, &FieldPlace::Field(*of))?,
                SetExpectation::Measured(_) | SetExpectation::Promised(_) | SetExpectation::Timing { .. } => {
                }
            }
        }
        for claim in check.always.iter().flat_map(|always| &always.claims) {
            has_what_is_claimed(refresh, claim, &Cell::default())?;
        }
        Ok(())
    }

    pub(super) fn cell(&self, check: &Check, cell: &Cell) -> Outcome {
        for (step, call) in calls(check) {
            let speech = self
                .dialect
                .operation(call.operation)
                .ok_or_else(|| not_applicable("the dialect does not have this operation"))?;
            let changes = changes_of(call, cell);
            self.changes(&changes, speech, cell)?;
            if self.environment.transport.http == Http::Two && is_of_http1(&changes) {
                return Err(skipped(NOT_IN_HTTP2));
            }
            for claim in &step.claims {
                has_what_is_claimed(speech, claim, cell)?;
                if matches!(claim.what, Expectation::NoCallback) && !self.can_call_back() {
                    return Err(skipped(
                        "it is not known where the endpoint can reach this machine (`callback` of the environment)",
                    ));
                }
            }
        }
        Ok(())
    }

    /// A method that the dialect has at this path is not another one.
    fn other_method(&self, changes: &Changes, speech: &Speech, cell: &Cell) -> Outcome {
        let Some(method) = changes.method.as_ref().and_then(|method| word_of(method, cell)) else {
            return Ok(());
        };
        let known = |other: &Speech| other.path == speech.path && other.method == method;
        if changes.path.is_none() && self.dialect.operations.values().any(known) {
            return Err(not_applicable(format!("{method} is a method of this path")));
        }
        Ok(())
    }

    fn changes(&self, changes: &Changes, speech: &Speech, cell: &Cell) -> Outcome {
        if let Some(word) = changes.format.as_ref().and_then(|format| word_of(format, cell))
            && speech.format(&word).is_none()
            && !(speech.accepts.is_empty() && speech.answers.types.contains(&word))
        {
            return Err(not_applicable(format!("the dialect has no format `{word}`")));
        }
        if let Some(Some(accept)) = &changes.accept
            && let Some(word) = word_of(accept, cell)
            && is_known_type(&word)
            && !speech.answers.types.contains(&word)
        {
            return Err(not_applicable(format!("answers of the dialect are never `{word}`")));
        }
        documented(changes, speech)?;
        self.other_method(changes, speech, cell)?;
        spaced(changes, speech, cell)?;
        let set = changes.set.iter().map(|(slot, _)| slot);
        for slot in set.chain(&changes.without) {
            let Some(slot) = slot_of(slot, cell) else { continue };
            if !self.dialect.slots.contains(&slot) {
                return Err(not_applicable(format!("the dialect has no slot `{}`", slot.word())));
            }
            if !speech.carries(slot) {
                return Err(not_applicable(format!("this call carries no `{}`", slot.word())));
            }
        }
        if changes.auth.is_some() && speech.auth.is_empty() {
            return Err(not_applicable("the dialect has no client authentication"));
        }
        let ways = changes.auth.iter().flatten().filter_map(|way| word_of(way, cell));
        for way in ways {
            if !speech.auth.iter().any(|known| known.word() == way) {
                return Err(not_applicable(format!(
                    "the dialect has no way `{way}` to authenticate clients"
                )));
            }
        }
        Ok(())
    }
}

/// What is done to documents says nothing of calls that have none.
fn documented(changes: &Changes, speech: &Speech) -> Outcome {
    let Changes { document, body, cut, encode, label, wire, .. } = changes;
    let framed = wire.chunks.is_some() || wire.length.is_some() || wire.pace.is_some();
    let is_asked = !document.is_none()
        || body.is_some()
        || cut.is_some()
        || encode.is_some()
        || label.is_some()
        || framed
        || wire.await_continue;
    if is_asked && speech.accepts.is_empty() {
        return Err(not_applicable("this call has no document"));
    }
    Ok(())
}

/// Spaces around a value in a header are no part of it (RFC 9110 section 5.5).
fn spaced(changes: &Changes, speech: &Speech, cell: &Cell) -> Outcome {
    let is_spaced = |made: &Made| match made {
        Made::Text(template) => {
            let edge = |part: Option<&Part>, at_end: bool| match part {
                Some(Part::Text(text)) if at_end => text.ends_with(' '),
                Some(Part::Text(text)) => text.starts_with(' '),
                Some(Part::Reference(_)) | None => false,
            };
            edge(template.parts.first(), false) || edge(template.parts.last(), true)
        }
        _ => false,
    };
    for (slot, made) in &changes.set {
        let Some(slot) = slot_of(slot, cell).filter(|_| is_spaced(made)) else { continue };
        if speech.is_framed(slot) {
            return Err(not_applicable(format!(
                "`{}` stands in a header, which keeps no spaces",
                slot.word()
            )));
        }
    }
    Ok(())
}

/// Whether a call differs in how HTTP/1.1 frames it, or keeps its connection.
fn is_of_http1(changes: &Changes) -> bool {
    const FRAMING: [&str; 7] = [
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
    ];
    let WireChanges { chunks, pace, length, abort: _, await_continue, pipelined } = &changes.wire;
    let framed = |name: &str| FRAMING.iter().any(|known| name.eq_ignore_ascii_case(known));
    let twice = |name: &str, values: usize| name.eq_ignore_ascii_case("host") && values != 1;
    chunks.is_some()
        || pace.is_some()
        || length.is_some()
        || *await_continue
        || pipelined.is_some()
        || changes.headers.iter().any(|(name, values)| framed(name) || twice(name, values.len()))
}

/// The word of a template that is one, or names a dimension whose word is.
fn word_of(template: &Template, cell: &Cell) -> Option<String> {
    match template.parts.as_slice() {
        [Part::Reference(Reference::Dimension(name))] => cell.word(name).map(str::to_owned),
        _ => template.as_plain(),
    }
}

fn slot_of(slot: &SlotRef, cell: &Cell) -> Option<Slot> {
    match slot {
        SlotRef::Slot(slot) => Some(*slot),
        SlotRef::Dimension(name) => cell.word(name).and_then(Slot::from_word),
    }
}

/// Media types that dialects list or do not; others are asked for to be refused.
fn is_known_type(word: &str) -> bool {
    matches!(word, "application/json" | "text/json" | "application/xml" | "text/xml")
}

fn has_field(speech: &Speech, place: &FieldPlace) -> Outcome {
    let field = match place {
        FieldPlace::Field(field) | FieldPlace::Claim(field, _) | FieldPlace::Jose(field, _) => field,
        FieldPlace::Path(_) | FieldPlace::Header(_) | FieldPlace::Cookie(_) => return Ok(()),
    };
    if speech.answers.fields.contains_key(field) {
        Ok(())
    } else {
        Err(not_applicable(format!("the dialect has no field `{}`", field.word())))
    }
}

fn has_what_is_claimed(speech: &Speech, claim: &Claim, cell: &Cell) -> Outcome {
    match &claim.what {
        Expectation::Type(_) if !speech.answers.has_document() => {
            Err(not_applicable("grants of the dialect need no document"))
        }
        Expectation::Type(types) => {
            let words: Vec<String> = types.iter().filter_map(|word| word_of(word, cell)).collect();
            let never = !words.is_empty()
                && words.iter().all(|word| is_known_type(word) && !speech.answers.types.contains(word));
            if never {
                Err(not_applicable(format!("answers of the dialect are never `{}`", words[0])))
            } else {
                Ok(())
            }
        }
        Expectation::At(place, test) => {
            has_field(speech, place)?;
            if let Some((other, _)) = &test.near {
                has_field(speech, other)?;
            }
            test.after.as_ref().map_or(Ok(()), |other| has_field(speech, other))
        }
        Expectation::Shape { aspects, part } => {
            aspects.iter().try_for_each(|aspect| has_aspect(speech, *aspect, part.as_deref()))
        }
        Expectation::Outcome(_)
        | Expectation::Class(_)
        | Expectation::Status(_)
        | Expectation::Belongs(_)
        | Expectation::Lacks(_)
        | Expectation::Within(_)
        | Expectation::NoCallback
        | Expectation::Certificate => Ok(()),
    }
}

fn has_aspect(speech: &Speech, aspect: Aspect, part: Option<&str>) -> Outcome {
    let answers = &speech.answers;
    match aspect {
        Aspect::Names | Aspect::Only | Aspect::Kinds | Aspect::Order if answers.body.is_none() => {
            Err(not_applicable("the dialect declares no body for this answer"))
        }
        Aspect::Names | Aspect::Only | Aspect::Kinds | Aspect::Order => {
            let first = part.and_then(|part| part.split('/').find(|name| !name.is_empty()));
            let has = |name: &str| {
                answers.body.as_ref().is_some_and(|body| body.iter().any(|(other, _)| other == name))
            };
            match first {
                Some(name) if !has(name) => {
                    Err(not_applicable(format!("the dialect declares no member `{name}`")))
                }
                Some(_) | None => Ok(()),
            }
        }
        Aspect::Layers if answers.layers.len() < 2 => {
            Err(not_applicable("the dialect has no two status layers"))
        }
        Aspect::Syntax | Aspect::Root | Aspect::Known if !answers.has_document() => {
            Err(not_applicable("grants of the dialect need no document"))
        }
        Aspect::Syntax
        | Aspect::Charset
        | Aspect::Root
        | Aspect::Nulls
        | Aspect::UniqueNames
        | Aspect::Known
        | Aspect::Layers
        | Aspect::Echo => Ok(()),
    }
}
