//! The histograms of each second as an HdrHistogram log, for other tools: format 1.3, two tags, milliseconds.

use std::fmt::Write as _;

use crate::results::window::SecondClocks;
use crate::results::{Clock, LoadResult};

use super::clean::slug;

/// The name of a profile's log.
pub fn name(profile: &str) -> String {
    format!("{}.hlog", slug(profile))
}

/// The log of a profile; `None` where its seconds are not known: the run file does not keep them.
pub fn document(load: &LoadResult) -> Option<String> {
    if load.per_second.is_empty() {
        return None;
    }
    let (seconds, millis) = (load.began_ms / 1000, load.began_ms % 1000);
    let mut text = format!(
        "#[Histogram log format version 1.3]\n#[StartTime: {seconds}.{millis:03} (seconds since epoch)]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    );
    for second in load.per_second.iter() {
        line(&mut text, "response", second, &second.response);
        line(&mut text, "service", second, &second.service);
    }
    Some(text)
}

fn line(text: &mut String, tag: &str, second: &SecondClocks, histogram: &crate::results::latency::Histogram) {
    let clock = Clock { histogram: histogram.clone(), ..Clock::default() };
    let max_ms = clock.recorder().ok().and_then(|recorder| recorder.max_us()).unwrap_or(0.0) / 1000.0;
    // Writing to a string cannot fail.
    let _ =
        writeln!(text, "Tag={tag},{}.000,1.000,{max_ms:.3},{}", second.at_s, histogram.hdr_v2_deflate_base64);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::results::latency::Recorder;

    fn second(at_s: u32, millis: u64) -> SecondClocks {
        let histogram = |millis| {
            let mut recorder = Recorder::default();
            (0..10).for_each(|_| recorder.record(Duration::from_millis(millis)));
            recorder.histogram()
        };
        SecondClocks { at_s, response: histogram(millis), service: histogram(millis / 2) }
    }

    #[test]
    fn another_reader_of_such_logs_finds_every_second_with_both_clocks() {
        let load = LoadResult {
            began_ms: 1_763_910_000_123,
            per_second: Arc::new(vec![second(0, 10), second(2, 500)]),
            ..LoadResult::default()
        };
        let text = document(&load).unwrap();
        let mut found = Vec::new();
        for entry in IntervalLogIterator::new(text.as_bytes()) {
            match entry.unwrap() {
                LogEntry::StartTime(at) => assert_eq!(at.as_millis(), 1_763_910_000_123),
                LogEntry::BaseTime(_) => panic!("times are given from the start"),
                LogEntry::Interval(interval) => {
                    let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
                    let histogram: hdrhistogram::Histogram<u64> =
                        Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
                    assert_eq!((histogram.len(), interval.duration()), (10, Duration::from_secs(1)));
                    let median_ms = histogram.value_at_quantile(0.5) / 1_000_000;
                    let tag = interval.tag().unwrap().as_str().to_owned();
                    found.push((tag, interval.start_timestamp().as_secs(), median_ms));
                }
            }
        }
        let expected = [("response", 0, 10), ("service", 0, 5), ("response", 2, 500), ("service", 2, 250)];
        assert_eq!(found, expected.map(|(tag, at, ms)| (tag.to_owned(), at, ms)));
    }

    #[test]
    fn a_profile_without_seconds_has_no_log() {
        assert_eq!(document(&LoadResult::default()), None);
        assert_eq!(name("50/s to steady"), "50-s-to-steady.hlog");
    }
}
