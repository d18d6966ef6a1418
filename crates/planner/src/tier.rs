//! The words of Azure: services, tiers, series, clouds, clustering policies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::PlanError;

/// A tier of Azure Cache for Redis that this project moves away from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    Basic,
    Standard,
    Premium,
}

impl Tier {
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Basic => "basic",
            Tier::Standard => "standard",
            Tier::Premium => "premium",
        }
    }

    /// Whether its caches have a replica.
    pub fn ha(self) -> bool {
        self != Tier::Basic
    }
}

impl FromStr for Tier {
    type Err = PlanError;

    fn from_str(given: &str) -> Result<Tier, PlanError> {
        match given.to_ascii_lowercase().replace(['_', '-', ' '], "").as_str() {
            "basic" => Ok(Tier::Basic),
            "standard" => Ok(Tier::Standard),
            "premium" => Ok(Tier::Premium),
            "enterprise" | "enterpriseflash" => Err(PlanError::Enterprise),
            _ => Err(PlanError::UnknownTier { given: given.to_owned() }),
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A series of Azure Managed Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Series {
    M,
    B,
    X,
    A,
}

impl Series {
    pub const ALL: [Series; 4] = [Series::M, Series::B, Series::X, Series::A];

    /// As the resource's SKU name begins, and as people call it.
    pub fn name(self) -> &'static str {
        match self {
            Series::M => "MemoryOptimized",
            Series::B => "Balanced",
            Series::X => "ComputeOptimized",
            Series::A => "FlashOptimized",
        }
    }

    /// The word of the feature matrix.
    pub fn as_str(self) -> &'static str {
        match self {
            Series::M => "memory",
            Series::B => "balanced",
            Series::X => "compute",
            Series::A => "flash",
        }
    }
}

impl FromStr for Series {
    type Err = PlanError;

    fn from_str(given: &str) -> Result<Series, PlanError> {
        Series::ALL
            .into_iter()
            .find(|series| {
                [format!("{series:?}").as_str(), series.as_str(), series.name()]
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(given))
            })
            .ok_or_else(|| PlanError::UnknownSeries { given: given.to_owned() })
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A Redis service of Azure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Azure Cache for Redis: Basic, Standard, Premium.
    Acr,
    /// Azure Cache for Redis Enterprise and Enterprise Flash.
    Acre,
    /// Azure Managed Redis.
    Amr,
}

impl Service {
    pub fn name(self) -> &'static str {
        match self {
            Service::Acr => "Azure Cache for Redis",
            Service::Acre => "Azure Cache for Redis Enterprise",
            Service::Amr => "Azure Managed Redis",
        }
    }
}

/// An Azure cloud with domains of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    Public,
    UsGov,
    China,
    SovereignDe,
    SovereignFr,
    SovereignSg,
}

/// How clients see the shards of an Azure Managed Redis database; named as the resource names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ClusteringPolicy {
    NoCluster,
    OSSCluster,
    EnterpriseCluster,
}

impl ClusteringPolicy {
    pub const ALL: [ClusteringPolicy; 3] =
        [ClusteringPolicy::NoCluster, ClusteringPolicy::OSSCluster, ClusteringPolicy::EnterpriseCluster];

    /// As the resource names it.
    pub fn as_str(self) -> &'static str {
        match self {
            ClusteringPolicy::NoCluster => "NoCluster",
            ClusteringPolicy::OSSCluster => "OSSCluster",
            ClusteringPolicy::EnterpriseCluster => "EnterpriseCluster",
        }
    }
}

impl FromStr for ClusteringPolicy {
    type Err = PlanError;

    fn from_str(given: &str) -> Result<ClusteringPolicy, PlanError> {
        let short = |name: &str| name.to_ascii_lowercase().replace("cluster", "");
        ClusteringPolicy::ALL
            .into_iter()
            .find(|policy| short(policy.as_str()) == short(given))
            .ok_or_else(|| PlanError::UnknownPolicy { given: given.to_owned() })
    }
}
