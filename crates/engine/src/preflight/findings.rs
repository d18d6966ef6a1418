//! The result of a preflight: facts of both sides, and what follows from them.

use client::Topology;
use serde::Serialize;

use crate::run::Abilities;

/// Ids of all checks, in the order of the report. They are stable: scripts and `--skip-check` use them.
pub const CHECKS: &[&str] = &[
    "reachable",
    "same_server",
    "swapped",
    "target_empty",
    "databases",
    "cluster_whole",
    "replica",
    "commands",
    "version",
    "modules",
    "memory",
    "eviction",
    "clock",
];

/// What both caches are and can do, and whether the copy may begin.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// The cache that is copied from.
    pub source: SideFacts,
    /// The cache that is copied to.
    pub target: SideFacts,
    /// The source's databases that are to be copied.
    pub databases: Vec<u32>,
    /// The target's clock less the source's, in milliseconds; `None` where a side does not tell its time.
    pub clock_difference_ms: Option<f64>,
    /// One for each of [`CHECKS`], in that order.
    pub checks: Vec<Check>,
    /// What the copy may use.
    pub abilities: Abilities,
}

impl Findings {
    /// The checks that forbid the copy.
    pub fn refusals(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.status == Status::Refused)
    }

    /// A check by its id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }
}

/// One cache.
#[derive(Debug, Clone, Serialize)]
pub struct SideFacts {
    /// `redis://host:port` or `rediss://host:port`, without user or password.
    pub address: String,
    /// Product, version and mode in words.
    pub product: String,
    /// `major.minor.patch` as the server says; `None` where it does not.
    pub version: Option<String>,
    /// How it is reached.
    pub topology: Layout,
    /// The nodes that hold keys.
    pub nodes: Vec<NodeFacts>,
    /// Databases that hold keys, over all nodes.
    pub databases: Vec<DatabaseFacts>,
    /// Bytes in use, over all nodes.
    pub used_memory: Option<u64>,
    /// The part of `used_memory` that another server would need for the same keys: without what an empty
    /// server, replication and clients take.
    pub data_memory: Option<u64>,
    /// Memory limit in bytes over all nodes; 0 means none, `None` that the server does not say.
    pub maxmemory: Option<u64>,
    /// What happens at the memory limit.
    pub eviction_policy: Option<String>,
    /// Loaded modules; `None` where the server does not say.
    pub modules: Option<Vec<ModuleFacts>>,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The server's clock less this machine's, in milliseconds.
    pub clock_offset_ms: Option<f64>,
    /// Shortest of some round trips, in microseconds.
    pub round_trip_us: u64,
    /// The commands that were tried.
    pub commands: Vec<CommandFacts>,
    /// The nodes and their slots, for the copy that follows.
    #[serde(skip)]
    pub layout: Topology,
}

impl SideFacts {
    /// Keys in all databases of all nodes.
    pub fn keys(&self) -> u64 {
        self.databases.iter().map(|database| database.keys).sum()
    }

    /// Keys in one database.
    pub fn keys_in(&self, db: u32) -> u64 {
        self.databases.iter().filter(|database| database.db == db).map(|database| database.keys).sum()
    }

    /// Major and minor version.
    pub fn release(&self) -> Option<(u32, u32)> {
        let mut numbers = self.version.as_deref()?.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    }

    /// Whether a command was tried and worked.
    pub fn has(&self, command: &str) -> bool {
        self.commands.iter().any(|tried| tried.command == command && tried.available)
    }
}

/// How a cache is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One address for all keys.
    Single,
    /// An address for each primary.
    Cluster,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeFacts {
    /// `host:port`.
    pub address: String,
    /// The process's id; another one after every start. `None` where the server hides it.
    pub run_id: Option<String>,
    /// `master` or `slave`, in the server's own words.
    pub role: Option<String>,
    /// Keys in all databases.
    pub keys: u64,
    /// Bytes in use.
    pub used_memory: Option<u64>,
    /// Memory limit in bytes; 0 means none.
    pub maxmemory: Option<u64>,
}

/// One database that holds keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DatabaseFacts {
    /// Its number.
    pub db: u32,
    /// Keys in it.
    pub keys: u64,
    /// Those of them that have a time to live.
    pub expires: u64,
}

/// One module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModuleFacts {
    /// Its name, for example `ReJSON`.
    pub name: String,
    /// Its version as a number, for example 20808.
    pub version: u64,
}

/// One command that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommandFacts {
    /// Its name.
    pub command: &'static str,
    /// Whether it can be used here.
    pub available: bool,
    /// Whether the copy cannot do without it.
    pub needed: bool,
    /// What it is for, or why it cannot be used.
    pub note: String,
}

/// What one check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// One of [`CHECKS`].
    pub id: &'static str,
    /// How it came out.
    pub status: Status,
    /// What was found.
    pub text: String,
    /// What to do about it; empty when there is nothing to do.
    pub remedy: String,
}

/// How a check came out, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// The copy works, but something will not be as expected.
    Warning,
    /// The copy must not begin.
    Refused,
}
