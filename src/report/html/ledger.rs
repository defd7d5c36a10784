//! Custody: where every arrival went, which tokens were issued twice, and two books side by side.

use crate::report::clean::line;
use crate::results::Run;
use crate::results::wording::{count, share};

pub(super) struct View {
    /// Figure and name, in the order of the equation; the first equals the sum of the others.
    pub(super) equation: Vec<(String, &'static str)>,
    pub(super) off: Option<String>,
    pub(super) warm_up: Option<String>,
    pub(super) tokens: Vec<Row>,
    pub(super) examples: Option<String>,
    pub(super) books: Vec<BookRow>,
}

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) found: String,
    pub(super) allowed: String,
    pub(super) bad: bool,
}

pub(super) struct BookRow {
    pub(super) name: &'static str,
    pub(super) ours: String,
    pub(super) theirs: String,
    pub(super) differ: String,
    pub(super) bad: bool,
}

impl View {
    pub(super) fn of(run: &Run) -> View {
        let sum = |figure: &dyn Fn(&crate::results::Book) -> u64| -> u64 {
            run.load.iter().map(|profile| figure(&profile.book)).sum()
        };
        let scheduled = sum(&|book| book.scheduled);
        let parts = [
            (sum(&|book| book.granted), "answered, granted"),
            (sum(&|book| book.refused), "answered, refused"),
            (sum(&|book| book.failed), "failed or no answer"),
            (sum(&|book| book.starved), "starved"),
            (sum(&|book| book.cut_off), "cut off by the stop"),
        ];
        let total: u64 = parts.iter().map(|(figure, _)| figure).sum();
        let mut equation = vec![(count(scheduled), "scheduled")];
        equation.extend(parts.iter().map(|(figure, name)| (count(*figure), *name)));
        let warm_up = sum(&|book| book.warm_up);
        View {
            equation: if run.load.is_empty() { Vec::new() } else { equation },
            off: (total != scheduled)
                .then(|| format!("The equation is off by {}.", count(total.abs_diff(scheduled)))),
            warm_up: (warm_up > 0).then(|| {
                format!("{} of them fell into a warm-up: counted here, in no percentile.", count(warm_up))
            }),
            tokens: tokens(run),
            examples: examples(run),
            books: books(run),
        }
    }
}

fn tokens(run: &Run) -> Vec<Row> {
    if run.load.is_empty() {
        return Vec::new();
    }
    let sum = |figure: &dyn Fn(&crate::results::LedgerResult) -> u64| -> u64 {
        run.load.iter().map(|profile| figure(&profile.ledger)).sum()
    };
    let none = |name, found: u64| Row { name, found: count(found), allowed: "0".to_owned(), bad: found > 0 };
    let kept = run.load.iter().map(|profile| profile.ledger.kept).fold(1.0, f64::min);
    let plain = |name, found: String| Row { name, found, allowed: "–".to_owned(), bad: false };
    vec![
        plain("tokens looked at", count(sum(&|ledger| ledger.tokens))),
        plain("chance that one issued twice is found", share(kept)),
        none("issued twice", sum(&|ledger| ledger.duplicates)),
        none("given to another chain", sum(&|ledger| ledger.strangers)),
    ]
}

fn examples(run: &Run) -> Option<String> {
    let examples: Vec<String> = run
        .load
        .iter()
        .flat_map(|profile| &profile.ledger.examples)
        .take(6)
        .map(|example| line(example))
        .collect();
    (!examples.is_empty()).then(|| examples.join(", "))
}

fn books(run: &Run) -> Vec<BookRow> {
    let Some(books) = &run.trust.books else { return Vec::new() };
    let balanced = crate::results::outcome::books_balance(books);
    let row = |name, ours: u64, theirs: u64| BookRow {
        name,
        ours: count(ours),
        theirs: count(theirs),
        differ: count(ours.abs_diff(theirs)),
        bad: ours != theirs && !balanced,
    };
    vec![
        row("grants", books.client_granted, books.server_granted),
        row("refusals", books.client_refused, books.server_refused),
        BookRow {
            name: "answers never seen",
            ours: count(books.client_unanswered),
            theirs: "–".to_owned(),
            differ: "–".to_owned(),
            bad: false,
        },
    ]
}
