//! From Redis 7.4 back to Redis 6.0, so that a cut-over can be taken back: what the older version can hold arrives, under
//! writes too, and what it cannot hold is told.

mod support;

use std::time::Duration;

use client::FeedKind;
use engine::SyncStatus;
use migration::tally::Cause;
use support::following::{Following, assert_equal, database_0, prepare, start, write_for};
use testkit::dataset::Kind;
use testkit::server::Reply;
use testkit::workload::{Popularity, Workload};
use testkit::{Access, Cluster, Server, dataset};

/// Values above this go in pieces where a test wants that.
const SMALL: u64 = 2_000;

async fn follow(source: &Access, target: &Access, big_key: Option<u64>) -> Following {
    let mut sync = prepare(source, target, FeedKind::Tracking, database_0()).await;
    assert_eq!(sync.abilities.rdb_version, Some(9), "the target is a Redis 6");
    // Time enough for a slow machine to change something before it ends.
    sync.until_quiet = Some(Duration::from_secs(3));
    if let Some(big_key) = big_key {
        sync.options.big_key = big_key;
    }
    start(sync)
}

/// Every type, written while it is followed, and what only the target has.
async fn everything_comes_back(source: &Access, target: &Access, workload: Workload, big_key: Option<u64>) {
    println!("seed {}", workload.seed);
    dataset::every_type(source, workload.seed, 2).await;
    dataset::mixed(source, 500, workload.seed).await;
    dataset::strings(target, 50, 10).await;
    let writing = workload.start(source);
    let following = follow(source, target, big_key).await;
    write_for(writing).await;
    let outcome = following.ends_ready().await;
    let status = &outcome.status;
    assert!(status.changes > 0 && status.removed >= 50 && status.refused.is_empty(), "{outcome:?}");
    assert_eq!(status.incompatible, 0);
    assert_equal(source, target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_to_single() {
    let (source, target) = (Server::amr().start(), Server::acr().start());
    everything_comes_back(&source.access(), &target.access(), Workload::new(21), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_to_a_single_server() {
    let (source, target) = (Cluster::amr(2).start(), Server::acr().start());
    everything_comes_back(&source.access(), &target.access(), Workload::new(22), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_to_a_cluster() {
    let (source, target) = (Cluster::amr(2).start(), Cluster::acr(2).start());
    everything_comes_back(&source.access(), &target.access(), Workload::new(23), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_in_pieces() {
    let (source, target) = (Server::amr().start(), Server::acr().start());
    for kind in Kind::ALL {
        dataset::big(&source.access(), kind, 400_000).await;
    }
    // Small keys that change all the time are carried whole, those above 2 kB in pieces.
    let workload = Workload { keys: 30, popularity: Popularity::Zipfian, ..Workload::new(24) };
    everything_comes_back(&source.access(), &target.access(), workload, Some(SMALL)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_are_written_anew_and_not_taken_apart() {
    let (source, target) = (Server::plain7().start(), Server::plain6().start());
    dataset::every_type(&source.access(), 25, 1).await;
    dataset::mixed(&source.access(), 300, 25).await;
    let outcome = follow(&source.access(), &target.access(), None).await.ends_ready().await;
    assert!(outcome.status.refused.is_empty(), "{outcome:?}");
    // What goes in pieces is renamed when it is complete.
    let stats = target.command(&["INFO", "commandstats"]);
    assert!(stats.text().contains("cmdstat_restore"), "{}", stats.text());
    assert!(!stats.text().contains("cmdstat_rename"), "{}", stats.text());
    assert_equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_older_version_cannot_hold_is_told_and_left_alone() {
    let (source, target) = (Server::plain7().start(), Server::plain6().start());
    dataset::mixed(&source.access(), 100, 26).await;
    for n in 0..4 {
        source.command(&["HSET", &format!("session:{n}"), "user", "u", "token", "t"]);
    }
    let following = follow(&source.access(), &target.access(), None).await;
    following.is_following().await;
    assert_eq!(target.command(&["HGET", "session:0", "token"]).text(), "t");
    for n in 0..4 {
        let key = format!("session:{n}");
        source.command(&["HSET", &key, "token", "new"]);
        source.command(&["HPEXPIRE", &key, "10000000", "FIELDS", "1", "token"]);
    }
    let status = following.until(|status| status.incompatible == 4).await;
    assert!(status.refused.contains_key(&Cause::FormatUnfit), "{status:?}");
    let mut named = following.watch.incompatible(10);
    named.sort();
    assert_eq!(named[0], (0, b"session:0".to_vec()));
    assert_eq!((named.len(), following.watch.incompatible(3).len()), (4, 3));
    // One that fits again, one that is gone, one whose field expires by itself.
    source.command(&["HPERSIST", "session:0", "FIELDS", "1", "token"]);
    source.command(&["DEL", "session:1"]);
    source.command(&["HPEXPIRE", "session:2", "200", "FIELDS", "1", "token"]);
    following.until(|status| status.incompatible == 1).await;
    let watch = following.watch.clone();
    let outcome = following.ends_ready().await;
    assert_eq!(outcome.status.incompatible, 1, "{outcome:?}");
    assert_eq!(watch.incompatible(9), [(0, b"session:3".to_vec())]);
    assert_eq!(target.command(&["HGET", "session:0", "token"]).text(), "new");
    assert_eq!(target.command(&["EXISTS", "session:1"]), Reply::Integer(0));
    assert_eq!(target.command(&["HLEN", "session:2"]), Reply::Integer(1));
    // As it was when it last fitted: with one of both values.
    assert_eq!(target.command(&["HLEN", "session:3"]), Reply::Integer(2));
    source.command(&["DEL", "session:3"]);
    target.command(&["DEL", "session:3"]);
    assert_equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_cannot_hold_is_told_of_big_keys_and_modules_too() {
    let (source, target) = (Server::amr().start(), Server::acr().start());
    source.command(&["HSET", "big", "a", &"x".repeat(5_000), "b", "y"]);
    source.command(&["HPEXPIRE", "big", "10000000", "FIELDS", "1", "b"]);
    source.command(&["JSON.SET", "document", "$", "{\"a\":1}"]);
    let outcome = follow(&source.access(), &target.access(), Some(SMALL)).await.ends_ready().await;
    let SyncStatus { incompatible, refused, .. } = outcome.status;
    assert_eq!(incompatible, 2, "{refused:?}");
    let causes: Vec<Cause> = refused.into_keys().collect();
    assert_eq!(causes, [Cause::ModuleTypeUnknown, Cause::FormatUnfit]);
    assert_eq!(target.command(&["DBSIZE"]), Reply::Integer(0), "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_name() {
    let (source, target) = (Server::plain7().start(), Server::plain6().start());
    for key in ["", "a", "b"] {
        source.command(&["SET", key, "value"]);
    }
    let following = follow(&source.access(), &target.access(), None).await;
    following.is_following().await;
    source.command(&["MSET", "", "other", "a", "other"]);
    following.ends_ready().await;
    assert_equal(&source.access(), &target.access()).await;
}

/// Nobody marks a key that a flush removed and that the target never had.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_flush_removed_is_not_told_any_more() {
    let (source, target) = (Server::plain7().start(), Server::plain6().start());
    source.command(&["HSET", "session", "user", "u"]);
    source.command(&["HPEXPIRE", "session", "10000000", "FIELDS", "1", "user"]);
    let following = follow(&source.access(), &target.access(), None).await;
    following.until(|status| status.incompatible == 1).await;
    source.command(&["FLUSHALL"]);
    let watch = following.watch.clone();
    let outcome = following.ends_ready().await;
    assert_eq!((outcome.status.incompatible, watch.incompatible(1)), (0, Vec::new()), "{outcome:?}");
}
