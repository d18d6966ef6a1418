//! What the form of a file alone does not hold: that tables agree with each other.

use std::collections::BTreeSet;

use super::multikey::OTHERS;
use super::{Catalog, CatalogError, Condition, Effect, Reach, Situation};
use crate::tier::Tier;

pub(super) fn references(catalog: &Catalog) -> Result<(), CatalogError> {
    targets(catalog)?;
    sources(catalog)?;
    mapping(catalog)?;
    features(catalog)?;
    changes(catalog)?;
    multikey(catalog)?;
    events(catalog)?;
    prices(catalog)?;
    eviction(catalog)
}

fn targets(catalog: &Catalog) -> Result<(), CatalogError> {
    let file = "targets.json";
    unique(file, catalog.targets.rows.iter().map(|row| row.sku.as_str()))?;
    for row in &catalog.targets.rows {
        let sku = &row.sku;
        let sized = row.gb > row.usable_gb && row.usable_gb > 0.0 && row.vcpus > 0 && row.max_connections > 0;
        ensure(sized, file, || format!("{sku}: a size, vCPUs or connections cannot be"))?;
        ensure(sku.starts_with(&format!("{:?}", row.series)), file, || {
            format!("{sku} is not of its series")
        })?;
        let mut measured = catalog.throughput.rows.iter();
        let known =
            measured.any(|measured| measured.burstable == row.burstable && measured.vcpus <= row.vcpus);
        derived(file, sku, &row.derived, &["gb", "usable_gb", "vcpus", "max_connections"])?;
        ensure(known, "throughput.json", || format!("no row for the vCPUs of {sku}"))?;
    }
    Ok(())
}

fn sources(catalog: &Catalog) -> Result<(), CatalogError> {
    let file = "sources.json";
    unique(file, catalog.sources.rows.iter().map(|row| row.sku.as_str()))?;
    catalog.sources.rows.iter().try_for_each(|row| {
        let sized = row.gb > row.usable_gb && row.usable_gb > 0.0 && !row.tiers.is_empty();
        ensure(sized, file, || format!("{}: a size or the tiers cannot be", row.sku))?;
        derived(file, &row.sku, &row.derived, &["gb", "usable_gb", "max_connections", "databases"])
    })
}

/// Every SKU of every tier has exactly one row, and with shards one row for each number of them from 1 on.
fn mapping(catalog: &Catalog) -> Result<(), CatalogError> {
    let file = "mapping.json";
    let tables = &catalog.mapping;
    let named = tables.basic_standard.rows.iter().flat_map(|row| &row.targets);
    let named = named.chain(tables.premium.rows.iter().flat_map(|row| &row.targets));
    for target in named.chain(tables.premium_clustered.rows.iter().map(|row| &row.target)) {
        let known = catalog.targets.rows.iter().any(|row| row.sku == *target);
        ensure(known, file, || format!("{target} is not in targets.json"))?;
    }
    let rows: Vec<(Tier, &str, bool)> = (tables.basic_standard.rows.iter())
        .map(|row| (row.tier, row.sku.as_str(), row.targets.is_empty()))
        .chain(
            tables.premium.rows.iter().map(|row| (Tier::Premium, row.sku.as_str(), row.targets.is_empty())),
        )
        .collect();
    ensure(rows.iter().all(|(_, _, empty)| !empty), file, || "a row has no target".into())?;
    let given: BTreeSet<(Tier, &str)> = rows.iter().map(|(tier, sku, _)| (*tier, *sku)).collect();
    let sold: BTreeSet<(Tier, &str)> = (catalog.sources.rows.iter())
        .flat_map(|row| row.tiers.iter().map(|tier| (*tier, row.sku.as_str())))
        .collect();
    ensure(given == sold && given.len() == rows.len(), file, || {
        let differ: Vec<&(Tier, &str)> = given.symmetric_difference(&sold).collect();
        format!("not exactly one row for each SKU of sources.json: {differ:?}")
    })?;
    for (_, sku) in sold.iter().filter(|(tier, _)| *tier == Tier::Premium) {
        let mut next = 1;
        for row in tables.premium_clustered.rows.iter().filter(|row| row.sku == *sku) {
            let follows = row.shards.0 == next && row.shards.1 >= next;
            ensure(follows, file, || format!("{sku}: {:?} shards do not follow {}", row.shards, next - 1))?;
            next = row.shards.1 + 1;
        }
        ensure(next > 1, file, || format!("{sku} has no row for shards"))?;
    }
    tables.premium_clustered.rows.iter().try_for_each(|row| {
        let known = sold.contains(&(Tier::Premium, row.sku.as_str()));
        ensure(known, file, || format!("{} is no Premium SKU of sources.json", row.sku))
    })
}

fn features(catalog: &Catalog) -> Result<(), CatalogError> {
    let file = "features.json";
    unique(file, catalog.features.rows.iter().map(|row| row.id.as_str()))?;
    for module in crate::sku::Module::ALL {
        let id = module.feature();
        let known = catalog.features.rows.iter().any(|row| row.id == id);
        ensure(known, file, || format!("no row {id}, which tells where the module is offered"))?;
    }
    catalog.features.rows.iter().try_for_each(|row| {
        let told = row.remedy.is_some() || !crate::features::may_be_lost(row);
        ensure(told, file, || format!("{}: it may be lost, and there is no remedy", row.id))
    })
}

fn changes(catalog: &Catalog) -> Result<(), CatalogError> {
    unique("changes.json", catalog.changes.rows.iter().map(|row| row.id.as_str()))
}

fn multikey(catalog: &Catalog) -> Result<(), CatalogError> {
    let (file, rows) = ("multikey.json", &catalog.multikey.rows);
    unique(file, rows.iter().map(|row| row.id.as_str()))?;
    unique(file, rows.iter().flat_map(|row| row.all()))?;
    for id in [OTHERS, "transactions", "scripts"] {
        ensure(rows.iter().any(|row| row.id == id), file, || format!("no row {id}"))?;
    }
    for row in rows {
        let policies = [row.no_cluster, row.oss_cluster, row.enterprise_cluster];
        ensure(!policies.contains(&Reach::AsPolicy), file, || {
            format!("{}: a policy cannot be as the policy", row.id)
        })?;
        for command in row.all().filter(|_| row.geo == Reach::Refused) {
            let blocked = catalog.commands.rows.iter().any(|blocked| {
                blocked.command == command
                    && blocked.effect == Effect::Blocked
                    && blocked.when.contains(&Condition::Situation(Situation::Geo))
            });
            ensure(blocked, file, || format!("{command} is refused, and commands.json does not block it"))?;
        }
    }
    Ok(())
}

fn events(catalog: &Catalog) -> Result<(), CatalogError> {
    unique("dates.json", catalog.dates.rows.iter().map(|row| row.id.as_str()))?;
    catalog.dates.rows.iter().try_for_each(|row| {
        ensure(row.date.days().is_some(), "dates.json", || format!("{}: {} is no day", row.id, row.date))
    })
}

fn prices(catalog: &Catalog) -> Result<(), CatalogError> {
    let (file, prices) = ("prices.json", &catalog.prices);
    ensure(prices.meter.contains("{sku}"), file, || "the meter has no {sku} in it".into())?;
    ensure(prices.hours_per_month > 0.0, file, || "a month has no hours".into())?;
    prices.snapshot.rows.iter().try_for_each(|row| {
        let targets = catalog.targets.rows.iter().map(|target| &target.sku);
        let mut known = targets.chain(catalog.sources.rows.iter().map(|source| &source.sku));
        ensure(known.any(|sku| *sku == row.sku), file, || {
            format!("{} is neither in sources.json nor in targets.json", row.sku)
        })?;
        ensure(row.node_hour > 0.0, file, || format!("{}: a price of {}", row.sku, row.node_hour))
    })
}

fn eviction(catalog: &Catalog) -> Result<(), CatalogError> {
    let (file, eviction) = ("eviction.json", &catalog.eviction);
    unique(file, eviction.rows.iter().map(|row| row.azure.as_str()))?;
    unique(file, eviction.rows.iter().map(|row| row.redis.as_str()))?;
    let known = eviction.rows.iter().any(|row| row.azure == eviction.default);
    ensure(known, file, || format!("the default {} is in no row", eviction.default))
}

/// What is said to be worked out are fields of the row.
fn derived(file: &str, row: &str, given: &[String], fields: &[&str]) -> Result<(), CatalogError> {
    given.iter().try_for_each(|field| {
        ensure(fields.contains(&field.as_str()), file, || {
            format!("{row}: derived {field} is no number of it")
        })
    })
}

fn unique<'a>(file: &str, names: impl Iterator<Item = &'a str>) -> Result<(), CatalogError> {
    let mut seen = BTreeSet::new();
    for name in names {
        ensure(seen.insert(name), file, || format!("{name} is there twice"))?;
    }
    Ok(())
}

fn ensure(holds: bool, file: &str, problem: impl FnOnce() -> String) -> Result<(), CatalogError> {
    if holds { Ok(()) } else { Err(CatalogError { file: file.to_owned(), problem: problem() }) }
}
