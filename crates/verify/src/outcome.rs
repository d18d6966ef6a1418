//! What a comparison came to, and how far one is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use client::{Node, Side};
use serde::{Deserialize, Serialize};

use crate::halt::Halt;

/// A way in which a key can differ, or why nothing can be said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Only the source has it.
    Missing,
    /// Only the target has it.
    Extra,
    /// Both have it, with other types.
    Type,
    /// Another value (or, at level quick, another size).
    Value,
    /// Another time to live, of the key or of a field.
    Ttl,
    /// Another state of a stream's groups.
    Group,
    /// It changed as long as it was looked at, and was never equal.
    Unstable,
    /// A side would not show it.
    NotCompared,
}

impl Kind {
    /// All of them, in the order of reports.
    pub const ALL: [Kind; 8] = [
        Kind::Missing,
        Kind::Extra,
        Kind::Type,
        Kind::Value,
        Kind::Ttl,
        Kind::Group,
        Kind::Unstable,
        Kind::NotCompared,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Missing => "missing",
            Kind::Extra => "extra",
            Kind::Type => "type",
            Kind::Value => "value",
            Kind::Ttl => "ttl",
            Kind::Group => "group",
            Kind::Unstable => "unstable",
            Kind::NotCompared => "not_compared",
        }
    }
}

/// How many keys of each kind.
pub type PrefixCounts = BTreeMap<Kind, u64>;

/// What was counted. A key with two kinds of difference counts in both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Keys of the source that are meant, as SCAN listed them.
    pub keys_source: u64,
    /// Keys of the target that are meant, as SCAN listed them.
    pub keys_target: u64,
    /// Keys of the source that were looked at on both sides.
    pub keys_compared: u64,
    /// Keys by kind of difference, as they were found, repaired or not.
    pub found: PrefixCounts,
    /// Keys that differ in any way, as they were found; unstable and not compared ones are not among them.
    pub keys_differing: u64,
    /// Keys that differed and were equal after a repair.
    pub repaired: u64,
    /// Keys that were looked at more than once.
    pub rechecked: u64,
    /// Keys that were judged after two looks instead of several, because too many differed at once to keep them all.
    pub hurried: u64,
    /// Why keys were not compared, by reason.
    pub reasons: BTreeMap<String, u64>,
}

impl Counts {
    /// Keys of one kind.
    pub fn of(&self, kind: Kind) -> u64 {
        self.found.get(&kind).copied().unwrap_or(0)
    }

    /// Whether something is left that is not, or may not be, equal.
    pub fn is_clean(&self) -> bool {
        self.keys_differing == self.repaired
            && self.of(Kind::Unstable) == 0
            && self.of(Kind::NotCompared) == 0
    }
}

/// A key that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// How.
    pub kind: Kind,
    /// Database: the source's, for an extra key the target's.
    pub db: u32,
    /// Name: the source's, for an extra key the target's.
    #[serde(with = "crate::bytes_as_text")]
    pub key: Vec<u8>,
}

/// What a comparison came to.
#[derive(Debug)]
pub struct Outcome {
    /// What was counted, in this run and the ones it resumed.
    pub counts: Counts,
    /// Keys that differ, as many of each kind as asked for.
    pub examples: Vec<Example>,
    /// Differences by the beginning of the name, up to the first `:` or similar; those of names beyond the first
    /// few hundred different beginnings are under the empty one.
    pub prefixes: BTreeMap<Vec<u8>, PrefixCounts>,
    /// No expiry was compared with a larger error of measurement, in milliseconds; 0 when none was compared.
    pub ttl_error_bound_ms: u64,
    /// Whether the state of an earlier run was taken up.
    pub resumed: bool,
    /// How often a scan began anew because the process behind a node changed.
    pub restarts: u32,
    /// Time of this run and the ones it resumed.
    pub elapsed: Duration,
    /// Time of this run alone.
    pub elapsed_here: Duration,
    /// Why it ended before it was done.
    pub halt: Option<Halt>,
}

/// How far the scan of one node and database is.
#[derive(Debug, Clone)]
pub struct LaneStatus {
    /// Source or target.
    pub side: Side,
    /// The node that is listed.
    pub node: Node,
    /// The database that is listed.
    pub db: u32,
    /// Keys listed and, on the source, compared.
    pub keys: u64,
    /// Keys expected, from DBSIZE at the beginning.
    pub expected: u64,
    /// Why nothing moves, where that is so.
    pub waiting: Option<String>,
}

/// A comparison under way, for whoever shows its progress.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    lanes: Arc<Mutex<Vec<LaneStatus>>>,
    suspects: Arc<Mutex<u64>>,
}

impl Progress {
    /// How far each scan is.
    pub fn lanes(&self) -> Vec<LaneStatus> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keys that seem to differ and are to be looked at again.
    pub fn suspects(&self) -> u64 {
        *self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_lanes(&self, lanes: Vec<LaneStatus>) {
        *self.lanes.lock().unwrap_or_else(PoisonError::into_inner) = lanes;
    }

    pub(crate) fn change_lane(&self, index: usize, change: impl FnOnce(&mut LaneStatus)) {
        if let Some(lane) = self.lanes.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
            change(lane);
        }
    }

    pub(crate) fn set_suspects(&self, suspects: u64) {
        *self.suspects.lock().unwrap_or_else(PoisonError::into_inner) = suspects;
    }
}
