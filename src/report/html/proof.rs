//! The kill table: a mark for every defect, and what became of those that were not caught.

use askama::Template;

use super::markup::Html;
use super::{SCRIPT, STYLE, policy};
use crate::report::clean::line;
use crate::results::Run;
use crate::results::proof::{DefectProof, MutantProof, Proof};
use crate::results::wording::{count, many};

/// The section, and what stands on the page of its own.
pub(super) struct View {
    pub(super) day: String,
    pub(super) rows: Vec<MarkRow>,
    pub(super) open: Vec<Row>,
    pub(super) caught: Vec<Row>,
    pub(super) all: String,
    pub(super) facts: Vec<(&'static str, String, bool)>,
    pub(super) never: Vec<String>,
}

pub(super) struct MarkRow {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) marks: Vec<(&'static str, String)>,
    pub(super) caught: String,
    pub(super) share: String,
}

pub(super) struct Row {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) meant_for: String,
    pub(super) symbol: &'static str,
    pub(super) caught_by: String,
}

impl View {
    /// The section of a run that carries a kill table.
    pub(super) fn of(run: &Run) -> Option<View> {
        run.proof.as_deref().map(View::from)
    }
}

impl From<&Proof> for View {
    fn from(proof: &Proof) -> View {
        let (caught, mut open): (Vec<_>, Vec<_>) = proof.defects.iter().partition(|row| row.caught);
        open.sort_by_key(|row| !row.escaped());
        View {
            day: super::verdict::day(&proof.proved_at),
            rows: ["gross", "medium", "subtle"].iter().filter_map(|name| mark_row(name, proof)).collect(),
            open: open.into_iter().map(row).collect(),
            caught: caught.into_iter().map(row).collect(),
            all: many(proof.defects.len() as u64, "defect", "defects"),
            facts: facts(proof),
            never: proof.claims.never.iter().map(|claim| line(claim)).collect(),
        }
    }
}

fn symbol(row: &DefectProof) -> &'static str {
    match (row.caught, row.escaped()) {
        (true, _) => "pass",
        (false, true) => "fail",
        (false, false) => "known",
    }
}

fn mark_row(name: &str, proof: &Proof) -> Option<MarkRow> {
    let rows: Vec<&DefectProof> = proof.defects.iter().filter(|row| row.subtlety == name).collect();
    let caught = rows.iter().filter(|row| row.caught).count();
    let (some, all) = (count(caught as u64), count(rows.len() as u64));
    let share = (caught * 100).checked_div(rows.len())?;
    Some(MarkRow {
        name: name.to_owned(),
        label: format!("{name}: {some} of {all} caught"),
        marks: rows.iter().map(|row| (symbol(row), format!("{}: {}", row.id, line(&row.what)))).collect(),
        caught: format!("{some} of {all}"),
        share: format!("{share} %"),
    })
}

fn row(row: &DefectProof) -> Row {
    let caught_by = if row.caught {
        row.by.clone().unwrap_or_default()
    } else if row.escaped() {
        "escaped".to_owned()
    } else {
        format!("not by {}", row.missed_by.join(", "))
    };
    Row {
        id: row.id.clone(),
        what: line(&row.what),
        meant_for: row.meant_for.join(", "),
        symbol: if row.caught { "tick" } else { symbol(row) },
        caught_by,
    }
}

/// What else was tried: name, what came of it, whether that is bad.
fn facts(proof: &Proof) -> Vec<(&'static str, String, bool)> {
    let alarms: usize = proof.clean.red.iter().map(Vec::len).sum();
    let loud = proof.variants.iter().filter(|variant| !variant.is_quiet()).count();
    let claims = &proof.claims;
    let mut facts = vec![
        ("false alarms on the clean mock", format!("{alarms} in {} runs", proof.clean.runs), alarms > 0),
        (
            "false alarms on what is unusual and right",
            format!("{loud} in {} variants", proof.variants.len()),
            loud > 0,
        ),
        (
            "claims that failed at least once",
            format!("{} of {}", claims.failed, claims.all),
            !claims.never.is_empty() && !proof.proven,
        ),
    ];
    if !claims.exempt.is_empty() {
        facts.push(("checks of info alone, exempt", claims.exempt.join(", "), false));
    }
    for (name, mutants) in
        [("mutants of the dialect table", &proof.mutants), ("answers spoiled on the way", &proof.proxy)]
    {
        if !mutants.is_empty() {
            let open = mutants.iter().any(|mutant| !mutant.is_settled());
            facts.push((name, mutant_words(mutants), open));
        }
    }
    facts
}

fn mutant_words(mutants: &[MutantProof]) -> String {
    let red = mutants.iter().filter(|mutant| !mutant.red.is_empty()).count();
    let right = mutants.iter().filter(|mutant| mutant.justified.is_some()).count();
    format!("{red} of {} red, {right} right by a rule", mutants.len())
}

#[derive(Template)]
#[template(path = "proof_page.html")]
struct Page {
    policy: String,
    style: Html,
    script: Html,
    title: &'static str,
    suites: String,
    version: &'static str,
    proof: Option<View>,
    suite_path: String,
}

/// A page of its own for a kill table.
pub fn page(proof: &Proof) -> String {
    let page = Page {
        policy: policy(),
        style: Html::ours(STYLE),
        script: Html::ours(SCRIPT),
        title: if proof.proven { "✓ Proven: every check has teeth" } else { "✗ Not proven" },
        suites: line(&proof.suites.join(" and ")),
        version: env!("CARGO_PKG_VERSION"),
        proof: Some(View::from(proof)),
        suite_path: String::new(),
    };
    page.render().expect("writing to a String does not fail")
}
