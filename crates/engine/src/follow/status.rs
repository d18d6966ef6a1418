//! Where a sync stands, and how it ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::Node;
use migration::follow::{Gap, Phase};
use migration::tally::Cause;

use super::Queue;
use crate::run::lock;
use crate::stop::Halt;

/// One node that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The node.
    pub node: Node,
    /// Keys that wait to be carried, or are being carried.
    pub dirty: u64,
    /// How long the oldest change is not on the target, in microseconds.
    pub lag_us: u64,
    /// Keys of it that were written to the target, or removed there.
    pub settled: u64,
}

/// Where a sync stands.
#[derive(Debug, Clone)]
pub struct SyncStatus {
    /// Which part of its way it is on.
    pub phase: Phase,
    /// Its nodes.
    pub nodes: Vec<Followed>,
    /// Changes heard of.
    pub changes: u64,
    /// Keys written to the target.
    pub carried: u64,
    /// Keys removed from the target.
    pub removed: u64,
    /// Keys that the target does not take, by cause, each time that they were tried.
    pub refused: BTreeMap<Cause, u64>,
    /// Keys that the target cannot hold as they are now: its version or its modules have no place for them. It has them as
    /// they were when they last fitted, or not at all. [`Watch::incompatible`] names them.
    pub incompatible: u64,
    /// Times when it was not known what changed, healed ones too.
    pub gaps: Vec<Gap>,
    /// Time since it began.
    pub elapsed: Duration,
}

/// How a sync ended.
#[derive(Debug)]
pub enum SyncEnd {
    /// Everything is carried, nobody writes, no gap is open: the target may take over.
    Ready,
    /// Somebody asked for it, or it cannot go on.
    Halted(Halt),
}

/// What a sync came to.
#[derive(Debug)]
pub struct SyncOutcome {
    /// How it ended.
    pub end: SyncEnd,
    /// Where it stood then.
    pub status: SyncStatus,
    /// No expiry was carried with a larger error, in milliseconds.
    pub ttl_error_ms: u32,
}

/// A sync under way, for whoever shows it.
#[derive(Clone, Default)]
pub struct Watch {
    status: Arc<Mutex<Option<SyncStatus>>>,
    queues: Arc<Mutex<Vec<Arc<Queue>>>>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Watch {
    /// Where it stands; `None` before it has begun.
    pub fn status(&self) -> Option<SyncStatus> {
        lock(&self.status).clone()
    }

    /// Database and name on the source of at most so many keys that the target cannot hold as they are now, in no order.
    /// Of each node and database ten thousand are known by name.
    pub fn incompatible(&self, most: usize) -> Vec<(u32, Vec<u8>)> {
        let mut keys = Vec::new();
        for queue in lock(&self.queues).iter() {
            let incompatible = queue.incompatible();
            keys.extend(incompatible.names(most - keys.len()).map(|name| (queue.db(), name.to_vec())));
        }
        keys
    }

    pub(super) fn show(&self, status: SyncStatus, queues: Vec<Arc<Queue>>) {
        *lock(&self.status) = Some(status);
        *lock(&self.queues) = queues;
    }
}
