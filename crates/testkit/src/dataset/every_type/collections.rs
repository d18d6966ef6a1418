//! Lists, sets, hashes and sorted sets. The sizes step over the default limits of the compact encodings:
//! 128 and 512 entries, 64 bytes, 8 KB a list node (`redis.conf` of 6.0 and 7.4).

use super::{Entry, Random};

pub(super) fn entries(random: &mut Random) -> Vec<Entry> {
    let mut entries = lists(random);
    entries.extend(sets(random));
    entries.extend(hashes(random));
    entries.extend(zsets(random));
    entries
}

fn lists(random: &mut Random) -> Vec<Entry> {
    let list = |name: &str, elements: Vec<Vec<u8>>| {
        Entry::new("list", format!("list:{name}")).run("RPUSH", elements)
    };
    vec![
        list("one", vec![b"x".to_vec()]),
        list("empty-element", vec![Vec::new()]),
        list("ints", (-70..70).map(|n: i64| (n * 1_000_003).to_string().into_bytes()).collect()),
        list("duplicates", vec![b"same".to_vec(); 50]),
        list("small", (0..100).map(|_| random_up_to(random, 60)).collect()),
        list("nodes", (0..3_000).map(|_| random_up_to(random, 200)).collect()),
        list(
            "wide",
            vec![Vec::new(), random.bytes(100_000), Vec::new(), random.bytes(8_192), random.bytes(9_000)],
        ),
        list("trimmed", (0..200).map(|n| n.to_string().into_bytes()).collect()).run("LTRIM", ["50", "149"]),
    ]
}

fn sets(random: &mut Random) -> Vec<Entry> {
    let set =
        |name: &str, members: Vec<Vec<u8>>| Entry::new("set", format!("set:{name}")).run("SADD", members);
    let ints =
        |from: i64, count: i64| (0..count).map(|n| (from + n).to_string().into_bytes()).collect::<Vec<_>>();
    let mut wide = ints(i64::MAX - 5, 5);
    wide.push(i64::MIN.to_string().into_bytes());
    vec![
        set("one", vec![b"x".to_vec()]),
        set("empty-member", vec![Vec::new()]),
        set("intset:16", ints(-100, 200)),
        set("intset:32", ints(70_000, 100)),
        set("intset:64", wide),
        set("intset:full", ints(0, 512)),
        set("intset:over", ints(0, 513)),
        set("text:128", (0..128).map(|n| format!("member{n}").into_bytes()).collect()),
        set("text:129", (0..129).map(|n| format!("member{n}").into_bytes()).collect()),
        set("long-member", vec![random.bytes(64), random.bytes(65)]),
        set("binary", (0..300).map(|n: u16| [&n.to_be_bytes()[..], &random.bytes(20)].concat()).collect()),
        set("big", (0..2_000).map(|n| format!("member{n}").into_bytes()).collect()),
    ]
}

fn hashes(random: &mut Random) -> Vec<Entry> {
    let hash =
        |name: &str, pairs: Vec<Vec<u8>>| Entry::new("hash", format!("hash:{name}")).run("HSET", pairs);
    let numbered = |random: &mut Random, count: usize| {
        (0..count)
            .flat_map(|n| [format!("field{n}").into_bytes(), random_up_to(random, 30)])
            .collect::<Vec<_>>()
    };
    vec![
        hash("one", vec![b"field".to_vec(), b"value".to_vec()]),
        hash("empty-field", vec![Vec::new(), b"value".to_vec()]),
        hash("empty-value", vec![b"field".to_vec(), Vec::new()]),
        hash("both-empty", vec![Vec::new(), Vec::new()]),
        hash("binary", vec![(0..=255).collect(), b"\0\r\n\xff".to_vec(), b"\0".to_vec(), random.bytes(50)]),
        hash("counters", vec![b"n".to_vec(), b"1".to_vec()]).run("HINCRBYFLOAT", ["n", "0.5"]),
        hash("ziplist:512", numbered(random, 512)),
        hash("table:513", numbered(random, 513)),
        hash("long-value", vec![b"a".to_vec(), random.bytes(64), b"b".to_vec(), random.bytes(65)]),
        hash("wide-value", vec![b"big".to_vec(), random.bytes(100_000)]),
        hash("table:big", numbered(random, 2_000)),
    ]
}

fn zsets(random: &mut Random) -> Vec<Entry> {
    let zset = |name: &str, pairs: Vec<[String; 2]>| {
        Entry::new("zset", format!("zset:{name}")).run("ZADD", pairs.concat())
    };
    let numbered = |random: &mut Random, count: usize| {
        (0..count).map(|n| [(random.fraction() * 1e6).to_string(), format!("member{n}")]).collect::<Vec<_>>()
    };
    // Exact decimal text matters only on the way in; scores are kept and compared as 64-bit floats.
    let scores = [
        "inf",
        "-inf",
        "0",
        "-0",
        "0.1",
        "0.30000000000000004",
        "17179869184.000004",
        "-1.2345678901234567",
        "5e-324",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "1.7976931348623157e308",
        "-1.7976931348623157e308",
        "9007199254740993",
        "9007199254740991",
        "1e21",
        "123456789012345680000",
    ];
    let odd: Vec<_> = scores.iter().map(|score| [score.to_string(), format!("score {score}")]).collect();
    // More members than the compact encoding takes, so that the same scores pass through a skiplist too.
    let odd_skiplist = [odd.clone(), numbered(random, 200)].concat();
    vec![
        zset("one", vec![["1".into(), "x".into()]]),
        zset("empty-member", vec![["-3.5".into(), String::new()]]),
        zset("scores:ziplist", odd),
        zset("scores:skiplist", odd_skiplist),
        zset("ties", (0..60).map(|n| ["7".to_string(), format!("member{n}")]).collect()),
        zset("ziplist:128", numbered(random, 128)),
        zset("skiplist:129", numbered(random, 129)),
        zset("skiplist:big", numbered(random, 2_000)),
        zset("long-member", vec![["1".into(), "m".repeat(64)], ["2".into(), "m".repeat(65)]]),
        Entry::new("zset", "zset:binary")
            .run("ZADD", [b"1".to_vec(), b"\0\r\n\xff".to_vec(), b"2".to_vec(), random.bytes(40)]),
        Entry::new("zset", "zset:geo").run(
            "GEOADD",
            [
                "13.361389",
                "38.115556",
                "Palermo",
                "15.087269",
                "37.502669",
                "Catania",
                "-122.33",
                "47.61",
                "Seattle",
            ],
        ),
    ]
}

fn random_up_to(random: &mut Random, most: u64) -> Vec<u8> {
    let length = random.below(most + 1) as usize;
    random.bytes(length)
}
