//! `--preserve-idle`: how long ago, or how often, a key was used.

use testkit::Access;
use testkit::server::{Reply, Server, ServerBuilder};

use crate::support::Redferry;

/// Writes a string and a list with this idle time or frequency, as RESTORE can.
async fn write(access: &Access, option: &str, value: u32) {
    let mut connection = access.connect().await;
    let mut pipe = redis::pipe();
    pipe.cmd("SET").arg("string").arg("x").ignore();
    pipe.cmd("RPUSH").arg("list").arg("x").ignore();
    pipe.cmd("SET").arg("timed").arg("x").arg("EX").arg(1000).ignore();
    let () = pipe.query_async(&mut connection).await.unwrap();
    for (key, ttl) in [("string", 0), ("list", 0), ("timed", 1_000_000)] {
        let payload: Vec<u8> = redis::cmd("DUMP").arg(key).query_async(&mut connection).await.unwrap();
        let mut restore = redis::cmd("RESTORE");
        restore.arg(key).arg(ttl).arg(payload).arg("REPLACE").arg(option).arg(value);
        let () = restore.query_async(&mut connection).await.unwrap();
    }
}

fn object(server: &Server, question: &str, key: &str) -> i64 {
    match server.command(&["OBJECT", question, key]) {
        Reply::Integer(number) => number,
        other => panic!("OBJECT {question} was answered with {other:?}"),
    }
}

fn servers(policy: &str) -> (Server, Server) {
    let with = |server: ServerBuilder| server.policy(policy).start();
    // Without modules: RedisTimeSeries looks at every key that RESTORE writes, which sets its idle time to 0
    // (seen with 1.12 in Redis 7.4.1, without redferry).
    (with(Server::acr()), with(Server::plain7()))
}

const KEYS: [&str; 3] = ["string", "list", "timed"];

#[tokio::test(flavor = "multi_thread")]
async fn idle_time_is_carried() {
    let (source, target) = servers("allkeys-lru");
    write(&source.access(), "IDLETIME", 5000).await;
    Redferry::between(&source.access(), &target.access()).copy(&["--preserve-idle"]).expect(0);
    for key in KEYS {
        let idle = object(&target, "IDLETIME", key);
        assert!((4998..=5004).contains(&idle), "{key}: idle for {idle} s instead of 5000");
    }
    // Without the option a copied key counts as just used.
    target.command(&["FLUSHALL"]);
    Redferry::between(&source.access(), &target.access()).copy(&[]).expect(0);
    assert!(object(&target, "IDLETIME", "list") < 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_frequency_is_carried() {
    let (source, target) = servers("allkeys-lfu");
    write(&source.access(), "FREQ", 200).await;
    Redferry::between(&source.access(), &target.access()).copy(&["--preserve-idle"]).expect(0);
    for key in KEYS {
        let frequency = object(&target, "FREQ", key);
        // Reading may count as one use, and a minute's turn takes one off.
        assert!((198..=202).contains(&frequency), "{key}: {frequency} instead of 200");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sides_that_keep_different_things_are_told_apart() {
    let source = Server::acr().policy("allkeys-lru").start();
    let target = Server::amr().policy("allkeys-lfu").start();
    write(&source.access(), "IDLETIME", 5000).await;
    let ended = Redferry::between(&source.access(), &target.access()).copy(&["--preserve-idle"]).expect(0);
    let checks = ended.report["findings"]["checks"].as_array().unwrap();
    let eviction = checks.iter().find(|check| check["id"] == "eviction").unwrap();
    assert!(eviction["text"].as_str().unwrap().contains("neither is carried"), "{eviction}");
}
