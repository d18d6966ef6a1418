//! What `GET /status` says, as far as it is shown to people.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Document {
    pub(super) phase: String,
    pub(super) direction: String,
    pub(super) source: String,
    pub(super) target: String,
    pub(super) feed: String,
    pub(super) elapsed_ms: u64,
    pub(super) changes: u64,
    pub(super) keys_carried: u64,
    pub(super) keys_removed: u64,
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) nodes: Vec<Node>,
    pub(super) gaps: Vec<Gap>,
    pub(super) target_memory: Vec<Memory>,
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Node {
    pub(super) node: String,
    pub(super) heard: bool,
    pub(super) waiting: Option<String>,
    pub(super) dirty: u64,
    pub(super) lag_ms: u64,
    pub(super) keys_settled: u64,
    pub(super) snapshot_listed: u64,
    pub(super) snapshot_expected: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Gap {
    pub(super) node: String,
    pub(super) reason: String,
    pub(super) since_ms: u64,
    pub(super) healed_ms: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Memory {
    pub(super) node: String,
    pub(super) used_bytes: u64,
    pub(super) limit_bytes: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Condition {
    pub(super) met: bool,
    pub(super) text: String,
}
