//! What is measured is what happened: a stall with known quantiles, and latencies that the mock kept book of.

use std::time::Duration;

use assay::results::latency::Recorder;

use super::{Mock, at_ms, differs, three_tries};

/// One second in ten at 1,000/s: a thousand arrivals wait, evenly over that second.
#[test]
#[ignore = "eleven seconds; tests/scale/run.sh"]
fn a_stall_of_a_second_has_the_quantiles_that_arithmetic_gives_it() {
    three_tries(|| {
        let mock = Mock::start(&[]);
        let load = mock.load("arrivals: 1000/s, for: 10s, chains: 64");
        std::thread::sleep(Duration::from_secs(4));
        mock.order("POST", "/stall", r#"{ "for_ms": 1000 }"#);
        let result = load.result();
        assert_eq!((result.book.scheduled, result.book.granted), (10_000, 10_000), "{:?}", result.errors);
        assert_eq!(mock.number("/ledger", "granted"), 10_000);
        let response = |name: &str, expected: f64, share: f64| {
            differs(&format!("response {name}"), at_ms(&result.response, name), expected, share)
        };
        println!("service p99 {:.2} ms, which hides it", at_ms(&result.service, "p99"));
        println!("slip p99 {:.3} ms", at_ms(&result.slip, "p99"));
        [
            response("p99", 900.0, 0.01),
            response("p99.9", 990.0, 0.01),
            response("max", 1000.0, 0.01),
            response("mean", 50.0, 0.03),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
}

#[test]
#[ignore = "eleven seconds; tests/scale/run.sh"]
fn a_lognormal_latency_is_measured_as_it_was_delivered() {
    measured_as_delivered("{ lognormal: { median: 50ms, sigma: 0.5 } }");
}

#[test]
#[ignore = "eleven seconds; tests/scale/run.sh"]
fn a_bimodal_latency_is_measured_as_it_was_delivered() {
    measured_as_delivered("{ bimodal: { fast: 50ms, slow: 400ms, share: 5% } }");
}

/// Both clocks against the mock's book of what each request took.
fn measured_as_delivered(latency: &str) {
    three_tries(|| {
        let mock = Mock::start(&["--latency", latency]);
        mock.order("POST", "/delays", "");
        let result = mock.load("arrivals: 500/s, for: 10s, chains: 400").result();
        let delays = mock.delays();
        assert_eq!((result.book.granted, delays.len()), (5000, 5000), "{:?}", result.errors);
        let mut delivered = Recorder::default();
        for nanos in delays {
            delivered.record(Duration::from_nanos(nanos));
        }
        let delivered = delivered.clock();
        let clocks = [("service", &result.service), ("response", &result.response)];
        let quantiles = ["p50", "p90", "p99", "p99.9"];
        let pairs = clocks.into_iter().flat_map(|clock| quantiles.map(|name| (clock, name)));
        pairs
            .filter_map(|((word, clock), name)| {
                differs(&format!("{word} {name}"), at_ms(clock, name), at_ms(&delivered, name), 0.01)
            })
            .collect()
    });
}
