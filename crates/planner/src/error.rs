//! Questions that have no answer.

use crate::tier::Tier;

/// Why there is no plan. The message says what to do instead.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    #[error("{given:?} is no tier; use basic, standard or premium")]
    UnknownTier { given: String },
    #[error(
        "Enterprise and Enterprise Flash are out of scope: they retire on 2027-03-31 and move by a change of SKU in \
         place; see `redferry dates`"
    )]
    Enterprise,
    #[error("{given:?} is no series; use M (memory), B (balanced), X (compute) or A (flash)")]
    UnknownSeries { given: String },
    #[error("{given:?} is no clustering policy; use NoCluster, OSSCluster or EnterpriseCluster")]
    UnknownPolicy { given: String },
    #[error("there is no SKU {given:?}; the catalogue has {known}")]
    UnknownSku { given: String, known: String },
    #[error("{sku} is not sold as {tier}; that tier has {known}")]
    SkuOfOtherTier { sku: String, tier: Tier, known: String },
    #[error("{sku} is sold as basic and as standard: say which with --tier")]
    TierNeeded { sku: String },
    #[error("{0} caches have no shards: leave --shards out")]
    ShardsWithoutCluster(String),
    #[error("{given} shards: {what} 1 to {max}{hint}")]
    Shards { given: u32, what: &'static str, max: u32, hint: &'static str },
    #[error("{0} caches have no choice of replicas: leave --replicas out")]
    ReplicasWithoutChoice(String),
    #[error("{given} replicas: a premium cache has 1 to {max} for each primary")]
    Replicas { given: u32, max: u32 },
    #[error("{given:?} is no module; use search, json, timeseries or bloom")]
    UnknownModule { given: String },
    #[error("active geo-replication needs high availability: leave --no-ha or --geo out")]
    GeoWithoutHa,
    #[error("active geo-replication takes no module but search and json; {0} cannot be in it")]
    GeoModule(&'static str),
    #[error("no SKU{among} fits: {why}")]
    NothingFits { among: String, why: String },
    #[error("the answer of the price API is not understood: {0}")]
    PriceAnswer(String),
    #[error(
        "the answer of the price API is empty: no such region, or nothing of what was asked for is sold there; \
         ask with serviceName eq 'Redis Cache' and the region's short name, such as westus2"
    )]
    EmptyAnswer,
}
