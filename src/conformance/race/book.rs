//! The rounds of a race: each judged by the policy's promises, all added up with what they make sure.

use indexmap::IndexMap;

use crate::conformance::judge::Judgement;
use crate::conformance::transcript::ending;
use crate::results::{RaceOutcome, RaceResult, RacerMoments, ShownRound};
use crate::suite::claim::RacePromise;
use crate::suite::policy::Policy;

use super::chance;
use super::order::{Ordered, order};
use super::round::{Counts, Racer, Round};
use super::row::{Bounds, Row};

/// Fewer rounds that count than this prove nothing.
pub(in super::super) const ROUNDS_LEAST: usize = 30;

/// Up to so many racers the order is searched; beyond, the counts decide alone.
const SEARCHED: u32 = 12;

/// What the rounds of a race came to.
#[derive(Debug)]
pub(in super::super) struct Judged {
    /// Of each round, in order, as far as it tells anything.
    pub rounds: Vec<Option<Judgement>>,
    /// Why all of them together prove too little, if so.
    pub doubt: Option<String>,
}

/// Whether the rounds keep these promises.
pub(in super::super) fn judge(promises: &[RacePromise], rounds: &[Round], policy: &Policy) -> Judged {
    let judged: Vec<Option<Judgement>> = rounds.iter().map(|round| all(promises, round, policy)).collect();
    let telling = judged.iter().zip(rounds).filter(|(judged, round)| judged.is_some() && round.is_telling());
    let telling = telling.count();
    let decided = judged.iter().flatten().any(|one| matches!(one, Judgement::Fails(_) | Judgement::Moot(_)));
    let doubt = (!decided && telling < ROUNDS_LEAST).then(|| too_few(telling, rounds));
    Judged { rounds: judged, doubt }
}

fn too_few(telling: usize, rounds: &[Round]) -> String {
    let lost = rounds.iter().filter(|round| round.counts().silent > 0).count();
    let apart = rounds.iter().filter(|round| round.together && !round.overlapped).count();
    let mut why = Vec::new();
    if apart > 0 {
        why.push(format!("in {apart} an answer came before the last request was sent"));
    }
    if lost > 0 {
        why.push(format!("in {lost} not everybody was answered"));
    }
    let why = if why.is_empty() { String::new() } else { format!(": {}", why.join(", ")) };
    format!("{telling} of {} rounds count, and {ROUNDS_LEAST} are needed{why}", rounds.len())
}

/// All promises on one round; nothing where it does not tell.
fn all(promises: &[RacePromise], round: &Round, policy: &Policy) -> Option<Judgement> {
    let mut holds = false;
    let mut moot = None;
    for promise in promises {
        match one(*promise, round, policy) {
            Judgement::Holds => holds = true,
            Judgement::Moot(why) => {
                moot.get_or_insert(why);
            }
            fails @ Judgement::Fails(_) => return Some(fails),
            Judgement::Untold(_) => return None,
        }
    }
    if holds { Some(Judgement::Holds) } else { moot.map(Judgement::Moot) }
}

/// What the policy leaves open is observed and not judged.
fn open(word: &str) -> Judgement {
    Judgement::Moot(format!("{word}, so what happened is observed and not judged"))
}

/// One promise on one round. `Untold`: the round does not tell; `Moot`: no round does.
fn one(promise: RacePromise, round: &Round, policy: &Policy) -> Judgement {
    let counts = round.counts();
    let row = Row { policy, racers: round.refreshes(), took: round.took() };
    let doubt = counts.crashes + counts.silent;
    match promise {
        RacePromise::Winner => winner(round, counts),
        RacePromise::Order => ordered(round, policy),
        RacePromise::Successes | RacePromise::Successors | RacePromise::Live | RacePromise::Family
            if !round.alike =>
        {
            Judgement::Moot("its legs differ, and these promises are about one token".to_owned())
        }
        RacePromise::Successes => {
            within(row.successes(), counts.successes, doubt, &format!("of {} granted", row.racers))
        }
        RacePromise::Successors => {
            let bounds = row.successors(counts.successes);
            within(bounds, counts.successors, doubt, "different refresh tokens granted")
        }
        RacePromise::Live => match counts.live {
            None => Judgement::Untold("its successors were not tried".to_owned()),
            Some(live) => {
                let bounds = row.live(counts.successes, counts.successors);
                within(bounds, live, doubt, &format!("of {} successors usable", counts.successors))
            }
        },
        RacePromise::Family => family(&row, counts),
    }
}

fn winner(round: &Round, counts: Counts) -> Judgement {
    if counts.successes > 0 {
        return Judgement::Holds;
    }
    if !round.alike || counts.silent > 0 {
        return Judgement::Untold("nobody is known to have won, and not everybody was answered".to_owned());
    }
    let all = round.refreshes();
    Judgement::fails(format!("one of {all} granted at least"), format!("none granted{}", crashed(counts)))
        .meaning("whoever sends a request twice loses the session")
}

fn crashed(counts: Counts) -> String {
    if counts.crashes > 0 {
        format!(", {} answered with a server error", counts.crashes)
    } else {
        String::new()
    }
}

fn within(bounds: Result<Bounds, String>, found: u32, doubt: u32, what: &str) -> Judgement {
    let bounds = match bounds {
        Ok(bounds) => bounds,
        Err(word) => return open(&word),
    };
    if found > bounds.most || found + doubt < bounds.least {
        let word = bounds.word;
        return Judgement::fails(
            format!("{} {what}, as `{word}` promises", bounds.spoken()),
            format!("{found}"),
        );
    }
    if found < bounds.least {
        return Judgement::Untold("not everybody was answered".to_owned());
    }
    Judgement::Holds
}

fn family(row: &Row<'_>, counts: Counts) -> Judgement {
    let Some(family) = counts.family else {
        return Judgement::Untold("the family was not tried".to_owned());
    };
    match row.family(counts.successes, counts.successors) {
        Err(word) => open(&word),
        Ok(Some((true, word))) if !family && counts.crashes + counts.silent == 0 => {
            Judgement::fails(format!("a family that can go on, as `{word}` promises"), "one that cannot")
        }
        Ok(_) => Judgement::Holds,
    }
}

fn ordered(round: &Round, policy: &Policy) -> Judgement {
    if round.refreshes() > SEARCHED {
        return Judgement::Moot(format!(
            "{} requests have too many orders; the counts decide",
            round.refreshes()
        ));
    }
    match order(policy, &round.history) {
        Ordered::Yes => Judgement::Holds,
        Ordered::No => Judgement::fails(
            "answers that some order of the calls, one after another, can have",
            format!("answers that no order has: {}", told(round)),
        ),
        Ordered::Untold(why) => open(&why),
    }
}

/// `refresh granted, refresh refused; afterwards successor 1 granted`
fn told(round: &Round) -> String {
    let mut kinds: IndexMap<String, u32> = IndexMap::new();
    for racer in &round.racers {
        let short = ending(&racer.taken);
        let short = short.split(" (").next().unwrap_or_default();
        *kinds.entry(format!("{} {short}", leg(racer))).or_default() += 1;
    }
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, times)| if times > 1 { format!("{times} × {kind}") } else { kind })
        .collect();
    let afterwards = afterwards(round);
    if afterwards.is_empty() {
        kinds.join(", ")
    } else {
        format!("{}; afterwards {}", kinds.join(", "), afterwards.join(", "))
    }
}

fn leg(racer: &Racer) -> String {
    match &racer.taken.step {
        Some(step) if racer.taken.operation.word() != step => {
            format!("{} ({step})", racer.taken.operation.word())
        }
        Some(_) | None => racer.taken.operation.word().to_owned(),
    }
}

/// Successors as they are numbered for people: from 1, in the order of release.
fn numbers(round: &Round) -> Vec<usize> {
    let mut numbers: Vec<usize> = Vec::new();
    for token in round.racers.iter().filter_map(|racer| racer.successor) {
        if !numbers.contains(&token) {
            numbers.push(token);
        }
    }
    numbers
}

fn afterwards(round: &Round) -> Vec<String> {
    let numbers = numbers(round);
    let word = |good: bool| if good { "granted" } else { "refused" };
    let number = |token: usize| numbers.iter().position(|known| *known == token).map_or(0, |at| at + 1);
    let tried = round.tried.iter();
    let mut lines: Vec<String> =
        tried.map(|(token, live)| format!("successor {}: {}", number(*token), word(*live))).collect();
    lines.extend(round.family.map(|family| format!("the family: {}", word(family))));
    lines
}

/// A round, its number in its cell, and how it broke the promise if it did.
type Counted<'r> = (usize, &'r Round, Option<String>);

/// Adds up the rounds of one race, a row for each cell.
pub(in super::super) fn add_up(
    name: &str,
    rounds: &[Round],
    promises: &[RacePromise],
    policy: &Policy,
) -> Vec<RaceResult> {
    let mut cells: IndexMap<Option<&str>, Vec<Counted<'_>>> = IndexMap::new();
    for round in rounds {
        let of_cell = cells.entry(round.cell.as_deref()).or_default();
        of_cell.push((of_cell.len(), round, broken(promises, round, policy)));
    }
    cells.into_iter().map(|(cell, rounds)| of_cell(name, cell, &rounds)).collect()
}

/// What is wrong with a round, if anything is.
fn broken(promises: &[RacePromise], round: &Round, policy: &Policy) -> Option<String> {
    if let Some(Judgement::Fails(miss)) = all(promises, round, policy) {
        return Some(format!("{}: {}", miss.expected, miss.found));
    }
    let crashes = round.counts().crashes;
    (crashes > 0).then(|| format!("{crashes} answered with a server error"))
}

fn of_cell(name: &str, cell: Option<&str>, rounds: &[Counted<'_>]) -> RaceResult {
    let count = |holds: &dyn Fn(&Round, bool) -> bool| {
        rounds.iter().filter(|(_, round, broken)| holds(round, broken.is_some())).count()
    };
    // A round in which a promise was broken tells whether or not it overlapped.
    let telling = count(&|round, broken| broken || round.is_telling());
    let broken = count(&|_, broken| broken);
    let mut spreads: Vec<u64> = rounds.iter().map(|(_, round, _)| micros(round.spread())).collect();
    spreads.sort_unstable();
    let shown = rounds
        .iter()
        .find(|(.., broken)| broken.is_some())
        .or_else(|| rounds.iter().find(|(_, round, _)| round.is_telling()))
        .or_else(|| rounds.first());
    RaceResult {
        name: name.to_owned(),
        cell: cell.map(str::to_owned),
        legs: rounds.first().map(|(_, round, _)| legs(round)).unwrap_or_default(),
        rounds: small(rounds.len()),
        overlapping: small(count(&|round, _| round.overlapped)),
        telling: small(telling),
        broken: small(broken),
        confidence: chance::statement(broken as u64, telling as u64),
        upper: chance::upper(broken as u64, telling as u64),
        spread_us: (
            spreads.get(spreads.len() / 2).copied().unwrap_or(0),
            spreads.last().copied().unwrap_or(0),
        ),
        outcomes: outcomes(rounds),
        shown: shown.map(|(nth, round, broken)| show(*nth, round, broken.clone())),
    }
}

fn legs(round: &Round) -> String {
    let mut legs: IndexMap<String, u32> = IndexMap::new();
    for racer in &round.racers {
        *legs.entry(leg(racer)).or_default() += 1;
    }
    let spoken: Vec<String> = legs.into_iter().map(|(leg, times)| format!("{times} × {leg}")).collect();
    spoken.join(", ")
}

fn outcomes(rounds: &[Counted<'_>]) -> Vec<RaceOutcome> {
    let mut kinds: IndexMap<Counts, RaceOutcome> = IndexMap::new();
    for (_, round, broken) in rounds {
        let counts = round.counts();
        let outcome = kinds.entry(counts).or_insert_with(|| RaceOutcome {
            successes: counts.successes,
            successors: counts.successors,
            live: counts.live,
            family: counts.family,
            crashes: counts.crashes,
            silent: counts.silent,
            rounds: 0,
            broken: 0,
            note: None,
        });
        outcome.rounds += 1;
        if broken.is_some() {
            outcome.broken += 1;
            outcome.note.clone_from(broken);
        } else if outcome.note.is_none() && round.is_self_denial() {
            let note = "self-denial: the losers counted as replays and ended what the winner got";
            outcome.note = Some(note.to_owned());
        }
    }
    let mut outcomes: Vec<RaceOutcome> = kinds.into_values().collect();
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.rounds));
    outcomes
}

fn show(nth: usize, round: &Round, broken: Option<String>) -> ShownRound {
    let numbers = numbers(round);
    let start = round.began_at();
    let since = |moment: std::time::Instant| match start {
        Some(start) if moment >= start => signed(moment - start),
        Some(start) => -signed(start - moment),
        None => 0,
    };
    let racer = |racer: &Racer| {
        let times = &racer.taken.exchange.times;
        let successor = racer.successor.and_then(|token| numbers.iter().position(|known| *known == token));
        let tried =
            |token: usize| round.tried.iter().find(|(tried, _)| *tried == token).map(|(_, live)| *live);
        RacerMoments {
            leg: leg(racer),
            held_us: times.held_at.map(since),
            released_us: since(times.released_at.unwrap_or(times.sent_at)),
            first_byte_us: times.first_byte_at.map(since),
            done_us: since(times.done_at),
            ended: ending(&racer.taken),
            successor: successor.map(|at| small(at + 1)),
            live: racer.successor.and_then(tried),
        }
    };
    ShownRound {
        round: small(nth + 1),
        overlapped: round.overlapped,
        broken,
        spread_us: micros(round.spread()),
        racers: round.racers.iter().map(racer).collect(),
        afterwards: afterwards(round),
    }
}

fn signed(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
