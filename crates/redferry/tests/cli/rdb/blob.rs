//! Files that are blobs.

use testkit::azurite::{Azurite, KEY};
use testkit::{Server, dataset};

use super::{SEED, equal, saved};
use crate::support::Redferry;

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_goes_through_a_storage_account() {
    let Some(azurite) = Azurite::start() else { return };
    azurite.create_container("dumps");
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::every_type(&source.access(), SEED, 1).await;
    dataset::mixed(&source.access(), 3_000, SEED).await;
    let redferry =
        Redferry::between(&source.access(), &target.access()).with_variable("AZURE_STORAGE_KEY", KEY);
    let url = azurite.url("dumps", "folder/cache.rdb.gz");
    let exported = redferry.rdb("export", &[&url]).expect(0);
    assert!(azurite.get_blob("dumps", "folder/cache.rdb.gz").unwrap().starts_with(b"\x1f\x8b"));
    let inspected = redferry.rdb("inspect", &[&url]).expect(0);
    assert_eq!(inspected.number("keys"), exported.number("keys_copied"));
    redferry.rdb("import", &[&url]).expect(0).expect_calm();
    equal(&source.access(), &target.access()).await;
    redferry.rdb("export", &[&url]).expect(3).expect_said("--overwrite");
    let plain = azurite.url("dumps", "old.rdb");
    redferry.rdb("convert", &[&url, &plain, "--version", "9"]).expect(0);
    assert!(azurite.get_blob("dumps", "old.rdb").unwrap().starts_with(b"REDIS0009"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_blob_as_azure_exports_it_is_imported() {
    let Some(azurite) = Azurite::start() else { return };
    azurite.create_container("dumps");
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::mixed(&source.access(), 3_000, SEED).await;
    let file = saved(&source).await;
    azurite.put_page_blob("dumps", "page.rdb", &std::fs::read(&file).unwrap());
    let redferry =
        Redferry::between(&source.access(), &target.access()).with_variable("AZURE_STORAGE_KEY", KEY);
    redferry.rdb("import", &[&azurite.url("dumps", "page.rdb")]).expect(0);
    equal(&source.access(), &target.access()).await;
    let missing = redferry.rdb("import", &[&azurite.url("dumps", "other.rdb")]).expect(5);
    missing.expect_said("other.rdb");
}
