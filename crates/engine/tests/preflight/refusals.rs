//! Every check from both sides: what it lets through and what it stops.

use std::collections::BTreeMap;

use engine::preflight::{DbWish, Status, Wishes};
use migration::conflict::OnConflict;
use testkit::{Cluster, Server};

use crate::{assert_status, findings, on_conflict, restricted, status, user_without, wish};

#[tokio::test]
async fn a_target_with_keys_needs_a_decision() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    source.command(&["SET", "a", "1"]);
    target.command(&["SET", "b", "1"]);
    let (from, to) = (source.access(), target.access());

    let refused = findings(&from, &to, &Wishes::default()).await;
    assert_status(&refused, "target_empty", Status::Refused);
    assert_eq!(refused.refusals().count(), 1);
    for allowed in [
        on_conflict(OnConflict::Skip),
        on_conflict(OnConflict::Replace),
        Wishes { resuming: true, ..Wishes::default() },
        Wishes { flush_target: true, ..Wishes::default() },
    ] {
        let findings = findings(&from, &to, &allowed).await;
        assert_eq!(findings.refusals().count(), 0, "{allowed:?}");
    }
    let overridden = Wishes { skip_checks: vec!["target_empty".into()], ..Wishes::default() };
    assert_status(&findings(&from, &to, &overridden).await, "target_empty", Status::Warning);

    // Keys in a database that is not written to are nobody's business.
    target.command(&["MOVE", "b", "5"]);
    let findings = findings(&from, &to, &Wishes::default()).await;
    assert_status(&findings, "target_empty", Status::Note);
}

#[tokio::test]
async fn swapped_addresses_are_noticed() {
    let (empty, full) = (Server::plain6().start(), Server::plain7().start());
    full.command(&["SET", "a", "1"]);
    let refused = findings(&empty.access(), &full.access(), &Wishes::default()).await;
    assert_status(&refused, "target_empty", Status::Refused);
    assert!(refused.check("target_empty").unwrap().text.contains("did you swap"));
    assert_status(&refused, "swapped", Status::Warning);
    let flush = Wishes { flush_target: true, ..Wishes::default() };
    assert_status(&findings(&empty.access(), &full.access(), &flush).await, "swapped", Status::Refused);
}

#[tokio::test]
async fn several_databases_need_a_choice_and_a_place() {
    let (source, target) = (Server::plain6().start(), Server::amr().modules(false).start());
    source.command(&["SET", "a", "1"]);
    source.command(&["SET", "b", "1"]);
    source.command(&["MOVE", "b", "3"]);
    let (from, to) = (source.access(), target.access());

    let unchosen = findings(&from, &to, &Wishes::default()).await;
    assert_status(&unchosen, "databases", Status::Refused);
    let check = unchosen.check("databases").unwrap();
    assert!(check.text.contains("0 (1 keys) and 3 (1 keys)"), "{check:?}");
    assert!(check.remedy.contains("--db 0,3"), "{check:?}");

    let no_place = findings(&from, &to, &wish(DbWish::List(vec![0, 3]))).await;
    assert_status(&no_place, "databases", Status::Refused);
    assert!(no_place.check("databases").unwrap().remedy.contains("--db-map 3=0"));

    let unknown = findings(&from, &to, &wish(DbWish::List(vec![99]))).await;
    assert!(unknown.check("databases").unwrap().text.contains("the source has no database 99"));
    assert_status(&unknown, "databases", Status::Refused);

    let mapped = Wishes { db_map: BTreeMap::from([(3, 0)]), ..wish(DbWish::List(vec![3])) };
    let one = findings(&from, &to, &mapped).await;
    assert_status(&one, "databases", Status::Ok);
    assert_eq!(one.databases, [3]);
    let all = findings(&from, &to, &Wishes { others_to: Some(0), ..wish(DbWish::All) }).await;
    assert_status(&all, "databases", Status::Ok);
    assert_eq!(all.databases, [0, 3]);
    let empty = findings(&from, &to, &Wishes { others_to: Some(0), ..wish(DbWish::List(vec![7])) }).await;
    assert_status(&empty, "databases", Status::Note);
    assert_eq!(status(&empty, "memory"), Status::Ok);
}

#[tokio::test]
async fn data_must_fit() {
    let source = Server::plain6().policy("allkeys-lru").start();
    let target = Server::plain7().policy("allkeys-lru").maxmemory("10mb").start();
    let full = Server::plain7().maxmemory("1kb").start();
    let value = "x".repeat(1 << 20);
    for number in 0..20 {
        source.command(&["SET", &format!("k{number}"), &value]);
    }
    let (from, to) = (source.access(), target.access());
    let refused = findings(&from, &to, &Wishes::default()).await;
    assert_status(&refused, "memory", Status::Refused);
    assert_status(&refused, "eviction", Status::Warning);
    let filtered = Wishes { filters: true, ..Wishes::default() };
    assert_status(&findings(&from, &to, &filtered).await, "memory", Status::Warning);
    let known_better = Wishes { target_memory: Some(100 << 20), ..Wishes::default() };
    let fits = findings(&from, &to, &known_better).await;
    assert_status(&fits, "memory", Status::Ok);
    assert_status(&fits, "eviction", Status::Ok);

    let oom = findings(&from, &full.access(), &Wishes::default()).await;
    assert_status(&oom, "memory", Status::Refused);
    assert!(oom.check("memory").unwrap().text.contains("refuses writes"));
    assert!(oom.abilities.restore && oom.abilities.set_pxat, "a full target still has the commands");
    assert_status(&oom, "commands", Status::Ok);
}

#[tokio::test]
async fn a_missing_command_is_refused_or_worked_around() {
    let source = Server::plain6().arg("user", &user_without("-dump -memory")).start();
    let target = Server::plain6().arg("user", &user_without("-restore")).start();
    let unable = Server::plain6().arg("user", &user_without("-rename -multi")).start();
    source.command(&["SET", "a", "1"]);

    let around = findings(&source.access(), &restricted(&target.access()), &Wishes::default()).await;
    assert_status(&around, "commands", Status::Warning);
    assert!(!around.abilities.restore);
    assert!(around.target.has("SET") && around.target.has("RPUSH"));

    let unreadable = findings(&restricted(&source.access()), &target.access(), &Wishes::default()).await;
    assert_status(&unreadable, "commands", Status::Refused);
    let text = &unreadable.check("commands").unwrap().text;
    assert!(text.contains("DUMP") && text.contains("MEMORY USAGE"), "{text}");
    assert!(!unreadable.abilities.memory_usage);

    // Without MULTI on the target the commands are tried without arguments.
    let probed = findings(&source.access(), &restricted(&unable.access()), &Wishes::default()).await;
    assert!(!probed.target.has("MULTI") && probed.target.has("DEL"));

    let no_pieces = Server::plain6().arg("user", &user_without("-rpush")).start();
    let large = findings(&source.access(), &restricted(&no_pieces.access()), &Wishes::default()).await;
    assert_status(&large, "commands", Status::Warning);
    assert!(large.check("commands").unwrap().text.contains("RPUSH"));
}

#[tokio::test]
async fn a_replica_is_no_target() {
    let primary = Server::plain6().start();
    let replica = Server::plain6().start();
    let other = Server::plain7().start();
    replica.command(&["REPLICAOF", "127.0.0.1", &primary.access().port.to_string()]);
    primary.command(&["SET", "a", "1"]);
    let refused = findings(&other.access(), &replica.access(), &on_conflict(OnConflict::Replace)).await;
    assert_status(&refused, "replica", Status::Refused);
    let source = findings(&replica.access(), &other.access(), &Wishes::default()).await;
    assert_status(&source, "replica", Status::Note);
}

#[tokio::test]
async fn a_cluster_must_be_whole() {
    let source = Server::plain6().start();
    let cluster = Cluster::plain7(3).start();
    source.command(&["SET", "a", "1"]);
    assert_status(
        &findings(&source.access(), &cluster.access(), &Wishes::default()).await,
        "cluster_whole",
        Status::Ok,
    );
    cluster.admin(0, &["CLUSTER", "DELSLOTS", "5", "6"]);
    let hole = findings(&source.access(), &cluster.access(), &Wishes::default()).await;
    assert_status(&hole, "cluster_whole", Status::Refused);
    assert!(hole.check("cluster_whole").unwrap().text.contains("2 of the slots"), "{hole:?}");

    cluster.kill_node(2);
    let lost = findings(&source.access(), &cluster.access(), &Wishes::default()).await;
    assert_status(&lost, "reachable", Status::Refused);
    assert_eq!(lost.target.nodes.len(), 2);
}
