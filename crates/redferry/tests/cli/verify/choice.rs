//! The choice of keys and names is that of the copy: with the same options both sides are equal, and what lies
//! outside of the choice is nobody's business.

use testkit::Server;
use testkit::dataset::{self, Place};

use super::Pair;
use super::commands::run;
use super::findings::{each, found};

/// A source with keys of several names, types and expiries.
async fn source() -> Server {
    let source = Server::acr().start();
    let access = source.access();
    dataset::strings(&access, 100, 20).await;
    dataset::hashes(&access, 50, 3).await;
    for n in 0..20 {
        run(&access, &format!("user:{n}"), "SADD {key} a b").await;
        run(&access, &format!("session:{n}"), "SET {key} x EX 7200").await;
    }
    source
}

struct Case {
    options: &'static [&'static str],
    /// How many keys the choice holds.
    keys: u64,
    /// Keys that only the target has and that the choice would hold.
    inside: &'static [(&'static str, &'static str)],
    /// Keys that only the target has and that are none of verify's business.
    outside: &'static [(&'static str, &'static str)],
    /// Keys that are changed on the target, and where they are called otherwise.
    changed: &'static [(&'static str, &'static str)],
}

const CASES: &[Case] = &[
    Case {
        options: &["--match", "user:*"],
        keys: 20,
        inside: &[("user:99", "SET {key} x"), ("user:", "SADD {key} a")],
        outside: &[("string:999", "SET {key} x"), ("other", "SET {key} x")],
        changed: &[("user:3", "SADD {key} c")],
    },
    Case {
        options: &["--exclude", "string:*", "--exclude", "session:*"],
        keys: 70,
        inside: &[("other", "SET {key} x")],
        outside: &[("string:999", "SET {key} x"), ("session:999", "SET {key} x")],
        changed: &[("user:3", "SADD {key} c")],
    },
    Case {
        options: &["--regex", "^user:1[0-9]$"],
        keys: 10,
        inside: &[],
        outside: &[("user:1", "SET {key} x"), ("user:100", "SET {key} x")],
        changed: &[("user:13", "SADD {key} c")],
    },
    Case {
        options: &["--type", "string"],
        keys: 120,
        inside: &[("other", "SET {key} x")],
        outside: &[("other-list", "RPUSH {key} x"), ("user:999", "SADD {key} a")],
        changed: &[("string:3", "APPEND {key} c")],
    },
    Case {
        options: &["--type", "set,hash", "--match", "*[0-4]"],
        keys: 35,
        inside: &[("other:4", "SADD {key} x"), ("others:0", "HSET {key} a b")],
        outside: &[("other:5", "SADD {key} x"), ("others:1", "RPUSH {key} x")],
        changed: &[("user:3", "SADD {key} c")],
    },
    Case {
        options: &["--no-ttl-only"],
        keys: 170,
        inside: &[("other", "SET {key} x")],
        outside: &[("other-expiring", "SET {key} x EX 3600")],
        changed: &[("user:3", "SADD {key} c")],
    },
    Case {
        options: &["--min-ttl", "1h"],
        keys: 190,
        inside: &[("other", "SET {key} x"), ("other-long", "SET {key} x EX 7200")],
        outside: &[("other-expiring", "SET {key} x EX 1800")],
        changed: &[("user:3", "SADD {key} c")],
    },
    // CLUSTER KEYSLOT foo: 12182, bar: 5061, hello: 866.
    Case {
        options: &["--slots", "0-8000", "--match", "{*}*"],
        keys: 0,
        inside: &[("{bar}x", "SET {key} x"), ("{hello}x", "SET {key} x")],
        outside: &[("{foo}x", "SET {key} x"), ("bar", "SET {key} x")],
        changed: &[],
    },
    Case {
        options: &["--rename", "user:=people:", "--match", "user:*"],
        keys: 20,
        inside: &[("people:99", "SADD {key} x")],
        outside: &[("string:999", "SET {key} x"), ("other", "SET {key} x")],
        changed: &[("people:3", "SADD {key} c")],
    },
    Case {
        options: &["--rename", "user:=people:"],
        keys: 190,
        inside: &[("people:99", "SADD {key} x"), ("other", "SET {key} x")],
        outside: &[],
        changed: &[("people:3", "SADD {key} c"), ("string:3", "APPEND {key} c")],
    },
];

/// The source's name of a key that the target has under another one.
fn source_name(key: &str) -> String {
    key.strip_prefix("people:").map_or(key.to_owned(), |rest| format!("user:{rest}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_the_choice_nothing_counts() {
    let source = source().await;
    for case in CASES {
        let target = Server::amr().start();
        let pair = Pair::of(&source.access(), &target.access());
        assert_eq!(pair.copy(case.options).number("keys_copied"), case.keys, "{:?}", case.options);
        for level in ["full", "quick"] {
            let options = [case.options, &["--level", level]].concat();
            assert_eq!(pair.expect_equal(&options).number("keys_compared"), case.keys, "{:?}", case.options);
        }
        for (key, text) in case.outside {
            run(&target.access(), key, text).await;
        }
        for level in ["full", "quick"] {
            let ended = pair.expect_equal(&[case.options, &["--level", level]].concat());
            assert_eq!(ended.number("keys_source"), case.keys, "{:?}", case.options);
            assert_eq!(ended.number("keys_target"), case.keys, "{:?}", case.options);
        }
        for (key, text) in case.inside.iter().chain(case.changed) {
            run(&target.access(), key, text).await;
        }
        let changed: Vec<String> = case.changed.iter().map(|(key, _)| source_name(key)).collect();
        let inside = case.inside.iter().map(|(key, _)| (*key, "extra"));
        let expected =
            each(&inside.chain(changed.iter().map(|key| (key.as_str(), "value"))).collect::<Vec<_>>());
        for level in ["full", "quick"] {
            pair.expect_differences(&[case.options, &["--level", level]].concat(), &expected);
        }
    }
}

/// Nobody checks what a filter leaves out: a key of the source that was not copied is not missing.
#[tokio::test(flavor = "multi_thread")]
async fn all_keys_after_a_copy_of_some() {
    let (source, target) = (source().await, Server::amr().start());
    let pair = Pair::of(&source.access(), &target.access());
    pair.copy(&["--match", "user:*"]);
    pair.expect_equal(&["--match", "user:*"]);
    let ended = pair.verify(&[]).expect(1);
    assert_eq!((ended.number("missing"), ended.number("extra")), (170, 0), "{ended:#?}");
    assert!(found(&ended).keys().all(|key| !key.starts_with("user:")));
}

/// A filter by type asks the source about keys that both have.
#[tokio::test(flavor = "multi_thread")]
async fn another_type_within_a_filter_by_type() {
    let (source, target) = (source().await, Server::amr().start());
    let (from, to) = (source.access(), target.access());
    let pair = Pair::of(&from, &to);
    pair.copy(&["--type", "set"]);
    run(&to, "user:3", "DEL {key}; SET {key} x").await;
    pair.expect_differences(&["--type", "set"], &each(&[("user:3", "type")]));
}

/// Databases 0, 3 and 7, with some keys of the same name.
async fn databases() -> Server {
    let source = Server::acr().start();
    for (db, count) in [(0, 20), (3, 30), (7, 5)] {
        dataset::strings(Place::db(&source.access(), db), count, 10 + usize::from(db)).await;
    }
    source
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_under_prefixes() {
    let (source, target) = (databases().await, Server::amr().start());
    let pair = Pair::of(&source.access(), &target.access());
    let options = ["--all-dbs", "--prefix-by-db"];
    pair.copy(&options);
    assert_eq!(pair.expect_equal(&options).number("keys_compared"), 55);
    run(&target.access(), "db3:string:4", "APPEND {key} x").await;
    run(&target.access(), "db3:new", "SET {key} x").await;
    run(&target.access(), "plain", "SET {key} x").await;
    run(&target.access(), "db7:string:1", "DEL {key}").await;
    let ended = pair.verify(&options).expect(1);
    let found: Vec<(String, u64, String)> = located(&ended);
    let is = |kind: &str, db: u64, key: &str| (kind.to_owned(), db, key.to_owned());
    // Keys that both have, or should have, by the source's name; extras by the target's.
    let expected = [
        is("extra", 0, "db3:new"),
        is("extra", 0, "plain"),
        is("missing", 7, "string:1"),
        is("value", 3, "string:4"),
    ];
    assert_eq!(found, expected, "{ended:#?}");
}

/// Kind, database and key of all differences, sorted.
fn located(ended: &crate::support::Ended) -> Vec<(String, u64, String)> {
    let examples = ended.report["examples"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut located: Vec<_> = examples
        .iter()
        .map(|example| (text(&example["kind"]), example["db"].as_u64().unwrap(), text(&example["key"])))
        .collect();
    located.sort();
    located
}

#[tokio::test(flavor = "multi_thread")]
async fn one_database_into_a_prefix() {
    let (source, target) = (databases().await, Server::amr().start());
    let pair = Pair::of(&source.access(), &target.access());
    let options = ["--db", "3", "--db-map", "3=0", "--db-prefix", "3=billing:"];
    pair.copy(&options);
    // Whatever does not begin with the prefix cannot have come from there.
    run(&target.access(), "plain", "SET {key} x").await;
    run(&target.access(), "string:1", "SET {key} x").await;
    assert_eq!(pair.expect_equal(&options).number("keys_target"), 30);
    run(&target.access(), "billing:new", "SET {key} x").await;
    pair.expect_differences(&options, &each(&[("billing:new", "extra")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_by_number() {
    let (source, target) = (databases().await, Server::plain7().start());
    let pair = Pair::of(&source.access(), &target.access());
    let options = ["--db", "0,3", "--db-map", "3=5"];
    pair.copy(&options);
    assert_eq!(pair.expect_equal(&options).number("keys_compared"), 50);
    // Database 3 of the target is not in the choice, 5 is.
    run(Place::db(&target.access(), 3), "outside", "SET {key} x").await;
    run(Place::db(&target.access(), 7), "outside", "SET {key} x").await;
    assert_eq!(pair.expect_equal(&options).number("keys_target"), 50);
    run(Place::db(&target.access(), 5), "inside", "SET {key} x").await;
    run(Place::db(&target.access(), 5), "string:7", "APPEND {key} x").await;
    run(&target.access(), "string:7", "DEL {key}").await;
    let ended = pair.verify(&options).expect(1);
    let expected = [("extra", 5, "inside"), ("missing", 0, "string:7"), ("value", 3, "string:7")];
    let expected: Vec<_> = expected.map(|(kind, db, key)| (kind.to_owned(), db, key.to_owned())).into();
    assert_eq!(located(&ended), expected, "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_chosen_among_databases_is_refused_as_a_copy_is() {
    let (source, target) = (databases().await, Server::plain7().start());
    let pair = Pair::of(&source.access(), &target.access());
    pair.verify(&[]).expect(3).expect_said("--all-dbs");
    pair.copy(&["--all-dbs"]);
    assert_eq!(pair.expect_equal(&["--all-dbs"]).number("keys_compared"), 55);
}

/// What an interrupted copy leaves behind on the source is not missing; on the target it is too much.
#[tokio::test(flavor = "multi_thread")]
async fn temporary_keys() {
    let (source, target) = (source().await, Server::amr().start());
    let pair = Pair::of(&source.access(), &target.access());
    pair.copy(&[]);
    let name = "redferry:tmp:{user:1}:0123456789abcdef";
    run(&source.access(), name, "SET {key} x").await;
    pair.expect_equal(&[]);
    run(&target.access(), name, "SET {key} x").await;
    pair.expect_differences(&[], &each(&[(name, "extra")]));
}
