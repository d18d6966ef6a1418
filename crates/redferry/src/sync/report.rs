//! What a sync came to, for people and for scripts.

use engine::{SyncEnd, SyncOutcome, SyncStatus};
use indicatif::HumanCount;
use migration::follow::{Gap, Phase};
use serde_json::{Map, Value, json};

use super::direction::Direction;
use crate::printable::printable;
use crate::report::{examples, line, used};
use crate::usage::Usage;

/// What is known of a sync at any time. The fields are those that scripts rely on; names never change once published.
pub(super) fn running(status: &SyncStatus) -> Value {
    let nodes: Vec<Value> = status
        .nodes
        .iter()
        .map(|node| {
            json!({
                "node": node.node.to_string(),
                "heard": node.heard,
                "waiting": node.waiting,
                "dirty": node.dirty,
                "lag_ms": node.lag_us / 1000,
                "keys_settled": node.settled,
                "snapshot_listed": node.listed,
                "snapshot_expected": node.expected,
            })
        })
        .collect();
    let gaps: Vec<Value> = status
        .gaps
        .iter()
        .map(|gap| {
            json!({
                "node": gap.node,
                "reason": gap.reason.name(),
                "since_ms": gap.since_us / 1000,
                "healed_ms": gap.healed_us.map(|us| us / 1000),
            })
        })
        .collect();
    let refused: Map<String, Value> =
        status.refused.iter().map(|(cause, keys)| (cause.name().to_owned(), (*keys).into())).collect();
    let remedies: Map<String, Value> =
        status.refused.keys().map(|cause| (cause.name().to_owned(), cause.remedy().into())).collect();
    let memory: Vec<Value> = status
        .target_memory
        .iter()
        .map(|one| json!({ "node": one.node.to_string(), "used_bytes": one.used, "limit_bytes": one.limit }))
        .collect();
    let conditions: Vec<Value> = status
        .conditions
        .iter()
        .map(|one| json!({ "name": one.name, "met": one.met, "text": one.text }))
        .collect();
    json!({
        "phase": status.phase.name(),
        "nodes": nodes,
        "changes": status.changes,
        "keys_carried": status.carried,
        "keys_removed": status.removed,
        "refused": refused,
        "remedies": remedies,
        "lacking": status.lacking,
        "incompatible": status.incompatible,
        "gaps": gaps,
        "target_memory": memory,
        "conditions": conditions,
        "quiet_ms": status.quiet_us / 1000,
        "writes_per_sec": status.writes_per_sec.map(|writes| (writes * 10.0).round() / 10.0),
        "elapsed_ms": status.elapsed.as_millis() as u64,
    })
}

/// The same at the end.
pub(super) fn document(outcome: &SyncOutcome, usage: Usage, show_keys: bool) -> Value {
    let mut document = running(&outcome.status);
    if let Value::Object(document) = &mut document {
        document.insert("ready".into(), matches!(outcome.end, SyncEnd::Ready).into());
        document.insert("cpu_ms".into(), usage.cpu_ms.into());
        document.insert("peak_rss_bytes".into(), usage.peak_rss_bytes.into());
        document.insert("ttl_error_bound_ms".into(), outcome.ttl_error_ms.into());
        if show_keys {
            document.insert("examples".into(), examples(&outcome.examples).into());
        }
    }
    document
}

/// The same for the terminal.
pub(super) fn text(outcome: &SyncOutcome, usage: Usage, show_keys: bool) -> String {
    let status = &outcome.status;
    let mut out = String::new();
    line(
        &mut out,
        "carried",
        &format!(
            "{} keys written, {} removed, {} changes heard in {:.1} s",
            HumanCount(status.carried),
            HumanCount(status.removed),
            HumanCount(status.changes),
            status.elapsed.as_secs_f64(),
        ),
    );
    if status.lacking > 0 {
        line(
            &mut out,
            "lacking",
            &format!("{} keys, refused when they were last tried", HumanCount(status.lacking)),
        );
    }
    for (cause, times) in &status.refused {
        line(&mut out, "refused", &format!("{} {}", HumanCount(*times), cause.name()));
        line(&mut out, "", &format!("-> {}", cause.remedy()));
        for key in outcome.examples.get(cause).into_iter().flatten().filter(|_| show_keys) {
            line(&mut out, "", &format!("   {}", printable(key)));
        }
    }
    for gap in &status.gaps {
        line(&mut out, "gap", &gap_text(gap));
    }
    line(&mut out, "TTL", &format!("exact within {} ms", outcome.ttl_error_ms.max(1)));
    line(&mut out, "redferry", &used(usage));
    out
}

fn gap_text(gap: &Gap) -> String {
    let since = gap.since_us as f64 / 1e6;
    match gap.healed_us {
        Some(healed) => format!(
            "{} {} at {since:.1} s, healed after {:.1} s",
            gap.node,
            gap.reason.name(),
            healed.saturating_sub(gap.since_us) as f64 / 1e6,
        ),
        None => format!("{} {} at {since:.1} s, open", gap.node, gap.reason.name()),
    }
}

/// Whether the side that keys went to may take over, or what is missing.
pub(super) fn last_line(outcome: &SyncOutcome, direction: Direction) -> String {
    let status = &outcome.status;
    let side = match direction {
        Direction::Forward => "target",
        Direction::Back => "source",
    };
    match &outcome.end {
        SyncEnd::Ready if status.lacking == 0 => format!(
            "\nReady: every change up to now is on the {side}. Stop the writers' connections and switch to it; verify with \
             redferry verify.\n"
        ),
        SyncEnd::Ready => format!(
            "\nReady, but {} keys are not on the {side} as they should be: see refused above. Verify with redferry verify \
             before you switch.\n",
            HumanCount(status.lacking)
        ),
        SyncEnd::Halted(_) => format!("\nNot ready: {}.\n", missing(status)),
    }
}

/// What keeps the target from taking over.
fn missing(status: &SyncStatus) -> String {
    let mut missing = Vec::new();
    match status.phase {
        Phase::Probing => missing.push("not every node of the source was heard yet".to_owned()),
        Phase::Snapshot => missing.push("not every key was carried once yet".to_owned()),
        Phase::Healing => missing.push("what changed in a gap is not carried yet".to_owned()),
        Phase::Following => {}
    }
    let open = status.gaps.iter().filter(|gap| gap.healed_us.is_none()).count();
    if open > 0 {
        missing.push(format!("gaps that are open: {open}"));
    }
    let dirty: u64 = status.nodes.iter().map(|node| node.dirty).sum();
    if dirty > 0 {
        missing.push(format!("changed keys that wait: {}", HumanCount(dirty)));
    }
    if missing.is_empty() {
        missing.push(
            "it followed until it was stopped, and nobody waited for the last changes; --until-quiet does"
                .to_owned(),
        );
    }
    missing.join("; ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine::Halt;

    use super::*;

    fn outcome(end: SyncEnd, phase: Phase) -> SyncOutcome {
        let status = SyncStatus {
            phase,
            nodes: Vec::new(),
            changes: 3,
            carried: 2,
            removed: 1,
            refused: Default::default(),
            lacking: 0,
            incompatible: 0,
            gaps: Vec::new(),
            target_memory: Vec::new(),
            conditions: Vec::new(),
            quiet_us: 0,
            writes_per_sec: None,
            elapsed: Duration::from_secs(2),
        };
        SyncOutcome { end, status, ttl_error_ms: 0, examples: Default::default() }
    }

    #[test]
    fn the_last_line_says_whether_to_switch_or_what_is_missing() {
        let ready = last_line(&outcome(SyncEnd::Ready, Phase::Following), Direction::Forward);
        assert!(ready.starts_with("\nReady:") && ready.contains("on the target"), "{ready}");
        let back = last_line(&outcome(SyncEnd::Ready, Phase::Following), Direction::Back);
        assert!(back.contains("on the source"), "{back}");
        let snapshot = last_line(&outcome(SyncEnd::Halted(Halt::Asked), Phase::Snapshot), Direction::Forward);
        assert!(snapshot.contains("Not ready: not every key was carried"), "{snapshot}");
        let following =
            last_line(&outcome(SyncEnd::Halted(Halt::Asked), Phase::Following), Direction::Forward);
        assert!(following.contains("--until-quiet"), "{following}");
    }
}
