//! The format matrix: every request type with every answer type, measured a few times on one chain.

use std::time::Duration;

use crate::chain::Chain;
use crate::results::FormatCell;
use crate::results::event::Stop;

use super::court::Court;
use super::gate::{Accept, good_call};

/// How often each cell is measured in a quick and in a full run; once where nobody reads it.
const TIMES: (u32, u32) = (3, 10);

/// No matrix has more cells than this.
const CELLS_MAX: usize = 100;

/// Measures every cell. The median over all of them is that of good calls.
pub(super) async fn measure(court: &Court, stop: &Stop) -> Vec<FormatCell> {
    let speech = court.ground.dialect.refresh();
    let requests: Vec<&String> =
        speech.accepts.values().filter(|accepts| accepts.listed).flat_map(|accepts| &accepts.types).collect();
    let answers: Vec<Option<&String>> = speech.answers.types.iter().map(Some).chain([None]).collect();
    let mut cells = Vec::new();
    let mut all = Vec::new();
    let mut chain = None;
    for request in requests {
        for answer in &answers {
            if stop.asked() || cells.len() >= CELLS_MAX {
                break;
            }
            cells.push(cell(court, &mut chain, request, answer.map(String::as_str), &mut all).await);
        }
    }
    if let Some(median) = median(&mut all) {
        court.settle_median(median);
    }
    cells
}

async fn cell(
    court: &Court,
    chain: &mut Option<Chain>,
    request: &str,
    answer: Option<&str>,
    all: &mut Vec<Duration>,
) -> FormatCell {
    let listed = &court.ground.dialect.refresh().answers.types;
    let times = match (&court.ground.sought, court.ground.full) {
        (Some(_), _) => 1,
        (None, true) => TIMES.1,
        (None, false) => TIMES.0,
    };
    let mut found = FormatCell {
        request: request.to_owned(),
        response: answer.map(str::to_owned),
        got: None,
        good: true,
        median_us: None,
    };
    let mut took = Vec::new();
    for _ in 0..times {
        let Some(taken) = once(court, chain, request, answer).await else {
            found.good = false;
            break;
        };
        let got = taken.reply.as_ref().and_then(|reply| reply.answer().media_type());
        found.got = got.map(|media| court.redaction.of(&taken).text(&media));
        let in_type = match (answer, &found.got) {
            (Some(wanted), Some(got)) => wanted == got,
            (None, Some(got)) => listed.contains(got),
            (_, None) => false,
        };
        if taken.is_granted() {
            took.push(taken.took());
        }
        if !(taken.is_granted() && in_type) {
            found.good = false;
            break;
        }
    }
    all.extend(&took);
    found.median_us = median(&mut took).map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    found
}

/// One refresh on the chain, or on a fresh one where the last was not granted.
async fn once(
    court: &Court,
    chain: &mut Option<Chain>,
    request: &str,
    answer: Option<&str>,
) -> Option<super::transcript::Taken> {
    if chain.as_ref().is_none_or(|chain| !chain.clean || chain.in_doubt) {
        *chain = court.open(court.ground.identities.first()?).await.ok();
    }
    good_call(court, chain.as_mut()?, request, Accept::As(answer)).await.ok()
}

fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let ms = Duration::from_millis;
        assert_eq!(median(&mut [ms(9), ms(1), ms(2)]), Some(ms(2)));
        assert_eq!(median(&mut []), None);
    }
}
