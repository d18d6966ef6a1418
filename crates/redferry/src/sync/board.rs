//! What the endpoint shows of a sync.

use std::time::Duration;

use axum::http::StatusCode;
use client::FeedKind;
use engine::{SyncStatus, Watch};
use migration::follow::Phase;
use serde_json::Value;

use super::report;
use crate::endpoint::{Board, Order, Refused};

/// A sync under way.
pub(super) struct SyncBoard {
    pub(super) watch: Watch,
    pub(super) feed: FeedKind,
    pub(super) source: String,
    pub(super) target: String,
}

impl Board for SyncBoard {
    fn document(&self) -> Value {
        let mut document = report::standing(&self.status().unwrap_or_else(nothing_yet), self.feed);
        document.insert("direction".into(), "forward".into());
        document.insert("source".into(), self.source.clone().into());
        document.insert("target".into(), self.target.clone().into());
        document.into()
    }

    fn status(&self) -> Option<SyncStatus> {
        self.watch.status()
    }

    fn readiness(&self) -> Result<(), Vec<String>> {
        let Some(status) = self.status() else { return Err(vec!["the sync has not begun".into()]) };
        let unheard = status.nodes.iter().filter(|node| !node.heard);
        let mut reasons: Vec<String> =
            unheard.map(|node| format!("source {}: its changes are not heard", node.node)).collect();
        let open = status.gaps.iter().filter(|gap| gap.healed_us.is_none());
        reasons.extend(open.map(|gap| {
            let since = gap.since_us / 1_000_000;
            format!("source {}: a gap is open since {since} s: {}", gap.node, gap.reason.name())
        }));
        if reasons.is_empty() && status.phase != Phase::Following {
            reasons.push(format!("the sync is {}", status.phase.name()));
        }
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }

    fn order(&self, _order: Order, _body: Value) -> Result<Value, Refused> {
        Err(Refused { code: StatusCode::CONFLICT, sentence: "not yet".into() })
    }
}

fn nothing_yet() -> SyncStatus {
    SyncStatus {
        phase: Phase::Probing,
        nodes: Vec::new(),
        changes: 0,
        carried: 0,
        removed: 0,
        refused: Default::default(),
        gaps: Vec::new(),
        elapsed: Duration::ZERO,
        target_memory: Vec::new(),
        conditions: Vec::new(),
        quiet_us: 0,
    }
}
