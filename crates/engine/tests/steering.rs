//! A sync is steered: it is asked when both sides are equal, ends exactly then, and the way back begins at that moment.

mod support;

use std::time::Duration;

use client::FeedKind;
use engine::{Sync, SyncEnd};
use migration::follow::{GapReason, Phase};
use support::following::{QUIET, assert_equal, database_0, prepare, start};
use testkit::server::Reply;
use testkit::workload::Workload;
use testkit::{Access, Server, dataset};

async fn endless(source: &Access, target: &Access) -> Sync {
    Sync { until_quiet: None, ..prepare(source, target, FeedKind::Tracking, database_0()).await }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_settles_when_nobody_writes_and_ends_only_if_nothing_changed_since() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    dataset::mixed(&from, 500, 60).await;
    let writing = Workload::new(60).start(&from);
    let following = start(endless(&from, &to).await);
    let steering = following.steering.clone();
    let settle = steering.settle(QUIET);
    tokio::pin!(settle);
    let early = tokio::time::timeout(Duration::from_secs(3), &mut settle).await;
    assert!(early.is_err(), "while clients write, both sides are not equal");
    let busy = following.watch.changed_within(Duration::from_secs(2));
    assert!(busy.keys.len() > 10, "the keys that still change are named: {busy:?}");
    writing.end().await;
    let equal = settle.await.expect("the sync goes on");
    assert_equal(&from, &to).await;

    source.command(&["SET", "late", "1"]);
    while target.command(&["EXISTS", "late"]) != Reply::Integer(1) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!following.steering.is_still(equal).await && !following.steering.finish(equal).await);
    source.command(&["FLUSHALL"]);
    let equal = following.steering.settle(QUIET).await.expect("the sync goes on");
    assert_eq!(target.command(&["DBSIZE"]), Reply::Integer(0));
    assert!(following.steering.is_still(equal).await && following.steering.finish(equal).await);
    let outcome = following.ends_ready().await;
    assert!(outcome.status.conditions.iter().any(|condition| condition.name == "drained" && condition.met));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_wait_any_more_does_not_end_it() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let following = start(endless(&source.access(), &target.access()).await);
    following.reaches(Phase::Following).await;
    let given_up = following.steering.settle(Duration::from_secs(600));
    assert!(tokio::time::timeout(Duration::from_millis(500), given_up).await.is_err());
    let equal = following.steering.settle(QUIET).await.expect("the sync goes on");
    assert!(!following.task.is_finished());
    assert!(following.steering.finish(equal).await);
    following.ends_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_begins_where_the_way_there_ends() {
    let (old, new) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (old.access(), new.access());
    dataset::mixed(&from, 2000, 61).await;
    let there = start(endless(&from, &to).await);
    // Looking at both sides tries some writes on the old one.
    let back = Sync { held: true, ..endless(&to, &from).await };
    let equal = there.steering.settle(QUIET).await.expect("the sync goes on");

    let back = start(back);
    back.reaches(Phase::Snapshot).await;
    // The old side is still in charge: what it does now goes there, and not back.
    new.command(&["SET", "stray", "1"]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(old.command(&["EXISTS", "stray"]), Reply::Integer(0), "nothing is carried while it is held");
    let before = sets(&old);
    assert!(there.steering.finish(equal).await);
    there.ends_ready().await;
    back.steering.release(true);
    back.reaches(Phase::Following).await;
    let status = back.watch.status().unwrap();
    assert_eq!(status.gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>(), [GapReason::Beginning]);
    let equal = back.steering.settle(QUIET).await.expect("the sync goes on");
    assert_eq!(old.command(&["GET", "stray"]), Reply::Bulk(Some(b"1".to_vec())));
    assert!(sets(&old) - before < 50, "what is equal was not carried once more");

    let writing = Workload { groups: false, ..Workload::new(62) }.start(&to);
    tokio::time::sleep(Duration::from_secs(2)).await;
    writing.end().await;
    assert!(!back.steering.finish(equal).await);
    let equal = back.steering.settle(QUIET).await.expect("the sync goes on");
    assert!(back.steering.finish(equal).await);
    let outcome = back.ends_ready().await;
    assert!(matches!(outcome.end, SyncEnd::Ready) && outcome.status.refused.is_empty(), "{outcome:?}");
    assert_equal(&to, &from).await;
}

/// How often keys were written, as the server counts it.
fn sets(server: &Server) -> u64 {
    let Reply::Bulk(Some(info)) = server.command(&["INFO", "commandstats"]) else { panic!("no statistics") };
    let info = String::from_utf8_lossy(&info).into_owned();
    let calls = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")))?;
        line.split(',').next()?.parse::<u64>().ok()
    };
    calls("set").unwrap_or(0) + calls("restore").unwrap_or(0)
}
