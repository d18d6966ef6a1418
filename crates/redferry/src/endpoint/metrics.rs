//! The numbers of a sync in the text format of Prometheus, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! Names are public: dashboards and alerts rely on them. Every reason and cause is there from the beginning, as 0,
//! since a counter that appears with its first count shows no increase.

use std::fmt::{Display, Write};

use engine::SyncStatus;
use migration::follow::{Gap, GapReason, Phase};
use migration::tally::{Cause, Fate};

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics; only whether it is ready before the sync has begun.
pub(super) fn text(status: Option<&SyncStatus>, ready: bool) -> String {
    let mut page = Page::default();
    page.gauge("redferry_ready", "Whether every node is followed and no gap is open.");
    page.sample(&[], u8::from(ready));
    let Some(status) = status else { return page.text };
    page.gauge("redferry_phase", "1 for the phase that the sync is in, 0 for the others.");
    for phase in Phase::ALL {
        page.sample(&[("phase", phase.name())], u8::from(phase == status.phase));
    }
    page.gauge("redferry_elapsed_seconds", "Time since the sync began.");
    page.sample(&[], status.elapsed.as_secs_f64());
    page.gauge("redferry_quiet_seconds", "For how long nobody has written to the source.");
    page.sample(&[], seconds(status.quiet_us));
    page.nodes(status);
    page.counter("redferry_changes_total", "Changes heard of.");
    page.sample(&[], status.changes);
    page.counter("redferry_keys_carried_total", "Keys written to the target.");
    page.sample(&[], status.carried);
    page.counter("redferry_keys_removed_total", "Keys removed from the target.");
    page.sample(&[], status.removed);
    page.counter("redferry_refused_total", "Tries of keys that a side does not take, by cause.");
    for cause in Cause::ALL.iter().filter(|cause| matches!(cause.fate(), Fate::Skipped | Fate::Failed)) {
        page.sample(&[("cause", cause.name())], status.refused.get(cause).copied().unwrap_or(0));
    }
    page.gauge("redferry_lacking_keys", "Keys that a side refused when they were last tried.");
    page.sample(&[], status.lacking);
    page.gauge("redferry_incompatible_keys", "Keys that the target cannot hold as they are now.");
    page.sample(&[], status.incompatible);
    page.gaps(&status.gaps);
    page.target_memory(status);
    page.gauge("redferry_condition_met", "Whether a condition of the cut-over is met.");
    for condition in &status.conditions {
        page.sample(&[("condition", condition.name)], u8::from(condition.met));
    }
    page.text
}

/// The page, and the metric whose samples are written now.
#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    fn nodes(&mut self, status: &SyncStatus) {
        let nodes: Vec<(String, &engine::Followed)> =
            status.nodes.iter().map(|node| (node.node.to_string(), node)).collect();
        self.gauge("redferry_node_heard", "Whether the feed of a node of the source is heard.");
        for (name, node) in &nodes {
            self.sample(&[("node", name)], u8::from(node.heard));
        }
        self.gauge("redferry_dirty_keys", "Changed keys that are not on the target yet.");
        for (name, node) in &nodes {
            self.sample(&[("node", name)], node.dirty);
        }
        self.gauge("redferry_lag_seconds", "How long the oldest change is not on the target.");
        for (name, node) in &nodes {
            self.sample(&[("node", name)], seconds(node.lag_us));
        }
        self.counter("redferry_keys_settled_total", "Keys written to the target or removed there.");
        for (name, node) in &nodes {
            self.sample(&[("node", name)], node.settled);
        }
        self.gauge("redferry_snapshot_listed_keys", "Keys that the first comparison of a node has listed.");
        for (name, node) in &nodes {
            self.sample(&[("node", name)], node.listed);
        }
        self.gauge("redferry_snapshot_expected_keys", "Keys that a node had when that comparison began.");
        for (name, node) in &nodes {
            self.sample(&[("node", name)], node.expected);
        }
    }

    fn gaps(&mut self, gaps: &[Gap]) {
        let count = |reason: GapReason, open: bool| {
            gaps.iter().filter(|gap| gap.reason == reason && (!open || gap.healed_us.is_none())).count()
        };
        self.gauge("redferry_gaps_open", "Times in which keys may have changed unheard, not healed yet.");
        for reason in GapReason::ALL {
            self.sample(&[("reason", reason.name())], count(reason, true));
        }
        self.counter("redferry_gaps_total", "Times in which keys may have changed unheard, healed ones too.");
        for reason in GapReason::ALL {
            self.sample(&[("reason", reason.name())], count(reason, false));
        }
    }

    fn target_memory(&mut self, status: &SyncStatus) {
        self.gauge("redferry_target_memory_used_bytes", "Memory that a node of the target uses.");
        for node in &status.target_memory {
            self.sample(&[("node", &node.node.to_string())], node.used);
        }
        self.gauge("redferry_target_memory_limit_bytes", "Memory that it may use, where it has a limit.");
        for node in &status.target_memory {
            if let Some(limit) = node.limit {
                self.sample(&[("node", &node.node.to_string())], limit);
            }
        }
    }

    fn gauge(&mut self, name: &'static str, help: &str) {
        self.metric(name, "gauge", help);
    }

    fn counter(&mut self, name: &'static str, help: &str) {
        self.metric(name, "counter", help);
    }

    fn metric(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests;
