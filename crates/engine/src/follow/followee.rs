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
    /// What its counters say of commands that write.
    pub(crate) writes: Writes,
    /// A lane of it has given up, though the layout may still have the node.
    pub(crate) is_lost: bool,
    /// How its lanes are.
    pub(crate) lanes: Vec<Arc<Mutex<LaneStatus>>>,
    /// Everything that works for it.
    pub(crate) tasks: Vec<AbortHandle>,
}

impl Drop for Followee {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// How often commands that write ran on a node, as seen by looks at its counters.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    count: Option<u64>,
    /// When a look began that first had this count, and when the last one began that had it.
    since_us: u64,
    until_us: u64,
    per_sec: Option<f64>,
}

impl Writes {
    /// A look that began then had this count.
    pub(crate) fn saw(&mut self, us: u64, count: u64) {
        if let Some(before) = self.count
            && us > self.until_us
        {
            let seconds = (us - self.until_us) as f64 / 1e6;
            self.per_sec = Some(count.saturating_sub(before) as f64 / seconds);
        }
        if self.count != Some(count) {
            (self.count, self.since_us) = (Some(count), us);
        }
        self.until_us = us;
    }

    /// How many there were in a second, between the last two looks.
    pub(crate) fn per_sec(&self) -> Option<f64> {
        self.per_sec
    }

    /// For how long it is known that nobody wrote, in microseconds.
    pub(crate) fn still_us(&self) -> u64 {
        self.until_us.saturating_sub(self.since_us)
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

/// What is known of a lane that carries from this node and database.
pub(crate) fn lane_status(node: Node, db: u32) -> Arc<Mutex<LaneStatus>> {
    Arc::new(Mutex::new(LaneStatus {
        node,
        db,
        run_id: None,
        position: ScanPosition::default(),
        total: Tally::default(),
        expected: 0,
        restarts: 0,
        waiting: None,
    }))
}

/// Carries what is marked of one node and database, until it is stopped.
pub(crate) async fn carry(
    run: Arc<Run>,
    status: Arc<Mutex<LaneStatus>>,
    queue: Arc<Queue>,
    clustered: bool,
) -> LaneEnd {
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

#[cfg(test)]
mod tests {
    use super::Writes;

    #[test]
    fn nobody_wrote_between_two_looks_with_one_count() {
        let mut writes = Writes::default();
        writes.saw(1_000, 5);
        assert_eq!(writes.still_us(), 0);
        writes.saw(2_000, 5);
        writes.saw(3_000, 5);
        assert_eq!(writes.still_us(), 2_000);
        assert_eq!(writes.per_sec(), Some(0.0));
        writes.saw(4_000, 6);
        assert_eq!((writes.still_us(), writes.per_sec()), (0, Some(1_000.0)));
    }
}
