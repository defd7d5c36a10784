//! The run file and everything drawn from it, on runs made by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod runs;
mod side_by_side;

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
            (runs::good(), 0, "Good: all 40 musts hold"),
            (runs::failed(), 1, "Failed: two musts do not hold"),
            (runs::interrupted(), 130, "Interrupted after 6.2 s: 40 of 68 checks were judged"),
            (runs::gate_failed(), 1, "Failed: the refresh was answered 200 without an access token"),
            (runs::unreachable(), 3, "Could not run: connection refused by 127.0.0.1:9"),
            (
                runs::untrusted(),
                6,
                "Not to be trusted: the generator was the bottleneck from 22 s on (slip p99 41 ms, limit 25 ms)",
            ),
            (runs::demonstration(), 0, "Good: all 40 musts hold"),
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
            "2 of 38 musts do not hold. 1 could not be judged. 1 of 8 objectives was missed. Two weaker checks \
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
        assert!(outcome.reason.starts_with("1 of 39 musts does not hold."), "{}", outcome.reason);
        assert_eq!(outcome.reasons[0].0, "ERR-03");
        assert_eq!(outcome.reasons[1].0, "SUC-11");
    }

    #[test]
    fn a_leaked_secret_goes_before_everything() {
        for (name, mut run) in every_run() {
            run.trust.secrets = Some(assay::results::SecretScan {
                values: 3,
                beyond: 0,
                files: 4,
                hits: vec!["junit.xml".to_owned()],
            });
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

    #[test]
    fn text_from_the_endpoint_is_never_markup() {
        let page = html::page(&runs::hostile());
        for broken in ["<script>alert", "<img", "onerror=alert(2)>", "\u{1b}", "\u{202e}"] {
            assert!(!page.contains(broken), "{broken:?} stands in the page");
        }
        assert!(page.contains("&lt;/pre&gt;&lt;script&gt;alert(1)"), "it is shown as text");
        assert!(page.contains("kB more in the run file"), "what is long is cut");
    }

    #[test]
    fn the_page_asks_for_nothing_and_allows_only_itself() {
        for (name, run) in every_run() {
            let page = html::page(&run);
            let own = page.replace("http://www.w3.org/2000/svg", "");
            for reference in
                ["src=\"", "@import", "url(", "href=\"http", "href=\"//", " style=\"", "unsafe-inline"]
            {
                assert!(!own.contains(reference), "{name}: {reference}");
            }
            assert!(
                page.contains("default-src &#39;none&#39;; img-src data:; style-src &#39;sha256-"),
                "{name}"
            );
        }
    }

    #[test]
    fn every_link_inside_the_page_leads_somewhere_and_no_id_stands_twice() {
        for (name, run) in every_run() {
            let page = html::page(&run);
            let ids: Vec<&str> = between(&page, " id=\"");
            let mut once = ids.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), ids.len(), "{name}: an id stands twice");
            for target in between(&page, "href=\"#") {
                assert!(ids.contains(&target), "{name}: #{target} leads nowhere");
            }
        }
    }

    fn between<'a>(page: &'a str, before: &str) -> Vec<&'a str> {
        page.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn the_tab_and_the_mark_tell_the_verdict_by_shape() {
        let marks = [
            (runs::good(), "<title>✓ Good", "#s-tick"),
            (runs::failed(), "<title>✗ Failed", "#s-fail"),
            (runs::untrusted(), "<title>✗ Not to be trusted", "#s-odd"),
            (runs::undecided(), "<title>✗ Could not judge", "#s-odd"),
        ];
        for (run, title, mark) in marks {
            let page = html::page(&run);
            assert!(page.contains(title), "{title}");
            let headline = page.split("<h1").nth(1).unwrap().split("</h1>").next().unwrap();
            assert!(headline.contains(mark), "{headline}");
        }
    }

    #[test]
    fn no_chart_is_drawn_of_nothing() {
        let page = html::page(&runs::little_and_much());
        for sentence in [
            "8 answers, too few for percentiles",
            "A distribution of one bin is not drawn.",
            "there is no course to draw",
            "Nothing was granted, so there is no response time to draw.",
            "worst second",
        ] {
            let plain = page.replace('\u{a0}', " ");
            assert!(plain.contains(&sentence.replace('\u{a0}', " ")), "{sentence}");
        }
        assert!(!html::page(&runs::nearly_empty()).contains("<svg class=\"chart\""));
    }

    #[test]
    fn the_same_figures_stand_on_page_terminal_markdown_and_junit() {
        use assay::report::terminal::{Screen, summary};
        use assay::report::{junit, markdown};
        use assay::results::wording::plain;
        for (name, run) in every_run() {
            if name == "hostile" {
                continue;
            }
            let headline = plain(&outcome::of(&run).headline);
            let screen = Screen { color: false, is_terminal: false, width: 120, unicode: true };
            let terminal = summary(&run, None, screen).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(plain(&html::page(&run)).contains(&headline), "{name}: page");
            assert!(terminal.contains(&headline), "{name}: terminal");
            assert!(markdown::summary(&run).contains(&headline), "{name}: markdown");
            assert!(junit::document(&run).contains(&headline), "{name}: junit");
        }
    }
}

mod terminal {
    use super::*;
    use assay::report::terminal::{Screen, exit_line, summary};

    const PIPE: Screen = Screen { color: false, is_terminal: false, width: 80, unicode: true };

    #[test]
    fn nothing_is_wider_than_the_screen_but_commands() {
        for (name, run) in every_run() {
            for width in [80, 100, 200] {
                let screen = Screen { is_terminal: true, width, ..PIPE };
                let text = summary(&run, Some("reports/x/index.html"), screen);
                let widest = usize::from(width).min(120);
                for line in text.lines() {
                    let wide = line.chars().count();
                    assert!(wide <= widest || line.starts_with("   "), "{name} at {width}: {wide} {line}");
                }
            }
        }
    }

    #[test]
    fn the_verdict_comes_first_then_the_reason_then_the_page() {
        let text = summary(&runs::good(), Some("reports/x/index.html"), PIPE);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  Good: all 40 musts hold");
        assert!(lines[1].starts_with("  68 of 68 checks passed. All 8 objectives are met;"), "{text}");
        assert!(
            lines[2].starts_with("  page  reports/x/index.html") || lines[3].starts_with("  page  "),
            "{text}"
        );
        assert_eq!(exit_line(&runs::good()), "exit 0 · good · 1 min 36 s");
    }

    #[test]
    fn a_pipe_gets_no_escape_and_a_screen_without_utf8_no_letter_it_cannot_show() {
        for (name, run) in every_run() {
            let plain = summary(&run, None, PIPE);
            assert!(!plain.contains('\u{1b}') && !plain.contains('\u{202f}'), "{name}");
            let ascii = summary(&run, None, Screen { is_terminal: true, unicode: false, ..PIPE });
            assert!(ascii.is_ascii(), "{name}");
        }
    }

    #[test]
    fn color_changes_no_word() {
        for (name, run) in every_run() {
            let colored = summary(&run, None, Screen { color: true, ..PIPE });
            let stripped = anstream::adapter::strip_str(&colored).to_string();
            assert_eq!(stripped, summary(&run, None, PIPE), "{name}");
        }
    }

    /// With `ASSAY_PAGES=DIR`, the summaries are written there, to be looked at.
    #[test]
    fn every_run_ends_with_words() {
        for (name, run) in every_run() {
            let text =
                format!("{}\n{}\n", summary(&run, Some("reports/x/index.html"), PIPE), exit_line(&run));
            if let Some(folder) = std::env::var_os("ASSAY_PAGES").map(PathBuf::from) {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(folder.join(format!("{name}.txt")), &text).unwrap();
            }
            assert!(text.contains("exit "), "{name}");
        }
    }
}

mod for_pipelines {
    use super::*;
    use assay::report::{junit, markdown};

    #[test]
    fn junit_is_read_by_an_independent_reader_and_counts_what_the_run_counts() {
        for (name, run) in every_run() {
            let text = junit::document(&run);
            let document =
                roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let root = document.root_element();
            let count =
                |tag: &str| document.descendants().filter(|node| node.has_tag_name(tag)).count().to_string();
            assert_eq!(root.attribute("tests"), Some(count("testcase").as_str()), "{name}");
            assert_eq!(root.attribute("failures"), Some(count("failure").as_str()), "{name}");
            assert_eq!(root.attribute("errors"), Some(count("error").as_str()), "{name}");
            assert_eq!(root.attribute("skipped"), Some(count("skipped").as_str()), "{name}");
            let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
            let red = cases
                .filter(|case| case.children().any(|c| c.has_tag_name("failure") || c.has_tag_name("error")));
            let good = outcome::of(&run).exit == Exit::Good;
            assert_eq!(red.count() == 0, good, "{name}: red in JUnit exactly where the exit code is not 0");
        }
    }

    #[test]
    fn junit_tells_failures_errors_and_skips_apart() {
        let text = junit::document(&runs::undecided());
        let document = roxmltree::Document::parse(&text).unwrap();
        let holds = |id: &str, tag: &str| {
            let case = document
                .descendants()
                .find(|node| node.attribute("name").is_some_and(|name| name.starts_with(id)))
                .unwrap();
            case.children().any(|child| child.has_tag_name(tag))
        };
        assert!(holds("ERR-03", "failure"));
        assert!(holds("SUC-11", "error"));
        assert_eq!(document.root_element().attribute("name"), Some("Could not judge: one must"));
        let text = junit::document(&runs::failed());
        let document = roxmltree::Document::parse(&text).unwrap();
        let case = |id: &str| {
            document
                .descendants()
                .find(|n| n.attribute("name").is_some_and(|name| name.starts_with(id)))
                .unwrap()
        };
        assert!(case("SUC-08").children().any(|child| child.has_tag_name("skipped")));
        assert!(case("FMT-16").children().any(|child| child.has_tag_name("skipped")));
        assert_eq!(case("FMT-08").attribute("line"), Some("71"));
    }

    /// What XML 1.0 allows (production 2, `Char`).
    fn is_xml(c: char) -> bool {
        matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
    }

    #[test]
    fn no_character_that_xml_forbids_reaches_junit() {
        let every: String =
            ('\0'..='\u{9f}').chain(['\u{fffe}', '\u{ffff}', '\u{202e}', ']', ']', '>']).collect();
        let mut run = runs::failed();
        let result = runs::check(&mut run, "FMT-08");
        result.title.clone_from(&every);
        result.fix = Some(every.clone());
        result.findings[0].found.clone_from(&every);
        result.findings[0].quote.path.clone_from(&every);
        result.findings[0].evidence[0].received.clone_from(&every);
        run.objectives[0].name.clone_from(&every);
        run.suite.path = every;
        let text = junit::document(&run);
        assert!(text.chars().all(is_xml));
        roxmltree::Document::parse(&text).unwrap();
    }

    #[test]
    fn the_names_of_cases_are_the_same_in_a_run_with_other_figures() {
        let names = |run: &Run| -> Vec<String> {
            let text = junit::document(run);
            let document = roxmltree::Document::parse(&text).unwrap();
            let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
            cases
                .map(|case| format!("{:?} {:?}", case.attribute("classname"), case.attribute("name")))
                .collect()
        };
        let failed = names(&runs::failed());
        assert_eq!(failed, names(&runs::good()));
        let distinct: std::collections::HashSet<&String> = failed.iter().collect();
        assert_eq!(distinct.len(), failed.len());
    }

    #[test]
    fn markdown_begins_with_the_headline_and_lets_no_markup_through() {
        let text = markdown::summary(&runs::failed());
        assert!(text.starts_with("## Failed: two musts do not hold\n\n2 of 38 musts do not hold."), "{text}");
        assert!(
            text.contains("| FMT-08 | must | Every request type works with every response type |"),
            "{text}"
        );
        for (name, run) in every_run() {
            let text = markdown::summary(&run);
            assert!(!text.contains("<script") && !text.contains("<img"), "{name}: {text}");
        }
    }
}
