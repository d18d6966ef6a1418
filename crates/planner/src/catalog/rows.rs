//! What a row of each table says. GB are Azure's: taken as 10^9 bytes where bytes are compared with them, which is the
//! safe side.

use serde::{Deserialize, Serialize};

use crate::Date;
use crate::tier::{Cloud, ClusteringPolicy, Series, Service, Tier};

/// Where a fact comes from, and when it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    pub source: String,
    pub date: Date,
}

/// What another source said, or the same one earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    pub date: Date,
    pub said: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    pub gb: f64,
    pub usable_gb: f64,
}

/// A SKU of Azure Managed Redis.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sku {
    /// Such as `B50`.
    pub sku: String,
    pub series: Series,
    /// Advertised.
    pub gb: f64,
    /// For data: 80 % of it.
    pub usable_gb: f64,
    pub vcpus: u32,
    pub max_connections: u64,
    /// The guide's size, where newer sources have another one.
    pub guide: Option<Size>,
    /// Its vCPUs are shared and slow down under lasting load.
    #[serde(default)]
    pub burstable: bool,
    /// Active geo-replication is not offered.
    #[serde(default)]
    pub no_geo: bool,
    /// Was in preview when the table was made.
    #[serde(default)]
    pub preview: bool,
    /// Flash: memory and disk behind the advertised size.
    pub ram_gib: Option<u32>,
    pub disk_gib: Option<u32>,
    /// Fields that no source has: worked out by us.
    #[serde(default)]
    pub derived: Vec<String>,
}

impl Sku {
    /// As the resource has it, such as `Balanced_B50`.
    pub fn resource_name(&self) -> String {
        format!("{}_{}", self.series.name(), self.sku)
    }

    /// Bytes for data.
    pub fn usable_bytes(&self) -> u64 {
        (self.usable_gb * 1e9).round() as u64
    }
}

/// A SKU of Azure Cache for Redis; of each shard, where there are several.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSku {
    pub sku: String,
    pub tiers: Vec<Tier>,
    pub gb: f64,
    pub usable_gb: f64,
    pub max_connections: u64,
    /// Databases that it may have, at most.
    pub databases: u32,
    /// Fields that no source has: worked out by us.
    #[serde(default)]
    pub derived: Vec<String>,
}

/// What SKUs of so many vCPUs were measured to do.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throughput {
    pub vcpus: u32,
    pub burstable: bool,
    /// GET of values of 1 KB.
    pub gets_per_sec: u64,
    pub primary_shards: u32,
}

/// A row of the guide's table for Basic and Standard.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapped {
    pub tier: Tier,
    pub sku: String,
    pub ha: bool,
    /// The first choice, then the others.
    pub targets: Vec<String>,
}

/// A row of the guide's table for Premium without clustering.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedPremium {
    pub sku: String,
    pub targets: Vec<String>,
}

/// A row of the guide's table for Premium with clustering.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedCluster {
    pub sku: String,
    /// From the first number of shards to the second.
    pub shards: (u32, u32),
    pub target: String,
}

/// A row of the feature matrix.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    pub id: String,
    pub name: String,
    pub cells: Cells,
    /// What to do about it when it is lost or changed.
    pub remedy: Option<String>,
    /// Since when it is as the cells say, where that is newer than the table or older than another source.
    pub since: Option<Date>,
    /// What was said otherwise.
    #[serde(default)]
    pub was: Vec<Said>,
    /// Whatever differs in this row is a loss.
    #[serde(default)]
    pub loss: bool,
}

/// A feature in every tier and series. `no`, or a text that begins with `no:`, means that it is not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cells {
    pub basic: String,
    pub standard: String,
    pub premium: String,
    pub memory: String,
    pub balanced: String,
    pub compute: String,
    pub flash: String,
}

impl Cells {
    pub fn of_tier(&self, tier: Tier) -> &str {
        match tier {
            Tier::Basic => &self.basic,
            Tier::Standard => &self.standard,
            Tier::Premium => &self.premium,
        }
    }

    pub fn of_series(&self, series: Series) -> &str {
        match series {
            Series::M => &self.memory,
            Series::B => &self.balanced,
            Series::X => &self.compute,
            Series::A => &self.flash,
        }
    }
}

/// A command that a service does not have, or has in part.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockedCommand {
    pub service: Service,
    /// In capitals; a subcommand as `CONFIG|SET`.
    pub command: String,
    pub effect: Effect,
    /// Only under one of these; always when empty.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// What of it works, where it is changed.
    pub what: Option<String>,
    pub instead: String,
    /// What was said otherwise.
    #[serde(default)]
    pub was: Vec<Said>,
}

/// Commands that later versions of Redis answer differently.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub id: String,
    /// In capitals.
    pub commands: Vec<String>,
    /// The version that changed them.
    pub since: String,
    pub what: String,
    #[serde(rename = "do")]
    pub advice: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Blocked,
    Changed,
}

/// When a command is blocked or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Condition {
    /// Azure Managed Redis, under this policy.
    Policy(ClusteringPolicy),
    Situation(Situation),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Situation {
    /// A Premium cache with shards.
    Clustered,
    /// In an active geo-replication group.
    Geo,
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    pub service: Service,
    pub purpose: Purpose,
    /// X stands for any digit.
    pub ports: String,
    pub note: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    Tls,
    Plaintext,
    Nodes,
}

/// How the names of a service's hosts end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suffix {
    pub cloud: Cloud,
    pub service: Service,
    pub suffix: String,
    /// The region stands before it; none where no source tells.
    pub regional: Option<bool>,
}

/// What a private endpoint needs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateLink {
    pub cloud: Cloud,
    pub service: Service,
    pub group_id: String,
    /// The private DNS zone.
    pub zone: String,
    /// No source has it: by analogy with the other clouds.
    #[serde(default)]
    pub derived: bool,
}

/// An eviction policy as Redis and as the resource call it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eviction {
    pub redis: String,
    pub azure: String,
}

/// Something that happens on a day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    pub id: String,
    pub date: Date,
    pub service: Service,
    pub what: String,
    /// Where that was published, if not where the rest of the table was.
    pub published: Option<Origin>,
    /// What was said otherwise.
    #[serde(default)]
    pub was: Vec<Said>,
}

/// The price of a node for an hour.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub sku: String,
    pub region: String,
    pub currency: String,
    pub node_hour: f64,
    /// Where that was published, if not where the rest of the table was.
    pub published: Option<Origin>,
}
