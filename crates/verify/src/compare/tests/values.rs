//! Redis 6.0 and 7.4: what differs and what only looks different.

use testkit::{Cluster, Server};

use super::{Bench, Row, dataset, expect, on, pairs, run, words};
use crate::verdict::{Pair, Verdict};

const E: &str = "equal";
const V: &str = "value";
const G: &str = "group";
const T: &str = "ttl";

const ROWS: &[Row] = &[
    ("gone", "", "", "gone", "gone"),
    ("missing", "SET {key} x", "", "missing", "missing"),
    ("missing:list", "RPUSH {key} x", "", "missing", "missing"),
    ("missing:expiring", "SET {key} x PX 500000", "", "missing", "missing"),
    ("extra", "", "SET {key} x", "extra", "extra"),
    ("extra:hash", "", "HSET {key} a b", "extra", "extra"),
    ("type:string-list", "SET {key} x", "RPUSH {key} x", "type", "type"),
    ("type:list-string", "RPUSH {key} x", "SET {key} x", "type", "type"),
    ("type:set-hash", "SADD {key} x", "HSET {key} x y", "type", "type"),
    ("type:zset-stream", "ZADD {key} 1 x", "XADD {key} 1-1 a b", "type", "type"),
    ("string:equal", "SET {key} x", "SET {key} x", E, E),
    ("string:empty", "SETRANGE {key} 0 a; SET {key} 5", "SET {key} 5", E, E),
    ("string:byte", "SET {key} x", "SET {key} y", V, E),
    ("string:longer", "SET {key} x", "SET {key} xx", V, V),
    ("string:zeros-16383", "SETRANGE {key} 16382 x", "SETRANGE {key} 16382 x", E, E),
    ("string:zeros-16384", "SETRANGE {key} 16383 x", "SETRANGE {key} 16383 x", E, E),
    ("string:zeros-16384-y", "SETRANGE {key} 16383 x", "SETRANGE {key} 16383 y", V, E),
    ("string:zeros-16385", "SETRANGE {key} 16384 x", "SETRANGE {key} 16383 x", V, V),
    ("string:long", "SETRANGE {key} 3000000 x", "SETRANGE {key} 3000000 x", E, E),
    ("string:long-end", "SETRANGE {key} 3000000 x", "SETRANGE {key} 3000000 y", V, E),
    ("string:long-begin", "SETRANGE {key} 3000000 x", "SETRANGE {key} 3000000 x; SETRANGE {key} 0 1", V, E),
    ("string:long-end-piece", "SETRANGE {key} 1048576 x", "SETRANGE {key} 1048576 y", V, E),
    ("list:equal", "RPUSH {key} a b c", "RPUSH {key} a b c", E, E),
    ("list:border", "RPUSH {key} ab c", "RPUSH {key} a bc", V, E),
    ("list:order", "RPUSH {key} a b", "RPUSH {key} b a", V, E),
    ("list:pairs", "RPUSH {key} a a b b", "RPUSH {key} c c d d", V, E),
    ("list:longer", "RPUSH {key} a", "RPUSH {key} a b", V, V),
    ("set:equal", "SADD {key} 1 2 3", "SADD {key} 3 x 2 1; SREM {key} x", E, E),
    ("set:border", "SADD {key} ab c", "SADD {key} a bc", V, E),
    ("set:like-integer", "SADD {key} 1 2", "SADD {key} 01 2", V, E),
    ("set:more", "SADD {key} 1", "SADD {key} 1 2", V, V),
    ("hash:equal", "HSET {key} a 1 b 2", "HSET {key} b 2 a 1", E, E),
    ("hash:exchanged", "HSET {key} a 1 b 2", "HSET {key} a 2 b 1", V, E),
    ("hash:turned", "HSET {key} a b", "HSET {key} b a", V, E),
    ("hash:border", "HSET {key} ab c", "HSET {key} a bc", V, E),
    ("hash:more", "HSET {key} a 1", "HSET {key} a 1 b 2", V, V),
    ("zset:equal", "ZADD {key} 0.1 a inf b -inf c 3e17 d", "ZADD {key} 3e17 d 0.1 a inf b -inf c", E, E),
    ("zset:ulp", "ZADD {key} 0.1 a", "ZADD {key} 0.10000000000000002 a", V, E),
    ("zset:exchanged", "ZADD {key} 1 a 2 b", "ZADD {key} 2 a 1 b", V, E),
    ("zset:zero", "ZADD {key} -0 a", "ZADD {key} 0 a", E, E),
    ("zset:sign", "ZADD {key} -1 a", "ZADD {key} 1 a", V, E),
    ("zset:infinite", "ZADD {key} inf a -inf b", "ZADD {key} -inf a inf b", V, E),
    ("zset:border", "ZADD {key} 1 12 3 4", "ZADD {key} 11 2 3 4", V, E),
    ("zset:more", "ZADD {key} 1 a", "ZADD {key} 1 a 1 b", V, V),
    ("ttl:equal", "SET {key} x; PEXPIREAT {key} 4102444800000", "SET {key} x PXAT 4102444800000", E, E),
    ("ttl:15ms", "SET {key} x; PEXPIREAT {key} 4102444800000", "SET {key} x PXAT 4102444800015", E, E),
    ("ttl:50ms", "SET {key} x; PEXPIREAT {key} 4102444800000", "SET {key} x PXAT 4102444800050", T, T),
    ("ttl:earlier", "SET {key} x; PEXPIREAT {key} 4102444800000", "SET {key} x PXAT 4102444799950", T, T),
    ("ttl:far", "SET {key} x; PEXPIREAT {key} 253402300799000", "SET {key} x PXAT 253402300799000", E, E),
    (
        "ttl:far-50ms",
        "SET {key} x; PEXPIREAT {key} 253402300799000",
        "SET {key} x PXAT 253402300799050",
        T,
        T,
    ),
    ("ttl:gone", "SET {key} x PX 500000", "SET {key} x", T, T),
    ("ttl:new", "SET {key} x", "SET {key} x PX 500000", T, T),
    ("ttl:list", "RPUSH {key} x; PEXPIRE {key} 500000", "RPUSH {key} x", T, T),
    ("ttl:value", "SET {key} x PX 500000", "SET {key} yy", "value ttl", "value ttl"),
];

const STREAMS: &[Row] = &[
    (
        "stream:equal",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b",
        E,
        E,
    ),
    ("stream:border", "XADD {key} 1-1 ab c", "XADD {key} 1-1 a bc", V, E),
    ("stream:fields", "XADD {key} 1-1 a b c d", "XADD {key} 1-1 a b; XADD {key} 1-2 c d", V, V),
    ("stream:order", "XADD {key} 1-1 a b c d", "XADD {key} 1-1 c d a b", V, E),
    ("stream:id", "XADD {key} 1-1 a b; XADD {key} 1-9 a b", "XADD {key} 1-2 a b; XADD {key} 1-9 a b", V, E),
    ("stream:last-id", "XADD {key} 1-1 a b", "XADD {key} 1-1 a b; XSETID {key} 7-7", V, E),
    ("stream:deleted", "XADD {key} 1-1 a b", "XADD {key} 0-5 a b; XADD {key} 1-1 a b; XDEL {key} 0-5", E, E),
    ("stream:empty", "XGROUP CREATE {key} g $ MKSTREAM", "XGROUP CREATE {key} g $ MKSTREAM", E, E),
    (
        "group:order",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XGROUP CREATE {key} h 1-1",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} h 1-1; XGROUP CREATE {key} g 0",
        E,
        E,
    ),
    ("group:missing", "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0", "XADD {key} 1-1 a b", G, E),
    (
        "group:name",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} h 0",
        G,
        E,
    ),
    (
        "group:position",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 1-1",
        G,
        E,
    ),
    (
        "group:exchanged",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XGROUP CREATE {key} h 1-1",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 1-1; XGROUP CREATE {key} h 0",
        G,
        E,
    ),
    (
        "group:consumer",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XGROUP CREATECONSUMER {key} g c",
        G,
        E,
    ),
    (
        "group:pending",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XREADGROUP GROUP g c STREAMS {key} >",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XREADGROUP GROUP g c STREAMS {key} >",
        E,
        E,
    ),
    (
        "group:acknowledged",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XREADGROUP GROUP g c STREAMS {key} >",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XREADGROUP GROUP g c STREAMS {key} >; XACK {key} g 1-1",
        G,
        E,
    ),
    (
        "group:idle",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XREADGROUP GROUP g c STREAMS {key} >",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XREADGROUP GROUP g c STREAMS {key} >; \
         XCLAIM {key} g c 0 1-1 IDLE 500000 RETRYCOUNT 1 JUSTID",
        E,
        E,
    ),
    (
        "group:deliveries",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XREADGROUP GROUP g c STREAMS {key} >",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XREADGROUP GROUP g c STREAMS {key} >; \
         XCLAIM {key} g c 0 1-1 RETRYCOUNT 2 JUSTID",
        G,
        E,
    ),
    (
        "group:owner",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XGROUP CREATE {key} g 0; \
         XREADGROUP GROUP g c COUNT 1 STREAMS {key} >; XREADGROUP GROUP g d COUNT 1 STREAMS {key} >",
        "XADD {key} 1-1 a b; XADD {key} 1-2 a b; XGROUP CREATE {key} g 0; \
         XREADGROUP GROUP g d COUNT 1 STREAMS {key} >; XREADGROUP GROUP g c COUNT 1 STREAMS {key} >",
        G,
        E,
    ),
    (
        "group:both",
        "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0",
        "XADD {key} 1-1 a b; XADD {key} 2-1 a b",
        "value group",
        V,
    ),
];

#[tokio::test]
async fn every_kind_of_difference_between_6_and_7() {
    let (source, target) = (Server::acr().start(), Server::amr().modules(false).start());
    expect(&source.access(), &target.access(), ROWS).await;
    expect(&source.access(), &target.access(), STREAMS).await;
}

#[tokio::test]
async fn between_clusters_with_other_databases_and_names() {
    let (source, target) = (Server::plain6().start(), Cluster::plain7(2).start());
    let (from, to) = (source.access(), target.access());
    let mut pairs = Vec::new();
    for n in 0..300 {
        let (key, name) = (format!("a:{n}"), format!("b:{n}"));
        dataset::run(dataset::Place::db(&from, 3), on(&key, &format!("SET {{key}} {n}"))).await;
        if n != 7 {
            run(&to, &name, &format!("SET {{key}} {}", if n == 8 { 9 } else { n })).await;
        }
        let renamed = Some(name.as_bytes().into());
        pairs.push(Pair { db: 3, key: key.as_bytes().into(), target_db: 0, renamed, leftover: false });
    }
    let bench = Bench::of(&from, &to);
    let verdicts = bench.comparer().await.compare(&pairs).await.unwrap();
    for (n, verdict) in verdicts.iter().enumerate() {
        let expected = match n {
            7 => "missing",
            8 => "value",
            _ => "equal",
        };
        assert_eq!(words(verdict), expected, "{n}");
    }
    assert!(bench.meter.take() > 300 * 10, "reads are counted");
}

/// A change of either side is seen in what a verdict remembers, whatever it is that changed.
#[tokio::test]
async fn a_change_of_either_side_shows_in_the_state() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let changes = [
        ("s", "SET {key} 1", "SET {key} 2", "SET {key} 3"),
        ("long", "SETRANGE {key} 50000 a", "SETRANGE {key} 50000 b", "SETRANGE {key} 9 c"),
        ("list", "RPUSH {key} a", "RPUSH {key} b", "LSET {key} 0 c"),
        ("longer", "RPUSH {key} a", "RPUSH {key} b c", "RPUSH {key} d"),
        ("stream", "XADD {key} 1-1 a b", "XADD {key} 1-1 a c", "XADD {key} 1-2 d e"),
        (
            "group",
            "XGROUP CREATE {key} g 0 MKSTREAM",
            "XGROUP CREATE {key} h 0 MKSTREAM",
            "XGROUP CREATE {key} i 0",
        ),
        ("type", "SET {key} a", "RPUSH {key} a", "DEL {key}; SADD {key} a"),
    ];
    for (key, here, there, change) in changes {
        run(&from, key, here).await;
        run(&to, key, there).await;
        let mut comparer = Bench::of(&from, &to).comparer().await;
        let mut states = Vec::new();
        for side in [None, Some(&from), Some(&to)] {
            if let Some(side) = side {
                run(side, key, change).await;
            }
            for _ in 0..2 {
                match comparer.compare(&pairs(&[key])).await.unwrap()[0] {
                    Verdict::Differs(_, state) => states.push(state.hash),
                    other => assert_eq!((other, side.is_some()), (Verdict::Equal, true), "{key}"),
                }
            }
        }
        assert_eq!(states[0], states[1], "{key}");
        assert_ne!(states[0], states[2], "{key}");
        assert!(states.len() == 4 || (states[4] == states[5] && states[4] != states[2]), "{key}");
    }
}
