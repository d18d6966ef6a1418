//! Real caches are followed while real clients write: when the sync says that the target may take over, both sides are
//! equal, as an independent comparison sees it.

mod support;

use std::time::Duration;

use client::{FeedKind, Side};
use engine::{Sync, SyncEnd, SyncOutcome};
use migration::follow::{GapReason, Phase};
use migration::naming::Naming;
use migration::tally::Cause;
use support::following::{QUIET, assert_equal, database_0, follow, prepare, start, write_for};
use testkit::relay::Relay;
use testkit::server::Reply;
use testkit::workload::{Popularity, Workload};
use testkit::{Access, Cluster, Server, dataset};

async fn everything_arrives(
    source: &Access,
    target: &Access,
    feed: FeedKind,
    workload: Workload,
) -> SyncOutcome {
    println!("seed {}", workload.seed);
    dataset::mixed(source, 3000, workload.seed).await;
    // What only the target has goes away.
    dataset::strings(target, 50, 10).await;
    let early = workload.clone().start(source);
    let following = follow(source, target, feed, database_0()).await;
    write_for(early).await;
    let outcome = following.ends_ready().await;
    assert!(outcome.status.changes > 0 && outcome.status.removed >= 50, "{outcome:?}");
    assert_equal(source, target).await;
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn single_to_single_by_tracking() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let outcome =
        everything_arrives(&source.access(), &target.access(), FeedKind::Tracking, Workload::new(1)).await;
    assert_eq!(outcome.status.gaps.len(), 1, "only the beginning is a gap: {outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_keys_that_change_all_the_time() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let workload =
        Workload { keys: 20, popularity: Popularity::Zipfian, pause: Duration::ZERO, ..Workload::new(2) };
    everything_arrives(&source.access(), &target.access(), FeedKind::Tracking, workload).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_to_cluster_by_key_events() {
    let source = Server::plain6().arg("notify-keyspace-events", "KEA").start();
    let target = Cluster::amr(2).start();
    everything_arrives(&source.access(), &target.access(), FeedKind::Events, Workload::new(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_to_single() {
    let (source, target) = (Cluster::acr(3).start(), Server::amr().start());
    everything_arrives(&source.access(), &target.access(), FeedKind::Tracking, Workload::new(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_databases_and_flushes() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let naming = Naming::identity([0, 3]).unwrap();
    let workload = Workload { dbs: vec![0, 3], flushes: true, ..Workload::new(5) };
    let writing = workload.start(&from);
    let following = follow(&from, &to, FeedKind::Tracking, naming).await;
    following.reaches(Phase::Following).await;
    source.command(&["FLUSHALL"]);
    write_for(writing).await;
    let outcome = following.ends_ready().await;
    let reasons: Vec<_> = outcome.status.gaps.iter().map(|gap| gap.reason).collect();
    assert!(reasons.contains(&GapReason::Everything), "{reasons:?}");
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_cut_off_is_a_gap_and_heals() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let writing = Workload::new(6).start(&from);
    let following = follow(&from, &to, FeedKind::Tracking, database_0()).await;
    following.reaches(Phase::Following).await;
    // As the server itself does to a reader that is too slow.
    let killed = source.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    assert_eq!(killed, Reply::Integer(1));
    write_for(writing).await;
    let outcome = following.ends_ready().await;
    let reasons: Vec<_> = outcome.status.gaps.iter().map(|gap| gap.reason).collect();
    assert_eq!(reasons, [GapReason::Beginning, GapReason::FeedLost], "{outcome:?}");
    assert_equal(&from, &to).await;
}

/// Ids and ages in seconds of the feeds that a server knows, the youngest first.
fn feeds(source: &Server) -> Vec<(String, u64)> {
    let Reply::Bulk(Some(list)) = source.command(&["CLIENT", "LIST", "TYPE", "pubsub"]) else {
        panic!("no CLIENT LIST")
    };
    let fact = |line: &str, name: &str| {
        let fact = line.split(' ').find_map(|fact| fact.strip_prefix(name)?.strip_prefix('='));
        fact.unwrap().to_owned()
    };
    let list = String::from_utf8(list).unwrap();
    let feed = |line: &str| (fact(line, "id"), fact(line, "age").parse().unwrap());
    let mut feeds: Vec<(String, u64)> = list.lines().map(feed).collect();
    feeds.sort_by_key(|(id, _)| std::cmp::Reverse(id.parse::<u64>().unwrap()));
    feeds
}

/// Waits until there are two feeds that are heard for so long that each can stand in for the other one.
async fn both_feeds(source: &Server) -> [String; 2] {
    for _ in 0..600 {
        if let [(young, age), (old, _)] = &feeds(source)[..]
            && *age >= 5
        {
            return [young.clone(), old.clone()];
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no two feeds in time: {:?}", feeds(source));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_feeds_may_be_lost_without_a_gap() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let writing = Workload::new(10).start(&from);
    let sync = Sync { feeds: 2, ..prepare(&from, &to, FeedKind::Tracking, database_0()).await };
    let following = start(sync);
    following.reaches(Phase::Following).await;
    // The old one the second time, so that each has stood in for the other.
    for age in [0, 1, 1] {
        let lost = &both_feeds(&source).await[age];
        assert_eq!(source.command(&["CLIENT", "KILL", "ID", lost]), Reply::Integer(1));
    }
    both_feeds(&source).await;
    write_for(writing).await;
    let outcome = following.ends_ready().await;
    assert_eq!(outcome.status.gaps.len(), 1, "only the beginning is a gap: {outcome:?}");
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_of_two_feeds_lost_is_a_gap_and_heals() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let writing = Workload::new(11).start(&from);
    let sync = Sync { feeds: 2, ..prepare(&from, &to, FeedKind::Tracking, database_0()).await };
    let following = start(sync);
    following.reaches(Phase::Following).await;
    both_feeds(&source).await;
    assert_eq!(source.command(&["CLIENT", "KILL", "TYPE", "pubsub"]), Reply::Integer(2));
    write_for(writing).await;
    let outcome = following.ends_ready().await;
    let reasons: Vec<_> = outcome.status.gaps.iter().map(|gap| gap.reason).collect();
    assert_eq!(reasons, [GapReason::Beginning, GapReason::FeedLost], "{outcome:?}");
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_on_both_sides() {
    const SEED: u64 = 7;
    println!("seed {SEED}");
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    let (to_source, to_target) = (Relay::to(&from.host, from.port), Relay::to(&to.host, to.port));
    let writing = Workload::new(SEED).start(&from);
    let following =
        follow(&from.via(to_source.port()), &to.via(to_target.port()), FeedKind::Tracking, database_0())
            .await;
    following.reaches(Phase::Following).await;
    for _ in 0..4 {
        to_source.cut();
        tokio::time::sleep(Duration::from_millis(300)).await;
        to_target.cut();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    write_for(writing).await;
    let outcome = following.ends_ready().await;
    assert!(outcome.status.gaps.len() >= 3, "{outcome:?}");
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_restarted() {
    let source = Server::plain6().arg("appendonly", "yes").arg("appendfsync", "always").start();
    let target = Server::plain7().start();
    let (from, to) = (source.access(), target.access());
    dataset::strings(&from, 2000, 30).await;
    let following = follow(&from, &to, FeedKind::Tracking, database_0()).await;
    following.reaches(Phase::Following).await;
    source.kill();
    source.restart();
    dataset::strings(&from, 2500, 31).await;
    let outcome = following.ends_ready().await;
    assert!(outcome.status.gaps.iter().any(|gap| gap.reason == GapReason::OtherProcess), "{outcome:?}");
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_feed_sees_arrives_all_the_same() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    for n in 0..20 {
        let stream = format!("stream:{n}");
        source.command(&["XADD", &stream, "1-1", "a", "b"]);
        source.command(&["XGROUP", "CREATE", &stream, "g", "0"]);
    }
    let following = follow(&from, &to, FeedKind::Tracking, database_0()).await;
    following.reaches(Phase::Following).await;
    for n in 0..20 {
        let stream = format!("stream:{n}");
        source.command(&["XREADGROUP", "GROUP", "g", "c", "STREAMS", &stream, ">"]);
    }
    following.ends_ready().await;
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_it_at_once() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let writing = Workload::new(8).start(&source.access());
    let following = follow(&source.access(), &target.access(), FeedKind::Tracking, database_0()).await;
    following.reaches(Phase::Following).await;
    following.stop.ask();
    let outcome = tokio::time::timeout(Duration::from_secs(10), following.task).await.unwrap().unwrap();
    assert!(matches!(outcome.end, SyncEnd::Halted(engine::Halt::Asked)), "{outcome:?}");
    writing.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_a_cluster_that_is_away_at_the_beginning() {
    let (source, target) = (durable_cluster(), Server::amr().start());
    let (from, to) = (source.access(), target.access());
    dataset::strings(&from, 2000, 30).await;
    let sync = prepare(&from, &to, FeedKind::Tracking, database_0()).await;
    source.kill_node(1);
    let following = start(sync);
    // Long enough for its lane to give up, while the layout stays as it is.
    tokio::time::sleep(Duration::from_secs(3)).await;
    source.nodes()[1].restart();
    source.wait_for_primary(1);
    dataset::strings(&from, 2500, 31).await;
    following.ends_ready().await;
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_a_cluster_that_stays_away() {
    let (source, target) = (durable_cluster(), Server::amr().start());
    let mut sync = prepare(&source.access(), &target.access(), FeedKind::Tracking, database_0()).await;
    sync.options.give_up_after = Duration::from_secs(4);
    source.kill_node(1);
    let outcome = tokio::time::timeout(Duration::from_secs(30), start(sync).task).await.unwrap().unwrap();
    let SyncEnd::Halted(engine::Halt::Outage { side: Side::Source, last, .. }) = &outcome.end else {
        panic!("{outcome:?}")
    };
    let port = source.nodes()[1].access().port.to_string();
    assert!(last.contains(&port), "{last}");
}

/// Its nodes keep what they have when they are killed, and answer while one of them is away.
fn durable_cluster() -> Cluster {
    let cluster = Cluster::plain6(3).arg("appendonly", "yes").arg("appendfsync", "always");
    cluster.arg("cluster-require-full-coverage", "no").start()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_feed_sees_in_the_last_moment() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    for n in 0..500 {
        source.command(&["SET", &format!("key:{n}"), "0"]);
    }
    let writes = (0..10).map(|n| format!("write:{n}"));
    let following = follow(&from, &to, FeedKind::Tracking, Naming::identity([0, 1]).unwrap()).await;
    for key in writes {
        source.command(&["SET", &key, "1"]);
        tokio::time::sleep(QUIET / 3).await;
    }
    // The counters are read every second; this comes between two looks, and just before it is quiet.
    tokio::time::sleep(QUIET / 3).await;
    source.command(&["SWAPDB", "0", "1"]);
    let outcome = following.ends_ready().await;
    assert!(outcome.status.gaps.iter().any(|gap| gap.reason == GapReason::Unseen), "{outcome:?}");
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_know_unlink() {
    let (source, target) =
        (Server::plain6().start(), Server::plain7().arg("rename-command", "UNLINK \"\"").start());
    let (from, to) = (source.access(), target.access());
    dataset::strings(&to, 50, 10).await;
    dataset::mixed(&from, 100, 9).await;
    let outcome = follow(&from, &to, FeedKind::Tracking, database_0()).await.ends_ready().await;
    assert!(outcome.status.removed >= 50 && outcome.status.refused.is_empty(), "{outcome:?}");
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_removes_nothing() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    dataset::strings(&to, 50, 10).await;
    let sync = prepare(&from, &to, FeedKind::Tracking, database_0()).await;
    target.command(&["ACL", "SETUSER", "default", "-unlink", "-del"]);
    let outcome = start(sync).ends_ready().await;
    // They are tried once more before the end.
    assert_eq!(outcome.status.refused.into_iter().collect::<Vec<_>>(), [(Cause::TargetForbids, 100)]);
    assert_eq!((outcome.status.lacking, outcome.status.incompatible), (50, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_waits_for_room_among_the_marks() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (from, to) = (source.access(), target.access());
    dataset::strings(&from, 20_000, 10).await;
    dataset::strings(&to, 30_000, 10).await;
    let sync = prepare(&from, &to, FeedKind::Tracking, database_0()).await;
    // Room for some hundred names.
    let outcome = start(Sync { marks: 50_000, ..sync }).ends_ready().await;
    let reasons: Vec<_> = outcome.status.gaps.iter().map(|gap| gap.reason).collect();
    assert_eq!(reasons, [GapReason::Beginning], "nothing was given up");
    assert_equal(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_process_left_half_done_is_removed() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    dataset::strings(&source.access(), 100, 10).await;
    // Of a key that is not there any more.
    target.command(&["SET", "redferry:tmp:{1}:0123456789abcdef", "half"]);
    let following = follow(&source.access(), &target.access(), FeedKind::Tracking, database_0()).await;
    following.ends_ready().await;
    assert_eq!(target.command(&["DBSIZE"]), Reply::Integer(100));
    assert_equal(&source.access(), &target.access()).await;
}
