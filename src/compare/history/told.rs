//! The head of a history: the newest verdict, the one lasting change, and what to look at.

use super::{By, History, Mark, Row, Step, Trend, Way};
use crate::results::TrustState;
use crate::results::wording::{Unit, figure, interval, list, many, number, sentence};

/// Reasons that are named.
const REASONS: usize = 4;

/// Fills in headline, reason, reasons and facts.
pub(super) fn tell(history: &mut History, labels: &[String]) {
    let head = Head { history, labels };
    let (headline, reason) = (head.headline(), head.reason());
    let (reasons, facts) = (head.reasons(), head.facts());
    (history.headline, history.reason) = (headline, reason);
    (history.reasons, history.facts) = (reasons, facts);
}

struct Head<'a> {
    history: &'a History,
    labels: &'a [String],
}

impl<'a> Head<'a> {
    /// The newest step for the worse, else the newest.
    fn lasting(&self) -> Option<(&'a Trend, Step)> {
        let steps =
            || self.history.trends.iter().flat_map(|trend| trend.steps.iter().map(move |s| (trend, *s)));
        // Of several in one night the tail says most, of the first profile.
        let urgency = |(trend, step): &(&Trend, Step)| (step.at, trend.name.ends_with("p99"));
        let first = |worse: bool| steps().filter(|(_, step)| step.worse == worse).rev().max_by_key(urgency);
        first(true).or_else(|| first(false))
    }

    fn headline(&self) -> String {
        let newest = match self.history.by {
            By::Night => "Tonight",
            By::Run => "The last run",
        };
        let mark = self.history.nights.last().map_or(Mark::Skipped, |night| night.mark);
        let verdict = match mark {
            Mark::Good | Mark::Known | Mark::Skipped => "was good",
            Mark::Weak => "missed an objective",
            Mark::Fail => "failed",
            Mark::Odd if self.newest_is_untrusted() => "cannot be trusted",
            Mark::Odd => "was not judged",
        };
        let lasting = self.lasting().map_or(String::new(), |(trend, step)| {
            format!("; {} since {}", direction(trend.unit, step.worse), self.labels[step.at])
        });
        format!("{newest} {verdict}{lasting}")
    }

    fn newest_is_untrusted(&self) -> bool {
        self.history.nights.last().is_some_and(|night| night.trust == TrustState::Untrusted)
    }

    fn rows(&self, way: Way) -> impl Iterator<Item = &'a Row> {
        self.history.rows.iter().filter(move |row| row.way == way)
    }

    fn reason(&self) -> String {
        let all = self.history.nights.len() as u64;
        let good = self.good();
        let more = if all == 1 { self.history.by.one() } else { self.history.by.more() };
        let verb = if good == 1 { "was" } else { "were" };
        let mut sentences = vec![format!("{good} of {all} {more} {verb} good.")];
        let count = |way: Way| self.rows(way).count() as u64;
        let mut parts = Vec::new();
        for (way, one, many) in [
            (Way::New, "failure is new", "failures are new"),
            (Way::ComesAndGoes, "check comes and goes", "checks come and go"),
            (Way::Since, "has failed for longer", "have failed for longer"),
        ] {
            let n = count(way);
            if n > 0 {
                parts.push(format!("{} {}", number(n), if n == 1 { one } else { many }));
            }
        }
        if let Some((trend, step)) = self.lasting() {
            let verb = if step.after > step.before { "rose" } else { "fell" };
            parts.push(format!("`{}` {verb} and stayed", trend.name));
        }
        if !parts.is_empty() {
            sentences.push(format!("{}.", sentence(&list(&parts))));
        }
        sentences.join(" ")
    }

    fn good(&self) -> u64 {
        self.history.nights.iter().filter(|night| night.mark == Mark::Good).count() as u64
    }

    fn reasons(&self) -> Vec<(String, String, String, Mark)> {
        let of_row = |row: &Row| {
            let mark = row.marks.iter().rev().flatten().find(|mark| mark.is_bad()).copied();
            (row.id.clone(), sentence(&row.words), row.title.clone(), mark.unwrap_or(Mark::Odd))
        };
        let urgent = [Way::New, Way::ComesAndGoes].into_iter().flat_map(|way| self.rows(way)).map(of_row);
        let steps = self.lasting().map(|(trend, step)| {
            let what = format!("{} on {}", sentence(&went(trend, &step)), self.labels[step.at]);
            let mark = if step.worse { Mark::Weak } else { Mark::Good };
            (trend.name.clone(), what, observed(trend, &step), mark)
        });
        let long = self.rows(Way::Since).map(of_row);
        urgent.take(REASONS - 1).chain(steps).chain(long).take(REASONS).collect()
    }

    fn facts(&self) -> Vec<(String, String, String)> {
        let fact = |name: &str, text: String, small: String| (name.to_owned(), text, small);
        let (by, nights) = (self.history.by, &self.history.nights);
        let mut facts = vec![fact("Suite", self.history.suite.clone(), self.suite_changes())];
        facts.push(fact("Environment", self.history.environment.clone(), String::new()));
        let ends = match (self.labels.first(), self.labels.last()) {
            (Some(first), Some(last)) if nights.len() > 1 => format!("from {first} to {last}"),
            _ => self.labels.first().cloned().unwrap_or_default(),
        };
        facts.push(fact(&sentence(by.more()), nights.len().to_string(), ends));
        if by == By::Night {
            let missing = self.history.columns.iter().filter(|column| column.nights.is_empty()).count();
            let missing = if missing == 0 { "none".to_owned() } else { missing.to_string() };
            facts.push(fact("Missing", missing, String::new()));
        }
        let untrusted: Vec<&str> = (0..nights.len())
            .filter(|at| nights[*at].trust == TrustState::Untrusted)
            .map(|at| self.labels[at].as_str())
            .collect();
        facts.push(match untrusted.as_slice() {
            [] => fact("Untrusted", "none".to_owned(), String::new()),
            [one] => fact("Untrusted", format!("1, on {one}"), "left out of the trends".to_owned()),
            [.., last] => {
                let text = format!("{}, last on {last}", untrusted.len());
                fact("Untrusted", text, "left out of the trends".to_owned())
            }
        });
        facts.push(fact("assay", self.versions(), String::new()));
        facts.extend(self.next_to_expire());
        facts
    }

    /// `changed once, on 14 Nov (5c1e09a)`
    fn suite_changes(&self) -> String {
        let nights = &self.history.nights;
        let changes: Vec<usize> =
            (1..nights.len()).filter(|at| nights[*at].digest != nights[*at - 1].digest).collect();
        let digest: String =
            nights.last().map_or("", |night| night.digest.as_str()).chars().take(7).collect();
        match changes.as_slice() {
            [] => digest,
            [once] => format!("changed once, on {} ({digest})", self.labels[*once]),
            [.., last] => {
                format!("changed {} times, last on {} ({digest})", changes.len(), self.labels[*last])
            }
        }
    }

    fn versions(&self) -> String {
        let nights = &self.history.nights;
        let (Some(first), Some(last)) = (nights.first(), nights.last()) else { return String::new() };
        if first.assay_version == last.assay_version {
            return last.assay_version.clone();
        }
        format!("{} to {}", first.assay_version, last.assay_version)
    }

    fn next_to_expire(&self) -> Option<(String, String, String)> {
        let newest = self.history.nights.last()?;
        let known = newest.checks.iter().filter_map(|(id, seen)| Some((id, seen.known.as_ref()?)));
        let (id, (until, days)) = known.min_by_key(|(_, (_, days))| *days)?;
        let days = many(u64::try_from(*days).unwrap_or(0), "day", "days");
        Some(("Expires next".to_owned(), id.clone(), format!("in {days}, on {until}")))
    }
}

fn direction(unit: Unit, worse: bool) -> &'static str {
    match (unit, worse) {
        (Unit::Time, true) => "slower",
        (Unit::Time, false) => "faster",
        (Unit::Share, true) => "more errors",
        (Unit::Share, false) => "fewer errors",
        (Unit::Rate, true) => "a lower rate",
        (Unit::Rate, false) => "a higher rate",
    }
}

/// `rose from 28.0 ms to 36.0 ms`
fn went(trend: &Trend, step: &Step) -> String {
    let verb = if step.after > step.before { "rose" } else { "fell" };
    format!("{verb} from {} to {}", figure(trend.unit, step.before), figure(trend.unit, step.after))
}

fn observed(trend: &Trend, step: &Step) -> String {
    let suite = if step.same_suite { "the suite is the same" } else { "the suite changed with it" };
    format!("{} at 95 %; {suite}", interval(trend.unit, step.interval))
}
