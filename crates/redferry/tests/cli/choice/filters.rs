//! Filters copy exactly the keys they describe, and what they leave out is never read.

use std::collections::HashMap;
use std::sync::Arc;

use testkit::{Access, Server, compare, dataset};

use crate::support::Redferry;

/// What a filter can ask about a key.
struct Facts {
    kind: String,
    pttl: i64,
    slot: u16,
}

/// All keys of a source, asked one by one.
async fn facts(access: &Access) -> HashMap<Vec<u8>, Facts> {
    let mut connection = access.connect().await;
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    let mut all = HashMap::new();
    for key in keys {
        let kind = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await.unwrap();
        let pttl = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
        let slot = slot(&key);
        all.insert(key, Facts { kind, pttl, slot });
    }
    all
}

/// CRC16/XMODEM modulo 16384, for keys without hash tags (Redis Cluster specification).
fn slot(key: &[u8]) -> u16 {
    let crc = key.iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    });
    crc % 16384
}

async fn source() -> Server {
    let source = Server::acr().start();
    dataset::mixed(&source.access(), 400, 7).await;
    for n in 0..20 {
        source.command(&["SET", &format!("user:{n}:name"), "x"]);
        source.command(&["HSET", &format!("user:{n}:profile"), "f", "v"]);
        source.command(&["SET", &format!("session:{n}"), "x", "PX", &(5_000 + n * 1_000_000).to_string()]);
    }
    source
}

type Keep = fn(&[u8], &Facts) -> bool;

fn text(key: &[u8]) -> &str {
    std::str::from_utf8(key).expect("keys of this data set are text")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_copies_exactly_the_right_keys() {
    let source = source().await;
    let target = Server::amr().start();
    let facts = Arc::new(facts(&source.access()).await);
    let cases: &[(&[&str], Keep)] = &[
        (&["--match", "user:*"], |key, _| key.starts_with(b"user:")),
        (&["--match", "user:1?:*", "--match", "session:*"], |key, _| {
            key.starts_with(b"session:") || (key.starts_with(b"user:1") && key.get(7) == Some(&b':'))
        }),
        (&["--match", "mixed:[0-4]*", "--exclude", "*7", "--exclude", "*9"], |key, _| {
            key.starts_with(b"mixed:")
                && (b'0'..=b'4').contains(&key[6])
                && !key.ends_with(b"7")
                && !key.ends_with(b"9")
        }),
        (&["--exclude", "mixed:*"], |key, _| !key.starts_with(b"mixed:")),
        (&["--regex", "^user:[0-9]:name$"], |key, _| {
            key.len() == 11 && key.starts_with(b"user:") && key.ends_with(b":name")
        }),
        (&["--regex", "^session", "--regex", "profile$"], |key, _| {
            text(key).starts_with("session") || text(key).ends_with("profile")
        }),
        (&["--type", "hash"], |_, facts| facts.kind == "hash"),
        (&["--type", "stream,zset", "--type", "set"], |_, facts| {
            ["stream", "zset", "set"].contains(&facts.kind.as_str())
        }),
        (&["--match", "user:*", "--type", "string"], |key, facts| {
            key.starts_with(b"user:") && facts.kind == "string"
        }),
        (&["--no-ttl-only"], |_, facts| facts.pttl == -1),
        // Nothing of the data set lives between 30 and 60 seconds, so that the passing of time decides nothing.
        (&["--min-ttl", "45s"], |_, facts| facts.pttl == -1 || facts.pttl > 45_000),
        (&["--min-ttl", "45s", "--type", "string,list"], |_, facts| {
            (facts.pttl == -1 || facts.pttl > 45_000) && ["string", "list"].contains(&facts.kind.as_str())
        }),
        (&["--slots", "0-5460,16000"], |_, facts| facts.slot <= 5460 || facts.slot == 16_000),
        (&["--match", "no such key"], |_, _| false),
    ];
    for (options, keep) in cases {
        target.command(&["FLUSHALL"]);
        let wanted = facts.iter().filter(|(key, facts)| keep(key, facts)).count() as u64;
        let ended = Redferry::between(&source.access(), &target.access()).copy(options).expect(0);
        assert_eq!(ended.number("keys_copied"), wanted, "{options:?}: {ended:#?}");
        let (facts, keep) = (Arc::clone(&facts), *keep);
        let options = compare::Options::default()
            .only(move |_, key| facts.get(key).is_some_and(|facts| keep(key, facts)));
        compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
    }
}

/// How often a command was run, by `INFO commandstats`.
fn calls(server: &Server, command: &str) -> u64 {
    let prefix = format!("cmdstat_{command}:calls=");
    let stats = server.command(&["INFO", "commandstats"]).text();
    let count = stats.lines().find_map(|line| line.strip_prefix(&prefix)?.split(',').next());
    count.map_or(0, |count| count.parse().expect("a number of calls"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_is_never_read() {
    const CASES: [&[&str]; 6] = [
        &["--match", "user:1:*"],
        &["--match", "user:1:*", "--match", "user:2:*"],
        &[
            "--exclude",
            "mixed:*",
            "--exclude",
            "session:*",
            "--exclude",
            "user:1?:*",
            "--exclude",
            "user:[2-9]:*",
        ],
        &["--regex", "^user:1:"],
        &["--type", "stream"],
        &["--min-ttl", "45s", "--type", "set,zset"],
    ];
    let source = source().await;
    for options in CASES {
        let target = Server::plain7().start();
        let reads = || ["dump", "getrange", "get", "strlen", "memory"].map(|name| calls(&source, name));
        let before = reads();
        let ended = Redferry::between(&source.access(), &target.access()).copy(options).expect(0);
        let copied = ended.number("keys_copied");
        assert!((1..=80).contains(&copied), "{options:?}: {ended:#?}");
        for (before, after) in before.into_iter().zip(reads()) {
            // A value may be asked for twice when its type was guessed wrong; the preflight tries each command.
            assert!(
                after - before <= 2 * copied + 5,
                "{options:?}: {} reads for {copied} keys",
                after - before
            );
        }
    }
}
