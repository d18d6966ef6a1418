//! Lost connections, a full target, the wish to stop.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use engine::{Halt, KeysOutcome, Stop};
use testkit::relay::{Relay, Way};
use testkit::{Server, dataset};

use crate::{assert_equal, copy, copy_all, keys_in, plain_repair};

/// Connections break after so many bytes until several have broken; then all is well.
async fn copies_over_a_broken_line(way: Way, at_source: bool) {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::mixed(&source.access(), 3000, 7).await;
    dataset::strings(&source.access(), 3000, 1000).await;
    dataset::big(&source.access(), dataset::Kind::List, 500_000).await;
    let keys = keys_in(&source.access(), 0).await;
    let broken = if at_source { source.access() } else { target.access() };
    let relay = Relay::to("127.0.0.1", broken.port);
    let via = broken.via(relay.port());
    let mut repair = match at_source {
        true => plain_repair(&via, &target.access()).await,
        false => plain_repair(&source.access(), &via).await,
    };
    repair.options.big_key = 64 * 1024;
    relay.cut_after(way, 100_000);
    let before = relay.accepted();
    let copying = tokio::spawn(async move { copy_all(&repair, &keys).await });
    // The layout, the guardian, the lane, and some that follow a broken one.
    while relay.accepted() < before + 8 {
        assert!(!copying.is_finished(), "it ended on a line that carries 100 kB at a time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    relay.heal();
    copying.await.unwrap();
    assert_equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_breaks_off_is_asked_again() {
    copies_over_a_broken_line(Way::ToClient, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_breaks_off_is_written_to_again() {
    copies_over_a_broken_line(Way::ToServer, false).await;
}

fn assert_all_accounted_for(outcome: &KeysOutcome, keys: usize) {
    let known = outcome.total.settled() as usize;
    assert_eq!(known + outcome.left.len(), keys, "{outcome:?}");
}

/// The source's process is another one afterwards: its keys are the same to us.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_starts_anew_is_no_reason_to_begin_anew() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::strings(&source.access(), 2000, 100).await;
    let keys = keys_in(&source.access(), 0).await;
    let mut repair = plain_repair(&source.access(), &target.access()).await;
    repair.options.max_keys_per_sec = NonZeroU64::new(1000);
    let stop = Arc::new(Stop::default());
    let copying = tokio::spawn({
        let keys = keys.clone();
        async move { repair.copy_keys(keys, stop).await }
    });
    let mut there = target.access().connect().await;
    while redis::cmd("DBSIZE").query_async::<u64>(&mut there).await.unwrap() < 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It comes back without any key.
    source.restart();
    let outcome = copying.await.unwrap();
    assert!(outcome.halt.is_none() && outcome.left.is_empty(), "{outcome:?}");
    assert_eq!((outcome.total.scanned, outcome.total.settled()), (2000, 2000), "each has one end");
    assert!(outcome.total.copied >= 200 && !outcome.not_copied.is_empty(), "{outcome:?}");
    let there: u64 = redis::cmd("DBSIZE").query_async(&mut there).await.unwrap();
    assert!(there >= outcome.total.copied, "and what was copied stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_target_ends_it_and_what_is_left_is_told() {
    let (source, target) =
        (Server::acr().start(), Server::plain7().maxmemory("4mb").policy("noeviction").start());
    dataset::strings(&source.access(), 5000, 1000).await;
    let keys = keys_in(&source.access(), 0).await;
    let repair = plain_repair(&source.access(), &target.access()).await;
    let outcome = copy(&repair, &keys).await;
    assert!(matches!(outcome.halt, Some(Halt::TargetFull { .. })), "{:?}", outcome.halt);
    assert!(!outcome.left.is_empty() && outcome.not_copied.is_empty(), "{outcome:?}");
    assert_all_accounted_for(&outcome, keys.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_when_asked() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 5000, 10).await;
    let keys = keys_in(&source.access(), 0).await;
    let mut repair = plain_repair(&source.access(), &target.access()).await;
    repair.options.max_keys_per_sec = NonZeroU64::new(500);
    let stop = Arc::new(Stop::default());
    let copying = tokio::spawn({
        let (stop, keys, repair) = (Arc::clone(&stop), keys.clone(), repair.clone());
        async move { repair.copy_keys(keys, stop).await }
    });
    let mut there = target.access().connect().await;
    while redis::cmd("DBSIZE").query_async::<u64>(&mut there).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.ask();
    let outcome = copying.await.unwrap();
    assert!(matches!(outcome.halt, Some(Halt::Asked)), "{:?}", outcome.halt);
    assert!(outcome.total.copied > 0 && !outcome.left.is_empty(), "{outcome:?}");
    assert_all_accounted_for(&outcome, keys.len());
    // What is left is what a second go is for.
    repair.options.max_keys_per_sec = None;
    copy_all(&repair, &outcome.left).await;
    assert_equal(&source.access(), &target.access()).await;
}
