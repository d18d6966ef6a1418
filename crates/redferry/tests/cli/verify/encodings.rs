//! Equal data in another encoding, in another order or by another history is equal.

use testkit::{Access, Server, compare, dataset};

use super::Pair;
use super::commands::on;

/// Two ways to the same value.
struct Same {
    key: String,
    source: String,
    target: String,
}

fn same(key: &str, source: impl Into<String>, target: impl Into<String>) -> Same {
    Same { key: key.to_owned(), source: source.into(), target: target.into() }
}

/// `command {key} ` and what `word` gives for each number.
fn many(command: &str, numbers: impl Iterator<Item = u32>, word: impl Fn(u32) -> String) -> String {
    let words: Vec<String> = numbers.map(word).collect();
    format!("{command} {{key}} {}", words.join(" "))
}

const LONG: &str = "a-member-of-more-than-64-bytes-makes-a-hash-table-or-a-skiplist-of-every-collection";

fn collections() -> Vec<Same> {
    let integers = |n: u32| n.to_string();
    let texts = |n: u32| format!("m{n}");
    let pairs = |n: u32| format!("{n} v{n}");
    let tied = |n: u32| format!("7 m{n:05}");
    vec![
        same("set:integers", "SADD {key} 1 2 3", "SADD {key} 3 x 1 2; SREM {key} x"),
        same(
            "set:integers-long",
            "SADD {key} 1 2 3",
            format!("SADD {{key}} 3 {LONG} 1 2; SREM {{key}} {LONG}"),
        ),
        same("set:texts", "SADD {key} a b c", format!("SADD {{key}} c {LONG} b a; SREM {{key}} {LONG}")),
        same("set:from-integers", "SADD {key} 5 a; SREM {key} a", "SADD {key} 5"),
        same("set:reversed", many("SADD", 0..5000, texts), many("SADD", (0..5000).rev(), texts)),
        same(
            "set:numbers-reversed",
            many("SADD", 0..5000, integers),
            many("SADD", (0..5000).rev(), integers),
        ),
        same(
            "set:shrunk",
            many("SADD", 0..300, texts),
            format!("{}; {}", many("SADD", 0..9000, texts), many("SREM", 300..9000, texts)),
        ),
        same("hash:table", "HSET {key} a 1 b 2", format!("HSET {{key}} b 2 c {LONG} a 1; HDEL {{key}} c")),
        same("hash:compact", format!("HSET {{key}} b 2 c {LONG} a 1; HDEL {{key}} c"), "HSET {key} a 1 b 2"),
        same("hash:reversed", many("HSET", 0..3000, pairs), many("HSET", (0..3000).rev(), pairs)),
        same("hash:integers", "HSET {key} n 12", "HSET {key} n 7; HINCRBY {key} n 5"),
        same(
            "zset:skiplist",
            "ZADD {key} 1 a 2 b",
            format!("ZADD {{key}} 2 b 3 {LONG} 1 a; ZREM {{key}} {LONG}"),
        ),
        same(
            "zset:compact",
            format!("ZADD {{key}} 2 b 3 {LONG} 1 a; ZREM {{key}} {LONG}"),
            "ZADD {key} 1 a 2 b",
        ),
        same("zset:reversed", many("ZADD", 0..3000, pairs), many("ZADD", (0..3000).rev(), pairs)),
        same("zset:ties", many("ZADD", 0..3000, tied), many("ZADD", (0..3000).rev(), tied)),
        same("zset:summed", "ZADD {key} 10 a", "ZADD {key} 2.5 a; ZINCRBY {key} 7.5 a"),
        same("list:pushed", "RPUSH {key} a b c d", "LPUSH {key} b a; RPUSH {key} x c d; LREM {key} 1 x"),
        same("list:long", format!("RPUSH {{key}} a {LONG} b"), format!("LPUSH {{key}} b {LONG} a")),
        same("list:many", many("RPUSH", 0..4000, texts), many("LPUSH", (0..4000).rev(), texts)),
        same("list:integers", "RPUSH {key} 1 2 300", "RPUSH {key} 1 2 200; LSET {key} 2 300"),
    ]
}

fn texts() -> Vec<Same> {
    vec![
        same("string:integer", "SET {key} 12345", "SET {key} 12; APPEND {key} 345"),
        same("string:shared", "SET {key} 7", "SETRANGE {key} 0 7"),
        same("string:counter", "SET {key} 99", "SET {key} 98; INCR {key}"),
        same("string:raw", "SET {key} abcd", "SET {key} ab; APPEND {key} cd"),
        same(
            "string:45",
            format!("SET {{key}} {}", "x".repeat(45)),
            format!("SETRANGE {{key}} 0 {}", "x".repeat(45)),
        ),
        same("string:float", "SET {key} 0.3", "SET {key} 0.1; INCRBYFLOAT {key} 0.2"),
        same("string:bits", "SETBIT {key} 15 1", "SETBIT {key} 15 0; SETBIT {key} 15 1"),
        same("expiry:at", "SET {key} x; PEXPIREAT {key} 4102444800000", "SET {key} x PXAT 4102444800000"),
        same("expiry:seconds", "SET {key} x; EXPIREAT {key} 4102444800", "SET {key} x EXAT 4102444800"),
        same(
            "expiry:list",
            "RPUSH {key} x; PEXPIREAT {key} 4102444800000",
            "RPUSH {key} x; EXPIREAT {key} 4102444800",
        ),
        same("expiry:removed", "SET {key} x EX 5; PERSIST {key}", "SET {key} x"),
    ]
}

/// 6.0 prints 17 digits, 7.4 the fewest that tell the number.
fn scores() -> Vec<Same> {
    const SCORES: [&str; 21] = [
        "0.1",
        "-0.1",
        "0.30000000000000004",
        "1e300",
        "1.7976931348623157e308",
        "5e-324",
        "2.2250738585072014e-308",
        "inf",
        "-inf",
        "3.0000000000000001e17",
        "1e17",
        "123456789012345680000",
        "9007199254740993",
        "-9007199254740993",
        "1e21",
        "1e-7",
        "0.000001",
        "17179869184.000004",
        "3.14159265358979323846",
        "1700000000.123",
        "100000000000000000000000",
    ];
    let one = |score: &&str| {
        let text = format!("ZADD {{key}} {score} m");
        same(&format!("score:{score}"), text.clone(), text)
    };
    let mut scores: Vec<Same> = SCORES.iter().map(one).collect();
    let pairs: Vec<String> = SCORES.iter().map(|score| format!("{score} m{score}")).collect();
    let all = format!("ZADD {{key}} {}", pairs.join(" "));
    scores.push(same("score:all", all.clone(), all.clone()));
    scores.push(same("score:skiplist", format!("{all} 1 {LONG}"), format!("{all} 1 {LONG}")));
    scores.push(same("score:text", "ZADD {key} 1e3 a 0x10 b +5 c", "ZADD {key} 1000 a 16 b 5 c"));
    // The compact encoding of 7.4 cannot hold the sign.
    scores.push(same("score:minus-zero", "ZADD {key} -0 a", "ZADD {key} 0 a"));
    scores
}

fn streams() -> Vec<Same> {
    let entries = |fields: &str| {
        (1..=40).map(|n| format!("XADD {{key}} {n}-1 {fields} {n}")).collect::<Vec<_>>().join("; ")
    };
    let group = "XGROUP CREATE {key} g 0; XREADGROUP GROUP g c COUNT 3 STREAMS {key} >";
    vec![
        same("stream:plain", entries("f"), entries("f")),
        // What the older version cannot tell decides nothing.
        same(
            "stream:deleted",
            entries("f"),
            format!("XADD {{key}} 0-5 f 0; {}; XDEL {{key}} 0-5", entries("f")),
        ),
        same(
            "stream:trimmed",
            entries("f"),
            format!("XADD {{key}} 0-5 f 0; {}; XTRIM {{key}} MAXLEN 40", entries("f")),
        ),
        same("stream:group", format!("{}; {group}", entries("f")), format!("{}; {group}", entries("f"))),
        // Idle times and times of delivery pass on their own.
        same(
            "stream:claimed",
            format!("{}; {group}", entries("f")),
            format!("{}; {group}; XCLAIM {{key}} g c 0 2-1 IDLE 500000 RETRYCOUNT 1 JUSTID", entries("f")),
        ),
        same(
            "stream:groups-in-another-order",
            format!("{}; XGROUP CREATE {{key}} a 3-1; XGROUP CREATE {{key}} b 5-1", entries("f")),
            format!("{}; XGROUP CREATE {{key}} b 5-1; XGROUP CREATE {{key}} a 3-1", entries("f")),
        ),
        same(
            "stream:last-id",
            "XADD {key} 1-1 a b; XSETID {key} 7-7",
            "XADD {key} 1-1 a b; XADD {key} 7-7 a b; XDEL {key} 7-7",
        ),
    ]
}

async fn all_are_equal(source: &Access, target: &Access) {
    let all: Vec<Same> = [collections(), texts(), scores(), streams()].into_iter().flatten().collect();
    dataset::run(source, all.iter().flat_map(|same| on(&same.key, &same.source))).await;
    dataset::run(target, all.iter().flat_map(|same| on(&same.key, &same.target))).await;
    let pair = Pair::of(source, target);
    // The independent comparison also looks at the signs of zeros and at times of delivery.
    const STRICTER: [&[u8]; 3] = [b"score:minus-zero", b"stream:group", b"stream:claimed"];
    let options = compare::Options::default()
        .only(|_, key| !STRICTER.contains(&key))
        .only_on_target(|_, key| !STRICTER.contains(&key));
    compare::caches(source, target, &options).await.assert_equal();
    for options in [&[][..], &["--big-key", "1"], &["--big-key", "2KiB"], &["--level", "quick"]] {
        let ended = pair.expect_equal(options);
        assert_eq!(ended.number("keys_compared"), all.len() as u64, "{options:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_the_servers_are() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    all_are_equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_other_limits_of_the_compact_encodings() {
    let source = Server::plain6()
        .arg("hash-max-ziplist-entries", "1")
        .arg("zset-max-ziplist-entries", "1")
        .arg("set-max-intset-entries", "2")
        .arg("list-max-ziplist-size", "2")
        .arg("list-compress-depth", "1")
        .arg("stream-node-max-entries", "7")
        .start();
    let target = Server::plain7()
        .arg("hash-max-listpack-entries", "100000")
        .arg("zset-max-listpack-entries", "100000")
        .arg("set-max-intset-entries", "100000")
        .arg("set-max-listpack-entries", "100000")
        .arg("list-max-listpack-size", "-5")
        .arg("stream-node-max-entries", "1000")
        .start();
    all_are_equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_way_round() {
    let source = Server::plain6()
        .arg("hash-max-ziplist-entries", "100000")
        .arg("zset-max-ziplist-entries", "100000")
        .arg("set-max-intset-entries", "100000")
        .arg("list-max-ziplist-size", "-5")
        .start();
    let target = Server::plain7()
        .arg("hash-max-listpack-entries", "0")
        .arg("zset-max-listpack-entries", "0")
        .arg("set-max-intset-entries", "0")
        .arg("set-max-listpack-entries", "0")
        .arg("list-max-listpack-size", "1")
        .arg("list-compress-depth", "2")
        .arg("stream-node-max-entries", "1")
        .start();
    all_are_equal(&source.access(), &target.access()).await;
}

/// A cluster's nodes hand out keys in another order; neither that nor a small SCAN matters.
#[tokio::test(flavor = "multi_thread")]
async fn in_small_pages() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::mixed(&source.access(), 3000, 41).await;
    let pair = Pair::of(&source.access(), &target.access());
    pair.copy(&[]);
    pair.expect_equal(&["--scan-count", "1"]);
    pair.expect_equal(&["--scan-count", "10000"]);
}
