//! The data sets hold what they promise, and the same seed writes the same data.

use redis::aio::MultiplexedConnection;
use testkit::Server;
use testkit::compare::{self, Options};
use testkit::dataset::{self, Kind, Place};

async fn ask<T: redis::FromRedisValue>(connection: &mut MultiplexedConnection, line: &str) -> T {
    let mut words = line.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query_async(connection).await.unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[tokio::test]
async fn every_type_means_every_encoding() {
    let server = Server::acr().start();
    let summary = dataset::every_type(server.access(), 7, 1).await;
    let mut connection = server.access().connect().await;
    assert_eq!(ask::<u64>(&mut connection, "DBSIZE").await, summary.keys);
    let kinds: Vec<_> = summary.by_type.keys().copied().collect();
    assert_eq!(kinds, ["hash", "list", "set", "stream", "string", "zset"]);
    for (key, encoding) in [
        ("string:int:min", "int"),
        ("string:length:44", "embstr"),
        ("string:length:45", "raw"),
        ("list:one", "quicklist"),
        ("set:intset:full", "intset"),
        ("set:intset:over", "hashtable"),
        ("set:text:128", "hashtable"),
        ("hash:ziplist:512", "ziplist"),
        ("hash:table:513", "hashtable"),
        ("hash:long-value", "hashtable"),
        ("zset:ziplist:128", "ziplist"),
        ("zset:skiplist:129", "skiplist"),
        ("stream:consumers", "stream"),
    ] {
        assert_eq!(
            ask::<String>(&mut connection, &format!("OBJECT ENCODING {key}")).await,
            encoding,
            "{key}"
        );
    }
    assert_eq!(ask::<u64>(&mut connection, "XLEN stream:last-id-only").await, 0);
    let pending: Vec<(String, String, u64, u64)> =
        ask(&mut connection, "XPENDING stream:consumers group - + 100").await;
    assert_eq!(pending.len(), 13);
    assert!(pending.iter().any(|(_, consumer, _, deliveries)| consumer == "carol" && *deliveries == 7));
    let gone: Vec<(String, String, u64, u64)> =
        ask(&mut connection, "XPENDING stream:pending-all-deleted group - + 100").await;
    assert_eq!((gone.len(), ask::<u64>(&mut connection, "XLEN stream:pending-all-deleted").await), (2, 0));
    let expire: u64 = ask::<String>(&mut connection, "INFO keyspace")
        .await
        .split_once("expires=")
        .and_then(|(_, rest)| rest.split(',').next()?.parse().ok())
        .unwrap();
    assert!((summary.keys / 2 - 1..=summary.keys / 2).contains(&expire), "{expire} of {}", summary.keys);
}

#[tokio::test]
async fn the_same_seed_writes_the_same_data_on_both_versions() {
    let (six, seven) = (Server::acr().start(), Server::amr().start());
    let at_once =
        tokio::join!(dataset::every_type(six.access(), 3, 4), dataset::every_type(seven.access(), 3, 4));
    assert_eq!(at_once.0, at_once.1);
    assert_eq!(dataset::mixed(six.access(), 5_000, 9).await, dataset::mixed(seven.access(), 5_000, 9).await);
    // The loaders ran at different moments, so times may differ by as much. A compact sorted set of Redis 7.4
    // keeps whole scores as integers, so ZADD makes 0 of -0 there (RESTORE does not): see the next test.
    let options =
        Options::default().ttl_tolerance_ms(10_000).only(not_signed_zero).only_on_target(not_signed_zero);
    compare::caches(&six.access(), &seven.access(), &options).await.assert_equal();
}

fn not_signed_zero(_: u16, key: &[u8]) -> bool {
    !key.starts_with(b"zset:scores:ziplist")
}

/// Fails when a later server keeps the sign: then the filter above can go.
#[tokio::test]
async fn redis_7_loses_the_sign_of_zero_in_compact_sorted_sets() {
    for (server, score) in [(Server::plain6().start(), "-0"), (Server::plain7().start(), "0")] {
        let mut connection = server.access().connect().await;
        assert_eq!(ask::<u64>(&mut connection, "ZADD compact -0 member").await, 1);
        assert_eq!(ask::<String>(&mut connection, "ZSCORE compact member").await, score);
    }
}

#[tokio::test]
async fn other_databases_are_other_databases() {
    let server = Server::acr().start();
    let access = server.access();
    assert_eq!(dataset::strings(Place::db(&access, 15), 1_000, 30).await.keys, 1_000);
    assert_eq!(dataset::hashes(Place::db(&access, 3), 500, 12).await.keys, 500);
    assert_eq!(ask::<u64>(&mut access.connect().await, "DBSIZE").await, 0);
    assert_eq!(ask::<u64>(&mut access.connect_db(15).await, "DBSIZE").await, 1_000);
    assert_eq!(ask::<u64>(&mut access.connect_db(3).await, "HLEN hash:499").await, 12);
}

#[tokio::test]
async fn big_keys_are_as_big_as_asked() {
    let server = Server::acr().start();
    let access = server.access();
    let mut connection = access.connect().await;
    for kind in Kind::ALL {
        dataset::big(&access, kind, 10 << 20).await;
        let used: u64 = ask(&mut connection, &format!("MEMORY USAGE {} SAMPLES 0", kind.key())).await;
        assert!((10 << 20..40 << 20).contains(&used), "{kind:?} takes {used} bytes");
    }
}
