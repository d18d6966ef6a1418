//! What a cache costs in a month: the price of a node for an hour, by the hours of a month, by the nodes.

mod book;

use serde::Serialize;

pub use self::book::{Answer, Item, PriceSource, Prices, answers, query, short_region};

use crate::catalog::Catalog;
use crate::sku::{map, source, source_of, target, tier_of};
use crate::{Date, PlanError, Tier};

/// What is to be priced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The cache of today: a SKU of Azure Cache for Redis, or one of Azure Managed Redis by itself.
    pub sku: String,
    /// Of the source; known without for SKUs of one tier.
    pub tier: Option<Tier>,
    pub shards: Option<u32>,
    /// For each primary.
    pub replicas: Option<u32>,
    /// The SKU to move to; the guide's first choice when none is given.
    pub to: Option<String>,
    /// Of the target; as the source when nothing is said.
    pub ha: Option<bool>,
    /// The region's short name, such as `westus2`, or the long one.
    pub region: String,
    /// Such as `USD`.
    pub currency: String,
}

/// What both sides cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    pub region: String,
    pub currency: String,
    pub source: Side,
    /// None when a SKU of Azure Managed Redis was priced by itself.
    pub target: Option<Side>,
    pub prices: PriceSource,
    /// The oldest of the dates of the prices that were used.
    pub priced_at: Option<Date>,
    /// For each price that there is not: why, and what to do.
    pub missing: Vec<String>,
    /// What to know about the prices that were used.
    pub notes: Vec<String>,
}

/// One side's cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    pub sku: String,
    /// What it is, in a few words.
    pub what: String,
    pub nodes: u32,
    /// Price of a node for an hour.
    pub node_hour: Option<f64>,
    /// All nodes for a month, rounded to cents.
    pub monthly: Option<f64>,
}

impl Estimate {
    /// Target less source, where both are known.
    pub fn difference(&self) -> Option<f64> {
        Some(cents(self.target.as_ref()?.monthly? - self.source.monthly?))
    }
}

/// Works out what both sides cost. A price that is not known leaves its side without one and says so in
/// [`Estimate::missing`].
///
/// # Errors
/// SKUs, shards or replicas that there are not; an answer without any price.
pub fn estimate(catalog: &Catalog, prices: &Prices, request: &Request) -> Result<Estimate, PlanError> {
    let mut used = Used { catalog, prices, request, priced_at: None, missing: Vec::new(), notes: Vec::new() };
    let (source, target) = if let Ok(sku) = target(catalog, &request.sku) {
        let kind = "Azure Managed Redis";
        if request.shards.is_some() {
            return Err(PlanError::ShardsWithoutCluster(kind.into()));
        }
        if request.replicas.is_some() {
            return Err(PlanError::ReplicasWithoutChoice(kind.into()));
        }
        let ha = request.ha.unwrap_or(true);
        let other = request.to.as_ref().map(|to| used.managed(to, ha)).transpose()?;
        (used.managed(&sku.sku, ha)?, other)
    } else {
        let sku = source(catalog, &request.sku)?;
        let tier = tier_of(sku, request.tier)?;
        let sku = source_of(catalog, tier, &sku.sku)?;
        let (nodes, what) = nodes(catalog, tier, request)?;
        let to = match &request.to {
            Some(to) => to.clone(),
            None => map(catalog, tier, &sku.sku, request.shards)?.target.sku.clone(),
        };
        let source = used.side(&sku.sku, Some(tier), what, nodes);
        (source, Some(used.managed(&to, request.ha.unwrap_or(tier.ha()))?))
    };
    Ok(Estimate {
        region: short_region(&request.region),
        currency: request.currency.to_ascii_uppercase(),
        source,
        target,
        prices: prices.source(),
        priced_at: used.priced_at,
        missing: used.missing,
        notes: used.notes,
    })
}

/// Nodes of a cache, and what they are.
fn nodes(catalog: &Catalog, tier: Tier, request: &Request) -> Result<(u32, String), PlanError> {
    let shards = request.shards.filter(|shards| *shards > 0);
    let rules = &catalog.prices;
    if tier != Tier::Premium {
        if shards.is_some() {
            return Err(PlanError::ShardsWithoutCluster(tier.to_string()));
        }
        if request.replicas.is_some() {
            return Err(PlanError::ReplicasWithoutChoice(tier.to_string()));
        }
        return Ok((if tier.ha() { 2 } else { 1 }, tier.to_string()));
    }
    if let Some(given) = shards.filter(|shards| *shards > rules.max_shards) {
        return Err(PlanError::Shards {
            given,
            what: "a premium cache has",
            max: rules.max_shards,
            hint: "",
        });
    }
    let replicas = request.replicas.unwrap_or(rules.default_replicas);
    if replicas < 1 || replicas > rules.max_replicas {
        return Err(PlanError::Replicas { given: replicas, max: rules.max_replicas });
    }
    let count = shards.unwrap_or(1);
    let what = match shards {
        Some(shards) => format!("{tier}, {shards} x (1 + {replicas})"),
        None => format!("{tier}, 1 + {replicas}"),
    };
    Ok((count * (1 + replicas), what))
}

/// Collects what is said about the prices that are looked up.
struct Used<'a> {
    catalog: &'a Catalog,
    prices: &'a Prices,
    request: &'a Request,
    priced_at: Option<Date>,
    missing: Vec<String>,
    notes: Vec<String>,
}

impl Used<'_> {
    fn managed(&mut self, sku: &str, ha: bool) -> Result<Side, PlanError> {
        let sku = target(self.catalog, sku)?;
        let what =
            format!("{}, {}", sku.series, if ha { "high availability" } else { "no high availability" });
        Ok(self.side(&sku.sku, None, what, if ha { 2 } else { 1 }))
    }

    fn side(&mut self, sku: &str, tier: Option<Tier>, what: String, nodes: u32) -> Side {
        let node_hour = match self.prices.node_hour(self.catalog, self.request, sku, tier) {
            Ok(found) => {
                self.priced_at = [self.priced_at, found.date].into_iter().flatten().min();
                self.notes.extend(found.note);
                Some(found.price)
            }
            Err(missing) => {
                self.missing.push(missing);
                None
            }
        };
        let monthly =
            node_hour.map(|price| cents(price * self.catalog.prices.hours_per_month * f64::from(nodes)));
        Side { sku: sku.to_owned(), what, nodes, node_hour, monthly }
    }
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}
