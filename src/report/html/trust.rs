//! Four lines that say whether the verdict may be believed.

use super::markup::Html;
use crate::report::clean::line;
use crate::report::state::State;
use crate::results::outcome::{books_balance, doubts};
use crate::results::wording::{count, many, sentence, share, time};
use crate::results::{LoadModel, Run, SecretScan, TrustState};

pub(super) struct Line {
    pub(super) symbol: &'static str,
    pub(super) word: &'static str,
    pub(super) title: String,
    pub(super) text: Html,
}

impl Line {
    fn of(state: State, title: impl Into<String>, text: &str) -> Line {
        Line {
            symbol: super::table_mark(state),
            word: state.word(),
            title: title.into(),
            text: Html::prose(text),
        }
    }
}

/// Schedule, books, secrets, chains.
pub(super) fn lines(run: &Run) -> Vec<Line> {
    vec![schedule(run), books(run), secrets(run), chains(run)]
}

fn schedule(run: &Run) -> Line {
    let demonstration = match run.trust.state {
        TrustState::Demonstration => " A demonstration: the figures describe this machine and the mock.",
        TrustState::Trusted | TrustState::Untrusted => "",
    };
    if !doubts(run).is_empty() {
        let reasons: Vec<String> =
            doubts(run).iter().map(|doubt| format!("{}.", sentence(&line(doubt)))).collect();
        let text = format!("{} Figures of speed say nothing about the endpoint.", reasons.join(" "));
        return Line::of(State::Odd, "Not to be trusted", &text);
    }
    if run.load.is_empty() {
        return Line::of(
            State::Skip,
            "No schedule to keep",
            "No load was run, so no figure of speed is claimed.",
        );
    }
    let slip = |name: &str| {
        let open = run.load.iter().filter(|profile| profile.model == LoadModel::Open);
        open.filter_map(|profile| profile.slip.quantiles_us.get(name).copied()).reduce(f64::max)
    };
    let Some((p99, max)) = slip("p99").zip(slip("max")) else {
        let text = format!("Closed load waits for its answers: it has no schedule.{demonstration}");
        return Line::of(State::Pass, "No schedule to keep", &text);
    };
    let starved: u64 = run.load.iter().map(|profile| profile.book.starved).sum();
    let starved = match starved {
        0 => "Nothing starved.".to_owned(),
        starved => format!("{} starved, all counted.", many(starved, "arrival", "arrivals")),
    };
    let stolen = run.load.iter().filter_map(|profile| profile.stolen).fold(0.0, f64::max);
    let stolen = if stolen > 0.01 { format!(" {} of CPU was stolen.", share(stolen)) } else { String::new() };
    let text = format!("Slip p99 {}, worst {}. {starved}{stolen}{demonstration}", time(p99), time(max));
    Line::of(State::Pass, "Schedule kept", &text)
}

fn books(run: &Run) -> Line {
    let Some(books) = &run.trust.books else {
        return Line::of(
            State::Skip,
            "One book only",
            "The endpoint does not say what it counted, so nothing was compared.",
        );
    };
    let ours = format!("{} grants and {} refusals", count(books.client_granted), count(books.client_refused));
    if books_balance(books) {
        let lost = match books.client_unanswered {
            0 => String::new(),
            lost => format!(" {} never reached us.", many(lost, "answer", "answers")),
        };
        return Line::of(
            State::Pass,
            "Books balance",
            &format!("{ours}, counted here and by the endpoint.{lost}"),
        );
    }
    let theirs = format!("the endpoint {} and {}", count(books.server_granted), count(books.server_refused));
    Line::of(
        State::Fail,
        "Books differ",
        &format!(
            "We counted {ours}, {theirs}. {} never reached us.",
            many(books.client_unanswered, "answer", "answers")
        ),
    )
}

fn secrets(run: &Run) -> Line {
    match &run.trust.secrets {
        None => Line::of(
            State::Skip,
            "Not searched for secrets",
            "This page was drawn before the files were searched.",
        ),
        Some(scan) if scan.hits.is_empty() => Line::of(
            State::Pass,
            format!("No secret in {}", many(u64::from(scan.files), "file", "files")),
            &searched(scan),
        ),
        Some(scan) => {
            let files: Vec<String> =
                scan.hits.iter().take(5).map(|file| format!("`{}`", line(file))).collect();
            Line::of(
                State::Fail,
                "A secret was found",
                &format!("In {}. Delete what was written.", files.join(", ")),
            )
        }
    }
}

fn searched(scan: &SecretScan) -> String {
    let values = many(scan.values, "known value", "known values");
    match scan.beyond {
        0 => format!("{values} searched for, raw and encoded."),
        beyond => format!("{values} searched for, raw and encoded; no room for {} more.", count(beyond)),
    }
}

fn chains(run: &Run) -> Line {
    let burnt = &run.burnt;
    let title = match burnt.families_lost {
        0 => format!("{}, none lost", many(burnt.chains, "chain", "chains")),
        lost => format!("{}, {} given up", many(burnt.chains, "chain", "chains"), count(lost)),
    };
    let text = if burnt.families_lost == 0 {
        "No check gave a chain up."
    } else {
        "Checks that replay, race or revoke spend a chain on purpose."
    };
    Line::of(State::Pass, title, text)
}
