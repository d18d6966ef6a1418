//! One server under two addresses is never copied onto itself.

use std::time::{Duration, Instant};

use engine::preflight::{Status, Wishes};
use testkit::relay::Relay;
use testkit::{Access, Cluster, Server};

use crate::{assert_status, findings, restricted, user_without};

/// Not even with everything overridden.
fn insisting() -> Wishes {
    let skip_checks = engine::preflight::CHECKS.iter().map(ToString::to_string).collect();
    Wishes { skip_checks, on_conflict: migration::conflict::OnConflict::Replace, ..Wishes::default() }
}

async fn assert_same(source: &Access, target: &Access, reason: &str) {
    let findings = findings(source, target, &insisting()).await;
    assert_status(&findings, "same_server", Status::Refused);
    let text = &findings.check("same_server").unwrap().text;
    assert!(text.contains(reason), "{text}");
    assert_eq!(findings.refusals().count(), 1);
}

#[tokio::test]
async fn one_server_under_any_address() {
    let server = Server::plain7().start();
    let relay = Relay::to("127.0.0.1", server.access().port);
    let here = server.access();
    assert_same(&here, &here, "both addresses").await;
    assert_same(&here, &Access { host: "localhost".into(), ..here.clone() }, "run id").await;
    assert_same(&here, &here.via(relay.port()), "run id").await;
}

#[tokio::test]
async fn a_server_that_hides_its_run_id() {
    let user = user_without("-info");
    let server = Server::plain7().arg("user", &format!("{user} &*")).start();
    let relay = Relay::to("127.0.0.1", server.access().port);
    let here = restricted(&server.access());
    assert_same(&here, &here.via(relay.port()), "list of clients").await;
    // Where only one of the two lists its clients, that one is enough.
    let other = Server::plain7().arg("user", &format!("{user} &*")).start();
    let findings = findings(&here, &restricted(&other.access()), &Wishes::default()).await;
    assert_status(&findings, "same_server", Status::Ok);
}

#[tokio::test]
async fn servers_that_hide_everything_cannot_be_told_apart() {
    let user = user_without("-info -client");
    let server = Server::plain6().arg("user", &user).start();
    let other = Server::plain6().arg("user", &user).start();
    let findings =
        findings(&restricted(&server.access()), &restricted(&other.access()), &Wishes::default()).await;
    assert_status(&findings, "same_server", Status::Warning);
}

#[tokio::test]
async fn two_nodes_of_one_cluster() {
    let cluster = Cluster::plain7(3).start();
    assert_same(&cluster.node_access(0), &cluster.node_access(1), "run id").await;
}

#[tokio::test]
async fn a_replica_and_its_primary() {
    let (primary, replica) = (Server::plain7().start(), Server::plain7().start());
    replica.command(&["REPLICAOF", "127.0.0.1", &primary.access().port.to_string()]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !replica.command(&["INFO", "replication"]).text().contains("master_link_status:up") {
        assert!(Instant::now() < deadline, "the replica does not follow");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_same(&replica.access(), &primary.access(), "replica of the other").await;
}
