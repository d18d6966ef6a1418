//! Keys that change, vanish or turn into something else while they are copied do not stop the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use testkit::{Server, compare, dataset};

use crate::support::Redferry;

/// Writes to the source until told to stop: keys are deleted, turned into other types and grown by turns.
async fn disturb(source: testkit::Access, stop: Arc<AtomicBool>) -> u64 {
    let mut connection = source.connect().await;
    let mut rounds = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut pipe = redis::pipe();
        for n in 0..50 {
            // Deterministic, and over all keys in the course of time.
            let i = (rounds * 50 + n) * 7919 % 20_000;
            let key = format!("string:{i}");
            pipe.cmd("DEL").arg(&key).ignore();
            match i % 4 {
                0 => {}
                1 => _ = pipe.cmd("RPUSH").arg(&key).arg("now a list").ignore(),
                2 => _ = pipe.cmd("HSET").arg(&key).arg("now").arg("a hash").ignore(),
                _ => _ = pipe.cmd("SET").arg(&key).arg("longer".repeat(10_000)).ignore(),
            }
        }
        pipe.cmd("RPUSH").arg("big:list").arg("one more").ignore();
        pipe.cmd("LPOP").arg("big:list").ignore();
        let () = pipe.query_async(&mut connection).await.unwrap();
        rounds += 1;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    rounds
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_goes_on() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 20_000, 40).await;
    dataset::big(&source.access(), dataset::Kind::List, 300_000).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(disturb(source.access(), Arc::clone(&stop)));
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start_copy(&["--max-keys-per-sec", "15000", "--big-key", "64KiB"]);
    let ended = tokio::task::spawn_blocking(|| child.wait()).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() > 10, "nothing was disturbed");
    assert!(matches!(ended.code, 0 | 1), "{ended:#?}");
    let causes = ended.report["causes"].as_object().unwrap();
    let expected = ["gone_before_read", "changed_while_read"];
    assert!(causes.keys().all(|cause| expected.contains(&cause.as_str())), "{causes:?}");
    assert!(ended.number("keys_copied") > 10_000, "{ended:#?}");
    // At rest another round brings both sides together, but for keys deleted on the source since.
    redferry.copy(&["--on-conflict", "replace", "--big-key", "64KiB"]).expect(0);
    let options = compare::Options::default().only_on_target(|_, _| false);
    compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
}
