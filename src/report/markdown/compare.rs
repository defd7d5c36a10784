//! A comparison as Markdown, for a merge request.

use std::fmt::Write as _;

use super::{ROWS, cell, code};
use crate::compare::{Comparison, Shown, Side, VerdictChange, Word, outcome};
use crate::report::state::{State, strength};
use crate::results::wording::{count, figure, plain, signed};

/// The summary of `comparison`.
pub fn summary(comparison: &Comparison) -> String {
    let mut text = String::new();
    draw(comparison, &mut text).expect("writing to a String does not fail");
    plain(&text)
}

fn draw(comparison: &Comparison, text: &mut String) -> std::fmt::Result {
    let outcome = outcome::of(comparison);
    writeln!(text, "## {}\n\n{}\n", cell(&outcome.headline), cell(&outcome.reason))?;
    writeln!(text, "| | environment | began | suite | seed | exit alone |\n|---|---|---|---|---:|---:|")?;
    side(text, "A", &comparison.a)?;
    side(text, "B", &comparison.b)?;
    writeln!(text, "\nexit {} {}\n", outcome.exit.code(), cell(&outcome.word))?;
    verdicts(text, comparison)?;
    shapes(text, comparison)?;
    changes(text, comparison)?;
    figures(text, comparison)?;
    expected(text, comparison)
}

fn side(text: &mut String, letter: &str, side: &Side) -> std::fmt::Result {
    let digest: String = side.suite.2.chars().take(7).collect();
    writeln!(
        text,
        "| {letter} | {} | {} | `{}` {digest} | {} | {} |",
        cell(&side.environment),
        cell(&side.began_at),
        code(&side.suite.1),
        side.seed,
        side.exit
    )
}

fn verdicts(text: &mut String, comparison: &Comparison) -> std::fmt::Result {
    if !comparison.verdicts.is_empty() {
        writeln!(text, "### Verdicts\n\n| word | check | | A | B | what |\n|---|---|---|---|---|---|")?;
    }
    for change in comparison.verdicts.iter().take(ROWS) {
        let reason = change.b.as_ref().map_or("", |shown| shown.reason.as_str());
        let what =
            if reason.is_empty() { change.title.clone() } else { format!("{}: {reason}", change.title) };
        let id = match &change.formerly {
            Some(id) => format!("{} (formerly {id})", change.id),
            None => change.id.clone(),
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            change.word.text(),
            cell(&id),
            strength(change.severity),
            word(change.a.as_ref(), change),
            word(change.b.as_ref(), change),
            cell(&what)
        )?;
    }
    if comparison.verdicts.len() > ROWS {
        writeln!(text, "\nand {} more on the page", comparison.verdicts.len() - ROWS)?;
    }
    let same: u64 = comparison.unchanged.values().sum();
    if same > 0 { writeln!(text, "\n{} verdicts are the same.\n", count(same)) } else { writeln!(text) }
}

fn word(shown: Option<&Shown>, change: &VerdictChange) -> &'static str {
    shown.map_or("not there", |shown| State::of_verdict(&shown.verdict, change.severity).word())
}

fn shapes(text: &mut String, comparison: &Comparison) -> std::fmt::Result {
    if comparison.shapes.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "### Shapes\n\n| answer | where | A | B | kind | seen in B |\n|---|---|---|---|---|---:|"
    )?;
    for change in comparison.shapes.iter().take(ROWS) {
        writeln!(
            text,
            "| {} | `{}` | {} | {} | {} | {} of {} |",
            cell(&change.answer),
            code(&change.place),
            cell(&change.a),
            cell(&change.b),
            if change.word == Word::Expected { "expected".to_owned() } else { cell(&change.kind) },
            count(change.seen),
            count(change.of)
        )?;
    }
    if comparison.shapes.len() > ROWS {
        writeln!(text, "\nand {} more on the page", comparison.shapes.len() - ROWS)?;
    }
    writeln!(text)
}

fn expected(text: &mut String, comparison: &Comparison) -> std::fmt::Result {
    if comparison.expected.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n### Expected differences\n\n| what | | until | owner | why |\n|---|---|---|---|---|")?;
    for one in comparison.expected.iter().take(ROWS) {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            cell(&one.what),
            one.state.text(),
            cell(&one.until),
            cell(&one.owner),
            cell(&one.why)
        )?;
    }
    Ok(())
}

fn changes(text: &mut String, comparison: &Comparison) -> std::fmt::Result {
    let objectives = comparison.objectives.iter().map(|change| {
        ("objective", change.name.clone(), change.a.1.clone(), change.b.1.clone(), change.word)
    });
    let rotation = comparison.rotation.iter().map(|change| {
        let name = format!("{}, {}", change.place, change.what);
        ("rotation", name, change.a.clone(), change.b.clone(), change.word)
    });
    let rows: Vec<_> = objectives.chain(rotation).collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(text, "### Objectives and rotation\n\n| word | | what | A | B |\n|---|---|---|---|---|")?;
    for (kind, name, a, b, word) in rows.iter().take(ROWS) {
        writeln!(text, "| {} | {kind} | {} | {} | {} |", word.text(), cell(name), cell(a), cell(b))?;
    }
    writeln!(text)
}

fn figures(text: &mut String, comparison: &Comparison) -> std::fmt::Result {
    if comparison.profiles.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "### Load\n\n| profile | | A | B | difference | 95 % interval | |\n|---|---|---:|---:|---:|---:|---|"
    )?;
    for profile in comparison.profiles.iter().take(ROWS) {
        for row in profile.response.iter().chain(&profile.rate).chain(&profile.errors) {
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                cell(&profile.name),
                cell(&row.name),
                figure(row.unit, row.a),
                figure(row.unit, row.b),
                signed(row.unit, row.difference),
                row.span(),
                row.text()
            )?;
        }
    }
    writeln!(text, "\nAll intervals hold at once at 95 %; seed {}.", comparison.seed)
}
