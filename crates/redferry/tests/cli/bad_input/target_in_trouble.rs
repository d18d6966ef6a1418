//! A target that fills up or stops taking writes half way.

use std::time::Duration;

use testkit::{Access, Server, compare, dataset};

use super::{ends, keys};
use crate::support::Redferry;

/// Slow enough to interfere with.
const SLOW: [&str; 4] = ["--max-keys-per-sec", "20000", "--give-up-after", "20s"];
const KEYS: u64 = 30_000;

async fn equal(source: &Access, target: &Access) {
    compare::caches(source, target, &compare::Options::default()).await.assert_equal();
}

async fn half_way() {
    tokio::time::sleep(Duration::from_millis(700)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_target_ends_resumable_and_goes_on_when_there_is_room() {
    let source = Server::acr().start();
    let target = Server::plain7().maxmemory("8mb").policy("noeviction").start();
    dataset::strings(&source.access(), 10_000, 1000).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    // The preflight sees it coming.
    ends(redferry.copy(&[]), 3, &["the source's keys take", "choose a larger target"]);
    assert_eq!(keys(&target), 0);
    let ended =
        ends(redferry.copy(&["--skip-check", "memory"]), 4, &["is full", "scale the target up", "again"]);
    assert!(ended.number("keys_copied") > 1000, "{ended:#?}");
    target.command(&["CONFIG", "SET", "maxmemory", "0"]);
    let ended = ends(redferry.copy(&[]), 0, &[]);
    assert_eq!((ended.number("keys_copied"), &ended.report["resumed"]), (10_000, &true.into()));
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_full_from_the_beginning() {
    let source = Server::acr().start();
    source.command(&["SET", "key", "value"]);
    let target = Server::plain7().policy("noeviction").start();
    target.command(&["SET", "a", "value"]);
    target.command(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let redferry = Redferry::between(&source.access(), &target.access());
    ends(redferry.copy(&["--on-conflict", "skip"]), 3, &["at its memory limit", "scale the target up"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_its_replicas_is_waited_for() {
    let (source, target) = (Server::acr().start(), Server::plain7().start());
    dataset::strings(&source.access(), KEYS, 40).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start_copy(&SLOW);
    half_way().await;
    target.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(keys(&target) < KEYS as i64, "the copy was faster than the fault");
    target.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    let ended = ends(child.wait(), 0, &[]);
    assert_eq!(ended.number("keys_copied"), KEYS);
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_a_replica_for_a_while_is_waited_for() {
    let (source, target) = (Server::acr().start(), Server::plain7().start());
    dataset::strings(&source.access(), KEYS, 40).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start_copy(&SLOW);
    half_way().await;
    // Nobody is there to replicate from, so its keys stay.
    target.command(&["REPLICAOF", "127.0.0.1", "1"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(keys(&target) < KEYS as i64, "the copy was faster than the fault");
    target.command(&["REPLICAOF", "NO", "ONE"]);
    let ended = ends(child.wait(), 0, &[]);
    assert_eq!(ended.number("keys_copied"), KEYS);
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_stays_read_only_is_given_up_resumable() {
    let (source, target) = (Server::acr().start(), Server::plain7().start());
    dataset::strings(&source.access(), KEYS, 40).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start_copy(&["--max-keys-per-sec", "20000", "--give-up-after", "1s"]);
    half_way().await;
    target.command(&["REPLICAOF", "127.0.0.1", "1"]);
    ends(child.wait(), 4, &["gave up", "target", "READONLY", "run the same command again"]);
    // Preflight knows a replica when it sees one.
    ends(redferry.copy(&[]), 3, &["is a replica and takes no writes"]);
    target.command(&["REPLICAOF", "NO", "ONE"]);
    ends(redferry.copy(&[]), 0, &[]);
    equal(&source.access(), &target.access()).await;
}
