//! Gaps of a live sync heal by a comparison that carries what differs, and nothing else.

use std::time::Duration;

use testkit::server::Reply;
use testkit::{Server, compare, dataset};

use crate::support::Redferry;
use crate::sync::{expect_ready, until, until_followed};

const KEYS: u64 = 20_000;

/// Keys that the script leaves different, fifty by their values.
const DIFFERING: u64 = 50 + 20 + 10 + 10;

/// What somebody does to the target who should not: other values, other expiries of keys and fields, and keys that are
/// gone or that nobody else has.
const TAMPERING: &str = "for i = 1, 50 do redis.call('SET', 'string:' .. i, 'other') end \
     for i = 101, 110 do redis.call('EXPIRE', 'string:' .. i, 1000) end \
     for i = 1, 10 do redis.call('PEXPIRE', 'expiring:' .. i, 50001000) end \
     for i = 1, 10 do redis.call('HPEXPIRE', 'fields:' .. i, 50001000, 'FIELDS', 1, 'a') end \
     for i = 201, 210 do redis.call('DEL', 'string:' .. i) end \
     for i = 1, 30 do redis.call('SET', 'extra:' .. i, 'x') end";

/// Keys with expiries, and hashes whose fields have some.
const EXPIRING: &str = "for i = 1, 500 do \
       redis.call('SET', 'expiring:' .. i, 'x', 'PX', 50000000) \
       redis.call('HSET', 'fields:' .. i, 'a', 1, 'b', 2) \
       redis.call('HPEXPIRE', 'fields:' .. i, 50000000, 'FIELDS', 1, 'a') \
     end";

/// How often a server ran these commands.
fn calls(server: &Server, commands: &[&str]) -> u64 {
    let Reply::Bulk(Some(info)) = server.command(&["INFO", "commandstats"]) else { panic!("no INFO") };
    let info = String::from_utf8(info).unwrap();
    let of = |command: &&str| -> u64 {
        let facts = info.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        facts.map_or(0, |facts| facts.split(',').next().unwrap().parse().unwrap())
    };
    commands.iter().map(of).sum()
}

fn writes(target: &Server) -> u64 {
    calls(target, &["set", "restore"])
}

/// Waits until nothing is written any more.
fn until_still(target: &Server) {
    let mut before = 0;
    until("nothing is written", || {
        std::thread::sleep(Duration::from_millis(500));
        std::mem::replace(&mut before, writes(target)) == writes(target)
    });
}

fn cut_off_the_feed(source: &Server) {
    until("the feed is cut off", || {
        source.command(&["CLIENT", "KILL", "TYPE", "pubsub"]) == Reply::Integer(1)
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_healed_by_carrying_what_differs() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    dataset::strings(&from, KEYS, 20).await;
    dataset::mixed(&from, 2_000, 60).await;
    source.command(&["EVAL", EXPIRING, "0"]);
    let redferry = Redferry::between(&from, &to);
    let child = redferry.start("sync", &["--until-quiet", "8s"]);
    until("everything is there", || target.command(&["DBSIZE"]) == source.command(&["DBSIZE"]));
    until_followed(&source, &target);
    until_still(&target);
    assert_ne!(writes(&target), 0, "the counters tell");
    assert!(matches!(target.command(&["EVAL", TAMPERING, "0"]), Reply::Bulk(None)));
    target.command(&["CONFIG", "RESETSTAT"]);
    cut_off_the_feed(&source);
    let ended = expect_ready(child, 0);
    let reasons: Vec<_> = ended.report["gaps"].as_array().unwrap().iter().map(|gap| &gap["reason"]).collect();
    assert_eq!(reasons, ["beginning", "feed_lost"], "{ended:#?}");
    assert_eq!(ended.number("keys_removed"), 30, "{ended:#?}");
    let written = writes(&target);
    println!("{written} writes for {DIFFERING} keys that differ");
    // Expiries that a loaded machine lets nobody measure well are carried once more.
    assert!((DIFFERING..DIFFERING + KEYS / 20).contains(&written), "{written} writes");
    assert!(ended.number("ttl_error_bound_ms") < 100, "{ended:#?}");
    compare::caches(&from, &to, &compare::Options::default()).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_has_most_of_it_is_compared_first() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    for side in [&from, &to] {
        dataset::strings(side, 3_000, 20).await;
    }
    for key in ["string:1", "string:2", "string:3"] {
        target.command(&["SET", key, "other"]);
    }
    target.command(&["CONFIG", "RESETSTAT"]);
    let redferry = Redferry::between(&from, &to);
    let ended = expect_ready(redferry.start("sync", &["--adopt-target", "--until-quiet", "500ms"]), 0);
    assert_eq!(ended.number("keys_carried"), 3, "{ended:#?}");
    assert!(writes(&target) < 20, "{} writes, those of the preflight included", writes(&target));
    compare::caches(&from, &to, &compare::Options::default()).await.assert_equal();
}

/// The lane has read a state that is on its way to the target when the source goes back to the one before, unheard.
/// Both sides are equal then, for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_while_a_gap_is_healed_is_looked_at_again() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    source.command(&["SET", "back", "before"]);
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start("sync", &["--until-quiet", "3s"]);
    until_followed(&source, &target);
    // Nothing is written, everything is answered.
    target.command(&["CLIENT", "PAUSE", "5000", "WRITE"]);
    let reads = || calls(&source, &["getrange"]);
    let before = reads();
    source.command(&["MSET", "back", "between", "gone", "between"]);
    until("both are read", || reads() >= before + 2);
    cut_off_the_feed(&source);
    source.command(&["EVAL", "redis.call('SET', 'back', 'before') redis.call('DEL', 'gone')", "0"]);
    let ended = expect_ready(child, 0);
    assert_eq!(ended.report["gaps"][1]["reason"], "feed_lost", "{ended:#?}");
    assert_eq!(target.command(&["GET", "back"]), Reply::Bulk(Some(b"before".to_vec())));
    assert_eq!(target.command(&["EXISTS", "gone"]), Reply::Integer(0));
}
