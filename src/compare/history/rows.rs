//! How each check went over the nights, in marks and in words.

use indexmap::IndexMap;

use super::{By, Mark, Night, Row, Way};
use crate::results::wording::many;

/// So many of the newest runs are "lately".
const LATELY: usize = 6;
/// A known failure with fewer days left is near its date.
const NEAR_DAYS: i64 = 14;
/// Changes of one night that are named.
const NAMED: usize = 3;

/// The checks that did not always pass, how many always did, and how many were never asked.
pub(super) fn rows(nights: &[Night], labels: &[String], by: By) -> (Vec<Row>, u64, u64) {
    let mut titles: IndexMap<&String, &String> = IndexMap::new();
    for night in nights {
        for (id, seen) in &night.checks {
            titles.insert(id, &seen.title);
        }
    }
    let (mut rows, mut always, mut never) = (Vec::new(), 0, 0);
    for (id, title) in titles {
        let marks: Vec<Option<Mark>> =
            nights.iter().map(|night| night.checks.get(id).map(|seen| seen.mark)).collect();
        if marks.iter().flatten().all(|mark| *mark == Mark::Skipped) {
            never += 1;
        } else if marks.iter().flatten().all(|mark| matches!(mark, Mark::Good | Mark::Skipped)) {
            always += 1;
        } else {
            let (way, words) = Course { nights, labels, by, marks: &marks }.told(id);
            rows.push(Row { id: id.clone(), title: title.clone(), marks, way, words });
        }
    }
    rows.sort_by_key(|row| row.way);
    (rows, always, never)
}

/// The course of one check.
struct Course<'a> {
    nights: &'a [Night],
    labels: &'a [String],
    by: By,
    marks: &'a [Option<Mark>],
}

impl Course<'_> {
    fn told(&self, id: &str) -> (Way, String) {
        // A night on which it was not asked says nothing of it.
        let asked: Vec<(usize, Mark)> = self
            .marks
            .iter()
            .enumerate()
            .filter_map(|(at, mark)| mark.filter(|mark| *mark != Mark::Skipped).map(|mark| (at, mark)))
            .collect();
        let bad: Vec<usize> = asked.iter().filter(|(_, mark)| mark.is_bad()).map(|(at, _)| *at).collect();
        let Some((newest, last)) = asked.last().copied() else { return (Way::Open, String::new()) };
        if last == Mark::Known {
            return (Way::Known, self.known(id, newest));
        }
        if bad.is_empty() {
            let open = asked.iter().filter(|(_, mark)| *mark == Mark::Odd).count() as u64;
            return match open {
                0 => (Way::Gone, "no known failure any more".to_owned()),
                open => (Way::Open, format!("inconclusive {}", many(open, "time", "times"))),
            };
        }
        let streak = asked.iter().rev().take_while(|(_, mark)| mark.is_bad()).count();
        let lately = &asked[asked.len().saturating_sub(LATELY)..];
        let failed = lately.iter().filter(|(_, mark)| mark.is_bad()).count();
        let turns = lately.windows(2).filter(|pair| pair[0].1.is_bad() != pair[1].1.is_bad()).count();
        if failed > 1 && turns > 1 {
            let more = if lately.len() == asked.len() { "" } else { "last " };
            let words = format!("{failed} of the {more}{} {}: comes and goes", lately.len(), self.by.more());
            return (Way::ComesAndGoes, words);
        }
        match streak {
            0 => (Way::Gone, self.gone(&bad, &asked)),
            1 if bad.len() == 1 && asked.len() > 1 => (Way::New, self.new_words(newest)),
            streak if streak == asked.len() => (Way::Since, self.always(streak)),
            1 => (Way::New, format!("again, last {}", self.labels[bad[bad.len() - 2]])),
            streak => (Way::Since, format!("since {}", self.labels[asked[asked.len() - streak].0])),
        }
    }

    fn always(&self, all: usize) -> String {
        match all {
            1 => format!("in the only {}", self.by.one()),
            all => format!("in all {all} {}", self.by.more()),
        }
    }

    fn new_words(&self, newest: usize) -> String {
        match (self.by, newest + 1 == self.marks.len()) {
            (By::Night, true) => "new tonight".to_owned(),
            (By::Run, true) => "new in the last run".to_owned(),
            (_, false) => format!("new on {}", self.labels[newest]),
        }
    }

    fn gone(&self, bad: &[usize], asked: &[(usize, Mark)]) -> String {
        let (first, last) = (bad[0], bad[bad.len() - 1]);
        if let [only] = bad {
            return format!("once, {}", self.labels[*only]);
        }
        let between = asked.iter().filter(|(at, _)| (first..=last).contains(at)).count();
        if between == bad.len() {
            let after = asked.iter().find(|(at, mark)| *at > last && !mark.is_bad());
            let since = after.map_or(&self.labels[last], |(at, _)| &self.labels[*at]);
            return format!("gone since {since}");
        }
        format!("{} times, last {}", bad.len(), self.labels[last])
    }

    fn known(&self, id: &str, night: usize) -> String {
        let seen = self.nights.get(night).and_then(|night| night.checks.get(id));
        match seen.and_then(|seen| seen.known.as_ref()) {
            Some((_, days)) if *days <= NEAR_DAYS => {
                format!("known, {} left", many(u64::try_from(*days).unwrap_or(0), "day", "days"))
            }
            Some((until, _)) => format!("known until {until}"),
            None => "known".to_owned(),
        }
    }
}

/// How the checks of a run differ from those of the run before.
pub(super) fn since_before(nights: &[Night], night: usize) -> String {
    let (Some(now), Some(before)) = (nights.get(night), night.checked_sub(1).and_then(|at| nights.get(at)))
    else {
        return "–".to_owned();
    };
    let (mut worse, mut better) = (Vec::new(), Vec::new());
    for (id, seen) in &now.checks {
        let Some(was) = before.checks.get(id) else { continue };
        if seen.mark.is_bad() && (!was.mark.is_bad() || seen.mark > was.mark) {
            worse.push(id.as_str());
        } else if was.mark.is_bad() && seen.mark < was.mark && seen.mark != Mark::Skipped {
            better.push(id.as_str());
        }
    }
    let mut parts: Vec<String> = [(worse, "worse"), (better, "better")]
        .into_iter()
        .filter_map(|(ids, word)| named(&ids, word))
        .collect();
    if now.digest != before.digest {
        parts.push("another suite".to_owned());
    }
    if parts.is_empty() { "same".to_owned() } else { parts.join(", ") }
}

fn named(ids: &[&str], word: &str) -> Option<String> {
    let more = ids.len().saturating_sub(NAMED);
    let some: Vec<&str> = ids.iter().take(NAMED).copied().collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!ids.is_empty()).then(|| format!("{}{more} {word}", some.join(", ")))
}
