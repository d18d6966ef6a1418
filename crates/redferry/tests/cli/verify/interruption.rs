//! Interruptions, and going on after them with every key counted once.

use std::time::Duration;

use testkit::relay::Relay;
use testkit::{Access, Cluster, Server, dataset};

use super::Pair;
use super::commands::run;
use super::findings::{each, expect_findings, found};

const KEYS: u64 = 60_000;

/// Few keys a second, so that there is time to interrupt.
const SLOW: [&str; 4] = ["--max-keys-per-sec", "20000", "--state", "verify.json"];

/// The same keys on both sides.
async fn fill(source: &Access, target: &Access) -> Pair {
    dataset::strings(source, KEYS, 40).await;
    let pair = Pair::of(source, target);
    pair.copy(&[]);
    pair
}

/// Differences all over the key space, on the target.
async fn spoil(target: &Access) -> Vec<(String, &'static str)> {
    let mut spoiled = Vec::new();
    for n in (0..KEYS).step_by(600) {
        let key = format!("string:{n}");
        let (text, kind) = match n / 600 % 3 {
            0 => ("DEL {key}", "missing"),
            1 => ("APPEND {key} x", "value"),
            _ => ("EXPIRE {key} 9999", "ttl"),
        };
        run(target, &key, text).await;
        spoiled.push((key, kind));
    }
    for n in 0..10 {
        let key = format!("extra:{n}");
        run(target, &key, "SET {key} x").await;
        spoiled.push((key, "extra"));
    }
    spoiled
}

fn expected(spoiled: &[(String, &'static str)]) -> super::Expected {
    each(&spoiled.iter().map(|(key, kind)| (key.as_str(), *kind)).collect::<Vec<_>>())
}

async fn half_way() {
    tokio::time::sleep(Duration::from_millis(1200)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_and_then_the_rest() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let pair = fill(&source.access(), &target.access()).await;
    let spoiled = spoil(&target.access()).await;
    for turn in 0..2 {
        let child = pair.start(&SLOW);
        half_way().await;
        let ended = child.stop().expect(4).expect_said("run the same command again");
        assert_eq!(ended.report["status"], "interrupted", "{turn}: {ended:#?}");
        assert!(pair.redferry.folder().join("verify.json").exists());
    }
    let state = std::fs::read_to_string(pair.redferry.folder().join("verify.json")).unwrap();
    assert!(!state.contains("testkit-secret"), "a state file holds no password");
    let ended = pair.verify(&["--state", "verify.json"]);
    expect_findings(&ended, &expected(&spoiled));
    assert_eq!(ended.report["resumed"], true, "{}", ended.said);
    assert_eq!(ended.number("keys_source"), KEYS);
    assert_eq!(ended.number("keys_target"), KEYS - 34 + 10);
    // What was resumed is over: the next run looks at everything again.
    run(&source.access(), "string:601", "APPEND {key} x").await;
    let ended = pair.verify(&["--state", "verify.json"]).expect(1);
    assert!(found(&ended).contains_key("string:601"), "{}", ended.said);
    assert_ne!(ended.report["resumed"], true);
    assert_eq!(ended.number("keys_source"), KEYS);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_and_then_the_rest() {
    let (source, target) = (Cluster::acr(2).start(), Server::amr().start());
    let pair = fill(&source.access(), &target.access()).await;
    let spoiled = spoil(&target.access()).await;
    for milliseconds in [300, 900, 1500, 1700, 2100] {
        let mut child = pair.start(&SLOW);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        // Those that end before are no loss: the next one begins anew.
        if !child.has_ended() {
            child.signal("-KILL");
        }
        assert_ne!(child.wait().code, 0, "differences are never a success");
    }
    let ended = pair.verify(&["--state", "verify.json"]);
    expect_findings(&ended, &expected(&spoiled));
    assert_eq!((ended.number("keys_source"), ended.number("keys_compared") <= KEYS), (KEYS, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_out_of_reach_ends_resumable() {
    out_of_reach("target").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_out_of_reach_ends_resumable() {
    out_of_reach("source").await;
}

async fn out_of_reach(side: &str) {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    fill(&source, &target).await;
    let spoiled = spoil(&target).await;
    let relay = if side == "target" {
        Relay::to(&target.host, target.port)
    } else {
        Relay::to(&source.host, source.port)
    };
    let pair = if side == "target" {
        Pair::of(&source, &target.via(relay.port()))
    } else {
        Pair::of(&source.via(relay.port()), &target)
    };
    let child = pair.start(&[&SLOW[..], &["--give-up-after", "2s"]].concat());
    half_way().await;
    relay.refuse(true);
    relay.cut();
    let ended = child.wait().expect(4).expect_said("gave up").expect_said(side);
    assert!(ended.report["error"].as_str().is_some_and(|error| error.contains(side)), "{ended:#?}");
    relay.heal();
    let ended = pair.verify(&["--state", "verify.json"]);
    expect_findings(&ended, &expected(&spoiled));
    assert_eq!((&ended.report["resumed"], ended.number("keys_source")), (&true.into(), KEYS));
}

/// Another process has other cursors: what it is asked for is counted anew, not twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_restarted_in_between() {
    let source = Server::acr().start();
    let target = Server::amr().arg("appendonly", "yes").start();
    let pair = fill(&source.access(), &target.access()).await;
    let spoiled = spoil(&target.access()).await;
    let child = pair.start(&[&SLOW[..], &["--give-up-after", "2s"]].concat());
    half_way().await;
    target.kill();
    child.wait().expect(4).expect_said("target").expect_said("gave up");
    target.restart();
    let ended = pair.verify(&["--state", "verify.json"]);
    expect_findings(&ended, &expected(&spoiled));
    assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (KEYS, KEYS - 24));
    // The same without an end in between.
    let child = pair.start(&["--max-keys-per-sec", "20000", "--give-up-after", "30s"]);
    half_way().await;
    target.kill();
    tokio::time::sleep(Duration::from_millis(300)).await;
    target.restart();
    let ended = child.wait();
    expect_findings(&ended, &expected(&spoiled));
    assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (KEYS, KEYS - 24));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_restarted_meanwhile() {
    let source = Server::acr().arg("appendonly", "yes").start();
    let target = Server::amr().start();
    let pair = fill(&source.access(), &target.access()).await;
    let spoiled = spoil(&target.access()).await;
    let child = pair.start(&["--max-keys-per-sec", "20000", "--give-up-after", "30s"]);
    half_way().await;
    source.kill();
    tokio::time::sleep(Duration::from_millis(300)).await;
    source.restart();
    let ended = child.wait();
    expect_findings(&ended, &expected(&spoiled));
    assert_eq!(ended.number("keys_source"), KEYS);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_again_and_again() {
    const SEED: u64 = 20_261_126;
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    fill(&source, &target).await;
    for kind in dataset::Kind::ALL {
        dataset::big(&source, kind, 400_000).await;
    }
    Pair::of(&source, &target).copy(&["--match", "big:*", "--on-conflict", "skip"]);
    let spoiled = spoil(&target).await;
    let (to_source, to_target) = (Relay::to(&source.host, source.port), Relay::to(&target.host, target.port));
    to_source.cut_randomly(SEED, 1_000_000);
    to_target.cut_randomly(SEED + 1, 1_000_000);
    let pair = Pair::of(&source.via(to_source.port()), &target.via(to_target.port()));
    let ended = pair.verify(&["--big-key", "64KiB", "--give-up-after", "60s"]);
    assert!(to_source.accepted() + to_target.accepted() > 8, "the relay cut nothing (seed {SEED})");
    expect_findings(&ended, &expected(&spoiled));
    assert_eq!(ended.number("keys_source"), KEYS + 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_the_target_fails_over() {
    let source = Server::acr().start();
    let target = Cluster::amr(3).replicas(1).start();
    let pair = fill(&source.access(), &target.access()).await;
    let child = pair.start(&["--max-keys-per-sec", "20000", "--give-up-after", "30s"]);
    half_way().await;
    target.kill_node(1);
    target.failover(1);
    let ended = child.wait();
    expect_findings(&ended, &super::Expected::new());
    assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (KEYS, KEYS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_the_target_goes_away_for_good() {
    let source = Server::acr().start();
    let target = Cluster::amr(2).start();
    let pair = fill(&source.access(), &target.access()).await;
    let child = pair.start(&["--max-keys-per-sec", "20000", "--give-up-after", "2s"]);
    half_way().await;
    target.kill_node(1);
    let ended = child.wait().expect(4).expect_said("target");
    assert_eq!(ended.report["status"], "interrupted", "{ended:#?}");
}

/// A state file belongs to one pair and one choice, and to a verify.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_file_of_something_else_is_refused() {
    let (source, target, other) = (Server::acr().start(), Server::amr().start(), Server::amr().start());
    let pair = fill(&source.access(), &target.access()).await;
    let child = pair.start(&SLOW);
    half_way().await;
    child.stop().expect(4);
    let state = pair.redferry.folder().join("verify.json").display().to_string();
    Pair::of(&source.access(), &other.access()).verify(&["--state", &state]).expect(3);
    pair.verify(&["--state", &state, "--match", "string:1*"]).expect(3).expect_said("--match");
    pair.redferry.copy(&["--state", &state, "--on-conflict", "replace"]).expect(3);
    // Still good for what it was made by.
    let ended = pair.expect_equal(&["--state", &state]);
    assert_eq!((&ended.report["resumed"], ended.number("keys_source")), (&true.into(), KEYS));
}
