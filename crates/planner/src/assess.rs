//! A plan for one cache: what stands in the way, where to, how, in which order.

mod estimate;
mod finding;
mod findings;
pub mod fleet;
mod inventory;
mod network;
mod policy;
pub mod read;
pub mod report;
mod runbook;
mod settings;
mod size;
mod strategy;

pub use estimate::{Duration, Estimates};
pub use finding::{Finding, Severity};
pub use inventory::{
    Address, AppFinding, Inventory, Large, Live, Sample, Share, TTL_BANDS, Wishes, ttl_band,
};
pub use network::Network;
pub use policy::Clustering;
pub use runbook::Step;
pub use settings::{Eviction, Persistence};
pub use size::{CURRENCY, Price, Size};
pub use strategy::{Scored, Strategy};

use serde::Serialize;

use crate::catalog::Catalog;
use crate::price::Prices;

/// All that can be said about the move of a cache.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    pub name: String,
    /// Blockers first.
    pub findings: Vec<Finding>,
    /// None where nothing fits, or where nobody knows how large the cache is.
    pub size: Option<Size>,
    pub price: Option<Price>,
    pub clustering: Clustering,
    pub network: Network,
    pub eviction: Eviction,
    pub persistence: Persistence,
    pub strategy: Strategy,
    /// Every way, the best first.
    pub strategies: Vec<Scored>,
    pub estimates: Option<Estimates>,
    pub runbook: Vec<Step>,
    /// What is not known, and why.
    pub notes: Vec<String>,
}

impl Plan {
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Whether something must be done before the move can work.
    pub fn is_blocked(&self) -> bool {
        self.count(Severity::Blocker) > 0
    }
}

/// Plans the move of a cache.
pub fn assess(catalog: &Catalog, prices: &Prices, inventory: &Inventory) -> Plan {
    let mut notes = notes(inventory);
    let (size, no_size) = size::size(catalog, inventory);
    let price = size.as_ref().and_then(|size| size::price(catalog, prices, inventory, size, &mut notes));
    let clustering = policy::clustering(inventory, size.as_ref());
    let known = findings::Known { catalog, inventory, size: size.as_ref(), policy: clustering.policy };
    let mut findings = findings::all(&known);
    let estimates = estimate::estimates(inventory);
    let strategies = strategy::scored(inventory, estimates.as_ref());
    findings.extend(no_size);
    findings.extend(strategy::impossible(inventory, &strategies));
    findings.sort_by_key(|finding| finding.severity);
    let best = strategies.first().map_or(Strategy::Sync, |scored| scored.strategy);
    let strategy = inventory.wishes.strategy.unwrap_or(best);
    let mut plan = Plan {
        name: inventory.name.clone(),
        findings,
        size,
        price,
        clustering,
        network: network::network(catalog, inventory),
        eviction: settings::eviction(catalog, inventory),
        persistence: settings::persistence(inventory),
        strategy,
        strategies,
        estimates,
        runbook: Vec::new(),
        notes,
    };
    plan.runbook = runbook::runbook(inventory, &plan);
    plan
}

fn notes(inventory: &Inventory) -> Vec<String> {
    let mut notes = Vec::new();
    match &inventory.live {
        None => notes.push("the live cache was not read: commands, clients and data are not known".into()),
        Some(live) => notes.extend(live.refused.iter().cloned()),
    }
    match &inventory.resource {
        None => notes.push(
            "the resource was not given (--arm): network, zones, persistence, links, roles and schedule are not known"
                .into(),
        ),
        Some(resource) => notes.extend(resource.notes.iter().cloned()),
    }
    match &inventory.metrics {
        None => notes
            .push("metrics were not given (--metrics): peaks are those of INFO, or of this moment".into()),
        Some(metrics) => {
            notes.extend(metrics.notes.iter().cloned());
            let sums = [metrics.used_memory, metrics.read, metrics.written, metrics.ops];
            if sums.iter().flatten().any(|series| size::lacks_shards(inventory, series)) {
                notes.push(
                    "metrics of memory, traffic and operations are of one shard of several and were not used: ask for them \
                     with --filter \"ShardId eq '*'\""
                        .into(),
                );
            }
        }
    }
    if let Some(sample) = inventory.live.as_ref().and_then(|live| live.sample.as_ref())
        && sample.keys < sample.of
    {
        notes.push(format!("types, sizes and prefixes are those of {} of {} keys", sample.keys, sample.of));
    }
    notes
}
