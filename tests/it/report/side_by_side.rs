//! The pages that are made of several runs, and the page of an hour; with `ASSAY_PAGES=DIR` they are written there,
//! to be looked at and for `tests/browser`.

use std::path::PathBuf;

use assay::compare::history::{self, Night};
use assay::compare::{self, Comparison, Options};
use assay::report::html;
use assay::results::shapes::{Place, Shape};
use assay::results::{Run, TrustState, Verdict};
use indexmap::IndexMap;

use super::runs;

/// What a page of an hour may weigh.
const MOST: usize = 2_000_000;

fn written(name: &str, page: &str) {
    if let Some(folder) = std::env::var_os("ASSAY_PAGES").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
}

fn kinds(kinds: &[(&str, u64)]) -> Place {
    let seen = kinds.iter().map(|(_, n)| n).sum();
    Place { seen, kinds: kinds.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect() }
}

/// What answers look like: as documented, or in every way otherwise.
fn shapes(otherwise: bool) -> Vec<Shape> {
    let pick = |documented: &'static str, other: &'static str| if otherwise { other } else { documented };
    let one = |text: &str, n: u64| IndexMap::from([(text.to_owned(), n)]);
    let mut members = IndexMap::from([
        ("/AckCode".to_owned(), kinds(&[("= 200", 200)])),
        (
            "/DateOfData".to_owned(),
            kinds(&[(pick("date dd/MM/yyyy HH:mm:ss", "date yyyy-MM-ddTHH:mm:ss"), 200)]),
        ),
        ("/RefreshTokenResponse/isSuccess".to_owned(), kinds(&[(pick("= true", "= True"), 200)])),
    ]);
    if !otherwise {
        members.insert("/RefreshTokenResponse/responseData".to_owned(), kinds(&[("null", 200)]));
    }
    let json = Shape {
        answer: "refresh granted, json".to_owned(),
        seen: 200,
        statuses: one("200", 200),
        media_types: one("application/json; charset=utf-8", 200),
        headers: IndexMap::from([(
            "Cache-Control".to_owned(),
            kinds(&[(pick("= no-store", "= no-cache"), 200)]),
        )]),
        members,
        orders: IndexMap::new(),
    };
    let order = pick(
        "AckCode, DateOfData, RefreshTokenResponse, Status",
        "AckCode, Status, RefreshTokenResponse, DateOfData",
    );
    let xml = Shape {
        answer: "refresh granted, xml".to_owned(),
        seen: 120,
        statuses: one("200", 120),
        orders: IndexMap::from([("/".to_owned(), one(order, 120))]),
        ..Shape::default()
    };
    vec![json, xml]
}

fn live() -> Run {
    let mut run = runs::failed();
    "live".clone_into(&mut run.target.environment);
    run.shapes = shapes(true);
    runs::check(&mut run, "FMT-09").verdict = Verdict::Warn;
    run
}

fn mock() -> Run {
    let mut run = runs::good();
    "mock".clone_into(&mut run.target.environment);
    run.shapes = shapes(false);
    run
}

/// Two runs that differ, two that do not, two that cannot be compared, and one without speed.
fn comparisons() -> Vec<(&'static str, Comparison)> {
    let of = |a: &Run, b: &Run| compare::compare(a, b, Options::default());
    let mut other = runs::good();
    "oauth2".clone_into(&mut other.suite.dialect);
    let (mut steady, mut slower) = (mock(), mock());
    steady.load.truncate(1);
    slower.load = vec![runs::slower_steady()];
    let silent = |mut run: Run| {
        run.load.clear();
        run
    };
    let good = silent(runs::good());
    let mut shown = runs::demonstration();
    shown.load.truncate(1);
    vec![
        ("compared", of(&mock(), &live())),
        ("compared-slower", of(&steady, &slower)),
        ("compared-better", of(&silent(live()), &silent(mock()))),
        ("compared-same", of(&good, &good)),
        ("compared-apart", of(&good, &other)),
        ("compared-demonstration", of(&shown, &shown)),
        ("compared-hostile", of(&good, &silent(runs::hostile()))),
    ]
}

/// `nights` runs, of which some fail, one is missing, one is untrusted, and the last third is slower.
fn nights(nights: u16) -> Vec<Night> {
    let first = jiff::civil::date(2026, 11, 24);
    let good = mock();
    (0..nights)
        .filter(|night| *night != 9)
        .map(|night| {
            let mut run = good.clone();
            let left = i64::from(nights - night);
            let day = first.checked_sub(jiff::Span::new().days(left)).unwrap();
            run.began_at = format!("{day}T02:00:04Z");
            run.id = format!("pfms-{day}");
            spoil(&mut run, night, nights);
            // What nights differ anyway, and a step in the last third.
            let noise = 1.0 + 0.02 * f64::from((night * 7) % 5);
            let factor = if night * 3 >= nights * 2 { 1.3 * noise } else { noise };
            for load in &mut run.load {
                for value in load.response.quantiles_us.values_mut() {
                    *value *= factor;
                }
            }
            Night::of(&run, (night % 4 != 0).then(|| format!("./{}/report.html", run.id)))
        })
        .collect()
}

fn spoil(run: &mut Run, night: u16, nights: u16) {
    let last = nights - 1;
    let known = Verdict::Known {
        until: "2026-12-02".to_owned(),
        days_left: i64::from(last - night) + 9,
        owner: "gateway".to_owned(),
        why: "the gateway rewrites the label".to_owned(),
    };
    runs::check(run, "FMT-16").verdict = known;
    let mut fail = |id: &str, verdict: Verdict| runs::check(run, id).verdict = verdict;
    if night == last {
        fail("FMT-08", Verdict::Fail);
    }
    if last.abs_diff(night) <= 5 && night.is_multiple_of(2) {
        fail("ERR-03", Verdict::Fail);
    }
    if night * 2 > nights {
        fail("SUC-04", Verdict::Warn);
    }
    if night < nights / 4 {
        fail("FMT-09", Verdict::Warn);
    }
    if night % 11 == 3 {
        fail("FMT-13", Verdict::Inconclusive { reason: "too few answers".to_owned() });
    }
    if night == 5 {
        run.trust.state = TrustState::Untrusted;
        run.trust.reasons = vec!["the generator was the bottleneck".to_owned()];
    }
}

#[test]
fn every_comparison_and_history_has_a_page() {
    for (name, comparison) in comparisons() {
        let page = html::comparison_page(&comparison, "assay compare mock.json live.json");
        written(name, &page);
        holds_together(name, &page);
    }
    for (name, many) in [("history", 30), ("history-of-one", 1), ("history-of-a-year", 365)] {
        let history = history::history(nights(many), None).unwrap();
        let page = html::history_page(&history, "assay history reports/");
        written(name, &page);
        holds_together(name, &page);
    }
}

/// No id stands twice, every link inside leads somewhere, nothing is asked for.
#[track_caller]
fn holds_together(name: &str, page: &str) {
    let between = |open: &str| -> Vec<String> {
        page.split(open).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let ids = between(" id=\"");
    let once: std::collections::HashSet<&String> = ids.iter().collect();
    assert_eq!(once.len(), ids.len(), "{name}: an id stands twice in {ids:?}");
    for target in between("href=\"#") {
        assert!(target.starts_with("s-") || ids.contains(&target), "{name}: #{target} leads nowhere");
    }
    for forbidden in [" style=\"", "=\"http", "url(", "<script>alert"] {
        assert!(!page.contains(forbidden), "{name}: {forbidden}");
    }
}

#[test]
fn a_history_finds_the_step_and_names_what_is_new() {
    let history = history::history(nights(30), None).unwrap();
    assert_eq!(history.headline, "Tonight failed; slower since 14 Nov");
    assert_eq!(history.reasons[0].0, "FMT-08");
    let page = html::history_page(&history, "assay history reports/");
    for said in ["new tonight", "comes and goes", "known, 9 days left", "stepped up on 14 Nov"] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn the_page_of_an_hour_stays_small() {
    let page = html::page(&runs::hour());
    written("hour", &page);
    assert!(page.len() < MOST, "{} bytes", page.len());
}
