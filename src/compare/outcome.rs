//! The verdict on a comparison: one function makes headline, reason and exit code for every report.

use super::{Comparison, FigureRow, ProfileComparison, Seen, ShapeChange, Speed, VerdictChange, Word};
use crate::results::outcome::{Exit, Outcome};
use crate::results::wording::{Unit, count, list, many, number, sentence, signed, time};
use crate::results::{Strength, Verdict};

/// The verdict on `comparison`.
pub fn of(comparison: &Comparison) -> Outcome {
    let facts = Facts { comparison };
    let (exit, headline) = facts.headline();
    Outcome {
        reason: facts.reason(exit),
        reasons: facts.reasons(),
        word: match exit {
            Exit::CouldNotRun => "cannot be compared".to_owned(),
            Exit::Worse if headline.starts_with("Different") => "different from the baseline".to_owned(),
            Exit::Worse => "worse than the baseline".to_owned(),
            Exit::SecretLeaked
            | Exit::Misused
            | Exit::Interrupted(_)
            | Exit::Failed
            | Exit::Untrusted
            | Exit::Missed
            | Exit::Good => headline.split(':').next().unwrap_or("same").to_lowercase(),
        },
        headline,
        exit,
    }
}

/// `one place`, `seven places`.
fn places(n: u64) -> String {
    format!("{} {}", number(n), if n == 1 { "place" } else { "places" })
}

struct Facts<'a> {
    comparison: &'a Comparison,
}

impl<'a> Facts<'a> {
    fn verdicts(&self, word: Word) -> impl Iterator<Item = &'a VerdictChange> {
        self.comparison.verdicts.iter().filter(move |change| change.word == word)
    }

    /// What looks otherwise and was not expected to.
    fn shapes(&self) -> impl Iterator<Item = &'a ShapeChange> {
        self.comparison.shapes.iter().filter(|change| change.word != Word::Expected)
    }

    fn count_of(&self, word: Word) -> u64 {
        self.verdicts(word).count() as u64
    }

    /// The figures with this word, each with its profile.
    fn figures(&self, word: Speed) -> impl Iterator<Item = (&'a ProfileComparison, &'a FigureRow)> {
        self.comparison.profiles.iter().flat_map(move |profile| {
            let rows = profile.response.iter().chain(&profile.rate).chain(&profile.errors);
            rows.filter(move |row| row.word == word).map(move |row| (profile, row))
        })
    }

    /// The first that applies decides.
    fn headline(&self) -> (Exit, String) {
        let comparison = self.comparison;
        if let Some(why) = &comparison.apart {
            return (Exit::CouldNotRun, format!("Cannot be compared: {}", why.trim_end_matches('.')));
        }
        let b = &comparison.b.name;
        let worse =
            [self.worse_checks(), self.worse_objectives(), self.worse_rotation(), self.worse_figures()];
        if let Some(worse) = worse.into_iter().flatten().next() {
            return (Exit::Worse, format!("Worse: {worse}"));
        }
        if let Some(different) = self.different() {
            return (Exit::Worse, format!("Different: {different}"));
        }
        if let Some(better) = self.better() {
            return (Exit::Good, format!("Better: {better}"));
        }
        let open = self.count_of(Word::CannotTell) + self.count_of(Word::NotAsked);
        let but = match open {
            0 => String::new(),
            1 => format!("; one check was not judged in both ({b} and {})", comparison.a.name),
            open => format!("; {} checks were not judged in both", number(open)),
        };
        (Exit::Good, format!("Same: no difference was seen{but}"))
    }

    fn worse_checks(&self) -> Option<String> {
        let (a, b) = (&self.comparison.a.name, &self.comparison.b.name);
        let worse: Vec<&VerdictChange> = self.verdicts(Word::Worse).collect();
        let failed = |strength: Strength| {
            let fails = worse.iter().filter(|change| {
                let musts = matches!(
                    change.b.as_ref().map(|shown| &shown.verdict),
                    Some(Verdict::Fail | Verdict::Stale { .. })
                );
                musts == (strength == Strength::Must)
            });
            fails.count() as u64
        };
        let (musts, shoulds) = (failed(Strength::Must), failed(Strength::Should));
        let what = |n: u64, one: &str| format!("{} {one}{}", number(n), if n == 1 { "" } else { "s" });
        let (n, one) = if musts > 0 { (musts, "must") } else { (shoulds, "should") };
        (n > 0).then(|| format!("{b} fails {} that {a} does not", what(n, one)))
    }

    fn worse_objectives(&self) -> Option<String> {
        let musts = |change: &&super::ObjectiveChange| {
            change.word == Word::Worse && change.severity == Strength::Must
        };
        let missed = self.comparison.objectives.iter().filter(musts).count() as u64;
        let (a, b) = (&self.comparison.a.name, &self.comparison.b.name);
        match missed {
            0 => None,
            1 => Some(format!("{b} misses an objective that {a} meets")),
            missed => Some(format!("{b} misses {} objectives that {a} meets", number(missed))),
        }
    }

    fn worse_rotation(&self) -> Option<String> {
        let worse = self.comparison.rotation.iter().find(|change| change.word == Word::Worse)?;
        Some(format!("{}, {}: {} in {}", worse.place, worse.what, worse.b, self.comparison.b.name))
    }

    fn worse_figures(&self) -> Option<String> {
        let rows: Vec<_> = self.figures(Speed::Worse).collect();
        let b = &self.comparison.b.name;
        let names = |wanted: fn(&FigureRow) -> bool| {
            let mut names: Vec<String> =
                rows.iter().filter(|(_, row)| wanted(row)).map(|(profile, _)| profile.name.clone()).collect();
            names.dedup();
            names
        };
        let (slower, errors) = (names(|row| row.unit != Unit::Share), names(|row| row.unit == Unit::Share));
        match (slower.is_empty(), errors.is_empty()) {
            (true, true) => None,
            (false, true) => Some(format!("{b} is slower in {}", list(&slower))),
            (true, false) => Some(format!("{b} has more errors in {}", list(&errors))),
            (false, false) => {
                Some(format!("{b} is slower in {} and has more errors in {}", list(&slower), list(&errors)))
            }
        }
    }

    /// Neither better nor worse, and not the same.
    fn different(&self) -> Option<String> {
        let rotation = self.comparison.rotation.iter().filter(|change| change.word == Word::Different);
        let failing =
            self.verdicts(Word::Different).filter(|change| change.formerly.is_none()).count() as u64;
        let mut parts = Vec::new();
        let shapes = self.shapes().count() as u64;
        if shapes > 0 {
            parts.push(format!("answers look otherwise in {}", places(shapes)));
        }
        if failing > 0 {
            parts.push(format!("{} otherwise", many(failing, "check fails", "checks fail")));
        }
        let rotation = rotation.count() as u64;
        if rotation > 0 {
            parts.push(format!("{} in another way", many(rotation, "race ends", "races end")));
        }
        (!parts.is_empty()).then(|| list(&parts))
    }

    fn better(&self) -> Option<String> {
        let (a, b) = (&self.comparison.a.name, &self.comparison.b.name);
        let held = self.count_of(Word::Better);
        if held > 0 {
            return Some(format!("{b} holds {} that {a} fails", many(held, "check", "checks")));
        }
        let met =
            self.comparison.objectives.iter().filter(|change| change.word == Word::Better).count() as u64;
        if met > 0 {
            return Some(format!("{b} meets {} that {a} misses", many(met, "objective", "objectives")));
        }
        let (profile, row) = self.figures(Speed::Better).next()?;
        let what = if row.unit == Unit::Share { "has fewer errors" } else { "is faster" };
        Some(format!("{b} {what} in {}", profile.name))
    }

    /// The second line: verdicts, figures, and what was not judged.
    fn reason(&self, exit: Exit) -> String {
        if exit == Exit::CouldNotRun {
            return "Nothing was set against each other.".to_owned();
        }
        let mut sentences = vec![self.about_verdicts()];
        let shapes = self.shapes().count() as u64;
        if shapes > 0 {
            sentences.push(format!("Answers differ in {}.", places(shapes)));
        }
        sentences.extend(self.about_response());
        sentences.extend(self.about_errors());
        sentences.extend(self.about_expected());
        if let Some(why) = &self.comparison.no_speed {
            sentences.push(format!("No verdict on speed: {why}."));
        }
        sentences.join(" ")
    }

    /// "Three differences are expected; one more is past its day."
    fn about_expected(&self) -> Option<String> {
        let count = |state: Seen| {
            let of = self.comparison.expected.iter().filter(move |expected| expected.state == state);
            of.map(|expected| expected.seen.max(1)).sum::<u64>()
        };
        let (seen, over, gone) = (count(Seen::Yes), count(Seen::Over), count(Seen::Not));
        let said = |n: u64, one: &str, more: &str| {
            (n > 0).then(|| format!("{} {}", number(n), if n == 1 { one } else { more }))
        };
        let parts: Vec<String> = [
            said(seen, "difference is expected", "differences are expected"),
            said(over, "was expected and is past its day", "were expected and are past their day"),
            said(gone, "was expected and not seen", "were expected and not seen"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!parts.is_empty()).then(|| format!("{}.", sentence(&list(&parts))))
    }

    fn about_verdicts(&self) -> String {
        let changed = self.comparison.verdicts.len() as u64;
        let all = changed + self.comparison.unchanged.values().sum::<u64>();
        if all == 0 {
            return "Neither run has checks.".to_owned();
        }
        match changed {
            0 => format!("All {} are the same.", many(all, "verdict", "verdicts")),
            changed => {
                let worse = self.count_of(Word::Worse);
                let for_the_worse = match worse {
                    0 => "none for the worse".to_owned(),
                    worse => format!("{} for the worse", count(worse)),
                };
                format!(
                    "{} of {} changed, {for_the_worse}.",
                    count(changed),
                    many(all, "verdict", "verdicts")
                )
            }
        }
    }

    /// "live is slower: steady p50 by 4.9 ms, steady p99 by 14.6 ms."
    fn about_response(&self) -> Option<String> {
        let said = |word: Speed, how: &str| {
            let rows: Vec<String> = self
                .figures(word)
                .filter(|(_, row)| row.unit == Unit::Time)
                .take(3)
                .map(|(profile, row)| {
                    format!("{} {} by {}", profile.name, row.name, time(row.difference.abs()))
                })
                .collect();
            (!rows.is_empty())
                .then(|| format!("{} is {how}: {}.", sentence(&self.comparison.b.name), list(&rows)))
        };
        let both: Vec<String> =
            [said(Speed::Worse, "slower"), said(Speed::Better, "faster")].into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join(" "))
    }

    fn about_errors(&self) -> Option<String> {
        let (profile, row) =
            self.figures(Speed::Worse).find(|(_, row)| row.unit == Unit::Share && row.name == "errors")?;
        Some(format!("Errors in {}: {}.", profile.name, signed(row.unit, row.difference)))
    }

    /// At most three, what decides first: anchor, statement, observation.
    fn reasons(&self) -> Vec<(String, String, String)> {
        let comparison = self.comparison;
        let checks = self.verdicts(Word::Worse).map(|change| {
            let found = change.b.as_ref().map_or(String::new(), |shown| shown.reason.clone());
            let statement = if found.is_empty() { change.title.clone() } else { sentence(&found) };
            (change.id.clone(), statement, change.title.clone())
        });
        let objectives =
            comparison.objectives.iter().filter(|change| change.word == Word::Worse).map(|change| {
                let figures = format!(
                    "{} in {}, {} in {}",
                    change.a.1, comparison.a.name, change.b.1, comparison.b.name
                );
                (change.name.clone(), "Objective missed".to_owned(), figures)
            });
        let rotation = comparison.rotation.iter().filter(|change| change.word == Word::Worse).map(|change| {
            let seen =
                format!("{} in {}, {} in {}", change.a, comparison.a.name, change.b, comparison.b.name);
            ("rotation".to_owned(), sentence(&format!("{}, {}", change.place, change.what)), seen)
        });
        let figures = self.figures(Speed::Worse).map(|(profile, row)| self.figure_reason(profile, row));
        let shapes = self.shapes().map(|change| {
            let seen =
                format!("{} in {}, {} in {}", change.a, comparison.a.name, change.b, comparison.b.name);
            ("shapes".to_owned(), format!("{}, {}: {}", change.answer, change.kind, change.place), seen)
        });
        checks.chain(objectives).chain(rotation).chain(figures).chain(shapes).take(3).collect()
    }

    fn figure_reason(&self, profile: &ProfileComparison, row: &FigureRow) -> (String, String, String) {
        let b = sentence(&self.comparison.b.name);
        let difference = signed(row.unit, row.difference);
        let what = match row.unit {
            Unit::Time => format!("{b} is slower by {}", time(row.difference.abs())),
            Unit::Share => format!("{b} has more errors: {difference}"),
            Unit::Rate => format!("{b} answers less: {difference}"),
        };
        (format!("{} {}", profile.name, row.name), what, format!("{} at 95 %", row.span()))
    }
}
