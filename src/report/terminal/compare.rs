//! A comparison on the terminal: the verdict, the two runs, then what differs.

use std::fmt::Write as _;

use super::paint::{Tint, cut, fit, paint};
use super::{Screen, head};
use crate::compare::{Comparison, FigureRow, Seen, Shown, Side, Speed, VerdictChange, Word, outcome};
use crate::report::clean::line;
use crate::report::state::State;
use crate::results::wording::{count, figure, signed};

/// Rows of one kind; the page has all of them.
const ROWS: usize = 20;

pub(super) fn text(comparison: &Comparison, page: Option<&str>, screen: Screen) -> String {
    let mut text = String::new();
    head::text(&mut text, &outcome::of(comparison), page, screen);
    sides(&mut text, comparison, screen);
    if comparison.apart.is_none() {
        verdicts(&mut text, comparison, screen);
        objectives(&mut text, comparison, screen);
        shapes(&mut text, comparison, screen);
        rotation(&mut text, comparison, screen);
        figures(&mut text, comparison, screen);
        expected(&mut text, comparison, screen);
    }
    let _ = writeln!(
        text,
        "  {}",
        paint(screen, Tint::Dim, &format!("seed {} · all intervals hold at once at 95 %", comparison.seed))
    );
    fit(screen, &text)
}

fn sides(text: &mut String, comparison: &Comparison, screen: Screen) {
    let (a, b) = (&comparison.a, &comparison.b);
    let digest = |side: &Side| format!("suite {}", side.suite.2.chars().take(7).collect::<String>());
    let same_suite = a.suite.2 == b.suite.2;
    let wide = a.environment.chars().count().max(b.environment.chars().count()).min(24);
    let row = |letter: &str, side: &Side, suite: String, seed: String| {
        format!(
            "  {}  {:<wide$}  {}  {suite:<14}  {seed}",
            paint(screen, Tint::Bold, letter),
            cut(&line(&side.environment), wide),
            moment(&side.began_at)
        )
    };
    let _ = writeln!(text, "{}", row("A", a, digest(a), format!("seed {}", a.seed)));
    let suite = if same_suite { "same suite".to_owned() } else { digest(b) };
    let seed = if a.seed == b.seed { "same seed".to_owned() } else { format!("seed {}", b.seed) };
    let _ = writeln!(text, "{}\n", row("B", b, suite, seed));
}

/// `2026-11-23 02:00:04`
fn moment(began_at: &str) -> String {
    line(began_at).replace('T', " ").trim_end_matches('Z').chars().take(19).collect()
}

/// A label, or as many blanks.
fn label(screen: Screen, label: &str, first: bool) -> String {
    paint(screen, Tint::Bold, &format!("{:<11}", if first { label } else { "" }))
}

fn tint(word: Word) -> Tint {
    match word {
        Word::Worse => Tint::Weak,
        Word::Expected => Tint::Warn,
        Word::CannotTell => Tint::Odd,
        Word::Better | Word::Different | Word::NotAsked => Tint::Dim,
    }
}

fn verdicts(text: &mut String, comparison: &Comparison, screen: Screen) {
    let changes = &comparison.verdicts;
    let same: u64 = comparison.unchanged.values().sum();
    if changes.is_empty() && same == 0 {
        return;
    }
    for (at, change) in changes.iter().take(ROWS).enumerate() {
        let from_to = format!("{} → {}", short(change.a.as_ref(), change), short(change.b.as_ref(), change));
        let title = match &change.formerly {
            Some(id) => format!("formerly {}: {}", line(id), line(&change.title)),
            None => line(&change.title),
        };
        let said = format!("{:<7} {from_to:<14}  {title}", cut(&line(&change.id), 12));
        let _ = writeln!(
            text,
            "  {} {} {}",
            label(screen, "verdicts", at == 0),
            paint(screen, tint(change.word), &format!("{:<12}", change.word.text())),
            cut(&said, screen.columns().saturating_sub(27))
        );
        let reason = change.b.as_ref().map(|shown| line(&shown.reason)).unwrap_or_default();
        if change.word == Word::Worse && !reason.is_empty() {
            let said = cut(&reason, screen.columns().saturating_sub(35));
            let _ = writeln!(text, "{}{}", " ".repeat(35), paint(screen, Tint::Dim, &said));
        }
    }
    if changes.len() > ROWS {
        let _ = writeln!(text, "  {} and {} more", label(screen, "", false), changes.len() - ROWS);
    }
    let words: Vec<String> =
        comparison.unchanged.iter().map(|(word, many)| format!("{} {word}", count(*many))).collect();
    let _ = writeln!(
        text,
        "  {} {} {} the same: {}\n",
        label(screen, "verdicts", changes.is_empty()),
        count(same),
        if same == 1 { "is" } else { "are" },
        words.join(", ")
    );
}

/// `pass`, `FAIL`, `–`
fn short(shown: Option<&Shown>, change: &VerdictChange) -> &'static str {
    shown.map_or("–", |shown| match State::of_verdict(&shown.verdict, change.severity) {
        State::Pass | State::Info => "pass",
        state => state.short(),
    })
}

fn objectives(text: &mut String, comparison: &Comparison, screen: Screen) {
    for (at, change) in comparison.objectives.iter().take(ROWS).enumerate() {
        let said = format!("{}  {} → {}", line(&change.name), change.a.1, change.b.1);
        let _ = writeln!(
            text,
            "  {} {} {}",
            label(screen, "objectives", at == 0),
            paint(screen, tint(change.word), &format!("{:<12}", change.word.text())),
            cut(&said, screen.columns().saturating_sub(27))
        );
    }
    if !comparison.objectives.is_empty() {
        text.push('\n');
    }
}

/// Where there is little room, a shape takes two lines: its place, then both values.
fn shapes(text: &mut String, comparison: &Comparison, screen: Screen) {
    let room = screen.columns().saturating_sub(14);
    for (at, change) in comparison.shapes.iter().take(ROWS).enumerate() {
        let label = label(screen, "shapes", at == 0);
        let place = line(&change.place);
        let values = format!("{} → {}", line(&change.a), line(&change.b));
        let kind = if change.word == Word::Expected { "expected" } else { change.kind.as_str() };
        let whole = format!("{place:<40}  {values}  {kind}");
        if whole.chars().count() <= room {
            let _ = writeln!(text, "  {label} {whole}");
        } else {
            let _ = writeln!(text, "  {label} {}", cut(&format!("{place}  {kind}"), room));
            let _ = writeln!(text, "{}{}", " ".repeat(16), cut(&values, room.saturating_sub(2)));
        }
    }
    if comparison.shapes.len() > ROWS {
        let _ = writeln!(text, "  {} and {} more", label(screen, "", false), comparison.shapes.len() - ROWS);
    }
    if !comparison.shapes.is_empty() {
        text.push('\n');
    }
}

fn rotation(text: &mut String, comparison: &Comparison, screen: Screen) {
    for (at, change) in comparison.rotation.iter().take(ROWS).enumerate() {
        let said = format!("{}, {}: {} → {}", line(&change.place), change.what, change.a, change.b);
        let _ = writeln!(
            text,
            "  {} {} {}",
            label(screen, "rotation", at == 0),
            paint(screen, tint(change.word), &format!("{:<12}", change.word.text())),
            cut(&said, screen.columns().saturating_sub(27))
        );
    }
    if !comparison.rotation.is_empty() {
        text.push('\n');
    }
}

fn figures(text: &mut String, comparison: &Comparison, screen: Screen) {
    if comparison.profiles.is_empty() {
        return;
    }
    let names = comparison.profiles.iter().map(|profile| line(&profile.name).chars().count());
    let wide = names.max().unwrap_or(0).clamp(6, 14);
    // The interval goes first where there is little room: the word says what it comes to.
    let roomy = screen.columns() >= 88 + wide;
    let mut head = format!("{:<wide$}  {:<12} {:>9} {:>9}  {:>10}", "", "", "A", "B", "difference");
    if roomy {
        let _ = write!(head, "  {:>20}", "95 % interval");
    }
    let _ = writeln!(text, "  {}", paint(screen, Tint::Dim, &head));
    for profile in &comparison.profiles {
        let rows = profile.response.iter().chain(&profile.rate).chain(&profile.errors);
        for (at, row) in rows.enumerate() {
            let name = if at == 0 { cut(&line(&profile.name), wide) } else { String::new() };
            let said = format!(
                "{name:<wide$}  {:<12} {:>9} {:>9}  {:>10}{}",
                cut(&line(&row.name), 12),
                figure(row.unit, row.a),
                figure(row.unit, row.b),
                signed(row.unit, row.difference),
                if roomy { format!("  {:>20}", row.span()) } else { String::new() }
            );
            let (word, tint) = speed(row);
            let said = cut(&said, screen.columns().saturating_sub(4 + word.len()));
            let _ = writeln!(text, "  {said}  {}", paint(screen, tint, word));
        }
    }
    text.push('\n');
}

fn expected(text: &mut String, comparison: &Comparison, screen: Screen) {
    for (at, one) in comparison.expected.iter().take(ROWS).enumerate() {
        let tint = match one.state {
            Seen::Yes => Tint::Dim,
            Seen::Not | Seen::Over => Tint::Warn,
        };
        let said = format!(
            "{}  {}: until {}, {}: {}",
            line(&one.what),
            one.state.text(),
            line(&one.until),
            line(&one.owner),
            line(&one.why)
        );
        let said = cut(&said, screen.columns().saturating_sub(14));
        let _ = writeln!(text, "  {} {}", label(screen, "expected", at == 0), paint(screen, tint, &said));
    }
    if !comparison.expected.is_empty() {
        text.push('\n');
    }
}

fn speed(row: &FigureRow) -> (&'static str, Tint) {
    let tint = match row.word {
        Speed::Worse => Tint::Weak,
        Speed::Expected => Tint::Warn,
        Speed::CannotTell | Speed::TooLittle => Tint::Odd,
        Speed::Better | Speed::NoDifference | Speed::NotJudged => Tint::Dim,
    };
    (row.text(), tint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Options, compare};
    use crate::results::file;

    const GOOD: &str = include_str!("../../../tests/it/fixtures/run-good.json");
    const FAILED: &str = include_str!("../../../tests/it/fixtures/run-failed.json");

    #[test]
    fn the_verdict_is_first_and_nothing_is_wider_than_the_screen() {
        let (a, b) = (file::read(GOOD).unwrap(), file::read(FAILED).unwrap());
        let comparison = compare(&a, &b, Options::default());
        for width in [80, 120] {
            let screen = Screen { color: false, is_terminal: true, width, unicode: true };
            let text = text(&comparison, Some("compare.html"), screen);
            assert!(text.starts_with("  Worse: "), "{text}");
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(width), "{widest} of {width}:\n{text}");
        }
    }
}
