//! The preflight, the search for collisions and the flush, against real servers.

#[path = "preflight/collisions.rs"]
mod collisions;
#[path = "preflight/flush.rs"]
mod flush;
#[path = "preflight/look.rs"]
mod look;
#[path = "preflight/refusals.rs"]
mod refusals;
#[path = "preflight/same_server.rs"]
mod same_server;
mod support;

use client::Side;
use engine::preflight::{DbWish, Findings, Status, Wishes, probe};
use migration::conflict::OnConflict;
use support::endpoint;
use testkit::{Access, Server};

async fn findings(source: &Access, target: &Access, wishes: &Wishes) -> Findings {
    let findings =
        probe(&endpoint(Side::Source, source), &endpoint(Side::Target, target), wishes).await.unwrap();
    let ids: Vec<_> = findings.checks.iter().map(|check| check.id).collect();
    assert_eq!(ids, engine::preflight::CHECKS, "every check has its place in the report");
    findings
}

fn status(findings: &Findings, id: &str) -> Status {
    findings.check(id).unwrap().status
}

#[track_caller]
fn assert_status(findings: &Findings, id: &str, expected: Status) {
    let check = findings.check(id).unwrap();
    assert_eq!(check.status, expected, "{check:?}");
    if expected == Status::Refused {
        assert!(!check.remedy.is_empty(), "a refusal says what to do: {check:?}");
    }
}

/// A server's user who may do everything but this.
fn restricted(access: &Access) -> Access {
    Access { user: Some("limited".into()), password: Some("limited-secret".into()), ..access.clone() }
}

fn user_without(rules: &str) -> String {
    format!("limited on >limited-secret ~* +@all {rules}")
}

/// Writes and dirty keys as the server counts them.
fn changes(server: &Server) -> (String, i64) {
    let info = server.command(&["INFO", "persistence"]).text();
    let changes =
        info.lines().find(|line| line.starts_with("rdb_changes_since_last_save")).unwrap().to_owned();
    match server.command(&["DBSIZE"]) {
        testkit::server::Reply::Integer(keys) => (changes, keys),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn from_azure_cache_to_azure_managed_redis_all_is_well_and_nothing_is_changed() {
    let tls = testkit::Binaries::get().source_has_tls();
    let source = Server::acr().tls(tls).start();
    let target = Server::amr().tls(true).policy("noeviction").start();
    source.command(&["SET", "a", "1"]);
    source.command(&["SET", "b", "1", "EX", "1000"]);
    source.command(&["RPUSH", "list", "1", "2"]);
    let before = (changes(&source), changes(&target));

    let from = if tls { source.tls_access() } else { source.access() };
    let findings = findings(&from, &target.tls_access(), &Wishes::default()).await;
    assert_eq!((changes(&source), changes(&target)), before, "the preflight changes nothing");

    let refusals: Vec<_> = findings.refusals().collect();
    assert!(refusals.is_empty(), "{refusals:?}");
    for id in ["reachable", "same_server", "swapped", "target_empty", "databases", "cluster_whole", "replica"]
    {
        assert_status(&findings, id, Status::Ok);
    }
    for id in ["commands", "version", "memory", "eviction", "clock"] {
        assert_status(&findings, id, Status::Ok);
    }
    assert_status(&findings, "modules", Status::Note);
    assert_eq!(findings.databases, [0]);
    assert_eq!(findings.source.keys(), 3);
    assert_eq!(findings.source.databases[0].expires, 1);
    assert_eq!(findings.source.modules, None, "MODULE is blocked there");
    let modules = findings.target.modules.as_ref().unwrap();
    assert!(modules.iter().any(|module| module.name == "ReJSON"), "{modules:?}");
    assert_eq!(findings.target.version.as_deref(), Some(testkit::Binaries::get().redis7.version()));
    assert!(findings.clock_difference_ms.unwrap().abs() < 100.0, "one machine has one clock");
    assert!(findings.source.clock_offset_ms.unwrap().abs() < 100.0);

    let abilities = findings.abilities;
    assert!(abilities.memory_usage && abilities.restore && abilities.set_pxat, "{abilities:?}");
    assert!(!abilities.hash_field_expiry, "{abilities:?}");

    let table = findings.table();
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    assert!(table.contains("Redis 7.4"), "{table}");
    let json = serde_json::to_value(&findings).unwrap();
    assert_eq!(json["source"]["topology"], "single");
    assert_eq!(json["checks"][1]["id"], "same_server");
    assert_eq!(json["checks"][1]["status"], "ok");
    for text in [table, json.to_string(), format!("{findings:?}")] {
        assert!(!text.contains(testkit::server::PASSWORD));
    }
}

#[tokio::test]
async fn a_newer_source_and_an_older_target_can_do_less() {
    let source = Server::plain7().modules(true).policy("allkeys-lru").start();
    let target = Server::plain6().policy("volatile-lfu").start();
    source.command(&["SET", "a", "1"]);
    let findings =
        findings(&source.access(), &target.access(), &Wishes { preserve_idle: true, ..Wishes::default() })
            .await;
    assert_eq!(findings.refusals().count(), 0);
    assert_status(&findings, "version", Status::Warning);
    assert_status(&findings, "modules", Status::Warning);
    assert_status(&findings, "eviction", Status::Warning);
    assert!(findings.check("eviction").unwrap().text.contains("neither is carried"));
    assert!(findings.abilities.hash_field_expiry);
    assert!(!findings.abilities.set_pxat, "SET knows no PXAT before 6.2");
    assert!(!findings.target.has("HPEXPIREAT") && findings.target.has("XCLAIM"));
}

#[tokio::test]
async fn clusters_are_asked_node_by_node() {
    let source = testkit::Cluster::acr(3).start();
    let target = testkit::Cluster::amr(3).start();
    let mut connection = source.access().connect_cluster().await;
    for number in 0..50 {
        let _: () =
            redis::cmd("SET").arg(format!("k{number}")).arg(1).query_async(&mut connection).await.unwrap();
    }
    let before: Vec<_> = target.nodes().iter().map(changes).collect();
    let findings = findings(&source.access(), &target.access(), &Wishes::default()).await;
    assert_eq!(target.nodes().iter().map(changes).collect::<Vec<_>>(), before);
    let refusals: Vec<_> = findings.refusals().collect();
    assert!(refusals.is_empty(), "{refusals:?}");
    assert_eq!(findings.source.nodes.len(), 3);
    assert_eq!(findings.source.keys(), 50);
    assert!(findings.source.nodes.iter().all(|node| node.keys > 0 && node.run_id.is_some()));
    assert!(findings.target.product.ends_with("cluster"), "{}", findings.target.product);
    assert_status(&findings, "cluster_whole", Status::Ok);
    assert!(findings.abilities.restore);
}

#[tokio::test]
async fn an_empty_source_is_a_note() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let findings = findings(&source.access(), &target.access(), &Wishes::default()).await;
    assert_eq!(findings.refusals().count(), 0);
    assert_status(&findings, "databases", Status::Note);
    assert_status(&findings, "swapped", Status::Ok);
}

#[tokio::test]
async fn an_unreachable_side_is_an_error_that_names_it() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    target.kill();
    let error = probe(
        &endpoint(Side::Source, &source.access()),
        &endpoint(Side::Target, &target.access()),
        &Wishes::default(),
    )
    .await
    .unwrap_err();
    assert_eq!(error.peer.side, Side::Target);
}

fn wish(databases: DbWish) -> Wishes {
    Wishes { databases, ..Wishes::default() }
}

fn on_conflict(on_conflict: OnConflict) -> Wishes {
    Wishes { on_conflict, ..Wishes::default() }
}
