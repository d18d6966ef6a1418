//! Where a sync stands, and how it ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::Node;
use migration::follow::{Condition, Gap, Phase};
use migration::recent::Changed;
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
    /// Keys of it that were written to the target, removed there, or found equal.
    pub settled: u64,
    /// Why nothing of it is carried, where that is so.
    pub waiting: Option<String>,
    /// Whether its feed is heard.
    pub heard: bool,
    /// Keys that its latest comparison has listed so far.
    pub listed: u64,
    /// Keys that it had when that began.
    pub expected: u64,
}

/// How full a node of the target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetMemory {
    /// The node.
    pub node: Node,
    /// Bytes used.
    pub used: u64,
    /// Bytes that it may use; `None` where there is no limit, or it is not told.
    pub limit: Option<u64>,
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
    /// Keys that the target does not have as the source has them, since a side refused them when they were last tried.
    pub lacking: u64,
    /// Those of them that the target cannot hold as they are now: its version or its modules have no place for them. It has them as
    /// they were when they last fitted, or not at all. [`Watch::incompatible`] names them.
    pub incompatible: u64,
    /// Times when it was not known what changed, healed ones too.
    pub gaps: Vec<Gap>,
    /// How full the target is.
    pub target_memory: Vec<TargetMemory>,
    /// What has to be true before the target may take over, and whether it is.
    pub conditions: Vec<Condition>,
    /// For how long nobody has written to the source, in microseconds. Keys that expire are no writes.
    pub quiet_us: u64,
    /// Commands that write, a second, over all nodes of the source; `None` where they are not told.
    pub writes_per_sec: Option<f64>,
    /// Time since it began.
    pub elapsed: Duration,
}

impl SyncStatus {
    /// Before anything is known.
    pub fn beginning() -> SyncStatus {
        SyncStatus {
            phase: Phase::Probing,
            nodes: Vec::new(),
            changes: 0,
            carried: 0,
            removed: 0,
            refused: BTreeMap::new(),
            lacking: 0,
            incompatible: 0,
            gaps: Vec::new(),
            target_memory: Vec::new(),
            conditions: Vec::new(),
            quiet_us: 0,
            writes_per_sec: None,
            elapsed: Duration::ZERO,
        }
    }
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
    /// Some of the keys that the target does not take, by cause.
    pub examples: BTreeMap<Cause, Vec<Vec<u8>>>,
}

/// Keys that changed lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedKeys {
    /// Database and name on the source, and how often each changed; the busiest first.
    pub keys: Vec<(u32, Changed)>,
    /// Changes of keys whose names were not kept.
    pub nameless: u64,
    /// Over what time changes were counted: some seconds more than asked for.
    pub counted: Duration,
}

/// A sync under way, for whoever shows it.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    shown: Arc<Mutex<Shown>>,
}

#[derive(Debug, Default)]
struct Shown {
    status: Option<SyncStatus>,
    /// Its queues.
    queues: Vec<Arc<Queue>>,
}

impl Watch {
    /// Where it stands; `None` before it has begun.
    pub fn status(&self) -> Option<SyncStatus> {
        lock(&self.shown).status.clone()
    }

    /// Keys that changed within the last so-and-so long, at most the last five minutes.
    pub fn changed_within(&self, time: Duration) -> ChangedKeys {
        let queues = lock(&self.shown).queues.clone();
        let mut changed = ChangedKeys::default();
        for queue in queues {
            let since_us = queue.now_us().saturating_sub(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
            let recent = queue.recent(since_us);
            changed.keys.extend(recent.keys.into_iter().map(|key| (queue.db(), key)));
            changed.nameless += recent.nameless;
            changed.counted = changed.counted.max(Duration::from_micros(queue.now_us() - recent.from_us));
        }
        changed.keys.sort_by_key(|(_, key)| std::cmp::Reverse(key.count));
        changed
    }

    /// Database and name on the source of at most so many keys that the target cannot hold as they are now, in no order.
    /// Of each node and database ten thousand are known by name.
    pub fn incompatible(&self, most: usize) -> Vec<(u32, Vec<u8>)> {
        let queues = lock(&self.shown).queues.clone();
        let mut keys = Vec::new();
        for queue in queues {
            let lacking = queue.lacking();
            let names = lacking.incompatible_names().take(most - keys.len());
            keys.extend(names.map(|name| (queue.db(), name.to_vec())));
        }
        keys
    }

    pub(super) fn show(&self, status: SyncStatus, queues: Vec<Arc<Queue>>) {
        *lock(&self.shown) = Shown { status: Some(status), queues };
    }
}
