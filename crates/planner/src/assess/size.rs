//! Which SKU, and what it costs.

use serde::Serialize;

use super::inventory::{Inventory, Live};
use super::{Finding, Severity, read};
use crate::catalog::{Catalog, Sku};
use crate::price::{self, PriceSource, Prices, Request};
use crate::sku::{Source, Use, map, recommend, target};
use crate::{PlanError, Series};

/// The SKU and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Size {
    /// Such as `B10`.
    pub sku: String,
    pub series: Series,
    /// As the resource has it, such as `Balanced_B10`.
    pub resource_sku: String,
    pub advertised_gb: f64,
    pub usable_gb: f64,
    pub vcpus: u32,
    pub max_connections: u64,
    pub ha: bool,
    /// The most bytes that the data took, as far as anybody knows.
    pub peak_bytes: Option<u64>,
    pub peak_connections: Option<u64>,
    pub reasons: Vec<String>,
    pub alternatives: Vec<String>,
    pub notes: Vec<String>,
    /// What Microsoft's guide maps the source's SKU to.
    pub guide: Option<String>,
}

/// What plans are priced in.
pub const CURRENCY: &str = "USD";

/// What both sides cost in a month.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Price {
    pub currency: String,
    pub region: String,
    pub source_monthly: Option<f64>,
    pub target_monthly: Option<f64>,
    pub difference_monthly: Option<f64>,
    pub prices: PriceSource,
    pub priced_at: Option<crate::Date>,
}

/// The SKU, or the finding that says why there is none.
pub(super) fn size(catalog: &Catalog, inventory: &Inventory) -> (Option<Size>, Option<Finding>) {
    let wanted = wanted(inventory);
    let guide = inventory.resource.as_ref().map(|resource| {
        let sku = &resource.sku;
        map(catalog, sku.tier, &sku.name, sku.shards)
    });
    let mapped = guide.as_ref().and_then(|guide| guide.as_ref().ok());
    if wanted.peak.is_none() && wanted.used_memory.is_none() {
        return match mapped {
            Some(mapping) => {
                let mut size = of(mapping.target, mapping.ha, &wanted, Some(mapping.target.sku.clone()));
                size.reasons.push(format!(
                    "the guide of {} maps {} to it; how much of that is used is not known",
                    mapping.origin.date, mapping.source.sku
                ));
                size.alternatives = mapping.alternatives.iter().map(|sku| sku.sku.clone()).collect();
                size.notes.clone_from(&mapping.notes);
                (Some(size), None)
            }
            None => (None, guide.and_then(Result::err).map(|error| misfit(&error, &wanted))),
        };
    }
    match recommend(catalog, &wanted) {
        Ok(found) => {
            let mut size =
                of(found.target, found.ha, &wanted, mapped.map(|mapping| mapping.target.sku.clone()));
            size.reasons = found.reasons;
            size.alternatives =
                found.alternatives.iter().map(|other| format!("{}: {}", other.sku.sku, other.when)).collect();
            size.notes = found.notes;
            (Some(size), None)
        }
        Err(error) => (None, Some(misfit(&error, &wanted))),
    }
}

fn misfit(error: &PlanError, wanted: &Use) -> Finding {
    let peak = wanted.peak.max(wanted.used_memory).unwrap_or(0);
    Finding::new(
        "no_size_fits",
        Severity::Blocker,
        "No size of Azure Managed Redis can be named for this cache",
        format!("{error}; {:.1} GB at the peak", peak as f64 / 1e9),
        "split the cache, or drop what asks for more; `redferry sku recommend` tries other wishes",
    )
}

fn of(sku: &Sku, ha: bool, wanted: &Use, guide: Option<String>) -> Size {
    Size {
        sku: sku.sku.clone(),
        series: sku.series,
        resource_sku: sku.resource_name(),
        advertised_gb: sku.gb,
        usable_gb: sku.usable_gb,
        vcpus: sku.vcpus,
        max_connections: sku.max_connections,
        ha,
        peak_bytes: wanted.peak.max(wanted.used_memory),
        peak_connections: wanted.connections,
        reasons: Vec::new(),
        alternatives: Vec::new(),
        notes: Vec::new(),
        guide,
    }
}

/// Metrics tell peaks of days; without them INFO does, of memory since the start and of everything else at this moment.
fn wanted(inventory: &Inventory) -> Use {
    let live = inventory.live.as_ref();
    let metrics = inventory.metrics.as_ref();
    let resource = inventory.resource.as_ref();
    let now = |field: &str| live.and_then(|live| live.sum(field));
    let peak = |series: Option<read::Series>| series.map(|series| series.peak.ceil() as u64);
    let of_metrics = |pick: fn(&read::Metrics) -> Option<read::Series>| peak(metrics.and_then(pick));
    let summed = |pick: fn(&read::Metrics) -> Option<read::Series>| {
        peak(metrics.and_then(pick).filter(|series| !lacks_shards(inventory, series)))
    };
    let moved = summed(|metrics| metrics.read).max(summed(|metrics| metrics.written));
    Use {
        source: resource.map(|resource| Source {
            tier: resource.sku.tier,
            sku: resource.sku.name.clone(),
            shards: resource.sku.shards,
        }),
        used_memory: now("used_memory"),
        peak: summed(|metrics| metrics.used_memory).or_else(|| now("used_memory_peak")),
        maxmemory_reserved: resource.and_then(|resource| resource.maxmemory_reserved),
        maxfragmentation_reserved: resource.and_then(|resource| resource.maxfragmentation_reserved),
        server_load: metrics.and_then(|metrics| metrics.server_load).map(|load| load.peak.clamp(0.0, 100.0)),
        connections: of_metrics(|metrics| metrics.connections).max(now("connected_clients")),
        bandwidth: moved.or_else(|| live.and_then(bandwidth)),
        ops: summed(|metrics| metrics.ops).max(now("instantaneous_ops_per_sec")),
        no_ha: resource.is_some_and(|resource| !resource.sku.tier.ha()),
        modules: inventory.wishes.modules.clone(),
        geo: resource.is_some_and(|resource| !resource.linked.is_empty()),
        series: Vec::new(),
    }
}

/// Whether a sum over shards is none: without the filter by shard Azure Monitor answers one timeseries, whose peak is that
/// of one shard.
pub(super) fn lacks_shards(inventory: &Inventory, series: &read::Series) -> bool {
    let shards = inventory.resource.as_ref().and_then(|resource| resource.sku.shards);
    shards > Some(1) && series.timeseries == 1
}

/// Bytes per second at this moment, the larger of both ways.
fn bandwidth(live: &Live) -> Option<u64> {
    let of = |field: &str| live.nodes.iter().filter_map(|node| node.decimal(field)).sum::<f64>();
    let kilobytes = of("instantaneous_input_kbps").max(of("instantaneous_output_kbps"));
    (kilobytes > 0.0).then_some((kilobytes * 1024.0) as u64)
}

/// What both sides cost, as far as the prices tell.
pub(super) fn price(
    catalog: &Catalog,
    prices: &Prices,
    inventory: &Inventory,
    size: &Size,
    notes: &mut Vec<String>,
) -> Option<Price> {
    let resource = inventory.resource.as_ref();
    let region = inventory.wishes.region.clone().or_else(|| resource?.location.clone());
    let (Some(resource), Some(region)) = (resource, region) else {
        notes.push("without the resource and its region there is no price".into());
        return None;
    };
    let premium = resource.sku.tier == crate::Tier::Premium;
    let request = Request {
        sku: resource.sku.name.clone(),
        tier: Some(resource.sku.tier),
        shards: resource.sku.shards,
        replicas: resource.replicas.filter(|_| premium),
        to: Some(size.sku.clone()),
        ha: Some(size.ha),
        region,
        currency: CURRENCY.into(),
    };
    match price::estimate(catalog, prices, &request) {
        Ok(mut estimate) => {
            notes.append(&mut estimate.missing);
            notes.append(&mut estimate.notes);
            let price = Price {
                difference_monthly: estimate.difference(),
                source_monthly: estimate.source.monthly,
                target_monthly: estimate.target.as_ref().and_then(|side| side.monthly),
                currency: estimate.currency,
                region: estimate.region,
                prices: estimate.prices,
                priced_at: estimate.priced_at,
            };
            (price.source_monthly.is_some() || price.target_monthly.is_some()).then_some(price)
        }
        Err(error) => {
            notes.push(format!("no price: {error}"));
            None
        }
    }
}

/// What the resource or the plan names, looked up again.
pub(super) fn sku<'c>(catalog: &'c Catalog, size: &Size) -> Option<&'c Sku> {
    target(catalog, &size.sku).ok()
}
