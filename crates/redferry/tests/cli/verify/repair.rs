//! `--repair` makes the target equal, by the copy's own operation, and nothing but what differs is written.

use testkit::{Access, Cluster, Server, dataset};

use super::Pair;
use super::commands::run;
use super::corruption::{BIG, Corruption, SMALL, Size, corruptions, expected, spoiled_pair};
use super::findings::{Expected, each, expect_findings, found};
use crate::support::Ended;

/// How many keys differ on the source's side, and how many only the target has.
fn counts(expected: &Expected) -> (u64, u64) {
    let extra = expected.values().filter(|kinds| kinds.contains("extra")).count();
    ((expected.len() - extra) as u64, extra as u64)
}

fn repaired(ended: &Ended) -> u64 {
    ended.number("repaired")
}

async fn all_are_repaired(source: &Access, target: &Access, size: Size, options: &[&str]) {
    let corruptions = corruptions(size);
    let pair = spoiled_pair(source, target, &corruptions, options).await;
    let all = expected(&corruptions, "full");
    let (differing, extra) = counts(&all);
    assert!(differing > 50 && extra > 5);
    // Without a further word nothing is deleted.
    let ended = pair.verify(&[options, &["--repair"]].concat()).expect(1);
    assert_eq!(repaired(&ended), differing, "{ended:#?}");
    let left: Expected = all
        .iter()
        .filter(|(_, kinds)| kinds.contains("extra"))
        .map(|(key, kinds)| (key.clone(), kinds.clone()))
        .collect();
    pair.expect_differences(options, &left);
    let ended = pair.verify(&[options, &["--repair", "--delete-extra"]].concat()).expect(0);
    assert_eq!(repaired(&ended), extra, "{ended:#?}");
    pair.expect_equal(options);
    pair.compare().await.assert_equal();
    let ended = pair.verify(&[options, &["--repair", "--delete-extra"]].concat()).expect(0);
    assert_eq!(repaired(&ended), 0, "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn small_values() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    all_are_repaired(&source.access(), &target.access(), SMALL, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn big_values_in_pieces() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    all_are_repaired(&source.access(), &target.access(), BIG, &["--big-key", "64KiB"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_clusters() {
    let (source, target) = (Cluster::acr(3).tls(true).start(), Cluster::amr(2).tls(true).start());
    all_are_repaired(&source.access(), &target.access(), SMALL, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_at_once() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let corruptions = corruptions(SMALL);
    let pair = spoiled_pair(&source.access(), &target.access(), &corruptions, &[]).await;
    let (differing, extra) = counts(&expected(&corruptions, "full"));
    let ended = pair.verify(&["--repair", "--delete-extra"]).expect(0);
    assert_eq!(repaired(&ended), differing + extra, "{ended:#?}");
    assert_eq!(ended.report["status"], "done", "{ended:#?}");
    pair.expect_equal(&[]);
    pair.compare().await.assert_equal();
}

/// What quick sees is repaired, and what it does not see stays.
#[tokio::test(flavor = "multi_thread")]
async fn as_far_as_the_level_sees() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let corruptions = corruptions(SMALL);
    let pair = spoiled_pair(&source.access(), &target.access(), &corruptions, &[]).await;
    let mut rest = expected(&corruptions, "full");
    pair.verify(&["--level", "quick", "--repair", "--delete-extra"]).expect(0);
    for key in expected(&corruptions, "quick").keys() {
        rest.remove(key);
    }
    assert!(rest.len() > 30);
    pair.expect_differences(&[], &rest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let corruptions = corruptions(SMALL);
    let pair = spoiled_pair(&source.access(), &target.access(), &corruptions, &[]).await;
    let before = pair.compare().await;
    assert!(before.differences.len() > 50);
    let ended = pair.verify(&["--repair", "--delete-extra", "--dry-run"]).expect(1);
    // The whole plan: each key, and what is wrong with it.
    let plan = found(&ended);
    let all = expected(&corruptions, "full");
    assert_eq!(plan.keys().collect::<Vec<_>>(), all.keys().collect::<Vec<_>>(), "{ended:#?}");
    assert!(ended.report["repaired"].as_u64().is_none_or(|repaired| repaired == 0), "{ended:#?}");
    let after = pair.compare().await;
    let keys = |report: &testkit::compare::Report| {
        let found = report.differences.iter().map(|found| (found.key.clone(), found.kind));
        found.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(keys(&before), keys(&after));
    pair.expect_differences(&[], &all);
}

/// What is equal is not touched: a repair is no copy.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_differs_is_written() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (from, to) = (source.access(), target.access());
    dataset::strings(&from, 3000, 50).await;
    let pair = Pair::of(&from, &to);
    pair.copy(&[]);
    for key in ["string:5", "string:1500"] {
        run(&to, key, "APPEND {key} x").await;
    }
    run(&to, "extra", "SET {key} x").await;
    target.command(&["CONFIG", "RESETSTAT"]);
    let ended = pair.verify(&["--repair", "--delete-extra"]).expect(0);
    assert_eq!(repaired(&ended), 3, "{ended:#?}");
    let stats = target.command(&["INFO", "commandstats"]).text();
    let writes: u64 = ["set", "restore", "del", "unlink", "append", "setrange", "rename"]
        .iter()
        .filter_map(|name| {
            let prefix = format!("cmdstat_{name}:calls=");
            stats.lines().find_map(|line| line.strip_prefix(&prefix)?.split(',').next()?.parse::<u64>().ok())
        })
        .sum();
    // Three keys, and what preflight writes and removes to see whether it may.
    assert!((3..=30).contains(&writes), "{writes} writes for three keys: {stats}");
    pair.compare().await.assert_equal();
}

/// Names and databases are mapped for a repair as for a copy.
#[tokio::test(flavor = "multi_thread")]
async fn under_other_names_and_in_other_databases() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (from, to) = (source.access(), target.access());
    for (db, count) in [(0, 30), (3, 30)] {
        dataset::strings(dataset::Place::db(&from, db), count, 10 + usize::from(db)).await;
    }
    let options = ["--all-dbs", "--prefix-by-db", "--rename", "string:=text:"];
    let pair = Pair::of(&from, &to);
    pair.copy(&options);
    pair.expect_equal(&options);
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*7").query_async(&mut to.connect().await).await.unwrap();
    assert_eq!(keys.len(), 6, "{keys:?}");
    for key in keys {
        run(&to, std::str::from_utf8(&key).unwrap(), "DEL {key}").await;
    }
    run(&to, "text:extra", "SET {key} x").await;
    let repair = [&options[..], &["--repair", "--delete-extra"]].concat();
    assert_eq!(repaired(&pair.verify(&repair).expect(0)), 7);
    pair.expect_equal(&options);
    assert_eq!(target.command(&["DBSIZE"]), testkit::server::Reply::Integer(60));
}

/// Outside of the choice nothing is deleted, whatever is said.
#[tokio::test(flavor = "multi_thread")]
async fn extras_outside_of_the_choice_stay() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (from, to) = (source.access(), target.access());
    dataset::strings(&from, 100, 10).await;
    let pair = Pair::of(&from, &to);
    pair.copy(&[]);
    for key in ["string:extra", "session:1", "string:list"] {
        run(&to, key, if key == "string:list" { "RPUSH {key} x" } else { "SET {key} x" }).await;
    }
    let choice = ["--match", "string:*", "--type", "string"];
    let repair = [&choice[..], &["--repair", "--delete-extra"]].concat();
    assert_eq!(repaired(&pair.verify(&repair).expect(0)), 1);
    pair.expect_differences(&[], &each(&[("session:1", "extra"), ("string:list", "extra")]));
}

/// What cannot be repaired is still a difference.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_target_refuses_is_told() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    dataset::strings(&source.access(), 100, 10).await;
    run(&source.access(), "forbidden", "SET {key} x").await;
    Pair::of(&source.access(), &target.access()).copy(&[]);
    run(&target.access(), "forbidden", "DEL {key}").await;
    run(&target.access(), "string:1", "DEL {key}").await;
    target.command(&["ACL", "SETUSER", "writer", "on", ">pw", "%R~*", "%W~string:*", "~redferry:*", "+@all"]);
    let to = Access { user: Some("writer".into()), password: Some("pw".into()), ..target.access() };
    let pair = Pair::of(&source.access(), &to);
    let ended = pair.start(&["--repair"]).wait().expect(1);
    assert_eq!(repaired(&ended), 1, "{ended:#?}");
    let ended = pair.start(&[]).wait();
    expect_findings(&ended, &each(&[("forbidden", "missing")]));
}

/// More keys than one batch.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_lost_everything() {
    let (source, target) = (Server::acr().start(), Cluster::amr(2).start());
    dataset::mixed(&source.access(), 30_000, 81).await;
    super::equal::put_off_expiries(&source.access()).await;
    let pair = Pair::of(&source.access(), &target.access());
    let keys = pair.copy(&["--match", "mixed:1*"]).number("keys_copied");
    let ended = pair.verify(&["--repair"]).expect(0);
    assert_eq!(repaired(&ended), 30_000 - keys, "{}", ended.said);
    assert_eq!(ended.number("missing"), 30_000 - keys, "{}", ended.said);
    pair.expect_equal(&[]);
    pair.compare().await.assert_equal();
}

/// A repair is told from a copy by what it is: used twice it is no worse.
#[tokio::test(flavor = "multi_thread")]
async fn the_newer_version_with_its_modules() {
    let (source, target) = (Server::amr().start(), Server::amr().start());
    let (from, to) = (source.access(), target.access());
    dataset::modules(&from).await;
    dataset::hash_field_ttls(&from).await;
    dataset::run(&from, corruptions(SMALL).iter().flat_map(Corruption::made_by)).await;
    let pair = Pair::of(&from, &to);
    pair.copy(&[]);
    for (key, text) in [
        ("json:scalar", "JSON.SET {key} $ 43"),
        ("bloom", "BF.ADD {key} new"),
        ("topk", "DEL {key}"),
        ("digest", "TDIGEST.ADD {key} 7"),
        ("fieldttl:some", "HPERSIST {key} FIELDS 1 f1"),
        ("fieldttl:table", "HPEXPIRE {key} 5000000 FIELDS 1 f7"),
    ] {
        run(&to, key, text).await;
    }
    let ended = pair.verify(&["--repair"]).expect(0);
    assert_eq!(repaired(&ended), 6, "{ended:#?}");
    pair.expect_equal(&[]);
    pair.compare().await.assert_equal();
}
