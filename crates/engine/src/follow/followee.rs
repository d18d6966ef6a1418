//! One node while it is followed: its queues, and the tasks that listen to it, carry from it and compare it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use client::{Error, Node};
use migration::follow::Voices;
use migration::pages::ScanPosition;
use migration::tally::{Cause, Tally};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use super::Queue;
use super::hearing::Barrier;
use super::watching::SharedWitness;
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
    /// Which of its feeds are heard.
    pub(crate) voices: Voices,
    /// For each feed.
    pub(crate) barriers: Vec<mpsc::UnboundedSender<Barrier>>,
    pub(crate) witness: SharedWitness,
    /// Told when the groups of its streams have changed.
    pub(crate) groups: Arc<Notify>,
    /// No feed of it is heard since then.
    pub(crate) unheard_since: Option<Instant>,
    /// Why, where that is known.
    pub(crate) unheard: Option<Error>,
    /// The run id of who speaks, where that is told.
    pub(crate) process: Option<String>,
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
    /// When the last of them was heard of.
    pub(crate) changed_us: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, queue: &Queue) {
        let numbers = queue.numbers();
        self.changes += numbers.marked.load(Ordering::Relaxed);
        self.carried += numbers.carried.load(Ordering::Relaxed);
        self.removed += numbers.removed.load(Ordering::Relaxed);
        self.changed_us = self.changed_us.max(queue.changed_us());
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
