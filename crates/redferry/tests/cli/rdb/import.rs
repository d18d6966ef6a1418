//! Files into caches.

use testkit::dataset::Place;
use testkit::{Cluster, Server, compare, dataset};

use super::{SEED, equal, saved, text};
use crate::support::Redferry;

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_redis_6_is_in_redis_7_4() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::every_type(&source.access(), SEED, 2).await;
    dataset::mixed(&source.access(), 3_000, SEED).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.rdb("import", &[text(&file)]).expect(0).expect_calm();
    assert_eq!(ended.number("keys_scanned"), ended.number("keys_copied"), "{ended:#?}");
    equal(&source.access(), &target.access()).await;
    let verified = redferry.run("verify", &["--until-stable", "1s"]).expect(0);
    assert_eq!(verified.number("missing") + verified.number("value_differs"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_7_4_goes_back_into_redis_6() {
    let (source, target) = (Server::plain7().start(), Server::acr().start());
    dataset::every_type(&source.access(), SEED, 1).await;
    dataset::mixed(&source.access(), 3_000, SEED).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.rdb("import", &[text(&file)]).expect(0).expect_calm();
    equal(&source.access(), &target.access()).await;
}

/// Redis 6 ends its process when it is given a module's value that it does not know.
#[tokio::test(flavor = "multi_thread")]
async fn values_of_modules_do_not_bring_down_redis_6() {
    let (source, target) = (Server::plain7().modules(true).start(), Server::plain6().start());
    source.command(&["JSON.SET", "document", "$", "1"]);
    source.command(&["SET", "text", "value"]);
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.rdb("import", &[text(&file)]).expect(1);
    assert_eq!(ended.report["causes"]["module_type_unknown"], 1, "{ended:#?}");
    assert_eq!(target.command(&["GET", "text"]).text(), "value");
    target.command(&["FLUSHALL"]);
    let ended = redferry.copy(&[]).expect(1);
    assert_eq!(ended.report["causes"]["module_type_unknown"], 1, "{ended:#?}");
    assert_eq!(target.command(&["GET", "text"]).text(), "value");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_values_travel_in_pieces() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    for kind in dataset::Kind::ALL {
        dataset::big(&source.access(), kind, 3 << 20).await;
    }
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.rdb("import", &[text(&file), "--big-key", "256KiB"]).expect(0).expect_calm();
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_gets_each_key_on_its_node() {
    let (source, target) = (Server::plain6().start(), Cluster::amr(3).start());
    dataset::every_type(&source.access(), SEED, 1).await;
    dataset::mixed(&source.access(), 5_000, SEED).await;
    dataset::big(&source.access(), dataset::Kind::Hash, 1 << 20).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.rdb("import", &[text(&file), "--big-key", "256KiB"]).expect(0).expect_calm();
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_databases_go_where_they_shall() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    for db in [0, 3] {
        dataset::strings(Place::db(&source.access(), db), 100, 20).await;
    }
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    // The target has database 0 only: known before anything is written.
    let refused = redferry.rdb("import", &[text(&file)]).expect(3).expect_said("no database 3");
    assert!(refused.report["findings"]["checks"].is_array());
    let merged = redferry.rdb("import", &[text(&file), "--db-map", "3=0"]).expect(3);
    merged.expect_said("may get the same names");
    redferry.rdb("import", &[text(&file), "--prefix-by-db"]).expect(0);
    let options = compare::Options::default()
        .map(|db, key| if db == 0 { (0, key.to_vec()) } else { (0, [b"db3:", key].concat()) });
    compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_for_one_name_are_told() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::strings(Place::db(&source.access(), 3), 10, 20).await;
    let mut connection = source.access().connect().await;
    let _: () = redis::cmd("SET").arg("db3:string:7").arg("x").query_async(&mut connection).await.unwrap();
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.rdb("import", &[text(&file), "--prefix-by-db"]).expect(1);
    assert_eq!((ended.number("keys_copied"), ended.number("keys_skipped")), (10, 1));
    assert_eq!(ended.report["causes"]["target_has_key"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_names_are_those_of_a_copy() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::mixed(&source.access(), 500, SEED).await;
    dataset::strings(&source.access(), 50, 20).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let options = ["--type", "hash", "--match", "mixed:*", "--no-ttl-only", "--rename", "mixed:=m:"];
    let ended = redferry.rdb("import", &[&[text(&file)][..], &options].concat()).expect(0);
    assert!(ended.number("keys_filtered") > 400 && ended.number("keys_copied") > 20, "{ended:#?}");
    assert_eq!(ended.report["keys_by_type"]["hash"], ended.report["keys_copied"]);
    let mut connection = target.access().connect().await;
    let names: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    assert_eq!(names.len() as u64, ended.number("keys_copied"));
    assert!(names.iter().all(|name| name.starts_with("m:")), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_the_target_has_are_a_question() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::strings(&source.access(), 100, 20).await;
    let file = saved(&source).await;
    let mut connection = target.access().connect().await;
    let _: () = redis::cmd("SET").arg("string:7").arg("mine").query_async(&mut connection).await.unwrap();
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.rdb("import", &[text(&file)]).expect(3).expect_said("--on-conflict");
    let ended = redferry.rdb("import", &[text(&file), "--on-conflict", "skip"]).expect(1);
    assert_eq!((ended.number("keys_copied"), ended.number("keys_skipped")), (99, 1));
    let kept: String = redis::cmd("GET").arg("string:7").query_async(&mut connection).await.unwrap();
    assert_eq!(kept, "mine");
    redferry.rdb("import", &[text(&file), "--on-conflict", "replace"]).expect(0);
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_whose_time_is_over_are_counted_and_left_out() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::strings(&source.access(), 10, 20).await;
    let mut connection = source.access().connect().await;
    for (name, ms) in [("soon", 1500), ("later", 600_000)] {
        let mut set = redis::cmd("SET");
        let _: () = set.arg(name).arg("v").arg("PX").arg(ms).query_async(&mut connection).await.unwrap();
    }
    let file = saved(&source).await;
    tokio::time::sleep(std::time::Duration::from_millis(1600)).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.rdb("import", &[text(&file)]).expect(0);
    assert_eq!((ended.number("keys_copied"), ended.number("keys_expired")), (11, 1));
    assert_eq!(ended.report["causes"]["expired_in_file"], 1);
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_loaded_when_that_is_wanted() {
    let (source, target) = (Server::plain7().start(), Server::amr().start());
    let mut connection = source.access().connect().await;
    let library = "#!lua name=mine\nredis.register_function('f', function() return 7 end)";
    let _: String =
        redis::cmd("FUNCTION").arg("LOAD").arg(library).query_async(&mut connection).await.unwrap();
    dataset::strings(&source.access(), 10, 20).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.rdb("import", &[text(&file)]).expect(0);
    assert_eq!((ended.number("functions"), ended.number("functions_loaded")), (1, 0));
    assert!(ended.report["notes"][0].as_str().unwrap().contains("--functions"), "{ended:#?}");
    let ended = redferry.rdb("import", &[text(&file), "--functions", "--on-conflict", "replace"]).expect(0);
    assert_eq!(ended.number("functions_loaded"), 1);
    let mut connection = target.access().connect().await;
    let seven: i64 = redis::cmd("FCALL").arg("f").arg(0).query_async(&mut connection).await.unwrap();
    assert_eq!(seven, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_old_target_cannot_hold_is_told_key_by_key() {
    let (source, target) = (Server::plain7().start(), Server::acr().start());
    dataset::mixed(&source.access(), 100, SEED).await;
    let mut connection = source.access().connect().await;
    let _: () =
        redis::cmd("HSET").arg(&["expiring", "a", "1", "b", "2"]).query_async(&mut connection).await.unwrap();
    let _: redis::Value = redis::cmd("HEXPIRE")
        .arg(&["expiring", "1000", "FIELDS", "1", "a"])
        .query_async(&mut connection)
        .await
        .unwrap();
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.rdb("import", &[text(&file), "--show-keys"]).expect(1);
    assert_eq!((ended.number("keys_copied"), ended.number("keys_failed")), (100, 1));
    assert_eq!(ended.report["examples"]["format_unfit"], serde_json::json!(["expiring"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn module_values_need_their_module() {
    let (source, target) = (Server::amr().start(), Server::plain7().start());
    dataset::modules(&source.access()).await;
    dataset::strings(&source.access(), 10, 20).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.rdb("export", &["modules.rdb", "--rdb-version", "12"]).expect(0);
    let ended = redferry.rdb("import", &["modules.rdb"]).expect(1);
    assert_eq!(ended.number("keys_copied"), 10);
    assert!(ended.report["causes"]["module_type_unknown"].as_u64() > Some(0), "{ended:#?}");
    let other = Server::amr().start();
    let redferry_other = Redferry::between(&source.access(), &other.access());
    let file = redferry.folder().join("modules.rdb");
    redferry_other.rdb("import", &[text(&file)]).expect(0);
    equal(&source.access(), &other.access()).await;
}
