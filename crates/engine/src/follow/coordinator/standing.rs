//! Where the sync stands.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use client::Node;
use migration::follow::{Facts, conditions};

use super::super::followee::Followee;
use super::super::queue::{Numbers, Queue};
use super::super::status::{Followed, SyncStatus};
use super::Coordinator;
use crate::run::lock;

impl Coordinator<'_> {
    pub(in crate::follow) fn status(&self) -> SyncStatus {
        let followed = |(node, followee): (&Node, &Followee)| {
            let settled = |queue: &Arc<Queue>| {
                let numbers = queue.numbers();
                let settled = [&numbers.carried, &numbers.removed, &numbers.equal];
                settled.iter().map(|number| number.load(Ordering::Relaxed)).sum::<u64>()
            };
            let sum = |number: &dyn Fn(&Numbers) -> &AtomicU64| {
                followee.queues.iter().map(|queue| number(queue.numbers()).load(Ordering::Relaxed)).sum()
            };
            let loads: Vec<_> = followee.queues.iter().map(|queue| queue.load()).collect();
            Followed {
                node: node.clone(),
                dirty: loads.iter().map(|(dirty, _)| *dirty as u64).sum(),
                lag_us: loads.iter().map(|(_, lag_us)| *lag_us).max().unwrap_or(0),
                settled: followee.queues.iter().map(settled).sum(),
                waiting: followee.lanes.iter().find_map(|lane| lock(lane).waiting.clone()),
                heard: followee.unheard_since.is_none(),
                listed: sum(&|numbers| &numbers.listed),
                expected: sum(&|numbers| &numbers.expected),
            }
        };
        let mut counts = self.past.clone();
        self.queues().for_each(|queue| counts.add(queue));
        let nodes: Vec<Followed> = self.nodes.iter().map(followed).collect();
        let (dirty, quiet_us) = (nodes.iter().map(|node| node.dirty).sum(), self.quiet_us());
        let facts = Facts {
            dirty,
            lag_us: nodes.iter().map(|node| node.lag_us).max().unwrap_or(0),
            quiet: self
                .wanted
                .as_ref()
                .is_some_and(|wanted| u128::from(quiet_us) >= wanted.quiet.as_micros()),
        };
        SyncStatus {
            phase: self.follow.phase(),
            nodes,
            changes: counts.changes,
            carried: counts.carried,
            removed: counts.removed,
            refused: counts.refused,
            lacking: self.queues().map(|queue| queue.lacking().count()).sum(),
            incompatible: self.queues().map(|queue| queue.lacking().incompatible()).sum(),
            gaps: self.follow.gaps().to_vec(),
            target_memory: lock(&self.target_memory).clone(),
            conditions: conditions(&self.follow, &facts),
            quiet_us,
            writes_per_sec: self.nodes.values().map(|followee| followee.writes.per_sec()).sum(),
            elapsed: self.began.elapsed(),
        }
    }
}
