//! One node while it is followed: its queues, and the tasks that listen to it, carry from it and compare it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use client::{Error, Node};
use migration::pages::ScanPosition;
use migration::tally::{Cause, Tally};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::Queue;
use super::hearing::Barrier;
use super::witness::Witness;
use crate::lane::{Lane, LaneEnd};
use crate::run::{LaneStatus, Run};

/// A node that is followed. One that is followed anew is another one: what was told of it before does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Following {
    pub(crate) node: Node,
    pub(crate) number: u64,
}

pub(crate) struct Followee {
    pub(crate) number: u64,
    pub(crate) queues: Vec<Arc<Queue>>,
    pub(crate) barriers: mpsc::UnboundedSender<Barrier>,
    pub(crate) witness: Witness,
    /// Its feed is not heard since then.
    pub(crate) unheard_since: Option<Instant>,
    /// Why, where that is known.
    pub(crate) unheard: Option<Error>,
    /// A lane of it has given up, though the layout may still have the node.
    pub(crate) is_lost: bool,
    /// Everything that works for it.
    pub(crate) tasks: Vec<AbortHandle>,
}

impl Drop for Followee {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// What became of changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) changes: u64,
    pub(crate) carried: u64,
    pub(crate) removed: u64,
    pub(crate) refused: BTreeMap<Cause, u64>,
}

impl Counts {
    pub(crate) fn add(&mut self, queue: &Queue) {
        let numbers = queue.numbers();
        self.changes += numbers.marked.load(Ordering::Relaxed);
        self.carried += numbers.carried.load(Ordering::Relaxed);
        self.removed += numbers.removed.load(Ordering::Relaxed);
        for (cause, count) in queue.refusals() {
            *self.refused.entry(cause).or_default() += count;
        }
    }
}

/// Carries what is marked of one node and database, until it is stopped.
pub(crate) async fn carry(run: Arc<Run>, node: Node, queue: Arc<Queue>, clustered: bool) -> LaneEnd {
    let status = Arc::new(Mutex::new(LaneStatus {
        node,
        db: queue.db(),
        run_id: None,
        position: ScanPosition::default(),
        total: Tally::default(),
        expected: 0,
        restarts: 0,
        waiting: None,
    }));
    if !run.fence.holds() {
        // The lane before this one, if there was one, may have sent what comes late.
        queue.all_once_more_after(run.options.late_writes);
    }
    let end = match Lane::open_patiently(&run, &status, clustered).await {
        Ok(lane) => lane.of_followed(Arc::clone(&queue)).work().await,
        Err(end) => end,
    };
    // Nobody makes room in it any more, and whoever waits for that would hide why.
    queue.close();
    end
}
