//! Where a sync stands, and how it ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::Node;
use migration::follow::{Condition, Gap, Phase};
use migration::tally::Cause;

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
    /// Whether its feed is heard.
    pub heard: bool,
    /// Keys that its first comparison has listed.
    pub listed: u64,
    /// Keys that it had when that began.
    pub expected: u64,
}

/// Memory of a node of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetMemory {
    /// The node.
    pub node: Node,
    /// What it uses, in bytes.
    pub used: u64,
    /// What it may use, in bytes, where it has a limit and tells it.
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
    /// Times when it was not known what changed, healed ones too.
    pub gaps: Vec<Gap>,
    /// Time since it began.
    pub elapsed: Duration,
    /// Memory of the target's nodes.
    pub target_memory: Vec<TargetMemory>,
    /// What the cut-over depends on.
    pub conditions: Vec<Condition>,
    /// How long no change was heard, in microseconds.
    pub quiet_us: u64,
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
#[derive(Debug, Clone, Default)]
pub struct Watch {
    status: Arc<Mutex<Option<SyncStatus>>>,
}

impl Watch {
    /// Where it stands; `None` before it has begun.
    pub fn status(&self) -> Option<SyncStatus> {
        lock(&self.status).clone()
    }

    pub(super) fn show(&self, status: SyncStatus) {
        *lock(&self.status) = Some(status);
    }
}
