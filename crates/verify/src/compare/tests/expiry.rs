//! Expiries under clocks that stand elsewhere, and keys that expire while they are looked at.

use std::time::Duration;

use testkit::{Binaries, Server};

use super::{Bench, pairs, run, words};
use crate::verdict::Verdict;

#[tokio::test]
async fn clocks_that_are_hours_apart_do_not_matter() {
    if Binaries::get().clock_shifter().is_none() {
        println!("SKIPPED: no libfaketime on this machine, so no server with another clock");
        return;
    }
    let source = Server::plain7().start();
    let target = Server::plain7().clock_ahead_seconds(7200).start();
    let (from, to) = (source.access(), target.access());
    let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let at = unix + 900_000;
    for (key, by) in [("same", 0), ("later", 60), ("earlier", -60), ("by-clock", -7_200_000)] {
        run(&from, key, &format!("SET {{key}} x PXAT {at}")).await;
        run(&to, key, &format!("SET {{key}} x PXAT {}", at + 7_200_000 + by)).await;
        let field = format!("field:{key}");
        run(&from, &field, &format!("HSET {{key}} a b c d; HPEXPIREAT {{key}} {at} FIELDS 1 a")).await;
        let there = at + 7_200_000 + by.max(-60_000);
        run(&to, &field, &format!("HSET {{key}} a b c d; HPEXPIREAT {{key}} {there} FIELDS 1 a")).await;
    }
    let keys = ["same", "later", "earlier", "field:same", "field:later", "field:earlier", "field:by-clock"];
    let bench = Bench::of(&from, &to);
    let mut comparer = bench.comparer().await;
    let verdicts = comparer.compare(&pairs(&keys)).await.unwrap();
    for (key, verdict) in keys.iter().zip(&verdicts) {
        let expected = if key.ends_with("same") { "equal" } else { "ttl" };
        assert_eq!(words(verdict), expected, "{key}");
    }
    let bound = comparer.ttl_error_bound_ms();
    assert!((1..50).contains(&bound), "{bound}");
}

#[tokio::test]
async fn a_key_that_is_about_to_expire_is_not_missing() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let bench = Bench::of(&from, &to).with(|options| options.ttl_tolerance = Duration::from_secs(2));
    let mut comparer = bench.comparer().await;
    run(&from, "short", "SET {key} x PX 300").await;
    run(&from, "long", "SET {key} x PX 30000").await;
    let verdicts = comparer.compare(&pairs(&["short", "long"])).await.unwrap();
    assert_eq!(verdicts.iter().map(words).collect::<Vec<_>>(), ["vague", "missing"]);
    tokio::time::sleep(Duration::from_millis(350)).await;
    let verdicts = comparer.compare(&pairs(&["short"])).await.unwrap();
    assert_eq!(verdicts, [Verdict::Gone]);
}

/// The moments that are remembered are those of the expiries, whichever side is meant.
#[tokio::test]
async fn the_state_knows_when_a_key_expires() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    run(&source.access(), "key", "SET {key} x PX 100000").await;
    run(&target.access(), "key", "SET {key} x PX 200000").await;
    let mut comparer = Bench::of(&source.access(), &target.access()).comparer().await;
    let mut looks = Vec::new();
    for _ in 0..2 {
        let verdicts = comparer.compare(&pairs(&["key"])).await.unwrap();
        let Verdict::Differs(_, state) = verdicts[0] else { panic!("{verdicts:?}") };
        looks.push(state);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(looks[0].is_like(&looks[1], 5), "{looks:?}");
    let [Some(here), Some(there)] = looks[0].expires_ms else { panic!("{looks:?}") };
    assert!((99_000..102_000).contains(&here) && (99_000..101_000).contains(&(there - here)), "{looks:?}");
}
