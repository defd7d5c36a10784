//! What `$names` mean: values of slots, of other chains, of earlier steps, of the cell.
//!
//! A name that has no value is never empty text: it is an `Err` that names what is missing.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::chain::{Chain, Pair};
use crate::client::compose::Slots;
use crate::client::reply::Reply;
use crate::dialect::Dialect;
use crate::secret::Token;
use crate::suite::call::{Operation, PairUse, Part, Reference, Slot, SlotRef, Template};
use crate::suite::claim::{Field, FieldPlace};

use super::cell::Cell;
use super::transcript::Taken;

/// The chains of a cell by name; more than one where the check asks for a `count`.
pub(super) type Cast = IndexMap<String, Vec<Chain>>;

/// What steps of the cell yielded, by their names.
pub(super) type Yields = IndexMap<String, Vec<Arc<Taken>>>;

/// Where names are looked up.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// How the endpoint speaks.
    pub dialect: &'a Dialect,
    /// `$env:` and `$secret:` names.
    pub variables: &'a IndexMap<String, Token>,
    /// The cell of `over`.
    pub cell: &'a Cell,
    /// The chains.
    pub chains: &'a Cast,
    /// Earlier steps.
    pub steps: &'a Yields,
    /// The call that is being made.
    pub call: Option<CallScope<'a>>,
    /// The exchange that is being judged.
    pub this: Option<&'a Taken>,
    /// The public key that the endpoint signs with, as PEM, where it is known.
    pub public_key: Option<&'a str>,
}

/// The names of a call in the making.
#[derive(Clone, Copy)]
pub(super) struct CallScope<'a> {
    /// The good value of every slot.
    pub good: &'a Slots,
    /// The document that would be sent.
    pub document: Option<&'a [u8]>,
    /// The operation's path.
    pub path: &'a str,
    /// The address of the listener, if one was opened.
    pub callback: Option<&'a str>,
}

impl Scope<'_> {
    /// The text of a template; what is missing for it otherwise.
    pub fn text(&self, template: &Template) -> Result<String, String> {
        self.bytes(template).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The bytes of a template: `$good` may hold bytes that are no text.
    pub fn bytes(&self, template: &Template) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        for part in &template.parts {
            match part {
                Part::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Part::Reference(Reference::Good) => bytes.extend_from_slice(self.document()?),
                Part::Reference(reference) => bytes.extend_from_slice(self.reference(reference)?.as_bytes()),
            }
        }
        Ok(bytes)
    }

    /// The value of one reference.
    pub fn reference(&self, reference: &Reference) -> Result<String, String> {
        match reference {
            Reference::Slot(slot) => self.good_slot(*slot),
            Reference::ChainSlot { chain, slot } => self.chain_slot(chain, *slot),
            Reference::Generation { chain, pair, field } => self.generation(chain, pair, field),
            Reference::Received { step, field } => self.received(step, field),
            Reference::StepSent { step, slot } => self.step_sent(step, *slot),
            Reference::Sent(slot) => {
                let taken = self.this.ok_or("`$sent`: nothing was sent yet")?;
                slot_of(&taken.sent, *slot).ok_or(format!("`$sent.{}`: it was not sent", slot.word()))
            }
            Reference::Dimension(name) => self.dimension(name).map(str::to_owned),
            Reference::Good => self.document().map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            Reference::Path => {
                self.call.map(|call| call.path.to_owned()).ok_or("`$path`: no call is being made".to_owned())
            }
            Reference::Callback => self
                .call
                .and_then(|call| call.callback)
                .map(str::to_owned)
                .ok_or("`$callback`: no listener is open".to_owned()),
            Reference::Env(name) | Reference::Secret(name) => self
                .variables
                .get(name)
                .map(|value| value.expose().to_owned())
                .ok_or(format!("`{name}`: the environment has no such variable")),
        }
    }

    /// The word of a dimension in this cell.
    pub fn dimension(&self, name: &str) -> Result<&str, String> {
        self.cell.word(name).ok_or(format!("`${name}`: there is no such dimension"))
    }

    /// The slot that is meant.
    pub fn slot(&self, slot: &SlotRef) -> Result<Slot, String> {
        match slot {
            SlotRef::Slot(slot) => Ok(*slot),
            SlotRef::Dimension(name) => {
                let word = self.dimension(name)?;
                Slot::from_word(word).ok_or(format!("`{word}` is no slot"))
            }
        }
    }

    fn document(&self) -> Result<&[u8], String> {
        self.call.and_then(|call| call.document).ok_or("`$good`: this call has no document".to_owned())
    }

    fn good_slot(&self, slot: Slot) -> Result<String, String> {
        if self.dialect.computed.contains_key(&slot) {
            return Err(format!("`${}`: it is made for each call", slot.word()));
        }
        let good = self.call.map(|call| call.good).or(self.this.map(|taken| &taken.good));
        good.and_then(|slots| slot_of(slots, slot))
            .ok_or(format!("`${}`: the chain has no such value", slot.word()))
    }

    fn chain(&self, name: &str) -> Result<&Chain, String> {
        self.chains
            .get(name)
            .and_then(|chains| chains.first())
            .ok_or(format!("`${name}`: there is no such chain"))
    }

    fn chain_slot(&self, name: &str, slot: Slot) -> Result<String, String> {
        if self.dialect.computed.contains_key(&slot) {
            return Err(format!("`${name}.{}`: it is made for each call", slot.word()));
        }
        let chain = self.chain(name)?;
        let pair = chain.pairs.last();
        pair.and_then(|pair| slot_of(&slots_of(&chain.identity.slots, pair), slot))
            .ok_or(format!("`${name}.{}`: the chain has no such value", slot.word()))
    }

    fn generation(&self, name: &str, pair: &PairUse, field: &FieldPlace) -> Result<String, String> {
        let chain = self.chain(name)?;
        let missing = || format!("`${name}`: the chain has no such pair");
        let index = match pair {
            PairUse::Current => chain.pairs.len().checked_sub(1),
            PairUse::Previous => chain.pairs.len().checked_sub(2),
            PairUse::First => Some(0),
            PairUse::Step(step) => return self.received(step, field),
        }
        .ok_or_else(missing)?;
        let pair = chain.pairs.get(index).ok_or_else(missing)?;
        let token = match field {
            FieldPlace::Field(Field::Access) => pair.access.as_ref(),
            FieldPlace::Field(Field::Refresh) => pair.refresh.as_ref(),
            _ => None,
        };
        if let Some(token) = token {
            return Ok(token.expose().to_owned());
        }
        let operation = if index == 0 { Operation::Login } else { Operation::Refresh };
        let reply = pair.reply.as_ref().ok_or_else(missing)?;
        self.field(reply, operation, field).ok_or(format!("`${name}`: nothing stands at {}", place(field)))
    }

    fn step(&self, name: &str) -> Result<&Taken, String> {
        let this = self.this.filter(|taken| taken.step.as_deref() == Some(name));
        let earlier = || self.steps.get(name).and_then(|taken| taken.last()).map(Arc::as_ref);
        this.or_else(earlier).ok_or(format!("`${name}`: the step was not taken"))
    }

    fn received(&self, step: &str, field: &FieldPlace) -> Result<String, String> {
        let taken = self.step(step)?;
        let reply = taken.reply.as_ref().ok_or(format!("`${step}`: the step was not answered"))?;
        self.field(reply, taken.operation, field)
            .ok_or(format!("`${step}`: nothing stands at {}", place(field)))
    }

    fn step_sent(&self, step: &str, slot: Slot) -> Result<String, String> {
        slot_of(&self.step(step)?.sent, slot)
            .ok_or(format!("`${step}.sent.{}`: it was not sent", slot.word()))
    }

    fn field(&self, reply: &Reply, operation: Operation, field: &FieldPlace) -> Option<String> {
        reply.at(self.dialect, operation, field).text()
    }
}

fn slot_of(slots: &Slots, slot: Slot) -> Option<String> {
    slots.get(&slot).map(|token| token.expose().to_owned())
}

/// The slots of a good call with this pair.
pub(super) fn slots_of(identity: &Slots, pair: &Pair) -> Slots {
    let mut slots = identity.clone();
    for (slot, token) in [(Slot::Access, &pair.access), (Slot::Refresh, &pair.refresh)] {
        match token {
            Some(token) => slots.insert(slot, token.clone()),
            None => slots.remove(&slot),
        };
    }
    slots
}

/// A place as the suite writes it, in backticks.
pub(super) fn place(place: &FieldPlace) -> String {
    match place {
        FieldPlace::Field(field) => format!("`{}`", field.word()),
        FieldPlace::Path(path) => format!("`{path}`"),
        FieldPlace::Header(name) => format!("`header:{name}`"),
        FieldPlace::Cookie(name) => format!("`cookie:{name}`"),
        FieldPlace::Claim(field, claim) => format!("`{}#{claim}`", field.word()),
        FieldPlace::Jose(field, member) => format!("`{}@{member}`", field.word()),
    }
}
