//! Races: one round moment by moment, what survived against what is promised, and how sure the rounds make.

use super::chart::{Figure, race};
use crate::report::clean::{line, shorten, slug};
use crate::results::wording::{count, time};
use crate::results::{CheckResult, RaceOutcome, RaceResult, Run};

/// No more kinds of outcomes of one race than this.
const OUTCOMES: usize = 6;

pub(super) struct View {
    /// The round that is drawn: the first that broke, else one of the largest race.
    pub(super) shown: Option<Shown>,
    pub(super) rows: Vec<Row>,
    pub(super) outcomes: Vec<Outcome>,
}

pub(super) struct Shown {
    pub(super) figure: Figure,
    /// What was promised and found, where a promise was broken.
    pub(super) broken: Option<String>,
    pub(super) afterwards: String,
}

/// One race in one cell.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) what: String,
    pub(super) rounds: String,
    pub(super) overlapping: String,
    pub(super) spread: String,
    pub(super) broke: String,
    pub(super) bad: bool,
    pub(super) rate: String,
}

/// One bar of the histogram.
pub(super) struct Outcome {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) figures: String,
    pub(super) rounds: String,
    pub(super) of: String,
    pub(super) note: String,
    pub(super) bad: bool,
}

impl View {
    pub(super) fn of(run: &Run) -> View {
        let races = || run.checks.iter().flat_map(|check| check.races.iter().map(move |race| (check, race)));
        View {
            shown: shown(&races()),
            rows: races().map(|(check, race)| row(check, race)).collect(),
            outcomes: races().flat_map(|(check, race)| outcomes(check, race)).collect(),
        }
    }
}

/// The first race that broke; else the one with the most racers whose round tells.
fn shown<'r>(races: &(impl Iterator<Item = (&'r CheckResult, &'r RaceResult)> + Clone)) -> Option<Shown> {
    let broke = races.clone().find(|(_, race)| race.broken > 0);
    let racers = |race: &RaceResult| race.shown.as_ref().map_or(0, |shown| shown.racers.len());
    let largest = || races.clone().max_by_key(|(_, race)| (racers(race), std::cmp::Reverse(race.rounds)));
    let (check, race) = broke.or_else(largest)?;
    let shown = race.shown.as_ref()?;
    let why = if shown.broken.is_some() { ", the first that broke" } else { "" };
    let overlapped = if shown.overlapped { "" } else { "; its requests did not overlap" };
    let caption = format!(
        "{} round {}{why}; {}, ordered by answer{overlapped}",
        line(&check.id),
        shown.round,
        line(&race.legs)
    );
    Some(Shown {
        figure: race::round(caption, shown),
        broken: shown.broken.as_deref().map(|broken| shorten(&line(broken), 240)),
        afterwards: shorten(&line(&shown.afterwards.join(", ")), 240),
    })
}

fn row(check: &CheckResult, race: &RaceResult) -> Row {
    let cell = race.cell.as_deref().map(|cell| format!(", {cell}")).unwrap_or_default();
    Row {
        id: line(&check.id),
        href: format!("#row-{}", slug(&check.id)),
        what: shorten(&line(&format!("{}{cell}", race.legs)), 80),
        rounds: count(u64::from(race.rounds)),
        overlapping: count(u64::from(race.overlapping)),
        spread: time(race.spread_us.0 as f64),
        broke: count(u64::from(race.broken)),
        bad: race.broken > 0,
        rate: line(&race.confidence),
    }
}

fn outcomes(check: &CheckResult, race: &RaceResult) -> Vec<Outcome> {
    let cell = race.cell.as_deref().map(|cell| format!(", {cell}")).unwrap_or_default();
    let one = |outcome: &RaceOutcome| Outcome {
        id: line(&check.id),
        what: shorten(&line(&format!("{}{cell}", race.legs)), 80),
        figures: figures(outcome),
        rounds: count(u64::from(outcome.rounds)),
        of: count(u64::from(race.rounds)),
        note: outcome.note.as_deref().map(|note| shorten(&line(note), 160)).unwrap_or_default(),
        bad: outcome.broken > 0,
    };
    race.outcomes.iter().take(OUTCOMES).map(one).collect()
}

/// `1 granted, 1 token, 0 live, family ended`
fn figures(outcome: &RaceOutcome) -> String {
    let mut parts = vec![format!("{} granted", outcome.successes)];
    parts.push(format!(
        "{} {}",
        outcome.successors,
        if outcome.successors == 1 { "token" } else { "tokens" }
    ));
    parts.extend(outcome.live.map(|live| format!("{live} live")));
    parts
        .extend(outcome.family.map(|family| if family { "family alive" } else { "family ended" }.to_owned()));
    if outcome.crashes > 0 {
        parts.push(format!("{} server errors", outcome.crashes));
    }
    if outcome.silent > 0 {
        parts.push(format!("{} without a telling answer", outcome.silent));
    }
    parts.join(", ")
}
