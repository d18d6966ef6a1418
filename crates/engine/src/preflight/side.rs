//! Asking all nodes of one side for the facts.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use client::address::Service;
use client::reply::ReplyKind;
use client::{Endpoint, Error, Node, Read, Topology};
use migration::expiry::Clock;
use resp::Value;

use super::findings::{DatabaseFacts, Layout, ModuleFacts, NodeFacts, SideFacts};
use super::info::{self, Info};
use super::line::Line;
use super::probe_key::ProbeKey;
use crate::clocks;

/// Round trips per estimate; the shortest counts.
const PINGS: usize = 5;

/// One side with its open connections, and what the checks need beside the facts.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) facts: SideFacts,
    pub(super) service: Service,
    /// One for each node that answers, in the order of their slots.
    pub(super) lines: Vec<Line>,
    /// What each of those nodes says about itself.
    pub(super) infos: Vec<Info>,
    /// Nodes that do not answer, and why.
    pub(super) unreachable: Vec<Error>,
    /// Nodes that refused a question about a key of their own slots, and in which way.
    pub(super) faults: Vec<(Node, ReplyKind)>,
    /// Databases that were wanted and that the server does not have, with its words.
    pub(super) missing_dbs: Vec<(u32, String)>,
    pub(super) clock: Option<Clock>,
}

impl Seen {
    /// Asks every node that holds keys.
    ///
    /// # Errors
    /// The cache cannot be reached at all. A node of a cluster that does not answer is a finding.
    pub(super) async fn ask(endpoint: &Endpoint) -> Result<Seen, Error> {
        let layout = endpoint.topology().await?;
        let mut seen = Seen {
            facts: empty_facts(endpoint, &layout),
            service: Service::of_host(&endpoint.seed().host),
            lines: Vec::new(),
            infos: Vec::new(),
            unreachable: Vec::new(),
            faults: Vec::new(),
            missing_dbs: Vec::new(),
            clock: None,
        };
        for (index, node) in layout.primaries().iter().enumerate() {
            match seen.ask_node(endpoint, &layout, index).await {
                Ok(()) => {}
                Err(error) if matches!(layout, Topology::Cluster(_)) => {
                    tracing::debug!(%node, "does not answer the preflight");
                    seen.unreachable.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        seen.ask_first().await?;
        Ok(seen)
    }

    async fn ask_node(&mut self, endpoint: &Endpoint, layout: &Topology, index: usize) -> Result<(), Error> {
        let node = &layout.primaries()[index];
        let mut line = Line::open(endpoint, node).await?;
        let info = Info::of(&line.ask(Read::Info("")).await?);
        let key = ProbeKey::on(layout, index);
        if let Value::Error(text) = line.ask(Read::Exists(key.name())).await? {
            self.faults.push((node.clone(), ReplyKind::of(&text)));
        }
        let databases = match info.databases() {
            Some(databases) => databases.collect(),
            None => selected_database(&mut line).await?,
        };
        self.facts.nodes.push(NodeFacts {
            address: node.to_string(),
            run_id: info.id("run_id"),
            role: info.text("role").map(str::to_owned),
            keys: databases.iter().map(|database| database.keys).sum(),
            used_memory: info.number("used_memory"),
            maxmemory: info.number("maxmemory"),
        });
        self.facts.databases = sum(self.facts.databases.iter().chain(&databases));
        self.lines.push(line);
        self.infos.push(info);
        Ok(())
    }

    /// What one node can answer for all of them.
    async fn ask_first(&mut self) -> Result<(), Error> {
        let facts = &mut self.facts;
        facts.used_memory = total(facts.nodes.iter().map(|node| node.used_memory));
        facts.maxmemory = total(facts.nodes.iter().map(|node| node.maxmemory));
        facts.data_memory = total(self.infos.iter().map(Info::data_memory));
        let (Some(line), Some(info)) = (self.lines.first_mut(), self.infos.first()) else {
            // No node of a cluster answers: the first one's reason is as good as any.
            return if self.unreachable.is_empty() { Ok(()) } else { Err(self.unreachable.remove(0)) };
        };
        facts.version = info.text("redis_version").map(str::to_owned);
        facts.product = product(self.service, info, facts.topology);
        facts.eviction_policy = match info.text("maxmemory_policy") {
            Some(policy) => Some(policy.to_owned()),
            None => info::config_value(&line.ask(Read::ConfigGet("maxmemory-policy")).await?),
        };
        if facts.maxmemory.is_none() && facts.nodes.len() == 1 {
            let limit = info::config_value(&line.ask(Read::ConfigGet("maxmemory")).await?);
            facts.maxmemory = limit.and_then(|limit| limit.parse().ok());
        }
        facts.modules = modules(info, line).await?;
        facts.round_trip_us = round_trip_us(line).await?;
        self.clock = clock(line).await?;
        facts.clock_offset_ms = self.clock.map(|clock| clock.offset_us as f64 / 1000.0);
        Ok(())
    }

    /// Finds out which of these databases exist, on a connection that ends in database 0.
    pub(super) async fn select_each(&mut self, dbs: impl Iterator<Item = u32>) -> Result<(), Error> {
        let Some(line) = self.lines.first_mut() else { return Ok(()) };
        let mut selected = false;
        for db in dbs.filter(|&db| db != 0) {
            match line.ask(Read::Select(db)).await? {
                Value::Error(text) => {
                    self.missing_dbs.push((db, String::from_utf8_lossy(&text).into_owned()));
                }
                _ => selected = true,
            }
        }
        if selected {
            line.ask(Read::Select(0)).await?;
        }
        Ok(())
    }

    /// Whether memory is held back from data: by Azure Managed Redis and other Redis Enterprise.
    pub(super) fn is_managed(&self) -> bool {
        matches!(self.service, Service::AzureManaged | Service::AzureEnterprise)
            || self.infos.iter().any(|info| info.text("rlec_version").is_some())
    }
}

fn empty_facts(endpoint: &Endpoint, layout: &Topology) -> SideFacts {
    let scheme = if endpoint.is_tls() { "rediss" } else { "redis" };
    SideFacts {
        address: format!("{scheme}://{}", endpoint.seed()),
        product: String::new(),
        version: None,
        topology: match layout {
            Topology::Single(_) => Layout::Single,
            Topology::Cluster(_) => Layout::Cluster,
        },
        nodes: Vec::new(),
        databases: Vec::new(),
        used_memory: None,
        data_memory: None,
        maxmemory: None,
        eviction_policy: None,
        modules: None,
        tls: endpoint.is_tls(),
        clock_offset_ms: None,
        round_trip_us: 0,
        commands: Vec::new(),
        layout: layout.clone(),
    }
}

/// For a node that does not tell its databases: what the selected one holds.
async fn selected_database(line: &mut Line) -> Result<Vec<DatabaseFacts>, Error> {
    let keys = line.ask(Read::DbSize).await?.as_i64().and_then(|keys| keys.try_into().ok()).unwrap_or(0);
    Ok(if keys == 0 { Vec::new() } else { vec![DatabaseFacts { db: 0, keys, expires: 0 }] })
}

fn sum<'a>(databases: impl Iterator<Item = &'a DatabaseFacts>) -> Vec<DatabaseFacts> {
    let mut sums: BTreeMap<u32, DatabaseFacts> = BTreeMap::new();
    for database in databases {
        let sum = sums.entry(database.db).or_insert(DatabaseFacts { db: database.db, keys: 0, expires: 0 });
        sum.keys += database.keys;
        sum.expires += database.expires;
    }
    sums.into_values().collect()
}

/// `None` as soon as one node does not say.
fn total(parts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let parts: Option<Vec<u64>> = parts.collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.iter().sum())
}

fn product(service: Service, info: &Info, topology: Layout) -> String {
    let engine = match (info.text("valkey_version"), info.text("redis_version")) {
        (Some(version), _) => format!("Valkey {version}"),
        (None, Some(version)) if info.text("rlec_version").is_some() => format!("Redis Enterprise {version}"),
        (None, Some(version)) => format!("Redis {version}"),
        (None, None) => "Redis of unknown version".to_owned(),
    };
    let mode = match topology {
        Layout::Single => "single",
        Layout::Cluster => "cluster",
    };
    match service {
        Service::AzureCache => format!("Azure Cache for Redis, {engine}, {mode}"),
        Service::AzureManaged => format!("Azure Managed Redis, {engine}, {mode}"),
        Service::AzureEnterprise => format!("Azure Cache for Redis Enterprise, {engine}, {mode}"),
        Service::Other => format!("{engine}, {mode}"),
    }
}

async fn modules(info: &Info, line: &mut Line) -> Result<Option<Vec<ModuleFacts>>, Error> {
    Ok(match info::module_list(&line.ask(Read::ModuleList).await?) {
        Some(modules) => Some(modules),
        None if info.modules().is_empty() => None,
        None => Some(info.modules().to_vec()),
    })
}

async fn round_trip_us(line: &mut Line) -> Result<u64, Error> {
    let mut shortest = u64::MAX;
    for _ in 0..PINGS {
        let sent = Instant::now();
        line.ask(Read::Ping).await?;
        shortest = shortest.min(sent.elapsed().as_micros() as u64);
    }
    Ok(shortest)
}

/// The server's clock against this machine's wall clock.
async fn clock(line: &mut Line) -> Result<Option<Clock>, Error> {
    let wall_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
    let began = Instant::now();
    let now_us = || wall_us + began.elapsed().as_micros() as u64;
    match line {
        Line::Source(connection) => clocks::of_source(connection, now_us).await,
        Line::Target(connection) => clocks::of_target(connection, now_us).await,
    }
}
