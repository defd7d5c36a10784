//! Which pair of tokens a call presents, whose chain it comes from, and what that is in the policy's words.

use std::sync::Arc;

use crate::chain::{Chain, Identity, Pair};
use crate::client::compose::Slots;
use crate::conformance::promise::{Presented, Promises};
use crate::conformance::transcript::Taken;
use crate::dialect::Dialect;
use crate::suite::call::{Call, Changes, Made, Operation, PairUse, Reference, Slot, WireChanges};
use crate::suite::check::ChainNeed;
use crate::suite::claim::Field;

use super::Scene;

/// A pair to present, and whether it is the chain's current one.
pub(super) struct Chosen {
    pub pair: Pair,
    pub is_current: bool,
}

/// An identity that is `own`, or differs from it where the check asks. Where callers are not told apart by a
/// user at all, another login is another user.
pub(super) fn identity(identities: &[Arc<Identity>], need: &ChainNeed) -> Option<Arc<Identity>> {
    let own = identities.first()?;
    let differs = |other: &Identity, slot: Slot| other.slots.get(&slot) != own.slots.get(&slot);
    let wants = |slot: Slot| match slot {
        Slot::Tenant => need.other_tenant,
        Slot::User => need.other_user && own.slots.contains_key(&Slot::User),
        _ => need.other_client,
    };
    let slots = [Slot::Tenant, Slot::User, Slot::Client];
    let has = |other: &Identity| need.fits(|slot| other.slots.contains_key(&slot));
    if !slots.into_iter().any(wants) && has(own) {
        return Some(Arc::clone(own));
    }
    let fits = |other: &&Arc<Identity>| {
        has(other) && slots.into_iter().all(|slot| !wants(slot) || differs(other, slot))
    };
    // What is not asked for stays the same, if that can be had.
    let alike = |other: &&Arc<Identity>| slots.into_iter().all(|slot| wants(slot) || !differs(other, slot));
    let exact = identities.iter().filter(fits).find(alike);
    exact.or_else(|| identities.iter().find(fits)).cloned().or_else(|| {
        // Another user may be no more than another login.
        (has(own) && need.other_user && !need.other_tenant && !need.other_client).then(|| Arc::clone(own))
    })
}

/// The pairs that a call presents: one, or each distinct pair that a step was granted.
pub(super) fn choose(
    chain: &Chain,
    call: &Call,
    scene: &Scene<'_>,
    dialect: &Dialect,
) -> Result<Vec<Chosen>, String> {
    let last = chain.pairs.len().checked_sub(1).ok_or("the chain has no pair")?;
    let one = |index: usize| Ok(vec![Chosen { pair: chain.pairs[index].clone(), is_current: index == last }]);
    match &call.pair {
        PairUse::Current => one(last),
        PairUse::Previous => one(last.checked_sub(1).ok_or("the chain has no earlier pair")?),
        PairUse::First => one(0),
        PairUse::Step(name) => {
            let current = &chain.pairs[last];
            let mut chosen: Vec<Chosen> = Vec::new();
            for taken in scene.steps.get(name).into_iter().flatten() {
                let Some(pair) = granted_pair(taken, scene, dialect) else { continue };
                if chosen.iter().any(|known| known.pair.refresh == pair.refresh) {
                    continue;
                }
                let is_current = pair.refresh.is_some() && pair.refresh == current.refresh;
                chosen.push(Chosen { pair, is_current });
            }
            Ok(chosen)
        }
    }
}

/// The pair that a step was granted, as the chain keeps it or as the answer has it.
pub(super) fn granted_pair(taken: &Taken, scene: &Scene<'_>, dialect: &Dialect) -> Option<Pair> {
    if !taken.is_granted() {
        return None;
    }
    let reply = taken.reply.as_ref()?;
    let kept = scene
        .cast
        .values()
        .flatten()
        .flat_map(|chain| &chain.pairs)
        .find(|pair| pair.reply.as_ref().is_some_and(|candidate| Arc::ptr_eq(candidate, reply)));
    kept.cloned().or_else(|| {
        let token = |field| reply.token(dialect, taken.operation, field);
        Some(Pair {
            access: token(Field::Access),
            refresh: token(Field::Refresh).or_else(|| taken.sent.get(&Slot::Refresh).cloned()),
            reply: Some(Arc::clone(reply)),
        })
    })
}

/// Whether the chain's current refresh token is what is sent, in its place.
pub(super) fn spends(chain: &Chain, chosen: &Chosen, sent: &Slots) -> bool {
    let current = chain.pairs.last().and_then(|pair| pair.refresh.as_ref());
    chosen.is_current && sent.get(&Slot::Refresh) == current
}

/// What the call presents, in the policy's words.
pub(super) fn presented(
    promises: &Promises,
    chain: &Chain,
    call: &Call,
    changes: &Changes,
    good: &Slots,
    sent: &Slots,
) -> Presented {
    let own = sent.get(&Slot::Access).and_then(|access| promises.access(access));
    if call.operation == Operation::Probe {
        return own.map_or(Presented::Else(None), Presented::Access);
    }
    let refresh = sent.get(&Slot::Refresh).and_then(|refresh| promises.refresh(refresh));
    // A proof is made anew for each call: it differs without being changed.
    let is_made = |slot: Slot| slot == Slot::Proof && sent.contains_key(&slot) && changes.set.is_empty();
    let differs = |slot: &Slot| sent.get(slot) != good.get(slot) && !is_made(*slot);
    let changed: Vec<Slot> = Slot::ALL.into_iter().filter(differs).collect();
    let plain = call.operation == Operation::Refresh && is_plain(changes);
    match (refresh, changed.as_slice()) {
        // A token that is given again and again belongs to the newest access token alone.
        (Some(number), []) if plain && is_stale(chain, sent) => Presented::Stale(number),
        (Some(number), []) if plain => Presented::Refresh(number),
        (Some(number), [Slot::Access]) if plain && own.is_some() => Presented::Stale(number),
        (Some(number), [Slot::Access]) if plain => Presented::Mixed(number),
        (number, _) => Presented::Else(number),
    }
}

/// Whether the chain's current refresh token is sent with an access token that it was given before the last.
fn is_stale(chain: &Chain, sent: &Slots) -> bool {
    chain.pairs.last().is_some_and(|pair| {
        pair.refresh.as_ref() == sent.get(&Slot::Refresh) && pair.access.as_ref() != sent.get(&Slot::Access)
    })
}

/// Whether the call is the good one: nothing that changes its meaning, every slot as it should be. Whoever hangs up
/// has made the call all the same.
pub(super) fn is_good(changes: &Changes, good: &Slots, sent: &Slots) -> bool {
    let wire = WireChanges { abort: None, ..changes.wire.clone() };
    let as_heard = Changes { wire, ..changes.clone() };
    is_plain(&as_heard) && Slot::ALL.into_iter().all(|slot| sent.get(&slot) == good.get(&slot))
}

/// Only what does not change the meaning of the call: slots (which are compared), format, Accept, headers.
pub(super) fn is_plain(changes: &Changes) -> bool {
    Changes { set: Vec::new(), without: Vec::new(), format: None, accept: None, ..changes.clone() }.is_none()
}

/// Whether a value of the call is the address at which the endpoint is heard calling back.
pub(super) fn mentions_callback(changes: &Changes) -> bool {
    let sent = changes.headers.iter().flat_map(|(_, values)| values);
    let members = changes.set.iter().map(|(_, value)| value);
    let added = changes.document.add.iter().map(|(_, value)| value);
    let mut referred = members.chain(&changes.body).chain(sent).chain(added).flat_map(Made::references);
    referred.any(|reference| *reference == Reference::Callback)
}
