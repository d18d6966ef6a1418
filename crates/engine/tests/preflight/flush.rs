//! The target is emptied only after everything says yes, and then all of it.

use client::{Endpoint, Side};
use engine::flush::{self, FlushError, FlushReport};
use engine::preflight::{Wishes, probe};
use testkit::{Access, Cluster, Server};

use crate::{endpoint, restricted, user_without};

async fn flushed(source: &Access, target: &Endpoint, typed: &str) -> Result<FlushReport, FlushError> {
    let wishes = Wishes { flush_target: true, ..Wishes::default() };
    let findings = probe(&endpoint(Side::Source, source), target, &wishes).await.unwrap();
    flush::target(target, &findings.target.layout, typed, &findings).await
}

fn source_with_a_key() -> Server {
    let source = Server::plain6().start();
    source.command(&["SET", "source", "1"]);
    source
}

fn fill(server: &Server) {
    for number in 0..3000 {
        server.command(&["SET", &format!("k{number}"), "v"]);
    }
    server.command(&["SET", "elsewhere", "v"]);
    server.command(&["MOVE", "elsewhere", "4"]);
}

fn keys(server: &Server) -> usize {
    let info = server.command(&["INFO", "keyspace"]).text();
    info.lines().filter(|line| line.starts_with("db")).count()
}

#[tokio::test]
async fn only_what_was_confirmed_and_proved_is_emptied() {
    let (source, target, other) = (source_with_a_key(), Server::plain7().start(), Server::plain7().start());
    fill(&target);
    let to = endpoint(Side::Target, &target.access());
    for typed in ["", "127.0.0.2", "127.0.0.1:6379", " 127.0.0.1"] {
        let error = flushed(&source.access(), &to, typed).await.unwrap_err();
        assert!(matches!(&error, FlushError::NotConfirmed { host } if host == "127.0.0.1"), "{error}");
    }
    // One server under two names.
    let localhost = Access { host: "localhost".into(), ..target.access() };
    let error = flushed(&localhost, &to, "127.0.0.1").await.unwrap_err();
    assert!(matches!(error, FlushError::SameServer(_)), "{error}");
    // The source is empty, so the addresses were probably swapped.
    let error = flushed(&other.access(), &to, "127.0.0.1").await.unwrap_err();
    assert!(matches!(error, FlushError::Refused(_)), "{error}");

    let wishes = Wishes { flush_target: true, ..Wishes::default() };
    let from = endpoint(Side::Source, &source.access());
    let findings = probe(&from, &to, &wishes).await.unwrap();
    let layout = &findings.target.layout;
    let error = flush::target(&from, &findings.source.layout, "127.0.0.1", &findings).await.unwrap_err();
    assert!(matches!(error, FlushError::Source(_)), "{error}");
    let elsewhere = endpoint(Side::Target, &other.access());
    let error = flush::target(&elsewhere, layout, "127.0.0.1", &findings).await.unwrap_err();
    assert!(matches!(error, FlushError::OtherTarget { .. }), "{error}");
    assert_eq!(keys(&target), 2, "until now nothing was removed");

    let report = flush::target(&to, layout, "127.0.0.1", &findings).await.unwrap();
    assert_eq!(report.keys(), 3001);
    assert_eq!(report.nodes[0].by, "FLUSHALL");
    assert_eq!(keys(&target), 0);
    assert_eq!(keys(&source), 1);
}

#[tokio::test]
async fn a_target_without_flushall_is_emptied_key_by_key() {
    let source = source_with_a_key();
    let target = Server::plain6().arg("user", &user_without("-flushall -flushdb -unlink")).start();
    fill(&target);
    let to = endpoint(Side::Target, &restricted(&target.access()));
    let report = flushed(&source.access(), &to, "127.0.0.1").await.unwrap();
    assert_eq!((report.keys(), report.nodes[0].by), (3001, "UNLINK"));
    assert_eq!(keys(&target), 0);
}

#[tokio::test]
async fn every_primary_of_a_cluster_is_emptied() {
    let source = source_with_a_key();
    let cluster = Cluster::amr(3).start();
    cluster.admin(1, &["ACL", "SETUSER", "default", "-flushall"]);
    let mut connection = cluster.access().connect_cluster().await;
    for number in 0..500 {
        let _: () =
            redis::cmd("SET").arg(format!("k{number}")).arg(1).query_async(&mut connection).await.unwrap();
    }
    let to = endpoint(Side::Target, &cluster.access());
    let report = flushed(&source.access(), &to, "127.0.0.1").await.unwrap();
    assert_eq!(report.keys(), 500);
    let ways: Vec<_> = report.nodes.iter().map(|node| node.by).collect();
    assert_eq!(ways, ["FLUSHALL", "UNLINK", "FLUSHALL"]);
    assert!(cluster.nodes().iter().all(|node| keys(node) == 0));
}
