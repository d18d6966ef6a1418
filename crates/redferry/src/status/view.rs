//! How a sync stands, for people.

use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::document::{Document, Memory, Node};
use crate::forecast;
use crate::report::line;

/// More healed gaps are counted only.
const GAPS_SHOWN: usize = 5;

/// The document at one moment.
pub(super) struct Look {
    pub(super) at: Instant,
    pub(super) document: Document,
}

/// How it stands at the newer look, and how fast it went since the older one; since it began if both are the same.
pub(super) fn text(older: &Look, newer: &Look) -> String {
    let now = &newer.document;
    let mut out = String::new();
    let elapsed = Duration::from_millis(now.elapsed_ms);
    line(
        &mut out,
        "phase",
        &format!("{}, {}, for {}, feed: {}", now.phase, now.direction, HumanDuration(elapsed), now.feed),
    );
    line(&mut out, "way", &format!("{} -> {}", now.source, now.target));
    line(
        &mut out,
        "keys",
        &format!(
            "{} written, {} removed, {} changes heard",
            HumanCount(now.keys_carried),
            HumanCount(now.keys_removed),
            HumanCount(now.changes),
        ),
    );
    let since = Since { older, newer };
    for node in &now.nodes {
        line(&mut out, "node", &since.node(node));
        if let Some(why) = &node.waiting {
            line(&mut out, "waiting", why);
        }
    }
    if let Some(snapshot) = since.snapshot() {
        line(&mut out, "snapshot", &snapshot);
    }
    gaps(&mut out, now);
    for (cause, times) in &now.refused {
        line(&mut out, "refused", &format!("{} {cause}", HumanCount(*times)));
    }
    for memory in &now.target_memory {
        line(&mut out, "target", &since.memory(memory));
    }
    for (name, met) in [("met", true), ("not met", false)] {
        for condition in now.conditions.iter().filter(|condition| condition.met == met) {
            line(&mut out, name, &condition.text);
        }
    }
    out
}

/// Gaps that are open, and the last ones that healed.
fn gaps(out: &mut String, now: &Document) {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let mut healed = Vec::new();
    for gap in &now.gaps {
        let what = format!("{} {} at {:.1} s", gap.node, gap.reason, seconds(gap.since_ms));
        match gap.healed_ms {
            None => line(out, "open gap", &what),
            Some(ms) => {
                healed.push(format!("{what}, after {:.1} s", seconds(ms.saturating_sub(gap.since_ms))));
            }
        }
    }
    let left_out = healed.len().saturating_sub(GAPS_SHOWN);
    if left_out > 0 {
        line(out, "healed gaps", &format!("{left_out} before these"));
    }
    for gap in &healed[left_out..] {
        line(out, "healed gap", gap);
    }
}

struct Since<'a> {
    older: &'a Look,
    newer: &'a Look,
}

impl Since<'_> {
    /// By how much something grew, and in what time.
    fn grown(&self, now: u64, then: impl Fn(&Document) -> Option<u64>) -> (u64, Duration) {
        let over = self.newer.at - self.older.at;
        match then(&self.older.document) {
            Some(then) if !over.is_zero() => (now.saturating_sub(then), over),
            _ => (now, Duration::from_millis(self.newer.document.elapsed_ms)),
        }
    }

    fn node(&self, node: &Node) -> String {
        let then = |document: &Document| {
            document.nodes.iter().find(|then| then.node == node.node).map(|then| then.keys_settled)
        };
        let (grown, over) = self.grown(node.keys_settled, then);
        format!(
            "{}  {} keys/s, {} dirty, {} ms behind{}",
            node.node,
            HumanCount(forecast::per_second(grown, over)),
            HumanCount(node.dirty),
            node.lag_ms,
            if node.heard { "" } else { ", NOT HEARD" },
        )
    }

    fn snapshot(&self) -> Option<String> {
        let sum = |document: &Document, of: fn(&Node) -> u64| document.nodes.iter().map(of).sum::<u64>();
        let listed = |document: &Document| sum(document, |node| node.snapshot_listed);
        let now = &self.newer.document;
        let (done, expected) = (listed(now), sum(now, |node| node.snapshot_expected));
        if now.phase != "snapshot" {
            return None;
        }
        let (grown, over) = self.grown(done, |document| Some(listed(document)));
        let left = forecast::until(done, expected, grown, over);
        Some(format!(
            "{} of about {} keys listed{}",
            HumanCount(done),
            HumanCount(expected),
            left.map(|left| format!(", about {} left", HumanDuration(left))).unwrap_or_default(),
        ))
    }

    fn memory(&self, memory: &Memory) -> String {
        let then = |document: &Document| {
            document.target_memory.iter().find(|then| then.node == memory.node).map(|then| then.used_bytes)
        };
        // What it used before the sync is unknown, so one look tells nothing about growth.
        let (grown, over) = match self.newer.at == self.older.at {
            true => (0, Duration::ZERO),
            false => self.grown(memory.used_bytes, then),
        };
        let limit = match memory.limit_bytes {
            Some(limit) => format!(" of {}", HumanBytes(limit)),
            None => ", and does not tell its limit".to_owned(),
        };
        let full =
            memory.limit_bytes.and_then(|limit| forecast::until(memory.used_bytes, limit, grown, over));
        format!(
            "{}  {}{limit}{}",
            memory.node,
            HumanBytes(memory.used_bytes),
            full.map(|left| format!(", full in about {} at this pace", HumanDuration(left)))
                .unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests;
