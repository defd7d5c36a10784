//! One round of a race: who was sent when, whose answer came when, and who won.

use super::scale::Scale;
use super::{About, Figure, Ink, Side, draw};
use crate::report::clean::{line, shorten};
use crate::results::wording::{many, tick, time};
use crate::results::{RacerMoments, ShownRound};

const WIDTH: f64 = 572.0;
/// Where the numbers of the racers end, the moments begin and end.
const LABELS: f64 = 26.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 462.0;
const PITCH: f64 = 11.2;
const TOP: f64 = 26.0;

/// No more rows than this: those who won, and the fastest of the others.
const ROWS: usize = 48;

/// The round, its racers ordered by answer.
pub(in crate::report::html) fn round(caption: String, shown: &ShownRound) -> Figure {
    let mut racers: Vec<(usize, &RacerMoments)> = shown.racers.iter().enumerate().collect();
    racers.sort_by_key(|(_, racer)| (!is_granted(racer), racer.done_us));
    let hidden = racers.len().saturating_sub(ROWS);
    racers.truncate(ROWS);
    racers.sort_by_key(|(_, racer)| racer.done_us);
    let last = shown.racers.iter().map(|racer| racer.done_us).max().unwrap_or(1).max(1);
    let x = Scale::linear((0.0, last as f64 * 1.03), (LEFT, RIGHT));
    let base = TOP + PITCH * racers.len() as f64 + 4.0;
    let svg = draw(WIDTH, base + 22.0, &about(shown), |pen| {
        for at in x.ticks(60.0, 6) {
            pen.line(&[(x.at(at), TOP - 6.0), (x.at(at), base)], Ink::Grid);
        }
        let ticks: Vec<(f64, String)> = x.ticks(60.0, 6).into_iter().map(|at| (x.at(at), tick(at))).collect();
        pen.x_labels(base + 12.0, &ticks, RIGHT + 20.0);
        let sent = format!("all {} sent within {}", shown.racers.len(), time(shown.spread_us as f64));
        pen.word((LEFT, 8.0), Side::Start, &sent, Ink::Label);
        for (row, (number, racer)) in racers.iter().enumerate() {
            let y = TOP + PITCH * row as f64;
            let (from, to) = (x.at(racer.released_us as f64), x.at(racer.done_us as f64));
            pen.word((LABELS, y), Side::End, &(number + 1).to_string(), Ink::Label);
            let granted = is_granted(racer);
            let ink = match (granted, shown.broken.is_some()) {
                (true, true) => Ink::Bad,
                (true, false) => Ink::RespHeavy,
                (false, _) => Ink::Base,
            };
            pen.line(&[(from, y), (to, y)], ink);
            if let Some(first) = racer.first_byte_us {
                let at = x.at(first as f64);
                pen.line(&[(at, y - 3.0), (at, y + 3.0)], ink);
            }
            if granted {
                pen.dot((to, y), 4.0, if shown.broken.is_some() { Ink::Bad } else { Ink::Resp });
            } else {
                pen.ring((to, y), 2.4, Ink::Base);
            }
            pen.word((RIGHT + 10.0, y), Side::Start, &ended(racer), Ink::Label);
        }
    });
    Figure {
        name: "One round",
        caption: if hidden > 0 { format!("{caption}; {hidden} more are not drawn") } else { caption },
        svg: Some(svg),
        instead: String::new(),
        heads: ["racer", "leg", "held", "sent", "first byte", "answered", "ended"]
            .map(str::to_owned)
            .to_vec(),
        rows: shown.racers.iter().enumerate().map(|(number, racer)| row(number, racer)).collect(),
    }
}

fn is_granted(racer: &RacerMoments) -> bool {
    racer.ended.starts_with("granted")
}

/// What stands at the right of a row: the successor and whether it lives, or how it ended.
fn ended(racer: &RacerMoments) -> String {
    match (racer.successor, racer.live) {
        (Some(successor), Some(true)) => format!("token {successor}, live"),
        (Some(successor), Some(false)) => format!("token {successor}, dead"),
        (Some(successor), None) => format!("token {successor}"),
        (None, _) => shorten(&line(racer.ended.split(&[':', '('][..]).next().unwrap_or("").trim()), 14),
    }
}

fn about(shown: &ShownRound) -> About {
    let granted = shown.racers.iter().filter(|racer| is_granted(racer)).count() as u64;
    About {
        title: format!("Round {} of a race", shown.round),
        figures: format!(
            "{}, {} granted, sent within {}.",
            many(shown.racers.len() as u64, "request", "requests"),
            granted,
            time(shown.spread_us as f64)
        ),
    }
}

fn row(number: usize, racer: &RacerMoments) -> Vec<String> {
    let moment = |at: i64| if at < 0 { format!("−{}", time(-at as f64)) } else { time(at as f64) };
    vec![
        (number + 1).to_string(),
        line(&racer.leg),
        racer.held_us.map(moment).unwrap_or_default(),
        moment(racer.released_us),
        racer.first_byte_us.map(moment).unwrap_or_default(),
        moment(racer.done_us),
        line(&racer.ended),
    ]
}
