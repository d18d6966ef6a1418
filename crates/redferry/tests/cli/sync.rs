//! `redferry sync`: real servers are followed while real clients write.

use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::server::Reply;
use testkit::workload::Workload;
use testkit::{Access, Cluster, Server, compare, dataset};

use crate::bad_input::url_as;
use crate::support::{Ended, Redferry, Running};

const QUIET: [&str; 2] = ["--until-quiet", "500ms"];

pub(crate) fn plain() -> (Server, Server, Redferry) {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let redferry = Redferry::between(&source.access(), &target.access());
    (source, target, redferry)
}

/// Waits until a command of the server's answers what is wanted.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until every key that was there at the beginning has been carried: the last one written is the witness.
pub(crate) fn until_followed(source: &Server, target: &Server) {
    until("a new key arrives", || {
        source.command(&["SET", "witness", "there"]);
        target.command(&["GET", "witness"]) == Reply::Bulk(Some(b"there".to_vec()))
    });
}

#[track_caller]
pub(crate) fn expect_ready(running: Running, code: i32) -> Ended {
    let ended = running.wait().expect(code);
    assert_eq!(ended.report["ready"], true, "{ended:#?}");
    assert_eq!(ended.report["phase"], "following", "{ended:#?}");
    ended
}

async fn live(source: &Access, target: &Access) -> Ended {
    dataset::mixed(source, 2_000, 50).await;
    let redferry = Redferry::between(source, target);
    let writing = Workload::new(50).start(source);
    let child = redferry.start("sync", &QUIET);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (written, _) = writing.end().await;
    assert!(written > 500, "only {written} commands were written");
    let ended = expect_ready(child, 0);
    assert_eq!(ended.report["feed"], "tracking");
    assert!(ended.number("changes") > 0 && ended.number("keys_carried") >= 2_000, "{ended:#?}");
    let verified = redferry.run("verify", &["--until-stable", "500ms"]).expect(0);
    assert!(verified.number("keys_compared") > 1_000, "{verified:#?}");
    compare::caches(source, target, &compare::Options::default()).await.assert_equal();
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_followed_until_nobody_writes_and_both_sides_are_equal() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let ended = live(&source.access(), &target.access()).await;
    assert_eq!(ended.report["gaps"].as_array().map(Vec::len), Some(1), "only the beginning: {ended:#?}");
    assert!(ended.report["gaps"][0]["healed_ms"].is_u64(), "{ended:#?}");
    ended.expect_calm();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_of_a_cluster_is_followed() {
    let (source, target) = (Cluster::acr(3).start(), Server::amr().start());
    let ended = live(&source.access(), &target.access()).await;
    assert_eq!(ended.report["nodes"].as_array().map(Vec::len), Some(3), "{ended:#?}");
}

#[test]
fn keys_that_only_the_target_has_are_removed_only_when_that_is_said() {
    let (source, target, redferry) = plain();
    source.command(&["SET", "both", "new"]);
    target.command(&["SET", "both", "old"]);
    target.command(&["SET", "only", "there"]);
    redferry.run("sync", &QUIET).expect(3).expect_said("DELETED").expect_said("--adopt-target");
    assert_eq!(target.command(&["GET", "both"]), Reply::Bulk(Some(b"old".to_vec())));
    redferry.run("sync", &["--skip-check", "target_empty"]).expect(2).expect_said("--adopt-target");
    assert_eq!(target.command(&["DBSIZE"]), Reply::Integer(2));
    let ended = expect_ready(redferry.start("sync", &["--adopt-target", "--until-quiet", "500ms"]), 0);
    assert_eq!(ended.number("keys_removed"), 1, "{ended:#?}");
    assert_eq!(target.command(&["GET", "both"]), Reply::Bulk(Some(b"new".to_vec())));
    assert_eq!(target.command(&["DBSIZE"]), Reply::Integer(1));
}

#[test]
fn keys_of_other_names_are_nobodys_business() {
    let (source, target, redferry) = plain();
    source.command(&["SET", "app:1", "x"]);
    target.command(&["SET", "app:2", "x"]);
    target.command(&["SET", "other", "x"]);
    let ended =
        redferry.run("sync", &["--adopt-target", "--match", "app:*", "--until-quiet", "300ms"]).expect(0);
    assert_eq!(ended.number("keys_removed"), 1, "{ended:#?}");
    assert_eq!(target.command(&["EXISTS", "app:1", "other"]), Reply::Integer(2));
}

#[test]
fn keys_that_the_target_does_not_take_are_told() {
    let (source, target, _) = plain();
    source.command(&["SET", "open:1", "x"]);
    source.command(&["SET", "closed:1", "x"]);
    target.command(&["ACL", "SETUSER", "writer", "on", ">pw", "~open:*", "~redferry:*", "+@all"]);
    let redferry =
        Redferry::between_addresses(&source.access().url(), &url_as("writer", "pw", &target.access()));
    let ended = expect_ready(redferry.start("sync", &[&QUIET[..], &["--show-keys"]].concat()), 1);
    assert_eq!(ended.report["examples"]["target_forbids"][0], "closed:1", "{ended:#?}");
    assert!(ended.report["refused"]["target_forbids"].as_u64().is_some_and(|keys| keys > 0), "{ended:#?}");
    assert!(ended.report["remedies"]["target_forbids"].is_string(), "{ended:#?}");
    assert_eq!(ended.report["lacking"], 1, "{ended:#?}");
}

#[test]
fn ctrl_c_ends_it_with_a_document() {
    let (source, target, redferry) = plain();
    let child = redferry.start("sync", &[]);
    until_followed(&source, &target);
    let ended = child.stop().expect(4).expect_said("the same command goes on");
    assert_eq!(ended.report["ready"], false, "{ended:#?}");
    assert!(["snapshot", "following"].contains(&ended.report["phase"].as_str().unwrap()), "{ended:#?}");
}

#[test]
fn a_feed_that_is_cut_off_is_a_gap_that_heals() {
    let (source, target, redferry) = plain();
    let child = redferry.start("sync", &["--until-quiet", "2s"]);
    until_followed(&source, &target);
    until("the feed is cut off", || {
        source.command(&["CLIENT", "KILL", "TYPE", "pubsub"]) == Reply::Integer(1)
    });
    source.command(&["SET", "in the gap", "x"]);
    let ended = expect_ready(child, 0);
    let gaps = ended.report["gaps"].as_array().cloned().unwrap_or_default();
    let reasons: Vec<&Value> = gaps.iter().map(|gap| &gap["reason"]).collect();
    assert_eq!(reasons, ["beginning", "feed_lost"], "{ended:#?}");
    assert!(gaps.iter().all(|gap| gap["healed_ms"].as_u64() > gap["since_ms"].as_u64()), "{ended:#?}");
    assert_eq!(target.command(&["EXISTS", "in the gap"]), Reply::Integer(1));
}

#[test]
fn every_node_is_heard_twice_where_that_is_wanted() {
    let (source, target, redferry) = plain();
    let child = redferry.start("sync", &["--feeds", "2", "--until-quiet", "2s"]);
    until_followed(&source, &target);
    until("both feeds are cut off", || {
        source.command(&["CLIENT", "KILL", "TYPE", "pubsub"]) == Reply::Integer(2)
    });
    let ended = expect_ready(child, 0);
    let gaps = ended.report["gaps"].as_array().cloned().unwrap_or_default();
    assert!(gaps.iter().any(|gap| gap["reason"] == "feed_lost"), "{ended:#?}");
    redferry.run("sync", &["--feeds", "3"]).expect(2);
}

#[test]
fn a_source_without_any_feed_is_refused_in_its_own_words() {
    let (source, target, _) = plain();
    source.command(&["SET", "a", "x"]);
    source.command(&["ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-client"]);
    let redferry =
        Redferry::between_addresses(&url_as("reader", "pw", &source.access()), &target.access().url());
    for feed in ["auto", "tracking"] {
        let ended = redferry.run("sync", &["--feed", feed]).expect(3);
        ended.expect_said("NOPERM").expect_said("notify-keyspace-events").expect_said("nothing was written");
    }
    redferry.run("sync", &["--feed", "events"]).expect(3).expect_said("switched off");
    source.command(&["ACL", "SETUSER", "reader", "-config"]);
    redferry.run("sync", &[]).expect(3).expect_said("cannot be checked").expect_said("--feed events");
    assert_eq!(target.command(&["DBSIZE"]), Reply::Integer(0));
}

#[test]
fn key_events_are_taken_where_tracking_is_refused_and_a_flush_is_noticed_all_the_same() {
    let source = Server::plain6().arg("notify-keyspace-events", "AE").start();
    let target = Server::plain7().start();
    source.command(&["SET", "a", "x"]);
    source.command(&["ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-client"]);
    let redferry =
        Redferry::between_addresses(&url_as("reader", "pw", &source.access()), &target.access().url());
    let child = redferry.start("sync", &["--until-quiet", "3s"]);
    until_followed(&source, &target);
    // The counters are read every second, the first time when it begins.
    std::thread::sleep(Duration::from_millis(1500));
    source.command(&["FLUSHDB"]);
    let ended = expect_ready(child, 0);
    assert_eq!(ended.report["feed"], "events");
    assert_eq!(target.command(&["DBSIZE"]), Reply::Integer(0), "{ended:#?}");
}

#[test]
fn filters_by_what_changes_are_refused() {
    let redferry = Redferry::between_addresses("localhost:1", "localhost:2");
    for options in [&["--type", "hash"][..], &["--min-ttl", "1h"], &["--no-ttl-only"]] {
        redferry.run("sync", options).expect(2).expect_said("does not go with sync").expect_said("--match");
    }
}
