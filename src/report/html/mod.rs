//! The page: one self-contained file, readable without scripts.
//!
//! Each section is a view made from the [`Run`] and a template of the same name in `templates/`. Text from
//! the endpoint is escaped, by askama or in `markup`; the policy in the head allows only this page's own
//! style and script, by their digests, so that text which slipped through could still not run.

mod chart;
mod compare;
mod entropy;
mod failures;
mod history;
mod latency;
mod ledger;
mod load;
mod markup;
mod objectives;
mod proof;
mod races;
mod record;
mod trust;
mod verdict;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest as hash};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use self::compare::page as comparison_page;
pub use self::history::page as history_page;
pub use self::proof::page as proof_page;

use self::markup::Html;
use super::clean;
use super::state::State;
use crate::results::outcome::{self, Exit, Outcome};
use crate::results::{RUN_FILE_VERSION, Run, file};

const STYLE: &str = include_str!("templates/page.css");
const SCRIPT: &str = include_str!("templates/page.js");

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    run: &'a Run,
    version: u32,
    policy: String,
    style: Html,
    script: Html,
    icon: String,
    title: String,
    suite: String,
    day: String,
    verdict: verdict::View,
    trust: Vec<trust::Line>,
    marks: record::Marks,
    objectives: Vec<objectives::Row>,
    failures: failures::View,
    groups: Vec<record::Group>,
    formats: Option<record::Formats>,
    races: races::View,
    load: load::View,
    ledger: ledger::View,
    proof: Option<proof::View>,
    suite_path: String,
    entropy: Option<entropy::View>,
    again: String,
    digest: String,
}

/// What stands before the digest in a page.
const DIGEST: &str = " data-run-sha256=\"";

/// The page of `run`, as it is written to a run file.
pub fn page(run: &Run) -> String {
    page_of(run, &file::digest(&file::write(run)))
}

/// The digest of the run file that a page was drawn from.
pub fn digest_in(page: &str) -> Option<&str> {
    page.split_once(DIGEST)?.1.split('"').next()
}

/// The page of `run`, which was read from a run file with this digest.
pub fn page_of(run: &Run, digest: &str) -> String {
    let outcome = outcome::of(run);
    let page = Page {
        run,
        version: RUN_FILE_VERSION,
        policy: policy(),
        style: Html::ours(STYLE),
        script: Html::ours(SCRIPT),
        icon: icon(&outcome),
        title: format!("{} {}", tab_mark(&outcome), clean::line(&outcome.headline)),
        suite: clean::shorten(&clean::line(&run.suite.name), 60),
        day: verdict::day(&run.began_at),
        verdict: verdict::View::of(run, &outcome),
        trust: trust::lines(run),
        marks: record::Marks::of(run),
        objectives: objectives::rows(run),
        failures: failures::View::of(run),
        groups: record::groups(run),
        formats: record::Formats::of(run),
        races: races::View::of(run),
        load: load::View::of(run),
        ledger: ledger::View::of(run),
        proof: proof::View::of(run),
        suite_path: run.suite.path.clone(),
        entropy: entropy::View::of(run),
        again: "assay report run.json".to_owned(),
        digest: digest.to_owned(),
    };
    page.render().expect("writing to a String does not fail")
}

/// Only this page's own style and script, and no address at all.
fn policy() -> String {
    let of = |text: &str| STANDARD.encode(hash(&SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        of(STYLE),
        of(SCRIPT)
    )
}

/// How a verdict is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Good,
    Met,
    Bad,
    Odd,
}

impl Tone {
    fn of(outcome: &Outcome) -> Tone {
        match outcome.exit {
            Exit::Good if outcome.headline.starts_with("Met:") => Tone::Met,
            Exit::Good => Tone::Good,
            Exit::Failed | Exit::Missed | Exit::Worse | Exit::SecretLeaked | Exit::Misused => Tone::Bad,
            Exit::Untrusted | Exit::CouldNotRun | Exit::Interrupted(_) => Tone::Odd,
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Tone::Good => "tick",
            Tone::Met => "pass",
            Tone::Bad => "fail",
            Tone::Odd => "odd",
        }
    }
}

fn tab_mark(outcome: &Outcome) -> &'static str {
    tone_mark(Tone::of(outcome))
}

fn tone_mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Good | Tone::Met => "✓",
        Tone::Bad | Tone::Odd => "✗",
    }
}

/// The tab's icon tells the verdict by shape and color.
fn icon(outcome: &Outcome) -> String {
    icon_of(Tone::of(outcome))
}

fn icon_of(tone: Tone) -> String {
    let (color, shape) = match tone {
        Tone::Good | Tone::Met => ("%232b6a4d", "M3 8.5l3.5 3.5L13 4.5"),
        Tone::Bad => ("%23b3261e", "M4 4l8 8M12 4l-8 8"),
        Tone::Odd => ("%238a5a00", "M5.5 6a2.5 2.5 0 1 1 3.6 2.2C8.300 8.700 8 9 8 10m0 2.500v.5"),
    };
    format!(
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' \
         height='16' rx='3' fill='{color}'/><path d='{shape}' fill='none' stroke='white' stroke-width='2'/></svg>"
    )
}

/// The symbol of a state, as a mark in a row of marks.
fn mark(state: State) -> &'static str {
    match state {
        State::Pass => "pass",
        State::Info => "info",
        State::Fail => "fail",
        State::Weak | State::Missed => "weak",
        State::Known => "known",
        State::Odd => "odd",
        State::Skip => "skip",
    }
}

/// The symbol of a state in a table: a pass has a tick there.
fn table_mark(state: State) -> &'static str {
    match state {
        State::Pass | State::Info => "tick",
        State::Fail | State::Weak | State::Missed | State::Known | State::Odd | State::Skip => mark(state),
    }
}

/// Where in the page a reason's anchor leads.
fn anchor(run: &Run, name: &str) -> String {
    if run.objectives.iter().any(|objective| objective.name == name) {
        format!("#objective-{}", clean::slug(name))
    } else {
        format!("#{}", clean::slug(name))
    }
}
