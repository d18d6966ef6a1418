//! Emptying the target, and only the target, and only when it is really meant.

use testkit::server::Reply;
use testkit::{Cluster, Server, compare, dataset};

use crate::support::Redferry;

const FLUSH: &str = "--flush-target";
const CONFIRM: &str = "--confirm-flush";

fn keys(server: &Server) -> i64 {
    match server.command(&["DBSIZE"]) {
        Reply::Integer(keys) => keys,
        other => panic!("DBSIZE was answered with {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_wants_the_targets_host_name() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 50, 10).await;
    target.command(&["SET", "own", "x"]);
    let redferry = Redferry::between(&source.access(), &target.access());
    // Nobody is at the terminal.
    redferry.copy(&[FLUSH]).expect(2).expect_said("--confirm-flush 127.0.0.1");
    for wrong in ["localhost", "127.0.0.1:1", "127.0.0", "yes", ""] {
        redferry
            .copy(&[FLUSH, CONFIRM, wrong])
            .expect(3)
            .expect_said("type its host name exactly: 127.0.0.1");
    }
    assert_eq!((keys(&source), keys(&target)), (50, 1));
    let ended = redferry.copy(&[FLUSH, CONFIRM, "127.0.0.1"]).expect(0);
    assert_eq!(ended.number("keys_copied"), 50);
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shard_is_emptied() {
    let (source, target) = (Server::acr().tls(true).start(), Cluster::amr(3).tls(true).start());
    dataset::strings(&source.tls_access(), 50, 10).await;
    dataset::mixed(&target.access(), 300, 5).await;
    let on_shards = || [0, 1, 2].map(|node| target.admin(node, &["DBSIZE"]));
    assert!(!on_shards().contains(&Reply::Integer(0)), "{:?}", on_shards());
    let redferry = Redferry::between(&source.tls_access(), &target.access());
    redferry.copy(&[]).expect(3).expect_said("the target holds 300 keys");
    redferry.copy(&[FLUSH, CONFIRM, "localhost"]).expect(0);
    compare::caches(&source.tls_access(), &target.access(), &compare::Options::default())
        .await
        .assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_database_is_emptied() {
    let (source, target) = (Server::acr().start(), Server::plain7().start());
    dataset::strings(&source.access(), 50, 10).await;
    dataset::strings(dataset::Place::db(&target.access(), 5), 70, 10).await;
    Redferry::between(&source.access(), &target.access()).copy(&[FLUSH, CONFIRM, "127.0.0.1"]).expect(0);
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_cannot_be_pointed_at_the_source() {
    let source = Server::acr().start();
    dataset::strings(&source.access(), 50, 10).await;
    let address = format!("localhost:{}", source.access().port);
    let redferry = Redferry::between_addresses(&source.access().url(), &address)
        .with_passwords("testkit-secret", "testkit-secret");
    redferry.copy(&[FLUSH, CONFIRM, "localhost"]).expect(3).expect_said("same server");
    assert_eq!(keys(&source), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_whose_copy_would_be_refused_is_not_emptied() {
    let source = Server::acr().start();
    let target = Server::plain7().maxmemory("6mb").policy("noeviction").start();
    dataset::strings(&source.access(), 10_000, 1000).await;
    target.command(&["SET", "own", "x"]);
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.copy(&[FLUSH, CONFIRM, "127.0.0.1"]).expect(3).expect_said("choose a larger target");
    assert_eq!(keys(&target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_run_does_not_empty_what_it_has_written() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 30_000, 10).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let options = [FLUSH, CONFIRM, "127.0.0.1", "--max-keys-per-sec", "20000"];
    let child = redferry.start_copy(&options);
    std::thread::sleep(std::time::Duration::from_millis(900));
    let copied = child.stop().expect(4).number("keys_copied");
    assert!(copied > 0);
    let ended = redferry.copy(&options).expect(0);
    assert_eq!((&ended.report["resumed"], ended.number("keys_copied")), (&true.into(), 30_000));
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
}
