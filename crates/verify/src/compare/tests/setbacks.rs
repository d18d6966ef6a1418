//! What keeps a whole batch from being decided.

use std::time::{Duration, Instant};

use client::{Recovery, Side, Topology};
use testkit::relay::{Relay, Way};
use testkit::{Cluster, Server};

use super::{Bench, pairs, run};

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let bench = Bench::of(&source.access(), &target.access())
        .with(|options| options.silence = Duration::from_millis(300));
    let mut comparer = bench.comparer().await;
    run(&source.access(), "a", "SET {key} x").await;
    comparer.compare(&pairs(&["a"])).await.unwrap();
    target.pause();
    let began = Instant::now();
    let setback = comparer.compare(&pairs(&["a"])).await.unwrap_err();
    target.resume();
    assert!((Duration::from_millis(290)..Duration::from_secs(5)).contains(&began.elapsed()));
    assert_eq!((setback.side(), setback.recovery()), (Side::Target, Recovery::Reconnect), "{setback}");
    assert!(setback.to_string().contains("no answer"), "{setback}");
    // The lines of the failed attempt are not used again.
    let verdicts = comparer.compare(&pairs(&["a"])).await.unwrap();
    assert_eq!(super::words(&verdicts[0]), "missing");
}

#[tokio::test]
async fn a_lost_connection_and_a_moved_slot_are_setbacks() {
    let (source, target) = (Server::plain6().start(), Cluster::plain7(2).start());
    let mut comparer = Bench::of(&source.access(), &target.access()).comparer().await;
    let names: Vec<String> = (0..50).map(|n| format!("k:{n}")).collect();
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    comparer.compare(&pairs(&keys)).await.unwrap();
    source.kill();
    let setback = comparer.compare(&pairs(&keys)).await.unwrap_err();
    assert_eq!((setback.side(), setback.recovery()), (Side::Source, Recovery::Reconnect), "{setback}");
    // A layout from before another node took half of the slots.
    let other = Server::plain6().start();
    let bench = Bench::of(&other.access(), &target.access());
    let mut sides = bench.sides().await;
    sides.target_layout = Topology::Single(sides.target.seed().clone());
    let setback = bench.comparer_of(sides).compare(&pairs(&keys)).await.unwrap_err();
    assert!(setback.to_string().contains("MOVED"), "{setback}");
    assert_eq!((setback.side(), setback.recovery()), (Side::Target, Recovery::Reconnect), "{setback}");
}

/// Wherever a connection breaks, nothing wrong is said.
#[tokio::test]
async fn a_connection_that_breaks_anywhere_decides_nothing_wrong() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let rows = [
        ("string", "SETRANGE {key} 40000 x", "equal"),
        ("list", "RPUSH {key} a b c d", "equal"),
        ("hash", "HSET {key} a b c d", "equal"),
        ("zset", "ZADD {key} 1 b 2 d", "equal"),
        ("stream", "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0", "equal"),
        ("gone", "", "gone"),
    ];
    for (key, make, _) in rows {
        run(&from, key, make).await;
        run(&to, key, make).await;
    }
    let relay = Relay::to(&to.host, to.port);
    let bench = Bench::of(&from, &to.via(relay.port()));
    let keys = rows.map(|row| row.0);
    let sides = bench.sides().await;
    let before = relay.bytes(Way::ToClient);
    bench.comparer_of(sides).compare(&pairs(&keys)).await.unwrap();
    let all = relay.bytes(Way::ToClient) - before;
    let mut broken = 0;
    for bytes in (0..all + 200).step_by(97).chain(300..900) {
        let sides = bench.sides().await;
        relay.cut_after(Way::ToClient, bytes);
        match bench.comparer_of(sides).compare(&pairs(&keys)).await {
            Ok(verdicts) => {
                let expected = rows.map(|row| row.2);
                assert_eq!(verdicts.iter().map(super::words).collect::<Vec<_>>(), expected, "{bytes}");
            }
            Err(setback) => {
                broken += 1;
                assert_eq!(setback.recovery(), Recovery::Reconnect, "{bytes}: {setback}");
            }
        }
        relay.heal();
    }
    assert!(broken > 100, "{broken} of {all} bytes");
}
