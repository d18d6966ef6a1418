//! Commands in use that the target does not have, has in part, or answers differently.

use super::super::Severity;
use super::super::inventory::times;
use super::{Finding, Known};
use crate::Service;
use crate::catalog::{Condition, Effect, Reach, Situation};

/// Containers whose subcommands Redis 6 does not count, and that applications hardly ever use for what still works.
/// CLIENT, CLUSTER, MEMORY and SCRIPT are left out: libraries use what works of them all the time.
const CONTAINERS: &[&str] = &["ACL", "CONFIG", "LATENCY", "MODULE"];

/// Commands of more than one piece of work for each key of the cache.
const WHOLE_CACHE: &[&str] = &["KEYS"];

struct Used<'a> {
    name: &'a str,
    calls: u64,
    /// What of it works.
    what: &'a str,
    instead: &'a str,
}

fn used<'a>(known: &'a Known<'_>, effect: Effect) -> Vec<Used<'a>> {
    let Some(live) = known.live() else { return Vec::new() };
    let holds = |condition: &Condition| match condition {
        Condition::Policy(policy) => *policy == known.policy,
        Condition::Situation(Situation::Geo) => known.in_group(),
        Condition::Situation(Situation::Clustered) => false,
    };
    let rows = known.catalog.commands.rows.iter();
    rows.filter(|row| row.service == Service::Amr && row.effect == effect)
        .filter(|row| row.when.is_empty() || row.when.iter().any(holds))
        .filter_map(|row| {
            let calls = live.commands.get(&row.command).copied()?;
            let what = row.what.as_deref().unwrap_or("in part");
            Some(Used { name: &row.command, calls, what, instead: &row.instead })
        })
        .collect()
}

/// Commands that see one shard only. A cluster's clients know that already.
fn one_shard<'a>(known: &'a Known<'_>) -> Vec<Used<'a>> {
    let Some(live) = known.live().filter(|_| !known.inventory.is_clustered()) else { return Vec::new() };
    let rows = known.catalog.multikey.rows.iter();
    let rows = rows.filter(|row| row.reach(known.policy, known.in_group()) == Reach::OneShard);
    rows.flat_map(|row| row.all().map(move |name| (name, row)))
        .filter_map(|(name, row)| {
            let calls = live.commands.get(name).copied()?;
            let instead = row.instead.as_deref().unwrap_or_default();
            Some(Used { name, calls, what: Reach::OneShard.meaning(), instead })
        })
        .collect()
}

pub(super) fn blocked(known: &Known<'_>) -> Option<Finding> {
    let used = used(known, Effect::Blocked);
    (!used.is_empty()).then(|| {
        Finding::new(
            "commands_blocked",
            Severity::Blocker,
            "Commands are in use that Azure Managed Redis does not have",
            evidence(&used),
            remedies(&used),
        )
    })
}

pub(super) fn changed(known: &Known<'_>) -> Option<Finding> {
    let mut used = used(known, Effect::Changed);
    used.extend(one_shard(known));
    let mut evidence: Vec<String> =
        used.iter().map(|used| format!("{}: {}", times(used.name, used.calls), used.what)).collect();
    let mut remedy = remedies(&used);
    for container in CONTAINERS {
        let Some(calls) = known.live().and_then(|live| live.commands.get(*container)) else { continue };
        evidence.push(format!(
            "{}: Redis 6 does not count subcommands, and not all of them work there",
            times(container, *calls)
        ));
        if !remedy.is_empty() {
            remedy.push_str("; ");
        }
        remedy.push_str(&format!("look for {container} in the applications"));
        if *container == "CONFIG" {
            remedy.push_str(": what they set belongs on the resource");
        }
    }
    (!evidence.is_empty()).then(|| {
        Finding::new(
            "commands_changed",
            Severity::Warning,
            "Commands are in use that Azure Managed Redis has only in part",
            evidence.join("; "),
            remedy,
        )
    })
}

pub(super) fn keys_command(known: &Known<'_>) -> Option<Finding> {
    let used = known.live()?.used(WHOLE_CACHE)?;
    Some(Finding::new(
        "keys_command",
        Severity::Note,
        "KEYS walks over the whole cache and holds everybody else up",
        used,
        "SCAN instead; under the OSS policy on every node",
    ))
}

pub(super) fn version_changes(known: &Known<'_>) -> Option<Finding> {
    let live = known.live()?;
    let is_six =
        |version: &str| version.split('.').next().and_then(|major| major.parse::<u32>().ok()) < Some(7);
    if !live.nodes.iter().filter_map(|node| node.text("redis_version")).any(is_six) {
        return None;
    }
    let mut evidence: Vec<String> = Vec::new();
    let mut remedy = Vec::new();
    let mut told = None;
    for row in &known.catalog.changes.rows {
        let names: Vec<&str> = row.commands.iter().map(String::as_str).collect();
        if let Some(used) = live.used(&names) {
            let what = format!("since {} {}", row.since, row.what);
            // Rows of the same commands stand one after the other.
            evidence.push(if told.as_ref() == Some(&used) { what } else { format!("{used}: {what}") });
            told = Some(used);
            remedy.push(row.advice.as_str());
        }
    }
    (!evidence.is_empty()).then(|| {
        Finding::new(
            "version_changes",
            Severity::Note,
            "Redis 7.4 behaves differently from Redis 6 for commands in use",
            evidence.join("; "),
            remedy.join("; "),
        )
    })
}

fn evidence(used: &[Used<'_>]) -> String {
    used.iter().map(|used| times(used.name, used.calls)).collect::<Vec<_>>().join(", ")
}

fn remedies(used: &[Used<'_>]) -> String {
    let mut remedies: Vec<String> = Vec::new();
    for used in used {
        let remedy = format!("{}: {}", used.name, used.instead);
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    remedies.join("; ")
}
