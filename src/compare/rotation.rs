//! What became of tokens in two runs: races, and the ledger of the load.

use super::{RotationChange, Word};
use crate::results::{RaceResult, Run};

/// Where tokens fared differently, worst first.
pub fn changes(a: &Run, b: &Run) -> Vec<RotationChange> {
    let mut changes: Vec<RotationChange> = races(a, b).chain(ledgers(a, b)).collect();
    changes.sort_by_key(|change| change.word);
    changes
}

fn races<'a>(a: &'a Run, b: &'a Run) -> impl Iterator<Item = RotationChange> + 'a {
    b.checks.iter().flat_map(move |check| {
        let before = a.checks.iter().find(|other| other.id == check.id);
        check.races.iter().filter_map(move |race| {
            let same = |other: &&RaceResult| other.name == race.name && other.cell == race.cell;
            compare_race(&check.id, before?.races.iter().find(same)?, race)
        })
    })
}

/// The most that survived of one race, over all of its rounds.
#[derive(Debug, PartialEq, Eq)]
struct Survivors {
    successors: u32,
    live: Option<u32>,
    family: Option<bool>,
    crashes: bool,
}

impl Survivors {
    fn of(race: &RaceResult) -> Survivors {
        let most = |pick: fn(&crate::results::RaceOutcome) -> Option<u32>| {
            race.outcomes.iter().filter_map(pick).max()
        };
        Survivors {
            // More than two is as bad as two, and how many it were is chance.
            successors: most(|outcome| Some(outcome.successors)).unwrap_or(0).min(2),
            live: most(|outcome| outcome.live).map(|live| live.min(2)),
            family: race.outcomes.iter().filter_map(|outcome| outcome.family).min(),
            crashes: race.outcomes.iter().any(|outcome| outcome.crashes > 0),
        }
    }

    fn words(&self) -> String {
        let many = |count: u32| if count >= 2 { "several".to_owned() } else { count.to_string() };
        let mut parts = vec![format!("{} successors at most", many(self.successors))];
        if self.successors == 1 {
            parts = vec!["1 successor at most".to_owned()];
        }
        parts.extend(self.live.map(|live| format!("{} of them alive", many(live))));
        parts.extend(self.family.map(|alive| format!("the family {}", if alive { "lives" } else { "dies" })));
        parts.extend(self.crashes.then(|| "the server failed".to_owned()));
        parts.join(", ")
    }
}

fn compare_race(check: &str, a: &RaceResult, b: &RaceResult) -> Option<RotationChange> {
    if a.telling == 0 || b.telling == 0 {
        return None;
    }
    let place = match &b.cell {
        Some(cell) => format!("{check} {} ({cell})", b.legs),
        None => format!("{check} {}", b.legs),
    };
    let broke = |race: &RaceResult| format!("{} of {} broke", race.broken, race.telling);
    let change = |what: &str, of_a: String, of_b: String, word| {
        Some(RotationChange { place: place.clone(), what: what.to_owned(), a: of_a, b: of_b, word })
    };
    match (a.broken, b.broken) {
        (0, 1..) => return change("races break", broke(a), broke(b), Word::Worse),
        (1.., 0) => return change("races break", broke(a), broke(b), Word::Better),
        _ => {}
    }
    let (of_a, of_b) = (Survivors::of(a), Survivors::of(b));
    if of_a == of_b {
        return None;
    }
    change("what survives", of_a.words(), of_b.words(), Word::Different)
}

fn ledgers<'a>(a: &'a Run, b: &'a Run) -> impl Iterator<Item = RotationChange> + 'a {
    b.load.iter().flat_map(move |load| {
        let before = a.load.iter().find(|other| other.name == load.name);
        let figures = before.map(|before| {
            [
                ("tokens issued twice", before.ledger.duplicates, load.ledger.duplicates),
                ("tokens of another chain", before.ledger.strangers, load.ledger.strangers),
            ]
        });
        figures.into_iter().flatten().filter_map(move |(what, of_a, of_b)| {
            let word = match (of_a, of_b) {
                (0, 1..) => Word::Worse,
                (1.., 0) => Word::Better,
                _ => return None,
            };
            Some(RotationChange {
                place: load.name.clone(),
                what: what.to_owned(),
                a: of_a.to_string(),
                b: of_b.to_string(),
                word,
            })
        })
    })
}
