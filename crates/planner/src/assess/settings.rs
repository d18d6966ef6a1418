//! Settings of the new database that follow from the old ones.

use serde::Serialize;

use super::Inventory;
use crate::catalog::Catalog;
use crate::sku::Module;

/// What is dropped when the memory is full.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Eviction {
    /// As the resource of Azure Managed Redis has it.
    pub policy: String,
    pub reason: String,
}

/// What is kept on disk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Persistence {
    /// `none`, `aof` or `rdb`.
    pub kind: &'static str,
    /// `1s`, `1h`, `6h` or `12h`.
    pub frequency: Option<&'static str>,
    pub reason: String,
}

pub(super) fn eviction(catalog: &Catalog, inventory: &Inventory) -> Eviction {
    let policies = &catalog.eviction;
    if inventory.wishes.modules.contains(&Module::Search) {
        return Eviction { policy: "NoEviction".into(), reason: "RediSearch needs it".into() };
    }
    let azure = |redis: &str| policies.rows.iter().find(|row| row.redis.eq_ignore_ascii_case(redis));
    let source = source_eviction(inventory);
    match source.as_deref().map(|redis| (redis, azure(redis))) {
        Some((redis, Some(row))) => {
            Eviction { policy: row.azure.clone(), reason: format!("as the source has it ({redis})") }
        }
        Some((redis, None)) => Eviction {
            policy: policies.default.clone(),
            reason: format!("the default; the source's {redis:?} is not known there"),
        },
        None => Eviction {
            policy: policies.default.clone(),
            reason: "the default of both services; the source did not tell its own".into(),
        },
    }
}

/// In Redis's words.
pub(super) fn source_eviction(inventory: &Inventory) -> Option<String> {
    let of_live = || inventory.live.as_ref()?.nodes.first()?.text("maxmemory_policy").map(str::to_owned);
    inventory.resource.as_ref().and_then(|resource| resource.eviction.clone()).or_else(of_live)
}

pub(super) fn persistence(inventory: &Inventory) -> Persistence {
    let none = |reason: &str| Persistence { kind: "none", frequency: None, reason: reason.into() };
    let Some(resource) = &inventory.resource else { return none("the resource was not given") };
    if !resource.linked.is_empty() {
        return none("a member of an active geo-replication group cannot have any");
    }
    match (resource.aof, resource.rdb_minutes) {
        (true, _) => Persistence {
            kind: "aof",
            frequency: Some("1s"),
            reason: "as the source has it; on managed disks, no storage account is needed".into(),
        },
        (false, Some(minutes)) => {
            let frequency = match minutes {
                0..=60 => "1h",
                61..=360 => "6h",
                _ => "12h",
            };
            let reason = format!(
                "the source saves every {minutes} minutes; on managed disks, no storage account is needed"
            );
            Persistence { kind: "rdb", frequency: Some(frequency), reason }
        }
        (false, None) => none("the source has none"),
    }
}
