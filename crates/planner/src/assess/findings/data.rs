//! What the keys are like.

use super::super::{Severity, settings};
use super::{Finding, Known};

/// From here on a key is told of, and from here on it is a warning; bytes.
const BIG: u64 = 10 << 20;
const HUGE: u64 = 100 << 20;
/// Keys without expiry, percent, from which it is told of, and from which it is a warning.
const SOME: u64 = 10;
const MANY: u64 = 50;

pub(super) fn several_databases(known: &Known<'_>) -> Option<Finding> {
    let live = known.live()?;
    let databases = live.databases();
    let beyond = databases.keys().any(|database| *database != 0);
    let connected = live.clients.as_ref().is_some_and(|clients| clients.databases.keys().any(|db| *db != 0));
    if !beyond && !connected {
        return None;
    }
    let mut evidence: Vec<String> =
        databases.iter().map(|(database, (keys, _))| format!("database {database}: {keys} keys")).collect();
    for (database, count) in
        live.clients.iter().flat_map(|clients| &clients.databases).filter(|(db, _)| **db != 0)
    {
        evidence.push(format!("{count} connections in database {database}"));
    }
    Some(Finding::new(
        "several_databases",
        Severity::Blocker,
        "Several databases: Azure Managed Redis has database 0 only",
        evidence.join(", "),
        "put a prefix before the keys of each database (redferry sync --all-dbs --prefix-by-db) and teach it to the \
         applications, or move each database into a cache of its own (--db 3 --db-map 3=0)",
    ))
}

pub(super) fn big_keys(known: &Known<'_>) -> Option<Finding> {
    let sample = known.live()?.sample.as_ref()?;
    let big: Vec<_> = sample.largest.iter().filter(|key| key.bytes >= BIG).collect();
    let largest = big.iter().map(|key| key.bytes).max()?;
    let list = big.iter().map(|key| {
        let prefix = if key.prefix.is_empty() { "a" } else { key.prefix.as_str() };
        format!("{prefix} {} of {} MiB", key.kind, key.bytes >> 20)
    });
    Some(Finding::new(
        "big_keys",
        if largest >= HUGE { Severity::Warning } else { Severity::Note },
        "Large keys hold everybody else up while they are read or written",
        format!("{} among {} keys looked at", list.collect::<Vec<_>>().join(", "), sample.keys),
        "redferry carries them in pieces (--big-key); split them in the applications, since a shard holds each whole",
    ))
}

pub(super) fn without_ttl(known: &Known<'_>) -> Option<Finding> {
    let policy = settings::source_eviction(known.inventory)?;
    if !policy.starts_with("volatile-") {
        return None;
    }
    let (keys, expires) = known.live()?.keys();
    let without = keys.saturating_sub(expires);
    let percent = without.saturating_mul(100).checked_div(keys)?;
    (percent >= SOME).then(|| {
        Finding::new(
            "keys_without_ttl",
            if percent >= MANY { Severity::Warning } else { Severity::Note },
            "Keys without expiry are never evicted under this policy",
            format!("{without} of {keys} keys ({percent} %) do not expire; the policy is {policy}"),
            "an allkeys policy for the target, or expiries: when only such keys are left and the memory is full, writes fail",
        )
    })
}
