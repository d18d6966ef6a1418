//! A sync that goes on: it is cut over, taken back, killed, cut off, and in the end both sides are equal.

use std::time::Duration;

use serde_json::Value;
use testkit::relay::Relay;
use testkit::server::Reply;
use testkit::workload::Workload;
use testkit::{Access, Cluster, Server, compare, dataset};

use crate::bad_input::url_as;
use crate::support::Redferry;
use crate::sync::{until, until_followed};

fn phase(redferry: &Redferry) -> Value {
    let asked = redferry.ask("status", &[]);
    if asked.code == 0 { asked.report["phase"].clone() } else { Value::Null }
}

fn until_phase(redferry: &Redferry, wanted: &str) {
    until(wanted, || phase(redferry) == wanted);
}

async fn assert_equal(one: &Access, other: &Access) {
    tokio::time::sleep(Duration::from_millis(100)).await;
    compare::caches(one, other, &compare::Options::default()).await.assert_equal();
}

async fn write(access: &Access, seed: u64, time: Duration) {
    let writing = Workload { keys: 200, ..Workload::new(seed) }.start(access);
    tokio::time::sleep(time).await;
    let (written, _) = writing.end().await;
    assert!(written > 100, "only {written} commands were written");
}

const NOW: [&str; 4] = ["--expect-quiet", "500ms", "--verify", "full"];

async fn there_and_back_again(source: &Access, target: &Access) {
    dataset::mixed(source, 1_000, 70).await;
    let redferry = Redferry::between(source, target);
    let running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    write(source, 70, Duration::from_secs(2)).await;
    redferry.ask("rollback", &NOW).expect(3).expect_said("the source is in charge");
    let checked = redferry.ask("cutover", &["--check"]).expect(0);
    assert!(checked.report["conditions"].as_array().is_some_and(|all| all.len() > 2), "{checked:#?}");
    assert_eq!(redferry.ask("status", &[]).report["turns"], Value::Array(Vec::new()));

    let over = redferry.ask("cutover", &NOW).expect(0);
    assert_eq!(
        (&over.report["direction"], &over.report["failure"]),
        (&"back".into(), &Value::Null),
        "{over:#?}"
    );
    assert!(over.number("keys_compared") > 500, "{over:#?}");
    assert_equal(source, target).await;
    redferry.ask("cutover", &NOW).expect(3).expect_said("cut over already");
    redferry.ask("cutover", &["--check"]).expect(3).expect_said("was made already");

    write(target, 71, Duration::from_secs(2)).await;
    let back = redferry.ask("rollback", &NOW).expect(0);
    assert_eq!(back.report["direction"], "forward", "{back:#?}");
    assert_eq!(back.report["turns"].as_array().map(Vec::len), Some(2), "{back:#?}");
    assert_equal(target, source).await;

    write(source, 72, Duration::from_secs(1)).await;
    redferry.ask("cutover", &NOW).expect(0);
    assert_equal(source, target).await;
    let ended = running.stop().expect(4).expect_said("the target is in charge");
    assert_eq!(ended.report["direction"], "back", "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_go_over_and_back_and_over() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    there_and_back_again(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_go_over_and_back_and_over() {
    let (source, target) = (Cluster::plain6(3).start(), Cluster::plain7(2).start());
    there_and_back_again(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_do_not_stop_are_named_and_nothing_happens() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let redferry = Redferry::between(&source.access(), &target.access());
    let _running = redferry.start("sync", &["--show-keys"]);
    until_phase(&redferry, "following");
    let writing = Workload { keys: 5, ..Workload::new(73) }.start(&source.access());
    let ended = redferry.ask("cutover", &["--expect-quiet", "2s", "--wait", "6s"]).expect(3);
    assert_eq!(ended.report["failure"], "not_quiet", "{ended:#?}");
    ended
        .expect_said("waiting for the writers to stop")
        .expect_said("commands that write")
        .expect_said("the source stays in charge");
    writing.end().await;
    let status = redferry.ask("status", &[]).expect(0);
    assert_eq!(
        (&status.report["direction"], &status.report["turns"]),
        (&"forward".into(), &Value::Array(Vec::new()))
    );
    redferry.ask("cutover", &NOW).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_expire_all_the_time_are_no_writers() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let mut connection = source.access().connect().await;
    let mut pipeline = redis::Pipeline::new();
    for key in 0..60_000 {
        pipeline.cmd("SET").arg(format!("session:{key}")).arg("x").arg("PX").arg(5_000 + key).ignore();
    }
    pipeline.query_async::<()>(&mut connection).await.unwrap();
    let redferry = Redferry::between(&source.access(), &target.access());
    let _running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    let over =
        redferry.ask("cutover", &["--expect-quiet", "2s", "--wait", "30s", "--verify", "full"]).expect(0);
    assert!(over.number("elapsed_ms") < 25_000, "{over:#?}");
    let Reply::Integer(left) = source.command(&["DBSIZE"]) else { panic!("no DBSIZE") };
    assert!(left > 1_000, "keys still expire");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_differ_forbid_it() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    dataset::strings(&source.access(), 300, 20).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let _running = redferry.start("sync", &["--show-keys"]);
    until_phase(&redferry, "following");
    target.command(&["SET", "stray", "x"]);
    let ended = redferry.ask("cutover", &NOW).expect(1);
    assert_eq!(
        (&ended.report["failure"], &ended.report["differing"]["extra"]),
        (&"differences".into(), &1.into())
    );
    assert_eq!(ended.report["examples"][0]["key"], "stray", "{ended:#?}");
    let ended = redferry.ask("cutover", &[&NOW[..], &["--accept-differences"]].concat()).expect(1);
    assert_eq!((&ended.report["failure"], &ended.report["direction"]), (&Value::Null, &"back".into()));
}

#[test]
fn keys_that_a_side_refuses_forbid_it_until_they_are_taken() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    source.command(&["SET", "open:1", "x"]);
    source.command(&["SET", "closed:1", "x"]);
    target.command(&["ACL", "SETUSER", "writer", "on", ">pw", "~open:*", "~redferry:*", "+@all"]);
    let redferry =
        Redferry::between_addresses(&source.access().url(), &url_as("writer", "pw", &target.access()));
    let running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    // This user cannot hear every key of the target.
    let order = ["--expect-quiet", "300ms", "--verify", "none", "--no-way-back"];
    let ended = redferry.ask("cutover", &order).expect(1);
    assert_eq!((&ended.report["failure"], &phase(&redferry)), (&"lacking".into(), &"following".into()));
    assert_eq!(redferry.ask("status", &[]).report["lacking"], 1);
    target.command(&["ACL", "SETUSER", "writer", "~closed:*"]);
    redferry.ask("cutover", &order).expect(0);
    let ended = running.wait().expect(0);
    assert_eq!((&ended.report["lacking"], &ended.report["ready"]), (&0.into(), &true.into()), "{ended:#?}");
    assert!(ended.report["refused"]["target_forbids"].as_u64().is_some_and(|tries| tries > 0), "{ended:#?}");
    assert_eq!(target.command(&["EXISTS", "open:1", "closed:1"]), Reply::Integer(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_version_cannot_hold_is_told_before_it_takes_over_again() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    dataset::strings(&source.access(), 300, 20).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let _running = redferry.start("sync", &["--show-keys"]);
    until_phase(&redferry, "following");
    redferry.ask("cutover", &NOW).expect(0);
    target.command(&["HSET", "session", "user", "u", "token", "t"]);
    target.command(&["HPEXPIRE", "session", "10000000", "FIELDS", "1", "token"]);
    until("it is found", || redferry.ask("status", &[]).report["incompatible"] == 1);
    let refused = redferry.ask("rollback", &[&NOW[..], &["--refuse-incompatible"]].concat()).expect(3);
    assert_eq!(refused.report["failure"], "incompatible", "{refused:#?}");
    let back = redferry.ask("rollback", &NOW).expect(0);
    assert_eq!((&back.report["incompatible"], &back.report["direction"]), (&1.into(), &"forward".into()));
    // The source is in charge, and does not have it.
    until("it is gone", || target.command(&["EXISTS", "session"]) == Reply::Integer(0));
    redferry.ask("cutover", &NOW).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_way_back_the_sync_ends_there() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    dataset::strings(&source.access(), 300, 20).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    let over = redferry.ask("cutover", &[&NOW[..], &["--no-way-back"]].concat()).expect(0);
    assert_eq!(over.report["way_back"], false, "{over:#?}");
    let ended = running.wait().expect(0);
    assert_eq!(ended.report["ready"], true, "{ended:#?}");
    assert_equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_sync_goes_on_in_every_phase() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    dataset::mixed(&from, 20_000, 74).await;
    let redferry = Redferry::between(&from, &to);
    let slow = redferry.start("sync", &["--max-keys-per-sec", "4000"]);
    until(
        "some keys are there",
        || matches!(target.command(&["DBSIZE"]), Reply::Integer(keys) if keys > 2_000),
    );
    slow.kill();

    let running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    write(&from, 74, Duration::from_secs(1)).await;
    running.kill();
    write(&from, 75, Duration::from_secs(1)).await;
    source.command(&["FLUSHDB"]);
    dataset::strings(&from, 500, 30).await;

    let running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    redferry.ask("cutover", &NOW).expect(0);
    assert_equal(&from, &to).await;
    write(&to, 76, Duration::from_secs(1)).await;
    running.kill();
    write(&to, 77, Duration::from_secs(1)).await;

    // What was cut over stays so: the target's keys go to the source.
    let running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    redferry.ask("rollback", &NOW).expect(0);
    assert_equal(&to, &from).await;
    running.stop().expect(4);

    let running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    let gaps = redferry.ask("status", &[]).report["gaps"].clone();
    assert_eq!(
        (&gaps[0]["reason"], gaps.as_array().map(Vec::len)),
        (&"restart".into(), Some(1)),
        "{gaps:#?}"
    );
    running.stop().expect(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_away_for_half_a_minute() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let relay = Relay::to(&from.host, from.port);
    let redferry = Redferry::between(&from.via(relay.port()), &to);
    dataset::mixed(&from, 2_000, 78).await;
    let _running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    relay.stall(true);
    write(&from, 78, Duration::from_secs(30)).await;
    relay.stall(false);
    redferry.ask("cutover", &NOW).expect(0);
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_full_for_a_while() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let redferry = Redferry::between(&source.access(), &target.access());
    let _running = redferry.start("sync", &[]);
    until_followed(&source, &target);
    target.command(&["CONFIG", "SET", "maxmemory", "1mb"]);
    dataset::strings(&source.access(), 2_000, 1_000).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    until_phase(&redferry, "following");
    assert_ne!(target.command(&["DBSIZE"]), source.command(&["DBSIZE"]));
    let waiting = redferry.ask("status", &[]).report["nodes"][0]["waiting"].clone();
    assert!(waiting.as_str().is_some_and(|why| why.contains("it is full")), "{waiting}");
    target.command(&["CONFIG", "SET", "maxmemory", "0"]);
    redferry.ask("cutover", &NOW).expect(0);
    assert_equal(&source.access(), &target.access()).await;
}

#[test]
fn a_state_of_another_pair_or_in_use_is_refused() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let redferry = Redferry::between(&source.access(), &target.access());
    let _running = redferry.start("sync", &["--state", "mine.json"]);
    until_followed(&source, &target);
    redferry
        .run("sync", &["--state", "mine.json"])
        .expect(3)
        .expect_said("another redferry is using the state file");
    redferry.ask("status", &["--state", "mine.json"]).expect(0);
    redferry.ask("status", &[]).expect(5);
    std::fs::copy(redferry.folder().join("mine.json"), redferry.folder().join("other.json")).unwrap();
    redferry
        .run("sync", &["--state", "other.json", "--match", "a*"])
        .expect(3)
        .expect_said("belongs to another")
        .expect_said("--match was not given and is now \"a*\"");
}

/// Megabytes of the value; 511 for the test that is not made every day, since no string is longer than 512.
fn big() -> u64 {
    std::env::var("REDFERRY_BIG_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(64)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_value_that_changes_while_it_is_read() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let last = (big() * 1024 * 1024 - 1).to_string();
    let Reply::Integer(length) = source.command(&["SETRANGE", "large", &last, "x"]) else {
        panic!("not made")
    };
    assert_eq!(length as u64, big() * 1024 * 1024);
    let redferry = Redferry::between(&source.access(), &target.access());
    let running = redferry.start("sync", &[]);
    for place in 0..40 {
        source.command(&["SETRANGE", "large", &(place * 100_000).to_string(), "changed"]);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    redferry.ask("cutover", &NOW).expect(0);
    assert_eq!(target.command(&["STRLEN", "large"]), source.command(&["STRLEN", "large"]));
    assert_eq!(target.command(&["GETRANGE", "large", "3900000", "3900006"]).text(), "changed");
    let ended = running.stop().expect(4);
    let peak = ended.number("peak_rss_bytes");
    assert!(peak < 128 << 20, "{peak} bytes of memory");
}

#[test]
fn a_target_that_does_not_say_what_changes_is_called_the_target() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    target.command(&["ACL", "SETUSER", "writer", "on", ">pw", "~*", "&*", "+@all", "-client"]);
    let redferry =
        Redferry::between_addresses(&source.access().url(), &url_as("writer", "pw", &target.access()));
    let _running = redferry.start("sync", &[]);
    until_phase(&redferry, "following");
    let ended = redferry.ask("cutover", &NOW).expect(3).expect_said("the target refuses CLIENT TRACKING");
    let ended = ended.expect_said("switch the target's notify-keyspace-events");
    assert!(!ended.said.contains("source 127.0.0.1"), "{}", ended.said);
}
