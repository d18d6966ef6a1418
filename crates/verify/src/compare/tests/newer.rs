//! What only Redis 7.4 and its modules have.

use redis::Value;
use testkit::server::Reply;
use testkit::{Access, Server, dataset};

use super::{Bench, Row, expect, run};
use crate::options::Level;

const FIELDS: &[Row] = &[
    ("plain", "HSET {key} a 1 b 2", "HSET {key} a 1 b 2", "equal", "equal"),
    (
        "field:same",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800010 FIELDS 1 a",
        "equal",
        "equal",
    ),
    (
        "field:later",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800050 FIELDS 1 a",
        "ttl",
        "equal",
    ),
    (
        "field:other",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 b",
        "ttl",
        "equal",
    ),
    (
        "field:and-value",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HSET {key} a 3 b 2",
        "value ttl",
        "equal",
    ),
    (
        "field:missing",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HSET {key} b 2",
        "value",
        "value",
    ),
    (
        "field:key-too",
        "HSET {key} a 1; HPEXPIREAT {key} 4102444800000 FIELDS 1 a; PEXPIREAT {key} 4102444900000",
        "HSET {key} a 1; HPEXPIREAT {key} 4102444800000 FIELDS 1 a; PEXPIREAT {key} 4102444900100",
        "ttl",
        "ttl",
    ),
];

const COUNTERS: &[Row] = &[
    (
        "added",
        "XADD {key} 1-1 a b",
        "XADD {key} 1-1 a b; XSETID {key} 1-1 ENTRIESADDED 77 MAXDELETEDID 0-0",
        "value",
        "equal",
    ),
    (
        "deleted",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XSETID {key} 1-2 ENTRIESADDED 2 MAXDELETEDID 1-1",
        "value",
        "equal",
    ),
    (
        "read",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XGROUP CREATE {key} g 1-1 ENTRIESREAD 1",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XGROUP CREATE {key} g 1-1 ENTRIESREAD 2",
        "group",
        "equal",
    ),
    (
        "read:unknown",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XGROUP CREATE {key} g 1-1",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XGROUP CREATE {key} g 1-1 ENTRIESREAD 1",
        "equal",
        "equal",
    ),
];

#[tokio::test]
async fn fields_that_expire_and_counters_of_streams() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    expect(&source.access(), &target.access(), COUNTERS).await;
    expect(&source.access(), &target.access(), FIELDS).await;
}

/// Many fields, so that they are asked for in pages; and a side that does not know that fields can expire.
#[tokio::test]
async fn fields_in_pages_and_of_one_side_only() {
    let (older, source, target) =
        (Server::plain6().start(), Server::plain7().start(), Server::plain7().start());
    let fields = |from: u32| (from..3000).map(|n| format!("f{n} {n}")).collect::<Vec<_>>().join(" ");
    for access in [older.access(), source.access(), target.access()] {
        run(&access, "hash", &format!("HSET {{key}} {}", fields(0))).await;
        run(&access, "none", "HSET {key} a b").await;
    }
    let (from, to) = (source.access(), target.access());
    for access in [&from, &to] {
        run(access, "hash", "HPEXPIREAT {key} 4102444800000 FIELDS 2 f7 f2900").await;
    }
    for big_key in [1, 1 << 20] {
        let bench = Bench::of(&from, &to).with(|options| options.big_key = big_key);
        let judged = bench.judged(&["hash", "none"]).await;
        assert_eq!((&*judged["hash"], &*judged["none"]), ("equal", "equal"));
        let judged = Bench::of(&older.access(), &to).judged(&["hash", "none"]).await;
        assert_eq!((&*judged["hash"], &*judged["none"]), ("ttl", "equal"));
    }
    run(&to, "hash", "HPEXPIREAT {key} 4102444801000 FIELDS 1 f2900").await;
    assert_eq!(Bench::of(&from, &to).judged(&["hash"]).await["hash"], "ttl");
}

/// HLEN counts a field whose time is over until the server gets around to removing it.
#[tokio::test]
async fn a_field_that_has_expired_is_no_field() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    source.command(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    let fields = (0..600).map(|n| format!("f{n} {n}")).collect::<Vec<_>>().join(" ");
    for (key, fields) in [("small", "a 1"), ("large", &*fields)] {
        run(&source.access(), key, &format!("HSET {{key}} {fields} b 2; HPEXPIRE {{key}} 1 FIELDS 1 b"))
            .await;
        run(&target.access(), key, &format!("HSET {{key}} {fields}")).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(source.command(&["HLEN", "small"]), Reply::Integer(2));
    for big_key in [1, 1 << 20] {
        let bench = Bench::of(&source.access(), &target.access()).with(|options| options.big_key = big_key);
        let judged = bench.judged(&["small", "large"]).await;
        assert_eq!((&*judged["small"], &*judged["large"]), ("equal", "equal"));
    }
}

/// The same payload under the same name on both sides, as a copy makes it.
async fn restore_all(source: &Access, target: &Access) -> Vec<String> {
    let (mut from, mut to) = (source.connect().await, target.connect().await);
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut from).await.unwrap();
    for key in &keys {
        let payload: Value = redis::cmd("DUMP").arg(key).query_async(&mut from).await.unwrap();
        let Value::BulkString(payload) = payload else { panic!("{key} has no payload") };
        let mut restore = redis::cmd("RESTORE");
        restore.arg(key).arg(0).arg(payload).arg("REPLACE");
        restore.exec_async(&mut to).await.unwrap();
    }
    keys
}

const MODULES: &[(&str, &str, &str)] = &[
    ("json-number", r#"JSON.SET {key} $ {"a":1,"b":[1,2]}"#, "JSON.SET {key} $.b[1] 3"),
    ("json-type", r#"JSON.SET {key} $ {"a":1}"#, r#"JSON.SET {key} $.a "1""#),
    ("json-key", r#"JSON.SET {key} $ {"a":1}"#, "JSON.SET {key} $.b 1"),
    ("bloom1", "BF.RESERVE {key} 0.01 100; BF.MADD {key} a b c", "BF.ADD {key} d"),
    ("cuckoo1", "CF.RESERVE {key} 100; CF.ADD {key} a", "CF.DEL {key} a; CF.ADD {key} b"),
    ("sketch1", "CMS.INITBYDIM {key} 20 3; CMS.INCRBY {key} a 5", "CMS.INCRBY {key} a 1"),
    ("topk1", "TOPK.RESERVE {key} 3; TOPK.ADD {key} a b c", "TOPK.ADD {key} a"),
    ("topk2", "TOPK.RESERVE {key} 50; TOPK.ADD {key} a b c", "TOPK.ADD {key} d"),
    ("digest1", "TDIGEST.CREATE {key}; TDIGEST.ADD {key} 1 2 3", "TDIGEST.ADD {key} 4"),
    ("series-sample", "TS.ADD {key} 1000 1.5", "TS.ADD {key} 1000 2.5 ON_DUPLICATE LAST"),
    ("series-added", "TS.ADD {key} 1000 1.5", "TS.ADD {key} 2000 1.5"),
    ("series-labels", "TS.ADD {key} 1000 1.5 LABELS a b", "TS.ALTER {key} LABELS a c"),
];

#[tokio::test]
async fn values_of_modules() {
    let (source, target) = (Server::amr().start(), Server::amr().arg("rdbcompression", "no").start());
    let (from, to) = (source.access(), target.access());
    dataset::modules(&from).await;
    for (key, make, _) in MODULES {
        run(&from, key, make).await;
    }
    let keys = restore_all(&from, &to).await;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let bench = Bench::of(&from, &to);
    for big_key in [1, 1 << 20] {
        let judged = bench.with(|options| options.big_key = big_key).judged(&keys).await;
        let differing: Vec<_> = judged.iter().filter(|(_, verdict)| *verdict != "equal").collect();
        assert!(differing.is_empty(), "{differing:?}");
    }
    for (key, _, change) in MODULES {
        run(&to, key, change).await;
    }
    let judged = bench.judged(&keys).await;
    let quick = bench.with(|options| options.level = Level::Quick).judged(&keys).await;
    for key in keys {
        let is_changed = MODULES.iter().any(|(changed, ..)| *changed == key);
        assert_eq!(judged[key], if is_changed { "value" } else { "equal" }, "{key}");
        assert_eq!(quick[key], "equal", "{key}");
    }
    run(&to, "bloom1", "DEL {key}; SET {key} a").await;
    run(&to, "topk1", "PEXPIRE {key} 100000").await;
    run(&to, "json-key", "DEL {key}; BF.ADD {key} a").await;
    let judged = bench.judged(&["bloom1", "topk1", "json-key"]).await;
    assert_eq!(judged["bloom1"], "type");
    assert_eq!(judged["topk1"], "value ttl");
    assert_eq!(judged["json-key"], "type");
}
