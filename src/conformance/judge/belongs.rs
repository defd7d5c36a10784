//! Whether the tokens of an answer carry their chain's own tenant, user, client, family and pair.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace, Link};

use crate::conformance::references::place as named;
use crate::conformance::transcript::Taken;

use super::{Bench, Judgement, all, never_had, presented, reply};

/// Through the dialect's `links`, else through claims that are seen to hold what the link is to.
pub(super) fn belongs(link: Link, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let linked = bench.scope.dialect.links.get(&link);
    if let Some(place) = linked
        && !never_had(place, taken, bench)
    {
        return linked_by(link, place, taken, bench);
    }
    let seen = seen_places(link, taken, bench);
    if !seen.is_empty() {
        return all(seen.iter().map(|place| linked_by(link, place, taken, bench)));
    }
    match linked {
        Some(place) => linked_by(link, place, taken, bench),
        None => Judgement::Moot(format!("the dialect links no claim to `{}`", word(link))),
    }
}

/// Claims of the access token that held the chain's own value where a chain of this cell was opened: a table need
/// not name them to be held to them.
fn seen_places(link: Link, taken: &Taken, bench: &Bench<'_>) -> Vec<FieldPlace> {
    let Some(slot) = slot_of(link) else { return Vec::new() };
    let dialect = bench.scope.dialect;
    let cast = bench.scope.chains.values().flatten();
    let origins = cast.filter_map(|chain| Some((&chain.identity, chain.pairs.first()?.reply.as_ref()?)));
    let this = taken.origin.as_ref().map(|origin| (&taken.identity, origin));
    let mut places = Vec::new();
    for (identity, origin) in origins.chain(this) {
        let Some(own) = identity.slots.get(&slot) else { continue };
        for name in origin.claim_names(dialect, Operation::Login, Field::Access) {
            let place = FieldPlace::Claim(Field::Access, name);
            let held = origin.at(dialect, Operation::Login, &place).text();
            if held.as_deref() == Some(own.expose()) && !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

fn linked_by(link: Link, place: &FieldPlace, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let expected = format!("the chain's own {} in {}", word(link), named(place));
    let answer = match reply(taken, &expected) {
        Ok(answer) => answer,
        Err(judgement) => return judgement,
    };
    let Some(found) = answer.at(bench.scope.dialect, taken.operation, place).text() else {
        let why = format!("nothing stands at {}", named(place));
        return if never_had(place, taken, bench) { Judgement::Moot(why) } else { Judgement::Untold(why) };
    };
    match link {
        Link::Pair => pair(&found, place, &expected, taken, bench),
        Link::Tenant | Link::User | Link::Client | Link::Family => match own(link, place, taken, bench) {
            None => Judgement::Untold(format!("the chain's own {} is not known", word(link))),
            Some(own) if own == found => Judgement::Holds,
            Some(own) => {
                let show = |text: &str| bench.redaction.value(place, text);
                Judgement::fails(format!("{} in {}", show(&own), named(place)), show(&found))
            }
        },
    }
}

fn word(link: Link) -> &'static str {
    Link::ALL.iter().find(|(candidate, _)| *candidate == link).map_or("", |(_, word)| word)
}

/// The slot that names what the link is to.
fn slot_of(link: Link) -> Option<Slot> {
    match link {
        Link::Tenant => Some(Slot::Tenant),
        Link::User => Some(Slot::User),
        Link::Client => Some(Slot::Client),
        Link::Family | Link::Pair => None,
    }
}

/// What the chain is known to be: by its credentials, else by the answer that opened it.
fn own(link: Link, place: &FieldPlace, taken: &Taken, bench: &Bench<'_>) -> Option<String> {
    let by_slot =
        slot_of(link).and_then(|slot| taken.identity.slots.get(&slot)).map(|value| value.expose().to_owned());
    // A subject need not be spelled like the credential that names it.
    let by_origin = || {
        let origin = taken.origin.as_ref()?;
        origin.at(bench.scope.dialect, Operation::Login, place).text()
    };
    match link {
        Link::Tenant | Link::Client => by_slot.or_else(by_origin),
        // Of a chain out of a file the token before is known.
        Link::User => match (&taken.origin, presented(place, taken)) {
            (None, Some(before)) => before,
            _ => by_origin().or(by_slot),
        },
        Link::Family | Link::Pair => by_origin().or_else(|| presented(place, taken).flatten()),
    }
}

/// The claim names the refresh token of the same answer: itself, or a digest or start of one.
fn pair(claim: &str, place: &FieldPlace, expected: &str, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let dialect = bench.scope.dialect;
    let token = |field| taken.reply.as_ref().and_then(|reply| reply.token(dialect, taken.operation, field));
    // An answer that keeps the old refresh token pairs with that.
    let kept = || taken.sent.get(&Slot::Refresh).cloned();
    let Some(refresh) = token(Field::Refresh).or_else(kept) else {
        return Judgement::Untold("there is no refresh token to pair with".to_owned());
    };
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, refresh.expose().as_bytes());
    let hex: String = digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect();
    let writings = [
        refresh.expose().to_owned(),
        hex,
        URL_SAFE_NO_PAD.encode(digest.as_ref()),
        STANDARD.encode(digest.as_ref()),
    ];
    if claim.len() >= 8 && writings.iter().any(|writing| writing.starts_with(claim)) {
        return Judgement::Holds;
    }
    let looks_other = writings.iter().any(|writing| writing.len() == claim.len()) || claim.len() >= 8;
    if looks_other {
        Judgement::fails(expected, bench.redaction.value(place, claim))
    } else {
        Judgement::Untold(format!("what stands at {} is in no known writing", named(place)))
    }
}

fn hex_digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).expect("half a byte is below sixteen")
}
