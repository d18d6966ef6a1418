//! What was found out about a cache, from whatever could be asked.

use std::collections::BTreeMap;

use super::read::{Clients, Info, Metrics, Resource};
use crate::sku::Module;

/// Everything that is known. What nobody could tell is not there, and nothing is concluded from that.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// How the cache is called in reports: the resource's name, or its host.
    pub name: String,
    /// Host and port that were connected to.
    pub address: Option<Address>,
    pub live: Option<Live>,
    pub resource: Option<Resource>,
    pub metrics: Option<Metrics>,
    /// What was found in the sources of the applications.
    pub app_findings: Vec<AppFinding>,
    pub wishes: Wishes,
}

/// Where the live cache is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

/// What the live cache told about itself. Sums are over all primaries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// INFO of each primary.
    pub nodes: Vec<Info>,
    /// Speaks the cluster protocol.
    pub clustered: bool,
    /// Calls since the start or since they were reset, by name in capitals; a subcommand as `CONFIG|SET`.
    pub commands: BTreeMap<String, u64>,
    pub clients: Option<Clients>,
    /// How often each command is in the slow log.
    pub slow: BTreeMap<String, u64>,
    /// `notify-keyspace-events`, where CONFIG can be asked.
    pub notify: Option<String>,
    pub sample: Option<Sample>,
    /// What the cache refused to answer, and what is therefore not known.
    pub refused: Vec<String>,
}

/// Some of the keys, as SCAN gave them. Names of keys are not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    pub keys: u64,
    /// Of all keys at that time.
    pub of: u64,
    /// Memory was refused or not asked for: sizes are 0.
    pub without_sizes: bool,
    pub types: BTreeMap<String, Share>,
    /// By the beginning of the name, where that tells no key; the others together under the empty one.
    pub prefixes: BTreeMap<String, Share>,
    /// Keys with `{...}` in their name.
    pub hash_tagged: u64,
    /// Keys by time to live, in the order of [`TTL_BANDS`].
    pub ttls: [u64; TTL_BANDS.len()],
    /// The largest, the largest first.
    pub largest: Vec<Large>,
}

/// Keys and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub keys: u64,
    pub bytes: u64,
}

/// A large key, without its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Large {
    /// The beginning of its name, where that can be told.
    pub prefix: String,
    pub kind: String,
    pub bytes: u64,
}

/// Names of the bands of times to live.
pub const TTL_BANDS: [&str; 6] =
    ["no expiry", "up to a minute", "up to an hour", "up to a day", "up to 30 days", "longer"];

/// The band of a time to live in milliseconds; none for a key that is gone.
pub fn ttl_band(milliseconds: i64) -> Option<usize> {
    const MINUTE: i64 = 60_000;
    match milliseconds {
        -1 => Some(0),
        ..=-2 => None,
        _ if milliseconds <= MINUTE => Some(1),
        _ if milliseconds <= 60 * MINUTE => Some(2),
        _ if milliseconds <= 24 * 60 * MINUTE => Some(3),
        _ if milliseconds <= 30 * 24 * 60 * MINUTE => Some(4),
        _ => Some(5),
    }
}

/// Something in the source of an application that must change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppFinding {
    /// Such as `select` or `multi_key`.
    pub kind: String,
    pub severity: super::Severity,
    pub file: String,
    pub line: u64,
    pub what: String,
    pub change: String,
}

/// What only the people know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// The data can be made again from elsewhere.
    pub rebuildable: Option<bool>,
    /// For how long the applications may stand still, seconds.
    pub max_downtime: Option<u64>,
    /// All clients speak the cluster protocol.
    pub cluster_aware: Option<bool>,
    pub modules: Vec<Module>,
    /// The way to plan for; the best one where none is wished.
    pub strategy: Option<super::Strategy>,
    /// Where the resource does not tell.
    pub region: Option<String>,
}

impl Live {
    /// A number of INFO, summed over the primaries; none when no node has it.
    pub fn sum(&self, field: &str) -> Option<u64> {
        let numbers = self.nodes.iter().filter_map(|node| node.number(field));
        numbers.fold(None, |sum, number| Some(number.saturating_add(sum.unwrap_or(0))))
    }

    /// Keys of each database that has any, and those of them that expire.
    pub fn databases(&self) -> BTreeMap<u32, (u64, u64)> {
        let mut databases = BTreeMap::new();
        for (database, keys, expires) in self.nodes.iter().flat_map(Info::databases) {
            let entry: &mut (u64, u64) = databases.entry(database).or_default();
            *entry = (entry.0.saturating_add(keys), entry.1.saturating_add(expires));
        }
        databases
    }

    /// Keys of all databases, and those of them that expire.
    pub fn keys(&self) -> (u64, u64) {
        let add = |(keys, expires): (u64, u64), (k, e): &(u64, u64)| {
            (keys.saturating_add(*k), expires.saturating_add(*e))
        };
        self.databases().values().fold((0, 0), add)
    }

    /// Calls of a command, its subcommands included.
    pub fn calls(&self, command: &str) -> u64 {
        let mut calls = 0;
        for (name, count) in &self.commands {
            if name.split('|').next() == Some(command) {
                calls = u64::saturating_add(calls, *count);
            }
        }
        calls
    }

    /// Commands among these that were called, as `MGET 12 times, MSET 3 times`; none when none was.
    pub fn used(&self, commands: &[&str]) -> Option<String> {
        let used: Vec<String> = commands
            .iter()
            .filter_map(|name| Some(*name).zip(Some(self.calls(name)).filter(|calls| *calls > 0)))
            .map(|(name, calls)| times(name, calls))
            .collect();
        (!used.is_empty()).then(|| used.join(", "))
    }

    /// Commands that write, per second, over the time the cache has been running; none when it does not tell.
    pub fn writes_per_second(&self) -> Option<f64> {
        let uptime = self.nodes.iter().filter_map(|node| node.number("uptime_in_seconds")).max()?;
        let writes: f64 = WRITES.iter().map(|name| self.calls(name) as f64).sum();
        Some(writes / uptime.max(1) as f64)
    }
}

/// The commands that make up nearly all writes.
const WRITES: &[&str] = &[
    "SET",
    "SETEX",
    "PSETEX",
    "SETNX",
    "GETSET",
    "MSET",
    "APPEND",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "DECR",
    "DECRBY",
    "SETRANGE",
    "SETBIT",
    "DEL",
    "UNLINK",
    "EXPIRE",
    "PEXPIRE",
    "EXPIREAT",
    "PEXPIREAT",
    "PERSIST",
    "HSET",
    "HMSET",
    "HSETNX",
    "HINCRBY",
    "HINCRBYFLOAT",
    "HDEL",
    "LPUSH",
    "RPUSH",
    "LPUSHX",
    "RPUSHX",
    "LPOP",
    "RPOP",
    "LREM",
    "LTRIM",
    "LSET",
    "LINSERT",
    "RPOPLPUSH",
    "BLPOP",
    "BRPOP",
    "SADD",
    "SREM",
    "SPOP",
    "SMOVE",
    "ZADD",
    "ZREM",
    "ZINCRBY",
    "ZPOPMIN",
    "ZPOPMAX",
    "ZREMRANGEBYSCORE",
    "ZREMRANGEBYRANK",
    "ZREMRANGEBYLEX",
    "XADD",
    "XTRIM",
    "XDEL",
    "XACK",
    "PFADD",
    "PFMERGE",
    "GEOADD",
    "RENAME",
    "RENAMENX",
    "RESTORE",
    "FLUSHDB",
    "FLUSHALL",
];

/// `GET once`, `GET 12 times`.
pub(super) fn times(name: &str, calls: u64) -> String {
    if calls == 1 { format!("{name} once") } else { format!("{name} {calls} times") }
}
