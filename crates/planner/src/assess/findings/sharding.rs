//! What keys on different shards forbid.

use super::super::Severity;
use super::{Finding, Known};
use crate::ClusteringPolicy;
use crate::catalog::{MultiKey, Reach};
use crate::sku::Module;

/// Rows of the catalogue that are about several commands.
const TRANSACTIONS: &str = "transactions";
const SCRIPTS: &str = "scripts";

const HASH_TAG: &str =
    "keys that belong together get a common hash tag ({...}), or the database stays without clustering";

/// How much it matters that keys must share a slot. None where they do already: a cluster would refuse anything else.
fn severity(known: &Known<'_>) -> Option<Severity> {
    match known.policy {
        _ if known.inventory.is_clustered() => None,
        ClusteringPolicy::NoCluster if !known.in_group() => Some(Severity::Note),
        _ => Some(Severity::Warning),
    }
}

/// What the policy means for keys of several slots.
fn consequence(known: &Known<'_>, row: &MultiKey) -> String {
    match row.reach(known.policy, known.in_group()) {
        Reach::AnySlot => "without clustering that stays as it is".to_owned(),
        reach => reach.meaning().to_owned(),
    }
}

fn tagged(known: &Known<'_>) -> String {
    let sample = known.live().and_then(|live| live.sample.as_ref()).filter(|sample| sample.keys > 0);
    sample.map_or(String::new(), |sample| {
        format!("; {} of {} keys looked at have a hash tag", sample.hash_tagged, sample.keys)
    })
}

/// Whether keys that a row's commands name would have to be chosen with care, now or under the other policies.
fn matters(known: &Known<'_>, row: &MultiKey) -> bool {
    let forbids = |reach| matches!(reach, Reach::OneSlot | Reach::Partial | Reach::NotInMulti);
    match row.reach(known.policy, known.in_group()) {
        Reach::AnySlot if known.policy == ClusteringPolicy::NoCluster => forbids(row.oss_cluster),
        reach => forbids(reach),
    }
}

/// Commands of a row that were called: those that name several keys, and those that often name one.
fn called(known: &Known<'_>, row: &MultiKey) -> (Option<String>, Option<String>) {
    let of =
        |commands: &[String]| known.live()?.used(&commands.iter().map(String::as_str).collect::<Vec<_>>());
    (of(&row.commands), of(&row.often_one_key))
}

/// Keys of one command. Commands that as often as not name one key are only to be known.
pub(super) fn multi_key(known: &Known<'_>) -> Option<Finding> {
    let severity = severity(known)?;
    let (mut several, mut perhaps) = (Vec::new(), Vec::new());
    let rows = known.catalog.multikey.rows.iter();
    for row in rows.filter(|row| !matches!(row.id.as_str(), TRANSACTIONS | SCRIPTS) && matters(known, row)) {
        let (of_several, of_one) = called(known, row);
        several.extend(of_several.map(|used| format!("{used}: {}", consequence(known, row))));
        perhaps.extend(of_one.filter(|_| severity != Severity::Note));
    }
    let severity = if several.is_empty() { Severity::Note } else { severity };
    if !perhaps.is_empty() {
        several.push(format!("{}: the same where they name several keys", perhaps.join(", ")));
    }
    (!several.is_empty()).then(|| {
        let evidence = format!("{}{}", several.join("; "), tagged(known));
        Finding::new("multi_key", severity, "Commands that name several keys", evidence, HASH_TAG)
    })
}

/// Keys of several commands that belong together.
fn together(known: &Known<'_>, id: &'static str, row: &str, title: &str, remedy: &str) -> Option<Finding> {
    let severity = severity(known)?;
    let row = known.catalog.multikey.rows.iter().find(|found| found.id == row)?;
    let used = called(known, row).0.filter(|_| matters(known, row))?;
    let evidence = format!("{used}; {}{}", consequence(known, row), tagged(known));
    Some(Finding::new(id, severity, title, evidence, remedy))
}

pub(super) fn transactions(known: &Known<'_>) -> Option<Finding> {
    let title = "Transactions over keys of several slots";
    together(known, "transactions", TRANSACTIONS, title, HASH_TAG)
}

pub(super) fn scripts(known: &Known<'_>) -> Option<Finding> {
    let remedy = format!(
        "{HASH_TAG}; every key must be declared in KEYS, since a script that touches others acts on the wrong shard and \
         nothing says so; loaded scripts are not carried over"
    );
    together(known, "lua_scripts", SCRIPTS, "Lua scripts over keys of several slots", &remedy)
}

pub(super) fn not_cluster_aware(known: &Known<'_>) -> Option<Finding> {
    let large = known.policy != ClusteringPolicy::NoCluster;
    let aware = known.inventory.wishes.cluster_aware;
    if !large || aware == Some(true) || (known.inventory.is_clustered() && aware.is_none()) {
        return None;
    }
    let clients = known.live().and_then(|live| live.clients.as_ref());
    let seen = clients.map_or("connections were not read".to_owned(), |clients| {
        let libraries: Vec<&str> = clients.libraries.keys().map(String::as_str).collect();
        let libraries = if libraries.is_empty() {
            "which do not tell their libraries".into()
        } else {
            libraries.join(", ")
        };
        format!("{} connections, {libraries}", clients.count)
    });
    let said = if aware == Some(false) {
        "said not to be"
    } else {
        "the source is not clustered, so nothing shows it"
    };
    Some(Finding::new(
        "clients_not_cluster_aware",
        Severity::Warning,
        "The target is clustered, and the clients may not be cluster-aware",
        format!("{seen}; {said}"),
        "the OSS policy needs cluster mode in every client; queues such as Sidekiq, BullMQ, Celery or Hangfire have none or \
         need a hash tag; the Enterprise policy takes any client",
    ))
}

pub(super) fn search_policy(known: &Known<'_>) -> Option<Finding> {
    let wished = known.inventory.wishes.modules.contains(&Module::Search);
    let used = known.live().and_then(|live| {
        let calls = live
            .commands
            .iter()
            .filter(|(name, _)| name.starts_with("FT."))
            .fold(0, |sum: u64, (_, calls)| sum.saturating_add(*calls));
        (calls > 0).then(|| format!("FT.* {calls} times"))
    });
    if !wished && used.is_none() {
        return None;
    }
    Some(Finding::new(
        "search_policy",
        if known.policy == ClusteringPolicy::EnterpriseCluster { Severity::Note } else { Severity::Blocker },
        "RediSearch works under the Enterprise policy only, with NoEviction",
        used.unwrap_or_else(|| "the module was asked for".into()),
        "plan with --modules search: Enterprise policy, NoEviction, and not the Flash series",
    ))
}
