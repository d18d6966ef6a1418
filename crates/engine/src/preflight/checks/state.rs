//! Are both caches up, whole and ready?

use client::reply::{ReplyKind, remedy};
use client::{Node, Topology};

use super::{Outcome, Picture};
use crate::preflight::findings::Layout;
use crate::preflight::side::Seen;

/// Clocks further apart than this are worth a word, in milliseconds.
const CLOCKS_APART_MS: f64 = 1000.0;

pub(super) fn reachable(picture: &Picture<'_>) -> Outcome {
    let mut found = Vec::new();
    for seen in [picture.source, picture.target] {
        for error in &seen.unreachable {
            found.push(Outcome::refused(
                error.to_string(),
                "all nodes of a cluster must be reachable from here",
            ));
        }
    }
    for (name, seen) in sides(picture) {
        for (node, kind) in &seen.faults {
            let what = match kind {
                ReplyKind::Loading => "is loading its data",
                ReplyKind::MasterDown => "has lost its primary",
                ReplyKind::MisConf => "refuses writes because it cannot save to disk",
                ReplyKind::NoReplicas => "refuses writes because too few replicas are in sync",
                ReplyKind::Busy => "is busy with a script",
                _ => continue,
            };
            found.push(Outcome::refused(format!("the {name}'s node {node} {what}"), remedy(kind)));
        }
    }
    Outcome::worst_of(found, "all nodes of both sides answer")
}

pub(super) fn cluster_whole(picture: &Picture<'_>) -> Outcome {
    let mut found = Vec::new();
    let mut clusters = 0;
    for (name, seen) in sides(picture) {
        if let Topology::Cluster(map) = &seen.facts.layout {
            clusters += 1;
            if map.unowned() > 0 {
                found.push(Outcome::refused(
                    format!("nobody serves {} of the slots of the {name}'s cluster", map.unowned()),
                    "look at the cache's health in the portal: a shard is missing or failing over",
                ));
            }
        }
        if let Some(node) = node_with(seen, |kind| *kind == ReplyKind::ClusterDown) {
            found.push(Outcome::refused(
                format!("the {name}'s cluster is down, says its node {node}"),
                remedy(&ReplyKind::ClusterDown),
            ));
        }
        let elsewhere = |kind: &ReplyKind| matches!(kind, ReplyKind::Moved { .. });
        if seen.facts.topology == Layout::Single && node_with(seen, elsewhere).is_some() {
            found.push(Outcome::refused(
                format!(
                    "the {name} is a cluster but does not answer CLUSTER SLOTS, so its nodes are unknown"
                ),
                "give this user the right to run CLUSTER SLOTS",
            ));
        }
    }
    Outcome::worst_of(found, if clusters == 0 { "no cluster is involved" } else { "every slot is served" })
}

pub(super) fn replica(picture: &Picture<'_>) -> Outcome {
    let mut found = Vec::new();
    let read_only = node_with(picture.target, |kind| *kind == ReplyKind::ReadOnly).map(ToString::to_string);
    if let Some(node) = read_only.or_else(|| replica_of(picture.target)) {
        found.push(Outcome::refused(
            format!("the target's node {node} is a replica and takes no writes"),
            "give the primary's address: the cache's own host name leads there",
        ));
    }
    if let Some(node) = replica_of(picture.source) {
        found.push(Outcome::note(format!(
            "the source's node {node} is a replica: the latest writes may not have reached it"
        )));
    }
    Outcome::worst_of(found, "both sides are primaries")
}

pub(super) fn clock(picture: &Picture<'_>) -> Outcome {
    match picture.clock_difference_ms {
        None => Outcome::warning(
            "a side does not tell its time, so times to live cannot be converted between the clocks",
            "let this user run TIME",
        ),
        Some(apart) if apart.abs() > CLOCKS_APART_MS => Outcome::note(format!(
            "the target's clock is {:.1} s {} the source's; times to live are converted",
            apart.abs() / 1000.0,
            if apart > 0.0 { "ahead of" } else { "behind" }
        )),
        Some(apart) => Outcome::ok(format!("the clocks are {:.1} ms apart", apart.abs())),
    }
}

fn sides<'a>(picture: &Picture<'a>) -> [(&'static str, &'a Seen); 2] {
    [("source", picture.source), ("target", picture.target)]
}

fn node_with(seen: &Seen, matches: impl Fn(&ReplyKind) -> bool) -> Option<&Node> {
    seen.faults.iter().find(|(_, kind)| matches(kind)).map(|(node, _)| node)
}

fn replica_of(seen: &Seen) -> Option<String> {
    let is_replica = |role: &Option<String>| matches!(role.as_deref(), Some("slave" | "replica"));
    seen.facts.nodes.iter().find(|node| is_replica(&node.role)).map(|node| node.address.clone())
}
