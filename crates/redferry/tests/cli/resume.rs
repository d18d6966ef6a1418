//! Interruptions of every kind, and going on after them.

use std::time::Duration;

use testkit::relay::{Relay, Way};
use testkit::{Access, Cluster, Server, compare, dataset};

use crate::support::Redferry;

/// Few keys a second, so that there is time to interrupt.
const SLOW: [&str; 4] = ["--max-keys-per-sec", "20000", "--give-up-after", "20s"];

const SEED: u64 = 20_261_124;

async fn equal(source: &Access, target: &Access) {
    compare::caches(source, target, &compare::Options::default()).await.assert_equal();
}

/// A child that was stopped by force at a moment that the seed decides.
fn moment(seed: &mut u64) -> Duration {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    Duration::from_millis(150 + *seed % 400)
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_at_twenty_moments_ends_equal() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::strings(&source, 120_000, 40).await;
    dataset::mixed(&source, 5_000, SEED).await;
    let redferry = Redferry::between(&source, &target);
    let mut seed = SEED;
    let mut killed = 0;
    while killed < 20 {
        let mut child = redferry.start_copy(&SLOW);
        std::thread::sleep(moment(&mut seed));
        if child.has_ended() {
            break;
        }
        child.kill();
        killed += 1;
    }
    assert!(killed >= 10, "only {killed} of the runs lasted long enough to be killed (seed {SEED})");
    let last = redferry.copy(&[]).expect(0);
    assert_eq!(last.report["resumed"], true, "{last:#?}");
    let keys = last.number("keys_scanned");
    assert_eq!(last.number("keys_copied"), keys, "a resumed run counts every key once");
    assert_eq!(keys, 125_000 - duplicates(&source, 125_000).await, "{last:#?}");
    equal(&source, &target).await;
}

/// How many keys fewer there are than were written, because some were written twice.
async fn duplicates(access: &Access, written: u64) -> u64 {
    let mut connection = access.connect().await;
    let keys: u64 = redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
    written.saturating_sub(keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_cleanly_and_says_how_to_go_on() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::strings(&source, 60_000, 40).await;
    let redferry = Redferry::between(&source, &target);
    let child = redferry.start_copy(&SLOW);
    tokio::time::sleep(Duration::from_millis(700)).await;
    let ended = child.stop().expect(4).expect_said("run the same command again");
    assert_eq!(ended.report["status"], "interrupted");
    assert!(ended.number("keys_copied") > 0);
    let ended = redferry.copy(&[]).expect(0);
    assert_eq!((ended.number("keys_copied"), &ended.report["resumed"]), (60_000, &true.into()));
    equal(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_are_made_again_on_both_sides() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::mixed(&source, 20_000, SEED).await;
    dataset::strings(&source, 30_000, 500).await;
    let to_source = Relay::to(&source.host, source.port);
    let to_target = Relay::to(&target.host, target.port);
    to_source.cut_randomly(SEED, 2_000_000);
    to_target.cut_randomly(SEED + 1, 2_000_000);
    let redferry = Redferry::between(&source.via(to_source.port()), &target.via(to_target.port()));
    let ended = redferry.copy(&["--give-up-after", "60s"]).expect(0);
    assert!(to_source.accepted() + to_target.accepted() > 10, "the relay cut nothing (seed {SEED})");
    assert_eq!(ended.number("scan_restarts"), 0, "the same process keeps its cursor");
    equal(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_after_a_write_loses_no_key_and_counts_none_twice() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::strings(&source, 40_000, 100).await;
    let to_target = Relay::to(&target.host, target.port);
    let redferry = Redferry::between(&source, &target.via(to_target.port()));
    let child = redferry.start_copy(&SLOW);
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        to_target.drop_replies(true);
        tokio::time::sleep(Duration::from_millis(100)).await;
        to_target.drop_replies(false);
    }
    let ended = child.wait().expect(0);
    assert_eq!(ended.number("keys_copied"), 40_000);
    equal(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_at_the_sources_address_is_scanned_from_the_beginning() {
    // Append-only, so that the restarted server has its keys; a cursor of the old process means nothing there.
    let source = Server::acr().arg("appendonly", "yes").start();
    let target = Server::amr().start();
    dataset::strings(&source.access(), 60_000, 40).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start_copy(&SLOW);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    source.kill();
    tokio::time::sleep(Duration::from_millis(300)).await;
    source.restart();
    let ended = child.wait().expect(0);
    assert_eq!(ended.number("scan_restarts"), 1, "{ended:#?}");
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_primary_fails_over_half_way() {
    let source = Cluster::acr(3).replicas(1).tls(true).start();
    let target = Server::amr().start();
    dataset::strings(&source.access(), 60_000, 40).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start_copy(&SLOW);
    tokio::time::sleep(Duration::from_millis(1000)).await;
    source.kill_node(1);
    source.failover(1);
    child.wait().expect(0);
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_lasts_ends_resumable() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::strings(&source, 60_000, 40).await;
    let relay = Relay::to(&target.host, target.port);
    let redferry = Redferry::between(&source, &target.via(relay.port()));
    let child = redferry.start_copy(&["--max-keys-per-sec", "20000", "--give-up-after", "2s"]);
    tokio::time::sleep(Duration::from_millis(800)).await;
    relay.refuse(true);
    relay.cut();
    child.wait().expect(4).expect_said("gave up after");
    relay.heal();
    let ended = redferry.copy(&[]).expect(0);
    assert_eq!(ended.report["resumed"], true);
    equal(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_given_up_and_made_again() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::strings(&source, 30_000, 40).await;
    let relay = Relay::to(&source.host, source.port);
    let redferry = Redferry::between(&source.via(relay.port()), &target);
    let child =
        redferry.start_copy(&["--max-keys-per-sec", "20000", "--silence", "1s", "--connect-timeout", "1s"]);
    tokio::time::sleep(Duration::from_millis(700)).await;
    relay.stall(true);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    relay.heal();
    relay.cut();
    child.wait().expect(0);
    assert!(relay.bytes(Way::ToClient) > 0);
    equal(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_file_of_another_pair_is_refused() {
    let (source, target, other) = (Server::acr().start(), Server::amr().start(), Server::amr().start());
    dataset::strings(&source.access(), 60_000, 40).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start_copy(&["--max-keys-per-sec", "20000", "--state", "run.json"]);
    tokio::time::sleep(Duration::from_millis(900)).await;
    child.stop().expect(4);
    let state = redferry.folder().join("run.json").display().to_string();
    let elsewhere = Redferry::between(&source.access(), &other.access());
    elsewhere.copy(&["--state", &state]).expect(3).expect_said("belongs to another copy");
    redferry.copy(&["--state", "run.json", "--match", "x*"]).expect(3).expect_said("--match");
    let text = std::fs::read_to_string(&state).unwrap();
    assert!(!text.contains("testkit-secret"), "a state file holds no password");
}
