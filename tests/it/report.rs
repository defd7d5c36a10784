//! The run file and everything drawn from it, on runs made by hand.

mod runs;

use std::path::{Path, PathBuf};

use assay::results::outcome::{self, Exit};
use assay::results::{Run, Verdict, file};

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a committed file; with `ASSAY_BLESS` set, `current` is written there first.
fn committed(path: &str, current: &str) -> String {
    let path = in_repository(path);
    if std::env::var_os("ASSAY_BLESS").is_some() {
        std::fs::write(&path, current).unwrap();
    }
    std::fs::read_to_string(&path).unwrap_or_default()
}

/// Every run, with a name.
fn every_run() -> Vec<(&'static str, Run)> {
    vec![
        ("good", runs::good()),
        ("failed", runs::failed()),
        ("interrupted", runs::interrupted()),
        ("gate", runs::gate_failed()),
        ("unreachable", runs::unreachable()),
        ("untrusted", runs::untrusted()),
        ("demonstration", runs::demonstration()),
        ("nearly-empty", runs::nearly_empty()),
        ("undecided", runs::undecided()),
        ("little-and-much", runs::little_and_much()),
        ("hostile", runs::hostile()),
    ]
}

mod verdicts {
    use super::*;
    use assay::results::{TrustState, wording::plain};

    fn exit_and_headline(run: &Run) -> (u8, String) {
        let outcome = outcome::of(run);
        (outcome.exit.code(), plain(&outcome.headline))
    }

    #[test]
    fn every_kind_of_run_has_its_code_and_its_sentence() {
        let expected = [
            (runs::good(), 0, "Good: all 41 musts hold"),
            (runs::failed(), 1, "Failed: two musts do not hold"),
            (runs::interrupted(), 130, "Interrupted after 6.2 s: 40 of 68 checks were judged"),
            (runs::gate_failed(), 1, "Failed: the refresh was answered 200 without an access token"),
            (runs::unreachable(), 3, "Could not run: connection refused by 127.0.0.1:9"),
            (
                runs::untrusted(),
                6,
                "Not to be trusted: the generator was the bottleneck from 22 s on (slip p99 41 ms, limit 25 ms)",
            ),
            (runs::demonstration(), 0, "Good: all 41 musts hold"),
            (runs::nearly_empty(), 0, "Good: the one must holds"),
            (runs::undecided(), 3, "Could not judge: one must"),
        ];
        for (run, code, headline) in expected {
            assert_eq!(exit_and_headline(&run), (code, headline.to_owned()));
        }
    }

    #[test]
    fn the_reason_says_in_numbers_what_decided() {
        assert_eq!(
            plain(&outcome::of(&runs::failed()).reason),
            "2 of 39 musts do not hold. 1 could not be judged. 1 of 8 objectives was missed. Two weaker checks \
             failed; they do not decide."
        );
        assert_eq!(
            plain(&outcome::of(&runs::good()).reason),
            "68 of 68 checks passed. All 8 objectives are met; the tightest is 22 % above its floor."
        );
    }

    #[test]
    fn failed_musts_are_named_even_when_others_could_not_be_judged() {
        let outcome = outcome::of(&runs::undecided());
        assert_eq!(outcome.exit, Exit::CouldNotRun);
        assert!(outcome.reason.starts_with("1 of 41 musts does not hold."), "{}", outcome.reason);
        assert_eq!(outcome.reasons[0].0, "ERR-03");
        assert_eq!(outcome.reasons[1].0, "SUC-11");
    }

    #[test]
    fn a_leaked_secret_goes_before_everything() {
        for (name, mut run) in every_run() {
            run.trust.secrets =
                Some(assay::results::SecretScan { values: 3, files: 4, hits: vec!["junit.xml".to_owned()] });
            let outcome = outcome::of(&run);
            assert_eq!(outcome.exit, Exit::SecretLeaked, "{name}");
            assert!(outcome.headline.starts_with("Not to be trusted"), "{name}");
        }
    }

    #[test]
    fn nothing_is_good_over_nothing() {
        let mut run = runs::good();
        run.checks.clear();
        let met = outcome::of(&run);
        assert!(met.headline.starts_with("Met: all eight objectives"), "{}", met.headline);
        run.objectives.clear();
        assert_eq!(outcome::of(&run).exit, Exit::CouldNotRun);
        let mut run = runs::nearly_empty();
        run.checks[0].judged = 0;
        assert_eq!(outcome::of(&run).exit, Exit::CouldNotRun);
        run.checks[0].verdict = Verdict::Skipped { reason: "no".to_owned() };
        assert_eq!(outcome::of(&run).exit, Exit::CouldNotRun);
    }

    #[test]
    fn a_known_failure_out_of_date_fails_the_run() {
        let mut run = runs::good();
        runs::check(&mut run, "FMT-16").verdict =
            Verdict::Stale { reason: "FMT-16 passes now: remove it from the suite".to_owned() };
        let outcome = outcome::of(&run);
        assert_eq!(outcome.exit, Exit::Failed);
        assert_eq!(outcome.headline, "Failed: one known failure is out of date");
        assert_eq!(outcome.reasons[0].1, "FMT-16 passes now: remove it from the suite");
    }

    #[test]
    fn a_missed_objective_is_worse_than_good_and_better_than_untrusted() {
        let mut run = runs::good();
        run.objectives[0].met = Some(false);
        assert_eq!(exit_and_headline(&run), (4, "Missed: one of eight objectives".to_owned()));
        assert_eq!(outcome::of(&run).word, "an objective was missed: steady-p99");
        run.trust.state = TrustState::Untrusted;
        assert_eq!(outcome::of(&run).exit, Exit::Untrusted);
        run.trust.state = TrustState::Trusted;
        run.objectives[0].strength = assay::results::Strength::Should;
        assert_eq!(outcome::of(&run).exit, Exit::Good);
    }

    #[test]
    fn books_that_differ_take_the_trust_and_lost_answers_explain_a_difference() {
        let mut run = runs::good();
        let books = run.trust.books.as_mut().unwrap();
        books.server_granted += 3;
        assert_eq!(outcome::of(&run).exit, Exit::Untrusted);
        run.trust.books.as_mut().unwrap().client_unanswered = 3;
        assert_eq!(outcome::of(&run).exit, Exit::Good);
        run.trust.books.as_mut().unwrap().client_granted += 30;
        assert_eq!(outcome::of(&run).exit, Exit::Untrusted);
    }
}

mod run_file {
    use super::*;

    #[test]
    fn what_was_written_is_read_back_the_same() {
        for (name, run) in every_run() {
            let text = file::write(&run);
            let again = file::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(file::write(&again), text, "{name}");
        }
    }

    #[test]
    fn the_committed_schema_is_current() {
        let mut current = serde_json::to_string_pretty(&file::schema()).unwrap();
        current.push('\n');
        assert!(
            committed("suites/schema/run.json", &current) == current,
            "the types have changed: write the schema again with ASSAY_BLESS=1 cargo test --test it report::"
        );
    }

    #[test]
    fn a_written_run_fits_the_schema_by_an_independent_judge() {
        let schema = file::schema();
        let judge = jsonschema::draft202012::new(&schema).unwrap();
        for (name, run) in every_run() {
            let value: serde_json::Value = serde_json::from_str(&file::write(&run)).unwrap();
            let faults: Vec<String> = judge
                .iter_errors(&value)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{name}: {faults:?}");
        }
        let mut wrong: serde_json::Value = serde_json::from_str(&file::write(&runs::good())).unwrap();
        wrong["surprise"] = serde_json::Value::Bool(true);
        assert!(!judge.is_valid(&wrong), "unknown members are refused");
    }

    #[test]
    fn the_committed_run_files_are_what_the_types_write() {
        for (name, run) in [("good", runs::good()), ("failed", runs::failed())] {
            let path = format!("tests/it/fixtures/run-{name}.json");
            let current = file::write(&run);
            assert!(
                committed(&path, &current) == current,
                "{path}: the run file has changed; ASSAY_BLESS=1 cargo test --test it report:: writes it again"
            );
        }
    }
}

mod page {
    use super::*;
    use assay::report::html;

    /// With `ASSAY_PAGES=DIR`, the pages of all runs are written there, to be looked at.
    #[test]
    fn every_run_has_a_page_with_its_headline() {
        let folder = std::env::var_os("ASSAY_PAGES").map(PathBuf::from);
        for (name, run) in every_run() {
            let page = html::page(&run);
            if let Some(folder) = &folder {
                std::fs::create_dir_all(folder).unwrap();
                std::fs::write(folder.join(format!("{name}.html")), &page).unwrap();
            }
            assert!(page.contains("<h1 id=\"verdict-title\">"), "{name}");
            assert!(page.len() < 3_000_000, "{name}: {} bytes", page.len());
        }
    }
}
