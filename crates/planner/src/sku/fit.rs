//! Whether a SKU carries a load, dimension by dimension.

use super::Module;
use crate::catalog::{Catalog, Sku, Throughput};
use crate::features;

/// Share of a primary shard's time that may be busy: above it the guide takes a server for overloaded.
const BUSY: f64 = 0.7;

/// Bytes that each GET of the measurements brought.
const MEASURED_VALUE: u64 = 1024;

/// What a SKU must carry.
#[derive(Clone, Debug, Default)]
pub(super) struct Need {
    /// Bytes of data at the peak.
    pub(super) memory: u64,
    pub(super) connections: Option<u64>,
    /// Cores that commands keep busy on the source.
    pub(super) busy_cores: Option<f64>,
    /// Bytes per second.
    pub(super) bandwidth: Option<u64>,
    pub(super) ops: Option<u64>,
    pub(super) modules: Vec<Module>,
    pub(super) geo: bool,
}

impl Need {
    /// What does not depend on how busy the cache is.
    pub(super) fn capacity(&self) -> Need {
        Need { memory: self.memory, modules: self.modules.clone(), geo: self.geo, ..Need::default() }
    }
}

/// Why the SKU does not do; empty when it does.
pub(super) fn misfits(catalog: &Catalog, sku: &Sku, need: &Need) -> Vec<String> {
    let mut why = Vec::new();
    let measured = measured(catalog, sku);
    if sku.usable_bytes() < need.memory {
        let mut text = format!("memory: {} is above its {} GB for data", gb(need.memory), sku.usable_gb);
        if let Some(guide) = sku.guide.filter(|guide| (guide.usable_gb * 1e9) as u64 >= need.memory) {
            text.push_str(&format!(
                " ({}; the guide of {} has {} GB)",
                catalog.targets.sizes.date, catalog.targets.date, guide.usable_gb
            ));
        }
        why.push(text);
    }
    if let Some(connections) = need.connections.filter(|connections| *connections > sku.max_connections) {
        why.push(format!("connections: {connections} are above its {}", sku.max_connections));
    }
    if let Some(busy) = need.busy_cores.filter(|busy| *busy > BUSY * f64::from(measured.primary_shards)) {
        why.push(format!(
            "server load: {busy:.2} busy cores would fill its {} primary shards above {:.0} %",
            measured.primary_shards,
            BUSY * 100.0
        ));
    }
    if let Some(ops) = need.ops.filter(|ops| *ops > measured.gets_per_sec) {
        why.push(format!("operations: {ops}/s are above the {}/s measured for it", measured.gets_per_sec));
    }
    let moved = measured.gets_per_sec * MEASURED_VALUE;
    if let Some(bandwidth) = need.bandwidth.filter(|bandwidth| *bandwidth > moved) {
        why.push(format!("bandwidth: {}/s are above the {}/s measured for it", gb(bandwidth), gb(moved)));
    }
    for module in &need.modules {
        let mut rows = catalog.features.rows.iter();
        let offered = rows
            .find(|row| row.id == module.feature())
            .is_some_and(|row| features::has(row.cells.of_series(sku.series)));
        if !offered {
            why.push(format!("module: {} is not offered", module.name()));
        }
    }
    if need.geo && sku.no_geo {
        why.push("active geo-replication is not offered".into());
    }
    why
}

/// The row of measurements for the most vCPUs that the SKU has at least. What more of them do was not measured.
pub(super) fn measured<'c>(catalog: &'c Catalog, sku: &Sku) -> &'c Throughput {
    const NOTHING: &Throughput =
        &Throughput { vcpus: 0, burstable: false, gets_per_sec: 0, primary_shards: 0 };
    (catalog.throughput.rows.iter())
        .filter(|row| row.burstable == sku.burstable && row.vcpus <= sku.vcpus)
        .max_by_key(|row| row.vcpus)
        .unwrap_or(NOTHING)
}

/// What is published about the SKU's size that does not agree.
pub(super) fn contradiction(catalog: &Catalog, sku: &Sku) -> Option<String> {
    let guide = sku.guide?;
    Some(format!(
        "{} has {} GB, {} for data (published {}); the guide of {} has {} and {}",
        sku.sku,
        sku.gb,
        sku.usable_gb,
        catalog.targets.sizes.date,
        catalog.targets.date,
        guide.gb,
        guide.usable_gb
    ))
}

/// Bytes as Azure counts gigabytes.
pub(super) fn gb(bytes: u64) -> String {
    let gb = bytes as f64 / 1e9;
    format!("{} GB", if gb < 1.0 { (gb * 1000.0).round() / 1000.0 } else { (gb * 10.0).ceil() / 10.0 })
}
