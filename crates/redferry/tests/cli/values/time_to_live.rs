//! Times to live arrive exactly, and nothing that has expired comes back.

use std::time::{Duration, Instant};

use testkit::{Server, compare, dataset};

use crate::support::Redferry;

/// That many strings and lists, each with an expiry of its own, minutes to hours ahead.
async fn with_expiries(source: &Server, each: u64) {
    let mut connection = source.access().connect().await;
    let mut pipe = redis::pipe();
    for n in 0..each {
        let ms = 60_000 + n * 7919;
        pipe.cmd("SET").arg(format!("string:{n}")).arg("x").arg("PX").arg(ms).ignore();
        pipe.cmd("RPUSH").arg(format!("list:{n}")).arg("x").ignore();
        pipe.cmd("PEXPIRE").arg(format!("list:{n}")).arg(ms).ignore();
    }
    let () = pipe.query_async(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn exact_to_the_bound() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    with_expiries(&source, 1000).await;
    let ended = Redferry::between(&source.access(), &target.access()).copy(&[]).expect(0);
    // How small the bound is depends on the machine; that nothing is off by more does not.
    let bound = ended.number("ttl_error_bound_ms");
    assert!((1..1000).contains(&bound), "{ended:#?}");
    let options = compare::Options::default().ttl_tolerance_ms(bound + 20);
    let report = compare::caches(&source.access(), &target.access(), &options).await;
    report.assert_equal();
    assert_eq!(report.source_keys, 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_on_the_way_stays_gone() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 2000, 20).await;
    let mut connection = source.access().connect().await;
    let mut pipe = redis::pipe();
    for n in 0..1500 {
        // Some are gone before they are listed, some after, some after they were copied.
        let ms = 300 + n;
        pipe.cmd("SET").arg(format!("short:{n}")).arg("x").arg("PX").arg(ms).ignore();
        pipe.cmd("RPUSH").arg(format!("shortlist:{n}")).arg("x").ignore();
        pipe.cmd("PEXPIRE").arg(format!("shortlist:{n}")).arg(ms).ignore();
    }
    let began = Instant::now();
    let () = pipe.query_async(&mut connection).await.unwrap();
    let written = began.elapsed();
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.copy(&["--max-keys-per-sec", "3000"]).expect(0).expect_calm();
    assert!(ended.number("keys_expired") > 0, "none expired on the way: {ended:#?}");
    let over = Duration::from_millis(1800) + written + Duration::from_millis(100);
    tokio::time::sleep(over.saturating_sub(began.elapsed())).await;
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
    assert_eq!(
        target.command(&["EXISTS", "short:1499", "shortlist:1499"]),
        testkit::server::Reply::Integer(0)
    );
    let mut connection = target.access().connect().await;
    let short: Vec<String> = redis::cmd("KEYS").arg("short*").query_async(&mut connection).await.unwrap();
    assert!(short.is_empty(), "{short:?} live longer than they should");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_hashes_keep_theirs() {
    let (source, target) = (Server::plain7().start(), Server::amr().start());
    dataset::hash_field_ttls(&source.access()).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.copy(&[]).expect(0);
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
    // Once more field by field, as a value too big for one payload goes.
    let target = Server::plain7().arg("rename-command", "RESTORE \"\"").start();
    Redferry::between(&source.access(), &target.access()).copy(&[]).expect(0);
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_hours_apart_do_not_matter() {
    if testkit::Binaries::get().clock_shifter().is_none() {
        println!("SKIPPED: no libfaketime on this machine, so no server with another clock");
        return;
    }
    for ahead in [7200, -7200] {
        let source = Server::acr().start();
        let target = Server::plain7().clock_ahead_seconds(ahead).start();
        with_expiries(&source, 500).await;
        let ended = Redferry::between(&source.access(), &target.access()).copy(&[]).expect(0);
        let apart = ended.report["findings"]["clock_difference_ms"].as_f64().unwrap().abs();
        assert!((apart / 1000.0 - 7200.0).abs() < 1.0, "{apart} ms apart");
        let bound = ended.number("ttl_error_bound_ms");
        let options = compare::Options::default().ttl_tolerance_ms(bound + 20);
        let report = compare::caches(&source.access(), &target.access(), &options).await;
        report.assert_equal();
        assert_eq!(report.target_keys, 1000, "{ahead} s ahead");
    }
}
