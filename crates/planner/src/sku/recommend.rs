//! The smallest SKU that carries a use, and why the others are not it.

use std::cmp::Ordering;

use serde::Serialize;

use super::fit::{self, Need};
use super::{Module, source_of};
use crate::catalog::{Catalog, Sku};
use crate::{PlanError, Series, Tier};

/// Shares of memory and of server load, percent, between which the guide's matrix decides.
const MEMORY_HIGH: f64 = 70.0;
const MEMORY_LOW: f64 = 50.0;
const LOAD_HIGH: f64 = 60.0;
const LOAD_LOW: f64 = 40.0;

/// The smallest of the memory series; below it only Balanced has sizes (the guide maps C0 to C3 there).
const SMALLEST_M_GB: f64 = 12.0;

/// The size from which Flash may be the cheaper way, by the smallest of its SKUs.
const FLASH_FROM_GB: f64 = 200.0;

/// How a cache is used. Sizes are bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Use {
    /// The cache of today; without it, nobody knows how full it is.
    pub source: Option<Source>,
    pub used_memory: Option<u64>,
    pub peak: Option<u64>,
    /// As the resource has them, for each shard.
    pub maxmemory_reserved: Option<u64>,
    pub maxfragmentation_reserved: Option<u64>,
    /// Percent of a core, of the busiest shard.
    pub server_load: Option<f64>,
    pub connections: Option<u64>,
    /// Bytes per second, read or written, whichever is more.
    pub bandwidth: Option<u64>,
    /// Per second.
    pub ops: Option<u64>,
    pub no_ha: bool,
    pub modules: Vec<Module>,
    /// Shall be in an active geo-replication group.
    pub geo: bool,
    /// Choose among these series only; the guide's matrix chooses them when there are none.
    pub series: Vec<Series>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub tier: Tier,
    pub sku: String,
    pub shards: Option<u32>,
}

/// A row of the guide's decision matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Memory,
    Balanced,
    Compute,
    /// Connections or traffic ask for more than the memory does.
    Busy,
    /// The caller named the series.
    Chosen,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation<'c> {
    pub target: &'c Sku,
    pub ha: bool,
    pub class: Class,
    pub reasons: Vec<String>,
    /// The smallest that fits of each other series.
    pub alternatives: Vec<Alternative<'c>>,
    /// Every SKU that does not fit.
    pub rejected: Vec<Rejected>,
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Alternative<'c> {
    pub sku: &'c Sku,
    /// When to take it instead.
    pub when: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    pub sku: String,
    pub why: String,
}

/// Chooses among the series that the guide's matrix names, or the given ones, the smallest that carries everything.
/// Among SKUs of the same size it is the one with fewer vCPUs, which is the cheaper one.
///
/// # Errors
/// Wishes that exclude each other, a source that there is not, or nothing that fits.
pub fn recommend<'c>(catalog: &'c Catalog, wanted: &Use) -> Result<Recommendation<'c>, PlanError> {
    if wanted.geo && wanted.no_ha {
        return Err(PlanError::GeoWithoutHa);
    }
    if let Some(module) = wanted.modules.iter().find(|module| wanted.geo && !module.in_geo()) {
        return Err(PlanError::GeoModule(module.name()));
    }
    let share = memory_share(catalog, wanted)?;
    let need = need(wanted);
    let (class, target) = choose(catalog, wanted, share, &need)?;
    let alternatives = (Series::ALL.into_iter())
        .filter(|series| *series != target.series && wanted.series.is_empty())
        .filter(|series| *series != Series::A || need.memory as f64 / 1e9 >= FLASH_FROM_GB)
        .filter_map(|series| smallest(catalog, &need, |sku| sku.series == series))
        .map(|sku| Alternative { sku, when: when(sku.series) })
        .collect();
    let rejected = (catalog.targets.rows.iter())
        .filter(|sku| wanted.series.is_empty() || wanted.series.contains(&sku.series))
        .map(|sku| (sku, fit::misfits(catalog, sku, &need)))
        .filter(|(_, why)| !why.is_empty())
        .map(|(sku, why)| Rejected { sku: sku.sku.clone(), why: why.join("; ") })
        .collect();
    Ok(Recommendation {
        target,
        ha: !wanted.no_ha,
        class,
        reasons: reasons(catalog, wanted, share, &need, class, target),
        alternatives,
        rejected,
        notes: notes(catalog, wanted, &need, target),
    })
}

/// Percent of the source's memory for data that its data take.
fn memory_share(catalog: &Catalog, wanted: &Use) -> Result<Option<f64>, PlanError> {
    let Some(source) = &wanted.source else { return Ok(None) };
    let sku = source_of(catalog, source.tier, &source.sku)?;
    let shards = source.shards.filter(|shards| *shards > 0);
    if shards.is_some() && source.tier != Tier::Premium {
        return Err(PlanError::ShardsWithoutCluster(source.tier.to_string()));
    }
    let max = catalog.prices.max_shards;
    if let Some(given) = shards.filter(|shards| *shards > max) {
        return Err(PlanError::Shards { given, what: "a premium cache has", max, hint: "" });
    }
    let reserved = match (wanted.maxmemory_reserved, wanted.maxfragmentation_reserved) {
        (None, None) => (sku.gb - sku.usable_gb) * 1e9,
        (memory, fragmentation) => (memory.unwrap_or(0) + fragmentation.unwrap_or(0)) as f64,
    };
    let usable = (sku.gb * 1e9 - reserved) * f64::from(shards.unwrap_or(1));
    Ok((usable > 0.0).then(|| memory(wanted) as f64 / usable * 100.0))
}

fn memory(wanted: &Use) -> u64 {
    wanted.peak.unwrap_or(0).max(wanted.used_memory.unwrap_or(0))
}

fn need(wanted: &Use) -> Need {
    let shards = wanted.source.as_ref().and_then(|source| source.shards).unwrap_or(1).max(1);
    Need {
        memory: memory(wanted),
        connections: wanted.connections,
        busy_cores: wanted.server_load.map(|load| load / 100.0 * f64::from(shards)),
        bandwidth: wanted.bandwidth,
        ops: wanted.ops,
        modules: wanted.modules.clone(),
        geo: wanted.geo,
    }
}

fn choose<'c>(
    catalog: &'c Catalog,
    wanted: &Use,
    share: Option<f64>,
    need: &Need,
) -> Result<(Class, &'c Sku), PlanError> {
    if !wanted.series.is_empty() {
        let target = smallest(catalog, need, |sku| wanted.series.contains(&sku.series));
        return target.map(|sku| (Class::Chosen, sku)).ok_or_else(|| nothing(catalog, wanted, need));
    }
    let class = class(share, wanted.server_load);
    let target = smallest(catalog, need, |sku| allowed(class, sku));
    let for_memory = smallest(catalog, &need.capacity(), |sku| allowed(class, sku));
    // Something other than the memory asks for a larger one: more vCPUs may do it in a smaller one.
    if class != Class::Compute && for_memory.is_some() && target != for_memory {
        let busy = smallest(catalog, need, |sku| allowed(class, sku) || allowed(Class::Busy, sku));
        if let Some(sku) = busy {
            return Ok((Class::Busy, sku));
        }
    }
    // Larger than its series has: any of the others, Flash last.
    target
        .or_else(|| smallest(catalog, need, |sku| sku.series != Series::A))
        .or_else(|| smallest(catalog, need, |_| true))
        .map(|sku| (class, sku))
        .ok_or_else(|| nothing(catalog, wanted, need))
}

/// The guide's decision matrix. What is not known is taken as undecided, and undecided is Balanced.
fn class(share: Option<f64>, load: Option<f64>) -> Class {
    match (share, load) {
        (share, Some(load)) if load > LOAD_HIGH && share.is_none_or(|share| share < MEMORY_LOW) => {
            Class::Compute
        }
        (Some(share), Some(load)) if share > MEMORY_HIGH && load < LOAD_LOW => Class::Memory,
        _ => Class::Balanced,
    }
}

fn allowed(class: Class, sku: &Sku) -> bool {
    match (class, sku.series) {
        (Class::Memory, Series::B) => sku.gb < SMALLEST_M_GB,
        (Class::Memory, series) => series == Series::M,
        (Class::Balanced, series) => series == Series::B,
        (Class::Compute, series) => series == Series::X,
        (Class::Busy, series) => matches!(series, Series::B | Series::X),
        (Class::Chosen, _) => true,
    }
}

fn smallest<'c>(catalog: &'c Catalog, need: &Need, among: impl Fn(&Sku) -> bool) -> Option<&'c Sku> {
    (catalog.targets.rows.iter())
        .filter(|sku| among(sku) && fit::misfits(catalog, sku, need).is_empty())
        .min_by(|a, b| size(a, b))
}

/// By size, then by vCPUs.
fn size(a: &Sku, b: &Sku) -> Ordering {
    a.gb.total_cmp(&b.gb).then(a.vcpus.cmp(&b.vcpus))
}

fn nothing(catalog: &Catalog, wanted: &Use, need: &Need) -> PlanError {
    let names: Vec<&str> = wanted.series.iter().map(|series| series.as_str()).collect();
    let among = if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) };
    let largest = (catalog.targets.rows.iter())
        .filter(|sku| wanted.series.is_empty() || wanted.series.contains(&sku.series))
        .max_by(|a, b| size(a, b));
    let why = largest.map_or("there is none".to_owned(), |sku| {
        let why = fit::misfits(catalog, sku, need);
        format!("the largest, {}, has {}", sku.sku, why.join("; "))
    });
    PlanError::NothingFits { among, why }
}

fn when(series: Series) -> &'static str {
    match series {
        Series::M => "most memory for the price, when the server load is low",
        Series::B => "when nothing stands out",
        Series::X => "most vCPUs for the memory, when the server load is high",
        Series::A => "very large and cost-sensitive, when most reads go to few of the keys",
    }
}

fn reasons(
    catalog: &Catalog,
    wanted: &Use,
    share: Option<f64>,
    need: &Need,
    class: Class,
    target: &Sku,
) -> Vec<String> {
    let mut reasons = vec![match class {
        Class::Memory => format!("much memory, little load ({}): memory optimized", situation(share, wanted)),
        Class::Compute => {
            format!("high load, little memory ({}): compute optimized", situation(share, wanted))
        }
        Class::Balanced => format!("no side stands out ({}): balanced", situation(share, wanted)),
        Class::Busy => {
            "connections or traffic ask for more than the memory does: balanced or compute optimized"
                .to_owned()
        }
        Class::Chosen => "the series was chosen by --series".to_owned(),
    }];
    reasons.push(format!("memory: {} of {} GB for data", fit::gb(need.memory), target.usable_gb));
    let measured = fit::measured(catalog, target);
    if let Some(connections) = need.connections {
        reasons.push(format!("connections: {connections} of {}", target.max_connections));
    }
    if let Some(busy) = need.busy_cores {
        let share = busy / f64::from(measured.primary_shards) * 100.0;
        reasons.push(format!(
            "server load: {busy:.2} busy cores are {share:.0} % of its {} primary shards",
            measured.primary_shards
        ));
    }
    if let Some(ops) = need.ops {
        reasons.push(format!("operations: {ops}/s of at least {}/s measured", measured.gets_per_sec));
    }
    if let Some(bandwidth) = need.bandwidth {
        reasons.push(format!("bandwidth: {}/s, within what was measured", fit::gb(bandwidth)));
    }
    for module in &need.modules {
        reasons.push(format!("module: {} is offered", module.name()));
    }
    if need.geo {
        reasons.push("active geo-replication is offered".into());
    }
    reasons
}

fn situation(share: Option<f64>, wanted: &Use) -> String {
    let share = share.map_or("fill of the source not known".to_owned(), |share| {
        format!("{share:.0} % of its memory used")
    });
    let load =
        wanted.server_load.map_or("server load not known".to_owned(), |load| format!("server load {load} %"));
    format!("{share}, {load}")
}

fn notes(catalog: &Catalog, wanted: &Use, need: &Need, target: &Sku) -> Vec<String> {
    let mut notes: Vec<String> = fit::contradiction(catalog, target).into_iter().collect();
    if need.memory as f64 > target.usable_bytes() as f64 * 0.9 {
        notes.push("full to more than 90 %: enough with an eviction policy, else take the next size".into());
    }
    if wanted.source.is_none()
        && (wanted.maxmemory_reserved.is_some() || wanted.maxfragmentation_reserved.is_some())
    {
        notes.push(
            "reserved memory says how full the source is, which needs its --tier and --sku; Azure Managed Redis \
             sets aside its own 20 %"
                .into(),
        );
    }
    if need.modules.contains(&Module::Search) {
        notes.push("RediSearch needs the Enterprise clustering policy and NoEviction".into());
    }
    if target.burstable {
        notes.push("its vCPUs are shared and slow down under lasting load".into());
    }
    if target.preview {
        notes.push(format!("{} was in preview in {}", target.sku, catalog.targets.date));
    }
    if wanted.no_ha {
        notes.push("without high availability: for development and test only".into());
    }
    notes
}
