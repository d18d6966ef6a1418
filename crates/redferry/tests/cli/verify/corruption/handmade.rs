//! Corruptions of values that are not made of numbered elements, and of what only Redis 7.4 or its modules have.

use testkit::{Access, Server, dataset};

use super::super::Pair;
use super::super::commands::on;
use super::super::findings::Expected;

type Kinds = &'static [&'static str];

const NONE: Kinds = &[];
const VALUE: Kinds = &["value"];
const GROUP: Kinds = &["group"];
const TTL: Kinds = &["ttl"];

/// Key, how it is made, how the target's is spoiled, and what shall be seen at full and at quick.
type Row = (&'static str, &'static str, &'static str, Kinds, Kinds);

/// Content that is equal once it is strung together, once it is sorted, or once it is text.
const CONFUSABLE: &[Row] = &[
    ("list-border", "RPUSH {key} ab c", "DEL {key}; RPUSH {key} a bc", VALUE, NONE),
    ("set-border", "SADD {key} ab c", "DEL {key}; SADD {key} a bc", VALUE, NONE),
    ("hash-border", "HSET {key} ab c", "DEL {key}; HSET {key} a bc", VALUE, NONE),
    ("hash-pairs", "HSET {key} a b c d", "DEL {key}; HSET {key} a d c b", VALUE, NONE),
    ("zset-border", "ZADD {key} 1 12 3 4", "DEL {key}; ZADD {key} 11 2 3 4", VALUE, NONE),
    ("stream-border", "XADD {key} 1-1 ab c", "DEL {key}; XADD {key} 1-1 a bc", VALUE, NONE),
    (
        "stream-fields",
        "XADD {key} 1-1 a b c d",
        "DEL {key}; XADD {key} 1-1 a b; XADD {key} 1-2 c d",
        VALUE,
        VALUE,
    ),
    ("stream-fewer-fields", "XADD {key} 1-1 a b c d", "DEL {key}; XADD {key} 1-1 a b", VALUE, NONE),
    ("stream-doubled-field", "XADD {key} 1-1 a b a c", "DEL {key}; XADD {key} 1-1 a c a b", VALUE, NONE),
    ("stream-id", "XADD {key} 1-1 a b", "DEL {key}; XADD {key} 1-2 a b", VALUE, NONE),
    // Two pairs of equal lines cancel each other out in a sum by exclusive or.
    ("list-pairs", "RPUSH {key} a a b b", "DEL {key}; RPUSH {key} c c d d", VALUE, NONE),
    ("list-reversed", "RPUSH {key} a b c", "DEL {key}; RPUSH {key} c b a", VALUE, NONE),
    ("set-integers", "SADD {key} 1 2 3", "DEL {key}; SADD {key} 1 2 4", VALUE, NONE),
    ("set-like-integer", "SADD {key} 1 2 3", "DEL {key}; SADD {key} 01 2 3", VALUE, NONE),
    ("string-like-integer", "SET {key} 12345", "SET {key} 12345.0", VALUE, VALUE),
    ("string-zero", "SET {key} 0012", "SET {key} 1200", VALUE, NONE),
    ("zset-infinite", "ZADD {key} inf a -inf b", "ZADD {key} -inf a inf b", VALUE, NONE),
    ("zset-huge", "ZADD {key} 1e300 a", "ZADD {key} 1.0000000000000002e300 a", VALUE, NONE),
    ("zset-tiny", "ZADD {key} 5e-324 a", "ZADD {key} 0 a", VALUE, NONE),
    ("zset-17-digits", "ZADD {key} 0.1 a", "ZADD {key} 0.10000000000000002 a", VALUE, NONE),
    ("hash-number", "HSET {key} n 1", "HSET {key} n 1.0", VALUE, NONE),
    ("one-byte", "SET {key} x", "SET {key} y", VALUE, NONE),
    ("bitmap-bit", "SETBIT {key} 1000 1", "SETBIT {key} 500 1", VALUE, NONE),
    ("bitmap-longer", "SETBIT {key} 1000 1", "SETBIT {key} 2000 0", VALUE, VALUE),
    ("long-zeros", "SETRANGE {key} 200000 x", "SETBIT {key} 800000 1", VALUE, NONE),
    ("empty-stream", "XGROUP CREATE {key} g $ MKSTREAM", "XSETID {key} 5-5", VALUE, NONE),
    (
        "pending-of-nothing",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XGROUP CREATE {key} g 0; \
         XREADGROUP GROUP g c STREAMS {key} >; XDEL {key} 1-1",
        "XACK {key} g 1-1",
        GROUP,
        NONE,
    ),
    (
        "same-total-pending",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XGROUP CREATE {key} g 0; \
         XREADGROUP GROUP g c COUNT 1 STREAMS {key} >; XREADGROUP GROUP g d COUNT 1 STREAMS {key} >; \
         XACK {key} g 1-2",
        "XGROUP SETID {key} g 1-1; XREADGROUP GROUP g d COUNT 1 STREAMS {key} >; XACK {key} g 1-1",
        GROUP,
        NONE,
    ),
];

/// What only Redis 7.4 has on both sides.
const NEWER: &[Row] = &[
    (
        "entries-added",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b",
        "XSETID {key} 1-2 ENTRIESADDED 77 MAXDELETEDID 0-0",
        VALUE,
        NONE,
    ),
    (
        "max-deleted",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b",
        "XSETID {key} 1-2 ENTRIESADDED 2 MAXDELETEDID 1-1",
        VALUE,
        NONE,
    ),
    (
        "entries-read",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XGROUP CREATE {key} g 1-1 ENTRIESREAD 1",
        "XGROUP SETID {key} g 1-1 ENTRIESREAD 2",
        GROUP,
        NONE,
    ),
    (
        "field-later",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HPEXPIREAT {key} 4102444802000 FIELDS 1 a",
        TTL,
        NONE,
    ),
    (
        "field-50ms-later",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HPEXPIREAT {key} 4102444800050 FIELDS 1 a",
        TTL,
        NONE,
    ),
    ("field-new", "HSET {key} a 1 b 2", "HPEXPIREAT {key} 4102444800000 FIELDS 1 b", TTL, NONE),
    (
        "field-gone",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 2 a b",
        "HPERSIST {key} FIELDS 1 b",
        TTL,
        NONE,
    ),
    (
        "field-other",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HPERSIST {key} FIELDS 1 a; HPEXPIREAT {key} 4102444800000 FIELDS 1 b",
        TTL,
        NONE,
    ),
    (
        "field-and-value",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HSET {key} a 3",
        &["value", "ttl"],
        NONE,
    ),
    (
        "field-same",
        "HSET {key} a 1 b 2; HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        "HPEXPIREAT {key} 4102444800000 FIELDS 1 a",
        NONE,
        NONE,
    ),
];

const MODULES: &[Row] = &[
    ("json-number", r#"JSON.SET {key} $ {"a":1,"b":[1,2]}"#, "JSON.SET {key} $.b[1] 3", VALUE, NONE),
    ("json-type", r#"JSON.SET {key} $ {"a":1}"#, r#"JSON.SET {key} $.a "1""#, VALUE, NONE),
    ("json-key", r#"JSON.SET {key} $ {"a":1}"#, "JSON.SET {key} $.b 1", VALUE, NONE),
    ("bloom", "BF.RESERVE {key} 0.01 100; BF.MADD {key} a b c", "BF.ADD {key} d", VALUE, NONE),
    ("cuckoo", "CF.RESERVE {key} 100; CF.ADD {key} a", "CF.DEL {key} a; CF.ADD {key} b", VALUE, NONE),
    ("sketch", "CMS.INITBYDIM {key} 20 3; CMS.INCRBY {key} a 5", "CMS.INCRBY {key} a 1", VALUE, NONE),
    ("topk", "TOPK.RESERVE {key} 3; TOPK.ADD {key} a b c", "TOPK.ADD {key} a", VALUE, NONE),
    ("digest", "TDIGEST.CREATE {key}; TDIGEST.ADD {key} 1 2 3", "TDIGEST.ADD {key} 4", VALUE, NONE),
    ("series-sample", "TS.ADD {key} 1000 1.5", "TS.ADD {key} 1000 2.5 ON_DUPLICATE LAST", VALUE, NONE),
    ("series-added", "TS.ADD {key} 1000 1.5", "TS.ADD {key} 2000 1.5", VALUE, NONE),
    ("series-labels", "TS.ADD {key} 1000 1.5 LABELS a b", "TS.ALTER {key} LABELS a c", VALUE, NONE),
    ("module-ttl", r#"JSON.SET {key} $ {"a":1}; PEXPIRE {key} 3600000"#, "PERSIST {key}", TTL, TTL),
    ("module-gone", r#"JSON.SET {key} $ {"a":1}"#, "DEL {key}", &["missing"], &["missing"]),
    ("module-type", r#"JSON.SET {key} $ {"a":1}"#, "DEL {key}; BF.ADD {key} a", &["type"], &["type"]),
    ("module-plain", "BF.ADD {key} a", "DEL {key}; SET {key} a", &["type"], &["type"]),
];

async fn each_is_seen(source: &Access, target: &Access, rows: &[Row]) {
    let keyed = |text: fn(&Row) -> &'static str| {
        rows.iter().flat_map(move |row| on(row.0, text(row))).collect::<Vec<_>>()
    };
    dataset::run(source, keyed(|row| row.1)).await;
    let pair = Pair::of(source, target);
    pair.copy(&[]);
    pair.expect_equal(&[]);
    dataset::run(target, keyed(|row| row.2)).await;
    let expected = |kinds: fn(&Row) -> Kinds| {
        let differing = rows.iter().filter(|row| !kinds(row).is_empty());
        differing.map(|row| (row.0.to_owned(), kinds(row).iter().copied().collect())).collect::<Expected>()
    };
    pair.expect_witness(&expected(|row| row.3)).await;
    pair.expect_differences(&[], &expected(|row| row.3));
    pair.expect_differences(&["--big-key", "1"], &expected(|row| row.3));
    pair.expect_differences(&["--level", "quick"], &expected(|row| row.4));
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_easily_confused() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    each_is_seen(&source.access(), &target.access(), CONFUSABLE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_newer_version_has() {
    let (source, target) = (Server::amr().start(), Server::amr().start());
    each_is_seen(&source.access(), &target.access(), NEWER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_modules() {
    let (source, target) = (Server::amr().start(), Server::amr().start());
    each_is_seen(&source.access(), &target.access(), MODULES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_of_a_hyperloglog() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    let counted = |first: u32, count: u32| {
        let members: Vec<String> = (first..first + count).map(|n| format!("m{n}")).collect();
        format!("PFADD {{key}} {}", members.join(" "))
    };
    // Dense: 12 KB whatever it has counted.
    dataset::run(&source, on("dense", &counted(0, 20_000))).await;
    dataset::run(&source, on("equal", &counted(0, 20_000))).await;
    let pair = Pair::of(&source, &target);
    pair.copy(&[]);
    dataset::run(&target, on("dense", &counted(50_000, 5_000))).await;
    dataset::run(&target, on("equal", &counted(0, 20_000))).await;
    pair.expect_differences(&[], &super::super::findings::each(&[("dense", "value")]));
    pair.expect_equal(&["--level", "quick"]);
}
