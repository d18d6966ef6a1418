//! Values that travel in pieces.

use testkit::dataset::{self, Kind};
use testkit::{Access, Cluster, Server, compare};

use crate::support::Redferry;

/// Keys of the copy's own that should be gone.
async fn left_overs(access: &Access) -> Vec<Vec<u8>> {
    let mut connection = access.connect().await;
    redis::cmd("KEYS").arg("redferry:tmp:*").query_async(&mut connection).await.unwrap()
}

async fn equal(source: &Access, target: &Access) {
    compare::caches(source, target, &compare::Options::default()).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_goes_in_pieces() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    for kind in Kind::ALL {
        dataset::big(&source, kind, 1_000_000).await;
    }
    let mut connection = source.connect().await;
    let _: i64 =
        redis::cmd("PEXPIRE").arg(&["big:zset", "3600123"]).query_async(&mut connection).await.unwrap();
    let redferry = Redferry::between(&source, &target);
    let ended = redferry.copy(&["--big-key", "64KiB"]).expect(0).expect_calm();
    assert_eq!(ended.number("keys_copied"), 6);
    assert!(ended.number("bytes_copied") > 5_500_000, "{ended:#?}");
    equal(&source, &target).await;
    assert!(left_overs(&target).await.is_empty());
    // Over what is there already, and left alone when it shall be.
    redferry.copy(&["--big-key", "64KiB", "--on-conflict", "replace"]).expect(0);
    equal(&source, &target).await;
    let ended = redferry.copy(&["--big-key", "64KiB", "--on-conflict", "skip"]).expect(1);
    assert_eq!(ended.report["causes"]["target_has_key"], 6, "{ended:#?}");
    equal(&source, &target).await;
    assert!(left_overs(&target).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_land_in_the_right_shard() {
    let (source, target) = (Server::acr().tls(true).start(), Cluster::amr(3).tls(true).start());
    for kind in Kind::ALL {
        dataset::big(&source.tls_access(), kind, 300_000).await;
    }
    let redferry = Redferry::between(&source.tls_access(), &target.access());
    redferry.copy(&["--big-key", "64KiB", "--rename", "big:=large:"]).expect(0);
    let options = compare::Options::default()
        .map(|db, key| (db, [b"large:", key.strip_prefix(b"big:").unwrap_or(key)].concat()));
    compare::caches(&source.tls_access(), &target.access(), &options).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_flat() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::big(&source, Kind::List, 100_000_000).await;
    dataset::big(&source, Kind::String, 100_000_000).await;
    let ended = Redferry::between(&source, &target).copy(&[]).expect(0);
    let peak = ended.number("peak_rss_bytes");
    assert!(peak < 64 << 20, "{peak} bytes for 200 MB in two keys");
    equal(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_flat_with_many_values_just_below_the_limit() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 25, 8_000_000).await;
    let ended = Redferry::between(&source.access(), &target.access()).copy(&[]).expect(0);
    let peak = ended.number("peak_rss_bytes");
    // 32 MiB of values asked for, which the last may exceed by its 8 MB, as much again in the buffer that it is read into,
    // and what a process takes; 68 to 76 MB were seen.
    assert!(peak < 96 << 20, "{peak} bytes for 25 values of 8 MB");
    equal(&source.access(), &target.access()).await;
}
