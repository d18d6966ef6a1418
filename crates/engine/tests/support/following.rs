//! A sync of two test caches, until it says that the target may take over.

use std::sync::Arc;
use std::time::Duration;

use client::{FeedKind, Side};
use engine::preflight::{DbWish, Wishes, probe};
use engine::{CopyOptions, Stop, Sync, SyncEnd, SyncOutcome, SyncStatus, Watch};
use migration::conflict::OnConflict;
use migration::follow::Phase;
use migration::naming::Naming;
use migration::selection::{Selection, SelectionOptions};
use testkit::Access;
use testkit::compare::{self, Options};

use super::support::endpoint;

pub(crate) struct Following {
    pub(crate) watch: Watch,
    pub(crate) task: tokio::task::JoinHandle<SyncOutcome>,
}

/// A sync of database 0 that ends when nobody has written for half a second.
pub(crate) async fn prepare(source: &Access, target: &Access) -> Sync {
    let (source, target) = (endpoint(Side::Source, source), endpoint(Side::Target, target));
    let naming = Naming::identity([0]).unwrap();
    let wishes = Wishes {
        databases: DbWish::List(vec![0]),
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
        feed: FeedKind::Tracking,
        marks: 64 << 20,
        until_quiet: Some(Duration::from_millis(500)),
    }
}

pub(crate) fn start(sync: Sync) -> Following {
    let (watch, stop) = (Watch::default(), Arc::new(Stop::default()));
    let task = {
        let watch = watch.clone();
        tokio::spawn(async move { sync.run(&watch, stop).await.expect("the sync begins") })
    };
    Following { watch, task }
}

impl Following {
    /// Waits until its status is so, while it goes on.
    pub(crate) async fn until(&self, is_so: impl Fn(&SyncStatus) -> bool) -> SyncStatus {
        for _ in 0..1200 {
            if let Some(status) = self.watch.status().filter(&is_so) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not in time: {:?}", self.watch.status());
    }

    /// Waits until everything is carried that there was at the beginning.
    pub(crate) async fn is_following(&self) {
        self.until(|status| {
            status.phase == Phase::Following && status.nodes.iter().all(|node| node.dirty == 0)
        })
        .await;
    }

    pub(crate) async fn ends_ready(self) -> SyncOutcome {
        let outcome = tokio::time::timeout(Duration::from_secs(120), self.task).await;
        let outcome =
            outcome.unwrap_or_else(|_| panic!("not ready in time: {:?}", self.watch.status())).unwrap();
        assert!(matches!(outcome.end, SyncEnd::Ready), "{outcome:?}");
        assert!(outcome.status.gaps.iter().all(|gap| gap.healed_us.is_some()), "{outcome:?}");
        outcome
    }
}

pub(crate) async fn assert_equal(source: &Access, target: &Access) {
    // Expiries that come while both sides are read would look like differences.
    tokio::time::sleep(Duration::from_millis(100)).await;
    compare::caches(source, target, &Options::default()).await.assert_equal();
}
