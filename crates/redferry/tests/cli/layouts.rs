//! Single and cluster on either side, over TLS: every type and encoding arrives equal.

use testkit::{Access, Cluster, Server, compare, dataset};

use crate::support::Redferry;

/// What the comparison itself may be off by: it asks both sides at the same moment, as good as it can.
const COMPARISON_MS: u64 = 20;

async fn all_types_arrive(source: &Access, target: &Access, seed: u64) {
    let summary = dataset::every_type(source, seed, 3).await;
    let ended = Redferry::between(source, target).copy(&[]).expect(0).expect_calm();
    assert_eq!(ended.number("keys_scanned"), summary.keys as u64);
    assert_eq!(ended.number("keys_copied"), summary.keys as u64);
    let bound = ended.number("ttl_error_bound_ms");
    assert!((1..1000).contains(&bound), "keys with a TTL were copied, so there is a bound: {ended:#?}");
    let options = compare::Options::default().ttl_tolerance_ms(bound + COMPARISON_MS);
    compare::caches(source, target, &options).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn single_to_single() {
    let (source, target) = (Server::acr().tls(true).start(), Server::amr().tls(true).start());
    all_types_arrive(&source.tls_access(), &target.tls_access(), 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_to_cluster() {
    let (source, target) = (Cluster::acr(3).tls(true).start(), Cluster::amr(3).tls(true).start());
    all_types_arrive(&source.access(), &target.access(), 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_to_cluster() {
    let (source, target) = (Server::acr().tls(true).start(), Cluster::amr(3).tls(true).start());
    all_types_arrive(&source.tls_access(), &target.access(), 13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_to_single() {
    let (source, target) = (Cluster::acr(3).tls(true).start(), Server::amr().tls(true).start());
    all_types_arrive(&source.access(), &target.tls_access(), 14).await;
}
