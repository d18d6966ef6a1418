//! Syncs under test.

use std::sync::Arc;
use std::time::Duration;

use client::{FeedKind, Side};
use engine::preflight::{DbWish, Wishes, probe};
use engine::{CopyOptions, Steering, Stop, Sync, SyncEnd, SyncOutcome, SyncStatus, Watch};
use migration::conflict::OnConflict;
use migration::follow::Phase;
use migration::naming::Naming;
use migration::selection::{Selection, SelectionOptions};
use testkit::Access;
use testkit::compare::{self, Options};
use testkit::workload::Writing;

use super::endpoint;

/// How long clients write in each test.
fn writing_time() -> Duration {
    let seconds = std::env::var("REDFERRY_LIVE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    Duration::from_secs(seconds)
}

pub const QUIET: Duration = Duration::from_millis(500);

/// A sync under way.
pub struct Following {
    pub watch: Watch,
    pub steering: Steering,
    pub stop: Arc<Stop>,
    pub task: tokio::task::JoinHandle<SyncOutcome>,
}

/// Follows until nobody has written for half a second.
pub async fn follow(source: &Access, target: &Access, feed: FeedKind, naming: Naming) -> Following {
    start(prepare(source, target, feed, naming).await)
}

pub async fn prepare(source: &Access, target: &Access, feed: FeedKind, naming: Naming) -> Sync {
    let (source, target) = (endpoint(Side::Source, source), endpoint(Side::Target, target));
    let wishes = Wishes {
        databases: DbWish::List(naming.source_dbs().collect()),
        db_map: naming.source_dbs().filter_map(|db| Some((db, naming.target_db(db)?))).collect(),
        on_conflict: OnConflict::Replace,
        resuming: true,
        ..Wishes::default()
    };
    let findings = probe(&source, &target, &wishes).await.unwrap();
    assert_eq!(findings.refusals().count(), 0, "{:?}", findings.refusals().collect::<Vec<_>>());
    Sync {
        source,
        target,
        selection: Selection::new(&SelectionOptions::default()).unwrap(),
        naming,
        abilities: findings.abilities,
        options: CopyOptions::new("".into()),
        feed,
        feeds: 1,
        comparer: None,
        target_was_empty: false,
        resumed: false,
        marks: 64 << 20,
        until_quiet: Some(QUIET),
        held: false,
    }
}

pub fn start(sync: Sync) -> Following {
    let (watch, stop) = (Watch::default(), Arc::new(Stop::default()));
    let (steering, steered) = Steering::new();
    let task = {
        let (watch, stop) = (watch.clone(), Arc::clone(&stop));
        tokio::spawn(async move { sync.run(&watch, steered, stop).await.expect("the sync begins") })
    };
    Following { watch, steering, stop, task }
}

impl Following {
    /// Waits until the phase is reached.
    pub async fn reaches(&self, phase: Phase) {
        for _ in 0..600 {
            if self.watch.status().is_some_and(|status| status.phase == phase) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not {phase:?} in time: {:?}", self.watch.status());
    }

    /// Waits until its status is so, while it goes on.
    pub async fn until(&self, is_so: impl Fn(&SyncStatus) -> bool) -> SyncStatus {
        for _ in 0..1200 {
            if let Some(status) = self.watch.status().filter(&is_so) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not in time: {:?}", self.watch.status());
    }

    /// Waits until everything is carried that there was at the beginning.
    pub async fn is_following(&self) {
        self.until(|status| {
            status.phase == Phase::Following && status.nodes.iter().all(|node| node.dirty == 0)
        })
        .await;
    }

    pub async fn ends_ready(self) -> SyncOutcome {
        let outcome = tokio::time::timeout(Duration::from_secs(90), self.task).await;
        let outcome =
            outcome.unwrap_or_else(|_| panic!("not ready in time: {:?}", self.watch.status())).unwrap();
        assert!(matches!(outcome.end, SyncEnd::Ready), "{outcome:?}");
        assert!(outcome.status.gaps.iter().all(|gap| gap.healed_us.is_some()), "{outcome:?}");
        outcome
    }
}

/// What clients write while it is written, over and over.
pub async fn write_for(writing: Writing) {
    tokio::time::sleep(writing_time()).await;
    let (written, _) = writing.end().await;
    assert!(written > 500, "only {written} commands were written");
}

pub async fn assert_equal(source: &Access, target: &Access) {
    // Expiries that come while both sides are read would look like differences.
    tokio::time::sleep(Duration::from_millis(100)).await;
    compare::caches(source, target, &Options::default()).await.assert_equal();
}

pub fn database_0() -> Naming {
    Naming::identity([0]).unwrap()
}
