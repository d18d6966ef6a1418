//! Which size: the guide's tables, what fits a use, and what there is.

mod fit;
mod map;
mod module;
mod recommend;

pub use map::{Mapping, map};
pub use module::Module;
pub use recommend::{Alternative, Class, Recommendation, Rejected, Source, Use, recommend};

use crate::catalog::{Catalog, Sku, SourceSku};
use crate::{PlanError, Series, Tier};

/// The SKUs of Azure Managed Redis, or of one series.
pub fn list(catalog: &Catalog, series: Option<Series>) -> Vec<&Sku> {
    catalog.targets.rows.iter().filter(|sku| series.is_none_or(|series| sku.series == series)).collect()
}

/// A SKU of Azure Managed Redis by its short name or the resource's (`B50`, `Balanced_B50`), in any case.
///
/// # Errors
/// There is none of that name.
pub fn target<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c Sku, PlanError> {
    (catalog.targets.rows.iter())
        .find(|sku| sku.sku.eq_ignore_ascii_case(name) || sku.resource_name().eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            let known: Vec<String> = Series::ALL
                .iter()
                .map(|series| names(list(catalog, Some(*series)).iter().map(|sku| sku.sku.as_str())))
                .collect();
            PlanError::UnknownSku { given: name.to_owned(), known: known.join("; ") }
        })
}

/// A SKU of Azure Cache for Redis, in any case.
///
/// # Errors
/// There is none of that name.
pub fn source<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c SourceSku, PlanError> {
    let all = &catalog.sources.rows;
    all.iter().find(|sku| sku.sku.eq_ignore_ascii_case(name)).ok_or_else(|| {
        if is_enterprise(name) {
            return PlanError::Enterprise;
        }
        let known = names(all.iter().map(|sku| sku.sku.as_str()));
        PlanError::UnknownSku { given: name.to_owned(), known }
    })
}

/// `E10`, `F700`, `Enterprise_E10`, `EnterpriseFlash_F300`.
fn is_enterprise(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let short = name.strip_prefix("ENTERPRISE_").or(name.strip_prefix("ENTERPRISEFLASH_")).unwrap_or(&name);
    short
        .strip_prefix(['E', 'F'])
        .is_some_and(|size| !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The same, of a tier.
///
/// # Errors
/// There is none of that name, or that tier does not have it.
pub fn source_of<'c>(catalog: &'c Catalog, tier: Tier, name: &str) -> Result<&'c SourceSku, PlanError> {
    let sku = source(catalog, name)?;
    if sku.tiers.contains(&tier) {
        return Ok(sku);
    }
    let of_tier = catalog.sources.rows.iter().filter(|sku| sku.tiers.contains(&tier));
    let known = names(of_tier.map(|sku| sku.sku.as_str()));
    Err(PlanError::SkuOfOtherTier { sku: sku.sku.clone(), tier, known })
}

/// The tier of a SKU that is sold in one only, unless it is given.
///
/// # Errors
/// The SKU is sold in several tiers and none is given.
pub fn tier_of(sku: &SourceSku, given: Option<Tier>) -> Result<Tier, PlanError> {
    match (given, sku.tiers.as_slice()) {
        (Some(tier), _) | (None, &[tier]) => Ok(tier),
        (None, _) => Err(PlanError::TierNeeded { sku: sku.sku.clone() }),
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}
