//! What named keys are on the source they become on the target, whatever was there.

use migration::naming::{DbRule, Naming, Rename};
use migration::tally::{Cause, Fate};
use testkit::compare::{self, Options};
use testkit::dataset::{self, Kind, Place};
use testkit::{Access, Cluster, Server};

use crate::{Key, assert_equal, copy, copy_all, keys_in, keys_of, named, plain_repair, repair, run, spoil};

/// Every type, small and big, over values of another type.
async fn every_type_replaces(source: &Server, target: &Server, restore: bool) {
    let (source, target) = (source.access(), target.access());
    dataset::every_type(&source, 21, 1).await;
    for kind in Kind::ALL {
        dataset::big(&source, kind, 300_000).await;
    }
    if !restore {
        // ZADD of Redis 7 makes 0 of it when the sorted set is small (t_zset.c, zzlInsertAt).
        let minus_zero = ["zset:scores:ziplist", "score -0"];
        let removed: i64 =
            redis::cmd("ZREM").arg(&minus_zero).query_async(&mut source.connect().await).await.unwrap();
        assert_eq!(removed, 1);
    }
    let keys = keys_in(&source, 0).await;
    spoil(&mut source.connect().await, &mut target.connect().await, &keys).await;
    let mut repair = plain_repair(&source, &target).await;
    assert!(repair.abilities.restore, "{:?}", repair.abilities);
    repair.abilities.restore = restore;
    repair.options.big_key = 64 * 1024;
    let outcome = copy_all(&repair, &keys).await;
    assert!(outcome.ttl_error_ms > 0, "some have a time to live");
    assert_equal(&source, &target).await;
    // Again, over what is right already.
    copy_all(&repair, &keys).await;
    assert_equal(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_replaces_any_type_in_6_to_7() {
    every_type_replaces(&Server::acr().start(), &Server::amr().start(), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_replaces_any_type_without_restore() {
    every_type_replaces(&Server::acr().start(), &Server::amr().start(), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_replaces_any_type_on_an_old_target() {
    every_type_replaces(&Server::plain6().start(), &Server::plain6().start(), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_replaces_any_type_between_clusters() {
    let (source, target) = (Cluster::acr(3).start(), Cluster::amr(3).start());
    dataset::every_type(&source.access(), 22, 2).await;
    for kind in Kind::ALL {
        dataset::big(&source.access(), kind, 300_000).await;
    }
    let keys = keys_of(&source).await;
    let mut wrong = target.access().connect_cluster().await;
    spoil(&mut source.access().connect_cluster().await, &mut wrong, &keys).await;
    let mut repair = plain_repair(&source.access(), &target.access()).await;
    repair.options.big_key = 64 * 1024;
    copy_all(&repair, &keys).await;
    assert_equal(&source.access(), &target.access()).await;
}

#[tokio::test]
async fn only_named_keys_are_touched_and_named_ones_once() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (mut here, mut there) = (source.access().connect().await, target.access().connect().await);
    for key in ["a", "b", "c"] {
        run(&mut here, &format!("SET {key} new")).await;
        run(&mut there, &format!("SET {key} old")).await;
    }
    let repair = plain_repair(&source.access(), &target.access()).await;
    let outcome = copy(&repair, &named(0, ["a", "c", "a"])).await;
    assert_eq!((outcome.total.scanned, outcome.total.copied, outcome.total.bytes), (2, 2, 6));
    let values: Vec<String> = redis::cmd("MGET").arg(&["a", "b", "c"]).query_async(&mut there).await.unwrap();
    assert_eq!(values, ["new", "old", "new"]);
    let outcome = copy(&repair, &[]).await;
    assert!(outcome.halt.is_none() && outcome.total.scanned == 0, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_several_databases_go_where_the_rules_say() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    for (db, seed) in [(0, 31), (3, 33), (7, 37)] {
        dataset::every_type(Place::db(&source, db), seed, 1).await;
    }
    let rule = |source, prefix: &str| DbRule { source, target: 0, prefix: prefix.into() };
    let renames = vec![Rename { from: b"set:".to_vec(), to: b"s:".to_vec() }];
    let naming = Naming::new(vec![rule(0, ""), rule(3, "billing:")], renames).unwrap();
    let mut keys: Vec<Key> = keys_in(&source, 0).await;
    keys.extend(keys_in(&source, 3).await);
    let wanted = keys.len() as u64;
    keys.extend(keys_in(&source, 7).await.into_iter().take(1));
    let repair = repair(&source, &target, naming.clone()).await;
    let outcome = copy(&repair, &keys).await;
    assert!(outcome.halt.is_none() && outcome.left.is_empty(), "{outcome:?}");
    assert_eq!(outcome.total.copied, wanted);
    let stranger = keys.last().unwrap();
    let expected = (stranger.0, stranger.1.clone(), Cause::Filtered);
    assert_eq!(outcome.not_copied, [expected], "nothing is copied from database 7");
    let options = Options::default().only(|db, _| db != 7).map(move |db, key| {
        let mut scratch = Vec::new();
        (0, naming.target_name(u32::from(db), key, &mut scratch).to_vec())
    });
    compare::caches(&source, &target, &options).await.assert_equal();
}

#[tokio::test]
async fn a_key_that_is_gone_leaves_the_target_as_it_is() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (mut here, mut there) = (source.access().connect().await, target.access().connect().await);
    run(&mut here, "SET kept v").await;
    run(&mut there, "SET gone v").await;
    run(&mut there, "RPUSH left:list v").await;
    let temporary = "redferry:tmp:{x}:0";
    run(&mut here, &format!("SET {temporary} v")).await;
    let repair = plain_repair(&source.access(), &target.access()).await;
    let mut outcome = copy(&repair, &named(0, ["gone", "kept", "left:list", "never", temporary])).await;
    outcome.not_copied.sort();
    let not = |name: &str, cause| (0, name.as_bytes().to_vec(), cause);
    assert_eq!(
        outcome.not_copied,
        [
            not("gone", Cause::GoneBeforeRead),
            not("left:list", Cause::GoneBeforeRead),
            not("never", Cause::GoneBeforeRead),
            not(temporary, Cause::TemporaryKey),
        ]
    );
    assert_eq!((outcome.total.copied, outcome.total.fated(Fate::Expired)), (1, 3));
    let mut names = keys_in(&target.access(), 0).await;
    names.sort();
    assert_eq!(names, named(0, ["gone", "kept", "left:list"]));
}

/// More keys than one page has, of all sizes of names.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_batch_goes_page_by_page() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let source: Access = source.access();
    dataset::mixed(&source, 10_000, 5).await;
    let mut connection = source.connect().await;
    for size in [70_000, 300_000] {
        redis::cmd("SET").arg("n".repeat(size)).arg("v").exec_async(&mut connection).await.unwrap();
    }
    let keys = keys_in(&source, 0).await;
    assert_eq!(keys.len(), 10_002);
    copy_all(&plain_repair(&source, &target.access()).await, &keys).await;
    assert_equal(&source, &target.access()).await;
}
