//! Targets that do not read every payload, or none.

use testkit::{Server, compare, dataset};

use crate::support::Redferry;

const SEED: u64 = 20_261_125;

#[tokio::test(flavor = "multi_thread")]
async fn modules_to_a_target_that_has_them() {
    let (source, target) = (Server::amr().start(), Server::amr().start());
    let written = dataset::modules(&source.access()).await;
    let ended = Redferry::between(&source.access(), &target.access()).copy(&[]).expect(0);
    assert_eq!(ended.report["keys_by_type"]["module"], written.keys, "{ended:#?}");
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_to_a_target_that_lacks_them() {
    let (source, target) = (Server::amr().start(), Server::plain7().start());
    let modules = dataset::modules(&source.access()).await.keys;
    let others = dataset::hashes(&source.access(), 50, 3).await.keys;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.copy(&["--show-keys", "3"]).expect(1);
    assert_eq!(ended.report["causes"]["module_type_unknown"], modules, "{ended:#?}");
    assert_eq!((ended.number("keys_skipped"), ended.number("keys_copied")), (modules, others));
    assert_eq!(ended.report["examples"]["module_type_unknown"].as_array().map(Vec::len), Some(3));
    assert!(ended.report["remedies"]["module_type_unknown"].as_str().unwrap().contains("enable the module"));
    let options = compare::Options::default().only(|_, key| key.starts_with(b"hash:"));
    compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_restore_gets_typed_writes() {
    let source = Server::acr().start();
    let target = Server::plain7().arg("rename-command", "RESTORE \"\"").start();
    let written = dataset::every_type(&source.access(), SEED, 1).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.copy(&[]).expect(0);
    assert_eq!(ended.number("keys_copied"), written.keys, "{ended:#?}");
    // A score of -0 becomes 0 in the compact encoding of 7.4, whoever writes it with ZADD.
    let options = compare::Options::default()
        .only(|_, key| key != b"zset:scores:ziplist")
        .only_on_target(|_, key| key != b"zset:scores:ziplist");
    compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
    let findings = &ended.report["findings"]["abilities"];
    assert_eq!(findings["restore"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_target_gets_values_in_their_older_form() {
    let (source, target) = (Server::plain7().start(), Server::plain6().start());
    let written = dataset::every_type(&source.access(), SEED, 1).await;
    let ended = Redferry::between(&source.access(), &target.access()).copy(&[]).expect(0);
    assert_eq!(ended.number("keys_copied"), written.keys, "{ended:#?}");

    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
}
