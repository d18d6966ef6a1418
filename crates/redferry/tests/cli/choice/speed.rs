//! Limits that protect the source are kept, loosely: the clock of a busy machine decides the rest.

use testkit::{Server, compare, dataset};

use crate::support::Redferry;

#[tokio::test(flavor = "multi_thread")]
async fn keys_per_second() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 2000, 20).await;
    let ended =
        Redferry::between(&source.access(), &target.access()).copy(&["--max-keys-per-sec", "1000"]).expect(0);
    assert!((1500..6000).contains(&ended.number("elapsed_ms")), "{ended:#?}");
    assert_eq!(ended.number("keys_copied"), 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_per_second() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 300, 10_000).await;
    dataset::hashes(&source.access(), 100, 1000).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.copy(&["--max-bytes-per-sec", "3MB"]).expect(0);
    let bytes = ended.number("bytes_copied");
    assert!(bytes > 5_000_000, "{ended:#?}");
    // One second's worth may come at once.
    let least = bytes.saturating_sub(3_000_000) * 1000 / 3_000_000 * 8 / 10;
    assert!((least..least + 5000).contains(&ended.number("elapsed_ms")), "at least {least} ms: {ended:#?}");
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_big_value_counts_too() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::big(&source.access(), dataset::Kind::List, 3_000_000).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.copy(&["--big-key", "64KiB", "--max-bytes-per-sec", "1MB"]).expect(0);
    assert!((1500..8000).contains(&ended.number("elapsed_ms")), "{ended:#?}");
}
