//! What a check says of the gate's own calls, where the gate stayed shut: the good call was answered, so whoever
//! claims something of just that call is heard.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::client::Request;
use crate::conformance::cell::Cell;
use crate::conformance::change::{Making, compose};
use crate::conformance::court::Court;
use crate::conformance::references::{Cast, Yields};
use crate::conformance::steps::changes_of;
use crate::conformance::tally::Tally;
use crate::conformance::transcript::Taken;
use crate::results::event::{Narrator, Stop};
use crate::suite::call::Operation;
use crate::suite::check::{Check, Step, Verb};

use super::{Play, Scene};

/// What the first step of `check` claims of those calls of the gate that it would have sent itself, byte for byte.
pub(in crate::conformance) fn judge(
    court: &Court,
    check: &Check,
    cells: &[Cell],
    calls: &[Arc<Taken>],
) -> Tally {
    let (narrator, stop) = (Narrator::silent(), Stop::default());
    let mut play = Play::of(court, check, &narrator, &stop);
    if let Some(step) = check.steps.first() {
        for cell in cells {
            play.hear(step, cell, calls);
        }
    }
    play.tally
}

impl Play<'_> {
    fn hear(&mut self, step: &Step, cell: &Cell, calls: &[Arc<Taken>]) {
        let mut scene = Scene {
            cell,
            round: 0,
            cast: Cast::new(),
            steps: Yields::new(),
            last: None,
            forsaken: BTreeSet::new(),
        };
        let same = calls.iter().find(|taken| self.would_send(step, &scene, taken));
        if let Some(taken) = same {
            // A `given` that does not hold says nothing here: the gate's reason says it.
            drop(self.judge(&mut scene, step, Arc::clone(taken)));
        }
    }

    fn would_send(&self, step: &Step, scene: &Scene<'_>, taken: &Taken) -> bool {
        let Verb::Call(call) = &step.verb else { return false };
        let speech = self.court.ground.dialect.operation(call.operation);
        let (Operation::Refresh, Some(speech)) = (call.operation, speech) else { return false };
        let changes = changes_of(call, scene.cell);
        let making = Making {
            speech,
            changes: &changes,
            good: &taken.good,
            scope: self.scope(scene),
            format: self.court.format(),
            client: &self.court.ground.client,
            callback: None,
        };
        compose(&making, &mut self.rng(scene, 0))
            .is_ok_and(|composed| is_same(&composed.request, &taken.exchange.request))
    }
}

fn is_same(one: &Request, other: &Request) -> bool {
    (&one.method, &one.target, &one.headers, &one.body, &one.travel)
        == (&other.method, &other.target, &other.headers, &other.body, &other.travel)
}
