//! `assay explain`: one check in sentences, or the whole catalogue as a page.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use crate::conformance::explain::{self, Explained};
use crate::report::terminal;
use crate::results::Burn;
use crate::results::outcome::Exit;
use crate::source::nearest;
use crate::suite::{catalogue, check::Check};

use super::args::Color;
use super::plan::{self, Refused};

/// Explains one check of the catalogue, or every one.
pub fn explain(id: Option<&str>, markdown: bool, color: Color) -> Result<Exit, Refused> {
    let chosen: Vec<&Check> = match id {
        Some(id) => vec![find(id)?],
        None => catalogue::checks().iter().collect(),
    };
    let text = if markdown { page(&chosen) } else { shown(&chosen, color) };
    super::say(&text);
    Ok(Exit::Good)
}

fn find(id: &str) -> Result<&'static Check, Refused> {
    let checks = catalogue::checks();
    checks.iter().find(|check| check.id.eq_ignore_ascii_case(id)).ok_or_else(|| {
        let typed = id.to_uppercase();
        let near = nearest(&typed, checks.iter().map(|check| check.id.as_str()));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Refused::CommandLine(format!("no check of the catalogue is called `{id}`{hint}"))
    })
}

fn shown(checks: &[&Check], color: Color) -> String {
    let screen = plan::screen(color, std::io::stdout().is_terminal());
    let one = |check: &&Check| {
        let source = (check.file.name(), check.text());
        terminal::sections((&check.id, &check.title), &sections(check), source, screen)
    };
    checks.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn sections(check: &Check) -> Vec<(&'static str, Vec<String>)> {
    let told = explain::explain(check);
    vec![
        ("severity", vec![check.severity().word().to_owned()]),
        ("basis", vec![basis(check)]),
        ("because", check.because.iter().cloned().collect()),
        ("sent", told.sent.clone()),
        ("expected", claims(&told)),
        ("fix", check.fix.iter().cloned().collect()),
        ("needs", told.needs.clone()),
        ("spends", vec![spends(&told)]),
        ("proven by", proofs(check)),
    ]
}

fn basis(check: &Check) -> String {
    check.basis.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn claims(told: &Explained) -> Vec<String> {
    told.expected.iter().map(|(strength, claim)| format!("{}: {claim}", strength.word())).collect()
}

fn spends(told: &Explained) -> String {
    let burn = |burn: &Burn| format!("{} requests, {} chains", burn.requests, burn.chains);
    if told.quick == told.full {
        format!("at most {}", burn(&told.quick))
    } else {
        format!("at most {}; in a full run {}", burn(&told.quick), burn(&told.full))
    }
}

fn proofs(check: &Check) -> Vec<String> {
    check.proof.keys().map(|defect| format!("`{}`: {}", defect.word(), defect.what())).collect()
}

/// The checks as one Markdown page.
fn page(checks: &[&Check]) -> String {
    let mut text = "# Checks\n\nMade by `assay explain --all --markdown` from `suites/catalogue`. \
                    `assay explain ID` prints one of them with its source.\n"
        .to_owned();
    let mut group = "";
    for check in checks {
        if check.group != group {
            group = &check.group;
            let _ = write!(text, "\n## {group}\n");
        }
        text.push_str(&entry(check));
    }
    text
}

fn entry(check: &Check) -> String {
    let mut text = format!("\n### {} {}\n", check.id, check.title);
    for (label, paragraphs) in sections(check).iter().filter(|(_, paragraphs)| !paragraphs.is_empty()) {
        match paragraphs.as_slice() {
            [only] => drop(write!(text, "\n**{label}** {only}\n")),
            several => {
                let _ = write!(text, "\n**{label}**\n\n");
                for paragraph in several {
                    let _ = writeln!(text, "- {paragraph}");
                }
            }
        }
    }
    text
}
