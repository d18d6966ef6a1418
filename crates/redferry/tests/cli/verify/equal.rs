//! What `redferry copy` brought over is equal, at every level and between all layouts.

use testkit::dataset::{self, Kind};
use testkit::{Access, Cluster, Server};

use super::Pair;
use super::commands::{on, run};
use super::findings::differences;

const LEVELS: [&str; 3] = ["full", "quick", "count"];

/// What the catalogue of the test kit lacks.
async fn edges(source: &Access) {
    let rows = [
        ("edge:far", "SET {key} x; PEXPIREAT {key} 253402300799000"),
        ("edge:zeros", "SETRANGE {key} 300000 x"),
        ("edge:nulls", "RPUSH {key} (nil) null -1 $-1 *0"),
        ("edge:scores", "ZADD {key} 3.0000000000000001e17 a 1e300 b -1e-300 c 0.1 d inf e -inf f 1e17 g"),
        ("edge:many-databases-of-a-name", "HSET {key} 0 0 1 1"),
    ];
    for (key, text) in rows {
        run(source, key, text).await;
    }
    dataset::run(source, (0..3000).flat_map(|n| on("edge:repeated", &format!("RPUSH {{key}} {}", n % 2))))
        .await;
}

/// Expiries that come while the test runs are put off, so that all counts are known.
pub(super) async fn put_off_expiries(source: &Access) {
    let keys: Vec<Vec<u8>> = if source.cluster {
        redis::cmd("KEYS").arg("*").query_async(&mut source.connect_cluster().await).await.unwrap()
    } else {
        redis::cmd("KEYS").arg("*").query_async(&mut source.connect().await).await.unwrap()
    };
    let later = keys.into_iter().map(|key| {
        let mut command = redis::cmd("EVAL");
        let script = "local t = redis.call('PTTL', KEYS[1]) \
                      if t >= 0 and t < 600000 then redis.call('PEXPIRE', KEYS[1], 600000 + t) end return 0";
        command.arg(script).arg(1).arg(&key);
        (key, command)
    });
    dataset::run(source, later).await;
}

async fn everything_is_equal(source: &Access, target: &Access, seed: u64) {
    let summary = dataset::every_type(source, seed, 2).await;
    edges(source).await;
    put_off_expiries(source).await;
    let keys = summary.keys + 6;
    let pair = Pair::of(source, target);
    assert_eq!(pair.copy(&[]).number("keys_copied"), keys);
    for level in LEVELS {
        let ended = pair.verify(&["--level", level]).expect(0).expect_calm();
        assert_eq!(ended.report["level"], level, "{ended:#?}");
        assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (keys, keys), "{ended:#?}");
        if level != "count" {
            assert_eq!(ended.number("keys_compared"), keys, "{ended:#?}");
            assert_eq!(differences(&ended) + ended.number("unstable") + ended.number("not_compared"), 0);
        }
    }
    let ended = pair.expect_equal(&[]);
    assert_eq!(ended.report["level"], "full", "what is asked for when nothing is said: {ended:#?}");
    let bound = ended.number("ttl_error_bound_ms");
    assert!((1..1000).contains(&bound), "keys with a TTL were compared, so there is a bound: {ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn single_to_single() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    everything_is_equal(&source.access(), &target.access(), 31).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_to_cluster() {
    let (source, target) = (Server::acr().start(), Cluster::amr(3).start());
    everything_is_equal(&source.access(), &target.access(), 32).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_to_single_over_tls() {
    let (source, target) = (Cluster::acr(3).tls(true).start(), Server::amr().tls(true).start());
    everything_is_equal(&source.access(), &target.tls_access(), 33).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_to_cluster() {
    let (source, target) = (Cluster::acr(2).start(), Cluster::amr(3).start());
    everything_is_equal(&source.access(), &target.access(), 34).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_newer_version_and_its_modules_have() {
    let (source, target) = (Server::amr().start(), Server::amr().start());
    dataset::every_type(&source.access(), 35, 1).await;
    let modules = dataset::modules(&source.access()).await;
    dataset::hash_field_ttls(&source.access()).await;
    put_off_expiries(&source.access()).await;
    let pair = Pair::of(&source.access(), &target.access());
    pair.copy(&[]);
    let ended = pair.expect_equal(&[]);
    assert_eq!(ended.number("keys_source"), ended.number("keys_compared"));
    pair.expect_equal(&["--big-key", "1"]);
    let ended = pair
        .expect_equal(&["--type", "ReJSON-RL,TSDB-TYPE,MBbloom--,MBbloomCF,CMSk-TYPE,TopK-TYPE,TDIS-TYPE"]);
    assert_eq!(ended.number("keys_compared"), modules.keys);
}

/// Everything that the catalogue holds, by the way that is meant for values of many megabytes.
#[tokio::test(flavor = "multi_thread")]
async fn everything_in_pieces_and_around_the_limit() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let access = source.access();
    dataset::every_type(&access, 36, 1).await;
    put_off_expiries(&access).await;
    for kind in Kind::ALL {
        dataset::big(&access, kind, 1_500_000).await;
    }
    // Both sides need other amounts of memory, so some of these are big for one of them only.
    for elements in (20..400).step_by(12) {
        let members: Vec<String> = (0..elements).map(|n| format!("member{n}")).collect();
        run(&access, &format!("around:set:{elements}"), &format!("SADD {{key}} {}", members.join(" "))).await;
        run(&access, &format!("around:list:{elements}"), &format!("RPUSH {{key}} {}", members.join(" ")))
            .await;
        let pairs: Vec<String> = (0..elements).map(|n| format!("{n} member{n}")).collect();
        run(&access, &format!("around:zset:{elements}"), &format!("ZADD {{key}} {}", pairs.join(" "))).await;
        run(&access, &format!("around:hash:{elements}"), &format!("HSET {{key}} {}", pairs.join(" "))).await;
    }
    let pair = Pair::of(&access, &target.access());
    pair.copy(&[]);
    let dbsize = pair.expect_equal(&[]).number("keys_source");
    assert!(dbsize > 200);
    for big_key in ["1", "1KiB", "2KiB", "4KiB", "6KiB", "10KiB", "64KiB", "1MiB", "1GiB"] {
        let ended = pair.expect_equal(&["--big-key", big_key]);
        assert_eq!(ended.number("keys_compared"), dbsize, "{big_key}");
    }
}

/// An independent eye on the same pair: verify and the test kit agree that nothing is different.
#[tokio::test(flavor = "multi_thread")]
async fn many_small_keys() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::mixed(&source.access(), 20_000, 37).await;
    dataset::strings(&source.access(), 20_000, 100).await;
    put_off_expiries(&source.access()).await;
    let pair = Pair::of(&source.access(), &target.access());
    let copied = pair.copy(&[]).number("keys_copied");
    for level in LEVELS {
        let ended = pair.verify(&["--level", level]).expect(0).expect_calm();
        assert_eq!(ended.number("keys_source"), copied);
    }
    pair.compare().await.assert_equal();
}

/// What is compared passes through, whatever its size.
#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_flat() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    for kind in Kind::ALL {
        dataset::big(&source, kind, 40_000_000).await;
    }
    dataset::strings(&source, 10, 8_000_000).await;
    let pair = Pair::of(&source, &target);
    pair.copy(&[]);
    let peak = pair.expect_equal(&[]).number("peak_rss_bytes");
    assert!(peak < 96 << 20, "{peak} bytes for 320 MB in 16 keys");
}
