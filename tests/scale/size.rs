//! Many connections, many chains, and long: memory, and two books that agree.

use std::time::{Duration, Instant};

use assay::results::LoadResult;

use super::{Load, Memory, Mock};

/// The most memory of its own while the load ran, looked at ten times a second, and its result. What the reports take
/// at the end does not grow with the load, and is not part of it.
fn watched(mut load: Load, lasting: Duration) -> (f64, LoadResult) {
    let began = Instant::now();
    let mut most = Memory::default();
    while !load.is_over() {
        if began.elapsed() < lasting
            && let Some(now) = load.memory()
            && now.own_mb > most.own_mb
        {
            most = now;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("{:.1} MB of its own, {:.1} MB with its code", most.own_mb, most.resident_mb);
    (most.own_mb, load.result())
}

/// Few requests on many connections, so that the ledger is small beside them.
#[test]
#[ignore = "half a minute; tests/scale/run.sh long"]
fn memory_follows_the_connections_and_is_small() {
    for (connections, limit_mb) in [(256, 15.0), (2_000, 25.0)] {
        let mock = Mock::start(&[]);
        let load = mock.load(&format!("users: {connections}, for: 6s, think: 1s"));
        let (most, result) = watched(load, Duration::from_secs(6));
        println!("{connections} connections: {most:.1} MB of {limit_mb} MB, {:?}", result.book);
        assert_eq!(result.book.granted, result.book.scheduled, "{:?}", result.errors);
        assert!(most <= limit_mb, "{connections} connections take {most:.1} MB");
    }
}

#[test]
#[ignore = "a minute, twenty thousand files; tests/scale/run.sh long"]
fn ten_thousand_chains_on_ten_thousand_connections_all_advance() {
    let mock = Mock::start(&[]);
    let load = mock.load("users: 10000, for: 20s, think: 2s");
    let (most, result) = watched(load, Duration::from_secs(20));
    let book = &result.book;
    println!("10000 connections: {most:.1} MB, {book:?}, service {:?}", result.service.quantiles_us);
    assert_eq!((book.granted, result.chains), (book.scheduled, 10_000), "{:?}", result.errors);
    assert_eq!((mock.number("/ledger", "granted"), mock.number("/ledger", "refused")), (book.granted, 0));
    assert_eq!(result.ledger.tokens, 2 * (book.granted + 10_000));
    assert_eq!((result.ledger.duplicates, result.ledger.strangers), (0, 0));
    let chains = mock.order("GET", "/chains", "");
    println!("{chains}");
    assert_eq!((&chains["families"], &chains["revoked"]), (&10_000.into(), &0.into()));
    assert!(chains["least"].as_u64().unwrap() >= 1, "a chain stood still: {chains}");
    assert!(most <= 70.0, "10000 connections take {most:.1} MB");
}

/// The ledger is full long before minute two, and nothing else grows.
#[test]
#[ignore = "ten minutes at full speed; tests/scale/run.sh long"]
fn memory_is_flat_over_ten_minutes_at_full_speed() {
    let mock = Mock::start(&[]);
    let mut load = mock.load("users: 64, for: 620s");
    std::thread::sleep(Duration::from_mins(2));
    let early = load.memory().unwrap().own_mb;
    std::thread::sleep(Duration::from_mins(8));
    assert!(!load.is_over());
    let late = load.memory().unwrap().own_mb;
    let result = load.result();
    println!("{early:.1} MB at minute 2, {late:.1} MB at minute 10, {:?}", result.book);
    assert_eq!(result.book.granted, mock.number("/ledger", "granted"));
    assert!(late <= early * 1.05 + 1.0, "{early:.1} MB at minute 2, {late:.1} MB at minute 10");
}
