//! The copy itself, on real servers, without the command line.

use std::sync::Arc;

use client::address::Address;
use client::tls::TlsOptions;
use client::{Endpoint, Side};
use engine::{Abilities, Arguments, Copy, CopyOptions, CopyOutcome, Progress, Stop};
use migration::naming::Naming;
use migration::selection::{Selection, SelectionOptions};
use testkit::access::Access;
use testkit::{Cluster, Server, compare, dataset};

fn endpoint(side: Side, access: &Access) -> Endpoint {
    let address = Address::parse(&access.url_with_password()).unwrap();
    Endpoint::new(side, &address, &TlsOptions { ca: access.ca.clone(), ..TlsOptions::default() }).unwrap()
}

async fn copy(source: &Access, target: &Access, state: &std::path::Path) -> CopyOutcome {
    let copy = Copy {
        source: endpoint(Side::Source, source),
        target: endpoint(Side::Target, target),
        selection: Selection::new(&SelectionOptions::default()).unwrap(),
        naming: Naming::identity([0]).unwrap(),
        abilities: Abilities { memory_usage: true, hash_field_expiry: false, restore: true, set_pxat: true },
        options: CopyOptions::new(state.join("state.json")),
        arguments: Arguments::new(),
    };
    let outcome = copy.run(&Progress::default(), Arc::new(Stop::default())).await.unwrap();
    assert!(outcome.halt.is_none(), "{:?}", outcome.halt);
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_arrives_equal() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let summary = dataset::every_type(&source.access(), 7, 2).await;
    let folder = tempfile::tempdir().unwrap();
    let outcome = copy(&source.access(), &target.access(), folder.path()).await;
    println!("{outcome:?}");
    assert_eq!(outcome.total.scanned, summary.keys as u64);
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
    assert!(!folder.path().join("state.json").exists(), "a complete run leaves no state behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_copied_to_a_cluster() {
    let (source, target) = (Cluster::acr(3).tls(true).start(), Cluster::amr(3).tls(true).start());
    dataset::every_type(&source.access(), 8, 2).await;
    let folder = tempfile::tempdir().unwrap();
    copy(&source.access(), &target.access(), folder.path()).await;
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
}
