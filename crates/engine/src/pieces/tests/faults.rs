//! Keys that change, conflicts, lost temporary keys, lost connections, refusals and the wish to stop.

use std::time::{Duration, Instant};

use client::reply::ReplyKind;
use migration::conflict::OnConflict;
use migration::tally::{Cause, KeyType};
use testkit::relay::Relay;
use testkit::{Access, Server};

use super::{Pair, PiecesEnd, keys, run};
use crate::temporary;

/// Repeats a command every `every` until the returned task is aborted.
pub(super) fn keep_running(
    access: &Access,
    command: &'static str,
    every: Duration,
) -> tokio::task::JoinHandle<()> {
    let access = access.clone();
    tokio::spawn(async move {
        let mut connection = access.connect().await;
        loop {
            let mut words = command.split(' ');
            let mut cmd = redis::cmd(words.next().unwrap());
            words.for_each(|word| {
                cmd.arg(word);
            });
            cmd.exec_async(&mut connection).await.unwrap();
            tokio::time::sleep(every).await;
        }
    })
}

async fn list(access: &Access, elements: usize) {
    for start in (0..elements).step_by(500) {
        let elements: Vec<String> =
            (start..elements.min(start + 500)).map(|n| format!("element{n:05}")).collect();
        run(access, &format!("RPUSH list {}", elements.join(" "))).await;
    }
}

fn temp(key: &str) -> String {
    String::from_utf8(temporary::name(key.as_bytes())).unwrap()
}

#[tokio::test]
async fn a_key_that_never_rests_is_given_up() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    list(&source.access(), 2000).await;
    let pair = Pair::of_6_and_7(&source, &target);
    let writer = keep_running(&pair.source, "LSET list 0 other", Duration::from_millis(1));
    assert_eq!(pair.copy("list").await, PiecesEnd::Not(Cause::ChangedWhileRead));
    writer.abort();
    assert_eq!(keys(&pair.target).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_key_that_comes_to_rest_is_copied_as_it_is_then() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    list(&source.access(), 2000).await;
    let pair = Pair::of_6_and_7(&source, &target);
    let writer = keep_running(&pair.source, "RPUSH list more", Duration::from_millis(1));
    let stopper = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        writer.abort();
    });
    assert!(matches!(pair.copy("list").await, PiecesEnd::Copied { kind: KeyType::List, .. }));
    stopper.await.unwrap();
    pair.copy_all_and_compare().await;
}

#[tokio::test]
async fn keys_of_the_target_are_left_alone_when_that_is_wished() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    list(&source.access(), 100).await;
    run(&target.access(), "SET list mine").await;
    let pair = Pair { on_conflict: OnConflict::Skip, ..Pair::of_6_and_7(&source, &target) };
    assert_eq!(pair.copy("list").await, PiecesEnd::Not(Cause::TargetHasKey));
    assert_eq!(keys(&pair.target).await, ["list"]);
    run(&target.access(), "DEL list").await;
    assert!(matches!(pair.copy("list").await, PiecesEnd::Copied { .. }));
    pair_is_equal(&pair).await;
}

/// The key appears after the first look: RENAMENX sees it.
#[tokio::test]
async fn a_conflict_met_at_the_end_counts_too() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    list(&source.access(), 4000).await;
    let relay = Relay::to("127.0.0.1", source.access().port);
    relay.delay(Duration::from_millis(10));
    let mut pair = Pair { on_conflict: OnConflict::Skip, ..Pair::of_6_and_7(&source, &target) };
    pair.source = pair.source.via(relay.port());
    let writer = tokio::spawn({
        let target = pair.target.clone();
        async move {
            wait_for(&target, &temp("list")).await;
            run(&target, "SET list mine").await
        }
    });
    assert_eq!(pair.copy("list").await, PiecesEnd::Not(Cause::TargetHasKey));
    writer.await.unwrap();
    assert_eq!(keys(&pair.target).await, ["list"]);
}

const FILLS: [&str; 6] =
    ["RPUSH key", "SADD key", "ZADD key", "HSET key", "SETRANGE key 20000", "XADD key *"];

/// A key of so many bytes that its pieces take a while through a slow relay.
async fn fill(access: &Access, command: &str) {
    let elements: Vec<String> = (0..4000).map(|n| n.to_string()).collect();
    match command {
        "SETRANGE key 20000" => drop(run(access, "SETRANGE key 20000 x").await),
        "XADD key *" => {
            for _ in 0..300 {
                run(access, "XADD key * field some-value").await;
            }
        }
        _ => drop(run(access, &format!("{command} {}", elements.join(" "))).await),
    }
}

/// One try loses its temporary key half-way: what the rest of it builds must not get the name.
#[tokio::test]
async fn a_temporary_key_that_vanishes_once_is_built_anew() {
    for command in FILLS {
        let (source, target) = (Server::plain6().start(), Server::plain7().start());
        fill(&source.access(), command).await;
        let relay = Relay::to("127.0.0.1", source.access().port);
        relay.delay(Duration::from_millis(2));
        let direct = Pair::of_6_and_7(&source, &target);
        let mut pair = Pair { piece: 1024, ..Pair::of_6_and_7(&source, &target) };
        pair.source = pair.source.via(relay.port());
        let eviction = async {
            wait_for(&direct.target, &temp("key")).await;
            run(&direct.target, &format!("DEL {}", temp("key"))).await;
        };
        let (end, ()) = tokio::join!(pair.copy("key"), eviction);
        assert!(matches!(end, PiecesEnd::Copied { .. }), "{command}: {end:?}");
        pair_is_equal(&direct).await;
    }
}

/// Each try loses its temporary key, as by eviction.
#[tokio::test]
async fn a_temporary_key_that_always_vanishes_is_given_up() {
    for command in FILLS {
        let (source, target) = (Server::plain6().start(), Server::plain7().start());
        fill(&source.access(), command).await;
        let relay = Relay::to("127.0.0.1", source.access().port);
        relay.delay(Duration::from_millis(2));
        let mut pair = Pair { piece: 1024, ..Pair::of_6_and_7(&source, &target) };
        pair.source = pair.source.via(relay.port());
        let evictor = tokio::spawn({
            let target = pair.target.clone();
            async move {
                loop {
                    wait_for(&target, &temp("key")).await;
                    run(&target, &format!("DEL {}", temp("key"))).await;
                }
            }
        });
        assert_eq!(pair.copy("key").await, PiecesEnd::Not(Cause::Incomplete), "{command}");
        evictor.abort();
        assert_eq!(keys(&pair.target).await, Vec::<String>::new(), "{command}");
    }
}

#[tokio::test]
async fn left_overs_of_an_earlier_run_are_not_kept() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    list(&source.access(), 100).await;
    run(&target.access(), &format!("SADD {} old", temp("list"))).await;
    let pair = Pair::of_6_and_7(&source, &target);
    assert!(matches!(pair.copy("list").await, PiecesEnd::Copied { .. }));
    pair_is_equal(&pair).await;
}

#[tokio::test]
async fn a_key_that_is_gone_or_of_a_module_is_told() {
    let (source, target) = (Server::plain7().modules(true).start(), Server::plain7().start());
    let pair = Pair::of_7_and(&source, &target);
    assert_eq!(pair.copy("nothing").await, PiecesEnd::Not(Cause::GoneBeforeRead));
    run(&pair.source, "JSON.SET document $ {}").await;
    assert_eq!(pair.copy("document").await, PiecesEnd::Not(Cause::ModuleTypeUnknown));
    assert_eq!(keys(&pair.target).await, Vec::<String>::new());
}

/// The deadline is over when the name is due: neither the key nor what was there before stays.
#[tokio::test]
async fn a_key_that_expires_on_the_way_is_not_resurrected() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let relay = Relay::to("127.0.0.1", target.access().port);
    let mut pair = Pair::of_6_and_7(&source, &target);
    run(&pair.target, "SET list older").await;
    let watched = pair.target.clone();
    pair.target = pair.target.via(relay.port());
    let mut copier = pair.copier();
    // Opens the connections while all is quick.
    run(&pair.source, "SET warm up").await;
    assert!(matches!(copier.copy(b"warm").await.unwrap(), PiecesEnd::Copied { .. }));
    list(&pair.source, 50).await;
    run(&pair.source, "PEXPIRE list 400").await;
    relay.delay(Duration::from_millis(90));
    let end = copier.copy(b"list").await.unwrap();
    assert!(
        matches!(end, PiecesEnd::Not(Cause::ExpiredOnTheWay | Cause::GoneBeforeRead)),
        "the key was gone before it was complete: {end:?}"
    );
    if end == PiecesEnd::Not(Cause::ExpiredOnTheWay) {
        assert_eq!(keys(&watched).await, ["warm"]);
    }
}

#[tokio::test]
async fn a_full_target_stops_everything() {
    let source = Server::plain6().start();
    let target = Server::plain7().maxmemory("3mb").policy("noeviction").start();
    for _ in 0..8 {
        run(&source.access(), &format!("APPEND key {}", "x".repeat(1_000_000))).await;
    }
    let pair = Pair { piece: 100_000, ..Pair::of_6_and_7(&source, &target) };
    let end = pair.copy("key").await;
    let PiecesEnd::Refused { node, kind: ReplyKind::Oom, text } = end else { panic!("{end:?}") };
    assert!(node.ends_with(&pair.target.port.to_string()) && text.starts_with("OOM"), "{node}: {text}");
    assert_eq!(keys(&pair.target).await, Vec::<String>::new());
}

/// The server closes the connection while the element is still being sent.
#[tokio::test]
async fn an_element_that_the_target_does_not_take_fails_its_key_alone() {
    let source = Server::plain6().start();
    let target = Server::plain7().arg("proto-max-bulk-len", "1mb").start();
    list(&source.access(), 1000).await;
    for length in [1_100_000, 20_000_000] {
        run(&source.access(), &format!("RPUSH list {}", "x".repeat(length))).await;
        let pair = Pair::of_6_and_7(&source, &target);
        let mut copier = pair.copier();
        for _ in 0..5 {
            assert_eq!(copier.copy(b"list").await.unwrap(), PiecesEnd::Not(Cause::TooLarge), "{length}");
            assert_eq!(keys(&pair.target).await, Vec::<String>::new());
        }
        run(&source.access(), "SET small value").await;
        assert!(matches!(copier.copy(b"small").await.unwrap(), PiecesEnd::Copied { .. }));
        run(&target.access(), "DEL small").await;
    }
}

#[tokio::test]
async fn missing_rights_are_told_by_side() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    for server in [&source, &target] {
        let rules = ["ACL", "SETUSER", "app", "on", ">secret", "~list", "+@all"];
        server.command(&rules);
    }
    list(&source.access(), 100).await;
    run(&source.access(), "SET hidden value").await;
    let mut pair = Pair::of_7_and(&source, &target);
    let app = |access: &Access| Access {
        user: Some("app".into()),
        password: Some("secret".into()),
        ..access.clone()
    };
    pair.source = app(&pair.source);
    assert_eq!(pair.copy("hidden").await, PiecesEnd::Not(Cause::SourceForbids));
    // The target's user may write the key, but not under its temporary name.
    pair.target = app(&pair.target);
    assert_eq!(pair.copy("list").await, PiecesEnd::Not(Cause::TargetForbids));
    target.command(&["ACL", "SETUSER", "app", "~redferry:tmp:*"]);
    assert!(matches!(pair.copy("list").await, PiecesEnd::Copied { .. }));
}

#[tokio::test]
async fn the_wish_to_stop_ends_a_big_key() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    list(&source.access(), 10_000).await;
    let relay = Relay::to("127.0.0.1", source.access().port);
    relay.delay(Duration::from_millis(5));
    let mut pair = Pair::of_6_and_7(&source, &target);
    pair.source = pair.source.via(relay.port());
    let stop = std::sync::Arc::clone(&pair.stop);
    let watched = pair.target.clone();
    let stopper = tokio::spawn(async move {
        wait_for(&watched, &temp("list")).await;
        stop.ask();
    });
    let began = Instant::now();
    assert_eq!(pair.copy("list").await, PiecesEnd::Stopped);
    assert!(began.elapsed() < Duration::from_secs(5));
    stopper.await.unwrap();
    assert_eq!(keys(&pair.target).await, Vec::<String>::new());
}

/// A lost connection is an error; the same copier copies the key when it is asked again.
#[tokio::test]
async fn a_lost_connection_is_replaced() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    list(&source.access(), 5000).await;
    let direct = Pair::of_6_and_7(&source, &target);
    let relays = [&source, &target].map(|server| Relay::to("127.0.0.1", server.access().port));
    for relay in &relays {
        relay.delay(Duration::from_millis(3));
        let mut pair = Pair::of_6_and_7(&source, &target);
        pair.source = pair.source.via(relays[0].port());
        pair.target = pair.target.via(relays[1].port());
        let mut copier = pair.copier();
        let cutter = async {
            wait_for(&direct.target, &temp("list")).await;
            relay.cut();
        };
        let (end, ()) = tokio::join!(copier.copy(b"list"), cutter);
        assert!(end.is_err(), "the connection was cut: {end:?}");
        relay.delay(Duration::ZERO);
        assert!(matches!(copier.copy(b"list").await.unwrap(), PiecesEnd::Copied { .. }));
        pair_is_equal(&direct).await;
        run(&direct.target, "FLUSHALL").await;
    }
}

async fn wait_for(access: &Access, key: &str) {
    let mut connection = access.connect().await;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let there: i64 = redis::cmd("EXISTS").arg(key).query_async(&mut connection).await.unwrap();
        if there == 1 {
            return;
        }
        assert!(Instant::now() < deadline, "the temporary key never came");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn pair_is_equal(pair: &Pair) {
    use testkit::compare::{self, Options};
    compare::caches(&pair.source, &pair.target, &Options::default()).await.assert_equal();
}
