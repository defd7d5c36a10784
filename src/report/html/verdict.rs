//! The verdict: sentence, reason, three reasons with links, and the facts beside them.

use super::markup::Html;
use super::{Tone, anchor};
use crate::report::clean::{line, shorten};
use crate::report::state::State;
use crate::results::outcome::{Exit, Outcome};
use crate::results::wording::{clock, duration, many};
use crate::results::{Depth, Run, TargetKind, TlsStamp};

pub(super) struct View {
    pub(super) symbol: &'static str,
    pub(super) headline: String,
    pub(super) reason: Html,
    pub(super) reasons: Vec<Reason>,
    pub(super) facts: Vec<Fact>,
}

pub(super) struct Reason {
    pub(super) symbol: &'static str,
    pub(super) word: &'static str,
    pub(super) href: String,
    pub(super) name: String,
    pub(super) statement: Html,
    pub(super) observation: Html,
}

pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) strong: Option<String>,
    pub(super) text: String,
    pub(super) small: String,
    pub(super) code: bool,
}

impl View {
    pub(super) fn of(run: &Run, outcome: &Outcome) -> View {
        View {
            symbol: Tone::of(outcome).symbol(),
            headline: shorten(&line(&outcome.headline), 240),
            reason: Html::prose(&outcome.reason),
            reasons: outcome.reasons.iter().map(|reason| view_of_reason(run, outcome, reason)).collect(),
            facts: facts(run, outcome),
        }
    }
}

fn view_of_reason(
    run: &Run,
    outcome: &Outcome,
    (name, statement, observation): &(String, String, String),
) -> Reason {
    let check = run.checks.iter().find(|check| check.id == *name).map(State::of);
    let objective = run.objectives.iter().find(|objective| objective.name == *name).map(State::of_objective);
    let (symbol, word) = match check.or(objective) {
        Some(state) => (super::table_mark(state), state.word()),
        None => match Tone::of(outcome) {
            Tone::Good | Tone::Met => ("tick", "good"),
            Tone::Bad => ("fail", "bad"),
            Tone::Odd => ("odd", "open"),
        },
    };
    Reason {
        symbol,
        word,
        href: anchor(run, name),
        name: shorten(&line(name), 24),
        statement: Html::prose(&shorten(&line(statement), 200)),
        observation: Html::prose(&shorten(&line(observation), 240)),
    }
}

fn facts(run: &Run, outcome: &Outcome) -> Vec<Fact> {
    let fact = |name, text: String, small: String| Fact { name, strong: None, text, small, code: false };
    let mut facts = vec![
        fact("Suite", line(&run.suite.name), format!("{} {}", line(&run.suite.path), digest(run))),
        fact("Environment", line(&run.target.environment), kind(run)),
        Fact { code: true, ..fact("Endpoint", shorten(&line(&run.target.url), 400), server(run)) },
        fact("Started", moment(&run.began_at), String::new()),
        fact("Took", duration(run.took_us.all), halves(run)),
        fact("Seed", run.seed.to_string(), depth(run.depth).to_owned()),
        fact("Burnt", burnt(run), String::new()),
    ];
    if !run.labels.is_empty() {
        let labels: Vec<String> =
            run.labels.iter().map(|(key, value)| format!("{} {}", line(key), line(value))).collect();
        facts.push(fact("Labels", shorten(&labels.join(", "), 400), String::new()));
    }
    facts.push(fact("assay", line(&run.assay_version), String::new()));
    facts.push(Fact {
        strong: Some(outcome.exit.code().to_string()),
        ..fact("Exit", shorten(&line(exit_word(outcome)), 120), String::new())
    });
    facts
}

/// The word beside the exit code; where it would repeat the headline, its beginning is enough.
fn exit_word(outcome: &Outcome) -> &str {
    match outcome.exit {
        Exit::CouldNotRun | Exit::Untrusted => outcome.word.split(':').next().unwrap_or(&outcome.word),
        Exit::SecretLeaked
        | Exit::Misused
        | Exit::Interrupted(_)
        | Exit::Failed
        | Exit::Missed
        | Exit::Worse
        | Exit::Good => &outcome.word,
    }
}

fn digest(run: &Run) -> String {
    run.suite.digest.chars().filter(char::is_ascii_hexdigit).take(7).collect()
}

fn kind(run: &Run) -> String {
    match run.target.kind {
        TargetKind::EmbeddedMock => {
            format!("embedded mock: {}", line(run.target.mock.as_deref().unwrap_or("clean")))
        }
        TargetKind::RunningMock => format!("mock: {}", line(run.target.mock.as_deref().unwrap_or("clean"))),
        TargetKind::Endpoint => String::new(),
    }
}

fn server(run: &Run) -> String {
    let server = run.target.server.as_deref().map(|server| shorten(&line(server), 80));
    server.into_iter().chain(run.target.tls.as_ref().map(tls)).collect::<Vec<_>>().join(", ")
}

/// `TLS 1.3, certificate until 2027-01-31 (69 days)`
fn tls(tls: &TlsStamp) -> String {
    let until = tls.expires.as_deref().zip(tls.days_left);
    let until = until.map(|(day, left)| format!(", certificate until {} ({left} days)", line(day)));
    format!("{} {}{}", line(&tls.version), shorten(&line(&tls.suite), 60), until.unwrap_or_default())
}

fn halves(run: &Run) -> String {
    match (run.took_us.checks, run.took_us.load) {
        (0, _) | (_, 0) => String::new(),
        (checks, load) => format!("checks {}, load {}", clock(checks), clock(load)),
    }
}

fn depth(depth: Depth) -> &'static str {
    match depth {
        Depth::Quick => "quick depth",
        Depth::Full => "full depth",
    }
}

fn burnt(run: &Run) -> String {
    let mut text = format!(
        "{}, {}",
        many(run.burnt.requests, "request", "requests"),
        many(run.burnt.chains, "chain", "chains")
    );
    if run.burnt.families_lost > 0 {
        text = format!("{text}, {} lost", many(run.burnt.families_lost, "family", "families"));
    }
    text
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `23 Nov 2026` of an RFC 3339 moment; as it is where it is none.
pub(super) fn day(moment: &str) -> String {
    match moment.parse::<jiff::Timestamp>() {
        Ok(at) => {
            let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
            let month = usize::try_from(date.month() - 1).ok().and_then(|at| MONTHS.get(at)).unwrap_or(&"");
            format!("{} {month} {}", date.day(), date.year())
        }
        Err(_) => shorten(&line(moment), 40),
    }
}

/// `23 Nov 2026, 02:00:04 UTC`.
fn moment(began_at: &str) -> String {
    match began_at.parse::<jiff::Timestamp>() {
        Ok(at) => {
            let time = at.to_zoned(jiff::tz::TimeZone::UTC).time();
            format!("{}, {:02}:{:02}:{:02} UTC", day(began_at), time.hour(), time.minute(), time.second())
        }
        Err(_) => shorten(&line(began_at), 40),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc_and_named() {
        assert_eq!(moment("2026-11-23T07:30:04+05:30"), "23 Nov 2026, 02:00:04 UTC");
        assert_eq!(day("soon"), "soon");
    }
}
