//! Users who may not do everything, and questions without a comparison.

use client::Side;
use testkit::{Access, Cluster, Server};

use super::{Bench, run};
use crate::options::Level;

fn user(server: &Server, rights: &[&str]) -> Access {
    server.command(&[&["ACL", "SETUSER", "reader", "reset", "on", ">pw"], rights].concat());
    Access { user: Some("reader".into()), password: Some("pw".into()), ..server.access() }
}

async fn fill(server: &Server) {
    let access = server.access();
    run(&access, "open:string", "SET {key} x").await;
    run(&access, "open:list", "RPUSH {key} a b c").await;
    run(&access, "open:set", "SADD {key} a b c").await;
    run(&access, "open:hash", "HSET {key} a b").await;
    run(&access, "open:zset", "ZADD {key} 1 b").await;
    run(&access, "open:stream", "XADD {key} 1-1 a b").await;
    run(&access, "closed:string", "SET {key} x").await;
    run(&access, "closed:list", "RPUSH {key} x").await;
}

const KEYS: [&str; 9] = [
    "open:string",
    "open:list",
    "open:set",
    "open:hash",
    "open:zset",
    "open:stream",
    "closed:string",
    "closed:list",
    "closed:missing",
];

#[tokio::test]
async fn a_key_that_may_not_be_read_is_not_compared() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    fill(&source).await;
    fill(&target).await;
    let closed = (user(&source, &["~open:*", "+@all"]), user(&target, &["~open:*", "+@all"]));
    for (from, to) in [(&closed.0, &target.access()), (&source.access(), &closed.1)] {
        for level in [Level::Full, Level::Quick] {
            let bench = Bench::of(from, to).with(|options| options.level = level);
            for (key, verdict) in bench.judged(&KEYS).await {
                let expected = if key.starts_with("open") { "equal" } else { "no_permission" };
                assert_eq!(verdict, expected, "{key}");
            }
        }
    }
}

/// Commands may be missing on one side alone; without TIME and MEMORY USAGE all can still be said.
#[tokio::test]
async fn commands_that_may_not_be_used() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    fill(&source).await;
    fill(&target).await;
    run(&source.access(), "open:ttl", "SET {key} x PX 100000").await;
    run(&target.access(), "open:ttl", "SET {key} x").await;
    let bench = Bench::of(
        &user(&source, &["~*", "+@all", "-memory", "-time"]),
        &user(&target, &["~*", "+@all", "-time"]),
    );
    let judged = bench.judged(&KEYS).await;
    assert!(KEYS[..8].iter().all(|key| judged[*key] == "equal"), "{judged:?}");
    assert_eq!(bench.judged(&["open:ttl"]).await["open:ttl"], "ttl");
    let bench = Bench::of(&source.access(), &user(&target, &["~*", "+@all", "-lrange", "-xinfo"]));
    let judged = bench.judged(&KEYS).await;
    assert_eq!((&*judged["open:list"], &*judged["open:stream"]), ("no_permission", "no_permission"));
    assert_eq!((&*judged["open:set"], &*judged["open:string"]), ("equal", "equal"));
}

#[tokio::test]
async fn existence_types_and_expiries() {
    let (source, target) = (Server::plain6().start(), Cluster::plain7(2).start());
    for n in 0..100 {
        run(&target.access(), &format!("k:{n}"), "RPUSH {key} x").await;
    }
    run(&target.access(), "k:7", "PEXPIRE {key} 100000").await;
    run(&source.access(), "open", "SET {key} x").await;
    let closed = user(&source, &["~open", "+@all"]);
    let mut comparer = Bench::of(&closed, &target.access()).comparer().await;
    let names: Vec<String> = (0..200).map(|n| format!("k:{n}")).collect();
    let keys: Vec<(u32, &[u8])> = names.iter().map(|name| (0, name.as_bytes())).collect();
    let exist = comparer.exist(Side::Target, &keys).await.unwrap();
    assert!(exist.iter().enumerate().all(|(n, exists)| *exists == Some(n < 100)));
    let asked: [(u32, &[u8]); 3] = [(0, b"open"), (0, b"closed"), (5, b"open")];
    let exist = comparer.exist(Side::Source, &asked).await.unwrap();
    assert_eq!(exist, [Some(true), None, Some(false)]);
    let traits = comparer.traits(Side::Target, &keys, true, true).await.unwrap();
    assert_eq!(traits[1], (Some("list".into()), Some(-1)));
    assert_eq!(traits[150], (Some("none".into()), Some(-2)));
    assert!(traits[7].1.is_some_and(|ms| (50_000..=100_000).contains(&ms)));
    assert_eq!(comparer.traits(Side::Source, &asked[..2], true, false).await.unwrap()[1], (None, None));
}
