//! The guide's mapping, row by row.

use super::{source_of, target};
use crate::catalog::{Catalog, Origin, Sku, SourceSku};
use crate::{PlanError, Tier};

/// What the guide says for a cache.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping<'c> {
    pub tier: Tier,
    pub source: &'c SourceSku,
    /// None without clustering.
    pub shards: Option<u32>,
    /// Of the whole cache, with the reservations that Azure makes when nobody sets others.
    pub source_usable_gb: f64,
    /// The table's first choice.
    pub target: &'c Sku,
    pub alternatives: Vec<&'c Sku>,
    pub ha: bool,
    /// What decides between the target and its alternatives.
    pub decides: Option<String>,
    /// What to know about this row.
    pub notes: Vec<String>,
    pub origin: Origin,
}

/// Looks the cache up in the guide's tables. No shards, or none given, is a cache without clustering.
///
/// # Errors
/// No such SKU in that tier, shards where there are none, or more than the table has.
pub fn map<'c>(
    catalog: &'c Catalog,
    tier: Tier,
    sku: &str,
    shards: Option<u32>,
) -> Result<Mapping<'c>, PlanError> {
    let source = source_of(catalog, tier, sku)?;
    let shards = shards.filter(|shards| *shards > 0);
    if shards.is_some() && tier != Tier::Premium {
        return Err(PlanError::ShardsWithoutCluster(tier.to_string()));
    }
    let (names, ha, origin) = row(catalog, tier, source, shards)?;
    let mut skus = names.iter().map(|name| target(catalog, name));
    let first = skus.next().ok_or_else(|| target(catalog, "").unwrap_err())??;
    let alternatives: Vec<&Sku> = skus.collect::<Result<_, _>>()?;
    let mut mapping = Mapping {
        tier,
        source,
        shards,
        source_usable_gb: tidy(source.usable_gb * f64::from(shards.unwrap_or(1))),
        target: first,
        decides: alternatives.first().map(|other| {
            format!(
                "the peak of used memory: up to {} GB {}, above that {}",
                first.usable_gb, first.sku, other.sku
            )
        }),
        alternatives,
        ha,
        notes: Vec::new(),
        origin,
    };
    mapping.notes = notes(catalog, &mapping);
    Ok(mapping)
}

type Row<'c> = (Vec<&'c str>, bool, Origin);

fn row<'c>(
    catalog: &'c Catalog,
    tier: Tier,
    source: &SourceSku,
    shards: Option<u32>,
) -> Result<Row<'c>, PlanError> {
    let tables = &catalog.mapping;
    let missing = || PlanError::UnknownSku { given: source.sku.clone(), known: "no row for it".into() };
    match (tier, shards) {
        (Tier::Basic | Tier::Standard, _) => {
            let mut rows = tables.basic_standard.rows.iter();
            let row = rows.find(|row| row.tier == tier && row.sku == source.sku).ok_or_else(missing)?;
            Ok((row.targets.iter().map(String::as_str).collect(), row.ha, tables.basic_standard.origin()))
        }
        (Tier::Premium, None) => {
            let mut rows = tables.premium.rows.iter();
            let row = rows.find(|row| row.sku == source.sku).ok_or_else(missing)?;
            Ok((row.targets.iter().map(String::as_str).collect(), tier.ha(), tables.premium.origin()))
        }
        (Tier::Premium, Some(shards)) => {
            let rows = || tables.premium_clustered.rows.iter().filter(|row| row.sku == source.sku);
            let row = rows().find(|row| (row.shards.0..=row.shards.1).contains(&shards));
            let row = row.ok_or_else(|| PlanError::Shards {
                given: shards,
                what: "the guide's table has",
                max: rows().map(|row| row.shards.1).max().unwrap_or(0),
                hint: "; for more, `redferry sku recommend` with the memory that is used",
            })?;
            Ok((vec![row.target.as_str()], tier.ha(), tables.premium_clustered.origin()))
        }
    }
}

fn notes(catalog: &Catalog, mapping: &Mapping<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let guide = mapping.origin.date;
    for sku in std::iter::once(mapping.target).chain(mapping.alternatives.iter().copied()) {
        if let Some(size) = super::fit::contradiction(catalog, sku) {
            notes.push(size);
        }
    }
    let last = mapping.alternatives.last().unwrap_or(&mapping.target);
    if last.usable_gb < mapping.source_usable_gb {
        let mut larger = super::list(catalog, Some(last.series));
        larger.retain(|sku| sku.usable_gb >= mapping.source_usable_gb);
        notes.push(format!(
            "a source filled to its {} GB does not fit into the {} GB of {}: then {}",
            mapping.source_usable_gb,
            last.usable_gb,
            last.sku,
            larger.first().map_or("use `redferry sku recommend`".to_owned(), |sku| sku.sku.clone()),
        ));
    }
    if mapping.target.preview {
        notes.push(format!("{} was in preview in {}", mapping.target.sku, catalog.targets.date));
    }
    if !mapping.ha {
        notes.push("without high availability, as the source: for development and test only".into());
    }
    if mapping.shards.is_some_and(|shards| shards > 10) {
        notes.push(format!("Azure documents 10 shards; the guide of {guide} has rows up to 15"));
    }
    notes
}

/// Gigabytes without the dust of binary fractions.
fn tidy(gb: f64) -> f64 {
    (gb * 1000.0).round() / 1000.0
}
