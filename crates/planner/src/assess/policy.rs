//! How clients shall see the shards.

use serde::Serialize;

use super::{Inventory, Size};
use crate::sku::Module;
use crate::{ClusteringPolicy, Series};

/// The largest size without clustering, GB.
const NO_CLUSTER_GB: f64 = 24.0;

/// The clustering policy, why, and what was advised when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clustering {
    pub policy: ClusteringPolicy,
    pub reason: String,
    /// The newest guidance, and the older one that it replaces.
    pub guidance: &'static str,
    /// What a change of mind costs.
    pub note: &'static str,
}

const GUIDANCE: &str = "May 2026: no clustering up to 24 GB (Microsoft's pages say 25 GB and mean the same SKUs), \
                        above it the OSS policy where clients can, the Enterprise policy otherwise; a clustered source: OSS \
                        policy. The guide of February 2026 advised the Enterprise policy for every source without clustering";
const NOTE: &str =
    "chosen when the database is created; only a database without clustering can change it later";

pub(super) fn clustering(inventory: &Inventory, size: Option<&Size>) -> Clustering {
    let (policy, reason) = chosen(inventory, size);
    Clustering { policy, reason, guidance: GUIDANCE, note: NOTE }
}

fn chosen(inventory: &Inventory, size: Option<&Size>) -> (ClusteringPolicy, String) {
    use ClusteringPolicy::{EnterpriseCluster, NoCluster, OSSCluster};
    if inventory.wishes.modules.contains(&Module::Search) {
        return (EnterpriseCluster, "RediSearch is refused under every other policy".into());
    }
    let aware = inventory.wishes.cluster_aware;
    if inventory.is_clustered() {
        return match aware {
            Some(false) => (EnterpriseCluster, "the clients are said not to be cluster-aware".into()),
            _ => (
                OSSCluster,
                "the source is clustered, so its clients speak the cluster protocol already".into(),
            ),
        };
    }
    match size {
        Some(size) if size.series != Series::A && size.advertised_gb <= NO_CLUSTER_GB => (
            NoCluster,
            format!(
                "the source is not clustered and {} has {} GB, so everything may go on as it is: keys need not share a slot",
                size.sku, size.advertised_gb
            ),
        ),
        None => (
            NoCluster,
            "the source is not clustered; which size is not known, so this holds up to 24 GB".into(),
        ),
        Some(size) => {
            let large = format!("{} has {} GB, which needs a cluster", size.sku, size.advertised_gb);
            match aware {
                Some(true) => (OSSCluster, format!("{large}, and the clients are said to be cluster-aware")),
                Some(false) => {
                    (EnterpriseCluster, format!("{large}, and the clients are said not to be cluster-aware"))
                }
                None => (
                    EnterpriseCluster,
                    format!(
                        "{large}, and nothing shows that the clients are cluster-aware (--cluster-aware says so)"
                    ),
                ),
            }
        }
    }
}

impl Inventory {
    /// Whether clients of the source speak the cluster protocol.
    pub fn is_clustered(&self) -> bool {
        self.resource.as_ref().is_some_and(|resource| resource.sku.shards.is_some())
            || self.live.as_ref().is_some_and(|live| live.clustered)
    }
}
