//! Histories of made-up nights.

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;

fn night(day: usize, p99: f64) -> Night {
    let first = jiff::civil::date(2026, 10, 25);
    let day = first.checked_add(jiff::Span::new().days(i64::try_from(day).unwrap())).unwrap();
    let figure = Figure { unit: Unit::Time, value: p99, limit: Some((250_000.0, false)) };
    Night {
        run: format!("pfms-{day}"),
        began_at: format!("{day}T02:00:04Z"),
        day: Some(day),
        link: None,
        suite: "PFMS".to_owned(),
        digest: "5c1e09a".to_owned(),
        environment: "uat".to_owned(),
        assay_version: "0.9.0".to_owned(),
        trust: TrustState::Trusted,
        headline: "Good".to_owned(),
        exit: 0,
        mark: Mark::Good,
        passed: 1,
        failed: 0,
        checks: IndexMap::new(),
        figures: IndexMap::from([("steady p99".to_owned(), figure)]),
    }
}

/// Nights on which one check had these marks: `.` good, `x` failed, `?` odd, `-` skipped.
fn marked(marks: &str) -> Vec<Night> {
    let mark = |letter| match letter {
        'x' => Mark::Fail,
        '?' => Mark::Odd,
        '-' => Mark::Skipped,
        _ => Mark::Good,
    };
    let seen = |mark| Seen { title: "A title".to_owned(), mark, known: None };
    marks
        .chars()
        .enumerate()
        .map(|(day, letter)| {
            let mut night = night(day, 28_000.0);
            night.checks.insert("FMT-08".to_owned(), seen(mark(letter)));
            night
        })
        .collect()
}

fn words(marks: &str) -> String {
    let told = history(marked(marks), None).unwrap();
    told.rows.first().map_or_else(|| "always".to_owned(), |row| row.words.clone())
}

#[test]
fn the_course_of_a_check_is_told_in_words() {
    assert_eq!(words(".........x"), "new tonight");
    assert_eq!(words("....xxxxxx"), "since 29 Oct");
    assert_eq!(words("xxxxx....."), "gone since 30 Oct");
    assert_eq!(words("..x......."), "once, 27 Oct");
    assert_eq!(words("....x.x..x"), "3 of the last 6 nights: comes and goes");
    assert_eq!(words("x..x......"), "2 times, last 28 Oct");
    assert_eq!(words("xxxx"), "in all 4 nights");
    assert_eq!(words("?..?......"), "inconclusive 2 times");
    assert_eq!(words("..--......"), "always");
}

#[test]
fn a_night_without_a_run_keeps_its_column() {
    let nights = vec![night(0, 1.0), night(1, 1.0), night(4, 1.0)];
    let told = history(nights, None).unwrap();
    let filled: Vec<usize> = told.columns.iter().map(|column| column.nights.len()).collect();
    assert_eq!((told.by, filled), (By::Night, vec![1, 1, 0, 0, 1]));
}

#[test]
fn many_nights_share_columns_by_the_week_and_many_runs_of_a_day_are_runs() {
    let year: Vec<Night> = (0..365).map(|day| night(day, 1.0)).collect();
    let told = history(year, None).unwrap();
    assert_eq!(told.columns.len(), 53);
    assert!(told.columns[0].nights.len() == 7 && told.columns[0].label == "25 Oct 2026");
    let mut twice = vec![night(0, 1.0), night(0, 1.0)];
    twice[1].began_at = "2026-10-25T14:00:00Z".to_owned();
    let told = history(twice, None).unwrap();
    assert_eq!((told.by, told.columns[1].label.as_str()), (By::Run, "25 Oct 14:00"));
}

#[test]
fn runs_of_other_environments_are_left_out_and_named() {
    let mut nights = vec![night(0, 1.0), night(1, 1.0), night(2, 1.0)];
    nights[0].environment = "live".to_owned();
    let own = history(nights.clone(), None).unwrap();
    assert_eq!(own.left_out, [("PFMS on live".to_owned(), 1)]);
    assert_eq!(history(nights.clone(), Some("live")).unwrap().nights.len(), 1);
    assert!(history(nights, Some("moon")).unwrap_err().contains("`moon`"));
}

fn noise(random: &mut ChaCha8Rng) -> f64 {
    let sum: f64 = (0..12).map(|_| random.random::<f64>()).sum();
    sum - 6.0
}

#[test]
fn a_step_that_holds_is_found_where_it_is_and_noise_has_none() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut found, mut false_steps) = (0, 0);
    for _ in 0..100 {
        let calm: Vec<Night> =
            (0..30).map(|day| night(day, 28_000.0 * (0.05 * noise(&mut random)).exp())).collect();
        false_steps += history(calm, None).unwrap().trends[0].steps.len();
        let stepped: Vec<Night> = (0..30)
            .map(|day| {
                let level = if day < 16 { 28_000.0 } else { 36_000.0 };
                night(day, level * (0.05 * noise(&mut random)).exp())
            })
            .collect();
        let told = history(stepped, None).unwrap();
        let step = told.trends[0].steps.first();
        found += usize::from(step.is_some_and(|step| (15..=17).contains(&step.at) && step.worse));
    }
    assert!(found >= 95, "{found} of 100 steps");
    // The interval of a step is one of 95 %.
    assert!(false_steps <= 5, "{false_steps} steps in 100 calm series");
}

#[test]
fn the_headline_says_the_newest_verdict_and_the_lasting_change() {
    let mut nights: Vec<Night> =
        (0..30).map(|day| night(day, if day < 16 { 28_000.0 } else { 36_000.0 + day as f64 })).collect();
    nights[29].mark = Mark::Fail;
    nights[20].trust = TrustState::Untrusted;
    nights[20].figures["steady p99"].value = 9e6;
    let told = history(nights, None).unwrap();
    assert_eq!(told.headline, "Tonight failed; slower since 10 Nov");
    assert!(told.reason.starts_with("29 of 30 nights were good."), "{}", told.reason);
    assert_eq!(told.trends[0].values[20], None);
    assert_eq!(told.trends[0].segments.len(), 2);
}

#[test]
fn demonstrations_have_no_steps() {
    let mut nights: Vec<Night> = (0..30).map(|day| night(day, if day < 16 { 1.0 } else { 9.0 })).collect();
    for night in &mut nights {
        night.trust = TrustState::Demonstration;
    }
    let told = history(nights, None).unwrap();
    assert!(told.no_steps.is_some() && told.trends[0].steps.is_empty());
}
