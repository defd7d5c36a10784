//! `assay explain`: a check, an exit code, an error class or a diagnostic in sentences, or the catalogue as a page.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use crate::conformance::explain::{self, Explained};
use crate::report::terminal::{self, Screen};
use crate::results::Burn;
use crate::results::outcome::Exit;
use crate::source::nearest;
use crate::suite::{catalogue, check::Check};

use super::args::{Color, ExplainArgs};
use super::glossary::{self, Entry};
use super::plan::{self, Refused};

/// Explains what is asked for, or every check.
pub fn explain(args: &ExplainArgs, color: Color) -> Result<Exit, Refused> {
    let screen = plan::screen(color, std::io::stdout().is_terminal());
    let text = if args.all {
        let checks: Vec<&Check> = catalogue::checks().iter().collect();
        if args.markdown { page(&checks) } else { shown(&checks, screen) }
    } else {
        let words = args.what.join(" ");
        match find(&words) {
            Found::Check(check) if args.markdown => page(&[check]),
            Found::Check(check) => shown(&[check], screen),
            Found::Entries(entries) => entries.iter().map(|entry| told(entry, screen)).collect(),
            Found::Nothing => return Err(Refused::CommandLine(unknown(&words))),
        }
    };
    super::say(&text);
    Ok(Exit::Good)
}

/// What a word on the command line stands for.
enum Found {
    Check(&'static Check),
    Entries(Vec<Entry>),
    Nothing,
}

/// A check by its id, a whole list (`exit`, `class`, `diagnostic`), or one entry by its name, with the list's
/// name before it or without.
fn find(words: &str) -> Found {
    let same = |id: &str| id.eq_ignore_ascii_case(words);
    if let Some(check) = catalogue::checks().iter().find(|check| same(&check.id)) {
        return Found::Check(check);
    }
    match words {
        "exit" | "exits" => return Found::Entries(glossary::exits().collect()),
        "class" | "classes" => return Found::Entries(glossary::classes().collect()),
        "diagnostic" | "diagnostics" => return Found::Entries(glossary::diagnostics().collect()),
        _ => {}
    }
    let bare = words.strip_prefix("class ").or_else(|| words.strip_prefix("diagnostic ")).unwrap_or(words);
    let found: Vec<Entry> = entries().filter(|entry| entry.name.eq_ignore_ascii_case(bare)).collect();
    if found.is_empty() { Found::Nothing } else { Found::Entries(found) }
}

fn entries() -> impl Iterator<Item = Entry> {
    glossary::exits().chain(glossary::classes()).chain(glossary::diagnostics())
}

fn unknown(words: &str) -> String {
    let typed = words.to_uppercase();
    let near_check = nearest(&typed, catalogue::checks().iter().map(|check| check.id.as_str()));
    let names: Vec<String> = entries().map(|entry| entry.name).collect();
    let near = near_check.or_else(|| nearest(words, names.iter().map(String::as_str)));
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!(
        "no check of the catalogue is called `{words}`, and no exit code, error class or diagnostic{hint} \
         `assay explain exit`, `class` and `diagnostic` list these"
    )
}

fn told(entry: &Entry, screen: Screen) -> String {
    let sections = [("means", vec![entry.means.to_owned()]), ("do", vec![entry.cure.to_owned()])];
    format!("{}\n", terminal::sections((&entry.name, ""), &sections, None, screen))
}

fn shown(checks: &[&Check], screen: Screen) -> String {
    let one = |check: &&Check| {
        let source = Some((check.file.name(), check.text()));
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
