//! Values of many pages, in other encodings and after other histories.

use testkit::dataset::random::Random;
use testkit::dataset::{self, Kind};
use testkit::{Access, Server};

use super::{Bench, on, pairs, run, words};
use crate::options::Level;

fn many(command: &str, numbers: impl Iterator<Item = u32>, word: impl Fn(u32) -> String) -> String {
    format!("{command} {{key}} {}", numbers.map(word).collect::<Vec<_>>().join(" "))
}

/// Both sides have the same values by another way; one element of each differs under another name.
async fn fill(source: &Access, target: &Access) -> Vec<(String, &'static str)> {
    let member = |n: u32| format!("member:{n}");
    let pair = |n: u32| format!("{n} member:{n}");
    let field = |n: u32| format!("member:{n} {n}");
    let all = [
        ("list", many("RPUSH", 0..5000, member), many("LPUSH", (0..5000).rev(), member), "LSET {key} 4000 x"),
        (
            "set",
            many("SADD", 0..5000, member),
            many("SADD", (0..5000).rev(), member),
            "SREM {key} member:9; SADD {key} x",
        ),
        ("hash", many("HSET", 0..5000, field), many("HSET", (0..5000).rev(), field), "HSET {key} member:9 x"),
        ("zset", many("ZADD", 0..5000, pair), many("ZADD", (0..5000).rev(), pair), "ZADD {key} 9.5 member:9"),
        (
            "set:shrunk",
            many("SADD", 0..300, member),
            format!("{}; {}", many("SADD", 0..9000, member), many("SREM", 300..9000, member)),
            "SREM {key} member:9; SADD {key} x",
        ),
        (
            "set:integers",
            many("SADD", 0..600, |n| n.to_string()),
            many("SADD", (0..600).rev(), |n| n.to_string()),
            "SREM {key} 9; SADD {key} x",
        ),
    ];
    let mut expected = Vec::new();
    for (name, here, there, change) in all {
        for (key, change, kind) in
            [(name.to_owned(), "", "equal"), (format!("{name}:changed"), change, "value")]
        {
            run(source, &key, &here).await;
            run(target, &key, &there).await;
            run(target, &key, change).await;
            expected.push((key, kind));
        }
    }
    for (key, kind) in [("stream", "equal"), ("stream:changed", "value"), ("stream:group", "group")] {
        for (access, is_target) in [(source, false), (target, true)] {
            let entries = (1..=3000).map(|n| {
                let changed = is_target && kind == "value" && n == 2500;
                format!("XADD {{key}} {n}-1 f {}", if changed { 0 } else { n })
            });
            let entries = entries.collect::<Vec<_>>().join("; ");
            let read = "XGROUP CREATE {key} g 0; XREADGROUP GROUP g c COUNT 2600 STREAMS {key} >; \
                        XREADGROUP GROUP g d COUNT 1 STREAMS {key} >";
            run(access, key, &format!("{entries}; {read}")).await;
        }
        expected.push((key.to_owned(), kind));
    }
    run(target, "stream:group", "XCLAIM {key} g d 0 2400-1 RETRYCOUNT 1 JUSTID").await;
    expected
}

#[tokio::test]
async fn pages_come_to_what_the_whole_comes_to() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let expected = fill(&source.access(), &target.access()).await;
    let keys: Vec<&str> = expected.iter().map(|(key, _)| key.as_str()).collect();
    let bench = Bench::of(&source.access(), &target.access());
    for big_key in [1 << 30, 10_000, 1] {
        let judged = bench.with(|options| options.big_key = big_key).judged(&keys).await;
        for (key, kind) in &expected {
            assert_eq!(judged[key], *kind, "{key}, in pieces from {big_key} bytes");
        }
    }
}

/// A table that changes its size under a cursor brings members twice. Another client makes it do so all the time,
/// at moments between two questions, and leaves no other trace.
#[tokio::test]
async fn members_that_a_cursor_brings_twice_count_once() {
    // 3500 members in a table of 32,768, which is just full enough to stay; then in one of 4096.
    const GROW: &str = "for n = 1, 15000 do redis.call('SADD', KEYS[1], n) end \
                        for n = 1, 15000 do redis.call('SREM', KEYS[1], n) end";
    const SHRINK: &str = "local some = redis.call('SRANDMEMBER', KEYS[1], 500) \
                          for _, member in ipairs(some) do redis.call('SREM', KEYS[1], member) end \
                          for _, member in ipairs(some) do redis.call('SADD', KEYS[1], member) end \
                          for n = 1, 5000 do redis.call('SISMEMBER', KEYS[1], n) end";
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    for access in [&from, &to] {
        run(access, "set", &many("SADD", 0..3500, |n| format!("{n}-{}", "x".repeat(1500)))).await;
    }
    let mut other = from.connect().await;
    let bench = Bench::of(&from, &to).with(|options| options.big_key = 1);
    let mut comparer = bench.comparer().await;
    let compared = async {
        for _ in 0..4 {
            let verdict = comparer.compare(&pairs(&["set"])).await.unwrap();
            assert_eq!(words(&verdict[0]), "equal");
        }
    };
    let churned = async {
        for script in [GROW, SHRINK].into_iter().cycle() {
            redis::cmd("EVAL").arg(script).arg(1).arg("set").exec_async(&mut other).await.unwrap();
        }
    };
    tokio::select! {
        () = compared => {}
        () = churned => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn values_of_megabytes_are_told_apart_by_one_element() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    for access in [&from, &to] {
        for kind in Kind::ALL {
            dataset::big(access, kind, 3_000_000).await;
        }
    }
    let mut connection = from.connect().await;
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    assert_eq!(keys.len(), Kind::ALL.len());
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let bench = Bench::of(&from, &to);
    for big_key in [64 << 10, 1 << 30] {
        let judged = bench.with(|options| options.big_key = big_key).judged(&names).await;
        assert!(judged.values().all(|verdict| verdict == "equal"), "{judged:?}");
    }
    for key in &keys {
        let change = match redis::cmd("TYPE")
            .arg(key)
            .query_async::<String>(&mut connection)
            .await
            .unwrap()
            .as_str()
        {
            "string" => "SETRANGE {key} 2999999 #",
            "list" => "LSET {key} -2 #",
            "set" => "SPOP {key}; SADD {key} #",
            "hash" => "HSET {key} # 1",
            "zset" => "ZADD {key} 1 #",
            _ => "XSETID {key} 99999999999999-1",
        };
        run(&to, key, change).await;
    }
    let judged = bench.with(|options| options.big_key = 64 << 10).judged(&names).await;
    assert!(judged.values().all(|verdict| verdict == "value"), "{judged:?}");
}

/// Random values, a random change of some: what is said is what was done.
#[tokio::test]
async fn random_values_and_changes() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("SEED={seed}");
    let mut random = Random::new(seed);
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let mut expected = Vec::new();
    for n in 0..400 {
        let word = |random: &mut Random| {
            let length = 1 + random.below(40);
            (0..length).map(|_| char::from(b'a' + random.below(26) as u8)).collect::<String>()
        };
        let words: Vec<String> = (0..1 + random.below(60)).map(|_| word(&mut random)).collect();
        let numbered = words.iter().enumerate();
        let (name, make, change) = match random.below(5) {
            0 => ("string", format!("SET {{key}} {}", words.concat()), "APPEND {key} #"),
            1 => ("list", format!("RPUSH {{key}} {}", words.join(" ")), "LSET {key} -1 #"),
            2 => (
                "set",
                format!("SADD {{key}} {}", words.join(" ")),
                "SADD {key} #; SPOP {key}; SADD {key} ##",
            ),
            3 => {
                let pairs: Vec<String> = numbered.map(|(n, word)| format!("{word} {n}")).collect();
                ("hash", format!("HSET {{key}} {}", pairs.join(" ")), "HSET {key} # 1")
            }
            _ => {
                let pairs: Vec<String> = numbered.map(|(n, word)| format!("{}.1 {word}", n * 7)).collect();
                ("zset", format!("ZADD {{key}} {}", pairs.join(" ")), "ZINCRBY {key} 0.5 #")
            }
        };
        // The names say nothing about the types.
        let key = format!("{}:{n}", if random.below(2) == 0 { name } else { "any" });
        let is_changed = random.below(4) == 0;
        dataset::run(&from, on(&key, &make)).await;
        dataset::run(&to, on(&key, &make)).await;
        dataset::run(&to, on(&key, if is_changed { change } else { "" })).await;
        expected.push((key, if is_changed { "value" } else { "equal" }));
    }
    let keys: Vec<&str> = expected.iter().map(|(key, _)| key.as_str()).collect();
    let bench = Bench::of(&from, &to);
    for big_key in [1, 200, 1 << 20] {
        let judged = bench.with(|options| options.big_key = big_key).judged(&keys).await;
        for (key, kind) in &expected {
            assert_eq!(judged[key], *kind, "{key} with SEED={seed}");
        }
    }
    let judged = bench.with(|options| options.level = Level::Quick).judged(&keys).await;
    assert!(expected.iter().all(|(key, kind)| *kind == "value" || judged[key] == "equal"));
}
