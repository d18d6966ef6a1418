//! Caches that somebody writes to: what is only late is not a difference, what is lost is found.
//!
//! `REDFERRY_LIVE_SECONDS=60` makes the runs as long as they should be before a release.

mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use redis::Cmd;
use testkit::{Access, Cluster, Server, dataset};

use super::Pair;
use super::commands::{on, run};
use super::findings::{differences, each, expect_findings, found};
use crate::support::Ended;
use writer::Writer;

const WRITERS: u64 = 8;

fn seconds() -> u64 {
    std::env::var("REDFERRY_LIVE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// Writers that forward everything to the target, until they are stopped.
struct Forwarding {
    stop: Arc<AtomicBool>,
    writers: Vec<tokio::task::JoinHandle<u64>>,
}

impl Forwarding {
    async fn start(source: &Access, target: &Access, seed: u64) -> Forwarding {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for number in 0..WRITERS {
            let writer = Writer::new(number, seed + number);
            dataset::run(source, writer.first_keys()).await;
            dataset::run(target, writer.first_keys()).await;
            writers.push(tokio::spawn(writer.forward(source.clone(), target.clone(), Arc::clone(&stop))));
        }
        Forwarding { stop, writers }
    }

    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let mut written = 0;
        for writer in self.writers {
            written += writer.await.unwrap();
        }
        written
    }
}

/// Runs verify over and over while others write.
async fn verified(pair: Arc<Pair>, seconds: u64, options: &'static [&'static str]) -> Vec<Ended> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut all = Vec::new();
    while all.is_empty() || Instant::now() < end {
        let pair = Arc::clone(&pair);
        let options = [options, &["--until-stable", "3s"]].concat();
        all.push(tokio::task::spawn_blocking(move || pair.verify(&options)).await.unwrap());
    }
    all
}

fn unstable_only(ended: &Ended) {
    assert!(matches!(ended.code, 0 | 1), "{ended:#?}");
    assert_eq!(differences(ended), 0, "{ended:#?}");
    assert_eq!(ended.number("not_compared"), 0, "{ended:#?}");
    assert_eq!(ended.code == 1, ended.number("unstable") > 0, "{ended:#?}");
    assert!(ended.number("keys_compared") > 1000, "{ended:#?}");
}

async fn late_is_not_lost(source: &Access, target: &Access, options: &'static [&'static str]) {
    let pair = Arc::new(Pair::of(source, target));
    let forwarding = Forwarding::start(source, target, 51).await;
    let runs = verified(Arc::clone(&pair), seconds(), options).await;
    let written = forwarding.end().await;
    assert!(written > 1000, "only {written} commands were written");
    runs.iter().for_each(unstable_only);
    let rechecked: u64 = runs.iter().map(|ended| ended.number("rechecked")).sum();
    assert!(rechecked > 0, "nothing was ever looked at twice, so nothing was tested");
    // The writers themselves are right.
    pair.compare().await.assert_equal();
    pair.expect_equal(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_is_not_lost_between_single_servers() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    late_is_not_lost(&source.access(), &target.access(), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_is_not_lost_from_a_cluster_in_pieces() {
    let (source, target) = (Cluster::acr(2).start(), Cluster::amr(2).start());
    late_is_not_lost(&source.access(), &target.access(), &["--big-key", "200"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_is_not_lost_at_quick() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    late_is_not_lost(&source.access(), &target.access(), &["--level", "quick"]).await;
}

/// One write that never reached the target, and how its key differs.
const DROPPED: [(&str, &str, &str, &str); 5] = [
    ("live:lost", "", "SET {key} x", "missing"),
    ("live:stays", "SET {key} x", "DEL {key}", "extra"),
    ("live:older", "SET {key} old", "SET {key} new", "value"),
    ("live:longer", "SET {key} old EX 7000", "EXPIRE {key} 9000", "ttl"),
    ("live:queue", "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0", "XGROUP SETID {key} g 1-1", "group"),
];

#[tokio::test(flavor = "multi_thread")]
async fn one_dropped_write_is_found_and_nothing_else() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    let pair = Arc::new(Pair::of(&source, &target));
    let forwarding = Forwarding::start(&source, &target, 52).await;
    for (key, before, dropped, kind) in DROPPED {
        run(&source, key, before).await;
        pair_up(&source, &target, key).await;
        dataset::run(&source, on(key, dropped)).await;
        for ended in verified(Arc::clone(&pair), seconds() / 10, &[]).await {
            let mut found = found(&ended);
            found.retain(|_, kinds| !(kinds.len() == 1 && kinds.contains("unstable")));
            let found: Vec<_> = found.into_iter().collect();
            assert_eq!(found, [(key.to_owned(), [kind.to_owned()].into())], "{ended:#?}");
            assert_eq!((ended.code, differences(&ended)), (1, 1), "{ended:#?}");
        }
        run(&source, key, "DEL {key}").await;
        run(&target, key, "DEL {key}").await;
    }
    forwarding.end().await;
    pair.expect_equal(&[]);
}

/// Brings one key over exactly, by DUMP and RESTORE.
async fn pair_up(source: &Access, target: &Access, key: &str) {
    let (mut from, mut to) = (source.connect().await, target.connect().await);
    let dump: Option<Vec<u8>> = redis::cmd("DUMP").arg(key).query_async(&mut from).await.unwrap();
    let Some(dump) = dump else { return };
    let pttl: i64 = redis::cmd("PTTL").arg(key).query_async(&mut from).await.unwrap();
    let mut restore: Cmd = redis::cmd("RESTORE");
    restore.arg(key).arg(pttl.max(0)).arg(dump);
    let () = restore.query_async(&mut to).await.unwrap();
}

/// A key that never stands still cannot be judged, and that is what is said about it.
#[tokio::test(flavor = "multi_thread")]
async fn what_never_stands_still_is_unstable() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::strings(&source, 500, 20).await;
    run(&source, "ahead", "SET {key} 0").await;
    let pair = Arc::new(Pair::of(&source, &target));
    pair.copy(&[]);
    let stop = Arc::new(AtomicBool::new(false));
    let counted = tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            let (mut from, mut to) = (source.connect().await, target.connect().await);
            // The target is always some thousand behind.
            for n in 0u64.. {
                for (connection, number) in [(&mut from, n + 10_000), (&mut to, n)] {
                    let () =
                        redis::cmd("SET").arg("ahead").arg(number).query_async(connection).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    });
    let verifying = tokio::task::spawn_blocking(move || pair.verify(&["--until-stable", "2s"]));
    let ended = verifying.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    counted.await.unwrap();
    expect_findings(&ended, &each(&[("ahead", "unstable")]));
}

/// A difference that goes away while verify waits is none.
#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_in_time_is_equal() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 500, 20).await;
    let pair = Pair::of(&source.access(), &target.access());
    pair.copy(&[]);
    run(&source.access(), "string:7", "APPEND {key} late").await;
    run(&source.access(), "late", "SET {key} x").await;
    run(&target.access(), "early", "SET {key} x").await;
    let lines = super::reads_only::monitor(&target);
    let child = pair.start(&["--until-stable", "60s"]);
    // The writes arrive when the target has been asked for both keys, and the rest of that question answered.
    let mut awaited = vec!["\"string:7\"", "\"late\""];
    while !awaited.is_empty() {
        let line = lines.recv_timeout(Duration::from_secs(30)).expect("verify asks the target for its keys");
        awaited.retain(|name| !line.contains(name));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    run(&target.access(), "string:7", "APPEND {key} late").await;
    run(&target.access(), "late", "SET {key} x").await;
    run(&source.access(), "early", "SET {key} x").await;
    let ended = child.wait().expect(0);
    assert!(ended.number("rechecked") >= 2, "{ended:#?}");
    assert_eq!(differences(&ended) + ended.number("unstable"), 0);
    // Without patience the same would have been reported.
    run(&source.access(), "late:2", "SET {key} x").await;
    pair.expect_differences(&["--until-stable", "0s"], &each(&[("late:2", "missing")]));
}
