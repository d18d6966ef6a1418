//! Clusters come up whole, announce what they should, and fail over.

use redis::AsyncCommands;
use testkit::server::Reply;
use testkit::{Binaries, Cluster};

/// Writes and reads keys in slots of every node through the `redis` crate.
async fn use_it(cluster: &Cluster) {
    let mut connection = cluster.access().connect_cluster().await;
    for key in 0..100 {
        let _: () = connection.set(format!("key:{key}"), key).await.unwrap();
    }
    for key in 0..100 {
        assert_eq!(connection.get::<_, i64>(format!("key:{key}")).await.unwrap(), key);
    }
    let sizes: Vec<Reply> = cluster.nodes().iter().map(|node| node.command(&["DBSIZE"])).collect();
    assert!(sizes.iter().all(|size| matches!(size, Reply::Integer(1..))), "{sizes:?}");
}

fn source_tls() -> bool {
    let has_tls = Binaries::get().source_has_tls();
    if !has_tls {
        eprintln!("SKIPPED: the Redis 6 of this machine has no TLS");
    }
    has_tls
}

#[tokio::test]
async fn acr_over_tls_announces_tls_ports_by_address() {
    if !source_tls() {
        return;
    }
    let cluster = Cluster::acr(3).tls(true).start();
    use_it(&cluster).await;
    let announced = cluster.nodes()[0].command(&["CLUSTER", "NODES"]).text();
    for index in 0..3 {
        let port = cluster.node_access(index).port;
        assert!(announced.contains(&format!("127.0.0.1:{port}@")), "{port} is not in\n{announced}");
    }
    let refused = cluster.nodes()[0].command(&["CLUSTER", "FORGET", "x"]);
    assert!(refused.text().starts_with("NOPERM"), "{refused:?}");
    assert!(cluster.nodes()[0].command(&["CONFIG", "GET", "x"]).text().starts_with("ERR unknown command"));
}

#[tokio::test]
async fn amr_over_tls_with_modules() {
    let cluster = Cluster::amr(3).tls(true).start();
    use_it(&cluster).await;
    let mut connection = cluster.access().connect_cluster().await;
    let stored: String = redis::cmd("JSON.SET")
        .arg("doc")
        .arg("$")
        .arg("{\"a\":1}")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(stored, "OK");
    // The service answers no other subcommands than HELP, INFO, KEYSLOT, NODES, SLOTS.
    let refused = cluster.nodes()[0].command(&["CLUSTER", "SHARDS"]);
    assert!(refused.text().starts_with("NOPERM"), "{refused:?}");
}

#[tokio::test]
async fn plaintext_clusters_of_both_versions() {
    for cluster in
        [Cluster::acr(3).start(), Cluster::amr(2).modules(false).start(), Cluster::plain7(1).start()]
    {
        use_it(&cluster).await;
    }
}

#[tokio::test]
async fn a_replica_takes_over_by_hand_and_by_itself() {
    let tls = source_tls();
    for cluster in
        [Cluster::acr(3).tls(tls).replicas(1).start(), Cluster::amr(3).tls(true).replicas(1).start()]
    {
        use_it(&cluster).await;
        let refused = cluster.nodes()[0].command(&["PSYNC", "?", "-1"]);
        assert!(refused.text().starts_with("NOPERM"), "{refused:?}");
        assert_eq!(cluster.failover(0), 3);
        cluster.kill_node(1);
        cluster.wait_for_primary(4);
        let mut connection = cluster.node_access(4).connect_cluster().await;
        let _: () = connection.set("after", "failover").await.unwrap();
        assert_eq!(connection.get::<_, String>("after").await.unwrap(), "failover");
    }
}
