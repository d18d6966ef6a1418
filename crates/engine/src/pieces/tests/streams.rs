//! What lives beside a stream's entries.

use std::time::Duration;

use migration::tally::Cause;
use testkit::Server;
use testkit::compare::{self, Options};

use super::faults::keep_running;
use super::{Pair, PiecesEnd, keys, run};

/// Entries that are pending although they are gone: before the first entry, between and after the last one,
/// trimmed and deleted, in several groups, and streams of which nothing else is left.
async fn pending_without_entries(server: &Server) {
    let access = server.access();
    for stream in ["trimmed", "deleted", "all-trimmed", "all-deleted", "last"] {
        for n in 1..=60 {
            run(&access, &format!("XADD {stream} {n}-{n} field value{n}")).await;
        }
        for (group, consumer, count) in [("a", "alice", 25), ("a", "bob", 35), ("b", "alice", 60)] {
            if count != 35 {
                run(&access, &format!("XGROUP CREATE {stream} {group} 0")).await;
            }
            let read = format!("XREADGROUP GROUP {group} {consumer} COUNT {count} STREAMS {stream} >");
            run(&access, &read).await;
        }
    }
    let ids = |range: std::ops::RangeInclusive<u32>| {
        range.map(|n| format!("{n}-{n}")).collect::<Vec<_>>().join(" ")
    };
    run(&access, "XTRIM trimmed MAXLEN 20").await;
    run(&access, &format!("XDEL deleted {} {}", ids(1..=5), ids(30..=39))).await;
    run(&access, "XTRIM all-trimmed MAXLEN 0").await;
    run(&access, &format!("XDEL all-deleted {}", ids(1..=60))).await;
    run(&access, &format!("XDEL last {}", ids(50..=60))).await;
    run(&access, "XCLAIM deleted a carol 0 7-7 IDLE 600000 RETRYCOUNT 9").await;
    run(&access, "XACK deleted a 8-8 9-9 31-31").await;
    run(&access, "XGROUP CREATE only-group group 0 MKSTREAM").await;
    run(&access, "XADD only-last-id 77-7 field value").await;
    run(&access, "XDEL only-last-id 77-7").await;
}

#[tokio::test]
async fn pending_entries_that_are_gone_stay_pending_from_6_to_7() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    pending_without_entries(&source).await;
    Pair::of_6_and_7(&source, &target).copy_all_and_compare().await;
}

/// Between two servers of 7.4 the counters and the greatest deleted id count too.
#[tokio::test]
async fn pending_entries_that_are_gone_stay_pending_from_7_to_7() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    pending_without_entries(&source).await;
    Pair::of_7_and(&source, &target).copy_all_and_compare().await;
}

#[tokio::test]
async fn pending_entries_that_are_gone_stay_pending_from_7_to_6() {
    let (source, target) = (Server::plain7().start(), Server::plain6().start());
    pending_without_entries(&source).await;
    Pair::of_7_and(&source, &target).copy_all_and_compare().await;
}

/// An older source does not count; the target must not count the placeholders either.
#[tokio::test]
async fn placeholders_do_not_count_as_added() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    pending_without_entries(&source).await;
    let pair = Pair::of_6_and_7(&source, &target);
    assert!(matches!(pair.copy("trimmed").await, PiecesEnd::Copied { .. }));
    let information: redis::Value = run(&pair.target, "XINFO STREAM trimmed").await;
    let information: std::collections::HashMap<String, redis::Value> =
        redis::from_redis_value(information).unwrap();
    assert_eq!(information["entries-added"], redis::Value::Int(20));
    assert_eq!(information["max-deleted-entry-id"], redis::Value::BulkString(b"0-0".to_vec()));
}

/// WATCH does not see what consumers do; comparing the groups does.
#[tokio::test]
async fn a_consumer_at_work_is_a_change() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let access = source.access();
    for n in 1..=4000 {
        if n % 1000 == 1 {
            tokio::task::yield_now().await;
        }
        source.command(&["XADD", "stream", &format!("{n}-1"), "field", "value"]);
    }
    run(&access, "XGROUP CREATE stream group 0").await;
    let pair = Pair { piece: 256, ..Pair::of_6_and_7(&source, &target) };
    let worker = tokio::spawn({
        let access = access.clone();
        async move {
            let mut connection = access.connect().await;
            for _ in 0..40 {
                let mut read = redis::cmd("XREADGROUP");
                read.arg(&["GROUP", "group", "worker", "COUNT", "10", "STREAMS", "stream", ">"]);
                read.exec_async(&mut connection).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    });
    let end = pair.copy("stream").await;
    assert!(matches!(end, PiecesEnd::Copied { .. }), "the consumer stopped after the first tries: {end:?}");
    assert!(worker.is_finished(), "the copy was taken while the consumer still worked");
    compare::caches(&pair.source, &pair.target, &Options::default()).await.assert_equal();
    assert_eq!(keys(&pair.target).await, ["stream"]);
}

/// Entries that came after the last id was asked for are later than what the target is told to be the last one.
#[tokio::test]
async fn a_stream_that_grows_is_a_change_and_no_error() {
    let (source, target) = (Server::plain7().start(), Server::plain6().start());
    for n in 1..=500 {
        source.command(&["XADD", "stream", &format!("{n}-1"), "field", "value"]);
    }
    let pair = Pair { piece: 256, ..Pair::of_7_and(&source, &target) };
    let writer = keep_running(&pair.source, "XADD stream * field value", Duration::from_millis(1));
    assert_eq!(pair.copy("stream").await, PiecesEnd::Not(Cause::ChangedWhileRead));
    writer.abort();
    assert!(matches!(pair.copy("stream").await, PiecesEnd::Copied { .. }));
    compare::caches(&pair.source, &pair.target, &Options::default()).await.assert_equal();
}
