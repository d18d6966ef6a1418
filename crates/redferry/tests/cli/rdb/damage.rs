//! Files that are not what they should be.

use std::path::{Path, PathBuf};

use testkit::{Server, dataset};

use super::{SEED, equal, saved, text};
use crate::support::Redferry;

/// The file with its bytes changed.
fn spoiled(redferry: &Redferry, file: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(file).unwrap();
    change(&mut bytes);
    let path = redferry.folder().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_told_before_anything_is_written() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::mixed(&source.access(), 2_000, SEED).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let cut = spoiled(&redferry, &file, "cut.rdb", |bytes| bytes.truncate(bytes.len() / 2));
    let flipped = spoiled(&redferry, &file, "flipped.rdb", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
    });
    let mut connection = target.access().connect().await;
    for file in [&cut, &flipped] {
        redferry.rdb("import", &[text(file)]).expect(5).expect_said("nothing was written");
        let keys: u64 = redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
        assert_eq!(keys, 0);
        let inspected = redferry.rdb("inspect", &[text(file)]).expect(5).expect_said("at byte");
        assert!(inspected.number("keys") > 500, "what was read before is told");
        redferry.rdb("convert", &[text(file), "out.rdb", "--version", "11"]).expect(5);
        assert!(!redferry.folder().join("out.rdb").exists());
    }
    // In one pass what is before the cut arrives, and the whole file goes on from there.
    let ended = redferry.rdb("import", &[text(&cut), "--single-pass"]).expect(5).expect_said("cut off");
    assert!(ended.number("keys_copied") > 500);
    std::fs::copy(&file, &cut).unwrap();
    let ended = redferry.rdb("import", &[text(&cut), "--single-pass"]).expect(0);
    assert_eq!(ended.report["resumed"], true);
    assert_eq!(ended.number("keys_copied"), ended.number("keys_scanned"));
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zeros_behind_the_end_are_those_of_a_page_blob() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::mixed(&source.access(), 200, SEED).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let padded = spoiled(&redferry, &file, "padded.rdb", |bytes| {
        bytes.resize(bytes.len().next_multiple_of(512) + 512, 0);
    });
    redferry.rdb("import", &[text(&padded)]).expect(0);
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_rdb_file_is_refused() {
    let source = Server::acr().start();
    let redferry = Redferry::between(&source.access(), &source.access());
    std::fs::write(redferry.folder().join("text.rdb"), "this is a letter").unwrap();
    for subcommand in ["inspect", "import"] {
        redferry.rdb(subcommand, &["text.rdb"]).expect(5).expect_said("no RDB file");
        redferry.rdb(subcommand, &["not-there.rdb"]).expect(5).expect_said("not-there.rdb");
    }
    redferry.rdb("inspect", &["acount.blob.core.windows.net/c/b?sig=secret"]).expect(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_file_under_the_same_name_is_not_gone_on_with() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::mixed(&source.access(), 1_000, SEED).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let cut = spoiled(&redferry, &file, "dump.rdb", |bytes| bytes.truncate(bytes.len() / 2));
    redferry.rdb("import", &[text(&cut), "--single-pass"]).expect(5);
    dataset::strings(&source.access(), 1_000, 300).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let other = saved(&source).await;
    std::fs::copy(&other, &cut).unwrap();
    redferry.rdb("import", &[text(&cut), "--single-pass"]).expect(3).expect_said("another file");
}
