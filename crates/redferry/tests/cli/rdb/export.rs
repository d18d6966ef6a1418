//! Caches into files.

use std::path::Path;

use testkit::dataset::Place;
use testkit::{Access, Cluster, Server, dataset};

use super::{SEED, equal, text};
use crate::support::Redferry;

/// A server that has loaded this file.
fn loaded(file: &Path, builder: testkit::server::ServerBuilder) -> Server {
    let name = file.file_name().and_then(|name| name.to_str()).expect("names of tests are text");
    builder.arg("dir", text(file.parent().expect("a folder"))).arg("dbfilename", name).start()
}

async fn exported_is_equal(
    source: &Access,
    options: &[&str],
    file: &str,
    loaders: Vec<testkit::server::ServerBuilder>,
) {
    let redferry = Redferry::between(source, source);
    let ended = redferry.rdb("export", &[&[file][..], options].concat()).expect(0).expect_calm();
    assert_eq!(ended.number("keys_scanned"), ended.number("keys_copied"), "{ended:#?}");
    let path = redferry.folder().join(file);
    testkit::Binaries::get().redis7.check_rdb(&path).unwrap();
    for loader in loaders {
        let server = loaded(&path, loader);
        equal(source, &server.access()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_loaded_by_servers_as_it_was() {
    let source = Server::acr().start();
    dataset::every_type(&source.access(), SEED, 2).await;
    dataset::mixed(&source.access(), 3_000, SEED).await;
    let loaders = vec![Server::plain6(), Server::plain7()];
    exported_is_equal(&source.access(), &["--rdb-version", "9"], "nine.rdb", loaders).await;
    exported_is_equal(&source.access(), &[], "eleven.rdb", vec![Server::plain7()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_7_4_is_written_for_older_servers() {
    let source = Server::plain7().start();
    dataset::every_type(&source.access(), SEED, 1).await;
    dataset::mixed(&source.access(), 2_000, SEED).await;
    exported_is_equal(&source.access(), &["--rdb-version", "9"], "nine.rdb", vec![Server::plain6()]).await;
    exported_is_equal(&source.access(), &["--rdb-version", "12"], "twelve.rdb", vec![Server::plain7()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn big_values_are_read_in_pieces() {
    for source in [Server::acr().start(), Server::plain7().start()] {
        for kind in dataset::Kind::ALL {
            dataset::big(&source.access(), kind, 3 << 20).await;
        }
        let options = ["--big-key", "256KiB", "--rdb-version", "12"];
        exported_is_equal(&source.access(), &options, "big.rdb", vec![Server::plain7()]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_one_file_or_one_for_each_node() {
    let (source, target) = (Cluster::acr(3).start(), Server::amr().start());
    dataset::every_type(&source.access(), SEED, 1).await;
    dataset::mixed(&source.access(), 3_000, SEED).await;
    exported_is_equal(&source.access(), &[], "all.rdb", vec![Server::plain7()]).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.rdb("export", &["shard.rdb.gz", "--per-shard"]).expect(0);
    let parts = ["shard-0.rdb.gz", "shard-1.rdb.gz", "shard-2.rdb.gz"];
    redferry.rdb("import", &parts).expect(0);
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_stay_or_are_prefixed() {
    let source = Server::acr().start();
    for db in [0, 3] {
        dataset::strings(Place::db(&source.access(), db), 50, 20).await;
    }
    exported_is_equal(&source.access(), &["--rdb-version", "9"], "all.rdb", vec![Server::plain6()]).await;
    let redferry = Redferry::between(&source.access(), &source.access());
    redferry
        .rdb("export", &["one.rdb", "--db-map", "3=0"])
        .expect(3)
        .expect_said("would be taken by two keys");
    redferry.rdb("export", &["one.rdb", "--prefix-by-db"]).expect(0);
    let inspected = redferry.rdb("inspect", &["one.rdb"]).expect(0);
    assert_eq!((inspected.number("keys"), inspected.report["databases"].as_array().unwrap().len()), (100, 1));
    let prefixed = inspected.report["prefixes"].as_array().unwrap().iter().any(|one| one["prefix"] == "db3:");
    assert!(prefixed, "{inspected:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_exists_is_not_replaced_without_a_word() {
    let source = Server::acr().start();
    dataset::strings(&source.access(), 50, 20).await;
    let redferry = Redferry::between(&source.access(), &source.access());
    redferry.rdb("export", &["one.rdb"]).expect(0);
    redferry.rdb("export", &["one.rdb"]).expect(3).expect_said("--overwrite");
    redferry.rdb("export", &["one.rdb", "--overwrite", "--match", "string:1*"]).expect(0);
    let inspected = redferry.rdb("inspect", &["one.rdb"]).expect(0);
    assert_eq!(inspected.number("keys"), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_version_cannot_hold_is_told() {
    let source = Server::plain7().start();
    dataset::strings(&source.access(), 10, 20).await;
    let mut connection = source.access().connect().await;
    let _: () = redis::cmd("HSET").arg(&["expiring", "a", "1"]).query_async(&mut connection).await.unwrap();
    let mut expire = redis::cmd("HEXPIRE");
    let _: redis::Value =
        expire.arg(&["expiring", "1000", "FIELDS", "1", "a"]).query_async(&mut connection).await.unwrap();
    let redferry = Redferry::between(&source.access(), &source.access());
    let ended = redferry.rdb("export", &["one.rdb"]).expect(1);
    assert_eq!(ended.report["causes"]["format_unfit"], 1);
    redferry.rdb("export", &["two.rdb", "--rdb-version", "12"]).expect(0);
}
