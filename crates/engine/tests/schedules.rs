//! Random schedules: clients write, faults come at random, and when everything is quiet both sides are equal.
//!
//! Ten schedules, or `REDFERRY_SCHEDULES`; their seeds begin at `REDFERRY_SEED`. A failing one prints its seed and what was
//! done to it.

mod support;

use std::time::Duration;

use client::FeedKind;
use engine::{Sync, SyncEnd};
use migration::follow::Phase;
use migration::naming::Naming;
use support::following::{assert_equal, prepare, start};
use testkit::dataset::random::Random;
use testkit::relay::Relay;
use testkit::workload::{Popularity, Workload};
use testkit::{Access, Cluster, Server, dataset};
use tokio::task::JoinSet;

/// Schedules that run side by side: each of them mostly waits.
const AT_ONCE: usize = 2;

/// What is done to a sync that goes on meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// All connections to one side are closed.
    CutSource,
    CutTarget,
    /// Writes arrive, and their acknowledgements do not.
    LoseReplies,
    /// Nothing moves on the way to one side for a while.
    StallSource,
    StallTarget,
    /// The server cuts the feed off, as it does to slow readers.
    KillFeeds,
    KillClients,
    /// The process is killed and started again with what it had on disk.
    RestartSource,
    RestartTarget,
    /// The target refuses writes for lack of memory for a while.
    FillTarget,
    /// A replica takes over; what it had not seen yet is lost.
    FailOver,
    Flush,
}

const ON_SINGLE: [Fault; 11] = [
    Fault::CutSource,
    Fault::CutTarget,
    Fault::LoseReplies,
    Fault::StallSource,
    Fault::StallTarget,
    Fault::KillFeeds,
    Fault::KillClients,
    Fault::RestartSource,
    Fault::RestartTarget,
    Fault::FillTarget,
    Fault::Flush,
];

const ON_CLUSTER: [Fault; 6] = [
    Fault::FailOver,
    Fault::KillFeeds,
    Fault::KillClients,
    Fault::CutTarget,
    Fault::LoseReplies,
    Fault::FillTarget,
];

/// Where keys come from.
enum Source {
    Single { server: Server, relay: Relay },
    Cluster { cluster: Cluster, failed_over: Vec<usize> },
}

impl Source {
    /// For the clients that write, on the direct way.
    fn access(&self) -> Access {
        match self {
            Source::Single { server, .. } => server.access(),
            Source::Cluster { cluster, .. } => cluster.access(),
        }
    }

    /// For redferry.
    fn relayed(&self) -> Access {
        match self {
            Source::Single { server, relay } => server.access().via(relay.port()),
            Source::Cluster { cluster, .. } => cluster.access(),
        }
    }

    fn servers(&self) -> &[Server] {
        match self {
            Source::Single { server, .. } => std::slice::from_ref(server),
            Source::Cluster { cluster, .. } => cluster.nodes(),
        }
    }
}

struct World {
    source: Source,
    target: Server,
    to_target: Relay,
    random: Random,
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let source = if random.below(3) == 0 {
            let cluster = Cluster::plain6(3).replicas(1).arg("cluster-require-full-coverage", "no").start();
            Source::Cluster { cluster, failed_over: Vec::new() }
        } else {
            let server = Server::plain6()
                .arg("appendonly", "yes")
                .arg("appendfsync", "always")
                .arg("notify-keyspace-events", "AE")
                .start();
            let relay = Relay::to("127.0.0.1", server.access().port);
            Source::Single { server, relay }
        };
        let target = Server::plain7().arg("appendonly", "yes").arg("appendfsync", "always").start();
        let to_target = Relay::to("127.0.0.1", target.access().port);
        World { source, target, to_target, random }
    }

    fn workload(&mut self, seed: u64) -> Workload {
        let popularity = if self.random.below(2) == 0 { Popularity::Uniform } else { Popularity::Zipfian };
        let keys = 20 + self.random.below(800);
        let pause = Duration::from_millis(self.random.below(6));
        Workload { keys, popularity, pause, ..Workload::new(seed) }
    }

    /// A fault that is possible here and now.
    fn next(&mut self) -> Fault {
        match &self.source {
            Source::Single { .. } => ON_SINGLE[self.random.below(ON_SINGLE.len() as u64) as usize],
            Source::Cluster { failed_over, .. } => loop {
                let fault = ON_CLUSTER[self.random.below(ON_CLUSTER.len() as u64) as usize];
                if fault != Fault::FailOver || failed_over.len() < 3 {
                    break fault;
                }
            },
        }
    }

    async fn suffer(&mut self, fault: Fault) {
        let time = Duration::from_millis(50 + self.random.below(700));
        match (fault, &mut self.source) {
            (Fault::CutSource, Source::Single { relay, .. }) => relay.cut(),
            (Fault::StallSource, Source::Single { relay, .. }) => {
                relay.stall(true);
                tokio::time::sleep(time).await;
                relay.stall(false);
            }
            (Fault::RestartSource, Source::Single { server, .. }) => {
                server.kill();
                server.restart();
            }
            (Fault::FailOver, Source::Cluster { cluster, failed_over }) => {
                let index = failed_over.len();
                cluster.failover(index);
                failed_over.push(index);
            }
            (Fault::CutTarget, _) => self.to_target.cut(),
            (Fault::StallTarget, _) => {
                self.to_target.stall(true);
                tokio::time::sleep(time).await;
                self.to_target.stall(false);
            }
            (Fault::LoseReplies, _) => {
                self.to_target.drop_replies(true);
                tokio::time::sleep(time).await;
                self.to_target.drop_replies(false);
            }
            (Fault::RestartTarget, _) => {
                self.target.kill();
                self.target.restart();
            }
            (Fault::FillTarget, _) => {
                self.target.command(&["CONFIG", "SET", "maxmemory", "1mb"]);
                tokio::time::sleep(time).await;
                self.target.command(&["CONFIG", "SET", "maxmemory", "0"]);
            }
            (Fault::Flush, source) => {
                source.servers()[0].command(&["FLUSHALL"]);
            }
            (Fault::KillFeeds, source) => kill(source, "pubsub"),
            (Fault::KillClients, source) => kill(source, "normal"),
            (fault, _) => unreachable!("{fault:?} is not possible here"),
        }
    }
}

fn kill(source: &Source, kind: &str) {
    for server in source.servers() {
        server.command(&["CLIENT", "KILL", "TYPE", kind]);
    }
}

async fn schedule(seed: u64) {
    let mut world = World::new(seed);
    let (from, to) = (world.source.access(), world.target.access());
    dataset::mixed(&from, 500, seed).await;
    let workload = world.workload(seed);
    let by_events = matches!(world.source, Source::Single { .. }) && world.random.below(4) == 0;
    let feed = if by_events { FeedKind::Events } else { FeedKind::Tracking };
    println!("schedule {seed}: {} keys, {:?}, {}", workload.keys, workload.popularity, feed.name());
    let (source, target) = (world.source.relayed(), to.via(world.to_target.port()));
    let sync = prepare(&source, &target, feed, Naming::identity([0]).unwrap()).await;
    let writing = workload.start(&from);
    let following = start(Sync { until_quiet: None, ..sync });
    if world.random.below(3) > 0 {
        following.reaches(Phase::Following).await;
    }
    for _ in 0..2 + world.random.below(5) {
        tokio::time::sleep(Duration::from_millis(world.random.below(900))).await;
        let fault = world.next();
        println!("schedule {seed}: {fault:?}");
        world.suffer(fault).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (written, _) = writing.end().await;
    println!("schedule {seed}: {written} commands written");
    let ends = async {
        loop {
            let equal = following.steering.settle(Duration::from_secs(1)).await.expect("the sync goes on");
            if following.steering.finish(equal).await {
                break;
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(90), ends).await;
    ended.unwrap_or_else(|_| panic!("not ready in time: {:?}", following.watch.status()));
    let outcome = following.ends_ready().await;
    println!("schedule {seed}: ready after {:?}, {:?}", outcome.status.elapsed, outcome.status.gaps);
    assert!(matches!(outcome.end, SyncEnd::Ready) && outcome.status.refused.is_empty(), "{outcome:?}");
    assert_equal(&from, &to).await;
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_whatever_happens() {
    let (first, count) = (number("REDFERRY_SEED", 1), number("REDFERRY_SCHEDULES", 10));
    let mut seeds = first..first + count;
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            under_way.spawn(schedule(seed));
        }
        match under_way.join_next().await {
            Some(Ok(())) => {}
            Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
            None => return,
        }
    }
}
