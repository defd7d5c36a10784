//! What came of every claim of one check over its cells and rounds, counted and with the first examples.

use indexmap::IndexMap;

use crate::load::sentinels::Told;
use crate::results::{Evidence, RaceResult};
use crate::source::Span;
use crate::suite::claim::Strength;

use super::judge::{Judgement, Miss};

/// So many different failures of one claim are kept.
const KINDS_MAX: usize = 3;

/// So many cells are named.
pub(super) const CELLS_MAX: u32 = 4;

/// Which claim of a check.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClaimKey {
    /// Its words in the file.
    pub at: Span,
    /// `again.outcome`
    pub name: String,
}

/// What came of one claim.
#[derive(Clone, Debug)]
pub(super) struct ClaimTally {
    /// How much hangs on it.
    pub strength: Strength,
    /// How often it held or failed.
    pub judged: u32,
    /// How often it failed.
    pub failed: u32,
    /// How often it could not be told, and why the first time.
    pub untold: u32,
    /// Why it could not be told the first time.
    pub why_untold: Option<String>,
    /// Why there was nothing to judge, the first time.
    pub why_moot: Option<String>,
    /// Different failures.
    pub kinds: Vec<Failed>,
    /// Failures of further kinds.
    pub further: u32,
}

/// One kind of failure: equal expectation, equal observation.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    /// What was expected and found.
    pub miss: Miss,
    /// How often.
    pub times: u32,
    /// In which cells, the first few.
    pub cells: Vec<String>,
    /// The exchanges of the first.
    pub evidence: Vec<Evidence>,
    /// A shell line that does the first again.
    pub again: Option<String>,
}

/// How the musts of a check stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    failed: u32,
    judged: u32,
}

/// What shows a failure.
pub(super) type Shown = (Vec<Evidence>, Option<String>);

/// What came of all claims of one check.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// By claim, in the order in which they were first judged.
    pub claims: IndexMap<ClaimKey, ClaimTally>,
    /// Cells and rounds that were run.
    pub runs: u32,
    /// Cells and rounds in which a `given` did not hold or the stage could not be set.
    pub unset: u32,
    /// Why, the first time.
    pub why_unset: Option<String>,
    /// Why there was no stage to set, the first time: the policy leaves out what it hangs on.
    pub why_moot: Option<String>,
    /// Something was not sent because a step was granted nothing.
    pub emptied: Option<String>,
    /// Somebody asked to stop before the end.
    pub stopped: bool,
    /// Its races, added up.
    pub races: Vec<RaceResult>,
}

impl Tally {
    /// Notes a judgement; `show` is asked only for the first failure of a kind.
    pub fn note(
        &mut self,
        key: ClaimKey,
        strength: Strength,
        cell: Option<&str>,
        judgement: Judgement,
        show: impl FnOnce(&Miss) -> Shown,
    ) {
        let tally = self.claims.entry(key).or_insert_with(|| ClaimTally::new(strength));
        match judgement {
            Judgement::Holds => tally.judged += 1,
            Judgement::Untold(why) => {
                tally.untold += 1;
                tally.why_untold.get_or_insert(why);
            }
            Judgement::Moot(why) => {
                tally.why_moot.get_or_insert(why);
            }
            Judgement::Fails(miss) => {
                tally.judged += 1;
                tally.failed += 1;
                tally.fail(miss, cell, show);
            }
        }
    }

    /// How often a `must` failed and how often one was judged.
    pub fn standing(&self) -> Standing {
        let musts = || self.claims.values().filter(|claim| claim.strength == Strength::Must);
        Standing {
            failed: musts().map(|claim| claim.failed).sum(),
            judged: self.claims.values().map(|claim| claim.judged).sum(),
        }
    }

    /// What the last round of a sentinel came to, by how it stood before.
    pub fn since(&self, before: Standing) -> Told {
        let now = self.standing();
        let failing = |claim: &&ClaimTally| claim.strength == Strength::Must && claim.failed > 0;
        if now.failed > before.failed {
            let kinds = self.claims.values().filter(failing).filter_map(|claim| claim.kinds.last());
            let found = |kind: &Failed| format!("{}, expected {}", kind.miss.found, kind.miss.expected);
            return Told::Violated(kinds.map(found).next_back().unwrap_or_default());
        }
        if now.judged > before.judged {
            return Told::Held;
        }
        let untold = self.claims.values().find_map(|claim| claim.why_untold.clone());
        let why = self.why_unset.clone().or(untold).or_else(|| self.why_moot.clone());
        Told::Nothing(why.unwrap_or_else(|| "nothing could be judged".to_owned()))
    }

    /// Adds what the same check came to elsewhere.
    pub fn add(&mut self, other: Tally) {
        for (key, claim) in other.claims {
            match self.claims.get_mut(&key) {
                Some(own) => own.add(claim),
                None => drop(self.claims.insert(key, claim)),
            }
        }
        self.runs += other.runs;
        self.unset += other.unset;
        self.why_unset = self.why_unset.take().or(other.why_unset);
        self.why_moot = self.why_moot.take().or(other.why_moot);
        self.emptied = self.emptied.take().or(other.emptied);
        self.races.extend(other.races);
    }

    /// Leaves out rounds that told nothing, where others told something: a sentinel is asked again and again.
    pub fn forgive(&mut self) {
        let mut told = false;
        for claim in self.claims.values_mut().filter(|claim| claim.judged > 0) {
            claim.untold = 0;
            told = true;
        }
        if told {
            self.unset = 0;
        }
    }

    /// The stage of this cell and round could not be set.
    pub fn unset(&mut self, why: impl Into<String>) {
        self.unset += 1;
        self.why_unset.get_or_insert_with(|| why.into());
    }
}

impl ClaimTally {
    fn add(&mut self, other: ClaimTally) {
        self.judged += other.judged;
        self.failed += other.failed;
        self.untold += other.untold;
        self.further += other.further;
        self.why_untold = self.why_untold.take().or(other.why_untold);
        self.why_moot = self.why_moot.take().or(other.why_moot);
        for kind in other.kinds {
            let is_same = |own: &&mut Failed| {
                own.miss.expected == kind.miss.expected && own.miss.found == kind.miss.found
            };
            if let Some(own) = self.kinds.iter_mut().find(is_same) {
                own.times += kind.times;
            } else if self.kinds.len() < KINDS_MAX {
                self.kinds.push(kind);
            } else {
                self.further += kind.times;
            }
        }
    }

    fn new(strength: Strength) -> ClaimTally {
        ClaimTally {
            strength,
            judged: 0,
            failed: 0,
            untold: 0,
            why_untold: None,
            why_moot: None,
            kinds: Vec::new(),
            further: 0,
        }
    }

    fn fail(&mut self, miss: Miss, cell: Option<&str>, show: impl FnOnce(&Miss) -> Shown) {
        let same =
            |failed: &&mut Failed| failed.miss.expected == miss.expected && failed.miss.found == miss.found;
        if let Some(failed) = self.kinds.iter_mut().find(same) {
            failed.times += 1;
            if let Some(cell) = cell
                && failed.cells.len() < CELLS_MAX as usize
                && !failed.cells.iter().any(|known| known == cell)
            {
                failed.cells.push(cell.to_owned());
            }
            return;
        }
        if self.kinds.len() >= KINDS_MAX {
            self.further += 1;
            return;
        }
        let (evidence, again) = show(&miss);
        let cells = cell.map(str::to_owned).into_iter().collect();
        self.kinds.push(Failed { miss, times: 1, cells, evidence, again });
    }
}
