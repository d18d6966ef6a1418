//! `redferry sku`: the guide's mapping, recommendations, the list.

use planner::Catalog;
use planner::catalog::Sku;
use planner::sku::{self, Mapping, Recommendation, Source, Use};
use serde_json::{Value, json};

use super::table::aligned;
use crate::args::{ListArgs, MapArgs, RecommendArgs, SkuCommand};
use crate::exit::{Code, Exit};
use crate::report::line;

/// Rejected SKUs that the terminal shows; the JSON document has all.
const REJECTED: usize = 6;

/// Runs the command.
pub(crate) fn run(command: &SkuCommand) -> Exit {
    let (name, done) = match command {
        SkuCommand::Map(args) => ("sku map", map(args)),
        SkuCommand::Recommend(args) => ("sku recommend", recommend(args)),
        SkuCommand::List(args) => ("sku list", list(args)),
    };
    match done {
        Ok(exit) | Err(exit) => exit.of(name),
    }
}

fn map(args: &MapArgs) -> Result<Exit, Exit> {
    let catalog = super::catalog(&args.catalog)?;
    let source = sku::source(&catalog, &args.sku).map_err(super::refused)?;
    let tier = sku::tier_of(source, args.tier).map_err(super::refused)?;
    let mapping = sku::map(&catalog, tier, &args.sku, args.shards).map_err(super::refused)?;
    Ok(Exit::new(Code::Equal, map_document(&mapping), map_text(&mapping)))
}

fn map_document(mapping: &Mapping<'_>) -> Value {
    let alternatives: Vec<&str> = mapping.alternatives.iter().map(|sku| sku.sku.as_str()).collect();
    let skus: Vec<Value> =
        std::iter::once(mapping.target).chain(mapping.alternatives.iter().copied()).map(specs).collect();
    json!({
        "tier": mapping.tier,
        "sku": mapping.source.sku,
        "shards": mapping.shards,
        "source_usable_gb": mapping.source_usable_gb,
        "target": mapping.target.sku,
        "target_name": mapping.target.resource_name(),
        "alternatives": alternatives,
        "decides": mapping.decides,
        "advertised_gb": mapping.target.gb,
        "usable_gb": mapping.target.usable_gb,
        "ha": mapping.ha,
        "vcpus": mapping.target.vcpus,
        "max_connections": mapping.target.max_connections,
        "skus": skus,
        "notes": mapping.notes,
        "published": mapping.origin,
    })
}

fn map_text(mapping: &Mapping<'_>) -> String {
    let mut out = String::new();
    let shards = mapping.shards.map_or(String::new(), |shards| format!(", {shards} shards"));
    line(
        &mut out,
        "source",
        &format!("{} {}{shards}: {} GB for data", mapping.tier, mapping.source.sku, mapping.source_usable_gb),
    );
    line(&mut out, "target", &described(mapping.target, mapping.ha));
    for other in &mapping.alternatives {
        line(&mut out, "or", &described(other, mapping.ha));
    }
    if let Some(decides) = &mapping.decides {
        line(&mut out, "decides", decides);
    }
    for note in &mapping.notes {
        line(&mut out, "note", note);
    }
    line(&mut out, "by", &format!("{} ({})", mapping.origin.source, mapping.origin.date));
    out
}

fn recommend(args: &RecommendArgs) -> Result<Exit, Exit> {
    let catalog = super::catalog(&args.catalog)?;
    let source = match &args.sku {
        None => None,
        Some(name) => {
            let found = sku::source(&catalog, name).map_err(super::refused)?;
            let tier = sku::tier_of(found, args.tier).map_err(super::refused)?;
            Some(Source { tier, sku: found.sku.clone(), shards: args.shards })
        }
    };
    let wanted = Use {
        source,
        used_memory: args.used_memory,
        peak: args.peak,
        maxmemory_reserved: args.maxmemory_reserved,
        maxfragmentation_reserved: args.maxfragmentation_reserved,
        server_load: args.server_load,
        connections: args.connections,
        bandwidth: args.bandwidth,
        ops: args.ops,
        no_ha: args.no_ha,
        modules: args.modules.clone(),
        geo: args.geo,
        series: args.series.clone(),
    };
    let found = sku::recommend(&catalog, &wanted).map_err(super::refused)?;
    Ok(Exit::new(Code::Equal, recommend_document(&found), recommend_text(&catalog, &found)))
}

fn recommend_document(found: &Recommendation<'_>) -> Value {
    let alternatives: Vec<Value> =
        found.alternatives.iter().map(|other| json!({ "sku": other.sku.sku, "when": other.when })).collect();
    json!({
        "target": found.target.sku,
        "target_name": found.target.resource_name(),
        "advertised_gb": found.target.gb,
        "usable_gb": found.target.usable_gb,
        "ha": found.ha,
        "vcpus": found.target.vcpus,
        "max_connections": found.target.max_connections,
        "class": found.class,
        "reasons": found.reasons,
        "alternatives": alternatives,
        "rejected": found.rejected,
        "notes": found.notes,
    })
}

fn recommend_text(catalog: &Catalog, found: &Recommendation<'_>) -> String {
    let mut out = String::new();
    line(&mut out, "target", &described(found.target, found.ha));
    for (index, reason) in found.reasons.iter().enumerate() {
        line(&mut out, if index == 0 { "because" } else { "" }, reason);
    }
    for note in &found.notes {
        line(&mut out, "note", note);
    }
    for other in &found.alternatives {
        line(&mut out, "or", &format!("{}: {}", described(other.sku, found.ha), other.when));
    }
    // The next smaller ones of the same series tell most.
    let (mut near, others): (Vec<_>, Vec<_>) = found.rejected.iter().partition(|rejected| {
        sku::target(catalog, &rejected.sku).is_ok_and(|sku| sku.series == found.target.series)
    });
    near.reverse();
    let shown = near.into_iter().chain(others).take(REJECTED);
    for (index, rejected) in shown.enumerate() {
        let label = if index == 0 { "not" } else { "" };
        line(&mut out, label, &format!("{}: {}", rejected.sku, rejected.why));
    }
    if found.rejected.len() > REJECTED {
        let more = found.rejected.len() - REJECTED;
        line(&mut out, "", &format!("and {more} more, which --output json tells"));
    }
    out
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let catalog = super::catalog(&args.catalog)?;
    let skus = sku::list(&catalog, args.series);
    let documents: Vec<Value> = skus.iter().map(|sku| specs(sku)).collect();
    let document = json!({
        "skus": documents,
        "published": catalog.targets.date,
        "sizes_published": catalog.targets.sizes.date,
    });
    Ok(Exit::new(Code::Equal, document, list_text(&catalog, &skus)))
}

fn list_text(catalog: &Catalog, skus: &[&Sku]) -> String {
    let heads = ["SKU", "GB", "for data", "vCPUs", "connections", ""];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(skus.iter().map(|sku| {
        let mut remarks = Vec::new();
        if sku.burstable {
            remarks.push("burstable".to_owned());
        }
        if sku.no_geo {
            remarks.push("no geo-replication".to_owned());
        }
        if let (Some(ram), Some(disk)) = (sku.ram_gib, sku.disk_gib) {
            remarks.push(format!("{ram} GiB memory, {disk} GiB disk"));
        }
        if sku.preview {
            remarks.push(format!("preview in {}", catalog.targets.date));
        }
        if let Some(guide) = sku.guide {
            remarks.push(format!(
                "size published {}; {}: {} GB",
                catalog.targets.sizes.date, catalog.targets.date, guide.gb
            ));
        }
        if sku.derived.iter().any(|field| field == "usable_gb") {
            remarks.push("80 % of it for data: worked out".to_owned());
        }
        vec![
            sku.resource_name(),
            sku.gb.to_string(),
            sku.usable_gb.to_string(),
            sku.vcpus.to_string(),
            sku.max_connections.to_string(),
            remarks.join("; "),
        ]
    }));
    aligned(&rows, &[1, 2, 3, 4])
}

fn described(sku: &Sku, ha: bool) -> String {
    format!(
        "{} ({}): {} GB, {} for data, {} vCPUs, {} connections, {}",
        sku.sku,
        sku.resource_name(),
        sku.gb,
        sku.usable_gb,
        sku.vcpus,
        sku.max_connections,
        if ha { "HA" } else { "no HA" }
    )
}

fn specs(sku: &Sku) -> Value {
    json!({
        "sku": sku.sku,
        "name": sku.resource_name(),
        "series": sku.series,
        "advertised_gb": sku.gb,
        "usable_gb": sku.usable_gb,
        "guide": sku.guide,
        "vcpus": sku.vcpus,
        "burstable": sku.burstable,
        "max_connections": sku.max_connections,
        "geo_replication": !sku.no_geo,
        "preview": sku.preview,
        "ram_gib": sku.ram_gib,
        "disk_gib": sku.disk_gib,
        "derived": sku.derived,
    })
}
