//! A live sync: what is carried of what is known to be carried, and how far behind it is.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::{Followed, SyncStatus, TargetMemory};
use indicatif::{HumanBytes, HumanCount, HumanDuration};
use migration::follow::Phase;

use super::pace::{Pace, WINDOW};
use super::{Row, Watched};
use crate::forecast;
use crate::sync::session::Helm;

/// A target's memory grows in steps.
const MEMORY_WINDOW: Duration = Duration::from_secs(30);

/// What is shown of a sync.
pub(crate) struct Following {
    helm: Helm,
    /// Keys of the source at the beginning.
    expected: u64,
    paces: Mutex<BTreeMap<String, Pace>>,
}

impl Following {
    pub(crate) fn new(helm: Helm, expected: u64) -> Following {
        Following { helm, expected, paces: Mutex::default() }
    }

    /// By how much a number grew, and in what time.
    fn grown(&self, what: &str, now: u64, window: Duration) -> (u64, Duration) {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.entry(what.to_owned()).or_insert_with(|| Pace::from(now)).grown(now, window)
    }

    fn per_second(&self, what: &str, now: u64) -> u64 {
        let (grown, over) = self.grown(what, now, WINDOW);
        forecast::per_second(grown, over)
    }

    fn memory(&self, memory: &TargetMemory) -> String {
        let (grown, over) = self.grown(&format!("memory {}", memory.node), memory.used, MEMORY_WINDOW);
        let full = memory.limit.and_then(|limit| forecast::until(memory.used, limit, grown, over));
        format!(
            "{}{}{}",
            HumanBytes(memory.used),
            memory.limit.map(|limit| format!(" of {}", HumanBytes(limit))).unwrap_or_default(),
            full.map(|left| format!(", full in about {}", HumanDuration(left))).unwrap_or_default(),
        )
    }
}

impl Watched for Following {
    fn rows(&self) -> Vec<Row> {
        let Some(status) = self.helm.overview().status() else { return Vec::new() };
        let share = self.expected / (status.nodes.len() as u64).max(1);
        let row = |node: Followed| {
            let name = node.node.to_string();
            let expected = if node.expected > 0 { node.expected } else { share };
            let rate = self.per_second(&name, node.settled);
            Row {
                done: node.settled,
                expected: expected.max(node.settled + node.dirty),
                remark: format!("{} keys/s, {}", HumanCount(rate), behind(node.dirty, node.lag_us)),
                waiting: match node.heard {
                    true => node.waiting,
                    false => Some("its changes are not heard".to_owned()),
                },
                name,
            }
        };
        status.nodes.into_iter().map(row).collect()
    }

    fn remark(&self) -> Option<String> {
        let status = self.helm.overview().status()?;
        let dirty = status.nodes.iter().map(|node| node.dirty).sum();
        let lag_us = status.nodes.iter().map(|node| node.lag_us).max().unwrap_or(0);
        let open = status.gaps.iter().filter(|gap| gap.healed_us.is_none()).count();
        let mut remark = format!(
            "{}, {} changes/s, {}, open gaps: {open}",
            status.phase.name(),
            HumanCount(self.per_second("changes", status.changes)),
            behind(dirty, lag_us),
        );
        if let Some(left) = snapshot_left(&status) {
            remark += &format!(", snapshot {} left", HumanDuration(left));
        }
        if let Some(fullest) = status.target_memory.iter().max_by(|a, b| fullness(a).total_cmp(&fullness(b)))
        {
            remark += &format!(", target {}", self.memory(fullest));
        }
        Some(remark)
    }

    fn ends(&self) -> bool {
        false
    }
}

fn snapshot_left(status: &SyncStatus) -> Option<Duration> {
    let sum = |of: fn(&Followed) -> u64| status.nodes.iter().map(of).sum::<u64>();
    let (listed, expected) = (sum(|node| node.listed), sum(|node| node.expected));
    let under_way = status.phase == Phase::Snapshot;
    under_way.then(|| forecast::until(listed, expected, listed, status.elapsed)).flatten()
}

fn fullness(memory: &TargetMemory) -> f64 {
    memory.limit.map_or(0.0, |limit| memory.used as f64 / limit.max(1) as f64)
}

fn behind(dirty: u64, lag_us: u64) -> String {
    format!("{} dirty, {} ms behind", HumanCount(dirty), lag_us / 1000)
}
