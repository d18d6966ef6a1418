//! What keys on different shards forbid.

use super::super::Severity;
use super::{Finding, Known};
use crate::ClusteringPolicy;
use crate::sku::Module;

/// Commands that always name several keys and want them in one slot, under both clustering policies.
const ONE_SLOT: &[&str] = &[
    "MSETNX",
    "BITOP",
    "COPY",
    "RENAME",
    "RENAMENX",
    "SMOVE",
    "RPOPLPUSH",
    "BRPOPLPUSH",
    "LMOVE",
    "BLMOVE",
    "PFMERGE",
    "SINTER",
    "SINTERSTORE",
    "SUNION",
    "SUNIONSTORE",
    "SDIFF",
    "SDIFFSTORE",
    "ZUNIONSTORE",
    "ZINTERSTORE",
    "ZRANGESTORE",
    "ZUNION",
    "ZINTER",
    "ZDIFF",
    "ZDIFFSTORE",
];
/// The Enterprise policy takes these apart itself.
const ANY_SLOT_FOR_ENTERPRISE: &[&str] = &["MGET", "MSET"];
const SCRIPTS: &[&str] = &["EVAL", "EVALSHA", "FCALL"];
const TRANSACTIONS: &[&str] = &["MULTI", "EXEC", "WATCH"];

const HASH_TAG: &str =
    "keys that belong together get a common hash tag ({...}), or the database stays without clustering";

/// How much it matters that keys must share a slot. None where they do already: a cluster would refuse anything else.
fn severity(known: &Known<'_>) -> Option<Severity> {
    match known.policy {
        _ if known.inventory.is_clustered() => None,
        ClusteringPolicy::NoCluster => Some(Severity::Note),
        ClusteringPolicy::OSSCluster | ClusteringPolicy::EnterpriseCluster => Some(Severity::Warning),
    }
}

/// What the policy means for keys of several slots.
fn consequence(known: &Known<'_>) -> &'static str {
    match known.policy {
        ClusteringPolicy::NoCluster => "without clustering that stays as it is",
        _ => "keys of different slots are answered CROSSSLOT",
    }
}

fn tagged(known: &Known<'_>) -> String {
    let sample = known.live().and_then(|live| live.sample.as_ref()).filter(|sample| sample.keys > 0);
    sample.map_or(String::new(), |sample| {
        format!("; {} of {} keys looked at have a hash tag", sample.hash_tagged, sample.keys)
    })
}

fn keys_must_share(
    known: &Known<'_>,
    id: &'static str,
    title: &str,
    used: &str,
    remedy: &str,
) -> Option<Finding> {
    let severity = severity(known)?;
    let evidence = format!("{used}; {}{}", consequence(known), tagged(known));
    Some(Finding::new(id, severity, title, evidence, remedy))
}

pub(super) fn multi_key(known: &Known<'_>) -> Option<Finding> {
    let mut commands = ONE_SLOT.to_vec();
    if known.policy != ClusteringPolicy::EnterpriseCluster {
        commands.extend(ANY_SLOT_FOR_ENTERPRISE);
    }
    let used = known.live()?.used(&commands)?;
    keys_must_share(known, "multi_key", "Commands that name several keys", &used, HASH_TAG)
}

pub(super) fn transactions(known: &Known<'_>) -> Option<Finding> {
    let used = known.live()?.used(TRANSACTIONS)?;
    keys_must_share(known, "transactions", "Transactions over keys of several slots", &used, HASH_TAG)
}

pub(super) fn scripts(known: &Known<'_>) -> Option<Finding> {
    let used = known.live()?.used(SCRIPTS)?;
    let remedy = format!(
        "{HASH_TAG}; every key must be declared in KEYS, since a script that touches others acts on the wrong shard and \
         nothing says so; loaded scripts are not carried over"
    );
    keys_must_share(known, "lua_scripts", "Lua scripts over keys of several slots", &used, &remedy)
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
